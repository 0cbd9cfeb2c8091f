/* SPDX-License-Identifier: GPL-2.0-only */
#include "dpdk/copy.h"

#include <rte_memcpy.h>

#include "core/copy.h"

/* The first len bytes of whole in an mbuf of their own, aligned alike; NULL: none left. */
static struct rte_mbuf *copy_bytes(struct env *env, const struct rte_mbuf *whole, uint16_t len)
{
	struct rte_mbuf *copy = rte_pktmbuf_alloc(env->copier->frames);
	void *data;

	if (!copy)
		return NULL;
	copy->data_off += (rte_pktmbuf_mtod(whole, uintptr_t) - rte_pktmbuf_mtod(copy, uintptr_t)) &
			  (sizeof(uint32_t) - 1);
	data = rte_pktmbuf_append(copy, len);
	if (!data) {
		rte_pktmbuf_free(copy);
		return NULL;
	}
	rte_memcpy(data, rte_pktmbuf_mtod(whole, const void *), len);
	return copy;
}

/* The first head bytes of whole, and behind them a reference to the others. */
static struct rte_mbuf *copy_chain(struct env *env, struct rte_mbuf *whole, uint16_t head)
{
	struct rte_mbuf *copy = copy_bytes(env, whole, head), *rest;

	if (!copy)
		return NULL;
	rest = rte_pktmbuf_alloc(env->copier->clones);
	if (!rest) {
		rte_pktmbuf_free(copy);
		return NULL;
	}
	rte_pktmbuf_attach(rest, whole);
	rte_pktmbuf_adj(rest, head);
	copy->next = rest;
	copy->nb_segs = 2;
	copy->pkt_len += rest->data_len;
	return copy;
}

/* Will the copy for this leg have another payload than the frame that came? */
static bool changes_payload(struct env *env, const struct plan *plan, uint32_t leg)
{
	const struct leg *l = env_leg(env, leg);

	return plan->class != CLASS_RTP || !l || l->egress.srtp != SRTP_NO_KEYS ||
	       egress_law(&l->egress, plan->pt_index) >= 0;
}

/* Bytes in front that translation may change; 0: the frame is better copied as a whole. */
static uint16_t chain_head(const struct env *env, const struct frame *f, const struct plan *plan,
			   const struct rte_mbuf *whole)
{
	uint32_t head;

	if (plan->class != CLASS_RTP)
		return 0;
	head = f->udp_off + sizeof(struct udp_hdr) + plan->rtp.head;
	return rte_pktmbuf_data_len(whole) - head < env->copier->chain_min ? 0 : (uint16_t)head;
}

void dpdk_copies(struct env *env, const struct frame *f, struct plan *plan, struct rte_mbuf *whole)
{
	uint16_t head = chain_head(env, f, plan, whole);
	uint32_t port;

	for (uint32_t n = 0; n < plan->legs; n++) {
		uint32_t leg = plan->leg + n, mark = dpdk_protect_mark(env);
		bool changed = changes_payload(env, plan, leg);
		struct rte_mbuf *copy;

		if (n + 1 == plan->legs && (!changed || rte_mbuf_refcnt_read(whole) == 1)) {
			copy = whole; /* nobody needs it as it came any more */
			whole = NULL;
		} else if (head && !changed) {
			copy = copy_chain(env, whole, head);
		} else {
			copy = copy_bytes(env, whole, rte_pktmbuf_data_len(whole));
		}
		if (!copy) {
			relay_copy_failed(env, leg);
			continue;
		}
		env->mbuf = copy;
		if (relay_copy(env, f, plan, n, &port) == REASON_NONE) {
			env->copier->copy_h(copy, port - 1, leg, env->copier->arg);
			continue;
		}
		dpdk_protect_back(env, mark);
		rte_pktmbuf_free(copy);
	}
	rte_pktmbuf_free(whole);
}

void dpdk_copy_failed(struct env *env, uint32_t leg)
{
	relay_copy_failed(env, leg);
}
