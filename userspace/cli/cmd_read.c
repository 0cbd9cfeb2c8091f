/* SPDX-License-Identifier: GPL-2.0-only */
/* The subcommands that ask a running relay. */
#include "userspace/cli/command.h"
#include "userspace/cli/show.h"
#include "userspace/cli/table.h"

static json_t *session_request(const char *call, const char *id)
{
	json_t *request = json_pack("{s:s, s:s}", "call", call, "id", id);

	if (!request)
		fprintf(stderr, "tandem: the id is not valid UTF-8\n");
	return request;
}

int tandem_cmd_session_list(const struct tandem_command *cmd, int argc, char **argv)
{
	struct tandem_options opts;
	int status = tandem_options_parse(&opts, cmd, argc, argv);

	return status >= 0 ? status
			   : tandem_command_read_again(&opts, "session.list", tandem_show_sessions);
}

int tandem_cmd_registrations(const struct tandem_command *cmd, int argc, char **argv)
{
	struct tandem_options opts;
	int status = tandem_options_parse(&opts, cmd, argc, argv);

	return status >= 0 ? status
			   : tandem_command_read_again(&opts, "registrations",
						       tandem_show_registrations);
}

int tandem_cmd_gateways(const struct tandem_command *cmd, int argc, char **argv)
{
	struct tandem_options opts;
	int status = tandem_options_parse(&opts, cmd, argc, argv);

	return status >= 0 ? status
			   : tandem_command_read_again(&opts, "gateways", tandem_show_gateways);
}

int tandem_cmd_stats(const struct tandem_command *cmd, int argc, char **argv)
{
	struct tandem_options opts;
	int status = tandem_options_parse(&opts, cmd, argc, argv);

	return status >= 0 ? status : tandem_command_read_again(&opts, "stats", tandem_show_stats);
}

int tandem_cmd_session_show(const struct tandem_command *cmd, int argc, char **argv)
{
	struct tandem_options opts;
	int status = tandem_options_parse(&opts, cmd, argc, argv);

	if (status >= 0)
		return status;
	return tandem_command_read(&opts, session_request("session.show", opts.argument),
				   tandem_show_session);
}

static void show_ended(const json_t *doc, FILE *out, unsigned int width)
{
	char buf[256];

	(void)width;
	fprintf(out, "ended %s\n",
		tandem_text_clean(json_string_value(json_object_get(doc, "ended")), buf,
				  sizeof(buf)));
}

int tandem_cmd_session_end(const struct tandem_command *cmd, int argc, char **argv)
{
	struct tandem_options opts;
	int status = tandem_options_parse(&opts, cmd, argc, argv);

	if (status >= 0)
		return status;
	return tandem_command_read(&opts, session_request("session.end", opts.argument),
				   show_ended);
}

int tandem_cmd_version(const struct tandem_command *cmd, int argc, char **argv)
{
	struct tandem_options opts;
	int status = tandem_options_parse(&opts, cmd, argc, argv);
	json_t *doc;

	if (status >= 0)
		return status;
	if (!opts.json) {
		puts("tandem " TANDEM_VERSION);
		return TANDEM_EXIT_OK;
	}
	doc = json_pack("{s:s}", "version", TANDEM_VERSION);
	if (doc)
		tandem_command_print_json(doc);
	json_decref(doc);
	return TANDEM_EXIT_OK;
}
