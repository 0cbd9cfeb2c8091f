/* SPDX-License-Identifier: GPL-2.0-only */
/* Registrations that several nodes have in common; the other node is a plain socket. */
#include <time.h>

#include "tests/unit/sip_call.h"
#include "userspace/sip/local.h"
#include "userspace/sip/location.h"
#include "userspace/sip/shared.h"
#include "userspace/sip/token.h"

#define BINDING                                                                                    \
	"{\"aor\":\"sip:bob@example.test\",\"uri\":\"%s\",\"call_id\":\"c\",\"cseq\":1,"           \
	"\"q\":1000,\"expires\":%lld,\"source\":\"198.51.100.7:1024\",\"transport\":\"udp\","      \
	"\"local\":\"192.0.2.2:5060\",\"path\":\"\",\"user_agent\":\"\",\"instance\":\"\","        \
	"\"reg_id\":0,\"hop\":\"sip:127.0.0.1:%u;transport=udp\"}"
#define FAR "sip:bob@192.168.9.9:5070" /* behind a NAT */

static const uint8_t key[TANDEM_SHARED_KEY_SIZE] = "nodes";

static struct {
	uint64_t number; /* of the binding that was made last */
	unsigned int gone;
	char removed[64];
	bool dead;
} seen;

static void changed(uint64_t number, bool gone, void *arg)
{
	(void)arg;
	if (gone)
		seen.gone++;
	else
		seen.number = number;
}

static void removed(const char *id, void *arg)
{
	(void)arg;
	snprintf(seen.removed, sizeof(seen.removed), "%s", id);
}

static bool alive(const char *node, void *arg)
{
	(void)node;
	(void)arg;
	return !seen.dead;
}

static enum tandem_shared_address address(const char *ip, void *arg)
{
	(void)ip;
	(void)arg;
	return TANDEM_SHARED_OWN;
}

static void share(struct world *w)
{
	static const struct tandem_shared_config cfg = { "a",	"1",	 changed, removed,
							 alive, address, NULL };

	memset(&seen, 0, sizeof(seen));
	assert_int_equal(tandem_sip_share(w->sip, &cfg), 0);
	tandem_sip_share_key(w->sip, key);
}

static int take(struct world *w, const char *id, const char *uri, int64_t expires_s, uint16_t port)
{
	char text[1024];

	snprintf(text, sizeof(text), BINDING, uri, (long long)time(NULL) + expires_s, port);
	return tandem_sip_shared_take(w->sip, id, text);
}

static size_t listed(struct world *w)
{
	json_t *json = tandem_sip_registrations_json(w->sip);
	size_t n = json_array_size(json_object_get(json, "registrations"));

	json_decref(json);
	return n;
}

static void message(struct peer *alice, const char *route)
{
	static unsigned int n;

	n++;
	peer_send(alice, NULL,
		  "MESSAGE sip:bob@example.test SIP/2.0\n"
		  "Via: SIP/2.0/UDP %s:%u;branch=z9hG4bKs%u;rport\n%sMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <sip:bob@example.test>\n"
		  "Call-ID: shared\nCSeq: %u MESSAGE\n",
		  alice->host, alice->port, n, route, n);
}

/* The number in the user part of the first Route, if it is of key. */
static int route_number(uint64_t *number, const char *msg)
{
	struct pl call_id = PL("shared"), token;

	if (re_regex(msg, strlen(msg), "Route: <sip:[^@]+@", &token))
		return -ENOENT;
	return tandem_token_read_number(number, key, &call_id, &token);
}

static void a_request_goes_to_the_node_of_the_phone(void **state)
{
	struct world *w = *state;
	struct peer alice, node;
	uint64_t number;
	const char *msg;

	share(w);
	peer_open(&alice, AF_INET, false);
	peer_open(&node, AF_INET, false);
	assert_int_equal(take(w, "b/9/77", FAR, 300, node.port), 0);
	assert_int_equal(listed(w), 1);
	message(&alice, "");
	msg = peer_expect(&node, "MESSAGE " FAR);
	assert_int_equal(route_number(&number, msg), 0);
	assert_int_equal(number, 77);

	/* behind a NAT nobody else reaches it */
	seen.dead = true;
	message(&alice, "");
	peer_expect(&alice, "SIP/2.0 480");
	peer_close(&alice);
	peer_close(&node);
}

