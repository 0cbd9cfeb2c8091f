/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The trunks, and the program that leads datagrams to them, in the hands of another process: what
 * comes meanwhile waits in the sockets. Only for the same ports of the same addresses.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "userspace/datapath/bequest.h"
#include "userspace/uring/worker.h"

#define FORMAT 0x74723031U /* "tr01" */
#define TRUNKS (2 * URING_TRUNKS)

/* Descriptors are those of the program's link, its two maps, and the trunks that there are. */
struct note {
	uint32_t format;
	uint32_t locals_count;
	uint32_t port_base;
	uint32_t port_count;
	uint64_t trunks; /* a bit for each */
	struct ip_addr locals[TANDEM_MAX_LOCALS];
};

_Static_assert(sizeof(struct note) <= TANDEM_BEQUEST_DATA, "a note fits");
_Static_assert(TRUNKS <= 64 && TRUNKS + URING_INHERITED_TRUNKS <= TANDEM_BEQUEST_FDS, "so do all");

static void write_note(const struct tandem_datapath *dp, struct note *note)
{
	const struct relay_config *config = &dp->tables.config;

	memset(note, 0, sizeof(*note));
	note->format = FORMAT;
	note->locals_count = config->locals_count;
	note->port_base = config->port_base;
	note->port_count = config->port_count;
	memcpy(note->locals, config->locals, config->locals_count * sizeof(note->locals[0]));
	for (uint32_t i = 0; i < TRUNKS; i++)
		note->trunks |= (uint64_t)dp->ports[uring_trunk(dp, i)].open << i;
}

int tandem_uring_bequeath(struct tandem_datapath *dp, struct tandem_bequest *bequest)
{
	int fds[URING_INHERITED_TRUNKS], err = 0;
	struct note note;

	if (!dp->trunked)
		return 0;
	write_note(dp, &note);
	tandem_uring_steer_fds(dp, fds);
	for (int i = 0; i < URING_INHERITED_TRUNKS && !err; i++)
		err = tandem_bequest_add(bequest, fds[i]);
	for (uint32_t i = 0; i < TRUNKS && !err; i++) {
		if (note.trunks >> i & 1)
			err = tandem_bequest_add(bequest, dp->ports[uring_trunk(dp, i)].fd);
	}
	if (err) {
		tandem_bequest_clean(bequest);
		return err;
	}
	memcpy(bequest->data, &note, sizeof(note));
	bequest->len = sizeof(note);
	dp->bequeathed = true;
	return 0;
}

bool tandem_uring_may_inherit(struct tandem_datapath *dp, const struct tandem_bequest *bequest)
{
	struct note want, note;
	uint64_t rest;
	uint32_t count = URING_INHERITED_TRUNKS;

	if (!bequest || bequest->len != sizeof(note))
		return false;
	memcpy(&note, bequest->data, sizeof(note));
	write_note(dp, &want);
	for (rest = note.trunks; rest; rest &= rest - 1)
		count++;
	want.trunks = note.trunks;
	return count == bequest->fd_count && !memcmp(&note, &want, sizeof(note));
}

int tandem_uring_inherited(const struct tandem_datapath *dp, uint32_t what)
{
	const struct tandem_bequest *bequest = dp->bequest;
	uint32_t place = what, trunk = what - URING_INHERITED_TRUNKS;
	struct note note;
	int fd;

	if (what >= URING_INHERITED_TRUNKS) {
		memcpy(&note, bequest->data, sizeof(note));
		if (!(note.trunks >> trunk & 1))
			return -ENOENT;
		place = URING_INHERITED_TRUNKS;
		while (trunk--)
			place += note.trunks >> trunk & 1;
	}
	fd = fcntl(bequest->fds[place], F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}
