/* SPDX-License-Identifier: GPL-2.0-only */
/* SIP messages between frames and a stream, and who is connected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/web/peers.h"
#include "userspace/web/text.h"

#define HEAD "OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bKa\r\n"
#define VIA  "SIP/2.0/WSS 192.0.2.1:8443"

static void length_of_a_stream(void **state)
{
	static const struct {
		const char *stream;
		ssize_t length;
	} cases[] = {
		{ HEAD, 0 },
		{ HEAD "Content-Length: 0\r\n", 0 },
		{ HEAD "Content-Length: 0\r\n\r\n", sizeof(HEAD) - 1 + 21 },
		{ HEAD "Content-Length: 2\r\n\r\nab", sizeof(HEAD) - 1 + 23 },
		{ HEAD "Content-Length: 2\r\n\r\nabSIP", sizeof(HEAD) - 1 + 23 },
		{ HEAD "Content-Length: 3\r\n\r\nab", 0 },
		{ HEAD "content-length  :  2 \r\n\r\nab", sizeof(HEAD) - 1 + 27 },
		{ HEAD "l: 2\r\n\r\nab", sizeof(HEAD) - 1 + 10 },
		{ HEAD "\r\n", -EBADMSG },
		{ HEAD "Content-Length: 2x\r\n\r\nab", -EBADMSG },
		{ HEAD "Content-Length:\r\n\r\nab", -EBADMSG },
		{ HEAD "Content-Length: -2\r\n\r\nab", -EBADMSG },
		{ HEAD "Content-Length: 1\r\n 2\r\n\r\nab", -EBADMSG },
		{ HEAD "Content-Length: 0\r\nl: 0\r\n\r\n", -EBADMSG },
		{ HEAD "Content-Length: 9999999\r\n\r\n", -EBADMSG },
		{ HEAD "Content-Length: 99999999999999999999\r\n\r\n", -EBADMSG },
		{ HEAD "Content-Lengths: 5\r\nlo: 7\r\nContent-Length: 0\r\n\r\n",
		  sizeof(HEAD) - 1 + 48 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ssize_t n = tandem_web_text_length(cases[i].stream, strlen(cases[i].stream));

		if (n != cases[i].length)
			fail_msg("case %zu: %zd, not %zd", i, n, cases[i].length);
	}
}

static void endless_headers_are_refused(void **state)
{
	char *stream = malloc(TANDEM_WEB_MESSAGE_MAX);

	(void)state;
	assert_non_null(stream);
	memset(stream, 'a', TANDEM_WEB_MESSAGE_MAX);
	assert_int_equal(tandem_web_text_length(stream, 1000), 0);
	assert_int_equal(tandem_web_text_length(stream, TANDEM_WEB_MESSAGE_MAX), -EBADMSG);
	free(stream);
}

static void assert_inward(const char *frame, const char *want)
{
	char *out;
	size_t len;
	int err = tandem_web_text_inward(&out, &len, frame, strlen(frame));

	if (!want) {
		assert_int_equal(err, -EBADMSG);
		return;
	}
	assert_int_equal(err, 0);
	assert_int_equal(len, strlen(want));
	assert_memory_equal(out, want, len);
	/* what goes in is whole there */
	assert_int_equal(tandem_web_text_length(out, len), (ssize_t)len);
	free(out);
}

static void frames_get_a_length(void **state)
{
	(void)state;
	assert_inward(HEAD "\r\n", HEAD "Content-Length: 0\r\n\r\n");
	assert_inward(HEAD "\r\nbody", HEAD "Content-Length: 4\r\n\r\nbody");
	assert_inward(HEAD "Content-Length: 4\r\n\r\nbody", HEAD "Content-Length: 4\r\n\r\nbody");
	assert_inward(HEAD "Content-Length: 2\r\n\r\nbody", HEAD "Content-Length: 2\r\n\r\nbo");
	assert_inward(HEAD "Content-Length: 5\r\n\r\nbody", NULL);
	assert_inward(HEAD "Content-Length: x\r\n\r\nbody", NULL);
	assert_inward(HEAD "l: 4\r\nContent-Length: 4\r\n\r\nbody", NULL);
	assert_inward("\r\n\r\n" HEAD "\r\n", HEAD "Content-Length: 0\r\n\r\n");
	assert_inward(HEAD, NULL);
	assert_inward("", NULL);
}

