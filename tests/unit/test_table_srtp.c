/* SPDX-License-Identifier: GPL-2.0-only */
/* Key sets of SRTP: shared by flows and by tables, written before a rule names them, and wiped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/datapath/holds.h"
#include "userspace/datapath/srtp_sets.h"
#include "userspace/datapath/table.h"

enum { BASE = 20000, PORTS = 10, SLOTS = PORTS + 2, SETS = 6, FANS = 3, LEGS = 8 };

struct arrays {
	struct entry entries[SLOTS];
	struct rule_more rules_more[SLOTS];
	struct flow_more flows_more[SLOTS];
	struct srtp_keys keys[SETS + 1];
	struct fan fans[FANS];
	struct leg legs[LEGS];
	struct leg_state leg_states[LEGS];
};

/* Two tables over the same sets, as the datapaths of a plane have them. */
struct fixture {
	struct tandem_srtp_sets *sets;
	struct arrays *mem[2];
	struct tandem_table table[2];
	unsigned int written, wiped; /* keys of table 0 */
	int refusal;
};

static int srtp_h(uint32_t index, const struct srtp_keys *keys, void *arg)
{
	struct fixture *f = arg;

	assert_in_range(index, 1, SETS);
	assert_int_equal(f->mem[0]->keys[index].gen & 1, 1);
	f->written += keys != NULL;
	f->wiped += keys == NULL;
	return keys ? f->refusal : 0;
}

static void table_open(struct fixture *f, int i)
{
	struct tandem_datapath_config cfg = { .locals_count = 1,
					      .port_min = BASE,
					      .port_max = BASE + PORTS - 1,
					      .flow_capacity = SLOTS,
					      .fan_capacity = FANS,
					      .leg_capacity = LEGS,
					      .srtp = f->sets };
	struct tandem_table_memory memory = { .entries = f->mem[i]->entries,
					      .rules_more = f->mem[i]->rules_more,
					      .flows_more = f->mem[i]->flows_more,
					      .fans = f->mem[i]->fans,
					      .legs = f->mem[i]->legs,
					      .leg_states = f->mem[i]->leg_states };
	struct relay_config relay;
	char why[256];

	tandem_ip_parse(&cfg.locals[0].ip, "192.0.2.1");
	assert_int_equal(tandem_table_config(&relay, &cfg, why, sizeof(why)), 0);
	assert_int_equal(relay.srtps, SETS + 1);
	assert_int_equal(relay.srtp_streams, SETS * TANDEM_SRTP_STREAMS);
	assert_int_equal(tandem_table_init(&f->table[i], &relay, &memory, NULL, f), 0);
	assert_int_equal(
		tandem_table_srtp_open(&f->table[i], f->mem[i]->keys, f->sets, i ? NULL : srtp_h),
		0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_int_equal(tandem_srtp_sets_alloc(&f->sets, SETS), 0);
	for (int i = 0; i < 2; i++) {
		f->mem[i] = calloc(1, sizeof(*f->mem[i]));
		table_open(f, i);
	}
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		tandem_table_clean(&f->table[i]);
		free(f->mem[i]);
	}
	tandem_srtp_sets_free(f->sets);
	free(f);
	return 0;
}

static struct tandem_srtp set_of(uint64_t id)
{
	struct tandem_srtp s = { .id = id,
				 .suite = SRTP_AES_CM_128_HMAC_SHA1_80,
				 .mki_len = 1,
				 .mki = { (uint8_t)id },
				 .streams = 2 };

	memset(s.key, (int)id, sizeof(s.key));
	memset(s.salt, (int)(id + 1), sizeof(s.salt));
	return s;
}

static struct tandem_flow_spec flow(uint64_t id, const struct tandem_srtp *in,
				    const struct tandem_srtp *old, const struct tandem_srtp *out)
{
	struct tandem_flow_spec s = {
		.id = id, .srtp_in = in, .srtp_in_old = old, .srtp_out = out
	};

	tandem_ip_parse(&s.key.local, "192.0.2.1");
	tandem_ip_parse(&s.key.remote, "198.51.100.9");
	s.key.local_port = htons((uint16_t)(BASE + id));
	s.key.remote_port = htons(4000);
	for (int i = 0; i < 2; i++) {
		s.egress[i].flags = EGRESS_F_ACTIVE;
		s.egress[i].local = s.key.local;
	}
	return s;
}

