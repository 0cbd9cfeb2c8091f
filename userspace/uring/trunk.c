/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A socket for each media port is a descriptor and three system calls for each, although a fast
 * path leaves next to nothing for it to receive. Instead a few sockets, the trunks, receive for
 * all ports that have a flow (bpf/steer.bpf.c hands them the datagrams, and where each was
 * sent to comes along as ancillary data); and since a UDP socket sends from its own port only,
 * what leaves is sent as a frame where its way is known (way.c), and else by a raw socket for
 * each family, with a UDP header of ours.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "userspace/uring/worker.h"

/*
 * What a trunk may have waiting, in the kernel's count: some 700 bytes for a datagram of audio. A
 * flood to one port is at the cost of those that come in by the same trunk, one in so many
 * as there are trunks.
 */
#define RECEIVE_BUFFER (2 << 20)
/*
 * More than what waits for neighbours that do not answer: by default at most 1024 of them
 * (net.ipv4.neigh.default.gc_thresh3) with 208 KiB each (unres_qlen_bytes). They must not
 * keep the others from sending.
 */
#define SEND_BUFFER (256 << 20)

/* ---- life ---- */

/*
 * Nobody shall reach it but by the program: it is bound to a loopback address, which needs not
 * even be there.
 */
static int bind_loopback(int fd, int family)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback };
	struct sockaddr_in four = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	bool v4 = family == AF_INET;
	int err = setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_FREEBIND : IPV6_FREEBIND,
			     &(int){ 1 }, sizeof(int));

	if (!err)
		err = v4 ? bind(fd, (struct sockaddr *)&four, sizeof(four))
			 : bind(fd, (struct sockaddr *)&six, sizeof(six));
	return err ? -errno : 0;
}

static int open_trunk(struct tandem_datapath *dp, uint32_t number, int family)
{
	struct uring_port *port = &dp->ports[uring_trunk(dp, number)];
	int err;

	if (dp->bequest) {
		port->fd = tandem_uring_inherited(dp, URING_INHERITED_TRUNKS + number);
		port->open = port->fd >= 0;
		return port->open ? 0 : port->fd;
	}
	port->fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
	if (port->fd < 0)
		return -errno;
	port->open = true;
	tandem_uring_socket_options(port->fd, family, RECEIVE_BUFFER);
	err = family == AF_INET ? setsockopt(port->fd, IPPROTO_IP, IP_RECVORIGDSTADDR, &(int){ 1 },
					     sizeof(int))
				: setsockopt(port->fd, IPPROTO_IPV6, IPV6_RECVORIGDSTADDR,
					     &(int){ 1 }, sizeof(int));
	err = err ? -errno : bind_loopback(port->fd, family);
	if (!err)
		err = tandem_uring_steer_socket(dp, number, port->fd);
	return err;
}

/* It sends only: what a raw socket would hear besides is filtered out. */
static int open_raw(int *fdp, int family)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog filter = { .len = 1, .filter = &none };
	int err;

	*fdp = socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);
	if (*fdp < 0)
		return -errno;
	tandem_uring_socket_options(*fdp, family, SEND_BUFFER);
	err = setsockopt(*fdp, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
	return err ? -errno : bind_loopback(*fdp, family);
}

static bool has_family(const struct relay_config *relay, int family)
{
	for (uint32_t i = 0; i < relay->locals_count; i++) {
		if (tandem_ip_family(&relay->locals[i]) == family)
			return true;
	}
	return false;
}

static int open_family(struct tandem_datapath *dp, int family, char *why, size_t why_size)
{
	bool v4 = family == AF_INET;
	uint32_t first = v4 ? 0 : URING_TRUNKS;
	int err;

	if (!has_family(&dp->tables.config, family))
		return 0;
	err = open_raw(&dp->raw_fds[!v4], family);
	if (err) {
		snprintf(why, why_size, "no raw sockets: %s", strerror(-err));
		return err;
	}
	for (uint32_t i = 0; i < URING_TRUNKS && !err; i++)
		err = open_trunk(dp, first + i, family);
	if (err)
		snprintf(why, why_size, "no sockets to share: %s", strerror(-err));
	return err;
}

