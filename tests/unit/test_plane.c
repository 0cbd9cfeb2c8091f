/* SPDX-License-Identifier: GPL-2.0-only */
/* The plane over two datapaths that only keep books, and how their views are joined. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/stream_of.h"
#include "userspace/datapath/join.h"
#include "userspace/datapath/plane.h"

enum { FLOWS = 200 };

/* ---- a datapath that only keeps books ---- */

struct tandem_datapath {
	struct tandem_flow_spec specs[FLOWS];
	struct tandem_flow_stats stats[FLOWS];
	uint64_t refuse_id;
	int refuse_error;
	int order; /* of the latest apply */
	bool kept;
	struct tandem_leg_stats legs[4];
	size_t leg_count;
	uint32_t fan_leg; /* id of the first leg of the last fan */
	uint64_t key_in;  /* ids of the last keys */
	uint64_t key_out;
};

static struct tandem_datapath fake_fast, fake_slow;
static int fast_open_error, slow_open_error, order, opened;

static int fake_open(struct tandem_datapath **dpp, struct tandem_datapath *dp, int error, char *why,
		     size_t why_size)
{
	if (error) {
		snprintf(why, why_size, "it is broken");
		return error;
	}
	*dpp = dp;
	opened++;
	return 0;
}

static int fast_open(struct tandem_datapath **dpp, const struct tandem_datapath_config *cfg,
		     char *why, size_t why_size)
{
	(void)cfg;
	return fake_open(dpp, &fake_fast, fast_open_error, why, why_size);
}

static int slow_open(struct tandem_datapath **dpp, const struct tandem_datapath_config *cfg,
		     char *why, size_t why_size)
{
	(void)cfg;
	return fake_open(dpp, &fake_slow, slow_open_error, why, why_size);
}

static int find(const struct tandem_datapath *dp, uint64_t id)
{
	for (int i = 0; i < FLOWS; i++) {
		if (dp->specs[i].id == id)
			return i;
	}
	return -1;
}

static int fake_apply(struct tandem_datapath *dp, struct tandem_change *changes, size_t n)
{
	dp->order = ++order;
	for (size_t i = 0; i < n; i++) {
		struct tandem_change *c = &changes[i];
		int at = find(dp, c->spec.id);

		c->result = 0;
		if (c->op == TANDEM_FLOW_REMOVE) {
			c->result = at < 0 ? -ENOENT : 0;
			if (at >= 0)
				dp->specs[at].id = 0;
		} else if (c->spec.id == dp->refuse_id) {
			c->result = dp->refuse_error;
		} else {
			dp->specs[at < 0 ? find(dp, 0) : at] = c->spec;
			if (c->spec.fan)
				dp->fan_leg = c->spec.fan->legs[0].id;
			dp->key_in = c->spec.srtp_in ? c->spec.srtp_in->id : 0;
			dp->key_out = c->spec.srtp_out ? c->spec.srtp_out->id : 0;
		}
	}
	return 0;
}

static int fake_read(struct tandem_datapath *dp, uint64_t id, struct tandem_flow_stats *stats)
{
	int at = find(dp, id);

	if (at < 0)
		return -ENOENT;
	*stats = dp->stats[at];
	return 0;
}

static int fake_read_legs(struct tandem_datapath *dp, uint64_t id, struct tandem_leg_stats *legs,
			  size_t max, size_t *n)
{
	if (find(dp, id) < 0)
		return -ENOENT;
	for (*n = 0; *n < dp->leg_count && *n < max; (*n)++)
		legs[*n] = dp->legs[*n];
	return 0;
}

static int fake_list(struct tandem_datapath *dp, tandem_installed_h *h, void *arg)
{
	for (int i = 0; i < FLOWS; i++) {
		if (dp->specs[i].id)
			h(&dp->specs[i], arg);
	}
	return 0;
}

static int fake_counters(struct tandem_datapath *dp, struct reason_counters *c)
{
	memset(c, 0, sizeof(*c));
	c->packets[REASON_stun] = dp == &fake_fast ? 1 : 2;
	return 0;
}

static int fake_event_fd(struct tandem_datapath *dp)
{
	return dp == &fake_slow ? 77 : -1;
}

