/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The relay ends the security of media: what either party is offered and answered, and which
 * keys the flows get. A sends with KEY_A, B with KEY_B; the relay's own keys are random.
 */
#include "tests/unit/session_security.h"

/* The key set with this master key, or NULL for any. */
static void assert_key(const struct tandem_srtp *srtp, const char *key)
{
	char value[128];
	struct tandem_sdes sdes;

	assert_non_null(srtp);
	assert_int_equal(srtp->streams, 4);
	assert_true(srtp->id != 0);
	if (!key)
		return;
	snprintf(value, sizeof(value), "1 " CM " inline:%s", key);
	assert_int_equal(tandem_sdes_parse(&sdes, value), 0);
	assert_true(tandem_sdes_same_keys(&sdes.srtp, srtp));
}

/* What offer and answer, and so either flow, look like when it is all over. */
static const struct combination {
	const char *name;
	struct policies policies;
	const char *proto_a, *attrs_a;
	const char *offered; /* the m= line's protocol that B sees, and whether with keys */
	bool offered_keys;
	const char *proto_b, *attrs_b;
	int err;	     /* of the answer */
	bool keys_a, keys_b; /* SRTP on that leg */
} combinations[] = {
	{ .name = "plain to SRTP",
	  { TANDEM_SECURITY_AUTO, TANDEM_SECURITY_SDES_REQUIRE },
	  "RTP/AVP",
	  "",
	  "RTP/SAVP",
	  true,
	  "RTP/SAVP",
	  CRYPTO_B,
	  0,
	  false,
	  true },
	{ .name = "plain with feedback to SRTP",
	  { TANDEM_SECURITY_PLAIN, TANDEM_SECURITY_SDES_REQUIRE },
	  "RTP/AVPF",
	  "",
	  "RTP/SAVPF",
	  true,
	  "RTP/SAVPF",
	  CRYPTO_B,
	  0,
	  false,
	  true },
	{ .name = "SRTP to plain",
	  { TANDEM_SECURITY_AUTO, TANDEM_SECURITY_PLAIN },
	  "RTP/SAVP",
	  CRYPTO_A,
	  "RTP/AVP",
	  false,
	  "RTP/AVP",
	  "",
	  0,
	  true,
	  false },
	{ .name = "SRTP to SRTP, both ended",
	  { TANDEM_SECURITY_SDES_REQUIRE, TANDEM_SECURITY_AUTO },
	  "RTP/SAVPF",
	  CRYPTO_A,
	  "RTP/SAVPF",
	  true,
	  "RTP/SAVPF",
	  CRYPTO_B,
	  0,
	  true,
	  true },
	{ .name = "perhaps to SRTP: taken",
	  { TANDEM_SECURITY_AUTO, TANDEM_SECURITY_SDES_PREFER },
	  "RTP/AVP",
	  "",
	  "RTP/AVP",
	  true,
	  "RTP/AVP",
	  CRYPTO_B,
	  0,
	  false,
	  true },
	{ .name = "perhaps to SRTP: not taken",
	  { TANDEM_SECURITY_AUTO, TANDEM_SECURITY_SDES_PREFER },
	  "RTP/SAVP",
	  CRYPTO_A,
	  "RTP/AVP",
	  true,
	  "RTP/AVP",
	  "",
	  0,
	  true,
	  false },
	{ .name = "an offer of both, by a party that may",
	  { TANDEM_SECURITY_SDES_PREFER, TANDEM_SECURITY_PLAIN },
	  "RTP/AVP",
	  CRYPTO_A,
	  "RTP/AVP",
	  false,
	  "RTP/AVP",
	  "",
	  0,
	  true,
	  false },
	{ .name = "an offer of both, by a party that shall not",
	  { TANDEM_SECURITY_PLAIN, TANDEM_SECURITY_AUTO },
	  "RTP/AVP",
	  CRYPTO_A,
	  "RTP/AVP",
	  false,
	  "RTP/AVP",
	  "",
	  0,
	  false,
	  false },
	{ .name = "an offer of both, in kind",
	  { TANDEM_SECURITY_SDES_PREFER, TANDEM_SECURITY_AUTO },
	  "RTP/AVP",
	  CRYPTO_A,
	  "RTP/AVP",
	  true,
	  "RTP/AVP",
	  "",
	  0,
	  true,
	  false },
	{ .name = "pass beside a kind is auto",
	  { TANDEM_SECURITY_PASS, TANDEM_SECURITY_PLAIN },
	  "RTP/SAVP",
	  CRYPTO_A,
	  "RTP/AVP",
	  false,
	  "RTP/AVP",
	  "",
	  0,
	  true,
	  false },
	{ .name = "an answer without keys",
	  { TANDEM_SECURITY_AUTO, TANDEM_SECURITY_SDES_REQUIRE },
	  "RTP/AVP",
	  "",
	  "RTP/SAVP",
	  true,
	  "RTP/SAVP",
	  "",
	  -EPROTO,
	  false,
	  false },
	{ .name = "an answer with another tag",
	  { TANDEM_SECURITY_AUTO, TANDEM_SECURITY_SDES_REQUIRE },
	  "RTP/AVP",
	  "",
	  "RTP/SAVP",
	  true,
	  "RTP/SAVP",
	  "a=crypto:9 " CM " inline:" KEY_B "\r\n",
	  -EPROTO,
	  false,
	  false },
	{ .name = "an answer with another suite",
	  { TANDEM_SECURITY_AUTO, TANDEM_SECURITY_SDES_PREFER },
	  "RTP/AVP",
	  "",
	  "RTP/AVP",
	  true,
	  "RTP/AVP",
	  "a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:" KEY_B "\r\n",
	  -EPROTO,
	  false,
	  false },
};

