/* SPDX-License-Identifier: GPL-2.0-only */
/* Bundles (RFC 9143): what parties get to see, which transports there are, and whose packets are whose. */
#include "tests/unit/session_fixture.h"

#define FP                                                                                         \
	"a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:"                   \
	"10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n"
#define ICE(n) "a=ice-ufrag:ufr" #n "\r\na=ice-pwd:0123456789012345678901" #n "\r\n"
#define HEAD   "v=0\r\no=- 7 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
#define C      "c=IN IP4 0.0.0.0\r\n"
#define AUDIO(port, more)                                                                          \
	"m=audio " port " UDP/TLS/RTP/SAVPF 0\r\n" C more "a=mid:a\r\na=rtcp-mux\r\n"              \
	"a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=ssrc:1001 cname:x\r\n"
#define VIDEO(port, more)                                                                          \
	"m=video " port " UDP/TLS/RTP/SAVPF 96 97\r\n" C more "a=mid:v\r\na=rtcp-mux\r\n"          \
	"a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\n"                                       \
	"a=extmap:4/sendrecv urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
#define DATA                                                                                       \
	"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" C "a=mid:d\r\na=sctp-port:5000\r\n"
#define FULL "a=setup:actpass\r\n" FP ICE(1)

/* As a browser with max-bundle has it: all but the first live by that one's transport. */
#define BROWSER_OFFER                                                                              \
	HEAD "a=group:BUNDLE a v d\r\n" AUDIO("9", FULL)                                           \
		VIDEO("0", "a=bundle-only\r\na=ssrc:2001 cname:x\r\na=ssrc:2002 cname:x\r\n") DATA
#define BROWSER_ANSWER(group)                                                                      \
	HEAD group AUDIO("9", "a=setup:active\r\n" FP ICE(2))                                      \
		VIDEO("9", "a=setup:active\r\n" FP ICE(                                            \
				   3)) "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"
#define PHONE_ANSWER(video)                                                                        \
	"v=0\r\no=- 7 2 IN IP4 198.51.100.20\r\ns=-\r\nc=IN IP4 198.51.100.20\r\nt=0 0\r\n"        \
	"m=audio 6000 RTP/AVP 0\r\nm=video " video " RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n"      \
	"m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"

static unsigned int checks; /* sent by the relay */

static int relay_send(struct tandem_plane *plane, const struct tandem_endpoint *local,
		      const struct tandem_endpoint *remote, const void *payload, size_t len)
{
	checks++;
	return 0;
}

static int describe(struct fixture *fx, enum tandem_party_id party, bool answer,
		    enum tandem_security other, const char *text)
{
	return fx_describe(fx, party, answer, TANDEM_SECURITY_AUTO, other, text);
}

/* A offers as a browser does, and B answers with this. */
static void agree(struct fixture *fx, enum tandem_security other, const char *answer)
{
	assert_int_equal(describe(fx, TANDEM_PARTY_A, false, other, BROWSER_OFFER), 0);
	assert_int_equal(describe(fx, TANDEM_PARTY_B, true, other, answer), 0);
}

static void open_world(struct fixture *fx)
{
	checks = 0;
	fx_init(fx);
	fx->env.send = relay_send;
	assert_int_equal(fx_start(fx), 0);
	assert_int_equal(fx_dialog(fx, CALL), 0);
}

static void assert_text(const struct fixture *fx, const char *text, bool want)
{
	if (!strstr(fx->sdp, text) == want)
		fail_msg("%s\n%s: %s", fx->sdp, want ? "does not have" : "has", text);
}

static unsigned int port_of(const struct fixture *fx, const char *media)
{
	const char *at = strstr(fx->sdp, media);

	assert_non_null(at);
	return (unsigned int)strtoul(at + strlen(media), NULL, 10);
}

static size_t count(const struct fixture *fx, const char *text)
{
	const char *at = fx->sdp;
	size_t n = 0;

	while ((at = strstr(at, text))) {
		at += strlen(text);
		n++;
	}
	return n;
}

