/* SPDX-License-Identifier: GPL-2.0-only */
/* Edits of a document, all or nothing */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/sdp/draft.h"

void tandem_sdp_draft_init(struct tandem_sdp_draft *draft, struct tandem_sdp *sdp)
{
	memset(draft, 0, sizeof(*draft));
	draft->sdp = sdp;
	draft->lines = calloc(sdp->nlines, sizeof(*draft->lines));
	if (!draft->lines)
		draft->error = -ENOMEM;
}

/* Text that would end its line early would be an injected line. */
static char *format_line(struct tandem_sdp_draft *draft, const char *fmt, va_list ap)
{
	va_list again;
	char *line;
	int len;

	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	line = len < 0 ? NULL : malloc((size_t)len + 1);
	if (line)
		vsnprintf(line, (size_t)len + 1, fmt, again);
	else
		draft->error = -ENOMEM;
	va_end(again);
	if (line && strpbrk(line, "\r\n"))
		draft->error = -EINVAL;
	return line;
}

static void set_line(struct tandem_sdp_draft *draft, size_t i, char *line)
{
	free(draft->lines[i]);
	draft->lines[i] = line;
}

void tandem_sdp_draft_drop(struct tandem_sdp_draft *draft, size_t i)
{
	char *line;

	if (draft->error)
		return;
	line = calloc(1, 1);
	if (!line)
		draft->error = -ENOMEM;
	else
		set_line(draft, i, line);
}

void tandem_sdp_draft_replace(struct tandem_sdp_draft *draft, size_t i, const char *fmt, ...)
{
	va_list ap;
	char *line;

	if (draft->error)
		return;
	va_start(ap, fmt);
	line = format_line(draft, fmt, ap);
	va_end(ap);
	set_line(draft, i, line);
}

void tandem_sdp_draft_insert(struct tandem_sdp_draft *draft, size_t i, const char *fmt, ...)
{
	va_list ap;

	if (draft->error)
		return;
	va_start(ap, fmt);
	draft->insert = format_line(draft, fmt, ap);
	draft->insert_at = i;
	va_end(ap);
}

/* Line ends that are added look like the document's first. */
static const char *default_eol(const struct tandem_sdp *sdp)
{
	return sdp->lines[0].eol == TANDEM_SDP_EOL_LF ? "\n" : "\r\n";
}

static const char *line_eol(const struct tandem_sdp *sdp, size_t i)
{
	static const char *const eols[] = {
		[TANDEM_SDP_EOL_NONE] = "",
		[TANDEM_SDP_EOL_LF] = "\n",
		[TANDEM_SDP_EOL_CRLF] = "\r\n",
	};

	return eols[sdp->lines[i].eol];
}

static const char *draft_text(const struct tandem_sdp_draft *draft, size_t i)
{
	if (draft->lines[i])
		return draft->lines[i];
	return draft->sdp->text + draft->sdp->lines[i].off;
}

static size_t draft_size(const struct tandem_sdp_draft *draft)
{
	size_t size = draft->insert ? strlen(draft->insert) + 4 : 0, i;

	for (i = 0; i < draft->sdp->nlines; i++)
		size += strlen(draft_text(draft, i)) + 2;
	return size;
}

static char *put(char *to, const char *text)
{
	size_t len = strlen(text);

	memcpy(to, text, len);
	return to + len;
}

/* A line inserted after one without an end takes over having none. */
static char *put_insert(const struct tandem_sdp_draft *draft, char *to, bool after_open_end)
{
	if (after_open_end)
		to = put(to, default_eol(draft->sdp));
	to = put(to, draft->insert);
	return after_open_end ? to : put(to, default_eol(draft->sdp));
}

static size_t write_draft(const struct tandem_sdp_draft *draft, char *text)
{
	const struct tandem_sdp *sdp = draft->sdp;
	bool open_end = false;
	char *to = text;
	size_t i;

	for (i = 0; i < sdp->nlines; i++) {
		if (draft->insert && draft->insert_at == i)
			to = put_insert(draft, to, false);
		if (draft->lines[i] && !draft->lines[i][0])
			continue;
		to = put(to, draft_text(draft, i));
		to = put(to, line_eol(sdp, i));
		open_end = sdp->lines[i].eol == TANDEM_SDP_EOL_NONE;
	}
	if (draft->insert && draft->insert_at >= sdp->nlines)
		to = put_insert(draft, to, open_end);
	return (size_t)(to - text);
}

static int carry_out(struct tandem_sdp_draft *draft)
{
	char *text = malloc(draft_size(draft) + 1);
	struct tandem_sdp *edited = NULL;
	struct tandem_sdp old;
	int rc;

	if (!text)
		return -ENOMEM;
	rc = tandem_sdp_parse(&edited, text, write_draft(draft, text), NULL);
	free(text);
	if (rc)
		return rc == -EBADMSG ? -EINVAL : rc;
	old = *draft->sdp;
	*draft->sdp = *edited;
	*edited = old;
	tandem_sdp_free(edited);
	return 0;
}

int tandem_sdp_draft_commit(struct tandem_sdp_draft *draft)
{
	size_t i, n = draft->lines ? draft->sdp->nlines : 0; /* before they change */
	int rc = draft->error;

	if (!rc)
		rc = carry_out(draft);
	for (i = 0; i < n; i++)
		free(draft->lines[i]);
	free(draft->lines);
	free(draft->insert);
	return rc;
}
