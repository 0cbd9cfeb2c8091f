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

/* A binding in the table. Allocated by libre's allocator, text owned. */
struct tandem_binding {
	struct le he_aor;
	struct le he_uri;
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
	uint64_t serial; /* the higher, the newer */
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

/* Remove the bindings for which h returns true, from the store too. Returns how many. */
typedef bool(tandem_binding_h)(const struct tandem_binding *binding, void *arg);
size_t tandem_location_drop(struct tandem_location *loc, tandem_binding_h *h, void *arg);

/* Forget what has expired. */
void tandem_location_expire(struct tandem_location *loc);

size_t tandem_location_count(const struct tandem_location *loc);

/* As tandem_sip_registrations_json(). */
json_t *tandem_location_json(const struct tandem_location *loc);

#endif
