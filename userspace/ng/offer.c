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
		.source_ice = p->ice[0],
		.target_ice = p->ice[1],
		.source_dtls_active = p->dtls_active,
		.mux = p->mux,
		.osrtp = p->osrtp_reject   ? TANDEM_OSRTP_REJECT
			 : p->osrtp_accept ? TANDEM_OSRTP_ACCEPT
					   : TANDEM_OSRTP_AS_SAID,
		.no_new_suites = p->suites.no_new,
		.suites = p->offered_suites,
		.preferred = p->suites.preferred,
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

/* What is to be told by what has been told before. */
static int put_told(struct tandem_ng_calls *calls, const struct tandem_ng_edits *edits,
		    const char *name, enum tandem_party_id to, char **sdp, size_t *len)
{
	const char *key = to == TANDEM_PARTY_A ? "to_a" : "to_b";
	json_t *notes, *seen;

	if (!name || (!edits->own_version && !edits->own_origin))
		return 0;
	notes = tandem_session_notes(calls->sessions, name, true);
	seen = json_object_get(notes, key);
	if (!seen) {
		seen = json_object();
		if (json_object_set_new(notes, key, seen))
			return -ENOMEM;
	}
	return tandem_ng_origin(edits, seen, sdp, len);
}

int tandem_ng_put_sdp(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
		      const struct tandem_ng_receiver *to, json_t *reply, char *sdp, size_t len)
{
	struct tandem_ng_edits edits = p->edits;
	int err;

	edits.ptime = to->ptime;
	edits.instance = p->loop_protect ? calls->instance : NULL;
	err = tandem_ng_edit(&edits, &sdp, &len);
	if (!err)
		err = put_told(calls, &edits, to->name, to->party, &sdp, &len);
	if (!err && json_object_set_new(reply, "sdp", json_stringn_nocheck(sdp, len)))
		err = -ENOMEM;
	free(sdp);
	return err;
}

/* For the answer, which does not say it. */
static int note_ptime(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
		      const char *name)
{
	json_t *notes = tandem_session_notes(calls->sessions, name, p->ptime_reverse != 0);

	if (!p->ptime_reverse)
		json_object_del(notes, "ptime");
	if (!p->ptime_reverse)
		return 0;
	return json_object_set_new(notes, "ptime", json_integer(p->ptime_reverse)) ? -ENOMEM : 0;
}

static unsigned int noted_ptime(struct tandem_ng_calls *calls, const char *name)
{
	const json_t *notes = tandem_session_notes(calls->sessions, name, false);
	json_int_t ptime = json_integer_value(json_object_get(notes, "ptime"));

	return ptime > 0 && ptime <= UINT16_MAX ? (unsigned int)ptime : 0;
}

/* It has been here before: nothing of it is to be done again. */
static bool is_looped(const struct tandem_ng_calls *calls, const struct tandem_ng_params *p)
{
	return p->loop_protect && tandem_ng_is_own(calls->instance, p->sdp, p->sdp_len);
}

static int put_looped(const struct tandem_ng_params *p, json_t *reply)
{
	return json_object_set_new(reply, "sdp", json_stringn_nocheck(p->sdp, p->sdp_len)) ? -ENOMEM
											   : 0;
}

static int pass_offer(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
		      const char *name, enum tandem_party_id party, json_t *reply)
{
	const struct tandem_ng_receiver to = { name, !party, p->edits.ptime };
	struct tandem_ng_codecs codecs = p->codecs;
	struct tandem_signal sig;
	char *edited = NULL, *out;
	size_t len = p->sdp_len, out_len;
	int err;

	codecs.first = false; /* of answers */
	err = tandem_ng_codecs_apply(&codecs, p->sdp, p->sdp_len, &edited, &len);
	tandem_ng_read_signal(calls, p, &sig);
	if (!err)
		err = tandem_session_offer(calls->sessions, name, party, &sig,
					   edited ? edited : p->sdp, len, &out, &out_len);
	free(edited);
	if (!err)
		err = tandem_ng_put_sdp(calls, p, &to, reply, out, out_len);
	return err ? err : note_ptime(calls, p, name);
}

