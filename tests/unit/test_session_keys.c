/* SPDX-License-Identifier: GPL-2.0-only */
/* Keys that are of no further use, and what is done so that they last. */
#include "tests/unit/session_security.h"

/* The same without the media. */
static const char *removed(enum tandem_party_id party)
{
	static char text[512];
	const char *whole = sdp(party, "RTP/SAVP", "");
	const char *port = strstr(whole, "m=audio ") + strlen("m=audio ");

	snprintf(text, sizeof(text), "%.*s0%s", (int)(port - whole), whole, strchr(port, ' '));
	return text;
}

/* A plain party's announced SSRCs have places under the key that they leave with. */
static void announced_ssrcs(void **state)
{
	static const struct policies policies = { TANDEM_SECURITY_PLAIN,
						  TANDEM_SECURITY_SDES_REQUIRE };
	const struct tandem_flow_spec *spec;
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_dialog(&fx, CALL);
	assert_int_equal(describe(&fx, &policies, TANDEM_PARTY_A, false,
				  sdp(TANDEM_PARTY_A, "RTP/AVP",
				      "a=ssrc:4660 cname:x\r\na=ssrc:7 cname:x\r\n"
				      "a=ssrc:8 cname:x\r\n")),
			 0);
	assert_int_equal(
		describe(&fx, &policies, TANDEM_PARTY_B, true,
			 sdp(TANDEM_PARTY_B, "RTP/SAVP", CRYPTO_B "a=ssrc:99 cname:y\r\n")),
		0);
	assert_int_equal(tandem_session_confirm(fx.ss, CALL), 0);
	spec = fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP);
	assert_int_equal(spec->expected[0], 4660);
	assert_int_equal(spec->expected[1], 7);
	spec = fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP);
	assert_int_equal(spec->expected[0], 0);

	/* others with the next description are told of */
	assert_int_equal(describe(&fx, &policies, TANDEM_PARTY_A, false,
				  sdp(TANDEM_PARTY_A, "RTP/AVP", "a=ssrc:12 cname:x\r\n")),
			 0);
	assert_int_equal(describe(&fx, &policies, TANDEM_PARTY_B, true,
				  sdp(TANDEM_PARTY_B, "RTP/SAVP", CRYPTO_B)),
			 0);
	spec = fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP);
	assert_int_equal(spec->expected[0], 12);
	assert_int_equal(spec->expected[1], 0);
	fx_clean(&fx);
}

static void restart(struct fixture *fx)
{
	char why[128];

	assert_int_equal(tandem_store_open(&fx->store, ":memory:", why, sizeof(why)), 0);
	fx->ss->store = fx->store;
	tandem_session_save(fx->ss, fx_session(fx, CALL));
	tandem_sessions_free(fx->ss);
	assert_int_equal(fx_start(fx), 0);
}

/*
 * A key whose indices nobody knows any more, or that has no room for another SSRC, is shown as that, and
 * not offered or answered again.
 */
static void spent_keys_are_replaced(void **state)
{
	const struct tandem_secure_leg *leg;
	struct tandem_srtp out, shown;
	struct fixture fx;
	json_t *js;
	char *text;
	int p;

	(void)state;
	for (p = 0; p < 2; p++) {
		secure_call(&fx, &both);
		out = leg_of(&fx, p)->secure.rtp.out;
		fx.plane.spent = out.id;
		restart(&fx);
		leg = &leg_of(&fx, p)->secure;
		assert_int_equal(leg->rtp.out.id, out.id);
		js = tandem_session_json(fx.ss, CALL);
		text = json_dumps(js, 0);
		assert_non_null(strstr(text, "\"key_spent\": true"));
		free(text);
		json_decref(js);

		/* A offers what it has: the party of p is answered or offered another key */
		assert_int_equal(describe(&fx, &both, TANDEM_PARTY_A, false,
					  sdp(TANDEM_PARTY_A, "RTP/SAVP", CRYPTO_A)),
				 0);
		if (p == TANDEM_PARTY_B) {
			shown_key(&fx, "a=crypto:1 " CM, &shown);
			assert_memory_not_equal(shown.key, out.key, 16);
		}
		assert_int_equal(describe(&fx, &both, TANDEM_PARTY_B, true,
					  sdp(TANDEM_PARTY_B, "RTP/SAVP", CRYPTO_B)),
				 0);
		leg = &leg_of(&fx, p)->secure;
		assert_int_not_equal(leg->rtp.out.id, out.id);
		assert_memory_not_equal(leg->rtp.out.key, out.key, 16);
		if (p == TANDEM_PARTY_A)
			shown_key(&fx, "a=crypto:5 " CM, &shown);
		assert_memory_equal(leg->rtp.out.key, shown.key, 16);
		fx_clean(&fx);
	}
}

