// SPDX-License-Identifier: GPL-2.0-only
/* The generic netlink family; docs/kmod.md describes it. */
#include <linux/module.h>
#include <net/genetlink.h>

#include "core/genl.h"
#include "kmod/tandem.h"

static const struct nla_policy policy[TANDEM_ATTR_COUNT] = {
	[TANDEM_ATTR_CONFIG] = NLA_POLICY_EXACT_LEN(sizeof(struct relay_config)),
	[TANDEM_ATTR_STREAM_CAPACITY] = { .type = NLA_U32 },
	[TANDEM_ATTR_SLOT] = { .type = NLA_U32 },
	[TANDEM_ATTR_RULE] = NLA_POLICY_EXACT_LEN(sizeof(struct rule)),
	[TANDEM_ATTR_FLOW] = NLA_POLICY_EXACT_LEN(sizeof(struct flow)),
	[TANDEM_ATTR_STREAM] = { .type = NLA_REJECT },
	[TANDEM_ATTR_COUNTERS] = { .type = NLA_REJECT },
	[TANDEM_ATTR_FAN] = NLA_POLICY_EXACT_LEN(sizeof(struct fan)),
	[TANDEM_ATTR_LEG_INDEX] = { .type = NLA_U32 },
	[TANDEM_ATTR_LEGS] = { .type = NLA_BINARY,
			       .len = TANDEM_GENL_LEGS * sizeof(struct genl_leg) },
	[TANDEM_ATTR_LEG] = { .type = NLA_REJECT },
	[TANDEM_ATTR_LEG_STATE] = { .type = NLA_REJECT },
	[TANDEM_ATTR_RULE_MORE] = NLA_POLICY_EXACT_LEN(sizeof(struct rule_more)),
	[TANDEM_ATTR_FLOW_MORE] = NLA_POLICY_EXACT_LEN(sizeof(struct flow_more)),
	[TANDEM_ATTR_SRTP_INDEX] = { .type = NLA_U32 },
	[TANDEM_ATTR_SRTP_KEYS] = NLA_POLICY_EXACT_LEN(sizeof(struct srtp_keys)),
	[TANDEM_ATTR_TABLE] = { .type = NLA_REJECT },
};

static struct genl_family family;

/* The namespace's table, locked; NULL when it is not configured. */
static struct tandem_table *table_lock(struct tandem_net *tn)
{
	mutex_lock(&tn->lock);
	return rcu_dereference_protected(tn->table, lockdep_is_held(&tn->lock));
}

static bool same_config(const struct tandem_table *t, const struct relay_config *config,
			u32 stream_capacity)
{
	struct relay_config theirs = *config;

	theirs.nexthop_age_ns = t->config.nexthop_age_ns;
	return t->stream_capacity == stream_capacity &&
	       !memcmp(&t->config, &theirs, sizeof(theirs));
}

static int config_replace(struct net *net, const struct relay_config *config, u32 stream_capacity)
{
	struct tandem_table *table;
	int err = tandem_table_alloc(&table, config, stream_capacity);

	if (err)
		return err;
	err = tandem_net_use(net, table);
	if (err)
		tandem_table_free(table);
	return err;
}

/* The same configuration again changes nothing; another is refused while there are flows. */
static int config_set(struct sk_buff *skb, struct genl_info *info)
{
	struct net *net = genl_info_net(info);
	struct tandem_net *tn = tandem_net(net);
	struct relay_config config;
	struct tandem_table *old;
	u32 streams;
	int err = 0;

	if (!info->attrs[TANDEM_ATTR_CONFIG] || !info->attrs[TANDEM_ATTR_STREAM_CAPACITY])
		return -EINVAL;
	nla_memcpy(&config, info->attrs[TANDEM_ATTR_CONFIG], sizeof(config));
	streams = nla_get_u32(info->attrs[TANDEM_ATTR_STREAM_CAPACITY]);
	old = table_lock(tn);
	if (!old || !same_config(old, &config, streams))
		err = old && tandem_table_any_active(old) ? -EBUSY
							  : config_replace(net, &config, streams);
	mutex_unlock(&tn->lock);
	return err;
}

