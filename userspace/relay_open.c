/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/live/filter.h"
#include "userspace/live/stream.h"
#include "userspace/cdr/cdr.h"
#include "userspace/cluster/cluster.h"
#include "userspace/control/control.h"
#include "userspace/datapath/bequest.h"
#include "userspace/datapath/plane.h"
#include "userspace/handover/handover.h"
#include "userspace/loop.h"
#include "userspace/ng/ng.h"
#include "userspace/open_sip.h"
#include "userspace/play/play.h"
#include "userspace/record/record.h"
#include "userspace/relay.h"
#include "userspace/session/session.h"
#include "userspace/sip/sip.h"
#include "userspace/store/store.h"
#include "userspace/util/log.h"

int tandem_relay_failed(const struct tandem_relay *relay, const char *what, int ret)
{
	tandem_log(TANDEM_LOG_ERROR, "run", "%s: %s", what,
		   relay->why[0] ? relay->why : strerror(-ret));
	return ret;
}

static int resolve(struct tandem_relay *relay)
{
	struct tandem_config_error err;
	struct tandem_host host;
	int ret = tandem_host_init(&host);

	if (ret)
		return tandem_relay_failed(relay, "addresses of this host", ret);
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

/* ---- handover -------------------------------------------------------------- */

static void handover_quiet(bool on, void *arg)
{
	struct tandem_relay *relay = arg;

	tandem_sip_quiet(relay->sip, on);
}

static size_t handover_open(void *arg)
{
	struct tandem_relay *relay = arg;
	struct tandem_sip_stats stats;

	tandem_sip_stats(relay->sip, &stats);
	return stats.transactions;
}

static void handover_go(void *arg)
{
	struct tandem_relay *relay = arg;

	tandem_loop_stop(relay->loop);
}

static int open_handover(struct tandem_relay *relay)
{
	static const struct tandem_handover_ops ops = { handover_quiet, handover_open,
							handover_go };
	int ret = tandem_handover_open(&relay->handover, relay->cfg->control_socket, &ops, relay);

	return ret ? tandem_relay_failed(relay, "handover", ret) : 0;
}

/* Late: what can be seen to be wrong without the other one having to stop has been seen. */
static int take_over(struct tandem_relay *relay)
{
	int ret = relay->take_over ? tandem_handover_take(&relay->taken_fd, relay->bequest,
							  relay->cfg->control_socket, relay->why,
							  sizeof(relay->why))
				   : 0;

	return ret ? tandem_relay_failed(relay, "taking over", ret) : 0;
}

/* First of all parts: the socket also keeps a second relay from taking this one's state. */
static int open_control(struct tandem_relay *relay)
{
	int ret = tandem_control_open(&relay->control, relay->cfg->control_socket, tandem_api_call,
				      &relay->api, relay->why, sizeof(relay->why));

	return ret ? tandem_relay_failed(relay, "control socket", ret) : 0;
}

/* ---- forwarding and sessions ----------------------------------------------- */

static int open_store(struct tandem_relay *relay)
{
	int ret = tandem_store_open(&relay->store, relay->cfg->database, relay->why,
				    sizeof(relay->why));

	return ret ? tandem_relay_failed(relay, "database", ret) : 0;
}

static int open_plane(struct tandem_relay *relay)
{
	const char *want = relay->cfg->datapath;
	int ret;

	relay->resolved.datapath.bequest = relay->bequest;
	ret = tandem_plane_open(&relay->plane, want, &relay->resolved.datapath, relay->why,
				sizeof(relay->why));

	if (ret)
		return tandem_relay_failed(relay, "datapath", ret);
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
	struct tandem_relay *relay = arg;

	/* None yet while the sessions of an earlier run are taken up. */
	if (relay->sip)
		tandem_sip_session_ended(relay->sip, call, why);
}

/* Records are of calls by SIP: what others drive is on record there. */
static void on_session_over(enum tandem_owner owner, const char *call_id, const char *why,
			    bool established, json_t *report, void *arg)
{
	struct tandem_relay *relay = arg;

	/* two have answered at once, and the caller has kept the other */
	if (owner != TANDEM_OWNER_SIP ||
	    (established && tandem_session_confirmed(relay->sessions, owner, call_id)))
		json_decref(report);
	else
		tandem_cdr_session_over(relay->cdr, call_id, why, established, report);
}

static bool session_exists(const char *call_id, void *arg)
{
	struct tandem_relay *relay = arg;

	return tandem_session_first(relay->sessions, TANDEM_OWNER_SIP, call_id) != NULL;
}

void tandem_relay_reconcile(struct tandem_relay *relay)
{
	tandem_cdr_reconcile(relay->cdr, session_exists, relay);
}

static void adopt_call(const struct tandem_dialog *dialog, int64_t started_ms, void *arg)
{
	struct tandem_relay *relay = arg;

	if (dialog->owner != TANDEM_OWNER_SIP)
		return;
	tandem_cdr_adopt(relay->cdr, dialog->call_id, dialog->from_uri, dialog->to_uri, started_ms);
}

/* After the sessions are there again: calls that have not come back get their records. */
static int open_cdr(struct tandem_relay *relay)
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
		return tandem_relay_failed(relay, "call records", ret);
	tandem_sessions_on_over(relay->sessions, on_session_over, relay);
	tandem_sessions_each(relay->sessions, adopt_call, relay);
	tandem_relay_reconcile(relay);
	return 0;
}

