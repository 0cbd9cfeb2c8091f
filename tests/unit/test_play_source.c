/* SPDX-License-Identifier: GPL-2.0-only */
/* Files of every kind into payloads, and those that cannot be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <opus/opus.h>
#include <sndfile.h>
#include <spandsp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userspace/play/source.h"

#define HZ   440
#define LOUD 12000

static const int go_on;

struct folder {
	char path[64];
	int fd;
};

static int setup(void **state)
{
	struct folder *d = calloc(1, sizeof(*d));

	strcpy(d->path, "/tmp/tandem-play-XXXXXX");
	assert_non_null(mkdtemp(d->path));
	d->fd = open(d->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(d->fd >= 0);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct folder *d = *state;
	char command[128];

	close(d->fd);
	snprintf(command, sizeof(command), "rm -r '%s'", d->path);
	assert_int_equal(system(command), 0);
	free(d);
	return 0;
}

static const char *path_of(const struct folder *d, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", d->path, name);
	return path;
}

/* A tone in every channel, of ms milliseconds. */
static void write_tone(const struct folder *d, const char *name, int format, int rate, int channels,
		       int ms)
{
	SF_INFO info = { .format = format, .samplerate = rate, .channels = channels };
	SNDFILE *sound = sf_open(path_of(d, name), SFM_WRITE, &info);
	float frame[8];

	assert_non_null(sound);
	for (int i = 0; i < rate / 1000 * ms; i++) {
		for (int c = 0; c < channels; c++)
			frame[c] = (float)(LOUD / 32768.0 * sin(2 * M_PI * HZ * i / rate));
		assert_int_equal(sf_writef_float(sound, frame, 1), 1);
	}
	sf_close(sound);
}

static int16_t ulaw_of(uint8_t u)
{
	const int v = (((~u & 15) << 3) + 132) << (~u >> 4 & 7);

	return (int16_t)(u & 0x80 ? v - 132 : 132 - v);
}

static int16_t alaw_of(uint8_t a)
{
	const int code = a ^ 0x55, segment = code >> 4 & 7;
	const int step = (code & 15) * 2 + 1 + (segment ? 32 : 0);
	const int v = segment > 1 ? step << (segment + 2) : step << 3;

	return (int16_t)(code & 0x80 ? v : -v);
}

/* All of a clip, as who hears it decodes it; returns how many samples. */
static size_t decode(const struct tandem_clip *clip, int16_t *out)
{
	g722_decode_state_t *g722 = g722_decode_init(NULL, 64000, 0);
	OpusDecoder *opus = opus_decoder_create(48000, 1, NULL);
	size_t n = 0;

	for (uint32_t f = 0; f < clip->frames; f++) {
		const uint32_t from = f ? clip->end[f - 1] : 0;
		const int len = (int)(clip->end[f] - from);
		const uint8_t *p = clip->octets + from;
		int got = len;

		for (int i = 0; clip->codec == TANDEM_PLAY_PCMU && i < len; i++)
			out[n + (size_t)i] = ulaw_of(p[i]);
		for (int i = 0; clip->codec == TANDEM_PLAY_PCMA && i < len; i++)
			out[n + (size_t)i] = alaw_of(p[i]);
		if (clip->codec == TANDEM_PLAY_G722)
			got = g722_decode(g722, out + n, p, len);
		if (clip->codec == TANDEM_PLAY_OPUS)
			got = opus_decode(opus, p, len, out + n, 960, 0);
		assert_int_equal(got, tandem_encoder_rate(clip->codec) / 50);
		n += (size_t)got;
	}
	opus_decoder_destroy(opus);
	g722_decode_free(g722);
	return n;
}

/* Of the power of samples, which part is that of the tone? And is it as loud as it was? */
static void assert_tone(const int16_t *s, size_t n, uint32_t rate)
{
	double re = 0, im = 0, all = 0;

	for (size_t i = 0; i < n; i++) {
		re += s[i] * cos(2 * M_PI * HZ * (double)i / rate);
		im += s[i] * sin(2 * M_PI * HZ * (double)i / rate);
		all += (double)s[i] * s[i];
	}
	assert_true(2 * (re * re + im * im) / (double)n > 0.95 * all);
	assert_true(sqrt(2 * all / (double)n) > 0.8 * LOUD);
	assert_true(sqrt(2 * all / (double)n) < 1.2 * LOUD);
}

