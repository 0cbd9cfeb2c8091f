/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/datapath/srtp_sets.h"
#include "userspace/datapath/table_fan.h"
#include "userspace/datapath/table_rule.h"
#include "userspace/datapath/table_srtp.h"

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
	tandem_srtp_sets_size(cfg->srtp, relay);
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
	t->entries = memory->entries;
	t->rules_more = memory->rules_more;
	t->flows_more = memory->flows_more;
	t->fans = memory->fans;
	t->legs = memory->legs;
	t->leg_states = memory->leg_states;
	t->shared_h = shared_h;
	t->arg = arg;
	err = tandem_table_fans_init(t);
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
	tandem_table_fans_clean(t);
	tandem_table_srtp_clean(t);
}

/* Flags that no specification sets. */
#define RULE_F_OWN ((uint32_t)(RULE_F_ACTIVE | RULE_F_SHARED | RULE_F_FAN | RULE_F_GROUP))

static int shared_change(struct tandem_table *t, const struct flow_key *key, uint32_t slot)
{
	return t->shared_h ? t->shared_h(key, slot, t->arg) : 0;
}

static void resolve_h(uint32_t slot, enum tandem_ref_kind kind, void *arg)
{
	struct tandem_table *t = arg;
	uint64_t target = tandem_refs_get(&t->refs, slot, kind);

	tandem_table_rule_set_ref(t, slot, kind, tandem_slots_find(t->slots, target));
}

/* Write the rule of a flow; that it can be split has been seen before. */
static void rule_write(struct tandem_table *t, uint32_t slot, const struct tandem_flow_spec *spec,
		       uint32_t fan, const struct tandem_slot_keys *keys)
{
	struct tandem_rule whole = {
		.flags = (spec->flags & ~RULE_F_OWN) | RULE_F_ACTIVE,
		.key = spec->key,
		.id = spec->id,
		.pts = spec->pts,
		.media = tandem_slots_find(t->slots, spec->media_id),
		.reverse = tandem_slots_find(t->slots, spec->reverse_id),
		.peer = spec->peer,
		.peer_seq_offset = spec->peer_seq_offset,
	};
	struct rule_more more;
	struct rule r;

	if (fan != TANDEM_NO_FAN) {
		whole.flags |= RULE_F_FAN;
		whole.fan = fan;
	}
	if (tandem_ip_is_group(&spec->key.local))
		whole.flags |= RULE_F_GROUP;
	if (tandem_slots_is_direct(t->slots, slot) && tandem_slots_sharing(t->slots, slot))
		whole.flags |= RULE_F_SHARED;
	memcpy(whole.egress, spec->egress, sizeof(whole.egress));
	tandem_rule_split(&t->relay, &whole, &r, &more);
	r.srtp = keys->in;
	if (r.egress.flags & EGRESS_F_ACTIVE)
		r.egress.srtp = keys->out;
	if (more.rtcp.flags & EGRESS_F_ACTIVE)
		more.rtcp.srtp = keys->out;
	tandem_table_fan_attach(t, fan, slot, &r, &more.pts);
	tandem_table_rule_fill(t, slot, &r, &more);
	if (t->slot_keys)
		t->slot_keys[slot] = *keys;
}

static struct tandem_slot_keys keys_of(const struct tandem_table *t, uint32_t slot)
{
	return t->slot_keys ? t->slot_keys[slot] : (struct tandem_slot_keys){ 0 };
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
		tandem_table_rule_refresh(t, tandem_slots_direct(t->slots, key), key);
}

/* Both halves of a flow's live state. */
struct flow_halves {
	struct flow flow;
	struct flow_more more;
};

/*
 * A flow in a slot of its own, with a fan that is written already; state, if not NULL, is
 * what its counts start from.
 */
