/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "relay.skel.h"
#include "userspace/datapath/xdp.h"
#include "userspace/util/log.h"

#define MODULE "xdp"

/*
 * What an earlier run may have left. Also where frames may go, although each run finds
 * that out anew: with an empty map the new program would drop packets until then. And how
 * copies are counted: some that are on their way may meet the other run's program. And the
 * programs that do SRTP for the others: a map of programs is emptied when it is neither open
 * nor pinned any more, and calls must go on when this process is killed.
 */
enum kept_map {
	KEPT_CONFIG,
	KEPT_ENTRIES,
	KEPT_RULES_MORE,
	KEPT_FLOWS_MORE,
	KEPT_FANS,
	KEPT_FAN_STATES,
	KEPT_LEGS,
	KEPT_LEG_STATES,
	KEPT_SRTP_KEYS,
	KEPT_SRTP_SCHEDULES,
	KEPT_SRTP_STREAMS,
	KEPT_SHARED,
	KEPT_STREAMS,
	KEPT_COUNTERS,
	KEPT_TX_PORTS,
	KEPT_VLANS,
	KEPT_LOCAL_DEVICES,
	KEPT_COPY_PORTS,
	KEPT_COPY_COUNTS,
	KEPT_FRAME_NUMBERS,
	KEPT_RELAY_SRTP,
	KEPT_COPY_SRTP,
	KEPT_COUNT,
};

struct earlier {
	int fd[KEPT_COUNT];
	struct bpf_map_info info[KEPT_COUNT];
	struct relay_config relay;
};

static struct bpf_map *kept_map(const struct tandem_datapath *dp, enum kept_map which)
{
	struct bpf_map *const maps[KEPT_COUNT] = {
		[KEPT_CONFIG] = dp->skel->maps.config,
		[KEPT_ENTRIES] = dp->skel->maps.entries,
		[KEPT_RULES_MORE] = dp->skel->maps.rules_more,
		[KEPT_FLOWS_MORE] = dp->skel->maps.flows_more,
		[KEPT_FANS] = dp->skel->maps.fans,
		[KEPT_FAN_STATES] = dp->skel->maps.fan_states,
		[KEPT_LEGS] = dp->skel->maps.legs,
		[KEPT_LEG_STATES] = dp->skel->maps.leg_states,
		[KEPT_SRTP_KEYS] = dp->skel->maps.srtp_keys,
		[KEPT_SRTP_SCHEDULES] = dp->skel->maps.srtp_schedules,
		[KEPT_SRTP_STREAMS] = dp->skel->maps.srtp_streams,
		[KEPT_SHARED] = dp->skel->maps.shared,
		[KEPT_STREAMS] = dp->skel->maps.streams,
		[KEPT_COUNTERS] = dp->skel->maps.counters,
		[KEPT_TX_PORTS] = dp->skel->maps.tx_ports,
		[KEPT_VLANS] = dp->skel->maps.vlans,
		[KEPT_LOCAL_DEVICES] = dp->skel->maps.local_devices,
		[KEPT_COPY_PORTS] = dp->skel->maps.copy_ports,
		[KEPT_COPY_COUNTS] = dp->skel->maps.copy_counts,
		[KEPT_FRAME_NUMBERS] = dp->skel->maps.frame_numbers,
		[KEPT_RELAY_SRTP] = dp->skel->maps.relay_srtp,
		[KEPT_COPY_SRTP] = dp->skel->maps.copy_srtp,
	};

	return maps[which];
}

static void pin_path(const struct tandem_datapath *dp, const struct bpf_map *map, char *path)
{
	snprintf(path, PATH_MAX, "%.*s/%s", PATH_MAX - 32, dp->dir, bpf_map__name(map));
}

int tandem_xdp_shared_fd(const struct tandem_datapath *dp)
{
	return bpf_map__fd(dp->skel->maps.shared);
}