/* One transport on either side: a flow each way, as if it were a single media. */
static void browser_to_browser(void **state)
{
	const struct tandem_session *s;
	const struct tandem_leg *leg;
	struct fixture fx;

	(void)state;
	open_world(&fx);
	assert_int_equal(describe(&fx, TANDEM_PARTY_A, false, TANDEM_SECURITY_AUTO, BROWSER_OFFER),
			 0);
	/* what is offered on can be bundled, and need not be */
	assert_text(&fx, "a=group:BUNDLE a v\r\n", true);
	assert_text(&fx, "bundle-only", false);
	assert_text(&fx, "m=application 0 ", true);
	assert_int_equal(count(&fx, "a=ice-ufrag:"), 2); /* nor is anything said of data */
	assert_int_equal(count(&fx, "a=fingerprint:"), 2);
	/* who does not multiplex cannot bundle either, but is offered a component for RTCP */
	assert_int_equal(count(&fx, "a=candidate:"), 4);
	assert_int_equal(count(&fx, "a=ice-lite"), 1);
	assert_true(port_of(&fx, "m=video ") &&
		    port_of(&fx, "m=video ") != port_of(&fx, "m=audio "));

	assert_int_equal(describe(&fx, TANDEM_PARTY_B, true, TANDEM_SECURITY_AUTO,
				  BROWSER_ANSWER("a=group:BUNDLE a v\r\n")),
			 0);
	assert_text(&fx, "a=group:BUNDLE a v\r\n", true);
	assert_text(&fx, "m=application 0 ", true);
	assert_int_equal(port_of(&fx, "m=video "), port_of(&fx, "m=audio "));
	assert_int_equal(count(&fx, "a=candidate:"), 1);
	assert_int_equal(count(&fx, "a=fingerprint:"), 2);
	s = fx_session(&fx, CALL);
	leg = s->agreed.v[1].leg;
	assert_int_equal(leg[TANDEM_PARTY_A].transport, 0);
	assert_int_equal(leg[TANDEM_PARTY_B].transport, 0);
	assert_null(leg[TANDEM_PARTY_A].secure.wire);
	assert_int_equal(fx.plane.n, 2);
	assert_null(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->fan);
	assert_int_equal(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->pts.pt[1], 96);
	fx_clean(&fx);
}

/* The other side has a transport for each: what comes is told apart by SSRC. */
static void bundle_parts_ways(void **state)
{
	const struct tandem_flow_spec *spec;
	struct fixture fx;

	(void)state;
	open_world(&fx);
	assert_int_equal(describe(&fx, TANDEM_PARTY_A, false, TANDEM_SECURITY_PLAIN, BROWSER_OFFER),
			 0);
	assert_text(&fx, "a=group:", false);
	assert_text(&fx, "RTP/AVP 96 97\r\n", true);
	assert_int_equal(
		describe(&fx, TANDEM_PARTY_B, true, TANDEM_SECURITY_PLAIN, PHONE_ANSWER("6002")),
		0);
	assert_text(&fx, "a=group:BUNDLE a v\r\n", true);
	assert_int_equal(fx.plane.n, 3); /* two from the phone, one from the browser */
	spec = fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP);
	assert_non_null(spec->fan);
	assert_int_equal(spec->fan->branch_count, 4);
	assert_int_equal(spec->fan->branches[0].ssrc, 1001);
	assert_int_equal(spec->fan->branches[2].ssrc, 2002);
	assert_int_equal(spec->fan->branches[3].flags, BRANCH_F_RTCP);
	/* without keys nothing leaves */
	assert_int_equal(spec->fan->leg_count, 0);
	assert_null(fx_flow(&fx, 1, TANDEM_PARTY_B, TANDEM_RTP)->fan);
	assert_false(fx_flow(&fx, 1, TANDEM_PARTY_B, TANDEM_RTP)->egress[EGRESS_RTP].flags);
	fx_clean(&fx);
}

