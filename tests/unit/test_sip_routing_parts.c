/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of routing that need no network: weights, numbers, ENUM, the table. */
#include "tests/unit/sip_fixture.h"

#include "userspace/sip/naptr.h"
#include "userspace/sip/number.h"
#include "userspace/sip/routing.h"
#include "userspace/sip/weigh.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- weights --------------------------------------------------------------- */

static void priority_comes_before_weight(void **state)
{
	uint64_t seed;

	(void)state;
	for (seed = 0; seed < 200; seed++) {
		struct tandem_weighed items[] = {
			{ 2, 1000, 0 }, { 1, 1, 1 }, { 3, 0, 2 }, { 1, 60000, 3 }
		};
		uint64_t s = seed;

		tandem_weigh(items, COUNT(items), &s);
		assert_int_equal(items[0].priority + items[1].priority, 2);
		assert_int_equal(items[2].index, 0);
		assert_int_equal(items[3].index, 2);
	}
}

/* RFC 2782: the first of those of one priority is drawn in proportion to its weight. */
static void weights_are_shares(void **state)
{
	unsigned int first[3] = { 0 }, i;
	uint64_t seed = 1;

	(void)state;
	for (i = 0; i < 20000; i++) {
		struct tandem_weighed items[] = { { 1, 10, 0 }, { 1, 30, 1 }, { 1, 0, 2 } };

		tandem_weigh(items, COUNT(items), &seed);
		first[items[0].index]++;
	}
	/* 10 of 41, 30 of 41, 1 of 41 */
	assert_in_range(first[0], 4878 - 300, 4878 + 300);
	assert_in_range(first[1], 14634 - 300, 14634 + 300);
	assert_in_range(first[2], 488 - 150, 488 + 150);
}

static void all_are_there_after_weighing(void **state)
{
	struct tandem_weighed items[16];
	unsigned int seen = 0;
	uint64_t seed = 7, again;
	size_t i;

	(void)state;
	for (i = 0; i < 16; i++)
		items[i] = (struct tandem_weighed){ (uint16_t)(i % 3), (uint16_t)(65535 - i), i };
	again = seed;
	tandem_weigh(items, 16, &seed);
	for (i = 0; i < 16; i++)
		seen |= 1u << items[i].index;
	assert_int_equal(seen, 0xffff);
	assert_int_not_equal(seed, again);
	tandem_weigh(items, 0, &seed);
}

/* ---- numbers --------------------------------------------------------------- */

static void numbers_are_read(void **state)
{
	static const struct {
		const char *uri;
		int err;
		const char *digits;
		bool tel, global;
	} cases[] = {
		{ "tel:+49-30-1234", 0, "+49301234", true, true },
		{ "tel:+1(201)555.0123", 0, "+12015550123", true, true },
		{ "tel:7042;phone-context=example.test", 0, "7042", true, false },
		{ "tel:863-1234;phone-context=+1-914-555", 0, "8631234", true, false },
		{ "tel:*21#;phone-context=example.test", 0, "*21#", true, false },
		{ "tel:7042", -EBADMSG, NULL, true, false },
		{ "tel:+49x30", -EBADMSG, NULL, true, false },
		{ "tel:+", -EBADMSG, NULL, true, false },
		{ "tel:+*21", -EBADMSG, NULL, true, false },
		{ "sip:+49301234@example.test", 0, "+49301234", false, true },
		{ "sip:+49-30-1234@example.test;user=phone", 0, "+49301234", false, true },
		{ "sip:+4930;ext=5@example.test", 0, "+4930", false, true },
		{ "sip:%2b49%2D30@example.test", 0, "+4930", false, true },
		{ "sip:+49%0030@example.test", -ENOENT, NULL, false, false },
		{ "sip:1234@example.test", 0, "1234", false, false },
		{ "sip:*21@example.test;user=phone", 0, "*21", false, false },
		{ "sip:*21@example.test", -ENOENT, NULL, false, false },
		{ "sip:abc@example.test", -ENOENT, NULL, false, false },
		{ "sip:alice@example.test", -ENOENT, NULL, false, false },
		{ "sip:example.test", -ENOENT, NULL, false, false },
	};
	struct tandem_number number;
	char longest[256];
	struct uri uri;
	struct pl pl;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		pl_set_str(&pl, cases[i].uri);
		assert_int_equal(uri_decode(&uri, &pl), 0);
		if (tandem_number_read(&number, &uri) != cases[i].err)
			fail_msg("%s", cases[i].uri);
		if (cases[i].err)
			continue;
		assert_string_equal(number.digits, cases[i].digits);
		assert_int_equal(number.tel, cases[i].tel);
		assert_int_equal(number.global, cases[i].global);
	}

	strcpy(longest, "tel:+");
	memset(longest + 5, '1', 100);
	longest[105] = '\0';
	pl_set_str(&pl, longest);
	assert_int_equal(uri_decode(&uri, &pl), 0);
	assert_int_equal(tandem_number_read(&number, &uri), -EBADMSG);
}

