/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/refs.h"

#include <errno.h>

#include "userspace/util/sparse.h"

struct tandem_ref {
	uint64_t target;
	uint32_t next, prev; /* among those with the same target; TANDEM_HASH_NONE ends */
};

int tandem_refs_init(struct tandem_refs *r, uint32_t slots)
{
	r->slots = slots;
	tandem_hash_init(&r->heads, sizeof(uint64_t));
	r->refs = tandem_sparse_alloc((size_t)slots * TANDEM_REF_KINDS, sizeof(*r->refs));
	return r->refs ? 0 : -ENOMEM;
}

void tandem_refs_clean(struct tandem_refs *r)
{
	tandem_sparse_free(r->refs, (size_t)r->slots * TANDEM_REF_KINDS, sizeof(*r->refs));
	r->refs = NULL;
	tandem_hash_clean(&r->heads);
}

static void unlink_ref(struct tandem_refs *r, uint32_t i)
{
	struct tandem_ref *ref = &r->refs[i];

	if (!ref->target)
		return;
	if (ref->next != TANDEM_HASH_NONE)
		r->refs[ref->next].prev = ref->prev;
	if (ref->prev != TANDEM_HASH_NONE)
		r->refs[ref->prev].next = ref->next;
	else if (ref->next != TANDEM_HASH_NONE)
		tandem_hash_set(&r->heads, &ref->target, ref->next); /* there: cannot fail */
	else
		tandem_hash_remove(&r->heads, &ref->target);
	ref->target = 0;
}

int tandem_refs_set(struct tandem_refs *r, uint32_t slot, enum tandem_ref_kind kind,
		    uint64_t target)
{
	uint32_t i = slot * TANDEM_REF_KINDS + kind;
	struct tandem_ref *ref = &r->refs[i];
	uint32_t head;
	int err;

	if (ref->target == target)
		return 0;
	unlink_ref(r, i);
	if (!target)
		return 0;
	head = tandem_hash_get(&r->heads, &target);
	err = tandem_hash_set(&r->heads, &target, i);
	if (err)
		return err;
	ref->target = target;
	ref->prev = TANDEM_HASH_NONE;
	ref->next = head;
	if (head != TANDEM_HASH_NONE)
		r->refs[head].prev = i;
	return 0;
}

uint64_t tandem_refs_get(const struct tandem_refs *r, uint32_t slot, enum tandem_ref_kind kind)
{
	return r->refs[slot * TANDEM_REF_KINDS + kind].target;
}

void tandem_refs_each(const struct tandem_refs *r, uint64_t target, tandem_ref_h *h, void *arg)
{
	uint32_t i = tandem_hash_get(&r->heads, &target);

	for (; i != TANDEM_HASH_NONE; i = r->refs[i].next)
		h(i / TANDEM_REF_KINDS, i % TANDEM_REF_KINDS, arg);
}