static void fake_dispatch(struct tandem_datapath *dp, const struct tandem_event_handlers *handlers,
			  void *arg)
{
	struct tandem_unknown_source src = { .flow_id = dp == &fake_slow ? 5 : 6 };

	handlers->unknown_source(&src, arg);
}

static int fake_send(struct tandem_datapath *dp, const struct tandem_endpoint *local,
		     const struct tandem_endpoint *remote, const void *payload, size_t len)
{
	return dp == &fake_slow && local->port == 1 && remote->port == 2 &&
			       !memcmp(payload, "hello", len)
		       ? 0
		       : -EINVAL;
}

static const char *fake_describe(struct tandem_datapath *dp)
{
	return dp == &fake_fast ? "native on eth1" : "one worker";
}

static void fake_close(struct tandem_datapath *dp, bool keep)
{
	dp->kept = keep;
	opened--;
}

#define FAKE(n, o)                                                                                 \
	{                                                                                          \
		.name = n, .srtp = true, .open = o, .apply = fake_apply, .read = fake_read,        \
		.read_legs = fake_read_legs, .list = fake_list, .counters = fake_counters,         \
		.event_fd = fake_event_fd, .dispatch = fake_dispatch, .send = fake_send,           \
		.describe = fake_describe, .close = fake_close,                                    \
	}
static const struct tandem_datapath_ops fast_ops = FAKE("fast", fast_open);
static const struct tandem_datapath_ops slow_ops = FAKE("slow", slow_open);

static int setup(void **state)
{
	struct tandem_datapath_config cfg = { 0 };
	struct tandem_plane *plane;
	char why[64];

	memset(&fake_fast, 0, sizeof(fake_fast));
	memset(&fake_slow, 0, sizeof(fake_slow));
	fast_open_error = slow_open_error = 0;
	if (tandem_plane_open_ops(&plane, &fast_ops, false, &slow_ops, &cfg, why, sizeof(why)))
		return -1;
	*state = plane;
	return 0;
}

static int teardown(void **state)
{
	tandem_plane_close(*state, true);
	return opened;
}

static struct tandem_change set(uint64_t id)
{
	return (struct tandem_change){ .op = TANDEM_FLOW_SET, .spec.id = id, .result = 1 };
}

static struct tandem_change removal(uint64_t id)
{
	return (struct tandem_change){ .op = TANDEM_FLOW_REMOVE, .spec.id = id, .result = 1 };
}

/* ---- opening ---- */

static void opening(void **state)
{
	struct tandem_datapath_config cfg = { 0 };
	struct tandem_flow_stats stats;
	struct tandem_plane *plane;
	struct tandem_change c = set(1);
	char why[64];
	(void)state;

	fast_open_error = -EPERM;
	assert_int_equal(
		tandem_plane_open_ops(&plane, &fast_ops, false, &slow_ops, &cfg, why, sizeof(why)),
		-EPERM);
	assert_string_equal(why, "fast: it is broken");
	assert_int_equal(opened, 0);

	assert_int_equal(
		tandem_plane_open_ops(&plane, &fast_ops, true, &slow_ops, &cfg, why, sizeof(why)),
		0);
	assert_string_equal(why, "fast: it is broken");
	assert_string_equal(tandem_plane_name(plane), "slow");
	assert_string_equal(tandem_plane_describe(plane), "one worker");
	assert_int_equal(tandem_plane_apply(plane, &c, 1), 0);
	assert_int_equal(c.result, 0);
	assert_int_equal(tandem_plane_read(plane, 1, &stats), 0);
	assert_false(stats.offloaded);
	assert_string_equal(stats.datapath, "slow");
	assert_string_equal(stats.reason, "no fast on this host: it is broken");
	tandem_plane_close(plane, true);

	fast_open_error = 0;
	slow_open_error = -ENOSYS;
	assert_int_equal(
		tandem_plane_open_ops(&plane, &fast_ops, true, &slow_ops, &cfg, why, sizeof(why)),
		-ENOSYS);
	assert_int_equal(opened, 0);
	slow_open_error = 0;
	assert_int_equal(tandem_plane_open(&plane, "none", &cfg, why, sizeof(why)), -EINVAL);
	assert_string_equal(why, "there is no datapath \"none\"");
}

