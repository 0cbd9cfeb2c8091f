/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gateways that ask for a password, which the relay has and the caller has not:
 *
 *   alice [::1] --- relay --- one, two 127.0.0.1 (gateways)
 */
#include "tests/unit/sip_auth.h"

struct site {
	struct world *w;
	struct peer alice, one, two;
	char uri[2][64];
	char file[80];
	struct tandem_gateway_config gateways[2];
	char ok[MSG_SIZE];
	unsigned int cseq;
};

static const char *const any[] = { "any" };
static const char *const via_both[] = { "one", "two" };
static const struct tandem_route_config routes[] = {
	{ .to = "+*", .from = any, .from_count = 1, .via = via_both, .via_count = 2 },
};

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void site_open(struct site *s, struct world *w, const char *realm)
{
	memset(s, 0, sizeof(*s));
	s->w = w;
	peer_open(&s->alice, AF_INET6, false);
	peer_open(&s->one, AF_INET, false);
	peer_open(&s->two, AF_INET, false);
	snprintf(s->uri[0], sizeof(s->uri[0]), "sip:127.0.0.1:%u", s->one.port);
	snprintf(s->uri[1], sizeof(s->uri[1]), "sip:127.0.0.1:%u", s->two.port);
	snprintf(s->file, sizeof(s->file), "%s.password", w->path);
	write_file(s->file, "open sesame\n");
	s->gateways[0] = (struct tandem_gateway_config){ .name = "one",
							 .uri = s->uri[0],
							 .user = "+49 30",
							 .password_file = s->file,
							 .realm = realm,
							 .weight = 1 };
	s->gateways[1] = (struct tandem_gateway_config){
		.name = "two", .uri = s->uri[1], .priority = 2, .weight = 1
	};
	w->cfg.gateways = s->gateways;
	w->cfg.gateways_count = 2;
	w->cfg.routes = routes;
	w->cfg.routes_count = 1;
	world_restart(w);
	run_ms(150);
}

static void site_close(struct site *s)
{
	unlink(s->file);
	peer_close(&s->alice);
	peer_close(&s->one);
	peer_close(&s->two);
	world_stop(s->w);
	memset(&s->w->cfg, 0, sizeof(s->w->cfg));
	world_start(s->w);
}

static void call(struct site *s, const char *id)
{
	peer_send(&s->alice, SDP6("30000"),
		  "INVITE sip:+4930@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP [::1]:%u;branch=z9hG4bK%s;rport\nMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <sip:+4930@example.test>\n"
		  "Call-ID: %s\nCSeq: 1 INVITE\nContact: <sip:alice@[::1]:%u>\n",
		  s->alice.port, id, id, s->alice.port);
	peer_expect(&s->alice, "SIP/2.0 100");
	s->cseq = 1;
}

static void answer(struct peer *p, const char *request, const char *status, const char *lines,
		   const char *sdp)
{
	const char *to = header(request, "To");

	peer_send(p, sdp,
		  "SIP/2.0 %s\n%s%sFrom: %s\nTo: %s%s\nCall-ID: %s\nCSeq: %s\n"
		  "Contact: <sip:g@%s:%u>\n%s",
		  status, headers(request, "Via"), headers(request, "Record-Route"),
		  header(request, "From"), to, strstr(to, "tag=") ? "" : ";tag=g",
		  header(request, "Call-ID"), header(request, "CSeq"), p->host, p->port, lines);
}

/* A request of alice's within the dialog. */
static void within(struct site *s, const char *method, unsigned int cseq, const char *sdp)
{
	peer_send(&s->alice, sdp,
		  "%s sip:g@127.0.0.1:%u SIP/2.0\n"
		  "Via: SIP/2.0/UDP [::1]:%u;branch=z9hG4bKw%s%u;rport\n%sMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <sip:+4930@example.test>;tag=g\n"
		  "Call-ID: %s\nCSeq: %u %s\nContact: <sip:alice@[::1]:%u>\n",
		  method, s->one.port, s->alice.port, method, cseq, routes_reversed(s->ok),
		  header(s->ok, "Call-ID"), cseq, method, s->alice.port);
}

