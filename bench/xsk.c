/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/xsk.h"

#include <errno.h>
#include <linux/if_xdp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAMES 2048U /* as many as each ring has room for */

/* A ring that the kernel shares; one side moves the producer, the other the consumer. */
struct ring {
	void *map;
	size_t size;
	uint32_t *producer, *consumer;
	void *entries;
};

struct xsk {
	int fd;
	uint8_t *memory;
	struct ring tx, completion;
	uint64_t free[FRAMES]; /* offsets of frames that nobody has */
	uint32_t free_count, put;
};

static int ring_map(struct ring *ring, int fd, uint64_t page, const struct xdp_ring_offset *off,
		    size_t entry)
{
	ring->size = off->desc + FRAMES * entry;
	ring->map = mmap(NULL, ring->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
			 (off_t)page);
	if (ring->map == MAP_FAILED) {
		ring->map = NULL;
		return -errno;
	}
	ring->producer = (uint32_t *)((char *)ring->map + off->producer);
	ring->consumer = (uint32_t *)((char *)ring->map + off->consumer);
	ring->entries = (char *)ring->map + off->desc;
	return 0;
}

static int set_ring(int fd, int which)
{
	const int entries = FRAMES;

	return setsockopt(fd, SOL_XDP, which, &entries, sizeof(entries)) ? -errno : 0;
}

/* The fill ring is for receiving, and stays empty; no socket is bound without it. */
static int rings(struct xsk *xsk)
{
	struct xdp_umem_reg reg = { .addr = (uint64_t)(uintptr_t)xsk->memory,
				    .len = (uint64_t)FRAMES * XSK_FRAME,
				    .chunk_size = XSK_FRAME };
	struct xdp_mmap_offsets off;
	socklen_t len = sizeof(off);
	int err;

	if (setsockopt(xsk->fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg)))
		return -errno;
	err = set_ring(xsk->fd, XDP_UMEM_FILL_RING);
	if (!err)
		err = set_ring(xsk->fd, XDP_UMEM_COMPLETION_RING);
	if (!err)
		err = set_ring(xsk->fd, XDP_TX_RING);
	if (!err && getsockopt(xsk->fd, SOL_XDP, XDP_MMAP_OFFSETS, &off, &len))
		err = -errno;
	if (!err)
		err = ring_map(&xsk->tx, xsk->fd, XDP_PGOFF_TX_RING, &off.tx,
			       sizeof(struct xdp_desc));
	if (!err)
		err = ring_map(&xsk->completion, xsk->fd, XDP_UMEM_PGOFF_COMPLETION_RING, &off.cr,
			       sizeof(uint64_t));
	return err;
}

int tandem_xsk_open(struct xsk **xskp, uint32_t ifindex)
{
	struct sockaddr_xdp addr = { .sxdp_family = AF_XDP, .sxdp_ifindex = ifindex };
	struct xsk *xsk = calloc(1, sizeof(*xsk));
	int err;

	if (!xsk)
		return -ENOMEM;
	xsk->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	err = xsk->fd < 0 ? -errno : 0;
	xsk->memory = mmap(NULL, (size_t)FRAMES * XSK_FRAME, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (xsk->memory == MAP_FAILED) {
		xsk->memory = NULL;
		err = -ENOMEM;
	}
	if (!err)
		err = rings(xsk);
	if (!err && bind(xsk->fd, (struct sockaddr *)&addr, sizeof(addr)))
		err = -errno;
	for (; xsk->free_count < FRAMES; xsk->free_count++)
		xsk->free[xsk->free_count] = (uint64_t)xsk->free_count * XSK_FRAME;
	if (err)
		tandem_xsk_close(xsk);
	else
		*xskp = xsk;
	return err;
}

void tandem_xsk_close(struct xsk *xsk)
{
	if (!xsk)
		return;
	if (xsk->tx.map)
		munmap(xsk->tx.map, xsk->tx.size);
	if (xsk->completion.map)
		munmap(xsk->completion.map, xsk->completion.size);
	if (xsk->fd >= 0)
		close(xsk->fd);
	if (xsk->memory)
		munmap(xsk->memory, (size_t)FRAMES * XSK_FRAME);
	free(xsk);
}

static void reclaim(struct xsk *xsk)
{
	const struct ring *ring = &xsk->completion;
	const uint64_t *entries = ring->entries;
	uint32_t at = *ring->consumer, end = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);

	for (; at != end; at++)
		xsk->free[xsk->free_count++] = entries[at & (FRAMES - 1)];
	__atomic_store_n(ring->consumer, at, __ATOMIC_RELEASE);
}

void *tandem_xsk_frame(struct xsk *xsk)
{
	if (!xsk->free_count)
		reclaim(xsk);
	return xsk->free_count ? xsk->memory + xsk->free[xsk->free_count - 1] : NULL;
}

/* There is always room: the ring has as many entries as there are frames. */
void tandem_xsk_put(struct xsk *xsk, uint32_t len)
{
	struct xdp_desc *entries = xsk->tx.entries;
	uint32_t at = *xsk->tx.producer + xsk->put++;

	entries[at & (FRAMES - 1)] = (struct xdp_desc){ .addr = xsk->free[--xsk->free_count],
							.len = len };
}

int tandem_xsk_push(struct xsk *xsk)
{
	__atomic_store_n(xsk->tx.producer, *xsk->tx.producer + xsk->put, __ATOMIC_RELEASE);
	xsk->put = 0;
	if (sendto(xsk->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0)
		return 0;
	return errno == EAGAIN || errno == EBUSY || errno == ENOBUFS || errno == EINTR ? 0 : -errno;
}
