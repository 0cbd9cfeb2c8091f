/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may register and call: digest authentication (RFC 3261 section 22, RFC 8760),
 * sources that are trusted without, and limits for those that are not.
 */
#ifndef TANDEM_SIP_AUTH_H
#define TANDEM_SIP_AUTH_H

#include "userspace/sip/auth_limit.h"
#include "userspace/sip/auth_nonce.h"
#include "userspace/sip/local.h"

/* What became of requests outside dialogs. In the order of tandem stats. */
#define TANDEM_AUTH_COUNTERS(X)                                                                    \
	X(accepted)	   /* right credentials */                                                 \
	X(trusted)	   /* of sip.trusted */                                                    \
	X(challenged)	   /* no credentials of this realm */                                      \
	X(stale)	   /* an old nonce */                                                      \
	X(replayed)	   /* a nonce and count used before */                                     \
	X(failed)	   /* wrong password, or no such user */                                   \
	X(forbidden)	   /* in another user's name */                                            \
	X(malformed)	   /* credentials that cannot be read, or are not those asked for */       \
	X(limited)	   /* dropped: more than sip.source_rate */                                \
	X(blocked)	   /* dropped: of a source that is blocked */                              \
	X(blocked_sources) /* sources blocked so far */                                            \
	X(unreadable)	   /* answered with 400 or 505: libre cannot read them */

struct tandem_auth_counters {
#define COUNTER(name) uint64_t name;
	TANDEM_AUTH_COUNTERS(COUNTER)
#undef COUNTER
};

struct tandem_auth {
	struct tandem_sip *ts;
	struct tandem_store *store;
	enum tandem_sip_auth mode; /* as configured */
	bool registers;		   /* REGISTER needs credentials */
	bool requests;		   /* and so does all else outside dialogs */
	bool settled;		   /* the two above are known */
	char realm[TANDEM_REALM_SIZE];
	enum tandem_digest_alg algs[TANDEM_DIGEST_ALGS];
	size_t algs_count;
	struct tandem_prefix *trusted;
	size_t trusted_count;
	struct tandem_nonces *nonces;
	struct tandem_limit *attempts; /* failed ones, of sources that have shown to be there */
	struct tandem_limit *rates;    /* of requests, of anybody */
	uint32_t block_s;
	uint8_t key[TANDEM_NONCE_KEY_SIZE];
	struct tandem_auth_counters counters;
	int64_t store_version;
	uint64_t removals;
	uint64_t log_from_ms; /* of the minute in which log_lines were written */
	unsigned int log_lines;
	char admitted[TANDEM_USER_SIZE]; /* user of the last request; "": nobody was asked */
	struct tmr tmr;
};

/* auth.c */

/* Nothing is asked of anybody before tandem_auth_start(). 0 or a negative errno, with why. */
int tandem_auth_alloc(struct tandem_auth **ap, struct tandem_sip *ts,
		      const struct tandem_sip_config *cfg, struct tandem_store *store, char *why,
		      size_t why_size);
void tandem_auth_free(struct tandem_auth *a);

/* Once listeners and location are there: see what the store says, and then look again. */
void tandem_auth_start(struct tandem_auth *a);

/* True when the request comes from a source that has used up what it may: drop it. */
bool tandem_auth_flood(struct tandem_auth *a, const struct sip_msg *msg);

/*
 * True when a request outside dialogs may go on. Else it has been answered. For a REGISTER
 * max_contacts is set to what this user has of them, unless there is nothing special.
 */
bool tandem_auth_admit(struct tandem_auth *a, const struct sip_msg *msg, uint32_t *max_contacts);

/* The same for a request that only a user may send, whatever sip.auth says and wherever it is from. */
bool tandem_auth_admit_user(struct tandem_auth *a, const struct sip_msg *msg);

/* Who has sent the request that was admitted last; "" where nobody has to show credentials. */
const char *tandem_auth_user(const struct tandem_auth *a);

/* The realm whose credentials end here, and are not passed on; NULL while none do. */
const char *tandem_auth_realm(const struct tandem_auth *a);

/* True for an address of sip.trusted. */
bool tandem_auth_trusts(const struct tandem_auth *a, const struct ip_addr *ip);

/* {"mode", "realm", counters...}; new reference, NULL on no memory. */
json_t *tandem_auth_json(const struct tandem_auth *a);

/* auth_verify.c */

enum tandem_auth_result {
	TANDEM_AUTH_OK,
	TANDEM_AUTH_NONE, /* no credentials that count */
	TANDEM_AUTH_STALE,
	TANDEM_AUTH_WRONG,
	TANDEM_AUTH_FORBIDDEN,
	TANDEM_AUTH_MALFORMED,
	TANDEM_AUTH_ERROR,
};

/*
 * Check the credentials of msg, which comes from ip, and whether it speaks for its user.
 * user is filled in when the result is TANDEM_AUTH_OK.
 */
enum tandem_auth_result tandem_auth_verify(struct tandem_auth *a, const struct sip_msg *msg,
					   const struct ip_addr *ip, uint32_t now_s,
					   struct tandem_user *user);

/* auth_policy.c */

/* True when the user part of uri is the name of a user, or that cannot be found out. */
bool tandem_auth_has_user(const struct tandem_auth *a, const struct uri *uri);

/* Take up what has changed in the store: who has to show credentials, whose contacts go. */
void tandem_auth_refresh(struct tandem_auth *a);

#endif
