/* SPDX-License-Identifier: GPL-2.0-only */
/* An inspection as a document. Times are seconds since the first packet of the file. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/capture/inspect.h"
#include "userspace/session/mos.h"

#define NS_PER_MS 1e6
#define NS_PER_S  1e9

static json_t *rounded(double value, double digits)
{
	return json_real(round(value * digits) / digits);
}

static json_t *seconds(const struct tandem_inspection *in, uint64_t time_ns)
{
	return rounded((double)(int64_t)(time_ns - in->counts.first_ns) / NS_PER_S, 1e6);
}

static json_t *milliseconds(double ns)
{
	return rounded(ns / NS_PER_MS, 1e3);
}

/* Text from a packet: whatever is no UTF-8 is a question mark in it. */
static json_t *text(const char *from)
{
	json_t *js = json_string(from);
	char *plain;

	if (js)
		return js;
	plain = strdup(from);
	if (!plain)
		return NULL;
	for (char *c = plain; *c; c++) {
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	}
	js = json_string(plain);
	free(plain);
	return js;
}

static json_t *endpoint(const struct tandem_endpoint *ep)
{
	char buf[TANDEM_ENDPOINT_STRLEN];

	return json_string(tandem_endpoint_format(ep, buf, sizeof(buf)));
}

static json_t *payload_types(const struct tandem_rtp_stream *st)
{
	json_t *list = json_array();

	for (int pt = 0; pt < 128; pt++) {
		if (st->pts[pt / 64] >> pt % 64 & 1)
			json_array_append_new(list, json_integer(pt));
	}
	return list;
}

static void put_timing(json_t *js, const struct tandem_rtp_stream *st)
{
	double packets = (double)st->s.packets;
	double took = (double)(int64_t)(st->last_ns - st->first_ns);
	double jitter = st->jitter_count ? (double)st->jitter_sum_ns / (double)st->jitter_count : 0;

	json_object_set_new(js, "delta_mean_ms",
			    milliseconds(packets > 1 ? took / (packets - 1) : 0));
	json_object_set_new(js, "delta_max_ms", milliseconds((double)st->delta_max_ns));
	/* Without a clock there is neither, and no score. */
	if (!st->jitter_count)
		return;
	json_object_set_new(js, "jitter_mean_ms", milliseconds(jitter));
	json_object_set_new(js, "jitter_max_ms", milliseconds(st->s.jitter_max_ns));
	json_object_set_new(js, "skew_max_ms", milliseconds((double)st->skew_max_ns));
}

static void put_mos(json_t *js, const struct tandem_rtp_stream *st, double loss_percent)
{
	struct tandem_mos_input mos = {
		.codec = st->main.name,
		.loss_percent = loss_percent,
		.jitter_ms = (double)st->jitter_sum_ns / (double)st->jitter_count / NS_PER_MS,
	};

	json_object_set_new(js, "mos", rounded(tandem_mos(&mos), 100));
}

static json_t *stream(const struct tandem_inspection *in, const struct tandem_rtp_stream *st)
{
	uint32_t lost = stream_lost(&st->s, &st->more);
	uint64_t all = st->s.packets - st->more.duplicates + lost;
	double percent = all ? 100.0 * lost / (double)all : 0;
	char ssrc[16];
	json_t *js;

	snprintf(ssrc, sizeof(ssrc), "0x%08x", st->ssrc);
	js = json_pack("{s:o*, s:o*, s:s, s:o*, s:o*, s:o*}", "from", endpoint(&st->src), "to",
		       endpoint(&st->dst), "ssrc", ssrc, "start_s", seconds(in, st->first_ns),
		       "end_s", seconds(in, st->last_ns), "payload_types", payload_types(st));
	if (!js)
		return NULL;
	if (st->main.name[0]) {
		json_object_set_new(js, "codec", text(st->main.name));
		json_object_set_new(js, "clock_hz", json_integer(st->main.clock_hz));
		json_object_set_new(js, "announced", json_boolean(st->main.announced));
	}
	json_object_set_new(js, "packets", json_integer((json_int_t)st->s.packets));
	json_object_set_new(js, "octets", json_integer((json_int_t)st->octets));
	json_object_set_new(js, "lost", json_integer(lost));
	json_object_set_new(js, "lost_percent", rounded(percent, 100));
	json_object_set_new(js, "gaps", json_integer(st->more.gaps));
	json_object_set_new(js, "reordered", json_integer(st->more.reordered));
	json_object_set_new(js, "duplicates", json_integer(st->more.duplicates));
	json_object_set_new(js, "restarts", json_integer(st->more.restarts));
	json_object_set_new(js, "timestamp_jumps", json_integer(st->ts_jumps));
	put_timing(js, st);
	if (st->jitter_count && st->main.name[0])
		put_mos(js, st, percent);
	return js;
}

