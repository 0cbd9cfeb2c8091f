// SPDX-License-Identifier: GPL-2.0-only
#include "kmod/srtp.h"

#include <linux/bottom_half.h>
#include <linux/cpumask.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "core/srtp_suite.h"
#include "kmod/srtp_cipher.h"

/* Where contexts are freed, which may sleep, once no packet is at them. */
static struct workqueue_struct *frees;

int tandem_srtp_init(void)
{
	frees = alloc_workqueue("tandem_srtp", WQ_UNBOUND, 0);
	return frees ? 0 : -ENOMEM;
}

void tandem_srtp_exit(void)
{
	rcu_barrier();		  /* what has waited for packets is queued then, */
	destroy_workqueue(frees); /* and done */
}

/* ---- streams ---- */

static void memory_release(struct kref *ref)
{
	struct srtp_memory *memory = container_of(ref, struct srtp_memory, ref);

	vfree(memory->streams);
	if (memory->owner)
		fput(memory->owner);
	kfree(memory);
}

void tandem_srtp_memory_put(struct srtp_memory *memory)
{
	kref_put(&memory->ref, memory_release);
}

static struct srtp_memory *memory_alloc(u32 count)
{
	struct srtp_memory *memory = kzalloc(sizeof(*memory), GFP_KERNEL_ACCOUNT);
	struct file *owner;

	if (!memory)
		return NULL;
	kref_init(&memory->ref);
	memory->pages = DIV_ROUND_UP((size_t)count * sizeof(*memory->streams), PAGE_SIZE);
	memory->streams = __vmalloc(memory->pages * PAGE_SIZE, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	owner = shmem_file_setup("tandem", memory->pages * PAGE_SIZE, VM_NORESERVE);
	if (!IS_ERR(owner))
		memory->owner = owner;
	if (memory->streams && memory->owner)
		return memory;
	tandem_srtp_memory_put(memory);
	return NULL;
}

int tandem_srtp_memory_map(const struct srtp_memory *memory, struct vm_area_struct *vma)
{
	const unsigned long pages = (vma->vm_end - vma->vm_start) / PAGE_SIZE;
	char *at = (char *)memory->streams;
	unsigned long i;
	int err = 0;

	if (vma->vm_pgoff || pages > memory->pages)
		return -EINVAL;
	/* A mapping holds each page, and its file: as that of /dev/tandem it would hold the module. */
	vma_set_file(vma, memory->owner);
	for (i = 0; i < pages && !err; i++)
		err = vm_insert_page(vma, vma->vm_start + i * PAGE_SIZE,
				     vmalloc_to_page(at + i * PAGE_SIZE));
	return err;
}

/* ---- arrays ---- */

static int requests_alloc(struct tandem_srtp *srtp)
{
	void **request;
	int cpu;

	srtp->requests = alloc_percpu_gfp(void *, GFP_KERNEL_ACCOUNT);
	if (!srtp->requests)
		return -ENOMEM;
	/* Of the kind that a scatterlist can refer to, which memory of a CPU's own is not. */
	for_each_possible_cpu(cpu)
	{
		request = per_cpu_ptr(srtp->requests, cpu);
		*request = kzalloc_node(SRTP_REQUEST_ROOM, GFP_KERNEL_ACCOUNT, cpu_to_node(cpu));
		if (!*request)
			return -ENOMEM;
	}
	return 0;
}

static void requests_free(struct tandem_srtp *srtp)
{
	int cpu;

	if (!srtp->requests)
		return;
	for_each_possible_cpu(cpu) kfree_sensitive(*per_cpu_ptr(srtp->requests, cpu));
	free_percpu(srtp->requests);
}

int tandem_srtp_open(struct tandem_srtp *srtp, u32 count, u32 stream_count)
{
	if (count > TABLE_SRTPS_MAX || stream_count > TABLE_SRTP_STREAMS_MAX ||
	    !count != !stream_count)
		return -EINVAL;
	if (!count)
		return 0;
	srtp->count = count;
	srtp->stream_count = stream_count;
	srtp->keys = kvcalloc(count, sizeof(*srtp->keys), GFP_KERNEL_ACCOUNT);
	srtp->contexts = kvcalloc(count, sizeof(*srtp->contexts), GFP_KERNEL_ACCOUNT);
	srtp->memory = memory_alloc(stream_count);
	if (!srtp->keys || !srtp->contexts || !srtp->memory || requests_alloc(srtp))
		return -ENOMEM;
	srtp->sha1 = tandem_srtp_sha1();
	return PTR_ERR_OR_ZERO(srtp->sha1);
}

void tandem_srtp_close(struct tandem_srtp *srtp)
{
	u32 i;

	for (i = 0; srtp->contexts && i < srtp->count; i++)
		tandem_srtp_context_free(rcu_dereference_protected(srtp->contexts[i], true));
	kvfree(srtp->contexts);
	kvfree_sensitive(srtp->keys, (size_t)srtp->count * sizeof(*srtp->keys));
	if (srtp->memory)
		tandem_srtp_memory_put(srtp->memory);
	if (!IS_ERR_OR_NULL(srtp->sha1))
		crypto_free_shash(srtp->sha1);
	requests_free(srtp);
}

/* ---- keys ---- */

static int keys_check(const struct tandem_srtp *srtp, u32 index, const struct srtp_keys *keys)
{
	int i;

	if (keys->suite == SRTP_SUITE_NONE || keys->suite >= SRTP_SUITES)
		return -EINVAL;
	if (keys->mki_len > SRTP_MKI_MAX || keys->next >= srtp->count || keys->next == index)
		return -EINVAL;
	for (i = 0; i < 2; i++) {
		if (keys->tag_len[i] != srtp_tag_len(keys->suite, i))
			return -EINVAL;
	}
	if (!keys->stream_count || keys->stream_count > SRTP_SSRCS_MAX ||
	    keys->stream_count > srtp->stream_count ||
	    keys->first_stream > srtp->stream_count - keys->stream_count)
		return -EINVAL;
	return 0;
}

/* Everything behind gen, with the ciphers; packets that see gen change give up. */
static void keys_write(struct tandem_srtp *srtp, u32 index, const struct srtp_keys *from,
		       struct srtp_context *context)
{
	struct srtp_keys *k = &srtp->keys[index];

