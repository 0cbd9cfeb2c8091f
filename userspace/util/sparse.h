/* SPDX-License-Identifier: GPL-2.0-only */
/* Zeroed arrays that cost memory only where they are written. */
#ifndef TANDEM_UTIL_SPARSE_H
#define TANDEM_UTIL_SPARSE_H

#include <stddef.h>
#include <sys/mman.h>

/* count elements of size bytes (0: room for one), page-aligned; NULL when there is no room. */
static inline void *tandem_sparse_alloc(size_t count, size_t size)
{
	void *p = mmap(NULL, (count ? count : 1) * size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* p may be NULL; count and size as they were given to tandem_sparse_alloc. */
static inline void tandem_sparse_free(void *p, size_t count, size_t size)
{
	if (p)
		munmap(p, (count ? count : 1) * size);
}

#endif
