/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flows with many egresses, groups, and what translates payloads and header extensions:
 * what of it is easier shown by itself than by packets in tests/vectors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/copy.h"

#define SLOTS  4
#define LEGS   3
#define SECOND 1000000000ULL

/* A relay with one fan, whose legs go to hosts 0 to 2. */
struct relay {
	struct env env;
	struct env_tables tables;
	struct entry entries[SLOTS];
	struct rule_more rules_more[SLOTS];
	struct flow_more flows_more[SLOTS];
	struct fan fan;
	struct fan_state fan_state;
	struct leg legs[LEGS];
	struct leg_state leg_states[LEGS];
	struct env_shared shared[8];
	/* the world around it */
	__u32 reasons[LEGS];
	__u32 ifindexes[LEGS];
	unsigned int asked;
};

static __u32 nexthop(const struct egress *eg, __u32 l3_len, struct nexthop *nh, void *arg)
{
	struct relay *r = arg;
	unsigned int host = eg->remote.b[15];

	r->asked++;
	nh->ifindex = r->ifindexes[host];
	nh->mtu = 1500;
	return r->reasons[host];
}

static void relay_init(struct relay *r)
{
	size_t i;

	memset(r, 0, sizeof(*r));
	r->tables = (struct env_tables){ .entries = r->entries,
					 .rules_more = r->rules_more,
					 .flows_more = r->flows_more,
					 .fans = &r->fan,
					 .fan_states = &r->fan_state,
					 .legs = r->legs,
					 .leg_states = r->leg_states,
					 .shared = r->shared,
					 .shared_size = 8 };
	r->tables.config.slots = SLOTS;
	r->tables.config.fans = 1;
	r->tables.config.legs = LEGS;
	r->tables.config.nexthop_age_ns = SECOND / 10;
	for (i = 0; i < 8; i++)
		r->shared[i].slot = TANDEM_NO_SLOT;
	for (i = 0; i < LEGS; i++) {
		ip_addr_map4(&r->legs[i].egress.remote, net32(0x0a010000 + (__u32)i));
		r->legs[i].egress.flags = EGRESS_F_ACTIVE;
		r->legs[i].egress.state = (__u32)i;
		r->reasons[i] = REASON_NONE;
		r->ifindexes[i] = 5;
	}
	r->env.tables = &r->tables;
	r->env.nexthop = nexthop;
	r->env.nexthop_arg = r;
}

static void fan_add(struct fan *fan, __u32 ssrc, __u16 flags, __u32 first, __u16 count)
{
	fan->branch[fan->branch_count++] = (struct branch){ ssrc, first, count, flags };
}

/* The branch found, or -1. */
static int find(const struct fan *fan, int rtcp, __u32 ssrc)
{
	__u32 branch = 99;

	return fan_find(fan, rtcp, ssrc, &branch) ? (int)branch : -1;
}

static void branch_is_found_by_ssrc(void **state)
{
	struct fan fan = { 0 };

	assert_int_equal(find(&fan, 0, 0), -1);
	assert_int_equal(find(&fan, 1, 0), -1);
	fan_add(&fan, 7, BRANCH_F_RTCP, 0, 1); /* its ssrc is not looked at */
	assert_int_equal(find(&fan, 0, 7), -1);
	assert_int_equal(find(&fan, 1, 8), 0);
	fan_add(&fan, 8, BRANCH_F_ANY | BRANCH_F_IP6, 0, 1); /* nor is this one's */
	fan_add(&fan, 8, 0, 0, 1);
	fan_add(&fan, 0, BRANCH_F_IP6, 0, 1);
	assert_int_equal(find(&fan, 0, 7), 1);
	assert_int_equal(find(&fan, 0, 8), 2);
	assert_int_equal(find(&fan, 0, 0), 3);
	assert_int_equal(find(&fan, 1, 8), 0);
	fan.branch[0].flags = 0;
	assert_int_equal(find(&fan, 0, 7), 0);
	assert_int_equal(find(&fan, 1, 7), -1);
}