static void legs_of_a_bundle(void **state)
{
	const struct tandem_flow_spec *spec;
	struct tandem_secure_leg *secure;
	struct tandem_session *s;
	struct fixture fx;

	(void)state;
	open_world(&fx);
	agree(&fx, TANDEM_SECURITY_PLAIN, PHONE_ANSWER("6002"));
	s = fx_session(&fx, CALL);
	secure = &s->agreed.v[0].leg[TANDEM_PARTY_A].secure;
	secure->rtp.in = (struct tandem_srtp){ .id = 5, .suite = SRTP_AES_CM_128_HMAC_SHA1_80 };
	secure->rtp.out = (struct tandem_srtp){ .id = 6, .suite = SRTP_AES_CM_128_HMAC_SHA1_80 };
	s->agreed.v[0].leg[TANDEM_PARTY_A].remote[TANDEM_RTP] = ep("192.0.2.99", 7000);
	assert_int_equal(tandem_flows_sync(fx.ss, s), 0);
	spec = fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP);
	assert_int_equal(spec->srtp_in->id, 5);
	assert_int_equal(spec->fan->leg_count, 5); /* three SSRCs, and RTCP to both ports */
	assert_int_equal(ntohs(spec->fan->legs[0].leg.egress.remote_port), 6000);
	assert_int_equal(ntohs(spec->fan->legs[2].leg.egress.remote_port), 6002);
	assert_int_equal(ntohs(spec->fan->legs[3].leg.egress.remote_port), 6001);
	assert_int_equal(ntohs(spec->fan->legs[4].leg.egress.remote_port), 6003);
	assert_int_equal(spec->fan->key_count, 0);
	/* back they go to the one transport, with its keys */
	spec = fx_flow(&fx, 1, TANDEM_PARTY_B, TANDEM_RTP);
	assert_int_equal(ntohs(spec->egress[EGRESS_RTP].remote_port), 7000);
	assert_int_equal(spec->srtp_out->id, 6);
	assert_true(spec->reverse_id == fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->id);
	fx_clean(&fx);
}

/* One transport on either side, but not the same wanted of both media: SSRCs are told apart. */
static void one_media_is_blocked(void **state)
{
	static const enum tandem_party_id a = TANDEM_PARTY_A;
	const struct tandem_act_target target = { .call = CALL, .party = &a, .media = 0 };
	struct tandem_srtp keys = { .id = 5, .suite = SRTP_AES_CM_128_HMAC_SHA1_80 };
	const struct tandem_flow_spec *spec;
	struct tandem_session *s;
	struct fixture fx;
	bool partly;
	int p;

	(void)state;
	open_world(&fx);
	agree(&fx, TANDEM_SECURITY_AUTO, BROWSER_ANSWER("a=group:BUNDLE a v\r\n"));
	s = fx_session(&fx, CALL);
	for (p = 0; p < 2; p++) {
		s->agreed.v[0].leg[p].secure.rtp.in = keys;
		s->agreed.v[0].leg[p].secure.rtp.out = keys;
		s->agreed.v[0].leg[p].remote[TANDEM_RTP] = ep(p ? CALLEE : CALLER, 7000);
	}
	assert_int_equal(tandem_session_act(fx.ss, &target, TANDEM_ACT_BLOCK, false, &partly), 0);
	spec = fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP);
	assert_non_null(spec->fan);
	assert_int_equal(spec->fan->branch_count, 4); /* three SSRCs, and RTCP */
	assert_int_equal(spec->fan->leg_count, 4);
	assert_int_equal(spec->fan->branches[0].ssrc, 1001);
	assert_true(spec->fan->legs[0].leg.egress.flags & EGRESS_F_ACTS);
	assert_int_equal(spec->fan->legs[0].leg.egress.act_rest, ACT_BLOCK);
	assert_int_equal(spec->fan->legs[0].leg.egress.acts & 0xf, ACT_BLOCK);
	assert_false(spec->fan->legs[1].leg.egress.flags & EGRESS_F_ACTS);
	assert_false(spec->fan->legs[3].leg.egress.flags & EGRESS_F_ACTS);
	assert_null(fx_flow(&fx, 0, TANDEM_PARTY_B, TANDEM_RTP)->fan);

	/* both of them: one flow again */
	assert_int_equal(
		tandem_session_act(fx.ss, &(struct tandem_act_target){ .call = CALL, .media = -1 },
				   TANDEM_ACT_BLOCK, false, &partly),
		0);
	spec = fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP);
	assert_null(spec->fan);
	assert_int_equal(spec->egress[EGRESS_RTP].act_rest, ACT_BLOCK);
	assert_int_equal(spec->egress[EGRESS_RTP].acts & 0xff, ACT_BLOCK | ACT_BLOCK << 4);
	fx_clean(&fx);
}

