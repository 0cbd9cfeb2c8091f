/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages of the NG protocol: what they are written in, and what is remembered of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/ng/bencode.h"
#include "userspace/ng/message.h"
#include "userspace/ng/recent.h"

static int decode(json_t **value, const char *text, size_t *used)
{
	return tandem_bencode_decode(value, text, strlen(text), used);
}

static void assert_again(const char *text, const char *want)
{
	json_t *value;
	char *out;
	size_t used, len;

	assert_int_equal(decode(&value, text, &used), 0);
	assert_int_equal(used, strlen(text));
	assert_int_equal(tandem_bencode_encode(value, &out, &len), 0);
	assert_int_equal(len, strlen(want));
	assert_memory_equal(out, want, len);
	free(out);
	json_decref(value);
}

static void values_there_and_back(void **state)
{
	(void)state;
	assert_again("i0e", "i0e");
	assert_again("i-42e", "i-42e");
	assert_again("i007e", "i7e");
	assert_again("0:", "0:");
	assert_again("5:a:b c", "5:a:b c");
	assert_again("le", "le");
	assert_again("li1e3:abcldeee", "li1e3:abcldeee");
	assert_again("de", "de");
	assert_again("d1:bi2e1:ai1ee", "d1:ai1e1:bi2ee"); /* keys in order */
	assert_again("d1:ai1e1:ai2ee", "d1:ai2ee");	  /* the last one counts */
}

static void octets_that_are_no_text(void **state)
{
	static const char text[] = "4:\xff\x00\r\n";
	json_t *value;
	size_t used, len;
	char *out;

	(void)state;
	assert_int_equal(tandem_bencode_decode(&value, text, 6, &used), 0);
	assert_int_equal(json_string_length(value), 4);
	assert_int_equal(tandem_bencode_encode(value, &out, &len), 0);
	assert_memory_equal(out, text, 6);
	free(out);
	json_decref(value);
}

static void what_is_no_bencode(void **state)
{
	static const char *const texts[] = {
		"x",	      "ie", "i-e",   "i1x",	 "i 1e", "-1:a",
		"1a",	      ":",  "d1:ae", "di1ei2ee", "lx",	 "i9999999999999999999e",
		"99999999:a",
	};
	char deep[2 * TANDEM_BENCODE_DEPTH + 8];
	json_t *value;
	size_t used, i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (decode(&value, texts[i], &used) != -EBADMSG)
			fail_msg("%s", texts[i]);
	}
	assert_int_equal(tandem_bencode_decode(&value, "d1:\0i1ee", 8, &used), -EBADMSG);
	memset(deep, 'l', TANDEM_BENCODE_DEPTH + 1);
	memset(deep + TANDEM_BENCODE_DEPTH + 1, 'e', TANDEM_BENCODE_DEPTH + 1);
	assert_int_equal(tandem_bencode_decode(&value, deep, 2 * TANDEM_BENCODE_DEPTH + 2, &used),
			 -EBADMSG);
	assert_int_equal(tandem_bencode_decode(&value, deep + 1, 2 * TANDEM_BENCODE_DEPTH, &used),
			 0);
	json_decref(value);
}

/* What came by TCP so far: every piece of a message asks for more, and none is taken for another. */
static void pieces(void **state)
{
	static const char text[] = "d4:listli1e3:abce3:numi-7e3:subd1:x1:yee";
	json_t *value;
	size_t used, i;

	(void)state;
	for (i = 0; i < sizeof(text) - 1; i++)
		assert_int_equal(tandem_bencode_decode(&value, text, i, &used), -EAGAIN);
	assert_int_equal(tandem_bencode_decode(&value, text, i, &used), 0);
	json_decref(value);
}

static void cookies(void **state)
{
	static const char bencode[] = "c1_2 d7:command4:pinge\n",
			  json[] = "c3 {\"command\":\"ping\"}";
	struct tandem_ng_message msg;
	size_t used, len;
	char *out;

	(void)state;
	assert_int_equal(tandem_ng_message_read(&msg, bencode, strlen(bencode), &used), 0);
	assert_int_equal(used, strlen(bencode));
	assert_int_equal(msg.format, TANDEM_NG_BENCODE);
	assert_int_equal(tandem_ng_message_reply(&msg, msg.dict, &out, &len), 0);
	assert_int_equal(len, strlen(bencode) - 1);
	assert_memory_equal(out, bencode, len);
	free(out);
	json_decref(msg.dict);

	assert_int_equal(tandem_ng_message_read(&msg, json, strlen(json), &used), 0);
	assert_int_equal(msg.format, TANDEM_NG_JSON);
	assert_int_equal(tandem_ng_message_reply(&msg, msg.dict, &out, &len), 0);
	assert_memory_equal(out, json, len);
	free(out);
	json_decref(msg.dict);

	assert_int_equal(tandem_ng_message_read(&msg, json, strlen(json) - 1, &used), -EAGAIN);
	assert_int_equal(tandem_ng_message_read(&msg, "c5", 2, &used), -EAGAIN);
	assert_int_equal(tandem_ng_message_read(&msg, " de", 3, &used), -EBADMSG);
	assert_null(msg.cookie);
	assert_int_equal(tandem_ng_message_read(&msg, "c6 i1e", 6, &used), -EBADMSG);
	assert_non_null(msg.cookie);
	assert_int_equal(tandem_ng_message_read(&msg, "c7 {]", 5, &used), -EBADMSG);
}

