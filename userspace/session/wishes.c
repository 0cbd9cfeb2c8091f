/* SPDX-License-Identifier: GPL-2.0-only */
/* What a front end wants of a session as a whole: the mark of its packets, its end, its own notes. */
#include <errno.h>
#include <string.h>

#include "userspace/session/model.h"

int tandem_session_mark(struct tandem_sessions *ss, const char *call, int dscp)
{
	struct tandem_session *s = tandem_sessions_by_call(ss, call);
	bool marked = dscp >= 0;
	int err;

	if (!s)
		return -ENOENT;
	if (s->marked == marked && (!marked || s->dscp == dscp))
		return 0;
	s->marked = marked;
	s->dscp = marked ? dscp & 0x3f : 0;
	if (!s->answered)
		return 0;
	err = tandem_flows_sync(ss, s);
	tandem_session_save(ss, s);
	return err;
}

json_t *tandem_session_notes(struct tandem_sessions *ss, const char *call, bool make)
{
	struct tandem_session *s = tandem_sessions_by_call(ss, call);

	if (s && !s->notes && make)
		s->notes = json_object();
	return s ? s->notes : NULL;
}

int tandem_session_end_later(struct tandem_sessions *ss, const char *call, uint32_t seconds,
			     const char *why)
{
	struct tandem_session *s = tandem_sessions_by_call(ss, call);

	if (!s)
		return -ENOENT;
	s->end_ms = tandem_sessions_now(ss) + seconds * 1000ULL;
	s->end_why = why;
	if (s->answered)
		tandem_session_save(ss, s);
	return 0;
}

/* ---- stored ---- */

/* Of the epoch: the monotonic clock is another one elsewhere, and after a reboot. */
json_int_t tandem_wishes_end_dump(const struct tandem_sessions *ss, const struct tandem_session *s)
{
	if (!s->end_ms)
		return 0;
	return ss->env.epoch_ms(ss->env.arg) + (json_int_t)(s->end_ms - tandem_sessions_now(ss));
}

/* An earlier version has none of it. */
int tandem_wishes_parse(struct tandem_sessions *ss, struct tandem_session *s, const json_t *doc)
{
	const json_t *dscp = json_object_get(doc, "dscp");
	json_t *notes = json_object_get(doc, "notes");
	json_int_t end = json_integer_value(json_object_get(doc, "end_ms"));
	json_int_t now = ss->env.epoch_ms(ss->env.arg);

	if (dscp && (json_integer_value(dscp) < -1 || json_integer_value(dscp) > 63))
		return -EBADMSG;
	s->marked = dscp && json_integer_value(dscp) >= 0;
	if (s->marked)
		s->dscp = (uint8_t)json_integer_value(dscp);
	if (json_is_object(notes))
		s->notes = json_incref(notes);
	if (end)
		s->end_ms = tandem_sessions_now(ss) + (uint64_t)(end > now ? end - now : 0) + 1;
	s->end_why = "deleted";
	return 0;
}