static json_t *message(const struct tandem_inspection *in, const struct tandem_sip_message *m)
{
	return json_pack("{s:o*, s:o*, s:o*, s:o*, s:b}", "time_s", seconds(in, m->time_ns), "from",
			 endpoint(&m->src), "to", endpoint(&m->dst), "message", text(m->text),
			 "sdp", m->sdp);
}

/* What became of an INVITE: how it was answered, when, and when the call ended. */
static void put_outcome(const struct tandem_inspection *in, json_t *js,
			const struct tandem_sip_call *call)
{
	const struct tandem_sip_message *answer = NULL, *bye = NULL;

	for (size_t i = 0; i < call->count; i++) {
		const struct tandem_sip_message *m = &call->messages[i];

		if (strcmp(m->method, "INVITE") == 0 && m->status >= 200 &&
		    (!answer || answer->status >= 300))
			answer = m;
		if (strcmp(m->text, "BYE") == 0 && !bye)
			bye = m;
	}
	if (answer) {
		json_object_set_new(js, "status", json_integer(answer->status));
		json_object_set_new(js, "answer_s", seconds(in, answer->time_ns));
	}
	if (bye)
		json_object_set_new(js, "end_s", seconds(in, bye->time_ns));
}

static json_t *call(const struct tandem_inspection *in, const struct tandem_sip_call *c)
{
	json_t *messages = json_array(), *js;

	for (size_t i = 0; i < c->count; i++)
		json_array_append_new(messages, message(in, &c->messages[i]));
	js = json_pack("{s:o*, s:o*, s:o*, s:s, s:o*, s:o}", "call_id", text(c->call_id), "from",
		       text(c->from), "to", text(c->to), "method", c->messages[0].method, "start_s",
		       seconds(in, c->messages[0].time_ns), "messages", messages);
	if (js)
		put_outcome(in, js, c);
	return js;
}

json_t *tandem_inspection_json(const struct tandem_inspection *in)
{
	json_t *streams = json_array(), *calls = json_array();
	const struct tandem_capture_counts *n = &in->counts;

	for (size_t i = 0; i < tandem_streams_count(in->streams); i++) {
		const struct tandem_rtp_stream *st = tandem_streams_at(in->streams, i);

		if (st->valid)
			json_array_append_new(streams, stream(in, st));
	}
	for (size_t i = 0; i < tandem_sip_log_count(in->sip); i++) {
		const struct tandem_sip_call *c = tandem_sip_log_at(in->sip, i);

		if (c->count)
			json_array_append_new(calls, call(in, c));
	}
	return json_pack("{s:o, s:o, s:b, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}}",
			 "streams", streams, "calls", calls, "damaged", in->damaged, "file",
			 "packets", (json_int_t)n->packets, "datagrams", (json_int_t)n->datagrams,
			 "fragments", (json_int_t)n->fragments, "reassembled",
			 (json_int_t)n->reassembled, "bad", (json_int_t)n->bad, "cut",
			 (json_int_t)n->cut, "rtcp", (json_int_t)tandem_streams_rtcp(in->streams),
			 "streams_missed", (json_int_t)tandem_streams_missed(in->streams),
			 "sip_missed", (json_int_t)tandem_sip_log_missed(in->sip));
}
