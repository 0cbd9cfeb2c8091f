/* SPDX-License-Identifier: GPL-2.0-only */
/* A capture file, of any form, and all that is read from it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/fuzz/check.h"
#include "userspace/capture/inspect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_with(int (*h)(struct tandem_inspection *, struct tandem_capture *),
		     struct tandem_inspection *in, const uint8_t *data, size_t size)
{
	FILE *f = fmemopen((void *)data, size, "r");
	struct tandem_capture *c;
	char why[512] = "";
	int err;

	CHECK(f);
	err = tandem_capture_open_stream(&c, f, "input", why, sizeof(why));
	CHECK((err == 0) == (why[0] == '\0'));
	if (err)
		return err;
	err = h(in, c);
	CHECK(err == 0 || (err == -EBADMSG && strstr(tandem_capture_error(c), "input: packet ")));
	tandem_capture_close(c);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tandem_inspection in;
	char *text;
	size_t len;
	json_t *doc;
	FILE *f;

	if (!size || tandem_inspection_init(&in))
		return 0;
	if (!read_with(tandem_inspect_sip, &in, data, size) &&
	    !read_with(tandem_inspect_rtp, &in, data, size)) {
		doc = tandem_inspection_json(&in);
		CHECK(doc);
		json_decref(doc);
		f = open_memstream(&text, &len);
		tandem_inspection_ladder(&in, f);
		fclose(f);
		for (size_t i = 0; i < len; i++)
			CHECK(text[i] == '\n' || (text[i] >= ' ' && text[i] < 0x7f));
		free(text);
	}
	tandem_inspection_clean(&in);
	return 0;
}
