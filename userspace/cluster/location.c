/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/cluster/location.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/cluster/changes.h"
#include "userspace/cluster/follow.h"
#include "userspace/cluster/libre.h"
#include "userspace/util/log.h"

#define MODULE	  "cluster"
#define FLUSH_MS  5
#define BATCH	  32	  /* bindings in one request */
#define ALIVE_MS  5000	  /* how often the others hear of us */
#define LOG_TEXT  "65536" /* entries that the log keeps: more than a node can fall behind */
#define ID_MAX	  160
#define HEAD_ARGS 8
#define MAX_ARGS  (HEAD_ARGS + 2 * BATCH)

/*
 * KEYS: hash, log, secret. ARGV: node and slash, seconds to keep, a secret, if there is none yet. What the
 * node had goes from the hash, for it is about to write what it has. Returns the secret.
 */
static const char claim_script[] =
	"redis.call('SET', KEYS[3], ARGV[3], 'NX') "
	"for _, id in ipairs(redis.call('HKEYS', KEYS[1])) do "
	"if string.sub(id, 1, #ARGV[1]) == ARGV[1] then redis.call('HDEL', KEYS[1], id) "
	"end end "
	"redis.call('XADD', KEYS[2], 'MAXLEN', '~', " LOG_TEXT ", '*', "
	"'f', 'begin', 'v', string.sub(ARGV[1], 1, -2)) "
	"for i = 1, 3 do redis.call('EXPIRE', KEYS[i], ARGV[2]) end "
	"return redis.call('GET', KEYS[3])";

/* ARGV: the same first two, then pairs of f and v for the log; those with an id for the hash, too. */
static const char write_script[] = "for i = 3, #ARGV, 2 do local f, v = ARGV[i], ARGV[i + 1] "
				   "if string.find(f, '/', 1, true) then "
				   "if v == '' then redis.call('HDEL', KEYS[1], f) else "
				   "redis.call('HSET', KEYS[1], f, v) end end "
				   "redis.call('XADD', KEYS[2], 'MAXLEN', '~', " LOG_TEXT
				   ", '*', 'f', f, 'v', v) end "
				   "for i = 1, 3 do redis.call('EXPIRE', KEYS[i], ARGV[2]) end "
				   "return 'OK'";

struct tandem_cluster_location {
	struct tandem_cluster_bindings bindings;
	void *arg;
	const struct tandem_cluster_config *cfg;
	char hash_key[96], log_key[96], secret_key[96];
	char run[17];
	char own[72]; /* the node and a slash */
	char keep[16];
	uint8_t secret[TANDEM_CLUSTER_SECRET_SIZE]; /* offered to a Redis that has none */

	struct tandem_redis *writer;
	struct tandem_changes changes;
	struct tmr flush;
	enum { DOWN, CLAIMING, WRITING, CLAIMED } state; /* WRITING: not all are written yet */
	bool busy;					 /* a request is under way */
	uint64_t alive_ms;				 /* when the others heard of us last */

	struct tandem_follow *follow;
	uint64_t written, errors;
	char error[160];
};

static void flush(struct tandem_cluster_location *loc);

static void failed(struct tandem_cluster_location *loc, const char *why)
{
	if (!loc->error[0])
		tandem_log(TANDEM_LOG_WARNING, MODULE, "registrations: Redis: %s", why);
	snprintf(loc->error, sizeof(loc->error), "%s", why);
	loc->errors++;
}

/* True for a reply of the type that was to be expected. */
static bool is_good(struct tandem_cluster_location *loc, const struct redisReply *reply, int type)
{
	if (!reply)
		return false; /* the connection is gone, of which its owner hears */
	if (reply->type == type) {
		loc->error[0] = '\0';
		return true;
	}
	failed(loc, reply->type == REDIS_REPLY_ERROR ? reply->str : "unexpected reply");
	return false;
}

/* ---- what goes out ---------------------------------------------------------------- */

/* All is claimed and written anew by the tick. */
static void begin_anew(struct tandem_cluster_location *loc)
{
	tandem_changes_clean(&loc->changes);
	loc->busy = false;
	loc->state = DOWN;
}

/* argv has argc arguments, the first HEAD_ARGS of which are filled in. */
static int evaluate(struct tandem_cluster_location *loc, const char *script, int argc,
		    const char **argv, tandem_redis_reply_h *h)
{
	const char *head[HEAD_ARGS] = { "EVAL",	      script,	       "3",	 loc->hash_key,
					loc->log_key, loc->secret_key, loc->own, loc->keep };
	size_t lengths[MAX_ARGS];

	memcpy(argv, head, sizeof(head));
	for (int i = 0; i < argc; i++)
		lengths[i] = strlen(argv[i]);
	return tandem_redis_send(loc->writer, argc, argv, lengths, h, loc);
}

