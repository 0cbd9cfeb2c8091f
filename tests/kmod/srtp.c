/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs in the guest, with the module loaded: packets that the module protects go to the other
 * end, come back, and are opened by it; see client.h. That the kernel's ciphers are right is
 * the module's self-test. What is seen of the streams is what the module wrote: they are
 * mapped.
 *
 * Usage: srtp            the module's datapath
 *        srtp xdp        that of XDP, whose programs call the module
 *        srtp without    the module cannot be called: XDP does SRTP itself, and says why
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>

#include "core/genl.h"
#include "core/srtp_suite.h"
#include "tests/kmod/client.h"
#include "userspace/datapath/kmod_client.h"
#include "userspace/datapath/srtp_sets.h"

#define RTP_SIZE  172
#define SSRC	  0x22
#define SETS	  8
#define MEASURED  1500 /* packets, in each of so many */
#define ROUNDS	  4
#define UNDER_WAY 32 /* packets, at most; a socket has room for more */

enum { OUT = 1, BACK };

struct world {
	struct tandem_datapath *dp;
	struct tandem_datapath_config cfg;
	int a, b;	    /* the ends' sockets, IPv4 */
	int a6, b6;	    /* IPv6 */
	uint64_t next_id;   /* of a set */
	uint64_t counts[3]; /* of reasons so far */
};

static const enum reason watched[3] = { REASON_srtp_auth, REASON_srtp_replay,
					REASON_forwarded_rtp };

static const char *const suites[SRTP_SUITES] = {
	[SRTP_NULL_HMAC_SHA1_80] = "no cipher",
	[SRTP_AES_CM_128_HMAC_SHA1_80] = "AES-CM 128, long tag",
	[SRTP_AES_CM_128_HMAC_SHA1_32] = "AES-CM 128, short tag",
	[SRTP_AES_256_CM_HMAC_SHA1_80] = "AES-CM 256, long tag",
	[SRTP_AES_256_CM_HMAC_SHA1_32] = "AES-CM 256, short tag",
	[SRTP_AEAD_AES_128_GCM] = "GCM 128",
	[SRTP_AEAD_AES_256_GCM] = "GCM 256",
};

static void rtp(unsigned char *p, uint16_t seq)
{
	memset(p, 0, RTP_SIZE);
	p[0] = 0x80;
	p[2] = (unsigned char)(seq >> 8);
	p[3] = (unsigned char)seq;
	p[11] = SSRC;
	for (int i = 12; i < RTP_SIZE; i++)
		p[i] = (unsigned char)(i * 3);
}

/* How often a watched reason was counted since the last time. */
static uint64_t counted(struct world *w, enum reason reason)
{
	struct reason_counters c;
	uint64_t n = 0;

	ops->counters(w->dp, &c);
	for (int i = 0; i < 3; i++) {
		if (watched[i] != reason)
			continue;
		n = c.packets[reason] - w->counts[i];
		w->counts[i] = c.packets[reason];
	}
	return n;
}

static struct tandem_srtp key_set(struct world *w, uint8_t suite, uint8_t seed)
{
	struct tandem_srtp set = { .id = ++w->next_id, .suite = suite, .streams = 1 };

	for (size_t i = 0; i < sizeof(set.key); i++)
		set.key[i] = (uint8_t)(seed + i * 5);
	for (size_t i = 0; i < sizeof(set.salt); i++)
		set.salt[i] = (uint8_t)(seed + i * 11);
	return set;
}

/* a to b protected with out; b to a, what is protected with in, or until now with in_old. */
static bool set_flows(struct world *w, const struct tandem_srtp *out, const struct tandem_srtp *in,
		      const struct tandem_srtp *in_old)
{
	struct tandem_flow_spec there = flow_spec(OUT, at("10.1.0.2", 4000), at("10.1.0.1", 20000),
						  at("10.2.0.1", 20002), at("10.2.0.2", 5000));
	struct tandem_flow_spec back = flow_spec(BACK, at("10.2.0.2", 5000), at("10.2.0.1", 20002),
						 at("10.1.0.1", 20000), at("10.1.0.2", 4000));

	there.srtp_out = out;
	back.srtp_in = in;
	back.srtp_in_old = in_old;
	return !change(w->dp, TANDEM_FLOW_SET, &there) && !change(w->dp, TANDEM_FLOW_SET, &back);
}

static void remove_flows(struct world *w)
{
	struct tandem_flow_spec spec = { .id = OUT };

	change(w->dp, TANDEM_FLOW_REMOVE, &spec);
	spec.id = BACK;
	change(w->dp, TANDEM_FLOW_REMOVE, &spec);
}

