/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs in the guest, with the module loaded: flows with many egresses, flows from and to
 * multicast groups, and ways that change while packets flow. See client.h for the network.
 *
 * Usage: fans call           every test, a TAP line each
 *        fans flood          packets through a flow with fifty egresses
 */
#include "tests/kmod/client.h"

#include <netinet/in.h>

#define RTP_SIZE  32
#define LEGS	  50
#define PACKETS	  200
#define WAIT_S	  15
#define FAN_FLOW  1
#define PORT_IN	  20000
#define PORT_OUT  20002
#define PORT_LEGS 6000 /* of b, the first leg's; nobody listens there */
#define SSRC	  0x11

struct world {
	struct tandem_datapath *dp;
	struct tandem_datapath_config cfg;
	struct tandem_fan *fan;
	int a4;
	uint16_t seq;
};

static void rtp(unsigned char *p, uint16_t seq)
{
	memset(p, 0, RTP_SIZE);
	p[0] = 0x80;
	p[2] = (unsigned char)(seq >> 8);
	p[3] = (unsigned char)seq;
	p[11] = SSRC;
}

static void send_rtp(struct world *w, int n)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	unsigned char in[RTP_SIZE];

	for (int i = 0; i < n; i++) {
		rtp(in, w->seq++);
		send_to(w->a4, "10.1.0.1", PORT_IN, in, sizeof(in));
		nanosleep(&pause, NULL);
	}
}

/* A column of /proc/net/dev of a namespace: 0 octets received, 1 packets received. */
static unsigned long received(const char *netns, const char *device)
{
	unsigned long packets = 0;
	char line[512], name[32];
	FILE *f;

	enter(netns);
	f = fopen("/proc/thread-self/net/dev", "r");
	while (f && fgets(line, sizeof(line), f)) {
		unsigned long n;

		if (sscanf(line, " %31[^:]: %*u %lu", name, &n) == 2 && !strcmp(name, device))
			packets = n;
	}
	if (f)
		fclose(f);
	enter("relay");
	return packets;
}