static void assert_outward(const char *message, const char *want)
{
	char *out;
	size_t len;
	int err = tandem_web_text_outward(&out, &len, message, strlen(message), VIA);

	if (!want) {
		assert_int_equal(err, -EBADMSG);
		return;
	}
	assert_int_equal(err, 0);
	assert_int_equal(len, strlen(want));
	assert_memory_equal(out, want, len);
	free(out);
}

static void the_top_via_names_the_listener(void **state)
{
	(void)state;
	assert_outward("BYE sip:a SIP/2.0\r\nVia: SIP/2.0/TCP 127.87.83.1:4;branch=b;rport\r\n"
		       "Via: SIP/2.0/UDP 192.0.2.7;branch=c\r\nl: 2\r\n\r\nab",
		       "BYE sip:a SIP/2.0\r\nVia: " VIA ";branch=b;rport\r\n"
		       "Via: SIP/2.0/UDP 192.0.2.7;branch=c\r\nl: 2\r\n\r\nab");
	assert_outward("SIP/2.0 200 OK\r\nVia: SIP/2.0/WSS x.invalid;branch=b\r\n\r\n",
		       "SIP/2.0 200 OK\r\nVia: SIP/2.0/WSS x.invalid;branch=b\r\n\r\n");
	assert_outward("BYE sip:a SIP/2.0\r\nl: 0\r\n\r\n", NULL);
	assert_outward("BYE sip:a SIP/2.0\r\nVia: SIP/2.0/TCP x\r\n", NULL);
}

static void set(struct tandem_web_peer *p, const char *ip, uint16_t port, uint16_t inner)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&p->addr;

	memset(p, 0, sizeof(*p));
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	assert_int_equal(inet_pton(AF_INET, ip, &in->sin_addr), 1);
	p->inner = inner;
	p->listener = 9;
}

static void peers_are_found_from_both_sides(void **state)
{
	struct tandem_web_peer a, b, c, found;
	struct tandem_web_peers *peers = malloc(sizeof(*peers));

	(void)state;
	assert_non_null(peers);
	tandem_web_peers_init(peers);
	set(&a, "192.0.2.1", 1000, 5);
	/* in the same chains */
	set(&b, "192.0.2.1", 1001, 5 + TANDEM_WEB_BUCKETS);
	set(&c, "192.0.2.2", 1000, 7);
	tandem_web_peers_add(peers, &a);
	tandem_web_peers_add(peers, &b);
	assert_int_equal(tandem_web_peers_from(peers, (struct sockaddr *)&a.addr), 2);
	assert_int_equal(tandem_web_peers_count(peers), 2);
	assert_true(tandem_web_peers_by_inner(peers, 5, &found));
	assert_memory_equal(&found.addr, &a.addr, sizeof(a.addr));
	assert_true(tandem_web_peers_by_outer(peers, (struct sockaddr *)&b.addr, &found));
	assert_int_equal(found.inner, 5 + TANDEM_WEB_BUCKETS);
	assert_int_equal(found.listener, 9);
	assert_false(tandem_web_peers_by_outer(peers, (struct sockaddr *)&c.addr, &found));
	tandem_web_peers_remove(peers, &a);
	assert_false(tandem_web_peers_by_inner(peers, 5, &found));
	assert_true(tandem_web_peers_by_inner(peers, 5 + TANDEM_WEB_BUCKETS, &found));
	tandem_web_peers_remove(peers, &b);
	assert_int_equal(tandem_web_peers_from(peers, (struct sockaddr *)&a.addr), 0);
	tandem_web_peers_clean(peers);
	free(peers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(length_of_a_stream),
		cmocka_unit_test(endless_headers_are_refused),
		cmocka_unit_test(frames_get_a_length),
		cmocka_unit_test(the_top_via_names_the_listener),
		cmocka_unit_test(peers_are_found_from_both_sides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
