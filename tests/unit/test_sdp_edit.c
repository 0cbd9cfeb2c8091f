/* SPDX-License-Identifier: GPL-2.0-only */
/* Edits: the named lines change, every other byte stays */
#include <errno.h>
#include <stdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/sdp_samples.h"
#include "userspace/sdp/sdp.h"

#define SESSION TANDEM_SDP_SESSION

static struct tandem_sdp *parse(const char *text)
{
	struct tandem_sdp_error err;
	struct tandem_sdp *sdp = NULL;

	if (tandem_sdp_parse(&sdp, text, strlen(text), &err))
		fail_msg("line %u: %s in:\n%s", err.line, err.reason, text);
	return sdp;
}

/* text with its first `from` replaced by `to`; free() it */
static char *replaced(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *out = malloc(strlen(text) + strlen(to) + 1);
	size_t head;

	assert_non_null(at);
	assert_non_null(out);
	head = (size_t)(at - text);
	memcpy(out, text, head);
	strcpy(out + head, to);
	strcat(out, at + strlen(from));
	return out;
}

static void assert_prints(const struct tandem_sdp *sdp, const char *want)
{
	char *text;

	assert_int_equal(tandem_sdp_print(sdp, &text, NULL), 0);
	assert_string_equal(text, want);
	free(text);
}

/* sdp is `sample` but for one piece; ends sdp. */
static void assert_edited(struct tandem_sdp *sdp, const char *sample, const char *from,
			  const char *to)
{
	char *want = replaced(sample, from, to);

	assert_prints(sdp, want);
	free(want);
	tandem_sdp_free(sdp);
}

