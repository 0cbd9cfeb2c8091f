/* SPDX-License-Identifier: GPL-2.0-only */
/* From URIs to addresses (RFC 3263), with a name server in this process. */
#include "tests/unit/dns_fixture.h"

#include "userspace/sip/locate.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct zone_record records[] = {
	ZONE_A("host.test", "192.0.2.1"),
	ZONE_AAAA("host.test", "2001:db8::1"),
	ZONE_A("four.test", "192.0.2.4"),
	ZONE_A("two.test", "192.0.2.5"),
	ZONE_A("two.test", "192.0.2.6"),
	ZONE_CNAME("alias.test", "four.test"),
	/* NAPTR: TCP is preferred */
	ZONE_NAPTR("naptr.test", 20, 1, "s", "SIP+D2U", "", "_sip._udp.naptr.test"),
	ZONE_NAPTR("naptr.test", 10, 9, "S", "sip+d2t", "", "_sip._tcp.naptr.test"),
	ZONE_NAPTR("naptr.test", 5, 1, "s", "SIPS+D2T", "", "_sips._tcp.naptr.test"),
	ZONE_NAPTR("naptr.test", 1, 1, "u", "E2U+sip", "!^.*$!sip:x@y!", ""),
	ZONE_SRV("_sip._udp.naptr.test", 1, 1, 5070, "four.test"),
	ZONE_SRV("_sip._tcp.naptr.test", 1, 1, 5080, "four.test"),
	ZONE_SRV("_sips._tcp.naptr.test", 1, 1, 5081, "four.test"),
	/* NAPTR of no use, SRV for UDP alone */
	ZONE_NAPTR("odd.test", 1, 1, "s", "SIP+D2S", "", "_sip._sctp.odd.test"),
	ZONE_SRV("_sip._udp.odd.test", 2, 0, 5062, "two.test"),
	ZONE_SRV("_sip._udp.odd.test", 1, 0, 5061, "four.test"),
	/* SRV for both */
	ZONE_SRV("_sip._udp.both.test", 1, 1, 5060, "four.test"),
	ZONE_SRV("_sip._tcp.both.test", 1, 1, 5060, "four.test"),
	/* decidedly no SIP here */
	ZONE_SRV("_sip._udp.none.test", 0, 0, 0, "."),
	ZONE_A("none.test", "192.0.2.9"),
	/* where a stranger would like us to send */
	ZONE_A("link.test", "169.254.1.1"),
	ZONE_A("group.test", "224.0.0.1"),
	ZONE_A("mixed.test", "169.254.1.1"),
	ZONE_A("mixed.test", "192.0.2.7"),
};

struct search {
	struct tandem_names *names;
	struct tandem_facts *facts;
	struct tandem_sip ts;
	struct tandem_listener listeners[4];
	struct tandem_dest dests[TANDEM_DESTS_MAX];
	size_t count;
	unsigned int steps;
};

static void step(void *arg)
{
	((struct search *)arg)->steps++;
}

static void search_open(struct search *s)
{
	static const struct {
		enum sip_transp tp;
		const char *addr;
	} listeners[] = { { SIP_TRANSP_UDP, "198.51.100.1:5060" },
			  { SIP_TRANSP_TCP, "198.51.100.1:5060" },
			  { SIP_TRANSP_UDP, "[2001:db8::99]:5060" },
			  { SIP_TRANSP_TCP, "[2001:db8::99]:5060" } };
	struct sa server;
	size_t i;

	memset(s, 0, sizeof(*s));
	sa_decode(&server, ZONE_SERVER, strlen(ZONE_SERVER));
	assert_int_equal(tandem_names_alloc(&s->names, &server, 1), 0);
	for (i = 0; i < COUNT(listeners); i++) {
		s->listeners[i].tp = listeners[i].tp;
		sa_decode(&s->listeners[i].addr, listeners[i].addr, strlen(listeners[i].addr));
	}
	s->ts.listeners = s->listeners;
	s->ts.listeners_count = COUNT(listeners);
}

static void search_close(struct search *s)
{
	tandem_names_free(s->names);
}

