/* SPDX-License-Identifier: GPL-2.0-only */
/* The XDP datapath as the plane sees it. */
#include "userspace/datapath/xdp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/util/bpflog.h"
#include "userspace/util/log.h"

#define MODULE		"xdp"
#define STREAMS_AT_ONCE 256

static int shared_h(const struct flow_key *key, uint32_t slot, void *arg)
{
	int fd = tandem_xdp_shared_fd(arg);

	if (slot == TANDEM_NO_SLOT)
		return bpf_map_delete_elem(fd, key) ? -errno : 0;
	if (bpf_map_update_elem(fd, key, &slot, BPF_ANY) == 0)
		return 0;
	return errno == E2BIG ? -ENOSPC : -errno; /* the map is full */
}

/* Keys that a relay entered and did not live to write the rule of. */
static void drop_stale_keys(struct tandem_datapath *dp)
{
	int fd = tandem_xdp_shared_fd(dp);
	struct flow_key key, next;
	bool more = bpf_map_get_next_key(fd, NULL, &next) == 0;

	while (more) {
		key = next;
		more = bpf_map_get_next_key(fd, &key, &next) == 0;
		if (tandem_slots_lookup_shared(dp->table.slots, &key) == TANDEM_NO_SLOT)
			bpf_map_delete_elem(fd, &key);
	}
}

static int table_open(struct tandem_datapath *dp, const struct relay_config *relay,
		      struct tandem_srtp_sets *sets, char *why, size_t why_size)
{
	int err = tandem_table_init(&dp->table, relay, &dp->memory, shared_h, dp);

	if (err)
		return err;
	dp->table_ready = true;
	err = tandem_xdp_srtp_open(dp, sets);
	if (err == -ESTALE)
		snprintf(why, why_size,
			 "%.64s holds calls of an earlier run whose keys the kernel module has no "
			 "more: "
			 "--fresh",
			 dp->dir);
	if (err || !dp->taken_over)
		return err;
	err = tandem_table_adopt(&dp->table);
	if (err)
		return err;
	tandem_xdp_copies_adopt(dp);
	drop_stale_keys(dp);
	tandem_log(TANDEM_LOG_INFO, MODULE, "took over %u flows of an earlier run",
		   tandem_slots_count(dp->table.slots));
	return 0;
}

/* keep: calls go on. */
static void release(struct tandem_datapath *dp, bool keep)
{
	tandem_xdp_watch_stop(dp);
	tandem_xdp_tap_close(dp);
	for (size_t i = 0; i < dp->interfaces_count; i++) {
		if (dp->interfaces[i].link_fd >= 0)
			close(dp->interfaces[i].link_fd);
	}
	if (dp->table_ready)
		tandem_table_clean(&dp->table);
	tandem_xdp_srtp_close(dp);
	tandem_xdp_module_close(&dp->module, keep);
	tandem_xdp_maps_close(dp);
	if (dp->dir_fd >= 0)
		close(dp->dir_fd);
	free(dp->interfaces);
	free(dp->describe);
	free(dp);
}

static void xdp_close(struct tandem_datapath *dp, bool keep)
{
	if (!keep) {
		tandem_xdp_detach(dp, false);
		tandem_xdp_maps_unpin(dp);
		rmdir(dp->dir); /* fails when it holds what is not ours */
	}
	release(dp, keep);
}

static int open_parts(struct tandem_datapath *dp, const struct tandem_datapath_config *cfg,
		      char *why, size_t why_size)
{
	struct relay_config relay;
	int err = tandem_table_config(&relay, cfg, why, why_size);

	if (err)
		return err;
	if (!cfg->interfaces_count) {
		snprintf(why, why_size, "no interface to attach to");
		return -EINVAL;
	}
	err = tandem_xdp_host_dir(dp->dir, &dp->dir_fd, why, why_size);
	if (!err)
		err = tandem_xdp_host_routes(why, why_size);
	if (!err)
		err = tandem_xdp_maps_open(dp, cfg, &relay, why, why_size);
	if (!err)
		err = table_open(dp, &relay, cfg->srtp, why, why_size);
	if (!err)
		err = tandem_xdp_attach(dp, cfg, why, why_size);
	if (!err)
		tandem_xdp_watch_start(dp, relay.nexthop_age_ns);
	return err;
}

static int xdp_open(struct tandem_datapath **dpp, const struct tandem_datapath_config *cfg,
		    char *why, size_t why_size)
{
	struct tandem_datapath *dp = calloc(1, sizeof(*dp));
	int err;

	if (!dp)
		return -ENOMEM;
	tandem_bpf_log();
	dp->dir_fd = -1;
	tandem_xdp_module_init(&dp->module);
	snprintf(dp->dir, sizeof(dp->dir), "%s", cfg->bpf_dir);
	err = open_parts(dp, cfg, why, why_size);
	if (err) {
		/* An earlier run's calls go on; only what this one began is undone. */
		tandem_xdp_detach(dp, dp->taken_over);
		if (dp->pinned && !dp->taken_over)
			tandem_xdp_maps_unpin(dp);
		release(dp, dp->taken_over);
		return err;
	}
	*dpp = dp;
	return 0;
}

