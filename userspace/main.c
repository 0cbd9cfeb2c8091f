/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/cli/cli.h"

int main(int argc, char **argv)
{
	return tandem_cli_main(argc, argv);
}
