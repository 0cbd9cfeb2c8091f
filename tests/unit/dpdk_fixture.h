/* SPDX-License-Identifier: GPL-2.0-only */
/* A worker of the DPDK datapath that only keeps books, and a client of it: no DPDK is needed. */
#ifndef TANDEM_TEST_DPDK_FIXTURE_H
#define TANDEM_TEST_DPDK_FIXTURE_H

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

static inline void reply_list(const struct tandem_dpdk_request *request,
			      struct tandem_dpdk_reply *reply)
{
	uint32_t i = request->cursor;

	for (; i < FLOWS && reply->list.count < TANDEM_DPDK_BATCH; i++)
		reply->list.specs[reply->list.count++].id = i + 1;
	reply->list.next = i < FLOWS ? i : 0;
}

static inline int legs_arrive(const struct tandem_dpdk_legs *part)
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
static inline void reply_legs(const struct tandem_dpdk_request *request,
			      struct tandem_dpdk_reply *reply)
{
	uint32_t i = request->legs.first;

	if (request->legs.id != 1)
		reply->result = -ENOENT;
	reply->legs.total = LEGS;
	for (; i < LEGS && reply->legs.count < TANDEM_DPDK_STATS; i++)
		reply->legs.legs[reply->legs.count++] = (struct tandem_leg_stats){ .id = i + 1000,
										   .packets = i };
}

static inline int set_arrives(const struct tandem_dpdk_srtp *set)
{
	worker.sets_told++;
	if (!worker.set_result)
		worker.sets[set->index] = *set;
	return worker.set_result;
}

static inline int set_goes(uint32_t index)
{
	worker.drops++;
	if (!worker.sets[index].index)
		return -ENOENT;
	memset(&worker.sets[index], 0, sizeof(worker.sets[index]));
	return 0;
}

static inline void reply_sets(const struct tandem_dpdk_request *request,
			      struct tandem_dpdk_reply *reply)
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
static inline void reply_uses(const struct tandem_dpdk_request *request,
			      struct tandem_dpdk_reply *reply)
{
	uint32_t i = request->place.slot;

	while (i < worker.use_count && reply->uses.count < 2)
		reply->uses.lines[reply->uses.count++] = worker.uses[i++];
	reply->uses.next.slot = i < worker.use_count ? i : 0;
}

static inline void answer_srtp(const struct tandem_dpdk_request *request,
			       struct tandem_dpdk_reply *reply)
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

static inline void answer(const struct tandem_dpdk_request *request,
			  struct tandem_dpdk_reply *reply)
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

static inline void *worker_main(void *arg)
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

static inline int set_up(void **state)
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

static inline int tear_down(void **state)
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

static inline int open_with(struct tandem_datapath **dp, struct tandem_srtp_sets *sets, char *why,
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

static inline int open_client(struct tandem_datapath **dp, char *why, size_t size)
{
	return open_with(dp, NULL, why, size);
}

/* A plane's sets, and a worker that has streams for them. */
static inline struct tandem_srtp_sets *sets_begin(void)
{
	struct tandem_srtp_sets *sets;

	assert_int_equal(tandem_srtp_sets_alloc(&sets, SETS - 1), 0);
	assert_int_equal(
		tandem_dpdk_streams_make(&worker.streams, (SETS - 1) * TANDEM_SRTP_STREAMS), 0);
	return sets;
}

static inline struct tandem_srtp set_of(uint64_t id)
{
	struct tandem_srtp set = { .id = id, .suite = SRTP_AEAD_AES_128_GCM, .streams = 2 };

	memset(set.key, (int)id, sizeof(set.key));
	return set;
}

static inline void do_change(struct tandem_datapath *dp, struct tandem_change *change, int result)
{
	assert_int_equal(tandem_dpdk_ops.apply(dp, change, 1), 0);
	assert_int_equal(change->result, result);
}

/* Index of the set with this id in the worker; 0: it has none. */
static inline uint32_t worker_set(uint64_t id)
{
	for (uint32_t i = 1; i < SETS; i++) {
		if (worker.sets[i].index && worker.sets[i].keys.id == id)
			return i;
	}
	return 0;
}

#endif
