/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What SQLite has appended to its log (WAL) has to be put into the database now and then, and that
 * waits for the disk. The event loop does not: a thread does it, by a connection of its own.
 */
#ifndef TANDEM_STORE_CHECKPOINT_H
#define TANDEM_STORE_CHECKPOINT_H

#include <sqlite3.h>

struct tandem_checkpoint;

/* Take charge of the log of db, a file. The thread begins when there is something to do. -ENOMEM. */
int tandem_checkpoint_open(struct tandem_checkpoint **cpp, sqlite3 *db);
/* To be called before db is closed. NULL is ignored. */
void tandem_checkpoint_close(struct tandem_checkpoint *cp);

#endif
