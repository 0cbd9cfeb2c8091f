/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * AES (FIPS 197) for environments without one, four blocks at a time and bit-sliced: no table
 * is looked into and nothing branches, so that the time taken says nothing of key or data.
 *
 * A state is eight planes, plane i with bit i of all 64 bytes: that of row r and column c of
 * block b is at r * 16 + c * 4 + b. ShiftRows is never done. Behind n rounds, row r stands r * n
 * columns further right than it should; MixColumns looks for its rows there, so there are four
 * of it, and round keys are laid out the same way (fixslicing: Adomnicai and Peyrin, 2021).
 * SubBytes is the circuit of Boyar and Peralta (2010), without the constant 0x63; that is in
 * the round keys, since MixColumns leaves it as it is.
 */
#ifndef TANDEM_CORE_AES_H
#define TANDEM_CORE_AES_H

#include "core/byteorder.h"

#define AES_BLOCK      16
#define AES_BLOCKS     4 /* at a time */
#define AES_PLANES     8
#define AES_ROUNDS_MIN 10
#define AES_ROUNDS_MAX 14

/* Round keys, as planes, the same for all four blocks. rounds is 10 or 14; 0: no key. */
struct aes_schedule {
	__u64 key[AES_ROUNDS_MAX + 1][AES_PLANES];
	__u32 rounds;
	__u32 pad[3];
};

/*
 * Four blocks on their way: the planes, and what SubBytes keeps. It is used as volatile memory,
 * for a compiler that kept all this elsewhere would want more stack than BPF has.
 */
struct aes_state {
	__u64 q[AES_PLANES]; /* q[i] is of bit i */
	__u64 t1, t2, t3, t4, t6, t8, t9, t10, t13, t15, t16, t17, t19, t20, t22, t23, t27;
	__u64 m37, m38, m39, m40, m41, m42, m43, m44, m45;
};

/* What is worked with while a packet is in hand. */
struct aes_ctr {
	__u64 start[AES_PLANES];  /* counter block 0, with the first round key */
	__u64 stream[AES_PLANES]; /* 64 bytes of keystream */
	struct aes_state state;
};

/* What the inverse in GF(2^8) is made of. */
static inline void aes_sbox_top(volatile struct aes_state *s)
{
	const __u64 u0 = s->q[7], u3 = s->q[4], u5 = s->q[2], u6 = s->q[1];
	const __u64 t1 = u0 ^ u3, t3 = u0 ^ u6, t4 = u3 ^ u5, t5 = s->q[3] ^ u6, t6 = t1 ^ t5;
	const __u64 u1 = s->q[6], u2 = s->q[5], u7 = s->q[0];
	const __u64 t2 = u0 ^ u5, t7 = u1 ^ u2, t19 = t7 ^ u3 ^ u7, t22 = t7 ^ u6 ^ u7;
	const __u64 t11 = u1 ^ u5, t12 = u2 ^ u5, t16 = t5 ^ t12, t9 = u7 ^ t7;

	s->t1 = t1;
	s->t2 = t2;
	s->t3 = t3;
	s->t4 = t4;
	s->t6 = t6;
	s->t8 = u7 ^ t6;
	s->t9 = t9;
	s->t10 = t6 ^ t7;
	s->t13 = t3 ^ t4;
	s->t15 = t5 ^ t11;
	s->t16 = t16;
	s->t17 = t9 ^ t16;
	s->t19 = t19;
	s->t20 = t1 ^ t19;
	s->t22 = t22;
	s->t23 = t2 ^ t22;
	s->t27 = t1 ^ t12;
}

/* The inverse, in a tower of fields. */
static inline void aes_sbox_middle(volatile struct aes_state *s)
{
	const __u64 m1 = s->t13 & s->t6, m6 = s->t3 & s->t16, m11 = s->t1 & s->t15;
	const __u64 m13 = (s->t4 & s->t27) ^ m11, m15 = (s->t2 & s->t10) ^ m11;
	/* with t14, t24, t25 and t26 of the circuit, which are not needed again */
	const __u64 m20 = (s->t23 & s->t8) ^ s->t1 ^ s->t15 ^ m1 ^ m13;
	const __u64 m21 = (s->t19 & s->q[0]) ^ s->t2 ^ s->t10 ^ m1 ^ m15;
	const __u64 m22 = (s->t22 & s->t9) ^ s->t3 ^ s->t16 ^ m6 ^ m13;
	const __u64 m23 = (s->t20 & s->t17) ^ s->t20 ^ s->t17 ^ m6 ^ m15;
	const __u64 m24 = m22 ^ m23, m25 = m22 & m20, m27 = m20 ^ m21;
	const __u64 m37 = m21 ^ ((m23 ^ m25) & m27), m39 = m23 ^ ((m21 ^ m25) & m24);
	const __u64 m38 = (m20 & m23 & m27) ^ m27 ^ m25, m40 = (m21 & m22 & m24) ^ m24 ^ m25;
	const __u64 m41 = m38 ^ m40, m42 = m37 ^ m39;

	s->m37 = m37;
	s->m38 = m38;
	s->m39 = m39;
	s->m40 = m40;
	s->m41 = m41;
	s->m42 = m42;
	s->m43 = m37 ^ m38;
	s->m44 = m39 ^ m40;
	s->m45 = m42 ^ m41;
}

