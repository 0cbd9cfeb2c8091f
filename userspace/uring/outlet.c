/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Datagrams of the controller's own, from media ports. They are few, and each is sent by a
 * system call of its own: nothing of them outlives it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "userspace/uring/worker.h"

#define OUTLET_ROOM (1U << 18)
#define PER_BATCH   64

int tandem_uring_outlet_init(struct tandem_datapath *dp)
{
	dp->outlet_data = malloc(URING_HEADROOM + URING_PAYLOAD_SIZE);
	if (!dp->outlet_data)
		return -ENOMEM;
	return tandem_uring_queue_init(&dp->outlet, OUTLET_ROOM);
}

void tandem_uring_outlet_clean(struct tandem_datapath *dp)
{
	tandem_uring_queue_clean(&dp->outlet);
	free(dp->outlet_data);
}

static uint32_t port_of(const struct tandem_datapath *dp, const struct tandem_endpoint *local)
{
	const struct flow_key key = { .local = local->ip, .local_port = htons(local->port) };

	return tandem_slots_direct(dp->table.slots, &key);
}

int tandem_uring_send(struct tandem_datapath *dp, const struct tandem_endpoint *local,
		      const struct tandem_endpoint *remote, const void *payload, size_t len)
{
	struct uring_letter letter = {
		.local = *local,
		.remote = *remote,
		.len = (uint32_t)len,
		.whole = (uint32_t)len,
	};

	if (len == 0 || len > PAYLOAD_MAX)
		return -EMSGSIZE;
	if (!remote->port || tandem_ip_is_any(&remote->ip) || tandem_ip_is_group(&remote->ip) ||
	    tandem_ip_family(&remote->ip) != tandem_ip_family(&local->ip))
		return -EINVAL;
	if (port_of(dp, local) == TANDEM_NO_SLOT)
		return -EADDRNOTAVAIL;
	if (!tandem_uring_queue_put(&dp->outlet, &letter, payload))
		return -EAGAIN;
	eventfd_write(dp->wake_fd, 1);
	return 0;
}

/* A port that has no flow (any more) has nothing to say. */
static int send_one(struct tandem_datapath *dp, const struct uring_letter *letter)
{
	struct uring_send s;
	int fd;

	if (!dp->ports[port_of(dp, &letter->local)].refs)
		return -ENOTCONN;
	s.tos = 0;
	s.ttl = 0;
	fd = tandem_uring_send_address(dp, &s, &letter->local, &letter->remote,
				       dp->outlet_data + URING_HEADROOM, letter->len);
	if (fd < 0)
		return fd;
	return sendmsg(fd, &s.msg, MSG_DONTWAIT) < 0 ? -errno : 0;
}

void tandem_uring_outlet_run(struct tandem_datapath *dp)
{
	struct uring_letter letter;

	for (int i = 0; i < PER_BATCH; i++) {
		if (!tandem_uring_queue_take(&dp->outlet, &letter,
					     dp->outlet_data + URING_HEADROOM))
			return;
		if (send_one(dp, &letter))
			env_count(&dp->env, REASON_send_failed);
	}
	eventfd_write(dp->wake_fd, 1); /* there may be more: packets of calls come in between */
}
