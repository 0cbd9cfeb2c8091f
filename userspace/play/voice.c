/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <string.h>
#include <time.h>

#include "userspace/play/local.h"
#include "userspace/play/tone.h"

#define RTP_HEADER  12
#define REPORT_NS   5000000000ULL /* RFC 3550 6.2 */
#define LATE_NS	    200000000ULL  /* later than this a packet is not sent any more */
#define EVENT_END   0x80	  /* RFC 4733 2.3: E, over the volume */
#define EVENT_ENDS  3		  /* packets that say so, as they may be lost (2.5.1.4) */
#define NTP_OFFSET  2208988800ULL /* from 1900 to 1970 */
#define MS_IN_FRAME TANDEM_PLAY_FRAME_MS

static void put16(uint8_t *p, uint16_t v)
{
	v = htons(v);
	memcpy(p, &v, sizeof(v));
}

static void put32(uint8_t *p, uint32_t v)
{
	v = htonl(v);
	memcpy(p, &v, sizeof(v));
}

/* By how much the timestamp grows in 20 ms. */
static uint32_t step_of(const struct play_voice *v)
{
	return v->codec != TANDEM_PLAY_NONE ? tandem_encoder_step(v->codec) : v->event_clock / 50;
}

static void emit_rtp(struct play_voice *v, uint8_t pt, bool marker, uint32_t ts,
		     const void *payload, size_t len, play_emit_h *emit, void *arg)
{
	uint8_t packet[PLAY_PACKET];

	packet[0] = 0x80;
	packet[1] = (uint8_t)(pt | (marker ? 0x80 : 0));
	put16(packet + 2, v->seq++);
	put32(packet + 4, ts);
	put32(packet + 8, v->ssrc);
	memcpy(packet + RTP_HEADER, payload, len);
	v->packets++;
	v->octets += (uint32_t)len;
	emit(v, false, packet, RTP_HEADER + len, arg);
}

/* SR without blocks, and SDES with the CNAME that each compound has (RFC 3550 6.1): 11 octets. */
static void emit_report(const struct play_voice *v, play_emit_h *emit, void *arg)
{
	uint8_t p[28 + 8 + 16] = { 0x80, 200, 0, 6 };
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	put32(p + 4, v->ssrc);
	put32(p + 8, (uint32_t)((uint64_t)now.tv_sec + NTP_OFFSET));
	put32(p + 12, (uint32_t)(((uint64_t)now.tv_nsec << 32) / 1000000000ULL));
	put32(p + 16, v->ts);
	put32(p + 20, v->packets);
	put32(p + 24, v->octets);
	memcpy(p + 28, "\x81\xca\x00\x05", 4);
	put32(p + 32, v->ssrc);
	memcpy(p + 36,
	       "\x01\x0c"
	       "announcement",
	       14);
	emit(v, true, p, sizeof(p), arg);
}

void play_voice_hush(struct tandem_play *play, struct play_voice *v)
{
	if (!v->playing)
		return;
	play_clip_put(play, v->clip);
	play_held_put(v->held);
	v->clip = NULL;
	v->held = NULL;
	v->wanted = false;
	v->playing = false;
	play->players--;
}

static void play_frame(struct tandem_play *play, struct play_voice *v, play_emit_h *emit, void *arg)
{
	const struct tandem_clip *clip = v->clip;
	uint32_t from;

	if (v->frame >= clip->frames) {
		play_voice_hush(play, v);
		return;
	}
	from = v->frame ? clip->end[v->frame - 1] : 0;
	emit_rtp(v, v->pt, v->spurt, v->ts, clip->octets + from, clip->end[v->frame] - from, emit,
		 arg);
	v->spurt = false;
	v->last = v->frame++;
	if (v->left != UINT32_MAX)
		v->left--;
	if (v->frame == clip->frames && v->repeats > 1) {
		v->repeats--;
		v->frame = 0;
	}
	if (!v->left || v->frame == clip->frames)
		play_voice_hush(play, v);
}

/* RFC 4733 2.5.1: updates while it lasts, and the end three times. */
static void emit_event(struct play_voice *v, const struct tandem_play_event *e, uint32_t tick,
		       uint32_t lasts, play_emit_h *emit, void *arg)
{
	const uint32_t ms = tick + 1 < lasts ? (tick + 1) * MS_IN_FRAME : e->duration_ms;
	const uint32_t units = (uint32_t)((uint64_t)ms * v->event_clock / 1000);
	uint8_t payload[4] = { e->code, e->volume };

	if (!tick)
		v->event_ts = v->ts;
	if (tick + 1 >= lasts)
		payload[1] |= EVENT_END;
	put16(payload + 2, units < UINT16_MAX ? (uint16_t)units : UINT16_MAX);
	if (tick < lasts - 1 + EVENT_ENDS)
		emit_rtp(v, (uint8_t)v->event_pt, !tick, v->event_ts, payload, sizeof(payload),
			 emit, arg);
}

static void emit_tone(struct play_voice *v, const struct tandem_play_event *e, uint32_t tick,
		      uint32_t lasts, play_emit_h *emit, void *arg)
{
	uint8_t payload[160];

	if (tick >= lasts || !tandem_tone_fits(v->codec))
		return;
	tandem_tone_frame(v->codec, e->code, e->volume, tick, payload);
	emit_rtp(v, v->pt, !tick, v->ts, payload, sizeof(payload), emit, arg);
}

/* A digit, and the pause behind it. */
static void play_event(struct play_voice *v, play_emit_h *emit, void *arg)
{
	const struct tandem_play_event *e = &v->events[v->event_first];
	const uint32_t lasts = (e->duration_ms + MS_IN_FRAME - 1) / MS_IN_FRAME;
	const uint32_t pause = (e->pause_ms + MS_IN_FRAME - 1) / MS_IN_FRAME;
	const uint32_t tick = v->event_tick++;

	if (v->event_pt == PLAY_NO_EVENTS)
		emit_tone(v, e, tick, lasts, emit, arg);
	else
		emit_event(v, e, tick, lasts, emit, arg);
	if (v->event_tick < lasts + pause)
		return;
	v->event_tick = 0;
	v->event_first = (v->event_first + 1) % TANDEM_PLAY_EVENTS;
	v->event_count--;
	v->spurt = true;
}

static void tick(struct tandem_play *play, struct play_voice *v, play_emit_h *emit, void *arg)
{
	if (v->event_count)
		play_event(v, emit, arg);
	else if (v->playing && v->clip)
		play_frame(play, v, emit, arg);
	v->ts += step_of(v);
	v->due_ns += PLAY_FRAME_NS;
	v->active = v->playing || v->event_count;
}

void play_voice_run(struct tandem_play *play, struct play_voice *v, uint64_t now_ns,
		    play_emit_h *emit, void *arg)
{
	while (v->active && v->due_ns + LATE_NS < now_ns) {
		v->ts += step_of(v); /* the host stood still: what is heard does so, too */
		v->due_ns += PLAY_FRAME_NS;
	}
	while (v->active && v->due_ns <= now_ns)
		tick(play, v, emit, arg);
	if (v->packets && now_ns >= v->report_ns) {
		v->report_ns = now_ns + REPORT_NS;
		emit_report(v, emit, arg);
	}
}