static const struct rule *rule_of(struct fixture *f, int table, uint64_t id)
{
	return &f->mem[table]->entries[tandem_table_find(&f->table[table], id)].rule;
}

static unsigned int in_use(const struct arrays *mem)
{
	unsigned int n = 0;

	for (size_t i = 1; i <= SETS; i++) {
		assert_int_equal(mem->keys[i].gen & 1, 0);
		n += mem->keys[i].suite != SRTP_SUITE_NONE;
	}
	return n;
}

static void keys_are_written_and_wiped(void **state)
{
	struct fixture *f = *state;
	struct tandem_srtp in = set_of(7), out = set_of(8);
	struct tandem_flow_spec spec = flow(1, &in, NULL, &out);
	const struct srtp_keys *k, zero = { 0 };
	const struct rule *r;
	uint32_t index;

	assert_int_equal(tandem_table_set(&f->table[0], &spec), 0);
	r = rule_of(f, 0, 1);
	assert_int_not_equal(r->srtp, SRTP_NO_KEYS);
	assert_int_not_equal(r->egress.srtp, SRTP_NO_KEYS);
	assert_int_not_equal(r->srtp, r->egress.srtp);
	assert_int_equal(f->mem[0]->rules_more[1].rtcp.srtp, r->egress.srtp);
	k = &f->mem[0]->keys[r->srtp];
	assert_int_equal(k->suite, in.suite);
	assert_int_equal(k->tag_len[SRTP_RTP], 10);
	assert_int_equal(k->mki[0], 7);
	assert_int_equal(k->stream_count, 2);
	assert_int_equal(k->next, SRTP_NO_KEYS);
	assert_memory_not_equal(k->session[SRTP_RTP].key, in.key, 16); /* derived */
	assert_int_equal(f->written, 2);

	/* The same again changes nothing; a flow more shares them. */
	assert_int_equal(tandem_table_set(&f->table[0], &spec), 0);
	spec = flow(2, &in, NULL, NULL);
	assert_int_equal(tandem_table_set(&f->table[0], &spec), 0);
	assert_int_equal(rule_of(f, 0, 2)->srtp, r->srtp);
	assert_int_equal(f->written, 2);

	index = r->srtp;
	assert_int_equal(tandem_table_remove(&f->table[0], 1), 0);
	assert_int_equal(f->wiped, 1);
	assert_int_equal(in_use(f->mem[0]), 1);
	spec.srtp_in = NULL;
	assert_int_equal(tandem_table_set(&f->table[0], &spec), 0);
	assert_int_equal(rule_of(f, 0, 2)->srtp, SRTP_NO_KEYS);
	assert_int_equal(f->wiped, 2);
	assert_memory_equal((const char *)&f->mem[0]->keys[index] + 4, (const char *)&zero + 4,
			    sizeof(zero) - 4);
}

static void tables_share_index_and_streams(void **state)
{
	struct fixture *f = *state;
	struct tandem_srtp a = set_of(7), b = set_of(8), c = set_of(9);
	struct tandem_flow_spec one = flow(1, &a, NULL, NULL), two = flow(2, &b, NULL, NULL),
				three = flow(3, &c, NULL, NULL);
	struct srtp_stream *streams = *tandem_srtp_sets_streams(f->sets);
	uint32_t first;

	/* One of them has fewer flows than the other. */
	assert_int_equal(tandem_table_set(&f->table[0], &one), 0);
	assert_int_equal(tandem_table_set(&f->table[0], &two), 0);
	assert_int_equal(tandem_table_set(&f->table[1], &two), 0);
	assert_int_equal(rule_of(f, 0, 2)->srtp, rule_of(f, 1, 2)->srtp);
	first = f->mem[1]->keys[rule_of(f, 1, 2)->srtp].first_stream;
	assert_int_equal(f->mem[0]->keys[rule_of(f, 0, 2)->srtp].first_stream, first);

	/* What one has begun the other goes on with, until both let go. */
	streams[first].owner = SRTP_OWNED | 5;
	assert_int_equal(tandem_table_remove(&f->table[0], 2), 0);
	assert_int_equal(tandem_table_set(&f->table[0], &three), 0);
	assert_true(f->mem[0]->keys[rule_of(f, 0, 3)->srtp].first_stream != first);
	assert_int_equal(tandem_table_set(&f->table[0], &two), 0);
	assert_true(streams[first].owner != 0);
	assert_int_equal(tandem_table_remove(&f->table[0], 2), 0);
	assert_int_equal(tandem_table_remove(&f->table[1], 2), 0);
	two.srtp_in = &b;
	assert_int_equal(tandem_table_set(&f->table[1], &two), 0);
	assert_true(streams[f->mem[1]->keys[rule_of(f, 1, 2)->srtp].first_stream].owner == 0);
}

