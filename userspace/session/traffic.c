/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/session/traffic.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "userspace/session/counts.h"
#include "userspace/session/snapshot.h"

#define NS_PER_MS 1e6

_Static_assert(TANDEM_TRAFFIC_MEDIA >= TANDEM_MEDIA_MAX, "there is room for all media");

static struct tandem_endpoint endpoint(const struct ip_addr *ip, __be16 port)
{
	return (struct tandem_endpoint){ *ip, ntohs(port) };
}

static void put_flow(struct tandem_traffic *t, const struct tandem_flow_view *v)
{
	const struct flow_key *key = &v->spec->key;
	const struct tandem_flow_state *flow = &v->stats.flow;

	t->flows[t->flow_count++] = (struct tandem_traffic_flow){
		.from = v->from,
		.media = v->media_index,
		.rtcp = v->comp == TANDEM_RTCP,
		.local = endpoint(&key->local, key->local_port),
		.remote = endpoint(&key->remote, key->remote_port),
		.packets = flow->packets,
		.octets = flow->octets,
		.dropped = flow->dropped,
		.datapath = v->known && v->stats.datapath ? v->stats.datapath : "none",
	};
}

static void put_stream(struct tandem_traffic *t, const struct tandem_snapshot *snap,
		       const struct tandem_flow_view *v, const struct tandem_stream *st)
{
	struct tandem_stream_loss loss;

	tandem_stream_loss(st, &loss);
	t->streams[t->stream_count++] = (struct tandem_traffic_stream){
		.ssrc = st->ssrc,
		.packets = st->packets,
		.lost = loss.lost,
		.jitter_ms = st->jitter_ns / 16 / NS_PER_MS,
		.mos = tandem_snapshot_mos(snap, v, st),
	};
}

static size_t streams_of(const struct tandem_flow_view *v)
{
	return v->comp == TANDEM_RTP ? v->stats.stream_count : 0;
}

static int put_all(struct tandem_traffic *t, const struct tandem_snapshot *snap)
{
	size_t i, k, streams = 0;

	for (i = 0; i < snap->n; i++)
		streams += streams_of(&snap->flows[i]);
	t->flows = calloc(snap->n + 1, sizeof(*t->flows));
	t->streams = calloc(streams + 1, sizeof(*t->streams));
	if (!t->flows || !t->streams)
		return -ENOMEM;
	for (i = 0; i < snap->n; i++) {
		put_flow(t, &snap->flows[i]);
		for (k = 0; k < streams_of(&snap->flows[i]); k++)
			put_stream(t, snap, &snap->flows[i], &snap->flows[i].stats.streams[k]);
	}
	return 0;
}

static const char *tag_of(const struct tandem_session *s, enum tandem_party_id party)
{
	return s->absent[party] ? NULL : s->tag[party];
}

int tandem_session_traffic(struct tandem_sessions *ss, const char *call, struct tandem_traffic *t)
{
	const struct tandem_session *s = tandem_sessions_by_text(ss, call);
	struct tandem_snapshot snap;
	size_t i;
	int err;

	if (!s)
		return -ENOENT;
	*t = (struct tandem_traffic){
		.tag = { tag_of(s, TANDEM_PARTY_A), tag_of(s, TANDEM_PARTY_B) },
		.started_s = s->started_ms / 1000,
		.media_count = s->agreed.n,
	};
	for (i = 0; i < s->agreed.n; i++)
		t->media_type[i] = s->agreed.v[i].type;
	err = tandem_snapshot_init(&snap, ss, s);
	if (!err)
		err = put_all(t, &snap);
	tandem_snapshot_clean(&snap);
	if (err)
		tandem_traffic_clean(t);
	return err;
}

void tandem_traffic_clean(struct tandem_traffic *t)
{
	free(t->flows);
	free(t->streams);
	*t = (struct tandem_traffic){ 0 };
}
