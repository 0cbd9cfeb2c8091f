/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The offer/answer state of a session (RFC 3264, RFC 6337). An offer works on a copy
 * of what is agreed, the pending list; its answer makes that the agreed one, a
 * rollback drops it. A pair of ports stays with its m= line from offer to offer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/session/model.h"

static int parse(const struct tandem_session *s, struct tandem_sdp **sdp, const char *text,
		 size_t len)
{
	struct tandem_sdp_error why;
	int err = tandem_sdp_parse(sdp, text, len, &why);

	if (!err)
		return 0;
	tandem_session_log(s, TANDEM_LOG_WARNING, "SDP, line %u: %s", why.line, why.reason);
	return err == -ENOMEM ? err : -EBADMSG;
}

/* Where the offerer's media comes from decides the family that it is shown. */
static int offerer_family(const struct tandem_sdp_media *media,
			  const struct tandem_endpoint *source)
{
	struct ip_addr ip = tandem_media_ip(&media->conn);

	/* a front end that does not know where signalling comes from has but the description */
	if (media->conn.unspecified && tandem_ip_is_any(&source->ip))
		return media->conn.family;
	return tandem_ip_family(media->conn.has_addr && !media->conn.unspecified ? &ip
										 : &source->ip);
}

/* The signalling address tells the way to a party, unless its media is of the other family. */
static struct tandem_endpoint offerer_peer(const struct tandem_sdp_media *media,
					   const struct tandem_endpoint *source)
{
	if (tandem_ip_family(&source->ip) == offerer_family(media, source))
		return *source;
	return (struct tandem_endpoint){ tandem_media_ip(&media->conn), media->port };
}

static int target_family(const struct tandem_signal *sig, int source_family)
{
	if (sig->target_family)
		return sig->target_family;
	return tandem_ip_is_any(&sig->target.ip) ? source_family
						 : tandem_ip_family(&sig->target.ip);
}

/*
 * What the other party is offered of rtcp-mux, and what the offerer is to get of what it offers. With
 * nothing said either is as the other party has it; an offerer gets it, too, of whom it is hidden.
 */
static void wish_mux(struct tandem_media *m, enum tandem_party_id offerer, bool offered,
		     unsigned int wanted)
{
	enum tandem_mux_wish *own = &m->leg[offerer].mux_wish;
	enum tandem_mux_wish *other = &m->leg[!offerer].mux_wish;

	*own = *other = TANDEM_MUX_AS_SAID;
	if (wanted & TANDEM_MUX_REQUIRE)
		*other = TANDEM_MUX_ONLY;
	else if (wanted & TANDEM_MUX_OFFER)
		*other = TANDEM_MUX_YES;
	else if (wanted & TANDEM_MUX_DEMUX)
		*other = TANDEM_MUX_NO;
	if (wanted && (!offered || wanted & TANDEM_MUX_REJECT))
		*own = TANDEM_MUX_NO;
	else if (wanted & TANDEM_MUX_ACCEPT || *other == TANDEM_MUX_NO)
		*own = TANDEM_MUX_YES;
}

static int prepare_media(struct tandem_sessions *ss, const struct tandem_session *s,
			 struct tandem_media *m, enum tandem_party_id offerer,
			 const struct tandem_sdp_media *media, const struct tandem_signal *sig)
{
	struct tandem_leg *own = &m->leg[offerer], *other = &m->leg[!offerer];
	struct tandem_endpoint peer;
	int family, err = tandem_media_check(ss, media);

	strncpy(m->type, media->type, sizeof(m->type) - 1);
	m->anchored = tandem_media_is_anchored(media);
	if (err || !m->anchored || !media->port)
		return err;
	wish_mux(m, offerer, tandem_media_muxes(media, false), sig->mux);
	family = offerer_family(media, &sig->source);
	peer = offerer_peer(media, &sig->source);
	if (!s->absent[offerer] && (own->local == TANDEM_LOCAL_NONE ||
				    tandem_ip_family(&ss->cfg.locals[own->local].ip) != family))
		err = tandem_leg_take(ss, own, sig->source_locals, &peer, family);
	if (!err && !s->absent[!offerer] && other->local == TANDEM_LOCAL_NONE)
		err = tandem_leg_take(ss, other, sig->target_locals, &sig->target,
				      target_family(sig, family));
	return err;
}

