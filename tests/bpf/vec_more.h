/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A further environment of the core for vectors.c to run every case through, in a program
 * of its own that links one: its env.h is not the one vectors.c is built with.
 */
#ifndef TANDEM_TESTS_VEC_MORE_H
#define TANDEM_TESTS_VEC_MORE_H

#include <stddef.h>

#include "core/abi.h"

struct vec_more {
	const char *name;
	/* Once, in the namespace of vec_net.h: v0 can be sent to, vlan is tag 7 on v0. Ends the program on failure. */
	void (*open)(unsigned int v0, unsigned int vlan);
	/* Begin a case: rules and flows of config->slots, and the shared ports' slots. */
	void (*reset)(const struct relay_config *config, const struct rule *rules,
		      const struct flow_key *shared, const unsigned int *shared_slot, size_t n);
	/* Add to the gen of every rule. */
	void (*busy)(int add);
	/* One frame, changed in place; *len becomes its new length. */
	enum verdict (*frame)(__u64 now_ns, void *frame, size_t *len, size_t room);
	/* What was counted so far, and the stream of a slot (all zero if there is none). */
	void (*counters)(struct reason_counters *counters);
	const struct flow *(*flows)(void);
	void (*stream)(__u32 slot, __u32 ssrc, struct stream *stream);
};

/* Weak where it is used, not where it is. */
#ifndef VEC_MORE_WEAK
#define VEC_MORE_WEAK
#endif

/* Its address is NULL in the program that runs XDP alone. */
extern const struct vec_more vec_more VEC_MORE_WEAK;

#endif
