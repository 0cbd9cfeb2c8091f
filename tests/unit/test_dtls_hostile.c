/* SPDX-License-Identifier: GPL-2.0-only */
/* DTLS-SRTP against those who mean no handshake: floods, forgeries, waste of memory. */
#include "tests/unit/dtls_fixture.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdio.h>

#define KIB 1024

/* ---- what OpenSSL has allocated ---- */

static size_t in_use, most;

static void note(void *p, bool more)
{
	size_t size = p ? malloc_usable_size(p) : 0;

	in_use += more ? size : -size;
	if (in_use > most)
		most = in_use;
}

static void *counted_malloc(size_t size, const char *file, int line)
{
	void *p = size ? malloc(size) : NULL;

	note(p, true);
	return p;
}

static void counted_free(void *p, const char *file, int line)
{
	note(p, false);
	free(p);
}

static void *counted_realloc(void *p, size_t size, const char *file, int line)
{
	void *q;

	if (!size) {
		counted_free(p, file, line);
		return NULL;
	}
	note(p, false);
	q = realloc(p, size);
	note(q ? q : p, true);
	return q;
}

/* ---- records made by hand ---- */

static size_t put_record(unsigned char *d, uint8_t type, uint16_t epoch, uint32_t seq, size_t len)
{
	memset(d, 0, 13);
	d[0] = type;
	d[1] = 0xfe;
	d[2] = 0xfd;
	d[3] = (unsigned char)(epoch >> 8);
	d[4] = (unsigned char)epoch;
	d[7] = (unsigned char)(seq >> 24);
	d[8] = (unsigned char)(seq >> 16);
	d[9] = (unsigned char)(seq >> 8);
	d[10] = (unsigned char)seq;
	d[11] = (unsigned char)(len >> 8);
	d[12] = (unsigned char)len;
	return len + 13;
}

/* A part of a message of so many bytes. */
static size_t put_fragment(unsigned char *d, uint32_t seq, uint8_t type, uint32_t total,
			   uint16_t number, uint32_t at, uint32_t len)
{
	unsigned char *h = d + 13;

	h[0] = type;
	h[1] = (unsigned char)(total >> 16);
	h[2] = (unsigned char)(total >> 8);
	h[3] = (unsigned char)total;
	h[4] = (unsigned char)(number >> 8);
	h[5] = (unsigned char)number;
	h[6] = (unsigned char)(at >> 16);
	h[7] = (unsigned char)(at >> 8);
	h[8] = (unsigned char)at;
	h[9] = (unsigned char)(len >> 16);
	h[10] = (unsigned char)(len >> 8);
	h[11] = (unsigned char)len;
	memset(h + 12, 0x55, len);
	return put_record(d, 22, 0, seq, len + 12);
}

static void input(struct pair *p, const void *data, size_t len)
{
	tandem_dtls_input(p->ends[0].a, data, len, now_ms());
}

/* The client's first datagram, as it is on the wire. */
static struct wire_datagram hello(struct pair *p)
{
	start(p);
	assert_int_equal(p->count, 1);
	p->count = 0;
	return p->wire[0];
}

static const struct tandem_dtls_counters *counters(const struct pair *p)
{
	return tandem_dtls_context_counters(p->ctx[0]);
}

/* ---- cookies ---- */

static struct pair *cookie_pair(struct tandem_dtls_quota *quota)
{
	struct pair *p = pair_open(NULL, NULL);

	tandem_dtls_free(p->ends[0].a);
	end_open(p, 0, (struct tandem_dtls_config){ .cookie = true, .quota = quota });
	expect_peer(p, 0);
	return p;
}

