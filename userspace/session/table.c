/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/session/forward.h"
#include "userspace/session/report.h"
#include "userspace/util/log.h"

#define MODULE	    "session"
#define MIN_BUCKETS 64
#define MAX_BUCKETS 65536
#define CALL_ID_MAX 255

uint64_t tandem_sessions_now(const struct tandem_sessions *ss)
{
	return ss->env.monotonic_ms(ss->env.arg);
}

/*
 * Call-IDs are chosen by strangers: the seed keeps them from choosing one bucket for all. The
 * sessions of one call are in one bucket.
 */
static size_t call_bucket(const struct tandem_sessions *ss, const char *call_id)
{
	uint64_t h = ss->env.seed ^ 0xcbf29ce484222325ULL;

	for (; *call_id && *call_id != ' '; call_id++) {
		h ^= (unsigned char)*call_id;
		h *= 0x9e3779b97f4a7c15ULL;
		h ^= h >> 29;
	}
	return h & (ss->buckets - 1);
}

static size_t number_bucket(const struct tandem_sessions *ss, uint64_t number)
{
	return number & (ss->buckets - 1);
}

struct tandem_session *tandem_sessions_by_call(const struct tandem_sessions *ss, const char *call)
{
	struct tandem_session *s = ss->by_call[call_bucket(ss, call)];

	while (s && strcmp(s->name, call))
		s = s->next_by_call;
	return s;
}

struct tandem_session *tandem_sessions_next_of_call(const struct tandem_sessions *ss,
						    const char *call_id,
						    const struct tandem_session *s)
{
	struct tandem_session *next = s ? s->next_by_call : ss->by_call[call_bucket(ss, call_id)];

	while (next && strcmp(next->call_id, call_id))
		next = next->next_by_call;
	return next;
}

struct tandem_session *tandem_sessions_next_owned(const struct tandem_sessions *ss,
						  enum tandem_owner owner, const char *call_id,
						  const struct tandem_session *s)
{
	struct tandem_session *next = tandem_sessions_next_of_call(ss, call_id, s);

	while (next && next->owner != owner)
		next = tandem_sessions_next_of_call(ss, call_id, next);
	return next;
}

struct tandem_session *tandem_sessions_by_number(const struct tandem_sessions *ss, uint64_t number)
{
	struct tandem_session *s = ss->by_number[number_bucket(ss, number)];

	while (s && s->number != number)
		s = s->next_by_number;
	return s;
}

struct tandem_session *tandem_sessions_by_text(const struct tandem_sessions *ss, const char *text)
{
	struct tandem_session *s = tandem_sessions_by_call(ss, text);
	char *end;
	uint64_t number;

	if (!s)
		s = tandem_sessions_next_of_call(ss, text, NULL);
	if (s)
		return s;
	number = strtoull(text, &end, 16);
	if (!*text || *end)
		return NULL;
	s = tandem_sessions_by_number(ss, number);
	return s && !strcmp(s->id, text) ? s : NULL;
}

void tandem_sessions_insert(struct tandem_sessions *ss, struct tandem_session *s)
{
	struct tandem_session **by_call = &ss->by_call[call_bucket(ss, s->call_id)];
	struct tandem_session **by_number = &ss->by_number[number_bucket(ss, s->number)];

	s->next_by_call = *by_call;
	*by_call = s;
	s->next_by_number = *by_number;
	*by_number = s;
	s->prev = NULL;
	s->next = ss->first;
	if (s->next)
		s->next->prev = s;
	ss->first = s;
	ss->count++;
}

void tandem_sessions_unlink(struct tandem_sessions *ss, struct tandem_session *s)
{
	struct tandem_session **p = &ss->by_call[call_bucket(ss, s->call_id)];

	while (*p != s)
		p = &(*p)->next_by_call;
	*p = s->next_by_call;
	p = &ss->by_number[number_bucket(ss, s->number)];
	while (*p != s)
		p = &(*p)->next_by_number;
	*p = s->next_by_number;

	if (s->prev)
		s->prev->next = s->next;
	else
		ss->first = s->next;
	if (s->next)
		s->next->prev = s->prev;
	ss->count--;
}

static int dup_text(char **dst, const char *src)
{
	*dst = src ? strdup(src) : NULL;
	return src && !*dst ? -ENOMEM : 0;
}

