/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs in the guest, with the module loaded: a BPF program calls the module's SRTP, which must make of
 * known packets what the RFCs say, and refuse whatever else the program asks for.
 *
 * Usage: kfuncs call       every test, a TAP line each
 *        kfuncs refused    the module has no BTF: such a program is not to be had
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "core/abi.h"
#include "core/genl.h"
#include "core/srtp_suite.h"
#include "kmod/kfuncs.h"
#include "kmod/srtp_known.h"
#include "tests/kmod/client.h"
#include "userspace/datapath/genl.h"
#include "userspace/datapath/kmod_srtp.h"

#include "kfuncs.skel.h"

#define ROOM	256
#define OFF	14 /* of a packet in its frame */
#define UDP_OFF 42 /* the same behind IPv4 and UDP */
#define STREAMS 2  /* under each set of keys */

/* Sets of keys: to protect with, to open with, and others, behind which are those to open with. */
enum { SENDER = 1, RECEIVER, OTHERS, SETS };

struct world {
	struct kfuncs_bpf *skel;
	struct tandem_genl genl;
	struct srtp_stream *streams; /* the module's */
	uint32_t table;		     /* its number */
	unsigned char frame[ROOM];
	uint32_t len; /* of the packet in it */
};

/* name may be empty. */
static bool check(bool good, const char *what, const char *name)
{
	char line[256];

	snprintf(line, sizeof(line), "kfuncs: %s%s%s", what, *name ? ", " : "", name);
	return ok(good, line);
}

static void must(int err, const char *what)
{
	if (!err)
		return;
	printf("not ok - kfuncs: %s: %s\n", what, strerror(-err));
	exit(1);
}

static uint32_t hex(unsigned char *to, const char *text)
{
	uint32_t n = 0;

	while (sscanf(text + 2 * n, "%2hhx", &to[n]) == 1)
		n++;
	return n;
}

static void table_message(const struct nlmsghdr *nlh, void *arg)
{
	struct world *w = arg;

	tandem_genl_get(nlh, TANDEM_ATTR_TABLE, &w->table, sizeof(w->table));
}

/* For keys alone. */
static void configure(struct world *w)
{
	const struct relay_config config = {
		.abi_version = TANDEM_ABI_VERSION,
		.srtps = SETS,
		.srtp_streams = SETS * STREAMS,
	};
	const uint32_t streams = 0;
	struct tandem_genl_request req;
	int fd;

	tandem_genl_begin(&w->genl, &req, TANDEM_CMD_CONFIG_SET, 0);
	tandem_genl_put(&req, TANDEM_ATTR_CONFIG, &config, sizeof(config));
	tandem_genl_put(&req, TANDEM_ATTR_STREAM_CAPACITY, &streams, sizeof(streams));
	must(tandem_genl_talk(&w->genl, &req, NULL, NULL), "configuration");
	tandem_genl_begin(&w->genl, &req, TANDEM_CMD_CONFIG_GET, 0);
	must(tandem_genl_talk(&w->genl, &req, table_message, w), "number of the table");
	fd = open("/dev/tandem", O_RDWR | O_CLOEXEC);
	w->streams = mmap(NULL, SETS * STREAMS * sizeof(*w->streams), PROT_READ | PROT_WRITE,
			  MAP_SHARED, fd, 0);
	must(w->streams == MAP_FAILED ? -errno : 0, "/dev/tandem");
	close(fd);
}

static void reset(struct world *w)
{
	struct tandem_genl_request req;

	tandem_genl_begin(&w->genl, &req, TANDEM_CMD_RESET, 0);
	must(tandem_genl_talk(&w->genl, &req, NULL, NULL), "reset");
	if (w->streams)
		munmap(w->streams, SETS * STREAMS * sizeof(*w->streams));
}

/* The keys of a known packet; with change others, and behind them the receiver's. */
static void set_keys(struct world *w, uint32_t index, const struct srtp_known *k, uint8_t change)
{
	struct srtp_keys keys = { .suite = k->suite, .stream_count = STREAMS };

	keys.first_stream = index * STREAMS;
	keys.next = change ? RECEIVER : SRTP_NO_KEYS;
	for (uint32_t i = 0; i < 2; i++) {
		struct srtp_session *s = &keys.session[i];

		keys.tag_len[i] = (uint8_t)srtp_tag_len(k->suite, i);
		hex(s->key, k->key);
		hex(s->salt, k->salt);
		memcpy(s->inner, known_inner, sizeof(known_inner));
		memcpy(s->outer, known_outer, sizeof(known_outer));
		s->key[0] ^= change;
		s->inner[0] ^= change;
	}
	memset(&w->streams[keys.first_stream], 0, STREAMS * sizeof(*w->streams));
	must(tandem_kmod_srtp_send(&w->genl, index, &keys), "keys");
}