static void closing(void **state)
{
	struct tandem_datapath_config cfg = { 0 };
	struct tandem_plane *plane;
	char why[64];
	(void)state;

	for (int keep = 0; keep < 2; keep++) {
		assert_int_equal(tandem_plane_open_ops(&plane, &fast_ops, false, &slow_ops, &cfg,
						       why, sizeof(why)),
				 0);
		assert_string_equal(why, "");
		tandem_plane_close(plane, keep);
		assert_int_equal(fake_fast.kept, keep);
		assert_int_equal(opened, 0);
	}
}

/* ---- changes ---- */

static void both_take_it(void **state)
{
	struct tandem_plane *plane = *state;
	struct tandem_change changes[150];
	struct tandem_flow_stats stats;

	for (uint64_t i = 0; i < 150; i++)
		changes[i] = set(i + 1);
	assert_int_equal(tandem_plane_apply(plane, changes, 150), 0);
	for (int i = 0; i < 150; i++)
		assert_int_equal(changes[i].result, 0);
	assert_true(fake_slow.order < fake_fast.order);
	assert_int_equal(tandem_plane_read(plane, 150, &stats), 0);
	assert_true(stats.offloaded);
	assert_string_equal(stats.datapath, "fast");
	assert_string_equal(stats.reason, "");

	changes[0] = removal(150);
	changes[1] = removal(9999);
	assert_int_equal(tandem_plane_apply(plane, changes, 2), 0);
	assert_int_equal(changes[0].result, 0);
	assert_int_equal(changes[1].result, -ENOENT);
	assert_int_equal(tandem_plane_read(plane, 150, &stats), -ENOENT);
}

static void fast_refuses(void **state)
{
	struct tandem_plane *plane = *state;
	struct tandem_change c = set(7);
	struct tandem_flow_stats stats;

	/* It is in the fast path; a change of it is refused: the old rule must go. */
	assert_int_equal(tandem_plane_apply(plane, &c, 1), 0);
	fake_fast.refuse_id = 7;
	fake_fast.refuse_error = -ENOSPC;
	assert_int_equal(tandem_plane_apply(plane, &c, 1), 0);
	assert_int_equal(c.result, 0);
	assert_int_equal(find(&fake_fast, 7), -1);
	assert_int_equal(tandem_plane_read(plane, 7, &stats), 0);
	assert_false(stats.offloaded);
	assert_string_equal(stats.datapath, "slow");
	assert_string_equal(stats.reason, "the fast path is full");

	fake_fast.refuse_id = 0;
	assert_int_equal(tandem_plane_apply(plane, &c, 1), 0);
	assert_int_equal(tandem_plane_read(plane, 7, &stats), 0);
	assert_true(stats.offloaded);
}

static void slow_refuses(void **state)
{
	struct tandem_plane *plane = *state;
	struct tandem_change c = set(7);
	struct tandem_flow_stats stats;

	fake_slow.refuse_id = 7;
	fake_slow.refuse_error = -EADDRINUSE;
	assert_int_equal(tandem_plane_apply(plane, &c, 1), 0);
	assert_int_equal(c.result, 0);
	assert_int_equal(tandem_plane_read(plane, 7, &stats), 0);
	assert_true(stats.offloaded);

	fake_fast.refuse_id = 7;
	fake_fast.refuse_error = -ENOSPC;
	assert_int_equal(tandem_plane_apply(plane, &c, 1), 0);
	assert_int_equal(c.result, -EADDRINUSE);
	assert_int_equal(tandem_plane_read(plane, 7, &stats), -ENOENT);
}

static void sum_h(const struct tandem_flow_spec *spec, void *arg)
{
	*(uint64_t *)arg += spec->id;
}

static void source_h(const struct tandem_unknown_source *src, void *arg)
{
	*(uint64_t *)arg += src->flow_id;
}

