/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs in the guest, with the module loaded: sets rules through the relay's own client of
 * the module, sends packets across, and looks at what comes out. See client.h.
 *
 * Usage: client call          every test, a TAP line each
 *        client configure     rules, and nothing more
 *        client flood          packets through two flows, in both families, see struct flood
 */
#include "tests/kmod/client.h"

#define RTP_SIZE 32

struct world {
	struct tandem_datapath *dp;
	struct tandem_datapath_config cfg;
	int a4, a6, b4, b6; /* the ends' sockets */
	int relay4;	    /* what the module punts ends up here */
};

enum { V4 = 1, V6, V4_TO_V6, V6_TO_V4, SECOND };

static void rtp(unsigned char *p, uint8_t pt, uint16_t seq, uint8_t ssrc)
{
	memset(p, 0, RTP_SIZE);
	p[0] = 0x80;
	p[1] = pt;
	p[2] = (unsigned char)(seq >> 8);
	p[3] = (unsigned char)seq;
	p[11] = ssrc;
	for (unsigned char i = 12; i < RTP_SIZE; i++)
		p[i] = i;
}

static void add_flows(struct world *w)
{
	struct tandem_flow_spec flows[] = {
		flow_spec(V4, at("10.1.0.2", 4000), at("10.1.0.1", 20000), at("10.2.0.1", 20002),
			  at("10.2.0.2", 5000)),
		flow_spec(V6, at("fd01::2", 4000), at("fd01::1", 20000), at("fd02::1", 20002),
			  at("fd02::2", 5000)),
		flow_spec(V4_TO_V6, at("10.1.0.2", 4000), at("10.1.0.1", 20004),
			  at("fd02::1", 20006), at("fd02::2", 5000)),
		flow_spec(V6_TO_V4, at("fd01::2", 4000), at("fd01::1", 20004),
			  at("10.2.0.1", 20006), at("10.2.0.2", 5000)),
	};
	struct tandem_egress *eg = flows[0].egress;
	int err = 0;

	eg[EGRESS_RTP].flags |= EGRESS_F_SSRC | EGRESS_F_SEQ | EGRESS_F_PT | EGRESS_F_DSCP;
	eg[EGRESS_RTP].ssrc = (struct ssrc_map){ 0x11, 0x22 };
	eg[EGRESS_RTP].seq_offset = 5;
	eg[EGRESS_RTP].dscp = 46;
	eg[EGRESS_RTCP].flags |= EGRESS_F_SSRC;
	eg[EGRESS_RTCP].ssrc = (struct ssrc_map){ 0x11, 0x22 };
	for (size_t i = 0; i < 4; i++)
		err |= change(w->dp, TANDEM_FLOW_SET, &flows[i]);
	ok(!err, "four flows are installed");
}

static void test_open(struct world *w)
{
	char why[256] = "";

	w->cfg = relay_config();
	w->cfg.fresh = true;
	ok(!tandem_kmod_ops.open(&w->dp, &w->cfg, why, sizeof(why)), "the module is configured");
	if (!w->dp)
		die(why);
	w->cfg.fresh = false;
}

/* One packet through each of the four ways. with tells how checksums are made. */
static void test_ways(struct world *w, const char *with)
{
	unsigned char in[RTP_SIZE], out[RTP_SIZE];
	struct received r;
	char name[96];

	rtp(in, 0, 1, 0x11);
	rtp(out, 8, 6, 0x22);
	send_to(w->a4, "10.1.0.1", 20000, in, sizeof(in));
	receive(w->b4, RECEIVE_MS, &r);
	snprintf(name, sizeof(name), "IPv4: translated to the byte (%s)", with);
	ok(came_as(&r, out, sizeof(out), "10.2.0.1", 20002), name);
	ok(r.tos == 46 << 2, "DSCP is set");

	send_to(w->a6, "fd01::1", 20000, in, sizeof(in));
	receive(w->b6, RECEIVE_MS, &r);
	snprintf(name, sizeof(name), "IPv6 (%s)", with);
	ok(came_as(&r, in, sizeof(in), "fd02::1", 20002), name);

	send_to(w->a4, "10.1.0.1", 20004, in, sizeof(in));
	receive(w->b6, RECEIVE_MS, &r);
	snprintf(name, sizeof(name), "IPv4 to IPv6 (%s)", with);
	ok(came_as(&r, in, sizeof(in), "fd02::1", 20006), name);

	send_to(w->a6, "fd01::1", 20004, in, sizeof(in) - 1);
	receive(w->b4, RECEIVE_MS, &r);
	snprintf(name, sizeof(name), "IPv6 to IPv4, odd length (%s)", with);
	ok(came_as(&r, in, sizeof(in) - 1, "10.2.0.1", 20006), name);
}

