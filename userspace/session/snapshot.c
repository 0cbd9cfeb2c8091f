/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/session/snapshot.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/session/compile.h"

static bool is_spent(const struct tandem_sessions *ss, const struct tandem_srtp *key)
{
	return key && ss->env.key_spent(ss->plane, key->id);
}

/* What was dropped is of the past once the keys are others. */
static bool is_full(const struct tandem_sessions *ss, const struct tandem_flow_view *v)
{
	const struct tandem_fan *fan = v->spec->fan;
	uint32_t i;

	if (!v->stats.flow.no_room)
		return false;
	for (i = 0; fan && i < fan->key_count; i++) {
		if (is_spent(ss, &fan->keys[i]))
			return true;
	}
	return is_spent(ss, v->spec->srtp_in) || is_spent(ss, v->spec->srtp_out);
}

int tandem_snapshot_init(struct tandem_snapshot *snap, struct tandem_sessions *ss,
			 const struct tandem_session *s)
{
	size_t i;

	*snap = (struct tandem_snapshot){ .session = s, .now_ms = tandem_sessions_now(ss) };
	snap->flows = calloc(s->installed_count ? s->installed_count : 1, sizeof(*snap->flows));
	if (!snap->flows)
		return -ENOMEM;
	for (i = 0; i < s->installed_count; i++) {
		struct tandem_flow_view *v = &snap->flows[snap->n];
		uint64_t id = s->installed[i].id;

		v->media_index = tandem_flow_id_media(id);
		if (v->media_index >= s->agreed.n)
			continue;
		v->spec = &s->installed[i];
		v->from = tandem_flow_id_from(id);
		v->comp = tandem_flow_id_component(id);
		v->media = &s->agreed.v[v->media_index];
		v->leg = &v->media->leg[v->from];
		v->known = !ss->env.read(ss->plane, id, &v->stats);
		if (!v->known)
			memset(&v->stats, 0, sizeof(v->stats));
		v->full = is_full(ss, v);
		snap->n++;
	}
	return 0;
}

void tandem_snapshot_clean(struct tandem_snapshot *snap)
{
	free(snap->flows);
	*snap = (struct tandem_snapshot){ 0 };
}

static void add_flow(struct tandem_verdict_side *side, const struct tandem_flow_view *v)
{
	const struct tandem_flow_state *flow = &v->stats.flow;
	size_t i;

	if (v->leg->secure.wire && !v->leg->secure.rtp.in.suite)
		side->obstacle = tandem_wire_obstacle(v->leg->secure.wire);
	side->may_send |= v->leg->sends;
	side->packets += flow->packets - flow->rtcp_packets;
	for (i = 0; i < v->stats.stream_count; i++) {
		if (v->stats.streams[i].last_ns / 1000000 > side->last_ms)
			side->last_ms = v->stats.streams[i].last_ns / 1000000;
	}
	if (!side->expected_from.port)
		side->expected_from = *tandem_leg_endpoint(v->leg, TANDEM_RTP);
	if (!flow->unknown_source)
		return;
	side->unknown += flow->unknown_source;
	memcpy(side->unknown_from.ip.b, flow->unknown_addr, sizeof(flow->unknown_addr));
	side->unknown_from.port = ntohs(flow->unknown_port);
	side->expected_from = *tandem_leg_endpoint(v->leg, TANDEM_RTP);
}

/* What a command holds back is heard by the relay. */
static void add_acts(struct tandem_verdict_side *side, const struct tandem_flow_view *v,
		     uint8_t acts)
{
	size_t i;

	if (!(acts & (TANDEM_ACT_BLOCK | TANDEM_ACT_SILENCE)))
		return;
	side->blocked |= acts & TANDEM_ACT_BLOCK;
	side->silenced |= !(acts & TANDEM_ACT_BLOCK);
	for (i = 0; i < v->stats.stream_count; i++)
		side->packets += v->stats.streams[i].packets;
}

static uint8_t acts_of(const struct tandem_snapshot *snap, const struct tandem_flow_view *v)
{
	uint8_t acts = 0;
	size_t i;

	for (i = 0; i < snap->session->agreed.n; i++) {
		const struct tandem_media *m = &snap->session->agreed.v[i];

		if (m->active && m->leg[v->from].transport == v->media_index)
			acts |= tandem_acts_of(snap->session, v->from, i);
	}
	return acts;
}

const char *tandem_snapshot_verdict(const struct tandem_snapshot *snap, char *buf, size_t size)
{
	struct tandem_verdict_input in = { 0 };
	size_t i;

	/* its media is counted where it comes from */
	if (snap->session->feeds) {
		snprintf(buf, size, "subscribed to %012llx",
			 (unsigned long long)snap->session->source_number);
		return buf;
	}

	in.answered = snap->session->confirmed && snap->session->answered;
	in.held = tandem_session_state(snap->session) == TANDEM_STATE_HELD;
	in.relayed = snap->n > 0;
	in.now_ms = snap->now_ms;
	for (i = 0; i < snap->n; i++) {
		in.side[snap->flows[i].from].full |= snap->flows[i].full;
		if (snap->flows[i].comp != TANDEM_RTP)
			continue;
		add_flow(&in.side[snap->flows[i].from], &snap->flows[i]);
		add_acts(&in.side[snap->flows[i].from], &snap->flows[i],
			 acts_of(snap, &snap->flows[i]));
	}
	return tandem_verdict(&in, buf, size);
}

const char *tandem_snapshot_offload(const struct tandem_snapshot *snap)
{
	const char *datapath = "no flows";
	size_t i;

	for (i = 0; i < snap->n; i++) {
		const struct tandem_flow_view *v = &snap->flows[i];

		if (v->comp != TANDEM_RTP)
			continue;
		if (!v->known)
			return "not installed";
		if (!v->stats.offloaded)
			return v->stats.reason && *v->stats.reason ? v->stats.reason
								   : v->stats.datapath;
		datapath = v->stats.datapath;
	}
	return datapath;
}
