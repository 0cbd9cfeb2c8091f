/* SPDX-License-Identifier: GPL-2.0-only */
/* Bodies, headers and route tokens, on whole messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "userspace/sip/body.h"
#include "userspace/sip/header.h"
#include "userspace/sip/token.h"

static struct sip_msg *decode(const char *text)
{
	struct mbuf *mb = mbuf_alloc(strlen(text));
	struct sip_msg *msg = NULL;

	mbuf_write_str(mb, text);
	mb->pos = 0;
	assert_int_equal(sip_msg_decode(&msg, mb), 0);
	mem_deref(mb);
	sa_set_str(&msg->src, "192.0.2.9", 4444);

	return msg;
}

#define HEAD                                                                                       \
	"INVITE sip:b@h SIP/2.0\r\nv: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1;rport , "          \
	"SIP/2.0/TCP second;branch=z9hG4bK2\r\nVia:SIP/2.0/UDP third;branch=z9hG4bK3\r\n"          \
	"Route: <sip:x;lr>\r\nMAX-forwards:  007\r\n"                                              \
	"f: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\ni: c1\r\nCSeq: 1 INVITE\r\n"

static char *written(struct mbuf *mb)
{
	mbuf_write_u8(mb, 0);
	return (char *)mb->buf;
}

static void headers_pass_octet_by_octet(void **state)
{
	struct sip_msg *msg = decode(HEAD
				     "X-A:\r\nx-b  :  folded\r\n\tline  ,  2\r\n"
				     "Unknown: \"q,\" <a>,b\r\nAllow: A , B\r\nc: text/plain\r\n"
				     "l: 0\r\nRetry-After: 5\r\n\r\n");
	struct mbuf *mb = mbuf_alloc(64);

	(void)state;
	assert_int_equal(tandem_header_copy(mb, msg, 0, NULL), 0);
	assert_string_equal(written(mb),
			    "MAX-forwards: 6\r\nf: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\ni: c1\r\n"
			    "CSeq: 1 INVITE\r\nX-A:\r\nx-b  :  folded\r\n\tline  ,  2\r\n"
			    "Unknown: \"q,\" <a>,b\r\nAllow: A , B\r\nc: text/plain\r\n"
			    "Retry-After: 5\r\n");

	mb->pos = mb->end = 0;
	tandem_header_copy(mb, msg, TANDEM_HEADER_DROP_BODY | TANDEM_HEADER_DROP_RETRY_AFTER, NULL);
	assert_null(strstr(written(mb), "text/plain"));
	assert_null(strstr((char *)mb->buf, "Retry-After"));
	mem_deref(mb);
	mem_deref(msg);
}

static void via_stack(void **state)
{
	struct sip_msg *msg = decode(HEAD "\r\n");
	struct mbuf *mb = mbuf_alloc(64);

	(void)state;
	tandem_header_request_vias(mb, msg);
	assert_string_equal(written(mb), "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1;rport=4444"
					 ";received=192.0.2.9\r\n"
					 "Via: SIP/2.0/TCP second;branch=z9hG4bK2\r\n"
					 "Via: SIP/2.0/UDP third;branch=z9hG4bK3\r\n");
	mb->pos = mb->end = 0;
	tandem_header_response_vias(mb, msg);
	assert_string_equal(written(mb), "Via: SIP/2.0/TCP second;branch=z9hG4bK2\r\n"
					 "Via: SIP/2.0/UDP third;branch=z9hG4bK3\r\n");
	mem_deref(mb);
	mem_deref(msg);
}

/* libre's ids are hashes of 12 bits: Other-3128 has that of Via. */
static void name_with_another_id(void **state)
{
	struct sip_msg *msg = decode(HEAD "c: text/plain\r\nm: <sip:a@h>\r\nl: 0\r\n\r\n");

	(void)state;
	assert_true(tandem_header_ids_true(msg));
	mem_deref(msg);

	msg = decode("INVITE sip:b@h SIP/2.0\r\nOther-3128: SIP/2.0/UDP evil;branch=z9hG4bK0\r\n"
		     "v: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1\r\n\r\n");
	assert_int_equal(pl_strcmp(&msg->via.branch, "z9hG4bK0"), 0);
	assert_false(tandem_header_ids_true(msg));
	mem_deref(msg);
}

static void max_forwards(void **state)
{
	static const struct {
		const char *line;
		int want;
	} cases[] = {
		{ "", 70 },
		{ "Max-Forwards: 0\r\n", 0 },
		{ "Max-Forwards: 255\r\n", 255 },
		{ "Max-Forwards: 256\r\n", -EBADMSG },
		{ "Max-Forwards: -1\r\n", -EBADMSG },
		{ "Max-Forwards: 99999999999999999999\r\n", -EBADMSG },
	};
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sip_msg *msg;

		snprintf(text, sizeof(text),
			 "BYE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n%s\r\n",
			 cases[i].line);
		msg = decode(text);
		assert_int_equal(tandem_header_max_forwards(msg), cases[i].want);
		mem_deref(msg);
	}
}

