/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The session model: who talks to whom, session -> party -> media -> stream.
 * Signalling front ends edit sessions through the calls below and know no rules;
 * the rule compiler (compile.h) turns a session into the flows it wants.
 */
#ifndef TANDEM_SESSION_H
#define TANDEM_SESSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/datapath/plane.h"
#include "userspace/media/sdes.h"
#include "userspace/store/store.h"
#include "userspace/util/endpoint.h"

/* A sent the first INVITE, B is the one called. */
enum tandem_party_id {
	TANDEM_PARTY_A,
	TANDEM_PARTY_B,
};

/*
 * The front end that a session is of. Two may have sessions with the same Call-ID, as where a call
 * goes through a server that drives this relay and then by its own proxy: each sees its own only.
 */
enum tandem_owner {
	TANDEM_OWNER_SIP,
	TANDEM_OWNER_NG,
};

#define TANDEM_MAX_OWN	    72 /* ports of signalling */
#define TANDEM_MAX_SECURITY 64 /* entries of the configuration's list */

/*
 * How the media of one party is to be secured, between that party and the relay.
 *
 * AUTO: the party is answered in the strongest kind that it offers, and offered what the other
 * party is using. When both are AUTO the relay takes no part: keys and packets pass from end to
 * end, but for a WebRTC offer (ICE and a=fingerprint), which cannot be relayed that way.
 */
enum tandem_security {
	TANDEM_SECURITY_AUTO,
	TANDEM_SECURITY_PASS,	      /* from end to end, unless the other party's is a kind */
	TANDEM_SECURITY_PLAIN,	      /* RTP */
	TANDEM_SECURITY_SDES_PREFER,  /* SRTP with keys in SDP, or else RTP (RFC 8643) */
	TANDEM_SECURITY_SDES_REQUIRE, /* SRTP with keys in SDP (RFC 4568) */
	TANDEM_SECURITY_DTLS,	      /* SRTP with keys by DTLS (RFC 5764), with ICE */
};

/*
 * What the relay is in ICE towards a party (RFC 8445 2.5). AUTO: lite, but full where the party has
 * offered as lite, so that one of both checks.
 */
enum tandem_ice_mode {
	TANDEM_ICE_MODE_AUTO,
	TANDEM_ICE_MODE_LITE,
	TANDEM_ICE_MODE_FULL,
};

/* What holds for parties whose signalling comes from a network. */
struct tandem_security_rule {
	struct tandem_prefix peer;
	enum tandem_security security;
	enum tandem_ice_mode ice;
};

struct tandem_sessions_config {
	struct tandem_local locals[TANDEM_MAX_LOCALS];
	struct ip_addr advertise[TANDEM_MAX_LOCALS]; /* what SDP shows for each; any: the local */
	size_t locals_count;
	bool standby[TANDEM_MAX_LOCALS]; /* not of this host alone: see tandem_sessions_hold() */
	uint16_t port_min;
	uint16_t port_max;
	/* 0: never. A call that either side holds has the hold timeout in place of the other. */
	uint32_t inactivity_timeout_s;
	uint32_t hold_timeout_s;
	uint32_t setup_timeout_s;
	enum { TANDEM_LEARN_OFF, TANDEM_LEARN_NAT, TANDEM_LEARN_ALWAYS } learn;
	uint32_t learn_window_ms;
	struct tandem_endpoint own[TANDEM_MAX_OWN]; /* signalling of ours: media never goes there */
	size_t own_count;
	struct tandem_prefix deny[32];
	size_t deny_count;
	struct tandem_prefix allow[32]; /* although deny has them */
	size_t allow_count;
	bool deny_self; /* parties may not name an address of this host */
	uint32_t max_sessions;
	bool strict_payload_types;
	struct tandem_security_rule security[TANDEM_MAX_SECURITY]; /* in any order */
	size_t security_count;
};

/* The session of this name has ended other than by the front end's own call; why is a short phrase. */
typedef void(tandem_session_ended_h)(const char *call, const char *why, void *arg);

/*
 * A session is about to be forgotten, however it came to its end. established: it was answered
 * for good. report: its media, as call records have them; a new reference, NULL on no memory.
 */
typedef void(tandem_session_over_h)(enum tandem_owner owner, const char *call_id, const char *why,
				    bool established, json_t *report, void *arg);

