/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of the io_uring datapath, private to it. One thread runs everything
 * that touches packets, sockets, rules and flows; others hand it commands
 * (command.c) and take events from it (event.c). While it waits, changes of flows that ask nothing
 * of the ring are made by the thread that wants them.
 *
 *   ring.c     the ring, its buffers, and what this kernel can do
 *   port.c     media ports in use; a UDP socket for each, or for each multicast group and port
 *   trunk.c    or a few sockets that all media ports share
 *   steer.c    the program that leads datagrams to those
 *   inherit.c  both of these, from a process that was before
 *   group.c    which groups and sources those are joined to
 *   packet.c   a datagram in, through the core, and out
 *   send.c     what leaves: datagrams as they came, and copies
 *   way.c      by which device and to which neighbour, as far as that is known
 *   frame.c    the headers of what does not leave by a UDP socket
 *   hold.c     which ports a flow keeps open
 *   flows.c    changes to the table, and reading it
 *   event.c    what the controller is told of
 *   wait.c     what waits meanwhile
 *   outlet.c   what the controller sends
 *   inject.c   packets of its own, by the egress of a flow
 *   tap.c      copies of packets for captures
 *   queue.c    datagrams on their way from thread to thread
 *   worker.c   the thread
 */
#ifndef TANDEM_URING_WORKER_H
#define TANDEM_URING_WORKER_H

#include <liburing.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>

#include "core/abi.h"
#include "core/parse.h"
#include "userspace/datapath/datapath.h"
#include "userspace/datapath/hash.h"
#include "userspace/datapath/table.h"
#include "userspace/uring/env.h"
#include "userspace/uring/queue.h"

#define URING_BUFFERS	   1024 /* datagrams that are being handled at a time; a power of two */
#define URING_COPIES	   2048 /* copies that are being sent at a time */
#define URING_PAYLOAD_SIZE (PAYLOAD_MAX + 1)
#define URING_NAME_SIZE	   32 /* room for a sockaddr_in6, in multiples of 8 */
#define URING_TRUNKS	   32 /* sockets of each family that all ports share */
#define URING_HEADROOM	   64 /* in front of a payload that is sent, to be written over */
#define URING_DEVICES	   64 /* that frames can leave by */
#define URING_TAILROOM	   SRTP_TRAILER_MAX /* behind one that may be protected */
/* TOS, and where it was sent to */
#define URING_CONTROL_SIZE (CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct sockaddr_in6)))
#define URING_HEADER_SIZE                                                                          \
	(sizeof(struct io_uring_recvmsg_out) + URING_NAME_SIZE + URING_CONTROL_SIZE)
#define URING_BUFFER_SIZE  (URING_HEADER_SIZE + URING_PAYLOAD_SIZE)
#define URING_BUFFER_GROUP 1
#define URING_COMPLETIONS  16384 /* room for those that wait; a power of two */
#define URING_WAITING	   1024	 /* packets that wait for the controller at a time */

/* What the controller is told of. */
enum uring_tell {
	URING_TELL_SOURCE,    /* an unknown source */
	URING_TELL_SSRC,      /* an SSRC that is new, from the source of a flow */
	URING_TELL_STUN_PEER, /* STUN from the source of a flow */
	URING_TELL_STUN,      /* and from any other */
	URING_TELL_DTLS,
	URING_TELL_KINDS,
};

/* How much more a port may tell of a kind. */
struct uring_tokens {
	uint32_t since_ms;
	uint32_t left;
};

/* What a completion belongs to; the upper byte of its user data. */
enum uring_kind {
	URING_RECV = 1, /* index: port */
	URING_SEND,	/* index: packet */
	URING_COPY,	/* index: copy */
	URING_WAKE,	/* a command is waiting */
	URING_IGNORE,	/* the request of a cancellation */
};

