/* SPDX-License-Identifier: GPL-2.0-only */
/* Parsing descriptions: nothing is lost, the typed view is right, bad input is refused */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/sdp_samples.h"
#include "userspace/sdp/sdp.h"

static const struct {
	const char *name;
	const char *text;
	size_t nmedia;
	bool strict; /* follows the grammar of RFC 8866 */
} samples[] = {
	{ "rfc8866", sample_rfc8866, 3, true },
	{ "browser", sample_browser, 3, true },
	{ "baresip", sample_baresip, 2, true },
	{ "cisco", sample_cisco, 1, false },
	{ "t38", sample_t38, 1, true },
	{ "ipv6", sample_ipv6, 1, true },
	{ "multicast", sample_multicast, 3, true },
	{ "fqdn", sample_fqdn, 2, true },
	{ "hold2543", sample_hold2543, 1, true },
	{ "sdes", sample_sdes, 1, true },
	{ "lf", sample_lf, 1, true },
	{ "open_end", sample_open_end, 1, true },
	{ "odd", sample_odd, 1, false },
};

#define NSAMPLES (sizeof(samples) / sizeof(samples[0]))

static struct tandem_sdp *parse(const char *text)
{
	struct tandem_sdp_error err;
	struct tandem_sdp *sdp = NULL;

	if (tandem_sdp_parse(&sdp, text, strlen(text), &err))
		fail_msg("line %u: %s in:\n%s", err.line, err.reason, text);
	return sdp;
}

static void assert_prints(const struct tandem_sdp *sdp, const char *want)
{
	char *text;
	size_t len;

	assert_int_equal(tandem_sdp_print(sdp, &text, &len), 0);
	assert_int_equal(len, strlen(text));
	assert_string_equal(text, want);
	free(text);
}

static void test_lossless(void **state)
{
	size_t i;

	for (i = 0; i < NSAMPLES; i++) {
		struct tandem_sdp *sdp = parse(samples[i].text), *copy;

		print_message("%s\n", samples[i].name);
		assert_int_equal(tandem_sdp_media_count(sdp), samples[i].nmedia);
		assert_prints(sdp, samples[i].text);
		assert_int_equal(tandem_sdp_dup(&copy, sdp), 0);
		tandem_sdp_free(sdp);
		assert_prints(copy, samples[i].text);
		tandem_sdp_free(copy);
	}
}

static void test_validate_samples(void **state)
{
	struct tandem_sdp_error err;
	size_t i;

	for (i = 0; i < NSAMPLES; i++) {
		struct tandem_sdp *sdp = parse(samples[i].text);
		int rc = tandem_sdp_validate(sdp, &err);

		if (!!rc == samples[i].strict)
			fail_msg("%s: line %u: %s", samples[i].name, err.line, err.reason);
		tandem_sdp_free(sdp);
	}
}

static void test_rfc8866_facts(void **state)
{
	struct tandem_sdp *sdp = parse(sample_rfc8866);
	const struct tandem_sdp_session *s = tandem_sdp_session(sdp);
	const struct tandem_sdp_media *m;

	assert_true(s->has_origin);
	assert_string_equal(s->username, "jdoe");
	assert_string_equal(s->sess_id, "3724394400");
	assert_string_equal(s->sess_version, "3724394405");
	assert_string_equal(s->origin.host, "198.51.100.1");
	assert_string_equal(s->name, "Call to John Smith");
	assert_int_equal(s->dir, TANDEM_SDP_RECVONLY);

	m = tandem_sdp_media(sdp, 0);
	assert_int_equal(m->kind, TANDEM_SDP_AUDIO);
	assert_int_equal(m->port, 49170);
	assert_int_equal(m->nconns, 1);
	assert_string_equal(m->conn.host, "198.51.100.7");
	assert_int_equal(m->dir, TANDEM_SDP_RECVONLY);
	m = tandem_sdp_media(sdp, 1);
	assert_int_equal(m->nconns, 0);
	assert_string_equal(m->conn.host, "198.51.100.1");
	assert_int_equal(m->rtcp_port, 49181);
	assert_string_equal(m->rtcp.host, "198.51.100.1");
	m = tandem_sdp_media(sdp, 2);
	assert_int_equal(m->conn.family, AF_INET6);
	assert_string_equal(m->formats[0].name, "h263-1998");
	assert_int_equal(m->formats[0].clock, 90000);
	assert_null(tandem_sdp_media(sdp, 3));
	tandem_sdp_free(sdp);
}

