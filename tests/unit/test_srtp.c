/* SPDX-License-Identifier: GPL-2.0-only */
/* SRTP: which keys, which index, what is refused, and that nothing is noted of what is. */
#include "srtp_fixture.h"

#include <errno.h>
#include <pthread.h>

#define SUITE SRTP_AES_CM_128_HMAC_SHA1_80
#define SSRC  0x10203040
#define A     1 /* indices of keys */
#define B     2
#define C     3

/* Two sets with the same keys: what leaves by one arrives by the other. */
static void pair(uint32_t from, uint32_t to, uint8_t suite, uint8_t key_seed)
{
	keys_set(from, suite, key_seed);
	keys_set(to, suite, key_seed);
}

/* Protect the packet with number seq and take it in; the reason that this comes to. */
static enum reason send_seq(uint32_t from, uint32_t to, uint16_t seq)
{
	uint8_t p[PACKET_ROOM];
	uint32_t len = rtp_make(p, SSRC, seq, 40);

	assert_int_equal(seal(from, 0, p, &len), REASON_NONE);
	return unseal(to, 0, p, &len);
}

static void assert_streams(uint32_t keys, const struct srtp_stream *before)
{
	assert_memory_equal(&tables.streams[keys * SSRCS], before, SSRCS * sizeof(*before));
}

