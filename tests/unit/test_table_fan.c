/* SPDX-License-Identifier: GPL-2.0-only */
/* Fans and groups in a table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/datapath/table.h"

enum { BASE = 20000, PORTS = 100, SLOTS = PORTS + 8, FANS = 4, LEGS = 64 };

struct arrays {
	struct entry entries[SLOTS];
	struct rule_more rules_more[SLOTS];
	struct flow_more flows_more[SLOTS];
	struct fan fans[FANS];
	struct leg legs[LEGS];
	struct leg_state states[LEGS];
};

struct fixture {
	struct arrays *mem;
	struct tandem_table table;
	bool full; /* for full_h() */
};

/* Nobody looks at what has been left. */
static void retire_h(uint32_t fan, void *arg)
{
	struct fixture *f = arg;

	tandem_table_fan_release(&f->table, fan);
}

static void table_open(struct fixture *f)
{
	struct tandem_datapath_config cfg = { .locals_count = 1,
					      .port_min = BASE,
					      .port_max = BASE + PORTS - 1,
					      .flow_capacity = SLOTS,
					      .fan_capacity = FANS,
					      .leg_capacity = LEGS };
	struct tandem_table_memory memory;
	struct relay_config relay;
	char why[256];

	tandem_ip_parse(&cfg.locals[0].ip, "192.0.2.1");
	assert_int_equal(tandem_table_config(&relay, &cfg, why, sizeof(why)), 0);
	memory = (struct tandem_table_memory){ .entries = f->mem->entries,
					       .rules_more = f->mem->rules_more,
					       .flows_more = f->mem->flows_more,
					       .fans = f->mem->fans,
					       .legs = f->mem->legs,
					       .leg_states = f->mem->states };
	assert_int_equal(tandem_table_init(&f->table, &relay, &memory, NULL, f), 0);
	f->table.retire_h = retire_h;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->mem = calloc(1, sizeof(*f->mem));
	table_open(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tandem_table_clean(&f->table);
	free(f->mem);
	free(f);
	return 0;
}

static struct tandem_fan *fan_alloc(uint32_t legs, uint32_t first_id)
{
	struct tandem_fan *fan = calloc(1, sizeof(*fan) + legs * sizeof(fan->legs[0]));

	fan->branch_count = 1;
	fan->branches[0] = (struct branch){ .count = (uint16_t)legs, .flags = BRANCH_F_ANY };
	fan->leg_count = legs;
	for (uint32_t i = 0; i < legs; i++) {
		fan->legs[i].id = first_id + i;
		tandem_ip_parse(&fan->legs[i].leg.egress.local, "192.0.2.1");
		tandem_ip_parse(&fan->legs[i].leg.egress.remote, "198.51.100.1");
		fan->legs[i].leg.egress.remote_port = htons((uint16_t)(first_id + i));
	}
	return fan;
}

static struct tandem_flow_spec spec_of(uint64_t id, const char *local, uint16_t port,
				       const char *remote, uint16_t remote_port,
				       const struct tandem_fan *fan)
{
	struct tandem_flow_spec s = { .id = id, .media_id = id, .fan = fan };

	tandem_ip_parse(&s.key.local, local);
	tandem_ip_parse(&s.key.remote, remote);
	s.key.local_port = htons(port);
	s.key.remote_port = htons(remote_port);
	return s;
}

static struct tandem_flow_spec flow(uint64_t id, const struct tandem_fan *fan)
{
	return spec_of(id, "192.0.2.1", (uint16_t)(BASE + id), "198.51.100.9", 4000, fan);
}

static int set(struct fixture *f, const struct tandem_flow_spec *spec)
{
	return tandem_table_set(&f->table, spec);
}

/* Give each leg of a flow a count that tells its id. */
static void mark_legs(struct fixture *f, uint64_t id)
{
	uint32_t slot = tandem_table_find(&f->table, id);
	const struct fan *fan = &f->mem->fans[f->mem->entries[slot].rule.fan];

	for (uint32_t i = 0; i < fan->branch_count; i++) {
		for (uint32_t k = 0; k < fan->branch[i].count; k++) {
			const struct leg *leg = &f->mem->legs[fan->branch[i].first + k];
			struct leg_state *s = &f->mem->states[leg->egress.state];

			s->packets = 1000 + s->id;
		}
	}
}

/* The legs of the flow are these, in this order; those below `kept` bear their mark. */
static void check_legs(struct fixture *f, uint64_t id, uint32_t first_id, uint32_t n, uint32_t kept)
{
	struct tandem_leg_stats legs[LEGS];
	size_t got;

	tandem_table_read_legs(&f->table, tandem_table_find(&f->table, id), legs, LEGS, &got);
	assert_int_equal(got, n);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(legs[i].id, first_id + i);
		assert_int_equal(legs[i].packets, legs[i].id < kept ? 1000 + legs[i].id : 0);
	}
}

