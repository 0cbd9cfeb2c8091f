/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ways out of packets with many egresses.
 *
 * A frame is copied n times by being sent to all entries of a devmap with n entries, which
 * name the device it leaves by (or, n times each, all devices), and each entry the program
 * that makes the copy what its leg wants. Which copy a frame is, that program finds out by
 * counting, so that it must see every one.
 *
 * The kernel keeps frames towards a device in a queue for as long as a driver polls, and
 * runs the program of the first of them on all. So where copies are sent to a device, its
 * entry for frames of one-to-one flows names the program too, and the entries for copies
 * appear only after that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "relay.skel.h"
#include "userspace/datapath/xdp.h"

#define COPIES_BIT(n) (1ULL << ((n)-1)) /* n from 1 to XDP_MAX_COPIES */
#define EVERY_DEVICE  0

/* As bpf/maps.bpf.h has them. */
struct copies_key {
	uint32_t ifindex;
	uint32_t copies;
};

struct copy_count {
	uint32_t frame;
	uint32_t copies;
};

static int ports_fd(const struct tandem_datapath *dp)
{
	return bpf_map__fd(dp->skel->maps.copy_ports);
}

static int counts_fd(const struct tandem_datapath *dp)
{
	return bpf_map__fd(dp->skel->maps.copy_counts);
}

static uint32_t program_fd(const struct tandem_datapath *dp)
{
	return (uint32_t)bpf_program__fd(dp->skel->progs.tandem_copy);
}

int tandem_xdp_tx_write(const struct tandem_datapath *dp, const struct xdp_interface *to)
{
	const uint32_t key = (uint32_t)to->ifindex;
	struct bpf_devmap_val value = { .ifindex = key };

	if (dp->copies)
		value.bpf_prog.fd = (int)program_fd(dp);
	return bpf_map_update_elem(tandem_xdp_tx_ports_fd(dp), &key, &value, BPF_ANY) ? -errno : 0;
}

/* ---- counting ---- */

/* The count of a device that has one already goes on: copies may be on their way. */
static int count_add(const struct tandem_datapath *dp, const struct xdp_interface *to)
{
	const uint32_t key = (uint32_t)to->ifindex;
	int cpus = libbpf_num_possible_cpus(), err = 0;
	struct copy_count *zero;

	if (cpus < 0)
		return cpus;
	zero = calloc((size_t)cpus, sizeof(*zero));
	if (!zero)
		return -ENOMEM;
	if (bpf_map_update_elem(counts_fd(dp), &key, zero, BPF_NOEXIST) && errno != EEXIST)
		err = -errno;
	free(zero);
	return err;
}

static int counts_add(const struct tandem_datapath *dp)
{
	int err = 0;

	for (size_t i = 0; i < dp->interfaces_count && !err; i++) {
		if (dp->interfaces[i].tx)
			err = count_add(dp, &dp->interfaces[i]);
	}
	return err;
}

/* A copy for a leg without a way reaches all devices; on this one it is counted as lost. */
static void count_lost_on(struct tandem_datapath *dp)
{
	uint32_t ifindex = 0;

	for (size_t i = 0; i < dp->interfaces_count && !ifindex; i++) {
		if (dp->interfaces[i].tx)
			ifindex = (uint32_t)dp->interfaces[i].ifindex;
	}
	dp->skel->bss->lost_on = ifindex;
}

/* ---- devmaps ---- */

static bool reaches(const struct xdp_interface *to, uint32_t ifindex)
{
	return to->tx && (ifindex == EVERY_DEVICE || ifindex == (uint32_t)to->ifindex);
}

