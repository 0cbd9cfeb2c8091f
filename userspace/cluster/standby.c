/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/cluster/standby.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "userspace/util/log.h"

#define MODULE	  "cluster"
#define FLUSH_MS  5    /* changes that come together are written together */
#define ASK_MS	  5000 /* how often is asked who owns it */
#define PAGE_TEXT "50" /* sessions that are read at a time */
#define HEAD_ARGS 7    /* of EVAL, in front of what the script is for */
#define MAX_ARGS  (HEAD_ARGS + 2 * TANDEM_CLUSTER_BATCH)

/*
 * KEYS: owner, calls. ARGV: node, seconds to keep. Returns the owner before, or "". Who comes last
 * has the address.
 */
static const char claim_script[] = "local before = redis.call('GET', KEYS[1]) or '' "
				   "redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2]) "
				   "redis.call('EXPIRE', KEYS[2], ARGV[2]) "
				   "return before";

/*
 * ARGV: node, seconds, then pairs of a session's id and its text, which is empty when it is gone.
 * Nothing is written unless the node is the owner. Returns the owner, or "".
 */
static const char write_script[] = "local owner = redis.call('GET', KEYS[1]) or '' "
				   "if owner ~= ARGV[1] then return owner end "
				   "for i = 3, #ARGV, 2 do "
				   "if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[2], ARGV[i]) "
				   "else redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end end "
				   "redis.call('EXPIRE', KEYS[1], ARGV[2]) "
				   "redis.call('EXPIRE', KEYS[2], ARGV[2]) "
				   "return owner";

static void claim(struct tandem_standby *standby);
static void load_page(struct tandem_standby *standby, const char *cursor);
static void flush(struct tandem_standby *standby);

const char *tandem_standby_state_name(enum tandem_standby_state state)
{
	static const char *const names[] = { "away",	"waiting", "claiming",
					     "loading", "owner",   "elsewhere" };

	return names[state];
}

/* The clock of sessions. */
static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void on_flush(void *arg)
{
	flush(arg);
}

void tandem_standby_init(struct tandem_standby *standby, const struct tandem_cluster_config *cfg,
			 size_t local)
{
	*standby = (struct tandem_standby){ .cfg = cfg, .local = local };
	tandem_ip_format(&cfg->locals[local].ip, standby->address, sizeof(standby->address));
	/* braces: a cluster of Redis keeps both keys in one slot, or no script could have them */
	snprintf(standby->owner_key, sizeof(standby->owner_key), "%s:{%s}:owner", cfg->prefix,
		 standby->address);
	snprintf(standby->calls_key, sizeof(standby->calls_key), "%s:{%s}:calls", cfg->prefix,
		 standby->address);
	tmr_init(&standby->flush);
}

void tandem_standby_clean(struct tandem_standby *standby)
{
	tmr_cancel(&standby->flush);
	tandem_changes_clean(&standby->changes);
}

/* ---- asking Redis ------------------------------------------------------------- */

/* It is asked again by the tick. */
static void failed(struct tandem_standby *standby, const char *why)
{
	if (!standby->error[0])
		tandem_log(TANDEM_LOG_WARNING, MODULE, "%s: Redis: %s", standby->address, why);
	snprintf(standby->error, sizeof(standby->error), "%s", why);
	standby->counters.errors++;
	standby->writing = false;
	tandem_changes_clean(&standby->changes);
	if (standby->state != TANDEM_STANDBY_AWAY)
		standby->state = TANDEM_STANDBY_WAITING;
}

/* True for a reply of the type that was to be expected; else what follows is done. */
static bool is_good(struct tandem_standby *standby, const struct redisReply *reply, int type)
{
	if (!reply)
		return false; /* the connection is gone, of which tandem_standby_redis() hears */
	if (reply->type == type) {
		standby->error[0] = '\0';
		return true;
	}
	failed(standby, reply->type == REDIS_REPLY_ERROR ? reply->str : "unexpected reply");
	return false;
}

