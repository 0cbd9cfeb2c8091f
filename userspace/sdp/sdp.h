/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Session descriptions (SDP, RFC 8866) for a relay: parse, look, edit, print.
 *
 * The document is lossless: parse followed by print gives back every byte, whatever the
 * line ends, the order, the spacing or the unknown lines. An edit changes the lines it
 * names and no other.
 *
 * The typed view (struct tandem_sdp_session, struct tandem_sdp_media) holds what a relay
 * needs. All its strings end in NUL and belong to the document.
 *
 * EVERY POINTER OBTAINED FROM A DOCUMENT (media, session, strings, attribute values) IS
 * VALID ONLY UNTIL THE NEXT EDIT OF THAT DOCUMENT OR ITS END. Arguments of an edit may
 * point into the document being edited.
 *
 * An edit either succeeds or leaves the document as it was. Edits return 0 or:
 *   -EINVAL    no such media, bad address, or text that would break its line
 *   -EMSGSIZE  the result would pass a limit below
 *   -ENOMEM    out of memory
 * and others where said.
 *
 * A document has no locks: use it from one thread at a time.
 */
#ifndef TANDEM_USERSPACE_SDP_SDP_H
#define TANDEM_USERSPACE_SDP_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h> /* AF_INET, AF_INET6, AF_UNSPEC */

/* Limits against hostile input; a description beyond one is refused with -EMSGSIZE. */
enum {
	TANDEM_SDP_MAX_SIZE = 65536,  /* bytes in a description */
	TANDEM_SDP_MAX_LINES = 4096,  /* lines, attributes included */
	TANDEM_SDP_MAX_MEDIA = 64,    /* m= lines */
	TANDEM_SDP_MAX_FORMATS = 128, /* formats on one m= line */
	TANDEM_SDP_MAX_SSRCS = 256,   /* different SSRCs in one media section */
	TANDEM_SDP_MAX_GROUPS = 16,   /* a=group lines */
	TANDEM_SDP_MAX_MIDS = 128,    /* identification tags in one a=group line */
	TANDEM_SDP_MAX_HOST = 255,    /* characters in a connection address */
};

/* The section argument of the functions below: a media index, or the session level. */
enum { TANDEM_SDP_SESSION = -1 };

struct tandem_sdp;

/* Why a description was refused. */
struct tandem_sdp_error {
	int code;	    /* negative errno, the same as was returned */
	unsigned int line;  /* line number from 1; 0: no line in particular */
	const char *reason; /* static text for a log, never NULL */
};

/* Direction as its owner declares it (RFC 8866 6.7): bit 0 it sends, bit 1 it receives. */
enum tandem_sdp_dir {
	TANDEM_SDP_INACTIVE = 0,
	TANDEM_SDP_SENDONLY = 1,
	TANDEM_SDP_RECVONLY = 2,
	TANDEM_SDP_SENDRECV = 3,
};

enum tandem_sdp_kind {
	TANDEM_SDP_OTHER, /* a type that is not registered */
	TANDEM_SDP_AUDIO,
	TANDEM_SDP_VIDEO,
	TANDEM_SDP_TEXT,
	TANDEM_SDP_APPLICATION,
	TANDEM_SDP_MESSAGE,
	TANDEM_SDP_IMAGE,
};

/* A connection, origin or RTCP address (RFC 8866 5.7 and 9, "IN" only). */
struct tandem_sdp_addr {
	bool present;	   /* the description states one */
	bool has_addr;	   /* host is an IP literal of `family`: bytes is valid */
	bool unspecified;  /* 0.0.0.0 or :: (also the hold of RFC 2543) */
	bool multicast;	   /* a multicast literal */
	int family;	   /* AF_INET, AF_INET6; AF_UNSPEC: not an Internet address */
	const char *host;  /* literal or domain name, without /ttl/count; "" if absent */
	uint8_t bytes[16]; /* network order, 4 or 16 bytes */
	uint8_t ttl;	   /* IPv4 multicast time to live; 0: none given */
	uint32_t count;	   /* consecutive multicast addresses, at least 1 */
};

