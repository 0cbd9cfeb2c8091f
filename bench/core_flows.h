/* SPDX-License-Identifier: GPL-2.0-only */
/* The flows that `tandem bench core` measures with. */
#ifndef TANDEM_BENCH_CORE_FLOWS_H
#define TANDEM_BENCH_CORE_FLOWS_H

#include <errno.h>

#include "userspace/datapath/table.h"

#define CORE_PORT_BASE 1024
#define CORE_PORTS     64512
#define CORE_REMOTE    0x0a4d0102 /* 10.77.1.2 */
#define CORE_CALLER    4000	  /* its port */
#define CORE_LOCAL     0x0a4e0101 /* 10.78.1.1 and on, a port for each flow */
#define CORE_CALLEE    0x0a4d0202 /* 10.77.2.2 */
#define CORE_RTP_LEN   172	  /* G.711 of 20 ms */

struct ip_addr tandem_core_mapped(uint32_t host);

/* The relay for so many flows, each packet leaving copies times. */
void tandem_core_config(struct relay_config *cfg, uint32_t flows, uint32_t copies);

/* Put them into a table made for that. 0 or a negative errno. */
int tandem_core_install(struct tandem_table *table, uint32_t flows, uint32_t copies);

#endif