static void patterns_and_prefixes(void **state)
{
	char buf[12];

	(void)state;
	assert_true(tandem_number_fits("+49*", "+49301234"));
	assert_false(tandem_number_fits("+49*", "+4"));
	assert_true(tandem_number_fits("*", ""));
	assert_true(tandem_number_fits("110", "110"));
	assert_false(tandem_number_fits("110", "1100"));
	assert_false(tandem_number_fits("", "1"));

	assert_int_equal(tandem_number_dress(buf, sizeof(buf), "+49301234", 1, "00"), 0);
	assert_string_equal(buf, "0049301234");
	assert_int_equal(tandem_number_dress(buf, sizeof(buf), "110", 0, ""), 0);
	assert_string_equal(buf, "110");
	assert_int_equal(tandem_number_dress(buf, sizeof(buf), "110", 3, "0"), -EINVAL);
	assert_int_equal(tandem_number_dress(buf, sizeof(buf), "+49301234", 0, "000"), -EMSGSIZE);
}

/* ---- ENUM ------------------------------------------------------------------ */

static void enum_domains(void **state)
{
	char buf[64];

	(void)state;
	assert_int_equal(tandem_enum_domain(buf, sizeof(buf), "+442079460148", "e164.arpa"), 0);
	assert_string_equal(buf, "8.4.1.0.6.4.9.7.0.2.4.4.e164.arpa");
	assert_int_equal(tandem_enum_domain(buf, sizeof(buf), "442079460148", "e164.arpa"),
			 -EINVAL);
	assert_int_equal(tandem_enum_domain(buf, sizeof(buf), "+", "e164.arpa"), -EINVAL);
	assert_int_equal(tandem_enum_domain(buf, sizeof(buf), "+1234567890123456", "e164.arpa"),
			 -EINVAL);
	assert_int_equal(tandem_enum_domain(buf, 20, "+442079460148", "e164.arpa"), -EMSGSIZE);
}

static void enum_services(void **state)
{
	(void)state;
	assert_true(tandem_enum_is_sip("E2U+sip"));
	assert_true(tandem_enum_is_sip("e2u+SIP"));
	assert_true(tandem_enum_is_sip("E2U+voice:tel+sip"));
	assert_true(tandem_enum_is_sip("E2U+sip:voice"));
	assert_false(tandem_enum_is_sip("E2U+siplike"));
	assert_false(tandem_enum_is_sip("E2U+email:mailto"));
	assert_false(tandem_enum_is_sip("SIP+D2U"));
	assert_false(tandem_enum_is_sip(""));
}