/* One payload format of an m= line, with what rtpmap and fmtp say about it. */
struct tandem_sdp_format {
	const char *fmt;   /* as in the m= line: "0", "96", "t38" */
	int pt;		   /* RTP payload type 0..127; -1: not RTP or not a number */
	const char *name;  /* encoding name, from rtpmap or RFC 3551; NULL: unknown */
	uint32_t clock;	   /* RTP clock rate in Hz (G722: 8000, RFC 3551 4.5.2); 0: unknown */
	uint32_t channels; /* audio channels, at least 1 when the name is known; else 0 */
	const char *fmtp;  /* format parameters; NULL: none */
	bool rtpmap;	   /* an rtpmap says so (not the static table) */
};

/* a=group (RFC 5888, 9143) */
struct tandem_sdp_group {
	const char *semantics; /* "BUNDLE", "LS", ... */
	const char *const *mids;
	size_t nmids;
};

/* One line as written. */
struct tandem_sdp_line {
	char type;	     /* 'v', 'o', ...; 0: an empty line */
	const char *value;   /* what follows the '='; never NULL */
	int section;	     /* media index or TANDEM_SDP_SESSION */
	unsigned int number; /* from 1 */
};

/* The session level. */
struct tandem_sdp_session {
	bool has_origin;
	const char *username; /* o= fields; "" when there is no o= line */
	const char *sess_id;
	const char *sess_version; /* digits, of any length */
	struct tandem_sdp_addr origin;
	const char *name;	     /* s= */
	struct tandem_sdp_addr conn; /* session c= */
	enum tandem_sdp_dir dir;     /* default for all media */
	bool ice_lite;
	const struct tandem_sdp_group *groups;
	size_t ngroups;
};

/* One m= section, with the session level's defaults applied. */
struct tandem_sdp_media {
	enum tandem_sdp_kind kind;
	const char *type;			 /* "audio", "video", ... as written */
	uint16_t port;				 /* 0: rejected or disabled, but see bundle_only */
	uint32_t nports;			 /* port pairs, `m=audio 49170/2`: at least 1 */
	const char *proto;			 /* "RTP/AVP", "UDP/TLS/RTP/SAVPF", "udptl", ... */
	bool rtp;				 /* an RTP profile */
	bool secure;				 /* RTP/SAVP or RTP/SAVPF in any wrapping */
	bool feedback;				 /* an AVPF profile (RFC 4585) */
	const struct tandem_sdp_format *formats; /* in the order of the m= line */
	size_t nformats;

	struct tandem_sdp_addr conn; /* effective: the media's first c=, else the session's */
	size_t nconns;		     /* c= lines of this section (0: inherited) */
	enum tandem_sdp_dir dir;

	/*
	 * Where this side wants RTCP (RFC 3605, RFC 5761 aside): a=rtcp if present, else
	 * port + 1 at the connection address. rtcp_port 0: none (port is 0 or 65535, or
	 * a=rtcp:0, or not RTP).
	 */
	bool rtcp_explicit; /* an a=rtcp line */
	uint16_t rtcp_port;
	struct tandem_sdp_addr rtcp; /* its own address, or a copy of conn */

	bool rtcp_mux;	    /* RFC 5761 */
	bool rtcp_mux_only; /* RFC 8858 */
	bool rtcp_rsize;    /* RFC 5506 */
	uint32_t ptime;	    /* ms, rounded down; 0: not stated */
	uint32_t maxptime;  /* ms */

	const char *mid;  /* RFC 5888; NULL: none */
	int bundle;	  /* index of the BUNDLE group naming this mid; -1: none */
	bool bundle_only; /* RFC 9143 6: with port 0 this is not a rejection */
	bool rejected;	  /* port 0 and not bundle-only */
	bool hold2543;	  /* conn is 0.0.0.0 or :: without ICE: do not send (RFC 3264 8.4) */

	const uint32_t *ssrcs; /* a=ssrc (RFC 5576), each once, in order */
	size_t nssrcs;

