/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SRTP of a burst. One packet after the other waits for memory, and its hash for itself; so what
 * the frames of a burst will need is asked for ahead, and their HMACs are made side by side
 * (userspace/srtp/hmacs.h). The pipeline does not know: what it asks for of a packet that
 * arrives has been computed before, and is believed only if it is for exactly the same; and the tag of a packet
 * that leaves is filled in after it. Frames stay in their order.
 *
 * One struct dpdk_protect for each worker; of a struct env without one each packet is hashed by itself.
 */
#ifndef TANDEM_DPDK_PROTECT_H
#define TANDEM_DPDK_PROTECT_H

#include <rte_mbuf.h>
#include <stdint.h>

#include "core/srtp_job.h"
#include "userspace/srtp/hmacs.h"

#define DPDK_BURST 32 /* frames that are looked at ahead */

struct env;

/* A packet that arrived: job, as srtp_admit() left it, and where it lies. */
struct dpdk_opening {
	struct srtp_job job;
	const uint8_t *payload;
};

/* A packet that leaves, and lacks its tag; word is the ROC, which is hashed and not sent. */
struct dpdk_sealing {
	uint8_t *payload;
	uint32_t word_off; /* 0: RTCP, which has its index in the packet */
	uint32_t word;
	uint32_t tag_off;
	uint32_t tag_len;
};

struct dpdk_protect {
	struct tandem_hmacs *hmacs;
	uint32_t opening_count;
	uint32_t opening_next; /* of those, in the order of the frames */
	uint32_t sealing_count;
	struct dpdk_opening opening[DPDK_BURST];
	struct tandem_hmac_job opening_job[DPDK_BURST];
	struct dpdk_sealing sealing[TANDEM_HMACS_MAX];
	struct tandem_hmac_job sealing_job[TANDEM_HMACS_MAX];
} __rte_cache_aligned;

/* NULL: no memory. */
struct dpdk_protect *dpdk_protect_alloc(void);
void dpdk_protect_free(struct dpdk_protect *protect);

/*
 * Before the frames of a burst, at most DPDK_BURST, go through the pipeline in their order: fetch what
 * those of established flows need, and hash those that arrive protected. Their contents are as before.
 */
void dpdk_protect_ahead(struct env *env, struct rte_mbuf *const *frames, uint32_t n);

/* Fill in the tags that lack, and the UDP checksums with them. Before any of the frames is sent. */
void dpdk_protect_finish(struct env *env);

/*
 * A frame that is given up after it was sealed has no tag to be filled in: mark before it, back after
 * it has failed.
 */
uint32_t dpdk_protect_mark(struct env *env);
void dpdk_protect_back(struct env *env, uint32_t mark);

/* env_srtp_hmac(). */
int dpdk_protect_hmac(struct env *env, struct srtp_job *job, void *payload);

#endif
