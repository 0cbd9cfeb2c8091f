/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>
#include <time.h>

#include "userspace/sip/local.h"
#include "userspace/sip/location.h"

json_t *tandem_location_text(const char *text)
{
	json_t *json = json_string(text);
	char *copy, *p;

	if (json || str_dup(&copy, text))
		return json;

	for (p = copy; *p; p++) {
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	}
	json = json_string(copy);
	mem_deref(copy);

	return json;
}

static void append(const struct tandem_binding *b, void *arg)
{
	int64_t left = b->expires - time(NULL);

	if (left > 0)
		json_array_append_new(
			arg,
			json_pack("{s:o, s:o, s:s, s:s, s:s, s:o, s:o, s:f, s:I, s:o, s:I, s:s}",
				  "aor", tandem_location_text(b->aor), "contact",
				  tandem_location_text(b->uri), "source", b->source, "transport",
				  tandem_sip_transport_word(b->tp), "local", b->local, "path",
				  tandem_location_text(b->path), "user_agent",
				  tandem_location_text(b->user_agent), "q", b->q / 1000.0,
				  "expires_s", (json_int_t)left, "instance",
				  tandem_location_text(b->instance), "reg_id",
				  (json_int_t)b->reg_id, "node", b->remote ? b->remote->node : ""));
}

json_t *tandem_location_json(const struct tandem_location *loc)
{
	json_t *list = json_array();

	if (!list)
		return NULL;
	tandem_location_each(loc, append, list);

	return json_pack("{s:o}", "registrations", list);
}
