/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "userspace/util/sparse.h"
#include "userspace/uring/worker.h"

#define SQ_ENTRIES    2048
#define PROBE_BUFFERS 8

_Static_assert((URING_HEADER_SIZE - URING_CONTROL_SIZE) % 8 == 0, "ancillary data is aligned");
_Static_assert(URING_HEADER_SIZE % 4 == 0, "the payload is aligned as the core wants it");
_Static_assert((URING_BUFFERS & (URING_BUFFERS - 1)) == 0, "the kernel wants a power of two");

/* The newest way of running the ring that this kernel knows; each saves interrupts. */
static int queue_init(struct io_uring *ring, unsigned int entries, unsigned int cq_entries)
{
	static const unsigned int ways[] = {
		IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, /* 6.1 */
		IORING_SETUP_COOP_TASKRUN,				 /* 5.19 */
		0,
	};
	int err = -ENOSYS;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct io_uring_params params = {
			.flags = ways[i] | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP,
			.cq_entries = cq_entries,
		};

		err = io_uring_queue_init_params(entries, ring, &params);
		if (err != -EINVAL)
			break;
	}
	return err;
}

/* liburing 2.3 has no io_uring_setup_buf_ring(). */
static int buf_ring_open(struct io_uring *ring, struct io_uring_buf_ring **brp,
			 unsigned int entries)
{
	struct io_uring_buf_reg reg = { .ring_entries = entries, .bgid = URING_BUFFER_GROUP };
	struct io_uring_buf_ring *br = tandem_sparse_alloc(entries, sizeof(struct io_uring_buf));
	int err;

	if (!br)
		return -ENOMEM;
	reg.ring_addr = (uintptr_t)br;
	err = io_uring_register_buf_ring(ring, &reg, 0);
	if (err) {
		tandem_sparse_free(br, entries, sizeof(struct io_uring_buf));
		return err;
	}
	io_uring_buf_ring_init(br);
	*brp = br;
	return 0;
}

/*
 * Multishot recvmsg came with 6.0, a release after buffer rings; a kernel that
 * lacks it ends the request at once with -EINVAL, and one that has it, on a
 * socket with a datagram waiting, gives the datagram and goes on.
 */
static int multishot_try(struct io_uring *ring, int fd)
{
	struct __kernel_timespec timeout = { .tv_sec = 1 };
	struct msghdr msg = { 0 };
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	struct io_uring_cqe *cqe;
	int err;

	io_uring_prep_recvmsg_multishot(sqe, fd, &msg, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT;
	sqe->buf_group = URING_BUFFER_GROUP;
	err = io_uring_submit_and_wait_timeout(ring, &cqe, 1, &timeout, NULL);
	if (err < 0)
		return err;
	if (cqe->res < 0)
		return cqe->res;
	return cqe->flags & IORING_CQE_F_MORE ? 0 : -EOPNOTSUPP;
}

/* Tried on a ring of its own, so that nothing of it is left in the real one. */
int tandem_uring_multishot_probe(void)
{
	static const char byte = 1;
	struct io_uring_buf_ring *br = NULL;
	unsigned char buffer[64];
	struct io_uring ring;
	int fds[2], err;

	err = queue_init(&ring, PROBE_BUFFERS, PROBE_BUFFERS * 2);
	if (err)
		return err;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds) < 0) {
		io_uring_queue_exit(&ring);
		return -errno;
	}
	err = buf_ring_open(&ring, &br, PROBE_BUFFERS);
	if (!err) {
		io_uring_buf_ring_add(br, buffer, sizeof(buffer), 0, PROBE_BUFFERS - 1, 0);
		io_uring_buf_ring_advance(br, 1);
		err = send(fds[1], &byte, sizeof(byte), 0) < 0 ? -errno : 0;
	}
	if (!err)
		err = multishot_try(&ring, fds[0]);
	close(fds[1]);
	close(fds[0]);
	io_uring_queue_exit(&ring);
	tandem_sparse_free(br, PROBE_BUFFERS, sizeof(struct io_uring_buf));
	return err;
}

static int has_operations(struct io_uring *ring)
{
	struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
	bool all;

	if (!probe)
		return -ENOSYS;
	all = io_uring_opcode_supported(probe, IORING_OP_RECVMSG) &&
	      io_uring_opcode_supported(probe, IORING_OP_SENDMSG) &&
	      io_uring_opcode_supported(probe, IORING_OP_READ) &&
	      io_uring_opcode_supported(probe, IORING_OP_ASYNC_CANCEL);
	io_uring_free_probe(probe);
	return all ? 0 : -EOPNOTSUPP;
}

