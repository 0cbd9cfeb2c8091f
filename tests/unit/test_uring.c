/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The io_uring datapath between sockets on loopback.
 *
 *   caller (any port) --> :BASE [ relay ] :BASE+2 --> callee (any port)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "userspace/datapath/datapath.h"

#define BASE 41000
#define PORTS 2100
#define WAIT_MS 2000

static const struct tandem_datapath_ops *const ops = &tandem_uring_ops;

struct phone {
	int fd;
	struct tandem_endpoint at;
};

struct fixture {
	struct tandem_datapath *dp;
	struct phone caller, callee;
	int fds_before;
};

static int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static struct phone phone_open(const char *ip)
{
	struct phone p = { .at.port = 0 };
	struct sockaddr_storage ss;
	socklen_t len;
	int one = 1;

	assert_int_equal(tandem_ip_parse(&p.at.ip, ip), 0);
	len = tandem_endpoint_to_sockaddr(&p.at, &ss);
	p.fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(p.fd >= 0);
	assert_int_equal(bind(p.fd, (struct sockaddr *)&ss, len), 0);
	assert_int_equal(getsockname(p.fd, (struct sockaddr *)&ss, &len), 0);
	tandem_endpoint_from_sockaddr(&p.at, (struct sockaddr *)&ss);
	setsockopt(p.fd, IPPROTO_IP, IP_RECVTOS, &one, sizeof(one));
	return p;
}

static struct tandem_datapath_config config(void)
{
	struct tandem_datapath_config cfg = { .locals_count = 2,
					      .port_min = BASE,
					      .port_max = BASE + PORTS - 1,
					      .flow_capacity = 2 * PORTS + 600,
					      .stream_capacity = 64 };

	tandem_ip_parse(&cfg.locals[0].ip, "127.0.0.1");
	tandem_ip_parse(&cfg.locals[1].ip, "::1");
	return cfg;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct tandem_datapath_config cfg = config();
	char why[256];

	f->fds_before = open_fds();
	if (ops->open(&f->dp, &cfg, why, sizeof(why))) {
		print_error("%s\n", why);
		return -1;
	}
	f->caller = phone_open("127.0.0.1");
	f->callee = phone_open("127.0.0.1");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int leaked;

	close(f->caller.fd);
	close(f->callee.fd);
	ops->close(f->dp, false);
	leaked = open_fds() - f->fds_before;
	if (leaked)
		print_error("%d descriptors leaked\n", leaked);
	free(f);
	return leaked;
}

/* A flow from remote to the relay's port, and from its port + 2 on to the other phone. */
static struct tandem_flow_spec spec_of(uint64_t id, const char *local, uint16_t port,
				       const struct phone *from, const struct phone *to)
{
	struct tandem_flow_spec s = { .id = id, .media_id = id };

	tandem_ip_parse(&s.key.local, local);
	s.key.local_port = htons(port);
	s.key.remote = from->at.ip;
	s.key.remote_port = htons(from->at.port);
	s.egress[EGRESS_RTP].flags = EGRESS_F_ACTIVE;
	tandem_ip_parse(&s.egress[EGRESS_RTP].local,
			tandem_ip_is_v4(&to->at.ip) ? "127.0.0.1" : "::1");
	s.egress[EGRESS_RTP].local_port = htons((uint16_t)(port + 2));
	s.egress[EGRESS_RTP].remote = to->at.ip;
	s.egress[EGRESS_RTP].remote_port = htons(to->at.port);
	s.pts[0] = (struct pt_map){ .pt = 8, .pt_out = 8, .clock_hz = 8000 };
	return s;
}

static int set(struct fixture *f, const struct tandem_flow_spec *spec)
{
	struct tandem_change c = { .op = TANDEM_FLOW_SET, .spec = *spec, .result = 1 };

	assert_int_equal(ops->apply(f->dp, &c, 1), 0);
	return c.result;
}

