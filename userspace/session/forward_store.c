/* SPDX-License-Identifier: GPL-2.0-only */
/* Forwards in the store: the document as it was given, and what the relay chose. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/session/forward.h"
#include "userspace/util/log.h"

#define MODULE "forward"

/* By address, as a new configuration may list them in another order. */
static json_t *dump_picked(const struct tandem_sessions *ss, const struct tandem_forward *f)
{
	json_t *js = json_object();
	char text[TANDEM_ENDPOINT_STRLEN];
	size_t i;

	for (i = 0; js && i < ss->cfg.locals_count; i++) {
		if (!f->picked[i] ||
		    !json_object_set_new(
			    js, tandem_ip_format(&ss->cfg.locals[i].ip, text, sizeof(text)),
			    json_integer(f->picked[i])))
			continue;
		json_decref(js);
		js = NULL;
	}
	return js;
}

void tandem_forward_save(struct tandem_sessions *ss, struct tandem_forward *f)
{
	json_t *js;
	char *text;
	int err = -1;

	if (!ss->store)
		return;
	js = json_pack("{s:I, s:I, s:o, s:o, s:O}", "number", (json_int_t)f->number, "started_ms",
		       (json_int_t)f->started_ms, "ports", dump_picked(ss, f), "keys",
		       tandem_forward_dump_keys(f), "forward", f->doc);
	text = js ? json_dumps(js, JSON_COMPACT) : NULL;
	if (text)
		err = tandem_store_forward_put(ss->store, f->spec.name, text);
	if (err && !f->unsaved)
		tandem_log(TANDEM_LOG_ERROR, MODULE,
			   "%s: not stored, and would be lost at a restart", f->spec.name);
	f->unsaved = err != 0;
	free(text);
	json_decref(js);
}

static void parse_picked(const struct tandem_sessions *ss, const json_t *js,
			 struct tandem_forward *f)
{
	char text[TANDEM_ENDPOINT_STRLEN];
	json_int_t port;
	size_t i;

	for (i = 0; i < ss->cfg.locals_count; i++) {
		port = json_integer_value(json_object_get(
			js, tandem_ip_format(&ss->cfg.locals[i].ip, text, sizeof(text))));
		if (port > 0 && port <= UINT16_MAX && port % 2 == 0)
			f->picked[i] = (uint16_t)port;
	}
}

static int take_up(struct tandem_sessions *ss, const char *name, json_t *row, char *why,
		   size_t why_size)
{
	struct tandem_forward stored = { 0 }, *f;
	json_int_t number, started;
	json_t *doc;
	int err;

	if (json_unpack(row, "{s:I, s:I, s:o}", "number", &number, "started_ms", &started,
			"forward", &doc) ||
	    number <= 0 || number >> 48)
		return -EBADMSG;
	stored.number = (uint64_t)number;
	stored.started_ms = started;
	/* noted even if the rest fails: its flows may still be in the fast path */
	if (stored.number >= ss->next_number)
		ss->next_number = stored.number + 1;
	parse_picked(ss, json_object_get(row, "ports"), &stored);
	err = tandem_forward_create(ss, &f, doc, &stored, json_object_get(row, "keys"), why,
				    why_size);
	if (err)
		return err;
	if (strcmp(f->spec.name, name) || tandem_sessions_by_number(ss, f->number)) {
		tandem_forward_destroy(ss, f);
		return -EBADMSG;
	}
	tandem_forward_insert(ss, f);
	return 0;
}

static void collect_row(const char *name, const char *text, void *arg)
{
	json_t *doc = json_loads(text, 0, NULL);

	json_object_set_new(arg, name, doc ? doc : json_null());
}

int tandem_forwards_load(struct tandem_sessions *ss)
{
	json_t *rows = json_object(), *row;
	const char *name;
	int err = -ENOMEM;

	if (!rows)
		return err;
	err = tandem_store_forward_list(ss->store, collect_row, rows);
	if (err)
		goto out;
	json_object_foreach (rows, name, row) {
		char why[256] = "";

		err = take_up(ss, name, row, why, sizeof(why));
		if (err == -ENOMEM)
			goto out;
		if (err)
			tandem_log(TANDEM_LOG_ERROR, MODULE,
				   "%s: stored, but cannot be taken up: %s", name,
				   *why ? why : strerror(-err));
	}
	err = 0;
out:
	json_decref(rows);
	return err;
}
