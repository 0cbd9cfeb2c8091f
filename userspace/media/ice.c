/* SPDX-License-Identifier: GPL-2.0-only */
/* Life of an agent, and what it is told by descriptions. */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "userspace/media/ice_agent.h"

int tandem_ice_random(void *buf, size_t len)
{
	return getrandom(buf, len, 0) == (ssize_t)len ? 0 : -EIO;
}

int tandem_ice_local_find(const struct tandem_ice *ice, const struct tandem_endpoint *addr)
{
	for (size_t i = 0; i < ice->locals_count; i++) {
		if (ice->locals[i].component <= ice->components &&
		    tandem_endpoint_equal(&ice->locals[i].addr, addr))
			return (int)i;
	}
	return -1;
}

static bool is_broadcast(const struct ip_addr *ip)
{
	return tandem_ip_is_v4(ip) && ip->w[3] == htonl(INADDR_BROADCAST);
}

bool tandem_ice_may_send(const struct tandem_ice *ice, const struct tandem_endpoint *remote)
{
	return remote->port && !tandem_ip_is_any(&remote->ip) && !tandem_ip_is_group(&remote->ip) &&
	       !is_broadcast(&remote->ip) && ice->ops->allowed(remote, ice->arg);
}

static void secret_free(char *text)
{
	if (text)
		OPENSSL_cleanse(text, strlen(text));
	free(text);
}

void tandem_ice_generation_clean(struct ice_generation *gen)
{
	secret_free(gen->ufrag);
	secret_free(gen->pwd);
	secret_free(gen->remote_ufrag);
	secret_free(gen->remote_pwd);
	memset(gen, 0, sizeof(*gen));
}

