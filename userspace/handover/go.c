/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/handover/go.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "userspace/datapath/bequest.h"

#define WORD	 "go\n"
#define WORD_LEN 3

/* Aligned as a control message has to be. */
union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int) * TANDEM_BEQUEST_FDS)];
};

int tandem_handover_send_go(int fd, const struct tandem_bequest *bequest)
{
	const size_t fds = bequest->fd_count * sizeof(bequest->fds[0]);
	struct iovec iov[2] = { { WORD, WORD_LEN }, { (void *)bequest->data, bequest->len } };
	union control control = { 0 };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = bequest->len ? 2 : 1 };
	ssize_t n;

	if (bequest->len && fds) {
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(fds);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(fds);
		memcpy(CMSG_DATA(&control.head), bequest->fds, fds);
	}
	n = sendmsg(fd, &msg, MSG_NOSIGNAL);
	if (n < 0)
		return -errno;
	return n == (ssize_t)(WORD_LEN + bequest->len) ? 0 : -ECONNRESET;
}

static void take_fds(const struct msghdr *msg, struct tandem_bequest *bequest)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	size_t size;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return;
	size = c->cmsg_len - CMSG_LEN(0);
	memcpy(bequest->fds, CMSG_DATA(c), size);
	bequest->fd_count = (uint32_t)(size / sizeof(bequest->fds[0]));
}

int tandem_handover_receive_go(int fd, struct tandem_bequest *bequest)
{
	char word[WORD_LEN];
	struct iovec iov[2] = { { word, sizeof(word) }, { bequest->data, sizeof(bequest->data) } };
	union control control;
	struct msghdr msg = { .msg_iov = iov,
			      .msg_iovlen = 2,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t n;

	do {
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	take_fds(&msg, bequest);
	if (n < WORD_LEN || memcmp(word, WORD, WORD_LEN)) {
		tandem_bequest_clean(bequest);
		return -ECONNRESET;
	}
	bequest->len = (uint32_t)(n - WORD_LEN);
	if (!bequest->len)
		tandem_bequest_clean(bequest);
	return 0;
}
