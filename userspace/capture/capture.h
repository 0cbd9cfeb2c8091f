/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets of calls, as the packet path copies them for captures, for those who take them: files
 * (stream.h) and recordings. Who takes says of each call what he wants; a thread of its own reads
 * the copies and hands each to the takers of its call. The packet path waits for nobody: what is
 * not taken in time is lost to the captures alone, and counted.
 */
#ifndef TANDEM_CAPTURE_CAPTURE_H
#define TANDEM_CAPTURE_CAPTURE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/session/tap.h"

struct tandem_capture;

/* One of a kind; plane is borrowed. 0 or a negative errno. */
int tandem_capture_open(struct tandem_capture **capp, struct tandem_plane *plane);
/* Have the sessions ask it: to be called once, when they are there. */
void tandem_capture_attach(struct tandem_capture *cap, struct tandem_sessions *sessions);
/* Before the sessions are freed; all takers have left. NULL is allowed. */
void tandem_capture_close(struct tandem_capture *cap);

/* Whose packet it is: of a call, kept as long as somebody takes packets of it. */
struct tandem_captured_call {
	uint64_t number;
	bool forward;
	char *call_id;
	char *tag[2]; /* "": not known */
};

enum tandem_captured_kind {
	TANDEM_CAPTURED_IN,    /* as it came; reason says what became of it, or REASON_COUNT */
	TANDEM_CAPTURED_OUT,   /* as it left */
	TANDEM_CAPTURED_CLEAR, /* what came, in the clear */
};

/* Valid until the taker's function returns. */
struct tandem_captured {
	enum tandem_captured_kind kind;
	uint64_t ns; /* of the Unix epoch */
	const struct tandem_captured_call *call;
	struct tandem_tap_flow flow;
	uint32_t leg; /* of OUT: see core/tap_abi.h */
	bool has_reason;
	uint8_t reason;	    /* of IN, if it went no further: enum reason */
	bool ethernet;	    /* header and bytes are a frame; else they begin with the IP header */
	const void *header; /* in front of bytes; may have no length */
	uint32_t header_len;
	const void *bytes;
	uint32_t len;		/* of bytes; may be less than there was */
	uint32_t original;	/* header_len and all that was behind it */
	const uint8_t *payload; /* of UDP, in bytes; NULL: nobody knows */
	uint32_t payload_len;	/* as far as it is there */
};

/*
 * One who takes. wants and gone are called in the controller's thread; packet, and turn when there
 * are no more for the moment, in that of the captures: lost is what was lost before it could be
 * handed to anybody, since the first taker came, of whatever call.
 */
struct tandem_taker {
	uint32_t (*wants)(const struct tandem_tap_call *call, void *arg); /* RULE_F_TAPS */
	void (*packet)(const struct tandem_captured *p, void *arg);
	void (*gone)(uint64_t number, void *arg); /* may be NULL: its flows are gone */
	void (*turn)(uint64_t lost, void *arg);	  /* may be NULL */
	void *arg;
	uint32_t bytes;	    /* of a packet that it wants at most; 0: all */
	unsigned int place; /* the capture's own */
};

#define TANDEM_TAKERS 32

/* From the next packet on. The taker stays the caller's. -ENOSPC; or why there are no copies. */
int tandem_capture_join(struct tandem_capture *cap, struct tandem_taker *taker);
/* When this returns none of its functions is called any more. */
void tandem_capture_leave(struct tandem_capture *cap, struct tandem_taker *taker);
/* Whatever has been copied so far is handed over when this returns. */
void tandem_capture_drain(struct tandem_capture *cap);
/* What takers want of calls has changed. */
void tandem_capture_again(struct tandem_capture *cap);

/* {"takers", "calls", "packets": handed over, "lost"} */
json_t *tandem_capture_json(struct tandem_capture *cap);

#endif
