/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptions that pass: offer and answer, and the end of a call. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/ng/calls.h"
#include "userspace/ng/codecs.h"

const char *tandem_ng_why_text(int err)
{
	switch (err) {
	case -EBADMSG:
		return "Failed to parse SDP";
	case -EPROTO:
		return "SDP does not follow from what was offered, or has not the security that "
		       "is wanted";
	case -ENOSPC:
		return "No ports or sessions left";
	case -EACCES:
		return "SDP has an address in a denied network";
	case -EAFNOSUPPORT:
		return "No address of the family that is needed";
	case -ENOENT:
		return "Unknown call-id";
	case -EINVAL:
		return "Call-id or tags cannot be used";
	case -ENOMEM:
		return "Out of memory";
	default:
		return strerror(-err);
	}
}

static bool has_tag(const struct tandem_ng_calls *calls, const char *name, const char *tag,
		    enum tandem_party_id *party)
{
	return name && tag && !tandem_session_party(calls->sessions, name, tag, party);
}

/* The session's own name ends with it, or is changed by an edit. */
static int keep_name(char name[TANDEM_SESSION_NAME_SIZE], const char *found)
{
	size_t len = strlen(found);

	if (len >= TANDEM_SESSION_NAME_SIZE)
		return -EINVAL;
	memcpy(name, found, len + 1);
	return 0;
}

int tandem_ng_open_session(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			   char name[TANDEM_SESSION_NAME_SIZE])
{
	struct tandem_dialog dialog = {
		.owner = TANDEM_OWNER_NG,
		.call_id = p->call_id,
		.from_tag = p->from_tag,
		.to_tag = p->to_tag,
		.via = p->via,
		.branch = tandem_session_spare(calls->sessions, TANDEM_OWNER_NG, p->call_id),
	};

	tandem_session_name(name, dialog.owner, p->call_id, dialog.branch);
	return tandem_session_open(calls->sessions, &dialog);
}

static const struct tandem_locals *find_interface(const struct tandem_ng_config *cfg,
						  const char *name)
{
	size_t i;

	for (i = 0; name && i < cfg->interfaces_count; i++) {
		if (!strcmp(cfg->interfaces[i].name, name))
			return &cfg->interfaces[i].locals;
	}
	return NULL;
}

void tandem_ng_read_signal(const struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			   struct tandem_signal *sig)
{
	*sig = (struct tandem_signal){
		.source = p->received_from,
		.source_security = TANDEM_SECURITY_AUTO,
		.target_security = p->security,
		.source_locals = find_interface(calls->cfg, p->direction[0]),
		.target_locals = find_interface(calls->cfg, p->direction[1]),
		.target_family = p->family == AF_UNSPEC ? 0 : p->family,
	};
}

bool tandem_ng_knows_interfaces(const struct tandem_ng_calls *calls,
				const struct tandem_ng_params *p)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (p->direction[i] && !find_interface(calls->cfg, p->direction[i]))
			return false;
	}
	return true;
}

int tandem_ng_put_sdp(const struct tandem_ng_params *p, json_t *reply, char *sdp, size_t len)
{
	int err = tandem_ng_edit(&p->edits, &sdp, &len);

	if (!err && json_object_set_new(reply, "sdp", json_stringn_nocheck(sdp, len)))
		err = -ENOMEM;
	free(sdp);
	return err;
}

static int pass_offer(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
		      const char *name, enum tandem_party_id party, json_t *reply)
{
	struct tandem_signal sig;
	char *edited = NULL, *out;
	size_t len = p->sdp_len, out_len;
	int err = tandem_ng_codecs_apply(&p->codecs, p->sdp, p->sdp_len, &edited, &len);

	tandem_ng_read_signal(calls, p, &sig);
	if (!err)
		err = tandem_session_offer(calls->sessions, name, party, &sig,
					   edited ? edited : p->sdp, len, &out, &out_len);
	free(edited);
	return err ? err : tandem_ng_put_sdp(p, reply, out, out_len);
}