struct tandem_sessions;

/*
 * The table of all sessions. plane and store are borrowed; store may be NULL.
 * Sessions found in the store are taken up again, and the plane is brought to
 * exactly the flows they want.
 */
int tandem_sessions_alloc(struct tandem_sessions **ssp, const struct tandem_sessions_config *cfg,
			  struct tandem_plane *plane, struct tandem_store *store,
			  tandem_session_ended_h *ended_h, void *arg);
/* Have h told of every session that is over from now on. */
void tandem_sessions_on_over(struct tandem_sessions *ss, tandem_session_over_h *h, void *arg);

/* Frees the table; neither ends sessions nor removes their flows. */
void tandem_sessions_free(struct tandem_sessions *ss);

/* Number of sessions that are not ended. */
size_t tandem_sessions_count(const struct tandem_sessions *ss);

/*
 * Who and what a session is for; kept with it. Strings are copied.
 *
 * A call that is forked has a session for each branch, so that each of those called has ports and
 * an answer of its own. What is named `call` below is the name of one session, as
 * tandem_session_name() writes it; no two front ends have a name in common.
 */
struct tandem_dialog {
	enum tandem_owner owner;
	const char *call_id;
	const char *from_uri;
	const char *to_uri;
	const char *from_tag; /* of A */
	const char *to_tag;   /* of B; NULL until known */
	unsigned int branch;
	const char *via; /* the branch, as the front end's own client calls it; NULL: it does not */
};

#define TANDEM_SESSION_NAME_SIZE 280

/*
 * The name of a session into buf: the Call-ID, behind it "ng" if it is NG's, and the branch if it is
 * not 0; with spaces between, which no Call-ID has.
 */
void tandem_session_name(char buf[TANDEM_SESSION_NAME_SIZE], enum tandem_owner owner,
			 const char *call_id, unsigned int branch);

/* The branch that is in a name. */
unsigned int tandem_session_branch(const char *name);

/* "sip", "ng" */
const char *tandem_owner_name(enum tandem_owner owner);

/* The lowest branch of the owner's call that has no session. */
unsigned int tandem_session_spare(const struct tandem_sessions *ss, enum tandem_owner owner,
				  const char *call_id);

/*
 * The owner's session of the call with the lowest branch, or the lowest above that of `name`; its
 * name, valid until it ends, or NULL.
 */
const char *tandem_session_first(const struct tandem_sessions *ss, enum tandem_owner owner,
				 const char *call_id);
const char *tandem_session_next(const struct tandem_sessions *ss, enum tandem_owner owner,
				const char *call_id, const char *name);

/*
 * Create the session or update its dialog data (a to_tag that became known).
 * -ENOSPC when max_sessions is reached, -EINVAL without Call-ID and From tag or with
 * a Call-ID that is not printable ASCII, -ENOMEM.
 */
int tandem_session_open(struct tandem_sessions *ss, const struct tandem_dialog *dialog);

/* Every session that was answered, and when it began, in ms of the Unix epoch. */
typedef void(tandem_session_each_h)(const struct tandem_dialog *dialog, int64_t started_ms,
				    void *arg);
void tandem_sessions_each(const struct tandem_sessions *ss, tandem_session_each_h *h, void *arg);

/* Which party sends requests with this From tag; -ENOENT for an unknown call or tag. */
int tandem_session_party(const struct tandem_sessions *ss, const char *call, const char *tag,
			 enum tandem_party_id *party);

/*
 * Which session of the owner's call a request with both tags belongs to, and which party has sent it: the
 * one that has both. Failing that, one that is not confirmed and has the From tag: where another
 * proxy has forked there are further early dialogs in it, and only one callee's tag is kept (RFC
 * 3261 section 12.2.2). Its name, valid until it ends; NULL when there is none.
 */
const char *tandem_session_dialog(const struct tandem_sessions *ss, enum tandem_owner owner,
				  const char *call_id, const char *from_tag, const char *to_tag,
				  enum tandem_party_id *party);

/* The owner's session whose dialog has this `via`; its name, valid until it ends, or NULL. */
const char *tandem_session_by_via(const struct tandem_sessions *ss, enum tandem_owner owner,
				  const char *call_id, const char *via);

