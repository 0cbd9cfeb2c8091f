/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SRTP in the XDP datapath, on real devices: what the caller sends in the clear reaches the callee
 * protected, and what the callee sends back the same way arrives as it began.
 */
#include "tests/bpf/xdp_hosts.h"

#include "core/srtp_abi.h"
#include "userspace/datapath/srtp_sets.h"

#define CLEAR  172
#define SEALED (CLEAR + 10)
#define SETS   8

/* Both ways with the same keys, under ids that never meet. */
static const struct tandem_srtp keys_out = {
	.id = 11,
	.suite = SRTP_AES_CM_128_HMAC_SHA1_80,
	.key = { 0xe1, 0xf9, 0x7a, 0x0d, 0x3e, 0x01, 0x8b, 0xe0 },
	.salt = { 0x0e, 0xc6, 0x75 },
	.streams = 2,
};
static struct tandem_srtp keys_in;

static struct tandem_flow_spec spec_there(void)
{
	struct tandem_flow_spec s = spec_of(1, BASE, 5004);

	s.srtp_out = &keys_out;
	return s;
}

static struct tandem_flow_spec spec_back(void)
{
	struct tandem_flow_spec s = spec_of(2, BASE, 5004);
	struct tandem_egress *eg = &s.egress[EGRESS_RTP];

	s.key.local = eg->local;
	s.key.local_port = eg->local_port;
	s.key.remote = eg->remote;
	s.key.remote_port = eg->remote_port;
	tandem_ip_parse(&eg->local, "10.78.1.1");
	eg->local_port = htons(BASE);
	tandem_ip_parse(&eg->remote, "10.78.1.2");
	eg->remote_port = htons(5004);
	keys_in = keys_out;
	keys_in.id = 12;
	s.srtp_in = &keys_in;
	return s;
}

static struct tandem_datapath *secured_open(struct tandem_srtp_sets **sets)
{
	struct tandem_datapath_config cfg = config();

	assert_int_equal(tandem_srtp_sets_alloc(sets, SETS), 0);
	cfg.srtp = *sets;
	return relay_open(&cfg);
}

static void secured_close(struct tandem_datapath *dp, struct tandem_srtp_sets *sets, bool keep)
{
	ops->close(dp, keep);
	tandem_srtp_sets_free(sets);
}

static void both_set(struct tandem_datapath *dp)
{
	struct tandem_flow_spec there = spec_there(), back = spec_back();

	assert_int_equal(set(dp, &there), 0);
	assert_int_equal(set(dp, &back), 0);
}

/* Bytes that have arrived at a socket; -1: none have, for so long. */
static ssize_t arrived(int fd, unsigned char *buf, size_t size, int wait_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, wait_ms) == 1 ? recv(fd, buf, size, 0) : -1;
}

static void send_bytes(int fd, const char *ip, uint16_t port, const unsigned char *buf, size_t len)
{
	struct tandem_endpoint to = { .port = port };
	struct sockaddr_storage ss;
	socklen_t ss_len;

	tandem_ip_parse(&to.ip, ip);
	ss_len = tandem_endpoint_to_sockaddr(&to, &ss);
	assert_int_equal(sendto(fd, buf, len, 0, (struct sockaddr *)&ss, ss_len), len);
}

static void send_back(const unsigned char *buf, size_t len)
{
	send_bytes(net.callee_fd, "10.78.2.1", BASE + 2, buf, len);
}

/* Returns with what the callee got in sealed. */
static void there_and_back(uint16_t seq, unsigned char *sealed)
{
	unsigned char clear[CLEAR] = { 0x80, 8, (unsigned char)(seq >> 8), (unsigned char)seq };
	unsigned char got[2 * SEALED];

	clear[11] = 1;
	send_rtp(net.caller_fd, BASE, seq, 1);
	assert_int_equal(arrived(net.callee_fd, sealed, 2 * SEALED, WAIT_MS), SEALED);
	assert_memory_equal(sealed, clear, 12);
	assert_memory_not_equal(sealed + 12, clear + 12, CLEAR - 12);
	send_back(sealed, SEALED);
	assert_int_equal(arrived(net.caller_fd, got, sizeof(got), WAIT_MS), CLEAR);
	assert_memory_equal(got, clear, CLEAR);
}

