/* SPDX-License-Identifier: GPL-2.0-only */
/* The controller's side of HTTP and WebSocket. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/ng/server.h"

#define PER_TURN 64 /* requests, before others get their turn */

#define TYPE_NG	     "application/x-rtpengine-ng"
#define TYPE_JSON    "application/json"
#define TYPE_METRICS "text/plain; version=0.0.4"

static unsigned int status_of(int err)
{
	if (!err)
		return 200;
	return err == -ENOMEM ? 503 : 400;
}

static char *answer_message(struct tandem_ng *ng, struct tandem_ng_ask *ask, size_t *len)
{
	const char *out = NULL;
	char *copy = NULL;
	size_t used;
	int err = tandem_ng_respond(ng, &ask->peer, ask->text, ask->len, &used, &out, len);

	if (err == -EAGAIN)
		ng->counters.malformed++; /* what has come is all of it */
	ask->status = status_of(err);
	ask->type = TYPE_NG;
	if (out) {
		copy = malloc(*len);
		if (copy)
			memcpy(copy, out, *len);
		else
			ask->status = 503;
	}
	return copy;
}

static char *answer_plain(struct tandem_ng *ng, struct tandem_ng_ask *ask, size_t *len)
{
	enum tandem_ng_format format = TANDEM_NG_BENCODE;
	char *out = NULL;
	int err = tandem_ng_respond_plain(ng, ask->text, ask->len, &out, len, &format);

	ask->status = status_of(err);
	ask->type = format == TANDEM_NG_JSON ? TYPE_JSON : TYPE_NG;
	return out;
}

static char *answer_metrics(struct tandem_ng *ng, struct tandem_ng_ask *ask, size_t *len)
{
	char *out = ng->cfg.metrics_h ? ng->cfg.metrics_h(ng->cfg.arg) : NULL;

	*len = out ? strlen(out) : 0;
	ask->status = out ? 200 : 503;
	ask->type = TYPE_METRICS;
	return out;
}

static void answer(struct tandem_ng *ng, struct tandem_ng_ask *ask)
{
	size_t len = 0;
	char *out;

	if (ask->target == TANDEM_NG_MESSAGE)
		out = answer_message(ng, ask, &len);
	else if (ask->target == TANDEM_NG_PLAIN)
		out = answer_plain(ng, ask, &len);
	else
		out = answer_metrics(ng, ask, &len);
	free(ask->text);
	ask->text = out;
	ask->len = len;
}

void tandem_ng_http_serve(struct tandem_ng *ng)
{
	struct tandem_ng_ask *ask;
	int i;

	for (i = 0; i < PER_TURN; i++) {
		ask = tandem_ng_http_take(ng->http);
		if (!ask)
			return;
		answer(ng, ask);
		tandem_ng_http_give(ng->http, ask);
	}
}
