/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * After a restart: the store says which sessions there are, the plane which flows
 * have gone on without us. The sessions are right; flows that no session wants go.
 *
 * Every flow that is wanted is set again, even where the fast path has it as it
 * should be: setting keeps the statistics, and the io_uring datapath, which was in
 * the process that is gone, has to hear of all of them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/session/compile.h"
#include "userspace/session/forward.h"
#include "userspace/util/log.h"

#define MODULE	   "session"
#define REFRESH_MS 32000

/* Leg i of what is agreed and, behind that, of an open offer. */
static const struct tandem_leg *nth_leg(const struct tandem_session *s, size_t i)
{
	const struct tandem_media_list *list = i < s->agreed.n * 2 ? &s->agreed : &s->pending;

	i -= list == &s->pending ? s->agreed.n * 2 : 0;
	return &list->v[i / 2].leg[i % 2];
}

/* Has one before it the pair already? An offer keeps those of what is agreed. */
static bool is_repeated(const struct tandem_session *s, size_t n)
{
	const struct tandem_leg *leg = nth_leg(s, n);
	size_t i;

	for (i = 0; i < n && n >= s->agreed.n * 2; i++) {
		if (nth_leg(s, i)->local == leg->local && nth_leg(s, i)->port == leg->port)
			return true;
	}
	return false;
}

static int reserve(struct tandem_sessions *ss, const struct tandem_session *s)
{
	size_t i, done = 0, n = (s->agreed.n + s->pending.n) * 2;
	int err = 0;

	for (i = 0; i < n && !err; i++) {
		const struct tandem_leg *leg = nth_leg(s, i);

		if (leg->local != TANDEM_LOCAL_NONE && !is_repeated(s, i))
			err = tandem_ports_reserve(ss->ports, leg->local, leg->port);
		if (!err)
			done++;
	}
	for (i = 0; i < done && err; i++) {
		const struct tandem_leg *leg = nth_leg(s, i);

		if (leg->local != TANDEM_LOCAL_NONE && !is_repeated(s, i))
			tandem_ports_release(ss->ports, leg->local, leg->port);
	}
	return err;
}

/* A refresh that found nobody here is repeated for as long as timer B of RFC 3261 lasts. */
static void wait_for_refresh(const struct tandem_sessions *ss, struct tandem_session *s)
{
	int64_t left_ms = s->lasts_ms - ss->env.epoch_ms(ss->env.arg);

	s->over_ms = s->offered_ms + (uint64_t)(left_ms > REFRESH_MS ? left_ms : REFRESH_MS);
}

int tandem_session_enter(struct tandem_sessions *ss, struct tandem_session *s)
{
	int err;

	if (tandem_sessions_by_call(ss, s->name) || tandem_sessions_by_number(ss, s->number))
		return -EEXIST;
	err = reserve(ss, s);
	if (err)
		return err;
	if (s->number >= ss->next_number)
		ss->next_number = s->number + 1;
	s->offered_ms = s->activity_ms = tandem_sessions_now(ss);
	wait_for_refresh(ss, s);
	tandem_sessions_insert(ss, s);
	return 0;
}

static int take_up(struct tandem_sessions *ss, const char *id, const json_t *doc)
{
	struct tandem_session *s;
	int err = tandem_session_parse(ss, &s, doc);

	if (err)
		return err;
	err = strcmp(s->id, id) ? -EBADMSG : tandem_session_enter(ss, s);
	if (err)
		tandem_session_destroy(s);
	else
		s->restored = s->stored = true;
	return err;
}

static void collect_row(const char *id, const char *text, void *arg)
{
	json_t *doc = json_loads(text, 0, NULL);

	json_object_set_new(arg, id, doc ? doc : json_null());
}

static int load(struct tandem_sessions *ss)
{
	json_t *rows = json_object(), *doc;
	const char *id;
	int err = -ENOMEM;

	if (!rows)
		return err;
	err = tandem_store_session_list(ss->store, collect_row, rows);
	if (err)
		goto out;
	json_object_foreach (rows, id, doc) {
		err = take_up(ss, id, doc);
		if (err == -ENOMEM)
			goto out;
		if (!err)
			continue;
		tandem_log(TANDEM_LOG_ERROR, MODULE, "%s: stored, but cannot be taken up: %s", id,
			   strerror(-err));
		tandem_store_session_remove(ss->store, id);
	}
	err = 0;
out:
	json_decref(rows);
	return err;
}

struct listing {
	struct tandem_flow_spec *specs;
	size_t n;
	size_t room;
	int err;
};

static void collect_flow(const struct tandem_flow_spec *spec, void *arg)
{
	struct listing *l = arg;
	size_t room = l->room ? l->room * 2 : 64;
	struct tandem_flow_spec *specs;

	if (l->n == l->room) {
		specs = realloc(l->specs, room * sizeof(*specs));
		if (!specs) {
			l->err = -ENOMEM;
			return;
		}
		l->specs = specs;
		l->room = room;
	}
	l->specs[l->n++] = *spec;
}

/* Does the session or the forward that the flow is named after want it? */
static bool is_wanted(const struct tandem_sessions *ss, const struct tandem_flow_spec *spec)
{
	struct tandem_flow_spec specs[TANDEM_FLOWS_PER_MEDIA * TANDEM_MEDIA_MAX];
	const struct tandem_session *s =
		tandem_sessions_by_number(ss, tandem_flow_id_session(spec->id));
	int i, n = s ? tandem_compile(s, &ss->cfg, specs) : 0;

	for (i = 0; i < n && specs[i].id != spec->id;)
		i++;
	if (n > 0)
		tandem_compile_clean(specs, (size_t)n);
	/* for want of memory to know it stays */
	return n < 0 || i < n || (!s && tandem_forward_wants(ss, spec->id));
}

static int remove_orphans(struct tandem_sessions *ss)
{
	struct tandem_change change = { .op = TANDEM_FLOW_REMOVE };
	struct listing l = { 0 };
	size_t i;
	int err = ss->env.list(ss->plane, collect_flow, &l);

	if (!err)
		err = l.err;
	for (i = 0; i < l.n && !err; i++) {
		if (tandem_flow_id_session(l.specs[i].id) >= ss->next_number)
			ss->next_number = tandem_flow_id_session(l.specs[i].id) + 1;
		if (is_wanted(ss, &l.specs[i]))
			continue;
		change.spec = l.specs[i];
		change.result = 0;
		ss->env.apply(ss->plane, &change, 1);
	}
	free(l.specs);
	return err;
}

int tandem_sessions_restore(struct tandem_sessions *ss)
{
	struct tandem_session *s;
	int err = ss->store ? load(ss) : 0;

	if (!err)
		err = tandem_subscriptions_restore(ss);
	/* after the calls: a port that both name is the call's */
	if (!err && ss->store)
		err = tandem_forwards_load(ss);
	if (!err)
		err = remove_orphans(ss);
	for (s = ss->first; s && !err; s = s->next) {
		/* a flow that cannot be had again is logged; the others go on */
		if (tandem_flows_sync(ss, s) == -ENOMEM)
			err = -ENOMEM;
		tandem_wires_adopt(ss, s);
	}
	if (!err)
		tandem_forwards_install(ss);
	return err;
}
