/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Next hops given as host names, with a name server that is a socket in this thread:
 *
 *   relay --- A phone.test? ---> 127.0.0.1:53, answers with 127.0.0.1 when told to
 */
#include <sys/mount.h>

#include "tests/unit/sip_call.h"

#define RESOLV "/tmp/tandem-resolv-conf"

struct names {
	struct peer server; /* of use for its socket only */
	uint8_t query[8][512];
	ssize_t len[8];
	struct sockaddr_in from[8];
	size_t count;
};

/* This process alone sees another resolv.conf; false when it may not arrange that. */
static bool own_resolver(void)
{
	static int done;
	FILE *f;

	if (done)
		return done > 0;
	done = -1;
	own_loopback();
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return false;
	f = fopen(RESOLV, "w");
	if (!f)
		return false;
	fputs("nameserver 127.0.0.1\n", f);
	fclose(f);
	if (mount(RESOLV, "/etc/resolv.conf", NULL, MS_BIND, NULL))
		return false;
	done = 1;

	return true;
}

static void names_open(struct names *n)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(53),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	memset(n, 0, sizeof(*n));
	n->server.fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(n->server.fd, (struct sockaddr *)&in, sizeof(in)), 0);
	fcntl(n->server.fd, F_SETFL, O_NONBLOCK);
}

/* Take in what is asked; repeated queries are kept as well, which does no harm. */
static void names_read(struct names *n)
{
	socklen_t len = sizeof(n->from[0]);

	while (n->count < 8) {
		n->len[n->count] = recvfrom(n->server.fd, n->query[n->count], 400, 0,
					    (struct sockaddr *)&n->from[n->count], &len);
		if (n->len[n->count] < 17)
			break;
		n->count++;
	}
}

/* Answer all: A is 127.0.0.1, there is nothing else. */
static void names_answer(struct names *n)
{
	static const uint8_t a[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1 };
	size_t i;

	for (i = 0; i < n->count; i++) {
		uint8_t *q = n->query[i];
		size_t len = (size_t)n->len[i];
		bool is_a = q[len - 3] == 1;

		q[2] |= 0x80;
		q[7] = is_a;
		if (is_a) {
			memcpy(q + len, a, sizeof(a));
			len += sizeof(a);
		}
		sendto(n->server.fd, q, len, 0, (struct sockaddr *)&n->from[i], sizeof(n->from[i]));
	}
	n->count = 0;
	run_ms(20);
}

/* Within the dialog, to bob by a name that is not known at first. */
static void by_name(struct call *c, const char *method, const char *name, unsigned int cseq,
		    unsigned int branch)
{
	peer_send(&c->alice, NULL,
		  "%s sip:bob@%s:%u;transport=udp SIP/2.0\n"
		  "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKn%u;rport\n%sMax-Forwards: 70\n"
		  "From: <sip:alice@example.test>;tag=atag\nTo: <sip:bob@example.test>;tag=btag\n"
		  "Call-ID: %s\nCSeq: %u %s\n",
		  method, name, c->bob.port, c->alice.port, branch, routes_reversed(c->ok),
		  header(c->invite, "Call-ID"), cseq, method);
}

static void restart_with(struct world *w, uint32_t max_transactions)
{
	world_stop(w);
	w->cfg.max_transactions = max_transactions;
	world_start(w);
}

static void name_is_resolved(void **state)
{
	struct names n;
	struct call c;

	if (!own_resolver())
		skip();
	names_open(&n);
	restart_with(*state, 100);
	open_call(&c, *state, AF_INET, false, AF_INET, false);
	establish(&c, "name", OFFER, ANSWER);
	by_name(&c, "INFO", "phone.test", 2, 1);
	names_read(&n);
	assert_true(n.count > 0);
	peer_expect_nothing(&c.bob, 20);
	names_answer(&n);
	peer_expect(&c.bob, "INFO sip:bob@phone.test");
	respond(&c, c.bob.msg, "200 OK", NULL, NULL);
	peer_expect(&c.alice, "SIP/2.0 200");
	hang_up(&c);
	close(n.server.fd);
	close_call(&c);
}

/* What waits for a name and has to give way must not be found when the name comes. */
static void ack_that_gave_way_is_gone(void **state)
{
	struct names n;
	struct call c;

	if (!own_resolver())
		skip();
	names_open(&n);
	restart_with(*state, 1);
	open_call(&c, *state, AF_INET, false, AF_INET, false);
	establish(&c, "giveway", OFFER, ANSWER);
	by_name(&c, "ACK", "one.test", 1, 1);
	by_name(&c, "ACK", "two.test", 1, 2);
	names_read(&n);
	assert_true(n.count >= 2);
	names_answer(&n);
	peer_expect(&c.bob, "ACK sip:bob@two.test");
	peer_expect_nothing(&c.bob, 20);
	close(n.server.fd);
	close_call(&c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(name_is_resolved),
		TEST(ack_that_gave_way_is_gone),
	};
	int failed;

	if (!own_resolver())
		fprintf(stderr,
			"SKIPPED test_sip_names: needs root, to have a resolv.conf of its own\n");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(RESOLV);

	return failed;
}
