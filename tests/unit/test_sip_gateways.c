/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls that leave by gateways, names and numbers:
 *
 *   alice [::1] --- relay --- one, two 127.0.0.1 (gateways), bob (registered)
 */
#include "tests/unit/dns_fixture.h"
#include "tests/unit/sip_auth.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct site {
	struct world *w;
	struct zone zone;
	struct peer alice, bob, one, two;
	char uri[2][64];
	struct tandem_gateway_config gateways[2];
	char invite[MSG_SIZE];
};

static const char *const any[] = { "any" };
static const char *const users[] = { "users" };
static const char *const from_one[] = { "one" };
static const char *const via_both[] = { "one", "two" };
static const char *const via_two[] = { "two" };
static const char *const via_deny[] = { "deny" };
static const char *const via_dns[] = { "dns" };
static const char *const via_enum[] = { "enum", "one" };
static const char *const servers[] = { ZONE_SERVER };

static const struct tandem_route_config open_routes[] = {
	{ .to = "+2900*", .via = via_deny, .via_count = 1 },
	{ .to = "+1*", .from = from_one, .from_count = 1, .via = via_two, .via_count = 1 },
	{ .to = "+8*", .from = any, .from_count = 1, .via = via_enum, .via_count = 2 },
	{ .to = "+49*", .from = users, .from_count = 1, .via = via_both, .via_count = 2 },
	{ .to = "+*", .from = any, .from_count = 1, .via = via_both, .via_count = 2 },
	{ .domain = "partner.test", .from = any, .from_count = 1, .via = via_dns, .via_count = 1 },
};

static void site_open(struct site *s, struct world *w)
{
	memset(s, 0, sizeof(*s));
	s->w = w;
	zone_open(&s->zone, NULL, 0);
	peer_open(&s->alice, AF_INET6, false);
	peer_open(&s->one, AF_INET, false);
	peer_open(&s->two, AF_INET, false);
	snprintf(s->uri[0], sizeof(s->uri[0]), "sip:127.0.0.1:%u", s->one.port);
	snprintf(s->uri[1], sizeof(s->uri[1]), "sip:127.0.0.1:%u", s->two.port);
	s->gateways[0] = (struct tandem_gateway_config){ .name = "one",
							 .uri = s->uri[0],
							 .priority = 1,
							 .weight = 1,
							 .timeout_s = 1,
							 .prefix_strip = 1,
							 .prefix_add = "00" };
	s->gateways[1] = (struct tandem_gateway_config){
		.name = "two", .uri = s->uri[1], .priority = 2, .weight = 1
	};
	w->cfg.gateways = s->gateways;
	w->cfg.gateways_count = 2;
	w->cfg.routes = open_routes;
	w->cfg.routes_count = COUNT(open_routes);
	w->cfg.name_servers = servers;
	w->cfg.name_servers_count = 1;
	world_restart(w);
	run_ms(150);
}

static void site_close(struct site *s)
{
	peer_close(&s->alice);
	peer_close(&s->one);
	peer_close(&s->two);
	world_stop(s->w);
	zone_close(&s->zone);
	memset(&s->w->cfg, 0, sizeof(s->w->cfg));
	world_start(s->w);
}

static void call_from(struct peer *p, const char *uri, const char *id, const char *lines)
{
	peer_send(p, p->host[0] == '[' ? SDP6("30000") : OFFER,
		  "INVITE %s SIP/2.0\n"
		  "Via: SIP/2.0/UDP %s:%u;branch=z9hG4bK%s;rport\nMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <%s>\nCall-ID: %s\n"
		  "CSeq: 1 INVITE\nContact: <sip:alice@%s:%u>\n%s",
		  uri, p->host, p->port, id, uri, id, p->host, p->port, lines);
}

