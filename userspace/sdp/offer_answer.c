/* SPDX-License-Identifier: GPL-2.0-only */
/* What an offer and its answer agree on (RFC 3264) */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "userspace/sdp/doc.h"

/* Line of media i, for reports */
static size_t media_line(const struct tandem_sdp *sdp, size_t i)
{
	size_t first, end;

	return tandem_sdp_section(sdp, (int)i, &first, &end) ? SIZE_MAX : first;
}

int tandem_sdp_check_answer(const struct tandem_sdp *offer, const struct tandem_sdp *answer,
			    struct tandem_sdp_error *err)
{
	size_t i;

	if (!offer || !answer)
		return tandem_sdp_fail(err, -EINVAL, SIZE_MAX, "bad argument");
	if (answer->nmedia != offer->nmedia)
		return tandem_sdp_fail(err, -EPROTO, SIZE_MAX,
				       "answer has another number of media than the offer");
	for (i = 0; i < offer->nmedia; i++)
		if (strcasecmp(offer->media[i].type, answer->media[i].type))
			return tandem_sdp_fail(err, -EPROTO, media_line(answer, i),
					       "media type differs from the offer");
	return tandem_sdp_fail(err, 0, SIZE_MAX, "no error");
}

static bool same_fmtp(const struct tandem_sdp_format *a, const struct tandem_sdp_format *b)
{
	if (!a->fmtp || !b->fmtp)
		return a->fmtp == b->fmtp;
	return !strcasecmp(a->fmtp, b->fmtp);
}

/* The same number for the same codec, or for one that a side did not name */
static bool same_number(const struct tandem_sdp_format *a, const struct tandem_sdp_format *b)
{
	if (a->pt < 0 || a->pt != b->pt)
		return false;
	return !a->name || !b->name || tandem_sdp_same_codec(a, b);
}

/*
 * A free offered format of the codec that an answered one names: with the same parameters
 * if there is one (H.264 profiles differ in nothing else), else the first.
 */
static size_t find_codec(const struct tandem_sdp_media *offer, const struct tandem_sdp_format *f,
			 const bool *used)
{
	size_t i, any = offer->nformats;

	for (i = 0; i < offer->nformats; i++) {
		if (used[i] || !tandem_sdp_same_codec(&offer->formats[i], f))
			continue;
		if (same_fmtp(&offer->formats[i], f))
			return i;
		if (any == offer->nformats)
			any = i;
	}
	return any;
}

static size_t find_number(const struct tandem_sdp_media *offer, const struct tandem_sdp_format *f,
			  const bool *used)
{
	size_t i;

	for (i = 0; i < offer->nformats; i++)
		if (!used[i] && same_number(&offer->formats[i], f))
			break;
	return i;
}

/*
 * Formats that kept their number, as RFC 3264 6.1 wants, choose first, so that one that
 * changed it cannot take another's place.
 */
static void match_formats(const struct tandem_sdp_media *offer,
			  const struct tandem_sdp_media *answer, struct tandem_sdp_negotiated *out)
{
	size_t found[TANDEM_SDP_MAX_FORMATS], i;
	bool used[TANDEM_SDP_MAX_FORMATS + 1] = { false };

	for (i = 0; i < answer->nformats; i++) {
		found[i] = find_number(offer, &answer->formats[i], used);
		used[found[i]] = found[i] < offer->nformats;
	}
	for (i = 0; i < answer->nformats; i++) {
		if (found[i] == offer->nformats)
			found[i] = find_codec(offer, &answer->formats[i], used);
		if (found[i] == offer->nformats)
			continue;
		used[found[i]] = true;
		out->codecs[out->ncodecs].offer = &offer->formats[found[i]];
		out->codecs[out->ncodecs++].answer = &answer->formats[i];
	}
}

/* Index of the media with this mid; nmedia: none */
static size_t find_mid(const struct tandem_sdp *sdp, const char *mid)
{
	size_t i;

	for (i = 0; i < sdp->nmedia; i++)
		if (sdp->media[i].mid && !strcmp(sdp->media[i].mid, mid))
			break;
	return i;
}

/*
 * The answerer's tagged m= section is the first of its group, and the offerer's is the
 * one with the same mid (RFC 9143 7.3.1): that one's transport carries the whole bundle.
 */
static void find_transport(const struct tandem_sdp *offer, const struct tandem_sdp *answer,
			   size_t media, struct tandem_sdp_negotiated *out)
{
	const struct tandem_sdp_media *o = &offer->media[media], *a = &answer->media[media];
	const struct tandem_sdp_group *group;
	size_t tag;

	out->transport = media;
	if (o->bundle < 0 || a->bundle < 0 || strcmp(o->mid, a->mid))
		return;
	group = &answer->session.groups[a->bundle];
	tag = find_mid(answer, group->mids[0]);
	if (tag == answer->nmedia || !answer->media[tag].port)
		return;
	if (offer->media[tag].bundle != o->bundle)
		return;
	out->bundled = true;
	out->transport = tag;
}

/*
 * A side that does not want media while the other wants to send has put it on hold; one
 * that merely takes up the other's sendonly or inactive has not.
 */
static bool is_hold(const struct tandem_sdp_media *m, enum tandem_sdp_dir other)
{
	if (m->hold2543)
		return true;
	return !(m->dir & TANDEM_SDP_RECVONLY) && (other & TANDEM_SDP_SENDONLY);
}

static void fill_side(struct tandem_sdp_side *side, const struct tandem_sdp_media *m,
		      const struct tandem_sdp_media *other,
		      const struct tandem_sdp_media *transport, bool mux)
{
	side->sends = (m->dir & TANDEM_SDP_SENDONLY) && (other->dir & TANDEM_SDP_RECVONLY) &&
		      !other->hold2543;
	side->rtp = transport->conn;
	side->rtp_port = transport->port;
	side->rtcp = mux ? transport->conn : transport->rtcp;
	side->rtcp_port = mux ? transport->port : transport->rtcp_port;
	side->ptime = m->ptime;
	side->maxptime = m->maxptime;
}

int tandem_sdp_negotiate(const struct tandem_sdp *offer, const struct tandem_sdp *answer,
			 size_t media, struct tandem_sdp_negotiated *out)
{
	const struct tandem_sdp_media *o, *a, *offer_base, *answer_base;
	int rc = tandem_sdp_check_answer(offer, answer, NULL);

	if (!rc && (!out || media >= offer->nmedia))
		rc = -EINVAL;
	if (rc)
		return rc;
	o = &offer->media[media];
	a = &answer->media[media];
	memset(out, 0, sizeof(*out));
	out->transport = media;
	out->offerer.media = o;
	out->answerer.media = a;
	out->proto_differs = strcasecmp(o->proto, a->proto) != 0;
	/* an answer has no use for bundle-only: its port 0 always rejects */
	out->accepted = !o->rejected && a->port;
	if (!out->accepted)
		return 0;
	find_transport(offer, answer, media, out);
	offer_base = &offer->media[out->transport];
	answer_base = &answer->media[out->transport];
	out->rtcp_mux = offer_base->rtcp_mux && answer_base->rtcp_mux;
	fill_side(&out->offerer, o, a, offer_base, out->rtcp_mux);
	fill_side(&out->answerer, a, o, answer_base, out->rtcp_mux);
	/* an offer states its wish before it knows the other's */
	out->offerer.hold = is_hold(o, TANDEM_SDP_SENDRECV);
	out->answerer.hold = is_hold(a, o->dir);
	match_formats(o, a, out);
	return 0;
}
