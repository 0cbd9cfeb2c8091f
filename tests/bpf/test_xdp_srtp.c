/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SRTP in XDP beside SRTP in userspace, which has its own tests beside libsrtp2: the same keys,
 * the same packets; the same bytes, reasons and streams must come of it.
 */
#include "tests/unit/srtp_fixture.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>

#include "core/aes.h"
#include "tests/bpf/srtp_steps.h"
#include "srtp.skel.h"

#define OUT	   1 /* index of the keys that packets are protected with */
#define IN	   2 /* of those that they are opened with; the keys are the same */
#define OLD	   3 /* of those that are tried next */
#define FRAME_ROOM 2048
#define PACKETS	   400 /* for each suite */
#define LEN_MAX	   1400
#define REPEAT	   20000

static struct srtp_bpf *skel;
static uint32_t seed = 1;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)((uint64_t)seed * below >> 32);
}

static int setup(void **state)
{
	int err = tables_setup(state);

	if (err)
		return err;
	skel = srtp_bpf__open();
	if (!skel)
		return -errno;
	bpf_map__set_max_entries(skel->maps.srtp_keys, KEYS);
	bpf_map__set_max_entries(skel->maps.srtp_schedules, 2 * KEYS);
	bpf_map__set_max_entries(skel->maps.srtp_streams, KEYS * SSRCS);
	return srtp_bpf__load(skel);
}

static int teardown(void **state)
{
	srtp_bpf__destroy(skel);
	return tables_teardown(state);
}

static void put(struct bpf_map *map, uint32_t index, const void *value)
{
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), &index, value, BPF_ANY), 0);
}

/* What userspace has under an index, to XDP; with streams that begin again. */
static void keys_to_xdp(uint32_t index)
{
	const struct srtp_keys *k = &tables.keys[index];
	const struct srtp_stream stream = { 0 };
	const uint32_t size = srtp_key_len(k->suite);
	struct aes_schedule schedule;

	keys_forget(index);
	put(skel->maps.srtp_keys, index, k);
	for (uint32_t i = 0; i < 2; i++) {
		aes_schedule_set(&schedule, k->session[i].key, size);
		put(skel->maps.srtp_schedules, 2 * index + i, &schedule);
	}
	for (uint32_t i = 0; i < SSRCS; i++)
		put(skel->maps.srtp_streams, index * SSRCS + i, &stream);
}

static void assert_same_streams(uint32_t keys)
{
	struct srtp_stream stream;

	for (uint32_t i = keys * SSRCS; i < (keys + 1) * SSRCS; i++) {
		assert_int_equal(
			bpf_map_lookup_elem(bpf_map__fd(skel->maps.srtp_streams), &i, &stream), 0);
		assert_memory_equal(&stream, &tables.streams[i], sizeof(stream));
	}
}

/*
 * One of the programs, repeat times, on the packet of *len bytes at p. Sealing has room
 * behind the packet, as the relay makes it. Returns ns for each time.
 */
static uint32_t run(struct bpf_program *prog, uint32_t keys, uint32_t flags, uint8_t *p,
		    uint32_t *len, int repeat)
{
	const uint32_t room = flags & SRTP_J_SEAL ? SRTP_TRAILER_MAX : 0;
	uint8_t in[FRAME_ROOM] = { 0 }, out[FRAME_ROOM];
	struct rtp_info info = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in, .data_size_in = SRTP_STEP_OFF + *len,
		    .data_out = out, .data_size_out = sizeof(out), .repeat = repeat);

	if (!(flags & SRTP_J_RTCP))
		assert_int_equal(rtp_parse(p, p + *len, *len, 1, &info), REASON_NONE);
	memcpy(in + SRTP_STEP_OFF, p, *len);
	opts.data_size_in += room;
	skel->bss->step =
		(struct srtp_step){ .keys = keys, .flags = flags, .len = *len, .head = info.head };
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(prog), &opts), 0);
	assert_int_equal(opts.retval, 2 /* XDP_PASS */);
	if (skel->bss->step.reason == REASON_NONE) {
		*len = skel->bss->step.out_len;
		memcpy(p, out + SRTP_STEP_OFF, *len);
	}
	return opts.duration;
}

static enum reason xdp_seal(uint32_t keys, uint32_t flags, uint8_t *p, uint32_t *len)
{
	run(skel->progs.srtp_step_seal, keys, flags | SRTP_J_SEAL, p, len, 1);
	return skel->bss->step.reason;
}

