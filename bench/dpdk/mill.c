/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a frame costs the DPDK worker, receive and transmit included, without a NIC: frames go
 * round in a ring. The egress of each flow is the 5-tuple of another, so that a frame visits all
 * flows in turn, and sequence numbers are such that no flow sees a loss. Of copies one goes on
 * round, the others end in a device that takes everything.
 *
 *      +--> net_ring0 --> worker: flow i --> net_ring0 --+
 *      +------------------------|------------------------+     net_null0
 *                               +--- copies 1 to LEGS - 1 ----->
 *
 * Before that, on the same ring and with the same frames, a loop that only swaps MAC addresses; and
 * the steps of the core, one frame after the other, without what the worker does ahead of them.
 *
 * With --srtp every second flow protects what it sends, and the one after it opens that: half of the
 * frames are protected, half opened, each flow has keys of its own, and what is shown is the mean of
 * both. FLOWS may be 2 then: all frames are of one stream.
 *
 * Usage: dpdk-mill [--rows] [--srtp SUITE] [FLOWS [LEGS [PAYLOAD [CHAIN_MIN]]]]
 *
 * --rows is for `tandem bench core`: WHAT, minimum, median and maximum, between tabs. SUITE is a
 * number of enum srtp_suite: 2 AES_CM_128_HMAC_SHA1_80, 4 AES_256_CM_HMAC_SHA1_80, 6 and 7 AES-GCM.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_udp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/dpdk/limits.h"
#include "core/srtp_suite.h"
#include "dpdk/srtp.h"
#include "dpdk/worker.h"
#include "userspace/datapath/srtp_sets.h"
#include "userspace/srtp/kdf.h"
#include "userspace/util/endpoint.h"
#include "userspace/util/log.h"

#define FRAMES	  1000 /* on their way; less than a ring has room for */
#define STRIDE	  7919 /* between a flow and the next, so that no prefetcher guesses it */
#define PORT_BASE 1024
#define PORTS	  64512
#define WARM_MS	  500
#define WINDOWS	  1000
#define WINDOW_MS 2

static struct dpdk_relay relay;
static struct dpdk_worker worker;

struct setup {
	uint32_t flows, legs, payload;
	uint32_t chain_min; /* 0: as the worker has it */
	uint8_t suite;	    /* enum srtp_suite; 0: no SRTP */
	bool rows;
	struct ip_addr here, there, aside_here, aside_there;
};

