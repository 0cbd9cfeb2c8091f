/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/play/sound.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHANNELS_MAX 8
#define RATE_MIN     4000
#define RATE_MAX     192000

struct tandem_source {
	int fd; /* of a file; -1: it is octets */
	unsigned char *octets;
	size_t len;
	char key[TANDEM_SOURCE_KEY_SIZE];
	int64_t duration_ms;
};

static sf_count_t octets_len(void *arg)
{
	return ((struct tandem_octets *)arg)->len;
}

static sf_count_t octets_tell(void *arg)
{
	return ((struct tandem_octets *)arg)->at;
}

static sf_count_t octets_seek(sf_count_t offset, int whence, void *arg)
{
	struct tandem_octets *f = arg;
	sf_count_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? f->at : f->len;

	if (offset < -base || offset > f->len - base)
		return -1;
	f->at = base + offset;
	return f->at;
}

static sf_count_t octets_read(void *buf, sf_count_t count, void *arg)
{
	struct tandem_octets *f = arg;

	if (count > f->len - f->at)
		count = f->len - f->at;
	if (count <= 0)
		return 0;
	memcpy(buf, f->octets + f->at, (size_t)count);
	f->at += count;
	return count;
}

SNDFILE *tandem_source_open(const struct tandem_source *s, struct tandem_octets *f, SF_INFO *info)
{
	SF_VIRTUAL_IO io = {
		.get_filelen = octets_len,
		.seek = octets_seek,
		.read = octets_read,
		.tell = octets_tell,
	};

	memset(info, 0, sizeof(*info));
	*f = (struct tandem_octets){ .octets = s->octets, .len = (sf_count_t)s->len };
	if (s->fd < 0)
		return sf_open_virtual(&io, SFM_READ, info, f);
	if (lseek(s->fd, 0, SEEK_SET) < 0)
		return NULL;
	return sf_open_fd(s->fd, SFM_READ, info, SF_FALSE);
}

/* Containers that make a file by themselves; raw ones would take anything for audio. */
static bool is_taken(int format)
{
	switch (format & SF_FORMAT_TYPEMASK) {
	case SF_FORMAT_WAV:
	case SF_FORMAT_WAVEX:
	case SF_FORMAT_AIFF:
	case SF_FORMAT_AU:
	case SF_FORMAT_FLAC:
	case SF_FORMAT_OGG:
	case SF_FORMAT_MPEG:
		return true;
	default:
		return false;
	}
}

static int check_sound(const SF_INFO *info)
{
	if (!is_taken(info->format) || info->channels < 1 || info->channels > CHANNELS_MAX ||
	    info->samplerate < RATE_MIN || info->samplerate > RATE_MAX)
		return -EBADMSG;
	if (info->frames > (sf_count_t)info->samplerate * TANDEM_SOURCE_S_MAX &&
	    info->frames != SF_COUNT_MAX)
		return -EFBIG;
	return 0;
}

static int look(struct tandem_source *s)
{
	struct tandem_octets f;
	SF_INFO info;
	SNDFILE *sound = tandem_source_open(s, &f, &info);
	int err = sound ? check_sound(&info) : -EBADMSG;

	s->duration_ms = -1;
	if (!err && info.frames > 0 && info.frames != SF_COUNT_MAX)
		s->duration_ms = info.frames * 1000 / info.samplerate;
	if (sound)
		sf_close(sound);
	return err;
}

static int open_below(int dir_fd, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, dir_fd, name, &how, sizeof(how));

	if (fd >= 0)
		return (int)fd;
	return errno == EXDEV || errno == ELOOP ? -EACCES : -errno;
}

static int open_file(struct tandem_source *s, int dir_fd, const char *name)
{
	struct stat st;

	s->fd = open_below(dir_fd, name);
	if (s->fd < 0)
		return s->fd;
	if (fstat(s->fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	if (st.st_size > TANDEM_SOURCE_OCTETS_MAX)
		return -EFBIG;
	snprintf(s->key, sizeof(s->key), "%llx:%llx:%llx:%llx.%lx", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino, (unsigned long long)st.st_size,
		 (unsigned long long)st.st_mtim.tv_sec, (unsigned long)st.st_mtim.tv_nsec);
	return look(s);
}

int tandem_source_file(struct tandem_source **sp, int dir_fd, const char *name)
{
	struct tandem_source *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	err = open_file(s, dir_fd, name);
	if (err)
		tandem_source_free(s);
	else
		*sp = s;
	return err;
}

int tandem_source_blob(struct tandem_source **sp, const void *octets, size_t len)
{
	struct tandem_source *s;
	int err;

	if (!len)
		return -EBADMSG;
	if (len > TANDEM_SOURCE_BLOB_MAX)
		return -EFBIG;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->fd = -1;
	s->len = len;
	s->octets = malloc(len);
	err = s->octets ? 0 : -ENOMEM;
	if (!err) {
		memcpy(s->octets, octets, len);
		err = look(s);
	}
	if (err)
		tandem_source_free(s);
	else
		*sp = s;
	return err;
}

void tandem_source_free(struct tandem_source *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	free(s->octets);
	free(s);
}

int64_t tandem_source_duration_ms(const struct tandem_source *s)
{
	return s->duration_ms;
}

const char *tandem_source_key(const struct tandem_source *s)
{
	return s->key;
}
