/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Key sets of SRTP, by their ids: which index of srtp_keys[] each has, and which range of
 * srtp_streams[] (core/srtp_abi.h). The datapaths of a plane share them, so that a set has the
 * same index and the same streams in the fast path as in the io_uring datapath, and no index of
 * a stream is used twice. Each datapath has an array of keys of its own (table_srtp.h); of the
 * streams there is one. May be used from any thread.
 *
 * With a file (tandem_srtp_sets_keep()) what streams have counted outlives the process, and a
 * set that comes back in another goes on where it was. One that packets may have been sealed
 * with, and of whose streams nobody knows any more, seals nothing again (RFC 3711 9.1): it is there, with no
 * room for any SSRC.
 */
#ifndef TANDEM_DATAPATH_SRTP_SETS_H
#define TANDEM_DATAPATH_SRTP_SETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/abi.h"
#include "core/srtp_abi.h"
#include "userspace/datapath/datapath.h"

/* Streams that there is room for, for each set that there is room for. */
#define TANDEM_SRTP_STREAMS 4

/* For so many sets. -ENOMEM. */
int tandem_srtp_sets_alloc(struct tandem_srtp_sets **setsp, uint32_t capacity);

/* NULL is fine. What is left of keys is wiped, and the file removed, unless it was left. */
void tandem_srtp_sets_free(struct tandem_srtp_sets *sets);

/*
 * Keep streams in the file at path, before there is any set, and take up those of an earlier
 * process: its sets keep their places until they are asked for again, or swept. Errors are
 * those of tandem_srtp_file_open(), and leave all as it was.
 */
int tandem_srtp_sets_keep(struct tandem_srtp_sets *sets, const char *path);

/* The sets of an earlier process that nobody has asked for are forgotten; the log says what was lost. */
void tandem_srtp_sets_sweep(struct tandem_srtp_sets *sets);

/* From now on what the file has of sets stays as it is, for the next process. */
void tandem_srtp_sets_leave(struct tandem_srtp_sets *sets);

/* Lengths of the two arrays; both 0 for NULL. */
void tandem_srtp_sets_size(const struct tandem_srtp_sets *sets, struct relay_config *relay);

/*
 * The array of streams. It stays where it is but for tandem_srtp_sets_move(): from then on it
 * is at streams, which is as long, and the caller's; NULL: back in memory of its own, or the
 * file. Only while no packet of any set can be on its way. Sets that an earlier process has left in
 * the file move along to an array that is new.
 */
struct srtp_stream *const *tandem_srtp_sets_streams(const struct tandem_srtp_sets *sets);
void tandem_srtp_sets_move(struct tandem_srtp_sets *sets, struct srtp_stream *streams);

/*
 * One more user of a set, which is entered if its id is new: session keys are derived, and its
 * streams are free, or where an earlier process has left them. Sets *index and fills in *keys, all but gen and next; for the caller to
 * wipe. -EINVAL: no such suite, no id, an MKI that is too long; -ENOSPC, -ENOMEM.
 */
int tandem_srtp_sets_get(struct tandem_srtp_sets *sets, const struct tandem_srtp *set,
			 uint32_t *index, struct srtp_keys *keys);

/* One more user of a set that is in use; sets *index. false: it is not. */
bool tandem_srtp_sets_hold(struct tandem_srtp_sets *sets, uint64_t id, uint32_t *index);

/* One more user of the set at an index, as an earlier run has left it. -EINVAL: it cannot be. */
int tandem_srtp_sets_adopt(struct tandem_srtp_sets *sets, uint32_t index,
			   const struct srtp_keys *keys);

/* What tandem_srtp_sets_get() filled in, of a set that has users; for the caller to wipe. */
void tandem_srtp_sets_read(struct tandem_srtp_sets *sets, uint32_t index, struct srtp_keys *keys);

/*
 * Keep a place under the set at an index for an SSRC that its source has announced, so that it has
 * one whatever else comes before its first packet. At most half of the places are given so: who
 * announces others with each description does not use up the key.
 */
void tandem_srtp_sets_expect(struct tandem_srtp_sets *sets, uint32_t index, uint32_t ssrc);

/* Is it a set in use that has no room for a further SSRC, or for any? */
bool tandem_srtp_sets_spent(struct tandem_srtp_sets *sets, uint64_t id);

/*
 * What the streams of a set in use have counted; all but `out` of the seed. False: there is no such
 * set, or nobody knows.
 */
bool tandem_srtp_sets_counted(struct tandem_srtp_sets *sets, uint64_t id,
			      struct tandem_srtp_seed *seed);

/*
 * Sets that are entered from now on, and are among these, begin there, also those that packets may
 * have been sealed with. seeds is borrowed, until it is others, or NULL for none.
 */
void tandem_srtp_sets_seed(struct tandem_srtp_sets *sets, const struct tandem_srtp_seed *seeds,
			   size_t n);

/* One user less; with the last the set is gone. */
void tandem_srtp_sets_put(struct tandem_srtp_sets *sets, uint32_t index);

#endif
