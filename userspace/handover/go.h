/* SPDX-License-Identifier: GPL-2.0-only */
/* The word that lets the other process begin, and what comes with it. */
#ifndef TANDEM_HANDOVER_GO_H
#define TANDEM_HANDOVER_GO_H

struct tandem_bequest;

/* "go\n", and behind it the data of a bequest that is not empty, with its descriptors. -errno. */
int tandem_handover_send_go(int fd, const struct tandem_bequest *bequest);

/*
 * Wait for it; bequest is empty, and then what has come. -ECONNRESET: it is another word, or the
 * end; -errno.
 */
int tandem_handover_receive_go(int fd, struct tandem_bequest *bequest);

#endif
