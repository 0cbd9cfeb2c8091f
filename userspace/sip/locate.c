/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/locate.h"

#include <errno.h>
#include <string.h>

#include "userspace/sip/naptr.h"
#include "userspace/sip/weigh.h"

#define NAME_SIZE   256
#define TARGETS_MAX 8 /* SRV records that are looked at */

/* One pass over what is known so far. */
struct pass {
	struct tandem_facts *facts;
	const struct tandem_sip *ts;
	uint64_t seed;
	char host[NAME_SIZE];
	uint16_t port;	    /* 0: not in the URI */
	enum sip_transp tp; /* SIP_TRANSP_NONE: not in the URI */
	bool secure;
	struct tandem_dest *dests;
	size_t count;
	bool pending; /* something is being asked for */
	bool failed;  /* somebody should have known and did not answer */
	bool denied;  /* there was an address that we must not talk to */
};

static bool have_transport(const struct tandem_sip *ts, enum sip_transp tp, int af)
{
	size_t i;

	for (i = 0; i < ts->listeners_count; i++) {
		if (ts->listeners[i].tp == tp &&
		    (af == AF_UNSPEC || sa_af(&ts->listeners[i].addr) == af))
			return true;
	}

	return false;
}

/* From some address of ours it has to be allowed. */
static bool may_send(const struct tandem_sip *ts, const struct sa *dst)
{
	size_t i;

	for (i = 0; i < ts->listeners_count; i++) {
		if (sa_af(&ts->listeners[i].addr) == sa_af(dst) &&
		    tandem_sip_may_send(&ts->listeners[i].addr, dst))
			return true;
	}

	return false;
}

static void add(struct pass *p, enum sip_transp tp, const struct sa *addr, uint16_t port)
{
	struct tandem_dest *dest = &p->dests[p->count];

	if (p->count == TANDEM_DESTS_MAX || !have_transport(p->ts, tp, sa_af(addr)))
		return;
	if (!may_send(p->ts, addr)) {
		p->denied = true;
		return;
	}
	dest->tp = tp;
	dest->addr = *addr;
	sa_set_port(&dest->addr, port);
	p->count++;
}

/* NULL when there is none, or not yet. */
static const struct tandem_answer *ask(struct pass *p, const char *name, uint16_t type)
{
	const struct tandem_answer *answer = tandem_facts_get(p->facts, name, type);

	if (!answer)
		p->pending = true;
	else if (answer->err && answer->err != -ENOENT)
		p->failed = true;

	return answer && !answer->err ? answer : NULL;
}

/* Addresses of a host. Both kinds are asked for at once; IPv6 is tried first (RFC 6724). */
static void take_addresses(struct pass *p, const char *name, enum sip_transp tp, uint16_t port)
{
	static const struct {
		uint16_t type;
		int af;
	} kinds[] = { { DNS_TYPE_AAAA, AF_INET6 }, { DNS_TYPE_A, AF_INET } };
	const struct tandem_answer *answer;
	size_t i, k;

	for (k = 0; k < ARRAY_SIZE(kinds); k++) {
		if (!have_transport(p->ts, tp, kinds[k].af))
			continue;
		answer = ask(p, name, kinds[k].type);
		for (i = 0; answer && i < answer->count; i++)
			add(p, tp, &answer->records[i].addr, port);
	}
}

static bool is_root(const char *name)
{
	return !*name || !strcmp(name, ".");
}

/* False when there are no SRV records of that name; true also while that is not known. */
static bool take_services(struct pass *p, const char *name, enum sip_transp tp)
{
	const struct tandem_answer *answer = tandem_facts_get(p->facts, name, DNS_TYPE_SRV);
	struct tandem_weighed items[TANDEM_RECORDS_MAX];
	uint64_t seed = p->seed;
	size_t i;

	if (!answer) {
		p->pending = true;
		return true;
	}
	if (answer->err) {
		p->failed |= answer->err != -ENOENT;
		return false;
	}

	for (i = 0; i < answer->count; i++) {
		items[i].priority = answer->records[i].srv.priority;
		items[i].weight = answer->records[i].srv.weight;
		items[i].index = i;
	}
	tandem_weigh(items, answer->count, &seed);
	for (i = 0; i < answer->count && i < TARGETS_MAX; i++) {
		const struct tandem_record *r = &answer->records[items[i].index];

		/* RFC 2782: "." says that there is decidedly no such service */
		if (!is_root(r->srv.target))
			take_addresses(p, r->srv.target, tp, r->srv.port);
	}

	return true;
}

/* SRV of the host itself for one transport. */
static bool take_own_services(struct pass *p, enum sip_transp tp)
{
	static const char *const prefixes[] = {
		[SIP_TRANSP_UDP] = "_sip._udp",
		[SIP_TRANSP_TCP] = "_sip._tcp",
		[SIP_TRANSP_TLS] = "_sips._tcp",
	};
	char name[NAME_SIZE + 16];

	if (tp < SIP_TRANSP_UDP || tp > SIP_TRANSP_TLS)
		return false;
	(void)re_snprintf(name, sizeof(name), "%s.%s", prefixes[tp], p->host);

	return take_services(p, name, tp);
}

