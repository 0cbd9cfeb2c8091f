/* SPDX-License-Identifier: GPL-2.0-only */
/* The grammar of RFC 8866 section 9, beyond what a relay insists on */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/sdp/doc.h"

/* Where a line type may stand: types of one section have ranks that never fall. */
static int line_rank(int section, char type)
{
	const char *order = section == TANDEM_SDP_SESSION ? "vosiuepcbtka" : "micbka";
	const char *at;

	/* r= and z= stand among t= lines */
	if (section == TANDEM_SDP_SESSION && (type == 'r' || type == 'z'))
		type = 't';
	at = strchr(order, type);
	return type && at ? (int)(at - order) : -1;
}

static bool may_repeat(int section, char type)
{
	return strchr(section == TANDEM_SDP_SESSION ? "epbtrza" : "cba", type) != NULL;
}

/* r= follows t= or r=; z= follows one of those (RFC 8866 5.10, 5.11). */
static bool follows(char prev, char type)
{
	if (type == 'r')
		return prev == 't' || prev == 'r';
	return type != 'z' || prev == 't' || prev == 'r';
}

/* A number of seconds, perhaps with a unit: 7d, 25h, -1h for z= (RFC 8866 5.10) */
static bool is_typed_time(char *word, bool sign)
{
	size_t len;

	if (sign && *word == '-')
		word++;
	len = strlen(word);
	if (len > 1 && strchr("dhms", word[len - 1]))
		word[len - 1] = '\0';
	return tandem_sdp_is_number(word);
}

static const char *check_origin(char *cursor)
{
	char *w[6];
	size_t i;

	if (tandem_sdp_word_count(cursor) != 6)
		return "o= does not have six fields";
	for (i = 0; i < 6; i++)
		w[i] = tandem_sdp_next_word(&cursor);
	if (!tandem_sdp_is_number(w[1]) || !tandem_sdp_is_number(w[2]))
		return "session id or version of o= is not a number";
	if (!tandem_sdp_is_token(w[3]) || !tandem_sdp_is_token(w[4]))
		return "nettype or addrtype of o= is not a token";
	return NULL;
}

static const char *check_time(char *cursor)
{
	char *start = tandem_sdp_next_word(&cursor);
	char *stop = start ? tandem_sdp_next_word(&cursor) : NULL;

	if (!stop || !tandem_sdp_is_number(start) || !tandem_sdp_is_number(stop) ||
	    tandem_sdp_next_word(&cursor))
		return "t= is not two numbers";
	return NULL;
}

static const char *check_repeat(char *cursor)
{
	char *word;

	if (tandem_sdp_word_count(cursor) < 3)
		return "r= has fewer than three fields";
	while ((word = tandem_sdp_next_word(&cursor)))
		if (!is_typed_time(word, false))
			return "field of r= is not a time";
	return NULL;
}

static const char *check_zone(char *cursor)
{
	size_t n = tandem_sdp_word_count(cursor), i;

	if (!n || n % 2)
		return "z= is not pairs of time and offset";
	for (i = 0; i < n; i++) {
		char *word = tandem_sdp_next_word(&cursor);

		if (i % 2 ? !is_typed_time(word, true) : !tandem_sdp_is_number(word))
			return "field of z= is not a time";
	}
	return NULL;
}

static const char *check_bandwidth(char *value)
{
	char *colon = strchr(value, ':');

	if (!colon)
		return "b= is not type:number";
	*colon = '\0';
	if (!tandem_sdp_is_token(value) || !tandem_sdp_is_number(colon + 1))
		return "b= is not type:number";
	return NULL;
}

static const char *check_attribute(char *value)
{
	char *rest = strchr(value, ':');

	if (rest)
		*rest++ = '\0';
	if (!tandem_sdp_is_token(value))
		return "attribute name is not a token";
	return rest && !*rest ? "attribute has a colon and no value" : NULL;
}

