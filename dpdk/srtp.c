/* SPDX-License-Identifier: GPL-2.0-only */
#include "dpdk/srtp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/srtp_suite.h"
#include "dpdk/flow_table.h"
#include "userspace/datapath/srtp_sets.h"
#include "userspace/datapath/table_fan.h"
#include "userspace/srtp/cipher.h"
#include "userspace/util/sparse.h"

/* Keys come from the array before they are wiped; a worker may be at them until it is through. */
static int keys_h(uint32_t index, const struct srtp_keys *keys, void *arg)
{
	struct dpdk_table *table = arg;

	if (!keys)
		rte_rcu_qsbr_synchronize(table->rcu, RTE_QSBR_THRID_INVALID);
	return tandem_ciphers_set(table->ciphers, index, keys);
}

int dpdk_srtp_open(struct dpdk_table *table)
{
	const struct relay_config *config = &table->config;
	size_t size = config->srtps * sizeof(*table->srtp_keys);
	int err;

	if (!config->srtps)
		return 0;
	table->srtp_keys = tandem_sparse_alloc(config->srtps, sizeof(*table->srtp_keys));
	table->srtp_told = calloc(config->srtps, sizeof(*table->srtp_told));
	if (!table->srtp_keys || !table->srtp_told)
		return -ENOMEM;
	madvise(table->srtp_keys, size, MADV_HUGEPAGE);
	err = tandem_dpdk_streams_make(&table->streams_memory, config->srtp_streams);
	if (err)
		return err;
	table->srtp_streams = table->streams_memory.array;
	err = tandem_ciphers_alloc(&table->ciphers, config->srtps, NULL);
	if (!err)
		err = tandem_srtp_sets_alloc(&table->srtp_sets, config->srtps - 1);
	if (err)
		return err;
	tandem_srtp_sets_move(table->srtp_sets, table->srtp_streams);
	return tandem_table_srtp_open(&table->book, table->srtp_keys, table->srtp_sets, keys_h);
}

void dpdk_srtp_close(struct dpdk_table *table)
{
	const uint32_t count = table->config.srtps;

	for (uint32_t i = 0; table->srtp_keys && i < count; i++) {
		if (table->srtp_keys[i].suite != SRTP_SUITE_NONE)
			explicit_bzero(&table->srtp_keys[i], sizeof(table->srtp_keys[i]));
	}
	tandem_ciphers_free(table->ciphers);
	tandem_srtp_sets_free(table->srtp_sets);
	tandem_sparse_free(table->srtp_keys, count, sizeof(*table->srtp_keys));
	tandem_dpdk_streams_close(&table->streams_memory);
	free(table->srtp_told);
}

int dpdk_srtp_streams(struct dpdk_table *table, int fd)
{
	struct tandem_dpdk_streams theirs;
	int err = tandem_dpdk_streams_take(&theirs, fd, table->config.srtp_streams);

	if (err)
		return err;
	tandem_dpdk_streams_close(&table->streams_memory);
	table->streams_memory = theirs;
	table->srtp_streams = theirs.array;
	tandem_srtp_sets_move(table->srtp_sets, theirs.array);
	return 0;
}

int dpdk_srtp_set(struct dpdk_table *table, const struct tandem_dpdk_srtp *set)
{
	const struct srtp_keys *keys = &set->keys;
	int err;

	if (set->index == SRTP_NO_KEYS || set->index >= table->config.srtps ||
	    keys->suite >= SRTP_SUITES || !keys->stream_count)
		return -EINVAL;
	if (table->srtp_told[set->index])
		return -EEXIST;
	for (int i = SRTP_RTP; i <= SRTP_RTCP; i++) {
		if (keys->tag_len[i] != srtp_tag_len(keys->suite, (uint32_t)i))
			return -EINVAL;
	}
	err = tandem_srtp_sets_adopt(table->srtp_sets, set->index, keys);
	if (err)
		return err;
	table->srtp_told[set->index] = true;
	__atomic_store_n(&table->srtp_count, table->srtp_count + 1, __ATOMIC_RELAXED);
	return 0;
}

int dpdk_srtp_drop(struct dpdk_table *table, uint32_t index)
{
	if (index >= table->config.srtps || !table->srtp_told[index])
		return -ENOENT;
	table->srtp_told[index] = false;
	__atomic_store_n(&table->srtp_count, table->srtp_count - 1, __ATOMIC_RELAXED);
	tandem_srtp_sets_put(table->srtp_sets, index);
	return 0;
}

void dpdk_srtp_list(const struct dpdk_table *table, uint32_t cursor,
		    struct tandem_dpdk_reply *reply)
{
	struct tandem_dpdk_srtp *set;

	for (uint32_t i = cursor; i < table->config.srtps; i++) {
		if (!table->srtp_told[i])
			continue;
		if (reply->srtp.count == TANDEM_DPDK_SETS) {
			reply->srtp.next = i;
			break;
		}
		set = &reply->srtp.sets[reply->srtp.count++];
		set->index = i;
		tandem_srtp_sets_read(table->srtp_sets, i, &set->keys);
	}
}

/* Index of the set that the flow in a slot has as this use, or of no set; *more: others follow. */
static uint32_t use_of(const struct tandem_table *book, uint32_t slot, uint32_t use, bool *more)
{
	const struct tandem_slot_keys *keys = &book->slot_keys[slot];
	uint32_t fan = tandem_table_fan_of(book, slot);
	struct tandem_fan_range range = { 0 };

	if (fan != TANDEM_NO_FAN)
		range = tandem_fans_range(&book->ranges, fan);
	*more = use < TANDEM_DPDK_USE_LEGS + range.count;
	switch (use) {
	case TANDEM_DPDK_USE_IN:
		return keys->in;
	case TANDEM_DPDK_USE_OLD:
		return keys->old;
	case TANDEM_DPDK_USE_OUT:
		return keys->out;
	default:
		return *more ? book->legs[range.first + use - TANDEM_DPDK_USE_LEGS].egress.srtp
			     : SRTP_NO_KEYS;
	}
}

/* The lines of the flow in a slot. False: there is no room for all of them. */
static bool list_flow(const struct tandem_table *book, uint32_t slot, uint32_t use,
		      struct tandem_dpdk_reply *reply)
{
	bool more = true;

	for (; more; use++) {
		uint32_t index = use_of(book, slot, use, &more);

		if (index == SRTP_NO_KEYS)
			continue;
		if (reply->uses.count == TANDEM_DPDK_USES) {
			reply->uses.next = (struct tandem_dpdk_place){ slot, use };
			return false;
		}
		reply->uses.lines[reply->uses.count++] = (struct tandem_dpdk_uses){
			.id = tandem_slots_id(book->slots, slot),
			.index = index,
		};
	}
	return true;
}

void dpdk_srtp_uses(const struct dpdk_table *table, struct tandem_dpdk_place place,
		    struct tandem_dpdk_reply *reply)
{
	const struct tandem_table *book = &table->book;

	for (uint32_t slot = place.slot; slot < book->relay.slots; slot++) {
		if (tandem_slots_id(book->slots, slot) &&
		    !list_flow(book, slot, slot == place.slot ? place.use : 0, reply))
			return;
	}
}
