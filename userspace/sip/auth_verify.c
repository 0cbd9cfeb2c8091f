/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

#include "userspace/sip/auth.h"
#include "userspace/sip/auth_parse.h"
#include "userspace/sip/header.h"

/* Credentials of our realm, while they are looked for and checked. */
struct claim {
	const struct tandem_auth *auth;
	struct tandem_credentials cred;
	enum tandem_digest_alg alg;
	uint8_t response[TANDEM_DIGEST_MAX];
	uint32_t nc;
	unsigned int found;
	bool malformed;
};

static bool header_handler(const struct sip_hdr *hdr, const struct sip_msg *msg, void *arg)
{
	bool registers = !pl_strcmp(&msg->met, "REGISTER");
	struct tandem_credentials cred;
	struct claim *claim = arg;
	int err;

	/* libre's ids of unknown headers may collide */
	if (pl_strcasecmp(&hdr->name, registers ? "Authorization" : "Proxy-Authorization"))
		return false;
	err = tandem_credentials_parse(&cred, &hdr->val);
	if (err == -ENOENT || pl_strcmp(&cred.realm, claim->auth->realm))
		return false;
	claim->found++;
	claim->malformed |= err != 0;
	claim->cred = cred;

	return false;
}

static bool read_algorithm(struct claim *claim)
{
	unsigned int i;

	/* absent, it is MD5: RFC 7616 section 3.3 */
	claim->alg = TANDEM_DIGEST_MD5;
	if (!claim->cred.algorithm.p)
		return true;
	for (i = 0; i < TANDEM_DIGEST_ALGS; i++) {
		claim->alg = (enum tandem_digest_alg)i;
		if (!pl_strcasecmp(&claim->cred.algorithm, tandem_digest_name(claim->alg)))
			return true;
	}

	return false;
}

static bool offers(const struct tandem_auth *a, enum tandem_digest_alg alg)
{
	size_t i;

	for (i = 0; i < a->algs_count; i++) {
		if (a->algs[i] == alg)
			return true;
	}

	return false;
}

/*
 * The uri of the credentials is that of the request, or any that is ours: elements on the
 * way may have changed the request's (RFC 3261 section 22.4, item 5).
 */
static bool uri_matches(const struct tandem_auth *a, const struct pl *text,
			const struct sip_msg *msg)
{
	struct uri uri;

	return !pl_cmp(text, &msg->ruri) ||
	       (!uri_decode(&uri, text) && tandem_sip_is_local(a->ts, &uri));
}

/* All that we have asked for is there, and in the form that we have asked for. */
static bool read_claim(struct claim *claim, const struct sip_msg *msg)
{
	const struct tandem_credentials *c = &claim->cred;
	uint8_t nc[4];

	if (claim->malformed || claim->found != 1 || !pl_isset(&c->username) ||
	    !pl_isset(&c->nonce) || !pl_isset(&c->uri) || !pl_isset(&c->cnonce) ||
	    pl_strcasecmp(&c->qop, "auth") || !pl_strcasecmp(&c->userhash, "true"))
		return false;
	if (!read_algorithm(claim) || tandem_credentials_hex(nc, sizeof(nc), &c->nc) ||
	    tandem_credentials_hex(claim->response, tandem_digest_size(claim->alg), &c->response))
		return false;
	claim->nc = (uint32_t)nc[0] << 24 | (uint32_t)nc[1] << 16 | (uint32_t)nc[2] << 8 | nc[3];

	return claim->nc && uri_matches(claim->auth, &c->uri, msg);
}

static struct tandem_digest_text text_of(const struct pl *pl)
{
	return (struct tandem_digest_text){ pl->p, pl->l };
}

/*
 * Nobody's password is as good as a wrong one: a user who does not exist gets a digest
 * that no password has, and the same work.
 */
static int find_user(const struct claim *claim, struct tandem_user *user)
{
	const struct tandem_auth *a = claim->auth;
	char name[256];
	int err = -ENOENT;

	if (a->store && !tandem_sip_copy(name, sizeof(name), &claim->cred.username))
		err = tandem_store_user_get(a->store, name, user);
	if (err && err != -ENOENT)
		return err;
	if (!err && user->has[claim->alg] && !strcmp(user->realm, a->realm))
		return 0;
	memcpy(user->ha1[claim->alg], a->key, tandem_digest_size(claim->alg));

	return -ENOENT;
}

