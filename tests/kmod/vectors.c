/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs cases of tests/vectors/ through the module in the guest: frames are put on one end
 * of a veth pair, and what leaves is taken from the end of another. init.sh has made the
 * network. What cannot be shown this way is left out, and said: link-layer headers, next
 * hops, rules caught half-written, headers that the kernel's own checks stop, and, since
 * the clock is real, times.
 *
 * Usage: vectors FILE.vec...
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/forward.h"
#include "core/genl.h"
#include "userspace/datapath/genl.h"

#include "tests/bpf/vec_case.h"

#define WAIT_MS	  2000
#define COPIES_MS 20 /* the further copies of a packet come within this */

struct side {
	const char *name;
	struct env env; /* its counters */
	struct entry entries[VEC_SLOTS];
	struct flow_more flows_more[VEC_SLOTS];
	struct leg_state leg_states[VEC_LEGS];
	struct env_stream streams[VEC_STREAMS];
	size_t stream_count;
};

struct world {
	struct tandem_genl genl;
	int in, out; /* packet sockets */
	int ends[2]; /* the devices that frames are taken from */
	struct vec_case c;
	struct side side;
	int failures;
};

static void complain(struct world *w, const char *side, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("# %s: line %d: ", side, line);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
	w->failures++;
}

#include "tests/bpf/vec_check.h"

/* Can this packet come to its end in the module, in the way the case has it? */
static bool step_fits(const struct vec_step *step)
{
	switch (step->reason) {
	case REASON_not_ip:
	case REASON_bad_header:
	case REASON_no_neighbour:
	case REASON_no_egress_port:
	case REASON_rule_busy:
		return false;
	default:
		return !step->gen_odd && !step->network && step->in.len <= ETH_FRAME_LEN &&
		       step->in.l3 == ETH_HLEN && !step->in.ip_bad_sum && !step->in.ip_len_set;
	}
}

/* Is there a way for this leg in the guest, as there is one in the case? */
static bool leg_fits(const struct tandem_leg_spec *leg)
{
	static const char *const neighbours[] = { "10.1.0.2", "10.4.0.2", "10.7.0.2", "fd01::2" };
	struct ip_addr ip;

	if (ip_addr_is_group(&leg->egress.remote))
		return true;
	for (size_t i = 0; i < sizeof(neighbours) / sizeof(neighbours[0]); i++) {
		if (!tandem_ip_parse(&ip, neighbours[i]) &&
		    tandem_ip_equal(&ip, &leg->egress.remote))
			return true;
	}
	return false;
}

/* To the kernel any address says by which device a group is reached, not media addresses alone. */
static bool egress_fits(const struct vec_case *c, const struct tandem_egress *eg)
{
	if (!(eg->flags & EGRESS_F_ACTIVE) || !ip_addr_is_group(&eg->remote))
		return true;
	return tandem_ip_equal(&eg->local, &c->config.locals[0]) ||
	       tandem_ip_equal(&eg->local, &c->config.locals[1]);
}

static bool case_fits(const struct vec_case *c)
{
	for (unsigned int i = 0; i < VEC_SLOTS; i++) {
		if (!egress_fits(c, &c->rules[i].egress[EGRESS_RTP]))
			return false;
	}
	for (unsigned int i = 0; i < c->leg_count; i++) {
		if (!leg_fits(&c->leg_specs[i]))
			return false;
	}
	for (size_t i = 0; i < c->step_count; i++) {
		if (!step_fits(&c->steps[i]))
			return false;
	}
	return true;
}

/* On a device, or (NULL) on all of them. */
static int packet_socket(const char *device)
{
	struct sockaddr_ll sa = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = device ? (int)if_nametoindex(device) : 0 };
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));

	if (fd < 0 || (device && !sa.sll_ifindex) || bind(fd, (struct sockaddr *)&sa, sizeof(sa)))
		vec_die("%s: %s", device ? device : "packet socket", strerror(errno));
	return fd;
}

static void must(int err, const char *what)
{
	if (err)
		vec_die("%s: %s", what, strerror(-err));
}

