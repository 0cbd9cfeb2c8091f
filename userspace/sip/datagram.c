/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RFC 3261 section 18.1.1: what arrives over UDP may be as long as UDP has it. libre reads 8192
 * octets of a datagram, and its sockets are only seen on the messages that they bring.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userspace/sip/local.h"

#include <re_udp.h>

#define DATAGRAM_MAX 65535

void tandem_sip_datagram_widen(const struct sip_msg *msg)
{
	if (msg->tp == SIP_TRANSP_UDP && msg->sock)
		udp_rxsz_set(msg->sock, DATAGRAM_MAX);
}

/* A response that belongs to nothing: it shows the socket, and is dropped after that. */
int tandem_sip_datagram_first(const struct tandem_listener *l)
{
	static const char text[] = "SIP/2.0 100 Trying\r\n"
				   "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKfirst\r\n"
				   "From: <sip:first@invalid>;tag=first\r\n"
				   "To: <sip:first@invalid>\r\n"
				   "Call-ID: first\r\n"
				   "CSeq: 1 OPTIONS\r\n"
				   "Content-Length: 0\r\n\r\n";
	int fd = socket(sa_af(&l->addr), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (sendto(fd, text, sizeof(text) - 1, 0, &l->addr.u.sa, l->addr.len) < 0)
		err = -errno;
	close(fd);

	return err;
}
