/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/media/dtls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "userspace/media/dtls_local.h"
#include "userspace/media/sdes.h"

#define LABEL	    "EXTRACTOR-dtls_srtp" /* RFC 5764 section 4.2 */
#define QUOTA_RETRY 200			  /* ms until a client asks again for a place */
#define NEVER	    UINT64_MAX

static const char *const state_names[] = {
	[TANDEM_DTLS_WAITING] = "waiting",   [TANDEM_DTLS_HANDSHAKE] = "handshake",
	[TANDEM_DTLS_UNPROVEN] = "unproven", [TANDEM_DTLS_CONNECTED] = "connected",
	[TANDEM_DTLS_CLOSED] = "closed",     [TANDEM_DTLS_FAILED] = "failed",
};

/* ---- quotas ---- */

static bool is_full(const struct tandem_dtls_quota *q)
{
	return q && q->half_open >= q->max;
}

static bool take_quotas(struct tandem_dtls *a)
{
	struct tandem_dtls_quota *all = a->cfg.quota;

	a->source = a->cfg.ops->source ? a->cfg.ops->source(a->cfg.arg) : NULL;
	if (is_full(all) || is_full(a->source)) {
		a->ctx->counters.over_quota++;
		return false;
	}
	if (all)
		all->half_open++;
	if (a->source)
		a->source->half_open++;
	a->half_open = true;
	return true;
}

static void give_quotas(struct tandem_dtls *a)
{
	if (!a->half_open)
		return;
	a->half_open = false;
	if (a->cfg.quota)
		a->cfg.quota->half_open--;
	if (a->source)
		a->source->half_open--;
}

/* ---- the end ---- */

static void drop_ssl(struct tandem_dtls *a)
{
	SSL_free(a->ssl);
	a->ssl = NULL;
	a->again = NEVER;
}

static void change(struct tandem_dtls *a, enum tandem_dtls_state state)
{
	a->state = state;
	if (state >= TANDEM_DTLS_CONNECTED)
		a->cfg.ops->changed(state, a->cfg.arg);
}

static void fail(struct tandem_dtls *a, uint64_t *counter, const char *why)
{
	(*counter)++;
	snprintf(a->why, sizeof(a->why), "%s", why);
	give_quotas(a);
	drop_ssl(a);
	a->until = NEVER;
	change(a, TANDEM_DTLS_FAILED);
}

/* Tell the peer that it is over (close_notify). The buffers may have been given back. */
static void tell_end(struct tandem_dtls *a)
{
	if (SSL_alloc_buffers(a->ssl) == 1)
		SSL_shutdown(a->ssl);
}

static void refuse(struct tandem_dtls *a, uint64_t *counter, const char *why)
{
	tell_end(a);
	fail(a, counter, why);
}

static bool peer_ended(const struct tandem_dtls *a)
{
	return a->alert >> 8 == SSL3_AL_FATAL || (a->alert & 0xff) == SSL3_AD_CLOSE_NOTIFY;
}

/* OpenSSL will not go on; if the reason is ours, the peer has been told. */
static void handshake_failed(struct tandem_dtls *a)
{
	const char *reason = ERR_reason_error_string(ERR_get_error());
	char why[TANDEM_DTLS_WHY];

	if (peer_ended(a)) {
		snprintf(why, sizeof(why), "the peer ended the handshake: %s",
			 SSL_alert_desc_string_long(a->alert));
		fail(a, &a->ctx->counters.refused_by_peer, why);
		return;
	}
	snprintf(why, sizeof(why), "the handshake failed: %s", reason ? reason : "no reason given");
	fail(a, &a->ctx->counters.refused, why);
}

/* ---- keys ---- */

/* RFC 5764 section 4.2: the client's key, the server's; the client's salt, the server's. */
static int export_keys(struct tandem_dtls *a, uint8_t suite)
{
	size_t key_len = tandem_sdes_key_len(suite), salt_len = tandem_sdes_salt_len(suite);
	uint8_t material[2 * (sizeof(a->keys_in.key) + sizeof(a->keys_in.salt))];
	struct tandem_srtp *client = a->cfg.client ? &a->keys_out : &a->keys_in;
	struct tandem_srtp *server = a->cfg.client ? &a->keys_in : &a->keys_out;
	const uint8_t *salts = material + 2 * key_len;

	if (!key_len ||
	    SSL_export_keying_material(a->ssl, material, 2 * (key_len + salt_len), LABEL,
				       sizeof(LABEL) - 1, NULL, 0, 0) != 1 ||
	    tandem_sdes_new_id(&client->id) || tandem_sdes_new_id(&server->id))
		return -EIO;
	client->suite = server->suite = suite;
	memcpy(client->key, material, key_len);
	memcpy(server->key, material + key_len, key_len);
	memcpy(client->salt, salts, salt_len);
	memcpy(server->salt, salts + salt_len, salt_len);
	OPENSSL_cleanse(material, sizeof(material));
	return 0;
}

