/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An ICE agent (RFC 8445) for one media stream, as a state machine: datagrams, descriptions and
 * the time come from the caller; datagrams to be sent and results go to callbacks. It has no
 * sockets and no threads; one agent is used from one thread at a time, many agents are
 * independent of each other.
 *
 * LITE (RFC 8445 2.5) answers checks and sends none; for relays with addresses that all can reach.
 * FULL checks by itself, in either role, with regular nomination. Both take part in trickle ICE
 * (RFC 8838) as half trickle: local candidates are all there from the start, remote ones may
 * come at any time. Local candidates are host candidates, given at alloc.
 *
 * Course of a call, as offerer:    alloc, write the offer | set_remote, add_remote..., end | input, tick
 *                    as answerer:  alloc, set_remote, add_remote..., end, write the answer | input, tick
 * Checks that come before the answer (set_remote) are answered, and count when it is there.
 *
 * Nothing is learned from a message without the right MESSAGE-INTEGRITY. Nothing is ever sent to
 * an address for which allowed() is false, nor to a group or port 0, whoever names it. Checks leave
 * at most one in TANDEM_ICE_TA_MS, retransmissions included, until TANDEM_ICE_PATIENCE_MS after the
 * last change of remote candidates, of which there are at most TANDEM_ICE_REMOTES. Responses are
 * fewer than requests, and larger only by mandatory attributes.
 *
 * Times are milliseconds of a clock that does not go back.
 */
#ifndef TANDEM_MEDIA_ICE_H
#define TANDEM_MEDIA_ICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/media/candidate.h"
#include "userspace/util/endpoint.h"

enum {
	TANDEM_ICE_LOCALS = 8,		    /* local candidates, over all components */
	TANDEM_ICE_REMOTES = 64,	    /* remote candidates, those from checks included */
	TANDEM_ICE_PAIRS = 100,		    /* candidate pairs (RFC 8445 6.1.2.5) */
	TANDEM_ICE_TA_MS = 50,		    /* pacing (RFC 8445 14.2) */
	TANDEM_ICE_PATIENCE_MS = 40000,	    /* before checks fail (RFC 8863: at least 39.5 s) */
	TANDEM_ICE_CONSENT_MS = 5000,	    /* between consent checks, +-20 % (RFC 7675 5.1) */
	TANDEM_ICE_CONSENT_LOST_MS = 30000, /* without an answer */
	TANDEM_ICE_MESSAGE_MAX = 1024,	    /* bytes of the longest message that is sent */
};

enum tandem_ice_state {
	TANDEM_ICE_WAITING,   /* for set_remote */
	TANDEM_ICE_CHECKING,  /* no pair for some component yet */
	TANDEM_ICE_CONNECTED, /* each component has its selected pair */
	TANDEM_ICE_FAILED,    /* no pair in time */
	TANDEM_ICE_LOST,      /* consent is gone: sending must have stopped */
};

/* A local candidate. The first of a component has the highest priority. */
struct tandem_ice_local {
	unsigned int component;	      /* from 1 */
	struct tandem_endpoint addr;  /* where datagrams come in and leave */
	struct tandem_endpoint shown; /* in descriptions, behind a 1:1 NAT; port 0: addr itself */
};

/* What an agent asks of its owner. Handlers may read the agent but not change or free it. */
struct tandem_ice_ops {
	/* Send a datagram. Loss is no error. */
	void (*send)(const struct tandem_endpoint *local, const struct tandem_endpoint *remote,
		     const void *data, size_t len, void *arg);
	/* May anything be sent there? Asked for each remote candidate and each message. */
	bool (*allowed)(const struct tandem_endpoint *remote, void *arg);
	/* Media of the component goes between these from now on. May come again with others. */
	void (*selected)(unsigned int component, const struct tandem_endpoint *local,
			 const struct tandem_endpoint *remote, void *arg);
	/* No pair was found in time; a selected pair of before a restart stays. */
	void (*failed)(void *arg);
	/* Nothing must be sent on the component any more, until it is selected again. */
	void (*consent_lost)(unsigned int component, void *arg);
};