static void check_flow_keys(struct fixture *fx, enum tandem_party_id from, bool in, bool out)
{
	static const char *const keys[] = { KEY_A, KEY_B };
	const struct tandem_flow_spec *spec = fx_flow(fx, 0, from, TANDEM_RTP),
				      *rtcp = fx_flow(fx, 0, from, TANDEM_RTCP);

	assert_non_null(spec);
	assert_non_null(rtcp);
	assert_int_equal(!!spec->srtp_in, in);
	assert_int_equal(!!spec->srtp_out, out);
	assert_null(spec->srtp_in_old);
	assert_false(spec->flags & RULE_F_SRTP);
	assert_true(spec->egress[EGRESS_RTP].flags & EGRESS_F_ACTIVE);
	if (in)
		assert_key(spec->srtp_in, keys[from]);
	if (out)
		assert_key(spec->srtp_out, NULL);
	/* one key set for RTP and RTCP of a direction */
	assert_true(!in || rtcp->srtp_in->id == spec->srtp_in->id);
	assert_true(!out || rtcp->srtp_out->id == spec->srtp_out->id);
}

static void check_combination(const struct combination *c)
{
	struct fixture fx;
	char line[64];

	print_message("%s\n", c->name);
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	assert_int_equal(describe(&fx, &c->policies, TANDEM_PARTY_A, false,
				  sdp(TANDEM_PARTY_A, c->proto_a, c->attrs_a)),
			 0);
	snprintf(line, sizeof(line), " %s 0\r\na=sendrecv\r\n", c->offered);
	assert_has(&fx, line);
	assert_has_not(&fx, KEY_A);
	if (c->offered_keys)
		assert_has(&fx, "\r\na=crypto:1 " CM " inline:");
	else
		assert_has_not(&fx, "a=crypto");
	assert_int_equal(describe(&fx, &c->policies, TANDEM_PARTY_B, true,
				  sdp(TANDEM_PARTY_B, c->proto_b, c->attrs_b)),
			 c->err);
	if (!c->err) {
		snprintf(line, sizeof(line), " %s 0\r\na=sendrecv\r\n", c->proto_a);
		assert_has(&fx, line);
		assert_has_not(&fx, KEY_B);
		if (c->keys_a)
			assert_has(&fx, "\r\na=crypto:5 " CM " inline:");
		else
			assert_has_not(&fx, "a=crypto");
		check_flow_keys(&fx, TANDEM_PARTY_A, c->keys_a, c->keys_b);
		check_flow_keys(&fx, TANDEM_PARTY_B, c->keys_b, c->keys_a);
	} else {
		assert_int_equal(fx.plane.n, 0);
	}
	fx_clean(&fx);
}