/* What else a description is about; in an offer a mark is undone that it does not repeat. */
static int follow_up(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
		     const char *name, enum tandem_party_id party, bool offer, json_t *reply)
{
	int err = tandem_ng_label(calls, p, name, party);
	const char *unrecorded = err ? NULL : tandem_ng_record(calls, p, name);

	if (unrecorded)
		err = json_object_set_new(reply, "warning", json_string(unrecorded)) ? -ENOMEM : 0;

	if (!err)
		err = tandem_ng_flagged_acts(calls, p, name, party);
	if (!err && p->tos >= 0)
		err = tandem_session_mark(calls->sessions, name, p->tos >> 2);
	else if (!err && p->tos == TANDEM_NG_TOS_USUAL && offer)
		err = tandem_session_mark(calls->sessions, name, -1);
	return err;
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
	if (is_looped(calls, p))
		return put_looped(p, reply);
	if (!found && calls->cfg->draining && *calls->cfg->draining) {
		*why = "The relay takes no new calls";
		return -ENOSPC;
	}
	err = found ? keep_name(name, found) : tandem_ng_open_session(calls, p, name);
	if (!err) {
		err = pass_offer(calls, p, name, party, reply);
		if (!err)
			err = follow_up(calls, p, name, party, true, reply);
		if (err && !found)
			(void)tandem_session_end(calls->sessions, name, "offer refused");
	}
	calls->offered += !err && !found;
	calls->refused += err != 0;
	if (err)
		*why = tandem_ng_why_text(err);
	return err;
}

static int pass_answer(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
		       const char *name, enum tandem_party_id party, json_t *reply)
{
	const struct tandem_ng_receiver to = { name, !party, noted_ptime(calls, name) };
	const struct tandem_ng_codecs codecs = { .first = p->codecs.first };
	struct tandem_signal sig = { .source = p->received_from };
	char *edited = NULL, *out;
	size_t len = p->sdp_len, out_len;
	int err = tandem_ng_codecs_apply(&codecs, p->sdp, p->sdp_len, &edited, &len);

	if (!err)
		err = tandem_session_answer(calls->sessions, name, party, &sig,
					    edited ? edited : p->sdp, len, &out, &out_len);
	free(edited);
	return err ? err : tandem_ng_put_sdp(calls, p, &to, reply, out, out_len);
}

/* In the answer from_tag is still that of who has offered; the description is of the other. */
int tandem_ng_answer(struct tandem_ng_calls *calls, const struct tandem_ng_params *p, json_t *reply,
		     const char **why)
{
	char name[TANDEM_SESSION_NAME_SIZE];
	enum tandem_party_id offerer;
	const char *found = tandem_ng_session(calls, p, &offerer);
	int err = found ? keep_name(name, found) : -ENOENT;

	if (is_looped(calls, p))
		return put_looped(p, reply);
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
		err = pass_answer(calls, p, name, !offerer, reply);
	if (!err)
		err = follow_up(calls, p, name, !offerer, false, reply);
	/* whether the call was answered for good is not told: from now on media says if it is up */
	if (!err)
		err = tandem_session_confirm(calls->sessions, name);
	if (err)
		*why = tandem_ng_why_text(err);
	return err;
}

/* before: the one of the call that has been seen to; NULL: none yet. */
static const char *next_to_end(const struct tandem_ng_calls *calls,
			       const struct tandem_ng_params *p, const char *before)
{
	struct tandem_sessions *ss = calls->sessions;
	enum tandem_party_id party;
	const char *name;

	if (p->via || p->to_tag)
		return before ? NULL : tandem_ng_session(calls, p, &party);
	name = before ? tandem_session_next(ss, TANDEM_OWNER_NG, p->call_id, before)
		      : tandem_session_first(ss, TANDEM_OWNER_NG, p->call_id);
	while (name && p->from_tag && !has_tag(calls, name, p->from_tag, &party))
		name = tandem_session_next(ss, TANDEM_OWNER_NG, p->call_id, name);
	return name;
}

int tandem_ng_delete(struct tandem_ng_calls *calls, const struct tandem_ng_params *p, json_t *reply,
		     const char **why)
{
	const uint32_t delay = p->delete_delay_s < 0 ? calls->cfg->delete_delay_s
						     : (uint32_t)p->delete_delay_s;
	static const char unknown[] = "Call-ID not found or tags did not match";
	char name[TANDEM_SESSION_NAME_SIZE];
	const char *found = next_to_end(calls, p, NULL);
	bool first = true;

	for (; found && !keep_name(name, found); found = next_to_end(calls, p, name)) {
		if (first)
			(void)tandem_ng_describe(calls, name, reply);
		first = false;
		if (delay)
			(void)tandem_session_end_later(calls->sessions, name, delay, "deleted");
		else
			(void)tandem_session_end(calls->sessions, name, "deleted");
	}
	if (first && p->fatal) {
		*why = unknown;
		return -ENOENT;
	}
	return first && json_object_set_new(reply, "warning", json_string(unknown)) ? -ENOMEM : 0;
}
