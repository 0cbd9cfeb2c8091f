/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections that others open: how many, whose, and how long they may take. */
#include "tests/unit/sip_fixture.h"

#define MANY 12

static json_int_t count(const struct world *w, const char *name)
{
	json_t *doc = tandem_sip_connections_json(w->sip);
	json_t *value = json_object_get(doc, name);
	json_int_t n = json_integer_value(value);

	assert_true(json_is_integer(value));
	json_decref(doc);
	return n;
}

static void restart_with(struct world *w, struct tandem_sip_connections_config cfg)
{
	world_stop(w);
	w->cfg.connections = cfg;
	world_start(w);
}

static bool is_closed(struct peer *p)
{
	char c;
	ssize_t n = recv(p->fd, &c, 1, MSG_PEEK);

	return !n || (n < 0 && errno != EAGAIN);
}

static bool closes_within(struct peer *p, unsigned int ms)
{
	unsigned int waited;

	for (waited = 0; waited < ms && !is_closed(p); waited += 20)
		run_ms(20);
	return is_closed(p);
}

static void request(struct peer *p, const char *method, const char *user, const char *more)
{
	static unsigned int n;

	n++;
	peer_send(
		p, NULL,
		"%s sip:" RELAY " SIP/2.0\nVia: SIP/2.0/%s %s:%u;branch=z9hG4bKc%u;rport\n"
		"Max-Forwards: 70\nFrom: <sip:%s@example.test>;tag=c%u\nTo: <sip:%s@example.test>\n"
		"Call-ID: c%u\nCSeq: 1 %s\n%s",
		method, p->tcp ? "TCP" : "UDP", p->host, p->port, n, user, n, user, n, method,
		more);
	peer_expect(p, "SIP/2.0 200");
}

static void ask(struct peer *p)
{
	request(p, "OPTIONS", "x", "");
}

static void register_as(struct peer *p, const char *user)
{
	char contact[128];

	snprintf(contact, sizeof(contact), "Contact: <sip:%s@%s:%u;transport=tcp>\n", user, p->host,
		 p->port);
	request(p, "REGISTER", user, contact);
}

static void a_source_has_its_share(void **state)
{
	struct world *w = *state;
	struct peer peers[MANY], other;
	size_t open = 0, i;

	restart_with(w, (struct tandem_sip_connections_config){ .max_per_source = 5 });
	for (i = 0; i < MANY; i++)
		peer_open(&peers[i], AF_INET, true);
	run_ms(50);
	for (i = 0; i < MANY; i++)
		open += !is_closed(&peers[i]);
	assert_int_equal(open, 5);
	assert_int_equal(count(w, "open"), 5);
	assert_int_equal(count(w, "refused_source"), MANY - 5);
	ask(&peers[0]);
	peer_open(&other, AF_INET6, true);
	ask(&other);
	assert_int_equal(count(w, "open"), 6);

	/* one that goes makes room for one */
	peer_close(&peers[0]);
	run_ms(50);
	peer_open(&peers[0], AF_INET, true);
	ask(&peers[0]);
	assert_int_equal(count(w, "accepted"), 7);
	for (i = 0; i < MANY; i++)
		peer_close(&peers[i]);
	peer_close(&other);
	run_ms(50);
	assert_int_equal(count(w, "open"), 0);
}

static void trusted_sources_have_any_number(void **state)
{
	struct world *w = *state;
	struct tandem_prefix trusted;
	struct peer peers[MANY];
	size_t i;

	tandem_prefix_parse(&trusted, "127.0.0.1");
	w->cfg.trusted = &trusted;
	w->cfg.trusted_count = 1;
	restart_with(w, (struct tandem_sip_connections_config){ .max_per_source = 2 });
	for (i = 0; i < MANY; i++)
		peer_open(&peers[i], AF_INET, true);
	for (i = 0; i < MANY; i++)
		ask(&peers[i]);
	assert_int_equal(count(w, "open"), MANY);
	for (i = 0; i < MANY; i++)
		peer_close(&peers[i]);
}

