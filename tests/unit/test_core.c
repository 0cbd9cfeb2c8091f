/* SPDX-License-Identifier: GPL-2.0-only */
/* What of the core is easier shown by itself than by packets in tests/vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/forward.h"

#define SLOTS	4
#define STREAMS 16

/* A relay of one port pair in memory. */
struct relay {
	struct env env;
	struct env_tables tables;
	struct entry entries[SLOTS];
	struct rule_more rules_more[SLOTS];
	struct flow_more flows_more[SLOTS];
	struct env_shared shared[8];
	struct env_stream streams[STREAMS];
};

static void relay_init(struct relay *r)
{
	size_t i;

	memset(r, 0, sizeof(*r));
	r->tables = (struct env_tables){ .entries = r->entries,
					 .rules_more = r->rules_more,
					 .flows_more = r->flows_more,
					 .shared = r->shared,
					 .shared_size = 8,
					 .streams = r->streams,
					 .streams_size = STREAMS };
	r->tables.config.slots = SLOTS;
	r->tables.config.locals_count = 1;
	r->tables.config.port_base = 20000;
	r->tables.config.port_count = 2;
	ip_addr_map4(&r->tables.config.locals[0], net32(0x0a000001));
	for (i = 0; i < 8; i++)
		r->shared[i].slot = TANDEM_NO_SLOT;
	r->env.tables = &r->tables;
	r->env.now_ns = 1000000000;
}

static struct flow_key key_from(uint32_t remote, uint16_t port)
{
	struct flow_key key = { .remote_port = net16(port), .local_port = net16(20000) };

	ip_addr_map4(&key.remote, net32(remote));
	ip_addr_map4(&key.local, net32(0x0a000001));
	return key;
}

static void relay_rule(struct relay *r, unsigned int slot, uint32_t remote)
{
	struct flow_key key = key_from(remote, 4000);
	struct rule_more *more = &r->rules_more[slot];
	struct rule *rule = &r->entries[slot].rule;

	rule->gen = 2;
	rule->flags = RULE_F_ACTIVE;
	rule->remote = key.remote;
	rule->remote_port = key.remote_port;
	rule->local_port = key.local_port;
	rule->id = slot + 1;
	more->media = slot;
	more->reverse = TANDEM_NO_SLOT;
	more->pts.clock_hz[0] = 8000; /* of payload type 0 */
	rule->egress.flags = EGRESS_F_ACTIVE;
	more->rtcp.flags = EGRESS_F_ACTIVE;
	ip_addr_map4(&rule->egress.remote, net32(0x0a010002));
}

static enum reason send_rtp(struct relay *r, uint32_t ssrc, uint16_t seq, struct plan *plan)
{
	_Alignas(4) uint8_t packet[32] = { 0x80, 0, (uint8_t)(seq >> 8), (uint8_t)seq };
	struct flow_key key = key_from(0x0a000002, 4000);

	packet[8] = (uint8_t)(ssrc >> 24);
	packet[9] = (uint8_t)(ssrc >> 16);
	packet[10] = (uint8_t)(ssrc >> 8);
	packet[11] = (uint8_t)ssrc;
	return relay_datagram(&r->env, &key, packet, sizeof(packet), plan);
}

static void checksum_agrees_with_recomputation(void **state)
{
	uint16_t words[32], check;
	__u64 delta;
	uint32_t sum;
	int round, i, at;

	srand(1);
	for (round = 0; round < 10000; round++) {
		for (sum = 0, i = 0; i < 32; i++)
			sum += words[i] = (uint16_t)(round % 3 ? rand() : rand() % 2 ? 0xffff : 0);
		check = (uint16_t)~csum_fold16(sum);
		for (delta = 0, i = 0; i < 8; i++) {
			uint16_t to = (uint16_t)(rand() % 3 ? rand() : 0xffff);

			at = rand() % 32;
			csum_change16(&delta, words[at], to);
			words[at] = to;
		}
		for (sum = 0, i = 0; i < 32; i++)
			sum += words[i];
		/* 0 and 0xffff are the same number in one's complement. */
		assert_int_equal(csum_fold16(sum + csum_apply(check, delta)) % 0xffff, 0);
		assert_int_not_equal(csum_apply_udp(check, delta), 0);
	}
}

static void reasons_have_their_verdicts(void **state)
{
	assert_int_equal(reason_verdict(REASON_forwarded_rtcp), VERDICT_FORWARD);
	assert_int_equal(reason_verdict(REASON_not_ip), VERDICT_PUNT);
	assert_int_equal(reason_verdict(REASON_no_headroom), VERDICT_PUNT);
	assert_int_equal(reason_verdict(REASON_idle_port), VERDICT_DROP);
	assert_int_equal(reason_verdict(REASON_send_failed), VERDICT_DROP);
}

