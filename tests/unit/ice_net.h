/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ICE agents on a network that is not there, with a clock that jumps: datagrams take 20 ms, may get
 * lost, and may pass a NAT in front of an agent.
 */
#ifndef TANDEM_TESTS_ICE_NET_H
#define TANDEM_TESTS_ICE_NET_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/media/ice.h"

enum { NET_DELAY_MS = 20, NET_QUEUE = 512, NET_PEERS = 4 };

struct net_packet {
	uint64_t at;
	struct tandem_endpoint from, to;
	uint8_t data[TANDEM_ICE_MESSAGE_MAX];
	size_t len;
};

struct net;

struct peer {
	struct tandem_ice *ice;
	struct net *net;
	/* The NAT in front: what leaves has this address; it lets in those it was sent to. */
	struct tandem_endpoint nat;
	struct tandem_endpoint opened[16];
	size_t opened_count;
	struct tandem_endpoint local[TANDEM_ICE_COMPONENTS], remote[TANDEM_ICE_COMPONENTS];
	unsigned int selected, failed, lost; /* calls of the handlers */
	size_t sent;
	uint64_t last_sent;
};

struct net {
	uint64_t now;
	struct peer peers[NET_PEERS];
	size_t peers_count;
	struct net_packet queue[NET_QUEUE];
	size_t queued;
	unsigned int loss; /* per cent */
	uint32_t seed;
	bool cut;		   /* nothing arrives */
	struct tandem_prefix dead; /* nothing arrives there; prefix 0: none */
	struct tandem_prefix deny; /* not allowed; prefix 0: none */
};

static inline struct tandem_endpoint ep(const char *text)
{
	struct tandem_endpoint e;

	memset(&e, 0, sizeof(e));
	assert_int_equal(tandem_endpoint_parse(&e, text), 0);
	return e;
}

static inline void assert_endpoint(const struct tandem_endpoint *e, const char *text)
{
	char buf[TANDEM_ENDPOINT_STRLEN];

	assert_string_equal(tandem_endpoint_format(e, buf, sizeof(buf)), text);
}

static inline uint32_t net_random(struct net *net)
{
	net->seed = net->seed * 1664525U + 1013904223U;
	return net->seed >> 8;
}

static inline void net_queue(struct net *net, const struct tandem_endpoint *from,
			     const struct tandem_endpoint *to, const void *data, size_t len)
{
	struct net_packet *p = &net->queue[net->queued];

	if (net->cut || net_random(net) % 100 < net->loss ||
	    (net->dead.prefix && tandem_prefix_contains(&net->dead, &to->ip)))
		return;
	assert_true(net->queued < NET_QUEUE && len <= sizeof(p->data));
	p->at = net->now + NET_DELAY_MS;
	p->from = *from;
	p->to = *to;
	memcpy(p->data, data, len);
	p->len = len;
	net->queued++;
}

static inline void peer_send_h(const struct tandem_endpoint *local,
			       const struct tandem_endpoint *remote, const void *data, size_t len,
			       void *arg)
{
	struct peer *p = arg;

	/* Never, whatever the other side says. */
	assert_false(p->net->deny.prefix && tandem_prefix_contains(&p->net->deny, &remote->ip));
	p->sent++;
	p->last_sent = p->net->now;
	if (!p->nat.port) {
		net_queue(p->net, local, remote, data, len);
		return;
	}
	if (p->opened_count < 16)
		p->opened[p->opened_count++] = *remote;
	net_queue(p->net, &p->nat, remote, data, len);
}

static inline bool peer_allowed_h(const struct tandem_endpoint *remote, void *arg)
{
	struct peer *p = arg;

	return !p->net->deny.prefix || !tandem_prefix_contains(&p->net->deny, &remote->ip);
}

static inline void peer_selected_h(unsigned int component, const struct tandem_endpoint *local,
				   const struct tandem_endpoint *remote, void *arg)
{
	struct peer *p = arg;

	p->selected++;
	p->local[component - 1] = *local;
	p->remote[component - 1] = *remote;
}

static inline void peer_failed_h(void *arg)
{
	((struct peer *)arg)->failed++;
}

static inline void peer_lost_h(unsigned int component, void *arg)
{
	(void)component;
	((struct peer *)arg)->lost++;
}

static const struct tandem_ice_ops peer_ops = {
	.send = peer_send_h,
	.allowed = peer_allowed_h,
	.selected = peer_selected_h,
	.failed = peer_failed_h,
	.consent_lost = peer_lost_h,
};

static inline struct net *net_new(void)
{
	struct net *net = calloc(1, sizeof(*net));

	assert_non_null(net);
	net->now = 1000000;
	net->seed = 4711;
	return net;
}