static void test_rtcp(struct world *w)
{
	unsigned char sr[28] = { 0x80, 200, 0, 6, 0, 0, 0, 0x11, 1, 2, 3, 4, 5, 6, 7, 8 };
	struct tandem_flow_stats s;
	struct received r;

	send_to(w->a4, "10.1.0.1", 20000, sr, sizeof(sr));
	receive(w->b4, RECEIVE_MS, &r);
	sr[7] = 0x22;
	ok(came_as(&r, sr, sizeof(sr), "10.2.0.1", 20002), "RTCP: the SR's SSRC is translated");
	ok(!tandem_kmod_ops.read(w->dp, V4, &s) && s.flow.rtcp_packets == 1 &&
		   s.streams[0].sr_count == 1,
	   "the SR is accounted for");
	sr[3] = 99;
	send_to(w->a4, "10.1.0.1", 20000, sr, sizeof(sr));
	ok(nothing(w->b4), "RTCP with a wrong length ends in the module");
}

static void test_strangers(struct world *w)
{
	struct tandem_flow_stats s;
	unsigned char in[RTP_SIZE];
	const struct tandem_endpoint expected = at("10.1.0.2", 4444);
	struct ip_addr who;
	int stranger = udp_socket("a", "10.1.0.2", 4444);

	rtp(in, 0, 2, 0x11);
	send_to(stranger, "10.1.0.1", 20000, in, sizeof(in));
	ok(nothing(w->b4) && nothing(w->relay4), "an unknown source gets nowhere");
	tandem_kmod_ops.read(w->dp, V4, &s);
	memcpy(&who, s.flow.unknown_addr, sizeof(who));
	ok(s.flow.unknown_source == 1 && s.flow.unknown_port == htons(4444) &&
		   tandem_ip_equal(&who, &expected.ip),
	   "but is noted");
	close(stranger);
}

/* What the module leaves to userspace arrives there as it was sent. */
static void test_punts(struct world *w)
{
	unsigned char stun[20] = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42 };
	unsigned char big[1472] = { 0x80 };
	int size = 200, none = 0, relay = udp_socket("relay", "10.1.0.1", 20004);
	struct received r;

	send_to(w->a4, "10.1.0.1", 20000, stun, sizeof(stun));
	receive(w->relay4, RECEIVE_MS, &r);
	ok(came_as(&r, stun, sizeof(stun), "10.1.0.2", 4000), "STUN is punted as it came");

	send_to(w->a4, "10.1.0.1", 20004, big, sizeof(big));
	receive(relay, RECEIVE_MS, &r);
	ok(came_as(&r, big, sizeof(big), "10.1.0.2", 4000),
	   "what gets too long for IPv6 is punted");

	setsockopt(w->a4, SOL_UDP, UDP_SEGMENT, &size, sizeof(size));
	send_to(w->a4, "10.1.0.1", 20004, big, 600);
	setsockopt(w->a4, SOL_UDP, UDP_SEGMENT, &none, sizeof(none));
	for (int i = 0; i < 3; i++)
		receive(relay, RECEIVE_MS, &r);
	ok(r.len == 200 && nothing(relay), "segmentation offload is punted, and taken apart");

	send_to(w->a4, "10.1.0.1", 20000, big, sizeof(big));
	receive(w->b4, RECEIVE_MS, &r);
	ok(r.len == sizeof(big), "what fits the MTU exactly is forwarded");
	close(relay);
}

static void test_shared(struct world *w)
{
	struct tandem_flow_spec spec = flow_spec(SECOND, at("10.1.0.2", 4001),
						 at("10.1.0.1", 20000), at("10.2.0.1", 20008),
						 at("10.2.0.2", 5000));
	int second = udp_socket("a", "10.1.0.2", 4001);
	struct tandem_flow_stats s;
	unsigned char in[RTP_SIZE];
	struct received r;

	ok(!change(w->dp, TANDEM_FLOW_SET, &spec), "a second flow on a port");
	for (uint8_t ssrc = 1; ssrc <= 3; ssrc++) {
		rtp(in, 0, ssrc, ssrc);
		send_to(second, "10.1.0.1", 20000, in, sizeof(in));
		receive(w->b4, RECEIVE_MS, &r);
		ok(came_as(&r, in, sizeof(in), "10.2.0.1", 20008), "goes its own way");
	}
	ok(!tandem_kmod_ops.read(w->dp, SECOND, &s) && s.flow.packets == 3 && s.stream_count == 3 &&
		   s.flow.extra_streams == 2,
	   "and has three streams");

	spec.key.local_port = htons(20010);
	ok(!change(w->dp, TANDEM_FLOW_SET, &spec), "it moves to another port");
	send_to(second, "10.1.0.1", 20010, in, sizeof(in));
	receive(w->b4, RECEIVE_MS, &r);
	ok(came_as(&r, in, sizeof(in), "10.2.0.1", 20008) &&
		   !tandem_kmod_ops.read(w->dp, SECOND, &s) && s.flow.packets == 4,
	   "with its counts");
	ok(!change(w->dp, TANDEM_FLOW_REMOVE, &spec), "it is removed");
	send_to(second, "10.1.0.1", 20010, in, sizeof(in));
	ok(nothing(w->b4) && tandem_kmod_ops.read(w->dp, SECOND, &s) == -ENOENT, "and is gone");
	close(second);
}

static void count_h(const struct tandem_flow_spec *spec, void *arg)
{
	(void)spec;
	++*(int *)arg;
}

