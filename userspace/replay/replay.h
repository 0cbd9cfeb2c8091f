/* SPDX-License-Identifier: GPL-2.0-only */
/* Sending the RTP of a capture again, `tandem replay`. docs/replay.md tells how. */
#ifndef TANDEM_REPLAY_H
#define TANDEM_REPLAY_H

/*
 * Run it with the arguments of the command (argv[0] is ignored). Returns what to exit with: 0; 1 when
 * something failed, or what came back is not what was expected; 2 for wrong arguments.
 */
int tandem_replay_main(int argc, char **argv);

#endif
