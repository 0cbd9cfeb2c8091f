/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the name servers said in the course of one search. A search is a function over
 * the facts that it calls again from the start whenever one more is known: it holds no
 * state of its own, and an entry that leaves the cache meanwhile does not matter.
 */
#ifndef TANDEM_SIP_FACTS_H
#define TANDEM_SIP_FACTS_H

#include "userspace/sip/names.h"

/* Questions of one search, at most; those beyond are answered with -E2BIG. */
#define TANDEM_FACTS_MAX 48

struct tandem_facts;

/* One more fact is known. */
typedef void(tandem_facts_h)(void *arg);

/*
 * names may be NULL: nothing is known then. Freed with mem_deref(), also by the handler.
 * NULL on no memory.
 */
struct tandem_facts *tandem_facts_alloc(struct tandem_names *names, tandem_facts_h *h, void *arg);

/*
 * What is known of name, borrowed until facts are freed. NULL while it is being asked for;
 * in that case the handler is called later.
 */
const struct tandem_answer *tandem_facts_get(struct tandem_facts *f, const char *name,
					     uint16_t type);

#endif
