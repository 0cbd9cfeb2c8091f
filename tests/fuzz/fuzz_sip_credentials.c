/* SPDX-License-Identifier: GPL-2.0-only */
/* Any bytes as credentials: what is read lies within them, and reads the same again. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tests/fuzz/check.h"
#include "userspace/sip/auth_nonce.h"
#include "userspace/sip/auth_parse.h"
#include "userspace/util/endpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_within(const struct pl *part, const struct pl *whole)
{
	if (part->p)
		CHECK(part->p >= whole->p && part->p + part->l <= whole->p + whole->l);
}

/* Written in one way, it is read as the same. */
static void check_again(const struct tandem_credentials *c)
{
	struct tandem_credentials again;
	char text[1500];
	struct pl pl = { .p = text };

	if (!c->realm.p || !c->uri.p || !c->nonce.p)
		return;
	pl.l = (size_t)snprintf(
		text, sizeof(text), "Digest nonce=\"%.*s\",uri=\"%.*s\",realm=\"%.*s\"",
		(int)c->nonce.l, c->nonce.p, (int)c->uri.l, c->uri.p, (int)c->realm.l, c->realm.p);
	/* a NUL ends what printf writes */
	if (memchr(c->nonce.p, 0, c->nonce.l) || memchr(c->uri.p, 0, c->uri.l) ||
	    memchr(c->realm.p, 0, c->realm.l))
		return;
	CHECK(pl.l < sizeof(text));
	CHECK(!tandem_credentials_parse(&again, &pl));
	CHECK(!pl_cmp(&again.nonce, &c->nonce) && !pl_cmp(&again.uri, &c->uri) &&
	      !pl_cmp(&again.realm, &c->realm));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[TANDEM_NONCE_KEY_SIZE] = "fuzz";
	static struct tandem_nonces *nonces;
	struct pl whole = { .p = (const char *)data, .l = size };
	struct ip_addr ip = { .b = { 1 } };
	struct tandem_credentials c;
	uint64_t serial;
	int err;

	if (!nonces)
		nonces = tandem_nonces_alloc(key);
	CHECK(nonces);
	err = tandem_credentials_parse(&c, &whole);
	CHECK(!err || err == -ENOENT || err == -EBADMSG);
	check_within(&c.username, &whole);
	check_within(&c.realm, &whole);
	check_within(&c.nonce, &whole);
	check_within(&c.uri, &whole);
	check_within(&c.response, &whole);
	check_within(&c.algorithm, &whole);
	check_within(&c.cnonce, &whole);
	check_within(&c.qop, &whole);
	check_within(&c.nc, &whole);
	check_within(&c.userhash, &whole);
	if (!err)
		check_again(&c);
	(void)tandem_credentials_of(&whole, "tandem");
	/* nobody can make one up */
	if (c.nonce.p)
		CHECK(tandem_nonce_check(nonces, &c.nonce, &ip, 1, &serial) ==
		      TANDEM_NONCE_FOREIGN);

	return 0;
}