	local_bh_disable();
	WRITE_ONCE(k->gen, k->gen | 1);
	smp_wmb();
	rcu_assign_pointer(srtp->contexts[index], context);
	if (from)
		memcpy((char *)k + sizeof(k->gen), (const char *)from + sizeof(k->gen),
		       sizeof(*k) - sizeof(k->gen));
	else
		memzero_explicit((char *)k + sizeof(k->gen), sizeof(*k) - sizeof(k->gen));
	smp_wmb();
	WRITE_ONCE(k->gen, k->gen + 1);
	local_bh_enable();
}

static void context_free_work(struct work_struct *work)
{
	tandem_srtp_context_free(container_of(to_rcu_work(work), struct srtp_context, free));
}

int tandem_srtp_set(struct tandem_srtp *srtp, u32 index, const struct srtp_keys *keys)
{
	struct srtp_context *old, *context = NULL;
	int err;

	if (index == SRTP_NO_KEYS || index >= srtp->count)
		return -EINVAL;
	err = keys ? keys_check(srtp, index, keys) : 0;
	if (err)
		return err;
	old = rcu_dereference_protected(srtp->contexts[index], true);
	if (old && keys && old->suite == keys->suite &&
	    !memcmp(srtp->keys[index].session, keys->session, sizeof(keys->session)))
		context = old;
	else if (keys)
		context = tandem_srtp_context_alloc(keys);
	if (IS_ERR(context))
		return PTR_ERR(context);
	keys_write(srtp, index, keys, context);
	if (old && old != context) {
		INIT_RCU_WORK(&old->free, context_free_work);
		queue_rcu_work(frees, &old->free);
	}
	return 0;
}

bool tandem_srtp_is_set(const struct tandem_srtp *srtp, u32 index)
{
	return index < srtp->count && srtp->keys[index].suite != SRTP_SUITE_NONE;
}