const char *tandem_owner_name(enum tandem_owner owner)
{
	return owner == TANDEM_OWNER_NG ? "ng" : "sip";
}

void tandem_session_name(char buf[TANDEM_SESSION_NAME_SIZE], enum tandem_owner owner,
			 const char *call_id, unsigned int branch)
{
	const char *mark = owner == TANDEM_OWNER_NG ? " ng" : "";

	if (branch)
		snprintf(buf, TANDEM_SESSION_NAME_SIZE, "%.255s%s %u", call_id, mark, branch);
	else
		snprintf(buf, TANDEM_SESSION_NAME_SIZE, "%.255s%s", call_id, mark);
}

unsigned int tandem_session_branch(const char *name)
{
	const char *space = strrchr(name, ' ');

	return space ? (unsigned int)strtoul(space, NULL, 10) : 0;
}

int tandem_session_create(struct tandem_session **sp, const struct tandem_dialog *dialog,
			  uint64_t number)
{
	struct tandem_session *s = calloc(1, sizeof(*s));
	char name[TANDEM_SESSION_NAME_SIZE];

	if (!s)
		return -ENOMEM;
	s->number = number;
	snprintf(s->id, sizeof(s->id), "%012llx", (unsigned long long)number);
	s->pending_from = s->offerer = TANDEM_PARTY_NONE;
	s->home = TANDEM_LOCAL_NONE;
	s->owner = dialog->owner;
	s->branch = dialog->branch;
	tandem_session_name(name, dialog->owner, dialog->call_id, dialog->branch);
	if (dup_text(&s->call_id, dialog->call_id) || dup_text(&s->name, name) ||
	    dup_text(&s->from_uri, dialog->from_uri ? dialog->from_uri : "") ||
	    dup_text(&s->to_uri, dialog->to_uri ? dialog->to_uri : "") ||
	    dup_text(&s->via, dialog->via) || dup_text(&s->tag[TANDEM_PARTY_A], dialog->from_tag) ||
	    dup_text(&s->tag[TANDEM_PARTY_B], dialog->to_tag)) {
		tandem_session_destroy(s);
		return -ENOMEM;
	}
	*sp = s;
	return 0;
}

void tandem_session_destroy(struct tandem_session *s)
{
	if (!s)
		return;
	tandem_media_list_clean(&s->agreed);
	tandem_media_list_clean(&s->pending);
	tandem_sdp_free(s->offer);
	tandem_flows_clean(s);
	json_decref(s->notes);
	free(s->call_id);
	free(s->via);
	free(s->name);
	free(s->from_uri);
	free(s->to_uri);
	free(s->tag[TANDEM_PARTY_A]);
	free(s->tag[TANDEM_PARTY_B]);
	free(s->label[TANDEM_PARTY_A]);
	free(s->label[TANDEM_PARTY_B]);
	if (s->answer)
		explicit_bzero(s->answer, strlen(s->answer)); /* there may be keys in it */
	free(s->answer);
	free(s->feeds);
	free(s);
}

void tandem_session_retire(struct tandem_sessions *ss, struct tandem_session *s)
{
	tandem_session_part(ss, s);
	/* a subscription is no call */
	if (ss->over_h && !s->feeds)
		ss->over_h(s->owner, s->call_id, s->why_over, s->confirmed && s->answered,
			   tandem_session_report(ss, s), ss->over_arg);
	tandem_flows_remove(ss, s);
	tandem_media_list_release(ss, &s->pending, &s->agreed, NULL);
	tandem_media_list_release(ss, &s->agreed, NULL, NULL);
	tandem_session_unsave(ss, s);
	tandem_session_gone(ss, s);
	tandem_session_destroy(s);
}

enum tandem_session_state tandem_session_state(const struct tandem_session *s)
{
	bool held = false;
	size_t i;

	if (!s->confirmed)
		return s->answered ? TANDEM_STATE_EARLY : TANDEM_STATE_OFFERED;
	for (i = 0; i < s->agreed.n; i++) {
		const struct tandem_media *m = &s->agreed.v[i];

		if (!m->active)
			continue;
		if (!m->leg[TANDEM_PARTY_A].hold && !m->leg[TANDEM_PARTY_B].hold)
			return TANDEM_STATE_ESTABLISHED;
		held = true;
	}
	return held ? TANDEM_STATE_HELD : TANDEM_STATE_ESTABLISHED;
}

