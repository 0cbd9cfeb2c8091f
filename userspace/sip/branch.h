/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A branch: one client transaction (libre's) of a forwarded request, what came back on it, and,
 * for the first INVITE of a call, the session that is its own. A branch that has failed goes at
 * once; those that were accepted, or may yet be, stay as long as their transaction.
 */
#ifndef TANDEM_SIP_BRANCH_H
#define TANDEM_SIP_BRANCH_H

#include "userspace/sip/local.h"

#define TANDEM_TAGS_MAX 8 /* early dialogs of a branch that are told apart */

struct tandem_tx;

/* A session description as it came, and as it was passed on. */
struct tandem_sdp_edit {
	struct mbuf *in;
	struct mbuf *out;
};

void tandem_sdp_edit_clean(struct tandem_sdp_edit *edit);

/* Where the offer/answer exchange of one branch stands (RFC 6337 section 2). */
enum tandem_media_state {
	TANDEM_MEDIA_NONE,    /* carries none, or is not ours to anchor */
	TANDEM_MEDIA_OFFERED, /* offer in the request: the response has the answer */
	TANDEM_MEDIA_ANSWERED,
	TANDEM_MEDIA_LATE,	   /* INVITE without: the response has the offer */
	TANDEM_MEDIA_LATE_OFFERED, /* ACK or PRACK has the answer */
	TANDEM_MEDIA_LATE_ANSWERED,
};

struct tandem_branch {
	struct le le; /* of its transaction's */
	struct le he; /* by id */
	struct tandem_tx *tx;
	struct sip_request *req;
	struct tmr tmr_c;
	struct tmr tmr_quiet; /* for a first word */
	struct tmr tmr_tcp;   /* the same, of a request too long for UDP */
	size_t place;	      /* index of the target's places */
	size_t hop;	      /* and of its hops */
	struct sa dst;
	char id[64]; /* of the Via that we have sent */
	unsigned int breadth;

	char *session; /* its name in the session model; NULL until there is one */
	enum tandem_media_state media;
	struct tandem_sdp_edit request;
	struct tandem_sdp_edit response;
	struct tandem_sdp_edit late_answer;
	char *tags[TANDEM_TAGS_MAX]; /* learnt from the responses to the first INVITE */
	size_t tags_count;
	char *tag; /* the one that the session has; borrowed from tags */

	bool running;	   /* no final response yet */
	bool opened;	   /* the session exists because of it */
	bool composed;	   /* the request was written to a buffer at least once */
	bool heard;	   /* a provisional response has come */
	bool too_long;	   /* it was not sent over UDP, for its length */
	bool by_tcp;	   /* for that reason it was sent by TCP */
	bool quiet;	   /* not a word: others need not wait for it */
	bool given_up;	   /* nobody waits for it: only a 2xx would count */
	bool canceled;	   /* we have sent CANCEL, or will with its first word */
	bool accepted;	   /* 2xx */
	bool disowned;	   /* its 2xx was refused, and the callee told to hang up */
	uint16_t override; /* status code in place of the 487 to our CANCEL */
	int session_err;   /* why composing failed */
};

/* A new branch of tx, to a hop of a place of its target. NULL on no memory. */
struct tandem_branch *tandem_branch_alloc(struct tandem_tx *tx, size_t place, size_t hop);

/* Unlink and let go of it; libre cancels the request if it is still running. */
void tandem_branch_free(struct tandem_branch *b);

/* Remember the id that the client transaction uses; replaces an earlier one. */
void tandem_branch_set_id(struct tandem_branch *b, const struct pl *id);

/* By the branch parameter of a Via that we have sent. NULL when there is none. */
struct tandem_branch *tandem_branch_find(const struct tandem_sip *ts, const struct pl *id);

/* True when the branch has shown this To tag. */
bool tandem_branch_has_tag(const struct tandem_branch *b, const struct pl *tag);

/* Remember the tag; it is b->tag then. 0 or ENOMEM. */
int tandem_branch_learn_tag(struct tandem_branch *b, const struct pl *tag);

#endif
