/* SPDX-License-Identifier: GPL-2.0-only */
/* What the subcommands share. Private to userspace/cli. */
#ifndef TANDEM_CLI_COMMAND_H
#define TANDEM_CLI_COMMAND_H

#include <jansson.h>
#include <stdbool.h>

#include "userspace/cli/cli.h"
#include "userspace/config/config.h"

struct tandem_command {
	const char *name; /* "session list" */
	const char *arguments;
	const char *options; /* letters of the options it takes; see struct tandem_options */
	int arguments_count; /* those in brackets may follow */
	const char *help;    /* one line */
	int (*fn)(const struct tandem_command *cmd, int argc, char **argv);
};

struct tandem_options {
	const char *config;	/* c: -c, --config FILE */
	const char *datapath;	/* d: --datapath NAME */
	bool fresh;		/* f: --fresh */
	bool take_over;		/* T: --take-over */
	bool json;		/* j: --json */
	const char *socket;	/* s: --socket PATH */
	unsigned int contacts;	/* m: --max-contacts NUMBER; 0: not given */
	unsigned int watch_s;	/* w: --watch SECONDS; 0: once */
	unsigned int timeout_s; /* t: --timeout SECONDS; 0: not given */
	bool off;		/* o: --off */
	bool wait;		/* W: --wait */
	bool show;		/* v: --show */
	const char *since;	/* S: --since TIME */
	unsigned int limit;	/* n: --limit NUMBER; 0: not given */
	bool dtmf;		/* D: --dtmf */
	unsigned int media;	/* M: --media INDEX, and one; 0: not given */
	const char *party;	/* P: --party a|b */
	bool ladder;		/* l: --ladder */
	const char *svg;	/* g: --svg DIRECTORY */
	const char *rtpdump;	/* x: --rtpdump DIRECTORY */
	const char *argument;	/* the operand, where the command takes one */
	const char *second;	/* one that may be left out; NULL then */
};

/*
 * Parse argv of cmd (argv[0] is its name). Returns -1 to go on, or what to exit
 * with: the arguments are wrong, or --help was asked for and given.
 */
int tandem_options_parse(struct tandem_options *opts, const struct tandem_command *cmd, int argc,
			 char **argv);

/* "usage: tandem session show ID [--json] ..." and the help line. */
void tandem_command_usage(const struct tandem_command *cmd, FILE *out);

/* Load the file of opts, or the defaults; says what is wrong. NULL: could not. */
struct tandem_config *tandem_command_config(const struct tandem_options *opts);

/*
 * Call the running relay. Takes over request. Returns the result as a new
 * reference, or NULL having said why, with *status what to exit with.
 */
json_t *tandem_command_call(const struct tandem_options *opts, json_t *request, int *status);

typedef void(tandem_show_h)(const json_t *doc, FILE *out, unsigned int width);

/* Call, and print what comes: as JSON, or by the handler. Takes over request. Exit code. */
int tandem_command_read(const struct tandem_options *opts, json_t *request, tandem_show_h *show);

/* The same for a call without parameters; with --watch until it fails or is interrupted. */
int tandem_command_read_again(const struct tandem_options *opts, const char *call,
			      tandem_show_h *show);

/* One JSON document on one line of stdout. */
void tandem_command_print_json(const json_t *doc);

int tandem_cmd_run(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_doctor(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_session_list(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_session_show(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_session_play(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_session_dtmf(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_session_record(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_session_block(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_session_silence(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_session_listen(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_session_end(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_forward_set(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_forward_list(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_forward_show(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_forward_remove(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_gateways(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_registrations(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_user_add(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_user_list(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_user_passwd(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_user_remove(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_stats(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_bench(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_inspect(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_replay(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_capture(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_cdr_list(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_cdr_show(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_block_add(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_block_list(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_block_remove(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_drain(const struct tandem_command *cmd, int argc, char **argv);
int tandem_cmd_version(const struct tandem_command *cmd, int argc, char **argv);

#endif