static const char *parameter(const char *val, const char *name, bool quoted)
{
	static char bufs[8][256];
	static unsigned int turn;
	char *buf = bufs[turn++ % 8], want[64];
	const char *p;

	snprintf(want, sizeof(want), " %s=%s", name, quoted ? "\"" : "");
	p = strstr(val, want);
	if (!p)
		return NULL;
	p += strlen(want);
	snprintf(buf, 256, "%.*s", (int)strcspn(p, quoted ? "\"" : ","), p);
	return buf;
}

/* The gateway reckons for itself what the response should have been. */
static void check_credentials(const char *msg, const char *name, enum tandem_digest_alg alg,
			      const char *nonce, bool qop)
{
	uint8_t ha1[TANDEM_DIGEST_MAX], out[TANDEM_DIGEST_MAX];
	char method[16], ruri[128], hex[2 * TANDEM_DIGEST_MAX + 1];
	const char *val = header(msg, name);
	size_t i;

	assert_non_null(val);
	assert_null(header_n(msg, name, 1));
	assert_int_equal(sscanf(msg, "%15s %127s", method, ruri), 2);
	assert_string_equal(parameter(val, "username", true), "+49 30");
	assert_string_equal(parameter(val, "realm", true), "carrier");
	assert_string_equal(parameter(val, "nonce", true), nonce);
	assert_string_equal(parameter(val, "uri", true), ruri);
	assert_string_equal(parameter(val, "algorithm", false), tandem_digest_name(alg));
	if (qop) {
		assert_string_equal(parameter(val, "qop", false), "auth");
		assert_string_equal(parameter(val, "nc", false), "00000001");
	} else {
		assert_null(parameter(val, "qop", false));
		assert_null(parameter(val, "cnonce", true));
	}
	const struct tandem_digest_input in = {
		.method = text(method),
		.uri = text(ruri),
		.nonce = text(nonce),
		.nc = text(qop ? "00000001" : ""),
		.cnonce = text(qop ? parameter(val, "cnonce", true) : ""),
	};

	assert_int_equal(tandem_digest_ha1(alg, "+49 30", "carrier", "open sesame", ha1), 0);
	assert_int_equal(tandem_digest_response(alg, ha1, &in, out), 0);
	for (i = 0; i < tandem_digest_size(alg); i++)
		sprintf(hex + 2 * i, "%02x", out[i]);
	assert_string_equal(parameter(val, "response", true), hex);
}

/* The gateway asks for credentials by these lines, and gets them. */
static void challenge(struct site *s, const char *status, const char *lines)
{
	bool invite = !strncmp(s->one.msg, "INVITE ", 7);
	char request[MSG_SIZE];

	strcpy(request, s->one.msg);
	answer(&s->one, request, status, lines, NULL);
	if (invite)
		peer_expect(&s->one, "ACK ");
	peer_expect(&s->one, invite ? "INVITE " : "");
	assert_string_equal(header(s->one.msg, "CSeq"), header(request, "CSeq"));
	assert_string_not_equal(header(s->one.msg, "Via"), header(request, "Via"));
	assert_string_equal(header(s->one.msg, "Max-Breadth"), header(request, "Max-Breadth"));
}

