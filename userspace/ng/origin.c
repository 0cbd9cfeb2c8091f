/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * o= as a party sees it (RFC 3264 section 8, RFC 8866 5.2): its version is to grow by one with each
 * change, and its other fields stay as they were, whoever is behind the relay.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/ng/edit.h"
#include "userspace/sdp/sdp.h"

/* FNV-1a of all but o=: a change of what is offered. */
static uint32_t sum_of(const char *sdp, size_t len)
{
	const char *end = sdp + len, *line = sdp, *next, *c;
	uint32_t sum = 0x811c9dc5;

	for (; line < end; line = next) {
		next = memchr(line, '\n', (size_t)(end - line));
		next = next ? next + 1 : end;
		if (*line == 'o')
			continue;
		for (c = line; c < next; c++)
			sum = (sum ^ (unsigned char)*c) * 0x01000193;
	}
	return sum;
}

/* Versions of 64 bits are all that anybody has; of a longer one it begins anew. */
static json_int_t next_version(const struct tandem_sdp_session *session, const json_t *seen,
			       uint32_t sum)
{
	const json_t *version = json_object_get(seen, "version");

	if (!version)
		return strlen(session->sess_version) < 19 ? atoll(session->sess_version) : 1;
	return json_integer_value(version) +
	       (json_integer_value(json_object_get(seen, "sum")) != (json_int_t)sum);
}

static const char *kept(const json_t *seen, const char *key, bool keep, const char *now)
{
	const char *text = keep ? json_string_value(json_object_get(seen, key)) : NULL;

	return text ? text : now;
}

static int note(json_t *seen, const char *user, const char *id, json_int_t version, uint32_t sum)
{
	/* what is no UTF-8 is not kept, and is then as the sender has it */
	if (!json_object_get(seen, "user"))
		(void)json_object_set_new(seen, "user", json_string(user));
	if (!json_object_get(seen, "id"))
		(void)json_object_set_new(seen, "id", json_string(id));
	return json_object_set_new(seen, "version", json_integer(version)) |
			       json_object_set_new(seen, "sum", json_integer(sum))
		       ? -ENOMEM
		       : 0;
}

int tandem_ng_origin(const struct tandem_ng_edits *edits, json_t *seen, char **sdpp, size_t *len)
{
	const struct tandem_sdp_session *session;
	char version[24], *out = NULL;
	struct tandem_sdp *doc;
	uint32_t sum = sum_of(*sdpp, *len);
	json_int_t n;
	int err;

	if (!edits->own_version && !edits->own_origin)
		return 0;
	err = tandem_sdp_parse(&doc, *sdpp, *len, NULL);
	if (err)
		return err == -ENOMEM ? err : -EBADMSG;
	session = tandem_sdp_session(doc);
	n = next_version(session, seen, sum);
	snprintf(version, sizeof(version), "%lld", (long long)n);
	err = session->has_origin ? note(seen, session->username, session->sess_id, n, sum) : 0;
	if (!err && session->has_origin)
		err = tandem_sdp_set_origin(
			doc, kept(seen, "user", edits->own_origin, session->username),
			kept(seen, "id", edits->own_origin, session->sess_id), version);
	if (!err)
		err = tandem_sdp_print(doc, &out, len);
	tandem_sdp_free(doc);
	if (err)
		return err == -EINVAL ? 0 : err;
	free(*sdpp);
	*sdpp = out;
	return 0;
}
