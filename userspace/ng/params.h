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
#include "userspace/session/session.h"

#define TANDEM_NG_CODECS_MAX 32
#define TANDEM_NG_LABEL_SIZE 128

/* Lists of codecs to change a description by; names, "NAME/CLOCK" or "NAME/CLOCK/CHANNELS". */
struct tandem_ng_codecs {
	const char *strip[TANDEM_NG_CODECS_MAX]; /* taken out; "all", "full": every one */
	size_t strip_count;
	const char *keep[TANDEM_NG_CODECS_MAX]; /* not taken out */
	size_t keep_count;
	bool only; /* and all others are */
};

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
	char warning[256];	/* what cannot be done of it; "": nothing */
};

/* Read a dictionary, as long as which p is valid. What makes no sense in it is as if it were unknown. */
void tandem_ng_params_read(struct tandem_ng_params *p, const json_t *dict);

#endif
