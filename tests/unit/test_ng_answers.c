/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What flags of an offer and of its answer do to the description that goes back, and to the call: one
 * row for each. As in test_ng_flags.c: "+" it has a line that begins so, "~" it has this, "-" no line
 * begins so; and "A" and "B" are the legs of the parties: "m" with rtcp-mux, "2" with a port for RTCP.
 */
#include "tests/unit/ng_fixture.h"

#define PLAIN "m=audio 4000 RTP/AVP 0 8\r\n"
#define MUX   PLAIN "a=rtcp-mux\r\n"
#define KEY   "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
#define OSRTP PLAIN "a=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY "\r\n"
#define KEYS                                                                                       \
	"m=audio 4000 RTP/SAVP 0 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_32 " KEY "\r\n"              \
	"a=crypto:2 AES_CM_128_HMAC_SHA1_80 " KEY "\r\n"
#define PRINT                                                                                      \
	"a=fingerprint:sha-256 "                                                                   \
	"00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:"     \
	"1C:1D:1E:1F\r\n"
#define WEBRTC                                                                                     \
	"m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:"                          \
	"abcdefghijklmnopqrstuv\r\n" PRINT "a=setup:actpass\r\na=rtcp-mux\r\n"                     \
	"a=candidate:1 1 udp 2130706431 192.0.2.1 4000 typ host\r\n"
#define TO_PLAIN "'transport-protocol': 'RTP/AVP', 'ICE': 'remove'"

