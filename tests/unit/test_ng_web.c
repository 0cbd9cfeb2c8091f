/* SPDX-License-Identifier: GPL-2.0-only */
/* The NG protocol by WebSocket (RFC 6455). */
#include "tests/unit/ng_http.h"

#define TEXT   0x1
#define BINARY 0x2
#define CLOSE  0x8
#define FIN    0x80

static bool shake_hands(struct world *w, const char *headers)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "GET / HTTP/1.1\r\n%sUpgrade: websocket\r\nConnection: Upgrade\r\n"
		 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
		 headers);
	say(w, text);
	while (!w->closed && !memmem(w->heard, w->heard_len, "\r\n\r\n", 4))
		turn(w);
	/* of the key above, as section 1.3 has it */
	if (!strncmp(w->heard, "HTTP/1.1 101 ", 13) &&
	    !strcasestr(w->heard, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
		fail_msg("%s", w->heard);
	return !strncmp(w->heard, "HTTP/1.1 101 ", 13);
}

static void open_socket(struct world *w, const char *protocol)
{
	char headers[256];

	snprintf(headers, sizeof(headers), HOST "Sec-WebSocket-Protocol: %s\r\n", protocol);
	assert_true(shake_hands(w, headers));
	forget(w);
}

/* A frame of a client's: masked, and here with zeros. */
static size_t put_frame(unsigned char *buf, unsigned int first, const char *text, size_t len)
{
	size_t n = 2;

	buf[0] = (unsigned char)first;
	buf[1] = (unsigned char)(0x80 | (len < 126 ? len : 126));
	if (len >= 126) {
		buf[2] = (unsigned char)(len >> 8);
		buf[3] = (unsigned char)len;
		n = 4;
	}
	memset(buf + n, 0, 4);
	memcpy(buf + n + 4, text, len);
	return n + 4 + len;
}

static void say_frame(struct world *w, unsigned int first, const char *text)
{
	unsigned char buf[4096];

	say_raw(w, buf, put_frame(buf, first, text, strlen(text)));
}

/* The next frame of the server's is this one. */
static void hear_frame(struct world *w, unsigned int first, const char *text)
{
	size_t len = strlen(text);

	hear_octets(w, 2 + len);
	assert_int_equal((unsigned char)w->heard[0], first);
	assert_int_equal((unsigned char)w->heard[1], len);
	assert_memory_equal(w->heard + 2, text, len);
	w->heard_len -= 2 + len;
	memmove(w->heard, w->heard + 2 + len, w->heard_len);
}

static void hear_close(struct world *w, unsigned int status)
{
	hear_octets(w, 4);
	assert_int_equal((unsigned char)w->heard[0], FIN | CLOSE);
	assert_int_equal((unsigned char)w->heard[2] << 8 | (unsigned char)w->heard[3], status);
}

static void messages(void **state)
{
	struct world w;

	(void)state;
	open_ng(&w, "127.0.0.1", "127.0.0.1");
	open_socket(&w, "ng.rtpengine.com");
	say_frame(&w, FIN | TEXT, "c1 {\"command\":\"ping\"}");
	hear_frame(&w, FIN | TEXT, "c1 {\"result\":\"pong\"}");
	say_frame(&w, FIN | BINARY, "c2 d7:command4:pinge");
	hear_frame(&w, FIN | BINARY, "c2 d6:result4:ponge");
	say_frame(&w, TEXT, "c3 d7:comm");
	say_frame(&w, 0, "and4:pi");
	say_frame(&w, FIN, "nge");
	hear_frame(&w, FIN | TEXT, "c3 d6:result4:ponge");
	say_frame(&w, FIN | TEXT, "c2 d7:command4:pinge");
	hear_frame(&w, FIN | TEXT, "c2 d6:result4:ponge");
	assert_int_equal(counted(&w, "duplicates"), 1);
	say_frame(&w, FIN | TEXT, "c4 i7e");
	hear_frame(&w, FIN | TEXT,
		   "c4 d12:error-reason28:Failed to decode the message6:result5:errore");
	hear_close(&w, 1007);
	hang_up(&w);
	open_socket(&w, "ng-plain.rtpengine.com");
	say_frame(&w, FIN | TEXT, "d7:command4:pinge");
	hear_frame(&w, FIN | TEXT, "d6:result4:ponge");
	say_frame(&w, FIN | TEXT, "c5 d7:command4:pinge");
	hear_close(&w, 1007);
	assert_int_equal(counted(&w, "malformed"), 2);
	close_ng(&w);
}

/* More than may be under way, all of them answered in their order. */
static void many_messages(void **state)
{
	unsigned char buf[300 * 40];
	char text[32];
	struct world w;
	size_t len = 0;
	int i;

	(void)state;
	open_ng(&w, "127.0.0.1", "127.0.0.1");
	open_socket(&w, "ng.rtpengine.com");
	for (i = 0; i < 300; i++) {
		snprintf(text, sizeof(text), "%d d7:command4:pinge", i);
		len += put_frame(buf + len, FIN | TEXT, text, strlen(text));
	}
	say_raw(&w, buf, len);
	for (i = 0; i < 300; i++) {
		snprintf(text, sizeof(text), "%d d6:result4:ponge", i);
		hear_frame(&w, FIN | TEXT, text);
	}
	close_ng(&w);
}

static void too_long_a_message(void **state)
{
	static char part[60001];
	static unsigned char buf[60010];
	struct world w;
	int i;

	(void)state;
	memset(part, ' ', 60000);
	open_ng(&w, "127.0.0.1", "127.0.0.1");
	open_socket(&w, "ng.rtpengine.com");
	for (i = 0; i < 2; i++)
		say_raw(&w, buf, put_frame(buf, i ? 0 : TEXT, part, 60000));
	say_raw(&w, buf, put_frame(buf, 0, part, 20000));
	hear_close(&w, 1009);
	wait_counted(&w, "refused", 1);
	close_ng(&w);
}

static void handshakes(void **state)
{
	static const char *const headers[] = {
		HOST
		"Sec-WebSocket-Protocol: ng.rtpengine.com\r\nOrigin: http://127.0.0.1:22250\r\n",
		HOST "Sec-WebSocket-Protocol: ng-plain.rtpengine.com\r\nOrigin: null\r\n",
		"Host: a.example\r\nSec-WebSocket-Protocol: ng.rtpengine.com\r\n",
		HOST "Sec-WebSocket-Protocol: sip\r\n",
		HOST,
	};
	struct world w;
	size_t i;

	(void)state;
	open_ng(&w, "127.0.0.1", "127.0.0.1");
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		if (shake_hands(&w, headers[i]))
			fail_msg("%s", headers[i]);
		hang_up(&w);
		forget(&w);
	}
	wait_counted(&w, "connections", 0);
	assert_int_equal(counted(&w, "refused"), sizeof(headers) / sizeof(headers[0]));
	close_ng(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages),
		cmocka_unit_test(many_messages),
		cmocka_unit_test(too_long_a_message),
		cmocka_unit_test(handshakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
