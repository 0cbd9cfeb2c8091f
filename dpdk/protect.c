/* SPDX-License-Identifier: GPL-2.0-only */
#include "dpdk/protect.h"

#include <rte_prefetch.h>
#include <stdlib.h>
#include <string.h>

#include "core/checksum.h"
#include "core/classify.h"
#include "core/lookup.h"
#include "core/rtp.h"
#include "core/srtp.h"
#include "dpdk/env.h"
#include "dpdk/packet.h"

#define LINE	    64
#define FRAME_LINES 4 /* of a frame with G.711 */

struct dpdk_protect *dpdk_protect_alloc(void)
{
	struct dpdk_protect *p = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*p));

	if (!p)
		return NULL;
	memset(p, 0, sizeof(*p));
	if (tandem_hmacs_alloc(&p->hmacs)) {
		free(p);
		return NULL;
	}
	return p;
}

void dpdk_protect_free(struct dpdk_protect *p)
{
	if (!p)
		return;
	tandem_hmacs_free(p->hmacs);
	free(p);
}

/* ---- ahead of the pipeline ---- */

static bool has_keys(const struct entry *e)
{
	return e && (e->rule.srtp != SRTP_NO_KEYS || e->rule.egress.srtp != SRTP_NO_KEYS);
}

/*
 * The RTP of an untagged frame from the exact source of a rule: nobody else makes a worker hash. 0: it
 * is no such frame, or another's data too.
 */
static uint32_t protected_rtp(const struct rte_mbuf *mbuf, const struct rule *rule, uint8_t **rtp)
{
	uint8_t *const data = rte_pktmbuf_mtod(mbuf, uint8_t *);
	const struct eth_hdr *eth = (const void *)data;
	const struct ip4_hdr *ip4 = (const void *)(eth + 1);
	const struct ip6_hdr *ip6 = (const void *)(eth + 1);
	const bool v4 = eth->type == net16(ETHERTYPE_IP4);
	const uint32_t off = sizeof(*eth) + (v4 ? sizeof(*ip4) : sizeof(*ip6));
	const struct udp_hdr *udp = (const void *)(data + off);
	struct ip_addr from;
	uint32_t len;

	/* That there are so many bytes dpdk_packet_ahead() has seen. */
	if (mbuf->nb_segs != 1 || !RTE_MBUF_DIRECT(mbuf) || rte_mbuf_refcnt_read(mbuf) != 1 ||
	    (v4 && ip4->version_ihl != 0x45))
		return 0;
	if (v4)
		ip_addr_map4(&from, ip4->src);
	else
		memcpy(&from, ip6->src, sizeof(from));
	if (udp->src != rule->remote_port || !ip_addr_equal(&from, &rule->remote))
		return 0;
	len = host16(udp->len);
	if (len < sizeof(*udp) + sizeof(struct rtp_hdr) || off + len > rte_pktmbuf_data_len(mbuf))
		return 0;
	*rtp = data + off + sizeof(*udp);
	return len - sizeof(*udp);
}

/* Have the HMAC of a packet made that is likely to be opened. */
static void opening_add(struct env *env, const struct rte_mbuf *mbuf, const struct rule *rule)
{
	struct dpdk_protect *p = env->protect;
	struct dpdk_opening *o = &p->opening[p->opening_count];
	struct rtp_info info;
	uint8_t *rtp;
	uint32_t len = protected_rtp(mbuf, rule, &rtp);

	if (!len || classify(rtp, rtp + len, len) != CLASS_RTP ||
	    rtp_parse(rtp, rtp + len, len, 1, &info) != REASON_NONE)
		return;
	o->payload = rtp;
	o->job.keys = rule->srtp;
	o->job.flags = rule->flags & RULE_F_SRTP ? SRTP_J_KEEP : 0;
	o->job.len = len;
	o->job.head = info.head;
	if (srtp_admit(env, &o->job, rtp, rtp + len) != REASON_NONE || srtp_is_aead(o->job.suite))
		return;
	p->opening_job[p->opening_count++] = (struct tandem_hmac_job){
		.session = &env_srtp_keys(env, o->job.keys)->session[SRTP_RTP],
		.data = rtp,
		.len = srtp_auth_len(&o->job) + sizeof(o->job.word),
	};
}

/* The ROC belongs behind the packet while it is hashed, where tag or MKI are. */
static uint32_t word_swap(uint8_t *at, uint32_t word)
{
	uint32_t before;

	memcpy(&before, at, sizeof(before));
	memcpy(at, &word, sizeof(word));
	return before;
}

static void openings_hash(struct dpdk_protect *p)
{
	uint32_t behind[DPDK_BURST];

	for (uint32_t i = 0; i < p->opening_count; i++) {
		const struct dpdk_opening *o = &p->opening[i];

		behind[i] = word_swap((uint8_t *)(uintptr_t)o->payload + srtp_auth_len(&o->job),
				      o->job.word);
	}
	tandem_hmacs_run(p->hmacs, p->opening_job, p->opening_count);
	for (uint32_t i = 0; i < p->opening_count; i++) {
		const struct dpdk_opening *o = &p->opening[i];

		word_swap((uint8_t *)(uintptr_t)o->payload + srtp_auth_len(&o->job), behind[i]);
	}
}

