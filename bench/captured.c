/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/captured.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "userspace/capture/pcapng.h"
#include "userspace/util/thread.h"

#define TURN_NS 4000000 /* as the relay's own reader */
#define BLOCK	4096

struct bench_captured {
	struct tandem_plane *plane;
	pthread_t thread;
	bool stop;
	FILE *file;
	uint64_t packets, lost;
};

static void tapped_h(const struct tandem_tapped *t, void *arg)
{
	const struct tap_record *r = t->record;
	struct bench_captured *c = arg;
	const struct tandem_pcapng_packet packet = {
		.ns = r->ns,
		.part = { { t->bytes, r->size } },
		.original = r->size,
		.direction = r->kind == TAP_OUT ? TANDEM_PCAPNG_OUTBOUND : TANDEM_PCAPNG_INBOUND,
		.comment = "call-id=bench leg=a media=0 rtp ssrc=0x00000000 in verdict=forward",
	};
	unsigned char block[BLOCK];
	size_t len = tandem_pcapng_packet(block, sizeof(block), &packet);

	c->packets++;
	fwrite(block, 1, len, c->file);
}

static void *run(void *arg)
{
	const struct timespec turn = { .tv_nsec = TURN_NS };
	struct bench_captured *c = arg;

	while (!__atomic_load_n(&c->stop, __ATOMIC_RELAXED)) {
		tandem_plane_tap_read(c->plane, tapped_h, c, &c->lost);
		nanosleep(&turn, NULL);
	}
	tandem_plane_tap_read(c->plane, tapped_h, c, &c->lost);
	return NULL;
}

int tandem_bench_capture_start(struct bench_captured **cp, struct tandem_plane *plane)
{
	struct bench_captured *c = calloc(1, sizeof(*c));
	int err = c ? tandem_plane_tap_open(plane, 65535) : -ENOMEM;

	if (err) {
		free(c);
		return err;
	}
	c->plane = plane;
	c->file = fopen("/dev/null", "w");
	err = c->file ? tandem_thread_start(&c->thread, run, c) : -errno;
	if (err) {
		if (c->file)
			fclose(c->file);
		tandem_plane_tap_close(plane);
		free(c);
		return err;
	}
	*cp = c;
	return 0;
}

void tandem_bench_capture_stop(struct bench_captured *c)
{
	if (!c)
		return;
	__atomic_store_n(&c->stop, true, __ATOMIC_RELAXED);
	pthread_join(c->thread, NULL);
	tandem_plane_tap_close(c->plane);
	fclose(c->file);
	fprintf(stderr, "captured: %llu packets, %llu lost\n", (unsigned long long)c->packets,
		(unsigned long long)c->lost);
	free(c);
}
