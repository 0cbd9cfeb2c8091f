/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Step 3: from the 5-tuple to the slot. The relay owns a dense range of ports on a
 * few addresses, so the slot follows by arithmetic and what is found there
 * only has to be compared. The exactness of that comparison is the security:
 * a source that signalling did not name has no flow.
 */
#ifndef TANDEM_CORE_LOOKUP_H
#define TANDEM_CORE_LOOKUP_H

#include "core/byteorder.h"
#include "core/env_api.h"
#include "core/parse.h"

/* Slot of one of the relay's media ports, in *slot. Else not_local or not_media_port. */
static inline enum reason media_port(struct env *env, const struct ip_addr *ip, __be16 at,
				     __u32 *slot)
{
	const struct relay_config *config = env_config(env);
	__u32 i, port;

	if (!config)
		return REASON_not_local;
	for (i = 0; i < TANDEM_MAX_LOCALS && i < config->locals_count; i++) {
		if (ip_addr_equal(&config->locals[i], ip))
			break;
	}
	if (i >= TANDEM_MAX_LOCALS || i >= config->locals_count)
		return REASON_not_local;

	port = (__u32)host16(at) - config->port_base;
	if (port >= config->port_count)
		return REASON_not_media_port;
	*slot = i * config->port_count + port;
	return REASON_NONE;
}

/* Same of the port that a packet arrives at. */
static inline enum reason port_slot(struct env *env, const struct flow_key *key, __u32 *slot)
{
	return media_port(env, &key->local, key->local_port, slot);
}

/* Has a rule for a port of the relay's exactly this key? */
static inline int port_key_equal(struct env *env, const struct rule *rule,
				 const struct flow_key *key)
{
	const struct relay_config *config = env_config(env);

	return config && ip_addr_equal(&rule->remote, &key->remote) &&
	       rule->remote_port == key->remote_port && rule->local_port == key->local_port &&
	       rule->local < TANDEM_MAX_LOCALS &&
	       ip_addr_equal(&config->locals[rule->local], &key->local);
}

/* The same for a flow from a group: source and source port match where the rule names them. */
static inline int group_key_matches(struct env *env, const struct rule *rule, __u32 slot,
				    const struct flow_key *key)
{
	const struct rule_more *more = env_rule_more(env, slot);

	if (!more || !ip_addr_equal(&more->group, &key->local) ||
	    rule->local_port != key->local_port)
		return 0;
	if (rule->remote_port && rule->remote_port != key->remote_port)
		return 0;
	return (rule->remote.d[0] | rule->remote.d[1]) == 0 ||
	       ip_addr_equal(&rule->remote, &key->remote);
}

/*
 * Is this rule, that of a slot, the one for exactly this key? A rule whose source is not
 * known yet has remote port 0, and a packet may well claim to come from port 0.
 */
static inline int rule_matches(struct env *env, const struct rule *rule, __u32 slot,
			       const struct flow_key *key)
{
	if (!(rule->flags & RULE_F_ACTIVE) || key->remote_port == 0)
		return 0;
	return rule->flags & RULE_F_GROUP ? group_key_matches(env, rule, slot, key)
					  : port_key_equal(env, rule, key);
}

/*
 * Slot of the flow that takes packets to a group: the one that names source and port,
 * the source (RFC 4607), or neither (RFC 1112). None takes what the relay itself has sent
 * and hears again, by another interface or from a network that echoes: it would go round
 * for ever. Returns 1 and sets *slot, or 0.
 */
static inline int group_slot(struct env *env, const struct flow_key *key, __u32 *slot)
{
	struct flow_key probe = *key;

	if (media_port(env, &key->remote, key->remote_port, slot) == REASON_NONE)
		return 0;
	if (env_shared_slot(env, &probe, slot))
		return 1;
	probe.remote_port = 0;
	if (env_shared_slot(env, &probe, slot))
		return 1;
	probe.remote.d[0] = 0;
	probe.remote.d[1] = 0;
	return env_shared_slot(env, &probe, slot);
}

/* First look at a rule: its generation, odd while it is being written. */
static inline __u32 rule_open(const struct rule *rule)
{
	__u32 gen = *(const volatile __u32 *)&rule->gen;

	env_read_barrier();
	return gen;
}

/* Was what was read since rule_open() the rule of that one generation? */
static inline int rule_settled(const struct rule *rule, __u32 gen)
{
	env_read_barrier();
	return !(gen & 1) && *(const volatile __u32 *)&rule->gen == gen;
}

/*
 * The entry for key, given that of its port. On return *slot and *gen are those of the rule
 * found. NULL when the source is unknown; both are then untouched.
 */
static inline struct entry *rule_find(struct env *env, struct entry *port,
				      const struct flow_key *key, __u32 *slot, __u32 *gen)
{
	struct entry *entry;
	__u32 shared, shared_gen;

	if (rule_matches(env, &port->rule, *slot, key))
		return port;
	if (!(port->rule.flags & RULE_F_SHARED))
		return 0;
	if (!env_shared_slot(env, key, &shared))
		return 0;
	entry = env_entry(env, shared);
	if (!entry)
		return 0;
	env_touch(entry);
	shared_gen = rule_open(&entry->rule);
	if (!rule_matches(env, &entry->rule, shared, key))
		return 0;
	*slot = shared;
	*gen = shared_gen;
	return entry;
}

#endif
