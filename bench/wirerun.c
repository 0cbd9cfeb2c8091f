/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/wire_local.h"

#define SEALED_PACKETS (1U << 20) /* made ahead, over all flows */

/* ---- life ---- */

static int refused(uint32_t ifindex, int err)
{
	fprintf(stderr, "bench: native XDP on device %u: %s\n", ifindex, strerror(-err));
	return err;
}

/* By a link, which goes with this process, however that ends; never in the place of another program. */
static int attach(struct wire *wire, uint32_t ifindex, const struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	int fd = bpf_link_create(bpf_program__fd(prog), (int)ifindex, BPF_XDP, &opts);

	if (fd < 0)
		return refused(ifindex, fd);
	wire->links[wire->links_count++] = fd;
	return 0;
}

static int attach_lanes(struct wire *wire, const struct lab *lab)
{
	int err = tandem_lab_enter(lab->sink);

	for (size_t i = 0; i < lab->lanes_count && !err; i++)
		err = attach(wire, lab->lanes[i].rx_ifindex, wire->bpf->progs.count);
	if (!err)
		err = tandem_lab_enter(lab->source);
	for (uint32_t i = 0; i < lab->lanes_count && !err; i++) {
		if (lab->lanes[i].gen_ifindex != lab->lanes[i].rx_ifindex ||
		    lab->source != lab->sink)
			err = attach(wire, lab->lanes[i].gen_ifindex, wire->bpf->progs.pass);
		if (!err && bpf_map_update_elem(bpf_map__fd(wire->bpf->maps.lanes), &i,
						&lab->lanes[i].gen_ifindex, 0))
			err = -errno;
	}
	return err;
}

static void *map_array(const struct bpf_map *map, size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return p == MAP_FAILED ? NULL : p;
}

static int map_arrays(struct wire *wire, bool sealed)
{
	wire->flows = map_array(wire->bpf->maps.wire_flows, wire->capacity * sizeof(*wire->flows));
	wire->seqs = map_array(wire->bpf->maps.sink_flows, wire->capacity * sizeof(*wire->seqs));
	if (sealed)
		wire->sealed = map_array(wire->bpf->maps.sealed,
					 SEALED_PACKETS * sizeof(*wire->sealed));
	return wire->flows && wire->seqs && !sealed == !wire->sealed ? 0 : -ENOMEM;
}

static int load(struct wire *wire, const struct lab *lab, bool sealed)
{
	int err = tandem_lab_enter(lab->source); /* a devmap knows the devices of one namespace */

	if (err)
		return err;
	wire->bpf = wire_bpf__open();
	if (!wire->bpf)
		return -errno;
	bpf_map__set_max_entries(wire->bpf->maps.wire_flows, wire->capacity);
	bpf_map__set_max_entries(wire->bpf->maps.sink_flows, wire->capacity);
	bpf_map__set_max_entries(wire->bpf->maps.sealed, sealed ? SEALED_PACKETS : 1);
	err = wire_bpf__load(wire->bpf);
	if (!err)
		err = map_arrays(wire, sealed);
	if (err)
		return err;
	wire->cpus = libbpf_num_possible_cpus();
	if (wire->cpus < 1)
		return -ENOMEM;
	wire->sinks = calloc((size_t)wire->cpus, sizeof(*wire->sinks));
	return wire->sinks ? 0 : -ENOMEM;
}

int tandem_wire_open(struct wire **wirep, const struct lab *lab, uint32_t flows, bool sealed)
{
	struct wire *wire = calloc(1, sizeof(*wire));
	int err;

	if (!wire)
		return -ENOMEM;
	wire->capacity = flows;
	err = load(wire, lab, sealed);
	if (err)
		fprintf(stderr, "bench: the generator's programs cannot be loaded: %s\n",
			strerror(-err));
	else
		err = attach_lanes(wire, lab);
	if (err) {
		tandem_wire_close(wire);
		return err;
	}
	*wirep = wire;
	return 0;
}

