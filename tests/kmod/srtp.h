/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets that are protected go to the other end, come back, and are opened, by whichever datapath
 * ops is; for programs that run in the guest, see client.h. That the ciphers are right is the
 * module's self-test. What is seen of the streams is what the packet path wrote: they are mapped.
 */
#ifndef TANDEM_TESTS_KMOD_SRTP_H
#define TANDEM_TESTS_KMOD_SRTP_H

#include "core/srtp_suite.h"
#include "tests/kmod/client.h"
#include "userspace/datapath/srtp_sets.h"

#define RTP_SIZE 172
#define SSRC	 0x22
#define SETS	 8

enum { OUT = 1, BACK };

struct world {
	struct tandem_datapath *dp;
	struct tandem_datapath_config cfg;
	int a, b;	    /* the ends' sockets, IPv4 */
	int a6, b6;	    /* IPv6 */
	uint64_t next_id;   /* of a set */
	uint64_t counts[3]; /* of reasons so far */
};

static const enum reason watched[3] = { REASON_srtp_auth, REASON_srtp_replay,
					REASON_forwarded_rtp };

static const char *const suites[SRTP_SUITES] = {
	[SRTP_NULL_HMAC_SHA1_80] = "no cipher",
	[SRTP_AES_CM_128_HMAC_SHA1_80] = "AES-CM 128, long tag",
	[SRTP_AES_CM_128_HMAC_SHA1_32] = "AES-CM 128, short tag",
	[SRTP_AES_256_CM_HMAC_SHA1_80] = "AES-CM 256, long tag",
	[SRTP_AES_256_CM_HMAC_SHA1_32] = "AES-CM 256, short tag",
	[SRTP_AEAD_AES_128_GCM] = "GCM 128",
	[SRTP_AEAD_AES_256_GCM] = "GCM 256",
};

static inline void rtp(unsigned char *p, uint16_t seq)
{
	memset(p, 0, RTP_SIZE);
	p[0] = 0x80;
	p[2] = (unsigned char)(seq >> 8);
	p[3] = (unsigned char)seq;
	p[11] = SSRC;
	for (int i = 12; i < RTP_SIZE; i++)
		p[i] = (unsigned char)(i * 3);
}

/* How often a watched reason was counted since the last time. */
static inline uint64_t counted(struct world *w, enum reason reason)
{
	struct reason_counters c;
	uint64_t n = 0;

	ops->counters(w->dp, &c);
	for (int i = 0; i < 3; i++) {
		if (watched[i] != reason)
			continue;
		n = c.packets[reason] - w->counts[i];
		w->counts[i] = c.packets[reason];
	}
	return n;
}

static inline struct tandem_srtp key_set(struct world *w, uint8_t suite, uint8_t seed)
{
	struct tandem_srtp set = { .id = ++w->next_id, .suite = suite, .streams = 1 };

	for (size_t i = 0; i < sizeof(set.key); i++)
		set.key[i] = (uint8_t)(seed + i * 5);
	for (size_t i = 0; i < sizeof(set.salt); i++)
		set.salt[i] = (uint8_t)(seed + i * 11);
	return set;
}

/* a to b protected with out; b to a, what is protected with in, or until now with in_old. */
static inline bool set_flows(struct world *w, const struct tandem_srtp *out,
			     const struct tandem_srtp *in, const struct tandem_srtp *in_old)
{
	struct tandem_flow_spec there = flow_spec(OUT, at("10.1.0.2", 4000), at("10.1.0.1", 20000),
						  at("10.2.0.1", 20002), at("10.2.0.2", 5000));
	struct tandem_flow_spec back = flow_spec(BACK, at("10.2.0.2", 5000), at("10.2.0.1", 20002),
						 at("10.1.0.1", 20000), at("10.1.0.2", 4000));

	there.srtp_out = out;
	back.srtp_in = in;
	back.srtp_in_old = in_old;
	return !change(w->dp, TANDEM_FLOW_SET, &there) && !change(w->dp, TANDEM_FLOW_SET, &back);
}

static inline void remove_flows(struct world *w)
{
	struct tandem_flow_spec spec = { .id = OUT };

	change(w->dp, TANDEM_FLOW_REMOVE, &spec);
	spec.id = BACK;
	change(w->dp, TANDEM_FLOW_REMOVE, &spec);
}

