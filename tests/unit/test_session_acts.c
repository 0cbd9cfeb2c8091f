/* SPDX-License-Identifier: GPL-2.0-only */
/* Media and DTMF that commands block, and media that they silence: whose, for how long, by which rules. */
#include "tests/unit/session_fixture.h"

#define BLOCK	TANDEM_ACT_BLOCK
#define SILENCE TANDEM_ACT_SILENCE
#define DTMF	TANDEM_ACT_BLOCK_DTMF

static const enum tandem_party_id party_a = TANDEM_PARTY_A, party_b = TANDEM_PARTY_B;

static const char *sdp(const char *host, int port, const char *formats, const char *more)
{
	static char text[1024];

	snprintf(text, sizeof(text),
		 "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %d RTP/AVP "
		 "%s\r\n%s",
		 host, host, port, formats, more);
	return text;
}

static void call(struct fixture *fx, const char *formats, const char *more)
{
	assert_int_equal(fx_dialog(fx, CALL), 0);
	assert_int_equal(fx_offer(fx, TANDEM_PARTY_A, sdp(CALLER, 4000, formats, more)), 0);
	assert_int_equal(fx_answer(fx, TANDEM_PARTY_B, sdp(CALLEE, 5000, formats, more)), 0);
	assert_int_equal(tandem_session_confirm(fx->ss, CALL), 0);
}

static int order(struct fixture *fx, const enum tandem_party_id *party, unsigned int act, bool off,
		 bool *partly)
{
	const struct tandem_act_target target = { .call = CALL, .party = party, .media = -1 };

	return tandem_session_act(fx->ss, &target, act, off, partly);
}

static void want(struct fixture *fx, const enum tandem_party_id *party, unsigned int act, bool off)
{
	bool partly;

	assert_int_equal(order(fx, party, act, off, &partly), 0);
}

static const struct tandem_egress *egress(struct fixture *fx, enum tandem_party_id from)
{
	return &fx_flow(fx, 0, from, TANDEM_RTP)->egress[EGRESS_RTP];
}

/* What becomes of a payload type of a party; -1: nobody has said anything of the flow. */
static int act_of(struct fixture *fx, enum tandem_party_id from, unsigned int pt)
{
	const struct tandem_flow_spec *spec = fx_flow(fx, 0, from, TANDEM_RTP);
	const struct tandem_egress *eg = &spec->egress[EGRESS_RTP];
	int i;

	if (!(eg->flags & EGRESS_F_ACTS))
		return -1;
	for (i = 0; i < TANDEM_MAX_PTS && spec->pts.clock_hz[i]; i++) {
		if (spec->pts.pt[i] == pt)
			return eg->acts >> 4 * i & 0xf;
	}
	return eg->act_rest;
}

#define EVENT "a=rtpmap:101 telephone-event/8000\r\n"

static void of_a_party_and_of_the_call(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	call(&fx, "0 8 101", EVENT);
	assert_int_equal(act_of(&fx, party_a, 0), -1);
	want(&fx, &party_a, BLOCK, false);
	assert_int_equal(act_of(&fx, party_a, 0), ACT_BLOCK);
	assert_int_equal(act_of(&fx, party_a, 97), ACT_BLOCK);
	assert_int_equal(act_of(&fx, party_a, 101), ACT_PASS);
	assert_int_equal(act_of(&fx, party_b, 0), -1);
	/* nothing but the one flow has changed */
	assert_int_equal(fx_flow(&fx, 0, party_a, TANDEM_RTCP)->egress[EGRESS_RTCP].flags,
			 EGRESS_F_ACTIVE);
	assert_int_equal(fx.plane.sets, 5);
	want(&fx, &party_a, DTMF, false);
	assert_int_equal(act_of(&fx, party_a, 101), ACT_BLOCK);
	want(&fx, &party_a, BLOCK, true);
	assert_int_equal(act_of(&fx, party_a, 0), ACT_PASS);
	assert_int_equal(act_of(&fx, party_a, 97), ACT_PASS);
	assert_int_equal(act_of(&fx, party_a, 101), ACT_BLOCK);
	/* what is undone for the call stays for the party */
	want(&fx, NULL, DTMF, false);
	assert_int_equal(act_of(&fx, party_b, 101), ACT_BLOCK);
	want(&fx, NULL, DTMF, true);
	assert_int_equal(act_of(&fx, party_b, 101), -1);
	assert_int_equal(act_of(&fx, party_a, 101), ACT_BLOCK);
	want(&fx, &party_a, DTMF, true);
	assert_int_equal(act_of(&fx, party_a, 101), -1);
	assert_int_equal(egress(&fx, party_a)->acts, 0);
	fx_clean(&fx);
}

