/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel module's datapath as the plane sees it. The module has the arrays; here is a
 * table with rules of the same form, and what changes in it is sent down at once. The
 * module keeps configuration and flows when this process ends.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/genl.h"
#include "userspace/datapath/datapath.h"
#include "userspace/datapath/genl.h"
#include "userspace/datapath/kmod_client.h"
#include "userspace/datapath/kmod_srtp.h"
#include "userspace/datapath/table.h"
#include "userspace/util/log.h"
#include "userspace/util/sparse.h"

#define MODULE "kmod"

struct tandem_datapath {
	struct tandem_genl genl;
	int lock_fd;
	struct tandem_table table;
	bool table_ready;
	/* What the module has; of flows, those that move to another slot. */
	struct tandem_table_memory memory;
	uint32_t slots, fans, legs;
	struct tandem_kmod_srtp srtp;
	uint64_t moving; /* id of that flow; 0: none */
	int error;	 /* the first of this change */
};

/* ---- requests ---- */

/* LEGS attributes with the legs of a range, for the caller to free; NULL: no memory. */
static char *legs_message(const struct tandem_datapath *dp, struct tandem_fan_range range,
			  size_t *len)
{
	struct genl_leg *legs = calloc(TANDEM_GENL_LEGS, sizeof(*legs));
	size_t parts = range.count / TANDEM_GENL_LEGS + 1;
	char *message = malloc(parts * NLA_HDRLEN + range.count * sizeof(*legs));

	*len = 0;
	for (uint32_t i = 0; legs && message && i < range.count;) {
		uint32_t n = 0;

		for (; n < TANDEM_GENL_LEGS && i < range.count; n++, i++) {
			legs[n].leg = dp->memory.legs[range.first + i];
			legs[n].id = dp->memory.leg_states[legs[n].leg.egress.state].id;
		}
		*len += tandem_genl_write(message + *len, TANDEM_ATTR_LEGS, legs,
					  n * sizeof(*legs));
	}
	if (!legs) {
		free(message);
		message = NULL;
	}
	free(legs);
	return message;
}

/* Add the fan of a rule. *message is what the request refers to, for the caller to free. */
static int put_fan(struct tandem_datapath *dp, struct tandem_genl_request *req, uint32_t fan,
		   char **message)
{
	struct tandem_fan_range range = tandem_fans_range(&dp->table.ranges, fan);

	*message = legs_message(dp, range, &req->more_len);
	if (!*message)
		return -ENOMEM;
	req->more = *message;
	tandem_genl_put(req, TANDEM_ATTR_FAN, &dp->memory.fans[fan], sizeof(*dp->memory.fans));
	tandem_genl_put(req, TANDEM_ATTR_LEG_INDEX, &range.first, sizeof(range.first));
	return 0;
}

static void written_h(uint32_t slot, void *arg)
{
	struct tandem_datapath *dp = arg;
	const struct rule *rule = &dp->memory.entries[slot].rule;
	const struct rule_more *rule_more = &dp->memory.rules_more[slot];
	bool active = rule->flags & RULE_F_ACTIVE;
	struct tandem_genl_request req;
	char *message = NULL;
	int err = 0;

	tandem_genl_begin(&dp->genl, &req, active ? TANDEM_CMD_FLOW_SET : TANDEM_CMD_FLOW_DEL, 0);
	tandem_genl_put(&req, TANDEM_ATTR_SLOT, &slot, sizeof(slot));
	if (active) {
		tandem_genl_put(&req, TANDEM_ATTR_RULE, rule, sizeof(*rule));
		tandem_genl_put(&req, TANDEM_ATTR_RULE_MORE, rule_more, sizeof(*rule_more));
	}
	if (active && rule->id == dp->moving) {
		tandem_genl_put(&req, TANDEM_ATTR_FLOW, &dp->memory.entries[slot].flow,
				sizeof(struct flow));
		tandem_genl_put(&req, TANDEM_ATTR_FLOW_MORE, &dp->memory.flows_more[slot],
				sizeof(struct flow_more));
	}
	if (active && rule->flags & RULE_F_FAN)
		err = put_fan(dp, &req, rule->fan, &message);
	if (!err)
		err = tandem_genl_talk(&dp->genl, &req, NULL, NULL);
	free(message);
	if (err && !dp->error)
		dp->error = err;
}

