/* SPDX-License-Identifier: GPL-2.0-only */
/* The rule, egress, branch and leg lines of a case. Included by vec_case.h. */
#ifndef TANDEM_TESTS_VEC_RULE_H
#define TANDEM_TESTS_VEC_RULE_H

static uint32_t vec_flags(const char *l)
{
	static const struct {
		const char *name;
		uint32_t flag;
	} flags[] = {
		{ "shared", RULE_F_SHARED },	{ "learn", RULE_F_LEARN },
		{ "strict", RULE_F_STRICT_PT }, { "mute", RULE_F_MUTE },
		{ "rtcp-only", RULE_F_RTCP },	{ "srtp", RULE_F_SRTP },
		{ "ice", RULE_F_ICE },		{ "dtls", RULE_F_DTLS },
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
static void vec_pts(const char *s, struct tandem_rule *r)
{
	char *next;

	for (int i = 0; s && *s; i++) {
		if (i == TANDEM_MAX_PTS)
			vec_die("too many pts at '%s'", s);
		__u8 out = r->pts.pt[i] = (__u8)strtoul(s, &next, 0);

		if (*next == '>')
			out = (__u8)strtoul(next + 1, &next, 0);
		if (*next != ':')
			vec_die("clock expected in pts at '%s'", s);
		r->egress[EGRESS_RTP].pt_out[i] = r->egress[EGRESS_RTCP].pt_out[i] = out;
		r->pts.clock_hz[i] = (__u32)strtoul(next + 1, &next, 0);
		s = *next == ',' ? next + 1 : next;
	}
}

/* The key; a local that is a group makes the rule one for a group. */
static void vec_key(struct tandem_rule *r, const char *l, const char *local)
{
	const char *s;

	vec_endpoint(local, &r->key.local, &r->key.local_port);
	if ((s = vec_word(l, "from")))
		vec_endpoint(s, &r->key.remote, &r->key.remote_port);
	if (!ip_addr_is_group(&r->key.local))
		return;
	r->flags |= RULE_F_GROUP;
	if (!vec_word(l, "slot"))
		vec_die("the rule of a group needs slot=@N");
}

/*
 * rule LOCAL [from=REMOTE] [slot=@N] [id=N] [flags] [pts=...] [media=SLOT] [reverse=SLOT]
 *      [peer=FROM>TO] [peer-seq=N] [keys=N]
 */
static struct tandem_rule *vec_rule(struct vec_case *c, const char *l)
{
	char local[64];
	const char *s;
	unsigned int slot;
	struct tandem_rule *r;

	if (sscanf(l, "rule %63s", local) != 1)
		vec_die("rule needs a local address");
	s = vec_word(l, "slot");
	slot = vec_slot(c, s ? s : local);
	if (slot >= VEC_SLOTS || (s && c->shared_count == VEC_SHARED))
		vec_die("no such slot: %s", l);
	r = &c->rules[slot];
	r->gen = 2;
	r->flags = vec_flags(l);
	vec_key(r, l, local);
	r->id = vec_num(l, "id", slot + 1);
	r->media = (s = vec_word(l, "media")) ? vec_slot(c, s) : slot;
	r->reverse = (s = vec_word(l, "reverse")) ? vec_slot(c, s) : TANDEM_NO_SLOT;
	c->keys_in[slot] = vec_keys_index(vec_num(l, "keys", SRTP_NO_KEYS));
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

/* Place of a payload type in the rule's list. */
static unsigned int vec_pt_index(const struct tandem_rule *r, unsigned long pt)
{
	unsigned int i;

	for (i = 0; i < TANDEM_MAX_PTS && r->pts.clock_hz[i]; i++) {
		if (r->pts.pt[i] == pt)
			return i;
	}
	vec_die("payload type %lu is not among the rule's", pt);
	return 0;
}

/* PT,...: a bit for each. */
static __u8 vec_pt_bits(const struct tandem_rule *r, const char *s)
{
	unsigned int bits = 0;
	char *next;

	for (; s && *s; s = *next == ',' ? next + 1 : next)
		bits |= 1U << vec_pt_index(r, strtoul(s, &next, 0));
	return (__u8)bits;
}

/* pt=IN>OUT,...; pt alone: as the rule's pts say. Those not named stay as they are. */
static void vec_pt_out(const struct tandem_rule *r, struct tandem_egress *eg, const char *s)
{
	char *next;

	if (!s)
		return;
	eg->flags |= EGRESS_F_PT;
	memcpy(eg->pt_out, *s ? r->pts.pt : r->egress[EGRESS_RTP].pt_out, sizeof(eg->pt_out));
	for (; *s; s = *next == ',' ? next + 1 : next) {
		unsigned int i = vec_pt_index(r, strtoul(s, &next, 0));

		if (*next != '>')
			vec_die("IN>OUT expected in pt at '%s'", s);
		eg->pt_out[i] = (__u8)strtoul(next + 1, &next, 0);
	}
}

/* act=PT:WHAT,... of an egress; rest in place of PT: all that are not listed in pts. */
static void vec_acts(const struct tandem_rule *r, struct tandem_egress *eg, const char *s)
{
	static const char *const names[ACT_COUNT] = { "pass", "block", "ulaw", "alaw", "linear",
						      "g722", "cn",    "opus", "g729" };
	unsigned int act, i;
	char pt[8], what[16];
	int len = 0;

	for (; s && *s; s += len + (s[len] == ',')) {
		if (sscanf(s, "%7[^:]:%15[a-z0-9]%n", pt, what, &len) != 2)
			vec_die("PT:WHAT expected in act at '%s'", s);
		for (act = 0; act < ACT_COUNT && strcmp(names[act], what);)
			act++;
		if (act == ACT_COUNT)
			vec_die("no such act: %s", what);
		eg->flags |= EGRESS_F_ACTS;
		if (!strcmp(pt, "rest")) {
			eg->act_rest = (__u8)act;
			continue;
		}
		i = vec_pt_index(r, strtoul(pt, NULL, 0));
		eg->acts = (eg->acts & ~(0xfU << 4 * i)) | act << 4 * i;
	}
}

/*
 * LOCAL>REMOTE [ssrc=A>B] [seq=N] [ts=N] [pt[=IN>OUT,...]] [dscp=N] [ttl=N] [alaw=PT,...]
 * [ulaw=PT,...] [act=PT:WHAT,...], behind the first word of l.
 */
static void vec_way(const struct tandem_rule *r, const char *l, struct tandem_egress *eg)
{
	char a[64], b[64];
	const char *s;

	memset(eg, 0, sizeof(*eg));
	eg->flags = EGRESS_F_ACTIVE;
	vec_pair(l, a, b, sizeof(a));
	vec_endpoint(a, &eg->local, &eg->local_port);
	vec_endpoint(b, &eg->remote, &eg->remote_port);
	if ((s = vec_word(l, "ssrc"))) {
		vec_map(s, &eg->ssrc);
		eg->flags |= EGRESS_F_SSRC;
	}
	eg->seq_offset = (__u16)vec_num(l, "seq", 0);
	eg->ts_offset = (__u32)vec_num(l, "ts", 0);
	eg->dscp = (__u8)vec_num(l, "dscp", 0);
	eg->ttl = (__u8)vec_num(l, "ttl", 0);
	eg->flags |= vec_word(l, "seq") ? EGRESS_F_SEQ : 0;
	eg->flags |= vec_word(l, "ts") ? EGRESS_F_TS : 0;
	eg->flags |= vec_word(l, "dscp") ? EGRESS_F_DSCP : 0;
	vec_pt_out(r, eg, vec_word(l, "pt"));
	eg->to_alaw = vec_pt_bits(r, vec_word(l, "alaw"));
	eg->to_ulaw = vec_pt_bits(r, vec_word(l, "ulaw"));
	vec_acts(r, eg, vec_word(l, "act"));
}

/* rtp|rtcp|both, of the rule before. */
static void vec_egress(struct vec_case *c, struct tandem_rule *r, const char *l)
{
	uint32_t *keys, index = vec_keys_index(vec_num(l, "keys", SRTP_NO_KEYS));
	__u8 pt_out[TANDEM_MAX_PTS];
	struct tandem_egress eg;

	if (!r)
		vec_die("egress without a rule");
	/* What pts says they leave with is kept there until some line asks for it. */
	memcpy(pt_out, r->egress[EGRESS_RTP].pt_out, sizeof(pt_out));
	vec_way(r, l, &eg);
	if (!(eg.flags & EGRESS_F_PT))
		memcpy(eg.pt_out, pt_out, sizeof(eg.pt_out));
	keys = c->keys_out[r - c->rules];
	if (strncmp(l, "rtcp", 4)) {
		r->egress[EGRESS_RTP] = eg;
		keys[EGRESS_RTP] = index;
	}
	if (strncmp(l, "rtp ", 4)) {
		r->egress[EGRESS_RTCP] = eg;
		keys[EGRESS_RTCP] = index;
	}
}

/* branch any|rtcp|SSRC, of the rule before; the first one gives it a fan. */
static void vec_branch(struct vec_case *c, struct tandem_rule *r, const char *l)
{
	char what[32];
	struct branch *b;
	struct fan *fan;

	if (!r || sscanf(l, "branch %31s", what) != 1)
		vec_die("branch any|rtcp|SSRC expected behind a rule");
	if (!(r->flags & RULE_F_FAN)) {
		if (c->fan_count == VEC_FANS)
			vec_die("too many rules with branches");
		r->flags |= RULE_F_FAN;
		r->fan = c->fan_count++;
	}
	fan = &c->fans[r->fan];
	if (fan->branch_count == TANDEM_MAX_BRANCHES)
		vec_die("too many branches");
	b = &fan->branch[fan->branch_count++];
	b->first = c->leg_count;
	if (!strcmp(what, "any"))
		b->flags = BRANCH_F_ANY;
	else if (!strcmp(what, "rtcp"))
		b->flags = BRANCH_F_RTCP;
	else
		b->ssrc = (__u32)strtoul(what, NULL, 0);
}

/* leg ..., of the branch before: as an egress, and [ext=ID>ID,...] */
static void vec_leg(struct vec_case *c, const struct tandem_rule *r, const char *l)
{
	struct fan *fan = r && r->flags & RULE_F_FAN ? &c->fans[r->fan] : NULL;
	struct branch *b;
	struct tandem_leg_spec *leg;
	const char *s;
	char *next;

	if (!fan || c->leg_count == VEC_LEGS)
		vec_die("a leg needs a branch, and there are %d legs", VEC_LEGS);
	b = &fan->branch[fan->branch_count - 1];
	c->leg_keys[c->leg_count] = vec_keys_index(vec_num(l, "keys", SRTP_NO_KEYS));
	leg = &c->leg_specs[c->leg_count++];
	b->count++;
	vec_way(r, l, &leg->egress);
	if (!ip_addr_is_v4(&leg->egress.remote))
		b->flags |= BRANCH_F_IP6;
	s = vec_word(l, "ext");
	leg->egress.flags |= s ? EGRESS_F_EXT : 0;
	for (; s && *s; s = *next == ',' ? next + 1 : next) {
		unsigned long id = strtoul(s, &next, 0);

		if (*next != '>' || id >= TANDEM_EXT_IDS)
			vec_die("ID>ID expected in ext at '%s'", s);
		leg->ext_id[id] = (__u8)strtoul(next + 1, &next, 0);
	}
}

/* What a fan repeats of the rule in a slot. */
static void vec_attach(const struct vec_case *c, struct fan *fan, unsigned int slot)
{
	fan->slot = slot;
	fan->flags = c->entries[slot].rule.flags;
	fan->id = c->entries[slot].rule.id;
	fan->pts = c->rules_more[slot].pts;
}

/* Rules and legs as packets see them. */
static void vec_split(struct vec_case *c, const char *path)
{
	int err = 0;

	for (unsigned int i = 0; i < VEC_SLOTS && !err; i++)
		err = tandem_rule_split(&c->config, &c->rules[i], &c->entries[i].rule,
					&c->rules_more[i]);
	for (unsigned int i = 0; i < c->leg_count && !err; i++) {
		err = tandem_egress_split(&c->config, &c->leg_specs[i].egress, &c->legs[i].egress);
		memcpy(c->legs[i].ext_id, c->leg_specs[i].ext_id, sizeof(c->legs[i].ext_id));
	}
	if (err)
		vec_die("%s: an address that is none of the relay's", path);
	for (unsigned int i = 0; i < VEC_SLOTS; i++) {
		c->entries[i].rule.srtp = c->keys_in[i];
		c->entries[i].rule.egress.srtp = c->keys_out[i][EGRESS_RTP];
		c->rules_more[i].rtcp.srtp = c->keys_out[i][EGRESS_RTCP];
	}
	for (unsigned int i = 0; i < c->leg_count; i++)
		c->legs[i].egress.srtp = c->leg_keys[i];
	for (unsigned int i = 0; i < c->leg_count; i++)
		c->legs[i].egress.state = i;
	for (unsigned int i = 0; i < VEC_SLOTS; i++) {
		const struct rule *r = &c->entries[i].rule;

		if (r->flags & RULE_F_FAN)
			vec_attach(c, &c->fans[r->fan], i);
	}
}

#endif
