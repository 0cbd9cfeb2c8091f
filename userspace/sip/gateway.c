/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/gateway.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "userspace/sip/trunk.h"
#include "userspace/util/log.h"

#define ASKED_DOWN 2 /* failures in a row that take a gateway out of service */
#define ASKED_UP   2 /* answers in a row that bring it back */
#define CALLS_DOWN 5 /* one number that cannot be reached must not condemn the gateway */

static int parse_uri(struct tandem_gateway *gw, char *why, size_t size)
{
	const char *end;
	struct uri uri;
	struct pl pl;

	pl_set_str(&pl, gw->uri);
	if (!tandem_sip_uri_clean(&pl) || uri_decode(&uri, &pl) ||
	    (pl_strcasecmp(&uri.scheme, "sip") && pl_strcasecmp(&uri.scheme, "sips")) ||
	    pl_isset(&uri.user) || pl_isset(&uri.headers)) {
		snprintf(why, size,
			 "gateway %s: '%.60s' is not of the form sip:HOST[:PORT][;transport=udp]",
			 gw->name, gw->uri);
		return -EINVAL;
	}
	if (!gw->tls_name)
		gw->tls_name = strndup(uri.host.p, uri.host.l);
	if (!gw->tls_name)
		return -ENOMEM;
	gw->hostport.p = strchr(gw->uri, ':') + 1;
	end = gw->hostport.p + strcspn(gw->hostport.p, ";");
	gw->hostport.l = (size_t)(end - gw->hostport.p);

	return 0;
}

static int gateway_init(struct tandem_gateway *gw, struct tandem_gateways *g,
			const struct tandem_gateway_config *cfg, char *why, size_t size)
{
	int err;

	tmr_init(&gw->tmr);
	tmr_init(&gw->tmr_answer);
	gw->all = g;
	gw->up = true;
	gw->priority = cfg->priority;
	gw->weight = cfg->weight;
	gw->options_ms = (uint64_t)cfg->options_s * 1000;
	gw->timeout_ms = cfg->timeout_s * 1000;
	gw->prefix_strip = cfg->prefix_strip;
	gw->name = strdup(cfg->name);
	gw->uri = strdup(cfg->uri);
	gw->prefix_add = strdup(cfg->prefix_add ? cfg->prefix_add : "");
	if (cfg->sources_count)
		gw->sources = calloc(cfg->sources_count, sizeof(*gw->sources));
	if (cfg->tls_name)
		gw->tls_name = strdup(cfg->tls_name);
	if (!gw->name || !gw->uri || !gw->prefix_add || (cfg->tls_name && !gw->tls_name) ||
	    (cfg->sources_count && !gw->sources))
		return -ENOMEM;
	if (cfg->sources_count)
		memcpy(gw->sources, cfg->sources, cfg->sources_count * sizeof(*gw->sources));
	gw->sources_count = cfg->sources_count;

	err = parse_uri(gw, why, size);

	return err ? err : tandem_trunk_read(gw, cfg, why, size);
}

int tandem_gateways_alloc(struct tandem_gateways **gp, struct tandem_sip *ts,
			  const struct tandem_sip_config *cfg, char *why, size_t why_size)
{
	struct tandem_gateways *g;
	size_t i;
	int err = 0;

	if (!cfg->gateways_count)
		return 0;
	g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	g->ts = ts;
	g->list = calloc(cfg->gateways_count, sizeof(*g->list));
	if (!g->list)
		err = -ENOMEM;
	for (i = 0; i < cfg->gateways_count && !err; i++, g->count++)
		err = gateway_init(&g->list[i], g, &cfg->gateways[i], why, why_size);
	if (err)
		tandem_gateways_free(g);
	else
		*gp = g;

	return err;
}

void tandem_gateways_free(struct tandem_gateways *g)
{
	size_t i;

	if (!g)
		return;
	for (i = 0; i < g->count; i++) {
		tandem_gateway_stop(&g->list[i]);
		free(g->list[i].name);
		free(g->list[i].uri);
		free(g->list[i].prefix_add);
		free(g->list[i].tls_name);
		free(g->list[i].sources);
		tandem_trunk_clean(&g->list[i]);
	}
	free(g->list);
	free(g);
}

int tandem_gateways_secure(struct tandem_gateways *g, const struct tandem_sip_config *cfg,
			   char *why, size_t why_size)
{
	size_t i;
	int err = 0;

	for (i = 0; g && i < g->count && !err; i++) {
		const struct tandem_gateway_config *c = &cfg->gateways[i];

		if (!c->tls_certificate)
			continue;
		if (!g->ts->tls) {
			snprintf(why, why_size, "gateway %s: its certificate needs a tls: listener",
				 c->name);
			return -EINVAL;
		}
		err = tandem_sip_tls_read(g->ts->tls, &g->list[i].tls_files, c->tls_certificate,
					  c->tls_key, why, why_size);
	}

	return err;
}

