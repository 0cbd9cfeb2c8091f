/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/netlink.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/addr.h"

#define REPLY_SIZE 32768
#define TIMEOUT_S  2

/* Of the generic family "netdev"; the kernel headers of older systems lack them. */
#define NETDEV_FAMILY		 "netdev"
#define NETDEV_DEV_GET		 1
#define NETDEV_ATTR_IFINDEX	 1
#define NETDEV_ATTR_XDP_FEATURES 3

struct request {
	struct nlmsghdr nlh;
	union {
		struct ifinfomsg ifi;
		struct ifaddrmsg ifa;
		struct genlmsghdr genl;
	};
	char attrs[64];
};

/* One message of the reply; returns 0, or a negative errno that ends the walk. */
typedef int(message_h)(const struct nlmsghdr *nlh, void *arg);

static int netlink_open(int protocol)
{
	const struct timeval timeout = { .tv_sec = TIMEOUT_S };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	return fd;
}

/* 0: more to come; 1: that was the last; or a negative errno. */
static int reply_part(const char *buf, ssize_t len, bool dump, message_h *h, void *arg)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
	int err;

	for (; NLMSG_OK(nlh, len); nlh = NLMSG_NEXT(nlh, len)) {
		if (nlh->nlmsg_type == NLMSG_DONE)
			return 1;
		if (nlh->nlmsg_type == NLMSG_ERROR) {
			err = ((const struct nlmsgerr *)NLMSG_DATA(nlh))->error;
			return err ? err : 1;
		}
		err = h(nlh, arg);
		if (err)
			return err;
		if (!dump)
			return 1;
	}
	return 0;
}

static int netlink_talk(int protocol, struct request *req, message_h *h, void *arg)
{
	_Alignas(struct nlmsghdr) char buf[REPLY_SIZE];
	bool dump = req->nlh.nlmsg_flags & NLM_F_DUMP;
	int fd = netlink_open(protocol), err = 0;

	if (fd < 0)
		return fd;
	req->nlh.nlmsg_flags |= NLM_F_REQUEST;
	if (send(fd, req, req->nlh.nlmsg_len, 0) < 0)
		err = -errno;
	while (!err) {
		ssize_t len = recv(fd, buf, sizeof(buf), 0);

		err = len < 0 ? -errno : reply_part(buf, len, dump, h, arg);
	}
	close(fd);
	return err > 0 ? 0 : err;
}

static const struct rtattr *find_attr(const struct rtattr *rta, int len, unsigned short type)
{
	for (; RTA_OK(rta, len); rta = RTA_NEXT(rta, len)) {
		if ((rta->rta_type & NLA_TYPE_MASK) == type)
			return rta;
	}
	return NULL;
}

static const struct rtattr *find_nested(const struct rtattr *in, unsigned short type)
{
	return in ? find_attr(RTA_DATA(in), (int)RTA_PAYLOAD(in), type) : NULL;
}

static uint16_t vlan_id(const struct rtattr *info)
{
	const struct rtattr *kind = find_nested(info, IFLA_INFO_KIND), *id;
	uint16_t value;

	if (!kind || RTA_PAYLOAD(kind) < 5 || memcmp(RTA_DATA(kind), "vlan", 5))
		return 0;
	id = find_nested(find_nested(info, IFLA_INFO_DATA), IFLA_VLAN_ID);
	if (!id || RTA_PAYLOAD(id) < sizeof(value))
		return 0;
	memcpy(&value, RTA_DATA(id), sizeof(value));
	return value;
}

struct walk {
	tandem_link_h *link_h;
	tandem_address_h *address_h;
	void *arg;
};

/* The attribute's value, if it is just as long. */
static void read_attr(const struct rtattr *rta, void *value, size_t size)
{
	if (rta && RTA_PAYLOAD(rta) == size)
		memcpy(value, RTA_DATA(rta), size);
}

static int link_message(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifinfomsg *ifi = NLMSG_DATA(nlh);
	int len = (int)nlh->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*ifi));
	const struct rtattr *attrs = IFLA_RTA(ifi), *name;
	struct tandem_link link = { .ifindex = ifi->ifi_index };
	struct walk *walk = arg;

	if (nlh->nlmsg_type != RTM_NEWLINK || len < 0)
		return 0;
	name = find_attr(attrs, len, IFLA_IFNAME);
	if (name && RTA_PAYLOAD(name) <= sizeof(link.name))
		memcpy(link.name, RTA_DATA(name), RTA_PAYLOAD(name));
	read_attr(find_attr(attrs, len, IFLA_LINK), &link.lower, sizeof(link.lower));
	read_attr(find_attr(attrs, len, IFLA_MTU), &link.mtu, sizeof(link.mtu));
	read_attr(find_attr(attrs, len, IFLA_ADDRESS), link.mac, sizeof(link.mac));
	link.vlan = vlan_id(find_attr(attrs, len, IFLA_LINKINFO));
	walk->link_h(&link, walk->arg);
	return 0;
}

