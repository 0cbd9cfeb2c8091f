/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One connection to a Redis server, on libre's loop: it never blocks, and comes back by itself.
 * hiredis writes requests and reads replies; TCP and TLS are libre's.
 */
#ifndef TANDEM_CLUSTER_REDIS_H
#define TANDEM_CLUSTER_REDIS_H

#include <hiredis/read.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tandem_redis;

/* Strings are borrowed for as long as the connection is there; NULL: without. */
struct tandem_redis_config {
	const char *host; /* a name or an address */
	uint16_t port;
	const char *user;
	const char *password;
	uint32_t db;
	bool tls;
	const char *ca;		 /* PEM; whom the host trusts */
	const char *certificate; /* PEM, with its key */
	const char *tls_name;	 /* what the server's certificate is for; host, if that is a name */
};

/* A reply as hiredis reads it; NULL: the connection was lost, and whether it was done is not known. */
struct redisReply;
typedef void(tandem_redis_reply_h)(const struct redisReply *reply, void *arg);

/* The connection can be used; or not any more, and why. */
typedef void(tandem_redis_state_h)(bool up, const char *why, void *arg);

/* Connect, now and whenever the connection is lost: after 0.1 s, then twice as long each time, up to 5 s. */
int tandem_redis_alloc(struct tandem_redis **redisp, const struct tandem_redis_config *cfg,
		       tandem_redis_state_h *state_h, void *arg);
/* Handlers are not called any more. NULL is allowed. */
void tandem_redis_free(struct tandem_redis *redis);

bool tandem_redis_up(const struct tandem_redis *redis);

/*
 * Send a request of argc arguments, copied; h gets its reply. -ENOTCONN while there is no
 * connection, -ENOBUFS when TANDEM_REDIS_PENDING requests wait for replies, -ENOMEM.
 */
#define TANDEM_REDIS_PENDING 64
int tandem_redis_send(struct tandem_redis *redis, int argc, const char **argv,
		      const size_t *lengths, tandem_redis_reply_h *h, void *arg);

#endif
