// SPDX-License-Identifier: GPL-2.0-only
/* SRTP of the core by this kernel's ciphers: known packets, and what is to be refused. */
#include <linux/bottom_half.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core/forward.h"
#include "core/srtp_suite.h"
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

#define KEY_3711  "2b7e151628aed2a6abf7158809cf4f3c"
#define KEY_6188  "57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98"
#define KEY_7714  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define SALT_3711 "f0f1f2f3f4f5f6f7f8f9fafbfcfd0000"
#define SALT_7714 "517569642070726f2071756f00000000"

#define RTP_ZEROS                                                                                  \
	"800000000000000000000000"                                                                 \
	"0000000000000000000000000000000000000000000000000000000000000000"
#define RTP_7714                                                                                   \
	"8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e697320646976"                         \
	"69736120696e207061727465732074726573"
#define RTCP_7714                                                                                  \
	"81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61"                         \
	"deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"

/* What a packet becomes, or the first bytes of it. */
static const struct known {
	const char *name;
	const char *key; /* as long as the longest, or as the suite's */
	const char *salt;
	const char *clear;
	const char *sealed;
	u64 index; /* of SRTCP */
	u32 flags;
	u8 suite;
} known[] = {
	{ "AES-CM 128 (RFC 3711 B.2)", KEY_3711, SALT_3711, RTP_ZEROS,
	  "800000000000000000000000e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97a"
	  "b",
	  0, 0, SRTP_AES_CM_128_HMAC_SHA1_80 },
	{ "AES-CM 128, short tag", KEY_3711, SALT_3711, RTP_ZEROS,
	  "800000000000000000000000e03ead0935c95e80e166b16dd92b4eb4", 0, 0,
	  SRTP_AES_CM_128_HMAC_SHA1_32 },
	{ "AES-CM 256 (RFC 6188 7.1)", KEY_6188, SALT_3711, RTP_ZEROS,
	  "80000000000000000000000092bdd28a93c3f52511c677d08b5515a49da71b2378a854f67050756ded165ba"
	  "c",
	  0, 0, SRTP_AES_256_CM_HMAC_SHA1_80 },
	{ "RTCP, AES-CM 256", KEY_6188, SALT_3711, RTCP_7714, "81c8000d4d617273", 7, SRTP_J_RTCP,
	  SRTP_AES_256_CM_HMAC_SHA1_32 },
	{ "no cipher", KEY_3711, SALT_3711, RTP_7714, RTP_7714, 0, 0, SRTP_NULL_HMAC_SHA1_80 },
	{ "GCM 128 (RFC 7714 16.1.1)", KEY_7714, SALT_7714, RTP_7714,
	  "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd5"
	  "0d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce",
	  0, 0, SRTP_AEAD_AES_128_GCM },
	{ "GCM 256 (RFC 7714 16.2.1)", KEY_7714, SALT_7714, RTP_7714,
	  "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab1801238"
	  "9a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
	  0, 0, SRTP_AEAD_AES_256_GCM },
	{ "RTCP, GCM 128 (RFC 7714 17.1)", KEY_7714, SALT_7714, RTCP_7714,
	  "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32d"
	  "c676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf872"
	  "45d9eade800005d4",
	  0x5d4, SRTP_J_RTCP, SRTP_AEAD_AES_128_GCM },
	{ "RTCP, GCM 256 (RFC 7714 17.2)", KEY_7714, SALT_7714, RTCP_7714,
	  "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50"
	  "a2eaa5c1110555be8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6c"
	  "b26ac3be800005d4",
	  0x5d4, SRTP_J_RTCP, SRTP_AEAD_AES_256_GCM },
};

/* A packet in all its forms; not on the stack, which a scatterlist cannot refer to. */
struct trial {
	struct env env;
	const struct known *k;
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
	static const u32 inner[] = { 0x624d8ea7, 0x3f2b1803, 0x9554b9e4, 0x28c065f5, 0xa9fcb98e };
	static const u32 outer[] = { 0x2088372a, 0xf50610a1, 0xf82f8b05, 0x8e4bfe32, 0x280b4e35 };
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
		memcpy(s->inner, inner, sizeof(inner));
		memcpy(s->outer, outer, sizeof(outer));
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
	for (i = 0; !err && i < ARRAY_SIZE(known); i++) {
		t->k = &known[i];
		t->clear_len = hex(t->clear, known[i].clear);
		t->want_len = hex(t->want, known[i].sealed);
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
			ARRAY_SIZE(known));
out:
	kfree(t);
	return err;
}
