/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An edit in the making. It names lines to drop or replace and at most one to insert;
 * committing writes the new text, parses it, and only then changes the document. So an
 * edit cannot leave a document that would not parse, nor half an edit.
 */
#ifndef TANDEM_USERSPACE_SDP_DRAFT_H
#define TANDEM_USERSPACE_SDP_DRAFT_H

#include "userspace/sdp/doc.h"

struct tandem_sdp_draft {
	struct tandem_sdp *sdp;
	char **lines;	  /* per line: NULL keep, empty drop, else the new line */
	char *insert;	  /* NULL: none */
	size_t insert_at; /* before this line */
	int error;	  /* the first failure; commit returns it */
};

/** Begin. Failures are kept for the commit; always end with one. */
void tandem_sdp_draft_init(struct tandem_sdp_draft *draft, struct tandem_sdp *sdp);

/** Drop line i. */
void tandem_sdp_draft_drop(struct tandem_sdp_draft *draft, size_t i);

/** Replace line i ("c=..." without its line end, which stays as it was). */
void tandem_sdp_draft_replace(struct tandem_sdp_draft *draft, size_t i, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** Insert a line before line i. */
void tandem_sdp_draft_insert(struct tandem_sdp_draft *draft, size_t i, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** Carry the draft out and clean it. @return 0 or the errors of an edit (sdp.h) */
int tandem_sdp_draft_commit(struct tandem_sdp_draft *draft);

#endif
