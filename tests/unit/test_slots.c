/* SPDX-License-Identifier: GPL-2.0-only */
/* Hash, slot assignment, references, and the rules that come of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "userspace/datapath/hash.h"
#include "userspace/datapath/slots.h"
#include "userspace/util/sparse.h"
#include "userspace/datapath/table.h"

#define BASE   20000
#define PORTS  100
#define LOCALS 2
#define DIRECT (LOCALS * PORTS)
#define SLOTS  (DIRECT + 8)

static struct relay_config small_relay(void)
{
	struct relay_config rc = { .abi_version = TANDEM_ABI_VERSION,
				   .slots = SLOTS,
				   .locals_count = LOCALS,
				   .port_base = BASE,
				   .port_count = PORTS };

	tandem_ip_parse(&rc.locals[0], "192.0.2.1");
	tandem_ip_parse(&rc.locals[1], "2001:db8::1");
	return rc;
}

static struct flow_key key_of(const char *local, uint16_t port, const char *remote, uint16_t rport)
{
	struct flow_key key = { .local_port = htons(port), .remote_port = htons(rport) };

	tandem_ip_parse(&key.local, local);
	tandem_ip_parse(&key.remote, remote);
	return key;
}

static struct flow_key v4(uint16_t port, uint16_t rport)
{
	return key_of("192.0.2.1", port, "198.51.100.9", rport);
}

/* ---- hash: against a plain array ---- */

static void hash_like_an_array(void **state)
{
	enum { KEYS = 2000 };
	uint32_t *model = malloc(KEYS * sizeof(*model));
	struct tandem_hash h;
	uint32_t count = 0;
	(void)state;

	memset(model, 0xff, KEYS * sizeof(*model));
	tandem_hash_init(&h, sizeof(uint64_t));
	srand(1);
	for (unsigned int step = 0; step < 200000; step++) {
		uint64_t k = (uint64_t)(rand() % KEYS);

		if (rand() % 2) {
			count += model[k] == TANDEM_HASH_NONE;
			model[k] = step;
			assert_int_equal(tandem_hash_set(&h, &k, step), 0);
		} else {
			count -= model[k] != TANDEM_HASH_NONE;
			model[k] = TANDEM_HASH_NONE;
			tandem_hash_remove(&h, &k);
		}
	}
	assert_int_equal(h.count, count);
	for (uint64_t k = 0; k < KEYS; k++)
		assert_int_equal(tandem_hash_get(&h, &k), model[k]);
	tandem_hash_clean(&h);
	free(model);
}

/* ---- slots ---- */

static void direct_slots(void **state)
{
	struct relay_config rc = small_relay();
	struct tandem_slots *s;
	struct flow_key key;
	(void)state;

	assert_int_equal(tandem_slots_alloc(&s, &rc), 0);
	key = v4(BASE, 1);
	assert_int_equal(tandem_slots_direct(s, &key), 0);
	key = v4(BASE + 99, 1);
	assert_int_equal(tandem_slots_direct(s, &key), 99);
	key = key_of("2001:db8::1", BASE + 1, "2001:db8::2", 1);
	assert_int_equal(tandem_slots_direct(s, &key), 101);
	key = v4(BASE + 100, 1);
	assert_int_equal(tandem_slots_direct(s, &key), TANDEM_NO_SLOT);
	key = v4(BASE - 1, 1);
	assert_int_equal(tandem_slots_direct(s, &key), TANDEM_NO_SLOT);
	key = key_of("192.0.2.2", BASE, "198.51.100.9", 1);
	assert_int_equal(tandem_slots_direct(s, &key), TANDEM_NO_SLOT);
	tandem_slots_free(s);
}

