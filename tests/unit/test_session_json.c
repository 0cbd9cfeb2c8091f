/* SPDX-License-Identifier: GPL-2.0-only */
/* What the local API shows of a session, and how it counts. */
#include "tests/unit/session_fixture.h"
#include "userspace/session/counts.h"
#include "userspace/session/snapshot.h"

static const json_t *at(const json_t *js, const char *list, size_t i)
{
	return json_array_get(json_object_get(js, list), i);
}

static void assert_text(const json_t *js, const char *key, const char *want)
{
	const char *value = json_string_value(json_object_get(js, key));

	if (!value)
		fail_msg("%s is missing, wanted %s", key, want);
	assert_string_equal(value, want);
}

static void assert_number(const json_t *js, const char *key, double want)
{
	const json_t *value = json_object_get(js, key);

	if (!json_is_number(value))
		fail_msg("%s is missing, wanted %g", key, want);
	if (json_number_value(value) != want)
		fail_msg("%s is %g, wanted %g", key, json_number_value(value), want);
}

static void assert_null_value(const json_t *js, const char *key)
{
	assert_true(json_is_null(json_object_get(js, key)));
}

/* 100 packets of which 4 were lost, one came twice and one late. */
static void talk(struct fixture *fx, enum tandem_party_id from, uint32_t ssrc)
{
	struct tandem_flow_stats *stats = fx_stats(fx, from, TANDEM_RTP);
	struct tandem_stream *st = &stats->streams[0];

	stats->flow.packets = stats->fast_packets = 97;
	stats->flow.octets = 97 * 172;
	stats->flow.last_ns = fx->now_ms * 1000000;
	stats->stream_count = 1;
	*st = (struct tandem_stream){
		.ssrc = ssrc,
		.pt = 8,
		.clock_hz = 8000,
		.cycles = 1 << 16,
		.base_seq = 65500,
		.max_seq = 63,
		.received = 96,
		.packets = 97,
		.octets = 97 * 160,
		.duplicates = 1,
		.reordered = 1,
		.gaps = 2,
		.jitter_ns = 16 * 2500000ULL,
		.jitter_max_ns = 7000000,
		.rtt_ns = 40000000,
		.rtt_min_ns = 38000000,
		.rtt_max_ns = 45500000,
		.rr_count = 3,
		.rr_lost = 10,
		.rr_fraction = 64,
		.rr_jitter = 80,
		.last_ns = fx->now_ms * 1000000,
	};
}

static void assert_flows(const json_t *js)
{
	const json_t *flow;

	assert_int_equal(json_array_size(json_object_get(js, "flows")), 4);
	flow = at(js, "flows", 0);
	assert_text(flow, "from", "a");
	assert_text(flow, "kind", "rtp");
	assert_text(flow, "remote", CALLER ":4000");
	assert_text(flow, "egress_remote", CALLEE ":5000");
	assert_number(flow, "packets", 97);
	assert_number(flow, "fast_packets", 97);
	assert_text(flow, "offload", "xdp");
	assert_text(flow, "reason", "");
	assert_null_value(flow, "unknown_last");
	assert_null_value(flow, "last_reason");
	flow = at(js, "flows", 1);
	assert_text(flow, "kind", "rtcp");
	assert_text(flow, "egress_remote", CALLEE ":5001");
}

static void assert_streams(const json_t *js)
{
	const json_t *stream;

	assert_int_equal(json_array_size(json_object_get(js, "streams")), 2);
	stream = at(js, "streams", 1);
	assert_text(stream, "from", "b");
	assert_text(stream, "ssrc", "0xdeadbeef");
	assert_text(stream, "codec", "PCMA");
	assert_number(stream, "media", 0);
	assert_number(stream, "pt", 8);
	assert_number(stream, "clock_hz", 8000);
	assert_number(stream, "packets", 97);
	assert_number(stream, "expected", 100);
	assert_number(stream, "lost", 4);
	assert_number(stream, "loss_percent", 4);
	assert_number(stream, "duplicates", 1);
	assert_number(stream, "reordered", 1);
	assert_number(stream, "gaps", 2);
	assert_number(stream, "jitter_ms", 2.5);
	assert_number(stream, "jitter_max_ms", 7);
	assert_number(stream, "rtt_ms", 40);
	assert_number(stream, "rtt_min_ms", 38);
	assert_number(stream, "rtt_max_ms", 45.5);
	assert_number(stream, "reported_lost", 10);
	assert_number(stream, "reported_fraction", 25);
	assert_number(stream, "reported_jitter_ms", 10);
	/* 10 % of loss at the receiver, 80 ms round trip, 2.5 ms of jitter: R = 64.9 */
	assert_number(stream, "mos", 3.35);
	assert_true(json_is_false(json_object_get(stream, "bye")));
}