static void the_rest(void **state)
{
	struct tandem_plane *plane = *state;
	const struct tandem_event_handlers handlers = { .unknown_source = source_h };
	const struct tandem_endpoint from = { .port = 1 }, to = { .port = 2 };
	struct reason_counters fast, slow;
	uint64_t sum = 0;

	fake_fast.specs[3].id = 30; /* left by an earlier process */
	fake_slow.specs[3].id = 40;
	assert_int_equal(tandem_plane_list(plane, sum_h, &sum), 0);
	assert_int_equal(sum, 30);
	assert_int_equal(tandem_plane_counters(plane, &fast, &slow), 0);
	assert_int_equal(fast.packets[REASON_stun], 1);
	assert_int_equal(slow.packets[REASON_stun], 2);
	assert_string_equal(tandem_plane_name(plane), "fast");
	assert_string_equal(tandem_plane_describe(plane), "native on eth1");
	assert_int_equal(tandem_plane_event_fd(plane), 77);
	sum = 0;
	tandem_plane_dispatch(plane, &handlers, &sum);
	assert_int_equal(sum, 5);
	assert_int_equal(tandem_plane_send(plane, &from, &to, "hello", 5), 0);
}

/* ---- joining ---- */

static void joined_flows(void **state)
{
	struct tandem_plane *plane = *state;
	struct tandem_change c = set(1);
	struct tandem_flow_stats *fast, *slow, out;

	assert_int_equal(tandem_plane_apply(plane, &c, 1), 0);
	fast = &fake_fast.stats[find(&fake_fast, 1)];
	slow = &fake_slow.stats[find(&fake_slow, 1)];
	fast->flow.packets = 10;
	slow->flow.packets = 3;
	fast->flow.dropped = 1;
	slow->flow.dropped = 2;
	slow->flow.unknown_source = 4;
	slow->flow.unknown_port = 99;
	slow->flow.last_ns = 8;
	slow->flow.last_reason = REASON_stun;
	fast->stream_count = 2;
	fast->streams[0] = stream_of(100, 109, 0, 5, 9);
	fast->streams[1] = stream_of(1, 2, 0, 5, 9);
	fast->streams[1].ssrc = 2;
	slow->stream_count = 2;
	slow->streams[0] = stream_of(97, 99, 0, 1, 4);
	slow->streams[1] = stream_of(1, 2, 0, 5, 9);
	slow->streams[1].ssrc = 3;

	assert_int_equal(tandem_plane_read(plane, 1, &out), 0);
	assert_int_equal(out.flow.packets, 13);
	assert_int_equal(out.fast_packets, 10);
	assert_int_equal(out.slow_packets, 3);
	assert_int_equal(out.flow.dropped, 3);
	assert_int_equal(out.flow.unknown_source, 4);
	assert_int_equal(out.flow.unknown_port, 99);
	assert_int_equal(out.flow.last_reason, REASON_stun);
	assert_int_equal(out.stream_count, 3);
	assert_int_equal(out.streams[0].packets, 13);
	assert_int_equal(out.flow.stream.packets, 13);
	assert_int_equal(out.streams[2].ssrc, 3);
}