static void shared_ports(void **state)
{
	struct relay_config rc = small_relay();
	struct flow_key a = v4(BASE, 1), b = v4(BASE, 2), none = key_of("192.0.2.1", BASE, "::", 0);
	struct tandem_slots *s;
	uint32_t slot;
	(void)state;

	assert_int_equal(tandem_slots_alloc(&s, &rc), 0);
	assert_int_equal(tandem_slots_take(s, 1, &a, &slot), 0);
	assert_int_equal(slot, 0);
	assert_int_equal(tandem_slots_take(s, 2, &a, &slot), -EEXIST);
	assert_int_equal(tandem_slots_take(s, 1, &b, &slot), -EEXIST);
	assert_int_equal(tandem_slots_take(s, 3, &none, &slot), -EADDRINUSE);
	assert_int_equal(tandem_slots_take(s, 2, &b, &slot), 0);
	assert_int_equal(slot, DIRECT);
	assert_int_equal(tandem_slots_sharing(s, 0), 1);
	assert_int_equal(tandem_slots_on_port(s, 0), 2);
	assert_int_equal(tandem_slots_lookup_shared(s, &b), DIRECT);
	assert_int_equal(tandem_slots_lookup_shared(s, &a), TANDEM_NO_SLOT);
	assert_int_equal(tandem_slots_take(s, 9, &b, &slot), -EEXIST);

	/* The direct slot comes free and goes to the next new flow. */
	tandem_slots_release(s, 0);
	assert_int_equal(tandem_slots_on_port(s, 0), 1);
	assert_int_equal(tandem_slots_take(s, 3, &a, &slot), 0);
	assert_int_equal(slot, 0);
	assert_int_equal(tandem_slots_rekey(s, DIRECT, &a), -EEXIST);
	a = v4(BASE, 7);
	assert_int_equal(tandem_slots_rekey(s, DIRECT, &a), 0);
	assert_int_equal(tandem_slots_lookup_shared(s, &a), DIRECT);
	assert_int_equal(tandem_slots_lookup_shared(s, &b), TANDEM_NO_SLOT);
	a = v4(BASE + 1, 7);
	assert_int_equal(tandem_slots_rekey(s, DIRECT, &a), -EINVAL);
	assert_int_equal(tandem_slots_rekey(s, DIRECT, &none), -EADDRINUSE);
	tandem_slots_free(s);
}

static void capacity(void **state)
{
	struct relay_config rc = small_relay();
	struct flow_key key;
	struct tandem_slots *s;
	uint32_t slot;
	(void)state;

	assert_int_equal(tandem_slots_alloc(&s, &rc), 0);
	for (uint16_t i = 0; i < 9; i++) {
		key = v4(BASE, (uint16_t)(1 + i));
		assert_int_equal(tandem_slots_take(s, 1U + i, &key, &slot), 0);
	}
	key = v4(BASE, 100);
	assert_int_equal(tandem_slots_take(s, 100, &key, &slot), -ENOSPC);
	assert_int_equal(tandem_slots_find(s, 100), TANDEM_NO_SLOT);
	key = v4(BASE + 1, 100);
	assert_int_equal(tandem_slots_take(s, 101, &key, &slot), 0);

	tandem_slots_release(s, DIRECT + 3);
	key = v4(BASE, 100);
	assert_int_equal(tandem_slots_take(s, 100, &key, &slot), 0);
	assert_int_equal(slot, DIRECT + 3);
	assert_int_equal(tandem_slots_count(s), 10);
	tandem_slots_free(s);
}

static void adopting(void **state)
{
	struct relay_config rc = small_relay();
	struct flow_key key = v4(BASE, 1);
	struct tandem_slots *s;
	uint32_t slot;
	(void)state;

	assert_int_equal(tandem_slots_alloc(&s, &rc), 0);
	assert_int_equal(tandem_slots_adopt(s, 1, &key, 1), -EINVAL);
	assert_int_equal(tandem_slots_adopt(s, 1, &key, SLOTS), -EINVAL);
	assert_int_equal(tandem_slots_adopt(s, 1, &key, DIRECT + 2), 0);
	key = v4(BASE, 2);
	assert_int_equal(tandem_slots_adopt(s, 2, &key, DIRECT + 1), -EINVAL);
	assert_int_equal(tandem_slots_adopt(s, 1, &key, DIRECT + 4), -EEXIST);

	/* What was skipped is free, and so is what lies behind. */
	for (uint16_t i = 0; i < 8; i++) {
		key = v4(BASE, (uint16_t)(10 + i));
		assert_int_equal(tandem_slots_take(s, 10U + i, &key, &slot), 0);
		assert_int_not_equal(slot, DIRECT + 2);
	}
	key = v4(BASE, 50);
	assert_int_equal(tandem_slots_take(s, 50, &key, &slot), -ENOSPC);
	tandem_slots_free(s);
}

