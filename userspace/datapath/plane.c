/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/plane.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/datapath/hash.h"
#include "userspace/datapath/holds.h"
#include "userspace/datapath/join.h"
#include "userspace/datapath/retries.h"
#include "userspace/datapath/srtp_sets.h"
#include "userspace/util/log.h"

#define MODULE "plane"
#define BATCH  64

/* Flows offered again in one turn. */
#define RETRIES_PER_TURN 16

struct path {
	const struct tandem_datapath_ops *ops;
	struct tandem_datapath *dp;
};

struct tandem_plane {
	struct path fast; /* dp is NULL when there is none */
	struct path slow;
	struct tandem_srtp_sets *srtp; /* that both use */
	struct tandem_holds holds;     /* of them, while changes are carried out */
	struct tandem_hash refused;    /* id -> errno with which the fast path refused it */
	struct tandem_retries retries; /* those of them that are worth another try */
	struct tandem_change batch[BATCH];
	char no_fast[512]; /* why there is no fast path */
};

/* The fast datapaths to be tried, in order. Without any, io_uring alone is what is wanted. */
struct choice {
	const struct tandem_datapath_ops *fast[2];
	bool optional; /* none of them is needed */
};

__attribute__((format(printf, 3, 4))) static void append(char *text, size_t size, const char *fmt,
							 ...)
{
	size_t len = strlen(text);
	va_list ap;

	if (len >= size)
		return;
	va_start(ap, fmt);
	vsnprintf(text + len, size - len, fmt, ap);
	va_end(ap);
}

static int try_fast(struct tandem_plane *plane, const struct tandem_datapath_ops *ops,
		    const struct tandem_datapath_config *cfg, char *why, size_t why_size)
{
	char text[256] = "";
	int err = ops->open(&plane->fast.dp, cfg, text, sizeof(text));

	if (!err) {
		plane->fast.ops = ops;
		return 0;
	}
	plane->fast.dp = NULL;
	if (!text[0])
		snprintf(text, sizeof(text), "%s", strerror(-err));
	if (why_size)
		append(why, why_size, "%s%s: %s", why[0] ? "; " : "", ops->name, text);
	append(plane->no_fast, sizeof(plane->no_fast), "%sno %s on this host: %s",
	       plane->no_fast[0] ? "; " : "", ops->name, text);
	return err;
}

static int open_fast(struct tandem_plane *plane, const struct choice *choice,
		     const struct tandem_datapath_config *cfg, char *why, size_t why_size)
{
	int err = 0;

	if (!choice->fast[0])
		append(plane->no_fast, sizeof(plane->no_fast), "no fast path was asked for");
	for (size_t i = 0; i < 2 && choice->fast[i]; i++) {
		err = try_fast(plane, choice->fast[i], cfg, why, why_size);
		if (!err)
			return 0;
	}
	return choice->optional ? 0 : err;
}

/* Calls go on without the file; only that of another process is no place to go on at. */
static int keep_streams(struct tandem_plane *plane, const char *path, char *why, size_t why_size)
{
	int err = tandem_srtp_sets_keep(plane->srtp, path);

	if (err == -EBUSY)
		snprintf(why, why_size, "%s: in use by another process", path);
	else if (err)
		tandem_log(TANDEM_LOG_WARNING, MODULE,
			   "%s: %s; what SRTP has counted ends with this process, and calls with "
			   "SRTP do not outlive it",
			   path, strerror(-err));
	return err == -EBUSY ? err : 0;
}

static int open_choice(struct tandem_plane **planep, const struct choice *choice,
		       const struct tandem_datapath_ops *slow,
		       const struct tandem_datapath_config *cfg, char *why, size_t why_size)
{
	struct tandem_plane *plane = calloc(1, sizeof(*plane));
	struct tandem_datapath_config shared = *cfg;
	char text[256] = "";
	int err;

	if (why_size)
		why[0] = '\0';
	if (!plane)
		return -ENOMEM;
	tandem_hash_init(&plane->refused, sizeof(uint64_t));
	err = cfg->srtp_capacity ? tandem_srtp_sets_alloc(&plane->srtp, cfg->srtp_capacity) : 0;
	if (!err && plane->srtp && cfg->srtp_file)
		err = keep_streams(plane, cfg->srtp_file, why, why_size);
	if (err)
		goto out;
	shared.srtp = plane->srtp;

	/* Sockets first: what the fast path punts must find them from the start. */
	plane->slow.ops = slow;
	err = slow->open(&plane->slow.dp, &shared, text, sizeof(text));
	if (err) {
		plane->slow.dp = NULL;
		snprintf(why, why_size, "%s: %s", slow->name, text[0] ? text : strerror(-err));
		goto out;
	}
	err = open_fast(plane, choice, &shared, why, why_size);
out:
	if (err) {
		tandem_plane_close(plane, true);
		return err;
	}
	*planep = plane;
	return 0;
}

