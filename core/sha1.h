/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * SHA-1 (RFC 3174) for environments without one, in loops that a verifier can follow: the
 * schedule is in memory, since no stack has room for it and no loop is unrolled.
 */
#ifndef TANDEM_CORE_SHA1_H
#define TANDEM_CORE_SHA1_H

#include "core/byteorder.h"
#include "core/headers.h"
#include "core/srtp_abi.h"

#define SHA1_BLOCK 64
#define SHA1_STEPS 80
#define SHA1_SIZE  20

struct sha1 {
	__u32 h[SRTP_SHA1_WORDS]; /* the state; in host order */
	__u32 pad;
	__u32 w[SHA1_STEPS];
};

static inline __u32 sha1_rol(__u32 x, __u32 n)
{
	return x << n | x >> (32 - n);
}

/* The variables of RFC 3174 6.2. */
struct sha1_vars {
	__u32 a, b, c, d, e;
};

/* One step; f is the function and constant of its turn, with the variables as they are. */
static inline void sha1_step(struct sha1_vars *v, __u32 f, __u32 w)
{
	__u32 t = sha1_rol(v->a, 5) + f + v->e + w;

	v->e = v->d;
	v->d = v->c;
	v->c = sha1_rol(v->b, 30);
	v->b = v->a;
	v->a = t;
}

/* Take the block in s->w[0] to s->w[15] (host order) into s->h. */
static inline void sha1_schedule(struct sha1 *s)
{
	struct sha1_vars v = { s->h[0], s->h[1], s->h[2], s->h[3], s->h[4] };
	__u32 i;

	for (i = 16; i < SHA1_STEPS; i++)
		s->w[i] = sha1_rol(s->w[i - 3] ^ s->w[i - 8] ^ s->w[i - 14] ^ s->w[i - 16], 1);
	for (i = 0; i < 20; i++)
		sha1_step(&v, (v.d ^ (v.b & (v.c ^ v.d))) + 0x5a827999, s->w[i]);
	for (; i < 40; i++)
		sha1_step(&v, (v.b ^ v.c ^ v.d) + 0x6ed9eba1, s->w[i]);
	for (; i < 60; i++)
		sha1_step(&v, ((v.b & v.c) | (v.d & (v.b | v.c))) + 0x8f1bbcdc, s->w[i]);
	for (; i < SHA1_STEPS; i++)
		sha1_step(&v, (v.b ^ v.c ^ v.d) + 0xca62c1d6, s->w[i]);
	s->h[0] += v.a;
	s->h[1] += v.b;
	s->h[2] += v.c;
	s->h[3] += v.d;
	s->h[4] += v.e;
}

/* Take 64 bytes into the state. */
static inline void sha1_block(struct sha1 *s, const wire32 *block)
{
	__u32 i;

	for (i = 0; i < SHA1_BLOCK / 4; i++)
		s->w[i] = host32(block[i]);
	sha1_schedule(s);
}

/*
 * The outer hash of HMAC (RFC 2104): s->h is the finished inner one, and becomes the result.
 * One block has room for it, its padding and the length of 64 + 20 octets.
 */
static inline void sha1_outer(struct sha1 *s, const __u32 *outer)
{
	__u32 i;

	for (i = 0; i < SRTP_SHA1_WORDS; i++)
		s->w[i] = s->h[i];
	s->w[SRTP_SHA1_WORDS] = 0x80000000;
	for (i = SRTP_SHA1_WORDS + 1; i < 15; i++)
		s->w[i] = 0;
	s->w[15] = (SHA1_BLOCK + SHA1_SIZE) * 8;
	for (i = 0; i < SRTP_SHA1_WORDS; i++)
		s->h[i] = outer[i];
	sha1_schedule(s);
}

#endif
