/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Internet checksum, changed incrementally (RFC 1624, equation 3): a packet that
 * arrives with a wrong checksum leaves with a wrong one, so the receiver
 * still finds the damage.
 *
 * A delta is the sum of ~old + new over all changed words, as they lie in memory;
 * one's complement addition does not care for byte order, nor whether words are
 * taken by two or by four bytes. Words must start at even offsets.
 */
#ifndef TANDEM_CORE_CHECKSUM_H
#define TANDEM_CORE_CHECKSUM_H

#include <linux/types.h>

static inline void csum_change16(__u64 *delta, __be16 from, __be16 to)
{
	*delta += (__u16)~from + (__u32)to;
}

static inline void csum_change32(__u64 *delta, __be32 from, __be32 to)
{
	*delta += (__u32)~from;
	*delta += to;
}

/* What len bytes from an even offset on add up to, as words in memory. */
static inline __u64 csum_bytes(const void *bytes, __u32 len)
{
	const __u8 *p = bytes, *const end = p + len;
	__u8 last[4] = { 0, 0, 0, 0 };
	__u64 sum = 0;
	__u32 word, i;

	for (; end - p >= 4; p += 4) {
		__builtin_memcpy(&word, p, sizeof(word));
		sum += word;
	}
	for (i = 0; p + i < end; i++)
		last[i] = p[i];
	__builtin_memcpy(&word, last, sizeof(word));
	return sum + word;
}

/* To 16 bits. Enough for any delta the pipeline can add up to. (csum_fold() is a kernel's.) */
static inline __u16 csum_fold16(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)sum;
}

/* The checksum field that follows from check once delta is applied. */
static inline __be16 csum_apply(__be16 check, __u64 delta)
{
	return (__be16)~csum_fold16(delta + (__u16)~check);
}

/* Same for UDP, where 0 would mean that there is none (RFC 768). */
static inline __be16 csum_apply_udp(__be16 check, __u64 delta)
{
	__be16 result = csum_apply(check, delta);

	return result ? result : (__be16)0xffff;
}

#endif
