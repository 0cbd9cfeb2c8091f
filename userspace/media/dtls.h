/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keys of SRTP by a DTLS handshake on the media path (RFC 5763, RFC 5764), as a state machine:
 * datagrams and the time come from the caller; datagrams to be sent and results go to callbacks.
 * No sockets, no threads; a context and its associations are used from one thread at a time.
 *
 * A context has the certificate whose fingerprint descriptions show. An association is one
 * handshake with one peer on one 5-tuple, and what follows on it: the last flight again when the
 * peer has missed it, and its close_notify. To change certificates, make a new context for new
 * associations; the old one stays as long as it has some.
 *
 * What is believed: the peer is whoever holds the key of a certificate with the fingerprint that
 * its description shows. Keys are given out after the handshake, and only then and only if that
 * is so; the handshake itself takes any certificate. A fingerprint that comes late (RFC 5763
 * section 6.2: the handshake may begin before the answer is there) is waited for.
 *
 * Who may send datagrams to it: for peers with ICE, only the selected pair. Without ICE, only the
 * address of the description, and then cookie is to be set.
 *
 * DTLS 1.2 alone, with ephemeral keys and AEAD. No renegotiation, resumption, tickets, early data
 * or MKI. To change keys make a new association: when the description has another a=tls-id,
 * fingerprint or role (RFC 8842 section 4). An ICE restart alone is none.
 *
 * Memory of an association: 0.7 KiB before the handshake, 90 KiB during it, and 37 KiB after it, until
 * linger_ms are over. A peer that does its worst makes it 400 KiB while it is half open; how many
 * may be so is bounded by the quotas that the caller gives.
 *
 * Times are milliseconds of a clock that does not go back. The intervals between retransmissions
 * are measured by the host's own clock, since OpenSSL has no other.
 */
#ifndef TANDEM_MEDIA_DTLS_H
#define TANDEM_MEDIA_DTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/datapath/datapath.h"

enum {
	TANDEM_DTLS_MTU = 1200,		  /* longest datagram that is sent */
	TANDEM_DTLS_HANDSHAKE_MS = 30000, /* a handshake may take */
	TANDEM_DTLS_RETRANSMIT_MS = 200,  /* to the first retransmission; then twice as long, ... */
	TANDEM_DTLS_RETRANSMIT_MAX = 3000, /* but not longer */
	TANDEM_DTLS_SUITES = 4,
	TANDEM_DTLS_FINGERPRINTS = 4, /* of a peer */
	TANDEM_DTLS_FINGERPRINT_STRLEN = 208,
	TANDEM_DTLS_SOURCES = 1024, /* quotas by address */
	TANDEM_DTLS_WHY = 96,
};

/* ---- what descriptions say (dtls_sdp.c) ---- */

enum tandem_dtls_hash {
	TANDEM_DTLS_SHA256 = 1,
	TANDEM_DTLS_SHA384,
	TANDEM_DTLS_SHA512,
};

/* Hash of a certificate (RFC 8122 section 5). hash 0: none. */
struct tandem_dtls_fingerprint {
	uint8_t hash; /* enum tandem_dtls_hash */
	uint8_t len;
	uint8_t value[64];
};

/**
 * Read the value of a=fingerprint: "sha-256 AB:CD:..", upper or lower case. *out is untouched on
 * error.
 *
 * @return 0; -EBADMSG: not of the grammar, or of another length than the hash has; -ENOTSUP:
 *         another hash (SHA-1 and MD5 are refused: RFC 8122 section 5.1)
 */
int tandem_dtls_fingerprint_parse(struct tandem_dtls_fingerprint *out, const char *value);

/** Write the value. 0, -EINVAL: no fingerprint, or -ENOSPC. */
int tandem_dtls_fingerprint_format(const struct tandem_dtls_fingerprint *fp, char *buf,
				   size_t size);

bool tandem_dtls_fingerprint_equal(const struct tandem_dtls_fingerprint *a,
				   const struct tandem_dtls_fingerprint *b);

/* a=setup (RFC 4145 section 4). */
enum tandem_dtls_setup {
	TANDEM_DTLS_NO_SETUP,
	TANDEM_DTLS_ACTPASS,
	TANDEM_DTLS_ACTIVE,  /* who says so is the DTLS client */
	TANDEM_DTLS_PASSIVE, /* and the server */
	TANDEM_DTLS_HOLDCONN,
};

