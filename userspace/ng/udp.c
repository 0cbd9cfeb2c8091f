/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests by UDP: those that wait at the socket are read, carried out and answered together, so
 * that what they change reaches the store in one piece, and before anybody hears of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "userspace/ng/server.h"
#include "userspace/util/log.h"

#define AT_ONCE	      32
#define DATAGRAM_SIZE 65536

struct tandem_ng_udp {
	struct mmsghdr in[AT_ONCE], out[AT_ONCE];
	struct iovec in_iov[AT_ONCE], out_iov[AT_ONCE];
	struct sockaddr_storage from[AT_ONCE];
	char buf[AT_ONCE][DATAGRAM_SIZE];
	unsigned int answers;
};

int tandem_ng_udp_alloc(struct tandem_ng_udp **udpp)
{
	*udpp = calloc(1, sizeof(**udpp));
	return *udpp ? 0 : -ENOMEM;
}

void tandem_ng_udp_free(struct tandem_ng_udp *udp)
{
	free(udp);
}

static int receive(struct tandem_ng_udp *udp, int fd)
{
	int i;

	for (i = 0; i < AT_ONCE; i++) {
		udp->in_iov[i] = (struct iovec){ udp->buf[i], DATAGRAM_SIZE };
		udp->in[i].msg_hdr = (struct msghdr){
			.msg_name = &udp->from[i],
			.msg_namelen = sizeof(udp->from[i]),
			.msg_iov = &udp->in_iov[i],
			.msg_iovlen = 1,
		};
	}
	return recvmmsg(fd, udp->in, AT_ONCE, MSG_DONTWAIT, NULL);
}

/* Answers are of the cache, which may forget this one while others are carried out: a copy. */
static void keep_answer(struct tandem_ng_udp *udp, const struct msghdr *to, const char *text,
			size_t len)
{
	unsigned int i = udp->answers;
	char *copy = malloc(len);

	if (!copy)
		return; /* as if it had got lost on the way: the client asks again */
	memcpy(copy, text, len);
	udp->out_iov[i] = (struct iovec){ copy, len };
	udp->out[i].msg_hdr = (struct msghdr){
		.msg_name = to->msg_name,
		.msg_namelen = to->msg_namelen,
		.msg_iov = &udp->out_iov[i],
		.msg_iovlen = 1,
	};
	udp->answers++;
}

static void carry_out(struct tandem_ng *ng, const struct mmsghdr *msg)
{
	const struct msghdr *h = &msg->msg_hdr;
	struct tandem_endpoint peer;
	const char *out;
	size_t len, used;

	if (tandem_endpoint_from_sockaddr(&peer, h->msg_name) || !tandem_ng_allowed(ng, &peer))
		return;
	/* a datagram has all of it, or never will */
	if (tandem_ng_respond(ng, &peer, h->msg_iov->iov_base, msg->msg_len, &used, &out, &len) ==
	    -EAGAIN)
		ng->counters.malformed++;
	if (out)
		keep_answer(ng->udp, h, out, len);
}

static void send_answers(struct tandem_ng_udp *udp, int fd)
{
	unsigned int i = 0;
	int n;

	while (i < udp->answers) {
		n = sendmmsg(fd, udp->out + i, udp->answers - i, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			tandem_log(TANDEM_LOG_WARNING, "ng", "answer not sent: %s",
				   strerror(errno));
		i += n < 0 ? 1 : (unsigned int)n;
	}
	for (i = 0; i < udp->answers; i++)
		free(udp->out_iov[i].iov_base);
	udp->answers = 0;
}

void tandem_ng_udp_serve(struct tandem_ng *ng, int fd)
{
	int i, n = receive(ng->udp, fd);

	if (n <= 0)
		return;
	tandem_sessions_begin(ng->calls.sessions);
	for (i = 0; i < n; i++)
		carry_out(ng, &ng->udp->in[i]);
	tandem_sessions_commit(ng->calls.sessions);
	send_answers(ng->udp, fd);
}