/* Before the sessions: nobody captures yet what an earlier run has had captured. */
static int open_live(struct tandem_relay *relay)
{
	int ret = tandem_live_open(&relay->live, relay->plane);

	if (!ret)
		ret = tandem_streams_open(&relay->streams, relay->live, relay->cfg->control_socket);
	return ret ? tandem_relay_failed(relay, "captures", ret) : 0;
}

static int open_sessions(struct tandem_relay *relay)
{
	int ret = tandem_sessions_alloc(&relay->sessions, &relay->resolved.sessions, relay->plane,
					relay->store, on_session_ended, relay);

	if (ret)
		return tandem_relay_failed(relay, "sessions", ret);
	tandem_live_attach(relay->live, relay->sessions);
	tandem_plane_resume(relay->plane);
	tandem_bequest_clean(relay->bequest);
	relay->api.sessions = relay->sessions;
	return 0;
}

/* ---- SIP ------------------------------------------------------------------- */

static void on_sip_message(const struct tandem_sip_message *m, void *arg)
{
	struct tandem_relay *relay = arg;
	const struct tandem_live_sip live = {
		m->sent, m->transport, m->from, m->to, m->text, m->len
	};

	tandem_streams_sip(relay->streams, &live);
}

static int open_sip(struct tandem_relay *relay)
{
	const struct tandem_open_sip parts = { relay->cfg, &relay->resolved, relay->cdr,
					       relay->sessions, relay->store };
	int ret = tandem_open_sip(&relay->sip, &parts, relay->why, sizeof(relay->why));

	if (ret)
		return tandem_relay_failed(relay, "SIP", ret);
	tandem_sip_on_message(relay->sip, on_sip_message, relay);
	relay->operate.sip = relay->sip;
	relay->operate.sessions = relay->sessions;
	return 0;
}

static int open_play(struct tandem_relay *relay)
{
	const struct tandem_play_config cfg = {
		.dir = relay->cfg->media.play_dir,
		.max_players = relay->cfg->media.max_players,
	};
	int ret = tandem_play_open(&relay->play, &cfg, relay->sessions, relay->plane);

	relay->api.play = relay->play;
	return ret ? tandem_relay_failed(relay, "media.play_dir", ret) : 0;
}

static int open_record(struct tandem_relay *relay)
{
	const char *forward = relay->cfg->record.forward;
	struct tandem_record_config cfg = {
		.dir = relay->cfg->record.dir,
		.all = strcmp(relay->cfg->record.calls, "all") == 0,
		.min_free_mb = relay->cfg->record.min_free_mb,
		.max_recordings = relay->cfg->record.max_recordings,
		.forward_rate = relay->cfg->record.forward_rate,
	};
	int ret;

	if (forward)
		(void)tandem_endpoint_parse(&cfg.forward, forward + strlen("tcp:"));
	if (!cfg.dir && !forward)
		return 0;
	ret = tandem_record_open(&relay->record, &cfg, relay->sessions, relay->live, relay->why,
				 sizeof(relay->why));
	return ret ? tandem_relay_failed(relay, "record.dir", ret) : 0;
}

/* ---- NG -------------------------------------------------------------------- */

