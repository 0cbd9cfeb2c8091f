/* SPDX-License-Identifier: GPL-2.0-only */
/* How a call is, in words: the first thing to say when somebody hears nothing. */
#ifndef TANDEM_SESSION_VERDICT_H
#define TANDEM_SESSION_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/util/endpoint.h"

/* What a party sends, over all its relayed media. RTCP does not count. */
struct tandem_verdict_side {
	const char *obstacle; /* why it has no keys yet; NULL: it has, or needs none */
	bool may_send;	      /* by the directions negotiated */
	bool full;	      /* packets are dropped, as a key has no room for their SSRC */
	bool blocked;	      /* by command; at least one of its media */
	bool silenced;	      /* likewise */
	uint64_t packets;     /* forwarded; with a command, accounted */
	uint64_t last_ms;     /* when the last one was, monotonic */
	uint64_t unknown;     /* came to its port from another source, and were dropped */
	struct tandem_endpoint unknown_from; /* the last of those */
	struct tandem_endpoint expected_from;
};

struct tandem_verdict_input {
	bool answered; /* for good, by a 2xx */
	bool relayed;  /* at least one media passes through the relay */
	bool held;
	uint64_t now_ms;		    /* by the clock of last_ms */
	struct tandem_verdict_side side[2]; /* caller, callee */
};

#define TANDEM_VERDICT_SIZE 256

/*
 * "not answered", "not relayed" (no media passes here), "on hold", "two-way",
 * "one-way: caller is silent", "one-way: callee is silent", "one-way as negotiated",
 * "no media", "no media for 42 s", "no keys with the caller: DTLS goes on", or "media from an unexpected source: NAT mismatch
 * (caller) 192.0.2.9:4000 instead of 10.0.0.1:5000".
 *
 * Where packets are dropped as a key of SRTP has no room for a further SSRC, that is said first, and then
 * how it is otherwise: "packets of the caller are dropped: no room for their SSRC under the key; else
 * two-way". It is so until the next description brings another key.
 *
 * What commands block or silence is said first, too: "media of the caller is blocked by command; else
 * two-way"; who is blocked is heard by the relay all the same.
 *
 * A party is silent that has sent nothing, or nothing for 10 s while the other did.
 * There is no media for so long when both were heard, and neither in the last 10 s.
 * Returns buf.
 */
const char *tandem_verdict(const struct tandem_verdict_input *in, char *buf, size_t size);

#endif
