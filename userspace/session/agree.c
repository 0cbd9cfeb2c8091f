/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "userspace/session/model.h"

bool tandem_media_is_anchored(const struct tandem_sdp_media *media)
{
	return media->rtp && strncasecmp(media->proto, "TCP", 3) &&
	       strncasecmp(media->proto, "DCCP", 4);
}

struct ip_addr tandem_media_ip(const struct tandem_sdp_addr *addr)
{
	struct ip_addr ip = { 0 };

	if (addr->family == AF_INET) {
		ip.b[10] = ip.b[11] = 0xff;
		memcpy(&ip.b[12], addr->bytes, 4);
	} else {
		memcpy(ip.b, addr->bytes, 16);
	}
	return ip;
}

static bool usable(const struct tandem_sdp_addr *addr)
{
	return addr->present && addr->has_addr && !addr->unspecified;
}

int tandem_media_check(const struct tandem_sessions *ss, const struct tandem_sdp_media *media)
{
	struct tandem_endpoint rtp, rtcp;

	if (!media->port || !tandem_media_is_anchored(media))
		return 0;
	if (!media->conn.present)
		return -EPROTO;
	if (media->conn.unspecified)
		return 0;
	if (!media->conn.has_addr)
		return -EAFNOSUPPORT;
	rtp = (struct tandem_endpoint){ tandem_media_ip(&media->conn), media->port };
	if (tandem_sessions_refused(ss, &rtp))
		return -EACCES;
	if (!media->rtcp_port || !usable(&media->rtcp))
		return 0;
	rtcp = (struct tandem_endpoint){ tandem_media_ip(&media->rtcp), media->rtcp_port };
	return tandem_sessions_refused(ss, &rtcp) ? -EACCES : 0;
}

/* A new address starts from scratch; what was learned of the old one is void. */
static void set_remote(struct tandem_leg *leg, enum tandem_component comp,
		       const struct tandem_endpoint *ep)
{
	if (tandem_endpoint_equal(&leg->remote[comp], ep))
		return;
	leg->remote[comp] = *ep;
	leg->learn[comp] = (struct tandem_learn){ 0 };
}

/* A party that signals from elsewhere may be behind another NAT, with the same address there. */
static void set_signalling(struct tandem_leg *leg, const struct ip_addr *ip)
{
	if (tandem_ip_equal(&leg->signalling, ip))
		return;
	leg->signalling = *ip;
	memset(leg->learn, 0, sizeof(leg->learn));
}

/* With ICE the description does not say where the party is: the wire finds out. */
static void take_pair(struct tandem_leg *leg)
{
	tandem_wire_selected(leg->secure.wire, TANDEM_RTP, &leg->remote[TANDEM_RTP]);
	tandem_wire_selected(leg->secure.wire, leg->mux ? TANDEM_RTP : TANDEM_RTCP,
			     &leg->remote[TANDEM_RTCP]);
	leg->mute = false;
	memset(leg->learn, 0, sizeof(leg->learn));
}

static int take_addresses(const struct tandem_sessions *ss, struct tandem_leg *leg,
			  const struct tandem_sdp_side *side)
{
	struct tandem_endpoint rtp = { 0 }, rtcp = { 0 };
	int family = tandem_ip_family(&ss->cfg.locals[leg->local].ip);

	if (leg->secure.wire && tandem_wire_has_ice(leg->secure.wire)) {
		take_pair(leg);
		return 0;
	}
	leg->mute = side->rtp.unspecified;
	/*
	 * "Do not send" by 0.0.0.0 says nothing of where the party is. It goes on sending
	 * from where it was, so the address agreed on before is kept.
	 */
	if (leg->mute)
		return 0;
	if (!usable(&side->rtp))
		return -EAFNOSUPPORT;
	rtp.ip = tandem_media_ip(&side->rtp);
	rtp.port = side->rtp_port;
	if (tandem_ip_family(&rtp.ip) != family)
		return -EAFNOSUPPORT;
	/* not side's, which are of what both descriptions say */
	if (leg->mux) {
		rtcp = rtp;
	} else if (side->media->rtcp_port && usable(&side->media->rtcp)) {
		rtcp.ip = tandem_media_ip(&side->media->rtcp);
		rtcp.port = side->media->rtcp_port;
		if (tandem_ip_family(&rtcp.ip) != family)
			memset(&rtcp, 0, sizeof(rtcp));
	}
	set_remote(leg, TANDEM_RTP, &rtp);
	set_remote(leg, TANDEM_RTCP, &rtcp);
	return 0;
}

static void add_codec(struct tandem_leg *leg, const struct tandem_sdp_format *own,
		      const struct tandem_sdp_format *other)
{
	const char *name = own->name ? own->name : other->name;
	struct tandem_codec *c;
	size_t i;

	if (own->pt < 0 || leg->codec_count == TANDEM_LEG_CODECS)
		return;
	for (i = 0; i < leg->codec_count; i++) {
		if (leg->codecs[i].pt == own->pt)
			return;
	}
	c = &leg->codecs[leg->codec_count++];
	c->pt = own->pt;
	c->clock_hz = own->clock ? own->clock : other->clock;
	snprintf(c->name, sizeof(c->name), "%s", name ? name : "");
}

/* Packets to a party carry the numbers that this party has written (RFC 3264 5.1). */
static void take_codecs(struct tandem_leg *offerer, struct tandem_leg *answerer,
			const struct tandem_sdp_negotiated *neg)
{
	size_t i;

	offerer->codec_count = answerer->codec_count = 0;
	for (i = 0; i < neg->ncodecs; i++) {
		const struct tandem_sdp_codec *c = &neg->codecs[i];

		add_codec(offerer, c->answer, c->offer);
		add_codec(answerer, c->offer, c->answer);
	}
}

