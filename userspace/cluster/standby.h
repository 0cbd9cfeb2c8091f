/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One standby address: whether it is here, who owns it in Redis, and the copy of the sessions that
 * are at home there. Private to userspace/cluster.
 *
 *              lost                     lost
 *      AWAY <-------------- WAITING --------------+
 *        |       has come      ^ |  Redis is up   |
 *        +---------------------+ |                |
 *              Redis is lost   | v                |
 *                              CLAIMING -> LOADING -> OWNER
 *                                 ^                     |
 *                                 |   another has it    |
 *                                 +---- ELSEWHERE <-----+
 */
#ifndef TANDEM_CLUSTER_STANDBY_H
#define TANDEM_CLUSTER_STANDBY_H

#include "userspace/cluster/changes.h"
#include "userspace/cluster/cluster.h"
#include "userspace/cluster/libre.h"

/* Sessions in one request. */
#define TANDEM_CLUSTER_BATCH 32

enum tandem_standby_state {
	TANDEM_STANDBY_AWAY,	 /* on another host, or on none */
	TANDEM_STANDBY_WAITING,	 /* here; not claimed yet */
	TANDEM_STANDBY_CLAIMING, /* asked for */
	TANDEM_STANDBY_LOADING,	 /* ours; its sessions are being read */
	TANDEM_STANDBY_OWNER,
	TANDEM_STANDBY_ELSEWHERE, /* here, and all the same another node has claimed it since */
};

struct tandem_standby_counters {
	uint64_t written;  /* states of sessions */
	uint64_t adopted;  /* sessions */
	uint64_t refused;  /* sessions that could not be adopted */
	uint64_t released; /* sessions */
	uint64_t errors;   /* of Redis */
};

struct tandem_standby {
	const struct tandem_cluster_config *cfg;
	struct tandem_redis *redis;
	struct tandem_sessions *sessions;
	tandem_cluster_adopted_h *adopted_h;
	void *arg;

	size_t local;
	char address[TANDEM_ENDPOINT_STRLEN];
	char owner_key[192];
	char calls_key[192];

	enum tandem_standby_state state;
	char owner[64];	   /* as far as is known */
	uint64_t held_ms;  /* monotonic, since when it is here */
	uint64_t asked_ms; /* monotonic, when Redis was last asked who owns it */
	bool owned;	   /* in this run, before */
	bool foreign;	   /* what is being loaded was another node's */
	size_t adopted;	   /* in the load at hand */
	struct tandem_changes changes;
	struct tmr flush;
	bool writing;
	struct tandem_standby_counters counters;
	char error[160]; /* Redis's last; empty: none since it went well */
};

/* cfg and sessions are borrowed. The address is away. */
void tandem_standby_init(struct tandem_standby *standby, const struct tandem_cluster_config *cfg,
			 size_t local);
void tandem_standby_clean(struct tandem_standby *standby);

/* The address has come to this host, or has left it. */
void tandem_standby_hold(struct tandem_standby *standby, bool held);
/* Redis can be asked; or not any more. */
void tandem_standby_redis(struct tandem_standby *standby, bool up);
/* A session at home there is another than before, or gone. */
void tandem_standby_changed(struct tandem_standby *standby, uint64_t number, bool gone);
/* About once a second. */
void tandem_standby_tick(struct tandem_standby *standby);

/* "away", "waiting", "claiming", "loading", "owner", "elsewhere" */
const char *tandem_standby_state_name(enum tandem_standby_state state);

#endif
