/* SPDX-License-Identifier: GPL-2.0-only */
/* BUNDLE groups (RFC 9143) in what a party offers, and in what it gets to see. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/session/model.h"

#define GROUP_SIZE (sizeof("BUNDLE") + TANDEM_MEDIA_MAX * TANDEM_MID_SIZE)

/* What sections of a group may leave to the tagged one (RFC 9143 7.1.3). */
static const char *const shared[] = { "ice-ufrag", "ice-pwd", "setup", "rtcp-mux", "fingerprint" };

/* The group that is looked at, or NULL; another one's media are each on its own. */
static const struct tandem_sdp_group *first_group(const struct tandem_sdp *sdp, int *index)
{
	size_t i, n = tandem_sdp_media_count(sdp);

	*index = -1;
	for (i = 0; i < n; i++) {
		int group = tandem_sdp_media(sdp, i)->bundle;

		if (group >= 0 && (*index < 0 || group < *index))
			*index = group;
	}
	return *index < 0 ? NULL : &tandem_sdp_session(sdp)->groups[*index];
}

/* Place of a mid in a group, from 1; 0: none. */
static size_t rank_of(const struct tandem_sdp_group *group, const char *mid)
{
	size_t i;

	for (i = 0; mid && i < group->nmids; i++) {
		if (!strcmp(group->mids[i], mid))
			return i + 1;
	}
	return 0;
}

void tandem_bundle_offered(struct tandem_media *m, const struct tandem_sdp *offer, size_t i,
			   enum tandem_party_id offerer)
{
	struct tandem_leg *leg = &m->leg[offerer];
	const struct tandem_sdp_media *media = tandem_sdp_media(offer, i);
	int index;
	const struct tandem_sdp_group *group = first_group(offer, &index);
	size_t rank = group && media->bundle == index ? rank_of(group, media->mid) : 0;

	leg->secure.mid[0] = '\0';
	if (media->mid && strlen(media->mid) < TANDEM_MID_SIZE)
		strcpy(leg->secure.mid, media->mid);
	leg->secure.bundle_rank = leg->secure.mid[0] && rank < UINT8_MAX ? (uint8_t)rank : 0;
}

static int spread_attrs(struct tandem_sdp *offer, size_t from, size_t to)
{
	const char *value;
	size_t a, n;
	int err = 0;

	for (a = 0; a < sizeof(shared) / sizeof(shared[0]); a++) {
		if (tandem_sdp_find_attr(offer, to, shared[a], 0))
			continue;
		for (n = 0; !err && (value = tandem_sdp_find_attr(offer, from, shared[a], n)); n++)
			err = tandem_sdp_add_attr(offer, to, shared[a], *value ? value : NULL);
	}
	return err;
}

int tandem_bundle_spread(struct tandem_sdp *offer)
{
	size_t i, tag, best = SIZE_MAX, count = tandem_sdp_media_count(offer);
	const struct tandem_sdp_group *group;
	int index, err = 0;

	group = first_group(offer, &index);
	for (i = tag = 0; group && i < count; i++) {
		const struct tandem_sdp_media *media = tandem_sdp_media(offer, i);
		size_t rank = media->bundle == index && media->port ? rank_of(group, media->mid)
								    : 0;

		if (!rank || rank >= best)
			continue;
		best = rank;
		tag = i;
	}
	for (i = 0; best < SIZE_MAX && i < count && !err; i++) {
		const struct tandem_sdp_media *media = tandem_sdp_media(offer, i);

		if (i == tag || media->bundle != index || media->rejected)
			continue;
		if (!media->port)
			err = tandem_sdp_set_port(offer, i, tandem_sdp_media(offer, tag)->port);
		if (!err)
			err = spread_attrs(offer, tag, i);
	}
	return err;
}

/* ---- what a party gets to see ---- */

/* Sections of who knows no mids are numbered. */
static int give_mids(struct tandem_sdp *sdp, const bool *in)
{
	size_t i, n = tandem_sdp_media_count(sdp);
	char mid[24];
	int err = 0;

	for (i = 0; i < n; i++) {
		if (tandem_sdp_media(sdp, i)->mid)
			return 0;
	}
	for (i = 0; i < n && !err; i++) {
		snprintf(mid, sizeof(mid), "%zu", i);
		if (in[i])
			err = tandem_sdp_set_attr(sdp, i, "mid", mid);
	}
	return err;
}

static void add_mid(char *group, const char *mid)
{
	if (!mid || !*mid || strlen(mid) >= TANDEM_MID_SIZE)
		return;
	strcat(group, " ");
	strcat(group, mid);
}

static const char *mid_of(const struct tandem_media_list *list, enum tandem_party_id to,
			  bool answer, const struct tandem_sdp *sdp, size_t i)
{
	return answer ? list->v[i].leg[to].secure.mid : tandem_sdp_media(sdp, i)->mid;
}

int tandem_bundle_sdp(const struct tandem_media_list *list, enum tandem_party_id to, bool answer,
		      struct tandem_sdp *sdp, const bool *in)
{
	size_t i, tag, n = tandem_sdp_media_count(sdp);
	char group[GROUP_SIZE] = "BUNDLE";
	int err = answer ? 0 : give_mids(sdp, in);

	for (i = 0; i < n && !in[i];)
		i++;
	if (err || i == n)
		return err;
	/* the one that has the transport is named first */
	tag = list->v[i].leg[to].transport;
	add_mid(group, in[tag] ? mid_of(list, to, answer, sdp, tag) : NULL);
	for (i = 0; i < n; i++) {
		if (i != tag && in[i])
			add_mid(group, mid_of(list, to, answer, sdp, i));
	}
	return group[sizeof("BUNDLE") - 1]
		       ? tandem_sdp_add_attr(sdp, TANDEM_SDP_SESSION, "group", group)
		       : 0;
}
