/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/headers.h"
#include "userspace/uring/worker.h"

#define SOCKET_BUFFER (1 << 20)
#define STALE_MAX     4096 /* datagrams thrown away when a port is used again */

static void set_option(int fd, int level, int name, int value)
{
	/* Each makes things better, none is needed: see open_socket() for the one that is. */
	setsockopt(fd, level, name, &value, sizeof(value));
}

static void set_buffer(int fd, int forced, int limited, int size)
{
	if (setsockopt(fd, SOL_SOCKET, forced, &size, sizeof(size)) < 0)
		set_option(fd, SOL_SOCKET, limited, size);
}

/*
 * A hop limit of its own goes with a datagram whose egress has one; these are for the others,
 * and the same in every datapath. A relay must not fail on a smaller MTU further on, which
 * nobody here discovers. What it sends to a group it does not want back.
 */
void tandem_uring_socket_options(int fd, int family, int buffer)
{
	set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, buffer);
	set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, buffer);
	if (family == AF_INET) {
		set_option(fd, IPPROTO_IP, IP_RECVTOS, 1);
		set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
		set_option(fd, IPPROTO_IP, IP_TTL, FRESH_TTL);
		set_option(fd, IPPROTO_IP, IP_MULTICAST_TTL, FRESH_TTL);
		set_option(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
	} else {
		set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
		set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
		set_option(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, FRESH_TTL);
		set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, FRESH_TTL);
		set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
	}
}

/* Others on this host may hear a group as well; and it hears nothing that they have joined. */
static int set_group_options(int fd, int family)
{
	int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	int all = family == AF_INET ? IP_MULTICAST_ALL : IPV6_MULTICAST_ALL;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) < 0)
		return -errno;
	return setsockopt(fd, level, all, &(int){ 0 }, sizeof(int)) < 0 ? -errno : 0;
}

/* scope is the interface that an IPv6 group is bound to, or 0. */
static int open_socket(const struct tandem_endpoint *local, uint32_t scope, int *fdp)
{
	int family = tandem_ip_family(&local->ip);
	struct sockaddr_storage ss;
	socklen_t len = tandem_endpoint_to_sockaddr(local, &ss);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
	int err = 0;

	if (fd < 0)
		return -errno;
	tandem_uring_socket_options(fd, family, SOCKET_BUFFER);
	if (tandem_ip_is_group(&local->ip))
		err = set_group_options(fd, family);
	if (family == AF_INET6) {
		((struct sockaddr_in6 *)&ss)->sin6_scope_id = scope;
		if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){ 1 }, sizeof(int)) < 0)
			err = -errno;
	}
	if (!err && bind(fd, (struct sockaddr *)&ss, len) < 0)
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	*fdp = fd;
	return 0;
}

/* Where the port is bound; returns the scope of open_socket(). */
static uint32_t port_endpoint(const struct tandem_datapath *dp, uint32_t index,
			      struct tandem_endpoint *local)
{
	const struct relay_config *relay = &dp->tables.config;

	if (index >= dp->direct_count) {
		const struct uring_group_key *key = &dp->groups[index - dp->direct_count].key;

		local->ip = key->ip;
		local->port = ntohs(key->port);
		return key->scope;
	}
	local->ip = relay->locals[index / relay->port_count];
	local->port = (uint16_t)(relay->port_base + index % relay->port_count);
	return 0;
}

/* What came for the earlier user of the port must not be taken for the new one's. */
static void discard_stale(int fd)
{
	char byte;

	for (int i = 0; i < STALE_MAX; i++) {
		if (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT | MSG_TRUNC) < 0)
			return;
	}
}

static int packet_alloc(struct uring_port *port)
{
	port->packet = aligned_alloc(64, sizeof(*port->packet));
	if (!port->packet)
		return -ENOMEM;
	/* Most of its data is never used, and then takes no memory either. */
	memset(port->packet, 0, offsetof(struct uring_packet, data) + URING_HEADER_SIZE);
	port->packet->own = true;
	return 0;
}

static void arm(struct tandem_datapath *dp, uint32_t index);

static int port_open(struct tandem_datapath *dp, uint32_t index)
{
	struct uring_port *port = &dp->ports[index];
	struct tandem_endpoint local;
	uint32_t scope = port_endpoint(dp, index, &local);
	int err = dp->multishot ? 0 : packet_alloc(port);

	if (!err)
		err = open_socket(&local, scope, &port->fd);
	if (err) {
		free(port->packet);
		port->packet = NULL;
		return err;
	}
	port->open = true;
	dp->own_sockets++;
	memset(port->tokens, 0, sizeof(port->tokens));
	arm(dp, index);
	return 0;
}

static bool is_trunk(const struct tandem_datapath *dp, uint32_t index)
{
	return index >= uring_trunk(dp, 0);
}

/* Does nobody want it, and is nothing of it with the kernel any more? Then it goes. */
static void close_idle(struct tandem_datapath *dp, uint32_t index)
{
	struct uring_port *port = &dp->ports[index];

	if (!port->open || port->refs || port->sending || port->armed || port->starved ||
	    port->lent)
		return;
	close(port->fd);
	free(port->packet);
	port->packet = NULL;
	port->open = false;
	dp->own_sockets -= !is_trunk(dp, index);
	if (index >= dp->direct_count && index < uring_trunk(dp, 0))
		tandem_uring_group_release(dp, index);
}

/* Can it be served by the trunks? */
static bool may_share(const struct tandem_datapath *dp, uint32_t index)
{
	return dp->trunked && index < dp->direct_count;
}

