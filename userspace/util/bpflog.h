/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TANDEM_UTIL_BPFLOG_H
#define TANDEM_UTIL_BPFLOG_H

/* Have libbpf write to the log (level debug) what it would write to standard error. */
void tandem_bpf_log(void);

#endif
