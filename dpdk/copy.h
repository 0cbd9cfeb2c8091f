/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies of a frame with many egresses. Translation changes the headers alone, as a rule; so
 * a copy is a small mbuf with headers of its own, chained to another that refers to the
 * payload of the frame that came. A payload that is short, or changed itself, is copied.
 */
#ifndef TANDEM_DPDK_COPY_H
#define TANDEM_DPDK_COPY_H

#include <rte_mbuf.h>
#include <stdint.h>

struct env;
struct frame;
struct plan;

/* A copy that leaves by the port of this number; leg is its index in the table. */
typedef void(dpdk_copy_h)(struct rte_mbuf *copy, uint32_t port, uint32_t leg, void *arg);

/* Where one worker's copies come from and go to. */
struct dpdk_copier {
	struct rte_mempool *frames; /* headers and whole copies */
	struct rte_mempool *clones; /* mbufs that refer to the data of others */
	uint32_t chain_min;	    /* payloads of so many bytes and more are referred to */
	dpdk_copy_h *copy_h;
	void *arg;
};

/*
 * Make and hand over the copies of a frame that relay_frame() said to forward to many, by
 * rising number of their legs. Takes whole, which is the frame. What cannot be made for want
 * of mbufs is counted as lost.
 */
void dpdk_copies(struct env *env, const struct frame *f, struct plan *plan, struct rte_mbuf *whole);

/* A copy that was handed over could not be sent. */
void dpdk_copy_failed(struct env *env, uint32_t leg);

#endif
