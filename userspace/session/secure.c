/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/session/secure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "userspace/session/model.h"

/* What an offer lets its answerer choose from. */
enum offered {
	OFFERED_PLAIN = 1 << 0,
	OFFERED_SDES = 1 << 1,
	OFFERED_DTLS = 1 << 2,
};

/* RFC 8834 4.1, RFC 8835 3.4: ICE, DTLS and rtcp-mux. Phones that have but some of it can be passed. */
static bool has_webrtc(const struct tandem_sdp *sdp)
{
	size_t i;

	for (i = 0; i < tandem_sdp_media_count(sdp); i++) {
		const struct tandem_sdp_media *media = tandem_sdp_media(sdp, i);

		if (media->port && media->has_ice && media->has_fingerprint && media->rtcp_mux &&
		    tandem_media_is_anchored(media))
			return true;
	}
	return false;
}

/* Keys with a profile that is not of SRTP (RFC 8643). */
static bool has_osrtp(const struct tandem_sdp *sdp)
{
	size_t i;

	for (i = 0; i < tandem_sdp_media_count(sdp); i++) {
		const struct tandem_sdp_media *media = tandem_sdp_media(sdp, i);

		if (media->port && !media->secure && media->has_crypto &&
		    tandem_media_is_anchored(media))
			return true;
	}
	return false;
}

static bool is_kind(enum tandem_security security)
{
	return security != TANDEM_SECURITY_AUTO && security != TANDEM_SECURITY_PASS;
}

bool tandem_secure_ends(const struct tandem_media_list *list, const struct tandem_sdp *offer,
			const struct tandem_signal *sig)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		const struct tandem_media *m = &list->v[i];

		if (m->active && m->leg[TANDEM_PARTY_A].secure.kind != TANDEM_PROTECT_PASS)
			return true;
	}
	if (is_kind(sig->source_security) || is_kind(sig->target_security))
		return true;
	if (sig->osrtp != TANDEM_OSRTP_AS_SAID && has_osrtp(offer))
		return true;
	return sig->source_security == TANDEM_SECURITY_AUTO &&
	       sig->target_security == TANDEM_SECURITY_AUTO && has_webrtc(offer);
}

/* The first line of this suite, or of any (0), that can be used. */
static bool find_suite(const struct tandem_sdp *sdp, size_t i, uint8_t suite,
		       struct tandem_sdes *sdes)
{
	const char *value;
	size_t n;

	for (n = 0; (value = tandem_sdp_find_attr(sdp, i, "crypto", n)); n++) {
		if (!tandem_sdes_parse(sdes, value) && (!suite || sdes->srtp.suite == suite))
			return true;
	}
	return false;
}

/* The first is what the offerer likes best (RFC 4568 5.1.2), but the front end may know better. */
static bool find_crypto(const struct tandem_sdp *sdp, size_t i,
			const struct tandem_suites *preferred, struct tandem_sdes *sdes)
{
	size_t n;

	for (n = 0; n < preferred->count; n++) {
		if (find_suite(sdp, i, preferred->suite[n], sdes))
			return true;
	}
	return find_suite(sdp, i, SRTP_SUITE_NONE, sdes);
}

static unsigned int offered_kinds(const struct tandem_sdp *sdp, size_t i,
				  const struct tandem_signal *sig, struct tandem_sdes *sdes)
{
	const struct tandem_sdp_media *media = tandem_sdp_media(sdp, i);
	unsigned int kinds = media->secure ? 0 : OFFERED_PLAIN;

	if (kinds && sig->osrtp == TANDEM_OSRTP_REJECT)
		return kinds;
	if (find_crypto(sdp, i, &sig->preferred, sdes) && strncasecmp(media->proto, "UDP/TLS", 7))
		kinds |= OFFERED_SDES;
	/* RTP/SAVP with keys in it means those, whatever else is in it (RFC 5763 5) */
	if (media->has_fingerprint && !(media->secure && kinds & OFFERED_SDES))
		kinds |= OFFERED_DTLS;
	return kinds;
}

