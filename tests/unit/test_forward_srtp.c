/* SPDX-License-Identifier: GPL-2.0-only */
/* Forwards with keys: how they are read, which sets flows and legs get, and who sees them. */
#include "tests/unit/forward_fixture.h"

#define A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
#define B "Hh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7"
#define G "PD0+P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWVw=="

#define CM(key)	 "\"srtp\":{\"suite\":\"AES_CM_128_HMAC_SHA1_80\",\"key\":\"inline:" key "\"}"
#define GCM(key) "\"srtp\":{\"suite\":\"AEAD_AES_128_GCM\",\"key\":\"inline:" key "\"}"
#define TO(n)	 "\"to\":\"198.51.100." #n ":6000\""

static void bad_keys(void **state)
{
	static const struct {
		const char *srtp, *why;
	} cases[] = {
		{ "\"srtp\":\"yes\"", "srtp: true or false" },
		{ "\"srtp\":{}", "srtp.suite: missing" },
		{ "\"srtp\":{\"suite\":7}", "srtp.suite: missing, or no text" },
		{ "\"srtp\":{\"suite\":\"AEAD_AES_128_GCM\"}", "srtp.key: missing" },
		{ "\"srtp\":{\"suite\":\"F8_128_HMAC_SHA1_80\",\"key\":\"inline:" A "\"}",
		  "srtp.suite: not one" },
		{ GCM(A), "srtp.key: \"inline:\" and 28 octets" },
		{ CM(G), "srtp.key: \"inline:\" and 30 octets" },
		{ CM(A " WSH=64"), "srtp.key: \"inline:\" and 30" },
		{ CM(""), "srtp.key: \"inline:\"" },
		{ "\"srtp\":{\"suite\":\"AEAD_AES_128_GCM\",\"key\":\"" G "\"}", "srtp.key:" },
		{ "\"srtp\":{\"suite\":\"AEAD_AES_128_GCM\",\"keys\":\"x\"}", "srtp: no key" },
	};
	struct fixture fx;
	char doc[512], want[128];
	size_t i;

	(void)state;
	fx_open(&fx);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(doc, sizeof(doc), "{" SOURCE "," OUT ",%s}", cases[i].srtp);
		assert_int_equal(set(&fx, doc), -EINVAL);
		if (strncmp(why, cases[i].why, strlen(cases[i].why)))
			fail_msg("%s\nsays: %s\nnot:  %s", doc, why, cases[i].why);
		assert_null(strstr(why, A));
		if (!i)
			continue; /* a leg takes no flag */
		snprintf(doc, sizeof(doc), "{" SOURCE ",\"out\":[{" TO(1) ",%s}]}", cases[i].srtp);
		snprintf(want, sizeof(want), "out[0].%s", cases[i].why);
		assert_int_equal(set(&fx, doc), -EINVAL);
		if (strncmp(why, want, strlen(want)))
			fail_msg("%s\nsays: %s\nnot:  %s", doc, why, want);
	}
	assert_int_equal(set(&fx, "{" SOURCE ",\"out\":[{" TO(1) ",\"srtp\":true}]}"), -EINVAL);
	assert_int_equal(set(&fx, "{" SOURCE ",\"srtp\":true,\"out\":[{" TO(1) "," CM(A) "}]}"),
			 -EINVAL);
	assert_non_null(strstr(why, "out[0].srtp: not with"));
	assert_int_equal(fx.plane.sets, 0);
	fx_clean(&fx);
}

static void one_leg_is_one_to_one(void **state)
{
	const struct tandem_flow_spec *spec;
	struct fixture fx;
	uint64_t in, out;

	(void)state;
	fx_open(&fx);
	set_ok(&fx, "{" SOURCE "," CM(A) ",\"out\":[{" TO(1) "," GCM(G) "}]}");
	spec = flow(&fx, TANDEM_RTP);
	assert_null(spec->fan);
	assert_false(spec->flags & RULE_F_SRTP);
	assert_int_equal(spec->srtp_in->suite, SRTP_AES_CM_128_HMAC_SHA1_80);
	assert_int_equal(spec->srtp_in->key[15], 15);
	assert_int_equal(spec->srtp_in->streams, SRTP_SSRCS_MAX);
	assert_int_equal(spec->srtp_out->suite, SRTP_AEAD_AES_128_GCM);
	in = spec->srtp_in->id;
	out = spec->srtp_out->id;
	assert_true(in && out && in != out);

	/* the same keys again are the same sets; another one is another */
	set_ok(&fx, "{" SOURCE "," CM(A) ",\"mute\":true,\"out\":[{" TO(1) "," GCM(G) "}]}");
	assert_int_equal(flow(&fx, TANDEM_RTP)->srtp_in->id, in);
	assert_int_equal(flow(&fx, TANDEM_RTP)->srtp_out->id, out);
	set_ok(&fx, "{" SOURCE "," CM(B) ",\"out\":[{" TO(1) "}]}");
	assert_true(flow(&fx, TANDEM_RTP)->srtp_in->id != in);
	assert_null(flow(&fx, TANDEM_RTP)->srtp_out);

	/* RTCP on a port of its own has the keys of its RTP */
	set_ok(&fx,
	       "{" SOURCE "," CM(A) ",\"rtcp\":{},\"out\":[{" TO(1) "," CM(B) ",\"rtcp\":true}]}");
	assert_int_equal(flow(&fx, TANDEM_RTCP)->srtp_in->id, flow(&fx, TANDEM_RTP)->srtp_in->id);
	assert_int_equal(flow(&fx, TANDEM_RTCP)->srtp_out->id, flow(&fx, TANDEM_RTP)->srtp_out->id);
	fx_clean(&fx);
}

