/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which flow has which struct fan, and which range of the array of legs (core/abi.h). A
 * fan's legs are one range; free ranges are kept in order and joined as they are given
 * back.
 */
#ifndef TANDEM_DATAPATH_FANS_H
#define TANDEM_DATAPATH_FANS_H

#include <stddef.h>
#include <stdint.h>

#define TANDEM_NO_FAN 0xffffffffU

struct tandem_fan_range {
	uint32_t first;
	uint32_t count;
};

struct tandem_fans {
	uint32_t capacity;
	struct tandem_fan_range *used; /* by fan; count 0 of one without legs */
	uint32_t *next_free;	       /* by fan; itself while it is taken */
	uint32_t free_head;
	struct tandem_fan_range *gaps; /* by first, never touching */
	size_t gap_count;
	size_t gap_room;
};

/* For so many fans and legs; either may be 0. -ENOMEM. */
int tandem_fans_init(struct tandem_fans *f, uint32_t fans, uint32_t legs);
void tandem_fans_clean(struct tandem_fans *f);

/* A fan and a range of legs, which may be empty. -ENOSPC, -ENOMEM. */
int tandem_fans_take(struct tandem_fans *f, uint32_t legs, uint32_t *fan, uint32_t *first);

/* Note a fan that is in use already. -EINVAL when it cannot be, -EEXIST, -ENOMEM. */
int tandem_fans_adopt(struct tandem_fans *f, uint32_t fan, uint32_t first, uint32_t legs);

/* The range of a fan that is taken. */
struct tandem_fan_range tandem_fans_range(const struct tandem_fans *f, uint32_t fan);

/* TANDEM_NO_FAN is let pass. */
void tandem_fans_release(struct tandem_fans *f, uint32_t fan);

#endif