static void answer(struct peer *p, const char *request, const char *status, const char *sdp)
{
	peer_send(p, sdp,
		  "SIP/2.0 %s\n%s%sFrom: %s\nTo: %s;tag=g%u\nCall-ID: %s\nCSeq: %s\n"
		  "Contact: <sip:g@%s:%u>\n",
		  status, headers(request, "Via"), headers(request, "Record-Route"),
		  header(request, "From"), header(request, "To"), p->port,
		  header(request, "Call-ID"), header(request, "CSeq"), p->host, p->port);
}

static json_int_t gateway_count(struct site *s, size_t index, const char *name)
{
	json_t *doc = tandem_sip_gateways_json(s->w->sip);
	json_t *gw = json_array_get(json_object_get(doc, "gateways"), index);
	json_int_t value = json_integer_value(json_object_get(gw, name));

	assert_true(json_is_integer(json_object_get(gw, name)));
	json_decref(doc);
	return value;
}

static bool gateway_is(struct site *s, size_t index, const char *state)
{
	json_t *doc = tandem_sip_gateways_json(s->w->sip);
	json_t *gw = json_array_get(json_object_get(doc, "gateways"), index);
	bool is = !strcmp(json_string_value(json_object_get(gw, "state")), state);

	json_decref(doc);
	return is;
}

static void next_gateway_after_503(void **state)
{
	struct site s;

	site_open(&s, *state);
	call_from(&s.alice, "tel:+2-30-1234", "f503", "");
	peer_expect(&s.alice, "SIP/2.0 100");
	strcpy(s.invite, peer_expect(&s.one, "INVITE sip:002301234@127.0.0.1:"));
	assert_non_null(strstr(s.invite, ";user=phone SIP/2.0"));
	assert_anchored(body(s.invite), "30000");
	answer(&s.one, s.invite, "503 Service Unavailable", NULL);
	peer_expect(&s.one, "ACK ");
	strcpy(s.invite, peer_expect(&s.two, "INVITE sip:+2301234@127.0.0.1:"));
	assert_anchored(body(s.invite), "30000");
	assert_int_equal(tandem_sessions_count(s.w->ss), 1);
	answer(&s.two, s.invite, "200 OK", ANSWER);
	peer_expect(&s.alice, "SIP/2.0 200");
	assert_anchored(body(s.alice.msg), "30002");
	assert_int_equal(gateway_count(&s, 0, "failures"), 1);
	assert_int_equal(gateway_count(&s, 1, "calls"), 1);
	assert_int_equal(gateway_count(&s, 1, "failures"), 0);
	site_close(&s);
}

static void next_gateway_after_silence(void **state)
{
	struct site s;

	site_open(&s, *state);
	call_from(&s.alice, "sip:+2301234@example.test", "silent", "");
	peer_expect(&s.alice, "SIP/2.0 100");
	peer_expect(&s.one, "INVITE ");
	peer_expect(&s.two, "INVITE ");
	answer(&s.two, s.two.msg, "200 OK", ANSWER);
	peer_expect(&s.alice, "SIP/2.0 200");
	/* a late word of the first gets a CANCEL */
	answer(&s.one, s.one.msg, "180 Ringing", NULL);
	while (strncmp(s.one.msg, "CANCEL ", 7))
		assert_true(peer_try(&s.one, 1000));
	assert_int_equal(gateway_count(&s, 0, "failures"), 1);
	site_close(&s);
}

static void the_callee_decides_where_it_is_reached(void **state)
{
	static const char *const finals[] = { "486 Busy Here", "404 Not Found", "603 Decline" };
	struct site s;
	char id[16], want[32];
	size_t i;

	site_open(&s, *state);
	for (i = 0; i < COUNT(finals); i++) {
		snprintf(id, sizeof(id), "busy%zu", i);
		call_from(&s.alice, "sip:+2301234@example.test", id, "");
		peer_expect(&s.alice, "SIP/2.0 100");
		peer_expect(&s.one, "INVITE ");
		answer(&s.one, s.one.msg, finals[i], NULL);
		snprintf(want, sizeof(want), "SIP/2.0 %.3s", finals[i]);
		peer_expect(&s.alice, want);
		peer_expect(&s.one, "ACK ");
	}
	peer_expect_nothing(&s.two, 30);
	assert_int_equal(gateway_count(&s, 0, "failures"), 0);
	site_close(&s);
}

