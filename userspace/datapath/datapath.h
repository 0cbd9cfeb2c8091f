/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one interface between the session side and whatever forwards packets.
 *
 * A datapath is handed the flows it shall carry, each with an id that never
 * changes while the flow lives, and reports what it did with them. No datapath
 * knows another. The plane (plane.h) joins the fast one to the io_uring one.
 */
#ifndef TANDEM_DATAPATH_H
#define TANDEM_DATAPATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/abi.h"
#include "core/tap_abi.h"
#include "userspace/datapath/whole.h"
#include "userspace/util/endpoint.h"

#define TANDEM_MAX_STREAMS 16 /* streams reported per flow */
#define TANDEM_EXPECTED	   2  /* SSRCs that a flow's source has announced */

/*
 * A leg, and the controller's name for it, which its counts are kept under; unique in its flow.
 * srtp is the id of the key set that its copies are protected with, one of the fan's; 0: none.
 */
struct tandem_fan_leg {
	uint32_t id;
	uint32_t pad;
	uint64_t srtp;
	struct tandem_leg_spec leg;
};

struct tandem_srtp;

/*
 * Egresses by SSRC, or more than one (struct fan). first of a branch is an index into
 * legs; the branches' legs do not overlap. EGRESS_F_ACTIVE and BRANCH_F_IP6 are set by
 * the datapath. At most TANDEM_MAX_LEGS in a branch; XDP takes 64. keys are the sets that its
 * legs name, in any order, borrowed as the fan is.
 */
struct tandem_fan {
	uint32_t branch_count;
	uint32_t leg_count;
	uint32_t key_count;
	const struct tandem_srtp *keys;
	struct branch branches[TANDEM_MAX_BRANCHES];
	struct tandem_fan_leg legs[];
};

/*
 * Master key and salt of one direction of SRTP (RFC 3711 section 8.1, RFC 7714 section 12). id
 * names the set: flows whose sets have the same id share keys, rollover counters and replay
 * windows, and a set that stays from change to change goes on where it was. An id never comes
 * again with other keys. A set is wiped where it is no longer needed, and shown nowhere.
 */
struct tandem_srtp {
	uint64_t id;   /* not 0 */
	uint8_t suite; /* enum srtp_suite */
	uint8_t mki_len;
	uint8_t mki[16];
	uint8_t key[32];  /* as many octets as the suite wants */
	uint8_t salt[14]; /* the same; 12 with AEAD */
	uint16_t streams; /* SSRCs that there is room for */
	bool sealed; /* another process may have sealed with it: without its streams it is not to (srtp_sets.h) */
};

/* How far a stream under a set has come: its indices of RTP and SRTCP (RFC 3711 3.3.1, 3.4). */
struct tandem_srtp_counted {
	uint32_t ssrc;
	uint64_t rtp;
	uint64_t srtcp;
};

/* What is known of a set that another host has had (srtp_seeds.h). */
#define TANDEM_SRTP_SEED_STREAMS 16
struct tandem_srtp_seed {
	uint64_t id;
	bool out;	/* the relay seals with it */
	uint64_t srtcp; /* the furthest of all */
	uint32_t count;
	struct tandem_srtp_counted streams[TANDEM_SRTP_SEED_STREAMS];
};

/*
 * What shall be installed for one flow. flags, key, egress, peer and pts are
 * those of struct tandem_rule; RULE_F_ACTIVE, _SHARED, _FAN and _GROUP are the datapath's own
 * business. key.remote of :: with port 0 means that no source is known yet: the
 * port is held open, everything that arrives is unknown (with RULE_F_LEARN,
 * reported through unknown_source_h).
 */
struct tandem_flow_spec {
	uint64_t id;	     /* nonzero, unique among all flows that ever were */
	uint64_t media_id;   /* flow whose streams arriving SRs describe; own id with rtcp-mux */
	uint64_t reverse_id; /* RTP flow that arriving report blocks describe; 0: none */
	uint32_t flags;	     /* enum rule_flag */
	struct flow_key key;
	struct tandem_egress egress[2];
	struct ssrc_map peer;
	uint16_t peer_seq_offset;
	struct pt_list pts;
	const struct tandem_fan *fan; /* NULL: one-to-one. Borrowed while apply() runs */
	uint32_t group_ifindex; /* key.local is a group: the interface to join it on; 0: any */
	/*
	 * SRTP, each NULL for none and borrowed while apply() runs: what arrives is protected with
	 * srtp_in, or for a while still with srtp_in_old; what leaves by either egress is to be
	 * protected with srtp_out. With RULE_F_SRTP and no srtp_out what arrives is authenticated
	 * only, and leaves as it came.
	 */
	const struct tandem_srtp *srtp_in;
	const struct tandem_srtp *srtp_in_old;
	const struct tandem_srtp *srtp_out;
	uint32_t expected
		[TANDEM_EXPECTED]; /* SSRCs that places under srtp_out are kept for; 0: none */
};

enum tandem_change_op {
	TANDEM_FLOW_SET,    /* install, or change in place keeping the statistics */
	TANDEM_FLOW_REMOVE, /* only spec.id and spec.key are read */
};

