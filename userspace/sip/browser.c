/* SPDX-License-Identifier: GPL-2.0-only */
/* Browsers: to libre they are TCP connections of this host; here they are who they are. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userspace/sip/local.h"
#include "userspace/sip/token.h"
#include "userspace/web/web.h"

static bool is_web(enum sip_transp tp)
{
	return tp == SIP_TRANSP_WS || tp == SIP_TRANSP_WSS;
}

static bool is_inner(const struct tandem_sip *ts, const struct sa *sa)
{
	struct sa inner;

	return ts->web && !sa_set_str(&inner, TANDEM_WEB_INNER, 0) && sa_cmp(&inner, sa, SA_ADDR);
}

static const struct tandem_listener *find_listener(const struct tandem_sip *ts, uint16_t inner_port)
{
	size_t i;

	for (i = 0; i < ts->listeners_count; i++) {
		if (is_web(ts->listeners[i].tp) && sa_port(&ts->listeners[i].inner) == inner_port)
			return &ts->listeners[i];
	}

	return NULL;
}

static void set_sa(struct sa *sa, const struct sockaddr_storage *ss)
{
	(void)sa_set_sa(sa, (const struct sockaddr *)ss);
}

/* libre takes the messages on a port of the loopback that the kernel chooses. */
static int listen_inner(struct tandem_sip *ts, struct tandem_listener *l, sip_msg_h *request_h,
			sip_msg_h *response_h)
{
	struct tandem_listener inner = { .tp = SIP_TRANSP_TCP };
	struct sa laddr;
	int fd, err;

	/* libre has one answer for all listeners of an address, so the port is chosen here */
	err = -sa_set_str(&inner.addr, TANDEM_WEB_INNER, 0);
	if (err)
		return err;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	laddr = inner.addr;
	if (bind(fd, &laddr.u.sa, laddr.len) || getsockname(fd, &laddr.u.sa, &laddr.len))
		err = -errno;
	(void)close(fd);
	if (!err) {
		inner.addr = laddr;
		err = tandem_sip_stack_listen(ts, &inner, request_h, response_h);
	}
	l->inner = inner.addr;

	return err;
}

int tandem_sip_browsers_start(struct tandem_sip *ts, const struct tandem_sip_config *cfg,
			      sip_msg_h *request_h, sip_msg_h *response_h, char *why, size_t size)
{
	const struct tandem_web_config web = {
		.certificate = cfg->tls.certificate,
		.key = cfg->tls.key,
		.path = cfg->web.path,
		.origins = cfg->web.origins,
		.origins_count = cfg->web.origins_count,
		.max_connections = cfg->web.max_connections ? cfg->web.max_connections : 10000,
		.max_per_source = cfg->web.max_per_source ? cfg->web.max_per_source : 100,
	};
	size_t i;
	int err = 0;

	for (i = 0; i < ts->listeners_count && !err; i++) {
		struct tandem_listener *l = &ts->listeners[i];

		if (!is_web(l->tp))
			continue;
		if (!ts->web)
			err = tandem_web_open(&ts->web, &web, why, size);
		if (!err)
			err = listen_inner(ts, l, request_h, response_h);
		if (!err)
			err = tandem_web_listen(ts->web, &l->addr.u.sa, l->tp == SIP_TRANSP_WSS,
						sa_port(&l->inner), why, size);
	}

	return err || !ts->web ? err : tandem_web_start(ts->web);
}

bool tandem_sip_unmask(const struct tandem_sip *ts, const struct sip_msg *msg)
{
	struct sockaddr_storage peer;

	if (!is_inner(ts, &msg->dst))
		return true;
	/* it was unmasked before */
	if (!is_inner(ts, &msg->src))
		return true;
	if (!tandem_web_outer(ts->web, sa_port(&msg->src), &peer))
		return false;
	set_sa(&((struct sip_msg *)msg)->src, &peer);

	return true;
}

bool tandem_sip_is_browser(const struct tandem_sip *ts, const struct sa *sa)
{
	uint16_t inner, listener;

	return ts->web && tandem_web_inner(ts->web, &sa->u.sa, &inner, &listener);
}

enum sip_transp tandem_sip_tp(const struct tandem_sip *ts, const struct sip_msg *msg)
{
	const struct tandem_listener *l = is_inner(ts, &msg->dst)
						  ? find_listener(ts, sa_port(&msg->dst))
						  : NULL;

	return l ? l->tp : msg->tp;
}

int tandem_sip_way(struct tandem_way *way, const struct tandem_sip *ts, enum sip_transp tp,
		   const struct sa *src, const struct sa *dst)
{
	struct sockaddr_storage peer;
	uint16_t inner, listener;

	way->tp = tp;
	way->addr = *dst;
	if (!is_inner(ts, dst)) {
		way->listener = tandem_sip_listener_find(ts, tp, src);
		return 0;
	}
	if (!tandem_web_outer(ts->web, sa_port(dst), &peer) ||
	    !tandem_web_inner(ts->web, (struct sockaddr *)&peer, &inner, &listener))
		return ENOTCONN;
	set_sa(&way->addr, &peer);
	way->listener = find_listener(ts, listener);
	if (way->listener)
		way->tp = way->listener->tp;

	return 0;
}

/* A name is not resolved yet: what it is sent from then is the default route's choice. */
static struct sip *choose_stack(const struct tandem_sip *ts, const struct sa *local,
				const struct uri *uri)
{
	struct sa dst;

	if (sa_isset(local, SA_ADDR))
		return tandem_sip_stack(ts, local);

	return tandem_sip_stack_to(ts, sa_set(&dst, &uri->host, SIP_PORT) ? NULL : &dst);
}

int tandem_sip_hop_uri(char **urip, struct sip **sip, const struct tandem_sip *ts, const char *hop,
		       const struct sa *local)
{
	uint16_t inner, listener;
	struct pl pl, transport;
	struct uri uri;
	struct sa sa;

	pl_set_str(&pl, hop);
	if (uri_decode(&uri, &pl))
		return EINVAL;
	if (msg_param_decode(&uri.params, "transport", &transport) ||
	    (pl_strcasecmp(&transport, "ws") && pl_strcasecmp(&transport, "wss"))) {
		*sip = choose_stack(ts, local, &uri);
		return str_dup(urip, hop);
	}
	/* nobody is called back at a browser's address: what counts is that it is connected */
	if (!ts->web || sa_set(&sa, &uri.host, uri.port) ||
	    !tandem_web_inner(ts->web, &sa.u.sa, &inner, &listener))
		return ENOTCONN;
	(void)sa_set_str(&sa, TANDEM_WEB_INNER, listener);
	*sip = tandem_sip_stack(ts, &sa);

	return re_sdprintf(urip, "sip:" TANDEM_WEB_INNER ":%u;transport=tcp", inner);
}
