/* SPDX-License-Identifier: GPL-2.0-only */
/* The subcommands that have parties of a call hear something of the relay itself, or record them. */
#include <string.h>

#include "userspace/cli/command.h"

static void show_play(const json_t *doc, FILE *out, unsigned int width)
{
	const json_t *duration = json_object_get(doc, "duration_ms");
	const json_t *frame = json_object_get(doc, "frame");

	(void)width;
	if (json_is_integer(duration))
		fprintf(out, "it plays, for %.1f s\n", (double)json_integer_value(duration) / 1000);
	else if (duration)
		fputs("it plays\n", out);
	else if (json_is_integer(frame))
		fprintf(out, "stopped at frame %lld\n", (long long)json_integer_value(frame));
	else
		fputs("nothing was playing\n", out);
}

int tandem_cmd_session_play(const struct tandem_command *cmd, int argc, char **argv)
{
	struct tandem_options opts;
	int status = tandem_options_parse(&opts, cmd, argc, argv);
	json_t *request;

	if (status >= 0)
		return status;
	if (opts.off != !opts.second) {
		fputs("tandem: either a FILE to play, or --off\n", stderr);
		return TANDEM_EXIT_USAGE;
	}
	request = json_pack("{s:s, s:s, s:s*, s:s*}", "call",
			    opts.off ? "session.play_stop" : "session.play", "id", opts.argument,
			    "file", opts.second, "party", opts.party);
	if (!request)
		fputs("tandem: the id or the file is not valid UTF-8\n", stderr);
	return tandem_command_read(&opts, request, show_play);
}

static void show_digits(const json_t *doc, FILE *out, unsigned int width)
{
	const char *digits = json_string_value(json_object_get(doc, "digits"));

	(void)width;
	fprintf(out, "%zu digits are sent\n", digits ? strlen(digits) : 0);
}

int tandem_cmd_session_dtmf(const struct tandem_command *cmd, int argc, char **argv)
{
	struct tandem_options opts;
	int status = tandem_options_parse(&opts, cmd, argc, argv);
	json_t *request;

	if (status >= 0)
		return status;
	if (!opts.second || !opts.party) {
		fputs("tandem: DIGITS and --party are needed\n", stderr);
		return TANDEM_EXIT_USAGE;
	}
	request = json_pack("{s:s, s:s, s:s, s:s}", "call", "session.dtmf", "id", opts.argument,
			    "digits", opts.second, "party", opts.party);
	if (!request)
		fputs("tandem: the id or the digits are not valid UTF-8\n", stderr);
	return tandem_command_read(&opts, request, show_digits);
}

static void show_record(const json_t *doc, FILE *out, unsigned int width)
{
	const char *action = json_string_value(json_object_get(doc, "action"));

	(void)width;
	fprintf(out, "recording: %s\n", action ? action : "");
}

int tandem_cmd_session_record(const struct tandem_command *cmd, int argc, char **argv)
{
	struct tandem_options opts;
	int status = tandem_options_parse(&opts, cmd, argc, argv);
	json_t *request;

	if (status >= 0)
		return status;
	request = json_pack("{s:s, s:s, s:s}", "call", "session.record", "id", opts.argument,
			    "action", opts.second);
	if (!request)
		fputs("tandem: the id is not valid UTF-8\n", stderr);
	return tandem_command_read(&opts, request, show_record);
}
