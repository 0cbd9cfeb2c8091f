/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Call records in an SQLite file of their own (WAL), and the calls that have no record yet.
 * A handle is used by one thread at a time; several processes may have the file open.
 */
#ifndef TANDEM_CDR_TABLE_H
#define TANDEM_CDR_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct tandem_cdr_table;

/* Open the file, or make it with its directory. read_only: it has to be there. why: as text. */
int tandem_cdr_table_open(struct tandem_cdr_table **tp, const char *path, int read_only, char *why,
			  size_t why_size);
void tandem_cdr_table_close(struct tandem_cdr_table *t);

/* SQLite's words for the last error. */
const char *tandem_cdr_table_error(const struct tandem_cdr_table *t);

int tandem_cdr_table_begin(struct tandem_cdr_table *t);
int tandem_cdr_table_commit(struct tandem_cdr_table *t);
void tandem_cdr_table_rollback(struct tandem_cdr_table *t);

/* A call that is going on, as JSON text: insert or replace it. */
int tandem_cdr_table_put_open(struct tandem_cdr_table *t, const char *call_id, const char *json);

/* The record of a call that is over; it is no longer one that is going on. */
struct tandem_cdr_row {
	int64_t id; /* as it was found; not used on put */
	const char *call_id;
	int64_t start_ms, end_ms; /* of the Unix epoch */
	int status;
	const char *json;
};
int tandem_cdr_table_put(struct tandem_cdr_table *t, const struct tandem_cdr_row *row);

typedef void(tandem_cdr_open_h)(const char *call_id, const char *json, void *arg);
int tandem_cdr_table_list_open(struct tandem_cdr_table *t, tandem_cdr_open_h *h, void *arg);

typedef void(tandem_cdr_row_h)(const struct tandem_cdr_row *row, void *arg);

/* Records that began at since_ms or later, at most limit of them: the last ones, oldest first. */
int tandem_cdr_table_list(struct tandem_cdr_table *t, int64_t since_ms, uint32_t limit,
			  tandem_cdr_row_h *h, void *arg);

/* All records with this Call-ID, or the one of this number. */
int tandem_cdr_table_find(struct tandem_cdr_table *t, const char *name, tandem_cdr_row_h *h,
			  void *arg);

/* Delete records that ended before before_ms, and the oldest beyond max of them. */
int tandem_cdr_table_expire(struct tandem_cdr_table *t, int64_t before_ms, uint32_t max);

#endif
