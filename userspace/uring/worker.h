/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of the io_uring datapath, private to it. One thread runs everything
 * that touches packets, sockets, rules and flows; others hand it commands
 * (command.c) and take events from it (event.c).
 *
 *   ring.c     the ring, its buffers, and what this kernel can do
 *   port.c     one UDP socket per media port in use
 *   packet.c   a datagram in, through the core, and out
 *   flows.c    changes to the table, and reading it
 *   worker.c   the thread
 */
#ifndef TANDEM_URING_WORKER_H
#define TANDEM_URING_WORKER_H

#include <liburing.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>

#include "core/abi.h"
#include "userspace/datapath/datapath.h"
#include "userspace/datapath/table.h"
#include "userspace/uring/env.h"

#define URING_BUFFERS	   1024 /* datagrams that are being handled at a time; a power of two */
#define URING_BUFFER_SIZE  4096
#define URING_NAME_SIZE	   32 /* room for a sockaddr_in6, in multiples of 8 */
#define URING_CONTROL_SIZE CMSG_SPACE(sizeof(int))
#define URING_BUFFER_GROUP 1
#define URING_EVENTS	   256 /* unknown sources waiting to be told; a power of two */

/* What a completion belongs to; the upper byte of its user data. */
enum uring_kind {
	URING_RECV = 1, /* index: port */
	URING_SEND,	/* index: packet */
	URING_WAKE,	/* a command is waiting */
	URING_IGNORE,	/* the request of a cancellation */
};

/*
 * A datagram from its arrival until it was sent. The kernel writes into data: a
 * header, the source, ancillary data and the payload, laid out as multishot
 * recvmsg does; what is needed for sending lies beside it.
 */
struct uring_packet {
	struct flow *flow; /* that a failure to send is counted for */
	uint32_t port;
	bool own; /* belongs to the port (no multishot), not to the buffer ring */
	struct msghdr msg;
	struct iovec iov;
	struct sockaddr_storage to;
	_Alignas(struct cmsghdr) char control[URING_CONTROL_SIZE];
	_Alignas(64) unsigned char data[URING_BUFFER_SIZE];
};

/* The socket of a media port; by direct slot. All zero: not in use. */
struct uring_port {
	uint32_t refs; /* flows that receive on it or send from it */
	bool open;
	bool armed;   /* a receive request is with the kernel */
	bool starved; /* it found no buffer and waits for one */
	int fd;
	uint32_t next_starved;
	uint16_t event_tokens;
	uint64_t event_ns;
	struct uring_packet *packet; /* without multishot: the port's only one */
};

struct uring_command; /* command.c */

struct tandem_datapath {
	struct env env;
	struct env_tables tables;
	struct tandem_table table;
	uint32_t shared_count; /* in tables.shared */
	uint32_t direct_count;
	struct uring_port *ports; /* sparse */

	struct io_uring ring;
	bool multishot; /* wanted; once the ring is open: used */
	struct io_uring_buf_ring *buf_ring;
	struct uring_packet *packets; /* URING_BUFFERS */
	struct msghdr recv_msg;	      /* sizes of name and control, for multishot */
	uint16_t buffers_free;	      /* in the ring */
	uint16_t buffers_back;	      /* added to the ring, not yet published */
	uint32_t starved_head;
	uint32_t in_flight; /* requests that will complete sooner or later */
	uint64_t wake_value;

	pthread_t thread;
	bool thread_started;
	bool stopping;
	int wake_fd;
	pthread_mutex_t lock; /* of the commands, and nothing else */
	pthread_cond_t done;
	struct uring_command *commands, **commands_tail;

	struct tandem_unknown_source *events; /* single producer, single consumer */
	uint32_t event_head, event_tail;
	bool event_raised;
	int event_fd;

	char description[128];
};

static inline uint64_t uring_data(enum uring_kind kind, uint32_t index)
{
	return (uint64_t)kind << 56 | index;
}

/* uring.c: multishot false does without it even where the kernel has it. */
int tandem_uring_open(struct tandem_datapath **dpp, const struct tandem_datapath_config *cfg,
		      bool multishot, char *why, size_t why_size);

