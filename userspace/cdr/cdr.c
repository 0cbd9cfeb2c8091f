/* SPDX-License-Identifier: GPL-2.0-only */
/* The calls that are going on, and what their records say of them. */
#include "userspace/cdr/cdr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "userspace/cdr/local.h"
#include "userspace/util/log.h"

#define BRANCHES_MAX 16 /* in one record */
#define TEXT_MAX     512

/* What came from the network need not be UTF-8: other octets are shown as '?'. */
static json_t *text_json(const char *text)
{
	char ascii[TEXT_MAX];
	json_t *js;
	char *p;

	snprintf(ascii, sizeof(ascii), "%s", text ? text : "");
	js = json_string(ascii);
	if (js)
		return js;
	for (p = ascii; *p; p++) {
		if (*p & 0x80)
			*p = '?';
	}
	return json_string(ascii);
}

static json_t *text_or_null(const char *text)
{
	return text && *text ? text_json(text) : json_null();
}

static size_t bucket_of(const struct tandem_cdr *c, const char *call_id)
{
	uint64_t h = c->seed ^ 0xcbf29ce484222325ULL;

	for (; *call_id; call_id++) {
		h ^= (unsigned char)*call_id;
		h *= 0x9e3779b97f4a7c15ULL;
		h ^= h >> 29;
	}
	return h % TANDEM_CDR_BUCKETS;
}

static struct tandem_cdr_entry *find(const struct tandem_cdr *c, const char *call_id)
{
	struct tandem_cdr_entry *e = call_id ? c->buckets[bucket_of(c, call_id)] : NULL;

	while (e && strcmp(e->call_id, call_id))
		e = e->next;
	return e;
}

/* Takes over doc. */
static struct tandem_cdr_entry *insert(struct tandem_cdr *c, const char *call_id, json_t *doc)
{
	struct tandem_cdr_entry *e = calloc(1, sizeof(*e)), **bucket;

	if (e)
		e->call_id = strdup(call_id);
	if (!e || !e->call_id || !doc || c->calls >= c->cfg.max_calls) {
		if (e)
			free(e->call_id);
		free(e);
		json_decref(doc);
		c->dropped++;
		return NULL;
	}
	e->doc = doc;
	bucket = &c->buckets[bucket_of(c, call_id)];
	e->next = *bucket;
	*bucket = e;
	c->calls++;
	return e;
}

static void drop(struct tandem_cdr *c, struct tandem_cdr_entry *e)
{
	struct tandem_cdr_entry **p = &c->buckets[bucket_of(c, e->call_id)];

	while (*p != e)
		p = &(*p)->next;
	*p = e->next;
	c->calls--;
	json_decref(e->doc);
	free(e->call_id);
	free(e);
}

static void set(struct tandem_cdr_entry *e, const char *key, json_t *value)
{
	(void)json_object_set_new(e->doc, key, value);
}

static bool is_set(const struct tandem_cdr_entry *e, const char *key)
{
	const json_t *value = json_object_get(e->doc, key);

	return value && !json_is_null(value);
}

/* Its record, and it is no longer going on. */
static void finish(struct tandem_cdr *c, struct tandem_cdr_entry *e)
{
	json_int_t answer = json_integer_value(json_object_get(e->doc, "answer_ms"));
	json_int_t end;

	if (!is_set(e, "end_ms"))
		set(e, "end_ms", json_integer(tandem_cdr_now()));
	end = json_integer_value(json_object_get(e->doc, "end_ms"));
	set(e, "duration_ms", json_integer(answer && end > answer ? end - answer : 0));
	tandem_cdr_write_done(c, e->call_id, e->doc);
	drop(c, e);
}

