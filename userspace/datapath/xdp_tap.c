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
	struct tandem_datapath *dp;
	tandem_tapped_h *h;
	void *arg;
	size_t count;
	unsigned char room[2 * sizeof(struct tap_address) + UINT16_MAX];
};

/*
 * A payload in the clear, with the addresses that its flow has: those in the frame may have been
 * moved by then. The rule may be another one already, or being written; then so are they.
 */
static const void *with_addresses(const struct tandem_datapath *dp, unsigned char *room,
				  struct tap_record *record, const void *frame)
{
	const struct relay_config *relay = &dp->table.relay;
	const struct rule *rule =
		&dp->memory.entries[record->leg < relay->slots ? record->leg : 0].rule;
	struct tap_address *from = (void *)room, *to = from + 1;
	size_t len = record->size - record->payload_off;

	if (len > record->payload_len)
		len = record->payload_len;
	memset(room, 0, 2 * sizeof(*from));
	memcpy(from->ip, &rule->remote, sizeof(from->ip));
	from->port = rule->remote_port;
	memcpy(to->ip, &relay->locals[rule->local % TANDEM_MAX_LOCALS], sizeof(to->ip));
	to->port = rule->local_port;
	memcpy(to + 1, (const char *)frame + record->payload_off, len);
	record->flags |= TAP_F_ADDRESSES;
	record->payload_off = 2 * sizeof(*from);
	record->size = (uint16_t)(record->payload_off + len);
	record->leg = 0;
	return room;
}

/* What the ring says was lost is counted by the program already. */
static enum bpf_perf_event_ret event_h(void *arg, int cpu, struct perf_event_header *event)
{
	struct reading **reading = arg;
	const struct sample *sample = (const void *)event;
	struct tap_record record;
	const void *bytes;

	if (event->type != PERF_RECORD_SAMPLE || sample->size < sizeof(record))
		return LIBBPF_PERF_EVENT_CONT;
	memcpy(&record, sample->data, sizeof(record));
	if (!*reading || record.size > sample->size - sizeof(record))
		return LIBBPF_PERF_EVENT_CONT;
	bytes = sample->data + sizeof(record);
	if (record.kind == TAP_CLEAR) {
		if (record.size < record.payload_off)
			return LIBBPF_PERF_EVENT_CONT;
		bytes = with_addresses((*reading)->dp, (*reading)->room, &record, bytes);
	}
	(*reading)->count++;
	(*reading)->h(&(struct tandem_tapped){ .record = &record,
					       .bytes = bytes,
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
	struct reading reading;

	if (!dp->taps)
		return 0;
	reading.dp = dp;
	reading.h = h;
	reading.arg = arg;
	reading.count = 0;
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
