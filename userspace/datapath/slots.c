/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/slots.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/datapath/hash.h"
#include "userspace/util/sparse.h"
#include "userspace/util/endpoint.h"

_Static_assert(TANDEM_HASH_NONE == TANDEM_NO_SLOT, "a missing value is no slot");

struct slot_info {
	uint64_t id;
	struct flow_key key;
	uint32_t next_free; /* behind the direct slots: list of free ones, by slot */
	uint32_t sharing;   /* direct: flows behind it */
};

struct tandem_slots {
	struct relay_config relay;
	uint32_t direct_count;
	struct slot_info *info; /* by slot, sparse */
	struct tandem_hash ids;
	struct tandem_hash shared; /* keys of the flows behind the direct slots */
	uint32_t fresh;		   /* first slot behind that was never used */
	uint32_t free_head;	   /* slots behind that were given back */
};

int tandem_slots_alloc(struct tandem_slots **slotsp, const struct relay_config *relay)
{
	struct tandem_slots *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->relay = *relay;
	s->direct_count = relay->locals_count * relay->port_count;
	s->fresh = s->direct_count;
	s->free_head = TANDEM_NO_SLOT;
	tandem_hash_init(&s->ids, sizeof(uint64_t));
	tandem_hash_init(&s->shared, sizeof(struct flow_key));
	s->info = tandem_sparse_alloc(relay->slots, sizeof(*s->info));
	if (!s->info) {
		tandem_slots_free(s);
		return -ENOMEM;
	}
	*slotsp = s;
	return 0;
}

void tandem_slots_free(struct tandem_slots *s)
{
	if (!s)
		return;
	tandem_sparse_free(s->info, s->relay.slots, sizeof(*s->info));
	tandem_hash_clean(&s->ids);
	tandem_hash_clean(&s->shared);
	free(s);
}

uint32_t tandem_slots_direct(const struct tandem_slots *s, const struct flow_key *key)
{
	uint32_t port = ntohs(key->local_port);

	if (port < s->relay.port_base || port - s->relay.port_base >= s->relay.port_count)
		return TANDEM_NO_SLOT;
	for (uint32_t i = 0; i < s->relay.locals_count; i++) {
		if (tandem_ip_equal(&s->relay.locals[i], &key->local))
			return i * s->relay.port_count + port - s->relay.port_base;
	}
	return TANDEM_NO_SLOT;
}

bool tandem_slots_is_direct(const struct tandem_slots *s, uint32_t slot)
{
	return slot < s->direct_count;
}

static bool sourceless(const struct flow_key *key)
{
	return tandem_ip_is_any(&key->remote) && key->remote_port == 0;
}

