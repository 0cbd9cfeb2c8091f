/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/datapath/holds.h"

#include <errno.h>
#include <stdlib.h>

#define ROOM 64

static int hold(struct tandem_holds *holds, struct tandem_srtp_sets *sets,
		const struct tandem_srtp *set)
{
	size_t room = holds->room ? 2 * holds->room : ROOM;
	uint32_t *more;

	if (!set)
		return 0;
	if (holds->count == holds->room) {
		more = realloc(holds->index, room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		holds->index = more;
		holds->room = room;
	}
	if (tandem_srtp_sets_hold(sets, set->id, &holds->index[holds->count]))
		holds->count++;
	return 0;
}

static int hold_all(struct tandem_holds *holds, struct tandem_srtp_sets *sets,
		    const struct tandem_flow_spec *spec)
{
	int err = hold(holds, sets, spec->srtp_in);

	if (!err)
		err = hold(holds, sets, spec->srtp_in_old);
	if (!err)
		err = hold(holds, sets, spec->srtp_out);
	for (uint32_t i = 0; spec->fan && i < spec->fan->key_count && !err; i++)
		err = hold(holds, sets, &spec->fan->keys[i]);
	return err;
}

int tandem_holds_take(struct tandem_holds *holds, struct tandem_srtp_sets *sets,
		      const struct tandem_change *changes, size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		if (changes[i].op == TANDEM_FLOW_SET)
			err = hold_all(holds, sets, &changes[i].spec);
	}
	if (err)
		tandem_holds_release(holds, sets);
	return err;
}

void tandem_holds_release(struct tandem_holds *holds, struct tandem_srtp_sets *sets)
{
	while (holds->count)
		tandem_srtp_sets_put(sets, holds->index[--holds->count]);
}

void tandem_holds_clean(struct tandem_holds *holds)
{
	free(holds->index);
	*holds = (struct tandem_holds){ 0 };
}
