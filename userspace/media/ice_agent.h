/* SPDX-License-Identifier: GPL-2.0-only */
/* The inside of the ICE agent, shared by its files (ice*.c) alone. Sections are of RFC 8445. */
#ifndef TANDEM_MEDIA_ICE_AGENT_H
#define TANDEM_MEDIA_ICE_AGENT_H

#include "userspace/media/ice.h"
#include "userspace/media/stun.h"

enum {
	ICE_RTO_MS = 500,	 /* 14.3 */
	ICE_RC = 7,		 /* sends of one transaction (RFC 8489 6.2.1) */
	ICE_RM = 16,		 /* RTOs waited after the last of them */
	ICE_CHECKS_MAX = 32,	 /* transactions for one pair, whatever makes it be checked again */
	ICE_EARLY = 8,		 /* requests kept until the answer is there */
	ICE_EARLY_UFRAG = 32,	 /* of those with longer fragments none is kept */
	ICE_TX = 2,		 /* transactions of a pair whose answers are taken */
	ICE_NOMINATE_MS = 500,	 /* a better pair is waited for so long */
	ICE_SETTLE_MS = 2000,	 /* see select_wins() */
	ICE_ARM_MS = 4000,	 /* see selection_touch() */
	ICE_REQUEST_BURST = 100, /* requests at once, and each second */
	ICE_REFUSE_BURST = 4,	 /* answers without credentials at once, and one each second */
	ICE_UFRAG_NEW = 8,	 /* characters of new credentials, 6 bits each (5.3: 24 and 128) */
	ICE_PWD_NEW = 24,
};

#define ICE_NEVER UINT64_MAX

/* The next whole second: what need not be exact is due for all agents of a relay at once. */
static inline uint64_t ice_about(uint64_t ms)
{
	return (ms + 999) / 1000 * 1000;
}

/* A transaction that may still be answered. */
struct ice_tx {
	uint8_t id[TANDEM_STUN_ID];
	bool live;
	bool controlling; /* role it claimed */
	bool nominating;  /* it had USE-CANDIDATE */
};

/* 6.1.2.6 */
enum ice_pair_state {
	PAIR_FROZEN,
	PAIR_WAITING,
	PAIR_IN_PROGRESS,
	PAIR_SUCCEEDED,
	PAIR_FAILED,
};

struct ice_pair {
	uint64_t priority;
	uint64_t due;	   /* in progress: when to retransmit or to give up */
	uint64_t valid_ms; /* last success; 0: not valid */
	uint32_t rto;
	uint32_t triggered;	  /* place in the queue of triggered checks; 0: not in it */
	struct ice_tx tx[ICE_TX]; /* the newest first */
	uint8_t local, remote;	  /* indices */
	uint8_t state;
	uint8_t sends;	/* of the newest transaction */
	uint8_t checks; /* transactions in all */
	bool nominate;	/* controlling: to be sent with USE-CANDIDATE; controlled: came with it */
};

struct ice_remote {
	struct tandem_endpoint addr;
	uint32_t priority;
	uint32_t foundation; /* a hash of it: equal ones are thawed together, no more */
	uint8_t component;
};

/* What a full agent has besides. */
struct ice_list {
	struct ice_remote remotes[TANDEM_ICE_REMOTES];
	struct ice_pair pairs[TANDEM_ICE_PAIRS];
	size_t remotes_count, pairs_count;
	uint32_t triggered_last;
	uint64_t nominate_at[TANDEM_ICE_COMPONENTS]; /* no better pair is waited for; 0: none yet */
	bool hurry[TANDEM_ICE_COMPONENTS];	     /* that time has come */
};

struct ice_local {
	struct tandem_endpoint addr, shown;
	uint16_t preference;
	uint8_t component;
	uint8_t foundation;
};

/* The selected pair of a component. */
struct ice_selection {
	bool active;
	bool armed;    /* lite: the other side sends consent checks, so silence means something */
	uint8_t local; /* index */
	struct tandem_endpoint remote;
	uint64_t priority;
	uint64_t since;
	uint64_t nominated_ms;	  /* last time it was asked for */
	uint64_t consent_ms;	  /* last proof of consent */
	uint64_t next_consent_ms; /* full: next consent check */
	struct ice_tx tx[ICE_TX];
};

/* What a restart replaces. */
struct ice_generation {
	char *ufrag, *pwd;
	char *remote_ufrag, *remote_pwd; /* NULL: not known yet */
	bool remote_lite, controlling;	 /* of old: as they were */
	struct ice_selection selected[TANDEM_ICE_COMPONENTS];
};

/* An authenticated request from before the other side's description. */
struct ice_early {
	struct tandem_endpoint remote;
	char ufrag[ICE_EARLY_UFRAG + 1];
	uint32_t priority;
	uint8_t local;
	bool use_candidate;
};

struct ice_bucket {
	uint64_t ms;
	uint32_t tokens;
};

struct tandem_ice {
	const struct tandem_ice_ops *ops;
	void *arg;
	bool lite, remote_lite, controlling;
	bool ended; /* no more remote candidates */
	uint8_t components;
	uint8_t state; /* enum tandem_ice_state */
	uint64_t tie_breaker;
	uint64_t fail_at; /* end of patience */
	uint64_t next_ta; /* no check leaves before */
	uint64_t taken;	  /* remote candidates of this generation */
	struct ice_local locals[TANDEM_ICE_LOCALS];
	size_t locals_count;
	struct ice_generation now, old; /* old.ufrag NULL: no restart is going on */
	struct ice_list *list;		/* full: from set_remote on */
	struct ice_selection best[TANDEM_ICE_COMPONENTS]; /* both lite: what is to be selected */
	struct ice_early *early;
	size_t early_count;
	struct ice_bucket requests, refusals;
	struct tandem_ice_counters n;
};

