/* SPDX-License-Identifier: GPL-2.0-only */
/* What session descriptions in a capture say: who receives RTP where, and payload types. */
#ifndef TANDEM_CAPTURE_ANNOUNCE_H
#define TANDEM_CAPTURE_ANNOUNCE_H

#include "userspace/util/endpoint.h"

#define TANDEM_CODEC_NAME 24

struct tandem_codec_seen {
	char name[TANDEM_CODEC_NAME]; /* "" when not known */
	uint32_t clock_hz;	      /* 0 then */
	bool announced;		      /* by a session description, not the table of RFC 3551 */
};

struct tandem_announces;

int tandem_announces_alloc(struct tandem_announces **ap);
void tandem_announces_free(struct tandem_announces *a);

/*
 * Take the media of a description that was sent at time_ns; descriptions come in order of time.
 * What cannot be parsed says nothing. 0 or -ENOMEM.
 */
int tandem_announces_add(struct tandem_announces *a, const char *sdp, size_t len, uint64_t time_ns);

/* Does any description name this address and port for RTP? */
bool tandem_announced(const struct tandem_announces *a, const struct tandem_endpoint *ep);

/*
 * What payload type pt means from src to dst at time_ns: as the receiver said (RFC 3264 5.1), as
 * the sender did, or as in RFC 3551. Of several descriptions of one address the last before
 * time_ns counts, or else the first after it.
 */
void tandem_announces_codec(const struct tandem_announces *a, const struct tandem_endpoint *src,
			    const struct tandem_endpoint *dst, unsigned int pt, uint64_t time_ns,
			    struct tandem_codec_seen *codec);

#endif
