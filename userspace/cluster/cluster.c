/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/cluster/cluster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/cluster/held.h"
#include "userspace/cluster/standby.h"
#include "userspace/util/log.h"
#include "userspace/util/password_file.h"

#define MODULE "cluster"

struct tandem_cluster {
	struct tandem_cluster_config cfg;
	char *password;
	struct tandem_sessions *sessions;
	struct tandem_redis *redis;
	int fd; /* see held.h */
	struct tandem_standby standbys[TANDEM_MAX_LOCALS];
	struct tandem_standby *by_local[TANDEM_MAX_LOCALS];
	size_t standbys_count;
	bool up;
	bool said; /* that there is no Redis */
	char why[128];
	uint64_t lost; /* connections */
};

static void on_state(bool up, const char *why, void *arg)
{
	struct tandem_cluster *cluster = arg;

	cluster->lost += cluster->up && !up;
	cluster->up = up;
	if (up)
		tandem_log(TANDEM_LOG_INFO, MODULE, "connected to Redis at %s",
			   cluster->cfg.redis.host);
	else if (!cluster->said)
		tandem_log(TANDEM_LOG_WARNING, MODULE,
			   "no Redis at %s: %s; calls go on, and cannot be taken over",
			   cluster->cfg.redis.host, why);
	cluster->said = !up;
	snprintf(cluster->why, sizeof(cluster->why), "%s", why);
	for (size_t i = 0; i < cluster->standbys_count; i++)
		tandem_standby_redis(&cluster->standbys[i], up);
}

static void on_changed(uint64_t number, size_t home, bool gone, void *arg)
{
	struct tandem_cluster *cluster = arg;

	if (cluster->by_local[home])
		tandem_standby_changed(cluster->by_local[home], number, gone);
}

static void look(struct tandem_cluster *cluster)
{
	const struct ip_addr *addresses[TANDEM_MAX_LOCALS] = { NULL };
	bool held[TANDEM_MAX_LOCALS];
	size_t i, n = cluster->standbys_count;

	for (i = 0; i < n; i++)
		addresses[i] = &cluster->cfg.locals[cluster->standbys[i].local].ip;
	if (tandem_held_read(addresses, held, n))
		return; /* a tick looks again */
	for (i = 0; i < n; i++)
		tandem_standby_hold(&cluster->standbys[i], held[i]);
}

static void on_addresses(int flags, void *arg)
{
	struct tandem_cluster *cluster = arg;

	(void)flags;
	tandem_held_drain(cluster->fd);
	look(cluster);
}

static void init_standbys(struct tandem_cluster *cluster, tandem_cluster_adopted_h *adopted_h,
			  void *arg)
{
	const struct tandem_cluster_config *cfg = &cluster->cfg;

	for (size_t i = 0; i < cfg->locals_count; i++) {
		struct tandem_standby *standby = &cluster->standbys[cluster->standbys_count];

		if (!cfg->standby[i])
			continue;
		tandem_standby_init(standby, cfg, i);
		standby->sessions = cluster->sessions;
		standby->adopted_h = adopted_h;
		standby->arg = arg;
		cluster->by_local[i] = standby;
		cluster->standbys_count++;
	}
}

static int start(struct tandem_cluster *cluster, char *why, size_t why_size)
{
	struct tandem_cluster_config *cfg = &cluster->cfg;
	int err = 0;

	cluster->fd = tandem_held_open();
	if (cluster->fd < 0)
		return cluster->fd;
	if (cfg->password_file)
		err = tandem_password_file_read(&cluster->password, cfg->password_file, why,
						why_size);
	cfg->redis.password = cluster->password;
	if (!err)
		err = -fd_listen(cluster->fd, FD_READ, on_addresses, cluster);
	return err ? err : tandem_redis_alloc(&cluster->redis, &cfg->redis, on_state, cluster);
}

int tandem_cluster_open(struct tandem_cluster **clusterp, const struct tandem_cluster_config *cfg,
			struct tandem_sessions *sessions, tandem_cluster_adopted_h *adopted_h,
			void *arg, char *why, size_t why_size)
{
	struct tandem_cluster *cluster = calloc(1, sizeof(*cluster));
	int err;

	if (!cluster)
		return -ENOMEM;
	cluster->cfg = *cfg;
	cluster->sessions = sessions;
	init_standbys(cluster, adopted_h, arg);
	why[0] = '\0';
	err = start(cluster, why, why_size);
	if (err) {
		if (!why[0])
			snprintf(why, why_size, "%s", strerror(-err));
		tandem_cluster_close(cluster);
		return err;
	}
	for (size_t i = 0; i < cluster->standbys_count; i++)
		cluster->standbys[i].redis = cluster->redis;
	tandem_sessions_on_outdated(sessions, on_changed, cluster);
	look(cluster);
	*clusterp = cluster;
	return 0;
}

void tandem_cluster_close(struct tandem_cluster *cluster)
{
	if (!cluster)
		return;
	tandem_sessions_on_outdated(cluster->sessions, NULL, NULL);
	tandem_redis_free(cluster->redis);
	for (size_t i = 0; i < cluster->standbys_count; i++)
		tandem_standby_clean(&cluster->standbys[i]);
	if (cluster->fd >= 0) {
		fd_close(cluster->fd);
		close(cluster->fd);
	}
	if (cluster->password)
		explicit_bzero(cluster->password, strlen(cluster->password));
	free(cluster->password);
	free(cluster);
}

void tandem_cluster_tick(struct tandem_cluster *cluster)
{
	if (!cluster)
		return;
	look(cluster);
	for (size_t i = 0; i < cluster->standbys_count; i++)
		tandem_standby_tick(&cluster->standbys[i]);
}

enum tandem_cluster_address tandem_cluster_address(const struct tandem_cluster *cluster,
						   const char *ip)
{
	struct ip_addr addr;

	if (tandem_ip_parse(&addr, ip))
		return TANDEM_CLUSTER_OWN;
	for (size_t i = 0; i < cluster->standbys_count; i++) {
		const struct tandem_standby *standby = &cluster->standbys[i];

		if (!memcmp(&cluster->cfg.locals[standby->local].ip, &addr, sizeof(addr)))
			return standby->state == TANDEM_STANDBY_AWAY ? TANDEM_CLUSTER_AWAY
								     : TANDEM_CLUSTER_HERE;
	}
	return TANDEM_CLUSTER_OWN;
}

const struct tandem_cluster_config *tandem_cluster_config_of(const struct tandem_cluster *cluster)
{
	return &cluster->cfg;
}

static json_t *standby_json(const struct tandem_standby *standby)
{
	const struct tandem_standby_counters *c = &standby->counters;

	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "address",
			 standby->address, "state", tandem_standby_state_name(standby->state),
			 "owner", standby->owner, "waiting", (json_int_t)standby->changes.count,
			 "written", (json_int_t)c->written, "adopted", (json_int_t)c->adopted,
			 "refused", (json_int_t)c->refused, "released", (json_int_t)c->released,
			 "errors", (json_int_t)c->errors, "error", standby->error);
}

json_t *tandem_cluster_json(const struct tandem_cluster *cluster)
{
	json_t *standbys;

	if (!cluster)
		return json_null();
	standbys = json_array();
	for (size_t i = 0; i < cluster->standbys_count; i++)
		json_array_append_new(standbys, standby_json(&cluster->standbys[i]));
	return json_pack("{s:s, s:s, s:I, s:o}", "node", cluster->cfg.node, "redis",
			 cluster->up ? "up" : cluster->why, "connections_lost",
			 (json_int_t)cluster->lost, "addresses", standbys);
}
