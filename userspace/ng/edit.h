/* SPDX-License-Identifier: GPL-2.0-only */
/* What flags have changed in a description beside what the relay changes: the last step before it goes back. */
#ifndef TANDEM_NG_EDIT_H
#define TANDEM_NG_EDIT_H

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
	struct ip_addr
		address; /* shown in place of the relay's, where there is no ICE; any: none */
};

/* Carry them out on a description that is malloc'd, and is replaced. 0; -ENOMEM; -EBADMSG. */
int tandem_ng_edit(const struct tandem_ng_edits *edits, char **sdpp, size_t *len);

#endif