/* One LEGS attribute: count its legs, and copy them if there is room for them. */
static int fan_legs_take(const struct nlattr *attr, struct fan_spec *spec)
{
	u32 n = nla_len(attr) / sizeof(*spec->legs);

	if (nla_len(attr) % sizeof(*spec->legs))
		return -EINVAL;
	if (spec->legs)
		memcpy(&spec->legs[spec->range.count], nla_data(attr), nla_len(attr));
	spec->range.count += n;
	return 0;
}

static int fan_legs_each(const struct genl_info *info, struct fan_spec *spec)
{
	const struct nlattr *attr;
	int rem, err = 0;

	spec->range.count = 0;
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem)
	{
		if (nla_type(attr) == TANDEM_ATTR_LEGS)
			err = fan_legs_take(attr, spec);
		if (err)
			return err;
	}
	return 0;
}

/* The fan of a request, for fan_free(); *specp is NULL when it has none. */
static int fan_read(const struct genl_info *info, struct fan_spec **specp)
{
	struct fan_spec *spec;
	int err;

	*specp = NULL;
	if (!info->attrs[TANDEM_ATTR_FAN])
		return 0;
	spec = kzalloc(sizeof(*spec), GFP_KERNEL);
	if (!spec)
		return -ENOMEM;
	*specp = spec;
	nla_memcpy(&spec->fan, info->attrs[TANDEM_ATTR_FAN], sizeof(spec->fan));
	if (info->attrs[TANDEM_ATTR_LEG_INDEX])
		spec->range.first = nla_get_u32(info->attrs[TANDEM_ATTR_LEG_INDEX]);
	err = fan_legs_each(info, spec);
	if (err || !spec->range.count)
		return err;
	spec->legs = kvcalloc(spec->range.count, sizeof(*spec->legs), GFP_KERNEL);
	return spec->legs ? fan_legs_each(info, spec) : -ENOMEM;
}

static void fan_free(struct fan_spec *spec)
{
	if (spec)
		kvfree(spec->legs);
	kfree(spec);
}

static int flow_set(struct sk_buff *skb, struct genl_info *info)
{
	struct tandem_net *tn = tandem_net(genl_info_net(info));
	struct nlattr *state = info->attrs[TANDEM_ATTR_FLOW];
	struct tandem_table *table;
	struct flow_state flow;
	struct rule_spec rule;
	struct fan_spec *fan;
	u32 slot;
	int err;

	if (!info->attrs[TANDEM_ATTR_SLOT] || !info->attrs[TANDEM_ATTR_RULE] ||
	    !info->attrs[TANDEM_ATTR_RULE_MORE] || !state != !info->attrs[TANDEM_ATTR_FLOW_MORE])
		return -EINVAL;
	err = fan_read(info, &fan);
	if (err)
		goto out;
	slot = nla_get_u32(info->attrs[TANDEM_ATTR_SLOT]);
	nla_memcpy(&rule.rule, info->attrs[TANDEM_ATTR_RULE], sizeof(rule.rule));
	nla_memcpy(&rule.more, info->attrs[TANDEM_ATTR_RULE_MORE], sizeof(rule.more));
	if (state) {
		nla_memcpy(&flow.flow, state, sizeof(flow.flow));
		nla_memcpy(&flow.more, info->attrs[TANDEM_ATTR_FLOW_MORE], sizeof(flow.more));
	}
	table = table_lock(tn);
	err = table ? tandem_table_set(table, slot, &rule, state ? &flow : NULL, fan) : -ENODEV;
	mutex_unlock(&tn->lock);
out:
	fan_free(fan);
	return err;
}

static int flow_del(struct sk_buff *skb, struct genl_info *info)
{
	struct tandem_net *tn = tandem_net(genl_info_net(info));
	struct tandem_table *table;
	int err;

	if (!info->attrs[TANDEM_ATTR_SLOT])
		return -EINVAL;
	table = table_lock(tn);
	err = table ? tandem_table_del(table, nla_get_u32(info->attrs[TANDEM_ATTR_SLOT])) : -ENODEV;
	mutex_unlock(&tn->lock);
	return err;
}

