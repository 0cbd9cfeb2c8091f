/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/plan.h"
#include "userspace/uring/worker.h"

#define HEAD_SIZE  sizeof(((struct tandem_unknown_source *)0)->head)
#define PER_TURN   64 /* of each kind: one that floods must not keep the caller from the others */
#define NS_PER_MS  1000000ULL
#define STUN_MAGIC 0x2112a442U /* RFC 8489 section 5 */

/*
 * What a port may tell of: so many at once, and then one each interval. A peer checks every
 * 50 ms (RFC 8445 14.2) and its consent every 5 s (RFC 7675); a flight of DTLS has a few
 * datagrams. Each kind has an allowance and a queue of its own, so that a flood of
 * one leaves room for the others; and the peer that has a flow has one of its own for STUN, so
 * that strangers cannot make its consent expire.
 */
static const struct allowance {
	uint32_t burst;
	uint32_t interval_ms;
	uint32_t room; /* bytes of the queue */
} allowances[URING_TELL_KINDS] = {
	[URING_TELL_SOURCE] = { 8, 50, 1 << 15 },     [URING_TELL_SSRC] = { 16, 20, 1 << 15 },
	[URING_TELL_STUN_PEER] = { 16, 25, 1 << 17 }, [URING_TELL_STUN] = { 32, 10, 1 << 17 },
	[URING_TELL_DTLS] = { 16, 20, 1 << 18 },
};

int tandem_uring_events_init(struct tandem_datapath *dp)
{
	int err = 0;

	dp->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (dp->event_fd < 0)
		return -errno;
	dp->event_payload = malloc(URING_PAYLOAD_SIZE);
	if (!dp->event_payload)
		return -ENOMEM;
	for (int kind = 0; kind < URING_TELL_KINDS && !err; kind++)
		err = tandem_uring_queue_init(&dp->events[kind], allowances[kind].room);
	return err;
}

void tandem_uring_events_clean(struct tandem_datapath *dp)
{
	for (int kind = 0; kind < URING_TELL_KINDS; kind++)
		tandem_uring_queue_clean(&dp->events[kind]);
	free(dp->event_payload);
	if (dp->event_fd >= 0)
		close(dp->event_fd);
}

/* Times in ms, and short: a port that was quiet for 49 days has to wait for its first token. */
static bool may_tell(struct uring_tokens *t, const struct allowance *a, uint64_t now_ns)
{
	uint32_t now = (uint32_t)(now_ns / NS_PER_MS);
	uint32_t earned = (now - t->since_ms) / a->interval_ms;

	if (earned) {
		t->since_ms = now;
		t->left = earned >= a->burst - t->left ? a->burst : t->left + earned;
	}
	if (!t->left)
		return false;
	t->left--;
	return true;
}

static bool is_head(enum uring_tell kind)
{
	return kind == URING_TELL_SOURCE || kind == URING_TELL_SSRC;
}

/* Returns whether the controller will be told. */
static bool put(struct tandem_datapath *dp, uint32_t index, enum uring_tell kind,
		const struct uring_event *e)
{
	const struct uring_letter letter = {
		.flow_id = e->flow_id,
		.local = { .ip = e->key->local, .port = ntohs(e->key->local_port) },
		.remote = { .ip = e->key->remote, .port = ntohs(e->key->remote_port) },
		.len = is_head(kind) && e->len > HEAD_SIZE ? HEAD_SIZE : e->len,
		.whole = e->len,
	};

	if (!may_tell(&dp->ports[index].tokens[kind], &allowances[kind], dp->env.now_ns) ||
	    !tandem_uring_queue_put(&dp->events[kind], &letter, e->payload))
		return false;
	dp->event_raised = true;
	return true;
}

static void put_or_count(struct tandem_datapath *dp, uint32_t index, enum uring_tell kind,
			 const struct uring_event *e)
{
	if (!put(dp, index, kind, e))
		env_count(&dp->env, REASON_untold);
}

/* RFC 8489 section 5: what comes from anywhere had better look like it. */
static bool is_stun(const unsigned char *p, uint32_t len)
{
	static const unsigned char magic[] = { STUN_MAGIC >> 24, STUN_MAGIC >> 16 & 0xff,
					       STUN_MAGIC >> 8 & 0xff, STUN_MAGIC & 0xff };

	return len >= 20 && (uint32_t)(p[2] << 8 | p[3]) + 20 == len && len % 4 == 0 &&
	       memcmp(p + 4, magic, sizeof(magic)) == 0;
}

/* Does the flow in slot expect exactly this source? */
static bool is_peer(struct tandem_datapath *dp, uint32_t slot, const struct flow_key *key)
{
	const struct entry *entry = env_entry(&dp->env, slot);

	return entry && rule_matches(&dp->env, &entry->rule, slot, key);
}

/* As far as that can be without looking at the tag. */
static enum reason admit(struct env *env, struct plan *plan, const struct rule *rule,
			 unsigned char *payload, uint32_t len)
{
	const void *end = payload + len;
	enum reason reason;

	if (plan->class == CLASS_RTCP)
		reason = srtcp_check(payload, end, len);
	else
		reason = rtp_parse(payload, end, len, 1, &plan->rtp);
	return reason == REASON_NONE ? protect_admit(env, plan, rule, payload, end, len) : reason;
}

/*
 * Is a source that may be learned one that has the keys, where the flow has some? Anybody can
 * write a header that fits, and would have the call's media sent to him. What is authentic has
 * its index entered, so that it does not prove anybody else; the headers stay as they are.
 */
