/* SPDX-License-Identifier: GPL-2.0-only */
/* The io_uring datapath under load: changes under traffic, more packets than buffers. */
#include "tests/unit/uring_fixture.h"

static void count_h(const struct tandem_flow_spec *spec, void *arg)
{
	(void)spec;
	++*(int *)arg;
}

struct traffic {
	struct fixture *f;
	bool stop;
	uint64_t sent;
};

static void *traffic_thread(void *arg)
{
	struct traffic *t = arg;

	while (!__atomic_load_n(&t->stop, __ATOMIC_RELAXED)) {
		for (uint16_t i = 0; i < 64; i++)
			send_rtp(&t->f->caller, (uint16_t)(BASE + 4 * ((t->sent + i) % 500)),
				 (uint16_t)t->sent);
		t->sent += 64;
	}
	return NULL;
}

static double seconds(const struct timespec *from)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - from->tv_sec) + (double)(now.tv_nsec - from->tv_nsec) / 1e9;
}

static void flows_under_traffic(void **state)
{
	enum { FLOWS = 500, ROUNDS = 4 };
	struct fixture *f = *state;
	struct traffic t = { .f = f };
	struct timespec from;
	pthread_t thread;
	int listed = 0;

	assert_int_equal(pthread_create(&thread, NULL, traffic_thread, &t), 0);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (uint64_t round = 0; round < ROUNDS; round++) {
		for (uint64_t i = 0; i < FLOWS; i++) {
			struct tandem_flow_spec spec = spec_of(round * FLOWS + i + 1, "127.0.0.1",
							       (uint16_t)(BASE + 4 * i), &f->caller,
							       &f->callee);

			assert_int_equal(set(f, &spec), 0);
		}
		if (round == 0) {
			assert_int_equal(ops->list(f->dp, count_h, &listed), 0);
			assert_int_equal(listed, FLOWS);
		}
		for (uint64_t i = 0; i < FLOWS; i++)
			assert_int_equal(removal(f, round * FLOWS + i + 1), 0);
	}
	print_message("%d flows set and removed under traffic: %.1f us each\n", FLOWS * ROUNDS,
		      seconds(&from) * 1e6 / (FLOWS * ROUNDS));
	__atomic_store_n(&t.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	listed = 0;
	assert_int_equal(ops->list(f->dp, count_h, &listed), 0);
	assert_int_equal(listed, 0);
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
}

/* A million flows' worth of capacity costs address space only. */
static void capacity_costs_nothing(void **state)
{
	struct tandem_datapath_config cfg = config();
	struct tandem_datapath *dp;
	long before, after, unused;
	FILE *file;
	(void)state;

	cfg.flow_capacity = 4000000;
	cfg.stream_capacity = 1000000;
	file = fopen("/proc/self/statm", "r");
	assert_int_equal(fscanf(file, "%ld %ld", &unused, &before), 2);
	fclose(file);
	assert_int_equal(ops->open(&dp, &cfg, NULL, 0), 0);
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
	const struct CMUnitTest tests[] = {
		IN(flows_under_traffic, ), IN(flows_under_traffic, _single),	     IN(flood, ),
		IN(flood, _single),	   cmocka_unit_test(capacity_costs_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