/*
 * The description for the other side. It shows no BUNDLE, so the offer is kept without,
 * or an answer that claims one all the same would be believed.
 */
static int pass_offer(struct tandem_sessions *ss, const struct tandem_media_list *list,
		      enum tandem_party_id from, struct tandem_sdp *doc, char **outp,
		      size_t *out_len)
{
	int err = tandem_relay_sdp(ss, list, !from, false, doc, outp, out_len);

	if (err)
		return err;
	err = tandem_relay_unbundle(doc);
	if (err) {
		free(*outp);
		*outp = NULL;
	}
	return err;
}

/* What has shared a transport with media that is disabled now needs one of its own. */
static void leave_bundle(struct tandem_media_list *list, const struct tandem_sdp *sdp, size_t i)
{
	struct tandem_leg *leg;
	int p;

	for (p = 0; p < 2; p++) {
		leg = &list->v[i].leg[p];
		if (leg->transport != i && !tandem_sdp_media(sdp, leg->transport)->port)
			leg->transport = i;
	}
}

static int prepare(struct tandem_sessions *ss, const struct tandem_session *s,
		   struct tandem_media_list *list, enum tandem_party_id offerer,
		   struct tandem_sdp *sdp, const struct tandem_signal *sig)
{
	bool ends = tandem_secure_ends(list, sdp, sig);
	int err = ends ? tandem_bundle_spread(sdp) : 0;
	size_t i;

	for (i = 0; i < list->n && !err; i++) {
		struct tandem_media *m = &list->v[i];
		const struct tandem_sdp_media *media = tandem_sdp_media(sdp, i);

		memset(m->type, 0, sizeof(m->type));
		leave_bundle(list, sdp, i);
		err = prepare_media(ss, s, m, offerer, media, sig);
		if (!err && m->anchored && media->port)
			err = tandem_secure_offer(ss, s, m, ends, sdp, i, offerer, sig);
		if (!m->anchored && media->port && !(ends && strcasestr(media->proto, "DTLS/SCTP")))
			tandem_session_log(
				s, TANDEM_LOG_WARNING,
				"%s by %s is not RTP over UDP: it passes beside the relay",
				media->type, media->proto);
	}
	return err;
}

/* Fewer m= lines than before are forbidden (RFC 3264 section 8). */
static int check_count(const struct tandem_session *s, size_t n)
{
	if (n < s->agreed.n)
		return -EPROTO;
	return n > TANDEM_MEDIA_MAX ? -ENOSPC : 0;
}

static void drop_pending(struct tandem_sessions *ss, struct tandem_session *s)
{
	tandem_media_list_release(ss, &s->pending, &s->agreed, NULL);
	tandem_media_list_clean(&s->pending);
	s->pending_from = TANDEM_PARTY_NONE;
}

int tandem_session_offer(struct tandem_sessions *ss, const char *call, enum tandem_party_id party,
			 const struct tandem_signal *sig, const char *sdp, size_t len, char **outp,
			 size_t *out_len)
{
	struct tandem_session *s = tandem_sessions_by_call(ss, call);
	const struct tandem_media_list *base;
	struct tandem_media_list next = { 0 };
	struct tandem_sdp *doc;
	int err;

	if (!s)
		return -ENOENT;
	/* glare: the other side's offer is still open */
	if (s->pending_from != TANDEM_PARTY_NONE && s->pending_from != (int)party)
		return -EPROTO;
	err = parse(s, &doc, sdp, len);
	if (err)
		return err;
	if (s->pending_from == TANDEM_PARTY_NONE)
		tandem_media_list_settle(ss, &s->agreed);
	/* an offer that is sent again, as after a challenge, keeps its ports */
	base = s->pending_from == TANDEM_PARTY_NONE ? &s->agreed : &s->pending;
	err = check_count(s, tandem_sdp_media_count(doc));
	if (!err)
		err = tandem_media_list_copy(&next, base, tandem_sdp_media_count(doc));
	if (!err)
		err = prepare(ss, s, &next, party, doc, sig);
	if (!err)
		err = pass_offer(ss, &next, party, doc, outp, out_len);
	if (err) {
		tandem_media_list_release(ss, &next, base, &s->agreed);
		tandem_media_list_clean(&next);
		tandem_sdp_free(doc);
		return err;
	}
	tandem_media_list_release(ss, &s->pending, &next, &s->agreed);
	tandem_media_list_clean(&s->pending);
	tandem_sdp_free(s->offer);
	s->pending = next;
	s->pending_from = s->offerer = party;
	s->offer = doc;
	s->source[party] = sig->source;
	s->end_ms = 0;
	tandem_session_outdated(ss, s);
	return 0;
}