/* -EPROTO when the party does not offer what it has to. */
static int choose(unsigned int offered, enum tandem_security security, enum tandem_protection *kind)
{
	static const unsigned int allowed[] = {
		[TANDEM_SECURITY_AUTO] = OFFERED_PLAIN | OFFERED_SDES | OFFERED_DTLS,
		[TANDEM_SECURITY_PASS] = OFFERED_PLAIN | OFFERED_SDES | OFFERED_DTLS,
		[TANDEM_SECURITY_PLAIN] = OFFERED_PLAIN,
		[TANDEM_SECURITY_SDES_PREFER] = OFFERED_SDES | OFFERED_PLAIN,
		[TANDEM_SECURITY_SDES_REQUIRE] = OFFERED_SDES,
		[TANDEM_SECURITY_DTLS] = OFFERED_DTLS,
	};
	unsigned int left = offered & allowed[security];

	if (!left)
		return -EPROTO;
	*kind = left & OFFERED_DTLS   ? TANDEM_PROTECT_DTLS
		: left & OFFERED_SDES ? TANDEM_PROTECT_SDES
				      : TANDEM_PROTECT_NONE;
	return 0;
}

void tandem_secure_wipe(struct tandem_secure_leg *leg)
{
	explicit_bzero(&leg->rtp, sizeof(leg->rtp));
	explicit_bzero(&leg->rtcp, sizeof(leg->rtcp));
}

static void wipe_keys(struct tandem_secure_leg *leg)
{
	tandem_secure_wipe(leg);
	leg->tag = 0;
}

void tandem_secure_leg_clean(struct tandem_secure_leg *leg)
{
	tandem_wire_put(leg->wire);
	explicit_bzero(leg, sizeof(*leg));
}

void tandem_secure_idle(struct tandem_media *m)
{
	int p;

	for (p = 0; p < 2; p++) {
		wipe_keys(&m->leg[p].secure);
		tandem_wire_put(m->leg[p].secure.wire);
		m->leg[p].secure.wire = NULL;
	}
}

/* Another kind begins without keys. */
static void set_kind(struct tandem_secure_leg *leg, enum tandem_protection kind)
{
	if (leg->kind != kind)
		wipe_keys(leg);
	if (kind != TANDEM_PROTECT_DTLS) {
		tandem_wire_put(leg->wire);
		leg->wire = NULL;
	}
	leg->kind = kind;
}

/* The same keys again are the same set: its rollover counters go on. */
static int take_key(struct tandem_secure_leg *leg, const struct tandem_sdes *sdes)
{
	leg->tag = sdes->tag;
	if (tandem_sdes_same_keys(&leg->rtp.in, &sdes->srtp))
		return 0;
	leg->rtp.in = sdes->srtp;
	leg->rtp.in.streams = TANDEM_KEY_STREAMS;
	return tandem_sdes_new_id(&leg->rtp.in.id);
}

static int generate(struct tandem_sdes *sdes, uint32_t tag, uint8_t suite, uint16_t streams)
{
	int err = tandem_sdes_generate(sdes, tag, suite);

	sdes->srtp.streams = streams;
	return err;
}

/* A bundle of the other party's would part ways, and RTCP of all its SSRCs leave by this leg. */
static uint16_t streams_beside(const struct tandem_sdp *offer, bool bundled)
{
	return bundled && tandem_sdp_media_count(offer) > 1 ? TANDEM_BUNDLE_STREAMS
							    : TANDEM_KEY_STREAMS;
}

static bool is_spent(const struct tandem_sessions *ss, const struct tandem_srtp *out)
{
	return out->suite && ss->env.key_spent(ss->plane, out->id);
}

bool tandem_secure_spent(const struct tandem_sessions *ss, const struct tandem_secure_leg *leg)
{
	return is_spent(ss, &leg->rtp.out) || is_spent(ss, &leg->rtcp.out);
}

