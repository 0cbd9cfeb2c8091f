/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A call over the real plane with the io_uring datapath, on loopback addresses: what
 * the sessions want is what the sockets do.
 *
 *   caller 127.0.0.10  ----  127.0.0.1 | relay | 127.0.0.2  ----  callee 127.0.0.20
 */
#include "tests/unit/session_fixture.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOCAL_CALLER "127.0.0.10"
#define LOCAL_CALLEE "127.0.0.20"

static struct tandem_plane *plane;
static struct tandem_sessions *ss;

static int on_loopback(const struct tandem_endpoint *to, struct ip_addr *from, void *arg)
{
	(void)arg;
	*from = ip(to->ip.b[15] == 10 ? "127.0.0.1" : "127.0.0.2");
	return 0;
}

static int start(void **state)
{
	static struct tandem_sessions_config cfg = {
		.locals_count = 2,
		.port_min = 23000,
		.port_max = 23099,
		.inactivity_timeout_s = 60,
		.hold_timeout_s = 60,
		.setup_timeout_s = 60,
		.learn = TANDEM_LEARN_NAT,
		.learn_window_ms = 5000,
		.max_sessions = 10,
	};
	struct tandem_datapath_config dp = {
		.locals_count = 2,
		.port_min = 23000,
		.port_max = 23099,
		.flow_capacity = 256,
		.stream_capacity = 64,
		.nexthop_age_ms = 100,
	};
	struct tandem_session_env env;
	char why[256];
	int err;

	cfg.locals[0].ip = dp.locals[0].ip = ip("127.0.0.1");
	cfg.locals[1].ip = dp.locals[1].ip = ip("127.0.0.2");
	err = tandem_plane_open(&plane, "uring", &dp, why, sizeof(why));
	if (err) {
		fprintf(stderr, "SKIPPED test_session_uring: no io_uring datapath: %s\n", why);
		*state = NULL;
		return 0;
	}
	assert_int_equal(tandem_session_env_default(&env), 0);
	env.route = on_loopback;
	assert_int_equal(tandem_sessions_alloc_with(&ss, &env, &cfg, plane, NULL, NULL, NULL), 0);
	*state = ss;
	return 0;
}

static int stop(void **state)
{
	if (*state) {
		tandem_sessions_free(ss);
		tandem_plane_close(plane, false);
	}
	return 0;
}

/* A phone's socket; the port is the kernel's choice. */
static int phone(const char *host, uint16_t *port)
{
	struct tandem_endpoint e = ep(host, 0);
	struct sockaddr_storage sa;
	socklen_t len = tandem_endpoint_to_sockaddr(&e, &sa);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	assert_int_equal(tandem_endpoint_from_sockaddr(&e, (struct sockaddr *)&sa), 0);
	*port = e.port;
	return fd;
}

static void say(int fd, const struct tandem_endpoint *to, uint16_t seq)
{
	uint8_t rtp[172] = { 0x80, 0, seq >> 8, seq & 0xff, 0, 0, 0, 0, 0, 0, 0, 7 };
	struct sockaddr_storage sa;
	socklen_t len = tandem_endpoint_to_sockaddr(to, &sa);

	assert_int_equal(sendto(fd, rtp, sizeof(rtp), 0, (struct sockaddr *)&sa, len), sizeof(rtp));
}

/* True when a packet with this sequence number comes within `ms`. */
static bool hears(int fd, uint16_t seq, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint8_t rtp[256];

	return poll(&p, 1, ms) == 1 && recv(fd, rtp, sizeof(rtp), 0) == 172 && rtp[2] == seq >> 8 &&
	       rtp[3] == (seq & 0xff);
}

static void exchange(enum tandem_party_id party, bool offer, const char *sdp)
{
	struct tandem_signal sig = { .source = ep(party ? LOCAL_CALLEE : LOCAL_CALLER, 5060),
				     .target = ep(party ? LOCAL_CALLER : LOCAL_CALLEE, 5060) };
	size_t len;
	char *out;

	assert_int_equal((offer ? tandem_session_offer : tandem_session_answer)(
				 ss, CALL, party, &sig, sdp, strlen(sdp), &out, &len),
			 0);
	free(out);
}

static void up(const char *caller_host, uint16_t caller, uint16_t callee)
{
	struct tandem_dialog d = { .call_id = CALL,
				   .from_uri = "sip:a@x",
				   .to_uri = "sip:b@x",
				   .from_tag = "a",
				   .to_tag = "b" };

	assert_int_equal(tandem_session_open(ss, &d), 0);
	exchange(TANDEM_PARTY_A, true, audio(caller_host, caller, ""));
	exchange(TANDEM_PARTY_B, false, audio(LOCAL_CALLEE, callee, ""));
	assert_int_equal(tandem_session_confirm(ss, CALL), 0);
}

