/* SPDX-License-Identifier: GPL-2.0-only */
/* Flows that a phone opens and is called on: RFC 5626. */
#include "tests/unit/sip_call.h"
#include "userspace/media/stun.h"

#define LETTERS_64 "abcdefghijklmnopqrstuvwxyz-----ABCDEFGHIJKLMNOPQRSTUVWXYZ------!"
#define PHONE	   "+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\""

/* p registers bob; params are those of its contact, sip:bob@... of p unless uri is given. */
static const char *put(struct peer *p, const char *uri, const char *params, const char *extra)
{
	static unsigned int n;
	char own[96];

	n++;
	snprintf(own, sizeof(own), "sip:bob@%s:%u;transport=%s", p->host, p->port, tp(p));
	peer_send(p, NULL,
		  "REGISTER sip:example.test SIP/2.0\nVia: SIP/2.0/%s %s:%u;branch=z9hG4bKo%u\n"
		  "Max-Forwards: 70\nFrom: <sip:bob@example.test>;tag=r\n"
		  "To: <sip:bob@example.test>\nCall-ID: out%u\nCSeq: 1 REGISTER\n"
		  "Contact: <%s>;%s\nExpires: 600\n%s",
		  tp(p), p->host, p->port, n, n, uri ? uri : own, params, extra);
	return peer_expect(p, "SIP/2.0 ");
}

static void message(struct peer *alice)
{
	static unsigned int n;

	n++;
	peer_send(alice, NULL,
		  "MESSAGE sip:bob@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP %s:%u;branch=z9hG4bKm%u;rport\nMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <sip:bob@example.test>\n"
		  "Call-ID: om%u\nCSeq: 1 MESSAGE\n",
		  alice->host, alice->port, n, n);
}

static size_t registrations(struct world *w)
{
	struct tandem_sip_stats stats;

	tandem_sip_stats(w->sip, &stats);
	return stats.registrations;
}

static void one_flow_of_a_phone_is_used(void **state)
{
	struct world *w = *state;
	struct peer alice, one, two;
	const char *ok;

	peer_open(&alice, AF_INET, false);
	peer_open(&one, AF_INET, true);
	peer_open(&two, AF_INET, true);
	/* the phone calls itself the same on both */
	ok = put(&one, "sip:bob@phone.invalid", PHONE ";reg-id=1", "Supported: path, outbound\n");
	if (!strstr(ok, "200 OK"))
		fail_msg("%s", ok);
	assert_string_equal(header(ok, "Require"), "outbound");
	assert_string_equal(header(ok, "Flow-Timer"), "120");
	assert_non_null(strstr(header(ok, "Contact"), ";" PHONE ";reg-id=1"));
	put(&two, "sip:bob@phone.invalid", PHONE ";reg-id=2", "Supported: outbound\n");
	assert_int_equal(registrations(w), 2);

	message(&alice);
	peer_expect(&two, "MESSAGE sip:bob@phone.invalid");
	peer_expect_nothing(&one, 20);

	/* without it, the other */
	peer_close(&two);
	run_ms(30);
	message(&alice);
	peer_expect(&one, "MESSAGE ");
	peer_close(&alice);
	peer_close(&one);
}

static void invite(struct peer *alice)
{
	char id[16];
	static unsigned int n;

	snprintf(id, sizeof(id), "oi%u", ++n);
	peer_send(alice, OFFER,
		  "INVITE sip:bob@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP %s:%u;branch=z9hG4bK%s;rport\nMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <sip:bob@example.test>\n"
		  "Call-ID: %s\nCSeq: 1 INVITE\nContact: <sip:alice@%s:%u>\n",
		  alice->host, alice->port, id, id, alice->host, alice->port);
}

static void answer(struct peer *p, const char *request, const char *status)
{
	peer_send(p, NULL, "SIP/2.0 %s\n%sFrom: %s\nTo: %s;tag=b\nCall-ID: %s\nCSeq: %s\n", status,
		  headers(request, "Via"), header(request, "From"), header(request, "To"),
		  header(request, "Call-ID"), header(request, "CSeq"));
}

