/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "core/forward.h"
#include "userspace/uring/worker.h"

/* What came along with a datagram. */
struct ancillary {
	uint8_t tos;  /* or traffic class */
	bool sent_to; /* to is known: it came in by a trunk */
	struct tandem_endpoint to;
};

/* A received datagram, wherever in its buffer the parts lie. */
struct datagram {
	struct flow_key key;
	uint32_t port; /* that it was sent to; whatever socket it came in by */
	unsigned char *payload;
	uint32_t len;
	uint8_t tos;
};

static unsigned char *name_of(struct uring_packet *p)
{
	return p->data + sizeof(struct io_uring_recvmsg_out);
}

static unsigned char *control_of(struct uring_packet *p)
{
	return name_of(p) + URING_NAME_SIZE;
}

static unsigned char *payload_of(struct uring_packet *p)
{
	return p->data + URING_HEADER_SIZE;
}

static void read_one(struct ancillary *a, const struct cmsghdr *c)
{
	const unsigned char *data = CMSG_DATA(c);
	bool v4 = c->cmsg_level == IPPROTO_IP;

	if (!v4 && c->cmsg_level != IPPROTO_IPV6)
		return;
	if (c->cmsg_type == (v4 ? IP_ORIGDSTADDR : IPV6_ORIGDSTADDR)) {
		a->sent_to = tandem_endpoint_from_sockaddr(&a->to, (struct sockaddr *)data) == 0;
	} else if (v4 && c->cmsg_type == IP_TOS) {
		a->tos = data[0];
	} else if (!v4 && c->cmsg_type == IPV6_TCLASS) {
		int tclass;

		memcpy(&tclass, data, sizeof(tclass));
		a->tos = (uint8_t)tclass;
	}
}

static void read_ancillary(unsigned char *control, size_t len, struct ancillary *a)
{
	struct msghdr msg = { .msg_control = control, .msg_controllen = len };

	memset(a, 0, sizeof(*a));
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		read_one(a, c);
}

/*
 * The local part follows from the socket, if that is bound to a media port or to a group. Of
 * what came in by a trunk the kernel says where it was sent to; what is no port of the
 * relay's the core drops.
 */
static int datagram_key(struct tandem_datapath *dp, struct uring_packet *p,
			const struct ancillary *a, struct datagram *d)
{
	const struct relay_config *relay = &dp->tables.config;
	struct flow_key *key = &d->key;
	struct tandem_endpoint remote;
	int err = tandem_endpoint_from_sockaddr(&remote, (struct sockaddr *)name_of(p));

	if (err)
		return err;
	memset(key, 0, sizeof(*key));
	key->remote = remote.ip;
	key->remote_port = htons(remote.port);
	d->port = p->port;
	if (p->port >= uring_trunk(dp, 0)) {
		key->local = a->to.ip;
		key->local_port = htons(a->to.port);
		d->port = tandem_slots_direct(dp->table.slots, key);
		return a->sent_to && d->port != TANDEM_NO_SLOT ? 0 : -EADDRNOTAVAIL;
	}
	if (p->port >= dp->direct_count) {
		const struct uring_group *g = &dp->groups[p->port - dp->direct_count];

		key->local = g->key.ip;
		key->local_port = g->key.port;
		return 0;
	}
	key->local = relay->locals[p->port / relay->port_count];
	key->local_port = htons((uint16_t)(relay->port_base + p->port % relay->port_count));
	return 0;
}

void tandem_uring_release(struct tandem_datapath *dp, struct uring_packet *p)
{
	if (p->own)
		tandem_uring_port_rearm(dp, p->port);
	else
		tandem_uring_give_back(dp, p);
}

/* True when the packet was handed on for sending, and comes back when that is done. */
static bool relay(struct tandem_datapath *dp, struct uring_packet *p, const struct datagram *d)
{
	struct plan plan = { 0 };
	enum reason reason;

	env_tap_came(&dp->env, &d->key, d->payload, d->len, d->tos);
	reason = relay_datagram(&dp->env, &d->key, d->payload, d->len, &plan);

	if (reason_verdict(reason) == VERDICT_PUNT) {
		struct uring_event e = {
			.key = &d->key, .payload = d->payload, .len = d->len, .tos = d->tos
		};

		tandem_uring_event_punted(dp, d->port, reason, &plan, &e);
	}
	if (reason_verdict(reason) != VERDICT_FORWARD)
		return false;
	if (plan_many(&plan)) {
		tandem_uring_fan_out(dp, &plan, d->payload, d->tos);
		return false;
	}
	if (tandem_uring_forward(dp, p, &plan, d->payload, d->tos) == 0)
		return true;
	relay_send_failed(&dp->env, &plan);
	return false;
}