/* Fields without a typed view are reached line by line. */
static void test_lines(void **state)
{
	static const struct {
		size_t i;
		char type;
		const char *value;
		int section;
	} want[] = {
		{ 0, 'v', "0", TANDEM_SDP_SESSION },
		{ 6, 'e', "jd@example.com (Jane)", TANDEM_SDP_SESSION },
		{ 12, 'b', "X-YZ:128", TANDEM_SDP_SESSION },
		{ 16, 'z', "3730922400 -1h 3749066400 0", TANDEM_SDP_SESSION },
		{ 22, 'i', "The first stream", 0 },
		{ 25, 'k', "prompt", 0 },
		{ 30, 'a', "rtpmap:99 h263-1998/90000", 2 },
	};
	struct tandem_sdp *sdp = parse(sample_rfc8866);
	struct tandem_sdp_line line;
	size_t k;

	assert_int_equal(tandem_sdp_line_count(sdp), 31);
	for (k = 0; k < sizeof(want) / sizeof(want[0]); k++) {
		assert_int_equal(tandem_sdp_line(sdp, want[k].i, &line), 0);
		assert_int_equal(line.type, want[k].type);
		assert_string_equal(line.value, want[k].value);
		assert_int_equal(line.section, want[k].section);
		assert_int_equal(line.number, want[k].i + 1);
	}
	assert_int_equal(tandem_sdp_line(sdp, 31, &line), -EINVAL);
	tandem_sdp_free(sdp);
}

static void assert_format(const struct tandem_sdp_media *m, int pt, const char *name,
			  uint32_t clock, uint32_t channels, const char *fmtp)
{
	const struct tandem_sdp_format *f = tandem_sdp_find_format(m, pt);

	assert_non_null(f);
	assert_string_equal(f->name, name);
	assert_int_equal(f->clock, clock);
	assert_int_equal(f->channels, channels);
	if (fmtp)
		assert_string_equal(f->fmtp, fmtp);
	else
		assert_null(f->fmtp);
}

static void test_browser_audio(void **state)
{
	struct tandem_sdp *sdp = parse(sample_browser);
	const struct tandem_sdp_session *s = tandem_sdp_session(sdp);
	const struct tandem_sdp_media *m = tandem_sdp_media(sdp, 0);

	assert_int_equal(s->ngroups, 1);
	assert_string_equal(s->groups[0].semantics, "BUNDLE");
	assert_int_equal(s->groups[0].nmids, 3);
	assert_string_equal(s->groups[0].mids[2], "2");
	assert_true(m->rtp && m->secure && m->feedback);
	assert_true(m->rtcp_mux && !m->rtcp_rsize && !m->rtcp_mux_only);
	assert_true(m->has_ice && m->has_candidates && m->has_fingerprint);
	assert_false(m->has_crypto);
	assert_string_equal(m->setup, "actpass");
	assert_string_equal(m->mid, "0");
	assert_int_equal(m->bundle, 0);
	assert_int_equal(m->nformats, 8);
	assert_format(m, 111, "opus", 48000, 2, "minptime=10;useinbandfec=1");
	assert_format(m, 63, "red", 48000, 2, "111/111");
	assert_format(m, 9, "G722", 8000, 1, NULL);
	assert_format(m, 126, "telephone-event", 8000, 1, NULL);
	assert_null(tandem_sdp_find_format(m, 96));
	assert_true(m->rtcp_explicit && m->rtcp.unspecified);
	assert_int_equal(m->rtcp_port, 9);
	assert_int_equal(m->nssrcs, 1);
	assert_int_equal(m->ssrcs[0], 3570614608u);
	tandem_sdp_free(sdp);
}

