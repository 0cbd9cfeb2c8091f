/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading pcap and rtpdump: whole, damaged, and what is neither. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "tests/unit/capture_file.h"
#include "userspace/capture/read.h"
#include "userspace/capture/rtpdump.h"

#define T0 1700000000123456789ULL
#define MS 1000000ULL

static int open_bytes(struct tandem_capture **cp, const char *data, size_t len, char *why,
		      size_t size)
{
	FILE *f = fmemopen((void *)data, len, "r");

	assert_non_null(f);
	return tandem_capture_open_stream(cp, f, "x.pcap", why, size);
}

static void pcap_whole(void **state)
{
	struct capture_file file;
	struct tandem_capture *c;
	struct tandem_captured p;
	char why[512] = "";

	(void)state;
	capture_begin(&file, DLT_EN10MB);
	capture_udp(&file, T0, 1000, 2000, "one", 3);
	capture_frame(&file, T0 + 1, "no Ethernet", 11);
	capture_udp(&file, T0 + MS, 2000, 1000, "three", 5);
	capture_finish(&file);

	assert_int_equal(open_bytes(&c, file.data, file.len, why, sizeof(why)), 0);
	assert_string_equal(why, "");
	assert_int_equal(tandem_capture_next(c, &p), 1);
	assert_int_equal(p.time_ns, T0);
	assert_int_equal(p.number, 1);
	assert_memory_equal(p.d.payload, "one", 3);
	assert_int_equal(tandem_capture_next(c, &p), 1);
	assert_int_equal(p.number, 3);
	assert_int_equal(p.d.src.port, 2000);
	assert_int_equal(p.time_ns, T0 + MS);
	assert_int_equal(tandem_capture_next(c, &p), 0);
	assert_int_equal(tandem_capture_counts(c)->packets, 3);
	assert_int_equal(tandem_capture_counts(c)->datagrams, 2);
	assert_int_equal(tandem_capture_counts(c)->bad, 1);
	assert_int_equal(tandem_capture_counts(c)->first_ns, T0);
	tandem_capture_close(c);
	capture_end(&file);
}

/* A datagram in two fragments is handed out when the second has come. */
static void pcap_fragments(void **state)
{
	uint8_t first[] = { 0x45, 0,  0, 36, 0,	  9,   0x20, 0,	  64,	17,   0,    0,
			    192,  0,  2, 1,  192, 0,   2,    2,	  0x03, 0xe8, 0x07, 0xd0,
			    0,	  21, 0, 0,  'f', 'r', 'a',  'g', 'm',	'e',  'n',  't' };
	uint8_t second[] = { 0x45, 0, 0, 25,  0, 9, 0, 2,   64,	 17,  0,   0,  192,
			     0,	   2, 1, 192, 0, 2, 2, 'a', 't', 'i', 'o', 'n' };
	struct capture_file file;
	struct tandem_capture *c;
	struct tandem_captured p;
	char why[512];

	(void)state;
	capture_begin(&file, DLT_RAW);
	capture_frame(&file, T0, first, sizeof(first));
	capture_frame(&file, T0 + MS, second, sizeof(second));
	capture_finish(&file);
	assert_int_equal(open_bytes(&c, file.data, file.len, why, sizeof(why)), 0);
	assert_int_equal(tandem_capture_next(c, &p), 1);
	assert_int_equal(p.number, 2);
	assert_int_equal(p.d.src.port, 1000);
	assert_int_equal(p.d.len, 13);
	assert_memory_equal(p.d.payload, "fragmentation", 13);
	assert_int_equal(tandem_capture_next(c, &p), 0);
	assert_int_equal(tandem_capture_counts(c)->fragments, 2);
	assert_int_equal(tandem_capture_counts(c)->reassembled, 1);
	tandem_capture_close(c);
	capture_end(&file);
}

/* At every length a file is read up to where it was cut, and the packet is named. */
static void pcap_cut(void **state)
{
	struct capture_file file;
	struct tandem_capture *c;
	struct tandem_captured p;
	char why[512];
	size_t second;

	(void)state;
	capture_begin(&file, DLT_EN10MB);
	capture_udp(&file, T0, 1000, 2000, "one", 3);
	pcap_dump_flush(file.dumper);
	second = file.len;
	capture_udp(&file, T0, 1000, 2000, "two", 3);
	capture_finish(&file);
	for (size_t len = second + 1; len < file.len; len++) {
		assert_int_equal(open_bytes(&c, file.data, len, why, sizeof(why)), 0);
		assert_int_equal(tandem_capture_next(c, &p), 1);
		assert_int_equal(tandem_capture_next(c, &p), -EBADMSG);
		assert_non_null(strstr(tandem_capture_error(c), "x.pcap: packet 2: "));
		tandem_capture_close(c);
	}
	for (size_t len = 1; len < 24; len++) {
		assert_int_equal(open_bytes(&c, file.data, len, why, sizeof(why)), -EBADMSG);
		assert_non_null(strstr(why, "x.pcap: "));
	}
	capture_end(&file);
}