static void content_length(void **state)
{
	static const struct {
		const char *line;
		int err;
		size_t len;
	} cases[] = {
		{ "", 0, 5 },
		{ "Content-Length: 3\r\n", 0, 3 },
		{ "l: 0\r\n", 0, 0 },
		{ "Content-Length: 6\r\n", -EBADMSG, 0 },
		{ "Content-Length: -1\r\n", -EBADMSG, 0 },
		{ "Content-Length: 18446744073709551617\r\n", -EBADMSG, 0 },
	};
	char text[512];
	struct pl body;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sip_msg *msg;

		snprintf(text, sizeof(text),
			 "BYE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n%s\r\n12345",
			 cases[i].line);
		msg = decode(text);
		assert_int_equal(tandem_body_get(&body, msg), cases[i].err);
		if (!cases[i].err)
			assert_int_equal(body.l, cases[i].len);
		mem_deref(msg);
	}
}

static void check_sdp(const char *type, const char *text, const char *want)
{
	struct pl pl, body, sdp;
	struct msg_ctype ctype;
	struct mbuf *out, *mb;
	char *edited;

	pl_set_str(&pl, type);
	assert_int_equal(msg_ctype_decode(&ctype, &pl), 0);
	pl_set_str(&body, text);
	if (!want) {
		assert_false(tandem_body_find_sdp(&sdp, &body, &ctype));
		return;
	}
	assert_true(tandem_body_find_sdp(&sdp, &body, &ctype));
	assert_int_equal(sdp.l, strlen(want));
	assert_memory_equal(sdp.p, want, sdp.l);

	/* replaced, and nothing around it touched */
	out = mbuf_alloc(8);
	mb = mbuf_alloc(8);
	mbuf_write_str(out, "NEW!");
	assert_int_equal(tandem_body_write(mb, &body, &sdp, out), 0);
	assert_int_equal(re_sdprintf(&edited, "Content-Length: %zu\r\n\r\n%b%s%s",
				     body.l - sdp.l + 4, body.p, (size_t)(sdp.p - body.p), "NEW!",
				     sdp.p + sdp.l),
			 0);
	assert_string_equal(written(mb), edited);
	mem_deref(edited);
	mem_deref(out);
	mem_deref(mb);
}

static void session_description_in_the_body(void **state)
{
	(void)state;
	check_sdp("application/sdp", "v=0\r\n", "v=0\r\n");
	check_sdp("APPLICATION/SDP;x=y", "v=0\r\n", "v=0\r\n");
	check_sdp("application/sdp", "", NULL);
	check_sdp("text/plain", "v=0\r\n", NULL);
	check_sdp("multipart/mixed;boundary=b1",
		  "pre\r\n--b1\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b1\r\n"
		  "Content-Disposition: session\r\ncontent-type : application/sdp\r\n\r\n"
		  "v=0\r\ns=-\r\n\r\n--b1--\r\n",
		  "v=0\r\ns=-\r\n");
	check_sdp("multipart/mixed;boundary=\"b 1\"",
		  "--b 1\nContent-Type: application/sdp\n\nv=0\n--b 1--\n", "v=0");
	/* no end, no boundary, no part */
	check_sdp("multipart/mixed;boundary=b1",
		  "--b1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n", NULL);
	check_sdp("multipart/mixed", "--b1\r\n\r\n--b1--", NULL);
	check_sdp("multipart/mixed;boundary=b1", "--b1--b1--b1", NULL);
	check_sdp("multipart/mixed;boundary=b1", "--b1\n--b1", NULL);
}

static void token_proves_the_call(void **state)
{
	static const struct {
		const char *addr;
		enum sip_transp tp;
	} flows[] = { { "192.0.2.7", SIP_TRANSP_UDP }, { "2001:db8::7", SIP_TRANSP_TCP } };
	const uint8_t key[20] = "0123456789012345678";
	const uint8_t other_key[20] = "X123456789012345678";
	struct pl call = PL("call-1"), other_call = PL("call-2"), pl;
	struct tandem_flow in = { .set = true }, out;
	char token[TANDEM_TOKEN_SIZE];
	size_t i, k;

	(void)state;
	assert_int_equal(tandem_token_write(token, key, &call, NULL), 0);
	pl_set_str(&pl, token);
	assert_int_equal(tandem_token_read(&out, key, &call, &pl), 0);
	assert_false(out.set);

	for (i = 0; i < 2; i++) {
		in.tp = flows[i].tp;
		sa_set_str(&in.addr, flows[i].addr, 5062);
		assert_int_equal(tandem_token_write(token, key, &call, &in), 0);
		pl_set_str(&pl, token);
		assert_int_equal(tandem_token_read(&out, key, &call, &pl), 0);
		assert_true(out.set);
		assert_int_equal(out.tp, in.tp);
		assert_true(sa_cmp(&out.addr, &in.addr, SA_ALL));
		assert_int_equal(tandem_token_read(&out, other_key, &call, &pl), -EACCES);
		assert_int_equal(tandem_token_read(&out, key, &other_call, &pl), -EACCES);

		/* no digit of it can be changed, none left out */
		for (k = 0; k < pl.l; k++) {
			token[k] ^= 1;
			assert_int_equal(tandem_token_read(&out, key, &call, &pl), -EACCES);
			token[k] ^= 1;
		}
		for (k = 0; k < pl.l; k++) {
			struct pl part = { token, k };

			assert_int_equal(tandem_token_read(&out, key, &call, &part), -EACCES);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_pass_octet_by_octet),
		cmocka_unit_test(via_stack),
		cmocka_unit_test(name_with_another_id),
		cmocka_unit_test(max_forwards),
		cmocka_unit_test(content_length),
		cmocka_unit_test(session_description_in_the_body),
		cmocka_unit_test(token_proves_the_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
