/* SPDX-License-Identifier: GPL-2.0-only */
/* a=crypto: what is taken is written and read again as the same. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/check.h"
#include "userspace/media/sdes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *value = strndup((const char *)data, size), text[TANDEM_SDES_STRLEN];
	struct tandem_sdes sdes, again;
	int err;

	if (!value)
		return 0;
	err = tandem_sdes_parse(&sdes, value);
	CHECK(!err || err == -EBADMSG || err == -ENOTSUP);
	if (!err) {
		CHECK(!tandem_sdes_format(&sdes, text, sizeof(text)));
		CHECK(!tandem_sdes_parse(&again, text));
		CHECK(again.tag == sdes.tag && tandem_sdes_same_keys(&again.srtp, &sdes.srtp));
	}
	free(value);
	return 0;
}