static void one_session(void **state)
{
	const json_t *media;
	struct fixture fx;
	json_t *js;

	(void)state;
	fx_open(&fx);
	fx_call(&fx, CALL);
	talk(&fx, TANDEM_PARTY_A, 0xabc);
	talk(&fx, TANDEM_PARTY_B, 0xdeadbeef);
	fx.epoch_ms += 12345;
	js = tandem_session_json(fx.ss, CALL);
	assert_non_null(js);
	assert_text(js, "call_id", CALL);
	assert_text(js, "from", "sip:alice@example.org");
	assert_text(js, "to", "sip:bob@example.org");
	assert_text(js, "state", "established");
	assert_text(js, "verdict", "two-way");
	assert_text(js, "datapath", "xdp");
	assert_text(js, "offload", "xdp");
	assert_number(js, "started", 1700000000);
	assert_number(js, "duration_s", 12);

	media = at(js, "media", 0);
	assert_text(media, "type", "audio");
	assert_true(json_is_true(json_object_get(media, "relayed")));
	assert_text(json_object_get(media, "a"), "rtp", CALLER ":4000");
	assert_text(json_object_get(media, "b"), "rtcp", CALLEE ":5001");
	assert_null_value(json_object_get(media, "a"), "learned_rtp");

	assert_flows(js);
	assert_streams(js);
	json_decref(js);
	assert_null(tandem_session_json(fx.ss, "no such call"));
	fx_clean(&fx);
}

static void slow_and_strange(void **state)
{
	struct tandem_flow_stats *stats;
	struct fixture fx;
	const json_t *flow;
	struct ip_addr stranger;
	json_t *js;

	(void)state;
	fx_open(&fx);
	fx_call(&fx, CALL);
	talk(&fx, TANDEM_PARTY_B, 1);
	stats = fx_stats(&fx, TANDEM_PARTY_A, TANDEM_RTP);
	stats->offloaded = false;
	stats->datapath = "uring";
	stats->reason = "the fast path is full";
	stats->flow.unknown_source = 9;
	stranger = ip("192.0.2.9");
	memcpy(stats->flow.unknown_addr, stranger.b, 16);
	stats->flow.unknown_port = htons(4000);
	stats->flow.dropped = 2;
	stats->flow.last_reason = REASON_bad_rtp;
	js = tandem_session_json(fx.ss, fx_session(&fx, CALL)->id);
	assert_text(js, "offload", "the fast path is full");
	assert_text(js, "verdict",
		    "media from an unexpected source: NAT mismatch (caller) "
		    "192.0.2.9:4000 instead of 192.0.2.10:4000");
	flow = at(js, "flows", 0);
	assert_text(flow, "offload", "uring");
	assert_text(flow, "reason", "the fast path is full");
	assert_text(flow, "unknown_last", "192.0.2.9:4000");
	assert_text(flow, "last_reason", "bad_rtp");
	assert_number(flow, "unknown_source", 9);
	json_decref(js);

	fx.plane.n = 0; /* the plane has forgotten */
	js = tandem_session_json(fx.ss, CALL);
	assert_text(js, "offload", "not installed");
	assert_text(at(js, "flows", 0), "offload", "none");
	assert_text(at(js, "flows", 0), "reason", "not installed");
	json_decref(js);
	fx_clean(&fx);
}

static const json_t *first_mos(struct fixture *fx, json_t **js)
{
	json_decref(*js);
	*js = tandem_session_json(fx->ss, CALL);
	return json_object_get(at(*js, "streams", 0), "mos");
}

