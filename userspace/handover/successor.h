/* SPDX-License-Identifier: GPL-2.0-only */
/* The process that comes, started by the one that goes: from the same file, as it is now. */
#ifndef TANDEM_HANDOVER_SUCCESSOR_H
#define TANDEM_HANDOVER_SUCCESSOR_H

/*
 * Start the program that this process was started from, with the same arguments and --take-over.
 * -EBUSY: there is one already; -errno. What becomes of it tandem_successor_look() says.
 */
int tandem_successor_start(void);

/* To be called now and then. One that has ended, and so has not taken over, is logged. */
void tandem_successor_look(void);

#endif