/*
 * Out of the tower again, with the affine map. In this order the fewest values are needed at
 * a time.
 */
static inline void aes_sbox_bottom(volatile struct aes_state *s)
{
	const __u64 m61 = s->m42 & s->t1, l0 = m61 ^ (s->m45 & s->t4);
	const __u64 l6 = (s->m43 & s->t16) ^ l0;
	const __u64 m50 = s->m38 & s->t9, m56 = s->m40 & s->t23, l1 = m50 ^ m56;
	const __u64 m55 = s->m44 & s->t13, l3 = (s->m40 & s->t8) ^ m55;
	const __u64 m46 = s->m44 & s->t6, l7 = m46 ^ l3;
	const __u64 m48 = s->m39 & s->q[0], l2 = m46 ^ m48;
	__u64 m51, m52, m53, m58, l4, l8, l9, l10, l11;

	s->q[4] = l6 ^ l1 ^ l7;
	m52 = s->m42 & s->t15;
	m53 = s->m45 & s->t27;
	l9 = m52 ^ m53;
	s->q[7] = l6 ^ m55 ^ l1 ^ l9;
	s->q[6] = m56 ^ l0 ^ l7 ^ l9;
	m51 = s->m37 & s->t17;
	s->q[3] = l0 ^ l1 ^ l3 ^ m48 ^ m51;
	l8 = m51 ^ (s->m38 & s->t22);
	m58 = s->m43 & s->t3;
	s->q[0] = l6 ^ m58 ^ l8 ^ l2;
	l4 = (s->m41 & s->t10) ^ m58;
	l10 = m53 ^ l4;
	s->q[1] = m50 ^ l0 ^ l8 ^ l10;
	l11 = (s->m37 & s->t20) ^ l2;
	s->q[5] = (s->m41 & s->t2) ^ l4 ^ l11 ^ m52 ^ m61;
	s->q[2] = l6 ^ l10 ^ l11 ^ (s->m39 & s->t19) ^ l1;
}

static inline void aes_sbox(volatile struct aes_state *s)
{
	aes_sbox_top(s);
	aes_sbox_middle(s);
	aes_sbox_bottom(s);
}

static inline __u64 aes_turn(__u64 x, __u32 n)
{
	return x >> n | x << (64 - n);
}

/* The row below, k columns on: x of (r + 1, c + k) comes to (r, c). */
static inline __u64 aes_row1(__u64 x, __u32 k)
{
	const __u64 wrap = x & 0x0001000100010001ULL * ((1 << 4 * k) - 1);

	if (k == 0)
		return aes_turn(x, 16);
	return aes_turn(x ^ wrap, 16 + 4 * k) | aes_turn(wrap, 4 * k);
}

/* The second row below, 2 * k columns on. */
static inline __u64 aes_row2(__u64 x, __u32 k)
{
	if (k % 2 == 0)
		return aes_turn(x, 32);
	x = __builtin_bswap64(x);
	return (x & 0x0000ffff0000ffffULL) << 16 | (x >> 16 & 0x0000ffff0000ffffULL);
}

/*
 * One plane, with its round key; below is what the plane below comes to when multiplied. Returns
 * that of this one.
 */
static inline __u64 aes_mix(volatile __u64 *q, __u64 key, __u64 below, __u32 k)
{
	const __u64 x = *q, row = aes_row1(x, k), sum = x ^ row;

	*q = row ^ aes_row2(sum, k) ^ below ^ key;
	return sum;
}

/*
 * MixColumns and AddRoundKey. What leaves plane 7 comes back in 0, 1, 3 and 4: x^8 is
 * x^4 + x^3 + x + 1.
 */