	bool has_ice;	      /* a=ice-ufrag here or at session level (RFC 8839) */
	bool has_candidates;  /* a=candidate here */
	bool has_crypto;      /* a=crypto here (RFC 4568) */
	bool has_fingerprint; /* a=fingerprint here or at session level (RFC 8122) */
	const char *setup;    /* a=setup here, else at session level (RFC 4145); NULL: none */
};

/* ---- the document ------------------------------------------------------------------ */

/**
 * Parse a description.
 *
 * Lines end in CRLF or LF; the last may lack its end. Unknown line types and attributes,
 * missing lines other than v=, and empty lines are kept. An attribute whose value is
 * malformed is kept and has no typed view; a malformed v=, o=, c=, m= or a=rtcp line is an
 * error, as are NUL bytes, stray CR and lines that are not <type>=<value>.
 *
 * @param sdpp  the new document; tandem_sdp_free() it. Untouched on error
 * @param buf   len bytes, not kept; need not end in NUL
 * @param err   says why it was refused; may be NULL
 * @return 0, -EBADMSG (malformed), -EMSGSIZE (a limit), -EINVAL, -ENOMEM
 */
int tandem_sdp_parse(struct tandem_sdp **sdpp, const char *buf, size_t len,
		     struct tandem_sdp_error *err);

/** Free a document; NULL is allowed. */
void tandem_sdp_free(struct tandem_sdp *sdp);

/** Copy a document. @return 0 or -ENOMEM, -EINVAL */
int tandem_sdp_dup(struct tandem_sdp **dst, const struct tandem_sdp *src);

/**
 * Write the document as text.
 *
 * @param textp  malloc'd, *lenp bytes and a NUL that is not counted; free() it
 * @param lenp   may be NULL
 * @return 0, -EINVAL or -ENOMEM
 */
int tandem_sdp_print(const struct tandem_sdp *sdp, char **textp, size_t *lenp);

/**
 * Check a parsed document against the grammar of RFC 8866 section 9: the required lines
 * (v o s t, and c= for every media), the order of lines, lines that may come once only,
 * and the form of o=, t=, r=, z=, b= and k=. A relay accepts more than this.
 *
 * @return 0, -EBADMSG with *err filled (err may be NULL), -EINVAL, -ENOMEM
 */
int tandem_sdp_validate(const struct tandem_sdp *sdp, struct tandem_sdp_error *err);

/* ---- looking ----------------------------------------------------------------------- */

/** The session level; never NULL. */
const struct tandem_sdp_session *tandem_sdp_session(const struct tandem_sdp *sdp);

/** Number of m= lines. */
size_t tandem_sdp_media_count(const struct tandem_sdp *sdp);

/** Media i, counted from 0; NULL if there is none. */
const struct tandem_sdp_media *tandem_sdp_media(const struct tandem_sdp *sdp, size_t i);

/** The format with payload type pt, or NULL. */
const struct tandem_sdp_format *tandem_sdp_find_format(const struct tandem_sdp_media *media,
						       int pt);

/**
 * The value of an attribute.
 *
 * @param section  media index, or TANDEM_SDP_SESSION; no inheritance
 * @param name     attribute name; case matters (RFC 8866 5.13)
 * @param nth      which of several, from 0
 * @return the value, "" for a flag such as a=rtcp-mux, NULL if there is none
 */
const char *tandem_sdp_find_attr(const struct tandem_sdp *sdp, int section, const char *name,
				 size_t nth);

/** Number of lines. */
size_t tandem_sdp_line_count(const struct tandem_sdp *sdp);

/**
 * Line i from 0, for fields that have no typed view (i= u= e= p= b= t= r= z= k=).
 * @return 0 or -EINVAL
 */
int tandem_sdp_line(const struct tandem_sdp *sdp, size_t i, struct tandem_sdp_line *line);

/** "sendrecv", "sendonly", "recvonly" or "inactive". */
const char *tandem_sdp_dir_name(enum tandem_sdp_dir dir);

/** The direction as the other side sees it: sendonly becomes recvonly and back. */
enum tandem_sdp_dir tandem_sdp_dir_reverse(enum tandem_sdp_dir dir);