/* What multishot writes in front of the datagram; made up for a single receive. */
static void read_header(struct tandem_datapath *dp, struct uring_packet *p, uint32_t size,
			struct io_uring_recvmsg_out *out)
{
	if (dp->multishot) {
		memcpy(out, p->data, sizeof(*out));
		return;
	}
	out->namelen = p->send.msg.msg_namelen;
	out->controllen = (uint32_t)p->send.msg.msg_controllen;
	out->payloadlen = size;
	out->flags = (uint32_t)p->send.msg.msg_flags;
}

static bool handle(struct tandem_datapath *dp, struct uring_packet *p, uint32_t size)
{
	struct datagram d = { .payload = payload_of(p) };
	struct io_uring_recvmsg_out out;
	struct ancillary a;

	read_header(dp, p, size, &out);
	read_ancillary(control_of(p), out.controllen, &a);
	if (out.flags & MSG_TRUNC || datagram_key(dp, p, &a, &d)) {
		env_count(&dp->env, REASON_bad_header);
		return false;
	}
	d.len = out.payloadlen;
	d.tos = a.tos;
	return relay(dp, p, &d);
}

static void received_multishot(struct tandem_datapath *dp, uint32_t index,
			       const struct io_uring_cqe *cqe)
{
	struct uring_packet *p;

	if (cqe->flags & IORING_CQE_F_BUFFER) {
		p = &dp->packets[cqe->flags >> IORING_CQE_BUFFER_SHIFT];
		p->port = index;
		if (cqe->res < 0 || !handle(dp, p, (uint32_t)cqe->res))
			tandem_uring_release(dp, p);
	}
	if (!(cqe->flags & IORING_CQE_F_MORE))
		tandem_uring_port_ended(dp, index, cqe->res);
}

/* The entry of the port that a datagram came to; NULL: of none, or a group. */
static const struct entry *entry_of(struct tandem_datapath *dp, const struct io_uring_cqe *cqe)
{
	uint32_t index = (uint32_t)cqe->user_data;
	struct io_uring_recvmsg_out out;
	struct uring_packet *p;
	struct flow_key key = { 0 };
	struct ancillary a;

	if (!(cqe->flags & IORING_CQE_F_BUFFER) || cqe->res < 0)
		return NULL;
	if (index >= uring_trunk(dp, 0)) {
		p = &dp->packets[cqe->flags >> IORING_CQE_BUFFER_SHIFT];
		memcpy(&out, p->data, sizeof(out));
		read_ancillary(control_of(p), out.controllen, &a);
		if (!a.sent_to)
			return NULL;
		key.local = a.to.ip;
		key.local_port = htons(a.to.port);
		index = tandem_slots_direct(dp->table.slots, &key);
	} else if (index >= dp->direct_count) {
		return NULL;
	}
	return env_entry(&dp->env, index);
}

void tandem_uring_ahead(struct tandem_datapath *dp)
{
	const uint32_t waiting = dp->todo_tail - dp->todo_head;
	const uint32_t n = waiting < URING_AHEAD ? waiting : URING_AHEAD;
	const struct entry *entry[URING_AHEAD];
	uint32_t i;

	if (!dp->srtp_count || !dp->multishot || n < 2)
		return;
	for (i = 0; i < n; i++) {
		entry[i] = entry_of(dp, &dp->todo[(dp->todo_head + i) % URING_COMPLETIONS]);
		if (entry[i])
			env_touch(entry[i]);
	}
	for (i = 0; i < n; i++) {
		if (!entry[i])
			continue;
		env_srtp_touch_keys(&dp->env, entry[i]->rule.srtp);
		env_srtp_touch_keys(&dp->env, entry[i]->rule.egress.srtp);
	}
	for (i = 0; i < n; i++) {
		if (!entry[i])
			continue;
		env_srtp_touch_rest(&dp->env, entry[i]->rule.srtp);
		env_srtp_touch_rest(&dp->env, entry[i]->rule.egress.srtp);
	}
}

void tandem_uring_received(struct tandem_datapath *dp, uint32_t index,
			   const struct io_uring_cqe *cqe)
{
	struct uring_port *port = &dp->ports[index];

	if (dp->multishot) {
		received_multishot(dp, index, cqe);
		return;
	}
	port->armed = false;
	port->lent = true;
	port->packet->port = index;
	if (cqe->res < 0 || !handle(dp, port->packet, (uint32_t)cqe->res))
		tandem_uring_release(dp, port->packet);
}