/* ---- table ---- */

struct fixture {
	struct relay_config rc;
	struct tandem_table_memory memory;
	struct tandem_table t;
	uint32_t hash_entries; /* what the datapath's hash would hold */
	int hash_error;
};

static int shared_h(const struct flow_key *key, uint32_t slot, void *arg)
{
	struct fixture *f = arg;

	(void)key;
	if (f->hash_error)
		return f->hash_error;
	f->hash_entries += slot != TANDEM_NO_SLOT ? 1 : (uint32_t)-1;
	return 0;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->rc = small_relay();
	f->memory.entries = tandem_sparse_alloc(SLOTS, sizeof(*f->memory.entries));
	f->memory.rules_more = tandem_sparse_alloc(SLOTS, sizeof(*f->memory.rules_more));
	f->memory.flows_more = tandem_sparse_alloc(SLOTS, sizeof(*f->memory.flows_more));
	*state = f;
	return tandem_table_init(&f->t, &f->rc, &f->memory, shared_h, f);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tandem_table_clean(&f->t);
	tandem_sparse_free(f->memory.entries, SLOTS, sizeof(*f->memory.entries));
	tandem_sparse_free(f->memory.rules_more, SLOTS, sizeof(*f->memory.rules_more));
	tandem_sparse_free(f->memory.flows_more, SLOTS, sizeof(*f->memory.flows_more));
	free(f);
	return 0;
}

static struct tandem_flow_spec spec_of(uint64_t id, struct flow_key key)
{
	return (struct tandem_flow_spec){
		.id = id, .media_id = id, .key = key, .flags = RULE_F_LEARN
	};
}

static void rules_written(void **state)
{
	struct fixture *f = *state;
	struct tandem_flow_spec spec = spec_of(5, v4(BASE + 3, 1)), back;

	spec.egress[0].flags = EGRESS_F_ACTIVE;
	spec.egress[0].dscp = 46;
	spec.egress[0].local = f->rc.locals[1];
	spec.pts.pt[0] = 8;
	spec.pts.clock_hz[0] = 8000;
	spec.egress[0].pt_out[0] = 9;
	spec.peer.from = 77;
	assert_int_equal(tandem_table_set(&f->t, &spec), 0);
	assert_int_equal(f->memory.entries[3].rule.flags, RULE_F_ACTIVE | RULE_F_LEARN);
	assert_int_equal(f->memory.entries[3].rule.id, 5);
	assert_int_equal(f->memory.rules_more[3].media, 3);
	assert_int_equal(f->memory.rules_more[3].reverse, TANDEM_NO_SLOT);
	assert_int_equal(f->memory.entries[3].rule.gen % 2, 0);
	assert_int_not_equal(f->memory.entries[3].rule.gen, 0);
	assert_int_equal(tandem_table_spec(&f->t, 3, &back), 0);
	assert_memory_equal(&back, &spec, sizeof(spec));

	assert_int_equal(tandem_table_remove(&f->t, 5), 0);
	assert_int_equal(f->memory.entries[3].rule.flags, 0);
	assert_int_equal(tandem_table_remove(&f->t, 5), -ENOENT);
	tandem_ip_parse(&spec.egress[0].local, "192.0.2.9"); /* is none of the relay's */
	assert_int_equal(tandem_table_set(&f->t, &spec), -EADDRNOTAVAIL);
	spec.id = 0;
	assert_int_equal(tandem_table_set(&f->t, &spec), -EINVAL);
	spec.id = TANDEM_PLACEHOLDER_ID;
	assert_int_equal(tandem_table_set(&f->t, &spec), -EINVAL);
}