static void the_least_known_goes_first(void **state)
{
	struct world *w = *state;
	struct peer phone, heard, new, late[4];
	size_t i;

	restart_with(w, (struct tandem_sip_connections_config){ .max_connections = 3 });
	peer_open(&phone, AF_INET, true);
	register_as(&phone, "phone");
	peer_open(&heard, AF_INET, true);
	ask(&heard);
	peer_open(&new, AF_INET, true);
	assert_int_equal(count(w, "registered"), 1);

	peer_open(&late[0], AF_INET, true);
	assert_true(closes_within(&new, 500));
	assert_false(is_closed(&heard));
	ask(&late[0]);
	/* of two that were heard, the longest silent */
	peer_open(&late[1], AF_INET, true);
	assert_true(closes_within(&heard, 500));
	assert_false(is_closed(&late[0]));
	assert_int_equal(count(w, "evicted"), 2);

	/* where all are registered nobody goes */
	register_as(&late[0], "second");
	register_as(&late[1], "third");
	peer_open(&late[2], AF_INET, true);
	assert_true(closes_within(&late[2], 500));
	assert_int_equal(count(w, "refused_full"), 1);
	assert_int_equal(count(w, "open"), 3);
	ask(&phone);
	for (i = 0; i < 3; i++)
		peer_close(&late[i]);
	peer_close(&phone);
	peer_close(&heard);
	peer_close(&new);
}

static void trusted_sources_come_in(void **state)
{
	struct world *w = *state;
	struct tandem_prefix trusted;
	struct peer phone, gateway, stranger;

	tandem_prefix_parse(&trusted, "::1");
	w->cfg.trusted = &trusted;
	w->cfg.trusted_count = 1;
	restart_with(w, (struct tandem_sip_connections_config){ .max_connections = 1 });
	peer_open(&phone, AF_INET, true);
	register_as(&phone, "phone");
	peer_open(&gateway, AF_INET6, true);
	ask(&gateway);
	assert_true(closes_within(&phone, 500));
	peer_open(&stranger, AF_INET, true);
	assert_true(closes_within(&stranger, 500));
	ask(&gateway);
	assert_int_equal(count(w, "refused_full"), 1);
	peer_close(&phone);
	peer_close(&gateway);
	peer_close(&stranger);
}

static void messages_have_their_time(void **state)
{
	static const char rest[] = "sip:" RELAY " SIP/2.0\r\n"
				   "Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKp\r\n";
	struct world *w = *state;
	struct peer silent, begun, blank, good;

	restart_with(w, (struct tandem_sip_connections_config){ .message_s = 1 });
	peer_open(&silent, AF_INET, true);
	peer_open(&blank, AF_INET, true);
	peer_send_raw(&blank, "\r\n\r\n", 4);
	peer_open(&begun, AF_INET, true);
	ask(&begun);
	peer_send_raw(&begun, "OPTIONS sip:", 12);
	peer_open(&good, AF_INET, true);
	ask(&good);

	assert_true(closes_within(&silent, 3500));
	assert_true(closes_within(&begun, 3500));
	recv(blank.fd, blank.rest, sizeof(blank.rest), 0); /* what answered the empty lines */
	assert_true(closes_within(&blank, 3500));
	assert_int_equal(count(w, "message_timeout"), 3);
	ask(&good);
	/* one in pieces is in time */
	peer_send_raw(&good, "OPTIONS ", 8);
	run_ms(100);
	peer_send_raw(&good, rest, strlen(rest));
	peer_send(&good, NULL,
		  "From: <sip:x@example.test>;tag=p\nTo: <sip:x@example.test>\nCall-ID: p\n"
		  "CSeq: 1 OPTIONS\nMax-Forwards: 1\n");
	peer_expect(&good, "SIP/2.0 200");
	run_ms(2500);
	assert_false(is_closed(&good));
	peer_close(&silent);
	peer_close(&begun);
	peer_close(&blank);
	peer_close(&good);
}

static void silence_ends(void **state)
{
	struct world *w = *state;
	struct peer silent, alive;
	unsigned int i;

	restart_with(w, (struct tandem_sip_connections_config){ .idle_s = 1 });
	peer_open(&silent, AF_INET, true);
	ask(&silent);
	peer_open(&alive, AF_INET, true);
	ask(&alive);
	for (i = 0; i < 8; i++) {
		run_ms(400);
		peer_send_raw(&alive, "\r\n\r\n", 4);
		assert_int_equal(recv(alive.fd, alive.rest, 2, 0), 2);
	}
	assert_true(is_closed(&silent));
	ask(&alive);
	assert_int_equal(count(w, "idle_timeout"), 1);
	peer_close(&silent);
	peer_close(&alive);
}