int tandem_xdp_streams_fd(const struct tandem_datapath *dp)
{
	return bpf_map__fd(dp->skel->maps.streams);
}

int tandem_xdp_counters_fd(const struct tandem_datapath *dp)
{
	return bpf_map__fd(dp->skel->maps.counters);
}

int tandem_xdp_tx_ports_fd(const struct tandem_datapath *dp)
{
	return bpf_map__fd(dp->skel->maps.tx_ports);
}

int tandem_xdp_vlans_fd(const struct tandem_datapath *dp)
{
	return bpf_map__fd(dp->skel->maps.vlans);
}

int tandem_xdp_local_devices_fd(const struct tandem_datapath *dp)
{
	return bpf_map__fd(dp->skel->maps.local_devices);
}

int tandem_xdp_program_fd(const struct tandem_datapath *dp)
{
	return bpf_program__fd(dp->skel->progs.tandem_relay);
}

/* ---- sizes ---- */

/* What is for SRTP in the program itself is left out where the module does it. */
static int set_sizes(struct tandem_datapath *dp, const struct relay_config *relay,
		     uint32_t stream_capacity)
{
	const bool own = !dp->module.used;
	const struct {
		struct bpf_map *map;
		uint32_t entries;
	} sizes[] = {
		{ dp->skel->maps.entries, relay->slots },
		{ dp->skel->maps.rules_more, relay->slots },
		{ dp->skel->maps.flows_more, relay->slots },
		{ dp->skel->maps.fans, relay->fans },
		{ dp->skel->maps.fan_states, relay->fans },
		{ dp->skel->maps.legs, relay->legs },
		{ dp->skel->maps.leg_states, relay->legs },
		{ dp->skel->maps.srtp_keys, relay->srtps },
		{ dp->skel->maps.srtp_schedules, own ? 2 * relay->srtps : 0 },
		{ dp->skel->maps.srtp_streams, own ? relay->srtp_streams : 0 },
		{ dp->skel->maps.shared, relay->slots - relay->locals_count * relay->port_count },
		{ dp->skel->maps.streams, stream_capacity },
	};
	int err;

	dp->skel->rodata->by_module = dp->module.used;
	err = bpf_program__set_autoload(dp->skel->progs.tandem_relay_srtp, own);
	if (!err)
		err = bpf_program__set_autoload(dp->skel->progs.tandem_copy_srtp, own);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && !err; i++)
		err = bpf_map__set_max_entries(sizes[i].map,
					       sizes[i].entries ? sizes[i].entries : 1);
	return err;
}

/* ---- what an earlier run left ---- */

static void earlier_close(struct earlier *e)
{
	for (int i = 0; i < KEPT_COUNT; i++) {
		if (e->fd[i] >= 0)
			close(e->fd[i]);
	}
}

/* True when all of its maps are there; they are then open. */
static bool earlier_open(const struct tandem_datapath *dp, struct earlier *e)
{
	const uint32_t zero = 0;
	char path[PATH_MAX];
	bool all = true;

	memset(e, 0, sizeof(*e));
	for (int i = 0; i < KEPT_COUNT; i++) {
		uint32_t len = sizeof(e->info[i]);

		pin_path(dp, kept_map(dp, i), path);
		e->fd[i] = bpf_obj_get(path);
		if (e->fd[i] < 0 || bpf_obj_get_info_by_fd(e->fd[i], &e->info[i], &len))
			all = false;
	}
	if (all && e->info[KEPT_CONFIG].value_size == sizeof(e->relay))
		all = bpf_map_lookup_elem(e->fd[KEPT_CONFIG], &zero, &e->relay) == 0;
	if (!all)
		earlier_close(e);
	return all;
}

