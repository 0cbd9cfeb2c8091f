/* SPDX-License-Identifier: GPL-2.0-only */
/* The subcommands about forwards. */
#include <errno.h>
#include <string.h>

#include "userspace/cli/command.h"
#include "userspace/cli/show.h"
#include "userspace/cli/table.h"

/* A document from a file, or from stdin for "-". NULL having said what is wrong. */
static json_t *load(const char *path)
{
	bool from_stdin = strcmp(path, "-") == 0;
	json_error_t error;
	json_t *doc = NULL;
	FILE *file = from_stdin ? stdin : fopen(path, "re");

	if (!file) {
		fprintf(stderr, "tandem: %s: %s\n", path, strerror(errno));
		return NULL;
	}
	doc = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
	if (!doc)
		fprintf(stderr, "tandem: %s:%d: %s\n", from_stdin ? "stdin" : path, error.line,
			error.text);
	if (!from_stdin)
		fclose(file);
	return doc;
}

int tandem_cmd_forward_set(const struct tandem_command *cmd, int argc, char **argv)
{
	struct tandem_options opts;
	int status = tandem_options_parse(&opts, cmd, argc, argv);
	json_t *doc;

	if (status >= 0)
		return status;
	doc = load(opts.argument);
	if (!doc)
		return TANDEM_EXIT_USAGE;
	return tandem_command_read(&opts,
				   json_pack("{s:s, s:o}", "call", "forward.set", "forward", doc),
				   tandem_show_forward);
}

int tandem_cmd_forward_list(const struct tandem_command *cmd, int argc, char **argv)
{
	struct tandem_options opts;
	int status = tandem_options_parse(&opts, cmd, argc, argv);

	return status >= 0 ? status
			   : tandem_command_read_again(&opts, "forward.list", tandem_show_forwards);
}

static json_t *named_request(const char *call, const char *name)
{
	json_t *request = json_pack("{s:s, s:s}", "call", call, "name", name);

	if (!request)
		fprintf(stderr, "tandem: the name is not valid UTF-8\n");
	return request;
}

int tandem_cmd_forward_show(const struct tandem_command *cmd, int argc, char **argv)
{
	struct tandem_options opts;
	int status = tandem_options_parse(&opts, cmd, argc, argv);

	if (status >= 0)
		return status;
	return tandem_command_read(&opts, named_request("forward.show", opts.argument),
				   tandem_show_forward);
}

static void show_removed(const json_t *doc, FILE *out, unsigned int width)
{
	char buf[256];

	(void)width;
	fprintf(out, "removed %s\n",
		tandem_text_clean(json_string_value(json_object_get(doc, "removed")), buf,
				  sizeof(buf)));
}

int tandem_cmd_forward_remove(const struct tandem_command *cmd, int argc, char **argv)
{
	struct tandem_options opts;
	int status = tandem_options_parse(&opts, cmd, argc, argv);

	if (status >= 0)
		return status;
	return tandem_command_read(&opts, named_request("forward.remove", opts.argument),
				   show_removed);
}