static void cookie_returned(void **state)
{
	struct tandem_dtls_quota quota = { .max = 1 };
	struct pair *p = cookie_pair(&quota);

	(void)state;
	start(p);
	deliver(p);
	assert_int_equal(tandem_dtls_state(p->ends[0].a), TANDEM_DTLS_WAITING);
	assert_int_equal(quota.half_open, 0);
	assert_int_equal(counters(p)->cookies, 1);
	settle(p);
	assert_keys_agree(p, SRTP_AEAD_AES_128_GCM);
	assert_int_equal(quota.half_open, 0);
	pair_close(p);
}

/* From a forged source: each hello is answered by less than it has, and leaves nothing. */
static void cookie_not_returned(void **state)
{
	struct tandem_dtls_quota quota = { .max = 1 };
	struct pair *p = cookie_pair(&quota);
	struct wire_datagram first = hello(p);
	size_t before;

	(void)state;
	for (int i = 0; i < 100; i++)
		input(p, first.data, first.len);
	p->count = 0;
	before = in_use;
	for (int i = 0; i < 1000; i++) {
		input(p, first.data, first.len);
		assert_int_equal(p->count, 1);
		assert_true(p->wire[0].len < first.len);
		p->count = 0;
	}
	assert_int_equal(tandem_dtls_state(p->ends[0].a), TANDEM_DTLS_WAITING);
	assert_int_equal(counters(p)->started, 0);
	assert_int_equal(counters(p)->cookies, 1100);
	assert_int_equal(quota.half_open, 0);
	assert_in_range(in_use, 0, before + KIB);
	pair_close(p);
}

/* Somebody else's cookie, or one that is made up. */
static void cookie_wrong(void **state)
{
	struct pair *p = cookie_pair(NULL), *q = cookie_pair(NULL);

	(void)state;
	start(p);
	deliver(p);
	deliver(p); /* the request for the cookie, so that it is on the wire */
	assert_int_equal(p->count, 1);
	input(q, p->wire[0].data, p->wire[0].len);
	assert_int_equal(tandem_dtls_state(q->ends[0].a), TANDEM_DTLS_WAITING);
	for (size_t i = 60; i < 90 && i < p->wire[0].len; i++) {
		struct wire_datagram d = p->wire[0];

		d.data[i] ^= 1;
		input(p, d.data, d.len);
		if (tandem_dtls_state(p->ends[0].a) == TANDEM_DTLS_WAITING)
			continue;
		break; /* not in the cookie any more */
	}
	pair_close(q);
	pair_close(p);
}

/* ---- half open ---- */

/* Many begin and none goes on: so many as the quota says are looked after, and not for ever. */
static void flood_of_hellos(void **state)
{
	enum { MANY = 300, MAX = 10 };
	static const struct tandem_dtls_context_config impatient = { .handshake_ms = 200,
								     .retransmit_ms = 1000 };
	struct pair *p = pair_open(&impatient, NULL);
	struct tandem_dtls_quota all = { .max = MAX };
	struct wire_datagram first = hello(p);
	struct tandem_dtls *many[MANY];
	struct tandem_dtls_config cfg = { .quota = &all, .ops = &end_ops };
	struct end nobody = { .pair = p };
	size_t before = in_use, half_open = 0;

	(void)state;
	cfg.arg = &nobody;
	p->bad.lose = 100;
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(tandem_dtls_alloc(&many[i], p->ctx[0], &cfg), 0);
		nobody.a = many[i];
		tandem_dtls_input(many[i], first.data, first.len, now_ms());
		half_open += tandem_dtls_state(many[i]) == TANDEM_DTLS_HANDSHAKE;
	}
	assert_int_equal(half_open, MAX);
	assert_int_equal(all.half_open, MAX);
	assert_int_equal(counters(p)->over_quota, MANY - MAX);
	assert_int_equal(counters(p)->started, MAX);
	assert_in_range(in_use - before, 0, MAX * 160 * KIB);

	/* When their time is over there is room again. */
	pause_ms(250);
	for (int i = 0; i < MANY; i++) {
		nobody.a = many[i];
		if (tandem_dtls_deadline(many[i]) <= now_ms())
			tandem_dtls_tick(many[i], now_ms());
	}
	assert_int_equal(all.half_open, 0);
	assert_int_equal(counters(p)->timed_out, MAX);
	nobody.a = many[MANY - 1];
	tandem_dtls_input(nobody.a, first.data, first.len, now_ms());
	assert_int_equal(tandem_dtls_state(nobody.a), TANDEM_DTLS_HANDSHAKE);
	for (int i = 0; i < MANY; i++)
		tandem_dtls_free(many[i]);
	assert_int_equal(all.half_open, 0);
	assert_in_range(in_use, 0, before + 16 * KIB);
	pair_close(p);
}

