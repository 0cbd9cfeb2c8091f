/* SPDX-License-Identifier: GPL-2.0-only */
/* From bytes to a document and back (RFC 8866 section 5) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/sdp/doc.h"

static int check_line(const struct tandem_sdp *sdp, size_t i, struct tandem_sdp_error *err)
{
	const struct tandem_sdp_span *line = &sdp->lines[i];
	const char *text = sdp->text + line->off;
	char type = text[0];

	if (!line->len)
		return 0;
	if (line->len < 2 || text[1] != '=' || type <= 0x20 || type >= 0x7f)
		return tandem_sdp_fail(err, -EBADMSG, i, "line is not <type>=<value>");
	/* Some take a lone CR for a line end: what they would read is not what we read. */
	if (memchr(text, '\r', line->len))
		return tandem_sdp_fail(err, -EBADMSG, i, "stray CR");
	return 0;
}

static size_t count_lines(const char *buf, size_t len)
{
	size_t n = 0, i;

	for (i = 0; i < len; i++)
		n += buf[i] == '\n';
	return n + (len && buf[len - 1] != '\n');
}

/* Record where lines are, and turn their ends into NUL. */
static int split_lines(struct tandem_sdp *sdp, struct tandem_sdp_error *err)
{
	size_t off = 0, i, end;
	int section = TANDEM_SDP_SESSION, rc;

	for (i = 0; off < sdp->size; i++) {
		struct tandem_sdp_span *line = &sdp->lines[i];
		const char *lf = memchr(sdp->text + off, '\n', sdp->size - off);

		end = lf ? (size_t)(lf - sdp->text) : sdp->size;
		line->off = (uint32_t)off;
		line->eol = lf ? TANDEM_SDP_EOL_LF : TANDEM_SDP_EOL_NONE;
		off = lf ? end + 1 : end;
		if (lf && end > line->off && sdp->text[end - 1] == '\r') {
			line->eol = TANDEM_SDP_EOL_CRLF;
			end--;
		}
		line->len = (uint32_t)(end - line->off);
		sdp->text[end] = '\0';
		sdp->words[end] = '\0';
		sdp->nlines = i + 1;
		rc = check_line(sdp, i, err);
		if (rc)
			return rc;
		if (tandem_sdp_line_type(sdp, i) == 'm' && ++section >= TANDEM_SDP_MAX_MEDIA)
			return tandem_sdp_fail(err, -EMSGSIZE, i, "too many media");
		line->section = (int16_t)section;
	}
	sdp->nmedia = (size_t)(section + 1);
	return 0;
}

static int check_version(const struct tandem_sdp *sdp, struct tandem_sdp_error *err)
{
	const char *word;
	size_t len;

	if (!sdp->nlines || tandem_sdp_line_type(sdp, 0) != 'v')
		return tandem_sdp_fail(err, -EBADMSG, 0, "does not begin with v=");
	word = tandem_sdp_word(tandem_sdp_line_text(sdp, 0), 0, &len);
	if (!word || len != 1 || *word != '0')
		return tandem_sdp_fail(err, -EBADMSG, 0, "version is not 0");
	return 0;
}

static int build_view(struct tandem_sdp *sdp, struct tandem_sdp_error *err)
{
	size_t i;
	int rc;

	sdp->media = calloc(sdp->nmedia ? sdp->nmedia : 1, sizeof(*sdp->media));
	if (!sdp->media)
		return tandem_sdp_fail(err, -ENOMEM, SIZE_MAX, "out of memory");
	rc = tandem_sdp_view_session(sdp, err);
	for (i = 0; !rc && i < sdp->nmedia; i++)
		rc = tandem_sdp_view_media(sdp, i, err);
	return rc;
}

static int copy_text(struct tandem_sdp *sdp, const char *buf, size_t len, size_t nlines)
{
	sdp->text = malloc(len + 1);
	sdp->words = malloc(len + 1);
	sdp->lines = calloc(nlines ? nlines : 1, sizeof(*sdp->lines));
	if (!sdp->text || !sdp->words || !sdp->lines)
		return -ENOMEM;
	memcpy(sdp->text, buf, len);
	memcpy(sdp->words, buf, len);
	sdp->text[len] = '\0';
	sdp->words[len] = '\0';
	sdp->size = len;
	return 0;
}

static int check_bytes(const char *buf, size_t len, struct tandem_sdp_error *err)
{
	const char *nul;

	if (!len)
		return tandem_sdp_fail(err, -EBADMSG, SIZE_MAX, "empty description");
	if (len > TANDEM_SDP_MAX_SIZE)
		return tandem_sdp_fail(err, -EMSGSIZE, SIZE_MAX, "description is too long");
	nul = memchr(buf, '\0', len);
	if (nul)
		return tandem_sdp_fail(err, -EBADMSG, count_lines(buf, (size_t)(nul - buf) + 1) - 1,
				       "NUL byte");
	if (count_lines(buf, len) > TANDEM_SDP_MAX_LINES)
		return tandem_sdp_fail(err, -EMSGSIZE, SIZE_MAX, "too many lines");
	return 0;
}

int tandem_sdp_parse(struct tandem_sdp **sdpp, const char *buf, size_t len,
		     struct tandem_sdp_error *err)
{
	struct tandem_sdp *sdp = NULL;
	int rc;

	if (!sdpp || (!buf && len))
		return tandem_sdp_fail(err, -EINVAL, SIZE_MAX, "bad argument");
	rc = check_bytes(buf, len, err);
	if (rc)
		return rc;
	sdp = calloc(1, sizeof(*sdp));
	if (!sdp || copy_text(sdp, buf, len, count_lines(buf, len))) {
		rc = tandem_sdp_fail(err, -ENOMEM, SIZE_MAX, "out of memory");
		goto out;
	}
	rc = split_lines(sdp, err);
	if (!rc)
		rc = check_version(sdp, err);
	if (!rc)
		rc = build_view(sdp, err);
	if (rc)
		goto out;
	tandem_sdp_fail(err, 0, SIZE_MAX, "no error");
	*sdpp = sdp;
	sdp = NULL;
out:
	tandem_sdp_free(sdp);
	return rc;
}

void tandem_sdp_free(struct tandem_sdp *sdp)
{
	if (!sdp)
		return;
	tandem_sdp_view_clean(sdp);
	free(sdp->media);
	free(sdp->lines);
	free(sdp->words);
	free(sdp->text);
	free(sdp);
}

int tandem_sdp_print(const struct tandem_sdp *sdp, char **textp, size_t *lenp)
{
	char *text;
	size_t i;

	if (!sdp || !textp)
		return -EINVAL;
	text = malloc(sdp->size + 1);
	if (!text)
		return -ENOMEM;
	memcpy(text, sdp->text, sdp->size + 1);
	for (i = 0; i < sdp->nlines; i++) {
		char *end = text + sdp->lines[i].off + sdp->lines[i].len;

		if (sdp->lines[i].eol == TANDEM_SDP_EOL_CRLF)
			memcpy(end, "\r\n", 2);
		else if (sdp->lines[i].eol == TANDEM_SDP_EOL_LF)
			*end = '\n';
	}
	*textp = text;
	if (lenp)
		*lenp = sdp->size;
	return 0;
}

int tandem_sdp_dup(struct tandem_sdp **dst, const struct tandem_sdp *src)
{
	char *text;
	size_t len;
	int rc = tandem_sdp_print(src, &text, &len);

	if (rc)
		return rc;
	rc = tandem_sdp_parse(dst, text, len, NULL);
	free(text);
	return rc;
}