static void state_follows_the_id(void **state)
{
	struct fixture *f = *state;
	struct tandem_flow_spec spec = spec_of(5, v4(BASE, 1));

	f->memory.entries[0].flow.packets = 99;
	tandem_table_set(&f->t, &spec);
	assert_int_equal(f->memory.entries[0].flow.packets, 0);

	f->memory.entries[0].flow.packets = 10;
	f->memory.entries[0].flow.nexthop.expires_ns = 1;
	spec.key.remote_port = htons(2);
	assert_int_equal(tandem_table_set(&f->t, &spec), 0);
	assert_int_equal(f->memory.entries[0].flow.packets, 10);

	/* To another local port, and to one that is not there. */
	spec.key = v4(BASE + 7, 2);
	assert_int_equal(tandem_table_set(&f->t, &spec), 0);
	assert_int_equal(f->memory.entries[7].flow.packets, 10);
	assert_int_equal(f->memory.entries[7].flow.nexthop.gen, 1);
	assert_int_equal(f->memory.entries[0].rule.flags, 0);
	spec.key = v4(BASE + PORTS, 2);
	assert_int_equal(tandem_table_set(&f->t, &spec), -EADDRNOTAVAIL);
	assert_int_equal(f->memory.entries[7].rule.id, 5);

	spec = spec_of(6, v4(BASE + 7, 2));
	assert_int_equal(tandem_table_remove(&f->t, 5), 0);
	assert_int_equal(tandem_table_set(&f->t, &spec), 0);
	assert_int_equal(f->memory.entries[7].flow.packets, 0);
}

static void references_in_any_order(void **state)
{
	struct fixture *f = *state;
	struct tandem_flow_spec rtp = spec_of(1, v4(BASE, 1)), rtcp = spec_of(2, v4(BASE + 1, 1)),
				back = spec_of(3, v4(BASE + 2, 1));

	rtcp.media_id = 1;
	rtcp.reverse_id = 3;
	rtp.reverse_id = 3;
	back.reverse_id = 1;
	assert_int_equal(tandem_table_set(&f->t, &rtcp), 0);
	assert_int_equal(f->memory.rules_more[1].media, TANDEM_NO_SLOT);
	assert_int_equal(tandem_table_set(&f->t, &rtp), 0);
	assert_int_equal(f->memory.rules_more[1].media, 0);
	assert_int_equal(tandem_table_set(&f->t, &back), 0);
	assert_int_equal(f->memory.rules_more[1].reverse, 2);
	assert_int_equal(f->memory.rules_more[0].reverse, 2);
	assert_int_equal(f->memory.rules_more[2].reverse, 0);

	/* The one that is referred to moves, goes, and comes back elsewhere. */
	back.key = v4(BASE + 9, 1);
	assert_int_equal(tandem_table_set(&f->t, &back), 0);
	assert_int_equal(f->memory.rules_more[1].reverse, 9);
	assert_int_equal(tandem_table_remove(&f->t, 3), 0);
	assert_int_equal(f->memory.rules_more[0].reverse, TANDEM_NO_SLOT);
	assert_int_equal(f->memory.rules_more[1].reverse, TANDEM_NO_SLOT);
	back.key = v4(BASE + 4, 1);
	assert_int_equal(tandem_table_set(&f->t, &back), 0);
	assert_int_equal(f->memory.rules_more[0].reverse, 4);
	rtp.reverse_id = 0;
	assert_int_equal(tandem_table_set(&f->t, &rtp), 0);
	assert_int_equal(f->memory.rules_more[0].reverse, TANDEM_NO_SLOT);
	assert_int_equal(f->memory.rules_more[1].reverse, 4);
}

