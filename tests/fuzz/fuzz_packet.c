/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whole frames through the core, with a rule made of the first bytes of the input. The
 * frame is the rest of it, or that rest behind headers that lead to the rule. Checked:
 * nothing outside the frame is touched (sanitizers), a punted frame is as it came, a
 * forwarded one and every copy has the right length, and checksums as good as before. The
 * same payload as a datagram must become what it became in the frame.
 */
#include "packet.h"

#define HEADROOM  64
#define PAD	  2 /* puts the IP header on a 4-byte boundary */
#define SLOTS	  4
#define LEGS	  3
#define FRAME_MAX 2048

/* A relay with one rule. */
struct relay {
	struct env env;
	struct env_tables tables;
	struct env_shared shared[4];
	struct env_stream streams[16];
	struct entry entries[SLOTS];
	struct rule_more rules_more[SLOTS];
	struct flow_more flows_more[SLOTS];
	struct fan fan;
	struct fan_state fan_state;
	struct leg legs[LEGS];
	struct leg_state leg_states[LEGS];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Hosts 9 to 11 are what egresses lead to; 10 is one that may be out of reach. */
static __u32 nexthop(const struct egress *eg, __u32 l3_len, struct nexthop *nh, void *arg)
{
	const struct setup *s = arg;

	if (s->out & 4 || (s->group & 16 && eg->remote.b[15] == 10))
		return REASON_no_neighbour;
	nh->ifindex = 3;
	nh->mtu = 1500;
	nh->vlan_tci = s->out & 2 ? 7 : 0;
	return l3_len > 1500 ? REASON_too_big : REASON_NONE;
}

/* The n-th egress of some kind; other: of the other family. */
static void set_egress(struct egress *eg, const struct setup *s, unsigned int n, int other)
{
	int v6 = (s->out & 1) ^ other;

	eg->local = v6 ? 2 : 1;
	set_ip(&eg->remote, v6, (uint8_t)(9 + n));
	if (s->group & 8)
		eg->remote.b[v6 ? 0 : 12] = v6 ? 0xff : 239;
	eg->local_port = net16(20002);
	eg->remote_port = net16(5000);
	eg->flags = s->egress_flags;
	eg->seq_offset = (__u16)(s->seq_offset + n);
	eg->ts_offset = s->ts_offset + n;
	eg->ssrc = (struct ssrc_map){ s->from, s->to };
	eg->dscp = s->dscp & 63;
	eg->to_alaw = n == 2 ? 0 : s->alaw;
	eg->to_ulaw = s->ulaw;
	eg->pt_out[0] = s->pt;
	eg->acts = s->ts_offset;
	eg->act_rest = s->pt & 0xf;
}

static void set_fan(struct relay *r, const struct setup *s)
{
	unsigned int legs = s->fan >> 4 & 3, i, k;
	__u16 ip6 = 0;

	for (i = 0; i < LEGS; i++) {
		set_egress(&r->legs[i].egress, s, i, i == 1 && s->fan & 8);
		r->legs[i].egress.flags |= EGRESS_F_ACTIVE;
		r->legs[i].egress.state = i;
		for (k = 0; k < TANDEM_EXT_IDS; k++)
			r->legs[i].ext_id[k] = s->ext[(k + i) % sizeof(s->ext)];
		if (i < legs && !ip_addr_is_v4(&r->legs[i].egress.remote))
			ip6 = BRANCH_F_IP6;
	}
	r->fan.branch_count = 2;
	r->fan.branch[0] = (struct branch){ .ssrc = s->from, .count = (__u16)legs, .flags = ip6 };
	r->fan.branch[1] = r->fan.branch[0];
	r->fan.branch[0].flags |= s->fan & 2 ? 0 : BRANCH_F_ANY;
	r->fan.branch[1].flags |= s->fan & 4 ? BRANCH_F_RTCP : 0;
}

static void set_rule(struct relay *r, const struct setup *s)
{
	unsigned int slot = s->group & 1 ? SLOTS - 1 : 0;
	struct rule_more *more = &r->rules_more[slot];
	struct rule *rule = &r->entries[slot].rule;
	struct env_shared *entry;
	struct flow_key key = { 0 };

	rule->gen = 2;
	rule->flags = RULE_F_ACTIVE |
		      (s->flags & (RULE_F_STRICT_PT | RULE_F_MUTE | RULE_F_RTCP | RULE_F_SRTP));
	rule->id = 1;
	set_ip(&key.remote, s->shape & 2, 2);
	set_local(&key.local, s);
	key.remote_port = net16(4000);
	key.local_port = net16(20000);
	rule->remote = key.remote;
	rule->remote_port = key.remote_port;
	rule->local_port = key.local_port;
	more->reverse = s->flags & 0x80 ? 0 : 1;
	more->peer.from = s->peer_from;
	more->peer.to = s->peer_to;
	more->peer_seq_offset = s->peer_seq_offset;
	more->pts.clock_hz[0] = more->pts.clock_hz[1] = 8000; /* of payload type 0, and 8 */
	more->pts.pt[1] = 8;
	set_egress(&rule->egress, s, 0, 0);
	set_egress(&more->rtcp, s, 0, s->shape & 16);
	if (s->fan & 1) {
		rule->flags |= RULE_F_FAN;
		set_fan(r, s);
	}
	if (!(s->group & 1))
		return;
	rule->flags |= RULE_F_GROUP;
	rule->local = TANDEM_NO_LOCAL;
	more->group = key.local;
	if (!(s->group & 4))
		key.remote_port = 0;
	if (!(s->group & 6))
		memset(&key.remote, 0, sizeof(key.remote));
	rule->remote = key.remote;
	rule->remote_port = key.remote_port;
	entry = env_shared_entry(&r->tables, &key, 1);
	entry->key = key;
	entry->slot = SLOTS - 1;
}

static void relay_init(struct relay *r, struct setup *s)
{
	memset(r, 0, sizeof(*r));
	memset(r->shared, 0xff, sizeof(r->shared));
	r->tables = (struct env_tables){ .entries = r->entries,
					 .rules_more = r->rules_more,
					 .flows_more = r->flows_more,
					 .fans = &r->fan,
					 .fan_states = &r->fan_state,
					 .legs = r->legs,
					 .leg_states = r->leg_states,
					 .shared = r->shared,
					 .shared_size = 4,
					 .streams = r->streams,
					 .streams_size = 16 };
	r->tables.config.slots = SLOTS;
	r->tables.config.fans = 1;
	r->tables.config.legs = LEGS;
	r->tables.config.locals_count = 2;
	r->tables.config.port_base = 20000;
	r->tables.config.port_count = 2;
	r->tables.config.nexthop_age_ns = 1000;
	set_ip(&r->tables.config.locals[0], s->shape & 2, 1);
	set_ip(&r->tables.config.locals[1], 0, 8);
	set_ip(&r->tables.config.locals[2], 1, 8); /* to send from alone */
	r->env.tables = &r->tables;
	r->env.nexthop = nexthop;
	r->env.nexthop_arg = s;
	r->env.now_ns = 1000000000;
	set_rule(r, s);
}

/* What became of a payload, for comparison: of each leg, or of the one egress. */
struct payloads {
	uint8_t data[LEGS][FRAME_MAX];
	uint32_t len[LEGS]; /* 0: there is none */
	int many;
};

/* The frame in a buffer that ends where it does. */
static char *put_frame(struct env *env, const uint8_t *frame, size_t len)
{
	char *buffer = malloc(HEADROOM + PAD + len);

	check(buffer != NULL);
	memcpy(buffer + HEADROOM + PAD, frame, len);
	env->frame.buffer = buffer;
	env->frame.data = buffer + HEADROOM + PAD;
	env->frame.end = env->frame.data + len;
	env->frame.limit = env->frame.end;
	return buffer;
}

/* A frame that leaves. */
static void leave(const struct env *env, const struct setup *s, const uint8_t *in, size_t in_len,
		  struct payloads *p, unsigned int n)
{
	const uint8_t *out = (uint8_t *)env->frame.data;
	size_t len = (size_t)(env->frame.end - env->frame.data), udp;