static inline void net_free(struct net *net)
{
	for (size_t i = 0; i < net->peers_count; i++)
		tandem_ice_free(net->peers[i].ice);
	free(net);
}

/* An agent with one local address for each text, a component each when there are two of them. */
static inline struct peer *net_peer(struct net *net, struct tandem_ice_config cfg,
				    const char *const *locals, size_t n)
{
	struct peer *p = &net->peers[net->peers_count++];
	struct tandem_ice_local l[TANDEM_ICE_LOCALS] = { 0 };

	assert_true(net->peers_count <= NET_PEERS);
	for (size_t i = 0; i < n; i++) {
		l[i].component = cfg.components == 2 ? 1 + (unsigned int)i % 2 : 1;
		l[i].addr = ep(locals[i]);
	}
	p->net = net;
	cfg.locals = l;
	cfg.locals_count = n;
	cfg.ops = &peer_ops;
	cfg.arg = p;
	assert_int_equal(tandem_ice_alloc(&p->ice, &cfg), 0);
	return p;
}

/* What `from` would write in its description, through the text, to `to`. */
static inline void net_candidates(struct peer *from, struct peer *to)
{
	struct tandem_candidate c, parsed;
	char text[TANDEM_CANDIDATE_STRLEN];

	for (size_t i = 0; !tandem_ice_local_candidate(from->ice, i, &c); i++) {
		int len = tandem_candidate_format(&c, text, sizeof(text));

		assert_true(len > 0);
		assert_int_equal(tandem_candidate_parse(&parsed, text, (size_t)len), 0);
		tandem_ice_add_remote(to->ice, &parsed, to->net->now);
	}
	tandem_ice_end_of_candidates(to->ice, to->net->now);
}

static inline void net_credentials(struct peer *from, struct peer *to, bool from_lite)
{
	struct tandem_ice_remote r = { tandem_ice_ufrag(from->ice), tandem_ice_pwd(from->ice),
				       from_lite };

	assert_int_equal(tandem_ice_set_remote(to->ice, &r, to->net->now), 0);
}

static inline void net_introduce(struct peer *a, bool a_lite, struct peer *b, bool b_lite)
{
	net_credentials(a, b, a_lite);
	net_candidates(a, b);
	net_credentials(b, a, b_lite);
	net_candidates(b, a);
}

/* Where a packet goes in: to the agent of the address, or the one whose NAT lets it through. */
static inline void net_deliver(struct net *net, struct net_packet *packet)
{
	for (size_t i = 0; i < net->peers_count; i++) {
		struct peer *p = &net->peers[i];
		struct tandem_candidate c;

		if (!p->ice)
			continue;
		for (size_t k = 0; !tandem_ice_local_candidate(p->ice, k, &c); k++) {
			bool through = false;

			for (size_t o = 0; p->nat.port && o < p->opened_count; o++)
				through |= tandem_endpoint_equal(&p->nat, &packet->to) &&
					   tandem_endpoint_equal(&p->opened[o], &packet->from);
			if (p->nat.port ? !through : !tandem_endpoint_equal(&c.addr, &packet->to))
				continue;
			tandem_ice_input(p->ice, &c.addr, &packet->from, packet->data, packet->len,
					 net->now);
			return;
		}
	}
}

static inline uint64_t net_next(const struct net *net)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < net->peers_count; i++) {
		uint64_t due = net->peers[i].ice ? tandem_ice_deadline(net->peers[i].ice)
						 : UINT64_MAX;

		if (due < next)
			next = due;
	}
	for (size_t i = 0; i < net->queued; i++) {
		if (net->queue[i].at < next)
			next = net->queue[i].at;
	}
	return next;
}

/* Lets time pass. A deadline that does not move on would keep a real caller spinning. */
static inline void net_run(struct net *net, uint64_t ms)
{
	uint64_t end = net->now + ms, before = 0;
	unsigned int still = 0;

	for (;;) {
		uint64_t next = net_next(net);

		if (next > end)
			break;
		if (next > net->now)
			net->now = next;
		still = net->now == before ? still + 1 : 0;
		assert_true(still < 100);
		before = net->now;
		for (size_t i = 0; i < net->queued;) {
			struct net_packet packet = net->queue[i];

			if (packet.at > net->now) {
				i++;
				continue;
			}
			net->queue[i] = net->queue[--net->queued];
			net_deliver(net, &packet);
		}
		for (size_t i = 0; i < net->peers_count; i++) {
			if (net->peers[i].ice)
				tandem_ice_tick(net->peers[i].ice, net->now);
		}
	}
	net->now = end;
}

static inline const struct tandem_ice_counters *counts(const struct peer *p)
{
	return tandem_ice_counters(p->ice);
}

#endif
