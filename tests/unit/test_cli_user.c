/* SPDX-License-Identifier: GPL-2.0-only */
/* "tandem user": what an operator types, with a password on stdin, and what is kept of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userspace/cli/cli.h"
#include "userspace/store/store.h"

#define MAX_WORDS 7

static char dir[64], db[96], conf[96], md5_conf[96], memory_conf[96];

static void write_file(char path[96], const char *name, const char *fmt)
{
	FILE *f;

	snprintf(path, 96, "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, fmt, db);
	fclose(f);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/tandem-user-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(db, sizeof(db), "%s/t.db", dir);
	write_file(conf, "good.conf", "database: %s\nsip: {domains: [example.test]}\n");
	write_file(md5_conf, "md5.conf",
		   "database: %s\nsip: {realm: old phones, auth_algorithms: [md5]}\n");
	write_file(memory_conf, "memory.conf", "database: \":memory:\" #%s\n");
	return 0;
}

static int tear_down(void **state)
{
	char cmd[128];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -r '%s'", dir);
	return system(cmd);
}

struct outcome {
	int status;
	char out[4096], err[4096];
};

static int temporary(const char *text)
{
	FILE *f = tmpfile();

	assert_non_null(f);
	fputs(text, f);
	rewind(f);
	return dup(fileno(f)); /* the stream is closed at exit */
}

static void read_back(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size - 1, 0);

	buf[n > 0 ? n : 0] = '\0';
	close(fd);
}

static void type(struct outcome *o, const char *input, const char *const *words)
{
	char *argv[MAX_WORDS + 2] = { (char *)"tandem" };
	int fds[3] = { temporary(input), temporary(""), temporary("") }, saved[3], i;
	int argc = 1;

	for (; argc <= MAX_WORDS && words[argc - 1]; argc++) {
		const char *w = words[argc - 1];

		argv[argc] = strcmp(w, "@c") == 0   ? conf
			     : strcmp(w, "@5") == 0 ? md5_conf
			     : strcmp(w, "@m") == 0 ? memory_conf
						    : (char *)w;
	}
	fflush(stdout);
	for (i = 0; i < 3; i++) {
		saved[i] = dup(i);
		dup2(fds[i], i);
	}
	o->status = tandem_cli_main(argc, argv);
	fflush(stdout);
	for (i = 0; i < 3; i++) {
		dup2(saved[i], i);
		close(saved[i]);
	}
	close(fds[0]);
	read_back(fds[1], o->out, sizeof(o->out));
	read_back(fds[2], o->err, sizeof(o->err));
}

#define LONG_64	 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LONG_128 LONG_64 LONG_64

