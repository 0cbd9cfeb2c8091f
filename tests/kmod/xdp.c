/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs in the guest, with the module loaded: SRTP in the datapath of XDP, whose programs call the
 * module; see srtp.h.
 *
 * Usage: xdp call       all of it
 *        xdp without    the module cannot be called: XDP does SRTP itself, and says why. Its flows stay
 *        xdp later      behind that: the module can be called, but flows keep the streams they have
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>

#include "core/genl.h"
#include "tests/kmod/srtp.h"
#include "userspace/datapath/kmod_client.h"

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

static int test_call(void)
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

#define LAST 100 /* sequence number of the last packet that test_without() sends */

static int test_without(void)
{
	static const char why[] = "; SRTP by XDP itself: the kernel module has no BTF";
	struct world w = { .cfg = xdp_config() };
	struct tandem_srtp gcm, out, in;
	struct tandem_flow_stats stats;
	unsigned char clear[RTP_SIZE];
	struct tandem_probe probe;
	struct received sealed;

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
	remove_flows(&w);
	out = key_set(&w, SRTP_AES_CM_128_HMAC_SHA1_80, 1);
	in = key_set(&w, SRTP_AES_CM_128_HMAC_SHA1_80, 1);
	rtp(clear, LAST);
	ok(set_flows(&w, &out, &in, NULL) && protect(&w, clear, sizeof(clear), &sealed) &&
		   comes_back(&w, &sealed, clear, sizeof(clear)),
	   "flows that are left to the next relay");
	ops->close(w.dp, true);
	tandem_srtp_sets_free(w.cfg.srtp);
	return failures ? 1 : 0;
}

static int test_later(void)
{
	struct world w = { .cfg = xdp_config() };
	unsigned char clear[RTP_SIZE];
	struct received sealed;
	char why[256] = "";

	ends_open(&w);
	ok(!tandem_srtp_sets_alloc(&w.cfg.srtp, SETS) &&
		   !ops->open(&w.dp, &w.cfg, why, sizeof(why)) &&
		   strstr(ops->describe(w.dp), "itself: calls of an earlier run are without it"),
	   "a relay that could use the module takes over flows without it");
	rtp(clear, LAST);
	send_to(w.a, "10.1.0.1", 20000, clear, sizeof(clear));
	ok(nothing(w.b), "no index is used twice to protect");
	rtp(clear, LAST + 1);
	ok(protect(&w, clear, sizeof(clear), &sealed) &&
		   comes_back(&w, &sealed, clear, sizeof(clear)),
	   "they go on");
	ops->close(w.dp, false);
	tandem_srtp_sets_free(w.cfg.srtp);
	devices_prepare(false);
	return failures ? 1 : 0;
}

int main(int argc, char **argv)
{
	ops = &tandem_xdp_ops;
	if (argc == 2 && strcmp(argv[1], "call") == 0)
		return test_call();
	if (argc == 2 && strcmp(argv[1], "without") == 0)
		return test_without();
	if (argc == 2 && strcmp(argv[1], "later") == 0)
		return test_later();
	fprintf(stderr, "usage: xdp call | without | later\n");
	return 2;
}
