/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of libre that this folder uses: all of re.h cannot be included next to jansson.h. */
#ifndef TANDEM_CLUSTER_LIBRE_H
#define TANDEM_CLUSTER_LIBRE_H

#include <re_types.h>
#include <re_fmt.h>
#include <re_mbuf.h>
#include <re_list.h>
#include <re_sa.h>
#include <re_main.h>
#include <re_mem.h>
#include <re_sys.h>
#include <re_tcp.h>
#include <re_tls.h>
#include <re_tmr.h>

#endif
