/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A forwarded request: its server transaction (libre's), where it may go, the branches that it
 * has gone on, and the best response so far (the response context of RFC 3261 section 16.7).
 * Freed with its final response; an INVITE answered with 2xx lingers for 64*T1, as long as that
 * 2xx may be repeated (RFC 6026), and so does one whose branches have not all ended.
 */
#ifndef TANDEM_SIP_TX_H
#define TANDEM_SIP_TX_H

#include "userspace/sip/best.h"
#include "userspace/sip/branch.h"
#include "userspace/sip/local.h"
#include "userspace/sip/route.h"

struct tandem_tx {
	struct le he_call;
	struct le le_linger;
	struct tandem_sip *ts;
	struct sip *in; /* the stack that the request came to */
	struct sip_msg *msg;
	struct sip_strans *st;
	uint64_t linger_until; /* ms, of libre's clock */
	struct tandem_target target;
	struct tandem_search *search; /* while names in it are being resolved */
	char *call_id;
	char *from_tag;
	char *session;		    /* of a request within a dialog: the name of its session */
	enum tandem_party_id party; /* who sent the request */

	struct list branches;
	struct list redirects; /* contacts of 3xx that are being looked up */
	struct tandem_best best;
	struct tmr tmr_trying; /* of what is no INVITE, until it is answered with 100 */
	struct tmr tmr_ring;   /* until those of the next rank are called */
	size_t next;	       /* place to start next */
	unsigned int rank;     /* of those that are called now */
	unsigned int breadth;  /* what is left of Max-Breadth (RFC 5393 section 5.3) */

	bool invite;
	bool initial;  /* INVITE that opens the session */
	bool anchored; /* its media pass through us */
	bool active;   /* before its final response */
	bool as_user;  /* its sender has shown to be a user here */
	bool canceled; /* upstream gave up */
	bool stopped;  /* no further branches */
	bool answered; /* a 2xx was sent on */
	bool unable;   /* all that were called could not serve it at all */
};

/* The record of msg; the target is taken over. It counts as active. NULL on no memory. */
struct tandem_tx *tandem_tx_alloc(struct tandem_sip *ts, const struct sip_msg *msg,
				  struct tandem_target *target);

/* The final response has gone. Lets go of tx, or has it linger. */
void tandem_tx_finish(struct tandem_tx *tx, bool linger);

/* Calls h for each transaction of the call until it returns true; that transaction, or NULL. */
typedef bool(tandem_tx_h)(struct tandem_tx *tx, void *arg);
struct tandem_tx *tandem_tx_find_call(const struct tandem_sip *ts, const char *call_id,
				      tandem_tx_h *h, void *arg);

/* The same for branches. */
typedef bool(tandem_branch_h)(struct tandem_branch *b, void *arg);
struct tandem_branch *tandem_tx_find_branch(const struct tandem_sip *ts, const char *call_id,
					    tandem_branch_h *h, void *arg);

/* Answer upstream with a response of our own. */
void tandem_tx_refuse(struct tandem_tx *tx, uint16_t code, const char *headers);

/* The same, and finish. */
void tandem_tx_fail(struct tandem_tx *tx, uint16_t code, const char *headers);

/* Forget those that have lingered long enough; to be called about once a second. */
void tandem_tx_expire(struct tandem_sip *ts);

/* The place that a branch has gone to, and the Request-URI and header lines of routes for its hop. */
const struct tandem_place *tandem_branch_place(const struct tandem_branch *b);
const char *tandem_branch_ruri(const struct tandem_branch *b);
const char *tandem_branch_routes(const struct tandem_branch *b);

/* forward.c */

/* Send the request to the hop of b. 0 or a positive errno: libre's, or our own refusals. */
int tandem_forward(struct tandem_branch *b);

/*
 * Send it once more, over UDP, where it went by TCP for its length only and was not taken. False
 * when that is not so, or when it cannot be sent either.
 */
bool tandem_forward_again(struct tandem_branch *b);

/* fork.c */

/* Forward the request to its target, in order of rank; the transaction may have failed and be gone. */
void tandem_fork_start(struct tandem_tx *tx);

/* Send an ACK on, to the first hop that takes it; there is no answer to it. */
void tandem_fork_ack(struct tandem_tx *tx);

/*
 * The branch has ended without a 2xx: a status code and its message, or a code of our own with
 * header lines (may be NULL). What is due then is done: b and its transaction may be gone.
 */
void tandem_fork_ended(struct tandem_branch *b, uint16_t code, const struct sip_msg *msg,
		       const char *headers);

/* A 2xx of b was sent on: nobody else is wanted. b is the last one that is. */
void tandem_fork_accepted(struct tandem_branch *b);

/* Upstream has given up. */
void tandem_fork_cancel(struct tandem_tx *tx);

/* Tell the callee to give up, with code in place of its 487. */
void tandem_fork_give_up(struct tandem_branch *b, uint16_t code);

/* Places were added, or will not be: go on. */
void tandem_fork_proceed(struct tandem_tx *tx);

/* (Re)start timer C (RFC 3261 section 16.6 step 11). */
void tandem_timer_c_start(struct tandem_branch *b);

/* response.c */

/* libre's sip_resp_h for forwarded requests; arg is the branch. */
void tandem_response_handler(int err, const struct sip_msg *msg, void *arg);

/* Send the best response upstream. 0 or a positive errno. */
int tandem_response_send_best(struct tandem_tx *tx);

#endif
