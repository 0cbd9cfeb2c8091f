/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A relay that someone else has set up, sent to by the XDP generator and received from by the
 * XDP sink (wire.bpf.c), on devices of the namespace this process is in. IPv4; all flows leave
 * by one device to one neighbour, and arrive at one device.
 */
#ifndef TANDEM_BENCH_TARGET_XDP_H
#define TANDEM_BENCH_TARGET_XDP_H

#include "bench/options.h"
#include "bench/wirerun.h"

struct target_xdp;

/*
 * Find devices and neighbour of the flows that the options name, and attach to the devices until
 * the target is closed, or this process has ended. Says what is wrong: -EINVAL, flows that make
 * no sense; -EAFNOSUPPORT, IPv6; -EXDEV, more than one way; -EHOSTUNREACH, a neighbour that
 * does not answer; -ENODEV; -EBUSY, a device that has an XDP program; or another errno.
 */
int tandem_target_xdp_open(struct target_xdp **targetp, const struct bench_options *opts);
void tandem_target_xdp_close(struct target_xdp *target);

uint32_t tandem_target_xdp_flows(const struct target_xdp *target);

/* What to make trials with, packets of size octets of UDP payload. NULL: no such size, or no memory. */
struct wire *tandem_target_xdp_aim(struct target_xdp *target, uint32_t size);

#endif
