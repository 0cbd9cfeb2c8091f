/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <string.h>

#include "userspace/media/stun.h"
#include "userspace/media/stun_wire.h"

void tandem_stun_start(struct tandem_stun_writer *w, void *buf, size_t size,
		       enum tandem_stun_method method, enum tandem_stun_class class,
		       const uint8_t *id)
{
	unsigned int m = method, c = class;

	*w = (struct tandem_stun_writer){ .buf = buf, .size = size };
	if (size < TANDEM_STUN_HEADER) {
		w->err = -ENOSPC;
		return;
	}
	stun_set16(w->buf, (uint16_t)((m & 0x0f) | (m & 0x70) << 1 | (m & 0xf80) << 2 |
				      (c & 1) << 4 | (c & 2) << 7));
	stun_set16(w->buf + 2, 0);
	stun_set32(w->buf + 4, STUN_COOKIE);
	memcpy(w->buf + 8, id, TANDEM_STUN_ID);
	w->len = TANDEM_STUN_HEADER;
}

/* An attribute of len bytes, zeroed with its padding: where its value goes, or NULL. */
static uint8_t *attribute(struct tandem_stun_writer *w, uint16_t type, size_t len)
{
	size_t whole = STUN_ATTR + ((len + 3) & ~(size_t)3);
	uint8_t *p;

	if (w->err)
		return NULL;
	if (w->size - w->len < whole || w->len + whole > STUN_MESSAGE_LIMIT) {
		w->err = -ENOSPC;
		return NULL;
	}
	p = w->buf + w->len;
	memset(p, 0, whole);
	stun_set16(p, type);
	stun_set16(p + 2, (uint16_t)len);
	w->len += whole;
	stun_set16(w->buf + 2, (uint16_t)(w->len - TANDEM_STUN_HEADER));
	return p + STUN_ATTR;
}

void tandem_stun_put_username(struct tandem_stun_writer *w, const char *first, const char *second)
{
	size_t a = strlen(first), b = strlen(second);
	uint8_t *p;

	if (a + 1 + b > TANDEM_STUN_USERNAME) {
		w->err = w->err ? w->err : -EINVAL;
		return;
	}
	p = attribute(w, ATTR_USERNAME, a + 1 + b);
	if (!p)
		return;
	memcpy(p, first, a);
	p[a] = ':';
	memcpy(p + a + 1, second, b);
}

void tandem_stun_put_mapped(struct tandem_stun_writer *w, const struct tandem_endpoint *ep)
{
	bool v4 = tandem_ip_is_v4(&ep->ip);
	size_t n = v4 ? 4 : 16;
	const uint8_t *ip = ep->ip.b + 16 - n;
	uint8_t *p = attribute(w, ATTR_XOR_MAPPED_ADDRESS, 4 + n);

	if (!p)
		return;
	p[1] = v4 ? STUN_FAMILY_V4 : STUN_FAMILY_V6;
	stun_set16(p + 2, ep->port ^ (uint16_t)(STUN_COOKIE >> 16));
	for (size_t i = 0; i < n; i++)
		p[4 + i] = ip[i] ^ w->buf[4 + i];
}

void tandem_stun_put_priority(struct tandem_stun_writer *w, uint32_t priority)
{
	uint8_t *p = attribute(w, ATTR_PRIORITY, 4);

	if (p)
		stun_set32(p, priority);
}

void tandem_stun_put_use_candidate(struct tandem_stun_writer *w)
{
	attribute(w, ATTR_USE_CANDIDATE, 0);
}

void tandem_stun_put_role(struct tandem_stun_writer *w, bool controlling, uint64_t tie_breaker)
{
	uint8_t *p = attribute(w, controlling ? ATTR_ICE_CONTROLLING : ATTR_ICE_CONTROLLED, 8);

	if (!p)
		return;
	stun_set32(p, (uint32_t)(tie_breaker >> 32));
	stun_set32(p + 4, (uint32_t)tie_breaker);
}

void tandem_stun_put_error(struct tandem_stun_writer *w, unsigned int code)
{
	uint8_t *p;

	if (code < 300 || code > 699) {
		w->err = w->err ? w->err : -EINVAL;
		return;
	}
	p = attribute(w, ATTR_ERROR_CODE, 4);
	if (!p)
		return;
	p[2] = (uint8_t)(code / 100);
	p[3] = (uint8_t)(code % 100);
}

void tandem_stun_put_unknown(struct tandem_stun_writer *w, const struct tandem_stun *msg)
{
	uint8_t *p = attribute(w, ATTR_UNKNOWN_ATTRIBUTES, 2 * msg->unknown_count);

	for (size_t i = 0; p && i < msg->unknown_count; i++)
		stun_set16(p + 2 * i, msg->unknown[i]);
}

void tandem_stun_put_integrity(struct tandem_stun_writer *w, const void *key, size_t key_len)
{
	size_t before = w->len;
	uint8_t *p = attribute(w, ATTR_MESSAGE_INTEGRITY, STUN_HMAC);

	if (p && tandem_stun_hmac(w->buf, before, key, key_len, p))
		w->err = -EIO;
}

void tandem_stun_put_fingerprint(struct tandem_stun_writer *w)
{
	size_t before = w->len;
	uint8_t *p = attribute(w, ATTR_FINGERPRINT, 4);

	/* over a header whose length has it in already: RFC 8489 14.7 */
	if (p)
		stun_set32(p, tandem_stun_crc32(w->buf, before) ^ STUN_FINGERPRINT);
}

int tandem_stun_finish(const struct tandem_stun_writer *w)
{
	return w->err ? w->err : (int)w->len;
}
