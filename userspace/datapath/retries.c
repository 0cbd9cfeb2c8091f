/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/retries.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_WAIT 4
#define LAST_WAIT  64

/* Keys of SRTP: what arrives, what arrives yet, what leaves. */
#define KEYS 3

static void free_keys(struct tandem_srtp *keys, size_t n)
{
	if (keys)
		explicit_bzero(keys, n * sizeof(*keys));
	free(keys);
}

static void remove_at(struct tandem_retries *r, size_t i)
{
	const struct tandem_fan *fan = r->v[i].spec.fan;

	free_keys(r->v[i].leg_keys, fan ? fan->key_count : 0);
	free((void *)fan);
	free_keys(r->v[i].keys, KEYS);
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

static const struct tandem_srtp *copy_key(struct tandem_srtp *to, const struct tandem_srtp *from)
{
	if (!from)
		return NULL;
	*to = *from;
	return to;
}

static int copy_keys(struct tandem_retry *entry, const struct tandem_flow_spec *from)
{
	struct tandem_srtp *keys;

	entry->keys = NULL;
	if (!from->srtp_in && !from->srtp_in_old && !from->srtp_out)
		return 0;
	keys = calloc(KEYS, sizeof(*keys));
	if (!keys)
		return -1;
	entry->keys = keys;
	entry->spec.srtp_in = copy_key(&keys[0], from->srtp_in);
	entry->spec.srtp_in_old = copy_key(&keys[1], from->srtp_in_old);
	entry->spec.srtp_out = copy_key(&keys[2], from->srtp_out);
	return 0;
}

/* A fan of its own, with keys of its own. */
static struct tandem_fan *copy_fan(struct tandem_retry *entry, const struct tandem_fan *from)
{
	size_t size = sizeof(*from) + from->leg_count * sizeof(from->legs[0]);
	struct tandem_fan *fan = malloc(size);

	if (!fan)
		return NULL;
	memcpy(fan, from, size);
	if (!from->key_count)
		return fan;
	entry->leg_keys = calloc(from->key_count, sizeof(*entry->leg_keys));
	if (!entry->leg_keys) {
		free(fan);
		return NULL;
	}
	memcpy(entry->leg_keys, from->keys, from->key_count * sizeof(*from->keys));
	fan->keys = entry->leg_keys;
	return fan;
}

static int copy_spec(struct tandem_retry *entry, const struct tandem_flow_spec *from)
{
	struct tandem_fan *fan = NULL;

	entry->leg_keys = NULL;
	if (from->fan) {
		fan = copy_fan(entry, from->fan);
		if (!fan)
			return -1;
	}
	entry->spec = *from;
	entry->spec.fan = fan;
	if (!copy_keys(entry, from))
		return 0;
	free_keys(entry->leg_keys, fan ? fan->key_count : 0);
	free(fan);
	return -1;
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
	if (!entry || copy_spec(entry, spec))
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