const char *tandem_session_state_name(enum tandem_session_state state)
{
	switch (state) {
	case TANDEM_STATE_OFFERED:
		return "offered";
	case TANDEM_STATE_EARLY:
		return "early";
	case TANDEM_STATE_ESTABLISHED:
		return "established";
	case TANDEM_STATE_HELD:
		return "held";
	}
	return "unknown";
}

/* It becomes known with the first response, and is another with every fork (RFC 3261 12.1). */
static int set_tag(struct tandem_session *s, const char *tag)
{
	char *copy;

	if (!tag || (s->tag[TANDEM_PARTY_B] && !strcmp(tag, s->tag[TANDEM_PARTY_B])))
		return 0;
	copy = strdup(tag);
	if (!copy)
		return -ENOMEM;
	free(s->tag[TANDEM_PARTY_B]);
	s->tag[TANDEM_PARTY_B] = copy;
	return 0;
}

/* What goes into the store has to be UTF-8; a Call-ID is ASCII by its grammar. */
static bool is_printable(const char *text)
{
	for (; *text; text++) {
		if (*text <= ' ' || *text == 0x7f)
			return false;
	}
	return true;
}

int tandem_session_open(struct tandem_sessions *ss, const struct tandem_dialog *dialog)
{
	char name[TANDEM_SESSION_NAME_SIZE];
	struct tandem_session *s;
	int err;

	if (!dialog->call_id || !*dialog->call_id || strlen(dialog->call_id) > CALL_ID_MAX ||
	    !is_printable(dialog->call_id) || !dialog->from_tag)
		return -EINVAL;
	tandem_session_name(name, dialog->owner, dialog->call_id, dialog->branch);
	s = tandem_sessions_by_call(ss, name);
	if (s) {
		err = set_tag(s, dialog->to_tag);
		if (!err && s->answered)
			tandem_session_save(ss, s);
		return err;
	}
	if (ss->count >= ss->cfg.max_sessions)
		return -ENOSPC;
	err = tandem_session_create(&s, dialog, ss->next_number);
	if (err)
		return err;
	ss->next_number++;
	s->started_ms = ss->env.epoch_ms(ss->env.arg);
	s->offered_ms = s->activity_ms = tandem_sessions_now(ss);
	tandem_acts_inherit(ss, s);
	tandem_sessions_insert(ss, s);
	return 0;
}

int tandem_session_confirm(struct tandem_sessions *ss, const char *call)
{
	struct tandem_session *s = tandem_sessions_by_call(ss, call);

	if (!s)
		return -ENOENT;
	if (!s->confirmed)
		s->activity_ms = tandem_sessions_now(ss);
	s->confirmed = true;
	if (s->pending_from == TANDEM_PARTY_NONE)
		tandem_media_list_settle(ss, &s->agreed);
	if (s->answered)
		tandem_session_save(ss, s);
	return 0;
}

int tandem_session_lasts(struct tandem_sessions *ss, const char *call, uint32_t seconds)
{
	struct tandem_session *s = tandem_sessions_by_call(ss, call);
	int64_t before;

	if (!s)
		return -ENOENT;
	before = s->lasts_ms;
	s->lasts_ms = seconds ? ss->env.epoch_ms(ss->env.arg) + seconds * 1000LL : 0;
	s->over_ms = tandem_sessions_now(ss) + seconds * 1000ULL;
	/* what is not confirmed yet is saved when it is */
	if (s->confirmed && s->answered && (before || seconds))
		tandem_session_save(ss, s);
	return 0;
}

int tandem_session_end(struct tandem_sessions *ss, const char *call, const char *why)
{
	struct tandem_session *s = tandem_sessions_by_call(ss, call);
	struct tandem_log_scope scope;

	if (!s)
		return -ENOENT;
	tandem_log_enter(&scope, s->call_id, strlen(s->call_id));
	tandem_log(TANDEM_LOG_INFO, MODULE, "%s: %s has ended: %s", s->id, s->call_id, why);
	tandem_sessions_unlink(ss, s);
	s->why_over = why;
	tandem_session_retire(ss, s);
	tandem_log_leave(&scope);
	return 0;
}

const char *tandem_session_find(const struct tandem_sessions *ss, const char *text)
{
	const struct tandem_session *s = tandem_sessions_by_text(ss, text);

	return s ? s->name : NULL;
}

