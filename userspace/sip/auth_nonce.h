/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Nonces that need no memory until they are used: boot, time, serial number and a mark
 * of the address that was challenged, under a keyed hash. Once used with the right
 * password, a nonce has a window of counts, so that nothing is taken twice. There is a
 * fixed number of windows; a nonce that loses its window to a younger one is stale.
 */
#ifndef TANDEM_SIP_AUTH_NONCE_H
#define TANDEM_SIP_AUTH_NONCE_H

#include "userspace/util/endpoint.h"
#include "userspace/sip/libre.h"

#define TANDEM_NONCE_KEY_SIZE 32
#define TANDEM_NONCE_SIZE     73 /* hexadecimal digits and NUL */
#define TANDEM_NONCE_LIFE_S   300

struct tandem_nonces;

enum tandem_nonce_state {
	TANDEM_NONCE_FRESH,
	TANDEM_NONCE_STALE,   /* ours, but old, of another address, or of an earlier run */
	TANDEM_NONCE_FOREIGN, /* nobody who has the key made it */
};

/* Times are seconds of a clock that only goes forward. NULL on no memory or randomness. */
struct tandem_nonces *tandem_nonces_alloc(const uint8_t key[TANDEM_NONCE_KEY_SIZE]);
void tandem_nonces_free(struct tandem_nonces *n);

/* A new nonce for who is at ip. 0 or a negative errno. */
int tandem_nonce_make(struct tandem_nonces *n, char text[TANDEM_NONCE_SIZE],
		      const struct ip_addr *ip, uint32_t now_s);

/* What a nonce that comes from ip is worth. serial is set when it is fresh. */
enum tandem_nonce_state tandem_nonce_check(const struct tandem_nonces *n, const struct pl *text,
					   const struct ip_addr *ip, uint32_t now_s,
					   uint64_t *serial);

/* True when this count was used before, or cannot be told any more. */
bool tandem_nonce_used(const struct tandem_nonces *n, uint64_t serial, uint32_t nc);

/* Use a count for which tandem_nonce_used() is false. */
void tandem_nonce_use(struct tandem_nonces *n, uint64_t serial, uint32_t nc);

#endif
