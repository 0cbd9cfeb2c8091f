/* SPDX-License-Identifier: GPL-2.0-only */
/* The cluster in the configuration: what the schema cannot say, and what becomes of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/config/resolve.h"
#include "userspace/config/schema.h"

#define REDIS_PORT 6379
#define NODE_MAX   60

/* "HOST", "HOST:PORT", "[ADDRESS]:PORT" or an IPv6 address by itself. */
static int read_server(const char *text, char *host, size_t size, uint16_t *port)
{
	const char *colon = strrchr(text, ':'), *end = text + strlen(text);
	unsigned long number = REDIS_PORT;
	struct ip_addr ip;
	char *rest;

	if (text[0] == '[') {
		end = strchr(text++, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		colon = end[1] ? end + 1 : NULL;
	} else if (!tandem_ip_parse(&ip, text)) {
		colon = NULL;
	} else if (colon) {
		end = colon;
	}
	if (colon) {
		number = strtoul(colon + 1, &rest, 10);
		if (colon[1] < '0' || colon[1] > '9' || *rest)
			return -EINVAL;
	}
	if (end == text || (size_t)(end - text) >= size || !number || number > UINT16_MAX)
		return -EINVAL;
	snprintf(host, size, "%.*s", (int)(end - text), text);
	*port = (uint16_t)number;
	return 0;
}

/* Names are parts of keys, and of lines of the log. */
static bool is_name(const char *text)
{
	return strlen(text) <= NODE_MAX && strspn(text, "abcdefghijklmnopqrstuvwxyz"
							"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
							"0123456789._-") == strlen(text);
}

static int check_redis(const struct tandem_config *cfg, const struct tandem_yaml *y,
		       struct tandem_config_error *err)
{
	const struct tandem_config_redis *redis = &cfg->cluster.redis;
	char host[256];
	uint16_t port;

	if (!redis->server)
		return tandem_config_wrong(err, y, "cluster.redis", "has no server");
	if (read_server(redis->server, host, sizeof(host), &port))
		return tandem_config_wrong(err, y, "cluster.redis.server",
					   "'%.60s' is not of the form redis.example:6379",
					   redis->server);
	if (redis->user && !redis->password_file)
		return tandem_config_wrong(err, y, "cluster.redis.user", "has no password_file");
	if (redis->password_file && redis->password_file[0] != '/')
		return tandem_config_wrong(err, y, "cluster.redis.password_file",
					   "must be an absolute path");
	return 0;
}

int tandem_config_check_cluster(const struct tandem_config *cfg, const struct tandem_yaml *y,
				struct tandem_config_error *err)
{
	bool standby = false;
	char key[64];

	for (unsigned int i = 0; i < cfg->media.addresses_count; i++) {
		snprintf(key, sizeof(key), "media.addresses[%u].standby", i);
		standby |= cfg->media.addresses[i].standby;
		if (cfg->media.addresses[i].standby && !cfg->cluster.node)
			return tandem_config_wrong(err, y, key, "needs cluster.node");
	}
	if (!cfg->cluster.node)
		return tandem_yaml_line(y, "cluster")
			       ? tandem_config_wrong(err, y, "cluster", "has no node")
			       : 0;
	if (!is_name(cfg->cluster.node))
		return tandem_config_wrong(err, y, "cluster.node",
					   "is not of up to %d letters, digits, '.', '_', '-'",
					   NODE_MAX);
	if (!is_name(cfg->cluster.prefix))
		return tandem_config_wrong(err, y, "cluster.prefix",
					   "is not of up to %d letters, digits, '.', '_', '-'",
					   NODE_MAX);
	if (!standby && !cfg->cluster.location)
		return tandem_config_wrong(
			err, y, "cluster",
			"shares nothing: no address of media is standby, and location is false");
	if (cfg->cluster.location && !cfg->sip.domains_count)
		return tandem_config_wrong(
			err, y, "cluster.location",
			"needs sip.domains: users have to be the same everywhere");
	return check_redis(cfg, y, err);
}

void tandem_config_resolve_cluster(struct tandem_resolved *out, const struct tandem_config *cfg)
{
	const struct tandem_config_redis *redis = &cfg->cluster.redis;
	struct tandem_cluster_config *cluster = &out->cluster;

	if (!cfg->cluster.node)
		return;
	*cluster = (struct tandem_cluster_config){
		.node = cfg->cluster.node,
		.prefix = cfg->cluster.prefix,
		.keep_s = cfg->cluster.keep_s,
		.location = cfg->cluster.location,
		.password_file = redis->password_file,
		.redis = { .host = out->redis_host,
			   .user = redis->user,
			   .db = redis->db,
			   .tls = redis->tls,
			   .ca = redis->ca,
			   .certificate = redis->certificate,
			   .tls_name = redis->tls_name },
		.locals_count = out->sessions.locals_count,
	};
	(void)read_server(redis->server, out->redis_host, sizeof(out->redis_host),
			  &cluster->redis.port);
	memcpy(cluster->locals, out->sessions.locals, sizeof(cluster->locals));
	memcpy(cluster->standby, out->sessions.standby, sizeof(cluster->standby));
}