struct tandem_change {
	enum tandem_change_op op;
	struct tandem_flow_spec spec;
	int result; /* out: 0, or the negative errno that kept this one from being done */
};

/* Live state of one leg. */
struct tandem_leg_stats {
	uint32_t id;
	uint32_t last_reason; /* of the last lost copy: enum reason */
	uint64_t packets;     /* copies sent */
	uint64_t octets;      /* of UDP payload */
	uint64_t lost;
};

/* Live state of one flow; counts of fast and slow path are already joined. */
struct tandem_flow_stats {
	struct tandem_flow_state flow; /* sums; flow.stream is streams[0] */
	uint64_t fast_packets;	       /* forwarded by the fast path */
	uint64_t slow_packets;	       /* forwarded by the io_uring datapath */
	bool offloaded;		       /* its rule is in the fast path */
	const char
		*datapath;  /* name of the datapath that holds it: "xdp", "kmod", "dpdk", "uring" */
	const char *reason; /* when not offloaded: why, in words; else "" */
	size_t stream_count;
	struct tandem_stream streams[TANDEM_MAX_STREAMS];
};

/*
 * A packet from a source that no flow expects, on a port with RULE_F_LEARN; or from the one that
 * is expected, with an SSRC that no branch of the flow's fan takes. Where the flow has keys, it is
 * authentic.
 */
struct tandem_unknown_source {
	uint64_t flow_id; /* the flow on whose port it came in */
	struct tandem_endpoint local;
	struct tandem_endpoint remote;
	bool from_peer;	  /* it is the exact source of the flow, and the SSRC is new */
	uint8_t head[96]; /* first bytes of the UDP payload */
	size_t head_len;
	size_t len; /* length of the whole payload */
};
typedef void(tandem_unknown_source_h)(const struct tandem_unknown_source *src, void *arg);

enum tandem_datagram_kind {
	TANDEM_DATAGRAM_STUN,
	TANDEM_DATAGRAM_DTLS,
};

/*
 * A datagram that ends with the controller. STUN comes from anywhere, to a port whose flow
 * has RULE_F_ICE; DTLS only from the exact source of a flow with RULE_F_DTLS. Either is
 * lost when a port gets too many of them, as it might be on the way.
 */
struct tandem_datagram {
	enum tandem_datagram_kind kind;
	uint64_t flow_id; /* the flow on whose port it came in */
	struct tandem_endpoint local;
	struct tandem_endpoint remote;
	bool from_peer;		      /* remote is the exact source of the flow */
	const unsigned char *payload; /* whole; until the handler returns */
	size_t len;
};
typedef void(tandem_datagram_h)(const struct tandem_datagram *d, void *arg);

/* Who is told of what; NULL: nobody. */
struct tandem_event_handlers {
	tandem_unknown_source_h *unknown_source;
	tandem_datagram_h *datagram;
};

struct tandem_srtp_sets; /* srtp_sets.h */

struct tandem_local {
	struct ip_addr ip;
};

/* What every datapath is opened with. Strings stay owned by the caller. */
struct tandem_bequest;

struct tandem_datapath_config {
	struct tandem_local locals[TANDEM_MAX_LOCALS];
	size_t locals_count;
	uint16_t port_min;	  /* even */
	uint16_t port_max;	  /* odd, inclusive */
	uint32_t flow_capacity;	  /* slots in all; at least locals_count * ports */
	uint32_t stream_capacity; /* second and later SSRCs, over all flows */
	uint32_t fan_capacity;	  /* flows that have a fan */
	uint32_t leg_capacity;	  /* their legs */
	uint32_t srtp_capacity;	  /* key sets of SRTP */
	uint32_t nexthop_age_ms;
	bool no_frames;		 /* io_uring: send through the host's IP layer alone */
	const char *bpf_dir;	 /* where maps and links are pinned */
	const char *srtp_file;	 /* where streams of SRTP are kept (srtp_sets.h); NULL: nowhere */
	const char *dpdk_socket; /* where the worker of the DPDK datapath listens */
	const char *const *interfaces; /* to attach to */
	size_t interfaces_count;
	bool fresh;		       /* drop what an earlier run left behind */
	struct tandem_srtp_sets *srtp; /* what datapaths share of key sets; NULL: they have none */
	const struct tandem_bequest *bequest; /* of a process before this one; NULL: none */
};

struct tandem_datapath;

/*
 * A copy that the packet path took for captures (core/tap_abi.h), of flows whose flags have some of
 * RULE_F_TAPS; bytes has record->size of them until the handler returns. Records with the same ring
 * are in order. fast: of the fast path, which leaves to the slow one what it punts.
 */
struct tandem_tapped {
	const struct tap_record *record;
	const void *bytes;
	unsigned int ring;
	bool fast;
};
typedef void(tandem_tapped_h)(const struct tandem_tapped *tapped, void *arg);

/* A line of `tandem doctor`. */
struct tandem_probe {
	bool usable;
	char detail[256]; /* why not, or how (native or generic, per interface) */
};

