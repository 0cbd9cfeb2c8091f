/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of libre that tandem uses, one by one: all of re.h cannot be included
 * next to jansson.h, both name an enumerator JSON_STRING.
 */
#ifndef TANDEM_SIP_LIBRE_H
#define TANDEM_SIP_LIBRE_H

#include <re_types.h>
#include <re_fmt.h>
#include <re_mbuf.h>
#include <re_msg.h>
#include <re_list.h>
#include <re_sa.h>
#include <re_uri.h>
#include <re_dns.h>
#include <re_hash.h>
#include <re_hmac.h>
#include <re_main.h>
#include <re_mem.h>
#include <re_net.h>
#include <re_sip.h>
#include <re_sys.h>
#include <re_tmr.h>

#endif
