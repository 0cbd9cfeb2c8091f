/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/srtp_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userspace/util/log.h"

#define MODULE	"srtp"
#define MAGIC	"tandemS"
#define VERSION 1
#define BLOCK	4096U
#define BOOT	"/proc/sys/kernel/random/boot_id"

/* The first block. Places follow, and in a block of their own the streams. */
struct head {
	char magic[8];
	uint32_t version;
	uint32_t sets;
	uint32_t streams;
	uint32_t pad;
	uint64_t array;
	char boot[40];
};

_Static_assert(sizeof(struct head) <= BLOCK, "the head is one block");
_Static_assert(sizeof(struct tandem_srtp_place) == 16, "places are in the file");

/* A file that is there, locked; usable says whether what is in it can be gone on with. */
struct found {
	struct tandem_srtp_file file;
	bool usable;
};

static const struct tandem_srtp_file none = { .fd = -1 };

static size_t blocks(size_t octets)
{
	return (octets + BLOCK - 1) / BLOCK * BLOCK;
}

static size_t streams_at(uint32_t sets)
{
	return BLOCK + blocks(sets * sizeof(struct tandem_srtp_place));
}

static size_t size_of(uint32_t sets, uint32_t streams)
{
	return streams_at(sets) + blocks(streams * sizeof(struct srtp_stream));
}

static struct head *head_of(const struct tandem_srtp_file *f)
{
	return f->map;
}

static struct tandem_srtp_place *place_of(const struct tandem_srtp_file *f, uint32_t index)
{
	return (struct tandem_srtp_place *)((char *)f->map + BLOCK) + index;
}