/* What the module makes of a packet of a's; r is what b gets. */
static inline bool protect(struct world *w, const unsigned char *in, size_t len, struct received *r)
{
	send_to(w->a, "10.1.0.1", 20000, in, len);
	receive(w->b, RECEIVE_MS, r);
	return r->len > (ssize_t)len && memcmp(r->data, in, len) != 0;
}

static inline bool comes_back(struct world *w, const struct received *sealed,
			      const unsigned char *clear, size_t len)
{
	struct received r;

	send_to(w->b, "10.2.0.1", 20002, sealed->data, (size_t)sealed->len);
	receive(w->a, RECEIVE_MS, &r);
	return came_as(&r, clear, len, "10.1.0.1", 20000);
}

static inline void test_suite(struct world *w, uint8_t suite)
{
	const struct tandem_srtp out = key_set(w, suite, suite), in = key_set(w, suite, suite);
	const unsigned char sr[28] = { 0x80, 200, 0, 6, 0, 0, 0, SSRC };
	unsigned char clear[RTP_SIZE];
	struct received sealed, r;
	bool ciphered;

	printf("# %s\n", suites[suite]);
	ok(set_flows(w, &out, &in, NULL), "flows with keys are installed");
	rtp(clear, 7);
	ciphered = protect(w, clear, sizeof(clear), &sealed);
	ok(ciphered == (suite != SRTP_NULL_HMAC_SHA1_80) &&
		   sealed.len == RTP_SIZE + (ssize_t)srtp_tag_len(suite, SRTP_RTP),
	   "RTP leaves protected");
	sealed.data[40] ^= 1;
	send_to(w->b, "10.2.0.1", 20002, sealed.data, (size_t)sealed.len);
	ok(nothing(w->a) && counted(w, REASON_srtp_auth) == 1, "what was changed on its way ends");
	sealed.data[40] ^= 1;
	ok(comes_back(w, &sealed, clear, sizeof(clear)), "it is opened to the byte");
	send_to(w->b, "10.2.0.1", 20002, sealed.data, (size_t)sealed.len);
	ok(nothing(w->a) && counted(w, REASON_srtp_replay) == 1, "and not a second time");

	protect(w, sr, sizeof(sr), &sealed);
	ok(sealed.len == (ssize_t)sizeof(sr) + 4 + (ssize_t)srtp_tag_len(suite, SRTP_RTCP) &&
		   comes_back(w, &sealed, sr, sizeof(sr)),
	   "RTCP there and back");
	send_to(w->b, "10.2.0.1", 20002, clear, sizeof(clear));
	receive(w->a, NOTHING_MS, &r);
	ok(r.len < 0, "what comes in the clear ends");
	counted(w, REASON_srtp_auth);
	counted(w, REASON_srtp_replay);
	remove_flows(w);
}

/* IPv6, from IPv4 with a checksum in the packet, and a packet as long as the MTU lets it be. */
static inline void test_ways(struct world *w)
{
	const struct tandem_srtp out = key_set(w, SRTP_AES_CM_128_HMAC_SHA1_80, 1);
	struct tandem_flow_spec spec = flow_spec(OUT, at("10.1.0.2", 4000), at("10.1.0.1", 20000),
						 at("fd02::1", 20002), at("fd02::2", 5000));
	int relay = udp_socket("relay", "10.1.0.1", 20000);
	unsigned char clear[1450];
	struct received r;

	memset(clear, 7, sizeof(clear));
	rtp(clear, 1);
	spec.srtp_out = &out;
	ok(!change(w->dp, TANDEM_FLOW_SET, &spec), "a flow to IPv6, with keys");
	send_to(w->a, "10.1.0.1", 20000, clear, RTP_SIZE - 1);
	receive(w->b6, RECEIVE_MS, &r);
	ok(r.len == RTP_SIZE - 1 + 10, "IPv4 to IPv6, odd length: the checksum is right");
	clear[3]++;
	send_to(w->a, "10.1.0.1", 20000, clear, 1500 - 40 - 8 - 10);
	receive(w->b6, RECEIVE_MS, &r);
	ok(r.len == 1500 - 40 - 8, "what fits the MTU exactly with its tag is forwarded");
	clear[3]++;
	send_to(w->a, "10.1.0.1", 20000, clear, 1500 - 40 - 8 - 9);
	receive(relay, RECEIVE_MS, &r);
	ok(r.len == 1500 - 40 - 8 - 9 && !memcmp(r.data, clear, (size_t)r.len),
	   "what does not is punted as it came");
	close(relay);
	remove_flows(w);
}