static const struct row {
	const char *offer_flags, *answer_flags;
	const char *offered, *answered;
	const char *expected[5];
} rows[] = {
	/* rtcp-mux (RFC 5761): who has what, with what was offered and answered */
	{ "", "", MUX, MUX, { "+a=rtcp-mux\r", "Am", "Bm" } },
	{ "", "", MUX, PLAIN, { "-a=rtcp-mux", "A2", "B2" } },
	{ "'rtcp-mux': ['demux']", "", MUX, PLAIN, { "+a=rtcp-mux\r", "Am", "B2" } },
	{ "'rtcp-mux': ['demux', 'reject']", "", MUX, PLAIN, { "-a=rtcp-mux", "A2", "B2" } },
	{ "'rtcp-mux': ['demux']", "", MUX, MUX, { "+a=rtcp-mux\r", "Am", "B2" } },
	{ "'rtcp-mux': ['demux']", "", PLAIN, PLAIN, { "-a=rtcp-mux", "A2", "B2" } },
	{ "'rtcp-mux': ['accept']", "", MUX, PLAIN, { "+a=rtcp-mux\r", "Am", "B2" } },
	{ "'rtcp-mux': ['accept']", "", MUX, MUX, { "+a=rtcp-mux\r", "Am", "Bm" } },
	{ "'rtcp-mux': ['accept']", "", PLAIN, PLAIN, { "-a=rtcp-mux", "A2", "B2" } },
	{ "'rtcp-mux': ['reject']", "", MUX, MUX, { "-a=rtcp-mux", "A2", "Bm" } },
	{ "'rtcp-mux': ['reject']", "", MUX, PLAIN, { "-a=rtcp-mux", "A2", "B2" } },
	{ "'rtcp-mux': ['offer']", "", PLAIN, MUX, { "-a=rtcp-mux", "A2", "Bm" } },
	{ "'rtcp-mux': ['offer']", "", PLAIN, PLAIN, { "-a=rtcp-mux", "A2", "B2" } },
	{ "'rtcp-mux': ['offer']", "", MUX, PLAIN, { "-a=rtcp-mux", "A2", "B2" } },
	{ "'rtcp-mux': ['offer', 'reject']", "", MUX, MUX, { "-a=rtcp-mux", "A2", "Bm" } },
	{ "'rtcp-mux': ['require']", "", PLAIN, MUX, { "-a=rtcp-mux", "A2", "Bm" } },
	{ "'rtcp-mux': ['require', 'accept']", "", MUX, MUX, { "+a=rtcp-mux\r", "Am", "Bm" } },
	{ "'rtcp-mux': ['demux'], " TO_PLAIN, "", WEBRTC, PLAIN, { "+a=rtcp-mux\r", "Am", "B2" } },

	/* suites: what of the offer is taken (RFC 4568 5.1.2) */
	{ TO_PLAIN, "", KEYS, PLAIN, { "+a=crypto:1 AES_CM_128_HMAC_SHA1_32 " } },
	{ TO_PLAIN ", 'SDES': ['offerer_pref:AES_CM_128_HMAC_SHA1_80;AES_CM_128_HMAC_SHA1_32']",
	  "",
	  KEYS,
	  PLAIN,
	  { "+a=crypto:2 AES_CM_128_HMAC_SHA1_80 ", "-a=crypto:1" } },
	{ TO_PLAIN ", 'flags': ['SDES-offerer_pref:AEAD_AES_256_GCM']",
	  "",
	  KEYS,
	  PLAIN,
	  { "+a=crypto:1 AES_CM_128_HMAC_SHA1_32 " } },

	/* keys with RTP/AVP (RFC 8643), which the callee knows nothing of */
	{ "", "", OSRTP, PLAIN, { "-a=crypto", "~ RTP/AVP " } },
	{ "'OSRTP': ['accept']", "'OSRTP': ['accept']", OSRTP, PLAIN, { "+a=crypto:1 " } },
	{ "'OSRTP': ['reject']", "", OSRTP, PLAIN, { "-a=crypto" } },

	/* DTLS (RFC 5763) and ICE, towards who has offered */
	{ TO_PLAIN, "", WEBRTC, PLAIN, { "+a=setup:passive\r", "+a=ice-lite\r" } },
	{ TO_PLAIN ", 'DTLS-reverse': 'active'", "", WEBRTC, PLAIN, { "+a=setup:active\r" } },
	{ TO_PLAIN ", 'DTLS-reverse': 'passive'", "", WEBRTC, PLAIN, { "+a=setup:passive\r" } },
	{ TO_PLAIN ", 'ICE-lite': 'off'", "", WEBRTC, PLAIN, { "-a=ice-lite", "+a=candidate:" } },
	{ TO_PLAIN ", 'ICE-lite': 'forward'", "", WEBRTC, PLAIN, { "+a=ice-lite\r" } },

	/* what is said in the offer, and meant for the answer; and what is for an answer alone */
	{ "'ptime-reverse': 30", "", PLAIN, PLAIN, { "+a=ptime:30\r" } },
	{ "'ptime': 30", "", PLAIN, PLAIN, { "-a=ptime" } },
	{ "", "'ptime': 30, 'ptime-reverse': 20", PLAIN, PLAIN, { "-a=ptime" } },
	{ "", "'flags': ['single-codec']", PLAIN, PLAIN, { "~ RTP/AVP 0\r" } },
	{ "'flags': ['single-codec']", "", PLAIN, PLAIN, { "~ RTP/AVP 0 8\r" } },
	{ "",
	  "'flags': ['single codec']",
	  "m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n",
	  "m=audio 4000 RTP/AVP 8 101 0\r\na=rtpmap:101 telephone-event/8000\r\n",
	  { "~ RTP/AVP 8 101\r" } },
	{ "", "'codec': {'strip': ['PCMU']}", PLAIN, PLAIN, { "~ RTP/AVP 0 8\r" } },
	{ "", "'flags': ['loop-protect']", PLAIN, PLAIN, { "+a=tandem:0123456789abcdef\r" } },
	{ "",
	  "'replace': ['zero-address']",
	  PLAIN,
	  PLAIN "c=IN IP4 0.0.0.0\r\n",
	  { "+c=IN IP4 10.0.0.1\r\na=sendonly\r", "-c=IN IP4 0.0.0.0" } },
};

static const char *describe(const char *host, const char *media)
{
	static char text[2][2048];
	static int turn;

	turn = !turn;
	snprintf(text[turn], sizeof(text[turn]),
		 "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n%s", host, host,
		 media);
	return text[turn];
}

