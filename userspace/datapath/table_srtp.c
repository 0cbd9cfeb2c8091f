/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/table_srtp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/datapath/srtp_sets.h"
#include "userspace/util/sparse.h"

/* What the table knows of an entry. */
struct tandem_table_key {
	uint32_t users; /* rules that name it, as any of their three */
	bool named;	/* some other entry may name it as next */
};

int tandem_table_srtp_open(struct tandem_table *t, struct srtp_keys *keys,
			   struct tandem_srtp_sets *sets, tandem_srtp_h *h)
{
	struct relay_config size;

	tandem_srtp_sets_size(sets, &size);
	if (size.srtps != t->relay.srtps)
		return -EINVAL;
	t->key_users = calloc(t->relay.srtps, sizeof(*t->key_users));
	t->slot_keys = tandem_sparse_alloc(t->relay.slots, sizeof(*t->slot_keys));
	if (!t->key_users || !t->slot_keys) {
		tandem_table_srtp_clean(t);
		return -ENOMEM;
	}
	t->srtp_keys = keys;
	t->srtp_h = h;
	t->sets = sets;
	return 0;
}

void tandem_table_srtp_clean(struct tandem_table *t)
{
	for (uint32_t i = 1; t->sets && i < t->relay.srtps; i++) {
		for (uint32_t n = t->key_users[i].users; n; n--)
			tandem_srtp_sets_put(t->sets, i);
	}
	free(t->key_users);
	tandem_sparse_free(t->slot_keys, t->relay.slots, sizeof(*t->slot_keys));
	t->key_users = NULL;
	t->slot_keys = NULL;
	t->sets = NULL;
}

