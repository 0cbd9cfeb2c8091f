/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/sip/auth.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "userspace/sip/gateway.h"
#include "userspace/util/log.h"

#define REFRESH_MS     1000
#define MINUTE_MS      60000
#define LINES_A_MINUTE 10
#define RATE_SECONDS   10 /* of sip.source_rate may come at once */

static const char *const mode_names[] = {
	[TANDEM_SIP_AUTH_AUTO] = "auto",
	[TANDEM_SIP_AUTH_OPEN] = "open",
	[TANDEM_SIP_AUTH_REGISTER] = "register",
	[TANDEM_SIP_AUTH_REQUIRED] = "required",
};

int tandem_sip_auth_parse(enum tandem_sip_auth *auth, const char *word)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(mode_names); i++) {
		if (!strcmp(mode_names[i], word)) {
			*auth = (enum tandem_sip_auth)i;
			return 0;
		}
	}

	return -EINVAL;
}

static int copy_config(struct tandem_auth *a, const struct tandem_sip_config *cfg)
{
	const char *realm = cfg->realm ? cfg->realm : "tandem";
	size_t i;

	if (tandem_realm_check(realm))
		return -EINVAL;
	strcpy(a->realm, realm);
	a->mode = cfg->auth;
	a->block_s = cfg->auth_block_s ? cfg->auth_block_s : 300;
	for (i = 0; i < cfg->algs_count && i < TANDEM_DIGEST_ALGS; i++)
		a->algs[a->algs_count++] = cfg->algs[i];
	if (!a->algs_count) {
		a->algs[a->algs_count++] = TANDEM_DIGEST_SHA256;
		a->algs[a->algs_count++] = TANDEM_DIGEST_MD5;
	}
	if (!cfg->trusted_count)
		return 0;
	a->trusted = calloc(cfg->trusted_count, sizeof(*a->trusted));
	if (!a->trusted)
		return -ENOMEM;
	memcpy(a->trusted, cfg->trusted, cfg->trusted_count * sizeof(*a->trusted));
	a->trusted_count = cfg->trusted_count;

	return 0;
}

static int make_key(struct tandem_auth *a)
{
	if (a->store)
		return tandem_store_secret(a->store, "sip-nonce", a->key, sizeof(a->key));

	return getrandom(a->key, sizeof(a->key), 0) == sizeof(a->key) ? 0 : -EIO;
}

static int open_limits(struct tandem_auth *a, const struct tandem_sip_config *cfg)
{
	uint32_t failures = cfg->auth_failures ? cfg->auth_failures : 10;
	uint32_t rate = cfg->source_rate ? cfg->source_rate : 100;
	const struct tandem_limit_config attempts = {
		.burst = failures,
		.per_s_num = failures,
		.per_s_den = 60,
		.block_ms = a->block_s * 1000,
	};
	const struct tandem_limit_config rates = {
		.burst = rate * RATE_SECONDS,
		.per_s_num = rate,
		.per_s_den = 1,
	};

	a->attempts = tandem_limit_alloc(&attempts);
	a->rates = tandem_limit_alloc(&rates);
	a->nonces = tandem_nonces_alloc(a->key);

	return a->attempts && a->rates && a->nonces ? 0 : -ENOMEM;
}

int tandem_auth_alloc(struct tandem_auth **ap, struct tandem_sip *ts,
		      const struct tandem_sip_config *cfg, struct tandem_store *store, char *why,
		      size_t why_size)
{
	struct tandem_auth *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return -ENOMEM;
	tmr_init(&a->tmr);
	a->ts = ts;
	a->store = store;
	err = copy_config(a, cfg);
	if (err == -EINVAL)
		snprintf(why, why_size, "the realm of SIP cannot be used");
	if (!err)
		err = make_key(a);
	if (!err)
		err = open_limits(a, cfg);
	if (err)
		tandem_auth_free(a);
	else
		*ap = a;

	return err;
}

