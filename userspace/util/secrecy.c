/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/util/secrecy.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "userspace/util/log.h"

#define MODULE "run"

static bool has_cap(unsigned int cap)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return !syscall(SYS_capget, &header, data) &&
	       data[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap);
}

/*
 * With a limit the next allocation beyond it would fail, so it is all or nothing. Pages are
 * locked as they are touched: most of the arrays never are.
 */
static int lock_memory(void)
{
	struct rlimit limit;

	if (!has_cap(CAP_IPC_LOCK)) {
		if (getrlimit(RLIMIT_MEMLOCK, &limit))
			return -errno;
		if (has_cap(CAP_SYS_RESOURCE))
			limit.rlim_max = RLIM_INFINITY;
		limit.rlim_cur = limit.rlim_max;
		if (limit.rlim_max != RLIM_INFINITY || setrlimit(RLIMIT_MEMLOCK, &limit))
			return -EPERM;
	}
	return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) ? -errno : 0;
}

void tandem_secrecy(bool core_dumps)
{
	int err = 0;

	if (core_dumps)
		tandem_log(TANDEM_LOG_WARNING, MODULE,
			   "core_dumps: a core dump of this process has keys of calls in it");
	else if (prctl(PR_SET_DUMPABLE, 0))
		err = -errno;
	if (err)
		tandem_log(TANDEM_LOG_WARNING, MODULE, "core dumps are not off: %s",
			   strerror(-err));
	err = lock_memory();
	if (err)
		tandem_log(TANDEM_LOG_WARNING, MODULE,
			   "memory is not locked: %s; keys of calls may get to swap",
			   strerror(-err));
}