void dpdk_protect_ahead(struct env *env, struct rte_mbuf *const *frames, uint32_t n)
{
	const struct entry *entry[DPDK_BURST];
	struct dpdk_protect *p = env->protect;
	uint32_t i;

	p->opening_count = 0;
	p->opening_next = 0;
	for (i = 0; i < n; i++)
		rte_prefetch0(rte_pktmbuf_mtod(frames[i], void *));
	for (i = 0; i < n; i++)
		entry[i] = dpdk_packet_ahead(env, frames[i]);
	for (i = 0; i < n; i++) {
		if (!has_keys(entry[i]))
			continue;
		env_srtp_touch_keys(env, entry[i]->rule.srtp);
		env_srtp_touch_keys(env, entry[i]->rule.egress.srtp);
		for (uint32_t line = 1; line < FRAME_LINES; line++)
			rte_prefetch0(rte_pktmbuf_mtod_offset(frames[i], void *, line *LINE));
	}
	for (i = 0; i < n; i++) {
		if (!has_keys(entry[i]))
			continue;
		env_srtp_touch_rest(env, entry[i]->rule.srtp);
		env_srtp_touch_rest(env, entry[i]->rule.egress.srtp);
	}
	for (i = 0; i < n; i++) {
		if (entry[i] && entry[i]->rule.srtp != SRTP_NO_KEYS)
			opening_add(env, frames[i], &entry[i]->rule);
	}
	openings_hash(p);
}

/* ---- in the pipeline ---- */

/* Was the packet hashed ahead, and as it is now? Then its tag. */
static bool opening_find(struct dpdk_protect *p, struct srtp_job *job, const void *payload)
{
	const struct dpdk_opening *o;

	for (uint32_t i = p->opening_next; i < p->opening_count; i++) {
		o = &p->opening[i];
		if (o->payload != payload)
			continue;
		p->opening_next = i + 1;
		if (o->job.keys != job->keys || o->job.gen != job->gen ||
		    o->job.flags != job->flags || o->job.head != job->head ||
		    o->job.body != job->body || o->job.word != job->word)
			return false;
		memcpy(job->tag, p->opening_job[i].tag, sizeof(job->tag));
		return true;
	}
	return false;
}

/* The tag is zero until dpdk_protect_finish(). */
static void sealing_add(struct env *env, struct srtp_job *job, void *payload)
{
	const uint32_t which = srtp_session_of(job->flags), auth_len = srtp_auth_len(job);
	struct dpdk_protect *p = env->protect;

	p->sealing_job[p->sealing_count] = (struct tandem_hmac_job){
		.session = &env_srtp_keys(env, job->keys)->session[which],
		.data = payload,
		.len = auth_len + (which == SRTP_RTP ? sizeof(job->word) : 0),
	};
	p->sealing[p->sealing_count++] = (struct dpdk_sealing){
		.payload = payload,
		.word_off = which == SRTP_RTP ? auth_len : 0,
		.word = job->word,
		.tag_off = srtp_tag_off(job),
		.tag_len = job->tag_len,
	};
	memset(job->tag, 0, sizeof(job->tag));
}

int dpdk_protect_hmac(struct env *env, struct srtp_job *job, void *payload)
{
	struct dpdk_protect *p = env->protect;

	if (p && job->flags & SRTP_J_SEAL && p->sealing_count < TANDEM_HMACS_MAX) {
		sealing_add(env, job, payload);
		return 0;
	}
	if (p && !(job->flags & SRTP_J_SEAL) && opening_find(p, job, payload))
		return 0;
	return tandem_cipher_hmac(env_srtp_keys(env, job->keys), job, payload);
}

uint32_t dpdk_protect_mark(struct env *env)
{
	struct dpdk_protect *p = env->protect;

	if (!p)
		return 0;
	if (p->sealing_count == TANDEM_HMACS_MAX)
		dpdk_protect_finish(env);
	return p->sealing_count;
}

void dpdk_protect_back(struct env *env, uint32_t mark)
{
	if (env->protect)
		env->protect->sealing_count = mark;
}

/* ---- behind the pipeline ---- */

/* The tag where zeros were; the checksum in front of the payload, if there is one, knows those. */
static void tag_write(const struct dpdk_sealing *s, const uint8_t *tag)
{
	struct udp_hdr *udp = (struct udp_hdr *)s->payload - 1;
	uint8_t even[SRTP_TAG_MAX + 2] = { 0 };

	memcpy(s->payload + s->tag_off, tag, s->tag_len);
	if (udp->check == 0)
		return;
	memcpy(even + (s->tag_off & 1), tag, s->tag_len);
	udp->check = csum_apply_udp(udp->check, csum_bytes(even, sizeof(even)));
}

void dpdk_protect_finish(struct env *env)
{
	struct dpdk_protect *p = env->protect;
	uint32_t behind[TANDEM_HMACS_MAX], i;

	if (!p || !p->sealing_count)
		return;
	for (i = 0; i < p->sealing_count; i++) {
		const struct dpdk_sealing *s = &p->sealing[i];

		if (s->word_off)
			behind[i] = word_swap(s->payload + s->word_off, s->word);
	}
	tandem_hmacs_run(p->hmacs, p->sealing_job, p->sealing_count);
	for (i = 0; i < p->sealing_count; i++) {
		const struct dpdk_sealing *s = &p->sealing[i];

		if (s->word_off)
			word_swap(s->payload + s->word_off, behind[i]);
		tag_write(s, p->sealing_job[i].tag);
	}
	p->sealing_count = 0;
}
