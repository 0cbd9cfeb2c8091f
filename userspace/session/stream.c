/* SPDX-License-Identifier: GPL-2.0-only */
/* RTP streams as the local API shows them. */
#include <stdint.h>
#include <stdio.h>
#include <strings.h>

#include "userspace/session/counts.h"
#include "userspace/session/mos.h"
#include "userspace/session/snapshot.h"

#define NS_PER_MS 1e6
#define PT_CN	  13 /* RFC 3551 6 */

static const struct tandem_codec *find_codec(const struct tandem_leg *leg, uint8_t pt)
{
	size_t i;

	for (i = 0; i < leg->codec_count; i++) {
		if (leg->codecs[i].pt == pt)
			return &leg->codecs[i];
	}
	return NULL;
}

/* Of the media that come by a flow, the one that has the payload type (RFC 9143 9.2); else the flow's. */
static size_t media_of(const struct tandem_snapshot *snap, const struct tandem_flow_view *v,
		       const struct tandem_stream *st)
{
	const struct tandem_media_list *list = &snap->session->agreed;
	const struct tandem_leg *leg;
	size_t i, k;

	for (i = 0; i < list->n; i++) {
		leg = &list->v[i].leg[v->from];
		if (!list->v[i].active || leg->transport != v->media_index)
			continue;
		for (k = 0; k < leg->ssrc_count; k++) {
			if (leg->ssrcs[k] == st->ssrc)
				return i;
		}
	}
	for (i = 0; i < list->n; i++) {
		leg = &list->v[i].leg[v->from];
		if (list->v[i].active && leg->transport == v->media_index &&
		    find_codec(leg, st->pt))
			return i;
	}
	return v->media_index;
}

/* Digits (RFC 4733) and comfort noise (RFC 3389) stand in a stream of some speech codec. */
static bool is_speech(const struct tandem_codec *c)
{
	return strcasecmp(c->name, "telephone-event") && strcasecmp(c->name, "CN");
}

/* The name of the codec that is listened to; NULL: unknown. */
static const char *speech_codec(const struct tandem_leg *leg, const struct tandem_stream *st)
{
	const struct tandem_codec *codec = find_codec(leg, st->pt);
	size_t i;

	if (codec && is_speech(codec))
		return codec->name;
	for (i = 0; (codec || st->pt == PT_CN) && i < leg->codec_count; i++) {
		if (is_speech(&leg->codecs[i]))
			return leg->codecs[i].name;
	}
	return NULL;
}

/*
 * The relay knows of a round trip in two halves: to the receiver, from reports on
 * this stream, and to its sender, from reports on what comes the other way.
 */
static double round_trip_ms(const struct tandem_snapshot *snap, const struct tandem_flow_view *v,
			    const struct tandem_stream *st)
{
	const struct tandem_media_list *list = &snap->session->agreed;
	const struct tandem_media *reverse = &list->v[v->media->leg[!v->from].transport];
	double ms = st->rtt_ns / NS_PER_MS;
	size_t i;

	for (i = 0; i < snap->n; i++) {
		const struct tandem_flow_view *other = &snap->flows[i];

		if (other->media == reverse && other->from != v->from &&
		    other->comp == TANDEM_RTP && other->stats.stream_count)
			return ms + other->stats.streams[0].rtt_ns / NS_PER_MS;
	}
	return ms;
}

/* Loss as the receiver has it includes the way from the relay on; believe the worse. */
static double worst_loss(const struct tandem_stream *st, const struct tandem_stream_loss *loss)
{
	double reported;

	if (!st->rr_count || st->rr_lost <= 0 || loss->expected <= 0)
		return loss->percent;
	reported = 100.0 * st->rr_lost / loss->expected;
	if (reported > 100)
		reported = 100;
	return reported > loss->percent ? reported : loss->percent;
}

static double estimate(const struct tandem_snapshot *snap, const struct tandem_flow_view *v,
		       const struct tandem_stream *st)
{
	struct tandem_stream_loss loss;
	struct tandem_mos_input in = {
		.codec = speech_codec(v->leg, st),
		.rtt_ms = round_trip_ms(snap, v, st),
		.jitter_ms = st->jitter_ns / 16 / NS_PER_MS,
	};

	tandem_stream_loss(st, &loss);
	in.loss_percent = worst_loss(st, &loss);
	return tandem_mos(&in);
}

/* The flow as that of the medium which the stream is of. */
static struct tandem_flow_view view_of(const struct tandem_snapshot *snap,
				       const struct tandem_flow_view *flow,
				       const struct tandem_stream *st)
{
	const size_t media = media_of(snap, flow, st);
	const struct tandem_media *m = &snap->session->agreed.v[media];

	return (struct tandem_flow_view){
		.media = m,
		.leg = &m->leg[flow->from],
		.media_index = media,
		.from = flow->from,
	};
}

/* The E-model is one of speech: of other media there is nothing to say. */
static double mos_of(const struct tandem_snapshot *snap, const struct tandem_flow_view *v,
		     const struct tandem_stream *st)
{
	if (!st->packets || strcasecmp(v->media->type, "audio"))
		return 0;
	return estimate(snap, v, st);
}

double tandem_snapshot_mos(const struct tandem_snapshot *snap, const struct tandem_flow_view *flow,
			   const struct tandem_stream *st)
{
	const struct tandem_flow_view v = view_of(snap, flow, st);

	return mos_of(snap, &v, st);
}

static json_t *show_stream(const struct tandem_snapshot *snap, const struct tandem_flow_view *flow,
			   const struct tandem_stream *st)
{
	const struct tandem_flow_view view = view_of(snap, flow, st), *v = &view;
	const double mos = mos_of(snap, v, st);
	const struct tandem_codec *codec = find_codec(v->leg, st->pt);
	char ssrc[16];
	json_t *js;

	snprintf(ssrc, sizeof(ssrc), "0x%08x", st->ssrc);
	js = json_pack("{s:s, s:I, s:s, s:i, s:o, s:I}", "from", v->from ? "b" : "a", "media",
		       (json_int_t)v->media_index, "ssrc", ssrc, "pt", st->pt, "codec",
		       codec && *codec->name ? tandem_json_text(codec->name) : json_null(),
		       "clock_hz", (json_int_t)st->clock_hz);
	if (!js)
		return NULL;
	if (tandem_json_stream_counts(js, st) |
	    json_object_set_new(js, "mos", mos > 0 ? tandem_json_rounded(mos) : json_null()) |
	    json_object_set_new(js, "bye", json_boolean(st->bye))) {
		json_decref(js);
		return NULL;
	}
	return js;
}

json_t *tandem_snapshot_streams(const struct tandem_snapshot *snap)
{
	json_t *list = json_array();
	size_t i, k;

	for (i = 0; i < snap->n; i++) {
		const struct tandem_flow_view *v = &snap->flows[i];

		for (k = 0; k < v->stats.stream_count && v->comp == TANDEM_RTP; k++) {
			if (json_array_append_new(list,
						  show_stream(snap, v, &v->stats.streams[k]))) {
				json_decref(list);
				return NULL;
			}
		}
	}
	return list;
}