/* What the module makes of a packet of a's; r is what b gets. */
static bool protect(struct world *w, const unsigned char *in, size_t len, struct received *r)
{
	send_to(w->a, "10.1.0.1", 20000, in, len);
	receive(w->b, RECEIVE_MS, r);
	return r->len > (ssize_t)len && memcmp(r->data, in, len) != 0;
}

static bool comes_back(struct world *w, const struct received *sealed, const unsigned char *clear,
		       size_t len)
{
	struct received r;

	send_to(w->b, "10.2.0.1", 20002, sealed->data, (size_t)sealed->len);
	receive(w->a, RECEIVE_MS, &r);
	return came_as(&r, clear, len, "10.1.0.1", 20000);
}

static void test_suite(struct world *w, uint8_t suite)
{
	const struct tandem_srtp out = key_set(w, suite, suite), in = key_set(w, suite, suite);
	const unsigned char sr[28] = { 0x80, 200, 0, 6, 0, 0, 0, SSRC };
	unsigned char clear[RTP_SIZE];
	struct received sealed, r;
	bool ciphered;

	printf("# %s\n", suites[suite]);
	ok(set_flows(w, &out, &in, NULL), "flows with keys are installed");
	rtp(clear, 7);
	ciphered = protect(w, clear, sizeof(clear), &sealed);
	ok(ciphered == (suite != SRTP_NULL_HMAC_SHA1_80) &&
		   sealed.len == RTP_SIZE + (ssize_t)srtp_tag_len(suite, SRTP_RTP),
	   "RTP leaves protected");
	sealed.data[40] ^= 1;
	send_to(w->b, "10.2.0.1", 20002, sealed.data, (size_t)sealed.len);
	ok(nothing(w->a) && counted(w, REASON_srtp_auth) == 1, "what was changed on its way ends");
	sealed.data[40] ^= 1;
	ok(comes_back(w, &sealed, clear, sizeof(clear)), "it is opened to the byte");
	send_to(w->b, "10.2.0.1", 20002, sealed.data, (size_t)sealed.len);
	ok(nothing(w->a) && counted(w, REASON_srtp_replay) == 1, "and not a second time");

	protect(w, sr, sizeof(sr), &sealed);
	ok(sealed.len == (ssize_t)sizeof(sr) + 4 + (ssize_t)srtp_tag_len(suite, SRTP_RTCP) &&
		   comes_back(w, &sealed, sr, sizeof(sr)),
	   "RTCP there and back");
	send_to(w->b, "10.2.0.1", 20002, clear, sizeof(clear));
	receive(w->a, NOTHING_MS, &r);
	ok(r.len < 0, "what comes in the clear ends");
	counted(w, REASON_srtp_auth);
	counted(w, REASON_srtp_replay);
	remove_flows(w);
}

/* IPv6, from IPv4 with a checksum in the packet, and a packet as long as the MTU lets it be. */
static void test_ways(struct world *w)
{
	const struct tandem_srtp out = key_set(w, SRTP_AES_CM_128_HMAC_SHA1_80, 1);
	struct tandem_flow_spec spec = flow_spec(OUT, at("10.1.0.2", 4000), at("10.1.0.1", 20000),
						 at("fd02::1", 20002), at("fd02::2", 5000));
	int relay = udp_socket("relay", "10.1.0.1", 20000);
	unsigned char clear[1450];
	struct received r;

	memset(clear, 7, sizeof(clear));
	rtp(clear, 1);
	spec.srtp_out = &out;
	ok(!change(w->dp, TANDEM_FLOW_SET, &spec), "a flow to IPv6, with keys");
	send_to(w->a, "10.1.0.1", 20000, clear, RTP_SIZE - 1);
	receive(w->b6, RECEIVE_MS, &r);
	ok(r.len == RTP_SIZE - 1 + 10, "IPv4 to IPv6, odd length: the checksum is right");
	clear[3]++;
	send_to(w->a, "10.1.0.1", 20000, clear, 1500 - 40 - 8 - 10);
	receive(w->b6, RECEIVE_MS, &r);
	ok(r.len == 1500 - 40 - 8, "what fits the MTU exactly with its tag is forwarded");
	clear[3]++;
	send_to(w->a, "10.1.0.1", 20000, clear, 1500 - 40 - 8 - 9);
	receive(relay, RECEIVE_MS, &r);
	ok(r.len == 1500 - 40 - 8 - 9 && !memcmp(r.data, clear, (size_t)r.len),
	   "what does not is punted as it came");
	close(relay);
	remove_flows(w);
}

