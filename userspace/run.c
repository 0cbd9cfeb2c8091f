/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/live/stream.h"
#include "userspace/cdr/cdr.h"
#include "userspace/cluster/cluster.h"
#include "userspace/cluster/location.h"
#include "userspace/control/control.h"
#include "userspace/datapath/bequest.h"
#include "userspace/datapath/plane.h"
#include "userspace/handover/handover.h"
#include "userspace/handover/successor.h"
#include "userspace/loop.h"
#include "userspace/ng/ng.h"
#include "userspace/record/record.h"
#include "userspace/relay.h"
#include "userspace/session/session.h"
#include "userspace/sip/sip.h"
#include "userspace/util/log.h"
#include "userspace/util/notify.h"
#include "userspace/util/secrecy.h"

#define SWEEP_TICKS	  60 /* forwards that cannot be had at once are tried again meanwhile */
#define TICK_MS		  1000
#define RECONCILE_TICKS	  60
#define CERTIFICATE_TICKS 5

/* SIGHUP: files that may have been renamed are opened anew at the next tick. */
static volatile sig_atomic_t hangup_seen;

/* SIGUSR2: the program, as it is now, is started to take over. */
static volatile sig_atomic_t upgrade_seen;

static void on_control(void *arg)
{
	struct tandem_relay *relay = arg;

	tandem_control_dispatch(relay->control);
}

static void on_plane(void *arg)
{
	struct tandem_relay *relay = arg;

	tandem_sessions_dispatch(relay->sessions);
}

static void on_ng(void *arg)
{
	struct tandem_relay *relay = arg;

	tandem_ng_dispatch(relay->ng);
}

static void on_handover(void *arg)
{
	struct tandem_relay *relay = arg;

	tandem_handover_dispatch(relay->handover);
}

static void on_streams(void *arg)
{
	struct tandem_relay *relay = arg;

	tandem_streams_dispatch(relay->streams);
}

static void on_timer(void *arg)
{
	struct tandem_relay *relay = arg;

	tandem_sessions_timer(relay->sessions);
}

static void start_successor(void)
{
	int err = tandem_successor_start();

	upgrade_seen = 0;
	if (err)
		tandem_log(TANDEM_LOG_ERROR, "run", "no process to take over: %s", strerror(-err));
}

static void on_tick(void *arg)
{
	struct tandem_relay *relay = arg;

	tandem_sessions_tick(relay->sessions);
	if (++relay->ticks == SWEEP_TICKS)
		tandem_plane_sweep(relay->plane);
	tandem_cluster_tick(relay->cluster);
	tandem_cluster_location_tick(relay->location);
	tandem_cdr_tick(relay->cdr);
	tandem_record_tick(relay->record);
	tandem_log_tick();
	if (relay->ticks % RECONCILE_TICKS == 0)
		tandem_relay_reconcile(relay);
	if (hangup_seen) {
		hangup_seen = 0;
		tandem_cdr_reopen(relay->cdr);
		tandem_sip_reload(relay->sip);
		tandem_ng_reload(relay->ng, true);
	}
	if (relay->ticks % CERTIFICATE_TICKS == 0)
		tandem_ng_reload(relay->ng, false);
	tandem_successor_look();
	if (upgrade_seen)
		start_successor();
	if (tandem_operate_done(&relay->operate))
		tandem_loop_stop(relay->loop);
}

static int watch(struct tandem_relay *relay)
{
	int event_fd = tandem_plane_event_fd(relay->plane);
	int ret = tandem_loop_watch(relay->loop, tandem_control_fd(relay->control), on_control,
				    relay);

	if (!ret && event_fd >= 0)
		ret = tandem_loop_watch(relay->loop, event_fd, on_plane, relay);
	if (!ret)
		ret = tandem_loop_watch(relay->loop, tandem_sessions_timer_fd(relay->sessions),
					on_timer, relay);
	if (!ret)
		ret = tandem_loop_watch(relay->loop, tandem_streams_fd(relay->streams), on_streams,
					relay);
	if (!ret && relay->ng)
		ret = tandem_loop_watch(relay->loop, tandem_ng_fd(relay->ng), on_ng, relay);
	if (!ret)
		ret = tandem_loop_watch(relay->loop, tandem_handover_fd(relay->handover),
					on_handover, relay);
	if (ret)
		return tandem_relay_failed(relay, "event loop", ret);
	tandem_loop_every(relay->loop, TICK_MS, on_tick, relay);
	return 0;
}