static void old_keys_are_next(void **state)
{
	struct fixture *f = *state;
	struct tandem_srtp old = set_of(7), in = set_of(8);
	struct tandem_flow_spec one = flow(1, &old, NULL, NULL), two = flow(2, &in, NULL, NULL);
	uint32_t index;

	assert_int_equal(tandem_table_set(&f->table[0], &one), 0);
	index = rule_of(f, 0, 1)->srtp;
	assert_int_equal(tandem_table_set(&f->table[0], &two), 0);
	one = flow(1, &in, &old, NULL);
	assert_int_equal(tandem_table_set(&f->table[0], &one), 0);
	assert_int_equal(f->mem[0]->keys[rule_of(f, 0, 1)->srtp].next, index);
	assert_int_equal(in_use(f->mem[0]), 2);

	/* With the flow that had them the old ones go, and nothing leads to them. */
	assert_int_equal(tandem_table_remove(&f->table[0], 1), 0);
	assert_int_equal(in_use(f->mem[0]), 1);
	assert_int_equal(f->mem[0]->keys[rule_of(f, 0, 2)->srtp].next, SRTP_NO_KEYS);

	/* A set is not its own successor. */
	two.srtp_in_old = &in;
	assert_int_equal(tandem_table_set(&f->table[0], &two), 0);
	assert_int_equal(f->mem[0]->keys[rule_of(f, 0, 2)->srtp].next, SRTP_NO_KEYS);
	assert_int_equal(tandem_table_remove(&f->table[0], 2), 0);
	assert_int_equal(in_use(f->mem[0]), 0);
}

static void refused(void **state)
{
	struct fixture *f = *state;
	struct tandem_srtp sets[SETS + 1], wrong = set_of(50);
	struct tandem_flow_spec spec;

	wrong.suite = SRTP_SUITES;
	spec = flow(1, &wrong, NULL, NULL);
	assert_int_equal(tandem_table_set(&f->table[0], &spec), -EINVAL);
	wrong = set_of(0);
	assert_int_equal(tandem_table_set(&f->table[0], &spec), -EINVAL);
	wrong = set_of(50);
	wrong.mki_len = SRTP_MKI_MAX + 1;
	assert_int_equal(tandem_table_set(&f->table[0], &spec), -EINVAL);

	/* What the datapath cannot do is not left behind, and neither are the others. */
	wrong = set_of(50);
	sets[0] = set_of(60);
	f->refusal = -ENOMEM;
	assert_int_equal(tandem_table_set(&f->table[0], &spec), -ENOMEM);
	f->refusal = 0;
	spec = flow(1, &wrong, NULL, &sets[0]);
	spec.key.local_port = htons(BASE - 1);
	assert_int_equal(tandem_table_set(&f->table[0], &spec), -EADDRNOTAVAIL);
	assert_int_equal(in_use(f->mem[0]), 0);

	for (uint64_t i = 0; i <= SETS; i++) {
		sets[i] = set_of(i + 1);
		spec = flow(i + 1, &sets[i], NULL, NULL);
		assert_int_equal(tandem_table_set(&f->table[0], &spec), i < SETS ? 0 : -ENOSPC);
	}
	/* The flow that is changed keeps what it had. */
	spec = flow(1, &sets[SETS], NULL, NULL);
	assert_int_equal(tandem_table_set(&f->table[0], &spec), -ENOSPC);
	assert_int_equal(f->mem[0]->keys[rule_of(f, 0, 1)->srtp].id, 1);
	for (uint64_t id = 1; id <= SETS; id++)
		assert_int_equal(tandem_table_remove(&f->table[0], id), 0);
	assert_int_equal(in_use(f->mem[0]), 0);
}