static void on_written(const struct redisReply *reply, void *arg)
{
	struct tandem_cluster_location *loc = arg;

	loc->busy = false;
	if (!reply)
		return;
	if (!is_good(loc, reply, REDIS_REPLY_STRING))
		begin_anew(loc);
	else
		flush(loc);
}

/* Pairs in argv behind the head; count of them is up to BATCH. */
static void write_pairs(struct tandem_cluster_location *loc, const char **argv, int count)
{
	int err = evaluate(loc, write_script, HEAD_ARGS + 2 * count, argv, on_written);

	if (err) {
		failed(loc, strerror(-err));
		begin_anew(loc);
		return;
	}
	loc->busy = true;
	loc->alive_ms = tmr_jiffies();
}

static void say(struct tandem_cluster_location *loc, const char *what)
{
	const char *argv[MAX_ARGS];

	argv[HEAD_ARGS] = what;
	argv[HEAD_ARGS + 1] = loc->cfg->node;
	write_pairs(loc, argv, 1);
}

static void flush(struct tandem_cluster_location *loc)
{
	const char *argv[MAX_ARGS];
	char ids[BATCH][ID_MAX], *texts[BATCH];
	uint64_t number;
	bool gone;
	int count = 0;

	tmr_cancel(&loc->flush);
	if (loc->busy || loc->state < WRITING)
		return;
	while (count < BATCH && tandem_changes_take(&loc->changes, &number, &gone)) {
		texts[count] = gone ? NULL : loc->bindings.text(number, loc->arg);
		/* one that came and went, or that cannot be written, has never been there */
		if (!gone && !texts[count])
			continue;
		snprintf(ids[count], ID_MAX, "%s%s/%" PRIu64, loc->own, loc->run, number);
		argv[HEAD_ARGS + 2 * count] = ids[count];
		argv[HEAD_ARGS + 2 * count + 1] = texts[count] ? texts[count] : "";
		count++;
	}
	if (count) {
		loc->written += (uint64_t)count;
		write_pairs(loc, argv, count);
	} else if (loc->state == WRITING) {
		loc->state = CLAIMED;
		say(loc, "end");
	}
	while (count)
		free(texts[--count]);
}

static void on_flush(void *arg)
{
	flush(arg);
}

void tandem_cluster_location_changed(struct tandem_cluster_location *loc, uint64_t number,
				     bool gone)
{
	/* until it is claimed nothing is noted: all is told then */
	if (loc->state < WRITING)
		return;
	if (tandem_changes_add(&loc->changes, number, gone))
		begin_anew(loc);
	else if (!loc->busy && !tmr_isrunning(&loc->flush))
		tmr_start(&loc->flush, FLUSH_MS, on_flush, loc);
}

static void on_removed(const struct redisReply *reply, void *arg)
{
	if (reply && reply->type == REDIS_REPLY_ERROR)
		failed(arg, reply->str);
}

void tandem_cluster_location_removed(struct tandem_cluster_location *loc, const char *id)
{
	const char *argv[MAX_ARGS];
	int err;

	argv[HEAD_ARGS] = id;
	argv[HEAD_ARGS + 1] = "";
	err = evaluate(loc, write_script, HEAD_ARGS + 2, argv, on_removed);
	if (err && err != -ENOTCONN)
		failed(loc, strerror(-err));
}

static int read_secret(struct tandem_cluster_location *loc, const char *text)
{
	char hex[2 * sizeof(loc->secret) + 1];

	snprintf(hex, sizeof(hex), "%s", text);
	return str_hex(loc->secret, sizeof(loc->secret), hex);
}

static void on_claimed(const struct redisReply *reply, void *arg)
{
	struct tandem_cluster_location *loc = arg;

	loc->busy = false;
	if (!is_good(loc, reply, REDIS_REPLY_STRING)) {
		begin_anew(loc);
		return;
	}
	if (reply->len != TANDEM_FOLLOW_SECRET_LEN || read_secret(loc, reply->str)) {
		failed(loc, "the secret of the nodes is none");
		begin_anew(loc);
		return;
	}
	loc->bindings.secret(loc->secret, loc->arg);
	loc->state = WRITING;
	loc->bindings.tell(loc->arg);
	flush(loc);
}