/* Of the argc arguments the first HEAD_ARGS are filled in. */
static int evaluate(struct tandem_standby *standby, const char *script, int argc, const char **argv,
		    tandem_redis_reply_h *h)
{
	char keep[16];
	const char *head[] = {
		"EVAL", script, "2", standby->owner_key, standby->calls_key, standby->cfg->node,
		keep
	};
	size_t lengths[MAX_ARGS];
	int i;

	snprintf(keep, sizeof(keep), "%" PRIu32, standby->cfg->keep_s);
	memcpy(argv, head, sizeof(head));
	for (i = 0; i < argc; i++)
		lengths[i] = strlen(argv[i]);
	return tandem_redis_send(standby->redis, argc, argv, lengths, h, standby);
}

/* ---- sessions that go ----------------------------------------------------------- */

struct releasing {
	struct tandem_standby *standby;
	bool all;
	char why[96];
};

static void release_one(uint64_t number, bool restored, uint64_t since_ms, void *arg)
{
	const struct releasing *r = arg;

	/* what has begun here since the address came is nobody else's */
	if (!r->all && !restored && since_ms >= r->standby->held_ms)
		return;
	if (!tandem_session_release(r->standby->sessions, number, r->why))
		r->standby->counters.released++;
}

static void release(struct tandem_standby *standby, bool all)
{
	struct releasing r = { .standby = standby, .all = all };

	snprintf(r.why, sizeof(r.why), "node %.40s has %.40s", standby->owner, standby->address);
	tandem_sessions_at(standby->sessions, standby->local, release_one, &r);
}

/* Another node has claimed the address since. */
static void taken(struct tandem_standby *standby, const char *owner)
{
	snprintf(standby->owner, sizeof(standby->owner), "%s", owner);
	tandem_changes_clean(&standby->changes);
	if (standby->state == TANDEM_STANDBY_AWAY) {
		release(standby, true);
		return;
	}
	if (standby->state != TANDEM_STANDBY_ELSEWHERE)
		tandem_log(
			TANDEM_LOG_ERROR, MODULE,
			"%s is on this host, but node %s has claimed it: calls here go on, and are "
			"not copied any more",
			standby->address, owner);
	standby->state = TANDEM_STANDBY_ELSEWHERE;
}

/* ---- writing -------------------------------------------------------------------- */

static void on_written(const struct redisReply *reply, void *arg)
{
	struct tandem_standby *standby = arg;

	standby->writing = false;
	if (!is_good(standby, reply, REDIS_REPLY_STRING))
		return;
	if (!strcmp(reply->str, standby->cfg->node)) {
		flush(standby);
		return;
	}
	if (reply->str[0])
		taken(standby, reply->str);
	else if (standby->state == TANDEM_STANDBY_OWNER)
		claim(standby); /* Redis has lost what it had */
}

static void write_batch(struct tandem_standby *standby)
{
	const char *argv[MAX_ARGS];
	char ids[TANDEM_CLUSTER_BATCH][17];
	char *texts[TANDEM_CLUSTER_BATCH];
	uint64_t number;
	size_t n = 0, i;
	bool gone;
	int err;

	while (n < TANDEM_CLUSTER_BATCH && tandem_changes_take(&standby->changes, &number, &gone)) {
		snprintf(ids[n], sizeof(ids[n]), "%012" PRIx64, number);
		texts[n] = gone ? NULL : tandem_session_text(standby->sessions, number);
		argv[HEAD_ARGS + 2 * n] = ids[n];
		argv[HEAD_ARGS + 2 * n + 1] = texts[n] ? texts[n] : "";
		n++;
	}
	err = evaluate(standby, write_script, HEAD_ARGS + 2 * (int)n, argv, on_written);
	for (i = 0; i < n; i++) {
		if (texts[i])
			explicit_bzero(texts[i], strlen(texts[i]));
		free(texts[i]);
	}
	standby->writing = !err;
	standby->asked_ms = now_ms();
	if (err)
		failed(standby, strerror(-err));
	else
		standby->counters.written += n;
}

