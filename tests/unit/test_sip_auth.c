/* SPDX-License-Identifier: GPL-2.0-only */
/* Registering with credentials, without, and with those of others. */
#include "tests/unit/sip_auth.h"

static void registers_with_either_digest(void **state)
{
	struct world *w = closed_world(state);
	struct answer a;
	struct peer p;
	const char *msg;

	peer_open(&p, AF_INET, false);
	msg = send_register(&p, "bob@example.test", "bob@example.test", "", "SIP/2.0 401");
	/* the better one first, and not more than is known */
	assert_non_null(strstr(header_n(msg, "WWW-Authenticate", 0), "algorithm=SHA-256"));
	assert_non_null(strstr(header_n(msg, "WWW-Authenticate", 1), "algorithm=MD5"));
	assert_null(header_n(msg, "WWW-Authenticate", 2));
	assert_non_null(strstr(header(msg, "WWW-Authenticate"), "qop=\"auth\""));
	assert_false(is_stale(msg));
	assert_int_equal(registered(w), 0);

	a = answer_for("bob", "build er", "REGISTER", "sip:example.test");
	take_nonce(&a, msg);
	reg(&p, &a, "SIP/2.0 200");
	assert_int_equal(registered(w), 1);

	/* MD5, named and not, on the same nonce with the next counts */
	a.alg = TANDEM_DIGEST_MD5;
	a.nc = 2;
	reg(&p, &a, "SIP/2.0 200");
	a.nc = 3;
	a.no_algorithm = true;
	reg(&p, &a, "SIP/2.0 200");
	assert_int_equal(counter(w, "accepted"), 3);
	assert_int_equal(counter(w, "challenged"), 1);
	peer_close(&p);
}

static void md5_can_be_refused(void **state)
{
	struct world *w = closed_world(state);
	struct answer a;
	struct peer p;
	const char *msg;

	w->cfg.algs[0] = TANDEM_DIGEST_SHA256;
	w->cfg.algs_count = 1;
	world_restart(w);
	peer_open(&p, AF_INET, false);
	a = challenged(&p, "bob", "build er");
	assert_null(header_n(p.msg, "WWW-Authenticate", 1));
	a.alg = TANDEM_DIGEST_MD5;
	msg = reg(&p, &a, "SIP/2.0 401");
	assert_false(is_stale(msg));
	assert_int_equal(registered(w), 0);
	a.alg = TANDEM_DIGEST_SHA256;
	reg(&p, &a, "SIP/2.0 200");
	peer_close(&p);
}

/* Nobody can tell from the answers who is a user. */
static void wrong_passwords(void **state)
{
	struct world *w = closed_world(state);
	char known[1024], unknown[1024];
	struct answer a;
	struct peer p;
	char *n;

	peer_open(&p, AF_INET, false);
	a = challenged(&p, "bob", "builder");
	snprintf(known, sizeof(known), "%s",
		 header(reg(&p, &a, "SIP/2.0 401"), "WWW-Authenticate"));
	a.user = "nobody";
	snprintf(unknown, sizeof(unknown), "%s",
		 header(reg(&p, &a, "SIP/2.0 401"), "WWW-Authenticate"));
	/* alike but for the nonce */
	for (n = strstr(known, "nonce=\"") + 7; *n != '"'; n++)
		*n = '0';
	for (n = strstr(unknown, "nonce=\"") + 7; *n != '"'; n++)
		*n = '0';
	assert_string_equal(known, unknown);
	assert_null(strstr(known, "stale"));
	assert_int_equal(counter(w, "failed"), 2);

	/* a wrong try does not use up the count */
	a = challenged(&p, "bob", "builder");
	reg(&p, &a, "SIP/2.0 401");
	a.password = "build er";
	reg(&p, &a, "SIP/2.0 200");
	peer_close(&p);
}

