/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls whose media the relay secures by keys in SDP. A sends with KEY_A, B with KEY_B; the
 * relay's own keys are random.
 */
#ifndef TANDEM_TESTS_SESSION_SECURITY_H
#define TANDEM_TESTS_SESSION_SECURITY_H

#include <stdbool.h>

#include "tests/unit/session_fixture.h"

#define CM    "AES_CM_128_HMAC_SHA1_80"
#define KEY_A "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
#define KEY_B "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
#define KEY_C "BBECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"

#define CRYPTO_A "a=crypto:5 " CM " inline:" KEY_A "|2^31\r\n"
#define CRYPTO_B "a=crypto:1 " CM " inline:" KEY_B "\r\n"

struct policies {
	enum tandem_security a, b;
};

/* A description with one m=audio of this protocol. Valid until the next call. */
static inline const char *sdp(enum tandem_party_id party, const char *proto, const char *extra)
{
	static char text[2][4096];
	static int turn;
	const char *host = party ? CALLEE : CALLER;

	turn = !turn;
	snprintf(text[turn], sizeof(text[turn]),
		 "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"
		 "m=audio %u %s 0\r\na=sendrecv\r\n%s",
		 host, host, party ? 5000 : 4000, proto, extra);
	return text[turn];
}

static inline int describe(struct fixture *fx, const struct policies *policies,
			   enum tandem_party_id party, bool answer, const char *text)
{
	enum tandem_security security[2] = { policies->a, policies->b };
	struct tandem_signal sig = fx_signal(party ? CALLEE : CALLER, party ? CALLER : CALLEE,
					     security[party], security[!party]);

	free(fx->sdp);
	fx->sdp = NULL;
	if (answer)
		return tandem_session_answer(fx->ss, CALL, party, &sig, text, strlen(text),
					     &fx->sdp, &fx->sdp_len);
	return tandem_session_offer(fx->ss, CALL, party, &sig, text, strlen(text), &fx->sdp,
				    &fx->sdp_len);
}

static inline const struct tandem_leg *leg_of(struct fixture *fx, enum tandem_party_id party)
{
	return &fx_session(fx, CALL)->agreed.v[0].leg[party];
}

/* The key that the relay writes in its line with this tag. */
static inline void shown_key(struct fixture *fx, const char *tag_suite, struct tandem_srtp *srtp)
{
	char *line = strstr(fx->sdp, tag_suite), value[TANDEM_SDES_STRLEN];
	struct tandem_sdes sdes;

	if (!line)
		fail_msg("no %s in:\n%s", tag_suite, fx->sdp);
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(line + 9, "\r"), line + 9);
	assert_int_equal(tandem_sdes_parse(&sdes, value), 0);
	*srtp = sdes.srtp;
}

static inline void secure_call(struct fixture *fx, const struct policies *policies)
{
	fx_open(fx);
	fx_dialog(fx, CALL);
	assert_int_equal(describe(fx, policies, TANDEM_PARTY_A, false,
				  sdp(TANDEM_PARTY_A, "RTP/SAVP", CRYPTO_A)),
			 0);
	assert_int_equal(describe(fx, policies, TANDEM_PARTY_B, true,
				  sdp(TANDEM_PARTY_B, "RTP/SAVP", CRYPTO_B)),
			 0);
	assert_int_equal(tandem_session_confirm(fx->ss, CALL), 0);
}

static const struct policies both = { TANDEM_SECURITY_SDES_REQUIRE, TANDEM_SECURITY_SDES_REQUIRE };

#endif
