/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/datapath/table_fan.h"

int tandem_table_config(struct relay_config *relay, const struct tandem_datapath_config *cfg,
			char *why, size_t why_size)
{
	uint32_t ports, direct;

	if (cfg->locals_count == 0 || cfg->locals_count > TANDEM_MAX_LOCALS) {
		snprintf(why, why_size, "%zu media addresses; 1 to %d are possible",
			 cfg->locals_count, TANDEM_MAX_LOCALS);
		return -EINVAL;
	}
	if (cfg->port_min == 0 || cfg->port_min > cfg->port_max) {
		snprintf(why, why_size, "media ports %u to %u are no range", cfg->port_min,
			 cfg->port_max);
		return -EINVAL;
	}
	ports = (uint32_t)cfg->port_max - cfg->port_min + 1;
	direct = (uint32_t)cfg->locals_count * ports;
	if (cfg->flow_capacity < direct) {
		snprintf(why, why_size,
			 "capacity of %u flows is less than %zu addresses with %u ports",
			 cfg->flow_capacity, cfg->locals_count, ports);
		return -EINVAL;
	}
	if (cfg->flow_capacity > TANDEM_TABLE_SLOTS) {
		snprintf(why, why_size, "capacity of %u flows is more than %u", cfg->flow_capacity,
			 TANDEM_TABLE_SLOTS);
		return -EINVAL;
	}
	memset(relay, 0, sizeof(*relay));
	relay->abi_version = TANDEM_ABI_VERSION;
	relay->slots = cfg->flow_capacity;
	relay->fans = cfg->fan_capacity;
	relay->legs = cfg->leg_capacity;
	relay->locals_count = (uint32_t)cfg->locals_count;
	relay->port_base = cfg->port_min;
	relay->port_count = ports;
	relay->nexthop_age_ns = (uint64_t)cfg->nexthop_age_ms * 1000000;
	for (size_t i = 0; i < cfg->locals_count; i++)
		relay->locals[i] = cfg->locals[i].ip;
	return 0;
}

int tandem_table_init(struct tandem_table *t, const struct relay_config *relay,
		      const struct tandem_table_memory *memory, tandem_shared_h *shared_h,
		      void *arg)
{
	int err;

	memset(t, 0, sizeof(*t));
	t->relay = *relay;
	t->rules = memory->rules;
	t->flows = memory->flows;
	t->fans = memory->fans;
	t->legs = memory->legs;
	t->leg_states = memory->leg_states;
	t->shared_h = shared_h;
	t->arg = arg;
	err = tandem_fans_init(&t->ranges, relay->fans, relay->legs);
	if (!err)
		err = tandem_slots_alloc(&t->slots, relay);
	if (!err)
		err = tandem_refs_init(&t->refs, relay->slots);
	if (err)
		tandem_table_clean(t);
	return err;
}

void tandem_table_clean(struct tandem_table *t)
{
	tandem_slots_free(t->slots);
	t->slots = NULL;
	tandem_refs_clean(&t->refs);
	tandem_fans_clean(&t->ranges);
}

/* A fan that rules led to until now. */
static void fan_retire(struct tandem_table *t, uint32_t fan)
{
	if (t->retire_h)
		t->retire_h(fan, t->arg);
	else
		tandem_fans_release(&t->ranges, fan);
}

/* Flags that no specification sets. */
#define RULE_F_OWN ((uint32_t)(RULE_F_ACTIVE | RULE_F_SHARED | RULE_F_FAN | RULE_F_GROUP))

/*
 * The packet path reads gen, then the rule, then gen again. The fence keeps the
 * odd value ahead of the fields, the release keeps them ahead of the even one.
 */