static void keys_move_with_the_flow(void **state)
{
	struct fixture *f = *state;
	struct tandem_srtp in = set_of(7), out = set_of(8);
	struct tandem_flow_spec spec = flow(1, &in, NULL, &out);
	uint32_t index;

	assert_int_equal(tandem_table_set(&f->table[0], &spec), 0);
	index = rule_of(f, 0, 1)->srtp;
	spec.key.local_port = htons(BASE + 5);
	assert_int_equal(tandem_table_set(&f->table[0], &spec), 0);
	assert_int_equal(rule_of(f, 0, 1)->srtp, index);
	assert_int_equal(f->written, 2);
	assert_int_equal(tandem_table_remove(&f->table[0], 1), 0);
	assert_int_equal(in_use(f->mem[0]), 0);
}

/* Rules and keys outlive the controller; the next one has the same sets at the same places. */
static void adopted(void **state)
{
	struct fixture *f = *state;
	struct tandem_srtp in = set_of(7), old = set_of(8), out = set_of(9), gone = set_of(10);
	struct tandem_flow_spec spec = flow(1, &in, &old, &out), lost = flow(2, &gone, NULL, NULL);
	struct srtp_stream streams[SETS * TANDEM_SRTP_STREAMS] = { { 0 } };
	uint32_t index, first;

	assert_int_equal(tandem_table_set(&f->table[0], &spec), 0);
	assert_int_equal(tandem_table_set(&f->table[0], &lost), 0);
	index = rule_of(f, 0, 1)->srtp;
	first = f->mem[0]->keys[index].first_stream;
	memset(&f->mem[0]->entries[2].rule, 0, sizeof(struct rule)); /* keys that no rule names */
	tandem_table_clean(&f->table[0]);
	tandem_table_clean(&f->table[1]);
	tandem_srtp_sets_free(f->sets);

	assert_int_equal(tandem_srtp_sets_alloc(&f->sets, SETS), 0);
	streams[first].owner = SRTP_OWNED | 5;
	tandem_srtp_sets_move(f->sets, streams);
	table_open(f, 0);
	table_open(f, 1);
	assert_int_equal(tandem_table_adopt(&f->table[0]), 0);
	assert_int_equal(in_use(f->mem[0]), 3);
	assert_int_equal(f->mem[0]->keys[index].next, f->table[0].slot_keys[1].old);
	assert_int_equal(tandem_table_set(&f->table[1], &spec), 0);
	assert_int_equal(rule_of(f, 1, 1)->srtp, index);
	assert_int_equal(f->mem[1]->keys[index].first_stream, first);
	assert_true(streams[first].owner != 0);
	assert_int_equal(tandem_table_set(&f->table[0], &spec), 0);
	assert_int_equal(rule_of(f, 0, 1)->srtp, index);
	assert_int_equal(tandem_table_remove(&f->table[0], 1), 0);
	assert_int_equal(in_use(f->mem[0]), 0);

	/* Damaged keys take their rule with them. */
	assert_int_equal(tandem_table_set(&f->table[0], &spec), 0);
	f->mem[0]->keys[rule_of(f, 0, 1)->srtp].gen |= 1;
	tandem_table_clean(&f->table[0]);
	table_open(f, 0);
	assert_int_equal(tandem_table_adopt(&f->table[0]), 0);
	assert_int_equal(tandem_table_find(&f->table[0], 1), TANDEM_NO_SLOT);
	assert_int_equal(in_use(f->mem[0]), 0);
	tandem_srtp_sets_move(f->sets, NULL);
}

