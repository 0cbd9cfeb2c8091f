/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/table_rule.h"

#include <string.h>

struct rule *tandem_table_rule(const struct tandem_table *t, uint32_t slot)
{
	return &t->entries[slot].rule;
}

void tandem_table_rule_begin(struct rule *r)
{
	__atomic_store_n(&r->gen, r->gen | 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void rule_end(struct tandem_table *t, uint32_t slot)
{
	struct rule *r = tandem_table_rule(t, slot);

	__atomic_store_n(&r->gen, r->gen + 1, __ATOMIC_RELEASE);
	if (t->written_h)
		t->written_h(slot, t->arg);
}

void tandem_table_rule_fill(struct tandem_table *t, uint32_t slot, const struct rule *from,
			    const struct rule_more *more)
{
	struct rule *r = tandem_table_rule(t, slot);

	tandem_table_rule_begin(r);
	memcpy((char *)r + sizeof(r->gen), (const char *)from + sizeof(r->gen),
	       sizeof(*r) - sizeof(r->gen));
	t->rules_more[slot] = *more;
	rule_end(t, slot);
}

static void rule_set_flags(struct tandem_table *t, uint32_t slot, uint32_t flags)
{
	struct rule *r = tandem_table_rule(t, slot);

	if (r->flags == flags)
		return;
	tandem_table_rule_begin(r);
	r->flags = flags;
	rule_end(t, slot);
}

void tandem_table_rule_set_ref(struct tandem_table *t, uint32_t slot, enum tandem_ref_kind kind,
			       uint32_t target)
{
	struct rule_more *more = &t->rules_more[slot];
	uint32_t *field = kind == TANDEM_REF_MEDIA ? &more->media : &more->reverse;

	if (*field == target)
		return;
	tandem_table_rule_begin(tandem_table_rule(t, slot));
	*field = target;
	rule_end(t, slot);
}

void tandem_table_rule_vacate(struct tandem_table *t, uint32_t slot, const struct flow_key *key)
{
	struct rule_more more = { 0 };
	struct rule empty = { 0 };

	if (tandem_slots_is_direct(t->slots, slot) && tandem_slots_sharing(t->slots, slot)) {
		empty.flags = RULE_F_ACTIVE | RULE_F_SHARED;
		empty.id = TANDEM_PLACEHOLDER_ID;
		empty.local = tandem_local_index(&t->relay, &key->local);
		empty.local_port = key->local_port;
		more.media = TANDEM_NO_SLOT;
		more.reverse = TANDEM_NO_SLOT;
	}
	tandem_table_rule_fill(t, slot, &empty, &more);
}

void tandem_table_rule_refresh(struct tandem_table *t, uint32_t direct, const struct flow_key *key)
{
	const struct rule *r;
	bool shared;

	if (direct == TANDEM_NO_SLOT)
		return;
	r = tandem_table_rule(t, direct);
	shared = tandem_slots_sharing(t->slots, direct) > 0;
	if (!tandem_slots_id(t->slots, direct)) {
		bool there = r->id == TANDEM_PLACEHOLDER_ID;

		if (shared != there)
			tandem_table_rule_vacate(t, direct, key);
		return;
	}
	rule_set_flags(t, direct,
		       shared ? r->flags | RULE_F_SHARED : r->flags & ~(uint32_t)RULE_F_SHARED);
}

struct flow_key tandem_table_rule_key(const struct tandem_table *t, uint32_t slot)
{
	struct tandem_rule whole;

	tandem_rule_join(&t->relay, tandem_table_rule(t, slot), &t->rules_more[slot], &whole);
	return whole.key;
}
