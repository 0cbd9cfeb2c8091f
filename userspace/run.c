/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/cdr/cdr.h"
#include "userspace/cluster/cluster.h"
#include "userspace/config/resolve.h"
#include "userspace/control/api.h"
#include "userspace/control/control.h"
#include "userspace/control/metrics.h"
#include "userspace/datapath/plane.h"
#include "userspace/handover/handover.h"
#include "userspace/loop.h"
#include "userspace/ng/ng.h"
#include "userspace/open_sip.h"
#include "userspace/operate.h"
#include "userspace/play/play.h"
#include "userspace/session/session.h"
#include "userspace/sip/sip.h"
#include "userspace/store/store.h"
#include "userspace/util/log.h"
#include "userspace/util/secrecy.h"

#define SWEEP_TICKS	60 /* forwards that cannot be had at once are tried again meanwhile */
#define TICK_MS		1000
#define RECONCILE_TICKS 60

/* SIGHUP: files that may have been renamed are opened anew at the next tick. */
static volatile sig_atomic_t hangup_seen;

struct relay {
	const struct tandem_config *cfg;
	bool fresh, take_over;
	int taken_fd; /* the process that has handed over and waits to hear that all is well; or -1 */
	struct tandem_resolved resolved;
	struct tandem_loop *loop;
	struct tandem_api api;
	struct tandem_control *control;
	struct tandem_store *store;
	struct tandem_plane *plane;
	struct tandem_sessions *sessions;
	struct tandem_sip *sip;
	struct tandem_play *play;
	struct tandem_ng *ng;
	struct tandem_cluster *cluster;
	struct tandem_cdr *cdr;
	struct tandem_operate operate;
	struct tandem_handover *handover;
	uint64_t ticks;
	char why[512];
};

static int failed(const struct relay *relay, const char *what, int ret)
{
	tandem_log(TANDEM_LOG_ERROR, "run", "%s: %s", what,
		   relay->why[0] ? relay->why : strerror(-ret));
	return ret;
}

static int resolve(struct relay *relay)
{
	struct tandem_config_error err;
	struct tandem_host host;
	int ret = tandem_host_init(&host);

	if (ret)
		return failed(relay, "addresses of this host", ret);
	ret = tandem_resolve(&relay->resolved, relay->cfg, &host, &err);
	tandem_host_clean(&host);
	if (ret) {
		tandem_log(TANDEM_LOG_ERROR, "config", "%s: %s", err.key, err.text);
		return ret;
	}
	relay->resolved.datapath.fresh = relay->fresh;
	for (size_t i = 0; i < relay->resolved.warnings_count; i++)
		tandem_log(TANDEM_LOG_WARNING, "config", "%s", relay->resolved.warnings[i]);
	return 0;
}

/* ---- the local API --------------------------------------------------------- */

static int end_session(struct relay *relay, const char *call, const char *why)
{
	/* The session's own string goes with the session. */
	char *name = strdup(call);
	int ret;

	if (!name)
		return -ENOMEM;
	ret = tandem_session_end(relay->sessions, name, why);
	if (!ret && relay->sip)
		tandem_sip_session_ended(relay->sip, name, why);
	free(name);
	return ret;
}

/* The call, with all of its branches. */
static int api_end(const char *call, const char *why, void *arg)
{
	struct relay *relay = arg;
	char call_id[TANDEM_SESSION_NAME_SIZE];
	int ret = 0;

	snprintf(call_id, sizeof(call_id), "%.*s", (int)strcspn(call, " "), call);
	while (!ret && (call = tandem_session_find(relay->sessions, call_id)))
		ret = end_session(relay, call, why);
	return ret;
}

static json_t *api_registrations(void *arg)
{
	struct relay *relay = arg;

	return tandem_sip_registrations_json(relay->sip);
}

static json_t *api_gateways(void *arg)
{
	struct relay *relay = arg;

	return tandem_sip_gateways_json(relay->sip);
}

