/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "userspace/util/sparse.h"
#include "userspace/uring/worker.h"

/* Per port: so many at once, and then one each interval. */
#define EVENT_BURST	  8U
#define EVENT_INTERVAL_NS 50000000ULL

int tandem_uring_events_init(struct tandem_datapath *dp)
{
	dp->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (dp->event_fd < 0)
		return -errno;
	dp->events = tandem_sparse_alloc(URING_EVENTS, sizeof(*dp->events));
	return dp->events ? 0 : -ENOMEM;
}

void tandem_uring_events_clean(struct tandem_datapath *dp)
{
	tandem_sparse_free(dp->events, URING_EVENTS, sizeof(*dp->events));
	if (dp->event_fd >= 0)
		close(dp->event_fd);
}

static bool may_tell(struct uring_port *port, uint64_t now)
{
	uint64_t earned = (now - port->event_ns) / EVENT_INTERVAL_NS;

	if (earned) {
		port->event_ns = now;
		port->event_tokens = (uint16_t)(earned >= EVENT_BURST - port->event_tokens
							? EVENT_BURST
							: port->event_tokens + earned);
	}
	if (!port->event_tokens)
		return false;
	port->event_tokens--;
	return true;
}

void tandem_uring_event(struct tandem_datapath *dp, uint32_t index, const struct flow_key *key,
			const void *payload, size_t len)
{
	uint32_t head = __atomic_load_n(&dp->event_head, __ATOMIC_ACQUIRE);
	uint32_t tail = dp->event_tail;
	struct tandem_unknown_source *e = &dp->events[tail % URING_EVENTS];

	if (tail - head == URING_EVENTS || !may_tell(&dp->ports[index], dp->env.now_ns))
		return;
	memset(e, 0, sizeof(*e));
	e->flow_id = tandem_slots_id(dp->table.slots, index);
	e->local.ip = key->local;
	e->local.port = ntohs(key->local_port);
	e->remote.ip = key->remote;
	e->remote.port = ntohs(key->remote_port);
	e->len = len;
	e->head_len = len < sizeof(e->head) ? len : sizeof(e->head);
	memcpy(e->head, payload, e->head_len);
	__atomic_store_n(&dp->event_tail, tail + 1, __ATOMIC_RELEASE);
	dp->event_raised = true;
}

void tandem_uring_events_flush(struct tandem_datapath *dp)
{
	if (!dp->event_raised)
		return;
	dp->event_raised = false;
	eventfd_write(dp->event_fd, 1); /* fails only when it is raised already */
}

int tandem_uring_event_fd(struct tandem_datapath *dp)
{
	return dp->event_fd;
}

void tandem_uring_dispatch(struct tandem_datapath *dp, tandem_unknown_source_h *h, void *arg)
{
	struct tandem_unknown_source e;
	eventfd_t ignored;

	/* First, so that what is told meanwhile raises it again. */
	eventfd_read(dp->event_fd, &ignored);
	for (uint32_t left = URING_EVENTS; left; left--) {
		if (dp->event_head == __atomic_load_n(&dp->event_tail, __ATOMIC_ACQUIRE))
			return;
		e = dp->events[dp->event_head % URING_EVENTS];
		__atomic_store_n(&dp->event_head, dp->event_head + 1, __ATOMIC_RELEASE);
		h(&e, arg);
	}
	eventfd_write(dp->event_fd, 1); /* there may be more: do not keep the caller */
}