/* The newest flow turns out to be dead: the other gets the request, with its own contact. */
static void the_next_flow_is_tried(void **state)
{
	struct peer alice, one, two;
	char request[MSG_SIZE];

	(void)state;
	peer_open(&alice, AF_INET, false);
	peer_open(&one, AF_INET, true);
	peer_open(&two, AF_INET, false);
	put(&one, "sip:bob@phone.invalid;flow=1", PHONE ";reg-id=1", "Supported: outbound\n");
	put(&two, "sip:bob@phone.invalid;flow=2", PHONE ";reg-id=2", "Supported: outbound\n");

	/* its edge says so */
	invite(&alice);
	peer_expect(&alice, "SIP/2.0 100");
	strcpy(request, peer_expect(&two, "INVITE sip:bob@phone.invalid;flow=2 "));
	answer(&two, request, "430 Flow Failed");
	strcpy(request, peer_expect(&one, "INVITE sip:bob@phone.invalid;flow=1 "));
	answer(&one, request, "486 Busy Here");
	peer_expect(&alice, "SIP/2.0 486");
	peer_expect(&two, "ACK ");
	peer_expect(&one, "ACK ");
	peer_close(&alice);

	/* nobody says a word: within seconds, and not those of timer B */
	peer_open(&alice, AF_INET, false);
	invite(&alice);
	peer_expect(&alice, "SIP/2.0 100");
	peer_expect(&two, "INVITE ");
	run_ms(4500);
	strcpy(request, peer_expect(&one, "INVITE sip:bob@phone.invalid;flow=1 "));
	answer(&one, request, "180 Ringing");
	peer_expect(&alice, "SIP/2.0 180");
	answer(&one, request, "603 Decline");
	peer_expect(&alice, "SIP/2.0 603");
	peer_expect(&one, "ACK ");
	peer_close(&alice);

	/* who rings is not left, and what a phone says is its word */
	while (peer_try(&two, 50))
		;
	peer_open(&alice, AF_INET, false);
	invite(&alice);
	peer_expect(&alice, "SIP/2.0 100");
	strcpy(request, peer_expect(&two, "INVITE "));
	answer(&two, request, "180 Ringing");
	peer_expect(&alice, "SIP/2.0 180");
	run_ms(4500);
	answer(&two, request, "480 Not Here");
	peer_expect(&alice, "SIP/2.0 480");
	peer_expect_nothing(&one, 50);
	peer_close(&alice);
	peer_close(&one);
	peer_close(&two);
}

/* A phone that comes back with another address is not two phones. */
static void a_flow_is_replaced_by_its_number(void **state)
{
	struct world *w = *state;
	struct peer alice, old, now;

	peer_open(&alice, AF_INET, false);
	peer_open(&old, AF_INET, true);
	peer_open(&now, AF_INET, true);
	put(&old, NULL, PHONE ";reg-id=1", "Supported: outbound\n");
	put(&now, NULL, PHONE ";reg-id=1", "Supported: outbound\n");
	assert_int_equal(registrations(w), 1);
	message(&alice);
	peer_expect(&now, "MESSAGE ");
	peer_expect_nothing(&old, 20);
	put(&now, NULL, PHONE ";reg-id=1;expires=0", "Supported: outbound\n");
	assert_int_equal(registrations(w), 0);
	peer_close(&alice);
	peer_close(&old);
	peer_close(&now);
}

/* Another phone of the same user is called as well. */
static void phones_are_told_apart(void **state)
{
	struct peer alice, one, two;

	peer_open(&alice, AF_INET, false);
	peer_open(&one, AF_INET, true);
	peer_open(&two, AF_INET, true);
	put(&one, NULL, PHONE ";reg-id=1", "Supported: outbound\n");
	put(&two, NULL, "+sip.instance=\"<urn:uuid:2>\";reg-id=1", "Supported: outbound\n");
	message(&alice);
	peer_expect(&one, "MESSAGE ");
	peer_expect(&two, "MESSAGE ");
	peer_close(&alice);
	peer_close(&one);
	peer_close(&two);
	(void)state;
}

static void only_where_it_can_work(void **state)
{
	static const char *const bad[] = {
		PHONE ";reg-id=0",
		PHONE ";reg-id=x",
		PHONE ";reg-id=2147483648",
		PHONE ";reg-id=99999999999999999999",
		"+sip.instance=<urn:uuid:2>;reg-id=1",
		"+sip.instance=\"\";reg-id=1",
		"reg-id=1;+sip.instance=\"a\\\"",
		"reg-id=1;+sip.instance=\"" LETTERS_64 LETTERS_64 "\"",
	};
	struct world *w = *state;
	struct peer udp, tcp;
	size_t i;

	peer_open(&udp, AF_INET, false);
	peer_open(&tcp, AF_INET, true);
	/* a phone that does not say that it knows the extension has a contact as any other */
	assert_null(header(put(&udp, NULL, PHONE ";reg-id=1", ""), "Require"));
	assert_null(header(put(&tcp, NULL, PHONE ";reg-id=1", ""), "Require"));
	assert_int_equal(registrations(w), 2);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(strstr(put(&tcp, NULL, bad[i], "Supported: outbound\n"), " 400 "));
	assert_int_equal(registrations(w), 2);
	peer_close(&udp);
	peer_close(&tcp);
}

