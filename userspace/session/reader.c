/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/session/reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int tandem_reader_fail(struct tandem_reader *r, const char *key, const char *fmt, ...)
{
	char text[224];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(r->why, r->why_size, "%s%s%s%s%s", r->path, *r->path && key ? "." : "",
		 key ? key : "", *r->path || key ? ": " : "", text);
	return -EINVAL;
}

static size_t append(struct tandem_reader *r, const char *text)
{
	size_t length = strlen(r->path);

	snprintf(r->path + length, sizeof(r->path) - length, "%s%s", length ? "." : "", text);
	return length;
}

size_t tandem_reader_enter(struct tandem_reader *r, const char *key)
{
	return append(r, key);
}

size_t tandem_reader_enter_at(struct tandem_reader *r, const char *key, size_t i)
{
	char text[48];

	snprintf(text, sizeof(text), "%s[%zu]", key, i);
	return append(r, text);
}

void tandem_reader_leave(struct tandem_reader *r, size_t length)
{
	r->path[length] = '\0';
}

int tandem_reader_keys(struct tandem_reader *r, const json_t *js, const char *const *keys)
{
	char list[128] = "";
	const char *key;
	json_t *value;
	size_t i;

	if (!json_is_object(js))
		return tandem_reader_fail(r, NULL, "an object is expected");
	json_object_foreach ((json_t *)js, key, value) {
		for (i = 0; keys[i] && strcmp(keys[i], key);)
			i++;
		if (keys[i])
			continue;
		for (i = 0; keys[i]; i++) {
			strncat(list, i ? ", " : "", sizeof(list) - strlen(list) - 1);
			strncat(list, keys[i], sizeof(list) - strlen(list) - 1);
		}
		return tandem_reader_fail(r, NULL, "no key \"%.32s\"; there are %s", key, list);
	}
	return 0;
}

int tandem_reader_bool(struct tandem_reader *r, const json_t *js, const char *key, bool *out)
{
	const json_t *value = json_object_get(js, key);

	if (!value)
		return 0;
	if (!json_is_boolean(value))
		return tandem_reader_fail(r, key, "true or false is expected");
	*out = json_is_true(value);
	return 0;
}

int tandem_reader_int(struct tandem_reader *r, const json_t *js, const char *key, json_int_t min,
		      json_int_t max, json_int_t *out)
{
	const json_t *value = json_object_get(js, key);

	if (!value)
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < min ||
	    json_integer_value(value) > max)
		return tandem_reader_fail(r, key, "a number from %lld to %lld is expected",
					  (long long)min, (long long)max);
	*out = json_integer_value(value);
	return 0;
}

int tandem_reader_ssrc(struct tandem_reader *r, const char *key, const json_t *value, uint32_t *out)
{
	const char *text = json_string_value(value);
	json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;
	char *end;

	if (text && *text >= '0' && *text <= '9') {
		number = strtoll(text, &end, 0);
		if (*end)
			number = -1;
	}
	if (number < 0 || number > UINT32_MAX)
		return tandem_reader_fail(
			r, key, "an SSRC is expected: a number, or text such as \"0x11223344\"");
	*out = (uint32_t)number;
	return 0;
}

/* "192.0.2.1", "192.0.2.1:0", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:0" */
static int parse_bare(struct tandem_endpoint *ep, const char *text)
{
	char host[TANDEM_ENDPOINT_STRLEN];
	size_t length = strlen(text);

	ep->port = 0;
	if (!tandem_ip_parse(&ep->ip, text))
		return 0;
	if (length >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, length + 1);
	if (length > 2 && !strcmp(host + length - 2, ":0"))
		host[length -= 2] = '\0';
	if (*host == '[' && host[length - 1] == ']') {
		host[length - 1] = '\0';
		return tandem_ip_parse(&ep->ip, host + 1);
	}
	return strchr(host, '.') ? tandem_ip_parse(&ep->ip, host) : -EINVAL;
}

int tandem_reader_endpoint(struct tandem_reader *r, const json_t *js, const char *key, bool bare,
			   struct tandem_endpoint *out)
{
	const json_t *value = json_object_get(js, key);
	const char *text = json_string_value(value);
	struct tandem_endpoint ep = { 0 };

	if (!value)
		return 0;
	if (!text || (tandem_endpoint_parse(&ep, text) && (!bare || parse_bare(&ep, text))))
		return tandem_reader_fail(r, key, "an address is expected, such as %s",
					  bare ? "\"192.0.2.1:5004\" or \"192.0.2.1\""
					       : "\"192.0.2.1:5004\" or \"[2001:db8::1]:5004\"");
	if (tandem_ip_is_any(&ep.ip))
		return tandem_reader_fail(r, key, "%s is no address of anybody", text);
	*out = ep;
	return 0;
}

int tandem_reader_number_key(const char *key, int max)
{
	char *end;
	long number = strtol(key, &end, 10);

	if (*key < '0' || *key > '9' || (*key == '0' && key[1]) || *end || number > max)
		return -1;
	return (int)number;
}
