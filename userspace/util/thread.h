/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads beside that of the event loop. */
#ifndef TANDEM_UTIL_THREAD_H
#define TANDEM_UTIL_THREAD_H

#include <pthread.h>

/* Start run(arg) in a thread that takes no signals: they are for the event loop's. 0 or a negative errno. */
int tandem_thread_start(pthread_t *thread, void *(*run)(void *arg), void *arg);

#endif