static void written_and_read_back(void **state)
{
	struct fixture *f = *state;
	struct tandem_fan *fan = fan_alloc(6, 1), *back;
	struct tandem_flow_spec spec = flow(1, fan);
	const struct fan *built;
	const struct rule *r;

	fan->branch_count = 3;
	fan->branches[0] = (struct branch){ .ssrc = 7, .first = 4, .count = 2 };
	fan->branches[1] = (struct branch){ .ssrc = 8 };
	fan->branches[2] = (struct branch){ .first = 0, .count = 4, .flags = BRANCH_F_RTCP };
	tandem_ip_parse(&fan->legs[5].leg.egress.remote, "2001:db8::5");
	assert_int_equal(set(f, &spec), 0);

	r = &f->mem->entries[tandem_table_find(&f->table, 1)].rule;
	assert_true(r->flags & RULE_F_FAN);
	assert_false(r->flags & RULE_F_GROUP);
	built = &f->mem->fans[r->fan];
	assert_int_equal(built->branch_count, 3);
	assert_int_equal(built->branch[0].flags, BRANCH_F_IP6);
	assert_int_equal(built->branch[0].first, built->branch[2].first + 4);
	assert_int_equal(built->branch[1].count, 0);
	assert_int_equal(built->branch[2].flags, BRANCH_F_RTCP);
	assert_int_equal(f->mem->legs[built->branch[0].first].egress.remote_port, htons(5));
	assert_true(f->mem->legs[built->branch[0].first].egress.flags & EGRESS_F_ACTIVE);
	assert_int_equal(tandem_table_find_leg(&f->table, tandem_table_find(&f->table, 1), 6),
			 f->mem->legs[built->branch[0].first + 1].egress.state);
	assert_int_equal(tandem_table_find_leg(&f->table, tandem_table_find(&f->table, 1), 9),
			 TANDEM_NO_SLOT);

	back = tandem_table_fan(&f->table, tandem_table_find(&f->table, 1));
	assert_non_null(back);
	assert_int_equal(back->leg_count, 6);
	for (uint32_t i = 0; i < 6; i++) {
		fan->legs[i].leg.egress.flags |= EGRESS_F_ACTIVE;
		assert_memory_equal(&back->legs[i], &fan->legs[i], sizeof(fan->legs[i]));
	}
	assert_int_equal(back->branches[0].first, 4);
	assert_int_equal(back->branches[2].first, 0);
	free(back);
	free(fan);
}

static void counts_by_name(void **state)
{
	struct fixture *f = *state;
	struct tandem_fan *fan = fan_alloc(10, 1), *next = fan_alloc(10, 6);
	struct tandem_flow_spec spec = flow(1, fan);

	assert_int_equal(set(f, &spec), 0);
	mark_legs(f, 1);
	spec.fan = next;
	assert_int_equal(set(f, &spec), 0);
	check_legs(f, 1, 6, 10, 11);

	/* Another port, another slot: the counts go with it. */
	spec.key.local_port = htons(BASE + 50);
	assert_int_equal(set(f, &spec), 0);
	check_legs(f, 1, 6, 10, 11);

	/* Without a fan and with one again: its legs are new. */
	spec.fan = NULL;
	assert_int_equal(set(f, &spec), 0);
	check_legs(f, 1, 0, 0, 0);
	assert_null(tandem_table_fan(&f->table, tandem_table_find(&f->table, 1)));
	spec.fan = next;
	assert_int_equal(set(f, &spec), 0);
	check_legs(f, 1, 6, 10, 0);
	assert_int_equal(tandem_table_remove(&f->table, 1), 0);
	assert_int_equal(f->table.ranges.gaps[0].count, LEGS);
	free(fan);
	free(next);
}

