/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages that hurt, fed to the running front end over UDP and TCP: those of RFC 4475, octet by
 * octet as that has them (one a file), each with what it has to get, and mutations of plain
 * messages, which it has to survive.
 */
#include <sanitizer/common_interface_defs.h>

#include "tests/unit/sip_call.h"

#define CORPUS "tests/corpus/rfc4475"

static int terminal; /* standard error, while libre's complaints go nowhere */

static void mute_libre(void)
{
	terminal = dup(STDERR_FILENO);
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_set_report_fd((void *)(intptr_t)terminal);
#endif
	assert_non_null(freopen("/dev/null", "w", stderr));
}

/* Standard error of cmocka's is libre's as well. */
#define FAIL(...) fail_with(__FILE__, __LINE__, __VA_ARGS__)

static void __attribute__((format(printf, 3, 4)))
fail_with(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vdprintf(terminal, fmt, ap);
	va_end(ap);
	dprintf(terminal, "\n");
	_fail(file, line);
}

static void assert_alive(struct peer *p)
{
	static unsigned int n;

	n++;
	while (peer_try(p, 0))
		;
	p->rest_len = 0;
	peer_send(p, NULL,
		  "OPTIONS sip:example.test SIP/2.0\n"
		  "Via: SIP/2.0/%s 127.0.0.1:%u;branch=z9hG4bKalive%u;rport\n"
		  "From: <sip:a@x>;tag=t\nTo: <sip:b@y>\nCall-ID: alive%u\nCSeq: 1 OPTIONS\n",
		  p->tcp ? "TCP" : "UDP", p->port, n, n);
	do {
		if (!peer_try(p, 1000))
			FAIL("the relay does not answer any more");
	} while (!strstr(p->msg, "Call-ID: alive"));
}

static size_t read_file(const char *dir, const char *name, char *buf, size_t size)
{
	char path[512];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(buf, 1, size, f);
	fclose(f);

	return n;
}

/*
 * What a message gets: the code of its final response; 0: none. 480 is for who is not registered, so
 * that such a request has passed all checks; 403 for where nobody here may go.
 */
struct torture {
	const char *name;
	int code;
};

/* RFC 4475, by its sections. */
static const struct torture rfc4475[] = {
	/* 3.1.1: valid */
	{ "wsinv", 403 }, /* its Route is not ours */
	{ "intmeth", 480 },
	{ "esc01", 480 },
	{ "escnull", 404 }, /* an escaped NUL is in no name here */
	{ "esc02", 403 },   /* RE%47IST%45R is no REGISTER */
	{ "lwsdisp", 480 },
	{ "longreq", 480 }, /* no branch, and so of before RFC 3261 */
	{ "dblreq", 200 },
	{ "semiuri", 480 },
	{ "transports", 480 },
	{ "mpart01", 403 }, /* its Route is not ours */
	{ "unreason", 0 },
	{ "noreason", 0 },
	/* 3.1.2: invalid */
	{ "badinv01", 400 },
	{ "clerr", 0 }, /* the rest of it may come yet */
	{ "ncl", 400 },
	{ "scalar02", 400 },
	{ "scalarlg", 0 },
	{ "quotbal", 400 },
	{ "ltgtruri", 400 },
	{ "lwsruri", 400 },
	{ "lwsstart", 400 },
	{ "trws", 400 },
	{ "escruri", 400 },
	{ "baddate", 480 }, /* no business of a proxy's */
	{ "regbadct", 400 },
	{ "badaspec", 480 }, /* spaces that can be read over */
	{ "baddn", 0 },	     /* the line that ends its header is missing, and may come yet */
	{ "badvers", 505 },
	{ "mismatch01", 400 },
	{ "mismatch02", 400 },
	{ "bigcode", 0 },
	/* 3.2, 3.3 and 3.4 */
	{ "badbranch", 480 },
	{ "insuf", 400 },
	{ "unkscm", 416 },
	{ "novelsc", 416 },
	{ "unksm2", 400 }, /* an address of record here is a SIP URI */
	{ "bext01", 420 },
	{ "invut", 480 },    /* the body is the callee's business */
	{ "regaut01", 200 }, /* nobody has asked for credentials */
	{ "multi01", 400 },
	{ "mcl01", 400 },
	{ "bcast", 0 },
	{ "zeromf", 483 },
	{ "cparam01", 200 },
	{ "cparam02", 200 },
	{ "regescrt", 200 },
	{ "sdp01", 480 },
	{ "inv2543", 400 }, /* a From without a tag makes no dialog here */
};

static void world_anew(struct world *w)
{
	world_stop(w);
	strcpy(w->path, ":memory:");
	world_start(w);
}

