/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the streams of a key set have counted, for another host that takes the set up: how far the
 * indices of RTP (rollover counter and sequence number, RFC 3711 3.3.1) and of SRTCP (3.4) have come.
 */
#ifndef TANDEM_DATAPATH_SRTP_SEEDS_H
#define TANDEM_DATAPATH_SRTP_SEEDS_H

#include <stddef.h>

#include "core/srtp_abi.h"
#include "userspace/datapath/datapath.h"

/*
 * What is sent there by SRTCP begins so much further on: what this host has sent since it was asked
 * must not have the index of anything that the other one sends (RFC 3711 9.1). RTP needs no such
 * step, as its index is the sender's sequence number: no other packet has the same.
 */
#define TANDEM_SRTCP_STEP (1U << 20)

/* Read n streams. False: the set is one that nothing may be sealed with. */
bool tandem_srtp_seed_read(const struct srtp_stream *streams, uint32_t n,
			   struct tandem_srtp_seed *seed);

/*
 * Begin n streams, which are all 0, where those of another host were. All that it may have taken
 * is taken, so none of it is heard again; `out`: they are to be sent with.
 */
void tandem_srtp_seed_write(struct srtp_stream *streams, uint32_t n,
			    const struct tandem_srtp_seed *seed);

#endif
