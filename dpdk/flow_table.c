/* SPDX-License-Identifier: GPL-2.0-only */
#include "dpdk/flow_table.h"

#include <errno.h>
#include <rte_errno.h>
#include <rte_jhash.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "dpdk/srtp.h"
#include "userspace/util/sparse.h"

/* The least that rte_hash takes. */
#define SHARED_MIN 64

/* Arrays that are read at random: large pages where the host gives some. */
static void *array_alloc(size_t count, size_t size)
{
	void *p = tandem_sparse_alloc(count, size);

	if (p)
		madvise(p, count * size, MADV_HUGEPAGE);
	return p;
}

static int shared_alloc(struct dpdk_table *table)
{
	uint32_t direct = table->config.locals_count * table->config.port_count;
	struct rte_hash_rcu_config rcu = { .v = table->rcu, .mode = RTE_HASH_QSBR_MODE_DQ };
	char name[RTE_HASH_NAMESIZE];
	struct rte_hash_parameters parameters = {
		.name = name,
		.entries = RTE_MAX(table->config.slots - direct, (uint32_t)SHARED_MIN),
		.key_len = sizeof(struct flow_key),
		.hash_func = rte_jhash,
		.extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF |
			      RTE_HASH_EXTRA_FLAGS_EXT_TABLE,
		.socket_id = SOCKET_ID_ANY,
	};

	snprintf(name, sizeof(name), "tandem_%p", (void *)table);
	table->shared = rte_hash_create(&parameters);
	if (!table->shared)
		return -rte_errno;
	return rte_hash_rcu_qsbr_add(table->shared, &rcu) ? -rte_errno : 0;
}

/* ---- what was left ---- */

/* Free the entries of a slot that no rule leads to any more, and no worker looks at. */
static void streams_forget(struct dpdk_table *table, uint32_t slot)
{
	if (!table->flows_more[slot].extra_streams)
		return;
	for (uint32_t i = 0; i < table->streams_size; i++) {
		struct dpdk_stream *e = &table->streams[i];

		if (__atomic_load_n(&e->key, __ATOMIC_RELAXED) >> 32 != (uint64_t)slot + 1)
			continue;
		memset(&e->extra, 0, sizeof(e->extra));
		__atomic_store_n(&e->key, 0, __ATOMIC_RELEASE);
	}
}

/* Give back the oldest. False when there is none, or, unless it may wait, some worker is in it. */
static bool left_free(struct dpdk_table *table, bool wait)
{
	const struct dpdk_left *left = &table->left[table->left_first & (DPDK_LEFT - 1)];

	if (!table->left_count || !rte_rcu_qsbr_check(table->rcu, left->token, wait))
		return false;
	if (left->slot != TANDEM_NO_SLOT)
		streams_forget(table, left->slot);
	tandem_table_fan_release(&table->book, left->fan);
	table->left_first++;
	table->left_count--;
	return true;
}

static void left_add(struct dpdk_table *table, uint32_t slot, uint32_t fan)
{
	if (table->left_count == DPDK_LEFT)
		left_free(table, true);
	table->left[(table->left_first + table->left_count++) & (DPDK_LEFT - 1)] =
		(struct dpdk_left){ rte_rcu_qsbr_start(table->rcu), slot, fan };
}

void dpdk_table_reclaim(struct dpdk_table *table)
{
	while (left_free(table, false))
		;
}

/* Wait for the workers if the slot of a flow that begins is one that was left just now. */
static void slot_enter(uint32_t slot, void *arg)
{
	struct dpdk_table *table = arg;
	uint32_t wait = 0;

	for (uint32_t i = 0; i < table->left_count; i++) {
		if (table->left[(table->left_first + i) & (DPDK_LEFT - 1)].slot == slot)
			wait = i + 1;
	}
	while (wait--)
		left_free(table, true);
}

static void fan_retire(uint32_t fan, void *arg)
{
	if (fan != TANDEM_NO_FAN)
		left_add(arg, TANDEM_NO_SLOT, fan);
}

/* ---- the table ---- */

