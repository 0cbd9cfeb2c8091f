/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptions that are refused: malformed, past a limit, or against RFC 8866's grammar */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "userspace/sdp/sdp.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"

static struct tandem_sdp *parse(const char *text)
{
	struct tandem_sdp_error err;
	struct tandem_sdp *sdp = NULL;

	if (tandem_sdp_parse(&sdp, text, strlen(text), &err))
		fail_msg("line %u: %s in:\n%s", err.line, err.reason, text);
	return sdp;
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		unsigned int line;
	} cases[] = {
		{ "\r\n", 1 },
		{ "o=- 1 1 IN IP4 192.0.2.1\r\nv=0\r\n", 1 },
		{ "v=1\r\n", 1 },
		{ "v=\r\n", 1 },
		{ "v=00\r\n", 1 },
		{ "v=0\r\nhello\r\n", 2 },
		{ "v=0\r\ns =x\r\n", 2 },
		{ "v=0\r\n =x\r\n", 2 },
		{ "v=0\r\n\x7f=x\r\n", 2 },
		{ "v=0\r\n\xe4=x\r\n", 2 },
		{ "v=0\r\n\r\r\n", 2 },
		{ "v=0\r\nm\r\n", 2 },
		{ "v=0\r\ns=a\rm=audio 1 RTP/AVP 0\r\n", 2 },
		{ "v=0\r\ns=a\r\r\n", 2 },
		{ "v=0\r\ns=a\r", 2 },
		{ "v=0\r\no=- 1 1 IN IP4\r\n", 2 },
		{ "v=0\r\no=\r\n", 2 },
		{ HEAD "c=IN IP4\r\n", 6 },
		{ HEAD "c=IN IP4 224.0.0.1/256\r\n", 6 },
		{ HEAD "c=IN IP4 224.0.0.1/1/0\r\n", 6 },
		{ HEAD "c=IN IP4 224.0.0.1/1/2/3\r\n", 6 },
		{ HEAD "c=IN IP4 224.0.0.1/\r\n", 6 },
		{ HEAD "c=IN IP4 /127\r\n", 6 },
		{ HEAD "c=IN IP6 ff02::1/4294967296\r\n", 6 },
		{ HEAD "m=audio\r\n", 6 },
		{ HEAD "m=audio 4000\r\n", 6 },
		{ HEAD "m=audio 65536 RTP/AVP 0\r\n", 6 },
		{ HEAD "m=audio 4294967297 RTP/AVP 0\r\n", 6 },
		{ HEAD "m=audio 18446744073709551617 RTP/AVP 0\r\n", 6 },
		{ HEAD "m=audio -1 RTP/AVP 0\r\n", 6 },
		{ HEAD "m=audio +1 RTP/AVP 0\r\n", 6 },
		{ HEAD "m=audio 0x10 RTP/AVP 0\r\n", 6 },
		{ HEAD "m=audio 4000/0 RTP/AVP 0\r\n", 6 },
		{ HEAD "m=audio 4000/ RTP/AVP 0\r\n", 6 },
		{ HEAD "m=audio 65534/2 RTP/AVP 0\r\n", 6 },
		{ HEAD "m=audio 4000/99999999999 RTP/AVP 0\r\n", 6 },
		{ HEAD "m=audio 4000 RTP/AVP 0\r\na=rtcp:65536\r\n", 7 },
		{ HEAD "m=audio 4000 RTP/AVP 0\r\na=rtcp:\r\n", 7 },
		{ HEAD "m=audio 4000 RTP/AVP 0\r\na=rtcp:1 IN IP4\r\n", 7 },
		{ HEAD "m=audio 4000 RTP/AVP 0\r\nc=\r\n", 7 },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tandem_sdp_error err = { 0 };
		struct tandem_sdp *sdp = NULL;
		int rc = tandem_sdp_parse(&sdp, cases[i].text, strlen(cases[i].text), &err);

		if (rc != -EBADMSG || err.line != cases[i].line || err.code != rc)
			fail_msg("got %d, line %u (%s) for:\n%s", rc, err.line, err.reason,
				 cases[i].text);
		assert_null(sdp);
		assert_int_equal(tandem_sdp_parse(&sdp, cases[i].text, strlen(cases[i].text), NULL),
				 -EBADMSG);
	}
}

