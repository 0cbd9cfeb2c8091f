/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What SRTP costs a datapath in userspace: ns for each G.711 packet (160 octets) protected and
 * unprotected by core/srtp.h with the ciphers of userspace/srtp, beside libsrtp2 in the same
 * run, with one stream and with many, each under keys of its own. docs/srtp.md has figures.
 *
 * A burst of packets, each of another stream in an order that is shuffled, is protected, then
 * unprotected. The median over all bursts is shown, so that what else the machine does between
 * two of them does not count.
 *
 * Usage: srtp [STREAMS...]
 */
#include <srtp2/srtp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define MAX_STREAMS 10000
#define KEYS	    (2 * MAX_STREAMS + 1) /* of each stream: to protect with, and to unprotect */
#define SSRCS	    1
#include "tests/unit/srtp_tables.h"

/*
 * libsrtp2 with more sessions than these takes minutes to be set up: its ciphers, those of
 * NSS, are in a list.
 */
#define MAX_SESSIONS 100

#define BURST	32
#define AHEAD	16 /* packets of which the keys are fetched at once */
#define BURSTS	4000
#define PAYLOAD 160
#define HEAD	12
#define ROOM	256

struct bench {
	uint32_t streams;
	uint32_t *order;
	uint16_t seq;
	srtp_t *out, *in; /* libsrtp2's sessions; NULL: ours */
	uint8_t packets[BURST][ROOM];
};

struct figures {
	double protect, unprotect;
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void die(const char *what)
{
	fprintf(stderr, "srtp: %s\n", what);
	exit(1);
}

static void make(uint8_t *p, uint32_t stream, uint16_t seq)
{
	memset(p, 0x55, HEAD + PAYLOAD);
	p[0] = 0x80;
	p[1] = 0;
	p[2] = (uint8_t)(seq >> 8);
	p[3] = (uint8_t)seq;
	memcpy(p + 8, &stream, sizeof(stream));
}

static void ours(uint8_t *p, uint32_t keys, bool seal)
{
	struct srtp_job *job = &tables.env.srtp_job;
	enum reason reason;

	job->keys = keys;
	job->flags = seal ? SRTP_J_SEAL : 0;
	job->len = HEAD + PAYLOAD + (seal ? 0 : tables.keys[keys].tag_len[SRTP_RTP]);
	job->head = HEAD;
	if (seal) {
		/* The pipeline has asked this before it seals. */
		if (!srtp_able(&tables.env, &tables.keys[keys], keys, job->len))
			die("keys are refused");
		reason = srtp_seal(&tables.env, job, p, p + ROOM);
	} else {
		reason = srtp_admit(&tables.env, job, p, p + job->len);
		if (reason == REASON_NONE)
			reason = srtp_open(&tables.env, job, p, p + job->len);
	}
	if (reason != REASON_NONE)
		die("a packet was refused");
}

static void theirs(uint8_t *p, srtp_t session, bool seal, uint32_t tag)
{
	int len = HEAD + PAYLOAD + (seal ? 0 : (int)tag);

	if ((seal ? srtp_protect(session, p, &len) : srtp_unprotect(session, p, &len)) !=
	    srtp_err_status_ok)
		die("libsrtp2 refused a packet");
}

static uint32_t keys_of(const struct bench *b, uint32_t at, bool seal)
{
	return 1 + b->order[at % b->streams] * 2 + !seal;
}

/* As a datapath does that has a queue of packets. */
static void ahead(const struct bench *b, uint32_t first, bool seal)
{
	for (uint32_t i = 0; i < AHEAD; i++)
		env_srtp_touch_keys(&tables.env, keys_of(b, first + i, seal));
	for (uint32_t i = 0; i < AHEAD; i++)
		env_srtp_touch_rest(&tables.env, keys_of(b, first + i, seal));
}

static void burst(struct bench *b, uint32_t first, bool seal)
{
	for (uint32_t i = 0; i < BURST; i++) {
		uint32_t s = b->order[(first + i) % b->streams];
		uint32_t keys = keys_of(b, first + i, seal);

		if (!b->out && i % AHEAD == 0)
			ahead(b, first + i, seal);
		if (b->out)
			theirs(b->packets[i], seal ? b->out[s] : b->in[s], seal,
			       tables.keys[keys].tag_len[SRTP_RTP]);
		else
			ours(b->packets[i], keys, seal);
	}
}

static struct figures measure(struct bench *b)
{
	static double seal[BURSTS], open[BURSTS];
	double t0, t1;

