/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keys of SRTP are in many places of a process: arrays, descriptions, documents, buffers of
 * libraries. So that none of it reaches a disk unnoticed, the whole process is kept from it.
 */
#ifndef TANDEM_UTIL_SECRECY_H
#define TANDEM_UTIL_SECRECY_H

#include <stdbool.h>

/*
 * To be called before there is any key: no core dump, whatever the host does with those, no
 * tracing by who has not the right to trace any process, and no page to swap. With core_dumps
 * the former are allowed, and the log says so; it does also where memory cannot be locked, for
 * which the process needs CAP_IPC_LOCK or no limit (RLIMIT_MEMLOCK).
 */
void tandem_secrecy(bool core_dumps);

#endif
