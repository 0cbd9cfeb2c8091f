/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/uring/worker.h"

#define RECEIVE_BUFFER (1 << 20)
#define STALE_MAX      4096 /* datagrams thrown away when a port is used again */

static void set_option(int fd, int level, int name, int value)
{
	/* Each makes things better, none is needed: see open_socket() for the one that is. */
	setsockopt(fd, level, name, &value, sizeof(value));
}

static void set_options(int fd, int family)
{
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){ RECEIVE_BUFFER }, sizeof(int)) < 0)
		set_option(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
	set_option(fd, SOL_SOCKET, SO_SNDBUF, RECEIVE_BUFFER);
	/* A relay must not fail on a smaller MTU further on, which nobody here discovers. */
	if (family == AF_INET) {
		set_option(fd, IPPROTO_IP, IP_RECVTOS, 1);
		set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
	} else {
		set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
		set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
	}
}

static int open_socket(const struct tandem_endpoint *local, int *fdp)
{
	int family = tandem_ip_family(&local->ip);
	struct sockaddr_storage ss;
	socklen_t len = tandem_endpoint_to_sockaddr(local, &ss);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
	int err;

	if (fd < 0)
		return -errno;
	set_options(fd, family);
	if (family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){ 1 }, sizeof(int)) < 0)
		goto fail;
	if (bind(fd, (struct sockaddr *)&ss, len) < 0)
		goto fail;
	*fdp = fd;
	return 0;
fail:
	err = -errno;
	close(fd);
	return err;
}

static void port_endpoint(const struct tandem_datapath *dp, uint32_t index,
			  struct tandem_endpoint *local)
{
	const struct relay_config *relay = &dp->tables.config;

	local->ip = relay->locals[index / relay->port_count];
	local->port = (uint16_t)(relay->port_base + index % relay->port_count);
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

static int port_open(struct tandem_datapath *dp, uint32_t index)
{
	struct uring_port *port = &dp->ports[index];
	struct tandem_endpoint local;
	int err;

	if (!dp->multishot) {
		port->packet = aligned_alloc(64, sizeof(*port->packet));
		if (!port->packet)
			return -ENOMEM;
		memset(port->packet, 0, sizeof(*port->packet));
		port->packet->own = true;
	}
	port_endpoint(dp, index, &local);
	err = open_socket(&local, &port->fd);
	if (err) {
		free(port->packet);
		port->packet = NULL;
		return err;
	}
	port->open = true;
	port->event_tokens = 0;
	port->event_ns = 0;
	tandem_uring_port_arm(dp, index);
	return 0;
}

static void port_close(struct uring_port *port)
{
	close(port->fd);
	free(port->packet);
	port->packet = NULL;
	port->open = false;
}

int tandem_uring_port_get(struct tandem_datapath *dp, uint32_t index)
{
	struct uring_port *port = &dp->ports[index];
	int err;

	if (!port->open) {
		err = port_open(dp, index);
		if (err)
			return err;
	} else if (port->refs == 0) {
		/* Its receive request is being cancelled; another follows when that has ended. */
		discard_stale(port->fd);
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
	if (port->armed)
		cancel(dp, index);
	/* Else it is closed when its packet was sent, or when its turn to be fed comes. */
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

	memset(&p->msg, 0, sizeof(p->msg));
	p->msg.msg_name = name;
	p->msg.msg_namelen = URING_NAME_SIZE;
	p->msg.msg_control = name + URING_NAME_SIZE;
	p->msg.msg_controllen = URING_CONTROL_SIZE;
	p->iov.iov_base = name + URING_NAME_SIZE + URING_CONTROL_SIZE;
	p->iov.iov_len = (size_t)(p->data + sizeof(p->data) - (unsigned char *)p->iov.iov_base);
	p->msg.msg_iov = &p->iov;
	p->msg.msg_iovlen = 1;
	io_uring_prep_recvmsg(sqe, dp->ports[index].fd, &p->msg, 0);
}

void tandem_uring_port_arm(struct tandem_datapath *dp, uint32_t index)
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

	if (port->refs)
		tandem_uring_port_arm(dp, index);
	else
		port_close(port);
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