	check_forwarded(s, in, in_len, out, len);
	layers(out, &udp);
	p->len[n] = ((uint32_t)out[udp + 4] << 8 | out[udp + 5]) - 8;
	memcpy(p->data[n], out + udp + 8, p->len[n]);
}

static void run_copies(struct env *env, const struct setup *s, const struct frame *f,
		       struct plan *plan, const uint8_t *frame, size_t len, struct payloads *p)
{
	const __u64 *counted = env->counters.packets;
	__u64 before = counted[REASON_copies_sent] + counted[REASON_copies_lost];
	__u32 ifindex, n;

	check(plan->legs > 1 && plan->legs <= LEGS);
	for (n = 0; n < plan->legs; n++) {
		char *buffer = put_frame(env, frame, len);

		if (relay_copy(env, f, plan, n, &ifindex) == REASON_NONE) {
			check(ifindex == 3);
			leave(env, s, frame, len, p, n);
		}
		free(buffer);
	}
	check(counted[REASON_copies_sent] + counted[REASON_copies_lost] == before + plan->legs);
}

static void run_frame(struct env *env, const struct setup *s, const uint8_t *frame, size_t len,
		      struct payloads *p)
{
	char *buffer = put_frame(env, frame, len);
	enum verdict verdict;
	__u32 ifindex = 0;
	struct plan plan;
	struct frame f;

