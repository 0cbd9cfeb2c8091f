/* SPDX-License-Identifier: GPL-2.0-only */
#include "bench/bench.h"
#include "userspace/cli/command.h"

int tandem_cmd_bench(const struct tandem_command *cmd, int argc, char **argv)
{
	(void)cmd;
	return tandem_bench_main(argc, argv);
}
