/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/shared.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "userspace/sip/remote.h"
#include "userspace/util/log.h"

#define NODES_MAX 16   /* as many nodes may have max_registrations each */
#define TEXT_MAX  8192 /* of a binding */
#define LATER_S                                                                                    \
	86400 /* a binding of another node is not for longer than it could be here, and that */

struct tandem_shared {
	struct tandem_shared_config cfg;
	char *hop;
	uint8_t key[TANDEM_SHARED_KEY_SIZE];
	bool has_key;
};

/* ---- ids and texts --------------------------------------------------------------- */

/* The id of a binding made in this run, or 0. */
static uint64_t own_number(const struct tandem_shared *shared, const char *id)
{
	size_t node = strlen(shared->cfg.node), run = strlen(shared->cfg.run);
	unsigned long long number;
	char *end;

	if (strncmp(id, shared->cfg.node, node) || id[node] != '/' ||
	    strncmp(id + node + 1, shared->cfg.run, run) || id[node + 1 + run] != '/')
		return 0;
	number = strtoull(id + node + 1 + run + 1, &end, 10);

	return *end ? 0 : number;
}

static int read_id(struct tandem_remote *remote, const char *id)
{
	const char *run = strchr(id, '/'), *number = strrchr(id, '/');
	struct pl node = { .p = id, .l = run ? (size_t)(run - id) : 0 };
	char *end;

	if (!node.l || number == run || number[1] < '0' || number[1] > '9')
		return -EBADMSG;
	remote->number = strtoull(number + 1, &end, 10);
	if (*end || !remote->number)
		return -EBADMSG;

	return str_dup(&remote->id, id) || pl_strdup(&remote->node, &node) ? -ENOMEM : 0;
}

char *tandem_sip_shared_text(const struct tandem_sip *ts, uint64_t number)
{
	const struct tandem_binding *b = tandem_location_by_serial(ts->loc, number);
	struct tandem_contact c;
	json_t *json;
	char *text;

	if (!b)
		return NULL;
	c = tandem_binding_contact(b);
	/* what is not UTF-8 cannot be written down exactly, and is not shared */
	json = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:o, s:s, s:I, s:s}",
			 "aor", c.aor, "uri", c.uri, "call_id", c.call_id, "cseq",
			 (json_int_t)c.cseq, "q", (json_int_t)c.q, "expires", (json_int_t)c.expires,
			 "source", c.source, "transport", c.transport, "local", c.local, "path",
			 c.path, "user_agent", tandem_location_text(c.user_agent), "instance",
			 c.instance, "reg_id", (json_int_t)c.reg_id, "hop", ts->shared->hop);
	text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);

	return text;
}

static bool is_uri(const char *text)
{
	struct uri uri;
	struct pl pl;

	pl_set_str(&pl, text);

	return tandem_sip_uri_clean(&pl) && !uri_decode(&uri, &pl) &&
	       (!pl_strcasecmp(&uri.scheme, "sip") || !pl_strcasecmp(&uri.scheme, "sips"));
}

/* As tandem_sip_hop() writes it, for a token and an @ go behind its scheme. */
static bool is_hop(const char *text)
{
	return is_uri(text) && !strncmp(text, "sip:", 4) && !strpbrk(text, "@<>\"?");
}

/* What goes into messages has no end of a line in it. */
static bool is_line(const char *text)
{
	return !strpbrk(text, "\r\n");
}

static bool is_address(const char *text)
{
	struct sa sa;

	return !sa_decode(&sa, text, strlen(text));
}

static bool is_sound(const struct tandem_contact *c, json_int_t cseq, json_int_t q,
		     json_int_t reg_id, const char *hop)
{
	return !strncmp(c->aor, "sip:", 4) && is_uri(c->uri) && is_hop(hop) &&
	       is_address(c->source) && is_address(c->local) && is_line(c->path) &&
	       is_line(c->instance) && is_line(c->user_agent) && cseq >= 0 && cseq <= UINT32_MAX &&
	       q >= 0 && q <= 1000 && reg_id >= 0 && reg_id <= INT32_MAX &&
	       !strcmp(tandem_sip_transport_word(tandem_sip_transport(c->transport)), c->transport);
}

static struct tandem_binding *read_binding(const json_t *json, const char **hop)
{
	json_int_t cseq, q, expires, reg_id;
	struct tandem_contact c = { .aor = NULL };

	if (json_unpack((json_t *)json,
			"{s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s}",
			"aor", &c.aor, "uri", &c.uri, "call_id", &c.call_id, "cseq", &cseq, "q", &q,
			"expires", &expires, "source", &c.source, "transport", &c.transport,
			"local", &c.local, "path", &c.path, "user_agent", &c.user_agent, "instance",
			&c.instance, "reg_id", &reg_id, "hop", hop) ||
	    !is_sound(&c, cseq, q, reg_id, *hop))
		return NULL;
	c.cseq = (uint32_t)cseq;
	c.q = (unsigned int)q;
	c.expires = expires;
	c.reg_id = (uint32_t)reg_id;

	return tandem_binding_alloc(&c);
}

/* ---- what other nodes say ---------------------------------------------------------- */

static int take(struct tandem_sip *ts, const char *id, const json_t *json)
{
	struct tandem_binding *b;
	const char *hop;
	int err;

	b = read_binding(json, &hop);
	if (!b)
		return -EBADMSG;
	b->remote = mem_zalloc(sizeof(*b->remote), NULL);
	err = b->remote ? read_id(b->remote, id) : -ENOMEM;
	if (!err)
		err = -str_dup(&b->remote->hop, hop);
	if (!err && b->expires > time(NULL) + (int64_t)ts->cfg.max_expires_s + LATER_S)
		err = -EBADMSG;
	if (!err)
		err = tandem_location_take(ts->loc, b,
					   (size_t)NODES_MAX * ts->cfg.max_registrations);
	if (err)
		mem_deref(b);

	return err;
}

