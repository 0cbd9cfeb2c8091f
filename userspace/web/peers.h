/* SPDX-License-Identifier: GPL-2.0-only */
/* Who is connected: browsers by their address, and by the port of their inner connection. */
#ifndef TANDEM_WEB_PEERS_H
#define TANDEM_WEB_PEERS_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TANDEM_WEB_BUCKETS 4096

struct tandem_web_peer {
	struct tandem_web_peer *next_by_inner;
	struct tandem_web_peer *next_by_outer;
	struct sockaddr_storage addr;
	uint16_t inner;
	uint16_t listener; /* port of the TCP listener behind it */
};

/* For two threads: all calls lock. */
struct tandem_web_peers {
	pthread_mutex_t lock;
	struct tandem_web_peer *by_inner[TANDEM_WEB_BUCKETS];
	struct tandem_web_peer *by_outer[TANDEM_WEB_BUCKETS];
	size_t count;
};

void tandem_web_peers_init(struct tandem_web_peers *peers);
/* All have to be removed. */
void tandem_web_peers_clean(struct tandem_web_peers *peers);

/*
 * The address of who is connected to fd; one of IPv4 on a socket of IPv6 as what it is. 0 or a
 * negative errno.
 */
int tandem_web_peer_address(struct sockaddr_storage *addr, int fd);

/* The peer is borrowed until it is removed. */
void tandem_web_peers_add(struct tandem_web_peers *peers, struct tandem_web_peer *peer);
void tandem_web_peers_remove(struct tandem_web_peers *peers, struct tandem_web_peer *peer);

/* Copies of what is found. */
bool tandem_web_peers_by_inner(struct tandem_web_peers *peers, uint16_t inner,
			       struct tandem_web_peer *found);
bool tandem_web_peers_by_outer(struct tandem_web_peers *peers, const struct sockaddr *addr,
			       struct tandem_web_peer *found);

/* How many come from the address, whatever their ports. */
size_t tandem_web_peers_from(struct tandem_web_peers *peers, const struct sockaddr *addr);
size_t tandem_web_peers_count(struct tandem_web_peers *peers);

#endif
