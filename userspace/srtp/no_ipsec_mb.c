/* SPDX-License-Identifier: GPL-2.0-only */
/* In the place of ipsec_mb.c where that library is not installed. */
#include "userspace/srtp/backend.h"

const struct tandem_cipher_backend *tandem_ipsec_mb(void)
{
	return NULL;
}

const struct tandem_lanes_backend *tandem_ipsec_mb_lanes(void)
{
	return NULL;
}
