/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets of SRTP that the benchmark sends: does who has the key open them, in every suite? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <cmocka.h>

#include "bench/seal.h"

#define KEYS  2
#define SSRCS 1
#include "tests/unit/srtp_tables.h"

#define FLOWS 3
#define FLOW  2
#define SIZE  172

static void key_h(uint32_t i, struct tandem_srtp *key, void *arg)
{
	tandem_bench_key(i, BENCH_IN, *(const uint8_t *)arg, key);
}

/* What a relay has of the flow. */
static void relay_key(uint8_t suite)
{
	struct srtp_keys *keys = keys_begin(1);
	struct tandem_srtp key;

	tandem_bench_key(FLOW, BENCH_IN, suite, &key);
	assert_int_equal(tandem_srtp_derive(keys, suite, key.key, key.salt), 0);
	keys_end(1);
}

static enum reason relay_open(struct wire_sealed *packet, uint32_t len)
{
	struct srtp_job *job = &tables.env.srtp_job;
	enum reason reason;

	memset(job, 0, sizeof(*job));
	job->keys = 1;
	job->len = len;
	job->head = WIRE_RTP_LEN;
	reason = srtp_admit(&tables.env, job, packet->data, packet->data + len);
	return reason != REASON_NONE
		       ? reason
		       : srtp_open(&tables.env, job, packet->data, packet->data + len);
}

static uint32_t words(const struct wire_sealed *packet, uint32_t len)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < len; i++)
		sum += (uint32_t)packet->data[i] << (i % 2 ? 8 : 0);
	return sum;
}

static void opens_in(uint8_t suite)
{
	struct wire_sealed packet = { 0 };
	struct seal *seal;
	uint32_t len;

	assert_int_equal(tandem_seal_alloc(&seal, FLOWS, suite, key_h, &suite), 0);
	len = SIZE + tandem_seal_trailer(seal);
	assert_true(len > SIZE && len <= WIRE_SEALED_MAX);
	relay_key(suite);
	/* across the end of the sequence numbers, and with gaps */
	for (uint32_t seq = 0; seq < 200000; seq += 1021) {
		assert_int_equal(tandem_seal_packet(seal, FLOW, seq, SIZE, &packet), 0);
		assert_int_equal(packet.seq, seq);
		assert_int_equal(packet.sum, words(&packet, len)); /* on a little-endian host */
		assert_int_equal(relay_open(&packet, len), REASON_NONE);
		assert_int_equal(packet.data[2] << 8 | packet.data[3], seq & 0xffff);
		for (uint32_t i = WIRE_RTP_LEN; i < SIZE; i++)
			assert_int_equal(packet.data[i], WIRE_SILENCE);
	}
	/* neither another flow's packets, nor one that was changed, nor one that has been */
	assert_int_equal(tandem_seal_packet(seal, FLOW - 1, 200000, SIZE, &packet), 0);
	assert_int_equal(relay_open(&packet, len), REASON_srtp_auth);
	assert_int_equal(tandem_seal_packet(seal, FLOW, 200000, SIZE, &packet), 0);
	packet.data[SIZE - 1] ^= 1;
	assert_int_equal(relay_open(&packet, len), REASON_srtp_auth);
	packet.data[SIZE - 1] ^= 1;
	assert_int_equal(relay_open(&packet, len), REASON_NONE);
	assert_int_equal(tandem_seal_packet(seal, FLOW, 200000, SIZE, &packet), 0);
	assert_int_equal(relay_open(&packet, len), REASON_srtp_replay);
	tandem_seal_free(seal);
}

static void every_suite_opens(void **state)
{
	(void)state;
	assert_int_equal(tables_init(NULL), 0);
	for (uint8_t suite = SRTP_NULL_HMAC_SHA1_80; suite < SRTP_SUITES; suite++)
		opens_in(suite);
	tables_clean();
}

static void no_two_keys_are_alike(void **state)
{
	struct tandem_srtp keys[2 * FLOWS];

	(void)state;
	for (uint32_t i = 0; i < 2 * FLOWS; i++) {
		tandem_bench_key(i / 2, i % 2 ? BENCH_OUT : BENCH_IN, SRTP_AES_CM_128_HMAC_SHA1_80,
				 &keys[i]);
		for (uint32_t j = 0; j < i; j++) {
			assert_int_not_equal(keys[i].id, keys[j].id);
			assert_memory_not_equal(keys[i].key, keys[j].key, 16);
		}
	}
}

static void a_suite_that_is_none(void **state)
{
	uint8_t suite = SRTP_SUITES;
	struct seal *seal;

	(void)state;
	assert_int_equal(tandem_seal_alloc(&seal, FLOWS, suite, key_h, &suite), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_suite_opens),
		cmocka_unit_test(no_two_keys_are_alike),
		cmocka_unit_test(a_suite_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
