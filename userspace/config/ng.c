/* SPDX-License-Identifier: GPL-2.0-only */
/* The NG protocol in the configuration: what the schema cannot say, and what becomes of it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/config/resolve.h"
#include "userspace/config/schema.h"

static int read_listen(struct tandem_ng_listen *out, const char *text)
{
	static const struct {
		const char *prefix;
		enum tandem_ng_transport transport;
	} transports[] = {
		{ "udp:", TANDEM_NG_UDP },
		{ "tcp:", TANDEM_NG_TCP },
		{ "http:", TANDEM_NG_HTTP },
		{ "https:", TANDEM_NG_HTTPS },
	};

	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
		size_t len = strlen(transports[i].prefix);

		if (strncmp(text, transports[i].prefix, len))
			continue;
		out->transport = transports[i].transport;
		return tandem_endpoint_parse(&out->local, text + len);
	}
	return -EINVAL;
}

int tandem_config_check_ng(const struct tandem_config *cfg, const struct tandem_yaml *y,
			   struct tandem_config_error *err)
{
	const struct tandem_config_ng *ng = &cfg->ng;
	struct tandem_ng_listen listen;
	struct tandem_prefix prefix;
	char key[64];

	for (unsigned int i = 0; i < ng->listen_count; i++) {
		snprintf(key, sizeof(key), "ng.listen[%u]", i);
		if (read_listen(&listen, ng->listen[i]))
			return tandem_config_wrong(err, y, key,
						   "'%.60s' is not of the form udp:127.0.0.1:2223, "
						   "tcp:[::1]:2223, http:127.0.0.1:2225 "
						   "or https:",
						   ng->listen[i]);
		if (listen.transport == TANDEM_NG_HTTPS && !ng->tls.certificate)
			return tandem_config_wrong(err, y, key, "TLS needs an ng.tls.certificate");
	}
	if (strcmp(ng->tls.client, "none") && strcmp(ng->tls.client, "require"))
		return tandem_config_wrong(err, y, "ng.tls.client",
					   "'%.40s' is none of none, require", ng->tls.client);
	if (!strcmp(ng->tls.client, "require") && !ng->tls.ca)
		return tandem_config_wrong(
			err, y, "ng.tls.client",
			"needs an ng.tls.ca, or everybody's certificate would do");
	if (!ng->tls.certificate && (ng->tls.key || ng->tls.ca))
		return tandem_config_wrong(err, y, ng->tls.key ? "ng.tls.key" : "ng.tls.ca",
					   "is of no certificate");
	for (unsigned int i = 0; i < ng->allow_count; i++) {
		snprintf(key, sizeof(key), "ng.allow[%u]", i);
		if (tandem_prefix_parse(&prefix, ng->allow[i]))
			return tandem_config_wrong(err, y, key,
						   "'%.60s' is not a network such as 10.0.0.0/8",
						   ng->allow[i]);
	}
	return 0;
}

static void add_interface(struct tandem_ng_config *out, const char *name, const struct ip_addr *ip)
{
	struct tandem_ng_interface *iface = out->interfaces;
	size_t i;

	for (i = 0; i < out->interfaces_count && strcmp(iface->name, name); i++)
		iface++;
	if (i == out->interfaces_count) {
		iface->name = name;
		out->interfaces_count++;
	}
	iface->locals.ip[iface->locals.count++] = *ip;
}

void tandem_config_resolve_ng(struct tandem_resolved *out, const struct tandem_config *cfg)
{
	static const char *const loopback[] = { "127.0.0.0/8", "::1" };
	struct tandem_ng_config *ng = &out->ng;

	for (unsigned int i = 0; i < cfg->ng.listen_count; i++) {
		(void)read_listen(&ng->listen[ng->listen_count], cfg->ng.listen[i]);
		if (ng->listen[ng->listen_count].transport == TANDEM_NG_UDP)
			out->sessions.own[out->sessions.own_count++] =
				ng->listen[ng->listen_count].local;
		ng->listen_count++;
	}
	ng->tls = (struct tandem_ng_tls){ .certificate = cfg->ng.tls.certificate,
					  .key = cfg->ng.tls.key };
	if (!strcmp(cfg->ng.tls.client, "require"))
		ng->tls.client_ca = cfg->ng.tls.ca;
	ng->delete_delay_s = cfg->ng.delete_delay_s;
	for (unsigned int i = 0; i < cfg->ng.allow_count; i++)
		(void)tandem_prefix_parse(&ng->allow[ng->allow_count++], cfg->ng.allow[i]);
	for (unsigned int i = 0; i < cfg->ng.hosts_count; i++)
		ng->hosts[ng->hosts_count++] = cfg->ng.hosts[i];
	for (unsigned int i = 0; i < 2 && !cfg->ng.allow_count; i++)
		(void)tandem_prefix_parse(&ng->allow[ng->allow_count++], loopback[i]);
	for (unsigned int i = 0; i < cfg->media.addresses_count; i++) {
		if (cfg->media.addresses[i].name)
			add_interface(ng, cfg->media.addresses[i].name,
				      &out->sessions.locals[i].ip);
	}
}