static bool same_key(const struct flow_key *a, const struct flow_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* direct is TANDEM_NO_SLOT for a group, which has no port of ours. */
static bool key_taken(const struct tandem_slots *s, uint32_t direct, const struct flow_key *key)
{
	if (direct != TANDEM_NO_SLOT && s->info[direct].id && same_key(&s->info[direct].key, key))
		return true;
	return tandem_hash_get(&s->shared, key) != TANDEM_NO_SLOT;
}

/* Can there be a flow that arrives at this address and port at all? */
static bool acceptable(uint32_t direct, const struct flow_key *key)
{
	return direct != TANDEM_NO_SLOT || (tandem_ip_is_group(&key->local) && key->local_port);
}

static bool slot_in_use(const struct tandem_slots *s, uint32_t slot)
{
	return s->info[slot].id != 0;
}

/* Enter a flow whose slot is settled into both hashes. */
static int enter(struct tandem_slots *s, uint64_t id, const struct flow_key *key, uint32_t slot,
		 uint32_t direct)
{
	int err = tandem_hash_set(&s->ids, &id, slot);

	if (err)
		return err;
	if (slot != direct) {
		err = tandem_hash_set(&s->shared, key, slot);
		if (err) {
			tandem_hash_remove(&s->ids, &id);
			return err;
		}
		if (direct != TANDEM_NO_SLOT)
			s->info[direct].sharing++;
	}
	s->info[slot].id = id;
	s->info[slot].key = *key;
	return 0;
}

/* The next slot behind the direct ones; taken only by commit_behind. */
static uint32_t peek_behind(const struct tandem_slots *s)
{
	if (s->free_head != TANDEM_NO_SLOT)
		return s->free_head;
	return s->fresh < s->relay.slots ? s->fresh : TANDEM_NO_SLOT;
}

static void commit_behind(struct tandem_slots *s, uint32_t slot)
{
	if (slot == s->free_head)
		s->free_head = s->info[slot].next_free;
	else
		s->fresh++;
}

int tandem_slots_take(struct tandem_slots *s, uint64_t id, const struct flow_key *key,
		      uint32_t *slotp)
{
	uint32_t direct = tandem_slots_direct(s, key);
	uint32_t slot = direct;
	int err;

	if (!acceptable(direct, key))
		return -EADDRNOTAVAIL;
	if (tandem_slots_find(s, id) != TANDEM_NO_SLOT || key_taken(s, direct, key))
		return -EEXIST;
	if (direct == TANDEM_NO_SLOT || slot_in_use(s, direct)) {
		if (direct != TANDEM_NO_SLOT && sourceless(key))
			return -EADDRINUSE;
		slot = peek_behind(s);
		if (slot == TANDEM_NO_SLOT)
			return -ENOSPC;
	}
	err = enter(s, id, key, slot, direct);
	if (err)
		return err;
	if (slot != direct)
		commit_behind(s, slot);
	*slotp = slot;
	return 0;
}

int tandem_slots_adopt(struct tandem_slots *s, uint64_t id, const struct flow_key *key,
		       uint32_t slot)
{
	uint32_t direct = tandem_slots_direct(s, key);
	int err;

	if (!acceptable(direct, key) || slot >= s->relay.slots ||
	    (slot != direct && slot < s->fresh))
		return -EINVAL;
	if (tandem_slots_find(s, id) != TANDEM_NO_SLOT || slot_in_use(s, slot) ||
	    key_taken(s, direct, key))
		return -EEXIST;
	err = enter(s, id, key, slot, direct);
	if (err || slot == direct)
		return err;

	/* Those skipped on the way are free. */
	for (; s->fresh < slot; s->fresh++) {
		s->info[s->fresh].next_free = s->free_head;
		s->free_head = s->fresh;
	}
	s->fresh++;
	return 0;
}

int tandem_slots_rekey(struct tandem_slots *s, uint32_t slot, const struct flow_key *key)
{
	struct slot_info *at = &s->info[slot];
	uint32_t direct = tandem_slots_direct(s, key);
	int err;

	if (same_key(&at->key, key))
		return 0;
	if (direct != tandem_slots_direct(s, &at->key) || !acceptable(direct, key))
		return -EINVAL;
	if (key_taken(s, direct, key))
		return -EEXIST;
	if (slot != direct) {
		if (direct != TANDEM_NO_SLOT && sourceless(key))
			return -EADDRINUSE;
		err = tandem_hash_set(&s->shared, key, slot);
		if (err)
			return err;
		tandem_hash_remove(&s->shared, &at->key);
	}
	at->key = *key;
	return 0;
}

void tandem_slots_release(struct tandem_slots *s, uint32_t slot)
{
	struct slot_info *at = &s->info[slot];
	uint32_t direct;

	if (!at->id)
		return;
	tandem_hash_remove(&s->ids, &at->id);
	at->id = 0;
	if (tandem_slots_is_direct(s, slot))
		return;
	tandem_hash_remove(&s->shared, &at->key);
	direct = tandem_slots_direct(s, &at->key);
	if (direct != TANDEM_NO_SLOT)
		s->info[direct].sharing--;
	at->next_free = s->free_head;
	s->free_head = slot;
}

uint32_t tandem_slots_find(const struct tandem_slots *s, uint64_t id)
{
	return tandem_hash_get(&s->ids, &id);
}

uint32_t tandem_slots_lookup_shared(const struct tandem_slots *s, const struct flow_key *key)
{
	return tandem_hash_get(&s->shared, key);
}

uint64_t tandem_slots_id(const struct tandem_slots *s, uint32_t slot)
{
	return slot < s->relay.slots ? s->info[slot].id : 0;
}

uint32_t tandem_slots_sharing(const struct tandem_slots *s, uint32_t direct)
{
	return s->info[direct].sharing;
}

uint32_t tandem_slots_on_port(const struct tandem_slots *s, uint32_t direct)
{
	return s->info[direct].sharing + slot_in_use(s, direct);
}

uint32_t tandem_slots_count(const struct tandem_slots *s)
{
	return s->ids.count;
}