static int srtp_set(struct sk_buff *skb, struct genl_info *info)
{
	struct tandem_net *tn = tandem_net(genl_info_net(info));
	struct nlattr *attr = info->attrs[TANDEM_ATTR_SRTP_KEYS];
	struct tandem_table *table;
	struct srtp_keys keys;
	u32 index;
	int err;

	if (!info->attrs[TANDEM_ATTR_SRTP_INDEX])
		return -EINVAL;
	index = nla_get_u32(info->attrs[TANDEM_ATTR_SRTP_INDEX]);
	if (attr)
		nla_memcpy(&keys, attr, sizeof(keys));
	table = table_lock(tn);
	err = table ? tandem_srtp_set(&table->srtp, index, attr ? &keys : NULL) : -ENODEV;
	mutex_unlock(&tn->lock);
	/* Neither here nor in the memory that the message gives back. */
	memzero_explicit(&keys, sizeof(keys));
	if (attr)
		memzero_explicit(nla_data(attr), nla_len(attr));
	return err;
}

static int reset(struct sk_buff *skb, struct genl_info *info)
{
	struct net *net = genl_info_net(info);
	struct tandem_net *tn = tandem_net(net);

	mutex_lock(&tn->lock);
	tandem_net_use(net, NULL);
	mutex_unlock(&tn->lock);
	return 0;
}

/* ---- answers ---- */

static int put_config(struct sk_buff *msg, struct tandem_table *t, struct genl_info *info)
{
	if (nla_put(msg, TANDEM_ATTR_CONFIG, sizeof(t->config), &t->config) ||
	    nla_put_u32(msg, TANDEM_ATTR_TABLE, t->number))
		return -EMSGSIZE;
	return nla_put_u32(msg, TANDEM_ATTR_STREAM_CAPACITY, t->stream_capacity);
}

static int put_counters(struct sk_buff *msg, struct tandem_table *t, struct genl_info *info)
{
	struct reason_counters sum;

	tandem_counters_sum(t, &sum);
	return nla_put(msg, TANDEM_ATTR_COUNTERS, sizeof(sum), &sum);
}

static int put_slot(struct sk_buff *msg, const struct tandem_table *t, u32 slot)
{
	const struct rule *r = &t->entries[slot].rule;

	if (nla_put_u32(msg, TANDEM_ATTR_SLOT, slot) ||
	    nla_put(msg, TANDEM_ATTR_RULE, sizeof(*r), r) ||
	    nla_put(msg, TANDEM_ATTR_RULE_MORE, sizeof(*t->rules_more), &t->rules_more[slot]))
		return -EMSGSIZE;
	if (r->flags & RULE_F_FAN &&
	    nla_put(msg, TANDEM_ATTR_FAN, sizeof(*t->fans), &t->fans[r->fan]))
		return -EMSGSIZE;
	if (nla_put(msg, TANDEM_ATTR_FLOW, sizeof(t->entries->flow), &t->entries[slot].flow))
		return -EMSGSIZE;
	return nla_put(msg, TANDEM_ATTR_FLOW_MORE, sizeof(*t->flows_more), &t->flows_more[slot]);
}

static int put_flow(struct sk_buff *msg, struct tandem_table *t, struct genl_info *info)
{
	u32 slot;

	if (!info->attrs[TANDEM_ATTR_SLOT])
		return -EINVAL;
	slot = nla_get_u32(info->attrs[TANDEM_ATTR_SLOT]);
	if (slot >= t->config.slots || !(t->entries[slot].rule.flags & RULE_F_ACTIVE))
		return -ENOENT;
	return put_slot(msg, t, slot);
}

typedef int(put_h)(struct sk_buff *msg, struct tandem_table *t, struct genl_info *info);

/* One message with what put_h puts there. */
static int answer(struct genl_info *info, u8 cmd, put_h *h)
{
	struct tandem_net *tn = tandem_net(genl_info_net(info));
	struct sk_buff *msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	struct tandem_table *table;
	void *head;
	int err;

	if (!msg)
		return -ENOMEM;
	head = genlmsg_put_reply(msg, info, &family, 0, cmd);
	table = table_lock(tn);
	if (!head)
		err = -EMSGSIZE;
	else
		err = table ? h(msg, table, info) : -ENODEV;
	mutex_unlock(&tn->lock);
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	genlmsg_end(msg, head);
	return genlmsg_reply(msg, info);
}

