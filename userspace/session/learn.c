/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Learning where a party behind a NAT really sends from. It is bounded in every
 * way: only for a party whose description names another address than its
 * signalling comes from, only in a window after the answer, only from the host
 * that signals (or that the description names), only after two packets of one
 * stream in sequence, and once: then it is locked. Where media is secured with keys that the
 * relay has, both are authentic; the datapath sees to that. The first packet from the
 * address that was signalled settles the matter as well.
 */
#include <errno.h>
#include <string.h>

#include "userspace/session/compile.h"

/* The minimum RTCP interval is 5 s (RFC 3550 6.2): two reports need more than RTP's window. */
#define RTCP_EXTRA_MS 10000
/* Sequence numbers that the second packet may be ahead of the first. */
#define MAX_AHEAD 16

static bool wants(const struct tandem_sessions *ss, const struct tandem_leg *leg,
		  enum tandem_component comp)
{
	const struct tandem_learn *learn = &leg->learn[comp];

	/* media without the right tag proves nothing; DTLS has ICE for that, or an exact address */
	if (learn->locked.port || learn->settled || leg->secure.kind == TANDEM_PROTECT_DTLS)
		return false;
	if (comp == TANDEM_RTCP && !leg->remote[comp].port)
		return false;
	switch (ss->cfg.learn) {
	case TANDEM_LEARN_OFF:
		return false;
	case TANDEM_LEARN_ALWAYS:
		return true;
	case TANDEM_LEARN_NAT:
		return !tandem_ip_is_any(&leg->signalling) &&
		       !tandem_ip_equal(&leg->signalling, &leg->remote[comp].ip);
	}
	return false;
}

uint64_t tandem_learn_window(const struct tandem_sessions *ss, enum tandem_component comp)
{
	return ss->cfg.learn_window_ms + (comp == TANDEM_RTCP ? RTCP_EXTRA_MS : 0);
}

void tandem_learn_start(const struct tandem_sessions *ss, struct tandem_session *s)
{
	uint64_t now = tandem_sessions_now(ss);
	size_t i;
	int p, c;

	s->learning = false;
	for (i = 0; i < s->agreed.n; i++) {
		struct tandem_media *m = &s->agreed.v[i];

		for (p = 0; p < 2; p++) {
			for (c = 0; c < 2 && !s->absent[p]; c++) {
				struct tandem_learn *learn = &m->leg[p].learn[c];

				learn->fresh = !learn->until_ms;
				learn->until_ms = 0;
				learn->candidate = (struct tandem_guess){ 0 };
				if (!m->active || (m->leg[p].mux && c == TANDEM_RTCP) ||
				    !wants(ss, &m->leg[p], c))
					continue;
				learn->until_ms = now + tandem_learn_window(ss, c);
				s->learning = true;
			}
		}
	}
}

/* Those that are accounted come from the same source, also where a command holds them back. */
static uint64_t packets_passed(struct tandem_sessions *ss, uint64_t flow_id)
{
	struct tandem_flow_stats stats;
	uint64_t packets;
	size_t i;

	if (ss->env.read(ss->plane, flow_id, &stats))
		return 0;
	packets = stats.flow.packets;
	for (i = 0; i < stats.stream_count; i++)
		packets += stats.streams[i].packets;
	return packets;
}

void tandem_learn_mark(struct tandem_sessions *ss, struct tandem_session *s)
{
	size_t i;
	int p, c;

	for (i = 0; i < s->agreed.n; i++) {
		for (p = 0; p < 2; p++) {
			for (c = 0; c < 2; c++) {
				struct tandem_learn *learn = &s->agreed.v[i].leg[p].learn[c];

				if (learn->until_ms && learn->fresh)
					learn->before = packets_passed(ss,
								       tandem_flow_id(s, i, p, c));
				learn->fresh = false;
			}
		}
	}
}

/* Packets that pass come from the signalled address, as no other is let through yet. */
static bool has_proven_itself(struct tandem_sessions *ss, const struct tandem_learn *learn,
			      uint64_t flow_id)
{
	return packets_passed(ss, flow_id) > learn->before;
}

/* Close the window if its time has come; true when it is closed now. */
static bool check_window(struct tandem_sessions *ss, const struct tandem_session *s, size_t media,
			 int party, int comp, uint64_t now)
{
	struct tandem_learn *learn = &s->agreed.v[media].leg[party].learn[comp];

	if (has_proven_itself(ss, learn, tandem_flow_id(s, media, party, comp)))
		learn->settled = true;
	else if (now < learn->until_ms)
		return false;
	learn->until_ms = 0;
	return true;
}

void tandem_learn_tick(struct tandem_sessions *ss, struct tandem_session *s)
{
	uint64_t now = tandem_sessions_now(ss);
	bool closed = false;
	size_t i;
	int p, c;

	if (!s->learning)
		return;
	s->learning = false;
	for (i = 0; i < s->agreed.n; i++) {
		for (p = 0; p < 2; p++) {
			for (c = 0; c < 2; c++) {
				if (!s->agreed.v[i].leg[p].learn[c].until_ms)
					continue;
				if (check_window(ss, s, i, p, c, now))
					closed = true;
				else
					s->learning = true;
			}
		}
	}
	if (closed)
		tandem_flows_sync(ss, s);
}