/* The range of the legs of a fan, which the file has one after the other. */
static void put_fan(struct world *w, struct tandem_genl_request *req, uint32_t index)
{
	static struct genl_leg legs[VEC_LEGS];
	static char attrs[sizeof(legs) + NLA_HDRLEN];
	const struct fan *fan = &w->c.fans[index];
	uint32_t first = fan->branch[0].first, n = 0;

	for (uint32_t i = 0; i < fan->branch_count; i++) {
		for (uint32_t k = 0; k < fan->branch[i].count; k++, n++) {
			legs[n].id = first + n;
			legs[n].leg = w->c.legs[first + n];
		}
	}
	tandem_genl_put(req, TANDEM_ATTR_FAN, fan, sizeof(*fan));
	tandem_genl_put(req, TANDEM_ATTR_LEG_INDEX, &first, sizeof(first));
	req->more = attrs;
	req->more_len = tandem_genl_write(attrs, TANDEM_ATTR_LEGS, legs, n * sizeof(legs[0]));
}

static void install_keys(struct world *w)
{
	struct tandem_genl_request req;

	for (uint32_t i = 0; i < VEC_KEYS; i++) {
		if (vec_srtp.keys[i].suite == SRTP_SUITE_NONE)
			continue;
		tandem_genl_begin(&w->genl, &req, TANDEM_CMD_SRTP_SET, 0);
		tandem_genl_put(&req, TANDEM_ATTR_SRTP_INDEX, &i, sizeof(i));
		tandem_genl_put(&req, TANDEM_ATTR_SRTP_KEYS, &vec_srtp.keys[i],
				sizeof(vec_srtp.keys[i]));
		must(tandem_genl_talk(&w->genl, &req, NULL, NULL), "keys");
	}
}

static void install(struct world *w)
{
	const uint32_t streams = VEC_STREAMS;
	struct tandem_genl_request req;

	tandem_genl_begin(&w->genl, &req, TANDEM_CMD_RESET, 0);
	must(tandem_genl_talk(&w->genl, &req, NULL, NULL), "reset");
	tandem_genl_begin(&w->genl, &req, TANDEM_CMD_CONFIG_SET, 0);
	tandem_genl_put(&req, TANDEM_ATTR_CONFIG, &w->c.config, sizeof(w->c.config));
	tandem_genl_put(&req, TANDEM_ATTR_STREAM_CAPACITY, &streams, sizeof(streams));
	must(tandem_genl_talk(&w->genl, &req, NULL, NULL), "configuration");
	install_keys(w);
	for (uint32_t slot = 0; slot < VEC_SLOTS; slot++) {
		if (!(w->c.rules[slot].flags & (RULE_F_ACTIVE | RULE_F_SHARED)))
			continue;
		tandem_genl_begin(&w->genl, &req, TANDEM_CMD_FLOW_SET, 0);
		tandem_genl_put(&req, TANDEM_ATTR_SLOT, &slot, sizeof(slot));
		tandem_genl_put(&req, TANDEM_ATTR_RULE, &w->c.entries[slot].rule,
				sizeof(struct rule));
		tandem_genl_put(&req, TANDEM_ATTR_RULE_MORE, &w->c.rules_more[slot],
				sizeof(struct rule_more));
		if (w->c.rules[slot].flags & RULE_F_FAN)
			put_fan(w, &req, w->c.rules[slot].fan);
		must(tandem_genl_talk(&w->genl, &req, NULL, NULL), "rule");
	}
}

static void counters_message(const struct nlmsghdr *nlh, void *arg)
{
	tandem_genl_get(nlh, TANDEM_ATTR_COUNTERS, arg, sizeof(struct reason_counters));
}

static uint64_t counted(struct world *w, enum reason reason)
{
	struct tandem_genl_request req;

	tandem_genl_begin(&w->genl, &req, TANDEM_CMD_COUNTERS_GET, 0);
	must(tandem_genl_talk(&w->genl, &req, counters_message, &w->side.env.counters), "counters");
	return w->side.env.counters.packets[reason];
}

