/* SPDX-License-Identifier: GPL-2.0-only */
/* The packets of one voice, with a clock of the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/play/local.h"

#define START  1000000000ULL
#define FRAMES 5U
#define MOST   512

struct sent {
	uint8_t packet[PLAY_PACKET];
	size_t len;
	bool rtcp;
};

struct fixture {
	struct tandem_play play;
	struct play_voice voice;
	uint64_t now;
	struct sent sent[MOST];
	size_t count; /* of RTP, in `sent` */
	size_t reports;
	struct sent report;
};

static void take(const struct play_voice *v, bool rtcp, const void *packet, size_t len, void *arg)
{
	struct fixture *f = arg;
	struct sent *s = rtcp ? &f->report : &f->sent[f->count];

	(void)v;
	assert_in_range(f->count, 0, MOST - 1);
	assert_in_range(len, 1, sizeof(s->packet));
	memcpy(s->packet, packet, len);
	s->len = len;
	s->rtcp = rtcp;
	f->count += !rtcp;
	f->reports += rtcp;
}

static uint32_t word(const struct sent *s, size_t at)
{
	uint32_t v;

	memcpy(&v, s->packet + at, sizeof(v));
	return ntohl(v);
}

static uint16_t half(const struct sent *s, size_t at)
{
	return (uint16_t)(s->packet[at] << 8 | s->packet[at + 1]);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct play_voice *v = &f->voice;

	f->now = START;
	v->codec = TANDEM_PLAY_PCMA;
	v->pt = 8;
	v->event_pt = 101;
	v->event_clock = 8000;
	v->ssrc = 0x11223344;
	v->seq = 65534;
	v->ts = 0xfffffff0;
	v->due_ns = START;
	v->report_ns = START + 1000000000ULL;
	v->active = true;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	play_voice_hush(&f->play, &f->voice);
	play_clips_clean(&f->play);
	assert_int_equal(f->play.clips_octets, 0);
	assert_int_equal(f->play.players, 0);
	free(f);
	return 0;
}

/* Frames that each have their own number in all octets. */
static void begin(struct fixture *f, uint32_t repeats, uint32_t left)
{
	struct tandem_clip *clip = calloc(1, sizeof(*clip));

	clip->codec = TANDEM_PLAY_PCMA;
	clip->frames = FRAMES;
	clip->refs = 1;
	clip->end = calloc(FRAMES, sizeof(*clip->end));
	clip->octets = malloc(160 * FRAMES);
	for (uint32_t i = 0; i < FRAMES; i++) {
		clip->end[i] = 160 * (i + 1);
		memset(clip->octets + 160 * i, (int)i, 160);
	}
	f->play.clips_octets += tandem_clip_size(clip);
	f->play.players++;
	f->voice.playing = true;
	f->voice.spurt = true;
	f->voice.clip = clip;
	f->voice.repeats = repeats;
	f->voice.left = left;
	f->voice.last = -1;
}

static void run(struct fixture *f, uint64_t ms)
{
	for (uint64_t i = 0; i < ms; i += 5, f->now += 5000000)
		play_voice_run(&f->play, &f->voice, f->now, take, f);
}

static void audio(void **state)
{
	struct fixture *f = *state;

	begin(f, 2, UINT32_MAX);
	run(f, 1000);
	assert_int_equal(f->count, 2 * FRAMES);
	assert_false(f->voice.active);
	for (uint32_t i = 0; i < f->count; i++) {
		const struct sent *s = &f->sent[i];

		assert_int_equal(s->len, 172);
		assert_int_equal(s->packet[0], 0x80);
		assert_int_equal(s->packet[1], i ? 8 : 0x88);
		assert_int_equal(half(s, 2), (uint16_t)(65534 + i));
		assert_int_equal(word(s, 4), 0xfffffff0 + 160 * i);
		assert_int_equal(word(s, 8), 0x11223344);
		assert_int_equal(s->packet[12], i % FRAMES);
	}
	assert_int_equal(f->voice.last, FRAMES - 1);
}

static void in_part(void **state)
{
	struct fixture *f = *state;

	begin(f, 100, 3);
	f->voice.frame = 3;
	run(f, 300);
	assert_int_equal(f->count, 3);
	assert_int_equal(f->sent[0].packet[12], 3);
	assert_int_equal(f->sent[2].packet[12], 0);
	assert_int_equal(f->voice.last, 0);
}

/* A host that stood still: nothing comes in a burst, and the time of the audio shows it. */
static void late(void **state)
{
	struct fixture *f = *state;

	begin(f, 100, UINT32_MAX);
	run(f, 20);
	assert_int_equal(f->count, 1);
	f->now += 3000000000ULL;
	run(f, 5);
	assert_in_range(f->count, 2, 12);
	assert_int_equal((word(&f->sent[1], 4) - word(&f->sent[0], 4)) % 160, 0);
	assert_in_range(word(&f->sent[1], 4) - word(&f->sent[0], 4), 2700 * 8, 3020 * 8);
	assert_int_equal(f->sent[1].packet[12], 1);
	assert_int_equal(half(&f->sent[1], 2), 65535);
}