static int table_enter(struct tandem_table *t, const struct tandem_flow_spec *spec, uint32_t fan,
		       const struct tandem_slot_keys *keys, const struct flow_halves *state)
{
	static const struct flow_halves fresh;
	uint32_t slot;
	int err;

	err = tandem_slots_take(t->slots, spec->id, &spec->key, &slot);
	if (err)
		return err;
	if (t->enter_h)
		t->enter_h(slot, t->arg);
	/* Packets meanwhile are punted: others may share the port with the new flow. */
	tandem_table_rule_begin(tandem_table_rule(t, slot));
	if (!state)
		state = &fresh;
	t->entries[slot].flow = state->flow;
	t->flows_more[slot] = state->more;
	err = refs_write(t, slot, spec->media_id, spec->reverse_id);
	if (!err && !tandem_slots_is_direct(t->slots, slot))
		err = shared_change(t, &spec->key, slot);
	if (err) {
		tandem_table_rule_vacate(t, slot, &spec->key);
		vacate_slot(t, slot, &spec->key);
		return err;
	}
	rule_write(t, slot, spec, fan, keys);
	if (!tandem_slots_is_direct(t->slots, slot))
		tandem_table_rule_refresh(t, tandem_slots_direct(t->slots, &spec->key), &spec->key);
	tandem_refs_each(&t->refs, spec->id, resolve_h, t);
	return 0;
}

/* The reverse; its fan stays. */
static void table_leave(struct tandem_table *t, uint32_t slot)
{
	const struct flow_key key = tandem_table_rule_key(t, slot);

	tandem_table_rule_vacate(t, slot, &key);
	if (!tandem_slots_is_direct(t->slots, slot))
		shared_change(t, &key, TANDEM_NO_SLOT);
	vacate_slot(t, slot, &key);
}

/* The same flow in the same slot. */
static int table_change(struct tandem_table *t, const struct tandem_flow_spec *spec, uint32_t slot,
			const struct tandem_slot_keys *keys)
{
	bool behind = !tandem_slots_is_direct(t->slots, slot);
	const struct flow_key old = tandem_table_rule_key(t, slot);
	bool rekeyed = memcmp(&old, &spec->key, sizeof(old)) != 0;
	uint32_t before = tandem_table_fan_of(t, slot), fan;
	int err;

	err = tandem_table_fan_write(t, spec->fan, before, &fan);
	if (err)
		return err;
	err = tandem_slots_rekey(t->slots, slot, &spec->key);
	if (err) {
		tandem_table_fan_release(t, fan);
		return err;
	}
	if (behind && rekeyed)
		err = shared_change(t, &spec->key, slot);
	if (!err)
		err = refs_write(t, slot, spec->media_id, spec->reverse_id);
	if (err) {
		tandem_slots_rekey(t->slots, slot, &old);
		tandem_table_fan_release(t, fan);
		return err;
	}
	rule_write(t, slot, spec, fan, keys);
	tandem_table_fan_retire(t, before);
	if (behind && rekeyed)
		shared_change(t, &old, TANDEM_NO_SLOT);
	return 0;
}

static int table_add(struct tandem_table *t, const struct tandem_flow_spec *spec,
		     const struct tandem_slot_keys *keys)
{
	uint32_t fan;
	int err = tandem_table_fan_write(t, spec->fan, TANDEM_NO_FAN, &fan);

	if (err)
		return err;
	err = table_enter(t, spec, fan, keys, NULL);
	if (err)
		tandem_table_fan_release(t, fan);
	return err;
}

/* The same flow on another local port: its counts go with it, and those of its legs. */
static int table_move(struct tandem_table *t, const struct tandem_flow_spec *spec, uint32_t slot,
		      const struct tandem_slot_keys *keys)
{
	const struct tandem_slot_keys earlier_keys = keys_of(t, slot);
	uint32_t earlier = tandem_table_fan_of(t, slot), fan;
	struct tandem_flow_spec before;
	struct flow_halves state;
	int err;

	err = tandem_table_fan_write(t, spec->fan, earlier, &fan);
	if (err)
		return err;
	tandem_table_spec(t, slot, &before);
	table_leave(t, slot);
	tandem_refs_each(&t->refs, spec->id, resolve_h, t);
	state.flow = t->entries[slot].flow;
	state.more = t->flows_more[slot];
	state.flow.nexthop.gen =
		1; /* no rule is read under it: the other slot's means nothing here */
	state.more.extra_streams = 0; /* their entries are the other slot's */
	err = table_enter(t, spec, fan, keys, &state);
	if (err) {
		tandem_table_fan_release(t, fan);
		if (table_enter(t, &before, earlier, &earlier_keys, &state) == 0)
			return err;
		tandem_table_srtp_put(t, &earlier_keys);
	}
	tandem_table_fan_retire(t, earlier);
	return err;
}