static void flow_message(const struct nlmsghdr *nlh, void *arg)
{
	struct side *s = arg;
	uint32_t slot;

	if (tandem_genl_get(nlh, TANDEM_ATTR_SLOT, &slot, sizeof(slot)) || slot >= VEC_SLOTS)
		return;
	tandem_genl_get(nlh, TANDEM_ATTR_FLOW, &s->entries[slot].flow, sizeof(struct flow));
	tandem_genl_get(nlh, TANDEM_ATTR_FLOW_MORE, &s->flows_more[slot], sizeof(struct flow_more));
}

static void stream_message(const struct nlmsghdr *nlh, void *arg)
{
	struct side *s = arg;
	struct env_stream *e = &s->streams[s->stream_count++ % VEC_STREAMS];
	uint32_t slot = 0;

	tandem_genl_get(nlh, TANDEM_ATTR_SLOT, &slot, sizeof(slot));
	tandem_genl_get(nlh, TANDEM_ATTR_STREAM, &e->extra, sizeof(e->extra));
	e->key = env_stream_word(slot, e->extra.stream.ssrc);
}

static void leg_message(const struct nlmsghdr *nlh, void *arg)
{
	struct side *s = arg;
	uint32_t leg;

	if (!tandem_genl_get(nlh, TANDEM_ATTR_LEG_INDEX, &leg, sizeof(leg)) && leg < VEC_LEGS)
		tandem_genl_get(nlh, TANDEM_ATTR_LEG_STATE, &s->leg_states[leg],
				sizeof(*s->leg_states));
}

static void collect(struct world *w)
{
	struct tandem_genl_request req;

	counted(w, 0);
	tandem_genl_begin(&w->genl, &req, TANDEM_CMD_FLOW_GET, NLM_F_DUMP);
	must(tandem_genl_talk(&w->genl, &req, flow_message, &w->side), "flows");
	tandem_genl_begin(&w->genl, &req, TANDEM_CMD_STREAMS_GET, NLM_F_DUMP);
	must(tandem_genl_talk(&w->genl, &req, stream_message, &w->side), "streams");
	for (uint32_t slot = 0; slot < VEC_SLOTS; slot++) {
		tandem_genl_begin(&w->genl, &req, TANDEM_CMD_LEGS_GET, NLM_F_DUMP);
		tandem_genl_put(&req, TANDEM_ATTR_SLOT, &slot, sizeof(slot));
		if (w->c.rules[slot].flags & RULE_F_FAN)
			must(tandem_genl_talk(&w->genl, &req, leg_message, &w->side), "legs");
	}
}

/* The next UDP packet on its way out, from its IP header on; 0: none came. */
static size_t take(struct world *w, unsigned char *packet, size_t size, int wait_ms)
{
	struct pollfd p = { .fd = w->out, .events = POLLIN };
	unsigned char frame[VEC_PACKET_MAX];
	struct sockaddr_ll from;

	while (poll(&p, 1, wait_ms) == 1) {
		socklen_t from_len = sizeof(from);
		ssize_t len = recvfrom(w->out, frame, sizeof(frame), 0, (struct sockaddr *)&from,
				       &from_len);
		bool v6 = len > 54 && frame[12] == 0x86;

		if (from.sll_pkttype == PACKET_OUTGOING ||
		    (from.sll_ifindex != w->ends[0] && from.sll_ifindex != w->ends[1]))
			continue;
		if (len < 34 || (v6 ? frame[20] : frame[23]) != IPPROTO_UDP)
			continue;
		len -= ETH_HLEN;
		memcpy(packet, frame + ETH_HLEN, (size_t)len < size ? (size_t)len : size);
		return (size_t)len;
	}
	return 0;
}

/* want NULL: anything. */
static void check_out(struct world *w, const struct vec_step *step, const struct vec_packet *want)
{
	unsigned char got[VEC_PACKET_MAX];
	size_t len = take(w, got, sizeof(got), WAIT_MS), wanted;

	if (!len)
		complain(w, "module", step->line, "nothing came out");
	if (!len || !want)
		return;
	wanted = want->len - (size_t)want->l3 - want->trailer;
	if (len < wanted || memcmp(got, want->data + want->l3, wanted))
		complain(w, "module", step->line, "other bytes than expected");
}