/* A datagram on its way out, until the kernel is done with it; and for what a failure counts. */
struct uring_send {
	struct msghdr msg;
	struct iovec iov;
	struct sockaddr_storage to;
	/* source address, TOS, TTL */
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
					      2 * CMSG_SPACE(sizeof(int))];
	uint32_t port; /* whose socket sends it; TANDEM_NO_SLOT: it is no port's */
	uint8_t tos;   /* and ttl, in the header; 0: the socket's own */
	uint8_t ttl;
	bool frame;    /* all headers are written, down to that of the link */
	uint32_t slot; /* of the flow, and gen of its rule, when it was sent */
	uint32_t gen;
	uint64_t flow_id;
	uint32_t leg_state; /* index; TANDEM_NO_SLOT: of no leg */
	uint32_t leg_id;
};

/*
 * A datagram from its arrival until it was sent. The kernel writes into data: a
 * header, the source, ancillary data and the payload, laid out as multishot
 * recvmsg does; what is needed for sending lies beside it.
 */
struct uring_packet {
	struct uring_send send;
	uint32_t port; /* where it arrived */
	bool own;      /* belongs to the port (no multishot), not to the buffer ring */
	_Alignas(64) unsigned char data[URING_BUFFER_SIZE + URING_TAILROOM];
};

/* A copy for one leg. */
struct uring_copy {
	struct uring_send send;
	uint32_t next_free;
	_Alignas(64) unsigned char data[URING_HEADROOM + URING_PAYLOAD_SIZE + URING_TAILROOM];
};

/*
 * A media port, by direct slot; behind those the sockets of groups, and behind these the
 * trunks. All zero: not in use. A socket stays open as long as flows refer to it or
 * requests are on their way. A port without one, while there are trunks, is served by those.
 */
struct uring_port {
	uint32_t refs;	  /* flows that receive on it or send from it */
	uint32_t sending; /* datagrams that its socket is sending */
	bool open;
	bool armed;   /* a receive request is with the kernel */
	bool starved; /* it found no buffer and waits for one */
	bool lent;    /* without multishot: its packet is being handled or sent */
	int fd;
	uint32_t next_starved;
	uint32_t waiting; /* packets from here that wait for the controller */
	struct uring_tokens tokens[URING_TELL_KINDS];
	struct uring_packet *packet; /* without multishot: the port's only one */
};

/* What is heard on the socket of a group; source :: stands for any. */
struct uring_member {
	struct ip_addr source;
	uint32_t ifindex;
	uint32_t refs;
};

/* A multicast group and port with a socket. */
struct uring_group_key {
	struct ip_addr ip;
	uint32_t scope; /* ifindex, for IPv6 groups that mean one only on their link */
	__be16 port;
	uint16_t pad;
};

struct uring_group {
	struct uring_group_key key;
	uint32_t next_free;
	uint32_t member_count;
	struct uring_member *members;
};

/* What a flow keeps open: where it arrives (first), and the ports that its copies leave from. */
struct uring_hold {
	uint32_t *ports;
	uint32_t count;
	uint32_t ifindex; /* that it hears its group on */
	struct ip_addr source;
};

/* The program that leads to the trunks; all zero: there is none. */
struct steer_bpf;
struct bpf_link;
struct uring_steer {
	struct steer_bpf *skel;
	int link_fd;	/* -1: not attached */
	uint64_t *bits; /* of the ports that it acts on, by direct slot */
};

/* A device that frames leave by; ifindex 0: none. */
struct uring_device {
	int ifindex;
	int fd;
	uint32_t mtu;
	uint8_t mac[6];
};

/* How what one address of the relay sends to another leaves. */
struct uring_way {
	struct ip_addr local;
	struct ip_addr remote;
	uint64_t expires_ns;
	uint32_t gen;	 /* of ways, when the kernel was asked */
	uint32_t device; /* in devices; URING_DEVICES: as the kernel would have it */
	uint32_t mtu;
	uint8_t dmac[6];
};

/* The link-layer address of a neighbour. */
struct uring_mac {
	uint32_t next_free;
	uint8_t mac[6];
};

