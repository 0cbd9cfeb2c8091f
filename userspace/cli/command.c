/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/cli/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userspace/cli/table.h"
#include "userspace/control/client.h"

#define WATCH_MAX_S   3600
#define CONTACTS_MAX  100
#define TIMEOUT_MAX_S (7 * 86400)
#define LIMIT_MAX     1000000
#define MEDIA_MAX     31U

struct option_row {
	char letter;
	struct option option;
	const char *usage;
};

static const struct option_row rows[] = {
	{ 'c', { "config", required_argument, NULL, 'c' }, "[-c FILE]" },
	{ 'd',
	  { "datapath", required_argument, NULL, 'd' },
	  "[--datapath auto|xdp|kmod|dpdk|uring]" },
	{ 'f', { "fresh", no_argument, NULL, 'f' }, "[--fresh]" },
	{ 'T', { "take-over", no_argument, NULL, 'T' }, "[--take-over]" },
	{ 'm', { "max-contacts", required_argument, NULL, 'm' }, "[--max-contacts NUMBER]" },
	{ 's', { "socket", required_argument, NULL, 's' }, "[--socket PATH]" },
	{ 'w', { "watch", required_argument, NULL, 'w' }, "[--watch SECONDS]" },
	{ 't', { "timeout", required_argument, NULL, 't' }, "[--timeout SECONDS]" },
	{ 'W', { "wait", no_argument, NULL, 'W' }, "[--wait]" },
	{ 'o', { "off", no_argument, NULL, 'o' }, "[--off]" },
	{ 'v', { "show", no_argument, NULL, 'v' }, "[--show]" },
	{ 'D', { "dtmf", no_argument, NULL, 'D' }, "[--dtmf]" },
	{ 'M', { "media", required_argument, NULL, 'M' }, "[--media INDEX]" },
	{ 'P', { "party", required_argument, NULL, 'P' }, "[--party a|b]" },
	{ 'S', { "since", required_argument, NULL, 'S' }, "[--since TIME]" },
	{ 'n', { "limit", required_argument, NULL, 'n' }, "[--limit NUMBER]" },
	{ 'l', { "ladder", no_argument, NULL, 'l' }, "[--ladder]" },
	{ 'g', { "svg", required_argument, NULL, 'g' }, "[--svg DIRECTORY]" },
	{ 'x', { "rtpdump", required_argument, NULL, 'x' }, "[--rtpdump DIRECTORY]" },
	{ 'j', { "json", no_argument, NULL, 'j' }, "[--json]" },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

void tandem_command_usage(const struct tandem_command *cmd, FILE *out)
{
	fprintf(out, "usage: tandem %s%s%s", cmd->name, cmd->arguments ? " " : "",
		cmd->arguments ? cmd->arguments : "");
	for (size_t i = 0; i < ROWS; i++) {
		if (strchr(cmd->options, rows[i].letter))
			fprintf(out, " %s", rows[i].usage);
	}
	fprintf(out, "\n  %s\n", cmd->help);
}

static int usage_error(const struct tandem_command *cmd)
{
	tandem_command_usage(cmd, stderr);
	return TANDEM_EXIT_USAGE;
}

static int set_number(unsigned int *number, const char *option, const char *text, unsigned int max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || !value || value > max) {
		fprintf(stderr, "tandem: --%s: '%s' is not a number from 1 to %u\n", option, text,
			max);
		return -EINVAL;
	}
	*number = (unsigned int)value;
	return 0;
}

static int set_datapath(struct tandem_options *opts, const char *text)
{
	static const char *const names[] = { "auto", "xdp", "kmod", "dpdk", "uring" };
	bool known = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		known |= strcmp(text, names[i]) == 0;
	if (!known) {
		fprintf(stderr,
			"tandem: --datapath: '%s' is none of auto, xdp, kmod, dpdk, uring\n", text);
		return -EINVAL;
	}
	opts->datapath = text;
	return 0;
}

/* Counted from 0, as the local API shows them. */
static int set_media(struct tandem_options *opts, const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value > MEDIA_MAX) {
		fprintf(stderr, "tandem: --media: '%s' is not a number from 0 to %u\n", text,
			MEDIA_MAX);
		return -EINVAL;
	}
	opts->media = (unsigned int)value + 1;
	return 0;
}

static int set_party(struct tandem_options *opts, const char *text)
{
	if (strcmp(text, "a") && strcmp(text, "b")) {
		fprintf(stderr,
			"tandem: --party: '%s' is neither a, the caller, nor b, the callee\n",
			text);
		return -EINVAL;
	}
	opts->party = text;
	return 0;
}

/* Where an option goes that is no more than given, or not; NULL: it is another one. */
static bool *flag_of(struct tandem_options *opts, int letter)
{
	switch (letter) {
	case 'D':
		return &opts->dtmf;
	case 'f':
		return &opts->fresh;
	case 'T':
		return &opts->take_over;
	case 'j':
		return &opts->json;
	case 'l':
		return &opts->ladder;
	case 'o':
		return &opts->off;
	case 'v':
		return &opts->show;
	case 'W':
		return &opts->wait;
	default:
		return NULL;
	}
}

/* The same for one that is a text. */
static const char **text_of(struct tandem_options *opts, int letter)
{
	switch (letter) {
	case 'c':
		return &opts->config;
	case 'g':
		return &opts->svg;
	case 'S':
		return &opts->since;
	case 's':
		return &opts->socket;
	case 'x':
		return &opts->rtpdump;
	default:
		return NULL;
	}
}

