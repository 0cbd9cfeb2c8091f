/* SPDX-License-Identifier: GPL-2.0-only */
/* Whom certificates are for, and whom connections over TLS are with (RFC 5922). */
#include "tests/unit/sip_fixture.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "userspace/sip/tls.h"
#include "userspace/util/tls_files.h"
#include "userspace/sip/tls_name.h"
#include "userspace/sip/tls_peer.h"

/* libre's; its header cannot be included beside core's, both name the suites of SRTP */
SSL_CTX *tls_openssl_context(const struct tls *tls);

static EVP_PKEY *key;

/* Signed by itself; alts as in a configuration of OpenSSL's, NULL: no subjectAltName. */
static X509 *certificate(const char *cn, const char *alts)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(cert, name);
	if (alts) {
		X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alts);

		assert_non_null(ext);
		X509_add_ext(cert, ext, -1);
		X509_EXTENSION_free(ext);
	}
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);

	return cert;
}

static void names_of_a_certificate(void **state)
{
	static const struct {
		const char *cn, *alts, *name;
		bool want;
	} cases[] = {
		{ "example.com", NULL, "example.com", true },
		{ "example.com", NULL, "Example.COM", true },
		{ "example.com", NULL, "example.com.", true },
		{ "example.com", NULL, "sip.example.com", false },
		{ "example.com", NULL, "xample.com", false },
		{ "*.example.com", NULL, "*.example.com", false },
		/* where there is any subjectAltName, the common name does not count */
		{ "example.com", "DNS:other.com", "example.com", false },
		{ "example.com", "email:a@example.com", "example.com", false },
		{ "x", "DNS:other.com,DNS:example.com", "example.com", true },
		{ "x", "DNS:*.example.com", "sip.example.com", false },
		{ "x", "DNS:*.example.com", "*.example.com", false },
		{ "x", "URI:sip:example.com", "example.com", true },
		{ "x", "URI:SIP:Example.com", "example.com", true },
		{ "x", "URI:sip:example.com:5061", "example.com", true },
		{ "x", "URI:sip:alice@example.com", "example.com", false },
		{ "x", "URI:sips:example.com", "example.com", false },
		{ "x", "URI:https://example.com", "example.com", false },
		{ "x", "URI:sip:example.com.evil.net", "example.com", false },
		{ "x", "IP:192.0.2.1", "192.0.2.1", true },
		{ "x", "IP:192.0.2.1", "192.0.2.2", false },
		{ "x", "IP:2001:db8::1", "2001:db8:0::1", true },
		{ "x", "DNS:192.0.2.1", "192.0.2.1", false },
		{ "192.0.2.1", NULL, "192.0.2.1", false },
		{ "x", "IP:192.0.2.1", "example.com", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		X509 *cert = certificate(cases[i].cn, cases[i].alts);

		if (tandem_tls_is_for(cert, cases[i].name) != cases[i].want)
			fail_msg("%s %s: %s", cases[i].cn, cases[i].alts ? cases[i].alts : "-",
				 cases[i].name);
		X509_free(cert);
	}
}

/* "good.com" in front of a NUL, which OpenSSL's own text would hide. */
static void nul_in_a_name(void **state)
{
	X509 *cert = certificate("x", NULL);
	GENERAL_NAMES *alts = GENERAL_NAMES_new();
	GENERAL_NAME *alt = GENERAL_NAME_new();
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();

	(void)state;
	ASN1_STRING_set(text, "good.com\0.evil.net", 18);
	GENERAL_NAME_set0_value(alt, GEN_DNS, text);
	sk_GENERAL_NAME_push(alts, alt);
	assert_int_equal(X509_add1_ext_i2d(cert, NID_subject_alt_name, alts, 0, 0), 1);
	GENERAL_NAMES_free(alts);
	assert_false(tandem_tls_is_for(cert, "good.com"));
	X509_free(cert);
}

static void write_pair(const char *path, FILE *bundle, const char *cn, const char *alts)
{
	X509 *cert = certificate(cn, alts);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	PEM_write_X509(bundle, cert);
	PEM_write_X509(file, cert);
	PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	X509_free(cert);
}

static char paths[3][64], all[64]; /* and the certificates of all */

static int setup(void **state)
{
	static const char *const names[] = { "one.test", "two.test", "own.test" };
	FILE *bundle;
	size_t i;

	(void)state;
	key = EVP_EC_gen("P-256");
	snprintf(all, sizeof(all), "/tmp/tandem-tls-%d.pem", (int)getpid());
	bundle = fopen(all, "w");
	for (i = 0; i < 3; i++) {
		snprintf(paths[i], sizeof(paths[i]), "/tmp/tandem-tls-%d-%zu.pem", (int)getpid(),
			 i);
		write_pair(paths[i], bundle, names[i],
			   i == 1 ? "DNS:two.test,DNS:*.two.test" : NULL);
	}
	fclose(bundle);
	return key ? 0 : -1;
}

static int teardown(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		unlink(paths[i]);
	unlink(all);
	EVP_PKEY_free(key);
	return 0;
}

/* client: "none"; "require" for any certificate of the three, "own" for the third only. */
static struct tandem_sip_tls *context(const char *client)
{
	bool own = !strcmp(client, "own");
	struct tandem_sip_tls_pair more = { paths[1], NULL };
	struct tandem_sip_tls_config cfg = { .certificate = paths[0],
					     .ca = own ? paths[2] : all,
					     .client = own ? "require" : client,
					     .more = &more,
					     .more_count = 1 };
	struct tandem_sip_tls *tls = NULL;
	char why[256] = "";

	if (tandem_sip_tls_alloc(&tls, &cfg, why, sizeof(why)))
		fail_msg("%s", why);

	return tls;
}

static SSL *end(struct tandem_sip_tls *tls, bool server)
{
	SSL *ssl = SSL_new(tls_openssl_context(tandem_sip_tls_context(tls)));

	assert_non_null(ssl);
	if (server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);

	return ssl;
}

static bool shake_hands(SSL *a, SSL *b)
{
	BIO *x, *y;
	int i;

	assert_int_equal(BIO_new_bio_pair(&x, 0, &y, 0), 1);
	SSL_set_bio(a, x, x);
	SSL_set_bio(b, y, y);
	for (i = 0; i < 10; i++) {
		(void)SSL_do_handshake(a);
		(void)SSL_do_handshake(b);
	}
	ERR_clear_error();

	return SSL_is_init_finished(a) && SSL_is_init_finished(b);
}

static bool peer_is(SSL *ssl, const char *name)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);

	return cert && tandem_tls_is_for(cert, name);
}

