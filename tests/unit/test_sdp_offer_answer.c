/* SPDX-License-Identifier: GPL-2.0-only */
/* Offer and answer (RFC 3264): what is agreed, who may send, hold and resume, updates */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/sdp_samples.h"
#include "userspace/sdp/sdp.h"

#define ORIGIN(version, addr) "v=0\r\no=a 1 " version " IN IP4 " addr "\r\ns=-\r\n"
#define HEAD(addr)	      ORIGIN("1", addr) "c=IN IP4 " addr "\r\nt=0 0\r\n"
#define CALLER		      HEAD("192.0.2.1")
#define CALLEE		      HEAD("192.0.2.2")

static struct tandem_sdp *parse(const char *text)
{
	struct tandem_sdp_error err;
	struct tandem_sdp *sdp = NULL;

	if (tandem_sdp_parse(&sdp, text, strlen(text), &err))
		fail_msg("line %u: %s in:\n%s", err.line, err.reason, text);
	return sdp;
}

/* An offer, its answer, and what they agree on for one media */
struct pair {
	struct tandem_sdp *offer;
	struct tandem_sdp *answer;
	struct tandem_sdp_negotiated out;
};

static void negotiate(struct pair *p, const char *offer, const char *answer, size_t media)
{
	p->offer = parse(offer);
	p->answer = parse(answer);
	assert_int_equal(tandem_sdp_check_answer(p->offer, p->answer, NULL), 0);
	assert_int_equal(tandem_sdp_negotiate(p->offer, p->answer, media, &p->out), 0);
}

static void end(struct pair *p)
{
	tandem_sdp_free(p->offer);
	tandem_sdp_free(p->answer);
}

/* The two-stream example of RFC 3264 section 10.1 in spirit: one taken, one rejected */
static void test_basic(void **state)
{
	static const char offer[] = CALLER "m=audio 49170 RTP/AVP 0 8 97\r\n"
					   "a=rtpmap:97 iLBC/8000\r\na=ptime:30\r\n"
					   "m=video 51372 RTP/AVP 31 32\r\n";
	static const char answer[] = CALLEE "m=audio 49920 RTP/AVP 8 0\r\na=ptime:20\r\n"
					    "a=rtcp:50001 IN IP4 192.0.2.3\r\n"
					    "m=video 0 RTP/AVP 31\r\n";
	struct pair p;

	negotiate(&p, offer, answer, 0);
	assert_true(p.out.accepted && !p.out.rtcp_mux && !p.out.bundled);
	assert_true(p.out.offerer.sends && p.out.answerer.sends);
	assert_false(p.out.offerer.hold || p.out.answerer.hold || p.out.proto_differs);
	assert_int_equal(p.out.ncodecs, 2);
	assert_string_equal(p.out.codecs[0].offer->name, "PCMA");
	assert_string_equal(p.out.codecs[1].answer->name, "PCMU");
	assert_int_equal(p.out.codecs[1].offer->clock, 8000);
	assert_int_equal(p.out.offerer.rtp_port, 49170);
	assert_int_equal(p.out.offerer.rtcp_port, 49171);
	assert_string_equal(p.out.offerer.rtcp.host, "192.0.2.1");
	assert_int_equal(p.out.offerer.ptime, 30);
	assert_string_equal(p.out.answerer.rtp.host, "192.0.2.2");
	assert_int_equal(p.out.answerer.rtcp_port, 50001);
	assert_string_equal(p.out.answerer.rtcp.host, "192.0.2.3");
	assert_int_equal(p.out.answerer.ptime, 20);
	end(&p);

	negotiate(&p, offer, answer, 1);
	assert_false(p.out.accepted || p.out.offerer.sends || p.out.answerer.sends);
	assert_int_equal(p.out.ncodecs, 0);
	assert_int_equal(p.out.transport, 1);
	assert_true(p.out.answerer.media->rejected);
	end(&p);
}

