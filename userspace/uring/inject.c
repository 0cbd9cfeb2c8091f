/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets of the relay's own making that leave as those of a flow do: by its egress, under the
 * keys of that. One thread puts them into a queue, whichever it is; the worker finds the flow as it
 * is then, so that a changed address or key is that of the next packet.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "core/classify.h"
#include "core/forward.h"
#include "userspace/uring/worker.h"

#define INJECT_ROOM (1U << 19)
#define PER_BATCH   256
#define RTP_MIN	    12
#define RTCP_MIN    8

int tandem_uring_injects_init(struct tandem_datapath *dp)
{
	dp->inject_data = malloc(URING_PAYLOAD_SIZE + URING_TAILROOM);
	if (!dp->inject_data)
		return -ENOMEM;
	return tandem_uring_queue_init(&dp->injects, INJECT_ROOM);
}

void tandem_uring_injects_clean(struct tandem_datapath *dp)
{
	tandem_uring_queue_clean(&dp->injects);
	free(dp->inject_data);
}

int tandem_uring_inject(struct tandem_datapath *dp, uint64_t flow_id,
			const struct tandem_endpoint *local, const void *payload, size_t len)
{
	struct uring_letter letter = {
		.flow_id = flow_id,
		.local = *local,
		.len = (uint32_t)len,
		.whole = (uint32_t)len,
	};
	enum packet_class class;

	if (len < RTCP_MIN || len > PAYLOAD_MAX)
		return -EMSGSIZE;
	class = classify(payload, (const char *)payload + len, (uint32_t)len);
	if (class != CLASS_RTCP && (class != CLASS_RTP || len < RTP_MIN))
		return -EINVAL;
	if (!tandem_uring_queue_put(&dp->injects, &letter, payload))
		return -EAGAIN;
	eventfd_write(dp->wake_fd, 1);
	return 0;
}

static bool leaves_from(struct tandem_datapath *dp, const struct egress *eg,
			const struct tandem_endpoint *local)
{
	return eg->flags & EGRESS_F_ACTIVE && ntohs(eg->local_port) == local->port &&
	       tandem_ip_equal(egress_local(&dp->env, eg), &local->ip);
}

/* The leg of a fan that faces the same party; of several any will do, for they share its keys. */
static const struct egress *leg_of(struct tandem_datapath *dp, const struct rule *rule, bool rtcp,
				   const struct tandem_endpoint *local)
{
	const struct fan *fan = env_fan(&dp->env, rule->fan);
	const struct leg *leg;
	uint32_t b, i, first, count;

	for (b = 0; fan && b < fan->branch_count; b++) {
		if (!(fan->branch[b].flags & BRANCH_F_RTCP) == rtcp)
			continue;
		(void)fan_legs(fan, b, &first, &count);
		for (i = 0; i < count; i++) {
			leg = env_leg(&dp->env, first + i);
			if (leg && leaves_from(dp, &leg->egress, local))
				return &leg->egress;
		}
	}
	return NULL;
}

/* What a party is sent by the flow from the port that it knows; NULL: nothing, now. */
static const struct egress *egress_of(struct tandem_datapath *dp, uint32_t slot, bool rtcp,
				      const struct tandem_endpoint *local)
{
	const struct rule *rule = &dp->tables.entries[slot].rule;
	const struct egress *eg = rtcp ? &dp->tables.rules_more[slot].rtcp : &rule->egress;

	if (rule->flags & RULE_F_MUTE)
		return NULL;
	if (rule->flags & RULE_F_FAN)
		return leg_of(dp, rule, rtcp, local);
	return leaves_from(dp, eg, local) ? eg : NULL;
}

static enum reason seal(struct tandem_datapath *dp, struct plan *plan, unsigned char *payload)
{
	const unsigned char *end = payload + plan->len;
	enum reason reason = REASON_NONE;

	if (plan->class == CLASS_RTP)
		reason = rtp_parse(payload, end, plan->len, 0, &plan->rtp);
	if (reason != REASON_NONE || plan->egress->srtp == SRTP_NO_KEYS)
		return reason;
	reason = protect_sealable(&dp->env, plan, plan->egress->srtp, plan->len);
	if (reason != REASON_NONE)
		return reason;
	return protect_seal(&dp->env, plan, plan->egress, payload, end + plan->tail);
}

/* Returns what is to be counted: REASON_NONE where it is on its way, or nobody is to get it. */
static enum reason send_one(struct tandem_datapath *dp, const struct uring_letter *letter)
{
	const uint32_t slot = tandem_table_find(&dp->table, letter->flow_id);
	const enum packet_class class = classify(dp->inject_data, dp->inject_data + letter->len,
						 letter->len);
	struct plan plan = {
		.flow_id = letter->flow_id,
		.slot = slot,
		.leg = TANDEM_NO_SLOT,
		.class = (uint8_t) class,
		.len = (uint16_t)letter->len,
		.now = dp->env.now_ns,
	};
	enum reason reason;

	if (slot == TANDEM_NO_SLOT)
		return REASON_NONE;
	plan.gen = dp->tables.entries[slot].rule.gen;
	plan.egress = egress_of(dp, slot, class == CLASS_RTCP, &letter->local);
	if (!plan.egress)
		return REASON_NONE;
	reason = seal(dp, &plan, dp->inject_data);
	if (reason != REASON_NONE)
		return reason;
	return tandem_uring_forward_copy(dp, &plan, dp->inject_data, 0) ? REASON_send_failed
									: REASON_NONE;
}

void tandem_uring_inject_run(struct tandem_datapath *dp)
{
	struct uring_letter letter;
	enum reason reason;

	for (int i = 0; i < PER_BATCH; i++) {
		if (!tandem_uring_queue_take(&dp->injects, &letter, dp->inject_data))
			return;
		reason = send_one(dp, &letter);
		if (reason != REASON_NONE)
			env_count(&dp->env, reason);
	}
	eventfd_write(dp->wake_fd, 1); /* there may be more: packets of calls come in between */
}