static inline void aes_mixcolumns(volatile __u64 *q, const __u64 *key, __u32 k)
{
	const __u64 last = q[7], top = last ^ aes_row1(last, k);
	__u64 below = top;

	below = aes_mix(&q[0], key[0], below, k);
	below = aes_mix(&q[1], key[1], below ^ top, k);
	below = aes_mix(&q[2], key[2], below, k);
	below = aes_mix(&q[3], key[3], below ^ top, k);
	below = aes_mix(&q[4], key[4], below ^ top, k);
	below = aes_mix(&q[5], key[5], below, k);
	below = aes_mix(&q[6], key[6], below, k);
	aes_mix(&q[7], key[7], below, k);
}

/* Exchange bits of *a with those of *b that are n higher, where mask has them in *a. */
static inline void aes_exchange(volatile __u64 *a, volatile __u64 *b, __u64 mask, __u32 n)
{
	const __u64 x = *a, y = *b, diff = (y >> n ^ x) & mask;

	*a = x ^ diff;
	*b = y ^ diff << n;
}

/* The same within a word. */
static inline __u64 aes_swap(__u64 x, __u64 mask, __u32 n)
{
	const __u64 diff = (x >> n ^ x) & mask;

	return x ^ diff ^ diff << n;
}

/* Eight bytes of each word to eight planes, bit by bit, and back. */
static inline void aes_transpose(volatile __u64 *q)
{
	aes_exchange(&q[1], &q[0], 0x5555555555555555ULL, 1);
	aes_exchange(&q[3], &q[2], 0x5555555555555555ULL, 1);
	aes_exchange(&q[5], &q[4], 0x5555555555555555ULL, 1);
	aes_exchange(&q[7], &q[6], 0x5555555555555555ULL, 1);
	aes_exchange(&q[2], &q[0], 0x3333333333333333ULL, 2);
	aes_exchange(&q[3], &q[1], 0x3333333333333333ULL, 2);
	aes_exchange(&q[6], &q[4], 0x3333333333333333ULL, 2);
	aes_exchange(&q[7], &q[5], 0x3333333333333333ULL, 2);
	aes_exchange(&q[4], &q[0], 0x0f0f0f0f0f0f0f0fULL, 4);
	aes_exchange(&q[5], &q[1], 0x0f0f0f0f0f0f0f0fULL, 4);
	aes_exchange(&q[6], &q[2], 0x0f0f0f0f0f0f0f0fULL, 4);
	aes_exchange(&q[7], &q[3], 0x0f0f0f0f0f0f0f0fULL, 4);
}

/* Columns 1 and 2 change places between the halves of each block. */
static inline void aes_halves(volatile __u64 *q)
{
	aes_exchange(&q[4], &q[0], 0x00000000ffffffffULL, 32);
	aes_exchange(&q[5], &q[1], 0x00000000ffffffffULL, 32);
	aes_exchange(&q[6], &q[2], 0x00000000ffffffffULL, 32);
	aes_exchange(&q[7], &q[3], 0x00000000ffffffffULL, 32);
}

/* Words to planes: q[b] and q[4 + b] are the halves of block b, little-endian. */
static inline void aes_slice(volatile __u64 *q)
{
	int i;

	aes_halves(q);
	for (i = 0; i < AES_PLANES; i++)
		q[i] = aes_swap(aes_swap(q[i], 0x00000000ffff0000ULL, 16), 0x0000ff000000ff00ULL,
				8);
	aes_transpose(q);
}

static inline void aes_unslice(volatile __u64 *q)
{
	int i;

	aes_transpose(q);
	for (i = 0; i < AES_PLANES; i++)
		q[i] = aes_swap(aes_swap(q[i], 0x0000ff000000ff00ULL, 8), 0x00000000ffff0000ULL,
				16);
	aes_halves(q);
}

static inline void aes_round(volatile struct aes_state *s, const __u64 *key, __u32 k)
{
	aes_sbox(s);
	aes_mixcolumns(s->q, key, k);
}

/* Four blocks through all rounds; the first round key is in them, rounds is 10 or 14. */
static inline void aes_rounds(volatile struct aes_state *s, const __u64 (*key)[AES_PLANES],
			      __u32 rounds)
{
	__u32 n;
	int i;

	for (n = 0; n < AES_ROUNDS_MAX / 4 && n < rounds / 4; n++) {
		aes_round(s, key[1], 1);
		aes_round(s, key[2], 2);
		aes_round(s, key[3], 3);
		aes_round(s, key[4], 0);
		key += 4;
	}
	aes_round(s, key[1], 1);
	aes_sbox(s);
	/* rows 1 and 3 are two columns off */
	for (i = 0; i < AES_PLANES; i++)
		s->q[i] = aes_swap(s->q[i] ^ key[2][i], 0x00ff000000ff0000ULL, 8);
}

