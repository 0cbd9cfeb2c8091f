/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/gateways.h"

#include <errno.h>
#include <stdlib.h>

struct tandem_gateway_lists {
	struct tandem_gateway_config gateways[TANDEM_MAX_GATEWAYS];
	struct tandem_prefix sources[TANDEM_MAX_GATEWAYS][TANDEM_MAX_SOURCES];
	struct tandem_route_config routes[TANDEM_MAX_ROUTES];
};

static void read_gateway(struct tandem_gateway_config *gw, struct tandem_prefix *sources,
			 const struct tandem_config_gateway *cfg)
{
	for (unsigned int i = 0; i < cfg->sources_count && i < TANDEM_MAX_SOURCES; i++)
		(void)tandem_prefix_parse(&sources[i], cfg->sources[i]);
	*gw = (struct tandem_gateway_config){
		.name = cfg->name,
		.uri = cfg->uri,
		.priority = cfg->priority,
		.weight = cfg->weight,
		.options_s = cfg->options_s,
		.timeout_s = cfg->timeout_s,
		.prefix_strip = cfg->prefix_strip,
		.prefix_add = cfg->prefix_add,
		.tls_name = cfg->tls_name,
		.tls_certificate = cfg->tls_certificate,
		.tls_key = cfg->tls_key,
		.sources = sources,
		.sources_count = cfg->sources_count,
		.user = cfg->user,
		.password_file = cfg->password_file,
		.realm = cfg->realm,
	};
}

static void read_route(struct tandem_route_config *route, const struct tandem_config_route *cfg)
{
	*route = (struct tandem_route_config){
		.to = cfg->to,
		.domain = cfg->domain,
		.from = (const char *const *)cfg->from,
		.from_count = cfg->from_count,
		.via = (const char *const *)cfg->via,
		.via_count = cfg->via_count,
	};
}

int tandem_gateways_read(struct tandem_gateway_lists **listsp, struct tandem_sip_config *sip,
			 const struct tandem_config *cfg)
{
	struct tandem_gateway_lists *lists = calloc(1, sizeof(*lists));

	if (!lists)
		return -ENOMEM;
	for (unsigned int i = 0; i < cfg->gateways_count && i < TANDEM_MAX_GATEWAYS; i++)
		read_gateway(&lists->gateways[i], lists->sources[i], &cfg->gateways[i]);
	for (unsigned int i = 0; i < cfg->routes_count && i < TANDEM_MAX_ROUTES; i++)
		read_route(&lists->routes[i], &cfg->routes[i]);
	sip->gateways = lists->gateways;
	sip->gateways_count = cfg->gateways_count;
	sip->routes = lists->routes;
	sip->routes_count = cfg->routes_count;
	sip->enum_suffix = cfg->sip.enum_suffix;
	sip->name_servers = (const char *const *)cfg->sip.name_servers;
	sip->name_servers_count = cfg->sip.name_servers_count;
	*listsp = lists;
	return 0;
}

void tandem_gateway_lists_free(struct tandem_gateway_lists *lists)
{
	free(lists);
}
