/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The location service of several relays, by way of Redis: each writes down the registrations made at
 * it, and reads those of all others, so that who is registered anywhere can be called anywhere.
 *
 *   PREFIX:{location}         a hash: "NODE/RUN/NUMBER" to the text of a binding
 *   PREFIX:{location}:log     a stream of its changes: fields f and v, as of the hash; v empty: gone
 *   PREFIX:{location}:secret  what nodes prove themselves to each other with
 *
 * In the log, f may also be "begin", "end" (all of a node's bindings have come between them), "alive"
 * or "leave", and v the node. Who connects reads the hash, and from then on the log. What was there
 * when Redis went away stays until it is back.
 */
#ifndef TANDEM_CLUSTER_LOCATION_H
#define TANDEM_CLUSTER_LOCATION_H

#include <jansson.h>

#include "userspace/cluster/cluster.h"

struct tandem_cluster_location;

#define TANDEM_CLUSTER_SECRET_SIZE 20

/* Whose registrations they are; userspace/sip/shared.h has such functions, and says more of them. */
struct tandem_cluster_bindings {
	void (*tell)(void *arg); /* call tandem_cluster_location_changed() for each made here */
	char *(*text)(uint64_t number, void *arg);
	int (*take)(const char *id, const char *text, void *arg);
	void (*drop)(const char *id, void *arg);
	void (*mark)(const char *node, void *arg);
	void (*sweep)(const char *node, void *arg);
	void (*secret)(const uint8_t secret[TANDEM_CLUSTER_SECRET_SIZE], void *arg);
};

/*
 * Begin, with the node, the prefix and the Redis of cluster, which stays open for longer. A Redis
 * that cannot be reached is no error. 0 or a negative errno.
 */
int tandem_cluster_location_open(struct tandem_cluster_location **locp,
				 const struct tandem_cluster *cluster,
				 const struct tandem_cluster_bindings *bindings, void *arg);
/* What it has written stays. leave: the others hear that the node is gone. NULL is allowed. */
void tandem_cluster_location_close(struct tandem_cluster_location *loc, bool leave);

/* What sets the ids of this run apart from others of the node. */
const char *tandem_cluster_location_run(const struct tandem_cluster_location *loc);

/* A binding was made here, or is gone; one of another node is to go there too. */
void tandem_cluster_location_changed(struct tandem_cluster_location *loc, uint64_t number,
				     bool gone);
void tandem_cluster_location_removed(struct tandem_cluster_location *loc, const char *id);

/* Has that node been heard of lately? While Redis is away all are there that were. */
bool tandem_cluster_location_alive(const struct tandem_cluster_location *loc, const char *node);

/* To be called about once a second. NULL is allowed. */
void tandem_cluster_location_tick(struct tandem_cluster_location *loc);

/* How it stands, see docs/cluster.md; a new reference, null for none. */
json_t *tandem_cluster_location_json(const struct tandem_cluster_location *loc);

#endif
