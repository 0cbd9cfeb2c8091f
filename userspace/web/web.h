/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SIP over WebSocket (RFC 7118) for browser phones. libwebsockets speaks the protocol, in a thread
 * of its own. To the SIP stack each browser is a TCP connection to a listener on an address of the
 * host's loopback, which nobody else can reach; this table knows who is behind it.
 *
 * The calls below are for the thread of the SIP stack.
 */
#ifndef TANDEM_WEB_WEB_H
#define TANDEM_WEB_WEB_H

#include <jansson.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The address that the inner connections have on both sides; ports differ. */
#define TANDEM_WEB_INNER "127.87.83.1"

struct tandem_web_config {
	const char *certificate; /* PEM files, for listeners with TLS */
	const char *key;
	const char *path;	    /* that browsers ask for; NULL: any */
	const char *const *origins; /* "https://phone.example.org"; none: any */
	size_t origins_count;
	uint32_t max_connections;
	uint32_t max_per_source;
};

struct tandem_web;

/* Strings are copied. 0 or a negative errno, with why. */
int tandem_web_open(struct tandem_web **wp, const struct tandem_web_config *cfg, char *why,
		    size_t why_size);

/*
 * Listen at addr (IPv4 or IPv6), and pass messages on to the TCP listener at TANDEM_WEB_INNER,
 * inner_port. To be called before start.
 */
int tandem_web_listen(struct tandem_web *w, const struct sockaddr *addr, bool tls,
		      uint16_t inner_port, char *why, size_t why_size);

/* Begin to serve. */
int tandem_web_start(struct tandem_web *w);
void tandem_web_close(struct tandem_web *w);

/* The address of the browser whose inner connection has this port; false when there is none. */
bool tandem_web_outer(struct tandem_web *w, uint16_t inner, struct sockaddr_storage *peer);

/*
 * The port of the inner connection of the browser at peer; false when it is not connected. *listener:
 * the inner port that it leads to.
 */
bool tandem_web_inner(struct tandem_web *w, const struct sockaddr *peer, uint16_t *inner,
		      uint16_t *listener);

/* Have the certificate read again. */
void tandem_web_reload(struct tandem_web *w);

/* {"connections", "accepted", "refused", "malformed"}; new reference, NULL on no memory. */
json_t *tandem_web_json(struct tandem_web *w);

#endif