/* All that is known of ways; ways NULL: nothing, and all goes the kernel's way. */
struct uring_ways {
	struct uring_way *ways; /* sparse */
	uint32_t gen;		/* goes up when all of them are void */
	struct uring_device devices[URING_DEVICES];
	struct tandem_hash neighbours; /* to macs */
	struct uring_mac *macs;	       /* sparse */
	uint32_t macs_free, macs_fresh;
	int ask_fd, listen_fd; /* or -1 */
	bool unheard;	       /* the neighbours that there are already are to be asked for */
	uint64_t listened_ns;
	uint64_t asked_ns; /* when the last question would have been due, at an even pace */
	uint16_t ip_id;
};

/* A packet that waits for the controller, as it came. */
struct uring_waiting {
	uint64_t flow_id;
	uint64_t since_ns;
	struct flow_key key;
	uint32_t port; /* where it came in */
	uint32_t ssrc;
	uint32_t len;
	uint32_t next; /* of those that wait, or of the places that were given back */
	uint8_t tos;
	_Alignas(8) unsigned char payload[URING_PAYLOAD_SIZE + URING_TAILROOM];
};

/* All of them, in order of arrival. TANDEM_NO_SLOT: none. */
struct uring_waits {
	struct uring_waiting *all; /* URING_WAITING, sparse */
	uint32_t first, last;
	uint32_t free;	/* places that were given back */
	uint32_t fresh; /* first that was never used */
};

struct uring_command; /* command.c */
struct tandem_bequest;

struct tandem_datapath {
	struct env env;
	struct env_tables tables;
	struct tandem_table table;
	struct tandem_srtp_sets *sets; /* NULL: flows with SRTP are refused */
	uint32_t srtp_count;	       /* key sets that there are */
	uint32_t shared_count;	       /* in tables.shared */
	uint32_t direct_count;
	struct uring_port *ports; /* sparse; uring_port_room() of them */
	uint32_t own_sockets;	  /* ports that are open, other than the trunks */
	struct uring_hold *holds; /* by slot, sparse */

	struct uring_group *groups; /* sparse */
	struct tandem_hash group_keys;
	uint32_t group_room;
	uint32_t groups_fresh; /* first that was never used */
	uint32_t groups_free;  /* those that were given back */

	bool trunked;	     /* wanted; once the worker runs: ports share the trunks */
	char no_trunks[128]; /* why not */
	struct uring_steer steer;
	int raw_fds[2]; /* IPv4, IPv6: what sends for ports without a socket; or -1 */
	struct uring_ways ways;
	bool no_frames; /* ways stays closed */

	struct io_uring ring;
	bool multishot; /* wanted; once the ring is open: used */
	struct io_uring_buf_ring *buf_ring;
	struct uring_packet *packets; /* URING_BUFFERS, sparse */
	struct uring_copy *copies;    /* URING_COPIES, sparse */
	uint32_t copies_free;	      /* those that were given back */
	uint32_t copies_fresh;	      /* first that was never used */
	struct msghdr recv_msg;	      /* sizes of name and control, for multishot */
	uint16_t buffers_free;	      /* in the ring */
	uint16_t buffers_back;	      /* added to the ring, not yet published */
	uint32_t starved_head;
	uint32_t in_flight; /* requests that will complete sooner or later */
	uint64_t wake_value;
	bool woken;
	struct io_uring_cqe *todo; /* URING_COMPLETIONS */
	uint32_t todo_head, todo_tail;
	uint32_t work; /* packets and copies since this batch began */

	pthread_t thread;
	pthread_mutex_t at_work; /* the worker has it, but while it waits for something to do */
	bool thread_started;
	bool stopping;

	const struct tandem_bequest
		*bequest; /* while it is opened, if it is of any use: inherit.c */
	bool holding;	  /* nothing is read from the trunks yet */
	bool bequeathed;  /* another process has them now, too */
	int wake_fd;
	pthread_mutex_t lock; /* of the commands, and nothing else */
	pthread_cond_t done;
	struct uring_command *commands, **commands_tail;
	bool commands_waiting; /* looked at without the lock */