void tandem_session_tell(const struct tandem_session *s, tandem_session_each_h *h, void *arg)
{
	const struct tandem_dialog dialog = {
		.owner = s->owner,
		.call_id = s->call_id,
		.branch = s->branch,
		.via = s->via,
		.from_uri = s->from_uri,
		.to_uri = s->to_uri,
		.from_tag = s->tag[TANDEM_PARTY_A],
		.to_tag = s->tag[TANDEM_PARTY_B],
	};

	if (s->answered && s->confirmed)
		h(&dialog, s->started_ms, arg);
}

void tandem_sessions_each(const struct tandem_sessions *ss, tandem_session_each_h *h, void *arg)
{
	const struct tandem_session *s;

	for (s = ss->first; s; s = s->next)
		tandem_session_tell(s, h, arg);
}

size_t tandem_sessions_count(const struct tandem_sessions *ss)
{
	return ss->count;
}

void tandem_sessions_dispatch(struct tandem_sessions *ss)
{
	static const struct tandem_event_handlers handlers = {
		.unknown_source = tandem_learn_source,
		.datagram = tandem_wire_datagram,
	};

	ss->env.dispatch(ss->plane, &handlers, ss);
}

static int check_config(const struct tandem_sessions_config *cfg)
{
	if (!cfg->locals_count || cfg->locals_count > TANDEM_MAX_LOCALS ||
	    cfg->deny_count > sizeof(cfg->deny) / sizeof(cfg->deny[0]))
		return -EINVAL;
	return 0;
}

int tandem_sessions_alloc_with(struct tandem_sessions **ssp, const struct tandem_session_env *env,
			       const struct tandem_sessions_config *cfg, struct tandem_plane *plane,
			       struct tandem_store *store, tandem_session_ended_h *ended_h,
			       void *arg)
{
	struct tandem_sessions *ss;
	int err = check_config(cfg);

	if (err)
		return err;
	ss = calloc(1, sizeof(*ss));
	if (!ss)
		return -ENOMEM;
	ss->cfg = *cfg;
	memcpy(ss->away, cfg->standby, sizeof(ss->away));
	ss->env = *env;
	ss->plane = plane;
	ss->store = store;
	ss->ended_h = ended_h;
	ss->arg = arg;
	ss->wires.timer_fd = -1;
	/*
	 * Numbers must not come again after a restart, though nothing but the clock
	 * may be left of the run before: fewer than a thousand calls a second on
	 * average start, so counting from the milliseconds of now stays ahead.
	 */
	ss->next_number = ss->env.epoch_ms(ss->env.arg) & 0xffffffffffffULL;
	for (ss->buckets = MIN_BUCKETS;
	     ss->buckets < cfg->max_sessions && ss->buckets < MAX_BUCKETS;)
		ss->buckets *= 2;
	ss->by_call = calloc(ss->buckets, sizeof(struct tandem_session *));
	ss->by_number = calloc(ss->buckets, sizeof(struct tandem_session *));
	if (!ss->by_call || !ss->by_number) {
		err = -ENOMEM;
		goto out;
	}
	err = tandem_routes_alloc(&ss->routes);
	if (!err)
		err = tandem_wires_init(&ss->wires);
	if (!err)
		err = tandem_ports_alloc(&ss->ports, cfg->locals_count, cfg->port_min,
					 cfg->port_max, env->seed);
	if (!err)
		err = tandem_sessions_restore(ss);
out:
	if (err)
		tandem_sessions_free(ss);
	else
		*ssp = ss;
	return err;
}

void tandem_sessions_on_over(struct tandem_sessions *ss, tandem_session_over_h *h, void *arg)
{
	ss->over_h = h;
	ss->over_arg = arg;
}

void tandem_sessions_free(struct tandem_sessions *ss)
{
	struct tandem_session *s;

	if (!ss)
		return;
	while ((s = ss->first)) {
		ss->first = s->next;
		tandem_session_destroy(s);
	}
	tandem_forwards_free(ss);
	tandem_leftovers_clean(ss);
	tandem_wires_clean(&ss->wires);
	tandem_ports_free(ss->ports);
	free(ss->by_call);
	free(ss->by_number);
	free(ss->routes);
	free(ss);
}