/* Has a device received so many more packets, within a time that emulation needs? */
static bool received_more(const char *netns, const char *device, unsigned long before,
			  unsigned long more)
{
	const struct timespec pause = { .tv_nsec = 20000000 };

	for (int i = 0; i < WAIT_S * 50; i++) {
		if (received(netns, device) >= before + more)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

static void command(const char *text)
{
	if (system(text))
		die(text);
}

/* Legs with ids from first_id on; every fifth goes by IPv6. One branch, for any SSRC. */
static struct tandem_fan *make_fan(uint32_t first_id, uint32_t legs)
{
	struct tandem_fan *fan = calloc(1, sizeof(*fan) + legs * sizeof(fan->legs[0]));

	if (!fan)
		die("calloc");
	fan->branch_count = 1;
	fan->branches[0] = (struct branch){ .count = (uint16_t)legs, .flags = BRANCH_F_ANY };
	fan->leg_count = legs;
	for (uint32_t i = 0; i < legs; i++) {
		struct tandem_fan_leg *leg = &fan->legs[i];
		bool v6 = i % 5 == 4;

		leg->id = first_id + i;
		set_egress(&leg->leg.egress, at(v6 ? "fd02::1" : "10.2.0.1", PORT_OUT),
			   at(v6 ? "fd02::2" : "10.2.0.2", (uint16_t)(PORT_LEGS + i)));
		leg->leg.egress.flags |= EGRESS_F_SSRC;
		leg->leg.egress.ssrc = (struct ssrc_map){ SSRC, 0x1000 + leg->id };
	}
	return fan;
}

static int set_fan(struct world *w, struct tandem_fan *fan)
{
	struct tandem_flow_spec spec = flow_spec(FAN_FLOW, at("10.1.0.2", 4000),
						 at("10.1.0.1", PORT_IN), at("10.2.0.1", PORT_OUT),
						 at("10.2.0.2", 5000));

	spec.fan = fan;
	if (w->fan != fan)
		free(w->fan);
	w->fan = fan;
	return change(w->dp, TANDEM_FLOW_SET, &spec);
}

static uint64_t counted(struct world *w, enum reason reason)
{
	struct reason_counters c;

	if (tandem_kmod_ops.counters(w->dp, &c))
		die("counters");
	return c.packets[reason];
}

static bool legs_have(struct world *w, uint64_t packets, uint64_t lost, uint32_t from, uint32_t to)
{
	struct tandem_leg_stats legs[2 * TANDEM_MAX_LEGS];
	size_t n;

	if (tandem_kmod_ops.read_legs(w->dp, FAN_FLOW, legs, 2 * TANDEM_MAX_LEGS, &n) || n < to)
		return false;
	for (uint32_t i = from; i < to; i++) {
		if (legs[i].packets == packets && legs[i].lost == lost &&
		    legs[i].octets == packets * RTP_SIZE && legs[i].id == w->fan->legs[i].id)
			continue;
		printf("# leg %u: id %u, %llu sent, %llu lost\n", i, legs[i].id,
		       (unsigned long long)legs[i].packets, (unsigned long long)legs[i].lost);
		return false;
	}
	return true;
}

static void test_fan_out(struct world *w)
{
	int fifth = udp_socket("b", "fd02::2", PORT_LEGS + 4);
	int first = udp_socket("b", "10.2.0.2", PORT_LEGS);
	unsigned char out[RTP_SIZE];
	struct received r;
	unsigned long before;

	ok(!set_fan(w, make_fan(1, LEGS)), "a flow with fifty egresses");
	before = received("b", "vb0");
	send_rtp(w, PACKETS);
	ok(received_more("b", "vb0", before, LEGS * PACKETS),
	   "each packet leaves fifty times, by the device's own count");
	ok(received("b", "vb0") < before + LEGS * PACKETS + 20, "and not more often");
	ok(counted(w, REASON_forwarded_rtp) == PACKETS &&
		   counted(w, REASON_copies_sent) == LEGS * PACKETS &&
		   counted(w, REASON_copies_lost) == 0,
	   "it is counted once, and so is each copy");
	ok(legs_have(w, PACKETS, 0, 0, LEGS), "by leg, too");

	rtp(out, 0);
	memcpy(out + 8, (unsigned char[4]){ 0, 0, 0x10, 1 }, 4);
	receive(first, RECEIVE_MS, &r);
	ok(came_as(&r, out, sizeof(out), "10.2.0.1", PORT_OUT), "a leg has its own translation");
	out[11] = 5;
	receive(fifth, RECEIVE_MS, &r);
	ok(came_as(&r, out, sizeof(out), "fd02::1", PORT_OUT), "another its own family");
	close(first);
	close(fifth);
}

static void test_lost_leg(struct world *w)
{
	struct tandem_fan *fan = make_fan(1, LEGS + 1);
	struct tandem_leg_stats legs[LEGS + 1];
	size_t n;

	fan->legs[LEGS].leg.egress.remote = at("10.99.0.1", 0).ip;
	ok(!set_fan(w, fan) && legs_have(w, PACKETS, 0, 0, LEGS),
	   "counts stay when a leg is added");
	send_rtp(w, 10);
	ok(legs_have(w, PACKETS + 10, 0, 0, LEGS) && legs_have(w, 0, 10, LEGS, LEGS + 1),
	   "a leg that cannot be reached keeps nothing from the others");
	ok(!tandem_kmod_ops.read_legs(w->dp, FAN_FLOW, legs, LEGS + 1, &n) && n == LEGS + 1 &&
		   legs[LEGS].last_reason == REASON_no_route &&
		   counted(w, REASON_copies_lost) == 10,
	   "and the reason is known");
}

static void test_legs_change(struct world *w)
{
	struct tandem_fan *fan = make_fan(11, LEGS);

	ok(!set_fan(w, fan) && legs_have(w, PACKETS + 10, 0, 0, LEGS - 10) &&
		   legs_have(w, 0, 0, LEGS - 9, LEGS),
	   "legs keep their counts by id, whatever their place");
}

static void test_fan_restart(struct world *w)
{
	struct tandem_fan *fan = make_fan(11, LEGS);
	char why[256] = "";

	tandem_kmod_ops.close(w->dp, true);
	send_rtp(w, 5);
	if (tandem_kmod_ops.open(&w->dp, &w->cfg, why, sizeof(why)))
		die(why);
	ok(legs_have(w, PACKETS + 15, 0, 0, LEGS - 10) && legs_have(w, 5, 0, LEGS - 9, LEGS),
	   "fans are taken over by the next relay, with what was counted meanwhile");
	ok(!set_fan(w, fan) && legs_have(w, PACKETS + 15, 0, 0, LEGS - 10),
	   "and are the same to it");
}

static void test_large(struct world *w)
{
	struct tandem_fan *fan = make_fan(1, 2 * TANDEM_MAX_LEGS);
	unsigned long before = received("b", "vb0");

	fan->branch_count = 2;
	fan->branches[0].count = fan->branches[1].count = TANDEM_MAX_LEGS;
	fan->branches[0].flags = 0;
	fan->branches[0].ssrc = SSRC;
	fan->branches[1].first = TANDEM_MAX_LEGS;
	fan->branches[1].flags = BRANCH_F_ANY;
	ok(!set_fan(w, fan), "two branches of 256 legs");
	send_rtp(w, 2);
	ok(received_more("b", "vb0", before, 2 * TANDEM_MAX_LEGS) &&
		   legs_have(w, 2, 0, TANDEM_MAX_LEGS - 40, TANDEM_MAX_LEGS) &&
		   legs_have(w, 0, 0, TANDEM_MAX_LEGS, 2 * TANDEM_MAX_LEGS),
	   "of which the SSRC finds its own");
	ok(set_fan(w, make_fan(1, 1000)) == -EINVAL,
	   "more legs than a branch may have are refused");
}

/* Neighbours and routes change, rules do not. */
static void test_ways(struct world *w)
{
	unsigned long before;

	ok(!set_fan(w, make_fan(1, 4)), "four legs");
	send_rtp(w, 5);
	command("/sbin/ip -n b link set vb0 address 02:00:00:00:02:77");
	command("/sbin/ip neigh flush dev vb1");
	before = received("b", "vb0");
	send_rtp(w, 20);
	ok(received_more("b", "vb0", before, 80), "a neighbour's new address is found");

	command("/sbin/ip route add 10.2.0.2/32 via 10.1.0.2 dev va1");
	before = received("a", "va0");
	send_rtp(w, 20);
	ok(received_more("a", "va0", before, 80), "a new route is followed at once");
	command("/sbin/ip route del 10.2.0.2/32 via 10.1.0.2 dev va1");
	before = received("b", "vb0");
	send_rtp(w, 20);
	ok(received_more("b", "vb0", before, 80), "and so is the way back");
	command("/sbin/ip neigh replace 10.2.0.2 lladdr 02:00:00:00:02:99 dev vb1 nud permanent");
	before = received("b", "vb0");
	send_rtp(w, 5);
	command("/sbin/ip neigh del 10.2.0.2 dev vb1");
	send_rtp(w, 20);
	ok(received_more("b", "vb0", before, 80), "a neighbour that was wrong is put right");
}

/* ---- groups ---- */

static void join(int fd, const char *netns, const char *group, const char *device)
{
	struct tandem_endpoint ep = at(group, 0);
	struct group_req req;

	enter(netns);
	memset(&req, 0, sizeof(req));
	req.gr_interface = if_nametoindex(device);
	tandem_endpoint_to_sockaddr(&ep, &req.gr_group);
	if (setsockopt(fd, req.gr_group.ss_family == AF_INET ? SOL_IP : SOL_IPV6, MCAST_JOIN_GROUP,
		       &req, sizeof(req)))
		die(group);
	enter("relay");
}

/* A socket in a namespace that sends to groups by this device. */
static int group_sender(const char *netns, const char *ip, uint16_t port, const char *device)
{
	int fd = udp_socket(netns, ip, port), index;

	enter(netns);
	index = (int)if_nametoindex(device);
	enter("relay");
	if (strchr(ip, ':') ? setsockopt(fd, SOL_IPV6, IPV6_MULTICAST_IF, &index, sizeof(index))
			    : setsockopt(fd, SOL_IP, IP_MULTICAST_IF,
					 &(struct ip_mreqn){ .imr_ifindex = index },
					 sizeof(struct ip_mreqn)))
		die("multicast interface");
	return fd;
}

/* The TTL or hop limit that the next packet came with; 0: none came. */
static int receive_ttl(int fd, bool v6)
{
	char data[PACKET_SIZE], control[128];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct cmsghdr *c;
	int ttl = 0;

	if (poll(&p, 1, RECEIVE_MS) != 1 || recvmsg(fd, &msg, 0) != RTP_SIZE)
		return 0;
	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_type == (v6 ? IPV6_HOPLIMIT : IP_TTL))
			memcpy(&ttl, CMSG_DATA(c), sizeof(ttl));
	}
	return ttl;
}

