/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers of STUN on the wire, for the reader (stun.c) and the writer (stun_write.c). */
#ifndef TANDEM_MEDIA_STUN_WIRE_H
#define TANDEM_MEDIA_STUN_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define STUN_COOKIE	 0x2112a442U /* RFC 8489 5 */
#define STUN_FINGERPRINT 0x5354554eU /* RFC 8489 14.7 */

enum {
	STUN_ATTR = 4,		   /* bytes of type and length */
	STUN_HMAC = 20,		   /* bytes of HMAC-SHA1 */
	STUN_MESSAGE_LIMIT = 2048, /* longer ones are refused: they do not come over UDP */
	STUN_FAMILY_V4 = 1,
	STUN_FAMILY_V6 = 2,
};

/* RFC 8489 18.3, RFC 8445 16.1 */
enum {
	ATTR_MAPPED_ADDRESS = 0x0001,
	ATTR_USERNAME = 0x0006,
	ATTR_MESSAGE_INTEGRITY = 0x0008,
	ATTR_ERROR_CODE = 0x0009,
	ATTR_UNKNOWN_ATTRIBUTES = 0x000a,
	ATTR_REALM = 0x0014,
	ATTR_NONCE = 0x0015,
	ATTR_MESSAGE_INTEGRITY_SHA256 = 0x001c,
	ATTR_XOR_MAPPED_ADDRESS = 0x0020,
	ATTR_PRIORITY = 0x0024,
	ATTR_USE_CANDIDATE = 0x0025,
	ATTR_OPTIONAL = 0x8000, /* from here on, what is not known is passed over */
	ATTR_FINGERPRINT = 0x8028,
	ATTR_ICE_CONTROLLED = 0x8029,
	ATTR_ICE_CONTROLLING = 0x802a,
};

static inline uint16_t stun_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t stun_get32(const uint8_t *p)
{
	return (uint32_t)stun_get16(p) << 16 | stun_get16(p + 2);
}

static inline void stun_set16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void stun_set32(uint8_t *p, uint32_t v)
{
	stun_set16(p, (uint16_t)(v >> 16));
	stun_set16(p + 2, (uint16_t)v);
}

/* CRC-32 of ISO 3309, as FINGERPRINT wants it. */
uint32_t tandem_stun_crc32(const uint8_t *p, size_t len);

/*
 * MESSAGE-INTEGRITY of the first len bytes of a message, as if it ended with that attribute, to
 * out of STUN_HMAC bytes. 0 or -EIO.
 */
int tandem_stun_hmac(const uint8_t *message, size_t len, const void *key, size_t key_len,
		     uint8_t *out);

#endif
