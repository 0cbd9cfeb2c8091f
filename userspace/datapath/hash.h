/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hash table from a fixed-size key to a 32-bit value: open addressing, linear
 * probing, removal by shifting back. Grows at two thirds full.
 */
#ifndef TANDEM_DATAPATH_HASH_H
#define TANDEM_DATAPATH_HASH_H

#include <stddef.h>
#include <stdint.h>

#define TANDEM_HASH_NONE 0xffffffffU

/* Zeroed and with key_size set it is an empty table. */
struct tandem_hash {
	size_t key_size;
	uint32_t mask; /* entries - 1 */
	uint32_t count;
	uint32_t *values; /* TANDEM_HASH_NONE: the entry is free */
	unsigned char *keys;
};

void tandem_hash_init(struct tandem_hash *h, size_t key_size);
void tandem_hash_clean(struct tandem_hash *h);

/* Value of key, or TANDEM_HASH_NONE. */
uint32_t tandem_hash_get(const struct tandem_hash *h, const void *key);

/* Add key, or replace its value, which cannot fail. value is not TANDEM_HASH_NONE. 0 or -ENOMEM. */
int tandem_hash_set(struct tandem_hash *h, const void *key, uint32_t value);

/* Remove key if it is there. */
void tandem_hash_remove(struct tandem_hash *h, const void *key);

#endif
