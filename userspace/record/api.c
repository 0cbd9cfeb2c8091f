/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/record/local.h"

static const char *const states[] = { "asked", "on", "paused", "ended" };

static json_t *forwarding_json(const struct tandem_record *rec)
{
	const uint64_t unheard = __atomic_load_n(&rec->unheard, __ATOMIC_RELAXED);

	return json_pack("{s:I, s:I, s:I}", "forwarded",
			 (json_int_t)__atomic_load_n(&rec->forwarded, __ATOMIC_RELAXED),
			 "listening",
			 (json_int_t)__atomic_load_n(&rec->listening, __ATOMIC_RELAXED), "unheard",
			 (json_int_t)(unheard * 1000 / rec->cfg.forward_rate));
}

json_t *tandem_record_stats(struct tandem_record *rec)
{
	json_t *doc;

	if (!rec)
		return json_null();
	pthread_mutex_lock(&rec->lock);
	doc = json_pack("{s:I, s:I, s:I, s:I, s:s?}", "running", (json_int_t)rec->count, "made",
			(json_int_t)rec->made, "failed", (json_int_t)rec->failed, "lost",
			(json_int_t)__atomic_load_n(&rec->lost, __ATOMIC_RELAXED), "alarm",
			*rec->alarm ? rec->alarm : NULL);
	if (tandem_record_forwards(rec))
		json_object_update_new(doc, forwarding_json(rec));
	pthread_mutex_unlock(&rec->lock);
	return doc;
}

json_t *tandem_record_json(struct tandem_record *rec)
{
	json_t *doc = tandem_record_stats(rec), *list;

	if (!rec)
		return doc;
	list = json_array();
	pthread_mutex_lock(&rec->lock);
	for (size_t i = 0; i < RECORD_BUCKETS; i++) {
		for (const struct record_mark *m = rec->marks[i]; m; m = m->next) {
			if (!m->path && m->state == RECORD_ENDED)
				continue; /* it is forwarded, or was */
			json_array_append_new(list, json_pack("{s:s, s:s?, s:s}", "call_id",
							      m->call, "file", m->path, "state",
							      states[m->state]));
		}
	}
	pthread_mutex_unlock(&rec->lock);
	json_object_set_new(doc, "recordings", list);
	return doc;
}

static const char *words_for(int err)
{
	switch (-err) {
	case ENOENT:
		return "no such session, or it is not recorded";
	case EACCES:
		return "there are no recordings (record.dir)";
	case EALREADY:
		return "it is recorded already";
	case ENOSPC:
		return "too many recordings, or the disk is full";
	case EKEYREJECTED:
		return "its media passes end to end under keys that the relay has not";
	default:
		return strerror(-err);
	}
}

static int act(struct tandem_record *rec, const char *name, const char *action)
{
	if (!strcmp(action, "start"))
		return tandem_record_start(rec, name);
	if (!strcmp(action, "pause"))
		return tandem_record_pause(rec, name);
	return strcmp(action, "stop") ? -EINVAL : tandem_record_stop(rec, name);
}

static int session_record(struct tandem_record *rec, const json_t *params, json_t **result,
			  char *why, size_t why_size)
{
	const char *id = json_string_value(json_object_get(params, "id"));
	const char *action = json_string_value(json_object_get(params, "action"));
	const char *name;
	int err;

	if (!id || !action) {
		snprintf(why, why_size, "\"id\" or \"action\" is missing or no string");
		return -EINVAL;
	}
	name = rec ? tandem_session_find(rec->sessions, id) : id;
	err = name ? act(rec, name, action) : -ENOENT;
	if (err == -EINVAL)
		snprintf(why, why_size, "\"action\" is none of start, pause, stop");
	else if (err)
		snprintf(why, why_size, "%s", words_for(err));
	if (err)
		return err == -ENOENT || err == -EINVAL ? err : -EAGAIN;
	*result = json_pack("{s:s, s:s}", "id", id, "action", action);
	return *result ? 0 : -ENOMEM;
}

int tandem_record_call(const char *call, const json_t *params, json_t **result, char *why,
		       size_t why_size, void *arg)
{
	if (!strcmp(call, "session.record"))
		return session_record(arg, params, result, why, why_size);
	if (strcmp(call, "record.list"))
		return -ENOSYS;
	*result = tandem_record_json(arg);
	return 0;
}
