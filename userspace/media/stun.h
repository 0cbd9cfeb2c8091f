/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * STUN messages (RFC 8489) with what ICE (RFC 8445) needs of them: reading, writing,
 * MESSAGE-INTEGRITY with short-term credentials, FINGERPRINT. No state, no memory of its own.
 *
 * A message that was read is a view into the caller's bytes, which must outlive it. What it says
 * is to be believed only after tandem_stun_check_integrity().
 */
#ifndef TANDEM_MEDIA_STUN_H
#define TANDEM_MEDIA_STUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "userspace/util/endpoint.h"

enum {
	TANDEM_STUN_HEADER = 20,    /* bytes of a message without attributes */
	TANDEM_STUN_ID = 12,	    /* bytes of a transaction id */
	TANDEM_STUN_USERNAME = 513, /* longest USERNAME (RFC 8489 14.3 allows 508) */
	TANDEM_STUN_UNKNOWN = 8,    /* unknown attributes that are remembered */
};

enum tandem_stun_method {
	TANDEM_STUN_BINDING = 1,
};

enum tandem_stun_class {
	TANDEM_STUN_REQUEST,
	TANDEM_STUN_INDICATION,
	TANDEM_STUN_SUCCESS,
	TANDEM_STUN_ERROR,
};

/* ERROR-CODE (RFC 8489 14.8, RFC 8445 16.1) */
enum {
	TANDEM_STUN_BAD_REQUEST = 400,
	TANDEM_STUN_UNAUTHENTICATED = 401,
	TANDEM_STUN_UNKNOWN_ATTRIBUTE = 420,
	TANDEM_STUN_ROLE_CONFLICT = 487,
};

/* A message as it was read. Of an attribute that comes twice the first counts (RFC 8489 14). */
struct tandem_stun {
	const uint8_t *data;
	size_t len;
	unsigned int method; /* enum tandem_stun_method, or one that is not known here */
	enum tandem_stun_class class;
	uint8_t id[TANDEM_STUN_ID];

	const char *username; /* not terminated; NULL: none */
	size_t username_len;
	bool has_mapped; /* XOR-MAPPED-ADDRESS */
	struct tandem_endpoint mapped;
	bool has_priority;
	uint32_t priority;
	bool use_candidate;
	bool controlling; /* ICE-CONTROLLING, with tie_breaker */
	bool controlled;  /* ICE-CONTROLLED, with tie_breaker */
	uint64_t tie_breaker;
	unsigned int error; /* ERROR-CODE, 300..699; 0: none */
	bool fingerprint;   /* there is one (and it is right) */
	size_t integrity;   /* offset of MESSAGE-INTEGRITY; 0: none */
	/* Attributes that must be understood and are not; at most so many are kept. */
	uint16_t unknown[TANDEM_STUN_UNKNOWN];
	size_t unknown_count;
};

/**
 * Does this look like STUN? First octet 0..3 (RFC 7983) and the magic cookie. For telling
 * datagrams apart; cheap.
 */
bool tandem_stun_is(const void *data, size_t len);

/**
 * Read a datagram as one message.
 *
 * @return 0; -EBADMSG: not STUN, cut short, something behind it, an attribute that is not of
 *         its form, or a wrong FINGERPRINT. *msg is then undefined.
 */
int tandem_stun_parse(struct tandem_stun *msg, const void *data, size_t len);

/**
 * Check MESSAGE-INTEGRITY (RFC 8489 14.5), in constant time.
 *
 * @param key  for short-term credentials the password
 * @return 0; -ENOKEY: the message has none; -EACCES: it is wrong; -EIO: no HMAC-SHA1 here
 */
int tandem_stun_check_integrity(const struct tandem_stun *msg, const void *key, size_t key_len);

/* A message being written. Set up by tandem_stun_start; fields are private. */
struct tandem_stun_writer {
	uint8_t *buf;
	size_t size, len;
	int err;
};

/*
 * Write a message: start, attributes, integrity, fingerprint, finish. No call but finish returns
 * an error; it tells of the first one.
 */

/** Begin with the header. id has TANDEM_STUN_ID bytes. */
void tandem_stun_start(struct tandem_stun_writer *w, void *buf, size_t size,
		       enum tandem_stun_method method, enum tandem_stun_class class,
		       const uint8_t *id);

/** USERNAME, made of two fragments with a colon between. */
void tandem_stun_put_username(struct tandem_stun_writer *w, const char *first, const char *second);
void tandem_stun_put_mapped(struct tandem_stun_writer *w, const struct tandem_endpoint *ep);
void tandem_stun_put_priority(struct tandem_stun_writer *w, uint32_t priority);
void tandem_stun_put_use_candidate(struct tandem_stun_writer *w);

/** ICE-CONTROLLING or ICE-CONTROLLED. */
void tandem_stun_put_role(struct tandem_stun_writer *w, bool controlling, uint64_t tie_breaker);

/** ERROR-CODE without a reason phrase, to keep it small. code is 300..699. */
void tandem_stun_put_error(struct tandem_stun_writer *w, unsigned int code);

/** UNKNOWN-ATTRIBUTES with what msg->unknown lists. */
void tandem_stun_put_unknown(struct tandem_stun_writer *w, const struct tandem_stun *msg);

/** MESSAGE-INTEGRITY over what is written so far; only fingerprint may follow. */
void tandem_stun_put_integrity(struct tandem_stun_writer *w, const void *key, size_t key_len);

/** FINGERPRINT, the last attribute. */
void tandem_stun_put_fingerprint(struct tandem_stun_writer *w);

/** @return length of the message; -ENOSPC: the buffer is too small; -EINVAL; -EIO: no HMAC */
int tandem_stun_finish(const struct tandem_stun_writer *w);

#endif
