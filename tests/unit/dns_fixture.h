/* SPDX-License-Identifier: GPL-2.0-only */
/* A name server in the loop of the test, with a zone that the test can change. */
#ifndef TANDEM_TESTS_DNS_FIXTURE_H
#define TANDEM_TESTS_DNS_FIXTURE_H

#include "tests/unit/sip_fixture.h"

/* after the types that it needs */
#include <re_udp.h>

#define ZONE_SERVER "127.0.0.1:5353"

/* n: numbers of the record; s: its texts. A: s[0] the address. */
struct zone_record {
	const char *name;
	uint16_t type;
	uint16_t n[3];
	const char *s[4];
};

struct zone {
	struct udp_sock *us;
	const struct zone_record *records;
	size_t count;
	unsigned int asked;   /* queries so far */
	unsigned int refused; /* answer with SERVFAIL so many times */
	uint32_t ttl;
	bool silent;
};

#define ZONE_A(name, ip)                                                                           \
	{                                                                                          \
		name, DNS_TYPE_A, { 0 },                                                           \
		{                                                                                  \
			ip                                                                         \
		}                                                                                  \
	}
#define ZONE_AAAA(name, ip)                                                                        \
	{                                                                                          \
		name, DNS_TYPE_AAAA, { 0 },                                                        \
		{                                                                                  \
			ip                                                                         \
		}                                                                                  \
	}
#define ZONE_CNAME(name, target)                                                                   \
	{                                                                                          \
		name, DNS_TYPE_CNAME, { 0 },                                                       \
		{                                                                                  \
			target                                                                     \
		}                                                                                  \
	}
#define ZONE_SRV(name, prio, weight, port, target)                                                 \
	{                                                                                          \
		name, DNS_TYPE_SRV, { prio, weight, port },                                        \
		{                                                                                  \
			target                                                                     \
		}                                                                                  \
	}
#define ZONE_NAPTR(name, order, pref, flags, services, regexp, replace)                            \
	{                                                                                          \
		name, DNS_TYPE_NAPTR, { order, pref },                                             \
		{                                                                                  \
			flags, services, regexp, replace                                           \
		}                                                                                  \
	}

static inline int zone_write(struct mbuf *mb, const struct zone_record *z, uint32_t ttl)
{
	struct dnsrr *rr = dns_rr_alloc();
	struct sa sa;
	int err;

	str_dup(&rr->name, z->name);
	rr->type = z->type;
	rr->dnsclass = DNS_CLASS_IN;
	rr->ttl = ttl;
	switch (z->type) {
	case DNS_TYPE_A:
		sa_set_str(&sa, z->s[0], 0);
		rr->rdata.a.addr = sa_in(&sa);
		break;
	case DNS_TYPE_AAAA:
		sa_set_str(&sa, z->s[0], 0);
		sa_in6(&sa, rr->rdata.aaaa.addr);
		break;
	case DNS_TYPE_CNAME:
		str_dup(&rr->rdata.cname.cname, z->s[0]);
		break;
	case DNS_TYPE_SRV:
		rr->rdata.srv.pri = z->n[0];
		rr->rdata.srv.weight = z->n[1];
		rr->rdata.srv.port = z->n[2];
		str_dup(&rr->rdata.srv.target, z->s[0]);
		break;
	case DNS_TYPE_NAPTR:
		rr->rdata.naptr.order = z->n[0];
		rr->rdata.naptr.pref = z->n[1];
		str_dup(&rr->rdata.naptr.flags, z->s[0]);
		str_dup(&rr->rdata.naptr.services, z->s[1]);
		str_dup(&rr->rdata.naptr.regexp, z->s[2]);
		str_dup(&rr->rdata.naptr.replace, z->s[3]);
		break;
	default:
		fail_msg("type %u", z->type);
	}
	err = dns_rr_encode(mb, rr, 0, NULL, 0);
	mem_deref(rr);
	return err;
}

/* An alias comes with what it leads to, as from a resolver. */
static inline uint16_t zone_write_all(struct zone *z, struct mbuf *mb, const char *name,
				      uint16_t type)
{
	uint16_t n = 0;
	size_t i;

	for (i = 0; i < z->count; i++) {
		const struct zone_record *r = &z->records[i];

		if (strcasecmp(r->name, name) || (r->type != type && r->type != DNS_TYPE_CNAME))
			continue;
		assert_int_equal(zone_write(mb, r, z->ttl), 0);
		n++;
		if (r->type == DNS_TYPE_CNAME)
			n += zone_write_all(z, mb, r->s[0], type);
	}
	return n;
}

static inline void zone_query(const struct sa *src, struct mbuf *mb, void *arg)
{
	struct zone *z = arg;
	struct mbuf *out = mbuf_alloc(512);
	struct dnshdr hdr;
	uint16_t type;
	char *name = NULL;

	z->asked++;
	assert_int_equal(dns_hdr_decode(mb, &hdr), 0);
	assert_int_equal(dns_dname_decode(mb, &name, 0), 0);
	type = ntohs(mbuf_read_u16(mb));
	if (!z->silent) {
		out->pos = DNS_HEADER_SIZE;
		dns_dname_encode(out, name, NULL, 0, false);
		mbuf_write_u16(out, htons(type));
		mbuf_write_u16(out, htons(DNS_CLASS_IN));
		hdr.qr = true;
		if (z->refused) {
			z->refused--;
			hdr.rcode = DNS_RCODE_SRV_FAIL;
		} else {
			hdr.nans = zone_write_all(z, out, name, type);
			hdr.rcode = hdr.nans ? DNS_RCODE_OK : DNS_RCODE_NAME_ERR;
		}
		out->pos = 0;
		dns_hdr_encode(out, &hdr);
		out->pos = 0;
		udp_send(z->us, src, out);
	}
	mem_deref(name);
	mem_deref(out);
}

static inline void zone_open(struct zone *z, const struct zone_record *records, size_t count)
{
	struct sa sa;

	memset(z, 0, sizeof(*z));
	z->records = records;
	z->count = count;
	z->ttl = 60;
	assert_int_equal(sa_decode(&sa, ZONE_SERVER, strlen(ZONE_SERVER)), 0);
	assert_int_equal(udp_listen(&z->us, &sa, zone_query, z), 0);
}

static inline void zone_close(struct zone *z)
{
	z->us = mem_deref(z->us);
}

#endif