static void listener_with_several_certificates(void **state)
{
	static const struct {
		const char *asked, *shown;
	} cases[] = {
		{ NULL, "one.test" },	     { "one.test", "one.test" },
		{ "two.test", "two.test" },  { "sip.two.test", "two.test" },
		{ "else.test", "one.test" },
	};
	struct tandem_sip_tls *tls = context("require");
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		SSL *server = end(tls, true), *client = end(tls, false);

		SSL_set_verify(client, SSL_VERIFY_NONE, NULL);
		if (cases[i].asked)
			SSL_set_tlsext_host_name(client, cases[i].asked);
		assert_true(shake_hands(client, server));
		assert_true(peer_is(client, cases[i].shown));
		assert_true(peer_is(server, "one.test"));
		SSL_free(client);
		SSL_free(server);
	}
	tandem_sip_tls_free(tls);
}

/* ---- connections of libre's ---- */

#define SERVER_PORT 25061
#define CLIENT_PORT 25062

struct pair {
	struct tandem_sip_tls *server_tls, *client_tls;
	struct sip *server, *client;
	struct sip_lsnr *lsnr;
	struct sa dst;
	unsigned int received;
};

static bool request_h(const struct sip_msg *msg, void *arg)
{
	struct pair *p = arg;

	if (!pl_strcmp(&msg->met, "MESSAGE"))
		p->received++;

	return true;
}

static void start(struct sip **sip, struct tandem_sip_tls *tls, uint16_t port)
{
	struct sa sa;

	assert_int_equal(sip_alloc(sip, NULL, 16, 16, 16, "test", NULL, NULL), 0);
	sa_set_str(&sa, "127.0.0.1", port);
	assert_int_equal(sip_transp_add(*sip, SIP_TRANSP_TLS, &sa, tandem_sip_tls_context(tls)), 0);
}

static void pair_open(struct pair *p, const char *client)
{
	memset(p, 0, sizeof(*p));
	own_loopback();
	assert_int_equal(libre_init(), 0);
	p->server_tls = context(client);
	p->client_tls = context("none");
	start(&p->client, p->client_tls, CLIENT_PORT);
	sa_set_str(&p->dst, "127.0.0.1", SERVER_PORT);
}

static void pair_serve(struct pair *p)
{
	start(&p->server, p->server_tls, SERVER_PORT);
	assert_int_equal(sip_listen(&p->lsnr, p->server, true, request_h, p), 0);
}

static void pair_close(struct pair *p)
{
	mem_deref(p->lsnr);
	if (p->server)
		sip_close(p->server, true);
	sip_close(p->client, true);
	mem_deref(p->server);
	mem_deref(p->client);
	tandem_sip_tls_free(p->server_tls);
	tandem_sip_tls_free(p->client_tls);
	libre_close();
}

