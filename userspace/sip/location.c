/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "userspace/sip/location.h"
#include "userspace/sip/local.h"
#include "userspace/util/log.h"

#define HASH_SIZE 8192

struct tandem_location {
	struct tandem_store *store;
	struct hash *ht_aor;
	struct hash *ht_uri;
	struct hash *ht_id;
	size_t count;  /* made here */
	size_t remote; /* and by other nodes */
	uint64_t serial;
	tandem_binding_changed_h *changed_h; /* may be NULL */
	void *arg;
};

static void binding_destructor(void *arg)
{
	struct tandem_binding *b = arg;

	hash_unlink(&b->he_aor);
	hash_unlink(&b->he_uri);
	hash_unlink(&b->he_id);
	if (b->remote) {
		mem_deref(b->remote->id);
		mem_deref(b->remote->node);
		mem_deref(b->remote->hop);
		mem_deref(b->remote);
	}
	mem_deref(b->aor);
	mem_deref(b->uri);
	mem_deref(b->call_id);
	mem_deref(b->source);
	mem_deref(b->local);
	mem_deref(b->path);
	mem_deref(b->user_agent);
	mem_deref(b->instance);
	mem_deref(b->conn);
}

struct tandem_binding *tandem_binding_alloc(const struct tandem_contact *c)
{
	struct tandem_binding *b = mem_zalloc(sizeof(*b), binding_destructor);
	int err = 0;

	if (!b)
		return NULL;

	err |= str_dup(&b->aor, c->aor);
	err |= str_dup(&b->uri, c->uri);
	err |= str_dup(&b->call_id, c->call_id);
	err |= str_dup(&b->source, c->source);
	err |= str_dup(&b->local, c->local);
	err |= str_dup(&b->path, c->path);
	err |= str_dup(&b->user_agent, c->user_agent);
	err |= str_dup(&b->instance, c->instance ? c->instance : "");
	b->reg_id = c->reg_id;
	b->cseq = c->cseq;
	b->q = c->q;
	b->expires = c->expires;
	b->tp = tandem_sip_transport(c->transport);

	return err ? mem_deref(b) : b;
}

bool tandem_binding_connected(const struct tandem_binding *b)
{
	/* of a browser's, libre has the TCP connection on this side */
	bool web = b->tp == SIP_TRANSP_WS || b->tp == SIP_TRANSP_WSS;
	const struct sip_msg msg = { .sock = b->conn, .tp = web ? SIP_TRANSP_TCP : b->tp };

	return tandem_sip_is_stream(b->tp) && b->conn && sip_msg_tcpconn(&msg);
}

static uint32_t serial_key(uint64_t serial)
{
	return hash_joaat((const uint8_t *)&serial, sizeof(serial));
}

static void binding_link(struct tandem_location *loc, struct tandem_binding *b)
{
	b->serial = ++loc->serial;
	hash_append(loc->ht_aor, hash_joaat_str(b->aor), &b->he_aor, b);
	hash_append(loc->ht_uri, hash_joaat_str(b->uri), &b->he_uri, b);
	hash_append(loc->ht_id, b->remote ? hash_joaat_str(b->remote->id) : serial_key(b->serial),
		    &b->he_id, b);
	if (b->remote)
		loc->remote++;
	else
		loc->count++;
}

static void tell(const struct tandem_location *loc, const struct tandem_binding *b, bool gone)
{
	if (loc->changed_h)
		loc->changed_h(b, gone, loc->arg);
}

/* Nobody is told of those of other nodes: they have gone there. */
static void binding_drop(struct tandem_location *loc, struct tandem_binding *b)
{
	if (b->remote) {
		loc->remote--;
	} else {
		loc->count--;
		tell(loc, b, true);
	}
	mem_deref(b);
}

struct load {
	struct tandem_location *loc;
	struct tandem_binding **list;
	size_t count;
	size_t size;
	int err;
};

static void load_contact(const struct tandem_contact *contact, void *arg)
{
	struct load *load = arg;
	struct tandem_binding **list, *b;

	if (load->count == load->size) {
		load->size = load->size ? 2 * load->size : 64;
		list = realloc(load->list, load->size * sizeof(*list));
		if (!list) {
			load->err = -ENOMEM;
			return;
		}
		load->list = list;
	}

	b = tandem_binding_alloc(contact);
	if (b)
		load->list[load->count++] = b;
	else
		load->err = -ENOMEM;
}

static int load_store(struct tandem_location *loc)
{
	struct load load = { .loc = loc };
	int err;

	err = tandem_store_contact_list(loc->store, NULL, time(NULL), load_contact, &load);

	/* the store lists the newest first, and serials must grow with age falling */
	while (load.count)
		binding_link(loc, load.list[--load.count]);
	free(load.list);

	return err ? err : load.err;
}

