/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A caller behind a NAT: its SDP says 192.168.1.5, its signalling comes from
 * 192.0.2.10, and its media from whatever port the NAT has chosen.
 */
#include "tests/unit/session_fixture.h"

#define PRIVATE "192.168.1.5"

static void nat_call(struct fixture *fx, const char *extra)
{
	assert_int_equal(fx_dialog(fx, CALL), 0);
	assert_int_equal(fx_offer(fx, TANDEM_PARTY_A, audio(PRIVATE, 4000, extra)), 0);
	assert_int_equal(fx_answer(fx, TANDEM_PARTY_B, audio(CALLEE, 5000, extra)), 0);
	assert_int_equal(tandem_session_confirm(fx->ss, CALL), 0);
}

static bool is_open(struct fixture *fx, enum tandem_party_id from, enum tandem_component comp)
{
	return fx_flow(fx, 0, from, comp)->flags & RULE_F_LEARN;
}

/* Queue a packet of an unknown source on the port of a flow, and hand it over. */
static void packet(struct fixture *fx, enum tandem_component comp, const char *host, uint16_t port,
		   const uint8_t *head, size_t len)
{
	struct tandem_unknown_source *src = &fx->plane.queue[fx->plane.queued++];

	memset(src, 0, sizeof(*src));
	src->flow_id = fx_flow(fx, 0, TANDEM_PARTY_A, comp)->id;
	src->remote = ep(host, port);
	memcpy(src->head, head, len);
	src->head_len = src->len = len;
	tandem_sessions_dispatch(fx->ss);
}

static void rtp(struct fixture *fx, const char *host, uint16_t port, uint8_t pt, uint16_t seq,
		uint8_t ssrc)
{
	const uint8_t head[12] = { 0x80, pt, seq >> 8, seq & 0xff, 0, 0, 0, 0, 0, 0, 0, ssrc };

	packet(fx, TANDEM_RTP, host, port, head, sizeof(head));
}

static void rtcp(struct fixture *fx, enum tandem_component comp, const char *host, uint16_t port,
		 uint8_t ssrc)
{
	const uint8_t head[8] = { 0x80, 200, 0, 6, 0, 0, 0, ssrc };

	packet(fx, comp, host, port, head, sizeof(head));
}

static void learned(void **state)
{
	struct fixture fx;
	uint64_t id;

	(void)state;
	fx_open(&fx);
	nat_call(&fx, "");
	id = fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->id;
	assert_true(is_open(&fx, TANDEM_PARTY_A, TANDEM_RTP));
	assert_true(is_open(&fx, TANDEM_PARTY_A, TANDEM_RTCP));
	assert_false(is_open(&fx, TANDEM_PARTY_B, TANDEM_RTP));

	rtp(&fx, CALLER, 61000, 0, 10, 1);
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), PRIVATE ":4000");
	rtp(&fx, CALLER, 61000, 0, 11, 1);
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), CALLER ":61000");
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP), EGRESS_RTP, CALLER ":61000");
	assert_true(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->id == id);
	assert_false(is_open(&fx, TANDEM_PARTY_A, TANDEM_RTP));

	/* locked: another one comes too late */
	rtp(&fx, CALLER, 62000, 0, 20, 2);
	rtp(&fx, CALLER, 62000, 0, 21, 2);
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), CALLER ":61000");

	/* RTCP of the same stream from the same host follows at once */
	assert_true(is_open(&fx, TANDEM_PARTY_A, TANDEM_RTCP));
	rtcp(&fx, TANDEM_RTCP, CALLER, 61777, 1);
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTCP), CALLER ":61777");
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTCP), EGRESS_RTCP, CALLER ":61777");
	fx_clean(&fx);
}