static void both_ways(void **state)
{
	struct tandem_srtp_sets *sets;
	struct tandem_datapath *dp = secured_open(&sets);
	unsigned char sealed[2 * SEALED];
	(void)state;

	both_set(dp);
	for (uint16_t seq = 1; seq <= 50; seq++)
		there_and_back(seq, sealed);
	assert_int_equal(counter(dp, REASON_forwarded_rtp), 100);
	assert_int_equal(counter(dp, REASON_srtp_suite), 0);

	send_back(sealed, SEALED); /* once more */
	assert_int_equal(arrived(net.caller_fd, sealed, sizeof(sealed), 100), -1);
	assert_int_equal(counter(dp, REASON_srtp_replay), 1);
	sealed[3] += 1; /* as if it were the next */
	send_back(sealed, SEALED);
	assert_int_equal(arrived(net.caller_fd, sealed, sizeof(sealed), 100), -1);
	assert_int_equal(counter(dp, REASON_srtp_auth), 1);
	secured_close(dp, sets, false);
}

/* The buffers of veth end with the frame, or somewhat behind it: packets have room anyway. */
static void every_length(void **state)
{
	struct tandem_srtp_sets *sets;
	struct tandem_datapath *dp = secured_open(&sets);
	unsigned char clear[1400] = { 0x80, 8 }, got[1500];
	uint16_t seq = 0;
	(void)state;

	both_set(dp);
	for (size_t i = 12; i < sizeof(clear); i++)
		clear[i] = (unsigned char)(i * 7 + i / 256);
	for (size_t len = 13; len < sizeof(clear); len += len < 300 ? 1 : 17) {
		clear[3] = (unsigned char)++seq;
		clear[2] = (unsigned char)(seq >> 8);
		send_bytes(net.caller_fd, "10.78.1.1", BASE, clear, len);
		assert_int_equal(arrived(net.callee_fd, got, sizeof(got), WAIT_MS), len + 10);
		send_back(got, len + 10);
		assert_int_equal(arrived(net.caller_fd, got, sizeof(got), WAIT_MS), len);
		assert_memory_equal(got, clear, len);
	}
	assert_int_equal(counter(dp, REASON_forwarded_rtp), 2 * seq);
	assert_int_equal(counter(dp, REASON_no_headroom), 0);
	secured_close(dp, sets, false);
}

/* Streams that are entered, and how often the sequence numbers of each have begun again. */
static void assert_rocs(const struct tandem_srtp_sets *sets, uint64_t roc)
{
	const struct srtp_stream *streams = *tandem_srtp_sets_streams(sets);
	int n = 0;

	for (int i = 0; i < SETS * TANDEM_SRTP_STREAMS; i++) {
		if (!streams[i].owner)
			continue;
		assert_int_equal(streams[i].top >> 16, roc);
		n++;
	}
	assert_int_equal(n, 2);
}

/* The controller dies: packets go on, and the next one has indices and what has been heard. */
static void state_survives(void **state)
{
	struct tandem_srtp_sets *sets;
	struct tandem_datapath *dp = secured_open(&sets);
	unsigned char old[2 * SEALED], sealed[2 * SEALED];
	(void)state;

	both_set(dp);
	for (uint16_t seq = 65530; seq != 5; seq++)
		there_and_back(seq, sealed);
	assert_rocs(sets, 1);
	secured_close(dp, sets, true);

	for (uint16_t seq = 5; seq < 15; seq++)
		there_and_back(seq, old);

	dp = secured_open(&sets);
	assert_rocs(sets, 1);
	both_set(dp);
	assert_rocs(sets, 1);
	send_back(old, SEALED);
	assert_int_equal(arrived(net.caller_fd, sealed, sizeof(sealed), 100), -1);
	assert_int_equal(counter(dp, REASON_srtp_replay), 1);
	for (uint16_t seq = 15; seq < 25; seq++)
		there_and_back(seq, sealed);
	assert_int_equal(counter(dp, REASON_forwarded_rtp), 2 * (11 + 10 + 10));
	secured_close(dp, sets, false);
}