void tandem_auth_free(struct tandem_auth *a)
{
	if (!a)
		return;

	tmr_cancel(&a->tmr);
	tandem_nonces_free(a->nonces);
	tandem_limit_free(a->attempts);
	tandem_limit_free(a->rates);
	free(a->trusted);
	OPENSSL_cleanse(a->key, sizeof(a->key));
	free(a);
}

static void refresh_handler(void *arg)
{
	struct tandem_auth *a = arg;

	tandem_auth_refresh(a);
	tmr_start(&a->tmr, REFRESH_MS, refresh_handler, a);
}

void tandem_auth_start(struct tandem_auth *a)
{
	refresh_handler(a);
}

bool tandem_auth_trusts(const struct tandem_auth *a, const struct ip_addr *ip)
{
	size_t i;

	for (i = 0; i < a->trusted_count; i++) {
		if (tandem_prefix_contains(&a->trusted[i], ip))
			return true;
	}

	return false;
}

/* A gateway may call, but it has nothing to register here. */
static bool is_exempt(const struct tandem_auth *a, const struct ip_addr *ip, bool registers)
{
	return tandem_auth_trusts(a, ip) || (!registers && tandem_gateway_at(a->ts->gateways, ip));
}

/* Addresses can be forged and are many: the log has a few lines a minute, counters have all. */
static bool may_log(struct tandem_auth *a, uint64_t now_ms)
{
	if (now_ms - a->log_from_ms >= MINUTE_MS) {
		a->log_from_ms = now_ms;
		a->log_lines = 0;
	}

	return a->log_lines++ < LINES_A_MINUTE;
}

bool tandem_auth_flood(struct tandem_auth *a, const struct sip_msg *msg)
{
	uint64_t now_ms = tmr_jiffies();
	enum tandem_limit_verdict verdict;
	struct tandem_endpoint src;
	char text[64];

	/* the first thing asked of any request outside dialogs */
	a->admitted[0] = '\0';
	if (tandem_sip_endpoint(&src, &msg->src) || is_exempt(a, &src.ip, false))
		return false;
	if (tandem_limit_blocked(a->attempts, &src.ip, now_ms)) {
		a->counters.blocked++;
		return true;
	}
	verdict = tandem_limit_take(a->rates, &src.ip, now_ms);
	if (verdict == TANDEM_LIMIT_EMPTIED && may_log(a, now_ms))
		tandem_log(TANDEM_LOG_WARNING, "sip",
			   "%s sends more requests than sip.source_rate allows; some are dropped",
			   tandem_ip_format(&src.ip, text, sizeof(text)));
	if (verdict == TANDEM_LIMIT_EMPTY)
		a->counters.limited++;

	return verdict == TANDEM_LIMIT_EMPTY;
}

static void count_failure(struct tandem_auth *a, const struct ip_addr *ip, uint64_t now_ms)
{
	char text[64];

	if (tandem_limit_take(a->attempts, ip, now_ms) != TANDEM_LIMIT_EMPTIED)
		return;
	a->counters.blocked_sources++;
	if (may_log(a, now_ms))
		tandem_log(TANDEM_LOG_WARNING, "sip",
			   "%s blocked for %u s: too many wrong credentials",
			   tandem_ip_format(ip, text, sizeof(text)), a->block_s);
}

/* A challenge for each algorithm, the preferred one first (RFC 8760 section 2.3). */
static void challenge(struct tandem_auth *a, const struct sip_msg *msg, const struct ip_addr *ip,
		      bool stale)
{
	bool registers = !pl_strcmp(&msg->met, "REGISTER");
	char nonce[TANDEM_NONCE_SIZE], headers[TANDEM_DIGEST_ALGS * 256], *p = headers;
	size_t i, left = sizeof(headers);

	if (tandem_nonce_make(a->nonces, nonce, ip, (uint32_t)(tmr_jiffies() / 1000))) {
		tandem_sip_refuse(a->ts, msg, 500, NULL);
		return;
	}
	for (i = 0; i < a->algs_count; i++) {
		int n = snprintf(p, left,
				 "%s: Digest realm=\"%s\", nonce=\"%s\", qop=\"auth\", "
				 "algorithm=%s%s\r\n",
				 registers ? "WWW-Authenticate" : "Proxy-Authenticate", a->realm,
				 nonce, tandem_digest_name(a->algs[i]),
				 stale ? ", stale=true" : "");

		p += n;
		left -= (size_t)n;
	}
	tandem_sip_refuse(a->ts, msg, registers ? 401 : 407, headers);
}