int tandem_ng_offer(struct tandem_ng_calls *calls, const struct tandem_ng_params *p, json_t *reply,
		    const char **why)
{
	char name[TANDEM_SESSION_NAME_SIZE];
	enum tandem_party_id party = TANDEM_PARTY_A;
	const char *found = tandem_ng_session(calls, p, &party);
	int err;

	if (!tandem_ng_knows_interfaces(calls, p)) {
		*why = "Unknown interface in direction";
		return -EINVAL;
	}
	if (!found && calls->cfg->draining && *calls->cfg->draining) {
		*why = "The relay takes no new calls";
		return -ENOSPC;
	}
	err = found ? keep_name(name, found) : tandem_ng_open_session(calls, p, name);
	if (!err) {
		err = pass_offer(calls, p, name, party, reply);
		if (!err)
			err = tandem_ng_label(calls, p, name, party);
		if (!err)
			err = tandem_ng_flagged_acts(calls, p, name, party);
		if (err && !found)
			(void)tandem_session_end(calls->sessions, name, "offer refused");
	}
	calls->offered += !err && !found;
	calls->refused += err != 0;
	if (err)
		*why = tandem_ng_why_text(err);
	return err;
}

/* In the answer from_tag is still that of who has offered; the description is of the other. */
int tandem_ng_answer(struct tandem_ng_calls *calls, const struct tandem_ng_params *p, json_t *reply,
		     const char **why)
{
	struct tandem_signal sig = { .source = p->received_from };
	char name[TANDEM_SESSION_NAME_SIZE], *out;
	enum tandem_party_id offerer;
	const char *found = tandem_ng_session(calls, p, &offerer);
	size_t len;
	int err = found ? keep_name(name, found) : -ENOENT;

	if (!err && offerer == TANDEM_PARTY_A) {
		const struct tandem_dialog dialog = {
			.owner = TANDEM_OWNER_NG,
			.call_id = p->call_id,
			.from_tag = p->from_tag,
			.to_tag = p->to_tag,
			.branch = tandem_session_branch(name),
		};

		err = tandem_session_open(calls->sessions, &dialog);
	}
	if (!err)
		err = tandem_session_answer(calls->sessions, name, !offerer, &sig, p->sdp,
					    p->sdp_len, &out, &len);
	if (!err)
		err = tandem_ng_put_sdp(p, reply, out, len);
	if (!err)
		err = tandem_ng_label(calls, p, name, !offerer);
	if (!err)
		err = tandem_ng_flagged_acts(calls, p, name, !offerer);
	/* whether the call was answered for good is not told: from now on media says if it is up */
	if (!err)
		err = tandem_session_confirm(calls->sessions, name);
	if (err)
		*why = tandem_ng_why_text(err);
	return err;
}

static const char *next_to_end(const struct tandem_ng_calls *calls,
			       const struct tandem_ng_params *p, bool first)
{
	enum tandem_party_id party;
	const char *name;

	if (p->via || p->to_tag)
		return first ? tandem_ng_session(calls, p, &party) : NULL;
	name = tandem_session_first(calls->sessions, TANDEM_OWNER_NG, p->call_id);
	if (!name || !p->from_tag || has_tag(calls, name, p->from_tag, &party))
		return name;
	return NULL;
}

int tandem_ng_delete(struct tandem_ng_calls *calls, const struct tandem_ng_params *p, json_t *reply,
		     const char **why)
{
	char name[TANDEM_SESSION_NAME_SIZE];
	const char *found;
	bool first = true;

	(void)why;
	while ((found = next_to_end(calls, p, first)) && !keep_name(name, found)) {
		if (first)
			(void)tandem_ng_describe(calls, name, reply);
		first = false;
		(void)tandem_session_end(calls->sessions, name, "deleted");
	}
	if (first && json_object_set_new(reply, "warning",
					 json_string("Call-ID not found or tags did not match")))
		return -ENOMEM;
	return 0;
}
