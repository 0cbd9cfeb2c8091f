/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/capture/streams.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/classify.h"
#include "userspace/datapath/hash.h"

#define TS_JUMP_S 2

struct tandem_streams {
	const struct tandem_announces *announces;
	struct tandem_hash hash;
	struct tandem_rtp_stream **list;
	size_t count, room;
	uint64_t rtcp, missed;
};

/* Of the hash; without padding. */
struct key {
	struct ip_addr src, dst;
	uint32_t ports;
	uint32_t ssrc;
};

int tandem_streams_alloc(struct tandem_streams **sp, const struct tandem_announces *announces)
{
	struct tandem_streams *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->announces = announces;
	tandem_hash_init(&s->hash, sizeof(struct key));
	*sp = s;
	return 0;
}

void tandem_streams_free(struct tandem_streams *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++) {
		tandem_series_clean(&s->list[i]->series);
		free(s->list[i]);
	}
	free(s->list);
	tandem_hash_clean(&s->hash);
	free(s);
}

size_t tandem_streams_count(const struct tandem_streams *s)
{
	return s->count;
}

struct tandem_rtp_stream *tandem_streams_at(const struct tandem_streams *s, size_t i)
{
	return s->list[i];
}

uint64_t tandem_streams_rtcp(const struct tandem_streams *s)
{
	return s->rtcp;
}

uint64_t tandem_streams_missed(const struct tandem_streams *s)
{
	return s->missed;
}

static enum packet_class class_of(const struct tandem_udp *d)
{
	return classify(d->payload, d->payload + d->len, (__u32)d->len);
}

bool tandem_datagram_is_rtcp(const struct tandem_udp *d)
{
	return class_of(d) == CLASS_RTCP;
}

/* In SRTP the count of padding is encrypted: where it makes no sense, it is taken for that. */
static bool parse(const struct tandem_udp *d, struct rtp_info *rtp)
{
	const uint8_t *end = d->payload + d->len;
	__u32 len = (__u32)d->full_len;

	return class_of(d) == CLASS_RTP &&
	       (rtp_parse(d->payload, end, len, 0, rtp) == REASON_NONE ||
		rtp_parse(d->payload, end, len, 1, rtp) == REASON_NONE);
}

static struct key key_of(const struct tandem_udp *d, uint32_t ssrc)
{
	return (struct key){ d->src.ip, d->dst.ip, (uint32_t)d->src.port << 16 | d->dst.port,
			     ssrc };
}

static int grow(struct tandem_streams *s)
{
	size_t room = s->room ? s->room * 2 : 64;
	struct tandem_rtp_stream **list;

	if (s->count < s->room)
		return 0;
	list = reallocarray(s->list, room, sizeof(*list));
	if (!list)
		return -ENOMEM;
	s->list = list;
	s->room = room;
	return 0;
}

static struct tandem_rtp_stream *add(struct tandem_streams *s, const struct tandem_udp *d,
				     uint32_t ssrc)
{
	const struct key key = key_of(d, ssrc);
	struct tandem_rtp_stream *st;

	if (s->count == TANDEM_STREAMS_MAX || grow(s)) {
		s->missed++;
		return NULL;
	}
	st = calloc(1, sizeof(*st));
	if (!st || tandem_hash_set(&s->hash, &key, (uint32_t)s->count)) {
		free(st);
		s->missed++;
		return NULL;
	}
	st->src = d->src;
	st->dst = d->dst;
	st->ssrc = ssrc;
	st->valid = tandem_announced(s->announces, &d->dst);
	stream_start(&st->s, &st->more, 1, ssrc);
	s->list[s->count++] = st;
	return st;
}

static bool is_speech(const struct tandem_codec_seen *codec)
{
	return strcasecmp(codec->name, "telephone-event") != 0 &&
	       strcasecmp(codec->name, "CN") != 0;
}

static void learn_codec(const struct tandem_streams *s, struct tandem_rtp_stream *st,
			const struct tandem_rtp_packet *p)
{
	uint64_t *word = &st->pts[p->info.pt / 64], bit = 1ULL << p->info.pt % 64;

	if (st->s.packets && p->info.pt == st->s.pt)
		return;
	tandem_announces_codec(s->announces, &st->src, &st->dst, p->info.pt, p->time_ns,
			       &st->codec);
	if (!(*word & bit) && !st->main.name[0] && is_speech(&st->codec))
		st->main = st->codec;
	*word |= bit;
}

/*
 * What the timestamps say has passed, against the clock; not over a restart or another clock.
 * Unsigned, as a file can have timestamps that come to any sum.
 */
static void measure_skew(struct tandem_rtp_stream *st, const struct tandem_rtp_packet *p,
			 uint32_t last_ts)
{
	int64_t ticks = (int32_t)(p->info.ts - last_ts), skew;

	st->media_ns += (uint64_t)(ticks * (int64_t)NS_PER_SEC / st->s.clock_hz);
	skew = (int64_t)(st->media_ns - (p->time_ns - st->first_ns));
	if (fabs((double)skew) > fabs((double)st->skew_max_ns))
		st->skew_max_ns = skew;
}

