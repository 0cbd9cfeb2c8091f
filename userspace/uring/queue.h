/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bounded queue of datagrams between two threads, one of which puts in and one takes out.
 * Neither waits for the other. It keeps bytes, not places: short datagrams take little room.
 */
#ifndef TANDEM_URING_QUEUE_H
#define TANDEM_URING_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "userspace/util/endpoint.h"

/* What a datagram is kept with. */
struct uring_letter {
	uint64_t flow_id;
	struct tandem_endpoint local;
	struct tandem_endpoint remote;
	uint32_t len;	/* bytes kept */
	uint32_t whole; /* bytes that the datagram had */
};

struct uring_queue {
	unsigned char *bytes; /* size of them, sparse */
	uint32_t size;	      /* a power of two */
	uint32_t head, tail;  /* taken out, put in; both only grow */
};

/* Room for size bytes, a power of two. 0 or -ENOMEM. */
int tandem_uring_queue_init(struct uring_queue *q, uint32_t size);
void tandem_uring_queue_clean(struct uring_queue *q);

/* Put in a letter and letter->len bytes at payload; false when there is no room. */
bool tandem_uring_queue_put(struct uring_queue *q, const struct uring_letter *letter,
			    const void *payload);

/* Take out the oldest; payload has room for the longest that was put in. False when empty. */
bool tandem_uring_queue_take(struct uring_queue *q, struct uring_letter *letter, void *payload);

/* Is there nothing to take? For the thread that takes. */
bool tandem_uring_queue_empty(const struct uring_queue *q);

#endif
