/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/retries.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_WAIT 4
#define LAST_WAIT  64

static void remove_at(struct tandem_retries *r, size_t i)
{
	free((void *)r->v[i].spec.fan);
	r->v[i] = r->v[--r->n];
}

void tandem_retries_clean(struct tandem_retries *r)
{
	while (r->n)
		remove_at(r, r->n - 1);
	free(r->v);
	*r = (struct tandem_retries){ 0 };
}

static struct tandem_retry *find(struct tandem_retries *r, uint64_t id)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		if (r->v[i].spec.id == id)
			return &r->v[i];
	}
	return NULL;
}

void tandem_retries_forget(struct tandem_retries *r, uint64_t id)
{
	struct tandem_retry *entry = find(r, id);

	if (entry)
		remove_at(r, (size_t)(entry - r->v));
}

static int copy_spec(struct tandem_flow_spec *to, const struct tandem_flow_spec *from)
{
	struct tandem_fan *fan = NULL;
	size_t size;

	if (from->fan) {
		size = sizeof(*fan) + from->fan->leg_count * sizeof(fan->legs[0]);
		fan = malloc(size);
		if (!fan)
			return -1;
		memcpy(fan, from->fan, size);
	}
	*to = *from;
	to->fan = fan;
	return 0;
}

static struct tandem_retry *make_room(struct tandem_retries *r)
{
	size_t room = r->room ? r->room * 2 : 16;
	struct tandem_retry *v;

	if (r->n == TANDEM_RETRIES_MAX)
		return NULL;
	if (r->n == r->room) {
		v = realloc(r->v, room * sizeof(*v));
		if (!v)
			return NULL;
		r->v = v;
		r->room = room;
	}
	return &r->v[r->n];
}

void tandem_retries_add(struct tandem_retries *r, const struct tandem_flow_spec *spec)
{
	struct tandem_retry *entry;

	tandem_retries_forget(r, spec->id);
	entry = make_room(r);
	if (!entry || copy_spec(&entry->spec, spec))
		return;
	entry->wait = FIRST_WAIT;
	entry->due = r->turn + entry->wait;
	r->n++;
}

void tandem_retries_turn(struct tandem_retries *r)
{
	r->turn++;
}

const struct tandem_flow_spec *tandem_retries_next(struct tandem_retries *r)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		struct tandem_retry *entry = &r->v[i];

		if (entry->due > r->turn)
			continue;
		if (entry->wait < LAST_WAIT)
			entry->wait *= 2;
		entry->due = r->turn + entry->wait;
		return &entry->spec;
	}
	return NULL;
}