static int removal(struct fixture *f, uint64_t id)
{
	struct tandem_change c = { .op = TANDEM_FLOW_REMOVE, .spec.id = id, .result = 1 };

	assert_int_equal(ops->apply(f->dp, &c, 1), 0);
	return c.result;
}

static size_t rtp(unsigned char *buf, uint16_t seq, uint32_t ssrc)
{
	memset(buf, 0xd5, 172);
	buf[0] = 0x80;
	buf[1] = 8;
	buf[2] = (unsigned char)(seq >> 8);
	buf[3] = (unsigned char)seq;
	memset(buf + 4, 0, 4);
	ssrc = htonl(ssrc);
	memcpy(buf + 8, &ssrc, 4);
	return 172;
}

static void send_to(const struct phone *from, const char *ip, uint16_t port, const void *data,
		    size_t len)
{
	struct tandem_endpoint to = { .port = port };
	struct sockaddr_storage ss;
	socklen_t ss_len;

	tandem_ip_parse(&to.ip, ip);
	ss_len = tandem_endpoint_to_sockaddr(&to, &ss);
	assert_int_equal(sendto(from->fd, data, len, 0, (struct sockaddr *)&ss, ss_len), len);
}

static void send_rtp(const struct phone *from, uint16_t port, uint16_t seq)
{
	unsigned char buf[172];

	send_to(from, "127.0.0.1", port, buf, rtp(buf, seq, 0x1234));
}

/* Length of what came within WAIT_MS, or -1. */
static ssize_t receive(const struct phone *p, unsigned char *buf, size_t size, uint16_t *from_port)
{
	struct pollfd pfd = { .fd = p->fd, .events = POLLIN };
	struct sockaddr_storage ss;
	struct tandem_endpoint from;
	socklen_t len = sizeof(ss);
	ssize_t n;

	if (poll(&pfd, 1, WAIT_MS) != 1)
		return -1;
	n = recvfrom(p->fd, buf, size, 0, (struct sockaddr *)&ss, &len);
	tandem_endpoint_from_sockaddr(&from, (struct sockaddr *)&ss);
	*from_port = from.port;
	return n;
}

static struct tandem_flow_stats stats_of(struct fixture *f, uint64_t id)
{
	struct tandem_flow_stats s;

	assert_int_equal(ops->read(f->dp, id, &s), 0);
	return s;
}

/* Wait until the counter of a reason has reached a value. */
static void await_counter(struct fixture *f, enum reason reason, uint64_t value)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	struct reason_counters c;

	for (int i = 0; i < WAIT_MS; i++) {
		ops->counters(f->dp, &c);
		if (c.packets[reason] >= value)
			break;
		nanosleep(&pause, NULL);
	}
	assert_int_equal(c.packets[reason], value);
}

/* ---- tests ---- */

static void rtp_in_and_out(void **state)
{
	struct fixture *f = *state;
	struct tandem_flow_spec spec = spec_of(1, "127.0.0.1", BASE, &f->caller, &f->callee);
	unsigned char sent[172], got[2048];
	struct tandem_flow_stats s;
	uint16_t port;

	spec.egress[0].flags |= EGRESS_F_PT | EGRESS_F_SEQ;
	spec.egress[0].seq_offset = 1000;
	spec.pts[0].pt_out = 9;
	assert_int_equal(set(f, &spec), 0);
	for (uint16_t seq = 0; seq < 100; seq++) {
		send_rtp(&f->caller, BASE, seq);
		assert_int_equal(receive(&f->callee, got, sizeof(got), &port), 172);
		assert_int_equal(port, BASE + 2);
		rtp(sent, (uint16_t)(seq + 1000), 0x1234);
		sent[1] = 9;
		assert_memory_equal(got, sent, 172);
	}
	s = stats_of(f, 1);
	assert_int_equal(s.flow.packets, 100);
	assert_int_equal(s.slow_packets, 100);
	assert_int_equal(s.stream_count, 1);
	assert_int_equal(s.streams[0].ssrc, 0x1234);
	assert_int_equal(s.streams[0].received, 100);
	assert_int_equal(s.streams[0].octets, 16000);
	assert_int_equal(removal(f, 1), 0);
	assert_int_equal(removal(f, 1), -ENOENT);
	assert_int_equal(ops->read(f->dp, 1, &s), -ENOENT);
}

