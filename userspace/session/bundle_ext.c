/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Under which id packets carry the MID (RFC 9143 15), by what offer and answer say of header
 * extensions (RFC 8285 section 7). An answer has the id of the offer, or takes the extension away,
 * or a direction of it. Only for an id of the extended range, which is no more than a name, it
 * chooses one, and that is then in force for both.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "userspace/session/model.h"

#define MID_URI "urn:ietf:params:rtp-hdrext:sdes:mid"

enum {
	ID_MAX = 255, /* of those that a packet can have */
	ID_EXTENDED_MIN = 4096,
	ID_EXTENDED_MAX = 4351,
};

/* A line a=extmap. id 0: there is none that counts. */
struct extmap {
	unsigned int id;
	bool sends, receives; /* who says it */
	bool mid;
};

static void read_direction(struct extmap *map, const char *text, size_t len)
{
	static const char *const names[] = { "inactive", "recvonly", "sendonly", "sendrecv" };
	unsigned int i;

	for (i = 0; i < 4; i++) {
		if (strlen(names[i]) != len || strncasecmp(names[i], text, len))
			continue;
		map->receives = i & 1;
		map->sends = i & 2;
	}
}

/* "4 urn:...", "4/sendonly urn:... attributes"; what is nothing of the kind has id 0. */
static struct extmap read_extmap(const char *value)
{
	struct extmap map = { .sends = true, .receives = true };
	unsigned long id;
	const char *uri;
	char *end;

	id = strtoul(value, &end, 10);
	uri = strchr(value, ' ');
	if (end == value || !uri || id > ID_EXTENDED_MAX || (*end != ' ' && *end != '/'))
		return map;
	if (id > ID_MAX && id < ID_EXTENDED_MIN)
		return map;
	if (*end == '/')
		read_direction(&map, end + 1, (size_t)(uri - end - 1));
	uri += strspn(uri, " ");
	map.mid = strcspn(uri, " ") == strlen(MID_URI) && !strncmp(uri, MID_URI, strlen(MID_URI));
	map.id = (unsigned int)id;
	return map;
}

/* Line n of a section; or of the session, if the section has none (RFC 8285 section 7). */
static bool get_extmap(const struct tandem_sdp *sdp, size_t i, size_t n, struct extmap *map)
{
	int section = tandem_sdp_find_attr(sdp, (int)i, "extmap", 0) ? (int)i : TANDEM_SDP_SESSION;
	const char *value = tandem_sdp_find_attr(sdp, section, "extmap", n);

	if (value)
		*map = read_extmap(value);
	return value;
}

static struct extmap find_mid(const struct tandem_sdp *sdp, size_t i)
{
	struct extmap map = { 0 };
	size_t n;

	for (n = 0; get_extmap(sdp, i, n, &map); n++) {
		if (map.mid && map.id)
			return map;
	}
	return (struct extmap){ 0 };
}

/* Does a section give the id to something else? */
static bool has_other(const struct tandem_sdp *sdp, size_t i, unsigned int id)
{
	struct extmap map;
	size_t n;

	for (n = 0; get_extmap(sdp, i, n, &map); n++) {
		if (map.id == id && !map.mid)
			return true;
	}
	return false;
}

static const char *agree_one(struct tandem_media *m, const struct tandem_sdp *offer,
			     const struct tandem_sdp *answer, size_t i,
			     enum tandem_party_id offerer)
{
	struct tandem_leg *own = &m->leg[offerer], *other = &m->leg[!offerer];
	const struct extmap offered = find_mid(offer, i), answered = find_mid(answer, i);

	if (!offered.id || !answered.id)
		return NULL;
	if (offered.id <= ID_MAX && answered.id != offered.id)
		return "the MID header extension has another id than was offered";
	/* the name of an extension that is not used, but could be */
	if (answered.id > ID_MAX)
		return NULL;
	if (offered.sends && answered.receives)
		own->mid_ext = (uint8_t)answered.id;
	if (offered.receives && answered.sends)
		other->mid_ext = (uint8_t)answered.id;
	return NULL;
}

/* Packets of all sections that share the transport are looked at for the MID of this one. */
static const char *check_others(const struct tandem_media_list *list, const struct tandem_sdp *sdp,
				size_t i, enum tandem_party_id party)
{
	const struct tandem_leg *leg = &list->v[i].leg[party];
	size_t k;

	for (k = 0; k < list->n && leg->mid_ext; k++) {
		if (list->v[k].active && list->v[k].leg[party].transport == leg->transport &&
		    has_other(sdp, k, leg->mid_ext))
			return "the id of the MID header extension is that of another one as well";
	}
	return NULL;
}

static bool is_shared(const struct tandem_media_list *list, size_t i, enum tandem_party_id party)
{
	size_t k;

	for (k = 0; k < list->n; k++) {
		if (k != i && list->v[k].active &&
		    list->v[k].leg[party].transport == list->v[i].leg[party].transport)
			return true;
	}
	return false;
}

const char *tandem_bundle_mids(struct tandem_media_list *list, const struct tandem_sdp *offer,
			       const struct tandem_sdp *answer, enum tandem_party_id offerer)
{
	const char *why = NULL;
	size_t i;

	for (i = 0; i < list->n && !why; i++) {
		struct tandem_media *m = &list->v[i];

		m->leg[0].mid_ext = m->leg[1].mid_ext = 0;
		/* where nothing is to be told apart, ids are a matter of the two ends */
		if (!m->active || (!is_shared(list, i, offerer) && !is_shared(list, i, !offerer)))
			continue;
		why = agree_one(m, offer, answer, i, offerer);
		/* ids of the answer are in force */
		if (!why)
			why = check_others(list, answer, i, offerer);
		if (!why)
			why = check_others(list, answer, i, !offerer);
	}
	return why;
}