struct tandem_ice_config {
	bool lite;
	bool controlling; /* the offerer of the session (RFC 8445 6.1.1); corrected as that says */
	unsigned int components; /* 1 with rtcp-mux, else 2 */
	const struct tandem_ice_local *locals;
	size_t locals_count;
	/* To take up an agent of before: its credentials. NULL: new ones. */
	const char *ufrag, *pwd;
	uint64_t tie_breaker; /* 0: a random one */
	const struct tandem_ice_ops *ops;
	void *arg;
};

/* The other side, as its description has it. Strings are copied. */
struct tandem_ice_remote {
	const char *ufrag, *pwd;
	bool lite; /* a=ice-lite */
};

/* What was counted; one line each: name, meaning. */
#define TANDEM_ICE_COUNTERS(X)                                                                     \
	X(requests, "Binding requests taken")                                                      \
	X(indications, "Binding indications taken")                                                \
	X(responses, "responses to checks taken")                                                  \
	X(not_stun, "datagrams that are no STUN message, or a malformed one")                      \
	X(not_ours, "messages on an address that is no local candidate")                           \
	X(bad_auth, "requests with missing or wrong credentials")                                  \
	X(unknown_attribute, "requests refused for an attribute that is not known (420)")          \
	X(role_conflict, "requests refused for the role they claim (487)")                         \
	X(role_switched, "changes of the own role")                                                \
	X(limited, "requests dropped as too many came")                                            \
	X(stray, "responses that match no check, or come from elsewhere")                          \
	X(bad_response, "responses without right MESSAGE-INTEGRITY or content")                    \
	X(checks_sent, "checks sent, without retransmissions")                                     \
	X(retransmits, "retransmissions of checks")                                                \
	X(consents_sent, "consent checks sent")                                                    \
	X(replies_sent, "success responses sent")                                                  \
	X(errors_sent, "error responses sent")                                                     \
	X(remote_taken, "remote candidates taken from descriptions")                               \
	X(remote_learned, "peer-reflexive remote candidates")                                      \
	X(remote_tcp, "remote candidates ignored: not UDP")                                        \
	X(remote_name, "remote candidates ignored: a name (mDNS) in place of an address")          \
	X(remote_family, "remote candidates ignored: no local address of their family")            \
	X(remote_component, "remote candidates ignored: no such component here")                   \
	X(remote_denied, "remote candidates and sources refused: nothing may be sent there")       \
	X(remote_full, "remote candidates and pairs beyond the limits")                            \
	X(remote_again, "remote candidates that were there already")

struct tandem_ice_counters {
#define X(name, help) uint64_t name;
	TANDEM_ICE_COUNTERS(X)
#undef X
};

struct tandem_ice;

/**
 * A new agent. Its credentials are from the kernel's random numbers unless they are given.
 *
 * @return 0; -EINVAL: no send, allowed or selected, a component without a local candidate, too many
 *         of them, or bad credentials; -ENOMEM; -EIO: no random numbers
 */
int tandem_ice_alloc(struct tandem_ice **icep, const struct tandem_ice_config *cfg);
void tandem_ice_free(struct tandem_ice *ice);

/** What to write in a description: a=ice-ufrag, a=ice-pwd. Valid until restart or free. */
const char *tandem_ice_ufrag(const struct tandem_ice *ice);
const char *tandem_ice_pwd(const struct tandem_ice *ice);

/** The other side's, as set_remote was given them; NULL before. */
const char *tandem_ice_remote_ufrag(const struct tandem_ice *ice);
const char *tandem_ice_remote_pwd(const struct tandem_ice *ice);

/** Local candidate i, from 0, as it is to be written; -ENOENT behind the last. */
int tandem_ice_local_candidate(const struct tandem_ice *ice, size_t i, struct tandem_candidate *c);

/**
 * Go on with fewer components: the answer has agreed to rtcp-mux. Those above are forgotten. Or with
 * as many again as have local candidates, as a later description has it: the remote candidates of
 * those that are added are to be given after that, and have as long to be reached as at first.
 *
 * @return 0; -EINVAL for 0, or where one has no local candidate
 */
int tandem_ice_set_components(struct tandem_ice *ice, unsigned int components, uint64_t now);