/* ring.c: to be called from the worker's thread. why is filled in on failure. */
int tandem_uring_ring_open(struct tandem_datapath *dp, char *why, size_t why_size);
void tandem_uring_ring_close(struct tandem_datapath *dp);
/* A submission entry, for which there is always room; counts as in flight. */
struct io_uring_sqe *tandem_uring_sqe(struct tandem_datapath *dp, uint64_t data);
/* Give a packet back to the ring; seen by the kernel after tandem_uring_publish. */
void tandem_uring_give_back(struct tandem_datapath *dp, struct uring_packet *packet);
void tandem_uring_publish(struct tandem_datapath *dp);
/* Can this kernel do it? 0 or a negative errno, with a word on how or why not. */
int tandem_uring_ring_probe(char *detail, size_t size);

/* port.c */
int tandem_uring_port_get(struct tandem_datapath *dp, uint32_t index);
void tandem_uring_port_put(struct tandem_datapath *dp, uint32_t index);
void tandem_uring_port_arm(struct tandem_datapath *dp, uint32_t index);
/* Receive again; or close the port, if nobody wants it any more. */
void tandem_uring_port_rearm(struct tandem_datapath *dp, uint32_t index);
/* The receive request has ended. */
void tandem_uring_port_ended(struct tandem_datapath *dp, uint32_t index, int result);
/* Rearm those that found no buffer, once there are some again. */
void tandem_uring_ports_feed(struct tandem_datapath *dp);

/* packet.c */
void tandem_uring_received(struct tandem_datapath *dp, uint32_t index,
			   const struct io_uring_cqe *cqe);
void tandem_uring_sent(struct tandem_datapath *dp, uint32_t index, int result);

/* flows.c: in the worker's thread. */
int tandem_uring_flows_init(struct tandem_datapath *dp, const struct tandem_datapath_config *cfg,
			    char *why, size_t why_size);
void tandem_uring_flows_clean(struct tandem_datapath *dp);
void tandem_uring_flows_apply(struct tandem_datapath *dp, struct tandem_change *changes, size_t n);
int tandem_uring_flows_read(struct tandem_datapath *dp, uint64_t flow_id,
			    struct tandem_flow_stats *stats);
/* An array of all flows, for the caller to free. */
int tandem_uring_flows_list(struct tandem_datapath *dp, struct tandem_flow_spec **specs, size_t *n);
/* Let go of all, and of their ports. */
void tandem_uring_flows_drop(struct tandem_datapath *dp);

/* event.c */
int tandem_uring_events_init(struct tandem_datapath *dp);
void tandem_uring_events_clean(struct tandem_datapath *dp);
/* Tell of an unknown source on a port, if the port has not told of too many. */
void tandem_uring_event(struct tandem_datapath *dp, uint32_t index, const struct flow_key *key,
			const void *payload, size_t len);
/* Wake the reader if anything was told since the last call. */
void tandem_uring_events_flush(struct tandem_datapath *dp);
int tandem_uring_event_fd(struct tandem_datapath *dp);
void tandem_uring_dispatch(struct tandem_datapath *dp, tandem_unknown_source_h *h, void *arg);

/* command.c */
int tandem_uring_commands_init(struct tandem_datapath *dp);
void tandem_uring_commands_clean(struct tandem_datapath *dp);
/* In the worker: ask to be woken, and carry out what is waiting. */
void tandem_uring_commands_arm(struct tandem_datapath *dp);
void tandem_uring_commands_run(struct tandem_datapath *dp);
/* From any other thread: do it, and wait until it is done. */
int tandem_uring_apply(struct tandem_datapath *dp, struct tandem_change *changes, size_t n);
int tandem_uring_read(struct tandem_datapath *dp, uint64_t flow_id,
		      struct tandem_flow_stats *stats);
int tandem_uring_list(struct tandem_datapath *dp, tandem_installed_h *h, void *arg);
int tandem_uring_counters(struct tandem_datapath *dp, struct reason_counters *counters);
void tandem_uring_stop(struct tandem_datapath *dp);

/* worker.c: returns once the thread runs or has failed to. */
int tandem_uring_worker_start(struct tandem_datapath *dp, char *why, size_t why_size);
void tandem_uring_worker_join(struct tandem_datapath *dp);

#endif