static void assert_plays(const struct folder *d, const char *name, enum tandem_play_codec codec)
{
	const uint32_t rate = tandem_encoder_rate(codec);
	struct tandem_source *s;
	struct tandem_clip *clip;
	int16_t *pcm = calloc(48000 * 2, sizeof(*pcm));
	size_t n;

	assert_int_equal(tandem_source_file(&s, d->fd, name), 0);
	assert_in_range(tandem_source_duration_ms(s), 990, 1060);
	assert_int_equal(tandem_source_encode(s, codec, &go_on, &clip), 0);
	assert_int_equal(clip->codec, codec);
	assert_string_equal(clip->key, tandem_source_key(s));
	assert_in_range(clip->frames, 49, 54);
	n = decode(clip, pcm);
	assert_int_equal(n, clip->frames * (rate / 50));
	/* its middle: encoders and lossy files need a moment */
	assert_tone(pcm + rate / 5, rate / 2, rate);
	free(pcm);
	tandem_clip_free(clip);
	tandem_source_free(s);
}

static void every_kind(void **state)
{
	static const struct {
		const char *name;
		int format, rate, channels;
	} files[] = {
		{ "a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1 },
		{ "b.wav", SF_FORMAT_WAV | SF_FORMAT_ALAW, 8000, 2 },
		{ "c.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 44100, 6 },
		{ "d.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 48000, 2 },
		{ "e.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 22050, 1 },
		{ "f.opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 48000, 1 },
		{ "g.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 44100, 2 },
		{ "h.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 16000, 1 },
		{ "i.au", SF_FORMAT_AU | SF_FORMAT_ULAW, 8000, 1 },
	};
	const struct folder *d = *state;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		write_tone(d, files[i].name, files[i].format, files[i].rate, files[i].channels,
			   1000);
		for (int codec = TANDEM_PLAY_PCMU; codec <= TANDEM_PLAY_OPUS; codec++)
			assert_plays(d, files[i].name, (enum tandem_play_codec)codec);
	}
}

/* Every code comes back from the value that it stands for, and each value gets the nearest one. */
static void g711(void **state)
{
	(void)state;
	for (int code = 0; code < 256; code++) {
		const uint8_t u = (uint8_t)code;

		assert_int_equal(ulaw_of(tandem_encoder_ulaw(ulaw_of(u))), ulaw_of(u));
		assert_int_equal(tandem_encoder_alaw(alaw_of(u)), u);
	}
	for (int v = -32768; v < 32768; v++) {
		const int m = abs(v);

		assert_true(abs(alaw_of(tandem_encoder_alaw((int16_t)v)) - v) <=
			    (m < 512 ? 8 : m / 32 + 8));
		assert_true(abs(ulaw_of(tandem_encoder_ulaw((int16_t)v)) - v) <=
			    (m > 32635 ? 700 : m / 32 + 8));
	}
}

static void codecs(void **state)
{
	(void)state;
	assert_int_equal(tandem_encoder_find("pcmu", 8000, 0), TANDEM_PLAY_PCMU);
	assert_int_equal(tandem_encoder_find("PCMA", 8000, 97), TANDEM_PLAY_PCMA);
	assert_int_equal(tandem_encoder_find("PCMA", 16000, 97), TANDEM_PLAY_NONE);
	assert_int_equal(tandem_encoder_find("", 0, 9), TANDEM_PLAY_G722);
	assert_int_equal(tandem_encoder_find("", 0, 18), TANDEM_PLAY_NONE);
	assert_int_equal(tandem_encoder_find("OPUS", 48000, 111), TANDEM_PLAY_OPUS);
	assert_int_equal(tandem_encoder_find("GSM", 8000, 3), TANDEM_PLAY_NONE);
	assert_int_equal(tandem_encoder_step(TANDEM_PLAY_G722), 160);
	assert_int_equal(tandem_encoder_step(TANDEM_PLAY_OPUS), 960);
}

static void write_octets(const struct folder *d, const char *name, const void *octets, size_t len)
{
	FILE *f = fopen(path_of(d, name), "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(octets, 1, len, f), len);
	fclose(f);
}

static int result_of(const struct folder *d, const char *name)
{
	struct tandem_source *s = NULL;
	int err = tandem_source_file(&s, d->fd, name);

	if (!err)
		tandem_source_free(s);
	return err;
}

static void elsewhere(void **state)
{
	const struct folder *d = *state;
	char inside[128], outside[128];

	write_tone(d, "a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 100);
	assert_int_equal(mkdir(path_of(d, "sub"), 0700), 0);
	snprintf(inside, sizeof(inside), "%s/sub/up.wav", d->path);
	snprintf(outside, sizeof(outside), "%s/sub/out.wav", d->path);
	assert_int_equal(symlink("../a.wav", inside), 0);
	assert_int_equal(symlink("/etc/passwd", outside), 0);
	assert_int_equal(mkfifo(path_of(d, "pipe.wav"), 0600), 0);

	assert_int_equal(result_of(d, "a.wav"), 0);
	assert_int_equal(result_of(d, "sub/../a.wav"), 0);
	assert_int_equal(result_of(d, "sub/up.wav"), 0);
	assert_int_equal(result_of(d, "sub/out.wav"), -EACCES);
	assert_int_equal(result_of(d, "../../etc/passwd"), -EACCES);
	assert_int_equal(result_of(d, "/etc/passwd"), -EACCES);
	assert_int_equal(result_of(d, "sub"), -EACCES);
	assert_int_equal(result_of(d, "pipe.wav"), -EACCES);
	assert_int_equal(result_of(d, "none.wav"), -ENOENT);
	assert_int_equal(result_of(d, ""), -ENOENT);
}

static void broken(void **state)
{
	const struct folder *d = *state;
	unsigned char head[64] = "RIFF\x24\0\0\0WAVEfmt ";
	char text[] = "this is no audio at all, whatever it is called";
	struct stat st;
	struct tandem_source *s;
	struct tandem_clip *clip;
	int fd;

	write_octets(d, "text.wav", text, sizeof(text));
	write_octets(d, "head.wav", head, sizeof(head));
	write_octets(d, "empty.wav", "", 0);
	assert_int_equal(result_of(d, "text.wav"), -EBADMSG);
	assert_int_equal(result_of(d, "head.wav"), -EBADMSG);
	assert_int_equal(result_of(d, "empty.wav"), -EBADMSG);

	/* cut off: as much as there is, or nothing, and no crash */
	write_tone(d, "cut.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 8000, 1, 1000);
	assert_int_equal(stat(path_of(d, "cut.flac"), &st), 0);
	assert_int_equal(truncate(path_of(d, "cut.flac"), st.st_size / 2), 0);
	if (!tandem_source_file(&s, d->fd, "cut.flac")) {
		if (!tandem_source_encode(s, TANDEM_PLAY_PCMU, &go_on, &clip)) {
			assert_in_range(clip->frames, 1, 50);
			tandem_clip_free(clip);
		}
		tandem_source_free(s);
	}

	/* more than a file may have; it takes no room on the disk */
	fd = open(path_of(d, "large.wav"), O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, TANDEM_SOURCE_OCTETS_MAX + 1L), 0);
	close(fd);
	assert_int_equal(result_of(d, "large.wav"), -EFBIG);
	write_tone(d, "long.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_U8, 8000, 1,
		   1000 * TANDEM_SOURCE_S_MAX + 1000);
	assert_int_equal(result_of(d, "long.wav"), -EFBIG);
}

static void octets(void **state)
{
	const struct folder *d = *state;
	unsigned char buf[8192];
	struct tandem_source *s;
	struct tandem_clip *clip;
	const int stop = 1;
	size_t len;
	FILE *f;

	write_tone(d, "a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 250);
	f = fopen(path_of(d, "a.wav"), "rb");
	len = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	assert_int_equal(tandem_source_blob(&s, buf, len), 0);
	assert_int_equal(tandem_source_duration_ms(s), 250);
	assert_string_equal(tandem_source_key(s), "");
	assert_int_equal(tandem_source_encode(s, TANDEM_PLAY_PCMA, &stop, &clip), -ECANCELED);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(tandem_source_encode(s, TANDEM_PLAY_PCMA, &go_on, &clip), 0);
		assert_int_equal(clip->frames, 13);
		assert_int_equal(clip->octets[12 * 160 + 159], 0xd5); /* filled up */
		tandem_clip_free(clip);
	}
	tandem_source_free(s);
	assert_int_equal(tandem_source_blob(&s, buf, 0), -EBADMSG);
	assert_int_equal(tandem_source_blob(&s, buf, TANDEM_SOURCE_BLOB_MAX + 1), -EFBIG);
	/* whatever octet is wrong: it is read, or it is not */
	for (size_t i = 0; i < 128; i++) {
		buf[i] ^= 0xff;
		if (!tandem_source_blob(&s, buf, len)) {
			if (!tandem_source_encode(s, TANDEM_PLAY_PCMU, &go_on, &clip))
				tandem_clip_free(clip);
			tandem_source_free(s);
		}
		buf[i] ^= 0xff;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(g711),
		cmocka_unit_test(codecs),
		cmocka_unit_test_setup_teardown(every_kind, setup, teardown),
		cmocka_unit_test_setup_teardown(elsewhere, setup, teardown),
		cmocka_unit_test_setup_teardown(broken, setup, teardown),
		cmocka_unit_test_setup_teardown(octets, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
