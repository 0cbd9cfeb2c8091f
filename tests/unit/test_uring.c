/* SPDX-License-Identifier: GPL-2.0-only */
/* What the io_uring datapath does with packets; with shared sockets, without, and without multishot receive. */
#include "tests/unit/uring_fixture.h"

static void rtp_in_and_out(void **state)
{
	struct fixture *f = *state;
	struct tandem_flow_spec spec = spec_of(1, "127.0.0.1", BASE, &f->caller, &f->callee);
	unsigned char sent[172], got[2048];
	struct tandem_flow_stats s;
	uint16_t port;

	spec.egress[0].flags |= EGRESS_F_PT | EGRESS_F_SEQ;
	spec.egress[0].seq_offset = 1000;
	spec.egress[0].pt_out[0] = 9;
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
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
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
	ops->dispatch(f->dp, &(struct tandem_event_handlers){ .unknown_source = learn_h }, NULL);
	assert_in_range(learned_count, 1, 50); /* bounded, however many came */
	assert_int_equal(learned.flow_id, 7);
	assert_int_equal(learned.local.port, BASE);
	assert_true(tandem_endpoint_equal(&learned.remote, &f->caller.at));
	assert_int_equal(learned.len, 172);
	assert_int_equal(learned.head_len, sizeof(learned.head));
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

/* To another local port: the counts go along, the entries of its other SSRCs do not stay. */
static void moves(void **state)
{
	struct fixture *f = *state;
	struct tandem_flow_spec spec = spec_of(1, "127.0.0.1", BASE, &f->caller, &f->callee);
	unsigned char buf[2048];
	uint16_t port;

	for (uint16_t i = 0; i < 20; i++) {
		spec.key.local_port = htons((uint16_t)(BASE + 4 * i));
		assert_int_equal(set(f, &spec), 0);
		for (uint32_t ssrc = 1; ssrc <= 10; ssrc++) {
			send_to(&f->caller, "127.0.0.1", (uint16_t)(BASE + 4 * i), buf,
				rtp(buf, i, ssrc));
			assert_int_equal(receive(&f->callee, buf, sizeof(buf), &port), 172);
		}
		assert_int_equal(stats_of(f, 1).flow.packets, 10 * (i + 1));
		assert_int_equal(stats_of(f, 1).stream_count, 10);
	}
	await_counter(f, REASON_stream_table_full, 0);
}

static void refusals(void **state)
{
	struct fixture *f = *state;
	struct tandem_flow_spec spec = spec_of(1, "127.0.0.1", BASE, &f->caller, &f->callee);
	unsigned char byte = 0;

	/* An egress that is not the relay's. */
	spec.key.local_port = htons(BASE + 10);
	assert_int_equal(set(f, &spec), 0);
	spec.egress[0].local_port = htons(80);
	assert_int_equal(set(f, &spec), -EADDRNOTAVAIL);

	/* Nothing is sent, nothing is learned from, what is no RTP. */
	send_to(&f->caller, "127.0.0.1", BASE + 10, &byte, 0);
	send_to(&f->caller, "127.0.0.1", BASE + 10, "\x80\x08", 2);
	await_counter(f, REASON_bad_rtp, 1);
}

static struct phone stranger_on(uint16_t at)
{
	struct phone p = { .at.port = at };
	struct sockaddr_storage ss;
	socklen_t len;

	tandem_ip_parse(&p.at.ip, "127.0.0.1");
	len = tandem_endpoint_to_sockaddr(&p.at, &ss);
	p.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p.fd, (struct sockaddr *)&ss, len), 0);
	return p;
}

/* A port that another program has bound: with a socket for each port it cannot be had. */
static void port_of_another(void **state)
{
	struct fixture *f = *state;
	struct tandem_flow_spec spec = spec_of(1, "127.0.0.1", BASE, &f->caller, &f->callee);
	struct phone stranger = stranger_on(BASE);

	assert_int_equal(set(f, &spec), -EADDRINUSE);
	close(stranger.fd);
	assert_int_equal(set(f, &spec), 0);
}

