/* SPDX-License-Identifier: GPL-2.0-only */
/* The words of the NG protocol: flags, and keys with a value behind them. */
#ifndef TANDEM_NG_WORDS_H
#define TANDEM_NG_WORDS_H

#include <stddef.h>

enum tandem_ng_word {
	TANDEM_NG_UNKNOWN,
	TANDEM_NG_UNSUPPORTED, /* known, and the relay cannot do it */
	TANDEM_NG_ACCEPTED,    /* it is what the relay does anyway, or makes no difference to it */
	TANDEM_NG_SDES_OFF,
	TANDEM_NG_OSRTP,
	TANDEM_NG_WEBRTC,
	TANDEM_NG_ICE_WANTED,
	TANDEM_NG_BLOCK_DTMF,
	TANDEM_NG_BLOCK_MEDIA,
	TANDEM_NG_HIDE_USERNAME,
	TANDEM_NG_HIDE_NAME,
	TANDEM_NG_NEW_VERSION,
	TANDEM_NG_NO_RTCP_ATTRIBUTE,
	TANDEM_NG_FULL_RTCP_ATTRIBUTE,
	TANDEM_NG_GENERATE_MID,
	/* with a value */
	TANDEM_NG_CODEC_STRIP,
	TANDEM_NG_CODEC_EXCEPT,
	TANDEM_NG_CODEC_OFFER,
	TANDEM_NG_TRANSPORT,
	TANDEM_NG_FAMILY,
	TANDEM_NG_LABEL,
	TANDEM_NG_SET_LABEL,
	TANDEM_NG_TO_LABEL,
	TANDEM_NG_ADDRESS,
	TANDEM_NG_MEDIA_ADDRESS,
	TANDEM_NG_ALL,
};

/*
 * What a word is: in small letters, dashes between its parts, a value behind a dash. *value: where
 * the value begins.
 */
enum tandem_ng_word tandem_ng_word_find(const char *word, size_t *value);

#endif
