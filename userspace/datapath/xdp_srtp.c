/* SPDX-License-Identifier: GPL-2.0-only */
/* What the program has of SRTP keys besides the keys themselves. */
#include <string.h>

#include "core/srtp_suite.h"
#include "userspace/datapath/xdp.h"

/* The program may be at the entry still: it sees by gen of the keys that they have changed. */
void tandem_xdp_srtp_set(struct tandem_datapath *dp, uint32_t index, const struct srtp_keys *keys)
{
	struct aes_schedule *schedule = &dp->schedules[2 * (size_t)index];
	const bool ours = keys && !srtp_is_aead(keys->suite);

	for (int i = 0; i < 2; i++)
		aes_schedule_set(&schedule[i], ours ? keys->session[i].key : NULL,
				 ours ? srtp_key_len(keys->suite) : 0);
}