/* What is opened goes to two legs, one of them by IPv6. */
static inline void test_fan(struct world *w)
{
	const struct tandem_srtp out = key_set(w, SRTP_AES_256_CM_HMAC_SHA1_80, 1),
				 in = key_set(w, SRTP_AES_256_CM_HMAC_SHA1_80, 1);
	struct tandem_flow_spec back = flow_spec(BACK, at("10.2.0.2", 5000), at("10.2.0.1", 20002),
						 at("10.1.0.1", 20000), at("10.1.0.2", 4000));
	struct tandem_fan *fan = calloc(1, sizeof(*fan) + 2 * sizeof(fan->legs[0]));
	unsigned char clear[RTP_SIZE];
	struct received sealed, r;

	if (!fan)
		die("calloc");
	fan->branch_count = 1;
	fan->branches[0] = (struct branch){ .count = 2, .flags = BRANCH_F_ANY };
	fan->leg_count = 2;
	fan->legs[0].id = 1;
	set_egress(&fan->legs[0].leg.egress, at("10.1.0.1", 20000), at("10.1.0.2", 4000));
	fan->legs[1].id = 2;
	set_egress(&fan->legs[1].leg.egress, at("fd01::1", 20000), at("fd01::2", 4000));
	back.srtp_in = &in;
	back.fan = fan;
	ok(set_flows(w, &out, &in, NULL) && !change(w->dp, TANDEM_FLOW_SET, &back),
	   "a flow with keys, and many egresses");
	rtp(clear, 1);
	protect(w, clear, sizeof(clear), &sealed);
	ok(comes_back(w, &sealed, clear, sizeof(clear)), "one leg has the packet as it was");
	receive(w->a6, RECEIVE_MS, &r);
	ok(came_as(&r, clear, sizeof(clear), "fd01::1", 20000), "and so has the other");
	remove_flows(w);
	free(fan);
}

/* Each leg has keys of its own, of another suite; what leaves by them comes back, and is opened. */
static inline void test_sealed_legs(struct world *w)
{
	const struct tandem_srtp keys[] = { key_set(w, SRTP_AEAD_AES_256_GCM, 3),
					    key_set(w, SRTP_AES_CM_128_HMAC_SHA1_32, 4) },
				 in = key_set(w, SRTP_AEAD_AES_256_GCM, 3),
				 in_old = key_set(w, SRTP_AES_CM_128_HMAC_SHA1_32, 4);
	struct tandem_flow_spec there = flow_spec(OUT, at("10.1.0.2", 4000), at("10.1.0.1", 20000),
						  at("10.2.0.1", 20002), at("10.2.0.2", 5000));
	struct tandem_fan *fan = calloc(1, sizeof(*fan) + 2 * sizeof(fan->legs[0]));
	unsigned char clear[RTP_SIZE];
	struct received sealed[2];

	if (!fan)
		die("calloc");
	fan->branch_count = 1;
	fan->branches[0] = (struct branch){ .count = 2, .flags = BRANCH_F_ANY };
	fan->leg_count = fan->key_count = 2;
	fan->keys = keys;
	for (uint32_t i = 0; i < 2; i++) {
		fan->legs[i].id = i + 1;
		fan->legs[i].srtp = keys[i].id;
		set_egress(&fan->legs[i].leg.egress, at("10.2.0.1", 20002), at("10.2.0.2", 5000));
	}
	there.fan = fan;
	ok(set_flows(w, NULL, &in, &in_old) && !change(w->dp, TANDEM_FLOW_SET, &there),
	   "a flow with two legs, each with keys");
	rtp(clear, 1);
	protect(w, clear, sizeof(clear), &sealed[0]);
	receive(w->b, RECEIVE_MS, &sealed[1]);
	ok(sealed[0].len == RTP_SIZE + 16 && sealed[1].len == RTP_SIZE + 4,
	   "each copy leaves protected by its own");
	ok(comes_back(w, &sealed[0], clear, sizeof(clear)) &&
		   comes_back(w, &sealed[1], clear, sizeof(clear)),
	   "and both are opened to the byte");
	remove_flows(w);
	free(fan);
}