static int open_ng(struct tandem_relay *relay)
{
	struct tandem_ng_config *cfg = &relay->resolved.ng;
	int ret;

	if (!cfg->listen_count)
		return 0;
	cfg->draining = &relay->operate.draining;
	cfg->metrics_h = tandem_relay_metrics;
	cfg->arg = relay;
	cfg->play = relay->play;
	cfg->record = relay->record;
	ret = tandem_ng_open(&relay->ng, cfg, relay->sessions, relay->why, sizeof(relay->why));
	if (ret)
		return tandem_relay_failed(relay, "NG", ret);
	for (unsigned int i = 0; i < relay->cfg->ng.listen_count; i++)
		tandem_log(TANDEM_LOG_INFO, "run", "NG on %s", relay->cfg->ng.listen[i]);
	return 0;
}

/* ---- the cluster ------------------------------------------------------------ */

static int open_cluster(struct tandem_relay *relay)
{
	int ret;

	if (!relay->resolved.cluster.node)
		return 0;
	ret = tandem_cluster_open(&relay->cluster, &relay->resolved.cluster, relay->sessions,
				  adopt_call, relay, relay->why, sizeof(relay->why));
	return ret ? tandem_relay_failed(relay, "cluster", ret) : 0;
}

static int open_loop(struct tandem_relay *relay)
{
	int ret = tandem_loop_open(&relay->loop);

	return ret ? tandem_relay_failed(relay, "event loop", ret) : 0;
}

int tandem_relay_open(struct tandem_relay *relay)
{
	static int (*const steps[])(struct tandem_relay * relay) = {
		resolve,       open_handover, open_loop,    take_over,
		open_control,  open_store,    open_plane,   open_live,
		open_sessions, open_cdr,      open_sip,	    open_play,
		open_record,   open_ng,	      open_cluster, tandem_relay_open_location,
	};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int ret = steps[i](relay);

		if (ret)
			return ret;
	}
	return 0;
}

static void say_goodbye(const struct tandem_relay *relay, size_t calls)
{
	if (!calls)
		tandem_log(TANDEM_LOG_INFO, "run", "stopped; no calls or forwards were up");
	else if (strcmp(tandem_plane_name(relay->plane), "kmod") == 0)
		tandem_log(TANDEM_LOG_INFO, "run",
			   "stopped; calls and forwards that go on in the kernel module: %zu; "
			   "taken up at the next start",
			   calls);
	else if (strcmp(tandem_plane_name(relay->plane), "xdp") == 0)
		tandem_log(TANDEM_LOG_INFO, "run",
			   "stopped; calls and forwards that go on in the fast path: %zu; pinned "
			   "under %s, and taken up at the next start",
			   calls, relay->cfg->bpf_dir);
	else if (strcmp(tandem_plane_name(relay->plane), "dpdk") == 0)
		tandem_log(TANDEM_LOG_INFO, "run",
			   "stopped; calls and forwards that go on in the worker at %s: %zu; taken "
			   "up at the next start",
			   relay->cfg->dpdk.socket, calls);
	else
		tandem_log(TANDEM_LOG_WARNING, "run",
			   "stopped; calls and forwards whose media stands still until the next "
			   "start: %zu",
			   calls);
}

/* ran: it was in service, so what is up now is worth keeping for the next run. */
void tandem_relay_close(struct tandem_relay *relay, bool ran)
{
	size_t calls = relay->sessions ? tandem_sessions_count(relay->sessions) +
						 tandem_forwards_count(relay->sessions)
				       : 0;

	bool handed = tandem_handover_agreed(relay->handover);

	if (ran && !handed)
		say_goodbye(relay, calls);
	if (relay->loop)
		tandem_loop_forget(relay->loop);
	tandem_relay_close_location(relay);
	if (relay->sip)
		tandem_sip_free(relay->sip);
	tandem_ng_close(relay->ng);
	tandem_play_close(relay->play);
	tandem_cluster_close(relay->cluster);
	tandem_cdr_close(relay->cdr);
	tandem_record_close(relay->record);
	tandem_streams_close(relay->streams);
	tandem_live_close(relay->live);
	if (relay->sessions)
		tandem_sessions_free(relay->sessions);
	if (relay->plane && handed && tandem_plane_bequeath(relay->plane, relay->bequest))
		tandem_log(
			TANDEM_LOG_WARNING, "run",
			"sockets cannot be handed over: media through them stand still meanwhile");
	/* After a failed start the calls of an earlier run must not suffer either. */
	if (relay->plane)
		tandem_plane_close(relay->plane, handed || calls > 0 || (!ran && !relay->sessions));
	if (relay->store)
		tandem_store_close(relay->store);
	tandem_loop_close(relay->loop);
	tandem_control_close(relay->control);
}
