// SPDX-License-Identifier: GPL-2.0-only
/* A few datagrams through the core, as it was compiled for this kernel. */
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core/copy.h"
#include "kmod/tandem.h"

#define PORT_BASE 20000
#define SHARED_AT 4 /* first slot behind those of the ports */

static const struct relay_config config = {
	.abi_version = TANDEM_ABI_VERSION,
	.slots = 8,
	.fans = 1,
	.legs = 3,
	.locals_count = 1,
	.port_base = PORT_BASE,
	.port_count = 4,
	.locals = { { .b = { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1 } } },
};

struct test_case {
	const char *name;
	u16 remote_port;
	u16 port; /* above PORT_BASE */
	u8 in[12];
	u8 out[12];
	u32 reason;
};

#define RTP(pt, seq, ssrc)                                                                         \
	{                                                                                          \
		0x80, pt, 0, seq, 0, 0, 0, 160, 0, 0, 0, ssrc                                      \
	}

static const struct test_case cases[] = {
	{ "translate", 4000, 0, RTP(0, 1, 0x11), RTP(8, 6, 0x22), REASON_forwarded_rtp },
	{ "other SSRC", 4000, 0, RTP(0, 1, 0x12), RTP(8, 1, 0x12), REASON_forwarded_rtp },
	{ "shared port", 4001, 0, RTP(0, 2, 0x31), RTP(0, 2, 0x31), REASON_forwarded_rtp },
	{ "unknown source", 4002, 0, RTP(0, 1, 0x11), RTP(0, 1, 0x11), REASON_unknown_source },
	{ "idle port", 4000, 1, RTP(0, 1, 0x11), RTP(0, 1, 0x11), REASON_idle_port },
	{ "other port", 4000, 4, RTP(0, 1, 0x11), RTP(0, 1, 0x11), REASON_not_media_port },
	{ "STUN", 4000, 0, { 0, 1 }, { 0, 1 }, REASON_stun },
	{ "bad RTCP", 4000, 0, { 0x80, 201, 0, 9 }, { 0x80, 201, 0, 9 }, REASON_bad_rtcp },
};

/* Port 2 has a fan: two legs for one SSRC, none for the others, one for RTCP. */
#define FAN_PORT 2
#define FAN_LEGS 2
#define FAN_SSRC 0x41

static const struct fan fan = {
	.branch_count = 3,
	.branch = { { .ssrc = FAN_SSRC, .first = 0, .count = FAN_LEGS },
		    { .flags = BRANCH_F_RTCP, .first = 2, .count = 1 },
		    { .flags = BRANCH_F_ANY } },
};

static const struct fan_case {
	int rtcp;
	u32 ssrc;
	u32 branch;
} fan_cases[] = { { 0, FAN_SSRC, 0 }, { 1, FAN_SSRC, 1 }, { 1, 0, 1 }, { 0, 0x42, 2 } };

/* With header extension element 3 and four octets of G.711 u-law. */
static const u8 fan_in[] = { 0x90, 0,	 0, 7, 0,    0,	   0, 160, 0,	 0,    0,    FAN_SSRC,
			     0xbe, 0xde, 0, 1, 0x30, 0x99, 0, 0,   0xff, 0x00, 0x7f, 0x80 };

/* To A-law, and with element 5; with an SSRC and sequence numbers of its own. */
static const u8 fan_out[FAN_LEGS][sizeof(fan_in)] = {
	{ 0x90, 8,    0, 7, 0,	  0,	0, 160, 0,    0,    0,	  FAN_SSRC,
	  0xbe, 0xde, 0, 1, 0x50, 0x99, 0, 0,	0xd5, 0x2a, 0x55, 0xaa },
	{ 0x90, 0,    0, 9, 0,	  0,	0, 160, 0,    0,    0,	  0x51,
	  0xbe, 0xde, 0, 1, 0x30, 0x99, 0, 0,	0xff, 0x00, 0x7f, 0x80 },
};

static struct genl_leg fan_legs_to_set[] = {
	{ .id = 1,
	  .leg = { .egress = { .flags = EGRESS_F_ACTIVE | EGRESS_F_PT | EGRESS_F_EXT,
			       .to_alaw = 1,
			       .pt_out = { 8 } },
		   .ext_id = { [3] = 5 } } },
	{ .id = 2,
	  .leg = { .egress = { .state = 1,
			       .flags = EGRESS_F_ACTIVE | EGRESS_F_SSRC | EGRESS_F_SEQ,
			       .ssrc = { FAN_SSRC, 0x51 },
			       .seq_offset = 2 } } },
	{ .id = 3, .leg = { .egress = { .state = 2, .flags = EGRESS_F_ACTIVE } } },
};

static void make_key(struct flow_key *key, u16 port, u16 remote_port)
{
	memset(key, 0, sizeof(*key));
	key->local = config.locals[0];
	key->local_port = htons(PORT_BASE + port);
	ip_addr_map4(&key->remote, htonl(0x0a000002));
	key->remote_port = htons(remote_port);
}

/* The part of a rule that is alike for all: where its packets come from and arrive. */
static void set_key(struct rule *rule, u16 port, u16 remote_port)
{
	struct flow_key key;

	make_key(&key, port, remote_port);
	rule->remote = key.remote;
	rule->remote_port = key.remote_port;
	rule->local_port = key.local_port;
}

