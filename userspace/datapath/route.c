/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/route.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userspace/util/endpoint.h"

#define REPLY_SIZE 8192
#define TIMEOUT_S  1
#define NUD_USABLE (NUD_PERMANENT | NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE)
#define V4_IN_V6   12

struct question {
	struct nlmsghdr nlh;
	union {
		struct rtmsg rt;
		struct ndmsg nd;
	};
	char attrs[96];
};

int tandem_route_open(uint32_t groups)
{
	const struct timeval timeout = { .tv_sec = TIMEOUT_S };
	struct sockaddr_nl self = { .nl_family = AF_NETLINK, .nl_groups = groups };
	int flags = SOCK_RAW | SOCK_CLOEXEC | (groups ? SOCK_NONBLOCK : 0);
	int fd = socket(AF_NETLINK, flags, NETLINK_ROUTE), err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	if (bind(fd, (struct sockaddr *)&self, sizeof(self)) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static const char *ip_bytes(const struct ip_addr *ip, size_t *len)
{
	bool v4 = tandem_ip_is_v4(ip);

	*len = v4 ? 4 : 16;
	return (const char *)ip->b + (v4 ? V4_IN_V6 : 0);
}

/* False when data is not an address of that family. */
static bool ip_from(struct ip_addr *ip, int family, const void *data, size_t len)
{
	if (len < (family == AF_INET ? 4 : 16))
		return false;
	memset(ip, 0, sizeof(*ip));
	if (family != AF_INET) {
		memcpy(ip->b, data, 16);
		return true;
	}
	memset(ip->b + 10, 0xff, 2);
	memcpy(ip->b + V4_IN_V6, data, 4);
	return true;
}

static void add_ip(struct question *q, unsigned short type, const struct ip_addr *ip)
{
	struct rtattr *rta = (struct rtattr *)((char *)q + NLMSG_ALIGN(q->nlh.nlmsg_len));
	size_t len;
	const char *bytes = ip_bytes(ip, &len);

	rta->rta_type = type;
	rta->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(rta), bytes, len);
	q->nlh.nlmsg_len = (uint32_t)(NLMSG_ALIGN(q->nlh.nlmsg_len) + RTA_SPACE(len));
}

/* Ask, and wait for the one message that answers; a late answer to another is passed over. */
static int ask(int fd, struct question *q, char *buf, size_t size)
{
	static __thread uint32_t seq;
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
	ssize_t len;
	int err;

	q->nlh.nlmsg_flags |= NLM_F_REQUEST;
	q->nlh.nlmsg_seq = ++seq;
	if (send(fd, q, q->nlh.nlmsg_len, 0) < 0)
		return -errno;
	do {
		len = recv(fd, buf, size, 0);
		if (len < 0 && errno != EINTR)
			return -errno;
	} while (len < 0 || !NLMSG_OK(nlh, len) || nlh->nlmsg_seq != q->nlh.nlmsg_seq);
	if (nlh->nlmsg_type != NLMSG_ERROR)
		return 0;
	err = ((const struct nlmsgerr *)NLMSG_DATA(nlh))->error;
	return err ? err : -ENOENT;
}

static uint32_t metrics_mtu(const struct rtattr *metrics)
{
	const struct rtattr *rta = RTA_DATA(metrics);
	int len = (int)RTA_PAYLOAD(metrics);
	uint32_t mtu = 0;

	for (; RTA_OK(rta, len); rta = RTA_NEXT(rta, len)) {
		if (rta->rta_type == RTAX_MTU && RTA_PAYLOAD(rta) >= sizeof(mtu))
			memcpy(&mtu, RTA_DATA(rta), sizeof(mtu));
	}
	return mtu;
}

static void route_attr(const struct rtattr *rta, int family, struct tandem_route *route)
{
	const struct rtvia *via = RTA_DATA(rta);

	switch (rta->rta_type) {
	case RTA_OIF:
		memcpy(&route->oif, RTA_DATA(rta), sizeof(route->oif));
		break;
	case RTA_GATEWAY:
		ip_from(&route->next, family, RTA_DATA(rta), RTA_PAYLOAD(rta));
		break;
	case RTA_VIA: /* an IPv4 route by an IPv6 neighbour */
		if (RTA_PAYLOAD(rta) > sizeof(*via))
			ip_from(&route->next, via->rtvia_family, via->rtvia_addr,
				RTA_PAYLOAD(rta) - sizeof(*via));
		break;
	case RTA_METRICS:
		route->mtu = metrics_mtu(rta);
		break;
	case RTA_ENCAP_TYPE:
		route->encapsulated = true;
		break;
	}
}

int tandem_route_find(int fd, const struct ip_addr *remote, const struct ip_addr *local,
		      struct tandem_route *route)
{
	_Alignas(struct nlmsghdr) char buf[REPLY_SIZE];
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
	const struct rtmsg *rt = NLMSG_DATA(nlh);
	int family = tandem_ip_family(remote), len, err;
	uint8_t bits = family == AF_INET ? 32 : 128;
	struct question q = {
		.nlh = { .nlmsg_len = NLMSG_LENGTH(sizeof(q.rt)), .nlmsg_type = RTM_GETROUTE },
		.rt = { .rtm_family = (uint8_t)family, .rtm_dst_len = bits, .rtm_src_len = bits },
	};
	const struct rtattr *rta;

	add_ip(&q, RTA_DST, remote);
	add_ip(&q, RTA_SRC, local);
	err = ask(fd, &q, buf, sizeof(buf));
	if (err)
		return err;
	len = (int)nlh->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*rt));
	if (nlh->nlmsg_type != RTM_NEWROUTE || len < 0 || rt->rtm_type != RTN_UNICAST)
		return -ENETUNREACH;
	memset(route, 0, sizeof(*route));
	route->next = *remote;
	for (rta = RTM_RTA(rt); RTA_OK(rta, len); rta = RTA_NEXT(rta, len))
		route_attr(rta, family, route);
	return route->oif && !route->encapsulated ? 0 : -ENETUNREACH;
}