static void classes_by_first_bytes(void **state)
{
	uint8_t p[2];
	int first, second;

	for (first = 0; first < 256; first++) {
		for (second = 0; second < 256; second++) {
			enum packet_class want = CLASS_OTHER;

			if (first <= 3)
				want = CLASS_STUN;
			else if (first >= 20 && first <= 63)
				want = CLASS_DTLS;
			else if (first >= 128 && first <= 191)
				want = second >= 192 && second <= 223 ? CLASS_RTCP : CLASS_RTP;
			p[0] = (uint8_t)first;
			p[1] = (uint8_t)second;
			assert_int_equal(classify(p, p + 2, 2), want);
		}
	}
	assert_int_equal(classify(p, p, 0), CLASS_OTHER);
}

/* Any order of arrival with any duplicates, within the window: loss comes out exact. */
static void loss_is_exact_under_reordering(void **state)
{
	enum { COUNT = 4000, SPAN = 20 };
	static uint8_t seen[COUNT];
	static uint16_t order[COUNT];
	struct stream_more more;
	struct stream s;
	const struct stream_at at = { &s, &more };
	struct rtp_info rtp = { .ssrc = 1 };
	uint32_t unique = 0, duplicates = 0, lowest = COUNT, highest = 0, sent, i, j;
	uint16_t start = 65000;

	srand(2);
	for (i = 0; i < COUNT; i++)
		order[i] = (uint16_t)i;
	for (i = 0; i + SPAN < COUNT; i += SPAN / 2) {
		j = i + (uint32_t)rand() % SPAN;
		uint16_t t = order[i];

		order[i] = order[j];
		order[j] = t;
	}
	stream_start(&s, &more, 1, 1);
	for (i = 0; i < COUNT; i++) {
		if (rand() % 10 == 0)
			continue;
		for (sent = rand() % 10 == 0 ? 2 : 1; sent; sent--) {
			rtp.seq = (uint16_t)(start + order[i]);
			stream_account(at, &rtp, 8000, 1 + i);
			duplicates += seen[order[i]];
			unique += !seen[order[i]];
			seen[order[i]] = 1;
		}
		lowest = order[i] < lowest ? order[i] : lowest;
		highest = order[i] > highest ? order[i] : highest;
	}
	assert_int_equal(s.received, unique);
	assert_int_equal(more.duplicates, duplicates);
	assert_int_equal(stream_expected(&s, &more), highest - lowest + 1);
	assert_int_equal(stream_lost(&s, &more), highest - lowest + 1 - unique);
	assert_int_equal(more.restarts, 0);
}

static void jitter_survives_wild_timestamps(void **state)
{
	struct stream_more more;
	struct stream s;
	const struct stream_at at = { &s, &more };
	struct rtp_info rtp = { .ssrc = 1 };
	int i;

	stream_start(&s, &more, 1, 1);
	for (i = 0; i < 100; i++) {
		rtp.seq = (uint16_t)i;
		rtp.ts = i % 2 ? 0x7fffffff : 0;
		stream_account(at, &rtp, i < 50 ? 1 : 1000, 1000000000ULL * (uint64_t)i);
	}
	assert_int_equal(s.clock_hz, 1000);
	assert_true(s.jitter_max_ns > 0);
}

static void full_stream_table_does_not_stop_forwarding(void **state)
{
	struct relay r;
	struct plan plan;
	uint32_t i;

	relay_init(&r);
	relay_rule(&r, 0, 0x0a000002);
	for (i = 0; i < STREAMS + 4; i++)
		assert_int_equal(send_rtp(&r, 100 + i, 1, &plan), REASON_forwarded_rtp);
	assert_int_equal(r.env.counters.packets[REASON_stream_table_full], 3);
	assert_int_equal(r.entries[0].flow.packets, STREAMS + 4);
	assert_int_equal(r.flows_more[0].extra_streams, STREAMS);

	env_streams_forget(&r.tables, 0);
	assert_int_equal(send_rtp(&r, 999, 1, &plan), REASON_forwarded_rtp);
	assert_int_equal(r.env.counters.packets[REASON_stream_table_full], 3);
}

static void new_flow_in_slot_starts_new_streams(void **state)
{
	struct relay r;
	struct plan plan;

	relay_init(&r);
	relay_rule(&r, 0, 0x0a000002);
	send_rtp(&r, 7, 1, &plan);
	send_rtp(&r, 8, 1, &plan);
	r.entries[0].rule.id = 99;
	r.entries[0].rule.gen += 2;
	send_rtp(&r, 7, 500, &plan);
	send_rtp(&r, 8, 500, &plan);
	assert_int_equal(r.entries[0].flow.stream.packets, 1);
	assert_int_equal(r.flows_more[0].stream.flow_id, 99);
	assert_int_equal(env_stream(&r.env, 0, 8, 0)->stream.packets, 1);
}

