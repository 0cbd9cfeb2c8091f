/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A look at the records of a datagram (RFC 6347 section 4.1) before OpenSSL sees them. OpenSSL
 * would keep up to a hundred of a later epoch, each in 16 KiB: a handshake needs but the one that
 * overtook the change of the cipher.
 */
#include "userspace/media/dtls_local.h"

#define RECORD_HEADER 13
#define EARLY_MAX     8

enum {
	RECORD_ALERT = 21,
	RECORD_HANDSHAKE = 22,
	RECORD_DATA = 23,
	RECORD_LOWEST = 20,
	HANDSHAKE_CLIENT_HELLO = 1,
};

struct record {
	uint8_t type;
	uint16_t epoch;
	size_t len; /* with its header */
};

static bool read_record(const uint8_t *p, size_t left, struct record *r)
{
	if (left < RECORD_HEADER || p[1] != 0xfe)
		return false;
	r->type = p[0];
	r->epoch = (uint16_t)(p[3] << 8 | p[4]);
	r->len = RECORD_HEADER + (size_t)(p[11] << 8 | p[12]);
	return r->type >= RECORD_LOWEST && r->type <= RECORD_DATA && r->len > RECORD_HEADER &&
	       r->len <= left;
}

/* The first flight of a client; nothing else makes us begin. */
static bool is_hello(const struct record *r, const uint8_t *p)
{
	return r->type == RECORD_HANDSHAKE && r->epoch == 0 &&
	       p[RECORD_HEADER] == HANDSHAKE_CLIENT_HELLO;
}

static bool few_early(struct tandem_dtls *a, const uint8_t *p, size_t len)
{
	struct record r;

	for (size_t at = 0; at < len && read_record(p + at, len - at, &r); at += r.len) {
		if (r.epoch && ++a->early > EARLY_MAX)
			return false;
	}
	return true;
}

bool tandem_dtls_admit(struct tandem_dtls *a, const uint8_t *data, size_t len)
{
	struct record r;

	if (!read_record(data, len, &r))
		return false;
	switch (a->state) {
	case TANDEM_DTLS_WAITING:
		return !a->cfg.client && is_hello(&r, data);
	case TANDEM_DTLS_HANDSHAKE:
		return r.type != RECORD_DATA && few_early(a, data, len);
	case TANDEM_DTLS_UNPROVEN:
	case TANDEM_DTLS_CONNECTED:
		/* No data is carried; what is left are alerts, and the last flight again. */
		return a->ssl && r.type != RECORD_DATA;
	case TANDEM_DTLS_CLOSED:
	case TANDEM_DTLS_FAILED:
		break;
	}
	return false;
}