static void every_combination(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(combinations) / sizeof(combinations[0]); i++)
		check_combination(&combinations[i]);
}

static void offers_that_are_refused(void **state)
{
	static const struct {
		struct policies policies;
		const char *proto, *attrs;
	} cases[] = {
		{ { TANDEM_SECURITY_PLAIN, TANDEM_SECURITY_AUTO }, "RTP/SAVP", CRYPTO_A },
		{ { TANDEM_SECURITY_SDES_REQUIRE, TANDEM_SECURITY_AUTO }, "RTP/AVP", "" },
		{ { TANDEM_SECURITY_DTLS, TANDEM_SECURITY_AUTO }, "RTP/SAVP", CRYPTO_A },
		/* nothing in it that can be used */
		{ { TANDEM_SECURITY_AUTO, TANDEM_SECURITY_PLAIN }, "RTP/SAVP", "" },
		{ { TANDEM_SECURITY_AUTO, TANDEM_SECURITY_PLAIN },
		  "RTP/SAVP",
		  "a=crypto:1 " CM " inline:" KEY_A " UNENCRYPTED_SRTP\r\n" },
	};
	struct fixture fx;
	size_t i;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(describe(&fx, &cases[i].policies, TANDEM_PARTY_A, false,
					  sdp(TANDEM_PARTY_A, cases[i].proto, cases[i].attrs)),
				 -EPROTO);
	assert_int_equal(fx_free_ports(&fx), 300);
	fx_clean(&fx);
}

/* The first line that can be used is taken, whatever the others are. */
static void choice_of_a_line(void **state)
{
	static const struct policies policies = { TANDEM_SECURITY_AUTO, TANDEM_SECURITY_PLAIN };
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	assert_int_equal(describe(&fx, &policies, TANDEM_PARTY_A, false,
				  sdp(TANDEM_PARTY_A, "RTP/SAVP",
				      "a=crypto:1 F8_128_HMAC_SHA1_80 inline:" KEY_C "\r\n"
				      "a=crypto:2 " CM " inline:" KEY_C " KDR=1\r\n"
				      "a=crypto:3 " CM " inline:" KEY_A "|1:4\r\n"
				      "a=crypto:4 AES_CM_128_HMAC_SHA1_32 inline:" KEY_B "\r\n")),
			 0);
	assert_int_equal(
		describe(&fx, &policies, TANDEM_PARTY_B, true, sdp(TANDEM_PARTY_B, "RTP/AVP", "")),
		0);
	assert_has(&fx, "a=crypto:3 " CM " inline:");
	assert_int_equal(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->srtp_in->mki_len, 4);
	/* our own key has no MKI */
	assert_int_equal(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->srtp_out->mki_len, 0);
	fx_clean(&fx);
}

static void what_leaves_is_what_was_shown(void **state)
{
	static const struct policies policies = { TANDEM_SECURITY_AUTO,
						  TANDEM_SECURITY_SDES_REQUIRE };
	struct tandem_srtp to_a, to_b;
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	assert_int_equal(describe(&fx, &policies, TANDEM_PARTY_A, false,
				  sdp(TANDEM_PARTY_A, "RTP/SAVP", CRYPTO_A)),
			 0);
	shown_key(&fx, "a=crypto:3 AEAD_AES_128_GCM", &to_b);
	assert_int_equal(describe(&fx, &policies, TANDEM_PARTY_B, true,
				  sdp(TANDEM_PARTY_B, "RTP/SAVP",
				      "a=crypto:3 AEAD_AES_128_GCM "
				      "inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw==\r\n")),
			 0);
	shown_key(&fx, "a=crypto:5 " CM, &to_a);
	assert_true(tandem_sdes_same_keys(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->srtp_out,
					  &to_b));
	assert_true(tandem_sdes_same_keys(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->srtp_out,
					  &to_a));
	assert_int_equal(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->srtp_in->suite,
			 SRTP_AEAD_AES_128_GCM);
	fx_clean(&fx);
}

