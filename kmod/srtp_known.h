/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SRTP packets that are known to be right, with their session keys: for the module's self-test, and
 * for that of what BPF programs call.
 */
#ifndef TANDEM_KMOD_SRTP_KNOWN_H
#define TANDEM_KMOD_SRTP_KNOWN_H

#include <linux/types.h>

#include "core/srtp_abi.h"
#include "core/srtp_job.h"

#define KEY_3711  "2b7e151628aed2a6abf7158809cf4f3c"
#define KEY_6188  "57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98"
#define KEY_7714  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define SALT_3711 "f0f1f2f3f4f5f6f7f8f9fafbfcfd0000"
#define SALT_7714 "517569642070726f2071756f00000000"

#define RTP_ZEROS                                                                                  \
	"800000000000000000000000"                                                                 \
	"0000000000000000000000000000000000000000000000000000000000000000"
#define RTP_7714                                                                                   \
	"8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e697320646976"                         \
	"69736120696e207061727465732074726573"
#define RTCP_7714                                                                                  \
	"81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61"                         \
	"deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"

/* What a packet becomes, or the first bytes of it. */
static const struct srtp_known {
	const char *name;
	const char *key; /* as long as the longest, or as the suite's */
	const char *salt;
	const char *clear;
	const char *sealed;
	__u64 index; /* of SRTCP */
	__u32 flags;
	__u8 suite;
} srtp_known[] = {
	{ "AES-CM 128 (RFC 3711 B.2)", KEY_3711, SALT_3711, RTP_ZEROS,
	  "800000000000000000000000e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97a"
	  "b",
	  0, 0, SRTP_AES_CM_128_HMAC_SHA1_80 },
	{ "AES-CM 128, short tag", KEY_3711, SALT_3711, RTP_ZEROS,
	  "800000000000000000000000e03ead0935c95e80e166b16dd92b4eb4", 0, 0,
	  SRTP_AES_CM_128_HMAC_SHA1_32 },
	{ "AES-CM 256 (RFC 6188 7.1)", KEY_6188, SALT_3711, RTP_ZEROS,
	  "80000000000000000000000092bdd28a93c3f52511c677d08b5515a49da71b2378a854f67050756ded165ba"
	  "c",
	  0, 0, SRTP_AES_256_CM_HMAC_SHA1_80 },
	{ "RTCP, AES-CM 256", KEY_6188, SALT_3711, RTCP_7714, "81c8000d4d617273", 7, SRTP_J_RTCP,
	  SRTP_AES_256_CM_HMAC_SHA1_32 },
	{ "no cipher", KEY_3711, SALT_3711, RTP_7714, RTP_7714, 0, 0, SRTP_NULL_HMAC_SHA1_80 },
	{ "GCM 128 (RFC 7714 16.1.1)", KEY_7714, SALT_7714, RTP_7714,
	  "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd5"
	  "0d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce",
	  0, 0, SRTP_AEAD_AES_128_GCM },
	{ "GCM 256 (RFC 7714 16.2.1)", KEY_7714, SALT_7714, RTP_7714,
	  "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab1801238"
	  "9a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
	  0, 0, SRTP_AEAD_AES_256_GCM },
	{ "RTCP, GCM 128 (RFC 7714 17.1)", KEY_7714, SALT_7714, RTCP_7714,
	  "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32d"
	  "c676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf872"
	  "45d9eade800005d4",
	  0x5d4, SRTP_J_RTCP, SRTP_AEAD_AES_128_GCM },
	{ "RTCP, GCM 256 (RFC 7714 17.2)", KEY_7714, SALT_7714, RTCP_7714,
	  "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50"
	  "a2eaa5c1110555be8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6c"
	  "b26ac3be800005d4",
	  0x5d4, SRTP_J_RTCP, SRTP_AEAD_AES_256_GCM },
};

/* The states of HMAC for all of them: those behind the key of RFC 2202, test case 2. */
static const __u32 known_inner[SRTP_SHA1_WORDS] = { 0x624d8ea7, 0x3f2b1803, 0x9554b9e4, 0x28c065f5,
						    0xa9fcb98e };
static const __u32 known_outer[SRTP_SHA1_WORDS] = { 0x2088372a, 0xf50610a1, 0xf82f8b05, 0x8e4bfe32,
						    0x280b4e35 };

#endif