/* Do all egresses send from addresses of the relay? */
static int check_egresses(const struct tandem_table *t, const struct tandem_flow_spec *spec)
{
	struct egress split;
	int err = 0;

	for (int i = EGRESS_RTP; i <= EGRESS_RTCP && !err; i++)
		err = tandem_egress_split(&t->relay, &spec->egress[i], &split);
	for (uint32_t i = 0; spec->fan && i < spec->fan->leg_count && !err; i++) {
		if (tandem_local_index(&t->relay, &spec->fan->legs[i].leg.egress.local) ==
		    TANDEM_NO_LOCAL)
			err = -EADDRNOTAVAIL;
	}
	return err;
}

/* With the keys of the flow at hand; those that it had until now are given back if it is done. */
static int set_with(struct tandem_table *t, const struct tandem_flow_spec *spec, uint32_t slot,
		    const struct tandem_slot_keys *keys)
{
	uint32_t direct = tandem_slots_direct(t->slots, &spec->key);
	struct tandem_slot_keys earlier;
	struct flow_key old;
	int err;

	if (slot == TANDEM_NO_SLOT)
		return table_add(t, spec, keys);
	earlier = keys_of(t, slot);
	old = tandem_table_rule_key(t, slot);
	if (direct == tandem_slots_direct(t->slots, &old))
		err = table_change(t, spec, slot, keys);
	else
		err = table_move(t, spec, slot, keys);
	if (!err)
		tandem_table_srtp_put(t, &earlier);
	return err;
}

int tandem_table_set(struct tandem_table *t, const struct tandem_flow_spec *spec)
{
	struct tandem_flow_spec clean = *spec;
	struct tandem_slot_keys keys;
	uint32_t slot, direct;
	int err;

	if (spec->id == 0 || spec->id == TANDEM_PLACEHOLDER_ID)
		return -EINVAL;
	err = check_egresses(t, spec);
	if (err)
		return err;
	clean.key.pad = 0; /* keys are compared as bytes */
	if (tandem_ip_is_group(&clean.key.local) && tandem_ip_is_any(&clean.key.remote)) {
		if (clean.key.remote_port)
			return -EINVAL; /* never looked for: see group_slot() of the core */
		memset(&clean.key.remote, 0, sizeof(clean.key.remote));
	}
	slot = tandem_slots_find(t->slots, spec->id);
	direct = tandem_slots_direct(t->slots, &clean.key);
	if (slot != TANDEM_NO_SLOT && direct == TANDEM_NO_SLOT &&
	    !tandem_ip_is_group(&clean.key.local))
		return -EADDRNOTAVAIL;
	err = tandem_table_srtp_get(t, spec, &keys);
	if (err)
		return err;
	err = set_with(t, &clean, slot, &keys);
	if (err)
		tandem_table_srtp_put(t, &keys);
	return err;
}

int tandem_table_remove(struct tandem_table *t, uint64_t id)
{
	uint32_t slot = tandem_slots_find(t->slots, id), fan;
	struct tandem_slot_keys keys;

	if (slot == TANDEM_NO_SLOT)
		return -ENOENT;
	fan = tandem_table_fan_of(t, slot);
	keys = keys_of(t, slot);
	table_leave(t, slot);
	tandem_table_srtp_put(t, &keys);
	tandem_table_fan_retire(t, fan);
	tandem_refs_each(&t->refs, id, resolve_h, t);
	return 0;
}

uint32_t tandem_table_find(const struct tandem_table *t, uint64_t id)
{
	return tandem_slots_find(t->slots, id);
}

