/* SPDX-License-Identifier: GPL-2.0-only */
/* The relay benchmark, `tandem bench`. docs/benchmark.md has the method. */
#ifndef TANDEM_BENCH_H
#define TANDEM_BENCH_H

/*
 * Run it with the arguments of the command (argv[0] is ignored). Returns what to exit
 * with: 0; 1 when something failed; 2 for wrong arguments.
 */
int tandem_bench_main(int argc, char **argv);

#endif