static void replays(void **state)
{
	struct world *w = closed_world(state);
	struct answer a, old;
	struct peer p, q;

	peer_open(&p, AF_INET, false);
	a = challenged(&p, "bob", "build er");
	reg(&p, &a, "SIP/2.0 200");
	assert_true(is_stale(reg(&p, &a, "SIP/2.0 401")));
	assert_int_equal(counter(w, "replayed"), 1);
	a.nc = 9;
	reg(&p, &a, "SIP/2.0 200");
	a.nc = 5; /* overtaken by 9 */
	reg(&p, &a, "SIP/2.0 200");
	assert_true(is_stale(reg(&p, &a, "SIP/2.0 401")));
	assert_int_equal(counter(w, "failed"), 0);

	/* from elsewhere, and after a restart: the nonce is known, and is not taken */
	peer_open(&q, AF_INET6, false);
	old = challenged(&p, "bob", "build er");
	assert_true(is_stale(reg(&q, &old, "SIP/2.0 401")));
	world_restart(w);
	assert_true(is_stale(reg(&p, &old, "SIP/2.0 401")));
	assert_int_equal(counter(w, "stale"), 1);

	/* a nonce that nobody gave out is worth nothing, and no word about the password */
	old.nonce[5] = old.nonce[5] == '0' ? '1' : '0';
	assert_false(is_stale(reg(&p, &old, "SIP/2.0 401")));
	assert_int_equal(counter(w, "failed"), 0);
	peer_close(&p);
	peer_close(&q);
}

static void names_of_others(void **state)
{
	struct world *w = closed_world(state);
	struct answer a;
	struct peer p;
	char lines[2200];
	static const struct {
		const char *to, *from;
	} cases[] = {
		{ "alice@example.test", "bob@example.test" },
		{ "bob@example.test", "alice@example.test" },
		{ "alice@example.test", "alice@example.test" },
		{ "bob@elsewhere.test", "bob@example.test" },
		{ "bob@example.test", "bob@elsewhere.test" },
		{ "Bob@example.test", "bob@example.test" },
		{ "bob%40example.test@example.test", "bob@example.test" },
		{ "bobby@example.test", "bob@example.test" },
		{ "bo@example.test", "bob@example.test" },
	};
	unsigned int i;

	peer_open(&p, AF_INET, false);
	a = challenged(&p, "bob", "build er");
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		a.nc = i + 1;
		snprintf(lines, sizeof(lines), "Authorization: %s\n", credentials(&a));
		send_register(&p, cases[i].to, cases[i].from, lines, "SIP/2.0 403");
	}
	assert_int_equal(registered(w), 0);
	assert_int_equal(counter(w, "forbidden"), ARRAY_SIZE(cases));
	/* all ways to write one's own */
	a.nc = ++i;
	snprintf(lines, sizeof(lines), "Authorization: %s\n", credentials(&a));
	send_register(&p, "b%6fb@EXAMPLE.test", "bob@" RELAY, lines, "SIP/2.0 200");
	assert_int_equal(registered(w), 1);
	peer_close(&p);
}

