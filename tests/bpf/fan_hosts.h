/* SPDX-License-Identifier: GPL-2.0-only */
/* The hosts of xdp_hosts.h with a feed at the caller and sinks at both, see fan_wire.h. */
#ifndef TANDEM_TEST_FAN_HOSTS_H
#define TANDEM_TEST_FAN_HOSTS_H

#include <pthread.h>

#include "tests/bpf/xdp_hosts.h"

#include "fan_wire.skel.h"
#include "tests/bpf/fan_wire.h"

#define FAN_AT	 (BASE + 10) /* port of the relay that the flow with many egresses is on */
#define RTP_SIZE 172

static struct {
	struct fan_wire_bpf *a, *b; /* of the caller, which also feeds, and of the callee */
	int a_ifindex;
} wire;

/* ---- addresses ---- */

static const char *relay_a(bool ip6)
{
	return ip6 ? "fd00:78:1::1" : "10.78.1.1";
}

static const char *relay_b(bool ip6)
{
	return ip6 ? "fd00:78:2::1" : "10.78.2.1";
}

static const char *caller(bool ip6)
{
	return ip6 ? "fd00:78:1::2" : "10.78.1.2";
}

static const char *callee(bool ip6)
{
	return ip6 ? "fd00:78:2::2" : "10.78.2.2";
}

static inline void ip6_up(const char *here, const char *there, int ns, int subnet)
{
	shell("ip -6 addr add fd00:78:%d::1/64 dev %s nodad", subnet, here);
	shell("ip -6 neigh add fd00:78:%d::2 lladdr 02:00:00:00:%02d:02 dev %s nud permanent",
	      subnet, subnet, here);
	enter(ns);
	shell("ip -6 addr add fd00:78:%d::2/64 dev %s nodad", subnet, there);
	enter(net.relay_ns);
}

static inline struct fan_wire_bpf *wire_load(void)
{
	struct fan_wire_bpf *skel = fan_wire_bpf__open_and_load();

	assert_non_null(skel);
	return skel;
}

static inline void sink_on(int ns, const char *name, struct fan_wire_bpf *skel)
{
	enter(ns);
	assert_int_equal(bpf_xdp_attach((int)if_nametoindex(name),
					bpf_program__fd(skel->progs.sink), XDP_FLAGS_DRV_MODE,
					NULL),
			 0);
	enter(net.relay_ns);
}

static inline int fan_hosts_up(void **state)
{
	hosts_up(state);
	ip6_up("to_a", "a", net.caller_ns, 1);
	ip6_up("to_b", "b", net.callee_ns, 2);
	wire.a = wire_load();
	wire.b = wire_load();
	sink_on(net.caller_ns, "a", wire.a);
	sink_on(net.callee_ns, "b", wire.b);
	enter(net.caller_ns);
	wire.a_ifindex = (int)if_nametoindex("a");
	enter(net.relay_ns);
	return 0;
}

static inline int fan_hosts_down(void **state)
{
	fan_wire_bpf__destroy(wire.a);
	fan_wire_bpf__destroy(wire.b);
	return hosts_down(state);
}

/* ---- the relay ---- */

static inline struct tandem_datapath_config fan_config(void)
{
	struct tandem_datapath_config cfg = config();

	cfg.locals_count = 4;
	tandem_ip_parse(&cfg.locals[2].ip, relay_a(true));
	tandem_ip_parse(&cfg.locals[3].ip, relay_b(true));
	cfg.flow_capacity = 4 * PORTS + 64;
	cfg.fan_capacity = 16;
	cfg.leg_capacity = 1024;
	return cfg;
}

/* Where copies go: to the callee, and with both, by turns to the caller. */
struct fan_shape {
	uint32_t legs;
	uint32_t gen;
	bool both;
	bool ip6; /* every third leg */
};