/* SRTP by its profile (RFC 3711, RFC 5764), or by the keys offered with a plain one (RFC 8643). */
static bool is_secured(const struct tandem_sdp_media *media)
{
	return strcasestr(media->proto, "SAVP") || media->has_crypto || media->has_fingerprint;
}

bool tandem_media_muxes(const struct tandem_sdp_media *media, bool answer)
{
	return media->rtcp_mux || (!answer && media->rtcp_mux_only);
}

/*
 * rtcp-mux is a matter of both ends, unless the relay has spoken for one of them: then it is
 * one of the leg. So it is for who takes nothing else (RFC 8858), where security ends here, and
 * where the front end has a say.
 */
static void agree_mux(struct tandem_media *m, const struct tandem_sdp_negotiated *neg,
		      enum tandem_party_id offerer)
{
	struct tandem_leg *own = &m->leg[offerer], *other = &m->leg[!offerer];
	bool only = neg->offerer.media->rtcp_mux_only;

	own->mux = other->mux = neg->rtcp_mux;
	if (own->secure.kind == TANDEM_PROTECT_DTLS ||
	    (own->secure.kind != TANDEM_PROTECT_PASS && only))
		own->mux = tandem_media_muxes(neg->offerer.media, false);
	else if (own->mux_wish != TANDEM_MUX_AS_SAID)
		own->mux = own->mux_wish == TANDEM_MUX_YES;
	if (other->secure.kind == TANDEM_PROTECT_DTLS ||
	    (other->mux_wish != TANDEM_MUX_AS_SAID && other->mux_wish != TANDEM_MUX_NO))
		other->mux = tandem_media_muxes(neg->answerer.media, true);
	else if (other->mux_wish == TANDEM_MUX_NO)
		other->mux = false;
}

/* The wire has read the description: is RTCP a component of its own? */
static void agree_apart(struct tandem_leg *leg)
{
	const struct tandem_wire *wire = leg->secure.wire;

	leg->apart = !leg->mux && wire && tandem_wire_has_rtcp(wire);
	if (!leg->apart)
		explicit_bzero(&leg->secure.rtcp, sizeof(leg->secure.rtcp));
}

static int agree_one(const struct tandem_sessions *ss, const struct tandem_session *s,
		     struct tandem_media *m, size_t i, const struct tandem_sdp_negotiated *neg,
		     enum tandem_party_id offerer)
{
	const struct tandem_sdp_side *side[2];
	int err, p;

	side[offerer] = &neg->offerer;
	side[!offerer] = &neg->answerer;
	/* an answer by another transport (RFC 3264 6.1 forbids it) would go unchecked */
	if (neg->accepted && tandem_media_is_anchored(neg->answerer.media) != m->anchored)
		return -EPROTO;
	m->active = m->anchored && neg->accepted && neg->offerer.media->port &&
		    neg->answerer.media->port;
	if (!m->active) {
		tandem_secure_idle(m);
		return 0;
	}
	agree_mux(m, neg, offerer);
	agree_apart(&m->leg[offerer]);
	agree_apart(&m->leg[!offerer]);
	m->srtp = m->leg[offerer].secure.kind == TANDEM_PROTECT_PASS &&
		  is_secured(neg->offerer.media) && is_secured(neg->answerer.media);
	for (p = 0; p < 2; p++) {
		m->leg[p].sends = side[p]->sends;
		m->leg[p].hold = side[p]->hold;
		set_signalling(&m->leg[p], &s->source[p].ip);
		/* in a bundle its addresses are another's */
		if (m->leg[p].transport != i)
			continue;
		if (s->absent[p])
			continue;
		/* the answer takes a media that was refused before, and its ports are gone */
		if (m->leg[p].local == TANDEM_LOCAL_NONE)
			return -EPROTO;
		err = take_addresses(ss, &m->leg[p], side[p]);
		if (err)
			return err;
	}
	take_codecs(&m->leg[offerer], &m->leg[!offerer], neg);
	return 0;
}

int tandem_media_agree(const struct tandem_sessions *ss, const struct tandem_session *s,
		       struct tandem_media_list *list, const struct tandem_sdp *offer,
		       const struct tandem_sdp *answer, enum tandem_party_id offerer)
{
	struct tandem_sdp_negotiated *neg;
	struct tandem_sdp_error why = { 0 };
	const char *reason;
	size_t i;
	int err;

	err = tandem_sdp_check_answer(offer, answer, &why);
	if (err) {
		tandem_session_log(s, TANDEM_LOG_WARNING, "answer: %s (line %u)", why.reason,
				   why.line);
		return err;
	}
	err = tandem_bundle_agree(list, offer, answer, offerer);
	if (err)
		return err;
	neg = calloc(1, sizeof(*neg));
	if (!neg)
		return -ENOMEM;
	for (i = 0; i < list->n && !err; i++) {
		err = tandem_media_check(ss, tandem_sdp_media(answer, i));
		if (!err)
			err = tandem_sdp_negotiate(offer, answer, i, neg);
		if (!err && neg->accepted)
			err = tandem_secure_answer(&list->v[i], offer, answer, i, !offerer);
		if (!err)
			err = agree_one(ss, s, &list->v[i], i, neg, offerer);
		if (!err && list->v[i].active)
			tandem_bundle_ssrcs(&list->v[i], offer, answer, i, offerer);
	}
	free(neg);
	reason = err ? NULL : tandem_bundle_mids(list, offer, answer, offerer);
	if (!reason)
		return err;
	tandem_session_log(s, TANDEM_LOG_WARNING, "answer: %s", reason);
	return -EPROTO;
}
