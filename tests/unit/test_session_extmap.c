/* SPDX-License-Identifier: GPL-2.0-only */
/* Under which id the MID comes in a bundle, by what offer and answer say of it (RFC 8285 7). */
#include "tests/unit/session_fixture.h"

#define MID  "urn:ietf:params:rtp-hdrext:sdes:mid"
#define ELSE "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
#define FP                                                                                         \
	"a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:"                   \
	"10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n"
#define MAP(line) "a=extmap:" line "\r\n"

/* One side's words: of the session, of the sound, of the pictures. */
struct said {
	const char *session, *audio, *video;
};

/* A description of two media; grouped: in a bundle. Valid until the next call. */
static const char *described(const struct said *said, const char *setup, bool grouped)
{
	static char text[4096];

	snprintf(text, sizeof(text),
		 "v=0\r\no=- 7 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n%s%s"
		 "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:a\r\na=rtcp-mux\r\n%s"
		 "a=setup:%s\r\na=ice-ufrag:ufrag\r\na=ice-pwd:0123456789012345678901\r\n" FP
		 "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:v\r\na=rtcp-mux\r\n%s"
		 "a=rtpmap:96 VP8/90000\r\n"
		 "a=setup:%s\r\na=ice-ufrag:ufrag\r\na=ice-pwd:0123456789012345678901\r\n" FP,
		 grouped ? "a=group:BUNDLE a v\r\n" : "", said->session, said->audio, setup,
		 said->video, setup);
	return text;
}

static int agree(struct fixture *fx, const struct said *offer, const struct said *answer,
		 bool grouped)
{
	fx_init(fx);
	assert_int_equal(fx_start(fx), 0);
	assert_int_equal(fx_dialog(fx, CALL), 0);
	assert_int_equal(fx_describe(fx, TANDEM_PARTY_A, false, TANDEM_SECURITY_DTLS,
				     TANDEM_SECURITY_DTLS, described(offer, "actpass", grouped)),
			 0);
	return fx_describe(fx, TANDEM_PARTY_B, true, TANDEM_SECURITY_DTLS, TANDEM_SECURITY_DTLS,
			   described(answer, "active", grouped));
}

static unsigned int ext_of(struct fixture *fx, size_t media, enum tandem_party_id party)
{
	return fx_session(fx, CALL)->agreed.v[media].leg[party].mid_ext;
}

/* All of it is said of the sound; the pictures have nothing. */
static void table(void **state)
{
	static const struct {
		const char *offer, *answer;
		unsigned int caller, callee; /* ids */
	} cases[] = {
		{ MAP("4 " MID), MAP("4 " MID), 4, 4 },
		{ MAP("14 " ELSE) MAP("4 " MID " some words"), MAP("4 " MID), 4, 4 },
		{ MAP("255 " MID), MAP("255 " MID), 255, 255 },
		/* taken away, not offered, nothing of the kind */
		{ MAP("4 " MID), "", 0, 0 },
		{ MAP("4 " MID), MAP("4 " ELSE), 0, 0 },
		{ "", MAP("4 " MID), 0, 0 },
		{ MAP("4 " MID "x"), MAP("4 " MID "x"), 0, 0 },
		{ MAP("0 " MID), MAP("0 " MID), 0, 0 },
		{ MAP("256 " MID), MAP("256 " MID), 0, 0 },
		{ MAP("4352 " MID), MAP("5 " MID), 0, 0 },
		{ MAP("-4 " MID), MAP("-4 " MID), 0, 0 },
		{ MAP("4x " MID), MAP("4 " MID), 0, 0 },
		{ MAP("4"), MAP("4"), 0, 0 },
		{ MAP("1234 " MID), MAP("123 " MID), 0, 0 },
		/* one direction, or none */
		{ MAP("4/sendrecv " MID), MAP("4/recvonly " MID), 4, 0 },
		{ MAP("4 " MID), MAP("4/sendonly " MID), 0, 4 },
		{ MAP("4/sendonly " MID), MAP("4/recvonly " MID), 4, 0 },
		{ MAP("4/recvonly " MID), MAP("4/sendonly " MID), 0, 4 },
		{ MAP("4/sendonly " MID), MAP("4/sendonly " MID), 0, 0 },
		{ MAP("4 " MID), MAP("4/inactive " MID), 0, 0 },
		/* a name that the answer gives an id, or leaves as it is */
		{ MAP("4096 " MID), MAP("5 " MID), 5, 5 },
		{ MAP("4351/sendonly " MID), MAP("5/recvonly " MID), 5, 0 },
		{ MAP("4096 " ELSE) MAP("4096 " MID), MAP("6 " MID), 6, 6 },
		{ MAP("4096 " MID), MAP("4096 " MID), 0, 0 },
	};
	struct fixture fx;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct said offer = { "", cases[i].offer, "" };
		const struct said answer = { "", cases[i].answer, "" };

		assert_int_equal(agree(&fx, &offer, &answer, true), 0);
		if (ext_of(&fx, 0, TANDEM_PARTY_A) != cases[i].caller ||
		    ext_of(&fx, 0, TANDEM_PARTY_B) != cases[i].callee)
			fail_msg("%s%s: %u, %u", cases[i].offer, cases[i].answer,
				 ext_of(&fx, 0, TANDEM_PARTY_A), ext_of(&fx, 0, TANDEM_PARTY_B));
		assert_int_equal(ext_of(&fx, 1, TANDEM_PARTY_A), 0);
		fx_clean(&fx);
	}
}