static int read_boot(char boot[static sizeof(((struct head *)NULL)->boot)])
{
	const size_t size = sizeof(((struct head *)NULL)->boot);
	int fd = open(BOOT, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	memset(boot, 0, size);
	if (fd < 0)
		return -errno;
	n = read(fd, boot, size - 1);
	close(fd);
	return n > 0 ? 0 : -EIO;
}

static int map(struct tandem_srtp_file *f, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	f->map = at;
	f->size = size;
	return 0;
}

/* Does path lead to what is open? Another process may have put its own there. */
static bool is_at(const struct tandem_srtp_file *f)
{
	struct stat ours, theirs;

	return !fstat(f->fd, &ours) && !stat(f->path, &theirs) && ours.st_dev == theirs.st_dev &&
	       ours.st_ino == theirs.st_ino;
}

static int lock(const struct tandem_srtp_file *f)
{
	if (!flock(f->fd, LOCK_EX | LOCK_NB))
		return 0;
	return errno == EWOULDBLOCK ? -EBUSY : -errno;
}

/* ---- the one that is there ---- */

/* Why what is in it cannot be gone on with; NULL: it can. */
static const char *check(struct tandem_srtp_file *f)
{
	struct stat st;
	struct head head;
	char boot[sizeof(head.boot)];

	if (fstat(f->fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    st.st_mode & (S_IWGRP | S_IWOTH))
		return "not this user's alone";
	if (pread(f->fd, &head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head.magic, MAGIC, sizeof(head.magic)))
		return "not such a file";
	if (head.version != VERSION)
		return "of another version";
	if (read_boot(boot) || memcmp(boot, head.boot, sizeof(boot)))
		return "of before the last boot";
	if (!head.sets || !head.streams || (size_t)st.st_size != size_of(head.sets, head.streams))
		return "of a length that does not fit";
	f->sets = head.sets;
	f->streams = head.streams;
	return map(f, (size_t)st.st_size) ? "not to be mapped" : NULL;
}

/* -ENOENT: there is none. */
static int find(struct found *found, const char *path)
{
	struct tandem_srtp_file *f = &found->file;
	const char *why;
	int err;

	f->path = strdup(path);
	if (!f->path)
		return -ENOMEM;
	f->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (f->fd < 0)
		return -errno;
	err = lock(f);
	if (!err && !is_at(f))
		err = -EBUSY;
	if (err)
		return err;
	why = check(f);
	found->usable = !why;
	if (why)
		tandem_log(TANDEM_LOG_WARNING, MODULE, "%s: %s; begins empty", path, why);
	return 0;
}

/* ---- a new one ---- */

static int fill(struct tandem_srtp_file *f)
{
	const size_t size = size_of(f->sets, f->streams);
	struct head *head;
	int err;

	/* with the first streams: there may be the name of an array in them */
	if (ftruncate(f->fd, (off_t)size) ||
	    fallocate(f->fd, 0, 0, (off_t)(streams_at(f->sets) + BLOCK)))
		return -errno;
	err = map(f, size);
	if (err)
		return err;
	head = head_of(f);
	head->version = VERSION;
	head->sets = f->sets;
	head->streams = f->streams;
	memcpy(head->magic, MAGIC, sizeof(head->magic));
	return read_boot(head->boot);
}

/* The sets of another file, one behind the other; those that are too many are left out. */
static void carry_over(const struct tandem_srtp_file *f, const struct tandem_srtp_file *from)
{
	struct srtp_stream *streams = tandem_srtp_file_streams(from);
	uint32_t index = 1, first = 0, lost = 0;

	/* those of a fast path's array are at their places there, or nowhere */
	for (uint32_t i = 1; i < from->sets && !head_of(from)->array; i++) {
		struct tandem_srtp_place place = *place_of(from, i);

		if (!place.id || place.count > SRTP_SSRCS_MAX || place.count > from->streams ||
		    place.first > from->streams - place.count)
			continue;
		if (index == f->sets || place.count > f->streams - first ||
		    tandem_srtp_file_reserve(f, first, place.count)) {
			lost++;
			continue;
		}
		memcpy(tandem_srtp_file_streams(f) + first, streams + place.first,
		       place.count * sizeof(*streams));
		place.first = first;
		first += place.count;
		tandem_srtp_file_note(f, index++, &place);
	}
	tandem_log(lost ? TANDEM_LOG_WARNING : TANDEM_LOG_INFO, MODULE,
		   "%s: of another size; %u key sets carried over, %u left out", f->path, index - 1,
		   lost);
}

static int make(struct tandem_srtp_file *f, const char *path, const struct tandem_srtp_file *from)
{
	char *temporary = NULL;
	int err = 0;

	f->path = strdup(path);
	if (!f->path || asprintf(&temporary, "%s.new", path) < 0)
		return -ENOMEM;
	unlink(temporary); /* of a process that was killed here */
	f->fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (f->fd < 0)
		err = -errno;
	if (!err)
		err = lock(f);
	if (!err)
		err = fill(f);
	if (!err && from)
		carry_over(f, from);
	if (!err && rename(temporary, path))
		err = -errno;
	if (!err && !is_at(f))
		err = -EBUSY;
	if (err && f->fd >= 0)
		unlink(temporary);
	free(temporary);
	return err;
}

int tandem_srtp_file_open(struct tandem_srtp_file *f, const char *path, uint32_t sets,
			  uint32_t streams)
{
	struct found found = { .file = none };
	int err;

	*f = (struct tandem_srtp_file){ .fd = -1, .sets = sets, .streams = streams };
	err = find(&found, path);
	if (!err && found.usable && found.file.sets == sets && found.file.streams == streams) {
		*f = found.file;
		return 0;
	}
	if (!err || err == -ENOENT)
		err = make(f, path, found.usable ? &found.file : NULL);
	tandem_srtp_file_close(&found.file);
	if (err)
		tandem_srtp_file_close(f);
	return err;
}

void tandem_srtp_file_close(struct tandem_srtp_file *f)
{
	if (f->map)
		munmap(f->map, f->size);
	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
	*f = none;
}

void tandem_srtp_file_remove(struct tandem_srtp_file *f)
{
	if (f->path && is_at(f))
		unlink(f->path);
	tandem_srtp_file_close(f);
}

/* ---- what is in it ---- */

struct srtp_stream *tandem_srtp_file_streams(const struct tandem_srtp_file *f)
{
	return (struct srtp_stream *)((char *)f->map + streams_at(f->sets));
}

uint64_t *tandem_srtp_file_array(const struct tandem_srtp_file *f)
{
	return &head_of(f)->array;
}

struct tandem_srtp_place tandem_srtp_file_place(const struct tandem_srtp_file *f, uint32_t index)
{
	return *place_of(f, index);
}

/* The id is last to come and first to go: a place is whole, or nobody's. */
void tandem_srtp_file_note(const struct tandem_srtp_file *f, uint32_t index,
			   const struct tandem_srtp_place *place)
{
	struct tandem_srtp_place *at = place_of(f, index);

	__atomic_store_n(&at->id, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&at->first, place->first, __ATOMIC_RELAXED);
	__atomic_store_n(&at->count, place->count, __ATOMIC_RELAXED);
	__atomic_store_n(&at->id, place->id, __ATOMIC_RELEASE);
}

int tandem_srtp_file_reserve(const struct tandem_srtp_file *f, uint32_t first, uint32_t count)
{
	const off_t begin = (off_t)(streams_at(f->sets) + first * sizeof(struct srtp_stream));

	if (!count || !fallocate(f->fd, 0, begin, (off_t)(count * sizeof(struct srtp_stream))))
		return 0;
	return -errno;
}
