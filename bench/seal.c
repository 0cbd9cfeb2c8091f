/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/seal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/env_api.h"
#include "core/rtp.h"
#include "core/srtp.h"
#include "userspace/srtp/cipher.h"
#include "userspace/srtp/kdf.h"

struct seal {
	struct tandem_ciphers *ciphers;
	uint32_t flows;
	struct srtp_keys keys[];
};

void tandem_bench_key(uint32_t i, enum bench_side side, uint8_t suite, struct tandem_srtp *key)
{
	*key = (struct tandem_srtp){ .id = 2 * (uint64_t)i + side + 1,
				     .suite = suite,
				     .streams = 1 };
	memset(key->key, 0x5a, sizeof(key->key));
	memset(key->salt, 0xa5, sizeof(key->salt));
	memcpy(key->key, &key->id, sizeof(key->id));
}

int tandem_seal_alloc(struct seal **sealp, uint32_t flows, uint8_t suite, bench_key_h *keyh,
		      void *arg)
{
	struct seal *seal = calloc(1, sizeof(*seal) + flows * sizeof(seal->keys[0]));
	int err = seal ? tandem_ciphers_alloc(&seal->ciphers, flows, NULL) : -ENOMEM;

	for (uint32_t i = 0; i < flows && !err; i++) {
		struct tandem_srtp key = { .suite = suite };

		keyh(i, &key, arg);
		err = tandem_srtp_derive(&seal->keys[i], suite, key.key, key.salt);
		if (!err)
			err = tandem_ciphers_set(seal->ciphers, i, &seal->keys[i]);
	}
	if (err) {
		tandem_seal_free(seal);
		return err;
	}
	seal->flows = flows;
	*sealp = seal;
	return 0;
}

void tandem_seal_free(struct seal *seal)
{
	if (!seal)
		return;
	tandem_ciphers_free(seal->ciphers);
	free(seal);
}

uint32_t tandem_seal_trailer(const struct seal *seal)
{
	return srtp_trailer(&seal->keys[0], 0);
}

static void write_rtp(uint8_t *p, uint32_t flow, uint32_t seq, uint32_t size)
{
	uint16_t number = htons((uint16_t)seq);
	uint32_t words[] = { htonl(seq * WIRE_TIMESTAMP_STEP), htonl(WIRE_SSRC_BASE + flow) };

	memset(p, WIRE_SILENCE, size);
	p[0] = 0x80; /* version 2, payload type 0 */
	p[1] = 0;
	memcpy(p + 2, &number, sizeof(number));
	memcpy(p + 4, words, sizeof(words));
}

/* Sums of 16-bit words as in memory; what is behind the packet is zero. */
static uint32_t sum_words(const uint8_t *p)
{
	uint32_t sum = 0;
	uint16_t word;

	for (uint32_t i = 0; i < WIRE_SEALED_MAX; i += sizeof(word)) {
		memcpy(&word, p + i, sizeof(word));
		sum += word;
	}
	return sum;
}

/*
 * By the ciphers and not by srtp_seal(), which counts indices of its own: the same packets may be
 * asked for again.
 */
int tandem_seal_packet(struct seal *seal, uint32_t flow, uint32_t seq, uint32_t size,
		       struct wire_sealed *out)
{
	const struct srtp_keys *keys = &seal->keys[flow];
	struct srtp_job job = { .keys = flow,
				.flags = SRTP_J_SEAL,
				.len = size,
				.head = WIRE_RTP_LEN,
				.ssrc = WIRE_SSRC_BASE + flow,
				.seq = seq & 0xffff,
				.body = size - WIRE_RTP_LEN,
				.suite = keys->suite,
				.tag_len = keys->tag_len[SRTP_RTP] };
	int err;

	memset(out->data, 0, sizeof(out->data));
	write_rtp(out->data, flow, seq, size);
	srtp_index_set(&job, keys, seq);
	if (srtp_is_aead(keys->suite)) {
		err = tandem_cipher_gcm(seal->ciphers, &job, out->data);
	} else {
		err = srtp_has_ctr(&job) ? tandem_cipher_ctr(seal->ciphers, &job, out->data) : 0;
		if (!err)
			err = tandem_cipher_hmac(keys, &job, out->data);
		if (!err)
			memcpy(out->data + size, job.tag, job.tag_len);
	}
	out->seq = seq;
	out->sum = sum_words(out->data);
	return err ? -EIO : 0;
}

int tandem_seal_rings(struct seal *seal, const struct seal_rings *rings)
{
	int err = 0;

	for (uint32_t i = 0; i < rings->count && !err; i++) {
		for (uint32_t n = 0; n < rings->length && !err; n++) {
			uint32_t seq = rings->flows[i].seq + n;
			struct wire_sealed *at =
				&rings->packets[i * rings->length + seq % rings->length];

			if (at->seq == seq && at->lane == rings->lane)
				continue;
			err = tandem_seal_packet(seal, i, seq, rings->size, at);
			at->lane = rings->lane;
		}
	}
	return err;
}