static void test_restart(struct world *w)
{
	struct tandem_datapath *other;
	struct tandem_flow_stats s;
	unsigned char in[RTP_SIZE];
	struct received r;
	char why[256] = "";
	int flows = 0;

	ok(tandem_kmod_ops.open(&other, &w->cfg, why, sizeof(why)) == -EADDRINUSE,
	   "a second relay is kept out");
	tandem_kmod_ops.close(w->dp, true);
	rtp(in, 0, 3, 0x11);
	send_to(w->a4, "10.1.0.1", 20000, in, sizeof(in));
	receive(w->b4, RECEIVE_MS, &r);
	ok(r.len == sizeof(in), "the module forwards without a relay");

	w->cfg.port_max -= 2;
	ok(tandem_kmod_ops.open(&other, &w->cfg, why, sizeof(why)) == -EBUSY,
	   "another configuration is refused while there are flows");
	w->cfg.port_max += 2;
	if (tandem_kmod_ops.open(&w->dp, &w->cfg, why, sizeof(why)))
		die(why);
	tandem_kmod_ops.list(w->dp, count_h, &flows);
	ok(flows == 4 && !tandem_kmod_ops.read(w->dp, V4, &s) && s.streams[0].packets >= 3,
	   "the next relay takes the flows over, with their counts");
}

static void test_counters(struct world *w)
{
	struct reason_counters c;

	ok(!tandem_kmod_ops.counters(w->dp, &c), "counters are read");
	for (size_t i = 0; i < REASON_COUNT; i++) {
		if (c.packets[i])
			printf("# reason %zu: %llu\n", i, (unsigned long long)c.packets[i]);
	}
	ok(c.packets[REASON_forwarded_rtp] == 14 && c.packets[REASON_forwarded_rtcp] == 1 &&
		   c.packets[REASON_unknown_source] == 1 && c.packets[REASON_bad_rtcp] == 1 &&
		   c.packets[REASON_stun] == 1 && c.packets[REASON_idle_port] == 1 &&
		   c.packets[REASON_too_big] == 2,
	   "and say what became of each packet");
}

static void test_permission(struct world *w)
{
	struct tandem_probe probe;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (setuid(65534))
			_exit(2);
		_exit(tandem_kmod_ops.probe(&w->cfg, &probe) || probe.usable);
	}
	waitpid(pid, &status, 0);
	ok(status == 0, "without CAP_NET_ADMIN the module says nothing");
}

static int call(void)
{
	struct world w = { 0 };

	w.a4 = udp_socket("a", "10.1.0.2", 4000);
	w.a6 = udp_socket("a", "fd01::2", 4000);
	w.b4 = udp_socket("b", "10.2.0.2", 5000);
	w.b6 = udp_socket("b", "fd02::2", 5000);
	w.relay4 = udp_socket("relay", "10.1.0.1", 20000);
	test_open(&w);
	add_flows(&w);
	test_ways(&w, "checksum left to the device");
	set_offload("a", "va0", false);
	test_ways(&w, "checksum in the packet");
	set_offload("a", "va0", true);
	test_rtcp(&w);
	test_strangers(&w);
	test_punts(&w);
	test_shared(&w);
	test_restart(&w);
	test_counters(&w);
	test_permission(&w);
	tandem_kmod_ops.close(w.dp, false);
	return failures ? 1 : 0;
}

static int flood(void)
{
	struct world w = { .cfg = relay_config() };
	unsigned char in[RTP_SIZE];
	struct flood f;
	char why[256] = "";

	w.a4 = udp_socket("a", "10.1.0.2", 4000);
	w.a6 = udp_socket("a", "fd01::2", 4000);
	w.b4 = udp_socket("b", "10.2.0.2", 5000);
	if (tandem_kmod_ops.open(&w.dp, &w.cfg, why, sizeof(why)))
		die(why);
	add_flows(&w);
	tandem_kmod_ops.close(w.dp, true);
	flood_begin(&f, 100);
	for (uint16_t seq = 0; flood_goes_on(&f); seq++) {
		rtp(in, 0, seq, (uint8_t)(seq % 5));
		send_to(w.a4, "10.1.0.1", 20000, in, sizeof(in));
		send_to(w.a6, "fd01::1", 20004, in, sizeof(in));
		while (recv(w.b4, in, sizeof(in), MSG_DONTWAIT) > 0)
			f.got++;
	}
	printf("# %lu packets came through\n", f.got);
	ok(f.flowing, "packets flow before the module goes");
	return failures ? 1 : 0;
}

/* Leave a configured module behind, with flows. */
static int configure(void)
{
	struct world w = { .cfg = relay_config() };
	char why[256] = "";

	if (tandem_kmod_ops.open(&w.dp, &w.cfg, why, sizeof(why)))
		die(why);
	add_flows(&w);
	tandem_kmod_ops.close(w.dp, true);
	return failures ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "call") == 0)
		return call();
	if (argc == 2 && strcmp(argv[1], "configure") == 0)
		return configure();
	if (argc == 2 && strcmp(argv[1], "flood") == 0)
		return flood();
	fprintf(stderr, "usage: client call | configure | flood\n");
	return 2;
}
