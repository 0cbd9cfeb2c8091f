/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/block.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "userspace/util/log.h"

/* By what a request was dropped, in the order of tandem stats. */
#define COUNTERS(X)                                                                                \
	X(operator) /* tandem block add */                                                         \
	X(network)  /* sip.deny */                                                                 \
	X(agent)    /* sip.deny_agents */

struct blocked {
	struct tandem_prefix net;
	int64_t since;
	int64_t until; /* 0: for good */
};

struct prefixes {
	struct tandem_prefix *v;
	size_t n;
};

struct tandem_block {
	struct tandem_store *store;
	struct prefixes deny;
	struct prefixes allow;
	char **agents;
	size_t agents_count;
	struct blocked entries[TANDEM_BLOCKS_MAX];
	size_t count;
	struct {
#define COUNTER(name) uint64_t by_##name;
		COUNTERS(COUNTER)
#undef COUNTER
	} dropped;
};

static int copy_prefixes(struct prefixes *dst, const struct tandem_prefix *src, size_t n)
{
	if (!n)
		return 0;
	dst->v = malloc(n * sizeof(*dst->v));
	if (!dst->v)
		return -ENOMEM;
	memcpy(dst->v, src, n * sizeof(*dst->v));
	dst->n = n;

	return 0;
}

static bool contains(const struct prefixes *list, const struct ip_addr *ip)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (tandem_prefix_contains(&list->v[i], ip))
			return true;
	}

	return false;
}

static int copy_agents(struct tandem_block *b, const struct tandem_sip_config *cfg)
{
	size_t i;

	if (!cfg->deny_agents_count)
		return 0;
	b->agents = calloc(cfg->deny_agents_count, sizeof(*b->agents));
	if (!b->agents)
		return -ENOMEM;
	for (i = 0; i < cfg->deny_agents_count; i++) {
		b->agents[i] = strdup(cfg->deny_agents[i]);
		if (!b->agents[i])
			return -ENOMEM;
		b->agents_count++;
	}

	return 0;
}

static bool is_over(const struct blocked *e, int64_t now)
{
	return e->until && e->until <= now;
}

static void load_row(const char *network, int64_t since, int64_t until, void *arg)
{
	struct tandem_block *b = arg;
	struct blocked e = { .since = since, .until = until };

	if (b->count < TANDEM_BLOCKS_MAX && !tandem_prefix_parse(&e.net, network) &&
	    !is_over(&e, time(NULL)))
		b->entries[b->count++] = e;
}

int tandem_block_alloc(struct tandem_block **bp, const struct tandem_sip_config *cfg,
		       struct tandem_store *store)
{
	struct tandem_block *b = calloc(1, sizeof(*b));
	int err;

	if (!b)
		return -ENOMEM;
	b->store = store;
	err = copy_prefixes(&b->deny, cfg->deny, cfg->deny_count);
	if (!err)
		err = copy_prefixes(&b->allow, cfg->allow, cfg->allow_count);
	if (!err)
		err = copy_agents(b, cfg);
	if (!err && store)
		err = tandem_store_block_list(store, load_row, b);
	if (err)
		tandem_block_free(b);
	else
		*bp = b;

	return err;
}

void tandem_block_free(struct tandem_block *b)
{
	size_t i;

	if (!b)
		return;
	for (i = 0; i < b->agents_count; i++)
		free(b->agents[i]);
	free(b->agents);
	free(b->deny.v);
	free(b->allow.v);
	free(b);
}

static bool is_blocked(const struct tandem_block *b, const struct ip_addr *ip)
{
	int64_t now = b->count ? time(NULL) : 0;
	size_t i;

	for (i = 0; i < b->count; i++) {
		if (tandem_prefix_contains(&b->entries[i].net, ip) && !is_over(&b->entries[i], now))
			return true;
	}

	return false;
}

static bool is_part_of(const char *part, const struct pl *text)
{
	size_t len = strlen(part), i;

	for (i = 0; i + len <= text->l; i++) {
		if (!strncasecmp(text->p + i, part, len))
			return true;
	}

	return false;
}

static bool is_denied_agent(const struct tandem_block *b, const struct sip_msg *msg)
{
	const struct sip_hdr *agent = sip_msg_hdr(msg, SIP_HDR_USER_AGENT);
	size_t i;

	for (i = 0; agent && i < b->agents_count; i++) {
		if (is_part_of(b->agents[i], &agent->val))
			return true;
	}

	return false;
}

bool tandem_block_refuses(const struct tandem_block *b, const struct ip_addr *ip)
{
	return is_blocked(b, ip) || (contains(&b->deny, ip) && !contains(&b->allow, ip));
}

bool tandem_block_drops_source(struct tandem_block *b, const struct ip_addr *ip)
{
	if (!tandem_block_refuses(b, ip))
		return false;
	if (is_blocked(b, ip))
		b->dropped.by_operator++;
	else
		b->dropped.by_network++;

	return true;
}

