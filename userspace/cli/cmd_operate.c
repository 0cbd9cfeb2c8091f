/* SPDX-License-Identifier: GPL-2.0-only */
/* The subcommands that take the relay out of service, and those that block sources. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/cli/command.h"
#include "userspace/cli/list.h"
#include "userspace/cli/table.h"
#include "userspace/control/client.h"

static void show_drain(const json_t *doc, FILE *out, unsigned int width)
{
	(void)width;
	if (!json_is_true(json_object_get(doc, "draining"))) {
		fputs("in service\n", out);
		return;
	}
	fprintf(out, "draining: %lld calls, %lld transactions, %lld s left\n",
		(long long)json_integer_value(json_object_get(doc, "sessions")),
		(long long)json_integer_value(json_object_get(doc, "transactions")),
		(long long)json_integer_value(json_object_get(doc, "left_s")));
}

/* Until the relay has gone, or is in service again. */
static int wait_for_end(const struct tandem_options *opts)
{
	struct tandem_config *cfg = opts->socket ? NULL : tandem_command_config(opts);
	const char *path = opts->socket ? opts->socket : cfg ? cfg->control_socket : NULL;
	int status = path ? TANDEM_EXIT_OK : TANDEM_EXIT_USAGE;

	while (path && tandem_client_alive(path)) {
		json_t *doc = tandem_command_call(opts, json_pack("{s:s}", "call", "drain.show"),
						  &status);
		bool off = doc && !json_is_true(json_object_get(doc, "draining"));

		json_decref(doc);
		if (off) {
			fputs("tandem: the drain was called off\n", stderr);
			status = TANDEM_EXIT_FAILURE;
			break;
		}
		/* it may have gone between the question and the answer */
		status = TANDEM_EXIT_OK;
		sleep(1);
	}
	tandem_config_free(cfg);
	return status;
}

int tandem_cmd_drain(const struct tandem_command *cmd, int argc, char **argv)
{
	struct tandem_options opts;
	int status = tandem_options_parse(&opts, cmd, argc, argv);
	json_t *request;

	if (status >= 0)
		return status;
	if (opts.off && (opts.timeout_s || opts.wait)) {
		fputs("tandem: --off goes without --timeout and --wait\n", stderr);
		return TANDEM_EXIT_USAGE;
	}
	request = json_pack("{s:s}", "call",
			    opts.off	? "drain.stop"
			    : opts.show ? "drain.show"
					: "drain.start");
	if (request && opts.timeout_s)
		json_object_set_new(request, "timeout_s", json_integer(opts.timeout_s));
	status = tandem_command_read(&opts, request, show_drain);
	return status == TANDEM_EXIT_OK && opts.wait ? wait_for_end(&opts) : status;
}

static void show_name(const json_t *doc, FILE *out, const char *word, const char *key)
{
	char buf[128];

	fprintf(out, "%s %s\n", word,
		tandem_text_clean(json_string_value(json_object_get(doc, key)), buf, sizeof(buf)));
}

static void show_blocked(const json_t *doc, FILE *out, unsigned int width)
{
	(void)width;
	show_name(doc, out, "blocked", "blocked");
}

static void show_removed(const json_t *doc, FILE *out, unsigned int width)
{
	(void)width;
	show_name(doc, out, "no longer blocked:", "removed");
}

static void show_blocks(const json_t *doc, FILE *out, unsigned int width)
{
	static const struct tandem_list_column columns[] = {
		TANDEM_TEXT("NETWORK", "network", 0),
		TANDEM_KNOWN("SECONDS LEFT", "left_s", 0),
	};
	const json_t *list = json_object_get(doc, "blocks");

	if (json_array_size(list))
		tandem_list_show(list, columns, sizeof(columns) / sizeof(columns[0]), out, width);
	else
		fputs("nothing is blocked\n", out);
}

static json_t *block_request(const char *call, const struct tandem_options *opts)
{
	json_t *request = json_pack("{s:s, s:s}", "call", call, "network", opts->argument);

	if (!request)
		fputs("tandem: the address is not valid UTF-8\n", stderr);
	return request;
}

int tandem_cmd_block_add(const struct tandem_command *cmd, int argc, char **argv)
{
	struct tandem_options opts;
	int status = tandem_options_parse(&opts, cmd, argc, argv);
	unsigned long seconds = 0;
	json_t *request;
	char *end;

	if (status >= 0)
		return status;
	if (opts.second) {
		seconds = strtoul(opts.second, &end, 10);
		if (*opts.second < '0' || *opts.second > '9' || *end || !seconds) {
			fprintf(stderr, "tandem: '%s' is not a number of seconds\n", opts.second);
			return TANDEM_EXIT_USAGE;
		}
	}
	request = block_request("block.add", &opts);
	if (request && seconds)
		json_object_set_new(request, "seconds", json_integer((json_int_t)seconds));
	return tandem_command_read(&opts, request, show_blocked);
}

int tandem_cmd_block_remove(const struct tandem_command *cmd, int argc, char **argv)
{
	struct tandem_options opts;
	int status = tandem_options_parse(&opts, cmd, argc, argv);

	return status >= 0 ? status
			   : tandem_command_read(&opts, block_request("block.remove", &opts),
						 show_removed);
}

int tandem_cmd_block_list(const struct tandem_command *cmd, int argc, char **argv)
{
	struct tandem_options opts;
	int status = tandem_options_parse(&opts, cmd, argc, argv);

	return status >= 0 ? status : tandem_command_read_again(&opts, "block.list", show_blocks);
}