static void keys_begin(struct srtp_keys *k)
{
	__atomic_store_n(&k->gen, k->gen | 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void keys_end(struct srtp_keys *k)
{
	__atomic_store_n(&k->gen, k->gen + 1, __ATOMIC_RELEASE);
}

/* Everything behind gen; from NULL: nothing any more. */
static int keys_write(struct tandem_table *t, uint32_t index, const struct srtp_keys *from)
{
	struct srtp_keys *k = &t->srtp_keys[index];
	int err = 0;

	keys_begin(k);
	if (t->srtp_h)
		err = t->srtp_h(index, from, t->arg);
	explicit_bzero((char *)k + sizeof(k->gen), sizeof(*k) - sizeof(k->gen));
	if (from && !err)
		memcpy((char *)k + sizeof(k->gen), (const char *)from + sizeof(k->gen),
		       sizeof(*k) - sizeof(k->gen));
	keys_end(k);
	return err;
}

static void keys_set_next(struct tandem_table *t, uint32_t index, uint32_t next)
{
	struct srtp_keys *k = &t->srtp_keys[index];

	if (k->next == next)
		return;
	keys_begin(k);
	k->next = next;
	keys_end(k);
	if (t->srtp_next_h)
		t->srtp_next_h(index, t->arg);
	t->key_users[next].named = true;
}

/* No entry may name one that is wiped. */
static void forget_next(struct tandem_table *t, uint32_t index)
{
	for (uint32_t i = 1; i < t->relay.srtps; i++) {
		if (t->key_users[i].users && t->srtp_keys[i].next == index)
			keys_set_next(t, i, SRTP_NO_KEYS);
	}
	t->key_users[index].named = false;
}

static int key_get(struct tandem_table *t, const struct tandem_srtp *set, uint32_t *index)
{
	struct srtp_keys keys;
	int err;

	*index = SRTP_NO_KEYS;
	if (!set)
		return 0;
	if (!t->sets)
		return -EPROTONOSUPPORT;
	err = tandem_srtp_sets_get(t->sets, set, index, &keys);
	if (err) {
		*index = SRTP_NO_KEYS;
		return err;
	}
	if (!t->key_users[*index].users)
		err = keys_write(t, *index, &keys);
	explicit_bzero(&keys, sizeof(keys));
	if (err) {
		tandem_srtp_sets_put(t->sets, *index);
		*index = SRTP_NO_KEYS;
		return err;
	}
	t->key_users[*index].users++;
	return 0;
}

static void key_put(struct tandem_table *t, uint32_t index)
{
	if (index == SRTP_NO_KEYS)
		return;
	if (--t->key_users[index].users == 0) {
		if (t->key_users[index].named)
			forget_next(t, index);
		keys_write(t, index, NULL);
	}
	tandem_srtp_sets_put(t->sets, index);
}

int tandem_table_srtp_get(struct tandem_table *t, const struct tandem_flow_spec *spec,
			  struct tandem_slot_keys *keys)
{
	int err;

	memset(keys, 0, sizeof(*keys));
	err = key_get(t, spec->srtp_in, &keys->in);
	if (!err && spec->srtp_in)
		err = key_get(t, spec->srtp_in_old, &keys->old);
	if (!err)
		err = key_get(t, spec->srtp_out, &keys->out);
	if (err) {
		tandem_table_srtp_put(t, keys);
		memset(keys, 0, sizeof(*keys));
		return err;
	}
	for (size_t i = 0; i < TANDEM_EXPECTED && keys->out; i++) {
		if (spec->expected[i])
			tandem_srtp_sets_expect(t->sets, keys->out, spec->expected[i]);
	}
	if (keys->in)
		keys_set_next(t, keys->in, keys->old == keys->in ? SRTP_NO_KEYS : keys->old);
	return 0;
}

void tandem_table_srtp_put(struct tandem_table *t, const struct tandem_slot_keys *keys)
{
	key_put(t, keys->in);
	key_put(t, keys->old);
	key_put(t, keys->out);
}

int tandem_table_srtp_get_leg(struct tandem_table *t, const struct tandem_fan *fan, uint64_t id,
			      uint32_t *index)
{
	const struct tandem_srtp *set = NULL;

	for (uint32_t i = 0; id && i < fan->key_count && !set; i++) {
		if (fan->keys[i].id == id)
			set = &fan->keys[i];
	}
	*index = SRTP_NO_KEYS;
	return id && !set ? -EPROTONOSUPPORT : key_get(t, set, index);
}

void tandem_table_srtp_put_leg(struct tandem_table *t, uint32_t index)
{
	key_put(t, index);
}

static int key_adopt(struct tandem_table *t, uint32_t index, uint32_t *kept)
{
	int err;

	*kept = SRTP_NO_KEYS;
	if (index == SRTP_NO_KEYS)
		return 0;
	if (!t->sets || index >= t->relay.srtps)
		return -EINVAL;
	err = tandem_srtp_sets_adopt(t->sets, index, &t->srtp_keys[index]);
	if (err)
		return err;
	t->key_users[index].users++;
	*kept = index;
	return 0;
}

int tandem_table_srtp_adopt(struct tandem_table *t, uint32_t slot)
{
	const struct rule *r = &t->entries[slot].rule;
	uint32_t out = r->egress.srtp ? r->egress.srtp : t->rules_more[slot].rtcp.srtp;
	struct tandem_slot_keys keys = { 0 };
	int err = key_adopt(t, r->srtp, &keys.in);

	if (!err && keys.in) {
		err = key_adopt(t, t->srtp_keys[keys.in].next, &keys.old);
		t->key_users[keys.old].named = true;
	}
	if (!err)
		err = key_adopt(t, out, &keys.out);
	if (err) {
		tandem_table_srtp_put(t, &keys);
		return err;
	}
	if (t->slot_keys)
		t->slot_keys[slot] = keys;
	return 0;
}

int tandem_table_srtp_adopt_leg(struct tandem_table *t, uint32_t index)
{
	uint32_t kept;

	return key_adopt(t, index, &kept);
}

void tandem_table_srtp_sweep(struct tandem_table *t)
{
	for (uint32_t i = 1; t->sets && i < t->relay.srtps; i++) {
		const struct srtp_keys *k = &t->srtp_keys[i];

		if (!t->key_users[i].users && (k->gen & 1 || k->suite != SRTP_SUITE_NONE))
			keys_write(t, i, NULL);
	}
}