static void enum_expressions(void **state)
{
	static const struct {
		const char *regexp;
		int err;
		const char *uri;
	} cases[] = {
		{ "!^.*$!sip:info@example.com!", 0, "sip:info@example.com" },
		{ "!^\\+441(.*)$!sip:\\1@example.com!", -ENOENT, NULL },
		{ "!^\\+442(.*)$!sip:\\1@example.com!", 0, "sip:079460148@example.com" },
		{ "!^(\\+44)(20)(.*)$!sips:\\3.\\2@x.test!i", 0, "sips:79460148.20@x.test" },
		{ "/^.*$/sip:a\\/b@x.test/", 0, "sip:a/b@x.test" },
		{ "!^(a)?.*$!sip:[\\1]@x.test!", 0, "sip:[]@x.test" },
		{ "!^.*$!mailto:info@example.com!", -EPROTONOSUPPORT, NULL },
		{ "!^.*$!sip:a b@example.com!", -EBADMSG, NULL },
		{ "!^.*$!sip:a@example.com>!", -EBADMSG, NULL },
		{ "!^.*$!sip:a@example.com\r\nX: y!", -EBADMSG, NULL },
		{ "!^.*$!sip:a@example.com", -EBADMSG, NULL },
		{ "!^.*$", -EBADMSG, NULL },
		{ "!", -EBADMSG, NULL },
		{ "", -EBADMSG, NULL },
		{ "1^.*$1sip:a@x1", -EBADMSG, NULL },
		{ "!^.*$!sip:a@x!x", -EBADMSG, NULL },
		{ "!^(.*$!sip:a@x!", -EBADMSG, NULL },
		{ "!^(.{1,255}){1,255}$!sip:a@x!", -EBADMSG, NULL },
		{ "!^(.)(.*)\\1$!sip:a@x!", -EBADMSG, NULL },
		{ "!((((((((((.*))))))))))!sip:a@x!", -EBADMSG, NULL },
		{ "!.*.*.*.*.*.*.*.*.*.*!sip:a@x!", -EBADMSG, NULL },
		{ "!^(.K)*++++++++!sip:a@x!", -EBADMSG, NULL },
		{ "!^(.*)*$!sip:a@x!", -EBADMSG, NULL },
		{ "!^(.*)+$!sip:a@x!", -EBADMSG, NULL },
		{ "!^.*?$!sip:a@x!", -EBADMSG, NULL },
		{ "!^(\\+44)?(.*)$!sip:\\2@x.test!", 0, "sip:2079460148@x.test" },
		{ "!^\\++44.*$!sip:a@x!", 0, "sip:a@x" },
		{ "!^.*$!sip:\\9@x!", 0, "sip:@x" },
		{ "!^.*$!sip:\\x@x!", -EBADMSG, NULL },
		{ "!^.*$!sip:\\\\@x!", 0, "sip:\\@x" },
	};
	char uri[TANDEM_ENUM_URI_SIZE], longest[600];
	size_t i;
	int err;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		err = tandem_enum_rewrite(uri, cases[i].regexp, "+442079460148");
		if (err != cases[i].err)
			fail_msg("%s: %d", cases[i].regexp, err);
		if (!err)
			assert_string_equal(uri, cases[i].uri);
	}

	/* grows beyond its limit by what it repeats */
	strcpy(longest, "!^(.*)$!sip:");
	for (i = 0; i < 40; i++)
		strcat(longest, "\\1\\1\\1");
	strcat(longest, "!");
	assert_int_equal(tandem_enum_rewrite(uri, longest, "+442079460148"), -EBADMSG);
}

static void records_in_their_order(void **state)
{
	static const uint16_t keys[][2] = { { 20, 5 }, { 10, 9 }, { 10, 1 }, { 30, 0 }, { 10, 9 } };
	static const size_t want[] = { 2, 1, 4, 0, 3 };
	struct tandem_answer answer = { .count = COUNT(keys) };
	size_t order[TANDEM_RECORDS_MAX], i;

	(void)state;
	for (i = 0; i < COUNT(keys); i++) {
		answer.records[i].naptr.order = keys[i][0];
		answer.records[i].naptr.preference = keys[i][1];
	}
	tandem_naptr_sort(&answer, order);
	assert_memory_equal(order, want, sizeof(want));
}

/* ---- the table ------------------------------------------------------------- */

struct table {
	struct tandem_gateways *gateways;
	struct tandem_routing *routing;
};

static const char *const from_any[] = { "any" };
static const char *const from_net[] = { "10.0.0.0/8" };
static const char *const from_two[] = { "two" };
static const char *const via_one[] = { "one" };
static const char *const via_both[] = { "one", "two" };
static const char *const via_deny[] = { "deny" };
static const char *const via_dns[] = { "dns" };
static const char *const via_enum[] = { "enum", "two" };

static const struct tandem_gateway_config gateways[] = {
	{ .name = "one", .uri = "sip:192.0.2.1", .priority = 1, .weight = 1 },
	{ .name = "two", .uri = "sip:192.0.2.2", .priority = 2, .weight = 1 },
};

static void table_open(struct table *t, const struct tandem_route_config *routes, size_t count)
{
	const struct tandem_sip_config cfg = { .gateways = gateways,
					       .gateways_count = COUNT(gateways),
					       .routes = routes,
					       .routes_count = count };
	char why[200] = "";

	memset(t, 0, sizeof(*t));
	assert_int_equal(tandem_gateways_alloc(&t->gateways, NULL, &cfg, why, sizeof(why)), 0);
	if (tandem_routing_alloc(&t->routing, t->gateways, &cfg, why, sizeof(why)))
		fail_msg("%s", why);
}

static void table_close(struct table *t)
{
	tandem_routing_free(t->routing);
	tandem_gateways_free(t->gateways);
}