/* Nothing of this may be learned from. */
static void refused(void **state)
{
	static const struct {
		const char *what;
		struct {
			const char *host;
			uint16_t port;
			uint8_t pt;
			uint16_t seq;
			uint8_t ssrc;
		} p[2];
	} cases[] = {
		{ "a stranger", { { "203.0.113.1", 1, 0, 1, 1 }, { "203.0.113.1", 1, 0, 2, 1 } } },
		{ "payload type", { { CALLER, 1, 18, 1, 1 }, { CALLER, 1, 18, 2, 1 } } },
		{ "another stream", { { CALLER, 1, 0, 1, 1 }, { CALLER, 1, 0, 2, 2 } } },
		{ "another port", { { CALLER, 1, 0, 1, 1 }, { CALLER, 2, 0, 2, 1 } } },
		{ "the same again", { { CALLER, 1, 0, 1, 1 }, { CALLER, 1, 0, 1, 1 } } },
		{ "backwards", { { CALLER, 1, 0, 2, 1 }, { CALLER, 1, 0, 1, 1 } } },
		{ "far ahead", { { CALLER, 1, 0, 1, 1 }, { CALLER, 1, 0, 18, 1 } } },
	};
	struct fixture fx;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fx_open(&fx);
		nat_call(&fx, "");
		for (k = 0; k < 2; k++)
			rtp(&fx, cases[i].p[k].host, cases[i].p[k].port, cases[i].p[k].pt,
			    cases[i].p[k].seq, cases[i].p[k].ssrc);
		if (!is_open(&fx, TANDEM_PARTY_A, TANDEM_RTP))
			fail_msg("learned from: %s", cases[i].what);
		fx_clean(&fx);
	}
}

static void not_rtp(void **state)
{
	static const uint8_t stun[20] = { 0, 1 }, v1[12] = { 0x40 }, brief[11] = { 0x80 };
	struct fixture fx;
	int i;

	(void)state;
	fx_open(&fx);
	nat_call(&fx, "");
	for (i = 0; i < 2; i++) {
		packet(&fx, TANDEM_RTP, CALLER, 1, stun, sizeof(stun));
		packet(&fx, TANDEM_RTP, CALLER, 1, v1, sizeof(v1));
		packet(&fx, TANDEM_RTP, CALLER, 1, brief, sizeof(brief));
		packet(&fx, TANDEM_RTP, CALLER, 1, brief, 3);
		rtcp(&fx, TANDEM_RTP, CALLER, 1, 1);
	}
	assert_true(is_open(&fx, TANDEM_PARTY_A, TANDEM_RTP));
	/* and RTP is nothing for the RTCP port */
	for (i = 0; i < 2; i++) {
		const uint8_t head[12] = { 0x80, 0, 0, 1 + i };

		packet(&fx, TANDEM_RTCP, CALLER, 1, head, sizeof(head));
	}
	assert_true(is_open(&fx, TANDEM_PARTY_A, TANDEM_RTCP));
	fx_clean(&fx);
}

static void rtcp_alone(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	nat_call(&fx, "");
	rtcp(&fx, TANDEM_RTCP, CALLER, 61001, 1);
	rtcp(&fx, TANDEM_RTCP, CALLER, 61001, 2);
	assert_true(is_open(&fx, TANDEM_PARTY_A, TANDEM_RTCP));
	rtcp(&fx, TANDEM_RTCP, CALLER, 61001, 2);
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTCP), CALLER ":61001");
	fx_clean(&fx);
}

static void mux_learns_from_either(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	nat_call(&fx, "a=rtcp-mux\r\n");
	rtcp(&fx, TANDEM_RTP, CALLER, 61000, 1);
	rtcp(&fx, TANDEM_RTP, CALLER, 61000, 1);
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), CALLER ":61000");
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP), EGRESS_RTCP, CALLER ":61000");
	fx_clean(&fx);
}

static void pass(struct fixture *fx, uint64_t ms)
{
	fx->now_ms += ms;
	tandem_sessions_tick(fx->ss);
}

static void window_ends(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	nat_call(&fx, "");
	pass(&fx, 4999);
	assert_true(is_open(&fx, TANDEM_PARTY_A, TANDEM_RTP));
	/* closed by the time, even before the tick says so to the plane */
	fx.now_ms++;
	rtp(&fx, CALLER, 61000, 0, 10, 1);
	rtp(&fx, CALLER, 61000, 0, 11, 1);
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), PRIVATE ":4000");
	pass(&fx, 0);
	assert_false(is_open(&fx, TANDEM_PARTY_A, TANDEM_RTP));
	/* two RTCP packets may be ten seconds apart */
	assert_true(is_open(&fx, TANDEM_PARTY_A, TANDEM_RTCP));
	pass(&fx, 10000);
	assert_false(is_open(&fx, TANDEM_PARTY_A, TANDEM_RTCP));
	fx_clean(&fx);
}

