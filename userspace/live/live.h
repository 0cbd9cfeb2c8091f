/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets of calls, as the packet path copies them for captures, for those who take them: files
 * (stream.h) and recordings. Who takes says of each call what he wants; a thread of its own reads
 * the copies and hands each to the takers of its call. The packet path waits for nobody: what is
 * not taken in time is lost to the captures alone, and counted.
 */
#ifndef TANDEM_LIVE_LIVE_H
#define TANDEM_LIVE_LIVE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/session/tap.h"

struct tandem_live;

/* One of a kind; plane is borrowed. 0 or a negative errno. */
int tandem_live_open(struct tandem_live **capp, struct tandem_plane *plane);
/* Have the sessions ask it: to be called once, when they are there. */
void tandem_live_attach(struct tandem_live *cap, struct tandem_sessions *sessions);
/* Before the sessions are freed; all takers have left. NULL is allowed. */
void tandem_live_close(struct tandem_live *cap);

/* Whose packet it is: of a call, kept as long as somebody takes packets of it. */
struct tandem_live_call {
	uint64_t number;
	bool forward;
	char *call_id;
	char *tag[2]; /* "": not known */
};

enum tandem_live_kind {
	TANDEM_LIVE_IN,	   /* as it came; reason says what became of it, or REASON_COUNT */
	TANDEM_LIVE_OUT,   /* as it left */
	TANDEM_LIVE_CLEAR, /* what came, in the clear */
};

/* Valid until the taker's function returns. */
struct tandem_live_packet {
	enum tandem_live_kind kind;
	uint64_t ns; /* of the Unix epoch */
	const struct tandem_live_call *call;
	struct tandem_tap_flow flow;
	uint32_t leg; /* of OUT: see core/tap_abi.h */
	bool has_reason;
	uint8_t reason;	    /* of IN, if it went no further: enum reason */
	bool ethernet;	    /* it was a frame; else its headers are made up */
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
	void (*packet)(const struct tandem_live_packet *p, void *arg);
	void (*gone)(uint64_t number, void *arg); /* may be NULL: its flows are gone */
	void (*turn)(uint64_t lost, void *arg);	  /* may be NULL */
	void *arg;
	uint32_t bytes;	    /* of a packet that it wants at most; 0: all */
	unsigned int place; /* the capture's own */
};

#define TANDEM_TAKERS 32

/* From the next packet on. The taker stays the caller's. -ENOSPC; or why there are no copies. */
int tandem_live_join(struct tandem_live *cap, struct tandem_taker *taker);
/* When this returns none of its functions is called any more. */
void tandem_live_leave(struct tandem_live *cap, struct tandem_taker *taker);
/* Whatever has been copied so far is handed over when this returns. */
void tandem_live_drain(struct tandem_live *cap);
/* What takers want of calls has changed. */
void tandem_live_again(struct tandem_live *cap);

/* {"takers", "calls", "packets": handed over, "lost"} */
json_t *tandem_live_json(struct tandem_live *cap);

#endif
