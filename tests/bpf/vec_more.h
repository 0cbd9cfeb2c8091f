/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A further environment of the core for vectors.c to run every case through, in a program
 * of its own that links one: its env.h is not the one vectors.c is built with.
 */
#ifndef TANDEM_TESTS_VEC_MORE_H
#define TANDEM_TESTS_VEC_MORE_H

#include <stddef.h>

#include "core/abi.h"

/* What a case installs: arrays of config->slots, config->fans and config->legs. */
struct vec_tables {
	const struct relay_config *config;
	const struct entry *entries;
	const struct rule_more *rules_more;
	const struct fan *fans;
	const struct leg *legs;
	/* Flows that are found through the hash: on shared ports, and from groups. */
	const struct flow_key *shared;
	const unsigned int *shared_slot;
	size_t shared_count;
	const struct srtp_keys *srtp_keys; /* of config->srtps */
};

/* The interfaces of vec_net.h that frames may leave by. */
struct vec_devices {
	unsigned int v0;   /* both media addresses are on it, as far as groups go */
	unsigned int vlan; /* is tag 7 on v0 */
	unsigned int v4;
};

/* A frame that leaves. */
typedef void(vec_frame_h)(const void *frame, size_t len, void *arg);

struct vec_more {
	const char *name;
	/* Once, in the namespace of vec_net.h. Ends the program on failure. */
	void (*open)(const struct vec_devices *devices);
	/* Begin a case, with all live state zero. */
	void (*reset)(const struct vec_tables *tables);
	/* Add to the gen of every rule. */
	void (*busy)(int add);
	/* Neighbours have come or gone; take notice before the next frame. */
	void (*network)(void);
	/*
	 * One frame. h is told of each frame that leaves, copies in the order of their legs; of
	 * a frame that does not leave it is told what has become of it.
	 */
	enum verdict (*frame)(__u64 now_ns, const void *frame, size_t len, vec_frame_h *h,
			      void *arg);
	/* What was counted so far, and the stream of a slot (all zero if there is none). */
	void (*counters)(struct reason_counters *counters);
	const struct entry *(*entries)(void);
	const struct flow_more *(*flows_more)(void);
	const struct fan_state *(*fan_states)(void);
	const struct leg_state *(*leg_states)(void);
	void (*stream)(__u32 slot, __u32 ssrc, struct extra_stream *stream);
	const struct srtp_stream *(*srtp_streams)(void);
};

/* Weak where it is used, not where it is. */
#ifndef VEC_MORE_WEAK
#define VEC_MORE_WEAK
#endif

/* Its address is NULL in the program that runs XDP alone. */
extern const struct vec_more vec_more VEC_MORE_WEAK;

#endif
