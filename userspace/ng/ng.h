/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The NG protocol, by which SIP servers drive a relay of media: they hand over each description of
 * a session as it passes through them, and get the one to send on. It is that of rtpengine, so
 * that what drives rtpengine (Kamailio, OpenSIPS) drives tandem.
 *
 * Who may send requests may end calls and see who talks to whom: nobody but the configured
 * networks is listened to, and nothing is sent in answer to others.
 */
#ifndef TANDEM_NG_NG_H
#define TANDEM_NG_NG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "userspace/play/play.h"
#include "userspace/record/record.h"
#include "userspace/session/session.h"

#define TANDEM_NG_MAX_LISTEN  8
#define TANDEM_NG_MAX_ALLOW   64
#define TANDEM_NG_MAX_CLIENTS 64 /* connections by TCP, and as many by HTTP */
#define TANDEM_NG_MAX_HOSTS   16

struct tandem_ng;

enum tandem_ng_transport {
	TANDEM_NG_UDP,
	TANDEM_NG_TCP,
	TANDEM_NG_HTTP,	 /* with WebSocket */
	TANDEM_NG_HTTPS, /* the same by TLS */
};

struct tandem_ng_listen {
	enum tandem_ng_transport transport;
	struct tandem_endpoint local;
};

/* Addresses of the relay by the name that "direction" calls them. */
struct tandem_ng_interface {
	const char *name;
	struct tandem_locals locals;
};

/* PEM, names of files. */
struct tandem_ng_tls {
	const char *certificate; /* with its chain; NULL: there is no TLS */
	const char *key;	 /* NULL: in the same file */
	const char *client_ca; /* who signs for clients, that have to show one; NULL: any client */
};

/* Copied, but for names, of interfaces, hosts and files. */
struct tandem_ng_config {
	struct tandem_ng_tls tls;
	struct tandem_ng_listen listen[TANDEM_NG_MAX_LISTEN];
	size_t listen_count;
	struct tandem_prefix allow[TANDEM_NG_MAX_ALLOW];
	size_t allow_count;
	struct tandem_ng_interface interfaces[TANDEM_MAX_LOCALS];
	size_t interfaces_count;
	uint32_t delete_delay_s; /* of sessions that are deleted, where a request does not say */
	const bool *draining;	 /* no new calls while it is set */
	const char *hosts[TANDEM_NG_MAX_HOSTS]; /* names that HTTP clients have for this host */
	size_t hosts_count;
	char *(*metrics_h)(void *arg); /* what /metrics shows, malloc'd; NULL: nothing */
	void *arg;
	struct tandem_play *play;     /* what parties can be made to hear; NULL: nothing */
	struct tandem_record *record; /* what records calls; NULL: nothing */
};

/* Take up requests for sessions. why: as text. */
int tandem_ng_open(struct tandem_ng **ngp, const struct tandem_ng_config *cfg,
		   struct tandem_sessions *sessions, char *why, size_t why_size);
/* The sessions stay as they are. NULL is allowed. */
void tandem_ng_close(struct tandem_ng *ng);

/* Read certificates again, when they have changed or with always set. NULL is allowed. */
void tandem_ng_reload(struct tandem_ng *ng, bool always);

/* Readable when dispatch has something to do. */
int tandem_ng_fd(const struct tandem_ng *ng);
/* Answer what is there; never blocks. */
void tandem_ng_dispatch(struct tandem_ng *ng);

/* What was asked and answered so far: docs/ng.md. A new reference, null for no ng. */
json_t *tandem_ng_json(const struct tandem_ng *ng);

#endif