/* Signalling by way of a proxy looks like NAT, until the first packet shows that it is none. */
static void signalled_address_proves_itself(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	nat_call(&fx, "");
	fx_stats(&fx, TANDEM_PARTY_A, TANDEM_RTP)->flow.packets = 1;
	rtp(&fx, CALLER, 61000, 0, 10, 1);
	rtp(&fx, CALLER, 61000, 0, 11, 1);
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), PRIVATE ":4000");
	pass(&fx, 1000);
	assert_false(is_open(&fx, TANDEM_PARTY_A, TANDEM_RTP));
	/* a re-INVITE that changes nothing does not open it again */
	fx_offer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, ""));
	fx_answer(&fx, TANDEM_PARTY_A, audio(PRIVATE, 4000, ""));
	assert_false(is_open(&fx, TANDEM_PARTY_A, TANDEM_RTP));
	fx_clean(&fx);
}

/* So it does by packets that a command holds back: they are accounted, though they do not pass. */
static void blocked_address_proves_itself(void **state)
{
	const struct tandem_act_target target = { .call = CALL, .media = -1 };
	struct tandem_flow_stats *stats;
	struct fixture fx;
	bool partly;

	(void)state;
	fx_open(&fx);
	nat_call(&fx, "");
	assert_int_equal(tandem_session_act(fx.ss, &target, TANDEM_ACT_BLOCK, false, &partly), 0);
	stats = fx_stats(&fx, TANDEM_PARTY_A, TANDEM_RTP);
	stats->stream_count = 1;
	stats->streams[0].packets = 1;
	rtp(&fx, CALLER, 61000, 0, 10, 1);
	rtp(&fx, CALLER, 61000, 0, 11, 1);
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), PRIVATE ":4000");
	pass(&fx, 1000);
	assert_false(is_open(&fx, TANDEM_PARTY_A, TANDEM_RTP));
	fx_clean(&fx);
}

static void reinvite_keeps_or_forgets(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	nat_call(&fx, "");
	rtp(&fx, CALLER, 61000, 0, 10, 1);
	rtp(&fx, CALLER, 61000, 0, 11, 1);
	/* same address: what was learned holds */
	fx_offer(&fx, TANDEM_PARTY_A, audio(PRIVATE, 4000, "a=sendonly\r\n"));
	fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "a=recvonly\r\n"));
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), CALLER ":61000");
	assert_false(is_open(&fx, TANDEM_PARTY_A, TANDEM_RTP));
	/* another one: from the start */
	fx_offer(&fx, TANDEM_PARTY_A, audio(PRIVATE, 4100, ""));
	fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, ""));
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), PRIVATE ":4100");
	assert_true(is_open(&fx, TANDEM_PARTY_A, TANDEM_RTP));
	fx_clean(&fx);
}

/* What came from the old address is no proof of the new one. */
static void moved_behind_another_nat(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	nat_call(&fx, "");
	rtp(&fx, CALLER, 61000, 0, 10, 1);
	rtp(&fx, CALLER, 61000, 0, 11, 1);
	fx_stats(&fx, TANDEM_PARTY_A, TANDEM_RTP)->flow.packets = 500;
	pass(&fx, 1000);
	fx_offer(&fx, TANDEM_PARTY_A, audio(PRIVATE, 4100, ""));
	fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, ""));
	pass(&fx, 1000);
	assert_true(is_open(&fx, TANDEM_PARTY_A, TANDEM_RTP));
	rtp(&fx, CALLER, 63000, 0, 30, 1);
	rtp(&fx, CALLER, 63000, 0, 31, 1);
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), CALLER ":63000");
	fx_clean(&fx);
}