bool tandem_block_drops(struct tandem_block *b, const struct sip_msg *msg)
{
	struct tandem_endpoint src;

	if (tandem_sip_endpoint(&src, &msg->src))
		return false;
	if (tandem_block_drops_source(b, &src.ip))
		return true;
	if (!contains(&b->allow, &src.ip) && is_denied_agent(b, msg)) {
		b->dropped.by_agent++;
		return true;
	}

	return false;
}

static void forget_old(struct tandem_block *b)
{
	int64_t now = time(NULL);
	char text[TANDEM_PREFIX_STRLEN];
	size_t i = 0;

	while (i < b->count) {
		if (!is_over(&b->entries[i], now)) {
			i++;
			continue;
		}
		if (b->store)
			(void)tandem_store_block_remove(
				b->store,
				tandem_prefix_format(&b->entries[i].net, text, sizeof(text)));
		b->entries[i] = b->entries[--b->count];
	}
}

static struct blocked *find(struct tandem_block *b, const struct tandem_prefix *net)
{
	size_t i;

	for (i = 0; i < b->count; i++) {
		if (b->entries[i].net.prefix == net->prefix &&
		    tandem_ip_equal(&b->entries[i].net.ip, &net->ip))
			return &b->entries[i];
	}

	return NULL;
}

static int read_network(struct tandem_prefix *net, const char *network, char *why, size_t why_size)
{
	if (!tandem_prefix_parse(net, network)) {
		tandem_prefix_trim(net);
		return 0;
	}
	snprintf(why, why_size, "'%.60s' is no address and no network such as 192.0.2.0/24",
		 network);

	return -EINVAL;
}

int tandem_block_add(struct tandem_block *b, const char *network, uint32_t seconds, char *why,
		     size_t why_size)
{
	struct blocked *e, fresh = { .since = time(NULL) };
	char text[TANDEM_PREFIX_STRLEN];
	int err = read_network(&fresh.net, network, why, why_size);

	if (err)
		return err;
	fresh.until = seconds ? fresh.since + seconds : 0;
	forget_old(b);
	e = find(b, &fresh.net);
	if (!e && b->count == TANDEM_BLOCKS_MAX) {
		snprintf(why, why_size, "%d networks are blocked already", TANDEM_BLOCKS_MAX);
		return -ENOSPC;
	}
	tandem_prefix_format(&fresh.net, text, sizeof(text));
	if (b->store)
		err = tandem_store_block_put(b->store, text, fresh.since, fresh.until);
	if (err) {
		snprintf(why, why_size, "the block cannot be stored: %s", strerror(-err));
		return err;
	}
	if (!e)
		e = &b->entries[b->count++];
	*e = fresh;
	tandem_log(TANDEM_LOG_INFO, "sip", "%s blocked by the operator", text);

	return 0;
}

int tandem_block_remove(struct tandem_block *b, const char *network, char *why, size_t why_size)
{
	char text[TANDEM_PREFIX_STRLEN];
	struct tandem_prefix net;
	struct blocked *e;
	int err = read_network(&net, network, why, why_size);

	if (err)
		return err;
	forget_old(b);
	e = find(b, &net);
	tandem_prefix_format(&net, text, sizeof(text));
	if (!e) {
		snprintf(why, why_size, "%s is not blocked", text);
		return -ENOENT;
	}
	if (b->store)
		err = tandem_store_block_remove(b->store, text);
	if (err) {
		snprintf(why, why_size, "the block cannot be removed from the store: %s",
			 strerror(-err));
		return err;
	}
	*e = b->entries[--b->count];
	tandem_log(TANDEM_LOG_INFO, "sip", "%s no longer blocked", text);

	return 0;
}

json_t *tandem_block_json(const struct tandem_block *b)
{
	int64_t now = time(NULL);
	json_t *list = json_array();
	char text[TANDEM_PREFIX_STRLEN];
	size_t i;

	for (i = 0; i < b->count; i++) {
		const struct blocked *e = &b->entries[i];

		if (is_over(e, now))
			continue;
		json_array_append_new(
			list, json_pack("{s:s, s:I, s:o}", "network",
					tandem_prefix_format(&e->net, text, sizeof(text)), "since",
					(json_int_t)e->since, "left_s",
					e->until ? json_integer(e->until - now) : json_null()));
	}

	return json_pack("{s:o}", "blocks", list);
}

json_t *tandem_block_counters_json(const struct tandem_block *b)
{
	json_t *doc = json_object();

#define COUNTER(name)                                                                              \
	json_object_set_new(doc, #name, json_integer((json_int_t)b->dropped.by_##name));
	COUNTERS(COUNTER)
#undef COUNTER

	return doc;
}