static void rule_begin(struct rule *r)
{
	__atomic_store_n(&r->gen, r->gen | 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void rule_end(struct tandem_table *t, struct rule *r)
{
	__atomic_store_n(&r->gen, r->gen + 1, __ATOMIC_RELEASE);
	if (t->written_h)
		t->written_h((uint32_t)(r - t->rules), t->arg);
}

/* Everything behind gen. */
static void rule_fill(struct tandem_table *t, struct rule *r, const struct rule *from)
{
	rule_begin(r);
	memcpy((char *)r + sizeof(r->gen), (const char *)from + sizeof(r->gen),
	       sizeof(*r) - sizeof(r->gen));
	rule_end(t, r);
}

static void rule_set_flags(struct tandem_table *t, struct rule *r, uint32_t flags)
{
	if (r->flags == flags)
		return;
	rule_begin(r);
	r->flags = flags;
	rule_end(t, r);
}

static void rule_set_ref(struct tandem_table *t, struct rule *r, enum tandem_ref_kind kind,
			 uint32_t slot)
{
	uint32_t *field = kind == TANDEM_REF_MEDIA ? &r->media : &r->reverse;

	if (*field == slot)
		return;
	rule_begin(r);
	*field = slot;
	rule_end(t, r);
}

/* What a direct slot holds when it has no flow of its own: nothing, or the placeholder. */
static void rule_vacate(struct tandem_table *t, uint32_t slot, const struct flow_key *key)
{
	struct rule empty = { 0 };

	if (tandem_slots_is_direct(t->slots, slot) && tandem_slots_sharing(t->slots, slot)) {
		empty.flags = RULE_F_ACTIVE | RULE_F_SHARED;
		empty.id = TANDEM_PLACEHOLDER_ID;
		empty.media = TANDEM_NO_SLOT;
		empty.reverse = TANDEM_NO_SLOT;
		empty.key.local = key->local;
		empty.key.local_port = key->local_port;
	}
	rule_fill(t, &t->rules[slot], &empty);
}

/* After the number of flows behind a direct slot changed; TANDEM_NO_SLOT: that of a group. */
static void direct_refresh(struct tandem_table *t, uint32_t direct, const struct flow_key *key)
{
	struct rule *r;
	bool shared;

	if (direct == TANDEM_NO_SLOT)
		return;
	r = &t->rules[direct];
	shared = tandem_slots_sharing(t->slots, direct) > 0;
	if (!tandem_slots_id(t->slots, direct)) {
		bool there = r->id == TANDEM_PLACEHOLDER_ID;

		if (shared != there)
			rule_vacate(t, direct, key);
		return;
	}
	rule_set_flags(t, r,
		       shared ? r->flags | RULE_F_SHARED : r->flags & ~(uint32_t)RULE_F_SHARED);
}

static int shared_change(struct tandem_table *t, const struct flow_key *key, uint32_t slot)
{
	return t->shared_h ? t->shared_h(key, slot, t->arg) : 0;
}

static void resolve_h(uint32_t slot, enum tandem_ref_kind kind, void *arg)
{
	struct tandem_table *t = arg;
	uint64_t target = tandem_refs_get(&t->refs, slot, kind);

	rule_set_ref(t, &t->rules[slot], kind, tandem_slots_find(t->slots, target));
}

static void rule_build(const struct tandem_table *t, uint32_t slot,
		       const struct tandem_flow_spec *spec, uint32_t fan, struct rule *r)
{
	memset(r, 0, sizeof(*r));
	r->flags = (spec->flags & ~RULE_F_OWN) | RULE_F_ACTIVE;
	if (fan != TANDEM_NO_FAN) {
		r->flags |= RULE_F_FAN;
		r->fan = fan;
	}
	if (tandem_ip_is_group(&spec->key.local))
		r->flags |= RULE_F_GROUP;
	if (tandem_slots_is_direct(t->slots, slot) && tandem_slots_sharing(t->slots, slot))
		r->flags |= RULE_F_SHARED;
	r->key = spec->key;
	r->id = spec->id;
	r->media = tandem_slots_find(t->slots, spec->media_id);
	r->reverse = tandem_slots_find(t->slots, spec->reverse_id);
	r->peer = spec->peer;
	r->peer_seq_offset = spec->peer_seq_offset;
	memcpy(r->egress, spec->egress, sizeof(r->egress));
	r->pts = spec->pts;
}

static int refs_write(struct tandem_table *t, uint32_t slot, uint64_t media, uint64_t reverse)
{
	int err = tandem_refs_set(&t->refs, slot, TANDEM_REF_MEDIA, media);

	return err ? err : tandem_refs_set(&t->refs, slot, TANDEM_REF_REVERSE, reverse);
}

static void vacate_slot(struct tandem_table *t, uint32_t slot, const struct flow_key *key)
{
	refs_write(t, slot, 0, 0); /* only removes: cannot fail */
	tandem_slots_release(t->slots, slot);
	if (!tandem_slots_is_direct(t->slots, slot))
		direct_refresh(t, tandem_slots_direct(t->slots, key), key);
}

/*
 * A flow in a slot of its own, with a fan that is written already; state, if not NULL, is
 * what its counts start from.
 */
static int table_enter(struct tandem_table *t, const struct tandem_flow_spec *spec, uint32_t fan,
		       const struct flow *state)
{
	struct rule r;
	uint32_t slot;
	int err;

	err = tandem_slots_take(t->slots, spec->id, &spec->key, &slot);
	if (err)
		return err;
	if (t->enter_h)
		t->enter_h(slot, t->arg);
	/* Packets meanwhile are punted: others may share the port with the new flow. */
	rule_begin(&t->rules[slot]);
	if (state)
		t->flows[slot] = *state;
	else
		memset(&t->flows[slot], 0, sizeof(t->flows[slot]));
	err = refs_write(t, slot, spec->media_id, spec->reverse_id);
	if (!err && !tandem_slots_is_direct(t->slots, slot))
		err = shared_change(t, &spec->key, slot);
	if (err) {
		rule_vacate(t, slot, &spec->key);
		vacate_slot(t, slot, &spec->key);
		return err;
	}
	rule_build(t, slot, spec, fan, &r);
	rule_fill(t, &t->rules[slot], &r);
	if (!tandem_slots_is_direct(t->slots, slot))
		direct_refresh(t, tandem_slots_direct(t->slots, &spec->key), &spec->key);
	tandem_refs_each(&t->refs, spec->id, resolve_h, t);
	return 0;
}

/* The reverse; its fan stays. */
static void table_leave(struct tandem_table *t, uint32_t slot)
{
	const struct flow_key key = t->rules[slot].key;

	rule_vacate(t, slot, &key);
	if (!tandem_slots_is_direct(t->slots, slot))
		shared_change(t, &key, TANDEM_NO_SLOT);
	vacate_slot(t, slot, &key);
}

/* The same flow in the same slot. */
static int table_change(struct tandem_table *t, const struct tandem_flow_spec *spec, uint32_t slot)
{
	bool behind = !tandem_slots_is_direct(t->slots, slot);
	const struct flow_key old = t->rules[slot].key;
	bool rekeyed = memcmp(&old, &spec->key, sizeof(old)) != 0;
	uint32_t before = tandem_table_fan_of(t, slot), fan;
	struct rule r;
	int err;

	err = tandem_table_fan_write(t, spec->fan, before, &fan);
	if (err)
		return err;
	err = tandem_slots_rekey(t->slots, slot, &spec->key);
	if (err) {
		tandem_fans_release(&t->ranges, fan);
		return err;
	}
	if (behind && rekeyed)
		err = shared_change(t, &spec->key, slot);
	if (!err)
		err = refs_write(t, slot, spec->media_id, spec->reverse_id);
	if (err) {
		tandem_slots_rekey(t->slots, slot, &old);
		tandem_fans_release(&t->ranges, fan);
		return err;
	}
	rule_build(t, slot, spec, fan, &r);
	rule_fill(t, &t->rules[slot], &r);
	fan_retire(t, before);
	if (behind && rekeyed)
		shared_change(t, &old, TANDEM_NO_SLOT);
	return 0;
}

static int table_add(struct tandem_table *t, const struct tandem_flow_spec *spec)
{
	uint32_t fan;
	int err = tandem_table_fan_write(t, spec->fan, TANDEM_NO_FAN, &fan);

	if (err)
		return err;
	err = table_enter(t, spec, fan, NULL);
	if (err)
		tandem_fans_release(&t->ranges, fan);
	return err;
}

/* The same flow on another local port: its counts go with it, and those of its legs. */
static int table_move(struct tandem_table *t, const struct tandem_flow_spec *spec, uint32_t slot)
{
	uint32_t earlier = tandem_table_fan_of(t, slot), fan;
	struct tandem_flow_spec before;
	struct flow state;
	int err;

	err = tandem_table_fan_write(t, spec->fan, earlier, &fan);
	if (err)
		return err;
	tandem_table_spec(t, slot, &before);
	table_leave(t, slot);
	tandem_refs_each(&t->refs, spec->id, resolve_h, t);
	state = t->flows[slot];
	state.nexthop.expires_ns = 0; /* the other slot's gen means nothing here */
	state.stream.rule_gen = 0;    /* likewise */
	state.extra_streams = 0;      /* their entries are the other slot's */
	err = table_enter(t, spec, fan, &state);
	if (err) {
		tandem_fans_release(&t->ranges, fan);
		if (table_enter(t, &before, earlier, &state) == 0)
			return err;
	}
	fan_retire(t, earlier);
	return err;
}

int tandem_table_set(struct tandem_table *t, const struct tandem_flow_spec *spec)
{
	struct tandem_flow_spec clean = *spec;
	uint32_t slot, direct;

	if (spec->id == 0 || spec->id == TANDEM_PLACEHOLDER_ID)
		return -EINVAL;
	clean.key.pad = 0; /* keys are compared as bytes */
	if (tandem_ip_is_group(&clean.key.local) && tandem_ip_is_any(&clean.key.remote)) {
		if (clean.key.remote_port)
			return -EINVAL; /* never looked for: see group_slot() of the core */
		memset(&clean.key.remote, 0, sizeof(clean.key.remote));
	}
	slot = tandem_slots_find(t->slots, spec->id);
	if (slot == TANDEM_NO_SLOT)
		return table_add(t, &clean);
	direct = tandem_slots_direct(t->slots, &clean.key);
	if (direct == TANDEM_NO_SLOT && !tandem_ip_is_group(&clean.key.local))
		return -EADDRNOTAVAIL;
	if (direct == tandem_slots_direct(t->slots, &t->rules[slot].key))
		return table_change(t, &clean, slot);
	return table_move(t, &clean, slot);
}

int tandem_table_remove(struct tandem_table *t, uint64_t id)
{
	uint32_t slot = tandem_slots_find(t->slots, id), fan;

	if (slot == TANDEM_NO_SLOT)
		return -ENOENT;
	fan = tandem_table_fan_of(t, slot);
	table_leave(t, slot);
	fan_retire(t, fan);
	tandem_refs_each(&t->refs, id, resolve_h, t);
	return 0;
}

uint32_t tandem_table_find(const struct tandem_table *t, uint64_t id)
{
	return tandem_slots_find(t->slots, id);
}

int tandem_table_spec(const struct tandem_table *t, uint32_t slot, struct tandem_flow_spec *spec)
{
	const struct rule *r = &t->rules[slot];

	if (!tandem_slots_id(t->slots, slot))
		return -ENOENT;
	memset(spec, 0, sizeof(*spec));
	spec->id = r->id;
	spec->media_id = tandem_refs_get(&t->refs, slot, TANDEM_REF_MEDIA);
	spec->reverse_id = tandem_refs_get(&t->refs, slot, TANDEM_REF_REVERSE);
	spec->flags = r->flags & ~RULE_F_OWN;
	spec->key = r->key;
	memcpy(spec->egress, r->egress, sizeof(spec->egress));
	spec->peer = r->peer;
	spec->peer_seq_offset = r->peer_seq_offset;
	spec->pts = r->pts;
	return 0;
}

void tandem_table_list(const struct tandem_table *t, tandem_installed_h *h, void *arg)
{
	uint32_t left = tandem_slots_count(t->slots);
	struct tandem_flow_spec spec;

	for (uint32_t i = 0; i < t->relay.slots && left; i++) {
		if (tandem_table_spec(t, i, &spec))
			continue;
		left--;
		h(&spec, arg);
	}
}

bool tandem_table_any_active(const struct rule *rules, uint32_t slots)
{
	for (uint32_t i = 0; i < slots; i++) {
		if (rules[i].flags & RULE_F_ACTIVE && rules[i].id != TANDEM_PLACEHOLDER_ID)
			return true;
	}
	return false;
}

/* Id of the flow that a rule's slot reference means; 0 when there is none. */
static uint64_t ref_id(const struct tandem_table *t, uint32_t slot)
{
	return slot == TANDEM_NO_SLOT ? 0 : tandem_slots_id(t->slots, slot);
}

/* What hangs together between the slots, once every flow has its own. */
static int adopt_links(struct tandem_table *t, uint32_t slot)
{
	struct rule *r = &t->rules[slot];
	int err;

	if (r->id == TANDEM_PLACEHOLDER_ID)
		direct_refresh(t, slot, &r->key);
	if (!tandem_slots_id(t->slots, slot))
		return 0;
	err = refs_write(t, slot, ref_id(t, r->media), ref_id(t, r->reverse));
	if (err)
		return err;
	direct_refresh(t, tandem_slots_direct(t->slots, &r->key), &r->key);
	return tandem_slots_is_direct(t->slots, slot) ? 0 : shared_change(t, &r->key, slot);
}

int tandem_table_adopt(struct tandem_table *t)
{
	int err;

	for (uint32_t i = 0; i < t->relay.slots; i++) {
		struct rule *r = &t->rules[i];

		if (!(r->flags & RULE_F_ACTIVE) && !(r->gen & 1))
			continue;
		if (r->id == TANDEM_PLACEHOLDER_ID && !(r->gen & 1))
			continue;
		err = r->gen & 1 ? -EINVAL : tandem_table_fan_adopt(t, i);
		if (!err)
			err = tandem_slots_adopt(t->slots, r->id, &r->key, i);
		if (err == -ENOMEM)
			return err;
		if (err)
			rule_fill(t, r, &(struct rule){ 0 });
	}
	for (uint32_t i = 0; i < t->relay.slots; i++) {
		err = adopt_links(t, i);
		if (err)
			return err;
	}
	return 0;
}