/* What of a packet's first bytes has to match from one to the next. */
struct head {
	bool rtcp;
	uint32_t ssrc;
	uint16_t seq;
};

/* RFC 3550 5.1, 6.4.1; RTCP is told from RTP by its packet type (RFC 5761 4). */
static bool read_head(const struct tandem_unknown_source *src, const struct tandem_leg *leg,
		      struct head *head)
{
	const uint8_t *b = src->head;
	size_t i, at;

	if (src->head_len < 8 || b[0] >> 6 != 2)
		return false;
	head->rtcp = b[1] >= 200 && b[1] <= 207;
	if (!head->rtcp && (src->head_len < 12 || (b[1] >= 192 && b[1] <= 223)))
		return false;
	at = head->rtcp ? 4 : 8;
	head->seq = b[2] << 8 | b[3];
	head->ssrc = (uint32_t)b[at] << 24 | b[at + 1] << 16 | b[at + 2] << 8 | b[at + 3];
	for (i = 0; i < leg->codec_count && !head->rtcp; i++) {
		if (leg->codecs[i].pt == (b[1] & 0x7f))
			return true;
	}
	return head->rtcp;
}

/* True when this packet makes the second of a pair; else it is the first of a new one. */
static bool continues(struct tandem_guess *c, const struct tandem_endpoint *source,
		      const struct head *head)
{
	uint16_t ahead = head->seq - c->seq;
	bool match = c->source.port && tandem_endpoint_equal(&c->source, source) &&
		     c->ssrc == head->ssrc && (head->rtcp || (ahead && ahead <= MAX_AHEAD));

	*c = (struct tandem_guess){ *source, head->ssrc, head->seq };
	return match;
}

/* RTCP of the stream that has just been learned, from the same host, needs no second. */
static bool follows_rtp(const struct tandem_leg *leg, const struct tandem_endpoint *source,
			const struct head *head)
{
	const struct tandem_learn *rtp = &leg->learn[TANDEM_RTP];

	return rtp->locked.port && head->rtcp && rtp->ssrc == head->ssrc &&
	       tandem_ip_equal(&rtp->locked.ip, &source->ip);
}

static bool may_be(const struct tandem_sessions *ss, const struct tandem_leg *leg,
		   enum tandem_component comp, const struct tandem_endpoint *source)
{
	return source->port &&
	       (tandem_ip_equal(&source->ip, &leg->signalling) ||
		tandem_ip_equal(&source->ip, &leg->remote[comp].ip)) &&
	       !tandem_sessions_refused(ss, source);
}

static void lock(struct tandem_sessions *ss, struct tandem_session *s, struct tandem_leg *leg,
		 enum tandem_component comp, const struct tandem_endpoint *source, uint32_t ssrc)
{
	char was[TANDEM_ENDPOINT_STRLEN], is[TANDEM_ENDPOINT_STRLEN];
	struct tandem_learn *learn = &leg->learn[comp];

	tandem_session_log(s, TANDEM_LOG_INFO, "%s comes from %s, not %s: learned",
			   comp == TANDEM_RTP ? "media" : "RTCP",
			   tandem_endpoint_format(source, is, sizeof(is)),
			   tandem_endpoint_format(&leg->remote[comp], was, sizeof(was)));
	learn->locked = *source;
	learn->ssrc = ssrc;
	learn->until_ms = 0;
	tandem_flows_sync(ss, s);
	tandem_session_save(ss, s);
}

/* Only the one that has the keys gets as far as this. */
static void learn_ssrc(struct tandem_sessions *ss, struct tandem_session *s, size_t media,
		       enum tandem_party_id from, const struct tandem_unknown_source *src)
{
	if (!tandem_bundle_learn(&s->agreed, from, media, src->head, src->head_len))
		return;
	tandem_flows_sync(ss, s);
	tandem_session_save(ss, s);
}

void tandem_learn_source(const struct tandem_unknown_source *src, void *arg)
{
	struct tandem_sessions *ss = arg;
	struct tandem_session *s = tandem_sessions_by_number(ss,
							     tandem_flow_id_session(src->flow_id));
	size_t media = tandem_flow_id_media(src->flow_id);
	enum tandem_party_id from = tandem_flow_id_from(src->flow_id);
	enum tandem_component comp = tandem_flow_id_component(src->flow_id);
	struct tandem_learn *learn;
	struct tandem_leg *leg;
	struct head head;

	if (!s || media >= s->agreed.n || !s->agreed.v[media].active ||
	    tandem_flow_id(s, media, from, comp) != src->flow_id)
		return;
	if (src->from_peer) {
		learn_ssrc(ss, s, media, from, src);
		return;
	}
	leg = &s->agreed.v[media].leg[from];
	learn = &leg->learn[comp];
	if (tandem_sessions_now(ss) >= learn->until_ms || !may_be(ss, leg, comp, &src->remote) ||
	    !read_head(src, leg, &head))
		return;
	if (head.rtcp != (comp == TANDEM_RTCP) && !leg->mux)
		return;
	if (!continues(&learn->candidate, &src->remote, &head) &&
	    !follows_rtp(leg, &src->remote, &head))
		return;
	if (has_proven_itself(ss, learn, src->flow_id))
		learn->settled = true;
	else
		lock(ss, s, leg, comp, &src->remote, head.ssrc);
}
