/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/raw.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define SIP "SIP/"

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* RFC 3261 section 25.1. */
static bool is_token(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("-.!%*_+`'~", c));
}

static struct pl trimmed(const char *p, const char *end)
{
	while (p < end && is_space(*p))
		p++;
	while (end > p && is_space(end[-1]))
		end--;

	return (struct pl){ .p = p, .l = (size_t)(end - p) };
}

/* Beyond the end of the line that p is on; NULL when it has none. */
static const char *line_end(const char *p, const char *end)
{
	const char *lf = memchr(p, '\n', (size_t)(end - p));

	return lf ? lf + 1 : NULL;
}

static bool is_empty(const char *p, const char *next)
{
	return next - p == 1 || (next - p == 2 && *p == '\r');
}

static void advance(struct pl *rest, const char *to)
{
	rest->l -= (size_t)(to - rest->p);
	rest->p = to;
}

bool tandem_raw_field(struct pl *rest, struct pl *name, struct pl *value)
{
	const char *end = rest->p + rest->l, *p = rest->p, *next = line_end(p, end), *more, *colon;

	if (!next || is_empty(p, next))
		return false;
	while (next < end && (*next == ' ' || *next == '\t')) {
		more = line_end(next, end);
		if (!more)
			break;
		next = more;
	}
	colon = memchr(p, ':', (size_t)(next - p));
	*name = colon ? trimmed(p, colon) : (struct pl){ .p = p };
	*value = trimmed(colon ? colon + 1 : p, next);
	advance(rest, next);

	return true;
}

bool tandem_raw_is(const struct pl *name, const char *full, char compact)
{
	if (compact && name->l == 1)
		return (name->p[0] | 0x20) == compact;

	return name->l == strlen(full) && !strncasecmp(name->p, full, name->l);
}

/* The first c from p that is not in a quoted string, or the end. */
static const char *find_outside(const char *p, const char *end, char c)
{
	bool quoted = false;

	for (; p < end && (quoted || *p != c); p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (quoted && *p == '\\' && p + 1 < end)
			p++;
	}

	return p;
}

bool tandem_raw_value(struct pl *rest, struct pl *value)
{
	const char *end, *p;

	if (!rest->l)
		return false;
	end = rest->p + rest->l;
	p = find_outside(rest->p, end, ',');
	*value = trimmed(rest->p, p);
	advance(rest, p < end ? p + 1 : end);

	return true;
}

/* The text of the next parameter, without its semicolon. */
static bool next_param(struct pl *rest, struct pl *param)
{
	const char *p;

	if (!rest->l || *rest->p != ';')
		return false;
	p = find_outside(rest->p + 1, rest->p + rest->l, ';');
	*param = trimmed(rest->p + 1, p);
	advance(rest, p);

	return true;
}

static struct pl via_params(const struct pl *via)
{
	const char *end = via->p + via->l, *p = memchr(via->p, ';', via->l);

	p = p ? p : end;

	return (struct pl){ .p = p, .l = (size_t)(end - p) };
}

bool tandem_raw_via_param(const struct pl *via, const char *name, struct pl *value,
			  struct pl *whole)
{
	struct pl rest = via_params(via), param;
	const char *start = rest.p;

	for (; next_param(&rest, &param); start = rest.p) {
		const char *end = param.p + param.l;
		const char *eq = memchr(param.p, '=', param.l);
		struct pl key = trimmed(param.p, eq ? eq : end);

		if (!tandem_raw_is(&key, name, 0))
			continue;
		if (value)
			*value = eq ? trimmed(eq + 1, end) : pl_null;
		if (whole)
			*whole = (struct pl){ .p = start, .l = (size_t)(rest.p - start) };
		return true;
	}

	return false;
}

static bool is_host(char c)
{
	return isalnum((unsigned char)c) || (c && strchr(".-_:[]", c));
}

bool tandem_raw_sent_by(const struct pl *via, struct pl *sent_by)
{
	const char *p = via->p, *end = p + via->l, *start;
	unsigned int slashes = 0;

	/* "SIP / 2.0 / UDP host": white space may be around the slashes */
	while (p < end && slashes < 2) {
		if (!is_token(*p) && *p != '/' && !is_space(*p))
			return false;
		slashes += *p++ == '/';
	}
	while (p < end && is_space(*p))
		p++;
	while (p < end && is_token(*p))
		p++;
	start = p;
	while (p < end && is_space(*p))
		p++;
	if (p == start || p == end)
		return false;
	for (start = p; p < end && is_host(*p);)
		p++;
	*sent_by = (struct pl){ .p = start, .l = (size_t)(p - start) };
	while (p < end && is_space(*p))
		p++;

	return sent_by->l && (p == end || *p == ';');
}

