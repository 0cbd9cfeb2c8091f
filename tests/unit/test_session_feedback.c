/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Feedback (RFC 4585, RFC 5104, RFC 5506) between parties of different profiles: each is told what
 * the other one has said, no less and no more, so nobody sends what has not been agreed on.
 */
#include "tests/unit/session_fixture.h"

#define AUTO  TANDEM_SECURITY_AUTO
#define PLAIN TANDEM_SECURITY_PLAIN
#define SDES  TANDEM_SECURITY_SDES_REQUIRE
#define DTLS  TANDEM_SECURITY_DTLS

#define WEB(setup)                                                                                 \
	"a=mid:v\r\na=rtcp-mux\r\na=setup:" setup "\r\na=ice-ufrag:abcd\r\n"                       \
	"a=ice-pwd:0123456789012345678901\r\n"                                                     \
	"a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:"                   \
	"10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n"
#define KEY   "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"
#define SAVPF "UDP/TLS/RTP/SAVPF"

/* What can be said of feedback, a bit each. */
enum said {
	NACK = 1 << 0,
	PLI = 1 << 1,
	FIR = 1 << 2,
	TMMBR = 1 << 3,
	REMB = 1 << 4,
	INTERVAL = 1 << 5,
	RSIZE = 1 << 6, /* reduced-size RTCP */
	SAID = 7,
	ALL = (1 << SAID) - 1,
};

static const char *const lines[SAID] = {
	"a=rtcp-fb:96 nack\r\n",      "a=rtcp-fb:96 nack pli\r\n",  "a=rtcp-fb:96 ccm fir\r\n",
	"a=rtcp-fb:96 ccm tmmbr\r\n", "a=rtcp-fb:96 goog-remb\r\n", "a=rtcp-fb:* trr-int 100\r\n",
	"a=rtcp-rsize\r\n",
};

static const struct call {
	const char *name;
	enum tandem_security a, b;
	const char *proto_a, *more_a; /* what A offers */
	unsigned int said_a;
	const char *offered; /* protocol that B is offered; it answers with the same */
	const char *more_b;
	unsigned int said_b;
} calls[] = {
	{ "a browser, and a phone that knows PLI", AUTO, PLAIN, SAVPF, WEB("actpass"), ALL,
	  "RTP/AVP", "", NACK | PLI },
	{ "a browser, and a phone that knows nothing", AUTO, PLAIN, SAVPF, WEB("actpass"), ALL,
	  "RTP/AVP", "", 0 },
	{ "a browser, and a phone that knows all", AUTO, PLAIN, SAVPF, WEB("actpass"), ALL,
	  "RTP/AVP", "", ALL },
	{ "a browser, and a phone with SRTP", AUTO, SDES, SAVPF, WEB("actpass"), ALL, "RTP/SAVP",
	  KEY, PLI | FIR },
	{ "a phone that knows nothing, and a browser", PLAIN, DTLS, "RTP/AVP", "", 0, SAVPF,
	  WEB("active"), 0 },
	{ "a phone that knows PLI, and a browser", PLAIN, DTLS, "RTP/AVP", "", NACK | PLI, SAVPF,
	  WEB("active"), NACK | PLI },
	{ "a phone with AVPF, and a browser", PLAIN, DTLS, "RTP/AVPF", "", ALL, SAVPF,
	  WEB("active"), NACK | PLI | FIR | RSIZE },
	{ "AVPF and SAVPF", PLAIN, SDES, "RTP/AVPF", "", ALL, "RTP/SAVPF", KEY, PLI | TMMBR },
	{ "SAVPF and AVPF", AUTO, PLAIN, "RTP/SAVPF", KEY, ALL, "RTP/AVPF", "", INTERVAL },
	{ "SAVP and AVP", AUTO, PLAIN, "RTP/SAVP", KEY, 0, "RTP/AVP", "", 0 },
};

static const char *description(const char *host, const char *proto, const char *more,
			       unsigned int said)
{
	static char text[2048];
	int i, n;

	n = snprintf(text, sizeof(text),
		     "v=0\r\no=- 7 2 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"
		     "m=video 6000 %s 96\r\na=rtpmap:96 VP8/90000\r\n%s",
		     host, host, proto, more);
	for (i = 0; i < SAID; i++) {
		if (said & 1U << i)
			n += snprintf(text + n, sizeof(text) - (size_t)n, "%s", lines[i]);
	}
	assert_true((size_t)n < sizeof(text));
	return text;
}

static void assert_told(const struct fixture *fx, const char *proto, unsigned int said)
{
	char want[64];
	int i;

	snprintf(want, sizeof(want), " %s 96\r\n", proto);
	assert_has(fx, want);
	for (i = 0; i < SAID; i++) {
		if (said & 1U << i)
			assert_has(fx, lines[i]);
		else
			assert_has_not(fx, lines[i]);
	}
}

static void each_is_told_what_the_other_says(void **state)
{
	struct fixture fx;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		const struct call *c = &calls[i];

		print_message("%s\n", c->name);
		fx_init(&fx);
		assert_int_equal(fx_start(&fx), 0);
		assert_int_equal(fx_dialog(&fx, CALL), 0);
		assert_int_equal(fx_describe(&fx, TANDEM_PARTY_A, false, c->a, c->b,
					     description(CALLER, c->proto_a, c->more_a, c->said_a)),
				 0);
		assert_told(&fx, c->offered, c->said_a);
		assert_int_equal(fx_describe(&fx, TANDEM_PARTY_B, true, c->a, c->b,
					     description(CALLEE, c->offered, c->more_b, c->said_b)),
				 0);
		assert_told(&fx, c->proto_a, c->said_b);
		fx_clean(&fx);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_told_what_the_other_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
