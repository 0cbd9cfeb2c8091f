/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/conns.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "userspace/sip/auth.h"
#include "userspace/sip/block.h"
#include "userspace/sip/gateway.h"
#include "userspace/util/log.h"

#define TICK_MS	 1000
#define LOG_MS	 60000
#define BUCKETS	 4096
#define SLACK_MS 1500 /* libre's own timers may come first */

/* A host, or a network of IPv6, that connections have come from. */
struct tandem_conn_source {
	struct tandem_conn_source *next;
	struct ip_addr net;
	size_t count;
};

struct tandem_conns {
	struct tandem_conns *next; /* of all that watch */
	struct tandem_sip *ts;
	uint32_t max;
	uint32_t max_per_source;
	uint64_t handshake_ms;
	uint64_t message_ms;
	uint64_t idle_ms;
	uint64_t flow_ms;
	uint64_t key[2];
	struct tandem_conn_source *sources[BUCKETS];
	struct list stages[TANDEM_CONN_STAGES];
	size_t counts[TANDEM_CONN_STAGES];
	struct list partial;
	struct list gone; /* closed, but a handler of theirs may be running */
	size_t count;
	uint64_t logged_ms;
	struct tmr tmr;
	struct {
#define COUNTER(name) uint64_t name;
		TANDEM_CONN_COUNTERS(COUNTER)
#undef COUNTER
	} counters;
};

static struct tandem_conns *watching;

struct tandem_conns *tandem_conns_first(void)
{
	return watching;
}

struct tandem_conns *tandem_conns_at(const struct sa *local)
{
	struct tandem_conns *c;
	size_t i;

	for (c = watching; c; c = c->next) {
		for (i = 0; i < c->ts->listeners_count; i++) {
			const struct tandem_listener *l = &c->ts->listeners[i];

			if ((l->tp == SIP_TRANSP_TCP || l->tp == SIP_TRANSP_TLS) &&
			    sa_cmp(&l->addr, local, SA_ALL))
				return c;
		}
	}

	return NULL;
}

/* ---- sources ---- */

static struct tandem_conn_source **source_at(struct tandem_conns *c, const struct ip_addr *net)
{
	struct tandem_conn_source **p = &c->sources[tandem_ip_hash(net, c->key) % BUCKETS];

	while (*p && !tandem_ip_equal(&(*p)->net, net))
		p = &(*p)->next;

	return p;
}

static struct tandem_conn_source *source_get(struct tandem_conns *c, const struct ip_addr *ip)
{
	struct ip_addr net = tandem_ip_network(ip);
	struct tandem_conn_source **p = source_at(c, &net);

	if (!*p) {
		*p = calloc(1, sizeof(**p));
		if (!*p)
			return NULL;
		(*p)->net = net;
	}
	(*p)->count++;

	return *p;
}

static void source_put(struct tandem_conns *c, struct tandem_conn_source *source)
{
	struct tandem_conn_source **p;

	if (--source->count)
		return;
	p = source_at(c, &source->net);
	*p = source->next;
	free(source);
}

/* ---- stages ---- */

static void set_stage(struct tandem_conn *conn, enum tandem_conn_stage stage)
{
	struct tandem_conns *c = conn->all;

	list_unlink(&conn->le);
	c->counts[conn->stage]--;
	conn->stage = stage;
	conn->since = tmr_jiffies();
	c->counts[stage]++;
	list_append(&c->stages[stage], &conn->le, conn);
}

static void set_partial(struct tandem_conn *conn, bool is)
{
	if (is == (conn->partial_since != 0))
		return;
	if (is)
		list_append(&conn->all->partial, &conn->le_partial, conn);
	else
		list_unlink(&conn->le_partial);
	conn->partial_since = is ? tmr_jiffies() : 0;
}

