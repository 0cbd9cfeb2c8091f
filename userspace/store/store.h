/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What outlives the process, in one SQLite file (WAL): who the users are, where they are
 * registered, and which calls are up. Times are seconds of the Unix epoch.
 */
#ifndef TANDEM_STORE_H
#define TANDEM_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/util/digest.h"

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
	const char *instance;	/* +sip.instance of a contact with a reg-id (RFC 5626), or "" */
	uint32_t reg_id;	/* 0: none */
};

/* Insert the binding or replace the one with the same aor, uri, instance and reg_id. */
int tandem_store_contact_put(struct tandem_store *store, const struct tandem_contact *contact);
/* Remove the binding with the keys of contact, or all of its aor (uri NULL). -ENOENT when there was none. */
int tandem_store_contact_remove(struct tandem_store *store, const struct tandem_contact *contact);

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

/* Who may register and call. Of the password there are only digests that hold for one realm. */
struct tandem_user {
	char name[TANDEM_USER_SIZE];
	char realm[TANDEM_REALM_SIZE];
	bool has[TANDEM_DIGEST_ALGS];
	uint8_t ha1[TANDEM_DIGEST_ALGS][TANDEM_DIGEST_MAX]; /* tandem_digest_ha1() */
	uint32_t max_contacts;				    /* 0: as the configuration says */
};

/* -EINVAL for a name or realm that may not be; add: -EEXIST; the others: -ENOENT. */
int tandem_store_user_add(struct tandem_store *store, const struct tandem_user *user);
/* Replace realm and digests of the user with this name. */
int tandem_store_user_passwd(struct tandem_store *store, const struct tandem_user *user);
int tandem_store_user_remove(struct tandem_store *store, const char *name);
int tandem_store_user_get(struct tandem_store *store, const char *name, struct tandem_user *user);
typedef void(tandem_user_h)(const struct tandem_user *user, void *arg);
/* All users by name. */
int tandem_store_user_list(struct tandem_store *store, tandem_user_h *h, void *arg);
/* How many users have been removed since the store was made. */
int tandem_store_user_removals(struct tandem_store *store, uint64_t *count);
/* True once a user was added, whatever became of them. */
int tandem_store_users_seen(struct tandem_store *store, bool *seen);

/* A truth that outlives the process, under a name; one never set is false. */
int tandem_store_flag_get(struct tandem_store *store, const char *name, bool *set);
int tandem_store_flag_set(struct tandem_store *store, const char *name, bool set);

/* Networks whose requests are dropped, as text; until 0: for good. Put replaces. */
int tandem_store_block_put(struct tandem_store *store, const char *network, int64_t since,
			   int64_t until);
int tandem_store_block_remove(struct tandem_store *store, const char *network);
typedef void(tandem_block_row_h)(const char *network, int64_t since, int64_t until, void *arg);
int tandem_store_block_list(struct tandem_store *store, tandem_block_row_h *h, void *arg);

/* A number that differs from that of before when another process has written to the store. */
int tandem_store_foreign_changes(struct tandem_store *store, int64_t *version);

/*
 * The random key of this name, made and kept at the first call; key is filled with
 * len bytes (at most 64). Lets what was signed before a restart be verified after it.
 */
int tandem_store_secret(struct tandem_store *store, const char *name, uint8_t *key, size_t len);

/*
 * Writes between begin and commit reach the disk together. The second one is for what need not
 * survive the machine, as sessions: it waits for no lock (-EBUSY), nor its commit for the disk.
 */
int tandem_store_begin(struct tandem_store *store);
int tandem_store_begin_at_once(struct tandem_store *store);
int tandem_store_commit(struct tandem_store *store);
/* Undo the writes since begin. */
void tandem_store_rollback(struct tandem_store *store);

#endif