static int config_get(struct sk_buff *skb, struct genl_info *info)
{
	return answer(info, TANDEM_CMD_CONFIG_GET, put_config);
}

static int flow_get(struct sk_buff *skb, struct genl_info *info)
{
	return answer(info, TANDEM_CMD_FLOW_GET, put_flow);
}

static int counters_get(struct sk_buff *skb, struct genl_info *info)
{
	return answer(info, TANDEM_CMD_COUNTERS_GET, put_counters);
}

/* ---- dumps: args[0] is where to go on ---- */

static void *dump_head(struct sk_buff *msg, struct netlink_callback *cb, u8 cmd)
{
	return genlmsg_put(msg, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &family,
			   NLM_F_MULTI, cmd);
}

static bool dump_flow(struct sk_buff *msg, struct netlink_callback *cb,
		      const struct tandem_table *t, u32 slot)
{
	void *head = dump_head(msg, cb, TANDEM_CMD_FLOW_GET);

	if (!head)
		return false;
	if (put_slot(msg, t, slot)) {
		genlmsg_cancel(msg, head);
		return false;
	}
	genlmsg_end(msg, head);
	return true;
}

static int flow_dump(struct sk_buff *msg, struct netlink_callback *cb)
{
	struct tandem_net *tn = tandem_net(sock_net(cb->skb->sk));
	struct tandem_table *table = table_lock(tn);

	for (; table && cb->args[0] < table->config.slots; cb->args[0]++) {
		if (!(table->entries[cb->args[0]].rule.flags & RULE_F_ACTIVE))
			continue;
		if (!dump_flow(msg, cb, table, cb->args[0]))
			break;
	}
	mutex_unlock(&tn->lock);
	return msg->len;
}

static bool dump_stream(struct sk_buff *msg, struct netlink_callback *cb,
			const struct stream_entry *e)
{
	void *head = dump_head(msg, cb, TANDEM_CMD_STREAMS_GET);

	if (!head)
		return false;
	if (nla_put_u32(msg, TANDEM_ATTR_SLOT, (u32)(e->key >> 32) - 1) ||
	    nla_put(msg, TANDEM_ATTR_STREAM, sizeof(e->extra), &e->extra)) {
		genlmsg_cancel(msg, head);
		return false;
	}
	genlmsg_end(msg, head);
	return true;
}

static int streams_dump(struct sk_buff *msg, struct netlink_callback *cb)
{
	struct nlattr *only = nlmsg_find_attr(cb->nlh, GENL_HDRLEN, TANDEM_ATTR_SLOT);
	struct tandem_net *tn = tandem_net(sock_net(cb->skb->sk));
	struct tandem_table *table = table_lock(tn);
	const struct stream_entry *e;

	for (; table && cb->args[0] <= table->streams_mask; cb->args[0]++) {
		e = &table->streams[cb->args[0]];
		if (!e->key || (only && e->key >> 32 != (u64)nla_get_u32(only) + 1))
			continue;
		if (!dump_stream(msg, cb, e))
			break;
	}
	mutex_unlock(&tn->lock);
	return msg->len;
}

static bool dump_leg(struct sk_buff *msg, struct netlink_callback *cb, const struct tandem_table *t,
		     u32 leg)
{
	void *head = dump_head(msg, cb, TANDEM_CMD_LEGS_GET);

	if (!head)
		return false;
	if (nla_put_u32(msg, TANDEM_ATTR_LEG_INDEX, leg) ||
	    nla_put(msg, TANDEM_ATTR_LEG, sizeof(*t->legs), &t->legs[leg]) ||
	    nla_put(msg, TANDEM_ATTR_LEG_STATE, sizeof(*t->leg_states),
		    &t->leg_states[t->legs[leg].egress.state])) {
		genlmsg_cancel(msg, head);
		return false;
	}
	genlmsg_end(msg, head);
	return true;
}

