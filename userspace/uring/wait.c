/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets that wait for the controller to find the media of their SSRC. They wait as they came,
 * in order of arrival, for a short time and in a bounded number; and go through the pipeline once
 * more when their flow's fan has a branch for them. This takes place as the change is carried out,
 * which is before the fast path gets it: what that takes from then on does not overtake them.
 */
#include <errno.h>
#include <string.h>

#include "core/forward.h"
#include "userspace/util/sparse.h"
#include "userspace/uring/worker.h"

#define WAIT_NS	 1000000000ULL /* a busy controller takes some 10 ms */
#define PER_PORT (URING_WAITING / 8)

int tandem_uring_waits_init(struct tandem_datapath *dp)
{
	dp->waits = (struct uring_waits){
		.all = tandem_sparse_alloc(URING_WAITING, sizeof(*dp->waits.all)),
		.first = TANDEM_NO_SLOT,
		.last = TANDEM_NO_SLOT,
		.free = TANDEM_NO_SLOT,
	};
	return dp->waits.all ? 0 : -ENOMEM;
}

void tandem_uring_waits_clean(struct tandem_datapath *dp)
{
	tandem_sparse_free(dp->waits.all, URING_WAITING, sizeof(*dp->waits.all));
	dp->waits.all = NULL;
}

/* Take the one behind prev out of the line. */
static void leave(struct tandem_datapath *dp, uint32_t prev)
{
	struct uring_waits *q = &dp->waits;
	uint32_t *from = prev == TANDEM_NO_SLOT ? &q->first : &q->all[prev].next;
	uint32_t index = *from;
	struct uring_waiting *w = &q->all[index];

	*from = w->next;
	if (q->last == index)
		q->last = prev;
	dp->ports[w->port].waiting--;
	w->next = q->free;
	q->free = index;
}

static bool is_late(const struct tandem_datapath *dp, const struct uring_waiting *w)
{
	return dp->env.now_ns - w->since_ns > WAIT_NS;
}

/* The place that the next one gets; TANDEM_NO_SLOT: there is none. */
static uint32_t next_place(const struct uring_waits *q)
{
	if (q->free != TANDEM_NO_SLOT)
		return q->free;
	return q->fresh < URING_WAITING ? q->fresh : TANDEM_NO_SLOT;
}

bool tandem_uring_wait_note(struct tandem_datapath *dp, uint32_t port, uint32_t ssrc,
			    const struct uring_event *e)
{
	struct uring_waits *q = &dp->waits;
	struct uring_waiting *w;
	uint32_t place;

	while (q->first != TANDEM_NO_SLOT && is_late(dp, &q->all[q->first]))
		leave(dp, TANDEM_NO_SLOT);
	place = next_place(q);
	if (place == TANDEM_NO_SLOT || dp->ports[port].waiting == PER_PORT)
		return false;
	w = &q->all[place];
	w->flow_id = e->flow_id;
	w->since_ns = dp->env.now_ns;
	w->key = *e->key;
	w->port = port;
	w->ssrc = ssrc;
	w->len = e->len;
	w->tos = e->tos;
	memcpy(w->payload, e->payload, e->len);
	return true;
}

void tandem_uring_wait(struct tandem_datapath *dp)
{
	struct uring_waits *q = &dp->waits;
	uint32_t place = next_place(q);
	struct uring_waiting *w = &q->all[place];

	if (place == q->free)
		q->free = w->next;
	else
		q->fresh++;
	w->next = TANDEM_NO_SLOT;
	if (q->last == TANDEM_NO_SLOT)
		q->first = place;
	else
		q->all[q->last].next = place;
	q->last = place;
	dp->ports[w->port].waiting++;
}

/* Once more from the start: what it was told of may have become another rule altogether. */
static void send_on(struct tandem_datapath *dp, struct uring_waiting *w)
{
	struct plan plan = { 0 };
	enum reason reason;

	env_tap_came(&dp->env, &w->key, w->payload, w->len, w->tos);
	reason = relay_datagram(&dp->env, &w->key, w->payload, w->len, &plan);
	if (reason_verdict(reason) != VERDICT_FORWARD)
		return;
	if (plan_many(&plan))
		tandem_uring_fan_out(dp, &plan, w->payload, w->tos);
	else if (tandem_uring_forward_copy(dp, &plan, w->payload, w->tos))
		relay_send_failed(&dp->env, &plan);
}

/* Would it be found wanting again? */
static bool is_unknown(struct tandem_datapath *dp, uint32_t slot, uint32_t ssrc)
{
	const struct rule *rule = &dp->tables.entries[slot].rule;
	const struct fan *fan = rule->flags & RULE_F_FAN ? env_fan(&dp->env, rule->fan) : NULL;
	uint32_t branch;

	return fan && !fan_find(fan, 0, ssrc, &branch);
}

void tandem_uring_wait_over(struct tandem_datapath *dp, uint64_t flow_id)
{
	struct uring_waits *q = &dp->waits;
	uint32_t slot = tandem_table_find(&dp->table, flow_id), at = q->first;
	uint32_t prev = TANDEM_NO_SLOT, next;

	for (; at != TANDEM_NO_SLOT; at = next) {
		struct uring_waiting *w = &q->all[at];
		bool late = is_late(dp, w);

		next = w->next;
		if (!late && (w->flow_id != flow_id ||
			      (slot != TANDEM_NO_SLOT && is_unknown(dp, slot, w->ssrc)))) {
			prev = at;
			continue;
		}
		leave(dp, prev);
		if (!late)
			send_on(dp, w);
	}
}