static int locate(struct search *s, const char *uri)
{
	unsigned int waited = 0;
	struct pl pl;
	int err;

	pl_set_str(&pl, uri);
	s->facts = tandem_facts_alloc(s->names, step, s);
	for (;;) {
		err = tandem_locate(s->facts, &s->ts, &pl, 1, s->dests, &s->count);
		if (err != -EINPROGRESS || waited > 8000)
			break;
		run_ms(5);
		waited += 5;
	}
	s->facts = mem_deref(s->facts);

	return err;
}

/* "udp 192.0.2.1:5060, ..." */
static const char *text_of(const struct search *s)
{
	static char text[512];
	size_t i, n = 0;

	text[0] = '\0';
	for (i = 0; i < s->count; i++)
		n += (size_t)re_snprintf(text + n, sizeof(text) - n, "%s%s %J", i ? ", " : "",
					 sip_transp_name(s->dests[i].tp), &s->dests[i].addr);

	return text;
}

static int setup(void **state)
{
	static struct zone zone;

	own_loopback();
	assert_int_equal(libre_init(), 0);
	zone_open(&zone, records, COUNT(records));
	*state = &zone;
	return 0;
}

static int teardown(void **state)
{
	struct memstat stat;

	zone_close(*state);
	libre_close();
	if (!mem_get_stat(&stat) && stat.blocks_cur)
		fail_msg("%zu blocks leaked", stat.blocks_cur);
	return 0;
}

static void where_uris_lead(void **state)
{
	static const struct {
		const char *uri;
		int err;
		const char *dests;
	} cases[] = {
		{ "sip:192.0.2.3", 0, "UDP 192.0.2.3:5060" },
		{ "sip:a@[2001:db8::5]:5070;transport=tcp", 0, "TCP [2001:db8::5]:5070" },
		{ "sip:host.test:5070", 0, "UDP [2001:db8::1]:5070, UDP 192.0.2.1:5070" },
		{ "sip:host.test", 0, "UDP [2001:db8::1]:5060, UDP 192.0.2.1:5060" },
		{ "sip:host.test;transport=tcp", 0, "TCP [2001:db8::1]:5060, TCP 192.0.2.1:5060" },
		{ "sip:two.test", 0, "UDP 192.0.2.5:5060, UDP 192.0.2.6:5060" },
		{ "sip:alias.test", 0, "UDP 192.0.2.4:5060" },
		{ "sip:naptr.test", 0, "TCP 192.0.2.4:5080, UDP 192.0.2.4:5070" },
		{ "sip:naptr.test;transport=udp", 0, "UDP 192.0.2.4:5070" },
		{ "sip:odd.test", 0, "UDP 192.0.2.4:5061, UDP 192.0.2.5:5062, UDP 192.0.2.6:5062" },
		{ "sip:both.test", 0, "UDP 192.0.2.4:5060, TCP 192.0.2.4:5060" },
		{ "sip:x@nowhere.test;maddr=four.test", 0, "UDP 192.0.2.4:5060" },
		{ "sip:none.test", -ENOENT, "" },
		{ "sip:nowhere.test", -ENOENT, "" },
		{ "sip:link.test", -EACCES, "" },
		{ "sip:group.test", -EACCES, "" },
		{ "sip:mixed.test", 0, "UDP 192.0.2.7:5060" },
		{ "sip:127.0.0.1", -EACCES, "" },
		{ "sips:host.test", -EPROTONOSUPPORT, "" },
		{ "sip:host.test;transport=sctp", -EPROTONOSUPPORT, "" },
		{ "tel:+4930", -EINVAL, "" },
	};
	struct search s;
	size_t i;
	int err;

	(void)state;
	search_open(&s);
	for (i = 0; i < COUNT(cases); i++) {
		err = locate(&s, cases[i].uri);
		if (err != cases[i].err || strcmp(text_of(&s), cases[i].dests))
			fail_msg("%s: %d, %s", cases[i].uri, err, text_of(&s));
	}
	search_close(&s);
}