static void listening_changes_nothing(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	call(&fx, "0 8 101", EVENT);
	want(&fx, NULL, TANDEM_ACT_FORWARD, false);
	want(&fx, &party_b, TANDEM_ACT_FORWARD, false);
	assert_int_equal(act_of(&fx, party_a, 0), -1);
	assert_int_equal(act_of(&fx, party_b, 0), -1);
	want(&fx, &party_b, SILENCE, false);
	assert_int_equal(act_of(&fx, party_a, 0), -1);
	assert_int_equal(act_of(&fx, party_b, 0), ACT_ULAW);
	want(&fx, &party_b, TANDEM_ACT_FORWARD, true);
	assert_int_equal(act_of(&fx, party_b, 0), ACT_ULAW);
	fx_clean(&fx);
}

static void silence_by_codec(void **state)
{
	static const struct {
		const char *rtpmap;
		int act;
	} codecs[] = {
		{ "PCMU/8000", ACT_ULAW },     { "pcma/8000", ACT_ALAW },
		{ "G722/8000", ACT_G722 },     { "CN/8000", ACT_CN },
		{ "L16/44100/2", ACT_LINEAR }, { "opus/48000/2", ACT_OPUS },
		{ "G729/8000", ACT_G729 },     { "AMR/8000", ACT_BLOCK },
		{ "G729D/8000", ACT_BLOCK },   { "telephone-event/48000", ACT_PASS },
		{ "red/8000", ACT_BLOCK },
	};
	char map[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
		struct fixture fx;
		bool partly;

		fx_open(&fx);
		snprintf(map, sizeof(map), "a=rtpmap:96 %s\r\n", codecs[i].rtpmap);
		call(&fx, "96", map);
		assert_int_equal(order(&fx, NULL, SILENCE, false, &partly), 0);
		if (act_of(&fx, party_b, 96) != codecs[i].act)
			fail_msg("%s: %d", codecs[i].rtpmap, act_of(&fx, party_b, 96));
		assert_int_equal(partly, codecs[i].act == ACT_BLOCK);
		/* to block counts for more */
		want(&fx, &party_b, BLOCK, false);
		assert_int_equal(act_of(&fx, party_b, 96),
				 codecs[i].act == ACT_PASS ? ACT_PASS : ACT_BLOCK);
		fx_clean(&fx);
	}
}

/* More payload types than have room: events must be among those that do. */
static void events_are_never_left_out(void **state)
{
	struct fixture fx;

	(void)state;
	fx_open(&fx);
	call(&fx, "0 8 9 18 96 97 98 99 100 101 102",
	     "a=rtpmap:96 AMR/8000\r\na=rtpmap:97 AMR/8000\r\na=rtpmap:98 AMR/8000\r\n"
	     "a=rtpmap:99 AMR/8000\r\na=rtpmap:100 telephone-event/48000\r\n"
	     "a=rtpmap:101 telephone-event/8000\r\na=rtpmap:102 AMR/8000\r\n");
	want(&fx, NULL, BLOCK, false);
	assert_int_equal(act_of(&fx, party_a, 100), ACT_PASS);
	assert_int_equal(act_of(&fx, party_a, 101), ACT_PASS);
	assert_int_equal(act_of(&fx, party_a, 102), ACT_BLOCK);
	want(&fx, NULL, BLOCK, true);
	want(&fx, NULL, DTMF, false);
	assert_int_equal(act_of(&fx, party_a, 100), ACT_BLOCK);
	assert_int_equal(act_of(&fx, party_a, 101), ACT_BLOCK);
	assert_int_equal(act_of(&fx, party_a, 102), ACT_PASS);
	fx_clean(&fx);
}

/* Before the answer, and with the next description; a media of its own alone. */
static void holds_for_what_comes(void **state)
{
	struct tandem_act_target target = { .call = CALL, .party = &party_a, .media = 1 };
	struct fixture fx;
	bool partly;

	(void)state;
	fx_open(&fx);
	assert_int_equal(fx_dialog(&fx, CALL), 0);
	want(&fx, &party_b, SILENCE, false);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_A, audio(CALLER, 4000, "")), 0);
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_B, audio(CALLEE, 5000, "")), 0);
	assert_int_equal(act_of(&fx, party_b, 0), ACT_ULAW);
	assert_int_equal(fx_offer(&fx, TANDEM_PARTY_B, sdp(CALLEE, 5000, "8", "")), 0);
	assert_int_equal(fx_answer(&fx, TANDEM_PARTY_A, sdp(CALLER, 4000, "8", "")), 0);
	assert_int_equal(act_of(&fx, party_b, 8), ACT_ALAW);
	assert_int_equal(act_of(&fx, party_a, 8), -1);

	/* there is but one media */
	assert_int_equal(tandem_session_act(fx.ss, &target, BLOCK, false, &partly), -EINVAL);
	target.media = TANDEM_MEDIA_MAX;
	assert_int_equal(tandem_session_act(fx.ss, &target, BLOCK, false, &partly), -EINVAL);
	target.media = 0;
	assert_int_equal(tandem_session_act(fx.ss, &target, BLOCK, false, &partly), 0);
	assert_int_equal(act_of(&fx, party_a, 8), ACT_BLOCK);
	/* undone for the party it is for its media */
	want(&fx, &party_a, BLOCK, true);
	assert_int_equal(act_of(&fx, party_a, 8), -1);
	target.call = "stranger";
	assert_int_equal(tandem_session_act(fx.ss, &target, BLOCK, false, &partly), -ENOENT);
	fx_clean(&fx);
}