/* Could the program that is to be loaded work on these maps? */
static bool earlier_agrees(const struct tandem_datapath *dp, const struct earlier *e,
			   const struct relay_config *relay)
{
	struct relay_config theirs = e->relay;

	theirs.nexthop_age_ns = relay->nexthop_age_ns; /* may change at any time */
	if (memcmp(&theirs, relay, sizeof(theirs)))
		return false;
	for (int i = KEPT_ENTRIES; i <= KEPT_STREAMS; i++) {
		const struct bpf_map *map = kept_map(dp, i);

		if (e->info[i].value_size != bpf_map__value_size(map) ||
		    e->info[i].key_size != bpf_map__key_size(map) ||
		    (i != KEPT_STREAMS && e->info[i].max_entries != bpf_map__max_entries(map)))
			return false;
	}
	return true;
}

/*
 * Of rules of another ABI only so much is known as never changes: that they begin
 * with gen and flags.
 */
static bool earlier_active(const struct earlier *e)
{
	const struct bpf_map_info *info = &e->info[KEPT_ENTRIES];
	struct {
		uint32_t gen, flags;
	} const *head;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t stride = (info->value_size + 7U) & ~7U;
	size_t len = (stride * info->max_entries + page - 1) & ~(page - 1);
	bool active = false;
	char *rules;

	rules = mmap(NULL, len, PROT_READ, MAP_SHARED, e->fd[KEPT_ENTRIES], 0);
	if (rules == MAP_FAILED)
		return true; /* cannot tell: do not throw calls away */
	for (uint32_t i = 0; i < info->max_entries && !active; i++) {
		head = (const void *)(rules + i * stride);
		active = head->flags & RULE_F_ACTIVE;
	}
	munmap(rules, len);
	return active;
}

static int reuse(struct tandem_datapath *dp, const struct earlier *e)
{
	for (int i = 0; i < KEPT_COUNT; i++) {
		struct bpf_map *map = kept_map(dp, i);
		int err;

		/* New reasons make the counters longer. They are not worth a refusal. */
		if (i >= KEPT_COUNTERS && e->info[i].value_size != bpf_map__value_size(map))
			continue;
		err = bpf_map__reuse_fd(map, e->fd[i]);
		if (err)
			return err;
	}
	return 0;
}

/* Has the kernel module the streams? */
static bool earlier_by_module(const struct earlier *e)
{
	return e->relay.srtp_streams > 1 && e->info[KEPT_SRTP_STREAMS].max_entries == 1;
}

/* Why calls cannot be taken over. */
static void say_busy(const struct tandem_datapath *dp, const struct earlier *e, char *why,
		     size_t why_size)
{
	if (earlier_by_module(e) && !dp->module.used)
		snprintf(
			why, why_size,
			"%.64s holds calls of an earlier run with their SRTP in the kernel module, "
			"which cannot be used (%.64s); or run with --fresh",
			dp->dir, *dp->module.why ? dp->module.why : "it is not loaded");
	else
		snprintf(why, why_size,
			 "%.64s holds calls of an earlier run with other media addresses, ports or "
			 "capacity (or another version): run with its configuration, or --fresh",
			 dp->dir);
}

static int take_over(struct tandem_datapath *dp, const struct tandem_datapath_config *cfg,
		     const struct relay_config *relay, char *why, size_t why_size)
{
	struct earlier e;
	int err = 0;

	if (!earlier_open(dp, &e))
		return 0;
	/* No index is used twice: calls stay with the streams that they have. */
	if (dp->module.used && e.relay.srtps && !earlier_by_module(&e) && earlier_active(&e)) {
		tandem_xdp_module_give_up(&dp->module, "calls of an earlier run are without it");
		err = set_sizes(dp, relay, cfg->stream_capacity);
	}
	if (err) {
		snprintf(why, why_size, "%s", strerror(-err));
	} else if (earlier_agrees(dp, &e, relay)) {
		err = reuse(dp, &e);
		dp->taken_over = err == 0;
		if (err)
			snprintf(why, why_size, "maps in %.64s cannot be used: %s", dp->dir,
				 strerror(-err));
	} else if (earlier_active(&e)) {
		say_busy(dp, &e, why, why_size);
		err = -EBUSY;
	}
	earlier_close(&e);
	return err;
}