static inline __u64 aes_little(__u64 x)
{
	return CORE_LITTLE_ENDIAN ? x : __builtin_bswap64(x);
}

/*
 * Begin with a packet: iv is the first counter block, its last 16 bits are 0. Returns 0 if the
 * schedule has no key.
 */
static inline int aes_ctr_begin(struct aes_ctr *ctr, const struct aes_schedule *schedule,
				const __u64 *iv)
{
	volatile __u64 *q = ctr->state.q;
	int i;

	if (schedule->rounds != AES_ROUNDS_MIN && schedule->rounds != AES_ROUNDS_MAX)
		return 0;
	for (i = 0; i < AES_PLANES; i++)
		q[i] = aes_little(iv[i / AES_BLOCKS]);
	aes_slice(q);
	for (i = 0; i < AES_PLANES; i++)
		ctr->start[i] = q[i] ^ schedule->key[0][i];
	return 1;
}

/*
 * The keystream of blocks 4 * n to 4 * n + 3, to ctr->stream; n is at most 63. The number of
 * the block is in its last byte: row 3, column 3, the upper four bits of each plane.
 */
static inline void aes_ctr_blocks(struct aes_ctr *ctr, const struct aes_schedule *schedule, __u32 n)
{
	volatile struct aes_state *s = &ctr->state;
	int i;

	s->q[0] = ctr->start[0] ^ 0xaULL << 60;
	s->q[1] = ctr->start[1] ^ 0xcULL << 60;
	for (i = 2; i < AES_PLANES; i++)
		s->q[i] = ctr->start[i] ^ -(__u64)(n >> (i - 2) & 1) << 60;
	aes_rounds(s, schedule->key, schedule->rounds);
	aes_unslice(s->q);
	for (i = 0; i < AES_BLOCKS; i++) {
		ctr->stream[2 * i] = aes_little(s->q[i]);
		ctr->stream[2 * i + 1] = aes_little(s->q[AES_BLOCKS + i]);
	}
}

/* SubBytes of one byte. */
static inline __u8 aes_sub(__u8 x)
{
	struct aes_state s;
	__u8 y = 0;
	int i;

	for (i = 0; i < AES_PLANES; i++)
		s.q[i] = x >> i & 1;
	aes_sbox(&s);
	for (i = 0; i < AES_PLANES; i++)
		y |= (__u8)((s.q[i] & 1) << i);
	return y ^ 0x63;
}

/* A byte of a round key comes to where its row stands behind so many rounds. */
static inline void aes_schedule_byte(struct aes_schedule *schedule, __u32 round, __u32 at, __u8 x)
{
	const __u32 row = at % 4, column = (at / 4 + row * round) % 4;
	__u32 i;

	x ^= round ? 0x63 : 0;
	for (i = 0; i < AES_PLANES; i++)
		schedule->key[round][i] |= (x >> i & 1) * 15ULL << (row * 16 + column * 4);
}

/*
 * Round keys of a key of 16 or 32 octets, FIPS 197 5.2; any other size leaves a schedule without a
 * key. Done once for a key.
 */
static inline void aes_schedule_set(struct aes_schedule *schedule, const __u8 *key, __u32 size)
{
	const __u32 rounds = size == 16 ? 10 : size == 32 ? AES_ROUNDS_MAX : 0;
	__u8 last[32] = {}, t[4], rcon = 1;
	__u32 i, j;

	*schedule = (struct aes_schedule){ .rounds = rounds };
	for (i = 0; rounds && i < AES_BLOCK * (rounds + 1); i += 4) {
		for (j = 0; j < 4; j++)
			t[j] = i < size ? key[i + j] : last[(i + j - 4) % size];
		if (i >= size && i % size == 0) {
			const __u8 first = t[0];

			t[0] = aes_sub(t[1]) ^ rcon;
			t[1] = aes_sub(t[2]);
			t[2] = aes_sub(t[3]);
			t[3] = aes_sub(first);
			rcon = (__u8)(rcon << 1 ^ (rcon >> 7) * 0x1b);
		} else if (i >= size && size == 32 && i % size == 16) {
			for (j = 0; j < 4; j++)
				t[j] = aes_sub(t[j]);
		}
		for (j = 0; j < 4; j++) {
			last[(i + j) % size] = t[j] ^ (i < size ? 0 : last[(i + j) % size]);
			aes_schedule_byte(schedule, i / AES_BLOCK, (i + j) % AES_BLOCK,
					  last[(i + j) % size]);
		}
	}
}

#endif