/* Two legs, which name the sets with these ids. */
static struct tandem_fan *fan_of(const struct tandem_srtp *keys, uint32_t count, uint64_t first,
				 uint64_t second)
{
	struct tandem_fan *fan = calloc(1, sizeof(*fan) + 2 * sizeof(fan->legs[0]));
	uint32_t i;

	fan->branch_count = 1;
	fan->leg_count = 2;
	fan->key_count = count;
	fan->keys = keys;
	fan->branches[0] = (struct branch){ .flags = BRANCH_F_ANY, .count = 2 };
	fan->legs[0].srtp = first;
	fan->legs[1].srtp = second;
	for (i = 0; i < 2; i++) {
		fan->legs[i].id = i;
		tandem_ip_parse(&fan->legs[i].leg.egress.local, "192.0.2.1");
		tandem_ip_parse(&fan->legs[i].leg.egress.remote, "198.51.100.9");
	}
	return fan;
}

static int set_fan(struct fixture *f, struct tandem_fan *fan)
{
	struct tandem_flow_spec spec = flow(1, NULL, NULL, NULL);
	int err;

	spec.fan = fan;
	err = tandem_table_set(&f->table[0], &spec);
	free(fan);
	return err;
}

static uint64_t leg_set(struct fixture *f, uint32_t i)
{
	const struct fan *fan = &f->mem[0]->fans[rule_of(f, 0, 1)->fan];
	uint32_t index = f->mem[0]->legs[fan->branch[0].first + i].egress.srtp;

	return index == SRTP_NO_KEYS ? 0 : f->mem[0]->keys[index].id;
}

static void legs_have_keys_of_their_own(void **state)
{
	struct fixture *f = *state;
	struct tandem_srtp keys[2] = { set_of(7), set_of(8) };
	struct tandem_fan *back;
	int i;

	assert_int_equal(set_fan(f, fan_of(keys, 2, 7, 8)), 0);
	assert_int_equal(leg_set(f, 0), 7);
	assert_int_equal(leg_set(f, 1), 8);
	assert_int_equal(in_use(f->mem[0]), 2);
	back = tandem_table_fan(&f->table[0], tandem_table_find(&f->table[0], 1));
	assert_int_equal(back->legs[1].srtp, 8);
	free(back);

	/* the fan of before rests, but its keys are wiped; those that stay are the same entry */
	assert_int_equal(set_fan(f, fan_of(keys, 2, 7, 0)), 0);
	assert_int_equal(leg_set(f, 1), 0);
	assert_int_equal(in_use(f->mem[0]), 1);
	assert_int_equal(f->written, 2);

	/* what is refused leaves all as it was */
	assert_int_equal(set_fan(f, fan_of(keys, 1, 7, 8)), -EPROTONOSUPPORT);
	assert_int_equal(set_fan(f, fan_of(keys, 0, 7, 0)), -EPROTONOSUPPORT);
	assert_int_equal(leg_set(f, 0), 7);
	assert_int_equal(in_use(f->mem[0]), 1);

	/* more changes than there are fans: places are used again, keys are neither lost nor kept */
	for (i = 0; i < 3 * FANS; i++)
		assert_int_equal(set_fan(f, fan_of(keys, 2, 7 + i % 2, 7)), 0);
	assert_int_equal(in_use(f->mem[0]), 1);
	assert_int_equal(tandem_table_remove(&f->table[0], 1), 0);
	assert_int_equal(in_use(f->mem[0]), 0);
}

static void keys_of_legs_are_adopted(void **state)
{
	struct fixture *f = *state;
	struct tandem_srtp keys[2] = { set_of(7), set_of(8) };

	assert_int_equal(set_fan(f, fan_of(keys, 2, 7, 8)), 0);
	tandem_table_clean(&f->table[0]);
	table_open(f, 0);
	assert_int_equal(tandem_table_adopt(&f->table[0]), 0);
	assert_int_equal(leg_set(f, 1), 8);
	assert_int_equal(in_use(f->mem[0]), 2);
	assert_int_equal(tandem_table_remove(&f->table[0], 1), 0);
	assert_int_equal(in_use(f->mem[0]), 0);

	/* a damaged set takes the rule with it, and the other set of its fan */
	assert_int_equal(set_fan(f, fan_of(keys, 2, 7, 8)), 0);
	f->mem[0]
		->keys[f->mem[0]
			       ->legs[f->mem[0]->fans[rule_of(f, 0, 1)->fan].branch[0].first + 1]
			       .egress.srtp]
		.suite = SRTP_SUITES;
	tandem_table_clean(&f->table[0]);
	table_open(f, 0);
	assert_int_equal(tandem_table_adopt(&f->table[0]), 0);
	assert_int_equal(tandem_table_find(&f->table[0], 1), TANDEM_NO_SLOT);
	assert_int_equal(in_use(f->mem[0]), 0);
}