/**
 * The credentials of the other side, from its first description or the first after a restart.
 * The same ones again change nothing. When both sides are lite, which is for the offerer to see,
 * pairs are selected when candidates have ended, without checks (RFC 8445 8.2).
 *
 * @return 0; -EINVAL: not valid credentials; -EBUSY: they differ from those that are known: the
 *         other side has restarted (RFC 8445 9), so call restart before; -ENOMEM
 */
int tandem_ice_set_remote(struct tandem_ice *ice, const struct tandem_ice_remote *remote,
			  uint64_t now);

/** Do these differ from the known ones, so that restart is to be called? False before the first. */
bool tandem_ice_remote_restarts(const struct tandem_ice *ice, const char *ufrag, const char *pwd);

/**
 * A remote candidate, from a description or trickled. Everything that cannot be used is counted
 * and does no harm, so that the result may be ignored.
 *
 * @return 0: taken (by a lite agent: allowed, it needs no candidates of a full one);
 *         -EPROTONOSUPPORT: not UDP; -EADDRNOTAVAIL: a name; -EAFNOSUPPORT: no local address of
 *         its family; -ENOENT: no such component; -EACCES: not allowed; -EEXIST: known;
 *         -ENOSPC: too many; -EINVAL: before set_remote
 */
int tandem_ice_add_remote(struct tandem_ice *ice, const struct tandem_candidate *c, uint64_t now);

/** a=end-of-candidates, or a description without trickle: no more of them. */
void tandem_ice_end_of_candidates(struct tandem_ice *ice, uint64_t now);

/**
 * ICE restart (RFC 8445 9): new credentials; remote ones and candidates are to be given anew.
 * Selected pairs stay, and the old credentials work for them, until the new pairs are selected.
 *
 * @return 0, -EIO: no random numbers; -ENOMEM
 */
int tandem_ice_restart(struct tandem_ice *ice);

/**
 * The restart was offered and refused: back to the credentials and selected pairs of before. What a
 * full agent knew of other candidates is forgotten.
 *
 * @return 0; -ENOENT: no restart, or its pairs are selected, or there were none before; -ENOMEM
 */
int tandem_ice_rollback(struct tandem_ice *ice);

/**
 * Take up a selected pair of an agent of before, whose credentials were given to alloc and
 * set_remote. No callback is made; consent is looked after from now on.
 *
 * @return 0, -EINVAL: not a pair of this agent's; -ENOMEM
 */
int tandem_ice_adopt(struct tandem_ice *ice, unsigned int component,
		     const struct tandem_endpoint *local, const struct tandem_endpoint *remote,
		     uint64_t now);

/**
 * A datagram that came in and looks like STUN. Sends what it calls for.
 *
 * @return 0: it was for this agent, and may have been dropped and counted; -EBADMSG: not STUN;
 *         -ENOENT: no Binding message, no local candidate, or a user name that is not ours: another agent
 *         on a shared port may know it
 */
int tandem_ice_input(struct tandem_ice *ice, const struct tandem_endpoint *local,
		     const struct tandem_endpoint *remote, const void *data, size_t len,
		     uint64_t now);

/**
 * Which agent on a shared port a request is for: its own (first) user name fragment, not terminated,
 * NULL unless it is a Binding request with one. Not authenticated.
 */
const char *tandem_ice_request_ufrag(const void *data, size_t len, size_t *ufrag_len);

/** Do what is due. To be called at the deadline; at other times it does no harm. */
void tandem_ice_tick(struct tandem_ice *ice, uint64_t now);

/** When tick has to be called next; UINT64_MAX: not before the next input. */
uint64_t tandem_ice_deadline(const struct tandem_ice *ice);

enum tandem_ice_state tandem_ice_state(const struct tandem_ice *ice);
const char *tandem_ice_state_name(enum tandem_ice_state state);

/** The role that is in force (RFC 8445 6.1.1); may change by a role conflict. */
bool tandem_ice_controlling(const struct tandem_ice *ice);

/** The pair in use; false when there is none. local and remote may be NULL. */
bool tandem_ice_selected(const struct tandem_ice *ice, unsigned int component,
			 struct tandem_endpoint *local, struct tandem_endpoint *remote);

const struct tandem_ice_counters *tandem_ice_counters(const struct tandem_ice *ice);

#endif