/* The counter of the limit that conn is beyond at now; NULL: none. */
static uint64_t *overdue(const struct tandem_conn *conn, uint64_t now)
{
	struct tandem_conns *c = conn->all;
	uint64_t limit;

	if (conn->stage == TANDEM_CONN_HANDSHAKE || conn->stage == TANDEM_CONN_CALLING)
		return now - conn->since >= c->handshake_ms ? &c->counters.handshake_timeout : NULL;
	if (conn->stage == TANDEM_CONN_NEW)
		return now - conn->since >= c->message_ms ? &c->counters.message_timeout : NULL;
	if (conn->partial_since && now - conn->partial_since >= c->message_ms)
		return &c->counters.message_timeout;

	limit = conn->stage == TANDEM_CONN_FLOW ? c->flow_ms : c->idle_ms;

	return now - conn->since >= limit ? &c->counters.idle_timeout : NULL;
}

/* As if its peer had: libre lets go of all that waits for it. Reset: nothing of it stays behind. */
static void hang_up(struct tandem_conn *conn, uint64_t *counter)
{
	const struct linger none = { .l_onoff = 1, .l_linger = 0 };

	if (counter != &conn->all->counters.idle_timeout)
		(void)setsockopt(tcp_conn_fd(conn->tc), SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	conn->closed_by = counter;
	conn->close_h(ECONNABORTED, conn->arg);
}

void tandem_conn_gone(struct tandem_conn *conn)
{
	struct tandem_conns *c = conn->all;
	uint64_t *counter = conn->closed_by;

	if (!counter)
		counter = overdue(conn, tmr_jiffies() + SLACK_MS);
	if (counter)
		++*counter;
	set_partial(conn, false);
	list_unlink(&conn->le);
	c->counts[conn->stage]--;
	if (conn->source) {
		c->count--;
		source_put(c, conn->source);
	}
	conn->tc = NULL;
	list_append(&c->gone, &conn->le, conn);
}

/* ---- who comes ---- */

/* Once a minute, as a flood of them is one piece of news. */
static void tell(struct tandem_conns *c, const struct ip_addr *ip, const char *why)
{
	char text[TANDEM_ENDPOINT_STRLEN];
	uint64_t now = tmr_jiffies();

	if (c->logged_ms && now - c->logged_ms < LOG_MS)
		return;
	c->logged_ms = now;
	tandem_log(TANDEM_LOG_WARNING, "sip", "connections are refused, as that of %s: %s",
		   tandem_ip_format(ip, text, sizeof(text)), why);
}

static struct tandem_conn *first_to_go(const struct tandem_conns *c, bool for_trusted)
{
	size_t stage, last = for_trusted ? TANDEM_CONN_CALLING : TANDEM_CONN_REGISTERED;
	struct le *le;

	for (stage = 0; stage < last; stage++) {
		for (le = c->stages[stage].head; le; le = le->next) {
			struct tandem_conn *conn = le->data;

			if (!conn->trusted)
				return conn;
		}
	}

	return NULL;
}

static bool is_trusted(const struct tandem_sip *ts, const struct ip_addr *ip)
{
	return tandem_auth_trusts(ts->auth, ip) || tandem_gateway_at(ts->gateways, ip);
}

/* 0, or a negative errno for who is not to be let in; conn has its ip by then. */
static int admit(struct tandem_conns *c, struct tandem_conn *conn)
{
	struct tandem_conn *victim;

	if (tandem_block_refuses(c->ts->block, &conn->ip)) {
		c->counters.refused_blocked++;
		return -ECONNREFUSED;
	}
	conn->trusted = is_trusted(c->ts, &conn->ip);
	conn->source = source_get(c, &conn->ip);
	if (!conn->source)
		return -ENOMEM;
	if (!conn->trusted && conn->source->count > c->max_per_source) {
		c->counters.refused_source++;
		tell(c, &conn->ip, "it has as many as sip.connections.max_per_source");
		return -ECONNREFUSED;
	}
	if (c->count < c->max)
		return 0;
	victim = first_to_go(c, conn->trusted);
	if (!victim) {
		c->counters.refused_full++;
		tell(c, &conn->ip, "there are as many as sip.connections.max_connections");
		return -ENOSPC;
	}
	hang_up(victim, &c->counters.evicted);

	return 0;
}

static int peer_of(struct ip_addr *ip, const struct tcp_conn *tc)
{
	struct tandem_endpoint ep;
	struct sa peer;
	int err = -tcp_conn_peer_get(tc, &peer);

	if (!err)
		err = tandem_sip_endpoint(&ep, &peer);
	if (!err)
		*ip = ep.ip;

	return err;
}

int tandem_conns_enter(struct tandem_conns *c, struct tandem_conn *conn, struct tcp_conn *tc)
{
	const struct linger none = { .l_onoff = 1, .l_linger = 0 };
	int err = peer_of(&conn->ip, tc);

	conn->all = c;
	conn->tc = tc;
	if (!err)
		err = admit(c, conn);
	if (!err)
		err = tandem_conn_index(conn);
	if (err) {
		if (conn->source)
			source_put(c, conn->source);
		(void)setsockopt(tcp_conn_fd(tc), SOL_SOCKET, SO_LINGER, &none, sizeof(none));
		return err;
	}
	c->count++;
	c->counters.accepted++;
	c->counts[TANDEM_CONN_HANDSHAKE]++;
	set_stage(conn, TANDEM_CONN_HANDSHAKE);

	return 0;
}

/* ---- who is called ---- */

static size_t outgoing(const struct tandem_conns *c)
{
	return c->counts[TANDEM_CONN_CALLING] + c->counts[TANDEM_CONN_OURS];
}

int tandem_conns_call(struct tandem_conns *c, const struct sa *peer)
{
	struct tandem_endpoint ep;
	int err = tandem_sip_endpoint(&ep, peer);

	if (err)
		return err;
	if (tandem_block_refuses(c->ts->block, &ep.ip)) {
		c->counters.refused_blocked++;
		return -ECONNREFUSED;
	}
	if (outgoing(c) >= 2 * (size_t)c->max) {
		c->counters.refused_full++;
		tell(c, &ep.ip, "too many were opened to others");
		return -ENFILE;
	}

	return 0;
}

int tandem_conns_leave(struct tandem_conns *c, struct tandem_conn *conn, struct tcp_conn *tc,
		       const struct sa *peer)
{
	struct tandem_endpoint ep;
	int err = tandem_sip_endpoint(&ep, peer);

	if (err)
		return err;
	conn->all = c;
	conn->tc = tc;
	conn->ip = ep.ip;
	conn->stage = TANDEM_CONN_CALLING;
	err = tandem_conn_index(conn);
	if (err)
		return err;
	c->counts[TANDEM_CONN_CALLING]++;
	set_stage(conn, TANDEM_CONN_CALLING);

	return 0;
}

/* Not when one more is opened: libre is sending then, and who is cut off may be of the same call. */
static void trim_ours(struct tandem_conns *c)
{
	struct le *le;
	size_t n;

	for (n = outgoing(c); n > c->max; n--) {
		le = c->stages[TANDEM_CONN_OURS].head;
		if (!le)
			le = c->stages[TANDEM_CONN_CALLING].head;
		if (le)
			hang_up(le->data, &c->counters.evicted);
	}
}

/* ---- what they do ---- */

void tandem_conn_established(struct tandem_conn *conn)
{
	if (conn->tc && conn->stage == TANDEM_CONN_HANDSHAKE)
		set_stage(conn, TANDEM_CONN_NEW);
	else if (conn->tc && conn->stage == TANDEM_CONN_CALLING)
		set_stage(conn, TANDEM_CONN_OURS);
}

void tandem_conn_received(struct tandem_conn *conn, bool blank)
{
	if (conn->message && conn->stage < TANDEM_CONN_HEARD)
		set_stage(conn, TANDEM_CONN_HEARD);
	else if (conn->stage >= TANDEM_CONN_HEARD)
		set_stage(conn, conn->stage);
	/* what follows a message in the same piece counts when its rest comes */
	if (conn->message)
		set_partial(conn, false);
	else if (!blank)
		set_partial(conn, true);
}

void tandem_conns_registered(const struct sip_msg *msg, bool flow)
{
	struct tandem_conn *conn = tandem_conn_find(sip_msg_tcpconn(msg));

	if (conn && conn->source)
		set_stage(conn, flow ? TANDEM_CONN_FLOW : TANDEM_CONN_REGISTERED);
}

static void close_if_blocked(struct tandem_conn *conn, void *arg)
{
	struct tandem_conns *c = arg;

	if (conn->all == c && tandem_block_refuses(c->ts->block, &conn->ip))
		hang_up(conn, &c->counters.closed_blocked);
}

void tandem_conns_close_blocked(struct tandem_conns *c)
{
	tandem_conn_each(close_if_blocked, c);
}

static void close_overdue(struct tandem_conns *c, struct list *list, uint64_t now)
{
	struct tandem_conn *conn;
	uint64_t *counter;
	size_t n;

	for (n = c->count + outgoing(c); n && list->head; n--) {
		conn = list->head->data;
		counter = overdue(conn, now);
		if (!counter)
			return;
		hang_up(conn, counter);
	}
}

static void forget_gone(struct tandem_conns *c)
{
	while (c->gone.head) {
		struct tandem_conn *conn = c->gone.head->data;

		list_unlink(&conn->le);
		mem_deref(conn);
	}
}

static void tick(void *arg)
{
	struct tandem_conns *c = arg;
	uint64_t now = tmr_jiffies();
	size_t stage;

	for (stage = 0; stage < TANDEM_CONN_STAGES; stage++)
		close_overdue(c, &c->stages[stage], now);
	close_overdue(c, &c->partial, now);
	trim_ours(c);
	forget_gone(c);
	tmr_start(&c->tmr, TICK_MS, tick, c);
}

/* ---- all of them ---- */

/* Descriptors are for media and browsers, too. */
static void fit_descriptors(struct tandem_conns *c)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur / 2 >= c->max)
		return;
	c->max = (uint32_t)MAX(limit.rlim_cur / 2, 1);
	tandem_log(TANDEM_LOG_INFO, "sip",
		   "%u connections at most, half of the descriptors of this process", c->max);
}