void tandem_wire_close(struct wire *wire)
{
	if (!wire)
		return;
	tandem_xsk_close(wire->xsk);
	for (size_t i = 0; i < wire->links_count; i++)
		close(wire->links[i]);
	if (wire->flows)
		munmap(wire->flows, wire->capacity * sizeof(*wire->flows));
	if (wire->seqs)
		munmap(wire->seqs, wire->capacity * sizeof(*wire->seqs));
	if (wire->sealed)
		munmap(wire->sealed, SEALED_PACKETS * sizeof(*wire->sealed));
	wire_bpf__destroy(wire->bpf);
	for (size_t i = 0; i < LAB_MAX_LANES; i++)
		free(wire->kept[i]);
	free(wire->sinks);
	free(wire);
}

/* The namespace is all that it goes away with; a relay may put a program of its own in its place. */
static int pass(const struct wire *wire, const char *device)
{
	uint32_t ifindex = if_nametoindex(device);
	int err = bpf_xdp_attach((int)ifindex, bpf_program__fd(wire->bpf->progs.pass),
				 XDP_FLAGS_DRV_MODE, NULL);

	return err ? refused(ifindex, err) : 0;
}

int tandem_wire_pass(struct wire *wire, const struct lab *lab, size_t lane)
{
	int err = tandem_lab_enter(lab->lanes[lane].ns);

	if (!err)
		err = pass(wire, "in0");
	if (!err)
		err = pass(wire, "out0");
	return err ? err : tandem_lab_enter(lab->source);
}

int tandem_wire_by_socket(struct wire *wire, const struct lab *lab)
{
	int err = tandem_xsk_open(&wire->xsk, lab->lanes[0].gen_ifindex);

	if (err)
		fprintf(stderr, "bench: AF_XDP on device %u: %s\n", lab->lanes[0].gen_ifindex,
			strerror(-err));
	return err;
}

/* ---- headers ---- */

static uint32_t sum_words(const void *data, size_t len)
{
	const uint8_t *b = data;
	uint32_t sum = 0;
	uint16_t w;

	for (; len > 1; len -= 2, b += 2) {
		memcpy(&w, b, 2);
		sum += w;
	}
	if (len) {
		w = 0;
		memcpy(&w, b, 1);
		sum += w;
	}
	return sum;
}

static uint32_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

static void write_head(struct wire *wire, const struct lab_lane *at, uint32_t size)
{
	uint16_t udp_len = htons((uint16_t)(8 + size)), ip_len = htons((uint16_t)(28 + size));
	uint8_t *h = wire->head;

	memset(h, 0, WIRE_HEAD);
	memcpy(h, at->in_mac, 6);
	memcpy(h + 6, at->gen_mac, 6);
	h[12] = 0x08;
	h[14] = 0x45;
	memcpy(h + 16, &ip_len, 2);
	h[20] = 0x40; /* may not be fragmented */
	h[22] = 64;
	h[23] = IPPROTO_UDP;
	memcpy(h + 38, &udp_len, 2);
	h[42] = 0x80; /* RTP version 2, payload type 0 */
}

static void write_flow(struct wire *wire, struct wire_flow *f, const struct lab_way *way,
		       uint32_t constant)
{
	uint16_t ends[4];
	uint32_t ip_sum;

	f->saddr = htonl(way->source.ip);
	f->daddr = htonl(way->in.ip);
	f->sport = htons(way->source.port);
	f->dport = htons(way->in.port);
	memcpy(ends, &f->saddr, 4);
	memcpy(ends + 2, &f->daddr, 4);
	ip_sum = sum_words(wire->head + 14, 20) + sum_words(ends, sizeof(ends));
	f->ip_check = (uint16_t)~fold(ip_sum);
	f->udp_sum = fold(constant + sum_words(ends, sizeof(ends)) + f->sport + f->dport);
}

/*
 * Each lane goes on where it was. A relay takes a jump in sequence numbers for another stream, or for
 * an attack: what protects may not use an index twice (RFC 3711 section 9.1).
 */