	memset(p->len, 0, sizeof(p->len));
	p->many = 0;
	verdict = reason_verdict(relay_frame(env, &f, &plan, &ifindex));
	p->many = verdict == VERDICT_FORWARD && plan_many(&plan);
	if (verdict == VERDICT_PUNT || p->many) {
		check((size_t)(env->frame.end - env->frame.data) == len);
		check(!memcmp(env->frame.data, frame, len));
	} else if (verdict == VERDICT_FORWARD) {
		check(ifindex == 3);
		leave(env, s, frame, len, p, 0);
	}
	free(buffer);
	if (p->many)
		run_copies(env, s, &f, &plan, frame, len, p);
}

static void compare(const struct payloads *p, unsigned int n, const uint8_t *payload, size_t len)
{
	if (p->len[n])
		check(p->len[n] == len && !memcmp(p->data[n], payload, len));
}

/* The payload alone, which becomes the same wherever a frame left. */
static void run_datagram(struct env *env, const struct setup *s, const uint8_t *in, size_t len,
			 const struct payloads *p)
{
	struct flow_key key = { .remote_port = net16(4000), .local_port = net16(20000) };
	uint8_t *payload = malloc(len + !len), *copy = malloc(len + !len);
	const struct egress *egress;
	struct plan plan;
	__u32 n;

	check(payload && copy);
	set_ip(&key.remote, s->shape & 2, 2);
	set_local(&key.local, s);
	memcpy(payload, in, len);
	if (reason_verdict(relay_datagram(env, &key, payload, (__u32)len, &plan)) !=
	    VERDICT_FORWARD) {
		check(!p->many && !p->len[0]);
	} else if (plan_many(&plan)) {
		check(!memcmp(payload, in, len));
		for (n = 0; n < plan.legs; n++) {
			memcpy(copy, payload, len);
			if (relay_copy_datagram(env, &plan, n, copy, (__u32)len, &egress) ==
			    REASON_NONE)
				compare(p, n, copy, len);
			else
				check(!p->len[n]);
		}
	} else {
		check(!p->many);
		compare(p, 0, payload, len);
	}
	free(payload);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A second packet finds streams and next hops; later ones what patience has an end to. */
	static const __u64 pauses[] = { 0, 20000000, 1000000000, 20000000 };
	static uint8_t frame[FRAME_MAX];
	static struct relay frames, datagrams;
	static struct payloads payloads;
	struct setup s;
	size_t len, i;

	if (size < sizeof(s) || size > FRAME_MAX - 70)
		return 0;
	memcpy(&s, data, sizeof(s));
	data += sizeof(s);
	size -= sizeof(s);
	relay_init(&frames, &s);
	relay_init(&datagrams, &s);

	if (s.shape & 1) {
		memcpy(frame, data, size);
		len = size;
	} else {
		len = put_headers(frame, &s, data, size) + size;
	}
	for (i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		frames.env.now_ns += pauses[i];
		datagrams.env.now_ns += pauses[i];
		run_frame(&frames.env, &s, frame, len, &payloads);
		if (!(s.shape & 1))
			run_datagram(&datagrams.env, &s, data, size, &payloads);
	}
	return 0;
}