int tandem_location_alloc(struct tandem_location **locp, struct tandem_store *store)
{
	struct tandem_location *loc = calloc(1, sizeof(*loc));
	int err;

	if (!loc)
		return -ENOMEM;

	loc->store = store;
	err = -hash_alloc(&loc->ht_aor, HASH_SIZE);
	if (!err)
		err = -hash_alloc(&loc->ht_uri, HASH_SIZE);
	if (!err)
		err = -hash_alloc(&loc->ht_id, HASH_SIZE);
	if (!err && store)
		err = load_store(loc);

	if (err)
		tandem_location_free(loc);
	else
		*locp = loc;

	return err;
}

void tandem_location_free(struct tandem_location *loc)
{
	if (!loc)
		return;

	/* a binding hangs in all tables and is held once */
	hash_flush(loc->ht_aor);
	mem_deref(loc->ht_aor);
	mem_deref(loc->ht_uri);
	mem_deref(loc->ht_id);
	free(loc);
}

struct tandem_contact tandem_binding_contact(const struct tandem_binding *b)
{
	return (struct tandem_contact){
		.aor = b->aor,
		.uri = b->uri,
		.call_id = b->call_id,
		.cseq = b->cseq,
		.q = b->q,
		.expires = b->expires,
		.source = b->source,
		.transport = tandem_sip_transport_word(b->tp),
		.local = b->local,
		.path = b->path,
		.user_agent = b->user_agent,
		.instance = b->instance,
		.reg_id = b->reg_id,
	};
}

static int store_changes(struct tandem_store *store, const struct tandem_binding_change *changes,
			 size_t count)
{
	struct tandem_contact c;
	size_t i;
	int err;

	err = tandem_store_begin(store);
	if (err)
		return err;

	for (i = 0; i < count && !err; i++) {
		const struct tandem_binding *old = changes[i].remove;

		if (old && !old->remote) {
			c = tandem_binding_contact(old);
			err = tandem_store_contact_remove(store, &c);
			if (err == -ENOENT)
				err = 0;
		}
		if (!err && changes[i].put) {
			c = tandem_binding_contact(changes[i].put);
			err = tandem_store_contact_put(store, &c);
		}
	}

	if (err)
		tandem_store_rollback(store);
	else
		err = tandem_store_commit(store);

	return err;
}

int tandem_location_apply(struct tandem_location *loc, struct tandem_binding_change *changes,
			  size_t count)
{
	size_t i;
	int err;

	if (loc->store && count) {
		err = store_changes(loc->store, changes, count);
		if (err)
			return err;
	}

	/* in this order, so that who hears of both never knows of none */
	for (i = 0; i < count; i++) {
		struct tandem_binding *old = changes[i].remove;

		if (changes[i].put) {
			binding_link(loc, changes[i].put);
			tell(loc, changes[i].put, false);
		}
		if (old && old->remote)
			tell(loc, old, true);
		if (old)
			binding_drop(loc, old);
		changes[i].put = NULL;
	}

	return 0;
}

static bool better(const struct tandem_binding *a, const struct tandem_binding *b)
{
	return a->q != b->q ? a->q > b->q : a->serial > b->serial;
}

/* Keep the best max of those seen, in order. */
static void insert_sorted(struct tandem_binding **list, size_t count, size_t max,
			  struct tandem_binding *b)
{
	size_t i = MIN(count, max);

	if (i == max) {
		if (!max || !better(b, list[max - 1]))
			return;
		i--;
	}
	for (; i > 0 && better(b, list[i - 1]); i--)
		list[i] = list[i - 1];
	list[i] = b;
}

size_t tandem_location_find(const struct tandem_location *loc, const char *aor,
			    struct tandem_binding **list, size_t max)
{
	int64_t now = time(NULL);
	size_t count = 0;
	struct le *le;

	LIST_FOREACH(hash_list(loc->ht_aor, hash_joaat_str(aor)), le)
	{
		struct tandem_binding *b = le->data;

		if (b->expires <= now || strcmp(b->aor, aor))
			continue;
		if (list)
			insert_sorted(list, count, max, b);
		count++;
	}

	return count;
}

const struct tandem_binding *tandem_location_find_uri(const struct tandem_location *loc,
						      const struct pl *uri)
{
	const struct tandem_binding *found = NULL;
	int64_t now = time(NULL);
	struct le *le;

	LIST_FOREACH(hash_list(loc->ht_uri, hash_joaat_pl(uri)), le)
	{
		const struct tandem_binding *b = le->data;

		if (b->expires <= now || pl_strcmp(uri, b->uri))
			continue;
		/* phones behind different NATs may well use the same private address */
		if (found)
			return NULL;
		found = b;
	}

	return found;
}

static bool expire_one(struct le *le, void *arg)
{
	struct tandem_location *loc = arg;
	struct tandem_binding *b = le->data;

	if (b->expires <= time(NULL)) {
		if (b->remote)
			tell(loc, b, true);
		else
			tandem_log(TANDEM_LOG_INFO, "sip", "registration of %s at %s expired",
				   b->aor, b->uri);
		binding_drop(loc, b);
	}

	return false;
}

void tandem_location_expire(struct tandem_location *loc)
{
	(void)hash_apply(loc->ht_aor, expire_one, loc);
	if (loc->store)
		(void)tandem_store_contact_expire(loc->store, time(NULL));
}

