/* SPDX-License-Identifier: GPL-2.0-only */
/* The DPDK datapath's client against a worker that only keeps books: no DPDK is needed. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "userspace/datapath/datapath.h"
#include "userspace/datapath/dpdk_wire.h"

#define FLOWS 20

/* What the worker is to say. */
static struct {
	char path[64];
	int listen_fd;
	pthread_t thread;
	int hello_result, config_result;
	uint32_t taken_over;
	uint64_t set_id, removed_id;
	bool reset;
	bool hang_up; /* on the next rule */
} worker;

static void reply_list(const struct tandem_dpdk_request *request, struct tandem_dpdk_reply *reply)
{
	uint32_t i = request->cursor;

	for (; i < FLOWS && reply->list.count < TANDEM_DPDK_BATCH; i++)
		reply->list.specs[reply->list.count++].id = i + 1;
	reply->list.next = i < FLOWS ? i : 0;
}

static void answer(const struct tandem_dpdk_request *request, struct tandem_dpdk_reply *reply)
{
	switch (request->op) {
	case TANDEM_DPDK_HELLO:
		reply->hello = tandem_dpdk_hello_own();
		snprintf(reply->describe, sizeof(reply->describe), "books");
		reply->result = worker.hello_result;
		break;
	case TANDEM_DPDK_CONFIG:
		reply->flows = worker.taken_over;
		reply->result = worker.config_result;
		break;
	case TANDEM_DPDK_SET:
		worker.set_id = request->spec.id;
		reply->result = request->spec.id == 9 ? -ENOSPC : 0;
		break;
	case TANDEM_DPDK_REMOVE:
		worker.removed_id = request->id;
		break;
	case TANDEM_DPDK_READ:
		reply->result = request->id == 1 ? 0 : -ENOENT;
		reply->read.flow.packets = 77;
		reply->read.count = 2;
		reply->read.streams[1].ssrc = 5;
		break;
	case TANDEM_DPDK_LIST:
		reply_list(request, reply);
		break;
	case TANDEM_DPDK_COUNTERS:
		reply->counters.packets[REASON_forwarded_rtp] = 3;
		break;
	case TANDEM_DPDK_RESET:
		worker.reset = true;
		break;
	}
}

static void *worker_main(void *arg)
{
	struct tandem_dpdk_request request;
	struct tandem_dpdk_reply reply;
	int fd;
	(void)arg;

	while ((fd = accept(worker.listen_fd, NULL, NULL)) >= 0) {
		while (recv(fd, &request, sizeof(request), 0) == sizeof(request)) {
			if (worker.hang_up && request.op == TANDEM_DPDK_SET)
				break;
			memset(&reply, 0, sizeof(reply));
			reply.magic = TANDEM_DPDK_MAGIC;
			answer(&request, &reply);
			send(fd, &reply, sizeof(reply), MSG_NOSIGNAL);
		}
		close(fd);
	}
	return NULL;
}

