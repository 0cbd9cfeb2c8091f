/* SPDX-License-Identifier: GPL-2.0-only */
/* The subcommands that block media of a call, silence it, or have it listened to. */
#include <string.h>

#include "userspace/cli/command.h"
#include "userspace/cli/fields.h"
#include "userspace/cli/table.h"

static void show_party(const json_t *media, const char *party, FILE *out)
{
	const json_t *leg = json_object_get(media, party);
	const char *how = json_is_true(json_object_get(leg, "blocked"))	   ? "blocked"
			  : json_is_true(json_object_get(leg, "silenced")) ? "silenced"
									   : "passes";
	char type[32];

	fprintf(out, "%lld %s from %s: %s%s%s\n",
		(long long)json_integer_value(json_object_get(media, "index")),
		tandem_text_clean(tandem_field_text(media, "type"), type, sizeof(type)), party, how,
		json_is_true(json_object_get(leg, "dtmf_blocked")) ? ", DTMF blocked" : "",
		json_is_true(json_object_get(leg, "forwarded")) ? ", listened to" : "");
}

static void show_media(const json_t *doc, FILE *out, unsigned int width)
{
	const json_t *media;
	size_t i;

	(void)width;
	json_array_foreach (json_object_get(doc, "media"), i, media) {
		show_party(media, "a", out);
		show_party(media, "b", out);
	}
	if (json_is_true(json_object_get(doc, "partly")))
		fputs("some of it has no silence of its codec, and is dropped\n", out);
}

static int act(const struct tandem_command *cmd, int argc, char **argv, const char *call)
{
	struct tandem_options opts;
	int status = tandem_options_parse(&opts, cmd, argc, argv);
	json_t *request;

	if (status >= 0)
		return status;
	if (opts.second && strcmp(opts.second, "a") && strcmp(opts.second, "b")) {
		fprintf(stderr, "tandem: '%s' is neither a, the caller, nor b, the callee\n",
			opts.second);
		return TANDEM_EXIT_USAGE;
	}
	request = json_pack("{s:s, s:s, s:b}", "call", call, "id", opts.argument, "off", opts.off);
	if (!request)
		fputs("tandem: the id is not valid UTF-8\n", stderr);
	if (request && opts.second)
		json_object_set_new(request, "party", json_string(opts.second));
	if (request && opts.media)
		json_object_set_new(request, "media", json_integer(opts.media - 1));
	if (request && opts.dtmf)
		json_object_set_new(request, "what", json_string("dtmf"));
	return tandem_command_read(&opts, request, show_media);
}

int tandem_cmd_session_block(const struct tandem_command *cmd, int argc, char **argv)
{
	return act(cmd, argc, argv, "session.block");
}

int tandem_cmd_session_silence(const struct tandem_command *cmd, int argc, char **argv)
{
	return act(cmd, argc, argv, "session.silence");
}

int tandem_cmd_session_listen(const struct tandem_command *cmd, int argc, char **argv)
{
	return act(cmd, argc, argv, "session.listen");
}