/* Code of the final response on a connection, where answers come back whatever the Via says. */
static int final_code(const char *data, size_t len)
{
	struct peer p;
	int code = 0;

	peer_open(&p, AF_INET, true);
	(void)send(p.fd, data, len, MSG_NOSIGNAL);
	while (code < 200 && peer_try(&p, 200)) {
		if (sscanf(p.msg, "SIP/2.0 %d", &code) != 1)
			FAIL("no response: %s", p.msg);
	}
	peer_close(&p);
	run_ms(5);

	return code;
}

static void feed(struct world *w, const struct torture *t)
{
	char name[32], buf[16384];
	struct peer p;
	size_t len;
	int code;

	snprintf(name, sizeof(name), "%s.dat", t->name);
	len = read_file(CORPUS, name, buf, sizeof(buf));
	world_anew(w);
	code = final_code(buf, len);
	if (code != t->code)
		FAIL("%s: %d in place of %d", t->name, code, t->code);

	/* by UDP its answer goes elsewhere, but it must not harm either */
	world_anew(w);
	peer_open(&p, AF_INET, false);
	(void)send(p.fd, buf, len, 0);
	run_ms(10);
	assert_alive(&p);
	peer_close(&p);
}

static void each_of_rfc4475(void **state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rfc4475); i++)
		feed(*state, &rfc4475[i]);
}

/*
 * What RFC 5118 section 4 is about, in requests of our own: IPv6 addresses with and without
 * brackets, where they must be and where they must not.
 */
static const struct {
	const char *section;
	const char *method;
	const char *uri;
	const char *sent_by; /* and parameters of the Via */
	const char *contact;
	const char *c; /* of the session description; NULL: there is none */
	int code;
} rfc5118[] = {
	{ "4.1", "REGISTER", "sip:[::1]:25060", "[2001:db8::9:1]", "<sip:a@[2001:db8::9:1]>", NULL,
	  200 },
	{ "4.2", "REGISTER", "sip:2001:db8::10", "[2001:db8::9:1]", "<sip:a@[2001:db8::9:1]>", NULL,
	  400 },
	{ "4.3", "REGISTER", "sip:[2001:db8::10:5070]", "[2001:db8::9:1]",
	  "<sip:a@[2001:db8::9:1]>", NULL, 403 },
	{ "4.4", "REGISTER", "sip:[2001:db8::10]:5070", "[2001:db8::9:1]",
	  "<sip:a@[2001:db8::9:1]>", NULL, 403 },
	{ "4.5, with brackets", "OPTIONS", "sip:a@[::1]:25060",
	  "[2001:db8::9:1];received=[2001:db8::9:255]", "<sip:a@[2001:db8::9:1]>", NULL, 480 },
	{ "4.5, without", "OPTIONS", "sip:a@[::1]:25060",
	  "[2001:db8::9:1];received=2001:db8::9:255", "<sip:a@[2001:db8::9:1]>", NULL, 480 },
	{ "4.6", "INVITE", "sip:a@[::1]:25060", "[2001:db8::9:1]", "<sip:a@[2001:db8::9:1]>",
	  "IN IP6 2001:db8::20", 480 },
	{ "4.7", "OPTIONS", "sip:a@[::1]:25060",
	  "[2001:db8::9:1]:6050;branch=z9hG4bK47,SIP/2.0/UDP 192.0.2.1;received=192.0.2.5",
	  "<sip:a@192.0.2.1>,<sip:a@[2001:db8::9:1]>", NULL, 480 },
	{ "4.9", "INVITE", "sip:a@[::1]:25060", "[::ffff:192.0.2.2]:19823",
	  "<sip:a@[::ffff:192.0.2.2]:19823>", "IN IP6 ::ffff:192.0.2.2", 480 },
	{ "4.10", "OPTIONS", "sip:a@[2001:db8:::192.0.2.1]", "[2001:db8::9:1]",
	  "<sip:a@[2001:db8::9:1]>", NULL, 403 },
};

static void each_of_rfc5118(void **state)
{
	char sdp[256], buf[2048];
	size_t i;
	int code;

	for (i = 0; i < ARRAY_SIZE(rfc5118); i++) {
		sdp[0] = '\0';
		if (rfc5118[i].c)
			snprintf(sdp, sizeof(sdp),
				 "v=0\r\no=- 1 1 %s\r\ns=-\r\nc=%s\r\nt=0 0\r\n"
				 "m=audio 4000 RTP/AVP 0\r\n",
				 rfc5118[i].c, rfc5118[i].c);
		snprintf(buf, sizeof(buf),
			 "%s %s SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bK5118-%zu\r\n"
			 "Max-Forwards: 70\r\nFrom: <sip:a@example.com>;tag=5118\r\n"
			 "To: <sip:a@example.com>\r\nCall-ID: 5118-%zu\r\nCSeq: 1 %s\r\n"
			 "Contact: %s\r\n%sContent-Length: %zu\r\n\r\n%s",
			 rfc5118[i].method, rfc5118[i].uri, rfc5118[i].sent_by, i, i,
			 rfc5118[i].method, rfc5118[i].contact,
			 *sdp ? "Content-Type: application/sdp\r\n" : "", strlen(sdp), sdp);
		world_anew(*state);
		code = final_code(buf, strlen(buf));
		if (code != rfc5118[i].code)
			FAIL("%s: %d in place of %d", rfc5118[i].section, code, rfc5118[i].code);
	}
}

