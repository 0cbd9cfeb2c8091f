/* SPDX-License-Identifier: GPL-2.0-only */
/* From frames of each link layer to the datagram in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pcap/dlt.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/capture/fragments.h"
#include "userspace/capture/link.h"

/* 192.0.2.1:4000 to 192.0.2.2:6000, "hello" */
#define IP4		 0x45, 0, 0, 33, 0, 0, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, UDP
#define UDP		 0x0f, 0xa0, 0x17, 0x70, 0, 13, 0, 0, 'h', 'e', 'l', 'l', 'o'
#define V6_ADDRESS(last) 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last
#define IP6(next)	 0x60, 0, 0, 0, 0, 13, next, 64, V6_ADDRESS(1), V6_ADDRESS(2)
#define MACS		 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2

#define FRAME(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static const struct {
	const char *name;
	int type;
	const uint8_t *frame;
	size_t len;
	enum tandem_link want;
	const char *src;
} cases[] = {
	{ "Ethernet", DLT_EN10MB, FRAME(MACS, 8, 0, IP4), TANDEM_LINK_UDP, "192.0.2.1:4000" },
	{ "padded", DLT_EN10MB, FRAME(MACS, 8, 0, IP4, 0, 0, 0, 0), TANDEM_LINK_UDP,
	  "192.0.2.1:4000" },
	{ "VLAN", DLT_EN10MB, FRAME(MACS, 0x81, 0, 0, 5, 8, 0, IP4), TANDEM_LINK_UDP,
	  "192.0.2.1:4000" },
	{ "VLAN in VLAN", DLT_EN10MB, FRAME(MACS, 0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0, IP4),
	  TANDEM_LINK_UDP, "192.0.2.1:4000" },
	{ "five VLANs", DLT_EN10MB,
	  FRAME(MACS, 0x81, 0, 0, 1, 0x81, 0, 0, 2, 0x81, 0, 0, 3, 0x81, 0, 0, 4, 0x81, 0, 0, 5, 8,
		0, IP4),
	  TANDEM_LINK_BAD, NULL },
	{ "a VLAN tag cut off", DLT_EN10MB, FRAME(MACS, 0x81, 0, 0), TANDEM_LINK_BAD, NULL },
	{ "IPv6", DLT_EN10MB, FRAME(MACS, 0x86, 0xdd, IP6(17), UDP), TANDEM_LINK_UDP,
	  "[2001:db8::1]:4000" },
	{ "IPv6 with options", DLT_EN10MB,
	  FRAME(MACS, 0x86, 0xdd, IP6(0), 60, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0, UDP),
	  TANDEM_LINK_UDP, "[2001:db8::1]:4000" },
	{ "options that go on past the end", DLT_EN10MB,
	  FRAME(MACS, 0x86, 0xdd, IP6(0), 17, 200, 1, 4, 0, 0, 0, 0, UDP), TANDEM_LINK_BAD, NULL },
	{ "IPv6 fragment", DLT_EN10MB,
	  FRAME(MACS, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 21, 44, 64, V6_ADDRESS(1), V6_ADDRESS(2), 17, 0,
		0, 1, 0, 0, 0, 1, UDP),
	  TANDEM_LINK_FRAGMENT, NULL },
	{ "cooked", DLT_LINUX_SLL, FRAME(0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0, IP4),
	  TANDEM_LINK_UDP, "192.0.2.1:4000" },
	{ "cooked, version 2", DLT_LINUX_SLL2,
	  FRAME(8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, IP4), TANDEM_LINK_UDP,
	  "192.0.2.1:4000" },
	{ "raw IPv4", DLT_RAW, FRAME(IP4), TANDEM_LINK_UDP, "192.0.2.1:4000" },
	{ "raw IPv6", DLT_RAW, FRAME(IP6(17), UDP), TANDEM_LINK_UDP, "[2001:db8::1]:4000" },
	{ "loopback of BSD", DLT_NULL, FRAME(2, 0, 0, 0, IP4), TANDEM_LINK_UDP, "192.0.2.1:4000" },
	{ "another link layer", DLT_IEEE802_11, FRAME(IP4), TANDEM_LINK_OTHER, NULL },
	{ "ARP", DLT_EN10MB, FRAME(MACS, 8, 6, 0, 1, 8, 0), TANDEM_LINK_OTHER, NULL },
	{ "TCP", DLT_RAW,
	  FRAME(0x45, 0, 0, 33, 0, 0, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, UDP),
	  TANDEM_LINK_OTHER, NULL },
	{ "first fragment", DLT_RAW,
	  FRAME(0x45, 0, 0, 33, 0, 0, 0x20, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, UDP),
	  TANDEM_LINK_FRAGMENT, NULL },
	{ "a fragment that is cut off", DLT_RAW,
	  FRAME(0x45, 0, 0, 34, 0, 0, 0x20, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, UDP),
	  TANDEM_LINK_BAD, NULL },
	{ "an atomic fragment", DLT_RAW,
	  FRAME(0x60, 0, 0, 0, 0, 21, 44, 64, V6_ADDRESS(1), V6_ADDRESS(2), 17, 0, 0, 0, 0, 0, 0, 1,
		UDP),
	  TANDEM_LINK_UDP, "[2001:db8::1]:4000" },
	{ "last fragment", DLT_RAW,
	  FRAME(0x45, 0, 0, 33, 0, 0, 0, 9, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, UDP),
	  TANDEM_LINK_FRAGMENT, NULL },
	{ "a header of 16 octets", DLT_RAW,
	  FRAME(0x44, 0, 0, 33, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, UDP),
	  TANDEM_LINK_BAD, NULL },
	{ "UDP of 7 octets", DLT_RAW,
	  FRAME(0x45, 0, 0, 33, 0, 0, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 0x0f, 0xa0,
		0x17, 0x70, 0, 7, 0, 0),
	  TANDEM_LINK_BAD, NULL },
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

static void table(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		struct tandem_udp d;
		struct tandem_fragment part;
		char src[TANDEM_ENDPOINT_STRLEN];

		print_message("%s\n", cases[i].name);
		assert_int_equal(
			tandem_link_part(cases[i].type, cases[i].frame, cases[i].len, &d, &part),
			cases[i].want);
		if (cases[i].want != TANDEM_LINK_UDP)
			continue;
		assert_string_equal(tandem_endpoint_format(&d.src, src, sizeof(src)), cases[i].src);
		assert_int_equal(d.dst.port, 6000);
		assert_int_equal(d.len, 5);
		assert_int_equal(d.full_len, 5);
		assert_memory_equal(d.payload, "hello", 5);
	}
}