static void test_connection(void **state)
{
	static const struct {
		const char *sample;
		int section;
		int family;
		const char *host;
		const char *from, *to;
	} cases[] = {
		{ sample_ipv6, SESSION, AF_INET, "192.0.2.1", "c=IN IP6 2001:db8::1",
		  "c=IN IP4 192.0.2.1" },
		{ sample_lf, SESSION, AF_INET6, "2001:db8::9", "c=IN IP4 192.0.2.60",
		  "c=IN IP6 2001:db8::9" },
		{ sample_cisco, 0, AF_INET, "192.0.2.1", "c=IN IP4 192.168.10.11",
		  "c=IN IP4 192.0.2.1" },
		/* inserted in the place that the grammar gives it */
		{ sample_cisco, SESSION, AF_INET, "192.0.2.1", "b=AS:4064\r\n",
		  "c=IN IP4 192.0.2.1\r\nb=AS:4064\r\n" },
		{ sample_t38, 0, AF_INET, "192.0.2.1", "udptl t38\r\n",
		  "udptl t38\r\nc=IN IP4 192.0.2.1\r\n" },
		{ sample_lf, 0, AF_INET, "192.0.2.1", "RTP/AVP 3\n",
		  "RTP/AVP 3\nc=IN IP4 192.0.2.1\n" },
		/* all addresses of a layered stream give way to one */
		{ sample_multicast, 0, AF_INET, "192.0.2.1",
		  "c=IN IP4 233.252.0.1/127/3\r\nc=IN IP4 233.252.0.9/127\r\n",
		  "c=IN IP4 192.0.2.1\r\n" },
		{ sample_odd, SESSION, AF_INET, "192.0.2.1", "c=IN  IP4\t192.0.2.62 ",
		  "c=IN IP4 192.0.2.1" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tandem_sdp *sdp = parse(cases[i].sample);

		print_message("case %zu\n", i);
		assert_int_equal(tandem_sdp_set_connection(sdp, cases[i].section, cases[i].family,
							   cases[i].host),
				 0);
		assert_edited(sdp, cases[i].sample, cases[i].from, cases[i].to);
	}
}

static void test_connection_view(void **state)
{
	struct tandem_sdp *sdp = parse(sample_rfc8866);

	/* the i= line of the media stays before the c= line */
	assert_int_equal(tandem_sdp_set_connection(sdp, 1, AF_INET6, "2001:db8::5"), 0);
	assert_string_equal(tandem_sdp_media(sdp, 1)->conn.host, "2001:db8::5");
	assert_int_equal(tandem_sdp_media(sdp, 1)->rtcp.family, AF_INET6);
	assert_string_equal(tandem_sdp_media(sdp, 0)->conn.host, "198.51.100.7");
	assert_int_equal(tandem_sdp_validate(sdp, NULL), 0);
	tandem_sdp_free(sdp);
}

static void test_connection_refused(void **state)
{
	static const struct {
		int section;
		int family;
		const char *host;
	} cases[] = {
		{ SESSION, AF_INET, "2001:db8::1" }, { SESSION, AF_INET6, "192.0.2.1" },
		{ SESSION, AF_INET, "example.com" }, { SESSION, AF_INET, "192.0.2.1\r\na=x" },
		{ SESSION, AF_INET, "192.0.2.1 " },  { SESSION, AF_INET, "" },
		{ SESSION, AF_INET, NULL },	     { SESSION, AF_UNSPEC, "192.0.2.1" },
		{ SESSION, AF_INET, "224.0.0.1" },   { 0, AF_INET6, "ff02::1" },
		{ 1, AF_INET, "192.0.2.1" },	     { -2, AF_INET, "192.0.2.1" },
	};
	struct tandem_sdp *sdp = parse(sample_lf);
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(tandem_sdp_set_connection(sdp, cases[i].section, cases[i].family,
							   cases[i].host),
				 -EINVAL);
	assert_int_equal(tandem_sdp_set_connection(NULL, 0, AF_INET, "192.0.2.1"), -EINVAL);
	assert_prints(sdp, sample_lf);
	tandem_sdp_free(sdp);
}

static void test_port(void **state)
{
	struct tandem_sdp *sdp = parse(sample_odd);

	assert_int_equal(tandem_sdp_set_port(sdp, 0, 40000), 0);
	assert_int_equal(tandem_sdp_media(sdp, 0)->port, 40000);
	assert_edited(sdp, sample_odd, "audio  6200  RTP", "audio  40000  RTP");

	sdp = parse(sample_multicast);
	assert_int_equal(tandem_sdp_set_port(sdp, 0, 4), 0);
	assert_edited(sdp, sample_multicast, "49170/2", "4/2");

	sdp = parse(sample_multicast);
	/* two pairs do not fit there */
	assert_int_equal(tandem_sdp_set_port(sdp, 0, 65534), -EINVAL);
	assert_int_equal(tandem_sdp_set_port(sdp, 3, 1000), -EINVAL);
	assert_int_equal(tandem_sdp_set_ports(sdp, 0, 1000, 0), -EINVAL);
	assert_prints(sdp, sample_multicast);
	assert_int_equal(tandem_sdp_set_ports(sdp, 0, 65534, 1), 0);
	assert_edited(sdp, sample_multicast, "49170/2", "65534");

	sdp = parse(sample_multicast);
	assert_int_equal(tandem_sdp_set_ports(sdp, 1, 5004, 7), 0);
	assert_int_equal(tandem_sdp_media(sdp, 1)->nports, 7);
	assert_edited(sdp, sample_multicast, "5004", "5004/7");
}

static void test_rtcp(void **state)
{
	struct tandem_sdp *sdp = parse(sample_baresip);

	assert_int_equal(tandem_sdp_set_rtcp(sdp, 0, 5, AF_UNSPEC, NULL), 0);
	assert_edited(sdp, sample_baresip, "a=rtcp:16933", "a=rtcp:5");

	sdp = parse(sample_baresip);
	assert_int_equal(tandem_sdp_set_rtcp(sdp, 0, 5, AF_INET6, "2001:db8::3"), 0);
	assert_string_equal(tandem_sdp_media(sdp, 0)->rtcp.host, "2001:db8::3");
	assert_edited(sdp, sample_baresip, "a=rtcp:16933", "a=rtcp:5 IN IP6 2001:db8::3");

	sdp = parse(sample_baresip);
	assert_int_equal(tandem_sdp_set_rtcp(sdp, 0, 0, AF_UNSPEC, NULL), 0);
	assert_int_equal(tandem_sdp_media(sdp, 0)->rtcp_port, 16933); /* port + 1 */
	assert_edited(sdp, sample_baresip, "a=rtcp:16933\r\n", "");

	sdp = parse(sample_t38);
	assert_int_equal(tandem_sdp_set_rtcp(sdp, 0, 7, AF_INET, "192.0.2.1"), 0);
	assert_int_equal(tandem_sdp_set_rtcp(sdp, 0, 7, AF_INET, "::1"), -EINVAL);
	assert_int_equal(tandem_sdp_set_rtcp(sdp, 0, 7, AF_UNSPEC, "192.0.2.1"), -EINVAL);
	assert_int_equal(tandem_sdp_set_rtcp(sdp, 1, 7, AF_INET, "192.0.2.1"), -EINVAL);
	assert_edited(sdp, sample_t38, "a=T38FaxUdpEC:t38UDPRedundancy\r\n",
		      "a=T38FaxUdpEC:t38UDPRedundancy\r\na=rtcp:7 IN IP4 192.0.2.1\r\n");
}

static void test_origin(void **state)
{
	struct tandem_sdp *sdp = parse(sample_odd);

	assert_int_equal(tandem_sdp_set_origin_address(sdp, AF_INET6, "2001:db8::4"), 0);
	assert_int_equal(tandem_sdp_set_origin_address(sdp, AF_INET, "x"), -EINVAL);
	assert_edited(sdp, sample_odd, "12 34 IN IP4 192.0.2.62", "12 34 IN IP6 2001:db8::4");

	sdp = parse("v=0\r\ns=-\r\n");
	assert_int_equal(tandem_sdp_set_origin_address(sdp, AF_INET, "192.0.2.1"), -ENOENT);
	assert_int_equal(tandem_sdp_bump_version(sdp), -ENOENT);
	tandem_sdp_free(sdp);
}

static void test_names(void **state)
{
	struct tandem_sdp *sdp = parse(sample_baresip);
	char *want = replaced(sample_baresip, "o=- ", "o=carol ");

	assert_int_equal(tandem_sdp_set_origin_user(sdp, "carol"), 0);
	assert_string_equal(tandem_sdp_session(sdp)->username, "carol");
	assert_prints(sdp, want);
	free(want);
	assert_int_equal(tandem_sdp_set_origin_user(sdp, ""), -EINVAL);
	assert_int_equal(tandem_sdp_set_origin_user(sdp, "two words"), -EINVAL);
	assert_int_equal(tandem_sdp_set_origin_user(NULL, "x"), -EINVAL);
	assert_int_equal(tandem_sdp_set_session_name(sdp, "a talk of two"), 0);
	assert_string_equal(tandem_sdp_session(sdp)->name, "a talk of two");
	assert_int_equal(tandem_sdp_set_session_name(sdp, "x\r\na=y"), -EINVAL);
	tandem_sdp_free(sdp);

	sdp = parse("v=0\r\nt=0 0\r\n");
	assert_int_equal(tandem_sdp_set_origin_user(sdp, "-"), -ENOENT);
	assert_int_equal(tandem_sdp_set_session_name(sdp, "-"), -ENOENT);
	tandem_sdp_free(sdp);
}

static void test_own_origin(void **state)
{
	struct tandem_sdp *sdp = parse(sample_odd);

	(void)state;
	assert_int_equal(tandem_sdp_set_origin(sdp, "carol", "77", "8"), 0);
	assert_string_equal(tandem_sdp_session(sdp)->username, "carol");
	assert_string_equal(tandem_sdp_session(sdp)->sess_id, "77");
	assert_string_equal(tandem_sdp_session(sdp)->sess_version, "8");
	assert_int_equal(tandem_sdp_set_origin(sdp, "carol", "", "8"), -EINVAL);
	assert_int_equal(tandem_sdp_set_origin(sdp, "carol", "7 7", "8"), -EINVAL);
	tandem_sdp_free(sdp);

	sdp = parse("v=0\r\nt=0 0\r\n");
	assert_int_equal(tandem_sdp_set_origin(sdp, "-", "1", "1"), -ENOENT);
	tandem_sdp_free(sdp);
}

/* The others stay in their order, and the blanks between them as they were. */
static void test_prefer_format(void **state)
{
	static const struct {
		const char *before;
		int pt;
		const char *after;
		int err;
	} cases[] = {
		{ "m=audio 4000 RTP/AVP 0 8 9", 9, "m=audio 4000 RTP/AVP 9 0 8", 0 },
		{ "m=audio 4000 RTP/AVP 0 8 9", 8, "m=audio 4000 RTP/AVP 8 0 9", 0 },
		{ "m=audio 4000 RTP/AVP 0 8 9", 0, "m=audio 4000 RTP/AVP 0 8 9", 0 },
		{ "m=audio 4000 RTP/AVP 0", 0, "m=audio 4000 RTP/AVP 0", 0 },
		{ "m=audio 4000 RTP/AVP 0 8 9", 18, "m=audio 4000 RTP/AVP 0 8 9", -ENOENT },
		{ "m=audio 4000/2 RTP/AVP 0 101  8", 8, "m=audio 4000/2 RTP/AVP 8 0 101 ", 0 },
	};
	char text[128], want[128];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tandem_sdp *sdp;

		snprintf(text, sizeof(text), "v=0\r\n%s\r\n", cases[i].before);
		snprintf(want, sizeof(want), "v=0\r\n%s\r\n", cases[i].after);
		sdp = parse(text);
		assert_int_equal(tandem_sdp_prefer_format(sdp, 0, cases[i].pt), cases[i].err);
		assert_prints(sdp, want);
		assert_int_equal(tandem_sdp_prefer_format(sdp, 1, 0), -EINVAL);
		tandem_sdp_free(sdp);
	}
}

