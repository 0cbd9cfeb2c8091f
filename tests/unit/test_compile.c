/* SPDX-License-Identifier: GPL-2.0-only */
/* The rule compiler on sessions made by hand, and the difference of two sets of flows. */
#include "tests/unit/session_fixture.h"
#include "userspace/session/diff.h"

#define NUMBER 0x123456789abcULL

static struct tandem_sessions_config cfg;
static struct tandem_media media[2];
static struct tandem_session session;
static struct tandem_flow_spec specs[8];

static int setup(void **state)
{
	static const struct tandem_codec pcmu = { 0, 8000, "PCMU" },
					 event = { 101, 8000, "telephone-event" };
	int i, p;

	(void)state;
	memset(&cfg, 0, sizeof(cfg));
	memset(media, 0, sizeof(media));
	memset(&session, 0, sizeof(session));
	memset(specs, 0xee, sizeof(specs));
	cfg.locals_count = 2;
	cfg.locals[0].ip = ip("10.0.0.1");
	cfg.locals[1].ip = ip("10.0.0.2");
	for (i = 0; i < 2; i++) {
		media[i].active = media[i].anchored = true;
		for (p = 0; p < 2; p++) {
			struct tandem_leg *leg = &media[i].leg[p];
			const char *host = p ? CALLEE : CALLER;

			leg->remote[TANDEM_RTP] = ep(host, 4000 + 1000 * p + 2 * i);
			leg->remote[TANDEM_RTCP] = ep(host, 4001 + 1000 * p + 2 * i);
			leg->local = p;
			leg->port = 20000 + 2 * i;
			leg->generation = 1;
			leg->codecs[0] = pcmu;
			leg->codecs[1] = event;
			leg->codec_count = 2;
		}
	}
	session.number = NUMBER;
	session.agreed.v = media;
	session.agreed.n = 1;
	return 0;
}

static const struct tandem_flow_spec *flow(size_t n, enum tandem_party_id from,
					   enum tandem_component comp)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (tandem_flow_id_from(specs[i].id) == from &&
		    tandem_flow_id_component(specs[i].id) == comp)
			return &specs[i];
	}
	return NULL;
}

static void names(void **state)
{
	uint64_t id;

	(void)state;
	session.agreed.n = 2;
	id = tandem_flow_id(&session, 1, TANDEM_PARTY_B, TANDEM_RTCP);
	assert_true(id == 0x123456789abc0107ULL);
	assert_true(tandem_flow_id_session(id) == NUMBER);
	assert_int_equal(tandem_flow_id_media(id), 1);
	assert_int_equal(tandem_flow_id_from(id), TANDEM_PARTY_B);
	assert_int_equal(tandem_flow_id_component(id), TANDEM_RTCP);
}

static void ports_apart(void **state)
{
	const struct tandem_flow_spec *a, *b, *a_rtcp;
	int n = tandem_compile(&session, &cfg, specs);

	(void)state;
	assert_int_equal(n, 4);
	a = flow(n, TANDEM_PARTY_A, TANDEM_RTP);
	b = flow(n, TANDEM_PARTY_B, TANDEM_RTP);
	a_rtcp = flow(n, TANDEM_PARTY_A, TANDEM_RTCP);
	assert_int_equal(a->flags, 0);
	assert_true(a->media_id == a->id && a->reverse_id == b->id);
	assert_remote(a, "192.0.2.10:4000");
	assert_endpoint(&a->key.local, a->key.local_port, "10.0.0.1:20000");
	assert_endpoint(&a->egress[EGRESS_RTP].local, a->egress[EGRESS_RTP].local_port,
			"10.0.0.2:20000");
	assert_egress(a, EGRESS_RTP, "198.51.100.20:5000");
	assert_int_equal(a->egress[EGRESS_RTCP].flags, 0);
	assert_int_equal(a->pts.clock_hz[0], 8000);
	assert_int_equal(a->pts.pt[1], 101);
	assert_false(a->egress[EGRESS_RTP].flags & EGRESS_F_PT);
	assert_int_equal(a->pts.clock_hz[2], 0);

	assert_int_equal(a_rtcp->flags, RULE_F_RTCP);
	assert_true(a_rtcp->media_id == a->id && a_rtcp->reverse_id == b->id);
	assert_remote(a_rtcp, "192.0.2.10:4001");
	assert_endpoint(&a_rtcp->key.local, a_rtcp->key.local_port, "10.0.0.1:20001");
	assert_egress(a_rtcp, EGRESS_RTCP, "198.51.100.20:5001");
	assert_int_equal(a_rtcp->egress[EGRESS_RTP].flags, 0);
}