/* len ice-chars, 6 bits of randomness each. */
static int credential_new(char **textp, size_t len)
{
	static const char chars[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *text = calloc(1, len + 1);

	if (!text)
		return -ENOMEM;
	if (tandem_ice_random(text, len)) {
		free(text);
		return -EIO;
	}
	for (size_t i = 0; i < len; i++)
		text[i] = chars[text[i] & 63];
	*textp = text;
	return 0;
}

static int credentials_new(struct ice_generation *gen)
{
	int err = credential_new(&gen->ufrag, ICE_UFRAG_NEW);

	return err ? err : credential_new(&gen->pwd, ICE_PWD_NEW);
}

static bool credentials_valid(const char *ufrag, const char *pwd)
{
	return ufrag && pwd && tandem_ice_ufrag_valid(ufrag, strlen(ufrag)) &&
	       tandem_ice_pwd_valid(pwd, strlen(pwd));
}

static int credentials_copy(char **ufrag, char **pwd, const char *from_ufrag, const char *from_pwd)
{
	*ufrag = strdup(from_ufrag);
	*pwd = strdup(from_pwd);
	return *ufrag && *pwd ? 0 : -ENOMEM;
}

static void local_add(struct tandem_ice *ice, const struct tandem_ice_local *from)
{
	struct ice_local *l = &ice->locals[ice->locals_count];
	size_t first = 0;

	l->addr = from->addr;
	l->shown = from->shown.port ? from->shown : from->addr;
	l->component = (uint8_t)from->component;
	l->preference = UINT16_MAX;
	for (size_t i = 0; i < ice->locals_count; i++)
		l->preference -= ice->locals[i].component == from->component;
	/* The same for the same type and base (5.1.1.3). */
	while (first < ice->locals_count &&
	       !tandem_ip_equal(&ice->locals[first].addr.ip, &l->addr.ip))
		first++;
	l->foundation = (uint8_t)(first + 1);
	ice->locals_count++;
}

static int config_check(const struct tandem_ice_config *cfg)
{
	unsigned int seen = 0, all = (1U << cfg->components) - 1;

	if (!cfg->ops || !cfg->ops->send || !cfg->ops->allowed || !cfg->ops->selected ||
	    !cfg->components || cfg->components > TANDEM_ICE_COMPONENTS ||
	    cfg->locals_count > TANDEM_ICE_LOCALS)
		return -EINVAL;
	if ((cfg->ufrag || cfg->pwd) && !credentials_valid(cfg->ufrag, cfg->pwd))
		return -EINVAL;
	for (size_t i = 0; i < cfg->locals_count; i++) {
		const struct tandem_ice_local *l = &cfg->locals[i];

		if (!l->component || l->component > cfg->components || !l->addr.port)
			return -EINVAL;
		seen |= 1U << (l->component - 1);
	}
	return seen == all ? 0 : -EINVAL;
}

int tandem_ice_alloc(struct tandem_ice **icep, const struct tandem_ice_config *cfg)
{
	struct tandem_ice *ice;
	int err = config_check(cfg);

	if (err)
		return err;
	ice = calloc(1, sizeof(*ice));
	if (!ice)
		return -ENOMEM;
	ice->ops = cfg->ops;
	ice->arg = cfg->arg;
	ice->lite = cfg->lite;
	ice->controlling = cfg->controlling;
	ice->components = (uint8_t)cfg->components;
	ice->tie_breaker = cfg->tie_breaker;
	ice->fail_at = ICE_NEVER;
	for (size_t i = 0; i < cfg->locals_count; i++)
		local_add(ice, &cfg->locals[i]);
	if (!ice->tie_breaker)
		err = tandem_ice_random(&ice->tie_breaker, sizeof(ice->tie_breaker));
	if (!err)
		err = cfg->ufrag ? credentials_copy(&ice->now.ufrag, &ice->now.pwd, cfg->ufrag,
						    cfg->pwd)
				 : credentials_new(&ice->now);
	if (err) {
		tandem_ice_free(ice);
		return err;
	}
	*icep = ice;
	return 0;
}

void tandem_ice_free(struct tandem_ice *ice)
{
	if (!ice)
		return;
	tandem_ice_generation_clean(&ice->now);
	tandem_ice_generation_clean(&ice->old);
	free(ice->list);
	free(ice->early);
	free(ice);
}

const char *tandem_ice_ufrag(const struct tandem_ice *ice)
{
	return ice->now.ufrag;
}

const char *tandem_ice_pwd(const struct tandem_ice *ice)
{
	return ice->now.pwd;
}

const char *tandem_ice_remote_ufrag(const struct tandem_ice *ice)
{
	return ice->now.remote_ufrag;
}

const char *tandem_ice_remote_pwd(const struct tandem_ice *ice)
{
	return ice->now.remote_pwd;
}

int tandem_ice_local_candidate(const struct tandem_ice *ice, size_t i, struct tandem_candidate *c)
{
	const struct ice_local *l = ice->locals;
	const struct ice_local *end = l + ice->locals_count;

	while (l < end && (l->component > ice->components || i--))
		l++;
	if (l == end)
		return -ENOENT;
	memset(c, 0, sizeof(*c));
	snprintf(c->foundation, sizeof(c->foundation), "%u", (unsigned int)l->foundation);
	c->component = l->component;
	c->udp = true;
	c->priority = tandem_candidate_priority(TANDEM_CANDIDATE_HOST, l->preference, l->component);
	c->type = TANDEM_CANDIDATE_HOST;
	c->kind = TANDEM_CANDIDATE_IP;
	c->addr = l->shown;
	return 0;
}

static bool component_served(const struct tandem_ice *ice, unsigned int component)
{
	for (size_t i = 0; i < ice->locals_count; i++) {
		if (ice->locals[i].component == component)
			return true;
	}
	return false;
}

/* One more component: until it has its pair the agent is not done. */
static void component_add(struct tandem_ice *ice, uint64_t now)
{
	unsigned int c = ice->components++;
	struct ice_list *list = ice->list;

	ice->ended = false;
	if (ice->state == TANDEM_ICE_CONNECTED) {
		ice->state = TANDEM_ICE_CHECKING;
		ice->fail_at = ice_about(now + TANDEM_ICE_PATIENCE_MS);
	}
	if (!list)
		return;
	list->nominate_at[c] = 0;
	list->hurry[c] = false;
	/* known from when there was such a component before */
	for (size_t i = 0; i < list->remotes_count; i++) {
		if (list->remotes[i].component == ice->components)
			tandem_ice_pairs_add(ice, i);
	}
}

int tandem_ice_set_components(struct tandem_ice *ice, unsigned int components, uint64_t now)
{
	for (unsigned int c = 1; c <= components; c++) {
		if (!component_served(ice, c))
			return -EINVAL;
	}
	if (!components)
		return -EINVAL;
	while (ice->components < components)
		component_add(ice, now);
	if (ice->components == components)
		return 0;
	tandem_ice_pairs_trim(ice, components);
	for (unsigned int c = components; c < ice->components; c++) {
		memset(&ice->now.selected[c], 0, sizeof(ice->now.selected[c]));
		memset(&ice->old.selected[c], 0, sizeof(ice->old.selected[c]));
		memset(&ice->best[c], 0, sizeof(ice->best[c]));
	}
	ice->components = (uint8_t)components;
	tandem_ice_complete(ice);
	return 0;
}

/* 6.1.1: who is controlling does not depend on who offered if just one side is lite. */
static void role_set(struct tandem_ice *ice)
{
	if (ice->lite != ice->remote_lite)
		ice->controlling = ice->remote_lite;
}

bool tandem_ice_remote_restarts(const struct tandem_ice *ice, const char *ufrag, const char *pwd)
{
	return ice->now.remote_ufrag &&
	       (strcmp(ice->now.remote_ufrag, ufrag) != 0 || strcmp(ice->now.remote_pwd, pwd) != 0);
}

int tandem_ice_set_remote(struct tandem_ice *ice, const struct tandem_ice_remote *remote,
			  uint64_t now)
{
	char *ufrag = NULL, *pwd = NULL;
	int err;

	if (!credentials_valid(remote->ufrag, remote->pwd))
		return -EINVAL;
	if (ice->now.remote_ufrag)
		return tandem_ice_remote_restarts(ice, remote->ufrag, remote->pwd) ? -EBUSY : 0;
	err = credentials_copy(&ufrag, &pwd, remote->ufrag, remote->pwd);
	if (!err && !ice->lite && !ice->list) {
		ice->list = calloc(1, sizeof(*ice->list));
		err = ice->list ? 0 : -ENOMEM;
	}
	if (err) {
		secret_free(ufrag);
		secret_free(pwd);
		return err;
	}
	ice->now.remote_ufrag = ufrag;
	ice->now.remote_pwd = pwd;
	ice->remote_lite = remote->lite;
	ice->state = TANDEM_ICE_CHECKING;
	ice->fail_at = ice_about(now + TANDEM_ICE_PATIENCE_MS);
	role_set(ice);
	tandem_ice_early_replay(ice, now);
	return 0;
}

static bool family_served(const struct tandem_ice *ice, const struct tandem_candidate *c)
{
	int family = tandem_ip_family(&c->addr.ip);

	for (size_t i = 0; i < ice->locals_count; i++) {
		if (ice->locals[i].component == c->component &&
		    tandem_ip_family(&ice->locals[i].addr.ip) == family)
			return true;
	}
	return false;
}

/* What keeps a candidate from being used; each has a counter. */
static int candidate_check(struct tandem_ice *ice, const struct tandem_candidate *c)
{
	static const struct {
		int err;
		size_t counter;
	} reasons[] = {
		{ -EPROTONOSUPPORT, offsetof(struct tandem_ice_counters, remote_tcp) },
		{ -EADDRNOTAVAIL, offsetof(struct tandem_ice_counters, remote_name) },
		{ -ENOENT, offsetof(struct tandem_ice_counters, remote_component) },
		{ -EAFNOSUPPORT, offsetof(struct tandem_ice_counters, remote_family) },
		{ -EACCES, offsetof(struct tandem_ice_counters, remote_denied) },
		{ -ENOSPC, offsetof(struct tandem_ice_counters, remote_full) },
	};
	int err = 0;

	if (!c->udp)
		err = -EPROTONOSUPPORT;
	else if (c->kind != TANDEM_CANDIDATE_IP)
		err = -EADDRNOTAVAIL;
	else if (!c->component || c->component > ice->components)
		err = -ENOENT;
	else if (!family_served(ice, c))
		err = -EAFNOSUPPORT;
	else if (!tandem_ice_may_send(ice, &c->addr))
		err = -EACCES;
	else if (ice->taken >= TANDEM_ICE_REMOTES)
		err = -ENOSPC;
	for (size_t i = 0; err && i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].err == err)
			++*(uint64_t *)((char *)&ice->n + reasons[i].counter);
	}
	return err;
}

