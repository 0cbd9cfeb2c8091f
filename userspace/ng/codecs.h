/* SPDX-License-Identifier: GPL-2.0-only */
/* Take codecs out of descriptions, or put them in order, before the session sees them. */
#ifndef TANDEM_NG_CODECS_H
#define TANDEM_NG_CODECS_H

#include <stddef.h>

#include "userspace/ng/params.h"

/*
 * The description without the codecs that are not wanted; malloc'd. A media of which none would be
 * left keeps its last. -EBADMSG, -ENOMEM. *outp NULL: nothing had to be done.
 */
int tandem_ng_codecs_apply(const struct tandem_ng_codecs *codecs, const char *sdp, size_t len,
			   char **outp, size_t *out_len);

#endif