static void not_known(void **state)
{
	struct capture_file file;
	struct tandem_capture *c;
	char why[512];

	(void)state;
	assert_int_equal(open_bytes(&c, "what is this, a letter?", 23, why, sizeof(why)), -EBADMSG);
	assert_int_equal(tandem_capture_open(&c, "/nonexistent/x.pcap", why, sizeof(why)), -ENOENT);
	assert_string_equal(why, "/nonexistent/x.pcap: No such file or directory");
	capture_begin(&file, DLT_IEEE802_11);
	capture_finish(&file);
	assert_int_equal(open_bytes(&c, file.data, file.len, why, sizeof(why)), -EBADMSG);
	assert_non_null(strstr(why, "link type 105 (IEEE802_11) is not known"));
	capture_end(&file);
}

/* What is written as rtpdump is read as it was, with times of a millisecond. */
static void rtpdump_there_and_back(void **state)
{
	struct tandem_rtpdump h = { .start_ns = T0 / 1000 * 1000 };
	struct tandem_udp d = { .payload = (const uint8_t *)"payload", .len = 7, .full_len = 9 };
	struct tandem_captured p;
	struct tandem_capture *c;
	char *data, why[512];
	size_t len;
	FILE *f = open_memstream(&data, &len);

	(void)state;
	assert_int_equal(tandem_endpoint_parse(&h.src, "192.0.2.1:4000"), 0);
	assert_int_equal(tandem_endpoint_parse(&h.dst, "[2001:db8::2]:6000"), 0);
	assert_int_equal(tandem_rtpdump_write_header(&h, f), 0);
	assert_int_equal(tandem_rtpdump_write(&h, f, &d, false, h.start_ns + 20 * MS), 0);
	d.full_len = 7;
	assert_int_equal(tandem_rtpdump_write(&h, f, &d, true, h.start_ns + 40 * MS), 0);
	d.len = d.full_len = 65530;
	assert_int_equal(tandem_rtpdump_write(&h, f, &d, false, h.start_ns), -EMSGSIZE);
	fclose(f);

	assert_int_equal(open_bytes(&c, data, len, why, sizeof(why)), 0);
	assert_int_equal(tandem_capture_next(c, &p), 1);
	assert_true(tandem_endpoint_equal(&p.d.src, &h.src));
	assert_true(tandem_endpoint_equal(&p.d.dst, &h.dst));
	assert_int_equal(p.time_ns, h.start_ns + 20 * MS);
	assert_int_equal(p.d.len, 7);
	assert_int_equal(p.d.full_len, 9);
	assert_int_equal(tandem_capture_next(c, &p), 1);
	assert_int_equal(p.d.full_len, 7);
	assert_memory_equal(p.d.payload, "payload", 7);
	assert_int_equal(tandem_capture_next(c, &p), 0);
	assert_int_equal(tandem_capture_counts(c)->cut, 1);
	tandem_capture_close(c);

	assert_int_equal(open_bytes(&c, data, len - 1, why, sizeof(why)), 0);
	assert_int_equal(tandem_capture_next(c, &p), 1);
	assert_int_equal(tandem_capture_next(c, &p), -EBADMSG);
	assert_non_null(strstr(tandem_capture_error(c), "x.pcap: packet 2: "));
	tandem_capture_close(c);
	free(data);
}

static void rtpdump_damaged(void **state)
{
	static const char *const files[] = {
		"#!rtpplay1.0 192.0.2.1/5004\nshort",
		"#!rtpplay1.0 192.0.2.1\n0123456789abcdef",
		"#!rtpplay1.0 192.0.2.1/99999\n0123456789abcdef",
		"#!rtpplay1.0 nowhere/5004\n0123456789abcdef",
		"#!rtpplay2.0 192.0.2.1/5004\n0123456789abcdef",
	};
	struct tandem_capture *c;
	char why[512];

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		assert_int_equal(open_bytes(&c, files[i], strlen(files[i]), why, sizeof(why)),
				 -EBADMSG);
		assert_string_equal(why, "x.pcap: the header of this rtpdump is damaged");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pcap_fragments),
		cmocka_unit_test(pcap_whole),
		cmocka_unit_test(pcap_cut),
		cmocka_unit_test(not_known),
		cmocka_unit_test(rtpdump_there_and_back),
		cmocka_unit_test(rtpdump_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