bool tandem_neighbour_read(const struct nlmsghdr *nlh, struct tandem_neighbour *n)
{
	const struct ndmsg *nd = NLMSG_DATA(nlh);
	int len = (int)nlh->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*nd));
	const struct rtattr *rta;
	bool has_ip = false, has_mac = false;

	if ((nlh->nlmsg_type != RTM_NEWNEIGH && nlh->nlmsg_type != RTM_DELNEIGH) || len < 0)
		return false;
	memset(n, 0, sizeof(*n));
	n->ifindex = nd->ndm_ifindex;
	rta = (const struct rtattr *)((const char *)nd + NLMSG_ALIGN(sizeof(*nd)));
	for (; RTA_OK(rta, len); rta = RTA_NEXT(rta, len)) {
		if (rta->rta_type == NDA_DST)
			has_ip = ip_from(&n->ip, nd->ndm_family, RTA_DATA(rta), RTA_PAYLOAD(rta));
		if (rta->rta_type != NDA_LLADDR || RTA_PAYLOAD(rta) != sizeof(n->mac))
			continue;
		memcpy(n->mac, RTA_DATA(rta), sizeof(n->mac));
		has_mac = true;
	}
	n->usable = nlh->nlmsg_type == RTM_NEWNEIGH && nd->ndm_state & NUD_USABLE && has_mac;
	return has_ip && (nd->ndm_family == AF_INET || nd->ndm_family == AF_INET6);
}

int tandem_neighbour_find(int fd, int oif, const struct ip_addr *ip, uint8_t mac[6])
{
	_Alignas(struct nlmsghdr) char buf[REPLY_SIZE];
	struct question q = {
		.nlh = { .nlmsg_len = NLMSG_LENGTH(sizeof(q.nd)), .nlmsg_type = RTM_GETNEIGH },
		.nd = { .ndm_family = (uint8_t)tandem_ip_family(ip), .ndm_ifindex = oif },
	};
	struct tandem_neighbour n;
	int err;

	add_ip(&q, NDA_DST, ip);
	err = ask(fd, &q, buf, sizeof(buf));
	if (err)
		return err;
	if (!tandem_neighbour_read((const struct nlmsghdr *)buf, &n) || !n.usable)
		return -ENOENT;
	memcpy(mac, n.mac, sizeof(n.mac));
	return 0;
}

int tandem_neighbours_ask(int fd)
{
	struct question q = {
		.nlh = { .nlmsg_len = NLMSG_LENGTH(sizeof(q.nd)),
			 .nlmsg_type = RTM_GETNEIGH,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
	};

	return send(fd, &q, q.nlh.nlmsg_len, 0) < 0 ? -errno : 0;
}

void tandem_neighbour_seek(int fd, int oif, const struct ip_addr *ip)
{
	_Alignas(struct nlmsghdr) char buf[REPLY_SIZE];
	struct question q = {
		.nlh = { .nlmsg_len = NLMSG_LENGTH(sizeof(q.nd)),
			 .nlmsg_type = RTM_NEWNEIGH,
			 .nlmsg_flags = NLM_F_CREATE | NLM_F_ACK },
		.nd = { .ndm_family = (uint8_t)tandem_ip_family(ip),
			.ndm_ifindex = oif,
			.ndm_flags = NTF_USE },
	};

	add_ip(&q, NDA_DST, ip);
	ask(fd, &q, buf, sizeof(buf));
}
