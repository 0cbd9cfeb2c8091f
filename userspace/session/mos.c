/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/session/mos.h"

#include <stddef.h>
#include <strings.h>

#define R_DEFAULT	     93.2
#define JITTER_BUFFER_FACTOR 3
#define DELAY_KNEE_MS	     177.3

struct impairment {
	const char *codec;
	double ie;
	double bpl;
};

static const struct impairment impairments[] = {
	{ "PCMU", 0, 25.1 },   { "PCMA", 0, 25.1 },  { "G722", 0, 25.1 },    { "G729", 11, 19.0 },
	{ "G729A", 11, 19.0 }, { "G723", 15, 16.1 }, { "GSM-EFR", 5, 10.0 }, { "opus", 0, 27.0 },
};

static const struct impairment unknown = { NULL, 0, 4.3 };

static const struct impairment *find(const char *codec)
{
	size_t i;

	for (i = 0; codec && i < sizeof(impairments) / sizeof(impairments[0]); i++) {
		if (!strcasecmp(codec, impairments[i].codec))
			return &impairments[i];
	}
	return &unknown;
}

static double delay_impairment(double ms)
{
	double id = 0.024 * ms;

	if (ms > DELAY_KNEE_MS)
		id += 0.11 * (ms - DELAY_KNEE_MS);
	return id;
}

double tandem_mos_rating(const struct tandem_mos_input *in)
{
	const struct impairment *imp = find(in->codec);
	double delay = in->rtt_ms / 2 + JITTER_BUFFER_FACTOR * in->jitter_ms;
	double r = R_DEFAULT - delay_impairment(delay) - imp->ie;

	r -= (95 - imp->ie) * in->loss_percent / (in->loss_percent + imp->bpl);
	return r < 0 ? 0 : r;
}

double tandem_mos(const struct tandem_mos_input *in)
{
	double r = tandem_mos_rating(in);
	double mos = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;

	/* the cubic dips below 1 for R under about 6.5 */
	return mos < 1 ? 1 : mos;
}
