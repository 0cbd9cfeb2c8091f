// SPDX-License-Identifier: GPL-2.0-only
/* Not a module to load: it exists to be compiled with the kernel's flags. See Kbuild. */
#include <linux/module.h>

#include "core/forward.h"

__u32 core_check_frame(struct env *env);
__u32 core_check_datagram(struct env *env, const struct flow_key *key, void *payload, __u32 len);

__u32 core_check_frame(struct env *env)
{
	__u32 ifindex;

	return relay_frame(env, &ifindex);
}

__u32 core_check_datagram(struct env *env, const struct flow_key *key, void *payload, __u32 len)
{
	struct plan plan;

	return relay_datagram(env, key, payload, len, &plan);
}

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("compile check of the forwarding core");
