/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The SIP front end: registrar (RFC 3261 section 10), location service and
 * stateful Record-Routing proxy (section 16), on libre's transport and
 * transaction layers. SDP that passes is given to the sessions.
 */
#ifndef TANDEM_SIP_SIP_H
#define TANDEM_SIP_SIP_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/session/session.h"
#include "userspace/sip/tls.h"
#include "userspace/store/store.h"
#include "userspace/util/digest.h"
#include "userspace/util/endpoint.h"

/* Who has to show credentials; sources that are trusted never have to. */
enum tandem_sip_auth {
	TANDEM_SIP_AUTH_AUTO,	  /* as with open, and required once the store has had a user */
	TANDEM_SIP_AUTH_OPEN,	  /* nobody */
	TANDEM_SIP_AUTH_REGISTER, /* who registers */
	TANDEM_SIP_AUTH_REQUIRED, /* who sends any request outside dialogs */
};

/* From the word of the configuration: "auto", "open", "register", "required". 0 or -EINVAL. */
int tandem_sip_auth_parse(enum tandem_sip_auth *auth, const char *word);

struct tandem_cdr;

/* A gateway, see userspace/config/config.h. */
struct tandem_gateway_config {
	const char *name;
	const char *uri; /* "sip:sbc.example.net:5060;transport=udp" */
	uint16_t priority;
	uint16_t weight;
	uint32_t options_s; /* 0: not asked */
	uint32_t timeout_s; /* to the first word; 0: as RFC 3261 has it */
	uint32_t prefix_strip;
	const char *prefix_add;		     /* NULL: none */
	const char *tls_name;		     /* its certificate is for; NULL: the host of uri */
	const char *tls_certificate;	     /* that it is shown; NULL: the one of the listeners */
	const char *tls_key;		     /* NULL: in the same file */
	const struct tandem_prefix *sources; /* it sends from, beside where uri leads */
	size_t sources_count;
	const char *user;	   /* for when it asks; NULL: challenges go to the caller */
	const char *password_file; /* its first line; with user */
	const char *realm;	   /* that alone is answered; NULL: any */
};

/* A route, in the words of the configuration file. */
struct tandem_route_config {
	const char *to;	    /* NULL: whatever */
	const char *domain; /* NULL: numbers and names here */
	const char *const *from;
	size_t from_count;
	const char *const *via;
	size_t via_count;
};

/* Browsers: see struct tandem_config_web in userspace/config/config.h. */
struct tandem_sip_web_config {
	const char *path;
	const char *const *origins;
	size_t origins_count;
	uint32_t max_connections;
	uint32_t max_per_source;
};

/* Connections of TCP and TLS that others open: see userspace/config/config.h. */
struct tandem_sip_connections_config {
	uint32_t max_connections;
	uint32_t max_per_source;
	uint32_t handshake_s;
	uint32_t message_s;
	uint32_t idle_s;
	uint32_t flow_timer_s;
};

/* Strings are copied. Zero limits stand for the defaults of userspace/config/config.h. */
struct tandem_sip_config {
	const char *const *listen; /* "udp:192.0.2.1:5060", "tcp:[2001:db8::1]:5060", "tls:..." */
	size_t listen_count;
	struct tandem_sip_tls_config tls;
	struct tandem_sip_web_config web;
	struct tandem_sip_connections_config connections;
	const char *const *domains; /* served, beside the listen addresses themselves */
	size_t domains_count;
	uint32_t max_expires_s;
	uint32_t min_expires_s;
	uint32_t default_expires_s;
	uint32_t max_registrations;
	uint32_t max_contacts; /* per address of record */
	uint32_t max_transactions;
	uint32_t timer_c_s;
	uint32_t ring_s; /* before contacts of the next lower q are called */
	uint32_t
		session_expires_s; /* RFC 4028, asked for where nobody does; 0: no session timers */
	uint32_t min_se_s;	   /* a shorter interval is refused */
	bool redirect;		   /* answer with 302 in place of calling */
	bool follow_redirects;	   /* call the contacts of a 3xx in the caller's stead */
	enum tandem_sip_auth auth;
	const char *realm;				 /* NULL: "tandem" */
	enum tandem_digest_alg algs[TANDEM_DIGEST_ALGS]; /* as they are offered */
	size_t algs_count;				 /* 0: all */
	const struct tandem_prefix *trusted;
	size_t trusted_count;
	uint32_t auth_failures;		  /* wrong credentials of a source in a minute */
	uint32_t auth_block_s;		  /* a source with more of them is blocked for so long */
	uint32_t source_rate;		  /* requests outside dialogs of a source in a second */
	const struct tandem_prefix *deny; /* sources that are not heard */
	size_t deny_count;
	const struct tandem_prefix *allow; /* although deny has them, or their program is denied */
	size_t allow_count;
	const char *const *deny_agents; /* parts of User-Agent */
	size_t deny_agents_count;
	const char *drain_redirect; /* host[:port] that callers are sent to; NULL: 503 */
	uint32_t drain_retry_after_s;
	bool drain_refuses_register;
	const struct tandem_gateway_config *gateways;
	size_t gateways_count;
	const struct tandem_route_config
		*routes; /* the first that fits counts; none: nothing leaves */
	size_t routes_count;
	const char *enum_suffix;	 /* NULL: "e164.arpa" */
	const char *const *name_servers; /* "192.0.2.53", "[2001:db8::53]:53"; none: of the host */
	size_t name_servers_count;
	struct tandem_cdr *cdr; /* call records, borrowed; NULL: none */
};

