/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/ng/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "userspace/ng/http_local.h"
#include "userspace/util/log.h"
#include "userspace/util/thread.h"

#define PING_S	 30 /* a WebSocket without a sign of life is asked for one */
#define HANGUP_S 50

static const lws_retry_bo_t idle_policy = { .secs_since_valid_ping = PING_S,
					    .secs_since_valid_hangup = HANGUP_S };

static const struct lws_protocols protocols[] = {
	{ .name = "http", .callback = tandem_ng_http_callback },
	{ .name = TANDEM_NG_SUBPROTOCOL,
	  .callback = tandem_ng_socket_callback,
	  .rx_buffer_size = 4096 },
	{ .name = TANDEM_NG_SUBPROTOCOL_PLAIN,
	  .callback = tandem_ng_socket_callback,
	  .rx_buffer_size = 4096 },
	{ .name = NULL },
};

static void on_line(int level, const char *line)
{
	tandem_log(level & LLL_ERR ? TANDEM_LOG_ERROR : TANDEM_LOG_DEBUG, "http", "%.*s",
		   (int)strcspn(line, "\n"), line);
}

static int open_context(struct tandem_ng_http *h)
{
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.uid = (uid_t)-1,
		.gid = (gid_t)-1,
		.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
			   (h->files ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0),
		.user = h,
		/* those that are being closed, listeners, and some for itself */
		.fd_limit_per_thread = 2 * TANDEM_NG_MAX_CLIENTS + TANDEM_NG_MAX_LISTEN + 8,
	};

	lws_set_log_level(LLL_ERR | LLL_WARN, on_line);
	h->context = lws_create_context(&info);
	return h->context ? 0 : -ENOMEM;
}

static int listen_at(struct tandem_ng_http *h, const struct tandem_endpoint *local, bool tls)
{
	const size_t before = h->ssl_count;
	char host[TANDEM_ENDPOINT_STRLEN], name[TANDEM_ENDPOINT_STRLEN];
	struct lws_context_creation_info info = {
		.port = local->port,
		.iface = tandem_ip_format(&local->ip, host, sizeof(host)),
		.vhost_name = tandem_endpoint_format(local, name, sizeof(name)),
		.protocols = protocols,
		.retry_and_idle_policy = &idle_policy,
		.timeout_secs = TANDEM_NG_REQUEST_S,
		.options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND,
	};

	if (tls)
		tandem_ng_http_tls_info(h, &info);
	if (!lws_create_vhost(h->context, &info))
		return -EADDRINUSE;
	return tls && h->ssl_count == before ? -EINVAL : 0;
}

static void *serve(void *arg)
{
	struct tandem_ng_http *h = arg;

	while (!h->stop && lws_service(h->context, 0) >= 0)
		;
	return NULL;
}

int tandem_ng_http_open(struct tandem_ng_http **hp, const struct tandem_ng_config *cfg, char *why,
			size_t why_size)
{
	struct tandem_ng_http *h = calloc(1, sizeof(*h));
	char text[TANDEM_ENDPOINT_STRLEN];
	size_t i;
	int err;

	if (!h)
		return -ENOMEM;
	pthread_mutex_init(&h->lock, NULL);
	h->cfg = cfg;
	h->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = h->event_fd < 0 ? -errno : tandem_ng_http_tls_open(h, why, why_size);
	if (!err)
		err = open_context(h);
	for (i = 0; i < cfg->listen_count && !err; i++) {
		const bool tls = cfg->listen[i].transport == TANDEM_NG_HTTPS;

		if (!tandem_ng_is_http(&cfg->listen[i]))
			continue;
		err = listen_at(h, &cfg->listen[i].local, tls);
		if (err)
			snprintf(why, why_size, "http%s:%s: cannot listen there", tls ? "s" : "",
				 tandem_endpoint_format(&cfg->listen[i].local, text, sizeof(text)));
	}
	if (!err)
		err = tandem_thread_start(&h->thread, serve, h);
	h->started = !err;
	if (err)
		tandem_ng_http_close(h);
	else
		*hp = h;
	return err;
}

void tandem_ng_http_close(struct tandem_ng_http *h)
{
	struct tandem_ng_ask *ask;

	if (!h)
		return;
	if (h->started) {
		h->stop = true;
		lws_cancel_service(h->context);
		pthread_join(h->thread, NULL);
	}
	if (h->context)
		lws_context_destroy(h->context);
	tandem_ng_http_tls_close(h);
	while ((ask = tandem_ng_asks_get(&h->asked)) || (ask = tandem_ng_asks_get(&h->answered)))
		tandem_ng_ask_free(ask);
	if (h->event_fd >= 0)
		close(h->event_fd);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

int tandem_ng_http_fd(const struct tandem_ng_http *h)
{
	return h->event_fd;
}

struct tandem_ng_ask *tandem_ng_http_take(struct tandem_ng_http *h)
{
	struct tandem_ng_ask *ask;
	eventfd_t count;

	pthread_mutex_lock(&h->lock);
	ask = tandem_ng_asks_get(&h->asked);
	/* it stays readable while there is more, which may be for another turn */
	if (!h->asked.first)
		(void)eventfd_read(h->event_fd, &count);
	pthread_mutex_unlock(&h->lock);
	return ask;
}

void tandem_ng_http_give(struct tandem_ng_http *h, struct tandem_ng_ask *ask)
{
	pthread_mutex_lock(&h->lock);
	tandem_ng_asks_put(&h->answered, ask);
	pthread_mutex_unlock(&h->lock);
	lws_cancel_service(h->context);
}

void tandem_ng_http_count(struct tandem_ng_http *h, struct tandem_ng_http_counts *counts)
{
	counts->connections = (json_int_t)h->connections;
	counts->refused = (json_int_t)h->refused;
	counts->denied = (json_int_t)h->denied;
}