static struct tandem_dtls_quota *source_of(void *arg)
{
	return ((struct end *)arg)->pair->source;
}

static const struct tandem_dtls_ops ops_with_source = { on_send, on_changed, source_of };

/* A server of which the quota of its source is asked for. */
static void open_with_source(struct pair *p, struct tandem_dtls_quota *all,
			     struct tandem_dtls_quota *source)
{
	const struct tandem_dtls_config cfg = { .quota = all,
						.ops = &ops_with_source,
						.arg = &p->ends[0] };

	p->source = source;
	tandem_dtls_free(p->ends[0].a);
	assert_int_equal(tandem_dtls_alloc(&p->ends[0].a, p->ctx[0], &cfg), 0);
	expect_peer(p, 0);
}

/* The quota of one source is used up; others get in. */
static void source_over_quota(void **state)
{
	struct pair *p = pair_open(NULL, NULL), *q = pair_open(NULL, NULL);
	struct tandem_dtls_quota all = { .max = 10 }, one = { .max = 0 }, other = { .max = 1 };

	(void)state;
	open_with_source(p, &all, &one);
	open_with_source(q, &all, &other);
	start(p);
	deliver(p);
	assert_int_equal(tandem_dtls_state(p->ends[0].a), TANDEM_DTLS_WAITING);
	assert_int_equal(all.half_open, 0);
	start(q);
	deliver(q);
	assert_int_equal(tandem_dtls_state(q->ends[0].a), TANDEM_DTLS_HANDSHAKE);
	assert_int_equal(all.half_open, 1);
	assert_int_equal(other.half_open, 1);
	q->source = &one; /* it has moved meanwhile */
	settle(q);
	assert_int_equal(all.half_open, 0);
	assert_int_equal(other.half_open, 0);
	assert_int_equal(one.half_open, 0);
	one.max = 1; /* the client asks again */
	run(p, 2000);
	assert_keys_agree(p, SRTP_AEAD_AES_128_GCM);
	pair_close(q);
	pair_close(p);
}

static struct tandem_dtls_quota *quota_of(struct tandem_dtls_sources *s, const char *ip)
{
	struct ip_addr addr;

	assert_int_equal(tandem_ip_parse(&addr, ip), 0);
	return tandem_dtls_sources_quota(s, &addr);
}

/* Places are few, so that two addresses may have the same; which do differs from run to run. */
static void sources(void **state)
{
	static struct tandem_dtls_sources s, again;
	unsigned int shared = 0, moved = 0;
	char ip[64];

	(void)state;
	assert_int_equal(tandem_dtls_sources_init(&s, 7), 0);
	assert_int_equal(tandem_dtls_sources_init(&again, 7), 0);
	assert_int_equal(quota_of(&s, "192.0.2.1")->max, 7);
	assert_ptr_equal(quota_of(&s, "2001:db8:1:2::3"), quota_of(&s, "2001:db8:1:2:f::4"));
	for (unsigned int i = 0; i < 256; i++) {
		snprintf(ip, sizeof(ip), "198.51.100.%u", i);
		shared += quota_of(&s, ip) == quota_of(&s, "192.0.2.1");
		moved += quota_of(&s, ip) - s.quota != quota_of(&again, ip) - again.quota;
		snprintf(ip, sizeof(ip), "2001:db8:1:%x::1", i + 3);
		shared += quota_of(&s, ip) == quota_of(&s, "2001:db8:1:2::3");
	}
	assert_in_range(shared, 0, 8);
	assert_in_range(moved, 200, 256);
}