static void test_directions(void **state)
{
	static const char *const conns[] = { "192.0.2.1", "0.0.0.0" };
	static const struct {
		int conn;
		const char *offer, *answer;
		bool offerer_sends, answerer_sends, offerer_hold, answerer_hold;
	} cases[] = {
		{ 0, "sendrecv", "sendrecv", true, true, false, false },
		{ 0, "sendonly", "recvonly", true, false, true, false },
		{ 0, "sendonly", "inactive", false, false, true, true },
		{ 0, "recvonly", "sendonly", false, true, false, false },
		{ 0, "inactive", "inactive", false, false, true, false },
		{ 0, "sendrecv", "sendonly", false, true, false, true },
		{ 0, "sendrecv", "recvonly", true, false, false, false },
		{ 0, "sendrecv", "inactive", false, false, false, true },
		/* answers that say more than the offer allows get no more */
		{ 0, "sendonly", "sendrecv", true, false, true, false },
		{ 0, "inactive", "sendrecv", false, false, true, false },
		/* as in RFC 2543, the old way */
		{ 1, "sendrecv", "sendrecv", true, false, true, false },
	};
	char offer[512], answer[512];
	struct pair p;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("%s -> %s\n", cases[i].offer, cases[i].answer);
		snprintf(offer, sizeof(offer),
			 CALLER "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 %s\r\na=%s\r\n",
			 conns[cases[i].conn], cases[i].offer);
		snprintf(answer, sizeof(answer), CALLEE "m=audio 5000 RTP/AVP 0\r\na=%s\r\n",
			 cases[i].answer);
		negotiate(&p, offer, answer, 0);
		assert_true(p.out.accepted);
		assert_int_equal(p.out.offerer.sends, cases[i].offerer_sends);
		assert_int_equal(p.out.answerer.sends, cases[i].answerer_sends);
		assert_int_equal(p.out.offerer.hold, cases[i].offerer_hold);
		assert_int_equal(p.out.answerer.hold, cases[i].answerer_hold);
		end(&p);
	}
}

/* offer number -> answer number pairs, in the answer's order */
static const struct {
	const char *offer, *answer;
	int pairs[8];
} codecs[] = {
	/* numbers may differ by direction */
	{ "96 101\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:101 telephone-event/8000",
	  "107 97\r\na=rtpmap:107 OPUS/48000/2\r\na=rtpmap:97 telephone-event/8000",
	  { 96, 107, 101, 97, -1 } },
	/* clock rate and channels are part of the codec */
	{ "96 97\r\na=rtpmap:96 telephone-event/48000\r\na=rtpmap:97 telephone-event/8000",
	  "100\r\na=rtpmap:100 telephone-event/8000",
	  { 97, 100, -1 } },
	{ "96\r\na=rtpmap:96 L16/44100/2", "11", { -1 } },
	{ "96\r\na=rtpmap:96 L16/44100", "11", { 96, 11, -1 } },
	/* a static number and a mapped one are the same codec */
	{ "96\r\na=rtpmap:96 PCMU/8000/1", "0", { 96, 0, -1 } },
	/* same codec twice: by number, else by parameters */
	{ "96 97\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 p=1\r\n"
	  "a=rtpmap:97 H264/90000\r\na=fmtp:97 p=2",
	  "97 96\r\na=rtpmap:96 H264/90000\r\na=rtpmap:97 H264/90000",
	  { 97, 97, 96, 96, -1 } },
	{ "96 97\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 p=1\r\n"
	  "a=rtpmap:97 H264/90000\r\na=fmtp:97 p=2",
	  "100\r\na=rtpmap:100 H264/90000\r\na=fmtp:100 p=2",
	  { 97, 100, -1 } },
	{ "96 97\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 p=1\r\na=rtpmap:97 H264/90000",
	  "100\r\na=rtpmap:100 H264/90000",
	  { 97, 100, -1 } },
	{ "0 96 97\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 p=1\r\n"
	  "a=rtpmap:97 H264/90000\r\na=fmtp:97 p=2",
	  "100\r\na=rtpmap:100 H264/90000\r\na=fmtp:100 p=3",
	  { 96, 100, -1 } },
	/* one that changed its number does not push out one that kept it */
	{ "96 97\r\na=rtpmap:96 H264/90000\r\na=rtpmap:97 H264/90000",
	  "100 96\r\na=rtpmap:100 H264/90000\r\na=rtpmap:96 H264/90000",
	  { 97, 100, 96, 96, -1 } },
	/* the same number for another codec is no match */
	{ "96\r\na=rtpmap:96 opus/48000/2", "96\r\na=rtpmap:96 speex/8000", { -1 } },
	/* an answer without rtpmap means the offer's */
	{ "0 101\r\na=rtpmap:101 telephone-event/8000", "101", { 101, 101, -1 } },
	{ "96", "96", { 96, 96, -1 } },
	{ "0", "8", { -1 } },
	{ "0", "0 0", { 0, 0, -1 } },
};

