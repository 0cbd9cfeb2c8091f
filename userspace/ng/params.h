/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a request of the NG protocol asks for. Keys and flags that mean what the relay does in any
 * case are taken as they are; those that it cannot do, but knows, get a warning in the answer; and
 * those that nobody knows are counted.
 */
#ifndef TANDEM_NG_PARAMS_H
#define TANDEM_NG_PARAMS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "userspace/ng/edit.h"
#include "userspace/ng/words.h"
#include "userspace/session/session.h"

#define TANDEM_NG_CODECS_MAX 32
#define TANDEM_NG_LABEL_SIZE 128

/* Lists of codecs to change a description by; names, "NAME/CLOCK" or "NAME/CLOCK/CHANNELS". */
struct tandem_ng_codecs {
	const char *strip[TANDEM_NG_CODECS_MAX]; /* taken out; "all", "full": every one */
	size_t strip_count;
	const char *keep[TANDEM_NG_CODECS_MAX]; /* not taken out */
	size_t keep_count;
	const char *order[TANDEM_NG_CODECS_MAX]; /* put in front, the first one first */
	size_t order_count;
	bool first; /* of those that are left the first, with events and comfort noise */
};

/* What is said of suites of SRTP with keys in SDP, as bits by their place in the relay's order. */
struct tandem_ng_suites {
	unsigned int no, only;
	struct tandem_suites order, preferred;
	bool no_new; /* none but those of the offer */
};

#define TANDEM_NG_TOS_USUAL (-2) /* nothing is said */
#define TANDEM_NG_TOS_SAME  (-1)

/* Strings are those of the dictionary. */
struct tandem_ng_params {
	const char *call_id;
	const char *from_tag;
	const char *to_tag; /* NULL: none; so for all strings that may be away */
	const char *via;
	const char *sdp;
	size_t sdp_len;
	struct tandem_endpoint received_from; /* port 0; any address: not said */
	const char *direction[2];      /* interfaces towards who has sent this, and who gets it */
	int family;		       /* AF_INET, AF_INET6 to offer; AF_UNSPEC: not said */
	enum tandem_security security; /* of who is offered to; AUTO: not said */
	struct tandem_ng_codecs codecs;
	struct tandem_ng_edits edits;
	struct tandem_ng_suites suites;
	struct tandem_suites offered_suites; /* what they come to */
	enum tandem_ice_mode ice[2]; /* of the relay towards who has sent this, and who gets it */
	bool dtls_active;	     /* the relay begins the handshake with who has sent this */
	bool osrtp_accept, osrtp_reject;
	unsigned int mux;	    /* enum tandem_mux_flags */
	int tos;		    /* octet of IP; TANDEM_NG_TOS_USUAL, TANDEM_NG_TOS_SAME */
	int delete_delay_s;	    /* -1: not said */
	unsigned int ptime_reverse; /* ms, for who has sent this; 0: not said */
	int drop;		    /* 1: all media of the call from now on, -1: no longer, 0 */
	bool loop_protect;
	bool fatal;		      /* what is not there to be deleted is an error */
	bool record;		      /* the call */
	bool block_dtmf, block_media; /* what who sends this description sends */
	const json_t *dict; /* the request itself; keys of some commands alone are read from it */
	/* of who sends this, in descriptions; of whom a command is about, in others. "": none */
	char label[TANDEM_NG_LABEL_SIZE];
	char set_label[TANDEM_NG_LABEL_SIZE];
	char to_label[TANDEM_NG_LABEL_SIZE];
	struct ip_addr address; /* of media of whom a command is about; any address: not said */
	bool all;		/* also what was asked for of one party */
	bool none;		/* all=except-offer-answer: no media that there is here */
	unsigned int unknown;	/* keys and flags that nobody knows */
	char warning[512];	/* what cannot be done of it; "": nothing */
};

/* Read a dictionary, as long as which p is valid. What makes no sense in it is as if it were unknown. */
void tandem_ng_params_read(struct tandem_ng_params *p, const json_t *dict);

/* suites.c: one word about suites, its value a name, or names with ';' between. -EINVAL: none of ours. */
int tandem_ng_suites_take(struct tandem_ng_suites *suites, enum tandem_ng_word word,
			  const char *value);
/* What is to be offered; false, and it is as usual, when nothing would be left. */
bool tandem_ng_suites_settle(const struct tandem_ng_suites *suites, struct tandem_suites *out);

#endif
