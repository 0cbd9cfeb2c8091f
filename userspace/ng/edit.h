/* SPDX-License-Identifier: GPL-2.0-only */
/* What flags have changed in a description beside what the relay changes: the last step before it goes back. */
#ifndef TANDEM_NG_EDIT_H
#define TANDEM_NG_EDIT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "userspace/util/endpoint.h"

struct tandem_ng_edits {
	bool username;	   /* none in o= */
	bool session_name; /* none in s= */
	bool version;	   /* one more in o= than the sender's */
	bool no_rtcp;	   /* no a=rtcp */
	bool full_rtcp;	   /* a=rtcp with its address */
	bool mids;	   /* a=mid in each section */
	bool real_address; /* the relay's own in place of 0.0.0.0 */
	bool own_version;  /* in o=, counted by the relay: origin.c */
	bool own_origin;   /* the same o= in all that a party gets: origin.c */
	const char
		*instance;  /* a=tandem with this: a description of the relay itself; NULL: none */
	unsigned int ptime; /* a=ptime of audio, in ms; 0: as it was */
	struct ip_addr
		address; /* shown in place of the relay's, where there is no ICE; any: none */
};

/* Carry them out, but for those of origin.c, on a description that is malloc'd, and is replaced. 0; -ENOMEM; -EBADMSG. */
int tandem_ng_edit(const struct tandem_ng_edits *edits, char **sdpp, size_t *len);

/* Has the description the mark of this instance? */
bool tandem_ng_is_own(const char *instance, const char *sdp, size_t len);

/*
 * origin.c: what o= says of the sender in a description that is malloc'd, and is replaced. seen: what
 * the same party has got before; it is kept there. 0; -ENOMEM; -EBADMSG.
 */
int tandem_ng_origin(const struct tandem_ng_edits *edits, json_t *seen, char **sdpp, size_t *len);

#endif
