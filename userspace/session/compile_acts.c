/* SPDX-License-Identifier: GPL-2.0-only */
/* What commands want of media, as the packet path has it: by payload type. */
#include <string.h>
#include <strings.h>

#include "userspace/session/compile.h"

bool tandem_compile_is_event(const struct tandem_codec *c)
{
	return !strcasecmp(c->name, "telephone-event");
}

/* The silence of a codec; ACT_BLOCK where there is none of the same length. */
static uint8_t silence_of(const struct tandem_codec *c)
{
	static const struct {
		const char *name;
		uint8_t act;
	} codecs[] = {
		{ "PCMU", ACT_ULAW }, { "PCMA", ACT_ALAW }, { "L16", ACT_LINEAR },
		{ "G722", ACT_G722 }, { "CN", ACT_CN },	    { "opus", ACT_OPUS },
		{ "G729", ACT_G729 },
	};
	size_t i;

	for (i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
		if (!strcasecmp(codecs[i].name, c->name))
			return codecs[i].act;
	}
	return ACT_BLOCK;
}

bool tandem_compile_silences(const struct tandem_media *m, enum tandem_party_id from)
{
	const struct tandem_leg *leg = &m->leg[from];
	size_t i;

	for (i = 0; i < leg->codec_count; i++) {
		if (!tandem_compile_is_event(&leg->codecs[i]) &&
		    silence_of(&leg->codecs[i]) == ACT_BLOCK)
			return false;
	}
	return !m->srtp;
}

static uint8_t act_of(const struct tandem_media *m, const struct tandem_codec *c, uint8_t wanted)
{
	if (tandem_compile_is_event(c))
		return wanted & TANDEM_ACT_BLOCK_DTMF ? ACT_BLOCK : ACT_PASS;
	if (wanted & TANDEM_ACT_BLOCK)
		return ACT_BLOCK;
	if (!(wanted & TANDEM_ACT_SILENCE))
		return ACT_PASS;
	return m->srtp ? ACT_BLOCK : silence_of(c);
}

static uint8_t find_act(const struct tandem_session *s, enum tandem_party_id from,
			const size_t *media, size_t n, uint8_t pt, uint8_t wanted, uint8_t rest)
{
	size_t i, k;

	for (i = 0; i < n; i++) {
		const struct tandem_media *m = &s->agreed.v[media[i]];

		for (k = 0; k < m->leg[from].codec_count; k++) {
			if (m->leg[from].codecs[k].pt == pt)
				return act_of(m, &m->leg[from].codecs[k], wanted);
		}
	}
	return rest;
}

void tandem_compile_acts(const struct tandem_session *s, enum tandem_party_id from,
			 const size_t *media, size_t n, const struct pt_list *pts,
			 struct tandem_egress *egress)
{
	const uint8_t wanted = tandem_acts_of(s, from, media[0]) & TANDEM_ACTS_OF_MEDIA;
	const uint8_t rest = wanted & (TANDEM_ACT_BLOCK | TANDEM_ACT_SILENCE) ? ACT_BLOCK
									      : ACT_PASS;
	uint32_t i, act;

	if (!wanted || !(egress->flags & EGRESS_F_ACTIVE))
		return;
	egress->flags |= EGRESS_F_ACTS;
	egress->act_rest = rest;
	for (i = 0; i < TANDEM_MAX_PTS && pts->clock_hz[i]; i++) {
		act = find_act(s, from, media, n, pts->pt[i], wanted, rest);
		egress->acts |= act << 4 * i;
	}
}
