/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The location service: bindings from addresses of record to contacts, in memory,
 * and in the store before anybody is told.
 */
#ifndef TANDEM_SIP_LOCATION_H
#define TANDEM_SIP_LOCATION_H

#include "userspace/sip/libre.h"

#include "userspace/sip/sip.h"

struct tandem_location;

/* Of a binding that another node of the cluster has: see shared.h. */
struct tandem_remote {
	char *id; /* "NODE/RUN/NUMBER" */
	char *node;
	char *hop;	 /* the URI that the node is reached at */
	uint64_t number; /* its serial there */
	bool stale;	 /* nobody has named it since tandem_location_mark() */
};

/* A binding in the table. Allocated by libre's allocator, text owned. */
struct tandem_binding {
	struct le he_aor;
	struct le he_uri;
	struct le he_id;	      /* by serial, or by the id of remote */
	struct tandem_remote *remote; /* NULL: it was made here */
	char *aor;
	char *uri;
	char *call_id;
	char *source;
	char *local;
	char *path;
	char *user_agent;
	char *instance; /* of a contact with a reg-id, else "" */
	uint32_t reg_id;
	uint32_t cseq;
	unsigned int q; /* times 1000 */
	int64_t expires;
	enum sip_transp tp;
	void *conn;	 /* libre's connection that the REGISTER came on, referenced; NULL: UDP */
	uint64_t serial; /* the higher, the newer; of no other binding of this table */
};

/* One change of a REGISTER: put set, remove set, or both to replace. */
struct tandem_binding_change {
	struct tandem_binding *put;    /* owned by the change until applied */
	struct tandem_binding *remove; /* borrowed from the table */
};

/* Create the table and read what the store (may be NULL) holds. 0 or a negative errno. */
int tandem_location_alloc(struct tandem_location **locp, struct tandem_store *store);
void tandem_location_free(struct tandem_location *loc);

/* A binding that is not in the table yet, from its stored form. NULL on no memory. */
struct tandem_binding *tandem_binding_alloc(const struct tandem_contact *contact);

/* The form that is stored; text is borrowed. */
struct tandem_contact tandem_binding_contact(const struct tandem_binding *b);

/* True while the TCP connection that the contact registered on is open. */
bool tandem_binding_connected(const struct tandem_binding *b);

/*
 * All changes or none: in the store first (one transaction), then here. Bindings
 * to put are taken over when 0 is returned.
 */
int tandem_location_apply(struct tandem_location *loc, struct tandem_binding_change *changes,
			  size_t count);

/*
 * Up to max bindings of aor that have not expired, best q first, then newest.
 * Returns how many there are, which may be more than max. list may be NULL.
 */
size_t tandem_location_find(const struct tandem_location *loc, const char *aor,
			    struct tandem_binding **list, size_t max);

/* The only unexpired binding with this contact URI; NULL when there is none, or several. */
const struct tandem_binding *tandem_location_find_uri(const struct tandem_location *loc,
						      const struct pl *uri);

/* Remove the bindings made here for which h returns true, from the store too. Returns how many. */
typedef bool(tandem_binding_h)(const struct tandem_binding *binding, void *arg);
size_t tandem_location_drop(struct tandem_location *loc, tandem_binding_h *h, void *arg);

/* Forget what has expired. */
void tandem_location_expire(struct tandem_location *loc);

/* Those that were made here. */
size_t tandem_location_count(const struct tandem_location *loc);

/*
 * Have h told of each binding that has been made here, or is about to go; and of those of other
 * nodes that a REGISTER here removes or replaces, or that have expired.
 */
typedef void(tandem_binding_changed_h)(const struct tandem_binding *binding, bool gone, void *arg);
void tandem_location_on_change(struct tandem_location *loc, tandem_binding_changed_h *h, void *arg);

/* Call h for each, also those of other nodes. */
typedef void(tandem_binding_each_h)(const struct tandem_binding *binding, void *arg);
void tandem_location_each(const struct tandem_location *loc, tandem_binding_each_h *h, void *arg);

/* The unexpired one that was made here with this serial; or of another node, with this id. Or NULL. */
struct tandem_binding *tandem_location_by_serial(const struct tandem_location *loc,
						 uint64_t serial);
struct tandem_binding *tandem_location_by_id(const struct tandem_location *loc, const char *id);

/*
 * Take a binding of another node. Of several for the same contact of an address of record the one
 * that expires last stays, wherever it was made. 0: it is in the table; else it is the caller's:
 * -EALREADY there is one that stays instead, -ENOSPC there is room for max of other nodes.
 */
int tandem_location_take(struct tandem_location *loc, struct tandem_binding *b, size_t max);

/* Remove one, from the store too if it was made here. */
void tandem_location_remove(struct tandem_location *loc, struct tandem_binding *b);

/* Note that nobody has named those of node (NULL: of any other) yet; and remove those it is so of still. */
void tandem_location_mark(struct tandem_location *loc, const char *node);
void tandem_location_sweep(struct tandem_location *loc, const char *node);

/* location_json.c */

/* As tandem_sip_registrations_json(). */
json_t *tandem_location_json(const struct tandem_location *loc);

/* What came from the network, which need not be UTF-8: other octets are shown as '?'. */
json_t *tandem_location_text(const char *text);

#endif
