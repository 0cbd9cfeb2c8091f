/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keys of forwards. Who asks for a forward has done the key exchange, and names suite and key as
 * RFC 4568 writes them. They are kept with the document and shown to nobody.
 *
 * Equal keys are one set, in whatever forward: an index must not be used twice under one key
 * (RFC 3711 9.1), and an SSRC that passes from one forward to another goes on counting.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/session/forward.h"
#include "userspace/session/reader.h"

#define ID_SIZE 17 /* 16 digits */

static int parse_key(struct tandem_reader *r, const char *suite, const char *key,
		     struct tandem_srtp *srtp)
{
	const uint8_t number = tandem_sdes_suite_by_name(suite, strlen(suite));
	struct tandem_sdes sdes = { 0 };
	char line[TANDEM_SDES_STRLEN];
	int n, err = -EBADMSG;

	if (!number)
		return tandem_reader_fail(r, "suite", "not one of those in docs/secure-media.md");
	n = snprintf(line, sizeof(line), "1 %s %s", suite, key);
	/* a blank would begin session parameters */
	if (n > 0 && (size_t)n < sizeof(line) && !strchr(key, ' '))
		err = tandem_sdes_parse(&sdes, line);
	explicit_bzero(line, sizeof(line));
	if (err)
		return tandem_reader_fail(
			r, "key", "\"inline:\" and %zu octets of key and salt in base64 expected",
			tandem_sdes_key_len(number) + tandem_sdes_salt_len(number));
	*srtp = sdes.srtp;
	srtp->streams = SRTP_SSRCS_MAX;
	explicit_bzero(&sdes, sizeof(sdes));
	return 0;
}

int tandem_forward_parse_srtp(struct tandem_reader *r, const json_t *js, struct tandem_srtp *srtp)
{
	static const char *const keys[] = { "suite", "key", NULL };
	const json_t *value = json_object_get(js, "srtp");
	const char *suite, *key;
	size_t length;
	int err;

	length = tandem_reader_enter(r, "srtp");
	err = tandem_reader_keys(r, value, keys);
	suite = json_string_value(json_object_get(value, "suite"));
	key = json_string_value(json_object_get(value, "key"));
	if (!err && !suite)
		err = tandem_reader_fail(r, "suite", "missing, or no text");
	if (!err && !key)
		err = tandem_reader_fail(r, "key", "missing, or no text");
	if (!err)
		err = parse_key(r, suite, key, srtp);
	tandem_reader_leave(r, length);
	return err;
}

/* ---- ids ---- */

static uint64_t find_in(const struct tandem_forward_spec *spec, const struct tandem_srtp *key)
{
	return spec->srtp_in.suite && spec->srtp_in.id && tandem_sdes_same_keys(&spec->srtp_in, key)
		       ? spec->srtp_in.id
		       : 0;
}

static uint64_t find_out(const struct tandem_forward_spec *spec, const struct tandem_srtp *key)
{
	uint32_t i;

	for (i = 0; i < spec->leg_count; i++) {
		const struct tandem_srtp *other = &spec->legs[i].srtp;

		if (other->suite && other->id && tandem_sdes_same_keys(other, key))
			return other->id;
	}
	return 0;
}

/* The id of a set that some forward has already, or that was stored; else a new one. */
static int give_id(const struct tandem_sessions *ss, const struct tandem_forward *f, bool in,
		   const json_t *stored, struct tandem_srtp *key)
{
	const struct tandem_forward *other;
	uint64_t id = in ? 0 : find_out(&f->spec, key);
	const char *text = json_string_value(stored);

	for (other = ss->forwards; other && !id; other = other->next)
		id = in ? find_in(&other->spec, key) : find_out(&other->spec, key);
	if (!id && text) {
		id = strtoull(text, NULL, 16);
		key->sealed = !in;
	}
	key->id = id;
	return id ? 0 : tandem_sdes_new_id(&key->id);
}

int tandem_forward_settle_keys(const struct tandem_sessions *ss, struct tandem_forward *f,
			       const json_t *stored)
{
	struct tandem_forward_spec *spec = &f->spec;
	uint32_t i;
	int err = 0;

	if (spec->srtp_in.suite)
		err = give_id(ss, f, true, json_array_get(stored, 0), &spec->srtp_in);
	for (i = 0; i < spec->leg_count && !err; i++) {
		if (spec->legs[i].srtp.suite)
			err = give_id(ss, f, false, json_array_get(stored, i + 1),
				      &spec->legs[i].srtp);
	}
	return err;
}

static int append_id(json_t *list, const struct tandem_srtp *key)
{
	char id[ID_SIZE];

	snprintf(id, sizeof(id), "%016" PRIx64, key->id);
	return json_array_append_new(list, key->suite ? json_string(id) : json_null());
}

json_t *tandem_forward_dump_keys(const struct tandem_forward *f)
{
	json_t *list = json_array();
	int err = list ? append_id(list, &f->spec.srtp_in) : 0;
	uint32_t i;

	for (i = 0; list && i < f->spec.leg_count && !err; i++)
		err = append_id(list, &f->spec.legs[i].srtp);
	if (!err)
		return list;
	json_decref(list);
	return NULL;
}

/* ---- what is shown ---- */

json_t *tandem_forward_suite(const struct tandem_srtp *key)
{
	const char *name = tandem_sdes_suite_name(key->suite);

	return name ? json_string(name) : json_null();
}

/* Documents are as deep as they have been parsed: a list of rules with lists of legs. */
static void hide(json_t *js)
{
	json_t *value;
	const char *name;
	size_t i;

	json_array_foreach (js, i, value)
		hide(value);
	json_object_foreach (js, name, value) {
		if (!strcmp(name, "srtp") && json_is_object(value))
			json_object_del(value, "key");
		else
			hide(value);
	}
}

json_t *tandem_forward_shown_doc(const struct tandem_forward *f)
{
	json_t *doc = json_deep_copy(f->doc);

	hide(doc);
	return doc;
}