int tandem_conns_alloc(struct tandem_conns **cp, struct tandem_sip *ts)
{
	const struct tandem_sip_connections_config *cfg = &ts->cfg.connections;
	struct tandem_conns *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	if (getrandom(c->key, sizeof(c->key), 0) != sizeof(c->key)) {
		free(c);
		return -EIO;
	}
	c->ts = ts;
	c->max = cfg->max_connections;
	c->max_per_source = cfg->max_per_source;
	c->handshake_ms = cfg->handshake_s * 1000ull;
	c->message_ms = cfg->message_s * 1000ull;
	c->idle_ms = cfg->idle_s * 1000ull;
	/* what a phone sends in time may take some time to arrive */
	c->flow_ms = cfg->flow_timer_s * 1250ull;
	fit_descriptors(c);
	tmr_init(&c->tmr);
	tmr_start(&c->tmr, TICK_MS, tick, c);
	c->next = watching;
	watching = c;
	*cp = c;

	return 0;
}

/* Whatever libre still has: it must not call back any more. */
static void let_go(struct tandem_conn *conn, void *arg)
{
	if (conn->all != arg)
		return;
	tcp_set_handlers(conn->tc, NULL, NULL, NULL, NULL);
	tandem_conn_unindex(conn);
	tandem_conn_gone(conn);
}

void tandem_conns_free(struct tandem_conns *c)
{
	struct tandem_conns **p = &watching;

	if (!c)
		return;
	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	tmr_cancel(&c->tmr);
	tandem_conn_each(let_go, c);
	forget_gone(c);
	if (!watching)
		tandem_conn_index_free();
	free(c);
}

json_t *tandem_conns_json(const struct tandem_conns *c)
{
	json_t *doc = json_object();

	json_object_set_new(doc, "open", json_integer((json_int_t)c->count));
	json_object_set_new(doc, "handshakes",
			    json_integer((json_int_t)c->counts[TANDEM_CONN_HANDSHAKE]));
	json_object_set_new(doc, "registered",
			    json_integer((json_int_t)(c->counts[TANDEM_CONN_REGISTERED] +
						      c->counts[TANDEM_CONN_FLOW])));
	json_object_set_new(doc, "outgoing", json_integer((json_int_t)outgoing(c)));
#define COUNTER(name) json_object_set_new(doc, #name, json_integer((json_int_t)c->counters.name));
	TANDEM_CONN_COUNTERS(COUNTER)
#undef COUNTER

	return doc;
}
