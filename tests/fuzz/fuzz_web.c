/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SIP between WebSocket frames and a stream: what a frame becomes is one whole message of the
 * stream and no more, and what comes off a stream goes out with all of its octets but the top Via's.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/check.h"
#include "userspace/web/text.h"

#define VIA "SIP/2.0/WSS 192.0.2.1:8443"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_stream(const char *p, size_t size)
{
	ssize_t n = tandem_web_text_length(p, size);
	size_t len;
	char *out;

	CHECK(n <= (ssize_t)size);
	if (n <= 0 || tandem_web_text_outward(&out, &len, p, (size_t)n, VIA))
		return;
	CHECK(len <= (size_t)n + sizeof(VIA));
	CHECK(memmem(out, len, "\r\n\r\n", 4));
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *p = malloc(size ? size : 1), *out;
	size_t len;

	CHECK(p);
	memcpy(p, data, size);
	check_stream(p, size);
	if (!tandem_web_text_inward(&out, &len, p, size)) {
		if (len <= TANDEM_WEB_MESSAGE_MAX)
			CHECK(tandem_web_text_length(out, len) == (ssize_t)len);
		check_stream(out, len);
		free(out);
	}
	free(p);

	return 0;
}
