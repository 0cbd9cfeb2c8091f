/* SPDX-License-Identifier: GPL-2.0-only */
/* The value of Authorization and Proxy-Authorization, and of challenges: RFC 3261 section 25.1, RFC 7616. */
#ifndef TANDEM_SIP_AUTH_PARSE_H
#define TANDEM_SIP_AUTH_PARSE_H

#include "userspace/sip/libre.h"

/* Directives as they stand, without quotes; what is absent is not set. All borrowed. */
struct tandem_credentials {
	struct pl username;
	struct pl realm;
	struct pl nonce;
	struct pl uri;
	struct pl response;
	struct pl algorithm;
	struct pl cnonce;
	struct pl qop;
	struct pl nc;
	struct pl userhash;
	struct pl opaque;
	struct pl stale; /* of a challenge, as WWW-Authenticate and Proxy-Authenticate have it */
};

/*
 * Read val. 0; -ENOENT when the scheme is not Digest; -EBADMSG when it is malformed, has
 * a directive twice, or one that is too long. Then *c holds what was read before that,
 * so that it can be told whose they were meant to be.
 */
int tandem_credentials_parse(struct tandem_credentials *c, const struct pl *val);

/* Hexadecimal digits, of either case, as exactly size octets. 0 or -EBADMSG. */
int tandem_credentials_hex(uint8_t *out, size_t size, const struct pl *text);

/* True for a Digest header value, whether well-formed or not, with this realm. */
bool tandem_credentials_of(const struct pl *val, const char *realm);

#endif