struct tandem_sip_stats {
	size_t registrations;
	size_t transactions; /* requests forwarded and not finally answered yet */
};

struct tandem_sip;

/*
 * Open the transports and serve. Must be called between libre_init() and
 * libre_close(), and runs in libre's event loop. sessions and store (which may be
 * NULL) are borrowed. Returns 0, or a negative errno with the reason in why.
 */
int tandem_sip_alloc(struct tandem_sip **sipp, const struct tandem_sip_config *cfg,
		     struct tandem_sessions *sessions, struct tandem_store *store, char *why,
		     size_t why_size);

/*
 * A message as it came or is about to leave, in the clear whatever the transport; valid until the
 * handler returns. Not those that libre cannot read.
 */
struct tandem_sip_message {
	bool sent;
	const char *transport;		 /* "udp", "tcp", "tls", "ws", "wss" */
	struct tandem_endpoint from, to; /* any, port 0: not known */
	const char *text;
	size_t len;
};
typedef void(tandem_sip_message_h)(const struct tandem_sip_message *m, void *arg);
/* Have h told of all; NULL: nobody. */
void tandem_sip_on_message(struct tandem_sip *sip, tandem_sip_message_h *h, void *arg);

/* Close the transports. Calls go on: neither sessions nor bindings are removed. */
void tandem_sip_free(struct tandem_sip *sip);

/*
 * To be called from tandem_session_ended_h: the session of this call is gone. A
 * call that is still being set up is cancelled downstream and refused upstream.
 */
void tandem_sip_session_ended(struct tandem_sip *sip, const char *call_id, const char *why);

/*
 * Drain: new calls and subscriptions are refused (503 with Retry-After, or 302), OPTIONS get
 * 503 so that dispatchers look elsewhere, REGISTER is treated as configured. What is there
 * goes on. A second call with on false ends it.
 */
void tandem_sip_drain(struct tandem_sip *sip, bool on);
/* INVITEs outside dialogs that come by UDP get no answer, so that they are sent again; or do again. */
void tandem_sip_quiet(struct tandem_sip *sip, bool on);

/*
 * Drop what comes from a network, "192.0.2.1" or "192.0.2.0/24", without an answer; for so many
 * seconds, 0: for good. Kept in the store. -EINVAL, -ENOENT, -ENOSPC, or the store's error; why
 * says it.
 */
int tandem_sip_block_add(struct tandem_sip *sip, const char *network, uint32_t seconds, char *why,
			 size_t why_size);
int tandem_sip_block_remove(struct tandem_sip *sip, const char *network, char *why,
			    size_t why_size);

/* {"blocks":[{"network","since","left_s": null for good}]}; new reference, NULL on no memory. */
json_t *tandem_sip_blocks_json(const struct tandem_sip *sip);

/* {"operator","network","agent"}: messages dropped by what; new reference, NULL on no memory. */
json_t *tandem_sip_dropped_json(const struct tandem_sip *sip);

/* Counters of browsers' connections, null without listeners for them; new reference, NULL on no memory. */
json_t *tandem_sip_web_json(const struct tandem_sip *sip);

/*
 * Connections of TCP and TLS that others have opened: {"open","handshakes","registered"} now, and what became of
 * all, see docs/api.md; new reference, NULL on no memory.
 */
json_t *tandem_sip_connections_json(const struct tandem_sip *sip);

/* What became of STUN that has come to the UDP ports, see docs/api.md; new reference, NULL on no memory. */
json_t *tandem_sip_datagrams_json(const struct tandem_sip *sip);

/* {"gateways":[...]}, see docs/api.md; new reference, NULL on no memory. */
json_t *tandem_sip_gateways_json(const struct tandem_sip *sip);

/*
 * Read the certificate of TLS again (SIGHUP); a file that has changed is noticed without. One
 * that cannot be used is said in the log, and the old one stays.
 */
void tandem_sip_reload(struct tandem_sip *sip);

void tandem_sip_stats(const struct tandem_sip *sip, struct tandem_sip_stats *stats);

/*
 * {"mode", "realm", and counters of requests outside dialogs}: who has to show credentials
 * now, and what came of it; new reference, NULL on no memory.
 */
json_t *tandem_sip_auth_json(const struct tandem_sip *sip);

/*
 * {"registrations":[{"aor","contact","source","transport","local","path",
 * "user_agent","q","expires_s"}]}; new reference, NULL on no memory.
 */
json_t *tandem_sip_registrations_json(const struct tandem_sip *sip);

#endif
