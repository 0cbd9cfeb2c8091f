/* SPDX-License-Identifier: GPL-2.0-only */
/* The reverse of persist.c. A store may be damaged or of another make: check everything. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/session/model.h"

static int parse_ip(const json_t *js, struct ip_addr *ip)
{
	return json_is_string(js) ? tandem_ip_parse(ip, json_string_value(js)) : -EINVAL;
}

/* null leaves the port 0 */
static int parse_endpoint(const json_t *js, struct tandem_endpoint *ep)
{
	if (json_is_null(js))
		return 0;
	return json_is_string(js) ? tandem_endpoint_parse(ep, json_string_value(js)) : -EINVAL;
}

static int parse_codecs(const json_t *js, struct tandem_leg *leg)
{
	json_int_t pt, clock;
	const char *name;
	size_t i, n = json_array_size(js);

	if (!json_is_array(js) || n > TANDEM_LEG_CODECS)
		return -EBADMSG;
	for (i = 0; i < n; i++) {
		if (json_unpack(json_array_get(js, i), "{s:I, s:I, s:s}", "pt", &pt, "clock",
				&clock, "name", &name) ||
		    pt < 0 || pt > 127 || clock < 0 || clock > UINT32_MAX)
			return -EBADMSG;
		leg->codecs[i].pt = pt;
		leg->codecs[i].clock_hz = clock;
		snprintf(leg->codecs[i].name, sizeof(leg->codecs[i].name), "%s", name);
	}
	leg->codec_count = n;
	return 0;
}

/* Locals are stored as addresses, as a new configuration may list them in another order. */
static int parse_local(const struct tandem_sessions *ss, const json_t *js, struct tandem_leg *leg)
{
	struct ip_addr ip;
	size_t i;

	leg->local = TANDEM_LOCAL_NONE;
	if (json_is_null(js))
		return 0;
	if (parse_ip(js, &ip))
		return -EBADMSG;
	for (i = 0; i < ss->cfg.locals_count; i++) {
		if (tandem_ip_equal(&ss->cfg.locals[i].ip, &ip)) {
			leg->local = i;
			return 0;
		}
	}
	return -EADDRNOTAVAIL;
}

/*
 * A window goes on where a restart has interrupted it. After a reboot, when the clock it
 * was measured by has begun anew, it must not be longer than one that opens now.
 */
static uint64_t parse_window(const struct tandem_sessions *ss, enum tandem_component comp,
			     const json_t *js)
{
	uint64_t now = tandem_sessions_now(ss), until = json_integer_value(js);

	return until > now && until - now <= tandem_learn_window(ss, comp) ? until : 0;
}

/* An earlier version has no bundles. */
static int parse_bundle(const json_t *js, struct tandem_leg *leg)
{
	const json_t *transport = json_object_get(js, "transport"), *value;
	const json_t *ssrcs = json_object_get(js, "ssrcs"), *ext = json_object_get(js, "mid_ext");
	size_t i;

	if (transport && (json_integer_value(transport) < 0 ||
			  json_integer_value(transport) >= TANDEM_MEDIA_MAX))
		return -EBADMSG;
	if (transport)
		leg->transport = (size_t)json_integer_value(transport);
	if (json_array_size(ssrcs) > TANDEM_LEG_SSRCS)
		return -EBADMSG;
	json_array_foreach (ssrcs, i, value)
		leg->ssrcs[leg->ssrc_count++] = (uint32_t)json_integer_value(value);
	leg->mid_ext = (uint8_t)json_integer_value(ext);
	return 0;
}

static int parse_leg(const struct tandem_sessions *ss, json_t *js, struct tandem_leg *leg)
{
	int mute, sends, hold, port, generation;

	if (json_unpack(js, "{s:b, s:b, s:b, s:i, s:i}", "mute", &mute, "sends", &sends, "hold",
			&hold, "port", &port, "generation", &generation) ||
	    port < 0 || port > UINT16_MAX)
		return -EBADMSG;
	leg->mute = mute;
	leg->sends = sends;
	leg->hold = hold;
	leg->port = port;
	leg->generation = generation;
	if (json_object_get(js, "mux"))
		leg->mux = json_is_true(json_object_get(js, "mux"));
	leg->mux_wish = (enum tandem_mux_wish)json_integer_value(json_object_get(js, "mux_wish"));
	if (leg->mux_wish < TANDEM_MUX_AS_SAID || leg->mux_wish > TANDEM_MUX_ONLY)
		return -EBADMSG;
	if (parse_endpoint(json_object_get(js, "rtp"), &leg->remote[TANDEM_RTP]) ||
	    parse_endpoint(json_object_get(js, "rtcp"), &leg->remote[TANDEM_RTCP]) ||
	    parse_endpoint(json_object_get(js, "learned_rtp"), &leg->learn[TANDEM_RTP].locked) ||
	    parse_endpoint(json_object_get(js, "learned_rtcp"), &leg->learn[TANDEM_RTCP].locked) ||
	    parse_ip(json_object_get(js, "signalling"), &leg->signalling) ||
	    parse_codecs(json_object_get(js, "codecs"), leg) || parse_bundle(js, leg) ||
	    tandem_secure_parse(&leg->secure, json_object_get(js, "secure")))
		return -EBADMSG;
	leg->learn[TANDEM_RTP].until_ms = parse_window(ss, TANDEM_RTP,
						       json_object_get(js, "learn_rtp_until"));
	leg->learn[TANDEM_RTCP].until_ms = parse_window(ss, TANDEM_RTCP,
							json_object_get(js, "learn_rtcp_until"));
	return parse_local(ss, json_object_get(js, "local"), leg);
}