static void a_call_with_a_password(void **state)
{
	struct site s;

	site_open(&s, *state, NULL);
	call(&s, "trunk");
	peer_expect(&s.one, "INVITE sip:+4930@127.0.0.1:");
	assert_null(header(s.one.msg, "Proxy-Authorization"));
	challenge(&s, "407 Proxy Authentication Required",
		  "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"x\", algorithm=SHA-512\n"
		  "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"s1\", opaque=\"op,q\", "
		  "algorithm=SHA-256, qop=\"auth\"\n"
		  "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"n1\", algorithm=MD5, "
		  "qop=\"auth\"\n");
	check_credentials(s.one.msg, "Proxy-Authorization", TANDEM_DIGEST_SHA256, "s1", true);
	assert_string_equal(parameter(header(s.one.msg, "Proxy-Authorization"), "opaque", true),
			    "op,q");
	assert_anchored(body(s.one.msg), "30000");
	answer(&s.one, s.one.msg, "200 OK", "", ANSWER);
	strcpy(s.ok, peer_expect(&s.alice, "SIP/2.0 200"));
	assert_anchored(body(s.ok), "30002");
	assert_int_equal(tandem_sessions_count(s.w->ss), 1);
	within(&s, "ACK", 1, NULL);
	peer_expect(&s.one, "ACK ");

	/* within the dialog, with an offer that is made twice */
	within(&s, "INVITE", 2, SDP6("30010"));
	peer_expect(&s.alice, "SIP/2.0 100");
	peer_expect(&s.one, "INVITE ");
	challenge(&s, "401 Unauthorized",
		  "WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n2\"\n");
	check_credentials(s.one.msg, "Authorization", TANDEM_DIGEST_MD5, "n2", false);
	assert_anchored(body(s.one.msg), "30010");
	answer(&s.one, s.one.msg, "200 OK", "", ANSWER);
	strcpy(s.ok, peer_expect(&s.alice, "SIP/2.0 200"));
	assert_anchored(body(s.ok), "30002");
	within(&s, "ACK", 2, NULL);
	peer_expect(&s.one, "ACK ");

	within(&s, "BYE", 3, NULL);
	peer_expect(&s.one, "BYE ");
	challenge(&s, "407 Proxy Authentication Required",
		  "Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"n3\", algorithm=md5, "
		  "qop=\"auth-int,auth\"\n");
	check_credentials(s.one.msg, "Proxy-Authorization", TANDEM_DIGEST_MD5, "n3", true);
	answer(&s.one, s.one.msg, "200 OK", "", NULL);
	peer_expect(&s.alice, "SIP/2.0 200");
	assert_int_equal(tandem_sessions_count(s.w->ss), 0);
	site_close(&s);
}

#define REFUSAL "407 Proxy Authentication Required"
#define ASKS(nonce, more)                                                                          \
	"Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"" nonce "\", algorithm=MD5, "       \
	"qop=\"auth\"" more "\n"

/* A nonce that is out of date is not the password's fault; asked again without that, it is. */
static void stale_and_wrong(void **state)
{
	struct site s;

	site_open(&s, *state, "carrier");
	call(&s, "stale");
	peer_expect(&s.one, "INVITE ");
	challenge(&s, REFUSAL, ASKS("n1", ""));
	challenge(&s, REFUSAL, ASKS("n2", ", stale=true"));
	check_credentials(s.one.msg, "Proxy-Authorization", TANDEM_DIGEST_MD5, "n2", true);
	/* no more than that: the next gateway may know us */
	answer(&s.one, s.one.msg, REFUSAL, ASKS("n3", ", stale=true"), NULL);
	peer_expect(&s.one, "ACK ");
	peer_expect(&s.two, "INVITE ");
	assert_null(header(s.two.msg, "Proxy-Authorization"));
	answer(&s.two, s.two.msg, "486 Busy Here", "", NULL);
	peer_expect(&s.two, "ACK ");
	peer_expect(&s.alice, "SIP/2.0 486");

	/* nor does the caller hear of a password that is not its own */
	call(&s, "wrong");
	peer_expect(&s.one, "INVITE ");
	challenge(&s, REFUSAL, ASKS("n1", ""));
	answer(&s.one, s.one.msg, REFUSAL, ASKS("n2", ""), NULL);
	peer_expect(&s.one, "ACK ");
	peer_expect(&s.two, "INVITE ");
	answer(&s.two, s.two.msg, "503 Service Unavailable", "", NULL);
	peer_expect(&s.two, "ACK ");
	assert_null(header(peer_expect(&s.alice, "SIP/2.0 500"), "Proxy-Authenticate"));
	assert_int_equal(tandem_sessions_count(s.w->ss), 0);
	site_close(&s);
}

