/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_MAX      4096
#define HASH_SIZE      1024
#define WAITING_MAX    256
#define NAME_MAX_BYTES 253
#define ASK_MS	       4000 /* libre alone would go on asking for more than a minute */
#define TTL_MAX_S      3600
#define TTL_NONE_MAX_S 300 /* that there is no such name */
#define TTL_NONE_S     30  /* the same, where the server does not say for how long */
#define TTL_FAILED_S   3   /* that nobody answers: to spare a server that is in trouble */

struct tandem_names {
	struct hash *cache;
	struct list oldest; /* entries, the least recently used first */
	size_t cached;
	struct list lookups;
	size_t waiting;
	struct list done; /* lookups whose socket is still in use by who calls us */
	struct tmr tmr_done;
	struct sa *servers;
	uint32_t servers_count;
};

struct entry {
	struct le he;
	struct le le;
	char *name;
	uint16_t type;
	uint64_t until_ms;
	struct tandem_answer *answer;
};

/* A question on its way; several may wait for it. */
struct lookup {
	struct le le;
	struct tandem_names *names;
	struct dnsc *dnsc;
	struct dns_query *query;
	struct tmr tmr;
	char *name;
	uint16_t type;
	struct list questions;
	struct tandem_answer *failed; /* made beforehand, for when memory is short */
};

struct tandem_question {
	struct le le;
	tandem_answer_h *h;
	void *arg;
};

/* ---- answers --------------------------------------------------------------- */

static void answer_destructor(void *arg)
{
	struct tandem_answer *answer = arg;
	size_t i;

	for (i = 0; i < answer->count; i++) {
		struct tandem_record *r = &answer->records[i];

		if (r->type == DNS_TYPE_SRV)
			mem_deref(r->srv.target);
		if (r->type != DNS_TYPE_NAPTR)
			continue;
		mem_deref(r->naptr.flags);
		mem_deref(r->naptr.services);
		mem_deref(r->naptr.regexp);
		mem_deref(r->naptr.replacement);
	}
}

static struct tandem_answer *answer_alloc(int err)
{
	struct tandem_answer *answer = mem_zalloc(sizeof(*answer), answer_destructor);

	if (answer)
		answer->err = err;

	return answer;
}

static bool take_record(struct dnsrr *rr, void *arg)
{
	struct tandem_answer *answer = arg;
	struct tandem_record *r = &answer->records[answer->count];

	if (answer->count == TANDEM_RECORDS_MAX)
		return true;
	r->type = rr->type;
	if (rr->type == DNS_TYPE_A) {
		sa_set_in(&r->addr, rr->rdata.a.addr, 0);
	} else if (rr->type == DNS_TYPE_AAAA) {
		sa_set_in6(&r->addr, rr->rdata.aaaa.addr, 0);
	} else if (rr->type == DNS_TYPE_SRV) {
		r->srv.priority = rr->rdata.srv.pri;
		r->srv.weight = rr->rdata.srv.weight;
		r->srv.port = rr->rdata.srv.port;
		r->srv.target = mem_ref(rr->rdata.srv.target);
	} else if (rr->type == DNS_TYPE_NAPTR) {
		r->naptr.order = rr->rdata.naptr.order;
		r->naptr.preference = rr->rdata.naptr.pref;
		r->naptr.flags = mem_ref(rr->rdata.naptr.flags);
		r->naptr.services = mem_ref(rr->rdata.naptr.services);
		r->naptr.regexp = mem_ref(rr->rdata.naptr.regexp);
		r->naptr.replacement = mem_ref(rr->rdata.naptr.replace);
	} else {
		return false;
	}
	answer->count++;

	return false;
}

struct tandem_answer *tandem_answer_read(struct list *list, const char *name, uint16_t type)
{
	struct tandem_answer *answer = answer_alloc(0);

	if (!answer)
		return NULL;
	/* follows aliases, but no further than a few */
	(void)dns_rrlist_apply(list, name, type, DNS_CLASS_IN, true, take_record, answer);
	if (!answer->count)
		answer->err = -ENOENT;

	return answer;
}

/* ---- the cache ------------------------------------------------------------- */

static uint32_t key(const char *name, uint16_t type)
{
	return hash_joaat_str_ci(name) + type;
}

static void entry_destructor(void *arg)
{
	struct entry *e = arg;

	hash_unlink(&e->he);
	list_unlink(&e->le);
	mem_deref(e->name);
	mem_deref(e->answer);
}

static void forget(struct tandem_names *n, struct entry *e)
{
	n->cached--;
	mem_deref(e);
}