static inline void leg_fill(struct tandem_fan_leg *to, uint32_t n, const struct fan_shape *shape)
{
	struct tandem_egress *eg = &to->leg.egress;
	uint32_t g = shape->gen;
	bool ip6 = shape->ip6 && n % 3 == 0, back = shape->both && n % 2;

	to->id = 1000 + n;
	eg->flags = EGRESS_F_SSRC | EGRESS_F_SEQ | EGRESS_F_TS | EGRESS_F_PT | EGRESS_F_DSCP |
		    EGRESS_F_EXT;
	tandem_ip_parse(&eg->local, back ? relay_a(ip6) : relay_b(ip6));
	tandem_ip_parse(&eg->remote, back ? caller(ip6) : callee(ip6));
	eg->local_port = htons((uint16_t)(FAN_FROM + FAN_GEN_STEP * g + n));
	eg->remote_port = htons((uint16_t)(FAN_PORT + n));
	eg->ssrc = (struct ssrc_map){ 1, FAN_LEG_SSRC(n, g) };
	eg->seq_offset = (uint16_t)FAN_LEG_SEQ(n, g);
	eg->ts_offset = FAN_LEG_TS(n, g);
	eg->pt_out[0] = (uint8_t)FAN_LEG_PT(n, g);
	eg->dscp = (uint8_t)FAN_LEG_DSCP(n, g);
	for (uint8_t id = 0; id < TANDEM_EXT_IDS; id++)
		to->leg.ext_id[id] = id;
	to->leg.ext_id[1] = (uint8_t)FAN_LEG_EXT1(n);
	to->leg.ext_id[3] = (uint8_t)FAN_LEG_EXT3(n);
}

/* One branch for RTP, and one for RTCP whose legs are the next ones. For the caller to free. */
static inline struct tandem_fan *fan_make(const struct fan_shape *shape, uint32_t rtcp_legs)
{
	uint32_t all = shape->legs + rtcp_legs;
	struct tandem_fan *fan = calloc(1, sizeof(*fan) + all * sizeof(fan->legs[0]));

	assert_non_null(fan);
	fan->branch_count = rtcp_legs ? 2 : 1;
	fan->leg_count = all;
	fan->branches[0] = (struct branch){ .ssrc = 1, .count = (uint16_t)shape->legs };
	fan->branches[1] = (struct branch){ .flags = BRANCH_F_RTCP,
					    .first = shape->legs,
					    .count = (uint16_t)rtcp_legs };
	for (uint32_t n = 0; n < all; n++)
		leg_fill(&fan->legs[n], n, shape);
	return fan;
}

static inline struct tandem_flow_spec fan_spec(bool ip6)
{
	struct tandem_flow_spec s = { .id = 100, .media_id = 100 };

	tandem_ip_parse(&s.key.local, relay_a(ip6));
	s.key.local_port = htons(FAN_AT);
	tandem_ip_parse(&s.key.remote, caller(ip6));
	s.key.remote_port = htons(5004);
	s.pts.pt[0] = 8;
	s.pts.clock_hz[0] = 8000;
	return s;
}

static inline int fan_set(struct tandem_datapath *dp, const struct fan_shape *shape,
			  uint32_t rtcp_legs)
{
	struct tandem_flow_spec spec = fan_spec(false);
	struct tandem_fan *fan = fan_make(shape, rtcp_legs);
	int err;

	spec.fan = fan;
	err = set(dp, &spec);
	free(fan);
	return err;
}

/* ---- what arrives ---- */

/*
 * Frames that a device could not send, since the queue behind it was full. When this machine
 * has other things to do, the relay gets many packets at once.
 */
static inline uint64_t refused_by(int ns, const char *name)
{
	unsigned long long n = 0;
	char cmd[128];
	FILE *out;

	enter(ns);
	snprintf(cmd, sizeof(cmd),
		 "ethtool -S %s | awk '/xdp_xmit_errors/ { n += $2 } END { print n + 0 }'", name);
	out = popen(cmd, "r");
	assert_non_null(out);
	assert_int_equal(fscanf(out, "%llu", &n), 1);
	pclose(out);
	enter(net.relay_ns);
	return n;
}

struct refused {
	uint64_t fed;	 /* packets, on their way to the relay */
	uint64_t copies; /* on their way from there */
};