static void all_gateways_fail(void **state)
{
	struct site s;

	site_open(&s, *state);
	call_from(&s.alice, "sip:+2301234@example.test", "allfail", "");
	peer_expect(&s.alice, "SIP/2.0 100");
	peer_expect(&s.one, "INVITE ");
	answer(&s.one, s.one.msg, "503 Service Unavailable", NULL);
	peer_expect(&s.one, "ACK ");
	peer_expect(&s.two, "INVITE ");
	answer(&s.two, s.two.msg, "503 Service Unavailable", NULL);
	/* not our overload: RFC 3261 section 16.7 */
	peer_expect(&s.alice, "SIP/2.0 500");
	assert_int_equal(tandem_sessions_count(s.w->ss), 0);
	site_close(&s);
}

/* Nobody leaves by a route that is not for them. */
static void who_may_leave(void **state)
{
	struct answer creds = answer_for("alice", "wonder", "INVITE", "sip:+4930@example.test");
	struct world *w = *state;
	char line[2200];
	struct site s;

	w->cfg.realm = REALM;
	site_open(&s, w);
	add_user(w, "alice", "wonder");
	w->cfg.auth = TANDEM_SIP_AUTH_OPEN;
	world_restart(w);

	/* a route for users asks for a password even where nothing else does */
	call_from(&s.alice, "sip:+4930@example.test", "who1", "");
	take_nonce(&creds, peer_expect(&s.alice, "SIP/2.0 407"));
	snprintf(line, sizeof(line), "Proxy-Authorization: %s\n", credentials(&creds));
	call_from(&s.alice, "sip:+4930@example.test", "who2", line);
	peer_expect(&s.alice, "SIP/2.0 100");
	peer_expect(&s.one, "INVITE sip:004930@");
	/* our credentials end here */
	assert_null(header(s.one.msg, "Proxy-Authorization"));
	answer(&s.one, s.one.msg, "486 Busy Here", NULL);
	peer_expect(&s.alice, "SIP/2.0 486");

	/* for gateway one alone; and nobody's */
	call_from(&s.alice, "sip:+1555@example.test", "who3", "");
	peer_expect(&s.alice, "SIP/2.0 100");
	peer_expect(&s.one, "ACK ");
	peer_expect(&s.one, "INVITE ");
	answer(&s.one, s.one.msg, "486 Busy Here", NULL);
	peer_expect(&s.alice, "SIP/2.0 486");
	call_from(&s.alice, "sip:bob@elsewhere.test", "who4", "");
	peer_expect(&s.alice, "SIP/2.0 403");
	call_from(&s.alice, "sip:bob@partner.test;maddr=127.0.0.1", "who5", "");
	peer_expect(&s.alice, "SIP/2.0 403");
	/* a name that no table can hold is not looked for by the part of it that fits */
	snprintf(line, sizeof(line), "sip:bob@%0243d.partner.test.elsewhere", 0);
	call_from(&s.alice, line, "who13", "");
	peer_expect(&s.alice, "SIP/2.0 414");
	/* a user here who is not registered is not called elsewhere */
	add_user(w, "+2555", "x");
	call_from(&s.alice, "sip:+2555@example.test", "who11", "");
	peer_expect(&s.alice, "SIP/2.0 480");
	call_from(&s.alice, "tel:+2555", "who12", "");
	peer_expect(&s.alice, "SIP/2.0 480");
	/* however it is written */
	call_from(&s.alice, "sip:%2b29-00-5@example.test", "who9", "");
	peer_expect(&s.alice, "SIP/2.0 403");
	call_from(&s.alice, "tel:+2(900)5", "who10", "");
	peer_expect(&s.alice, "SIP/2.0 403");
	call_from(&s.alice, "sip:7042@example.test", "who6", "");
	peer_expect(&s.alice, "SIP/2.0 480");
	call_from(&s.alice, "tel:7042", "who7", "");
	peer_expect(&s.alice, "SIP/2.0 400");
	call_from(&s.alice, "mailto:a@b", "who8", "");
	peer_expect(&s.alice, "SIP/2.0 416");
	site_close(&s);
}

