/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Questions to the name servers, and a cache of the answers. Bounded: questions that
 * wait, entries, records of an answer, the time that an entry lives. What is asked by
 * several at once is asked once. Each question has a socket of its own, so who wants to
 * forge an answer has to guess its port and its id.
 */
#ifndef TANDEM_SIP_NAMES_H
#define TANDEM_SIP_NAMES_H

#include "userspace/sip/libre.h"

#define TANDEM_RECORDS_MAX 16 /* of an answer; what is beyond is left out */

/* A record of a type that SIP is routed by; text is owned by the answer. */
struct tandem_record {
	uint16_t type; /* DNS_TYPE_A, _AAAA, _SRV or _NAPTR */
	union {
		struct sa addr; /* A, AAAA; without port */
		struct {
			uint16_t priority, weight, port;
			char *target;
		} srv;
		struct {
			uint16_t order, preference;
			char *flags, *services, *regexp, *replacement;
		} naptr;
	};
};

/* Counted by libre's references. */
struct tandem_answer {
	int err; /* 0; -ENOENT: no such name or record; -ETIMEDOUT; else the servers failed */
	size_t count;
	struct tandem_record records[TANDEM_RECORDS_MAX];
};

struct tandem_names;
struct tandem_question;

/* answer is borrowed. Not called from within tandem_names_ask(). */
typedef void(tandem_answer_h)(const struct tandem_answer *answer, void *arg);

/* servers: asked in turn, copied. 0 or a negative errno. */
int tandem_names_alloc(struct tandem_names **np, const struct sa *servers, uint32_t count);

/* Handlers of questions that wait are not called. */
void tandem_names_free(struct tandem_names *n);

/*
 * Ask for the records of name. 0 with a reference in *answerp when the cache has them;
 * -EINPROGRESS with *qp, which is freed (mem_deref()) to be called no more; or another
 * negative errno: -EMSGSIZE no name, -EAGAIN too many wait, -ENOMEM.
 */
int tandem_names_ask(struct tandem_names *n, struct tandem_question **qp,
		     struct tandem_answer **answerp, const char *name, uint16_t type,
		     tandem_answer_h *h, void *arg);

/* Entries in the cache, and questions that wait. */
size_t tandem_names_cached(const struct tandem_names *n);
size_t tandem_names_waiting(const struct tandem_names *n);

/*
 * An answer from the records of type that name, or what it is an alias of, has in list (of
 * struct dnsrr). NULL on no memory. For tandem_names_ask(), and for tests.
 */
struct tandem_answer *tandem_answer_read(struct list *list, const char *name, uint16_t type);

#endif
