// SPDX-License-Identifier: GPL-2.0-only
#include "kmod/flow_table.h"

#include <linux/bottom_half.h>
#include <linux/jhash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "core/addr.h"

static int config_check(const struct relay_config *c, u32 stream_capacity)
{
	if (c->abi_version != TANDEM_ABI_VERSION)
		return -EINVAL;
	if (!c->slots)
		return c->locals_count || c->port_base || c->port_count || c->fans || c->legs ||
				       stream_capacity || !c->srtps
			       ? -EINVAL
			       : 0;
	if (!c->locals_count || c->locals_count > TANDEM_MAX_LOCALS)
		return -EINVAL;
	if (!c->port_base || !c->port_count || c->port_count > 0x10000U - c->port_base)
		return -EINVAL;
	if (c->slots < c->locals_count * c->port_count || c->slots > TABLE_SLOTS_MAX)
		return -EINVAL;
	if (c->fans > TABLE_FANS_MAX || c->legs > TABLE_LEGS_MAX)
		return -EINVAL;
	return stream_capacity > TABLE_STREAMS_MAX ? -EINVAL : 0;
}

int tandem_table_alloc(struct tandem_table **tablep, const struct relay_config *config,
		       u32 stream_capacity)
{
	u32 buckets, entries;
	struct tandem_table *t;
	int err = config_check(config, stream_capacity);

	if (err)
		return err;
	t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);
	if (!t)
		return -ENOMEM;
	t->config = *config;
	/* Routes are kept by the slot's dst_cache, which notices changes by itself. */
	t->config.nexthop_age_ns = 0;
	t->direct = config->locals_count * config->port_count;
	t->stream_capacity = stream_capacity;
	buckets = roundup_pow_of_two(max(config->slots - t->direct, 1U));
	entries = roundup_pow_of_two(max(stream_capacity, 1U));
	t->shared_mask = buckets - 1;
	t->shared_seed = get_random_u32();
	t->streams_mask = entries - 1;
	t->entries = kvcalloc(config->slots, sizeof(*t->entries), GFP_KERNEL_ACCOUNT);
	t->rules_more = kvcalloc(config->slots, sizeof(*t->rules_more), GFP_KERNEL_ACCOUNT);
	t->flows_more = kvcalloc(config->slots, sizeof(*t->flows_more), GFP_KERNEL_ACCOUNT);
	t->routes = kvcalloc(config->slots, sizeof(*t->routes), GFP_KERNEL_ACCOUNT);
	t->shared = kvcalloc(buckets, sizeof(*t->shared), GFP_KERNEL_ACCOUNT);
	t->streams = kvcalloc(entries, sizeof(*t->streams), GFP_KERNEL_ACCOUNT);
	t->counters = alloc_percpu_gfp(struct reason_counters, GFP_KERNEL_ACCOUNT);
	if (tandem_fan_table_init(t) || !t->entries || !t->rules_more || !t->flows_more ||
	    !t->routes || !t->shared || !t->streams || !t->counters) {
		tandem_table_free(t);
		return -ENOMEM;
	}
	err = tandem_srtp_open(&t->srtp, config->srtps, config->srtp_streams);
	if (err) {
		tandem_table_free(t);
		return err;
	}
	t->srtp_keys = t->srtp.keys;
	t->srtp_streams = t->srtp.memory ? t->srtp.memory->streams : NULL;
	*tablep = t;
	return 0;
}

static void shared_free(struct tandem_table *t)
{
	struct hlist_node *next;
	struct shared_flow *s;
	u32 i;

	for (i = 0; i <= t->shared_mask; i++) {
		hlist_for_each_entry_safe(s, next, &t->shared[i], node) kfree(s);
	}
}

void tandem_table_free(struct tandem_table *t)
{
	u32 i;

	if (!t)
		return;
	if (t->shared)
		shared_free(t);
	tandem_srtp_close(&t->srtp);
	for (i = 0; t->routes && i < t->config.slots; i++)
		dst_cache_destroy(&t->routes[i]);
	tandem_fan_table_clean(t);
	free_percpu(t->counters);
	kvfree(t->streams);
	kvfree(t->shared);
	kvfree(t->routes);
	kvfree(t->flows_more);
	kvfree(t->rules_more);
	kvfree(t->entries);
	kfree(t);
}

/* ---- further flows on shared ports, and flows from groups ---- */