struct flow_answer {
	struct rule rule;
	struct flow flow;
	struct flow_more more;
	bool found;
};

static void flow_message(const struct nlmsghdr *nlh, void *arg)
{
	struct flow_answer *a = arg;

	a->found = !tandem_genl_get(nlh, TANDEM_ATTR_RULE, &a->rule, sizeof(a->rule)) &&
		   !tandem_genl_get(nlh, TANDEM_ATTR_FLOW, &a->flow, sizeof(a->flow)) &&
		   !tandem_genl_get(nlh, TANDEM_ATTR_FLOW_MORE, &a->more, sizeof(a->more));
}

/* Into the arrays. -ENOENT when the module has another flow in the slot, or none. */
static int fetch_flow(struct tandem_datapath *dp, uint32_t slot, uint64_t id)
{
	struct tandem_genl_request req;
	struct flow_answer answer = { .found = false };
	int err;

	tandem_genl_begin(&dp->genl, &req, TANDEM_CMD_FLOW_GET, 0);
	tandem_genl_put(&req, TANDEM_ATTR_SLOT, &slot, sizeof(slot));
	err = tandem_genl_talk(&dp->genl, &req, flow_message, &answer);
	if (err)
		return err;
	if (!answer.found || answer.rule.id != id)
		return -ENOENT;
	dp->memory.entries[slot].flow = answer.flow;
	dp->memory.flows_more[slot] = answer.more;
	return 0;
}

static void leg_message(const struct nlmsghdr *nlh, void *arg)
{
	struct tandem_datapath *dp = arg;
	struct leg_state state;
	struct leg leg;
	uint32_t index;

	if (tandem_genl_get(nlh, TANDEM_ATTR_LEG_INDEX, &index, sizeof(index)) ||
	    index >= dp->legs || tandem_genl_get(nlh, TANDEM_ATTR_LEG, &leg, sizeof(leg)) ||
	    tandem_genl_get(nlh, TANDEM_ATTR_LEG_STATE, &state, sizeof(state)) ||
	    leg.egress.state >= dp->legs)
		return;
	dp->memory.legs[index] = leg;
	dp->memory.leg_states[leg.egress.state] = state;
}

/* The legs of the flow in a slot, with their counts, as the module has them. */
static int fetch_legs(struct tandem_datapath *dp, uint32_t slot)
{
	struct tandem_genl_request req;

	tandem_genl_begin(&dp->genl, &req, TANDEM_CMD_LEGS_GET, NLM_F_DUMP);
	tandem_genl_put(&req, TANDEM_ATTR_SLOT, &slot, sizeof(slot));
	return tandem_genl_talk(&dp->genl, &req, leg_message, dp);
}

/* ---- what an earlier run left ---- */

static void adopt_message(const struct nlmsghdr *nlh, void *arg)
{
	struct tandem_datapath *dp = arg;
	struct rule_more more;
	struct rule rule;
	struct fan fan;
	uint32_t slot;

	if (tandem_genl_get(nlh, TANDEM_ATTR_SLOT, &slot, sizeof(slot)) || slot >= dp->slots ||
	    tandem_genl_get(nlh, TANDEM_ATTR_RULE, &rule, sizeof(rule)) ||
	    tandem_genl_get(nlh, TANDEM_ATTR_RULE_MORE, &more, sizeof(more)))
		return;
	dp->memory.entries[slot].rule = rule;
	dp->memory.rules_more[slot] = more;
	if (rule.flags & RULE_F_FAN && rule.fan < dp->fans &&
	    !tandem_genl_get(nlh, TANDEM_ATTR_FAN, &fan, sizeof(fan)))
		dp->memory.fans[rule.fan] = fan;
}