struct drop {
	struct tandem_location *loc;
	tandem_binding_h *h;
	void *arg;
	size_t count;
};

static bool drop_one(struct le *le, void *arg)
{
	struct tandem_binding *b = le->data;
	struct drop *drop = arg;
	const struct tandem_contact c = tandem_binding_contact(b);

	if (b->remote || !drop->h(b, drop->arg))
		return false;
	if (drop->loc->store)
		(void)tandem_store_contact_remove(drop->loc->store, &c);
	binding_drop(drop->loc, b);
	drop->count++;

	return false;
}

size_t tandem_location_drop(struct tandem_location *loc, tandem_binding_h *h, void *arg)
{
	struct drop drop = { .loc = loc, .h = h, .arg = arg };
	bool begun = loc->store && !tandem_store_begin(loc->store);

	(void)hash_apply(loc->ht_aor, drop_one, &drop);
	if (begun)
		(void)tandem_store_commit(loc->store);

	return drop.count;
}

void tandem_location_remove(struct tandem_location *loc, struct tandem_binding *b)
{
	const struct tandem_contact c = tandem_binding_contact(b);

	if (!b->remote && loc->store)
		(void)tandem_store_contact_remove(loc->store, &c);
	binding_drop(loc, b);
}

/* ---- what other nodes of a cluster have ------------------------------------------ */

void tandem_location_on_change(struct tandem_location *loc, tandem_binding_changed_h *h, void *arg)
{
	loc->changed_h = h;
	loc->arg = arg;
}

struct each {
	tandem_binding_each_h *h;
	void *arg;
};

static bool each_one(struct le *le, void *arg)
{
	const struct tandem_binding *b = le->data;
	const struct each *each = arg;

	each->h(b, each->arg);

	return false;
}

void tandem_location_each(const struct tandem_location *loc, tandem_binding_each_h *h, void *arg)
{
	struct each each = { h, arg };

	(void)hash_apply(loc->ht_aor, each_one, &each);
}

struct tandem_binding *tandem_location_by_serial(const struct tandem_location *loc, uint64_t serial)
{
	struct le *le;

	LIST_FOREACH(hash_list(loc->ht_id, serial_key(serial)), le)
	{
		struct tandem_binding *b = le->data;

		if (!b->remote && b->serial == serial)
			return b->expires > time(NULL) ? b : NULL;
	}

	return NULL;
}

struct tandem_binding *tandem_location_by_id(const struct tandem_location *loc, const char *id)
{
	struct le *le;

	LIST_FOREACH(hash_list(loc->ht_id, hash_joaat_str(id)), le)
	{
		struct tandem_binding *b = le->data;

		if (b->remote && !strcmp(b->remote->id, id))
			return b;
	}

	return NULL;
}

static bool is_same_contact(const struct tandem_binding *a, const struct tandem_binding *b)
{
	if (strcmp(a->aor, b->aor) || a->reg_id != b->reg_id)
		return false;

	return a->reg_id ? !strcmp(a->instance, b->instance) : !strcmp(a->uri, b->uri);
}

/* Two nodes that have it up to the same second keep it both, and the others one of them. */
static bool outlasts(const struct tandem_binding *a, const struct tandem_binding *b)
{
	if (a->expires != b->expires)
		return a->expires > b->expires;
	if (!a->remote || !b->remote)
		return !a->remote;

	return strcmp(a->remote->id, b->remote->id) > 0;
}

/* What a node says later is newer: it may have begun anew, and have other ids. */
static bool is_same_node(const struct tandem_binding *a, const struct tandem_binding *b)
{
	return a->remote && !strcmp(a->remote->node, b->remote->node);
}

int tandem_location_take(struct tandem_location *loc, struct tandem_binding *b, size_t max)
{
	struct le *le = list_head(hash_list(loc->ht_aor, hash_joaat_str(b->aor)));

	while (le) {
		struct tandem_binding *old = le->data;

		le = le->next;
		if (!is_same_contact(old, b))
			continue;
		if (!is_same_node(old, b) && outlasts(old, b))
			return -EALREADY;
		tandem_location_remove(loc, old);
	}
	if (loc->remote >= max)
		return -ENOSPC;
	binding_link(loc, b);

	return 0;
}

struct marking {
	struct tandem_location *loc;
	const char *node;
	bool sweep;
};

static bool mark_one(struct le *le, void *arg)
{
	struct tandem_binding *b = le->data;
	const struct marking *m = arg;

	if (!b->remote || (m->node && strcmp(b->remote->node, m->node)))
		return false;
	if (!m->sweep)
		b->remote->stale = true;
	else if (b->remote->stale)
		binding_drop(m->loc, b);

	return false;
}

void tandem_location_mark(struct tandem_location *loc, const char *node)
{
	struct marking m = { loc, node, false };

	(void)hash_apply(loc->ht_aor, mark_one, &m);
}

void tandem_location_sweep(struct tandem_location *loc, const char *node)
{
	struct marking m = { loc, node, true };

	(void)hash_apply(loc->ht_aor, mark_one, &m);
}

size_t tandem_location_count(const struct tandem_location *loc)
{
	return loc->count;
}