	struct uring_queue events[URING_TELL_KINDS]; /* from the worker */
	unsigned char *event_payload;		     /* of the one that is being told */
	bool event_raised;
	int event_fd;

	struct uring_waits waits;

	struct uring_queue outlet;  /* to the worker */
	unsigned char *outlet_data; /* URING_HEADROOM, and a payload */

	struct uring_queue injects; /* to the worker, from one other thread */
	unsigned char *inject_data; /* a payload, and URING_TAILROOM */

	struct uring_tap *tap; /* tap.c; NULL: nobody has captured yet */

	char description[128];
};

static inline uint64_t uring_data(enum uring_kind kind, uint32_t index)
{
	return (uint64_t)kind << 56 | index;
}

/* Number in ports of the trunk n; those of IPv6 are behind as many of IPv4. */
static inline uint32_t uring_trunk(const struct tandem_datapath *dp, uint32_t n)
{
	return dp->direct_count + dp->group_room + n;
}

static inline uint32_t uring_port_room(const struct tandem_datapath *dp)
{
	return uring_trunk(dp, 2 * URING_TRUNKS);
}

/* uring.c: what to do without even where the kernel has it; trunks need multishot. */
enum uring_without {
	URING_WITHOUT_TRUNKS = 1 << 0,
	URING_WITHOUT_MULTISHOT = 1 << 1,
};
int tandem_uring_open(struct tandem_datapath **dpp, const struct tandem_datapath_config *cfg,
		      unsigned int without, char *why, size_t why_size);

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
/* 0, or a negative errno if there is no multishot receive. */
int tandem_uring_multishot_probe(void);

/* port.c: a port is named by its index in ports. */
/* Options of every socket, which shall have so many bytes waiting each way. */
void tandem_uring_socket_options(int fd, int family, int buffer);
int tandem_uring_port_get(struct tandem_datapath *dp, uint32_t index);
void tandem_uring_port_put(struct tandem_datapath *dp, uint32_t index);
/*
 * Let it send to groups, by the interface that has its address; for this it gets a socket.
 * -EADDRNOTAVAIL: none has; or what kept the socket from being opened.
 */
int tandem_uring_port_cast(struct tandem_datapath *dp, uint32_t index);
/* Receive again; or close the port, if nobody wants it any more. */
void tandem_uring_port_rearm(struct tandem_datapath *dp, uint32_t index);
/* The receive request has ended. */
void tandem_uring_port_ended(struct tandem_datapath *dp, uint32_t index, int result);
/* One of the datagrams that it was sending is gone; index may be TANDEM_NO_SLOT. */
void tandem_uring_port_sent(struct tandem_datapath *dp, uint32_t index);
/* Rearm those that found no buffer, once there are some again. */
void tandem_uring_ports_feed(struct tandem_datapath *dp);

/*
 * trunk.c: open them all, once the ring is. They then serve each port that has a flow and no
 * socket. On failure there are none, and why says why.
 */
int tandem_uring_trunks_open(struct tandem_datapath *dp, char *why, size_t why_size);
/* Could they be opened? Changes nothing on the host. why is filled in on failure. */
int tandem_uring_trunks_probe(const struct relay_config *relay, char *why, size_t why_size);
/* Receive no more; they are idle once what they have with the kernel has ended. */
void tandem_uring_trunks_stop(struct tandem_datapath *dp);
/* Where they are inherited nothing is read from them until all flows are here. */
void tandem_uring_trunks_resume(struct tandem_datapath *dp);
void tandem_uring_trunks_close(struct tandem_datapath *dp);
/*
 * Have what is in s->iov, with URING_HEADROOM in front, leave from a port without a socket, the
 * kernel's way. Returns the socket that is to send it.
 */
int tandem_uring_trunk_send(struct tandem_datapath *dp, struct uring_send *s,
			    const struct tandem_endpoint *from, const struct tandem_endpoint *to);

