// SPDX-License-Identifier: GPL-2.0-only
/* A few datagrams through the core, as it was compiled for this kernel. */
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core/forward.h"
#include "kmod/tandem.h"

#define PORT_BASE 20000
#define SHARED_AT 4 /* first slot behind those of the ports */

static const struct relay_config config = {
	.abi_version = TANDEM_ABI_VERSION,
	.slots = 8,
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

static void make_key(struct flow_key *key, u16 port, u16 remote_port)
{
	memset(key, 0, sizeof(*key));
	key->local = config.locals[0];
	key->local_port = htons(PORT_BASE + port);
	ip_addr_map4(&key->remote, htonl(0x0a000002));
	key->remote_port = htons(remote_port);
}

static int add_rules(struct tandem_table *table)
{
	struct rule rule = {
		.flags = RULE_F_ACTIVE | RULE_F_SHARED,
		.id = 1,
		.media = TANDEM_NO_SLOT,
		.reverse = TANDEM_NO_SLOT,
		.egress[EGRESS_RTP] = { .flags = EGRESS_F_ACTIVE | EGRESS_F_SSRC | EGRESS_F_SEQ |
						 EGRESS_F_PT,
					.ssrc = { 0x11, 0x22 },
					.seq_offset = 5 },
		.pts.clock_hz = { 8000 }, /* of payload type 0 */
	};
	int err;

	make_key(&rule.key, 0, 4000);
	err = tandem_table_set(table, 0, &rule, NULL);
	if (err)
		return err;
	rule.id = 2;
	rule.flags = RULE_F_ACTIVE;
	rule.egress[EGRESS_RTP].flags = EGRESS_F_ACTIVE;
	make_key(&rule.key, 0, 4001);
	return tandem_table_set(table, SHARED_AT, &rule, NULL);
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

/* What the packets have left in the flows and in the table of streams. */
static bool accounted(struct tandem_table *table)
{
	const struct stream *second = tandem_table_stream(table, 0, 0x12, false);
	const struct flow *flow = &table->flows[0];

	if (flow->packets == 2 && flow->unknown_source == 1 && flow->stream.packets == 1 &&
	    second && second->packets == 1 && table->flows[SHARED_AT].packets == 1)
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
	for (i = 0; !err && i < ARRAY_SIZE(cases); i++)
		good &= run(&env, &cases[i]);
	if (!err && (!good || !accounted(table)))
		err = -EINVAL;
	synchronize_net();
	tandem_table_free(table);
	if (!err)
		pr_info("tandem: selftest: %zu packets as expected\n", ARRAY_SIZE(cases));
	return err;
}