/* What is opened goes to two legs, one of them by IPv6. */
static void test_fan(struct world *w)
{
	const struct tandem_srtp out = key_set(w, SRTP_AES_256_CM_HMAC_SHA1_80, 1),
				 in = key_set(w, SRTP_AES_256_CM_HMAC_SHA1_80, 1);
	struct tandem_flow_spec back = flow_spec(BACK, at("10.2.0.2", 5000), at("10.2.0.1", 20002),
						 at("10.1.0.1", 20000), at("10.1.0.2", 4000));
	struct tandem_fan *fan = calloc(1, sizeof(*fan) + 2 * sizeof(fan->legs[0]));
	unsigned char clear[RTP_SIZE];
	struct received sealed, r;

	if (!fan)
		die("calloc");
	fan->branch_count = 1;
	fan->branches[0] = (struct branch){ .count = 2, .flags = BRANCH_F_ANY };
	fan->leg_count = 2;
	fan->legs[0].id = 1;
	set_egress(&fan->legs[0].leg.egress, at("10.1.0.1", 20000), at("10.1.0.2", 4000));
	fan->legs[1].id = 2;
	set_egress(&fan->legs[1].leg.egress, at("fd01::1", 20000), at("fd01::2", 4000));
	back.srtp_in = &in;
	back.fan = fan;
	ok(set_flows(w, &out, &in, NULL) && !change(w->dp, TANDEM_FLOW_SET, &back),
	   "a flow with keys, and many egresses");
	rtp(clear, 1);
	protect(w, clear, sizeof(clear), &sealed);
	ok(comes_back(w, &sealed, clear, sizeof(clear)), "one leg has the packet as it was");
	receive(w->a6, RECEIVE_MS, &r);
	ok(came_as(&r, clear, sizeof(clear), "fd01::1", 20000), "and so has the other");
	remove_flows(w);
	free(fan);
}

/* Each leg has keys of its own, of another suite; what leaves by them comes back, and is opened. */
static void test_sealed_legs(struct world *w)
{
	const struct tandem_srtp keys[] = { key_set(w, SRTP_AEAD_AES_256_GCM, 3),
					    key_set(w, SRTP_AES_CM_128_HMAC_SHA1_32, 4) },
				 in = key_set(w, SRTP_AEAD_AES_256_GCM, 3),
				 in_old = key_set(w, SRTP_AES_CM_128_HMAC_SHA1_32, 4);
	struct tandem_flow_spec there = flow_spec(OUT, at("10.1.0.2", 4000), at("10.1.0.1", 20000),
						  at("10.2.0.1", 20002), at("10.2.0.2", 5000));
	struct tandem_fan *fan = calloc(1, sizeof(*fan) + 2 * sizeof(fan->legs[0]));
	unsigned char clear[RTP_SIZE];
	struct received sealed[2];

	if (!fan)
		die("calloc");
	fan->branch_count = 1;
	fan->branches[0] = (struct branch){ .count = 2, .flags = BRANCH_F_ANY };
	fan->leg_count = fan->key_count = 2;
	fan->keys = keys;
	for (uint32_t i = 0; i < 2; i++) {
		fan->legs[i].id = i + 1;
		fan->legs[i].srtp = keys[i].id;
		set_egress(&fan->legs[i].leg.egress, at("10.2.0.1", 20002), at("10.2.0.2", 5000));
	}
	there.fan = fan;
	ok(set_flows(w, NULL, &in, &in_old) && !change(w->dp, TANDEM_FLOW_SET, &there),
	   "a flow with two legs, each with keys");
	rtp(clear, 1);
	protect(w, clear, sizeof(clear), &sealed[0]);
	receive(w->b, RECEIVE_MS, &sealed[1]);
	ok(sealed[0].len == RTP_SIZE + 16 && sealed[1].len == RTP_SIZE + 4,
	   "each copy leaves protected by its own");
	ok(comes_back(w, &sealed[0], clear, sizeof(clear)) &&
		   comes_back(w, &sealed[1], clear, sizeof(clear)),
	   "and both are opened to the byte");
	remove_flows(w);
	free(fan);
}

