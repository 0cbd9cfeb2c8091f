/* SPDX-License-Identifier: GPL-2.0-only */
/* Keys of SRTP for the program, and what it has of them besides the keys themselves. */
#include <string.h>

#include "core/srtp_suite.h"
#include "userspace/datapath/srtp_sets.h"
#include "userspace/datapath/xdp.h"

/* The program may be at the entry still: it sees by gen of the keys that they have changed. */
static int srtp_h(uint32_t index, const struct srtp_keys *keys, void *arg)
{
	struct tandem_datapath *dp = arg;
	struct aes_schedule *schedule = &dp->schedules[2 * (size_t)index];
	const bool ours = keys && !srtp_is_aead(keys->suite);

	if (dp->module.used)
		return tandem_xdp_module_set(&dp->module, index, keys);
	for (int i = 0; i < 2; i++)
		aes_schedule_set(&schedule[i], ours ? keys->session[i].key : NULL,
				 ours ? srtp_key_len(keys->suite) : 0);
	return 0;
}

static void srtp_next_h(uint32_t index, void *arg)
{
	struct tandem_datapath *dp = arg;

	if (dp->module.used)
		tandem_xdp_module_set(&dp->module, index, &dp->memory.srtp_keys[index]);
}

int tandem_xdp_srtp_open(struct tandem_datapath *dp, struct tandem_srtp_sets *sets)
{
	int err;

	if (!sets)
		return 0;
	err = tandem_table_srtp_open(&dp->table, dp->memory.srtp_keys, sets, srtp_h);
	if (err)
		return err;
	dp->table.srtp_next_h = srtp_next_h;
	if (dp->module.used)
		err = tandem_xdp_module_srtp_open(dp, sets);
	else
		tandem_srtp_sets_move(sets, dp->memory.srtp_streams);
	dp->sets = sets;
	return err;
}

static bool able(const struct tandem_datapath *dp, uint32_t index)
{
	return dp->module.used || index == SRTP_NO_KEYS ||
	       !srtp_is_aead(dp->memory.srtp_keys[index].suite);
}

bool tandem_xdp_srtp_able(const struct tandem_datapath *dp, uint32_t slot)
{
	const struct tandem_slot_keys *keys;

	if (!dp->sets)
		return true;
	keys = &dp->table.slot_keys[slot];
	return able(dp, keys->in) && able(dp, keys->old) && able(dp, keys->out);
}

void tandem_xdp_srtp_close(struct tandem_datapath *dp)
{
	if (dp->sets)
		tandem_srtp_sets_move(dp->sets, NULL);
	dp->sets = NULL;
}