int tandem_plane_open_ops(struct tandem_plane **planep, const struct tandem_datapath_ops *fast,
			  bool optional, const struct tandem_datapath_ops *slow,
			  const struct tandem_datapath_config *cfg, char *why, size_t why_size)
{
	const struct choice choice = { { fast, NULL }, optional };

	return open_choice(planep, &choice, slow, cfg, why, why_size);
}

int tandem_plane_open(struct tandem_plane **planep, const char *want,
		      const struct tandem_datapath_config *cfg, char *why, size_t why_size)
{
	struct choice choice = { .optional = strcmp(want, "auto") == 0 };

	if (choice.optional) {
		choice.fast[0] = &tandem_xdp_ops;
		choice.fast[1] = &tandem_kmod_ops;
	} else if (strcmp(want, tandem_xdp_ops.name) == 0) {
		choice.fast[0] = &tandem_xdp_ops;
	} else if (strcmp(want, tandem_kmod_ops.name) == 0) {
		choice.fast[0] = &tandem_kmod_ops;
	} else if (strcmp(want, tandem_dpdk_ops.name) == 0) {
		choice.fast[0] = &tandem_dpdk_ops;
	} else if (strcmp(want, tandem_uring_ops.name) != 0) {
		snprintf(why, why_size, "there is no datapath \"%s\"", want);
		return -EINVAL;
	}
	return open_choice(planep, &choice, &tandem_uring_ops, cfg, why, why_size);
}

void tandem_plane_close(struct tandem_plane *plane, bool keep)
{
	if (!plane)
		return;
	if (keep && plane->srtp)
		tandem_srtp_sets_leave(plane->srtp);
	/* The slow one first: its streams of SRTP may be the fast one's. */
	if (plane->slow.dp)
		plane->slow.ops->close(plane->slow.dp, keep);
	if (plane->fast.dp)
		plane->fast.ops->close(plane->fast.dp, keep);
	tandem_srtp_sets_free(plane->srtp);
	tandem_holds_clean(&plane->holds);
	tandem_hash_clean(&plane->refused);
	tandem_retries_clean(&plane->retries);
	free(plane);
}

static const char *refusal_reason(int error)
{
	switch (error) {
	case ENOSPC:
		return "the fast path is full";
	case EEXIST:
		return "another flow in the fast path has the same addresses and ports";
	case EADDRINUSE:
		return "its port already has a flow, and it has no source of its own";
	case EADDRNOTAVAIL:
		return "its local address or port is not one of the relay's";
	case ENOMEM:
		return "no memory for it in the fast path";
	case E2BIG:
		return "more egresses than the fast path can copy to";
	case EOPNOTSUPP:
		return "an interface in generic mode cannot copy";
	case EPROTONOSUPPORT:
		return "the fast path has no SRTP";
	case ENOSYS:
		return "it is captured, and the fast path makes no copies for captures";
	case ENOENT:
		return "it was not offered to the fast path";
	default:
		return "the fast path refused it";
	}
}

/* Or will it say the same of this flow for ever? */
static bool may_pass(int error)
{
	return error != EINVAL && error != E2BIG && error != EADDRNOTAVAIL &&
	       error != EPROTONOSUPPORT && error != ENOSYS;
}

/* Remember what the fast path said of a change. Forgetting for want of memory is harmless. */
static void note_fast_result(struct tandem_plane *plane, const struct tandem_change *change)
{
	uint64_t id = change->spec.id;

	if (change->op == TANDEM_FLOW_REMOVE || change->result == 0) {
		tandem_hash_remove(&plane->refused, &id);
		tandem_retries_forget(&plane->retries, id);
		return;
	}
	tandem_hash_set(&plane->refused, &id, (uint32_t)-change->result);
	if (may_pass(-change->result))
		tandem_retries_add(&plane->retries, &change->spec);
	else
		tandem_retries_forget(&plane->retries, id);
	tandem_log(TANDEM_LOG_WARNING, MODULE, "flow %llu is not offloaded: %s",
		   (unsigned long long)id, refusal_reason(-change->result));
}

