/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "userspace/cli/command.h"
#include "userspace/run.h"

static int replace(char **text, const char *with)
{
	char *copy = strdup(with);

	if (!copy)
		return -ENOMEM;
	free(*text);
	*text = copy;
	return 0;
}

int tandem_cmd_run(const struct tandem_command *cmd, int argc, char **argv)
{
	struct tandem_options opts;
	struct tandem_config *cfg;
	int ret = tandem_options_parse(&opts, cmd, argc, argv);

	if (ret >= 0)
		return ret;
	if (opts.fresh && opts.take_over) {
		fprintf(stderr, "tandem: --fresh and --take-over exclude each other\n");
		return TANDEM_EXIT_USAGE;
	}
	cfg = tandem_command_config(&opts);
	if (!cfg)
		return TANDEM_EXIT_USAGE;
	ret = opts.datapath ? replace(&cfg->datapath, opts.datapath) : 0;
	if (!ret)
		ret = tandem_run(cfg, opts.fresh, opts.take_over);
	tandem_config_free(cfg);
	if (!ret)
		return TANDEM_EXIT_OK;
	return ret == -EINVAL ? TANDEM_EXIT_USAGE : TANDEM_EXIT_FAILURE;
}