struct group_case {
	const char *family, *in, *out, *source, *from;
	uint16_t source_port; /* that the rule names */
	bool any_source;
};

/* From a group that the relay has joined, to another one that it has joined too. */
static void test_group(struct world *w, const struct group_case *g)
{
	struct tandem_flow_spec spec = flow_spec(100, at(g->source, g->source_port),
						 at(g->in, 20010), at(g->from, PORT_OUT),
						 at(g->out, 5004));
	int sender = group_sender("a", g->source, 4100, "va0"), on = 1;
	int member = udp_socket("relay", g->in, 20010), back = udp_socket("relay", g->out, 5004);
	int heard = udp_socket("b", g->out, 5004);
	unsigned char in[RTP_SIZE];
	bool v6 = strchr(g->out, ':');
	struct received r;
	char name[96];

	if (g->any_source)
		memset(&spec.key.remote, 0, sizeof(spec.key.remote));
	spec.egress[EGRESS_RTP].ttl = 5;
	join(member, "relay", g->in, "va1");
	join(back, "relay", g->out, "vb1");
	join(heard, "b", g->out, "vb0");
	setsockopt(heard, v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_RECVHOPLIMIT : IP_RECVTTL, &on,
		   sizeof(on));
	rtp(in, 1);
	snprintf(name, sizeof(name), "%s: a rule for a group", g->family);
	ok(!change(w->dp, TANDEM_FLOW_SET, &spec), name);
	send_to(sender, g->in, 20010, in, sizeof(in));
	snprintf(name, sizeof(name), "%s: from group to group, with the TTL asked for", g->family);
	ok(receive_ttl(heard, v6) == 5, name);
	snprintf(name, sizeof(name), "%s: once, and not to this host besides", g->family);
	ok(nothing(heard) && nothing(member) && nothing(back), name);
	snprintf(name, sizeof(name), "%s: without the rule its socket has the packet", g->family);
	change(w->dp, TANDEM_FLOW_REMOVE, &spec);
	send_to(sender, g->in, 20010, in, sizeof(in));
	receive(member, RECEIVE_MS, &r);
	ok(r.len == RTP_SIZE && nothing(heard), name);
	close(sender);
	close(member);
	close(back);
	close(heard);
}

