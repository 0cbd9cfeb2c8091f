/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/session/env.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_ms(clockid_t id)
{
	struct timespec ts = { 0 };

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static uint64_t monotonic_ms(void *arg)
{
	(void)arg;
	return clock_ms(CLOCK_MONOTONIC);
}

static int64_t epoch_ms(void *arg)
{
	(void)arg;
	return clock_ms(CLOCK_REALTIME);
}

/* connect() on a datagram socket sends nothing; it looks the route up. */
static int route(const struct tandem_endpoint *to, struct ip_addr *from, void *arg)
{
	struct tandem_endpoint to_port = *to, local;
	struct sockaddr_storage ss;
	socklen_t len;
	int fd, err = 0;

	(void)arg;
	if (!to_port.port)
		to_port.port = 9;
	len = tandem_endpoint_to_sockaddr(&to_port, &ss);
	fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&ss, len)) {
		err = -errno;
		goto out;
	}
	len = sizeof(ss);
	if (getsockname(fd, (struct sockaddr *)&ss, &len)) {
		err = -errno;
		goto out;
	}
	err = tandem_endpoint_from_sockaddr(&local, (struct sockaddr *)&ss);
	if (!err)
		*from = local.ip;
out:
	close(fd);
	return err;
}

int tandem_session_env_default(struct tandem_session_env *env)
{
	*env = (struct tandem_session_env){
		.apply = tandem_plane_apply,
		.read = tandem_plane_read,
		.read_legs = tandem_plane_read_legs,
		.list = tandem_plane_list,
		.counters = tandem_plane_counters,
		.name = tandem_plane_name,
		.describe = tandem_plane_describe,
		.dispatch = tandem_plane_dispatch,
		.send = tandem_plane_send,
		.retry = tandem_plane_retry,
		.key_spent = tandem_plane_key_spent,
		.key_counted = tandem_plane_key_counted,
		.keys_seed = tandem_plane_keys_seed,
		.monotonic_ms = monotonic_ms,
		.epoch_ms = epoch_ms,
		.route = route,
	};
	return getrandom(&env->seed, sizeof(env->seed), 0) == sizeof(env->seed) ? 0 : -EIO;
}

int tandem_sessions_alloc(struct tandem_sessions **ssp, const struct tandem_sessions_config *cfg,
			  struct tandem_plane *plane, struct tandem_store *store,
			  tandem_session_ended_h *ended_h, void *arg)
{
	struct tandem_session_env env;
	int err = tandem_session_env_default(&env);

	if (err)
		return err;
	return tandem_sessions_alloc_with(ssp, &env, cfg, plane, store, ended_h, arg);
}