static json_t *new_doc(const struct tandem_cdr_call *call)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o, s:o}, s:n, s:o, s:I, s:n, s:n, "
			 "s:n, s:i, s:n, s:n, s:n, s:n, s:[], s:n}",
			 "call_id", text_json(call->call_id), "from", text_json(call->from), "to",
			 text_json(call->to), "uri", text_json(call->uri), "user",
			 text_or_null(call->user), "caller", "address", text_or_null(call->address),
			 "transport", text_or_null(call->transport), "agent",
			 text_or_null(call->agent), "callee", "gateway", json_null(), "start_ms",
			 (json_int_t)tandem_cdr_now(), "ring_ms", "answer_ms", "end_ms", "status",
			 0, "reason", "ended_by", "why", "cause", "branches", "media");
}

void tandem_cdr_begin(struct tandem_cdr *c, const struct tandem_cdr_call *call)
{
	struct tandem_cdr_entry *e;

	if (!c || !call->call_id)
		return;
	e = find(c, call->call_id);
	/* a new attempt under the Call-ID of one that was just refused */
	if (e && e->over)
		finish(c, e);
	else if (e)
		return;
	e = insert(c, call->call_id, new_doc(call));
	if (e)
		tandem_cdr_write_open(c, e->call_id, e->doc);
}

void tandem_cdr_refused(struct tandem_cdr *c, const struct tandem_cdr_call *call, int status,
			const char *reason)
{
	json_t *doc;

	if (!c || find(c, call->call_id))
		return;
	doc = new_doc(call);
	if (!doc) {
		c->dropped++;
		return;
	}
	json_object_set_new(doc, "status", json_integer(status));
	json_object_set_new(doc, "reason", text_json(reason));
	json_object_set_new(doc, "ended_by", json_string("relay"));
	json_object_set_new(doc, "end_ms", json_integer(tandem_cdr_now()));
	json_object_set_new(doc, "duration_ms", json_integer(0));
	tandem_cdr_write_done(c, call->call_id, doc);
	json_decref(doc);
}

static json_t *find_branch(const struct tandem_cdr_entry *e, const char *address)
{
	json_t *branches = json_object_get(e->doc, "branches"), *branch;
	const char *text;
	size_t i;

	if (!address)
		return json_array_get(branches, json_array_size(branches) - 1);
	json_array_foreach (branches, i, branch) {
		text = json_string_value(json_object_get(branch, "address"));
		if (text && !strcmp(text, address))
			return branch;
	}
	return NULL;
}

void tandem_cdr_branch(struct tandem_cdr *c, const char *call_id, const char *uri,
		       const char *address, const char *transport, const char *gateway)
{
	struct tandem_cdr_entry *e = c ? find(c, call_id) : NULL;
	json_t *branches;

	if (!e || e->answered)
		return;
	branches = json_object_get(e->doc, "branches");
	if (!find_branch(e, address) && json_array_size(branches) < BRANCHES_MAX)
		json_array_append_new(branches,
				      json_pack("{s:o, s:o, s:o, s:o, s:n, s:I, s:n}", "uri",
						text_json(uri), "address", text_json(address),
						"transport", text_json(transport), "gateway",
						text_or_null(gateway), "status", "start_ms",
						(json_int_t)tandem_cdr_now(), "end_ms"));
}

/* The one that was answered, or the last one that was tried, is the callee. */
static void set_callee(struct tandem_cdr_entry *e, const json_t *branch)
{
	static const char *const keys[] = { "address", "transport", "uri" };
	json_t *callee = json_object();
	json_t *gateway = json_object_get(branch, "gateway");

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		json_object_set(callee, keys[i], json_object_get(branch, keys[i]));
	set(e, "callee", callee);
	if (gateway)
		json_object_set(e->doc, "gateway", gateway);
}

void tandem_cdr_branch_status(struct tandem_cdr *c, const char *call_id, const char *address,
			      int status)
{
	struct tandem_cdr_entry *e = c ? find(c, call_id) : NULL;
	json_t *branch = e ? find_branch(e, address) : NULL;

	if (!branch || json_is_integer(json_object_get(branch, "status")))
		return;
	json_object_set_new(branch, "status", json_integer(status));
	json_object_set_new(branch, "end_ms", json_integer(tandem_cdr_now()));
	/* those that end later were called in vain */
	if (!e->answered)
		set_callee(e, branch);
}