static void test_browser_others(void **state)
{
	struct tandem_sdp *sdp = parse(sample_browser);
	const struct tandem_sdp_media *m = tandem_sdp_media(sdp, 1);

	assert_int_equal(m->kind, TANDEM_SDP_VIDEO);
	assert_int_equal(m->dir, TANDEM_SDP_SENDONLY);
	/* trickle ICE writes 0.0.0.0: that is no hold */
	assert_true(m->conn.unspecified && !m->hold2543);
	assert_int_equal(m->nssrcs, 2);
	assert_int_equal(m->ssrcs[1], 632943048);
	assert_string_equal(tandem_sdp_find_attr(sdp, 1, "rtcp-fb", 1), "96 nack pli");
	assert_null(tandem_sdp_find_attr(sdp, 1, "rtcp-fb", 2));
	assert_null(tandem_sdp_find_attr(sdp, 1, "candidate", 0));
	assert_string_equal(tandem_sdp_find_attr(sdp, 1, "rtcp-mux", 0), "");

	m = tandem_sdp_media(sdp, 2);
	assert_int_equal(m->kind, TANDEM_SDP_APPLICATION);
	assert_int_equal(m->port, 0);
	assert_true(m->bundle_only && !m->rejected && !m->rtp);
	assert_string_equal(m->formats[0].fmt, "webrtc-datachannel");
	assert_int_equal(m->formats[0].pt, -1);
	assert_null(m->formats[0].name);
	tandem_sdp_free(sdp);
}

static void test_phones(void **state)
{
	struct tandem_sdp *sdp = parse(sample_baresip);
	const struct tandem_sdp_media *m = tandem_sdp_media(sdp, 0);

	assert_int_equal(m->rtcp_port, 16933);
	assert_true(m->rtcp_explicit && m->rtcp_rsize);
	assert_string_equal(m->rtcp.host, "10.0.0.20");
	assert_int_equal(m->ptime, 20);
	assert_format(m, 101, "telephone-event", 8000, 1, "0-15");
	m = tandem_sdp_media(sdp, 1);
	assert_true(m->rejected);
	assert_int_equal(m->rtcp_port, 0);
	tandem_sdp_free(sdp);

	sdp = parse(sample_cisco);
	m = tandem_sdp_media(sdp, 0);
	assert_false(tandem_sdp_session(sdp)->conn.present);
	assert_string_equal(m->conn.host, "192.168.10.11");
	assert_int_equal(m->dir, TANDEM_SDP_SENDRECV);
	assert_format(m, 18, "G729", 8000, 1, "annexb=no");
	assert_string_equal(tandem_sdp_find_attr(sdp, 0, "sendrecv", 0), "");
	tandem_sdp_free(sdp);
}

static void test_fax_and_sdes(void **state)
{
	struct tandem_sdp *sdp = parse(sample_t38);
	const struct tandem_sdp_media *m = tandem_sdp_media(sdp, 0);

	assert_int_equal(m->kind, TANDEM_SDP_IMAGE);
	assert_string_equal(m->proto, "udptl");
	assert_false(m->rtp);
	assert_int_equal(m->rtcp_port, 0);
	assert_string_equal(m->formats[0].fmt, "t38");
	tandem_sdp_free(sdp);

	sdp = parse(sample_sdes);
	m = tandem_sdp_media(sdp, 0);
	assert_true(m->secure && m->has_crypto && !m->feedback && !m->has_ice);
	assert_string_equal(m->setup, "active");
	/* its clock is 8000 whatever the rtpmap says (RFC 3551 4.5.2) */
	assert_format(m, 9, "G722", 8000, 1, NULL);
	assert_format(m, 8, "PCMA", 8000, 1, NULL);
	assert_false(tandem_sdp_find_format(m, 8)->rtpmap);
	tandem_sdp_free(sdp);
}