/*
 * Timestamps that go elsewhere within a sequence, as after another source was patched through, would
 * be jitter of seconds for hundreds of packets. Take up from there as if they had gone on.
 */
static void mend_timestamps(struct tandem_rtp_stream *st, const struct tandem_rtp_packet *p)
{
	int64_t ticks = (int32_t)(p->info.ts - st->s.last_ts), should;

	if (!st->s.clock_hz || !st->s.packets || p->info.seq != (uint16_t)(st->s.max_seq + 1))
		return;
	should = (int64_t)((double)(int64_t)(p->time_ns - st->s.last_ns) / NS_PER_SEC *
			   st->s.clock_hz);
	if (llabs(ticks - should) <= (int64_t)TS_JUMP_S * st->s.clock_hz)
		return;
	st->ts_jumps++;
	st->s.last_ts = p->info.ts - (uint32_t)should;
}

static void measure_time(struct tandem_rtp_stream *st, const struct tandem_rtp_packet *p)
{
	/* Captures may have packets out of order: those that came back in time took none. */
	if (!st->s.packets)
		st->first_ns = st->last_ns = p->time_ns;
	else if (p->time_ns > st->last_ns && p->time_ns - st->last_ns > st->delta_max_ns)
		st->delta_max_ns = p->time_ns - st->last_ns;
	st->last_ns = p->time_ns;
}

static void account(struct tandem_streams *s, struct tandem_rtp_stream *st,
		    const struct tandem_rtp_packet *p)
{
	uint32_t lost = stream_lost(&st->s, &st->more), restarts = st->more.restarts, now_lost;
	struct tandem_step step = { .octets = p->len, .packets = 1 };
	uint32_t clock_hz = st->s.clock_hz, last_ts;
	uint64_t last_ns = st->s.last_ns;
	bool timed;

	learn_codec(s, st, p);
	measure_time(st, p);
	mend_timestamps(st, p);
	last_ts = st->s.last_ts;
	stream_account((struct stream_at){ &st->s, &st->more }, &p->info, st->codec.clock_hz,
		       p->time_ns);
	st->octets += p->len;

	/* stream_account() took a sample of jitter from this packet. */
	timed = clock_hz && st->codec.clock_hz == clock_hz && st->more.restarts == restarts &&
		!st->s.bad && last_ns;
	if (timed) {
		st->jitter_sum_ns += st->s.jitter_ns >> 4;
		st->jitter_count++;
		measure_skew(st, p, last_ts);
		step.jitter_ns = (uint32_t)(st->s.jitter_ns >> 4);
	} else if (!st->s.bad) {
		st->media_ns = p->time_ns - st->first_ns;
	}
	now_lost = stream_lost(&st->s, &st->more);
	step.lost = now_lost > lost ? now_lost - lost : 0;
	/* Without memory a picture lacks a point, and no number is wrong. */
	(void)tandem_series_add(&st->series,
				p->time_ns > st->first_ns ? p->time_ns - st->first_ns : 0, &step);
}

/* A candidate's packet: does it follow the last one? Then both count. */
static bool validate(struct tandem_streams *s, struct tandem_rtp_stream *st,
		     const struct tandem_rtp_packet *p)
{
	if (st->first.len && p->info.seq == (uint16_t)(st->first.info.seq + 1)) {
		st->valid = true;
		account(s, st, &st->first);
		return true;
	}
	st->first = *p;
	return false;
}

struct tandem_rtp_stream *tandem_streams_find(const struct tandem_streams *s,
					      const struct tandem_captured *p, struct rtp_info *rtp)
{
	struct key key;
	uint32_t index;

	if (!parse(&p->d, rtp))
		return NULL;
	key = key_of(&p->d, rtp->ssrc);
	index = tandem_hash_get(&s->hash, &key);
	return index == TANDEM_HASH_NONE ? NULL : s->list[index];
}

struct tandem_rtp_stream *tandem_streams_take(struct tandem_streams *s,
					      const struct tandem_captured *p, struct rtp_info *rtp)
{
	struct tandem_rtp_stream *st;
	struct tandem_rtp_packet packet = { .time_ns = p->time_ns, .len = p->d.full_len };

	if (tandem_datagram_is_rtcp(&p->d)) {
		s->rtcp++;
		return NULL;
	}
	if (!parse(&p->d, rtp))
		return NULL;
	packet.info = *rtp;
	st = tandem_streams_find(s, p, rtp);
	if (!st)
		st = add(s, &p->d, rtp->ssrc);
	if (!st || (!st->valid && !validate(s, st, &packet)))
		return NULL;
	account(s, st, &packet);
	return st;
}