static int set_up(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	(void)state;

	memset(&worker, 0, sizeof(worker));
	snprintf(worker.path, sizeof(worker.path), "/tmp/test_dpdk-%d.sock", (int)getpid());
	memcpy(addr.sun_path, worker.path, sizeof(worker.path));
	worker.listen_fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	assert_int_equal(bind(worker.listen_fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(worker.listen_fd, 4), 0);
	return pthread_create(&worker.thread, NULL, worker_main, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	shutdown(worker.listen_fd, SHUT_RDWR);
	pthread_join(worker.thread, NULL);
	close(worker.listen_fd);
	unlink(worker.path);
	return 0;
}

static int open_client(struct tandem_datapath **dp, char *why, size_t size)
{
	struct tandem_datapath_config cfg = {
		.locals_count = 1,
		.port_min = 20000,
		.port_max = 20015,
		.flow_capacity = 32,
		.stream_capacity = 4,
		.nexthop_age_ms = 100,
		.dpdk_socket = worker.path,
	};

	cfg.locals[0].ip.b[15] = 1;
	return tandem_dpdk_ops.open(dp, &cfg, why, size);
}

static void count_h(const struct tandem_flow_spec *spec, void *arg)
{
	uint64_t *sum = arg;

	*sum += spec->id;
}

static void a_worker_is_told_and_asked(void **state)
{
	struct tandem_change changes[3] = {
		{ .op = TANDEM_FLOW_SET, .spec.id = 7 },
		{ .op = TANDEM_FLOW_SET, .spec.id = 9 },
		{ .op = TANDEM_FLOW_REMOVE, .spec.id = 7 },
	};
	struct reason_counters counters;
	struct tandem_flow_stats stats;
	struct tandem_datapath *dp;
	uint64_t sum = 0;
	(void)state;

	assert_int_equal(open_client(&dp, NULL, 0), 0);
	assert_string_equal(tandem_dpdk_ops.describe(dp), "books");
	assert_int_equal(tandem_dpdk_ops.apply(dp, changes, 3), 0);
	assert_int_equal(changes[0].result, 0);
	assert_int_equal(changes[1].result, -ENOSPC);
	assert_int_equal(worker.removed_id, 7);
	assert_int_equal(tandem_dpdk_ops.read(dp, 1, &stats), 0);
	assert_int_equal(stats.fast_packets, 77);
	assert_int_equal(stats.stream_count, 2);
	assert_int_equal(stats.streams[1].ssrc, 5);
	assert_true(stats.offloaded);
	assert_int_equal(tandem_dpdk_ops.read(dp, 2, &stats), -ENOENT);
	assert_int_equal(tandem_dpdk_ops.list(dp, count_h, &sum), 0);
	assert_int_equal(sum, FLOWS * (FLOWS + 1) / 2);
	assert_int_equal(tandem_dpdk_ops.counters(dp, &counters), 0);
	assert_int_equal(counters.packets[REASON_forwarded_rtp], 3);
	tandem_dpdk_ops.close(dp, true);
	assert_false(worker.reset);
}

static void closing_for_good_empties_the_worker(void **state)
{
	struct tandem_datapath *dp;
	(void)state;

	assert_int_equal(open_client(&dp, NULL, 0), 0);
	tandem_dpdk_ops.close(dp, false);
	assert_true(worker.reset);
}

static void a_worker_that_is_not_ours(void **state)
{
	struct tandem_datapath *dp;
	char why[256] = "";
	(void)state;

	worker.hello_result = -EPROTO;
	assert_int_equal(open_client(&dp, why, sizeof(why)), -EPROTO);
	assert_non_null(strstr(why, "another version"));
	worker.hello_result = 0;
	worker.config_result = -EBUSY;
	assert_int_equal(open_client(&dp, why, sizeof(why)), -EBUSY);
	assert_non_null(strstr(why, "another controller"));
}

static void a_worker_that_dies(void **state)
{
	struct tandem_change change = { .op = TANDEM_FLOW_SET, .spec.id = 7 };
	struct reason_counters counters;
	struct tandem_flow_stats stats;
	struct tandem_datapath *dp;
	(void)state;

	assert_int_equal(open_client(&dp, NULL, 0), 0);
	worker.hang_up = true;
	assert_int_equal(tandem_dpdk_ops.apply(dp, &change, 1), 0);
	assert_int_equal(change.result, -ENOTCONN);
	assert_int_equal(tandem_dpdk_ops.read(dp, 1, &stats), -ENOTCONN);
	assert_int_equal(tandem_dpdk_ops.counters(dp, &counters), 0);
	/* It is tried again, but not before a second has passed. */
	worker.hang_up = false;
	for (int i = 0; i < 30 && change.result; i++) {
		poll(NULL, 0, 100);
		assert_int_equal(tandem_dpdk_ops.apply(dp, &change, 1), 0);
	}
	assert_int_equal(change.result, 0);
	assert_int_equal(worker.set_id, 7);
	tandem_dpdk_ops.close(dp, true);
}

static void a_probe_says_who_answers(void **state)
{
	struct tandem_datapath_config cfg = { .dpdk_socket = worker.path };
	struct tandem_probe probe;
	(void)state;

	assert_int_equal(tandem_dpdk_ops.probe(&cfg, &probe), 0);
	assert_true(probe.usable);
	assert_non_null(strstr(probe.detail, "books"));
	cfg.dpdk_socket = "/nonexistent/dpdk.sock";
	assert_int_equal(tandem_dpdk_ops.probe(&cfg, &probe), 0);
	assert_false(probe.usable);
	assert_non_null(strstr(probe.detail, "no worker at /nonexistent/dpdk.sock"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_worker_is_told_and_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(closing_for_good_empties_the_worker, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_worker_that_is_not_ours, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_worker_that_dies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_probe_says_who_answers, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
