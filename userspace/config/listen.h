/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where SIP listens: "udp:192.0.2.1:5060", "tcp:[2001:db8::1]:5060", "tls:192.0.2.1:5061", and for
 * browsers "ws:192.0.2.1:8080" and "wss:192.0.2.1:8443".
 */
#ifndef TANDEM_CONFIG_LISTEN_H
#define TANDEM_CONFIG_LISTEN_H

#include "userspace/util/endpoint.h"

struct tandem_listen {
	const char *transport; /* "udp", "tcp", "tls", "ws", "wss"; constant */
	struct tandem_endpoint local;
};

/* 0, or -EINVAL: no transport, no literal address, or no port from 1 to 65535. */
int tandem_listen_parse(struct tandem_listen *listen, const char *text);

/* True for what needs a certificate. */
bool tandem_listen_secure(const struct tandem_listen *listen);

/* Write it in the same form; returns buf. 64 bytes are enough. */
const char *tandem_listen_format(const struct tandem_listen *listen, char *buf, size_t size);

#endif
