/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "core/copy.h"
#include "userspace/util/sparse.h"
#include "userspace/uring/worker.h"

#define SEND_OWN  0x80000000U /* ports are fewer */
#define SUBMIT_AT 64 /* copies: soon enough to use their buffers again while they are warm */

int tandem_uring_copies_init(struct tandem_datapath *dp)
{
	dp->copies = tandem_sparse_alloc(URING_COPIES, sizeof(*dp->copies));
	if (!dp->copies)
		return -ENOMEM;
	dp->copies_free = TANDEM_NO_SLOT;
	dp->copies_fresh = 0;
	return 0;
}

void tandem_uring_copies_clean(struct tandem_datapath *dp)
{
	tandem_sparse_free(dp->copies, URING_COPIES, sizeof(*dp->copies));
	dp->copies = NULL;
}

static bool none_free(const struct tandem_datapath *dp)
{
	return dp->copies_free == TANDEM_NO_SLOT && dp->copies_fresh == URING_COPIES;
}

/*
 * Most sends end within their submission. What is left are those whose socket has no room
 * just now; when these have all of the buffers, there is none.
 */
static struct uring_copy *copy_get(struct tandem_datapath *dp)
{
	unsigned int waiting = io_uring_sq_ready(&dp->ring);
	struct uring_copy *c;

	if (waiting >= SUBMIT_AT || (waiting && none_free(dp))) {
		io_uring_submit(&dp->ring);
		tandem_uring_collect(dp);
	}
	if (none_free(dp))
		return NULL;
	if (dp->copies_free == TANDEM_NO_SLOT)
		return &dp->copies[dp->copies_fresh++];
	c = &dp->copies[dp->copies_free];
	dp->copies_free = c->next_free;
	return c;
}

static void copy_put(struct tandem_datapath *dp, struct uring_copy *c)
{
	c->next_free = dp->copies_free;
	dp->copies_free = (uint32_t)(c - dp->copies);
}

void tandem_uring_send_control(struct uring_send *s, int level, int type, const void *data,
			       size_t size)
{
	struct cmsghdr *c = (struct cmsghdr *)(s->control + s->msg.msg_controllen);

	c->cmsg_len = CMSG_LEN(size);
	c->cmsg_level = level;
	c->cmsg_type = type;
	memcpy(CMSG_DATA(c), data, size);
	s->msg.msg_control = s->control;
	s->msg.msg_controllen += CMSG_SPACE(size);
}

/* The TOS byte and hop limit that the datagram shall leave with, where not the socket's own. */
static void set_control(struct uring_send *s)
{
	bool v4 = s->to.ss_family == AF_INET;
	int level = v4 ? IPPROTO_IP : IPPROTO_IPV6, tos = s->tos, ttl = s->ttl;

	if (tos)
		tandem_uring_send_control(s, level, v4 ? IP_TOS : IPV6_TCLASS, &tos, sizeof(tos));
	if (ttl)
		tandem_uring_send_control(s, level, v4 ? IP_TTL : IPV6_HOPLIMIT, &ttl, sizeof(ttl));
}

int tandem_uring_send_address(struct tandem_datapath *dp, struct uring_send *s,
			      const struct tandem_endpoint *from, const struct tandem_endpoint *to,
			      unsigned char *payload, uint32_t len)
{
	const struct flow_key key = { .local = from->ip, .local_port = htons(from->port) };
	uint32_t index = tandem_slots_direct(dp->table.slots, &key);
	const struct uring_port *port = index == TANDEM_NO_SLOT ? NULL : &dp->ports[index];
	int fd;

	if (!port || (!port->open && !port->refs))
		return -ENOTCONN;
	memset(&s->msg, 0, sizeof(s->msg));
	s->iov.iov_base = payload;
	s->iov.iov_len = len;
	s->msg.msg_iov = &s->iov;
	s->msg.msg_iovlen = 1;
	s->port = TANDEM_NO_SLOT;
	s->frame = false;
	if (port->open) {
		s->port = index;
		s->msg.msg_name = &s->to;
		s->msg.msg_namelen = tandem_endpoint_to_sockaddr(to, &s->to);
		fd = port->fd;
	} else {
		fd = tandem_uring_frame(dp, s, from, to);
		if (s->frame)
			return fd;
		fd = tandem_uring_trunk_send(dp, s, from, to);
	}
	set_control(s);
	return fd;
}

/* What a failure is to be counted for: the flow, and the leg if it has one. */
static void set_owner(struct tandem_datapath *dp, struct uring_send *s, const struct plan *plan,
		      uint32_t state)
{
	s->flow_id = plan->flow_id;
	s->slot = plan->slot;
	s->gen = plan->gen;
	s->leg_state = state;
	s->leg_id = state < dp->tables.config.legs ? dp->tables.leg_states[state].id : 0;
}

