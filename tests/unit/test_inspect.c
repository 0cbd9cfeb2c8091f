/* SPDX-License-Identifier: GPL-2.0-only */
/* What an inspection finds in captures made for it; every number can be worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/capture_file.h"
#include "userspace/capture/inspect.h"

#define T0   1700000000000000000ULL
#define MS   1000000ULL
#define SSRC 0x11223344

static struct tandem_inspection in;

static void read_with(int (*h)(struct tandem_inspection *, struct tandem_capture *),
		      const struct capture_file *file)
{
	struct tandem_capture *c;
	char why[512];

	assert_int_equal(tandem_capture_open_stream(&c, fmemopen(file->data, file->len, "r"), "x",
						    why, sizeof(why)),
			 0);
	assert_int_equal(h(&in, c), 0);
	tandem_capture_close(c);
}

/* The inspection of a file, as a document. */
static json_t *inspect(struct capture_file *file)
{
	json_t *doc;

	capture_finish(file);
	assert_int_equal(tandem_inspection_init(&in), 0);
	read_with(tandem_inspect_sip, file);
	read_with(tandem_inspect_rtp, file);
	doc = tandem_inspection_json(&in);
	assert_non_null(doc);
	return doc;
}

static void end(struct capture_file *file, json_t *doc)
{
	json_decref(doc);
	tandem_inspection_clean(&in);
	capture_end(file);
}

static double number(const json_t *doc, const char *what, size_t i, const char *key)
{
	const json_t *js = json_object_get(json_array_get(json_object_get(doc, what), i), key);

	if (!json_is_number(js))
		fail_msg("no number %s", key);
	return json_number_value(js);
}

static const char *string(const json_t *doc, const char *what, size_t i, const char *key)
{
	return json_string_value(
		json_object_get(json_array_get(json_object_get(doc, what), i), key));
}

/* Ten packets of 20 ms, the sixth 8 ms late: |D| is 8 for it and for the next. */
static void jitter_by_hand(void **state)
{
	struct capture_file file;
	double jitter = 0, sum = 0, high = 0;
	json_t *doc;

	(void)state;
	capture_begin(&file, DLT_EN10MB);
	for (unsigned int i = 0; i < 10; i++)
		capture_rtp(&file, T0 + i * 20 * MS + (i == 5 ? 8 * MS : 0), 0, SSRC, 65530 + i,
			    0xffffff00 + i * 160);
	doc = inspect(&file);
	for (int i = 1; i < 10; i++) {
		jitter += ((i == 5 || i == 6 ? 8 : 0) - jitter) / 16;
		sum += jitter;
		high = jitter > high ? jitter : high;
	}
	assert_int_equal(json_array_size(json_object_get(doc, "streams")), 1);
	assert_string_equal(string(doc, "streams", 0, "codec"), "PCMU");
	assert_string_equal(string(doc, "streams", 0, "from"), "192.0.2.1:4000");
	assert_string_equal(string(doc, "streams", 0, "to"), "192.0.2.2:6000");
	assert_float_equal(number(doc, "streams", 0, "packets"), 10, 0);
	assert_float_equal(number(doc, "streams", 0, "lost"), 0, 0);
	assert_float_equal(number(doc, "streams", 0, "end_s"), 0.18, 1e-9);
	assert_float_equal(number(doc, "streams", 0, "delta_mean_ms"), 20, 1e-9);
	assert_float_equal(number(doc, "streams", 0, "delta_max_ms"), 28, 1e-9);
	assert_float_equal(number(doc, "streams", 0, "jitter_mean_ms"), sum / 9, 0.0006);
	assert_float_equal(number(doc, "streams", 0, "jitter_max_ms"), high, 0.0006);
	assert_float_equal(number(doc, "streams", 0, "skew_max_ms"), -8, 1e-9);
	assert_float_equal(number(doc, "streams", 0, "mos"), 4.4, 0.02);
	end(&file, doc);
}

/* 100 packets without 10..14 and 50; 70 twice; 80 and 81 changed places. */
static void loss_and_disorder(void **state)
{
	struct capture_file file;
	json_t *doc;

	(void)state;
	capture_begin(&file, DLT_EN10MB);
	for (unsigned int i = 0; i < 100; i++) {
		unsigned int seq = i == 80 ? 81 : i == 81 ? 80 : i;

		if ((i >= 10 && i < 15) || i == 50)
			continue;
		capture_rtp(&file, T0 + i * 20 * MS, 8, SSRC, seq, seq * 160);
		if (i == 70)
			capture_rtp(&file, T0 + i * 20 * MS + 1, 8, SSRC, seq, seq * 160);
	}
	doc = inspect(&file);
	assert_float_equal(number(doc, "streams", 0, "packets"), 95, 0);
	assert_float_equal(number(doc, "streams", 0, "lost"), 6, 0);
	assert_float_equal(number(doc, "streams", 0, "lost_percent"), 6, 0);
	assert_float_equal(number(doc, "streams", 0, "gaps"), 3, 0);
	assert_float_equal(number(doc, "streams", 0, "duplicates"), 1, 0);
	assert_float_equal(number(doc, "streams", 0, "reordered"), 1, 0);
	end(&file, doc);
}

