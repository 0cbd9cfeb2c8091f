/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INITIAL_ENTRIES 64

void tandem_hash_init(struct tandem_hash *h, size_t key_size)
{
	memset(h, 0, sizeof(*h));
	h->key_size = key_size;
}

void tandem_hash_clean(struct tandem_hash *h)
{
	free(h->values);
	free(h->keys);
	tandem_hash_init(h, h->key_size);
}

static unsigned char *key_at(const struct tandem_hash *h, uint32_t i)
{
	return h->keys + (size_t)i * h->key_size;
}

/* Multiply and fold, eight bytes a time; peers cannot choose ids or ports. */
static uint32_t hash_of(const struct tandem_hash *h, const void *key)
{
	const unsigned char *p = key;
	uint64_t x = 0x9e3779b97f4a7c15ULL;

	for (size_t left = h->key_size; left;) {
		size_t n = left < 8 ? left : 8;
		uint64_t word = 0;

		memcpy(&word, p, n);
		x = (x ^ word) * 0xff51afd7ed558ccdULL;
		x ^= x >> 32;
		p += n;
		left -= n;
	}
	return (uint32_t)x;
}

/* Index of key, or of the free entry where it belongs. */
static uint32_t probe(const struct tandem_hash *h, const void *key)
{
	uint32_t i = hash_of(h, key) & h->mask;

	while (h->values[i] != TANDEM_HASH_NONE && memcmp(key_at(h, i), key, h->key_size))
		i = (i + 1) & h->mask;
	return i;
}

uint32_t tandem_hash_get(const struct tandem_hash *h, const void *key)
{
	return h->values ? h->values[probe(h, key)] : TANDEM_HASH_NONE;
}

static int grow(struct tandem_hash *h)
{
	uint32_t entries = h->values ? (h->mask + 1) * 2 : INITIAL_ENTRIES;
	struct tandem_hash bigger = *h;

	bigger.mask = entries - 1;
	bigger.values = malloc(entries * sizeof(*bigger.values));
	bigger.keys = malloc(entries * h->key_size);
	if (!bigger.values || !bigger.keys) {
		free(bigger.values);
		free(bigger.keys);
		return -ENOMEM;
	}
	memset(bigger.values, 0xff, entries * sizeof(*bigger.values));
	for (uint32_t i = 0; h->values && i <= h->mask; i++) {
		uint32_t to;

		if (h->values[i] == TANDEM_HASH_NONE)
			continue;
		to = probe(&bigger, key_at(h, i));
		bigger.values[to] = h->values[i];
		memcpy(key_at(&bigger, to), key_at(h, i), h->key_size);
	}
	free(h->values);
	free(h->keys);
	*h = bigger;
	return 0;
}

int tandem_hash_set(struct tandem_hash *h, const void *key, uint32_t value)
{
	uint32_t i = h->values ? probe(h, key) : 0;

	if (!h->values || h->values[i] == TANDEM_HASH_NONE) {
		if (!h->values || (uint64_t)h->count * 3 >= (uint64_t)h->mask * 2) {
			int err = grow(h);

			if (err)
				return err;
			i = probe(h, key);
		}
		memcpy(key_at(h, i), key, h->key_size);
		h->count++;
	}
	h->values[i] = value;
	return 0;
}

void tandem_hash_remove(struct tandem_hash *h, const void *key)
{
	uint32_t hole, i;

	if (!h->values)
		return;
	hole = probe(h, key);
	if (h->values[hole] == TANDEM_HASH_NONE)
		return;
	h->count--;

	/* Whatever could not sit at the hole or before it moves into it. */
	for (i = (hole + 1) & h->mask; h->values[i] != TANDEM_HASH_NONE; i = (i + 1) & h->mask) {
		uint32_t home = hash_of(h, key_at(h, i)) & h->mask;

		if (((i - home) & h->mask) < ((i - hole) & h->mask))
			continue;
		h->values[hole] = h->values[i];
		memcpy(key_at(h, hole), key_at(h, i), h->key_size);
		hole = i;
	}
	h->values[hole] = TANDEM_HASH_NONE;
}