static void on_hangup(int sig)
{
	(void)sig;
	hangup_seen = 1;
}

static void on_upgrade(int sig)
{
	(void)sig;
	upgrade_seen = 1;
}

/* The process as it starts, whatever it has been before. */
static void set_up_process(const struct tandem_config *cfg)
{
	enum tandem_log_level level;

	if (!tandem_log_level_parse(cfg->log_level, &level))
		tandem_log_set_level(level);
	tandem_log_set_output(strcmp(cfg->log_format, "json") ? TANDEM_LOG_TEXT : TANDEM_LOG_JSON,
			      strcmp(cfg->log_output, "stdout") ? STDERR_FILENO : STDOUT_FILENO);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, on_hangup);
	signal(SIGUSR2, on_upgrade);
	tandem_secrecy(cfg->core_dumps);
}

/* Tells the process that has handed over, if there is one, which then ends; and who watches both. */
static int in_service(struct tandem_relay *relay)
{
	int fd = relay->taken_fd, ret = 0;
	char lines[64];

	relay->taken_fd = -1;
	if (fd >= 0)
		ret = tandem_handover_ready(fd);
	if (ret)
		return tandem_relay_failed(relay, "taking over: the other process goes on", ret);
	/* in place of the process that the service manager has started, if there was another */
	snprintf(lines, sizeof(lines), "MAINPID=%d\nREADY=1", (int)getpid());
	tandem_notify(lines);
	return 0;
}

/* From start to end. *handover is what has been agreed on meanwhile, or NULL. */
static int serve(struct tandem_relay *relay, struct tandem_handover **handover)
{
	int ret = tandem_relay_open(relay);
	bool ran;

	if (!ret)
		ret = watch(relay);
	if (!ret)
		ret = in_service(relay);
	ran = !ret;
	if (ran)
		ret = tandem_loop_run(relay->loop);
	tandem_relay_close(relay, ran);
	if (relay->taken_fd >= 0)
		close(relay->taken_fd);
	*handover = relay->handover;
	if (!tandem_handover_agreed(relay->handover)) {
		tandem_handover_close(relay->handover);
		*handover = NULL;
	}
	return ret > 0 ? 0 : ret;
}

/* bequest: what there is of a process before, then what is there for one that comes. */
static int run_once(const struct tandem_config *cfg, bool fresh, bool take,
		    struct tandem_bequest *bequest, struct tandem_handover **handover)
{
	struct tandem_relay *relay = calloc(1, sizeof(*relay));
	int ret;

	*handover = NULL;
	if (!relay)
		return -ENOMEM;
	relay->cfg = cfg;
	relay->fresh = fresh;
	relay->take_over = take;
	relay->bequest = bequest;
	relay->taken_fd = -1;
	relay->operate.drain_timeout_s = cfg->drain.timeout_s;
	tandem_relay_api_init(relay);
	ret = serve(relay, handover);
	free(relay);
	return ret;
}

int tandem_run(const struct tandem_config *cfg, bool fresh, bool take)
{
	struct tandem_bequest bequest = { 0 };
	struct tandem_handover *handover;
	int ret;

	set_up_process(cfg);
	for (;;) {
		ret = run_once(cfg, fresh, take, &bequest, &handover);
		if (!handover) {
			tandem_bequest_clean(&bequest);
			return ret;
		}
		ret = tandem_handover_give(handover, &bequest);
		tandem_handover_close(handover);
		if (!ret)
			break;
		/* what it was to have is taken up here again */
		tandem_log(TANDEM_LOG_ERROR, "run", "handover: %s; this process goes on",
			   ret == -ETIMEDOUT ? "the other process was not ready in time"
					     : "the other process has ended");
		fresh = take = false;
	}
	tandem_bequest_clean(&bequest);
	tandem_log(TANDEM_LOG_INFO, "run", "stopped; another process has taken over");
	return 0;
}
