/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * SHA-1 (RFC 3174) for environments without one. All steps are written out, so that the five
 * variables stay in registers and change names, not places. The schedule of 16 words is in
 * memory, and is volatile: a compiler that kept its words elsewhere would want more stack for
 * that than BPF has.
 */
#ifndef TANDEM_CORE_SHA1_H
#define TANDEM_CORE_SHA1_H

#include "core/byteorder.h"
#include "core/headers.h"
#include "core/srtp_abi.h"

#define SHA1_BLOCK 64
#define SHA1_WORDS 16
#define SHA1_SIZE  20

struct sha1 {
	__u32 h[SRTP_SHA1_WORDS]; /* the state; in host order */
	__u32 pad;
	volatile __u32 w[SHA1_WORDS];
};

static inline __u32 sha1_rol(__u32 x, __u32 n)
{
	return x << n | x >> (32 - n);
}

/* Word t of the schedule, which takes the place of word t - 16. */
static inline __u32 sha1_word(struct sha1 *s, __u32 t)
{
	__u32 x;

	if (t < SHA1_WORDS)
		return s->w[t];
	x = s->w[(t - 3) % SHA1_WORDS];
	x ^= s->w[(t - 8) % SHA1_WORDS];
	x ^= s->w[(t - 14) % SHA1_WORDS];
	x ^= s->w[t % SHA1_WORDS];
	x = sha1_rol(x, 1);
	s->w[t % SHA1_WORDS] = x;
	return x;
}

/* Function and constant of step t (RFC 3174 section 5). */
static inline __u32 sha1_f(__u32 t, __u32 b, __u32 c, __u32 d)
{
	if (t < 20)
		return (d ^ (b & (c ^ d))) + 0x5a827999;
	if (t < 40)
		return (b ^ c ^ d) + 0x6ed9eba1;
	if (t < 60)
		return ((b & c) | (d & (b | c))) + 0x8f1bbcdc;
	return (b ^ c ^ d) + 0xca62c1d6;
}

/* One step: e becomes the new a, b the new c; the next step has all names one further. */
#define SHA1_STEP(s, t, a, b, c, d, e)                                                             \
	do {                                                                                       \
		e += sha1_word(s, t) + sha1_f(t, b, c, d) + sha1_rol(a, 5);                        \
		b = sha1_rol(b, 30);                                                               \
	} while (0)

#define SHA1_5_STEPS(s, t)                                                                         \
	do {                                                                                       \
		SHA1_STEP(s, t, a, b, c, d, e);                                                    \
		SHA1_STEP(s, (t) + 1, e, a, b, c, d);                                              \
		SHA1_STEP(s, (t) + 2, d, e, a, b, c);                                              \
		SHA1_STEP(s, (t) + 3, c, d, e, a, b);                                              \
		SHA1_STEP(s, (t) + 4, b, c, d, e, a);                                              \
	} while (0)

#define SHA1_20_STEPS(s, t)                                                                        \
	do {                                                                                       \
		SHA1_5_STEPS(s, t);                                                                \
		SHA1_5_STEPS(s, (t) + 5);                                                          \
		SHA1_5_STEPS(s, (t) + 10);                                                         \
		SHA1_5_STEPS(s, (t) + 15);                                                         \
	} while (0)

/* Take the block in s->w (host order) into s->h. */
static inline void sha1_schedule(struct sha1 *s)
{
	__u32 a = s->h[0], b = s->h[1], c = s->h[2], d = s->h[3], e = s->h[4];

	SHA1_20_STEPS(s, 0);
	SHA1_20_STEPS(s, 20);
	SHA1_20_STEPS(s, 40);
	SHA1_20_STEPS(s, 60);
	s->h[0] += a;
	s->h[1] += b;
	s->h[2] += c;
	s->h[3] += d;
	s->h[4] += e;
}

/* Take 64 bytes into the state. */
static inline void sha1_block(struct sha1 *s, const wire32 *block)
{
	__u32 i;

	for (i = 0; i < SHA1_WORDS; i++)
		s->w[i] = host32(block[i]);
	sha1_schedule(s);
}

/*
 * The one block of the outer hash of HMAC (RFC 2104): s->h is the finished inner one. It has room
 * for that, its padding and the length of 64 + 20 octets.
 */
static inline void sha1_outer_words(struct sha1 *s, const __u32 *outer)
{
	__u32 i;

	for (i = 0; i < SRTP_SHA1_WORDS; i++)
		s->w[i] = s->h[i];
	s->w[SRTP_SHA1_WORDS] = 0x80000000;
	for (i = SRTP_SHA1_WORDS + 1; i < SHA1_WORDS - 1; i++)
		s->w[i] = 0;
	s->w[SHA1_WORDS - 1] = (SHA1_BLOCK + SHA1_SIZE) * 8;
	for (i = 0; i < SRTP_SHA1_WORDS; i++)
		s->h[i] = outer[i];
}

/* All of it: the inner hash in s->h becomes the result. */
static inline void sha1_outer(struct sha1 *s, const __u32 *outer)
{
	sha1_outer_words(s, outer);
	sha1_schedule(s);
}

#endif
