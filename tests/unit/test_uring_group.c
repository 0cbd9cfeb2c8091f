/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Multicast groups in and out of the io_uring datapath, by a device of our own. What is
 * beyond it, the sources and listeners, is in a namespace of its own:
 *
 *   192.0.2.2, .3   2001:db8::2, ::3                    192.0.2.1  2001:db8::1
 *   sources, listeners --- tu-b ------------------ tu-a --- [ relay ] --- lo --- phones
 */
#include "tests/unit/uring_fixture.h"

#include <fcntl.h>
#include <net/if.h>

#define GROUP_PORT 5004
#define OUT_PORT   5006

struct family {
	const char *asm_group, *ssm_group, *sources[2], *local;
};

static const struct family families[2] = {
	{ "239.1.2.3", "232.1.2.3", { "192.0.2.2", "192.0.2.3" }, "192.0.2.1" },
	{ "ff15::1234", "ff35::8000:1", { "2001:db8::2", "2001:db8::3" }, "2001:db8::1" },
};

static int relay_ns, beyond_ns;
static uint32_t near, far; /* ifindex of tu-a, tu-b */

static void enter(int ns)
{
	assert_int_equal(setns(ns, CLONE_NEWNET), 0);
}

static bool run(const char *command)
{
	if (system(command) == 0)
		return true;
	print_error("failed: %s\n", command);
	return false;
}

/* A device that has just been set up takes part in multicast a little later. */
#define READY                                                                                      \
	"for i in $(seq 50); do ip -6 route show table local | grep -q '^multicast' && exit; "     \
	"sleep 0.1; done; exit 1"

/* The drawing above. False where namespaces are forbidden. */
static bool networks(void)
{
	char command[128];
	bool done;

	if (unshare(CLONE_NEWNET))
		return false;
	beyond_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	done = run("ip link set lo up && echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad");
	if (!own_network())
		return false;
	relay_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	snprintf(command, sizeof(command),
		 "ip link add tu-a type veth peer name tu-b netns /proc/%d/fd/%d", getpid(),
		 beyond_ns);
	done = done && run("echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad") && run(command) &&
	       run("ip addr add 192.0.2.1/24 dev tu-a") &&
	       run("ip addr add 2001:db8::1/64 dev tu-a nodad") && run("ip link set tu-a up");
	near = if_nametoindex("tu-a");
	enter(beyond_ns);
	done = done && run("ip addr add 192.0.2.2/24 dev tu-b") &&
	       run("ip addr add 192.0.2.3/24 dev tu-b") &&
	       run("ip addr add 192.0.2.4/24 dev tu-b") &&
	       run("ip addr add 2001:db8::2/64 dev tu-b nodad") &&
	       run("ip addr add 2001:db8::3/64 dev tu-b nodad") && run("ip link set tu-b up");
	far = if_nametoindex("tu-b");
	done = done && run(READY);
	enter(relay_ns);
	return done && run(READY);
}

static int setup_groups(void **state, unsigned int without)
{
	struct tandem_datapath_config cfg = config();
	struct fixture *f = calloc(1, sizeof(*f));
	char why[256] = "";

	f->fds_before = open_fds();
	cfg.locals_count = 3;
	cfg.flow_capacity = 3 * PORTS + 600;
	tandem_ip_parse(&cfg.locals[1].ip, families[0].local);
	tandem_ip_parse(&cfg.locals[2].ip, families[1].local);
	if (tandem_uring_open(&f->dp, &cfg, without, why, sizeof(why)))
		return -1;
	f->caller = phone_open("127.0.0.1");
	f->callee = phone_open("127.0.0.1");
	*state = f;
	return 0;
}

static int setup_in(void **state)
{
	return setup_groups(state, 0);
}

static int setup_in_sockets(void **state)
{
	return setup_groups(state, URING_WITHOUT_TRUNKS);
}

static int setup_in_single(void **state)
{
	return setup_groups(state, URING_WITHOUT_MULTISHOT);
}

/* A socket beyond, that sends to groups by tu-b. */
static struct phone source_open(const char *ip)
{
	struct ip_mreqn by = { .imr_ifindex = (int)far };
	struct phone p;
	int err;

	enter(beyond_ns);
	p = phone_open(ip);
	if (tandem_ip_is_v4(&p.at.ip))
		err = setsockopt(p.fd, IPPROTO_IP, IP_MULTICAST_IF, &by, sizeof(by));
	else
		err = setsockopt(p.fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &far, sizeof(far));
	enter(relay_ns);
	assert_int_equal(err, 0);
	return p;
}