static int flow_set(struct tandem_datapath *dp, const struct tandem_flow_spec *spec)
{
	int err = spec->fan ? tandem_xdp_copies_prepare(dp, spec->fan) : 0;

	dp->module.error = 0;
	if (!err)
		err = tandem_table_set(&dp->table, spec);
	return err ? err : dp->module.error;
}

static int xdp_apply(struct tandem_datapath *dp, struct tandem_change *changes, size_t n)
{
	tandem_xdp_tx_refresh(dp);
	for (size_t i = 0; i < n; i++) {
		struct tandem_change *c = &changes[i];

		c->result = c->op == TANDEM_FLOW_SET ? flow_set(dp, &c->spec)
						     : tandem_table_remove(&dp->table, c->spec.id);
	}
	return 0;
}

/* The second and later SSRCs: entries are not linked to their flow, so all are looked at. */
static int read_extra(struct tandem_datapath *dp, uint64_t flow_id, struct tandem_flow_stats *stats)
{
	struct stream_key *keys = calloc(STREAMS_AT_ONCE, sizeof(*keys));
	struct extra_stream *values = calloc(STREAMS_AT_ONCE, sizeof(*values));
	uint32_t place = 0, count;
	bool first = true;
	int err = keys && values ? 0 : -ENOMEM;

	while (!err) {
		count = STREAMS_AT_ONCE;
		if (bpf_map_lookup_batch(tandem_xdp_streams_fd(dp), first ? NULL : &place, &place,
					 keys, values, &count, NULL))
			err = -errno;
		if (err && err != -ENOENT)
			break;
		for (uint32_t i = 0; i < count; i++) {
			if (values[i].more.flow_id == flow_id)
				tandem_table_add_stream(&values[i], stats);
		}
		first = false;
	}
	free(keys);
	free(values);
	return err == -ENOENT ? 0 : err;
}

static int xdp_read(struct tandem_datapath *dp, uint64_t flow_id, struct tandem_flow_stats *stats)
{
	uint32_t slot = tandem_table_find(&dp->table, flow_id);

	tandem_xdp_tx_refresh(dp); /* for this is what is called all the time */
	if (slot == TANDEM_NO_SLOT)
		return -ENOENT;
	memset(stats, 0, sizeof(*stats));
	tandem_table_read(&dp->table, slot, stats);
	stats->fast_packets = stats->flow.packets;
	stats->offloaded = true;
	stats->datapath = tandem_xdp_ops.name;
	stats->reason = "";
	if (!tandem_xdp_srtp_able(dp, slot)) {
		stats->offloaded = false;
		stats->reason = "XDP has not the suite of its SRTP (srtp_suite)";
	}
	return stats->flow.extra_streams ? read_extra(dp, flow_id, stats) : 0;
}

static int xdp_read_legs(struct tandem_datapath *dp, uint64_t flow_id,
			 struct tandem_leg_stats *legs, size_t max, size_t *n)
{
	uint32_t slot = tandem_table_find(&dp->table, flow_id);

	if (slot == TANDEM_NO_SLOT)
		return -ENOENT;
	tandem_table_read_legs(&dp->table, slot, legs, max, n);
	return 0;
}

static int xdp_list(struct tandem_datapath *dp, tandem_installed_h *h, void *arg)
{
	tandem_table_list(&dp->table, h, arg);
	return 0;
}

static int xdp_counters(struct tandem_datapath *dp, struct reason_counters *sum)
{
	int cpus = libbpf_num_possible_cpus();
	const uint32_t zero = 0;
	struct reason_counters *each;
	int err = 0;

	if (cpus < 0)
		return cpus;
	each = calloc((size_t)cpus, sizeof(*each));
	if (!each)
		return -ENOMEM;
	memset(sum, 0, sizeof(*sum));
	if (bpf_map_lookup_elem(tandem_xdp_counters_fd(dp), &zero, each))
		err = -errno;
	for (int cpu = 0; cpu < cpus && !err; cpu++) {
		for (int i = 0; i < REASON_COUNT; i++)
			sum->packets[i] += each[cpu].packets[i];
	}
	free(each);
	return err;
}

static const char *xdp_describe(struct tandem_datapath *dp)
{
	return dp->describe;
}

const struct tandem_datapath_ops tandem_xdp_ops = {
	.name = "xdp",
	.srtp = true,
	.probe = tandem_xdp_probe,
	.open = xdp_open,
	.apply = xdp_apply,
	.read = xdp_read,
	.read_legs = xdp_read_legs,
	.list = xdp_list,
	.counters = xdp_counters,
	.tap_open = tandem_xdp_tap_open,
	.tap_read = tandem_xdp_tap_read,
	.tap_close = tandem_xdp_tap_close,
	.describe = xdp_describe,
	.close = xdp_close,
};
