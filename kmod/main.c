// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>
#include <net/netns/generic.h>

#include "kmod/emit.h"
#include "kmod/tandem.h"

static unsigned int tandem_net_id;

static bool selftest;
module_param(selftest, bool, 0444);
MODULE_PARM_DESC(selftest, "test the forwarding core before use");

struct tandem_net *tandem_net(const struct net *net)
{
	return net_generic(net, tandem_net_id);
}

static int hooks_in(struct net *net, struct tandem_net *tn)
{
	int err = tandem_emit_open(net, &tn->sock);

	if (err)
		return err;
	err = tandem_hook_register(net);
	if (err) {
		tandem_emit_close(tn->sock);
		tn->sock = NULL;
	}
	return err;
}

int tandem_net_use(struct net *net, struct tandem_table *table)
{
	struct tandem_net *tn = tandem_net(net);
	/* A table without slots is for BPF programs alone. */
	const bool hooks = table && table->config.slots;
	struct tandem_table *old;
	int err;

	lockdep_assert_held(&tn->lock);
	old = rcu_dereference_protected(tn->table, lockdep_is_held(&tn->lock));
	err = table ? tandem_kfuncs_enter(table) : 0;
	if (err)
		return err;
	if (hooks && !tn->sock)
		err = hooks_in(net, tn);
	if (err) {
		tandem_kfuncs_leave(table);
		synchronize_net(); /* the caller frees it */
		return err;
	}
	if (!hooks && tn->sock)
		tandem_hook_unregister(net);
	rcu_assign_pointer(tn->table, table);
	if (old) {
		tandem_kfuncs_leave(old);
		synchronize_net();
		tandem_table_free(old);
	}
	if (!hooks && tn->sock) {
		tandem_emit_close(tn->sock);
		tn->sock = NULL;
	}
	return 0;
}

static int __net_init net_init(struct net *net)
{
	mutex_init(&tandem_net(net)->lock);
	return 0;
}

static void __net_exit net_exit(struct net *net)
{
	struct tandem_net *tn = tandem_net(net);

	mutex_lock(&tn->lock);
	tandem_net_use(net, NULL);
	mutex_unlock(&tn->lock);
}

static struct pernet_operations net_ops = {
	.init = net_init,
	.exit = net_exit,
	.id = &tandem_net_id,
	.size = sizeof(struct tandem_net),
};

static int run_selftests(void)
{
	int err = tandem_selftest();

	return err ? err : tandem_selftest_srtp();
}

static int __init tandem_init(void)
{
	int err = tandem_srtp_init();

	if (err)
		return err;
	if (selftest)
		err = run_selftests();
	if (err)
		goto out_srtp;
	/* As a device, so that cached routes go before the devices they lead to. */
	err = register_pernet_device(&net_ops);
	if (err)
		goto out_srtp;
	err = tandem_device_init();
	if (err)
		goto out_pernet;
	err = tandem_netlink_init();
	if (!err) {
		tandem_kfuncs_init();
		return 0;
	}
	tandem_device_exit();
out_pernet:
	unregister_pernet_device(&net_ops);
out_srtp:
	tandem_srtp_exit();
	return err;
}

static void __exit tandem_exit(void)
{
	tandem_netlink_exit();
	tandem_device_exit();
	unregister_pernet_device(&net_ops);
	tandem_srtp_exit();
}

module_init(tandem_init);
module_exit(tandem_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("RTP media relay datapath");
MODULE_ALIAS("net-pf-16-proto-16-family-tandem");
