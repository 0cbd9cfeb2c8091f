/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/datapath/srtp_sets.h"
#include "userspace/srtp/cipher.h"
#include "userspace/util/sparse.h"
#include "userspace/uring/worker.h"

#define SHARED_INITIAL 256
#define SHARED_MAX     (1U << 26)

static uint32_t power_of_two(uint32_t n)
{
	uint32_t size = 1;

	while (size < n)
		size <<= 1;
	return size;
}

/* ---- the hash of further flows on shared ports ---- */

static int shared_insert(struct env_tables *t, const struct flow_key *key, uint32_t slot)
{
	struct env_shared *e = env_shared_entry(t, key, 1);

	if (!e)
		return -ENOSPC;
	e->key = *key;
	e->slot = slot;
	return 0;
}

/* Its probe is bounded, so a table may have to grow more than once to hold the same. */
static int shared_grow(struct env_tables *t)
{
	struct env_tables bigger = *t;
	uint32_t size = t->shared_size ? t->shared_size * 2 : SHARED_INITIAL;
	int err = -ENOSPC;

	for (; err == -ENOSPC && size <= SHARED_MAX; size *= 2) {
		bigger.shared_size = size;
		bigger.shared = malloc(size * sizeof(*bigger.shared));
		if (!bigger.shared)
			return -ENOMEM;
		for (uint32_t i = 0; i < size; i++)
			bigger.shared[i].slot = TANDEM_NO_SLOT;
		err = 0;
		for (uint32_t i = 0; i < t->shared_size && !err; i++) {
			if (t->shared[i].slot != TANDEM_NO_SLOT)
				err = shared_insert(&bigger, &t->shared[i].key, t->shared[i].slot);
		}
		if (err)
			free(bigger.shared);
	}
	if (err)
		return err;
	free(t->shared);
	t->shared = bigger.shared;
	t->shared_size = bigger.shared_size;
	return 0;
}

/* The worker is the only reader, and this runs in it: nothing else sees the table change. */
static int shared_h(const struct flow_key *key, uint32_t slot, void *arg)
{
	struct tandem_datapath *dp = arg;
	struct env_tables *t = &dp->tables;
	struct env_shared *e;
	int err;

	if (slot == TANDEM_NO_SLOT) {
		e = env_shared_entry(t, key, 0);
		if (e) {
			e->slot = TANDEM_NO_SLOT;
			dp->shared_count--;
		}
		return 0;
	}
	while (dp->shared_count * 2 >= t->shared_size || shared_insert(t, key, slot)) {
		err = shared_grow(t);
		if (err)
			return err;
	}
	dp->shared_count++;
	return 0;
}

/* ---- life ---- */

static int srtp_h(uint32_t index, const struct srtp_keys *keys, void *arg)
{
	struct tandem_datapath *dp = arg;
	int err = tandem_ciphers_set(dp->tables.ciphers, index, keys);

	if (!err)
		dp->srtp_count += keys ? 1 : -1;
	return err;
}

/* The table takes flows with SRTP, where the plane has key sets. */
static int srtp_init(struct tandem_datapath *dp, struct tandem_srtp_sets *sets)
{
	struct env_tables *t = &dp->tables;
	int err;

	if (!sets)
		return 0;
	dp->sets = sets;
	t->srtp_keys = tandem_sparse_alloc(t->config.srtps, sizeof(*t->srtp_keys));
	if (!t->srtp_keys)
		return -ENOMEM;
	err = tandem_ciphers_alloc(&t->ciphers, t->config.srtps, NULL);
	return err ? err : tandem_table_srtp_open(&dp->table, t->srtp_keys, sets, srtp_h);
}

