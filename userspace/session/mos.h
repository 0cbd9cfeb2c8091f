/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An estimate of listening quality: the E-model of ITU-T G.107 with its default
 * values, reduced to what a relay can see.
 *
 *   R = 93.2 - Id - Ie,eff
 *   d = rtt / 2 + 3 * jitter            one-way delay; a jitter buffer holds about 3 * jitter
 *   Id = 0.024 d + 0.11 (d - 177.3) [d > 177.3]        (delay, echo assumed cancelled)
 *   Ie,eff = Ie + (95 - Ie) * Ppl / (Ppl + Bpl)         (random loss, BurstR = 1)
 *   MOS = 1 + 0.035 R + R (R - 60) (100 - R) 7e-6       (G.107 Annex B)
 *
 * Ie and Bpl are those of G.113 Appendix I where it has them: G.711 with loss
 * concealment, G.729, G.723.1, GSM-EFR. Wideband codecs are judged on the
 * narrowband scale, as if they were transparent: G.722 as G.711; Opus with the
 * better concealment of its own. An unknown codec counts as no better than G.711
 * without concealment. So 4.4 is the best there is, and video has no meaning here.
 */
#ifndef TANDEM_SESSION_MOS_H
#define TANDEM_SESSION_MOS_H

struct tandem_mos_input {
	const char *codec;   /* encoding name as in a=rtpmap; NULL: unknown */
	double loss_percent; /* 0 to 100 */
	double rtt_ms;	     /* from end to end and back; 0: unknown, counts as none */
	double jitter_ms;
};

/* The R value, 0 to 93.2. */
double tandem_mos_rating(const struct tandem_mos_input *in);

/* The MOS, 1.0 to 4.5. */
double tandem_mos(const struct tandem_mos_input *in);

#endif