/*
 * Where an SDP came from and where it goes. source is the signalling address of
 * its sender (basis of the NAT decision), target the signalling address of the one
 * who will get the edited SDP (decides address family and local address). The media
 * of either is secured as source_security and target_security say, in an offer; an answer
 * has to be what was offered. In an offer source_locals and target_locals are addresses of the relay
 * to face them with, of which the first of the family counts; without one (NULL: there are none) it
 * is as the host's routes say. target_family 0: that of the target; of the source, when nothing
 * is known of the target.
 */
struct tandem_locals {
	struct ip_addr ip[TANDEM_MAX_LOCALS];
	size_t count;
};

/*
 * What a front end wants of rtcp-mux (RFC 5761), in any combination. 0: it is as the parties say.
 * With DTLS it is offered and accepted in any case.
 */
enum tandem_mux_flags {
	TANDEM_MUX_OFFER = 1 << 0,   /* the target is offered it, also if the source does not */
	TANDEM_MUX_REQUIRE = 1 << 1, /* and no port for RTCP besides */
	TANDEM_MUX_DEMUX = 1 << 2,   /* the target is not offered it, and the source gets it */
	TANDEM_MUX_ACCEPT = 1 << 3,  /* the source gets it, also if the target does not do it */
	TANDEM_MUX_REJECT = 1 << 4,  /* the source does not get it */
};

/* Suites of SRTP with keys in SDP, those that are wanted most first. */
struct tandem_suites {
	uint8_t suite[TANDEM_SDES_SUITES];
	size_t count; /* 0: as the relay has them */
};

struct tandem_signal {
	struct tandem_endpoint source;
	struct tandem_endpoint target;
	enum tandem_security source_security;
	enum tandem_security target_security;
	const struct tandem_locals *source_locals;
	const struct tandem_locals *target_locals;
	int target_family;
	/* in an offer; AUTO: as the configuration says. For a leg whose agent is new */
	enum tandem_ice_mode source_ice, target_ice;
	bool source_dtls_active; /* the relay begins the handshake with the source, if it may */
	unsigned int mux;	 /* enum tandem_mux_flags */
	enum {
		TANDEM_OSRTP_AS_SAID, /* keys with RTP/AVP (RFC 8643) are of both ends, */
		TANDEM_OSRTP_ACCEPT,  /* or the relay takes them, whatever the target does, */
		TANDEM_OSRTP_REJECT,  /* or nobody does */
	} osrtp;
	bool no_new_suites;		/* the target is offered none that the source does not */
	struct tandem_suites suites;	/* what the target is offered */
	struct tandem_suites preferred; /* of what the source offers, before what it likes best */
};

/* What the configuration says of a party with this signalling address: the longest prefix. */
enum tandem_security tandem_sessions_security(const struct tandem_sessions *ss,
					      const struct tandem_endpoint *peer);

/* The same of ICE. */
enum tandem_ice_mode tandem_sessions_ice(const struct tandem_sessions *ss,
					 const struct tandem_endpoint *peer);

/* "auto", "lite" or "full": 0 or -EINVAL. */
int tandem_ice_mode_parse(enum tandem_ice_mode *mode, const char *name);

/* "auto", "pass", "plain", "sdes_prefer", "sdes_require", "dtls". The reverse: 0 or -EINVAL. */
const char *tandem_security_name(enum tandem_security security);
int tandem_security_parse(enum tandem_security *security, const char *name);

/*
 * RFC 3264. Take an offer (answer) from party, allocate ports, and return the SDP
 * to pass on, malloc'd, with the relay's addresses in it. An answer installs the
 * flows before the call returns. A repeated answer (183 then 200) is allowed: it
 * replaces the one before. Body text need not be terminated.
 *
 * In the SDP passed on, address and port of each relayed media are the relay's, in
 * c=, m=, a=rtcp where there is one, and o= (its other fields stay). ICE attributes
 * and BUNDLE groups are removed. Where the relay ends the security of media, so are
 * a=crypto, a=fingerprint and their like, and what this party's leg needs is put in
 * their place, with the protocol of m= to go with it. All else is kept byte for byte. Media
 * other than RTP over UDP (T.38 by UDPTL, MSRP) is not relayed: it passes untouched.
 *
 * Errors: -ENOENT no such call; -EBADMSG the SDP is malformed; -EPROTO it breaks
 * offer/answer (m-lines do not match, no offer pending, the other side's offer is
 * open) or has not the security that is wanted; -ENOSPC no ports left, or too many m-lines; -EACCES an address in a denied
 * network; -EAFNOSUPPORT no local address of the family needed, a domain name in c=,
 * or an answer in another family than was offered; -ENOMEM. An answer also fails with
 * what keeps the plane from installing its flows. After an error nothing has changed,
 * but for that last one: then the answer holds, and a repeated one tries again.
 */
