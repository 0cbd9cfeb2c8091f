/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/cli/cli.h"

#include <string.h>

#include "userspace/cli/command.h"

static int cmd_help(const struct tandem_command *cmd, int argc, char **argv);

static const struct tandem_command commands[] = {
	{ "run", NULL, "cdfT", 0, "Run the relay in the foreground.", tandem_cmd_run },
	{ "doctor", NULL, "cj", 0, "Say what this host can run, and why not the rest.",
	  tandem_cmd_doctor },
	{ "session list", NULL, "csjw", 0, "List the calls that are up.", tandem_cmd_session_list },
	{ "session show", "ID", "csj", 1, "Show one call: its flows, streams and verdict.",
	  tandem_cmd_session_show },
	{ "session end", "ID", "csj", 1, "End a call.", tandem_cmd_session_end },
	{ "session block", "ID [a|b]", "csjDMo", 1, "Block media or DTMF of a call, or of a party.",
	  tandem_cmd_session_block },
	{ "session silence", "ID [a|b]", "csjMo", 1,
	  "Put silence in place of media of a call, or of a party.", tandem_cmd_session_silence },
	{ "session listen", "ID [a|b]", "csjMo", 1,
	  "Send what is said in a call, or by a party, to who listens.",
	  tandem_cmd_session_listen },
	{ "session play", "ID [FILE]", "csjPo", 1, "Play an announcement to a call, or a party.",
	  tandem_cmd_session_play },
	{ "session dtmf", "ID [DIGITS]", "csjP", 1, "Send DTMF in place of a party.",
	  tandem_cmd_session_dtmf },
	{ "session record", "ID start|pause|stop", "csj", 2,
	  "Record a call, stop for a while, or for good.", tandem_cmd_session_record },
	{ "forward set", "FILE", "csj", 1, "Forward RTP as FILE says (JSON, - for stdin).",
	  tandem_cmd_forward_set },
	{ "forward list", NULL, "csjw", 0, "List the forwards.", tandem_cmd_forward_list },
	{ "forward show", "NAME", "csj", 1, "Show one forward: its flows, legs and streams.",
	  tandem_cmd_forward_show },
	{ "forward remove", "NAME", "csj", 1, "End a forward.", tandem_cmd_forward_remove },
	{ "registrations", NULL, "csjw", 0, "List who is registered, and where.",
	  tandem_cmd_registrations },
	{ "gateways", NULL, "csjw", 0, "List the gateways, and how they are.",
	  tandem_cmd_gateways },
	{ "cdr list", NULL, "cjnS", 0, "List call records, the last ones last.",
	  tandem_cmd_cdr_list },
	{ "cdr show", "ID|CALL-ID", "cj", 1, "Show the record of a call.", tandem_cmd_cdr_show },
	{ "block add", "NETWORK [SECONDS]", "csj", 1,
	  "Drop what comes from an address or network, for so long or for good.",
	  tandem_cmd_block_add },
	{ "block list", NULL, "csjw", 0, "List what is blocked.", tandem_cmd_block_list },
	{ "block remove", "NETWORK", "csj", 1, "Listen to it again.", tandem_cmd_block_remove },
	{ "drain", NULL, "csjtoWv", 0,
	  "Refuse new calls, and end with the last one or after --timeout.", tandem_cmd_drain },
	{ "user add", "NAME", "cm", 1, "Add a user; the password is read from stdin or asked for.",
	  tandem_cmd_user_add },
	{ "user list", NULL, "cj", 0, "List the users.", tandem_cmd_user_list },
	{ "user passwd", "NAME", "c", 1, "Set another password.", tandem_cmd_user_passwd },
	{ "user remove", "NAME", "c", 1, "Remove a user, and the user's registrations.",
	  tandem_cmd_user_remove },
	{ "inspect", "FILE", "jglx", 1, "Say what a capture has: RTP streams and SIP calls.",
	  tandem_cmd_inspect },
	{ "replay", "[OPTIONS]", "", 0,
	  "Send the RTP of a capture again, and judge what comes back. See tandem replay --help.",
	  tandem_cmd_replay },
	{ "capture", "[OPTIONS]", "", 0,
	  "Write packets of calls to a file. See tandem capture --help.", tandem_cmd_capture },
	{ "stats", NULL, "csjw", 0, "Count packets by what became of them.", tandem_cmd_stats },
	{ "bench", "[OPTIONS]", "", 0,
	  "Measure a relay: rates, latency, CPU time. See tandem bench --help.", tandem_cmd_bench },
	{ "version", NULL, "j", 0, "Print the version.", tandem_cmd_version },
	{ "help", "[COMMAND]", "", 0, "Print this list, or how to use a command.", cmd_help },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_list(FILE *out)
{
	fputs("usage: tandem COMMAND [OPTIONS]\n\n", out);
	for (size_t i = 0; i < COMMANDS; i++) {
		char name[32];

		snprintf(name, sizeof(name), "%s%s%s", commands[i].name,
			 commands[i].arguments ? " " : "",
			 commands[i].arguments ? commands[i].arguments : "");
		fprintf(out, "  %-20s %s\n", name, commands[i].help);
	}
	fputs("\n\"tandem help COMMAND\" prints its options. Reads take --json. See tandem(8).\n",
	      out);
}

/* How many words of argv name the command; 0 when they do not. */
static int matches(const struct tandem_command *cmd, int argc, char **argv)
{
	size_t first = strcspn(cmd->name, " ");

	if (argc < 1 || strlen(argv[0]) != first || strncmp(argv[0], cmd->name, first) != 0)
		return 0;
	if (!cmd->name[first])
		return 1;
	return argc > 1 && strcmp(argv[1], cmd->name + first + 1) == 0 ? 2 : 0;
}

/* For "session" alone: the list of what may follow. */
static bool print_group(int argc, char **argv, FILE *out)
{
	size_t len = argc > 0 ? strlen(argv[0]) : 0;
	bool found = false;

	for (size_t i = 0; len && i < COMMANDS; i++) {
		if (strncmp(commands[i].name, argv[0], len) != 0 || commands[i].name[len] != ' ')
			continue;
		tandem_command_usage(&commands[i], out);
		found = true;
	}
	return found;
}

static int cmd_help(const struct tandem_command *cmd, int argc, char **argv)
{
	(void)cmd;
	if (argc < 2) {
		print_list(stdout);
		return TANDEM_EXIT_OK;
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		if (matches(&commands[i], argc - 1, argv + 1)) {
			tandem_command_usage(&commands[i], stdout);
			return TANDEM_EXIT_OK;
		}
	}
	if (print_group(argc - 1, argv + 1, stdout))
		return TANDEM_EXIT_OK;
	fprintf(stderr, "tandem: there is no command %s\n", argv[1]);
	return TANDEM_EXIT_USAGE;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int tandem_cli_main(int argc, char **argv)
{
	if (argc < 2) {
		print_list(stderr);
		return TANDEM_EXIT_USAGE;
	}
	if (is_help(argv[1])) {
		print_list(stdout);
		return TANDEM_EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		puts("tandem " TANDEM_VERSION);
		return TANDEM_EXIT_OK;
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		int words = matches(&commands[i], argc - 1, argv + 1);

		if (words)
			return commands[i].fn(&commands[i], argc - words, argv + words);
	}
	if (argc == 3 && is_help(argv[2]) && print_group(1, argv + 1, stdout))
		return TANDEM_EXIT_OK;
	if (!print_group(1, argv + 1, stderr))
		fprintf(stderr, "tandem: there is no command %s; see \"tandem help\"\n", argv[1]);
	return TANDEM_EXIT_USAGE;
}
