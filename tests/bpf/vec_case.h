/* SPDX-License-Identifier: GPL-2.0-only */
/* A .vec file, read into what is to be installed, sent and expected. */
#ifndef TANDEM_TESTS_VEC_CASE_H
#define TANDEM_TESTS_VEC_CASE_H

#include "core/byteorder.h"
#include "userspace/util/endpoint.h"

#include "vec_packet.h"

#define VEC_PORT_BASE 20000
#define VEC_PORTS     16
#define VEC_LOCALS    2
#define VEC_SLOTS     (VEC_LOCALS * VEC_PORTS + 4)
#define VEC_STREAMS   64
#define VEC_LETS      8
#define VEC_STEPS     160
#define VEC_CHECKS    32

/* One packet and what should become of it. */
struct vec_step {
	uint64_t now_ns;
	struct vec_packet in;
	struct vec_packet out; /* len 0: bytes not described */
	enum reason reason;
	int line;
	bool gen_odd; /* send it while the rule is being written */
};

struct vec_let {
	char name[16];
	char text[512];
};

struct vec_case {
	struct relay_config config;
	struct rule rules[VEC_SLOTS];
	struct flow_key shared[4];
	unsigned int shared_slot[4];
	size_t shared_count;
	struct vec_step steps[VEC_STEPS];
	size_t step_count;
	char checks[VEC_CHECKS][256]; /* "count ...", "flow ...", "stream ..." */
	size_t check_count;
	struct vec_let lets[VEC_LETS];
	size_t let_count;
};

static const char *const vec_reasons[] = {
#define REASON(name, kind, help) #name,
#include "core/counters.def"
#undef REASON
};

static enum reason vec_reason(const char *name)
{
	unsigned int i;

	for (i = 0; i < REASON_COUNT; i++) {
		if (!strcmp(vec_reasons[i], name))
			return (enum reason)i;
	}
	vec_die("unknown reason '%s'", name);
	return REASON_COUNT;
}

/* ADDRESS:PORT with IPv6 in brackets. */
static void vec_endpoint(const char *text, struct ip_addr *ip, __be16 *port)
{
	char addr[64];
	const char *colon = strrchr(text, ':');

	if (!colon)
		vec_die("address:port expected in '%s'", text);
	snprintf(addr, sizeof(addr), "%.*s", (int)(colon - text - (*text == '[' ? 2 : 0)),
		 text + (*text == '['));
	if (tandem_ip_parse(ip, addr))
		vec_die("bad address '%s'", addr);
	*port = net16(strtoul(colon + 1, NULL, 0));
}

/* Slot: "@N", or the local ADDRESS:PORT it belongs to. */
static unsigned int vec_slot(const struct vec_case *c, const char *text)
{
	struct ip_addr ip;
	__be16 port;
	unsigned int i;

	if (*text == '@')
		return (unsigned int)strtoul(text + 1, NULL, 0);
	vec_endpoint(text, &ip, &port);
	for (i = 0; i < VEC_LOCALS; i++) {
		if (tandem_ip_equal(&ip, &c->config.locals[i]))
			return i * VEC_PORTS + host16(port) - VEC_PORT_BASE;
	}
	vec_die("no slot for '%s'", text);
	return 0;
}

static uint32_t vec_flags(const char *l)
{
	static const struct {
		const char *name;
		uint32_t flag;
	} flags[] = {
		{ "shared", RULE_F_SHARED },	{ "learn", RULE_F_LEARN },
		{ "strict", RULE_F_STRICT_PT }, { "mute", RULE_F_MUTE },
		{ "rtcp-only", RULE_F_RTCP },	{ "srtp", RULE_F_SRTP },
	};
	uint32_t set = vec_word(l, "inactive") ? 0 : RULE_F_ACTIVE;
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		set |= vec_word(l, flags[i].name) ? flags[i].flag : 0;
	return set;
}

static void vec_map(const char *text, struct ssrc_map *map)
{
	char *next;

	map->from = (__u32)strtoul(text, &next, 0);
	map->to = *next == '>' ? (__u32)strtoul(next + 1, NULL, 0) : map->from;
}