/* FNV-1a */
static uint32_t foundation_hash(const char *text)
{
	uint32_t hash = 2166136261U;

	while (*text)
		hash = (hash ^ (uint8_t)*text++) * 16777619U;
	return hash;
}

static int remote_store(struct tandem_ice *ice, const struct tandem_candidate *c)
{
	struct ice_list *list = ice->list;

	if (tandem_ice_remote_find(ice, c->component, &c->addr) >= 0) {
		ice->n.remote_again++;
		return -EEXIST;
	}
	if (list->remotes_count == TANDEM_ICE_REMOTES) {
		ice->n.remote_full++;
		return -ENOSPC;
	}
	list->remotes[list->remotes_count++] = (struct ice_remote){
		.addr = c->addr,
		.priority = c->priority,
		.foundation = foundation_hash(c->foundation),
		.component = (uint8_t)c->component,
	};
	tandem_ice_pairs_add(ice, list->remotes_count - 1);
	return 0;
}

int tandem_ice_add_remote(struct tandem_ice *ice, const struct tandem_candidate *c, uint64_t now)
{
	int err;

	if (!ice->now.remote_ufrag)
		return -EINVAL;
	err = candidate_check(ice, c);
	if (err)
		return err;
	if (ice->list)
		err = remote_store(ice, c);
	else if (ice->remote_lite)
		tandem_ice_lite_offer(ice, c->component, c->priority, &c->addr);
	if (err)
		return err;
	ice->taken++;
	ice->n.remote_taken++;
	if (ice->state == TANDEM_ICE_CHECKING)
		ice->fail_at = ice_about(now + TANDEM_ICE_PATIENCE_MS);
	return 0;
}