/* Timestamps that begin anew are a jump, and no jitter. */
static void timestamps_jump(void **state)
{
	struct capture_file file;
	json_t *doc;

	(void)state;
	capture_begin(&file, DLT_EN10MB);
	for (unsigned int i = 0; i < 20; i++)
		capture_rtp(&file, T0 + i * 20 * MS, 8, SSRC, i, (i < 10 ? 5000000 : 0) + i * 160);
	doc = inspect(&file);
	assert_float_equal(number(doc, "streams", 0, "timestamp_jumps"), 1, 0);
	assert_float_equal(number(doc, "streams", 0, "jitter_max_ms"), 0, 0);
	assert_float_equal(number(doc, "streams", 0, "skew_max_ms"), 0, 0);
	end(&file, doc);
}

/* RFC 3550 A.1: what only looks like RTP is no stream until two packets follow each other. */
static void what_is_rtp(void **state)
{
	struct capture_file file;
	json_t *doc;

	(void)state;
	capture_begin(&file, DLT_EN10MB);
	for (unsigned int i = 0; i < 50; i++)
		capture_rtp(&file, T0 + i * 20 * MS, 0, SSRC, i * 2, i * 160);
	for (unsigned int i = 0; i < 50; i++)
		capture_rtp(&file, T0 + i * 20 * MS, 0, SSRC + 1 + i, i, i * 160);
	capture_rtp(&file, T0, 200, SSRC, 1, 0); /* a sender report */
	doc = inspect(&file);
	assert_int_equal(json_array_size(json_object_get(doc, "streams")), 0);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(doc, "file"), "rtcp")),
			 1);
	end(&file, doc);
}

static const char invite[] = "INVITE sip:bob@example.test SIP/2.0\r\n"
			     "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
			     "From: <sip:alice@example.test>;tag=1\r\n"
			     "To: <sip:bob@example.test>\r\n"
			     "Call-ID: one@example.test\r\n"
			     "CSeq: 1 INVITE\r\n"
			     "Content-Length: 0\r\n\r\n";

static const char answer[] = "SIP/2.0 200 O\033[2JK\r\n"
			     "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
			     "From: <sip:alice@example.test>;tag=1\r\n"
			     "To: <sip:bob@example.test>;tag=2\r\n"
			     "Call-ID: one@example.test\r\n"
			     "CSeq: 1 INVITE\r\n"
			     "Content-Type: application/sdp\r\n"
			     "Content-Length: 111\r\n\r\n"
			     "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\n"
			     "t=0 0\r\n"
			     "m=audio 6000 RTP/AVP 97\r\na=rtpmap:97 iLBC/8000\r\n";

/* Media that comes before the answer that describes it; the first packet counts by itself. */
static void described_by_sip(void **state)
{
	struct capture_file file;
	char *text;
	size_t len;
	json_t *doc;
	FILE *f;

	(void)state;
	capture_begin(&file, DLT_EN10MB);
	capture_udp(&file, T0, 5060, 5060, invite, strlen(invite));
	capture_rtp(&file, T0 + 10 * MS, 97, SSRC, 7, 0);
	capture_udp(&file, T0 + 30 * MS, 5060, 5060, answer, strlen(answer));
	doc = inspect(&file);
	assert_string_equal(string(doc, "streams", 0, "codec"), "iLBC");
	assert_float_equal(number(doc, "streams", 0, "clock_hz"), 8000, 0);
	assert_float_equal(number(doc, "streams", 0, "packets"), 1, 0);
	assert_int_equal(json_array_size(json_object_get(doc, "calls")), 1);
	assert_string_equal(string(doc, "calls", 0, "call_id"), "one@example.test");
	assert_string_equal(string(doc, "calls", 0, "from"), "sip:alice@example.test");
	assert_float_equal(number(doc, "calls", 0, "status"), 200, 0);
	assert_float_equal(number(doc, "calls", 0, "answer_s"), 0.03, 1e-9);

	f = open_memstream(&text, &len);
	tandem_inspection_ladder(&in, f);
	fclose(f);
	assert_non_null(strstr(text, " INVITE "));
	assert_non_null(strstr(text, " 200 O?[2JK (SDP) "));
	assert_null(strchr(text, '\033'));
	free(text);
	end(&file, doc);
}

/* However long a stream is, its series has at most 512 steps, and nothing is left out. */
static void series_of_any_length(void **state)
{
	static const uint64_t lengths[] = { 1, 99, 100, 51200, 51199, 1000000, 100000000 };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		const struct tandem_step one = { .octets = 10, .packets = 1 };
		struct tandem_series s = { 0 };
		uint64_t octets = 0;

		for (unsigned int n = 0; n <= 1000; n++)
			assert_int_equal(tandem_series_add(&s, lengths[i] * n / 1000 * MS, &one),
					 0);
		assert_in_range(s.count, 1, TANDEM_SERIES_MAX);
		for (size_t n = 0; n < s.count; n++)
			octets += s.steps[n].octets;
		assert_int_equal(octets, 10010);
		tandem_series_clean(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jitter_by_hand),   cmocka_unit_test(loss_and_disorder),
		cmocka_unit_test(timestamps_jump),  cmocka_unit_test(what_is_rtp),
		cmocka_unit_test(described_by_sip), cmocka_unit_test(series_of_any_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