typedef void(tandem_installed_h)(const struct tandem_flow_spec *spec, void *arg);

struct tandem_datapath_ops {
	const char *name;
	bool srtp; /* it does SRTP; else it gets no flow that has keys */

	/* Can this host run it with this configuration? Changes nothing on the host. */
	int (*probe)(const struct tandem_datapath_config *cfg, struct tandem_probe *probe);

	/*
	 * Take it into use. What an earlier process left (pinned maps) is taken over
	 * unless cfg->fresh. why is to hold "" at the call, and gets the reason of a failure
	 * where the error alone does not say it.
	 */
	int (*open)(struct tandem_datapath **dpp, const struct tandem_datapath_config *cfg,
		    char *why, size_t why_size);

	/* Carry out n changes in order. Each change's result says what became of it. */
	int (*apply)(struct tandem_datapath *dp, struct tandem_change *changes, size_t n);

	/*
	 * State of one flow; -ENOENT when it is not installed. A fast path that has it and yet
	 * punts its packets sets offloaded to false, and reason.
	 */
	int (*read)(struct tandem_datapath *dp, uint64_t flow_id, struct tandem_flow_stats *stats);

	/*
	 * State of the legs of one flow, at most max of them, in the order of its fan. Sets *n.
	 * -ENOENT when the flow is not installed.
	 */
	int (*read_legs)(struct tandem_datapath *dp, uint64_t flow_id,
			 struct tandem_leg_stats *legs, size_t max, size_t *n);

	/* Every installed flow without its fan, in no order; used to reconcile after a restart. */
	int (*list)(struct tandem_datapath *dp, tandem_installed_h *h, void *arg);

	/* Sum of the per-reason counters over all CPUs or workers. */
	int (*counters)(struct tandem_datapath *dp, struct reason_counters *counters);

	/*
	 * Descriptor that becomes readable when dispatch has something to do; dispatch calls
	 * handlers from the caller's thread. These and send are of the io_uring datapath
	 * alone, NULL in the others: what needs a decision they punt.
	 */
	int (*event_fd)(struct tandem_datapath *dp);
	void (*dispatch)(struct tandem_datapath *dp, const struct tandem_event_handlers *handlers,
			 void *arg);

	/*
	 * Send a datagram from a media port that has a flow; from the thread that dispatches.
	 * Whether remote may be sent to is for the caller to know. It does not wait: 0 means
	 * that it will be tried, after all that was applied before. -EAGAIN: too many are
	 * waiting; -EMSGSIZE: empty or too long; -EINVAL: remote is no single host, or of
	 * another family than local; -EADDRNOTAVAIL: local is no media port of the relay.
	 */
	int (*send)(struct tandem_datapath *dp, const struct tandem_endpoint *local,
		    const struct tandem_endpoint *remote, const void *payload, size_t len);

	/*
	 * Send a packet of RTP or RTCP, in the clear, as those of a flow are sent: by the egress
	 * that leaves from the port `local` of the relay, protected under its keys. Its SSRC is the
	 * caller's alone, for as long as there is the flow: so its sequence numbers and index go
	 * on. From one thread, which may be another than dispatches. It does not wait: 0 means
	 * that it will be tried; a flow that is gone, or sends nothing there now, takes it
	 * silently. -EAGAIN: too many are waiting; -EMSGSIZE; -EINVAL: neither RTP nor RTCP.
	 * Of the io_uring datapath alone, NULL in the others.
	 */
	int (*inject)(struct tandem_datapath *dp, uint64_t flow_id,
		      const struct tandem_endpoint *local, const void *payload, size_t len);

	/*
	 * The copies for captures, of at most size bytes of a packet each. One thread opens, reads
	 * (all that there is; returns how many records) and closes; between, it reads often, for
	 * what there is no room for is lost and counted: *lost, since it was opened. NULL in
	 * datapaths that cannot; the plane leaves them no flow that is captured.
	 */
	int (*tap_open)(struct tandem_datapath *dp, uint32_t size);
	size_t (*tap_read)(struct tandem_datapath *dp, tandem_tapped_h *h, void *arg,
			   uint64_t *lost);
	void (*tap_close)(struct tandem_datapath *dp);

	/* One line on how it runs: "native on eth1, generic on br0". Owned by dp. */
	const char *(*describe)(struct tandem_datapath *dp);

	/*
	 * Leave what can be left to another process (bequest.h), and begin to read what was
	 * inherited. NULL where there is nothing of the kind.
	 */
	int (*bequeath)(struct tandem_datapath *dp, struct tandem_bequest *bequest);
	void (*resume)(struct tandem_datapath *dp);

	/* keep: leave pinned state forwarding; else detach and remove it. */
	void (*close)(struct tandem_datapath *dp, bool keep);
};

extern const struct tandem_datapath_ops tandem_xdp_ops;
extern const struct tandem_datapath_ops tandem_dpdk_ops;
extern const struct tandem_datapath_ops tandem_kmod_ops;
extern const struct tandem_datapath_ops tandem_uring_ops;

#endif
