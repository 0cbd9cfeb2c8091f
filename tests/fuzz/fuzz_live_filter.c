/* SPDX-License-Identifier: GPL-2.0-only */
/* Which messages of SIP, and packets, a capture has: text and payload are anybody's. */
#include <stdlib.h>
#include <string.h>

#include "core/abi.h"
#include "userspace/live/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct tandem_live_filter filters[] = {
		{ .call = (char *)"a@b", .taps = RULE_F_TAP_IN },
		{ .user = (char *)"alice", .taps = RULE_F_TAP_CLEAR },
		{ .user = (char *)"alice@example.org", .taps = RULE_F_TAP_OUT },
		{ .has_ssrc = true, .ssrc = 1 },
	};
	char *text = malloc(size ? size : 1); /* so that a byte behind it is noticed */
	struct tandem_live_sip m = { .transport = "udp", .text = text, .len = size };
	struct tandem_live_packet p = { .payload = (const uint8_t *)text,
					.payload_len = (uint32_t)size };

	if (!text)
		return 0;
	memcpy(text, data, size);
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		m.sent = i & 1;
		(void)tandem_live_filter_has_sip(&filters[i], &m);
		(void)tandem_live_filter_has(&filters[i], &p);
	}
	free(text);
	return 0;
}
