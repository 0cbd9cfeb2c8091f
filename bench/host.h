/* SPDX-License-Identifier: GPL-2.0-only */
/* What the numbers were taken on. */
#ifndef TANDEM_BENCH_HOST_H
#define TANDEM_BENCH_HOST_H

#include <jansson.h>

/* Kernel, processor, CPUs, load average: a new reference. */
json_t *tandem_bench_host(void);

#endif
