/* SPDX-License-Identifier: GPL-2.0-only */
/* The lines of a document and the attributes among them */
#include <errno.h>
#include <string.h>

#include "userspace/sdp/doc.h"

char tandem_sdp_line_type(const struct tandem_sdp *sdp, size_t i)
{
	return sdp->lines[i].len ? sdp->text[sdp->lines[i].off] : '\0';
}

/* An empty line has no "x=" to skip; its NUL is the value. */
static size_t value_offset(const struct tandem_sdp_span *line)
{
	return line->off + (line->len ? 2 : 0);
}

const char *tandem_sdp_line_text(const struct tandem_sdp *sdp, size_t i)
{
	return sdp->text + value_offset(&sdp->lines[i]);
}

char *tandem_sdp_line_words(struct tandem_sdp *sdp, size_t i)
{
	return sdp->words + value_offset(&sdp->lines[i]);
}

const char *tandem_sdp_line_attr(const struct tandem_sdp *sdp, size_t i, const char *name)
{
	const char *text = tandem_sdp_line_text(sdp, i);
	size_t len = strlen(name);

	if (tandem_sdp_line_type(sdp, i) != 'a' || strncmp(text, name, len))
		return NULL;
	text += len;
	if (*text == ':')
		return text + 1;
	text += strspn(text, " \t");
	return *text ? NULL : text;
}

char *tandem_sdp_cut_attr(char *line)
{
	char *end = strchr(line, ':');

	if (end) {
		*end = '\0';
		return end + 1;
	}
	end = line + strlen(line);
	while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	return end;
}

int tandem_sdp_section(const struct tandem_sdp *sdp, int section, size_t *first, size_t *end)
{
	size_t i = 0;

	if (section < TANDEM_SDP_SESSION || section >= (int)sdp->nmedia)
		return -EINVAL;
	while (i < sdp->nlines && sdp->lines[i].section < section)
		i++;
	*first = i;
	while (i < sdp->nlines && sdp->lines[i].section == section)
		i++;
	*end = i;
	return 0;
}

const char *tandem_sdp_find_attr(const struct tandem_sdp *sdp, int section, const char *name,
				 size_t nth)
{
	const char *value;
	size_t i, end;

	if (!sdp || !name || !*name || tandem_sdp_section(sdp, section, &i, &end))
		return NULL;
	for (; i < end; i++) {
		value = tandem_sdp_line_attr(sdp, i, name);
		if (value && !nth--)
			return value;
	}
	return NULL;
}

size_t tandem_sdp_line_count(const struct tandem_sdp *sdp)
{
	return sdp ? sdp->nlines : 0;
}

int tandem_sdp_line(const struct tandem_sdp *sdp, size_t i, struct tandem_sdp_line *line)
{
	if (!sdp || !line || i >= sdp->nlines)
		return -EINVAL;
	line->type = tandem_sdp_line_type(sdp, i);
	line->value = tandem_sdp_line_text(sdp, i);
	line->section = sdp->lines[i].section;
	line->number = (unsigned int)i + 1;
	return 0;
}

int tandem_sdp_fail(struct tandem_sdp_error *err, int code, size_t line, const char *reason)
{
	if (err) {
		err->code = code;
		err->line = line == SIZE_MAX ? 0 : (unsigned int)line + 1;
		err->reason = reason;
	}
	return code;
}
