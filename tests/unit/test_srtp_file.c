/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What SRTP has counted outlives the process: the process is a child here, which is killed, and
 * the next one finds its file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userspace/datapath/srtp_file.h"
#include "userspace/datapath/srtp_sets.h"

#define SETS	6U
#define STREAMS (SETS * TANDEM_SRTP_STREAMS)

struct fixture {
	char dir[64];
	char path[96];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/tandem-srtp-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/srtp", f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	int left;

	unlink(f->path);
	left = rmdir(f->dir); /* there is nothing else in it */
	free(f);
	return left;
}

static struct tandem_srtp set_of(uint64_t id, uint16_t streams, bool sealed)
{
	struct tandem_srtp s = { .id = id,
				 .suite = SRTP_AES_CM_128_HMAC_SHA1_80,
				 .streams = streams,
				 .sealed = sealed };

	memset(s.key, (int)id, sizeof(s.key));
	memset(s.salt, (int)id + 1, sizeof(s.salt));
	return s;
}

static struct tandem_srtp_sets *sets_of(const char *path, uint32_t capacity)
{
	struct tandem_srtp_sets *sets;

	assert_int_equal(tandem_srtp_sets_alloc(&sets, capacity), 0);
	assert_int_equal(tandem_srtp_sets_keep(sets, path), 0);
	return sets;
}

/* The first stream of a set that is asked for. */
static struct srtp_stream *stream_of(struct tandem_srtp_sets *sets, uint64_t id, uint16_t streams,
				     bool sealed)
{
	struct tandem_srtp set = set_of(id, streams, sealed);
	struct srtp_keys keys;
	uint32_t index;

	assert_int_equal(tandem_srtp_sets_get(sets, &set, &index, &keys), 0);
	assert_in_range(index, 1, SETS * 4);
	assert_int_equal(keys.id, id);
	return &(*tandem_srtp_sets_streams(sets))[keys.first_stream];
}

typedef void(child_h)(const char *path, int out);

static pid_t start(const struct fixture *f, child_h *h, int *in)
{
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		close(fds[0]);
		h(f->path, fds[1]);
		kill(getpid(), SIGKILL);
	}
	close(fds[1]);
	*in = fds[0];
	return pid;
}

