/* SPDX-License-Identifier: GPL-2.0-only */
/* Which log lines are written when there are too many. Private to the log; any thread. */
#ifndef TANDEM_UTIL_LOG_FLOOD_H
#define TANDEM_UTIL_LOG_FLOOD_H

#include <stdbool.h>

/* Lines that were held back: how many, and the last of them. */
struct tandem_log_sum {
	int level;
	const char *module;
	unsigned int count;
	char text[192];
};
typedef void(tandem_log_sum_h)(const struct tandem_log_sum *sum, void *arg);

/*
 * May this line be written? Of equal ones 5 in 10 s, of those with the same fmt 100 in 1 s. h
 * is told of earlier ones that were held back, when their time is over. module and fmt must
 * stay; they are literals.
 */
bool tandem_log_flood_admit(int level, const char *module, const char *fmt, const char *text,
			    tandem_log_sum_h *h, void *arg);

/* Tell h of all that were held back and whose time is over. */
void tandem_log_flood_tick(tandem_log_sum_h *h, void *arg);

#endif