/* The relay's RTP port that faces a party. */
static struct tandem_endpoint facing(enum tandem_party_id party)
{
	const struct tandem_leg *leg = &tandem_sessions_by_call(ss, CALL)->agreed.v[0].leg[party];

	return (struct tandem_endpoint){ ss->cfg.locals[leg->local].ip, leg->port };
}

static void assert_verdict(const char *want)
{
	json_t *js = tandem_session_json(ss, CALL);

	assert_non_null(js);
	assert_string_equal(json_string_value(json_object_get(js, "verdict")), want);
	json_decref(js);
}

static void both_hear(void **state)
{
	struct tandem_endpoint a, b;
	uint16_t caller_port, callee_port, stranger_port;
	int caller, callee, stranger;

	if (!*state)
		skip();
	caller = phone(LOCAL_CALLER, &caller_port);
	callee = phone(LOCAL_CALLEE, &callee_port);
	stranger = phone(LOCAL_CALLER, &stranger_port);
	up(LOCAL_CALLER, caller_port, callee_port);
	a = facing(TANDEM_PARTY_A);
	b = facing(TANDEM_PARTY_B);
	assert_verdict("no media");
	say(caller, &a, 1);
	assert_true(hears(callee, 1, 2000));
	assert_verdict("one-way: callee is silent");
	say(callee, &b, 500);
	assert_true(hears(caller, 500, 2000));
	assert_verdict("two-way");
	say(stranger, &a, 2);
	assert_false(hears(callee, 2, 200));
	assert_int_equal(tandem_session_end(ss, CALL, "bye"), 0);
	say(caller, &a, 3);
	assert_false(hears(callee, 3, 200));
	close(caller);
	close(callee);
	close(stranger);
}

/* The callee moves in the middle of the call, and what was counted goes on. */
static void callee_moves(void **state)
{
	struct tandem_endpoint a;
	uint16_t caller_port, callee_port, new_port;
	int caller, callee, moved;
	json_t *js;

	if (!*state)
		skip();
	caller = phone(LOCAL_CALLER, &caller_port);
	callee = phone(LOCAL_CALLEE, &callee_port);
	moved = phone(LOCAL_CALLEE, &new_port);
	up(LOCAL_CALLER, caller_port, callee_port);
	a = facing(TANDEM_PARTY_A);
	say(caller, &a, 1);
	assert_true(hears(callee, 1, 2000));
	exchange(TANDEM_PARTY_B, true, audio(LOCAL_CALLEE, new_port, ""));
	exchange(TANDEM_PARTY_A, false, audio(LOCAL_CALLER, caller_port, ""));
	say(caller, &a, 2);
	assert_true(hears(moved, 2, 2000));
	js = tandem_session_json(ss, CALL);
	assert_int_equal(json_integer_value(json_object_get(
				 json_array_get(json_object_get(js, "streams"), 0), "packets")),
			 2);
	json_decref(js);
	tandem_session_end(ss, CALL, "bye");
	close(caller);
	close(callee);
	close(moved);
}

/* The caller's SDP names an address that it does not send from. */
static void learns(void **state)
{
	struct pollfd p = { .events = POLLIN };
	struct tandem_endpoint a, b;
	uint16_t caller_port, callee_port;
	int caller, callee, i;

	if (!*state)
		skip();
	caller = phone(LOCAL_CALLER, &caller_port);
	callee = phone(LOCAL_CALLEE, &callee_port);
	up("127.0.0.99", 4000, callee_port);
	a = facing(TANDEM_PARTY_A);
	b = facing(TANDEM_PARTY_B);
	p.fd = tandem_plane_event_fd(plane);
	for (i = 1; i <= 2; i++) {
		say(caller, &a, i);
		assert_int_equal(poll(&p, 1, 2000), 1);
		tandem_sessions_dispatch(ss);
	}
	say(caller, &a, 3);
	assert_true(hears(callee, 3, 2000));
	say(callee, &b, 500);
	assert_true(hears(caller, 500, 2000));
	tandem_session_end(ss, CALL, "bye");
	close(caller);
	close(callee);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(both_hear, start, stop),
		cmocka_unit_test_setup_teardown(callee_moves, start, stop),
		cmocka_unit_test_setup_teardown(learns, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
