/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/uring/queue.h"

#include <errno.h>
#include <string.h>

#include "userspace/util/sparse.h"

int tandem_uring_queue_init(struct uring_queue *q, uint32_t size)
{
	*q = (struct uring_queue){ .bytes = tandem_sparse_alloc(size, 1), .size = size };
	return q->bytes ? 0 : -ENOMEM;
}

void tandem_uring_queue_clean(struct uring_queue *q)
{
	tandem_sparse_free(q->bytes, q->size, 1);
	*q = (struct uring_queue){ 0 };
}

/* How much of len bytes at a place lies before the end of the memory; the rest is at its start. */
static uint32_t before_end(const struct uring_queue *q, uint32_t at, uint32_t len)
{
	uint32_t left = q->size - (at & (q->size - 1));

	return len < left ? len : left;
}

static void copy_in(struct uring_queue *q, uint32_t at, const void *data, uint32_t len)
{
	uint32_t first = before_end(q, at, len);

	memcpy(q->bytes + (at & (q->size - 1)), data, first);
	memcpy(q->bytes, (const unsigned char *)data + first, len - first);
}

static void copy_out(const struct uring_queue *q, uint32_t at, void *data, uint32_t len)
{
	uint32_t first = before_end(q, at, len);

	memcpy(data, q->bytes + (at & (q->size - 1)), first);
	memcpy((unsigned char *)data + first, q->bytes, len - first);
}

bool tandem_uring_queue_put(struct uring_queue *q, const struct uring_letter *letter,
			    const void *payload)
{
	uint32_t head = __atomic_load_n(&q->head, __ATOMIC_ACQUIRE);
	uint32_t need = (uint32_t)sizeof(*letter) + letter->len;

	if (need > q->size - (q->tail - head))
		return false;
	copy_in(q, q->tail, letter, sizeof(*letter));
	copy_in(q, q->tail + (uint32_t)sizeof(*letter), payload, letter->len);
	__atomic_store_n(&q->tail, q->tail + need, __ATOMIC_RELEASE);
	return true;
}

bool tandem_uring_queue_empty(const struct uring_queue *q)
{
	return q->head == __atomic_load_n(&q->tail, __ATOMIC_ACQUIRE);
}

bool tandem_uring_queue_take(struct uring_queue *q, struct uring_letter *letter, void *payload)
{
	if (tandem_uring_queue_empty(q))
		return false;
	copy_out(q, q->head, letter, sizeof(*letter));
	copy_out(q, q->head + (uint32_t)sizeof(*letter), payload, letter->len);
	__atomic_store_n(&q->head, q->head + (uint32_t)sizeof(*letter) + letter->len,
			 __ATOMIC_RELEASE);
	return true;
}
