/* SPDX-License-Identifier: GPL-2.0-only */
/* Any bytes as a configuration file: it loads, or it fails with words. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "userspace/config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tandem_config_error err;
	struct tandem_config *cfg;
	int fd = memfd_create("config", MFD_CLOEXEC);
	char path[32];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (tandem_config_load(&cfg, path, &err)) {
		if (cfg || !err.text[0])
			abort();
	} else if (cfg->media.port_min > cfg->media.port_max || !cfg->control_socket) {
		abort();
	}
	tandem_config_free(cfg);
	close(fd);
	return 0;
}
