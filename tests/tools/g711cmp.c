/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * g711cmp: is the audio that arrived, sample for sample, the audio that left?
 *
 * Reads two recordings (.wav 16-bit mono, or raw A-law .al / mu-law .ul), passes
 * the first through the G.711 companding a phone applies, finds where its first
 * loud stretch lies in the second and compares all that follows. JSON on stdout;
 * status 0 when at least --min samples were compared and none differs.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ANCHOR = 400, /* samples that must match to fix the alignment: 50 ms */
	LOUD = 512,
};

struct audio {
	int16_t *s;
	size_t n;
};

/* ITU-T G.711 A-law: 13-bit sign-magnitude, 8 segments of 16 steps, even bits inverted. */
static int16_t alaw_decode(uint8_t a)
{
	int v, seg;

	a ^= 0x55;
	seg = (a >> 4) & 7;
	v = (a & 15) << 4;
	v += seg ? 0x108 : 8;
	if (seg > 1)
		v <<= seg - 1;
	return (int16_t)(a & 0x80 ? v : -v);
}

/* ITU-T G.711 mu-law: 14-bit magnitude biased by 33, all bits inverted. */
static int16_t ulaw_decode(uint8_t u)
{
	int v;

	u = (uint8_t)~u;
	v = (((u & 15) << 3) + 0x84) << ((u >> 4) & 7);
	v -= 0x84;
	return (int16_t)(u & 0x80 ? -v : v);
}

/* Encoding drops the low four bits; negative values mirror around -1/2. */
static uint8_t alaw_encode(int16_t l)
{
	unsigned int m = (unsigned int)(l < 0 ? ~l : l) >> 4, seg = 0;

	for (; m >= 32; m >>= 1)
		seg++;
	if (seg)
		m = (seg + 1) << 4 | (m & 15);
	return (uint8_t)((m | (l < 0 ? 0 : 0x80)) ^ 0x55);
}

/* On the 14-bit value, clipped at 8158 so that the bias never overflows. */
static uint8_t ulaw_encode(int16_t l)
{
	unsigned int m = (unsigned int)abs(l >> 2), seg = 0;

	m = (m > 8158 ? 8158 : m) + 33;
	for (; m >= 64; m >>= 1)
		seg++;
	m = seg << 4 | (m >> 1 & 15);
	return (uint8_t) ~(m | (l < 0 ? 0x80 : 0));
}

static int16_t compand(int16_t l, char law)
{
	return law == 'a' ? alaw_decode(alaw_encode(l)) : ulaw_decode(ulaw_encode(l));
}

static int read_all(const char *path, uint8_t **buf, size_t *len)
{
	FILE *f = fopen(path, "rb");
	long size;

	if (!f)
		return -errno;
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	rewind(f);
	*buf = malloc((size_t)size + 1);
	*len = *buf ? fread(*buf, 1, (size_t)size, f) : 0;
	fclose(f);
	return *buf ? 0 : -ENOMEM;
}

static uint32_t le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The data chunk; a recorder that was killed leaves its length 0 or too large. */
static int wav_parse(const uint8_t *b, size_t len, const uint8_t **data, size_t *n)
{
	size_t off = 12, size;

	if (len < 12 || memcmp(b, "RIFF", 4) || memcmp(b + 8, "WAVE", 4))
		return -EINVAL;
	while (off + 8 <= len) {
		size = le32(b + off + 4);
		if (!memcmp(b + off, "fmt ", 4) && off + 24 <= len &&
		    (b[off + 8] != 1 || b[off + 10] != 1 || b[off + 22] != 16))
			return -ENOTSUP;
		if (!memcmp(b + off, "data", 4)) {
			*data = b + off + 8;
			*n = size && size <= len - off - 8 ? size : len - off - 8;
			return 0;
		}
		off += 8 + size + (size & 1);
	}
	return -EINVAL;
}

static int audio_load(const char *path, struct audio *a)
{
	const char *ext = strrchr(path, '.');
	const uint8_t *data = NULL;
	uint8_t *buf = NULL;
	size_t len = 0, i;
	int err = read_all(path, &buf, &len);

	if (err)
		return err;
	a->s = calloc(len + 1, sizeof(*a->s));
	if (!a->s || !ext) {
		err = -EINVAL;
	} else if (!strcmp(ext, ".al") || !strcmp(ext, ".ul")) {
		a->n = len;
		for (i = 0; i < len; i++)
			a->s[i] = ext[1] == 'a' ? alaw_decode(buf[i]) : ulaw_decode(buf[i]);
	} else {
		err = wav_parse(buf, len, &data, &len);
		a->n = err ? 0 : len / 2;
		for (i = 0; i < a->n; i++)
			a->s[i] = (int16_t)(data[2 * i] | data[2 * i + 1] << 8);
	}
	free(buf);
	return err;
}

/* Where a's stretch at i begins in b; b->n when nowhere. */
static size_t align(const struct audio *a, size_t i, const struct audio *b)
{
	size_t j;

	for (j = 0; j + ANCHOR <= b->n; j++)
		if (!memcmp(a->s + i, b->s + j, ANCHOR * sizeof(*a->s)))
			return j;
	return b->n;
}

static int compare(const struct audio *a, const struct audio *b, size_t min)
{
	size_t i = 0, j = b->n, n, bad = 0, first_bad = 0;

	/* The first packets may precede the recorder: try later anchors too. */
	for (; j == b->n; i += ANCHOR) {
		while (i < a->n && abs(a->s[i]) < LOUD)
			i++;
		if (i + ANCHOR > a->n)
			break;
		j = align(a, i, b);
		if (j != b->n)
			break;
	}
	for (n = 0; j != b->n && i + n < a->n && j + n < b->n; n++)
		if (a->s[i + n] != b->s[j + n] && !bad++)
			first_bad = n;
	printf("{\"sent\":%zu,\"received\":%zu,\"from\":%zu,\"offset\":%ld,\"compared\":%zu,"
	       "\"different\":%zu,\"first_different\":%zu}\n",
	       a->n, b->n, i, (long)j - (long)i, n, bad, first_bad);
	return n >= min && !bad ? 0 : 1;
}

int main(int argc, char **argv)
{
	static const struct option opts[] = { { "law", 1, NULL, 'l' },
					      { "min", 1, NULL, 'm' },
					      { NULL, 0, NULL, 0 } };
	struct audio a = { NULL, 0 }, b = { NULL, 0 };
	char law = 0;
	size_t min = 8000, i;
	int c, rc = 2;

	while ((c = getopt_long(argc, argv, "", opts, NULL)) != -1) {
		if (c == 'l')
			law = optarg[0];
		else if (c == 'm')
			min = strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	if (argc - optind != 2 || (law && law != 'a' && law != 'u')) {
		fputs("usage: g711cmp [--law a|u] [--min SAMPLES] SENT RECEIVED\n", stderr);
		return 2;
	}
	if (audio_load(argv[optind], &a) || audio_load(argv[optind + 1], &b)) {
		fprintf(stderr, "g711cmp: cannot read both recordings as 16-bit mono\n");
	} else {
		for (i = 0; law && i < a.n; i++)
			a.s[i] = compand(a.s[i], law);
		rc = compare(&a, &b, min);
	}
	free(a.s);
	free(b.s);
	return rc;
}