static struct hlist_head *shared_bucket(const struct tandem_table *t, const struct flow_key *key)
{
	u32 hash = jhash2((const u32 *)key, sizeof(*key) / sizeof(u32), t->shared_seed);

	return &t->shared[hash & t->shared_mask];
}

static struct shared_flow *shared_find(const struct tandem_table *t, const struct flow_key *key)
{
	struct shared_flow *s;

	hlist_for_each_entry_rcu(s, shared_bucket(t, key), node, true)
	{
		if (!memcmp(&s->key, key, sizeof(*key)))
			return s;
	}
	return NULL;
}

u32 tandem_table_shared(const struct tandem_table *t, const struct flow_key *key)
{
	const struct shared_flow *s = shared_find(t, key);

	return s ? s->slot : TANDEM_NO_SLOT;
}

static int shared_add(struct tandem_table *t, const struct flow_key *key, u32 slot)
{
	struct shared_flow *s = shared_find(t, key);

	if (s)
		return s->slot == slot ? 0 : -EEXIST;
	s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s)
		return -ENOMEM;
	s->key = *key;
	s->slot = slot;
	hlist_add_head_rcu(&s->node, shared_bucket(t, key));
	return 0;
}

static void shared_remove(struct tandem_table *t, const struct flow_key *key, u32 slot)
{
	struct shared_flow *s = shared_find(t, key);

	if (!s || s->slot != slot)
		return;
	hlist_del_rcu(&s->node);
	kfree_rcu(s, rcu);
}

/* ---- second and later SSRCs ---- */

static u64 stream_word(u32 slot, u32 ssrc)
{
	return ((u64)slot + 1) << 32 | ssrc;
}

struct extra_stream *tandem_table_stream(struct tandem_table *t, u32 slot, u32 ssrc, bool create)
{
	u32 hash = jhash_2words(slot, ssrc, t->shared_seed), i;
	u64 key = stream_word(slot, ssrc);
	struct stream_entry *e;

	if (!t->stream_capacity)
		return NULL;
	for (i = 0; i < STREAM_PROBES; i++) {
		e = &t->streams[(hash + i) & t->streams_mask];
		if (smp_load_acquire(&e->key) == key)
			return &e->extra;
	}
	for (i = 0; create && i < STREAM_PROBES; i++) {
		e = &t->streams[(hash + i) & t->streams_mask];
		/* A free entry's stream is all zero; see streams_forget(). */
		if (!READ_ONCE(e->key) && cmpxchg64(&e->key, 0, key) == 0)
			return &e->extra;
	}
	return NULL;
}

/* The entries of a slot whose flow is gone. Packets that still have its rule end first. */
static void streams_forget(struct tandem_table *t, u32 slot)
{
	struct stream_entry *e;
	u32 i;

	synchronize_net();
	for (i = 0; i <= t->streams_mask; i++) {
		e = &t->streams[i];
		if (READ_ONCE(e->key) >> 32 != (u64)slot + 1)
			continue;
		memset(&e->extra, 0, sizeof(e->extra));
		smp_store_release(&e->key, 0);
	}
}

/* ---- rules ---- */

/* The key that a rule is for. */
static void rule_key(const struct tandem_table *t, const struct rule *rule,
		     const struct rule_more *more, struct flow_key *key)
{
	memset(key, 0, sizeof(*key));
	key->remote = rule->remote;
	key->remote_port = rule->remote_port;
	key->local_port = rule->local_port;
	if (rule->flags & RULE_F_GROUP)
		key->local = more->group;
	else if (rule->local < t->config.locals_count)
		key->local = t->config.locals[rule->local];
}

/* Slot of the media port that a rule is for, or TANDEM_NO_SLOT. */
static u32 direct_slot(const struct tandem_table *t, const struct rule *rule)
{
	u32 port = (u32)ntohs(rule->local_port) - t->config.port_base;

	if (port >= t->config.port_count || rule->local >= t->config.locals_count)
		return TANDEM_NO_SLOT;
	return rule->local * t->config.port_count + port;
}

/*
 * The packet path reads gen, then the rule, then gen again: odd while it is written, and
 * another one afterwards.
 */
static void rule_begin(struct rule *r)
{
	WRITE_ONCE(r->gen, r->gen | 1);
	smp_wmb();
}

static void rule_end(struct rule *r)
{
	smp_wmb();
	WRITE_ONCE(r->gen, r->gen + 1);
}