static int adopt_legs(struct tandem_datapath *dp)
{
	int err = 0;

	for (uint32_t slot = 0; slot < dp->slots && !err; slot++) {
		if (dp->memory.entries[slot].rule.flags & RULE_F_FAN)
			err = fetch_legs(dp, slot);
	}
	return err;
}

static int adopt(struct tandem_datapath *dp)
{
	struct tandem_genl_request req;
	uint32_t count;
	int err;

	tandem_genl_begin(&dp->genl, &req, TANDEM_CMD_FLOW_GET, NLM_F_DUMP);
	err = tandem_genl_talk(&dp->genl, &req, adopt_message, dp);
	if (!err)
		err = adopt_legs(dp);
	if (!err)
		err = tandem_table_adopt(&dp->table);
	if (!err)
		err = dp->error;
	count = tandem_slots_count(dp->table.slots);
	if (!err && count)
		tandem_log(TANDEM_LOG_INFO, MODULE, "took over %u flows of an earlier run", count);
	return err;
}

/* ---- life ---- */

static void release(struct tandem_datapath *dp)
{
	if (dp->table_ready)
		tandem_table_clean(&dp->table);
	tandem_kmod_srtp_close(&dp->srtp);
	tandem_sparse_free(dp->memory.entries, dp->slots, sizeof(*dp->memory.entries));
	tandem_sparse_free(dp->memory.rules_more, dp->slots, sizeof(*dp->memory.rules_more));
	tandem_sparse_free(dp->memory.flows_more, dp->slots, sizeof(*dp->memory.flows_more));
	tandem_sparse_free(dp->memory.fans, dp->fans, sizeof(*dp->memory.fans));
	tandem_sparse_free(dp->memory.legs, dp->legs, sizeof(*dp->memory.legs));
	tandem_sparse_free(dp->memory.leg_states, dp->legs, sizeof(*dp->memory.leg_states));
	tandem_genl_close(&dp->genl);
	if (dp->lock_fd >= 0)
		close(dp->lock_fd);
	free(dp);
}

static int srtp_h(uint32_t index, const struct srtp_keys *keys, void *arg)
{
	struct tandem_datapath *dp = arg;

	return tandem_kmod_srtp_send(&dp->genl, index, keys);
}

static void srtp_next_h(uint32_t index, void *arg)
{
	struct tandem_datapath *dp = arg;
	int err = tandem_kmod_srtp_send(&dp->genl, index, &dp->srtp.keys[index]);

	if (err && !dp->error)
		dp->error = err;
}

/* Where the device cannot be opened, relay gets no SRTP. */
static void srtp_device(struct tandem_datapath *dp, struct relay_config *relay)
{
	int err = relay->srtps ? tandem_kmod_srtp_device(&dp->srtp) : 0;

	if (!err)
		return;
	tandem_log(TANDEM_LOG_WARNING, MODULE,
		   "/dev/tandem: %s; SRTP is left to the io_uring datapath", strerror(-err));
	relay->srtps = 0;
	relay->srtp_streams = 0;
}

static int srtp_open(struct tandem_datapath *dp, const struct relay_config *relay,
		     struct tandem_srtp_sets *sets)
{
	int err;

	if (!relay->srtps)
		return 0;
	err = tandem_kmod_srtp_open(&dp->srtp, &dp->genl, relay, sets);
	if (!err)
		err = tandem_table_srtp_open(&dp->table, dp->srtp.keys, sets, srtp_h);
	dp->table.srtp_next_h = srtp_next_h;
	return err;
}

static int table_open(struct tandem_datapath *dp, const struct relay_config *relay,
		      struct tandem_srtp_sets *sets)
{
	int err;

