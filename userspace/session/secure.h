/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the media of a leg is secured between its party and the relay, and how that is negotiated.
 *
 * Either leg has its own kind and its own keys: what arrives on one is decrypted, what leaves by
 * the other is encrypted anew. Or the media passes from end to end, and the relay has no keys.
 * Which of both holds is decided for a session as a whole, at each offer; once the relay has
 * ended the security of some media it stays with that.
 */
#ifndef TANDEM_SESSION_SECURE_H
#define TANDEM_SESSION_SECURE_H

#include "userspace/media/sdes.h"
#include "userspace/sdp/sdp.h"
#include "userspace/session/session.h"
#include "userspace/session/wire.h"

#define TANDEM_KEY_STREAMS    4	   /* SSRCs under one key set, */
#define TANDEM_BUNDLE_STREAMS 16   /* and where there may be more than speech */
#define TANDEM_OLD_KEY_MS     5000 /* how long old keys are tried after a change */

#define TANDEM_MID_SIZE 32 /* of mids that are kept, with their NUL */

enum tandem_protection {
	TANDEM_PROTECT_PASS, /* a matter of the two ends */
	TANDEM_PROTECT_NONE,
	TANDEM_PROTECT_SDES,
	TANDEM_PROTECT_DTLS,
};

/* Key sets in use, suite 0: none. */
struct tandem_leg_keys {
	struct tandem_srtp in;	   /* the party's */
	struct tandem_srtp in_old; /* before a change of keys, until old_until_ms */
	struct tandem_srtp out;	   /* the relay's */
	uint64_t old_until_ms;	   /* monotonic; 0: there is none */
};

struct tandem_secure_leg {
	enum tandem_protection kind;
	char proto[24];		     /* in this party's m= line; empty with PASS */
	struct tandem_leg_keys rtp;  /* of RTCP, too, but where it has some of its own: */
	struct tandem_leg_keys rtcp; /* with DTLS and without rtcp-mux (RFC 5764 4.1) */
	uint32_t tag;		     /* SDES: of the line that was chosen */
	struct tandem_wire *wire;    /* DTLS, or NULL; a counted reference */
	uint8_t bundle_rank; /* place in the first BUNDLE group of the party's last offer, from 1; 0: none */
	char mid[TANDEM_MID_SIZE]; /* of the section, as the party knows it; "": none, or too long */

	/* what the relay has offered to this party, as long as it may be answered */
	enum tandem_protection offered_kind;
	bool optional; /* an answer without keys means plain RTP (RFC 8643) */
	struct tandem_sdes offered[TANDEM_SDES_SUITES];
	size_t offered_count;
};

struct tandem_media;
struct tandem_session;
struct tandem_media_list;

/* "pass", "none", "sdes", "dtls"; the reverse: 0 or -EINVAL */
const char *tandem_protection_name(enum tandem_protection kind);
int tandem_protection_parse(enum tandem_protection *kind, const char *name);

/*
 * An offer has come: does the relay end the security of its media? list is a copy of what is
 * agreed, or of the offer that is open.
 */
bool tandem_secure_ends(const struct tandem_media_list *list, const struct tandem_sdp *offer,
			const struct tandem_signal *sig);

/*
 * Decide on both legs of a media from its offer; `ends` as above. -EPROTO: what is
 * offered is not what the offerer's leg has to be; -EIO: no random numbers.
 */
int tandem_secure_offer(struct tandem_sessions *ss, const struct tandem_session *s,
			struct tandem_media *m, bool ends, const struct tandem_sdp *offer, size_t i,
			enum tandem_party_id offerer, const struct tandem_signal *sig);

/*
 * Complete both legs from offer and answer. -EPROTO: there is no usable answer to the keys that
 * were offered.
 */
int tandem_secure_answer(struct tandem_media *m, const struct tandem_sdp *offer,
			 const struct tandem_sdp *answer, size_t i, enum tandem_party_id answerer);

/*
 * There are no packets of this media any more, and what has been counted under its keys is gone
 * with its flows: if it comes back, that is with others.
 */
void tandem_secure_idle(struct tandem_media *m);

/* Wipe the keys of both. */
void tandem_secure_wipe(struct tandem_secure_leg *leg);

/* Wipe all of it; to be used again as one that passes. */
void tandem_secure_leg_clean(struct tandem_secure_leg *leg);

/* Keys that were in use in `before` and are not in `list` are tried for a while yet. */
void tandem_secure_keep_old(struct tandem_media_list *list, const struct tandem_media_list *before,
			    uint64_t now);
/* Wipe old keys whose time is over; true when there were any. *pending: some are left. */
bool tandem_secure_expire(struct tandem_media_list *list, uint64_t now, bool *pending);

/*
 * Bring the security of section i in line with the leg of the party that it goes to: protocol,
 * keys, rtcp-mux. answer: the description is one. For media whose security ends here.
 */
int tandem_secure_sdp(const struct tandem_media_list *list, enum tandem_party_id to, bool answer,
		      struct tandem_sdp *sdp, size_t i);
/* The same for a section that is disabled or rejected: there is nothing to secure. */
int tandem_secure_sdp_idle(const struct tandem_media *m, enum tandem_party_id to,
			   struct tandem_sdp *sdp, size_t i);
/* Remove what secures all media alike from the session level. */
int tandem_secure_sdp_session(struct tandem_sdp *sdp);
/* The same of one media, whose protocol proto becomes ("": it stays what it is). */
int tandem_secure_sdp_strip(struct tandem_sdp *sdp, size_t i, const char *proto);

/*
 * Can nothing more be sealed with a key of the relay's, or nothing of a further SSRC? The next
 * description brings another then.
 */
bool tandem_secure_spent(const struct tandem_sessions *ss, const struct tandem_secure_leg *leg);

/* As the local API shows it, and as it is stored; NULL on no memory. Only the latter has keys. */
json_t *tandem_secure_json(const struct tandem_sessions *ss, const struct tandem_secure_leg *leg);
json_t *tandem_secure_dump(const struct tandem_secure_leg *leg);
/* The reverse of dump; a missing one is PASS. -EBADMSG. */
int tandem_secure_parse(struct tandem_secure_leg *leg, const json_t *js);

#endif
