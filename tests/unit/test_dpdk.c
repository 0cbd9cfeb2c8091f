/* SPDX-License-Identifier: GPL-2.0-only */
/* The DPDK datapath's client against a worker that only keeps books: no DPDK is needed. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "userspace/datapath/datapath.h"
#include "userspace/datapath/dpdk_streams.h"
#include "userspace/datapath/dpdk_wire.h"
#include "userspace/datapath/srtp_sets.h"

#define FLOWS 20
#define LEGS  300 /* more than fit into one message */
#define SETS  40

/* What the worker is to say. */
static struct {
	char path[64];
	int listen_fd;
	pthread_t thread;
	int hello_result, config_result;
	uint32_t taken_over;
	uint64_t removed_id;
	bool reset;
	bool hang_up;		    /* on the next rule */
	struct tandem_dpdk_set set; /* the last one, */
	struct tandem_fan_leg legs[LEGS];
	uint32_t leg_count; /* and the legs that came before it */
	size_t parts;
	struct tandem_dpdk_streams streams; /* fd -1: none are given */
	int came;			    /* what came with the configuration */
	struct tandem_dpdk_srtp sets[SETS]; /* by index, as they were set, */
	struct tandem_dpdk_uses uses[SETS]; /* and what flows are said to have */
	uint32_t set_count, use_count, sets_told, drops;
	int set_result;
} worker;

static void reply_list(const struct tandem_dpdk_request *request, struct tandem_dpdk_reply *reply)
{
	uint32_t i = request->cursor;

	for (; i < FLOWS && reply->list.count < TANDEM_DPDK_BATCH; i++)
		reply->list.specs[reply->list.count++].id = i + 1;
	reply->list.next = i < FLOWS ? i : 0;
}

static int legs_arrive(const struct tandem_dpdk_legs *part)
{
	if (part->first == 0)
		worker.leg_count = 0;
	if (part->first != worker.leg_count || part->first + part->count > LEGS)
		return -EPROTO;
	memcpy(&worker.legs[part->first], part->legs, part->count * sizeof(part->legs[0]));
	worker.leg_count += part->count;
	worker.parts++;
	return 0;
}

/* Leg n has id n + 1000 and has sent n copies. */
static void reply_legs(const struct tandem_dpdk_request *request, struct tandem_dpdk_reply *reply)
{
	uint32_t i = request->legs.first;

	if (request->legs.id != 1)
		reply->result = -ENOENT;
	reply->legs.total = LEGS;
	for (; i < LEGS && reply->legs.count < TANDEM_DPDK_STATS; i++)
		reply->legs.legs[reply->legs.count++] = (struct tandem_leg_stats){ .id = i + 1000,
										   .packets = i };
}

static int set_arrives(const struct tandem_dpdk_srtp *set)
{
	worker.sets_told++;
	if (!worker.set_result)
		worker.sets[set->index] = *set;
	return worker.set_result;
}

static int set_goes(uint32_t index)
{
	worker.drops++;
	if (!worker.sets[index].index)
		return -ENOENT;
	memset(&worker.sets[index], 0, sizeof(worker.sets[index]));
	return 0;
}

static void reply_sets(const struct tandem_dpdk_request *request, struct tandem_dpdk_reply *reply)
{
	for (uint32_t i = request->cursor; i < SETS; i++) {
		if (!worker.sets[i].index)
			continue;
		if (reply->srtp.count == TANDEM_DPDK_SETS) {
			reply->srtp.next = i;
			return;
		}
		reply->srtp.sets[reply->srtp.count++] = worker.sets[i];
	}
}

/* Two lines at a time. */
static void reply_uses(const struct tandem_dpdk_request *request, struct tandem_dpdk_reply *reply)
{
	uint32_t i = request->place.slot;

	while (i < worker.use_count && reply->uses.count < 2)
		reply->uses.lines[reply->uses.count++] = worker.uses[i++];
	reply->uses.next.slot = i < worker.use_count ? i : 0;
}

