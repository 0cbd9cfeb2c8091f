/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The DPDK datapath as the plane sees it: a client of the worker process tandem-dpdk,
 * which holds rules and flows and lives on without this one (dpdk_wire.h).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "userspace/datapath/dpdk_client.h"
#include "userspace/datapath/table.h"
#include "userspace/util/log.h"

#define MODULE	  "dpdk"
#define TIMEOUT_S 2

static time_t now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* path fills an address. */
static int socket_connect(const char *path)
{
	const struct timeval timeout = { .tv_sec = TIMEOUT_S };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, err;

	memcpy(addr.sun_path, path, sizeof(addr.sun_path));
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int lose(struct tandem_datapath *dp, int err)
{
	tandem_log(TANDEM_LOG_ERROR, MODULE, "the worker at %s is lost: %s", dp->socket,
		   strerror(-err));
	close(dp->fd);
	dp->fd = -1;
	return -ENOTCONN;
}

/* passed is a descriptor that goes along, or -1. */
static int say_with(struct tandem_datapath *dp, enum tandem_dpdk_op op, int passed)
{
	if (dp->fd < 0)
		return -ENOTCONN;
	dp->request.magic = TANDEM_DPDK_MAGIC;
	dp->request.op = op;
	if (tandem_dpdk_send(dp->fd, &dp->request, tandem_dpdk_request_size(&dp->request),
			     MSG_NOSIGNAL, passed) < 0)
		return lose(dp, -errno);
	return 0;
}

static int say(struct tandem_datapath *dp, enum tandem_dpdk_op op)
{
	return say_with(dp, op, -1);
}

/*
 * The next answer, to a request with this op, into dp->reply; *passed is a descriptor that came
 * along, or -1. Returns what the worker says.
 */
static int hear_with(struct tandem_datapath *dp, enum tandem_dpdk_op op, int *passed)
{
	ssize_t len;

	*passed = -1;
	if (dp->fd < 0)
		return -ENOTCONN;
	len = tandem_dpdk_recv(dp->fd, &dp->reply, sizeof(dp->reply), 0, passed);
	if (len < 0)
		return lose(dp, -errno);
	/* A worker of another build answers a hello, and nothing else. */
	if (len < (ssize_t)(2 * sizeof(uint32_t)) || dp->reply.magic != TANDEM_DPDK_MAGIC ||
	    (len != (ssize_t)tandem_dpdk_reply_size(op) && dp->reply.result == 0))
		return lose(dp, len ? -EPROTO : -ECONNRESET);
	return dp->reply.result;
}

static int hear(struct tandem_datapath *dp, enum tandem_dpdk_op op)
{
	int passed, err = hear_with(dp, op, &passed);

	if (passed >= 0)
		close(passed);
	return err;
}

int tandem_dpdk_talk(struct tandem_datapath *dp, enum tandem_dpdk_op op)
{
	int err = say(dp, op);

	return err ? err : hear(dp, op);
}

static void settle(struct tandem_datapath *dp)
{
	const struct dpdk_sent *s = &dp->sent[dp->sent_first++ % TANDEM_DPDK_WINDOW];
	int err = hear(dp, s->op);

	dp->sent_count--;
	if (!*s->result)
		*s->result = err;
}

static void settle_all(struct tandem_datapath *dp)
{
	while (dp->sent_count)
		settle(dp);
}

/* Ask, and have the answer noted in *result by and by. */
static void post(struct tandem_datapath *dp, enum tandem_dpdk_op op, int *result)
{
	int err;

	if (dp->sent_count == TANDEM_DPDK_WINDOW)
		settle(dp);
	err = say(dp, op);
	if (err) {
		*result = err;
		return;
	}
	dp->sent[(dp->sent_first + dp->sent_count++) % TANDEM_DPDK_WINDOW] =
		(struct dpdk_sent){ op, result };
}

/* Reach the worker and see that it is of this build. */
static int reach(struct tandem_datapath *dp, char *why, size_t why_size)
{
	const char *path = dp->socket;
	int err;

	dp->tried = now_s();
	dp->fd = socket_connect(path);
	if (dp->fd < 0) {
		err = dp->fd;
		dp->fd = -1;
		snprintf(why, why_size, "no worker at %s: %s", path, strerror(-err));
		return err;
	}
	memset(&dp->request, 0, sizeof(dp->request));
	dp->request.hello = tandem_dpdk_hello_own();
	err = tandem_dpdk_talk(dp, TANDEM_DPDK_HELLO);
	if (err) {
		snprintf(why, why_size, "the worker at %s %s", path,
			 err == -EPROTO ? "is of another version" : "does not answer");
		return err;
	}
	snprintf(dp->describe, sizeof(dp->describe), "%.*s", (int)sizeof(dp->reply.describe),
		 dp->reply.describe);
	return 0;
}

/* Tell the worker what the relay is, and learn what it has of an earlier run. */
static int configure(struct tandem_datapath *dp, char *why, size_t why_size)
{
	uint32_t flows;
	int err, fd;

	dp->request.config = dp->config;
	err = say_with(dp, TANDEM_DPDK_CONFIG, dp->srtp.streams.fd);
	if (!err)
		err = hear_with(dp, TANDEM_DPDK_CONFIG, &fd);
	else
		fd = -1;
	flows = dp->reply.flows;
	if (!err)
		err = tandem_dpdk_srtp_sync(dp, fd);
	else if (fd >= 0)
		close(fd);
	if (err)
		snprintf(why, why_size, "the worker at %s %s", dp->socket,
			 err == -EBUSY ? "has another controller" : strerror(-err));
	else if (flows)
		tandem_log(TANDEM_LOG_INFO, MODULE, "took over %u flows of an earlier run", flows);
	return err;
}

/*
 * A worker that was restarted knows no flow: those set from now on are in it, the others
 * stay on io_uring.
 */
static void reconnect(struct tandem_datapath *dp)
{
	char why[256] = "";

	if (dp->fd >= 0 || now_s() - dp->tried < 1)
		return;
	if (!reach(dp, why, sizeof(why)) && !configure(dp, why, sizeof(why))) {
		tandem_log(TANDEM_LOG_INFO, MODULE, "the worker at %s is back", dp->socket);
		return;
	}
	if (dp->fd >= 0)
		close(dp->fd);
	dp->fd = -1;
	tandem_log(TANDEM_LOG_DEBUG, MODULE, "%s", why);
}

static struct tandem_datapath *client_alloc(const struct tandem_datapath_config *cfg)
{
	struct tandem_datapath *dp = calloc(1, sizeof(*dp));

	if (!dp)
		return NULL;
	snprintf(dp->socket, sizeof(dp->socket), "%s", cfg->dpdk_socket);
	dp->fd = -1;
	dp->srtp.streams.fd = -1;
	return dp;
}

static int dpdk_probe(const struct tandem_datapath_config *cfg, struct tandem_probe *probe)
{
	struct tandem_datapath *dp = client_alloc(cfg);
	int err;

	memset(probe, 0, sizeof(*probe));
	if (!dp)
		return -ENOMEM;
	err = reach(dp, probe->detail, sizeof(probe->detail));
	probe->usable = !err;
	if (!err)
		snprintf(probe->detail, sizeof(probe->detail), "worker at %s: %.120s",
			 cfg->dpdk_socket, dp->describe);
	if (dp->fd >= 0)
		close(dp->fd);
	free(dp);
	return 0;
}

static void dpdk_close(struct tandem_datapath *dp, bool keep)
{
	if (!keep)
		tandem_dpdk_talk(dp, TANDEM_DPDK_RESET);
	if (dp->fd >= 0)
		close(dp->fd);
	tandem_dpdk_srtp_clean(dp);
	free(dp);
}

static int dpdk_open(struct tandem_datapath **dpp, const struct tandem_datapath_config *cfg,
		     char *why, size_t why_size)
{
	struct tandem_datapath *dp = client_alloc(cfg);
	int err;

	if (!dp)
		return -ENOMEM;
	err = tandem_table_config(&dp->config.relay, cfg, why, why_size);
	dp->config.stream_capacity = cfg->stream_capacity;
	dp->config.fresh = cfg->fresh;
	if (!err)
		err = tandem_dpdk_srtp_init(dp, cfg->srtp);
	if (!err)
		err = reach(dp, why, why_size);
	if (!err)
		err = configure(dp, why, why_size);
	if (err) {
		dpdk_close(dp, true);
		return err;
	}
	/* From here on what the worker has is this run's. */
	dp->config.fresh = false;
	*dpp = dp;
	return 0;
}

static void send_legs(struct tandem_datapath *dp, const struct tandem_fan *fan, int *result)
{
	struct tandem_dpdk_legs *part = &dp->request.part;

	for (uint32_t i = 0; i < fan->leg_count; i += part->count) {
		part->first = i;
		part->count = fan->leg_count - i;
		if (part->count > TANDEM_DPDK_LEGS)
			part->count = TANDEM_DPDK_LEGS;
		memcpy(part->legs, &fan->legs[i], part->count * sizeof(part->legs[0]));
		post(dp, TANDEM_DPDK_LEGS_SET, result);
	}
}

static uint64_t id_of(const struct tandem_srtp *set)
{
	return set ? set->id : 0;
}

static void set_flow(struct tandem_datapath *dp, const struct tandem_flow_spec *spec, int *result)
{
	const struct tandem_fan *fan = spec->fan;
	struct tandem_dpdk_set *set = &dp->request.set;

	if (fan)
		send_legs(dp, fan, result);
	memset(set, 0, sizeof(*set));
	set->spec = *spec;
	set->spec.fan = NULL;
	set->spec.srtp_in = set->spec.srtp_in_old = set->spec.srtp_out = NULL;
	set->srtp[TANDEM_DPDK_USE_IN] = id_of(spec->srtp_in);
	set->srtp[TANDEM_DPDK_USE_OLD] = spec->srtp_in ? id_of(spec->srtp_in_old) : 0;
	set->srtp[TANDEM_DPDK_USE_OUT] = id_of(spec->srtp_out);
	if (fan) {
		set->fan = 1;
		set->branch_count = fan->branch_count;
		set->leg_count = fan->leg_count;
		memcpy(set->branches, fan->branches, sizeof(set->branches));
	}
	post(dp, TANDEM_DPDK_SET, result);
}

static void post_change(struct tandem_datapath *dp, const struct tandem_change *c, int *result)
{
	*result = 0;
	if (c->op == TANDEM_FLOW_SET) {
		set_flow(dp, &c->spec, result);
	} else {
		dp->request.id = c->spec.id;
		post(dp, TANDEM_DPDK_REMOVE, result);
	}
}

int tandem_dpdk_do(struct tandem_datapath *dp, const struct tandem_change *change)
{
	int result;

	post_change(dp, change, &result);
	settle_all(dp);
	return result;
}

static int dpdk_apply(struct tandem_datapath *dp, struct tandem_change *changes, size_t n)
{
	reconnect(dp);
	for (size_t i = 0; i < n; i++) {
		struct tandem_change *c = &changes[i];

		if (tandem_dpdk_srtp_concerns(dp, c)) {
			settle_all(dp);
			c->result = tandem_dpdk_srtp_change(dp, c);
		} else {
			post_change(dp, c, &c->result);
		}
	}
	settle_all(dp);
	return 0;
}

static int dpdk_read(struct tandem_datapath *dp, uint64_t flow_id, struct tandem_flow_stats *stats)
{
	int err;

	dp->request.id = flow_id;
	err = tandem_dpdk_talk(dp, TANDEM_DPDK_READ);
	if (err)
		return err;
	memset(stats, 0, sizeof(*stats));
	stats->flow = dp->reply.read.flow;
	stats->fast_packets = stats->flow.packets;
	stats->offloaded = true;
	stats->datapath = tandem_dpdk_ops.name;
	stats->reason = "";
	stats->stream_count = dp->reply.read.count;
	if (stats->stream_count > TANDEM_MAX_STREAMS)
		stats->stream_count = TANDEM_MAX_STREAMS;
	memcpy(stats->streams, dp->reply.read.streams,
	       stats->stream_count * sizeof(stats->streams[0]));
	return 0;
}

static int dpdk_read_legs(struct tandem_datapath *dp, uint64_t flow_id,
			  struct tandem_leg_stats *legs, size_t max, size_t *n)
{
	size_t total;

	*n = 0;
	do {
		size_t count, room = max - *n;
		int err;

		dp->request.legs.id = flow_id;
		dp->request.legs.first = (uint32_t)*n;
		err = tandem_dpdk_talk(dp, TANDEM_DPDK_LEGS_READ);
		if (err)
			return err;
		total = dp->reply.legs.total;
		count = dp->reply.legs.count;
		if (count > TANDEM_DPDK_STATS)
			count = TANDEM_DPDK_STATS;
		if (count > room)
			count = room;
		if (!count)
			break;
		memcpy(&legs[*n], dp->reply.legs.legs, count * sizeof(*legs));
		*n += count;
	} while (*n < total && *n < max);
	return 0;
}

static int dpdk_list(struct tandem_datapath *dp, tandem_installed_h *h, void *arg)
{
	struct tandem_flow_spec specs[TANDEM_DPDK_BATCH];
	uint32_t cursor = 0, count;
	int err;

	do {
		dp->request.cursor = cursor;
		err = tandem_dpdk_talk(dp, TANDEM_DPDK_LIST);
		if (err)
			return err;
		/* The handler may ask something else. */
		memcpy(specs, dp->reply.list.specs, sizeof(specs));
		cursor = dp->reply.list.next;
		count = dp->reply.list.count;
		for (uint32_t i = 0; i < count && i < TANDEM_DPDK_BATCH; i++)
			h(&specs[i], arg);
	} while (cursor);
	return 0;
}

/* A worker that is gone counts nothing; io_uring's numbers are still to be had. */
static int dpdk_counters(struct tandem_datapath *dp, struct reason_counters *sum)
{
	int err = tandem_dpdk_talk(dp, TANDEM_DPDK_COUNTERS);

	memset(sum, 0, sizeof(*sum));
	if (!err)
		*sum = dp->reply.counters;
	return err == -ENOTCONN ? 0 : err;
}

static const char *dpdk_describe(struct tandem_datapath *dp)
{
	return dp->describe;
}

const struct tandem_datapath_ops tandem_dpdk_ops = {
	.name = "dpdk",
	.srtp = true,
	.probe = dpdk_probe,
	.open = dpdk_open,
	.apply = dpdk_apply,
	.read = dpdk_read,
	.read_legs = dpdk_read_legs,
	.list = dpdk_list,
	.counters = dpdk_counters,
	.describe = dpdk_describe,
	.close = dpdk_close,
};
