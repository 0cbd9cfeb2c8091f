/* SPDX-License-Identifier: GPL-2.0-only */
/* Where records go as lines of JSON: a file, stdout or syslog. Used by one thread. */
#ifndef TANDEM_CDR_SINK_H
#define TANDEM_CDR_SINK_H

#include <stddef.h>

#include "userspace/cdr/spool.h"

struct tandem_cdr_sink;

/* where: "stdout", "syslog" or a path. -ENOMEM. A file is opened at the first write. */
int tandem_cdr_sink_alloc(struct tandem_cdr_sink **sp, const char *where);
void tandem_cdr_sink_free(struct tandem_cdr_sink *s);

/* Open the file anew at the next write, as is done when it was renamed. From any thread. */
void tandem_cdr_sink_reopen(struct tandem_cdr_sink *s);

/*
 * A tandem_spool_write_h; arg is a sink. Each text is a line. Of a batch that a file has no
 * room for nothing stays there.
 */
int tandem_cdr_sink_write(const struct tandem_spool_item *first, char *why, size_t why_size,
			  void *arg);

#endif
