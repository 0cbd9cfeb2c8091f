/* SPDX-License-Identifier: GPL-2.0-only */
/* The streams of a capture as files of rtptools. */
#include <errno.h>

#include "userspace/capture/inspect.h"
#include "userspace/capture/rtpdump.h"

/* The packets of one stream: the file is read once more for each, so that one file is open at a time. */
static int save(const struct tandem_inspection *in, struct tandem_capture *c,
		const struct tandem_rtp_stream *st, FILE *f)
{
	struct tandem_rtpdump h = { .src = st->src, .dst = st->dst, .start_ns = st->first_ns };
	struct tandem_captured p;
	struct rtp_info rtp;
	int err = tandem_rtpdump_write_header(&h, f);

	while (!err && tandem_capture_next(c, &p) == 1) {
		if (tandem_streams_find(in->streams, &p, &rtp) == st)
			err = tandem_rtpdump_write(&h, f, &p.d, false, p.time_ns);
	}
	return err;
}

/* arg: the path of the capture. */
static int save_to(const struct tandem_inspection *in, const struct tandem_rtp_stream *st, FILE *f,
		   void *arg)
{
	struct tandem_capture *c;
	char why[512];
	int err = tandem_capture_open(&c, arg, why, sizeof(why));

	if (!err) {
		err = save(in, c, st, f);
		tandem_capture_close(c);
	}
	return fclose(f) && !err ? -EIO : err;
}

int tandem_inspection_rtpdump(const struct tandem_inspection *in, const char *path, const char *dir,
			      char *why, size_t why_size)
{
	return tandem_inspection_write(in, dir, "rtp", save_to, (void *)path, why, why_size);
}
