/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * SRTP by the kernel's ciphers for BPF programs of type XDP: functions of the module that they
 * can call. Keys and streams are those of a table of the module, which the program names by the
 * number that TANDEM_CMD_CONFIG_GET gives it (TANDEM_ATTR_TABLE): a frame that has been redirected,
 * and is about to leave by a device, tells no more where it came from. Keys are set by
 * TANDEM_CMD_SRTP_SET, and the relay maps the streams.
 *
 * Nothing is allocated, and nothing waits. Pointers into the packet stay valid.
 *
 * Each function returns 0; an enum reason (core/counters.def) for which the packet ends or is
 * to be punted (reason_verdict()); or
 *   -ENODEV  there is no such table (any more), or it is without SRTP
 *   -EINVAL  there are no such bytes in the linear part of the frame, or no such flags
 *   -ENOSPC  of tandem_srtp_protect(): no room behind the packet. No index was used
 *
 * The declarations are weak. A program whose calls hang on a constant that is 0 loads without
 * the module too; with a call that can be reached, it is refused then.
 */
#ifndef TANDEM_KMOD_KFUNCS_H
#define TANDEM_KMOD_KFUNCS_H

#include <linux/types.h>

#ifdef __bpf__
#define TANDEM_KFUNC __attribute__((section(".ksyms"), weak))
#else
#define TANDEM_KFUNC
#endif

struct xdp_md;

/* An RTP or RTCP packet. Header fields of RTP are read from the packet itself. */
struct tandem_srtp_packet {
	__u32 table;
	__u32 keys;  /* index of the keys; then of those that fit */
	__u32 flags; /* SRTP_J_RTCP, and of what has arrived SRTP_J_KEEP (core/srtp_job.h) */
	__u32 off;   /* from the first byte of the frame */
	__u32 len;   /* then what it has become */
};

/*
 * Could this packet be opened, as far as can be told without its tag? Changes nothing but
 * *packet, whose len is then what the plain packet will have. All that ends in a punt is here:
 * REASON_srtp_suite, REASON_rule_busy. The way to open it is to ask again, with
 * tandem_srtp_unprotect() and the struct as it was.
 */
int tandem_srtp_admit(struct xdp_md *ctx, struct tandem_srtp_packet *packet) TANDEM_KFUNC;

/*
 * Authenticate a packet, enter its index, and decipher it in place, which it is afterwards in
 * its first packet->len bytes; with SRTP_J_KEEP it stays as it is. Of what fails nothing has
 * been noted.
 */
int tandem_srtp_unprotect(struct xdp_md *ctx, struct tandem_srtp_packet *packet) TANDEM_KFUNC;

/*
 * Cipher a packet in place, and write what goes behind it: the frame must reach so far
 * (bpf_xdp_adjust_tail()), SRTP_TRAILER_MAX bytes at most.
 */
int tandem_srtp_protect(struct xdp_md *ctx, struct tandem_srtp_packet *packet) TANDEM_KFUNC;

#endif