static void branches_end_where_there_is_no_room_for_more(void **state)
{
	struct fan fan = { 0 };
	__u32 i, first, count;

	for (i = 0; i < TANDEM_MAX_BRANCHES; i++)
		fan_add(&fan, 100 + i, 0, 4 * i, (__u16)(i + 250));
	for (i = 0; i < TANDEM_MAX_BRANCHES; i++)
		assert_int_equal(find(&fan, 0, 100 + i), i);
	fan.branch_count = 1000;
	assert_int_equal(find(&fan, 0, 100 + TANDEM_MAX_BRANCHES), -1);
	assert_int_equal(find(&fan, 1, 100), -1);
	fan_legs(&fan, 3, &first, &count);
	assert_int_equal(first, 12);
	assert_int_equal(count, 253);
	fan_legs(&fan, 15, &first, &count);
	assert_int_equal(count, TANDEM_MAX_LEGS);
}

static void share(struct relay *r, const struct flow_key *key, __u32 slot)
{
	struct env_shared *e = env_shared_entry(&r->tables, key, 1);

	e->key = *key;
	e->slot = slot;
}

static void group_is_looked_up_from_exact_to_any(void **state)
{
	struct flow_key key = { .remote_port = net16(4000), .local_port = net16(5004) }, rule;
	struct relay r;
	__u32 slot;

	relay_init(&r);
	ip_addr_map4(&key.remote, net32(0x0a000002));
	ip_addr_map4(&key.local, net32(0xef010101));
	assert_int_equal(group_slot(&r.env, &key, &slot), 0);

	rule = key;
	rule.remote_port = 0;
	memset(&rule.remote, 0, sizeof(rule.remote));
	share(&r, &rule, 3);
	assert_int_equal(group_slot(&r.env, &key, &slot), 1);
	assert_int_equal(slot, 3);

	rule.remote = key.remote;
	share(&r, &rule, 2);
	assert_int_equal(group_slot(&r.env, &key, &slot), 1);
	assert_int_equal(slot, 2);

	share(&r, &key, 1);
	assert_int_equal(group_slot(&r.env, &key, &slot), 1);
	assert_int_equal(slot, 1);

	key.local_port = net16(5006);
	assert_int_equal(group_slot(&r.env, &key, &slot), 0);
}

/* A rule whose entry in the hash is stale must not take another one's packets. */
static void group_rule_is_compared(void **state)
{
	struct rule rule = { .flags = RULE_F_ACTIVE | RULE_F_GROUP, .local = TANDEM_NO_LOCAL };
	struct flow_key key = { .remote_port = net16(4000), .local_port = net16(5004) };
	struct relay r;

	relay_init(&r);
	ip_addr_map4(&key.remote, net32(0x0a000002));
	ip_addr_map4(&key.local, net32(0xef010101));
	r.rules_more[1].group = key.local;
	rule.local_port = key.local_port;
	assert_true(rule_matches(&r.env, &rule, 1, &key));
	rule.remote = key.remote;
	assert_true(rule_matches(&r.env, &rule, 1, &key));
	rule.remote_port = key.remote_port;
	assert_true(rule_matches(&r.env, &rule, 1, &key));

	key.remote_port = net16(4001);
	assert_false(rule_matches(&r.env, &rule, 1, &key));
	rule.remote_port = 0;
	key.remote_port = 0; /* is nobody's port */
	assert_false(rule_matches(&r.env, &rule, 1, &key));
	key.remote_port = net16(4001);
	key.remote.b[15]++;
	assert_false(rule_matches(&r.env, &rule, 1, &key));
	memset(&rule.remote, 0, sizeof(rule.remote));
	assert_true(rule_matches(&r.env, &rule, 1, &key));
	key.local.b[15]++;
	assert_false(rule_matches(&r.env, &rule, 1, &key));
	r.rules_more[1].group = key.local;
	rule.flags = RULE_F_GROUP;
	assert_false(rule_matches(&r.env, &rule, 1, &key));
}

/* Sum of bytes as words that start at even offsets. */
static uint32_t sum_bytes(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum += i % 2 ? (uint32_t)p[i] : (uint32_t)p[i] << 8;
	return sum;
}

/* Does delta make of the sum of before that of after? It is in memory order. */
static void assert_delta(const uint8_t *before, const uint8_t *after, size_t n, __u64 delta)
{
	uint16_t a = csum_fold16(sum_bytes(before, n)), b = csum_fold16(sum_bytes(after, n));

	assert_int_equal(csum_fold16((__u64)net16(a) + delta) % 0xffff, net16(b) % 0xffff);
}