#define KEY "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"
#define PHONE_SDES(video)                                                                          \
	"v=0\r\no=- 7 2 IN IP4 198.51.100.20\r\ns=-\r\nc=IN IP4 198.51.100.20\r\nt=0 0\r\n"        \
	"m=audio 6000 RTP/SAVP 0\r\n" KEY video
#define VIDEO_SDES "m=video 6002 RTP/SAVP 96\r\na=rtpmap:96 VP8/90000\r\n" KEY

/* RTCP of all SSRCs of a bundle that parts ways leaves under the keys of each leg. */
static void room_beside_a_bundle(void **state)
{
	static const struct {
		const char *phone;
		uint16_t streams;
	} cases[] = {
		{ PHONE_SDES(VIDEO_SDES), TANDEM_BUNDLE_STREAMS },
		{ PHONE_SDES(""), TANDEM_KEY_STREAMS },
	};
	const struct tandem_media *m;
	struct fixture fx;
	size_t i;

	(void)state;
	open_world(&fx);
	agree(&fx, TANDEM_SECURITY_SDES_REQUIRE,
	      PHONE_SDES(VIDEO_SDES) "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n");
	m = fx_session(&fx, CALL)->agreed.v;
	assert_int_equal(m[0].leg[TANDEM_PARTY_B].secure.rtp.out.streams, TANDEM_BUNDLE_STREAMS);
	assert_int_equal(m[1].leg[TANDEM_PARTY_B].secure.rtp.out.streams, TANDEM_BUNDLE_STREAMS);
	fx_clean(&fx);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		open_world(&fx);
		assert_int_equal(
			describe(&fx, TANDEM_PARTY_A, false, TANDEM_SECURITY_DTLS, cases[i].phone),
			0);
		m = fx_session(&fx, CALL)->pending.v;
		assert_int_equal(m[0].leg[TANDEM_PARTY_A].secure.rtp.out.streams, cases[i].streams);
		fx_clean(&fx);
	}
}

/* A phone without pictures: one media is left, and with it nothing to tell apart. */
static void audio_only_phone(void **state)
{
	struct fixture fx;

	(void)state;
	open_world(&fx);
	agree(&fx, TANDEM_SECURITY_PLAIN, PHONE_ANSWER("0"));
	assert_text(&fx, "a=group:BUNDLE a\r\n", true);
	assert_text(&fx, "m=video 0 UDP/TLS/RTP/SAVPF", true);
	assert_null(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->fan);
	fx_clean(&fx);
}

/* One that answers without a group has a transport for each. */
static void unbundled_answer(void **state)
{
	struct fixture fx;

	(void)state;
	open_world(&fx);
	agree(&fx, TANDEM_SECURITY_DTLS, BROWSER_ANSWER(""));
	assert_int_equal(fx_session(&fx, CALL)->agreed.v[1].leg[TANDEM_PARTY_A].transport, 0);
	assert_int_equal(fx_session(&fx, CALL)->agreed.v[1].leg[TANDEM_PARTY_B].transport, 1);
	assert_non_null(fx_session(&fx, CALL)->agreed.v[1].leg[TANDEM_PARTY_B].secure.wire);
	assert_non_null(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->fan);
	fx_clean(&fx);
}

/* What a group named first is gone: the rest goes on, with a transport of its own. */
static void tag_goes(void **state)
{
	struct fixture fx;

	(void)state;
	open_world(&fx);
	agree(&fx, TANDEM_SECURITY_PLAIN, PHONE_ANSWER("6002"));
	assert_int_equal(
		describe(&fx, TANDEM_PARTY_A, false, TANDEM_SECURITY_PLAIN,
			 HEAD "a=group:BUNDLE v\r\n" AUDIO("0", "") VIDEO(
				 "9", FULL) "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"),
		0);
	assert_int_equal(
		describe(&fx, TANDEM_PARTY_B, true, TANDEM_SECURITY_PLAIN,
			 "v=0\r\no=- 7 3 IN IP4 198.51.100.20\r\ns=-\r\nc=IN IP4 198.51.100.20\r\n"
			 "t=0 0\r\nm=audio 0 RTP/AVP 0\r\nm=video 6002 RTP/AVP 96\r\n"
			 "a=rtpmap:96 VP8/90000\r\n"
			 "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"),
		0);
	assert_text(&fx, "a=group:BUNDLE v\r\n", true);
	assert_int_equal(fx_session(&fx, CALL)->agreed.v[1].leg[TANDEM_PARTY_A].transport, 1);
	assert_non_null(fx_flow(&fx, 1, TANDEM_PARTY_A, TANDEM_RTP));
	fx_clean(&fx);
}

