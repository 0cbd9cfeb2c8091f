/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tandem itself under test: its plane, without the signalling. All that the benchmark knows
 * of flows as the datapaths want them is in this file.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "bench/captured.h"
#include "bench/relay_plane.h"
#include "bench/seal.h"
#include "userspace/datapath/plane.h"
#include "userspace/util/log.h"

#define BPFFS "/sys/fs/bpf"

/* A bpf file system that nobody else sees, and that goes away with this process. */
static int private_bpffs(char *why, size_t why_size)
{
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", BPFFS, "bpf", 0, NULL)) {
		snprintf(why, why_size, "no bpf file system of its own: %s", strerror(errno));
		return -errno;
	}
	return 0;
}

static struct ip_addr mapped(uint32_t host)
{
	struct ip_addr ip = { .w = { 0, 0, htonl(0xffff), htonl(host) } };

	return ip;
}

/* One branch for every SSRC, and in it a leg for each copy, to ports of the sink's own. */
static struct tandem_fan *fan_for(const struct relay_job *job, const struct tandem_egress *eg)
{
	struct tandem_fan *fan = calloc(1, sizeof(*fan) + job->copies * sizeof(fan->legs[0]));

	if (!fan)
		return NULL;
	fan->branch_count = 1;
	fan->leg_count = job->copies;
	fan->branches[0].flags = BRANCH_F_ANY;
	fan->branches[0].count = (uint16_t)job->copies;
	for (uint32_t i = 0; i < job->copies; i++) {
		fan->legs[i].id = i + 1;
		fan->legs[i].leg.egress = *eg;
		fan->legs[i].leg.egress.remote_port = htons((uint16_t)(ntohs(eg->remote_port) + i));
	}
	return fan;
}

static void spec_for(uint32_t i, const struct lab_way *way, struct tandem_flow_spec *spec)
{
	struct tandem_egress *eg = &spec->egress[EGRESS_RTP];

	spec->id = i + 1;
	spec->media_id = spec->id;
	spec->key.remote = mapped(way->source.ip);
	spec->key.local = mapped(way->in.ip);
	spec->key.remote_port = htons(way->source.port);
	spec->key.local_port = htons(way->in.port);
	eg->flags = EGRESS_F_ACTIVE;
	eg->local = mapped(way->out.ip);
	eg->remote = mapped(way->sink.ip);
	eg->local_port = htons(way->out.port);
	eg->remote_port = htons(way->sink.port);
	spec->pts.clock_hz[0] = 8000; /* payload type 0 */
}

static void config_for(const struct relay_job *job, struct tandem_datapath_config *cfg)
{
	static const char *const interfaces[] = { "in0", "out0" };
	uint32_t locals = tandem_lab_locals(job->flows);
	uint32_t ports = job->flows < LAB_PORTS ? (job->flows + 1) / 2 * 2 : LAB_PORTS;

	memset(cfg, 0, sizeof(*cfg));
	for (uint32_t i = 0; i < locals; i++) {
		cfg->locals[cfg->locals_count++].ip = mapped(job->ways[0].in.ip + i);
		cfg->locals[cfg->locals_count++].ip = mapped(job->ways[0].out.ip + i);
	}
	cfg->port_min = LAB_PORT_BASE;
	cfg->port_max = (uint16_t)(LAB_PORT_BASE + ports - 1);
	cfg->flow_capacity = 2 * locals * ports;
	cfg->stream_capacity = 1024;
	if (job->copies > 1) {
		cfg->fan_capacity = job->flows;
		cfg->leg_capacity = job->flows * job->copies;
	}
	cfg->srtp_capacity = (!!job->suite + !!job->suite_in) * job->flows;
	cfg->nexthop_age_ms = 500;
	cfg->bpf_dir = BPFFS "/bench";
	cfg->interfaces = interfaces;
	cfg->interfaces_count = 2;
	cfg->fresh = true;
}

static int make_changes(const struct relay_job *job, uint32_t flags, struct tandem_change *changes,
			struct tandem_srtp *keys)
{
	for (uint32_t i = 0; i < job->flows; i++) {
		struct tandem_flow_spec *spec = &changes[i].spec;

		changes[i].op = TANDEM_FLOW_SET;
		spec_for(i, &job->ways[i], spec);
		spec->flags = flags;
		if (job->suite_in) {
			tandem_bench_key(i, BENCH_IN, job->suite_in, &keys[2 * i]);
			spec->srtp_in = &keys[2 * i];
		}
		if (job->suite) {
			tandem_bench_key(i, BENCH_OUT, job->suite, &keys[2 * i + 1]);
			spec->srtp_out = &keys[2 * i + 1];
		}
		if (job->copies == 1)
			continue;
		spec->fan = fan_for(job, &spec->egress[EGRESS_RTP]);
		if (!spec->fan)
			return -ENOMEM;
	}
	return 0;
}

static int install(struct tandem_plane *plane, const struct relay_job *job, uint32_t flags,
		   double *seconds)
{
	struct tandem_change *changes = calloc(job->flows, sizeof(*changes));
	struct tandem_srtp *keys = calloc(2 * (size_t)job->flows, sizeof(*keys));
	int err = changes && keys ? make_changes(job, flags, changes, keys) : -ENOMEM;

	*seconds = -tandem_bench_now();
	if (!err)
		err = tandem_plane_apply(plane, changes, job->flows);
	*seconds += tandem_bench_now();
	for (uint32_t i = 0; i < job->flows && !err; i++)
		err = changes[i].result;
	for (uint32_t i = 0; changes && i < job->flows; i++)
		free((void *)changes[i].spec.fan);
	free(changes);
	free(keys);
	return err;
}

