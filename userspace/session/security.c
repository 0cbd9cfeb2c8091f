/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of policies and kinds, and which policy is whose. */
#include <errno.h>
#include <string.h>

#include "userspace/session/model.h"

static const char *const security_names[] = {
	[TANDEM_SECURITY_AUTO] = "auto",
	[TANDEM_SECURITY_PASS] = "pass",
	[TANDEM_SECURITY_PLAIN] = "plain",
	[TANDEM_SECURITY_SDES_PREFER] = "sdes_prefer",
	[TANDEM_SECURITY_SDES_REQUIRE] = "sdes_require",
	[TANDEM_SECURITY_DTLS] = "dtls",
};

static const char *const ice_names[] = {
	[TANDEM_ICE_MODE_AUTO] = "auto",
	[TANDEM_ICE_MODE_LITE] = "lite",
	[TANDEM_ICE_MODE_FULL] = "full",
};

static const char *const protection_names[] = {
	[TANDEM_PROTECT_PASS] = "pass",
	[TANDEM_PROTECT_NONE] = "none",
	[TANDEM_PROTECT_SDES] = "sdes",
	[TANDEM_PROTECT_DTLS] = "dtls",
};

static int find_name(const char *const *names, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!strcmp(names[i], name))
			return i;
	}
	return -EINVAL;
}

const char *tandem_security_name(enum tandem_security security)
{
	return security_names[security];
}

int tandem_security_parse(enum tandem_security *security, const char *name)
{
	int i = find_name(security_names, sizeof(security_names) / sizeof(security_names[0]), name);

	if (i >= 0)
		*security = i;
	return i < 0 ? i : 0;
}

const char *tandem_protection_name(enum tandem_protection kind)
{
	return protection_names[kind];
}

int tandem_protection_parse(enum tandem_protection *kind, const char *name)
{
	int i = find_name(protection_names, sizeof(protection_names) / sizeof(protection_names[0]),
			  name);

	if (i >= 0)
		*kind = i;
	return i < 0 ? i : 0;
}

int tandem_ice_mode_parse(enum tandem_ice_mode *mode, const char *name)
{
	int i = find_name(ice_names, sizeof(ice_names) / sizeof(ice_names[0]), name);

	if (i >= 0)
		*mode = i;
	return i < 0 ? i : 0;
}

static const struct tandem_security_rule *find_rule(const struct tandem_sessions *ss,
						    const struct tandem_endpoint *peer)
{
	const struct tandem_security_rule *best = NULL;
	size_t i;

	for (i = 0; i < ss->cfg.security_count; i++) {
		const struct tandem_security_rule *rule = &ss->cfg.security[i];

		if (tandem_prefix_contains(&rule->peer, &peer->ip) &&
		    (!best || rule->peer.prefix > best->peer.prefix))
			best = rule;
	}
	return best;
}

enum tandem_security tandem_sessions_security(const struct tandem_sessions *ss,
					      const struct tandem_endpoint *peer)
{
	const struct tandem_security_rule *rule = find_rule(ss, peer);

	return rule ? rule->security : TANDEM_SECURITY_AUTO;
}

enum tandem_ice_mode tandem_sessions_ice(const struct tandem_sessions *ss,
					 const struct tandem_endpoint *peer)
{
	const struct tandem_security_rule *rule = find_rule(ss, peer);

	return rule ? rule->ice : TANDEM_ICE_MODE_AUTO;
}
