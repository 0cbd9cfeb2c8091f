/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside the SIP front end: the stack, what is ours, and small helpers on libre's types. */
#ifndef TANDEM_SIP_LOCAL_H
#define TANDEM_SIP_LOCAL_H

#include "userspace/sip/libre.h"

#include "userspace/sip/sip.h"
#include "userspace/util/endpoint.h"

#define TANDEM_SIP_KEY_SIZE 20

/* A transport that we listen on. */
struct tandem_listener {
	enum sip_transp tp;
	struct sa addr;
	struct sa inner; /* ws, wss: where libre has the messages from; see userspace/web */
};

#define TANDEM_UDP_ONLY_MAX 64

/* Who would not have a long request by TCP, see long.h. */
struct tandem_udp_only {
	struct sa addr;
	uint64_t until; /* ms, of libre's clock */
};

/*
 * A stack of libre's for each of our addresses: libre sends from the first
 * transport of a family, so on a host with several networks the address to send
 * from is chosen by choosing the stack.
 */
struct tandem_stack {
	struct sip *sip;
	struct sip_lsnr *lsnr_req;
	struct sip_lsnr *lsnr_resp;
	struct sa addr; /* port without meaning */
};

struct tandem_auth;
struct tandem_block;
struct tandem_conns;
struct tandem_datagrams;
struct tandem_gateways;
struct tandem_location;
struct tandem_names;
struct tandem_routing;
struct tandem_shared;
struct tandem_sip_tls;
struct tandem_web;

struct tandem_sip {
	struct tandem_stack *stacks;
	size_t stacks_count;
	struct tandem_sip_tls *tls; /* NULL: no listener needs it */
	struct tandem_web *web;	    /* NULL: no listener for browsers */
	struct dnsc *dnsc;
	tandem_sip_message_h *message_h; /* may be NULL */
	void *message_arg;
	struct tandem_names *names; /* NULL: there is no name server */
	struct tandem_gateways *gateways;
	struct tandem_routing *routing; /* NULL: nothing leaves */
	struct tandem_sessions *ss;
	struct tandem_location *loc;
	struct tandem_shared *shared; /* NULL: with no other node */
	struct tandem_auth *auth;
	struct tandem_block *block;
	struct tandem_conns *conns;
	struct tandem_datagrams *datagrams;
	struct tandem_sip_config cfg; /* its string arrays are not kept: see domains */
	char **domains;
	size_t domains_count;
	struct tandem_listener *listeners;
	size_t listeners_count;
	struct hash *ht_branch; /* transactions by the branch that we sent */
	struct hash *ht_call;	/* transactions by Call-ID */
	struct list lingering;	/* INVITE transactions after their 2xx, oldest first */
	size_t lingering_count;
	struct tandem_udp_only udp_only[TANDEM_UDP_ONLY_MAX];
	size_t udp_only_next;
	size_t active;	/* transactions before their final response */
	size_t replied; /* stateful replies of our own in the current window */
	struct tmr tmr_window;
	struct tmr tmr_linger;
	struct tmr tmr_expire;
	uint8_t key[TANDEM_SIP_KEY_SIZE];
	char *drain_redirect;
	bool draining;
	bool quiet;
	bool closing;
};

/* listen.c */

/* "udp:192.0.2.1:5060", tcp, tls, ws or wss, as a listener; -EINVAL, and -EADDRNOTAVAIL for a wildcard address. */
int tandem_sip_listener_parse(struct tandem_listener *l, const char *spec);

/* True when uri names this host: a served domain, or an address and port we listen on. */
bool tandem_sip_is_local(const struct tandem_sip *ts, const struct uri *uri);

/*
 * The listening address for traffic of tp that uses our address addr. NULL when there is none. Where
 * libre has a message from browser.c's side, tp and addr are what libre knows of it.
 */
const struct tandem_listener *tandem_sip_listener_find(const struct tandem_sip *ts,
						       enum sip_transp tp, const struct sa *addr);

/*
 * The address of record of a local uri, "sip:user@domain", mem_alloc'd. All of our
 * addresses stand for the same domain: who registers over IPv4 is found over IPv6.
 */
int tandem_sip_aor(const struct tandem_sip *ts, const struct uri *uri, char **aorp);

/* stack.c */

/* The stack that uses our address local; the first when there is none. */
struct sip *tandem_sip_stack(const struct tandem_sip *ts, const struct sa *local);

/* The stack of the address that the host's routes send from to dst. NULL dst: by default route. */
struct sip *tandem_sip_stack_to(const struct tandem_sip *ts, const struct sa *dst);

/* Add a listener, on the stack of its address, which is made when it is new. */
int tandem_sip_stack_listen(struct tandem_sip *ts, const struct tandem_listener *l,
			    sip_msg_h *request_h, sip_msg_h *response_h);

/* Abort all that is under way: handlers are called with an error. */
void tandem_sip_stacks_close(struct tandem_sip *ts);
void tandem_sip_stacks_free(struct tandem_sip *ts);

/* addr.c */

int tandem_sip_endpoint(struct tandem_endpoint *ep, const struct sa *sa);

/* Where responses to msg are sent (RFC 3261 section 18.2.2, RFC 3581). */
void tandem_sip_reply_addr(struct sa *dst, const struct sip_msg *msg);

/*
 * Write pl as a string to size octets at dst, the NUL included. 0; -ENAMETOOLONG when it does not fit,
 * where libre's pl_strcpy() cuts it off; -EINVAL when pl is not set, or has a NUL in it.
 */
int tandem_sip_copy(char *dst, size_t size, const struct pl *pl);

/* False when a URI holds white space or control characters, which could add header lines. */
bool tandem_sip_uri_clean(const struct pl *uri);

