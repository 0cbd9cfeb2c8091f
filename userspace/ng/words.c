/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/ng/words.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	const char *name;
	enum tandem_ng_word word;
};

/* Whole words, in order. */
static const struct entry words[] = {
	{ "allow-asymmetric-codecs", TANDEM_NG_ACCEPTED },
	{ "allow-no-codec-media", TANDEM_NG_ACCEPTED },
	{ "allow-transcoding", TANDEM_NG_UNSUPPORTED },
	{ "always-transcode", TANDEM_NG_UNSUPPORTED },
	{ "asymmetric", TANDEM_NG_UNSUPPORTED },
	{ "asymmetric-codecs", TANDEM_NG_ACCEPTED },
	{ "block-dtmf", TANDEM_NG_BLOCK_DTMF },
	{ "block-media", TANDEM_NG_BLOCK_MEDIA },
	{ "bundle-accept", TANDEM_NG_ACCEPTED },
	{ "bundle-offer", TANDEM_NG_UNSUPPORTED },
	{ "bundle-strict", TANDEM_NG_ACCEPTED },
	{ "debug", TANDEM_NG_ACCEPTED },
	{ "detect-dtmf", TANDEM_NG_UNSUPPORTED },
	{ "discard-recording", TANDEM_NG_UNSUPPORTED },
	{ "dtls-active", TANDEM_NG_UNSUPPORTED },
	{ "dtls-off", TANDEM_NG_ACCEPTED },
	{ "dtls-passive", TANDEM_NG_ACCEPTED },
	{ "dtls-reverse-passive", TANDEM_NG_UNSUPPORTED },
	{ "early-media", TANDEM_NG_ACCEPTED },
	{ "endpoint-learning-delayed", TANDEM_NG_ACCEPTED },
	{ "endpoint-learning-heuristic", TANDEM_NG_ACCEPTED },
	{ "endpoint-learning-immediate", TANDEM_NG_UNSUPPORTED },
	{ "endpoint-learning-no-learning", TANDEM_NG_UNSUPPORTED },
	{ "fragment", TANDEM_NG_ACCEPTED },
	{ "full-rtcp-attribute", TANDEM_NG_FULL_RTCP_ATTRIBUTE },
	{ "generate-mid", TANDEM_NG_GENERATE_MID },
	{ "generate-rtcp", TANDEM_NG_UNSUPPORTED },
	{ "ice-default", TANDEM_NG_ACCEPTED },
	{ "ice-force", TANDEM_NG_ICE_WANTED },
	{ "ice-force-relay", TANDEM_NG_UNSUPPORTED },
	{ "ice-lite-backward", TANDEM_NG_ACCEPTED },
	{ "ice-lite-both", TANDEM_NG_ACCEPTED },
	{ "ice-lite-forward", TANDEM_NG_ACCEPTED },
	{ "ice-lite-off", TANDEM_NG_UNSUPPORTED },
	{ "ice-optional", TANDEM_NG_ACCEPTED },
	{ "ice-remove", TANDEM_NG_ACCEPTED },
	{ "inject-dtmf", TANDEM_NG_UNSUPPORTED },
	{ "loop-protect", TANDEM_NG_ACCEPTED },
	{ "media-handover", TANDEM_NG_UNSUPPORTED },
	{ "mirror-rtcp", TANDEM_NG_UNSUPPORTED },
	{ "moh", TANDEM_NG_UNSUPPORTED },
	{ "no-codec-renegotiation", TANDEM_NG_ACCEPTED },
	{ "no-jitter-buffer", TANDEM_NG_ACCEPTED },
	{ "no-passthrough", TANDEM_NG_UNSUPPORTED },
	{ "no-port-latching", TANDEM_NG_ACCEPTED },
	{ "no-redis-update", TANDEM_NG_ACCEPTED },
	{ "no-rtcp-attribute", TANDEM_NG_NO_RTCP_ATTRIBUTE },
	{ "original-sendrecv", TANDEM_NG_ACCEPTED },
	{ "osrtp-accept", TANDEM_NG_ACCEPTED },
	{ "osrtp-accept-legacy", TANDEM_NG_UNSUPPORTED },
	{ "osrtp-offer", TANDEM_NG_OSRTP },
	{ "osrtp-offer-legacy", TANDEM_NG_UNSUPPORTED },
	{ "osrtp-offer-rfc", TANDEM_NG_OSRTP },
	{ "pad-crypto", TANDEM_NG_UNSUPPORTED },
	{ "pass-through", TANDEM_NG_ACCEPTED },
	{ "passthrough-off", TANDEM_NG_UNSUPPORTED },
	{ "passthrough-on", TANDEM_NG_ACCEPTED },
	{ "port-latching", TANDEM_NG_ACCEPTED },
	{ "prefer-bundle", TANDEM_NG_ACCEPTED },
	{ "provisional", TANDEM_NG_ACCEPTED },
	{ "record-call-no", TANDEM_NG_ACCEPTED },
	{ "record-call-off", TANDEM_NG_ACCEPTED },
	{ "recrypt", TANDEM_NG_UNSUPPORTED },
	{ "reorder-codecs", TANDEM_NG_UNSUPPORTED },
	{ "replace-force-increment-sdp-ver", TANDEM_NG_NEW_VERSION },
	{ "replace-force-increment-sdp-version", TANDEM_NG_NEW_VERSION },
	{ "replace-origin", TANDEM_NG_ACCEPTED },
	{ "replace-origin-full", TANDEM_NG_UNSUPPORTED },
	{ "replace-sdp-version", TANDEM_NG_UNSUPPORTED },
	{ "replace-session-connection", TANDEM_NG_ACCEPTED },
	{ "replace-session-name", TANDEM_NG_HIDE_NAME },
	{ "replace-username", TANDEM_NG_HIDE_USERNAME },
	{ "replace-zero-address", TANDEM_NG_UNSUPPORTED },
	{ "reset", TANDEM_NG_UNSUPPORTED },
	{ "rtcp-mux-accept", TANDEM_NG_ACCEPTED },
	{ "rtcp-mux-demux", TANDEM_NG_UNSUPPORTED },
	{ "rtcp-mux-offer", TANDEM_NG_ACCEPTED },
	{ "rtcp-mux-reject", TANDEM_NG_UNSUPPORTED },
	{ "rtcp-mux-require", TANDEM_NG_UNSUPPORTED },
	{ "sdes-lifetime", TANDEM_NG_UNSUPPORTED },
	{ "sdes-off", TANDEM_NG_SDES_OFF },
	{ "sdes-on", TANDEM_NG_ACCEPTED },
	{ "sdes-pad", TANDEM_NG_UNSUPPORTED },
	{ "sdes-static", TANDEM_NG_ACCEPTED },
	{ "single-codec", TANDEM_NG_UNSUPPORTED },
	{ "sip-source-address", TANDEM_NG_ACCEPTED },
	{ "skip-recording-db", TANDEM_NG_ACCEPTED },
	{ "strict-source", TANDEM_NG_ACCEPTED },
	{ "strip-extmap", TANDEM_NG_UNSUPPORTED },
	{ "supports-load-limit", TANDEM_NG_ACCEPTED },
	{ "symmetric", TANDEM_NG_ACCEPTED },
	{ "symmetric-codecs", TANDEM_NG_ACCEPTED },
	{ "t.38-no-t.30", TANDEM_NG_ACCEPTED },
	{ "trickle-ice", TANDEM_NG_ACCEPTED },
	{ "trust-address", TANDEM_NG_ACCEPTED },
	{ "unidirectional", TANDEM_NG_ACCEPTED },
	{ "webrtc", TANDEM_NG_WEBRTC },
};