static void law_changes_the_payload_alone(void **state)
{
	_Alignas(4) uint8_t packet[80], before[80];
	unsigned int octets, i;
	__u64 delta;

	srand(3);
	for (octets = 0; octets <= 60; octets++) {
		for (i = 0; i < sizeof(packet); i++)
			before[i] = packet[i] = (uint8_t)rand();
		delta = g711_translate(packet, packet + sizeof(packet), 12, octets, G711_TO_ULAW);
		assert_memory_equal(packet, before, 12);
		for (i = 0; i < octets; i++)
			assert_int_equal(packet[12 + i], g711_octet(G711_TO_ULAW, before[12 + i]));
		assert_memory_equal(packet + 12 + octets, before + 12 + octets, 68 - octets);
		assert_delta(before, packet, sizeof(packet), delta);
	}
	/* and ends with the packet, whatever it is told */
	memcpy(packet, before, sizeof(packet));
	delta = g711_translate(packet, packet + 21, 12, 60, G711_TO_ULAW);
	assert_memory_equal(packet + 21, before + 21, sizeof(packet) - 21);
	assert_delta(before, packet, sizeof(packet), delta);
}

/* An extension of random elements in room bytes, and what the map makes of it. */
static size_t random_elements(uint8_t *in, uint8_t *want, size_t room, int two, const __u8 *map)
{
	size_t at = 0, head = two ? 2 : 1;

	while (at + head + 16 <= room) {
		unsigned int id = 1 + (unsigned int)rand() % (two ? 255 : 14), len, i, out;

		if (rand() % 4 == 0) {
			in[at] = want[at] = 0;
			at++;
			continue;
		}
		len = two ? (unsigned int)rand() % 15 : 1 + (unsigned int)rand() % 16;
		out = id < TANDEM_EXT_IDS ? map[id] : id;
		if (!two && out > 14)
			out = 0;
		in[at] = two ? (uint8_t)id : (uint8_t)(id << 4 | (len - 1));
		want[at] = !out ? 0 : two ? (uint8_t)out : (uint8_t)(out << 4 | (len - 1));
		if (two) {
			in[at + 1] = (uint8_t)len;
			want[at + 1] = out ? (uint8_t)len : 0;
		}
		for (at += head, i = 0; i < len; i++, at++) {
			in[at] = (uint8_t)rand();
			want[at] = out ? in[at] : 0;
		}
	}
	memset(in + at, 0, room - at);
	memset(want + at, 0, room - at);
	return room;
}

static void elements_are_mapped_or_removed(void **state)
{
	enum { HEAD = 16, LEN = 120, SIZE = HEAD + LEN + 20 };
	_Alignas(4) uint8_t packet[SIZE], before[SIZE], want[SIZE];
	struct relay r;
	int round, i;
	__u64 delta;

	relay_init(&r);
	srand(4);
	for (round = 0; round < 2000; round++) {
		int two = round & 1;

		for (i = 0; i < SIZE; i++)
			before[i] = (uint8_t)rand();
		for (i = 1; i < TANDEM_EXT_IDS; i++)
			r.legs[1].ext_id[i] = (__u8)(rand() % 3 ? rand() % 18 : 0);
		before[12] = two ? 0x10 : 0xbe;
		before[13] = two ? (uint8_t)(rand() % 16) : 0xde;
		memcpy(want, before, SIZE);
		random_elements(before + HEAD, want + HEAD, LEN, two, r.legs[1].ext_id);
		memcpy(packet, before, SIZE);
		delta = ext_translate(&r.env, packet, packet + SIZE, HEAD, LEN, 1);
		assert_memory_equal(packet, want, SIZE);
		assert_delta(before, packet, SIZE, delta);
	}
}

/* Whatever bytes there are: the walk stays in the extension, and the delta is right. */
static void elements_of_garbage_stay_where_they_are(void **state)
{
	enum { HEAD = 16, SIZE = 100 };
	_Alignas(4) uint8_t packet[SIZE], before[SIZE];
	struct relay r;
	int round, i;
	__u64 delta;

	relay_init(&r);
	srand(5);
	memset(r.legs[0].ext_id, 3, sizeof(r.legs[0].ext_id));
	for (round = 0; round < 5000; round++) {
		__u32 len = (__u32)(rand() % 20) * 4;

		for (i = 0; i < SIZE; i++)
			before[i] = (uint8_t)rand();
		memcpy(before + 12, round & 1 ? (uint8_t[]){ 0xbe, 0xde } : (uint8_t[]){ 0x10, 0 },
		       2);
		memcpy(packet, before, SIZE);
		delta = ext_translate(&r.env, packet, packet + SIZE, HEAD, len, 0);
		assert_memory_equal(packet, before, HEAD);
		assert_memory_equal(packet + HEAD + len, before + HEAD + len, SIZE - HEAD - len);
		assert_delta(before, packet, SIZE, delta);
	}
	/* a leg that there is not changes nothing */
	memcpy(packet, before, SIZE);
	assert_int_equal(ext_translate(&r.env, packet, packet + SIZE, HEAD, 40, LEGS), 0);
	assert_memory_equal(packet, before, SIZE);
}

