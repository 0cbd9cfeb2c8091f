/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/ng/ng.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "userspace/ng/message.h"
#include "userspace/ng/server.h"
#include "userspace/util/log.h"

uint64_t tandem_ng_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

bool tandem_ng_allows(const struct tandem_ng_config *cfg, const struct ip_addr *ip)
{
	size_t i;

	for (i = 0; i < cfg->allow_count; i++) {
		if (tandem_prefix_contains(&cfg->allow[i], ip))
			return true;
	}
	return false;
}

bool tandem_ng_allowed(struct tandem_ng *ng, const struct tandem_endpoint *peer)
{
	if (tandem_ng_allows(&ng->cfg, &peer->ip))
		return true;
	ng->counters.denied++;
	return false;
}

static json_t *carry_out(struct tandem_ng *ng, const struct tandem_ng_message *msg)
{
	unsigned int unknown;
	size_t command;
	const char *result;
	json_t *reply;

	tandem_sessions_begin(ng->calls.sessions);
	reply = tandem_ng_command(&ng->calls, msg->dict, &command, &unknown);
	tandem_sessions_commit(ng->calls.sessions);
	result = json_string_value(json_object_get(reply, "result"));
	ng->counters.commands[command]++;
	ng->counters.unknown += unknown;
	if (!result || !strcmp(result, "error") || !strcmp(result, "load limit")) {
		const char *call = json_string_value(json_object_get(msg->dict, "call-id"));
		const char *why = json_string_value(json_object_get(reply, "error-reason"));

		ng->counters.errors++;
		tandem_log(TANDEM_LOG_INFO, "ng", "%s%s%s: %s", tandem_ng_command_name(command),
			   call ? " of " : "", call ? call : "", why ? why : "no new calls");
	}
	return reply;
}

static int respond_malformed(struct tandem_ng *ng, const struct tandem_ng_message *msg, char **outp,
			     size_t *len)
{
	json_t *reply;
	int err;

	ng->counters.malformed++;
	if (!msg->cookie)
		return -EBADMSG;
	reply = json_pack("{s:s, s:s}", "result", "error", "error-reason",
			  "Failed to decode the message");
	err = reply ? tandem_ng_message_reply(msg, reply, outp, len) : -ENOMEM;
	json_decref(reply);
	return err ? err : -EBADMSG;
}

int tandem_ng_respond(struct tandem_ng *ng, const struct tandem_endpoint *peer, const char *buf,
		      size_t size, size_t *used, const char **outp, size_t *len)
{
	struct tandem_ng_message msg;
	uint64_t now = tandem_ng_now_ms();
	char *text = NULL;
	json_t *reply;
	int ret = tandem_ng_message_read(&msg, buf, size, used), err;

	*outp = NULL;
	if (ret == -EBADMSG)
		ret = respond_malformed(ng, &msg, &text, len);
	if (ret && !text)
		return ret;
	if (!ret) {
		*outp = tandem_ng_recent_find(ng->recent, peer, msg.cookie, msg.cookie_len, now,
					      len);
		if (*outp) {
			ng->counters.duplicates++;
			json_decref(msg.dict);
			return 0;
		}
		reply = carry_out(ng, &msg);
		err = reply ? tandem_ng_message_reply(&msg, reply, &text, len) : -ENOMEM;
		json_decref(reply);
		json_decref(msg.dict);
		if (err)
			return err;
	}
	*outp = tandem_ng_recent_add(ng->recent, peer, msg.cookie, msg.cookie_len, now, text, *len);
	return *outp ? ret : -ENOMEM;
}

int tandem_ng_respond_plain(struct tandem_ng *ng, const char *buf, size_t size, char **outp,
			    size_t *len, enum tandem_ng_format *format)
{
	struct tandem_ng_message msg;
	json_t *reply;
	size_t used;
	int err = tandem_ng_message_read_plain(&msg, buf, size, &used);

	if (err) {
		ng->counters.malformed++;
		return err == -ENOMEM ? err : -EBADMSG;
	}
	*format = msg.format;
	reply = carry_out(ng, &msg);
	err = reply ? tandem_ng_message_reply(&msg, reply, outp, len) : -ENOMEM;
	json_decref(reply);
	json_decref(msg.dict);
	return err;
}

/* ---- sockets ---- */

static int bind_socket(struct tandem_ng *ng, struct tandem_ng_socket *s,
		       const struct tandem_ng_listen *listen_on)
{
	struct sockaddr_storage ss;
	socklen_t len = tandem_endpoint_to_sockaddr(&listen_on->local, &ss);
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = s };
	bool tcp = listen_on->transport == TANDEM_NG_TCP;
	int one = 1;

	s->transport = listen_on->transport;
	s->fd = socket(ss.ss_family,
		       (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return -errno;
	/* for UDP that would let a second relay take requests away */
	if (tcp && setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		return -errno;
	if (bind(s->fd, (struct sockaddr *)&ss, len))
		return -errno;
	if (tcp && listen(s->fd, TANDEM_NG_MAX_CLIENTS))
		return -errno;
	return epoll_ctl(ng->epoll_fd, EPOLL_CTL_ADD, s->fd, &ev) ? -errno : 0;
}

static int open_sockets(struct tandem_ng *ng, char *why, size_t why_size)
{
	char text[TANDEM_ENDPOINT_STRLEN];
	size_t i;
	int err;

	for (i = 0; i < ng->cfg.listen_count; i++) {
		const struct tandem_ng_listen *l = &ng->cfg.listen[i];

		if (tandem_ng_is_http(l))
			continue;
		err = bind_socket(ng, &ng->sockets[i], l);
		if (!err)
			continue;
		snprintf(why, why_size, "%s:%s: %s", l->transport == TANDEM_NG_TCP ? "tcp" : "udp",
			 tandem_endpoint_format(&l->local, text, sizeof(text)), strerror(-err));
		return err;
	}
	return 0;
}

/* Only for who listens there: it has a thread. */
static int open_http(struct tandem_ng *ng, char *why, size_t why_size)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &ng->http };
	size_t i;
	int err;

	for (i = 0; i < ng->cfg.listen_count; i++) {
		if (tandem_ng_is_http(&ng->cfg.listen[i]))
			break;
	}
	if (i == ng->cfg.listen_count)
		return 0;
	err = tandem_ng_http_open(&ng->http, &ng->cfg, why, why_size);
	if (err)
		return err;
	return epoll_ctl(ng->epoll_fd, EPOLL_CTL_ADD, tandem_ng_http_fd(ng->http), &ev) ? -errno
											: 0;
}

