/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The subcommands about users. They write to the database itself, so that there can be
 * users before the relay first runs; one that runs notices within a second.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/cli/command.h"
#include "userspace/cli/password.h"
#include "userspace/cli/show.h"
#include "userspace/cli/table.h"
#include "userspace/store/store.h"

/* A command, and what it works on. */
struct work {
	struct tandem_options opts;
	struct tandem_config *cfg;
	struct tandem_store *store;
};

static int say(const char *text, const char *name, int status)
{
	fprintf(stderr, "tandem: %s %s\n", text, name);
	return status;
}

/* -1 to go on, or what to exit with. */
static int begin(struct work *work, const struct tandem_command *cmd, int argc, char **argv)
{
	int status = tandem_options_parse(&work->opts, cmd, argc, argv);
	char why[512];

	if (status >= 0)
		return status;
	if (cmd->arguments_count && tandem_user_check(work->opts.argument)) {
		fprintf(stderr,
			"tandem: a name is 1 to %d letters, digits and -_.+!~*', the part of a SIP "
			"URI before the @\n",
			TANDEM_USER_SIZE - 1);
		return TANDEM_EXIT_USAGE;
	}
	work->cfg = tandem_command_config(&work->opts);
	if (!work->cfg)
		return TANDEM_EXIT_USAGE;
	if (strcmp(work->cfg->database, ":memory:") == 0)
		return say("users need a database that is a file, not",
			   ":memory:", TANDEM_EXIT_USAGE);
	if (tandem_store_open(&work->store, work->cfg->database, why, sizeof(why)))
		return say("database:", why, TANDEM_EXIT_FAILURE);
	return -1;
}

static int end(struct work *work, int status)
{
	tandem_store_close(work->store);
	tandem_config_free(work->cfg);
	return status;
}

/* The digests that this configuration can use, and no others: each is worth guessing at. */
static int make_digests(const struct work *work, struct tandem_user *user)
{
	const struct tandem_config_sip *sip = &work->cfg->sip;
	char password[TANDEM_PASSWORD_SIZE];
	enum tandem_digest_alg alg;
	int ret = tandem_password_read(password);

	for (unsigned int i = 0; i < sip->auth_algorithms_count && !ret; i++) {
		ret = tandem_digest_parse(&alg, sip->auth_algorithms[i]);
		if (!ret)
			ret = tandem_digest_ha1(alg, user->name, user->realm, password,
						user->ha1[alg]);
		if (ret)
			fprintf(stderr, "tandem: %s cannot be had here\n", sip->auth_algorithms[i]);
		else
			user->has[alg] = true;
	}
	explicit_bzero(password, sizeof(password));
	return ret;
}

static int set_user(struct work *work,
		    int (*set)(struct tandem_store *store, const struct tandem_user *user))
{
	struct tandem_user user = { .max_contacts = work->opts.contacts };
	int ret;

	snprintf(user.name, sizeof(user.name), "%s", work->opts.argument);
	snprintf(user.realm, sizeof(user.realm), "%s", tandem_config_realm(work->cfg));
	if (make_digests(work, &user))
		return TANDEM_EXIT_USAGE;
	ret = set(work->store, &user);
	explicit_bzero(&user, sizeof(user));
	if (ret == -EEXIST)
		return say("there is already a user", work->opts.argument, TANDEM_EXIT_FAILURE);
	if (ret == -ENOENT)
		return say("there is no user", work->opts.argument, TANDEM_EXIT_FAILURE);
	return ret ? say("database:", strerror(-ret), TANDEM_EXIT_FAILURE) : TANDEM_EXIT_OK;
}

int tandem_cmd_user_add(const struct tandem_command *cmd, int argc, char **argv)
{
	struct work work = { 0 };
	int status = begin(&work, cmd, argc, argv);

	return end(&work, status >= 0 ? status : set_user(&work, tandem_store_user_add));
}

int tandem_cmd_user_passwd(const struct tandem_command *cmd, int argc, char **argv)
{
	struct work work = { 0 };
	int status = begin(&work, cmd, argc, argv);

	return end(&work, status >= 0 ? status : set_user(&work, tandem_store_user_passwd));
}

static int remove_user(struct work *work)
{
	int ret = tandem_store_user_remove(work->store, work->opts.argument);

	if (ret == -ENOENT)
		return say("there is no user", work->opts.argument, TANDEM_EXIT_FAILURE);
	return ret ? say("database:", strerror(-ret), TANDEM_EXIT_FAILURE) : TANDEM_EXIT_OK;
}

int tandem_cmd_user_remove(const struct tandem_command *cmd, int argc, char **argv)
{
	struct work work = { 0 };
	int status = begin(&work, cmd, argc, argv);

	return end(&work, status >= 0 ? status : remove_user(&work));
}

static void append_user(const struct tandem_user *user, void *arg)
{
	char digests[32] = "";

	for (unsigned int i = 0; i < TANDEM_DIGEST_ALGS; i++) {
		if (!user->has[i])
			continue;
		if (digests[0])
			strcat(digests, " ");
		strcat(digests, tandem_digest_name((enum tandem_digest_alg)i));
	}
	json_array_append_new(arg, json_pack("{s:s, s:s, s:s, s:i}", "name", user->name, "realm",
					     user->realm, "digests", digests, "max_contacts",
					     (int)user->max_contacts));
}

static int list_users(const struct work *work)
{
	json_t *list = json_array(), *doc = json_pack("{s:o}", "users", list);
	int ret = doc ? tandem_store_user_list(work->store, append_user, list) : -ENOMEM;

	if (ret)
		say("database:", strerror(-ret), TANDEM_EXIT_FAILURE);
	else if (work->opts.json)
		tandem_command_print_json(doc);
	else
		tandem_show_users(doc, stdout, tandem_terminal_width());
	json_decref(doc);
	return ret ? TANDEM_EXIT_FAILURE : TANDEM_EXIT_OK;
}

int tandem_cmd_user_list(const struct tandem_command *cmd, int argc, char **argv)
{
	struct work work = { 0 };
	int status = begin(&work, cmd, argc, argv);

	return end(&work, status >= 0 ? status : list_users(&work));
}
