/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/web/text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEAD_MAX   32768
#define DIGITS_MAX 7

/* Where the headers end, behind the empty line. NULL: not there. */
static const char *find_body(const char *p, size_t len)
{
	const char *end = memmem(p, len, "\r\n\r\n", 4);

	return end ? end + 4 : NULL;
}

/* What follows the colon, when the line is a Content-Length. */
static const char *content_length(const char *line, const char *end)
{
	static const char name[] = "Content-Length";
	size_t n = 0;

	if ((size_t)(end - line) > sizeof(name) && !strncasecmp(line, name, sizeof(name) - 1))
		n = sizeof(name) - 1;
	else if (line < end && (*line == 'l' || *line == 'L'))
		n = 1;
	if (!n)
		return NULL;
	line += n;
	while (line < end && (*line == ' ' || *line == '\t'))
		line++;

	return line < end && *line == ':' ? line + 1 : NULL;
}

static int parse_number(const char *p, const char *end, size_t *value)
{
	size_t digits = 0;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	for (*value = 0; p < end && *p >= '0' && *p <= '9' && digits < DIGITS_MAX; p++, digits++)
		*value = *value * 10 + (size_t)(*p - '0');
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;

	return digits && p == end ? 0 : -EBADMSG;
}

/*
 * The Content-Length among the headers, which end at body. *count: how many there are. A value
 * that goes on in the next line is refused: who else reads the message might not see it.
 */
static int read_length(const char *p, const char *body, size_t *value, unsigned int *count)
{
	const char *text, *end;

	*count = 0;
	for (; p < body; p = end + 2) {
		end = memmem(p, (size_t)(body - p), "\r\n", 2);
		if (!end || end == p)
			break;
		text = content_length(p, end);
		if (!text)
			continue;
		++*count;
		if (parse_number(text, end, value) || end[2] == ' ' || end[2] == '\t')
			return -EBADMSG;
	}

	return *count > 1 ? -EBADMSG : 0;
}

ssize_t tandem_web_text_length(const char *stream, size_t len)
{
	const char *body = find_body(stream, len < HEAD_MAX ? len : HEAD_MAX);
	unsigned int count;
	size_t value, head;

	if (!body)
		return len < HEAD_MAX ? 0 : -EBADMSG;
	if (read_length(stream, body, &value, &count) || !count)
		return -EBADMSG;
	head = (size_t)(body - stream);
	if (value > TANDEM_WEB_MESSAGE_MAX - head)
		return -EBADMSG;

	return head + value <= len ? (ssize_t)(head + value) : 0;
}

int tandem_web_text_inward(char **outp, size_t *out_len, const char *frame, size_t len)
{
	size_t value, head, rest;
	unsigned int count;
	const char *body;
	int n;

	/* empty lines before a message are allowed (RFC 3261 section 7.5) */
	for (; len && (*frame == '\r' || *frame == '\n'); len--)
		frame++;
	body = find_body(frame, len < HEAD_MAX ? len : HEAD_MAX);
	if (!body)
		return -EBADMSG;
	head = (size_t)(body - frame);
	rest = len - head;
	if (read_length(frame, body, &value, &count) || (count && value > rest))
		return -EBADMSG;
	if (!count)
		value = rest;
	*outp = malloc(head + value + 40);
	if (!*outp)
		return -ENOMEM;
	/* all but the empty line */
	memcpy(*outp, frame, head - 2);
	n = count ? sprintf(*outp + head - 2, "\r\n")
		  : sprintf(*outp + head - 2, "Content-Length: %zu\r\n\r\n", value);
	memcpy(*outp + head - 2 + n, body, value);
	*out_len = head - 2 + (size_t)n + value;

	return 0;
}

int tandem_web_text_outward(char **outp, size_t *out_len, const char *message, size_t len,
			    const char *via)
{
	static const char name[] = "\r\nVia: ";
	const char *body = find_body(message, len), *start, *params;
	size_t before, after, via_len = strlen(via);

	if (!body)
		return -EBADMSG;
	start = memmem(message, (size_t)(body - message), name, sizeof(name) - 1);
	if (!start)
		return -EBADMSG;
	start += sizeof(name) - 1;
	params = memchr(start, ';', (size_t)(body - start));
	if (len > 8 && !memcmp(message, "SIP/2.0 ", 8)) {
		params = start;
		via_len = 0;
	}
	if (!params)
		return -EBADMSG;
	before = (size_t)(start - message);
	after = len - (size_t)(params - message);
	*outp = malloc(before + via_len + after + 1);
	if (!*outp)
		return -ENOMEM;
	memcpy(*outp, message, before);
	memcpy(*outp + before, via, via_len);
	memcpy(*outp + before + via_len, params, after);
	*out_len = before + via_len + after;

	return 0;
}
