/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/dpdk_streams.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* A control message with one descriptor. */
union passing {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static size_t size_of(uint32_t count)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return ((count ? count : 1) * sizeof(struct srtp_stream) + page - 1) / page * page;
}

static int map(struct tandem_dpdk_streams *streams, int fd, size_t size)
{
	void *array = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (array == MAP_FAILED)
		return -errno;
	*streams = (struct tandem_dpdk_streams){ fd, array, size };
	return 0;
}

int tandem_dpdk_streams_make(struct tandem_dpdk_streams *streams, uint32_t count)
{
	int fd = memfd_create("tandem-srtp", MFD_CLOEXEC | MFD_ALLOW_SEALING), err = 0;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)size_of(count)) || fcntl(fd, F_ADD_SEALS, SEALS))
		err = -errno;
	if (!err)
		err = map(streams, fd, size_of(count));
	if (err)
		close(fd);
	return err;
}

int tandem_dpdk_streams_take(struct tandem_dpdk_streams *streams, int fd, uint32_t count)
{
	const int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	int err = -EINVAL;

	if (seals >= 0 && (seals & SEALS) == SEALS && !(seals & F_SEAL_WRITE) && !fstat(fd, &st) &&
	    st.st_size == (off_t)size_of(count))
		err = map(streams, fd, size_of(count));
	if (err && fd >= 0)
		close(fd);
	return err;
}

void tandem_dpdk_streams_close(struct tandem_dpdk_streams *streams)
{
	if (streams->array)
		munmap(streams->array, streams->size);
	if (streams->fd >= 0)
		close(streams->fd);
	*streams = (struct tandem_dpdk_streams){ .fd = -1 };
}

bool tandem_dpdk_streams_same(int fd, int other)
{
	struct stat a, b;

	return !fstat(fd, &a) && !fstat(other, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

ssize_t tandem_dpdk_send(int fd, const void *message, size_t len, int flags, int passed)
{
	union passing passing = { { 0 } };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)message, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (passed >= 0) {
		msg.msg_control = passing.bytes;
		msg.msg_controllen = sizeof(passing.bytes);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(passed));
		memcpy(CMSG_DATA(cmsg), &passed, sizeof(passed));
	}
	return sendmsg(fd, &msg, flags);
}

ssize_t tandem_dpdk_recv(int fd, void *message, size_t size, int flags, int *passed)
{
	union passing passing;
	struct iovec iov = { .iov_base = message, .iov_len = size };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = passing.bytes,
		.msg_controllen = sizeof(passing.bytes),
	};
	ssize_t len = recvmsg(fd, &msg, flags | MSG_CMSG_CLOEXEC);
	struct cmsghdr *cmsg;

	*passed = -1;
	if (len < 0)
		return len;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS &&
		    cmsg->cmsg_len == CMSG_LEN(sizeof(*passed)))
			memcpy(passed, CMSG_DATA(cmsg), sizeof(*passed));
	}
	return len;
}
