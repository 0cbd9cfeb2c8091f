/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses, blocks and log lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "userspace/util/endpoint.h"
#include "userspace/util/log.h"

static void parse_and_format(void **state)
{
	static const struct {
		const char *text, *endpoint;
		int family;
	} cases[] = {
		{ "192.0.2.1", "192.0.2.1:5004", AF_INET },
		{ "0.0.0.0", "0.0.0.0:5004", AF_INET },
		{ "2001:db8::1", "[2001:db8::1]:5004", AF_INET6 },
		{ "::", "[::]:5004", AF_INET6 },
		{ "fe80::ffff:ffff:ffff:ffff", "[fe80::ffff:ffff:ffff:ffff]:5004", AF_INET6 },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tandem_endpoint ep = { .port = 5004 }, back;
		char buf[TANDEM_ENDPOINT_STRLEN];
		struct sockaddr_storage ss;

		assert_int_equal(tandem_ip_parse(&ep.ip, cases[i].text), 0);
		assert_int_equal(tandem_ip_family(&ep.ip), cases[i].family);
		assert_string_equal(tandem_ip_format(&ep.ip, buf, sizeof(buf)), cases[i].text);
		assert_string_equal(tandem_endpoint_format(&ep, buf, sizeof(buf)),
				    cases[i].endpoint);
		tandem_endpoint_to_sockaddr(&ep, &ss);
		assert_int_equal(ss.ss_family, cases[i].family);
		assert_int_equal(tandem_endpoint_from_sockaddr(&back, (struct sockaddr *)&ss), 0);
		assert_true(tandem_endpoint_equal(&ep, &back));
	}
}

static void mapped_text_is_ipv4(void **state)
{
	struct ip_addr a, b;
	(void)state;

	assert_int_equal(tandem_ip_parse(&a, "::ffff:192.0.2.1"), 0);
	assert_int_equal(tandem_ip_parse(&b, "192.0.2.1"), 0);
	assert_true(tandem_ip_equal(&a, &b));
}

static void refuses(void **state)
{
	static const char *const addresses[] = { "",	    "192.0.2",	  "192.0.2.256", "host",
						 "1::2::3", "192.0.2.1 ", "[::1]" };
	static const char *const blocks[] = { "",
					      "/",
					      "10.0.0.0/",
					      "10.0.0.0/33",
					      "::/129",
					      "10.0.0.0/-1",
					      "10.0.0.0/8x",
					      "10.0.0.0/0008",
					      "10.0.0.0/ 8",
					      "x/8" };
	struct tandem_endpoint ep;
	struct tandem_prefix p;
	struct sockaddr sa = { .sa_family = AF_UNIX };
	(void)state;

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		assert_int_equal(tandem_ip_parse(&ep.ip, addresses[i]), -EINVAL);
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		assert_int_equal(tandem_prefix_parse(&p, blocks[i]), -EINVAL);
	assert_int_equal(tandem_endpoint_from_sockaddr(&ep, &sa), -EAFNOSUPPORT);
}

static void any_addresses(void **state)
{
	static const struct {
		const char *text;
		bool any;
	} cases[] = { { "::", true }, { "0.0.0.0", true }, { "::1", false }, { "0.0.0.1", false } };
	struct ip_addr ip;
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(tandem_ip_parse(&ip, cases[i].text), 0);
		assert_int_equal(tandem_ip_is_any(&ip), cases[i].any);
	}
}

static void endpoints(void **state)
{
	static const char *const good[] = { "192.0.2.1:5004", "[2001:db8::1]:1", "[::]:65535" };
	static const char *const bad[] = {
		"",
		"192.0.2.1",
		":5004",
		"192.0.2.1:",
		"192.0.2.1:0",
		"192.0.2.1:65536",
		"192.0.2.1:+5",
		"192.0.2.1:5 ",
		"2001:db8::1",
		"2001:db8::1:5004",
		"[2001:db8::1]",
		"[2001:db8::1]5004",
		"[]:5004",
		"[192.0.2.1]:5004",
		"[2001:db8::1:50",
		"host.example:5004",
	};
	char text[TANDEM_ENDPOINT_STRLEN];
	struct tandem_endpoint ep;
	(void)state;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(tandem_endpoint_parse(&ep, good[i]), 0);
		assert_string_equal(tandem_endpoint_format(&ep, text, sizeof(text)), good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (tandem_endpoint_parse(&ep, bad[i]) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	}
}

static void blocks_contain(void **state)
{
	static const struct {
		const char *block, *address;
		bool in;
	} cases[] = {
		{ "10.0.0.0/8", "10.255.1.1", true },
		{ "10.0.0.0/8", "11.0.0.1", false },
		{ "192.0.2.128/25", "192.0.2.200", true },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "0.0.0.0/0", "203.0.113.9", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "fd00::/8", "fd12::1", true },
		{ "fd00::/8", "fc12::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "::/0", "192.0.2.1", false },
		{ "::ffff:0:0/96", "192.0.2.1", true },
		{ "2001:db8::1", "2001:db8::1", true },
		{ "fe80::/10", "febf::1", true },
		{ "fe80::/10", "fec0::1", false },
	};
	struct tandem_prefix p;
	struct ip_addr ip;
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(tandem_prefix_parse(&p, cases[i].block), 0);
		assert_int_equal(tandem_ip_parse(&ip, cases[i].address), 0);
		if (tandem_prefix_contains(&p, &ip) != cases[i].in)
			fail_msg("%s in %s", cases[i].address, cases[i].block);
	}
}

/* Runs one log call with stderr turned into a pipe; returns what was written. */
static size_t logged(char *buf, size_t size, enum tandem_log_level level, const char *text)
{
	int fds[2], saved = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], STDERR_FILENO);
	tandem_log(level, "test", "%s", text);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fds[1]);
	n = read(fds[0], buf, size - 1);
	close(fds[0]);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static void log_lines(void **state)
{
	enum tandem_log_level level;
	char buf[4096], big[3000];
	(void)state;

	assert_int_equal(tandem_log_level_parse("debug", &level), 0);
	assert_int_equal(level, TANDEM_LOG_DEBUG);
	assert_int_equal(tandem_log_level_parse("loud", &level), -EINVAL);

	logged(buf, sizeof(buf), TANDEM_LOG_WARNING, "a\r\nerror forged\x1b\x7f");
	assert_string_equal(buf, "warning test: a\\x0d\\x0aerror forged\\x1b\\x7f\n");
	assert_int_equal(logged(buf, sizeof(buf), TANDEM_LOG_DEBUG, "quiet"), 0);
	tandem_log_set_level(TANDEM_LOG_DEBUG);
	assert_true(logged(buf, sizeof(buf), TANDEM_LOG_DEBUG, "loud") > 0);
	tandem_log_set_level(TANDEM_LOG_INFO);

	memset(big, '\n', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_in_range(logged(buf, sizeof(buf), TANDEM_LOG_ERROR, big), 2000, 2100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_and_format), cmocka_unit_test(mapped_text_is_ipv4),
		cmocka_unit_test(refuses),	    cmocka_unit_test(any_addresses),
		cmocka_unit_test(endpoints),	    cmocka_unit_test(blocks_contain),
		cmocka_unit_test(log_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