int tandem_uring_flows_init(struct tandem_datapath *dp, const struct tandem_datapath_config *cfg,
			    char *why, size_t why_size)
{
	struct env_tables *t = &dp->tables;
	struct tandem_table_memory memory;
	int err = tandem_table_config(&t->config, cfg, why, why_size);

	if (err)
		return err;
	dp->direct_count = t->config.locals_count * t->config.port_count;
	t->streams_size = cfg->stream_capacity ? power_of_two(cfg->stream_capacity) : 0;
	t->entries = tandem_sparse_alloc(t->config.slots, sizeof(*t->entries));
	t->rules_more = tandem_sparse_alloc(t->config.slots, sizeof(*t->rules_more));
	t->flows_more = tandem_sparse_alloc(t->config.slots, sizeof(*t->flows_more));
	err = tandem_uring_groups_init(dp);
	if (err)
		return err;
	dp->ports = tandem_sparse_alloc(uring_port_room(dp), sizeof(*dp->ports));
	dp->holds = tandem_sparse_alloc(t->config.slots, sizeof(*dp->holds));
	if (t->streams_size)
		t->streams = tandem_sparse_alloc(t->streams_size, sizeof(*t->streams));
	t->fans = tandem_sparse_alloc(t->config.fans, sizeof(*t->fans));
	t->legs = tandem_sparse_alloc(t->config.legs, sizeof(*t->legs));
	t->leg_states = tandem_sparse_alloc(t->config.legs, sizeof(*t->leg_states));
	if (!t->entries || !t->rules_more || !t->flows_more || !dp->ports || !dp->holds ||
	    (t->streams_size && !t->streams) || !t->fans || !t->legs || !t->leg_states)
		return -ENOMEM;
	dp->env.tables = t;
	memory = (struct tandem_table_memory){
		.entries = t->entries,
		.rules_more = t->rules_more,
		.flows_more = t->flows_more,
		.fans = t->fans,
		.legs = t->legs,
		.leg_states = t->leg_states,
	};
	err = tandem_table_init(&dp->table, &t->config, &memory, shared_h, dp);
	return err ? err : srtp_init(dp, cfg->srtp);
}

void tandem_uring_flows_clean(struct tandem_datapath *dp)
{
	struct env_tables *t = &dp->tables;

	if (dp->table.entries)
		tandem_table_clean(&dp->table);
	tandem_sparse_free(t->entries, t->config.slots, sizeof(*t->entries));
	tandem_sparse_free(t->rules_more, t->config.slots, sizeof(*t->rules_more));
	tandem_sparse_free(t->flows_more, t->config.slots, sizeof(*t->flows_more));
	tandem_uring_groups_clean(dp);
	tandem_sparse_free(dp->ports, uring_port_room(dp), sizeof(*dp->ports));
	tandem_sparse_free(dp->holds, t->config.slots, sizeof(*dp->holds));
	tandem_sparse_free(t->streams, t->streams_size, sizeof(*t->streams));
	tandem_sparse_free(t->fans, t->config.fans, sizeof(*t->fans));
	tandem_sparse_free(t->legs, t->config.legs, sizeof(*t->legs));
	tandem_sparse_free(t->leg_states, t->config.legs, sizeof(*t->leg_states));
	tandem_sparse_free(t->srtp_keys, t->config.srtps, sizeof(*t->srtp_keys));
	tandem_ciphers_free(t->ciphers);
	free(t->shared);
}

/* ---- changes ---- */

/* The slot of a flow is another now, or TANDEM_NO_SLOT; what it holds goes with it. */
static void move_hold(struct tandem_datapath *dp, uint32_t from, uint32_t to)
{
	struct uring_hold hold;

	if (from == TANDEM_NO_SLOT || from == to)
		return;
	hold = dp->holds[from];
	dp->holds[from] = (struct uring_hold){ 0 };
	if (to == TANDEM_NO_SLOT)
		tandem_uring_hold_drop(dp, &hold);
	else
		dp->holds[to] = hold;
	if (dp->tables.flows_more[from].extra_streams)
		env_streams_forget(&dp->tables, from);
}

static int flow_set(struct tandem_datapath *dp, const struct tandem_flow_spec *spec)
{
	uint32_t slot = tandem_table_find(&dp->table, spec->id);
	struct uring_hold before, after;
	int err;

	/* First the ports to come, then those to go: what is in both stays open. */
	err = tandem_uring_hold_take(dp, spec, &after);
	if (err)
		return err;
	err = tandem_table_set(&dp->table, spec);
	move_hold(dp, slot, tandem_table_find(&dp->table, spec->id));
	if (err) {
		tandem_uring_hold_drop(dp, &after);
		return err;
	}
	slot = tandem_table_find(&dp->table, spec->id);
	before = dp->holds[slot];
	dp->holds[slot] = after;
	tandem_uring_hold_drop(dp, &before);
	return 0;
}