/* The sequence number wraps; the streams that are mapped tell how far the module is. */
static inline void test_streams(struct world *w)
{
	const struct tandem_srtp out = key_set(w, SRTP_AEAD_AES_128_GCM, 1),
				 in = key_set(w, SRTP_AEAD_AES_128_GCM, 1);
	const struct srtp_stream *streams = *tandem_srtp_sets_streams(w->cfg.srtp);
	unsigned char clear[RTP_SIZE];
	struct received sealed;
	bool good = true;
	int found = 0;

	ok(set_flows(w, &out, &in, NULL), "flows whose sequence numbers wrap");
	for (uint32_t seq = 65530; seq < 65546; seq++) {
		rtp(clear, (uint16_t)seq);
		good &= protect(w, clear, sizeof(clear), &sealed);
		good &= comes_back(w, &sealed, clear, sizeof(clear));
	}
	ok(good, "both ways across the wrap");
	for (size_t i = 0; i < SETS * TANDEM_SRTP_STREAMS; i++)
		found += streams[i].owner == (SRTP_OWNED | SSRC) && streams[i].top == 65545;
	ok(found == 2, "the relay sees it, for it is the same memory");
}

/* The next relay takes over: indices go on, and what was sent before is still known. */
static inline void test_takeover(struct world *w)
{
	unsigned char clear[RTP_SIZE];
	struct received sealed;
	char why[256] = "";

	rtp(clear, 10);
	protect(w, clear, sizeof(clear), &sealed);
	ops->close(w->dp, true);
	tandem_srtp_sets_free(w->cfg.srtp);
	ok(!tandem_srtp_sets_alloc(&w->cfg.srtp, SETS) &&
		   !ops->open(&w->dp, &w->cfg, why, sizeof(why)),
	   "a relay takes over flows with keys");
	ok(comes_back(w, &sealed, clear, sizeof(clear)), "they go on");
	send_to(w->b, "10.2.0.1", 20002, sealed.data, (size_t)sealed.len);
	ok(nothing(w->a) && counted(w, REASON_srtp_replay) == 1, "and their replay windows");
	send_to(w->a, "10.1.0.1", 20000, clear, sizeof(clear));
	ok(nothing(w->b), "no index is used twice to protect");
	counted(w, REASON_srtp_replay);
	remove_flows(w);
}

/* Keys change: for a while those before are good too. */
static inline void test_rekey(struct world *w)
{
	const struct tandem_srtp old_out = key_set(w, SRTP_AES_CM_128_HMAC_SHA1_80, 1),
				 old_in = key_set(w, SRTP_AES_CM_128_HMAC_SHA1_80, 1),
				 new_out = key_set(w, SRTP_AEAD_AES_256_GCM, 2),
				 new_in = key_set(w, SRTP_AEAD_AES_256_GCM, 2);
	unsigned char first[RTP_SIZE], second[RTP_SIZE], third[RTP_SIZE];
	struct received before, late, after;

	ok(set_flows(w, &old_out, &old_in, NULL), "flows whose keys change");
	rtp(first, 1);
	rtp(second, 2);
	rtp(third, 3);
	protect(w, first, sizeof(first), &before);
	protect(w, second, sizeof(second), &late);
	ok(set_flows(w, &new_out, &new_in, &old_in), "new keys beside the old ones");
	protect(w, third, sizeof(third), &after);
	ok(after.len == RTP_SIZE + 16 && comes_back(w, &after, third, sizeof(third)),
	   "what is sent from now on is under the new");
	ok(comes_back(w, &before, first, sizeof(first)), "what was under way is still opened");
	ok(set_flows(w, &new_out, &new_in, NULL), "the old keys go");
	send_to(w->b, "10.2.0.1", 20002, late.data, (size_t)late.len);
	ok(nothing(w->a) && counted(w, REASON_srtp_auth) == 1, "what comes under them ends");
	remove_flows(w);
}

static inline void print_counters(struct world *w)
{
	struct reason_counters c;

	ops->counters(w->dp, &c);
	for (size_t i = 0; i < REASON_COUNT; i++) {
		if (c.packets[i])
			printf("# reason %zu: %llu\n", i, (unsigned long long)c.packets[i]);
	}
}

static inline void ends_open(struct world *w)
{
	w->a = udp_socket("a", "10.1.0.2", 4000);
	w->a6 = udp_socket("a", "fd01::2", 4000);
	w->b = udp_socket("b", "10.2.0.2", 5000);
	w->b6 = udp_socket("b", "fd02::2", 5000);
}

static inline void relay_open(struct world *w)
{
	char why[256] = "";

	w->cfg.fresh = true;
	w->cfg.srtp_capacity = SETS;
	if (tandem_srtp_sets_alloc(&w->cfg.srtp, SETS))
		die("key sets");
	if (ops->open(&w->dp, &w->cfg, why, sizeof(why)))
		die(why);
	w->cfg.fresh = false;
}

#endif
