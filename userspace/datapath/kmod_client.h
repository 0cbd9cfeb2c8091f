/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel module as its users have it in common: the datapath of that name (kmod.c), and XDP when
 * it has its SRTP done there (xdp_module.c).
 */
#ifndef TANDEM_DATAPATH_KMOD_CLIENT_H
#define TANDEM_DATAPATH_KMOD_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "core/abi.h"
#include "userspace/datapath/genl.h"

/*
 * Open the module's netlink family, for tandem_genl_close(). -ENOENT: there is no module;
 * -EPROTONOSUPPORT: it is of another version. why then says so, or is another errno's text, and
 * nothing is open.
 */
int tandem_kmod_connect(struct tandem_genl *genl, char *why, size_t why_size);

/*
 * Keep other relays off the module in this network namespace, as long as *fd is open; it is to be
 * closed after an error, too, where it is not negative. -EADDRINUSE: one is there, which why says.
 */
int tandem_kmod_lock(int *fd, char *why, size_t why_size);

/* A command without attributes. 0 or a negative errno. */
int tandem_kmod_command(struct tandem_genl *genl, uint8_t cmd);

/*
 * Configure the module. The same as it has changes nothing. 0, or a negative errno and why; -EBUSY:
 * it has flows, or keys, of another configuration.
 */
int tandem_kmod_configure(struct tandem_genl *genl, const struct relay_config *relay,
			  uint32_t stream_capacity, char *why, size_t why_size);

/* In words, for an error of a command. */
const char *tandem_kmod_why(int err);

#endif