/* Each of what a target says has to fit. */
static void who_is_meant(void **state)
{
	const struct tandem_dialog dialog = { .call_id = CALL,
					      .from_tag = "tag-a",
					      .to_tag = "tag-b" };
	const struct ip_addr caller = ip(CALLER), stranger = ip("203.0.113.1");
	const struct {
		struct tandem_act_target target;
		bool a, b;
	} cases[] = {
		{ { .tag = "tag-a" }, true, false },
		{ { .tag = "tag-b" }, false, true },
		{ { .tag = "tag-c" }, false, false },
		{ { .tag = "tag-a", .to_tag = "tag-b" }, true, false },
		{ { .tag = "tag-a", .to_tag = "tag-a" }, false, false },
		{ { .to_tag = "tag-b" }, true, false },
		{ { .label = "left" }, true, false },
		{ { .label = "right", .to_label = "left" }, false, true },
		{ { .label = "middle" }, false, false },
		{ { .address = &caller }, true, false },
		{ { .address = &stranger }, false, false },
		{ { .party = &party_b, .tag = "tag-a" }, false, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tandem_act_target target = cases[i].target;
		struct fixture fx;
		bool partly;
		int err;

		fx_open(&fx);
		fx_call(&fx, CALL);
		assert_int_equal(tandem_session_open(fx.ss, &dialog), 0);
		assert_int_equal(tandem_session_label(fx.ss, CALL, TANDEM_PARTY_A, "left"), 0);
		assert_int_equal(tandem_session_label(fx.ss, CALL, TANDEM_PARTY_B, "right"), 0);
		target.call = CALL;
		target.whole_call = i % 2;
		target.media = -1;
		err = tandem_session_act(fx.ss, &target, BLOCK, false, &partly);
		assert_int_equal(err, cases[i].a || cases[i].b ? 0 : -ENOENT);
		if ((act_of(&fx, party_a, 0) == ACT_BLOCK) != cases[i].a ||
		    (act_of(&fx, party_b, 0) == ACT_BLOCK) != cases[i].b)
			fail_msg("case %zu", i);
		fx_clean(&fx);
	}
}

/* Of a call with several branches, those there are and those to come. */
static void forked(void **state)
{
	struct tandem_dialog dialog = { .call_id = CALL, .from_tag = "tag-a", .branch = 1 };
	struct tandem_act_target target = { .call = CALL, .whole_call = true, .media = -1 };
	char name[TANDEM_SESSION_NAME_SIZE];
	struct fixture fx;
	bool partly;

	(void)state;
	fx_open(&fx);
	assert_int_equal(fx_dialog(&fx, CALL), 0);
	assert_int_equal(tandem_session_open(fx.ss, &dialog), 0);
	assert_int_equal(tandem_session_act(fx.ss, &target, BLOCK, false, &partly), 0);
	dialog.branch = 2;
	assert_int_equal(tandem_session_open(fx.ss, &dialog), 0);
	tandem_session_name(name, TANDEM_OWNER_SIP, CALL, 2);
	assert_int_equal(tandem_acts_of(fx_session(&fx, name), TANDEM_PARTY_B, 3), BLOCK);
	target.all = true;
	assert_int_equal(tandem_session_act(fx.ss, &target, BLOCK, true, &partly), 0);
	assert_false(tandem_acts_any(fx_session(&fx, name)));
	assert_false(tandem_acts_any(fx_session(&fx, CALL)));
	fx_clean(&fx);
}

/* The next process does as this one was told. */
static void outlives_a_restart(void **state)
{
	struct tandem_act_target target = { .call = CALL, .party = &party_b };
	struct tandem_flow_spec before[4];
	struct fixture fx;
	char why[128];
	bool partly;

	(void)state;
	fx_init(&fx);
	assert_int_equal(tandem_store_open(&fx.store, ":memory:", why, sizeof(why)), 0);
	assert_int_equal(fx_start(&fx), 0);
	fx_call(&fx, CALL);
	assert_int_equal(tandem_session_label(fx.ss, CALL, TANDEM_PARTY_A, "left"), 0);
	want(&fx, &party_a, BLOCK, false);
	want(&fx, NULL, DTMF, false);
	assert_int_equal(tandem_session_act(fx.ss, &target, SILENCE, false, &partly), 0);
	memcpy(before, fx.plane.specs, sizeof(before));
	tandem_sessions_free(fx.ss);
	fx.ss = NULL;
	assert_int_equal(fx_start(&fx), 0);
	assert_int_equal(fx.plane.n, 4);
	assert_memory_equal(before, fx.plane.specs, sizeof(before));
	assert_int_equal(tandem_acts_of(fx_session(&fx, CALL), party_a, 0), BLOCK | DTMF);
	assert_int_equal(tandem_acts_of(fx_session(&fx, CALL), party_b, 0), SILENCE | DTMF);
	assert_int_equal(tandem_acts_of(fx_session(&fx, CALL), party_b, 1), DTMF);
	target = (struct tandem_act_target){ .call = CALL, .label = "left", .media = -1 };
	assert_int_equal(tandem_session_act(fx.ss, &target, BLOCK, true, &partly), 0);
	assert_int_equal(act_of(&fx, party_a, 0), ACT_PASS);
	fx_clean(&fx);
}

/* What is in the store may be damaged. */
static void damaged(void **state)
{
	static const char *const docs[] = {
		"{\"call\": 16}",
		"{\"call\": -1}",
		"{\"call\": 0, \"party\": [0, 99]}",
		"{\"a\": [0, 0, 1000000000000]}",
		"{\"b\": [77]}",
	};
	struct tandem_acts acts = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(docs) / sizeof(docs[0]); i++) {
		json_t *js = json_loads(docs[i], 0, NULL);

		assert_non_null(js);
		assert_int_equal(tandem_acts_parse(&acts, js), -EBADMSG);
		json_decref(js);
	}
	assert_int_equal(tandem_acts_parse(&acts, NULL), 0);
}