/*
 * What stands in front of a value; the longest that fits counts, so it does not matter in which
 * order they are.
 */
static const struct entry keys[] = {
	{ "address", TANDEM_NG_ADDRESS },
	{ "address-family", TANDEM_NG_FAMILY },
	{ "all", TANDEM_NG_ALL },
	{ "codec-accept", TANDEM_NG_ACCEPTED },
	{ "codec-consume", TANDEM_NG_UNSUPPORTED },
	{ "codec-except", TANDEM_NG_CODEC_EXCEPT },
	{ "codec-ignore", TANDEM_NG_UNSUPPORTED },
	{ "codec-mask", TANDEM_NG_CODEC_STRIP },
	{ "codec-offer", TANDEM_NG_CODEC_OFFER },
	{ "codec-set", TANDEM_NG_UNSUPPORTED },
	{ "codec-strip", TANDEM_NG_CODEC_STRIP },
	{ "codec-transcode", TANDEM_NG_UNSUPPORTED },
	{ "command", TANDEM_NG_ACCEPTED },
	{ "delete-delay", TANDEM_NG_UNSUPPORTED },
	{ "drop-traffic", TANDEM_NG_UNSUPPORTED },
	{ "dtls-fingerprint", TANDEM_NG_UNSUPPORTED },
	{ "dtmf-security", TANDEM_NG_UNSUPPORTED },
	{ "from-label", TANDEM_NG_LABEL },
	{ "ice-lite", TANDEM_NG_UNSUPPORTED },
	{ "interface", TANDEM_NG_UNSUPPORTED },
	{ "label", TANDEM_NG_LABEL },
	{ "media-address", TANDEM_NG_MEDIA_ADDRESS },
	{ "metadata", TANDEM_NG_UNSUPPORTED },
	{ "output-destination", TANDEM_NG_UNSUPPORTED },
	{ "ptime", TANDEM_NG_UNSUPPORTED },
	{ "ptime-reverse", TANDEM_NG_UNSUPPORTED },
	{ "record-call", TANDEM_NG_UNSUPPORTED },
	{ "recording-dir", TANDEM_NG_UNSUPPORTED },
	{ "recording-file", TANDEM_NG_UNSUPPORTED },
	{ "recording-pattern", TANDEM_NG_UNSUPPORTED },
	{ "sdes", TANDEM_NG_UNSUPPORTED },
	{ "sdp-attr", TANDEM_NG_UNSUPPORTED },
	{ "set-label", TANDEM_NG_SET_LABEL },
	{ "supports", TANDEM_NG_ACCEPTED },
	{ "t.38", TANDEM_NG_UNSUPPORTED },
	{ "template", TANDEM_NG_UNSUPPORTED },
	{ "to-label", TANDEM_NG_TO_LABEL },
	{ "tos", TANDEM_NG_UNSUPPORTED },
	{ "transport-protocol", TANDEM_NG_TRANSPORT },
	{ "xmlrpc-callback", TANDEM_NG_UNSUPPORTED },
};

static int by_name(const void *key, const void *entry)
{
	return strcmp(key, ((const struct entry *)entry)->name);
}

enum tandem_ng_word tandem_ng_word_find(const char *word, size_t *value)
{
	const struct entry *e = bsearch(word, words, sizeof(words) / sizeof(words[0]),
					sizeof(words[0]), by_name);
	const struct entry *best = NULL;
	size_t i, len, best_len = 0;

	if (e)
		return e->word;
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		len = strlen(keys[i].name);
		if (len < best_len || strncmp(word, keys[i].name, len) ||
		    (word[len] && word[len] != '-'))
			continue;
		best = &keys[i];
		best_len = len;
	}
	if (!best)
		return TANDEM_NG_UNKNOWN;
	*value = best_len + (word[best_len] == '-');
	return best->word;
}