	dp->slots = relay->slots;
	dp->fans = relay->fans;
	dp->legs = relay->legs;
	dp->memory.entries = tandem_sparse_alloc(dp->slots, sizeof(*dp->memory.entries));
	dp->memory.rules_more = tandem_sparse_alloc(dp->slots, sizeof(*dp->memory.rules_more));
	dp->memory.flows_more = tandem_sparse_alloc(dp->slots, sizeof(*dp->memory.flows_more));
	dp->memory.fans = tandem_sparse_alloc(dp->fans, sizeof(*dp->memory.fans));
	dp->memory.legs = tandem_sparse_alloc(dp->legs, sizeof(*dp->memory.legs));
	dp->memory.leg_states = tandem_sparse_alloc(dp->legs, sizeof(*dp->memory.leg_states));
	if (!dp->memory.entries || !dp->memory.rules_more || !dp->memory.flows_more ||
	    !dp->memory.fans || !dp->memory.legs || !dp->memory.leg_states)
		return -ENOMEM;
	err = tandem_table_init(&dp->table, relay, &dp->memory, NULL, dp);
	if (err)
		return err;
	dp->table.written_h = written_h;
	dp->table_ready = true;
	err = srtp_open(dp, relay, sets);
	return err ? err : adopt(dp);
}

static int open_parts(struct tandem_datapath *dp, const struct tandem_datapath_config *cfg,
		      char *why, size_t why_size)
{
	struct relay_config relay;
	int err = tandem_table_config(&relay, cfg, why, why_size);

	if (err)
		return err;
	err = tandem_kmod_connect(&dp->genl, why, why_size);
	if (err)
		return err;
	srtp_device(dp, &relay);
	err = tandem_kmod_lock(&dp->lock_fd, why, why_size);
	if (!err && cfg->fresh)
		err = tandem_kmod_command(&dp->genl, TANDEM_CMD_RESET);
	if (!err)
		err = tandem_kmod_configure(&dp->genl, &relay, cfg->stream_capacity, why, why_size);
	if (err)
		return err;
	return table_open(dp, &relay, cfg->srtp);
}

static int kmod_open(struct tandem_datapath **dpp, const struct tandem_datapath_config *cfg,
		     char *why, size_t why_size)
{
	struct tandem_datapath *dp = calloc(1, sizeof(*dp));
	int err;

	if (!dp)
		return -ENOMEM;
	dp->genl.fd = -1;
	dp->lock_fd = -1;
	dp->srtp.fd = -1;
	err = open_parts(dp, cfg, why, why_size);
	if (err) {
		release(dp);
		return err;
	}
	*dpp = dp;
	return 0;
}

static void kmod_close(struct tandem_datapath *dp, bool keep)
{
	if (!keep)
		tandem_kmod_command(&dp->genl, TANDEM_CMD_RESET);
	release(dp);
}

static int kmod_probe(const struct tandem_datapath_config *cfg, struct tandem_probe *probe)
{
	struct tandem_genl genl;
	struct relay_config relay;
	int err = tandem_table_config(&relay, cfg, probe->detail, sizeof(probe->detail));

	probe->usable = false;
	if (err)
		return 0;
	err = tandem_kmod_connect(&genl, probe->detail, sizeof(probe->detail));
	if (err)
		return 0;
	err = tandem_kmod_command(&genl, TANDEM_CMD_CONFIG_GET);
	tandem_genl_close(&genl);
	probe->usable = !err || err == -ENODEV; /* nothing is configured yet */
	snprintf(probe->detail, sizeof(probe->detail), "%s",
		 probe->usable ? "the kernel module is loaded" : tandem_kmod_why(err));
	return 0;
}

/* ---- flows ---- */

/* A flow that gets another local port takes its counts along; they are the module's. */
static void note_move(struct tandem_datapath *dp, const struct tandem_flow_spec *spec)
{
	uint32_t slot = tandem_table_find(&dp->table, spec->id);
	struct tandem_flow_spec before;

	dp->moving = 0;
	if (slot == TANDEM_NO_SLOT || tandem_table_spec(&dp->table, slot, &before) ||
	    tandem_slots_direct(dp->table.slots, &spec->key) ==
		    tandem_slots_direct(dp->table.slots, &before.key))
		return;
	if (fetch_flow(dp, slot, spec->id) == 0)
		dp->moving = spec->id;
}

