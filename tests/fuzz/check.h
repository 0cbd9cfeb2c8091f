/* SPDX-License-Identifier: GPL-2.0-only */
/* What a harness expects of the code under test; libFuzzer keeps the input that fails. */
#ifndef TANDEM_TESTS_FUZZ_CHECK_H
#define TANDEM_TESTS_FUZZ_CHECK_H

#include <stdlib.h>

#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)

#endif