/* The copies of a packet leave in the order of their legs, one right behind the other. */
static void check_outs(struct world *w, const struct vec_step *step)
{
	unsigned char frame[VEC_PACKET_MAX];

	if (!step->out_count) {
		check_out(w, step, NULL);
		while (take(w, frame, sizeof(frame), COPIES_MS))
			;
	}
	for (size_t i = 0; i < step->out_count; i++)
		check_out(w, step, &step->outs[i]);
	if (take(w, frame, sizeof(frame), 0))
		complain(w, "module", step->line, "more came out than expected");
}

/* Both ends are one machine's: a packet is through the hook soon after it was sent. */
static void run_step(struct world *w, const struct vec_step *step)
{
	uint64_t before = counted(w, step->reason);
	const struct timespec pause = { .tv_nsec = 1000000 };
	unsigned char frame[VEC_PACKET_MAX];

	memcpy(frame, step->in.data, step->in.len);
	if (!(frame[0] & 1))
		memcpy(frame, (unsigned char[6]){ 2, 0, 0, 0, 0, 1 }, 6); /* the receiving device */
	if (send(w->in, frame, step->in.len, 0) < 0)
		vec_die("line %d: %s", step->line, strerror(errno));
	for (int i = 0; i < WAIT_MS && counted(w, step->reason) == before; i++)
		nanosleep(&pause, NULL);
	if (counted(w, step->reason) == before)
		complain(w, "module", step->line, "%s was not counted", vec_reasons[step->reason]);
	if (reason_verdict(step->reason) == VERDICT_FORWARD)
		check_outs(w, step);
	else if (take(w, frame, sizeof(frame), 0))
		complain(w, "module", step->line, "something came out");
}

/* Take the fields that depend on the clock out of the checks. */
static void forget_times(struct vec_case *c)
{
	for (size_t i = 0; i < c->check_count; i++) {
		char copy[256], *save = NULL, *word, *line = c->checks[i];

		snprintf(copy, sizeof(copy), "%s", line);
		line[0] = '\0';
		for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
			if (!strncmp(word, "jitter_", 7) || !strncmp(word, "rtt_", 4))
				continue;
			snprintf(line + strlen(line), sizeof(c->checks[0]) - strlen(line), "%s%s",
				 line[0] ? " " : "", word);
		}
	}
}

/* The guest's own packets are counted too: those are not the case's. */
static void forget_noise(struct side *s, const struct vec_case *c)
{
	static const enum reason noise[] = { REASON_not_udp, REASON_ip_options,
					     REASON_not_media_port, REASON_not_local };

	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++) {
		s->env.counters.packets[noise[i]] = 0;
		for (size_t k = 0; k < c->step_count; k++)
			s->env.counters.packets[noise[i]] += c->steps[k].reason == noise[i];
	}
}

static void run_case(struct world *w)
{
	unsigned char late[VEC_PACKET_MAX];

	memset(&w->side, 0, sizeof(w->side));
	w->side.name = "module";
	w->failures = 0;
	while (take(w, late, sizeof(late), 0))
		;
	install(w);
	for (size_t i = 0; i < w->c.step_count; i++)
		run_step(w, &w->c.steps[i]);
	collect(w);
	forget_times(&w->c);
	forget_noise(&w->side, &w->c);
	run_checks(w, &w->side);
}

int main(int argc, char **argv)
{
	static struct world w;
	int failed = 0, left_out = 0;

	must(tandem_genl_open(&w.genl, TANDEM_GENL_NAME), "no module");
	w.in = packet_socket("q0");
	w.out = packet_socket(NULL);
	w.ends[0] = (int)if_nametoindex("p0");
	w.ends[1] = (int)if_nametoindex("p4");
	for (int i = 1; i < argc; i++) {
		const char *name = strrchr(argv[i], '/');

		vec_read(&w.c, argv[i]);
		if (!case_fits(&w.c)) {
			left_out++;
			continue;
		}
		run_case(&w);
		failed += w.failures != 0;
		printf("%sok - vector %s\n", w.failures ? "not " : "", name ? name + 1 : argv[i]);
		fflush(stdout);
	}
	printf("# %d of %d vectors do not fit a hook in a real network\n", left_out, argc - 1);
	return failed ? 1 : 0;
}
