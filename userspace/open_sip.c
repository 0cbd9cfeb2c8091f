/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/open_sip.h"

#include <string.h>

#include "userspace/gateways.h"
#include "userspace/sip/sip.h"
#include "userspace/util/log.h"

/* The configuration has been checked: what is in it can be read. */
static void read_auth(const struct tandem_config *cfg, struct tandem_sip_config *sip,
		      struct tandem_prefix trusted[TANDEM_MAX_TRUSTED])
{
	(void)tandem_sip_auth_parse(&sip->auth, cfg->sip.auth);
	sip->realm = tandem_config_realm(cfg);
	for (unsigned int i = 0; i < cfg->sip.auth_algorithms_count; i++)
		(void)tandem_digest_parse(&sip->algs[sip->algs_count++],
					  cfg->sip.auth_algorithms[i]);
	for (unsigned int i = 0; i < cfg->sip.trusted_count && i < TANDEM_MAX_TRUSTED; i++)
		(void)tandem_prefix_parse(&trusted[sip->trusted_count++], cfg->sip.trusted[i]);
	sip->trusted = trusted;
	sip->auth_failures = cfg->sip.auth_failures;
	sip->auth_block_s = cfg->sip.auth_block_s;
	sip->source_rate = cfg->sip.source_rate;
}

static size_t read_prefixes(struct tandem_prefix list[TANDEM_MAX_DENY], char *const *texts,
			    unsigned int count)
{
	size_t n = 0;

	for (unsigned int i = 0; i < count && n < TANDEM_MAX_DENY; i++)
		(void)tandem_prefix_parse(&list[n++], texts[i]);
	return n;
}

struct denied {
	struct tandem_prefix deny[TANDEM_MAX_DENY];
	struct tandem_prefix allow[TANDEM_MAX_DENY];
};

static void read_operation(const struct tandem_config *cfg, struct tandem_sip_config *sip,
			   struct denied *denied)
{
	sip->deny = denied->deny;
	sip->deny_count = read_prefixes(denied->deny, cfg->sip.deny, cfg->sip.deny_count);
	sip->allow = denied->allow;
	sip->allow_count = read_prefixes(denied->allow, cfg->sip.allow, cfg->sip.allow_count);
	sip->deny_agents = (const char *const *)cfg->sip.deny_agents;
	sip->deny_agents_count = cfg->sip.deny_agents_count;
	sip->drain_redirect = cfg->drain.redirect;
	sip->drain_retry_after_s = cfg->drain.retry_after_s;
	sip->drain_refuses_register = strcmp(cfg->drain.registrations, "refuse") == 0;
}

int tandem_open_sip(struct tandem_sip **sipp, const struct tandem_open_sip *parts, char *why,
		    size_t why_size)
{
	const struct tandem_config_sip *sip = &parts->cfg->sip;
	char text[TANDEM_MAX_LISTEN][64];
	const char *listen[TANDEM_MAX_LISTEN];
	struct tandem_prefix trusted[TANDEM_MAX_TRUSTED];
	struct tandem_sip_tls_pair pairs[TANDEM_MAX_CERTIFICATES];
	struct denied denied;
	struct tandem_sip_config cfg = {
		.listen = listen,
		.listen_count = parts->resolved->listen_count,
		.tls = { sip->tls.certificate, sip->tls.key, sip->tls.ca, sip->tls.client, pairs,
			 sip->tls.certificates_count },
		.web = { sip->web.path, (const char *const *)sip->web.origins,
			 sip->web.origins_count, sip->web.max_connections,
			 sip->web.max_per_source },
		.connections = { sip->connections.max_connections, sip->connections.max_per_source,
				 sip->connections.handshake_s, sip->connections.message_s,
				 sip->connections.idle_s, sip->connections.flow_timer_s },
		.domains = (const char *const *)sip->domains,
		.domains_count = sip->domains_count,
		.max_expires_s = sip->max_expires_s,
		.min_expires_s = sip->min_expires_s,
		.default_expires_s = sip->default_expires_s,
		.max_registrations = sip->max_registrations,
		.max_contacts = sip->max_contacts,
		.max_transactions = sip->max_transactions,
		.timer_c_s = sip->timer_c_s,
		.ring_s = sip->ring_s,
		.session_expires_s = sip->session_expires_s,
		.min_se_s = sip->min_se_s,
		.redirect = strcmp(sip->mode, "redirect") == 0,
		.follow_redirects = strcmp(sip->redirects, "follow") == 0,
		.cdr = parts->cdr,
	};
	struct tandem_gateway_lists *lists;
	int ret = tandem_gateways_read(&lists, &cfg, parts->cfg);

	if (ret)
		return ret;
	for (unsigned int i = 0; i < sip->tls.certificates_count; i++)
		pairs[i] = (struct tandem_sip_tls_pair){ sip->tls.certificates[i].certificate,
							 sip->tls.certificates[i].key };
	read_auth(parts->cfg, &cfg, trusted);
	read_operation(parts->cfg, &cfg, &denied);
	for (size_t i = 0; i < cfg.listen_count; i++)
		listen[i] = tandem_listen_format(&parts->resolved->listen[i], text[i],
						 sizeof(text[i]));
	ret = tandem_sip_alloc(sipp, &cfg, parts->sessions, parts->store, why, why_size);
	tandem_gateway_lists_free(lists);
	for (size_t i = 0; !ret && i < cfg.listen_count; i++)
		tandem_log(TANDEM_LOG_INFO, "run", "SIP on %s", listen[i]);
	return ret;
}