static void test_codecs(void **state)
{
	char offer[512], answer[512];
	struct pair p;
	size_t i, k;

	for (i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
		print_message("case %zu\n", i);
		snprintf(offer, sizeof(offer), CALLER "m=audio 4000 RTP/AVP %s\r\n",
			 codecs[i].offer);
		snprintf(answer, sizeof(answer), CALLEE "m=audio 5000 RTP/AVP %s\r\n",
			 codecs[i].answer);
		negotiate(&p, offer, answer, 0);
		for (k = 0; codecs[i].pairs[2 * k] >= 0; k++) {
			assert_true(k < p.out.ncodecs);
			assert_int_equal(p.out.codecs[k].offer->pt, codecs[i].pairs[2 * k]);
			assert_int_equal(p.out.codecs[k].answer->pt, codecs[i].pairs[2 * k + 1]);
		}
		assert_int_equal(p.out.ncodecs, k);
		end(&p);
	}
}

static void test_fax(void **state)
{
	struct pair p;

	negotiate(&p, sample_t38, CALLEE "m=image 6000 UDPTL T38\r\n", 0);
	assert_true(p.out.accepted && !p.out.proto_differs);
	assert_int_equal(p.out.ncodecs, 1);
	assert_string_equal(p.out.codecs[0].offer->fmt, "t38");
	assert_int_equal(p.out.offerer.rtcp_port, 0);
	end(&p);
}

static void test_rtcp_mux(void **state)
{
	static const char with[] = CALLER "m=audio 4000 RTP/AVP 0\r\na=rtcp:4009\r\na=rtcp-mux\r\n";
	static const char without[] = CALLEE "m=audio 5000 RTP/AVPF 0\r\n";
	static const char also[] = CALLEE "m=audio 5000 RTP/AVP 0\r\na=rtcp-mux\r\n";
	struct pair p;

	negotiate(&p, with, also, 0);
	assert_true(p.out.rtcp_mux);
	assert_int_equal(p.out.offerer.rtcp_port, 4000);
	assert_int_equal(p.out.answerer.rtcp_port, 5000);
	end(&p);

	negotiate(&p, with, without, 0);
	assert_false(p.out.rtcp_mux);
	assert_true(p.out.proto_differs);
	assert_int_equal(p.out.offerer.rtcp_port, 4009);
	assert_int_equal(p.out.answerer.rtcp_port, 5001);
	end(&p);

	negotiate(&p, without, with, 0);
	assert_false(p.out.rtcp_mux);
	end(&p);
}

#define BROWSER_ANSWER(group)                                                                      \
	CALLEE "a=group:" group "\r\na=ice-ufrag:abcd\r\n"                                         \
	       "m=audio 7000 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n"               \
	       "a=mid:0\r\na=rtcp-mux\r\nm=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n"                    \
	       "c=IN IP4 0.0.0.0\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\n"            \
	       "a=mid:1\r\na=recvonly\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"     \
	       "a=mid:2\r\n"

static void test_bundle(void **state)
{
	struct pair p;
	size_t i;

	for (i = 0; i < 3; i++) {
		negotiate(&p, sample_browser, BROWSER_ANSWER("BUNDLE 0 1 2"), i);
		assert_true(p.out.accepted && p.out.bundled && p.out.rtcp_mux);
		assert_int_equal(p.out.transport, 0);
		assert_int_equal(p.out.answerer.rtp_port, 7000);
		assert_string_equal(p.out.answerer.rtp.host, "192.0.2.2");
		assert_int_equal(p.out.offerer.rtp_port, 58779);
		assert_int_equal(p.out.offerer.rtcp_port, 58779);
		end(&p);
	}
	negotiate(&p, sample_browser, BROWSER_ANSWER("BUNDLE 0 1 2"), 1);
	assert_true(p.out.offerer.sends && !p.out.answerer.sends);
	assert_int_equal(p.out.ncodecs, 2);
	end(&p);

	/* not in the answer's group: on its own */
	negotiate(&p, sample_browser, BROWSER_ANSWER("BUNDLE 0 2"), 1);
	assert_true(p.out.accepted && !p.out.bundled && !p.out.rtcp_mux);
	assert_int_equal(p.out.transport, 1);
	end(&p);

	/* another kind of group bundles nothing */
	negotiate(&p, sample_browser, BROWSER_ANSWER("LS 0 1 2"), 0);
	assert_false(p.out.bundled);
	end(&p);

	/* a group whose first media is rejected: it has no transport to share */
	negotiate(&p,
		  CALLER "a=group:BUNDLE v a\r\nm=video 4000 RTP/AVP 31\r\na=mid:v\r\n"
			 "m=audio 4002 RTP/AVP 0\r\na=mid:a\r\n",
		  CALLEE "a=group:BUNDLE v a\r\nm=video 0 RTP/AVP 31\r\na=mid:v\r\n"
			 "m=audio 5002 RTP/AVP 0\r\na=mid:a\r\n",
		  1);
	assert_true(p.out.accepted && !p.out.bundled);
	assert_int_equal(p.out.answerer.rtp_port, 5002);
	end(&p);

	/* the second media carries the bundle */
	negotiate(&p,
		  CALLER "a=group:BUNDLE v a\r\nm=video 4000 RTP/AVP 31\r\na=mid:v\r\n"
			 "m=audio 4002 RTP/AVP 0\r\na=mid:a\r\n",
		  CALLEE "a=group:BUNDLE a v\r\nm=video 5000 RTP/AVP 31\r\na=mid:v\r\n"
			 "m=audio 5002 RTP/AVP 0\r\na=mid:a\r\n",
		  0);
	assert_true(p.out.bundled);
	assert_int_equal(p.out.transport, 1);
	assert_int_equal(p.out.offerer.rtp_port, 4002);
	assert_int_equal(p.out.answerer.rtp_port, 5002);
	end(&p);

	/* a group that leads nowhere */
	negotiate(&p, sample_browser, BROWSER_ANSWER("BUNDLE 7 0 1"), 0);
	assert_false(p.out.bundled);
	assert_int_equal(p.out.transport, 0);
	end(&p);
}