/* The party that has made the offer. */
static int secure_offerer(const struct tandem_sessions *ss, struct tandem_secure_leg *leg,
			  const struct tandem_sdp_media *media, enum tandem_protection kind,
			  const struct tandem_sdes *crypto, uint16_t streams)
{
	struct tandem_sdes own = { 0 };
	int err;

	if (strlen(media->proto) >= sizeof(leg->proto))
		return -EPROTO;
	strcpy(leg->proto, media->proto);
	set_kind(leg, kind);
	explicit_bzero(leg->offered, sizeof(leg->offered));
	leg->offered_count = 0;
	if (kind != TANDEM_PROTECT_SDES)
		return 0;
	err = take_key(leg, crypto);
	/* an answer that is repeated, and an offer that brings nothing new, get the same key */
	if (!err && (leg->rtp.out.suite != crypto->srtp.suite || tandem_secure_spent(ss, leg))) {
		err = generate(&own, crypto->tag, crypto->srtp.suite, streams);
		leg->rtp.out = own.srtp;
		explicit_bzero(&own, sizeof(own));
	}
	return err;
}

static enum tandem_protection kind_to_offer(enum tandem_security security,
					    enum tandem_protection other)
{
	switch (security) {
	case TANDEM_SECURITY_PLAIN:
		return TANDEM_PROTECT_NONE;
	case TANDEM_SECURITY_SDES_PREFER:
	case TANDEM_SECURITY_SDES_REQUIRE:
		return TANDEM_PROTECT_SDES;
	case TANDEM_SECURITY_DTLS:
		return TANDEM_PROTECT_DTLS;
	default:
		return other;
	}
}

/*
 * WebRTC has feedback always (RFC 8834 4.2), and many a phone never: it is not carried over from
 * one to the other. Otherwise the party gets the profile that was offered.
 */
static const char *proto_to_offer(enum tandem_protection kind, enum tandem_protection other,
				  bool optional, const struct tandem_sdp_media *media)
{
	bool feedback = media->feedback && other != TANDEM_PROTECT_DTLS;

	if (kind == TANDEM_PROTECT_DTLS)
		return "UDP/TLS/RTP/SAVPF";
	if (kind == TANDEM_PROTECT_SDES && !optional)
		return feedback ? "RTP/SAVPF" : "RTP/SAVP";
	return feedback ? "RTP/AVPF" : "RTP/AVP";
}

/* What the front end wants to be offered, as far as it is to come from the source's offer. */
static void choose_suites(const struct tandem_signal *sig, const struct tandem_sdp *offer, size_t i,
			  struct tandem_suites *suites)
{
	struct tandem_sdes sdes = { 0 };
	size_t n, count = sig->suites.count ? sig->suites.count : TANDEM_SDES_OFFERED;

	*suites = sig->suites;
	if (!sig->no_new_suites || !find_suite(offer, i, SRTP_SUITE_NONE, &sdes))
		return;
	suites->count = 0;
	for (n = 0; n < count; n++) {
		uint8_t suite = sig->suites.count ? sig->suites.suite[n] : tandem_sdes_suite(n);

		if (find_suite(offer, i, suite, &sdes))
			suites->suite[suites->count++] = suite;
	}
	explicit_bzero(&sdes, sizeof(sdes));
}

static int offer_keys(struct tandem_secure_leg *leg, const struct tandem_suites *suites,
		      uint16_t streams)
{
	size_t count = suites->count ? suites->count : TANDEM_SDES_OFFERED;
	int err = 0;

	/* an offer that is made again, as after a challenge */
	if (leg->offered_kind == TANDEM_PROTECT_SDES && leg->offered_count)
		return 0;
	for (leg->offered_count = 0; leg->offered_count < count && !err;) {
		size_t i = leg->offered_count++;

		err = generate(&leg->offered[i], i + 1,
			       suites->count ? suites->suite[i] : tandem_sdes_suite(i), streams);
	}
	return err;
}

