/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/cluster/redis.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/cluster/libre.h"

#define FIRST_WAIT_MS 100
#define MAX_WAIT_MS   5000
#define LOOKUP_MS     50
/* To connect, and for any reply: a server that takes longer is as good as none. */
#define PATIENCE_MS 5000
/* What may wait to be sent; a batch of sessions is some 200 KB. */
#define QUEUE_MAX (8 << 20)

struct request {
	tandem_redis_reply_h *h;
	void *arg;
};

struct tandem_redis {
	struct tandem_redis_config cfg;
	tandem_redis_state_h *state_h;
	void *arg;
	struct gaicb lookup, *lookups[1];
	bool looking;
	char service[8];
	struct addrinfo hints;
	struct tls *tls;
	struct tcp_conn *tcp;
	struct tls_conn *tls_conn;
	struct redisReader *reader;
	struct tmr timer;    /* the next attempt, or the next look at the name's address */
	struct tmr patience; /* with the server */
	struct request requests[TANDEM_REDIS_PENDING];
	size_t first, count;
	uint32_t wait_ms;
	enum { DOWN, OPENING, UP } state;
	char why[128];
};

static void attempt(void *arg);

bool tandem_redis_up(const struct tandem_redis *redis)
{
	return redis->state == UP;
}

static void disconnect(struct tandem_redis *redis)
{
	tmr_cancel(&redis->patience);
	redis->tls_conn = mem_deref(redis->tls_conn);
	redis->tcp = mem_deref(redis->tcp);
	if (redis->reader)
		redisReaderFree(redis->reader);
	redis->reader = NULL;
}

/*
 * The connection is of no use: begin anew after a while, not all nodes at the same moment. What
 * calls this may be a handler of the connection, which therefore is closed only then.
 */
static void give_up(struct tandem_redis *redis, const char *why)
{
	size_t count = redis->count;

	if (redis->state == DOWN)
		return;
	redis->state = DOWN;
	redis->count = 0;
	snprintf(redis->why, sizeof(redis->why), "%s", why);
	tmr_cancel(&redis->patience);
	if (redis->tcp)
		tcp_set_handlers(redis->tcp, NULL, NULL, NULL, NULL);
	tmr_start(&redis->timer, redis->wait_ms / 2 + rand_u32() % redis->wait_ms, attempt, redis);
	redis->wait_ms = redis->wait_ms * 2 > MAX_WAIT_MS ? MAX_WAIT_MS : redis->wait_ms * 2;
	for (; count; count--) {
		const struct request request = redis->requests[redis->first];

		redis->first = (redis->first + 1) % TANDEM_REDIS_PENDING;
		request.h(NULL, request.arg);
	}
	redis->state_h(false, redis->why, redis->arg);
}

static void on_impatience(void *arg)
{
	struct tandem_redis *redis = arg;

	give_up(redis, redis->state == UP ? "no reply for too long" : "not connected in time");
}

static void be_patient(struct tandem_redis *redis)
{
	if (redis->count || redis->state != UP)
		tmr_start(&redis->patience, PATIENCE_MS, on_impatience, redis);
	else
		tmr_cancel(&redis->patience);
}

static int put(struct tandem_redis *redis, int argc, const char **argv, const size_t *lengths,
	       tandem_redis_reply_h *h, void *arg)
{
	struct request *request;
	struct mbuf mb = { 0 };
	char *text;
	int len, err;

	if (redis->count == TANDEM_REDIS_PENDING)
		return -ENOBUFS;
	len = (int)redisFormatCommandArgv(&text, argc, argv, lengths);
	if (len < 0)
		return -ENOMEM;
	mbuf_init(&mb);
	mb.buf = (uint8_t *)text;
	mb.size = mb.end = (size_t)len;
	err = tcp_send(redis->tcp, &mb);
	explicit_bzero(text, (size_t)len); /* there may be keys in it */
	redisFreeCommand(text);
	if (err)
		return -err;
	request = &redis->requests[(redis->first + redis->count) % TANDEM_REDIS_PENDING];
	*request = (struct request){ h, arg };
	if (!redis->count++)
		be_patient(redis);
	return 0;
}

int tandem_redis_send(struct tandem_redis *redis, int argc, const char **argv,
		      const size_t *lengths, tandem_redis_reply_h *h, void *arg)
{
	return redis->state == UP ? put(redis, argc, argv, lengths, h, arg) : -ENOTCONN;
}

/* ---- the beginning of a connection: who we are, which database ---------------- */

static void on_selected(const struct redisReply *reply, void *arg)
{
	struct tandem_redis *redis = arg;

	if (!reply)
		return;
	if (reply->type == REDIS_REPLY_ERROR) {
		give_up(redis, reply->str);
		return;
	}
	redis->state = UP;
	redis->wait_ms = FIRST_WAIT_MS;
	be_patient(redis);
	redis->state_h(true, "", redis->arg);
}

static void select_db(struct tandem_redis *redis)
{
	char db[16];
	const char *argv[] = { "SELECT", db };

	snprintf(db, sizeof(db), "%u", redis->cfg.db);
	if (put(redis, 2, argv, NULL, on_selected, redis))
		give_up(redis, "cannot be written to");
}

static void on_authenticated(const struct redisReply *reply, void *arg)
{
	struct tandem_redis *redis = arg;

	if (!reply)
		return;
	if (reply->type == REDIS_REPLY_ERROR)
		give_up(redis, reply->str);
	else
		select_db(redis);
}

static void on_established(void *arg)
{
	struct tandem_redis *redis = arg;
	const char *argv[3] = { "AUTH" };
	int argc = 1;

	if (!redis->cfg.password) {
		select_db(redis);
		return;
	}
	if (redis->cfg.user)
		argv[argc++] = redis->cfg.user;
	argv[argc++] = redis->cfg.password;
	if (put(redis, argc, argv, NULL, on_authenticated, redis))
		give_up(redis, "cannot be written to");
}