static void test_bump_version(void **state)
{
	static const struct {
		const char *before, *after;
	} cases[] = {
		{ "0", "1" },
		{ "9", "10" },
		{ "1099", "1100" },
		{ "007", "008" },
		{ "18446744073709551615", "18446744073709551616" },
		{ "99999999999999999999999", "100000000000000000000000" },
	};
	char *text, *want;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tandem_sdp *sdp;

		text = replaced(sample_odd, "34", cases[i].before);
		want = replaced(sample_odd, "34", cases[i].after);
		sdp = parse(text);
		assert_int_equal(tandem_sdp_bump_version(sdp), 0);
		assert_prints(sdp, want);
		assert_string_equal(tandem_sdp_session(sdp)->sess_version, cases[i].after);
		tandem_sdp_free(sdp);
		free(text);
		free(want);
	}
	text = replaced(sample_odd, "34", "3x");
	struct tandem_sdp *sdp = parse(text);

	assert_int_equal(tandem_sdp_bump_version(sdp), -ENOENT);
	assert_prints(sdp, text);
	tandem_sdp_free(sdp);
	free(text);
}

static void test_set_attr(void **state)
{
	struct tandem_sdp *sdp = parse(sample_browser);

	assert_int_equal(tandem_sdp_set_attr(sdp, 0, "setup", "passive"), 0);
	assert_string_equal(tandem_sdp_media(sdp, 0)->setup, "passive");
	assert_edited(sdp, sample_browser, "a=setup:actpass", "a=setup:passive");

	/* the first is replaced, the second goes */
	sdp = parse(sample_browser);
	assert_int_equal(tandem_sdp_set_attr(sdp, 1, "rtcp-fb", "96 ccm fir"), 0);
	assert_edited(sdp, sample_browser, "a=rtcp-fb:96 goog-remb\r\na=rtcp-fb:96 nack pli\r\n",
		      "a=rtcp-fb:96 ccm fir\r\n");

	/* at the end of its section, which is not the end of the text */
	sdp = parse(sample_browser);
	assert_int_equal(tandem_sdp_set_attr(sdp, SESSION, "ice-lite", NULL), 0);
	assert_true(tandem_sdp_session(sdp)->ice_lite);
	assert_edited(sdp, sample_browser, "WMS stream1\r\n", "WMS stream1\r\na=ice-lite\r\n");

	/* before empty lines at the end */
	sdp = parse(sample_odd);
	assert_int_equal(tandem_sdp_set_attr(sdp, 0, "mid", "x"), 0);
	assert_edited(sdp, sample_odd, "in it\r\n", "in it\r\na=mid:x\r\n");

	/* a name that begins like another is another */
	sdp = parse(sample_baresip);
	assert_int_equal(tandem_sdp_remove_attr(sdp, 0, "rtcp"), 0);
	assert_edited(sdp, sample_baresip, "a=rtcp:16933\r\n", "");
}

