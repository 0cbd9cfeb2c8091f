/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SRTP in a table: the arrays of core/srtp_abi.h, and what the kernel's ciphers need for each
 * set of keys. That is allocated when keys are set, under the namespace's lock, and freed once
 * no packet can be at it; for a packet nothing is allocated here.
 *
 * The streams are memory that a relay may map (device.c), so that what is punted goes on with
 * the same indices. Whoever sets keys clears their streams before; here nobody does.
 */
#ifndef TANDEM_KMOD_SRTP_H
#define TANDEM_KMOD_SRTP_H

#include <linux/kref.h>
#include <linux/types.h>

#include "core/srtp_abi.h"
#include "core/srtp_job.h"

#define TABLE_SRTPS_MAX	       (1U << 20)
#define TABLE_SRTP_STREAMS_MAX (1U << 22)

struct crypto_shash;
struct file;
struct srtp_context;
struct vm_area_struct;

/* The array of streams; lives on while it is mapped. */
struct srtp_memory {
	struct kref ref;
	unsigned long pages;
	struct srtp_stream *streams;
	struct file *owner; /* of mappings; nothing is in it */
};

/* All zero when the table has no SRTP. */
struct tandem_srtp {
	u32 count;
	u32 stream_count;
	struct srtp_keys *keys;
	struct srtp_context __rcu **contexts; /* by index of the keys */
	struct srtp_memory *memory;
	struct crypto_shash *sha1;
	void *__percpu *requests; /* for AEAD: one per CPU, since one packet is in hand there */
};

/* Once for the module. -ENOMEM. */
int tandem_srtp_init(void);

/* No table may be there any more. */
void tandem_srtp_exit(void);

/*
 * The arrays, count and stream_count long, or nothing if both are 0. -EINVAL for lengths that
 * do not go together, -EOPNOTSUPP: this kernel's SHA-1 cannot go on from a state; -ENOMEM.
 */
int tandem_srtp_open(struct tandem_srtp *srtp, u32 count, u32 stream_count);

/* Frees all, keys wiped. No packet may be at it. Also of what was not opened, or in part. */
void tandem_srtp_close(struct tandem_srtp *srtp);

/*
 * Write the keys of an index; NULL: wipe them. gen is not read. Process context. -EINVAL for an
 * index, or keys, that do not fit the arrays or the suite; else what
 * tandem_srtp_context_alloc() says.
 */
int tandem_srtp_set(struct tandem_srtp *srtp, u32 index, const struct srtp_keys *keys);

/* Are there keys at this index? Under the namespace's lock. */
bool tandem_srtp_is_set(const struct tandem_srtp *srtp, u32 index);

/* ---- srtp_memory: streams ---- */

/*
 * Map all of it; the mapping stays good without table and module. -EINVAL when it is longer than the
 * memory.
 */
int tandem_srtp_memory_map(const struct srtp_memory *memory, struct vm_area_struct *vma);
void tandem_srtp_memory_put(struct srtp_memory *memory);

/* ---- for packets: under RCU with softirqs off; see core/srtp_job.h ---- */
bool tandem_srtp_able(const struct tandem_srtp *srtp, u32 index, u8 suite);
int tandem_srtp_ctr(const struct tandem_srtp *srtp, const struct srtp_job *job, void *payload);
int tandem_srtp_hmac(const struct tandem_srtp *srtp, struct srtp_job *job, const void *payload);
int tandem_srtp_gcm(const struct tandem_srtp *srtp, const struct srtp_job *job, void *payload,
		    const void *end);

#endif