/* With nothing said of either party, all is as it came. */
static void end_to_end_by_default(void **state)
{
	static const struct policies policies[] = {
		{ TANDEM_SECURITY_AUTO, TANDEM_SECURITY_AUTO },
		{ TANDEM_SECURITY_PASS, TANDEM_SECURITY_AUTO },
		{ TANDEM_SECURITY_PASS, TANDEM_SECURITY_PASS },
	};
	struct fixture fx;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		fx_open(&fx);
		fx_dialog(&fx, CALL);
		assert_int_equal(describe(&fx, &policies[i], TANDEM_PARTY_A, false,
					  sdp(TANDEM_PARTY_A, "RTP/SAVP", CRYPTO_A)),
				 0);
		assert_has(&fx, " RTP/SAVP 0\r\na=sendrecv\r\n" CRYPTO_A);
		assert_int_equal(describe(&fx, &policies[i], TANDEM_PARTY_B, true,
					  sdp(TANDEM_PARTY_B, "RTP/SAVP", CRYPTO_B)),
				 0);
		assert_has(&fx, CRYPTO_B);
		assert_null(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->srtp_in);
		assert_true(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->flags & RULE_F_SRTP);
		fx_clean(&fx);
	}
}

/* The same keys in a re-INVITE are the same sets, so that rollover counters go on. */
static void keys_that_stay(void **state)
{
	uint64_t in, out;
	size_t sets;
	struct fixture fx;

	(void)state;
	secure_call(&fx, &both);
	in = leg_of(&fx, TANDEM_PARTY_A)->secure.rtp.in.id;
	out = leg_of(&fx, TANDEM_PARTY_A)->secure.rtp.out.id;
	sets = fx.plane.sets;
	assert_int_equal(describe(&fx, &both, TANDEM_PARTY_B, false,
				  sdp(TANDEM_PARTY_B, "RTP/SAVP", CRYPTO_B)),
			 0);
	/* A is offered what it has agreed to, and that alone */
	assert_has(&fx, "a=crypto:5 " CM);
	assert_null(strstr(strstr(fx.sdp, "a=crypto:5") + 1, "a=crypto"));
	assert_int_equal(describe(&fx, &both, TANDEM_PARTY_A, true,
				  sdp(TANDEM_PARTY_A, "RTP/SAVP", CRYPTO_A)),
			 0);
	assert_int_equal(leg_of(&fx, TANDEM_PARTY_A)->secure.rtp.in.id, in);
	assert_int_equal(leg_of(&fx, TANDEM_PARTY_A)->secure.rtp.out.id, out);
	assert_int_equal(fx.plane.sets, sets);
	fx_clean(&fx);
}

static void keys_that_change(void **state)
{
	const struct tandem_flow_spec *spec;
	struct fixture fx;
	uint64_t old;

	(void)state;
	secure_call(&fx, &both);
	old = leg_of(&fx, TANDEM_PARTY_A)->secure.rtp.in.id;
	assert_int_equal(
		describe(&fx, &both, TANDEM_PARTY_A, false,
			 sdp(TANDEM_PARTY_A, "RTP/SAVP", "a=crypto:1 " CM " inline:" KEY_C "\r\n")),
		0);
	/* not before the answer */
	spec = fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP);
	assert_int_equal(spec->srtp_in->id, old);
	assert_int_equal(describe(&fx, &both, TANDEM_PARTY_B, true,
				  sdp(TANDEM_PARTY_B, "RTP/SAVP", CRYPTO_B)),
			 0);
	assert_key(spec->srtp_in, KEY_C);
	assert_key(spec->srtp_in_old, KEY_A);
	assert_int_equal(spec->srtp_in_old->id, old);
	assert_null(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->srtp_in_old);
	fx.now_ms += TANDEM_OLD_KEY_MS - 1;
	tandem_sessions_tick(fx.ss);
	assert_key(spec->srtp_in_old, KEY_A);
	fx.now_ms += 1;
	tandem_sessions_tick(fx.ss);
	assert_null(spec->srtp_in_old);
	assert_key(spec->srtp_in, KEY_C);
	fx_clean(&fx);
}

