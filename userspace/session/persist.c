/* SPDX-License-Identifier: GPL-2.0-only */
/* A session as JSON for the store: all that its flows are compiled from, and no more. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/session/model.h"
#include "userspace/util/log.h"

#define MODULE "session"

json_t *tandem_json_text(const char *text)
{
	json_t *js = json_string(text);
	char ascii[256];
	size_t i;

	if (js)
		return js;
	snprintf(ascii, sizeof(ascii), "%s", text);
	for (i = 0; ascii[i]; i++) {
		if (ascii[i] & 0x80)
			ascii[i] = '?';
	}
	return json_string(ascii);
}

json_t *tandem_json_endpoint(const struct tandem_endpoint *ep)
{
	char text[TANDEM_ENDPOINT_STRLEN];

	if (!ep->port)
		return json_null();
	return json_string(tandem_endpoint_format(ep, text, sizeof(text)));
}

static json_t *dump_ip(const struct ip_addr *ip)
{
	char text[TANDEM_ENDPOINT_STRLEN];

	return json_string(tandem_ip_format(ip, text, sizeof(text)));
}

static json_t *dump_codecs(const struct tandem_leg *leg)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < leg->codec_count; i++) {
		const struct tandem_codec *c = &leg->codecs[i];

		if (json_array_append_new(list, json_pack("{s:i, s:I, s:o}", "pt", c->pt, "clock",
							  (json_int_t)c->clock_hz, "name",
							  tandem_json_text(c->name)))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *dump_ssrcs(const struct tandem_leg *leg)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < leg->ssrc_count; i++)
		json_array_append_new(list, json_integer(leg->ssrcs[i]));
	return list;
}

static json_t *dump_leg(const struct tandem_sessions *ss, const struct tandem_leg *leg)
{
	bool ports = leg->local != TANDEM_LOCAL_NONE;

	return json_pack("{s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:b, s:b, s:b, s:b, s:i, s:o, "
			 "s:o, s:i, s:i, s:I, s:o, s:i, s:o}",
			 "rtp", tandem_json_endpoint(&leg->remote[TANDEM_RTP]), "rtcp",
			 tandem_json_endpoint(&leg->remote[TANDEM_RTCP]), "learned_rtp",
			 tandem_json_endpoint(&leg->learn[TANDEM_RTP].locked), "learned_rtcp",
			 tandem_json_endpoint(&leg->learn[TANDEM_RTCP].locked), "learn_rtp_until",
			 (json_int_t)leg->learn[TANDEM_RTP].until_ms, "learn_rtcp_until",
			 (json_int_t)leg->learn[TANDEM_RTCP].until_ms, "signalling",
			 dump_ip(&leg->signalling), "mute", leg->mute, "sends", leg->sends, "hold",
			 leg->hold, "mux", leg->mux, "mux_wish", leg->mux_wish, "codecs",
			 dump_codecs(leg), "local",
			 ports ? dump_ip(&ss->cfg.locals[leg->local].ip) : json_null(), "port",
			 ports ? leg->port : 0, "generation", leg->generation, "transport",
			 (json_int_t)leg->transport, "ssrcs", dump_ssrcs(leg), "mid_ext",
			 leg->mid_ext, "secure", tandem_secure_dump(&leg->secure));
}

static json_t *dump_media(const struct tandem_sessions *ss, const struct tandem_media *m)
{
	return json_pack("{s:o, s:b, s:b, s:b, s:o, s:o}", "type", tandem_json_text(m->type),
			 "anchored", m->anchored, "active", m->active, "srtp", m->srtp, "a",
			 dump_leg(ss, &m->leg[TANDEM_PARTY_A]), "b",
			 dump_leg(ss, &m->leg[TANDEM_PARTY_B]));
}

json_t *tandem_media_list_dump(const struct tandem_sessions *ss,
			       const struct tandem_media_list *list)
{
	json_t *js = json_array();
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (json_array_append_new(js, dump_media(ss, &list->v[i]))) {
			json_decref(js);
			return NULL;
		}
	}
	return js;
}

static json_t *dump_tag(const char *tag)
{
	return tag ? tandem_json_text(tag) : json_null();
}

/* What the session is, if it is no call; null: it is one. */
static json_t *dump_feeds(const struct tandem_session *s)
{
	json_t *list;
	size_t i;

	if (!s->feeds)
		return s->absent[TANDEM_PARTY_B] ? json_string("published") : json_null();
	list = json_array();
	for (i = 0; i < s->agreed.n; i++)
		json_array_append_new(list,
				      json_pack("[i, i]", s->feeds[i].party, s->feeds[i].media));
	return json_pack("{s:I, s:o}", "source", (json_int_t)s->source_number, "media", list);
}

json_t *tandem_session_dump(const struct tandem_sessions *ss, const struct tandem_session *s)
{
	return json_pack(
		"{s:I, s:s, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:b, s:o, "
		"s:o, s:o, s:o, s:o, s:i, s:I, s:O*}",
		"number", (json_int_t)s->number, "owner", tandem_owner_name(s->owner), "call_id",
		s->call_id, "branch", s->branch, "via", dump_tag(s->via), "from",
		tandem_json_text(s->from_uri), "to", tandem_json_text(s->to_uri), "tag_a",
		dump_tag(s->tag[TANDEM_PARTY_A]), "tag_b", dump_tag(s->tag[TANDEM_PARTY_B]),
		"source_a", tandem_json_endpoint(&s->source[TANDEM_PARTY_A]), "source_b",
		tandem_json_endpoint(&s->source[TANDEM_PARTY_B]), "started_ms",
		(json_int_t)s->started_ms, "lasts_ms", (json_int_t)s->lasts_ms, "confirmed",
		s->confirmed, "media", tandem_media_list_dump(ss, &s->agreed), "label_a",
		dump_tag(s->label[TANDEM_PARTY_A]), "label_b", dump_tag(s->label[TANDEM_PARTY_B]),
		"acts", tandem_acts_any(s) ? tandem_acts_dump(&s->acts) : json_null(), "feeds",
		dump_feeds(s), "dscp", s->marked ? s->dscp : -1, "end_ms",
		tandem_wishes_end_dump(ss, s), "notes", s->notes);
}