static struct fan_job job_at(__u64 now)
{
	return (struct fan_job){ .now = now, .legs = LEGS, .gen = 2 };
}

static enum reason ready(struct relay *r, struct fan_job job, __u32 len)
{
	return fan_ready(&r->env, &job, len);
}

static void ways_are_asked_for_once_in_a_while(void **state)
{
	const struct branch_state *b;
	struct relay r;

	relay_init(&r);
	b = &r.fan_state.branch[0];
	assert_int_equal(ready(&r, job_at(SECOND), 100), REASON_NONE);
	assert_int_equal(ready(&r, job_at(SECOND + SECOND / 10 - 1), 100), REASON_NONE);
	assert_int_equal(r.asked, LEGS);
	assert_int_equal(b->ifindex, 5);
	assert_int_equal(b->payload_max, 1500 - 28);
	assert_int_equal(ready(&r, job_at(SECOND + SECOND / 10), 100), REASON_NONE);
	assert_int_equal(r.asked, 2 * LEGS);

	/* another generation of the rule */
	struct fan_job job = job_at(SECOND + SECOND / 10);

	job.gen = 4;
	r.ifindexes[2] = 6;
	r.legs[1].egress.remote.b[10] = 0; /* no longer IPv4 */
	assert_int_equal(ready(&r, job, 1500 - 48), REASON_NONE);
	assert_int_equal(r.asked, 3 * LEGS);
	assert_int_equal(b->ifindex, 0);
	assert_int_equal(b->payload_max, 1500 - 48);
	assert_int_equal(ready(&r, job, 1500 - 47), REASON_too_big);
	assert_int_equal(r.leg_states[2].nexthop.gen, 4);
}

static void patience_with_a_leg_has_an_end(void **state)
{
	struct relay r;
	__u64 t;

	relay_init(&r);
	r.reasons[1] = REASON_no_neighbour;
	for (t = 0; t <= SECOND; t += SECOND / 20)
		assert_int_equal(ready(&r, job_at(SECOND + t), 100), REASON_no_neighbour);
	assert_int_equal(r.leg_states[1].nexthop.ifindex, 0);
	assert_int_equal(r.leg_states[1].last_reason, REASON_no_neighbour);
	/* from now on one packet a second */
	for (; t < 2 * SECOND; t += SECOND / 20)
		assert_int_equal(ready(&r, job_at(SECOND + t), 100), REASON_NONE);
	assert_int_equal(ready(&r, job_at(SECOND + t), 100), REASON_no_neighbour);
	assert_int_equal(ready(&r, job_at(SECOND + t + 1), 100), REASON_NONE);
	/* it comes, and goes again: patience is as great as before */
	r.reasons[1] = REASON_NONE;
	t += SECOND;
	assert_int_equal(ready(&r, job_at(SECOND + t), 100), REASON_NONE);
	assert_int_equal(r.leg_states[1].nexthop.ifindex, 5);
	r.reasons[1] = REASON_no_neighbour;
	t += SECOND / 10;
	assert_int_equal(ready(&r, job_at(SECOND + t), 100), REASON_no_neighbour);
	t += SECOND - 1;
	assert_int_equal(ready(&r, job_at(SECOND + t), 100), REASON_no_neighbour);
	t += 2 * SECOND;
	assert_int_equal(ready(&r, job_at(SECOND + t), 100), REASON_no_neighbour);
	assert_int_equal(ready(&r, job_at(SECOND + t + 1), 100), REASON_NONE);
}