/**
 * The static payload type of RFC 3551 section 6.
 *
 * @param out  name, clock, channels, pt; fmt and fmtp are left NULL
 * @return 0 or -ENOENT (dynamic, reserved or unassigned)
 */
int tandem_sdp_static_format(int pt, struct tandem_sdp_format *out);

/** Same encoding: name (case ignored), clock rate and channels; or the same unknown pt. */
bool tandem_sdp_same_codec(const struct tandem_sdp_format *a, const struct tandem_sdp_format *b);

/* ---- editing ----------------------------------------------------------------------- */

/**
 * Set the connection address (c=). The section's first c= line is replaced, its other
 * c= lines (addresses of the same layered stream) are removed; without one a line is
 * inserted where RFC 8866 wants it.
 *
 * @param media   media index, or TANDEM_SDP_SESSION
 * @param family  AF_INET or AF_INET6
 * @param host    a unicast literal of that family
 */
int tandem_sdp_set_connection(struct tandem_sdp *sdp, int media, int family, const char *host);

/** Set the port of an m= line; the port count, if any, is kept. Port 0: see reject_media. */
int tandem_sdp_set_port(struct tandem_sdp *sdp, size_t media, uint16_t port);

/** Set port and port count; nports 1 writes no count. nports 0: -EINVAL */
int tandem_sdp_set_ports(struct tandem_sdp *sdp, size_t media, uint16_t port, uint32_t nports);

/** Set the transport protocol of an m= line: tokens with slashes between, "RTP/SAVP". */
int tandem_sdp_set_proto(struct tandem_sdp *sdp, size_t media, const char *proto);

/**
 * Set, insert or remove a=rtcp (RFC 3605).
 *
 * @param port    0 removes the attribute
 * @param family  family of host; ignored without one
 * @param host    literal; NULL: the port only
 */
int tandem_sdp_set_rtcp(struct tandem_sdp *sdp, size_t media, uint16_t port, int family,
			const char *host);

/** Set address type and address of o=. @return also -ENOENT: there is no o= line */
int tandem_sdp_set_origin_address(struct tandem_sdp *sdp, int family, const char *host);

/** Set the user name of o=, a word. @return also -ENOENT: there is no o= line */
int tandem_sdp_set_origin_user(struct tandem_sdp *sdp, const char *user);

/**
 * Set user name, session id and version of o=, words.
 * @return also -ENOENT: there is no o= line
 */
int tandem_sdp_set_origin(struct tandem_sdp *sdp, const char *user, const char *id,
			  const char *version);

/** Set s=. @return also -ENOENT: there is no s= line */
int tandem_sdp_set_session_name(struct tandem_sdp *sdp, const char *name);

/** Add one to the version of o=. @return also -ENOENT: no o= line, or no number in it */
int tandem_sdp_bump_version(struct tandem_sdp *sdp);

/**
 * Make the section have exactly one attribute of this name: the first is replaced, others
 * are removed, and without one it is added at the section's end.
 *
 * @param value  NULL for a flag (a=name); else a=name:value
 */
int tandem_sdp_set_attr(struct tandem_sdp *sdp, int section, const char *name, const char *value);

/** Add an attribute at the section's end, whatever is there already. */
int tandem_sdp_add_attr(struct tandem_sdp *sdp, int section, const char *name, const char *value);

/** Remove all attributes of this name from a section. Having none is no error. */
int tandem_sdp_remove_attr(struct tandem_sdp *sdp, int section, const char *name);

/** Set the direction of a media, or the default at TANDEM_SDP_SESSION. */
int tandem_sdp_set_direction(struct tandem_sdp *sdp, int section, enum tandem_sdp_dir dir);

/**
 * Reject a media (RFC 3264 6): port 0 without a count; a=bundle-only goes and so does its
 * mid in BUNDLE groups (RFC 9143 7.3.3). The rest of the section stays.
 */
int tandem_sdp_reject_media(struct tandem_sdp *sdp, size_t media);

/**
 * Make a payload type the first of its m= line, which is what the sender wants most (RFC 8866 5.14).
 * @return also -ENOENT: no such format
 */