static struct refused refused_before;

static inline struct refused refused_now(void)
{
	return (struct refused){
		.fed = refused_by(net.caller_ns, "a") - refused_before.fed,
		.copies = refused_by(net.relay_ns, "to_a") + refused_by(net.relay_ns, "to_b") -
			  refused_before.copies,
	};
}

static inline void seen_clear(void)
{
	static const struct fan_seen none;

	for (uint32_t n = 0; n < FAN_LEGS; n++) {
		bpf_map_update_elem(bpf_map__fd(wire.a->maps.seen), &n, &none, BPF_ANY);
		bpf_map_update_elem(bpf_map__fd(wire.b->maps.seen), &n, &none, BPF_ANY);
	}
	wire.a->bss->plain = wire.b->bss->plain = 0;
	wire.a->bss->stamped = wire.b->bss->stamped = 0;
	refused_before = (struct refused){ 0 };
	refused_before = refused_now();
}

static inline struct fan_seen seen_of(const struct fan_wire_bpf *at, uint32_t n)
{
	struct fan_seen s;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(at->maps.seen), &n, &s), 0);
	return s;
}

/* Copies of all legs; nothing wrong, nothing twice, nothing without its translation. */
static inline uint64_t seen_sum(void)
{
	const struct fan_wire_bpf *const sinks[] = { wire.a, wire.b };
	uint64_t sum = 0;

	for (int i = 0; i < 2; i++) {
		for (uint32_t n = 0; n < FAN_LEGS; n++) {
			struct fan_seen s = seen_of(sinks[i], n);

			assert_int_equal(s.wrong, 0);
			assert_int_equal(s.twice, 0);
			sum += s.packets;
		}
		assert_int_equal(sinks[i]->bss->stamped, 0);
	}
	return sum;
}

/* Of so many packets sent, every leg of the shape got a copy, on its device; no other did. */
static inline void seen_all(const struct fan_shape *shape, uint64_t packets)
{
	struct refused refused = refused_now();
	uint64_t each = packets - refused.fed;

	for (uint32_t n = 0; n < shape->legs; n++) {
		bool back = shape->both && n % 2;
		uint64_t got = seen_of(back ? wire.a : wire.b, n).packets;

		assert_int_equal(seen_of(back ? wire.b : wire.a, n).packets, 0);
		assert_in_range(got, refused.copies < each ? each - refused.copies : 0, each);
	}
	assert_int_equal(seen_sum() + refused.copies, each * shape->legs);
	if (refused.fed || refused.copies)
		print_message("%llu packets and %llu copies found a queue full\n",
			      (unsigned long long)refused.fed, (unsigned long long)refused.copies);
}

/* ---- what is sent ---- */