/*
 * A change of a flow that the fast path refuses leaves the flow there as it was;
 * it must go, or packets would be forwarded by the old rule.
 */
static void withdraw(const struct path *path, const struct tandem_change *change)
{
	struct tandem_change removal = { .op = TANDEM_FLOW_REMOVE };

	removal.spec.id = change->spec.id;
	removal.spec.key = change->spec.key;
	path->ops->apply(path->dp, &removal, 1);
}

static bool has_keys(const struct tandem_change *change)
{
	const struct tandem_flow_spec *spec = &change->spec;

	return change->op == TANDEM_FLOW_SET &&
	       (spec->srtp_in || spec->srtp_out || (spec->fan && spec->fan->key_count));
}

/*
 * The fast path drops what comes to a port without a flow. So that a flow which it must not have
 * can be carried by io_uring, it gets one without source and egress, of which all climbs.
 */
static void hold_open(const struct path *path, const struct tandem_change *change)
{
	struct tandem_change open = { .op = TANDEM_FLOW_SET };

	open.spec.id = open.spec.media_id = change->spec.id;
	open.spec.flags = RULE_F_LEARN;
	open.spec.key.local = change->spec.key.local;
	open.spec.key.local_port = change->spec.key.local_port;
	path->ops->apply(path->dp, &open, 1);
}

/*
 * What a change asks of a datapath that this one has not at all. Without SRTP it would send in the
 * clear what is to be protected; without a tap nobody would see what is to be captured.
 */
static int beyond(const struct path *path, const struct tandem_change *change)
{
	if (has_keys(change) && !path->ops->srtp)
		return -EPROTONOSUPPORT;
	if (change->op == TANDEM_FLOW_SET && change->spec.flags & RULE_F_TAPS &&
	    !path->ops->tap_open)
		return -ENOSYS;
	return 0;
}

/* It is not asked, and what it has of the flow from before goes. */
static int give(const struct tandem_plane *plane, const struct path *path,
		struct tandem_change *changes, size_t n)
{
	int err = 0;

	if (path->ops->srtp && path->ops->tap_open)
		return path->ops->apply(path->dp, changes, n);
	for (size_t i = 0; i < n && !err; i++) {
		size_t count = 0;

		while (i + count < n && !beyond(path, &changes[i + count]))
			count++;
		if (count) {
			err = path->ops->apply(path->dp, &changes[i], count);
			i += count - 1;
			continue;
		}
		withdraw(path, &changes[i]);
		if (path == &plane->fast)
			hold_open(path, &changes[i]);
		changes[i].result = beyond(path, &changes[i]);
	}
	return err;
}

/* The fast path has refused a flow; where it is beyond all that it can do, give() has done this. */
static void refused(const struct path *path, const struct tandem_change *change, int result)
{
	if (beyond(path, change))
		return;
	withdraw(path, change);
	if (result == -EPROTONOSUPPORT)
		hold_open(path, change);
}

/* The fast path did it: that is enough, though what it punts may now be lost. */
static void join_result(const struct tandem_plane *plane, struct tandem_change *change)
{
	if (change->op == TANDEM_FLOW_SET && change->result)
		tandem_log(TANDEM_LOG_WARNING, MODULE, "flow %llu is not in %s: %s",
			   (unsigned long long)change->spec.id, plane->slow.ops->name,
			   strerror(-change->result));
	change->result = 0;
}

static int apply_fast(struct tandem_plane *plane, struct tandem_change *changes, size_t n)
{
	int err;

	memcpy(plane->batch, changes, n * sizeof(*changes));
	err = give(plane, &plane->fast, plane->batch, n);
	if (err)
		return err;
	for (size_t i = 0; i < n; i++) {
		note_fast_result(plane, &plane->batch[i]);
		if (plane->batch[i].result == 0)
			join_result(plane, &changes[i]);
		else if (changes[i].op == TANDEM_FLOW_SET)
			refused(&plane->fast, &changes[i], plane->batch[i].result);
	}
	return 0;
}