/* pts=PT[>OUT]:CLOCK,...; what they leave with goes to both egresses. */
static void vec_pts(const char *s, struct rule *r)
{
	char *next;

	for (int i = 0; s && *s; i++) {
		__u8 out = r->pts.pt[i] = (__u8)strtoul(s, &next, 0);

		if (*next == '>')
			out = (__u8)strtoul(next + 1, &next, 0);
		if (*next != ':' || i == TANDEM_MAX_PTS)
			vec_die("clock expected in pts at '%s'", s);
		r->egress[EGRESS_RTP].pt_out[i] = r->egress[EGRESS_RTCP].pt_out[i] = out;
		r->pts.clock_hz[i] = (__u32)strtoul(next + 1, &next, 0);
		s = *next == ',' ? next + 1 : next;
	}
}

/*
 * rule LOCAL [from=REMOTE] [slot=@N] [id=N] [flags] [pts=...] [media=SLOT] [reverse=SLOT]
 *      [peer=FROM>TO] [peer-seq=N]
 */
static struct rule *vec_rule(struct vec_case *c, const char *l)
{
	char local[64];
	const char *s;
	unsigned int slot;
	struct rule *r;

	if (sscanf(l, "rule %63s", local) != 1)
		vec_die("rule needs a local address");
	s = vec_word(l, "slot");
	slot = vec_slot(c, s ? s : local);
	r = &c->rules[slot];
	r->gen = 2;
	r->flags = vec_flags(l);
	vec_endpoint(local, &r->key.local, &r->key.local_port);
	if ((s = vec_word(l, "from")))
		vec_endpoint(s, &r->key.remote, &r->key.remote_port);
	r->id = vec_num(l, "id", slot + 1);
	r->media = (s = vec_word(l, "media")) ? vec_slot(c, s) : slot;
	r->reverse = (s = vec_word(l, "reverse")) ? vec_slot(c, s) : TANDEM_NO_SLOT;
	if ((s = vec_word(l, "peer")))
		vec_map(s, &r->peer);
	r->peer_seq_offset = (__u16)vec_num(l, "peer-seq", 0);
	vec_pts(vec_word(l, "pts"), r);
	if (vec_word(l, "slot")) {
		c->shared[c->shared_count] = r->key;
		c->shared_slot[c->shared_count++] = slot;
	}
	return r;
}

/* rtp|rtcp|both LOCAL>REMOTE [ssrc=A>B] [seq=N] [ts=N] [pt] [dscp=N], of the rule before. */
static void vec_egress(struct rule *r, const char *l)
{
	struct egress eg = { .flags = EGRESS_F_ACTIVE };
	char a[64], b[64];
	const char *s;

	if (!r)
		vec_die("egress without a rule");
	vec_pair(l, a, b, sizeof(a));
	vec_endpoint(a, &eg.local, &eg.local_port);
	vec_endpoint(b, &eg.remote, &eg.remote_port);
	if ((s = vec_word(l, "ssrc"))) {
		vec_map(s, &eg.ssrc);
		eg.flags |= EGRESS_F_SSRC;
	}
	eg.seq_offset = (__u16)vec_num(l, "seq", 0);
	eg.ts_offset = (__u32)vec_num(l, "ts", 0);
	eg.dscp = (__u8)vec_num(l, "dscp", 0);
	eg.flags |= vec_word(l, "seq") ? EGRESS_F_SEQ : 0;
	eg.flags |= vec_word(l, "ts") ? EGRESS_F_TS : 0;
	eg.flags |= vec_word(l, "dscp") ? EGRESS_F_DSCP : 0;
	eg.flags |= vec_word(l, "pt") ? EGRESS_F_PT : 0;
	memcpy(eg.pt_out, r->egress[EGRESS_RTP].pt_out, sizeof(eg.pt_out));
	if (strncmp(l, "rtcp", 4))
		r->egress[EGRESS_RTP] = eg;
	if (strncmp(l, "rtp ", 4))
		r->egress[EGRESS_RTCP] = eg;
}