/* Turned round, and with new ones between: each leg finds its own counts. */
static void counts_in_any_order(void **state)
{
	struct fixture *f = *state;
	struct tandem_fan *fan = fan_alloc(10, 1), *next = fan_alloc(20, 1);
	struct tandem_flow_spec spec = flow(1, fan);
	struct tandem_leg_stats legs[LEGS];
	size_t n;

	assert_int_equal(set(f, &spec), 0);
	mark_legs(f, 1);
	for (uint32_t i = 0; i < 20; i++)
		next->legs[i].id = i % 2 ? 10 - i / 2 : 100 + i;
	spec.fan = next;
	assert_int_equal(set(f, &spec), 0);
	tandem_table_read_legs(&f->table, tandem_table_find(&f->table, 1), legs, LEGS, &n);
	assert_int_equal(n, 20);
	for (uint32_t i = 0; i < 20; i++) {
		assert_int_equal(legs[i].id, i % 2 ? 10 - i / 2 : 100 + i);
		assert_int_equal(legs[i].packets, i % 2 ? 1000 + legs[i].id : 0);
	}
	assert_int_equal(tandem_table_remove(&f->table, 1), 0);
	free(fan);
	free(next);
}

static int full_h(const struct flow_key *key, uint32_t slot, void *arg)
{
	const struct fixture *f = arg;
	(void)key;

	return f->full && slot != TANDEM_NO_SLOT ? -ENOSPC : 0;
}

/* A move that fails both there and back: the flow is gone, and so is what its fans took. */
static void moved_to_nowhere(void **state)
{
	struct fixture *f = *state;
	struct tandem_fan *fan = fan_alloc(5, 1);
	struct tandem_flow_spec here = flow(1, NULL), there = flow(2, NULL), spec = flow(1, fan);

	f->table.shared_h = full_h;
	assert_int_equal(set(f, &here), 0);
	assert_int_equal(set(f, &there), 0);
	spec.id = 3; /* behind the first, and to be behind the second */
	spec.key.remote_port = htons(4001);
	assert_int_equal(set(f, &spec), 0);
	spec.key.local_port = there.key.local_port;
	f->full = true;
	assert_int_equal(set(f, &spec), -ENOSPC);
	assert_int_equal(tandem_table_find(&f->table, 3), TANDEM_NO_SLOT);
	assert_int_equal(f->table.ranges.gap_count, 1);
	assert_int_equal(f->table.ranges.gaps[0].count, LEGS);
	free(fan);
}

/* The legs of the fan in this place, which goes on as before although no rule leads to it. */
static void check_rests(struct fixture *f, const struct fan *fan, uint32_t gen, uint32_t first_id)
{
	const struct branch *b = &fan->branch[0];

	assert_int_equal(fan->gen, gen);
	for (uint32_t i = 0; i < b->count; i++)
		assert_int_equal(f->mem->states[f->mem->legs[b->first + i].egress.state].id,
				 first_id + i);
}

/* What has been left stays whole until its place is wanted; then its gen says so. */
static void rests_until_wanted(void **state)
{
	struct fixture *f = *state;
	struct tandem_fan *fan = fan_alloc(20, 1), *next = fan_alloc(20, 11);
	struct tandem_flow_spec spec = flow(1, fan);
	const struct fan *first, *second;
	uint32_t gen, state_of_11;

	f->table.retire_h = NULL;
	spec.pts.clock_hz[0] = 8000;
	assert_int_equal(set(f, &spec), 0);
	first = &f->mem->fans[f->mem->entries[tandem_table_find(&f->table, 1)].rule.fan];
	assert_int_equal(first->id, 1);
	assert_int_equal(first->slot, tandem_table_find(&f->table, 1));
	assert_int_equal(first->pts.clock_hz[0], 8000);
	gen = first->gen;
	assert_false(gen & 1);
	state_of_11 = tandem_table_find_leg(&f->table, first->slot, 11);
	mark_legs(f, 1);

	spec.fan = next;
	assert_int_equal(set(f, &spec), 0);
	second = &f->mem->fans[f->mem->entries[tandem_table_find(&f->table, 1)].rule.fan];
	assert_ptr_not_equal(first, second);
	check_rests(f, first, gen, 1);
	check_legs(f, 1, 11, 20, 21);
	assert_int_equal(tandem_table_find_leg(&f->table, first->slot, 11), state_of_11);

	/* 20 in use, 20 rest, 24 are free */
	spec = flow(2, fan);
	assert_int_equal(set(f, &spec), 0);
	check_rests(f, first, gen, 1);
	assert_int_equal(tandem_table_remove(&f->table, 2), 0);
	check_rests(f, first, gen, 1);
	spec = flow(3, fan); /* the oldest goes first */
	assert_int_equal(set(f, &spec), 0);
	assert_int_equal(tandem_table_remove(&f->table, 3), 0);
	assert_int_not_equal(first->gen, gen);
	check_legs(f, 1, 11, 20, 21);
	free(fan);
	free(next);
}