static enum tandem_auth_result check_response(const struct claim *claim, const struct sip_msg *msg,
					      struct tandem_user *user)
{
	const struct tandem_credentials *c = &claim->cred;
	const struct tandem_digest_input in = {
		.method = text_of(&msg->met),
		.uri = text_of(&c->uri),
		.nonce = text_of(&c->nonce),
		.nc = text_of(&c->nc),
		.cnonce = text_of(&c->cnonce),
	};
	uint8_t want[TANDEM_DIGEST_MAX];
	int missing = find_user(claim, user), differs;

	if (missing && missing != -ENOENT)
		return TANDEM_AUTH_ERROR;
	if (tandem_digest_response(claim->alg, user->ha1[claim->alg], &in, want))
		return TANDEM_AUTH_ERROR;
	differs = CRYPTO_memcmp(want, claim->response, tandem_digest_size(claim->alg));

	return missing || differs ? TANDEM_AUTH_WRONG : TANDEM_AUTH_OK;
}

/* True when uri is the address of record of this user, in a domain of ours. */
static bool is_own(const struct tandem_auth *a, const struct uri *uri,
		   const struct tandem_user *user)
{
	size_t len = strlen(user->name);
	char *aor = NULL;
	bool own;

	if (!tandem_sip_is_local(a->ts, uri) || tandem_sip_aor(a->ts, uri, &aor))
		return false;
	own = !strncmp(aor, "sip:", 4) && !strncmp(aor + 4, user->name, len) &&
	      aor[4 + len] == '@' && !strchr(aor + 4 + len + 1, '@');
	mem_deref(aor);

	return own;
}

/* Who withholds the name does not take another's (RFC 3323 section 4.1). */
static bool is_anonymous(const struct uri *uri)
{
	return !pl_strcasecmp(&uri->host, "anonymous.invalid");
}

static bool speaks_for_user(const struct tandem_auth *a, const struct sip_msg *msg,
			    const struct tandem_user *user)
{
	if (!pl_strcmp(&msg->met, "REGISTER"))
		return is_own(a, &msg->to.uri, user) && is_own(a, &msg->from.uri, user);

	return is_anonymous(&msg->from.uri) || is_own(a, &msg->from.uri, user);
}

enum tandem_auth_result tandem_auth_verify(struct tandem_auth *a, const struct sip_msg *msg,
					   const struct ip_addr *ip, uint32_t now_s,
					   struct tandem_user *user)
{
	struct claim claim = { .auth = a };
	enum tandem_nonce_state state;
	enum tandem_auth_result result;
	uint64_t serial = 0;

	(void)sip_msg_hdr_apply(msg, true,
				!pl_strcmp(&msg->met, "REGISTER") ? SIP_HDR_AUTHORIZATION
								  : SIP_HDR_PROXY_AUTHORIZATION,
				header_handler, &claim);
	if (!claim.found)
		return TANDEM_AUTH_NONE;
	if (!read_claim(&claim, msg))
		return TANDEM_AUTH_MALFORMED;
	if (!offers(a, claim.alg))
		return TANDEM_AUTH_NONE;

	/* before the digest, so that no guess is judged that would not be counted */
	state = tandem_nonce_check(a->nonces, &claim.cred.nonce, ip, now_s, &serial);
	if (state != TANDEM_NONCE_FRESH)
		return state == TANDEM_NONCE_STALE ? TANDEM_AUTH_STALE : TANDEM_AUTH_NONE;
	if (tandem_nonce_used(a->nonces, serial, claim.nc)) {
		a->counters.replayed++;
		return TANDEM_AUTH_STALE;
	}

	result = check_response(&claim, msg, user);
	if (result != TANDEM_AUTH_OK)
		return result;
	tandem_nonce_use(a->nonces, serial, claim.nc);

	return speaks_for_user(a, msg, user) ? TANDEM_AUTH_OK : TANDEM_AUTH_FORBIDDEN;
}