static void test_addresses(void **state)
{
	static const uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 };
	struct tandem_sdp *sdp = parse(sample_ipv6);
	const struct tandem_sdp_media *m = tandem_sdp_media(sdp, 0);

	assert_int_equal(m->rtcp_port, 53020);
	assert_true(m->rtcp.has_addr);
	assert_memory_equal(m->rtcp.bytes, v6, 16);
	assert_string_equal(m->conn.host, "2001:db8::1");
	assert_int_equal(m->maxptime, 60);
	tandem_sdp_free(sdp);

	sdp = parse(sample_fqdn);
	m = tandem_sdp_media(sdp, 0);
	assert_true(m->conn.present && !m->conn.has_addr);
	assert_int_equal(m->conn.family, AF_INET);
	assert_string_equal(m->conn.host, "media.example.com");
	assert_string_equal(tandem_sdp_session(sdp)->origin.host, "host.example.com");
	m = tandem_sdp_media(sdp, 1);
	assert_true(m->conn.present && !m->conn.has_addr);
	assert_int_equal(m->conn.family, AF_UNSPEC);
	assert_string_equal(m->conn.host, "+1-201-406-4090");
	tandem_sdp_free(sdp);

	sdp = parse(sample_hold2543);
	assert_true(tandem_sdp_media(sdp, 0)->hold2543);
	tandem_sdp_free(sdp);
}

static void test_multicast(void **state)
{
	struct tandem_sdp *sdp = parse(sample_multicast);
	const struct tandem_sdp_media *m = tandem_sdp_media(sdp, 0);

	assert_int_equal(tandem_sdp_session(sdp)->conn.ttl, 127);
	assert_int_equal(tandem_sdp_session(sdp)->conn.count, 1);
	assert_int_equal(m->nports, 2);
	assert_int_equal(m->nconns, 2);
	assert_true(m->conn.multicast);
	assert_string_equal(m->conn.host, "233.252.0.1");
	assert_int_equal(m->conn.ttl, 127);
	assert_int_equal(m->conn.count, 3);
	assert_int_equal(m->dir, TANDEM_SDP_INACTIVE);
	m = tandem_sdp_media(sdp, 1);
	assert_true(m->conn.multicast);
	assert_int_equal(m->conn.count, 3);
	assert_int_equal(m->conn.ttl, 0);
	assert_int_equal(m->dir, TANDEM_SDP_SENDONLY);
	assert_format(m, 10, "L16", 44100, 2, NULL);
	tandem_sdp_free(sdp);
}

static void test_odd(void **state)
{
	struct tandem_sdp *sdp = parse(sample_odd);
	const struct tandem_sdp_media *m = tandem_sdp_media(sdp, 0);

	assert_string_equal(tandem_sdp_session(sdp)->username, "John Q Public");
	assert_string_equal(tandem_sdp_session(sdp)->sess_id, "12");
	assert_string_equal(m->conn.host, "192.0.2.62");
	assert_int_equal(m->port, 6200);
	assert_int_equal(m->nformats, 2);
	assert_int_equal(m->ptime, 20);
	assert_int_equal(m->dir, TANDEM_SDP_INACTIVE);
	assert_format(m, 0, "PCMU", 8000, 1, NULL);
	assert_true(tandem_sdp_find_format(m, 0)->rtpmap);
	assert_format(m, 8, "PCMA", 8000, 1, "");
	tandem_sdp_free(sdp);

	sdp = parse(sample_lf);
	assert_int_equal(tandem_sdp_media(sdp, 0)->dir, TANDEM_SDP_RECVONLY);
	tandem_sdp_free(sdp);
	sdp = parse(sample_open_end);
	assert_int_equal(tandem_sdp_media(sdp, 0)->dir, TANDEM_SDP_SENDONLY);
	tandem_sdp_free(sdp);
}