static void test_groups(struct world *w)
{
	static const struct group_case cases[] = {
		{ "IPv4, any source", "239.77.0.1", "239.77.0.2", "10.1.0.2", "10.2.0.1", 0, true },
		{ "IPv4, one source", "239.77.0.1", "239.77.0.2", "10.1.0.2", "10.2.0.1", 0,
		  false },
		{ "IPv4, one source and port", "239.77.0.1", "239.77.0.2", "10.1.0.2", "10.2.0.1",
		  4100, false },
		{ "IPv6, one source", "ff15::77:0:1", "ff15::77:0:2", "fd01::2", "fd02::1", 0,
		  false },
		{ "IPv6 to IPv4", "ff15::77:0:1", "239.77.0.2", "fd01::2", "10.2.0.1", 0, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		test_group(w, &cases[i]);
}

static void open_world(struct world *w, bool fresh)
{
	char why[256] = "";

	w->cfg = relay_config();
	w->cfg.fresh = fresh;
	w->a4 = udp_socket("a", "10.1.0.2", 4000);
	if (tandem_kmod_ops.open(&w->dp, &w->cfg, why, sizeof(why)))
		die(why);
	w->cfg.fresh = false;
}

static int call(void)
{
	struct world w = { 0 };

	open_world(&w, true);
	test_fan_out(&w);
	test_lost_leg(&w);
	test_legs_change(&w);
	test_fan_restart(&w);
	test_large(&w);
	test_ways(&w);
	test_groups(&w);
	tandem_kmod_ops.close(w.dp, false);
	free(w.fan);
	return failures ? 1 : 0;
}

static int flood(void)
{
	unsigned long before = received("b", "vb0");
	struct world w = { 0 };
	unsigned char in[RTP_SIZE];
	struct flood f;

	open_world(&w, false);
	ok(!set_fan(&w, make_fan(1, LEGS)), "a flow with fifty egresses");
	tandem_kmod_ops.close(w.dp, true);
	flood_begin(&f, 1000);
	while (flood_goes_on(&f)) {
		rtp(in, w.seq++);
		send_to(w.a4, "10.1.0.1", PORT_IN, in, sizeof(in));
		if (w.seq % LEGS == 0)
			f.got = received("b", "vb0") - before;
	}
	printf("# %lu copies of %u packets came through\n", f.got, w.seq);
	ok(f.flowing, "copies flow before the module goes");
	free(w.fan);
	return failures ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "call") == 0)
		return call();
	if (argc == 2 && strcmp(argv[1], "flood") == 0)
		return flood();
	fprintf(stderr, "usage: fans call | flood\n");
	return 2;
}
