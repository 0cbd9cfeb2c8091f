// SPDX-License-Identifier: GPL-2.0-only
/* /dev/tandem: the SRTP streams of the caller's network namespace, to be mapped. */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>

#include "kmod/tandem.h"

/* A reference to the streams of a namespace, or NULL. */
static struct srtp_memory *memory_get(const struct net *net)
{
	struct srtp_memory *memory = NULL;
	struct tandem_table *table;

	rcu_read_lock();
	table = rcu_dereference(tandem_net(net)->table);
	if (table)
		memory = table->srtp.memory;
	if (memory && !kref_get_unless_zero(&memory->ref))
		memory = NULL;
	rcu_read_unlock();
	return memory;
}

static int device_mmap(struct file *file, struct vm_area_struct *vma)
{
	const struct net *net = current->nsproxy->net_ns;
	struct srtp_memory *memory;
	int err;

	if (!ns_capable(net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	memory = memory_get(net);
	if (!memory)
		return -ENODEV;
	err = tandem_srtp_memory_map(memory, vma);
	tandem_srtp_memory_put(memory);
	return err;
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.mmap = device_mmap,
};

/* Anyone may open it, as /dev/net/tun: what counts is CAP_NET_ADMIN in the namespace. */
static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "tandem",
	.fops = &device_fops,
	.mode = 0666,
};

int __init tandem_device_init(void)
{
	return misc_register(&device);
}

void tandem_device_exit(void)
{
	misc_deregister(&device);
}