static void assert_verdict(struct fixture *fx, const char *want)
{
	json_t *js = tandem_session_json(fx->ss, CALL);

	assert_string_equal(json_string_value(json_object_get(js, "verdict")), want);
	json_decref(js);
}

/* What a party sends is heard, and sent on, but for SSRCs that a key has no room for. */
static void verdict_of_a_full_key(void **state)
{
	static const char *const told[] = {
		"packets of the caller are dropped: no room for their SSRC under the key; else "
		"two-way",
		"packets of the callee are dropped: no room for their SSRC under the key; else "
		"two-way",
	};
	struct tandem_flow_stats *stats[2];
	struct fixture fx;
	uint64_t keys[2];
	int p, k;

	(void)state;
	for (p = 0; p < 2; p++) {
		secure_call(&fx, &both);
		for (k = 0; k < 2; k++) {
			stats[k] = fx_stats(&fx, k, TANDEM_RTP);
			stats[k]->flow.packets = 500;
			stats[k]->stream_count = 1;
			stats[k]->streams[0].last_ns = fx.now_ms * 1000000;
		}
		/* the key that they come by, and the one that they leave by */
		keys[0] = leg_of(&fx, p)->secure.rtp.in.id;
		keys[1] = leg_of(&fx, !p)->secure.rtp.out.id;
		for (k = 0; k < 2; k++) {
			fx.plane.spent = keys[k];
			stats[p]->flow.dropped = stats[p]->flow.no_room = 0;
			assert_verdict(&fx, "two-way"); /* all places are taken, and enough */
			stats[p]->flow.dropped = stats[p]->flow.no_room = 7;
			assert_verdict(&fx, told[p]);
			fx.plane.spent = 0;
			assert_verdict(&fx, "two-way"); /* there are other keys since */
		}
		/* what is dropped for something else */
		fx.plane.spent = keys[1];
		stats[p]->flow.no_room = 0;
		assert_verdict(&fx, "two-way");
		fx_clean(&fx);
	}
}

/* With its flows a media that is removed loses what was counted: it comes back with other keys. */
static void media_that_comes_back(void **state)
{
	struct tandem_srtp in, out;
	struct fixture fx;

	(void)state;
	secure_call(&fx, &both);
	in = leg_of(&fx, TANDEM_PARTY_A)->secure.rtp.in;
	out = leg_of(&fx, TANDEM_PARTY_A)->secure.rtp.out;
	assert_int_equal(describe(&fx, &both, TANDEM_PARTY_A, false, removed(TANDEM_PARTY_A)), 0);
	assert_int_equal(describe(&fx, &both, TANDEM_PARTY_B, true, removed(TANDEM_PARTY_B)), 0);
	assert_int_equal(fx.plane.n, 0);
	assert_int_equal(leg_of(&fx, TANDEM_PARTY_A)->secure.rtp.out.suite, 0);
	assert_int_equal(describe(&fx, &both, TANDEM_PARTY_A, false,
				  sdp(TANDEM_PARTY_A, "RTP/SAVP", CRYPTO_A)),
			 0);
	assert_int_equal(describe(&fx, &both, TANDEM_PARTY_B, true,
				  sdp(TANDEM_PARTY_B, "RTP/SAVP", CRYPTO_B)),
			 0);
	assert_memory_equal(leg_of(&fx, TANDEM_PARTY_A)->secure.rtp.in.key, in.key, 16);
	assert_int_not_equal(leg_of(&fx, TANDEM_PARTY_A)->secure.rtp.in.id, in.id);
	assert_memory_not_equal(leg_of(&fx, TANDEM_PARTY_A)->secure.rtp.out.key, out.key, 16);
	fx_clean(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(announced_ssrcs),
		cmocka_unit_test(spent_keys_are_replaced),
		cmocka_unit_test(verdict_of_a_full_key),
		cmocka_unit_test(media_that_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
