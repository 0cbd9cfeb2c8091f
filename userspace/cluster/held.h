/* SPDX-License-Identifier: GPL-2.0-only */
/* Which addresses this host has, and word when they change. Private to userspace/cluster. */
#ifndef TANDEM_CLUSTER_HELD_H
#define TANDEM_CLUSTER_HELD_H

#include <stdbool.h>
#include <stddef.h>

#include "userspace/util/endpoint.h"

/* A netlink socket that becomes readable when addresses or devices change; or a negative errno. */
int tandem_held_open(void);
/* Take what is there to be read. */
void tandem_held_drain(int fd);

/* Which of n addresses are on interfaces that are up. A negative errno: not known. */
int tandem_held_read(const struct ip_addr *const *addresses, bool *held, size_t n);

#endif
