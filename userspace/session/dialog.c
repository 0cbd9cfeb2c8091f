/* SPDX-License-Identifier: GPL-2.0-only */
/* Which session of a call a request is about: by tags, by branch. */
#include <errno.h>
#include <string.h>

#include "userspace/session/model.h"

static int find_party(const struct tandem_session *s, const char *tag, enum tandem_party_id *party)
{
	int p;

	/* the party that is not there has an empty one */
	for (p = 0; s && tag && *tag && p < 2; p++) {
		if (s->tag[p] && !strcmp(s->tag[p], tag)) {
			*party = p;
			return 0;
		}
	}
	return -ENOENT;
}

int tandem_session_party(const struct tandem_sessions *ss, const char *call, const char *tag,
			 enum tandem_party_id *party)
{
	return find_party(tandem_sessions_by_call(ss, call), tag, party);
}

const char *tandem_session_dialog(const struct tandem_sessions *ss, enum tandem_owner owner,
				  const char *call_id, const char *from_tag, const char *to_tag,
				  enum tandem_party_id *party)
{
	const struct tandem_session *s, *early = NULL;
	enum tandem_party_id p;

	for (s = tandem_sessions_next_owned(ss, owner, call_id, NULL); s;
	     s = tandem_sessions_next_owned(ss, owner, call_id, s)) {
		if (find_party(s, from_tag, &p))
			continue;
		if (to_tag && s->tag[!p] && !strcmp(s->tag[!p], to_tag)) {
			*party = p;
			return s->name;
		}
		if (!early && (!s->confirmed || !s->tag[!p])) {
			early = s;
			*party = p;
		}
	}
	return early ? early->name : NULL;
}

const char *tandem_session_by_via(const struct tandem_sessions *ss, enum tandem_owner owner,
				  const char *call_id, const char *via)
{
	const struct tandem_session *s = tandem_sessions_next_owned(ss, owner, call_id, NULL);

	while (s && !(s->via && !strcmp(s->via, via)))
		s = tandem_sessions_next_owned(ss, owner, call_id, s);
	return s ? s->name : NULL;
}

static const char *lowest(const struct tandem_sessions *ss, enum tandem_owner owner,
			  const char *call_id, unsigned int from)
{
	const struct tandem_session *s, *found = NULL;

	for (s = tandem_sessions_next_owned(ss, owner, call_id, NULL); s;
	     s = tandem_sessions_next_owned(ss, owner, call_id, s)) {
		if (s->branch >= from && (!found || s->branch < found->branch))
			found = s;
	}
	return found ? found->name : NULL;
}

const char *tandem_session_first(const struct tandem_sessions *ss, enum tandem_owner owner,
				 const char *call_id)
{
	return lowest(ss, owner, call_id, 0);
}

const char *tandem_session_next(const struct tandem_sessions *ss, enum tandem_owner owner,
				const char *call_id, const char *name)
{
	return lowest(ss, owner, call_id, tandem_session_branch(name) + 1);
}

unsigned int tandem_session_spare(const struct tandem_sessions *ss, enum tandem_owner owner,
				  const char *call_id)
{
	const struct tandem_session *s;
	unsigned int branch = 0;

	s = tandem_sessions_next_owned(ss, owner, call_id, NULL);
	while (s) {
		if (s->branch != branch) {
			s = tandem_sessions_next_owned(ss, owner, call_id, s);
			continue;
		}
		branch++;
		s = tandem_sessions_next_owned(ss, owner, call_id, NULL);
	}
	return branch;
}

bool tandem_session_confirmed(const struct tandem_sessions *ss, enum tandem_owner owner,
			      const char *call_id)
{
	const struct tandem_session *s = tandem_sessions_next_owned(ss, owner, call_id, NULL);

	while (s && (!s->confirmed || s->feeds))
		s = tandem_sessions_next_owned(ss, owner, call_id, s);
	return s != NULL;
}