static int apply(struct tandem_plane *plane, struct tandem_change *changes, size_t n)
{
	for (size_t done = 0; done < n;) {
		size_t count = n - done < BATCH ? n - done : BATCH;
		int err = give(plane, &plane->slow, changes + done, count);

		if (!err && plane->fast.dp)
			err = apply_fast(plane, changes + done, count);
		if (err)
			return err;
		done += count;
	}
	return 0;
}

int tandem_plane_apply(struct tandem_plane *plane, struct tandem_change *changes, size_t n)
{
	int err = plane->srtp ? tandem_holds_take(&plane->holds, plane->srtp, changes, n) : 0;

	if (err)
		return err;
	err = apply(plane, changes, n);
	if (plane->srtp)
		tandem_holds_release(&plane->holds, plane->srtp);
	return err;
}

void tandem_plane_retry(struct tandem_plane *plane)
{
	struct tandem_change change = { .op = TANDEM_FLOW_SET };
	const struct tandem_flow_spec *spec;
	uint64_t id;

	tandem_retries_turn(&plane->retries);
	for (int i = 0; i < RETRIES_PER_TURN; i++) {
		spec = tandem_retries_next(&plane->retries);
		if (!spec)
			return;
		id = spec->id;
		change.spec = *spec;
		change.result = 0;
		if (plane->fast.ops->apply(plane->fast.dp, &change, 1))
			return;
		if (change.result) {
			tandem_hash_set(&plane->refused, &id, (uint32_t)-change.result);
			continue;
		}
		tandem_hash_remove(&plane->refused, &id);
		tandem_retries_forget(&plane->retries, id);
		tandem_log(TANDEM_LOG_INFO, MODULE, "flow %llu is offloaded now",
			   (unsigned long long)id);
	}
}

static void offload_state(struct tandem_plane *plane, struct tandem_flow_stats *stats,
			  uint64_t flow_id, bool in_fast)
{
	uint32_t error = tandem_hash_get(&plane->refused, &flow_id);

	/* a way that is held open is not the flow */
	in_fast = in_fast && error != EPROTONOSUPPORT && error != ENOSYS;
	if (in_fast && !stats->offloaded && stats->reason && stats->reason[0]) {
		stats->datapath = plane->slow.ops->name;
		return; /* the fast path has it, and leaves its packets to the other */
	}
	stats->offloaded = in_fast;
	if (in_fast) {
		stats->datapath = plane->fast.ops->name;
		stats->reason = "";
		return;
	}
	stats->datapath = plane->slow.ops->name;
	if (!plane->fast.dp)
		stats->reason = plane->no_fast;
	else
		stats->reason = refusal_reason(error == TANDEM_HASH_NONE ? ENOENT : (int)error);
}

int tandem_plane_read(struct tandem_plane *plane, uint64_t flow_id, struct tandem_flow_stats *stats)
{
	struct tandem_flow_stats slow;
	int fast_err = -ENOENT, slow_err;

	memset(stats, 0, sizeof(*stats));
	if (plane->fast.dp)
		fast_err = plane->fast.ops->read(plane->fast.dp, flow_id, stats);
	if (fast_err)
		memset(stats, 0, sizeof(*stats));
	slow_err = plane->slow.ops->read(plane->slow.dp, flow_id, &slow);
	if (fast_err && slow_err)
		return slow_err;

	stats->fast_packets = stats->flow.packets;
	stats->slow_packets = 0;
	if (!slow_err) {
		stats->slow_packets = slow.flow.packets;
		tandem_stats_join(stats, &slow);
	}
	offload_state(plane, stats, flow_id, !fast_err);
	return 0;
}

int tandem_plane_read_legs(struct tandem_plane *plane, uint64_t flow_id,
			   struct tandem_leg_stats *legs, size_t max, size_t *n)
{
	struct tandem_leg_stats *slow = calloc(max + 1, sizeof(*slow));
	int fast_err = -ENOENT, slow_err;
	size_t slow_count = 0;

	*n = 0;
	if (!slow)
		return -ENOMEM;
	if (plane->fast.dp)
		fast_err = plane->fast.ops->read_legs(plane->fast.dp, flow_id, legs, max, n);
	if (fast_err)
		*n = 0;
	slow_err = plane->slow.ops->read_legs(plane->slow.dp, flow_id, slow, max, &slow_count);
	if (!slow_err)
		tandem_legs_join(legs, n, max, slow, slow_count);
	free(slow);
	return fast_err && slow_err ? slow_err : 0;
}

