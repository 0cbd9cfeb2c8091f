/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The RTP streams of a capture, each an SSRC from one address to another, accounted by
 * core/stream.h (RFC 3550 A.1, A.3, A.8). A stream is one from its second packet in sequence on, as
 * in A.1; or from the first, when a session description names where it goes.
 */
#ifndef TANDEM_CAPTURE_STREAMS_H
#define TANDEM_CAPTURE_STREAMS_H

#include "core/stream.h"
#include "userspace/capture/announce.h"
#include "userspace/capture/read.h"
#include "userspace/capture/series.h"

/* Candidates and streams of a file; more are counted, and not looked at. */
#define TANDEM_STREAMS_MAX (1 << 17)

struct tandem_rtp_packet {
	struct rtp_info info;
	uint64_t time_ns;
	size_t len; /* of UDP payload */
};

struct tandem_rtp_stream {
	struct tandem_endpoint src, dst;
	uint32_t ssrc;
	bool valid;			/* else it is a candidate, */
	struct tandem_rtp_packet first; /* with this as its last packet */

	struct stream s;
	struct stream_more more;
	struct tandem_codec_seen codec; /* of the last payload type */
	struct tandem_codec_seen main;	/* of the first that is no telephone-event or CN */
	uint64_t pts[2];		/* payload types, as bits */
	uint64_t first_ns, last_ns;	/* arrival */
	uint64_t octets;		/* of UDP payload */
	uint64_t delta_max_ns;
	uint64_t jitter_sum_ns, jitter_count;
	uint64_t media_ns;   /* what timestamps have come to, since the first */
	int64_t skew_max_ns; /* of media_ns less the time that it took: the one farthest from 0 */
	uint32_t ts_jumps;   /* of timestamps within a sequence, by more than 2 s */
	struct tandem_series series;
};

struct tandem_streams;

/* announces is borrowed. */
int tandem_streams_alloc(struct tandem_streams **sp, const struct tandem_announces *announces);
void tandem_streams_free(struct tandem_streams *s);

/*
 * Take a datagram. Returns the stream that it belongs to, or NULL: it is no RTP, of a mere
 * candidate, or there is no memory. With *rtp what its header says.
 */
struct tandem_rtp_stream *tandem_streams_take(struct tandem_streams *s,
					      const struct tandem_captured *p,
					      struct rtp_info *rtp);

/* The stream that a datagram of RTP belongs to, without accounting: for a second reading. */
struct tandem_rtp_stream *tandem_streams_find(const struct tandem_streams *s,
					      const struct tandem_captured *p,
					      struct rtp_info *rtp);

/* Entries, in the order of their first packets; those that are not valid are no streams. */
size_t tandem_streams_count(const struct tandem_streams *s);
struct tandem_rtp_stream *tandem_streams_at(const struct tandem_streams *s, size_t i);

/* Packets of RTCP (RFC 5761 4), and those of candidates beyond the table. */
uint64_t tandem_streams_rtcp(const struct tandem_streams *s);
uint64_t tandem_streams_missed(const struct tandem_streams *s);

/* Is it RTCP? By its first two octets, RFC 5761 4. */
bool tandem_datagram_is_rtcp(const struct tandem_udp *d);

#endif