bool tandem_raw_via_sound(const struct pl *line)
{
	struct pl rest = *line, value, params, param, sent_by;

	if (!rest.l || rest.p[rest.l - 1] == ',')
		return false;
	while (tandem_raw_value(&rest, &value)) {
		if (!tandem_raw_sent_by(&value, &sent_by))
			return false;
		params = via_params(&value);
		while (next_param(&params, &param)) {
			if (!param.l || !is_token(*param.p))
				return false;
		}
	}

	return true;
}

int tandem_raw_body_len(const struct tandem_raw *raw, size_t left)
{
	size_t i, v = 0;

	if (!raw->length.l)
		return -EBADMSG;
	for (i = 0; i < raw->length.l; i++) {
		if (!isdigit((unsigned char)raw->length.p[i]))
			return -EBADMSG;
		v = v * 10 + (size_t)(raw->length.p[i] - '0');
		if (v > left || v > INT_MAX / 16)
			return -EBADMSG;
	}

	return (int)v;
}

/* The first of each counts; those that are not here may come twice. */
static void take(struct tandem_raw *raw, const struct pl *name, const struct pl *value)
{
	const struct {
		struct pl *pl;
		const char *full;
		char compact;
	} fields[] = {
		{ &raw->via, "Via", 'v' },	  { &raw->from, "From", 'f' },
		{ &raw->to, "To", 't' },	  { &raw->callid, "Call-ID", 'i' },
		{ &raw->cseq, "CSeq", 0 },	  { &raw->length, "Content-Length", 'l' },
		{ &raw->agent, "User-Agent", 0 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!fields[i].pl->p && tandem_raw_is(name, fields[i].full, fields[i].compact)) {
			*fields[i].pl = *value;
			return;
		}
	}
}

/* METHOD SP Request-URI SP SIP-Version, or what somebody meant to be that. */
static int read_first_line(struct tandem_raw *raw, const char *p, const char *next)
{
	const char *end = next - 1, *q = p, *v;
	struct pl words;

	if (end > p && end[-1] == '\r')
		end--;
	while (q < end && is_token(*q))
		q++;
	raw->method = (struct pl){ .p = p, .l = (size_t)(q - p) };
	if (!raw->method.l || q == end || (*q != ' ' && *q != '\t'))
		return -EBADMSG;

	words = trimmed(q, end);
	v = words.p + words.l;
	while (v > q && v[-1] != ' ' && v[-1] != '\t')
		v--;
	if (end - v <= (ptrdiff_t)strlen(SIP) || strncasecmp(v, SIP, strlen(SIP)) != 0)
		return -EBADMSG;
	raw->version = (struct pl){ .p = v, .l = (size_t)(end - v) };
	if (v - 1 > q + 1) {
		struct pl uri = { .p = q + 1, .l = (size_t)(v - 1 - (q + 1)) };

		if (*q == ' ' && v[-1] == ' ' && !memchr(uri.p, ' ', uri.l) &&
		    !memchr(uri.p, '\t', uri.l))
			raw->uri = uri;
	}

	return 0;
}

int tandem_raw_read(struct tandem_raw *raw, const char *p, size_t len)
{
	const char *end = p + len, *next = line_end(p, end);
	struct pl rest, name, value;
	int err;

	memset(raw, 0, sizeof(*raw));
	if (!next)
		return -ENODATA;
	err = read_first_line(raw, p, next);
	if (err)
		return err;

	rest = (struct pl){ .p = next, .l = (size_t)(end - next) };
	while (tandem_raw_field(&rest, &name, &value))
		take(raw, &name, &value);
	next = line_end(rest.p, rest.p + rest.l);
	if (!next)
		return -ENODATA;
	raw->header = (struct pl){ .p = line_end(p, end), .l = 0 };
	raw->header.l = (size_t)(next - raw->header.p);
	rest = raw->via;
	if (raw->via.p)
		(void)tandem_raw_value(&rest, &raw->top);

	return 0;
}