/* way.c: open and close with the trunks; failing to open means going without. */
void tandem_uring_ways_open(struct tandem_datapath *dp);
void tandem_uring_ways_close(struct tandem_datapath *dp);
/* Hear what has changed. To be called for each batch. */
void tandem_uring_ways_listen(struct tandem_datapath *dp);
/* From an address of the relay to another one's. NULL: as the kernel would have it. */
const struct uring_way *tandem_uring_way(struct tandem_datapath *dp, const struct ip_addr *local,
					 const struct ip_addr *remote);

/* frame.c: put a UDP header in front of s->iov. */
void tandem_uring_udp_header(struct uring_send *s, const struct tandem_endpoint *from,
			     const struct tandem_endpoint *to);
/*
 * Make s->iov, with URING_HEADROOM in front, a frame, where that is how it can leave. Returns the
 * socket that is to send it, or -1, with nothing changed.
 */
int tandem_uring_frame(struct tandem_datapath *dp, struct uring_send *s,
		       const struct tandem_endpoint *from, const struct tandem_endpoint *to);

/* inherit.c */
enum uring_inherited {
	URING_INHERITED_LINK,
	URING_INHERITED_STEERED,
	URING_INHERITED_SOCKETS,
	URING_INHERITED_TRUNKS, /* and the trunks from here on, by their number */
};
int tandem_uring_bequeath(struct tandem_datapath *dp, struct tandem_bequest *bequest);
bool tandem_uring_may_inherit(struct tandem_datapath *dp, const struct tandem_bequest *bequest);
/* A descriptor of dp->bequest, the caller's own; -ENOENT: there is no such trunk; -errno. */
int tandem_uring_inherited(const struct tandem_datapath *dp, uint32_t what);

/* steer.c: why is filled in on failure. Could the program be loaded? */
int tandem_uring_steer_probe(const struct relay_config *relay, char *why, size_t why_size);
/* Load it; it acts from _attach() on. tandem_uring_steer_close() also after a failure. */
int tandem_uring_steer_open(struct tandem_datapath *dp, char *why, size_t why_size);
int tandem_uring_steer_socket(struct tandem_datapath *dp, uint32_t trunk, int fd);
/* Its descriptors, in the order of enum uring_inherited. */
void tandem_uring_steer_fds(const struct tandem_datapath *dp, int *fds);
/* Of ports that nobody has asked for, nothing is handed to the trunks any more. */
void tandem_uring_steer_tidy(struct tandem_datapath *dp);
int tandem_uring_steer_attach(struct tandem_datapath *dp, char *why, size_t why_size);
void tandem_uring_steer_close(struct tandem_datapath *dp);
/* Are datagrams to this media port to be led to a trunk? In the worker. */
void tandem_uring_steer(struct tandem_datapath *dp, uint32_t index, bool on);

/* group.c: the port of a group is direct_count and the group's number. */
int tandem_uring_groups_init(struct tandem_datapath *dp);
void tandem_uring_groups_clean(struct tandem_datapath *dp);
/*
 * Hear key.remote (::, any source) on the group key.local and its port; on *ifindex, which
 * is made the interface that the kernel chooses if it is 0. Sets *index. -EINVAL, -ENODEV,
 * -EADDRINUSE, -ENOSPC, -ENOMEM; -ENOBUFS: more sources of one group than the host allows
 * (sysctl net.ipv4.igmp_max_msf, net.ipv6.mld_max_msf).
 */
int tandem_uring_group_get(struct tandem_datapath *dp, const struct flow_key *key,
			   uint32_t *ifindex, uint32_t *index);
void tandem_uring_group_put(struct tandem_datapath *dp, uint32_t index, uint32_t ifindex,
			    const struct ip_addr *source);
/* Its socket is closed: its number is free. */
void tandem_uring_group_release(struct tandem_datapath *dp, uint32_t index);
/* Interface that has an address; 0: none. */
uint32_t tandem_uring_ifindex_of(const struct ip_addr *ip);

/* packet.c */

#define URING_AHEAD 16 /* completions */

