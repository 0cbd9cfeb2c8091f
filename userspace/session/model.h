/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of the session table: session -> party -> media, and what the files
 * of this folder share. Front ends include session.h alone.
 *
 * A media is one m= line. It has a leg for either party; a leg is what that party
 * said of itself and the pair of relay ports that faces it. Index 0 of the pairs
 * below is RTP (and RTCP with rtcp-mux), index 1 a separate RTCP.
 */
#ifndef TANDEM_SESSION_MODEL_H
#define TANDEM_SESSION_MODEL_H

#include <stdbool.h>
#include <string.h>

#include "userspace/sdp/sdp.h"
#include "userspace/session/env.h"
#include "userspace/session/ports.h"
#include "userspace/session/secure.h"
#include "userspace/session/session.h"
#include "userspace/session/tap.h"
#include "userspace/util/log.h"

#define TANDEM_MEDIA_MAX       32  /* m= lines in a session */
#define TANDEM_LEG_CODECS      16  /* payload types kept per direction */
#define TANDEM_LEG_SSRCS       8   /* SSRCs kept of what a party sends in a media */
#define TANDEM_SUBSCRIBERS_MAX 256 /* of a session */
#define TANDEM_LOCAL_NONE      (-1)
#define TANDEM_PARTY_NONE      (-1)

/* A payload type as it is on the wire in one direction. */
struct tandem_codec {
	uint8_t pt;
	uint32_t clock_hz;
	char name[24];
};

/* A source that may turn out to be the party behind its NAT. */
struct tandem_guess {
	struct tandem_endpoint source; /* port 0: none yet */
	uint32_t ssrc;
	uint16_t seq;
};

struct tandem_learn {
	uint64_t until_ms; /* the window's end on the monotonic clock; 0: closed */
	bool fresh;	   /* opened by the agreement at hand: `before` is not known yet */
	uint64_t before;   /* packets that had passed when it opened: proof of nothing */
	bool settled;	   /* the signalled address has proven itself: never open again */
	uint32_t ssrc;	   /* of the stream that locked it */
	struct tandem_endpoint locked; /* port 0: nothing learned */
	struct tandem_guess candidate;
};

/* What a front end wants of rtcp-mux with a party, where it says something. */
enum tandem_mux_wish {
	TANDEM_MUX_AS_SAID, /* as the parties do */
	TANDEM_MUX_YES,
	TANDEM_MUX_NO,
	TANDEM_MUX_ONLY, /* nothing else is offered */
};

struct tandem_leg {
	/* what the party's description says; port 0: not known, or none */
	struct tandem_endpoint remote[2];
	struct ip_addr signalling; /* where its signalling comes from */
	bool mute;		   /* it asked for no media by address 0.0.0.0 (RFC 3264 8.4) */
	bool sends;		   /* negotiated: it may send */
	bool hold;		   /* it has put the other one on hold */
	bool mux;		   /* rtcp-mux is agreed with it (RFC 5761) */
	enum tandem_mux_wish mux_wish;
	bool apart; /* DTLS without that: RTCP has an association and keys of its own (RFC 5764 4.1) */
	struct tandem_codec codecs[TANDEM_LEG_CODECS]; /* in what it sends */
	size_t codec_count;
	uint32_t ssrcs[TANDEM_LEG_SSRCS]; /* in what it sends, as far as they are known */
	size_t ssrc_count;
	uint8_t mid_ext; /* header extension id of the MID in what it sends (RFC 9143 15); 0: none */

	/*
	 * The media whose leg has the transport of this one: its own, or in a BUNDLE group that
	 * of the tagged section (RFC 9143). Addresses, keys and wire are then that leg's; the
	 * pair of ports of its own is kept, and not used.
	 */
	size_t transport;

	/* the pair of relay ports that it sends to */
	int local; /* index into the configuration's locals, or TANDEM_LOCAL_NONE */
	uint16_t port;
	uint8_t generation; /* how many pairs there have been before */

