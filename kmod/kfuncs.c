// SPDX-License-Identifier: GPL-2.0-only
#include "kmod/kfuncs.h"

#include <linux/bottom_half.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/module.h>
#include <linux/xarray.h>
#include <net/xdp.h>

#include "core/rtp.h"
#include "core/srtp.h"
#include "kmod/tandem.h"

/* The tables that programs may name. A number comes again only when all others have been. */
static DEFINE_XARRAY_ALLOC1(tables);
static u32 tables_next;

int tandem_kfuncs_enter(struct tandem_table *table)
{
	int err = xa_alloc_cyclic(&tables, &table->number, table, xa_limit_31b, &tables_next,
				  GFP_KERNEL);

	return err < 0 ? err : 0;
}

void tandem_kfuncs_leave(struct tandem_table *table)
{
	xa_erase(&tables, table->number);
}

/* For a program 0 is good. The core's 0 is the reason of a packet that has left. */
static int result(enum reason reason)
{
	return reason == REASON_NONE ? 0 : (int)reason;
}

/*
 * What a function needs, from what the program says. That is read once: it may lie in a map,
 * where another CPU changes it.
 */
static int call_begin(struct env *env, const struct xdp_buff *xdp,
		      const struct tandem_srtp_packet *packet, u32 flags)
{
	const u32 size = (u32)((char *)xdp->data_end - (char *)xdp->data);
	const u32 off = READ_ONCE(packet->off), len = READ_ONCE(packet->len);
	struct srtp_job *job = &env->srtp_job;
	struct rtp_info info;
	enum reason reason;

	memset(env, 0, sizeof(*env));
	env->table = xa_load(&tables, READ_ONCE(packet->table));
	if (!env->table || !env->table->srtp.count)
		return -ENODEV;
	job->keys = READ_ONCE(packet->keys);
	job->flags = READ_ONCE(packet->flags);
	job->len = len;
	if (job->flags & ~(SRTP_J_RTCP | SRTP_J_KEEP) || off > size || len > size - off ||
	    len > PAYLOAD_MAX)
		return -EINVAL;
	job->flags |= flags;
	env->data = (char *)xdp->data + off;
	env->end = flags & SRTP_J_SEAL ? xdp->data_end : env->data + len;
	if (job->flags & SRTP_J_RTCP)
		return 0;
	/* Padding is not looked at: before and behind the cipher it is nobody's business here. */
	reason = rtp_parse(env->data, env->end, len, 1, &info);
	if (reason == REASON_NONE)
		job->head = info.head;
	return result(reason);
}

static void call_end(const struct srtp_job *job, struct tandem_srtp_packet *packet, u32 len)
{
	packet->keys = job->keys;
	packet->len = len;
}

/* How far an arrived packet is taken. */
static int receive(struct xdp_md *ctx, struct tandem_srtp_packet *packet, bool open)
{
	struct env env;
	struct srtp_job *job = &env.srtp_job;
	int reason;

	local_bh_disable();
	rcu_read_lock();
	reason = call_begin(&env, (struct xdp_buff *)ctx, packet, 0);
	if (!reason)
		reason = result(srtp_admit(&env, job, env.data, env.end));
	if (!reason && open)
		reason = result(srtp_open(&env, job, env.data, env.end));
	if (!reason)
		call_end(job, packet, job->flags & SRTP_J_KEEP ? job->len : job->head + job->body);
	rcu_read_unlock();
	local_bh_enable();
	return reason;
}

__used noinline int tandem_srtp_admit(struct xdp_md *ctx, struct tandem_srtp_packet *packet)
{
	return receive(ctx, packet, false);
}

__used noinline int tandem_srtp_unprotect(struct xdp_md *ctx, struct tandem_srtp_packet *packet)
{
	return receive(ctx, packet, true);
}

/* Before an index is used: can the packet be protected, and is there room? */
static int sealable(struct env *env)
{
	const struct srtp_job *job = &env->srtp_job;
	const struct srtp_keys *keys = env_srtp_keys(env, job->keys);

	if (!keys)
		return REASON_rule_busy;
	if (!env_srtp_able(env, keys, job->keys, job->len))
		return REASON_srtp_suite;
	if (srtp_trailer(keys, job->flags) > (u32)(env->end - env->data) - job->len)
		return -ENOSPC;
	return 0;
}

__used noinline int tandem_srtp_protect(struct xdp_md *ctx, struct tandem_srtp_packet *packet)
{
	struct env env;
	struct srtp_job *job = &env.srtp_job;
	int reason;

	local_bh_disable();
	rcu_read_lock();
	reason = call_begin(&env, (struct xdp_buff *)ctx, packet, SRTP_J_SEAL);
	if (!reason)
		reason = sealable(&env);
	if (!reason)
		reason = result(srtp_seal(&env, job, env.data, env.end));
	if (!reason)
		call_end(job, packet, job->len);
	rcu_read_unlock();
	local_bh_enable();
	return reason;
}

/* The ids are put in by kmod/btf.sh, behind the linker. */
#ifdef BTF_SET8_START
#ifndef BTF_KFUNCS_START /* before Linux 6.9 */
#define BTF_KFUNCS_START BTF_SET8_START
#define BTF_KFUNCS_END	 BTF_SET8_END
#endif

BTF_KFUNCS_START(tandem_kfuncs)
BTF_ID_FLAGS(func, tandem_srtp_admit)
BTF_ID_FLAGS(func, tandem_srtp_unprotect)
BTF_ID_FLAGS(func, tandem_srtp_protect)
BTF_KFUNCS_END(tandem_kfuncs)

static const struct btf_kfunc_id_set kfunc_set = {
	.owner = THIS_MODULE,
	.set = &tandem_kfuncs,
};

static int kfuncs_register(void)
{
	return kfunc_set.set->cnt ? register_btf_kfunc_id_set(BPF_PROG_TYPE_XDP, &kfunc_set)
				  : -ENOENT;
}
#else
static int kfuncs_register(void)
{
	return -EOPNOTSUPP; /* before Linux 6.0 */
}
#endif

void __init tandem_kfuncs_init(void)
{
	int err = kfuncs_register();

	if (err)
		pr_info("tandem: BPF programs cannot call the module: %s (%d)\n",
			err == -ENOENT ? "it has no BTF" : "not with this kernel", err);
}