static json_t *api_stats(void *arg)
{
	struct relay *relay = arg;
	json_t *doc = tandem_sessions_stats_json(relay->sessions);
	struct tandem_sip_stats sip;

	if (!doc)
		return NULL;
	tandem_sip_stats(relay->sip, &sip);
	json_object_set_new(doc, "registrations", json_integer((json_int_t)sip.registrations));
	json_object_set_new(doc, "auth", tandem_sip_auth_json(relay->sip));
	json_object_set_new(doc, "dropped", tandem_sip_dropped_json(relay->sip));
	json_object_set_new(doc, "connections", tandem_sip_connections_json(relay->sip));
	json_object_set_new(doc, "datagrams", tandem_sip_datagrams_json(relay->sip));
	json_object_set_new(doc, "web", tandem_sip_web_json(relay->sip));
	json_object_set_new(doc, "ng", tandem_ng_json(relay->ng));
	json_object_set_new(doc, "play", tandem_play_json(relay->play));
	json_object_set_new(doc, "cluster", tandem_cluster_json(relay->cluster));
	json_object_set_new(doc, "cdr", tandem_cdr_json(relay->cdr));
	json_object_set_new(doc, "draining", json_boolean(relay->operate.draining));
	json_object_set_new(doc, "transactions", json_integer((json_int_t)sip.transactions));
	return doc;
}

/* ---- handover -------------------------------------------------------------- */

static int api_more(const char *call, const json_t *params, json_t **result, char *why,
		    size_t why_size, void *arg)
{
	struct relay *relay = arg;
	int ret = tandem_handover_call(call, params, result, why, why_size, relay->handover);

	return ret == -ENOSYS
		       ? tandem_operate_call(call, params, result, why, why_size, &relay->operate)
		       : ret;
}

static void handover_quiet(bool on, void *arg)
{
	struct relay *relay = arg;

	tandem_sip_quiet(relay->sip, on);
}

static size_t handover_open(void *arg)
{
	struct relay *relay = arg;
	struct tandem_sip_stats stats;

	tandem_sip_stats(relay->sip, &stats);
	return stats.transactions;
}

static void handover_go(void *arg)
{
	struct relay *relay = arg;

	tandem_loop_stop(relay->loop);
}

static int open_handover(struct relay *relay)
{
	static const struct tandem_handover_ops ops = { handover_quiet, handover_open,
							handover_go };
	int ret = tandem_handover_open(&relay->handover, relay->cfg->control_socket, &ops, relay);

	return ret ? failed(relay, "handover", ret) : 0;
}

/* Late: what can be seen to be wrong without the other one having to stop has been seen. */
static int take_over(struct relay *relay)
{
	int ret = relay->take_over
			  ? tandem_handover_take(&relay->taken_fd, relay->cfg->control_socket,
						 relay->why, sizeof(relay->why))
			  : 0;

	return ret ? failed(relay, "taking over", ret) : 0;
}

/* First of all parts: the socket also keeps a second relay from taking this one's state. */
static int open_control(struct relay *relay)
{
	int ret = tandem_control_open(&relay->control, relay->cfg->control_socket, tandem_api_call,
				      &relay->api, relay->why, sizeof(relay->why));

	return ret ? failed(relay, "control socket", ret) : 0;
}

/* ---- forwarding and sessions ----------------------------------------------- */

static int open_store(struct relay *relay)
{
	int ret = tandem_store_open(&relay->store, relay->cfg->database, relay->why,
				    sizeof(relay->why));

	return ret ? failed(relay, "database", ret) : 0;
}

static int open_plane(struct relay *relay)
{
	const char *want = relay->cfg->datapath;
	int ret = tandem_plane_open(&relay->plane, want, &relay->resolved.datapath, relay->why,
				    sizeof(relay->why));

	if (ret)
		return failed(relay, "datapath", ret);
	if (relay->why[0] && strcmp(want, "auto") == 0)
		tandem_log(TANDEM_LOG_WARNING, "run", "datapath: %s (not usable: %s)",
			   tandem_plane_name(relay->plane), relay->why);
	else
		tandem_log(TANDEM_LOG_INFO, "run", "datapath: %s (%s)",
			   tandem_plane_name(relay->plane), tandem_plane_describe(relay->plane));
	relay->why[0] = '\0';
	return 0;
}

static void on_session_ended(const char *call, const char *why, void *arg)
{
	struct relay *relay = arg;

	/* None yet while the sessions of an earlier run are taken up. */
	if (relay->sip)
		tandem_sip_session_ended(relay->sip, call, why);
}

