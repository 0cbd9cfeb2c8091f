/* SPDX-License-Identifier: GPL-2.0-only */
/* The userspace build of the core: whole frames, and datagrams. Included by vectors.c. */
#ifndef TANDEM_TESTS_VEC_USER_H
#define TANDEM_TESTS_VEC_USER_H

#include "vec_side.h"

/* A frame in room to grow; two bytes in, so that the IP header is on a 4-byte boundary. */
static void user_frame(struct env *env, const void *data, size_t len)
{
	static _Alignas(8) char buffer[HEADROOM + 2 + VEC_PACKET_MAX + SRTP_TRAILER_MAX];

	memcpy(buffer + HEADROOM + 2, data, len);
	memset(buffer + HEADROOM + 2 + len, 0, sizeof(buffer) - HEADROOM - 2 - len);
	env->frame.buffer = buffer;
	env->frame.data = buffer + HEADROOM + 2;
	env->frame.end = env->frame.data + len;
	env->frame.limit = buffer + sizeof(buffer);
}

static void user_take(const struct env *env, struct result *r, unsigned int copy)
{
	struct vec_bytes *b = result_add(r);

	b->copy = copy;
	b->len = (size_t)(env->frame.end - env->frame.data);
	memcpy(b->data, env->frame.data, b->len);
}

static void run_frame(struct world *w, const struct vec_step *step, struct result *r)
{
	static __u8 whole[VEC_PACKET_MAX];
	struct side *s = &w->frames;
	__u32 ifindex = 0, n;
	struct plan plan;
	struct frame f;
	size_t len;

	user_frame(&s->env, step->in.data, step->in.len);
	s->env.now_ns = step->now_ns;
	r->count = 0;
	r->verdict = reason_verdict(relay_frame(&s->env, &f, &plan, &ifindex));
	if (r->verdict != VERDICT_FORWARD || !plan_many(&plan)) {
		user_take(&s->env, r, 0);
		return;
	}
	if (!plan.srtp && (s->env.frame.end - s->env.frame.data != (ptrdiff_t)step->in.len ||
			   memcmp(s->env.frame.data, step->in.data, step->in.len)))
		complain(w, s->name, step->line, "changed before it was copied");
	len = (size_t)(s->env.frame.end - s->env.frame.data);
	memcpy(whole, s->env.frame.data, len);
	for (n = 0; n < plan.legs; n++) {
		user_frame(&s->env, whole, len);
		if (relay_copy(&s->env, &f, &plan, n, &ifindex) == REASON_NONE)
			user_take(&s->env, r, n);
	}
}

static void datagram_key(const struct vec_packet *in, struct flow_key *key)
{
	memset(key, 0, sizeof(*key));
	if (in->v6) {
		memcpy(&key->remote, in->data + in->l3 + 8, 16);
		memcpy(&key->local, in->data + in->l3 + 24, 16);
	} else {
		memset(key->remote.b + 10, 0xff, 2);
		memset(key->local.b + 10, 0xff, 2);
		memcpy(key->remote.b + 12, in->data + in->l3 + 12, 4);
		memcpy(key->local.b + 12, in->data + in->l3 + 16, 4);
	}
	memcpy(&key->remote_port, in->data + in->l4, 2);
	memcpy(&key->local_port, in->data + in->l4 + 2, 2);
}

/* Is the payload that of a frame that leaves? Copies of which there is no frame are not compared. */
static void compare_payload(struct world *w, const struct vec_step *step,
			    const struct result *frames, unsigned int copy, const void *payload,
			    size_t len)
{
	/* What is opened or sealed takes no padding of the link along. */
	size_t i, behind = (vec_srtp.used ? 0 : step->in.trailer) + len;

	for (i = 0; i < frames->count; i++) {
		const struct vec_bytes *b = &frames->frames[i];

		if (b->copy == copy && memcmp(payload, b->data + b->len - behind, len))
			complain(w, "datagrams", step->line, "other payload than in frame %u",
				 copy);
	}
}

static void datagram_copies(struct world *w, const struct vec_step *step, struct plan *plan,
			    const void *payload, __u32 len, const struct result *frames)
{
	static _Alignas(8) __u8 copy[VEC_PACKET_MAX + SRTP_TRAILER_MAX];
	const struct egress *egress;
	size_t i, made = 0;
	__u32 n;

	for (n = 0; n < plan->legs; n++) {
		memcpy(copy, payload, len);
		if (relay_copy_datagram(&w->datagrams.env, plan, n, copy, len, &egress) !=
		    REASON_NONE)
			continue;
		made++;
		compare_payload(w, step, frames, n, copy, plan->len);
	}
	/* A frame has more ways to be lost, and none that a datagram has not. */
	for (i = 0; i < frames->count; i++)
		made -= made != 0;
	for (n = 0; n < plan->legs; n++) {
		const struct leg_state *leg = &w->frames.leg_states[plan->leg + n];

		if (leg->lost && frames_only((enum reason)leg->last_reason)) {
			w->comparable = false;
			made = 0;
		}
	}
	if (made)
		complain(w, "datagrams", step->line, "%zu copies more than of the frame", made);
}

static void step_datagram(struct world *w, const struct vec_step *step, const struct result *frames)
{
	static _Alignas(8) __u8 payload[VEC_PACKET_MAX + SRTP_TRAILER_MAX];
	struct side *s = &w->datagrams;
	const struct vec_packet *in = &step->in;
	struct flow_key key;
	struct plan plan;
	enum reason reason;
	__u32 len;

	if (frames_only(step->reason)) {
		w->comparable = false;
		return;
	}
	len = (__u32)(in->data[in->l4 + 4] << 8 | in->data[in->l4 + 5]) - 8;
	memcpy(payload, in->data + in->payload, len);
	datagram_key(in, &key);
	s->env.now_ns = step->now_ns;
	reason = relay_datagram(&s->env, &key, payload, len, &plan);
	if (reason != step->reason)
		complain(w, s->name, step->line, "%s, not %s", vec_reasons[reason],
			 vec_reasons[step->reason]);
	if (reason_verdict(reason) != VERDICT_FORWARD)
		return;
	if (plan_many(&plan))
		datagram_copies(w, step, &plan, payload, plan.len, frames);
	else
		compare_payload(w, step, frames, 0, payload, plan.len);
}

#endif
