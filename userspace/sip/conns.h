/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bounds of connections of TCP and TLS. Of those that others open to the listeners: how many, how many
 * of one source, and how long each may take over its handshake, over a message, and in silence. Of
 * those that libre opens to peers, how many, and the same times. libre asks nobody; accept.c has it
 * ask.
 *
 * At the limit of all, somebody goes for the sake of who comes: who has the handshake of TLS still to
 * end, then who has not said anything yet, then who has but is not registered, the longest
 * silent first. Phones that are registered by their connection only go for trusted sources, and
 * trusted sources not at all.
 */
#ifndef TANDEM_SIP_CONNS_H
#define TANDEM_SIP_CONNS_H

#include "userspace/sip/local.h"

#include <re_tcp.h>

struct tandem_conns;
struct tandem_conn_source;

/* In the order of tandem stats. */
#define TANDEM_CONN_COUNTERS(X)                                                                    \
	X(accepted)	     /* connections, so far */                                             \
	X(refused_full)	     /* there were too many, and none that could go */                     \
	X(refused_source)    /* their source had too many */                                       \
	X(refused_blocked)   /* of blocked and denied sources */                                   \
	X(evicted)	     /* closed to make room */                                             \
	X(closed_blocked)    /* closed as their source was blocked */                              \
	X(handshake_timeout) /* closed: the handshake of TLS took too long */                      \
	X(message_timeout)   /* closed: a message took too long, or none came */                   \
	X(idle_timeout)	     /* closed: silent for too long */

/* What has come of a connection, which is the order in which they go. */
enum tandem_conn_stage {
	TANDEM_CONN_HANDSHAKE,	/* of TLS, not ended */
	TANDEM_CONN_NEW,	/* no whole message yet */
	TANDEM_CONN_HEARD,	/* at least one */
	TANDEM_CONN_REGISTERED, /* a REGISTER that was accepted */
	TANDEM_CONN_FLOW,	/* the same, of a flow that its phone keeps open (RFC 5626) */
	TANDEM_CONN_CALLING,	/* being opened to a peer; these are in a count of their own */
	TANDEM_CONN_OURS,	/* opened to a peer */
	TANDEM_CONN_STAGES
};

struct tandem_conn {
	struct le le;	      /* among those of its stage, by since */
	struct le le_partial; /* among those with a part of a message, by partial_since */
	struct tandem_conns *all;
	struct tandem_conn_source *source; /* NULL: we have opened it */
	struct ip_addr ip;
	struct tcp_conn *tc; /* borrowed; NULL: it is closed */
	enum tandem_conn_stage stage;
	bool trusted;
	bool message;		/* one was completed by what has just come */
	uint64_t since;		/* ms: it came into its stage, or was last heard */
	uint64_t partial_since; /* 0: nothing is missing */
	uint64_t *closed_by;	/* the counter of why we close it; NULL: we do not */
	tcp_estab_h *estab_h;	/* libre's own, and their arg */
	tcp_recv_h *recv_h;
	tcp_close_h *close_h;
	void *arg;
};

/*
 * Watch the TCP and TLS listeners of ts, with the limits of its configuration. From then on libre's
 * connections come through accept.c. 0 or a negative errno.
 */
int tandem_conns_alloc(struct tandem_conns **cp, struct tandem_sip *ts);

/* To be called behind all that may hold a connection. */
void tandem_conns_free(struct tandem_conns *c);

/*
 * The REGISTER msg was accepted: the connection it came on goes last. flow: its phone was told how
 * often to show that it is there (Flow-Timer). Other transports are ignored.
 */
void tandem_conns_registered(const struct sip_msg *msg, bool flow);

/* A whole message was received by a connection, the one that libre has called back for. */
void tandem_conns_message(void);

/* True while libre has octets of a connection in its hands: what it reads comes by TCP or TLS. */
bool tandem_conns_receiving(void);

/* Close those whose source is blocked by now. */
void tandem_conns_close_blocked(struct tandem_conns *c);

/* {"open", "handshakes", "registered", "outgoing", counters...}; new reference, NULL on no memory. */
json_t *tandem_conns_json(const struct tandem_conns *c);

/* For accept.c. */

/* The one that watches the listener at local; NULL: nobody does. */
struct tandem_conns *tandem_conns_at(const struct sa *local);

/*
 * Take a connection in, which is allocated with mem_zalloc(), and belongs to the table from then on. 0, or a
 * negative errno when it is refused.
 */
int tandem_conns_enter(struct tandem_conns *c, struct tandem_conn *conn, struct tcp_conn *tc);

/* The first that watches, or NULL. */
struct tandem_conns *tandem_conns_first(void);

/* May a connection be opened to peer? 0, or a negative errno. */
int tandem_conns_call(struct tandem_conns *c, const struct sa *peer);

/*
 * The same as enter for one that is being opened to peer. Where there are more than the limit, the
 * longest silent go before long.
 */
int tandem_conns_leave(struct tandem_conns *c, struct tandem_conn *conn, struct tcp_conn *tc,
		       const struct sa *peer);

/* The handshake is over; for TCP at once. */
void tandem_conn_established(struct tandem_conn *conn);

/* Octets have come, and libre has had them; blank: empty lines only. */
void tandem_conn_received(struct tandem_conn *conn, bool blank);

/* It is closed, whoever has done it. It is kept until libre is certain to be done with it. */
void tandem_conn_gone(struct tandem_conn *conn);

/* accept.c */

/* False while libre has called its own functions in place of those of accept.c: nothing has bounds then. */
bool tandem_conns_are_seen(void);

/* The connection that has the descriptor of tc; NULL: not one of ours. */
struct tandem_conn *tandem_conn_find(const struct tcp_conn *tc);

/* Have it found by its descriptor: 0 or -ENOMEM; and not any more. */
int tandem_conn_index(struct tandem_conn *conn);
void tandem_conn_unindex(const struct tandem_conn *conn);

/* Call h for each that is open, which may be closed by that. */
typedef void(tandem_conn_h)(struct tandem_conn *conn, void *arg);
void tandem_conn_each(tandem_conn_h *h, void *arg);

/* Give the index back, when nobody watches any more. */
void tandem_conn_index_free(void);

#endif
