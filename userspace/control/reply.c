/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/control/reply.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Digits of a real number; 17 would show 0.09 as 0.089999999999999997. */
#define DUMP_FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(12))

static const char *code_word(int err)
{
	switch (-err) {
	case ENOSYS:
		return "unknown_call";
	case EINVAL:
	case EBADMSG:
		return "bad_request";
	case ENOENT:
		return "not_found";
	case EAGAIN:
		return "unavailable";
	default:
		return "failed";
	}
}

/* Takes over reply. */
static char *to_line(json_t *reply)
{
	char *line = NULL;
	size_t len;

	if (!reply)
		return NULL;
	len = json_dumpb(reply, NULL, 0, DUMP_FLAGS);
	if (len)
		line = malloc(len + 2);
	if (line) {
		json_dumpb(reply, line, len, DUMP_FLAGS);
		line[len] = '\n';
		line[len + 1] = '\0';
	}
	json_decref(reply);
	return line;
}

char *tandem_reply_error(int err, const char *text)
{
	json_t *words = text && *text ? json_string(text) : NULL;

	/* A name cut in the middle of a character is no valid string. */
	if (!words)
		words = json_string(strerror(-err));
	return to_line(json_pack("{s:{s:s, s:o}}", "error", "code", code_word(err), "text", words));
}

char *tandem_reply_make(const char *line, size_t len, tandem_control_call_h *call_h, void *arg)
{
	json_error_t parse_error;
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &parse_error);
	json_t *result = NULL;
	const char *call = json_string_value(json_object_get(request, "call"));
	char why[256] = "", *reply;
	int ret = -EBADMSG;

	if (!request)
		snprintf(why, sizeof(why), "not a JSON object: %s", parse_error.text);
	else if (!call)
		snprintf(why, sizeof(why), "\"call\" is missing or no string");
	else
		ret = call_h(call, request, &result, why, sizeof(why), arg);
	if (ret == -ENOSYS && !why[0])
		snprintf(why, sizeof(why), "no call %.64s", call);
	reply = ret ? tandem_reply_error(ret, why) : to_line(json_pack("{s:o}", "result", result));
	json_decref(request);
	return reply;
}