static void set_status(struct tandem_cdr_entry *e, int status, const char *reason)
{
	set(e, "status", json_integer(status));
	set(e, "reason", text_json(reason));
}

void tandem_cdr_status(struct tandem_cdr *c, const char *call_id, int status, const char *reason)
{
	struct tandem_cdr_entry *e = c ? find(c, call_id) : NULL;

	if (!e || e->answered || e->over || status <= 100)
		return;
	if (status < 200) {
		if (status >= 180 && !is_set(e, "ring_ms"))
			set(e, "ring_ms", json_integer(tandem_cdr_now()));
		return;
	}
	set_status(e, status, reason);
	if (status < 300) {
		e->answered = true;
		set(e, "answer_ms", json_integer(tandem_cdr_now()));
		tandem_cdr_write_open(c, e->call_id, e->doc);
		return;
	}
	/* its session may still tell something of the media it had; see tick() */
	e->over = true;
	set(e, "end_ms", json_integer(tandem_cdr_now()));
	if (!is_set(e, "ended_by"))
		set(e, "ended_by",
		    json_string(json_array_size(json_object_get(e->doc, "branches")) ? "callee"
										     : "relay"));
}

void tandem_cdr_hangup(struct tandem_cdr *c, const char *call_id, const char *who,
		       const char *cause)
{
	struct tandem_cdr_entry *e = c ? find(c, call_id) : NULL;

	if (!e || is_set(e, "ended_by"))
		return;
	set(e, "ended_by", json_string(who));
	set(e, "cause", text_or_null(cause));
}

/* A session that goes before its call was answered says why, or with which status. */
static bool ends_attempt(const char *why)
{
	return why && *why && (*why < '0' || *why > '9');
}

void tandem_cdr_session_over(struct tandem_cdr *c, const char *call_id, const char *why,
			     bool established, json_t *report)
{
	struct tandem_cdr_entry *e = c ? find(c, call_id) : NULL;

	if (!e) {
		json_decref(report);
		return;
	}
	/* of several sessions, one for each branch, that of the answered one counts */
	if (report && (established || !is_set(e, "media")))
		set(e, "media", report);
	else
		json_decref(report);
	if (established || e->over || ends_attempt(why))
		set(e, "why", text_or_null(why));
	if (!established && !e->over && ends_attempt(why) && !is_set(e, "ended_by"))
		set(e, "ended_by", json_string(strstr(why, "operator") ? "operator" : "relay"));
	if (!established && e->answered)
		return;
	if (established && !is_set(e, "ended_by"))
		set(e, "ended_by",
		    json_string(why && strstr(why, "operator") ? "operator" : "relay"));
	if (established || e->over)
		finish(c, e);
}

static void finish_over(struct tandem_cdr *c)
{
	struct tandem_cdr_entry *e, *next;

	for (size_t i = 0; i < TANDEM_CDR_BUCKETS; i++) {
		for (e = c->buckets[i]; e; e = next) {
			next = e->next;
			if (e->over)
				finish(c, e);
		}
	}
}

void tandem_cdr_tick(struct tandem_cdr *c)
{
	if (c)
		finish_over(c);
}

void tandem_cdr_reconcile(struct tandem_cdr *c, tandem_cdr_exists_h *exists, void *arg)
{
	struct tandem_cdr_entry *e, *next;

	if (!c)
		return;
	for (size_t i = 0; i < TANDEM_CDR_BUCKETS; i++) {
		for (e = c->buckets[i]; e; e = next) {
			next = e->next;
			/* one that is still being set up has its transaction to end it */
			if ((!e->answered && !e->adopted) || exists(e->call_id, arg))
				continue;
			if (!is_set(e, "ended_by"))
				set(e, "ended_by", json_string(e->adopted ? "restart" : "relay"));
			if (!is_set(e, "why"))
				set(e, "why",
				    json_string(e->adopted ? "the relay was restarted"
							   : "the session was lost"));
			finish(c, e);
		}
	}
}