/* The sequence number wraps; the streams that are mapped tell how far the module is. */
static void test_streams(struct world *w)
{
	const struct tandem_srtp out = key_set(w, SRTP_AEAD_AES_128_GCM, 1),
				 in = key_set(w, SRTP_AEAD_AES_128_GCM, 1);
	const struct srtp_stream *streams = *tandem_srtp_sets_streams(w->cfg.srtp);
	unsigned char clear[RTP_SIZE];
	struct received sealed;
	bool good = true;
	int found = 0;

	ok(set_flows(w, &out, &in, NULL), "flows whose sequence numbers wrap");
	for (uint32_t seq = 65530; seq < 65546; seq++) {
		rtp(clear, (uint16_t)seq);
		good &= protect(w, clear, sizeof(clear), &sealed);
		good &= comes_back(w, &sealed, clear, sizeof(clear));
	}
	ok(good, "both ways across the wrap");
	for (size_t i = 0; i < SETS * TANDEM_SRTP_STREAMS; i++)
		found += streams[i].owner == (SRTP_OWNED | SSRC) && streams[i].top == 65545;
	ok(found == 2, "the relay sees it, for it is the same memory");
}

/* The next relay takes over: indices go on, and what was sent before is still known. */
static void test_takeover(struct world *w)
{
	unsigned char clear[RTP_SIZE];
	struct received sealed;
	char why[256] = "";

	rtp(clear, 10);
	protect(w, clear, sizeof(clear), &sealed);
	ops->close(w->dp, true);
	tandem_srtp_sets_free(w->cfg.srtp);
	ok(!tandem_srtp_sets_alloc(&w->cfg.srtp, SETS) &&
		   !ops->open(&w->dp, &w->cfg, why, sizeof(why)),
	   "a relay takes over flows with keys");
	ok(comes_back(w, &sealed, clear, sizeof(clear)), "they go on");
	send_to(w->b, "10.2.0.1", 20002, sealed.data, (size_t)sealed.len);
	ok(nothing(w->a) && counted(w, REASON_srtp_replay) == 1, "and their replay windows");
	send_to(w->a, "10.1.0.1", 20000, clear, sizeof(clear));
	ok(nothing(w->b), "no index is used twice to protect");
	counted(w, REASON_srtp_replay);
	remove_flows(w);
}

/* Keys change: for a while those before are good too. */
static void test_rekey(struct world *w)
{
	const struct tandem_srtp old_out = key_set(w, SRTP_AES_CM_128_HMAC_SHA1_80, 1),
				 old_in = key_set(w, SRTP_AES_CM_128_HMAC_SHA1_80, 1),
				 new_out = key_set(w, SRTP_AEAD_AES_256_GCM, 2),
				 new_in = key_set(w, SRTP_AEAD_AES_256_GCM, 2);
	unsigned char first[RTP_SIZE], second[RTP_SIZE], third[RTP_SIZE];
	struct received before, late, after;

	ok(set_flows(w, &old_out, &old_in, NULL), "flows whose keys change");
	rtp(first, 1);
	rtp(second, 2);
	rtp(third, 3);
	protect(w, first, sizeof(first), &before);
	protect(w, second, sizeof(second), &late);
	ok(set_flows(w, &new_out, &new_in, &old_in), "new keys beside the old ones");
	protect(w, third, sizeof(third), &after);
	ok(after.len == RTP_SIZE + 16 && comes_back(w, &after, third, sizeof(third)),
	   "what is sent from now on is under the new");
	ok(comes_back(w, &before, first, sizeof(first)), "what was under way is still opened");
	ok(set_flows(w, &new_out, &new_in, NULL), "the old keys go");
	send_to(w->b, "10.2.0.1", 20002, late.data, (size_t)late.len);
	ok(nothing(w->a) && counted(w, REASON_srtp_auth) == 1, "what comes under them ends");
	remove_flows(w);
}

/* Take packets from b until no more than some are under way; false: one does not come. */
static bool drain(struct world *w, unsigned int sent, unsigned int *got, unsigned int under_way)
{
	struct received r;

	while (sent - *got > under_way) {
		receive(w->b, RECEIVE_MS, &r);
		if (r.len < 0)
			return false;
		++*got;
	}
	return true;
}