/* What is said once for all sections counts where a section says nothing of extensions. */
static void session_level(void **state)
{
	const struct said offer = { MAP("4 " MID), "", "" };
	const struct said answers[] = {
		{ MAP("4/recvonly " MID), "", "" },
		{ "", MAP("4/recvonly " MID), MAP("3 " ELSE) },
	};
	struct fixture fx;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_int_equal(agree(&fx, &offer, &answers[i], true), 0);
		assert_int_equal(ext_of(&fx, 0, TANDEM_PARTY_A), 4);
		assert_int_equal(ext_of(&fx, 1, TANDEM_PARTY_A), i ? 0 : 4);
		assert_int_equal(ext_of(&fx, 0, TANDEM_PARTY_B), 0);
		fx_clean(&fx);
	}
}

/* Answers by which nobody would know what is the MID: only where it is needed are they refused. */
static void refused(void **state)
{
	static const struct {
		struct said offer, answer;
	} cases[] = {
		/* another id */
		{ { "", MAP("4 " MID), "" }, { "", MAP("5 " MID), "" } },
		{ { "", "", MAP("4 " MID) }, { "", "", MAP("4096 " MID) } },
		{ { MAP("4 " MID), "", "" }, { "", MAP("4 " MID), MAP("5 " MID) } },
		/* an id that is not its own: in a section, or in another of the bundle */
		{ { "", MAP("4 " MID), "" }, { "", MAP("4 " ELSE) MAP("4 " MID), "" } },
		{ { "", MAP("4096 " MID), MAP("5 " ELSE) }, { "", MAP("5 " MID), MAP("5 " ELSE) } },
	};
	struct fixture fx;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(agree(&fx, &cases[i].offer, &cases[i].answer, true), -EPROTO);
		assert_int_equal(fx.plane.n, 0);
		fx_clean(&fx);
		assert_int_equal(agree(&fx, &cases[i].offer, &cases[i].answer, false), 0);
		assert_int_equal(ext_of(&fx, 0, TANDEM_PARTY_A), 0);
		assert_int_equal(ext_of(&fx, 1, TANDEM_PARTY_A), 0);
		fx_clean(&fx);
	}
}

/* A later description may take it away, and bring it back. */
static void changed(void **state)
{
	const struct said with = { "", MAP("4 " MID), "" }, without = { "", "", "" };
	struct fixture fx;

	(void)state;
	assert_int_equal(agree(&fx, &with, &with, true), 0);
	assert_int_equal(ext_of(&fx, 0, TANDEM_PARTY_A), 4);
	assert_int_equal(fx_describe(&fx, TANDEM_PARTY_A, false, TANDEM_SECURITY_DTLS,
				     TANDEM_SECURITY_DTLS, described(&with, "actpass", true)),
			 0);
	assert_int_equal(fx_describe(&fx, TANDEM_PARTY_B, true, TANDEM_SECURITY_DTLS,
				     TANDEM_SECURITY_DTLS, described(&without, "active", true)),
			 0);
	assert_int_equal(ext_of(&fx, 0, TANDEM_PARTY_A), 0);
	fx_clean(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(session_level),
		cmocka_unit_test(refused),
		cmocka_unit_test(changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
