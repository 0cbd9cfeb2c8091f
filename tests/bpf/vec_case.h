/* SPDX-License-Identifier: GPL-2.0-only */
/* A .vec file, read into what is to be installed, sent and expected. */
#ifndef TANDEM_TESTS_VEC_CASE_H
#define TANDEM_TESTS_VEC_CASE_H

#include "core/addr.h"
#include "core/byteorder.h"
#include "userspace/datapath/whole.h"
#include "userspace/util/endpoint.h"

#include "vec_packet.h"

#define VEC_PORT_BASE 20000
#define VEC_PORTS     16
#define VEC_LOCALS    7
#define VEC_SLOTS     (VEC_LOCALS * VEC_PORTS + VEC_SHARED)
#define VEC_SHARED    4
#define VEC_STREAMS   64
#define VEC_FANS      4
#define VEC_LEGS      192
#define VEC_LETS      16
#define VEC_STEPS     160
#define VEC_OUTS      512
#define VEC_CHECKS    96

/* One packet and what should become of it. */
struct vec_step {
	uint64_t now_ns;
	struct vec_packet in;
	const struct vec_packet *outs; /* the frames that leave; */
	size_t out_count;	       /* 0: not described */
	enum reason reason;
	int line;
	bool gen_odd;	     /* send it while the rule is being written */
	const char *network; /* "up" or "down": the late neighbour of vec_net.h, before it */
};

struct vec_let {
	char name[16];
	char text[VEC_LINE];
};