static void second_of_two_in_one_stream(void **state)
{
	static const char text[] = "a {\"command\":\"ping\"}\r\nb d7:command4:pinge";
	struct tandem_ng_message msg;
	size_t used, more;

	(void)state;
	assert_int_equal(tandem_ng_message_read(&msg, text, strlen(text), &used), 0);
	json_decref(msg.dict);
	assert_int_equal(tandem_ng_message_read(&msg, text + used, strlen(text) - used, &more), 0);
	assert_memory_equal(msg.cookie, "b", 1);
	assert_int_equal(used + more, strlen(text));
	json_decref(msg.dict);
}

static const struct tandem_endpoint peer = { .ip.b = { [15] = 1 }, .port = 5000 };
static const struct tandem_endpoint other = { .ip.b = { [15] = 1 }, .port = 5001 };

static void keep(struct tandem_ng_recent *recent, const char *cookie, uint64_t now, size_t len)
{
	char *text = malloc(len);

	assert_non_null(text);
	memset(text, '-', len);
	memcpy(text, cookie, strlen(cookie));
	assert_ptr_equal(
		tandem_ng_recent_add(recent, &peer, cookie, strlen(cookie), now, text, len), text);
}

static bool knows(const struct tandem_ng_recent *recent, const struct tandem_endpoint *from,
		  const char *cookie, uint64_t now)
{
	size_t len;

	return tandem_ng_recent_find(recent, from, cookie, strlen(cookie), now, &len) != NULL;
}

static void answers_of_the_last_seconds(void **state)
{
	struct tandem_ng_recent *recent;

	(void)state;
	assert_int_equal(tandem_ng_recent_alloc(&recent), 0);
	keep(recent, "one", 1000, 100);
	keep(recent, "two", 2000, 100);
	assert_true(knows(recent, &peer, "one", 1000 + TANDEM_NG_RECENT_MS));
	assert_false(knows(recent, &peer, "one", 1001 + TANDEM_NG_RECENT_MS));
	assert_true(knows(recent, &peer, "two", 1001 + TANDEM_NG_RECENT_MS));
	assert_false(knows(recent, &other, "two", 2000));
	assert_false(knows(recent, &peer, "tw", 2000));
	assert_false(knows(recent, &peer, "two2", 2000));
	keep(recent, "two", 3000, 50); /* takes the place of the other */
	assert_true(knows(recent, &peer, "two", 3000 + TANDEM_NG_RECENT_MS));
	tandem_ng_recent_free(recent);
}

static void no_more_than_so_many(void **state)
{
	struct tandem_ng_recent *recent;
	char cookie[32];
	unsigned int i;

	(void)state;
	assert_int_equal(tandem_ng_recent_alloc(&recent), 0);
	for (i = 0; i < TANDEM_NG_RECENT_MAX + 10; i++) {
		snprintf(cookie, sizeof(cookie), "c%u", i);
		keep(recent, cookie, 1000, 40);
	}
	assert_false(knows(recent, &peer, "c9", 1000));
	assert_true(knows(recent, &peer, "c10", 1000));
	keep(recent, "large", 1000, TANDEM_NG_RECENT_SIZE - 45);
	assert_true(knows(recent, &peer, "large", 1000));
	assert_false(knows(recent, &peer, "c100", 1000));
	assert_true(knows(recent, &peer, cookie, 1000)); /* the last one there was room for */
	tandem_ng_recent_free(recent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_there_and_back),
		cmocka_unit_test(octets_that_are_no_text),
		cmocka_unit_test(what_is_no_bencode),
		cmocka_unit_test(pieces),
		cmocka_unit_test(cookies),
		cmocka_unit_test(second_of_two_in_one_stream),
		cmocka_unit_test(answers_of_the_last_seconds),
		cmocka_unit_test(no_more_than_so_many),
	};

	return cmocka_run_group_tests_name("ng_message", tests, NULL, NULL);
}