/* A client of ours waits for its turn, and not longer than a handshake may take. */
static void client_over_quota(void **state)
{
	struct pair *p = pair_open(NULL, NULL);
	struct tandem_dtls_quota quota = { .max = 0 };

	(void)state;
	tandem_dtls_free(p->ends[1].a);
	end_open(p, 1, (struct tandem_dtls_config){ .quota = &quota });
	expect_peer(p, 1);
	start(p);
	assert_int_equal(p->count, 0);
	assert_in_range(tandem_dtls_deadline(p->ends[1].a), now_ms(), now_ms() + 1000);
	quota.max = 1;
	run(p, 2000);
	assert_keys_agree(p, SRTP_AEAD_AES_128_GCM);
	pair_close(p);
}

/* ---- memory ---- */

static void memory(void **state)
{
	enum { PAIRS = 10 };
	struct tandem_dtls *kept[2 * PAIRS];
	struct pair *p = pair_open(NULL, NULL);
	size_t before, half_open = 0;

	(void)state;
	for (int i = 0; i < PAIRS; i++) {
		most = before = in_use;
		start(p);
		settle(p);
		assert_keys_agree(p, SRTP_AEAD_AES_128_GCM);
		half_open = most - before;
		for (int k = 0; k < 2; k++) {
			kept[2 * i + k] = p->ends[k].a;
			end_open(p, k, (struct tandem_dtls_config){ 0 });
			expect_peer(p, k);
		}
	}
	tandem_dtls_free(p->ends[0].a);
	tandem_dtls_free(p->ends[1].a);
	before = in_use;
	for (int i = 0; i < 2 * PAIRS; i++) {
		p->ends[i % 2].a = kept[i];
		tandem_dtls_free(kept[i]);
		p->ends[i % 2].a = NULL;
	}
	p->count = 0;
	print_message("an association: %zu KiB connected, two at most %zu KiB before\n",
		      (before - in_use) / (2 * PAIRS) / KIB, half_open / KIB);
	assert_in_range((before - in_use) / (2 * PAIRS), 1, 40 * KIB);
	assert_in_range(half_open, 1, 2 * 100 * KIB);
	pair_close(p);
}

/* Parts of messages that never become whole, and records that nobody can read yet. */
static void worst_of_peers(void **state)
{
	struct pair *p = pair_open(NULL, NULL);
	struct wire_datagram first = hello(p);
	unsigned char d[1500];
	size_t before = in_use;
	uint32_t seq = 1;

	(void)state;
	input(p, first.data, first.len);
	assert_int_equal(tandem_dtls_state(p->ends[0].a), TANDEM_DTLS_HANDSHAKE);
	most = in_use;
	for (uint16_t number = 1; number < 40; number++) {
		for (uint32_t at = 1; at < 14000; at += 1500)
			input(p, d, put_fragment(d, seq++, 11, 16000, number, at, 1000));
	}
	for (uint32_t i = 0; i < 500; i++)
		input(p, d, put_record(d, 22, 1, i, 1400));
	for (uint32_t i = 0; i < 500; i++)
		input(p, d, put_record(d, 20 + i % 3, (uint16_t)(2 + i), i, 1400));
	print_message("a server that is given the worst: %zu KiB\n", (most - before) / KIB);
	assert_int_equal(tandem_dtls_state(p->ends[0].a), TANDEM_DTLS_HANDSHAKE);
	assert_in_range(most - before, 100 * KIB, 600 * KIB);

	/* And one message that is longer than any is. */
	input(p, d, put_fragment(d, seq, 11, 0xfffff0, 1, 0, 1000));
	assert_in_range(most - before, 100 * KIB, 600 * KIB);
	pair_close(p);
}