/* The guesses of RFC 3711 3.3.1, also where RFC 3711's own text would go below ROC 0. */
static void index_guess(void **state)
{
	static const struct {
		uint64_t top;
		uint32_t seq;
		uint64_t want;
	} cases[] = {
		{ 0, 0, 0 },
		{ 0, 65535, 65535 },
		{ 10, 65000, 65000 },
		{ 0x8000, 0, 0 },
		{ 0x8001, 0, 0x10000 },
		{ 0xffff, 0, 0x10000 },
		{ 0xffff, 0x7ffe, 0x17ffe },
		{ 0xffff, 0x7fff, 0x7fff },
		{ 0x10000, 0xffff, 0xffff },
		{ 0x10005, 0x8005, 0x18005 },
		{ 0x10005, 0x8006, 0x8006 },
		{ 0x1ffff, 3, 0x20003 },
		{ 0xffffffffffff, 0, 0x1000000000000 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(srtp_index_guess(cases[i].top, cases[i].seq), cases[i].want);
}

/* The last 128 indices are known, wherever in its block of the window the highest is. */
static void window(void **state)
{
	for (uint64_t top = 0; top < 1000; top++) {
		uint64_t words[SRTP_WINDOW_WORDS] = { 0 }, high = 0;

		assert_true(srtp_window_enter((__u64 *)words, (__u64 *)&high, top));
		for (uint64_t back = 0; back < 200 && back <= top; back++) {
			bool want = back > 0 && back < SRTP_WINDOW;

			assert_int_equal(srtp_window_open((__u64 *)words, high, top - back), want);
			assert_int_equal(
				srtp_window_enter((__u64 *)words, (__u64 *)&high, top - back),
				want);
			assert_false(srtp_window_enter((__u64 *)words, (__u64 *)&high, top - back));
		}
		assert_int_equal(high, top);
	}
}

struct entering {
	pthread_t thread;
	uint64_t *words, *top;
	uint8_t *times; /* that each index was entered, by all of them */
};

#define RACE_INDICES 200000

static void *enter_all(void *arg)
{
	struct entering *e = arg;

	for (uint64_t i = 0; i < RACE_INDICES; i++) {
		if (srtp_window_enter((__u64 *)e->words, (__u64 *)e->top, i))
			__atomic_fetch_add(&e->times[i], 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Of CPUs that enter the same indices at the same time, not two have the same one. */
static void window_race(void **state)
{
	uint64_t words[SRTP_WINDOW_WORDS] = { 0 }, top = 0;
	static uint8_t times[RACE_INDICES];
	struct entering e[3];
	uint32_t taken = 0;

	memset(times, 0, sizeof(times));
	for (int i = 0; i < 3; i++) {
		e[i] = (struct entering){ .words = words, .top = &top, .times = times };
		assert_int_equal(pthread_create(&e[i].thread, NULL, enter_all, &e[i]), 0);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(e[i].thread, NULL);
	for (uint32_t i = 0; i < RACE_INDICES; i++) {
		assert_in_range(times[i], 0, 1);
		taken += times[i];
	}
	assert_true(taken > RACE_INDICES / 2);
	assert_int_equal(top, RACE_INDICES - 1);
}

static void replays(void **state)
{
	struct srtp_stream before[SSRCS];
	uint8_t p[PACKET_ROOM], again[PACKET_ROOM];
	uint32_t len = rtp_make(p, SSRC, 100, 160), again_len;

	pair(A, B, SUITE, 1);
	assert_int_equal(seal(A, 0, p, &len), REASON_NONE);
	memcpy(again, p, len);
	again_len = len;
	assert_int_equal(unseal(B, 0, p, &len), REASON_NONE);
	memcpy(before, &tables.streams[B * SSRCS], sizeof(before));
	assert_int_equal(unseal(B, 0, again, &again_len), REASON_srtp_replay);
	assert_streams(B, before);
	assert_int_equal(send_seq(A, B, 101), REASON_NONE);
	assert_int_equal(send_seq(A, B, 300), REASON_NONE);
	memcpy(p, again, again_len);
	assert_int_equal(unseal(B, 0, p, &again_len), REASON_srtp_replay);
}

/* A keystream is used once, whatever comes from the side without SRTP. */
static void never_twice(void **state)
{
	uint8_t p[PACKET_ROOM];
	uint32_t len;

	pair(A, B, SUITE, 1);
	assert_int_equal(send_seq(A, B, 500), REASON_NONE);
	len = rtp_make(p, SSRC, 500, 30);
	assert_int_equal(seal(A, 0, p, &len), REASON_srtp_replay);
	len = rtp_make(p, SSRC, 372, 30);
	assert_int_equal(seal(A, 0, p, &len), REASON_srtp_replay);
	assert_int_equal(send_seq(A, B, 373), REASON_NONE);
	for (uint32_t i = 0; i < 3; i++) {
		len = rtcp_make(p, SSRC);
		assert_int_equal(seal(A, SRTP_J_RTCP, p, &len), REASON_NONE);
		assert_int_equal(p[len - 11], i);
		assert_int_equal(p[len - 14], 0x80);
	}
	tables.streams[A * SSRCS].rtcp_top = SRTCP_LAST;
	len = rtcp_make(p, SSRC);
	assert_int_equal(seal(A, SRTP_J_RTCP, p, &len), REASON_NONE);
	len = rtcp_make(p, SSRC);
	assert_int_equal(seal(A, SRTP_J_RTCP, p, &len), REASON_srtp_no_room);
	tables.streams[A * SSRCS].top = 0xffffffffffff;
	len = rtp_make(p, SSRC, 0, 30);
	assert_int_equal(seal(A, 0, p, &len), REASON_srtp_no_room);
}

/* Any octet changed, in any suite: refused, and nothing is noted of it, least of all its SSRC. */
static void forgeries(void **state)
{
	static const struct srtp_stream none[SSRCS];
	uint8_t p[PACKET_ROOM], sent[PACKET_ROOM];
	uint32_t len, sent_len;

	for (uint8_t suite = 1; suite < SRTP_SUITES; suite++) {
		for (uint32_t flags = 0; flags <= SRTP_J_RTCP; flags++) {
			pair(A, B, suite, 2);
			sent_len = flags ? rtcp_make(sent, SSRC) : rtp_make(sent, SSRC, 1, 40);
			assert_int_equal(seal(A, flags, sent, &sent_len), REASON_NONE);
			for (uint32_t i = 0; i < sent_len; i++) {
				memcpy(p, sent, sent_len);
				p[i] ^= 0x40;
				len = sent_len;
				assert_int_not_equal(unseal(B, flags, p, &len), REASON_NONE);
				assert_streams(B, none);
			}
			assert_int_equal(unseal(B, flags, sent, &sent_len), REASON_NONE);
		}
	}
}

/* Cut off anywhere: never more is read than there is (the sanitizer looks), never taken. */
static void cut_short(void **state)
{
	uint8_t sent[PACKET_ROOM], *p;
	uint32_t len, sent_len;

	for (uint8_t suite = 1; suite < SRTP_SUITES; suite++) {
		for (uint32_t flags = 0; flags <= SRTP_J_RTCP; flags++) {
			pair(A, B, suite, 2);
			keys_mki(A, "abc");
			keys_mki(B, "abc");
			sent_len = flags ? rtcp_make(sent, SSRC) : rtp_make(sent, SSRC, 1, 40);
			assert_int_equal(seal(A, flags, sent, &sent_len), REASON_NONE);
			for (len = 0; len < sent_len; len++) {
				uint32_t n = len;

				p = malloc(len ? len : 1);
				memcpy(p, sent, len);
				assert_int_not_equal(unseal(B, flags, p, &n), REASON_NONE);
				free(p);
			}
		}
	}
	len = 20;
	assert_int_equal(unseal(B, SRTP_J_RTCP, sent, &len), REASON_srtp_short);
}

/* While keys are changed, packets under the old ones are taken too, each under its own index. */
static void key_change(void **state)
{
	pair(A, B, SUITE, 1);
	for (uint16_t seq = 65530; seq != 10; seq++)
		assert_int_equal(send_seq(A, B, seq), REASON_NONE);

	/* the new ones, in C, with the old behind them */
	keys_set(C, SRTP_AEAD_AES_256_GCM, 3)->next = B;
	assert_int_equal(send_seq(A, C, 10), REASON_NONE);
	keys_set(4, SRTP_AEAD_AES_256_GCM, 3);
	assert_int_equal(send_seq(4, C, 11), REASON_NONE);
	assert_int_equal(send_seq(A, C, 12), REASON_NONE);
	assert_int_equal(tables.streams[C * SSRCS].top, 11);
	assert_int_equal(tables.streams[B * SSRCS].top, 0x1000c);
	assert_int_equal(send_seq(4, C, 13), REASON_NONE);

	/* what neither has sent, and what both have heard */
	keys_set(5, SUITE, 9);
	assert_int_equal(send_seq(5, C, 14), REASON_srtp_auth);
	keys_set(5, SUITE, 1);
	tables.streams[5 * SSRCS] = (struct srtp_stream){ .owner = SRTP_OWNED | SSRC,
							  .top = 0x10000 };
	assert_int_equal(send_seq(5, C, 12), REASON_srtp_auth);
	keys_set(C, SRTP_AEAD_AES_256_GCM, 3);
	assert_int_equal(send_seq(A, C, 15), REASON_srtp_auth);
}

/* With an MKI it is that which says which keys; those of another length are tried as well. */
static void mki(void **state)
{
	pair(A, 4, SUITE, 1);
	pair(B, C, SUITE, 2);
	keys_mki(A, "one");
	keys_mki(4, "one");
	keys_mki(B, "two");
	keys_mki(C, "two");
	assert_int_equal(send_seq(A, C, 1), REASON_srtp_auth);
	tables.keys[C].next = 4;
	assert_int_equal(send_seq(A, C, 2), REASON_NONE);
	assert_int_equal(send_seq(B, C, 3), REASON_NONE);
	assert_int_equal(tables.streams[C * SSRCS].top, 3);
	assert_int_equal(tables.streams[4 * SSRCS].top, 2);

	keys_mki(A, "a longer one, 16");
	keys_mki(4, "a longer one, 16");
	assert_int_equal(send_seq(A, C, 4), REASON_NONE);
	keys_mki(A, "");
	keys_mki(4, "");
	assert_int_equal(send_seq(A, C, 5), REASON_NONE);
	keys_mki(A, "one");
	assert_int_equal(send_seq(A, C, 6), REASON_srtp_auth);
}

static enum reason send_ssrc(uint32_t from, uint32_t to, uint32_t ssrc, uint32_t flags)
{
	uint8_t p[PACKET_ROOM];
	uint32_t len = flags & SRTP_J_RTCP ? rtcp_make(p, ssrc) : rtp_make(p, ssrc, 7, 40);
	enum reason reason = seal(from, flags, p, &len);

	return reason == REASON_NONE ? unseal(to, flags, p, &len) : reason;
}

/* Entries are not given away; RTP and RTCP of an SSRC share one. */
static void no_room(void **state)
{
	pair(A, B, SUITE, 1);
	for (uint32_t i = 0; i < SSRCS; i++) {
		assert_int_equal(send_ssrc(A, B, SSRC + i, 0), REASON_NONE);
		assert_int_equal(send_ssrc(A, B, SSRC + i, SRTP_J_RTCP), REASON_NONE);
	}
	assert_int_equal(send_ssrc(A, B, SSRC + SSRCS, 0), REASON_srtp_no_room);
	assert_int_equal(send_ssrc(A, B, SSRC + SSRCS, SRTP_J_RTCP), REASON_srtp_no_room);
	keys_forget(A);
	assert_int_equal(send_ssrc(A, B, SSRC + SSRCS, 0), REASON_srtp_no_room);
	assert_int_equal(send_seq(A, B, 9), REASON_NONE);

	/* no range at all: nothing can be sent or taken, and other keys' entries are not touched */
	tables.keys[A].stream_count = 0;
	assert_int_equal(send_ssrc(A, B, SSRC, 0), REASON_srtp_no_room);
	assert_int_equal(tables.streams[B * SSRCS].owner, SRTP_OWNED | SSRC);
}

/* Authenticated, and left as it is: for a leg that passes SRTP on. */
static void kept(void **state)
{
	uint8_t p[PACKET_ROOM], sent[PACKET_ROOM];
	uint32_t len, sent_len;

	for (uint8_t suite = 1; suite < SRTP_SUITES; suite++) {
		for (uint32_t flags = 0; flags <= SRTP_J_RTCP; flags++) {
			pair(A, B, suite, 4);
			sent_len = flags ? rtcp_make(sent, SSRC) : rtp_make(sent, SSRC, 1, 40);
			assert_int_equal(seal(A, flags, sent, &sent_len), REASON_NONE);
			memcpy(p, sent, sent_len);
			len = sent_len;
			p[9] ^= 1;
			assert_int_not_equal(unseal(B, flags | SRTP_J_KEEP, p, &len), REASON_NONE);
			p[9] ^= 1;
			assert_int_equal(unseal(B, flags | SRTP_J_KEEP, p, &len), REASON_NONE);
			assert_int_equal(len, sent_len);
			assert_memory_equal(p, sent, len);
			assert_int_equal(unseal(B, flags | SRTP_J_KEEP, p, &len),
					 REASON_srtp_replay);
		}
	}
}

/* SRTCP whose E flag is 0 is authenticated and not deciphered (RFC 3711 3.4). */
static void e_flag(void **state)
{
	struct srtp_job *job = &tables.env.srtp_job;
	uint8_t p[PACKET_ROOM], clear[PACKET_ROOM];
	uint32_t len = rtcp_make(p, SSRC);

	pair(A, B, SUITE, 1);
	rtcp_make(clear, SSRC);
	memset(job, 0, sizeof(*job));
	job->keys = A;
	job->flags = SRTP_J_RTCP;
	job->head = len;
	job->word = net32(5);
	memcpy(p + len, &job->word, 4);
	env_srtp_hmac(&tables.env, job, p, p + PACKET_ROOM);
	memcpy(p + len + 4, job->tag, 10);
	len += 14;
	assert_int_equal(unseal(B, SRTP_J_RTCP, p, &len), REASON_NONE);
	assert_int_equal(len, 32);
	assert_memory_equal(p, clear, len);
	assert_int_equal(tables.streams[B * SSRCS].rtcp_top, 5);
}

/* What is being written, is not there, or cannot be done here. */
static void not_these_keys(void **state)
{
	uint8_t p[PACKET_ROOM];
	uint32_t len = rtp_make(p, SSRC, 1, 40);

	assert_int_equal(seal(SRTP_NO_KEYS, 0, p, &len), REASON_rule_changed);
	assert_int_equal(seal(KEYS, 0, p, &len), REASON_rule_changed);
	assert_int_equal(seal(A, 0, p, &len), REASON_rule_changed);
	assert_int_equal(unseal(A, 0, p, &len), REASON_rule_busy);
	pair(A, B, SUITE, 1);
	tables.keys[B].gen = 3;
	assert_int_equal(send_seq(A, B, 1), REASON_rule_busy);
	tables.keys[B].gen = 4;
	assert_int_equal(send_seq(A, B, 2), REASON_NONE);
	tandem_ciphers_set(tables.arrays.ciphers, B, NULL);
	assert_int_equal(send_seq(A, B, 3), REASON_srtp_suite);
	keys_end(B);
	keys_set(C, SUITE, 2);
	tables.keys[B].next = C;
	tandem_ciphers_set(tables.arrays.ciphers, C, NULL);
	assert_int_equal(send_seq(A, B, 4), REASON_srtp_suite);
}

static void bad_arguments(void **state)
{
	struct srtp_keys keys = { .suite = SRTP_SUITES };
	struct master m = master_of(1);

	assert_int_equal(tandem_srtp_derive(&keys, SRTP_SUITE_NONE, m.key, m.salt), -EINVAL);
	assert_int_equal(tandem_srtp_derive(&keys, SRTP_SUITES, m.key, m.salt), -EINVAL);
	assert_int_equal(tandem_ciphers_set(tables.arrays.ciphers, KEYS, NULL), -EINVAL);
	assert_int_equal(tandem_ciphers_set(tables.arrays.ciphers, 1, &keys), -EINVAL);
	assert_false(tandem_cipher_able(tables.arrays.ciphers, KEYS, SUITE));
	assert_false(tandem_cipher_able(tables.arrays.ciphers, 1, SUITE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(index_guess),    TEST(window),	   TEST(window_race),
		TEST(replays),	      TEST(never_twice),   TEST(forgeries),
		TEST(cut_short),      TEST(key_change),	   TEST(mki),
		TEST(no_room),	      TEST(kept),	   TEST(e_flag),
		TEST(not_these_keys), TEST(bad_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