/* ns that one packet of a's takes, the kernel's way to the other end included; 0: some got lost. */
static uint64_t packet_ns(struct world *w)
{
	struct timespec before, after;
	unsigned char in[RTP_SIZE];
	unsigned int sent, got = 0;
	bool all = true;

	clock_gettime(CLOCK_MONOTONIC, &before);
	for (sent = 0; all && sent < MEASURED; sent++) {
		rtp(in, (uint16_t)sent);
		send_to(w->a, "10.1.0.1", 20000, in, sizeof(in));
		/* veth mostly hands a packet on in the sender's own time */
		all = drain(w, sent + 1, &got, UNDER_WAY);
	}
	all = all && drain(w, sent, &got, 0);
	clock_gettime(CLOCK_MONOTONIC, &after);
	if (!all)
		return 0;
	return ((uint64_t)(after.tv_sec - before.tv_sec) * 1000000000 + (uint64_t)after.tv_nsec -
		(uint64_t)before.tv_nsec) /
	       MEASURED;
}

/*
 * What protection costs beside a plain packet on the same way; the least of some rounds each, for
 * the machine has other things to do. Emulated, so the ratios alone say something, and not much.
 */
static void measure(struct world *w)
{
	uint64_t ns[SRTP_SUITES] = { 0 };
	bool all = true;

	for (int round = 0; round < ROUNDS; round++) {
		for (uint8_t suite = SRTP_SUITE_NONE; suite < SRTP_SUITES; suite++) {
			const struct tandem_srtp out = key_set(w, suite, suite);
			uint64_t took;

			set_flows(w, suite == SRTP_SUITE_NONE ? NULL : &out, NULL, NULL);
			took = packet_ns(w);
			all &= took > 0;
			if (!ns[suite] || took < ns[suite])
				ns[suite] = took;
			remove_flows(w);
		}
	}
	if (!ok(all, "every packet of the measurement comes through"))
		return;
	printf("# a plain packet: %llu ns, from end to end\n", (unsigned long long)ns[0]);
	for (uint8_t suite = SRTP_SUITE_NONE + 1; suite < SRTP_SUITES; suite++)
		printf("# %s: %.2f times that\n", suites[suite], (double)ns[suite] / (double)ns[0]);
}

static void print_counters(struct world *w)
{
	struct reason_counters c;

	ops->counters(w->dp, &c);
	for (size_t i = 0; i < REASON_COUNT; i++) {
		if (c.packets[i])
			printf("# reason %zu: %llu\n", i, (unsigned long long)c.packets[i]);
	}
}

/* ---- what is tested ---- */

static void ends_open(struct world *w)
{
	w->a = udp_socket("a", "10.1.0.2", 4000);
	w->a6 = udp_socket("a", "fd01::2", 4000);
	w->b = udp_socket("b", "10.2.0.2", 5000);
	w->b6 = udp_socket("b", "fd02::2", 5000);
}

static void relay_open(struct world *w)
{
	char why[256] = "";

	w->cfg.fresh = true;
	w->cfg.srtp_capacity = SETS;
	if (tandem_srtp_sets_alloc(&w->cfg.srtp, SETS))
		die("key sets");
	if (ops->open(&w->dp, &w->cfg, why, sizeof(why)))
		die(why);
	w->cfg.fresh = false;
}

static int test_kmod(void)
{
	struct world w = { .cfg = relay_config() };

	ends_open(&w);
	relay_open(&w);
	for (uint8_t suite = SRTP_SUITE_NONE + 1; suite < SRTP_SUITES; suite++)
		test_suite(&w, suite);
	test_ways(&w);
	test_fan(&w);
	test_sealed_legs(&w);
	puts("# checksums in the packets");
	set_offload("a", "va0", false);
	set_offload("b", "vb0", false);
	test_suite(&w, SRTP_AES_CM_128_HMAC_SHA1_80);
	test_suite(&w, SRTP_AEAD_AES_128_GCM);
	test_ways(&w);
	test_fan(&w);
	set_offload("a", "va0", true);
	set_offload("b", "vb0", true);
	test_streams(&w);
	test_takeover(&w);
	test_rekey(&w);
	measure(&w);
	print_counters(&w);
	ops->close(w.dp, false);
	tandem_srtp_sets_free(w.cfg.srtp);
	return failures ? 1 : 0;
}

/* XDP_PASS on a device, without which veth takes nothing that is redirected to its peer; or away. */
static void pass_on(const char *netns, const char *device, bool on)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int prog = on ? bpf_prog_load(BPF_PROG_TYPE_XDP, "pass", "GPL", insns, 2, NULL) : -1;

	enter(netns);
	if ((on && prog < 0) ||
	    bpf_xdp_attach((int)if_nametoindex(device), prog, XDP_FLAGS_DRV_MODE, NULL))
		die(device);
	enter("relay");
	if (prog >= 0)
		close(prog);
}