static void test_mismatch(void **state)
{
	static const struct {
		const char *offer, *answer;
		unsigned int line;
	} cases[] = {
		{ "m=audio 1 RTP/AVP 0\r\n", "", 0 },
		{ "m=audio 1 RTP/AVP 0\r\n", "m=audio 1 RTP/AVP 0\r\nm=video 0 RTP/AVP 31\r\n", 0 },
		{ "m=audio 1 RTP/AVP 0\r\n", "m=video 1 RTP/AVP 0\r\n", 6 },
		{ "m=audio 1 RTP/AVP 0\r\nm=video 1 RTP/AVP 31\r\n",
		  "m=audio 1 RTP/AVP 0\r\na=x\r\nm=image 0 udptl t38\r\n", 8 },
	};
	struct tandem_sdp_negotiated out;
	char text[512];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tandem_sdp *offer, *answer;
		struct tandem_sdp_error err;

		snprintf(text, sizeof(text), CALLER "%s", cases[i].offer);
		offer = parse(text);
		snprintf(text, sizeof(text), CALLEE "%s", cases[i].answer);
		answer = parse(text);
		assert_int_equal(tandem_sdp_check_answer(offer, answer, &err), -EPROTO);
		assert_int_equal(err.line, cases[i].line);
		assert_int_equal(err.code, -EPROTO);
		assert_int_equal(tandem_sdp_negotiate(offer, answer, 0, &out), -EPROTO);
		assert_int_equal(tandem_sdp_negotiate(offer, offer, 2, &out), -EINVAL);
		assert_int_equal(tandem_sdp_negotiate(offer, offer, 0, NULL), -EINVAL);
		assert_int_equal(tandem_sdp_negotiate(offer, NULL, 0, &out), -EINVAL);
		tandem_sdp_free(offer);
		tandem_sdp_free(answer);
	}
}

/* Disabled in the offer is disabled, whatever the answer says. */
static void test_disabled_offer(void **state)
{
	struct pair p;

	negotiate(&p, CALLER "m=audio 0 RTP/AVP 0\r\n", CALLEE "m=audio 5000 RTP/AVP 0\r\n", 0);
	assert_false(p.out.accepted);
	end(&p);

	/* bundle-only keeps an offer alive, but not an answer */
	negotiate(&p, CALLER "m=audio 0 RTP/AVP 0\r\na=bundle-only\r\n",
		  CALLEE "m=audio 0 RTP/AVP 0\r\na=bundle-only\r\n", 0);
	assert_false(p.out.accepted);
	end(&p);
}

#define SDP(version, addr, media) ORIGIN(version, addr) "c=IN IP4 " addr "\r\nt=0 0\r\n" media
#define AUDIO			  "m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 opus/48000/2\r\n"