static void host_may_have_a_way_where_there_is_none(void **state)
{
	static const __u32 reasons[] = { REASON_no_route, REASON_no_egress_port };
	struct relay r;
	__u64 t;
	size_t i;

	for (i = 0; i < 2; i++) {
		relay_init(&r);
		r.reasons[0] = reasons[i];
		r.reasons[1] = REASON_no_neighbour; /* what is not said: it can pass */
		for (t = SECOND; t < 5 * SECOND; t += SECOND / 20)
			assert_int_equal(ready(&r, job_at(t), 100), reasons[i]);
		/* the neighbour has had its time meanwhile */
		r.reasons[0] = REASON_NONE;
		assert_int_equal(ready(&r, job_at(5 * SECOND), 100), REASON_no_neighbour);
		assert_int_equal(ready(&r, job_at(5 * SECOND + 1), 100), REASON_NONE);
	}
}

static void patience_begins_anew_with_the_rule(void **state)
{
	struct fan_job job = job_at(4 * SECOND);
	struct relay r;

	relay_init(&r);
	r.reasons[0] = REASON_no_neighbour;
	ready(&r, job_at(SECOND), 100);
	ready(&r, job_at(3 * SECOND), 100);
	assert_int_equal(ready(&r, job_at(3 * SECOND + 1), 100), REASON_NONE);
	job.gen = 4;
	assert_int_equal(ready(&r, job, 100), REASON_no_neighbour);
	job.now += SECOND - 1;
	assert_int_equal(ready(&r, job, 100), REASON_no_neighbour);
	job.now++;
	assert_int_equal(ready(&r, job, 100), REASON_no_neighbour);
}

static void without_any_way_patience_has_no_end(void **state)
{
	struct relay r;
	__u64 t;
	int i;

	relay_init(&r);
	for (i = 0; i < LEGS; i++)
		r.reasons[i] = REASON_no_neighbour;
	for (t = SECOND; t < 10 * SECOND; t += SECOND / 20)
		assert_int_equal(ready(&r, job_at(t), 100), REASON_no_neighbour);
}

/* An RTP packet for the fan, decided on. */
static void decide(struct relay *r, struct plan *plan, uint8_t *packet, size_t len)
{
	struct flow_key key = { .remote_port = net16(4000), .local_port = net16(20000) };

	ip_addr_map4(&key.remote, net32(0x0a000002));
	ip_addr_map4(&key.local, net32(0x0a000001));
	r->tables.config.locals_count = 1;
	r->tables.config.locals[0] = key.local;
	r->tables.config.port_base = 20000;
	r->tables.config.port_count = 2;
	r->entries[0].rule = (struct rule){ .gen = 2,
					    .flags = RULE_F_ACTIVE | RULE_F_FAN,
					    .remote = key.remote,
					    .remote_port = key.remote_port,
					    .local_port = key.local_port,
					    .id = 1 };
	r->rules_more[0].pts.clock_hz[0] = 8000;
	fan_add(&r->fan, 0, BRANCH_F_ANY, 0, LEGS);
	memset(packet, 0, len);
	packet[0] = 0x80;
	r->env.now_ns = SECOND;
	assert_int_equal(relay_datagram(&r->env, &key, packet, (__u32)len, plan),
			 REASON_forwarded_rtp);
	assert_true(plan_many(plan));
	assert_int_equal(plan->legs, LEGS);
}

static void copies_are_counted_by_leg(void **state)
{
	_Alignas(4) uint8_t packet[32];
	const struct egress *egress;
	struct relay r;
	struct plan plan;
	__u32 n;

	relay_init(&r);
	r.legs[1].egress.to_alaw = 1;
	decide(&r, &plan, packet, sizeof(packet));
	for (n = 0; n < LEGS; n++) {
		assert_int_equal(relay_copy_datagram(&r.env, &plan, n, packet, 32, &egress),
				 REASON_NONE);
		assert_ptr_equal(egress, &r.legs[n].egress);
	}
	relay_copy_failed(&r.env, plan.leg + 2);
	relay_copy_failed(&r.env, LEGS); /* there is no such leg */
	assert_int_equal(r.env.counters.packets[REASON_copies_sent], 3);
	assert_int_equal(r.env.counters.packets[REASON_copies_lost], 2);
	assert_int_equal(r.leg_states[1].packets, 1);
	assert_int_equal(r.leg_states[1].octets, 32);
	assert_int_equal(r.leg_states[2].lost, 1);
	assert_int_equal(r.leg_states[2].last_reason, REASON_send_failed);
	assert_int_equal(r.entries[0].flow.packets, 1);

	/* a leg beyond the table is lost, and counted as such */
	plan.leg = LEGS;
	assert_int_not_equal(relay_copy_datagram(&r.env, &plan, 0, packet, 32, &egress),
			     REASON_NONE);
	assert_int_equal(r.env.counters.packets[REASON_copies_lost], 3);
}