/* A Redis that has lost the secret is given the one that the nodes have, or calls would fail meanwhile. */
static void claim(struct tandem_cluster_location *loc)
{
	char text[TANDEM_FOLLOW_SECRET_LEN + 1];
	const char *argv[MAX_ARGS];
	int err;

	(void)re_snprintf(text, sizeof(text), "%w%016llx", loc->secret, sizeof(loc->secret),
			  (unsigned long long)rand_u64());
	argv[HEAD_ARGS] = text;
	loc->state = CLAIMING;
	err = evaluate(loc, claim_script, HEAD_ARGS + 1, argv, on_claimed);
	if (err) {
		failed(loc, strerror(-err));
		begin_anew(loc);
	}
}

static void on_writer(bool up, const char *why, void *arg)
{
	struct tandem_cluster_location *loc = arg;

	(void)why; /* the cluster's own connection has said so */
	begin_anew(loc);
	if (up)
		claim(loc);
}

/* ---- the whole --------------------------------------------------------------------- */

bool tandem_cluster_location_alive(const struct tandem_cluster_location *loc, const char *node)
{
	return tandem_follow_alive(loc->follow, node);
}

const char *tandem_cluster_location_run(const struct tandem_cluster_location *loc)
{
	return loc->run;
}

void tandem_cluster_location_tick(struct tandem_cluster_location *loc)
{
	if (!loc)
		return;
	if (tandem_redis_up(loc->writer) && loc->state == DOWN)
		claim(loc);
	else if (loc->state == CLAIMED && !loc->busy && tmr_jiffies() - loc->alive_ms >= ALIVE_MS)
		say(loc, "alive");
	tandem_follow_tick(loc->follow);
}

static void name_keys(struct tandem_cluster_location *loc)
{
	const char *prefix = loc->cfg->prefix;

	/* braces: a cluster of Redis keeps all of them in one slot */
	snprintf(loc->hash_key, sizeof(loc->hash_key), "%s:{location}", prefix);
	snprintf(loc->log_key, sizeof(loc->log_key), "%s:{location}:log", prefix);
	snprintf(loc->secret_key, sizeof(loc->secret_key), "%s:{location}:secret", prefix);
	snprintf(loc->own, sizeof(loc->own), "%s/", loc->cfg->node);
	snprintf(loc->run, sizeof(loc->run), "%016" PRIx64, rand_u64());
	snprintf(loc->keep, sizeof(loc->keep), "%" PRIu32, loc->cfg->keep_s);
}

int tandem_cluster_location_open(struct tandem_cluster_location **locp,
				 const struct tandem_cluster *cluster,
				 const struct tandem_cluster_bindings *bindings, void *arg)
{
	struct tandem_cluster_location *loc = calloc(1, sizeof(*loc));
	struct tandem_follow_config follow;
	int err;

	if (!loc)
		return -ENOMEM;
	loc->cfg = tandem_cluster_config_of(cluster);
	loc->bindings = *bindings;
	loc->arg = arg;
	tmr_init(&loc->flush);
	name_keys(loc);
	rand_bytes(loc->secret, sizeof(loc->secret));
	follow = (struct tandem_follow_config){
		.redis = &loc->cfg->redis,
		.node = loc->cfg->node,
		.hash_key = loc->hash_key,
		.log_key = loc->log_key,
		.secret_key = loc->secret_key,
		.bindings = &loc->bindings,
		.arg = arg,
	};
	err = tandem_redis_alloc(&loc->writer, &loc->cfg->redis, on_writer, loc);
	if (!err)
		err = tandem_follow_open(&loc->follow, &follow);
	if (err)
		tandem_cluster_location_close(loc, false);
	else
		*locp = loc;
	return err;
}

void tandem_cluster_location_close(struct tandem_cluster_location *loc, bool leave)
{
	if (!loc)
		return;
	if (leave && loc->state == CLAIMED)
		say(loc, "leave"); /* written at once; nobody waits for the reply */
	tandem_redis_free(loc->writer);
	tandem_follow_close(loc->follow);
	tmr_cancel(&loc->flush);
	tandem_changes_clean(&loc->changes);
	explicit_bzero(loc->secret, sizeof(loc->secret));
	free(loc);
}

static const char *state_name(const struct tandem_cluster_location *loc)
{
	static const char *const names[] = { "waiting", "claiming", "writing", "shared" };

	return names[loc->state];
}

json_t *tandem_cluster_location_json(const struct tandem_cluster_location *loc)
{
	json_t *json;

	if (!loc)
		return json_null();
	json = tandem_follow_json(loc->follow);
	json_object_set_new(json, "state", json_string(state_name(loc)));
	json_object_set_new(json, "waiting", json_integer((json_int_t)loc->changes.count));
	json_object_set_new(json, "written", json_integer((json_int_t)loc->written));
	json_object_set_new(json, "errors", json_integer((json_int_t)loc->errors));
	json_object_set_new(json, "error", json_string(loc->error));
	return json;
}
