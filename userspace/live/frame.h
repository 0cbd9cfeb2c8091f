/* SPDX-License-Identifier: GPL-2.0-only */
/* Where in a frame its UDP payload lies. */
#ifndef TANDEM_LIVE_FRAME_H
#define TANDEM_LIVE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

/* Of an Ethernet frame, and how long it was on the network. False: there is none. */
bool tandem_frame_payload(const uint8_t *frame, uint32_t size, uint32_t *off, uint32_t *len);

#endif