static void one_port(void **state)
{
	const struct tandem_flow_spec *a;
	size_t n;

	(void)state;
	media[0].leg[0].mux = media[0].leg[1].mux = true;
	n = tandem_compile(&session, &cfg, specs);
	assert_int_equal(n, 2);
	a = flow(n, TANDEM_PARTY_A, TANDEM_RTP);
	assert_true(a->media_id == a->id);
	assert_egress(a, EGRESS_RTP, "198.51.100.20:5000");
	assert_egress(a, EGRESS_RTCP, "198.51.100.20:5000");
}

/* A party without RTCP gets none, and what it sends from there is not expected. */
static void no_rtcp(void **state)
{
	(void)state;
	media[0].leg[TANDEM_PARTY_A].remote[TANDEM_RTCP].port = 0;
	assert_int_equal(tandem_compile(&session, &cfg, specs), 2);
	assert_null(flow(2, TANDEM_PARTY_A, TANDEM_RTCP));
	assert_null(flow(2, TANDEM_PARTY_B, TANDEM_RTCP));
}

static void flags(void **state)
{
	size_t n;

	(void)state;
	cfg.strict_payload_types = true;
	media[0].leg[TANDEM_PARTY_A].learn[TANDEM_RTP].until_ms = 1;
	media[0].leg[TANDEM_PARTY_B].mute = true;
	n = tandem_compile(&session, &cfg, specs);
	assert_int_equal(flow(n, TANDEM_PARTY_A, TANDEM_RTP)->flags,
			 RULE_F_STRICT_PT | RULE_F_LEARN | RULE_F_MUTE);
	assert_int_equal(flow(n, TANDEM_PARTY_B, TANDEM_RTP)->flags, RULE_F_STRICT_PT);
	assert_int_equal(flow(n, TANDEM_PARTY_B, TANDEM_RTCP)->flags, RULE_F_RTCP);
}

static void secured(void **state)
{
	size_t n;

	(void)state;
	media[0].srtp = true;
	n = tandem_compile(&session, &cfg, specs);
	assert_int_equal(flow(n, TANDEM_PARTY_A, TANDEM_RTP)->flags, RULE_F_SRTP);
	assert_int_equal(flow(n, TANDEM_PARTY_B, TANDEM_RTCP)->flags, RULE_F_RTCP | RULE_F_SRTP);
}

/* Who cannot prove himself by keys yet is not learned either. */
static void secured_and_not_keyed_yet(void **state)
{
	struct tandem_leg *a = &media[0].leg[TANDEM_PARTY_A], *b = &media[0].leg[TANDEM_PARTY_B];
	const uint8_t suite = SRTP_AES_CM_128_HMAC_SHA1_80;
	size_t n;

	(void)state;
	a->secure.kind = TANDEM_PROTECT_SDES;
	a->secure.rtp.in.suite = a->secure.rtp.out.suite = suite;
	a->learn[TANDEM_RTP].until_ms = 1;
	b->secure.kind = TANDEM_PROTECT_DTLS;
	n = tandem_compile(&session, &cfg, specs);
	assert_int_equal(flow(n, TANDEM_PARTY_A, TANDEM_RTP)->flags, 0);
	/* what has been counted under its keys stays, but nothing leaves */
	assert_non_null(flow(n, TANDEM_PARTY_A, TANDEM_RTP)->srtp_in);
	assert_int_equal(flow(n, TANDEM_PARTY_A, TANDEM_RTP)->egress[EGRESS_RTP].flags, 0);
	assert_int_equal(flow(n, TANDEM_PARTY_B, TANDEM_RTP)->egress[EGRESS_RTP].flags, 0);
	b->secure.rtp.in.suite = b->secure.rtp.out.suite = suite;
	n = tandem_compile(&session, &cfg, specs);
	assert_int_equal(flow(n, TANDEM_PARTY_A, TANDEM_RTP)->flags, RULE_F_LEARN);
	assert_non_null(flow(n, TANDEM_PARTY_A, TANDEM_RTP)->srtp_in);
}

