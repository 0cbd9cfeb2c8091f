/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sessions that move from one host to another together with the address they are at: what the other
 * host has to know of them, and taking them up there. What is in the store is part of that; an
 * open offer, which dies with its transaction where one host restarts, lives on where another proxy
 * has the transaction.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/session/model.h"

#define MODULE "session"

void tandem_sessions_hold(struct tandem_sessions *ss, size_t local, bool held)
{
	if (local < ss->cfg.locals_count)
		ss->away[local] = ss->cfg.standby[local] && !held;
}

void tandem_sessions_on_outdated(struct tandem_sessions *ss, tandem_session_outdated_h *h,
				 void *arg)
{
	ss->outdated_h = h;
	ss->outdated_arg = arg;
}

static int lower_home(const struct tandem_sessions *ss, const struct tandem_media_list *list,
		      int home)
{
	size_t i;

	for (i = 0; i < list->n * 2; i++) {
		const int local = list->v[i / 2].leg[i % 2].local;

		if (local != TANDEM_LOCAL_NONE && ss->cfg.standby[local] &&
		    (home == TANDEM_LOCAL_NONE || local < home))
			home = local;
	}
	return home;
}

static int find_home(const struct tandem_sessions *ss, const struct tandem_session *s)
{
	/* a subscription is made anew by who wants it, where its source is then */
	if (s->feeds)
		return TANDEM_LOCAL_NONE;
	return lower_home(ss, &s->pending, lower_home(ss, &s->agreed, TANDEM_LOCAL_NONE));
}

void tandem_session_gone(struct tandem_sessions *ss, struct tandem_session *s)
{
	if (ss->outdated_h && s->home != TANDEM_LOCAL_NONE)
		ss->outdated_h(s->number, (size_t)s->home, true, ss->outdated_arg);
	s->home = TANDEM_LOCAL_NONE;
}

void tandem_session_outdated(struct tandem_sessions *ss, struct tandem_session *s)
{
	int home = find_home(ss, s);

	if (home != s->home)
		tandem_session_gone(ss, s);
	s->home = home;
	if (ss->outdated_h && home != TANDEM_LOCAL_NONE)
		ss->outdated_h(s->number, (size_t)home, false, ss->outdated_arg);
}

static json_t *dump_open(const struct tandem_sessions *ss, const struct tandem_session *s)
{
	json_t *js = NULL;
	char *text;
	size_t len;

	if (tandem_sdp_print(s->offer, &text, &len))
		return NULL;
	js = json_pack("{s:i, s:b, s:o, s:o}", "offerer", s->offerer, "pending",
		       s->pending_from != TANDEM_PARTY_NONE, "offer", tandem_json_text(text),
		       "media", tandem_media_list_dump(ss, &s->pending));
	explicit_bzero(text, len);
	free(text);
	return js;
}

char *tandem_session_text(const struct tandem_sessions *ss, uint64_t number)
{
	const struct tandem_session *s = tandem_sessions_by_number(ss, number);
	json_t *js = s ? tandem_session_dump(ss, s) : NULL;
	char *text = NULL;

	if (js && !json_object_set_new(js, "answered", json_boolean(s->answered)) &&
	    (!tandem_session_has_keys(s) ||
	     !json_object_set_new(js, "counted", tandem_session_dump_counted(ss, s))) &&
	    (!s->offer || !json_object_set_new(js, "open", dump_open(ss, s))))
		text = json_dumps(js, JSON_COMPACT);
	json_decref(js);
	return text;
}

void tandem_sessions_at(struct tandem_sessions *ss, size_t home, tandem_session_at_h *h, void *arg)
{
	struct tandem_session *s, *next;

	for (s = ss->first; s; s = next) {
		next = s->next;
		s->home = find_home(ss, s);
		if (s->home == (int)home)
			h(s->number, s->restored, s->offered_ms, arg);
	}
}

bool tandem_session_at_home(const struct tandem_sessions *ss, uint64_t number, size_t home)
{
	const struct tandem_session *s = tandem_sessions_by_number(ss, number);

	return s && find_home(ss, s) == (int)home;
}

/* Numbers are of one host: what has come may have one that is taken here. */
static void renumber(struct tandem_sessions *ss, struct tandem_session *s)
{
	if (!tandem_sessions_by_number(ss, s->number))
		return;
	s->number = ss->next_number++;
	snprintf(s->id, sizeof(s->id), "%012llx", (unsigned long long)s->number);
}

int tandem_session_adopt(struct tandem_sessions *ss, const char *text, tandem_session_each_h *h,
			 void *arg)
{
	json_t *doc = json_loads(text, 0, NULL);
	struct tandem_srtp_seed *seeds = NULL;
	struct tandem_session *s;
	size_t seeds_count = 0;
	int err = doc ? tandem_session_parse(ss, &s, doc) : -EBADMSG;

	if (!err)
		seeds_count = tandem_session_parse_counted(ss, doc, &seeds);
	json_decref(doc);
	if (err)
		return err;
	if (tandem_sessions_by_call(ss, s->name))
		err = -EEXIST;
	else if (ss->count >= ss->cfg.max_sessions)
		err = -ENOSPC;
	else
		renumber(ss, s);
	if (!err)
		err = tandem_session_enter(ss, s);
	if (err) {
		free(seeds);
		tandem_session_destroy(s);
		return err;
	}
	/* a flow that cannot be had is logged, and the call goes on without it */
	ss->env.keys_seed(ss->plane, seeds, seeds_count);
	(void)tandem_flows_sync(ss, s);
	ss->env.keys_seed(ss->plane, NULL, 0);
	free(seeds);
	tandem_wires_adopt(ss, s);
	if (s->answered)
		tandem_session_save(ss, s);
	else
		tandem_session_outdated(ss, s);
	if (h)
		tandem_session_tell(s, h, arg);
	return 0;
}

int tandem_session_release(struct tandem_sessions *ss, uint64_t number, const char *why)
{
	struct tandem_session *s = tandem_sessions_by_number(ss, number);
	struct tandem_log_scope scope;

	if (!s)
		return -ENOENT;
	tandem_log_enter(&scope, s->call_id, strlen(s->call_id));
	tandem_log(TANDEM_LOG_INFO, MODULE, "%s: %s is not here any more: %s", s->id, s->call_id,
		   why);
	tandem_sessions_unlink(ss, s);
	s->why_over = why;
	s->home = TANDEM_LOCAL_NONE; /* what the other host has of it stays */
	if (ss->ended_h)
		ss->ended_h(s->name, why, ss->arg);
	tandem_session_retire(ss, s);
	tandem_log_leave(&scope);
	return 0;
}
