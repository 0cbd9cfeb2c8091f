/* SPDX-License-Identifier: GPL-2.0-only */
/* What translates payloads and header extensions: random ones, with the checksum that goes with them. */
#include "tests/unit/core_fan.h"

/* Sum of bytes as words that start at even offsets. */
static uint32_t sum_bytes(const uint8_t *p, size_t n)
{
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum += i % 2 ? (uint32_t)p[i] : (uint32_t)p[i] << 8;
	return sum;
}

/* Does delta make of the sum of before that of after? It is in memory order. */
static void assert_delta(const uint8_t *before, const uint8_t *after, size_t n, __u64 delta)
{
	uint16_t a = csum_fold16(sum_bytes(before, n)), b = csum_fold16(sum_bytes(after, n));

	assert_int_equal(csum_fold16((__u64)net16(a) + delta) % 0xffff, net16(b) % 0xffff);
}

static void law_changes_the_payload_alone(void **state)
{
	_Alignas(4) uint8_t packet[80], before[80];
	unsigned int octets, i;
	__u64 delta;

	srand(3);
	for (octets = 0; octets <= 60; octets++) {
		for (i = 0; i < sizeof(packet); i++)
			before[i] = packet[i] = (uint8_t)rand();
		delta = g711_translate(packet, packet + sizeof(packet), 12, octets, G711_TO_ULAW);
		assert_memory_equal(packet, before, 12);
		for (i = 0; i < octets; i++)
			assert_int_equal(packet[12 + i], g711_octet(G711_TO_ULAW, before[12 + i]));
		assert_memory_equal(packet + 12 + octets, before + 12 + octets, 68 - octets);
		assert_delta(before, packet, sizeof(packet), delta);
	}
	/* and ends with the packet, whatever it is told */
	memcpy(packet, before, sizeof(packet));
	delta = g711_translate(packet, packet + 21, 12, 60, G711_TO_ULAW);
	assert_memory_equal(packet + 21, before + 21, sizeof(packet) - 21);
	assert_delta(before, packet, sizeof(packet), delta);
}

/* Of every codec and length: the octets of the payload, and no others, with the checksum. */
static void silence_changes_the_payload_alone(void **state)
{
	_Alignas(4) uint8_t packet[80], before[80];
	unsigned int octets, act, i;
	__u64 delta;

	srand(5);
	for (act = ACT_ULAW; act < ACT_COUNT; act++) {
		for (octets = 1; octets <= 60; octets++) {
			for (i = 0; i < sizeof(packet); i++)
				before[i] = packet[i] = (uint8_t)rand();
			delta = silence_fill(packet, packet + 12 + octets, 12, octets, act);
			assert_memory_equal(packet, before, 12);
			assert_memory_equal(packet + 12 + octets, before + 12 + octets,
					    68 - octets);
			assert_delta(before, packet, sizeof(packet), delta);
			/* another packet becomes the same */
			for (i = 12; i < 12 + octets; i++)
				before[i] = act == ACT_OPUS && i == 12 ? before[i]
								       : (uint8_t)rand();
			silence_fill(before, before + 12 + octets, 12, octets, act);
			assert_memory_equal(packet, before, sizeof(packet));
		}
		/* and ends with the packet, whatever it is told */
		for (i = 0; i < sizeof(packet); i++)
			before[i] = packet[i] = (uint8_t)rand();
		delta = silence_fill(packet, packet + 21, 12, 62, act);
		assert_memory_equal(packet + 21, before + 21, sizeof(packet) - 21);
		assert_delta(before, packet, sizeof(packet), delta);
	}
}

/* RFC 6716 3.1: a CELT frame of fullband, which lasts what the packet did, or 20 ms. */
static void opus_keeps_its_duration(void **state)
{
	static const unsigned int silk[] = { 100, 200, 400, 600 }, celt[] = { 25, 50, 100, 200 };
	unsigned int toc, config, was, is;

	for (toc = 0; toc < 256; toc++) {
		config = toc >> 3;
		was = config < 12   ? silk[config & 3]
		      : config < 16 ? silk[config & 1]
				    : celt[config & 3];
		was *= toc & 3 ? 2 : 1;
		is = silence_opus_toc((uint8_t)toc);
		assert_int_equal(is & 0xe7, 0xe0);
		is = celt[is >> 3 & 3];
		if ((toc & 3) == 3)
			assert_int_equal(is, 200); /* any number of frames: it stands behind */
		else
			assert_int_equal(is, was < 200 ? was : 200);
	}
}