/* Send as eg says, from the port that a copy is said to come from. */
static int send_as(struct tandem_datapath *dp, struct uring_send *s, const struct egress *eg,
		   unsigned char *payload, uint32_t len, uint8_t tos, uint64_t data)
{
	const struct tandem_endpoint from = { .ip = *egress_local(&dp->env, eg),
					      .port = ntohs(eg->local_port) };
	const struct tandem_endpoint to = { .ip = eg->remote, .port = ntohs(eg->remote_port) };
	struct io_uring_sqe *sqe;
	int fd;

	s->tos = egress_tos(eg, tos);
	s->ttl = eg->ttl;
	fd = tandem_uring_send_address(dp, s, &from, &to, payload, len);
	if (fd < 0)
		return fd;
	if (s->port != TANDEM_NO_SLOT)
		dp->ports[s->port].sending++;
	sqe = tandem_uring_sqe(dp, data);
	/* Where all share a buffer for what is sent, nobody waits for room in it. */
	if (s->frame)
		io_uring_prep_send(sqe, fd, s->iov.iov_base, s->iov.iov_len, MSG_DONTWAIT);
	else
		io_uring_prep_sendmsg(sqe, fd, &s->msg,
				      s->port == TANDEM_NO_SLOT ? MSG_DONTWAIT : 0);
	return 0;
}

int tandem_uring_forward(struct tandem_datapath *dp, struct uring_packet *p,
			 const struct plan *plan, unsigned char *payload, uint8_t tos)
{
	/* A packet of the ring is named by its number, one of a port by that of the port. */
	uint32_t index = p->own ? p->port | SEND_OWN : (uint32_t)(p - dp->packets);

	set_owner(dp, &p->send, plan, plan->legs ? plan->egress->state : TANDEM_NO_SLOT);
	return send_as(dp, &p->send, plan->egress, payload, plan->len, tos,
		       uring_data(URING_SEND, index));
}

int tandem_uring_forward_copy(struct tandem_datapath *dp, const struct plan *plan,
			      const unsigned char *payload, uint8_t tos)
{
	struct uring_copy *c = copy_get(dp);
	unsigned char *own;
	int err;

	if (!c)
		return -ENOBUFS;
	own = c->data + URING_HEADROOM;
	memcpy(own, payload, plan->len);
	set_owner(dp, &c->send, plan, plan->legs ? plan->egress->state : TANDEM_NO_SLOT);
	err = send_as(dp, &c->send, plan->egress, own, plan->len, tos,
		      uring_data(URING_COPY, (uint32_t)(c - dp->copies)));
	if (err)
		copy_put(dp, c);
	return err;
}

/* One copy; returns false if there is none. */
static bool copy_send(struct tandem_datapath *dp, struct plan *plan, uint32_t n,
		      const unsigned char *payload, uint32_t len, uint8_t tos)
{
	struct uring_copy *c = copy_get(dp);
	const struct egress *eg;
	unsigned char *own;

	if (!c)
		return false;
	own = c->data + URING_HEADROOM;
	memcpy(own, payload, len);
	if (relay_copy_datagram(&dp->env, plan, n, own, len, &eg) != REASON_NONE) {
		copy_put(dp, c); /* counted already */
		return true;
	}
	set_owner(dp, &c->send, plan, eg->state);
	if (send_as(dp, &c->send, eg, own, plan->len, tos,
		    uring_data(URING_COPY, (uint32_t)(c - dp->copies))) == 0)
		return true;
	copy_put(dp, c);
	return false;
}

void tandem_uring_fan_out(struct tandem_datapath *dp, struct plan *plan,
			  const unsigned char *payload, uint8_t tos)
{
	const uint32_t len = plan->len; /* each copy gives it its own */

	for (uint32_t n = 0; n < plan->legs; n++) {
		if (!copy_send(dp, plan, n, payload, len, tos))
			relay_copy_failed(&dp->env, plan->leg + n);
	}
	dp->work += plan->legs;
}

/*
 * State of the leg that it went to; meanwhile the flow may have another rule, or be gone. In
 * another slot, the same gen is that of another rule.
 */
static uint32_t state_of(const struct tandem_datapath *dp, const struct uring_send *s,
			 uint32_t slot)
{
	if (s->leg_state == TANDEM_NO_SLOT || slot == TANDEM_NO_SLOT)
		return TANDEM_NO_SLOT;
	if (slot == s->slot && dp->tables.entries[slot].rule.gen == s->gen)
		return s->leg_state;
	return tandem_table_find_leg(&dp->table, slot, s->leg_id);
}

void tandem_uring_sent(struct tandem_datapath *dp, uint32_t index, int result)
{
	struct uring_packet *p = index & SEND_OWN ? dp->ports[index & ~SEND_OWN].packet
						  : &dp->packets[index];
	uint32_t slot;

	if (result < 0) {
		struct egress egress = { 0 };
		struct plan plan = { .egress = &egress };

		slot = tandem_table_find(&dp->table, p->send.flow_id);
		plan.slot = slot;
		plan.flow = slot == TANDEM_NO_SLOT ? NULL : &dp->tables.entries[slot].flow;
		egress.state = state_of(dp, &p->send, slot);
		plan.legs = egress.state != TANDEM_NO_SLOT;
		relay_send_failed(&dp->env, &plan);
	}
	tandem_uring_port_sent(dp, p->send.port);
	tandem_uring_release(dp, p);
}

void tandem_uring_copy_sent(struct tandem_datapath *dp, uint32_t index, int result)
{
	struct uring_copy *c = &dp->copies[index];

	if (result < 0) {
		uint32_t slot = tandem_table_find(&dp->table, c->send.flow_id);

		env_count(&dp->env, REASON_copies_lost);
		leg_send_failed(&dp->env, state_of(dp, &c->send, slot));
	}
	tandem_uring_port_sent(dp, c->send.port);
	copy_put(dp, c);
}