static void test_nul_and_arguments(void **state)
{
	static const char nul[] = "v=0\r\ns=-\r\na=x\0y\r\n";
	struct tandem_sdp_error err;
	struct tandem_sdp *sdp = NULL;
	char *text;

	assert_int_equal(tandem_sdp_parse(&sdp, nul, sizeof(nul) - 1, &err), -EBADMSG);
	assert_int_equal(err.line, 3);
	assert_string_equal(err.reason, "NUL byte");
	assert_int_equal(tandem_sdp_parse(&sdp, "v=0\n\0\n", 6, &err), -EBADMSG);
	assert_int_equal(err.line, 2);
	assert_int_equal(tandem_sdp_parse(&sdp, "", 0, &err), -EBADMSG);
	assert_int_equal(tandem_sdp_parse(&sdp, NULL, 4, &err), -EINVAL);
	assert_int_equal(tandem_sdp_parse(NULL, HEAD, 4, &err), -EINVAL);
	assert_int_equal(tandem_sdp_print(NULL, &text, NULL), -EINVAL);
	assert_int_equal(tandem_sdp_validate(NULL, &err), -EINVAL);
	assert_null(sdp);
	tandem_sdp_free(NULL);
}

/* HEAD, then `prefix`, then `item` n times. */
static int parse_many(const char *prefix, const char *item, size_t n)
{
	size_t len = strlen(item), at = strlen(HEAD) + strlen(prefix);
	char *text = malloc(at + n * len + 1);
	struct tandem_sdp *sdp = NULL;
	struct tandem_sdp_error err;
	int rc;

	assert_non_null(text);
	sprintf(text, "%s%s", HEAD, prefix);
	for (; n; n--, at += len)
		memcpy(text + at, item, len + 1);
	rc = tandem_sdp_parse(&sdp, text, at, &err);
	tandem_sdp_free(sdp);
	free(text);
	return rc;
}

static void test_limits(void **state)
{
	static const struct {
		const char *prefix;
		const char *item;
		size_t most;
	} limits[] = {
		{ "", "m=audio 0 RTP/AVP 0\r\n", TANDEM_SDP_MAX_MEDIA },
		{ "", "a=x\r\n", TANDEM_SDP_MAX_LINES - 5 },
		{ "m=audio 1 RTP/AVP", " 0", TANDEM_SDP_MAX_FORMATS },
		{ "", "a=group:X a\r\n", TANDEM_SDP_MAX_GROUPS },
		{ "a=group:X", " a", TANDEM_SDP_MAX_MIDS },
		{ "c=IN IP4 ", "a", TANDEM_SDP_MAX_HOST },
		{ "s=", "x", TANDEM_SDP_MAX_SIZE - sizeof(HEAD) + 1 - 2 },
	};
	size_t i;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		print_message("%s%s\n", limits[i].prefix, limits[i].item);
		assert_int_equal(parse_many(limits[i].prefix, limits[i].item, limits[i].most), 0);
		assert_int_equal(parse_many(limits[i].prefix, limits[i].item, limits[i].most + 1),
				 -EMSGSIZE);
	}
}

static void test_ssrc_limit(void **state)
{
	char text[TANDEM_SDP_MAX_SSRCS * 24 + 256];
	struct tandem_sdp *sdp = NULL;
	size_t i, at;

	at = (size_t)sprintf(text, HEAD "m=audio 1 RTP/AVP 0\r\n");
	for (i = 0; i < TANDEM_SDP_MAX_SSRCS; i++)
		at += (size_t)sprintf(text + at, "a=ssrc:%zu a:b\r\n", i);
	at += (size_t)sprintf(text + at, "a=ssrc:0 c:d\r\n");
	assert_int_equal(tandem_sdp_parse(&sdp, text, at, NULL), 0);
	assert_int_equal(tandem_sdp_media(sdp, 0)->nssrcs, TANDEM_SDP_MAX_SSRCS);
	tandem_sdp_free(sdp);
	sdp = NULL;
	at += (size_t)sprintf(text + at, "a=ssrc:%zu c:d\r\n", i);
	assert_int_equal(tandem_sdp_parse(&sdp, text, at, NULL), -EMSGSIZE);
	assert_null(sdp);
}