/* ---- pins ---- */

/* Is it this very map that is pinned at path? */
static bool pinned_at(const char *path, const struct bpf_map *map)
{
	struct bpf_map_info there = { 0 }, here = { 0 };
	uint32_t len = sizeof(here);
	int fd = bpf_obj_get(path);
	bool same;

	if (fd < 0)
		return false;
	same = bpf_obj_get_info_by_fd(fd, &there, &len) == 0 &&
	       bpf_obj_get_info_by_fd(bpf_map__fd(map), &here, &len) == 0 && there.id == here.id;
	close(fd);
	return same;
}

static int pin(struct tandem_datapath *dp, struct bpf_map *map)
{
	char path[PATH_MAX];

	pin_path(dp, map, path);
	if (pinned_at(path, map))
		return 0;
	unlink(path);
	return bpf_obj_pin(bpf_map__fd(map), path) ? -errno : 0;
}

static bool internal(const struct bpf_map *map)
{
	return strchr(bpf_map__name(map), '.') != NULL; /* .rodata, .bss */
}

static int pin_all(struct tandem_datapath *dp)
{
	struct bpf_map *map;

	dp->pinned = true;
	bpf_object__for_each_map(map, dp->skel->obj)
	{
		int err = internal(map) ? 0 : pin(dp, map);

		if (err)
			return err;
	}
	return 0;
}

void tandem_xdp_maps_unpin(struct tandem_datapath *dp)
{
	struct bpf_map *map;
	char path[PATH_MAX];

	if (!dp->skel)
		return;
	bpf_object__for_each_map(map, dp->skel->obj)
	{
		if (internal(map))
			continue;
		pin_path(dp, map, path);
		unlink(path);
	}
}

/* ---- life ---- */

static size_t mapped_size(const struct bpf_map *map)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (size_t)bpf_map__value_size(map) * bpf_map__max_entries(map);

	return (size + page - 1) & ~(page - 1);
}

static void *map_memory(const struct bpf_map *map)
{
	void *p = mmap(NULL, mapped_size(map), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map),
		       0);

	return p == MAP_FAILED ? NULL : p;
}

/* The maps that are read and written as memory. */
enum { MAPPED_COUNT = 9 };

static struct bpf_map *mapped_map(const struct tandem_datapath *dp, size_t i)
{
	struct bpf_map *const maps[MAPPED_COUNT] = {
		dp->skel->maps.entries,	       dp->skel->maps.rules_more,
		dp->skel->maps.flows_more,     dp->skel->maps.fans,
		dp->skel->maps.legs,	       dp->skel->maps.leg_states,
		dp->skel->maps.srtp_keys,      dp->skel->maps.srtp_streams,
		dp->skel->maps.srtp_schedules,
	};

	return maps[i];
}

static void **mapped_at(struct tandem_datapath *dp, size_t i)
{
	struct tandem_table_memory *m = &dp->memory;
	void **const at[MAPPED_COUNT] = {
		(void **)&m->entries,	(void **)&m->rules_more,   (void **)&m->flows_more,
		(void **)&m->fans,	(void **)&m->legs,	   (void **)&m->leg_states,
		(void **)&m->srtp_keys, (void **)&m->srtp_streams, (void **)&dp->schedules,
	};

	return at[i];
}

static bool map_all(struct tandem_datapath *dp)
{
	bool all = true;

	for (size_t i = 0; i < MAPPED_COUNT; i++) {
		*mapped_at(dp, i) = map_memory(mapped_map(dp, i));
		all = all && *mapped_at(dp, i);
	}
	return all;
}

/*
 * Programs that others hand packets to. Those of an earlier run, still attached, may be among
 * these others for a moment; they hand over nothing but the frame and the maps that are kept.
 */
