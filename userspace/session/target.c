/* SPDX-License-Identifier: GPL-2.0-only */
/* What the relay itself may send to a party: where the flow to it is, and which codecs it takes. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "userspace/session/compile.h"

int tandem_session_number(const struct tandem_sessions *ss, const char *call, uint64_t *number)
{
	const struct tandem_session *s = tandem_sessions_by_call(ss, call);

	if (!s)
		return -ENOENT;
	*number = s->number;
	return 0;
}

/* What the other party sends has the payload types that this one wants (RFC 3264 5.1). */
static void take_codecs(const struct tandem_leg *other, struct tandem_audio_target *target)
{
	size_t i;

	for (i = 0; i < other->codec_count && i < TANDEM_TARGET_CODECS; i++) {
		struct tandem_audio_codec *c = &target->codecs[target->codec_count++];

		c->pt = other->codecs[i].pt;
		c->clock_hz = other->codecs[i].clock_hz;
		memcpy(c->name, other->codecs[i].name, sizeof(c->name));
	}
}

static void set_local(const struct tandem_sessions *ss, const struct tandem_leg *leg,
		      enum tandem_component comp, struct tandem_endpoint *local)
{
	local->ip = ss->cfg.locals[leg->local].ip;
	local->port = (uint16_t)(leg->port + comp);
}

int tandem_session_target(const struct tandem_sessions *ss, uint64_t number,
			  enum tandem_party_id hearer, struct tandem_audio_target *target)
{
	const struct tandem_session *s = tandem_sessions_by_number(ss, number);
	const struct tandem_leg *to, *from;
	const struct tandem_media *m;
	size_t i = 0;

	memset(target, 0, sizeof(*target));
	if (!s)
		return -ENOENT;
	while (i < s->agreed.n && !(s->agreed.v[i].active && !strcmp(s->agreed.v[i].type, "audio")))
		i++;
	if (i == s->agreed.n)
		return -ENOTCONN;
	m = &s->agreed.v[i];
	if (m->srtp)
		return -EOPNOTSUPP;
	to = tandem_leg_transport(&s->agreed, i, hearer);
	from = tandem_leg_transport(&s->agreed, i, !hearer);
	if (to->local == TANDEM_LOCAL_NONE || from->local == TANDEM_LOCAL_NONE)
		return -ENOTCONN;
	target->flow_id[TANDEM_RTP] = tandem_flow_id(s, m->leg[!hearer].transport, !hearer,
						     TANDEM_RTP);
	target->flow_id[TANDEM_RTCP] = from->mux ? target->flow_id[TANDEM_RTP]
						 : tandem_flow_id(s, m->leg[!hearer].transport,
								  !hearer, TANDEM_RTCP);
	set_local(ss, to, TANDEM_RTP, &target->local[TANDEM_RTP]);
	set_local(ss, to, to->mux ? TANDEM_RTP : TANDEM_RTCP, &target->local[TANDEM_RTCP]);
	take_codecs(&m->leg[!hearer], target);
	return 0;
}

static bool is_at(const struct tandem_session *s, int party, const struct ip_addr *ip)
{
	size_t i;

	for (i = 0; i < s->agreed.n; i++) {
		const struct tandem_endpoint *remote =
			&s->agreed.v[i].leg[party].remote[TANDEM_RTP];

		if (remote->port && tandem_ip_equal(&remote->ip, ip))
			return true;
	}
	return false;
}

int tandem_session_party_of(const struct tandem_sessions *ss, const char *call, const char *label,
			    const struct ip_addr *ip, enum tandem_party_id *party)
{
	const struct tandem_session *s = tandem_sessions_by_call(ss, call);
	int p;

	for (p = TANDEM_PARTY_A; s && p <= TANDEM_PARTY_B; p++) {
		if (label && !(s->label[p] && !strcmp(s->label[p], label)))
			continue;
		if (ip && !is_at(s, p, ip))
			continue;
		*party = (enum tandem_party_id)p;
		return 0;
	}
	return -ENOENT;
}

void tandem_sessions_on_change(struct tandem_sessions *ss, tandem_session_changed_h *h, void *arg)
{
	ss->changed_h = h;
	ss->changed_arg = arg;
}