static void other_family(void **state)
{
	struct fixture *f = *state;
	struct phone six = phone_open("::1");
	struct tandem_flow_spec there = spec_of(1, "127.0.0.1", BASE, &f->caller, &six),
				back = spec_of(2, "::1", BASE, &six, &f->caller);
	unsigned char got[2048];
	uint16_t port;

	assert_int_equal(set(f, &there), 0);
	assert_int_equal(set(f, &back), 0);
	send_rtp(&f->caller, BASE, 1);
	assert_int_equal(receive(&six, got, sizeof(got), &port), 172);
	send_to(&six, "::1", BASE, got, 172);
	assert_int_equal(receive(&f->caller, got, sizeof(got), &port), 172);
	assert_int_equal(port, BASE + 2);
	close(six.fd);
}

static int received_tos(const struct phone *p)
{
	_Alignas(struct cmsghdr) unsigned char control[CMSG_SPACE(sizeof(int))];
	unsigned char buf[256];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct pollfd pfd = { .fd = p->fd, .events = POLLIN };

	if (poll(&pfd, 1, WAIT_MS) != 1 || recvmsg(p->fd, &msg, 0) < 0)
		return -1;
	return CMSG_FIRSTHDR(&msg) ? *CMSG_DATA(CMSG_FIRSTHDR(&msg)) : -1;
}