static int flow_remove(struct tandem_datapath *dp, uint64_t id)
{
	uint32_t slot = tandem_table_find(&dp->table, id);
	int err = tandem_table_remove(&dp->table, id);

	if (err)
		return err;
	tandem_uring_hold_drop(dp, &dp->holds[slot]);
	if (dp->tables.flows_more[slot].extra_streams)
		env_streams_forget(&dp->tables, slot);
	return 0;
}

void tandem_uring_flows_apply(struct tandem_datapath *dp, struct tandem_change *changes, size_t n)
{
	/* A fast path that began after this datapath may have brought the streams. */
	if (dp->sets)
		dp->tables.srtp_streams = *tandem_srtp_sets_streams(dp->sets);
	for (size_t i = 0; i < n; i++) {
		struct tandem_change *c = &changes[i];

		c->result = c->op == TANDEM_FLOW_SET ? flow_set(dp, &c->spec)
						     : flow_remove(dp, c->spec.id);
	}
	for (size_t i = 0; i < n && dp->waits.first != TANDEM_NO_SLOT; i++)
		tandem_uring_wait_over(dp, changes[i].spec.id);
}

/*
 * ---- reading ----
 *
 * Not in the worker's thread, which would cost a call that ends as much as all else does: where
 * things are only changes when changes are carried out, for which the same thread waits; and
 * numbers that the worker counts up meanwhile are as good before as after.
 */

static void read_streams(const struct tandem_datapath *dp, uint32_t slot,
			 struct tandem_flow_stats *stats)
{
	const struct env_tables *t = &dp->tables;
	uint64_t id = tandem_slots_id(dp->table.slots, slot);

	if (!stats->flow.extra_streams)
		return;
	for (uint32_t i = 0; i < t->streams_size; i++) {
		if (t->streams[i].extra.more.flow_id == id)
			tandem_table_add_stream(&t->streams[i].extra, stats);
	}
}

int tandem_uring_read(struct tandem_datapath *dp, uint64_t flow_id, struct tandem_flow_stats *stats)
{
	uint32_t slot = tandem_table_find(&dp->table, flow_id);

	if (slot == TANDEM_NO_SLOT)
		return -ENOENT;
	memset(stats, 0, sizeof(*stats));
	tandem_table_read(&dp->table, slot, stats);
	stats->slow_packets = stats->flow.packets;
	stats->datapath = tandem_uring_ops.name;
	stats->reason = "";
	read_streams(dp, slot, stats);
	return 0;
}

int tandem_uring_read_legs(struct tandem_datapath *dp, uint64_t flow_id,
			   struct tandem_leg_stats *legs, size_t max, size_t *n)
{
	uint32_t slot = tandem_table_find(&dp->table, flow_id);

	*n = 0;
	if (slot == TANDEM_NO_SLOT)
		return -ENOENT;
	tandem_table_read_legs(&dp->table, slot, legs, max, n);
	return 0;
}

struct listing {
	struct tandem_flow_spec *specs;
	size_t n;
};

static void list_h(const struct tandem_flow_spec *spec, void *arg)
{
	struct listing *l = arg;

	l->specs[l->n++] = *spec;
}

/* Of a copy: the handler may want changes. */
int tandem_uring_list(struct tandem_datapath *dp, tandem_installed_h *h, void *arg)
{
	size_t count = tandem_slots_count(dp->table.slots);
	struct listing l = { .specs = calloc(count + 1, sizeof(*l.specs)) };

	if (!l.specs)
		return -ENOMEM;
	tandem_table_list(&dp->table, list_h, &l);
	for (size_t i = 0; i < l.n; i++)
		h(&l.specs[i], arg);
	free(l.specs);
	return 0;
}

int tandem_uring_counters(struct tandem_datapath *dp, struct reason_counters *counters)
{
	*counters = dp->env.counters;
	return 0;
}

void tandem_uring_flows_drop(struct tandem_datapath *dp)
{
	uint32_t left = tandem_slots_count(dp->table.slots);

	for (uint32_t i = 0; i < dp->tables.config.slots && left; i++) {
		uint64_t id = tandem_slots_id(dp->table.slots, i);

		if (!id)
			continue;
		left--;
		flow_remove(dp, id);
	}
}
