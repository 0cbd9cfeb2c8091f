/* SPDX-License-Identifier: GPL-2.0-only */
/* Want of memory: one of the allocations that libre makes, and that are made by libre, fails. */
#ifndef TANDEM_TESTS_POOR_H
#define TANDEM_TESTS_POOR_H

#include <dlfcn.h>
#include <stddef.h>

#include "userspace/sip/libre.h"

/* The one that is to fail, counted from 1; 0: none, or it has. */
static unsigned int poor;

/* Under the name of libre's, which is where all its others allocate. */
void *mem_alloc(size_t size, mem_destroy_h *dh)
{
	static void *(*real)(size_t size, mem_destroy_h * dh);

	if (!real)
		real = (void *(*)(size_t, mem_destroy_h *))dlsym(RTLD_NEXT, "mem_alloc");
	return poor && !--poor ? NULL : real(size, dh);
}

#endif