/* To know one's own descriptions by; nobody gains anything by guessing it. */
static void name_instance(struct tandem_ng_calls *calls)
{
	uint64_t number = 0;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		number = tandem_ng_now_ms();
	snprintf(calls->instance, sizeof(calls->instance), "%016llx", (unsigned long long)number);
}

int tandem_ng_open(struct tandem_ng **ngp, const struct tandem_ng_config *cfg,
		   struct tandem_sessions *sessions, char *why, size_t why_size)
{
	struct tandem_ng *ng = calloc(1, sizeof(*ng));
	size_t i;
	int err;

	if (!ng)
		return -ENOMEM;
	for (i = 0; i < TANDEM_NG_MAX_LISTEN; i++)
		ng->sockets[i].fd = -1;
	for (i = 0; i < TANDEM_NG_MAX_CLIENTS; i++)
		ng->clients[i].fd = -1;
	ng->cfg = *cfg;
	ng->calls = (struct tandem_ng_calls){
		.sessions = sessions,
		.cfg = &ng->cfg,
		.started_s = (json_int_t)time(NULL),
	};
	name_instance(&ng->calls);
	ng->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	err = ng->epoll_fd < 0 ? -errno : tandem_ng_recent_alloc(&ng->recent);
	if (!err)
		err = tandem_ng_udp_alloc(&ng->udp);
	if (!err)
		err = open_sockets(ng, why, why_size);
	if (!err)
		err = open_http(ng, why, why_size);
	if (err)
		tandem_ng_close(ng);
	else
		*ngp = ng;
	return err;
}

void tandem_ng_reload(struct tandem_ng *ng, bool always)
{
	if (ng && ng->http)
		tandem_ng_http_reload(ng->http, always);
}

void tandem_ng_close(struct tandem_ng *ng)
{
	size_t i;

	if (!ng)
		return;
	tandem_ng_http_close(ng->http);
	for (i = 0; i < TANDEM_NG_MAX_CLIENTS; i++)
		tandem_ng_client_close(&ng->clients[i]);
	for (i = 0; i < TANDEM_NG_MAX_LISTEN; i++) {
		if (ng->sockets[i].fd >= 0)
			close(ng->sockets[i].fd);
	}
	if (ng->epoll_fd >= 0)
		close(ng->epoll_fd);
	tandem_ng_recent_free(ng->recent);
	tandem_ng_udp_free(ng->udp);
	free(ng);
}

int tandem_ng_fd(const struct tandem_ng *ng)
{
	return ng->epoll_fd;
}

static struct tandem_ng_socket *socket_of(struct tandem_ng *ng, const void *ptr)
{
	size_t i;

	for (i = 0; i < ng->cfg.listen_count; i++) {
		if (&ng->sockets[i] == ptr)
			return &ng->sockets[i];
	}
	return NULL;
}

void tandem_ng_dispatch(struct tandem_ng *ng)
{
	struct epoll_event events[TANDEM_NG_MAX_CLIENTS + TANDEM_NG_MAX_LISTEN + 1];
	struct tandem_ng_socket *accepting = NULL, *s;
	int i, n = epoll_wait(ng->epoll_fd, events, sizeof(events) / sizeof(events[0]), 0);

	for (i = 0; i < n; i++) {
		s = socket_of(ng, events[i].data.ptr);
		if (events[i].data.ptr == &ng->http)
			tandem_ng_http_serve(ng);
		else if (!s)
			tandem_ng_client_serve(ng, events[i].data.ptr);
		else if (s->transport == TANDEM_NG_TCP)
			accepting = s;
		else
			tandem_ng_udp_serve(ng, s->fd);
	}
	/* last, since it may give away the place of a client that has an event here */
	if (accepting)
		tandem_ng_client_accept(ng, accepting->fd);
}

json_t *tandem_ng_json(const struct tandem_ng *ng)
{
	json_t *js, *commands;
	struct tandem_ng_http_counts http = { 0 };
	const char *name;
	size_t i, clients = 0;

	if (!ng)
		return json_null();
	commands = json_object();
	for (i = 0; (name = tandem_ng_command_name(i)); i++) {
		if (ng->counters.commands[i])
			json_object_set_new(commands, name, json_integer(ng->counters.commands[i]));
	}
	for (i = 0; i < TANDEM_NG_MAX_CLIENTS; i++)
		clients += ng->clients[i].fd >= 0;
	if (ng->http)
		tandem_ng_http_count(ng->http, &http);
	js = json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "commands", commands, "errors",
		       ng->counters.errors, "duplicates", ng->counters.duplicates, "malformed",
		       ng->counters.malformed, "denied", ng->counters.denied + http.denied,
		       "unknown_flags", ng->counters.unknown, "connections",
		       (json_int_t)clients + http.connections, "refused", http.refused);
	return js;
}