/* Cut anywhere, a frame is what it is or broken, and nothing behind its end is read. */
static void cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < CASES; i++) {
		for (size_t len = 0; len < cases[i].len; len++) {
			struct tandem_udp d;
			struct tandem_fragment part;
			uint8_t *frame = malloc(len ? len : 1);

			memcpy(frame, cases[i].frame, len);
			if (tandem_link_part(cases[i].type, frame, len, &d, &part) ==
			    TANDEM_LINK_UDP) {
				assert_true(d.payload + d.len <= frame + len);
				assert_true(d.len <= d.full_len);
			}
			free(frame);
		}
	}
}

/* ---- fragments -------------------------------------------------------------------- */

static uint8_t whole[4000];

/* The octets from at on, as a fragment of datagram id. */
static struct tandem_fragment part(uint32_t id, uint32_t at, size_t len)
{
	return (struct tandem_fragment){ .id = id,
					 .offset = at,
					 .len = len,
					 .more = at + len < sizeof(whole),
					 .data = whole + at };
}

static int add(struct tandem_fragments *f, uint32_t id, uint32_t at, size_t len)
{
	const struct tandem_fragment p = part(id, at, len);
	const uint8_t *data;
	size_t size;
	int ret = tandem_fragments_add(f, &p, &data, &size);

	if (ret == 1) {
		assert_int_equal(size, sizeof(whole));
		assert_memory_equal(data, whole, size);
	}
	return ret;
}

static void fragments(void **state)
{
	struct tandem_fragments *f;

	(void)state;
	for (size_t i = 0; i < sizeof(whole); i++)
		whole[i] = (uint8_t)(i * 7 + i / 256);
	assert_int_equal(tandem_fragments_alloc(&f), 0);
	/* in order; in reverse; two at a time */
	assert_int_equal(add(f, 1, 0, 1600), 0);
	assert_int_equal(add(f, 1, 1600, 1600), 0);
	assert_int_equal(add(f, 1, 3200, 800), 1);
	assert_int_equal(add(f, 2, 3200, 800), 0);
	assert_int_equal(add(f, 3, 1600, 2400), 0);
	assert_int_equal(add(f, 2, 0, 3200), 1);
	assert_int_equal(add(f, 3, 0, 1600), 1);
	/* one that comes again, or overlaps, and one beyond the end: nothing comes of these */
	assert_int_equal(add(f, 4, 0, 1600), 0);
	assert_int_equal(add(f, 4, 0, 1600), 0);
	assert_int_equal(add(f, 4, 1600, 2400), 0);
	assert_int_equal(add(f, 5, 0, 1600), 0);
	assert_int_equal(add(f, 5, 1592, 2408), 0);
	assert_int_equal(add(f, 6, 1600, 2400), 0);
	assert_int_equal(add(f, 6, 0, 1601), 0);
	/* the oldest gives way to the 32nd after it */
	assert_int_equal(add(f, 100, 0, 1600), 0);
	assert_int_equal(add(f, 101, 0, 1600), 0);
	for (uint32_t i = 0; i < 31; i++)
		assert_int_equal(add(f, 200 + i, 0, 1600), 0);
	assert_int_equal(add(f, 101, 1600, 2400), 1);
	assert_int_equal(add(f, 100, 1600, 2400), 0);
	tandem_fragments_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(fragments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