static struct entry *find(const struct tandem_names *n, const char *name, uint16_t type)
{
	struct le *le;

	for (le = list_head(hash_list(n->cache, key(name, type))); le; le = le->next) {
		struct entry *e = le->data;

		if (e->type == type && !str_casecmp(e->name, name))
			return e;
	}

	return NULL;
}

static struct tandem_answer *cached(struct tandem_names *n, const char *name, uint16_t type)
{
	struct entry *e = find(n, name, type);

	if (!e)
		return NULL;
	if (e->until_ms <= tmr_jiffies()) {
		forget(n, e);
		return NULL;
	}
	list_unlink(&e->le);
	list_append(&n->oldest, &e->le, e);

	return mem_ref(e->answer);
}

static void keep(struct tandem_names *n, const char *name, uint16_t type,
		 struct tandem_answer *answer, uint32_t ttl_s)
{
	struct entry *e = find(n, name, type);

	if (e)
		forget(n, e);
	e = mem_zalloc(sizeof(*e), entry_destructor);
	if (!e || str_dup(&e->name, name)) {
		mem_deref(e);
		return;
	}
	if (n->cached >= CACHE_MAX)
		forget(n, list_ledata(list_head(&n->oldest)));
	e->type = type;
	e->until_ms = tmr_jiffies() + (uint64_t)ttl_s * 1000;
	e->answer = mem_ref(answer);
	hash_append(n->cache, key(name, type), &e->he, e);
	list_append(&n->oldest, &e->le, e);
	n->cached++;
}

/* ---- asking ---------------------------------------------------------------- */

static void question_destructor(void *arg)
{
	struct tandem_question *q = arg;

	list_unlink(&q->le);
}

static void lookup_destructor(void *arg)
{
	struct lookup *l = arg;

	tmr_cancel(&l->tmr);
	list_unlink(&l->le);
	/* those who ask own their questions */
	list_clear(&l->questions);
	mem_deref(l->query);
	mem_deref(l->dnsc);
	mem_deref(l->failed);
	mem_deref(l->name);
}

static void done_handler(void *arg)
{
	struct tandem_names *n = arg;

	list_flush(&n->done);
}

static void finish(struct lookup *l, struct tandem_answer *answer, uint32_t ttl_s)
{
	struct tandem_names *n = l->names;
	struct tandem_question *q;

	tmr_cancel(&l->tmr);
	list_unlink(&l->le);
	list_append(&n->done, &l->le, l);
	n->waiting--;
	tmr_start(&n->tmr_done, 0, done_handler, n);

	keep(n, l->name, l->type, answer, ttl_s);
	while ((q = list_ledata(list_head(&l->questions)))) {
		list_unlink(&q->le);
		q->h(answer, q->arg);
	}
}

static void fail(struct lookup *l, int err)
{
	l->failed->err = err;
	finish(l, l->failed, TTL_FAILED_S);
}

static bool shorter_ttl(struct dnsrr *rr, void *arg)
{
	int64_t *ttl = arg;

	if (rr->ttl < *ttl)
		*ttl = rr->ttl;

	return false;
}

/* RFC 2308 section 5: that there is nothing is known for as long as the zone says. */
static uint32_t ttl_of_nothing(struct list *authl)
{
	const struct dnsrr *soa = dns_rrlist_find(authl, NULL, DNS_TYPE_SOA, DNS_CLASS_IN, false);
	int64_t ttl;

	if (!soa)
		return TTL_NONE_S;
	ttl = MIN(soa->ttl, (int64_t)soa->rdata.soa.ttlmin);

	return (uint32_t)MAX(MIN(ttl, TTL_NONE_MAX_S), 1);
}

static void query_handler(int err, const struct dnshdr *hdr, struct list *ansl, struct list *authl,
			  struct list *addl, void *arg)
{
	struct lookup *l = arg;
	struct tandem_answer *answer;
	int64_t ttl = TTL_MAX_S;

	(void)addl;
	if (err || !hdr) {
		fail(l, err == ETIMEDOUT ? -ETIMEDOUT : -EIO);
		return;
	}
	if (hdr->rcode != DNS_RCODE_OK && hdr->rcode != DNS_RCODE_NAME_ERR) {
		fail(l, -EIO);
		return;
	}
	answer = tandem_answer_read(ansl, l->name, l->type);
	if (!answer) {
		fail(l, -ENOMEM);
		return;
	}
	(void)dns_rrlist_apply(ansl, NULL, DNS_QTYPE_ANY, DNS_CLASS_IN, false, shorter_ttl, &ttl);
	finish(l, answer, answer->err ? ttl_of_nothing(authl) : (uint32_t)MAX(ttl, 1));
	mem_deref(answer);
}

