// SPDX-License-Identifier: GPL-2.0-only
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>

#include "core/verdict.h"
#include "kmod/tandem.h"

static unsigned int take(struct sk_buff *skb, const struct nf_hook_state *state, bool v6)
{
	struct tandem_table *table = rcu_dereference(tandem_net(state->net)->table);

	if (!table)
		return NF_ACCEPT;
	switch (tandem_relay_skb(state->net, table, skb, v6)) {
	case VERDICT_FORWARD:
		return NF_STOLEN;
	case VERDICT_DROP:
		return NF_DROP;
	default:
		return NF_ACCEPT;
	}
}

static unsigned int take_ip4(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	return take(skb, state, false);
}

static unsigned int take_ip6(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	return take(skb, state, true);
}

/*
 * Before defragmentation, which comes before everything else there is: fragments are
 * punted, and connection tracking never sees what is relayed.
 */
static const struct nf_hook_ops hooks[] = {
	{
		.hook = take_ip4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP_PRI_RAW_BEFORE_DEFRAG - 1,
	},
	{
		.hook = take_ip6,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP6_PRI_RAW_BEFORE_DEFRAG - 1,
	},
};

int tandem_hook_register(struct net *net)
{
	return nf_register_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}

void tandem_hook_unregister(struct net *net)
{
	nf_unregister_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}