/* Who is blocked is there all the same: the call is not over, and its verdict says why. */
static void a_blocked_call_goes_on(void **state)
{
	struct tandem_flow_stats *stats;
	struct fixture fx;
	json_t *js;
	int p;

	(void)state;
	fx_open(&fx);
	fx_call(&fx, CALL);
	want(&fx, &party_a, BLOCK, false);
	want(&fx, &party_b, SILENCE, false);
	fx.now_ms += 1000ULL * (fx.ss->cfg.inactivity_timeout_s - 1);
	for (p = 0; p < 2; p++) {
		stats = fx_stats(&fx, p, TANDEM_RTP);
		stats->stream_count = 1;
		stats->streams[0].packets = 50;
		stats->streams[0].last_ns = fx.now_ms * 1000000;
	}
	fx.now_ms += 2000;
	tandem_sessions_tick(fx.ss);
	assert_int_equal(tandem_sessions_count(fx.ss), 1);
	js = tandem_session_json(fx.ss, CALL);
	assert_string_equal(json_string_value(json_object_get(js, "verdict")),
			    "media of the caller is blocked by command; "
			    "media of the callee is silenced by command; else two-way");
	json_decref(js);
	fx.now_ms += 1000ULL * fx.ss->cfg.inactivity_timeout_s;
	tandem_sessions_tick(fx.ss);
	assert_int_equal(tandem_sessions_count(fx.ss), 0);
	fx_clean(&fx);
}

/* The plane says no: what is wanted is kept, and asked for again with the next change. */
static void refused(void **state)
{
	struct fixture fx;
	bool partly;

	(void)state;
	fx_open(&fx);
	fx_call(&fx, CALL);
	tandem_log_set_level(TANDEM_LOG_ERROR + 1);
	fx.plane.refuse = ENOSPC;
	assert_int_equal(order(&fx, NULL, BLOCK, false, &partly), -ENOSPC);
	assert_int_equal(act_of(&fx, party_a, 0), -1);
	fx.plane.refuse = 0;
	want(&fx, NULL, BLOCK, false);
	assert_int_equal(act_of(&fx, party_a, 0), ACT_BLOCK);
	fx_clean(&fx);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_party_and_of_the_call),
		cmocka_unit_test(listening_changes_nothing),
		cmocka_unit_test(silence_by_codec),
		cmocka_unit_test(events_are_never_left_out),
		cmocka_unit_test(holds_for_what_comes),
		cmocka_unit_test(who_is_meant),
		cmocka_unit_test(forked),
		cmocka_unit_test(outlives_a_restart),
		cmocka_unit_test(damaged),
		cmocka_unit_test(a_blocked_call_goes_on),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