static void source_send(const struct phone *p, const char *group, uint16_t seq)
{
	unsigned char buf[172];

	send_to(p, group, GROUP_PORT, buf, rtp(buf, seq, 0x1234));
}

/* A flow from a group to the callee; source NULL: from any; source_port 0: likewise. */
static struct tandem_flow_spec group_spec(struct fixture *f, uint64_t id, const char *group,
					  const char *source)
{
	struct phone from = { .at.port = 0 };
	struct tandem_flow_spec s;

	tandem_ip_parse(&from.at.ip, source ? source : "::");
	s = spec_of(id, group, GROUP_PORT, &from, &f->callee);
	s.egress[EGRESS_RTP].local_port = htons((uint16_t)(BASE + 2 * id));
	s.group_ifindex = near;
	return s;
}

static int expect_seq(const struct phone *p, uint16_t *port)
{
	unsigned char got[2048];

	return receive(p, got, sizeof(got), port) == 172 ? got[2] << 8 | got[3] : -1;
}

static void expect_nothing(const struct phone *p)
{
	struct pollfd pfd = { .fd = p->fd, .events = POLLIN };

	assert_int_equal(poll(&pfd, 1, 0), 0);
}

/* ---- in ---- */

static void any_source(void **state)
{
	struct fixture *f = *state;
	uint16_t port;

	for (uint64_t i = 0; i < 2; i++) {
		const struct family *fam = &families[i];
		struct tandem_flow_spec spec = group_spec(f, 1 + i, fam->asm_group, NULL);

		assert_int_equal(set(f, &spec), 0);
		for (int k = 0; k < 2; k++) {
			struct phone from = source_open(fam->sources[k]);

			source_send(&from, fam->asm_group, (uint16_t)(7 + k));
			assert_int_equal(expect_seq(&f->callee, &port), 7 + k);
			assert_int_equal(port, BASE + 2 * (1 + i));
			close(from.fd);
		}
		assert_int_equal(stats_of(f, 1 + i).flow.packets, 2);
	}
}

/* What comes from another source does not even reach the relay. */
static void one_source(void **state)
{
	struct fixture *f = *state;
	uint16_t port;

	for (uint64_t i = 0; i < 2; i++) {
		const struct family *fam = &families[i];
		struct tandem_flow_spec spec = group_spec(f, 1 + i, fam->ssm_group,
							  fam->sources[0]);
		struct phone right = source_open(fam->sources[0]);
		struct phone wrong = source_open(fam->sources[1]);

		assert_int_equal(set(f, &spec), 0);
		for (uint16_t seq = 0; seq < 20; seq++) {
			source_send(&wrong, fam->ssm_group, (uint16_t)(100 + seq));
			source_send(&right, fam->ssm_group, seq);
			assert_int_equal(expect_seq(&f->callee, &port), seq);
		}
		expect_nothing(&f->callee);
		assert_int_equal(counter(f, REASON_not_local), i);

		/* From one port of the source only: that is for the core to see to. */
		spec.key.remote_port = htons(wrong.at.port);
		assert_int_equal(set(f, &spec), 0);
		source_send(&right, fam->ssm_group, 200);
		await_counter(f, REASON_not_local, i + 1);
		spec.key.remote_port = htons(right.at.port);
		assert_int_equal(set(f, &spec), 0);
		source_send(&right, fam->ssm_group, 201);
		assert_int_equal(expect_seq(&f->callee, &port), 201);
		assert_int_equal(removal(f, 1 + i), 0);
		source_send(&right, fam->ssm_group, 202);
		expect_nothing(&f->callee);
		close(right.fd);
		close(wrong.fd);
	}
}

/* Number of sources in the kernel's filter of IPv4 groups that are (not) included. */
static int filter_count(bool included)
{
	FILE *file = fopen("/proc/net/mcfilter", "r");
	char line[256];
	int n = 0;

	while (fgets(line, sizeof(line), file)) {
		unsigned int in, ex;

		if (sscanf(line, "%*d %*s 0xe8%*x 0x%*x %u %u", &in, &ex) == 2)
			n += included ? in > 0 : ex > 0;
	}
	fclose(file);
	return n;
}

/* Is the group 232.1.2.3 joined? */
static bool joined(void)
{
	FILE *file = fopen("/proc/net/igmp", "r");
	char line[256];
	bool found = false;

	while (fgets(line, sizeof(line), file))
		found |= strstr(line, "030201E8") != NULL;
	fclose(file);
	return found;
}

