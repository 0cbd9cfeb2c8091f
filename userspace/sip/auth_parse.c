/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "userspace/sip/auth_parse.h"

#define ROW(name, max)                                                                             \
	{                                                                                          \
#name, offsetof(struct tandem_credentials, name), max                              \
	}

static const struct {
	const char *name;
	size_t offset;
	size_t max; /* octets */
} directives[] = {
	ROW(username, 255), ROW(realm, 255),	ROW(nonce, 255),  ROW(uri, 1024),
	ROW(response, 64),  ROW(algorithm, 32), ROW(cnonce, 255), ROW(qop, 32),
	ROW(nc, 8),	    ROW(userhash, 8),	ROW(opaque, 255), ROW(stale, 8),
};

/* What is left to read. */
struct reader {
	const char *p;
	const char *end;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_space(struct reader *r)
{
	while (r->p < r->end && is_space(*r->p))
		r->p++;
}

static bool is_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-.!%*_+`'~", c));
}

static bool read_token(struct reader *r, struct pl *token)
{
	token->p = r->p;
	while (r->p < r->end && is_token(*r->p))
		r->p++;
	token->l = (size_t)(r->p - token->p);

	return token->l > 0;
}

/*
 * A backslash makes the next one plain; it stays in the value, as the digest is over both. No control
 * character comes after it either, though RFC 3261 has that: values are written into header lines again.
 */
static bool read_quoted(struct reader *r, struct pl *value)
{
	bool plain = false;

	value->p = ++r->p;
	for (; r->p < r->end; r->p++) {
		unsigned char c = (unsigned char)*r->p;

		if (c == '"' && !plain) {
			value->l = (size_t)(r->p - value->p);
			r->p++;
			return true;
		}
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
		plain = c == '\\' && !plain;
	}

	return false;
}

static bool read_value(struct reader *r, struct pl *value)
{
	if (r->p < r->end && *r->p == '"')
		return read_quoted(r, value);

	return read_token(r, value);
}

static int keep(struct tandem_credentials *c, const struct pl *name, const struct pl *value)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(directives); i++) {
		struct pl *at = (struct pl *)((char *)c + directives[i].offset);

		if (pl_strcasecmp(name, directives[i].name))
			continue;
		if (at->p || value->l > directives[i].max)
			return -EBADMSG;
		*at = *value;
		break;
	}

	return 0;
}

static int read_directive(struct reader *r, struct tandem_credentials *c, int *kept)
{
	struct pl name, value;

	if (!read_token(r, &name))
		return -EBADMSG;
	skip_space(r);
	if (r->p == r->end || *r->p++ != '=')
		return -EBADMSG;
	skip_space(r);
	if (!read_value(r, &value))
		return -EBADMSG;
	skip_space(r);
	*kept = keep(c, &name, &value);

	return 0;
}

int tandem_credentials_parse(struct tandem_credentials *c, const struct pl *val)
{
	struct reader r = { val->p, val->p + val->l };
	struct pl scheme;
	int err, kept, refused = 0;

	memset(c, 0, sizeof(*c));
	if (!val->p)
		return -ENOENT;
	skip_space(&r);
	if (!read_token(&r, &scheme) || pl_strcasecmp(&scheme, "Digest"))
		return -ENOENT;
	if (r.p == r.end || !is_space(*r.p))
		return -EBADMSG;

	for (;;) {
		skip_space(&r);
		err = read_directive(&r, c, &kept);
		if (err)
			return err;
		/* the others are still read: it should be known for whom they were */
		refused |= kept;
		if (r.p == r.end)
			return refused;
		if (*r.p++ != ',')
			return -EBADMSG;
	}
}

bool tandem_credentials_of(const struct pl *val, const char *realm)
{
	struct tandem_credentials c;

	return tandem_credentials_parse(&c, val) != -ENOENT && !pl_strcmp(&c.realm, realm);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;

	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int tandem_credentials_hex(uint8_t *out, size_t size, const struct pl *text)
{
	size_t i;

	if (text->l != 2 * size)
		return -EBADMSG;
	for (i = 0; i < size; i++) {
		int high = hex_digit(text->p[2 * i]), low = hex_digit(text->p[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EBADMSG;
		out[i] = (uint8_t)(high << 4 | low);
	}

	return 0;
}