static void copy_outlives_the_rule_but_not_the_fan(void **state)
{
	_Alignas(4) uint8_t packet[32];
	struct relay r;
	struct plan plan, again;

	relay_init(&r);
	decide(&r, &plan, packet, sizeof(packet));
	r.fan.flags = r.entries[0].rule.flags;
	r.fan.pts = r.rules_more[0].pts;
	again = (struct plan){ .fan = plan.fan,
			       .fan_gen = plan.fan_gen,
			       .branch = plan.branch,
			       .class = plan.class };
	assert_true(plan_recall(&r.env, &again, packet, packet + 32, 32));
	assert_int_equal(again.leg, plan.leg);
	assert_int_equal(again.legs, LEGS);
	assert_int_equal(again.pt_index, plan.pt_index);
	r.entries[0].rule.gen = 4;
	r.entries[0].rule.id = 99;
	memset(&r.rules_more[0].pts, 0, sizeof(r.rules_more[0].pts));
	assert_true(plan_recall(&r.env, &again, packet, packet + 32, 32));
	assert_int_equal(again.pt_index, plan.pt_index);
	assert_true(plan_legs_settled(&r.env, &again));
	again.class = CLASS_RTCP; /* what it says is of another flow */
	assert_false(plan_recall(&r.env, &again, packet, packet + 32, 32));
	again.class = CLASS_RTP;
	r.fan.gen++;
	assert_false(plan_recall(&r.env, &again, packet, packet + 32, 32));
	assert_false(plan_legs_settled(&r.env, &again));
	r.fan.gen++;
	assert_false(plan_recall(&r.env, &again, packet, packet + 32, 32));
	assert_false(plan_legs_settled(&r.env, &again));
	again.fan_gen = r.fan.gen;
	packet[0] = 0x40; /* is not what it was */
	assert_false(plan_recall(&r.env, &again, packet, packet + 32, 32));
	again.fan = 1;
	assert_false(plan_recall(&r.env, &again, packet, packet + 32, 32));
}

/* Frames of before and after a change may be under way at once, to a leg that stays. */
static void way_of_another_generation_is_asked_for_again(void **state)
{
	struct plan plan = { .legs = LEGS, .fan_gen = 2 };
	struct relay r;
	struct hop hop;

	relay_init(&r);
	assert_int_equal(copy_way(&r.env, &plan, 1, &r.leg_states[1], &hop), REASON_NONE);
	assert_int_equal(copy_way(&r.env, &plan, 1, &r.leg_states[1], &hop), REASON_NONE);
	assert_int_equal(r.asked, 1);
	assert_int_equal(hop.ifindex, 5);
	plan.fan_gen = 4;
	r.ifindexes[1] = 6;
	assert_int_equal(copy_way(&r.env, &plan, 1, &r.leg_states[1], &hop), REASON_NONE);
	assert_int_equal(r.asked, 2);
	assert_int_equal(hop.ifindex, 6);
	plan.fan_gen = 2;
	r.reasons[1] = REASON_no_route;
	assert_int_equal(copy_way(&r.env, &plan, 1, &r.leg_states[1], &hop), REASON_no_route);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(branch_is_found_by_ssrc),
		cmocka_unit_test(branches_end_where_there_is_no_room_for_more),
		cmocka_unit_test(group_is_looked_up_from_exact_to_any),
		cmocka_unit_test(group_rule_is_compared),
		cmocka_unit_test(law_changes_the_payload_alone),
		cmocka_unit_test(elements_are_mapped_or_removed),
		cmocka_unit_test(elements_of_garbage_stay_where_they_are),
		cmocka_unit_test(ways_are_asked_for_once_in_a_while),
		cmocka_unit_test(patience_with_a_leg_has_an_end),
		cmocka_unit_test(host_may_have_a_way_where_there_is_none),
		cmocka_unit_test(patience_begins_anew_with_the_rule),
		cmocka_unit_test(without_any_way_patience_has_no_end),
		cmocka_unit_test(copies_are_counted_by_leg),
		cmocka_unit_test(copy_outlives_the_rule_but_not_the_fan),
		cmocka_unit_test(way_of_another_generation_is_asked_for_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