/*
 * Where there are key sets, begin to fetch what the next completions will need of them: a set is some ten
 * lines that no other packet shares. To be called again after as many as that.
 */
void tandem_uring_ahead(struct tandem_datapath *dp);
void tandem_uring_received(struct tandem_datapath *dp, uint32_t index,
			   const struct io_uring_cqe *cqe);
/* It has been sent, or will not be. */
void tandem_uring_release(struct tandem_datapath *dp, struct uring_packet *p);

/* send.c */
int tandem_uring_copies_init(struct tandem_datapath *dp);
void tandem_uring_copies_clean(struct tandem_datapath *dp);
struct plan;
/*
 * Make s a datagram of len bytes at payload, from and to these, with s->tos and s->ttl as they are.
 * URING_HEADROOM in front of payload may be written over. Returns the socket that is to
 * send it; -ENOTCONN: from is no port in use.
 */
int tandem_uring_send_address(struct tandem_datapath *dp, struct uring_send *s,
			      const struct tandem_endpoint *from, const struct tandem_endpoint *to,
			      unsigned char *payload, uint32_t len);
/* Ancillary data for it. */
void tandem_uring_send_control(struct uring_send *s, int level, int type, const void *data,
			       size_t size);
/*
 * Send plan->len bytes at payload, in the buffer of p, as plan->egress says. Takes p if it
 * returns 0.
 */
int tandem_uring_forward(struct tandem_datapath *dp, struct uring_packet *p,
			 const struct plan *plan, unsigned char *payload, uint8_t tos);
/* The same of a payload that is in no such buffer: a copy is sent. */
int tandem_uring_forward_copy(struct tandem_datapath *dp, const struct plan *plan,
			      const unsigned char *payload, uint8_t tos);
/* Send a copy of plan->len bytes for each leg of the plan; what cannot be sent is counted. */
void tandem_uring_fan_out(struct tandem_datapath *dp, struct plan *plan,
			  const unsigned char *payload, uint8_t tos);
/* Completions of the two. */
void tandem_uring_sent(struct tandem_datapath *dp, uint32_t index, int result);
void tandem_uring_copy_sent(struct tandem_datapath *dp, uint32_t index, int result);

/* hold.c: 0, or what kept a port from being opened; -EADDRNOTAVAIL: it is none of the relay's. */
int tandem_uring_hold_take(struct tandem_datapath *dp, const struct tandem_flow_spec *spec,
			   struct uring_hold *hold);
void tandem_uring_hold_drop(struct tandem_datapath *dp, struct uring_hold *hold);

/* flows.c: in the worker's thread. */
int tandem_uring_flows_init(struct tandem_datapath *dp, const struct tandem_datapath_config *cfg,
			    char *why, size_t why_size);
void tandem_uring_flows_clean(struct tandem_datapath *dp);
void tandem_uring_flows_apply(struct tandem_datapath *dp, struct tandem_change *changes, size_t n);
/* Let go of all, and of their ports. */
void tandem_uring_flows_drop(struct tandem_datapath *dp);
/* In the thread that has changes carried out, while there are none. */
int tandem_uring_read(struct tandem_datapath *dp, uint64_t flow_id,
		      struct tandem_flow_stats *stats);
int tandem_uring_read_legs(struct tandem_datapath *dp, uint64_t flow_id,
			   struct tandem_leg_stats *legs, size_t max, size_t *n);
int tandem_uring_list(struct tandem_datapath *dp, tandem_installed_h *h, void *arg);
int tandem_uring_counters(struct tandem_datapath *dp, struct reason_counters *counters);

/* event.c */
int tandem_uring_events_init(struct tandem_datapath *dp);
void tandem_uring_events_clean(struct tandem_datapath *dp);
/* A datagram that the core has punted. */
struct uring_event {
	uint64_t flow_id; /* set by tandem_uring_event_punted() */
	const struct flow_key *key;
	unsigned char *payload; /* what is protected of it may be deciphered */
	uint32_t len;
	uint8_t tos;
};
/*
 * Tell of a datagram that came in on a port, if the flow it counts for wants its kind told,
 * the port has not told of too many, and, of a source to be learned, SRTP is authentic.
 */