const struct tandem_gateway *tandem_gateway_tls_at(const struct tandem_gateways *g,
						   const struct sa *dst)
{
	size_t i, k;

	for (i = 0; g && i < g->count; i++) {
		for (k = 0; k < g->list[i].dests_count; k++) {
			if (g->list[i].dests[k].tp == SIP_TRANSP_TLS &&
			    sa_cmp(&g->list[i].dests[k].addr, dst, SA_ALL))
				return &g->list[i];
		}
	}

	return NULL;
}

struct tandem_gateway *tandem_gateway_find(const struct tandem_gateways *g, const char *name)
{
	size_t i;

	for (i = 0; g && name && i < g->count; i++) {
		if (!strcmp(g->list[i].name, name))
			return &g->list[i];
	}

	return NULL;
}

static bool sends_from(const struct tandem_gateway *gw, const struct ip_addr *ip)
{
	struct tandem_endpoint ep;
	size_t i;

	for (i = 0; i < gw->sources_count; i++) {
		if (tandem_prefix_contains(&gw->sources[i], ip))
			return true;
	}
	for (i = 0; i < gw->dests_count; i++) {
		if (!tandem_sip_endpoint(&ep, &gw->dests[i].addr) && tandem_ip_equal(&ep.ip, ip))
			return true;
	}

	return false;
}

const struct tandem_gateway *tandem_gateway_at(const struct tandem_gateways *g,
					       const struct ip_addr *ip)
{
	size_t i;

	for (i = 0; g && i < g->count; i++) {
		if (sends_from(&g->list[i], ip))
			return &g->list[i];
	}

	return NULL;
}

static void turn(struct tandem_gateway *gw, bool up, const char *why)
{
	if (gw->up == up)
		return;
	gw->up = up;
	gw->asked_failed = 0;
	gw->asked_well = 0;
	gw->calls_failed = 0;
	gw->changed_s = (int64_t)time(NULL);
	tandem_log(up ? TANDEM_LOG_INFO : TANDEM_LOG_WARNING, "sip", "gateway %s is %s: %s",
		   gw->name, up ? "up" : "down", why);
}

void tandem_gateway_asked(struct tandem_gateway *gw, bool well)
{
	gw->settled = true;
	if (well) {
		gw->asked_failed = 0;
		if (!gw->up && ++gw->asked_well >= ASKED_UP)
			turn(gw, true, "it answers OPTIONS");
	} else {
		gw->unanswered++;
		gw->asked_well = 0;
		if (gw->up && ++gw->asked_failed >= ASKED_DOWN)
			turn(gw, false, "it does not answer OPTIONS");
	}
}

void tandem_gateway_outcome(struct tandem_sip *ts, const char *name, uint16_t code)
{
	struct tandem_gateway *gw = tandem_gateway_find(ts->gateways, name);

	if (!gw)
		return;

	gw->calls++;
	if (code && code != 408 && code != 503) {
		gw->calls_failed = 0;
		/* one that is asked has to answer what it is asked */
		if (!gw->options_ms)
			turn(gw, true, "it takes calls");
		return;
	}
	gw->failures++;
	if (gw->up && ++gw->calls_failed >= CALLS_DOWN)
		turn(gw, false, "calls fail");
}

void tandem_gateway_rested(struct tandem_gateway *gw)
{
	if (gw->up)
		return;
	turn(gw, true, "it has rested, and the next call tells");
	gw->calls_failed = CALLS_DOWN - 1;
}

static json_t *addresses_json(const struct tandem_gateway *gw)
{
	json_t *list = json_array();
	char text[80];
	size_t i;

	for (i = 0; list && i < gw->dests_count; i++) {
		if (re_snprintf(text, sizeof(text), "%s %J", sip_transp_name(gw->dests[i].tp),
				&gw->dests[i].addr) > 0)
			json_array_append_new(list, json_string(text));
	}

	return list;
}

static json_t *gateway_json(const struct tandem_gateway *gw)
{
	const char *state = !gw->up ? "down" : gw->settled || !gw->options_ms ? "up" : "unknown";
	json_t *doc = json_pack("{s:s, s:s, s:s, s:i, s:i}", "name", gw->name, "uri", gw->uri,
				"state", state, "priority", gw->priority, "weight", gw->weight);

	if (!doc)
		return NULL;
	json_object_set_new(doc, "addresses", addresses_json(gw));
	json_object_set_new(doc, "calls", json_integer((json_int_t)gw->calls));
	json_object_set_new(doc, "failures", json_integer((json_int_t)gw->failures));
	json_object_set_new(doc, "options", json_integer((json_int_t)gw->options));
	json_object_set_new(doc, "unanswered", json_integer((json_int_t)gw->unanswered));
	json_object_set_new(doc, "rtt_ms", json_real(gw->rtt_ms));
	if (gw->changed_s) {
		json_object_set_new(doc, "changed", json_integer(gw->changed_s));
		json_object_set_new(doc, "changed_ago_s",
				    json_integer((int64_t)time(NULL) - gw->changed_s));
	}

	return doc;
}

json_t *tandem_gateways_json(const struct tandem_gateways *g)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; g && list && i < g->count; i++)
		json_array_append_new(list, gateway_json(&g->list[i]));

	return list ? json_pack("{s:o}", "gateways", list) : NULL;
}