/* ice.c */
int tandem_ice_random(void *buf, size_t len);
int tandem_ice_local_find(const struct tandem_ice *ice, const struct tandem_endpoint *addr);
/* Is anything ever to be sent there? */
bool tandem_ice_may_send(const struct tandem_ice *ice, const struct tandem_endpoint *remote);
/* Credentials wiped. */
void tandem_ice_generation_clean(struct ice_generation *gen);

/* ice_pairs.c */
uint64_t tandem_ice_pair_priority(const struct tandem_ice *ice, unsigned int local,
				  uint32_t remote_priority);
/* Forms the pairs of a new remote candidate with each local one. */
void tandem_ice_pairs_add(struct tandem_ice *ice, size_t remote);
/* Index of a remote candidate, or -1. */
int tandem_ice_remote_find(const struct tandem_ice *ice, unsigned int component,
			   const struct tandem_endpoint *addr);
struct ice_pair *tandem_ice_pair_find(struct tandem_ice *ice, unsigned int local,
				      unsigned int remote);
/* The next ordinary check (6.1.4.2), thawed if need be; NULL: none. */
struct ice_pair *tandem_ice_pair_next(const struct tandem_ice *ice);
/* The first in the queue of triggered checks; NULL: none. */
struct ice_pair *tandem_ice_pair_triggered(const struct tandem_ice *ice);
void tandem_ice_pair_trigger(struct tandem_ice *ice, struct ice_pair *pair);
/* 7.2.5.3.3: those of the same foundation need not wait. */
void tandem_ice_pairs_thaw(struct tandem_ice *ice, const struct ice_pair *pair);
/* After a change of the role. */
void tandem_ice_pairs_reorder(struct tandem_ice *ice);
/* Removes those of components above. */
void tandem_ice_pairs_trim(struct tandem_ice *ice, unsigned int components);
unsigned int tandem_ice_pair_component(const struct tandem_ice *ice, const struct ice_pair *pair);
const struct tandem_endpoint *tandem_ice_pair_remote(const struct tandem_ice *ice,
						     const struct ice_pair *pair);
/* Are ordinary checks of its component still wanted? */
bool tandem_ice_pair_wanted(const struct tandem_ice *ice, const struct ice_pair *pair);

/* ice_check.c */
/* 8.1.1: as controlling agent, ask for the pair to use when it is time. */
void tandem_ice_nominate(struct tandem_ice *ice, uint64_t now);

/* ice_select.c */
/* A nominated pair that is valid: uses it if it is to be preferred. */
void tandem_ice_select(struct tandem_ice *ice, unsigned int local,
		       const struct tandem_endpoint *remote, uint64_t priority, uint64_t now);
/* An authenticated request came in on this pair. */
void tandem_ice_selection_touch(struct ice_generation *gen, const struct tandem_ice *ice,
				unsigned int local, const struct tandem_endpoint *remote,
				uint64_t now);
struct ice_selection *tandem_ice_selection_set(struct tandem_ice *ice, unsigned int local,
					       const struct tandem_endpoint *remote,
					       uint64_t priority, uint64_t now);
/* Takes note when every component is selected. */
void tandem_ice_complete(struct tandem_ice *ice);
/* Both lite: remember the best pair; select it. */
void tandem_ice_lite_offer(struct tandem_ice *ice, unsigned int component, uint32_t priority,
			   const struct tandem_endpoint *remote);
void tandem_ice_lite_select(struct tandem_ice *ice, uint64_t now);
/* Consent checks that are due, and selected pairs whose consent is gone. */
void tandem_ice_consent_tick(struct tandem_ice *ice, uint64_t now);
uint64_t tandem_ice_consent_deadline(const struct tandem_ice *ice);

/* ice_send.c */
/* Send a check of a transaction that is set up; again, when it was sent before. local: index. */
void tandem_ice_send_check(struct tandem_ice *ice, const struct ice_generation *gen,
			   unsigned int local, const struct tandem_endpoint *remote,
			   const struct ice_tx *tx);
/* A new transaction in front of the others. false: no random numbers. */
bool tandem_ice_tx_new(struct tandem_ice *ice, struct ice_tx tx[ICE_TX], bool nominating);
void tandem_ice_send_success(struct tandem_ice *ice, const struct ice_generation *gen,
			     const struct tandem_stun *msg, const struct tandem_endpoint *local,
			     const struct tandem_endpoint *remote);
/* gen NULL: without credentials, and then never larger than the request. */
void tandem_ice_send_error(struct tandem_ice *ice, const struct ice_generation *gen,
			   const struct tandem_stun *msg, unsigned int code,
			   const struct tandem_endpoint *local,
			   const struct tandem_endpoint *remote);

/* ice_request.c */
int tandem_ice_request(struct tandem_ice *ice, const struct tandem_stun *msg, unsigned int local,
		       const struct tandem_endpoint *remote, uint64_t now);
/* What came before the description of the other side. */
void tandem_ice_early_replay(struct tandem_ice *ice, uint64_t now);

/* ice_input.c */
void tandem_ice_response(struct tandem_ice *ice, const struct tandem_stun *msg, unsigned int local,
			 const struct tandem_endpoint *remote, uint64_t now);

#endif
