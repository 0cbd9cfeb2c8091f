/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line: one program, its subcommands in one table. */
#ifndef TANDEM_CLI_CLI_H
#define TANDEM_CLI_CLI_H

#include <stdio.h>

/* What the program exits with; tandem(8) promises these. */
enum tandem_exit {
	TANDEM_EXIT_OK = 0,
	TANDEM_EXIT_FAILURE = 1,  /* it was tried and failed */
	TANDEM_EXIT_USAGE = 2,	  /* wrong arguments, or a wrong configuration file */
	TANDEM_EXIT_NO_RELAY = 3, /* no relay is running */
};

/* Run the subcommand that argv names; returns what to exit with. */
int tandem_cli_main(int argc, char **argv);

#endif