static bool is_proven(struct tandem_datapath *dp, struct plan *plan, const struct uring_event *e)
{
	const struct entry *entry = env_entry(&dp->env, plan->slot);

	if (!entry)
		return false;
	/* before a handshake is over nobody can prove anything */
	if (entry->rule.srtp == SRTP_NO_KEYS && !(plan->flags & RULE_F_DTLS))
		return true;
	if (entry->rule.srtp != SRTP_NO_KEYS &&
	    admit(&dp->env, plan, &entry->rule, e->payload, e->len) == REASON_NONE &&
	    protect_open(&dp->env, plan, e->payload, e->payload + e->len) == REASON_NONE)
		return true;
	env_count(&dp->env, REASON_unproven);
	return false;
}

/*
 * The same of an SSRC that is new, but nothing is noted: the packet goes through the pipeline once
 * more. Should it be told of twice, no harm is done.
 */
static bool is_authentic(struct tandem_datapath *dp, struct plan *plan, const struct uring_event *e)
{
	const struct entry *entry = env_entry(&dp->env, plan->slot);
	struct srtp_job *job = env_srtp_job(&dp->env);

	return entry && job && entry->rule.srtp != SRTP_NO_KEYS &&
	       admit(&dp->env, plan, &entry->rule, e->payload, e->len) == REASON_NONE &&
	       srtp_is_authentic(&dp->env, job, e->payload, e->payload + e->len);
}

/* Where one of the port's waits already, the next may as well: they come in bursts. */
static void tell_ssrc(struct tandem_datapath *dp, uint32_t index, struct plan *plan,
		      const struct uring_event *e)
{
	bool room = tandem_uring_wait_note(dp, index, plan->rtp.ssrc, e);
	bool told;

	if (!is_authentic(dp, plan, e)) {
		env_count(&dp->env, REASON_unproven);
		return;
	}
	told = put(dp, index, URING_TELL_SSRC, e);
	if (room && (told || dp->ports[index].waiting))
		tandem_uring_wait(dp);
	else if (!told)
		env_count(&dp->env, REASON_untold);
}

void tandem_uring_event_punted(struct tandem_datapath *dp, uint32_t index, enum reason reason,
			       struct plan *plan, struct uring_event *e)
{
	bool peer;

	if (!plan->flow)
		return;
	e->flow_id = tandem_slots_id(dp->table.slots, plan->slot);
	switch (reason) {
	case REASON_learning:
		if (is_proven(dp, plan, e))
			put_or_count(dp, index, URING_TELL_SOURCE, e);
		break;
	case REASON_unknown_ssrc:
		/* a call's: nobody is there to ask for those that forwards leave out */
		if (plan->flags & RULE_F_DTLS)
			tell_ssrc(dp, index, plan, e);
		break;
	case REASON_stun:
		if (!(plan->flags & RULE_F_ICE) || !is_stun(e->payload, e->len))
			break;
		peer = is_peer(dp, plan->slot, e->key);
		put_or_count(dp, index, peer ? URING_TELL_STUN_PEER : URING_TELL_STUN, e);
		break;
	case REASON_dtls:
		/* Whoever else sends a ClientHello first must not become the peer. */
		if (plan->flags & RULE_F_DTLS && is_peer(dp, plan->slot, e->key))
			put_or_count(dp, index, URING_TELL_DTLS, e);
		break;
	default:
		break;
	}
}

void tandem_uring_events_flush(struct tandem_datapath *dp)
{
	if (!dp->event_raised)
		return;
	dp->event_raised = false;
	eventfd_write(dp->event_fd, 1); /* fails only when it is raised already */
}

int tandem_uring_event_fd(struct tandem_datapath *dp)
{
	return dp->event_fd;
}

static void tell_source(enum uring_tell kind, const struct uring_letter *letter,
			const unsigned char *payload, const struct tandem_event_handlers *handlers,
			void *arg)
{
	struct tandem_unknown_source src = {
		.flow_id = letter->flow_id,
		.local = letter->local,
		.remote = letter->remote,
		.from_peer = kind == URING_TELL_SSRC,
		.head_len = letter->len,
		.len = letter->whole,
	};

	memcpy(src.head, payload, letter->len);
	if (handlers->unknown_source)
		handlers->unknown_source(&src, arg);
}

static void tell(enum uring_tell kind, const struct uring_letter *letter,
		 const unsigned char *payload, const struct tandem_event_handlers *handlers,
		 void *arg)
{
	const struct tandem_datagram d = {
		.kind = kind == URING_TELL_DTLS ? TANDEM_DATAGRAM_DTLS : TANDEM_DATAGRAM_STUN,
		.flow_id = letter->flow_id,
		.local = letter->local,
		.remote = letter->remote,
		.from_peer = kind != URING_TELL_STUN,
		.payload = payload,
		.len = letter->len,
	};

	if (is_head(kind))
		tell_source(kind, letter, payload, handlers, arg);
	else if (handlers->datagram)
		handlers->datagram(&d, arg);
}

void tandem_uring_dispatch(struct tandem_datapath *dp, const struct tandem_event_handlers *handlers,
			   void *arg)
{
	struct uring_letter letter;
	bool more = false;
	eventfd_t ignored;

	/* First, so that what is told meanwhile raises it again. */
	eventfd_read(dp->event_fd, &ignored);
	for (int kind = 0; kind < URING_TELL_KINDS; kind++) {
		struct uring_queue *q = &dp->events[kind];

		for (int i = 0;
		     i < PER_TURN && tandem_uring_queue_take(q, &letter, dp->event_payload); i++)
			tell((enum uring_tell)kind, &letter, dp->event_payload, handlers, arg);
		more = more || !tandem_uring_queue_empty(q);
	}
	if (more)
		eventfd_write(dp->event_fd, 1); /* do not keep the caller */
}
