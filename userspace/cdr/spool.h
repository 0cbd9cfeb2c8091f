/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bounded queue with a thread that writes what is in it, in batches: a disk that is slow
 * or full costs the thread that puts nothing. What cannot be written waits and is tried
 * again every second; what finds the queue full is dropped and counted.
 */
#ifndef TANDEM_CDR_SPOOL_H
#define TANDEM_CDR_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is put: an operation of the writer's on a key, with a text. Both strings are malloc'd. */
struct tandem_spool_item {
	struct tandem_spool_item *next;
	int op;
	char *key;
	char *text;
	int64_t start_ms;
	int64_t end_ms;
	int status;
};

/* A new item with copies of both strings (NULL stays NULL); NULL on no memory. */
struct tandem_spool_item *tandem_spool_item_alloc(int op, const char *key, const char *text);
void tandem_spool_item_free(struct tandem_spool_item *item);

/*
 * Write all items of a chain, or none of them: 0, or a negative errno with why, and they come
 * again. Called in the spool's thread, also with an empty chain (NULL) about once a minute.
 */
typedef int(tandem_spool_write_h)(const struct tandem_spool_item *first, char *why, size_t why_size,
				  void *arg);

struct tandem_spool;

/* name: what it writes, for the log. room: items at most. The strings are borrowed. */
int tandem_spool_open(struct tandem_spool **sp, const char *name, size_t room,
		      tandem_spool_write_h *h, void *arg);

/*
 * Write what is waiting, for as long as that succeeds, and stop the thread. What is left is
 * dropped and said in the log.
 */
void tandem_spool_close(struct tandem_spool *s);

/* Takes over item. False: there was no room (or item is NULL), and it was dropped. */
bool tandem_spool_put(struct tandem_spool *s, struct tandem_spool_item *item);

struct tandem_spool_stats {
	size_t waiting;
	uint64_t written;
	uint64_t dropped;
	uint64_t failures; /* attempts to write that failed */
	bool failing;	   /* the last one did */
	char why[256];	   /* why, while failing */
};

void tandem_spool_stats(struct tandem_spool *s, struct tandem_spool_stats *stats);

#endif