static enum reason xdp_unseal(uint32_t keys, uint32_t flags, uint8_t *p, uint32_t *len)
{
	run(skel->progs.srtp_step_open, keys, flags, p, len, 1);
	return skel->bss->step.reason;
}

static void pair(uint8_t suite, uint8_t key_seed, const char *mki)
{
	keys_set(OUT, suite, key_seed);
	keys_set(IN, suite, key_seed);
	for (uint32_t i = OUT; mki && i <= IN; i++)
		keys_mki(i, mki);
	keys_to_xdp(OUT);
	keys_to_xdp(IN);
}

static void fill(uint8_t *p, uint32_t len)
{
	while (len--)
		*p++ = (uint8_t)rnd(256);
}

/* len bytes more behind the shortest packet. */
static uint32_t make(uint8_t *p, uint32_t flags, uint16_t seq, uint32_t len)
{
	const uint32_t ssrc = 0x1000 + rnd(2);
	uint32_t head = flags & SRTP_J_RTCP ? rtcp_make(p, ssrc) : rtp_make(p, ssrc, seq, 0);

	fill(p + head, len);
	return head + len;
}

/* Of one packet: to the same bytes there and here, and back. */
static void there_and_back(uint32_t flags, const uint8_t *clear, uint32_t len)
{
	uint8_t ours[FRAME_ROOM], theirs[FRAME_ROOM];
	uint32_t our_len = len, their_len = len;

	memcpy(ours, clear, len);
	memcpy(theirs, clear, len);
	assert_int_equal(seal(OUT, flags, theirs, &their_len), REASON_NONE);
	assert_int_equal(xdp_seal(OUT, flags, ours, &our_len), REASON_NONE);
	assert_int_equal(our_len, their_len);
	assert_memory_equal(ours, theirs, our_len);
	assert_int_equal(unseal(IN, flags, theirs, &their_len), REASON_NONE);
	assert_int_equal(xdp_unseal(IN, flags, ours, &our_len), REASON_NONE);
	assert_int_equal(our_len, len);
	assert_memory_equal(ours, clear, len);
}

static void same_bytes(uint8_t suite, uint32_t flags, const char *mki)
{
	uint8_t clear[FRAME_ROOM];
	uint16_t seq = 65400;
	uint32_t len;

	pair(suite, 3, mki);
	for (uint32_t i = 0; i < PACKETS; i++) {
		seq += 1 + rnd(20);
		/* every length up to 200, then any */
		len = make(clear, flags, seq, i < 200 ? i : rnd(LEN_MAX));
		there_and_back(flags, clear, len);
	}
	assert_same_streams(OUT);
	assert_same_streams(IN);
}

static void bytes(void **state)
{
	for (uint8_t suite = 1; suite < SRTP_SUITES; suite++) {
		if (srtp_is_aead(suite))
			continue;
		same_bytes(suite, 0, NULL);
		same_bytes(suite, SRTP_J_RTCP, NULL);
		same_bytes(suite, 0, "k1");
		same_bytes(suite, SRTP_J_RTCP, "key of 16 octets");
	}
}

/* RFC 3711 B.2: the first and last blocks of 65280, of which a packet has 256 at most. */
static void keystream(void **state)
{
	static const uint8_t key[16] = { 0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
					 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c };
	static const uint8_t want[48] = { 0xe0, 0x3e, 0xad, 0x09, 0x35, 0xc9, 0x5e, 0x80,
					  0xe1, 0x66, 0xb1, 0x6d, 0xd9, 0x2b, 0x4e, 0xb4,
					  0xd2, 0x35, 0x13, 0x16, 0x2b, 0x02, 0xd0, 0xf7,
					  0x2a, 0x43, 0xa2, 0xfe, 0x4a, 0x5f, 0x97, 0xab,
					  0x41, 0xe9, 0x5b, 0x3b, 0xb0, 0xa2, 0xe8, 0xdd,
					  0x47, 0x79, 0x01, 0xe4, 0xfc, 0xa8, 0x94, 0xc0 };
	struct srtp_keys *k = keys_begin(OUT);
	struct srtp_session *s = &k->session[SRTP_RTP];
	uint8_t p[FRAME_ROOM];
	uint32_t len = rtp_make(p, 0, 0, sizeof(want));

	memset(p + 12, 0, sizeof(want));
	k->suite = SRTP_AES_CM_128_HMAC_SHA1_80;
	k->tag_len[SRTP_RTP] = 10;
	memcpy(s->key, key, sizeof(key));
	for (int i = 0; i < 14; i++)
		s->salt[i] = (uint8_t)(0xf0 + i);
	keys_to_xdp(OUT);
	assert_int_equal(xdp_seal(OUT, 0, p, &len), REASON_NONE);
	assert_memory_equal(p + 12, want, sizeof(want));
}