static int legs_dump(struct sk_buff *msg, struct netlink_callback *cb)
{
	struct nlattr *slot = nlmsg_find_attr(cb->nlh, GENL_HDRLEN, TANDEM_ATTR_SLOT);
	struct tandem_net *tn = tandem_net(sock_net(cb->skb->sk));
	struct tandem_table *table;
	struct leg_range legs = {};

	if (!slot)
		return -EINVAL;
	table = table_lock(tn);
	if (table && nla_get_u32(slot) < table->config.slots)
		legs = tandem_table_legs(table, nla_get_u32(slot));
	for (; cb->args[0] < legs.count; cb->args[0]++) {
		if (!dump_leg(msg, cb, table, legs.first + cb->args[0]))
			break;
	}
	mutex_unlock(&tn->lock);
	return msg->len;
}

static bool dump_keys(struct sk_buff *msg, struct netlink_callback *cb,
		      const struct tandem_srtp *srtp, u32 index)
{
	void *head = dump_head(msg, cb, TANDEM_CMD_SRTP_GET);

	if (!head)
		return false;
	if (nla_put_u32(msg, TANDEM_ATTR_SRTP_INDEX, index) ||
	    nla_put(msg, TANDEM_ATTR_SRTP_KEYS, sizeof(*srtp->keys), &srtp->keys[index])) {
		genlmsg_cancel(msg, head);
		return false;
	}
	genlmsg_end(msg, head);
	return true;
}

static int srtp_dump(struct sk_buff *msg, struct netlink_callback *cb)
{
	struct tandem_net *tn = tandem_net(sock_net(cb->skb->sk));
	struct tandem_table *table = table_lock(tn);

	for (; table && cb->args[0] < table->srtp.count; cb->args[0]++) {
		if (!tandem_srtp_is_set(&table->srtp, cb->args[0]))
			continue;
		if (!dump_keys(msg, cb, &table->srtp, cb->args[0]))
			break;
	}
	mutex_unlock(&tn->lock);
	return msg->len;
}

static const struct genl_ops ops[] = {
	{ .cmd = TANDEM_CMD_CONFIG_SET, .flags = GENL_UNS_ADMIN_PERM, .doit = config_set },
	{ .cmd = TANDEM_CMD_CONFIG_GET, .flags = GENL_UNS_ADMIN_PERM, .doit = config_get },
	{ .cmd = TANDEM_CMD_FLOW_SET, .flags = GENL_UNS_ADMIN_PERM, .doit = flow_set },
	{ .cmd = TANDEM_CMD_FLOW_DEL, .flags = GENL_UNS_ADMIN_PERM, .doit = flow_del },
	{ .cmd = TANDEM_CMD_FLOW_GET,
	  .flags = GENL_UNS_ADMIN_PERM,
	  .doit = flow_get,
	  .dumpit = flow_dump },
	{ .cmd = TANDEM_CMD_STREAMS_GET, .flags = GENL_UNS_ADMIN_PERM, .dumpit = streams_dump },
	{ .cmd = TANDEM_CMD_COUNTERS_GET, .flags = GENL_UNS_ADMIN_PERM, .doit = counters_get },
	{ .cmd = TANDEM_CMD_LEGS_GET, .flags = GENL_UNS_ADMIN_PERM, .dumpit = legs_dump },
	{ .cmd = TANDEM_CMD_SRTP_SET, .flags = GENL_UNS_ADMIN_PERM, .doit = srtp_set },
	{ .cmd = TANDEM_CMD_SRTP_GET, .flags = GENL_UNS_ADMIN_PERM, .dumpit = srtp_dump },
	{ .cmd = TANDEM_CMD_RESET, .flags = GENL_UNS_ADMIN_PERM, .doit = reset },
};

static struct genl_family family __ro_after_init = {
	.name = TANDEM_GENL_NAME,
	.version = TANDEM_GENL_VERSION,
	.maxattr = TANDEM_ATTR_COUNT - 1,
	.policy = policy,
	.netnsok = true,
	.module = THIS_MODULE,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
};

int __init tandem_netlink_init(void)
{
	return genl_register_family(&family);
}

void tandem_netlink_exit(void)
{
	genl_unregister_family(&family);
}