/* What tandem_tls_peers_expect() says, 1 when a request arrives then, 0 when it does not. */
static int ask(struct pair *p, const char *name, const struct tandem_tls_files *own)
{
	static const char text[] =
		"MESSAGE sip:x SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1;branch=z9hG4bK1\r\n"
		"From: <sip:a@b>;tag=1\r\nTo: <sip:x>\r\nCall-ID: 1\r\nCSeq: 1 MESSAGE\r\n"
		"Max-Forwards: 5\r\nContent-Length: 0\r\n\r\n";
	struct tandem_tls_peer peer = { name, own };
	struct mbuf *mb = mbuf_alloc(sizeof(text));
	unsigned int before = p->received, waited;
	int err;

	mbuf_write_str(mb, text);
	mb->pos = 0;
	err = tandem_tls_peers_expect(tandem_sip_tls_peers(p->client_tls), p->client, &p->dst,
				      &peer);
	if (!err)
		assert_int_equal(sip_send(p->client, NULL, SIP_TRANSP_TLS, &p->dst, mb), 0);
	tandem_tls_peers_expected();
	mem_deref(mb);
	for (waited = 0; !err && waited < 400 && p->received == before; waited += 5)
		run_ms(5);

	return err ? err : (int)(p->received - before);
}

static void peer_has_to_be_who_was_asked_for(void **state)
{
	static const char *const wrong[] = { "else.test", "sip.two.test", "127.0.0.1" };
	const struct tandem_tls_files *own;
	struct pair p;
	char why[256];
	size_t i;

	(void)state;
	pair_open(&p, "none");
	pair_serve(&p);
	assert_int_equal(tandem_sip_tls_read(p.client_tls, &own, paths[2], NULL, why, sizeof(why)),
			 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(ask(&p, wrong[i], NULL), 0);
	/* the name is asked for, else it would be the first certificate */
	assert_int_equal(ask(&p, "two.test", NULL), 1);
	/* and from now on there is a connection */
	assert_int_equal(ask(&p, "TWO.test", NULL), 1);
	assert_int_equal(ask(&p, NULL, NULL), 1);
	assert_int_equal(ask(&p, "one.test", NULL), -EACCES);
	assert_int_equal(ask(&p, "two.test", own), -EACCES);
	assert_int_equal(ask(&p, "two.test", NULL), 1);
	pair_close(&p);
}

static void connection_to_nobody_in_particular(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p, "none");
	pair_serve(&p);
	assert_int_equal(ask(&p, NULL, NULL), 1);
	assert_int_equal(ask(&p, "two.test", NULL), -EACCES);
	assert_int_equal(ask(&p, "one.test", NULL), 1);
	pair_close(&p);
}

/* Who connects from the very address of a peer does not get what is for that peer. */
static void connection_from_there(void **state)
{
	struct sockaddr_storage ss;
	struct pair p;
	socklen_t len;
	int fd, on = 1;

	(void)state;
	pair_open(&p, "none");
	fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	peer_addr(&ss, &len, AF_INET, SERVER_PORT);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	peer_addr(&ss, &len, AF_INET, CLIENT_PORT);
	assert_int_equal(connect(fd, (struct sockaddr *)&ss, len), 0);
	run_ms(50);
	assert_int_equal(ask(&p, "two.test", NULL), -EACCES);
	close(fd);
	pair_close(&p);
}

static void certificate_for_one_peer(void **state)
{
	const struct tandem_tls_files *own;
	struct pair p;
	char why[256];

	(void)state;
	pair_open(&p, "own");
	pair_serve(&p);
	assert_int_equal(tandem_sip_tls_read(p.client_tls, &own, paths[2], NULL, why, sizeof(why)),
			 0);
	assert_int_equal(ask(&p, "two.test", NULL), 0);
	assert_int_equal(ask(&p, "two.test", own), 1);
	pair_close(&p);

	pair_open(&p, "none");
	assert_int_equal(
		tandem_sip_tls_read(p.client_tls, &own, "/nowhere", NULL, why, sizeof(why)),
		-EINVAL);
	assert_non_null(strstr(why, "/nowhere"));
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_a_certificate),
		cmocka_unit_test(nul_in_a_name),
		cmocka_unit_test(listener_with_several_certificates),
		cmocka_unit_test(peer_has_to_be_who_was_asked_for),
		cmocka_unit_test(connection_to_nobody_in_particular),
		cmocka_unit_test(connection_from_there),
		cmocka_unit_test(certificate_for_one_peer),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