/* RFC 8122 section 5: one of them is enough. All are looked at, whatever comes of the first. */
static bool certificate_matches(const struct tandem_dtls *a)
{
	const X509 *cert = SSL_get0_peer_certificate(a->ssl);
	struct tandem_dtls_fingerprint is;
	bool match = false;

	for (size_t i = 0; cert && i < a->fp_count; i++) {
		const struct tandem_dtls_fingerprint *want = &a->fps[i];

		if (tandem_dtls_certificate_hash(cert, want->hash, &is))
			continue;
		match |= is.len == want->len && CRYPTO_memcmp(is.value, want->value, is.len) == 0;
	}
	return match;
}

/* The handshake is over, and the peer's description known: is it who it says? */
static void prove(struct tandem_dtls *a)
{
	uint8_t suite = tandem_dtls_agreed_suite(a->ssl);

	if (!certificate_matches(a)) {
		refuse(a, &a->ctx->counters.wrong_fingerprint,
		       "the peer's certificate is not the one of its description");
		return;
	}
	if (export_keys(a, suite)) {
		refuse(a, &a->ctx->counters.refused, "no keys from the handshake");
		return;
	}
	a->ctx->counters.connected++;
	change(a, TANDEM_DTLS_CONNECTED);
}

static void handshake_done(struct tandem_dtls *a)
{
	give_quotas(a);
	a->until = NEVER;
	if (!tandem_dtls_agreed_suite(a->ssl)) {
		refuse(a, &a->ctx->counters.no_profile,
		       "no SRTP protection profile that both ends have");
		return;
	}
	a->state = TANDEM_DTLS_UNPROVEN;
	if (a->fp_count)
		prove(a);
}

/* ---- going on ---- */

/* After the handshake: alerts, and the peer's last flight again, which OpenSSL answers. */
static void read_rest(struct tandem_dtls *a)
{
	uint8_t ignored[64];
	int n;

	do {
		n = SSL_read(a->ssl, ignored, sizeof(ignored));
	} while (n > 0);
	if (SSL_get_error(a->ssl, n) == SSL_ERROR_WANT_READ) {
		SSL_free_buffers(a->ssl); /* 33 KiB, until the next datagram */
		return;
	}
	if (!peer_ended(a)) {
		/* Media goes on without it: no packet ends a call but the peer's own alert. */
		drop_ssl(a);
		return;
	}
	if (a->state == TANDEM_DTLS_UNPROVEN) {
		handshake_failed(a);
		return;
	}
	a->ctx->counters.closed++;
	tell_end(a);
	drop_ssl(a);
	change(a, TANDEM_DTLS_CLOSED);
}

static void schedule(struct tandem_dtls *a, uint64_t now)
{
	struct timeval left;

	a->again = NEVER;
	if (a->ssl && a->state == TANDEM_DTLS_CONNECTED && a->ctx->linger_ms && a->until == NEVER)
		a->until = now + a->ctx->linger_ms;
	if (a->ssl && DTLSv1_get_timeout(a->ssl, &left))
		a->again = now + (uint64_t)left.tv_sec * 1000 + (uint64_t)left.tv_usec / 1000 + 1;
}

static void go_on(struct tandem_dtls *a, uint64_t now)
{
	int ret = 1;

	ERR_clear_error();
	if (a->state == TANDEM_DTLS_HANDSHAKE) {
		ret = SSL_do_handshake(a->ssl);
		if (ret == 1)
			handshake_done(a);
		else if (SSL_get_error(a->ssl, ret) != SSL_ERROR_WANT_READ)
			handshake_failed(a);
	}
	if (a->ssl && (a->state == TANDEM_DTLS_UNPROVEN || a->state == TANDEM_DTLS_CONNECTED))
		read_rest(a);
	schedule(a, now);
	ERR_clear_error();
}

static void begin(struct tandem_dtls *a, uint64_t now)
{
	if (!a->ssl)
		a->ssl = tandem_dtls_ssl_new(a);
	if (!a->ssl) {
		fail(a, &a->ctx->counters.refused, "no memory");
		return;
	}
	a->ctx->counters.started++;
	a->state = TANDEM_DTLS_HANDSHAKE;
	a->early = 0;
	if (a->until == NEVER)
		a->until = now + a->ctx->handshake_ms;
	go_on(a, now);
}

/*
 * Has the client returned its cookie? All that have not share one SSL, so that a hello from a forged
 * source leaves nothing behind.
 */
static bool cookie_returned(struct tandem_dtls *a)
{
	struct tandem_dtls_context *ctx = a->ctx;
	BIO_ADDR *nobody = BIO_ADDR_new();
	int ret = -1;

	ERR_clear_error();
	if (!ctx->listener)
		ctx->listener = tandem_dtls_ssl_new(a);
	if (ctx->listener && nobody) {
		tandem_dtls_ssl_lend(ctx->listener, a);
		ret = DTLSv1_listen(ctx->listener, nobody);
	}
	BIO_ADDR_free(nobody);
	if (ret > 0) {
		a->ssl = ctx->listener;
		ctx->listener = NULL;
	} else if (ret < 0) {
		SSL_free(ctx->listener);
		ctx->listener = NULL;
	}
	return ret > 0;
}

