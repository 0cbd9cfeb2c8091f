/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Network to host order and back. Constant-folded; no include from the environment. */
#ifndef TANDEM_CORE_BYTEORDER_H
#define TANDEM_CORE_BYTEORDER_H

#include <linux/types.h>

#define CORE_LITTLE_ENDIAN (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

#define host16(x) ((__u16)(CORE_LITTLE_ENDIAN ? __builtin_bswap16((__u16)(x)) : (__u16)(x)))
#define host32(x) ((__u32)(CORE_LITTLE_ENDIAN ? __builtin_bswap32((__u32)(x)) : (__u32)(x)))
#define net16(x)  ((__be16)host16(x))
#define net32(x)  ((__be32)host32(x))

#endif