/* What XDP cannot do it punts, as it came, and says why. */
static void other_suite(void **state)
{
	struct tandem_srtp_sets *sets;
	struct tandem_datapath *dp = secured_open(&sets);
	struct tandem_flow_spec spec = spec_there();
	struct tandem_srtp gcm = keys_out;
	struct tandem_flow_stats s;
	unsigned char got[2 * SEALED];
	int here;
	(void)state;

	gcm.id = 13;
	gcm.suite = SRTP_AEAD_AES_128_GCM;
	spec.srtp_out = &gcm;
	assert_int_equal(set(dp, &spec), 0);
	here = socket_at(net.relay_ns, "10.78.1.1", BASE);
	send_rtp(net.caller_fd, BASE, 1, 1);
	assert_int_equal(arrived(here, got, sizeof(got), WAIT_MS), CLEAR);
	assert_int_equal(counter(dp, REASON_srtp_suite), 1);
	assert_int_equal(ops->read(dp, 1, &s), 0);
	assert_false(s.offloaded);
	assert_string_equal(s.reason, "XDP has not the suite of its SRTP (srtp_suite)");
	close(here);
	secured_close(dp, sets, false);
}

#define HEADERS 42 /* Ethernet, IPv4, UDP */
#define RUNS	20000

/* A frame as the relay gets it; no checksums, which are nobody's business here. */
static void frame_make(unsigned char *f, const char *from, uint16_t from_port, const char *to,
		       uint16_t to_port, uint32_t payload)
{
	const uint16_t ports[] = { htons(from_port), htons(to_port),
				   htons((uint16_t)(payload + 8)) };
	const uint16_t total = htons((uint16_t)(payload + 28));

	memset(f, 0, HEADERS);
	f[12] = 8;
	f[14] = 0x45;
	memcpy(f + 16, &total, sizeof(total));
	f[22] = 64;
	f[23] = IPPROTO_UDP;
	inet_pton(AF_INET, from, f + 26);
	inet_pton(AF_INET, to, f + 30);
	memcpy(f + 34, ports, sizeof(ports));
}

/* ns that the program takes for it; what it makes of the frame is in out. */
static uint32_t run_frame(int prog, const unsigned char *frame, uint32_t len, unsigned char *out,
			  uint32_t room)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = len, .data_out = out,
		    .data_size_out = room, .repeat = 1);

	assert_int_equal(bpf_prog_test_run_opts(prog, &opts), 0);
	assert_int_equal(opts.retval, 4 /* XDP_REDIRECT */);
	return opts.duration;
}

/* For the reader: what a packet of 172 octets takes, RTP to SRTP and back. */
static void speed(void **state)
{
	unsigned char there[HEADERS + SEALED] = { 0 }, back[HEADERS + SEALED], out[2048];
	uint64_t seal_ns = 0, open_ns = 0;
	struct tandem_srtp_sets *sets;
	struct tandem_datapath *dp = secured_open(&sets);
	uint32_t id = 0;
	int prog;
	(void)state;

	both_set(dp);
	there_and_back(1, out); /* neighbours are known then */
	assert_int_equal(bpf_xdp_query_id((int)if_nametoindex("to_a"), 0, &id), 0);
	prog = bpf_prog_get_fd_by_id(id);
	assert_true(prog >= 0);
	frame_make(there, "10.78.1.2", 5004, "10.78.1.1", BASE, CLEAR);
	frame_make(back, "10.78.2.2", 6004, "10.78.2.1", BASE + 2, SEALED);
	there[HEADERS] = 0x80;
	there[HEADERS + 1] = 8;
	there[HEADERS + 11] = 1;
	for (uint16_t seq = 2; seq < RUNS; seq++) {
		there[HEADERS + 2] = (unsigned char)(seq >> 8);
		there[HEADERS + 3] = (unsigned char)seq;
		seal_ns += run_frame(prog, there, HEADERS + CLEAR, out, sizeof(out));
		memcpy(back + HEADERS, out + HEADERS, SEALED);
		open_ns += run_frame(prog, back, sizeof(back), out, sizeof(out));
		assert_memory_equal(out + HEADERS, there + HEADERS, CLEAR);
	}
	print_message("# RTP to SRTP: %u ns, SRTP to RTP: %u ns\n", (uint32_t)(seal_ns / RUNS),
		      (uint32_t)(open_ns / RUNS));
	close(prog);
	secured_close(dp, sets, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),	  cmocka_unit_test(every_length),
		cmocka_unit_test(state_survives), cmocka_unit_test(other_suite),
		cmocka_unit_test(speed),
	};

	if (skipped("test_xdp_secured"))
		return 0;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, hosts_up, hosts_down);
}