/* RFC 3551 section 6, tables 4 and 5 */
static void test_static_formats(void **state)
{
	static const struct {
		int pt;
		const char *name;
		uint32_t clock;
		uint32_t channels;
	} want[] = {
		{ 0, "PCMU", 8000, 1 },	  { 3, "GSM", 8000, 1 },    { 4, "G723", 8000, 1 },
		{ 5, "DVI4", 8000, 1 },	  { 6, "DVI4", 16000, 1 },  { 7, "LPC", 8000, 1 },
		{ 8, "PCMA", 8000, 1 },	  { 9, "G722", 8000, 1 },   { 10, "L16", 44100, 2 },
		{ 11, "L16", 44100, 1 },  { 12, "QCELP", 8000, 1 }, { 13, "CN", 8000, 1 },
		{ 14, "MPA", 90000, 1 },  { 15, "G728", 8000, 1 },  { 16, "DVI4", 11025, 1 },
		{ 17, "DVI4", 22050, 1 }, { 18, "G729", 8000, 1 },  { 25, "CelB", 90000, 1 },
		{ 26, "JPEG", 90000, 1 }, { 28, "nv", 90000, 1 },   { 31, "H261", 90000, 1 },
		{ 32, "MPV", 90000, 1 },  { 33, "MP2T", 90000, 1 }, { 34, "H263", 90000, 1 },
	};
	struct tandem_sdp_format f;
	size_t i, found = 0;
	int pt;

	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_int_equal(tandem_sdp_static_format(want[i].pt, &f), 0);
		assert_int_equal(f.pt, want[i].pt);
		assert_string_equal(f.name, want[i].name);
		assert_int_equal(f.clock, want[i].clock);
		assert_int_equal(f.channels, want[i].channels);
	}
	for (pt = -1; pt <= 128; pt++)
		found += !tandem_sdp_static_format(pt, &f);
	assert_int_equal(found, i);
}

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"

/* Attributes that are malformed have no view, and cost nothing else. */
static void test_malformed_attributes(void **state)
{
	struct tandem_sdp *sdp = parse(HEAD "m=audio 4000 RTP/AVP 0 96 97 128 1000\r\n"
					    "a=rtpmap:0 PCMU\r\na=rtpmap:96 /8000\r\n"
					    "a=rtpmap:97 X/99999999999\r\na=rtpmap:128 Y/8000\r\n"
					    "a=rtpmap\r\na=rtpmap:\r\na=fmtp:\r\na=ssrc:\r\n"
					    "a=ssrc:4294967296 cname:x\r\na=ssrc:-1 cname:x\r\n"
					    "a=ptime:\r\na=ptime:4294967296\r\na=maxptime:2x\r\n"
					    "a=mid:\r\na=setup:\r\na=\r\na=:\r\na=SENDONLY\r\n");
	const struct tandem_sdp_media *m = tandem_sdp_media(sdp, 0);

	assert_format(m, 0, "PCMU", 8000, 1, NULL);
	assert_null(tandem_sdp_find_format(m, 96)->name);
	assert_null(tandem_sdp_find_format(m, 97)->name);
	assert_int_equal(m->formats[3].pt, -1);
	assert_int_equal(m->formats[4].pt, -1);
	assert_int_equal(m->nssrcs, 0);
	assert_int_equal(m->ptime, 0);
	assert_int_equal(m->maxptime, 0);
	assert_null(m->mid);
	assert_null(m->setup);
	assert_int_equal(m->dir, TANDEM_SDP_SENDRECV);
	tandem_sdp_free(sdp);

	sdp = parse(HEAD "m=audio 4000 RTP/AVP 0\r\na=ptime:12.5\r\na=maxptime:7.\r\n");
	assert_int_equal(tandem_sdp_media(sdp, 0)->ptime, 12);
	assert_int_equal(tandem_sdp_media(sdp, 0)->maxptime, 0);
	tandem_sdp_free(sdp);
}

/* What the session level states holds for media that do not. */
static void test_inherited(void **state)
{
	static const char text[] = HEAD "c=IN IP4 192.0.2.9\r\na=group:LS x y\r\n"
					"a=group:BUNDLE a b\r\na=group:BUNDLE c d\r\n"
					"a=ice-ufrag:abcd\r\na=fingerprint:sha-1 00\r\n"
					"a=setup:actpass\r\nm=audio 65535 RTP/AVP 0\r\na=mid:d\r\n"
					"a=rtcp:7 IN IP4 192.0.2.7\r\na=rtcp:8\r\n"
					"m=audio 65535 RTP/AVP 0\r\na=mid:x\r\na=setup:passive\r\n"
					"m=audio 65532/2 RTP/AVP 0\r\na=mid:b\r\n";
	struct tandem_sdp *sdp = parse(text);
	const struct tandem_sdp_media *m = tandem_sdp_media(sdp, 0);

	assert_true(m->has_ice && m->has_fingerprint);
	assert_string_equal(m->setup, "actpass");
	assert_string_equal(m->conn.host, "192.0.2.1");
	assert_int_equal(m->bundle, 2);
	/* of two a=rtcp the last counts, as a whole */
	assert_int_equal(m->rtcp_port, 8);
	assert_string_equal(m->rtcp.host, "192.0.2.1");
	m = tandem_sdp_media(sdp, 1);
	assert_string_equal(m->setup, "passive");
	assert_int_equal(m->bundle, -1);
	assert_int_equal(m->rtcp_port, 0); /* there is no port 65536 */
	m = tandem_sdp_media(sdp, 2);
	assert_int_equal(m->nports, 2);
	assert_int_equal(m->bundle, 1);
	assert_string_equal(m->setup, "actpass");
	tandem_sdp_free(sdp);
}