	struct tandem_learn learn[2];
	struct tandem_secure_leg secure;
};

struct tandem_media {
	char type[16];
	bool anchored; /* RTP over UDP: the relay is in its path */
	bool active;   /* both sides have accepted it */
	bool srtp;     /* secured between the two ends: only the first headers can be read */
	struct tandem_leg leg[2];
};

struct tandem_media_list {
	struct tandem_media *v;
	size_t n;
};

/* What commands want of what is sent: enum tandem_act, for all, for a party, for one media of it. */
struct tandem_acts {
	uint8_t call;
	uint8_t party[2];
	uint8_t media[2][TANDEM_MEDIA_MAX];
};

/* Whose media, and which of it, a subscriber gets as one of its own. */
struct tandem_feed {
	uint8_t party;
	uint8_t media;
};

struct tandem_session {
	struct tandem_session *next, *prev; /* of all sessions */
	struct tandem_session *next_by_call, *next_by_number;
	const char *why_over; /* of one that has left the table */

	uint64_t number; /* never used again; the upper 48 bits of its flow ids */
	char id[17];	 /* the number in hexadecimal */
	enum tandem_owner owner;
	char *call_id;
	unsigned int branch;
	char *via;  /* may be NULL */
	char *name; /* see tandem_session_name() */
	char *from_uri;
	char *to_uri;
	char *tag[2];	/* B's may be NULL */
	char *label[2]; /* how the front end's client calls them; may be NULL */
	struct tandem_acts acts;
	bool marked; /* packets leave with this: */
	uint8_t dscp;
	json_t *notes;			  /* the front end's; may be NULL */
	struct tandem_endpoint source[2]; /* signalling addresses; port 0: not known */

	int64_t started_ms;   /* epoch */
	uint64_t offered_ms;  /* monotonic, when the first offer or request came */
	uint64_t activity_ms; /* monotonic, last time that a packet was known to pass */
	int64_t lasts_ms;     /* epoch, until when without a further word; 0: for good */
	uint64_t over_ms;     /* the same, monotonic */
	uint64_t end_ms;      /* monotonic, when it is to end by the front end; 0: it is not */
	const char *end_why;
	bool confirmed;
	bool answered;
	bool learning; /* some leg has a window open */
	bool rekeying; /* some leg has old keys yet */
	bool stored;   /* there is something of it in the store */
	bool unsaved;  /* the store has refused it */
	bool to_save;  /* it is in the list of these */
	struct tandem_session *next_to_save;
	bool restored; /* it is from the run before */
	int home;      /* a local, or TANDEM_LOCAL_NONE: tandem_sessions_hold() */

	struct tandem_media_list agreed;  /* flows are compiled from this */
	struct tandem_media_list pending; /* becomes agreed at the answer */
	int pending_from;		  /* TANDEM_PARTY_NONE: no offer is open */
	struct tandem_sdp *offer;	  /* the last one, as received */
	int offerer;

	char *answer; /* and the last answer to it; NULL: of another process */

	/* subscribe.c */
	bool absent[2]; /* there is no such party: no ports, no flows */
	struct tandem_session *subscribers, *next_subscriber;
	struct tandem_session *source_session; /* of a subscription; NULL: on its way out */
	uint64_t source_number;
	struct tandem_feed *feeds; /* NULL: it is no subscription; else TANDEM_MEDIA_MAX of them */

	uint32_t taps; /* RULE_F_TAPS: what captures want of its flows */
	struct tandem_flow_spec *installed;
	size_t installed_count;
	struct tandem_srtp *installed_keys; /* what the specs point to */
	size_t installed_keys_count;
};

/* A stored session that is over, but could not be removed from the store yet. */
struct tandem_leftover {
	struct tandem_leftover *next;
	char id[17];
};

struct tandem_sessions {
	struct tandem_sessions_config cfg;
	struct tandem_session_env env;
	struct tandem_plane *plane;
	struct tandem_store *store;
	tandem_session_ended_h *ended_h;
	void *arg;
	tandem_session_over_h *over_h; /* may be NULL */
	void *over_arg;
	tandem_session_outdated_h *outdated_h; /* may be NULL */
	void *outdated_arg;