/* A change that is refused changes nothing, and takes no room. */
static void refused(void **state)
{
	struct fixture *f = *state;
	struct tandem_fan *fan = fan_alloc(30, 1), *big = fan_alloc(40, 1);
	struct tandem_flow_spec spec = flow(1, fan), other = flow(2, big);
	struct rule before;
	uint32_t slot;

	assert_int_equal(set(f, &spec), 0);
	mark_legs(f, 1);
	slot = tandem_table_find(&f->table, 1);
	before = f->mem->entries[slot].rule;

	spec.fan = big; /* both are there for a moment */
	assert_int_equal(set(f, &spec), -ENOSPC);
	assert_int_equal(set(f, &other), -ENOSPC);
	fan->branches[0].count = 29;
	spec.fan = fan;
	assert_int_equal(set(f, &spec), -EINVAL);
	fan->branch_count = TANDEM_MAX_BRANCHES + 1;
	assert_int_equal(set(f, &spec), -EINVAL);
	fan->branch_count = 2;
	fan->branches[0].count = 15;
	fan->branches[1] = (struct branch){ .ssrc = 1, .first = 14, .count = 15 };
	assert_int_equal(set(f, &spec), -EINVAL); /* a leg of two branches, and one of none */
	fan->branches[1].first = 16;
	assert_int_equal(set(f, &spec), -EINVAL); /* beyond the last */
	fan->branches[1].first = UINT32_MAX;
	assert_int_equal(set(f, &spec), -EINVAL);
	assert_memory_equal(&f->mem->entries[slot].rule, &before, sizeof(before));
	check_legs(f, 1, 1, 30, 31);

	/* The key of another flow: neither a new fan nor a move may stick. */
	other = flow(2, NULL);
	assert_int_equal(set(f, &other), 0);
	fan->branch_count = 1;
	fan->branches[0].count = 30;
	spec.key = other.key;
	assert_int_equal(set(f, &spec), -EEXIST);
	check_legs(f, 1, 1, 30, 31);
	assert_int_equal(f->table.ranges.gaps[0].count, LEGS - 30);
	free(fan);
	free(big);
}

static void adopted(void **state)
{
	struct fixture *f = *state;
	struct tandem_fan *a = fan_alloc(10, 1), *b = fan_alloc(20, 100);
	struct tandem_flow_spec one = flow(1, a), two = flow(2, b), three = flow(3, b);

	assert_int_equal(set(f, &one), 0);
	assert_int_equal(set(f, &two), 0);
	assert_int_equal(set(f, &three), 0);
	mark_legs(f, 2);
	assert_int_equal(tandem_table_remove(&f->table, 1), 0);
	f->mem->entries[tandem_table_find(&f->table, 3)].rule.fan = FANS; /* damaged */
	tandem_table_clean(&f->table);
	table_open(f);
	assert_int_equal(tandem_table_adopt(&f->table), 0);
	assert_int_equal(tandem_table_find(&f->table, 3), TANDEM_NO_SLOT);
	check_legs(f, 2, 100, 20, 120);
	assert_int_equal(set(f, &one), 0);
	check_legs(f, 1, 1, 10, 0);
	check_legs(f, 2, 100, 20, 120);
	free(a);
	free(b);
}

/* ---- groups ---- */