/** TANDEM_DTLS_NO_SETUP for what is none. */
enum tandem_dtls_setup tandem_dtls_setup_parse(const char *value);
/** "actpass"; NULL for TANDEM_DTLS_NO_SETUP. */
const char *tandem_dtls_setup_name(enum tandem_dtls_setup setup);

/**
 * What to answer to an offer (RFC 5763 section 5, RFC 8842 section 5.3): its counterpart, and where
 * it leaves the choice, prefer, which is ACTIVE or PASSIVE. An offer without a=setup is taken
 * as active (RFC 4145 section 4). NO_SETUP when there can be no handshake (holdconn).
 */
enum tandem_dtls_setup tandem_dtls_setup_answer(enum tandem_dtls_setup offer,
						enum tandem_dtls_setup prefer);

/**
 * Are we the client, when our description and the peer's say this? 1 or 0; -EINVAL where they do
 * not go together.
 */
int tandem_dtls_setup_client(enum tandem_dtls_setup ours, enum tandem_dtls_setup theirs);

/* ---- the context ---- */

/* What was counted over all associations of a context; one line each: name, meaning. */
#define TANDEM_DTLS_COUNTERS(X)                                                                    \
	X(started, "handshakes begun")                                                             \
	X(connected, "handshakes that gave keys")                                                  \
	X(timed_out, "handshakes that did not end in time")                                        \
	X(refused_by_peer, "handshakes that the peer ended with an alert")                         \
	X(refused, "handshakes that were ended here, for any reason but the next")                 \
	X(wrong_fingerprint, "peers whose certificate is not the one of their description")        \
	X(no_profile, "handshakes that agreed on no SRTP protection profile")                      \
	X(over_quota, "handshakes not begun, as there are too many half open")                     \
	X(cookies, "requests for a cookie sent")                                                   \
	X(junk, "datagrams dropped: no DTLS, or nothing that is expected now")                     \
	X(closed, "associations that the peer has closed")                                         \
	X(retransmitted, "times that a flight was sent again, as no answer came")

struct tandem_dtls_counters {
#define X(name, help) uint64_t name;
	TANDEM_DTLS_COUNTERS(X)
#undef X
};

struct tandem_dtls_context_config {
	/* enum srtp_suite, the best first: those of RFC 5764 and RFC 7714. 0 ends the list. */
	uint8_t suites[TANDEM_DTLS_SUITES];
	uint32_t handshake_ms;	/* 0: TANDEM_DTLS_HANDSHAKE_MS */
	uint32_t retransmit_ms; /* 0: TANDEM_DTLS_RETRANSMIT_MS */
	/*
	 * How long after the handshake the peer is still listened to, for its last flight again and for
	 * its close_notify; then the memory is given back, and only the keys are kept. 0: always.
	 */
	uint32_t linger_ms;
};

struct tandem_dtls_context;

/**
 * A new context with a key (ECDSA, P-256) and a certificate of its own, which says nothing of
 * the host. cfg NULL, or no suites: AES-128-GCM, AES-256-GCM, AES-CM with 80 and 32 bits.
 *
 * @return 0; -EINVAL: a suite twice, or one that DTLS-SRTP has no profile for; -ENOMEM; -EIO: OpenSSL
 *         cannot do it
 */
int tandem_dtls_context_alloc(struct tandem_dtls_context **ctxp,
			      const struct tandem_dtls_context_config *cfg);

/** Its associations keep it until the last of them is gone. NULL is allowed. */
void tandem_dtls_context_put(struct tandem_dtls_context *ctx);

/** Of our certificate, by SHA-256; as long as the context lives. */
const struct tandem_dtls_fingerprint *tandem_dtls_context_fingerprint(
	const struct tandem_dtls_context *ctx);

const struct tandem_dtls_counters *tandem_dtls_context_counters(
	const struct tandem_dtls_context *ctx);

/* ---- an association ---- */

/* How many handshakes may be half open. The caller's; it outlives the associations that have it. */
struct tandem_dtls_quota {
	uint32_t max;
	uint32_t half_open;
};

/*
 * Such a quota for each address that handshakes come from, so that nobody uses up what is for all.
 * Addresses that fall into the same place share one; who does is not to be guessed.
 */
