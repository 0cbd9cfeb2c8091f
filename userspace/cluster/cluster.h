/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Several relays of which one takes the calls of another, by way of a Redis server: docs/cluster.md.
 *
 * What a call depends on is the address that its media comes to. So the address decides: each
 * standby address has an owner in Redis, and with it all sessions that are at home there. Which host
 * has the address is for others to say (VRRP, a cloud's API); the host that gets it claims it here,
 * and takes up its sessions. Who has lost it is not listened to any more, whatever it believes.
 *
 * Redis is a copy, never waited for. Without it everything goes on, but nothing can move.
 */
#ifndef TANDEM_CLUSTER_CLUSTER_H
#define TANDEM_CLUSTER_CLUSTER_H

#include <jansson.h>

#include "userspace/cluster/redis.h"
#include "userspace/session/session.h"

struct tandem_cluster;

/* Strings are borrowed for as long as the cluster is open. */
struct tandem_cluster_config {
	const char *node;	   /* a name that no other has */
	const char *prefix;	   /* of all keys */
	uint32_t keep_s;	   /* what no node renews is forgotten after that */
	const char *password_file; /* NULL: no password */
	struct tandem_redis_config redis;
	bool location; /* registrations are shared, too: location.h */
	struct tandem_local locals[TANDEM_MAX_LOCALS];
	bool standby[TANDEM_MAX_LOCALS];
	size_t locals_count;
};

/* A session was taken up that another node has had: as tandem_sessions_each() tells of it. */
typedef tandem_session_each_h tandem_cluster_adopted_h;

/*
 * Begin; sessions is told which locals are here. why: as text. A Redis server that cannot be
 * reached is no error.
 */
int tandem_cluster_open(struct tandem_cluster **clusterp, const struct tandem_cluster_config *cfg,
			struct tandem_sessions *sessions, tandem_cluster_adopted_h *adopted_h,
			void *arg, char *why, size_t why_size);
/* What Redis has stays, so that another can take it. NULL is allowed. */
void tandem_cluster_close(struct tandem_cluster *cluster);

/* To be called about once a second. NULL is allowed. */
void tandem_cluster_tick(struct tandem_cluster *cluster);

/* What an address is: of this node alone, or one that moves, and then whether it is here. */
enum tandem_cluster_address {
	TANDEM_CLUSTER_OWN,
	TANDEM_CLUSTER_HERE,
	TANDEM_CLUSTER_AWAY,
};
enum tandem_cluster_address tandem_cluster_address(const struct tandem_cluster *cluster,
						   const char *ip);

/* The configuration, with the password that was read; as long as the cluster is open. */
const struct tandem_cluster_config *tandem_cluster_config_of(const struct tandem_cluster *cluster);

/* How it stands, see docs/cluster.md; a new reference, null for no cluster. */
json_t *tandem_cluster_json(const struct tandem_cluster *cluster);

#endif