static void each_leg_has_its_own(void **state)
{
	const struct tandem_fan *fan;
	struct fixture fx;
	uint32_t i;

	(void)state;
	fx_open(&fx);
	set_ok(&fx, "{" SOURCE ",\"out\":[{" TO(1) "," CM(A) "},{" TO(2) "," CM(B) "},{" TO(
			    3) "}],\"ssrc\":[{\"ssrc\":7,\"out\":[{" TO(1) "," CM(A) "}]}]}");
	fan = flow(&fx, TANDEM_RTP)->fan;
	assert_null(flow(&fx, TANDEM_RTP)->srtp_in);
	assert_null(flow(&fx, TANDEM_RTP)->srtp_out);
	assert_int_equal(fan->key_count, 2);
	assert_true(fan->legs[0].srtp && fan->legs[1].srtp);
	assert_true(fan->legs[0].srtp != fan->legs[1].srtp);
	assert_int_equal(fan->legs[2].srtp, 0);
	assert_int_equal(fan->legs[3].srtp, fan->legs[0].srtp); /* to the same receiver */
	/* and so has the RTCP of each */
	assert_int_equal(fan->branches[2].flags, BRANCH_F_RTCP);
	for (i = 0; i < 3; i++)
		assert_int_equal(fan->legs[fan->branches[2].first + i].srtp, fan->legs[i].srtp);

	/* a single leg whose RTCP has other keys cannot be one-to-one */
	set_ok(&fx, "{" SOURCE ",\"out\":[{" TO(1) "," CM(A) "}],\"rtcp_out\":[{" TO(1) "}]}");
	assert_non_null(flow(&fx, TANDEM_RTP)->fan);
	fx_clean(&fx);
}

/* An index must not come twice under a key: what another forward sends with it is the same set. */
static void forwards_share_sets(void **state)
{
	struct fixture fx;
	uint64_t out;

	(void)state;
	fx_open(&fx);
	set_ok(&fx, "{" SOURCE ",\"out\":[{" TO(1) "," CM(A) "}]}");
	out = flow(&fx, TANDEM_RTP)->srtp_out->id;
	set_ok(&fx, "{\"name\":\"g\",\"from\":\"192.0.2.8:4000\"," CM(A) ",\"out\":[{" TO(1) "," CM(
			    A) "}]}");
	assert_int_equal(fx.plane.n, 2);
	assert_int_equal(fx.plane.specs[1].srtp_out->id, out);
	/* but what arrives under it counts on its own */
	assert_true(fx.plane.specs[1].srtp_in->id != out);
	fx_clean(&fx);
}

static void nobody_sees_them(void **state)
{
	struct fixture fx;
	json_t *js;
	char *text;

	(void)state;
	fx_open(&fx);
	set_ok(&fx, "{" SOURCE "," CM(A) ",\"out\":[{" TO(1) "," CM(B) "},{" TO(
			    2) "}],\"ssrc\":[{\"ssrc\":7,"
			       "\"out\":[{" TO(1) "," GCM(G) "}]}],\"rtcp_out\":["
							     "{" TO(1) "," CM(B) "}]}");
	js = show(&fx, "f");
	text = json_dumps(js, 0);
	assert_null(strstr(text, A));
	assert_null(strstr(text, B));
	assert_null(strstr(text, G));
	assert_null(strstr(text, "inline"));
	assert_string_equal(json_string_value(json_object_get(js, "srtp")),
			    "AES_CM_128_HMAC_SHA1_80");
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(js, "legs"), 2), "srtp")),
			    "AEAD_AES_128_GCM");
	assert_true(json_is_null(
		json_object_get(json_array_get(json_object_get(js, "legs"), 1), "srtp")));
	free(text);
	json_decref(js);
	fx_clean(&fx);
}

static void sets_outlive_a_restart(void **state)
{
	struct fixture fx;
	uint64_t in, legs[2];

	(void)state;
	fx_init(&fx);
	assert_int_equal(tandem_store_open(&fx.store, ":memory:", why, sizeof(why)), 0);
	assert_int_equal(fx_start(&fx), 0);
	set_ok(&fx,
	       "{" SOURCE "," CM(A) ",\"out\":[{" TO(1) "," CM(B) "},{" TO(2) "," GCM(G) "}]}");
	in = flow(&fx, TANDEM_RTP)->srtp_in->id;
	legs[0] = flow(&fx, TANDEM_RTP)->fan->legs[0].srtp;
	legs[1] = flow(&fx, TANDEM_RTP)->fan->legs[1].srtp;

	tandem_sessions_free(fx.ss);
	fx.ss = NULL;
	fx.env.seed++; /* another order of ports */
	assert_int_equal(fx_start(&fx), 0);
	assert_int_equal(fx.plane.n, 1);
	assert_int_equal(flow(&fx, TANDEM_RTP)->srtp_in->id, in);
	assert_int_equal(flow(&fx, TANDEM_RTP)->fan->legs[0].srtp, legs[0]);
	assert_int_equal(flow(&fx, TANDEM_RTP)->fan->legs[1].srtp, legs[1]);
	fx_clean(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_keys),
		cmocka_unit_test(one_leg_is_one_to_one),
		cmocka_unit_test(each_leg_has_its_own),
		cmocka_unit_test(forwards_share_sets),
		cmocka_unit_test(nobody_sees_them),
		cmocka_unit_test(sets_outlive_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
