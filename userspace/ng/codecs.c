/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/ng/codecs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "userspace/sdp/sdp.h"

/* "opus", "opus/48000", "opus/48000/2", or the payload type where nothing is known of it. */
static bool is_codec(const struct tandem_sdp_format *f, const char *wanted)
{
	char text[128];

	if (!f->name)
		return !strcmp(f->fmt, wanted);
	if (!strcasecmp(f->name, wanted))
		return true;
	snprintf(text, sizeof(text), "%s/%u", f->name, f->clock);
	if (!strcasecmp(text, wanted))
		return true;
	snprintf(text, sizeof(text), "%s/%u/%u", f->name, f->clock, f->channels);
	return !strcasecmp(text, wanted);
}

static bool in_list(const struct tandem_sdp_format *f, const char *const *list, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (is_codec(f, list[i]))
			return true;
	}
	return false;
}

static bool has_all(const struct tandem_ng_codecs *codecs)
{
	size_t i;

	for (i = 0; i < codecs->strip_count; i++) {
		if (!strcasecmp(codecs->strip[i], "all") || !strcasecmp(codecs->strip[i], "full"))
			return true;
	}
	return false;
}

static bool is_unwanted(const struct tandem_ng_codecs *codecs, const struct tandem_sdp_format *f)
{
	if (in_list(f, codecs->keep, codecs->keep_count))
		return false;
	return has_all(codecs) || in_list(f, codecs->strip, codecs->strip_count);
}

/* The first of a media that is to go, from place `at` on; -1: none. */
static int next_unwanted(const struct tandem_ng_codecs *codecs,
			 const struct tandem_sdp_media *media, size_t *at)
{
	for (; *at < media->nformats; (*at)++) {
		if (media->formats[*at].pt >= 0 && is_unwanted(codecs, &media->formats[*at]))
			return media->formats[*at].pt;
	}
	return -1;
}

static int apply_media(const struct tandem_ng_codecs *codecs, struct tandem_sdp *doc, size_t i)
{
	size_t at = 0;
	int pt, err;

	while ((pt = next_unwanted(codecs, tandem_sdp_media(doc, i), &at)) >= 0) {
		err = tandem_sdp_remove_format(doc, i, pt);
		if (err == -EBUSY)
			return 0;
		if (err)
			return err;
	}
	return 0;
}

/* What goes along with a codec, and is none to speak by. */
static bool is_aside(const struct tandem_sdp_format *f)
{
	return f->name && (!strcasecmp(f->name, "telephone-event") || !strcasecmp(f->name, "CN"));
}

static int remove_others(struct tandem_sdp *doc, size_t i)
{
	const struct tandem_sdp_media *media = tandem_sdp_media(doc, i);
	bool found = false;
	size_t at = 0;
	int err = 0;

	while (at < media->nformats && !err) {
		const struct tandem_sdp_format *f = &media->formats[at];

		if (f->pt < 0 || is_aside(f) || !found) {
			found |= f->pt >= 0 && !is_aside(f);
			at++;
			continue;
		}
		err = tandem_sdp_remove_format(doc, i, f->pt);
		media = tandem_sdp_media(doc, i);
	}
	return err;
}

/* In the order in which they are named: the last of them goes in front first. */
static int reorder(const struct tandem_ng_codecs *codecs, struct tandem_sdp *doc, size_t i)
{
	const struct tandem_sdp_media *media;
	size_t k = codecs->order_count, f;
	int err = 0;

	while (k-- && !err) {
		media = tandem_sdp_media(doc, i);
		for (f = 0; f < media->nformats && !is_codec(&media->formats[f], codecs->order[k]);)
			f++;
		if (f < media->nformats && media->formats[f].pt >= 0)
			err = tandem_sdp_prefer_format(doc, i, media->formats[f].pt);
	}
	return err;
}

static int change(const struct tandem_ng_codecs *codecs, struct tandem_sdp *doc, size_t i)
{
	int err = codecs->strip_count ? apply_media(codecs, doc, i) : 0;

	if (!err)
		err = reorder(codecs, doc, i);
	return !err && codecs->first ? remove_others(doc, i) : err;
}

int tandem_ng_codecs_apply(const struct tandem_ng_codecs *codecs, const char *sdp, size_t len,
			   char **outp, size_t *out_len)
{
	struct tandem_sdp *doc;
	size_t i;
	int err;

	*outp = NULL;
	if (!codecs->strip_count && !codecs->order_count && !codecs->first)
		return 0;
	err = tandem_sdp_parse(&doc, sdp, len, NULL);
	if (err)
		return err == -ENOMEM ? err : -EBADMSG;
	for (i = 0; i < tandem_sdp_media_count(doc) && !err; i++) {
		if (tandem_sdp_media(doc, i)->rtp)
			err = change(codecs, doc, i);
	}
	if (!err)
		err = tandem_sdp_print(doc, outp, out_len);
	tandem_sdp_free(doc);
	return err;
}
