/* SPDX-License-Identifier: GPL-2.0-only */
/* Which session, and whom in it, a request is about. */
#include <errno.h>
#include <string.h>

#include "userspace/ng/calls.h"

static bool has_tag(const struct tandem_ng_calls *calls, const char *name, const char *tag,
		    enum tandem_party_id *party)
{
	return name && tag && !tandem_session_party(calls->sessions, name, tag, party);
}

/*
 * By both tags, where both are known already; else by the branch, if the client tells; else the
 * one that has no second tag yet; and else the call's first: who forks without telling of branches
 * has one set of ports for all of them, and the last answer counts.
 */
const char *tandem_ng_session(const struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			      enum tandem_party_id *party)
{
	struct tandem_sessions *ss = calls->sessions;
	const char *early = NULL, *name;
	enum tandem_party_id other;

	if (p->from_tag)
		early = tandem_session_dialog(ss, TANDEM_OWNER_NG, p->call_id, p->from_tag,
					      p->to_tag, party);
	if (has_tag(calls, early, p->to_tag, &other))
		return early;
	if (p->via) {
		name = tandem_session_by_via(ss, TANDEM_OWNER_NG, p->call_id, p->via);
		return has_tag(calls, name, p->from_tag, party) ? name : NULL;
	}
	if (early)
		return early;
	name = tandem_session_first(ss, TANDEM_OWNER_NG, p->call_id);
	return has_tag(calls, name, p->from_tag, party) ? name : NULL;
}

static int choose_described(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			    const char **name, enum tandem_party_id *party)
{
	const struct ip_addr *ip = tandem_ip_is_any(&p->address) ? NULL : &p->address;
	const char *label = *p->label ? p->label : NULL;

	*name = tandem_session_first(calls->sessions, TANDEM_OWNER_NG, p->call_id);
	if (!*name || tandem_session_party_of(calls->sessions, *name, label, ip, party))
		return -ENOENT;
	return 0;
}

int tandem_ng_choose(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
		     struct tandem_ng_chosen *chosen, const char **why)
{
	enum tandem_party_id party = TANDEM_PARTY_A;
	const char *name = NULL;
	int err = 0;

	memset(chosen, 0, sizeof(*chosen));
	if (p->all)
		name = tandem_session_first(calls->sessions, TANDEM_OWNER_NG, p->call_id);
	else if (p->from_tag)
		name = tandem_ng_session(calls, p, &party);
	else if (*p->label || !tandem_ip_is_any(&p->address))
		err = choose_described(calls, p, &name, &party);
	else {
		*why = "No participant party specified";
		return -EINVAL;
	}
	if (err || !name || strlen(name) >= sizeof(chosen->name)) {
		*why = tandem_session_first(calls->sessions, TANDEM_OWNER_NG, p->call_id)
			       ? "No matching participant party"
			       : "Unknown call-id";
		return -ENOENT;
	}
	strcpy(chosen->name, name);
	chosen->party[party] = true;
	chosen->party[!party] = p->all;
	return 0;
}