/* Make `next` the agreement. Ports that are in it no more are given back. */
static int adopt(struct tandem_sessions *ss, struct tandem_session *s,
		 const struct tandem_media_list *next)
{
	struct tandem_media_list old = s->agreed;
	int err;

	s->agreed = *next;
	tandem_media_list_clean(&s->pending);
	s->pending_from = TANDEM_PARTY_NONE;
	s->answered = true;
	s->end_ms = 0;
	s->activity_ms = tandem_sessions_now(ss);
	tandem_learn_start(ss, s);
	tandem_secure_keep_old(&s->agreed, &old, s->activity_ms);
	s->rekeying = true; /* perhaps: a tick finds out */
	err = tandem_flows_sync(ss, s);
	tandem_wires_adopt(ss, s);
	if (s->learning)
		tandem_learn_mark(ss, s);
	tandem_media_list_release(ss, &old, &s->agreed, NULL);
	tandem_media_list_clean(&old);
	tandem_session_save(ss, s);
	return err;
}

/* Without memory for it nobody can subscribe to what it describes. */
static void keep_answer(struct tandem_session *s, const char *sdp, size_t len)
{
	if (s->answer)
		explicit_bzero(s->answer, strlen(s->answer));
	free(s->answer);
	s->answer = strndup(sdp, len);
}

int tandem_session_answer(struct tandem_sessions *ss, const char *call, enum tandem_party_id party,
			  const struct tandem_signal *sig, const char *sdp, size_t len, char **outp,
			  size_t *out_len)
{
	struct tandem_session *s = tandem_sessions_by_call(ss, call);
	struct tandem_media_list next = { 0 };
	const struct tandem_media_list *base;
	struct tandem_endpoint source;
	struct tandem_sdp *doc;
	int err;

	if (!s)
		return -ENOENT;
	/* without a pending offer, it repeats or replaces the last answer */
	if (!s->offer || s->offerer == (int)party)
		return -EPROTO;
	err = parse(s, &doc, sdp, len);
	if (err)
		return err;
	base = s->pending_from == TANDEM_PARTY_NONE ? &s->agreed : &s->pending;
	source = s->source[party];
	s->source[party] = sig->source;
	err = tandem_media_list_copy(&next, base, base->n);
	/* packets have come since the offer */
	tandem_media_list_take_learned(&next, &s->agreed);
	if (!err)
		err = tandem_media_agree(ss, s, &next, s->offer, doc, s->offerer);
	if (!err)
		err = tandem_relay_sdp(ss, &next, s->offerer, true, doc, outp, out_len);
	tandem_sdp_free(doc);
	if (err) {
		s->source[party] = source;
		tandem_media_list_clean(&next);
		return err;
	}
	keep_answer(s, sdp, len);
	err = adopt(ss, s, &next);
	if (err) {
		free(*outp);
		*outp = NULL;
	}
	return err;
}

int tandem_session_rollback(struct tandem_sessions *ss, const char *call)
{
	struct tandem_session *s = tandem_sessions_by_call(ss, call);

	if (!s)
		return -ENOENT;
	if (s->pending_from == TANDEM_PARTY_NONE)
		return 0;
	tandem_wires_rollback(s);
	drop_pending(ss, s);
	/* an answer may no more come to the refused offer */
	tandem_sdp_free(s->offer);
	s->offer = NULL;
	s->offerer = TANDEM_PARTY_NONE;
	tandem_session_outdated(ss, s);
	return 0;
}