static void die(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

/* Two devices of the kernel's stand for the ports, for routes and neighbours to be found. */
static void network_up(void)
{
	if (unshare(CLONE_NEWNET) ||
	    system("for i in 7 8; do ip link add d$i type veth peer name e$i && "
		   "ip link set d$i up && ip link set e$i up && "
		   "ip addr add 10.7$i.1.2/16 dev d$i && "
		   "ip neigh add 10.7$i.1.1 lladdr 02:00:00:00:00:01 dev d$i nud permanent || exit "
		   "1; "
		   "done"))
		die("no network namespace (needs root)");
}

static struct tandem_egress egress_to(const struct ip_addr *from, const struct ip_addr *to,
				      uint32_t port)
{
	return (struct tandem_egress){ .local = *from,
				       .remote = *to,
				       .local_port = htons(4000),
				       .remote_port = htons((uint16_t)port),
				       .flags = EGRESS_F_ACTIVE };
}

/* Frames on their way. With keys they all begin at a flow that protects. */
static uint32_t frame_count(const struct setup *s)
{
	return s->suite && s->flows > 2 && s->flows < 2 * FRAMES ? s->flows / 2 : FRAMES;
}

/* The set of flow i: of two that follow each other on the way the keys are the same. */
static void set_send(const struct setup *s, uint32_t i)
{
	uint32_t pair = i % 2 ? (i + s->flows - STRIDE % s->flows) % s->flows : i;
	struct tandem_dpdk_srtp set = {
		.index = i + 1,
		.keys = { .id = i + 1, .first_stream = i, .stream_count = 1 },
	};
	uint8_t key[SRTP_KEY_MAX] = { 0 }, salt[SRTP_SALT_MAX] = { 0 };

	memcpy(key, &pair, sizeof(pair));
	if (tandem_srtp_derive(&set.keys, s->suite, key, salt) || dpdk_srtp_set(relay.table, &set))
		die("keys were refused");
}

static void flow_set(const struct setup *s, uint32_t i, struct tandem_fan *fan)
{
	struct tandem_srtp set = { .id = i + 1 };
	uint32_t next = (i + STRIDE) % s->flows;
	struct tandem_egress on = egress_to(&s->there, &s->here, PORT_BASE + next);
	struct tandem_flow_spec spec = { .id = i + 1, .media_id = i + 1 };

	/* Where the round begins anew, so do the sequence numbers. */
	on.flags |= next ? 0 : EGRESS_F_SEQ;
	on.seq_offset = (uint16_t)frame_count(s);
	spec.key.remote = s->there;
	spec.key.remote_port = htons(4000);
	spec.key.local = s->here;
	spec.key.local_port = htons((uint16_t)(PORT_BASE + i));
	spec.egress[EGRESS_RTP] = on;
	spec.pts.clock_hz[0] = 8000;
	if (s->suite) {
		set_send(s, i);
		if (i % 2)
			spec.srtp_in = &set;
		else
			spec.srtp_out = &set;
	}
	if (s->legs > 1) {
		fan->branch_count = 1;
		fan->leg_count = s->legs;
		fan->branches[0] = (struct branch){ .count = (uint16_t)s->legs,
						    .flags = BRANCH_F_ANY };
		fan->legs[0] = (struct tandem_fan_leg){ .id = 1, .leg.egress = on };
		for (uint32_t leg = 1; leg < s->legs; leg++) {
			fan->legs[leg].id = leg + 1;
			fan->legs[leg].leg.egress = egress_to(&s->aside_here, &s->aside_there,
							      PORT_BASE + leg);
		}
		spec.fan = fan;
	}
	if (dpdk_table_set(relay.table, &spec))
		die("a flow was refused");
}

static void flows_set(const struct setup *s)
{
	struct relay_config config = {
		.abi_version = TANDEM_ABI_VERSION,
		.slots = 3 * PORTS,
		.fans = s->legs > 1 ? s->flows : 0,
		.legs = s->legs > 1 ? s->flows * s->legs : 0,
		.srtps = s->suite ? s->flows + 1 : 0,
		.srtp_streams = s->suite ? s->flows * TANDEM_SRTP_STREAMS : 0,
		.locals_count = 3,
		.port_base = PORT_BASE,
		.port_count = PORTS,
		.nexthop_age_ns = 500000000,
		.locals = { s->here, s->there, s->aside_here },
	};
	struct tandem_fan *fan = calloc(1, sizeof(*fan) + s->legs * sizeof(fan->legs[0]));
	struct tandem_egress on = egress_to(&s->there, &s->here, 0);
	struct tandem_egress aside = egress_to(&s->aside_here, &s->aside_there, 0);

	if (!fan || dpdk_table_alloc(&relay.table, &config, 16, relay.rcu))
		die("no memory for the flows");
	dpdk_hops_resolve(relay.hops, &on.remote, &on.local, 1);
	dpdk_hops_resolve(relay.hops, &aside.remote, &aside.local, 1);
	for (uint32_t i = 0; i < s->flows; i++)
		flow_set(s, i, fan);
	free(fan);
}

/* Frame number n as it arrives at the flow that it begins with. */
static struct rte_mbuf *frame_make(const struct setup *s, uint32_t n)
{
	uint32_t step = s->flows / frame_count(s), seq = step ? frame_count(s) - 1 - n : n;
	uint32_t at = (uint32_t)((uint64_t)(n * step) * STRIDE % s->flows);
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(relay.ports.pool);
	uint16_t len = (uint16_t)(42 + s->payload);
	uint8_t *p = mbuf ? (uint8_t *)rte_pktmbuf_append(mbuf, len) : NULL;
	struct rte_ipv4_hdr *ip = (void *)(p + 14);
	struct rte_udp_hdr *udp = (void *)(p + 34);
	uint8_t *rtp = p + 42;

	if (!p)
		die("no mbuf");
	memset(p, 0, len);
	p[12] = 0x08;
	ip->version_ihl = 0x45;
	ip->total_length = htons((uint16_t)(len - 14));
	ip->time_to_live = 64;
	ip->next_proto_id = IPPROTO_UDP;
	ip->src_addr = s->there.w[3];
	ip->dst_addr = s->here.w[3];
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	udp->src_port = htons(4000);
	udp->dst_port = htons((uint16_t)(PORT_BASE + at));
	udp->dgram_len = htons((uint16_t)(len - 34));
	udp->dgram_cksum = 0xffff;
	rtp[0] = 0x80;
	rtp[2] = (uint8_t)(seq >> 8);
	rtp[3] = (uint8_t)seq;
	return mbuf;
}

static void frames_send(const struct setup *s)
{
	for (uint32_t n = 0; n < frame_count(s); n++) {
		struct rte_mbuf *mbuf = frame_make(s, n);

		if (rte_eth_tx_burst(relay.ports.port[0].id, 0, &mbuf, 1) != 1)
			die("the ring is full");
	}
}

static void relay_up(const struct setup *s)
{
	char why[256] = "";

	relay.rcu = rte_zmalloc("rcu", rte_rcu_qsbr_get_memsize(1), RTE_CACHE_LINE_SIZE);
	if (!relay.rcu || rte_rcu_qsbr_init(relay.rcu, 1) ||
	    dpdk_ports_open(&relay.ports, NULL, 1, why, sizeof(why)) || relay.ports.count != 2)
		die(why);
	if (s->chain_min)
		relay.ports.chain_min = s->chain_min;
	if (dpdk_hops_alloc(&relay.hops) ||
	    dpdk_hops_link(relay.hops, (int)if_nametoindex("d7"), 0, 0) ||
	    dpdk_hops_link(relay.hops, (int)if_nametoindex("d8"), 1, 0))
		die("no next hops");
	flows_set(s);
	frames_send(s);
}

static void worker_start(void)
{
	worker = (struct dpdk_worker){ .relay = &relay };
	rte_eal_remote_launch(dpdk_worker_run, &worker, rte_get_next_lcore(-1, 1, 0));
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void wait_ms(uint32_t ms)
{
	usleep(1000 * ms);
	dpdk_hops_tick(relay.hops, now_ns());
}

/* Nanoseconds a frame. */
static struct dpdk_figure measure(void)
{
	double ns[WINDOWS];
	size_t n = 0;

	wait_ms(WARM_MS);
	for (int i = 0; i < WINDOWS; i++) {
		uint64_t packets = worker.packets, cycles = worker.cycles;

		wait_ms(WINDOW_MS);
		packets = worker.packets - packets;
		cycles = worker.cycles - cycles;
		if (packets)
			ns[n++] = 1e9 * (double)cycles / (double)rte_get_tsc_hz() / (double)packets;
	}
	if (!n)
		die("no frame moves");
	return dpdk_figure(ns, n);
}

/* Every frame was forwarded, or the figures mean nothing. */
static void report(const struct setup *s, struct dpdk_figure f)
{
	struct reason_counters c;
	double copies = s->legs > 1 ? s->legs : 1;
	uint64_t others = 0;

	dpdk_table_counters(relay.table, &c);
	for (int i = REASON_not_ip; i < REASON_COUNT; i++)
		others += i == REASON_copies_sent ? 0 : c.packets[i];
	if (s->rows)
		dpdk_row("whole", f, copies);
	else
		printf("%u flows, %u legs, payload %u: %.1f ns a frame (median %.1f), %.1f ns a "
		       "%s, "
		       "%.2f M/s; %llu forwarded, %llu lost\n",
		       s->flows, s->legs, s->payload, f.best, f.median, f.best / copies,
		       s->legs > 1 ? "copy" : "frame", 1e3 * copies / f.best,
		       (unsigned long long)c.packets[REASON_forwarded_rtp],
		       (unsigned long long)others);
	if (others)
		die("not every frame was forwarded");
}

/* The least that a frame can cost, and the steps. */
static void limits(const struct setup *s)
{
	struct dpdk_limits job = {
		.relay = &relay,
		.flows = s->flows,
		.port_base = PORT_BASE,
		.rows = s->rows,
	};

	rte_eal_remote_launch(dpdk_limits_run, &job, rte_get_next_lcore(-1, 1, 0));
	rte_eal_mp_wait_lcore();
	if (job.failed)
		die("not every frame reached its step");
}

/* With keys, every second one protects, all the way round. */
static bool flows_fit(const struct setup *s)
{
	if (s->suite && s->flows == 2)
		return true;
	return s->flows >= FRAMES && s->flows <= PORTS && s->flows % STRIDE != 0 &&
	       (!s->suite || s->flows % (2 * frame_count(s)) == 0);
}

static void setup_parse(struct setup *s, int argc, char **argv)
{
	*s = (struct setup){ .flows = 10000, .legs = 1, .payload = 172 };
	if (argc > 1 && strcmp(argv[1], "--rows") == 0) {
		s->rows = true;
		argc--;
		argv++;
	}
	if (argc > 2 && strcmp(argv[1], "--srtp") == 0) {
		s->suite = (uint8_t)strtoul(argv[2], NULL, 10);
		argc -= 2;
		argv += 2;
	}
	if (argc > 1)
		s->flows = (uint32_t)strtoul(argv[1], NULL, 10);
	if (argc > 2)
		s->legs = (uint32_t)strtoul(argv[2], NULL, 10);
	if (argc > 3)
		s->payload = (uint32_t)strtoul(argv[3], NULL, 10);
	if (argc > 4)
		s->chain_min = (uint32_t)strtoul(argv[4], NULL, 10);
	if (!flows_fit(s) || !s->legs || s->legs > TANDEM_MAX_LEGS || s->payload < 12 ||
	    s->payload > 1400 || s->suite >= SRTP_SUITES || (s->suite && s->legs > 1))
		die("usage: dpdk-mill [--rows] [--srtp SUITE] [FLOWS [LEGS [PAYLOAD "
		    "[CHAIN_MIN]]]]");
	tandem_ip_parse(&s->here, "10.77.1.1");
	tandem_ip_parse(&s->there, "10.77.1.2");
	tandem_ip_parse(&s->aside_there, "10.78.1.1");
	tandem_ip_parse(&s->aside_here, "10.78.1.2");
}

int main(int argc, char **argv)
{
	static char *args[] = { "bench",
				"--no-huge",
				"--no-pci",
				"--no-shconf",
				"--no-telemetry",
				"-m",
				"128",
				"--lcores=0@0,1@1",
				"--log-level=error",
				"--iova-mode=va",
				"--vdev=net_ring0",
				"--vdev=net_null0,no-rx=1" };
	struct setup s;

	setup_parse(&s, argc, argv);
	tandem_log_set_level(TANDEM_LOG_ERROR);
	network_up();
	if (rte_eal_init(sizeof(args) / sizeof(args[0]), args) < 0)
		die("EAL");
	relay_up(&s);
	if (s.legs == 1 && !s.suite) {
		limits(&s);
		dpdk_table_free(relay.table); /* what that left in it */
		flows_set(&s);
	}
	worker_start();
	report(&s, measure());
	relay.quit = 1;
	rte_eal_mp_wait_lcore();
	dpdk_ports_close(&relay.ports);
	return 0;
}
