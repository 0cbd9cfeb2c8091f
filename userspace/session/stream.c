/* SPDX-License-Identifier: GPL-2.0-only */
/* RTP streams as the local API shows them. */
#include <stdint.h>
#include <stdio.h>
#include <strings.h>

#include "userspace/session/mos.h"
#include "userspace/session/snapshot.h"

#define NS_PER_MS 1e6
#define PT_CN	  13 /* RFC 3551 6 */

void tandem_stream_loss(const struct stream *st, struct tandem_stream_loss *loss)
{
	int64_t since_base = (int64_t)st->cycles + st->max_seq - st->base_seq + 1;
	int64_t distinct = (int64_t)st->packets - st->duplicates;

	*loss = (struct tandem_stream_loss){ 0 };
	if (!st->packets)
		return;
	loss->lost = (int64_t)st->lost_prior + since_base - st->received;
	loss->expected = distinct + loss->lost;
	if (loss->lost > 0 && loss->expected > 0)
		loss->percent = 100.0 * loss->lost / loss->expected;
}

static const struct tandem_codec *find_codec(const struct tandem_leg *leg, uint8_t pt)
{
	size_t i;

	for (i = 0; i < leg->codec_count; i++) {
		if (leg->codecs[i].pt == pt)
			return &leg->codecs[i];
	}
	return NULL;
}

/* Digits (RFC 4733) and comfort noise (RFC 3389) stand in a stream of some speech codec. */
static bool is_speech(const struct tandem_codec *c)
{
	return strcasecmp(c->name, "telephone-event") && strcasecmp(c->name, "CN");
}

/* The name of the codec that is listened to; NULL: unknown. */
static const char *speech_codec(const struct tandem_leg *leg, const struct stream *st)
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
			    const struct stream *st)
{
	double ms = st->rtt_ns / NS_PER_MS;
	size_t i;

	for (i = 0; i < snap->n; i++) {
		const struct tandem_flow_view *other = &snap->flows[i];

		if (other->media == v->media && other->from != v->from &&
		    other->comp == TANDEM_RTP && other->stats.stream_count)
			return ms + other->stats.streams[0].rtt_ns / NS_PER_MS;
	}
	return ms;
}

/* Loss as the receiver has it includes the way from the relay on; believe the worse. */
static double worst_loss(const struct stream *st, const struct tandem_stream_loss *loss)
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
		       const struct stream *st)
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

/* Two decimals are all that a reader can use. */
static json_t *rounded(double value)
{
	return json_real((double)(int64_t)(value * 100 + 0.5) / 100);
}

static int add_times(json_t *js, const struct stream *st)
{
	double reported = st->clock_hz ? st->rr_jitter * 1000.0 / st->clock_hz : 0;

	return json_object_set_new(js, "jitter_ms", rounded(st->jitter_ns / 16 / NS_PER_MS)) |
	       json_object_set_new(js, "jitter_max_ms", rounded(st->jitter_max_ns / NS_PER_MS)) |
	       json_object_set_new(js, "rtt_ms", rounded(st->rtt_ns / NS_PER_MS)) |
	       json_object_set_new(js, "rtt_min_ms", rounded(st->rtt_min_ns / NS_PER_MS)) |
	       json_object_set_new(js, "rtt_max_ms", rounded(st->rtt_max_ns / NS_PER_MS)) |
	       json_object_set_new(js, "reports", json_integer(st->rr_count)) |
	       json_object_set_new(js, "reported_lost", json_integer(st->rr_lost)) |
	       json_object_set_new(js, "reported_fraction", rounded(st->rr_fraction / 2.56)) |
	       json_object_set_new(js, "reported_jitter_ms", rounded(reported));
}

static int add_counts(json_t *js, const struct stream *st)
{
	struct tandem_stream_loss loss;

	tandem_stream_loss(st, &loss);
	return json_object_set_new(js, "packets", json_integer(st->packets)) |
	       json_object_set_new(js, "octets", json_integer(st->octets)) |
	       json_object_set_new(js, "expected", json_integer(loss.expected)) |
	       json_object_set_new(js, "lost", json_integer(loss.lost)) |
	       json_object_set_new(js, "loss_percent", rounded(loss.percent)) |
	       json_object_set_new(js, "duplicates", json_integer(st->duplicates)) |
	       json_object_set_new(js, "reordered", json_integer(st->reordered)) |
	       json_object_set_new(js, "gaps", json_integer(st->gaps)) |
	       json_object_set_new(js, "restarts", json_integer(st->restarts)) |
	       json_object_set_new(js, "sender_reports", json_integer(st->sr_count));
}

/* The E-model is one of speech: of other media there is nothing to say. */
static json_t *show_mos(const struct tandem_snapshot *snap, const struct tandem_flow_view *v,
			const struct stream *st)
{
	if (!st->packets || strcasecmp(v->media->type, "audio"))
		return json_null();
	return rounded(estimate(snap, v, st));
}

static json_t *show_stream(const struct tandem_snapshot *snap, const struct tandem_flow_view *v,
			   const struct stream *st)
{
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
	if (add_counts(js, st) | add_times(js, st) |
	    json_object_set_new(js, "mos", show_mos(snap, v, st)) |
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