/* Aliasing: the new value is the document's own. */
static void test_own_value(void **state)
{
	struct tandem_sdp *sdp = parse(sample_browser);

	assert_int_equal(tandem_sdp_set_attr(sdp, 0, "mid", tandem_sdp_media(sdp, 1)->mid), 0);
	assert_int_equal(
		tandem_sdp_set_attr(sdp, 0, "setup", tandem_sdp_find_attr(sdp, 0, "ice-ufrag", 0)),
		0);
	assert_string_equal(tandem_sdp_media(sdp, 0)->mid, "1");
	assert_string_equal(tandem_sdp_media(sdp, 0)->setup, "EsAw");
	assert_int_equal(
		tandem_sdp_set_connection(sdp, 1, AF_INET, tandem_sdp_media(sdp, 0)->conn.host), 0);
	assert_string_equal(tandem_sdp_media(sdp, 1)->conn.host, "203.0.113.4");
	tandem_sdp_free(sdp);
}

static void test_attr_refused(void **state)
{
	struct tandem_sdp *sdp = parse(sample_lf);

	assert_int_equal(tandem_sdp_set_attr(sdp, 0, "x", "a\nb=c"), -EINVAL);
	assert_int_equal(tandem_sdp_add_attr(sdp, 0, "x", "a\r"), -EINVAL);
	assert_int_equal(tandem_sdp_set_attr(sdp, 0, "x\ny", NULL), -EINVAL);
	assert_int_equal(tandem_sdp_set_attr(sdp, 0, "x:y", NULL), -EINVAL);
	assert_int_equal(tandem_sdp_set_attr(sdp, 0, "", NULL), -EINVAL);
	assert_int_equal(tandem_sdp_set_attr(sdp, 0, NULL, NULL), -EINVAL);
	assert_int_equal(tandem_sdp_set_attr(sdp, 1, "x", NULL), -EINVAL);
	assert_int_equal(tandem_sdp_remove_attr(sdp, 1, "x"), -EINVAL);
	assert_int_equal(tandem_sdp_remove_attr(sdp, 0, "x y"), -EINVAL);
	assert_int_equal(tandem_sdp_remove_attr(NULL, 0, "x"), -EINVAL);
	/* what would not parse is not written */
	assert_int_equal(tandem_sdp_set_attr(sdp, 0, "rtcp", "no port"), -EINVAL);
	assert_null(tandem_sdp_find_attr(sdp, 0, "", 0));
	assert_int_equal(tandem_sdp_remove_attr(sdp, 0, "x"), 0);
	assert_prints(sdp, sample_lf);
	tandem_sdp_free(sdp);
}