static bool has_ports(const struct tandem_session *s, const struct tandem_media *m, int party)
{
	return s->absent[party] || m->leg[party].local != TANDEM_LOCAL_NONE;
}

static int parse_media(struct tandem_sessions *ss, const struct tandem_session *s, json_t *js,
		       struct tandem_media *m)
{
	int anchored, active, err;
	const char *type;

	if (json_unpack(js, "{s:s, s:b, s:b}", "type", &type, "anchored", &anchored, "active",
			&active))
		return -EBADMSG;
	snprintf(m->type, sizeof(m->type), "%s", type);
	m->anchored = anchored;
	m->active = active;
	m->srtp = json_is_true(json_object_get(js, "srtp"));
	/* an earlier version has it here */
	m->leg[TANDEM_PARTY_A].mux = m->leg[TANDEM_PARTY_B].mux =
		json_is_true(json_object_get(js, "mux"));
	err = parse_leg(ss, json_object_get(js, "a"), &m->leg[TANDEM_PARTY_A]);
	if (!err)
		err = parse_leg(ss, json_object_get(js, "b"), &m->leg[TANDEM_PARTY_B]);
	if (!err && active && !(has_ports(s, m, TANDEM_PARTY_A) && has_ports(s, m, TANDEM_PARTY_B)))
		err = -EBADMSG;
	return err;
}

/* A wire is named after its session, which has to be there. */
static int parse_wires(struct tandem_sessions *ss, struct tandem_session *s,
		       struct tandem_media_list *list, const json_t *js)
{
	static const char *const parties[] = { "a", "b" };
	size_t i, p;
	int err = 0;

	for (i = 0; i < list->n * 2 && !err; i++) {
		const json_t *leg = json_object_get(json_array_get(js, i / 2), parties[i % 2]);

		p = i % 2;
		err = tandem_wire_parse(ss, s, i / 2, p, &list->v[i / 2].leg[p],
					json_object_get(json_object_get(leg, "secure"), "wire"));
	}
	return err;
}

static int parse_media_list(struct tandem_sessions *ss, const struct tandem_session *s,
			    const json_t *js, struct tandem_media_list *list)
{
	size_t i, n = json_array_size(js);
	int err;

	if (!json_is_array(js) || n > TANDEM_MEDIA_MAX)
		return -EBADMSG;
	err = tandem_media_list_copy(list, list, n);
	for (i = 0; i < n && !err; i++)
		err = parse_media(ss, s, json_array_get(js, i), &list->v[i]);
	for (i = 0; i < 2 * n && !err; i++) {
		size_t transport = list->v[i / 2].leg[i % 2].transport;

		/* one that has its own, and packets */
		if (transport >= n || list->v[transport].leg[i % 2].transport != transport ||
		    (list->v[i / 2].active && !list->v[transport].active))
			err = -EBADMSG;
	}
	return err;
}

/* An earlier version has no commands about media. */
static int parse_acts(struct tandem_session *s, const json_t *doc)
{
	static const char *const keys[] = { "label_a", "label_b" };
	const char *label;
	int p;

	for (p = 0; p < 2; p++) {
		label = json_string_value(json_object_get(doc, keys[p]));
		s->label[p] = label ? strdup(label) : NULL;
		if (label && !s->label[p])
			return -ENOMEM;
	}
	return tandem_acts_parse(&s->acts, json_object_get(doc, "acts"));
}