/* XDP comes before whatever would compute a checksum, and asks for no neighbour. */
static void devices_prepare(bool xdp)
{
	static const char *const hosts[] = { "10.1.0.2", "fd01::2", "10.2.0.2", "fd02::2" };
	struct received r;

	set_offload("a", "va0", !xdp);
	set_offload("b", "vb0", !xdp);
	set_offload("relay", "va1", !xdp);
	set_offload("relay", "vb1", !xdp);
	pass_on("a", "va0", xdp);
	pass_on("b", "vb0", xdp);
	for (int i = 0; i < 4 && xdp; i++) {
		const int end = udp_socket(i < 2 ? "a" : "b", hosts[i], 4999);
		const int relay = udp_socket("relay", i & 1 ? "::" : "0.0.0.0", 4999);

		send_to(relay, hosts[i], 4999, "", 1);
		receive(end, RECEIVE_MS, &r);
		if (r.len != 1)
			die(hosts[i]);
		close(end);
		close(relay);
	}
}

static const char *const interfaces[] = { "va1", "vb1" };

static struct tandem_datapath_config xdp_config(void)
{
	struct tandem_datapath_config cfg = relay_config();

	cfg.bpf_dir = "/sys/fs/bpf/tandem";
	cfg.interfaces = interfaces;
	cfg.interfaces_count = 2;
	return cfg;
}

/* Has the module a table, or may a BPF program have one? */
static bool module_configured(void)
{
	struct tandem_genl genl;
	char why[128];
	int err = tandem_kmod_connect(&genl, why, sizeof(why));

	if (err)
		return false;
	err = tandem_kmod_command(&genl, TANDEM_CMD_CONFIG_GET);
	tandem_genl_close(&genl);
	return !err;
}

static int test_xdp(void)
{
	struct world w = { .cfg = xdp_config() };
	struct tandem_flow_stats stats;
	struct tandem_probe probe;

	devices_prepare(true);
	ends_open(&w);
	ok(!ops->probe(&w.cfg, &probe) && strstr(probe.detail, "; SRTP by the kernel module"),
	   "SRTP of XDP will be done by the module");
	relay_open(&w);
	ok(!strcmp(ops->describe(w.dp), "native on va1, native on vb1; SRTP by the kernel module"),
	   "and is");
	for (uint8_t suite = SRTP_SUITE_NONE + 1; suite < SRTP_SUITES; suite++)
		test_suite(&w, suite);
	test_ways(&w);
	test_fan(&w);
	test_sealed_legs(&w);
	test_streams(&w);
	ok(!ops->read(w.dp, OUT, &stats) && stats.offloaded && stats.flow.packets == 16,
	   "a flow of GCM is offloaded");
	test_takeover(&w);
	ok(strstr(ops->describe(w.dp), "by the kernel module"), "still by the module");
	test_rekey(&w);
	print_counters(&w);
	ops->close(w.dp, false);
	tandem_srtp_sets_free(w.cfg.srtp);
	ok(!module_configured(), "the module has nothing left of it");
	devices_prepare(false);
	return failures ? 1 : 0;
}

static int test_without(void)
{
	static const char why[] = "; SRTP by XDP itself: the kernel module has no BTF";
	struct world w = { .cfg = xdp_config() };
	struct tandem_flow_stats stats;
	struct tandem_srtp gcm;
	struct tandem_probe probe;

	devices_prepare(true);
	ends_open(&w);
	ok(!ops->probe(&w.cfg, &probe) && strstr(probe.detail, why),
	   "SRTP of XDP will be its own, and why");
	relay_open(&w);
	ok(strstr(ops->describe(w.dp), why), "and is");
	test_suite(&w, SRTP_AES_CM_128_HMAC_SHA1_80);
	gcm = key_set(&w, SRTP_AEAD_AES_128_GCM, 1);
	ok(set_flows(&w, &gcm, &gcm, NULL) && !ops->read(w.dp, OUT, &stats) && !stats.offloaded &&
		   strstr(stats.reason, "srtp_suite"),
	   "a flow of GCM is not offloaded");
	ops->close(w.dp, false);
	tandem_srtp_sets_free(w.cfg.srtp);
	devices_prepare(false);
	return failures ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (argc == 1)
		return test_kmod();
	ops = &tandem_xdp_ops;
	if (argc == 2 && strcmp(argv[1], "xdp") == 0)
		return test_xdp();
	if (argc == 2 && strcmp(argv[1], "without") == 0)
		return test_without();
	fprintf(stderr, "usage: srtp [xdp | without]\n");
	return 2;
}