static int change(struct tandem_datapath *dp, const struct tandem_change *c)
{
	int err;

	dp->error = 0;
	if (c->op == TANDEM_FLOW_REMOVE)
		return tandem_table_remove(&dp->table, c->spec.id);
	note_move(dp, &c->spec);
	err = tandem_table_set(&dp->table, &c->spec);
	dp->moving = 0;
	return err ? err : dp->error;
}

static int kmod_apply(struct tandem_datapath *dp, struct tandem_change *changes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		changes[i].result = change(dp, &changes[i]);
	return 0;
}

struct streams_answer {
	uint64_t flow_id;
	struct tandem_flow_stats *stats;
};

static void stream_message(const struct nlmsghdr *nlh, void *arg)
{
	struct streams_answer *a = arg;
	struct extra_stream s;

	if (!tandem_genl_get(nlh, TANDEM_ATTR_STREAM, &s, sizeof(s)) &&
	    s.more.flow_id == a->flow_id)
		tandem_table_add_stream(&s, a->stats);
}

static int kmod_read(struct tandem_datapath *dp, uint64_t flow_id, struct tandem_flow_stats *stats)
{
	uint32_t slot = tandem_table_find(&dp->table, flow_id);
	struct streams_answer answer = { flow_id, stats };
	struct tandem_genl_request req;
	int err;

	if (slot == TANDEM_NO_SLOT)
		return -ENOENT;
	memset(stats, 0, sizeof(*stats));
	err = fetch_flow(dp, slot, flow_id);
	if (err)
		return err;
	tandem_table_read(&dp->table, slot, stats);
	stats->fast_packets = stats->flow.packets;
	stats->offloaded = true;
	stats->datapath = tandem_kmod_ops.name;
	stats->reason = "";
	if (!stats->flow.extra_streams)
		return 0;
	tandem_genl_begin(&dp->genl, &req, TANDEM_CMD_STREAMS_GET, NLM_F_DUMP);
	tandem_genl_put(&req, TANDEM_ATTR_SLOT, &slot, sizeof(slot));
	return tandem_genl_talk(&dp->genl, &req, stream_message, &answer);
}

static int kmod_read_legs(struct tandem_datapath *dp, uint64_t flow_id,
			  struct tandem_leg_stats *legs, size_t max, size_t *n)
{
	uint32_t slot = tandem_table_find(&dp->table, flow_id);
	int err;

	*n = 0;
	if (slot == TANDEM_NO_SLOT)
		return -ENOENT;
	err = fetch_legs(dp, slot);
	if (!err)
		tandem_table_read_legs(&dp->table, slot, legs, max, n);
	return err;
}

static int kmod_list(struct tandem_datapath *dp, tandem_installed_h *h, void *arg)
{
	tandem_table_list(&dp->table, h, arg);
	return 0;
}

static void counters_message(const struct nlmsghdr *nlh, void *arg)
{
	tandem_genl_get(nlh, TANDEM_ATTR_COUNTERS, arg, sizeof(struct reason_counters));
}

static int kmod_counters(struct tandem_datapath *dp, struct reason_counters *counters)
{
	struct tandem_genl_request req;

	memset(counters, 0, sizeof(*counters));
	tandem_genl_begin(&dp->genl, &req, TANDEM_CMD_COUNTERS_GET, 0);
	return tandem_genl_talk(&dp->genl, &req, counters_message, counters);
}

static const char *kmod_describe(struct tandem_datapath *dp)
{
	(void)dp;
	return "kernel module, on every interface of the network namespace";
}

const struct tandem_datapath_ops tandem_kmod_ops = {
	.name = "kmod",
	.srtp = true,
	.probe = kmod_probe,
	.open = kmod_open,
	.apply = kmod_apply,
	.read = kmod_read,
	.read_legs = kmod_read_legs,
	.list = kmod_list,
	.counters = kmod_counters,
	.describe = kmod_describe,
	.close = kmod_close,
};