/* A refused offer leaves the keys as they were. */
static void rollback(void **state)
{
	struct fixture fx;

	(void)state;
	secure_call(&fx, &both);
	assert_int_equal(
		describe(&fx, &both, TANDEM_PARTY_A, false,
			 sdp(TANDEM_PARTY_A, "RTP/SAVP", "a=crypto:1 " CM " inline:" KEY_C "\r\n")),
		0);
	assert_int_equal(tandem_session_rollback(fx.ss, CALL), 0);
	assert_key(&leg_of(&fx, TANDEM_PARTY_A)->secure.rtp.in, KEY_A);
	assert_int_equal(leg_of(&fx, TANDEM_PARTY_A)->secure.tag, 5);
	fx_clean(&fx);
}

/* 183 and 200 of one callee, and of two: the caller's side stays as it is. */
static void answers_that_come_again(void **state)
{
	static const struct policies policies = { TANDEM_SECURITY_SDES_REQUIRE,
						  TANDEM_SECURITY_SDES_PREFER };
	struct tandem_srtp first, again;
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	assert_int_equal(describe(&fx, &policies, TANDEM_PARTY_A, false,
				  sdp(TANDEM_PARTY_A, "RTP/SAVP", CRYPTO_A)),
			 0);
	assert_int_equal(
		describe(&fx, &policies, TANDEM_PARTY_B, true, sdp(TANDEM_PARTY_B, "RTP/AVP", "")),
		0);
	shown_key(&fx, "a=crypto:5 " CM, &first);
	assert_null(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->srtp_in);
	assert_int_equal(describe(&fx, &policies, TANDEM_PARTY_B, true,
				  sdp(TANDEM_PARTY_B, "RTP/AVP", CRYPTO_B)),
			 0);
	shown_key(&fx, "a=crypto:5 " CM, &again);
	assert_true(tandem_sdes_same_keys(&first, &again));
	assert_key(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->srtp_in, KEY_B);
	fx_clean(&fx);
}

/* Keys at session level, other key exchanges, and rtcp-mux-only are no business of B's. */
static void nothing_of_it_leaks(void **state)
{
	static const struct policies policies = { TANDEM_SECURITY_AUTO, TANDEM_SECURITY_PLAIN };
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	assert_int_equal(
		describe(&fx, &policies, TANDEM_PARTY_A, false,
			 "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\n"
			 "t=0 0\r\na=fingerprint:sha-256 AA\r\na=setup:actpass\r\n"
			 "a=key-mgmt:mikey AA\r\na=tls-id:x\r\na=tool:t\r\n"
			 "m=audio 4000 RTP/SAVP 0\r\n" CRYPTO_A
			 "a=rtcp-mux\r\na=rtcp-mux-only\r\na=rtcp:4000\r\na=ptime:20\r\n"),
		0);
	assert_has_not(&fx, "fingerprint");
	assert_has_not(&fx, "setup");
	assert_has_not(&fx, "mikey");
	assert_has_not(&fx, "tls-id");
	assert_has_not(&fx, "mux-only");
	assert_has(&fx, "a=tool:t\r\nm=audio");
	assert_has(&fx, "RTP/AVP 0\r\na=rtcp-mux\r\na=rtcp:");
	assert_has(&fx, "\r\na=ptime:20\r\n");
	fx_clean(&fx);
}

/* An m= line that is refused has the protocol of its offer, and nothing of the other side. */
static void refused_lines(void **state)
{
	static const struct policies policies = { TANDEM_SECURITY_AUTO, TANDEM_SECURITY_PLAIN };
	static const char video[] = "m=video 4002 RTP/SAVP 31\r\na=crypto:1 " CM " inline:" KEY_C
				    "\r\nm=image 4004 udptl t38\r\na=setup:actpass\r\n";
	char offer[1024];
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	snprintf(offer, sizeof(offer), "%s%s", sdp(TANDEM_PARTY_A, "RTP/SAVP", CRYPTO_A), video);
	assert_int_equal(describe(&fx, &policies, TANDEM_PARTY_A, false, offer), 0);
	assert_has(&fx, " RTP/AVP 31\r\nc=IN IP4 10.0.0.2\r\nm=image 4004 udptl "
			"t38\r\na=setup:actpass\r\n");
	assert_int_equal(describe(&fx, &policies, TANDEM_PARTY_B, true,
				  sdp(TANDEM_PARTY_B, "RTP/AVP",
				      "m=video 0 RTP/AVP 31\r\na=crypto:1 " CM " inline:" KEY_B
				      "\r\nm=image 0 udptl t38\r\n")),
			 0);
	assert_has(&fx, "m=video 0 RTP/SAVP 31\r\nm=image 0 udptl t38\r\n");
	assert_int_equal(fx.plane.n, 4);
	fx_clean(&fx);
}