static void await_killed(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Run h in a process of its own, which is killed when it has come to its end. */
static void killed(const struct fixture *f, child_h *h)
{
	int in;
	pid_t pid = start(f, h, &in);

	close(in);
	await_killed(pid);
}

static void call(const char *path, int out)
{
	struct tandem_srtp_sets *sets = sets_of(path, SETS);
	struct srtp_stream *s;

	(void)out;
	stream_of(sets, 6, 3, false);
	s = stream_of(sets, 7, 3, false);
	s[0].owner = SRTP_OWNED | 0x1234;
	s[0].top = 1ULL << 16 | 5;
	s[0].window[3] = 77;
	s[0].rtcp_top = 42;
	s[1].owner = SRTP_OWNED | 0x5678;
	stream_of(sets, 8, 2, false)->owner = SRTP_OWNED | 0x99;
}

static void streams_outlive_the_process(void **state)
{
	const struct fixture *f = *state;
	struct tandem_srtp_sets *sets;
	struct srtp_stream *s;
	struct stat st;

	killed(f, call);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	sets = sets_of(f->path, SETS);
	/* who is new gets no place of theirs */
	s = stream_of(sets, 9, 4, false);
	assert_int_equal(s[0].owner | s[1].owner | s[2].owner | s[3].owner, 0);
	s = stream_of(sets, 7, 4, true);
	assert_int_equal(s[0].owner, SRTP_OWNED | 0x1234);
	assert_int_equal(s[0].top, 1ULL << 16 | 5);
	assert_int_equal(s[0].window[3], 77);
	assert_int_equal(s[0].rtcp_top, 42);
	assert_int_equal(s[1].owner, SRTP_OWNED | 0x5678);
	assert_false(tandem_srtp_sets_spent(sets, 7));
	s[2].owner = SRTP_OWNED | 0x9abc; /* now there is no room for another */
	assert_true(tandem_srtp_sets_spent(sets, 7));
	tandem_srtp_sets_free(sets);
	assert_int_equal(stat(f->path, &st), -1);
}

/* Indices as the packet path takes them; each is told of once it has been taken. */
static void send_rtcp(const char *path, int out)
{
	struct tandem_srtp_sets *sets = sets_of(path, SETS);
	struct srtp_stream *s = stream_of(sets, 7, 2, true);
	uint32_t index;

	for (;;) {
		index = (uint32_t)__sync_fetch_and_add(&s->rtcp_top, 1);
		if (write(out, &index, sizeof(index)) != sizeof(index))
			return;
	}
}

static void begin(const char *path, int out)
{
	(void)out;
	stream_of(sets_of(path, SETS), 7, 2, false);
}

static void no_index_twice(void **state)
{
	const struct fixture *f = *state;
	uint32_t index, next = 0;

	killed(f, begin);
	for (uint32_t round = 0; round < 20; round++) {
		int in;
		pid_t pid = start(f, send_rtcp, &in);

		/* at any moment once it has begun; what it has said until then is all here */
		for (uint32_t n = 0; read(in, &index, sizeof(index)) == sizeof(index); n++) {
			assert_true(index >= next);
			next = index + 1;
			if (n == round * 7)
				kill(pid, SIGKILL);
		}
		close(in);
		await_killed(pid);
	}
	assert_true(next >= 20);
}

static void whoever_does_not_come_back_is_swept(void **state)
{
	const struct fixture *f = *state;
	struct tandem_srtp_sets *sets;
	struct srtp_stream *s;

	killed(f, call);
	sets = sets_of(f->path, SETS);
	stream_of(sets, 7, 2, true);
	tandem_srtp_sets_sweep(sets);
	/* its streams are known, and nobody has the others any more */
	tandem_srtp_sets_leave(sets);
	tandem_srtp_sets_free(sets);
	sets = sets_of(f->path, SETS);
	assert_int_equal(stream_of(sets, 7, 2, true)->rtcp_top, 42);
	assert_false(tandem_srtp_sets_spent(sets, 7));
	s = stream_of(sets, 8, 4, true);
	assert_int_equal(s[0].owner, SRTP_CLOSED);
	assert_true(tandem_srtp_sets_spent(sets, 8));
	/* what arrives under it may be opened: that is the other's index */
	assert_int_equal(stream_of(sets, 6, 4, false)->owner, 0);
	assert_false(tandem_srtp_sets_spent(sets, 6));
	tandem_srtp_sets_leave(sets);
	tandem_srtp_sets_free(sets);

	/* and that it was lost is not forgotten */
	sets = sets_of(f->path, SETS);
	stream_of(sets, 8, 4, true);
	assert_true(tandem_srtp_sets_spent(sets, 8));
	assert_false(tandem_srtp_sets_spent(sets, 99));
	tandem_srtp_sets_free(sets);
}

static void one_that_ends_leaves_nothing(void **state)
{
	const struct fixture *f = *state;
	struct tandem_srtp_sets *sets = sets_of(f->path, SETS);
	struct tandem_srtp set = set_of(7, 2, false);
	struct srtp_keys keys;
	uint32_t index;

	assert_int_equal(tandem_srtp_sets_get(sets, &set, &index, &keys), 0);
	(*tandem_srtp_sets_streams(sets))[keys.first_stream].owner = SRTP_OWNED | 1;
	tandem_srtp_sets_put(sets, index);
	tandem_srtp_sets_leave(sets);
	tandem_srtp_sets_free(sets);
	sets = sets_of(f->path, SETS);
	stream_of(sets, 7, 2, true);
	assert_true(tandem_srtp_sets_spent(sets, 7));
	tandem_srtp_sets_free(sets);
}

/* ---- files that are not what they should be ---- */

static void put(const struct fixture *f, off_t at, const void *data, size_t len)
{
	int fd = open(f->path, O_RDWR | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, len, at), len);
	close(fd);
}

static void assert_begins_empty(const struct fixture *f)
{
	struct tandem_srtp_sets *sets = sets_of(f->path, SETS);

	stream_of(sets, 7, 2, true);
	assert_true(tandem_srtp_sets_spent(sets, 7));
	tandem_srtp_sets_free(sets);
}

static void files_that_cannot_be(void **state)
{
	static const struct {
		off_t at;
		const char *data;
		size_t len;
	} damage[] = {
		{ 0, "another", 8 },	       /* magic */
		{ 8, "\2\0\0\0", 4 },	       /* version */
		{ 12, "\377\377\377\377", 4 }, /* sets */
		{ 16, "\0\0\0\0", 4 },	       /* streams */
		{ 32, "another boot", 12 },
	};
	const struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
		killed(f, call);
		put(f, damage[i].at, damage[i].data, damage[i].len);
		assert_begins_empty(f);
	}
	killed(f, call);
	assert_int_equal(truncate(f->path, 5000), 0);
	assert_begins_empty(f);
	put(f, 0, "", 1);
	assert_begins_empty(f);
	/* others may have written what they like */
	killed(f, call);
	assert_int_equal(chmod(f->path, 0620), 0);
	assert_begins_empty(f);
}

