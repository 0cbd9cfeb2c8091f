/* SPDX-License-Identifier: GPL-2.0-only */
/* The io_uring datapath: sockets, for every host and for all that the fast path punts. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "userspace/uring/worker.h"

static int uring_probe(const struct tandem_datapath_config *cfg, struct tandem_probe *probe)
{
	int err = tandem_uring_ring_probe(probe->detail, sizeof(probe->detail));
	size_t len = strlen(probe->detail);
	struct relay_config relay;
	char why[128] = "";

	probe->usable = err == 0;
	if (err)
		return err;
	err = tandem_table_config(&relay, cfg, why, sizeof(why));
	if (!err)
		err = tandem_uring_trunks_probe(&relay, why, sizeof(why));
	snprintf(probe->detail + len, sizeof(probe->detail) - len, err ? "; %s (%s)" : "; %s",
		 err ? "a socket for each port" : "all ports share a few sockets", why);
	return 0;
}

/* Where they cannot be shared, each port in use is a socket: take all descriptors there are. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void uring_close(struct tandem_datapath *dp, bool keep)
{
	(void)keep; /* sockets outlive the process only where they were bequeathed */
	tandem_uring_worker_join(dp);
	tandem_uring_commands_clean(dp);
	tandem_uring_events_clean(dp);
	tandem_uring_outlet_clean(dp);
	tandem_uring_injects_clean(dp);
	tandem_uring_waits_clean(dp);
	tandem_uring_tap_clean(dp);
	tandem_uring_flows_clean(dp);
	free(dp);
}

int tandem_uring_open(struct tandem_datapath **dpp, const struct tandem_datapath_config *cfg,
		      unsigned int without, char *why, size_t why_size)
{
	struct tandem_datapath *dp = aligned_alloc(64, (sizeof(*dp) + 63) & ~(size_t)63);
	int err;

	if (!dp)
		return -ENOMEM;
	memset(dp, 0, sizeof(*dp));
	dp->wake_fd = -1;
	dp->event_fd = -1;
	dp->raw_fds[0] = -1;
	dp->raw_fds[1] = -1;
	dp->steer.link_fd = -1;
	dp->ways.ask_fd = -1;
	dp->ways.listen_fd = -1;
	dp->no_frames = cfg->no_frames;
	dp->multishot = !(without & URING_WITHOUT_MULTISHOT);
	dp->trunked = !(without & URING_WITHOUT_TRUNKS);
	raise_file_limit();
	err = tandem_uring_commands_init(dp);
	if (!err)
		err = tandem_uring_events_init(dp);
	if (!err)
		err = tandem_uring_outlet_init(dp);
	if (!err)
		err = tandem_uring_injects_init(dp);
	if (!err)
		err = tandem_uring_waits_init(dp);
	if (!err)
		err = tandem_uring_flows_init(dp, cfg, why, why_size);
	if (!err) {
		dp->bequest = tandem_uring_may_inherit(dp, cfg->bequest) ? cfg->bequest : NULL;
		err = tandem_uring_worker_start(dp, why, why_size);
		dp->bequest = NULL;
	}
	if (err) {
		uring_close(dp, false);
		return err;
	}
	snprintf(dp->description, sizeof(dp->description), "io_uring, one worker, %s, %s",
		 dp->multishot ? "multishot receive" : "a receive per packet",
		 dp->trunked ? "all ports share a few sockets" : "a socket for each port");
	*dpp = dp;
	return 0;
}

static int uring_open(struct tandem_datapath **dpp, const struct tandem_datapath_config *cfg,
		      char *why, size_t why_size)
{
	return tandem_uring_open(dpp, cfg, 0, why, why_size);
}

static const char *uring_describe(struct tandem_datapath *dp)
{
	return dp->description;
}

const struct tandem_datapath_ops tandem_uring_ops = {
	.name = "uring",
	.srtp = true,
	.probe = uring_probe,
	.open = uring_open,
	.apply = tandem_uring_apply,
	.read = tandem_uring_read,
	.read_legs = tandem_uring_read_legs,
	.list = tandem_uring_list,
	.counters = tandem_uring_counters,
	.event_fd = tandem_uring_event_fd,
	.dispatch = tandem_uring_dispatch,
	.send = tandem_uring_send,
	.inject = tandem_uring_inject,
	.tap_open = tandem_uring_tap_open,
	.tap_read = tandem_uring_tap_read,
	.tap_close = tandem_uring_tap_close,
	.describe = uring_describe,
	.bequeath = tandem_uring_bequeath,
	.resume = tandem_uring_resume,
	.close = uring_close,
};
