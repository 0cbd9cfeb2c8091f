/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/srtp_sets.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "userspace/datapath/fans.h"
#include "userspace/datapath/hash.h"
#include "userspace/datapath/srtp_file.h"
#include "userspace/datapath/srtp_seeds.h"
#include "userspace/srtp/kdf.h"
#include "userspace/util/log.h"
#include "userspace/util/sparse.h"

#define MODULE "srtp"

struct tandem_srtp_sets {
	pthread_mutex_t lock;
	uint32_t capacity;
	uint32_t count;	  /* of keys: one more, for index 0 is none */
	uint32_t streams; /* in all */
	struct tandem_hash ids;
	struct tandem_fans ranges; /* of streams, by index */
	struct srtp_keys *keys;	   /* without gen and next; sparse. Of a set that is kept, the id */
	uint32_t *users;
	struct srtp_stream *own;
	struct srtp_stream *shared; /* own, or what it was moved to */

	struct tandem_srtp_file file; /* own is in it; fd -1: there is none */
	bool left;		      /* it is not to be changed any more */
	bool kept_own;		      /* streams of sets that are kept are in own */
	uint32_t kept;		      /* sets of an earlier process without a user yet */
	uint32_t lost;		      /* sets that have come without their streams */

	const struct tandem_srtp_seed *seeds; /* borrowed; see tandem_srtp_sets_seed() */
	size_t seeds_count;
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
	sets->file.fd = -1;
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
	if (sets->file.fd < 0)
		tandem_sparse_free(sets->own, sets->streams, sizeof(*sets->own));
	else if (sets->left)
		tandem_srtp_file_close(&sets->file);
	else
		tandem_srtp_file_remove(&sets->file);
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

static bool in_file(const struct tandem_srtp_sets *sets)
{
	return sets->file.fd >= 0 && !sets->left;
}

static void note(const struct tandem_srtp_sets *sets, uint32_t index, uint64_t id)
{
	struct tandem_fan_range range = tandem_fans_range(&sets->ranges, index);
	struct tandem_srtp_place place = { id, range.first, range.count };

	if (in_file(sets))
		tandem_srtp_file_note(&sets->file, index, &place);
}

/* All of it, but for the name of the array. */
static void clear(struct tandem_srtp_sets *sets, uint32_t first, uint32_t count)
{
	const uint64_t array = sets->shared[0].array;

	memset(&sets->shared[first], 0, count * sizeof(sets->shared[0]));
	sets->shared[0].array = array;
}

/* ---- sets of an earlier process ---- */

static bool is_kept(const struct tandem_srtp_sets *sets, uint32_t index)
{
	return !sets->users[index] && sets->keys[index].id;
}

static void drop(struct tandem_srtp_sets *sets, uint32_t index)
{
	note(sets, index, 0);
	tandem_hash_remove(&sets->ids, &sets->keys[index].id);
	tandem_fans_release(&sets->ranges, index);
	sets->keys[index].id = 0;
	sets->kept--;
}

static void drop_kept(struct tandem_srtp_sets *sets)
{
	for (uint32_t i = 1; i < sets->count && sets->kept; i++) {
		if (is_kept(sets, i))
			drop(sets, i);
	}
}

static int keep(struct tandem_srtp_sets *sets, uint32_t index)
{
	const struct tandem_srtp_place place = tandem_srtp_file_place(&sets->file, index);
	const struct tandem_srtp_place nobody = { 0 };
	int err = -EINVAL;

	if (!place.id)
		return 0;
	if (place.count && place.count <= SRTP_SSRCS_MAX &&
	    tandem_hash_get(&sets->ids, &place.id) == TANDEM_NO_SLOT)
		err = tandem_fans_adopt(&sets->ranges, index, place.first, place.count);
	if (!err && tandem_srtp_file_reserve(&sets->file, place.first, place.count))
		err = -ENOSPC;
	else if (!err)
		err = tandem_hash_set(&sets->ids, &place.id, index);
	if (!err) {
		sets->keys[index].id = place.id;
		sets->kept++;
		return 0;
	}
	tandem_srtp_file_note(&sets->file, index, &nobody);
	return err;
}

int tandem_srtp_sets_keep(struct tandem_srtp_sets *sets, const char *path)
{
	struct tandem_srtp_file file;
	uint32_t bad = 0;
	int err = tandem_srtp_file_open(&file, path, sets->count, sets->streams);

	if (err)
		return err;
	tandem_sparse_free(sets->own, sets->streams, sizeof(*sets->own));
	sets->file = file;
	sets->own = sets->shared = tandem_srtp_file_streams(&file);
	sets->kept_own = !*tandem_srtp_file_array(&file);
	for (uint32_t i = 1; i < sets->count; i++)
		bad += keep(sets, i) ? 1 : 0;
	if (sets->kept || bad)
		tandem_log(bad ? TANDEM_LOG_WARNING : TANDEM_LOG_INFO, MODULE,
			   "%s: key sets of before: %u; that cannot be: %u", path, sets->kept, bad);
	return 0;
}

void tandem_srtp_sets_sweep(struct tandem_srtp_sets *sets)
{
	pthread_mutex_lock(&sets->lock);
	drop_kept(sets);
	if (sets->lost)
		tandem_log(TANDEM_LOG_WARNING, MODULE,
			   "key sets that have come back without their indices: %u; nothing is "
			   "sealed with them, and who is to get it hears nothing, until they have "
			   "new keys",
			   sets->lost);
	sets->lost = 0;
	pthread_mutex_unlock(&sets->lock);
}

void tandem_srtp_sets_leave(struct tandem_srtp_sets *sets)
{
	pthread_mutex_lock(&sets->lock);
	sets->left = true;
	pthread_mutex_unlock(&sets->lock);
}

/* ---- the array ---- */

static void copy_kept(struct tandem_srtp_sets *sets, struct srtp_stream *streams)
{
	for (uint32_t i = 1; i < sets->count; i++) {
		struct tandem_fan_range range = { 0 };

		if (is_kept(sets, i))
			range = tandem_fans_range(&sets->ranges, i);
		if (range.count)
			memcpy(&streams[range.first], &sets->own[range.first],
			       range.count * sizeof(*streams));
	}
	streams[0].array = 0;
}

/*
 * The file says which array its sets have their streams in, by a name that the array has in its first
 * entry: one that a fast path has kept over a restart is known by it, and one
 * that it has made anew, too. Sets of an array that is gone have lost their streams.
 */
static void name_array(struct tandem_srtp_sets *sets, struct srtp_stream *streams)
{
	uint64_t *noted = tandem_srtp_file_array(&sets->file), name = 0;

	if (streams && streams[0].array && streams[0].array == *noted)
		return;
	if (streams && !streams[0].array && sets->kept_own)
		copy_kept(sets, streams);
	else if (streams || !sets->kept_own)
		drop_kept(sets);
	if (streams)
		name = streams[0].array;
	while (streams && !name && getrandom(&name, sizeof(name), 0) != sizeof(name))
		name = 0;
	if (streams)
		streams[0].array = name;
	__atomic_store_n(noted, name, __ATOMIC_SEQ_CST);
}

struct srtp_stream *const *tandem_srtp_sets_streams(const struct tandem_srtp_sets *sets)
{
	return &sets->shared;
}

void tandem_srtp_sets_move(struct tandem_srtp_sets *sets, struct srtp_stream *streams)
{
	pthread_mutex_lock(&sets->lock);
	sets->shared = streams ? streams : sets->own;
	if (in_file(sets))
		name_array(sets, streams);
	pthread_mutex_unlock(&sets->lock);
}

/* Nothing has brought the array that an earlier process had: io_uring is alone now. */
static void settle_array(struct tandem_srtp_sets *sets)
{
	if (in_file(sets) && sets->shared == sets->own && *tandem_srtp_file_array(&sets->file))
		name_array(sets, NULL);
}

/* ---- sets ---- */

static const struct tandem_srtp_seed *find_seed(const struct tandem_srtp_sets *sets, uint64_t id)
{
	size_t i = 0;

	while (i < sets->seeds_count && sets->seeds[i].id != id)
		i++;
	return i < sets->seeds_count ? &sets->seeds[i] : NULL;
}

/* The index and range of a set that is new, without anything in them. */
static int take(struct tandem_srtp_sets *sets, const struct tandem_srtp *set, uint32_t *index,
		uint32_t *first)
{
	const struct tandem_srtp_seed *seed = find_seed(sets, set->id);
	uint32_t streams = set->streams;
	int err;

	if (streams < 1 || (set->sealed && !seed))
		streams = 1;
	if (seed && seed->count > streams)
		streams = seed->count;
	if (streams > SRTP_SSRCS_MAX)
		streams = SRTP_SSRCS_MAX;
	err = tandem_fans_take(&sets->ranges, streams, index, first);
	if (err)
		return err;
	if (in_file(sets) && sets->shared == sets->own)
		err = tandem_srtp_file_reserve(&sets->file, *first, streams);
	if (!err)
		err = tandem_hash_set(&sets->ids, &set->id, *index);
	if (err) {
		tandem_fans_release(&sets->ranges, *index);
		return err;
	}
	clear(sets, *first, streams);
	if (seed) {
		tandem_srtp_seed_write(&sets->shared[*first], streams, seed);
	} else if (set->sealed) {
		sets->shared[*first].owner = SRTP_CLOSED;
		sets->lost++;
	}
	note(sets, *index, set->id);
	return 0;
}

/* A set without a user, or an error; its index. */
static int enter(struct tandem_srtp_sets *sets, const struct tandem_srtp *set, uint32_t *index)
{
	struct tandem_fan_range range;
	struct srtp_keys keys = { 0 };
	uint32_t first;
	int err;

	err = tandem_srtp_derive(&keys, set->suite, set->key, set->salt);
	if (err)
		return err;
	if (*index == TANDEM_NO_SLOT)
		err = take(sets, set, index, &first);
	else
		sets->kept--;
	if (err)
		goto out;
	range = tandem_fans_range(&sets->ranges, *index);
	keys.id = set->id;
	keys.first_stream = range.first;
	keys.stream_count = range.count;
	keys.mki_len = set->mki_len;
	memcpy(keys.mki, set->mki, set->mki_len);
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
	settle_array(sets);
	*index = tandem_hash_get(&sets->ids, &set->id);
	if (*index == TANDEM_NO_SLOT || !sets->users[*index])
		err = enter(sets, set, index);
	if (!err) {
		sets->users[*index]++;
		*keys = sets->keys[*index];
	}
	pthread_mutex_unlock(&sets->lock);
	return err;
}

bool tandem_srtp_sets_hold(struct tandem_srtp_sets *sets, uint64_t id, uint32_t *index)
{
	bool used;

	pthread_mutex_lock(&sets->lock);
	*index = tandem_hash_get(&sets->ids, &id);
	used = *index != TANDEM_NO_SLOT && sets->users[*index];
	if (used)
		sets->users[*index]++;
	pthread_mutex_unlock(&sets->lock);
	return used;
}

/* Which places a fast path's sets have, it knows best. */
static void make_way(struct tandem_srtp_sets *sets, uint32_t index, uint64_t id)
{
	uint32_t other = tandem_hash_get(&sets->ids, &id);

	if (is_kept(sets, index))
		drop(sets, index);
	if (other != TANDEM_NO_SLOT && is_kept(sets, other))
		drop(sets, other);
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
	make_way(sets, index, keys->id);
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
	note(sets, index, keys->id);
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

void tandem_srtp_sets_expect(struct tandem_srtp_sets *sets, uint32_t index, uint32_t ssrc)
{
	const __u64 owner = SRTP_OWNED | ssrc;
	const struct srtp_keys *keys = &sets->keys[index];
	__u64 found;

	pthread_mutex_lock(&sets->lock);
	/* packets may be taking places meanwhile, as srtp_stream_of() does */
	for (uint32_t i = 0; i < keys->stream_count / 2; i++) {
		found = 0;
		if (__atomic_compare_exchange_n(&sets->shared[keys->first_stream + i].owner, &found,
						owner, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ||
		    found == owner)
			break;
	}
	pthread_mutex_unlock(&sets->lock);
}

bool tandem_srtp_sets_spent(struct tandem_srtp_sets *sets, uint64_t id)
{
	const struct srtp_keys *keys;
	uint32_t index, i = 0;
	bool spent;

	pthread_mutex_lock(&sets->lock);
	index = tandem_hash_get(&sets->ids, &id);
	spent = index != TANDEM_NO_SLOT && sets->users[index];
	if (spent) {
		keys = &sets->keys[index];
		while (i < keys->stream_count && sets->shared[keys->first_stream + i].owner)
			i++;
		spent = i == keys->stream_count;
	}
	pthread_mutex_unlock(&sets->lock);
	return spent;
}

bool tandem_srtp_sets_counted(struct tandem_srtp_sets *sets, uint64_t id,
			      struct tandem_srtp_seed *seed)
{
	const struct srtp_keys *keys;
	uint32_t index;
	bool known;

	pthread_mutex_lock(&sets->lock);
	index = tandem_hash_get(&sets->ids, &id);
	known = index != TANDEM_NO_SLOT && sets->users[index];
	if (known) {
		keys = &sets->keys[index];
		seed->id = id;
		known = tandem_srtp_seed_read(&sets->shared[keys->first_stream], keys->stream_count,
					      seed);
	}
	pthread_mutex_unlock(&sets->lock);
	return known;
}

void tandem_srtp_sets_seed(struct tandem_srtp_sets *sets, const struct tandem_srtp_seed *seeds,
			   size_t n)
{
	pthread_mutex_lock(&sets->lock);
	sets->seeds = seeds;
	sets->seeds_count = seeds ? n : 0;
	pthread_mutex_unlock(&sets->lock);
}

void tandem_srtp_sets_put(struct tandem_srtp_sets *sets, uint32_t index)
{
	pthread_mutex_lock(&sets->lock);
	if (--sets->users[index] == 0) {
		note(sets, index, 0);
		tandem_hash_remove(&sets->ids, &sets->keys[index].id);
		explicit_bzero(&sets->keys[index], sizeof(sets->keys[index]));
		tandem_fans_release(&sets->ranges, index);
	}
	pthread_mutex_unlock(&sets->lock);
}