static int set_option(struct tandem_options *opts, int letter, const char *value)
{
	const char **text = text_of(opts, letter);
	bool *flag = flag_of(opts, letter);

	if (text)
		*text = value;
	if (flag)
		*flag = true;
	if (text || flag)
		return 0;
	switch (letter) {
	case 'd':
		return set_datapath(opts, value);
	case 'M':
		return set_media(opts, value);
	case 'm':
		return set_number(&opts->contacts, "max-contacts", value, CONTACTS_MAX);
	case 'n':
		return set_number(&opts->limit, "limit", value, LIMIT_MAX);
	case 'P':
		return set_party(opts, value);
	case 't':
		return set_number(&opts->timeout_s, "timeout", value, TIMEOUT_MAX_S);
	case 'w':
		return set_number(&opts->watch_s, "watch", value, WATCH_MAX_S);
	default:
		return -EINVAL;
	}
}

static void pick_options(const struct tandem_command *cmd, struct option *longs, char *shorts)
{
	size_t n = 0;

	for (size_t i = 0; i < ROWS; i++) {
		if (strchr(cmd->options, rows[i].letter))
			longs[n++] = rows[i].option;
	}
	longs[n++] = (struct option){ "help", no_argument, NULL, 'h' };
	longs[n] = (struct option){ 0 };
	strcpy(shorts, strchr(cmd->options, 'c') ? "c:h" : "h");
}

static int optional_count(const struct tandem_command *cmd)
{
	int n = 0;

	for (const char *p = cmd->arguments; p && *p; p++)
		n += *p == '[';
	return n;
}

int tandem_options_parse(struct tandem_options *opts, const struct tandem_command *cmd, int argc,
			 char **argv)
{
	struct option longs[ROWS + 2];
	char shorts[8];
	int letter, given;

	memset(opts, 0, sizeof(*opts));
	pick_options(cmd, longs, shorts);
	argv[0] = (char *)"tandem"; /* who getopt's messages come from */
	optind = 0;		    /* glibc: forget the scan of an earlier argv */
	while ((letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (letter == 'h') {
			tandem_command_usage(cmd, stdout);
			return TANDEM_EXIT_OK;
		}
		if (letter == '?' || set_option(opts, letter, optarg))
			return usage_error(cmd);
	}
	given = argc - optind;
	if (given < cmd->arguments_count || given > cmd->arguments_count + optional_count(cmd)) {
		fprintf(stderr, "tandem: %s: %s\n", cmd->name,
			given > cmd->arguments_count ? "too many arguments"
						     : "an argument is missing");
		return usage_error(cmd);
	}
	opts->argument = argv[optind];
	opts->second = given > 1 ? argv[optind + 1] : NULL;
	return -1;
}

struct tandem_config *tandem_command_config(const struct tandem_options *opts)
{
	struct tandem_config_error err;
	struct tandem_config *cfg;

	if (!tandem_config_load(&cfg, opts->config, &err))
		return cfg;
	fprintf(stderr, "tandem: %s", opts->config ? opts->config : "defaults");
	if (err.line)
		fprintf(stderr, ":%u", err.line);
	fprintf(stderr, ": %s%s%s\n", err.key, err.key[0] ? ": " : "", err.text);
	return NULL;
}

json_t *tandem_command_call(const struct tandem_options *opts, json_t *request, int *status)
{
	struct tandem_config *cfg = NULL;
	const char *path = opts->socket;
	json_t *result = NULL;
	char why[512], clean[512];
	int ret;

	*status = TANDEM_EXIT_USAGE;
	if (!path) {
		cfg = tandem_command_config(opts);
		path = cfg ? cfg->control_socket : NULL;
	}
	if (!path || !request)
		goto out;
	ret = tandem_client_call(path, request, &result, why, sizeof(why));
	*status = !ret					   ? TANDEM_EXIT_OK
		  : ret == -ENOENT || ret == -ECONNREFUSED ? TANDEM_EXIT_NO_RELAY
							   : TANDEM_EXIT_FAILURE;
	if (ret)
		fprintf(stderr, "tandem: %s\n", tandem_text_clean(why, clean, sizeof(clean)));
out:
	json_decref(request);
	tandem_config_free(cfg);
	return result;
}

void tandem_command_print_json(const json_t *doc)
{
	json_dumpf(doc, stdout, JSON_COMPACT | JSON_REAL_PRECISION(12));
	putchar('\n');
	fflush(stdout);
}

int tandem_command_read(const struct tandem_options *opts, json_t *request, tandem_show_h *show)
{
	int status;
	json_t *doc = tandem_command_call(opts, request, &status);

	if (!doc)
		return status;
	if (opts->watch_s && !opts->json && isatty(STDOUT_FILENO))
		fputs("\033[H\033[J", stdout);
	if (opts->json)
		tandem_command_print_json(doc);
	else
		show(doc, stdout, tandem_terminal_width());
	fflush(stdout);
	json_decref(doc);
	return ferror(stdout) ? TANDEM_EXIT_FAILURE : TANDEM_EXIT_OK;
}

int tandem_command_read_again(const struct tandem_options *opts, const char *call,
			      tandem_show_h *show)
{
	int status = tandem_command_read(opts, json_pack("{s:s}", "call", call), show);

	while (opts->watch_s && status == TANDEM_EXIT_OK) {
		sleep(opts->watch_s);
		status = tandem_command_read(opts, json_pack("{s:s}", "call", call), show);
	}
	return status;
}
