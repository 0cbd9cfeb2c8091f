/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/cli/capture_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/capture/pcapng.h"

#define HEADER_MAX  4096
#define NS_PER_S    1000000000ULL
#define MEMORY_MAX  (1ULL << 30) /* bytes: a fault of the caller's must not take the host down */
#define OPTION_DROP 5		 /* isb_ifdrop */

struct kept {
	struct kept *next;
	uint64_t ns;
	uint32_t len;
	unsigned char block[];
};

struct capture_file {
	struct capture_file_options options;
	FILE *out;
	unsigned int number; /* of the file that is open, from 1 */
	uint64_t written;
	unsigned char header[HEADER_MAX]; /* what each file begins with */
	size_t header_len;
	bool started; /* a packet has come */
	struct kept *first, **last;
	uint64_t kept_bytes;
	uint64_t packets, lost;
	int err;
};

static uint32_t word(const unsigned char *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

static bool numbered(const struct capture_file *f)
{
	return strcmp(f->options.name, "-") && (f->options.size || f->options.memory_s);
}

/* calls.pcapng: calls-0001.pcapng and so on. */
static void name_of(const struct capture_file *f, unsigned int number, char *name, size_t size)
{
	const char *base = strrchr(f->options.name, '/');
	const char *dot = strrchr(base ? base : f->options.name, '.');
	int stem = (int)(dot ? dot - f->options.name : (long)strlen(f->options.name));

	if (numbered(f))
		snprintf(name, size, "%.*s-%04u%s", stem, f->options.name, number, dot ? dot : "");
	else
		snprintf(name, size, "%s", f->options.name);
}

static int say(struct capture_file *f, const char *name, int err)
{
	fprintf(stderr, "tandem: %s: %s\n", name, strerror(err));
	f->err = -err;
	return -err;
}

static int put(struct capture_file *f, const void *block, size_t len)
{
	if (fwrite(block, 1, len, f->out) != len)
		return say(f, f->options.name, errno ? errno : EIO);
	f->written += len;
	return 0;
}

static int close_out(struct capture_file *f)
{
	FILE *out = f->out;

	f->out = NULL;
	if (!out)
		return 0;
	if (out == stdout ? fflush(out) : fclose(out))
		return say(f, f->options.name, errno);
	return 0;
}

/* Media is nobody else's business. */
static int open_next(struct capture_file *f)
{
	char name[PATH_MAX];
	int fd;

	f->number++;
	f->written = 0;
	if (f->options.files && f->number > f->options.files) {
		name_of(f, f->number - f->options.files, name, sizeof(name));
		unlink(name);
	}
	name_of(f, f->number, name, sizeof(name));
	if (!strcmp(name, "-")) {
		f->out = stdout;
	} else {
		fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		f->out = fd < 0 ? NULL : fdopen(fd, "w");
		if (!f->out) {
			int err = errno;

			if (fd >= 0)
				close(fd);
			return say(f, name, err);
		}
	}
	return put(f, f->header, f->header_len);
}

static int write_block(struct capture_file *f, const unsigned char *block, uint32_t len)
{
	int err = 0;

	if (f->out && f->options.size && f->written + len > f->options.size)
		err = close_out(f);
	if (!err && !f->out)
		err = open_next(f);
	return err ? err : put(f, block, len);
}

static void forget_first(struct capture_file *f)
{
	struct kept *k = f->first;

	f->first = k->next;
	if (!f->first)
		f->last = &f->first;
	f->kept_bytes -= k->len;
	free(k);
}

static int keep(struct capture_file *f, const unsigned char *block, uint32_t len, uint64_t ns)
{
	struct kept *k = malloc(sizeof(*k) + len);

	if (!k)
		return say(f, "memory", ENOMEM);
	k->next = NULL;
	k->ns = ns;
	k->len = len;
	memcpy(k->block, block, len);
	*f->last = k;
	f->last = &k->next;
	f->kept_bytes += len;
	while (f->first != k &&
	       (ns - f->first->ns > f->options.memory_s * NS_PER_S || f->kept_bytes > MEMORY_MAX)) {
		if (ns < f->first->ns) /* of another ring: nearly in order */
			break;
		forget_first(f);
	}
	return 0;
}

int capture_file_dump(struct capture_file *f)
{
	int err = 0;

	while (f->first) {
		if (!err)
			err = write_block(f, f->first->block, f->first->len);
		forget_first(f);
	}
	return err ? err : close_out(f);
}

/* isb_ifdrop of a block of statistics: behind its interface and time come options. */
static uint64_t read_lost(const unsigned char *block, uint32_t len)
{
	uint64_t lost = 0;
	uint32_t at = 20;

	while (at + 4 <= len - 4) {
		uint16_t code, size;

		memcpy(&code, block + at, sizeof(code));
		memcpy(&size, block + at + 2, sizeof(size));
		if (code == OPTION_DROP && size == sizeof(lost) && at + 4 + size <= len)
			memcpy(&lost, block + at + 4, sizeof(lost));
		at += 4 + ((size + 3U) & ~3U);
	}
	return lost;
}

int capture_file_block(struct capture_file *f, const unsigned char *block, uint32_t len)
{
	const uint32_t type = word(block);

	if (type == TANDEM_PCAPNG_SECTION || type == TANDEM_PCAPNG_IDB) {
		if (f->started || len > HEADER_MAX - f->header_len)
			return say(f, "what the relay sends", EPROTO);
		memcpy(f->header + f->header_len, block, len);
		f->header_len += len;
		return 0;
	}
	if (!f->started && !f->options.memory_s && open_next(f))
		return f->err;
	f->started = true;
	if (type == TANDEM_PCAPNG_EPB && len >= 32) {
		f->packets++;
		if (f->options.memory_s)
			return keep(f, block, len,
				    (uint64_t)word(block + 12) << 32 | word(block + 16));
	}
	if (type == TANDEM_PCAPNG_ISB && len >= 24)
		f->lost = read_lost(block, len);
	/* how many are lost is of no use where most are forgotten on purpose */
	return f->options.memory_s ? 0 : write_block(f, block, len);
}

int capture_file_open(struct capture_file **filep, const struct capture_file_options *options)
{
	struct capture_file *f = calloc(1, sizeof(*f));

	if (!f) {
		fprintf(stderr, "tandem: %s\n", strerror(ENOMEM));
		return -ENOMEM;
	}
	f->options = *options;
	f->last = &f->first;
	*filep = f;
	return 0;
}

int capture_file_close(struct capture_file *f)
{
	int err = capture_file_dump(f);

	if (!err)
		err = f->err;
	free(f);
	return err;
}

uint64_t capture_file_packets(const struct capture_file *f)
{
	return f->packets;
}

uint64_t capture_file_lost(const struct capture_file *f)
{
	return f->lost;
}
