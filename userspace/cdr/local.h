/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside userspace/cdr: the calls that are going on, and the writers. */
#ifndef TANDEM_CDR_LOCAL_H
#define TANDEM_CDR_LOCAL_H

#include "userspace/cdr/cdr.h"
#include "userspace/cdr/sink.h"
#include "userspace/cdr/spool.h"
#include "userspace/cdr/table.h"

#define TANDEM_CDR_BUCKETS 4096

/* Operations in the spool of the database. */
enum tandem_cdr_op {
	TANDEM_CDR_OPEN, /* a call is going on */
	TANDEM_CDR_DONE, /* its record */
};

struct tandem_cdr_entry {
	struct tandem_cdr_entry *next; /* of the bucket */
	char *call_id;
	json_t *doc;
	bool answered;
	bool over;
	bool adopted; /* from the run before */
};

struct tandem_cdr {
	struct tandem_cdr_config cfg; /* strings are copies */
	struct tandem_cdr_entry *buckets[TANDEM_CDR_BUCKETS];
	uint64_t seed;
	size_t calls;
	uint64_t records;
	uint64_t dropped; /* calls that there was no room for */
	struct tandem_spool *db_spool;
	struct tandem_spool *log_spool;
	struct tandem_cdr_sink *sink;
	struct tandem_cdr_table *table; /* of the spool's thread, once that runs */
	int64_t expired_ms;		/* when old records were looked for; of that thread */
};

/* writer.c */

/* Read the calls of the run before, then start the threads. h is called for each of the calls. */
int tandem_cdr_writer_open(struct tandem_cdr *c, tandem_cdr_open_h *h, void *arg);
void tandem_cdr_writer_close(struct tandem_cdr *c);

/* Have a call's state, or its record, written. */
void tandem_cdr_write_open(struct tandem_cdr *c, const char *call_id, const json_t *doc);
void tandem_cdr_write_done(struct tandem_cdr *c, const char *call_id, const json_t *doc);

/* Milliseconds of the Unix epoch. */
int64_t tandem_cdr_now(void);

#endif
