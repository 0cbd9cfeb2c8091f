/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/search.h"

#include <errno.h>
#include <string.h>

#include "userspace/sip/facts.h"
#include "userspace/sip/gateway.h"
#include "userspace/sip/locate.h"
#include "userspace/sip/naptr.h"
#include "userspace/sip/routing.h"
#include "userspace/util/log.h"

#define DOMAIN_SIZE    256
#define REFERRALS_MAX  3 /* non-terminal NAPTR records in a row */
#define ENUM_PLACES    4 /* that one number may have */
#define SEARCH_WAIT_MS 12000

struct tandem_search {
	struct tandem_search **searchp;
	struct tandem_sip *ts;
	struct tandem_target *target;
	struct tandem_facts *facts;
	uint64_t seed;
	struct tmr tmr;
	tandem_search_h *h;
	void *arg;
};

static void destructor(void *arg)
{
	struct tandem_search *s = arg;

	if (s->searchp)
		*s->searchp = NULL;
	tmr_cancel(&s->tmr);
	mem_deref(s->facts);
}

/* ---- numbers ------------------------------------------------------------------ */

static unsigned int next_rank(const struct tandem_target *t)
{
	return t->places_count ? t->places[t->places_count - 1].rank + 1 : 0;
}

/* Adds a place for what ENUM said. It may be a user here. */
static int add_uri(struct tandem_search *s, struct tandem_target *found, const char *text)
{
	unsigned int rank = next_rank(found);
	struct tandem_place *place;
	struct uri uri;
	struct pl pl;
	int err;

	pl_set_str(&pl, text);
	if (uri_decode(&uri, &pl) || pl_isset(&uri.headers))
		return -EBADMSG;
	if (tandem_sip_is_local(s->ts, &uri))
		return tandem_target_bindings(found, s->ts, &uri, rank);
	place = tandem_target_add(found, rank);
	if (!place)
		return -ENOMEM;
	place->quiet_ms = TANDEM_QUIET_MS;
	err = str_dup(&place->ruri, text);
	err |= str_dup(&place->routes, "");

	return err ? -ENOMEM : tandem_place_hop(place, &pl, NULL);
}

static void take_naptr(struct tandem_search *s, struct tandem_target *found,
		       const struct tandem_answer *answer, char *domain)
{
	size_t order[TANDEM_RECORDS_MAX], i, before;
	char uri[TANDEM_ENUM_URI_SIZE];
	int err;

	tandem_naptr_sort(answer, order);
	domain[0] = '\0';
	for (i = 0; i < answer->count && found->places_count < ENUM_PLACES; i++) {
		const struct tandem_record *r = &answer->records[order[i]];

		if (!str_casecmp(r->naptr.flags, "u") && tandem_enum_is_sip(r->naptr.services)) {
			err = tandem_enum_rewrite(uri, r->naptr.regexp, s->target->number);
			before = found->places_count;
			if (!err)
				err = add_uri(s, found, uri);
			/* nor is there half a place, for want of memory */
			while (err && found->places_count > before)
				tandem_target_drop(found, found->places_count - 1);
			for (; before && before < found->places_count; before++)
				found->places[before].stand_in = true;
			if (err)
				tandem_log(TANDEM_LOG_DEBUG, "sip", "ENUM of %s: %s",
					   s->target->number, strerror(-err));
		} else if (!*r->naptr.flags && !domain[0] && !found->places_count &&
			   strlen(r->naptr.replacement) < DOMAIN_SIZE) {
			strcpy(domain, r->naptr.replacement);
		}
	}
}

/* The places of the number, into found. -EINPROGRESS while that is not known. */
static int find_number(struct tandem_search *s, struct tandem_target *found)
{
	const char *suffix = s->ts->routing ? s->ts->routing->enum_suffix : "";
	const struct tandem_answer *answer;
	char domain[DOMAIN_SIZE];
	unsigned int i;

	if (tandem_enum_domain(domain, sizeof(domain), s->target->number, suffix))
		return 0;
	for (i = 0; i <= REFERRALS_MAX && domain[0]; i++) {
		answer = tandem_facts_get(s->facts, domain, DNS_TYPE_NAPTR);
		if (!answer)
			return -EINPROGRESS;
		domain[0] = '\0';
		if (!answer->err)
			take_naptr(s, found, answer, domain);
		if (found->places_count)
			break;
	}

	return 0;
}

/* What is found goes first, in its order; the others are for when it fails. */
static int merge(struct tandem_target *t, struct tandem_target *found)
{
	unsigned int span = next_rank(found);
	size_t i;

	for (i = 0; i < t->places_count; i++) {
		t->places[i].rank += span;
		t->places[i].stand_in |= found->places_count > 0;
	}
	for (i = 0; i < found->places_count; i++) {
		struct tandem_place *place = tandem_target_add(t, found->places[i].rank);

		if (!place)
			return -ENOMEM;
		*place = found->places[i];
		/* it is t's now */
		memset(&found->places[i], 0, sizeof(found->places[i]));
	}

	return 0;
}

static int resolve_number(struct tandem_search *s)
{
	struct tandem_target found = { 0 };
	int err;

	if (!s->target->number)
		return 0;
	err = find_number(s, &found);
	if (!err)
		err = merge(s->target, &found);
	if (!err)
		s->target->number = mem_deref(s->target->number);
	tandem_target_clean(&found);

	return err;
}

/* ---- names --------------------------------------------------------------------- */