static int add_rules(struct tandem_table *table)
{
	struct rule_spec spec = {
		.rule = { .flags = RULE_F_ACTIVE | RULE_F_SHARED,
			  .id = 1,
			  .egress = { .flags = EGRESS_F_ACTIVE | EGRESS_F_SSRC | EGRESS_F_SEQ |
					       EGRESS_F_PT,
				      .ssrc = { 0x11, 0x22 },
				      .seq_offset = 5,
				      .pt_out = { 8 } } },
		.more = { .media = TANDEM_NO_SLOT,
			  .reverse = TANDEM_NO_SLOT,
			  .pts.clock_hz = { 8000 } }, /* of payload type 0 */
	};
	int err;

	set_key(&spec.rule, 0, 4000);
	err = tandem_table_set(table, 0, &spec, NULL, NULL);
	if (err)
		return err;
	spec.rule.id = 2;
	spec.rule.flags = RULE_F_ACTIVE;
	spec.rule.egress.flags = EGRESS_F_ACTIVE;
	set_key(&spec.rule, 0, 4001);
	return tandem_table_set(table, SHARED_AT, &spec, NULL, NULL);
}

static int add_fan(struct tandem_table *table)
{
	const struct fan_spec legs = {
		.fan = fan,
		.range = { 0, ARRAY_SIZE(fan_legs_to_set) },
		.legs = fan_legs_to_set,
	};
	struct rule_spec spec = {
		.rule = { .flags = RULE_F_ACTIVE | RULE_F_FAN, .id = 3 },
		.more = { .media = TANDEM_NO_SLOT,
			  .reverse = TANDEM_NO_SLOT,
			  .pts.clock_hz = { 8000 } },
	};

	set_key(&spec.rule, FAN_PORT, 4000);
	return tandem_table_set(table, FAN_PORT, &spec, NULL, &legs);
}

static bool run(struct env *env, const struct test_case *test)
{
	u8 data[sizeof(test->in)] __aligned(4);
	struct flow_key key;
	struct plan plan;
	enum reason reason;

	memcpy(data, test->in, sizeof(data));
	make_key(&key, test->port, test->remote_port);
	reason = relay_datagram(env, &key, data, sizeof(data), &plan);
	if (reason == test->reason && !memcmp(data, test->out, sizeof(data)))
		return true;
	pr_err("tandem: selftest: %s: reason %u, %12phN\n", test->name, reason, data);
	return false;
}

static bool run_fan_find(void)
{
	u32 branch, i;

	for (i = 0; i < ARRAY_SIZE(fan_cases); i++) {
		if (fan_find(&fan, fan_cases[i].rtcp, fan_cases[i].ssrc, &branch) &&
		    branch == fan_cases[i].branch)
			continue;
		pr_err("tandem: selftest: SSRC %u goes to branch %u\n", fan_cases[i].ssrc, branch);
		return false;
	}
	return true;
}

/* One packet, and a copy for each leg. */
static bool run_copies(struct env *env)
{
	u8 data[sizeof(fan_in)] __aligned(4);
	const struct egress *eg;
	struct flow_key key;
	struct plan plan;
	enum reason reason;
	u32 n;

	memcpy(data, fan_in, sizeof(data));
	make_key(&key, FAN_PORT, 4000);
	reason = relay_datagram(env, &key, data, sizeof(data), &plan);
	if (reason != REASON_forwarded_rtp || !plan_many(&plan) || plan.legs != FAN_LEGS) {
		pr_err("tandem: selftest: fan: reason %u\n", reason);
		return false;
	}
	for (n = 0; n < FAN_LEGS; n++) {
		memcpy(data, fan_in, sizeof(data));
		reason = relay_copy_datagram(env, &plan, n, data, sizeof(data), &eg);
		if (reason == REASON_NONE && !memcmp(data, fan_out[n], sizeof(data)))
			continue;
		pr_err("tandem: selftest: copy %u: reason %u, %24phN\n", n, reason, data);
		return false;
	}
	return true;
}

/* What the packets have left in the flows and in the table of streams. */
static bool accounted(struct tandem_table *table)
{
	const struct extra_stream *second = tandem_table_stream(table, 0, 0x12, false);
	const struct flow *flow = &table->entries[0].flow;

	if (table->leg_states[1].packets == 1 && flow->packets == 2 &&
	    table->flows_more[0].unknown_source == 1 && flow->stream.packets == 1 && second &&
	    second->stream.packets == 1 && table->entries[SHARED_AT].flow.packets == 1)
		return true;
	pr_err("tandem: selftest: wrong statistics\n");
	return false;
}

int tandem_selftest(void)
{
	struct tandem_table *table;
	struct env env = {};
	bool good = true;
	int err = tandem_table_alloc(&table, &config, 16), i;

	if (err)
		return err;
	env.table = table;
	err = add_rules(table);
	if (!err)
		err = add_fan(table);
	for (i = 0; !err && i < ARRAY_SIZE(cases); i++)
		good &= run(&env, &cases[i]);
	if (!err)
		good &= run_fan_find() && run_copies(&env);
	if (!err && (!good || !accounted(table)))
		err = -EINVAL;
	synchronize_net();
	tandem_table_free(table);
	if (!err)
		pr_info("tandem: selftest: %zu packets as expected\n",
			ARRAY_SIZE(cases) + FAN_LEGS);
	return err;
}