static enum sip_transp naptr_transport(const char *services)
{
	if (!str_casecmp(services, "SIP+D2U"))
		return SIP_TRANSP_UDP;
	if (!str_casecmp(services, "SIP+D2T"))
		return SIP_TRANSP_TCP;
	if (!str_casecmp(services, "SIPS+D2T"))
		return SIP_TRANSP_TLS;

	return SIP_TRANSP_NONE;
}

static bool usable(const struct pass *p, enum sip_transp tp)
{
	return tp != SIP_TRANSP_NONE && (!p->secure || tp == SIP_TRANSP_TLS) &&
	       have_transport(p->ts, tp, AF_UNSPEC);
}

/* The host says by which transports it wants to be reached (section 4.1). */
static bool take_pointers(struct pass *p)
{
	const struct tandem_answer *answer = ask(p, p->host, DNS_TYPE_NAPTR);
	size_t order[TANDEM_RECORDS_MAX], i;
	bool found = false;

	if (!answer)
		return p->pending;

	tandem_naptr_sort(answer, order);
	for (i = 0; i < answer->count; i++) {
		const struct tandem_record *r = &answer->records[order[i]];
		enum sip_transp tp = naptr_transport(r->naptr.services);

		if (!str_casecmp(r->naptr.flags, "s") && !is_root(r->naptr.replacement) &&
		    usable(p, tp))
			found |= take_services(p, r->naptr.replacement, tp);
	}

	return found;
}

/* No transport and no port are given: NAPTR, else SRV of what we have, else addresses. */
static void search_all(struct pass *p)
{
	static const enum sip_transp order[] = { SIP_TRANSP_UDP, SIP_TRANSP_TCP, SIP_TRANSP_TLS };
	bool found = false;
	size_t i;

	if (take_pointers(p))
		return;
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		if (usable(p, order[i]))
			found |= take_own_services(p, order[i]);
	}
	if (!found)
		take_addresses(p, p->host, p->tp, sip_transp_port(p->tp, 0));
}

static enum sip_transp transport_of(const struct pl *word)
{
	static const enum sip_transp known[] = { SIP_TRANSP_UDP, SIP_TRANSP_TCP, SIP_TRANSP_TLS,
						 SIP_TRANSP_WS, SIP_TRANSP_WSS };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (!pl_strcasecmp(word, sip_transp_name(known[i])))
			return known[i];
	}

	return SIP_TRANSP_NONE;
}

static int read_uri(struct pass *p, const struct pl *text, struct sa *literal)
{
	struct uri uri;
	struct pl host, transport;

	if (uri_decode(&uri, text))
		return -EINVAL;
	p->secure = !pl_strcasecmp(&uri.scheme, "sips");
	if (!p->secure && pl_strcasecmp(&uri.scheme, "sip"))
		return -EINVAL;
	if (msg_param_decode(&uri.params, "maddr", &host))
		host = uri.host;
	if (tandem_sip_copy(p->host, sizeof(p->host), &host))
		return -EINVAL;
	p->port = uri.port;
	p->tp = SIP_TRANSP_NONE;
	if (!msg_param_decode(&uri.params, "transport", &transport)) {
		p->tp = transport_of(&transport);
		if (p->tp == SIP_TRANSP_NONE || !have_transport(p->ts, p->tp, AF_UNSPEC))
			return -EPROTONOSUPPORT;
		if (p->secure && p->tp == SIP_TRANSP_TCP)
			p->tp = SIP_TRANSP_TLS;
	}
	if (sa_set(literal, &host, 0))
		sa_init(literal, AF_UNSPEC);

	return 0;
}

static int outcome(const struct pass *p)
{
	if (p->pending)
		return -EINPROGRESS;
	if (p->count)
		return 0;
	if (p->denied)
		return -EACCES;

	return p->failed ? -EIO : -ENOENT;
}

int tandem_locate(struct tandem_facts *facts, const struct tandem_sip *ts, const struct pl *uri,
		  uint64_t seed, struct tandem_dest dests[TANDEM_DESTS_MAX], size_t *count)
{
	struct pass p = { .facts = facts, .ts = ts, .seed = seed, .dests = dests };
	bool any = false;
	struct sa literal;
	int err;

	*count = 0;
	err = read_uri(&p, uri, &literal);
	if (err)
		return err;
	if (p.tp == SIP_TRANSP_NONE) {
		any = true;
		p.tp = p.secure ? SIP_TRANSP_TLS : SIP_TRANSP_UDP;
		if (!p.secure && !have_transport(ts, p.tp, AF_UNSPEC))
			p.tp = SIP_TRANSP_TCP;
	}
	if (!have_transport(ts, p.tp, AF_UNSPEC))
		return -EPROTONOSUPPORT;

	if (sa_isset(&literal, SA_ADDR))
		add(&p, p.tp, &literal, sip_transp_port(p.tp, p.port));
	else if (p.port)
		take_addresses(&p, p.host, p.tp, p.port);
	else if (any)
		search_all(&p);
	else if (!take_own_services(&p, p.tp))
		take_addresses(&p, p.host, p.tp, sip_transp_port(p.tp, 0));
	*count = p.count;
	err = outcome(&p);

	return err == -ENOENT && sa_isset(&literal, SA_ADDR) ? -EPROTONOSUPPORT : err;
}