static void joined_legs(void **state)
{
	struct tandem_plane *plane = *state;
	struct tandem_change c = set(7);
	struct tandem_leg_stats legs[4];
	size_t n = 9;

	assert_int_equal(tandem_plane_read_legs(plane, 7, legs, 4, &n), -ENOENT);
	assert_int_equal(n, 0);
	tandem_plane_apply(plane, &c, 1);
	fake_fast.leg_count = fake_slow.leg_count = 3;
	fake_fast.legs[0] = (struct tandem_leg_stats){ 1, REASON_no_route, 10, 100, 2 };
	fake_fast.legs[1] = (struct tandem_leg_stats){ 2, 0, 20, 200, 0 };
	fake_fast.legs[2] = (struct tandem_leg_stats){ 3, 0, 30, 300, 0 };
	/* a change that only one has made yet: another order, and one more */
	fake_slow.legs[0] = (struct tandem_leg_stats){ 1, REASON_send_failed, 1, 1, 1 };
	fake_slow.legs[1] = (struct tandem_leg_stats){ 3, REASON_send_failed, 3, 3, 3 };
	fake_slow.legs[2] = (struct tandem_leg_stats){ 4, 0, 4, 4, 0 };
	assert_int_equal(tandem_plane_read_legs(plane, 7, legs, 4, &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(legs[0].packets, 11);
	assert_int_equal(legs[0].octets, 101);
	assert_int_equal(legs[0].lost, 3);
	assert_int_equal(legs[0].last_reason, REASON_no_route);
	assert_int_equal(legs[1].packets, 20);
	assert_int_equal(legs[2].packets, 33);
	assert_int_equal(legs[2].last_reason, REASON_send_failed);
	assert_int_equal(legs[3].id, 4);
	assert_int_equal(tandem_plane_read_legs(plane, 7, legs, 2, &n), 0);
	assert_int_equal(n, 2);
}

static const char *reason_of(struct tandem_plane *plane, uint64_t id)
{
	struct tandem_flow_stats stats;

	assert_int_equal(tandem_plane_read(plane, id, &stats), 0);
	return stats.reason;
}

/*
 * What was refused because of the host is offered again, with its fan and its keys; what it is
 * not, is not.
 */
static void offered_again(void **state)
{
	struct tandem_fan *fan = calloc(1, sizeof(*fan) + sizeof(fan->legs[0]));
	struct tandem_srtp *keys = calloc(2, sizeof(*keys));
	struct tandem_plane *plane = *state;
	struct tandem_change c = set(7);
	int i, before;

	assert_non_null(fan);
	assert_non_null(keys);
	keys[0].id = 50;
	keys[1].id = 51;
	c.spec.srtp_in = &keys[0];
	c.spec.srtp_out = &keys[1];
	fan->leg_count = 1;
	fan->legs[0].id = 42;
	c.spec.fan = fan;
	fake_fast.refuse_id = 7;
	fake_fast.refuse_error = -EOPNOTSUPP;
	tandem_plane_apply(plane, &c, 1);
	free(fan);
	free(keys);
	assert_string_equal(reason_of(plane, 7), "an interface in generic mode cannot copy");
	fake_fast.fan_leg = 0;
	fake_fast.key_in = fake_fast.key_out = 0;
	before = fake_fast.order;
	for (i = 0; i < 60; i++)
		tandem_plane_retry(plane);
	assert_true(fake_fast.order > before && order - before < 8);
	assert_int_equal(find(&fake_fast, 7), -1);
	fake_fast.refuse_id = 0;
	for (i = 0; i < 64; i++)
		tandem_plane_retry(plane);
	assert_string_equal(reason_of(plane, 7), "");
	assert_int_equal(fake_fast.fan_leg, 42);
	assert_int_equal(fake_fast.key_in, 50);
	assert_int_equal(fake_fast.key_out, 51);
	before = fake_fast.order;
	for (i = 0; i < 200; i++)
		tandem_plane_retry(plane);
	assert_int_equal(fake_fast.order, before);

	c = set(8);
	fake_fast.refuse_id = 8;
	fake_fast.refuse_error = -E2BIG;
	tandem_plane_apply(plane, &c, 1);
	assert_string_equal(reason_of(plane, 8), "more egresses than the fast path can copy to");
	before = fake_fast.order;
	for (i = 0; i < 200; i++)
		tandem_plane_retry(plane);
	assert_int_equal(fake_fast.order, before);
}

/* A flow that is gone, or that has changed, is not offered as it was. */
static void not_offered_again(void **state)
{
	struct tandem_plane *plane = *state;
	struct tandem_change c;
	int i;

	fake_fast.refuse_error = -ENOSPC;
	for (uint64_t id = 1; id <= 40; id++) {
		fake_fast.refuse_id = id;
		c = set(id);
		tandem_plane_apply(plane, &c, 1);
		if (id % 2) {
			c = removal(id);
			tandem_plane_apply(plane, &c, 1);
		}
	}
	fake_fast.refuse_id = 0;
	c = set(2);
	c.spec.flags = RULE_F_MUTE;
	tandem_plane_apply(plane, &c, 1);
	for (i = 0; i < 64; i++)
		tandem_plane_retry(plane);
	for (uint64_t id = 1; id <= 40; id++)
		assert_int_equal(find(&fake_fast, id) >= 0, id % 2 == 0);
	assert_int_equal(fake_fast.specs[find(&fake_fast, 2)].flags, RULE_F_MUTE);
}

/* Who has no SRTP gets no flow with keys, nor keeps what it was before; io_uring carries it. */
static void without_srtp(void **state)
{
	static const struct tandem_srtp key = { .id = 9 };
	struct tandem_datapath_ops plain_fast = fast_ops, plain_slow = slow_ops;
	struct tandem_datapath_config cfg = { 0 };
	struct tandem_plane *plane;
	struct tandem_change c[3] = { set(1), set(2), set(3) };
	char why[64];

	(void)state;
	memset(&fake_fast, 0, sizeof(fake_fast));
	memset(&fake_slow, 0, sizeof(fake_slow));
	plain_fast.srtp = false;
	assert_int_equal(tandem_plane_open_ops(&plane, &plain_fast, false, &slow_ops, &cfg, why,
					       sizeof(why)),
			 0);
	tandem_plane_apply(plane, c, 3);
	assert_true(find(&fake_fast, 2) >= 0);
	c[1].spec.srtp_out = &key;
	assert_int_equal(tandem_plane_apply(plane, c, 3), 0);
	assert_true(find(&fake_fast, 1) >= 0 && find(&fake_fast, 3) >= 0);
	/* of which all climbs, for nothing is known of it */
	assert_int_equal(fake_fast.specs[find(&fake_fast, 2)].flags, RULE_F_LEARN);
	assert_null(fake_fast.specs[find(&fake_fast, 2)].srtp_out);
	assert_false(fake_fast.specs[find(&fake_fast, 2)].egress[EGRESS_RTP].flags);
	assert_true(fake_slow.specs[find(&fake_slow, 2)].srtp_out == &key);
	assert_int_equal(c[1].result, 0);
	assert_string_equal(reason_of(plane, 2), "the fast path has no SRTP");
	tandem_plane_close(plane, false);

	plain_slow.srtp = false;
	assert_int_equal(
		tandem_plane_open_ops(&plane, NULL, false, &plain_slow, &cfg, why, sizeof(why)), 0);
	assert_int_equal(tandem_plane_apply(plane, c, 3), 0);
	assert_int_equal(c[0].result, 0);
	assert_int_equal(c[1].result, -EPROTONOSUPPORT);
	assert_int_equal(find(&fake_slow, 2), -1);
	tandem_plane_close(plane, false);
}

static int tap_open(struct tandem_datapath *dp, uint32_t size)
{
	(void)dp;
	(void)size;
	return 0;
}

/* Who makes no copies gets no flow that is captured; it goes back when the capture is over. */
static void without_tap(void **state)
{
	struct tandem_datapath_ops with_tap = slow_ops;
	struct tandem_datapath_config cfg = { 0 };
	struct tandem_change c[2] = { set(1), set(2) };
	struct tandem_plane *plane;
	char why[64];

	(void)state;
	memset(&fake_fast, 0, sizeof(fake_fast));
	memset(&fake_slow, 0, sizeof(fake_slow));
	with_tap.tap_open = tap_open;
	assert_int_equal(
		tandem_plane_open_ops(&plane, &fast_ops, false, &with_tap, &cfg, why, sizeof(why)),
		0);
	c[1].spec.flags |= RULE_F_TAP_CLEAR;
	assert_int_equal(tandem_plane_apply(plane, c, 2), 0);
	assert_int_equal(c[1].result, 0);
	assert_int_equal(fake_fast.specs[find(&fake_fast, 2)].flags, RULE_F_LEARN);
	assert_true(find(&fake_slow, 2) >= 0);
	assert_string_equal(reason_of(plane, 2),
			    "it is captured, and the fast path makes no copies for captures");
	assert_string_equal(reason_of(plane, 1), "");
	c[1].spec.flags &= ~(uint32_t)RULE_F_TAPS;
	assert_int_equal(tandem_plane_apply(plane, &c[1], 1), 0);
	assert_string_equal(reason_of(plane, 2), "");
	assert_true(fake_fast.specs[find(&fake_fast, 2)].egress[EGRESS_RTP].flags ==
		    c[1].spec.egress[EGRESS_RTP].flags);
	tandem_plane_close(plane, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opening),
		cmocka_unit_test(closing),
		cmocka_unit_test_setup_teardown(both_take_it, setup, teardown),
		cmocka_unit_test_setup_teardown(fast_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(slow_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(the_rest, setup, teardown),
		cmocka_unit_test_setup_teardown(joined_flows, setup, teardown),
		cmocka_unit_test_setup_teardown(joined_legs, setup, teardown),
		cmocka_unit_test_setup_teardown(offered_again, setup, teardown),
		cmocka_unit_test_setup_teardown(not_offered_again, setup, teardown),
		cmocka_unit_test(without_srtp),
		cmocka_unit_test(without_tap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
