/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What outlives the process, in one SQLite file (WAL): where users are
 * registered, and which calls are up. Times are seconds of the Unix epoch.
 */
#ifndef TANDEM_STORE_H
#define TANDEM_STORE_H

#include <stddef.h>
#include <stdint.h>

struct tandem_store;

/* Open or create the database, and its directory. ":memory:" keeps it in memory. why: as text. */
int tandem_store_open(struct tandem_store **storep, const char *path, char *why, size_t why_size);
void tandem_store_close(struct tandem_store *store);

/* One binding of RFC 3261 section 10. Strings are borrowed on put, and valid within the handler on read. */
struct tandem_contact {
	const char *aor; /* sip:user@domain, canonical */
	const char *uri; /* the Contact URI as registered */
	const char *call_id;
	uint32_t cseq;
	unsigned int q;		/* q-value times 1000 */
	int64_t expires;	/* absolute */
	const char *source;	/* "ip:port" that the REGISTER came from */
	const char *transport;	/* "udp" or "tcp" */
	const char *local;	/* our "ip:port" that it reached */
	const char *path;	/* Path header values (RFC 3327) or "" */
	const char *user_agent; /* or "" */
};

/* Insert the binding or replace the one with the same aor and uri. */
int tandem_store_contact_put(struct tandem_store *store, const struct tandem_contact *contact);
/* Remove one binding (uri), or all of the aor (uri NULL). -ENOENT when there was none. */
int tandem_store_contact_remove(struct tandem_store *store, const char *aor, const char *uri);

typedef void(tandem_contact_h)(const struct tandem_contact *contact, void *arg);
/* Bindings of aor (NULL: of everybody) that expire after now, best q first, then newest. */
int tandem_store_contact_list(struct tandem_store *store, const char *aor, int64_t now,
			      tandem_contact_h *h, void *arg);
/* Delete bindings that have expired by now; returns how many, or a negative errno. */
int tandem_store_contact_expire(struct tandem_store *store, int64_t now);
/* Number of bindings stored. */
int tandem_store_contact_count(struct tandem_store *store, size_t *count);

/*
 * A session's state as JSON text, under its id, and a forward's under its name. Writing waits
 * for no lock: -EBUSY. remove: -ENOENT when there was none.
 */
int tandem_store_session_put(struct tandem_store *store, const char *id, const char *json);
int tandem_store_session_remove(struct tandem_store *store, const char *id);
typedef void(tandem_session_row_h)(const char *id, const char *json, void *arg);
int tandem_store_session_list(struct tandem_store *store, tandem_session_row_h *h, void *arg);
int tandem_store_forward_put(struct tandem_store *store, const char *name, const char *json);
int tandem_store_forward_remove(struct tandem_store *store, const char *name);
int tandem_store_forward_list(struct tandem_store *store, tandem_session_row_h *h, void *arg);

/*
 * The random key of this name, made and kept at the first call; key is filled with
 * len bytes (at most 64). Lets what was signed before a restart be verified after it.
 */
int tandem_store_secret(struct tandem_store *store, const char *name, uint8_t *key, size_t len);

/* Writes between begin and commit reach the disk together. */
int tandem_store_begin(struct tandem_store *store);
int tandem_store_commit(struct tandem_store *store);
/* Undo the writes since begin. */
void tandem_store_rollback(struct tandem_store *store);

#endif
