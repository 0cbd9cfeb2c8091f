/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which packets of an SSRC have been: the index (RFC 3711 3.3.1) and the replay window (3.3.2)
 * of struct srtp_stream. A receiver asks so that nothing is heard twice, a sender so that no
 * keystream is used twice.
 *
 * The window is a ring of words, each for a block of 48 indices: a bit for each, and above
 * them the lower 16 bits of the block's number. A packet is entered by exchanging one word,
 * so of two CPUs with the same index one has it, whatever they saw before. The four blocks
 * cover the last 128 indices wherever in its block the highest is.
 */
#ifndef TANDEM_CORE_SRTP_WINDOW_H
#define TANDEM_CORE_SRTP_WINDOW_H

#include "core/abi.h"
#include "core/env_api.h"
#include "core/srtp_abi.h"

#define SRTP_WINDOW	 128 /* indices, the highest included */
#define SRTP_BLOCK	 48
#define SRTP_BLOCK_BITS	 ((1ULL << SRTP_BLOCK) - 1)
#define SRTP_TRIES	 8 /* exchanges that may be lost to other CPUs */
#define SRTP_SEQ_HALF	 0x8000U
#define SRTP_INDEX_LIMIT (1ULL << 48)
#define SRTCP_LAST	 0x7fffffffU

/* The index that a sequence number stands for when top is the highest so far. */
static inline __u64 srtp_index_guess(__u64 top, __u32 seq)
{
	__u64 roc = top >> 16;
	__u32 high = top & 0xffff;

	if (top <= SRTP_SEQ_HALF)
		return seq;
	if (high < SRTP_SEQ_HALF && seq > high + SRTP_SEQ_HALF)
		roc--;
	else if (high > seq + SRTP_SEQ_HALF)
		roc++;
	return roc << 16 | seq;
}

static inline __u64 srtp_read(const __u64 *word)
{
	return *(const volatile __u64 *)word;
}

/* Is index neither too old to know of, nor one that has been? */
static inline int srtp_window_open(const __u64 *window, __u64 top, __u64 index)
{
	__u64 block = index / SRTP_BLOCK, word = srtp_read(&window[block % SRTP_WINDOW_WORDS]);

	if (index + SRTP_WINDOW <= top)
		return 0;
	return word >> SRTP_BLOCK != (block & 0xffff) || !(word >> (index % SRTP_BLOCK) & 1);
}

/* The word with index entered. Returns 0 when it was there, or the word is of a later block. */
static inline __u64 srtp_window_word(__u64 word, __u64 index)
{
	__u64 block = index / SRTP_BLOCK, bit = 1ULL << (index % SRTP_BLOCK);
	__u16 ahead = (__u16)(block - (word >> SRTP_BLOCK));

	if (ahead == 0)
		return word & bit ? 0 : word | bit;
	if (ahead & SRTP_SEQ_HALF && word & SRTP_BLOCK_BITS)
		return 0;
	return block << SRTP_BLOCK | bit;
}

/* Enter index. Returns 0 when it is not open, or no longer. */
static inline int srtp_window_enter(__u64 *window, __u64 *top, __u64 index)
{
	__u64 *word = &window[index / SRTP_BLOCK % SRTP_WINDOW_WORDS];
	__u64 old, new = 0;
	int i;

	if (index + SRTP_WINDOW <= srtp_read(top))
		return 0;
	for (i = 0; i < SRTP_TRIES; i++) {
		old = srtp_read(word);
		new = srtp_window_word(old, index);
		if (new == 0 || __sync_val_compare_and_swap(word, old, new) == old)
			break;
	}
	if (new == 0 || i == SRTP_TRIES)
		return 0;
	for (i = 0; i < SRTP_TRIES; i++) {
		old = srtp_read(top);
		if (index <= old || __sync_val_compare_and_swap(top, old, index) == old)
			break;
	}
	return 1;
}

/*
 * Index of the entry that ssrc has under keys; with create, a free one becomes it. CPUs that
 * look for a free one meet at the same, so that an SSRC never has two. TANDEM_NO_SLOT: it has
 * none, or there is no room.
 */
static inline __u32 srtp_stream_of(struct env *env, const struct srtp_keys *keys, __u32 ssrc,
				   int create)
{
	const __u64 owner = SRTP_OWNED | ssrc;
	struct srtp_stream *s;
	__u64 found;
	__u32 i;

	for (i = 0; i < SRTP_SSRCS_MAX && i < keys->stream_count; i++) {
		s = env_srtp_stream(env, keys->first_stream + i);
		if (!s)
			break;
		found = srtp_read(&s->owner);
		if (!found && create)
			found = __sync_val_compare_and_swap(&s->owner, 0, owner) ?: owner;
		if (found == owner)
			return keys->first_stream + i;
		if (!found)
			break;
	}
	return TANDEM_NO_SLOT;
}

#endif
