/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a process that ends leaves to the one that takes its place, so that what comes in between
 * waits for that: descriptors, and what says what they are. Nobody but the datapath that has
 * written it reads it, and one that makes nothing of it opens what it needs anew.
 */
#ifndef TANDEM_DATAPATH_BEQUEST_H
#define TANDEM_DATAPATH_BEQUEST_H

#include <stdint.h>

#define TANDEM_BEQUEST_FDS  72
#define TANDEM_BEQUEST_DATA 384

struct tandem_bequest {
	uint32_t fd_count;
	uint32_t len; /* of data; 0: there is nothing */
	unsigned char data[TANDEM_BEQUEST_DATA];
	int fds[TANDEM_BEQUEST_FDS]; /* owned; close-on-exec */
};

/* Close what is in it, and be empty. */
void tandem_bequest_clean(struct tandem_bequest *bequest);
/* Add a descriptor for the same as fd. -ENOSPC, -errno. */
int tandem_bequest_add(struct tandem_bequest *bequest, int fd);

#endif