struct vec_case {
	struct relay_config config;
	struct tandem_rule rules[VEC_SLOTS];
	struct tandem_leg_spec leg_specs[VEC_LEGS];
	/* Keys of what arrives, of what leaves by each egress, and by each leg. */
	uint32_t keys_in[VEC_SLOTS], keys_out[VEC_SLOTS][2], leg_keys[VEC_LEGS];
	/* The same as packets see it. */
	struct entry entries[VEC_SLOTS];
	struct rule_more rules_more[VEC_SLOTS];
	struct leg legs[VEC_LEGS];
	struct fan fans[VEC_FANS];
	unsigned int fan_count, leg_count;
	struct flow_key shared[VEC_SHARED];
	unsigned int shared_slot[VEC_SHARED];
	size_t shared_count;
	struct vec_step steps[VEC_STEPS];
	size_t step_count;
	struct vec_packet outs[VEC_OUTS];
	size_t out_count;
	char checks[VEC_CHECKS][256]; /* "count ...", "flow ...", "leg ...", "stream ..." */
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

#include "vec_rule.h"

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

/* Each {A+B} becomes A + B * i. */
static void vec_repeat(const char *in, unsigned long i, char *out, size_t size)
{
	size_t n = 0;

	while (*in && n + 1 < size) {
		char *next;
		unsigned long long a;

		if (*in != '{') {
			out[n++] = *in++;
			continue;
		}
		a = strtoull(in + 1, &next, 0);
		if (*next != '+')
			vec_die("{A+B} expected at '%s'", in);
		a += strtoull(next + 1, &next, 0) * i;
		if (*next != '}')
			vec_die("{A+B} expected at '%s'", in);
		n += (size_t)snprintf(out + n, size - n, "%llu", a);
		in = next + 1;
	}
	out[n < size ? n : size - 1] = 0;
}

/* in t=MS [busy] [neighbour=up|down] [expect=REASON] | LAYERS */
static void vec_in(struct vec_case *c, char *l, char *bar, int number)
{
	struct vec_step *step = &c->steps[c->step_count];
	const char *s;

	if (c->step_count++ == VEC_STEPS)
		vec_die("line %d: too many packets", number);
	*bar = 0;
	s = vec_word(l, "t");
	step->now_ns = 1000000000000ULL + (uint64_t)(1e6 * strtod(s ? s : "0", NULL));
	step->gen_odd = vec_word(l, "busy") != NULL;
	s = vec_word(l, "neighbour");
	step->network = s ? !strcmp(s, "up") ? "up" : "down" : NULL;
	step->line = number;
	s = vec_word(l, "expect");
	step->reason = s ? vec_reason(s) : REASON_forwarded_rtp;
	vec_packet(&step->in, bar + 1);
}

/* One more frame that leaves. */
static void vec_out(struct vec_case *c, struct vec_step *step, const char *layers, int number)
{
	if (c->out_count == VEC_OUTS)
		vec_die("line %d: too many frames that leave", number);
	if (!step->out_count++)
		step->outs = &c->outs[c->out_count];
	vec_packet(&c->outs[c->out_count++], layers);
}

static bool vec_starts(const char *l, const char *word)
{
	size_t n = strlen(word);

	return !strncmp(l, word, n) && l[n] == ' ';
}

/* A line about what is installed? */
static bool vec_line_rule(struct vec_case *c, const char *l, struct tandem_rule **rule)
{
	if (vec_starts(l, "keys"))
		vec_keys(l);
	else if (vec_starts(l, "rule"))
		*rule = vec_rule(c, l);
	else if (vec_starts(l, "rtp") || vec_starts(l, "rtcp") || vec_starts(l, "both"))
		vec_egress(c, *rule, l);
	else if (vec_starts(l, "branch"))
		vec_branch(c, *rule, l);
	else if (vec_starts(l, "leg") && strchr(l, '>'))
		vec_leg(c, *rule, l);
	else
		return false;
	return true;
}

static void vec_line(struct vec_case *c, char *l, int number, struct tandem_rule **rule)
{
	struct vec_step *step = c->step_count ? &c->steps[c->step_count - 1] : NULL;
	char *bar = strchr(l, '|'), name[64];

	if (vec_line_rule(c, l, rule))
		return;
	if (vec_starts(l, "in") && bar) {
		vec_in(c, l, bar, number);
	} else if (sscanf(l, "expect %63s", name) == 1 && step) {
		step->reason = vec_reason(name);
	} else if (vec_starts(l, "out") && step && bar) {
		vec_out(c, step, bar + 1, number);
	} else if (vec_starts(l, "count") || vec_starts(l, "flow") || vec_starts(l, "leg") ||
		   vec_starts(l, "stream")) {
		if (c->check_count == VEC_CHECKS || strlen(l) >= sizeof(c->checks[0]))
			vec_die("line %d: too many checks, or too long a one", number);
		strcpy(c->checks[c->check_count++], l);
	} else {
		vec_die("line %d: not understood: %s", number, l);
	}
}

/* let NAME = TEXT */
static void vec_let(struct vec_case *c, const char *l, int number)
{
	struct vec_let *let = &c->lets[c->let_count];

	if (c->let_count++ == VEC_LETS || sscanf(l, "let %15s", let->name) != 1 ||
	    !strstr(l, " = "))
		vec_die("line %d: let NAME = TEXT expected", number);
	vec_expand(c, strstr(l, " = ") + 3, let->text, sizeof(let->text));
}

/* A line as it stands in the file: repeat COUNT LINE, or one of the above. */
static void vec_raw(struct vec_case *c, const char *raw, int number, struct tandem_rule **rule)
{
	char line[VEC_LINE], one[VEC_LINE], *rest = line;
	unsigned long i, n = 1;

	raw += strspn(raw, " \t");
	if (vec_starts(raw, "let")) {
		vec_let(c, raw, number);
		return;
	}
	vec_expand(c, raw, line, sizeof(line));
	if (vec_starts(line, "repeat")) {
		n = strtoul(line + 7, &rest, 0);
		rest += strspn(rest, " ");
	}
	for (i = 0; i < n; i++) {
		vec_repeat(rest, i, one, sizeof(one));
		vec_line(c, one, number, rule);
	}
}

/* Read the file at path into c. Ends the program when it cannot be understood. */
static void vec_read(struct vec_case *c, const char *path)
{
	/* The first two are where packets arrive; copies are sent from all. None has the last. */
	static const char *const locals[VEC_LOCALS] = { "10.0.0.1", "fd00::1",	"10.1.0.1",
							"fd01::1",  "10.4.0.1", "10.7.0.1",
							"10.9.0.1" };
	char raw[VEC_LINE];
	struct tandem_rule *rule = NULL;
	FILE *f = fopen(path, "r");
	int number = 0;
	size_t i;

	if (!f)
		vec_die("cannot open %s", path);
	memset(c, 0, sizeof(*c));
	c->config.abi_version = TANDEM_ABI_VERSION;
	c->config.slots = VEC_SLOTS;
	c->config.fans = VEC_FANS;
	c->config.legs = VEC_LEGS;
	c->config.locals_count = VEC_LOCALS;
	c->config.port_base = VEC_PORT_BASE;
	c->config.port_count = VEC_PORTS;
	c->config.nexthop_age_ns = 1000000000;
	for (i = 0; i < VEC_LOCALS; i++)
		tandem_ip_parse(&c->config.locals[i], locals[i]);
	vec_srtp_reset(&c->config);
	while (fgets(raw, sizeof(raw), f)) {
		number++;
		raw[strcspn(raw, "#\n")] = 0;
		if (raw[strspn(raw, " \t")])
			vec_raw(c, raw, number, &rule);
	}
	fclose(f);
	vec_split(c, path);
}

#endif