static void dscp(void **state)
{
	struct fixture *f = *state;
	struct tandem_flow_spec spec = spec_of(1, "127.0.0.1", BASE, &f->caller, &f->callee);
	int tos = 0x28;

	/* Kept as it came; then set by the rule. */
	setsockopt(f->caller.fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	assert_int_equal(set(f, &spec), 0);
	send_rtp(&f->caller, BASE, 1);
	assert_int_equal(received_tos(&f->callee), 0x28);
	spec.egress[0].flags |= EGRESS_F_DSCP;
	spec.egress[0].dscp = 46;
	assert_int_equal(set(f, &spec), 0);
	send_rtp(&f->caller, BASE, 2);
	assert_int_equal(received_tos(&f->callee), 46 << 2);
}

static void unknown_source_dropped(void **state)
{
	struct fixture *f = *state;
	struct tandem_flow_spec spec = spec_of(1, "127.0.0.1", BASE, &f->caller, &f->callee);
	struct phone stranger = phone_open("127.0.0.1");
	struct tandem_flow_stats s;

	assert_int_equal(set(f, &spec), 0);
	send_rtp(&stranger, BASE, 1);
	await_counter(f, REASON_unknown_source, 1);
	s = stats_of(f, 1);
	assert_int_equal(s.flow.packets, 0);
	assert_int_equal(s.flow.unknown_source, 1);
	assert_int_equal(s.flow.unknown_port, htons(stranger.at.port));
	close(stranger.fd);
}

static struct tandem_unknown_source learned;
static int learned_count;

static void learn_h(const struct tandem_unknown_source *src, void *arg)
{
	(void)arg;
	learned = *src;
	learned_count++;
}

static void learning(void **state)
{
	struct fixture *f = *state;
	struct phone nobody = { .at.port = 0 };
	struct tandem_flow_spec spec;
	struct pollfd pfd = { .fd = ops->event_fd(f->dp), .events = POLLIN };
	unsigned char got[2048], sent[172];
	uint16_t port;

	tandem_ip_parse(&nobody.at.ip, "::");
	spec = spec_of(7, "127.0.0.1", BASE, &nobody, &f->callee);
	spec.flags = RULE_F_LEARN;
	assert_int_equal(set(f, &spec), 0);
	assert_int_equal(poll(&pfd, 1, 0), 0);
	for (uint16_t i = 0; i < 500; i++)
		send_rtp(&f->caller, BASE, i);
	assert_int_equal(poll(&pfd, 1, WAIT_MS), 1);
	await_counter(f, REASON_learning, 500);
	learned_count = 0;
	ops->dispatch(f->dp, learn_h, NULL);
	assert_in_range(learned_count, 1, 50); /* bounded, however many came */
	assert_int_equal(learned.flow_id, 7);
	assert_int_equal(learned.local.port, BASE);
	assert_true(tandem_endpoint_equal(&learned.remote, &f->caller.at));
	assert_int_equal(learned.len, 172);
	assert_int_equal(learned.head_len, 32);
	rtp(sent, 0, 0x1234);
	assert_memory_equal(learned.head, sent, 2);
	assert_int_equal(poll(&pfd, 1, 0), 0);

	/* The source is made the flow's own. */
	spec.key.remote = learned.remote.ip;
	spec.key.remote_port = htons(learned.remote.port);
	spec.flags = 0;
	assert_int_equal(set(f, &spec), 0);
	send_rtp(&f->caller, BASE, 1000);
	assert_int_equal(receive(&f->callee, got, sizeof(got), &port), 172);
}

static void shared_port(void **state)
{
	enum { PHONES = 300 };
	struct fixture *f = *state;
	struct phone phones[PHONES];
	unsigned char got[2048];
	uint16_t port;

	for (uint64_t i = 0; i < PHONES; i++) {
		struct tandem_flow_spec spec;

		phones[i] = phone_open("127.0.0.1");
		spec = spec_of(i + 1, "127.0.0.1", BASE, &phones[i], &f->callee);
		assert_int_equal(set(f, &spec), 0);
	}
	assert_int_equal(removal(f, 1), 0); /* the one in the direct slot */
	for (uint16_t i = 1; i < PHONES; i++) {
		send_rtp(&phones[i], BASE, i);
		assert_int_equal(receive(&f->callee, got, sizeof(got), &port), 172);
		assert_int_equal(got[2] << 8 | got[3], i);
		assert_int_equal(stats_of(f, i + 1U).flow.packets, 1);
	}
	send_rtp(&phones[0], BASE, 0);
	await_counter(f, REASON_unknown_source, 1);
	for (int i = 0; i < PHONES; i++)
		close(phones[i].fd);
}

static void many_streams(void **state)
{
	struct fixture *f = *state;
	struct tandem_flow_spec spec = spec_of(1, "127.0.0.1", BASE, &f->caller, &f->callee);
	unsigned char buf[2048];
	struct tandem_flow_stats s;
	uint16_t port;

	assert_int_equal(set(f, &spec), 0);
	for (uint32_t ssrc = 1; ssrc <= 20; ssrc++) {
		send_to(&f->caller, "127.0.0.1", BASE, buf, rtp(buf, 1, ssrc));
		assert_int_equal(receive(&f->callee, buf, sizeof(buf), &port), 172);
	}
	s = stats_of(f, 1);
	assert_int_equal(s.flow.packets, 20);
	assert_int_equal(s.flow.extra_streams, 19);
	assert_int_equal(s.stream_count, TANDEM_MAX_STREAMS);

	/* Entries of a flow that is gone are free for the next. */
	for (uint64_t id = 2; id < 10; id++) {
		assert_int_equal(removal(f, id - 1), 0);
		spec.id = spec.media_id = id;
		assert_int_equal(set(f, &spec), 0);
		for (uint32_t ssrc = 1; ssrc <= 20; ssrc++) {
			send_to(&f->caller, "127.0.0.1", BASE, buf,
				rtp(buf, 1, (uint32_t)id * 100 + ssrc));
			assert_int_equal(receive(&f->callee, buf, sizeof(buf), &port), 172);
		}
		assert_int_equal(stats_of(f, id).flow.extra_streams, 19);
	}
}

static void refusals(void **state)
{
	struct fixture *f = *state;
	struct tandem_flow_spec spec = spec_of(1, "127.0.0.1", BASE, &f->caller, &f->callee);
	struct tandem_endpoint at = { .port = BASE + 10 };
	unsigned char byte = 0;
	struct sockaddr_storage ss;
	socklen_t len;
	int fd;

	/* A port that something else has; an egress that is not the relay's. */
	tandem_ip_parse(&at.ip, "127.0.0.1");
	len = tandem_endpoint_to_sockaddr(&at, &ss);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	spec.key.local_port = htons(BASE + 10);
	assert_int_equal(set(f, &spec), -EADDRINUSE);
	close(fd);
	assert_int_equal(set(f, &spec), 0);
	spec.egress[0].local_port = htons(80);
	assert_int_equal(set(f, &spec), -EADDRNOTAVAIL);

	/* Nothing is sent, nothing is learned from, what is no RTP. */
	send_to(&f->caller, "127.0.0.1", BASE + 10, &byte, 0);
	send_to(&f->caller, "127.0.0.1", BASE + 10, "\x80\x08", 2);
	await_counter(f, REASON_bad_rtp, 1);
}

/* Removed and installed again at once: the port stays usable. */
static void port_comes_back(void **state)
{
	struct fixture *f = *state;
	struct tandem_flow_spec spec = spec_of(1, "127.0.0.1", BASE, &f->caller, &f->callee);
	unsigned char got[2048];
	uint16_t port;

	for (uint64_t id = 1; id <= 200; id++) {
		struct tandem_change both[2] = { { .op = TANDEM_FLOW_REMOVE, .spec.id = id - 1 },
						 { .op = TANDEM_FLOW_SET } };

		spec.id = spec.media_id = id;
		both[1].spec = spec;
		assert_int_equal(ops->apply(f->dp, both, 2), 0);
		assert_int_equal(both[1].result, 0);
		if (id % 2)
			continue;
		send_rtp(&f->caller, BASE, (uint16_t)id);
		assert_int_equal(receive(&f->callee, got, sizeof(got), &port), 172);
		assert_int_equal(got[2] << 8 | got[3], id);
	}
}

static void count_h(const struct tandem_flow_spec *spec, void *arg)
{
	(void)spec;
	++*(int *)arg;
}

struct traffic {
	struct fixture *f;
	bool stop;
	uint64_t sent;
};

static void *traffic_thread(void *arg)
{
	struct traffic *t = arg;

	while (!__atomic_load_n(&t->stop, __ATOMIC_RELAXED)) {
		for (uint16_t i = 0; i < 64; i++)
			send_rtp(&t->f->caller, (uint16_t)(BASE + 4 * ((t->sent + i) % 500)),
				 (uint16_t)t->sent);
		t->sent += 64;
	}
	return NULL;
}

static double seconds(const struct timespec *from)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - from->tv_sec) + (double)(now.tv_nsec - from->tv_nsec) / 1e9;
}

