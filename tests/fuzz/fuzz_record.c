/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A recording of packets that anybody has sent. Each is a byte of time, a byte of length, and so many
 * octets of RTP.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/record/tape.h"

#define START 1000000000000ULL

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct tandem_mix_codecs codecs = {
	.v = { { .pt = 0, .clock_hz = 8000, .name = "PCMU" },
	       { .pt = 9, .clock_hz = 8000, .name = "G722" },
	       { .pt = 11, .clock_hz = 44100, .name = "L16" },
	       { .pt = 101, .clock_hz = 8000, .name = "telephone-event" },
	       { .pt = 111, .clock_hz = 48000, .name = "opus" },
	       { .pt = 120, .clock_hz = 1, .name = "PCMA" } },
	.count = 6,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char dir[] = "/dev/shm/tandem-fuzz-XXXXXX", path[64], about[64];
	json_t *doc = json_object();
	struct tandem_tape *tape;
	uint64_t now = START;

	if (!doc || !mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/a.wav", dir);
	snprintf(about, sizeof(about), "%s/a.json", dir);
	if (tandem_tape_open(&tape, path, START, &codecs, doc))
		abort();
	while (size >= 2) {
		uint32_t len = data[1] < size - 2 ? data[1] : (uint32_t)size - 2;
		uint8_t *rtp = malloc(len ? len : 1);
		const struct tandem_mix_packet p = {
			.ns = now, .party = data[0] & 1, .rtp = rtp, .len = len
		};

		if (!rtp)
			abort();
		now += (uint64_t)(data[0] >> 1) * 20000000;
		memcpy(rtp, data + 2, len);
		(void)tandem_tape_packet(tape, &p);
		free(rtp);
		data += 2 + len;
		size -= 2 + len;
	}
	(void)tandem_tape_close(tape, now, "fuzz");
	json_decref(doc);
	unlink(path);
	unlink(about);
	rmdir(dir);
	return 0;
}
