/* SPDX-License-Identifier: GPL-2.0-only */
/* The header of a packet whose SSRC is new: what is learned is one SSRC, its own, of one media. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/check.h"
#include "userspace/session/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tandem_media media[2] = { 0 };
	struct tandem_media_list list = { media, 2 };
	uint8_t *head = malloc(size ? size : 1); /* so that no byte behind it can be read */
	size_t i, n;

	memcpy(head, data, size);
	for (i = 0; i < 2; i++) {
		struct tandem_leg *leg = &media[i].leg[TANDEM_PARTY_A];

		media[i].active = true;
		leg->mid_ext = 4;
		leg->secure.mid[0] = "01"[i];
		leg->codec_count = 1;
		leg->codecs[0].pt = 96;
	}
	if (tandem_bundle_learn(&list, TANDEM_PARTY_A, 0, head, size)) {
		n = media[0].leg[0].ssrc_count + media[1].leg[0].ssrc_count;
		CHECK(n == 1 && size >= 12);
		CHECK(!tandem_bundle_learn(&list, TANDEM_PARTY_A, 0, head, size));
	}
	free(head);
	return 0;
}
