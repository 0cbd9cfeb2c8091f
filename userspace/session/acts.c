/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands about media of a session: who is meant, and what is kept of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/session/compile.h"

#define ALL_ACTS (TANDEM_ACTS_OF_MEDIA | TANDEM_ACT_FORWARD)

uint8_t tandem_acts_of(const struct tandem_session *s, enum tandem_party_id from, size_t media)
{
	const struct tandem_acts *acts = &s->acts;

	return acts->call | acts->party[from] |
	       (media < TANDEM_MEDIA_MAX ? acts->media[from][media] : 0);
}

bool tandem_acts_any(const struct tandem_session *s)
{
	static const struct tandem_acts none;

	return memcmp(&s->acts, &none, sizeof(none)) != 0;
}

void tandem_acts_inherit(const struct tandem_sessions *ss, struct tandem_session *s)
{
	const struct tandem_session *other = tandem_sessions_next_owned(ss, s->owner, s->call_id,
									NULL);

	if (other)
		s->acts.call = other->acts.call;
}

/* ---- stored ---- */

static json_t *dump_list(const uint8_t *acts, size_t n)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < n; i++)
		json_array_append_new(list, json_integer(acts[i]));
	return list;
}

json_t *tandem_acts_dump(const struct tandem_acts *acts)
{
	return json_pack("{s:i, s:o, s:o, s:o}", "call", acts->call, "party",
			 dump_list(acts->party, 2), "a",
			 dump_list(acts->media[TANDEM_PARTY_A], TANDEM_MEDIA_MAX), "b",
			 dump_list(acts->media[TANDEM_PARTY_B], TANDEM_MEDIA_MAX));
}

static int parse_act(uint8_t *act, const json_t *js)
{
	json_int_t value = json_integer_value(js);

	if (value < 0 || value > ALL_ACTS)
		return -EBADMSG;
	*act = (uint8_t)value;
	return 0;
}

static int parse_list(uint8_t *acts, size_t n, const json_t *list)
{
	int err = 0;
	size_t i;

	for (i = 0; i < n && !err; i++)
		err = parse_act(&acts[i], json_array_get(list, i));
	return err;
}

int tandem_acts_parse(struct tandem_acts *acts, const json_t *js)
{
	int err = parse_act(&acts->call, json_object_get(js, "call"));

	if (!err)
		err = parse_list(acts->party, 2, json_object_get(js, "party"));
	if (!err)
		err = parse_list(acts->media[TANDEM_PARTY_A], TANDEM_MEDIA_MAX,
				 json_object_get(js, "a"));
	if (!err)
		err = parse_list(acts->media[TANDEM_PARTY_B], TANDEM_MEDIA_MAX,
				 json_object_get(js, "b"));
	return err;
}

/* ---- who is meant ---- */

static bool has_address(const struct tandem_media_list *list, int party, const struct ip_addr *ip)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (tandem_ip_equal(&list->v[i].leg[party].remote[TANDEM_RTP].ip, ip))
			return true;
	}
	return false;
}

static bool is_called(const char *name, const char *wanted)
{
	return !wanted || (name && !strcmp(name, wanted));
}

static bool names_sender(const struct tandem_act_target *t)
{
	return t->party || t->tag || t->label || t->address;
}

static bool is_meant(const struct tandem_session *s, int party, const struct tandem_act_target *t)
{
	return (!t->party || (int)*t->party == party) && is_called(s->tag[party], t->tag) &&
	       is_called(s->label[party], t->label) &&
	       (!t->address || has_address(&s->agreed, party, t->address) ||
		has_address(&s->pending, party, t->address)) &&
	       is_called(s->tag[!party], t->to_tag) && is_called(s->label[!party], t->to_label);
}

/* ---- what is wanted ---- */

static void set(uint8_t *acts, uint8_t act, bool off)
{
	if (off)
		*acts &= (uint8_t)~act;
	else
		*acts |= act;
}

static void set_party(struct tandem_acts *acts, int party, int media, uint8_t act, bool off)
{
	size_t i;

	if (media >= 0) {
		set(&acts->media[party][media], act, off);
		return;
	}
	set(&acts->party[party], act, off);
	for (i = 0; off && i < TANDEM_MEDIA_MAX; i++)
		set(&acts->media[party][i], act, true);
}

/* Returns whether anybody of the session is meant. */
static bool set_session(struct tandem_session *s, const struct tandem_act_target *t, uint8_t act,
			bool off)
{
	bool alone = !names_sender(t) && t->media < 0 && !t->to_tag && !t->to_label, met = alone;
	int party;

	if (alone)
		set(&s->acts.call, act, off);
	for (party = 0; party < 2; party++) {
		if (!is_meant(s, party, t) || (alone && !(t->all && off)))
			continue;
		set_party(&s->acts, party, t->media, act, off);
		met = true;
	}
	return met;
}

static bool lacks_silence(const struct tandem_session *s)
{
	size_t i;

	for (i = 0; i < 2 * s->agreed.n; i++) {
		const struct tandem_media *m = &s->agreed.v[i / 2];

		if (m->active && tandem_acts_of(s, i % 2, i / 2) & TANDEM_ACT_SILENCE &&
		    !tandem_compile_silences(m, i % 2))
			return true;
	}
	return false;
}

static int take_effect(struct tandem_sessions *ss, struct tandem_session *s)
{
	int err;

	if (!s->answered)
		return 0;
	err = tandem_flows_sync(ss, s);
	tandem_session_save(ss, s);
	return err;
}

int tandem_session_act(struct tandem_sessions *ss, const struct tandem_act_target *t,
		       enum tandem_act act, bool off, bool *partly)
{
	struct tandem_session *s = t->whole_call
					   ? tandem_sessions_next_owned(ss, t->owner, t->call, NULL)
					   : tandem_sessions_by_call(ss, t->call);
	int err = 0, failed;
	bool met = false;

	*partly = false;
	if (t->media >= TANDEM_MEDIA_MAX || (s && t->media >= 0 && (size_t)t->media >= s->agreed.n))
		return -EINVAL;
	while (s) {
		if (set_session(s, t, act, off)) {
			met = true;
			failed = take_effect(ss, s);
			err = err ? err : failed;
			*partly |= !off && act == TANDEM_ACT_SILENCE && lacks_silence(s);
			tandem_session_log(s, TANDEM_LOG_INFO, "media: %s%s by command",
					   act == TANDEM_ACT_BLOCK     ? "blocked"
					   : act == TANDEM_ACT_SILENCE ? "silenced"
					   : act == TANDEM_ACT_FORWARD ? "forwarded"
								       : "DTMF blocked",
					   off ? " no longer" : "");
		}
		s = t->whole_call ? tandem_sessions_next_owned(ss, t->owner, t->call, s) : NULL;
	}
	return met ? err : -ENOENT;
}

int tandem_session_label(struct tandem_sessions *ss, const char *call, enum tandem_party_id party,
			 const char *label)
{
	struct tandem_session *s = tandem_sessions_by_call(ss, call);
	char *copy = s ? strdup(label) : NULL;

	if (!s)
		return -ENOENT;
	if (!copy)
		return -ENOMEM;
	free(s->label[party]);
	s->label[party] = copy;
	if (s->answered)
		tandem_session_save(ss, s);
	return 0;
}