static void on_session_over(const char *call_id, const char *why, bool established, json_t *report,
			    void *arg)
{
	struct relay *relay = arg;

	/* two have answered at once, and the caller has kept the other */
	if (established && tandem_session_confirmed(relay->sessions, call_id))
		json_decref(report);
	else
		tandem_cdr_session_over(relay->cdr, call_id, why, established, report);
}

static bool session_exists(const char *call_id, void *arg)
{
	struct relay *relay = arg;

	return tandem_session_find(relay->sessions, call_id) != NULL;
}

static void adopt_call(const struct tandem_dialog *dialog, int64_t started_ms, void *arg)
{
	struct relay *relay = arg;

	tandem_cdr_adopt(relay->cdr, dialog->call_id, dialog->from_uri, dialog->to_uri, started_ms);
}

/* After the sessions are there again: calls that have not come back get their records. */
static int open_cdr(struct relay *relay)
{
	char path[4096];
	const struct tandem_config_cdr *cdr = &relay->cfg->cdr;
	const struct tandem_cdr_config cfg = {
		.database = tandem_config_cdr_database(relay->cfg, path, sizeof(path)),
		.log = strcmp(cdr->log, "none") ? cdr->log : NULL,
		.keep_days = cdr->keep_days,
		.max_records = cdr->max_records,
		.max_calls = 2 * relay->cfg->media.max_sessions,
	};
	int ret;

	if (!cfg.database && !cfg.log)
		return 0;
	ret = tandem_cdr_open(&relay->cdr, &cfg);
	if (ret)
		return failed(relay, "call records", ret);
	tandem_sessions_on_over(relay->sessions, on_session_over, relay);
	tandem_sessions_each(relay->sessions, adopt_call, relay);
	tandem_cdr_reconcile(relay->cdr, session_exists, relay);
	return 0;
}

static int open_sessions(struct relay *relay)
{
	int ret = tandem_sessions_alloc(&relay->sessions, &relay->resolved.sessions, relay->plane,
					relay->store, on_session_ended, relay);

	if (ret)
		return failed(relay, "sessions", ret);
	relay->api.sessions = relay->sessions;
	return 0;
}

/* ---- SIP ------------------------------------------------------------------- */

static int open_sip(struct relay *relay)
{
	const struct tandem_open_sip parts = { relay->cfg, &relay->resolved, relay->cdr,
					       relay->sessions, relay->store };
	int ret = tandem_open_sip(&relay->sip, &parts, relay->why, sizeof(relay->why));

	if (ret)
		return failed(relay, "SIP", ret);
	relay->operate.sip = relay->sip;
	relay->operate.sessions = relay->sessions;
	return 0;
}

static int open_play(struct relay *relay)
{
	const struct tandem_play_config cfg = {
		.dir = relay->cfg->media.play_dir,
		.max_players = relay->cfg->media.max_players,
	};
	int ret = tandem_play_open(&relay->play, &cfg, relay->sessions, relay->plane);

	relay->api.play = relay->play;
	return ret ? failed(relay, "media.play_dir", ret) : 0;
}

/* ---- NG -------------------------------------------------------------------- */

static char *metrics(void *arg)
{
	json_t *stats = api_stats(arg);
	char *text = stats ? tandem_metrics_text(stats) : NULL;

	json_decref(stats);
	return text;
}

static int open_ng(struct relay *relay)
{
	struct tandem_ng_config *cfg = &relay->resolved.ng;
	int ret;

	if (!cfg->listen_count)
		return 0;
	cfg->draining = &relay->operate.draining;
	cfg->metrics_h = metrics;
	cfg->arg = relay;
	cfg->play = relay->play;
	ret = tandem_ng_open(&relay->ng, cfg, relay->sessions, relay->why, sizeof(relay->why));
	if (ret)
		return failed(relay, "NG", ret);
	for (unsigned int i = 0; i < relay->cfg->ng.listen_count; i++)
		tandem_log(TANDEM_LOG_INFO, "run", "NG on %s", relay->cfg->ng.listen[i]);
	return 0;
}

/* ---- the cluster ------------------------------------------------------------ */

