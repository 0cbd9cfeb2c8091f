/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/live/frame.h"

#include "userspace/capture/link.h"
#include "userspace/capture/pcapng.h"

bool tandem_frame_payload(const uint8_t *frame, uint32_t size, uint32_t *off, uint32_t *len)
{
	struct tandem_datagram d;

	if (tandem_link_udp(TANDEM_PCAPNG_ETHERNET, frame, size, &d) != TANDEM_LINK_UDP)
		return false;
	*off = (uint32_t)(d.payload - frame);
	*len = (uint32_t)d.full_len;
	return true;
}
