/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file that streams of SRTP are in, and which key set has which of them, so that what has been
 * counted under a key outlives the process. There are no keys in it. It is mapped by one process at
 * a time, and written as the packet path goes: each word of a stream by one store, before the packet
 * leaves that it is for, so that a process which is killed leaves no index behind what it has used.
 *
 * It is of one boot of the host: after a power loss nobody knows which pages have reached a disk.
 */
#ifndef TANDEM_DATAPATH_SRTP_FILE_H
#define TANDEM_DATAPATH_SRTP_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "core/srtp_abi.h"

/* The set that has an index, and its range of streams; id 0: none. */
struct tandem_srtp_place {
	uint64_t id;
	uint32_t first;
	uint32_t count;
};

/* An open file. What there is behind it is found by the functions below. */
struct tandem_srtp_file {
	int fd;
	char *path;
	void *map;
	size_t size;
	uint32_t sets;
	uint32_t streams;
};

/*
 * Open the file at path, and make it where there is none that can be used; for so many sets and
 * streams. One of other lengths is made anew with the sets that it had, as far as they fit, maybe
 * at other places. One of another version, of another boot, that others may write, or that is damaged, begins
 * empty, and the log says so. -EBUSY: another process has it; -ENOSPC, -ENOMEM, or another
 * negative errno.
 */
int tandem_srtp_file_open(struct tandem_srtp_file *f, const char *path, uint32_t sets,
			  uint32_t streams);

/* The file stays. */
void tandem_srtp_file_close(struct tandem_srtp_file *f);
/* The same, and it is gone. */
void tandem_srtp_file_remove(struct tandem_srtp_file *f);

/* The array of streams. None may be touched that tandem_srtp_file_reserve() was not told of. */
struct srtp_stream *tandem_srtp_file_streams(const struct tandem_srtp_file *f);

/* The array that streams are in: 0 is the one in the file, else the name of a fast path's. */
uint64_t *tandem_srtp_file_array(const struct tandem_srtp_file *f);

/* What is noted of an index, which is below the number of sets. */
struct tandem_srtp_place tandem_srtp_file_place(const struct tandem_srtp_file *f, uint32_t index);
/* Note it; id 0 forgets. To be called before a packet has the set, and once none has. */
void tandem_srtp_file_note(const struct tandem_srtp_file *f, uint32_t index,
			   const struct tandem_srtp_place *place);

/* See to it that these streams can be written, however full the file system gets. -ENOSPC. */
int tandem_srtp_file_reserve(const struct tandem_srtp_file *f, uint32_t first, uint32_t count);

#endif