/* A digit or a pause does not make another codec of the call; a picture has no such score. */
static void mos_of_events_and_video(void **state)
{
	struct fixture fx;
	struct tandem_stream *st;
	json_t *js = NULL;
	double speech;

	(void)state;
	fx_open(&fx);
	fx_call(&fx, CALL);
	talk(&fx, TANDEM_PARTY_A, 1);
	st = &fx_stats(&fx, TANDEM_PARTY_A, TANDEM_RTP)->streams[0];
	speech = json_number_value(first_mos(&fx, &js));
	assert_true(speech > 3);
	st->pt = 101;
	assert_float_equal(json_number_value(first_mos(&fx, &js)), speech, 0.001);
	assert_text(at(js, "streams", 0), "codec", "telephone-event");
	st->pt = 13;
	assert_float_equal(json_number_value(first_mos(&fx, &js)), speech, 0.001);
	st->pt = 77;
	assert_true(json_number_value(first_mos(&fx, &js)) < speech);
	strcpy(fx_session(&fx, CALL)->agreed.v[0].type, "video");
	assert_true(json_is_null(first_mos(&fx, &js)));
	json_decref(js);
	fx_clean(&fx);
}

static void list_and_states(void **state)
{
	struct tandem_dialog odd = {
		.call_id = "odd", .from_uri = "sip:\xff\xfe@x", .to_uri = "sip:b@x", .from_tag = "t"
	};
	struct fixture fx;
	json_t *js;

	(void)state;
	fx_open(&fx);
	js = tandem_sessions_json(fx.ss);
	assert_int_equal(json_array_size(json_object_get(js, "sessions")), 0);
	json_decref(js);
	assert_int_equal(tandem_session_open(fx.ss, &odd), 0);
	fx_call(&fx, CALL);
	js = tandem_sessions_json(fx.ss);
	assert_int_equal(json_array_size(json_object_get(js, "sessions")), 2);
	assert_text(at(js, "sessions", 0), "verdict", "no media");
	assert_text(at(js, "sessions", 1), "from", "sip:??@x");
	assert_text(at(js, "sessions", 1), "state", "offered");
	assert_text(at(js, "sessions", 1), "verdict", "not answered");
	assert_text(at(js, "sessions", 1), "offload", "no flows");
	json_decref(js);
	fx_clean(&fx);
}

static void stats(void **state)
{
	struct fixture fx;
	json_t *js;

	(void)state;
	fx_open(&fx);
	fx_call(&fx, CALL);
	js = tandem_sessions_stats_json(fx.ss);
	assert_text(js, "datapath", "xdp");
	assert_text(js, "description", "on paper");
	assert_number(js, "sessions", 1);
	assert_number(json_object_get(js, "fast"), "forwarded_rtp", 7);
	assert_number(json_object_get(js, "slow"), "stun", 1);
	assert_int_equal(json_object_size(json_object_get(js, "slow")), 1);
	assert_int_equal(json_object_size(json_object_get(js, "dtls")), 0);
	json_decref(js);
	fx_clean(&fx);
}

static void loss(void **state)
{
	static const struct {
		struct tandem_stream st;
		int64_t lost, expected;
		double percent;
	} cases[] = {
		{ { .packets = 0 }, 0, 0, 0 },
		{ { .packets = 1, .received = 1, .base_seq = 7, .max_seq = 7 }, 0, 1, 0 },
		{ { .packets = 5, .received = 5, .base_seq = 1, .max_seq = 10 }, 5, 10, 50 },
		/* a wrap, and a restart that had lost 30 before */
		{ { .packets = 70,
		    .received = 10,
		    .cycles = 65536,
		    .base_seq = 65535,
		    .max_seq = 8,
		    .lost_prior = 30 },
		  30,
		  100,
		  30 },
		{ { .packets = 10, .duplicates = 2, .received = 8, .base_seq = 1, .max_seq = 8 },
		  0,
		  8,
		  0 },
	};
	struct tandem_stream_loss got;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		tandem_stream_loss(&cases[i].st, &got);
		assert_int_equal(got.lost, cases[i].lost);
		assert_int_equal(got.expected, cases[i].expected);
		assert_float_equal(got.percent, cases[i].percent, 0.001);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_session),
		cmocka_unit_test(slow_and_strange),
		cmocka_unit_test(mos_of_events_and_video),
		cmocka_unit_test(list_and_states),
		cmocka_unit_test(stats),
		cmocka_unit_test(loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
