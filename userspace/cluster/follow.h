/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the registrations of other nodes from Redis, all of them at first, and then what is new; and
 * which nodes there are. On a connection of its own, which waits for news. Private to location.c,
 * which writes; location.h says what is in Redis.
 */
#ifndef TANDEM_CLUSTER_FOLLOW_H
#define TANDEM_CLUSTER_FOLLOW_H

#include <jansson.h>

#include "userspace/cluster/location.h"

/* Behind the secret in its key, in hexadecimal: another when Redis has lost all and begun anew. */
#define TANDEM_FOLLOW_BIRTH_SIZE 8
#define TANDEM_FOLLOW_SECRET_LEN (2 * (TANDEM_CLUSTER_SECRET_SIZE + TANDEM_FOLLOW_BIRTH_SIZE))

struct tandem_follow;

/* All is borrowed for as long as it is open. */
struct tandem_follow_config {
	const struct tandem_redis_config *redis;
	const char *node; /* which is not read of */
	const char *hash_key, *log_key, *secret_key;
	const struct tandem_cluster_bindings *bindings;
	void *arg;
};

/* 0 or a negative errno. */
int tandem_follow_open(struct tandem_follow **fp, const struct tandem_follow_config *cfg);
/* NULL is allowed. */
void tandem_follow_close(struct tandem_follow *f);

/* About once a second: begin anew, if that has failed. */
void tandem_follow_tick(struct tandem_follow *f);

/* As tandem_cluster_location_alive(). */
bool tandem_follow_alive(const struct tandem_follow *f, const char *name);

/* The part of tandem_cluster_location_json() that is of other nodes; a new reference. */
json_t *tandem_follow_json(const struct tandem_follow *f);

#endif
