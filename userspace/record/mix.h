/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the two parties of a call send, packet by packet, as one row of samples each. A packet is placed
 * by its RTP timestamp, from where the first of its stream came in; what is not there is silence. It is
 * given out some time behind, so that packets may come in another order than they were sent.
 */
#ifndef TANDEM_RECORD_MIX_H
#define TANDEM_RECORD_MIX_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define TANDEM_MIX_CODECS 32

/* What a payload type is, in what a party sends in a media. */
struct tandem_mix_codec {
	uint8_t party, media, pt;
	uint32_t clock_hz;
	char name[24];
};

struct tandem_mix_codecs {
	struct tandem_mix_codec v[TANDEM_MIX_CODECS];
	size_t count;
};

/* A packet of RTP in the clear. */
struct tandem_mix_packet {
	uint64_t ns; /* of the Unix epoch, when it came */
	uint8_t party, media;
	const uint8_t *rtp;
	uint32_t len;
};

struct tandem_mix;

/* Gets n frames of two samples, of party 0 and of party 1. Other than 0 ends the mix. */
typedef int(tandem_mix_h)(const int16_t *frames, size_t n, void *arg);

/* The sample rate of the best of these codecs, 8000 at least. */
uint32_t tandem_mix_best_rate(const struct tandem_mix_codecs *codecs);

/* Begin now, with rate samples a second, behind_ms behind. 0 or -ENOMEM. */
int tandem_mix_alloc(struct tandem_mix **mixp, uint32_t rate, uint32_t behind_ms, uint64_t now_ns,
		     const struct tandem_mix_codecs *codecs, tandem_mix_h *h, void *arg);
/* NULL is allowed. */
void tandem_mix_free(struct tandem_mix *m);

/* From now on payload types mean this. */
void tandem_mix_codecs(struct tandem_mix *m, const struct tandem_mix_codecs *codecs);

/* What cannot be decoded is counted. Returns what h has, if that is not 0. */
int tandem_mix_packet(struct tandem_mix *m, const struct tandem_mix_packet *p);
/* Give out what is old enough, and all that there is until now. The same. */
int tandem_mix_run(struct tandem_mix *m, uint64_t now_ns);
int tandem_mix_end(struct tandem_mix *m, uint64_t now_ns);

/* [{"party", "ssrc", "codec", "packets", "lost"}], at the end of it; borrowed. */
json_t *tandem_mix_streams(struct tandem_mix *m);

struct tandem_mix_counters {
	uint64_t frames; /* that were given out */
	uint64_t late;	 /* packets that came when their place had been given out */
	uint64_t undecoded;
};
struct tandem_mix_counters tandem_mix_counters(const struct tandem_mix *m);

#endif
