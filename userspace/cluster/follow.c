/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/cluster/follow.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/cluster/libre.h"
#include "userspace/util/log.h"

#define MODULE	   "cluster"
#define SILENT_MS  15000  /* who was not heard of for so long is gone */
#define BLOCK_TEXT "2000" /* ms that Redis waits for news; less than it is waited for */
#define READ_TEXT  "256"
#define NODES_MAX  64

struct node {
	char name[64];
	uint64_t heard_ms; /* 0: it has left */
};

struct tandem_follow {
	struct tandem_follow_config cfg;
	struct tandem_redis *reader;
	char last[48]; /* entry of the log that was read */
	bool following;
	char birth[2 * TANDEM_FOLLOW_BIRTH_SIZE + 1]; /* of the Redis that was read last */
	bool lost_all;				      /* this one has another */
	struct node nodes[NODES_MAX];
	size_t nodes_count;
	uint64_t taken, refused, errors;
	char error[160];
};

static void follow(struct tandem_follow *f);

static void failed(struct tandem_follow *f, const char *why)
{
	if (!f->error[0])
		tandem_log(TANDEM_LOG_WARNING, MODULE, "registrations of others: Redis: %s", why);
	snprintf(f->error, sizeof(f->error), "%s", why);
	f->errors++;
}

/* True for a reply of the type that was to be expected. */
static bool is_good(struct tandem_follow *f, const struct redisReply *reply, int type)
{
	if (reply->type == type) {
		f->error[0] = '\0';
		return true;
	}
	failed(f, reply->type == REDIS_REPLY_ERROR ? reply->str : "unexpected reply");
	return false;
}

static struct node *node_find(const struct tandem_follow *f, const char *name)
{
	for (size_t i = 0; i < f->nodes_count; i++) {
		if (!strcmp(f->nodes[i].name, name))
			return (struct node *)&f->nodes[i];
	}
	return NULL;
}

/* heard_ms 0: it has left. */
static void node_heard(struct tandem_follow *f, const char *name, uint64_t heard_ms)
{
	struct node *node = node_find(f, name);

	if (!node && f->nodes_count < NODES_MAX && strlen(name) < sizeof(node->name)) {
		node = &f->nodes[f->nodes_count++];
		snprintf(node->name, sizeof(node->name), "%s", name);
	}
	if (node)
		node->heard_ms = heard_ms;
}

/* The node that an id is of. */
static bool id_node(char name[64], const char *id)
{
	const char *slash = strchr(id, '/');

	if (!slash || (size_t)(slash - id) >= 64)
		return false;
	snprintf(name, 64, "%.*s", (int)(slash - id), id);
	return true;
}

static void take(struct tandem_follow *f, const char *id, const char *text)
{
	int err = f->cfg.bindings->take(id, text, f->cfg.arg);

	if (!err) {
		f->taken++;
	} else if (err != -EALREADY) {
		f->refused++;
		tandem_log(TANDEM_LOG_DEBUG, MODULE, "binding %s: %s", id, strerror(-err));
	}
}

static void take_news(struct tandem_follow *f, const char *what, const char *v)
{
	char node[64];

	if (id_node(node, what)) {
		/* others remove some of its bindings, too */
		if (*v && strcmp(node, f->cfg.node))
			node_heard(f, node, tmr_jiffies());
		if (*v)
			take(f, what, v);
		else
			f->cfg.bindings->drop(what, f->cfg.arg);
	} else if (strcmp(v, f->cfg.node)) {
		node_heard(f, v, strcmp(what, "leave") ? tmr_jiffies() : 0);
		if (!strcmp(what, "begin"))
			f->cfg.bindings->mark(v, f->cfg.arg);
		else if (!strcmp(what, "end"))
			f->cfg.bindings->sweep(v, f->cfg.arg);
	}
}

static bool is_text(const struct redisReply *reply)
{
	return reply->type == REDIS_REPLY_STRING;
}

static bool is_array(const struct redisReply *reply, size_t elements)
{
	return reply->type == REDIS_REPLY_ARRAY && reply->elements == elements;
}

/* [id, [f, ..., v, ...]] */
static void take_entry(struct tandem_follow *f, const struct redisReply *entry)
{
	const struct redisReply *pairs;

	if (!is_array(entry, 2) || !is_text(entry->element[0]))
		return;
	snprintf(f->last, sizeof(f->last), "%s", entry->element[0]->str);
	pairs = entry->element[1];
	if (is_array(pairs, 4) && is_text(pairs->element[1]) && is_text(pairs->element[3]))
		take_news(f, pairs->element[1]->str, pairs->element[3]->str);
}

/* The reader begins anew with a connection. */
static void lose_reader(struct tandem_follow *f, const char *why)
{
	if (why)
		failed(f, why);
	f->following = false;
}

/* [[log, [entry, ...]]], or nil for no news. */
static void on_news(const struct redisReply *reply, void *arg)
{
	struct tandem_follow *f = arg;
	const struct redisReply *entries;

	if (!reply)
		return;
	if (reply->type != REDIS_REPLY_NIL) {
		if (!is_good(f, reply, REDIS_REPLY_ARRAY) || !reply->elements ||
		    !is_array(reply->element[0], 2) ||
		    reply->element[0]->element[1]->type != REDIS_REPLY_ARRAY) {
			lose_reader(f, NULL);
			return;
		}
		entries = reply->element[0]->element[1];
		for (size_t i = 0; i < entries->elements; i++)
			take_entry(f, entries->element[i]);
	}
	follow(f);
}