struct tandem_dtls_sources {
	uint64_t seed;
	struct tandem_dtls_quota quota[TANDEM_DTLS_SOURCES];
};

/** At most max from one IPv4 address or IPv6 /64. 0, or -EIO: no random numbers. */
int tandem_dtls_sources_init(struct tandem_dtls_sources *sources, uint32_t max);

/** The one for an address. */
struct tandem_dtls_quota *tandem_dtls_sources_quota(struct tandem_dtls_sources *sources,
						    const struct ip_addr *ip);

enum tandem_dtls_state {
	TANDEM_DTLS_WAITING,   /* for start(), or for the peer to begin */
	TANDEM_DTLS_HANDSHAKE, /* half open */
	TANDEM_DTLS_UNPROVEN,  /* done, but the fingerprint of the peer is not known yet */
	TANDEM_DTLS_CONNECTED, /* there are keys */
	TANDEM_DTLS_CLOSED,    /* by the peer (close_notify); keys are still to be had */
	TANDEM_DTLS_FAILED,    /* see tandem_dtls_why() */
};

/* What an association asks of its owner. Handlers may read the association, no more. */
struct tandem_dtls_ops {
	/* Send a datagram. Loss is no error. */
	void (*send)(const void *data, size_t len, void *arg);
	/* It has come to CONNECTED, CLOSED or FAILED. */
	void (*changed)(enum tandem_dtls_state state, void *arg);
	/* When a handshake is to begin: the quota of where its peer is, or NULL. The op may be NULL. */
	struct tandem_dtls_quota *(*source)(void *arg);
};

struct tandem_dtls_config {
	bool client; /* a=setup:active; else the server */
	/*
	 * A server that asks who begins to return a cookie first (RFC 6347 section 4.2.1), so that
	 * no more is sent to a forged source than came from it. For peers without ICE.
	 */
	bool cookie;
	struct tandem_dtls_quota *quota; /* for all; NULL: none */
	const struct tandem_dtls_ops *ops;
	void *arg;
};

struct tandem_dtls;

/** A new association, which does nothing yet. 0; -EINVAL: an op is missing; -ENOMEM. */
int tandem_dtls_alloc(struct tandem_dtls **ap, struct tandem_dtls_context *ctx,
		      const struct tandem_dtls_config *cfg);

/** Keys are wiped. The peer is told if it is listened to still (close_notify). NULL is allowed. */
void tandem_dtls_free(struct tandem_dtls *a);

/**
 * The fingerprints of the peer's description, of which its certificate has to have one; before or
 * while it is connected. The same ones again change nothing.
 *
 * @return 0; -EINVAL: none, or too many; -EBUSY: connected, or over, and these are others: what is
 *         wanted is a new association
 */
int tandem_dtls_set_peer(struct tandem_dtls *a, const struct tandem_dtls_fingerprint *fps, size_t n,
			 uint64_t now);

/**
 * Begin, as client; without effect when it has begun. When a quota is used up, it is tried again
 * by tick until the time of a handshake is over.
 *
 * @return 0; -EINVAL: a server
 */
int tandem_dtls_start(struct tandem_dtls *a, uint64_t now);

/** A datagram of the peer's. What cannot be used is dropped and counted. */
void tandem_dtls_input(struct tandem_dtls *a, const void *data, size_t len, uint64_t now);

/** Do what is due: send again, or give up. To be called at the deadline; else it does no harm. */
void tandem_dtls_tick(struct tandem_dtls *a, uint64_t now);

/** When tick is to be called next; UINT64_MAX: not before the next input. */
uint64_t tandem_dtls_deadline(const struct tandem_dtls *a);

enum tandem_dtls_state tandem_dtls_state(const struct tandem_dtls *a);
const char *tandem_dtls_state_name(enum tandem_dtls_state state);

/** Why it FAILED, in words; "" if it has not. Never contains a key. */
const char *tandem_dtls_why(const struct tandem_dtls *a);

/**
 * Keys of what the peer sends (in) and of what is sent to it (out), both of one suite and each with
 * an id of its own, always the same ones. No MKI; streams is 0, for the caller to set.
 *
 * @return 0; -ENOENT unless CONNECTED or CLOSED
 */
int tandem_dtls_keys(const struct tandem_dtls *a, struct tandem_srtp *in, struct tandem_srtp *out);

#endif
