/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands about media of a call: blocked, or silence. */
#include <errno.h>
#include <string.h>

#include "userspace/ng/calls.h"

static const char *given(const char *label)
{
	return *label ? label : NULL;
}

/* -ENOENT: the client names a branch that there is none of. */
static int read_target(const struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
		       struct tandem_act_target *t)
{
	*t = (struct tandem_act_target){
		.call = p->call_id,
		.whole_call = !p->via,
		.owner = TANDEM_OWNER_NG,
		.tag = p->from_tag,
		.label = given(p->label),
		.address = tandem_ip_is_any(&p->address) ? NULL : &p->address,
		.to_tag = p->to_tag,
		.to_label = given(p->to_label),
		.media = -1,
		.all = p->all,
	};
	if (p->via)
		t->call = tandem_session_by_via(calls->sessions, TANDEM_OWNER_NG, p->call_id,
						p->via);
	return t->call ? 0 : -ENOENT;
}

static int act(struct tandem_ng_calls *calls, const struct tandem_ng_params *p, json_t *reply,
	       const char **why, enum tandem_act what, bool off)
{
	struct tandem_act_target target;
	bool partly = false;
	int err;

	if (p->none)
		return json_object_set_new(reply, "warning",
					   json_string("No media but that of offer and answer"))
			       ? -ENOMEM
			       : 0;
	err = read_target(calls, p, &target);
	if (!err)
		err = tandem_session_act(calls->sessions, &target, what, off, &partly);
	if (err)
		*why = err == -ENOENT ? "Unknown call-id or participant" : strerror(-err);
	if (!err && partly &&
	    json_object_set_new(reply, "warning",
				json_string("What has no silence of its codec is blocked")))
		err = -ENOMEM;
	return err;
}

int tandem_ng_block_dtmf(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			 json_t *reply, const char **why)
{
	return act(calls, p, reply, why, TANDEM_ACT_BLOCK_DTMF, false);
}

int tandem_ng_unblock_dtmf(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			   json_t *reply, const char **why)
{
	return act(calls, p, reply, why, TANDEM_ACT_BLOCK_DTMF, true);
}

int tandem_ng_block_media(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			  json_t *reply, const char **why)
{
	return act(calls, p, reply, why, TANDEM_ACT_BLOCK, false);
}

int tandem_ng_unblock_media(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			    json_t *reply, const char **why)
{
	return act(calls, p, reply, why, TANDEM_ACT_BLOCK, true);
}

int tandem_ng_silence_media(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			    json_t *reply, const char **why)
{
	return act(calls, p, reply, why, TANDEM_ACT_SILENCE, false);
}

int tandem_ng_unsilence_media(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			      json_t *reply, const char **why)
{
	return act(calls, p, reply, why, TANDEM_ACT_SILENCE, true);
}

/* Nowhere to is an error, that a client does not take silence for sound. */
static int forwarding(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
		      json_t *reply, const char **why, bool off)
{
	if (!tandem_record_forwards(calls->cfg->record)) {
		*why = "There is nobody to forward to (record.forward)";
		return -ENOSYS;
	}
	return act(calls, p, reply, why, TANDEM_ACT_FORWARD, off);
}

int tandem_ng_start_forwarding(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			       json_t *reply, const char **why)
{
	return forwarding(calls, p, reply, why, false);
}

int tandem_ng_stop_forwarding(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			      json_t *reply, const char **why)
{
	return forwarding(calls, p, reply, why, true);
}

int tandem_ng_label(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
		    const char *name, enum tandem_party_id party)
{
	const char *label = given(*p->set_label ? p->set_label : p->label);

	return label ? tandem_session_label(calls->sessions, name, party, label) : 0;
}

/* What all parties of the call send, of all its branches. */
static int drop_all(struct tandem_ng_calls *calls, const struct tandem_ng_params *p)
{
	const struct tandem_act_target target = {
		.call = p->call_id,
		.whole_call = true,
		.owner = TANDEM_OWNER_NG,
		.media = -1,
	};
	const bool off = p->drop < 0;
	bool partly;
	int err = tandem_session_act(calls->sessions, &target, TANDEM_ACT_BLOCK, off, &partly);

	return err ? err
		   : tandem_session_act(calls->sessions, &target, TANDEM_ACT_BLOCK_DTMF, off,
					&partly);
}

int tandem_ng_flagged_acts(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			   const char *name, enum tandem_party_id party)
{
	const struct tandem_act_target target = { .call = name, .party = &party, .media = -1 };
	bool partly;
	int err = 0;

	if (p->block_media)
		err = tandem_session_act(calls->sessions, &target, TANDEM_ACT_BLOCK, false,
					 &partly);
	if (!err && p->block_dtmf)
		err = tandem_session_act(calls->sessions, &target, TANDEM_ACT_BLOCK_DTMF, false,
					 &partly);
	return err || !p->drop ? err : drop_all(calls, p);
}