static int change_lane(struct wire *wire, size_t lane)
{
	const size_t lanes[] = { wire->lane, lane };

	for (size_t i = 0; i < 2; i++) {
		uint32_t **kept = &wire->kept[lanes[i]];

		if (!*kept)
			*kept = calloc(wire->capacity, sizeof(**kept));
		if (!*kept)
			return -ENOMEM;
	}
	for (uint32_t i = 0; i < wire->capacity && lane != wire->lane; i++) {
		wire->kept[wire->lane][i] = wire->flows[i].seq;
		/* Nobody minds what numbers come on the wire alone: what has been made can be used. */
		if (lane || !wire->seal)
			wire->flows[i].seq = wire->kept[lane][i];
	}
	wire->lane = lane;
	return 0;
}

int tandem_wire_aim(struct wire *wire, const struct lab *lab, size_t lane,
		    const struct lab_way *ways, uint32_t flows, uint32_t size)
{
	uint32_t magic = WIRE_MAGIC, mark_end = WIRE_RTP_LEN + sizeof(struct wire_mark), constant;
	uint16_t udp_len = htons((uint16_t)(8 + size)), proto = htons(IPPROTO_UDP);
	uint8_t filler[WIRE_SIZE_MAX];
	int err;

	if (!flows || flows > wire->capacity || size < WIRE_SIZE_MIN || size > WIRE_SIZE_MAX)
		return -EINVAL;
	err = change_lane(wire, lane);
	if (err)
		return err;
	wire->count = flows;
	wire->size = size;
	wire->seal = NULL;
	wire->frame_len = 42 + size;
	write_head(wire, &lab->lanes[lane], size);
	memset(filler, WIRE_SILENCE, sizeof(filler));
	constant = 2U * udp_len + proto + sum_words(&magic, sizeof(magic)) +
		   sum_words(wire->head + 42, WIRE_RTP_LEN) + sum_words(filler, size - mark_end);
	for (uint32_t i = 0; i < flows; i++)
		write_flow(wire, &wire->flows[i], &ways[i], constant);
	return 0;
}

/* ---- SRTP ---- */

/* Headers and sums are those of RTP still: the packets are longer, and bring a sum of their own. */
static void write_sealed_sums(struct wire *wire, uint32_t len)
{
	uint16_t udp_len = htons((uint16_t)(8 + len)), ip_len = htons((uint16_t)(28 + len));
	uint16_t proto = htons(IPPROTO_UDP);

	memcpy(wire->head + 16, &ip_len, 2);
	memcpy(wire->head + 38, &udp_len, 2);
	for (uint32_t i = 0; i < wire->count; i++) {
		struct wire_flow *f = &wire->flows[i];
		uint32_t ends = sum_words(&f->saddr, 8);

		f->ip_check = (uint16_t)~fold(sum_words(wire->head + 14, 20) + ends);
		f->udp_sum = fold(2U * udp_len + proto + ends + f->sport + f->dport);
	}
}

int tandem_wire_seal(struct wire *wire, struct seal *seal)
{
	uint32_t len = seal ? wire->size + tandem_seal_trailer(seal) : 0;

	wire->seal = seal;
	wire->sealed_len = len;
	if (!seal)
		return 0;
	wire->ring = SEALED_PACKETS / wire->count;
	if (!wire->sealed || wire->ring < 2 || len > WIRE_SEALED_MAX)
		return -EINVAL;
	if (wire->lane)
		wire->sealed_by = (uint32_t)wire->lane + 1;
	wire->frame_len = 42 + len + WIRE_SPARE;
	write_sealed_sums(wire, len);
	return 0;
}

void tandem_wire_forget(struct wire *wire)
{
	wire->seal = NULL;
	for (size_t i = 0; i < LAB_MAX_LANES; i++) {
		free(wire->kept[i]);
		wire->kept[i] = NULL;
	}
	for (uint32_t i = 0; i < wire->capacity; i++)
		wire->flows[i].seq = 0;
	if (wire->sealed)
		memset(wire->sealed, 0, SEALED_PACKETS * sizeof(*wire->sealed));
}