/* By way of a proxy only the proxy can keep a flow, and has to say that it does. */
static void the_first_hop_keeps_the_flow(void **state)
{
	static const struct {
		const char *path, *code;
	} cases[] = {
		{ "", " 439 First Hop Lacks Outbound Support" },
		{ "Path: <sip:edge@127.0.0.1:9;lr>\n", " 439 " },
		{ "Path: <sip:edge@127.0.0.1:9;lr;obj>;ob\n", " 439 " },
		{ "Path: <sip:edge@127.0.0.1:9;lr;ob>\n", " 200 " },
		{ "Path: <sip:inner@127.0.0.1:9;lr>, <sip:edge@127.0.0.1:9;ob;lr>\n", " 200 " },
	};
	struct world *w = *state;
	char extra[256];
	struct peer p;
	const char *got;
	size_t i;

	peer_open(&p, AF_INET, true);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(extra, sizeof(extra),
			 "Via: SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKo%zu\n%sSupported: outbound, "
			 "path\n",
			 i, cases[i].path);
		got = put(&p, "sip:bob@10.9.9.9", PHONE ";reg-id=1", extra);
		if (!strstr(got, cases[i].code))
			fail_msg("case %zu: %s", i, got);
		assert_null(header(got, "Flow-Timer"));
	}
	assert_int_equal(registrations(w), 1);
	/* who does not ask for it has a contact as any other */
	assert_non_null(strstr(put(&p, "sip:bob@10.9.9.8", PHONE ";reg-id=1",
				   "Via: SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKo\n"),
			       " 200 "));
	assert_int_equal(registrations(w), 2);
	peer_close(&p);
}

/* The flows are there after a restart, but for those that were connections. */
static void flows_are_kept(void **state)
{
	struct world *w = *state;
	struct peer one;
	json_t *doc, *row;

	peer_open(&one, AF_INET, true);
	put(&one, NULL, PHONE ";reg-id=7", "Supported: outbound\n");
	peer_close(&one);
	world_restart(w);
	doc = tandem_sip_registrations_json(w->sip);
	row = json_array_get(json_object_get(doc, "registrations"), 0);
	assert_int_equal(json_integer_value(json_object_get(row, "reg_id")), 7);
	assert_string_equal(json_string_value(json_object_get(row, "instance")),
			    "<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>");
	json_decref(doc);
}

/* A phone behind a NAT that has forgotten its port is one contact, and called at the new one. */
static void a_flow_of_udp(void **state)
{
	struct world *w = *state;
	struct peer alice, old, now;
	const char *ok;

	peer_open(&alice, AF_INET, false);
	peer_open(&old, AF_INET, false);
	peer_open(&now, AF_INET, false);
	ok = put(&old, "sip:bob@10.9.9.9", PHONE ";reg-id=1", "Supported: outbound\n");
	assert_string_equal(header(ok, "Require"), "outbound");
	assert_null(header(ok, "Flow-Timer"));
	put(&now, "sip:bob@10.9.9.9", PHONE ";reg-id=1", "Supported: outbound\n");
	assert_int_equal(registrations(w), 1);
	message(&alice);
	peer_expect(&now, "MESSAGE ");
	peer_expect_nothing(&old, 20);
	peer_close(&alice);
	peer_close(&old);
	peer_close(&now);
}

static const uint8_t stun_id[TANDEM_STUN_ID] = "tandem-stun";

/* A binding request into buf, with an attribute of that number unless it is 0; its length. */
static size_t binding_request(uint8_t *buf, size_t size, uint16_t attribute)
{
	const uint8_t more[8] = { (uint8_t)(attribute >> 8), (uint8_t)attribute, 0, 4 };
	struct tandem_stun_writer w;
	int len;

	tandem_stun_start(&w, buf, size, TANDEM_STUN_BINDING, TANDEM_STUN_REQUEST, stun_id);
	len = tandem_stun_finish(&w);
	assert_true(len > 0);
	if (!attribute)
		return (size_t)len;
	memcpy(buf + len, more, sizeof(more));
	buf[3] = sizeof(more);
	return (size_t)len + sizeof(more);
}

