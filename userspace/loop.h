/* SPDX-License-Identifier: GPL-2.0-only */
/* The controller's event loop, which is libre's: descriptors, one tick, an end by signal. */
#ifndef TANDEM_LOOP_H
#define TANDEM_LOOP_H

#include <stdint.h>

struct tandem_loop;

typedef void(tandem_loop_h)(void *arg);

/* Set up libre; one loop per process. Everything that uses libre comes after it. */
int tandem_loop_open(struct tandem_loop **loopp);
/* Everything that uses libre must be gone. */
void tandem_loop_close(struct tandem_loop *loop);

/* Call h while fd is readable. fd stays the caller's and is open until tandem_loop_forget(). */
int tandem_loop_watch(struct tandem_loop *loop, int fd, tandem_loop_h *h, void *arg);

/* Stop watching and ticking; to be called before what is watched is closed. */
void tandem_loop_forget(struct tandem_loop *loop);

/* Call h every ms milliseconds; one such handler per loop. */
void tandem_loop_every(struct tandem_loop *loop, uint32_t ms, tandem_loop_h *h, void *arg);

/* Have tandem_loop_run() return 0; from within one of its handlers. */
void tandem_loop_stop(struct tandem_loop *loop);

/* Run until SIGINT or SIGTERM; returns that signal, or a negative errno. */
int tandem_loop_run(struct tandem_loop *loop);

#endif
