/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flows with many egresses, and groups: what of it is easier shown by itself than by packets in
 * tests/vectors.
 */
#include "tests/unit/core_fan.h"

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
