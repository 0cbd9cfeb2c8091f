/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/capture/announce.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/datapath/hash.h"
#include "userspace/sdp/sdp.h"

#define FORMATS_MAX 32

struct format {
	unsigned int pt;
	struct tandem_codec_seen codec;
};

struct announce {
	uint64_t time_ns;
	uint32_t next; /* a later one of the same endpoint, or TANDEM_HASH_NONE */
	uint32_t last; /* of the first of an endpoint: the last one */
	unsigned int count;
	struct format *formats;
};

struct tandem_announces {
	struct announce *list;
	size_t count, room;
	struct tandem_hash first; /* of an endpoint: index */
};

/* An endpoint without padding. */
struct key {
	struct ip_addr ip;
	uint64_t port;
};

int tandem_announces_alloc(struct tandem_announces **ap)
{
	struct tandem_announces *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	tandem_hash_init(&a->first, sizeof(struct key));
	*ap = a;
	return 0;
}

void tandem_announces_free(struct tandem_announces *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->count; i++)
		free(a->list[i].formats);
	free(a->list);
	tandem_hash_clean(&a->first);
	free(a);
}

static uint32_t find(const struct tandem_announces *a, const struct tandem_endpoint *ep)
{
	const struct key key = { ep->ip, ep->port };

	return tandem_hash_get(&a->first, &key);
}

/* Behind the others of its endpoint. */
static int enter(struct tandem_announces *a, const struct tandem_endpoint *ep, uint32_t index)
{
	const struct key key = { ep->ip, ep->port };
	uint32_t first = find(a, ep);

	if (first == TANDEM_HASH_NONE)
		return tandem_hash_set(&a->first, &key, index);
	a->list[a->list[first].last].next = index;
	a->list[first].last = index;
	return 0;
}

static int grow(struct tandem_announces *a)
{
	size_t room = a->room ? a->room * 2 : 64;
	struct announce *list;

	if (a->count < a->room)
		return 0;
	list = reallocarray(a->list, room, sizeof(*list));
	if (!list)
		return -ENOMEM;
	a->list = list;
	a->room = room;
	return 0;
}

static void codec_from(struct tandem_codec_seen *codec, const struct tandem_sdp_format *f,
		       bool announced)
{
	snprintf(codec->name, sizeof(codec->name), "%s", f->name ? f->name : "");
	codec->clock_hz = f->clock;
	codec->announced = announced;
}

static int add_media(struct tandem_announces *a, const struct tandem_sdp_media *m, uint64_t time_ns)
{
	struct announce new = { .time_ns = time_ns,
				.next = TANDEM_HASH_NONE,
				.last = (uint32_t)a->count };
	struct tandem_endpoint ep = { .port = m->port };
	size_t n = m->nformats < FORMATS_MAX ? m->nformats : FORMATS_MAX;

	if (!m->rtp || !m->port || !m->conn.has_addr || tandem_ip_parse(&ep.ip, m->conn.host))
		return 0;
	new.formats = calloc(n ? n : 1, sizeof(*new.formats));
	if (!new.formats || grow(a) || enter(a, &ep, (uint32_t)a->count)) {
		free(new.formats);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		if (m->formats[i].pt < 0 || !m->formats[i].name)
			continue;
		new.formats[new.count].pt = (unsigned int)m->formats[i].pt;
		codec_from(&new.formats[new.count++].codec, &m->formats[i], true);
	}
	a->list[a->count++] = new;
	return 0;
}

int tandem_announces_add(struct tandem_announces *a, const char *text, size_t len, uint64_t time_ns)
{
	struct tandem_sdp *sdp;
	int err = tandem_sdp_parse(&sdp, text, len, NULL);

	if (err)
		return err == -ENOMEM ? err : 0;
	for (size_t i = 0; i < tandem_sdp_media_count(sdp) && !err; i++)
		err = add_media(a, tandem_sdp_media(sdp, i), time_ns);
	tandem_sdp_free(sdp);
	return err;
}

bool tandem_announced(const struct tandem_announces *a, const struct tandem_endpoint *ep)
{
	return find(a, ep) != TANDEM_HASH_NONE;
}

/* What the descriptions of an endpoint say of pt, or NULL. */
static const struct tandem_codec_seen *codec_at(const struct tandem_announces *a,
						const struct tandem_endpoint *ep, unsigned int pt,
						uint64_t time_ns)
{
	const struct tandem_codec_seen *found = NULL;

	for (uint32_t at = find(a, ep); at != TANDEM_HASH_NONE; at = a->list[at].next) {
		const struct announce *one = &a->list[at];

		if (found && one->time_ns > time_ns)
			break;
		for (unsigned int i = 0; i < one->count; i++) {
			if (one->formats[i].pt == pt)
				found = &one->formats[i].codec;
		}
	}
	return found;
}

void tandem_announces_codec(const struct tandem_announces *a, const struct tandem_endpoint *src,
			    const struct tandem_endpoint *dst, unsigned int pt, uint64_t time_ns,
			    struct tandem_codec_seen *codec)
{
	const struct tandem_codec_seen *said = codec_at(a, dst, pt, time_ns);
	struct tandem_sdp_format table;

	memset(codec, 0, sizeof(*codec));
	if (!said)
		said = codec_at(a, src, pt, time_ns);
	if (said)
		*codec = *said;
	else if (!tandem_sdp_static_format((int)pt, &table))
		codec_from(codec, &table, false);
}