static void a_node_is_believed_by_its_hash(void **state)
{
	struct world *w = *state;
	char token[TANDEM_TOKEN_SIZE], route[128];
	struct pl call_id = PL("shared");
	struct peer node, bob;

	share(w);
	peer_open(&node, AF_INET, false);
	peer_open(&bob, AF_INET, false);
	do_register(&bob, "bob");
	assert_true(seen.number > 0);
	assert_int_equal(tandem_token_write_number(token, key, &call_id, seen.number), 0);
	snprintf(route, sizeof(route), "Route: <sip:%s@" RELAY ";lr>\n", token);
	message(&node, route);
	assert_null(strstr(peer_expect(&bob, "MESSAGE sip:bob@"), "\r\nRoute:"));

	/* a binding that is no more: no other one of bob's rings instead */
	assert_int_equal(tandem_token_write_number(token, key, &call_id, seen.number + 1), 0);
	snprintf(route, sizeof(route), "Route: <sip:%s@" RELAY ";lr>\n", token);
	message(&node, route);
	peer_expect(&node, "SIP/2.0 480");
	peer_expect_nothing(&bob, 20);
	peer_close(&node);
	peer_close(&bob);
}

static void the_latest_binding_of_a_contact_stays(void **state)
{
	struct world *w = *state;
	struct peer bob;
	char own[96];

	share(w);
	assert_int_equal(take(w, "b/9/1", FAR, 300, 5060), 0);
	assert_int_equal(take(w, "c/9/1", FAR, 200, 5060), -EALREADY);
	assert_int_equal(take(w, "c/9/2", FAR, 400, 5060), 0);
	assert_int_equal(listed(w), 1);
	/* a node that began anew has other ids for the same */
	assert_int_equal(take(w, "c/0/1", FAR, 400, 5060), 0);
	assert_int_equal(listed(w), 1);
	assert_int_equal(take(w, "b/9/3", "sip:bob@192.168.9.9:5072", 300, 5060), 0);
	assert_int_equal(listed(w), 2);

	/* what was made here goes when the phone is known to have gone elsewhere */
	peer_open(&bob, AF_INET, false);
	do_register(&bob, "bob");
	snprintf(own, sizeof(own), "sip:bob@%s:%u;transport=UDP", bob.host, bob.port);
	assert_int_equal(listed(w), 3);
	assert_int_equal(take(w, "b/9/4", own, 10, 5060), -EALREADY);
	assert_int_equal(seen.gone, 0);
	assert_int_equal(take(w, "b/9/5", own, 3000, 5060), 0);
	assert_int_equal(seen.gone, 1);
	assert_int_equal(listed(w), 3);

	/* and the other way round */
	tandem_sip_shared_drop(w->sip, "b/9/5");
	assert_int_equal(take(w, "b/9/6", own, 500, 5060), 0);
	do_register(&bob, "bob");
	assert_string_equal(seen.removed, "b/9/6");
	assert_int_equal(listed(w), 3);
	peer_close(&bob);
}

static void what_is_not_named_goes(void **state)
{
	struct world *w = *state;
	struct peer bob;

	share(w);
	peer_open(&bob, AF_INET, false);
	do_register(&bob, "bob");
	assert_int_equal(take(w, "b/9/1", FAR, 300, 5060), 0);
	assert_int_equal(take(w, "c/9/1", "sip:bob@192.168.9.9:5072", 300, 5060), 0);
	tandem_sip_shared_mark(w->sip, "b");
	tandem_sip_shared_sweep(w->sip, "b");
	assert_int_equal(listed(w), 2);
	tandem_sip_shared_mark(w->sip, NULL);
	assert_int_equal(take(w, "c/9/1", "sip:bob@192.168.9.9:5072", 300, 5060), 0);
	tandem_sip_shared_sweep(w->sip, NULL);
	assert_int_equal(listed(w), 2);
	tandem_sip_shared_mark(w->sip, NULL);
	tandem_sip_shared_sweep(w->sip, NULL);
	assert_int_equal(listed(w), 1);
	peer_close(&bob);
}