void tandem_cdr_adopt(struct tandem_cdr *c, const char *call_id, const char *from, const char *to,
		      int64_t start_ms)
{
	const struct tandem_cdr_call call = { .call_id = call_id, .from = from, .to = to };
	struct tandem_cdr_entry *e;

	if (!c || find(c, call_id))
		return;
	e = insert(c, call_id, new_doc(&call));
	if (!e)
		return;
	e->adopted = true;
	e->answered = true;
	set_status(e, 200, "OK");
	set(e, "start_ms", json_integer(start_ms));
	set(e, "answer_ms", json_integer(start_ms));
	tandem_cdr_write_open(c, e->call_id, e->doc);
}

static void adopt(const char *call_id, const char *json, void *arg)
{
	struct tandem_cdr *c = arg;
	json_t *doc = json_loads(json, 0, NULL);
	struct tandem_cdr_entry *e;

	if (!json_is_object(doc) || find(c, call_id)) {
		json_decref(doc);
		return;
	}
	e = insert(c, call_id, doc);
	if (!e)
		return;
	e->adopted = true;
	e->answered = is_set(e, "answer_ms");
}

static int copy_config(struct tandem_cdr *c, const struct tandem_cdr_config *cfg)
{
	c->cfg = *cfg;
	c->cfg.database = cfg->database ? strdup(cfg->database) : NULL;
	c->cfg.log = cfg->log ? strdup(cfg->log) : NULL;
	return (cfg->database && !c->cfg.database) || (cfg->log && !c->cfg.log) ? -ENOMEM : 0;
}

int tandem_cdr_open(struct tandem_cdr **cp, const struct tandem_cdr_config *cfg)
{
	struct tandem_cdr *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	err = copy_config(c, cfg);
	if (!err && getrandom(&c->seed, sizeof(c->seed), 0) != sizeof(c->seed))
		err = -EIO;
	if (!err)
		err = tandem_cdr_writer_open(c, adopt, c);
	if (err)
		tandem_cdr_close(c);
	else
		*cp = c;
	return err;
}

void tandem_cdr_close(struct tandem_cdr *c)
{
	if (!c)
		return;
	finish_over(c);
	tandem_cdr_writer_close(c);
	for (size_t i = 0; i < TANDEM_CDR_BUCKETS; i++) {
		while (c->buckets[i])
			drop(c, c->buckets[i]);
	}
	free((char *)c->cfg.database);
	free((char *)c->cfg.log);
	free(c);
}

void tandem_cdr_reopen(struct tandem_cdr *c)
{
	if (c && c->sink)
		tandem_cdr_sink_reopen(c->sink);
}

static json_t *spool_json(struct tandem_spool *spool, const char *where, uint64_t *dropped,
			  char *alarm, size_t alarm_size)
{
	struct tandem_spool_stats stats;

	if (!spool)
		return json_null();
	tandem_spool_stats(spool, &stats);
	*dropped += stats.dropped;
	if (stats.failing && !*alarm)
		snprintf(alarm, alarm_size, "%s", stats.why);
	return json_pack("{s:o, s:I, s:I, s:I, s:I, s:b}", "where", text_json(where), "waiting",
			 (json_int_t)stats.waiting, "written", (json_int_t)stats.written, "dropped",
			 (json_int_t)stats.dropped, "failures", (json_int_t)stats.failures,
			 "failing", stats.failing);
}

json_t *tandem_cdr_json(struct tandem_cdr *c)
{
	json_t *database, *log;
	uint64_t dropped;
	char alarm[256] = "";

	if (!c)
		return json_null();
	dropped = c->dropped;
	database = spool_json(c->db_spool, c->cfg.database, &dropped, alarm, sizeof(alarm));
	log = spool_json(c->log_spool, c->cfg.log, &dropped, alarm, sizeof(alarm));
	return json_pack("{s:I, s:I, s:I, s:o, s:o, s:o}", "calls", (json_int_t)c->calls, "records",
			 (json_int_t)c->records, "dropped", (json_int_t)dropped, "alarm",
			 text_or_null(alarm), "database", database, "log", log);
}