static const struct {
	const char *next;
	int rc;
	struct tandem_sdp_update want;
} updates[] = {
	/* a session refresh */
	{ SDP("1", "192.0.2.1", AUDIO), 0, { true, true, true, false, 0 } },
	{ SDP("2", "192.0.2.1", AUDIO), 0, { true, false, true, false, 0 } },
	/* hold */
	{ SDP("2", "192.0.2.1", AUDIO "a=sendonly\r\n"), 0, { true, false, false, false, 0 } },
	{ SDP("2", "192.0.2.1", AUDIO "m=video 5000 RTP/AVP 31\r\nm=text 0 RTP/AVP 98\r\n"),
	  0,
	  { true, false, false, false, 2 } },
	/* fax takes the place of the audio */
	{ SDP("2", "192.0.2.1", "m=image 4000 udptl t38\r\n"),
	  0,
	  { true, false, false, false, 0 } },
	{ SDP("2", "192.0.2.1", "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 speex/8000\r\n"),
	  0,
	  { true, false, false, true, 0 } },
	/* numbers are bound to a type of media */
	{ SDP("2", "192.0.2.1", "m=video 4000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n"),
	  0,
	  { true, false, false, false, 0 } },
	/* equal but for a line's type, and for a line's end */
	{ SDP("1", "192.0.2.1", "m=audio 4000 RTP/AVP 0 96\r\nb=rtpmap:96 opus/48000/2\r\n"),
	  0,
	  { true, true, false, false, 0 } },
	{ SDP("1", "192.0.2.1", "m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 opus/48000/2\n"),
	  0,
	  { true, true, false, false, 0 } },
	{ "v=0\r\n" AUDIO, 0, { false, false, false, false, 0 } },
	{ SDP("2", "192.0.2.9", AUDIO), 0, { false, false, false, false, 0 } },
	{ SDP("2", "192.0.2.1", ""), -EPROTO, { true, false, false, false, 0 } },
};

static void test_update(void **state)
{
	struct tandem_sdp *prev = parse(SDP("1", "192.0.2.1", AUDIO));
	struct tandem_sdp_update out;
	struct tandem_sdp_error err;
	size_t i;

	for (i = 0; i < sizeof(updates) / sizeof(updates[0]); i++) {
		struct tandem_sdp *next = parse(updates[i].next);

		print_message("case %zu\n", i);
		assert_int_equal(tandem_sdp_check_update(prev, next, &out, &err), updates[i].rc);
		assert_int_equal(err.code, updates[i].rc);
		assert_int_equal(out.same_session, updates[i].want.same_session);
		assert_int_equal(out.same_version, updates[i].want.same_version);
		assert_int_equal(out.unchanged, updates[i].want.unchanged);
		assert_int_equal(out.pt_remapped, updates[i].want.pt_remapped);
		assert_int_equal(out.added, updates[i].want.added);
		assert_int_equal(tandem_sdp_check_update(prev, next, NULL, NULL), updates[i].rc);
		tandem_sdp_free(next);
	}
	assert_int_equal(tandem_sdp_check_update(prev, NULL, &out, &err), -EINVAL);
	tandem_sdp_free(prev);
}

/* A call put on hold and taken back, as a relay sees it */
static void test_hold_resume(void **state)
{
	struct tandem_sdp *offer = parse(SDP("1", "192.0.2.1", AUDIO));
	struct tandem_sdp *answer = parse(SDP("7", "192.0.2.2", AUDIO));
	struct tandem_sdp_negotiated out;

	assert_int_equal(tandem_sdp_set_direction(offer, 0, TANDEM_SDP_SENDONLY), 0);
	assert_int_equal(
		tandem_sdp_set_direction(answer, 0, tandem_sdp_dir_reverse(TANDEM_SDP_SENDONLY)),
		0);
	assert_int_equal(tandem_sdp_negotiate(offer, answer, 0, &out), 0);
	assert_true(out.offerer.hold && out.offerer.sends && !out.answerer.sends);

	assert_int_equal(tandem_sdp_set_direction(offer, 0, TANDEM_SDP_SENDRECV), 0);
	assert_int_equal(tandem_sdp_remove_attr(answer, 0, "recvonly"), 0);
	assert_int_equal(tandem_sdp_negotiate(offer, answer, 0, &out), 0);
	assert_true(!out.offerer.hold && out.offerer.sends && out.answerer.sends);
	tandem_sdp_free(offer);
	tandem_sdp_free(answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_basic),	 cmocka_unit_test(test_directions),
		cmocka_unit_test(test_codecs),	 cmocka_unit_test(test_fax),
		cmocka_unit_test(test_rtcp_mux), cmocka_unit_test(test_bundle),
		cmocka_unit_test(test_mismatch), cmocka_unit_test(test_disabled_offer),
		cmocka_unit_test(test_update),	 cmocka_unit_test(test_hold_resume),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
