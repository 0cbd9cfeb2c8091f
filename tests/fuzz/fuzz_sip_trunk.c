/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any challenge of a gateway's: what the relay answers is one header line, which reads as credentials
 * for just that challenge, and holds.
 *
 * Input: one octet of flags, then the value of a challenge; further lines of headers may follow it.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tests/fuzz/check.h"
#include "userspace/sip/auth_parse.h"
#include "userspace/sip/trunk.h"
#include "userspace/util/digest.h"
#include "userspace/util/log.h"

#define PROXY	  1 /* 407, else 401 */
#define ONE_REALM 2 /* the gateway answers in this alone */
#define ASKED	  4 /* it has been asked before */
#define REQUEST_ID                                                                                 \
	"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nCall-ID: 1\r\n"                             \
	"From: <sip:a@x>;tag=a\r\nTo: <sip:b@y>\r\nCSeq: 1 INVITE\r\n"
#define RURI  "sip:1@192.0.2.2"
#define REALM "gateway.test"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sip_msg *read_message(const char *first, const char *header, const uint8_t *data,
				    size_t size)
{
	struct mbuf *mb = mbuf_alloc(size + 512);
	struct sip_msg *msg = NULL;

	CHECK(!mbuf_printf(mb, "%s\r\n" REQUEST_ID "%s", first, header));
	CHECK(!mbuf_write_mem(mb, data, size));
	CHECK(!mbuf_write_str(mb, "\r\n\r\n"));
	mb->pos = 0;
	(void)sip_msg_decode(&msg, mb);
	mem_deref(mb);
	return msg;
}

static struct tandem_digest_text text_of(const struct pl *pl)
{
	return (struct tandem_digest_text){ pl->p, pl->l };
}

/* As the gateway would. */
static void check_response(const struct tandem_gateway *gw, const struct tandem_credentials *c)
{
	uint8_t ha1[TANDEM_DIGEST_MAX], want[TANDEM_DIGEST_MAX], got[TANDEM_DIGEST_MAX];
	const struct tandem_digest_input in = {
		.method = { "INVITE", 6 },
		.uri = text_of(&c->uri),
		.nonce = text_of(&c->nonce),
		.nc = text_of(&c->nc),
		.cnonce = text_of(&c->cnonce),
	};
	enum tandem_digest_alg alg = TANDEM_DIGEST_SHA256;
	char realm[512];

	if (pl_strcasecmp(&c->algorithm, tandem_digest_name(alg)))
		alg = TANDEM_DIGEST_MD5;
	CHECK(!pl_strcasecmp(&c->algorithm, tandem_digest_name(alg)));
	CHECK(!pl_strcpy(&c->realm, realm, sizeof(realm)));
	CHECK(!tandem_digest_ha1(alg, gw->user, realm, gw->password, ha1));
	CHECK(!tandem_digest_response(alg, ha1, &in, want));
	CHECK(!tandem_credentials_hex(got, tandem_digest_size(alg), &c->response));
	CHECK(!memcmp(got, want, tandem_digest_size(alg)));
}

static void check_credentials(const struct tandem_gateway *gw, const char *line, bool proxy)
{
	const char *name = proxy ? "Proxy-Authorization: " : "Authorization: ";
	size_t len = strlen(line);
	struct tandem_credentials c;
	struct pl val;

	CHECK(len > strlen(name) + 2 && !strncmp(line, name, strlen(name)));
	/* it ends as a line does, and nowhere else, so that nobody can add another one */
	CHECK(strcspn(line, "\r\n") == len - 2 && !strcmp(line + len - 2, "\r\n"));
	val.p = line + strlen(name);
	val.l = len - strlen(name) - 2;
	CHECK(!tandem_credentials_parse(&c, &val));
	CHECK(!pl_strcmp(&c.username, gw->user) && !pl_strcmp(&c.uri, RURI));
	CHECK(!gw->realm || !pl_strcmp(&c.realm, gw->realm));
	check_response(gw, &c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char name[] = "g", user[] = "relay", password[] = "sesame", realm[] = REALM;
	static char ruri[] = RURI;
	struct tandem_gateway gw = { .name = name, .user = user, .password = password };
	struct tandem_gateways gateways = { .list = &gw, .count = 1 };
	struct tandem_sip ts = { .gateways = &gateways };
	struct tandem_place place = { .ruri = ruri, .gateway = name };
	struct tandem_tx tx = { .ts = &ts, .target = { .places = &place, .places_count = 1 } };
	const struct tandem_branch b = { .tx = &tx };
	struct sip_msg *msg;
	bool proxy, challenged;

	if (!size)
		return 0;
	tandem_log_set_level(TANDEM_LOG_ERROR);
	proxy = *data & PROXY;
	gw.realm = *data & ONE_REALM ? realm : NULL;
	place.answers = *data & ASKED ? 1 : 0;
	msg = read_message(proxy ? "SIP/2.0 407 Who" : "SIP/2.0 401 Who",
			   proxy ? "Proxy-Authenticate: " : "WWW-Authenticate: ", data + 1,
			   size - 1);
	if (!msg)
		return 0;
	tx.msg = read_message("INVITE " RURI " SIP/2.0", "X: ", (const uint8_t *)"x", 1);
	CHECK(tx.msg);
	challenged = tandem_trunk_challenged(&b, msg);
	if (!tandem_trunk_answer(&b, msg)) {
		CHECK(challenged);
		check_credentials(&gw, place.credentials, proxy);
	}
	mem_deref(place.credentials);
	mem_deref(tx.msg);
	mem_deref(msg);
	return 0;
}
