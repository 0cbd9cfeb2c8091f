/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From what the administrator wrote to what the modules are opened with: names
 * and texts become addresses, what was left empty is taken from the host.
 */
#ifndef TANDEM_CONFIG_RESOLVE_H
#define TANDEM_CONFIG_RESOLVE_H

#include <limits.h>

#include "userspace/cluster/cluster.h"
#include "userspace/config/config.h"
#include "userspace/config/host.h"
#include "userspace/config/listen.h"
#include "userspace/datapath/datapath.h"
#include "userspace/ng/ng.h"
#include "userspace/session/session.h"

#define TANDEM_MAX_INTERFACES 64
#define TANDEM_MAX_LISTEN     64
#define TANDEM_MAX_WARNINGS   8

struct tandem_resolved {
	struct tandem_datapath_config datapath; /* strings point into cfg and names */
	struct tandem_sessions_config sessions;
	struct tandem_listen listen[TANDEM_MAX_LISTEN];
	size_t listen_count;
	struct tandem_ng_config ng;	      /* without draining */
	struct tandem_cluster_config cluster; /* node NULL: none */
	char redis_host[256];
	char warnings[TANDEM_MAX_WARNINGS][200];
	size_t warnings_count;
	char names[TANDEM_MAX_INTERFACES][IFNAMSIZ];
	const char *interfaces[TANDEM_MAX_INTERFACES]; /* into names */
	char srtp_file[PATH_MAX];
};

/*
 * Resolve cfg on host. The result points into itself and into cfg: it is neither
 * copied nor kept longer than cfg. 0, or -EINVAL with *err filled in (line 0)
 * where the two do not go together.
 */
int tandem_resolve(struct tandem_resolved *out, const struct tandem_config *cfg,
		   const struct tandem_host *host, struct tandem_config_error *err);

/* ng.c: the part of the NG protocol, once locals are known. */
void tandem_config_resolve_ng(struct tandem_resolved *out, const struct tandem_config *cfg);

/* cluster.c: the part of the cluster, the same. */
void tandem_config_resolve_cluster(struct tandem_resolved *out, const struct tandem_config *cfg);

#endif