static void ask(struct ng_fixture *ng, const char *command, const char *flags, const char *host,
		const char *media)
{
	char request[1024];

	snprintf(request, sizeof(request),
		 "'command': '%s', 'call-id': 'c', 'from-tag': 'a', 'to-tag': 'b'%s%s", command,
		 *flags ? ", " : "", flags);
	ng_ask(ng, request, describe(host, media));
}

/* Whether a party has a port of its own for RTCP. */
static bool has_two(struct ng_fixture *ng, enum tandem_party_id party)
{
	return !fx_session(&ng->fx, "c ng")->agreed.v[0].leg[party].mux;
}

static bool is_so(struct ng_fixture *ng, const char *expected)
{
	if (*expected != 'A' && *expected != 'B')
		return ng_is_so(ng, expected);
	return has_two(ng, *expected == 'A' ? TANDEM_PARTY_A : TANDEM_PARTY_B) ==
	       (expected[1] == '2');
}

static void every_row(void **state)
{
	unsigned int failed = 0;
	struct ng_fixture ng;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];

		ng_open(&ng);
		ask(&ng, "offer", row->offer_flags, "192.0.2.1", row->offered);
		ng_assert_result(&ng, "ok");
		ask(&ng, "answer", row->answer_flags, "192.0.2.2", row->answered);
		if (strcmp(ng_text(&ng, "result"), "ok")) {
			print_error("%zu: %s\n", i, ng_text(&ng, "error-reason"));
			failed++;
		}
		for (k = 0; k < 5 && row->expected[k]; k++) {
			if (is_so(&ng, row->expected[k]))
				continue;
			print_error("%zu: %s / %s: not %s\n%s\n", i, row->offer_flags,
				    row->answer_flags, row->expected[k], ng_text(&ng, "sdp"));
			failed++;
		}
		ng_close(&ng);
	}
	assert_int_equal(failed, 0);
}

/* RTCP comes with RTP on one side, and by a port of its own on the other. */
static void rtcp_changes_ports(void **state)
{
	struct ng_fixture ng;

	(void)state;
	ng_open(&ng);
	ask(&ng, "offer", "'rtcp-mux': ['demux']", "192.0.2.1", MUX);
	ask(&ng, "answer", "", "192.0.2.2", PLAIN "a=rtcp:4009\r\n");
	ng_assert_result(&ng, "ok");
	assert_egress(fx_flow(&ng.fx, 0, TANDEM_PARTY_A, TANDEM_RTP), EGRESS_RTP, "192.0.2.2:4000");
	assert_egress(fx_flow(&ng.fx, 0, TANDEM_PARTY_A, TANDEM_RTP), EGRESS_RTCP,
		      "192.0.2.2:4009");
	assert_egress(fx_flow(&ng.fx, 0, TANDEM_PARTY_B, TANDEM_RTCP), EGRESS_RTCP,
		      "192.0.2.1:4000");
	ng_close(&ng);
}

static const struct tandem_egress *egress_of(struct ng_fixture *ng, enum tandem_party_id from)
{
	return &fx_flow(&ng->fx, 0, from, TANDEM_RTP)->egress[EGRESS_RTP];
}

/* Of the whole call, until an offer that does not repeat it. */
static void marks(void **state)
{
	struct ng_fixture ng;

	(void)state;
	ng_open(&ng);
	ask(&ng, "offer", "'TOS': 184", "192.0.2.1", PLAIN);
	ask(&ng, "answer", "", "192.0.2.2", PLAIN);
	assert_true(egress_of(&ng, TANDEM_PARTY_A)->flags & EGRESS_F_DSCP);
	assert_int_equal(egress_of(&ng, TANDEM_PARTY_A)->dscp, 46);
	assert_int_equal(egress_of(&ng, TANDEM_PARTY_B)->dscp, 46);
	ask(&ng, "answer", "'TOS': 0", "192.0.2.2", PLAIN);
	assert_true(egress_of(&ng, TANDEM_PARTY_A)->flags & EGRESS_F_DSCP);
	assert_int_equal(egress_of(&ng, TANDEM_PARTY_A)->dscp, 0);
	ask(&ng, "offer", "'TOS': -1", "192.0.2.1", PLAIN);
	assert_true(egress_of(&ng, TANDEM_PARTY_A)->flags & EGRESS_F_DSCP);
	ask(&ng, "offer", "'TOS': 256", "192.0.2.1", PLAIN);
	assert_false(egress_of(&ng, TANDEM_PARTY_A)->flags & EGRESS_F_DSCP);
	ng_close(&ng);
}

