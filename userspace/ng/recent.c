/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/ng/recent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "userspace/datapath/hash.h"

/* An answer begins with the cookie of its request, so that is not kept apart. */
struct answer {
	uint64_t key;
	uint64_t at_ms;
	struct tandem_endpoint peer;
	size_t cookie_len;
	char *text;
	size_t len;
};

/* A ring in the order of time. */
struct tandem_ng_recent {
	uint64_t seed;
	struct tandem_hash by_key; /* key -> place in the ring */
	struct answer ring[TANDEM_NG_RECENT_MAX];
	uint32_t first;
	uint32_t count;
	size_t size; /* of all texts */
};

int tandem_ng_recent_alloc(struct tandem_ng_recent **recentp)
{
	struct tandem_ng_recent *recent = calloc(1, sizeof(*recent));

	if (!recent)
		return -ENOMEM;
	tandem_hash_init(&recent->by_key, sizeof(uint64_t));
	if (getrandom(&recent->seed, sizeof(recent->seed), 0) != sizeof(recent->seed)) {
		free(recent);
		return -EIO;
	}
	*recentp = recent;
	return 0;
}

static void drop_first(struct tandem_ng_recent *recent)
{
	struct answer *a = &recent->ring[recent->first];

	/* a later one may have the key now */
	if (tandem_hash_get(&recent->by_key, &a->key) == recent->first)
		tandem_hash_remove(&recent->by_key, &a->key);
	recent->size -= a->len;
	free(a->text);
	*a = (struct answer){ 0 };
	recent->first = (recent->first + 1) % TANDEM_NG_RECENT_MAX;
	recent->count--;
}

void tandem_ng_recent_free(struct tandem_ng_recent *recent)
{
	if (!recent)
		return;
	while (recent->count)
		drop_first(recent);
	tandem_hash_clean(&recent->by_key);
	free(recent);
}

static uint64_t mix(uint64_t h, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (; len; len--) {
		h ^= *p++;
		h *= 0x9e3779b97f4a7c15ULL;
		h ^= h >> 29;
	}
	return h;
}

static uint64_t key_of(const struct tandem_ng_recent *recent, const struct tandem_endpoint *peer,
		       const char *cookie, size_t cookie_len)
{
	uint64_t h = mix(recent->seed, &peer->ip, sizeof(peer->ip));

	h = mix(h, &peer->port, sizeof(peer->port));
	return mix(h, cookie, cookie_len);
}

const char *tandem_ng_recent_find(const struct tandem_ng_recent *recent,
				  const struct tandem_endpoint *peer, const char *cookie,
				  size_t cookie_len, uint64_t now_ms, size_t *len)
{
	uint64_t key = key_of(recent, peer, cookie, cookie_len);
	uint32_t place = tandem_hash_get(&recent->by_key, &key);
	const struct answer *a;

	if (place == TANDEM_HASH_NONE)
		return NULL;
	a = &recent->ring[place];
	if (now_ms - a->at_ms > TANDEM_NG_RECENT_MS || a->cookie_len != cookie_len ||
	    memcmp(a->text, cookie, cookie_len) || !tandem_endpoint_equal(&a->peer, peer))
		return NULL;
	*len = a->len;
	return a->text;
}

const char *tandem_ng_recent_add(struct tandem_ng_recent *recent,
				 const struct tandem_endpoint *peer, const char *cookie,
				 size_t cookie_len, uint64_t now_ms, char *text, size_t len)
{
	uint32_t place;

	while (recent->count && (now_ms - recent->ring[recent->first].at_ms > TANDEM_NG_RECENT_MS ||
				 recent->count == TANDEM_NG_RECENT_MAX ||
				 recent->size + len > TANDEM_NG_RECENT_SIZE))
		drop_first(recent);
	place = (recent->first + recent->count) % TANDEM_NG_RECENT_MAX;
	recent->ring[place] = (struct answer){
		.key = key_of(recent, peer, cookie, cookie_len),
		.at_ms = now_ms,
		.peer = *peer,
		.cookie_len = cookie_len,
		.text = text,
		.len = len,
	};
	if (tandem_hash_set(&recent->by_key, &recent->ring[place].key, place)) {
		free(text);
		recent->ring[place] = (struct answer){ 0 };
		return NULL;
	}
	recent->count++;
	recent->size += len;
	return text;
}
