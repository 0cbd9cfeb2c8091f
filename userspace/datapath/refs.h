/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who refers to whom. A rule names two other flows by id, and these may come
 * and go in any order; when one does, every rule that names it is found here
 * in time proportional to their number.
 */
#ifndef TANDEM_DATAPATH_REFS_H
#define TANDEM_DATAPATH_REFS_H

#include <stdint.h>

#include "userspace/datapath/hash.h"

enum tandem_ref_kind {
	TANDEM_REF_MEDIA,
	TANDEM_REF_REVERSE,
	TANDEM_REF_KINDS,
};

struct tandem_ref;

struct tandem_refs {
	uint32_t slots;
	struct tandem_ref *refs;  /* slots * TANDEM_REF_KINDS, sparse */
	struct tandem_hash heads; /* id -> first reference to it */
};

/* 0 or -ENOMEM. */
int tandem_refs_init(struct tandem_refs *refs, uint32_t slots);
void tandem_refs_clean(struct tandem_refs *refs);

/* The rule in slot refers to target from now on; 0: to none. 0 or -ENOMEM. */
int tandem_refs_set(struct tandem_refs *refs, uint32_t slot, enum tandem_ref_kind kind,
		    uint64_t target);

/* What the rule in slot refers to; 0: none. */
uint64_t tandem_refs_get(const struct tandem_refs *refs, uint32_t slot, enum tandem_ref_kind kind);

/* Called once per reference; must not change references. */
typedef void(tandem_ref_h)(uint32_t slot, enum tandem_ref_kind kind, void *arg);
void tandem_refs_each(const struct tandem_refs *refs, uint64_t target, tandem_ref_h *h, void *arg);

#endif