/* Flows of one group and port share a socket, which hears what any of them wants. */
static void shared_socket(void **state)
{
	struct fixture *f = *state;
	const struct family *fam = &families[0];
	struct phone from[2] = { source_open(fam->sources[0]), source_open(fam->sources[1]) };
	struct tandem_flow_spec a = group_spec(f, 1, fam->ssm_group, fam->sources[0]);
	struct tandem_flow_spec b = group_spec(f, 2, fam->ssm_group, fam->sources[1]);
	struct tandem_flow_spec any = group_spec(f, 3, fam->ssm_group, NULL);
	struct phone third;
	uint16_t port;
	int before;

	third = source_open("192.0.2.4");
	before = open_fds();
	assert_int_equal(set(f, &a), 0);
	assert_int_equal(set(f, &b), 0);
	assert_int_equal(open_fds(),
			 before + (f->dp->trunked ? 1 : 3)); /* the group's, two egresses' */
	assert_int_equal(filter_count(true), 2);
	for (uint16_t k = 0; k < 2; k++) {
		source_send(&from[k], fam->ssm_group, k);
		assert_int_equal(expect_seq(&f->callee, &port), k);
		assert_int_equal(port, BASE + 2 * (k + 1));
	}
	assert_int_equal(set(f, &any), 0);
	assert_int_equal(filter_count(true), 0);
	source_send(&third, fam->ssm_group, 9);
	assert_int_equal(expect_seq(&f->callee, &port), 9);
	assert_int_equal(port, BASE + 6);
	source_send(&from[1], fam->ssm_group, 10);
	assert_int_equal(expect_seq(&f->callee, &port), 10);
	assert_int_equal(port, BASE + 4);

	assert_int_equal(removal(f, 3), 0);
	assert_int_equal(filter_count(true), 2);
	source_send(&third, fam->ssm_group, 11);
	assert_int_equal(removal(f, 1), 0);
	assert_int_equal(filter_count(true), 1);
	source_send(&from[0], fam->ssm_group, 12);
	source_send(&from[1], fam->ssm_group, 13);
	assert_int_equal(expect_seq(&f->callee, &port), 13);
	assert_true(joined());
	assert_int_equal(removal(f, 2), 0);
	assert_false(joined());
	for (int i = 0; i < WAIT_MS && open_fds() != before; i++) {
		const struct timespec pause = { .tv_nsec = 1000000 };

		nanosleep(&pause, NULL);
	}
	assert_int_equal(open_fds(), before);
	close(from[0].fd);
	close(from[1].fd);
	close(third.fd);
}

/* A flow may change its source, its group, or become one of a port of the relay's. */
static void moves(void **state)
{
	struct fixture *f = *state;
	const struct family *fam = &families[0];
	struct phone from = source_open(fam->sources[1]);
	struct tandem_flow_spec spec = group_spec(f, 1, fam->ssm_group, fam->sources[0]);
	unsigned char buf[172];
	uint16_t port;

	assert_int_equal(set(f, &spec), 0);
	tandem_ip_parse(&spec.key.remote, fam->sources[1]);
	assert_int_equal(set(f, &spec), 0);
	source_send(&from, fam->ssm_group, 1);
	assert_int_equal(expect_seq(&f->callee, &port), 1);
	tandem_ip_parse(&spec.key.local, "232.1.2.4");
	assert_int_equal(set(f, &spec), 0);
	assert_false(joined());
	source_send(&from, "232.1.2.4", 2);
	assert_int_equal(expect_seq(&f->callee, &port), 2);
	spec.key.local_port = htons(BASE);
	spec.key.remote_port = htons(from.at.port);
	tandem_ip_parse(&spec.key.local, fam->local);
	assert_int_equal(set(f, &spec), 0);
	send_to(&from, fam->local, BASE, buf, rtp(buf, 3, 1));
	assert_int_equal(expect_seq(&f->callee, &port), 3);
	assert_int_equal(stats_of(f, 1).flow.packets, 3);
	close(from.fd);
}

