/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The NG protocol by HTTP and WebSocket. libwebsockets speaks them, in a thread of its own; what is
 * asked is passed to the thread of the controller, and the answer back.
 */
#ifndef TANDEM_NG_HTTP_H
#define TANDEM_NG_HTTP_H

#include "userspace/ng/http_rules.h"
#include "userspace/ng/ng.h"

struct tandem_ng_http;

/* Is it this thread that listens there? */
static inline bool tandem_ng_is_http(const struct tandem_ng_listen *listen)
{
	return listen->transport == TANDEM_NG_HTTP || listen->transport == TANDEM_NG_HTTPS;
}

/* Something to be answered, and then its answer. */
struct tandem_ng_ask {
	struct tandem_ng_ask *next;
	size_t place; /* of the connection, and which one it was there */
	uint64_t id;
	enum tandem_ng_target target;
	struct tandem_endpoint peer; /* without a port: who asks again may have another */
	bool binary;		     /* the kind of frame that it came in */
	char *text;		     /* malloc'd: the request, then what is answered; NULL: empty */
	size_t len;
	unsigned int status; /* of HTTP; other than 200 ends a WebSocket */
	const char *type;    /* of the answer; constant */
};

struct tandem_ng_http_counts {
	json_int_t connections;
	json_int_t refused; /* connections and requests that were not listened to */
	json_int_t denied;  /* connections from networks that are not allowed */
};

/*
 * Listen at those of cfg->listen that are for HTTP, and begin to serve. cfg has to stay. 0 or a
 * negative errno, with why.
 */
int tandem_ng_http_open(struct tandem_ng_http **hp, const struct tandem_ng_config *cfg, char *why,
			size_t why_size);
/* As tandem_ng_reload(). */
void tandem_ng_http_reload(struct tandem_ng_http *h, bool always);
/* NULL is allowed. */
void tandem_ng_http_close(struct tandem_ng_http *h);

/* Readable when there is something to take. */
int tandem_ng_http_fd(const struct tandem_ng_http *h);
/* The next to be answered, NULL when there is none. It is to be given back. */
struct tandem_ng_ask *tandem_ng_http_take(struct tandem_ng_http *h);
void tandem_ng_http_give(struct tandem_ng_http *h, struct tandem_ng_ask *ask);

void tandem_ng_http_count(struct tandem_ng_http *h, struct tandem_ng_http_counts *counts);

#endif
