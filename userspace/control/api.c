/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/control/api.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "userspace/control/play.h"

struct request {
	const struct tandem_api *api;
	const json_t *params;
	char *why;
	size_t why_size;
};

static int given(json_t *result, json_t **out)
{
	if (!result)
		return -ENOMEM;
	*out = result;
	return 0;
}

static int unavailable(const struct request *req, const char *what)
{
	snprintf(req->why, req->why_size, "this relay has no %s", what);
	return -EAGAIN;
}

/* The session that "id" names, by id, name or Call-ID. */
static int named_session(const struct request *req, const char **call)
{
	const char *id = json_string_value(json_object_get(req->params, "id"));

	if (!id) {
		snprintf(req->why, req->why_size, "\"id\" is missing or no string");
		return -EINVAL;
	}
	if (!req->api->sessions)
		return unavailable(req, "sessions");
	*call = tandem_session_find(req->api->sessions, id);
	if (!*call) {
		snprintf(req->why, req->why_size, "no session %s", id);
		return -ENOENT;
	}
	return 0;
}

static int session_list(const struct request *req, json_t **out)
{
	if (!req->api->sessions)
		return unavailable(req, "sessions");
	return given(tandem_sessions_json(req->api->sessions), out);
}

static int session_show(const struct request *req, json_t **out)
{
	const char *call;
	int ret = named_session(req, &call);

	return ret ? ret : given(tandem_session_json(req->api->sessions, call), out);
}

static int session_end(const struct request *req, json_t **out)
{
	json_t *result;
	const char *call;
	int ret = named_session(req, &call);

	if (ret)
		return ret;
	if (!req->api->end)
		return unavailable(req, "way to end a session");
	/* call goes with the session, so the answer is made first. */
	result = json_pack("{s:s#}", "ended", call, (int)strcspn(call, " "));
	if (!result)
		return -ENOMEM;
	ret = req->api->end(call, "ended by the operator", req->api->arg);
	if (ret)
		json_decref(result);
	else
		*out = result;
	return ret;
}

/* "party", "media" and "off" of a command about media. */
static int read_target(const struct request *req, struct tandem_act_target *target,
		       enum tandem_party_id *party, bool *off)
{
	const json_t *whose = json_object_get(req->params, "party");
	const json_t *media = json_object_get(req->params, "media");
	const json_t *what = json_object_get(req->params, "off");
	const char *name = json_string_value(whose);

	*party = name && !strcmp(name, "b") ? TANDEM_PARTY_B : TANDEM_PARTY_A;
	if (whose && !json_is_null(whose)) {
		if (!name || (strcmp(name, "a") && strcmp(name, "b"))) {
			snprintf(req->why, req->why_size, "\"party\" is neither \"a\" nor \"b\"");
			return -EINVAL;
		}
		target->party = party;
	}
	target->media = -1;
	if ((media && !json_is_null(media) && !json_is_integer(media)) ||
	    json_integer_value(media) < 0 || json_integer_value(media) > INT_MAX ||
	    (what && !json_is_boolean(what))) {
		snprintf(req->why, req->why_size,
			 "\"media\" is an index of the session's, \"off\" true or false");
		return -EINVAL;
	}
	if (json_is_integer(media))
		target->media = (int)json_integer_value(media);
	*off = json_is_true(what);
	target->all = !target->party;
	return 0;
}

/* Of no party alone it is of each, so that it can be undone for one. */
static int act_on(const struct request *req, struct tandem_act_target *target, enum tandem_act act,
		  bool off, bool *partly)
{
	static const enum tandem_party_id a = TANDEM_PARTY_A, b = TANDEM_PARTY_B;
	int ret = 0;

	if (!target->party && !off) {
		target->party = &a;
		ret = tandem_session_act(req->api->sessions, target, act, off, partly);
		target->party = &b;
	}
	return ret ? ret : tandem_session_act(req->api->sessions, target, act, off, partly);
}

static int session_act(const struct request *req, enum tandem_act act, json_t **out)
{
	struct tandem_act_target target = { 0 };
	enum tandem_party_id party;
	bool off, partly;
	json_t *session;
	int ret = named_session(req, &target.call);

	if (!ret)
		ret = read_target(req, &target, &party, &off);
	if (!ret)
		ret = act_on(req, &target, act, off, &partly);
	if (ret == -EINVAL && !*req->why)
		snprintf(req->why, req->why_size, "the session has no such media");
	if (ret)
		return ret;
	session = tandem_session_json(req->api->sessions, target.call);
	ret = given(json_pack("{s:O, s:b, s:O}", "call_id", json_object_get(session, "call_id"),
			      "partly", partly, "media", json_object_get(session, "media")),
		    out);
	json_decref(session);
	return ret;
}

