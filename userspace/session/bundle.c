/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which media of a party share one transport (BUNDLE, RFC 9143), and which packets on it are
 * of which media. The description's side of it is in bundle_sdp.c.
 */
#include <errno.h>
#include <string.h>

#include "userspace/session/model.h"

/* ---- who shares a transport ---- */

static bool is_live(const struct tandem_media *m, const struct tandem_sdp *offer,
		    const struct tandem_sdp *answer, size_t i, enum tandem_party_id party)
{
	return m->anchored && m->leg[party].secure.kind == TANDEM_PROTECT_DTLS &&
	       tandem_sdp_media(offer, i)->port && tandem_sdp_media(answer, i)->port;
}

/* The section that is first in the offerer's group has the transport of all (RFC 9143 7.3.1). */
static void agree_offerer(struct tandem_media_list *list, const struct tandem_sdp *offer,
			  const struct tandem_sdp *answer, enum tandem_party_id offerer,
			  size_t *transport)
{
	uint8_t rank, best = UINT8_MAX;
	size_t i, tag = 0;

	for (i = 0; i < list->n; i++) {
		rank = list->v[i].leg[offerer].secure.bundle_rank;
		if (!rank || rank >= best || !is_live(&list->v[i], offer, answer, i, offerer) ||
		    !tandem_media_muxes(tandem_sdp_media(offer, i), false))
			continue;
		best = rank;
		tag = i;
	}
	for (i = 0; i < list->n && best < UINT8_MAX; i++) {
		if (list->v[i].leg[offerer].secure.bundle_rank &&
		    is_live(&list->v[i], offer, answer, i, offerer))
			transport[i] = tag;
	}
}

static size_t find_mid(const struct tandem_sdp *sdp, const char *mid)
{
	size_t i, n = tandem_sdp_media_count(sdp);

	for (i = 0; i < n; i++) {
		const char *own = tandem_sdp_media(sdp, i)->mid;

		if (own && !strcmp(own, mid))
			break;
	}
	return i;
}

/* The answerer's group is in the answer, and was offered as a whole. */
static int agree_answerer(struct tandem_media_list *list, const struct tandem_sdp *offer,
			  const struct tandem_sdp *answer, enum tandem_party_id answerer,
			  size_t *transport)
{
	const struct tandem_sdp_session *session = tandem_sdp_session(answer);
	size_t i, k, tag = list->n;
	int group = -1;

	for (i = 0; i < list->n && group < 0; i++)
		group = tandem_sdp_media(answer, i)->bundle;
	for (k = 0; group >= 0 && k < session->groups[group].nmids; k++) {
		i = find_mid(answer, session->groups[group].mids[k]);
		if (i >= list->n || !is_live(&list->v[i], offer, answer, i, answerer))
			continue;
		if (tag == list->n)
			tag = i;
		transport[i] = tag;
	}
	/* without rtcp-mux there is no bundle (RFC 9143 9.3) */
	for (i = 0; i < list->n; i++) {
		if (transport[i] != i && !tandem_sdp_media(answer, transport[i])->rtcp_mux)
			return -EPROTO;
	}
	return 0;
}

/* What one that shares another's transport had of its own. */
static void settle(struct tandem_leg *leg, size_t i, size_t transport)
{
	struct tandem_secure_leg *secure = &leg->secure;

	leg->transport = transport;
	if (transport == i)
		return;
	tandem_wire_put(secure->wire);
	secure->wire = NULL;
	tandem_secure_wipe(secure);
	memset(leg->remote, 0, sizeof(leg->remote));
	memset(leg->learn, 0, sizeof(leg->learn));
}

int tandem_bundle_agree(struct tandem_media_list *list, const struct tandem_sdp *offer,
			const struct tandem_sdp *answer, enum tandem_party_id offerer)
{
	size_t transport[2][TANDEM_MEDIA_MAX], i, p;
	int err;

	for (i = 0; i < list->n; i++)
		transport[0][i] = transport[1][i] = i;
	agree_offerer(list, offer, answer, offerer, transport[offerer]);
	err = agree_answerer(list, offer, answer, !offerer, transport[!offerer]);
	for (i = 0; i < 2 * list->n && !err; i++) {
		p = i % 2;
		settle(&list->v[i / 2].leg[p], i / 2, transport[p][i / 2]);
	}
	return err;
}

/* ---- which packets are whose ---- */

static void take_ssrcs(struct tandem_leg *leg, const struct tandem_sdp *sdp, size_t i)
{
	const struct tandem_sdp_media *media = tandem_sdp_media(sdp, i);
	size_t n;

	/* those that were learned go on, unless the party names others now */
	if (media->nssrcs)
		leg->ssrc_count = 0;
	for (n = 0; n < media->nssrcs && leg->ssrc_count < TANDEM_LEG_SSRCS; n++)
		leg->ssrcs[leg->ssrc_count++] = media->ssrcs[n];
}