static void group_slots(void **state)
{
	struct fixture *f = *state;
	struct tandem_flow_spec any = spec_of(1, "239.1.1.1", 5004, "0.0.0.0", 0, NULL);
	struct tandem_flow_spec ssm = spec_of(2, "232.1.1.1", 5004, "198.51.100.1", 0, NULL);
	struct tandem_flow_spec six = spec_of(3, "ff3e::1", 5004, "2001:db8::1", 0, NULL);
	struct tandem_flow_spec ours = spec_of(4, "239.1.1.1", BASE, "::", 0, NULL);
	struct tandem_flow_spec back;
	struct flow_key key;
	uint32_t slot;

	assert_int_equal(set(f, &any), 0);
	assert_int_equal(set(f, &ssm), 0);
	assert_int_equal(set(f, &six), 0);
	assert_int_equal(set(f, &ours), 0); /* a port of ours, but another address */
	for (uint64_t id = 1; id <= 4; id++) {
		slot = tandem_table_find(&f->table, id);
		assert_false(tandem_slots_is_direct(f->table.slots, slot));
		assert_true(f->mem->entries[slot].rule.flags & RULE_F_GROUP);
		tandem_table_spec(&f->table, slot, &back);
		key = back.key;
		assert_int_equal(tandem_slots_lookup_shared(f->table.slots, &key), slot);
	}
	/* Any source is one key, whichever way it is written. */
	assert_int_equal(f->mem->entries[tandem_table_find(&f->table, 1)].rule.remote.d[1], 0);
	tandem_ip_parse(&any.key.remote, "::");
	any.id = 5;
	assert_int_equal(set(f, &any), -EEXIST);
	/* Any source, but one port: packets are not asked for that. */
	any.key.remote_port = htons(4000);
	assert_int_equal(set(f, &any), -EINVAL);

	/* The direct slot of the port of ours is nobody's. */
	assert_int_equal(f->mem->entries[0].rule.flags, 0);
	assert_int_equal(tandem_slots_on_port(f->table.slots, 0), 0);

	for (uint64_t id = 10; id < 14; id++) {
		ssm.id = id;
		ssm.key.remote_port = htons((uint16_t)id);
		assert_int_equal(set(f, &ssm), 0);
	}
	ssm.id = 14;
	ssm.key.remote_port = htons(14);
	assert_int_equal(set(f, &ssm), -ENOSPC);
	for (uint64_t id = 10; id < 14; id++)
		assert_int_equal(tandem_table_remove(&f->table, id), 0);
	ssm.key.local_port = 0;
	assert_int_equal(set(f, &ssm), -EADDRNOTAVAIL);
	assert_int_equal(tandem_slots_count(f->table.slots), 4);
}

/* Another source, another group, a port of ours, and back. */
static void group_moves(void **state)
{
	struct fixture *f = *state;
	struct tandem_fan *fan = fan_alloc(5, 1);
	struct tandem_flow_spec spec = spec_of(1, "232.1.1.1", 5004, "198.51.100.1", 0, fan);
	const char *const locals[] = { "232.1.1.1", "232.1.1.2", "192.0.2.1", "232.1.1.1" };
	struct flow_key before;
	uint32_t slot;

	assert_int_equal(set(f, &spec), 0);
	mark_legs(f, 1);
	f->mem->entries[tandem_table_find(&f->table, 1)].flow.packets = 77;
	for (size_t i = 0; i < 4; i++) {
		before = spec.key;
		tandem_ip_parse(&spec.key.local, locals[i]);
		spec.key.local_port = htons(i == 2 ? BASE : 5004);
		spec.key.remote_port = htons((uint16_t)(4000 + i));
		assert_int_equal(set(f, &spec), 0);
		slot = tandem_table_find(&f->table, 1);
		assert_int_equal(tandem_slots_lookup_shared(f->table.slots, &before),
				 TANDEM_NO_SLOT);
		assert_int_equal(!!(f->mem->entries[slot].rule.flags & RULE_F_GROUP), i != 2);
		assert_int_equal(tandem_slots_is_direct(f->table.slots, slot), i == 2);
		assert_int_equal(f->mem->entries[slot].flow.packets, 77);
		check_legs(f, 1, 1, 5, 6);
	}
	free(fan);
}

static void groups_are_adopted(void **state)
{
	struct fixture *f = *state;
	struct tandem_flow_spec ssm = spec_of(2, "232.1.1.1", 5004, "198.51.100.1", 0, NULL);
	uint32_t slot;

	assert_int_equal(set(f, &ssm), 0);
	slot = tandem_table_find(&f->table, 2);
	tandem_table_clean(&f->table);
	table_open(f);
	assert_int_equal(tandem_table_adopt(&f->table), 0);
	assert_int_equal(tandem_table_find(&f->table, 2), slot);
	assert_int_equal(tandem_slots_lookup_shared(f->table.slots, &ssm.key), slot);
	assert_int_equal(tandem_table_remove(&f->table, 2), 0);
	assert_int_equal(tandem_slots_count(f->table.slots), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(written_and_read_back, setup, teardown),
		cmocka_unit_test_setup_teardown(counts_by_name, setup, teardown),
		cmocka_unit_test_setup_teardown(counts_in_any_order, setup, teardown),
		cmocka_unit_test_setup_teardown(moved_to_nowhere, setup, teardown),
		cmocka_unit_test_setup_teardown(rests_until_wanted, setup, teardown),
		cmocka_unit_test_setup_teardown(refused, setup, teardown),
		cmocka_unit_test_setup_teardown(adopted, setup, teardown),
		cmocka_unit_test_setup_teardown(group_slots, setup, teardown),
		cmocka_unit_test_setup_teardown(group_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(groups_are_adopted, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