/* With trunks it is the relay's as long as there is a flow on it, and that port alone. */
static void port_of_another_shared(void **state)
{
	struct fixture *f = *state;
	struct tandem_flow_spec spec = spec_of(1, "127.0.0.1", BASE, &f->caller, &f->callee);
	struct phone on = stranger_on(BASE), beside = stranger_on(BASE + 4);
	unsigned char got[2048];
	uint16_t port;

	for (uint16_t i = 0; i < 3; i++) {
		send_rtp(&f->caller, BASE, i);
		assert_int_equal(receive(&on, got, sizeof(got), &port), 172);
		assert_int_equal(set(f, &spec), 0);
		send_rtp(&f->caller, BASE, i);
		assert_int_equal(receive(&f->callee, got, sizeof(got), &port), 172);
		assert_int_equal(port, BASE + 2);
		send_rtp(&f->caller, BASE + 4, i);
		assert_int_equal(receive(&beside, got, sizeof(got), &port), 172);
		assert_int_equal(removal(f, 1), 0);
	}
	close(on.fd);
	close(beside.fd);
}

/* Flows without number, and not one descriptor; of both families, and in order. */
static void no_descriptors(void **state)
{
	enum { FLOWS = 500, EACH_SENDS = 20 };
	struct fixture *f = *state;
	struct phone six = phone_open("::1");
	int before = open_fds();
	unsigned char got[2048];
	uint16_t port;

	for (uint16_t i = 0; i < FLOWS; i++) {
		struct tandem_flow_spec four = spec_of(
			i + 1U, "127.0.0.1", (uint16_t)(BASE + 4 * i), &f->caller, &f->callee);
		struct tandem_flow_spec other = spec_of(i + 1001U, "::1", (uint16_t)(BASE + 4 * i),
							&six, &six);

		assert_int_equal(set(f, &four), 0);
		assert_int_equal(set(f, &other), 0);
	}
	for (uint16_t i = 0; i < FLOWS; i++) {
		uint16_t at = (uint16_t)(BASE + 4 * i);

		for (uint16_t n = 0; n < EACH_SENDS; n++) {
			send_rtp(&f->caller, at, n);
			send_to(&six, "::1", at, got, rtp(got, n, 0x1234));
		}
		for (uint16_t n = 0; n < EACH_SENDS; n++) {
			assert_int_equal(receive(&f->callee, got, sizeof(got), &port), 172);
			assert_int_equal(port, at + 2);
			assert_int_equal(got[2] << 8 | got[3], n);
			assert_int_equal(receive(&six, got, sizeof(got), &port), 172);
			assert_int_equal(port, at + 2);
			assert_int_equal(got[2] << 8 | got[3], n);
		}
	}
	assert_int_equal(open_fds(), before);
	close(six.fd);
}

/* Checksums are the relay's own here: a wrong one, and the kernel would drop the datagram. */
static void each_length(void **state)
{
	struct fixture *f = *state;
	struct tandem_flow_spec spec = spec_of(1, "127.0.0.1", BASE, &f->caller, &f->callee);
	unsigned char sent[1500], got[2048];
	uint16_t port;

	assert_int_equal(set(f, &spec), 0);
	for (size_t len = 172; len <= sizeof(sent); len++) {
		rtp(sent, (uint16_t)len, 0x1234);
		for (size_t i = 12; i < len; i++)
			sent[i] = (unsigned char)(i * len);
		send_to(&f->caller, "127.0.0.1", BASE, sent, len);
		assert_int_equal(receive(&f->callee, got, sizeof(got), &port), len);
		assert_memory_equal(got, sent, len);
	}
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

static void wrong_configuration(void **state)
{
	struct tandem_datapath_config cfg = config();
	struct tandem_probe probe;
	struct tandem_datapath *dp;
	char why[256] = "";
	(void)state;

	cfg.flow_capacity = 5;
	assert_int_equal(ops->open(&dp, &cfg, why, sizeof(why)), -EINVAL);
	assert_true(why[0] != '\0');
	assert_int_equal(ops->probe(&cfg, &probe), 0);
	assert_true(probe.usable);
	print_message("%s\n", probe.detail);
}

int main(void)
{
#define IN(test, how)                                                                              \
	{                                                                                          \
#test " " #how, test, setup##how, teardown, NULL                                   \
	}
#define EACH(test) IN(test, ), IN(test, _sockets), IN(test, _single)
	const struct CMUnitTest tests[] = {
		EACH(rtp_in_and_out),
		EACH(other_family),
		EACH(dscp),
		EACH(unknown_source_dropped),
		EACH(learning),
		EACH(shared_port),
		EACH(many_streams),
		EACH(moves),
		EACH(refusals),
		IN(port_of_another, _sockets),
		IN(port_of_another, _single),
		IN(port_of_another_shared, ),
		IN(no_descriptors, ),
		EACH(each_length),
		EACH(port_comes_back),
		cmocka_unit_test(wrong_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