int tandem_session_offer(struct tandem_sessions *ss, const char *call, enum tandem_party_id party,
			 const struct tandem_signal *sig, const char *sdp, size_t len, char **outp,
			 size_t *out_len);
int tandem_session_answer(struct tandem_sessions *ss, const char *call, enum tandem_party_id party,
			  const struct tandem_signal *sig, const char *sdp, size_t len, char **outp,
			  size_t *out_len);

/* The pending offer was refused: back to what was agreed before. No-op when none is pending. */
int tandem_session_rollback(struct tandem_sessions *ss, const char *call);

/*
 * Have a session with one party, whose media goes to its subscribers alone: its offer is answered at
 * once. `call` has been opened, with nothing else. -EINVAL: it is a call; else the errors of both.
 */
int tandem_session_publish(struct tandem_sessions *ss, const char *call,
			   const struct tandem_signal *sig, const char *sdp, size_t len,
			   char **outp, size_t *out_len);

/*
 * Offer what parties of a session send (a bit for each: 1 << party) to one who is to hear of it by a
 * leg of its own: malloc'd text, with the media of A in front. The subscription is named by to_tag in
 * the call; with that of one that there is, it is offered anew. sig: its target is the subscriber.
 * The subscription ends with the session. -ENOENT: no such session; -EAGAIN: it has not been answered,
 * or an offer is open; -ENODATA: what they have described is not known any more since a restart;
 * -EINVAL: there is no such party; -EEXIST: the tag is another's; -ENOSPC: too many.
 */
int tandem_session_subscribe(struct tandem_sessions *ss, const char *call, const char *to_tag,
			     unsigned int parties, const struct tandem_signal *sig, char **outp,
			     size_t *out_len);
/* The subscriber's answer. -ENOENT: nothing was offered to that tag; errors of an answer. */
int tandem_session_subscribed(struct tandem_sessions *ss, enum tandem_owner owner,
			      const char *call_id, const char *to_tag,
			      const struct tandem_signal *sig, const char *sdp, size_t len);
/* -ENOENT: there is no such subscription. */
int tandem_session_unsubscribe(struct tandem_sessions *ss, enum tandem_owner owner,
			       const char *call_id, const char *to_tag);

/* The call was answered for good (2xx to INVITE). */
int tandem_session_confirm(struct tandem_sessions *ss, const char *call);

/*
 * The parties have agreed that the call is over unless one of them says otherwise within so many
 * seconds (RFC 4028 section 8.2); 0: it lasts. -ENOENT: no such session.
 */
int tandem_session_lasts(struct tandem_sessions *ss, const char *call, uint32_t seconds);

/*
 * What a command may want of the media that a party sends; each goes without the others, and
 * blocking counts for more than silence. Packets go on being accounted, and RTCP passes.
 */
enum tandem_act {
	TANDEM_ACT_BLOCK = 1 << 0,	/* all RTP but telephone events is dropped */
	TANDEM_ACT_SILENCE = 1 << 1,	/* it is silence; what has none is dropped */
	TANDEM_ACT_BLOCK_DTMF = 1 << 2, /* telephone events (RFC 4733) are dropped */
	TANDEM_ACT_FORWARD = 1 << 3, /* it is given to who listens, too: tandem_tap_forwarded() */
};

/* Those that change what the other party gets. */
#define TANDEM_ACTS_OF_MEDIA (TANDEM_ACT_BLOCK | TANDEM_ACT_SILENCE | TANDEM_ACT_BLOCK_DTMF)

/*
 * Of whom a command wants it: in the session named `call`, or in all sessions of the owner with that
 * Call-ID (whole_call), of every party that fits all that is said of the sender and of who receives (NULL:
 * nothing is). Where nothing is said of the sender, it is of the call as a whole, which is kept
 * apart: what is undone for the one stays as it was for the other, unless `all` is set. media: the
 * index of one of the sender's, or -1.
 */
