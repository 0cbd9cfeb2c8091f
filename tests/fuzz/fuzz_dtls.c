/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A DTLS server, and a client, with the input between them: it says what becomes of each datagram
 * that is on the way, and puts in others. Whatever comes of it: keys only after a proof, the same
 * ones at both ends, and nothing half open is left behind.
 */
#include <stdlib.h>
#include <string.h>

#include "core/srtp_abi.h"
#include "tests/fuzz/check.h"
#include "userspace/media/dtls.h"

#define WIRE	 64
#define DATAGRAM 2048

struct datagram {
	int to;
	size_t len;
	uint8_t data[DATAGRAM];
};

struct end {
	struct tandem_dtls *a;
	int number;
};

struct input {
	const uint8_t *p;
	size_t left;
};

static struct tandem_dtls_context *ctx[2];
static struct end ends[2];
static struct datagram wire[WIRE];
static size_t on_wire;
static uint64_t now;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static uint8_t next(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->p++;
}

static void on_send(const void *data, size_t len, void *arg)
{
	const struct end *from = arg;

	CHECK(len && len <= TANDEM_DTLS_MTU);
	if (on_wire == WIRE)
		return;
	wire[on_wire].to = !from->number;
	wire[on_wire].len = len;
	memcpy(wire[on_wire++].data, data, len);
}

static void on_changed(enum tandem_dtls_state state, void *arg)
{
	const struct end *end = arg;

	CHECK(state == tandem_dtls_state(end->a));
	CHECK((state == TANDEM_DTLS_FAILED) == (tandem_dtls_why(end->a)[0] != '\0'));
}

static void give(int to, const void *data, size_t len)
{
	/* A copy of the right size, so that reading beyond it is seen. */
	uint8_t *copy = malloc(len ? len : 1);

	memcpy(copy, data, len);
	tandem_dtls_input(ends[to].a, copy, len, now);
	free(copy);
}

static void take(size_t i, struct datagram *d)
{
	*d = wire[i];
	memmove(&wire[i], &wire[i + 1], (on_wire - i - 1) * sizeof(*d));
	on_wire--;
}

/* One datagram made up by the input: records with a head that passes the first look. */
static void inject(struct input *in)
{
	int to = next(in) & 1;
	uint8_t d[512] = { 0 };
	size_t len = next(in) % 200;

	d[0] = 20 + next(in) % 5;
	d[1] = 0xfe;
	d[2] = 0xfd;
	d[4] = next(in) % 3;
	d[10] = next(in);
	d[12] = (uint8_t)len;
	for (size_t i = 0; i < len; i++)
		d[13 + i] = next(in);
	give(to, d, 13 + len);
}

static void step(struct input *in)
{
	uint8_t op = next(in);
	struct datagram d;

	if (op % 8 == 7) {
		inject(in);
		return;
	}
	if (!on_wire || op % 8 == 6) {
		now += 1 + next(in);
		tandem_dtls_tick(ends[0].a, now);
		tandem_dtls_tick(ends[1].a, now);
		return;
	}
	take(op % 8 == 5 ? next(in) % on_wire : 0, &d);
	if (op % 8 == 1)
		return;
	if (op % 8 == 2)
		give(d.to, d.data, d.len);
	if (op % 8 == 3)
		d.data[next(in) % d.len] ^= next(in);
	if (op % 8 == 4)
		d.len = (next(in) << 8 | next(in)) % (d.len + 1);
	give(d.to, d.data, d.len);
}

static void check_keys(void)
{
	struct tandem_srtp in[2], out[2];
	int had = 0;

	for (int i = 0; i < 2; i++) {
		enum tandem_dtls_state state = tandem_dtls_state(ends[i].a);
		int err = tandem_dtls_keys(ends[i].a, &in[i], &out[i]);

		CHECK(!err == (state == TANDEM_DTLS_CONNECTED || state == TANDEM_DTLS_CLOSED));
		had += !err;
	}
	if (had < 2)
		return;
	CHECK(in[0].suite == out[1].suite && in[1].suite == out[0].suite);
	CHECK(!memcmp(in[0].key, out[1].key, 32) && !memcmp(in[1].key, out[0].key, 32));
	CHECK(!memcmp(in[0].salt, out[1].salt, 14) && !memcmp(in[1].salt, out[0].salt, 14));
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	CHECK(!tandem_dtls_context_alloc(&ctx[0], NULL));
	CHECK(!tandem_dtls_context_alloc(&ctx[1], NULL));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tandem_dtls_ops ops = { .send = on_send, .changed = on_changed };
	struct tandem_dtls_quota quota = { .max = 2 };
	struct input in = { data, size };
	uint8_t how = next(&in);

	on_wire = 0;
	for (int i = 0; i < 2; i++) {
		const struct tandem_dtls_config cfg = { .client = i == 1,
							.cookie = how & 1,
							.quota = &quota,
							.ops = &ops,
							.arg = &ends[i] };

		ends[i].number = i;
		CHECK(!tandem_dtls_alloc(&ends[i].a, ctx[i], &cfg));
		if (!(how & 2 << i))
			CHECK(!tandem_dtls_set_peer(
				ends[i].a, tandem_dtls_context_fingerprint(ctx[!i]), 1, now));
	}
	CHECK(!tandem_dtls_start(ends[1].a, now));
	for (int i = 0; i < 300 && in.left; i++)
		step(&in);
	check_keys();
	CHECK(quota.half_open <= 2);
	tandem_dtls_free(ends[0].a);
	tandem_dtls_free(ends[1].a);
	CHECK(!quota.half_open);
	return 0;
}