static void answer_srtp(const struct tandem_dpdk_request *request, struct tandem_dpdk_reply *reply)
{
	switch (request->op) {
	case TANDEM_DPDK_SRTP_SET:
		reply->result = set_arrives(&request->srtp);
		break;
	case TANDEM_DPDK_SRTP_DROP:
		reply->result = set_goes(request->index);
		break;
	case TANDEM_DPDK_SRTP_LIST:
		reply_sets(request, reply);
		break;
	case TANDEM_DPDK_SRTP_USES:
		reply_uses(request, reply);
		break;
	}
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
		worker.set = request->set;
		reply->result = request->set.spec.id == 9 ? -ENOSPC : 0;
		break;
	case TANDEM_DPDK_LEGS_SET:
		reply->result = legs_arrive(&request->part);
		break;
	case TANDEM_DPDK_LEGS_READ:
		reply_legs(request, reply);
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
	default:
		answer_srtp(request, reply);
	}
}

static void *worker_main(void *arg)
{
	struct tandem_dpdk_request request;
	struct tandem_dpdk_reply reply;
	ssize_t len;
	int fd, passed;
	(void)arg;

	while ((fd = accept(worker.listen_fd, NULL, NULL)) >= 0) {
		while ((len = tandem_dpdk_recv(fd, &request, sizeof(request), 0, &passed)) > 0) {
			if (passed >= 0)
				worker.came = passed;
			if ((size_t)len != tandem_dpdk_request_size(&request))
				break;
			if (worker.hang_up && request.op == TANDEM_DPDK_SET)
				break;
			memset(&reply, 0, sizeof(reply));
			reply.magic = TANDEM_DPDK_MAGIC;
			answer(&request, &reply);
			tandem_dpdk_send(fd, &reply, tandem_dpdk_reply_size(request.op),
					 MSG_NOSIGNAL,
					 request.op == TANDEM_DPDK_CONFIG ? worker.streams.fd : -1);
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
	worker.streams.fd = -1;
	worker.came = -1;
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
	tandem_dpdk_streams_close(&worker.streams);
	if (worker.came >= 0)
		close(worker.came);
	return 0;
}

static int open_with(struct tandem_datapath **dp, struct tandem_srtp_sets *sets, char *why,
		     size_t size)
{
	struct tandem_datapath_config cfg = {
		.locals_count = 1,
		.port_min = 20000,
		.port_max = 20015,
		.flow_capacity = 32,
		.stream_capacity = 4,
		.nexthop_age_ms = 100,
		.dpdk_socket = worker.path,
		.srtp = sets,
	};

	cfg.locals[0].ip.b[15] = 1;
	return tandem_dpdk_ops.open(dp, &cfg, why, size);
}

static int open_client(struct tandem_datapath **dp, char *why, size_t size)
{
	return open_with(dp, NULL, why, size);
}

/* A plane's sets, and a worker that has streams for them. */
static struct tandem_srtp_sets *sets_begin(void)
{
	struct tandem_srtp_sets *sets;

	assert_int_equal(tandem_srtp_sets_alloc(&sets, SETS - 1), 0);
	assert_int_equal(
		tandem_dpdk_streams_make(&worker.streams, (SETS - 1) * TANDEM_SRTP_STREAMS), 0);
	return sets;
}

static struct tandem_srtp set_of(uint64_t id)
{
	struct tandem_srtp set = { .id = id, .suite = SRTP_AEAD_AES_128_GCM, .streams = 2 };

	memset(set.key, (int)id, sizeof(set.key));
	return set;
}

static void do_change(struct tandem_datapath *dp, struct tandem_change *change, int result)
{
	assert_int_equal(tandem_dpdk_ops.apply(dp, change, 1), 0);
	assert_int_equal(change->result, result);
}

/* Index of the set with this id in the worker; 0: it has none. */
static uint32_t worker_set(uint64_t id)
{
	for (uint32_t i = 1; i < SETS; i++) {
		if (worker.sets[i].index && worker.sets[i].keys.id == id)
			return i;
	}
	return 0;
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

static void a_fan_is_told_in_parts(void **state)
{
	struct tandem_fan *fan = calloc(1, sizeof(*fan) + LEGS * sizeof(fan->legs[0]));
	struct tandem_change changes[2] = {
		{ .op = TANDEM_FLOW_SET, .spec = { .id = 7, .fan = fan } },
		{ .op = TANDEM_FLOW_SET, .spec.id = 8 },
	};
	struct tandem_datapath *dp;
	(void)state;

	assert_non_null(fan);
	fan->branch_count = 2;
	fan->leg_count = LEGS;
	fan->branches[0] = (struct branch){ .ssrc = 5, .count = 200 };
	fan->branches[1] = (struct branch){ .first = 200, .count = 100, .flags = BRANCH_F_ANY };
	for (uint32_t i = 0; i < LEGS; i++) {
		fan->legs[i].id = i + 1;
		fan->legs[i].leg.egress.seq_offset = (uint16_t)i;
	}
	assert_int_equal(open_client(&dp, NULL, 0), 0);
	assert_int_equal(tandem_dpdk_ops.apply(dp, changes, 1), 0);
	assert_int_equal(changes[0].result, 0);
	assert_true(worker.parts > 1);
	assert_int_equal(worker.leg_count, LEGS);
	assert_memory_equal(worker.legs, fan->legs, LEGS * sizeof(fan->legs[0]));
	assert_int_equal(worker.set.fan, 1);
	assert_int_equal(worker.set.leg_count, LEGS);
	assert_int_equal(worker.set.branch_count, 2);
	assert_memory_equal(worker.set.branches, fan->branches, sizeof(fan->branches));
	/* No address of ours is any business of the worker's. */
	assert_null(worker.set.spec.fan);

	/* A flow without a fan has nothing of the one before. */
	assert_int_equal(tandem_dpdk_ops.apply(dp, &changes[1], 1), 0);
	assert_int_equal(worker.set.spec.id, 8);
	assert_int_equal(worker.set.fan, 0);
	assert_int_equal(worker.set.leg_count, 0);
	/* One with legs for nobody is still a fan. */
	fan->leg_count = 0;
	fan->branch_count = 0;
	worker.parts = 0;
	assert_int_equal(tandem_dpdk_ops.apply(dp, changes, 1), 0);
	assert_int_equal(worker.parts, 0);
	assert_int_equal(worker.set.fan, 1);
	tandem_dpdk_ops.close(dp, true);
	free(fan);
}

static void legs_are_read_in_parts(void **state)
{
	struct tandem_leg_stats legs[LEGS + 10];
	struct tandem_datapath *dp;
	size_t n;
	(void)state;

	assert_int_equal(open_client(&dp, NULL, 0), 0);
	assert_int_equal(tandem_dpdk_ops.read_legs(dp, 1, legs, LEGS + 10, &n), 0);
	assert_int_equal(n, LEGS);
	for (uint32_t i = 0; i < LEGS; i++) {
		assert_int_equal(legs[i].id, i + 1000);
		assert_int_equal(legs[i].packets, i);
	}
	/* No more than there is room for. */
	memset(legs, 0, sizeof(legs));
	assert_int_equal(tandem_dpdk_ops.read_legs(dp, 1, legs, TANDEM_DPDK_STATS + 1, &n), 0);
	assert_int_equal(n, TANDEM_DPDK_STATS + 1);
	assert_int_equal(legs[TANDEM_DPDK_STATS].id, TANDEM_DPDK_STATS + 1000);
	assert_int_equal(legs[TANDEM_DPDK_STATS + 1].id, 0);
	assert_int_equal(tandem_dpdk_ops.read_legs(dp, 2, legs, LEGS, &n), -ENOENT);
	assert_int_equal(n, 0);
	tandem_dpdk_ops.close(dp, true);
}

static void requests_have_the_length_of_their_kind(void **state)
{
	struct tandem_dpdk_request request = { .op = TANDEM_DPDK_LEGS_SET };
	size_t none = tandem_dpdk_request_size(&request);
	(void)state;

	request.part.count = TANDEM_DPDK_LEGS;
	assert_true(tandem_dpdk_request_size(&request) <= sizeof(request));
	assert_int_equal(tandem_dpdk_request_size(&request) - none,
			 TANDEM_DPDK_LEGS * sizeof(struct tandem_fan_leg));
	request.part.count = TANDEM_DPDK_LEGS + 1;
	assert_int_equal(tandem_dpdk_request_size(&request), 0);
	request.op = TANDEM_DPDK_SRTP_USES + 1;
	assert_int_equal(tandem_dpdk_request_size(&request), 0);
	request.part.count = 0;
	for (uint32_t op = TANDEM_DPDK_HELLO; op <= TANDEM_DPDK_SRTP_USES; op++) {
		request.op = op;
		assert_true(tandem_dpdk_request_size(&request) >= 2 * sizeof(uint32_t));
		assert_true(tandem_dpdk_request_size(&request) <= sizeof(request));
	}
}

static void keys_go_once_and_before_their_flows(void **state)
{
	const struct tandem_srtp in = set_of(70), old = set_of(71), out = set_of(72);
	struct tandem_change a = { .op = TANDEM_FLOW_SET, .spec.id = 7 };
	struct tandem_change b = { .op = TANDEM_FLOW_SET, .spec.id = 8 };
	struct tandem_srtp_sets *sets = sets_begin();
	struct tandem_datapath *dp;
	uint32_t index;
	(void)state;

	assert_int_equal(open_with(&dp, sets, NULL, 0), 0);
	/* The streams are the worker's memory. */
	worker.streams.array[5].top = 12345;
	assert_int_equal((*tandem_srtp_sets_streams(sets))[5].top, 12345);

	a.spec.srtp_in = &in;
	a.spec.srtp_in_old = &old;
	a.spec.srtp_out = &out;
	do_change(dp, &a, 0);
	assert_int_equal(worker.sets_told, 3);
	index = worker_set(70);
	assert_int_not_equal(index, 0);
	assert_int_equal(worker.sets[index].keys.suite, SRTP_AEAD_AES_128_GCM);
	assert_int_equal(worker.sets[index].keys.stream_count, 2);
	assert_int_equal(worker.set.srtp[TANDEM_DPDK_USE_IN], 70);
	assert_int_equal(worker.set.srtp[TANDEM_DPDK_USE_OLD], 71);
	assert_int_equal(worker.set.srtp[TANDEM_DPDK_USE_OUT], 72);
	assert_null(worker.set.spec.srtp_in);
	assert_null(worker.set.spec.srtp_in_old);
	assert_null(worker.set.spec.srtp_out);
	b.spec.srtp_out = &in;
	do_change(dp, &b, 0);
	assert_int_equal(worker.sets_told, 3);

	/* What nobody has any more goes, and what the other flow has stays. */
	a.spec.srtp_in_old = NULL;
	a.spec.srtp_in = &out;
	do_change(dp, &a, 0);
	assert_int_equal(worker_set(71), 0);
	assert_int_equal(worker_set(70), index);
	b.op = TANDEM_FLOW_REMOVE;
	b.spec.srtp_out = NULL;
	do_change(dp, &b, 0);
	assert_int_equal(worker_set(70), 0);
	/* A flow that loses its keys leaves them, too. */
	a.spec.srtp_in = a.spec.srtp_out = NULL;
	do_change(dp, &a, 0);
	assert_int_equal(worker_set(72), 0);
	assert_int_equal(worker.drops, 3);
	tandem_dpdk_ops.close(dp, true);
	tandem_srtp_sets_free(sets);
}

static void a_flow_that_is_refused_leaves_its_keys(void **state)
{
	const struct tandem_srtp in = set_of(70), other = set_of(71);
	struct tandem_change nine = { .op = TANDEM_FLOW_SET, .spec.id = 9, .spec.srtp_in = &in };
	struct tandem_change a = { .op = TANDEM_FLOW_SET, .spec.id = 7, .spec.srtp_in = &in };
	struct tandem_srtp_sets *sets = sets_begin();
	struct tandem_datapath *dp;
	(void)state;

	assert_int_equal(open_with(&dp, sets, NULL, 0), 0);
	do_change(dp, &nine, -ENOSPC);
	assert_int_equal(worker_set(70), 0);
	do_change(dp, &a, 0);
	worker.set_result = -EINVAL;
	a.spec.srtp_in = &other;
	worker.set.spec.id = 0;
	do_change(dp, &a, -EINVAL);
	/* It was not even asked for the flow, which is as it was. */
	assert_int_equal(worker.set.spec.id, 0);
	assert_int_not_equal(worker_set(70), 0);
	tandem_dpdk_ops.close(dp, true);
	tandem_srtp_sets_free(sets);
}

static void legs_have_keys_of_their_own(void **state)
{
	struct tandem_fan *fan = calloc(1, sizeof(*fan) + 2 * sizeof(fan->legs[0]));
	const struct tandem_srtp keys[2] = { set_of(70), set_of(71) };
	struct tandem_change c = { .op = TANDEM_FLOW_SET, .spec.id = 7, .spec.fan = fan };
	struct tandem_srtp_sets *sets = sets_begin();
	struct tandem_datapath *dp;
	(void)state;

	fan->branch_count = 1;
	fan->leg_count = fan->key_count = fan->branches[0].count = 2;
	fan->keys = keys;
	fan->legs[0].srtp = 70;
	fan->legs[1].srtp = 71;
	assert_int_equal(open_with(&dp, sets, NULL, 0), 0);
	do_change(dp, &c, 0);
	assert_int_not_equal(worker_set(70), 0);
	assert_int_not_equal(worker_set(71), 0);
	assert_int_equal(worker.legs[1].srtp, 71);
	fan->key_count = fan->leg_count = fan->branches[0].count = 1;
	do_change(dp, &c, 0);
	assert_int_equal(worker_set(71), 0);
	assert_int_not_equal(worker_set(70), 0);
	tandem_dpdk_ops.close(dp, true);
	tandem_srtp_sets_free(sets);
	free(fan);
}

static void the_next_controller_has_the_keys(void **state)
{
	const struct tandem_srtp in = set_of(70), unused = set_of(71);
	struct tandem_change a = { .op = TANDEM_FLOW_SET, .spec.id = 7, .spec.srtp_in = &in };
	struct tandem_srtp_sets *sets = sets_begin();
	struct tandem_datapath *dp;
	uint32_t index;
	(void)state;

	/* As the one before has left it: a flow with keys, and keys that no flow came for. */
	assert_int_equal(open_with(&dp, sets, NULL, 0), 0);
	do_change(dp, &a, 0);
	a.spec.id = 8;
	a.spec.srtp_in = &unused;
	do_change(dp, &a, 0);
	tandem_dpdk_ops.close(dp, true);
	tandem_srtp_sets_free(sets);
	index = worker_set(70);
	worker.uses[0] = (struct tandem_dpdk_uses){ .id = 7, .index = index };
	worker.use_count = 1;
	worker.streams.array[worker.sets[index].keys.first_stream].top = 0x12345;

	assert_int_equal(tandem_srtp_sets_alloc(&sets, SETS - 1), 0);
	worker.sets_told = 0;
	assert_int_equal(open_with(&dp, sets, NULL, 0), 0);
	assert_int_equal(worker_set(71), 0);
	assert_int_equal(worker_set(70), index);
	/* Set again as a restart does it: with the same keys, which have gone on. */
	a.spec.id = 7;
	a.spec.srtp_in = &in;
	do_change(dp, &a, 0);
	assert_int_equal(worker.sets_told, 0);
	assert_int_equal(
		(*tandem_srtp_sets_streams(sets))[worker.sets[index].keys.first_stream].top,
		0x12345);
	a.op = TANDEM_FLOW_REMOVE;
	do_change(dp, &a, 0);
	assert_int_equal(worker_set(70), 0);
	tandem_dpdk_ops.close(dp, true);
	tandem_srtp_sets_free(sets);
}

static void what_does_not_add_up_is_taken_from_the_worker(void **state)
{
	struct tandem_srtp_sets *sets = sets_begin();
	struct tandem_datapath *dp;
	(void)state;

	for (uint32_t i = 1; i < 5; i++)
		worker.sets[i] = (struct tandem_dpdk_srtp){
			.index = i,
			.keys = { .suite = SRTP_AEAD_AES_128_GCM,
				  .id = i,
				  .first_stream = i * 4,
				  .stream_count = 4 },
		};
	worker.sets[2].keys.first_stream = 5; /* those of 1 */
	worker.sets[3].keys.suite = SRTP_SUITES;
	worker.uses[0] = (struct tandem_dpdk_uses){ .id = 11, .index = 1 };
	worker.uses[1] = (struct tandem_dpdk_uses){ .id = 12, .index = 4 };
	worker.uses[2] = (struct tandem_dpdk_uses){ .id = 12, .index = 2 };
	worker.uses[3] = (struct tandem_dpdk_uses){ .id = 12, .index = 1 };
	worker.uses[4] = (struct tandem_dpdk_uses){ .id = 13, .index = 0xffffffff };
	worker.use_count = 5;
	assert_int_equal(open_with(&dp, sets, NULL, 0), 0);
	assert_int_equal(worker.removed_id, 13);
	assert_int_equal(worker_set(1), 1);
	assert_int_equal(worker_set(2), 0);
	assert_int_equal(worker_set(3), 0);
	assert_int_equal(worker_set(4), 0);
	tandem_dpdk_ops.close(dp, true);
	tandem_srtp_sets_free(sets);
}

static void streams_that_are_none_are_refused(void **state)
{
	struct tandem_srtp_sets *sets = sets_begin();
	struct tandem_datapath *dp;
	char why[256] = "";
	(void)state;

	/* Too few, and then none at all. */
	tandem_dpdk_streams_close(&worker.streams);
	assert_int_equal(tandem_dpdk_streams_make(&worker.streams, 1), 0);
	assert_int_equal(open_with(&dp, sets, why, sizeof(why)), -EINVAL);
	tandem_dpdk_streams_close(&worker.streams);
	assert_int_equal(open_with(&dp, sets, why, sizeof(why)), -EINVAL);
	/* A file that may shrink under the controller. */
	worker.streams.fd = memfd_create("unsealed", 0);
	assert_int_equal(ftruncate(worker.streams.fd, 1 << 20), 0);
	assert_int_equal(open_with(&dp, sets, why, sizeof(why)), -EINVAL);
	tandem_srtp_sets_free(sets);
}

static bool change_fails(struct tandem_datapath *dp, struct tandem_change *c)
{
	assert_int_equal(tandem_dpdk_ops.apply(dp, c, 1), 0);
	return c->result != 0;
}

static void another_worker_gets_the_same_streams(void **state)
{
	const struct tandem_srtp in = set_of(70);
	struct tandem_change c = { .op = TANDEM_FLOW_SET, .spec.id = 7, .spec.srtp_in = &in };
	struct tandem_srtp_sets *sets = sets_begin();
	struct tandem_datapath *dp;
	(void)state;

	assert_int_equal(open_with(&dp, sets, NULL, 0), 0);
	assert_int_equal(worker.came, -1);
	do_change(dp, &c, 0);
	worker.hang_up = true;
	do_change(dp, &c, -ENOTCONN);
	/* It begins anew: without keys, with what comes along. */
	memset(worker.sets, 0, sizeof(worker.sets));
	worker.hang_up = false;
	for (int i = 0; i < 30 && change_fails(dp, &c); i++)
		poll(NULL, 0, 100);
	assert_int_equal(c.result, 0);
	assert_true(worker.came >= 0);
	assert_true(tandem_dpdk_streams_same(worker.came, worker.streams.fd));
	assert_int_not_equal(worker_set(70), 0);
	tandem_dpdk_ops.close(dp, true);
	tandem_srtp_sets_free(sets);
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
	assert_int_equal(worker.set.spec.id, 7);
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
		cmocka_unit_test_setup_teardown(a_fan_is_told_in_parts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(legs_are_read_in_parts, set_up, tear_down),
		cmocka_unit_test(requests_have_the_length_of_their_kind),
		cmocka_unit_test_setup_teardown(keys_go_once_and_before_their_flows, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_flow_that_is_refused_leaves_its_keys, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(legs_have_keys_of_their_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_next_controller_has_the_keys, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_does_not_add_up_is_taken_from_the_worker,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(streams_that_are_none_are_refused, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(another_worker_gets_the_same_streams, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(closing_for_good_empties_the_worker, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_worker_that_is_not_ours, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_worker_that_dies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_probe_says_who_answers, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