/* Index of the route, -1: for others; -2: none. +100: as a user. */
static int find(const struct table *t, const char *text, bool tel, const char *domain,
		const char *ip, bool trusted, const char *gateway)
{
	const struct tandem_callee callee = { text, tel, domain };
	struct tandem_caller caller = { .trusted = trusted,
					.gateway = tandem_gateway_find(t->gateways, gateway) };
	const struct tandem_route *route;
	enum tandem_leave may;

	assert_int_equal(tandem_ip_parse(&caller.ip, ip), 0);
	route = tandem_routing_find(t->routing, &callee, &caller, &may);
	if (!route)
		return may == TANDEM_MAY_NOT ? -1 : -2;
	assert_int_not_equal(may, TANDEM_MAY_NOT);

	return (int)(route - t->routing->list) + (may == TANDEM_MAY_AS_USER ? 100 : 0);
}

static void the_first_route_that_fits(void **state)
{
	static const struct tandem_route_config routes[] = {
		{ .to = "+49900*", .via = via_deny, .via_count = 1 },
		{ .to = "110", .from = from_any, .from_count = 1, .via = via_one, .via_count = 1 },
		{ .to = "+49*", .via = via_both, .via_count = 2 },
		{ .to = "+*", .from = from_net, .from_count = 1, .via = via_one, .via_count = 1 },
		{ .to = "tel:",
		  .from = from_two,
		  .from_count = 1,
		  .via = via_enum,
		  .via_count = 2 },
		{ .domain = "partner.test", .via = via_dns, .via_count = 1 },
		{ .domain = "*.sub.test", .to = "a*", .via = via_dns, .via_count = 1 },
	};
	struct table t;

	(void)state;
	table_open(&t, routes, COUNT(routes));
	/* nobody, but it is not said to be no route */
	assert_int_equal(find(&t, "+49900123", false, NULL, "10.1.2.3", true, NULL), 0);
	assert_int_equal(find(&t, "+49900123", false, NULL, "192.0.2.1", false, "one"), 0);
	/* anybody, also a gateway */
	assert_int_equal(find(&t, "110", false, NULL, "203.0.113.9", false, NULL), 1);
	assert_int_equal(find(&t, "110", false, NULL, "192.0.2.1", false, "one"), 1);
	/* users and trusted ones, by default */
	assert_int_equal(find(&t, "+4930", false, NULL, "203.0.113.9", false, NULL), 102);
	assert_int_equal(find(&t, "+4930", false, NULL, "203.0.113.9", true, NULL), 2);
	/* a gateway goes on to where it is named */
	assert_int_equal(find(&t, "+4930", false, NULL, "192.0.2.1", false, "one"), -1);
	assert_int_equal(find(&t, "+4930", false, NULL, "192.0.2.1", true, "one"), -1);
	assert_int_equal(find(&t, "+4930", true, NULL, "192.0.2.2", false, "two"), 4);
	/* a network */
	assert_int_equal(find(&t, "+1", false, NULL, "10.1.2.3", false, NULL), 3);
	assert_int_equal(find(&t, "+1", false, NULL, "203.0.113.9", true, NULL), -1);
	/* nobody has said anything about these */
	assert_int_equal(find(&t, "200", false, NULL, "10.1.2.3", true, NULL), -2);
	assert_int_equal(find(&t, "bob", false, "other.test", "10.1.2.3", true, NULL), -2);
	/* domains */
	assert_int_equal(find(&t, "bob", false, "Partner.Test", "10.1.2.3", true, NULL), 5);
	assert_int_equal(find(&t, "bob", false, "partner.test", "10.1.2.3", false, NULL), 105);
	assert_int_equal(find(&t, "anna", false, "x.sub.test", "10.1.2.3", true, NULL), 6);
	assert_int_equal(find(&t, "bob", false, "x.sub.test", "10.1.2.3", true, NULL), -2);
	assert_int_equal(find(&t, "anna", false, "sub.test", "10.1.2.3", true, NULL), -2);
	assert_int_equal(find(&t, "anna", false, "evilsub.test", "10.1.2.3", true, NULL), -2);
	table_close(&t);
}

static void without_routes_nothing_leaves(void **state)
{
	const struct table t = { 0 };

	(void)state;
	assert_int_equal(find(&t, "110", false, NULL, "10.0.0.1", true, NULL), -2);
}

