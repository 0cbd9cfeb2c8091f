/* SPDX-License-Identifier: GPL-2.0-only */
/* A relay that asks for credentials, its users, and what a phone makes of a challenge. */
#ifndef TANDEM_TESTS_SIP_AUTH_H
#define TANDEM_TESTS_SIP_AUTH_H

#include "tests/unit/sip_call.h"

#include "userspace/util/digest.h"

#define REALM "example.test"

/* What a phone makes of a challenge; the tests change what they want to be wrong. */
struct answer {
	enum tandem_digest_alg alg;
	char nonce[128];
	const char *user, *realm, *password, *method, *uri, *cnonce, *qop, *extra;
	unsigned int nc;
	bool no_algorithm;
};

static inline struct answer answer_for(const char *user, const char *password, const char *method,
				       const char *uri)
{
	return (struct answer){
		.alg = TANDEM_DIGEST_SHA256,
		.user = user,
		.realm = REALM,
		.password = password,
		.method = method,
		.uri = uri,
		.cnonce = "0a4f,113b",
		.qop = "auth",
		.extra = "",
		.nc = 1,
	};
}

/* Take the nonce of the challenge with the answer's algorithm. */
static inline void take_nonce(struct answer *a, const char *msg)
{
	const char *name = strstr(msg, "SIP/2.0 401") ? "WWW-Authenticate" : "Proxy-Authenticate";
	char want[32];
	const char *val;
	unsigned int i;

	snprintf(want, sizeof(want), "algorithm=%s", tandem_digest_name(a->alg));
	for (i = 0; (val = header_n(msg, name, i)); i++) {
		if (!strstr(val, want))
			continue;
		assert_int_equal(sscanf(strstr(val, "nonce=\""), "nonce=\"%127[^\"]", a->nonce), 1);
		return;
	}
	fail_msg("no challenge with %s in:\n%s", want, msg);
}

static inline struct tandem_digest_text text(const char *s)
{
	return (struct tandem_digest_text){ s, strlen(s) };
}

/* The value of the header, in one of several buffers. */
static inline const char *credentials(const struct answer *a)
{
	static char bufs[4][2048];
	static unsigned int turn;
	uint8_t ha1[TANDEM_DIGEST_MAX], out[TANDEM_DIGEST_MAX];
	char hex[2 * TANDEM_DIGEST_MAX + 1], nc[9], *buf = bufs[turn++ % 4];
	size_t i;

	snprintf(nc, sizeof(nc), "%08x", a->nc);
	const struct tandem_digest_input in = {
		.method = text(a->method),
		.uri = text(a->uri),
		.nonce = text(a->nonce),
		.nc = text(nc),
		.cnonce = text(a->cnonce),
	};

	assert_int_equal(tandem_digest_ha1(a->alg, a->user, a->realm, a->password, ha1), 0);
	assert_int_equal(tandem_digest_response(a->alg, ha1, &in, out), 0);
	for (i = 0; i < tandem_digest_size(a->alg); i++)
		sprintf(hex + 2 * i, "%02x", out[i]);
	snprintf(buf, 2048,
		 "Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", response=\"%s\", "
		 "cnonce=\"%s\", qop=%s, nc=%s%s%s%s",
		 a->user, a->realm, a->nonce, a->uri, hex, a->cnonce, a->qop, nc,
		 a->no_algorithm ? "" : ", algorithm=",
		 a->no_algorithm ? "" : tandem_digest_name(a->alg), a->extra);
	return buf;
}

/* ---- the relay and its users ---- */

static inline void add_user_limited(struct world *w, const char *name, const char *password,
				    uint32_t max_contacts)
{
	struct tandem_user user = { .max_contacts = max_contacts };
	unsigned int i;

	strcpy(user.name, name);
	strcpy(user.realm, REALM);
	for (i = 0; i < TANDEM_DIGEST_ALGS; i++) {
		tandem_digest_ha1((enum tandem_digest_alg)i, name, REALM, password, user.ha1[i]);
		user.has[i] = true;
	}
	assert_int_equal(tandem_store_user_add(w->store, &user), 0);
}

static inline void add_user(struct world *w, const char *name, const char *password)
{
	add_user_limited(w, name, password, 0);
}

/* The relay asks everybody; there are alice and bob. */
static inline struct world *closed_world(void **state)
{
	struct world *w = *state;

	w->cfg.realm = REALM;
	w->cfg.auth = TANDEM_SIP_AUTH_REQUIRED;
	world_restart(w);
	add_user(w, "alice", "wonder");
	add_user(w, "bob", "build er");
	return w;
}

static inline json_int_t counter(struct world *w, const char *name)
{
	json_t *doc = tandem_sip_auth_json(w->sip);
	json_int_t value = json_integer_value(json_object_get(doc, name));

	assert_true(json_is_integer(json_object_get(doc, name)));
	json_decref(doc);
	return value;
}

static inline size_t registered(struct world *w)
{
	struct tandem_sip_stats stats;

	tandem_sip_stats(w->sip, &stats);
	return stats.registrations;
}

/* REGISTER of user, from the same, with one contact and whatever other lines. */
static inline const char *send_register(struct peer *p, const char *to, const char *from,
					const char *lines, const char *want)
{
	static unsigned int n;

	n++;
	peer_send(p, NULL,
		  "REGISTER sip:example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP %s:%u;branch=z9hG4bKa%u;rport\nMax-Forwards: 70\n"
		  "From: <sip:%s>;tag=t%u\nTo: <sip:%s>\nCall-ID: a%u\nCSeq: 1 REGISTER\n"
		  "%sContact: <sip:x@%s:%u>\nExpires: 600\n",
		  p->host, p->port, n, from, n, to, n, lines, p->host, p->port);
	return peer_expect(p, want);
}

static inline const char *reg(struct peer *p, const struct answer *a, const char *want)
{
	char lines[2200], aor[80];

	snprintf(aor, sizeof(aor), "%s@example.test", a->user);
	snprintf(lines, sizeof(lines), "Authorization: %s\n", credentials(a));
	return send_register(p, aor, aor, lines, want);
}

static inline struct answer challenged(struct peer *p, const char *user, const char *password)
{
	struct answer a = answer_for(user, password, "REGISTER", "sip:example.test");

	take_nonce(&a, send_register(p, "bob@example.test", "bob@example.test", "", "SIP/2.0 401"));
	return a;
}

static inline bool is_stale(const char *msg)
{
	return strstr(header(msg, "WWW-Authenticate"), "stale=true") != NULL;
}

#endif
