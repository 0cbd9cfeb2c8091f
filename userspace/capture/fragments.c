/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/capture/fragments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PLACES 32
#define WHOLE  65536
#define UNIT   8 /* octets that offsets count in */

struct place {
	bool used;
	struct ip_addr src, dst;
	uint32_t id;
	uint64_t serial;
	size_t total; /* known with the last fragment; 0: not yet */
	size_t got;
	uint8_t units[WHOLE / UNIT]; /* 1: has come */
	uint8_t data[WHOLE];
};

struct tandem_fragments {
	struct place *places[PLACES];
	uint64_t serial;
};

int tandem_fragments_alloc(struct tandem_fragments **fp)
{
	*fp = calloc(1, sizeof(**fp));
	return *fp ? 0 : -ENOMEM;
}

void tandem_fragments_free(struct tandem_fragments *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < PLACES; i++)
		free(f->places[i]);
	free(f);
}

static bool matches(const struct place *p, const struct tandem_fragment *part)
{
	return p && p->used && p->id == part->id && tandem_ip_equal(&p->src, &part->src) &&
	       tandem_ip_equal(&p->dst, &part->dst);
}

/* The place of the datagram that part is of, or one for it: a free one, or else the oldest. */
static struct place *find(struct tandem_fragments *f, const struct tandem_fragment *part)
{
	struct place **best = NULL;

	for (size_t i = 0; i < PLACES; i++) {
		struct place **p = &f->places[i];

		if (matches(*p, part))
			return *p;
		if (!best || (*best && (*best)->used &&
			      (!*p || !(*p)->used || (*p)->serial < (*best)->serial)))
			best = p;
	}
	if (!*best)
		*best = malloc(sizeof(**best));
	if (!*best)
		return NULL;
	memset(*best, 0, offsetof(struct place, data));
	(*best)->used = true;
	(*best)->src = part->src;
	(*best)->dst = part->dst;
	(*best)->id = part->id;
	(*best)->serial = f->serial++;
	return *best;
}

/* Does the part fit to what is there? All but the last are of whole units. */
static bool fits(const struct place *p, const struct tandem_fragment *part)
{
	size_t end = part->offset + part->len;

	if (!part->len || end > WHOLE - 1 || (part->more && part->len % UNIT))
		return false;
	if (p->total && (end > p->total || !part->more))
		return false;
	for (size_t i = part->offset / UNIT; i * UNIT < end; i++) {
		if (p->units[i])
			return false;
	}
	return true;
}

int tandem_fragments_add(struct tandem_fragments *f, const struct tandem_fragment *part,
			 const uint8_t **data, size_t *len)
{
	struct place *p = find(f, part);
	size_t end = part->offset + part->len;

	if (!p)
		return -ENOMEM;
	if (!fits(p, part)) {
		p->used = false;
		return 0;
	}
	memcpy(p->data + part->offset, part->data, part->len);
	memset(p->units + part->offset / UNIT, 1, (part->len + UNIT - 1) / UNIT);
	p->got += part->len;
	if (!part->more)
		p->total = end;
	/* With units beyond the end, got is more than total in the end: then it is never whole. */
	if (p->got != p->total)
		return 0;
	p->used = false;
	*data = p->data;
	*len = p->total;
	return 1;
}