static void places_that_cannot_be(void **state)
{
	const struct fixture *f = *state;
	/* no range, one that is too long, beyond the end, over another's, an id that is there */
	const struct tandem_srtp_place bad[] = {
		{ 20, 0, 0 }, { 21, 0, 17 }, { 22, UINT32_MAX, 4 }, { 23, 1, 4 }, { 7, 20, 2 }
	};
	struct tandem_srtp_sets *sets;

	killed(f, begin); /* 7 is at index 1, with streams 0 and 1 */
	put(f, 4096 + 2 * 16, bad, sizeof(bad));
	sets = sets_of(f->path, SETS);
	for (uint64_t id = 20; id < 24; id++) {
		struct tandem_srtp set = set_of(id, 2, true);
		struct srtp_keys keys;
		uint32_t index;

		assert_int_equal(tandem_srtp_sets_get(sets, &set, &index, &keys), 0);
		assert_true(tandem_srtp_sets_spent(sets, id));
	}
	stream_of(sets, 7, 2, true);
	assert_false(tandem_srtp_sets_spent(sets, 7));
	tandem_srtp_sets_free(sets);
}

static void refused_places(void **state)
{
	const struct fixture *f = *state;
	struct tandem_srtp_sets *sets = sets_of(f->path, SETS), *others;
	char other[128];

	assert_int_equal(tandem_srtp_sets_alloc(&others, SETS), 0);
	assert_int_equal(tandem_srtp_sets_keep(others, f->path), -EBUSY);
	snprintf(other, sizeof(other), "%s/no/srtp", f->dir);
	assert_int_equal(tandem_srtp_sets_keep(others, other), -ENOENT);
	snprintf(other, sizeof(other), "%s/link", f->dir);
	assert_int_equal(symlink("/etc/hostname", other), 0);
	assert_int_equal(tandem_srtp_sets_keep(others, other), -ELOOP);
	unlink(other);
	assert_int_equal(tandem_srtp_sets_keep(others, f->dir), -EISDIR);

	/* what it had before goes on */
	stream_of(others, 7, 2, true);
	assert_true(tandem_srtp_sets_spent(others, 7));
	tandem_srtp_sets_free(others);
	stream_of(sets, 7, 2, false);
	tandem_srtp_sets_free(sets);
}

static void of_another_size(void **state)
{
	const struct fixture *f = *state;
	struct tandem_srtp_sets *sets;

	killed(f, call);
	sets = sets_of(f->path, 4 * SETS);
	assert_int_equal(stream_of(sets, 8, 2, true)->owner, SRTP_OWNED | 0x99);
	assert_int_equal(stream_of(sets, 7, 2, true)->rtcp_top, 42);
	assert_int_equal(stream_of(sets, 7, 2, true)[1].owner, SRTP_OWNED | 0x5678);
	tandem_srtp_sets_leave(sets);
	tandem_srtp_sets_free(sets);

	/* one is left out: it is lost, which is known */
	sets = sets_of(f->path, 2);
	assert_int_equal(stream_of(sets, 7, 2, true)->rtcp_top, 42);
	tandem_srtp_sets_leave(sets);
	tandem_srtp_sets_free(sets);
	sets = sets_of(f->path, SETS);
	assert_int_equal(stream_of(sets, 7, 2, true)->rtcp_top, 42);
	stream_of(sets, 8, 2, true);
	assert_true(tandem_srtp_sets_spent(sets, 8));
	tandem_srtp_sets_free(sets);
}