/* A gateway calls users here without a password, registers nobody, and leaves only where it is named. */
static void what_a_gateway_may(void **state)
{
	struct world *w = *state;
	struct site s;

	w->cfg.realm = REALM;
	w->cfg.auth = TANDEM_SIP_AUTH_REQUIRED;
	site_open(&s, w);
	add_user(w, "alice", "wonder");

	send_register(&s.one, "bob@example.test", "bob@example.test", "", "SIP/2.0 401");
	call_from(&s.one, "sip:alice@example.test", "gw1", "");
	peer_expect(&s.one, "SIP/2.0 480");
	call_from(&s.one, "sip:+4930@example.test", "gw2", "");
	peer_expect(&s.one, "SIP/2.0 100");
	site_close(&s);
}

static void by_name_over_several_servers(void **state)
{
	struct site s;
	struct zone_record records[] = {
		ZONE_SRV("_sip._udp.partner.test", 1, 1, 0, "host.partner.test"),
		ZONE_SRV("_sip._udp.partner.test", 2, 1, 0, "host.partner.test"),
		ZONE_A("host.partner.test", "127.0.0.1"),
	};

	site_open(&s, *state);
	records[0].n[2] = s.one.port;
	records[1].n[2] = s.two.port;
	s.zone.records = records;
	s.zone.count = COUNT(records);
	call_from(&s.alice, "sip:carol@partner.test", "name", "");
	peer_expect(&s.alice, "SIP/2.0 100");
	peer_expect(&s.one, "INVITE sip:carol@partner.test ");
	answer(&s.one, s.one.msg, "503 Service Unavailable", NULL);
	peer_expect(&s.one, "ACK ");
	peer_expect(&s.two, "INVITE sip:carol@partner.test ");
	answer(&s.two, s.two.msg, "200 OK", ANSWER);
	peer_expect(&s.alice, "SIP/2.0 200");

	s.zone.count = 0;
	call_from(&s.alice, "sip:carol@partner.test", "name2", "");
	peer_expect(&s.alice, "SIP/2.0 100");
	/* still known */
	peer_expect(&s.one, "INVITE ");
	site_close(&s);
}

static void numbers_by_enum(void **state)
{
	static const struct zone_record records[] = {
		ZONE_NAPTR("1.1.8.e164.arpa", 10, 1, "u", "E2U+email:mailto",
			   "!^.*$!mailto:a@b.test!", ""),
		ZONE_NAPTR("1.1.8.e164.arpa", 20, 1, "u", "E2U+sip",
			   "!^\\+8(.*)$!sip:bob@example.test!", ""),
		ZONE_NAPTR("2.1.8.e164.arpa", 10, 1, "", "", "", "far.e164.test"),
		ZONE_NAPTR("far.e164.test", 10, 1, "u", "E2U+sip",
			   "!^\\+8(.*)$!sip:n\\1@partner.test!", ""),
		ZONE_NAPTR("_x", 0, 0, "", "", "", ""),
	};
	struct zone_record all[COUNT(records) + 2] = {
		[COUNT(records)] = ZONE_A("target.test", "127.0.0.1"),
		[COUNT(records) + 1] = ZONE_SRV("_sip._udp.partner.test", 1, 1, 0, "target.test"),
	};
	struct site s;

	site_open(&s, *state);
	memcpy(all, records, sizeof(records));
	all[COUNT(records) + 1].n[2] = s.two.port;
	s.zone.records = all;
	s.zone.count = COUNT(all);

	/* a user here */
	peer_open(&s.bob, AF_INET6, false);
	do_register(&s.bob, "bob");
	call_from(&s.alice, "tel:+811", "enum1", "");
	peer_expect(&s.alice, "SIP/2.0 100");
	peer_expect(&s.bob, "INVITE sip:bob@");
	answer(&s.bob, s.bob.msg, "486 Busy Here", NULL);
	peer_expect(&s.alice, "SIP/2.0 486");
	peer_expect(&s.bob, "ACK ");

	/* by another domain, to a third */
	call_from(&s.alice, "tel:+812", "enum2", "");
	peer_expect(&s.alice, "SIP/2.0 100");
	peer_expect(&s.two, "INVITE sip:n12@partner.test ");
	answer(&s.two, s.two.msg, "486 Busy Here", NULL);
	peer_expect(&s.alice, "SIP/2.0 486");

	/* nothing there: the gateway */
	call_from(&s.alice, "tel:+813", "enum3", "");
	peer_expect(&s.alice, "SIP/2.0 100");
	peer_expect(&s.one, "INVITE sip:00813@");
	peer_close(&s.bob);
	site_close(&s);
}