struct tandem_act_target {
	const char *call;
	bool whole_call;
	enum tandem_owner owner; /* of those of the whole call */
	const enum tandem_party_id *party;
	const char *tag, *label;
	const struct ip_addr *address; /* where its description has its media */
	const char *to_tag, *to_label;
	int media;
	bool all;
};

/*
 * Have what `act` says done to media, or (off) no longer. It takes effect on packets from the next
 * one on, holds for descriptions yet to come, and outlives a restart as the session does. *partly,
 * where silence is wanted: some codec in use has none, or is secured between the two ends, and is
 * dropped. -ENOENT: no such session or party; -EINVAL: no such media; what the plane has against
 * the change: then it is to be asked for again.
 */
int tandem_session_act(struct tandem_sessions *ss, const struct tandem_act_target *target,
		       enum tandem_act act, bool off, bool *partly);

/* The party is called so from now on, in a target's label. -ENOENT, -ENOMEM. */
int tandem_session_label(struct tandem_sessions *ss, const char *call, enum tandem_party_id party,
			 const char *label);

/*
 * Packets of the session leave with this DSCP (RFC 2474), 0 to 63, from now on; -1: as they have come.
 * -ENOENT: no such session; what the plane has against the change.
 */
int tandem_session_mark(struct tandem_sessions *ss, const char *call, int dscp);

/*
 * What the front end keeps with the session for itself: an object, borrowed, and stored when the
 * session is for the next time. make: if there is none yet, an empty one. NULL: there is none, no such
 * session, or no memory.
 */
json_t *tandem_session_notes(struct tandem_sessions *ss, const char *call, bool make);

/*
 * End the session after so many seconds, unless there is a description of it by then. why: constant.
 * -ENOENT: no such session.
 */
int tandem_session_end_later(struct tandem_sessions *ss, const char *call, uint32_t seconds,
			     const char *why);

/* Remove the flows, free the ports, forget the session. why goes to the log. */
int tandem_session_end(struct tandem_sessions *ss, const char *call, const char *why);

/* Find by id, name or Call-ID (then any of its sessions); its name, or NULL. Valid until it ends. */
const char *tandem_session_find(const struct tandem_sessions *ss, const char *text);

/* True when a session of the owner's call was confirmed. */
bool tandem_session_confirmed(const struct tandem_sessions *ss, enum tandem_owner owner,
			      const char *call_id);

/*
 * Sessions that move from host to host (move.c), with the address they are at. A local that is
 * `standby` is away until it is held; no session is given a port of one that is away. The *home* of
 * a session is the first standby local that it has ports of, if it has any.
 */
void tandem_sessions_hold(struct tandem_sessions *ss, size_t local, bool held);

/*
 * What another host would have to know of a session has changed (gone: it is over); text_of() then
 * gives it. home: an index of locals.
 */
typedef void(tandem_session_outdated_h)(uint64_t number, size_t home, bool gone, void *arg);
void tandem_sessions_on_outdated(struct tandem_sessions *ss, tandem_session_outdated_h *h,
				 void *arg);

/* All that there is to know of a session, open offers with it, malloc'd. There may be keys in it. NULL: no memory, or none such. */
char *tandem_session_text(const struct tandem_sessions *ss, uint64_t number);

/* Tell of each session that is at home there. h may release it. */
typedef void(tandem_session_at_h)(uint64_t number, bool restored, uint64_t since_ms, void *arg);
void tandem_sessions_at(struct tandem_sessions *ss, size_t home, tandem_session_at_h *h, void *arg);
bool tandem_session_at_home(const struct tandem_sessions *ss, uint64_t number, size_t home);

/*
 * Take up a session that another host has had, from its text, and install its flows; h, if there
 * is one, is told of it if it was answered. -EEXIST: there is such a session; -EBADMSG; -EBUSY:
 * a port is; -EADDRNOTAVAIL: there is no such local; -ENOSPC, -ENOMEM.
 */
int tandem_session_adopt(struct tandem_sessions *ss, const char *text, tandem_session_each_h *h,
			 void *arg);

/* Forget a session that another host has now: flows, ports and the stored copy. -ENOENT. */
int tandem_session_release(struct tandem_sessions *ss, uint64_t number, const char *why);

