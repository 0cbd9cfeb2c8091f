/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copies for captures come by a ring of each CPU that the kernel's perf events provide: the only
 * way that hands over bytes of a frame without the program touching them, on all kernels that XDP
 * is used on. A reader that is not there, or slow, costs the program a failed call.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "relay.skel.h"
#include "userspace/datapath/xdp.h"

/* 4 MiB for each CPU: at 100,000 packets of 250 bytes a second, 160 ms. */
#define RING_PAGES 1024

/* One that is read anyway every few milliseconds need not be told of each packet. */
#define WAKE_BYTES (2U << 20)

/* struct perf_event_sample with PERF_SAMPLE_RAW (perf_event_open(2)). */
struct sample {
	struct perf_event_header header;
	uint32_t size;
	char data[];
};

struct reading {
	tandem_tapped_h *h;
	void *arg;
	size_t count;
};

/* What the ring says was lost is counted by the program already. */
static enum bpf_perf_event_ret event_h(void *arg, int cpu, struct perf_event_header *event)
{
	struct reading **reading = arg;
	const struct sample *sample = (const void *)event;
	struct tap_record record;

	if (event->type != PERF_RECORD_SAMPLE || sample->size < sizeof(record))
		return LIBBPF_PERF_EVENT_CONT;
	memcpy(&record, sample->data, sizeof(record));
	if (!*reading || record.size > sample->size - sizeof(record))
		return LIBBPF_PERF_EVENT_CONT;
	(*reading)->count++;
	(*reading)->h(&(struct tandem_tapped){ .record = &record,
					       .bytes = sample->data + sizeof(record),
					       .ring = (unsigned int)cpu,
					       .fast = true },
		      (*reading)->arg);
	return LIBBPF_PERF_EVENT_CONT;
}

static uint64_t lost_so_far(const struct tandem_datapath *dp)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t *each = cpus > 0 ? calloc((size_t)cpus, sizeof(*each)) : NULL;
	const uint32_t zero = 0;
	uint64_t sum = 0;

	if (each && bpf_map_lookup_elem(bpf_map__fd(dp->skel->maps.taps_lost), &zero, each) == 0) {
		for (int i = 0; i < cpus; i++)
			sum += each[i];
	}
	free(each);
	return sum;
}

int tandem_xdp_tap_open(struct tandem_datapath *dp, uint32_t size)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_BPF_OUTPUT,
		.sample_type = PERF_SAMPLE_RAW,
		.sample_period = 1,
		.watermark = 1,
		.wakeup_watermark = WAKE_BYTES,
	};

	dp->skel->bss->tap_bytes = size;
	if (dp->taps)
		return 0;
	dp->taps_lost = lost_so_far(dp);
	dp->taps = perf_buffer__new_raw(bpf_map__fd(dp->skel->maps.taps), RING_PAGES, &attr,
					event_h, &dp->tap_reading, NULL);
	return dp->taps ? 0 : -errno;
}

size_t tandem_xdp_tap_read(struct tandem_datapath *dp, tandem_tapped_h *h, void *arg,
			   uint64_t *lost)
{
	struct reading reading = { .h = h, .arg = arg };

	if (!dp->taps)
		return 0;
	dp->tap_reading = &reading;
	perf_buffer__consume(dp->taps);
	dp->tap_reading = NULL;
	*lost = lost_so_far(dp) - dp->taps_lost;
	return reading.count;
}

void tandem_xdp_tap_close(struct tandem_datapath *dp)
{
	perf_buffer__free(dp->taps);
	dp->taps = NULL;
}