void tandem_plane_sweep(struct tandem_plane *plane)
{
	if (plane->srtp)
		tandem_srtp_sets_sweep(plane->srtp);
}

bool tandem_plane_key_spent(const struct tandem_plane *plane, uint64_t id)
{
	return plane->srtp && tandem_srtp_sets_spent(plane->srtp, id);
}

int tandem_plane_bequeath(struct tandem_plane *plane, struct tandem_bequest *bequest)
{
	return plane->slow.ops->bequeath ? plane->slow.ops->bequeath(plane->slow.dp, bequest) : 0;
}

void tandem_plane_resume(struct tandem_plane *plane)
{
	if (plane->slow.ops->resume)
		plane->slow.ops->resume(plane->slow.dp);
}

bool tandem_plane_key_counted(struct tandem_plane *plane, uint64_t id,
			      struct tandem_srtp_seed *seed)
{
	return plane->srtp && tandem_srtp_sets_counted(plane->srtp, id, seed);
}

void tandem_plane_keys_seed(struct tandem_plane *plane, const struct tandem_srtp_seed *seeds,
			    size_t n)
{
	if (plane->srtp)
		tandem_srtp_sets_seed(plane->srtp, seeds, n);
}

int tandem_plane_list(struct tandem_plane *plane, tandem_installed_h *h, void *arg)
{
	return plane->fast.dp ? plane->fast.ops->list(plane->fast.dp, h, arg) : 0;
}

int tandem_plane_counters(struct tandem_plane *plane, struct reason_counters *fast,
			  struct reason_counters *slow)
{
	int err;

	memset(fast, 0, sizeof(*fast));
	if (plane->fast.dp) {
		err = plane->fast.ops->counters(plane->fast.dp, fast);
		if (err)
			return err;
	}
	return plane->slow.ops->counters(plane->slow.dp, slow);
}

static const struct path *leading(const struct tandem_plane *plane)
{
	return plane->fast.dp ? &plane->fast : &plane->slow;
}

const char *tandem_plane_name(const struct tandem_plane *plane)
{
	return leading(plane)->ops->name;
}

const char *tandem_plane_describe(const struct tandem_plane *plane)
{
	return leading(plane)->ops->describe(leading(plane)->dp);
}

int tandem_plane_event_fd(const struct tandem_plane *plane)
{
	return plane->slow.ops->event_fd(plane->slow.dp);
}

void tandem_plane_dispatch(struct tandem_plane *plane, const struct tandem_event_handlers *handlers,
			   void *arg)
{
	plane->slow.ops->dispatch(plane->slow.dp, handlers, arg);
}

int tandem_plane_tap_open(struct tandem_plane *plane, uint32_t size)
{
	int err = plane->slow.ops->tap_open(plane->slow.dp, size);

	if (!err && plane->fast.dp && plane->fast.ops->tap_open)
		err = plane->fast.ops->tap_open(plane->fast.dp, size);
	return err;
}

size_t tandem_plane_tap_read(struct tandem_plane *plane, tandem_tapped_h *h, void *arg,
			     uint64_t *lost)
{
	uint64_t fast = 0, slow = 0;
	size_t n = plane->slow.ops->tap_read(plane->slow.dp, h, arg, &slow);

	if (plane->fast.dp && plane->fast.ops->tap_open)
		n += plane->fast.ops->tap_read(plane->fast.dp, h, arg, &fast);
	*lost = fast + slow;
	return n;
}

void tandem_plane_tap_close(struct tandem_plane *plane)
{
	plane->slow.ops->tap_close(plane->slow.dp);
	if (plane->fast.dp && plane->fast.ops->tap_open)
		plane->fast.ops->tap_close(plane->fast.dp);
}

int tandem_plane_send(struct tandem_plane *plane, const struct tandem_endpoint *local,
		      const struct tandem_endpoint *remote, const void *payload, size_t len)
{
	return plane->slow.ops->send(plane->slow.dp, local, remote, payload, len);
}

int tandem_plane_inject(struct tandem_plane *plane, uint64_t flow_id,
			const struct tandem_endpoint *local, const void *payload, size_t len)
{
	return plane->slow.ops->inject(plane->slow.dp, flow_id, local, payload, len);
}
