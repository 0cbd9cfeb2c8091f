/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/web/web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/util/log.h"
#include "userspace/util/thread.h"
#include "userspace/util/tls_files.h"
#include "userspace/web/local.h"

#define HANDSHAKE_S 10
#define PING_S	    30 /* without a sign of life a browser is asked for one */
#define HANGUP_S    50

static const lws_retry_bo_t idle_policy = { .secs_since_valid_ping = PING_S,
					    .secs_since_valid_hangup = HANGUP_S };

static void emit(int level, const char *line)
{
	tandem_log(level & LLL_ERR ? TANDEM_LOG_ERROR : TANDEM_LOG_DEBUG, "web", "%.*s",
		   (int)strcspn(line, "\n"), line);
}

static int copy_text(char **out, const char *text)
{
	*out = text ? strdup(text) : NULL;

	return text && !*out ? -ENOMEM : 0;
}

static int copy_config(struct tandem_web *w, const struct tandem_web_config *cfg)
{
	size_t i;
	int err;

	w->max_connections = cfg->max_connections;
	w->max_per_source = cfg->max_per_source;
	err = copy_text(&w->certificate, cfg->certificate);
	if (!err)
		err = copy_text(&w->key, cfg->key ? cfg->key : cfg->certificate);
	if (!err)
		err = copy_text(&w->path, cfg->path);
	w->origins = calloc(cfg->origins_count + 1, sizeof(*w->origins));
	if (!w->origins)
		return -ENOMEM;
	for (i = 0; i < cfg->origins_count && !err; i++, w->origins_count++)
		err = copy_text(&w->origins[i], cfg->origins[i]);

	return err;
}

int tandem_web_open(struct tandem_web **wp, const struct tandem_web_config *cfg, char *why,
		    size_t why_size)
{
	struct lws_context_creation_info info = { .port = CONTEXT_PORT_NO_LISTEN,
						  .uid = (uid_t)-1,
						  .gid = (gid_t)-1 };
	struct tandem_web *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	tandem_web_peers_init(&w->peers);
	err = copy_config(w, cfg);
	if (err)
		goto out;
	lws_set_log_level(LLL_ERR | LLL_WARN, emit);
	info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
	info.user = w;
	/* each browser takes two */
	info.fd_limit_per_thread = 2 * cfg->max_connections + 2 * TANDEM_WEB_LISTENERS_MAX;
	w->context = lws_create_context(&info);
	if (!w->context) {
		snprintf(why, why_size, "WebSocket: libwebsockets does not start");
		err = -ENOMEM;
	}

out:
	if (err)
		tandem_web_close(w);
	else
		*wp = w;

	return err;
}

static void describe(struct tandem_web_listener *l, const struct sockaddr *addr, char *host,
		     size_t size, int *port)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)addr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;
	bool v6 = addr->sa_family == AF_INET6;

	*port = ntohs(v6 ? in6->sin6_port : in->sin_port);
	(void)inet_ntop(addr->sa_family,
			v6 ? (const void *)&in6->sin6_addr : (const void *)&in->sin_addr, host,
			(socklen_t)size);
	snprintf(l->via, sizeof(l->via), "SIP/2.0/%s %s%s%s:%d", l->tls ? "WSS" : "WS",
		 v6 ? "[" : "", host, v6 ? "]" : "", *port);
}

int tandem_web_listen(struct tandem_web *w, const struct sockaddr *addr, bool tls,
		      uint16_t inner_port, char *why, size_t why_size)
{
	static struct lws_protocols protocols[] = {
		{ .name = "http", .callback = tandem_web_http_callback },
		{ .name = TANDEM_WEB_PROTOCOL,
		  .callback = tandem_web_sip_callback,
		  .rx_buffer_size = 4096 },
		{ .name = TANDEM_WEB_INNER_PROTOCOL,
		  .callback = tandem_web_inner_callback,
		  .rx_buffer_size = 4096 },
		{ .name = NULL },
	};
	struct lws_context_creation_info info = { .protocols = protocols,
						  .retry_and_idle_policy = &idle_policy,
						  .alpn = "http/1.1",
						  .timeout_secs = HANDSHAKE_S };
	struct tandem_web_listener *l = &w->listeners[w->listeners_count];
	char host[INET6_ADDRSTRLEN];

	if (w->listeners_count == TANDEM_WEB_LISTENERS_MAX)
		return -ENOSPC;
	protocols[1].per_session_data_size = tandem_web_session_size();
	*l = (struct tandem_web_listener){ .web = w, .inner_port = inner_port, .tls = tls };
	describe(l, addr, host, sizeof(host), &info.port);
	info.iface = host;
	info.vhost_name = l->via;
	info.user = l;
	info.options = LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND;
	if (tls) {
		info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
		info.ssl_cert_filepath = w->certificate;
		info.ssl_private_key_filepath = w->key;
		info.ssl_cipher_list = TANDEM_TLS_CIPHERS;
		info.ssl_options_set = SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_COMPRESSION;
	}
	l->vhost = lws_create_vhost(w->context, &info);
	if (!l->vhost) {
		snprintf(why, why_size, "WebSocket: cannot listen at %s", l->via + 8);
		return -EADDRINUSE;
	}
	w->listeners_count++;

	return 0;
}

static void *serve(void *arg)
{
	struct tandem_web *w = arg;

	while (!w->stop && lws_service(w->context, 0) >= 0)
		;

	return NULL;
}

int tandem_web_start(struct tandem_web *w)
{
	int err = tandem_thread_start(&w->thread, serve, w);

	w->started = !err;
	return err;
}

void tandem_web_close(struct tandem_web *w)
{
	size_t i;

	if (!w)
		return;
	if (w->started) {
		w->stop = true;
		lws_cancel_service(w->context);
		pthread_join(w->thread, NULL);
	}
	if (w->context)
		lws_context_destroy(w->context);
	tandem_web_peers_clean(&w->peers);
	for (i = 0; i < w->origins_count; i++)
		free(w->origins[i]);
	free(w->origins);
	free(w->certificate);
	free(w->key);
	free(w->path);
	free(w);
}

bool tandem_web_outer(struct tandem_web *w, uint16_t inner, struct sockaddr_storage *peer)
{
	struct tandem_web_peer found;

	if (!tandem_web_peers_by_inner(&w->peers, inner, &found))
		return false;
	*peer = found.addr;

	return true;
}

bool tandem_web_inner(struct tandem_web *w, const struct sockaddr *peer, uint16_t *inner,
		      uint16_t *listener)
{
	struct tandem_web_peer found;

	if (!tandem_web_peers_by_outer(&w->peers, peer, &found))
		return false;
	*inner = found.inner;
	*listener = found.listener;

	return true;
}

void tandem_web_reload(struct tandem_web *w)
{
	w->reload = true;
	lws_cancel_service(w->context);
}

json_t *tandem_web_json(struct tandem_web *w)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "connections",
			 (json_int_t)tandem_web_peers_count(&w->peers), "accepted",
			 (json_int_t)w->accepted, "refused", (json_int_t)w->refused, "malformed",
			 (json_int_t)w->malformed);
}
