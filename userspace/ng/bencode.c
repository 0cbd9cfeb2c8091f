/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/ng/bencode.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LENGTH_DIGITS 7  /* of a string: more than any message has */
#define MAX_NUMBER_DIGITS 18 /* fits 64 bits without a look */

struct reader {
	const char *p;
	const char *end;
};

static int decode(struct reader *r, json_t **valuep, unsigned int depth);

/* Digits up to a delimiter, which is skipped too. Zeros in front are let pass, as others do. */
static int read_digits(struct reader *r, char delimiter, unsigned int max, json_int_t *out)
{
	json_int_t n = 0;
	unsigned int digits;

	for (digits = 0; r->p < r->end && *r->p >= '0' && *r->p <= '9'; digits++) {
		if (digits == max)
			return -EBADMSG;
		n = n * 10 + (*r->p++ - '0');
	}
	if (r->p == r->end)
		return -EAGAIN;
	if (!digits || *r->p != delimiter)
		return -EBADMSG;
	r->p++;
	*out = n;
	return 0;
}

static int read_octets(struct reader *r, const char **p, size_t *len)
{
	json_int_t n;
	int err = read_digits(r, ':', MAX_LENGTH_DIGITS, &n);

	if (err)
		return err;
	if (r->end - r->p < n)
		return -EAGAIN;
	*p = r->p;
	*len = (size_t)n;
	r->p += n;
	return 0;
}

static int decode_number(struct reader *r, json_t **valuep)
{
	bool negative;
	json_int_t n;
	int err;

	r->p++;
	negative = r->p < r->end && *r->p == '-';
	r->p += negative;
	err = read_digits(r, 'e', MAX_NUMBER_DIGITS, &n);
	if (err)
		return err;
	*valuep = json_integer(negative ? -n : n);
	return *valuep ? 0 : -ENOMEM;
}

static int decode_string(struct reader *r, json_t **valuep)
{
	const char *p;
	size_t len;
	int err = read_octets(r, &p, &len);

	if (err)
		return err;
	*valuep = json_stringn_nocheck(p, len);
	return *valuep ? 0 : -ENOMEM;
}

/* True when the list or dictionary is at its end, which is skipped. */
static int at_end(struct reader *r)
{
	if (r->p == r->end)
		return -EAGAIN;
	if (*r->p != 'e')
		return 0;
	r->p++;
	return 1;
}

static int decode_list(struct reader *r, json_t *list, unsigned int depth)
{
	json_t *value;
	int ret;

	r->p++;
	while (!(ret = at_end(r))) {
		ret = decode(r, &value, depth + 1);
		if (ret)
			return ret;
		if (json_array_append_new(list, value))
			return -ENOMEM;
	}
	return ret < 0 ? ret : 0;
}

static int decode_dictionary(struct reader *r, json_t *dict, unsigned int depth)
{
	const char *key;
	json_t *value;
	size_t len;
	int ret;

	r->p++;
	while (!(ret = at_end(r))) {
		ret = read_octets(r, &key, &len);
		if (!ret && memchr(key, '\0', len))
			ret = -EBADMSG;
		if (!ret)
			ret = decode(r, &value, depth + 1);
		if (ret)
			return ret;
		if (json_object_setn_new_nocheck(dict, key, len, value))
			return -ENOMEM;
	}
	return ret < 0 ? ret : 0;
}

static int decode_container(struct reader *r, json_t **valuep, unsigned int depth)
{
	bool list = *r->p == 'l';
	json_t *value;
	int err;

	if (depth >= TANDEM_BENCODE_DEPTH)
		return -EBADMSG;
	value = list ? json_array() : json_object();
	if (!value)
		return -ENOMEM;
	err = list ? decode_list(r, value, depth) : decode_dictionary(r, value, depth);
	if (err)
		json_decref(value);
	else
		*valuep = value;
	return err;
}

static int decode(struct reader *r, json_t **valuep, unsigned int depth)
{
	if (r->p == r->end)
		return -EAGAIN;
	switch (*r->p) {
	case 'i':
		return decode_number(r, valuep);
	case 'l':
	case 'd':
		return decode_container(r, valuep, depth);
	default:
		return decode_string(r, valuep);
	}
}

int tandem_bencode_decode(json_t **valuep, const char *buf, size_t len, size_t *used)
{
	struct reader r = { buf, buf + len };
	int err = decode(&r, valuep, 0);

	if (!err)
		*used = (size_t)(r.p - buf);
	return err;
}

/* ---- writing ---- */

static void encode(FILE *out, const json_t *value);

static void encode_octets(FILE *out, const char *p, size_t len)
{
	fprintf(out, "%zu:", len);
	fwrite(p, 1, len, out);
}

static void encode_list(FILE *out, const json_t *list)
{
	size_t i;

	fputc('l', out);
	for (i = 0; i < json_array_size(list); i++)
		encode(out, json_array_get(list, i));
	fputc('e', out);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void encode_dictionary(FILE *out, const json_t *dict)
{
	json_t *object = (json_t *)dict; /* iterators are not const */
	const char **keys = calloc(json_object_size(dict) + 1, sizeof(*keys));
	size_t i, n = 0;
	void *it;

	if (!keys) {
		fputs("de", out);
		return;
	}
	for (it = json_object_iter(object); it; it = json_object_iter_next(object, it))
		keys[n++] = json_object_iter_key(it);
	qsort(keys, n, sizeof(*keys), by_key);
	fputc('d', out);
	for (i = 0; i < n; i++) {
		encode_octets(out, keys[i], strlen(keys[i]));
		encode(out, json_object_get(dict, keys[i]));
	}
	fputc('e', out);
	free(keys);
}

static void encode(FILE *out, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		encode_dictionary(out, value);
		break;
	case JSON_ARRAY:
		encode_list(out, value);
		break;
	case JSON_STRING:
		encode_octets(out, json_string_value(value), json_string_length(value));
		break;
	case JSON_INTEGER:
		fprintf(out, "i%llde", (long long)json_integer_value(value));
		break;
	case JSON_REAL:
		fprintf(out, "i%llde", (long long)json_real_value(value));
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		fputs(json_is_true(value) ? "i1e" : "i0e", out);
		break;
	case JSON_NULL:
		fputs("0:", out);
		break;
	}
}

int tandem_bencode_encode(const json_t *value, char **outp, size_t *len)
{
	FILE *out = open_memstream(outp, len);
	int err;

	if (!out)
		return -ENOMEM;
	encode(out, value);
	err = ferror(out);
	if (fclose(out) || err) {
		free(*outp);
		return -ENOMEM;
	}
	return 0;
}