/* One frame through a program; what comes of it. w has the frame that it leaves. */
static int run(struct world *w, const struct bpf_program *prog, struct tandem_srtp_packet packet)
{
	unsigned char in[ROOM], out[ROOM + SRTP_TRAILER_MAX];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in, .data_out = out,
		    .data_size_in = OFF + w->len, .data_size_out = sizeof(out));

	memcpy(in, w->frame, sizeof(in));
	w->skel->bss->packet = packet;
	w->skel->bss->result = -ECANCELED;
	must(bpf_prog_test_run_opts(bpf_program__fd(prog), &opts), "run");
	w->len = opts.data_size_out - OFF;
	memcpy(w->frame, out, opts.data_size_out < ROOM ? opts.data_size_out : ROOM);
	return w->skel->bss->result;
}

static struct tandem_srtp_packet whole(const struct world *w, uint32_t keys, uint32_t flags)
{
	return (struct tandem_srtp_packet){ w->table, keys, flags, OFF, w->len };
}

static void put(struct world *w, const unsigned char *p, uint32_t len)
{
	memset(w->frame, 0, OFF);
	memcpy(w->frame + OFF, p, len);
	w->len = len;
}

static bool is(const struct world *w, const unsigned char *p, uint32_t len)
{
	return w->len == len && !memcmp(w->frame + OFF, p, len);
}

/* What was sealed is opened, and whatever is wrong with it is found. */
static void test_open(struct world *w, const struct srtp_known *k, const unsigned char *sealed,
		      uint32_t sealed_len, const unsigned char *clear, uint32_t clear_len)
{
	const struct bpf_program *unprotect = w->skel->progs.unprotect;
	struct srtp_stream *stream = &w->streams[RECEIVER * STREAMS];
	const uint32_t damaged[] = { 2, clear_len - 1, sealed_len - 1 };
	bool good = true;

	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		put(w, sealed, sealed_len);
		w->frame[OFF + damaged[i]] ^= 1;
		good &= run(w, unprotect, whole(w, RECEIVER, k->flags)) == REASON_srtp_auth;
		w->frame[OFF + damaged[i]] ^= 1;
		good &= is(w, sealed, sealed_len);
	}
	check(good && !stream->owner, k->name, "damaged: refused, and nothing noted");

	put(w, sealed, sealed_len);
	check(!run(w, w->skel->progs.admit, whole(w, OTHERS, k->flags)) &&
		      w->skel->bss->packet.len == clear_len && is(w, sealed, sealed_len) &&
		      !stream->owner,
	      k->name, "admitted: its length is known, and nothing noted");
	good = !run(w, unprotect, whole(w, OTHERS, k->flags)) && is(w, clear, clear_len);
	check(good && w->skel->bss->packet.keys == RECEIVER, k->name, "opened, by the keys behind");
	put(w, sealed, sealed_len);
	check(run(w, unprotect, whole(w, RECEIVER, k->flags)) == REASON_srtp_replay, k->name,
	      "a second time: refused");
	memset(stream, 0, sizeof(*stream));
	check(!run(w, unprotect, whole(w, RECEIVER, k->flags | SRTP_J_KEEP)) &&
		      is(w, sealed, sealed_len) && stream->owner,
	      k->name, "to be kept: authenticated, and as it came");
}

static void test_known(struct world *w, const struct srtp_known *k)
{
	unsigned char clear[ROOM], want[ROOM], sealed[ROOM];
	const uint32_t clear_len = hex(clear, k->clear), want_len = hex(want, k->sealed);
	uint32_t sealed_len;
	int reason;

	set_keys(w, SENDER, k, 0);
	set_keys(w, RECEIVER, k, 0);
	set_keys(w, OTHERS, k, 1);
	w->streams[SENDER * STREAMS].rtcp_top = k->index;
	put(w, clear, clear_len);
	reason = run(w, w->skel->progs.protect, whole(w, SENDER, k->flags));
	sealed_len = w->len;
	memcpy(sealed, w->frame + OFF, sealed_len);
	if (!check(!reason && sealed_len >= want_len && w->skel->bss->packet.len == sealed_len &&
			   !memcmp(sealed, want, want_len),
		   k->name, "protected"))
		printf("# reason %d, %u bytes\n", reason, sealed_len);
	else
		test_open(w, k, sealed, sealed_len, clear, clear_len);
}