/* One after the other, on one database. */
static const struct {
	const char *words[MAX_WORDS];
	const char *input;
	int status;
	const char *out, *err; /* what must be in it; NULL: nothing at all */
} cases[] = {
	{ { "user" }, "", TANDEM_EXIT_USAGE, NULL, "user passwd NAME [-c FILE]" },
	{ { "user", "add", "-c", "@c" }, "", TANDEM_EXIT_USAGE, NULL, "argument is missing" },
	{ { "user", "list", "-c", "@c" }, "", TANDEM_EXIT_OK, "no users\n", NULL },
	{ { "user", "add", "alice", "-c", "@c" }, "wonder\n", TANDEM_EXIT_OK, NULL, NULL },
	{ { "user", "add", "alice", "-c", "@c" },
	  "wonder\n",
	  TANDEM_EXIT_FAILURE,
	  NULL,
	  "there is already a user alice" },
	{ { "user", "add", "bob", "-c", "@5", "--max-contacts", "2" },
	  "no newline\r\n",
	  TANDEM_EXIT_OK,
	  NULL,
	  NULL },
	{ { "user", "add", "dora", "-c", "@c" }, LONG_128, TANDEM_EXIT_OK, NULL, NULL },
	{ { "user", "add", "x", "-c", "@c" }, LONG_128 "0", TANDEM_EXIT_USAGE, NULL, "longer" },
	{ { "user", "add", "x", "-c", "@c" }, "", TANDEM_EXIT_USAGE, NULL, "is empty" },
	{ { "user", "add", "x", "-c", "@c" }, "\nb\n", TANDEM_EXIT_USAGE, NULL, "is empty" },
	{ { "user", "add", "x", "-c", "@c" }, "a\tb\n", TANDEM_EXIT_USAGE, NULL, "control" },
	{ { "user", "add", "a@b", "-c", "@c" }, "p\n", TANDEM_EXIT_USAGE, NULL, "before the @" },
	{ { "user", "add", "", "-c", "@c" }, "p\n", TANDEM_EXIT_USAGE, NULL, "before the @" },
	{ { "user", "add", "x", "secret", "-c", "@c" },
	  "p\n",
	  TANDEM_EXIT_USAGE,
	  NULL,
	  "too many arguments" },
	{ { "user", "add", "x", "-c", "@c", "--max-contacts", "0" },
	  "p\n",
	  TANDEM_EXIT_USAGE,
	  NULL,
	  "--max-contacts: '0'" },
	{ { "user", "add", "x", "-c", "@m" }, "p\n", TANDEM_EXIT_USAGE, NULL, "a file" },
	{ { "user", "list", "-c", "@c" }, "", TANDEM_EXIT_OK, "example.test", NULL },
	{ { "user", "list", "-c", "@c", "--json" },
	  "",
	  TANDEM_EXIT_OK,
	  "{\"name\":\"bob\",\"realm\":\"old phones\",\"digests\":\"MD5\",\"max_contacts\":2}",
	  NULL },
	{ { "user", "passwd", "bob", "-c", "@c" }, "better\n", TANDEM_EXIT_OK, NULL, NULL },
	{ { "user", "passwd", "nobody", "-c", "@c" },
	  "p\n",
	  TANDEM_EXIT_FAILURE,
	  NULL,
	  "there is no user nobody" },
	{ { "user", "remove", "dora", "-c", "@c" }, "", TANDEM_EXIT_OK, NULL, NULL },
	{ { "user", "remove", "dora", "-c", "@c" },
	  "",
	  TANDEM_EXIT_FAILURE,
	  NULL,
	  "there is no user dora" },
};

static bool as_wanted(const char *got, const char *want)
{
	return want ? strstr(got, want) != NULL : got[0] == '\0';
}

static void assert_ha1(struct tandem_store *store, const char *name, enum tandem_digest_alg alg,
		       const char *password)
{
	uint8_t ha1[TANDEM_DIGEST_MAX];
	struct tandem_user user;

	assert_int_equal(tandem_store_user_get(store, name, &user), 0);
	assert_string_equal(user.realm, "example.test");
	assert_true(user.has[alg]);
	assert_int_equal(tandem_digest_ha1(alg, name, "example.test", password, ha1), 0);
	assert_memory_equal(user.ha1[alg], ha1, tandem_digest_size(alg));
}

static void what_operators_type(void **state)
{
	struct tandem_store *store;
	struct outcome o;
	char why[128], cmd[128];
	struct stat st;
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		type(&o, cases[i].input, cases[i].words);
		if (o.status != cases[i].status || !as_wanted(o.out, cases[i].out) ||
		    !as_wanted(o.err, cases[i].err))
			fail_msg("case %zu: status %d\nout: %s\nerr: %s", i, o.status, o.out,
				 o.err);
	}
	assert_int_equal(tandem_store_open(&store, db, why, sizeof(why)), 0);
	assert_ha1(store, "alice", TANDEM_DIGEST_SHA256, "wonder");
	assert_ha1(store, "alice", TANDEM_DIGEST_MD5, "wonder");
	assert_ha1(store, "bob", TANDEM_DIGEST_SHA256, "better");
	assert_ha1(store, "bob", TANDEM_DIGEST_MD5, "better");
	tandem_store_close(store);

	/* nowhere in clear text, and readable by nobody else */
	snprintf(cmd, sizeof(cmd), "grep -qE 'wonder|better' %s/t.db*", dir);
	assert_int_not_equal(system(cmd), 0);
	assert_int_equal(stat(db, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_operators_type, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
