/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/control/play.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct request {
	const struct tandem_api *api;
	const json_t *params;
	char *why;
	size_t why_size;
	const char *name;
	bool party[2];
};

static int refuse(const struct request *req, int err, const char *text)
{
	snprintf(req->why, req->why_size, "%s", text);
	return err;
}

/* Which session, and whom of it; both where nobody is named. */
static int read_parties(struct request *req, bool named)
{
	const char *id = json_string_value(json_object_get(req->params, "id"));
	const json_t *whose = json_object_get(req->params, "party");
	const char *party = json_string_value(whose);

	if (!id)
		return refuse(req, -EINVAL, "\"id\" is missing or no string");
	if ((whose && !json_is_null(whose)) || named) {
		if (!party || (strcmp(party, "a") && strcmp(party, "b")))
			return refuse(req, -EINVAL, "\"party\" is neither \"a\" nor \"b\"");
	}
	req->party[TANDEM_PARTY_A] = !party || *party == 'a';
	req->party[TANDEM_PARTY_B] = !party || *party == 'b';
	if (!req->api->sessions || !req->api->play)
		return refuse(req, -EAGAIN, "this relay has no announcements");
	req->name = tandem_session_find(req->api->sessions, id);
	if (req->name)
		return 0;
	snprintf(req->why, req->why_size, "no session %s", id);
	return -ENOENT;
}

static int read_number(const struct request *req, const char *key, json_int_t min, json_int_t max,
		       json_int_t *out)
{
	const json_t *value = json_object_get(req->params, key);

	if (!value)
		return 0;
	if (json_is_integer(value) && json_integer_value(value) >= min &&
	    json_integer_value(value) <= max) {
		*out = json_integer_value(value);
		return 0;
	}
	snprintf(req->why, req->why_size, "\"%s\" is no number from %lld to %lld", key,
		 (long long)min, (long long)max);
	return -EINVAL;
}

static int given(json_t *result, json_t **out)
{
	*out = result;
	return result ? 0 : -ENOMEM;
}

static int play(struct request *req, json_t **out)
{
	struct tandem_play_order order = {
		.file = json_string_value(json_object_get(req->params, "file")),
	};
	json_int_t repeat = 1, start = 0, lasts = 0;
	const char *why = NULL;
	int64_t duration = -1;
	int err = read_parties(req, false), p;

	if (!err && !order.file)
		err = refuse(req, -EINVAL, "\"file\" is missing or no string");
	if (!err)
		err = read_number(req, "repeat", 1, UINT32_MAX, &repeat);
	if (!err)
		err = read_number(req, "start", 0, INT32_MAX, &start);
	if (!err)
		err = read_number(req, "duration_ms", 0, INT32_MAX, &lasts);
	order.repeat = (uint32_t)repeat;
	order.start = (uint32_t)start;
	order.duration_ms = (uint32_t)lasts;
	for (p = 0; p < 2 && !err; p++) {
		if (req->party[p])
			err = tandem_play_start(req->api->play, req->name, p, &order, &duration,
						&why);
	}
	if (err && why)
		return refuse(req, err == -ENOENT ? -EINVAL : err, why);
	return err ? err
		   : given(duration < 0 ? json_pack("{s:n}", "duration_ms")
					: json_pack("{s:I}", "duration_ms", (json_int_t)duration),
			   out);
}

static int stop(struct request *req, json_t **out)
{
	int64_t frame = -1;
	int err = read_parties(req, false), p;

	for (p = 0; p < 2 && !err; p++) {
		if (req->party[p])
			(void)tandem_play_stop(req->api->play, req->name, p, &frame);
	}
	return err ? err
		   : given(frame < 0 ? json_pack("{s:n}", "frame")
				     : json_pack("{s:I}", "frame", (json_int_t)frame),
			   out);
}

static int send_digits(const struct request *req, const char *digits,
		       struct tandem_play_event *event)
{
	static const char codes[] = TANDEM_PLAY_DIGITS;
	const char *why = NULL;
	int err = 0;

	for (; *digits && !err; digits++) {
		event->code = (uint8_t)(strchr(codes, *digits) - codes);
		/* who is named presses the keys, so the other one gets them */
		err = tandem_play_dtmf(req->api->play, req->name, req->party[TANDEM_PARTY_A], event,
				       &why);
	}
	return err && why ? refuse(req, err, why) : err;
}

static int dtmf(struct request *req, json_t **out)
{
	const char *digits = json_string_value(json_object_get(req->params, "digits"));
	json_int_t duration = 250, pause = 100, volume = 8;
	struct tandem_play_event event;
	int err = read_parties(req, true);

	if (!err && (!digits || !*digits || strlen(digits) > TANDEM_PLAY_EVENTS ||
		     digits[strspn(digits, TANDEM_PLAY_DIGITS)]))
		err = refuse(req, -EINVAL, "\"digits\" is no string of up to 32 of 0-9*#ABCD");
	if (!err)
		err = read_number(req, "duration_ms", 100, 5000, &duration);
	if (!err)
		err = read_number(req, "pause_ms", 100, 5000, &pause);
	if (!err)
		err = read_number(req, "volume", 0, 63, &volume);
	event.duration_ms = (uint16_t)duration;
	event.pause_ms = (uint16_t)pause;
	event.volume = (uint8_t)volume;
	if (!err)
		err = send_digits(req, digits, &event);
	return err ? err : given(json_pack("{s:s}", "digits", digits), out);
}

int tandem_api_play(const struct tandem_api *api, const char *call, const json_t *params,
		    json_t **result, char *why, size_t why_size)
{
	struct request req = { .api = api, .params = params, .why = why, .why_size = why_size };

	if (!strcmp(call, "session.play"))
		return play(&req, result);
	if (!strcmp(call, "session.play_stop"))
		return stop(&req, result);
	if (!strcmp(call, "session.dtmf"))
		return dtmf(&req, result);
	return -ENOSYS;
}