static void on_closed(int err, void *arg)
{
	struct tandem_redis *redis = arg;

	give_up(redis, err ? strerror(err) : "closed by the server");
}

static void take_reply(struct tandem_redis *redis, struct redisReply *reply)
{
	struct request request;

	if (!redis->count) {
		give_up(redis, "a reply to nothing");
		return;
	}
	request = redis->requests[redis->first];
	redis->first = (redis->first + 1) % TANDEM_REDIS_PENDING;
	redis->count--;
	be_patient(redis);
	request.h(reply, request.arg);
}

static void on_received(struct mbuf *mb, void *arg)
{
	struct tandem_redis *redis = arg;
	void *reply = NULL;
	int err = redisReaderFeed(redis->reader, (const char *)mbuf_buf(mb), mbuf_get_left(mb));

	while (!err && redis->state != DOWN) {
		err = redisReaderGetReply(redis->reader, &reply);
		if (err || !reply)
			break;
		take_reply(redis, reply);
		freeReplyObject(reply);
	}
	if (err)
		give_up(redis, "does not speak the protocol of Redis");
}

static int start_tls(struct tandem_redis *redis)
{
	const char *name = redis->cfg.tls_name;
	struct sa literal;
	int err = tls_start_tcp(&redis->tls_conn, redis->tls, redis->tcp, 0);

	if (!name && sa_set_str(&literal, redis->cfg.host, 0))
		name = redis->cfg.host;
	return err ? err : tls_set_verify_server(redis->tls_conn, name ? name : redis->cfg.host);
}

/* Not by tcp_connect(), which is the SIP stack's and keeps its account of connections. */
static void connect_to(struct tandem_redis *redis, const struct sa *addr)
{
	int err;

	redis->reader = redisReaderCreate();
	err = redis->reader ? tcp_conn_alloc(&redis->tcp, addr, on_established, on_received,
					     on_closed, redis)
			    : ENOMEM;
	if (!err) {
		tcp_conn_txqsz_set(redis->tcp, QUEUE_MAX);
		err = tcp_conn_connect(redis->tcp, addr);
	}
	if (!err && redis->tls)
		err = start_tls(redis);
	if (err)
		give_up(redis, strerror(err));
	else
		be_patient(redis);
}

/* ---- where the server is ---------------------------------------------------- */

static void on_lookup(void *arg)
{
	struct tandem_redis *redis = arg;
	struct sa addr;
	int err = gai_error(&redis->lookup);

	if (err == EAI_INPROGRESS) {
		tmr_start(&redis->timer, LOOKUP_MS, on_lookup, redis);
		return;
	}
	redis->looking = false;
	if (!err && sa_set_sa(&addr, redis->lookup.ar_result->ai_addr))
		err = EAI_FAMILY;
	if (redis->lookup.ar_result)
		freeaddrinfo(redis->lookup.ar_result);
	redis->lookup.ar_result = NULL;
	if (err)
		give_up(redis, gai_strerror(err));
	else
		connect_to(redis, &addr);
}

static void attempt(void *arg)
{
	struct tandem_redis *redis = arg;
	int err;

	disconnect(redis);
	redis->state = OPENING;
	redis->lookup = (struct gaicb){
		.ar_name = redis->cfg.host,
		.ar_service = redis->service,
		.ar_request = &redis->hints,
	};
	err = getaddrinfo_a(GAI_NOWAIT, redis->lookups, 1, NULL);
	redis->looking = !err;
	if (err)
		give_up(redis, gai_strerror(err));
	else
		tmr_start(&redis->timer, 1, on_lookup, redis);
}

static int open_tls(struct tandem_redis *redis)
{
	const struct tandem_redis_config *cfg = &redis->cfg;
	int err = tls_alloc(&redis->tls, TLS_METHOD_SSLV23, cfg->certificate, NULL);

	if (!err)
		err = tls_add_ca(redis->tls,
				 cfg->ca ? cfg->ca : "/etc/ssl/certs/ca-certificates.crt");
	return err;
}

int tandem_redis_alloc(struct tandem_redis **redisp, const struct tandem_redis_config *cfg,
		       tandem_redis_state_h *state_h, void *arg)
{
	struct tandem_redis *redis = calloc(1, sizeof(*redis));
	int err;

	if (!redis)
		return -ENOMEM;
	redis->cfg = *cfg;
	redis->state_h = state_h;
	redis->arg = arg;
	redis->wait_ms = FIRST_WAIT_MS;
	redis->hints.ai_socktype = SOCK_STREAM;
	redis->lookups[0] = &redis->lookup;
	snprintf(redis->service, sizeof(redis->service), "%u", cfg->port);
	tmr_init(&redis->timer);
	tmr_init(&redis->patience);
	err = cfg->tls ? open_tls(redis) : 0;
	if (err) {
		tandem_redis_free(redis);
		return -err;
	}
	attempt(redis);
	*redisp = redis;
	return 0;
}

void tandem_redis_free(struct tandem_redis *redis)
{
	if (!redis)
		return;
	redis->state = DOWN;
	/* the resolver's thread writes to the request until it is done */
	while (redis->looking && gai_cancel(&redis->lookup) == EAI_NOTCANCELED)
		(void)gai_suspend((const struct gaicb *const *)redis->lookups, 1, NULL);
	if (redis->lookup.ar_result)
		freeaddrinfo(redis->lookup.ar_result);
	disconnect(redis);
	tmr_cancel(&redis->timer);
	mem_deref(redis->tls);
	free(redis);
}
