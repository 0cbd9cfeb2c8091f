/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages that hurt, fed to the running front end over UDP and TCP: it must stay
 * in service. The RFC 4475 messages are read from the directory that
 * TANDEM_RFC4475 names (one message a file, *.dat); mutations of plain messages
 * are made here.
 */
#include <dirent.h>
#include <sanitizer/common_interface_defs.h>

#include "tests/unit/sip_fixture.h"

static int terminal; /* standard error, while libre's complaints go nowhere */

static void mute_libre(void)
{
	terminal = dup(STDERR_FILENO);
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_set_report_fd((void *)(intptr_t)terminal);
#endif
	assert_non_null(freopen("/dev/null", "w", stderr));
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
			fail_msg("the relay does not answer any more");
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

/* Answers come back on the connection, whatever the Via says. */
static void feed_tcp(const char *name, const char *data, size_t len)
{
	struct peer p;
	bool answered;

	peer_open(&p, AF_INET, true);
	(void)send(p.fd, data, len, MSG_NOSIGNAL);
	answered = peer_try(&p, 20);
	print_message("# %-18s %.*s\n", name, answered ? (int)strcspn(p.msg, "\r") : 1,
		      answered ? p.msg : "-");
	peer_close(&p);
	run_ms(5);
}

static void rfc4475(void **state)
{
	const char *dir = getenv("TANDEM_RFC4475");
	char buf[16384];
	struct dirent *entry;
	struct peer p;
	size_t len, count = 0;
	DIR *d;

	(void)state;
	if (!dir) {
		/* cmocka's own skip() counts as a failure in TAP */
		dprintf(terminal,
			"# SKIPPED rfc4475: TANDEM_RFC4475 names no directory of *.dat\n");
		return;
	}
	d = opendir(dir);
	assert_non_null(d);
	peer_open(&p, AF_INET, false);
	while ((entry = readdir(d))) {
		if (!strstr(entry->d_name, ".dat"))
			continue;
		len = read_file(dir, entry->d_name, buf, sizeof(buf));
		(void)send(p.fd, buf, len, 0);
		run_ms(10);
		feed_tcp(entry->d_name, buf, len);
		assert_alive(&p);
		count++;
	}
	closedir(d);
	assert_true(count > 40);
	peer_close(&p);
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
	feed_tcp("cut short", plain, sizeof(plain) - 40);
	assert_alive(&p);
	peer_close(&p);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rfc4475),
		TEST(mutations),
	};

	mute_libre();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
