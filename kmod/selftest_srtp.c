// SPDX-License-Identifier: GPL-2.0-only
/* SRTP of the core by this kernel's ciphers: known packets, and what is to be refused. */
#include <linux/bottom_half.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core/forward.h"
#include "core/srtp_suite.h"
#include "kmod/srtp_known.h"
#include "kmod/tandem.h"

#define ROOM	 256
#define STREAMS	 2 /* under each set of keys */
#define RTP_HEAD 12

/* Sets of keys: to protect with, to open with, and others, behind which are those to open with. */
enum { SENDER = 1, RECEIVER, OTHERS, SETS };

static const struct relay_config config = {
	.abi_version = TANDEM_ABI_VERSION,
	.slots = 1,
	.locals_count = 1,
	.port_base = 20000,
	.port_count = 1,
	.srtps = SETS,
	.srtp_streams = SETS * STREAMS,
};

/* A packet in all its forms; not on the stack, which a scatterlist cannot refer to. */
struct trial {
	struct env env;
	const struct srtp_known *k;
	struct srtp_keys keys;
	u8 clear[ROOM], want[ROOM], sealed[ROOM], p[ROOM];
	u32 clear_len, want_len, sealed_len;
};

static u32 hex(u8 *to, const char *text)
{
	const u32 len = strlen(text) / 2;

	return hex2bin(to, text, len) ? 0 : len;
}

/* The case's keys, but for those whose cipher and hash are to be others. */
static int set_keys(struct trial *t, u32 index, u32 next, u8 change)
{
	struct tandem_table *table = t->env.table;
	struct srtp_keys *keys = &t->keys;
	int i;

	memset(keys, 0, sizeof(*keys));
	keys->suite = t->k->suite;
	keys->next = next;
	keys->first_stream = index * STREAMS;
	keys->stream_count = STREAMS;
	for (i = 0; i < 2; i++) {
		struct srtp_session *s = &keys->session[i];

		keys->tag_len[i] = srtp_tag_len(keys->suite, i);
		hex(s->key, t->k->key);
		hex(s->salt, t->k->salt);
		memcpy(s->inner, known_inner, sizeof(known_inner));
		memcpy(s->outer, known_outer, sizeof(known_outer));
		s->key[0] ^= change;
		s->inner[0] ^= change;
	}
	memset(&table->srtp_streams[keys->first_stream], 0, STREAMS * sizeof(*table->srtp_streams));
	return tandem_srtp_set(&table->srtp, index, keys);
}

static struct srtp_job *begin(struct trial *t, u32 index, u32 flags, u32 len)
{
	struct srtp_job *job = env_srtp_job(&t->env);

	memset(job, 0, sizeof(*job));
	job->keys = index;
	job->flags = t->k->flags | flags;
	job->len = len;
	job->head = t->k->flags & SRTP_J_RTCP ? 0 : RTP_HEAD;
	return job;
}

/* Protect t->p; *len is its length, and then that of the other. */
static enum reason seal(struct trial *t, u32 *len)
{
	struct srtp_job *job = begin(t, SENDER, SRTP_J_SEAL, *len);
	enum reason reason;

	local_bh_disable();
	rcu_read_lock();
	reason = srtp_seal(&t->env, job, t->p, t->p + ROOM);
	rcu_read_unlock();
	local_bh_enable();
	*len = job->len;
	return reason;
}

static enum reason unseal(struct trial *t, u32 index, u32 flags, u32 *len)
{
	struct srtp_job *job = begin(t, index, flags, *len);
	enum reason reason;

	local_bh_disable();
	rcu_read_lock();
	reason = srtp_admit(&t->env, job, t->p, t->p + *len);
	if (reason == REASON_NONE)
		reason = srtp_open(&t->env, job, t->p, t->p + *len);
	rcu_read_unlock();
	local_bh_enable();
	*len = job->len;
	return reason;
}