static void placeholder(void **state)
{
	struct fixture *f = *state;
	struct tandem_flow_spec a = spec_of(1, v4(BASE, 1)), b = spec_of(2, v4(BASE, 2));

	assert_int_equal(tandem_table_set(&f->t, &a), 0);
	assert_int_equal(tandem_table_set(&f->t, &b), 0);
	assert_true(f->memory.entries[0].rule.flags & RULE_F_SHARED);
	assert_false(f->memory.entries[DIRECT].rule.flags & RULE_F_SHARED);
	assert_int_equal(f->hash_entries, 1);
	b.key.remote_port = htons(3);
	assert_int_equal(tandem_table_set(&f->t, &b), 0);
	assert_int_equal(f->hash_entries, 1);

	assert_int_equal(tandem_table_remove(&f->t, 1), 0);
	assert_int_equal(f->memory.entries[0].rule.flags, RULE_F_ACTIVE | RULE_F_SHARED);
	assert_true(f->memory.entries[0].rule.id == TANDEM_PLACEHOLDER_ID);
	assert_int_equal(f->memory.entries[0].rule.remote_port, 0);
	assert_int_equal(f->memory.entries[0].rule.local_port, htons(BASE));

	assert_int_equal(tandem_table_set(&f->t, &a), 0);
	assert_int_equal(f->memory.entries[0].rule.id, 1);
	assert_true(f->memory.entries[0].rule.flags & RULE_F_SHARED);
	assert_int_equal(tandem_table_remove(&f->t, 1), 0);
	assert_int_equal(tandem_table_remove(&f->t, 2), 0);
	assert_int_equal(f->memory.entries[0].rule.flags, 0);
	assert_int_equal(f->hash_entries, 0);

	/* The datapath's hash being full leaves nothing behind. */
	assert_int_equal(tandem_table_set(&f->t, &a), 0);
	f->hash_error = -E2BIG;
	assert_int_equal(tandem_table_set(&f->t, &b), -E2BIG);
	assert_false(f->memory.entries[0].rule.flags & RULE_F_SHARED);
	assert_int_equal(f->memory.entries[DIRECT].rule.gen % 2, 0);
	assert_int_equal(tandem_table_find(&f->t, 2), TANDEM_NO_SLOT);
}

static void count_h(const struct tandem_flow_spec *spec, void *arg)
{
	uint64_t *sum = arg;

	*sum += spec->id;
}

static void take_over(void **state)
{
	struct fixture *f = *state;
	struct tandem_flow_spec a = spec_of(1, v4(BASE, 1)), b = spec_of(2, v4(BASE, 2)),
				c = spec_of(4, v4(BASE + 1, 2)), back;
	uint64_t sum = 0;

	b.reverse_id = 4;
	tandem_table_set(&f->t, &a);
	tandem_table_set(&f->t, &b);
	tandem_table_set(&f->t, &c);
	a = spec_of(8, v4(BASE + 2, 2));
	tandem_table_set(&f->t, &a);
	tandem_table_remove(&f->t, 1);
	f->memory.entries[DIRECT].flow.packets = 12;
	f->memory.entries[2].rule.gen |= 1; /* its writer died */

	tandem_table_clean(&f->t);
	f->hash_entries = 0;
	assert_int_equal(tandem_table_init(&f->t, &f->rc, &f->memory, shared_h, f), 0);
	assert_int_equal(tandem_table_adopt(&f->t), 0);
	tandem_table_list(&f->t, count_h, &sum);
	assert_int_equal(sum, 6);
	assert_int_equal(f->hash_entries, 1);
	assert_int_equal(f->memory.entries[2].rule.flags, 0);
	assert_int_equal(f->memory.entries[2].rule.gen % 2, 0);
	assert_int_equal(f->memory.entries[DIRECT].flow.packets, 12);
	assert_int_equal(tandem_table_spec(&f->t, DIRECT, &back), 0);
	assert_memory_equal(&back, &b, sizeof(b));

	/* Same id again: the state stays. The placeholder goes with the last that shares. */
	assert_int_equal(tandem_table_set(&f->t, &b), 0);
	assert_int_equal(f->memory.entries[DIRECT].flow.packets, 12);
	assert_int_equal(tandem_table_remove(&f->t, 2), 0);
	assert_int_equal(f->memory.entries[0].rule.flags, 0);
	assert_int_equal(tandem_table_remove(&f->t, 4), 0);
	for (uint32_t i = 0; i < SLOTS; i++)
		assert_int_equal(f->memory.entries[i].rule.flags, 0);
}

