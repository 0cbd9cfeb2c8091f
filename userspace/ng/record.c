/* SPDX-License-Identifier: GPL-2.0-only */
/* Recordings: of calls, with all of their branches. */
#include <errno.h>
#include <string.h>

#include "userspace/ng/calls.h"

typedef int(act_h)(struct tandem_record *rec, const char *name);

static const char *words_for(int err)
{
	switch (err) {
	case -ENOENT:
		return "Call is not recorded";
	case -EACCES:
		return "There are no recordings here (record.dir)";
	case -ENOSPC:
		return "Too many recordings, or the disk is full";
	case -EKEYREJECTED:
		return "Media passes under keys that are not the relay's";
	default:
		return strerror(-err);
	}
}

/* Done if it is done to one of them. */
static int each(struct tandem_ng_calls *calls, const struct tandem_ng_params *p, act_h *act,
		const char **why)
{
	const char *name = tandem_session_first(calls->sessions, TANDEM_OWNER_NG, p->call_id);
	int err = 0, first = 0;
	bool done = false;

	if (!name) {
		*why = "Unknown call-id";
		return -ENOENT;
	}
	while (name) {
		err = act(calls->cfg->record, name);
		done = done || !err || err == -EALREADY;
		if (err && !first)
			first = err;
		name = tandem_session_next(calls->sessions, TANDEM_OWNER_NG, p->call_id, name);
	}
	if (done)
		return 0;
	*why = words_for(first);
	return first;
}

int tandem_ng_start_recording(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			      json_t *reply, const char **why)
{
	(void)reply;
	return each(calls, p, tandem_record_start, why);
}

int tandem_ng_pause_recording(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			      json_t *reply, const char **why)
{
	(void)reply;
	return each(calls, p, tandem_record_pause, why);
}

int tandem_ng_stop_recording(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			     json_t *reply, const char **why)
{
	(void)reply;
	return each(calls, p, tandem_record_stop, why);
}

const char *tandem_ng_record(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			     const char *name)
{
	int err = p->record ? tandem_record_start(calls->cfg->record, name) : 0;

	return err && err != -EALREADY ? words_for(err) : NULL;
}
