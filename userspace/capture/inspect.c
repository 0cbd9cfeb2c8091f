/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/capture/inspect.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

int tandem_inspection_init(struct tandem_inspection *in)
{
	int err;

	memset(in, 0, sizeof(*in));
	err = tandem_announces_alloc(&in->announces);
	if (!err)
		err = tandem_sip_log_alloc(&in->sip);
	if (!err)
		err = tandem_streams_alloc(&in->streams, in->announces);
	return err;
}

void tandem_inspection_clean(struct tandem_inspection *in)
{
	tandem_streams_free(in->streams);
	tandem_sip_log_free(in->sip);
	tandem_announces_free(in->announces);
}

int tandem_inspect_sip(struct tandem_inspection *in, struct tandem_capture *c)
{
	struct tandem_captured p;
	int ret;

	while ((ret = tandem_capture_next(c, &p)) == 1) {
		if (tandem_sip_log_take(in->sip, &p, in->announces) < 0)
			return -ENOMEM;
	}
	in->counts = *tandem_capture_counts(c);
	return ret;
}

int tandem_inspect_rtp(struct tandem_inspection *in, struct tandem_capture *c)
{
	struct tandem_captured p;
	struct rtp_info rtp;
	int ret;

	while ((ret = tandem_capture_next(c, &p)) == 1)
		(void)tandem_streams_take(in->streams, &p, &rtp);
	return ret;
}

typedef int(inspect_h)(struct tandem_inspection *in, struct tandem_capture *c);

static int inspect_file(struct tandem_inspection *in, const char *path, inspect_h *h, char *why,
			size_t why_size)
{
	struct tandem_capture *c;
	int err = tandem_capture_open(&c, path, why, why_size);

	if (err)
		return err;
	err = h(in, c);
	if (err == -EBADMSG) {
		snprintf(why, why_size, "%s", tandem_capture_error(c));
		in->damaged = true;
		err = 0;
	} else if (err) {
		snprintf(why, why_size, "%s: %s", path, strerror(-err));
	}
	tandem_capture_close(c);
	return err;
}

int tandem_inspect_file(struct tandem_inspection *in, const char *path, char *why, size_t why_size)
{
	int err = inspect_file(in, path, tandem_inspect_sip, why, why_size);

	return err ? err : inspect_file(in, path, tandem_inspect_rtp, why, why_size);
}

int tandem_inspection_write(const struct tandem_inspection *in, const char *dir, const char *suffix,
			    tandem_inspection_write_h *h, void *arg, char *why, size_t why_size)
{
	size_t n = 0;
	int err = mkdir(dir, 0777) && errno != EEXIST ? -errno : 0;
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s", dir);
	for (size_t i = 0; i < tandem_streams_count(in->streams) && !err; i++) {
		const struct tandem_rtp_stream *st = tandem_streams_at(in->streams, i);

		if (!st->valid)
			continue;
		if (snprintf(path, sizeof(path), "%s/stream-%zu-%08x.%s", dir, ++n, st->ssrc,
			     suffix) >= (int)sizeof(path))
			err = -ENAMETOOLONG;
		f = err ? NULL : fopen(path, "we");
		if (f)
			err = h(in, st, f, arg);
		else if (!err)
			err = -errno;
	}
	if (err)
		snprintf(why, why_size, "%s: %s", path, strerror(-err));
	return err;
}
