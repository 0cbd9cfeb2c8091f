/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/srtp_sets.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/datapath/fans.h"
#include "userspace/datapath/hash.h"
#include "userspace/srtp/kdf.h"
#include "userspace/util/sparse.h"

struct tandem_srtp_sets {
	pthread_mutex_t lock;
	uint32_t capacity;
	uint32_t count;	  /* of keys: one more, for index 0 is none */
	uint32_t streams; /* in all */
	struct tandem_hash ids;
	struct tandem_fans ranges; /* of streams, by index */
	struct srtp_keys *keys;	   /* without gen and next; sparse */
	uint32_t *users;
	struct srtp_stream *own;
	struct srtp_stream *shared; /* own, or what it was moved to */
};

int tandem_srtp_sets_alloc(struct tandem_srtp_sets **setsp, uint32_t capacity)
{
	struct tandem_srtp_sets *sets = calloc(1, sizeof(*sets));
	uint32_t none, first;
	int err;

	if (!sets)
		return -ENOMEM;
	pthread_mutex_init(&sets->lock, NULL);
	tandem_hash_init(&sets->ids, sizeof(uint64_t));
	sets->capacity = capacity;
	sets->count = capacity + 1;
	sets->streams = capacity * TANDEM_SRTP_STREAMS;
	sets->keys = tandem_sparse_alloc(sets->count, sizeof(*sets->keys));
	sets->users = calloc(sets->count, sizeof(*sets->users));
	sets->own = tandem_sparse_alloc(sets->streams, sizeof(*sets->own));
	sets->shared = sets->own;
	err = sets->keys && sets->users && sets->own ? 0 : -ENOMEM;
	if (!err)
		err = tandem_fans_init(&sets->ranges, sets->count, sets->streams);
	if (!err)
		err = tandem_fans_take(&sets->ranges, 0, &none, &first); /* the first is 0 */
	if (err) {
		tandem_srtp_sets_free(sets);
		return err;
	}
	*setsp = sets;
	return 0;
}

void tandem_srtp_sets_free(struct tandem_srtp_sets *sets)
{
	if (!sets)
		return;
	for (uint32_t i = 0; sets->keys && sets->users && i < sets->count; i++) {
		if (sets->users[i])
			explicit_bzero(&sets->keys[i], sizeof(sets->keys[i]));
	}
	tandem_sparse_free(sets->keys, sets->count, sizeof(*sets->keys));
	tandem_sparse_free(sets->own, sets->streams, sizeof(*sets->own));
	free(sets->users);
	tandem_fans_clean(&sets->ranges);
	tandem_hash_clean(&sets->ids);
	pthread_mutex_destroy(&sets->lock);
	free(sets);
}

void tandem_srtp_sets_size(const struct tandem_srtp_sets *sets, struct relay_config *relay)
{
	relay->srtps = sets ? sets->count : 0;
	relay->srtp_streams = sets ? sets->streams : 0;
}

struct srtp_stream *const *tandem_srtp_sets_streams(const struct tandem_srtp_sets *sets)
{
	return &sets->shared;
}

void tandem_srtp_sets_move(struct tandem_srtp_sets *sets, struct srtp_stream *streams)
{
	sets->shared = streams ? streams : sets->own;
}

/* A set whose id is new, or an error; its index. */
static int enter(struct tandem_srtp_sets *sets, const struct tandem_srtp *set, uint32_t *index)
{
	uint32_t streams = set->streams, first;
	struct srtp_keys keys = { 0 };
	int err;

	if (streams < 1)
		streams = 1;
	if (streams > SRTP_SSRCS_MAX)
		streams = SRTP_SSRCS_MAX;
	err = tandem_srtp_derive(&keys, set->suite, set->key, set->salt);
	if (err)
		return err;
	err = tandem_fans_take(&sets->ranges, streams, index, &first);
	if (err)
		goto out;
	err = tandem_hash_set(&sets->ids, &set->id, *index);
	if (err) {
		tandem_fans_release(&sets->ranges, *index);
		goto out;
	}
	keys.id = set->id;
	keys.first_stream = first;
	keys.stream_count = streams;
	keys.mki_len = set->mki_len;
	memcpy(keys.mki, set->mki, set->mki_len);
	memset(&sets->shared[first], 0, streams * sizeof(sets->shared[0]));
	sets->keys[*index] = keys;
out:
	explicit_bzero(&keys, sizeof(keys));
	return err;
}

int tandem_srtp_sets_get(struct tandem_srtp_sets *sets, const struct tandem_srtp *set,
			 uint32_t *index, struct srtp_keys *keys)
{
	int err = 0;

	if (!set->id || set->mki_len > SRTP_MKI_MAX)
		return -EINVAL;
	pthread_mutex_lock(&sets->lock);
	*index = tandem_hash_get(&sets->ids, &set->id);
	if (*index == TANDEM_NO_SLOT)
		err = enter(sets, set, index);
	if (!err) {
		sets->users[*index]++;
		*keys = sets->keys[*index];
	}
	pthread_mutex_unlock(&sets->lock);
	return err;
}

static int adopt(struct tandem_srtp_sets *sets, uint32_t index, const struct srtp_keys *keys)
{
	int err;

	if (index == SRTP_NO_KEYS || index >= sets->count || keys->gen & 1 || !keys->id ||
	    keys->suite == SRTP_SUITE_NONE || keys->suite >= SRTP_SUITES ||
	    keys->mki_len > SRTP_MKI_MAX || keys->stream_count > SRTP_SSRCS_MAX)
		return -EINVAL;
	if (sets->users[index])
		return sets->keys[index].id == keys->id ? 0 : -EINVAL;
	if (tandem_hash_get(&sets->ids, &keys->id) != TANDEM_NO_SLOT)
		return -EINVAL;
	err = tandem_fans_adopt(&sets->ranges, index, keys->first_stream, keys->stream_count);
	if (err)
		return -EINVAL;
	err = tandem_hash_set(&sets->ids, &keys->id, index);
	if (err) {
		tandem_fans_release(&sets->ranges, index);
		return err;
	}
	sets->keys[index] = *keys;
	sets->keys[index].gen = 0;
	sets->keys[index].next = SRTP_NO_KEYS;
	return 0;
}

int tandem_srtp_sets_adopt(struct tandem_srtp_sets *sets, uint32_t index,
			   const struct srtp_keys *keys)
{
	int err;

	pthread_mutex_lock(&sets->lock);
	err = adopt(sets, index, keys);
	if (!err)
		sets->users[index]++;
	pthread_mutex_unlock(&sets->lock);
	return err;
}

void tandem_srtp_sets_read(struct tandem_srtp_sets *sets, uint32_t index, struct srtp_keys *keys)
{
	pthread_mutex_lock(&sets->lock);
	*keys = sets->keys[index];
	pthread_mutex_unlock(&sets->lock);
}

void tandem_srtp_sets_put(struct tandem_srtp_sets *sets, uint32_t index)
{
	pthread_mutex_lock(&sets->lock);
	if (--sets->users[index] == 0) {
		tandem_hash_remove(&sets->ids, &sets->keys[index].id);
		explicit_bzero(&sets->keys[index], sizeof(sets->keys[index]));
		tandem_fans_release(&sets->ranges, index);
	}
	pthread_mutex_unlock(&sets->lock);
}