static int open_cluster(struct relay *relay)
{
	int ret;

	if (!relay->resolved.cluster.node)
		return 0;
	ret = tandem_cluster_open(&relay->cluster, &relay->resolved.cluster, relay->sessions,
				  adopt_call, relay, relay->why, sizeof(relay->why));
	return ret ? failed(relay, "cluster", ret) : 0;
}

/* ---- the loop -------------------------------------------------------------- */

static void on_control(void *arg)
{
	struct relay *relay = arg;

	tandem_control_dispatch(relay->control);
}

static void on_plane(void *arg)
{
	struct relay *relay = arg;

	tandem_sessions_dispatch(relay->sessions);
}

static void on_ng(void *arg)
{
	struct relay *relay = arg;

	tandem_ng_dispatch(relay->ng);
}

static void on_handover(void *arg)
{
	struct relay *relay = arg;

	tandem_handover_dispatch(relay->handover);
}

static void on_timer(void *arg)
{
	struct relay *relay = arg;

	tandem_sessions_timer(relay->sessions);
}

static void on_tick(void *arg)
{
	struct relay *relay = arg;

	tandem_sessions_tick(relay->sessions);
	if (++relay->ticks == SWEEP_TICKS)
		tandem_plane_sweep(relay->plane);
	tandem_cluster_tick(relay->cluster);
	tandem_cdr_tick(relay->cdr);
	tandem_log_tick();
	if (relay->ticks % RECONCILE_TICKS == 0)
		tandem_cdr_reconcile(relay->cdr, session_exists, relay);
	if (hangup_seen) {
		hangup_seen = 0;
		tandem_cdr_reopen(relay->cdr);
		tandem_sip_reload(relay->sip);
	}
	if (tandem_operate_done(&relay->operate))
		tandem_loop_stop(relay->loop);
}

static int watch(struct relay *relay)
{
	int event_fd = tandem_plane_event_fd(relay->plane);
	int ret = tandem_loop_watch(relay->loop, tandem_control_fd(relay->control), on_control,
				    relay);

	if (!ret && event_fd >= 0)
		ret = tandem_loop_watch(relay->loop, event_fd, on_plane, relay);
	if (!ret)
		ret = tandem_loop_watch(relay->loop, tandem_sessions_timer_fd(relay->sessions),
					on_timer, relay);
	if (!ret && relay->ng)
		ret = tandem_loop_watch(relay->loop, tandem_ng_fd(relay->ng), on_ng, relay);
	if (!ret)
		ret = tandem_loop_watch(relay->loop, tandem_handover_fd(relay->handover),
					on_handover, relay);
	if (ret)
		return failed(relay, "event loop", ret);
	tandem_loop_every(relay->loop, TICK_MS, on_tick, relay);
	return 0;
}

static int open_loop(struct relay *relay)
{
	int ret = tandem_loop_open(&relay->loop);

	return ret ? failed(relay, "event loop", ret) : 0;
}

static int open_all(struct relay *relay)
{
	static int (*const steps[])(struct relay * relay) = {
		resolve,    open_handover, open_loop,	  take_over, open_control,
		open_store, open_plane,	   open_sessions, open_cdr,  open_sip,
		open_play,  open_ng,	   open_cluster,  watch,
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int ret = steps[i](relay);

		if (ret)
			return ret;
	}
	return 0;
}

static void say_goodbye(const struct relay *relay, size_t calls)
{
	if (!calls)
		tandem_log(TANDEM_LOG_INFO, "run", "stopped; no calls or forwards were up");
	else if (strcmp(tandem_plane_name(relay->plane), "kmod") == 0)
		tandem_log(TANDEM_LOG_INFO, "run",
			   "stopped; calls and forwards that go on in the kernel module: %zu; "
			   "taken up at the next "
			   "start",
			   calls);
	else if (strcmp(tandem_plane_name(relay->plane), "xdp") == 0)
		tandem_log(TANDEM_LOG_INFO, "run",
			   "stopped; calls and forwards that go on in the fast path: %zu; pinned "
			   "under %s, and "
			   "taken up at the next start",
			   calls, relay->cfg->bpf_dir);
	else if (strcmp(tandem_plane_name(relay->plane), "dpdk") == 0)
		tandem_log(TANDEM_LOG_INFO, "run",
			   "stopped; calls and forwards that go on in the worker at %s: %zu; taken "
			   "up at the "
			   "next start",
			   relay->cfg->dpdk.socket, calls);
	else
		tandem_log(TANDEM_LOG_WARNING, "run",
			   "stopped; calls and forwards whose media stands still until the next "
			   "start: %zu",
			   calls);
}