static void timeout_handler(void *arg)
{
	struct lookup *l = arg;

	l->query = mem_deref(l->query);
	fail(l, -ETIMEDOUT);
}

static int start(struct tandem_names *n, struct lookup **lp, const char *name, uint16_t type)
{
	static const struct dnsc_conf conf = {
		.query_hash_size = 1, .tcp_hash_size = 1, .conn_timeout = 3000, .idle_timeout = 3000
	};
	struct lookup *l = mem_zalloc(sizeof(*l), lookup_destructor);
	int err;

	if (!l)
		return -ENOMEM;
	tmr_init(&l->tmr);
	l->names = n;
	l->type = type;
	l->failed = answer_alloc(-EIO);
	err = l->failed ? str_dup(&l->name, name) : ENOMEM;
	if (!err)
		err = dnsc_alloc(&l->dnsc, &conf, n->servers, n->servers_count);
	if (!err)
		err = dnsc_query(&l->query, l->dnsc, l->name, type, DNS_CLASS_IN, true,
				 query_handler, l);
	if (err) {
		mem_deref(l);
		return -err;
	}
	list_append(&n->lookups, &l->le, l);
	n->waiting++;
	tmr_start(&l->tmr, ASK_MS, timeout_handler, l);
	*lp = l;

	return 0;
}

static struct lookup *under_way(const struct tandem_names *n, const char *name, uint16_t type)
{
	struct le *le;

	for (le = list_head(&n->lookups); le; le = le->next) {
		struct lookup *l = le->data;

		if (l->type == type && !str_casecmp(l->name, name))
			return l;
	}

	return NULL;
}

/* A name of the length that the DNS has room for, of labels of at most 63 octets. */
static bool is_name(const char *name)
{
	size_t len = strlen(name), label = 0, i;

	if (!len || len > NAME_MAX_BYTES)
		return false;
	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c <= ' ' || c == 0x7f || c == '\\')
			return false;
		label = c == '.' ? 0 : label + 1;
		if (label > 63 || (c == '.' && (!i || name[i - 1] == '.')))
			return false;
	}

	return true;
}

int tandem_names_ask(struct tandem_names *n, struct tandem_question **qp,
		     struct tandem_answer **answerp, const char *name, uint16_t type,
		     tandem_answer_h *h, void *arg)
{
	struct tandem_question *q;
	struct lookup *l;
	int err;

	if (!is_name(name))
		return -EMSGSIZE;
	*answerp = cached(n, name, type);
	if (*answerp)
		return 0;

	l = under_way(n, name, type);
	if (!l && n->waiting >= WAITING_MAX)
		return -EAGAIN;
	q = mem_zalloc(sizeof(*q), question_destructor);
	if (!q)
		return -ENOMEM;
	q->h = h;
	q->arg = arg;
	if (!l) {
		err = start(n, &l, name, type);
		if (err) {
			mem_deref(q);
			return err;
		}
	}
	list_append(&l->questions, &q->le, q);
	*qp = q;

	return -EINPROGRESS;
}

/* ---- life ------------------------------------------------------------------ */

int tandem_names_alloc(struct tandem_names **np, const struct sa *servers, uint32_t count)
{
	struct tandem_names *n;
	int err = 0;

	if (!count)
		return -EINVAL;
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	tmr_init(&n->tmr_done);
	n->servers = calloc(count, sizeof(*servers));
	if (!n->servers)
		err = -ENOMEM;
	if (!err)
		err = -hash_alloc(&n->cache, HASH_SIZE);
	if (err) {
		tandem_names_free(n);
		return err;
	}
	memcpy(n->servers, servers, count * sizeof(*servers));
	n->servers_count = count;
	*np = n;

	return 0;
}

void tandem_names_free(struct tandem_names *n)
{
	struct lookup *l;

	if (!n)
		return;

	tmr_cancel(&n->tmr_done);
	list_flush(&n->done);
	while ((l = list_ledata(list_head(&n->lookups))))
		mem_deref(l);
	while (list_head(&n->oldest))
		forget(n, list_ledata(list_head(&n->oldest)));
	mem_deref(n->cache);
	free(n->servers);
	free(n);
}

size_t tandem_names_cached(const struct tandem_names *n)
{
	return n->cached;
}

size_t tandem_names_waiting(const struct tandem_names *n)
{
	return n->waiting;
}
