/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the session table takes from the world around it, behind function
 * pointers: the plane, the clocks, the routing table, randomness. Tests bring
 * their own.
 */
#ifndef TANDEM_SESSION_ENV_H
#define TANDEM_SESSION_ENV_H

#include "userspace/session/session.h"

struct tandem_session_env {
	/* as the functions of plane.h */
	int (*apply)(struct tandem_plane *plane, struct tandem_change *changes, size_t n);
	int (*read)(struct tandem_plane *plane, uint64_t flow_id, struct tandem_flow_stats *stats);
	int (*read_legs)(struct tandem_plane *plane, uint64_t flow_id,
			 struct tandem_leg_stats *legs, size_t max, size_t *n);
	int (*list)(struct tandem_plane *plane, tandem_installed_h *h, void *arg);
	int (*counters)(struct tandem_plane *plane, struct reason_counters *fast,
			struct reason_counters *slow);
	const char *(*name)(const struct tandem_plane *plane);
	const char *(*describe)(const struct tandem_plane *plane);
	void (*dispatch)(struct tandem_plane *plane, const struct tandem_event_handlers *handlers,
			 void *arg);
	int (*send)(struct tandem_plane *plane, const struct tandem_endpoint *local,
		    const struct tandem_endpoint *remote, const void *payload, size_t len);
	void (*retry)(struct tandem_plane *plane);
	bool (*key_spent)(const struct tandem_plane *plane, uint64_t id);
	bool (*key_counted)(struct tandem_plane *plane, uint64_t id, struct tandem_srtp_seed *seed);
	void (*keys_seed)(struct tandem_plane *plane, const struct tandem_srtp_seed *seeds,
			  size_t n);

	/* the clock that a flow's last_ns is of, and the time of the Unix epoch */
	uint64_t (*monotonic_ms)(void *arg);
	int64_t (*epoch_ms)(void *arg);

	/* The address this host would send from to reach `to`; a negative errno if none. */
	int (*route)(const struct tandem_endpoint *to, struct ip_addr *from, void *arg);

	uint64_t seed; /* of the port order and the hash of Call-IDs */
	void *arg;     /* given to clocks and route */
};

/* The real world. -errno when there is no randomness to be had. */
int tandem_session_env_default(struct tandem_session_env *env);

/* tandem_sessions_alloc() with an environment of the caller's, which is copied. */
int tandem_sessions_alloc_with(struct tandem_sessions **ssp, const struct tandem_session_env *env,
			       const struct tandem_sessions_config *cfg, struct tandem_plane *plane,
			       struct tandem_store *store, tandem_session_ended_h *ended_h,
			       void *arg);

#endif