static void flush(struct tandem_standby *standby)
{
	if (standby->state == TANDEM_STANDBY_OWNER && !standby->writing && standby->changes.count)
		write_batch(standby);
}

void tandem_standby_changed(struct tandem_standby *standby, uint64_t number, bool gone)
{
	if (standby->state < TANDEM_STANDBY_CLAIMING || standby->state == TANDEM_STANDBY_ELSEWHERE)
		return; /* all are written once it is ours */
	if (tandem_changes_add(&standby->changes, number, gone)) {
		failed(standby, strerror(ENOMEM));
		return;
	}
	if (standby->state == TANDEM_STANDBY_OWNER && !standby->writing &&
	    !tmr_isrunning(&standby->flush))
		tmr_start(&standby->flush, FLUSH_MS, on_flush, standby);
}

/* ---- claiming, and reading what there is --------------------------------------- */

static void mark_one(uint64_t number, bool restored, uint64_t since_ms, void *arg)
{
	tandem_standby_changed(arg, number, false);
}

static void loaded(struct tandem_standby *standby)
{
	if (standby->adopted || standby->foreign)
		tandem_log(TANDEM_LOG_INFO, MODULE, "%s: %zu calls of node %s taken over",
			   standby->address, standby->adopted,
			   standby->foreign ? standby->owner : standby->cfg->node);
	standby->state = TANDEM_STANDBY_OWNER;
	standby->owned = true;
	snprintf(standby->owner, sizeof(standby->owner), "%s", standby->cfg->node);
	/* all, as nobody knows what of them was written when */
	tandem_sessions_at(standby->sessions, standby->local, mark_one, standby);
	flush(standby);
}

/* One session as Redis has it. */
static void take_up(struct tandem_standby *standby, const char *id, const char *text)
{
	uint64_t number = strtoull(id, NULL, 16);
	bool known = tandem_session_at_home(standby->sessions, number, standby->local);
	int err;

	if (known && !standby->foreign)
		return;
	if (!standby->foreign && standby->owned) {
		/* it ended while nothing could be written */
		tandem_standby_changed(standby, number, true);
		return;
	}
	err = tandem_session_adopt(standby->sessions, text, standby->adopted_h, standby->arg);
	if (!err) {
		standby->adopted++;
		standby->counters.adopted++;
		/* its number was taken here, and it has another now */
		if (!tandem_session_at_home(standby->sessions, number, standby->local))
			tandem_standby_changed(standby, number, true);
	}
	if (!err || err == -EEXIST)
		return;
	standby->counters.refused++;
	tandem_log(TANDEM_LOG_ERROR, MODULE, "%s: %s cannot be taken over: %s", standby->address,
		   id, strerror(-err));
}

static void on_page(const struct redisReply *reply, void *arg)
{
	struct tandem_standby *standby = arg;
	const struct redisReply *list;
	size_t i;

	if (!is_good(standby, reply, REDIS_REPLY_ARRAY) || standby->state != TANDEM_STANDBY_LOADING)
		return;
	if (reply->elements != 2 || reply->element[0]->type != REDIS_REPLY_STRING ||
	    reply->element[1]->type != REDIS_REPLY_ARRAY) {
		failed(standby, "unexpected reply");
		return;
	}
	list = reply->element[1];
	for (i = 0; i + 1 < list->elements; i += 2) {
		if (list->element[i]->type == REDIS_REPLY_STRING &&
		    list->element[i + 1]->type == REDIS_REPLY_STRING)
			take_up(standby, list->element[i]->str, list->element[i + 1]->str);
	}
	if (strcmp(reply->element[0]->str, "0"))
		load_page(standby, reply->element[0]->str);
	else
		loaded(standby);
}

