/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/genl.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REPLY_SIZE 32768
#define TIMEOUT_S  5

static void family_message(const struct nlmsghdr *nlh, void *arg)
{
	struct tandem_genl *g = arg;

	tandem_genl_get(nlh, CTRL_ATTR_FAMILY_ID, &g->family, sizeof(g->family));
}

int tandem_genl_open(struct tandem_genl *g, const char *family)
{
	const struct timeval timeout = { .tv_sec = TIMEOUT_S };
	struct tandem_genl_request req;
	int err;

	memset(g, 0, sizeof(*g));
	g->family = GENL_ID_CTRL;
	g->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (g->fd < 0)
		return -errno;
	setsockopt(g->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
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
	req->genl.version = 1;
}

void tandem_genl_put(struct tandem_genl_request *req, uint16_t attr, const void *data, size_t len)
{
	struct nlattr *nla = (struct nlattr *)((char *)req + req->nlh.nlmsg_len);

	nla->nla_type = attr;
	nla->nla_len = (uint16_t)(NLA_HDRLEN + len);
	memcpy((char *)nla + NLA_HDRLEN, data, len);
	req->nlh.nlmsg_len += (uint32_t)NLA_ALIGN(nla->nla_len);
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
	int err = 0;

	req->nlh.nlmsg_seq = ++g->seq;
	if (send(g->fd, req, req->nlh.nlmsg_len, 0) < 0)
		return -errno;
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