static void by_configuration(void **state)
{
	struct fixture fx;
	struct tandem_endpoint near = ep("10.1.2.3", 5060), far = ep("10.9.9.9", 5060);
	struct tandem_endpoint other = ep("2001:db8::1", 5060);
	enum tandem_security security;

	(void)state;
	fx_open(&fx);
	fx.ss->cfg.security_count = 2;
	assert_int_equal(tandem_prefix_parse(&fx.ss->cfg.security[0].peer, "10.0.0.0/8"), 0);
	fx.ss->cfg.security[0].security = TANDEM_SECURITY_PLAIN;
	assert_int_equal(tandem_prefix_parse(&fx.ss->cfg.security[1].peer, "10.1.0.0/16"), 0);
	fx.ss->cfg.security[1].security = TANDEM_SECURITY_DTLS;
	assert_int_equal(tandem_sessions_security(fx.ss, &near), TANDEM_SECURITY_DTLS);
	assert_int_equal(tandem_sessions_security(fx.ss, &far), TANDEM_SECURITY_PLAIN);
	assert_int_equal(tandem_sessions_security(fx.ss, &other), TANDEM_SECURITY_AUTO);
	assert_int_equal(tandem_security_parse(&security, "sdes_prefer"), 0);
	assert_int_equal(security, TANDEM_SECURITY_SDES_PREFER);
	assert_string_equal(tandem_security_name(security), "sdes_prefer");
	assert_int_equal(tandem_security_parse(&security, "srtp"), -EINVAL);
	fx_clean(&fx);
}

/* After a restart the calls have their keys, and those who only read never see them. */
static void stored_and_shown(void **state)
{
	struct tandem_srtp in, out;
	struct fixture fx;
	json_t *js;
	char *text, why[128];

	(void)state;
	secure_call(&fx, &both);
	assert_int_equal(tandem_store_open(&fx.store, ":memory:", why, sizeof(why)), 0);
	fx.ss->store = fx.store;
	tandem_session_save(fx.ss, fx_session(&fx, CALL));
	in = leg_of(&fx, TANDEM_PARTY_B)->secure.rtp.in;
	out = leg_of(&fx, TANDEM_PARTY_B)->secure.rtp.out;
	js = tandem_session_json(fx.ss, CALL);
	text = json_dumps(js, 0);
	assert_non_null(strstr(text, "\"kind\": \"sdes\""));
	assert_non_null(strstr(text, "\"suite_in\": \"" CM "\""));
	assert_null(strstr(text, KEY_A));
	assert_null(strstr(text, "59535f5f5f"));
	assert_null(strstr(text, "\"key\""));
	free(text);
	json_decref(js);

	tandem_sessions_free(fx.ss);
	assert_int_equal(fx_start(&fx), 0);
	assert_memory_equal(&leg_of(&fx, TANDEM_PARTY_B)->secure.rtp.in, &in, sizeof(in));
	out.sealed = true; /* by the process before */
	assert_memory_equal(&leg_of(&fx, TANDEM_PARTY_B)->secure.rtp.out, &out, sizeof(out));
	assert_key(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->srtp_in, KEY_A);
	assert_string_equal(leg_of(&fx, TANDEM_PARTY_B)->secure.proto, "RTP/SAVP");
	fx_clean(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_combination),
		cmocka_unit_test(offers_that_are_refused),
		cmocka_unit_test(choice_of_a_line),
		cmocka_unit_test(what_leaves_is_what_was_shown),
		cmocka_unit_test(end_to_end_by_default),
		cmocka_unit_test(keys_that_stay),
		cmocka_unit_test(keys_that_change),
		cmocka_unit_test(rollback),
		cmocka_unit_test(answers_that_come_again),
		cmocka_unit_test(nothing_of_it_leaks),
		cmocka_unit_test(refused_lines),
		cmocka_unit_test(by_configuration),
		cmocka_unit_test(stored_and_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