/* RFC 5118 section 4.8: each media has its family, and both come through. */
static void a_family_for_each_media(void **state)
{
	static const char sdp[] = "v=0\r\no=- 1 1 IN IP6 2001:db8::20\r\ns=-\r\nt=0 0\r\n"
				  "m=audio 6000 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n"
				  "m=video 6024 RTP/AVP 107\r\nc=IN IP4 192.0.2.1\r\n"
				  "a=rtpmap:107 H263-1998/90000\r\n";
	const char *audio, *video;
	struct call c;

	open_call(&c, *state, AF_INET6, false, AF_INET, false);
	send_invite(&c, "families", sdp);
	if (!peer_try(&c.bob, 1500))
		FAIL("no INVITE for bob");
	audio = strstr(body(c.bob.msg), "m=audio 26");
	video = strstr(body(c.bob.msg), "m=video 26");
	assert_true(audio && video && audio < video);
	assert_null(strstr(body(c.bob.msg), "2001:db8::1"));
	assert_null(strstr(body(c.bob.msg), "192.0.2.1"));
	close_call(&c);
}

static const char plain[] =
	"INVITE sip:bob@example.test;user=phone SIP/2.0\r\n"
	"Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKtorture;rport, SIP/2.0/UDP h;branch=z\r\n"
	"Record-Route: <sip:p@h;lr>, \"x\" <sip:q@[::1]:9;lr>\r\n"
	"Route: <sip:127.0.0.1:25060;lr>, <sip:h>\r\n"
	"Max-Forwards: 70\r\nFrom: \"a\\\"b\" <sip:a@x>;tag=t\r\nTo: sip:b@y;p=1\r\n"
	"Call-ID: torture@h\r\nCSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.1;ob>;q=0.3;expires=7\r\n"
	"Subject: folded\r\n  line\r\nContent-Type: multipart/mixed;boundary=\"b1\"\r\n"
	"Content-Length: 128\r\n\r\n"
	"--b1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\no=- 1 1 IN IP4 1.2.3.4\r\n"
	"s=-\r\nc=IN IP4 1.2.3.4\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n\r\n--b1--\r\n";

/* Octets changed, cut out, doubled: the generator is seeded, so a failure can be repeated. */
static void mutations(void **state)
{
	static const char *const methods[] = { "INVITE", "REGISTER", "ACK", "BYE", "PRACK" };
	char buf[2 * sizeof(plain)];
	unsigned int i, k, seed = 4475;
	struct peer p;
	size_t len, at, n;

	(void)state;
	peer_open(&p, AF_INET, false);
	for (i = 0; i < 1500; i++) {
		const char *method = methods[i % 5];

		len = (size_t)snprintf(buf, sizeof(buf), "%s%s", method, plain + strlen("INVITE"));
		for (k = 0; k < 1 + i % 7; k++) {
			at = (size_t)rand_r(&seed) % len;
			n = (size_t)rand_r(&seed) % 8;
			n = at + n > len ? len - at : n;
			switch (rand_r(&seed) % 3) {
			case 0:
				buf[at] = (char)rand_r(&seed);
				break;
			case 1:
				memmove(buf + at, buf + at + n, len - at - n);
				len -= n;
				break;
			default:
				buf[at] = "\r\n:;,<>\"= @"[(unsigned int)rand_r(&seed) % 11];
				break;
			}
		}
		(void)send(p.fd, buf, len, 0);
		if (i % 50 == 0) {
			run_ms(5);
			assert_alive(&p);
		}
	}
	assert_alive(&p);
	assert_int_equal(final_code(plain, sizeof(plain) - 40), 0);
	assert_alive(&p);
	peer_close(&p);
}

static int torture_setup(void **state)
{
	static const char *const domains[] = { "example.com", "example.net", "example.org",
					       "chair-dnrc.example.com", "company.com" };

	return world_setup_with(state, domains, sizeof(domains) / sizeof(domains[0]));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_of_rfc4475, torture_setup, world_teardown),
		cmocka_unit_test_setup_teardown(each_of_rfc5118, torture_setup, world_teardown),
		TEST(a_family_for_each_media),
		TEST(mutations),
	};

	mute_libre();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