/*
 * Is what is going to be measured the datapath that was asked for? io_uring would relay what that one
 * has refused.
 */
static int check_offloaded(struct tandem_plane *plane, const char *name, char *why, size_t why_size)
{
	struct tandem_flow_stats stats;
	int err = tandem_plane_read(plane, 1, &stats);

	if (err || strcmp(stats.datapath, name) == 0)
		return err;
	snprintf(why, why_size, "not offloaded: %s", stats.reason);
	return -EOPNOTSUPP;
}

/* ---- the fast path's share of the time that installing takes ---- */

static const struct tandem_datapath_ops *fast;
static double fast_s;

static int timed_apply(struct tandem_datapath *dp, struct tandem_change *changes, size_t n)
{
	double began = tandem_bench_now();
	int err = fast->apply(dp, changes, n);

	fast_s += tandem_bench_now() - began;
	return err;
}

static int open_plane(struct tandem_plane **plane, const struct tandem_datapath_ops *ops,
		      const struct tandem_datapath_config *cfg, char *why, size_t why_size)
{
	static struct tandem_datapath_ops timed;

	if (ops) {
		timed = *ops;
		timed.apply = timed_apply;
		fast = ops;
	}
	return tandem_plane_open_ops(plane, ops ? &timed : NULL, !ops, &tandem_uring_ops, cfg, why,
				     why_size);
}

int tandem_relay_plane_serve(const struct relay_job *job, const struct tandem_datapath_ops *ops,
			     const struct relay_worker *worker, char *why, size_t why_size)
{
	return tandem_relay_plane_serve_flags(job, ops, worker, 0, why, why_size);
}

int tandem_relay_plane_serve_flags(const struct relay_job *job,
				   const struct tandem_datapath_ops *ops,
				   const struct relay_worker *worker, uint32_t flags, char *why,
				   size_t why_size)
{
	struct bench_captured *captured = NULL;
	struct tandem_datapath_config cfg;
	struct tandem_plane *plane;
	double seconds;
	int err;

	tandem_log_set_level(TANDEM_LOG_ERROR);
	setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY });
	err = private_bpffs(why, why_size);
	if (err)
		return err;
	config_for(job, &cfg);
	cfg.dpdk_socket = worker ? worker->socket : NULL;
	err = open_plane(&plane, ops, &cfg, why, why_size);
	if (err)
		return err;
	err = flags & RULE_F_TAPS ? tandem_bench_capture_start(&captured, plane) : 0;
	if (!err)
		err = install(plane, job, flags, &seconds);
	if (err)
		snprintf(why, why_size, "its flows were refused: %s", strerror(-err));
	else
		err = check_offloaded(plane, ops ? ops->name : tandem_uring_ops.name, why,
				      why_size);
	if (!err) {
		tandem_relay_ready(job, seconds, fast_s, worker ? worker->pid : 0);
		tandem_relay_wait();
	}
	tandem_bench_capture_stop(captured);
	tandem_plane_close(plane, false);
	return err;
}

static int serve_xdp(const struct relay_job *job, char *why, size_t why_size)
{
	return tandem_relay_plane_serve(job, &tandem_xdp_ops, NULL, why, why_size);
}

static int serve_captured(const struct relay_job *job, char *why, size_t why_size)
{
	return tandem_relay_plane_serve_flags(job, &tandem_xdp_ops, NULL,
					      RULE_F_TAP_IN | RULE_F_TAP_OUT, why, why_size);
}

static int serve_uring(const struct relay_job *job, char *why, size_t why_size)
{
	return tandem_relay_plane_serve(job, NULL, NULL, why, why_size);
}

const struct relay_kind tandem_relay_xdp = {
	.name = "xdp",
	.xdp = true,
	.copies = true,
	.help = "tandem, XDP datapath",
	.serve = serve_xdp,
};
const struct relay_kind tandem_relay_xdp_captured = {
	.name = "xdp-captured",
	.xdp = true,
	.copies = true,
	.help = "tandem, XDP datapath, with all packets captured as they come and leave",
	.serve = serve_captured,
};
const struct relay_kind tandem_relay_uring = {
	.name = "uring",
	.copies = true,
	.help = "tandem, io_uring datapath",
	.serve = serve_uring,
};

/* The same with keys, each flow its own. */

const struct relay_kind tandem_relay_xdp_srtp = {
	.name = "xdp-srtp",
	.xdp = true,
	.protects = true,
	.help = "tandem, XDP datapath, from RTP to SRTP",
	.serve = serve_xdp,
};
const struct relay_kind tandem_relay_uring_srtp = {
	.name = "uring-srtp",
	.protects = true,
	.help = "tandem, io_uring datapath, from RTP to SRTP",
	.serve = serve_uring,
};
const struct relay_kind tandem_relay_xdp_unsrtp = {
	.name = "xdp-unsrtp",
	.xdp = true,
	.unprotects = true,
	.help = "tandem, XDP datapath, from SRTP to RTP",
	.serve = serve_xdp,
};
const struct relay_kind tandem_relay_xdp_resrtp = {
	.name = "xdp-resrtp",
	.xdp = true,
	.unprotects = true,
	.protects = true,
	.help = "tandem, XDP datapath, from SRTP to SRTP",
	.serve = serve_xdp,
};
const struct relay_kind tandem_relay_uring_unsrtp = {
	.name = "uring-unsrtp",
	.unprotects = true,
	.help = "tandem, io_uring datapath, from SRTP to RTP",
	.serve = serve_uring,
};
const struct relay_kind tandem_relay_uring_resrtp = {
	.name = "uring-resrtp",
	.unprotects = true,
	.protects = true,
	.help = "tandem, io_uring datapath, from SRTP to SRTP",
	.serve = serve_uring,
};