int tandem_table_spec(const struct tandem_table *t, uint32_t slot, struct tandem_flow_spec *spec)
{
	struct tandem_rule r;

	if (!tandem_slots_id(t->slots, slot))
		return -ENOENT;
	tandem_rule_join(&t->relay, tandem_table_rule(t, slot), &t->rules_more[slot], &r);
	memset(spec, 0, sizeof(*spec));
	spec->id = r.id;
	spec->media_id = tandem_refs_get(&t->refs, slot, TANDEM_REF_MEDIA);
	spec->reverse_id = tandem_refs_get(&t->refs, slot, TANDEM_REF_REVERSE);
	spec->flags = r.flags & ~RULE_F_OWN;
	spec->key = r.key;
	memcpy(spec->egress, r.egress, sizeof(spec->egress));
	spec->peer = r.peer;
	spec->peer_seq_offset = r.peer_seq_offset;
	spec->pts = r.pts;
	return 0;
}

void tandem_table_read(const struct tandem_table *t, uint32_t slot, struct tandem_flow_stats *stats)
{
	tandem_flow_whole(&t->entries[slot].flow, &t->flows_more[slot], &stats->flow);
	stats->stream_count = 0;
	if (stats->flow.stream.flow_id == tandem_slots_id(t->slots, slot))
		stats->streams[stats->stream_count++] = stats->flow.stream;
}

void tandem_table_add_stream(const struct extra_stream *extra, struct tandem_flow_stats *stats)
{
	if (stats->stream_count < TANDEM_MAX_STREAMS)
		tandem_stream_whole(&extra->stream, &extra->more,
				    &stats->streams[stats->stream_count++]);
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

/* Id of the flow that a rule's slot reference means; 0 when there is none. */
static uint64_t ref_id(const struct tandem_table *t, uint32_t slot)
{
	return slot == TANDEM_NO_SLOT ? 0 : tandem_slots_id(t->slots, slot);
}

/* What hangs together between the slots, once every flow has its own. */
static int adopt_links(struct tandem_table *t, uint32_t slot)
{
	const struct rule_more *more = &t->rules_more[slot];
	const struct rule *r = tandem_table_rule(t, slot);
	struct flow_key key;
	int err;

	if (r->id != TANDEM_PLACEHOLDER_ID && !tandem_slots_id(t->slots, slot))
		return 0;
	key = tandem_table_rule_key(t, slot);
	if (r->id == TANDEM_PLACEHOLDER_ID)
		tandem_table_rule_refresh(t, slot, &key);
	if (!tandem_slots_id(t->slots, slot))
		return 0;
	err = refs_write(t, slot, ref_id(t, more->media), ref_id(t, more->reverse));
	if (err)
		return err;
	tandem_table_rule_refresh(t, tandem_slots_direct(t->slots, &key), &key);
	return tandem_slots_is_direct(t->slots, slot) ? 0 : shared_change(t, &key, slot);
}

/* The flow of a rule that is in use. */
static int adopt_rule(struct tandem_table *t, uint32_t slot)
{
	const struct rule *r = tandem_table_rule(t, slot);
	struct flow_key key;
	int err;

	if (r->gen & 1)
		return -EINVAL;
	err = tandem_table_fan_adopt(t, slot);
	if (err)
		return err;
	err = tandem_table_srtp_adopt(t, slot);
	if (err)
		return err;
	key = tandem_table_rule_key(t, slot);
	err = tandem_slots_adopt(t->slots, r->id, &key, slot);
	if (err) {
		const struct tandem_slot_keys keys = keys_of(t, slot);

		tandem_table_srtp_put(t, &keys);
	}
	return err;
}

int tandem_table_adopt(struct tandem_table *t)
{
	int err;

	for (uint32_t i = 0; i < t->relay.slots; i++) {
		const struct rule *r = tandem_table_rule(t, i);

		if (!(r->flags & RULE_F_ACTIVE) && !(r->gen & 1))
			continue;
		if (r->id == TANDEM_PLACEHOLDER_ID && !(r->gen & 1))
			continue;
		err = adopt_rule(t, i);
		if (err == -ENOMEM)
			return err;
		if (err)
			tandem_table_rule_fill(t, i, &(struct rule){ 0 }, &(struct rule_more){ 0 });
	}
	tandem_table_srtp_sweep(t);
	for (uint32_t i = 0; i < t->relay.slots; i++) {
		err = adopt_links(t, i);
		if (err)
			return err;
	}
	return 0;
}