/* Replace each $name by its text. */
static void vec_expand(const struct vec_case *c, const char *in, char *out, size_t size)
{
	size_t n = 0, i;

	while (*in && n + 1 < size) {
		if (*in != '$') {
			out[n++] = *in++;
			continue;
		}
		for (i = 0; i < c->let_count; i++) {
			size_t len = strlen(c->lets[i].name);

			if (strncmp(in + 1, c->lets[i].name, len))
				continue;
			n += (size_t)snprintf(out + n, size - n, "%s", c->lets[i].text);
			in += len + 1;
			break;
		}
		if (i == c->let_count)
			vec_die("unknown $name at '%s'", in);
	}
	out[n < size ? n : size - 1] = 0;
}

static void vec_line(struct vec_case *c, char *l, int number, struct rule **rule)
{
	struct vec_step *step = c->step_count ? &c->steps[c->step_count - 1] : NULL;
	char *bar = strchr(l, '|'), name[64];

	if (!strncmp(l, "let ", 4)) {
		struct vec_let *let = &c->lets[c->let_count++];

		if (c->let_count == VEC_LETS ||
		    sscanf(l, "let %15s = %511[^\n]", let->name, let->text) != 2)
			vec_die("line %d: let NAME = TEXT expected", number);
	} else if (!strncmp(l, "rule ", 5)) {
		*rule = vec_rule(c, l);
	} else if (!strncmp(l, "rtp ", 4) || !strncmp(l, "rtcp ", 5) || !strncmp(l, "both ", 5)) {
		vec_egress(*rule, l);
	} else if (!strncmp(l, "in ", 3) && bar) {
		if (c->step_count == VEC_STEPS)
			vec_die("line %d: too many packets", number);
		*bar = 0;
		step = &c->steps[c->step_count];
		step->now_ns =
			1000000000000ULL +
			(uint64_t)(1e6 * strtod(vec_word(l, "t") ? vec_word(l, "t") : "0", NULL));
		step->gen_odd = vec_word(l, "busy") != NULL;
		step->line = number;
		step->reason = REASON_forwarded_rtp;
		vec_packet(&step->in, bar + 1);
		c->step_count++;
	} else if (sscanf(l, "expect %63s", name) == 1 && step) {
		step->reason = vec_reason(name);
	} else if (!strncmp(l, "out ", 4) && step && bar) {
		vec_packet(&step->out, bar + 1);
	} else if (!strncmp(l, "count ", 6) || !strncmp(l, "flow ", 5) ||
		   !strncmp(l, "stream ", 7)) {
		if (c->check_count == VEC_CHECKS)
			vec_die("line %d: too many checks", number);
		snprintf(c->checks[c->check_count++], sizeof(c->checks[0]), "%s", l);
	} else {
		vec_die("line %d: not understood: %s", number, l);
	}
}

/* Read the file at path into c. Ends the program when it cannot be understood. */
static void vec_read(struct vec_case *c, const char *path)
{
	static const char *const locals[VEC_LOCALS] = { "10.0.0.1", "fd00::1" };
	char raw[2048], line[2048];
	struct rule *rule = NULL;
	FILE *f = fopen(path, "r");
	int number = 0;
	size_t i;

	if (!f)
		vec_die("cannot open %s", path);
	memset(c, 0, sizeof(*c));
	c->config.abi_version = TANDEM_ABI_VERSION;
	c->config.slots = VEC_SLOTS;
	c->config.locals_count = VEC_LOCALS;
	c->config.port_base = VEC_PORT_BASE;
	c->config.port_count = VEC_PORTS;
	c->config.nexthop_age_ns = 1000000000;
	for (i = 0; i < VEC_LOCALS; i++)
		tandem_ip_parse(&c->config.locals[i], locals[i]);
	while (fgets(raw, sizeof(raw), f)) {
		number++;
		raw[strcspn(raw, "#\n")] = 0;
		if (!raw[strspn(raw, " \t")])
			continue;
		if (!strncmp(raw, "let ", 4))
			snprintf(line, sizeof(line), "%s", raw);
		else
			vec_expand(c, raw, line, sizeof(line));
		vec_line(c, line + strspn(line, " \t"), number, &rule);
	}
	fclose(f);
}

#endif