/* What is not asked in the gateway's name is for the caller, who may well know. */
static void challenges_of_others(void **state)
{
	static const char *const lines[] = {
		"Proxy-Authenticate: Digest realm=\"callee\", nonce=\"n\", qop=\"auth\"\n",
		"Proxy-Authenticate: Basic realm=\"carrier\"\n",
		"Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"n\", qop=\"auth-int\"\n",
		"Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"n\n",
		"WWW-Authenticate: Digest realm=\"carrier\", nonce=\"n\"\n",
		"",
	};
	struct site s;
	char id[16];
	size_t i;

	site_open(&s, *state, "carrier");
	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		snprintf(id, sizeof(id), "other%zu", i);
		call(&s, id);
		peer_expect(&s.one, "INVITE ");
		answer(&s.one, s.one.msg, REFUSAL, lines[i], NULL);
		peer_expect(&s.one, "ACK ");
		peer_expect(&s.alice, "SIP/2.0 407");
	}
	/* and one that we have no password for is the caller's, too */
	call(&s, "two");
	peer_expect(&s.one, "INVITE ");
	answer(&s.one, s.one.msg, "503 Service Unavailable", "", NULL);
	peer_expect(&s.one, "ACK ");
	peer_expect(&s.two, "INVITE ");
	answer(&s.two, s.two.msg, REFUSAL, ASKS("n", ""), NULL);
	peer_expect(&s.two, "ACK ");
	assert_non_null(header(peer_expect(&s.alice, "SIP/2.0 407"), "Proxy-Authenticate"));
	site_close(&s);
}

/* A realm that is longer than any may be is not the one that it begins with. */
static void realm_that_goes_on(void **state)
{
	static const char realm[] =
		"a-realm-of-64-letters-which-is-all-that-one-may-have-----------.";
	char lines[160];
	struct site s;

	assert_int_equal(strlen(realm), TANDEM_REALM_SIZE - 1);
	site_open(&s, *state, realm);
	call(&s, "long");
	peer_expect(&s.one, "INVITE ");
	snprintf(lines, sizeof(lines), "Proxy-Authenticate: Digest realm=\"%sx\", nonce=\"n\"\n",
		 realm);
	answer(&s.one, s.one.msg, REFUSAL, lines, NULL);
	peer_expect(&s.one, "ACK ");
	peer_expect(&s.alice, "SIP/2.0 407");
	site_close(&s);
}

static void cancelled_meanwhile(void **state)
{
	struct site s;

	site_open(&s, *state, NULL);
	call(&s, "cancel");
	peer_expect(&s.one, "INVITE ");
	strcpy(s.ok, s.one.msg);
	peer_send(&s.alice, NULL,
		  "CANCEL sip:+4930@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP [::1]:%u;branch=z9hG4bKcancel;rport\nMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <sip:+4930@example.test>\n"
		  "Call-ID: cancel\nCSeq: 1 CANCEL\n",
		  s.alice.port);
	peer_expect(&s.alice, "SIP/2.0 200");
	answer(&s.one, s.ok, REFUSAL, ASKS("n1", ""), NULL);
	peer_expect(&s.one, "ACK ");
	peer_expect(&s.alice, "SIP/2.0 487");
	peer_expect_nothing(&s.one, 50);
	assert_int_equal(tandem_sessions_count(s.w->ss), 0);
	site_close(&s);
}

static void password_files(void **state)
{
	static const char *const bad[] = { "", "\n", NULL };
	struct world *w = *state;
	struct tandem_sip *sip;
	char why[256], line[300];
	struct site s;
	size_t i;

	site_open(&s, w, NULL);
	tandem_sip_free(w->sip);
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		write_file(s.file, bad[i] ? bad[i] : line);
		assert_int_equal(tandem_sip_alloc(&sip, &w->cfg, w->ss, w->store, why, sizeof(why)),
				 -EINVAL);
		assert_non_null(strstr(why, "gateway one: "));
		assert_null(strstr(why, "xxx"));
	}
	unlink(s.file);
	assert_int_equal(tandem_sip_alloc(&sip, &w->cfg, w->ss, w->store, why, sizeof(why)),
			 -ENOENT);
	write_file(s.file, "second\r\nline");
	assert_int_equal(tandem_sip_alloc(&w->sip, &w->cfg, w->ss, w->store, why, sizeof(why)), 0);
	site_close(&s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_call_with_a_password), TEST(stale_and_wrong),	 TEST(challenges_of_others),
		TEST(realm_that_goes_on),     TEST(cancelled_meanwhile), TEST(password_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
