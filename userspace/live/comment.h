/* SPDX-License-Identifier: GPL-2.0-only */
/* What a captured packet is said to be, for people and for filters of other programs. */
#ifndef TANDEM_LIVE_COMMENT_H
#define TANDEM_LIVE_COMMENT_H

#include "userspace/live/live.h"

#define TANDEM_COMMENT_SIZE 512

/*
 * "call-id=... leg=a media=0 rtp ssrc=0x... in verdict=drop reason=muted", of what is known; cut
 * where it does not fit.
 */
void tandem_live_comment(const struct tandem_live_packet *p, char out[TANDEM_COMMENT_SIZE]);

#endif