/* The same private address in another network: only the signalling tells. */
static void signalling_moves(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	nat_call(&fx, "");
	rtp(&fx, CALLER, 61000, 0, 10, 1);
	rtp(&fx, CALLER, 61000, 0, 11, 1);
	fx_stats(&fx, TANDEM_PARTY_A, TANDEM_RTP)->flow.packets = 500;
	fx_offer_from(&fx, CALL, TANDEM_PARTY_A, "192.0.2.99", CALLEE, audio(PRIVATE, 4000, ""));
	fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, ""));
	assert_true(is_open(&fx, TANDEM_PARTY_A, TANDEM_RTP));
	rtp(&fx, "192.0.2.99", 64000, 0, 30, 1);
	rtp(&fx, "192.0.2.99", 64000, 0, 31, 1);
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), "192.0.2.99:64000");
	fx_clean(&fx);
}

/* A NAT may map another way towards another port: a media that comes anew starts anew. */
static void media_comes_anew(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	nat_call(&fx, "");
	rtp(&fx, CALLER, 61000, 0, 10, 1);
	rtp(&fx, CALLER, 61000, 0, 11, 1);
	fx_offer(&fx, TANDEM_PARTY_A, audio(PRIVATE, 0, ""));
	fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 0, ""));
	assert_int_equal(fx.plane.n, 0);
	fx_offer(&fx, TANDEM_PARTY_A, audio(PRIVATE, 4000, ""));
	fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, ""));
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), PRIVATE ":4000");
	assert_true(is_open(&fx, TANDEM_PARTY_A, TANDEM_RTP));
	fx_clean(&fx);
}

/* Learned while an offer is open; its answer must not put the party back. */
static void learned_between_offer_and_answer(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	nat_call(&fx, "");
	fx_offer(&fx, TANDEM_PARTY_A, audio(PRIVATE, 4000, "a=sendonly\r\n"));
	rtp(&fx, CALLER, 61000, 0, 10, 1);
	rtp(&fx, CALLER, 61000, 0, 11, 1);
	fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "a=recvonly\r\n"));
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), CALLER ":61000");
	fx_clean(&fx);
}

static void by_configuration(void **state)
{
	struct fixture fx;

	(void)state;
	fx_init(&fx);
	fx.cfg.learn = TANDEM_LEARN_OFF;
	fx_start(&fx);
	nat_call(&fx, "");
	assert_false(is_open(&fx, TANDEM_PARTY_A, TANDEM_RTP));
	fx_clean(&fx);

	fx_init(&fx);
	fx.cfg.learn = TANDEM_LEARN_ALWAYS;
	fx_start(&fx);
	fx_call(&fx, CALL);
	assert_true(is_open(&fx, TANDEM_PARTY_A, TANDEM_RTP));
	assert_true(is_open(&fx, TANDEM_PARTY_B, TANDEM_RTP));
	fx_clean(&fx);

	fx_open(&fx);
	fx_call(&fx, CALL);
	assert_false(is_open(&fx, TANDEM_PARTY_A, TANDEM_RTP));
	fx_clean(&fx);
}

/* Reports for flows that are gone, or that never were. */
static void stale_reports(void **state)
{
	struct tandem_unknown_source src = { .remote = { .port = 1 } };
	struct fixture fx;
	uint64_t id, bit;

	(void)state;
	fx_open(&fx);
	nat_call(&fx, "");
	id = fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->id;
	for (bit = 1; bit; bit <<= 1) {
		src.flow_id = id ^ bit;
		tandem_learn_source(&src, fx.ss);
	}
	tandem_session_end(fx.ss, CALL, "bye");
	src.flow_id = id;
	tandem_learn_source(&src, fx.ss);
	fx_clean(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(learned),
		cmocka_unit_test(refused),
		cmocka_unit_test(not_rtp),
		cmocka_unit_test(rtcp_alone),
		cmocka_unit_test(mux_learns_from_either),
		cmocka_unit_test(window_ends),
		cmocka_unit_test(signalled_address_proves_itself),
		cmocka_unit_test(blocked_address_proves_itself),
		cmocka_unit_test(reinvite_keeps_or_forgets),
		cmocka_unit_test(moved_behind_another_nat),
		cmocka_unit_test(signalling_moves),
		cmocka_unit_test(media_comes_anew),
		cmocka_unit_test(learned_between_offer_and_answer),
		cmocka_unit_test(by_configuration),
		cmocka_unit_test(stale_reports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