static void rule_fill(struct tandem_table *t, u32 slot, const struct rule_spec *from)
{
	struct rule *r = &t->entries[slot].rule;

	memcpy((char *)r + sizeof(r->gen), (const char *)&from->rule + sizeof(r->gen),
	       sizeof(*r) - sizeof(r->gen));
	t->rules_more[slot] = from->more;
}

static int slot_check(const struct tandem_table *t, u32 slot, const struct rule_spec *spec)
{
	const struct rule *rule = &spec->rule;
	u32 direct;

	if (slot >= t->config.slots || !rule->id)
		return -EINVAL;
	if (!(rule->flags & (RULE_F_ACTIVE | RULE_F_SHARED)))
		return -EINVAL;
	if (!tandem_table_has_keys(t, rule->srtp) || !tandem_table_has_keys(t, rule->egress.srtp) ||
	    !tandem_table_has_keys(t, spec->more.rtcp.srtp))
		return -EINVAL;
	if (rule->flags & RULE_F_GROUP)
		return slot < t->direct || !ip_addr_is_group(&spec->more.group) ? -EINVAL : 0;
	direct = direct_slot(t, rule);
	if (direct == TANDEM_NO_SLOT)
		return -EINVAL;
	return slot < t->direct && slot != direct ? -EINVAL : 0;
}

/* Live state of a flow that begins in a slot. */
static void state_fill(struct tandem_table *t, u32 slot, const struct flow_state *state)
{
	if (state) {
		t->entries[slot].flow = state->flow;
		t->flows_more[slot] = state->more;
		return;
	}
	memset(&t->entries[slot].flow, 0, sizeof(t->entries[slot].flow));
	memset(&t->flows_more[slot], 0, sizeof(t->flows_more[slot]));
}

int tandem_table_set(struct tandem_table *t, u32 slot, const struct rule_spec *spec,
		     const struct flow_state *state, const struct fan_spec *fan)
{
	const struct rule *rule = &spec->rule;
	struct rule *r = &t->entries[slot].rule;
	struct flow_key old, key;
	bool rekeyed;
	int err = slot_check(t, slot, spec);

	if (!err)
		err = tandem_fan_check(t, rule, fan);
	if (err)
		return err;
	rule_key(t, rule, &spec->more, &key);
	if (!t->routes[slot].cache)
		err = dst_cache_init(&t->routes[slot], GFP_KERNEL_ACCOUNT);
	if (!err && fan)
		err = tandem_fan_prepare(t, fan);
	if (!err && slot >= t->direct)
		err = shared_add(t, &key, slot);
	if (err)
		return err;

	rule_key(t, r, &t->rules_more[slot], &old);
	rekeyed = r->flags & RULE_F_ACTIVE && memcmp(&old, &key, sizeof(old));
	if (r->id != rule->id && t->flows_more[slot].extra_streams) {
		rule_begin(r);
		streams_forget(t, slot);
	}
	/* Packets that find the rule odd take the long way: this CPU's are not to come between. */
	local_bh_disable();
	rule_begin(r);
	if (state || r->id != rule->id)
		state_fill(t, slot, state);
	if (fan)
		tandem_fan_write(t, r, rule, fan);
	rule_fill(t, slot, spec);
	rule_end(r);
	local_bh_enable();
	if (rekeyed && slot >= t->direct)
		shared_remove(t, &old, slot);
	return 0;
}

int tandem_table_del(struct tandem_table *t, u32 slot)
{
	static const struct rule_spec empty;
	struct flow_key key;
	struct rule *r;

	if (slot >= t->config.slots)
		return -EINVAL;
	r = &t->entries[slot].rule;
	rule_key(t, r, &t->rules_more[slot], &key);
	local_bh_disable();
	rule_begin(r);
	rule_fill(t, slot, &empty);
	rule_end(r);
	local_bh_enable();
	if (slot >= t->direct)
		shared_remove(t, &key, slot);
	if (t->flows_more[slot].extra_streams)
		streams_forget(t, slot);
	t->flows_more[slot].extra_streams = 0;
	return 0;
}

bool tandem_table_any_active(const struct tandem_table *t)
{
	u32 i;

	for (i = 0; i < t->config.slots; i++) {
		if (t->entries[i].rule.flags & RULE_F_ACTIVE)
			return true;
	}
	for (i = 0; !t->config.slots && i < t->srtp.count; i++) {
		if (tandem_srtp_is_set(&t->srtp, i))
			return true;
	}
	return false;
}
