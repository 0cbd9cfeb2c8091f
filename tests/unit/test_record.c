/* SPDX-License-Identifier: GPL-2.0-only */
/* Recordings: what comes in as RTP is in the file, in its channel and at its time. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <sndfile.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "userspace/play/encode.h"
#include "userspace/record/decode.h"
#include "userspace/record/mail.h"
#include "userspace/record/tape.h"

#define NS_PER_MS 1000000ULL
#define START	  (1000 * 1000 * NS_PER_MS)
#define FRAME_MS  20

struct fixture {
	char dir[32];
	char path[64], about[64];
	struct tandem_tape *tape;
	struct tandem_mix_codecs codecs;
	int16_t *samples; /* of what was read back, by two */
	sf_count_t frames;
	int rate;
	json_t *doc;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->dir, "/tmp/tandem-record-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/one.wav", f->dir);
	snprintf(f->about, sizeof(f->about), "%s/one.json", f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	unlink(f->about);
	rmdir(f->dir);
	free(f->samples);
	json_decref(f->doc);
	free(f);
	return 0;
}

static void codec(struct fixture *f, uint8_t party, uint8_t pt, const char *name, uint32_t clock)
{
	struct tandem_mix_codec *c = &f->codecs.v[f->codecs.count++];

	*c = (struct tandem_mix_codec){ .party = party, .pt = pt, .clock_hz = clock };
	snprintf(c->name, sizeof(c->name), "%s", name);
}

static void begin(struct fixture *f)
{
	json_t *about = json_pack("{s:s}", "call_id", "one");

	assert_int_equal(tandem_tape_open(&f->tape, f->path, START, &f->codecs, about), 0);
	json_decref(about);
}

static void end(struct fixture *f, uint64_t ms)
{
	SF_INFO info = { 0 };
	SNDFILE *file;

	assert_int_equal(tandem_tape_close(f->tape, START + ms * NS_PER_MS, "test"), 0);
	file = sf_open(f->path, SFM_READ, &info);
	assert_non_null(file);
	assert_int_equal(info.channels, 2);
	f->rate = info.samplerate;
	f->frames = info.frames;
	f->samples = calloc((size_t)info.frames + 1, 2 * sizeof(int16_t));
	assert_int_equal(sf_readf_short(file, f->samples, info.frames), info.frames);
	sf_close(file);
	f->doc = json_load_file(f->about, 0, NULL);
	assert_non_null(f->doc);
}

/* One packet of a tone, as a party sends it. */
struct speaker {
	uint8_t party, pt;
	uint32_t ssrc, ts, step;
	uint16_t seq;
	double hz;
	uint32_t n;
	enum tandem_play_codec codec;
	struct tandem_encoder *encoder;
};

static void speak_at(struct fixture *f, struct speaker *s, uint64_t ms, bool lost)
{
	uint32_t rate = tandem_encoder_rate(s->codec), i;
	int16_t samples[TANDEM_PLAY_SAMPLES_MAX];
	uint8_t packet[12 + TANDEM_PLAY_PAYLOAD_MAX] = { 0x80, s->pt };
	struct tandem_mix_packet p = { .ns = START + ms * NS_PER_MS,
				       .party = s->party,
				       .rtp = packet };
	int len;

	if (!s->encoder)
		assert_int_equal(tandem_encoder_alloc(&s->encoder, s->codec), 0);
	for (i = 0; i < rate / 50; i++)
		samples[i] = (int16_t)(10000 * sin(2 * M_PI * s->hz * s->n++ / rate));
	len = tandem_encoder_run(s->encoder, samples, packet + 12);
	assert_true(len > 0);
	packet[2] = (uint8_t)(s->seq >> 8);
	packet[3] = (uint8_t)s->seq;
	for (i = 0; i < 4; i++) {
		packet[4 + i] = (uint8_t)(s->ts >> (24 - 8 * i));
		packet[8 + i] = (uint8_t)(s->ssrc >> (24 - 8 * i));
	}
	s->seq++;
	s->ts += tandem_encoder_step(s->codec);
	p.len = 12 + (uint32_t)len;
	if (!lost)
		assert_int_equal(tandem_tape_packet(f->tape, &p), 0);
}