/* An extension of random elements in room bytes, and what the map makes of it. */
static size_t random_elements(uint8_t *in, uint8_t *want, size_t room, int two, const __u8 *map)
{
	size_t at = 0, head = two ? 2 : 1;

	while (at + head + 16 <= room) {
		unsigned int id = 1 + (unsigned int)rand() % (two ? 255 : 14), len, i, out;

		if (rand() % 4 == 0) {
			in[at] = want[at] = 0;
			at++;
			continue;
		}
		len = two ? (unsigned int)rand() % 15 : 1 + (unsigned int)rand() % 16;
		out = id < TANDEM_EXT_IDS ? map[id] : id;
		if (!two && out > 14)
			out = 0;
		in[at] = two ? (uint8_t)id : (uint8_t)(id << 4 | (len - 1));
		want[at] = !out ? 0 : two ? (uint8_t)out : (uint8_t)(out << 4 | (len - 1));
		if (two) {
			in[at + 1] = (uint8_t)len;
			want[at + 1] = out ? (uint8_t)len : 0;
		}
		for (at += head, i = 0; i < len; i++, at++) {
			in[at] = (uint8_t)rand();
			want[at] = out ? in[at] : 0;
		}
	}
	memset(in + at, 0, room - at);
	memset(want + at, 0, room - at);
	return room;
}

static void elements_are_mapped_or_removed(void **state)
{
	enum { HEAD = 16, LEN = 120, SIZE = HEAD + LEN + 20 };
	_Alignas(4) uint8_t packet[SIZE], before[SIZE], want[SIZE];
	struct relay r;
	int round, i;
	__u64 delta;

	relay_init(&r);
	srand(4);
	for (round = 0; round < 2000; round++) {
		int two = round & 1;

		for (i = 0; i < SIZE; i++)
			before[i] = (uint8_t)rand();
		for (i = 1; i < TANDEM_EXT_IDS; i++)
			r.legs[1].ext_id[i] = (__u8)(rand() % 3 ? rand() % 18 : 0);
		before[12] = two ? 0x10 : 0xbe;
		before[13] = two ? (uint8_t)(rand() % 16) : 0xde;
		memcpy(want, before, SIZE);
		random_elements(before + HEAD, want + HEAD, LEN, two, r.legs[1].ext_id);
		memcpy(packet, before, SIZE);
		delta = ext_translate(&r.env, packet, packet + SIZE, HEAD, LEN, 1);
		assert_memory_equal(packet, want, SIZE);
		assert_delta(before, packet, SIZE, delta);
	}
}

/* Whatever bytes there are: the walk stays in the extension, and the delta is right. */
static void elements_of_garbage_stay_where_they_are(void **state)
{
	enum { HEAD = 16, SIZE = 100 };
	_Alignas(4) uint8_t packet[SIZE], before[SIZE];
	struct relay r;
	int round, i;
	__u64 delta;

	relay_init(&r);
	srand(5);
	memset(r.legs[0].ext_id, 3, sizeof(r.legs[0].ext_id));
	for (round = 0; round < 5000; round++) {
		__u32 len = (__u32)(rand() % 20) * 4;

		for (i = 0; i < SIZE; i++)
			before[i] = (uint8_t)rand();
		memcpy(before + 12, round & 1 ? (uint8_t[]){ 0xbe, 0xde } : (uint8_t[]){ 0x10, 0 },
		       2);
		memcpy(packet, before, SIZE);
		delta = ext_translate(&r.env, packet, packet + SIZE, HEAD, len, 0);
		assert_memory_equal(packet, before, HEAD);
		assert_memory_equal(packet + HEAD + len, before + HEAD + len, SIZE - HEAD - len);
		assert_delta(before, packet, SIZE, delta);
	}
	/* a leg that there is not changes nothing */
	memcpy(packet, before, SIZE);
	assert_int_equal(ext_translate(&r.env, packet, packet + SIZE, HEAD, 40, LEGS), 0);
	assert_memory_equal(packet, before, SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(law_changes_the_payload_alone),
		cmocka_unit_test(silence_changes_the_payload_alone),
		cmocka_unit_test(opus_keeps_its_duration),
		cmocka_unit_test(elements_are_mapped_or_removed),
		cmocka_unit_test(elements_of_garbage_stay_where_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
