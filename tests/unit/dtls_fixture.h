/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two ends of a DTLS association, and what is between them: a wire that can lose, repeat,
 * reorder and spoil datagrams.
 *
 *   ends[0] (server) <--- wire ---> ends[1] (client)
 */
#ifndef TANDEM_TEST_DTLS_FIXTURE_H
#define TANDEM_TEST_DTLS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/srtp_abi.h"
#include "userspace/media/dtls.h"

#define WIRE_MAX     512
#define DATAGRAM_MAX 2048
#define QUICK_MS     20 /* to the first retransmission: OpenSSL knows no less than 15 */

struct pair;

struct end {
	struct pair *pair;
	struct tandem_dtls *a;
	int changes;
	enum tandem_dtls_state last;
};

struct wire_datagram {
	struct end *to;
	size_t len;
	unsigned char data[DATAGRAM_MAX];
};

/* Chances in percent. */
struct impairment {
	unsigned int lose, repeat, reorder, spoil;
};

struct pair {
	struct end ends[2];
	struct tandem_dtls_context *ctx[2];
	struct tandem_dtls_quota *source; /* of the server's peer */
	struct impairment bad;
	unsigned int seed;
	size_t longest, sent;
	size_t count; /* on the wire */
	struct wire_datagram wire[WIRE_MAX];
};

static inline uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static inline void pause_ms(unsigned int ms)
{
	const struct timespec ts = { .tv_nsec = ms * 1000000L };

	nanosleep(&ts, NULL);
}

static inline bool chance(struct pair *p, unsigned int percent)
{
	return percent && (unsigned int)rand_r(&p->seed) / 7 % 100 < percent;
}

static inline void wire_put(struct pair *p, struct end *to, const void *data, size_t len)
{
	struct wire_datagram *d = &p->wire[p->count];

	if (p->count == WIRE_MAX || len > DATAGRAM_MAX || chance(p, p->bad.lose))
		return;
	d->to = to;
	d->len = len;
	memcpy(d->data, data, len);
	if (chance(p, p->bad.spoil))
		d->data[(unsigned int)rand_r(&p->seed) % len] ^=
			(unsigned char)(1U << (unsigned int)rand_r(&p->seed) % 8);
	p->count++;
}

static inline void on_send(const void *data, size_t len, void *arg)
{
	struct end *from = arg;
	struct pair *p = from->pair;
	struct end *to = &p->ends[from == &p->ends[0]];

	p->sent++;
	if (len > p->longest)
		p->longest = len;
	wire_put(p, to, data, len);
	if (chance(p, p->bad.repeat))
		wire_put(p, to, data, len);
}

static inline void on_changed(enum tandem_dtls_state state, void *arg)
{
	struct end *end = arg;

	end->changes++;
	end->last = state;
	assert_int_equal(tandem_dtls_state(end->a), state);
}

static const struct tandem_dtls_ops end_ops = { .send = on_send, .changed = on_changed };

/* The next datagram, or a later one. */
static inline void deliver(struct pair *p)
{
	size_t i = chance(p, p->bad.reorder) ? (size_t)rand_r(&p->seed) % p->count : 0;
	struct wire_datagram d = p->wire[i];

	memmove(&p->wire[i], &p->wire[i + 1], (p->count - i - 1) * sizeof(d));
	p->count--;
	if (d.to->a)
		tandem_dtls_input(d.to->a, d.data, d.len, now_ms());
}

static inline void settle(struct pair *p)
{
	while (p->count)
		deliver(p);
}

static inline bool over(const struct pair *p)
{
	return tandem_dtls_state(p->ends[0].a) >= TANDEM_DTLS_CONNECTED &&
	       tandem_dtls_state(p->ends[1].a) >= TANDEM_DTLS_CONNECTED;
}

/* All that is due just now. */
static inline void turn(struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		if (tandem_dtls_deadline(p->ends[i].a) <= now_ms())
			tandem_dtls_tick(p->ends[i].a, now_ms());
	}
	settle(p);
}

/* Until both have come to an end, or it has lasted too long. */
static inline void run(struct pair *p, unsigned int ms)
{
	uint64_t end = now_ms() + ms;

	settle(p);
	while (!over(p) && now_ms() < end) {
		pause_ms(2);
		turn(p);
	}
}

static inline void end_open(struct pair *p, int i, struct tandem_dtls_config cfg)
{
	cfg.client = i == 1;
	cfg.ops = &end_ops;
	cfg.arg = &p->ends[i];
	p->ends[i] = (struct end){ .pair = p };
	assert_int_equal(tandem_dtls_alloc(&p->ends[i].a, p->ctx[i], &cfg), 0);
}

static inline void expect_peer(struct pair *p, int i)
{
	assert_int_equal(tandem_dtls_set_peer(p->ends[i].a,
					      tandem_dtls_context_fingerprint(p->ctx[!i]), 1,
					      now_ms()),
			 0);
}

static inline struct pair *pair_open(const struct tandem_dtls_context_config *server,
				     const struct tandem_dtls_context_config *client)
{
	static const struct tandem_dtls_context_config quick = { .retransmit_ms = QUICK_MS };
	struct pair *p = calloc(1, sizeof(*p));

	assert_int_equal(tandem_dtls_context_alloc(&p->ctx[0], server ? server : &quick), 0);
	assert_int_equal(tandem_dtls_context_alloc(&p->ctx[1], client ? client : &quick), 0);
	p->seed = 1;
	for (int i = 0; i < 2; i++) {
		end_open(p, i, (struct tandem_dtls_config){ 0 });
		expect_peer(p, i);
	}
	return p;
}

static inline void pair_close(struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		tandem_dtls_free(p->ends[i].a);
		tandem_dtls_context_put(p->ctx[i]);
	}
	free(p);
}

static inline void start(struct pair *p)
{
	assert_int_equal(tandem_dtls_start(p->ends[1].a, now_ms()), 0);
}

static inline void assert_key_equal(const struct tandem_srtp *a, const struct tandem_srtp *b)
{
	assert_int_equal(a->suite, b->suite);
	assert_memory_equal(a->key, b->key, sizeof(a->key));
	assert_memory_equal(a->salt, b->salt, sizeof(a->salt));
}

/* Both are connected, and what one protects with is what the other expects. */
static inline void assert_keys_agree(struct pair *p, uint8_t suite)
{
	struct tandem_srtp in[2], out[2];

	for (int i = 0; i < 2; i++) {
		assert_string_equal(tandem_dtls_why(p->ends[i].a), "");
		assert_int_equal(tandem_dtls_state(p->ends[i].a), TANDEM_DTLS_CONNECTED);
		assert_int_equal(p->ends[i].changes, 1);
		assert_int_equal(tandem_dtls_keys(p->ends[i].a, &in[i], &out[i]), 0);
		assert_true(in[i].id && out[i].id && in[i].id != out[i].id);
		assert_int_equal(in[i].suite, suite);
		assert_memory_not_equal(in[i].key, out[i].key, 16);
		assert_memory_not_equal(in[i].salt, out[i].salt, 12);
	}
	assert_key_equal(&in[0], &out[1]);
	assert_key_equal(&in[1], &out[0]);
}

#endif