static void caller_gives_up_while_a_name_is_asked_for(void **state)
{
	struct site s;

	site_open(&s, *state);
	s.zone.silent = true;
	call_from(&s.alice, "sip:carol@partner.test", "waits", "");
	peer_expect(&s.alice, "SIP/2.0 100");
	peer_send(&s.alice, NULL,
		  "CANCEL sip:carol@partner.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP [::1]:%u;branch=z9hG4bKwaits;rport\nMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <sip:carol@partner.test>\n"
		  "Call-ID: waits\nCSeq: 1 CANCEL\n",
		  s.alice.port);
	peer_expect(&s.alice, "SIP/2.0 200");
	peer_expect(&s.alice, "SIP/2.0 487");
	/* and one whose relay stops meanwhile */
	call_from(&s.alice, "sip:carol@partner.test", "waits2", "");
	peer_expect(&s.alice, "SIP/2.0 100");
	site_close(&s);
}

/* Answers OPTIONS with status until the gateway is in that state. */
static void until(struct site *s, const char *status, const char *want)
{
	unsigned int i;

	for (i = 0; i < 40 && !gateway_is(s, 0, want); i++) {
		if (!peer_try(&s->one, 500))
			continue;
		assert_int_equal(strncmp(s->one.msg, "OPTIONS sip:127.0.0.1:", 22), 0);
		answer(&s->one, s->one.msg, status, NULL);
	}
	assert_true(gateway_is(s, 0, want));
}

static void options_tell_how_a_gateway_is(void **state)
{
	struct site s;

	site_open(&s, *state);
	s.gateways[0].options_s = 1;
	world_restart(s.w);
	assert_true(gateway_is(&s, 0, "unknown"));
	until(&s, "200 OK", "up");
	until(&s, "503 Service Unavailable", "down");
	assert_true(gateway_count(&s, 0, "unanswered") >= 2);
	/* calls go to the other alone */
	call_from(&s.alice, "sip:+2301234@example.test", "down", "");
	peer_expect(&s.alice, "SIP/2.0 100");
	peer_expect(&s.two, "INVITE ");
	answer(&s.two, s.two.msg, "486 Busy Here", NULL);
	peer_expect(&s.alice, "SIP/2.0 486");
	until(&s, "404 Not Found", "up");
	site_close(&s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(next_gateway_after_503),
		TEST(next_gateway_after_silence),
		TEST(the_callee_decides_where_it_is_reached),
		TEST(all_gateways_fail),
		TEST(who_may_leave),
		TEST(what_a_gateway_may),
		TEST(by_name_over_several_servers),
		TEST(numbers_by_enum),
		TEST(caller_gives_up_while_a_name_is_asked_for),
		TEST(options_tell_how_a_gateway_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