static int enter_programs(const struct tandem_datapath *dp)
{
	const bool module = dp->module.used;
	const int relay = module ? tandem_xdp_module_relay_fd(&dp->module)
				 : bpf_program__fd(dp->skel->progs.tandem_relay_srtp);
	const int copy = module ? tandem_xdp_module_copy_fd(&dp->module)
				: bpf_program__fd(dp->skel->progs.tandem_copy_srtp);
	const uint32_t zero = 0;
	int err;

	err = bpf_map__update_elem(dp->skel->maps.relay_srtp, &zero, sizeof(zero), &relay,
				   sizeof(relay), BPF_ANY);
	if (err)
		return err;
	return bpf_map__update_elem(dp->skel->maps.copy_srtp, &zero, sizeof(zero), &copy,
				    sizeof(copy), BPF_ANY);
}

/* The programs that call the module. Calls that are without it begin anew without: -EAGAIN. */
static int load_module(struct tandem_datapath *dp, const struct tandem_datapath_config *cfg,
		       const struct relay_config *relay, char *why, size_t why_size)
{
	int err = tandem_xdp_module_load(dp, relay, cfg->fresh, why, why_size);

	if (!err || dp->taken_over)
		return err;
	tandem_xdp_module_give_up(&dp->module, why);
	*why = '\0';
	return -EAGAIN;
}

static int load(struct tandem_datapath *dp, const struct tandem_datapath_config *cfg,
		const struct relay_config *relay, char *why, size_t why_size)
{
	const uint32_t zero = 0;
	int err = relay_bpf__load(dp->skel);

	if (err) {
		snprintf(why, why_size, "the kernel did not take the program or its maps: %s",
			 strerror(-err));
		return err;
	}
	err = dp->module.used ? load_module(dp, cfg, relay, why, why_size) : 0;
	if (err)
		return err;
	err = bpf_map__update_elem(dp->skel->maps.config, &zero, sizeof(zero), relay,
				   sizeof(*relay), BPF_ANY);
	if (!err)
		err = enter_programs(dp);
	if (!err && !map_all(dp))
		err = -ENOMEM;
	if (!err)
		err = pin_all(dp);
	if (err)
		snprintf(why, why_size, "maps cannot be set up in %.64s: %s", dp->dir,
			 strerror(-err));
	return err;
}

static int maps_open(struct tandem_datapath *dp, const struct tandem_datapath_config *cfg,
		     const struct relay_config *relay, char *why, size_t why_size)
{
	int err;

	dp->skel = relay_bpf__open();
	if (!dp->skel) {
		err = -errno;
		snprintf(why, why_size, "the program cannot be read: %s", strerror(-err));
		return err;
	}
	err = set_sizes(dp, relay, cfg->stream_capacity);
	if (err)
		return err;
	if (!cfg->fresh) {
		err = take_over(dp, cfg, relay, why, why_size);
		if (err)
			return err;
	}
	return load(dp, cfg, relay, why, why_size);
}

int tandem_xdp_maps_open(struct tandem_datapath *dp, const struct tandem_datapath_config *cfg,
			 const struct relay_config *relay, char *why, size_t why_size)
{
	int err;

	tandem_xdp_module_find(&dp->module, relay->srtps != 0);
	err = maps_open(dp, cfg, relay, why, why_size);
	if (err != -EAGAIN || dp->module.used)
		return err;
	tandem_xdp_maps_close(dp);
	return maps_open(dp, cfg, relay, why, why_size);
}

void tandem_xdp_maps_close(struct tandem_datapath *dp)
{
	if (!dp->skel)
		return;
	for (size_t i = 0; i < MAPPED_COUNT; i++) {
		void **at = mapped_at(dp, i);

		if (*at)
			munmap(*at, mapped_size(mapped_map(dp, i)));
		*at = NULL;
	}
	relay_bpf__destroy(dp->skel);
	dp->skel = NULL;
}