static void load_page(struct tandem_standby *standby, const char *cursor)
{
	const char *argv[] = { "HSCAN", standby->calls_key, cursor, "COUNT", PAGE_TEXT };
	int err = tandem_redis_send(standby->redis, 5, argv, NULL, on_page, standby);

	if (err)
		failed(standby, strerror(-err));
}

static void on_claimed(const struct redisReply *reply, void *arg)
{
	struct tandem_standby *standby = arg;

	if (!is_good(standby, reply, REDIS_REPLY_STRING) ||
	    standby->state != TANDEM_STANDBY_CLAIMING)
		return;
	standby->foreign = reply->str[0] && strcmp(reply->str, standby->cfg->node);
	standby->adopted = 0;
	snprintf(standby->owner, sizeof(standby->owner), "%s", reply->str);
	standby->state = TANDEM_STANDBY_LOADING;
	/* what another had since is right, and not what is left here from before */
	if (standby->foreign)
		release(standby, false);
	load_page(standby, "0");
}

static void claim(struct tandem_standby *standby)
{
	const char *argv[MAX_ARGS];
	int err;

	standby->state = TANDEM_STANDBY_CLAIMING;
	standby->asked_ms = now_ms();
	err = evaluate(standby, claim_script, HEAD_ARGS, argv, on_claimed);
	if (err)
		failed(standby, strerror(-err));
}

/* ---- who owns it? ----------------------------------------------------------------- */

static void on_owner(const struct redisReply *reply, void *arg)
{
	struct tandem_standby *standby = arg;

	if (!reply || (reply->type != REDIS_REPLY_STRING && reply->type != REDIS_REPLY_NIL))
		return;
	if (reply->type == REDIS_REPLY_STRING && strcmp(reply->str, standby->cfg->node))
		taken(standby, reply->str);
	else if (standby->state == TANDEM_STANDBY_ELSEWHERE)
		claim(standby);
}

static void ask(struct tandem_standby *standby)
{
	const char *argv[] = { "GET", standby->owner_key };

	standby->asked_ms = now_ms();
	(void)tandem_redis_send(standby->redis, 2, argv, NULL, on_owner, standby);
}

/* ---- what happens --------------------------------------------------------------- */

void tandem_standby_hold(struct tandem_standby *standby, bool held)
{
	bool was = standby->state != TANDEM_STANDBY_AWAY;

	if (held == was)
		return;
	tandem_log(TANDEM_LOG_INFO, MODULE, "%s %s this host", standby->address,
		   held ? "is on" : "has left");
	tandem_sessions_hold(standby->sessions, standby->local, held);
	if (!held) {
		flush(standby);
		tandem_changes_clean(&standby->changes);
		standby->state = TANDEM_STANDBY_AWAY;
		return;
	}
	standby->state = TANDEM_STANDBY_WAITING;
	standby->held_ms = now_ms();
	/* it may have been here before, and somewhere else meanwhile */
	standby->owned = false;
	if (tandem_redis_up(standby->redis))
		claim(standby);
}

void tandem_standby_redis(struct tandem_standby *standby, bool up)
{
	if (!up) {
		standby->writing = false;
		tandem_changes_clean(&standby->changes);
		if (standby->state != TANDEM_STANDBY_AWAY)
			standby->state = TANDEM_STANDBY_WAITING;
	} else if (standby->state == TANDEM_STANDBY_WAITING) {
		claim(standby);
	} else {
		ask(standby);
	}
}

void tandem_standby_tick(struct tandem_standby *standby)
{
	if (!tandem_redis_up(standby->redis))
		return;
	if (standby->state == TANDEM_STANDBY_WAITING) {
		claim(standby);
		return;
	}
	if (now_ms() - standby->asked_ms < ASK_MS)
		return;
	if (standby->state == TANDEM_STANDBY_OWNER && !standby->writing)
		write_batch(standby); /* nothing in it, which renews what is there */
	else if (standby->state == TANDEM_STANDBY_ELSEWHERE ||
		 standby->state == TANDEM_STANDBY_AWAY)
		ask(standby);
}