static bool is_literal(const char *text)
{
	struct uri uri;
	struct pl pl, maddr;
	struct sa sa;

	pl_set_str(&pl, text);

	return !uri_decode(&uri, &pl) && msg_param_decode(&uri.params, "maddr", &maddr) &&
	       !sa_set(&sa, &uri.host, 0);
}

static bool is_complete(const struct tandem_target *t)
{
	size_t i, k;

	if (t->number)
		return false;
	for (i = 0; i < t->places_count; i++) {
		for (k = 0; k < t->places[i].hops_count; k++) {
			if (!is_literal(t->places[i].hops[k].uri))
				return false;
		}
	}

	return true;
}

static int find_hop(struct tandem_search *s, const struct tandem_hop *hop,
		    struct tandem_dest dests[TANDEM_DESTS_MAX], size_t *count)
{
	struct pl pl;

	pl_set_str(&pl, hop->uri);

	return tandem_locate(s->facts, s->ts, &pl, s->seed, dests, count);
}

/* All names are asked for before one is waited for. */
static int ask_all(struct tandem_search *s)
{
	struct tandem_dest dests[TANDEM_DESTS_MAX];
	bool pending = false;
	size_t i, k, count;

	for (i = 0; i < s->target->places_count; i++) {
		const struct tandem_place *place = &s->target->places[i];

		for (k = 0; k < place->hops_count; k++) {
			if (!is_literal(place->hops[k].uri) &&
			    find_hop(s, &place->hops[k], dests, &count) == -EINPROGRESS)
				pending = true;
		}
	}

	return pending ? -EINPROGRESS : 0;
}

/* What the certificate of a host has to be for, whatever maddr and name servers make of it. */
static const struct pl *domain_of(struct uri *uri, const struct pl *text)
{
	struct sa sa;

	return uri_decode(uri, text) || !sa_set(&sa, &uri->host, 0) ? NULL : &uri->host;
}

/* The hops of place with addresses for names. What came of the last name that has none. */
static int settle_place(struct tandem_search *s, struct tandem_place *place)
{
	struct tandem_place old = *place;
	struct tandem_dest dests[TANDEM_DESTS_MAX];
	size_t i, k, count;
	int err = 0, ret = 0;

	place->hops_count = 0;
	memset(place->hops, 0, sizeof(place->hops));
	for (i = 0; i < old.hops_count; i++) {
		const struct tandem_hop *hop = &old.hops[i];
		size_t from = place->hops_count;
		const struct pl *domain;
		struct uri uri;
		struct pl pl;

		pl_set_str(&pl, hop->uri);
		if (is_literal(hop->uri)) {
			ret = tandem_place_hop(place, &pl, &hop->local);
			tandem_place_liken(place, from, hop);
			continue;
		}
		domain = domain_of(&uri, &pl);
		err = find_hop(s, hop, dests, &count);
		for (k = 0; !err && !ret && k < count; k++)
			ret = tandem_place_address(place, dests[k].tp, &dests[k].addr, &hop->local,
						   domain);
		tandem_place_liken(place, from, hop);
	}
	tandem_place_clean(&old);

	return ret ? ret : err;
}

static int code_of(int err)
{
	switch (err) {
	case -EACCES:
		return 403;
	case -ENOENT:
	case -EINVAL:
	case 0:
		return 404;
	case -EPROTONOSUPPORT:
		return 480;
	default:
		return 500;
	}
}

/* Names by their addresses; 0 or a SIP status code. */
static int settle(struct tandem_search *s)
{
	struct tandem_target *t = s->target;
	int err, last = 0;
	size_t i = 0;

	while (i < t->places_count) {
		err = settle_place(s, &t->places[i]);
		if (t->places[i].hops_count) {
			i++;
			continue;
		}
		last = err;
		tandem_log(TANDEM_LOG_INFO, "sip", "%s: no address: %s", t->places[i].ruri,
			   strerror(-err));
		tandem_gateway_outcome(s->ts, t->places[i].gateway, 0);
		tandem_target_drop(t, i);
	}

	return t->places_count ? 0 : code_of(last);
}

static int run(struct tandem_search *s)
{
	int err = resolve_number(s);

	if (!err)
		err = ask_all(s);
	if (err)
		return err == -EINPROGRESS ? err : 500;

	return settle(s);
}

static void finish(struct tandem_search *s, int code)
{
	tandem_search_h *h = s->h;
	void *arg = s->arg;

	mem_deref(s);
	h(code, arg);
}

static void facts_handler(void *arg)
{
	struct tandem_search *s = arg;
	int code = run(s);

	if (code != -EINPROGRESS)
		finish(s, code);
}

static void timeout_handler(void *arg)
{
	finish(arg, 500);
}

int tandem_search_start(struct tandem_search **searchp, struct tandem_sip *ts,
			struct tandem_target *target, tandem_search_h *h, void *arg)
{
	struct tandem_search *s;
	int code;

	if (is_complete(target))
		return target->places_count ? 0 : 404;

	s = mem_zalloc(sizeof(*s), destructor);
	if (!s)
		return 500;
	tmr_init(&s->tmr);
	s->ts = ts;
	s->target = target;
	s->seed = rand_u64();
	s->h = h;
	s->arg = arg;
	s->facts = tandem_facts_alloc(ts->names, facts_handler, s);
	code = s->facts ? run(s) : 500;
	if (code != -EINPROGRESS) {
		mem_deref(s);
		return code;
	}
	s->searchp = searchp;
	*searchp = s;
	tmr_start(&s->tmr, SEARCH_WAIT_MS, timeout_handler, s);

	return -EINPROGRESS;
}
