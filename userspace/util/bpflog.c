/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/util/bpflog.h"

#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

#include "userspace/util/log.h"

#define MODULE "bpf"

static int print_h(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char text[512];

	if (level == LIBBPF_DEBUG)
		return 0;
	vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\n")] = '\0';
	tandem_log(TANDEM_LOG_DEBUG, MODULE, "%s", text);
	return 0;
}

void tandem_bpf_log(void)
{
	libbpf_set_print(print_h);
}
