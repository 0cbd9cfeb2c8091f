/* SPDX-License-Identifier: GPL-2.0-only */
/* A side's description after its previous one (RFC 3264 section 8) */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "userspace/sdp/doc.h"

static bool same_origin(const struct tandem_sdp_session *a, const struct tandem_sdp_session *b)
{
	return a->has_origin && b->has_origin && !strcmp(a->username, b->username) &&
	       !strcmp(a->sess_id, b->sess_id) && a->origin.family == b->origin.family &&
	       !strcasecmp(a->origin.host, b->origin.host);
}

static bool same_lines(const struct tandem_sdp *a, const struct tandem_sdp *b)
{
	size_t i;

	if (a->nlines != b->nlines)
		return false;
	for (i = 0; i < a->nlines; i++) {
		char type = tandem_sdp_line_type(a, i);

		if (type != tandem_sdp_line_type(b, i) || a->lines[i].eol != b->lines[i].eol)
			return false;
		if (type != 'o' && strcmp(tandem_sdp_line_text(a, i), tandem_sdp_line_text(b, i)))
			return false;
	}
	return true;
}

/* The meaning of a payload type number is for the session's life (RFC 3264 8.3.2). */
static bool remapped(const struct tandem_sdp_media *prev, const struct tandem_sdp_media *next)
{
	size_t i;

	if (strcasecmp(prev->type, next->type) || !prev->port)
		return false;
	for (i = 0; i < next->nformats; i++) {
		const struct tandem_sdp_format *now = &next->formats[i];
		const struct tandem_sdp_format *was = tandem_sdp_find_format(prev, now->pt);

		if (was && was->name && now->name && !tandem_sdp_same_codec(was, now))
			return true;
	}
	return false;
}

int tandem_sdp_check_update(const struct tandem_sdp *prev, const struct tandem_sdp *next,
			    struct tandem_sdp_update *out, struct tandem_sdp_error *err)
{
	struct tandem_sdp_update u = { false };
	size_t i;

	if (!prev || !next)
		return tandem_sdp_fail(err, -EINVAL, SIZE_MAX, "bad argument");
	u.same_session = same_origin(&prev->session, &next->session);
	u.same_version = u.same_session &&
			 !strcmp(prev->session.sess_version, next->session.sess_version);
	u.unchanged = same_lines(prev, next);
	for (i = 0; i < prev->nmedia && i < next->nmedia; i++)
		if (remapped(&prev->media[i], &next->media[i]))
			u.pt_remapped = true;
	if (next->nmedia > prev->nmedia)
		u.added = next->nmedia - prev->nmedia;
	if (out)
		*out = u;
	if (next->nmedia < prev->nmedia)
		return tandem_sdp_fail(err, -EPROTO, SIZE_MAX,
				       "media of the previous description are missing");
	return tandem_sdp_fail(err, 0, SIZE_MAX, "no error");
}