int tandem_netlink_links(tandem_link_h *h, void *arg)
{
	struct request req = {
		.nlh = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
			 .nlmsg_type = RTM_GETLINK,
			 .nlmsg_flags = NLM_F_DUMP },
		.ifi = { .ifi_family = AF_UNSPEC },
	};
	struct walk walk = { .link_h = h, .arg = arg };

	return netlink_talk(NETLINK_ROUTE, &req, link_message, &walk);
}

static int address_message(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifaddrmsg *ifa = NLMSG_DATA(nlh);
	int len = (int)nlh->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*ifa));
	const struct walk *walk = arg;
	const struct rtattr *rta;
	struct ip_addr ip = { 0 };
	__be32 v4;

	if (nlh->nlmsg_type != RTM_NEWADDR || len < 0)
		return 0;
	/* IFA_ADDRESS is the other end's where a link is point-to-point; IPv6 has often no other. */
	rta = find_attr(IFA_RTA(ifa), len, IFA_LOCAL);
	if (!rta)
		rta = find_attr(IFA_RTA(ifa), len, IFA_ADDRESS);
	if (rta && ifa->ifa_family == AF_INET && RTA_PAYLOAD(rta) == sizeof(v4)) {
		memcpy(&v4, RTA_DATA(rta), sizeof(v4));
		ip_addr_map4(&ip, v4);
	} else if (rta && ifa->ifa_family == AF_INET6 && RTA_PAYLOAD(rta) == sizeof(ip)) {
		memcpy(&ip, RTA_DATA(rta), sizeof(ip));
	} else {
		return 0;
	}
	walk->address_h(&ip, (int)ifa->ifa_index, walk->arg);
	return 0;
}

int tandem_netlink_addresses(tandem_address_h *h, void *arg)
{
	struct request req = {
		.nlh = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
			 .nlmsg_type = RTM_GETADDR,
			 .nlmsg_flags = NLM_F_DUMP },
		.ifa = { .ifa_family = AF_UNSPEC },
	};
	struct walk walk = { .address_h = h, .arg = arg };

	return netlink_talk(NETLINK_ROUTE, &req, address_message, &walk);
}

static void genl_request(struct request *req, uint16_t family, uint8_t cmd, uint16_t attr,
			 const void *data, size_t len)
{
	struct rtattr *rta = (struct rtattr *)((char *)req + NLMSG_LENGTH(GENL_HDRLEN));

	memset(req, 0, sizeof(*req));
	req->nlh.nlmsg_type = family;
	req->nlh.nlmsg_len = (uint32_t)(NLMSG_LENGTH(GENL_HDRLEN) + RTA_SPACE(len));
	req->genl.cmd = cmd;
	req->genl.version = 1;
	rta->rta_type = attr;
	rta->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(rta), data, len);
}

struct wanted {
	uint16_t attr;
	size_t size;
	void *value;
	bool found;
};

static int genl_message(const struct nlmsghdr *nlh, void *arg)
{
	int len = (int)nlh->nlmsg_len - (int)NLMSG_LENGTH(GENL_HDRLEN);
	const struct rtattr *attrs =
		(const struct rtattr *)((const char *)nlh + NLMSG_LENGTH(GENL_HDRLEN));
	struct wanted *wanted = arg;
	const struct rtattr *rta = len < 0 ? NULL : find_attr(attrs, len, wanted->attr);

	if (rta && RTA_PAYLOAD(rta) >= wanted->size) {
		memcpy(wanted->value, RTA_DATA(rta), wanted->size);
		wanted->found = true;
	}
	return 0;
}

int tandem_netlink_xdp_features(int ifindex, uint64_t *features)
{
	uint32_t index = (uint32_t)ifindex;
	struct request req;
	uint16_t family;
	struct wanted id = { .attr = CTRL_ATTR_FAMILY_ID, .size = 2, .value = &family };
	struct wanted xdp = { .attr = NETDEV_ATTR_XDP_FEATURES, .size = 8, .value = features };
	int err;

	genl_request(&req, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME, NETDEV_FAMILY,
		     sizeof(NETDEV_FAMILY));
	err = netlink_talk(NETLINK_GENERIC, &req, genl_message, &id);
	if (err || !id.found)
		return -EOPNOTSUPP;
	genl_request(&req, family, NETDEV_DEV_GET, NETDEV_ATTR_IFINDEX, &index, sizeof(index));
	err = netlink_talk(NETLINK_GENERIC, &req, genl_message, &xdp);
	if (err)
		return err;
	return xdp.found ? 0 : -EOPNOTSUPP;
}