	for (uint32_t n = 0; n < BURSTS; n++) {
		for (uint32_t i = 0; i < BURST; i++)
			make(b->packets[i], b->order[(n * BURST + i) % b->streams],
			     (uint16_t)(b->seq + (n * BURST + i) / b->streams));
		t0 = now_ns();
		burst(b, n * BURST, true);
		t1 = now_ns();
		seal[n] = (t1 - t0) / BURST;
		t0 = now_ns();
		burst(b, n * BURST, false);
		t1 = now_ns();
		open[n] = (t1 - t0) / BURST;
	}
	b->seq = (uint16_t)(b->seq + BURSTS * BURST / b->streams + 1);
	qsort(seal, BURSTS, sizeof(seal[0]), by_value);
	qsort(open, BURSTS, sizeof(open[0]), by_value);
	return (struct figures){ seal[BURSTS / 2], open[BURSTS / 2] };
}

static srtp_t session(uint8_t suite, bool out)
{
	struct master m = master_of(suite);
	uint8_t key[SRTP_KEY_MAX + SRTP_SALT_MAX];
	srtp_policy_t policy = { .key = key };
	srtp_t s;

	if (suite == SRTP_AES_CM_128_HMAC_SHA1_80)
		srtp_crypto_policy_set_rtp_default(&policy.rtp);
	else if (suite == SRTP_AES_256_CM_HMAC_SHA1_80)
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy.rtp);
	else if (suite == SRTP_AEAD_AES_128_GCM)
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
	else
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
	policy.rtcp = policy.rtp;
	policy.ssrc.type = out ? ssrc_any_outbound : ssrc_any_inbound;
	memcpy(key, m.key, srtp_key_len(suite));
	memcpy(key + srtp_key_len(suite), m.salt, srtp_salt_len(suite));
	if (srtp_create(&s, &policy) != srtp_err_status_ok)
		die("libsrtp2 cannot do a suite");
	return s;
}

static void setup(struct bench *b, uint8_t suite, uint32_t streams)
{
	b->streams = streams;
	b->seq = 1;
	b->order = calloc(streams, sizeof(*b->order));
	b->out = calloc(streams, sizeof(srtp_t));
	b->in = calloc(streams, sizeof(srtp_t));
	if (!b->order || !b->out || !b->in)
		die("no memory");
	for (uint32_t i = 0; i < streams; i++) {
		uint32_t j = (uint32_t)rand() % (i + 1);

		b->order[i] = b->order[j];
		b->order[j] = i;
		keys_set(1 + 2 * i, suite, suite);
		keys_set(2 + 2 * i, suite, suite);
		b->out[i] = streams > MAX_SESSIONS ? NULL : session(suite, true);
		b->in[i] = streams > MAX_SESSIONS ? NULL : session(suite, false);
	}
}

static void run(uint8_t suite, const char *name, uint32_t streams)
{
	static struct bench b;
	struct figures f;
	srtp_t *out;

	setup(&b, suite, streams);
	out = b.out;
	b.out = NULL;
	f = measure(&b);
	printf("%-24s %8u %10.0f %10.0f", name, streams, f.protect, f.unprotect);
	if (streams <= MAX_SESSIONS) {
		b.out = out;
		f = measure(&b);
		printf(" %10.0f %10.0f", f.protect, f.unprotect);
	}
	printf("\n");
	fflush(stdout);
	for (uint32_t i = 0; i < streams && streams <= MAX_SESSIONS; i++) {
		srtp_dealloc(out[i]);
		srtp_dealloc(b.in[i]);
	}
	free(out);
	free(b.in);
	free(b.order);
}

int main(int argc, char **argv)
{
	static const struct {
		uint8_t suite;
		const char *name;
	} suites[] = {
		{ SRTP_AES_CM_128_HMAC_SHA1_80, "AES_CM_128_HMAC_SHA1_80" },
		{ SRTP_AES_256_CM_HMAC_SHA1_80, "AES_256_CM_HMAC_SHA1_80" },
		{ SRTP_AEAD_AES_128_GCM, "AEAD_AES_128_GCM" },
		{ SRTP_AEAD_AES_256_GCM, "AEAD_AES_256_GCM" },
	};
	uint32_t streams[8] = { 1, 100, MAX_STREAMS }, n = argc > 1 ? 0 : 3;

	for (int i = 1; i < argc && n < 8; i++) {
		long value = strtol(argv[i], NULL, 10);

		if (value < 1 || value > MAX_STREAMS)
			die("streams are 1 to 10000");
		streams[n++] = (uint32_t)value;
	}
	madvise(&tables, sizeof(tables), MADV_HUGEPAGE);
	if (tables_init(NULL) || srtp_init() != srtp_err_status_ok)
		die("no memory");
	printf("%-24s %8s %10s %10s %10s %10s\n", "ns for each packet", "streams", "protect",
	       "unprotect", "libsrtp2:", "unprotect");
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
		for (uint32_t k = 0; k < n; k++)
			run(suites[i].suite, suites[i].name, streams[k]);
	}
	tables_clean();
	srtp_shutdown();
	return 0;
}
