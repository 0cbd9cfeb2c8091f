/* SPDX-License-Identifier: GPL-2.0-only */
/* Neighbours that do not answer, among the receivers of a fan of the io_uring datapath. */
#include "tests/unit/uring_fan.h"

/* A fan to neighbours that do not answer, and another flow. */
static struct tandem_flow_spec silent_flows(struct fixture *f, struct tandem_fan *fan)
{
	struct tandem_flow_spec other = spec_of(2, "127.0.0.1", BASE + 100, &f->caller, &f->callee);
	struct tandem_flow_spec spec;

	for (uint32_t i = 0; i < fan->leg_count; i++) {
		struct tandem_endpoint silent = { .port = 4000 };
		char ip[32];

		snprintf(ip, sizeof(ip), "192.0.2.%u", 10 + i);
		tandem_ip_parse(&silent.ip, ip);
		tandem_ip_parse(&fan_leg(fan, i, i, BASE, &silent)->local, "192.0.2.1");
	}
	spec = fan_spec(f, fan);
	assert_int_equal(set(f, &spec), 0);
	assert_int_equal(set(f, &other), 0);
	return spec;
}

/*
 * Neighbours that do not answer keep what is sent to them in the socket's buffer, until it
 * is full, and then all copies there are. What is more is lost and counted; one-to-one flows
 * go on; and the flow, its port and the relay can go while the kernel still has them.
 */
static void out_of_copies(void **state)
{
	enum { LEGS = 40, PACKETS = 400 };
	struct fixture *f = *state;
	struct tandem_fan *fan = fan_alloc(LEGS);
	struct tandem_flow_spec spec = silent_flows(f, fan);
	uint64_t sent, lost = 0;
	unsigned char got[2048];
	uint16_t port;

	for (uint16_t i = 0; i < PACKETS; i++) {
		send_ssrc(f, i, SSRC);
		await_counter(f, REASON_forwarded_rtp, i + 1U);
	}
	for (uint32_t i = 0; i < LEGS; i++)
		lost += leg_of(f, FLOW, i).lost;
	sent = counter(f, REASON_copies_sent);
	assert_in_range(lost, 1, LEGS * PACKETS - URING_COPIES);
	assert_int_equal(lost, counter(f, REASON_copies_lost));
	assert_int_equal(lost + sent, LEGS * PACKETS);

	send_rtp(&f->caller, BASE + 100, 1);
	assert_int_equal(receive(&f->callee, got, sizeof(got), &port), 172);
	assert_false(buffers_back(f));
	assert_int_equal(removal(f, FLOW), 0);
	assert_int_equal(set(f, &spec), 0); /* on the port that is still sending */
	assert_int_equal(leg_of(f, FLOW, 0).packets, 0);
	assert_int_equal(removal(f, FLOW), 0);
	free(fan);
}

/* Where the ports share a socket, they keep nobody else waiting. */
static void silent_beside_others(void **state)
{
	enum { LEGS = 40, PACKETS = 400 };
	struct fixture *f = *state;
	struct tandem_fan *fan = fan_alloc(LEGS);
	unsigned char got[2048];
	uint16_t port;

	silent_flows(f, fan);
	for (uint16_t i = 0; i < PACKETS; i++) {
		send_ssrc(f, i, SSRC);
		send_rtp(&f->caller, BASE + 100, i);
		assert_int_equal(receive(&f->callee, got, sizeof(got), &port), 172);
	}
	await_counter(f, REASON_forwarded_rtp, 2 * PACKETS);
	assert_int_equal(counter(f, REASON_copies_lost), 0);
	await_buffers(f);
	free(fan);
}

static int setup_silent(void **state, unsigned int without)
{
	struct tandem_datapath_config cfg = config();
	struct fixture *f = calloc(1, sizeof(*f));
	char why[256] = "";

	if (system("ip link add tu-a type veth peer name tu-b && ip link set tu-b up && "
		   "ip addr add 192.0.2.1/24 dev tu-a && ip link set tu-a up"))
		return -1;
	f->fds_before = open_fds();
	tandem_ip_parse(&cfg.locals[1].ip, "192.0.2.1");
	if (tandem_uring_open(&f->dp, &cfg, without, why, sizeof(why)))
		return -1;
	f->caller = phone_open("127.0.0.1");
	f->callee = phone_open("127.0.0.1");
	*state = f;
	return 0;
}

static int setup_silent_trunks(void **state)
{
	return setup_silent(state, 0);
}

static int setup_silent_sockets(void **state)
{
	return setup_silent(state, URING_WITHOUT_TRUNKS);
}

static int setup_silent_single(void **state)
{
	return setup_silent(state, URING_WITHOUT_MULTISHOT);
}

static int teardown_silent(void **state)
{
	int failed = teardown(state);

	return system("ip link del tu-a") || failed;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(silent_beside_others, setup_silent_trunks,
						teardown_silent),
		{ "out_of_copies_sockets", out_of_copies, setup_silent_sockets, teardown_silent,
		  NULL },
		{ "out_of_copies_single", out_of_copies, setup_silent_single, teardown_silent,
		  NULL },
	};

	if (!own_network()) {
		puts("1..0 # SKIP needs a network namespace of its own");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
