/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/cli/command.h"
#include "userspace/replay/replay.h"

int tandem_cmd_replay(const struct tandem_command *cmd, int argc, char **argv)
{
	(void)cmd;
	return tandem_replay_main(argc, argv);
}
