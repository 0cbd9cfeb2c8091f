/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A forwarded request: its server and its client transaction (both libre's), where
 * it goes, and what became of its session descriptions. Freed with its final
 * response; an INVITE answered with 2xx lingers for 64*T1, as long as that 2xx may
 * be repeated (RFC 6026).
 */
#ifndef TANDEM_SIP_TX_H
#define TANDEM_SIP_TX_H

#include "userspace/sip/local.h"
#include "userspace/sip/route.h"

/* A session description as it came, and as it was passed on. */
struct tandem_sdp_edit {
	struct mbuf *in;
	struct mbuf *out;
};

void tandem_sdp_edit_clean(struct tandem_sdp_edit *edit);

/* Where the offer/answer exchange of one transaction stands (RFC 6337 section 2). */
enum tandem_media_state {
	TANDEM_MEDIA_NONE,    /* carries none, or is not ours to anchor */
	TANDEM_MEDIA_OFFERED, /* offer in the request: the response has the answer */
	TANDEM_MEDIA_ANSWERED,
	TANDEM_MEDIA_LATE,	   /* INVITE without: the response has the offer */
	TANDEM_MEDIA_LATE_OFFERED, /* ACK or PRACK has the answer */
	TANDEM_MEDIA_LATE_ANSWERED,
};

struct tandem_tx {
	struct le he_branch;
	struct le he_call;
	struct le le_linger;
	struct tandem_sip *ts;
	struct sip *in; /* the stack that the request came to */
	struct sip_msg *msg;
	struct sip_strans *st;
	struct sip_request *req;
	struct tmr tmr_c;
	struct tmr tmr_quiet;  /* for a gateway's first word */
	uint64_t linger_until; /* ms, of libre's clock */
	struct tandem_target target;
	struct tandem_search *search; /* while names in it are being resolved */
	size_t place;		      /* index of the one in use */
	size_t hop;		      /* and of its hop */
	char *call_id;
	char *from_tag;
	char *to_tag; /* learnt from the responses to the first INVITE */
	char branch[64];

	enum tandem_media_state media;
	struct tandem_sdp_edit request;
	struct tandem_sdp_edit response;
	struct tandem_sdp_edit late_answer;
	enum tandem_party_id party; /* who sent the request */

	bool invite;
	bool initial;  /* INVITE that opens the session */
	bool anchored; /* its media pass through us */
	bool opened;   /* the session exists because of it */
	bool active;
	bool canceled;	   /* upstream gave up */
	bool composed;	   /* the request was written to a buffer at least once */
	bool disowned;	   /* its 2xx was refused, and the callee told to hang up */
	uint16_t override; /* status code to send instead of the 487 to our own CANCEL */
	int session_err;   /* why composing failed */
};

/* The record of msg; the target is taken over. It counts as active. NULL on no memory. */
struct tandem_tx *tandem_tx_alloc(struct tandem_sip *ts, const struct sip_msg *msg,
				  struct tandem_target *target);

/* The final response has gone. Frees tx, or lets it linger. */
void tandem_tx_finish(struct tandem_tx *tx, bool linger);

/* Remember the branch that the client transaction uses; replaces an earlier one. */
void tandem_tx_set_branch(struct tandem_tx *tx, const struct pl *branch);

struct tandem_tx *tandem_tx_find_branch(const struct tandem_sip *ts, const struct pl *branch);

/* Calls h for each transaction of the call until it returns true; that transaction, or NULL. */
typedef bool(tandem_tx_h)(struct tandem_tx *tx, void *arg);
struct tandem_tx *tandem_tx_find_call(const struct tandem_sip *ts, const char *call_id,
				      tandem_tx_h *h, void *arg);

/* Answer upstream with a response of our own, and undo what the request did to the session. */
void tandem_tx_refuse(struct tandem_tx *tx, uint16_t code, const char *headers);

/* The same, and finish. */
void tandem_tx_fail(struct tandem_tx *tx, uint16_t code, const char *headers);

/* Forget those that have lingered long enough; to be called about once a second. */
void tandem_tx_expire(struct tandem_sip *ts);

/* The place of the target that is in use; NULL when none is left. */
const struct tandem_place *tandem_tx_place(const struct tandem_tx *tx);

/* forward.c */

/*
 * Send the request to its current hop, or a following one while that fails at
 * once. False when none is left: the transaction has failed and is gone.
 */
bool tandem_forward(struct tandem_tx *tx);

/*
 * What the current hop gave: a status code, or 0 for none. True when the request has gone
 * to a following one because of it; until then nothing may have been passed upstream but
 * what is of this hop alone.
 */
bool tandem_forward_again(struct tandem_tx *tx, uint16_t code);

/* response.c */

/* libre's sip_resp_h for forwarded requests; arg is the transaction. */
void tandem_response_handler(int err, const struct sip_msg *msg, void *arg);

/* (Re)start timer C (RFC 3261 section 16.6 step 11). */
void tandem_timer_c_start(struct tandem_tx *tx);

#endif