static void shared_entries_come_and_go(void **state)
{
	struct relay r;
	struct flow_key key = key_from(0x0a000003, 4000), other = key_from(0x0a000004, 4000);
	struct env_shared *e;
	__u32 slot = 0;

	relay_init(&r);
	assert_int_equal(env_shared_slot(&r.env, &key, &slot), 0);
	e = env_shared_entry(&r.tables, &key, 1);
	e->key = key;
	e->slot = 3;
	assert_int_equal(env_shared_slot(&r.env, &key, &slot), 1);
	assert_int_equal(slot, 3);
	assert_int_equal(env_shared_slot(&r.env, &other, &slot), 0);
	e->slot = TANDEM_NO_SLOT;
	assert_int_equal(env_shared_slot(&r.env, &key, &slot), 0);
}

static void failed_send_is_counted(void **state)
{
	struct relay r;
	struct plan plan;

	relay_init(&r);
	relay_rule(&r, 0, 0x0a000002);
	assert_int_equal(send_rtp(&r, 7, 1, &plan), REASON_forwarded_rtp);
	relay_send_failed(&r.env, &plan);
	assert_int_equal(r.env.counters.packets[REASON_send_failed], 1);
	assert_int_equal(r.flows_more[0].dropped, 1);
	assert_int_equal(r.flows_more[0].last_reason, REASON_send_failed);
}

/* SDES chunks of nothing but an SSRC and its end: two elements each. */
static void compound_of_too_many_elements_is_dropped(void **state)
{
	_Alignas(4) uint8_t packet[4 * (1 + 31 * 2) * 3];
	struct flow_key key = key_from(0x0a000002, 4000);
	struct relay r;
	struct plan plan;
	size_t i;

	memset(packet, 0, sizeof(packet));
	for (i = 0; i < 3; i++)
		memcpy(packet + i * 252, (uint8_t[]){ 0x80 | 31, RTCP_SDES, 0, 62 }, 4);
	relay_init(&r);
	relay_rule(&r, 0, 0x0a000002);
	assert_int_equal(relay_datagram(&r.env, &key, packet, 504, &plan), REASON_forwarded_rtcp);
	assert_int_equal(relay_datagram(&r.env, &key, packet, 756, &plan), REASON_bad_rtcp);
}

static void frame_without_headroom_is_punted(void **state)
{
	static const uint8_t head[] = {
		2,  0,	       0,	   0,	       0,	    1, 2,  0, 0,  0,	0,
		2,  8,	       0,	   0x45,       0,	    0, 40, 0, 0,  0,	0,
		64, 17,	       0x66,	   0xc3,       10,	    0, 0,  2, 10, 0,	0,
		1,  4000 >> 8, 4000 & 255, 20000 >> 8, 20000 & 255, 0, 20, 1, 1,  0x80, 0,
		0,  1,	       0,	   0,	       0,	    0, 0,  0, 0,  1
	};
	_Alignas(4) char buffer[2 + sizeof(head)];
	struct relay r;
	struct plan plan;
	struct frame f;
	__u32 ifindex;

	relay_init(&r);
	relay_rule(&r, 0, 0x0a000002);
	r.entries[0].rule.egress.remote.b[0] = 0xfd; /* IPv6: 20 bytes more */
	memcpy(buffer + 2, head, sizeof(head));
	r.env.frame = (struct env_frame){ buffer + 2, buffer + 2, buffer + sizeof(buffer),
					  buffer + sizeof(buffer) };
	r.entries[0].flow.nexthop = (struct nexthop){ .expires_ns = ~0ULL, .ifindex = 2, .gen = 2 };
	assert_int_equal(relay_frame(&r.env, &f, &plan, &ifindex), REASON_no_headroom);
	assert_memory_equal(buffer + 2, head, sizeof(head));
	assert_int_equal(r.flows_more[0].punted, 1);
	assert_int_equal(r.entries[0].flow.stream.packets, 0);
}

static void changed_rule_makes_kept_next_hop_void(void **state)
{
	struct relay r;
	struct hop hop;
	struct nexthop kept = { .expires_ns = 100, .ifindex = 9, .gen = 2 };
	const struct egress eg = { 0 };

	relay_init(&r);
	assert_int_equal(nexthop_get(&r.env, &eg, &kept, 2, 60, 99, &hop), REASON_NONE);
	assert_int_equal(hop.ifindex, 9);
	assert_int_equal(nexthop_get(&r.env, &eg, &kept, 4, 60, 99, &hop), REASON_no_route);
	assert_int_equal(nexthop_get(&r.env, &eg, &kept, 2, 60, 100, &hop), REASON_no_route);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksum_agrees_with_recomputation),
		cmocka_unit_test(reasons_have_their_verdicts),
		cmocka_unit_test(classes_by_first_bytes),
		cmocka_unit_test(loss_is_exact_under_reordering),
		cmocka_unit_test(jitter_survives_wild_timestamps),
		cmocka_unit_test(full_stream_table_does_not_stop_forwarding),
		cmocka_unit_test(new_flow_in_slot_starts_new_streams),
		cmocka_unit_test(shared_entries_come_and_go),
		cmocka_unit_test(failed_send_is_counted),
		cmocka_unit_test(compound_of_too_many_elements_is_dropped),
		cmocka_unit_test(frame_without_headroom_is_punted),
		cmocka_unit_test(changed_rule_makes_kept_next_hop_void),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
