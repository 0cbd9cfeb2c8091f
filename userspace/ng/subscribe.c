/* SPDX-License-Identifier: GPL-2.0-only */
/* Media of one party for many: publish, subscribe. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "userspace/ng/calls.h"
#include "userspace/session/traffic.h"

#define TAG_OCTETS 12

int tandem_ng_publish(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
		      json_t *reply, const char **why)
{
	char name[TANDEM_SESSION_NAME_SIZE], *out;
	const struct tandem_ng_receiver to = { name, TANDEM_PARTY_A, 0 };
	struct tandem_signal sig;
	enum tandem_party_id party;
	const char *found = tandem_ng_session(calls, p, &party);
	size_t len;
	int err = 0;

	if (!found && calls->cfg->draining && *calls->cfg->draining) {
		*why = "The relay takes no new calls";
		return -ENOSPC;
	}
	tandem_ng_read_signal(calls, p, &sig);
	if (found)
		snprintf(name, sizeof(name), "%s", found);
	else
		err = tandem_ng_open_session(calls, p, name);
	if (!err) {
		err = tandem_session_publish(calls->sessions, name, &sig, p->sdp, p->sdp_len, &out,
					     &len);
		if (!err)
			err = tandem_ng_put_sdp(calls, p, &to, reply, out, len);
		if (!err)
			err = tandem_ng_label(calls, p, name, TANDEM_PARTY_A);
		if (err && !found)
			(void)tandem_session_end(calls->sessions, name, "publication refused");
	}
	calls->offered += !err && !found;
	calls->refused += err != 0;
	if (err)
		*why = err == -EINVAL ? "Call-id or tags are those of a call"
				      : tandem_ng_why_text(err);
	return err;
}

/* "from-tags": further parties of the same session. */
static int choose_more(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
		       struct tandem_ng_chosen *chosen, const char **why)
{
	const json_t *tags = json_object_get(p->dict, "from-tags");
	struct tandem_ng_params one = *p;
	enum tandem_party_id party;
	size_t i;
	int err;

	if (!json_array_size(tags) || p->all)
		return tandem_ng_choose(calls, p, chosen, why);
	if (!one.from_tag)
		one.from_tag = json_string_value(json_array_get(tags, 0));
	err = tandem_ng_choose(calls, &one, chosen, why);
	for (i = 0; i < json_array_size(tags) && !err; i++) {
		err = tandem_session_party(calls->sessions, chosen->name,
					   json_string_value(json_array_get(tags, i)), &party);
		if (err)
			*why = "No matching participant party";
		else
			chosen->party[party] = true;
	}
	return err;
}

/* The client's, or one that nobody can guess. */
static int choose_tag(const struct tandem_ng_params *p, char tag[2 * TAG_OCTETS + 1],
		      const char **tagp)
{
	uint8_t octets[TAG_OCTETS];
	size_t i;

	*tagp = p->to_tag;
	if (p->to_tag)
		return 0;
	if (getrandom(octets, sizeof(octets), 0) != sizeof(octets))
		return -EIO;
	for (i = 0; i < sizeof(octets); i++)
		snprintf(tag + 2 * i, 3, "%02x", octets[i]);
	*tagp = tag;
	return 0;
}

static json_t *media_of(const struct tandem_traffic *t)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < t->media_count; i++)
		json_array_append_new(list, json_pack("{s:I, s:s}", "index", (json_int_t)i + 1,
						      "type", t->media_type[i]));
	return list;
}

/* Whose media it is. "from-tag" for those who expect one. */
static int put_sources(const struct tandem_ng_calls *calls, const struct tandem_ng_chosen *chosen,
		       json_t *reply)
{
	json_t *tags = json_array(), *medias = json_array(), *tag = NULL;
	struct tandem_traffic t;
	int p, err = tandem_session_traffic(calls->sessions, chosen->name, &t);

	for (p = TANDEM_PARTY_A; p <= TANDEM_PARTY_B && !err; p++) {
		if (!chosen->party[p] || !t.tag[p])
			continue;
		tag = json_string(t.tag[p]);
		json_array_append(tags, tag);
		json_array_append_new(medias,
				      json_pack("{s:O, s:o}", "tag", tag, "medias", media_of(&t)));
		if (json_array_size(tags) == 1 && json_object_set(reply, "from-tag", tag))
			err = -ENOMEM;
		json_decref(tag);
	}
	if (json_array_size(tags) > 1)
		json_object_del(reply, "from-tag");
	if (!err)
		tandem_traffic_clean(&t);
	return err | json_object_set_new(reply, "from-tags", tags) |
			       json_object_set_new(reply, "tag-medias", medias)
		       ? -ENOMEM
		       : 0;
}

static const char *why_not(int err)
{
	switch (err) {
	case -EAGAIN:
		return "Offer and answer are not complete";
	case -ENODATA:
		return "What the party has described is not known since a restart";
	case -EEXIST:
		return "To-tag is in use";
	case -EINVAL:
		return "No such participant party to subscribe to";
	default:
		return tandem_ng_why_text(err);
	}
}

int tandem_ng_subscribe_request(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
				json_t *reply, const char **why)
{
	const struct tandem_ng_receiver to = { NULL, TANDEM_PARTY_B, p->edits.ptime };
	char made[2 * TAG_OCTETS + 1], *out;
	struct tandem_ng_chosen chosen;
	struct tandem_signal sig;
	const char *tag;
	unsigned int parties;
	size_t len;
	int err = choose_more(calls, p, &chosen, why);

	if (err)
		return err;
	if (!tandem_ng_knows_interfaces(calls, p)) {
		*why = "Unknown interface in direction";
		return -EINVAL;
	}
	tandem_ng_read_signal(calls, p, &sig);
	sig.source_security = TANDEM_SECURITY_PLAIN;
	if (sig.target_security == TANDEM_SECURITY_AUTO)
		sig.target_security = TANDEM_SECURITY_PLAIN;
	parties = chosen.party[TANDEM_PARTY_A] | chosen.party[TANDEM_PARTY_B] << 1;
	err = choose_tag(p, made, &tag);
	if (!err)
		err = tandem_session_subscribe(calls->sessions, chosen.name, tag, parties, &sig,
					       &out, &len);
	if (!err)
		err = tandem_ng_put_sdp(calls, p, &to, reply, out, len);
	if (!err)
		err = json_object_set_new(reply, "to-tag", json_string(tag)) ? -ENOMEM : 0;
	if (!err)
		err = put_sources(calls, &chosen, reply);
	if (err)
		*why = why_not(err);
	return err;
}

int tandem_ng_subscribe_answer(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			       json_t *reply, const char **why)
{
	const struct tandem_signal sig = { .source = p->received_from };
	int err = tandem_session_subscribed(calls->sessions, TANDEM_OWNER_NG, p->call_id, p->to_tag,
					    &sig, p->sdp, p->sdp_len);

	(void)reply;
	if (err)
		*why = err == -ENOENT ? "No such subscription" : tandem_ng_why_text(err);
	return err;
}

int tandem_ng_unsubscribe(struct tandem_ng_calls *calls, const struct tandem_ng_params *p,
			  json_t *reply, const char **why)
{
	int err = tandem_session_unsubscribe(calls->sessions, TANDEM_OWNER_NG, p->call_id,
					     p->to_tag);

	(void)reply;
	if (err)
		*why = "No such subscription";
	return err;
}
