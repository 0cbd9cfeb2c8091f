/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/trunk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/sip/auth_parse.h"
#include "userspace/sip/header.h"
#include "userspace/util/digest.h"
#include "userspace/util/log.h"
#include "userspace/util/password_file.h"

#define ANSWERS_MAX 2 /* of one request: the first, and one more where the nonce was stale */
#define FIRST_NC    "00000001"

/* ---- configuration ---------------------------------------------------------------- */

int tandem_trunk_read(struct tandem_gateway *gw, const struct tandem_gateway_config *cfg, char *why,
		      size_t size)
{
	char text[192] = "out of memory";
	int err;

	if (!cfg->user)
		return 0;
	gw->user = strdup(cfg->user);
	gw->realm = cfg->realm ? strdup(cfg->realm) : NULL;
	if (!gw->user || (cfg->realm && !gw->realm))
		return -ENOMEM;

	err = tandem_password_file_read(&gw->password, cfg->password_file, text, sizeof(text));
	if (err)
		snprintf(why, size, "gateway %s: %s", gw->name, text);
	return err;
}

void tandem_trunk_clean(struct tandem_gateway *gw)
{
	if (gw->password)
		explicit_bzero(gw->password, strlen(gw->password));
	free(gw->password);
	free(gw->realm);
	free(gw->user);
}

/* ---- challenges ------------------------------------------------------------------- */

struct challenge {
	const struct tandem_gateway *gw;
	struct tandem_credentials c;
	enum tandem_digest_alg alg;
	char realm[TANDEM_REALM_SIZE];
};

static bool has_qop_auth(const struct pl *qop)
{
	const char *p = qop->p, *end = qop->p + qop->l;

	while (p < end) {
		struct pl word = { .p = p };

		while (p < end && *p != ',' && *p != ' ')
			p++;
		word.l = (size_t)(p - word.p);
		if (!pl_strcasecmp(&word, "auth"))
			return true;
		while (p < end && (*p == ',' || *p == ' '))
			p++;
	}

	return false;
}

static bool find_algorithm(struct challenge *ch)
{
	size_t i;

	if (!pl_isset(&ch->c.algorithm)) {
		ch->alg = TANDEM_DIGEST_MD5;
		return true;
	}
	for (i = 0; i < TANDEM_DIGEST_ALGS; i++) {
		ch->alg = (enum tandem_digest_alg)i;
		if (!pl_strcasecmp(&ch->c.algorithm, tandem_digest_name(ch->alg)))
			return true;
	}

	return false;
}

/* RFC 8760 section 2.4: the first that can be answered is the one that is wanted most. */
static bool is_usable(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	struct challenge *ch = arg;
	struct tandem_credentials *c = &ch->c;

	(void)msg;
	return !tandem_credentials_parse(c, &hdr->val) && pl_isset(&c->realm) &&
	       pl_isset(&c->nonce) && !tandem_sip_copy(ch->realm, sizeof(ch->realm), &c->realm) &&
	       (!ch->gw->realm || !strcmp(ch->realm, ch->gw->realm)) && find_algorithm(ch) &&
	       (!pl_isset(&c->qop) || has_qop_auth(&c->qop));
}

/* A request within a dialog goes to where the gateway is known to be. */
static bool is_at(const struct tandem_gateway *gw, const struct sa *addr)
{
	size_t i;

	for (i = 0; i < gw->dests_count; i++) {
		if (sa_cmp(&gw->dests[i].addr, addr, SA_ALL))
			return true;
	}

	return false;
}

static const struct tandem_gateway *gateway_of(const struct tandem_branch *b)
{
	const struct tandem_gateways *g = b->tx->ts->gateways;
	const struct tandem_place *place = tandem_branch_place(b);
	size_t i;

	if (place->gateway)
		return tandem_gateway_find(g, place->gateway);
	if (!b->tx->target.trusted)
		return NULL;
	for (i = 0; g && i < g->count; i++) {
		if (g->list[i].user && is_at(&g->list[i], &b->dst))
			return &g->list[i];
	}

	return NULL;
}

