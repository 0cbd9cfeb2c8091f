/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program that hands datagrams to the trunks (bpf/steer.bpf.c). Nothing of it is pinned: with
 * the process all of it is gone, unless another one has taken it over (inherit.c).
 */
#include <bpf/bpf.h>
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

/* The map is to be that of a process before this one. */
static int inherit(const struct tandem_datapath *dp, struct bpf_map *map, uint32_t what)
{
	int fd = tandem_uring_inherited(dp, what), err;

	if (fd < 0)
		return fd;
	err = bpf_map__reuse_fd(map, fd); /* has a descriptor of its own then */
	close(fd);
	return err;
}

static int set_maps(const struct tandem_datapath *dp, const struct relay_config *relay,
		    struct steer_bpf *skel)
{
	int err;

	if (dp && dp->bequest) {
		err = inherit(dp, skel->maps.steered, URING_INHERITED_STEERED);
		return err ? err : inherit(dp, skel->maps.trunk_sockets, URING_INHERITED_SOCKETS);
	}
	err = bpf_map__set_max_entries(skel->maps.steered, elements(relay));
	return err ? err : bpf_map__set_max_entries(skel->maps.trunk_sockets, 2 * URING_TRUNKS);
}

/* dp: NULL for a program that is not to be used. */
static struct steer_bpf *load(const struct tandem_datapath *dp, const struct relay_config *relay,
			      char *why, size_t why_size)
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
		err = set_maps(dp, relay, skel);
	}
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
	struct steer_bpf *skel = load(NULL, relay, why, why_size);

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

	s->skel = load(dp, relay, why, why_size);
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

static int attach_here(int program)
{
	int ns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), link;

	if (ns < 0)
		return -errno;
	link = bpf_link_create(program, ns, BPF_SK_LOOKUP, NULL);
	close(ns);
	return link;
}

/* In place of the program that was there, which may be of another version. */
static int attach_instead(const struct tandem_datapath *dp, int program)
{
	int link = tandem_uring_inherited(dp, URING_INHERITED_LINK);
	int err = link < 0 ? link : bpf_link_update(link, program, NULL);

	if (err && link >= 0)
		close(link);
	return err ? err : link;
}

int tandem_uring_steer_attach(struct tandem_datapath *dp, char *why, size_t why_size)
{
	int program = bpf_program__fd(dp->steer.skel->progs.tandem_steer);

	dp->steer.link_fd = dp->bequest ? attach_instead(dp, program) : attach_here(program);
	if (dp->steer.link_fd >= 0)
		return 0;
	snprintf(why, why_size, "no sk_lookup program can be attached: %s",
		 strerror(-dp->steer.link_fd));
	return dp->steer.link_fd;
}

void tandem_uring_steer_fds(const struct tandem_datapath *dp, int *fds)
{
	fds[URING_INHERITED_LINK] = dp->steer.link_fd;
	fds[URING_INHERITED_STEERED] = bpf_map__fd(dp->steer.skel->maps.steered);
	fds[URING_INHERITED_SOCKETS] = bpf_map__fd(dp->steer.skel->maps.trunk_sockets);
}

void tandem_uring_steer_close(struct tandem_datapath *dp)
{
	struct uring_steer *s = &dp->steer;

	if (s->link_fd >= 0)
		close(s->link_fd);
	if (s->bits)
		munmap(s->bits, mapped_size(&dp->tables.config));
	steer_bpf__destroy(s->skel);
	*s = (struct uring_steer){ .link_fd = -1 };
}

/* The worker is the only one that writes; the program may be reading on any CPU. */
void tandem_uring_steer(struct tandem_datapath *dp, uint32_t index, bool on)
{
	uint64_t *bits = &dp->steer.bits[index / BITS], bit = 1ULL << index % BITS;

	if (dp->bequeathed)
		return; /* the other process says what is steered from now on */
	__atomic_store_n(bits, on ? *bits | bit : *bits & ~bit, __ATOMIC_RELAXED);
}

void tandem_uring_steer_tidy(struct tandem_datapath *dp)
{
	for (uint32_t i = 0; i < dp->direct_count; i++) {
		if (dp->steer.bits[i / BITS] >> i % BITS & 1 && !dp->ports[i].refs)
			tandem_uring_steer(dp, i, false);
	}
}