/* To the port that an egress is on, and by the interface that the kernel chooses. */
static void any_interface_and_own_port(void **state)
{
	struct fixture *f = *state;
	const struct family *fam = &families[0];
	struct phone from = source_open(fam->sources[0]);
	struct tandem_flow_spec spec = group_spec(f, 1, fam->asm_group, NULL);
	unsigned char buf[172];
	uint16_t port;

	spec.key.local_port = spec.egress[EGRESS_RTP].local_port;
	spec.group_ifindex = 0;
	assert_int_equal(set(f, &spec), -ENODEV);
	assert_int_equal(system("ip route add 239.0.0.0/8 dev tu-a"), 0);
	assert_int_equal(set(f, &spec), 0);
	send_to(&from, fam->asm_group, BASE + 2, buf, rtp(buf, 1, 5));
	assert_int_equal(expect_seq(&f->callee, &port), 1);
	assert_int_equal(port, BASE + 2);
	assert_int_equal(system("ip route del 239.0.0.0/8 dev tu-a"), 0);
	close(from.fd);
}

static void link_local(void **state)
{
	struct fixture *f = *state;
	struct phone from = source_open(families[1].sources[0]);
	struct tandem_flow_spec spec = group_spec(f, 1, "ff12::1:2", NULL);
	uint16_t port;

	assert_int_equal(set(f, &spec), 0);
	source_send(&from, "ff12::1:2", 1);
	assert_int_equal(expect_seq(&f->callee, &port), 1);
	close(from.fd);
}

static void refused(void **state)
{
	struct fixture *f = *state;
	struct tandem_flow_spec spec = group_spec(f, 1, families[0].asm_group, NULL);
	struct phone from = source_open("192.0.2.2");
	int before = open_fds();
	uint64_t id;
	uint16_t port;
	int err = 0;

	spec.group_ifindex = 4711;
	assert_int_equal(set(f, &spec), -ENODEV);
	spec.group_ifindex = near;
	spec.key.local_port = 0;
	assert_true(set(f, &spec) < 0);
	for (int i = 0; i < WAIT_MS && open_fds() != before; i++) {
		const struct timespec pause = { .tv_nsec = 1000000 };

		nanosleep(&pause, NULL);
	}
	assert_int_equal(open_fds(), before);

	/* More sources than the host allows: those that there are go on. */
	for (id = 1; id < 40 && !err; id++) {
		char source[32];

		snprintf(source, sizeof(source), "192.0.2.%u", 1 + (unsigned int)id);
		spec = group_spec(f, id, families[0].ssm_group, source);
		err = set(f, &spec);
	}
	assert_int_equal(err, -ENOBUFS);
	assert_in_range(id, 10, 13);
	source_send(&from, families[0].ssm_group, 1);
	assert_int_equal(expect_seq(&f->callee, &port), 1);
	close(from.fd);
}

/* ---- out ---- */

/* A member of the group, beyond. */
static struct phone listener_open(const char *group)
{
	struct phone p = { .at.port = OUT_PORT };
	struct group_req req = { .gr_interface = far };
	struct sockaddr_storage ss;
	socklen_t len;
	int err;

	tandem_ip_parse(&p.at.ip, group);
	len = tandem_endpoint_to_sockaddr(&p.at, &ss);
	enter(beyond_ns);
	p.fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	err = bind(p.fd, (struct sockaddr *)&ss, len);
	tandem_endpoint_to_sockaddr(&p.at, &req.gr_group);
	if (!err)
		err = setsockopt(p.fd, ss.ss_family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
				 MCAST_JOIN_GROUP, &req, sizeof(req));
	enter(relay_ns);
	assert_int_equal(err, 0);
	return p;
}

/* TTL and TOS that a datagram comes with, of IPv4 or IPv6. */
static void received_with(const struct phone *p, int *ttl, int *tos)
{
	_Alignas(struct cmsghdr) unsigned char control[256];
	unsigned char buf[256];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct pollfd pfd = { .fd = p->fd, .events = POLLIN };

	*ttl = *tos = -1;
	assert_int_equal(poll(&pfd, 1, WAIT_MS), 1);
	assert_true(recvmsg(p->fd, &msg, 0) > 0);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS)
			*tos = *CMSG_DATA(c);
		else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS)
			memcpy(tos, CMSG_DATA(c), sizeof(*tos));
		else
			memcpy(ttl, CMSG_DATA(c), sizeof(*ttl));
	}
}

static void want_control(const struct phone *p)
{
	bool v4 = tandem_ip_is_v4(&p->at.ip);
	int level = v4 ? IPPROTO_IP : IPPROTO_IPV6, one = 1;

	setsockopt(p->fd, level, v4 ? IP_RECVTTL : IPV6_RECVHOPLIMIT, &one, sizeof(one));
	setsockopt(p->fd, level, v4 ? IP_RECVTOS : IPV6_RECVTCLASS, &one, sizeof(one));
}