/*
 * What changes of sessions between these two reaches the store at the end, in one transaction, a
 * session once, however often it has changed. They may be nested. Who is told of a change (of an
 * answer, say) should be told behind the end, or may know of a call that a restart forgets.
 */
void tandem_sessions_begin(struct tandem_sessions *ss);
void tandem_sessions_commit(struct tandem_sessions *ss);

/* To be called about once a second: reads counters, times out, closes learning windows. */
void tandem_sessions_tick(struct tandem_sessions *ss);

/* Hand over packets of unknown sources; to be called when the plane's event_fd is readable. */
void tandem_sessions_dispatch(struct tandem_sessions *ss);

/*
 * A timer of media that needs one (handshakes, ICE): what is due is done by timer(), to be called
 * when the descriptor is readable.
 */
int tandem_sessions_timer_fd(const struct tandem_sessions *ss);
void tandem_sessions_timer(struct tandem_sessions *ss);

/*
 * As the local API shows them; new reference, NULL on no memory or no such session.
 * list: {"sessions":[{"id","call_id","from","to","state","duration_s","verdict","offload"}]}
 * show: docs/api.md gives the shape.
 */
json_t *tandem_sessions_json(struct tandem_sessions *ss);
json_t *tandem_session_json(struct tandem_sessions *ss, const char *id_or_call_id);
/* Plane name, description, and all reason counters that are not zero. */
json_t *tandem_sessions_stats_json(struct tandem_sessions *ss);

/* A codec by which a party may be sent audio; the first one is what it wants most. */
struct tandem_audio_codec {
	uint8_t pt;
	uint32_t clock_hz;
	char name[24]; /* as in SDP, in capitals or not */
};

#define TANDEM_TARGET_CODECS 16

/*
 * How the relay itself can send audio to a party of a session: along with what the other one
 * sends, by tandem_plane_inject(). A flow of 0: there is none.
 */
struct tandem_audio_target {
	uint64_t flow_id[2]; /* RTP, RTCP */
	struct tandem_endpoint local[2];
	struct tandem_audio_codec codecs[TANDEM_TARGET_CODECS];
	size_t codec_count;
};

/* The number of a session, which is never another's; -ENOENT: no such session. */
int tandem_session_number(const struct tandem_sessions *ss, const char *call, uint64_t *number);

/*
 * The first audio that is agreed on, towards `hearer`. -ENOENT: no such session; -ENOTCONN: there
 * is none; -EOPNOTSUPP: it is secured between the two ends, whose keys the relay has not.
 */
int tandem_session_target(const struct tandem_sessions *ss, uint64_t number,
			  enum tandem_party_id hearer, struct tandem_audio_target *target);

/*
 * The party that is called so (label; NULL: whatever it is called), or has its media at this
 * address, by its description (NULL: wherever it is); -ENOENT.
 */
int tandem_session_party_of(const struct tandem_sessions *ss, const char *call, const char *label,
			    const struct ip_addr *ip, enum tandem_party_id *party);

/* The flows of a session may have changed, or it is over. Called from within edits: it makes none. */
typedef void(tandem_session_changed_h)(uint64_t number, void *arg);
void tandem_sessions_on_change(struct tandem_sessions *ss, tandem_session_changed_h *h, void *arg);

/*
 * Forwards, beside calls: one flow of RTP to one or many egresses, under a name. doc is as
 * docs/api.md has it. set makes it or changes it in place: counts go on, and no packet is lost. It
 * sets *name, valid while the forward is there and not set again. -EINVAL and the errors of
 * ports, addresses and the plane with why; then nothing has changed. remove: -ENOENT.
 */
int tandem_forward_set(struct tandem_sessions *ss, const json_t *doc, const char **name, char *why,
		       size_t why_size);
int tandem_forward_remove(struct tandem_sessions *ss, const char *name);
bool tandem_forward_exists(const struct tandem_sessions *ss, const char *name);
size_t tandem_forwards_count(const struct tandem_sessions *ss);
/* As the local API shows them; new reference, NULL on no memory or no such forward. */
json_t *tandem_forwards_json(struct tandem_sessions *ss);
json_t *tandem_forward_json(struct tandem_sessions *ss, const char *name);

#endif
