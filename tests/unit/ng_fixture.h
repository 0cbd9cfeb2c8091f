/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests of the NG protocol to a table of sessions, without sockets. */
#ifndef TANDEM_TESTS_NG_FIXTURE_H
#define TANDEM_TESTS_NG_FIXTURE_H

#include "tests/unit/session_fixture.h"
#include "userspace/ng/calls.h"

struct ng_fixture {
	struct fixture fx;
	struct tandem_ng_config cfg;
	struct tandem_ng_calls calls;
	bool draining;
	json_t *reply;
	unsigned int unknown;
};

static inline void ng_interface(struct ng_fixture *ng, const char *name, const char *address)
{
	struct tandem_ng_interface *iface = &ng->cfg.interfaces[ng->cfg.interfaces_count++];

	iface->name = name;
	iface->locals.ip[iface->locals.count++] = ip(address);
}

static inline void ng_open(struct ng_fixture *ng)
{
	memset(ng, 0, sizeof(*ng));
	fx_open(&ng->fx);
	ng_interface(ng, "inside", "10.0.0.1");
	ng_interface(ng, "outside", "10.0.0.2");
	ng->cfg.interfaces[1].locals.ip[1] = ip("2001:db8:1::1");
	ng->cfg.interfaces[1].locals.count = 2;
	ng->cfg.draining = &ng->draining;
	ng->calls = (struct tandem_ng_calls){ .sessions = ng->fx.ss,
					      .cfg = &ng->cfg,
					      .instance = "0123456789abcdef" };
}

static inline void ng_close(struct ng_fixture *ng)
{
	json_decref(ng->reply);
	fx_clean(&ng->fx);
}

/* text: what is in the dictionary, with ' for ". sdp: NULL for none. */
static inline const json_t *ng_ask(struct ng_fixture *ng, const char *text, const char *sdp)
{
	char buf[4096], *c;
	json_error_t error;
	size_t command;
	json_t *dict;

	snprintf(buf, sizeof(buf), "{%s}", text);
	for (c = buf; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	dict = json_loads(buf, 0, &error);
	if (!dict)
		fail_msg("%s: %s", text, error.text);
	if (sdp)
		json_object_set_new(dict, "sdp", json_string(sdp));
	json_decref(ng->reply);
	ng->reply = tandem_ng_command(&ng->calls, dict, &command, &ng->unknown);
	json_decref(dict);
	assert_non_null(ng->reply);
	return ng->reply;
}

static inline const char *ng_text(const struct ng_fixture *ng, const char *key)
{
	const char *text = json_string_value(json_object_get(ng->reply, key));

	return text ? text : "";
}

static inline void ng_assert_result(const struct ng_fixture *ng, const char *want)
{
	if (strcmp(ng_text(ng, "result"), want))
		fail_msg("%s: %s, wanted %s", ng_text(ng, "result"), ng_text(ng, "error-reason"),
			 want);
}

/* A line of the description in the answer, from its begin. */
static inline bool ng_has_line(const struct ng_fixture *ng, const char *line)
{
	char with_end[512];

	snprintf(with_end, sizeof(with_end), "\r\n%s", line);
	return strstr(ng_text(ng, "sdp"), with_end) != NULL;
}

/* "+BEGIN": the description has a line that begins so; "-BEGIN": none does; "~TEXT": it has this. */
static inline bool ng_is_so(const struct ng_fixture *ng, const char *expected)
{
	if (*expected == '~')
		return strstr(ng_text(ng, "sdp"), expected + 1) != NULL;
	return ng_has_line(ng, expected + 1) == (*expected == '+');
}

#endif
