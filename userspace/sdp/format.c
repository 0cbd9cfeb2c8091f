/* SPDX-License-Identifier: GPL-2.0-only */
/* Payload formats: the static table of RFC 3551 section 6, and comparing */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "userspace/sdp/sdp.h"

/* Tables 4 and 5; gaps are reserved, unassigned or dynamic. */
static const struct {
	const char *name;
	uint32_t clock;
	uint32_t channels;
} static_formats[] = {
	[0] = { "PCMU", 8000, 1 },   [3] = { "GSM", 8000, 1 },	  [4] = { "G723", 8000, 1 },
	[5] = { "DVI4", 8000, 1 },   [6] = { "DVI4", 16000, 1 },  [7] = { "LPC", 8000, 1 },
	[8] = { "PCMA", 8000, 1 },   [9] = { "G722", 8000, 1 },	  [10] = { "L16", 44100, 2 },
	[11] = { "L16", 44100, 1 },  [12] = { "QCELP", 8000, 1 }, [13] = { "CN", 8000, 1 },
	[14] = { "MPA", 90000, 1 },  [15] = { "G728", 8000, 1 },  [16] = { "DVI4", 11025, 1 },
	[17] = { "DVI4", 22050, 1 }, [18] = { "G729", 8000, 1 },  [25] = { "CelB", 90000, 1 },
	[26] = { "JPEG", 90000, 1 }, [28] = { "nv", 90000, 1 },	  [31] = { "H261", 90000, 1 },
	[32] = { "MPV", 90000, 1 },  [33] = { "MP2T", 90000, 1 }, [34] = { "H263", 90000, 1 },
};

int tandem_sdp_static_format(int pt, struct tandem_sdp_format *out)
{
	size_t n = sizeof(static_formats) / sizeof(static_formats[0]);

	if (pt < 0 || (size_t)pt >= n || !static_formats[pt].name)
		return -ENOENT;
	memset(out, 0, sizeof(*out));
	out->pt = pt;
	out->name = static_formats[pt].name;
	out->clock = static_formats[pt].clock;
	out->channels = static_formats[pt].channels;
	return 0;
}

bool tandem_sdp_same_codec(const struct tandem_sdp_format *a, const struct tandem_sdp_format *b)
{
	if (a->name && b->name)
		return !strcasecmp(a->name, b->name) && a->clock == b->clock &&
		       a->channels == b->channels;
	if (a->name || b->name)
		return false;
	if (a->pt >= 0 || b->pt >= 0)
		return a->pt == b->pt;
	return !strcasecmp(a->fmt, b->fmt);
}

const struct tandem_sdp_format *tandem_sdp_find_format(const struct tandem_sdp_media *media, int pt)
{
	size_t i;

	if (!media || pt < 0)
		return NULL;
	for (i = 0; i < media->nformats; i++)
		if (media->formats[i].pt == pt)
			return &media->formats[i];
	return NULL;
}