static void flows_under_traffic(void **state)
{
	enum { FLOWS = 500, ROUNDS = 4 };
	struct fixture *f = *state;
	struct traffic t = { .f = f };
	struct timespec from;
	pthread_t thread;
	int listed = 0;

	assert_int_equal(pthread_create(&thread, NULL, traffic_thread, &t), 0);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (uint64_t round = 0; round < ROUNDS; round++) {
		for (uint64_t i = 0; i < FLOWS; i++) {
			struct tandem_flow_spec spec =
				spec_of(round * FLOWS + i + 1, "127.0.0.1",
					(uint16_t)(BASE + 4 * i), &f->caller, &f->callee);

			assert_int_equal(set(f, &spec), 0);
		}
		if (round == 0) {
			assert_int_equal(ops->list(f->dp, count_h, &listed), 0);
			assert_int_equal(listed, FLOWS);
		}
		for (uint64_t i = 0; i < FLOWS; i++)
			assert_int_equal(removal(f, round * FLOWS + i + 1), 0);
	}
	print_message("%d flows set and removed under traffic: %.1f us each\n", FLOWS * ROUNDS,
		      seconds(&from) * 1e6 / (FLOWS * ROUNDS));
	__atomic_store_n(&t.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	listed = 0;
	assert_int_equal(ops->list(f->dp, count_h, &listed), 0);
	assert_int_equal(listed, 0);
}

/* More at once than there are buffers: they are lost to the socket's buffer at worst. */
static void flood(void **state)
{
	enum { PACKETS = 200000 };
	struct fixture *f = *state;
	struct tandem_flow_spec spec = spec_of(1, "127.0.0.1", BASE, &f->caller, &f->callee);
	struct reason_counters c;
	struct timespec from;
	unsigned char got[2048];
	uint16_t port;
	uint64_t failed;

	assert_int_equal(set(f, &spec), 0);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (uint32_t i = 0; i < PACKETS; i++)
		send_rtp(&f->caller, BASE, (uint16_t)i);
	ops->counters(f->dp, &c);
	print_message("relayed %llu of %u in %.2f s\n",
		      (unsigned long long)c.packets[REASON_forwarded_rtp], PACKETS, seconds(&from));
	failed = c.packets[REASON_send_failed];
	assert_int_equal(failed, 0);

	/* And it still relays. */
	for (;;) {
		struct pollfd pfd = { .fd = f->callee.fd, .events = POLLIN };

		if (poll(&pfd, 1, 200) == 0)
			break;
		recv(f->callee.fd, got, sizeof(got), 0);
	}
	for (uint16_t i = 0; i < 2000; i++) {
		send_rtp(&f->caller, BASE, i);
		assert_int_equal(receive(&f->callee, got, sizeof(got), &port), 172);
	}
}

static void wrong_configuration(void **state)
{
	struct tandem_datapath_config cfg = config();
	struct tandem_probe probe;
	struct tandem_datapath *dp;
	char why[256];
	(void)state;

	cfg.flow_capacity = 5;
	assert_int_equal(ops->open(&dp, &cfg, why, sizeof(why)), -EINVAL);
	assert_true(why[0] != '\0');
	assert_int_equal(ops->open(&dp, &cfg, NULL, 0), -EINVAL);
	assert_int_equal(ops->probe(&cfg, &probe), 0);
	assert_true(probe.usable);
	print_message("%s\n", probe.detail);
}

/* A million flows' worth of capacity costs address space only. */
static void capacity_costs_nothing(void **state)
{
	struct tandem_datapath_config cfg = config();
	struct tandem_datapath *dp;
	long before, after, unused;
	FILE *file;
	(void)state;

	cfg.flow_capacity = 4000000;
	cfg.stream_capacity = 1000000;
	file = fopen("/proc/self/statm", "r");
	assert_int_equal(fscanf(file, "%ld %ld", &unused, &before), 2);
	fclose(file);
	assert_int_equal(ops->open(&dp, &cfg, NULL, 0), 0);
	file = fopen("/proc/self/statm", "r");
	assert_int_equal(fscanf(file, "%ld %ld", &unused, &after), 2);
	fclose(file);
	print_message("4,000,000 flows of capacity: %ld kB resident\n", (after - before) * 4);
	assert_true((after - before) * 4 < 32768);
	ops->close(dp, true);
}

int main(void)
{
#define UNDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		UNDER(rtp_in_and_out),
		UNDER(other_family),
		UNDER(dscp),
		UNDER(unknown_source_dropped),
		UNDER(learning),
		UNDER(shared_port),
		UNDER(many_streams),
		UNDER(refusals),
		UNDER(port_comes_back),
		UNDER(flows_under_traffic),
		UNDER(flood),
		cmocka_unit_test(wrong_configuration),
		cmocka_unit_test(capacity_costs_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