static int session_block(const struct request *req, json_t **out)
{
	const json_t *what = json_object_get(req->params, "what");
	const char *name = json_string_value(what);

	if (what && (!name || (strcmp(name, "media") && strcmp(name, "dtmf")))) {
		snprintf(req->why, req->why_size, "\"what\" is neither \"media\" nor \"dtmf\"");
		return -EINVAL;
	}
	return session_act(req, name && *name == 'd' ? TANDEM_ACT_BLOCK_DTMF : TANDEM_ACT_BLOCK,
			   out);
}

static int session_silence(const struct request *req, json_t **out)
{
	return session_act(req, TANDEM_ACT_SILENCE, out);
}

/* Whether there is anybody who listens is for the recorder to say. */
static int session_listen(const struct request *req, json_t **out)
{
	return session_act(req, TANDEM_ACT_FORWARD, out);
}

static int forward_name(const struct request *req, const char **name)
{
	*name = json_string_value(json_object_get(req->params, "name"));
	if (!*name) {
		snprintf(req->why, req->why_size, "\"name\" is missing or no string");
		return -EINVAL;
	}
	return req->api->sessions ? 0 : unavailable(req, "forwards");
}

static int no_forward(const struct request *req, const char *name)
{
	snprintf(req->why, req->why_size, "no forward %s", name);
	return -ENOENT;
}

static int forward_show_name(const struct request *req, const char *name, json_t **out)
{
	*out = tandem_forward_json(req->api->sessions, name);
	return *out ? 0 : -ENOMEM;
}

static int forward_set(const struct request *req, json_t **out)
{
	const json_t *doc = json_object_get(req->params, "forward");
	const char *name;
	int ret;

	if (!doc) {
		snprintf(req->why, req->why_size, "\"forward\" is missing");
		return -EINVAL;
	}
	if (!req->api->sessions)
		return unavailable(req, "forwards");
	ret = tandem_forward_set(req->api->sessions, doc, &name, req->why, req->why_size);
	return ret ? ret : forward_show_name(req, name, out);
}

static int forward_list(const struct request *req, json_t **out)
{
	if (!req->api->sessions)
		return unavailable(req, "forwards");
	return given(tandem_forwards_json(req->api->sessions), out);
}

static int forward_show(const struct request *req, json_t **out)
{
	const char *name;
	int ret = forward_name(req, &name);

	if (ret)
		return ret;
	if (!tandem_forward_exists(req->api->sessions, name))
		return no_forward(req, name);
	return forward_show_name(req, name, out);
}

static int forward_remove(const struct request *req, json_t **out)
{
	const char *name;
	int ret = forward_name(req, &name);

	if (ret)
		return ret;
	ret = tandem_forward_remove(req->api->sessions, name);
	if (ret == -ENOENT)
		return no_forward(req, name);
	return ret ? ret : given(json_pack("{s:s}", "removed", name), out);
}

static int registrations(const struct request *req, json_t **out)
{
	if (!req->api->registrations)
		return unavailable(req, "registrar");
	return given(req->api->registrations(req->api->arg), out);
}

static int gateways(const struct request *req, json_t **out)
{
	if (!req->api->gateways)
		return unavailable(req, "gateways");
	return given(req->api->gateways(req->api->arg), out);
}

static int stats(const struct request *req, json_t **out)
{
	if (!req->api->stats)
		return unavailable(req, "statistics");
	return given(req->api->stats(req->api->arg), out);
}

static int version(const struct request *req, json_t **out)
{
	return given(json_pack("{s:s, s:i}", "version", TANDEM_VERSION, "pid", (int)getpid()), out);
}

static const struct {
	const char *name;
	int (*fn)(const struct request *req, json_t **out);
} calls[] = {
	{ "session.list", session_list },
	{ "session.show", session_show },
	{ "session.end", session_end },
	{ "session.block", session_block },
	{ "session.listen", session_listen },
	{ "session.silence", session_silence },
	{ "forward.set", forward_set },
	{ "forward.list", forward_list },
	{ "forward.show", forward_show },
	{ "forward.remove", forward_remove },
	{ "registrations", registrations },
	{ "gateways", gateways },
	{ "stats", stats },
	{ "version", version },
};

int tandem_api_call(const char *call, const json_t *params, json_t **result, char *why,
		    size_t why_size, void *arg)
{
	const struct tandem_api *api = arg;
	const struct request req = { api, params, why, why_size };
	int ret;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, call) == 0)
			return calls[i].fn(&req, result);
	}
	ret = tandem_api_play(api, call, params, result, why, why_size);
	if (ret != -ENOSYS)
		return ret;
	return api->more ? api->more(call, params, result, why, why_size, api->more_arg) : -ENOSYS;
}