static json_int_t counted(const struct world *w, const char *name)
{
	json_t *doc = tandem_sip_datagrams_json(w->sip);
	json_int_t n = json_integer_value(json_object_get(doc, name));

	json_decref(doc);
	return n;
}

static bool stun_answer(struct peer *p, struct tandem_stun *msg)
{
	static uint8_t buf[512];
	ssize_t n = recv(p->fd, buf, sizeof(buf), 0);
	int i;

	for (i = 0; i < 50 && n < 0; i++) {
		run_ms(2);
		n = recv(p->fd, buf, sizeof(buf), 0);
	}
	return n > 0 && !tandem_stun_parse(msg, buf, (size_t)n);
}

static void stun_is_answered(void **state)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct world *w = *state;
	struct tandem_stun msg;
	struct peer p;
	uint8_t buf[64];
	char text[64];
	size_t len, i;

	for (i = 0; i < 2; i++) {
		peer_open(&p, families[i], false);
		len = binding_request(buf, sizeof(buf), 0);
		peer_send_raw(&p, (char *)buf, len);
		assert_true(stun_answer(&p, &msg));
		assert_int_equal(msg.class, TANDEM_STUN_SUCCESS);
		assert_memory_equal(msg.id, stun_id, sizeof(stun_id));
		assert_true(msg.has_mapped);
		assert_int_equal(msg.mapped.port, p.port);
		assert_string_equal(tandem_ip_format(&msg.mapped.ip, text, sizeof(text)),
				    i ? "::1" : "127.0.0.1");

		/* one that must be understood and is not; one that need not be */
		len = binding_request(buf, sizeof(buf), 0x7777);
		peer_send_raw(&p, (char *)buf, len);
		assert_true(stun_answer(&p, &msg));
		assert_int_equal(msg.error, TANDEM_STUN_UNKNOWN_ATTRIBUTE);
		len = binding_request(buf, sizeof(buf), 0x8777);
		peer_send_raw(&p, (char *)buf, len);
		assert_true(stun_answer(&p, &msg));
		assert_int_equal(msg.class, TANDEM_STUN_SUCCESS);
		peer_close(&p);
	}
	assert_int_equal(counted(w, "stun_answered"), 6);
}

static void stun_is_bounded(void **state)
{
	struct world *w = *state;
	struct tandem_stun msg;
	struct peer p, other;
	uint8_t buf[64];
	size_t len = binding_request(buf, sizeof(buf), 0), i;

	peer_open(&p, AF_INET, false);
	peer_open(&other, AF_INET6, false);
	/* cut short, an indication, an answer to nobody */
	assert_int_equal(send(p.fd, buf, len - 1, 0), len - 1);
	buf[1] = 0x11;
	assert_int_equal(send(p.fd, buf, len, 0), len);
	buf[0] = 1;
	buf[1] = 1;
	peer_send_raw(&p, (char *)buf, len);
	assert_false(stun_answer(&p, &msg));
	buf[0] = 0;
	assert_int_equal(counted(w, "stun_answered"), 0);
	assert_true(counted(w, "stun_ignored") >= 2);

	for (i = 0; i < 2000; i++) {
		(void)send(p.fd, buf, len, 0);
		if (i % 50 == 49)
			run_ms(1);
	}
	run_ms(20);
	assert_true(counted(w, "stun_limited") > 0);
	peer_send_raw(&other, (char *)buf, len);
	assert_true(stun_answer(&other, &msg));
	peer_close(&p);
	peer_close(&other);
}

static void a_keepalive_is_answered(void **state)
{
	struct peer p;
	char buf[8];
	ssize_t n = -1;
	int i;

	(void)state;
	peer_open(&p, AF_INET, true);
	peer_send_raw(&p, "\r\n\r\n", 4);
	for (i = 0; i < 100 && n < 0; i++) {
		run_ms(5);
		n = recv(p.fd, buf, sizeof(buf), 0);
	}
	assert_int_equal(n, 2);
	assert_memory_equal(buf, "\r\n", 2);
	peer_close(&p);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_flow_of_a_phone_is_used),
		TEST(the_next_flow_is_tried),
		TEST(a_flow_is_replaced_by_its_number),
		TEST(phones_are_told_apart),
		TEST(only_where_it_can_work),
		TEST(the_first_hop_keeps_the_flow),
		TEST(flows_are_kept),
		TEST(a_flow_of_udp),
		TEST(stun_is_answered),
		TEST(stun_is_bounded),
		TEST(a_keepalive_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