/* ---- ICE ---- */

#define CANDIDATE	"a=candidate:1 1 udp 2113937151 192.0.2.99 7000 typ host\r\n"
#define ONE_OFFER(lite) HEAD lite "a=group:BUNDLE a\r\n" AUDIO("9", FULL CANDIDATE)

/* Of two that are lite nobody would check: the relay does. */
static void lite_party(void **state)
{
	struct fixture fx;
	uint64_t end;

	(void)state;
	open_world(&fx);
	assert_int_equal(describe(&fx, TANDEM_PARTY_A, false, TANDEM_SECURITY_PLAIN,
				  ONE_OFFER("a=ice-lite\r\n")),
			 0);
	assert_int_equal(
		describe(&fx, TANDEM_PARTY_B, true, TANDEM_SECURITY_PLAIN,
			 "v=0\r\no=- 7 2 IN IP4 198.51.100.20\r\ns=-\r\nc=IN IP4 198.51.100.20\r\n"
			 "t=0 0\r\nm=audio 6000 RTP/AVP 0\r\n"),
		0);
	assert_text(&fx, "a=ice-lite", false);
	for (end = fx.now_ms + 500; fx.now_ms < end; fx.now_ms += 10)
		tandem_sessions_timer(fx.ss);
	assert_true(checks >= 1);
	fx_clean(&fx);
}

static void mode_of_the_configuration(void **state)
{
	static const struct {
		enum tandem_ice_mode mode;
		const char *party;
		bool lite;
	} cases[] = {
		{ TANDEM_ICE_MODE_AUTO, "", true },
		{ TANDEM_ICE_MODE_LITE, "", true },
		{ TANDEM_ICE_MODE_LITE, "a=ice-lite\r\n", true },
		{ TANDEM_ICE_MODE_FULL, "", false },
		{ TANDEM_ICE_MODE_FULL, "a=ice-lite\r\n", false },
	};
	struct fixture fx;
	char offer[2048];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fx_init(&fx);
		fx.env.send = relay_send;
		fx.cfg.security_count = 1;
		fx.cfg.security[0].ice = cases[i].mode;
		fx.cfg.security[0].security = TANDEM_SECURITY_AUTO;
		assert_int_equal(tandem_prefix_parse(&fx.cfg.security[0].peer, "192.0.2.0/24"), 0);
		assert_int_equal(fx_start(&fx), 0);
		assert_int_equal(fx_dialog(&fx, CALL), 0);
		snprintf(offer, sizeof(offer), "%s%s%s", HEAD, cases[i].party,
			 "a=group:BUNDLE a\r\n" AUDIO("9", FULL CANDIDATE));
		assert_int_equal(describe(&fx, TANDEM_PARTY_A, false, TANDEM_SECURITY_PLAIN, offer),
				 0);
		assert_int_equal(
			describe(&fx, TANDEM_PARTY_B, true, TANDEM_SECURITY_PLAIN,
				 "v=0\r\no=- 7 2 IN IP4 198.51.100.20\r\ns=-\r\n"
				 "c=IN IP4 198.51.100.20\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0\r\n"),
			0);
		assert_text(&fx, "a=ice-lite", cases[i].lite);
		/* two that are lite do not check: the description says where */
		assert_int_equal(
			ntohs(fx_flow(&fx, 0, TANDEM_PARTY_A, TANDEM_RTP)->key.remote_port),
			cases[i].lite && *cases[i].party ? 7000 : 0);
		fx_clean(&fx);
	}
}

/* ---- which packets are whose ---- */

