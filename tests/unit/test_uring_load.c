/* SPDX-License-Identifier: GPL-2.0-only */
/* The io_uring datapath under load: changes under traffic, more packets than buffers. */
#include "tests/unit/uring_fixture.h"

enum { FLOWS = 500, ROUNDS = 4 };

static void count_h(const struct tandem_flow_spec *spec, void *arg)
{
	(void)spec;
	++*(int *)arg;
}

struct traffic {
	struct fixture *f;
	bool stop;
	uint64_t sent;
	int error;
};

/* Asserts nothing: cmocka's failures belong to the main thread. */
static void *traffic_thread(void *arg)
{
	struct traffic *t = arg;
	struct tandem_endpoint to = { 0 };
	struct sockaddr_storage ss;
	unsigned char buf[172];
	socklen_t len;

	tandem_ip_parse(&to.ip, "127.0.0.1");
	rtp(buf, 0, 0x1234);
	for (; !__atomic_load_n(&t->stop, __ATOMIC_RELAXED); t->sent++) {
		to.port = (uint16_t)(BASE + 4 * (t->sent % 500));
		len = tandem_endpoint_to_sockaddr(&to, &ss);
		if (sendto(t->f->caller.fd, buf, sizeof(buf), 0, (struct sockaddr *)&ss, len) < 0)
			t->error = errno;
	}
	return NULL;
}

static double seconds(const struct timespec *from)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - from->tv_sec) + (double)(now.tv_nsec - from->tv_nsec) / 1e9;
}

/* Set and remove them all once; returns how many of the changes failed. */
static unsigned int change_all(struct fixture *f, uint64_t first_id)
{
	unsigned int failed = 0;
	int listed = 0;

	for (uint64_t i = 0; i < FLOWS; i++) {
		struct tandem_flow_spec spec = spec_of(first_id + i, "127.0.0.1",
						       (uint16_t)(BASE + 4 * i), &f->caller,
						       &f->callee);

		failed += set(f, &spec) != 0;
	}
	ops->list(f->dp, count_h, &listed);
	failed += listed != FLOWS;
	for (uint64_t i = 0; i < FLOWS; i++)
		failed += removal(f, first_id + i) != 0;
	return failed;
}

static void flows_under_traffic(void **state)
{
	struct fixture *f = *state;
	struct traffic t = { .f = f };
	unsigned int failed = 0;
	struct timespec from;
	pthread_t thread;
	int listed = 0;

	assert_int_equal(pthread_create(&thread, NULL, traffic_thread, &t), 0);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (uint64_t round = 0; round < ROUNDS; round++)
		failed += change_all(f, round * FLOWS + 1);
	print_message("%d flows set and removed under traffic: %.1f us each\n", FLOWS * ROUNDS,
		      seconds(&from) * 1e6 / (FLOWS * ROUNDS));
	__atomic_store_n(&t.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	assert_int_equal(t.error, 0);
	assert_int_equal(failed, 0);
	assert_int_equal(ops->list(f->dp, count_h, &listed), 0);
	assert_int_equal(listed, 0);
	await_buffers(f);
}

/* More at once than there are buffers: they are lost to the socket's buffer at worst. */
static void flood(void **state)
{
	enum { PACKETS = 200000 };
	struct fixture *f = *state;
	struct tandem_flow_spec spec = spec_of(1, "127.0.0.1", BASE, &f->caller, &f->callee);
	struct reason_counters c;
	struct timespec from;
	unsigned char got[2048];
	uint16_t port;
	uint64_t failed;

	assert_int_equal(set(f, &spec), 0);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (uint32_t i = 0; i < PACKETS; i++)
		send_rtp(&f->caller, BASE, (uint16_t)i);
	ops->counters(f->dp, &c);
	print_message("relayed %llu of %u in %.2f s\n",
		      (unsigned long long)c.packets[REASON_forwarded_rtp], PACKETS, seconds(&from));
	failed = c.packets[REASON_send_failed];
	assert_int_equal(failed, 0);

	/* And it still relays. */
	for (;;) {
		struct pollfd pfd = { .fd = f->callee.fd, .events = POLLIN };

		if (poll(&pfd, 1, 200) == 0)
			break;
		recv(f->callee.fd, got, sizeof(got), 0);
	}
	for (uint16_t i = 0; i < 2000; i++) {
		send_rtp(&f->caller, BASE, i);
		assert_int_equal(receive(&f->callee, got, sizeof(got), &port), 172);
	}
	await_buffers(f);
}

/* A million flows' worth of capacity costs address space only. */
static void capacity_costs_nothing(void **state)
{
	struct tandem_datapath_config cfg = config();
	struct tandem_datapath *dp;
	long before, after, unused;
	FILE *file;
	char why[256] = "";
	(void)state;

	cfg.flow_capacity = 4000000;
	cfg.stream_capacity = 1000000;
	file = fopen("/proc/self/statm", "r");
	assert_int_equal(fscanf(file, "%ld %ld", &unused, &before), 2);
	fclose(file);
	assert_int_equal(ops->open(&dp, &cfg, why, sizeof(why)), 0);
	file = fopen("/proc/self/statm", "r");
	assert_int_equal(fscanf(file, "%ld %ld", &unused, &after), 2);
	fclose(file);
	print_message("4,000,000 flows of capacity: %ld kB resident\n", (after - before) * 4);
	assert_true((after - before) * 4 < 32768);
	ops->close(dp, true);
}

int main(void)
{
#define IN(test, how)                                                                              \
	{                                                                                          \
#test " " #how, test, setup##how, teardown, NULL                                   \
	}
#define EACH(test) IN(test, ), IN(test, _sockets), IN(test, _single)
	const struct CMUnitTest tests[] = {
		EACH(flows_under_traffic),
		EACH(flood),
		cmocka_unit_test(capacity_costs_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
