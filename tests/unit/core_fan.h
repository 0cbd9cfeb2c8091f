/* SPDX-License-Identifier: GPL-2.0-only */
/* The core by itself, with one fan. */
#ifndef TANDEM_TESTS_CORE_FAN_H
#define TANDEM_TESTS_CORE_FAN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/copy.h"

#define SLOTS  4
#define LEGS   3
#define SECOND 1000000000ULL

/* A relay with one fan, whose legs go to hosts 0 to 2. */
struct relay {
	struct env env;
	struct env_tables tables;
	struct entry entries[SLOTS];
	struct rule_more rules_more[SLOTS];
	struct flow_more flows_more[SLOTS];
	struct fan fan;
	struct fan_state fan_state;
	struct leg legs[LEGS];
	struct leg_state leg_states[LEGS];
	struct env_shared shared[8];
	/* the world around it */
	__u32 reasons[LEGS];
	__u32 ifindexes[LEGS];
	unsigned int asked;
};

static inline __u32 nexthop(const struct egress *eg, __u32 l3_len, struct nexthop *nh, void *arg)
{
	struct relay *r = arg;
	unsigned int host = eg->remote.b[15];

	r->asked++;
	nh->ifindex = r->ifindexes[host];
	nh->mtu = 1500;
	return r->reasons[host];
}

static inline void relay_init(struct relay *r)
{
	size_t i;

	memset(r, 0, sizeof(*r));
	r->tables = (struct env_tables){ .entries = r->entries,
					 .rules_more = r->rules_more,
					 .flows_more = r->flows_more,
					 .fans = &r->fan,
					 .fan_states = &r->fan_state,
					 .legs = r->legs,
					 .leg_states = r->leg_states,
					 .shared = r->shared,
					 .shared_size = 8 };
	r->tables.config.slots = SLOTS;
	r->tables.config.fans = 1;
	r->tables.config.legs = LEGS;
	r->tables.config.nexthop_age_ns = SECOND / 10;
	for (i = 0; i < 8; i++)
		r->shared[i].slot = TANDEM_NO_SLOT;
	for (i = 0; i < LEGS; i++) {
		ip_addr_map4(&r->legs[i].egress.remote, net32(0x0a010000 + (__u32)i));
		r->legs[i].egress.flags = EGRESS_F_ACTIVE;
		r->legs[i].egress.state = (__u32)i;
		r->reasons[i] = REASON_NONE;
		r->ifindexes[i] = 5;
	}
	r->env.tables = &r->tables;
	r->env.nexthop = nexthop;
	r->env.nexthop_arg = r;
}

#endif
