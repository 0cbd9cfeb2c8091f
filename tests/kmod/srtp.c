/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs in the guest, with the module loaded: SRTP in its datapath, and what it costs; see srtp.h. */
#include "tests/kmod/srtp.h"

#define MEASURED  1500 /* packets, in each of so many */
#define ROUNDS	  4
#define UNDER_WAY 32 /* packets, at most; a socket has room for more */

/* Take packets from b until no more than some are under way; false: one does not come. */
static bool drain(struct world *w, unsigned int sent, unsigned int *got, unsigned int under_way)
{
	struct received r;

	while (sent - *got > under_way) {
		receive(w->b, RECEIVE_MS, &r);
		if (r.len < 0)
			return false;
		++*got;
	}
	return true;
}

/* ns that one packet of a's takes, the kernel's way to the other end included; 0: some got lost. */
static uint64_t packet_ns(struct world *w)
{
	struct timespec before, after;
	unsigned char in[RTP_SIZE];
	unsigned int sent, got = 0;
	bool all = true;

	clock_gettime(CLOCK_MONOTONIC, &before);
	for (sent = 0; all && sent < MEASURED; sent++) {
		rtp(in, (uint16_t)sent);
		send_to(w->a, "10.1.0.1", 20000, in, sizeof(in));
		/* veth mostly hands a packet on in the sender's own time */
		all = drain(w, sent + 1, &got, UNDER_WAY);
	}
	all = all && drain(w, sent, &got, 0);
	clock_gettime(CLOCK_MONOTONIC, &after);
	if (!all)
		return 0;
	return ((uint64_t)(after.tv_sec - before.tv_sec) * 1000000000 + (uint64_t)after.tv_nsec -
		(uint64_t)before.tv_nsec) /
	       MEASURED;
}

/*
 * What protection costs beside a plain packet on the same way; the least of some rounds each, for
 * the machine has other things to do. Emulated, so the ratios alone say something, and not much.
 */
static void measure(struct world *w)
{
	uint64_t ns[SRTP_SUITES] = { 0 };
	bool all = true;

	for (int round = 0; round < ROUNDS; round++) {
		for (uint8_t suite = SRTP_SUITE_NONE; suite < SRTP_SUITES; suite++) {
			const struct tandem_srtp out = key_set(w, suite, suite);
			uint64_t took;

			set_flows(w, suite == SRTP_SUITE_NONE ? NULL : &out, NULL, NULL);
			took = packet_ns(w);
			all &= took > 0;
			if (!ns[suite] || took < ns[suite])
				ns[suite] = took;
			remove_flows(w);
		}
	}
	if (!ok(all, "every packet of the measurement comes through"))
		return;
	printf("# a plain packet: %llu ns, from end to end\n", (unsigned long long)ns[0]);
	for (uint8_t suite = SRTP_SUITE_NONE + 1; suite < SRTP_SUITES; suite++)
		printf("# %s: %.2f times that\n", suites[suite], (double)ns[suite] / (double)ns[0]);
}

int main(void)
{
	struct world w = { .cfg = relay_config() };

	ends_open(&w);
	relay_open(&w);
	for (uint8_t suite = SRTP_SUITE_NONE + 1; suite < SRTP_SUITES; suite++)
		test_suite(&w, suite);
	test_ways(&w);
	test_fan(&w);
	test_sealed_legs(&w);
	puts("# checksums in the packets");
	set_offload("a", "va0", false);
	set_offload("b", "vb0", false);
	test_suite(&w, SRTP_AES_CM_128_HMAC_SHA1_80);
	test_suite(&w, SRTP_AEAD_AES_128_GCM);
	test_ways(&w);
	test_fan(&w);
	set_offload("a", "va0", true);
	set_offload("b", "vb0", true);
	test_streams(&w);
	test_takeover(&w);
	test_rekey(&w);
	measure(&w);
	print_counters(&w);
	ops->close(w.dp, false);
	tandem_srtp_sets_free(w.cfg.srtp);
	return failures ? 1 : 0;
}
