/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program that hands datagrams to the trunks (bpf/steer.bpf.c). It and its attachment
 * belong to this process alone: nothing is pinned, and with the process all of it is gone.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "userspace/util/bpflog.h"
#include "userspace/uring/worker.h"

#include "steer.skel.h"

#define BITS 64 /* ports to an element of the map */

static uint32_t elements(const struct relay_config *relay)
{
	return (relay->locals_count * relay->port_count + BITS - 1) / BITS;
}

static size_t mapped_size(const struct relay_config *relay)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (elements(relay) * sizeof(uint64_t) + page - 1) & ~(page - 1);
}

static struct steer_bpf *load(const struct relay_config *relay, char *why, size_t why_size)
{
	struct steer_bpf *skel;
	int err;

	tandem_bpf_log();
	skel = steer_bpf__open();
	err = skel ? 0 : -errno;
	if (!err) {
		memcpy((void *)&skel->rodata->relay, relay, sizeof(*relay));
		memcpy((void *)&skel->rodata->trunks, &(uint32_t){ URING_TRUNKS },
		       sizeof(uint32_t));
		err = bpf_map__set_max_entries(skel->maps.steered, elements(relay));
	}
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.trunk_sockets, 2 * URING_TRUNKS);
	if (!err)
		err = steer_bpf__load(skel);
	if (err) {
		snprintf(why, why_size, "no sk_lookup program can be loaded: %s", strerror(-err));
		steer_bpf__destroy(skel);
		errno = -err;
		return NULL;
	}
	return skel;
}

int tandem_uring_steer_probe(const struct relay_config *relay, char *why, size_t why_size)
{
	struct steer_bpf *skel = load(relay, why, why_size);

	if (!skel)
		return -errno;
	steer_bpf__destroy(skel);
	return 0;
}

int tandem_uring_steer_open(struct tandem_datapath *dp, char *why, size_t why_size)
{
	const struct relay_config *relay = &dp->tables.config;
	struct uring_steer *s = &dp->steer;
	void *bits;

	s->skel = load(relay, why, why_size);
	if (!s->skel)
		return -errno;
	bits = mmap(NULL, mapped_size(relay), PROT_READ | PROT_WRITE, MAP_SHARED,
		    bpf_map__fd(s->skel->maps.steered), 0);
	if (bits == MAP_FAILED) {
		snprintf(why, why_size, "a map of steered ports: %s", strerror(errno));
		return -errno;
	}
	s->bits = bits;
	return 0;
}

int tandem_uring_steer_socket(struct tandem_datapath *dp, uint32_t trunk, int fd)
{
	uint64_t value = (uint64_t)fd;

	return bpf_map__update_elem(dp->steer.skel->maps.trunk_sockets, &trunk, sizeof(trunk),
				    &value, sizeof(value), BPF_ANY);
}

int tandem_uring_steer_attach(struct tandem_datapath *dp, char *why, size_t why_size)
{
	struct uring_steer *s = &dp->steer;
	int ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int err = 0;

	s->link = ns < 0 ? NULL : bpf_program__attach_netns(s->skel->progs.tandem_steer, ns);
	if (!s->link) {
		err = -errno;
		snprintf(why, why_size, "no sk_lookup program can be attached: %s",
			 strerror(errno));
	}
	if (ns >= 0)
		close(ns);
	return err;
}

void tandem_uring_steer_close(struct tandem_datapath *dp)
{
	struct uring_steer *s = &dp->steer;

	bpf_link__destroy(s->link);
	if (s->bits)
		munmap(s->bits, mapped_size(&dp->tables.config));
	steer_bpf__destroy(s->skel);
	memset(s, 0, sizeof(*s));
}

/* The worker is the only one that writes; the program may be reading on any CPU. */
void tandem_uring_steer(struct tandem_datapath *dp, uint32_t index, bool on)
{
	uint64_t *bits = &dp->steer.bits[index / BITS], bit = 1ULL << index % BITS;

	__atomic_store_n(bits, on ? *bits | bit : *bits & ~bit, __ATOMIC_RELAXED);
}