/* The version is the relay's, whoever of those behind it has made the description. */
static void origins(void **state)
{
	static const char flags[] = "'replace': ['SDP-version', 'origin-full']";
	struct ng_fixture ng;

	(void)state;
	ng_open(&ng);
	ng_ask(&ng,
	       "'command': 'offer', 'call-id': 'c', 'from-tag': 'a', 'replace': ['origin-full']",
	       "v=0\r\no=alice 77 9 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 "
	       "0\r\n" PLAIN);
	assert_true(ng_has_line(&ng, "o=alice 77 9 IN IP4 10.0.0.1\r"));
	ask(&ng, "answer", flags, "192.0.2.2", PLAIN);
	assert_true(ng_has_line(&ng, "o=- 1 1 IN IP4 10.0.0.1\r"));
	/* the same again, then another, then what there was */
	ask(&ng, "offer", flags, "192.0.2.1", PLAIN);
	assert_true(ng_has_line(&ng, "o=alice 77 9 IN IP4 10.0.0.1\r"));
	ask(&ng, "offer", flags, "192.0.2.1", PLAIN "a=sendonly\r\n");
	assert_true(ng_has_line(&ng, "o=alice 77 10 IN IP4 10.0.0.1\r"));
	ask(&ng, "offer", flags, "192.0.2.1", PLAIN);
	assert_true(ng_has_line(&ng, "o=alice 77 11 IN IP4 10.0.0.1\r"));
	ask(&ng, "answer", flags, "192.0.2.2", PLAIN);
	assert_true(ng_has_line(&ng, "o=- 1 1 IN IP4 10.0.0.1\r"));
	ng_close(&ng);
}

/* What comes round is handed back as it is, and makes no session and no ports. */
static void loops(void **state)
{
	struct ng_fixture ng;
	char once[2048];

	(void)state;
	ng_open(&ng);
	ask(&ng, "offer", "'flags': ['loop-protect']", "192.0.2.1", PLAIN);
	snprintf(once, sizeof(once), "%s", ng_text(&ng, "sdp"));
	ng_ask(&ng,
	       "'command': 'offer', 'call-id': 'c', 'from-tag': 'a', 'flags': ['loop protect']",
	       once);
	ng_assert_result(&ng, "ok");
	assert_string_equal(ng_text(&ng, "sdp"), once);
	ng_ask(&ng,
	       "'command': 'offer', 'call-id': 'other', 'from-tag': 'a', 'flags': "
	       "['loop-protect']",
	       once);
	assert_string_equal(ng_text(&ng, "sdp"), once);
	assert_int_equal(tandem_sessions_count(ng.fx.ss), 1);
	/* of another relay it is a description like any other, here with ports that are our own */
	memcpy(strstr(once, "0123456789"), "ffffffffff", 10);
	ng_ask(&ng,
	       "'command': 'offer', 'call-id': 'other', 'from-tag': 'a', 'flags': "
	       "['loop-protect']",
	       once);
	ng_assert_result(&ng, "error");
	ng_close(&ng);
}

static void call(struct ng_fixture *ng)
{
	ng_open(ng);
	ask(ng, "offer", "", "192.0.2.1", PLAIN);
	ask(ng, "answer", "", "192.0.2.2", PLAIN);
	ng_assert_result(ng, "ok");
}