/* Without an end of its own, the last line gets one, and the new last line has none. */
static void test_open_end(void **state)
{
	struct tandem_sdp *sdp = parse(sample_open_end);

	assert_int_equal(tandem_sdp_add_attr(sdp, 0, "x", "y"), 0);
	assert_edited(sdp, sample_open_end, "a=sendonly", "a=sendonly\r\na=x:y");

	sdp = parse(sample_open_end);
	assert_int_equal(tandem_sdp_set_direction(sdp, 0, TANDEM_SDP_INACTIVE), 0);
	assert_edited(sdp, sample_open_end, "a=sendonly", "a=inactive");

	sdp = parse("v=0");
	assert_int_equal(tandem_sdp_set_connection(sdp, SESSION, AF_INET, "192.0.2.1"), 0);
	assert_prints(sdp, "v=0\r\nc=IN IP4 192.0.2.1");
	tandem_sdp_free(sdp);
}

static void test_direction(void **state)
{
	struct tandem_sdp *sdp = parse(sample_cisco);

	assert_int_equal(tandem_sdp_set_direction(sdp, 0, TANDEM_SDP_SENDONLY), 0);
	assert_int_equal(tandem_sdp_media(sdp, 0)->dir, TANDEM_SDP_SENDONLY);
	assert_edited(sdp, sample_cisco, "a=sendrecv ", "a=sendonly");

	sdp = parse("v=0\r\na=sendonly\r\na=x\r\na=recvonly\r\nm=audio 4 RTP/AVP 0\r\n");
	assert_int_equal(tandem_sdp_set_direction(sdp, SESSION, TANDEM_SDP_INACTIVE), 0);
	assert_int_equal(tandem_sdp_media(sdp, 0)->dir, TANDEM_SDP_INACTIVE);
	assert_int_equal(tandem_sdp_set_direction(sdp, 0, TANDEM_SDP_SENDRECV), 0);
	assert_int_equal(tandem_sdp_set_direction(sdp, 0, (enum tandem_sdp_dir)4), -EINVAL);
	assert_int_equal(tandem_sdp_set_direction(sdp, 1, TANDEM_SDP_SENDRECV), -EINVAL);
	assert_prints(sdp, "v=0\r\na=inactive\r\na=x\r\nm=audio 4 RTP/AVP 0\r\na=sendrecv\r\n");
	tandem_sdp_free(sdp);

	assert_int_equal(tandem_sdp_dir_reverse(TANDEM_SDP_SENDONLY), TANDEM_SDP_RECVONLY);
	assert_int_equal(tandem_sdp_dir_reverse(TANDEM_SDP_RECVONLY), TANDEM_SDP_SENDONLY);
	assert_int_equal(tandem_sdp_dir_reverse(TANDEM_SDP_SENDRECV), TANDEM_SDP_SENDRECV);
	assert_int_equal(tandem_sdp_dir_reverse(TANDEM_SDP_INACTIVE), TANDEM_SDP_INACTIVE);
}

