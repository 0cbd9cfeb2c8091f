/* SPDX-License-Identifier: GPL-2.0-only */
/* Attribute values of ICE: candidates, credentials, options, remote-candidates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/media/candidate.h"

/* In memory of just that size, so that reading further is found. */
static int parse(struct tandem_candidate *c, const char *text)
{
	size_t len = strlen(text);
	char *copy = malloc(len ? len : 1);
	int err;

	memcpy(copy, text, len);
	err = tandem_candidate_parse(c, copy, len);
	free(copy);
	return err;
}

static void reads(void **state)
{
	static const struct {
		const char *text, *foundation, *address;
		unsigned int component;
		bool udp;
		uint32_t priority;
		enum tandem_candidate_type type;
		enum tandem_candidate_address kind;
		bool related;
	} cases[] = {
		{ "1 1 UDP 2130706431 192.0.2.1 5000 typ host", "1", "192.0.2.1:5000", 1, true,
		  2130706431, TANDEM_CANDIDATE_HOST, TANDEM_CANDIDATE_IP, false },
		{ "candidate:1 1 UDP 1 192.0.2.1 5000 typ host", "1", "192.0.2.1:5000", 1, true, 1,
		  TANDEM_CANDIDATE_HOST, TANDEM_CANDIDATE_IP, false },
		{ "a+/Z 2 udp 1694498815 203.0.113.7 45664 typ srflx raddr 10.0.1.1 rport 8998",
		  "a+/Z", "203.0.113.7:45664", 2, true, 1694498815, TANDEM_CANDIDATE_SRFLX,
		  TANDEM_CANDIDATE_IP, true },
		{ "842163049 1 udp 1677729535 2001:db8::5 1 typ relay raddr :: rport 9 generation "
		  "0 ufrag EEtu network-id 3 network-cost 10",
		  "842163049", "[2001:db8::5]:1", 1, true, 1677729535, TANDEM_CANDIDATE_RELAY,
		  TANDEM_CANDIDATE_IP, true },
		{ "4 1 TCP 2105458943 192.0.2.1 9 typ host tcptype active", "4", "192.0.2.1:9", 1,
		  false, 2105458943, TANDEM_CANDIDATE_HOST, TANDEM_CANDIDATE_IP, false },
		{ "1 1 udp 1 9b36eaac-bb2e-49bb-bb78-21c41c499900.local 1 typ host", "1", NULL, 1,
		  true, 1, TANDEM_CANDIDATE_HOST, TANDEM_CANDIDATE_MDNS, false },
		{ "1 1 udp 1 X.LOCAL 1 typ host", "1", NULL, 1, true, 1, TANDEM_CANDIDATE_HOST,
		  TANDEM_CANDIDATE_MDNS, false },
		{ "1 256 udp 1 host.example.org 1 typ prflx", "1", NULL, 256, true, 1,
		  TANDEM_CANDIDATE_PRFLX, TANDEM_CANDIDATE_FQDN, false },
		{ "1 1 UDP 4294967295 192.0.2.1 0 typ novel x y", "1", NULL, 1, true, UINT32_MAX,
		  TANDEM_CANDIDATE_OTHER, TANDEM_CANDIDATE_IP, false },
		{ "1 1 UDP 1 192.0.2.1 5000 typ srflx raddr hidden.local rport 0", "1",
		  "192.0.2.1:5000", 1, true, 1, TANDEM_CANDIDATE_SRFLX, TANDEM_CANDIDATE_IP,
		  false },
		{ "  1  1 UDP 1 192.0.2.1 5000  typ host ", "1", "192.0.2.1:5000", 1, true, 1,
		  TANDEM_CANDIDATE_HOST, TANDEM_CANDIDATE_IP, false },
	};
	char text[TANDEM_ENDPOINT_STRLEN];
	struct tandem_candidate c;
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (parse(&c, cases[i].text))
			fail_msg("refused: %s", cases[i].text);
		assert_string_equal(c.foundation, cases[i].foundation);
		assert_int_equal(c.component, cases[i].component);
		assert_int_equal(c.udp, cases[i].udp);
		assert_int_equal(c.priority, cases[i].priority);
		assert_int_equal(c.type, cases[i].type);
		assert_int_equal(c.kind, cases[i].kind);
		assert_int_equal(c.has_related, cases[i].related);
		if (cases[i].address)
			assert_string_equal(tandem_endpoint_format(&c.addr, text, sizeof(text)),
					    cases[i].address);
	}
}

