/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/genl.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define REPLY_SIZE 32768
#define TIMEOUT_S  5
#define SEND_ROOM  (2 << 20) /* for a fan with all of its legs */

static void family_message(const struct nlmsghdr *nlh, void *arg)
{
	struct tandem_genl *g = arg;

	tandem_genl_get(nlh, CTRL_ATTR_FAMILY_ID, &g->family, sizeof(g->family));
	tandem_genl_get(nlh, CTRL_ATTR_VERSION, &g->version, sizeof(g->version));
}

int tandem_genl_open(struct tandem_genl *g, const char *family)
{
	const struct timeval timeout = { .tv_sec = TIMEOUT_S };
	const int room = SEND_ROOM, on = 1;
	struct tandem_genl_request req;
	int err;

	memset(g, 0, sizeof(*g));
	g->family = GENL_ID_CTRL;
	g->version = 1;
	g->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (g->fd < 0)
		return -errno;
	setsockopt(g->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	/* A refusal is not to bring the request back. */
	setsockopt(g->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	/* Without CAP_NET_ADMIN it stays as it is; then nothing can be sent anyway. */
	setsockopt(g->fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	tandem_genl_begin(g, &req, CTRL_CMD_GETFAMILY, 0);
	tandem_genl_put(&req, CTRL_ATTR_FAMILY_NAME, family, strlen(family) + 1);
	err = tandem_genl_talk(g, &req, family_message, g);
	if (err)
		tandem_genl_close(g);
	return err;
}

void tandem_genl_close(struct tandem_genl *g)
{
	if (g->fd >= 0)
		close(g->fd);
	g->fd = -1;
}

void tandem_genl_begin(const struct tandem_genl *g, struct tandem_genl_request *req, uint8_t cmd,
		       uint16_t flags)
{
	memset(req, 0, sizeof(*req));
	req->nlh.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	req->nlh.nlmsg_type = g->family;
	req->nlh.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | (flags ? flags : NLM_F_ACK));
	req->genl.cmd = cmd;
	req->genl.version = (uint8_t)g->version;
}

void tandem_genl_put(struct tandem_genl_request *req, uint16_t attr, const void *data, size_t len)
{
	req->nlh.nlmsg_len += (uint32_t)tandem_genl_write((char *)&req->nlh + req->nlh.nlmsg_len,
							  attr, data, len);
}

size_t tandem_genl_write(void *to, uint16_t attr, const void *data, size_t len)
{
	struct nlattr *nla = to;

	nla->nla_type = attr;
	nla->nla_len = (uint16_t)(NLA_HDRLEN + len);
	memcpy((char *)nla + NLA_HDRLEN, data, len);
	return NLA_ALIGN(nla->nla_len);
}

static int send_request(struct tandem_genl *g, struct tandem_genl_request *req)
{
	struct iovec parts[] = { { &req->nlh, req->nlh.nlmsg_len },
				 { (void *)(uintptr_t)req->more, req->more_len } };
	const struct msghdr msg = { .msg_iov = parts, .msg_iovlen = req->more_len ? 2 : 1 };

	req->nlh.nlmsg_seq = ++g->seq;
	req->nlh.nlmsg_len += (uint32_t)req->more_len;
	return sendmsg(g->fd, &msg, 0) < 0 ? -errno : 0;
}

/* 0: more to come; 1: that was the last; or a negative errno. */
static int answer_part(const char *buf, ssize_t len, uint32_t seq, tandem_genl_h *h, void *arg)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
	int err;

	for (; NLMSG_OK(nlh, len); nlh = NLMSG_NEXT(nlh, len)) {
		if (nlh->nlmsg_seq != seq)
			continue; /* of a request that was given up */
		if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR) {
			/* Both begin with the error. */
			memcpy(&err, NLMSG_DATA(nlh), sizeof(err));
			return err < 0 ? err : 1;
		}
		if (h)
			h(nlh, arg);
	}
	return 0;
}

int tandem_genl_talk(struct tandem_genl *g, struct tandem_genl_request *req, tandem_genl_h *h,
		     void *arg)
{
	_Alignas(struct nlmsghdr) char buf[REPLY_SIZE];
	int err = send_request(g, req);

	while (!err) {
		ssize_t len = recv(g->fd, buf, sizeof(buf), 0);

		err = len < 0 ? -errno : answer_part(buf, len, g->seq, h, arg);
		if (err == -EINTR)
			err = 0;
	}
	return err > 0 ? 0 : err;
}

int tandem_genl_get(const struct nlmsghdr *nlh, uint16_t attr, void *data, size_t size)
{
	const struct rtattr *rta =
		(const struct rtattr *)((const char *)nlh + NLMSG_LENGTH(GENL_HDRLEN));
	int left = (int)nlh->nlmsg_len - (int)NLMSG_LENGTH(GENL_HDRLEN);

	for (; left > 0 && RTA_OK(rta, left); rta = RTA_NEXT(rta, left)) {
		if ((rta->rta_type & NLA_TYPE_MASK) != attr)
			continue;
		if (RTA_PAYLOAD(rta) < size)
			return -ENOENT;
		memcpy(data, RTA_DATA(rta), size);
		return 0;
	}
	return -ENOENT;
}