/* A packet that something is wrong with: the same reason, and nothing noted of it. */
static void same_refusal(uint32_t flags, const uint8_t *packet, uint32_t len)
{
	uint8_t ours[FRAME_ROOM], theirs[FRAME_ROOM];
	uint32_t our_len = len, their_len = len;
	enum reason we, they;

	memcpy(ours, packet, len);
	memcpy(theirs, packet, len);
	they = unseal(IN, flags, theirs, &their_len);
	we = xdp_unseal(IN, flags, ours, &our_len);
	assert_int_equal(we, they);
	assert_int_equal(our_len, their_len);
}

static void refusals(void **state)
{
	static const uint32_t flags[] = { 0, SRTP_J_RTCP };
	uint8_t p[FRAME_ROOM], damaged[FRAME_ROOM];
	uint32_t len, cut;

	for (int f = 0; f < 2; f++) {
		pair(SRTP_AES_CM_128_HMAC_SHA1_80, 4, "id");
		for (uint16_t i = 0; i < PACKETS; i++) {
			len = make(p, flags[f], (uint16_t)(i * 3), rnd(60));
			assert_int_equal(seal(OUT, flags[f], p, &len), REASON_NONE);
			memcpy(damaged, p, len);
			damaged[12 + rnd(len - 12)] ^= (uint8_t)(1 << rnd(8));
			same_refusal(flags[f], damaged, len);
			cut = 12 + rnd(len - 12);
			same_refusal(flags[f], p, cut);
			same_refusal(flags[f], p, len);
			same_refusal(flags[f], p, len);
		}
		assert_same_streams(IN);
	}
}

/* While keys change, what is protected with the old ones still arrives. */
static void old_keys(void **state)
{
	uint8_t p[FRAME_ROOM];
	uint32_t len;

	pair(SRTP_AES_CM_128_HMAC_SHA1_80, 5, NULL);
	keys_set(IN, SRTP_AES_256_CM_HMAC_SHA1_80, 6)->next = OLD;
	keys_set(OLD, SRTP_AES_CM_128_HMAC_SHA1_80, 5);
	keys_to_xdp(IN);
	keys_to_xdp(OLD);
	len = make(p, 0, 1, 160);
	assert_int_equal(xdp_seal(OUT, 0, p, &len), REASON_NONE);
	assert_int_equal(xdp_unseal(IN, 0, p, &len), REASON_NONE);
	assert_int_equal(len, 172);
}

/* What XDP cannot do is said before anything is changed. */
static void unable(void **state)
{
	uint8_t p[FRAME_ROOM];
	uint32_t len = make(p, 0, 1, 160);

	keys_set(OUT, SRTP_AEAD_AES_128_GCM, 7);
	keys_to_xdp(OUT);
	assert_int_equal(xdp_unseal(OUT, 0, p, &len), REASON_srtp_suite);
	assert_same_streams(OUT);
}

/* Authenticated, and left as it came. */
static void kept(void **state)
{
	uint8_t p[FRAME_ROOM], before[FRAME_ROOM];
	uint32_t len = make(p, 0, 1, 160), sealed;

	pair(SRTP_AES_CM_128_HMAC_SHA1_80, 8, NULL);
	assert_int_equal(xdp_seal(OUT, 0, p, &len), REASON_NONE);
	memcpy(before, p, sealed = len);
	assert_int_equal(xdp_unseal(IN, SRTP_J_KEEP, p, &len), REASON_NONE);
	assert_int_equal(len, sealed);
	assert_memory_equal(p, before, len);
}

/* For the reader. RTCP, since an RTP packet is not protected twice. */
static void speed(void **state)
{
	static const uint32_t payloads[] = { 20, 160, 1200 };
	uint8_t p[FRAME_ROOM];
	uint32_t len, ns;

	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
		pair(SRTP_AES_CM_128_HMAC_SHA1_80, 9, NULL);
		len = make(p, SRTP_J_RTCP, 0, payloads[i] - 20);
		ns = run(skel->progs.srtp_step_seal, OUT, SRTP_J_RTCP | SRTP_J_SEAL, p, &len,
			 REPEAT);
		print_message("# %u bytes protected: %u ns\n", len - 14, ns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keystream), cmocka_unit_test(bytes), cmocka_unit_test(refusals),
		cmocka_unit_test(old_keys),  cmocka_unit_test(kept),  cmocka_unit_test(unable),
		cmocka_unit_test(speed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, setup, teardown);
}