/* ran: it was in service, so what is up now is worth keeping for the next run. */
static void close_all(struct relay *relay, bool ran)
{
	size_t calls = relay->sessions ? tandem_sessions_count(relay->sessions) +
						 tandem_forwards_count(relay->sessions)
				       : 0;

	bool handed = tandem_handover_agreed(relay->handover);

	if (ran && !handed)
		say_goodbye(relay, calls);
	if (relay->loop)
		tandem_loop_forget(relay->loop);
	if (relay->sip)
		tandem_sip_free(relay->sip);
	tandem_ng_close(relay->ng);
	tandem_play_close(relay->play);
	tandem_cluster_close(relay->cluster);
	tandem_cdr_close(relay->cdr);
	if (relay->sessions)
		tandem_sessions_free(relay->sessions);
	/* After a failed start the calls of an earlier run must not suffer either. */
	if (relay->plane)
		tandem_plane_close(relay->plane, handed || calls > 0 || (!ran && !relay->sessions));
	if (relay->store)
		tandem_store_close(relay->store);
	tandem_loop_close(relay->loop);
	tandem_control_close(relay->control);
}

static void on_hangup(int sig)
{
	(void)sig;
	hangup_seen = 1;
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
	tandem_secrecy(cfg->core_dumps);
}

/* Tells the process that has handed over, if there is one, which then ends. */
static int in_service(struct relay *relay)
{
	int fd = relay->taken_fd, ret;

	if (fd < 0)
		return 0;
	relay->taken_fd = -1;
	ret = tandem_handover_ready(fd);
	return ret ? failed(relay, "taking over: the other process goes on", ret) : 0;
}

/* From start to end. *handover is what has been agreed on meanwhile, or NULL. */
static int serve(struct relay *relay, struct tandem_handover **handover)
{
	int ret = open_all(relay);
	bool ran;

	if (!ret)
		ret = in_service(relay);
	ran = !ret;
	if (ran)
		ret = tandem_loop_run(relay->loop);
	close_all(relay, ran);
	if (relay->taken_fd >= 0)
		close(relay->taken_fd);
	*handover = relay->handover;
	if (!tandem_handover_agreed(relay->handover)) {
		tandem_handover_close(relay->handover);
		*handover = NULL;
	}
	return ret > 0 ? 0 : ret;
}

static int run_once(const struct tandem_config *cfg, bool fresh, bool take,
		    struct tandem_handover **handover)
{
	struct relay *relay = calloc(1, sizeof(*relay));
	int ret;

	*handover = NULL;
	if (!relay)
		return -ENOMEM;
	relay->cfg = cfg;
	relay->fresh = fresh;
	relay->take_over = take;
	relay->taken_fd = -1;
	relay->operate.drain_timeout_s = cfg->drain.timeout_s;
	relay->api = (struct tandem_api){
		.end = api_end,
		.registrations = api_registrations,
		.gateways = api_gateways,
		.stats = api_stats,
		.arg = relay,
		.more = api_more,
		.more_arg = relay,
	};
	ret = serve(relay, handover);
	free(relay);
	return ret;
}

int tandem_run(const struct tandem_config *cfg, bool fresh, bool take)
{
	struct tandem_handover *handover;
	int ret;

	set_up_process(cfg);
	for (;;) {
		ret = run_once(cfg, fresh, take, &handover);
		if (!handover)
			return ret;
		ret = tandem_handover_give(handover);
		tandem_handover_close(handover);
		if (!ret)
			break;
		tandem_log(TANDEM_LOG_ERROR, "run", "handover: %s; this process goes on",
			   ret == -ETIMEDOUT ? "the other process was not ready in time"
					     : "the other process has ended");
		fresh = take = false;
	}
	tandem_log(TANDEM_LOG_INFO, "run", "stopped; another process has taken over");
	return 0;
}