int tandem_uring_port_get(struct tandem_datapath *dp, uint32_t index)
{
	struct uring_port *port = &dp->ports[index];
	int err;

	if (!port->open && may_share(dp, index)) {
		if (!port->refs) {
			memset(port->tokens, 0, sizeof(port->tokens));
			tandem_uring_steer(dp, index, true);
		}
	} else if (!port->open) {
		err = port_open(dp, index);
		if (err)
			return err;
	} else if (port->refs == 0) {
		/* what waits in an inherited trunk is for flows that are there */
		if (!is_trunk(dp, index))
			discard_stale(port->fd);
		/* A request that is being cancelled is followed by another when it has ended. */
		if (!port->armed && !port->starved && !port->lent)
			arm(dp, index);
	}
	port->refs++;
	return 0;
}

static void cancel(struct tandem_datapath *dp, uint32_t index)
{
	struct io_uring_sqe *sqe = tandem_uring_sqe(dp, uring_data(URING_IGNORE, 0));

	io_uring_prep_cancel64(sqe, uring_data(URING_RECV, index), 0);
	sqe->user_data = uring_data(URING_IGNORE, 0);
}

void tandem_uring_port_put(struct tandem_datapath *dp, uint32_t index)
{
	struct uring_port *port = &dp->ports[index];

	if (--port->refs)
		return;
	if (!port->open)
		tandem_uring_steer(dp, index, false);
	else if (port->armed)
		cancel(dp, index);
	else
		close_idle(dp, index);
}

int tandem_uring_port_cast(struct tandem_datapath *dp, uint32_t index)
{
	struct tandem_endpoint local;
	struct ip_mreqn by = { 0 };
	uint32_t ifindex;
	int err;

	if (!dp->ports[index].open) {
		err = port_open(dp, index);
		if (err)
			return err;
		tandem_uring_steer(dp, index, false);
	}
	port_endpoint(dp, index, &local);
	if (tandem_ip_is_v4(&local.ip)) {
		memcpy(&by.imr_address, &local.ip.w[3], sizeof(by.imr_address));
		err = setsockopt(dp->ports[index].fd, IPPROTO_IP, IP_MULTICAST_IF, &by, sizeof(by));
	} else {
		ifindex = tandem_uring_ifindex_of(&local.ip);
		if (!ifindex)
			return -EADDRNOTAVAIL;
		err = setsockopt(dp->ports[index].fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &ifindex,
				 sizeof(ifindex));
	}
	return err < 0 ? -errno : 0;
}

static void arm_multishot(struct tandem_datapath *dp, uint32_t index)
{
	struct io_uring_sqe *sqe = tandem_uring_sqe(dp, uring_data(URING_RECV, index));

	io_uring_prep_recvmsg_multishot(sqe, dp->ports[index].fd, &dp->recv_msg, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = URING_BUFFER_GROUP;
}

/* The same layout in the buffer as multishot gives; the header is filled in afterwards. */
static void arm_single(struct tandem_datapath *dp, uint32_t index)
{
	struct io_uring_sqe *sqe = tandem_uring_sqe(dp, uring_data(URING_RECV, index));
	struct uring_packet *p = dp->ports[index].packet;
	unsigned char *name = p->data + sizeof(struct io_uring_recvmsg_out);
	struct uring_send *s = &p->send;

	memset(&s->msg, 0, sizeof(s->msg));
	s->msg.msg_name = name;
	s->msg.msg_namelen = URING_NAME_SIZE;
	s->msg.msg_control = name + URING_NAME_SIZE;
	s->msg.msg_controllen = URING_CONTROL_SIZE;
	s->iov.iov_base = p->data + URING_HEADER_SIZE;
	s->iov.iov_len = URING_PAYLOAD_SIZE;
	s->msg.msg_iov = &s->iov;
	s->msg.msg_iovlen = 1;
	io_uring_prep_recvmsg(sqe, dp->ports[index].fd, &s->msg, 0);
}

static void arm(struct tandem_datapath *dp, uint32_t index)
{
	dp->ports[index].armed = true;
	if (dp->multishot)
		arm_multishot(dp, index);
	else
		arm_single(dp, index);
}

void tandem_uring_port_rearm(struct tandem_datapath *dp, uint32_t index)
{
	struct uring_port *port = &dp->ports[index];

	port->lent = false;
	if (port->refs)
		arm(dp, index);
	else
		close_idle(dp, index);
}

void tandem_uring_port_sent(struct tandem_datapath *dp, uint32_t index)
{
	if (index == TANDEM_NO_SLOT)
		return;
	dp->ports[index].sending--;
	close_idle(dp, index);
}

void tandem_uring_port_ended(struct tandem_datapath *dp, uint32_t index, int result)
{
	struct uring_port *port = &dp->ports[index];

	port->armed = false;
	if (result != -ENOBUFS || port->refs == 0) {
		tandem_uring_port_rearm(dp, index);
		return;
	}
	port->starved = true;
	port->next_starved = dp->starved_head;
	dp->starved_head = index;
}

void tandem_uring_ports_feed(struct tandem_datapath *dp)
{
	uint32_t index = dp->starved_head;

	if (index == TANDEM_NO_SLOT || !dp->buffers_free)
		return;
	dp->starved_head = TANDEM_NO_SLOT;
	while (index != TANDEM_NO_SLOT) {
		struct uring_port *port = &dp->ports[index];
		uint32_t next = port->next_starved;

		port->starved = false;
		tandem_uring_port_rearm(dp, index);
		index = next;
	}
}