static void learned(void **state)
{
	size_t n;

	(void)state;
	media[0].leg[TANDEM_PARTY_A].learn[TANDEM_RTP].locked = ep("203.0.113.1", 61000);
	n = tandem_compile(&session, &cfg, specs);
	assert_remote(flow(n, TANDEM_PARTY_A, TANDEM_RTP), "203.0.113.1:61000");
	assert_egress(flow(n, TANDEM_PARTY_B, TANDEM_RTP), EGRESS_RTP, "203.0.113.1:61000");
	assert_remote(flow(n, TANDEM_PARTY_A, TANDEM_RTCP), "192.0.2.10:4001");
}

/* Eight fit; digits are among them, types of unknown clock are not. */
static void many_payload_types(void **state)
{
	struct tandem_leg *leg = &media[0].leg[TANDEM_PARTY_A];
	const struct tandem_flow_spec *a;
	size_t i;

	(void)state;
	leg->codec_count = 12;
	for (i = 0; i < 12; i++)
		leg->codecs[i] = (struct tandem_codec){ 96 + i, i == 3 ? 0 : 90000, "x" };
	strcpy(leg->codecs[11].name, "Telephone-Event");
	tandem_compile(&session, &cfg, specs);
	a = flow(4, TANDEM_PARTY_A, TANDEM_RTP);
	assert_int_equal(a->pts.pt[2], 98);
	assert_int_equal(a->pts.pt[3], 100);
	assert_int_equal(a->pts.pt[6], 103);
	assert_int_equal(a->pts.pt[7], 107);
}

static void inactive_media(void **state)
{
	(void)state;
	session.agreed.n = 2;
	media[1].leg[TANDEM_PARTY_A].transport = media[1].leg[TANDEM_PARTY_B].transport = 1;
	assert_int_equal(tandem_compile(&session, &cfg, specs), 8);
	media[0].active = false;
	assert_int_equal(tandem_compile(&session, &cfg, specs), 4);
	assert_int_equal(tandem_flow_id_media(specs[0].id), 1);
}

static void pure(void **state)
{
	struct tandem_flow_spec again[8];

	(void)state;
	memset(again, 0x11, sizeof(again));
	assert_int_equal(tandem_compile(&session, &cfg, specs), 4);
	assert_int_equal(tandem_compile(&session, &cfg, again), 4);
	assert_memory_equal(specs, again, 4 * sizeof(specs[0]));
}

static void differences(void **state)
{
	struct tandem_flow_spec old[4] = { { .id = 1 }, { .id = 2 }, { .id = 3 }, { .id = 4 } };
	struct tandem_flow_spec want[3] = { { .id = 2 },
					    { .id = 3, .flags = RULE_F_MUTE },
					    { .id = 5 } };
	struct tandem_change c[7];

	(void)state;
	old[1].flags = RULE_F_ACTIVE | RULE_F_SHARED; /* the datapath's own business */
	assert_int_equal(tandem_diff(old, 4, want, 3, c), 4);
	assert_int_equal(c[0].op, TANDEM_FLOW_REMOVE);
	assert_int_equal(c[0].spec.id, 1);
	assert_int_equal(c[1].op, TANDEM_FLOW_REMOVE);
	assert_int_equal(c[1].spec.id, 4);
	assert_int_equal(c[2].op, TANDEM_FLOW_SET);
	assert_int_equal(c[2].spec.id, 3);
	assert_int_equal(c[3].spec.id, 5);
	assert_int_equal(tandem_diff(want, 3, want, 3, c), 0);
	assert_int_equal(tandem_diff(NULL, 0, want, 3, c), 3);
	assert_int_equal(tandem_diff(want, 3, NULL, 0, c), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(names, setup),
		cmocka_unit_test_setup(ports_apart, setup),
		cmocka_unit_test_setup(one_port, setup),
		cmocka_unit_test_setup(no_rtcp, setup),
		cmocka_unit_test_setup(flags, setup),
		cmocka_unit_test_setup(secured, setup),
		cmocka_unit_test_setup(secured_and_not_keyed_yet, setup),
		cmocka_unit_test_setup(learned, setup),
		cmocka_unit_test_setup(many_payload_types, setup),
		cmocka_unit_test_setup(inactive_media, setup),
		cmocka_unit_test_setup(pure, setup),
		cmocka_unit_test(differences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
