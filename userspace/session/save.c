/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When sessions are written to the store: at once, or with others that change at the same time, in
 * one transaction, which costs little more than a write of its own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/session/model.h"
#include "userspace/util/log.h"

#define MODULE "session"

static void note_saved(struct tandem_session *s, int err)
{
	if (err && !s->unsaved)
		tandem_session_log(s, TANDEM_LOG_ERROR,
				   "not stored, and would be lost at a restart");
	s->unsaved = err != 0;
}

static int write_session(struct tandem_sessions *ss, struct tandem_session *s)
{
	json_t *js = tandem_session_dump(ss, s);
	char *text = js ? json_dumps(js, JSON_COMPACT) : NULL;
	int err = text ? tandem_store_session_put(ss->store, s->id, text) : -ENOMEM;

	s->stored |= !err;
	if (text)
		explicit_bzero(text, strlen(text)); /* there may be keys in it */
	free(text);
	json_decref(js);
	return err;
}

void tandem_session_save(struct tandem_sessions *ss, struct tandem_session *s)
{
	tandem_session_outdated(ss, s);
	if (!ss->store || s->to_save)
		return;
	if (!ss->together) {
		note_saved(s, write_session(ss, s));
		return;
	}
	s->to_save = true;
	s->next_to_save = ss->to_save;
	ss->to_save = s;
}

static void do_not_save(struct tandem_sessions *ss, struct tandem_session *s)
{
	struct tandem_session **p = &ss->to_save;

	if (!s->to_save)
		return;
	while (*p != s)
		p = &(*p)->next_to_save;
	*p = s->next_to_save;
	s->to_save = false;
}

static int keep_leftover(struct tandem_sessions *ss, const char *id)
{
	struct tandem_leftover *left = calloc(1, sizeof(*left));

	if (!left)
		return -ENOMEM;
	memcpy(left->id, id, sizeof(left->id));
	left->next = ss->leftovers;
	ss->leftovers = left;
	return 0;
}

void tandem_session_unsave(struct tandem_sessions *ss, struct tandem_session *s)
{
	bool first = !ss->leftovers;
	int err;

	do_not_save(ss, s);
	if (!ss->store || !s->stored || (ss->together && !keep_leftover(ss, s->id)))
		return;
	err = tandem_store_session_remove(ss->store, s->id);
	if (!err || err == -ENOENT)
		return;
	/* without memory for it the next start clears it away, as any call without media */
	if (!keep_leftover(ss, s->id) && first)
		tandem_log(TANDEM_LOG_ERROR, MODULE,
			   "%s: not removed from the store, which is tried again", s->id);
}

/* How many, from the first one on, the store has no more. */
static size_t remove_leftovers(struct tandem_sessions *ss)
{
	const struct tandem_leftover *left;
	size_t n = 0;
	int err;

	/* one failure is enough to know that the store is not back yet */
	for (left = ss->leftovers; left; left = left->next, n++) {
		err = tandem_store_session_remove(ss->store, left->id);
		if (err && err != -ENOENT)
			break;
	}
	return n;
}

static void forget_leftovers(struct tandem_sessions *ss, size_t n)
{
	struct tandem_leftover *left;

	for (; n && (left = ss->leftovers); n--) {
		ss->leftovers = left->next;
		free(left);
	}
}

void tandem_leftovers_remove(struct tandem_sessions *ss)
{
	forget_leftovers(ss, remove_leftovers(ss));
}

void tandem_leftovers_clean(struct tandem_sessions *ss)
{
	forget_leftovers(ss, SIZE_MAX);
}

void tandem_sessions_begin(struct tandem_sessions *ss)
{
	ss->together++;
}

/* All of it, or nothing. */
static int write_all(struct tandem_sessions *ss)
{
	struct tandem_session *s;
	size_t removed;
	int err = tandem_store_begin_at_once(ss->store);

	if (err)
		return err;
	for (s = ss->to_save; s && !err; s = s->next_to_save)
		err = write_session(ss, s);
	if (err) {
		tandem_store_rollback(ss->store);
		return err;
	}
	removed = remove_leftovers(ss);
	err = tandem_store_commit(ss->store);
	if (!err)
		forget_leftovers(ss, removed);
	return err;
}

void tandem_sessions_commit(struct tandem_sessions *ss)
{
	struct tandem_session *s;
	int err;

	if (--ss->together || (!ss->to_save && !ss->leftovers))
		return;
	err = write_all(ss);
	while ((s = ss->to_save)) {
		ss->to_save = s->next_to_save;
		s->to_save = false;
		note_saved(s, err);
	}
}
