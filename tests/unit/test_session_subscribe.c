/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Media of a session for those who have subscribed to it:
 *
 *   caller ---RTP---> [ relay ] ---> callee
 *                        |---------> first subscriber
 *                        `---------> second
 */
#include "tests/unit/session_stored.h"

#define FIRST  "203.0.113.30"
#define SECOND "203.0.113.40"
#define BOTH   3U
#define OF_A   1U

static int subscribe(struct fixture *fx, const char *tag, unsigned int parties,
		     enum tandem_security security)
{
	const struct tandem_signal sig = { .source_security = TANDEM_SECURITY_PLAIN,
					   .target_security = security };

	free(fx->sdp);
	fx->sdp = NULL;
	return tandem_session_subscribe(fx->ss, CALL, tag, parties, &sig, &fx->sdp, &fx->sdp_len);
}

static int subscribed(struct fixture *fx, const char *tag, const char *sdp)
{
	const struct tandem_signal sig = { 0 };

	return tandem_session_subscribed(fx->ss, TANDEM_OWNER_SIP, CALL, tag, &sig, sdp,
					 strlen(sdp));
}

static int unsubscribe(struct fixture *fx, const char *tag)
{
	return tandem_session_unsubscribe(fx->ss, TANDEM_OWNER_SIP, CALL, tag);
}

/* One that hears the caller. */
static void one(struct fixture *fx, const char *tag, const char *host)
{
	assert_int_equal(subscribe(fx, tag, OF_A, TANDEM_SECURITY_PLAIN), 0);
	assert_int_equal(subscribed(fx, tag, audio(host, 7000, "a=recvonly\r\n")), 0);
}

/* The leg of what the caller sends that goes there; NULL: there is none. */
static const struct tandem_fan_leg *leg_to(struct fixture *fx, enum tandem_component comp,
					   const char *where)
{
	const struct tandem_flow_spec *spec = fx_flow(fx, 0, TANDEM_PARTY_A, comp);
	const struct tandem_endpoint to = ep(where, 0);
	uint32_t i;

	for (i = 0; spec->fan && i < spec->fan->leg_count; i++) {
		if (tandem_ip_equal(&spec->fan->legs[i].leg.egress.remote, &to.ip))
			return &spec->fan->legs[i];
	}
	return NULL;
}

/* Of a subscription it names the source. */
static void assert_verdict(struct fixture *fx, const char *call, const char *source)
{
	json_t *js = tandem_session_json(fx->ss, call);
	char want[64];

	snprintf(want, sizeof(want), "subscribed to %s", source);
	assert_string_equal(json_string_value(json_object_get(js, "verdict")), want);
	json_decref(js);
}

static void both_parties_are_heard(void **state)
{
	struct fixture fx;
	const struct tandem_flow_spec *spec;
	const char *second;
	char answer[1024];
	size_t ports;

	(void)state;
	fx_open(&fx);
	fx_call(&fx, CALL);
	ports = fx_free_ports(&fx);
	assert_int_equal(subscribe(&fx, "s1", BOTH, TANDEM_SECURITY_PLAIN), 0);
	assert_has(&fx, "a=sendonly\r\n");
	assert_has_not(&fx, CALLER);
	assert_has_not(&fx, CALLEE);
	second = strstr(strstr(fx.sdp, "m=audio") + 1, "m=audio");
	assert_non_null(second);
	assert_non_null(strstr(second, "a=sendonly\r\n"));
	assert_null(strstr(second + 1, "m=audio"));
	assert_int_equal(fx.plane.n, 4);

	snprintf(answer, sizeof(answer), "%sm=audio 7002 RTP/AVP 0\r\na=recvonly\r\n",
		 audio(FIRST, 7000, "a=recvonly\r\n"));
	assert_int_equal(subscribed(&fx, "s1", answer), 0);
	/* what comes from the subscriber arrives, and goes nowhere */
	assert_int_equal(fx.plane.n, 6);
	for (int p = 0; p < 2; p++) {
		spec = fx_flow(&fx, 0, p, TANDEM_RTP);
		assert_non_null(spec->fan);
		assert_int_equal(spec->fan->leg_count, 2);
		assert_int_equal(spec->fan->branch_count, 1);
		assert_endpoint(&spec->fan->legs[1].leg.egress.remote,
				spec->fan->legs[1].leg.egress.remote_port,
				p ? FIRST ":7002" : FIRST ":7000");
		spec = fx_flow(&fx, 0, p, TANDEM_RTCP);
		assert_int_equal(spec->fan->branch_count, 1);
		assert_int_equal(spec->fan->branches[0].flags, BRANCH_F_RTCP);
		assert_endpoint(&spec->fan->legs[1].leg.egress.remote,
				spec->fan->legs[1].leg.egress.remote_port,
				p ? FIRST ":7003" : FIRST ":7001");
	}

	assert_verdict(&fx, CALL " 1", fx_session(&fx, CALL)->id);

	assert_int_equal(unsubscribe(&fx, "s1"), 0);
	assert_int_equal(fx.plane.n, 4);
	assert_null(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->fan);
	assert_egress(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), EGRESS_RTP, CALLEE ":5000");
	assert_int_equal(fx_free_ports(&fx), ports);
	assert_int_equal(unsubscribe(&fx, "s1"), -ENOENT);
	fx_clean(&fx);
}

static void one_goes_the_other_stays(void **state)
{
	struct fixture fx;
	uint32_t id, rtcp;

	(void)state;
	fx_open(&fx);
	fx_call(&fx, CALL);
	one(&fx, "s1", FIRST);
	one(&fx, "s2", SECOND);
	id = leg_to(&fx, TANDEM_RTP, SECOND)->id;
	rtcp = leg_to(&fx, TANDEM_RTCP, SECOND)->id;
	assert_int_not_equal(id, leg_to(&fx, TANDEM_RTP, FIRST)->id);
	assert_null(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->fan);
	assert_int_equal(unsubscribe(&fx, "s1"), 0);
	assert_null(leg_to(&fx, TANDEM_RTP, FIRST));
	assert_int_equal(leg_to(&fx, TANDEM_RTP, SECOND)->id, id);
	assert_int_equal(leg_to(&fx, TANDEM_RTCP, SECOND)->id, rtcp);

	/* its place is taken, by another leg for those who count */
	one(&fx, "s3", FIRST);
	assert_int_equal(leg_to(&fx, TANDEM_RTP, SECOND)->id, id);
	/* the other one moves: an answer that replaces the one before */
	assert_int_equal(subscribed(&fx, "s2", audio("203.0.113.41", 7000, "")), 0);
	assert_null(leg_to(&fx, TANDEM_RTP, SECOND));
	assert_int_equal(leg_to(&fx, TANDEM_RTP, "203.0.113.41")->id, id);
	fx_clean(&fx);
}

static void all_end_with_their_source(void **state)
{
	struct fixture fx;
	size_t ports;

	(void)state;
	fx_open(&fx);
	ports = fx_free_ports(&fx);
	fx_call(&fx, CALL);
	one(&fx, "s1", FIRST);
	one(&fx, "s2", SECOND);
	assert_int_equal(subscribe(&fx, "s3", OF_A, TANDEM_SECURITY_PLAIN), 0);
	assert_int_equal(tandem_session_end(fx.ss, CALL, "bye"), 0);
	assert_int_equal(tandem_sessions_count(fx.ss), 0);
	assert_int_equal(fx.plane.n, 0);
	assert_int_equal(fx_free_ports(&fx), ports);

	/* in a tick, and with it what nobody has answered */
	fx_call(&fx, CALL);
	one(&fx, "s1", FIRST);
	fx.now_ms += 1000;
	assert_int_equal(subscribe(&fx, "s2", OF_A, TANDEM_SECURITY_PLAIN), 0);
	fx.now_ms += 86400 * 1000;
	tandem_sessions_tick(fx.ss);
	assert_int_equal(tandem_sessions_count(fx.ss), 0);
	assert_int_equal(fx.plane.n, 0);
	assert_int_equal(fx_free_ports(&fx), ports);
	fx_clean(&fx);
}

/* A callee who wants to hear nothing for now does not make others deaf. */
static void others_hear_on(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	fx_call(&fx, CALL);
	one(&fx, "s1", FIRST);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_B, audio("0.0.0.0", 5000, "")), 0);
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, "")), 0);
	assert_int_equal(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->flags & RULE_F_MUTE, 0);
	assert_int_equal(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->fan->leg_count, 1);
	assert_non_null(leg_to(&fx, TANDEM_RTP, FIRST));
	assert_int_equal(unsubscribe(&fx, "s1"), 0);
	assert_true(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->flags & RULE_F_MUTE);
	fx_clean(&fx);
}

/* Its keys are its own. */
static void with_keys(void **state)
{
	static const char key[] = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
				  "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n";
	const struct tandem_fan_leg *leg;
	const struct tandem_fan *fan;
	struct fixture fx;
	char sdp[1024], *profile;

	(void)state;
	fx_open(&fx);
	fx_call(&fx, CALL);
	assert_int_equal(subscribe(&fx, "s1", OF_A, TANDEM_SECURITY_SDES_REQUIRE), 0);
	assert_has(&fx, "RTP/SAVP ");
	assert_has(&fx, "a=crypto:1 ");
	snprintf(sdp, sizeof(sdp), "%s%s", audio(FIRST, 7000, "a=recvonly\r\n"), key);
	profile = strstr(sdp, "RTP/AVP");
	memmove(profile + 8, profile + 7, strlen(profile + 7) + 1);
	memcpy(profile, "RTP/SAVP", 8);
	assert_int_equal(subscribed(&fx, "s1", sdp), 0);
	fan = fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->fan;
	leg = leg_to(&fx, TANDEM_RTP, FIRST);
	assert_int_equal(fan->key_count, 1);
	assert_true(leg->srtp && leg->srtp == fan->keys[0].id);
	assert_int_equal(leg_to(&fx, TANDEM_RTP, CALLEE)->srtp, 0);
	assert_int_equal(leg_to(&fx, TANDEM_RTCP, FIRST)->srtp, leg->srtp);
	fx_clean(&fx);
}

static void they_outlive_a_restart(void **state)
{
	struct fixture fx;
	uint32_t id;

	(void)state;
	fx_open_stored(&fx);
	fx_call(&fx, CALL);
	one(&fx, "s1", FIRST);
	id = leg_to(&fx, TANDEM_RTP, FIRST)->id;
	restart(&fx, 1000);
	assert_int_equal(tandem_sessions_count(fx.ss), 2);
	assert_int_equal(leg_to(&fx, TANDEM_RTP, FIRST)->id, id);
	/* what was said is not known any more, until it is said again */
	assert_int_equal(subscribe(&fx, "s2", OF_A, TANDEM_SECURITY_PLAIN), -ENODATA);
	fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, ""));
	fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, ""));
	one(&fx, "s2", SECOND);
	assert_int_equal(tandem_session_end(fx.ss, CALL, "bye"), 0);
	assert_int_equal(stored(&fx), 0);
	fx_clean(&fx);
}

static void refused(void **state)
{
	struct fixture fx;
	char tag[16];
	int i, err = 0;

	(void)state;
	fx_open(&fx);
	assert_int_equal(subscribe(&fx, "s1", OF_A, TANDEM_SECURITY_PLAIN), -ENOENT);
	fx_dialog(&fx, CALL);
	assert_int_equal(subscribe(&fx, "s1", OF_A, TANDEM_SECURITY_PLAIN), -EAGAIN);
	fx_call(&fx, CALL);
	assert_int_equal(subscribe(&fx, "s1", 0, TANDEM_SECURITY_PLAIN), -EINVAL);
	assert_int_equal(subscribe(&fx, "", OF_A, TANDEM_SECURITY_PLAIN), -EINVAL);
	assert_int_equal(subscribed(&fx, "s1", audio(FIRST, 7000, "")), -ENOENT);
	assert_int_equal(subscribe(&fx, "s1", OF_A, TANDEM_SECURITY_PLAIN), 0);
	/* not to the relay itself, whoever asks for it */
	assert_int_equal(subscribed(&fx, "s1", audio("10.0.0.1", 16400, "")), -EACCES);
	assert_int_equal(subscribed(&fx, "s1", "nonsense"), -EBADMSG);
	assert_int_equal(fx.plane.n, 4);
	assert_int_equal(unsubscribe(&fx, "s1"), 0);
	for (i = 0; i < 1000 && !err; i++) {
		snprintf(tag, sizeof(tag), "t%d", i);
		err = subscribe(&fx, tag, OF_A, TANDEM_SECURITY_PLAIN);
	}
	assert_int_equal(err, -ENOSPC);
	assert_int_equal(tandem_session_end(fx.ss, CALL, "bye"), 0);
	assert_int_equal(tandem_sessions_count(fx.ss), 0);
	fx_clean(&fx);
}

static int publish(struct fixture *fx, const char *sdp)
{
	const struct tandem_signal sig = { 0 };

	free(fx->sdp);
	fx->sdp = NULL;
	return tandem_session_publish(fx->ss, CALL, &sig, sdp, strlen(sdp), &fx->sdp, &fx->sdp_len);
}

/* Nobody but subscribers hears it. */
static void published(void **state)
{
	struct fixture fx;
	size_t ports;

	(void)state;
	fx_open_stored(&fx);
	ports = fx_free_ports(&fx);
	fx_dialog(&fx, CALL);
	assert_int_equal(publish(&fx, audio(CALLER, 4000, "a=sendonly\r\n")), 0);
	assert_has(&fx, "a=recvonly\r\n");
	assert_has_not(&fx, CALLER);
	assert_int_equal(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->egress[EGRESS_RTP].flags, 0);
	one(&fx, "s1", FIRST);
	assert_int_equal(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->fan->leg_count, 1);
	assert_non_null(leg_to(&fx, TANDEM_RTP, FIRST));
	assert_int_equal(subscribe(&fx, "s2", 2, TANDEM_SECURITY_PLAIN), -EINVAL);
	restart(&fx, 1000);
	assert_non_null(leg_to(&fx, TANDEM_RTP, FIRST));
	/* again, from elsewhere */
	assert_int_equal(publish(&fx, audio("192.0.2.11", 4000, "a=sendonly\r\n")), 0);
	assert_non_null(leg_to(&fx, TANDEM_RTP, FIRST));
	assert_remote(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP), "192.0.2.11:4000");
	assert_int_equal(tandem_session_end(fx.ss, CALL, "bye"), 0);
	assert_int_equal(fx.plane.n, 0);
	assert_int_equal(fx_free_ports(&fx), ports);

	/* a call is none */
	fx_call(&fx, CALL);
	assert_int_equal(publish(&fx, audio(CALLER, 4000, "")), -EINVAL);
	fx_clean(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_parties_are_heard),
		cmocka_unit_test(one_goes_the_other_stays),
		cmocka_unit_test(all_end_with_their_source),
		cmocka_unit_test(others_hear_on),
		cmocka_unit_test(with_keys),
		cmocka_unit_test(they_outlive_a_restart),
		cmocka_unit_test(refused),
		cmocka_unit_test(published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