void tandem_uring_event_punted(struct tandem_datapath *dp, uint32_t index, enum reason reason,
			       struct plan *plan, struct uring_event *e);
/* Wake the reader if anything was told since the last call. */
void tandem_uring_events_flush(struct tandem_datapath *dp);
int tandem_uring_event_fd(struct tandem_datapath *dp);
void tandem_uring_dispatch(struct tandem_datapath *dp, const struct tandem_event_handlers *handlers,
			   void *arg);

/* wait.c */
int tandem_uring_waits_init(struct tandem_datapath *dp);
void tandem_uring_waits_clean(struct tandem_datapath *dp);
/*
 * Note a packet with an SSRC that is new, which came in on a port. It waits only once
 * tandem_uring_wait() says so, with no other noted in between. False: there is no room.
 */
bool tandem_uring_wait_note(struct tandem_datapath *dp, uint32_t port, uint32_t ssrc,
			    const struct uring_event *e);
void tandem_uring_wait(struct tandem_datapath *dp);
/* A flow has changed, or is gone: those of its packets that are provided for now go on. */
void tandem_uring_wait_over(struct tandem_datapath *dp, uint64_t flow_id);

/* outlet.c */
int tandem_uring_outlet_init(struct tandem_datapath *dp);
void tandem_uring_outlet_clean(struct tandem_datapath *dp);
/* In the thread that dispatches: as send() of the datapath's operations. */
int tandem_uring_send(struct tandem_datapath *dp, const struct tandem_endpoint *local,
		      const struct tandem_endpoint *remote, const void *payload, size_t len);
/* In the worker: send what is waiting. */
void tandem_uring_outlet_run(struct tandem_datapath *dp);

/* inject.c */
int tandem_uring_injects_init(struct tandem_datapath *dp);
void tandem_uring_injects_clean(struct tandem_datapath *dp);
/* In the one thread that injects: as inject() of the datapath's operations. */
int tandem_uring_inject(struct tandem_datapath *dp, uint64_t flow_id,
			const struct tandem_endpoint *local, const void *payload, size_t len);
/* In the worker: send what is waiting. */
void tandem_uring_inject_run(struct tandem_datapath *dp);

/* tap.c: as the operations of datapath.h, in the one thread that captures. */
int tandem_uring_tap_open(struct tandem_datapath *dp, uint32_t size);
size_t tandem_uring_tap_read(struct tandem_datapath *dp, tandem_tapped_h *h, void *arg,
			     uint64_t *lost);
void tandem_uring_tap_close(struct tandem_datapath *dp);
/* Once the worker has ended. */
void tandem_uring_tap_clean(struct tandem_datapath *dp);

/* command.c */
int tandem_uring_commands_init(struct tandem_datapath *dp);
void tandem_uring_commands_clean(struct tandem_datapath *dp);
/* In the worker: ask to be woken, and carry out what is waiting. */
void tandem_uring_commands_arm(struct tandem_datapath *dp);
void tandem_uring_commands_run(struct tandem_datapath *dp);
void tandem_uring_resume(struct tandem_datapath *dp);
/* From any other thread: do it, and wait until it is done. */
int tandem_uring_apply(struct tandem_datapath *dp, struct tandem_change *changes, size_t n);
void tandem_uring_stop(struct tandem_datapath *dp);

/* worker.c */
/*
 * Take what has completed so far from the ring. What was sent is dealt with at once, so
 * that its buffer is free again; the rest waits its turn in todo. To be called anywhere in
 * the worker's thread.
 */
void tandem_uring_collect(struct tandem_datapath *dp);
/* Returns once the thread runs or has failed to. */
int tandem_uring_worker_start(struct tandem_datapath *dp, char *why, size_t why_size);
void tandem_uring_worker_join(struct tandem_datapath *dp);

#endif