int tandem_sdp_prefer_format(struct tandem_sdp *sdp, size_t media, int pt);

/**
 * Remove a payload type: from the m= line, with its rtpmap, fmtp and rtcp-fb.
 *
 * @return also -ENOENT: no such format; -EBUSY: it is the only one (reject the media)
 */
int tandem_sdp_remove_format(struct tandem_sdp *sdp, size_t media, int pt);

/* ---- offer and answer (RFC 3264) ----------------------------------------------------- */

/*
 * A format both sides have. Each receives under the number it wrote itself (RFC 3264 5.1).
 * Where one side left out the rtpmap of a dynamic number, its name is NULL and its clock 0:
 * the other side's are meant.
 */
struct tandem_sdp_codec {
	const struct tandem_sdp_format *offer;	/* offer->pt: in packets to the offerer */
	const struct tandem_sdp_format *answer; /* answer->pt: in packets to the answerer */
};

/* One side of a negotiated media. */
struct tandem_sdp_side {
	const struct tandem_sdp_media *media;
	bool sends; /* may send: it offers to, and the other side will receive */
	bool hold;  /* this side put the other on hold (sendonly, inactive, 0.0.0.0) */
	struct tandem_sdp_addr rtp; /* where it receives RTP */
	uint16_t rtp_port;
	struct tandem_sdp_addr rtcp; /* where it receives RTCP, mux considered */
	uint16_t rtcp_port;	     /* 0: nowhere */
	uint32_t ptime;		     /* ms it wants to receive; 0: not stated */
	uint32_t maxptime;
};

struct tandem_sdp_negotiated {
	bool accepted;	    /* neither side has rejected it */
	bool rtcp_mux;	    /* agreed: both sides state it */
	bool bundled;	    /* in a BUNDLE group of the answer and of the offer */
	size_t transport;   /* media index whose transport carries this; itself if alone */
	bool proto_differs; /* the answer changed the transport protocol (RFC 3264 6.1) */
	struct tandem_sdp_side offerer;
	struct tandem_sdp_side answerer;
	struct tandem_sdp_codec codecs[TANDEM_SDP_MAX_FORMATS]; /* the answer's order */
	size_t ncodecs;
};

/**
 * Check that answer can be an answer to offer: as many m= lines, of the same types
 * (RFC 3264 6). A media that the offer disabled counts as rejected whatever the answer
 * says.
 *
 * @param err  line in the answer, and reason; may be NULL
 * @return 0, -EPROTO or -EINVAL
 */
int tandem_sdp_check_answer(const struct tandem_sdp *offer, const struct tandem_sdp *answer,
			    struct tandem_sdp_error *err);

/**
 * What offer and answer agree on for one media. *out points into both documents.
 *
 * For a media that is not accepted only `accepted`, `proto_differs`, `transport` and both
 * `media` are meaningful; the rest is zero.
 *
 * @return 0; -EPROTO as tandem_sdp_check_answer(); -EINVAL: no such media
 */
int tandem_sdp_negotiate(const struct tandem_sdp *offer, const struct tandem_sdp *answer,
			 size_t media, struct tandem_sdp_negotiated *out);

/* How a new description of one side relates to that side's previous one. */
struct tandem_sdp_update {
	bool same_session; /* o= equal but for its version (RFC 3264 8) */
	bool same_version; /* and the version is the same too: nothing may have changed */
	bool unchanged;	   /* all but the o= line is byte for byte the same */
	bool pt_remapped;  /* a payload type means another codec now (forbidden, 8.3.2) */
	size_t added;	   /* m= lines added at the end */
};

/**
 * Check that next may follow prev from the same side: m= lines may be added at the end or
 * disabled, never removed (RFC 3264 8). A media may change its type (8.3.3).
 *
 * @param prev  what this side last sent, offer or answer
 * @param out   the facts, filled also on -EPROTO; may be NULL
 * @return 0, -EPROTO (m= lines are missing), -EINVAL
 */
int tandem_sdp_check_update(const struct tandem_sdp *prev, const struct tandem_sdp *next,
			    struct tandem_sdp_update *out, struct tandem_sdp_error *err);

#endif