/* One directive of good credentials replaced. */
static const char *altered(const struct answer *a, const char *from, const char *to)
{
	static char buf[6144];
	const char *good = credentials(a), *at = strstr(good, from);

	assert_non_null(at);
	snprintf(buf, sizeof(buf), "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
	return buf;
}

static void odd_credentials(void **state)
{
	static char huge[4000];
	static const struct {
		const char *from, *to, *want;
	} cases[] = {
		{ "qop=auth", "qop=auth-int", "SIP/2.0 400" },
		{ "qop=auth, ", "", "SIP/2.0 400" },
		{ "nc=00000001", "nc=0000001", "SIP/2.0 400" },
		{ "nc=00000001", "nc=0000000g", "SIP/2.0 400" },
		{ "nc=00000001", "nc=00000000", "SIP/2.0 400" },
		{ "nc=00000001, ", "", "SIP/2.0 400" },
		{ "cnonce=\"0a4f,113b\", ", "", "SIP/2.0 400" },
		{ "cnonce=\"0a4f,113b\"", "cnonce=\"\"", "SIP/2.0 400" },
		{ "username=\"bob\", ", "", "SIP/2.0 400" },
		{ "username=\"bob\"", "username=\"\"", "SIP/2.0 400" },
		{ "username=\"bob\"", "username=\"bob\", userhash=true", "SIP/2.0 400" },
		{ "username=\"bob\"", "username=\"bob\", username=\"alice\"", "SIP/2.0 400" },
		{ "uri=\"sip:example.test\"", "uri=\"sip:elsewhere.test\"", "SIP/2.0 400" },
		{ "uri=\"sip:example.test\"", "uri=\"sip:bob@elsewhere.test\"", "SIP/2.0 400" },
		{ "uri=\"sip:example.test\"", "uri=\"/dir/index.html\"", "SIP/2.0 400" },
		{ "response=\"", "response=\"00", "SIP/2.0 400" },
		{ "response=\"", "response=\"", "SIP/2.0 200" },
		{ "algorithm=SHA-256", "algorithm=MD5", "SIP/2.0 400" },
		{ "algorithm=SHA-256", "algorithm=SHA-256-sess", "SIP/2.0 400" },
		{ "algorithm=SHA-256", "algorithm=SHA-512-256", "SIP/2.0 400" },
		{ "algorithm=SHA-256", "algorithm=", "SIP/2.0 400" },
		{ "cnonce=\"0a4f,113b\"", huge, "SIP/2.0 400" },
		{ "username=\"bob\"", "username=\"al\\\"ice\"", "SIP/2.0 401" },
		{ "username=\"bob\"", "username=\"' OR 1=1 --\"", "SIP/2.0 401" },
		{ "username=\"bob\"", "username=\"%s%n\"", "SIP/2.0 401" },
		{ "realm=\"example.test\"", "realm=\"elsewhere.test\"", "SIP/2.0 401" },
		{ "realm=\"example.test\"", "realm=\"Example.test\"", "SIP/2.0 401" },
		{ "Digest ", "Basic ", "SIP/2.0 401" },
	};
	struct world *w = closed_world(state);
	struct answer a;
	struct peer p;
	char lines[6400];
	unsigned int i;

	snprintf(huge, sizeof(huge), "cnonce=\"%03900d\"", 1);
	peer_open(&p, AF_INET, false);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		a = challenged(&p, "bob", "build er");
		snprintf(lines, sizeof(lines), "Authorization: %s\n",
			 altered(&a, cases[i].from, cases[i].to));
		send_register(&p, "bob@example.test", "bob@example.test", lines, cases[i].want);
	}
	assert_int_equal(registered(w), 1);
	peer_close(&p);
}

static void which_credentials_count(void **state)
{
	struct answer a;
	struct peer p;
	char lines[6400];

	(void)closed_world(state);
	peer_open(&p, AF_INET, false);
	/* the address that the phone knows the relay by is as good as its domain */
	a = challenged(&p, "bob", "build er");
	a.uri = "sip:" RELAY;
	reg(&p, &a, "SIP/2.0 200");
	a.uri = "sip:127.0.0.1:9";
	a.nc = 2;
	reg(&p, &a, "SIP/2.0 400");

	/* two of our realm contradict each other; one of another's is none of our business */
	a = challenged(&p, "bob", "build er");
	snprintf(lines, sizeof(lines), "Authorization: %s\nAuthorization: %s\n", credentials(&a),
		 credentials(&a));
	send_register(&p, "bob@example.test", "bob@example.test", lines, "SIP/2.0 400");
	snprintf(lines, sizeof(lines), "Authorization: Digest realm=\"x\"\nAuthorization: %s\n",
		 credentials(&a));
	send_register(&p, "bob@example.test", "bob@example.test", lines, "SIP/2.0 200");
	/* in the header of proxies it does not count here */
	a.nc = 2;
	snprintf(lines, sizeof(lines), "Proxy-Authorization: %s\n", credentials(&a));
	send_register(&p, "bob@example.test", "bob@example.test", lines, "SIP/2.0 401");
	peer_close(&p);
}

static void contacts_of_a_user(void **state)
{
	struct world *w = closed_world(state);
	struct answer a;
	struct peer p[3];
	unsigned int i;

	add_user_limited(w, "carol", "pw", 2);
	for (i = 0; i < 3; i++) {
		peer_open(&p[i], AF_INET, false);
		a = challenged(&p[i], "carol", "pw");
		reg(&p[i], &a, i < 2 ? "SIP/2.0 200" : "SIP/2.0 403");
	}
	assert_int_equal(registered(w), 2);
	for (i = 0; i < 3; i++)
		peer_close(&p[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(registers_with_either_digest),
		TEST(md5_can_be_refused),
		TEST(wrong_passwords),
		TEST(replays),
		TEST(names_of_others),
		TEST(odd_credentials),
		TEST(which_credentials_count),
		TEST(contacts_of_a_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