int tandem_sip_shared_take(struct tandem_sip *ts, const char *id, const char *text)
{
	struct tandem_binding *known = tandem_location_by_id(ts->loc, id);
	json_t *json;
	int err;

	if (own_number(ts->shared, id))
		return 0;
	if (known) {
		known->remote->stale = false;
		return 0;
	}
	json = strlen(text) <= TEXT_MAX ? json_loads(text, 0, NULL) : NULL;
	err = take(ts, id, json);
	json_decref(json);

	return err;
}

void tandem_sip_shared_drop(struct tandem_sip *ts, const char *id)
{
	uint64_t number = own_number(ts->shared, id);
	struct tandem_binding *b = number ? tandem_location_by_serial(ts->loc, number)
					  : tandem_location_by_id(ts->loc, id);

	if (b)
		tandem_location_remove(ts->loc, b);
}

void tandem_sip_shared_mark(struct tandem_sip *ts, const char *node)
{
	tandem_location_mark(ts->loc, node);
}

void tandem_sip_shared_sweep(struct tandem_sip *ts, const char *node)
{
	tandem_location_sweep(ts->loc, node);
}

/* ---- what is so here --------------------------------------------------------------- */

static void on_change(const struct tandem_binding *b, bool gone, void *arg)
{
	const struct tandem_shared_config *cfg = &((struct tandem_shared *)arg)->cfg;

	if (!b->remote)
		cfg->changed_h(b->serial, gone, cfg->arg);
	else if (b->expires > time(NULL) || !cfg->alive_h(b->remote->node, cfg->arg))
		cfg->removed_h(b->remote->id, cfg->arg); /* else its node does that */
}

static void tell_one(const struct tandem_binding *b, void *arg)
{
	if (!b->remote)
		on_change(b, false, arg);
}

void tandem_sip_shared_tell(struct tandem_sip *ts)
{
	tandem_location_each(ts->loc, tell_one, ts->shared);
}

static enum tandem_shared_address address_of(const struct tandem_shared *shared,
					     const struct sa *addr)
{
	char ip[64];

	(void)re_snprintf(ip, sizeof(ip), "%j", addr);

	return shared->cfg.address_h(ip, shared->cfg.arg);
}

/* Where other nodes send to; by loopback only if they are on this host, too. */
static int find_hop(struct tandem_shared *shared, const struct tandem_sip *ts)
{
	const struct tandem_listener *found = NULL;
	size_t i;

	for (i = 0; i < ts->listeners_count; i++) {
		const struct tandem_listener *l = &ts->listeners[i];

		if (l->tp <= SIP_TRANSP_TLS && address_of(shared, &l->addr) == TANDEM_SHARED_OWN &&
		    (!found || (sa_is_loopback(&found->addr) && !sa_is_loopback(&l->addr))))
			found = l;
	}

	return found ? tandem_sip_hop(&shared->hop, found->tp, &found->addr) : -EADDRNOTAVAIL;
}

int tandem_sip_share(struct tandem_sip *ts, const struct tandem_shared_config *cfg)
{
	struct tandem_shared *shared = mem_zalloc(sizeof(*shared), NULL);
	int err;

	if (!shared)
		return -ENOMEM;
	shared->cfg = *cfg;
	err = find_hop(shared, ts);
	if (err) {
		mem_deref(shared);
		return err;
	}
	ts->shared = shared;
	tandem_location_on_change(ts->loc, on_change, shared);

	return 0;
}

void tandem_sip_share_end(struct tandem_sip *ts)
{
	if (!ts->shared)
		return;
	tandem_location_on_change(ts->loc, NULL, NULL);
	tandem_location_mark(ts->loc, NULL);
	tandem_location_sweep(ts->loc, NULL);
	explicit_bzero(ts->shared->key, sizeof(ts->shared->key));
	mem_deref(ts->shared->hop);
	ts->shared = mem_deref(ts->shared);
}

void tandem_sip_share_key(struct tandem_sip *ts, const uint8_t key[TANDEM_SHARED_KEY_SIZE])
{
	memcpy(ts->shared->key, key, TANDEM_SHARED_KEY_SIZE);
	ts->shared->has_key = true;
}

/* ---- requests from node to node: remote.h -------------------------------------------- */

bool tandem_remote_is_here(const struct tandem_sip *ts, const struct tandem_binding *b)
{
	struct sa local;
	size_t i;

	if (!ts->shared || sa_decode(&local, b->local, strlen(b->local)))
		return false;
	for (i = 0; i < ts->listeners_count; i++) {
		if (sa_cmp(&ts->listeners[i].addr, &local, SA_ALL))
			return address_of(ts->shared, &local) == TANDEM_SHARED_HERE;
	}

	return false;
}

bool tandem_remote_is_alive(const struct tandem_sip *ts, const struct tandem_binding *b)
{
	const struct tandem_shared *shared = ts->shared;

	return shared && shared->has_key && shared->cfg.alive_h(b->remote->node, shared->cfg.arg);
}

int tandem_remote_write(char buf[TANDEM_TOKEN_SIZE], const struct tandem_sip *ts,
			const struct pl *call_id, uint64_t number)
{
	return ts->shared && ts->shared->has_key
		       ? tandem_token_write_number(buf, ts->shared->key, call_id, number)
		       : -ENOKEY;
}

uint64_t tandem_remote_read(const struct tandem_sip *ts, const struct pl *call_id,
			    const struct pl *token)
{
	uint64_t number = 0;

	if (!ts->shared || !ts->shared->has_key ||
	    tandem_token_read_number(&number, ts->shared->key, call_id, token))
		return 0;

	return number;
}