static void test_validate_refuses(void **state)
{
	static const struct {
		const char *text;
		unsigned int line;
	} cases[] = {
		{ "v=0\r\ns=-\r\nt=0 0\r\n", 0 },
		{ "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\nt=0 0\r\n", 0 },
		{ "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n", 0 },
		{ "v=0\r\no=- x 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n", 2 },
		{ "v=0\r\no=a b 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n", 2 },
		{ "v=0\r\ns=-\r\no=- 1 1 IN IP4 192.0.2.1\r\nt=0 0\r\n", 3 },
		{ "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=\r\nt=0 0\r\n", 3 },
		{ "v=0\r\nv=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n", 2 },
		{ "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4 RTP/AVP 0\r\n", 5 },
		{ HEAD "t=0\r\n", 6 },
		{ HEAD "t=0 x\r\n", 6 },
		{ HEAD "r=1d 1h\r\n", 6 },
		{ HEAD "r=1d 1y 0\r\n", 6 },
		{ HEAD "r=1d -1h 0\r\n", 6 },
		{ HEAD "z=1 1h\r\nz=1 1h\r\n", 7 },
		{ HEAD "z=1 1h 2\r\n", 6 },
		{ HEAD "a=x\r\nr=1d 1h 0\r\n", 7 },
		{ HEAD "k=none\r\n", 6 },
		{ HEAD "k=clear:\r\n", 6 },
		{ HEAD "k=uri:x\r\nk=base64:x\r\n", 7 },
		{ HEAD "m=audio 0 RTP/AVP 0 (\r\n", 6 },
		{ HEAD "m=aud\x7fio 0 RTP/AVP 0\r\n", 6 },
		{ "v=0\r\no=- 1 1 I:N IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n", 2 },
		{ "v=0\r\no=- 1 1 IN I@4 192.0.2.1\r\ns=-\r\nt=0 0\r\n", 2 },
		{ "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"
		  "m=audio 4 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4 RTP/AVP 0\r\n",
		  7 },
		{ HEAD "b=AS:1\r\n", 6 },
		{ HEAD "y=?\r\n", 6 },
		{ HEAD "\r\n", 6 },
		{ HEAD "a=b c\r\n", 6 },
		{ HEAD "a=b:\r\n", 6 },
		{ HEAD "m=audio 0 RTP/AVP\r\n", 6 },
		{ HEAD "m=audio 0 RTP/AVP 0\r\nb=AS\r\n", 7 },
		{ HEAD "m=audio 0 RTP/AVP 0\r\nb=AS:x\r\n", 7 },
		{ HEAD "m=audio 0 RTP/AVP 0\r\nt=0 0\r\n", 7 },
		{ HEAD "m=audio 0 RTP/AVP 0\r\na=x\r\nc=IN IP4 192.0.2.1\r\n", 8 },
		{ HEAD "m=audio 0 RTP/AVP 0\r\ni=x\r\ni=y\r\n", 8 },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tandem_sdp *sdp = parse(cases[i].text);
		struct tandem_sdp_error err = { 0 };
		int rc = tandem_sdp_validate(sdp, &err);

		if (rc != -EBADMSG || err.line != cases[i].line)
			fail_msg("got %d, line %u (%s) for:\n%s", rc, err.line, err.reason,
				 cases[i].text);
		tandem_sdp_free(sdp);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),		 cmocka_unit_test(test_nul_and_arguments),
		cmocka_unit_test(test_limits),		 cmocka_unit_test(test_ssrc_limit),
		cmocka_unit_test(test_validate_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
