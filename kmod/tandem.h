/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of the module.
 *
 *   main.c        loading, and a network namespace coming and going
 *   netlink.c     the controller's side: generic netlink
 *   flow_table.c  rules, flows and streams
 *   fan_table.c   fans and their legs
 *   hook.c        packets from netfilter
 *   relay.c       the core's steps over an skb, and the copies of it
 *   emit.c        routes, and the way out
 *   stats.c       sums over all CPUs
 *   srtp.c        keys and streams of SRTP
 *   srtp_cipher.c its ciphers
 *   kfuncs.c      the same for BPF programs
 *   device.c      /dev/tandem, by which a relay maps the streams
 *   selftest.c    the core on this kernel, at load time
 *   selftest_srtp.c  the same of its SRTP
 */
#ifndef TANDEM_KMOD_TANDEM_H
#define TANDEM_KMOD_TANDEM_H

#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/skbuff.h>
#include <net/net_namespace.h>

#include "kmod/flow_table.h"

/* One network namespace. */
struct tandem_net {
	struct mutex lock;		  /* of everything but packets */
	struct tandem_table __rcu *table; /* NULL: not configured */
	struct socket *sock; /* what packets are sent in the name of; with hooks alone */
};

struct tandem_net *tandem_net(const struct net *net);

/* Put another table in place of the present one, which is freed. NULL: take the hooks out. */
int tandem_net_use(struct net *net, struct tandem_table *table);

/* ---- hook.c ---- */
int tandem_hook_register(struct net *net);
void tandem_hook_unregister(struct net *net);

/* ---- relay.c ---- */

/*
 * Take an skb whose data is at its IP header through the pipeline and count it. On
 * VERDICT_FORWARD it has been sent and is no longer the caller's; on VERDICT_PUNT its
 * bytes are as they came.
 */
enum verdict tandem_relay_skb(struct net *net, struct tandem_table *table, struct sk_buff *skb,
			      bool v6);

/* ---- stats.c ---- */
void tandem_counters_sum(const struct tandem_table *table, struct reason_counters *sum);

/* ---- selftest.c ---- */

/* 0, or -EINVAL when the core does not do on this kernel what it should. */
int tandem_selftest(void);

/* ---- selftest_srtp.c ---- */
int tandem_selftest_srtp(void);

/* ---- device.c ---- */
int tandem_device_init(void);
void tandem_device_exit(void);

/* ---- kfuncs.c ---- */

/* Let BPF programs call what kfuncs.h declares; where that cannot be, the log says so. */
void tandem_kfuncs_init(void);

/* Give a table that is whole its number, by which programs find it. -ENOMEM, -EBUSY. */
int tandem_kfuncs_enter(struct tandem_table *table);

/* Programs find it no more; those that have are done after a grace period. */
void tandem_kfuncs_leave(struct tandem_table *table);

/* ---- netlink.c ---- */
int tandem_netlink_init(void);
void tandem_netlink_exit(void);

#endif