static void gateways_that_are_down_are_left_out(void **state)
{
	static const struct tandem_route_config routes[] = {
		{ .to = "*", .via = via_both, .via_count = 2 },
	};
	struct tandem_gateway *list[TANDEM_ROUTE_VIA_MAX];
	uint64_t seed = 1;
	struct table t;

	(void)state;
	table_open(&t, routes, 1);
	assert_int_equal(tandem_route_gateways(t.routing->list, list, &seed), 2);
	assert_string_equal(list[0]->name, "one");
	t.gateways->list[0].up = false;
	assert_int_equal(tandem_route_gateways(t.routing->list, list, &seed), 1);
	assert_string_equal(list[0]->name, "two");
	/* when none is well, each may be */
	t.gateways->list[1].up = false;
	assert_int_equal(tandem_route_gateways(t.routing->list, list, &seed), 2);
	table_close(&t);
}

static void health_needs_several_of_the_same(void **state)
{
	struct tandem_sip ts = { 0 };
	struct tandem_gateway *one;
	struct table t;
	int i;

	(void)state;
	table_open(&t, NULL, 0);
	ts.gateways = t.gateways;
	one = tandem_gateway_find(t.gateways, "one");
	one->options_ms = 1000;

	tandem_gateway_asked(one, false);
	assert_true(one->up);
	tandem_gateway_asked(one, true);
	tandem_gateway_asked(one, false);
	assert_true(one->up);
	tandem_gateway_asked(one, false);
	assert_false(one->up);
	assert_int_not_equal(one->changed_s, 0);
	tandem_gateway_asked(one, true);
	tandem_gateway_asked(one, false);
	tandem_gateway_asked(one, true);
	assert_false(one->up);
	tandem_gateway_asked(one, true);
	assert_true(one->up);

	/* calls: five in a row, whatever comes of single ones */
	for (i = 0; i < 4; i++)
		tandem_gateway_outcome(&ts, "one", i & 1 ? 503 : 0);
	tandem_gateway_outcome(&ts, "one", 486);
	for (i = 0; i < 4; i++)
		tandem_gateway_outcome(&ts, "one", 408);
	assert_true(one->up);
	tandem_gateway_outcome(&ts, "one", 0);
	assert_false(one->up);
	/* one that is asked answers for itself */
	tandem_gateway_outcome(&ts, "one", 200);
	assert_false(one->up);
	assert_int_equal(one->calls, 11);
	assert_int_equal(one->failures, 9);

	one->options_ms = 0;
	tandem_gateway_rested(one);
	assert_true(one->up);
	tandem_gateway_outcome(&ts, "one", 503);
	assert_false(one->up);
	tandem_gateway_outcome(&ts, "one", 200);
	assert_true(one->up);

	tandem_gateway_outcome(&ts, NULL, 503);
	tandem_gateway_outcome(&ts, "nobody", 503);
	table_close(&t);
}

static void wrong_words_are_said(void **state)
{
	static const char *const odd[] = { "nobody" };
	static const struct {
		struct tandem_route_config route;
		const char *why;
	} cases[] = {
		{ { .to = "*", .via = odd, .via_count = 1 }, "'nobody' is none of dns" },
		{ { .to = "*", .from = odd, .from_count = 1, .via = via_one, .via_count = 1 },
		  "'nobody' is none of users" },
		{ { .to = "*", .via = via_dns, .via_count = 1 }, "for routes with a domain" },
		{ { .domain = "*", .via = via_enum, .via_count = 1 }, "without a domain" },
		{ { .via = via_one, .via_count = 1 }, "neither to nor domain" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(cases); i++) {
		const struct tandem_sip_config cfg = { .gateways = gateways,
						       .gateways_count = 2,
						       .routes = &cases[i].route,
						       .routes_count = 1 };
		struct tandem_gateways *g = NULL;
		struct tandem_routing *r = NULL;
		char why[200] = "";

		assert_int_equal(tandem_gateways_alloc(&g, NULL, &cfg, why, sizeof(why)), 0);
		assert_int_equal(tandem_routing_alloc(&r, g, &cfg, why, sizeof(why)), -EINVAL);
		if (!strstr(why, cases[i].why))
			fail_msg("%s", why);
		tandem_gateways_free(g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(priority_comes_before_weight),
		cmocka_unit_test(weights_are_shares),
		cmocka_unit_test(all_are_there_after_weighing),
		cmocka_unit_test(numbers_are_read),
		cmocka_unit_test(patterns_and_prefixes),
		cmocka_unit_test(enum_domains),
		cmocka_unit_test(enum_services),
		cmocka_unit_test(enum_expressions),
		cmocka_unit_test(records_in_their_order),
		cmocka_unit_test(the_first_route_that_fits),
		cmocka_unit_test(without_routes_nothing_leaves),
		cmocka_unit_test(gateways_that_are_down_are_left_out),
		cmocka_unit_test(health_needs_several_of_the_same),
		cmocka_unit_test(wrong_words_are_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
