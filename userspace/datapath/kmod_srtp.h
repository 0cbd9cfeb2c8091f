/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SRTP in the kernel module, for its datapath and for XDP programs that call it: keys go down by
 * netlink, the streams are the module's memory, mapped (/dev/tandem), and all datapaths of the plane
 * use it.
 */
#ifndef TANDEM_DATAPATH_KMOD_SRTP_H
#define TANDEM_DATAPATH_KMOD_SRTP_H

#include <stddef.h>

#include "core/abi.h"
#include "userspace/datapath/genl.h"
#include "userspace/datapath/srtp_sets.h"

struct tandem_kmod_srtp {
	int fd; /* of the device; -1: not open */
	struct tandem_srtp_sets *sets;
	struct srtp_keys *keys; /* as the module has them, */
	uint32_t count;		/* so many */
	void *map;
	size_t map_size;
};

/* Open the device. 0 or a negative errno. */
int tandem_kmod_srtp_device(struct tandem_kmod_srtp *srtp);

/*
 * Once the module is configured: its keys, and its streams in place of those that the sets
 * have. 0 or a negative errno.
 */
int tandem_kmod_srtp_open(struct tandem_kmod_srtp *srtp, struct tandem_genl *genl,
			  const struct relay_config *relay, struct tandem_srtp_sets *sets);

/* Also of what is not open, or in part. The module keeps what it has. */
void tandem_kmod_srtp_close(struct tandem_kmod_srtp *srtp);

/* Set keys in the module; NULL: wipe them. 0 or a negative errno. */
int tandem_kmod_srtp_send(struct tandem_genl *genl, uint32_t index, const struct srtp_keys *keys);

#endif