static void refuses(void **state)
{
	static const char *const cases[] = {
		"",
		"candidate:",
		"1",
		"1 1 UDP 1 192.0.2.1 5000",
		"1 1 UDP 1 192.0.2.1 5000 typ",
		"1 1 UDP 1 192.0.2.1 5000 host",
		"1 0 UDP 1 192.0.2.1 5000 typ host",
		"1 257 UDP 1 192.0.2.1 5000 typ host",
		"1 x UDP 1 192.0.2.1 5000 typ host",
		"1 -1 UDP 1 192.0.2.1 5000 typ host",
		"1 1 UDP 4294967296 192.0.2.1 5000 typ host",
		"1 1 UDP 99999999999 192.0.2.1 5000 typ host",
		"1 1 UDP 1 192.0.2.1 65536 typ host",
		"1 1 UDP 1 192.0.2.1 +1 typ host",
		"1 1 UDP 1 fe80::1%eth0 1 typ host",
		"1 1 UDP 1 a\x01z 1 typ host",
		"1 1 UDP 1 192.0.2.1 1 typ host alone",
		"1 1 UDP 1 192.0.2.1 1 typ srflx raddr 10.0.0.1 rport 65536",
		"012345678901234567890123456789012 1 UDP 1 192.0.2.1 1 typ host",
		"a-b 1 UDP 1 192.0.2.1 1 typ host",
	};
	struct tandem_candidate c;
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (parse(&c, cases[i]) != -EBADMSG)
			fail_msg("accepted: %s", cases[i]);
	}
	/* NUL within */
	assert_int_equal(tandem_candidate_parse(&c, "1\0 1 UDP 1 192.0.2.1 1 typ host", 31),
			 -EBADMSG);
	assert_int_equal(tandem_candidate_parse(&c, "1 1 UDP 1 a\0c 1 typ host", 24), -EBADMSG);
}

static void writes(void **state)
{
	static const char *const texts[] = {
		"1 1 UDP 2130706431 192.0.2.1 5000 typ host",
		"Ab+/ 2 UDP 1 2001:db8::1 65535 typ host",
		"3 1 UDP 1694498815 203.0.113.7 45664 typ srflx raddr 10.0.1.1 rport 8998",
		"3 1 UDP 1 203.0.113.7 1 typ relay raddr 2001:db8::1 rport 8998",
	};
	char text[TANDEM_CANDIDATE_STRLEN];
	struct tandem_candidate c;
	(void)state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int n = (int)strlen(texts[i]);

		assert_int_equal(parse(&c, texts[i]), 0);
		assert_int_equal(tandem_candidate_format(&c, text, sizeof(text)), n);
		assert_string_equal(text, texts[i]);
		assert_int_equal(tandem_candidate_format(&c, text, (size_t)n), -ENOSPC);
	}
	c.component = 0;
	assert_int_equal(tandem_candidate_format(&c, text, sizeof(text)), -EINVAL);
	assert_int_equal(parse(&c, "1 1 TCP 1 192.0.2.1 9 typ host"), 0);
	assert_int_equal(tandem_candidate_format(&c, text, sizeof(text)), -EINVAL);
	assert_int_equal(parse(&c, "1 1 UDP 1 x.local 9 typ host"), 0);
	assert_int_equal(tandem_candidate_format(&c, text, sizeof(text)), -EINVAL);
}