/* Open what was sealed, its byte at flip another one. Is it what, of len bytes, in the end? */
static bool opens(struct trial *t, u32 index, u32 flags, int flip, enum reason want, const u8 *what,
		  u32 what_len)
{
	u32 len = t->sealed_len;
	enum reason reason;
	bool good;

	memcpy(t->p, t->sealed, len);
	if (flip >= 0)
		t->p[flip] ^= 1;
	reason = unseal(t, index, flags, &len);
	if (flip >= 0)
		t->p[flip] ^= 1;
	good = reason == want && !memcmp(t->p, what, what_len) &&
	       (reason != REASON_NONE || len == what_len);
	if (!good)
		pr_err("tandem: selftest: %s: keys %u, flags %u, byte %d: reason %u, %u bytes: "
		       "%32phN\n",
		       t->k->name, index, flags, flip, reason, len, t->p);
	return good;
}

/* 0, or -EPROTONOSUPPORT: this kernel has no such cipher. */
static int trial_keys(struct trial *t)
{
	int err = set_keys(t, SENDER, 0, 0);

	if (!err)
		err = set_keys(t, RECEIVER, 0, 0);
	return err ? err : set_keys(t, OTHERS, RECEIVER, 1);
}

static bool trial_run(struct trial *t)
{
	struct srtp_stream *receiver = &t->env.table->srtp_streams[RECEIVER * STREAMS];
	enum reason reason;
	bool good;

	t->env.table->srtp_streams[SENDER * STREAMS].rtcp_top = t->k->index;
	memcpy(t->p, t->clear, t->clear_len);
	t->sealed_len = t->clear_len;
	reason = seal(t, &t->sealed_len);
	memcpy(t->sealed, t->p, t->sealed_len);
	if (reason != REASON_NONE || t->sealed_len < t->want_len ||
	    memcmp(t->sealed, t->want, t->want_len)) {
		pr_err("tandem: selftest: %s: reason %u, %u bytes: %48phN\n", t->k->name, reason,
		       t->sealed_len, t->sealed);
		return false;
	}

	/* What is not authentic stays as it came, and leaves no trace. */
	good = opens(t, RECEIVER, 0, 2, REASON_srtp_auth, t->sealed, t->sealed_len);
	good &= opens(t, RECEIVER, 0, t->clear_len - 1, REASON_srtp_auth, t->sealed, t->sealed_len);
	good &= opens(t, RECEIVER, 0, t->sealed_len - 1, REASON_srtp_auth, t->sealed,
		      t->sealed_len);
	good &= !receiver->owner;
	good &= opens(t, OTHERS, 0, -1, REASON_NONE, t->clear, t->clear_len);
	good &= opens(t, RECEIVER, 0, -1, REASON_srtp_replay, t->sealed, t->sealed_len);
	memset(receiver, 0, sizeof(*receiver));
	good &= opens(t, RECEIVER, SRTP_J_KEEP, -1, REASON_NONE, t->sealed, t->sealed_len);
	return good;
}

int tandem_selftest_srtp(void)
{
	struct tandem_table *table;
	struct trial *t = kzalloc(sizeof(*t), GFP_KERNEL);
	int err, i, done = 0;

	if (!t)
		return -ENOMEM;
	err = tandem_table_alloc(&table, &config, 0);
	if (err)
		goto out;
	t->env.table = table;
	for (i = 0; !err && i < ARRAY_SIZE(srtp_known); i++) {
		t->k = &srtp_known[i];
		t->clear_len = hex(t->clear, srtp_known[i].clear);
		t->want_len = hex(t->want, srtp_known[i].sealed);
		err = trial_keys(t);
		if (!err && !trial_run(t))
			err = -EINVAL;
		done += !err;
		if (err == -EPROTONOSUPPORT)
			err = 0;
	}
	synchronize_net();
	tandem_table_free(table);
	if (!err)
		pr_info("tandem: selftest: SRTP: %d of %zu packets as expected\n", done,
			ARRAY_SIZE(srtp_known));
out:
	kfree(t);
	return err;
}