static void who_is_gone_leaves_nothing(void **state)
{
	struct world *w = *state;

	share(w);
	assert_int_equal(take(w, "b/9/1", FAR, 0, 5060), 0);
	tandem_location_expire(w->sip->loc);
	assert_string_equal(seen.removed, ""); /* b sees to that */
	seen.dead = true;
	assert_int_equal(take(w, "b/9/2", FAR, 0, 5060), 0);
	tandem_location_expire(w->sip->loc);
	assert_string_equal(seen.removed, "b/9/2");
	assert_int_equal(listed(w), 0);
}

/* In place of one text there is another. */
static int take_changed(struct world *w, const char *from, const char *to)
{
	char text[1024], out[1200];
	char *at;

	snprintf(text, sizeof(text), BINDING, FAR, (long long)time(NULL) + 300, 5060);
	at = strstr(text, from);
	assert_non_null(at);
	snprintf(out, sizeof(out), "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	return tandem_sip_shared_take(w->sip, "b/9/1", out);
}

static void what_is_no_binding_is_refused(void **state)
{
	static const char *const ids[] = { "", "b", "b/1", "b/1/", "b/1/x", "/1/2", "b/1/0" };
	static const char *const changes[][2] = {
		{ "sip:bob@example.test", "tel:1" },
		{ FAR, "sip:bob@x\\r\\nX: y" },
		{ "\"path\":\"\"", "\"path\":\"<sip:x>\\r\\nX: y\"" },
		{ "\"user_agent\":\"\"", "\"user_agent\":\"a\\nb\"" },
		{ "\"udp\"", "\"carrier pigeon\"" },
		{ "198.51.100.7:1024", "nowhere" },
		{ "192.0.2.2:5060", "" },
		{ "\"q\":1000", "\"q\":1001" },
		{ "\"cseq\":1", "\"cseq\":-1" },
		{ "\"reg_id\":0", "\"reg_id\":\"0\"" },
		{ "sip:127.0.0.1", "127.0.0.1" },
		{ "sip:127.0.0.1", "sip:x@127.0.0.1" },
		{ "{", "" },
	};
	struct world *w = *state;

	share(w);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		assert_int_equal(take(w, ids[i], FAR, 300, 5060), -EBADMSG);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		if (take_changed(w, changes[i][0], changes[i][1]) != -EBADMSG)
			fail_msg("with %s", changes[i][1]);
	}
	/* for longer than anybody may register */
	assert_int_equal(take(w, "b/9/1", FAR, 10 * 86400, 5060), -EBADMSG);
	assert_int_equal(listed(w), 0);
}

static void the_text_is_read_as_it_was_written(void **state)
{
	struct world *w = *state;
	struct peer bob;
	char *text, *again;
	json_t *a, *b;

	share(w);
	peer_open(&bob, AF_INET, false);
	do_register(&bob, "bob");
	text = tandem_sip_shared_text(w->sip, seen.number);
	assert_non_null(text);
	assert_null(tandem_sip_shared_text(w->sip, seen.number + 1));
	/* of another node, and so as of another user */
	again = strstr(text, "sip:bob@example.test");
	assert_non_null(again);
	memcpy(again, "sip:rob", 7);
	assert_int_equal(tandem_sip_shared_take(w->sip, "b/9/1", text), 0);
	a = tandem_sip_registrations_json(w->sip);
	b = json_object_get(a, "registrations");
	assert_int_equal(json_array_size(b), 2);
	for (size_t i = 0; i < 2; i++) {
		json_object_del(json_array_get(b, i), "aor");
		json_object_del(json_array_get(b, i), "node");
	}
	assert_true(json_equal(json_array_get(b, 0), json_array_get(b, 1)));
	json_decref(a);
	free(text);
	peer_close(&bob);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_goes_to_the_node_of_the_phone),
		TEST(a_node_is_believed_by_its_hash),
		TEST(the_latest_binding_of_a_contact_stays),
		TEST(what_is_not_named_goes),
		TEST(who_is_gone_leaves_nothing),
		TEST(what_is_no_binding_is_refused),
		TEST(the_text_is_read_as_it_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