/* Offer again what is agreed, but for a key that is of no use any more. */
static int offer_agreed(const struct tandem_sessions *ss, struct tandem_secure_leg *leg)
{
	int err = 0;

	explicit_bzero(leg->offered, sizeof(leg->offered));
	leg->offered_count = 0;
	leg->offered_kind = leg->kind;
	if (leg->kind == TANDEM_PROTECT_SDES) {
		leg->offered[0] = (struct tandem_sdes){ leg->tag, leg->rtp.out };
		leg->offered_count = 1;
		if (tandem_secure_spent(ss, leg))
			err = generate(&leg->offered[0], leg->tag, leg->rtp.out.suite,
				       leg->rtp.out.streams);
	}
	return err;
}

static int prepare_wires(struct tandem_sessions *ss, const struct tandem_session *s, size_t i,
			 struct tandem_media *m, enum tandem_party_id offerer,
			 const struct tandem_signal *sig)
{
	struct tandem_wire_ice ice;
	int p, err = 0;

	for (p = 0; p < 2 && !err; p++) {
		/* one that shares another's goes on with that, or the answer fails */
		if (m->leg[p].secure.kind != TANDEM_PROTECT_DTLS || m->leg[p].transport != i)
			continue;
		ice.offerer = p != (int)offerer;
		ice.mode = ice.offerer ? sig->target_ice : sig->source_ice;
		if (ice.mode == TANDEM_ICE_MODE_AUTO)
			ice.mode = tandem_sessions_ice(ss,
						       ice.offerer ? &sig->target : &sig->source);
		ice.active = !ice.offerer && sig->source_dtls_active;
		err = tandem_wire_prepare(ss, s, i, p, &m->leg[p], &ice);
	}
	return err;
}

static int secure_media(const struct tandem_sessions *ss, struct tandem_media *m,
			const struct tandem_sdp *offer, size_t i, enum tandem_party_id offerer,
			const struct tandem_signal *sig)
{
	struct tandem_secure_leg *own = &m->leg[offerer].secure, *other = &m->leg[!offerer].secure;
	const struct tandem_sdp_media *media = tandem_sdp_media(offer, i);
	bool agreed = m->active && other->kind != TANDEM_PROTECT_PASS;
	enum tandem_protection kind = TANDEM_PROTECT_NONE, other_kind;
	struct tandem_sdes crypto = { 0 };
	struct tandem_suites suites;
	unsigned int offered;
	int err;

	offered = offered_kinds(offer, i, sig, &crypto);
	err = choose(offered, sig->source_security, &kind);
	other_kind = agreed ? other->kind : kind_to_offer(sig->target_security, kind);
	if (!err)
		err = secure_offerer(ss, own, media, kind, &crypto,
				     streams_beside(offer, other_kind == TANDEM_PROTECT_DTLS));
	explicit_bzero(&crypto, sizeof(crypto));
	if (err || agreed)
		return err ? err : offer_agreed(ss, other);
	other->optional = sig->target_security == TANDEM_SECURITY_SDES_PREFER ||
			  (!is_kind(sig->target_security) && offered & OFFERED_PLAIN);
	strcpy(other->proto, proto_to_offer(other_kind, kind, other->optional, media));
	choose_suites(sig, offer, i, &suites);
	if (other_kind == TANDEM_PROTECT_SDES)
		err = offer_keys(other, &suites, streams_beside(offer, own->bundle_rank));
	set_kind(other, other_kind);
	other->offered_kind = other_kind;
	return err;
}

int tandem_secure_offer(struct tandem_sessions *ss, const struct tandem_session *s,
			struct tandem_media *m, bool ends, const struct tandem_sdp *offer, size_t i,
			enum tandem_party_id offerer, const struct tandem_signal *sig)
{
	int err;

	if (!ends) {
		tandem_secure_leg_clean(&m->leg[TANDEM_PARTY_A].secure);
		tandem_secure_leg_clean(&m->leg[TANDEM_PARTY_B].secure);
		return 0;
	}
	tandem_bundle_offered(m, offer, i, offerer);
	err = secure_media(ss, m, offer, i, offerer, sig);
	return err ? err : prepare_wires(ss, s, i, m, offerer, sig);
}