/* A phone that was told how often to show that it is there, and does not. */
static void flows_are_watched(void **state)
{
	struct world *w = *state;
	struct peer flow, kept, plain;
	char contact[160];
	unsigned int i;

	restart_with(w, (struct tandem_sip_connections_config){ .flow_timer_s = 2 });
	peer_open(&flow, AF_INET, true);
	snprintf(contact, sizeof(contact),
		 "Supported: outbound\nContact: "
		 "<sip:flow@%s:%u>;reg-id=1;+sip.instance=\"<urn:x>\"\n",
		 flow.host, flow.port);
	request(&flow, "REGISTER", "flow", contact);
	assert_string_equal(header(flow.msg, "Flow-Timer"), "2");
	peer_open(&kept, AF_INET, true);
	request(&kept, "REGISTER", "kept", contact);
	peer_open(&plain, AF_INET, true);
	register_as(&plain, "plain");
	assert_null(header(plain.msg, "Flow-Timer"));
	assert_int_equal(count(w, "registered"), 3);
	for (i = 0; i < 10; i++) {
		run_ms(400);
		peer_send_raw(&kept, "\r\n\r\n", 4);
		assert_int_equal(recv(kept.fd, kept.rest, 2, 0), 2);
	}
	assert_true(is_closed(&flow));
	assert_false(is_closed(&plain));
	assert_int_equal(count(w, "idle_timeout"), 1);
	assert_int_equal(count(w, "registered"), 2);
	peer_close(&flow);
	peer_close(&kept);
	peer_close(&plain);
}

static void blocked_sources_are_cut_off(void **state)
{
	struct world *w = *state;
	struct peer four, six, again;
	char why[128];

	peer_open(&four, AF_INET, true);
	peer_open(&six, AF_INET6, true);
	ask(&four);
	ask(&six);
	assert_int_equal(tandem_sip_block_add(w->sip, "127.0.0.0/8", 0, why, sizeof(why)), 0);
	assert_true(closes_within(&four, 500));
	assert_int_equal(count(w, "closed_blocked"), 1);
	ask(&six);
	peer_open(&again, AF_INET, true);
	assert_true(closes_within(&again, 500));
	assert_int_equal(count(w, "refused_blocked"), 1);
	assert_int_equal(tandem_sip_block_remove(w->sip, "127.0.0.0/8", why, sizeof(why)), 0);
	peer_close(&again);
	peer_open(&again, AF_INET, true);
	ask(&again);
	peer_close(&four);
	peer_close(&six);
	peer_close(&again);
}

static void message_to(struct peer *caller, const char *user)
{
	peer_send(caller, NULL,
		  "MESSAGE sip:%s@example.test SIP/2.0\nVia: SIP/2.0/UDP "
		  "%s:%u;branch=z9hG4bK%s;rport\n"
		  "Max-Forwards: 70\nFrom: <sip:x@example.test>;tag=%s\nTo: <sip:%s@example.test>\n"
		  "Call-ID: %s\nCSeq: 1 MESSAGE\n",
		  user, caller->host, caller->port, user, user, user, user);
}