static void test_reject(void **state)
{
	struct tandem_sdp *sdp = parse(sample_browser);

	assert_int_equal(tandem_sdp_reject_media(sdp, 2), 0);
	assert_true(tandem_sdp_media(sdp, 2)->rejected);
	assert_int_equal(tandem_sdp_session(sdp)->groups[0].nmids, 2);
	assert_int_equal(tandem_sdp_media(sdp, 2)->bundle, -1);
	assert_null(tandem_sdp_find_attr(sdp, 2, "bundle-only", 0));
	assert_string_equal(tandem_sdp_find_attr(sdp, SESSION, "group", 0), "BUNDLE 0 1");
	assert_int_equal(tandem_sdp_reject_media(sdp, 0), 0);
	assert_string_equal(tandem_sdp_find_attr(sdp, SESSION, "group", 0), "BUNDLE 1");
	assert_int_equal(tandem_sdp_reject_media(sdp, 1), 0);
	assert_string_equal(tandem_sdp_find_attr(sdp, SESSION, "group", 0), "BUNDLE");
	assert_int_equal(tandem_sdp_reject_media(sdp, 3), -EINVAL);
	tandem_sdp_free(sdp);

	/* only BUNDLE groups, whole mids, and every such group */
	sdp = parse("v=0\r\na=group:SOURCE a b\r\na=group:BUNDLE ab a b\r\na=group:\r\n"
		    "a=group:BUNDLE a\r\nm=audio 4/2 RTP/AVP 0\r\na=mid:a\r\n");
	assert_int_equal(tandem_sdp_reject_media(sdp, 0), 0);
	assert_prints(sdp, "v=0\r\na=group:SOURCE a b\r\na=group:BUNDLE ab b\r\na=group:\r\n"
			   "a=group:BUNDLE\r\nm=audio 0 RTP/AVP 0\r\na=mid:a\r\n");
	tandem_sdp_free(sdp);

	sdp = parse(sample_multicast);
	assert_int_equal(tandem_sdp_reject_media(sdp, 0), 0);
	assert_edited(sdp, sample_multicast, "49170/2", "0");
}