/* A file system that is full is an error for who asks, and never a signal. */
static void full(void **state)
{
	const struct fixture *f = *state;
	struct tandem_srtp_sets *sets;
	unsigned int entered = 0;
	int err, status;
	pid_t pid = fork();

	if (!pid) {
		if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("none", f->dir, "tmpfs", 0, "size=64k"))
			_exit(77);
		if (tandem_srtp_sets_alloc(&sets, 1000) || tandem_srtp_sets_keep(sets, f->path))
			_exit(1);
		do {
			struct tandem_srtp set = set_of(1 + entered, 16, false);
			struct srtp_keys keys;
			uint32_t index;

			err = tandem_srtp_sets_get(sets, &set, &index, &keys);
			for (uint32_t i = 0; !err && i < keys.stream_count; i++)
				(*tandem_srtp_sets_streams(sets))[keys.first_stream + i].top = 1;
			entered += !err;
		} while (!err);
		_exit(err == -ENOSPC && entered > 1 && entered < 1000 / 4 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

/* ---- arrays of a fast path ---- */

static void to_a_new_array_and_back(void **state)
{
	static struct srtp_stream fast[STREAMS], other[STREAMS];
	const struct fixture *f = *state;
	struct tandem_srtp_sets *sets;

	memset(fast, 0, sizeof(fast));
	memset(other, 0, sizeof(other));
	killed(f, call);
	sets = sets_of(f->path, SETS);
	tandem_srtp_sets_move(sets, fast);
	assert_int_not_equal(fast[0].array, 0);
	assert_int_equal(stream_of(sets, 7, 2, true)->rtcp_top, 42);
	stream_of(sets, 7, 2, true)->rtcp_top = 50;
	stream_of(sets, 12, 4, false)->rtcp_top = 60;
	tandem_srtp_sets_leave(sets);
	tandem_srtp_sets_move(sets, NULL);
	tandem_srtp_sets_free(sets);

	/* the same array again: also what the fast path itself has not got is known */
	sets = sets_of(f->path, SETS);
	tandem_srtp_sets_move(sets, fast);
	assert_int_equal(stream_of(sets, 7, 2, true)->rtcp_top, 50);
	assert_int_equal(stream_of(sets, 12, 4, true)->rtcp_top, 60);
	tandem_srtp_sets_leave(sets);
	tandem_srtp_sets_move(sets, NULL);
	tandem_srtp_sets_free(sets);

	/* another, which knows nothing: what was in the file before is of no use */
	sets = sets_of(f->path, SETS);
	tandem_srtp_sets_move(sets, other);
	stream_of(sets, 7, 2, true);
	assert_true(tandem_srtp_sets_spent(sets, 7));
	tandem_srtp_sets_leave(sets);
	tandem_srtp_sets_free(sets);

	/* none: the same */
	sets = sets_of(f->path, SETS);
	stream_of(sets, 12, 2, true);
	assert_true(tandem_srtp_sets_spent(sets, 12));
	tandem_srtp_sets_free(sets);
}

/* The fast path fails once it has been given the streams: they are where they were. */
static void back_at_once(void **state)
{
	static struct srtp_stream fast[STREAMS];
	const struct fixture *f = *state;
	struct tandem_srtp_sets *sets;

	memset(fast, 0, sizeof(fast));
	killed(f, call);
	sets = sets_of(f->path, SETS);
	tandem_srtp_sets_move(sets, fast);
	tandem_srtp_sets_move(sets, NULL);
	assert_int_equal(stream_of(sets, 7, 2, true)->rtcp_top, 42);
	tandem_srtp_sets_leave(sets);
	tandem_srtp_sets_free(sets);
	sets = sets_of(f->path, SETS);
	assert_int_equal(stream_of(sets, 7, 2, true)->rtcp_top, 42);
	tandem_srtp_sets_free(sets);
}

/* Which places its sets have, a fast path knows best. */
static void what_a_fast_path_has_comes_first(void **state)
{
	static struct srtp_stream fast[STREAMS];
	const struct fixture *f = *state;
	struct tandem_srtp_sets *sets;
	struct srtp_keys keys = {
		.id = 7, .suite = SRTP_AES_CM_128_HMAC_SHA1_80, .first_stream = 3, .stream_count = 2
	};

	memset(fast, 0, sizeof(fast));
	killed(f, call);
	sets = sets_of(f->path, SETS);
	tandem_srtp_sets_move(sets, fast);
	fast[3].rtcp_top = 99;
	assert_int_equal(tandem_srtp_sets_adopt(sets, 2, &keys), 0);
	assert_ptr_equal(stream_of(sets, 7, 2, true), &fast[3]);
	assert_int_equal(fast[3].rtcp_top, 99);
	/* the place of another, which has to go */
	keys.id = 40;
	keys.first_stream = 5;
	assert_int_equal(tandem_srtp_sets_adopt(sets, 3, &keys), 0);
	stream_of(sets, 8, 2, true);
	assert_true(tandem_srtp_sets_spent(sets, 8));
	tandem_srtp_sets_leave(sets);
	tandem_srtp_sets_free(sets);
	sets = sets_of(f->path, SETS);
	tandem_srtp_sets_move(sets, fast);
	assert_ptr_equal(stream_of(sets, 7, 2, true), &fast[3]);
	tandem_srtp_sets_free(sets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(streams_outlive_the_process, setup, teardown),
		cmocka_unit_test_setup_teardown(no_index_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(whoever_does_not_come_back_is_swept, setup,
						teardown),
		cmocka_unit_test_setup_teardown(one_that_ends_leaves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(files_that_cannot_be, setup, teardown),
		cmocka_unit_test_setup_teardown(places_that_cannot_be, setup, teardown),
		cmocka_unit_test_setup_teardown(refused_places, setup, teardown),
		cmocka_unit_test_setup_teardown(of_another_size, setup, teardown),
		cmocka_unit_test_setup_teardown(full, setup, teardown),
		cmocka_unit_test_setup_teardown(to_a_new_array_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(back_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_fast_path_has_comes_first, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