/* user is called by TCP where it listens: the descriptor, with the connection it is called on. */
static int called_by_tcp(struct peer *caller, const char *user, int listen_fd, uint16_t port)
{
	char contact[128];
	int fd = -1, i;

	snprintf(contact, sizeof(contact), "Contact: <sip:%s@127.0.0.1:%u;transport=tcp>\n", user,
		 port);
	request(caller, "REGISTER", user, contact);
	message_to(caller, user);
	for (i = 0; i < 100 && fd < 0; i++) {
		run_ms(5);
		fd = accept(listen_fd, NULL, NULL);
	}
	assert_true(fd >= 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static int listen_at(uint16_t *port)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	peer_addr(&ss, &len, AF_INET, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	assert_int_equal(listen(fd, 4), 0);
	getsockname(fd, (struct sockaddr *)&ss, &len);
	*port = ntohs(((struct sockaddr_in *)&ss)->sin_port);
	return fd;
}

static void calling_others_has_bounds_too(void **state)
{
	struct world *w = *state;
	struct peer caller, one = { .fd = -1 }, two = { .fd = -1 };
	uint16_t port[2];
	int fd[2] = { listen_at(&port[0]), listen_at(&port[1]) };
	char why[128];

	restart_with(w, (struct tandem_sip_connections_config){ .max_connections = 1 });
	peer_open(&caller, AF_INET, false);
	one.fd = called_by_tcp(&caller, "one", fd[0], port[0]);
	assert_true(peer_try(&one, 500));
	assert_int_equal(count(w, "outgoing"), 1);
	assert_int_equal(count(w, "open"), 0);
	two.fd = called_by_tcp(&caller, "two", fd[1], port[1]);
	assert_true(peer_try(&two, 500));
	/* the longest silent goes, and the other stays */
	assert_true(closes_within(&one, 2500));
	assert_false(is_closed(&two));
	assert_int_equal(count(w, "outgoing"), 1);
	assert_int_equal(count(w, "evicted"), 1);

	assert_int_equal(tandem_sip_block_add(w->sip, "127.0.0.1", 0, why, sizeof(why)), 0);
	assert_true(closes_within(&two, 500));
	assert_int_equal(count(w, "closed_blocked"), 1);
	assert_int_equal(count(w, "outgoing"), 0);
	peer_close(&caller);
	peer_close(&one);
	peer_close(&two);
	close(fd[0]);
	close(fd[1]);
}

/* A host that takes no connection is given up before long, and what waited for it fails. */
static void who_does_not_take_the_call(void **state)
{
	struct world *w = *state;
	struct sockaddr_storage ss;
	struct peer caller;
	socklen_t len;
	uint16_t port;
	int fd = listen_at(&port), queue[4], i;
	char contact[128];

	restart_with(w, (struct tandem_sip_connections_config){ .handshake_s = 1 });
	/* nobody accepts, and no more may wait */
	assert_int_equal(listen(fd, 0), 0);
	peer_addr(&ss, &len, AF_INET, port);
	for (i = 0; i < 4; i++) {
		queue[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(queue[i], (struct sockaddr *)&ss, len);
	}
	run_ms(50);
	peer_open(&caller, AF_INET, false);
	snprintf(contact, sizeof(contact), "Contact: <sip:deaf@127.0.0.1:%u;transport=tcp>\n",
		 port);
	request(&caller, "REGISTER", "deaf", contact);
	message_to(&caller, "deaf");
	assert_int_equal(count(w, "outgoing"), 1);
	if (!peer_try(&caller, 5000) || strncmp(caller.msg, "SIP/2.0 5", 9))
		fail_msg("not refused: %s", caller.msg);
	assert_int_equal(count(w, "handshake_timeout"), 1);
	assert_int_equal(count(w, "outgoing"), 0);
	for (i = 0; i < 4; i++)
		close(queue[i]);
	peer_close(&caller);
	close(fd);
}

static void garbage_ends_with_its_connection(void **state)
{
	struct world *w = *state;
	struct peer p;

	peer_open(&p, AF_INET, true);
	peer_send_raw(&p, "no message at all\r\nx\r\n\r\n", 24);
	assert_true(closes_within(&p, 500));
	assert_int_equal(count(w, "open"), 0);
	assert_int_equal(count(w, "accepted"), 1);
	peer_close(&p);
}

/* A phone is connected while the relay goes. */
static void a_relay_that_ends_lets_go(void **state)
{
	struct world *w = *state;
	struct peer phone, other;

	peer_open(&phone, AF_INET, true);
	register_as(&phone, "phone");
	peer_open(&other, AF_INET, true);
	world_restart(w);
	assert_true(closes_within(&phone, 500));
	assert_true(closes_within(&other, 500));
	assert_int_equal(count(w, "open"), 0);
	peer_close(&phone);
	peer_close(&other);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
	static const struct CMUnitTest tests[] = {
		CASE(a_source_has_its_share),
		CASE(trusted_sources_have_any_number),
		CASE(the_least_known_goes_first),
		CASE(trusted_sources_come_in),
		CASE(messages_have_their_time),
		CASE(silence_ends),
		CASE(flows_are_watched),
		CASE(blocked_sources_are_cut_off),
		CASE(calling_others_has_bounds_too),
		CASE(who_does_not_take_the_call),
		CASE(garbage_ends_with_its_connection),
		CASE(a_relay_that_ends_lets_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