void tandem_ice_end_of_candidates(struct tandem_ice *ice, uint64_t now)
{
	if (!ice->now.remote_ufrag || ice->ended)
		return;
	ice->ended = true;
	if (ice->lite && ice->remote_lite)
		tandem_ice_lite_select(ice, now);
}

int tandem_ice_restart(struct tandem_ice *ice)
{
	struct ice_generation fresh = { 0 };
	int err = credentials_new(&fresh);

	if (err) {
		tandem_ice_generation_clean(&fresh);
		return err;
	}
	/* Of a restart within a restart the pairs in use stay with the credentials they came by. */
	for (unsigned int c = 0; c < ice->components; c++) {
		if (ice->now.selected[c].active) {
			tandem_ice_generation_clean(&ice->old);
			ice->old = ice->now;
			ice->old.remote_lite = ice->remote_lite;
			ice->old.controlling = ice->controlling;
			memset(&ice->now, 0, sizeof(ice->now));
			break;
		}
	}
	tandem_ice_generation_clean(&ice->now);
	ice->now = fresh;
	free(ice->list);
	ice->list = NULL;
	ice->early_count = 0;
	memset(ice->best, 0, sizeof(ice->best));
	ice->taken = 0;
	ice->ended = false;
	ice->state = TANDEM_ICE_WAITING;
	ice->fail_at = ICE_NEVER;
	return 0;
}

int tandem_ice_rollback(struct tandem_ice *ice)
{
	struct ice_list *list = NULL;

	if (!ice->old.ufrag)
		return -ENOENT;
	if (!ice->lite) {
		list = calloc(1, sizeof(*list));
		if (!list)
			return -ENOMEM;
	}
	free(ice->list);
	ice->list = list;
	ice->early_count = 0;
	memset(ice->best, 0, sizeof(ice->best));
	tandem_ice_generation_clean(&ice->now);
	ice->now = ice->old;
	memset(&ice->old, 0, sizeof(ice->old));
	ice->remote_lite = ice->now.remote_lite;
	ice->controlling = ice->now.controlling;
	ice->fail_at = ICE_NEVER;
	ice->state = TANDEM_ICE_LOST; /* meanwhile, unless */
	tandem_ice_complete(ice);
	return 0;
}

int tandem_ice_adopt(struct tandem_ice *ice, unsigned int component,
		     const struct tandem_endpoint *local, const struct tandem_endpoint *remote,
		     uint64_t now)
{
	int i = tandem_ice_local_find(ice, local);

	if (i < 0 || ice->locals[i].component != component || component > ice->components ||
	    !ice->now.remote_ufrag || !tandem_ice_may_send(ice, remote))
		return -EINVAL;
	tandem_ice_selection_set(ice, (unsigned int)i, remote, 0, now);
	tandem_ice_complete(ice);
	return 0;
}

enum tandem_ice_state tandem_ice_state(const struct tandem_ice *ice)
{
	return (enum tandem_ice_state)ice->state;
}

const char *tandem_ice_state_name(enum tandem_ice_state state)
{
	static const char *const names[] = {
		[TANDEM_ICE_WAITING] = "waiting",     [TANDEM_ICE_CHECKING] = "checking",
		[TANDEM_ICE_CONNECTED] = "connected", [TANDEM_ICE_FAILED] = "failed",
		[TANDEM_ICE_LOST] = "lost",
	};

	return names[state];
}

bool tandem_ice_controlling(const struct tandem_ice *ice)
{
	return ice->controlling;
}

bool tandem_ice_selected(const struct tandem_ice *ice, unsigned int component,
			 struct tandem_endpoint *local, struct tandem_endpoint *remote)
{
	const struct ice_selection *sel;

	if (!component || component > ice->components)
		return false;
	sel = &ice->now.selected[component - 1];
	if (!sel->active)
		sel = &ice->old.selected[component - 1];
	if (!sel->active)
		return false;
	if (local)
		*local = ice->locals[sel->local].addr;
	if (remote)
		*remote = sel->remote;
	return true;
}

const struct tandem_ice_counters *tandem_ice_counters(const struct tandem_ice *ice)
{
	return &ice->n;
}