/* An earlier version has calls only. */
static int parse_feeds(struct tandem_session *s, const json_t *js)
{
	const json_t *list = json_object_get(js, "media"), *feed;
	size_t i;

	s->absent[TANDEM_PARTY_B] = json_is_string(js);
	if (!json_is_object(js))
		return 0;
	s->absent[TANDEM_PARTY_A] = true;
	s->source_number = (uint64_t)json_integer_value(json_object_get(js, "source"));
	s->feeds = calloc(TANDEM_MEDIA_MAX, sizeof(*s->feeds));
	if (!s->feeds)
		return -ENOMEM;
	if (json_array_size(list) > TANDEM_MEDIA_MAX)
		return -EBADMSG;
	json_array_foreach (list, i, feed) {
		json_int_t party = json_integer_value(json_array_get(feed, 0));
		json_int_t media = json_integer_value(json_array_get(feed, 1));

		if (party < 0 || party > 1 || media < 0 || media >= TANDEM_MEDIA_MAX)
			return -EBADMSG;
		s->feeds[i] = (struct tandem_feed){ (uint8_t)party, (uint8_t)media };
	}
	return 0;
}

/* The last offer, which an answer may still come to; in the store there is none. */
static int parse_offer(struct tandem_sessions *ss, struct tandem_session *s, const json_t *doc)
{
	const json_t *open = json_object_get(doc, "open");
	struct tandem_sdp_error why;
	int offerer, pending, err;
	const char *text;
	size_t len;

	if (!open)
		return 0;
	if (json_unpack((json_t *)open, "{s:i, s:b, s:s%}", "offerer", &offerer, "pending",
			&pending, "offer", &text, &len) ||
	    offerer < TANDEM_PARTY_A || offerer > TANDEM_PARTY_B)
		return -EBADMSG;
	err = tandem_sdp_parse(&s->offer, text, len, &why);
	if (err)
		return err == -ENOMEM ? err : -EBADMSG;
	s->offerer = offerer;
	if (!pending)
		return 0;
	s->pending_from = offerer;
	err = parse_media_list(ss, s, json_object_get(open, "media"), &s->pending);
	if (!err && s->pending.n < s->agreed.n)
		err = -EBADMSG;
	return err ? err : parse_wires(ss, s, &s->pending, json_object_get(open, "media"));
}

/* An earlier version does not tell. NG's clients say nothing of URIs, and each call by SIP has one. */
static int parse_owner(struct tandem_dialog *d, const json_t *doc)
{
	const char *name = json_string_value(json_object_get(doc, "owner"));

	d->owner = TANDEM_OWNER_SIP;
	if (name ? !strcmp(name, "ng") : !*d->from_uri)
		d->owner = TANDEM_OWNER_NG;
	return name && strcmp(name, tandem_owner_name(d->owner)) ? -EBADMSG : 0;
}

int tandem_session_parse(struct tandem_sessions *ss, struct tandem_session **sp, const json_t *doc)
{
	struct tandem_dialog d = { 0 };
	struct tandem_session *s;
	json_int_t number, started, lasts = 0;
	int confirmed, branch = 0, answered = true, err;

	if (json_unpack((json_t *)doc, "{s:I, s:s, s?i, s:s, s:s, s:s, s:I, s?I, s:b, s?b}",
			"number", &number, "call_id", &d.call_id, "branch", &branch, "from",
			&d.from_uri, "to", &d.to_uri, "tag_a", &d.from_tag, "started_ms", &started,
			"lasts_ms", &lasts, "confirmed", &confirmed, "answered", &answered) ||
	    number <= 0 || number >> 48 || branch < 0 || parse_owner(&d, doc))
		return -EBADMSG;
	d.branch = (unsigned int)branch;
	d.to_tag = json_string_value(json_object_get(doc, "tag_b"));
	d.via = json_string_value(json_object_get(doc, "via"));
	err = tandem_session_create(&s, &d, number);
	if (err)
		return err;
	s->started_ms = started;
	s->lasts_ms = lasts;
	s->confirmed = confirmed;
	s->answered = answered; /* others are not stored */
	s->learning = true;	/* perhaps: the first tick finds out */
	if (parse_endpoint(json_object_get(doc, "source_a"), &s->source[TANDEM_PARTY_A]) ||
	    parse_endpoint(json_object_get(doc, "source_b"), &s->source[TANDEM_PARTY_B]))
		err = -EBADMSG;
	if (!err)
		err = parse_acts(s, doc);
	if (!err)
		err = tandem_wishes_parse(ss, s, doc);
	if (!err)
		err = parse_feeds(s, json_object_get(doc, "feeds"));
	if (!err)
		err = parse_media_list(ss, s, json_object_get(doc, "media"), &s->agreed);
	if (!err)
		err = parse_wires(ss, s, &s->agreed, json_object_get(doc, "media"));
	if (!err)
		err = parse_offer(ss, s, doc);
	if (err)
		tandem_session_destroy(s);
	else
		*sp = s;
	return err;
}