/* Media goes on for a while after the call, and for longer if there is more of it. */
static void deleted_later(void **state)
{
	static const char request[] =
		"'command': 'delete', 'call-id': 'c', 'from-tag': 'a', 'delete-delay': 5";
	struct ng_fixture ng;

	(void)state;
	call(&ng);
	ng_ask(&ng, request, NULL);
	ng_assert_result(&ng, "ok");
	assert_non_null(json_object_get(ng.reply, "totals"));
	ng.fx.now_ms += 4900;
	tandem_sessions_tick(ng.fx.ss);
	assert_int_equal(ng.fx.plane.n, 4);
	ng.fx.now_ms += 200;
	tandem_sessions_tick(ng.fx.ss);
	assert_int_equal(tandem_sessions_count(ng.fx.ss), 0);
	assert_int_equal(ng.fx.plane.n, 0);
	ng_close(&ng);

	call(&ng);
	ng_ask(&ng, request, NULL);
	ask(&ng, "offer", "", "192.0.2.1", PLAIN);
	ng.fx.now_ms += 6000;
	tandem_sessions_tick(ng.fx.ss);
	assert_int_equal(tandem_sessions_count(ng.fx.ss), 1);
	/* as all are, unless a request says otherwise */
	ng.cfg.delete_delay_s = 30;
	ng_ask(&ng, "'command': 'delete', 'call-id': 'c'", NULL);
	assert_int_equal(tandem_sessions_count(ng.fx.ss), 1);
	ng_ask(&ng, "'command': 'delete', 'call-id': 'c', 'delete delay': 0", NULL);
	assert_int_equal(tandem_sessions_count(ng.fx.ss), 0);
	ng_ask(&ng, "'command': 'delete', 'call-id': 'c', 'flags': ['fatal']", NULL);
	ng_assert_result(&ng, "error");
	ng_close(&ng);
}

/* The next process ends it when this one would have. */
static void deleted_after_a_restart(void **state)
{
	struct ng_fixture ng;
	char *text;

	(void)state;
	call(&ng);
	ask(&ng, "answer", "'TOS': 184", "192.0.2.2", PLAIN);
	ng_ask(&ng, "'command': 'delete', 'call-id': 'c', 'delete-delay': 5", NULL);
	text = tandem_session_text(ng.fx.ss, fx_session(&ng.fx, "c ng")->number);
	assert_int_equal(tandem_session_end(ng.fx.ss, "c ng", "moved"), 0);
	ng.fx.now_ms += 100000;
	assert_int_equal(tandem_session_adopt(ng.fx.ss, text, NULL, NULL), 0);
	assert_int_equal(egress_of(&ng, TANDEM_PARTY_A)->dscp, 46);
	tandem_sessions_tick(ng.fx.ss);
	assert_int_equal(tandem_sessions_count(ng.fx.ss), 1);
	ng.fx.now_ms += 5100;
	tandem_sessions_tick(ng.fx.ss);
	assert_int_equal(tandem_sessions_count(ng.fx.ss), 0);
	free(text);
	ng_close(&ng);
}

static void all_is_dropped(void **state)
{
	struct ng_fixture ng;

	(void)state;
	call(&ng);
	ask(&ng, "offer", "'drop-traffic': 'start'", "192.0.2.1", PLAIN);
	assert_true(egress_of(&ng, TANDEM_PARTY_A)->flags & EGRESS_F_ACTS);
	assert_int_equal(egress_of(&ng, TANDEM_PARTY_B)->act_rest, ACT_BLOCK);
	ask(&ng, "answer", "'drop-traffic': 'stop'", "192.0.2.2", PLAIN);
	assert_false(egress_of(&ng, TANDEM_PARTY_A)->flags & EGRESS_F_ACTS);
	ng_close(&ng);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row),
		cmocka_unit_test(rtcp_changes_ports),
		cmocka_unit_test(marks),
		cmocka_unit_test(origins),
		cmocka_unit_test(loops),
		cmocka_unit_test(deleted_later),
		cmocka_unit_test(deleted_after_a_restart),
		cmocka_unit_test(all_is_dropped),
	};

	return cmocka_run_group_tests_name("ng_answers", tests, NULL, NULL);
}
