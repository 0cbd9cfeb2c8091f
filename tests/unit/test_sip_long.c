/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests that are too long for UDP (RFC 3261 section 18.1.1), to a phone that registered by UDP. */
#include "tests/unit/sip_call.h"

#include "userspace/sip/long.h"

#define LONG_ENOUGH 1400

/* TCP on the port that the peer has for UDP. */
static int listen_beside(const struct peer *p)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int on = 1;

	peer_addr(&ss, &len, AF_INET, p->port);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	assert_int_equal(listen(fd, 4), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);

	return fd;
}

/* The connection of the relay's, as a peer of its own. */
static void take_connection(struct peer *by_tcp, const struct peer *p, int listen_fd)
{
	unsigned int waited;

	*by_tcp = *p;
	by_tcp->tcp = true;
	by_tcp->rest_len = 0;
	for (waited = 0; waited < 2000; waited += 5) {
		by_tcp->fd = accept(listen_fd, NULL, NULL);
		if (by_tcp->fd >= 0)
			break;
		run_ms(5);
	}
	assert_true(by_tcp->fd >= 0);
	fcntl(by_tcp->fd, F_SETFL, O_NONBLOCK);
}

static void send_padded(struct call *c, const char *method, const char *id, int octets)
{
	peer_send(&c->alice, strcmp(method, "INVITE") ? NULL : OFFER,
		  "%s sip:bob@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP %s:%u;branch=z9hG4bK%s;rport\nMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <sip:bob@example.test>\n"
		  "Call-ID: %s\nCSeq: 1 %s\nContact: <sip:alice@%s:%u>\nX-Padding: %0*d\n",
		  method, c->alice.host, c->alice.port, id, id, method, c->alice.host,
		  c->alice.port, octets, 0);
}

static void answered(struct call *c, struct peer *callee, const char *method)
{
	struct call answering = *c;

	answering.bob = *callee;
	respond(&answering, callee->msg, "200 OK", NULL, strcmp(method, "INVITE") ? NULL : ANSWER);
	if (!strcmp(method, "INVITE"))
		peer_expect(&c->alice, "SIP/2.0 100");
	peer_expect(&c->alice, "SIP/2.0 200");
}

static void goes_by_tcp(void **state)
{
	static const char *const methods[] = { "INVITE", "MESSAGE" };
	struct peer by_tcp;
	struct call c;
	size_t i;
	int fd;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	fd = listen_beside(&c.bob);
	send_padded(&c, "MESSAGE", "little", 20);
	peer_expect(&c.bob, "MESSAGE sip:bob@");
	answered(&c, &c.bob, "MESSAGE");
	for (i = 0; i < 2; i++) {
		send_padded(&c, methods[i], i ? "long1" : "long0", LONG_ENOUGH);
		if (!i)
			take_connection(&by_tcp, &c.bob, fd);
		peer_expect(&by_tcp, methods[i]);
		assert_non_null(strstr(header(by_tcp.msg, "Via"), "SIP/2.0/TCP 127.0.0.1:25060"));
		answered(&c, &by_tcp, methods[i]);
	}
	peer_expect_nothing(&c.bob, 50);
	peer_close(&by_tcp);
	close(fd);
	close_call(&c);
}

/* Nobody listens: the request arrives over UDP after all, and the next one at once. */
static void refused_goes_over_udp(void **state)
{
	static const char *const methods[] = { "INVITE", "MESSAGE" };
	struct call c;
	size_t i;
	int fd;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	for (i = 0; i < 2; i++) {
		send_padded(&c, methods[i], i ? "refused1" : "refused0", LONG_ENOUGH);
		peer_expect(&c.bob, methods[i]);
		assert_non_null(strstr(header(c.bob.msg, "Via"), "SIP/2.0/UDP 127.0.0.1:25060"));
		answered(&c, &c.bob, methods[i]);
	}
	fd = listen_beside(&c.bob);
	send_padded(&c, "MESSAGE", "refused2", LONG_ENOUGH);
	peer_expect(&c.bob, "MESSAGE");
	assert_int_equal(accept(fd, NULL, NULL), -1);
	answered(&c, &c.bob, "MESSAGE");
	close(fd);
	close_call(&c);
}

/* The kernel takes the connection, and nobody reads from it. */
static void silence_goes_over_udp(void **state)
{
	struct call c;
	int fd;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	fd = listen_beside(&c.bob);
	send_padded(&c, "INVITE", "silent", LONG_ENOUGH);
	peer_expect_nothing(&c.bob, 500);
	run_ms(2700);
	peer_expect(&c.bob, "INVITE");
	answered(&c, &c.bob, "INVITE");
	close(fd);
	close_call(&c);
}

/* One who hangs up meanwhile is not called a second time. */
static void canceled_in_silence(void **state)
{
	struct call c;
	int fd;

	open_call(&c, *state, AF_INET, false, AF_INET, false);
	fd = listen_beside(&c.bob);
	send_padded(&c, "INVITE", "given-up", LONG_ENOUGH);
	peer_send(&c.alice, NULL,
		  "CANCEL sip:bob@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP %s:%u;branch=z9hG4bKgiven-up;rport\nMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <sip:bob@example.test>\n"
		  "Call-ID: given-up\nCSeq: 1 CANCEL\n",
		  c.alice.host, c.alice.port);
	peer_expect_nothing(&c.bob, 3500);
	close(fd);
	close_call(&c);
}

/* Only the way back over UDP is known to lead to who is behind a NAT. */
static void flow_keeps_its_transport(void **state)
{
	struct call c;
	int fd;

	memset(&c, 0, sizeof(c));
	c.w = *state;
	peer_open(&c.alice, AF_INET, false);
	peer_open(&c.bob, AF_INET, false);
	strcpy(c.bob.host, "192.168.77.7");
	do_register(&c.bob, "bob");
	fd = listen_beside(&c.bob);
	send_padded(&c, "MESSAGE", "nat", LONG_ENOUGH);
	peer_expect(&c.bob, "MESSAGE");
	assert_int_equal(accept(fd, NULL, NULL), -1);
	answered(&c, &c.bob, "MESSAGE");
	close(fd);
	close_call(&c);
}

static void set_mtu(int mtu)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_mtu = mtu };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(ioctl(fd, SIOCSIFMTU, &ifr), 0);
	close(fd);
}

static void how_long_is_too_long(void **state)
{
	static const struct {
		int mtu;
		size_t octets;
		bool want;
	} cases[] = {
		{ 65536, 1300, false }, { 65536, 1301, true }, { 1400, 1200, false },
		{ 1400, 1201, true },	{ 1280, 1080, false }, { 1280, 1081, true },
	};
	struct sa v4, v6;
	size_t i;

	(void)state;
	if (geteuid())
		skip();
	sa_set_str(&v4, "127.0.0.1", 5060);
	sa_set_str(&v6, "::1", 5060);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set_mtu(cases[i].mtu);
		assert_int_equal(tandem_long_is(cases[i].octets, &v4), cases[i].want);
		assert_int_equal(tandem_long_is(cases[i].octets, &v6), cases[i].want);
	}
	set_mtu(65536);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(goes_by_tcp, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(refused_goes_over_udp, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(silence_goes_over_udp, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(canceled_in_silence, world_setup, world_teardown),
		cmocka_unit_test_setup_teardown(flow_keeps_its_transport, world_setup,
						world_teardown),
		cmocka_unit_test_setup_teardown(how_long_is_too_long, world_setup, world_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