static int answer_sdes(struct tandem_secure_leg *leg, const struct tandem_sdp *answer, size_t i)
{
	const char *value = tandem_sdp_find_attr(answer, i, "crypto", 0);
	struct tandem_sdes sdes = { 0 };
	int err = -EPROTO;
	size_t n;

	if (!value && leg->optional) {
		wipe_keys(leg);
		leg->kind = TANDEM_PROTECT_NONE;
		return 0;
	}
	/* exactly one line, with the tag and suite of one that was offered (RFC 4568 5.1.2) */
	if (!value || tandem_sdes_parse(&sdes, value))
		return -EPROTO;
	for (n = 0; n < leg->offered_count; n++) {
		if (leg->offered[n].tag != sdes.tag ||
		    leg->offered[n].srtp.suite != sdes.srtp.suite)
			continue;
		leg->kind = TANDEM_PROTECT_SDES;
		leg->rtp.out = leg->offered[n].srtp;
		err = take_key(leg, &sdes);
		break;
	}
	explicit_bzero(&sdes, sizeof(sdes));
	return err;
}

int tandem_secure_answer(struct tandem_media *m, const struct tandem_sdp *offer,
			 const struct tandem_sdp *answer, size_t i, enum tandem_party_id answerer)
{
	struct tandem_secure_leg *leg = &m->leg[answerer].secure,
				 *other = &m->leg[!answerer].secure;

	if (other->kind == TANDEM_PROTECT_DTLS && m->leg[!answerer].transport == i) {
		int err = other->wire ? tandem_wire_offered(other->wire, offer, i) : -EPROTO;

		if (err)
			return err;
	}
	switch (leg->kind == TANDEM_PROTECT_PASS ? TANDEM_PROTECT_PASS : leg->offered_kind) {
	case TANDEM_PROTECT_SDES:
		return answer_sdes(leg, answer, i);
	case TANDEM_PROTECT_DTLS:
		if (m->leg[answerer].transport != i)
			return 0;
		return leg->wire ? tandem_wire_answered(leg->wire, answer, i) : -EPROTO;
	default:
		return 0;
	}
}

static void keep_old(struct tandem_leg_keys *keys, const struct tandem_leg_keys *before,
		     uint64_t now)
{
	if (!keys->in.suite || !before->in.suite || keys->in.id == before->in.id)
		return;
	keys->in_old = before->in;
	keys->old_until_ms = now + TANDEM_OLD_KEY_MS;
}

void tandem_secure_keep_old(struct tandem_media_list *list, const struct tandem_media_list *before,
			    uint64_t now)
{
	size_t i, p;

	for (i = 0; i < list->n && i < before->n; i++) {
		for (p = 0; p < 2; p++) {
			struct tandem_secure_leg *leg = &list->v[i].leg[p].secure;
			const struct tandem_secure_leg *was = &before->v[i].leg[p].secure;

			keep_old(&leg->rtp, &was->rtp, now);
			keep_old(&leg->rtcp, &was->rtcp, now);
		}
	}
}

static bool expire(struct tandem_leg_keys *keys, uint64_t now, bool *pending)
{
	if (!keys->old_until_ms)
		return false;
	if (now < keys->old_until_ms) {
		*pending = true;
		return false;
	}
	explicit_bzero(&keys->in_old, sizeof(keys->in_old));
	keys->old_until_ms = 0;
	return true;
}

bool tandem_secure_expire(struct tandem_media_list *list, uint64_t now, bool *pending)
{
	bool expired = false;
	size_t i, p;

	*pending = false;
	for (i = 0; i < list->n; i++) {
		for (p = 0; p < 2; p++) {
			struct tandem_secure_leg *leg = &list->v[i].leg[p].secure;

			expired |= expire(&leg->rtp, now, pending);
			expired |= expire(&leg->rtcp, now, pending);
		}
	}
	return expired;
}
