/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a capture file says: RTP streams with their statistics, SIP calls with their messages.
 *
 * A file is read twice: for SIP first, so that a stream that begins before the answer that
 * describes it is known for what it is.
 */
#ifndef TANDEM_CAPTURE_INSPECT_H
#define TANDEM_CAPTURE_INSPECT_H

#include <jansson.h>
#include <stdio.h>

#include "userspace/capture/sip.h"
#include "userspace/capture/streams.h"

struct tandem_inspection {
	struct tandem_announces *announces;
	struct tandem_sip_log *sip;
	struct tandem_streams *streams;
	struct tandem_capture_counts counts;
	bool damaged; /* the file cannot be read to its end; why has been told */
};

/* 0 or -ENOMEM. Clean it in any case. */
int tandem_inspection_init(struct tandem_inspection *in);
void tandem_inspection_clean(struct tandem_inspection *in);

/* Read SIP, or RTP, from where c stands to its end. 0; -EBADMSG: c is damaged; -ENOMEM. */
int tandem_inspect_sip(struct tandem_inspection *in, struct tandem_capture *c);
int tandem_inspect_rtp(struct tandem_inspection *in, struct tandem_capture *c);

/*
 * Read a file, both ways. 0, also when it is damaged behind some packets: then in->damaged is set, and
 * why says where. Otherwise a negative errno, and why.
 */
int tandem_inspect_file(struct tandem_inspection *in, const char *path, char *why, size_t why_size);

/* Everything as a document, see docs/inspect.md; a new reference, NULL without memory. */
json_t *tandem_inspection_json(const struct tandem_inspection *in);

/* The messages of each call as arrows between addresses. */
void tandem_inspection_ladder(const struct tandem_inspection *in, FILE *out);

/*
 * One picture for each stream, of bitrate, loss and jitter over time, into directory dir, which is
 * made: stream-N-SSRC.svg, N as in the document. 0, or a negative errno and why.
 */
int tandem_inspection_svg(const struct tandem_inspection *in, const char *dir, char *why,
			  size_t why_size);

/* The packets of each stream of the file at path, as rtpdump: stream-N-SSRC.rtp. The same. */
int tandem_inspection_rtpdump(const struct tandem_inspection *in, const char *path, const char *dir,
			      char *why, size_t why_size);

/* Writes a stream to f, which it closes. 0 or a negative errno. */
typedef int(tandem_inspection_write_h)(const struct tandem_inspection *in,
				       const struct tandem_rtp_stream *st, FILE *f, void *arg);

/*
 * Private to these files. Call h for each stream, with a file dir/stream-N-SSRC.SUFFIX, N from 1; dir
 * is made. 0, or a negative errno and why.
 */
int tandem_inspection_write(const struct tandem_inspection *in, const char *dir, const char *suffix,
			    tandem_inspection_write_h *h, void *arg, char *why, size_t why_size);

#endif