int dpdk_table_alloc(struct dpdk_table **tablep, const struct relay_config *config,
		     uint32_t stream_capacity, struct rte_rcu_qsbr *rcu)
{
	struct dpdk_table *table = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*table));
	struct tandem_table_memory memory;
	int err = -ENOMEM;

	if (!table)
		return -ENOMEM;
	memset(table, 0, sizeof(*table));
	table->config = *config;
	table->rcu = rcu;
	table->streams_memory.fd = -1;
	table->stream_capacity = stream_capacity;
	table->streams_size = rte_align32pow2(2 * RTE_MAX(stream_capacity, 1U));
	table->entries = array_alloc(config->slots, sizeof(*table->entries));
	table->rules_more = array_alloc(config->slots, sizeof(*table->rules_more));
	table->flows_more = array_alloc(config->slots, sizeof(*table->flows_more));
	table->fans = array_alloc(config->fans, sizeof(*table->fans));
	table->fan_states = array_alloc(config->fans, sizeof(*table->fan_states));
	table->legs = array_alloc(config->legs, sizeof(*table->legs));
	table->leg_states = array_alloc(config->legs, sizeof(*table->leg_states));
	table->streams = array_alloc(table->streams_size, sizeof(*table->streams));
	memory = (struct tandem_table_memory){
		.entries = table->entries,
		.rules_more = table->rules_more,
		.flows_more = table->flows_more,
		.fans = table->fans,
		.legs = table->legs,
		.leg_states = table->leg_states,
	};
	if (table->entries && table->rules_more && table->flows_more && table->streams &&
	    table->fans && table->fan_states && table->legs && table->leg_states)
		err = tandem_table_init(&table->book, config, &memory, dpdk_table_share, table);
	table->book.enter_h = slot_enter;
	table->book.retire_h = fan_retire;
	if (!err)
		err = shared_alloc(table);
	if (!err)
		err = dpdk_srtp_open(table);
	if (err) {
		dpdk_table_free(table);
		return err;
	}
	*tablep = table;
	return 0;
}

void dpdk_table_free(struct dpdk_table *table)
{
	if (!table)
		return;
	if (table->book.slots)
		tandem_table_clean(&table->book);
	rte_hash_free(table->shared);
	tandem_sparse_free(table->entries, table->config.slots, sizeof(*table->entries));
	tandem_sparse_free(table->rules_more, table->config.slots, sizeof(*table->rules_more));
	tandem_sparse_free(table->flows_more, table->config.slots, sizeof(*table->flows_more));
	tandem_sparse_free(table->fans, table->config.fans, sizeof(*table->fans));
	tandem_sparse_free(table->fan_states, table->config.fans, sizeof(*table->fan_states));
	tandem_sparse_free(table->legs, table->config.legs, sizeof(*table->legs));
	tandem_sparse_free(table->leg_states, table->config.legs, sizeof(*table->leg_states));
	tandem_sparse_free(table->streams, table->streams_size, sizeof(*table->streams));
	dpdk_srtp_close(table);
	free(table);
}

int dpdk_table_share(const struct flow_key *key, uint32_t slot, void *arg)
{
	struct dpdk_table *table = arg;
	int err;

	if (slot == TANDEM_NO_SLOT) {
		err = rte_hash_del_key(table->shared, key);
		return err < 0 ? err : 0;
	}
	return rte_hash_add_key_data(table->shared, key, (void *)(uintptr_t)slot);
}

int dpdk_table_set(struct dpdk_table *table, const struct tandem_flow_spec *spec)
{
	uint32_t before = tandem_table_find(&table->book, spec->id);
	int err;

	dpdk_table_reclaim(table);
	err = tandem_table_set(&table->book, spec);
	if (err == -ENOSPC && table->left_count) {
		while (left_free(table, true))
			;
		err = tandem_table_set(&table->book, spec);
	}
	if (before != TANDEM_NO_SLOT && before != tandem_table_find(&table->book, spec->id))
		left_add(table, before, TANDEM_NO_FAN);
	return err;
}

int dpdk_table_remove(struct dpdk_table *table, uint64_t id)
{
	uint32_t slot = tandem_table_find(&table->book, id);
	int err;

	dpdk_table_reclaim(table);
	err = tandem_table_remove(&table->book, id);
	if (!err)
		left_add(table, slot, TANDEM_NO_FAN);
	return err;
}

int dpdk_table_read(const struct dpdk_table *table, uint64_t id, struct tandem_flow_stats *stats)
{
	uint32_t slot = tandem_table_find(&table->book, id);

	if (slot == TANDEM_NO_SLOT)
		return -ENOENT;
	tandem_table_read(&table->book, slot, stats);
	for (uint32_t i = 0; stats->flow.extra_streams && i < table->streams_size; i++) {
		if (table->streams[i].extra.more.flow_id == id)
			tandem_table_add_stream(&table->streams[i].extra, stats);
	}
	return 0;
}

void dpdk_table_counters(const struct dpdk_table *table, struct reason_counters *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (int worker = 0; worker < DPDK_MAX_WORKERS; worker++) {
		for (int i = 0; i < REASON_COUNT; i++)
			sum->packets[i] += table->counters[worker].reasons.packets[i];
	}
}