static void credentials(void **state)
{
	char longest[TANDEM_ICE_CRED_MAX + 1];
	(void)state;

	memset(longest, 'x', sizeof(longest));
	assert_true(tandem_ice_ufrag_valid("8hhY", 4));
	assert_false(tandem_ice_ufrag_valid("8hh", 3));
	assert_false(tandem_ice_ufrag_valid("8hh:", 4));
	assert_true(tandem_ice_ufrag_valid(longest, 256));
	assert_false(tandem_ice_ufrag_valid(longest, 257));
	assert_true(tandem_ice_pwd_valid("asd88fgpdd777uzjYhagZ+", 22));
	assert_false(tandem_ice_pwd_valid("asd88fgpdd777uzjYhagZ+", 21));
	assert_false(tandem_ice_pwd_valid("asd88fgpdd777uzjYhag\0+", 22));
	assert_false(tandem_ice_pwd_valid(longest, 257));
}

static void options(void **state)
{
	(void)state;
	assert_true(tandem_ice_has_option("trickle ice2", 12, "ice2"));
	assert_true(tandem_ice_has_option("trickle", 7, "trickle"));
	assert_false(tandem_ice_has_option("trickle ice2", 11, "ice2"));
	assert_false(tandem_ice_has_option("trickles", 8, "trickle"));
	assert_false(tandem_ice_has_option("", 0, "trickle"));
}

static void remote_candidates(void **state)
{
	static const char text[] = "1 192.0.2.3 45664 2 2001:db8::3 45665";
	static const char *const bad[] = {
		"",
		"1",
		"1 192.0.2.3",
		"1 x 2",
		"0 192.0.2.3 5",
		"1 192.0.2.3 0",
		"1 192.0.2.3 5 2",
	};
	struct tandem_endpoint eps[TANDEM_ICE_COMPONENTS];
	char buf[128];
	(void)state;

	assert_int_equal(tandem_remote_candidates_parse(eps, text, strlen(text)), 0);
	assert_int_equal(eps[0].port, 45664);
	assert_int_equal(eps[1].port, 45665);
	assert_int_equal(tandem_remote_candidates_format(eps, 2, buf, sizeof(buf)),
			 (int)strlen(text));
	assert_string_equal(buf, text);
	assert_int_equal(tandem_remote_candidates_format(eps, 2, buf, strlen(text)), -ENOSPC);
	assert_int_equal(tandem_remote_candidates_format(eps, 0, buf, sizeof(buf)), -EINVAL);
	assert_int_equal(tandem_remote_candidates_parse(eps, "2 192.0.2.3 5 ", 14), 0);
	assert_int_equal(eps[0].port, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(tandem_remote_candidates_parse(eps, bad[i], strlen(bad[i])),
				 -EBADMSG);
}

/* RFC 8445 5.1.2.1: type before local preference before component */
static void priorities(void **state)
{
	(void)state;
	assert_int_equal(tandem_candidate_priority(TANDEM_CANDIDATE_HOST, 65535, 1), 2130706431);
	assert_int_equal(tandem_candidate_priority(TANDEM_CANDIDATE_HOST, 65535, 2), 2130706430);
	assert_true(tandem_candidate_priority(TANDEM_CANDIDATE_PRFLX, 0, 256) >
		    tandem_candidate_priority(TANDEM_CANDIDATE_SRFLX, 65535, 1));
	assert_true(tandem_candidate_priority(TANDEM_CANDIDATE_RELAY, 65535, 1) <
		    tandem_candidate_priority(TANDEM_CANDIDATE_SRFLX, 0, 256));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),      cmocka_unit_test(refuses),
		cmocka_unit_test(writes),     cmocka_unit_test(credentials),
		cmocka_unit_test(options),    cmocka_unit_test(remote_candidates),
		cmocka_unit_test(priorities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
