/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fragments of IP put together (RFC 791 3.2, RFC 8200 4.5): long SIP messages come in such. Few
 * datagrams are under way at a time; a new one takes the place of the oldest. One whose fragments overlap
 * is dropped (RFC 5722).
 */
#ifndef TANDEM_CAPTURE_FRAGMENTS_H
#define TANDEM_CAPTURE_FRAGMENTS_H

#include "userspace/capture/link.h"

struct tandem_fragments;

int tandem_fragments_alloc(struct tandem_fragments **fp);
void tandem_fragments_free(struct tandem_fragments *f);

/*
 * Add a fragment. Returns 1 when it was the one that was missing, with the whole, which is valid until the
 * next call, in *data and *len; 0 when not, or when it makes no sense; -ENOMEM.
 */
int tandem_fragments_add(struct tandem_fragments *f, const struct tandem_fragment *part,
			 const uint8_t **data, size_t *len);

#endif