/* Egresses to groups and to hosts: the hop limit of the rule, else 64; TOS beside it. */
static void hop_limits(void **state)
{
	static const uint8_t limits[] = { 0, 1, 17, 255 };
	struct fixture *f = *state;
	int ttl, tos;

	for (int to = 0; to < 4; to++) {
		const struct family *fam = &families[to % 2];
		struct phone p = to < 2 ? listener_open(fam->asm_group)
					: source_open(fam->sources[0]);

		want_control(&p);
		for (size_t i = 0; i < sizeof(limits); i++) {
			struct tandem_flow_spec spec = spec_of(1, "127.0.0.1", BASE, &f->caller,
							       &p);

			tandem_ip_parse(&spec.egress[0].local, fam->local);
			spec.egress[0].ttl = limits[i];
			spec.egress[0].flags |= i & 1 ? EGRESS_F_DSCP : 0;
			spec.egress[0].dscp = 46;
			assert_int_equal(set(f, &spec), 0);
			send_rtp(&f->caller, BASE, 1);
			received_with(&p, &ttl, &tos);
			assert_int_equal(ttl, limits[i] ? limits[i] : 64);
			assert_int_equal(tos, i & 1 ? 46 << 2 : 0);
		}
		close(p.fd);
	}
}

/* From a group to two groups and a host. */
static void group_to_groups(void **state)
{
	struct fixture *f = *state;
	struct phone from = source_open("192.0.2.2");
	struct phone out[3] = { listener_open("239.9.9.9"), listener_open("ff15::9"),
				source_open("192.0.2.3") };
	struct tandem_fan *fan = fan_alloc(3);
	struct tandem_flow_spec spec = group_spec(f, 1, families[0].ssm_group, "192.0.2.2");
	uint16_t port;

	for (uint32_t i = 0; i < 3; i++)
		tandem_ip_parse(&fan_leg(fan, i, i, BASE + 2, &out[i].at)->local,
				families[i % 2].local);
	spec.egress[EGRESS_RTP].flags = 0;
	spec.fan = fan;
	assert_int_equal(set(f, &spec), 0);
	for (uint16_t seq = 0; seq < 10; seq++) {
		source_send(&from, families[0].ssm_group, seq);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(expect_seq(&out[i], &port), seq);
			assert_int_equal(port, BASE + 2);
		}
	}
	assert_int_equal(leg_of(f, 1, 1).packets, 10);
	assert_int_equal(counter(f, REASON_copies_lost), 0);
	for (int i = 0; i < 3; i++)
		close(out[i].fd);
	close(from.fd);
	free(fan);
}

/* What goes out to a group is not heard by the relay's own socket that is a member there. */
static void not_its_own(void **state)
{
	struct fixture *f = *state;

	for (uint64_t i = 0; i < 2; i++) {
		struct phone out = listener_open(families[i].asm_group);
		struct tandem_flow_spec to = spec_of(1 + i, "127.0.0.1", (uint16_t)(BASE + 50 * i),
						     &f->caller, &out);
		struct tandem_flow_spec from = group_spec(f, 11 + i, families[i].asm_group, NULL);
		uint16_t port;

		tandem_ip_parse(&to.egress[EGRESS_RTP].local, families[i].local);
		from.key.local_port = htons(OUT_PORT);
		assert_int_equal(set(f, &from), 0);
		assert_int_equal(set(f, &to), 0);
		for (uint16_t seq = 0; seq < 50; seq++) {
			send_rtp(&f->caller, (uint16_t)(BASE + 50 * i), seq);
			assert_int_equal(expect_seq(&out, &port), seq);
		}
		assert_int_equal(stats_of(f, 11 + i).flow.packets, 0);
		close(out.fd);
	}
	expect_nothing(&f->callee);
	assert_int_equal(counter(f, REASON_forwarded_rtp), 100);
}

int main(void)
{
#define IN(test, how)                                                                              \
	{                                                                                          \
#test " " #how, test, setup_in##how, teardown, NULL                                \
	}
#define EACH(test) IN(test, ), IN(test, _sockets), IN(test, _single)
	const struct CMUnitTest tests[] = {
		EACH(any_source),
		EACH(one_source),
		EACH(shared_socket),
		EACH(moves),
		EACH(any_interface_and_own_port),
		EACH(link_local),
		EACH(refused),
		EACH(hop_limits),
		EACH(group_to_groups),
		EACH(not_its_own),
	};

	if (!networks()) {
		print_message("1..0 # SKIP groups need network namespaces\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