/* What a program may not ask for. */
static void test_limits(struct world *w)
{
	const struct bpf_program *protect = w->skel->progs.protect_as_it_is,
				 *unprotect = w->skel->progs.unprotect;
	struct tandem_srtp_packet p;
	unsigned char clear[ROOM];

	put(w, clear, hex(clear, srtp_known[0].clear));
	p = whole(w, SENDER, 0);
	check(run(w, protect, p) == -ENOSPC, "no room behind the packet", "");
	p.len -= 10;
	set_keys(w, SENDER, &srtp_known[0], 0);
	check(!run(w, protect, p), "room for the tag, and no more", "");
	p.len += 11;
	check(run(w, protect, p) == -EINVAL, "a packet longer than the frame", "");
	p.off = UINT32_MAX - 20;
	p.len = 40;
	check(run(w, protect, p) == -EINVAL && run(w, unprotect, p) == -EINVAL,
	      "one that begins far outside of it", "");
	p = whole(w, SENDER, 1 << 1);
	check(run(w, unprotect, p) == -EINVAL, "unknown flags", "");
	p = whole(w, SETS, 0);
	check(run(w, unprotect, p) == REASON_rule_busy, "keys that are not there", "");
	p = whole(w, RECEIVER, SRTP_J_RTCP);
	p.len = 7;
	check(run(w, unprotect, p) == REASON_srtp_short, "less than a header", "");
	p = whole(w, SENDER, 0);
	w->frame[OFF] = 0x9f; /* fifteen CSRCs, and an extension */
	check(run(w, protect, p) == REASON_bad_rtp, "a header longer than the packet", "");
}

/* A packet from a, on its way through the device of the relay: its socket gets the other. */
static void test_attached(struct world *w, uint32_t mode, const char *name)
{
	const int prog = bpf_program__fd(w->skel->progs.protect), on = 1;
	const int a = udp_socket("a", "10.1.0.2", 4000),
		  relay = udp_socket("relay", "10.1.0.1", 20000);
	const int ifindex = (int)if_nametoindex("va1");
	unsigned char clear[ROOM], want[ROOM];
	const uint32_t len = hex(clear, srtp_known[0].clear);
	struct received r;

	set_keys(w, SENDER, &srtp_known[0], 0);
	w->skel->bss->packet = (struct tandem_srtp_packet){ w->table, SENDER, 0, UDP_OFF, len };
	setsockopt(a, SOL_SOCKET, SO_NO_CHECK, &on, sizeof(on));
	must(bpf_xdp_attach(ifindex, prog, mode, NULL), name);
	send_to(a, "10.1.0.1", 20000, clear, len);
	receive(relay, RECEIVE_MS, &r);
	must(bpf_xdp_detach(ifindex, mode, NULL), name);
	/* IP knows nothing of the tag, and has cut it off. */
	check(hex(want, srtp_known[0].sealed) == len && r.len == (ssize_t)len &&
		      !memcmp(r.data, want, len) && w->skel->bss->packet.len == len + 10,
	      "a packet on its way through a device", name);
	close(a);
	close(relay);
}

static int call(void)
{
	struct world w = { .skel = kfuncs_bpf__open_and_load() };
	unsigned char clear[ROOM];

	if (!check(w.skel, "a program that calls the module is loaded", ""))
		return 1;
	must(tandem_genl_open(&w.genl, TANDEM_GENL_NAME), "no module");
	reset(&w);
	put(&w, clear, hex(clear, srtp_known[0].clear));
	check(run(&w, w.skel->progs.unprotect, whole(&w, RECEIVER, 0)) == -ENODEV,
	      "a table that is not there", "");
	configure(&w);
	for (size_t i = 0; i < sizeof(srtp_known) / sizeof(srtp_known[0]); i++)
		test_known(&w, &srtp_known[i]);
	test_limits(&w);
	test_attached(&w, XDP_FLAGS_DRV_MODE, "in its driver");
	test_attached(&w, XDP_FLAGS_SKB_MODE, "behind it");
	check(syscall(SYS_delete_module, "tandem", O_NONBLOCK) && errno == EWOULDBLOCK,
	      "the module stays while a program is there that calls it", "");
	reset(&w);
	tandem_genl_close(&w.genl);
	kfuncs_bpf__destroy(w.skel);
	return failures ? 1 : 0;
}

static int silent(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return 0;
}

static int refused(void)
{
	struct kfuncs_bpf *skel;

	libbpf_set_print(silent);
	skel = kfuncs_bpf__open_and_load();
	check(!skel, "without BTF such a program is refused", "");
	kfuncs_bpf__destroy(skel);
	return failures ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "call") == 0)
		return call();
	if (argc == 2 && strcmp(argv[1], "refused") == 0)
		return refused();
	fprintf(stderr, "usage: kfuncs call | refused\n");
	return 2;
}