static int ports_fill(const struct tandem_datapath *dp, int fd, const struct copies_key *key)
{
	struct bpf_devmap_val value = { .bpf_prog.fd = (int)program_fd(dp) };
	uint32_t at = 0;

	for (size_t i = 0; i < dp->interfaces_count; i++) {
		const struct xdp_interface *to = &dp->interfaces[i];

		value.ifindex = (uint32_t)to->ifindex;
		for (uint32_t n = 0; n < key->copies && reaches(to, key->ifindex); n++, at++) {
			if (bpf_map_update_elem(fd, &at, &value, BPF_ANY))
				return -errno;
		}
	}
	return 0;
}

/* A devmap for the key: its descriptor, or a negative errno. */
static int ports_make(const struct tandem_datapath *dp, const struct copies_key *key)
{
	uint32_t devices = 0;
	int fd, err;

	for (size_t i = 0; i < dp->interfaces_count; i++)
		devices += reaches(&dp->interfaces[i], key->ifindex);
	fd = bpf_map_create(BPF_MAP_TYPE_DEVMAP, "tandem_copies", sizeof(uint32_t),
			    sizeof(struct bpf_devmap_val), devices * key->copies, NULL);
	if (fd < 0)
		return -errno;
	err = ports_fill(dp, fd, key);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

/* Devmaps that are to be entered together. */
struct batch {
	struct copies_key *keys;
	int *fds;
	uint32_t count;
};

static int batch_add(const struct tandem_datapath *dp, struct batch *b, uint32_t ifindex,
		     uint64_t copies)
{
	for (uint32_t n = 2; n <= XDP_MAX_COPIES; n++) {
		const struct copies_key key = { .ifindex = ifindex, .copies = n };
		int fd;

		if (!(copies & COPIES_BIT(n)))
			continue;
		fd = ports_make(dp, &key);
		if (fd < 0)
			return fd;
		b->keys[b->count] = key;
		b->fds[b->count++] = fd;
	}
	return 0;
}

static int batch_fill(const struct tandem_datapath *dp, struct batch *b, uint64_t copies)
{
	int err = batch_add(dp, b, EVERY_DEVICE, copies);

	for (size_t i = 0; i < dp->interfaces_count && !err; i++) {
		if (dp->interfaces[i].tx)
			err = batch_add(dp, b, (uint32_t)dp->interfaces[i].ifindex, copies);
	}
	return err;
}

/*
 * Each update of a map of maps waits until no program runs that began before it, those
 * of a batch together where the kernel can (6.7). Nothing the programs read here is older
 * after that than what this process has written before.
 */
static int batch_enter(const struct tandem_datapath *dp, const struct batch *b)
{
	uint32_t count = b->count;

	if (bpf_map_update_batch(ports_fd(dp), b->keys, b->fds, &count, NULL) == 0)
		return 0;
	for (uint32_t i = 0; i < b->count; i++) {
		if (bpf_map_update_elem(ports_fd(dp), &b->keys[i], &b->fds[i], BPF_ANY))
			return -errno;
	}
	return 0;
}

/* Devmaps for these numbers of copies, in the place of those that there may be. */
static int ports_enter(const struct tandem_datapath *dp, uint64_t copies)
{
	size_t most = (dp->interfaces_count + 1) * XDP_MAX_COPIES;
	struct batch b = { .keys = calloc(most, sizeof(*b.keys)),
			   .fds = calloc(most, sizeof(*b.fds)) };
	bool devices = false;
	int err = b.keys && b.fds ? 0 : -ENOMEM;

	for (size_t i = 0; i < dp->interfaces_count; i++)
		devices |= dp->interfaces[i].tx;
	if (!err && devices)
		err = batch_fill(dp, &b, copies);
	if (!err && b.count)
		err = batch_enter(dp, &b);
	for (uint32_t i = 0; i < b.count; i++)
		close(b.fds[i]);
	free(b.keys);
	free(b.fds);
	return err;
}

static bool has_way(const struct tandem_datapath *dp, uint32_t ifindex)
{
	for (size_t i = 0; i < dp->interfaces_count; i++) {
		if (reaches(&dp->interfaces[i], ifindex))
			return true;
	}
	return false;
}

/*
 * Entries of devices that nothing can be sent to (any more); all: every entry. Waits as
 * batch_enter() does.
 */
static void ports_drop(const struct tandem_datapath *dp, bool all)
{
	uint32_t most = bpf_map__max_entries(dp->skel->maps.copy_ports), n = 0, count;
	struct copies_key *keys = calloc(most, sizeof(*keys)), key, *at = NULL;

	while (keys && n < most && bpf_map_get_next_key(ports_fd(dp), at, &key) == 0) {
		if (all || !has_way(dp, key.ifindex))
			keys[n++] = key;
		at = &key;
	}
	count = n;
	if (n && bpf_map_delete_batch(ports_fd(dp), keys, &count, NULL)) {
		for (uint32_t i = 0; i < n; i++)
			bpf_map_delete_elem(ports_fd(dp), &keys[i]);
	}
	free(keys);
}

static void counts_drop(const struct tandem_datapath *dp)
{
	uint32_t key, next;
	bool more = bpf_map_get_next_key(counts_fd(dp), NULL, &next) == 0;

	while (more) {
		key = next;
		more = bpf_map_get_next_key(counts_fd(dp), &key, &next) == 0;
		if (!has_way(dp, key))
			bpf_map_delete_elem(counts_fd(dp), &key);
	}
}

/* ---- for the other parts ---- */

void tandem_xdp_copies_adopt(struct tandem_datapath *dp)
{
	struct copies_key key, *at = NULL;

	while (bpf_map_get_next_key(ports_fd(dp), at, &key) == 0) {
		if (key.copies >= 2 && key.copies <= XDP_MAX_COPIES)
			dp->copies |= COPIES_BIT(key.copies);
		at = &key;
	}
}

int tandem_xdp_copies_renew(struct tandem_datapath *dp)
{
	int err;

	count_lost_on(dp);
	if (!dp->copies)
		return 0;
	err = counts_add(dp);
	if (!err)
		err = ports_enter(dp, dp->copies);
	if (!err) {
		ports_drop(dp, false);
		counts_drop(dp);
	}
	return err;
}

void tandem_xdp_copies_stop(struct tandem_datapath *dp)
{
	ports_drop(dp, true);
	dp->copies = 0;
}

/* Numbers of copies that a fan asks for, as bits. */
static int copies_of(const struct tandem_fan *fan, uint64_t *copies)
{
	*copies = 0;
	for (uint32_t i = 0; i < fan->branch_count && i < TANDEM_MAX_BRANCHES; i++) {
		uint32_t n = fan->branches[i].count;

		if (n > XDP_MAX_COPIES)
			return -E2BIG;
		if (n > 1)
			*copies |= COPIES_BIT(n);
	}
	return 0;
}

static bool all_native(const struct tandem_datapath *dp)
{
	for (size_t i = 0; i < dp->interfaces_count; i++) {
		if (!dp->interfaces[i].native)
			return false;
	}
	return true;
}

/* The program for copies on every device, before there are any. */
static int program_everywhere(const struct tandem_datapath *dp)
{
	int err = counts_add(dp);

	for (size_t i = 0; i < dp->interfaces_count && !err; i++) {
		if (dp->interfaces[i].tx)
			err = tandem_xdp_tx_write(dp, &dp->interfaces[i]);
	}
	return err;
}

int tandem_xdp_copies_prepare(struct tandem_datapath *dp, const struct tandem_fan *fan)
{
	uint64_t before = dp->copies, wanted;
	int err = copies_of(fan, &wanted);

	if (err || !(wanted & ~before))
		return err;
	if (!all_native(dp))
		return -EOPNOTSUPP;
	dp->copies |= wanted;
	if (!before)
		err = program_everywhere(dp);
	if (!err)
		err = ports_enter(dp, wanted & ~before);
	/* What has been entered does no harm; it is asked for again when it is wanted again. */
	if (err)
		dp->copies = before;
	return err;
}
