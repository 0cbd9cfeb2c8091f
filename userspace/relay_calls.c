/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/live/stream.h"
#include "userspace/cdr/cdr.h"
#include "userspace/cluster/cluster.h"
#include "userspace/cluster/location.h"
#include "userspace/control/metrics.h"
#include "userspace/handover/handover.h"
#include "userspace/ng/ng.h"
#include "userspace/play/play.h"
#include "userspace/record/record.h"
#include "userspace/relay.h"
#include "userspace/session/session.h"
#include "userspace/sip/sip.h"

static int end_session(struct tandem_relay *relay, const char *call, const char *why)
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
	struct tandem_relay *relay = arg;
	char call_id[TANDEM_SESSION_NAME_SIZE];
	int ret = 0;

	snprintf(call_id, sizeof(call_id), "%.*s", (int)strcspn(call, " "), call);
	while (!ret && (call = tandem_session_find(relay->sessions, call_id)))
		ret = end_session(relay, call, why);
	return ret;
}

static json_t *api_registrations(void *arg)
{
	struct tandem_relay *relay = arg;

	return tandem_sip_registrations_json(relay->sip);
}

static json_t *api_gateways(void *arg)
{
	struct tandem_relay *relay = arg;

	return tandem_sip_gateways_json(relay->sip);
}

static json_t *api_stats(void *arg)
{
	struct tandem_relay *relay = arg;
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
	json_object_set_new(doc, "capture", tandem_live_json(relay->live));
	json_object_set_new(doc, "record", tandem_record_stats(relay->record));
	json_object_set_new(doc, "cluster", tandem_cluster_json(relay->cluster));
	json_object_set_new(doc, "location", tandem_cluster_location_json(relay->location));
	json_object_set_new(doc, "cdr", tandem_cdr_json(relay->cdr));
	json_object_set_new(doc, "draining", json_boolean(relay->operate.draining));
	json_object_set_new(doc, "transactions", json_integer((json_int_t)sip.transactions));
	return doc;
}

static int api_more(const char *call, const json_t *params, json_t **result, char *why,
		    size_t why_size, void *arg)
{
	struct tandem_relay *relay = arg;
	int ret = tandem_handover_call(call, params, result, why, why_size, relay->handover);

	if (ret == -ENOSYS)
		ret = tandem_record_call(call, params, result, why, why_size, relay->record);
	if (ret == -ENOSYS && relay->streams)
		ret = tandem_streams_call(call, params, result, why, why_size, relay->streams);
	return ret == -ENOSYS
		       ? tandem_operate_call(call, params, result, why, why_size, &relay->operate)
		       : ret;
}

void tandem_relay_api_init(struct tandem_relay *relay)
{
	relay->api = (struct tandem_api){
		.end = api_end,
		.registrations = api_registrations,
		.gateways = api_gateways,
		.stats = api_stats,
		.arg = relay,
		.more = api_more,
		.more_arg = relay,
	};
}

char *tandem_relay_metrics(void *arg)
{
	json_t *stats = api_stats(arg);
	char *text = stats ? tandem_metrics_text(stats) : NULL;

	json_decref(stats);
	return text;
}