static void without_sets_srtp_is_refused(void **state)
{
	struct fixture *f = *state;
	struct tandem_srtp in = set_of(7);
	struct tandem_flow_spec spec = flow(1, &in, NULL, NULL);

	tandem_table_clean(&f->table[0]);
	assert_int_equal(tandem_table_init(&f->table[0], &f->table[1].relay,
					   &(struct tandem_table_memory){
						   .entries = f->mem[0]->entries,
						   .rules_more = f->mem[0]->rules_more,
						   .flows_more = f->mem[0]->flows_more,
						   .fans = f->mem[0]->fans,
						   .legs = f->mem[0]->legs,
						   .leg_states = f->mem[0]->leg_states },
					   NULL, NULL),
			 0);
	assert_int_equal(tandem_table_set(&f->table[0], &spec), -EPROTONOSUPPORT);
	spec.srtp_in = NULL;
	assert_int_equal(tandem_table_set(&f->table[0], &spec), 0);
}

/* A flow goes, and another with its keys comes: what was counted under them goes on. */
static void held_between_flows(void **state)
{
	struct fixture *f = *state;
	struct tandem_srtp in = set_of(7), out = set_of(8);
	struct tandem_change changes[2] = { { .op = TANDEM_FLOW_REMOVE },
					    { .op = TANDEM_FLOW_SET } };
	struct tandem_holds holds = { 0 };
	struct srtp_stream *stream;
	struct srtp_keys keys;
	uint32_t index;

	changes[0].spec = flow(1, &in, NULL, &out);
	changes[1].spec = flow(2, &in, NULL, &out);
	assert_int_equal(tandem_holds_take(&holds, f->sets, &changes[1], 1), 0);
	assert_int_equal(holds.count, 0); /* nothing has them yet */
	assert_int_equal(tandem_table_set(&f->table[0], &changes[0].spec), 0);
	assert_true(tandem_srtp_sets_hold(f->sets, 8, &index));
	tandem_srtp_sets_read(f->sets, index, &keys);
	tandem_srtp_sets_put(f->sets, index);
	stream = &(*tandem_srtp_sets_streams(f->sets))[keys.first_stream];
	stream->rtcp_top = 42;

	assert_int_equal(tandem_holds_take(&holds, f->sets, changes, 2), 0);
	assert_int_equal(holds.count, 2);
	assert_int_equal(tandem_table_remove(&f->table[0], 1), 0);
	assert_int_equal(in_use(f->mem[0]), 0);
	assert_int_equal(tandem_table_set(&f->table[0], &changes[1].spec), 0);
	tandem_holds_release(&holds, f->sets);
	assert_int_equal(stream->rtcp_top, 42);
	assert_int_equal(in_use(f->mem[0]), 2);
	assert_int_equal(tandem_table_remove(&f->table[0], 2), 0);
	assert_false(tandem_srtp_sets_hold(f->sets, 8, &index));
	tandem_holds_clean(&holds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keys_are_written_and_wiped, setup, teardown),
		cmocka_unit_test_setup_teardown(tables_share_index_and_streams, setup, teardown),
		cmocka_unit_test_setup_teardown(old_keys_are_next, setup, teardown),
		cmocka_unit_test_setup_teardown(refused, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_move_with_the_flow, setup, teardown),
		cmocka_unit_test_setup_teardown(adopted, setup, teardown),
		cmocka_unit_test_setup_teardown(legs_have_keys_of_their_own, setup, teardown),
		cmocka_unit_test_setup_teardown(keys_of_legs_are_adopted, setup, teardown),
		cmocka_unit_test_setup_teardown(held_between_flows, setup, teardown),
		cmocka_unit_test_setup_teardown(without_sets_srtp_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