	tandem_session_changed_h *changed_h; /* may be NULL */
	void *changed_arg;

	struct {
		tandem_tap_wants_h *wants_h; /* may be NULL */
		tandem_tap_gone_h *gone_h;   /* may be NULL */
		void *arg;
	} tap;

	bool away[TANDEM_MAX_LOCALS]; /* standby, and not held */
	struct tandem_ports *ports;
	struct tandem_session *first;
	struct tandem_session **by_call;
	struct tandem_session **by_number;
	size_t buckets; /* a power of two */
	size_t count;
	struct tandem_wires wires;
	struct tandem_forward *forwards; /* forward.h */
	struct tandem_leftover *leftovers;
	unsigned int together;		/* depth of tandem_sessions_begin() */
	struct tandem_session *to_save; /* at its end */
	uint64_t ticks;
	struct tandem_routes *routes; /* route.c */
	uint64_t next_number;	      /* of sessions and forwards */
};

/* A line of the log about a session: its id comes in front, and the line carries its Call-ID. */
#define tandem_session_log(s, level, fmt, ...)                                                     \
	do {                                                                                       \
		struct tandem_log_scope scope_;                                                    \
                                                                                                   \
		tandem_log_enter(&scope_, (s)->call_id, strlen((s)->call_id));                     \
		tandem_log(level, "session", "%s: " fmt, (s)->id, ##__VA_ARGS__);                  \
		tandem_log_leave(&scope_);                                                         \
	} while (0)

/* ---- table.c, dialog.c ---- */
/* Milliseconds of the monotonic clock. */
uint64_t tandem_sessions_now(const struct tandem_sessions *ss);
/* By name, and by number; NULL when there is none. */
struct tandem_session *tandem_sessions_by_call(const struct tandem_sessions *ss, const char *call);
struct tandem_session *tandem_sessions_by_number(const struct tandem_sessions *ss, uint64_t number);
/* By name, Call-ID or id. */
struct tandem_session *tandem_sessions_by_text(const struct tandem_sessions *ss, const char *text);
/* The next session of the call behind s, whosever it is, or the first of them (s NULL). */
struct tandem_session *tandem_sessions_next_of_call(const struct tandem_sessions *ss,
						    const char *call_id,
						    const struct tandem_session *s);
/* The same of an owner's. */
struct tandem_session *tandem_sessions_next_owned(const struct tandem_sessions *ss,
						  enum tandem_owner owner, const char *call_id,
						  const struct tandem_session *s);
/* A session that is in no table yet; strings are copied. */
int tandem_session_create(struct tandem_session **sp, const struct tandem_dialog *dialog,
			  uint64_t number);
/* Free the memory; flows, ports and the stored copy are left alone. NULL is allowed. */
void tandem_session_destroy(struct tandem_session *s);
/* Hand it to h, if it was answered for good. */
void tandem_session_tell(const struct tandem_session *s, tandem_session_each_h *h, void *arg);
void tandem_sessions_insert(struct tandem_sessions *ss, struct tandem_session *s);
void tandem_sessions_unlink(struct tandem_sessions *ss, struct tandem_session *s);
/* Remove flows, ports and the stored copy of a session that is unlinked, and destroy it. */
void tandem_session_retire(struct tandem_sessions *ss, struct tandem_session *s);

enum tandem_session_state {
	TANDEM_STATE_OFFERED,
	TANDEM_STATE_EARLY,
	TANDEM_STATE_ESTABLISHED,
	TANDEM_STATE_HELD,
};
enum tandem_session_state tandem_session_state(const struct tandem_session *s);
/* "offered", "early", "established", "held" */
const char *tandem_session_state_name(enum tandem_session_state state);

/* ---- route.c ---- */
int tandem_routes_alloc(struct tandem_routes **routesp);
/* The address that the host sends from to this one. The errors of connect(2). */
int tandem_sessions_route(const struct tandem_sessions *ss, const struct ip_addr *to,
			  struct ip_addr *from);

/* ---- media.c, deny.c ---- */
/* The first n media of src; those that it does not have are empty, without ports. -ENOMEM. */
int tandem_media_list_copy(struct tandem_media_list *dst, const struct tandem_media_list *src,
			   size_t n);
void tandem_media_list_clean(struct tandem_media_list *list);
/* What was learned on the pairs that both lists have is as `from` says. */
void tandem_media_list_take_learned(struct tandem_media_list *list,
				    const struct tandem_media_list *from);
/* Give back the pairs of `list` that neither keep nor keep2 (may be NULL) has. */
void tandem_media_list_release(struct tandem_sessions *ss, const struct tandem_media_list *list,
			       const struct tandem_media_list *keep,
			       const struct tandem_media_list *keep2);
/* Give back the pairs of media that are not active. */
void tandem_media_list_settle(struct tandem_sessions *ss, struct tandem_media_list *list);
/* Where packets of this leg come from and go to: learned, else signalled. */
const struct tandem_endpoint *tandem_leg_endpoint(const struct tandem_leg *leg,
						  enum tandem_component comp);
/* Number of the local address that suits a peer, of the family; -EAFNOSUPPORT. */
int tandem_local_pick(const struct tandem_sessions *ss, const struct tandem_endpoint *peer,
		      int family);
/*
 * Give the leg a pair on a local address of the family: the first that is wanted (NULL: none is),
 * or else the one that suits `peer`; its old one is not released.
 */
int tandem_leg_take(struct tandem_sessions *ss, struct tandem_leg *leg,
		    const struct tandem_locals *wanted, const struct tandem_endpoint *peer,
		    int family);
/*
 * May the relay not send there? Denied networks, also behind an IPv6 address that embeds
 * an IPv4 one, and the media ports of the relay itself, where packets could go in circles.
 */
bool tandem_sessions_denied(const struct tandem_sessions *ss, const struct tandem_endpoint *to);
/*
 * The same for an address that a party has named, or sends media from: where the configuration says
 * so, it may not be one of this host either, whose other services would get the packets.
 */
bool tandem_sessions_refused(const struct tandem_sessions *ss, const struct tandem_endpoint *to);

/* ---- agree.c ---- */
/*
 * Fill in the media from an offer and its answer (RFC 3264 section 6). -EPROTO,
 * -EACCES, -EAFNOSUPPORT: an address that is no literal, or of the family that the
 * relay did not show to this party.
 */
int tandem_media_agree(const struct tandem_sessions *ss, const struct tandem_session *s,
		       struct tandem_media_list *list, const struct tandem_sdp *offer,
		       const struct tandem_sdp *answer, enum tandem_party_id offerer);
/* An address literal of SDP; IPv4 in its mapped form, however it was written. */
struct ip_addr tandem_media_ip(const struct tandem_sdp_addr *addr);
/* Can and shall the relay be in the path of this media? */
bool tandem_media_is_anchored(const struct tandem_sdp_media *media);
/*
 * Does a description ask for rtcp-mux, or agree to it? Who offers rtcp-mux-only may leave away the
 * former (RFC 8858 section 4.2); in an answer that means nothing.
 */
bool tandem_media_muxes(const struct tandem_sdp_media *media, bool answer);
/* 0, or what keeps the relay from sending there: -EACCES, -EAFNOSUPPORT, -EPROTO. */
int tandem_media_check(const struct tandem_sessions *ss, const struct tandem_sdp_media *media);

/* ---- relay_sdp.c ---- */
/*
 * The description to pass on to `to`: the one given, with the relay's addresses
 * that face `to` in place of its sender's, and what secures the media of `to`. answer: it is
 * one. *outp is malloc'd.
 */
int tandem_relay_sdp(const struct tandem_sessions *ss, const struct tandem_media_list *list,
		     enum tandem_party_id to, bool answer, const struct tandem_sdp *sdp,
		     char **outp, size_t *out_len);
/* Remove a=group:BUNDLE. */
int tandem_relay_unbundle(struct tandem_sdp *sdp);

/* ---- bundle.c, bundle_sdp.c, bundle_ext.c ---- */
/*
 * Give every section of the first BUNDLE group of an offer what it leaves to another: that makes
 * bundle-only sections (RFC 9143 6) ones like any other.
 */
int tandem_bundle_spread(struct tandem_sdp *offer);
/* Note of a section of an offer what an answer has to know of its place in a group. */
void tandem_bundle_offered(struct tandem_media *m, const struct tandem_sdp *offer, size_t i,
			   enum tandem_party_id offerer);
/*
 * Which media share a transport, from an offer and its answer; for both parties. To be called
 * before anything else is read from the answer. -EPROTO: a bundle that was not offered.
 */
int tandem_bundle_agree(struct tandem_media_list *list, const struct tandem_sdp *offer,
			const struct tandem_sdp *answer, enum tandem_party_id offerer);
/*
 * Add the group to what a party is to see, of those sections that are in it. In an answer they have
 * the mids of the party's offer; in an offer sections get some where none has any.
 */
int tandem_bundle_sdp(const struct tandem_media_list *list, enum tandem_party_id to, bool answer,
		      struct tandem_sdp *sdp, const bool *in);
/* What the parties send in a media that is agreed: SSRCs, and the MID. */
void tandem_bundle_ssrcs(struct tandem_media *m, const struct tandem_sdp *offer,
			 const struct tandem_sdp *answer, size_t i, enum tandem_party_id offerer);
/*
 * Where packets of the parties have the MID, once it is known which media are agreed. NULL; or why
 * the answer cannot be, as nobody would know which packets are of which media.
 */
const char *tandem_bundle_mids(struct tandem_media_list *list, const struct tandem_sdp *offer,
			       const struct tandem_sdp *answer, enum tandem_party_id offerer);
/*
 * A packet that is authentic, with an SSRC that is not known: which media it is of, by its MID
 * or else by its payload type (RFC 9143 9.2). True when it is known now. len bytes, from the
 * RTP header on, at least 12.
 */
bool tandem_bundle_learn(struct tandem_media_list *list, enum tandem_party_id from,
			 size_t transport, const uint8_t *head, size_t len);
/* The leg that has the transport of this one. */
static inline const struct tandem_leg *tandem_leg_transport(const struct tandem_media_list *list,
							    size_t i, enum tandem_party_id party)
{
	return &list->v[list->v[i].leg[party].transport].leg[party];
}

/* ---- flows.c ---- */
/* Bring the plane to what the session wants; returns the first error of any change. */
int tandem_flows_sync(struct tandem_sessions *ss, struct tandem_session *s);
/* Remove all flows of the session. */
void tandem_flows_remove(struct tandem_sessions *ss, struct tandem_session *s);
/* Free what is kept of them. */
void tandem_flows_clean(struct tandem_session *s);

/* ---- tap.c ---- */
/* What captures want of it now. */
uint32_t tandem_session_taps(const struct tandem_sessions *ss, const struct tandem_session *s);
uint32_t tandem_forward_taps(const struct tandem_sessions *ss, const struct tandem_forward *f);
void tandem_tap_gone(const struct tandem_sessions *ss, uint64_t number);

/* ---- acts.c ---- */
/* Everything that is wanted of what a party sends in a media. */
uint8_t tandem_acts_of(const struct tandem_session *s, enum tandem_party_id from, size_t media);
/* Is anything wanted of any? */
bool tandem_acts_any(const struct tandem_session *s);
/* A new session of a call that is forked: it has what was wanted of the call as a whole. */
void tandem_acts_inherit(const struct tandem_sessions *ss, struct tandem_session *s);
/* The stored form, and back; NULL or none is nothing. -EBADMSG. */
json_t *tandem_acts_dump(const struct tandem_acts *acts);
int tandem_acts_parse(struct tandem_acts *acts, const json_t *js);

/* ---- wishes.c ---- */
/* When the session is to end, in ms of the epoch; 0: it is not. */
json_int_t tandem_wishes_end_dump(const struct tandem_sessions *ss, const struct tandem_session *s);
/* Read what is stored of a front end's wishes. -EBADMSG. */
int tandem_wishes_parse(struct tandem_sessions *ss, struct tandem_session *s, const json_t *doc);

/* ---- learn.c ---- */
/* How long a window is, in ms. */
uint64_t tandem_learn_window(const struct tandem_sessions *ss, enum tandem_component comp);
/* Open the windows of a fresh agreement. */
void tandem_learn_start(const struct tandem_sessions *ss, struct tandem_session *s);
/* To follow once the plane has the flows: what passed them before came from elsewhere. */
void tandem_learn_mark(struct tandem_sessions *ss, struct tandem_session *s);
/* Close what has expired or is not needed any more. */
void tandem_learn_tick(struct tandem_sessions *ss, struct tandem_session *s);
/* Handler for tandem_plane_dispatch; arg is the table. */
void tandem_learn_source(const struct tandem_unknown_source *src, void *arg);

/* ---- save.c, persist.c, parse.c, restore.c ---- */
/* A JSON string; bytes that are not UTF-8 become '?'. NULL on no memory. */
json_t *tandem_json_text(const char *text);
/* "192.0.2.1:5004", or null for port 0. */
json_t *tandem_json_endpoint(const struct tandem_endpoint *ep);
/* Write the session to the store. Failure is logged: the call goes on, a tick tries again. */
void tandem_session_save(struct tandem_sessions *ss, struct tandem_session *s);
/* Remove one that is over from the store; when that cannot be done now, a tick does it. */
void tandem_session_unsave(struct tandem_sessions *ss, struct tandem_session *s);
void tandem_leftovers_remove(struct tandem_sessions *ss);
void tandem_leftovers_clean(struct tandem_sessions *ss);
/* A list of media in the stored form; NULL on no memory. */
json_t *tandem_media_list_dump(const struct tandem_sessions *ss,
			       const struct tandem_media_list *list);
/* The stored form; NULL on no memory. */
json_t *tandem_session_dump(const struct tandem_sessions *ss, const struct tandem_session *s);
/* The reverse. -EBADMSG, -ENOMEM, -EADDRNOTAVAIL: a local address is gone. Takes no ports. */
int tandem_session_parse(struct tandem_sessions *ss, struct tandem_session **sp, const json_t *doc);
/* Take up what the store holds, and bring the plane in line with it. */
int tandem_sessions_restore(struct tandem_sessions *ss);
/* Put one that was read into the table, with its ports. -EEXIST, or the errors of ports. */
int tandem_session_enter(struct tandem_sessions *ss, struct tandem_session *s);

/* ---- subscribe.c ---- */
/* The session is about to go: its subscriptions end, and it leaves its source. */
void tandem_session_part(struct tandem_sessions *ss, struct tandem_session *s);
/* Find the sources of subscriptions that were stored; those that are gone end. */
int tandem_subscriptions_restore(struct tandem_sessions *ss);

/* ---- move_keys.c ---- */
bool tandem_session_has_keys(const struct tandem_session *s);
/* NULL on no memory. */
json_t *tandem_session_dump_counted(const struct tandem_sessions *ss,
				    const struct tandem_session *s);
/* What the text of a session has of it, malloc'd; returns how many. */
size_t tandem_session_parse_counted(const struct tandem_sessions *ss, const json_t *doc,
				    struct tandem_srtp_seed **seedsp);

/* ---- move.c ---- */
/* What has to be known of the session elsewhere has changed; or it is over. */
void tandem_session_outdated(struct tandem_sessions *ss, struct tandem_session *s);
void tandem_session_gone(struct tandem_sessions *ss, struct tandem_session *s);

#endif