static void digits(void **state)
{
	struct fixture *f = *state;
	struct play_voice *v = &f->voice;
	const struct sent *s = f->sent;

	begin(f, 1, UINT32_MAX);
	v->events[0] = (struct tandem_play_event){ 5, 10, 110, 100 };
	v->events[1] = (struct tandem_play_event){ 11, 63, 100, 100 };
	v->event_count = 2;
	run(f, 2000);
	/* 6 and 5 of the digits, two more ends of each, and then the audio that has waited */
	assert_int_equal(f->count, 8 + 7 + FRAMES);
	for (uint32_t i = 0; i < 8; i++) {
		assert_int_equal(s[i].len, 16);
		assert_int_equal(s[i].packet[1], i ? 101 : 101 | 0x80);
		assert_int_equal(word(&s[i], 4), 0xfffffff0);
		assert_int_equal(s[i].packet[12], 5);
		assert_int_equal(s[i].packet[13], i < 5 ? 10 : 10 | 0x80);
		assert_int_equal(half(&s[i], 14), i < 5 ? 160 * (i + 1) : 880);
	}
	assert_int_equal(s[8].packet[12], 11);
	assert_int_equal(s[8].packet[1], 101 | 0x80);
	assert_int_equal(word(&s[8], 4), (uint32_t)(0xfffffff0 + 11 * 160));
	assert_int_equal(s[15].packet[1], 8 | 0x80);
	assert_int_equal(s[15].packet[12], 0);
}

/* The part of the power of 20 ms of A-law that is at hz. */
static double share(const struct sent *s, double hz)
{
	double re = 0, im = 0, all = 0;

	for (int i = 0; i < 160; i++) {
		const int code = s->packet[12 + i] ^ 0x55, segment = code >> 4 & 7;
		const int step = (code & 15) * 2 + 1 + (segment ? 32 : 0);
		const double v = (code & 0x80 ? 1 : -1) *
				 (segment > 1 ? step << (segment + 2) : step << 3);

		re += v * cos(2 * M_PI * hz * i / 8000);
		im += v * sin(2 * M_PI * hz * i / 8000);
		all += v * v;
	}
	return 2 * (re * re + im * im) / 160 / all;
}

static void tones(void **state)
{
	struct fixture *f = *state;
	struct play_voice *v = &f->voice;

	v->event_pt = PLAY_NO_EVENTS;
	v->events[0] = (struct tandem_play_event){ 5, 10, 100, 100 };
	v->events[1] = (struct tandem_play_event){ 12, 0, 100, 100 };
	v->event_count = 2;
	run(f, 2000);
	assert_int_equal(f->count, 10);
	for (uint32_t i = 0; i < 10; i++) {
		assert_int_equal(f->sent[i].len, 172);
		assert_int_equal(f->sent[i].packet[1], i % 5 ? 8 : 8 | 0x80);
		assert_int_equal(word(&f->sent[i], 4),
				 (uint32_t)(0xfffffff0 + (i % 5 + i / 5 * 10) * 160));
		assert_true(share(&f->sent[i], i < 5 ? 770 : 697) > 0.35);
		assert_true(share(&f->sent[i], i < 5 ? 1336 : 1633) > 0.35);
	}
}

static void report(void **state)
{
	struct fixture *f = *state;

	begin(f, 1000, UINT32_MAX);
	run(f, 900);
	assert_int_equal(f->reports, 0);
	run(f, 200);
	assert_int_equal(f->reports, 1);
	assert_int_equal(f->report.len, 52);
	assert_int_equal(word(&f->report, 0), 0x80c80006);
	assert_int_equal(word(&f->report, 4), 0x11223344);
	assert_in_range(word(&f->report, 20), 48, 52);
	assert_int_equal(word(&f->report, 24), 160 * word(&f->report, 20));
	assert_int_equal(word(&f->report, 28), 0x81ca0005);
	assert_memory_equal(f->report.packet + 38, "announcement", 12);
	run(f, 4700);
	assert_int_equal(f->reports, 1);
	run(f, 500);
	assert_int_equal(f->reports, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(audio, setup, teardown),
		cmocka_unit_test_setup_teardown(in_part, setup, teardown),
		cmocka_unit_test_setup_teardown(late, setup, teardown),
		cmocka_unit_test_setup_teardown(digits, setup, teardown),
		cmocka_unit_test_setup_teardown(tones, setup, teardown),
		cmocka_unit_test_setup_teardown(report, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
