/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libre's timers, made anew. libre 1.1 has them in one sorted list that each start of a timer walks,
 * and a SIP server has a timer for half a minute after every request: at 200 calls a second that
 * walk is a fifth of all work, and it grows with the rate.
 *
 * These are the functions of re_tmr.h under their own names: libre calls its own ones by the
 * dynamic linker, which takes the program's where there are both. They keep their promises: timers
 * that are due at the same millisecond fire in the order of their start, and a handler may start
 * and cancel what it likes. The heap is a pairing heap inside struct tmr, so nothing is allocated
 * and starting cannot fail. It is for one thread, that of libre's loop.
 */
#include <string.h>

#include "userspace/sip/libre.h"

/* What the members of le are here. */
static struct tmr *get(const struct le *le)
{
	return (struct tmr *)(void *)le;
}

#define CHILD(t)   ((t)->le.data)		       /* the first */
#define SIBLING(t) ((t)->le.next)		       /* the next */
#define BEFORE(t)  ((t)->le.prev)		       /* whose first child or next sibling it is */
#define ORDER(t)   ((uint64_t)(uintptr_t)(t)->le.list) /* of starting */

static struct tmr *root;
static uint64_t started;

static bool is_before(const struct tmr *a, const struct tmr *b)
{
	return a->jfs != b->jfs ? a->jfs < b->jfs : ORDER(a) < ORDER(b);
}

/* Two heaps become one; either may be NULL. */
static struct tmr *meld(struct tmr *a, struct tmr *b)
{
	struct tmr *t;

	if (!a || !b)
		return a ? a : b;
	if (is_before(b, a)) {
		t = a;
		a = b;
		b = t;
	}
	t = CHILD(a);
	SIBLING(b) = t ? &t->le : NULL;
	if (t)
		BEFORE(t) = &b->le;
	BEFORE(b) = &a->le;
	CHILD(a) = b;

	return a;
}

/* The children of one that goes: in pairs from the left, then all of them from the right. */
static struct tmr *meld_all(struct tmr *first)
{
	struct tmr *pairs = NULL, *heap = NULL, *a, *b;

	while ((a = first)) {
		b = SIBLING(a) ? get(SIBLING(a)) : NULL;
		first = b && SIBLING(b) ? get(SIBLING(b)) : NULL;
		SIBLING(a) = NULL;
		if (b)
			SIBLING(b) = NULL;
		a = meld(a, b);
		SIBLING(a) = pairs ? &pairs->le : NULL;
		pairs = a;
	}
	while ((a = pairs)) {
		pairs = SIBLING(a) ? get(SIBLING(a)) : NULL;
		SIBLING(a) = NULL;
		heap = meld(heap, a);
	}
	if (heap)
		BEFORE(heap) = NULL;

	return heap;
}

static void take_out(struct tmr *t)
{
	struct tmr *below = meld_all(CHILD(t)), *before;

	if (t == root) {
		root = below;
	} else {
		before = get(BEFORE(t));
		if (CHILD(before) == t)
			CHILD(before) = SIBLING(t) ? get(SIBLING(t)) : NULL;
		else
			SIBLING(before) = SIBLING(t);
		if (SIBLING(t))
			BEFORE(get(SIBLING(t))) = &before->le;
		root = meld(root, below);
	}
	memset(&t->le, 0, sizeof(t->le));
}

void tmr_init(struct tmr *tmr)
{
	if (tmr)
		memset(tmr, 0, sizeof(*tmr));
}

void tmr_start(struct tmr *tmr, uint64_t delay, tmr_h *th, void *arg)
{
	if (!tmr)
		return;
	if (tmr->th)
		take_out(tmr);
	tmr->th = th;
	tmr->arg = arg;
	if (!th)
		return;
	tmr->jfs = tmr_jiffies() + delay;
	memset(&tmr->le, 0, sizeof(tmr->le));
	tmr->le.list = (struct list *)(uintptr_t)++started;
	root = meld(root, tmr);
}

void tmr_cancel(struct tmr *tmr)
{
	tmr_start(tmr, 0, NULL, NULL);
}

uint64_t tmr_get_expire(const struct tmr *tmr)
{
	uint64_t now;

	if (!tmr || !tmr->th)
		return 0;
	now = tmr_jiffies();

	return tmr->jfs > now ? tmr->jfs - now : 0;
}

/* The list is libre's, and empty. */
void tmr_poll(struct list *tmrl)
{
	uint64_t now = tmr_jiffies();

	(void)tmrl;
	while (root && root->jfs <= now) {
		struct tmr *tmr = root;
		tmr_h *th = tmr->th;
		void *arg = tmr->arg;

		take_out(tmr);
		tmr->th = NULL;
		th(arg);
	}
}

/* 0: there is none. */
uint64_t tmr_next_timeout(struct list *tmrl)
{
	uint64_t now;

	(void)tmrl;
	if (!root)
		return 0;
	now = tmr_jiffies();

	return root->jfs > now ? root->jfs - now : 1;
}