/* Random changes, checked against what they should amount to. */
static void random_changes(void **state)
{
	enum { IDS = 60 };
	struct fixture *f = *state;
	bool there[IDS + 1] = { 0 };
	uint32_t count = 0;

	srand(2);
	for (unsigned int step = 0; step < 50000; step++) {
		uint64_t id = 1 + (uint64_t)(rand() % IDS);
		struct tandem_flow_spec spec =
			spec_of(id, v4((uint16_t)(BASE + rand() % 40), (uint16_t)(1 + id)));

		spec.reverse_id = 1 + (uint64_t)(rand() % IDS);
		if (rand() % 3) {
			if (tandem_table_set(&f->t, &spec) == 0) {
				count += !there[id];
				there[id] = true;
			}
		} else {
			assert_int_equal(tandem_table_remove(&f->t, id), there[id] ? 0 : -ENOENT);
			count -= there[id];
			there[id] = false;
		}
	}
	assert_int_equal(tandem_slots_count(f->t.slots), count);
	for (uint32_t i = 0; i < SLOTS; i++) {
		uint64_t id = tandem_slots_id(f->t.slots, i);
		const struct rule *r = &f->memory.entries[i].rule;
		uint64_t target = tandem_refs_get(&f->t.refs, i, TANDEM_REF_REVERSE);

		assert_int_equal(r->gen % 2, 0);
		if (!id) {
			assert_int_equal(r->id == TANDEM_PLACEHOLDER_ID,
					 i < DIRECT && tandem_slots_sharing(f->t.slots, i) > 0);
			continue;
		}
		assert_int_equal(r->id, id);
		assert_int_equal(tandem_slots_find(f->t.slots, id), i);
		assert_int_equal(f->memory.rules_more[i].reverse,
				 tandem_slots_find(f->t.slots, target));
		if (i < DIRECT)
			assert_int_equal(!!(r->flags & RULE_F_SHARED),
					 tandem_slots_sharing(f->t.slots, i) > 0);
	}
}

static void configurations(void **state)
{
	struct tandem_datapath_config cfg = {
		.locals_count = 1, .port_min = 20000, .port_max = 20099, .flow_capacity = 100
	};
	struct relay_config rc;
	char why[128];
	(void)state;

	assert_int_equal(tandem_table_config(&rc, &cfg, why, sizeof(why)), 0);
	assert_int_equal(rc.slots, 100);
	assert_int_equal(rc.port_count, 100);
	cfg.flow_capacity = 99;
	assert_int_equal(tandem_table_config(&rc, &cfg, why, sizeof(why)), -EINVAL);
	assert_string_equal(why, "capacity of 99 flows is less than 1 addresses with 100 ports");
	cfg.locals_count = 0;
	assert_int_equal(tandem_table_config(&rc, &cfg, why, sizeof(why)), -EINVAL);
	cfg.locals_count = 1;
	cfg.port_max = 19999;
	assert_int_equal(tandem_table_config(&rc, &cfg, why, sizeof(why)), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_like_an_array),
		cmocka_unit_test(direct_slots),
		cmocka_unit_test(shared_ports),
		cmocka_unit_test(capacity),
		cmocka_unit_test(adopting),
		cmocka_unit_test(configurations),
		cmocka_unit_test_setup_teardown(rules_written, setup, teardown),
		cmocka_unit_test_setup_teardown(state_follows_the_id, setup, teardown),
		cmocka_unit_test_setup_teardown(references_in_any_order, setup, teardown),
		cmocka_unit_test_setup_teardown(placeholder, setup, teardown),
		cmocka_unit_test_setup_teardown(take_over, setup, teardown),
		cmocka_unit_test_setup_teardown(random_changes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
