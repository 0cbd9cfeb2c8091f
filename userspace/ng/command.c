/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/ng/calls.h"

typedef int(handler)(struct tandem_ng_calls *calls, const struct tandem_ng_params *p, json_t *reply,
		     const char **why);

enum need {
	NEEDS_CALL = 1,
	NEEDS_FROM = 2,
	NEEDS_TO = 4,
	NEEDS_SDP = 8,
};

static int ping(struct tandem_ng_calls *calls, const struct tandem_ng_params *p, json_t *reply,
		const char **why)
{
	(void)calls;
	(void)p;
	(void)why;
	return json_object_set_new(reply, "result", json_string("pong")) ? -ENOMEM : 0;
}

static int unknown_command(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			   json_t *reply, const char **why)
{
	(void)calls;
	(void)p;
	(void)reply;
	*why = "Unrecognized command";
	return -ENOSYS;
}

static const struct {
	const char *name;
	handler *h;
	unsigned int needs;
} commands[] = {
	{ "ping", ping, 0 },
	{ "offer", tandem_ng_offer, NEEDS_CALL | NEEDS_FROM | NEEDS_SDP },
	{ "answer", tandem_ng_answer, NEEDS_CALL | NEEDS_FROM | NEEDS_TO | NEEDS_SDP },
	{ "delete", tandem_ng_delete, NEEDS_CALL },
	{ "query", tandem_ng_query, NEEDS_CALL },
	{ "list", tandem_ng_list, 0 },
	{ "statistics", tandem_ng_statistics, 0 },
	{ "start recording", tandem_ng_start_recording, NEEDS_CALL },
	{ "stop recording", tandem_ng_stop_recording, NEEDS_CALL },
	{ "pause recording", tandem_ng_pause_recording, NEEDS_CALL },
	{ "block DTMF", tandem_ng_block_dtmf, NEEDS_CALL },
	{ "unblock DTMF", tandem_ng_unblock_dtmf, NEEDS_CALL },
	{ "block media", tandem_ng_block_media, NEEDS_CALL },
	{ "unblock media", tandem_ng_unblock_media, NEEDS_CALL },
	{ "silence media", tandem_ng_silence_media, NEEDS_CALL },
	{ "unsilence media", tandem_ng_unsilence_media, NEEDS_CALL },
	{ "start forwarding", tandem_ng_start_forwarding, NEEDS_CALL },
	{ "stop forwarding", tandem_ng_stop_forwarding, NEEDS_CALL },
	{ "play media", tandem_ng_play_media, NEEDS_CALL },
	{ "stop media", tandem_ng_stop_media, NEEDS_CALL },
	{ "play DTMF", tandem_ng_play_dtmf, NEEDS_CALL },
	{ "publish", tandem_ng_publish, NEEDS_CALL | NEEDS_FROM | NEEDS_SDP },
	{ "subscribe request", tandem_ng_subscribe_request, NEEDS_CALL },
	{ "subscribe answer", tandem_ng_subscribe_answer, NEEDS_CALL | NEEDS_TO | NEEDS_SDP },
	{ "unsubscribe", tandem_ng_unsubscribe, NEEDS_CALL | NEEDS_TO },
	{ "unknown", unknown_command, 0 },
};

#define COUNT (sizeof(commands) / sizeof(commands[0]))
_Static_assert(COUNT <= TANDEM_NG_COMMANDS, "commands are counted by place");

const char *tandem_ng_command_name(size_t command)
{
	return command < COUNT ? commands[command].name : NULL;
}

static size_t find(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT - 1; i++) {
		if (name && !strcasecmp(commands[i].name, name))
			return i;
	}
	return COUNT - 1;
}

/* What is missing of a request. */
static const char *missing(unsigned int needs, const struct tandem_ng_params *p)
{
	if (needs & NEEDS_SDP && !p->sdp)
		return "No SDP body in message";
	if (needs & NEEDS_CALL && !p->call_id)
		return "No call-id in message";
	if (needs & NEEDS_FROM && !p->from_tag)
		return "No from-tag in message";
	if (needs & NEEDS_TO && !p->to_tag)
		return "No to-tag in message";
	return NULL;
}

static bool takes_load_limit(const json_t *dict)
{
	const json_t *supports = json_object_get(dict, "supports");
	size_t i;

	for (i = 0; i < json_array_size(supports); i++) {
		const char *what = json_string_value(json_array_get(supports, i));

		if (what && !strcmp(what, "load limit"))
			return true;
	}
	return false;
}

static int put_failure(json_t *reply, const json_t *dict, int err, const char *why)
{
	/* a client that knows of it tries another relay */
	if (err == -ENOSPC && takes_load_limit(dict))
		return json_object_set_new(reply, "result", json_string("load limit")) |
		       json_object_set_new(reply, "message", json_string(why));
	return json_object_set_new(reply, "result", json_string("error")) |
	       json_object_set_new(reply, "error-reason", json_string(why));
}

json_t *tandem_ng_command(struct tandem_ng_calls *calls, const json_t *dict, size_t *command,
			  unsigned int *unknown)
{
	struct tandem_ng_params p;
	json_t *reply = json_object();
	const char *why = NULL;
	int err = 0;

	*command = find(json_string_value(json_object_get(dict, "command")));
	tandem_ng_params_read(&p, dict);
	*unknown = p.unknown;
	if (!reply)
		return NULL;
	why = missing(commands[*command].needs, &p);
	err = why ? -EINVAL : commands[*command].h(calls, &p, reply, &why);
	if (err)
		err = put_failure(reply, dict, err, why ? why : strerror(-err));
	else if (!json_object_get(reply, "result"))
		err = json_object_set_new(reply, "result", json_string("ok"));
	if (!err && p.warning[0] && !json_object_get(reply, "warning"))
		err = json_object_set_new(reply, "warning", json_string(p.warning));
	if (err) {
		json_decref(reply);
		return NULL;
	}
	return reply;
}
