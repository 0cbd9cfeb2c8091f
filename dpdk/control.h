/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The worker's end of userspace/datapath/dpdk_wire.h: a controller tells the rules and
 * reads the statistics. When it goes, everything stays as it is for the next one.
 */
#ifndef TANDEM_DPDK_CONTROL_H
#define TANDEM_DPDK_CONTROL_H

#include "dpdk/worker.h"

struct dpdk_control;

/* Listen at path; -EADDRINUSE when another worker answers there. */
int dpdk_control_open(struct dpdk_control **controlp, const char *path, struct dpdk_relay *relay);
void dpdk_control_close(struct dpdk_control *control);

/* Serve until relay->quit is set. */
void dpdk_control_run(struct dpdk_control *control);

#endif
