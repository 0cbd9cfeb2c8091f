/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "userspace/session/forward.h"
#include "userspace/util/log.h"

#define MODULE "session"

#define COUNTED_TICKS 10 /* see move_keys.c */

/* What a command blocks does not pass, but the party is there. */
static uint64_t last_of(const struct tandem_session *s, const struct tandem_flow_stats *stats)
{
	uint64_t last = stats->flow.last_ns;
	size_t i;

	for (i = 0; i < stats->stream_count && tandem_acts_any(s); i++) {
		if (stats->streams[i].last_ns > last)
			last = stats->streams[i].last_ns;
	}
	return last / 1000000;
}

/* When the last packet passed on any flow, in ms of the monotonic clock; 0: never. */
static uint64_t last_packet(struct tandem_sessions *ss, const struct tandem_session *s)
{
	struct tandem_flow_stats stats;
	uint64_t last = 0;
	size_t i;

	for (i = 0; i < s->installed_count; i++) {
		if (ss->env.read(ss->plane, s->installed[i].id, &stats))
			continue;
		if (last_of(s, &stats) > last)
			last = last_of(s, &stats);
	}
	return last;
}

static bool is_over(uint64_t since, uint64_t now, uint32_t timeout_s)
{
	return timeout_s && now >= since + timeout_s * 1000ULL;
}

/*
 * Why the session has to end, or NULL. Counters are read only when the last packet
 * known of is old enough to matter, so that a tick costs next to nothing for calls
 * that are well.
 *
 * Either kind of hold makes silence normal, since few phones send anything while
 * they hold; so one that is held from one side only has the long timeout, too. So
 * has a session of which no media passes here, counted from its last agreement.
 */
static const char *why_over(struct tandem_sessions *ss, struct tandem_session *s, uint64_t now)
{
	uint32_t timeout;
	uint64_t last;

	if (s->end_ms && now >= s->end_ms)
		return s->end_why;
	if (!s->confirmed || !s->answered)
		return is_over(s->offered_ms, now, ss->cfg.setup_timeout_s) ? "not answered" : NULL;
	if (s->feeds)
		return NULL; /* it ends with its source */
	if (s->lasts_ms && now >= s->over_ms)
		return "session timer expired";
	timeout = ss->cfg.inactivity_timeout_s;
	if (!s->installed_count || tandem_session_state(s) == TANDEM_STATE_HELD)
		timeout = ss->cfg.hold_timeout_s;
	if (!is_over(s->activity_ms, now, timeout))
		return NULL;
	last = last_packet(ss, s);
	if (last > s->activity_ms)
		s->activity_ms = last;
	return is_over(s->activity_ms, now, timeout) ? "media inactivity" : NULL;
}

static void forget_old_keys(struct tandem_sessions *ss, struct tandem_session *s, uint64_t now)
{
	if (s->rekeying && tandem_secure_expire(&s->agreed, now, &s->rekeying))
		tandem_flows_sync(ss, s);
}

/* The handler may end other sessions, so all that are over leave the table first. */
static struct tandem_session *collect(struct tandem_sessions *ss)
{
	struct tandem_session *s, *next, *over = NULL;
	uint64_t now = tandem_sessions_now(ss);
	const char *why;

	ss->ticks++;
	for (s = ss->first; s; s = next) {
		next = s->next;
		/* the host that takes it over has to know how far its keys have been used */
		if (s->home != TANDEM_LOCAL_NONE && (s->number + ss->ticks) % COUNTED_TICKS == 0 &&
		    tandem_session_has_keys(s))
			tandem_session_outdated(ss, s);
		tandem_learn_tick(ss, s);
		forget_old_keys(ss, s, now);
		why = why_over(ss, s, now);
		if (!why)
			continue;
		tandem_sessions_unlink(ss, s);
		s->why_over = why;
		s->next = over;
		over = s;
	}
	return over;
}

/* One failure is enough to know that the store is not back yet. */
static void save_again(struct tandem_sessions *ss)
{
	struct tandem_session *s;

	for (s = ss->first; s; s = s->next) {
		if (!s->unsaved)
			continue;
		tandem_session_save(ss, s);
		if (s->unsaved)
			return;
	}
}

void tandem_sessions_tick(struct tandem_sessions *ss)
{
	struct tandem_session *s, *over = collect(ss);
	struct tandem_log_scope scope;

	save_again(ss);
	tandem_leftovers_remove(ss);
	tandem_forwards_tick(ss);
	ss->env.retry(ss->plane);

	while ((s = over)) {
		over = s->next;
		tandem_log_enter(&scope, s->call_id, strlen(s->call_id));
		tandem_log(TANDEM_LOG_INFO, MODULE, "%s: %s has ended: %s", s->id, s->call_id,
			   s->why_over);
		if (ss->ended_h)
			ss->ended_h(s->name, s->why_over, ss->arg);
		tandem_session_retire(ss, s);
		tandem_log_leave(&scope);
	}
}