/* How much of the energy in these milliseconds of a channel is at hz (Goertzel); 0 in silence. */
static double strength(const struct fixture *f, int channel, uint64_t from_ms, uint64_t to_ms,
		       double hz)
{
	const double k = 2 * cos(2 * M_PI * hz / f->rate);
	double a = 0, b = 0, energy = 0, next;
	sf_count_t from = (sf_count_t)from_ms * f->rate / 1000, i;
	sf_count_t to = (sf_count_t)to_ms * f->rate / 1000;

	assert_true(to <= f->frames);
	for (i = from; i < to; i++) {
		double sample = f->samples[2 * i + channel];

		next = sample + k * a - b;
		b = a;
		a = next;
		energy += sample * sample;
	}
	return energy > 0 ? 2 * (a * a + b * b - k * a * b) / ((double)(to - from) * energy) : 0;
}

static void every_codec_is_heard(void **state)
{
	static const struct {
		const char *name;
		uint32_t clock;
		uint8_t pt;
		enum tandem_play_codec codec;
		int rate;
	} rows[] = {
		{ "PCMU", 8000, 0, TANDEM_PLAY_PCMU, 8000 },
		{ "PCMA", 8000, 8, TANDEM_PLAY_PCMA, 8000 },
		{ "G722", 8000, 9, TANDEM_PLAY_G722, 16000 },
		{ "opus", 48000, 111, TANDEM_PLAY_OPUS, 48000 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture *f = *state;
		struct speaker a = {
			.pt = rows[i].pt, .ssrc = 1, .hz = 440, .codec = rows[i].codec
		};
		struct speaker b = { .party = 1, .ssrc = 2, .hz = 1000, .codec = TANDEM_PLAY_PCMU };

		codec(f, 0, rows[i].pt, rows[i].name, rows[i].clock);
		codec(f, 1, 0, "PCMU", 8000);
		begin(f);
		for (uint64_t ms = 0; ms < 2000; ms += FRAME_MS) {
			speak_at(f, &a, ms, false);
			speak_at(f, &b, ms, false);
		}
		end(f, 2000);
		assert_int_equal(f->rate, rows[i].rate);
		assert_true(strength(f, 0, 300, 1900, 440) > 0.9);
		assert_true(strength(f, 1, 300, 1900, 1000) > 0.9);
		assert_true(strength(f, 0, 300, 1900, 1000) < 0.05);
		tandem_encoder_free(a.encoder);
		tandem_encoder_free(b.encoder);
		teardown(state);
		setup(state);
	}
}

static void loss_is_silence_and_order_does_not_matter(void **state)
{
	struct fixture *f = *state;
	struct speaker a = {
		.ssrc = 1, .hz = 440, .codec = TANDEM_PLAY_PCMU, .ts = 0xfffff000, .seq = 65500
	};
	struct speaker late;
	const json_t *stream;

	codec(f, 0, 0, "PCMU", 8000);
	begin(f);
	for (uint64_t ms = 0; ms < 1000; ms += FRAME_MS)
		speak_at(f, &a, ms, ms >= 400 && ms < 600);
	late = a; /* and then two by two in the wrong order */
	for (uint64_t ms = 1000; ms < 2000; ms += 2 * FRAME_MS) {
		late = a;
		speak_at(f, &a, ms + FRAME_MS, true);
		speak_at(f, &a, ms + FRAME_MS, false);
		speak_at(f, &late, ms + FRAME_MS, false);
	}
	end(f, 2000);
	assert_true(strength(f, 0, 0, 400, 440) > 0.9);
	assert_true(strength(f, 0, 400, 600, 440) == 0);
	assert_true(strength(f, 0, 600, 2000, 440) > 0.9);
	stream = json_array_get(json_object_get(f->doc, "streams"), 0);
	assert_int_equal(json_integer_value(json_object_get(stream, "packets")), 90);
	assert_int_equal(json_integer_value(json_object_get(stream, "lost")), 10);
	tandem_encoder_free(a.encoder);
}

static void pauses_are_silence(void **state)
{
	struct fixture *f = *state;
	struct speaker a = { .ssrc = 1, .hz = 440, .codec = TANDEM_PLAY_PCMU };

	codec(f, 0, 0, "PCMU", 8000);
	begin(f);
	for (uint64_t ms = 0; ms < 3000; ms += FRAME_MS) {
		if (ms == 1000 || ms == 2000)
			tandem_tape_pause(f->tape, ms == 1000, START + ms * NS_PER_MS);
		speak_at(f, &a, ms, false);
	}
	end(f, 3000);
	assert_true(strength(f, 0, 0, 1000, 440) > 0.9);
	assert_true(strength(f, 0, 1000, 2000, 440) == 0);
	assert_true(strength(f, 0, 2000, 3000, 440) > 0.9);
	assert_int_equal(json_array_size(json_object_get(f->doc, "pauses")), 1);
	tandem_encoder_free(a.encoder);
}

/* Another SSRC, a timestamp that jumps, another codec in the middle of it. */
static void streams_may_begin_anew(void **state)
{
	struct fixture *f = *state;
	struct speaker a = { .ssrc = 1, .hz = 440, .codec = TANDEM_PLAY_PCMU };
	struct speaker other = {
		.ssrc = 9, .hz = 440, .codec = TANDEM_PLAY_G722, .pt = 9, .ts = 77777
	};

	codec(f, 0, 0, "PCMU", 8000);
	codec(f, 0, 9, "G722", 8000);
	begin(f);
	for (uint64_t ms = 0; ms < 3000; ms += FRAME_MS) {
		if (ms == 1000)
			a.ts += 123456789;
		speak_at(f, ms < 2000 ? &a : &other, ms, false);
	}
	end(f, 3000);
	assert_int_equal(f->rate, 16000);
	assert_in_range(f->frames, 2950 * 16, 3050 * 16);
	assert_true(strength(f, 0, 100, 900, 440) > 0.9);
	assert_true(strength(f, 0, 1100, 1900, 440) > 0.9);
	assert_true(strength(f, 0, 2100, 2900, 440) > 0.9);
	assert_int_equal(json_array_size(json_object_get(f->doc, "streams")), 2);
	tandem_encoder_free(a.encoder);
	tandem_encoder_free(other.encoder);
}

static void bad_packets_do_no_harm(void **state)
{
	static const uint8_t rows[][16] = {
		{ 0x80, 0, 0, 1 },		  /* a header, and four octets of silence */
		{ 0x90, 0, 0, 2 },		  /* an extension that is not there */
		{ 0x8f, 0, 0, 3 },		  /* CSRCs that are not there */
		{ 0xa0, 0, [15] = 200 },	  /* more padding than packet */
		{ 0x80, 111, 0, 4, [12] = 0xff }, /* a codec that nobody has named */
	};
	struct fixture *f = *state;

	codec(f, 0, 0, "PCMU", 8000);
	begin(f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tandem_mix_packet p = { .ns = START, .rtp = rows[i], .len = 16 };

		assert_int_equal(tandem_tape_packet(f->tape, &p), 0);
		p.len = 5;
		assert_int_equal(tandem_tape_packet(f->tape, &p), 0);
	}
	end(f, 100);
	assert_int_equal(json_integer_value(json_object_get(f->doc, "undecoded")), 1);
}

static void nothing_is_overwritten(void **state)
{
	struct fixture *f = *state;
	struct tandem_tape *other;

	codec(f, 0, 0, "PCMU", 8000);
	begin(f);
	assert_int_equal(tandem_tape_open(&other, f->path, START, &f->codecs, NULL), -EEXIST);
	end(f, 0);
	assert_int_equal(f->frames, 0);
}

static void mail_keeps_room_for_orders(void **state)
{
	struct record_letter packet = { .kind = RECORD_PACKET, .len = 100 }, got;
	struct record_letter order = { .kind = RECORD_CLOSE, .number = 7, .len = 4 };
	uint8_t data[100] = { 1 };
	const unsigned char *at_data;
	struct record_mail m;
	size_t at = 0, n = 0;

	(void)state;
	assert_int_equal(record_mail_init(&m, 4096), 0);
	while (record_mail_put(&m, &packet, data))
		n++;
	assert_in_range(n, 10, 40);
	assert_true(record_mail_put(&m, &order, "why"));
	assert_true(record_mail_wait(&m, 1));
	for (size_t i = 0; i < n; i++) {
		assert_true(record_mail_next(&m, &at, &got, &at_data));
		assert_int_equal(got.kind, RECORD_PACKET);
		assert_memory_equal(at_data, data, sizeof(data));
	}
	assert_true(record_mail_next(&m, &at, &got, &at_data));
	assert_int_equal(got.number, 7);
	assert_string_equal((const char *)at_data, "why");
	assert_false(record_mail_next(&m, &at, &got, &at_data));
	record_mail_close(&m);
	assert_false(record_mail_wait(&m, 1));
	record_mail_clean(&m);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_codec_is_heard),
		TEST(loss_is_silence_and_order_does_not_matter),
		TEST(pauses_are_silence),
		TEST(streams_may_begin_anew),
		TEST(bad_packets_do_no_harm),
		TEST(nothing_is_overwritten),
		cmocka_unit_test(mail_keeps_room_for_orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