/* What is known is not asked for again, while it is valid; also that there is nothing. */
static void answers_are_kept(void **state)
{
	struct zone *z = *state;
	unsigned int asked;
	struct search s;

	search_open(&s);
	z->ttl = 2;
	assert_int_equal(locate(&s, "sip:four.test:5060"), 0);
	assert_int_equal(locate(&s, "sip:nowhere.test:5060"), -ENOENT);
	asked = z->asked;
	assert_int_equal(asked, 4);
	assert_int_equal(tandem_names_cached(s.names), 4);
	assert_int_equal(locate(&s, "sip:FOUR.test:5060"), 0);
	assert_int_equal(locate(&s, "sip:nowhere.test:5060"), -ENOENT);
	assert_int_equal(z->asked, asked);
	run_ms(2100);
	assert_int_equal(locate(&s, "sip:four.test:5060"), 0);
	/* of A; that there is no AAAA is known for longer, as there is no SOA to tell */
	assert_int_equal(z->asked, asked + 1);
	search_close(&s);
}

static void count_answer(const struct tandem_answer *answer, void *arg)
{
	assert_int_equal(answer->err, 0);
	++*(unsigned int *)arg;
}

static void one_question_for_all_who_ask(void **state)
{
	struct tandem_question *q[3] = { NULL };
	struct tandem_answer *answer = NULL;
	struct zone *z = *state;
	unsigned int answered = 0, i;
	struct search s;

	search_open(&s);
	for (i = 0; i < 3; i++)
		assert_int_equal(tandem_names_ask(s.names, &q[i], &answer, "two.test", DNS_TYPE_A,
						  count_answer, &answered),
				 -EINPROGRESS);
	/* one does not want to know any more */
	q[1] = mem_deref(q[1]);
	run_ms(50);
	assert_int_equal(z->asked, 1);
	assert_int_equal(answered, 2);
	mem_deref(q[0]);
	mem_deref(q[2]);
	search_close(&s);
}

static void names_that_are_none(void **state)
{
	static const char *const names[] = { "", ".", "a..b", ".a", "a b", "a\nb", "a\\b" };
	struct tandem_question *q = NULL;
	struct tandem_answer *answer = NULL;
	struct search s;
	char longest[300];
	size_t i;

	(void)state;
	search_open(&s);
	for (i = 0; i < COUNT(names); i++)
		assert_int_equal(tandem_names_ask(s.names, &q, &answer, names[i], DNS_TYPE_A,
						  count_answer, NULL),
				 -EMSGSIZE);
	memset(longest, 'a', 64);
	longest[64] = '\0';
	assert_int_equal(
		tandem_names_ask(s.names, &q, &answer, longest, DNS_TYPE_A, count_answer, NULL),
		-EMSGSIZE);
	for (i = 0; i < sizeof(longest) - 1; i++)
		longest[i] = i % 2 ? '.' : 'a';
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(
		tandem_names_ask(s.names, &q, &answer, longest, DNS_TYPE_A, count_answer, NULL),
		-EMSGSIZE);
	search_close(&s);
}

static void servers_that_fail(void **state)
{
	struct zone *z = *state;
	struct search s;

	search_open(&s);
	z->refused = 2;
	assert_int_equal(locate(&s, "sip:host.test:5060"), -EIO);
	z->silent = true;
	assert_int_equal(locate(&s, "sip:four.test:5060"), -EIO);
	assert_int_equal(tandem_names_waiting(s.names), 0);
	search_close(&s);
}

static void questions_that_wait_are_bounded(void **state)
{
	struct tandem_question *q[300] = { NULL };
	struct tandem_answer *answer = NULL;
	struct zone *z = *state;
	struct search s;
	unsigned int i, n = 0;
	char name[32];
	int err = -EINPROGRESS;

	search_open(&s);
	z->silent = true;
	for (i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "n%u.test", i);
		err = tandem_names_ask(s.names, &q[i], &answer, name, DNS_TYPE_A, count_answer, &n);
		if (err != -EINPROGRESS)
			break;
	}
	assert_int_equal(err, -EAGAIN);
	assert_int_equal(i, tandem_names_waiting(s.names));
	while (i--)
		mem_deref(q[i]);
	/* with questions still out, and nobody who waits */
	search_close(&s);
	assert_int_equal(n, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(where_uris_lead),
		TEST(answers_are_kept),
		TEST(one_question_for_all_who_ask),
		TEST(names_that_are_none),
		TEST(servers_that_fail),
		TEST(questions_that_wait_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
