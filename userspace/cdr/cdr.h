/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Call detail records: one for each attempt to call. A call is begun by the front end, told
 * what becomes of it, and its record is written once it is over. What is not over is kept
 * beside the records, so that a call outlives the process here as its media does. Writing is
 * the business of threads of its own; none of these calls waits for a disk.
 *
 * A record is a JSON object; docs/operation.md has its fields. Times are milliseconds of the
 * Unix epoch.
 */
#ifndef TANDEM_CDR_CDR_H
#define TANDEM_CDR_CDR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct tandem_cdr_config {
	const char *database; /* a path; NULL: none */
	const char *log;      /* "stdout", "syslog", a path; NULL: none */
	uint32_t keep_days;
	uint32_t max_records; /* in the database */
	uint32_t max_calls;   /* that are going on; those beyond have no record */
};

struct tandem_cdr;

/*
 * Take up the calls of an earlier run and start writing. That a file cannot be written now is
 * no error, but said in the log and in tandem_cdr_json(). -ENOMEM, -EAGAIN for want of threads.
 */
int tandem_cdr_open(struct tandem_cdr **cp, const struct tandem_cdr_config *cfg);
/* Write what waits, if it can be written. Calls that are going on stay so for the next run. */
void tandem_cdr_close(struct tandem_cdr *c);

/* What is known of a call at its first request. Strings are copied, and need not be UTF-8. */
struct tandem_cdr_call {
	const char *call_id;
	const char *from; /* URIs */
	const char *to;
	const char *uri;       /* of the request */
	const char *user;      /* who has shown a password; "" */
	const char *address;   /* "192.0.2.1:5060", that it came from */
	const char *transport; /* "udp", "tcp", ... */
	const char *agent;     /* User-Agent, or "" */
};

/* An attempt begins. One that is going on with this Call-ID stays as it is. */
void tandem_cdr_begin(struct tandem_cdr *c, const struct tandem_cdr_call *call);

/* One that is refused at once: its record is whole. */
void tandem_cdr_refused(struct tandem_cdr *c, const struct tandem_cdr_call *call, int status,
			const char *reason);

/* Where the request of a call is sent: a further one is another branch. gateway may be "". */
void tandem_cdr_branch(struct tandem_cdr *c, const char *call_id, const char *uri,
		       const char *address, const char *transport, const char *gateway);

/* A branch has answered with a final status. address NULL: the last one has not (408). */
void tandem_cdr_branch_status(struct tandem_cdr *c, const char *call_id, const char *address,
			      int status);

/*
 * A call that goes on, of which nothing was written before the process was killed. To be called
 * between open and reconcile; no-op for one that is known.
 */
void tandem_cdr_adopt(struct tandem_cdr *c, const char *call_id, const char *from, const char *to,
		      int64_t start_ms);

/* A response to the first request goes to the caller. */
void tandem_cdr_status(struct tandem_cdr *c, const char *call_id, int status, const char *reason);

/* Who is about to end the call: "caller", "callee". cause: the Reason header (RFC 3326), or "". */
void tandem_cdr_hangup(struct tandem_cdr *c, const char *call_id, const char *who,
		       const char *cause);

/*
 * A session of the call is over, and why. established: it was answered for good. report: its
 * media, see tandem_session_closing_h; taken over, may be NULL.
 */
void tandem_cdr_session_over(struct tandem_cdr *c, const char *call_id, const char *why,
			     bool established, json_t *report);

/*
 * After a start, when the sessions are there again: calls of the run before that have none
 * get their record. Later it does the same for calls that have lost theirs. exists: whether
 * there is a session with this Call-ID.
 */
typedef bool(tandem_cdr_exists_h)(const char *call_id, void *arg);
void tandem_cdr_reconcile(struct tandem_cdr *c, tandem_cdr_exists_h *exists, void *arg);

/* To be called about once a second. */
void tandem_cdr_tick(struct tandem_cdr *c);

/* The log may have been renamed: open it anew. */
void tandem_cdr_reopen(struct tandem_cdr *c);

/*
 * {"calls", "records", "dropped", "alarm": null or words, "database": {...}, "log": {...}};
 * new reference, NULL on no memory.
 */
json_t *tandem_cdr_json(struct tandem_cdr *c);

#endif