int tandem_uring_ring_probe(char *detail, size_t size)
{
	struct io_uring ring;
	int err = queue_init(&ring, PROBE_BUFFERS, PROBE_BUFFERS * 2);

	if (!err) {
		err = has_operations(&ring);
		io_uring_queue_exit(&ring);
	}
	if (err == -EPERM)
		snprintf(detail, size,
			 "io_uring is forbidden here (kernel.io_uring_disabled, seccomp)");
	else if (err)
		snprintf(detail, size, "io_uring cannot be used: %s", strerror(-err));
	else if (tandem_uring_multishot_probe())
		snprintf(detail, size,
			 "one worker, a receive per packet (multishot needs Linux 6.0)");
	else
		snprintf(detail, size, "one worker, multishot receive");
	return err;
}

static void buffer_add(struct tandem_datapath *dp, struct uring_packet *packet)
{
	io_uring_buf_ring_add(dp->buf_ring, packet->data, sizeof(packet->data),
			      (unsigned short)(packet - dp->packets), URING_BUFFERS - 1,
			      dp->buffers_back++);
}

static int buffers_open(struct tandem_datapath *dp)
{
	int err;

	dp->packets = tandem_sparse_alloc(URING_BUFFERS, sizeof(*dp->packets));
	if (!dp->packets)
		return -ENOMEM;
	err = buf_ring_open(&dp->ring, &dp->buf_ring, URING_BUFFERS);
	if (err)
		return err;
	dp->recv_msg.msg_namelen = URING_NAME_SIZE;
	dp->recv_msg.msg_controllen = URING_CONTROL_SIZE;
	for (uint32_t i = 0; i < URING_BUFFERS; i++)
		buffer_add(dp, &dp->packets[i]);
	tandem_uring_publish(dp);
	return 0;
}

int tandem_uring_ring_open(struct tandem_datapath *dp, char *why, size_t why_size)
{
	int err = queue_init(&dp->ring, SQ_ENTRIES, URING_COMPLETIONS);

	if (err) {
		snprintf(why, why_size, "io_uring cannot be used: %s", strerror(-err));
		return err;
	}
	dp->starved_head = TANDEM_NO_SLOT;
	dp->multishot = dp->multishot && tandem_uring_multishot_probe() == 0;
	dp->todo = tandem_sparse_alloc(URING_COMPLETIONS, sizeof(*dp->todo));
	err = dp->todo ? tandem_uring_copies_init(dp) : -ENOMEM;
	if (!err && dp->multishot)
		err = buffers_open(dp);
	if (err) {
		snprintf(why, why_size, "no buffers for io_uring: %s", strerror(-err));
		tandem_uring_ring_close(dp);
	}
	return err;
}

void tandem_uring_ring_close(struct tandem_datapath *dp)
{
	io_uring_queue_exit(&dp->ring);
	tandem_sparse_free(dp->buf_ring, URING_BUFFERS, sizeof(struct io_uring_buf));
	tandem_sparse_free(dp->packets, URING_BUFFERS, sizeof(*dp->packets));
	tandem_sparse_free(dp->todo, URING_COMPLETIONS, sizeof(*dp->todo));
	tandem_uring_copies_clean(dp);
	dp->buf_ring = NULL;
	dp->packets = NULL;
	dp->todo = NULL;
}

struct io_uring_sqe *tandem_uring_sqe(struct tandem_datapath *dp, uint64_t data)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&dp->ring);

	/* Submitting empties the queue; it blocks on nothing. */
	while (!sqe) {
		io_uring_submit(&dp->ring);
		sqe = io_uring_get_sqe(&dp->ring);
	}
	dp->in_flight++;
	sqe->user_data = data;
	return sqe;
}

void tandem_uring_give_back(struct tandem_datapath *dp, struct uring_packet *packet)
{
	buffer_add(dp, packet);
}

void tandem_uring_publish(struct tandem_datapath *dp)
{
	if (!dp->buffers_back)
		return;
	io_uring_buf_ring_advance(dp->buf_ring, dp->buffers_back);
	dp->buffers_free = (uint16_t)(dp->buffers_free + dp->buffers_back);
	dp->buffers_back = 0;
}