static void follow(struct tandem_follow *f)
{
	const char *argv[] = { "XREAD",	  "BLOCK",   BLOCK_TEXT,     "COUNT",
			       READ_TEXT, "STREAMS", f->cfg.log_key, f->last };
	int err = tandem_redis_send(f->reader, 8, argv, NULL, on_news, f);

	f->following = !err;
	if (err)
		lose_reader(f, strerror(-err));
}

static void read_page(struct tandem_follow *f, const char *cursor);

static void on_page(const struct redisReply *reply, void *arg)
{
	struct tandem_follow *f = arg;
	const struct redisReply *list;
	char node[64];

	if (!reply)
		return;
	if (!is_good(f, reply, REDIS_REPLY_ARRAY) || !is_array(reply, 2) ||
	    !is_text(reply->element[0]) || reply->element[1]->type != REDIS_REPLY_ARRAY) {
		lose_reader(f, NULL);
		return;
	}
	list = reply->element[1];
	for (size_t i = 0; i + 1 < list->elements; i += 2) {
		if (!is_text(list->element[i]) || !is_text(list->element[i + 1]) ||
		    !id_node(node, list->element[i]->str))
			continue;
		/* until the contrary is known it is there */
		if (!node_find(f, node))
			node_heard(f, node, tmr_jiffies());
		take(f, list->element[i]->str, list->element[i + 1]->str);
	}
	if (strcmp(reply->element[0]->str, "0")) {
		read_page(f, reply->element[0]->str);
		return;
	}
	if (!f->lost_all)
		f->cfg.bindings->sweep(NULL, f->cfg.arg);
	follow(f);
}

static void read_page(struct tandem_follow *f, const char *cursor)
{
	const char *argv[] = { "HSCAN", f->cfg.hash_key, cursor, "COUNT", READ_TEXT };
	int err = tandem_redis_send(f->reader, 5, argv, NULL, on_page, f);

	if (err)
		lose_reader(f, strerror(-err));
}

/* Where the log ends: what is in the hash is at least as new. */
static void on_end(const struct redisReply *reply, void *arg)
{
	struct tandem_follow *f = arg;

	if (!reply)
		return;
	if (!is_good(f, reply, REDIS_REPLY_ARRAY)) {
		lose_reader(f, NULL);
		return;
	}
	snprintf(f->last, sizeof(f->last), "0-0");
	if (reply->elements && is_array(reply->element[0], 2) &&
	    is_text(reply->element[0]->element[0]))
		snprintf(f->last, sizeof(f->last), "%s", reply->element[0]->element[0]->str);
	f->cfg.bindings->mark(NULL, f->cfg.arg);
	read_page(f, "0");
}

/*
 * Of a Redis that has lost all the other nodes hear just now, too: each has begun to write what it
 * has, or is about to, and says when it is done. Until then what was known of it stays.
 */
static void on_birth(const struct redisReply *reply, void *arg)
{
	const char *argv[] = { "XREVRANGE", NULL, "+", "-", "COUNT", "1" };
	struct tandem_follow *f = arg;
	const char *birth = "";
	int err;

	if (!reply)
		return;
	if (is_text(reply) && reply->len == TANDEM_FOLLOW_SECRET_LEN)
		birth = reply->str + TANDEM_FOLLOW_SECRET_LEN - 2 * TANDEM_FOLLOW_BIRTH_SIZE;
	f->lost_all = strcmp(birth, f->birth) != 0;
	snprintf(f->birth, sizeof(f->birth), "%s", birth);
	argv[1] = f->cfg.log_key;
	err = tandem_redis_send(f->reader, 6, argv, NULL, on_end, f);
	if (err)
		lose_reader(f, strerror(-err));
}

static void read_all(struct tandem_follow *f)
{
	const char *argv[] = { "GET", f->cfg.secret_key };
	int err = tandem_redis_send(f->reader, 2, argv, NULL, on_birth, f);

	f->following = !err;
	if (err)
		lose_reader(f, strerror(-err));
}

static void on_reader(bool up, const char *why, void *arg)
{
	struct tandem_follow *f = arg;

	(void)why;
	f->following = false;
	if (!up)
		return;
	/* nobody could be heard of meanwhile */
	for (size_t i = 0; i < f->nodes_count; i++) {
		if (f->nodes[i].heard_ms)
			f->nodes[i].heard_ms = tmr_jiffies();
	}
	read_all(f);
}

bool tandem_follow_alive(const struct tandem_follow *f, const char *name)
{
	const struct node *node = node_find(f, name);

	if (!node || !node->heard_ms)
		return false;
	return !tandem_redis_up(f->reader) || tmr_jiffies() - node->heard_ms < SILENT_MS;
}

void tandem_follow_tick(struct tandem_follow *f)
{
	if (tandem_redis_up(f->reader) && !f->following)
		read_all(f);
}

int tandem_follow_open(struct tandem_follow **fp, const struct tandem_follow_config *cfg)
{
	struct tandem_follow *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	f->cfg = *cfg;
	err = tandem_redis_alloc(&f->reader, cfg->redis, on_reader, f);
	if (err)
		free(f);
	else
		*fp = f;
	return err;
}

void tandem_follow_close(struct tandem_follow *f)
{
	if (!f)
		return;
	tandem_redis_free(f->reader);
	free(f);
}

json_t *tandem_follow_json(const struct tandem_follow *f)
{
	json_t *nodes = json_object();

	for (size_t i = 0; i < f->nodes_count; i++)
		json_object_set_new(
			nodes, f->nodes[i].name,
			json_string(tandem_follow_alive(f, f->nodes[i].name) ? "alive" : "gone"));
	return json_pack("{s:b, s:o, s:I, s:I, s:I, s:s}", "following", f->following, "nodes",
			 nodes, "taken", (json_int_t)f->taken, "refused", (json_int_t)f->refused,
			 "read_errors", (json_int_t)f->errors, "read_error", f->error);
}
