/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "userspace/sip/auth_nonce.h"
#include "userspace/sip/auth_parse.h"

#define WINDOWS	    32768 /* 768 KiB */
#define WINDOW_BITS 64
#define MAC_SIZE    16

struct window {
	uint64_t serial; /* 0: not in use */
	uint64_t seen;	 /* bit i: count max - i */
	uint32_t max;
};

struct tandem_nonces {
	uint8_t key[TANDEM_NONCE_KEY_SIZE];
	uint32_t boot;
	uint64_t serial;
	struct window windows[WINDOWS];
};

/* What is signed. */
struct content {
	uint64_t serial;
	uint32_t boot;
	uint32_t time_s;
	uint32_t mark;
} __attribute__((packed));

struct nonce {
	struct content content;
	uint8_t mac[MAC_SIZE];
} __attribute__((packed));

_Static_assert(2 * sizeof(struct nonce) + 1 == TANDEM_NONCE_SIZE, "the size in the header");

struct tandem_nonces *tandem_nonces_alloc(const uint8_t key[TANDEM_NONCE_KEY_SIZE])
{
	struct tandem_nonces *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	memcpy(n->key, key, sizeof(n->key));
	if (getrandom(&n->boot, sizeof(n->boot), 0) != sizeof(n->boot)) {
		free(n);
		return NULL;
	}

	return n;
}

void tandem_nonces_free(struct tandem_nonces *n)
{
	if (n)
		OPENSSL_cleanse(n->key, sizeof(n->key));
	free(n);
}

static int mac(const struct tandem_nonces *n, const void *data, size_t len, uint8_t *out,
	       size_t out_len)
{
	uint8_t full[32];

	if (!HMAC(EVP_sha256(), n->key, sizeof(n->key), data, len, full, NULL))
		return -ENOTSUP;
	memcpy(out, full, out_len);

	return 0;
}

static int mark_of(const struct tandem_nonces *n, const struct ip_addr *ip, uint32_t *mark)
{
	return mac(n, ip->b, sizeof(ip->b), (uint8_t *)mark, sizeof(*mark));
}

int tandem_nonce_make(struct tandem_nonces *n, char text[TANDEM_NONCE_SIZE],
		      const struct ip_addr *ip, uint32_t now_s)
{
	struct nonce nonce = {
		.content = { .serial = ++n->serial, .boot = n->boot, .time_s = now_s },
	};
	uint32_t mark;
	int err;

	err = mark_of(n, ip, &mark);
	if (err)
		return err;
	nonce.content.mark = mark;
	err = mac(n, &nonce.content, sizeof(nonce.content), nonce.mac, MAC_SIZE);
	if (!err && re_snprintf(text, TANDEM_NONCE_SIZE, "%w", &nonce, sizeof(nonce)) < 0)
		err = -ENOMEM;

	return err;
}

enum tandem_nonce_state tandem_nonce_check(const struct tandem_nonces *n, const struct pl *text,
					   const struct ip_addr *ip, uint32_t now_s,
					   uint64_t *serial)
{
	uint8_t want[MAC_SIZE];
	struct nonce nonce = { 0 };
	uint32_t mark;

	if (tandem_credentials_hex((uint8_t *)&nonce, sizeof(nonce), text) ||
	    mac(n, &nonce.content, sizeof(nonce.content), want, sizeof(want)) ||
	    CRYPTO_memcmp(want, nonce.mac, sizeof(want)) || mark_of(n, ip, &mark))
		return TANDEM_NONCE_FOREIGN;
	if (nonce.content.boot != n->boot || nonce.content.mark != mark ||
	    now_s - nonce.content.time_s >= TANDEM_NONCE_LIFE_S)
		return TANDEM_NONCE_STALE;
	*serial = nonce.content.serial;

	return TANDEM_NONCE_FRESH;
}

bool tandem_nonce_used(const struct tandem_nonces *n, uint64_t serial, uint32_t nc)
{
	const struct window *w = &n->windows[serial % WINDOWS];

	if (w->serial != serial)
		return w->serial > serial;
	if (nc > w->max)
		return false;

	return w->max - nc >= WINDOW_BITS || (w->seen >> (w->max - nc) & 1);
}

void tandem_nonce_use(struct tandem_nonces *n, uint64_t serial, uint32_t nc)
{
	struct window *w = &n->windows[serial % WINDOWS];

	if (w->serial != serial)
		*w = (struct window){ .serial = serial, .max = nc };
	if (nc > w->max) {
		w->seen = nc - w->max < WINDOW_BITS ? w->seen << (nc - w->max) : 0;
		w->max = nc;
	}
	w->seen |= 1ull << (w->max - nc);
}