int tandem_uring_trunks_probe(const struct relay_config *relay, char *why, size_t why_size)
{
	int fd;

	if (tandem_uring_multishot_probe()) {
		snprintf(why, why_size, "no multishot receive");
		return -EOPNOTSUPP;
	}
	fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);
	if (fd < 0) {
		snprintf(why, why_size, "no raw sockets: %s", strerror(errno));
		return -errno;
	}
	close(fd);
	return tandem_uring_steer_probe(relay, why, why_size);
}

static void listen_all(struct tandem_datapath *dp)
{
	for (uint32_t i = 0; i < 2 * URING_TRUNKS; i++) {
		if (dp->ports[uring_trunk(dp, i)].open)
			tandem_uring_port_get(dp, uring_trunk(dp, i));
	}
}

int tandem_uring_trunks_open(struct tandem_datapath *dp, char *why, size_t why_size)
{
	int err = tandem_uring_steer_open(dp, why, why_size);

	if (!err)
		err = open_family(dp, AF_INET, why, why_size);
	if (!err)
		err = open_family(dp, AF_INET6, why, why_size);
	if (!err)
		err = tandem_uring_steer_attach(dp, why, why_size);
	if (err) {
		tandem_uring_trunks_close(dp);
		return err;
	}
	if (!dp->no_frames)
		tandem_uring_ways_open(dp);
	dp->trunked = true;
	/* what waits in them is of flows that are not here yet */
	dp->holding = dp->bequest;
	if (!dp->holding)
		listen_all(dp);
	return 0;
}

void tandem_uring_trunks_resume(struct tandem_datapath *dp)
{
	if (!dp->holding)
		return;
	dp->holding = false;
	tandem_uring_steer_tidy(dp);
	listen_all(dp);
}

void tandem_uring_trunks_stop(struct tandem_datapath *dp)
{
	for (uint32_t i = 0; dp->trunked && i < 2 * URING_TRUNKS; i++) {
		if (dp->ports[uring_trunk(dp, i)].refs)
			tandem_uring_port_put(dp, uring_trunk(dp, i));
	}
}

void tandem_uring_trunks_close(struct tandem_datapath *dp)
{
	tandem_uring_steer_close(dp);
	tandem_uring_ways_close(dp);
	for (uint32_t i = 0; i < 2 * URING_TRUNKS; i++) {
		struct uring_port *port = &dp->ports[uring_trunk(dp, i)];

		if (port->open)
			close(port->fd);
		port->open = false;
	}
	for (int i = 0; i < 2; i++) {
		if (dp->raw_fds[i] >= 0)
			close(dp->raw_fds[i]);
		dp->raw_fds[i] = -1;
	}
}

/* ---- sending ---- */

int tandem_uring_trunk_send(struct tandem_datapath *dp, struct uring_send *s,
			    const struct tandem_endpoint *from, const struct tandem_endpoint *to)
{
	const struct tandem_endpoint host = {
		.ip = to->ip
	}; /* to a raw socket, ports are nothing */
	bool v4 = tandem_ip_is_v4(&from->ip);
	struct in_pktinfo four = { 0 };
	struct in6_pktinfo six = { 0 };

	tandem_uring_udp_header(s, from, to);
	s->msg.msg_name = &s->to;
	s->msg.msg_namelen = tandem_endpoint_to_sockaddr(&host, &s->to);
	memcpy(&four.ipi_spec_dst, &from->ip.w[3], sizeof(four.ipi_spec_dst));
	memcpy(&six.ipi6_addr, &from->ip, sizeof(six.ipi6_addr));
	if (v4)
		tandem_uring_send_control(s, IPPROTO_IP, IP_PKTINFO, &four, sizeof(four));
	else
		tandem_uring_send_control(s, IPPROTO_IPV6, IPV6_PKTINFO, &six, sizeof(six));
	return dp->raw_fds[!v4];
}
