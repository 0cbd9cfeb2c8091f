/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/web/peers.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

void tandem_web_peers_init(struct tandem_web_peers *peers)
{
	memset(peers, 0, sizeof(*peers));
	pthread_mutex_init(&peers->lock, NULL);
}

void tandem_web_peers_clean(struct tandem_web_peers *peers)
{
	pthread_mutex_destroy(&peers->lock);
}

int tandem_web_peer_address(struct sockaddr_storage *addr, int fd)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;
	socklen_t len = sizeof(*addr);

	memset(addr, 0, sizeof(*addr));
	if (getpeername(fd, (struct sockaddr *)addr, &len))
		return -errno;
	if (addr->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		memcpy(&in.sin_addr, in6->sin6_addr.s6_addr + 12, 4);
		in.sin_port = in6->sin6_port;
		memset(addr, 0, sizeof(*addr));
		memcpy(addr, &in, sizeof(in));
	}

	return 0;
}

/* The octets of the address. */
static size_t octets(const struct sockaddr *sa, const uint8_t **p, uint16_t *port)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;

	if (sa->sa_family == AF_INET6) {
		*p = in6->sin6_addr.s6_addr;
		*port = in6->sin6_port;
		return 16;
	}
	*p = (const uint8_t *)&in->sin_addr;
	*port = in->sin_port;

	return 4;
}

static bool is_same(const struct sockaddr *a, const struct sockaddr *b, bool with_port)
{
	const uint8_t *p, *q;
	uint16_t port_a, port_b;
	size_t n = octets(a, &p, &port_a);

	return a->sa_family == b->sa_family && octets(b, &q, &port_b) == n && !memcmp(p, q, n) &&
	       (!with_port || port_a == port_b);
}

/* By address alone, so that those of one source are in one chain. */
static size_t outer_bucket(const struct sockaddr *sa)
{
	const uint8_t *p;
	uint16_t port;
	size_t n = octets(sa, &p, &port), i;
	uint32_t h = 2166136261U;

	for (i = 0; i < n; i++)
		h = (h ^ p[i]) * 16777619U;

	return (h ^ h >> 15) % TANDEM_WEB_BUCKETS;
}

void tandem_web_peers_add(struct tandem_web_peers *peers, struct tandem_web_peer *peer)
{
	struct tandem_web_peer **inner = &peers->by_inner[peer->inner % TANDEM_WEB_BUCKETS];
	struct tandem_web_peer **outer =
		&peers->by_outer[outer_bucket((struct sockaddr *)&peer->addr)];

	pthread_mutex_lock(&peers->lock);
	peer->next_by_inner = *inner;
	*inner = peer;
	peer->next_by_outer = *outer;
	*outer = peer;
	peers->count++;
	pthread_mutex_unlock(&peers->lock);
}

void tandem_web_peers_remove(struct tandem_web_peers *peers, struct tandem_web_peer *peer)
{
	struct tandem_web_peer **p = &peers->by_inner[peer->inner % TANDEM_WEB_BUCKETS];

	pthread_mutex_lock(&peers->lock);
	while (*p != peer)
		p = &(*p)->next_by_inner;
	*p = peer->next_by_inner;
	p = &peers->by_outer[outer_bucket((struct sockaddr *)&peer->addr)];
	while (*p != peer)
		p = &(*p)->next_by_outer;
	*p = peer->next_by_outer;
	peers->count--;
	pthread_mutex_unlock(&peers->lock);
}

bool tandem_web_peers_by_inner(struct tandem_web_peers *peers, uint16_t inner,
			       struct tandem_web_peer *found)
{
	const struct tandem_web_peer *p;

	pthread_mutex_lock(&peers->lock);
	p = peers->by_inner[inner % TANDEM_WEB_BUCKETS];
	while (p && p->inner != inner)
		p = p->next_by_inner;
	if (p)
		*found = *p;
	pthread_mutex_unlock(&peers->lock);

	return p != NULL;
}

bool tandem_web_peers_by_outer(struct tandem_web_peers *peers, const struct sockaddr *addr,
			       struct tandem_web_peer *found)
{
	const struct tandem_web_peer *p;

	pthread_mutex_lock(&peers->lock);
	p = peers->by_outer[outer_bucket(addr)];
	while (p && !is_same((const struct sockaddr *)&p->addr, addr, true))
		p = p->next_by_outer;
	if (p)
		*found = *p;
	pthread_mutex_unlock(&peers->lock);

	return p != NULL;
}

size_t tandem_web_peers_from(struct tandem_web_peers *peers, const struct sockaddr *addr)
{
	const struct tandem_web_peer *p;
	size_t n = 0;

	pthread_mutex_lock(&peers->lock);
	for (p = peers->by_outer[outer_bucket(addr)]; p; p = p->next_by_outer)
		n += is_same((const struct sockaddr *)&p->addr, addr, false);
	pthread_mutex_unlock(&peers->lock);

	return n;
}

size_t tandem_web_peers_count(struct tandem_web_peers *peers)
{
	size_t n;

	pthread_mutex_lock(&peers->lock);
	n = peers->count;
	pthread_mutex_unlock(&peers->lock);

	return n;
}