/* An RTP header: payload type, SSRC, and extensions after those. */
static size_t header(uint8_t *buf, uint8_t pt, uint32_t ssrc, const void *ext, size_t ext_len)
{
	memset(buf, 0, 64);
	buf[0] = ext_len ? 0x90 : 0x80;
	buf[1] = pt;
	buf[8] = (uint8_t)(ssrc >> 24);
	buf[9] = (uint8_t)(ssrc >> 16);
	buf[10] = (uint8_t)(ssrc >> 8);
	buf[11] = (uint8_t)ssrc;
	if (ext_len)
		memcpy(buf + 12, ext, ext_len);
	return 12 + ext_len;
}

static void learned(void **state)
{
	/* one-byte elements: padding, one that is another's, the MID; two-byte ones */
	static const uint8_t one[] = { 0xbe, 0xde, 0, 2, 0, 0x11, 1, 2, 0x40, 'w', 0, 0 };
	static const uint8_t two[] = { 0x10, 0, 0, 1, 4, 1, 'w', 0 };
	static const uint8_t cut[] = { 0xbe, 0xde, 0, 9, 0x4f, 'w' };
	static const uint8_t other[] = { 0xbe, 0xde, 0, 1, 0x40, 'x', 0, 0 };
	struct tandem_media media[3];
	struct tandem_media_list list = { media, 3 };
	uint8_t buf[64];
	size_t i, k;

	(void)state;
	memset(media, 0, sizeof(media));
	for (i = 0; i < 3; i++) {
		struct tandem_leg *leg = &media[i].leg[TANDEM_PARTY_A];

		media[i].active = true;
		leg->mid_ext = 4;
		leg->secure.mid[0] = "avw"[i];
		leg->codec_count = 1;
		leg->codecs[0].pt = i ? 96 : 0;
	}
	/* by payload type, where only one media has it; once */
	assert_true(tandem_bundle_learn(&list, 0, 0, buf, header(buf, 0, 1, NULL, 0)));
	assert_int_equal(media[0].leg[0].ssrcs[0], 1);
	assert_false(tandem_bundle_learn(&list, 0, 0, buf, header(buf, 0, 1, NULL, 0)));
	assert_false(tandem_bundle_learn(&list, 0, 0, buf, header(buf, 96, 2, NULL, 0)));
	assert_false(tandem_bundle_learn(&list, 0, 0, buf, header(buf, 55, 2, NULL, 0)));
	assert_false(tandem_bundle_learn(&list, 0, 1, buf, header(buf, 0, 2, NULL, 0)));
	/* by the MID, which counts before that */
	assert_true(tandem_bundle_learn(&list, 0, 0, buf, header(buf, 0, 3, one, sizeof(one))));
	assert_int_equal(media[2].leg[0].ssrcs[0], 3);
	assert_true(tandem_bundle_learn(&list, 0, 0, buf, header(buf, 96, 4, two, sizeof(two))));
	assert_int_equal(media[2].leg[0].ssrcs[1], 4);
	/* what is cut short, or nobody's */
	assert_false(tandem_bundle_learn(&list, 0, 0, buf, header(buf, 96, 5, cut, sizeof(cut))));
	assert_false(
		tandem_bundle_learn(&list, 0, 0, buf, header(buf, 96, 5, other, sizeof(other))));
	assert_false(tandem_bundle_learn(&list, 0, 0, buf, 11));
	/* there is an end to it */
	for (k = 0; k < 2 * TANDEM_LEG_SSRCS; k++)
		tandem_bundle_learn(&list, 0, 0, buf, header(buf, 0, 100 + k, NULL, 0));
	assert_int_equal(media[0].leg[0].ssrc_count, TANDEM_LEG_SSRCS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(browser_to_browser),
		cmocka_unit_test(bundle_parts_ways),
		cmocka_unit_test(legs_of_a_bundle),
		cmocka_unit_test(one_media_is_blocked),
		cmocka_unit_test(room_beside_a_bundle),
		cmocka_unit_test(audio_only_phone),
		cmocka_unit_test(unbundled_answer),
		cmocka_unit_test(tag_goes),
		cmocka_unit_test(lite_party),
		cmocka_unit_test(mode_of_the_configuration),
		cmocka_unit_test(learned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