/* Obsolete but still in the grammar (RFC 8866 5.12) */
static const char *check_key(const char *value)
{
	static const char *const methods[] = { "clear:", "base64:", "uri:" };
	size_t i;

	if (!strcmp(value, "prompt"))
		return NULL;
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		size_t len = strlen(methods[i]);

		if (!strncmp(value, methods[i], len) && value[len])
			return NULL;
	}
	return "k= has no known method";
}

static const char *check_media(char *cursor)
{
	size_t n = tandem_sdp_word_count(cursor), i;
	const char *type = tandem_sdp_next_word(&cursor);

	if (n < 4)
		return "m= has no format";
	if (!tandem_sdp_is_token(type))
		return "media type is not a token";
	(void)tandem_sdp_next_word(&cursor); /* port, checked by the parser */
	(void)tandem_sdp_next_word(&cursor); /* protocol: tokens and slashes */
	for (i = 3; i < n; i++)
		if (!tandem_sdp_is_token(tandem_sdp_next_word(&cursor)))
			return "format is not a token";
	return NULL;
}

static const char *check_form(char type, char *value)
{
	if (!*value)
		return "line has no value";
	switch (type) {
	case 'o':
		return check_origin(value);
	case 't':
		return check_time(value);
	case 'r':
		return check_repeat(value);
	case 'z':
		return check_zone(value);
	case 'b':
		return check_bandwidth(value);
	case 'k':
		return check_key(value);
	case 'a':
		return check_attribute(value);
	case 'm':
		return check_media(value);
	default:
		return NULL;
	}
}

static const char *check_place(const struct tandem_sdp *sdp, size_t i)
{
	int section = sdp->lines[i].section;
	char type = tandem_sdp_line_type(sdp, i);
	char prev = i ? tandem_sdp_line_type(sdp, i - 1) : '\0';

	if (!type)
		return "empty line";
	if (line_rank(section, type) < 0)
		return "line type is unknown or not allowed here";
	if (!follows(prev, type))
		return "r= or z= does not follow t=";
	if (!i || sdp->lines[i - 1].section != section)
		return NULL;
	if (line_rank(section, prev) > line_rank(section, type))
		return "line is out of order";
	return prev == type && !may_repeat(section, type) ? "line comes twice" : NULL;
}

static const char *missing_line(const struct tandem_sdp *sdp)
{
	const char *p;
	size_t i, end;

	if (tandem_sdp_section(sdp, TANDEM_SDP_SESSION, &i, &end))
		return NULL;
	for (p = "ost"; *p; p++) {
		for (i = 0; i < end && tandem_sdp_line_type(sdp, i) != *p; i++)
			;
		if (i == end)
			return "one of the lines o=, s= and t= is missing";
	}
	return NULL;
}

int tandem_sdp_validate(const struct tandem_sdp *sdp, struct tandem_sdp_error *err)
{
	const char *reason;
	size_t i, first, end;
	char *value;

	if (!sdp)
		return tandem_sdp_fail(err, -EINVAL, SIZE_MAX, "bad argument");
	for (i = 0; i < sdp->nlines; i++) {
		reason = check_place(sdp, i);
		if (!reason) {
			value = strdup(tandem_sdp_line_text(sdp, i));
			if (!value)
				return tandem_sdp_fail(err, -ENOMEM, i, "out of memory");
			reason = check_form(tandem_sdp_line_type(sdp, i), value);
			free(value);
		}
		if (reason)
			return tandem_sdp_fail(err, -EBADMSG, i, reason);
	}
	reason = missing_line(sdp);
	if (reason)
		return tandem_sdp_fail(err, -EBADMSG, SIZE_MAX, reason);
	for (i = 0; i < sdp->nmedia; i++)
		if (!sdp->media[i].conn.present && !tandem_sdp_section(sdp, (int)i, &first, &end))
			return tandem_sdp_fail(err, -EBADMSG, first, "media has no c= line");
	return tandem_sdp_fail(err, 0, SIZE_MAX, "no error");
}