static inline uint32_t sum16(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

static inline uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static inline void put32(uint8_t *p, uint32_t value)
{
	value = htonl(value);
	memcpy(p, &value, sizeof(value));
}

/* Header, extension and mark as fan_wire.h has them; the rest zero. */
static inline void rtp_fill(uint8_t *p, uint32_t number)
{
	p[0] = 0x90;
	p[1] = 8;
	p[2] = (uint8_t)(number >> 8);
	p[3] = (uint8_t)number;
	put32(p + 4, number * 160);
	put32(p + 8, 1);
	put32(p + 12, FAN_EXT_HEAD);
	put32(p + 16, FAN_EXT_1);
	put32(p + 20, FAN_EXT_3);
	put32(p + 24, FAN_MAGIC);
	put32(p + 28, number);
}

static const uint8_t feed_macs[12] = { 2, 0, 0, 0, 1, 1, 2, 0, 0, 0, 1, 2 };

/* A frame from the caller to a port of the relay, with a VLAN tag if vlan is not 0. */
static inline void feed_frame(uint32_t at, uint16_t port, uint16_t vlan, bool ip6)
{
	struct fan_frame f = { .number = 1 };
	uint32_t ip = vlan ? 18 : 14, udp = ip + (ip6 ? 40 : 20), len = FAN_FRAME - udp;
	struct tandem_endpoint src, dst;
	size_t skip = ip6 ? 0 : 12, size = ip6 ? 16 : 4;
	uint8_t *p = f.bytes;

	tandem_ip_parse(&src.ip, caller(ip6));
	tandem_ip_parse(&dst.ip, relay_a(ip6));
	memcpy(p, feed_macs, sizeof(feed_macs));
	put32(p + 12, 0x81000000U | vlan);
	memcpy(p + ip - 2, ip6 ? "\x86\xdd" : "\x08\x00", 2);
	put32(p + ip, ip6 ? 0x60000000U : 0x45000000U | (FAN_FRAME - ip));
	put32(p + ip + 4, ip6 ? len << 16 | 17 << 8 | 64 : 0);
	if (!ip6)
		put32(p + ip + 8, 64 << 24 | 17 << 16);
	memcpy(p + ip + (ip6 ? 8 : 12), src.ip.b + skip, size);
	memcpy(p + ip + (ip6 ? 24 : 16), dst.ip.b + skip, size);
	if (!ip6) {
		uint16_t sum = fold(sum16(0, p + ip, 20));

		memcpy(p + ip + 10, &sum, 2);
	}
	put32(p + udp, (uint32_t)5004 << 16 | port);
	put32(p + udp + 4, len << 16);
	rtp_fill(p + udp + 8, 0);
	uint16_t sum = fold(sum16(sum16(17 + len, p + udp, len), p + udp - 2 * size, 2 * size));

	memcpy(p + udp + 6, &sum, 2);
	f.udp_off = udp;
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(wire.a->maps.frames), &at, &f, BPF_ANY),
			 0);
}

static inline void feed_start(uint32_t frames)
{
	wire.a->bss->feed_device = (uint32_t)wire.a_ifindex;
	wire.a->bss->feed_frames = frames;
	wire.a->bss->feed_number = 0;
}

/* Send so many, in batches that the queues of the devices hold. In the caller's namespace. */
static inline int feed_run(uint32_t packets, uint32_t batch)
{
	uint8_t data[FAN_FRAME] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = data, .data_size_in = sizeof(data),
		    .repeat = (int)packets, .batch_size = batch,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	return bpf_prog_test_run_opts(bpf_program__fd(wire.a->progs.feed), &opts);
}

/* What is on its way, arrives. */
static inline void settle(void)
{
	usleep(20000);
}

static inline void feed(uint32_t packets, uint32_t batch)
{
	enter(net.caller_ns);
	assert_int_equal(feed_run(packets, batch), 0);
	enter(net.relay_ns);
	settle();
}

/* Feeds while the test does something else: so many batches, a pause, and again. */
struct feeder {
	pthread_t thread;
	int cpu; /* -1: any */
	bool stop;
	uint32_t batch;
	uint32_t times;
	uint32_t pause_us;
	uint64_t packets;
	int err;
};

static inline void *feeder_thread(void *arg)
{
	struct feeder *f = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)f->cpu, &set);
	if (setns(net.caller_ns, CLONE_NEWNET) ||
	    (f->cpu >= 0 && sched_setaffinity(0, sizeof(set), &set)))
		f->err = -errno;
	/* Not so many that numbers come round. */
	while (!f->err && f->packets < FAN_NUMBERS / 4 &&
	       !__atomic_load_n(&f->stop, __ATOMIC_RELAXED)) {
		f->err = feed_run(f->batch * f->times, f->batch);
		f->packets += f->batch * f->times;
		if (f->pause_us)
			usleep(f->pause_us);
	}
	return NULL;
}

static inline void feeder_start(struct feeder *f)
{
	assert_int_equal(pthread_create(&f->thread, NULL, feeder_thread, f), 0);
}

static inline void feeder_stop(struct feeder *f)
{
	__atomic_store_n(&f->stop, true, __ATOMIC_RELAXED);
	pthread_join(f->thread, NULL);
	assert_int_equal(f->err, 0);
	settle();
}

#endif