/* False when the host of a SIP URI is an IPv6 address without its brackets (RFC 5118 section 4.2). */
bool tandem_sip_host_bracketed(const struct pl *uri);

/* True when host is a literal address equal to that of sa. */
bool tandem_sip_host_is(const struct pl *host, const struct sa *sa);

/*
 * False for addresses that a message of a stranger's must not make us talk to: this
 * host itself and the link next to it, unless src is there as well, and what is not one
 * host's address.
 */
bool tandem_sip_may_send(const struct sa *src, const struct sa *dst);

/* True for what runs on connections, which a peer behind a NAT is reached on. */
static inline bool tandem_sip_is_stream(enum sip_transp tp)
{
	return tp != SIP_TRANSP_UDP;
}

/* The word of a transport in the store and the API: "udp", "tcp", "tls", "ws", "wss"; and back. */
const char *tandem_sip_transport_word(enum sip_transp tp);
enum sip_transp tandem_sip_transport(const char *word);

/* True for a URI of the scheme sips, which goes by nothing but TLS (RFC 5630). */
bool tandem_sip_is_sips(const struct pl *uri);

/* "sip:192.0.2.1:5060;transport=tcp" for a transport address. */
int tandem_sip_hop(char **hopp, enum sip_transp tp, const struct sa *sa);

/* browser.c */

/* Serve the listeners for browsers, which are added by then. 0 or a negative errno, with why. */
int tandem_sip_browsers_start(struct tandem_sip *ts, const struct tandem_sip_config *cfg,
			      sip_msg_h *request_h, sip_msg_h *response_h, char *why, size_t size);

/*
 * Have msg come from the browser itself, where it came over the connection for one. False when
 * nobody is known to be behind that connection: drop it.
 */
bool tandem_sip_unmask(const struct tandem_sip *ts, const struct sip_msg *msg);

/* The transport that msg has come by. */
enum sip_transp tandem_sip_tp(const struct tandem_sip *ts, const struct sip_msg *msg);

/* True for the address of a browser that is connected. */
bool tandem_sip_is_browser(const struct tandem_sip *ts, const struct sa *sa);

/* Who is reached by sending to dst from src by tp, and the listener it is reached from. */
struct tandem_way {
	enum sip_transp tp;
	struct sa addr;
	const struct tandem_listener *listener; /* may be NULL */
};

/* Fill in the way. 0, or ENOTCONN for a browser that is gone. */
int tandem_sip_way(struct tandem_way *way, const struct tandem_sip *ts, enum sip_transp tp,
		   const struct sa *src, const struct sa *dst);

/*
 * The URI that libre reaches a hop by, mem_alloc'd, and the stack to use: hop itself, or the
 * connection of the browser that it names. local: address to send from; may be not set. 0 or a
 * positive errno; ENOTCONN for a browser that is not connected.
 */
int tandem_sip_hop_uri(char **urip, struct sip **sip, const struct tandem_sip *ts, const char *hop,
		       const struct sa *local);

/* dialog.c */

/*
 * The name of the session that msg belongs to by both tags, valid until it ends, and which party
 * of it has sent msg. NULL for none.
 */
const char *tandem_sip_party(const struct tandem_sip *ts, const struct sip_msg *msg,
			     enum tandem_party_id *party);

/*
 * Let go of a callee whose 2xx to our INVITE cannot be passed on: acknowledge it in
 * the name of the caller (RFC 3261 section 13.2.2.4), and hang up.
 */
void tandem_sip_ack_2xx(struct tandem_sip *ts, const struct sip_msg *invite,
			const struct sip_msg *response);
void tandem_sip_bye_2xx(struct tandem_sip *ts, const struct sip_msg *invite,
			const struct sip_msg *response);

/* reply.c */

/*
 * Refuse msg with code, without keeping state (RFC 3261 section 8.2.7). headers are
 * whole lines, or NULL. An ACK is never answered.
 */
void tandem_sip_refuse(struct tandem_sip *ts, const struct sip_msg *msg, uint16_t code,
		       const char *headers);

/* Answer msg in a server transaction of our own, or with 503 when there are too many. */
void tandem_sip_answer(struct tandem_sip *ts, const struct sip_msg *msg, uint16_t code,
		       const char *headers);

/* The reason phrase of a status code. */
const char *tandem_sip_reason(uint16_t code);

/* Status code for an error of the session model. */
uint16_t tandem_sip_code(int err);

/* "Warning: 399 host \"text\"" CRLF into buf; for err of the session model. Returns buf. */
const char *tandem_sip_warning(const struct tandem_sip *ts, int err, char *buf, size_t size);

/* drain.c */

/* True when msg, outside dialogs, is refused because of a drain; it has been answered then, or waits for another process. */
bool tandem_sip_drained(struct tandem_sip *ts, const struct sip_msg *msg);

/* registrar.c */

/* REGISTER for a domain of ours. */
void tandem_sip_register(struct tandem_sip *ts, const struct sip_msg *msg);

/* proxy.c */

/* Any request but ACK and CANCEL: check it and forward it (RFC 3261 section 16). */
void tandem_sip_proxy(struct tandem_sip *ts, const struct sip_msg *msg);

/* ACK of a 2xx: forwarded without a transaction. */
void tandem_sip_proxy_ack(struct tandem_sip *ts, const struct sip_msg *msg);

/* response.c */

/*
 * A response that no client transaction of libre's took: a repeated 2xx is
 * forwarded (RFC 6026 section 7.2), anything else dropped.
 */
void tandem_sip_stray_response(struct tandem_sip *ts, const struct sip_msg *msg);

#endif