static void test_same_codec(void **state)
{
	static const struct {
		struct tandem_sdp_format a, b;
		bool same;
	} cases[] = {
		{ { .pt = 0, .name = "PCMU", .clock = 8000, .channels = 1 },
		  { .pt = 96, .name = "pcmu", .clock = 8000, .channels = 1 },
		  true },
		{ { .pt = 0, .name = "PCMU", .clock = 8000, .channels = 1 },
		  { .pt = 0, .name = "PCMA", .clock = 8000, .channels = 1 },
		  false },
		{ { .pt = 0, .name = "PCMU", .clock = 8000, .channels = 1 },
		  { .pt = 0, .name = "PCMU", .clock = 16000, .channels = 1 },
		  false },
		{ { .pt = 0, .name = "PCMU", .clock = 8000, .channels = 1 },
		  { .pt = 0, .name = "PCMU", .clock = 8000, .channels = 2 },
		  false },
		{ { .pt = 0, .fmt = "0", .name = "PCMU" }, { .pt = 0, .fmt = "0" }, false },
		{ { .pt = 96, .fmt = "96" }, { .pt = 96, .fmt = "96" }, true },
		{ { .pt = 96, .fmt = "96" }, { .pt = 97, .fmt = "97" }, false },
		{ { .pt = 0, .fmt = "0" }, { .pt = -1, .fmt = "0" }, false },
		{ { .pt = -1, .fmt = "t38" }, { .pt = -1, .fmt = "T38" }, true },
		{ { .pt = -1, .fmt = "t38" }, { .pt = -1, .fmt = "t37" }, false },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("case %zu\n", i);
		assert_int_equal(tandem_sdp_same_codec(&cases[i].a, &cases[i].b), cases[i].same);
		assert_int_equal(tandem_sdp_same_codec(&cases[i].b, &cases[i].a), cases[i].same);
	}
}

static void test_no_arguments(void **state)
{
	struct tandem_sdp *sdp = parse(sample_lf);
	struct tandem_sdp_line line;

	assert_int_equal(tandem_sdp_media_count(NULL), 0);
	assert_null(tandem_sdp_media(NULL, 0));
	assert_null(tandem_sdp_find_attr(NULL, 0, "x", 0));
	assert_null(tandem_sdp_find_attr(sdp, 0, NULL, 0));
	assert_null(tandem_sdp_find_attr(sdp, 1, "recvonly", 0));
	assert_null(tandem_sdp_find_format(NULL, 0));
	assert_null(tandem_sdp_find_format(tandem_sdp_media(sdp, 0), -1));
	assert_int_equal(tandem_sdp_line_count(NULL), 0);
	assert_int_equal(tandem_sdp_line(NULL, 0, &line), -EINVAL);
	assert_int_equal(tandem_sdp_line(sdp, 0, NULL), -EINVAL);
	tandem_sdp_free(sdp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lossless),
		cmocka_unit_test(test_validate_samples),
		cmocka_unit_test(test_rfc8866_facts),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_browser_audio),
		cmocka_unit_test(test_browser_others),
		cmocka_unit_test(test_phones),
		cmocka_unit_test(test_fax_and_sdes),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_multicast),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_static_formats),
		cmocka_unit_test(test_malformed_attributes),
		cmocka_unit_test(test_inherited),
		cmocka_unit_test(test_same_codec),
		cmocka_unit_test(test_no_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
