/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * DTLS-SRTP with somebody else at the other end: the programs s_client and s_server of OpenSSL. They
 * print what they have exported, and compute the fingerprints that are expected.
 *
 *   association here --- UDP socket --- loopback --- openssl s_client or s_server
 */
#include "tests/unit/dtls_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_MS 8000
#define OUT_MAX	 65536

struct peer {
	pid_t pid;
	int in, out, udp;
	struct sockaddr_in at; /* of the program */
	struct tandem_dtls_context *ctx;
	struct tandem_dtls *a;
	size_t len;
	char text[OUT_MAX]; /* what it printed */
};

static char folder[] = "/tmp/tandem-dtls-XXXXXX";

/* ---- running programs ---- */

/* openssl, with these words behind it, in the folder. */
__attribute__((format(printf, 2, 3))) static void spawn(struct peer *p, const char *fmt, ...)
{
	char command[512];
	int in[2], out[2];
	va_list ap;
	int at = snprintf(command, sizeof(command), "cd %s && exec openssl ", folder);

	va_start(ap, fmt);
	vsnprintf(command + at, sizeof(command) - (size_t)at, fmt, ap);
	va_end(ap);
	assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
	p->pid = fork();
	if (p->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(out[1], 2);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	p->in = in[1];
	p->out = out[0];
	fcntl(p->out, F_SETFL, O_NONBLOCK);
}

static void end_program(struct peer *p)
{
	kill(p->pid, SIGTERM);
	waitpid(p->pid, NULL, 0);
	close(p->in);
	close(p->out);
}

/* False when it ended badly. */
static bool run_program(const char *command)
{
	char line[1024];

	snprintf(line, sizeof(line), "cd %s && %s", folder, command);
	return system(line) == 0;
}

static void read_text(struct peer *p)
{
	ssize_t n = read(p->out, p->text + p->len, sizeof(p->text) - 1 - p->len);

	if (n > 0)
		p->len += (size_t)n;
	p->text[p->len] = '\0';
}

/* Fingerprint of the first certificate in FILE.pem, as OpenSSL says. */
static struct tandem_dtls_fingerprint fingerprint_of(const char *file, const char *hash)
{
	struct tandem_dtls_fingerprint fp;
	char line[512], text[512], *value;
	FILE *f;

	snprintf(line, sizeof(line), "openssl x509 -in %s/%s.pem -noout -fingerprint -%s", folder,
		 file, hash);
	f = popen(line, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	pclose(f);
	value = strchr(line, '=');
	assert_non_null(value);
	value[strcspn(value, "\n")] = '\0';
	snprintf(text, sizeof(text), "sha-%s %s", hash + 3, value + 1);
	assert_int_equal(tandem_dtls_fingerprint_parse(&fp, text), 0);
	return fp;
}

/* ---- the association here ---- */

static void udp_send(const void *data, size_t len, void *arg)
{
	struct peer *p = arg;

	if (p->at.sin_port)
		sendto(p->udp, data, len, 0, (struct sockaddr *)&p->at, sizeof(p->at));
}

static void udp_changed(enum tandem_dtls_state state, void *arg)
{
}

static const struct tandem_dtls_ops udp_ops = { .send = udp_send, .changed = udp_changed };

static uint16_t free_port(int *fdp)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	getsockname(fd, (struct sockaddr *)&at, &len);
	*fdp = fd;
	return ntohs(at.sin_port);
}

static void udp_receive(struct peer *p)
{
	struct pollfd pfd = { .fd = p->udp, .events = POLLIN };
	unsigned char buf[4096];
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t n;

	if (poll(&pfd, 1, 5) != 1)
		return;
	n = recvfrom(p->udp, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len);
	if (n <= 0)
		return;
	p->at = from;
	tandem_dtls_input(p->a, buf, (size_t)n, now_ms());
}

/* Until the program has printed its keys, and we have ours; or one of us gives up. */
static void talk(struct peer *p)
{
	uint64_t end = now_ms() + LIMIT_MS;

	while (now_ms() < end && (tandem_dtls_state(p->a) < TANDEM_DTLS_CONNECTED ||
				  !strstr(p->text, "Keying material: "))) {
		if (tandem_dtls_state(p->a) == TANDEM_DTLS_FAILED)
			break;
		udp_receive(p);
		if (tandem_dtls_deadline(p->a) <= now_ms())
			tandem_dtls_tick(p->a, now_ms());
		read_text(p);
	}
}

static void association(struct peer *p, uint8_t suite, bool client, bool cookie, const char *cert,
			const char *hash)
{
	struct tandem_dtls_context_config ctx = { .suites = { suite }, .retransmit_ms = 100 };
	struct tandem_dtls_config cfg = {
		.client = client, .cookie = cookie, .ops = &udp_ops, .arg = p
	};
	struct tandem_dtls_fingerprint fp = fingerprint_of(cert, hash);

	assert_int_equal(tandem_dtls_context_alloc(&p->ctx, &ctx), 0);
	assert_int_equal(tandem_dtls_alloc(&p->a, p->ctx, &cfg), 0);
	assert_int_equal(tandem_dtls_set_peer(p->a, &fp, 1, now_ms()), 0);
}

static void append_hex(char *text, const uint8_t *octets, size_t n)
{
	text += strlen(text);
	for (size_t i = 0; i < n; i++)
		sprintf(text + 2 * i, "%02X", octets[i]);
}

/* What the program has exported: both keys, then both salts, the client's first. */
static void assert_same_keys(struct peer *p, bool client, size_t key, size_t salt)
{
	const char *printed = strstr(p->text, "Keying material: ");
	struct tandem_srtp in, out;
	char ours[256] = "";

	assert_string_equal(tandem_dtls_why(p->a), "");
	assert_int_equal(tandem_dtls_keys(p->a, &in, &out), 0);
	assert_non_null(printed);
	append_hex(ours, client ? out.key : in.key, key);
	append_hex(ours, client ? in.key : out.key, key);
	append_hex(ours, client ? out.salt : in.salt, salt);
	append_hex(ours, client ? in.salt : out.salt, salt);
	assert_memory_equal(printed + strlen("Keying material: "), ours, strlen(ours));
}

static void peer_close(struct peer *p)
{
	end_program(p);
	tandem_dtls_free(p->a);
	tandem_dtls_context_put(p->ctx);
	close(p->udp);
	free(p);
}

/* ---- cases ---- */

static const struct profile {
	uint8_t suite;
	const char *name, *export_len;
	size_t key, salt;
} profiles[] = {
	{ SRTP_AES_CM_128_HMAC_SHA1_80, "SRTP_AES128_CM_SHA1_80", "60", 16, 14 },
	{ SRTP_AES_CM_128_HMAC_SHA1_32, "SRTP_AES128_CM_SHA1_32", "60", 16, 14 },
	{ SRTP_AEAD_AES_128_GCM, "SRTP_AEAD_AES_128_GCM", "56", 16, 12 },
	{ SRTP_AEAD_AES_256_GCM, "SRTP_AEAD_AES_256_GCM", "88", 32, 12 },
};

#define PROFILES (sizeof(profiles) / sizeof(profiles[0]))
#define EXPORT	 "-keymatexport EXTRACTOR-dtls_srtp -keymatexportlen"

static void their_client(const struct profile *pr, bool cookie, const char *kind, const char *hash)
{
	struct peer *p = calloc(1, sizeof(*p));
	uint16_t port = free_port(&p->udp);

	association(p, pr->suite, false, cookie, kind, hash);
	spawn(p,
	      "s_client -dtls1_2 -connect 127.0.0.1:%u -cert %s.pem -key %s.key -use_srtp %s %s %s",
	      port, kind, kind, pr->name, EXPORT, pr->export_len);
	talk(p);
	assert_same_keys(p, false, pr->key, pr->salt);
	assert_int_equal(tandem_dtls_context_counters(p->ctx)->cookies, cookie);
	peer_close(p);
}

static void their_server(const struct profile *pr, bool cookie, const char *kind, const char *hash)
{
	struct peer *p = calloc(1, sizeof(*p));
	int fd;
	uint16_t port = free_port(&fd);

	free_port(&p->udp);
	close(fd);
	p->at = (struct sockaddr_in){ .sin_family = AF_INET,
				      .sin_port = htons(port),
				      .sin_addr.s_addr = htonl(0x7f000001) };
	association(p, pr->suite, true, false, kind, hash);
	spawn(p,
	      "s_server -dtls1_2 -accept %u -cert %s.pem -key %s.key -use_srtp %s %s %s -Verify 1 "
	      "%s",
	      port, kind, kind, pr->name, EXPORT, pr->export_len, cookie ? "-listen" : "");
	assert_int_equal(tandem_dtls_start(p->a, now_ms()), 0);
	talk(p);
	assert_same_keys(p, true, pr->key, pr->salt);
	peer_close(p);
}

static void clients(void **state)
{
	(void)state;
	for (size_t i = 0; i < PROFILES; i++)
		their_client(&profiles[i], i % 2, "ec", "sha256");
	their_client(&profiles[0], false, "rsa", "sha384");
	their_client(&profiles[0], true, "ec", "sha512");
}

static void servers(void **state)
{
	(void)state;
	for (size_t i = 0; i < PROFILES; i++)
		their_server(&profiles[i], i % 2, "ec", "sha256");
	their_server(&profiles[0], false, "rsa", "sha384");
}

/* What we present is what our description says. */
static void our_certificate(void **state)
{
	struct peer *p = calloc(1, sizeof(*p));
	uint16_t port = free_port(&p->udp);
	struct tandem_dtls_fingerprint fp;
	char path[64];
	FILE *f;

	(void)state;
	association(p, SRTP_AES_CM_128_HMAC_SHA1_80, false, false, "ec", "sha256");
	spawn(p,
	      "s_client -dtls1_2 -connect 127.0.0.1:%u -cert ec.pem -key ec.key -use_srtp %s %s 60",
	      port, profiles[0].name, EXPORT);
	talk(p);
	snprintf(path, sizeof(path), "%s/ours.pem", folder);
	f = fopen(path, "w");
	fputs(p->text, f);
	fclose(f);
	fp = fingerprint_of("ours", "sha256");
	assert_true(tandem_dtls_fingerprint_equal(&fp, tandem_dtls_context_fingerprint(p->ctx)));
	peer_close(p);
}

/* A client without a certificate, without use_srtp, of an older version: refused, with a reason. */
static void refused(void **state)
{
	static const char *const options[] = {
		"-dtls1_2 -use_srtp SRTP_AES128_CM_SHA1_80",
		"-dtls1_2 -cert ec.pem -key ec.key",
		"-dtls1 -cipher ALL:@SECLEVEL=0 -cert ec.pem -key ec.key "
		"-use_srtp SRTP_AES128_CM_SHA1_80",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct peer *p = calloc(1, sizeof(*p));
		uint16_t port = free_port(&p->udp);
		struct tandem_srtp in, out;

		association(p, SRTP_AES_CM_128_HMAC_SHA1_80, false, false, "ec", "sha256");
		spawn(p, "s_client -connect 127.0.0.1:%u %s", port, options[i]);
		talk(p);
		assert_int_equal(tandem_dtls_state(p->a), TANDEM_DTLS_FAILED);
		assert_true(strlen(tandem_dtls_why(p->a)) > 10);
		assert_int_equal(tandem_dtls_keys(p->a, &in, &out), -ENOENT);
		peer_close(p);
	}
}

static int make_certificates(void **state)
{
	static const char *const kinds[] = {
		"ec -pkeyopt ec_paramgen_curve:P-256 -keyout ec.key -out ec.pem",
		"rsa:2048 -keyout rsa.key -out rsa.pem",
	};
	char command[256];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(folder))
		return -1;
	for (size_t i = 0; i < 2; i++) {
		snprintf(command, sizeof(command),
			 "openssl req -x509 -nodes -days 2 -subj /CN=peer -newkey %s 2>/dev/null",
			 kinds[i]);
		if (!run_program(command))
			return -1;
	}
	return 0;
}

static int remove_certificates(void **state)
{
	(void)state;
	return run_program("rm -f ec.key ec.pem rsa.key rsa.pem ours.pem") && !rmdir(folder) ? 0
											     : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clients),
		cmocka_unit_test(servers),
		cmocka_unit_test(our_certificate),
		cmocka_unit_test(refused),
	};

	if (system("openssl version >/dev/null 2>&1")) {
		puts("1..0 # SKIP the program openssl is missing");
		return 0;
	}
	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