/* ---- rubbish ---- */

/* Whatever is made of the datagrams of a real handshake: it ends, and never with keys for both. */
static void spoilt_handshakes(void **state)
{
	size_t before = in_use;

	(void)state;
	for (unsigned int seed = 1; seed <= 60; seed++) {
		struct pair *p = pair_open(NULL, NULL);

		p->seed = seed;
		p->bad = (struct impairment){ .spoil = 60, .repeat = 50, .reorder = 30 };
		start(p);
		for (int i = 0; i < 400 && p->count; i++)
			deliver(p);
		if (tandem_dtls_state(p->ends[0].a) == TANDEM_DTLS_CONNECTED &&
		    tandem_dtls_state(p->ends[1].a) == TANDEM_DTLS_CONNECTED)
			assert_keys_agree(p, SRTP_AEAD_AES_128_GCM);
		pair_close(p);
	}
	assert_in_range(in_use, 0, before + 64 * KIB);
}

static void not_dtls(void **state)
{
	struct pair *p = pair_open(NULL, NULL);
	struct wire_datagram first = hello(p);
	unsigned char d[600];

	(void)state;
	for (size_t len = 0; len < first.len; len++)
		input(p, first.data, len);
	memcpy(d, first.data, first.len);
	for (unsigned int type = 0; type < 256; type++) {
		d[0] = (unsigned char)type;
		if (type != 22)
			input(p, d, first.len);
	}
	d[0] = 22;
	d[1] = 3;
	input(p, d, first.len);
	d[1] = 0xfe;
	d[13] = 2; /* a ServerHello */
	input(p, d, first.len);
	d[13] = 1;
	d[4] = 1; /* encrypted, before there are keys */
	input(p, d, first.len);
	assert_int_equal(tandem_dtls_state(p->ends[0].a), TANDEM_DTLS_WAITING);
	assert_int_equal(counters(p)->started, 0);
	assert_int_equal(counters(p)->junk, first.len + 255 + 3);
	assert_int_equal(p->sent, 1);
	/* A client that has not begun takes nothing. */
	input(p, first.data, first.len);
	assert_int_equal(tandem_dtls_state(p->ends[0].a), TANDEM_DTLS_HANDSHAKE);
	pair_close(p);
}

/* A second hello while the handshake is under way, from whoever else, changes nothing. */
static void second_hello(void **state)
{
	struct pair *p = pair_open(NULL, NULL), *q = pair_open(NULL, NULL);
	struct wire_datagram other = hello(q);

	(void)state;
	start(p);
	deliver(p);
	assert_int_equal(tandem_dtls_state(p->ends[0].a), TANDEM_DTLS_HANDSHAKE);
	for (int i = 0; i < 100; i++) {
		other.data[10]++;
		input(p, other.data, other.len);
	}
	settle(p);
	assert_keys_agree(p, SRTP_AEAD_AES_128_GCM);
	for (int i = 0; i < 100; i++) {
		other.data[10]++;
		input(p, other.data, other.len);
	}
	assert_keys_agree(p, SRTP_AEAD_AES_128_GCM);
	pair_close(q);
	pair_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory),
		cmocka_unit_test(cookie_returned),
		cmocka_unit_test(cookie_not_returned),
		cmocka_unit_test(cookie_wrong),
		cmocka_unit_test(flood_of_hellos),
		cmocka_unit_test(source_over_quota),
		cmocka_unit_test(sources),
		cmocka_unit_test(client_over_quota),
		cmocka_unit_test(worst_of_peers),
		cmocka_unit_test(spoilt_handshakes),
		cmocka_unit_test(not_dtls),
		cmocka_unit_test(second_hello),
	};

	/* Before OpenSSL allocates anything. */
	if (CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free) != 1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