static bool find_challenge(struct challenge *ch, const struct tandem_branch *b,
			   const struct sip_msg *msg)
{
	enum sip_hdrid id = msg->scode == 401 ? SIP_HDR_WWW_AUTHENTICATE
					      : SIP_HDR_PROXY_AUTHENTICATE;

	if (msg->scode != 401 && msg->scode != 407)
		return false;
	ch->gw = gateway_of(b);

	return ch->gw && ch->gw->user && sip_msg_hdr_apply(msg, true, id, is_usable, ch);
}

bool tandem_trunk_challenged(const struct tandem_branch *b, const struct sip_msg *msg)
{
	struct challenge ch;

	return find_challenge(&ch, b, msg);
}

/* ---- credentials ------------------------------------------------------------------ */

static int respond(const struct challenge *ch, const struct tandem_digest_input *in,
		   uint8_t out[TANDEM_DIGEST_MAX])
{
	uint8_t ha1[TANDEM_DIGEST_MAX];
	int err;

	err = tandem_digest_ha1(ch->alg, ch->gw->user, ch->realm, ch->gw->password, ha1);
	if (!err)
		err = tandem_digest_response(ch->alg, ha1, in, out);
	explicit_bzero(ha1, sizeof(ha1));

	return err;
}

static struct tandem_digest_text text_of(const struct pl *pl)
{
	return (struct tandem_digest_text){ pl->p, pl->l };
}

static int write_credentials(struct mbuf *mb, const struct challenge *ch, const char *ruri,
			     const struct sip_msg *request, uint16_t code)
{
	const struct tandem_credentials *c = &ch->c;
	bool qop = pl_isset(&c->qop);
	uint8_t out[TANDEM_DIGEST_MAX];
	char cnonce[17];
	int err;

	(void)re_snprintf(cnonce, sizeof(cnonce), "%016llx", (unsigned long long)rand_u64());
	const struct tandem_digest_input in = {
		.method = text_of(&request->met),
		.uri = { ruri, strlen(ruri) },
		.nonce = text_of(&c->nonce),
		.nc = { FIRST_NC, qop ? strlen(FIRST_NC) : 0 },
		.cnonce = { cnonce, strlen(cnonce) },
	};

	err = respond(ch, &in, out);
	if (err)
		return -err;
	err = mbuf_printf(mb,
			  "%s: Digest username=\"%s\", realm=\"%r\", nonce=\"%r\", uri=\"%s\", "
			  "response=\"%w\", algorithm=%s",
			  code == 401 ? "Authorization" : "Proxy-Authorization", ch->gw->user,
			  &c->realm, &c->nonce, ruri, out, tandem_digest_size(ch->alg),
			  tandem_digest_name(ch->alg));
	if (qop)
		err |= mbuf_printf(mb, ", qop=auth, nc=" FIRST_NC ", cnonce=\"%s\"", cnonce);
	if (c->opaque.p)
		err |= mbuf_printf(mb, ", opaque=\"%r\"", &c->opaque);

	return err | mbuf_write_str(mb, "\r\n");
}

int tandem_trunk_answer(const struct tandem_branch *b, const struct sip_msg *msg)
{
	struct tandem_place *place = &b->tx->target.places[b->place];
	struct challenge ch;
	struct mbuf *mb;
	char *text = NULL;
	int err;

	if (!find_challenge(&ch, b, msg) || strchr(place->ruri, '"'))
		return -ENOENT;
	if (place->answers &&
	    (place->answers >= ANSWERS_MAX || pl_strcasecmp(&ch.c.stale, "true"))) {
		tandem_log(TANDEM_LOG_WARNING, "sip", "gateway %s refuses the password of %s",
			   ch.gw->name, ch.gw->user);
		return -EACCES;
	}
	mb = mbuf_alloc(512);
	if (!mb)
		return -ENOMEM;
	err = write_credentials(mb, &ch, place->ruri, b->tx->msg, msg->scode);
	if (!err)
		err = re_sdprintf(&text, "%b", mb->buf, mb->end);
	mem_deref(mb);
	if (err)
		return -err;
	mem_deref(place->credentials);
	place->credentials = text;
	place->answers++;

	return 0;
}