static void hello(struct tandem_dtls *a, uint64_t now)
{
	if (a->cfg.cookie && !cookie_returned(a))
		return;
	if (take_quotas(a))
		begin(a, now);
	else
		drop_ssl(a);
}

/* ---- the interface ---- */

int tandem_dtls_alloc(struct tandem_dtls **ap, struct tandem_dtls_context *ctx,
		      const struct tandem_dtls_config *cfg)
{
	struct tandem_dtls *a;

	if (!cfg->ops || !cfg->ops->send || !cfg->ops->changed)
		return -EINVAL;
	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	a->cfg = *cfg;
	a->until = NEVER;
	a->again = NEVER;
	if (RAND_bytes(a->cookie, sizeof(a->cookie)) != 1) {
		free(a);
		return -ENOMEM;
	}
	a->ctx = ctx;
	ctx->refs++;
	*ap = a;
	return 0;
}

void tandem_dtls_free(struct tandem_dtls *a)
{
	if (!a)
		return;
	if (a->ssl && (a->state == TANDEM_DTLS_UNPROVEN || a->state == TANDEM_DTLS_CONNECTED))
		tell_end(a);
	ERR_clear_error();
	give_quotas(a);
	drop_ssl(a);
	tandem_dtls_context_put(a->ctx);
	OPENSSL_cleanse(a, sizeof(*a));
	free(a);
}

static bool same_peer(const struct tandem_dtls *a, const struct tandem_dtls_fingerprint *fps,
		      size_t n)
{
	if (n != a->fp_count)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!tandem_dtls_fingerprint_equal(&a->fps[i], &fps[i]))
			return false;
	}
	return true;
}

int tandem_dtls_set_peer(struct tandem_dtls *a, const struct tandem_dtls_fingerprint *fps, size_t n,
			 uint64_t now)
{
	if (n == 0 || n > TANDEM_DTLS_FINGERPRINTS)
		return -EINVAL;
	if (same_peer(a, fps, n))
		return 0;
	if (a->state >= TANDEM_DTLS_CONNECTED)
		return -EBUSY;
	memcpy(a->fps, fps, n * sizeof(*fps));
	a->fp_count = n;
	if (a->state == TANDEM_DTLS_UNPROVEN && !a->ssl)
		fail(a, &a->ctx->counters.refused, "the handshake was lost before it was proven");
	else if (a->state == TANDEM_DTLS_UNPROVEN)
		prove(a);
	schedule(a, now);
	return 0;
}

int tandem_dtls_start(struct tandem_dtls *a, uint64_t now)
{
	if (!a->cfg.client)
		return -EINVAL;
	if (a->state != TANDEM_DTLS_WAITING || a->started)
		return 0;
	a->started = true;
	a->until = now + a->ctx->handshake_ms;
	a->again = now;
	tandem_dtls_tick(a, now);
	return 0;
}

void tandem_dtls_input(struct tandem_dtls *a, const void *data, size_t len, uint64_t now)
{
	if (!tandem_dtls_admit(a, data, len)) {
		a->ctx->counters.junk++;
		return;
	}
	a->in = data;
	a->in_len = len;
	if (a->state == TANDEM_DTLS_WAITING)
		hello(a, now);
	else
		go_on(a, now);
	a->in = NULL;
	a->in_len = 0;
}

static void send_again(struct tandem_dtls *a, uint64_t now)
{
	ERR_clear_error();
	if (DTLSv1_handle_timeout(a->ssl) < 0)
		fail(a, &a->ctx->counters.timed_out, "no answer, however often it was asked");
	schedule(a, now);
}

void tandem_dtls_tick(struct tandem_dtls *a, uint64_t now)
{
	if (now >= a->until && a->state == TANDEM_DTLS_CONNECTED) {
		drop_ssl(a);
		a->until = NEVER;
	} else if (now >= a->until) {
		fail(a, &a->ctx->counters.timed_out, "the handshake did not end in time");
	} else if (now < a->again) {
		return;
	} else if (a->ssl) {
		send_again(a, now);
	} else if (take_quotas(a)) {
		begin(a, now);
	} else {
		a->again = now + QUOTA_RETRY;
	}
}

uint64_t tandem_dtls_deadline(const struct tandem_dtls *a)
{
	return a->until < a->again ? a->until : a->again;
}

enum tandem_dtls_state tandem_dtls_state(const struct tandem_dtls *a)
{
	return a->state;
}

const char *tandem_dtls_state_name(enum tandem_dtls_state state)
{
	return state_names[state];
}

const char *tandem_dtls_why(const struct tandem_dtls *a)
{
	return a->why;
}

int tandem_dtls_keys(const struct tandem_dtls *a, struct tandem_srtp *in, struct tandem_srtp *out)
{
	if (!a->keys_in.suite)
		return -ENOENT;
	*in = a->keys_in;
	*out = a->keys_out;
	return 0;
}
