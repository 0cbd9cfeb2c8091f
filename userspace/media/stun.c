/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/media/stun.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "userspace/media/stun_wire.h"

uint32_t tandem_stun_crc32(const uint8_t *p, size_t len)
{
	static const uint32_t nibble[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
		0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	uint32_t crc = ~0U;

	while (len--) {
		crc ^= *p++;
		crc = crc >> 4 ^ nibble[crc & 15];
		crc = crc >> 4 ^ nibble[crc & 15];
	}
	return ~crc;
}

int tandem_stun_hmac(const uint8_t *message, size_t len, const void *key, size_t key_len,
		     uint8_t *out)
{
	uint8_t copy[STUN_MESSAGE_LIMIT];

	if (len < TANDEM_STUN_HEADER || len > sizeof(copy))
		return -EIO;
	memcpy(copy, message, len);
	stun_set16(copy + 2, (uint16_t)(len + STUN_ATTR + STUN_HMAC - TANDEM_STUN_HEADER));
	return HMAC(EVP_sha1(), key, (int)key_len, copy, len, out, NULL) ? 0 : -EIO;
}

bool tandem_stun_is(const void *data, size_t len)
{
	const uint8_t *p = data;

	return len >= TANDEM_STUN_HEADER && p[0] < 4 && stun_get32(p + 4) == STUN_COOKIE;
}

/* Four bits and twice three of the method, with the two bits of the class between (RFC 8489 5). */
static void type_split(struct tandem_stun *msg, uint16_t type)
{
	msg->method = (type & 0x000fU) | (type & 0x00e0U) >> 1 | (type & 0x3e00U) >> 2;
	msg->class = (enum tandem_stun_class)((type & 0x0010U) >> 4 | (type & 0x0100U) >> 7);
}

/* XOR-MAPPED-ADDRESS (RFC 8489 14.2) */
static int address_read(struct tandem_stun *msg, const uint8_t *value, size_t len)
{
	struct tandem_endpoint *ep = &msg->mapped;
	const uint8_t *mask = msg->data + 4; /* the cookie, then the transaction id */
	bool v4 = len >= 2 && value[1] == STUN_FAMILY_V4;
	size_t n = v4 ? 4 : 16;
	uint8_t *to = ep->ip.b + 16 - n;

	if (len != 4 + n || (!v4 && value[1] != STUN_FAMILY_V6))
		return -EBADMSG;
	memset(ep, 0, sizeof(*ep));
	if (v4)
		memset(ep->ip.b + 10, 0xff, 2);
	for (size_t i = 0; i < n; i++)
		to[i] = value[4 + i] ^ mask[i];
	ep->port = stun_get16(value + 2) ^ (uint16_t)(STUN_COOKIE >> 16);
	msg->has_mapped = true;
	return 0;
}

/* ERROR-CODE (RFC 8489 14.8) */
static int error_read(struct tandem_stun *msg, const uint8_t *value, size_t len)
{
	unsigned int class, number;

	if (len < 4)
		return -EBADMSG;
	class = value[2] & 7;
	number = value[3];
	if (class < 3 || class > 6 || number > 99)
		return -EBADMSG;
	if (!msg->error)
		msg->error = class * 100 + number;
	return 0;
}

static int role_read(struct tandem_stun *msg, bool controlling, const uint8_t *value, size_t len)
{
	if (len != 8)
		return -EBADMSG;
	if (msg->controlling || msg->controlled)
		return 0;
	msg->controlling = controlling;
	msg->controlled = !controlling;
	msg->tie_breaker = (uint64_t)stun_get32(value) << 32 | stun_get32(value + 4);
	return 0;
}

static int attribute_unknown(struct tandem_stun *msg, uint16_t type)
{
	if (type < ATTR_OPTIONAL && msg->unknown_count < TANDEM_STUN_UNKNOWN)
		msg->unknown[msg->unknown_count++] = type;
	return 0;
}

static int attribute_read(struct tandem_stun *msg, uint16_t type, const uint8_t *value, size_t len)
{
	switch (type) {
	case ATTR_USERNAME:
		if (len > TANDEM_STUN_USERNAME)
			return -EBADMSG;
		if (!msg->username) {
			msg->username = (const char *)value;
			msg->username_len = len;
		}
		return 0;
	case ATTR_XOR_MAPPED_ADDRESS:
		return msg->has_mapped ? 0 : address_read(msg, value, len);
	case ATTR_ERROR_CODE:
		return error_read(msg, value, len);
	case ATTR_PRIORITY:
		if (len != 4)
			return -EBADMSG;
		if (!msg->has_priority)
			msg->priority = stun_get32(value);
		msg->has_priority = true;
		return 0;
	case ATTR_USE_CANDIDATE:
		msg->use_candidate = true;
		return len ? -EBADMSG : 0;
	case ATTR_ICE_CONTROLLED:
	case ATTR_ICE_CONTROLLING:
		return role_read(msg, type == ATTR_ICE_CONTROLLING, value, len);
	case ATTR_MESSAGE_INTEGRITY:
		msg->integrity = (size_t)(value - STUN_ATTR - msg->data);
		return len == STUN_HMAC ? 0 : -EBADMSG;
	case ATTR_MAPPED_ADDRESS:
	case ATTR_UNKNOWN_ATTRIBUTES:
	case ATTR_REALM:
	case ATTR_NONCE:
	case ATTR_MESSAGE_INTEGRITY_SHA256:
		return 0; /* understood, and of no use to ICE */
	default:
		return attribute_unknown(msg, type);
	}
}

static int fingerprint_read(struct tandem_stun *msg, const uint8_t *value, size_t len)
{
	size_t before = (size_t)(value - STUN_ATTR - msg->data);

	/* It is the last attribute (RFC 8489 14.7). */
	if (len != 4 || before + STUN_ATTR + 4 != msg->len)
		return -EBADMSG;
	msg->fingerprint = true;
	return stun_get32(value) == (tandem_stun_crc32(msg->data, before) ^ STUN_FINGERPRINT)
		       ? 0
		       : -EBADMSG;
}

static int attributes_read(struct tandem_stun *msg)
{
	size_t off = TANDEM_STUN_HEADER;
	int err = 0;

	while (off < msg->len && !err) {
		const uint8_t *p = msg->data + off;
		size_t len, padded;

		if (msg->len - off < STUN_ATTR)
			return -EBADMSG;
		len = stun_get16(p + 2);
		padded = (len + 3) & ~(size_t)3;
		if (msg->len - off - STUN_ATTR < padded)
			return -EBADMSG;
		if (stun_get16(p) == ATTR_FINGERPRINT)
			err = fingerprint_read(msg, p + STUN_ATTR, len);
		else if (
			!msg->integrity) /* what stands behind it is not protected: RFC 8489 14.5 */
			err = attribute_read(msg, stun_get16(p), p + STUN_ATTR, len);
		off += STUN_ATTR + padded;
	}
	return err;
}

int tandem_stun_parse(struct tandem_stun *msg, const void *data, size_t len)
{
	const uint8_t *p = data;

	memset(msg, 0, sizeof(*msg));
	if (!tandem_stun_is(data, len) || len > STUN_MESSAGE_LIMIT ||
	    stun_get16(p + 2) + (size_t)TANDEM_STUN_HEADER != len || len % 4)
		return -EBADMSG;
	msg->data = data;
	msg->len = len;
	type_split(msg, stun_get16(p));
	memcpy(msg->id, p + 8, sizeof(msg->id));
	return attributes_read(msg);
}

int tandem_stun_check_integrity(const struct tandem_stun *msg, const void *key, size_t key_len)
{
	uint8_t want[STUN_HMAC];

	if (!msg->integrity)
		return -ENOKEY;
	if (tandem_stun_hmac(msg->data, msg->integrity, key, key_len, want))
		return -EIO;
	return CRYPTO_memcmp(want, msg->data + msg->integrity + STUN_ATTR, sizeof(want)) ? -EACCES
											 : 0;
}