static void turn_down(struct tandem_auth *a, const struct sip_msg *msg, const struct ip_addr *ip,
		      enum tandem_auth_result result)
{
	switch (result) {
	case TANDEM_AUTH_NONE:
		a->counters.challenged++;
		challenge(a, msg, ip, false);
		break;
	case TANDEM_AUTH_STALE:
		a->counters.stale++;
		challenge(a, msg, ip, true);
		break;
	case TANDEM_AUTH_WRONG:
		a->counters.failed++;
		count_failure(a, ip, tmr_jiffies());
		challenge(a, msg, ip, false);
		break;
	case TANDEM_AUTH_FORBIDDEN:
		a->counters.forbidden++;
		tandem_sip_refuse(a->ts, msg, 403, NULL);
		break;
	case TANDEM_AUTH_MALFORMED:
		a->counters.malformed++;
		tandem_sip_refuse(a->ts, msg, 400, NULL);
		break;
	default:
		tandem_sip_refuse(a->ts, msg, 500, NULL);
		break;
	}
}

static bool verify(struct tandem_auth *a, const struct sip_msg *msg, const struct ip_addr *ip,
		   uint32_t *max_contacts)
{
	enum tandem_auth_result result;
	struct tandem_user user;

	result = tandem_auth_verify(a, msg, ip, (uint32_t)(tmr_jiffies() / 1000), &user);
	if (result == TANDEM_AUTH_OK) {
		a->counters.accepted++;
		strcpy(a->admitted, user.name);
		if (user.max_contacts)
			*max_contacts = user.max_contacts;
	} else {
		turn_down(a, msg, ip, result);
	}
	OPENSSL_cleanse(&user, sizeof(user));

	return result == TANDEM_AUTH_OK;
}

bool tandem_auth_admit(struct tandem_auth *a, const struct sip_msg *msg, uint32_t *max_contacts)
{
	bool registers = !pl_strcmp(&msg->met, "REGISTER");
	struct tandem_endpoint src;

	a->admitted[0] = '\0';
	if (!(registers ? a->registers : a->requests))
		return true;
	if (tandem_sip_endpoint(&src, &msg->src))
		return false;
	if (is_exempt(a, &src.ip, registers)) {
		a->counters.trusted++;
		return true;
	}

	return verify(a, msg, &src.ip, max_contacts);
}

bool tandem_auth_admit_user(struct tandem_auth *a, const struct sip_msg *msg)
{
	struct tandem_endpoint src;
	uint32_t max_contacts;

	a->admitted[0] = '\0';

	return !tandem_sip_endpoint(&src, &msg->src) && verify(a, msg, &src.ip, &max_contacts);
}

const char *tandem_auth_user(const struct tandem_auth *a)
{
	return a->admitted;
}

const char *tandem_auth_realm(const struct tandem_auth *a)
{
	return a->registers || a->requests || a->ts->routing ? a->realm : NULL;
}

json_t *tandem_auth_json(const struct tandem_auth *a)
{
	const char *mode = a->requests	  ? mode_names[TANDEM_SIP_AUTH_REQUIRED]
			   : a->registers ? mode_names[TANDEM_SIP_AUTH_REGISTER]
					  : mode_names[TANDEM_SIP_AUTH_OPEN];
	json_t *doc = json_pack("{s:s, s:s}", "mode", mode, "realm", a->realm);

	if (!doc)
		return NULL;
#define COUNTER(name) json_object_set_new(doc, #name, json_integer((json_int_t)a->counters.name));
	TANDEM_AUTH_COUNTERS(COUNTER)
#undef COUNTER

	return doc;
}