static void test_remove_format(void **state)
{
	struct tandem_sdp *sdp = parse(sample_browser);

	assert_int_equal(tandem_sdp_remove_format(sdp, 0, 9), 0);
	assert_null(tandem_sdp_find_format(tandem_sdp_media(sdp, 0), 9));
	assert_int_equal(tandem_sdp_remove_format(sdp, 0, 9), -ENOENT);
	assert_int_equal(tandem_sdp_remove_format(sdp, 0, 111), 0);
	assert_string_equal(tandem_sdp_find_attr(sdp, 0, "rtpmap", 0), "63 red/48000/2");
	assert_string_equal(tandem_sdp_find_attr(sdp, 0, "fmtp", 0), "63 111/111");
	assert_null(tandem_sdp_find_attr(sdp, 0, "rtcp-fb", 0));
	assert_int_equal(tandem_sdp_remove_format(sdp, 0, -1), -ENOENT);
	assert_int_equal(tandem_sdp_remove_format(sdp, 3, 0), -EINVAL);
	tandem_sdp_free(sdp);

	sdp = parse(sample_odd);
	assert_int_equal(tandem_sdp_remove_format(sdp, 0, 8), 0);
	assert_prints(sdp, "v=0\r\no=John Q Public 12 34 IN IP4 192.0.2.62\r\ny=unknown type\r\n"
			   "a=inactive\r\ns= \r\nc=IN  IP4\t192.0.2.62 \r\nt=0 0\r\n"
			   "m=audio  6200  RTP/AVP  0 \r\na=rtpmap: 0  PCMU/8000\r\n"
			   "a=ptime:20 \r\na=nonsense line with = and : in it\r\n\r\n");
	assert_int_equal(tandem_sdp_remove_format(sdp, 0, 0), -EBUSY);
	assert_int_equal(tandem_sdp_media(sdp, 0)->nformats, 1);
	tandem_sdp_free(sdp);

	/* a number that the m= line has twice goes twice */
	sdp = parse("v=0\nm=audio 4 RTP/AVP 8 0 8 08\n");
	assert_int_equal(tandem_sdp_remove_format(sdp, 0, 8), 0);
	assert_prints(sdp, "v=0\nm=audio 4 RTP/AVP 0\n");
	tandem_sdp_free(sdp);
}

/* A whole relay's rewrite of an offer leaves a description by the book. */
static void test_relay_rewrite(void **state)
{
	struct tandem_sdp *sdp = parse(sample_rfc8866);
	size_t i;

	assert_int_equal(tandem_sdp_set_origin_address(sdp, AF_INET, "203.0.113.1"), 0);
	assert_int_equal(tandem_sdp_bump_version(sdp), 0);
	assert_int_equal(tandem_sdp_set_connection(sdp, SESSION, AF_INET, "203.0.113.1"), 0);
	for (i = 0; i < tandem_sdp_media_count(sdp); i++) {
		uint16_t port = (uint16_t)(40000 + 2 * i);

		assert_int_equal(tandem_sdp_set_port(sdp, i, port), 0);
		assert_int_equal(tandem_sdp_set_connection(sdp, (int)i, AF_INET, "203.0.113.1"), 0);
		assert_int_equal(tandem_sdp_set_rtcp(sdp, i, (uint16_t)(port + 1), 0, NULL), 0);
	}
	assert_int_equal(tandem_sdp_validate(sdp, NULL), 0);
	assert_string_equal(tandem_sdp_session(sdp)->sess_version, "3724394406");
	for (i = 0; i < tandem_sdp_media_count(sdp); i++) {
		const struct tandem_sdp_media *m = tandem_sdp_media(sdp, i);

		assert_string_equal(m->conn.host, "203.0.113.1");
		assert_int_equal(m->conn.family, AF_INET);
		assert_int_equal(m->rtcp_port, 40001 + 2 * i);
	}
	tandem_sdp_free(sdp);
}

/* An edit past a limit is refused and changes nothing. */
static void test_size_limit(void **state)
{
	struct tandem_sdp *sdp = parse(sample_lf);
	char *big = malloc(TANDEM_SDP_MAX_SIZE + 1);

	assert_non_null(big);
	memset(big, 'x', TANDEM_SDP_MAX_SIZE);
	big[TANDEM_SDP_MAX_SIZE] = '\0';
	assert_int_equal(tandem_sdp_add_attr(sdp, 0, "x", big), -EMSGSIZE);
	assert_prints(sdp, sample_lf);
	tandem_sdp_free(sdp);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connection),
		cmocka_unit_test(test_connection_view),
		cmocka_unit_test(test_connection_refused),
		cmocka_unit_test(test_port),
		cmocka_unit_test(test_rtcp),
		cmocka_unit_test(test_origin),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_own_origin),
		cmocka_unit_test(test_prefer_format),
		cmocka_unit_test(test_bump_version),
		cmocka_unit_test(test_set_attr),
		cmocka_unit_test(test_own_value),
		cmocka_unit_test(test_attr_refused),
		cmocka_unit_test(test_open_end),
		cmocka_unit_test(test_direction),
		cmocka_unit_test(test_reject),
		cmocka_unit_test(test_remove_format),
		cmocka_unit_test(test_relay_rewrite),
		cmocka_unit_test(test_size_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
