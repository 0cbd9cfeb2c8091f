/* SPDX-License-Identifier: GPL-2.0-only */
/* What parties are to hear of the relay itself: announcements, and DTMF of the other party. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/ng/calls.h"

/* Numbers come as such, or as text. Returns fallback where there is none; -EINVAL, -1. */
static int read_number(const struct tandem_ng_params *p, const char *key, json_int_t fallback,
		       json_int_t *out)
{
	const json_t *value = json_object_get(p->dict, key);
	const char *text = json_string_value(value);
	char *end;

	*out = fallback;
	if (!value)
		return 0;
	if (json_is_integer(value)) {
		*out = json_integer_value(value);
		return 0;
	}
	if (!text || !*text)
		return -EINVAL;
	*out = strtoll(text, &end, 10);
	return *end ? -EINVAL : 0;
}

static int read_order(const struct tandem_ng_params *p, struct tandem_play_order *order,
		      const char **why)
{
	const json_t *file = json_object_get(p->dict, "file");
	const json_t *blob = json_object_get(p->dict, "blob");
	json_int_t repeat, start, duration;

	*order = (struct tandem_play_order){ 0 };
	if (json_object_get(p->dict, "db-id")) {
		*why = "Media from a database is not supported";
		return -ENOSYS;
	}
	if (read_number(p, "repeat-times", 1, &repeat) || read_number(p, "start-pos", 0, &start) ||
	    read_number(p, "duration", 0, &duration) || repeat < 0 || repeat > UINT32_MAX ||
	    start < 0 || start > INT32_MAX || duration < 0 || duration > INT32_MAX) {
		*why = "repeat-times, start-pos or duration is no such number";
		return -EINVAL;
	}
	if (json_is_string(file) && strlen(json_string_value(file)) == json_string_length(file))
		order->file = json_string_value(file);
	order->blob = json_string_value(blob);
	order->blob_len = json_string_length(blob);
	order->repeat = repeat ? (uint32_t)repeat : 1;
	order->start = (uint32_t)start;
	order->duration_ms = (uint32_t)duration;
	if (order->file || order->blob)
		return 0;
	*why = "No media file specified";
	return -EINVAL;
}

static int ready(const struct tandem_ng_calls *calls, const char **why)
{
	if (calls->cfg->play)
		return 0;
	*why = "Command is not supported";
	return -ENOSYS;
}

int tandem_ng_play_media(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			 json_t *reply, const char **why)
{
	struct tandem_play_order order;
	struct tandem_ng_chosen chosen;
	int64_t duration = -1;
	int err = ready(calls, why), i;

	if (!err)
		err = tandem_ng_choose(calls, p, &chosen, why);
	if (!err)
		err = read_order(p, &order, why);
	for (i = 0; i < 2 && !err; i++) {
		if (chosen.party[i])
			err = tandem_play_start(calls->cfg->play, chosen.name, i, &order, &duration,
						why);
	}
	if (!err && duration >= 0)
		json_object_set_new(reply, "duration", json_integer(duration));
	return err;
}

int tandem_ng_stop_media(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			 json_t *reply, const char **why)
{
	struct tandem_ng_chosen chosen;
	int64_t frame = -1;
	bool stopped = false;
	int err = ready(calls, why), i;

	if (!err)
		err = tandem_ng_choose(calls, p, &chosen, why);
	if (err)
		return err;
	for (i = 0; i < 2; i++) {
		if (chosen.party[i])
			stopped |= !tandem_play_stop(calls->cfg->play, chosen.name, i, &frame);
	}
	if (stopped && frame >= 0)
		json_object_set_new(reply, "last-frame-pos", json_integer(frame));
	return 0;
}

static int read_code(const struct tandem_ng_params *p, uint8_t *code)
{
	static const char digits[] = TANDEM_PLAY_DIGITS;
	const json_t *value = json_object_get(p->dict, "code");
	const char *text, *at;

	if (!value)
		value = json_object_get(p->dict, "digit");
	if (json_is_integer(value)) {
		if (json_integer_value(value) < 0 || json_integer_value(value) > 15)
			return -EINVAL;
		*code = (uint8_t)json_integer_value(value);
		return 0;
	}
	text = json_string_value(value);
	if (!text || !*text || json_string_length(value) != 1)
		return -EINVAL;
	at = strchr(digits, *text >= 'a' && *text <= 'd' ? *text - 'a' + 'A' : *text);
	if (!at)
		return -EINVAL;
	*code = (uint8_t)(at - digits);
	return 0;
}

static json_int_t within(json_int_t n, json_int_t min, json_int_t max)
{
	return n < min ? min : n > max ? max : n;
}

static int read_event(const struct tandem_ng_params *p, struct tandem_play_event *event,
		      const char **why)
{
	json_int_t duration, pause, volume;

	if (read_code(p, &event->code)) {
		*why = "No valid code or digit of DTMF";
		return -EINVAL;
	}
	if (read_number(p, "duration", 250, &duration) || read_number(p, "pause", 100, &pause) ||
	    read_number(p, "volume", -8, &volume)) {
		*why = "duration, pause or volume is no number";
		return -EINVAL;
	}
	event->duration_ms = (uint16_t)within(duration, 100, 5000);
	event->pause_ms = (uint16_t)within(pause, 100, 5000);
	event->volume = (uint8_t)within(volume < -63 ? 63 : volume < 0 ? -volume : volume, 0, 63);
	return 0;
}

int tandem_ng_play_dtmf(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			json_t *reply, const char **why)
{
	struct tandem_play_event event;
	struct tandem_ng_chosen chosen;
	int err = ready(calls, why), i;

	(void)reply;
	if (!err)
		err = tandem_ng_choose(calls, p, &chosen, why);
	if (!err)
		err = read_event(p, &event, why);
	/* who is chosen makes them, so the other one gets them */
	for (i = 0; i < 2 && !err; i++) {
		if (chosen.party[i])
			err = tandem_play_dtmf(calls->cfg->play, chosen.name, !i, &event, why);
	}
	return err;
}