void tandem_bundle_ssrcs(struct tandem_media *m, const struct tandem_sdp *offer,
			 const struct tandem_sdp *answer, size_t i, enum tandem_party_id offerer)
{
	const char *mid = tandem_sdp_media(answer, i)->mid;
	char *own = m->leg[!offerer].secure.mid;

	take_ssrcs(&m->leg[offerer], offer, i);
	take_ssrcs(&m->leg[!offerer], answer, i);
	*own = '\0';
	if (mid && strlen(mid) < TANDEM_MID_SIZE)
		strcpy(own, mid);
}

/* One element of a block of header extensions (RFC 8285 4.2, 4.3); 0 at the end of the block. */
static size_t next_element(const uint8_t *at, size_t left, bool two_bytes, unsigned int *id,
			   size_t *value_len)
{
	if (!left)
		return 0;
	*value_len = 0;
	*id = two_bytes ? at[0] : at[0] >> 4;
	if (!*id) /* padding */
		return 1;
	if (two_bytes) {
		if (left < 2)
			return 0;
		*value_len = at[1];
		return left < 2 + *value_len ? 0 : 2 + *value_len;
	}
	if (*id == 15)
		return 0;
	*value_len = (at[0] & 15U) + 1;
	return left < 1 + *value_len ? 0 : 1 + *value_len;
}

/* The value of an element in an RTP header, as far as len bytes go; NULL: not there. */
static const uint8_t *find_element(const uint8_t *head, size_t len, unsigned int wanted,
				   size_t *value_len)
{
	size_t at = 12 + 4 * (size_t)(head[0] & 15), end, step;
	unsigned int profile, id;
	bool two_bytes;

	if (!(head[0] & 0x10) || at + 4 > len)
		return NULL;
	profile = (unsigned int)head[at] << 8 | head[at + 1];
	two_bytes = (profile & 0xfff0) == 0x1000;
	if (profile != 0xbede && !two_bytes)
		return NULL;
	end = at + 4 + 4 * ((size_t)head[at + 2] << 8 | head[at + 3]);
	if (end > len)
		end = len;
	for (at += 4; (step = next_element(head + at, end - at, two_bytes, &id, value_len));
	     at += step) {
		if (id == wanted && *value_len)
			return head + at + step - *value_len;
	}
	return NULL;
}

static bool has_mid(const struct tandem_leg *leg, const uint8_t *head, size_t len)
{
	size_t n;
	const uint8_t *value = leg->mid_ext ? find_element(head, len, leg->mid_ext, &n) : NULL;

	return value && n == strlen(leg->secure.mid) && !memcmp(value, leg->secure.mid, n);
}

static bool has_pt(const struct tandem_leg *leg, uint8_t pt)
{
	size_t i;

	for (i = 0; i < leg->codec_count; i++) {
		if (leg->codecs[i].pt == pt)
			return true;
	}
	return false;
}

/* Of several media with the payload type none is meant, as the SSRC's could be any (9.2). */
static struct tandem_leg *find_media(struct tandem_media_list *list, enum tandem_party_id from,
				     size_t transport, const uint8_t *head, size_t len)
{
	struct tandem_leg *found = NULL;
	size_t i, matches = 0;

	for (i = 0; i < list->n; i++) {
		struct tandem_leg *leg = &list->v[i].leg[from];

		if (!list->v[i].active || leg->transport != transport)
			continue;
		if (has_mid(leg, head, len))
			return leg;
		if (has_pt(leg, head[1] & 0x7f)) {
			found = leg;
			matches++;
		}
	}
	return matches == 1 ? found : NULL;
}

bool tandem_bundle_learn(struct tandem_media_list *list, enum tandem_party_id from,
			 size_t transport, const uint8_t *head, size_t len)
{
	uint32_t ssrc;
	struct tandem_leg *leg;
	size_t i, k;

	if (len < 12 || head[0] >> 6 != 2)
		return false;
	ssrc = (uint32_t)head[8] << 24 | head[9] << 16 | head[10] << 8 | head[11];
	for (i = 0; i < list->n; i++) {
		leg = &list->v[i].leg[from];
		for (k = 0; k < leg->ssrc_count && leg->transport == transport; k++) {
			if (leg->ssrcs[k] == ssrc)
				return false;
		}
	}
	leg = find_media(list, from, transport, head, len);
	if (!leg || leg->ssrc_count == TANDEM_LEG_SSRCS)
		return false;
	leg->ssrcs[leg->ssrc_count++] = ssrc;
	return true;
}
