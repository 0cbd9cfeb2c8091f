/* SPDX-License-Identifier: GPL-2.0-only */
/* The typed view of the session level */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/sdp/doc.h"

static const char *const dir_names[] = {
	[TANDEM_SDP_INACTIVE] = "inactive",
	[TANDEM_SDP_SENDONLY] = "sendonly",
	[TANDEM_SDP_RECVONLY] = "recvonly",
	[TANDEM_SDP_SENDRECV] = "sendrecv",
};

const char *tandem_sdp_dir_name(enum tandem_sdp_dir dir)
{
	return dir_names[dir & TANDEM_SDP_SENDRECV];
}

enum tandem_sdp_dir tandem_sdp_dir_reverse(enum tandem_sdp_dir dir)
{
	return (enum tandem_sdp_dir)((dir & 1) << 1 | (dir & 2) >> 1);
}

int tandem_sdp_scan_dir(const char *name, enum tandem_sdp_dir *dir)
{
	int i;

	for (i = TANDEM_SDP_INACTIVE; i <= TANDEM_SDP_SENDRECV; i++) {
		if (!strcmp(name, dir_names[i])) {
			*dir = (enum tandem_sdp_dir)i;
			return 0;
		}
	}
	return -ENOENT;
}

/*
 * The user name has no blanks by the grammar, but some put a full name there: count the
 * five other words from the end.
 */
static int view_origin(struct tandem_sdp *sdp, size_t i, const char **reason)
{
	struct tandem_sdp_session *s = &sdp->session;
	char *cursor = tandem_sdp_line_words(sdp, i);
	size_t n = tandem_sdp_word_count(cursor), len;
	const char *id;
	char *user;

	if (n < 6) {
		*reason = "o= has fewer than six fields";
		return -EBADMSG;
	}
	id = tandem_sdp_word(cursor, n - 5, &len);
	user = cursor + strspn(cursor, " \t");
	cursor += id - cursor;
	while (cursor[-1] == ' ' || cursor[-1] == '\t')
		cursor--;
	*cursor++ = '\0';
	s->username = user;
	s->sess_id = tandem_sdp_next_word(&cursor);
	s->sess_version = tandem_sdp_next_word(&cursor);
	s->has_origin = true;
	return tandem_sdp_scan_addr(&cursor, &s->origin, reason);
}

/* a=group:semantics mid mid ... (RFC 5888 section 5) */
static int view_group(struct tandem_sdp *sdp, char *cursor, const char **reason)
{
	struct tandem_sdp_group *group = &sdp->groups[sdp->session.ngroups];
	size_t n = tandem_sdp_word_count(cursor), i;
	const char **mids;

	if (!n)
		return 0;
	if (sdp->session.ngroups == TANDEM_SDP_MAX_GROUPS || n > TANDEM_SDP_MAX_MIDS + 1) {
		*reason = "too many groups or group members";
		return -EMSGSIZE;
	}
	mids = calloc(n, sizeof(*mids));
	if (!mids) {
		*reason = "out of memory";
		return -ENOMEM;
	}
	group->semantics = tandem_sdp_next_word(&cursor);
	group->nmids = n - 1;
	group->mids = mids;
	for (i = 0; i < n - 1; i++)
		mids[i] = tandem_sdp_next_word(&cursor);
	sdp->session.ngroups++;
	return 0;
}

static int session_attr(struct tandem_sdp *sdp, size_t i, const char **reason)
{
	char *name = tandem_sdp_line_words(sdp, i);
	char *value = tandem_sdp_cut_attr(name);

	if (!tandem_sdp_scan_dir(name, &sdp->session.dir))
		return 0;
	if (!strcmp(name, "group"))
		return view_group(sdp, value, reason);
	if (!strcmp(name, "ice-ufrag"))
		sdp->has_ice = true;
	else if (!strcmp(name, "fingerprint"))
		sdp->has_fingerprint = true;
	else if (!strcmp(name, "ice-lite"))
		sdp->session.ice_lite = true;
	else if (!strcmp(name, "setup"))
		sdp->setup = tandem_sdp_next_word(&value);
	return 0;
}

static int view_line(struct tandem_sdp *sdp, size_t i, const char **reason)
{
	struct tandem_sdp_session *s = &sdp->session;
	struct tandem_sdp_addr addr;
	char *cursor;
	int rc;

	switch (tandem_sdp_line_type(sdp, i)) {
	case 'o':
		return s->has_origin ? 0 : view_origin(sdp, i, reason);
	case 's':
		s->name = tandem_sdp_line_text(sdp, i);
		return 0;
	case 'c':
		cursor = tandem_sdp_line_words(sdp, i);
		rc = tandem_sdp_scan_addr(&cursor, &addr, reason);
		if (!rc && !s->conn.present)
			s->conn = addr;
		return rc;
	case 'a':
		return session_attr(sdp, i, reason);
	default:
		return 0;
	}
}

int tandem_sdp_view_session(struct tandem_sdp *sdp, struct tandem_sdp_error *err)
{
	struct tandem_sdp_session *s = &sdp->session;
	const char *reason = "";
	size_t i, end;
	int rc;

	s->username = s->sess_id = s->sess_version = s->name = "";
	s->origin.host = s->conn.host = "";
	s->origin.count = s->conn.count = 1;
	s->dir = TANDEM_SDP_SENDRECV;
	sdp->groups = calloc(TANDEM_SDP_MAX_GROUPS + 1, sizeof(*sdp->groups));
	if (!sdp->groups)
		return tandem_sdp_fail(err, -ENOMEM, SIZE_MAX, "out of memory");
	s->groups = sdp->groups;
	rc = tandem_sdp_section(sdp, TANDEM_SDP_SESSION, &i, &end);
	for (; !rc && i < end; i++) {
		rc = view_line(sdp, i, &reason);
		if (rc)
			tandem_sdp_fail(err, rc, i, reason);
	}
	return rc;
}

const struct tandem_sdp_session *tandem_sdp_session(const struct tandem_sdp *sdp)
{
	return &sdp->session;
}
