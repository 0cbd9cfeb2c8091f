/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/auth_limit.h"

#include <stdlib.h>
#include <sys/random.h>

#include "userspace/util/endpoint.h"

#define SETS  2048
#define WAYS  4
#define TOKEN 1000 /* parts that one is counted in */

struct source {
	struct ip_addr ip;
	uint64_t seen_ms; /* 0: not in use */
	uint64_t blocked_until_ms;
	uint64_t tokens; /* in parts */
};

struct tandem_limit {
	struct tandem_limit_config cfg;
	uint64_t key[2];
	struct source sources[SETS][WAYS];
};

struct tandem_limit *tandem_limit_alloc(const struct tandem_limit_config *cfg)
{
	struct tandem_limit *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->cfg = *cfg;
	if (getrandom(l->key, sizeof(l->key), 0) != sizeof(l->key)) {
		free(l);
		return NULL;
	}

	return l;
}

void tandem_limit_free(struct tandem_limit *l)
{
	free(l);
}

/* The key keeps others from choosing addresses that share a set with a given one. */
static size_t set_of(const struct tandem_limit *l, const struct ip_addr *ip)
{
	return tandem_ip_hash(ip, l->key) % SETS;
}

static const struct source *find(const struct tandem_limit *l, const struct ip_addr *net)
{
	const struct source *set = l->sources[set_of(l, net)];
	unsigned int i;

	for (i = 0; i < WAYS; i++) {
		if (set[i].seen_ms && tandem_ip_equal(&set[i].ip, net))
			return &set[i];
	}

	return NULL;
}

/* The longest unheard of, but rather one that is not blocked. */
static struct source *make_room(struct tandem_limit *l, const struct ip_addr *net, uint64_t now_ms)
{
	struct source *set = l->sources[set_of(l, net)], *worst = set;
	unsigned int i;

	for (i = 1; i < WAYS; i++) {
		bool blocked = set[i].blocked_until_ms > now_ms;
		bool worst_blocked = worst->blocked_until_ms > now_ms;

		if (blocked != worst_blocked ? worst_blocked : set[i].seen_ms < worst->seen_ms)
			worst = &set[i];
	}

	return worst;
}

static void refill(const struct tandem_limit *l, struct source *s, uint64_t now_ms)
{
	uint64_t full = (uint64_t)l->cfg.burst * TOKEN;
	uint64_t passed = now_ms > s->seen_ms ? now_ms - s->seen_ms : 0;
	/* parts are thousandths, as milliseconds are */
	uint64_t gained = passed * l->cfg.per_s_num / l->cfg.per_s_den;

	if (!gained)
		return;
	s->tokens = full - s->tokens < gained ? full : s->tokens + gained;
	s->seen_ms = now_ms;
}

enum tandem_limit_verdict tandem_limit_take(struct tandem_limit *l, const struct ip_addr *ip,
					    uint64_t now_ms)
{
	struct ip_addr net = tandem_ip_network(ip);
	struct source *s = (struct source *)find(l, &net);

	if (!s) {
		s = make_room(l, &net, now_ms);
		*s = (struct source){ .ip = net, .tokens = (uint64_t)l->cfg.burst * TOKEN };
		s->seen_ms = now_ms ? now_ms : 1;
	}
	if (s->blocked_until_ms > now_ms)
		return TANDEM_LIMIT_EMPTY;
	refill(l, s, now_ms);
	if (s->tokens < TOKEN)
		return TANDEM_LIMIT_EMPTY;
	s->tokens -= TOKEN;
	if (s->tokens >= TOKEN)
		return TANDEM_LIMIT_OK;
	s->blocked_until_ms = now_ms + l->cfg.block_ms;

	return TANDEM_LIMIT_EMPTIED;
}

bool tandem_limit_blocked(const struct tandem_limit *l, const struct ip_addr *ip, uint64_t now_ms)
{
	struct ip_addr net = tandem_ip_network(ip);
	const struct source *s = find(l, &net);

	return s && s->blocked_until_ms > now_ms;
}
