/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registrations that the nodes of a cluster have in common. Who carries them from node to node
 * knows a binding by its id, "NODE/RUN/NUMBER", and its text; RUN is another each time that the
 * node's process starts, NUMBER another for each binding of a run.
 *
 * A request for who is registered at another node goes there: the phone expects it from the address
 * that it has registered at, or on its connection. It is sent with a Route that has the number, and a
 * keyed hash, by which the node knows that another of the cluster has admitted it. Its media pass
 * through the first node alone.
 */
#ifndef TANDEM_SIP_SHARED_H
#define TANDEM_SIP_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tandem_sip;

#define TANDEM_SHARED_KEY_SIZE 20

enum tandem_shared_address {
	TANDEM_SHARED_OWN,  /* stays with the node */
	TANDEM_SHARED_HERE, /* moves between nodes, and is at this one now */
	TANDEM_SHARED_AWAY, /* the same, but at another, or at none */
};

/* Strings are borrowed for as long as they are shared. */
struct tandem_shared_config {
	const char *node; /* its own name, without a slash */
	const char *run;  /* likewise */
	/* A binding made here is there, and is another than any before; or it is gone. */
	void (*changed_h)(uint64_t number, bool gone, void *arg);
	/* A binding of another node is to go: by a REGISTER here, or in place of a node that is gone. */
	void (*removed_h)(const char *id, void *arg);
	/* Is that node there? */
	bool (*alive_h)(const char *node, void *arg);
	/* What is this address of a listener to this node? */
	enum tandem_shared_address (*address_h)(const char *ip, void *arg);
	void *arg;
};

/*
 * Begin to share. The others reach the node where it listens first by UDP, TCP or TLS at an address of
 * its own. -EADDRNOTAVAIL: there is none, -ENOMEM.
 */
int tandem_sip_share(struct tandem_sip *ts, const struct tandem_shared_config *cfg);
/* End it: what other nodes have is forgotten. */
void tandem_sip_share_end(struct tandem_sip *ts);

/* What all nodes make their hashes with; until then no request goes to another. */
void tandem_sip_share_key(struct tandem_sip *ts, const uint8_t key[TANDEM_SHARED_KEY_SIZE]);

/* Call changed_h for each binding that was made here. */
void tandem_sip_shared_tell(struct tandem_sip *ts);

/* The text of a binding made here, to be freed; NULL when it is gone, or has none. */
char *tandem_sip_shared_text(const struct tandem_sip *ts, uint64_t number);

/*
 * Another node has, or still has, the binding of this id; what it has of one id does not change. 0;
 * -EALREADY another binding is newer, -EBADMSG this is none, -ENOSPC there are too many, -ENOMEM.
 */
int tandem_sip_shared_take(struct tandem_sip *ts, const char *id, const char *text);

/* The binding of this id, of this node or another, is to go. */
void tandem_sip_shared_drop(struct tandem_sip *ts, const char *id);

/* Between these all bindings of node, NULL: of all others, are taken; what is not named goes. */
void tandem_sip_shared_mark(struct tandem_sip *ts, const char *node);
void tandem_sip_shared_sweep(struct tandem_sip *ts, const char *node);

#endif
