/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of the XDP loader that has the program's SRTP done by the kernel module, where there is
 * one that BPF programs can call (kmod/kfuncs.h): all suites, by the kernel's ciphers. Keys are in
 * the module as well as in the maps then, and the streams are the module's memory, which all
 * datapaths of the plane use. Maps that are for SRTP in the program itself have one entry: by
 * that the next run tells who has the streams of the calls that it takes over.
 */
#ifndef TANDEM_DATAPATH_XDP_MODULE_H
#define TANDEM_DATAPATH_XDP_MODULE_H

#include <stdbool.h>
#include <stddef.h>

#include "userspace/datapath/datapath.h"
#include "userspace/datapath/genl.h"
#include "userspace/datapath/kmod_srtp.h"

struct relay_module_bpf;

struct tandem_xdp_module {
	bool used;
	bool configured; /* by this run */
	char why[128];	 /* the module is there and not used; else "" */
	struct tandem_genl genl;
	int lock_fd;
	struct tandem_kmod_srtp srtp;
	struct relay_module_bpf *skel;
	int error; /* the first of this change */
};

/* Before anything else. Changes nothing on the host. */
void tandem_xdp_module_init(struct tandem_xdp_module *m);

/*
 * Is the module there, can it be called, and is it no other relay's? Sets used or why. With no
 * SRTP (srtp is false) it is not looked for.
 */
void tandem_xdp_module_find(struct tandem_xdp_module *m, bool srtp);

/* It is not used after all, for this reason. What this run has configured is forgotten. */
void tandem_xdp_module_give_up(struct tandem_xdp_module *m, const char *why);

/*
 * Once the maps are loaded: configure the module for keys alone, and load the programs that call it.
 * With fresh, what an earlier run has left there goes. 0, or a negative errno and why.
 */
int tandem_xdp_module_load(struct tandem_datapath *dp, const struct relay_config *relay, bool fresh,
			   char *why, size_t why_size);

/* The programs; their file descriptors stay the module's. */
int tandem_xdp_module_relay_fd(const struct tandem_xdp_module *m);
int tandem_xdp_module_copy_fd(const struct tandem_xdp_module *m);

/*
 * The streams in place of those that the sets have. -ESTALE: the module has not the keys that the
 * maps, an earlier run's, have.
 */
int tandem_xdp_module_srtp_open(struct tandem_datapath *dp, struct tandem_srtp_sets *sets);

/* Write keys there; NULL: wipe them. 0 or a negative errno. */
int tandem_xdp_module_set(struct tandem_xdp_module *m, uint32_t index,
			  const struct srtp_keys *keys);

/* Once the table is gone; also of what was not opened, or in part. Not keep: the module forgets all. */
void tandem_xdp_module_close(struct tandem_xdp_module *m, bool keep);

/* For doctor: who would do SRTP; NULL: there is no module. */
const char *tandem_xdp_module_probe(void);

#endif
