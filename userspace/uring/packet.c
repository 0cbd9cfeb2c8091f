/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "core/forward.h"
#include "userspace/uring/worker.h"

#define SEND_OWN 0x80000000U /* ports are fewer */

/* A received datagram, wherever in its buffer the parts lie. */
struct datagram {
	struct flow_key key;
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
	return control_of(p) + URING_CONTROL_SIZE;
}

/* TOS or traffic class: IPv4 gives a byte, IPv6 an int. */
static uint8_t received_tos(const unsigned char *control, size_t len)
{
	struct cmsghdr c;
	int tclass;

	if (len < CMSG_LEN(1))
		return 0;
	memcpy(&c, control, sizeof(c));
	if (c.cmsg_level == IPPROTO_IP && c.cmsg_type == IP_TOS)
		return control[CMSG_LEN(0)];
	if (c.cmsg_level != IPPROTO_IPV6 || c.cmsg_type != IPV6_TCLASS ||
	    len < CMSG_LEN(sizeof(int)))
		return 0;
	memcpy(&tclass, control + CMSG_LEN(0), sizeof(tclass));
	return (uint8_t)tclass;
}

static int datagram_key(struct tandem_datapath *dp, struct uring_packet *p, uint32_t index,
			struct flow_key *key)
{
	const struct relay_config *relay = &dp->tables.config;
	struct tandem_endpoint remote;
	int err = tandem_endpoint_from_sockaddr(&remote, (struct sockaddr *)name_of(p));

	if (err)
		return err;
	memset(key, 0, sizeof(*key));
	key->remote = remote.ip;
	key->remote_port = htons(remote.port);
	key->local = relay->locals[index / relay->port_count];
	key->local_port = htons((uint16_t)(relay->port_base + index % relay->port_count));
	return 0;
}

/* Let the packet carry the TOS byte it shall leave with; 0 is the socket's own. */
static void set_tos(struct uring_packet *p, int family, uint8_t tos)
{
	struct cmsghdr *c = (struct cmsghdr *)p->control;
	int value = tos;

	if (!tos)
		return;
	p->msg.msg_control = p->control;
	p->msg.msg_controllen = CMSG_SPACE(sizeof(value));
	c->cmsg_len = CMSG_LEN(sizeof(value));
	c->cmsg_level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	c->cmsg_type = family == AF_INET ? IP_TOS : IPV6_TCLASS;
	memcpy(CMSG_DATA(c), &value, sizeof(value));
}

/* The socket that a copy leaves from: that of the port it is said to come from. */
static const struct uring_port *egress_port(struct tandem_datapath *dp, const struct egress *eg)
{
	struct flow_key key = { .local = eg->local, .local_port = eg->local_port };
	uint32_t index = tandem_slots_direct(dp->table.slots, &key);

	if (index == TANDEM_NO_SLOT || !dp->ports[index].open)
		return NULL;
	return &dp->ports[index];
}

static int send_on(struct tandem_datapath *dp, struct uring_packet *p, const struct plan *plan,
		   const struct datagram *d)
{
	const struct egress *eg = plan->egress;
	const struct uring_port *from = egress_port(dp, eg);
	const struct tandem_endpoint to = { .ip = eg->remote, .port = ntohs(eg->remote_port) };
	struct io_uring_sqe *sqe;
	uint32_t index;

	if (!from)
		return -ENOTCONN;
	memset(&p->msg, 0, sizeof(p->msg));
	p->msg.msg_name = &p->to;
	p->msg.msg_namelen = tandem_endpoint_to_sockaddr(&to, &p->to);
	p->iov.iov_base = d->payload;
	p->iov.iov_len = d->len;
	p->msg.msg_iov = &p->iov;
	p->msg.msg_iovlen = 1;
	set_tos(p, p->to.ss_family, egress_tos(eg, d->tos));
	p->flow = plan->flow;

	/* A packet of the ring is named by its number, one of a port by that of the port. */
	index = p->own ? p->port | SEND_OWN : (uint32_t)(p - dp->packets);
	sqe = tandem_uring_sqe(dp, uring_data(URING_SEND, index));
	io_uring_prep_sendmsg(sqe, from->fd, &p->msg, 0);
	return 0;
}

static void release(struct tandem_datapath *dp, struct uring_packet *p)
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
	enum reason reason = relay_datagram(&dp->env, &d->key, d->payload, d->len, &plan);

	if (reason == REASON_learning)
		tandem_uring_event(dp, p->port, &d->key, d->payload, d->len);
	if (reason_verdict(reason) != VERDICT_FORWARD)
		return false;
	if (send_on(dp, p, &plan, d) == 0)
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
	out->namelen = p->msg.msg_namelen;
	out->controllen = (uint32_t)p->msg.msg_controllen;
	out->payloadlen = size;
	out->flags = (uint32_t)p->msg.msg_flags;
}

static bool handle(struct tandem_datapath *dp, struct uring_packet *p, uint32_t size)
{
	struct datagram d = { .payload = payload_of(p) };
	struct io_uring_recvmsg_out out;

	read_header(dp, p, size, &out);
	if (out.flags & MSG_TRUNC || datagram_key(dp, p, p->port, &d.key)) {
		env_count(&dp->env, REASON_bad_header);
		return false;
	}
	d.len = out.payloadlen;
	d.tos = received_tos(control_of(p), out.controllen);
	return relay(dp, p, &d);
}

static void received_multishot(struct tandem_datapath *dp, uint32_t index,
			       const struct io_uring_cqe *cqe)
{
	struct uring_packet *p;

	if (cqe->flags & IORING_CQE_F_BUFFER) {
		p = &dp->packets[cqe->flags >> IORING_CQE_BUFFER_SHIFT];
		dp->buffers_free--;
		p->port = index;
		if (cqe->res < 0 || !handle(dp, p, (uint32_t)cqe->res))
			release(dp, p);
	}
	if (!(cqe->flags & IORING_CQE_F_MORE))
		tandem_uring_port_ended(dp, index, cqe->res);
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
	port->packet->port = index;
	if (cqe->res < 0 || !handle(dp, port->packet, (uint32_t)cqe->res))
		release(dp, port->packet);
}

void tandem_uring_sent(struct tandem_datapath *dp, uint32_t index, int result)
{
	struct uring_packet *p = index & SEND_OWN ? dp->ports[index & ~SEND_OWN].packet
						  : &dp->packets[index];
	const struct plan plan = { .flow = p->flow };

	if (result < 0)
		relay_send_failed(&dp->env, &plan);
	release(dp, p);
}
