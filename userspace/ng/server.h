/* SPDX-License-Identifier: GPL-2.0-only */
/* The inside of userspace/ng: sockets, and who answers. */
#ifndef TANDEM_NG_SERVER_H
#define TANDEM_NG_SERVER_H

#include "userspace/ng/calls.h"
#include "userspace/ng/http.h"
#include "userspace/ng/message.h"
#include "userspace/ng/recent.h"

/* A connection by TCP. */
struct tandem_ng_client {
	int fd; /* -1: the place is free */
	struct tandem_endpoint peer;
	uint64_t used_ms; /* its last sign of life */
	char *in;
	size_t in_len, in_room;
	char *out; /* what could not be sent yet; nothing is read before it is */
	size_t out_len, out_done;
	bool more; /* there may be a whole request in `in` */
};

struct tandem_ng_socket {
	int fd; /* -1: none */
	enum tandem_ng_transport transport;
};

struct tandem_ng_counters {
	json_int_t commands[TANDEM_NG_COMMANDS];
	json_int_t errors;     /* answers that were one */
	json_int_t duplicates; /* answered as before */
	json_int_t malformed;
	json_int_t denied;  /* from networks that are not allowed */
	json_int_t unknown; /* keys and flags that nobody knows */
};

struct tandem_ng {
	int epoll_fd;
	struct tandem_ng_config cfg;
	struct tandem_ng_calls calls;
	struct tandem_ng_recent *recent;
	struct tandem_ng_udp *udp; /* what one turn is made of */
	struct tandem_ng_counters counters;
	struct tandem_ng_socket sockets[TANDEM_NG_MAX_LISTEN];
	struct tandem_ng_client clients[TANDEM_NG_MAX_CLIENTS];
	struct tandem_ng_http *http; /* NULL: none */
};

uint64_t tandem_ng_now_ms(void);
/* The second one counts who is not. */
bool tandem_ng_allows(const struct tandem_ng_config *cfg, const struct ip_addr *ip);
bool tandem_ng_allowed(struct tandem_ng *ng, const struct tandem_endpoint *peer);

/*
 * Answer the message that buf begins with; *used octets of it. *outp: the answer, *len octets,
 * valid until the next one. -EAGAIN: it is not complete; -EBADMSG: it cannot be read, and there is
 * an answer all the same if *outp is set; -ENOMEM: there is none.
 */
int tandem_ng_respond(struct tandem_ng *ng, const struct tandem_endpoint *peer, const char *buf,
		      size_t size, size_t *used, const char **outp, size_t *len);

/*
 * Answer a message without a cookie: malloc'd text. *format is what it is in. -EBADMSG: it cannot be
 * read; -ENOMEM.
 */
int tandem_ng_respond_plain(struct tandem_ng *ng, const char *buf, size_t size, char **outp,
			    size_t *len, enum tandem_ng_format *format);

/* http_answer.c: what has come by HTTP and WebSocket. */
void tandem_ng_http_serve(struct tandem_ng *ng);

/* udp.c: as many requests as fit into a turn. */
int tandem_ng_udp_alloc(struct tandem_ng_udp **udpp);
void tandem_ng_udp_free(struct tandem_ng_udp *udp);
void tandem_ng_udp_serve(struct tandem_ng *ng, int fd);

/* client.c: connections by TCP. */
void tandem_ng_client_accept(struct tandem_ng *ng, int listen_fd);
void tandem_ng_client_serve(struct tandem_ng *ng, struct tandem_ng_client *client);
void tandem_ng_client_close(struct tandem_ng_client *client);

#endif
