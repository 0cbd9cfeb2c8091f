/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies of packets for captures, by a queue to the thread that reads them. Once there is one it
 * stays until the datapath is closed, so that the worker need not be asked to let go of it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/tap.h"
#include "core/rewrite.h"
#include "userspace/uring/worker.h"

#define ROOM (16U << 20) /* bytes: 40,000 packets of G.711 */

struct uring_tap {
	struct env_tap tap; /* what the worker knows */
	struct tandem_datapath *dp;
	struct uring_queue queue;
	bool on;       /* somebody reads */
	uint32_t size; /* bytes of a payload */
	uint64_t lost; /* all that there was no room for */
	uint64_t lost_before;
	struct {
		struct tap_record record;
		struct tap_address source, destination;
		unsigned char payload[URING_PAYLOAD_SIZE + URING_TAILROOM];
	} put, taken; /* each of one thread */
};

_Static_assert(offsetof(struct uring_tap, tap) == 0, "the one is the other");

#define ADDRESSES (2 * sizeof(struct tap_address))

static struct tap_address address(const struct ip_addr *ip, __be16 port, uint8_t tos)
{
	struct tap_address a = { .port = port, .tos = tos };

	memcpy(a.ip, ip, sizeof(a.ip));
	return a;
}

static void addresses(struct uring_tap *t, const struct egress *eg)
{
	const struct flow_key *key = t->tap.key;
	uint8_t tos = eg ? egress_tos(eg, t->tap.tos) : t->tap.tos;

	t->put.source = eg ? address(egress_local(&t->dp->env, eg), eg->local_port, tos)
			   : address(&key->remote, key->remote_port, tos);
	t->put.destination = eg ? address(&eg->remote, eg->remote_port, tos)
				: address(&key->local, key->local_port, tos);
}

/* In the worker. */
static void tap_h(struct env_tap *tap, const struct tap_record *record, const struct egress *eg,
		  const void *payload)
{
	struct uring_tap *t = (struct uring_tap *)tap;
	uint32_t len = record->kind == TAP_REFUSED ? tap->len : record->payload_len;
	uint32_t size = __atomic_load_n(&t->size, __ATOMIC_RELAXED);
	struct uring_letter letter = { .flow_id = record->flow_id };

	if (!__atomic_load_n(&t->on, __ATOMIC_RELAXED) || !tap->key)
		return;
	if (size > len)
		size = len;
	t->put.record = *record;
	t->put.record.flags = TAP_F_ADDRESSES;
	t->put.record.size = (uint16_t)(ADDRESSES + size);
	t->put.record.payload_off = ADDRESSES;
	t->put.record.payload_len = (uint16_t)len;
	addresses(t, eg);
	memcpy(t->put.payload, payload, size);
	letter.len = (uint32_t)(sizeof(*record) + ADDRESSES) + size;
	if (!tandem_uring_queue_put(&t->queue, &letter, &t->put))
		__atomic_fetch_add(&t->lost, 1, __ATOMIC_RELAXED);
}

int tandem_uring_tap_open(struct tandem_datapath *dp, uint32_t size)
{
	struct uring_tap *t = dp->tap;
	int err = 0;

	if (!t) {
		t = calloc(1, sizeof(*t));
		err = t ? tandem_uring_queue_init(&t->queue, ROOM) : -ENOMEM;
		if (err) {
			free(t);
			return err;
		}
		t->tap.h = tap_h;
		t->dp = dp;
		dp->tap = t;
	}
	if (size > URING_PAYLOAD_SIZE)
		size = URING_PAYLOAD_SIZE;
	__atomic_store_n(&t->size, size, __ATOMIC_RELAXED);
	if (!t->on)
		t->lost_before = __atomic_load_n(&t->lost, __ATOMIC_RELAXED);
	__atomic_store_n(&t->on, true, __ATOMIC_RELAXED);
	__atomic_store_n(&dp->env.tap, &t->tap, __ATOMIC_RELEASE);
	return 0;
}

size_t tandem_uring_tap_read(struct tandem_datapath *dp, tandem_tapped_h *h, void *arg,
			     uint64_t *lost)
{
	struct uring_tap *t = dp->tap;
	struct uring_letter letter;
	size_t n = 0;

	if (!t || !t->on)
		return 0;
	for (; tandem_uring_queue_take(&t->queue, &letter, &t->taken); n++)
		h(&(struct tandem_tapped){ .record = &t->taken.record, .bytes = &t->taken.source },
		  arg);
	*lost = __atomic_load_n(&t->lost, __ATOMIC_RELAXED) - t->lost_before;
	return n;
}

static void nobody_h(const struct tandem_tapped *tapped, void *arg)
{
	(void)tapped;
	(void)arg;
}

void tandem_uring_tap_close(struct tandem_datapath *dp)
{
	uint64_t lost;

	if (!dp->tap)
		return;
	tandem_uring_tap_read(dp, nobody_h, NULL, &lost);
	__atomic_store_n(&dp->tap->on, false, __ATOMIC_RELAXED);
}

void tandem_uring_tap_clean(struct tandem_datapath *dp)
{
	if (!dp->tap)
		return;
	tandem_uring_queue_clean(&dp->tap->queue);
	free(dp->tap);
	dp->tap = NULL;
}
