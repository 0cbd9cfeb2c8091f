/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/ng/words.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	const char *name;
	enum tandem_ng_word word;
	const char *why; /* it is not supported; NULL: there is nothing to say */
};

#define NO_CODECS "nothing is transcoded"
#define NO_TONES  "audio is not decoded"
#define NO_OPEN	  "nothing leaves unencrypted"

/* Whole words, in order. */
static const struct entry words[] = {
	{ "allow-asymmetric-codecs", TANDEM_NG_ACCEPTED, NULL },
	{ "allow-no-codec-media", TANDEM_NG_ACCEPTED, NULL },
	{ "allow-transcoding", TANDEM_NG_UNSUPPORTED, NO_CODECS },
	{ "always-transcode", TANDEM_NG_UNSUPPORTED, NO_CODECS },
	{ "asymmetric", TANDEM_NG_UNSUPPORTED,
	  "media is taken from where it is sent to, or from an address that is learned" },
	{ "asymmetric-codecs", TANDEM_NG_ACCEPTED, NULL },
	{ "block-dtmf", TANDEM_NG_BLOCK_DTMF, NULL },
	{ "block-media", TANDEM_NG_BLOCK_MEDIA, NULL },
	{ "block-short", TANDEM_NG_UNSUPPORTED, NULL },
	{ "block-short-packets", TANDEM_NG_UNSUPPORTED, NULL },
	{ "bundle-accept", TANDEM_NG_ACCEPTED, NULL },
	{ "bundle-offer", TANDEM_NG_UNSUPPORTED, NULL },
	{ "bundle-strict", TANDEM_NG_ACCEPTED, NULL },
	{ "debug", TANDEM_NG_ACCEPTED, NULL },
	{ "debugging", TANDEM_NG_ACCEPTED, NULL },
	{ "detect-dtmf", TANDEM_NG_UNSUPPORTED, NO_TONES },
	{ "discard-recording", TANDEM_NG_UNSUPPORTED, NULL },
	{ "dtls-active", TANDEM_NG_UNSUPPORTED, "who answers has the choice (RFC 8842 5.2)" },
	{ "dtls-disable", TANDEM_NG_ACCEPTED, NULL },
	{ "dtls-no", TANDEM_NG_ACCEPTED, NULL },
	{ "dtls-off", TANDEM_NG_ACCEPTED, NULL },
	{ "dtls-passive", TANDEM_NG_ACCEPTED, NULL },
	{ "dtls-reverse-active", TANDEM_NG_DTLS_ACTIVE, NULL },
	{ "dtls-reverse-passive", TANDEM_NG_ACCEPTED, NULL },
	{ "early-media", TANDEM_NG_ACCEPTED, NULL },
	{ "endpoint-learning-delayed", TANDEM_NG_ACCEPTED, NULL },
	{ "endpoint-learning-heuristic", TANDEM_NG_ACCEPTED, NULL },
	{ "endpoint-learning-immediate", TANDEM_NG_UNSUPPORTED, NULL },
	{ "endpoint-learning-no-learning", TANDEM_NG_UNSUPPORTED, NULL },
	{ "exclude-recording", TANDEM_NG_UNSUPPORTED, NULL },
	{ "fatal", TANDEM_NG_FATAL, NULL },
	{ "fragment", TANDEM_NG_ACCEPTED, NULL },
	{ "full-rtcp-attribute", TANDEM_NG_FULL_RTCP_ATTRIBUTE, NULL },
	{ "generate-mid", TANDEM_NG_GENERATE_MID, NULL },
	{ "generate-rtcp", TANDEM_NG_UNSUPPORTED, NULL },
	{ "ice-default", TANDEM_NG_ACCEPTED, NULL },
	{ "ice-force", TANDEM_NG_ICE_WANTED, NULL },
	{ "ice-force-relay", TANDEM_NG_UNSUPPORTED, "there are no candidates of others to keep" },
	{ "ice-lite-backward", TANDEM_NG_ICE_LITE_BACKWARD, NULL },
	{ "ice-lite-both", TANDEM_NG_ICE_LITE_BOTH, NULL },
	{ "ice-lite-forward", TANDEM_NG_ICE_LITE_FORWARD, NULL },
	{ "ice-lite-off", TANDEM_NG_ICE_LITE_OFF, NULL },
	{ "ice-optional", TANDEM_NG_ACCEPTED, NULL },
	{ "ice-remove", TANDEM_NG_ACCEPTED, NULL },
	{ "inactive", TANDEM_NG_UNSUPPORTED, NULL },
	{ "inject-dtmf", TANDEM_NG_UNSUPPORTED, NO_TONES },
	{ "loop-protect", TANDEM_NG_LOOP_PROTECT, NULL },
	{ "media-handover", TANDEM_NG_UNSUPPORTED, "media of strangers is not taken" },
	{ "mirror-rtcp", TANDEM_NG_UNSUPPORTED, NULL },
	{ "moh", TANDEM_NG_UNSUPPORTED, NULL },
	{ "nat-wait", TANDEM_NG_UNSUPPORTED, NULL },
	{ "no-codec-renegotiation", TANDEM_NG_ACCEPTED, NULL },
	{ "no-jitter-buffer", TANDEM_NG_ACCEPTED, NULL },
	{ "no-passthrough", TANDEM_NG_UNSUPPORTED, NO_CODECS },
	{ "no-port-latching", TANDEM_NG_ACCEPTED, NULL },
	{ "no-redis-update", TANDEM_NG_ACCEPTED, NULL },
	{ "no-rtcp-attribute", TANDEM_NG_NO_RTCP_ATTRIBUTE, NULL },
	{ "original-sendrecv", TANDEM_NG_ACCEPTED, NULL },
	{ "osrtp-accept", TANDEM_NG_OSRTP_ACCEPT, NULL },
	{ "osrtp-accept-legacy", TANDEM_NG_UNSUPPORTED, NULL },
	{ "osrtp-accept-rfc", TANDEM_NG_OSRTP_ACCEPT, NULL },
	{ "osrtp-offer", TANDEM_NG_OSRTP, NULL },
	{ "osrtp-offer-legacy", TANDEM_NG_UNSUPPORTED, NULL },
	{ "osrtp-offer-rfc", TANDEM_NG_OSRTP, NULL },
	{ "osrtp-reject", TANDEM_NG_OSRTP_REJECT, NULL },
	{ "pad-crypto", TANDEM_NG_ACCEPTED, NULL },
	{ "pass-through", TANDEM_NG_ACCEPTED, NULL },
	{ "passthrough-off", TANDEM_NG_UNSUPPORTED, NO_CODECS },
	{ "passthrough-on", TANDEM_NG_ACCEPTED, NULL },
	{ "pierce-nat", TANDEM_NG_UNSUPPORTED, NULL },
	{ "port-latching", TANDEM_NG_ACCEPTED, NULL },
	{ "prefer-bundle", TANDEM_NG_ACCEPTED, NULL },
	{ "provisional", TANDEM_NG_ACCEPTED, NULL },
	{ "record-call", TANDEM_NG_RECORD, NULL },
	{ "record-call-no", TANDEM_NG_ACCEPTED, NULL },
	{ "record-call-off", TANDEM_NG_ACCEPTED, NULL },
	{ "record-call-on", TANDEM_NG_RECORD, NULL },
	{ "record-call-yes", TANDEM_NG_RECORD, NULL },
	{ "recrypt", TANDEM_NG_UNSUPPORTED, NULL },
	{ "reject-ice", TANDEM_NG_UNSUPPORTED, NULL },
	{ "reorder-codecs", TANDEM_NG_UNSUPPORTED, NO_CODECS },
	{ "replace-force-increment-sdp-ver", TANDEM_NG_NEW_VERSION, NULL },
	{ "replace-force-increment-sdp-version", TANDEM_NG_NEW_VERSION, NULL },
	{ "replace-origin", TANDEM_NG_ACCEPTED, NULL },
	{ "replace-origin-full", TANDEM_NG_OWN_ORIGIN, NULL },
	{ "replace-sdp-version", TANDEM_NG_OWN_VERSION, NULL },
	{ "replace-session-connection", TANDEM_NG_ACCEPTED, NULL },
	{ "replace-session-name", TANDEM_NG_HIDE_NAME, NULL },
	{ "replace-username", TANDEM_NG_HIDE_USERNAME, NULL },
	{ "replace-zero-address", TANDEM_NG_REAL_ADDRESS, NULL },
	{ "reset", TANDEM_NG_UNSUPPORTED, NULL },
	{ "reuse-codecs", TANDEM_NG_ACCEPTED, NULL },
	{ "rtcp-mirror", TANDEM_NG_UNSUPPORTED, NULL },
	{ "rtcp-mux-accept", TANDEM_NG_MUX_ACCEPT, NULL },
	{ "rtcp-mux-demux", TANDEM_NG_MUX_DEMUX, NULL },
	{ "rtcp-mux-offer", TANDEM_NG_MUX_OFFER, NULL },
	{ "rtcp-mux-reject", TANDEM_NG_MUX_REJECT, NULL },
	{ "rtcp-mux-require", TANDEM_NG_MUX_REQUIRE, NULL },
	{ "sdes-authenticated-srtp", TANDEM_NG_ACCEPTED, NULL },
	{ "sdes-disable", TANDEM_NG_SDES_OFF, NULL },
	{ "sdes-encrypted-srtcp", TANDEM_NG_ACCEPTED, NULL },
	{ "sdes-encrypted-srtp", TANDEM_NG_ACCEPTED, NULL },
	{ "sdes-lifetime", TANDEM_NG_UNSUPPORTED,
	  "keys are as good as the suite allows (RFC 3711 9.2)" },
	{ "sdes-no", TANDEM_NG_SDES_OFF, NULL },
	{ "sdes-nonew", TANDEM_NG_SDES_NO_NEW, NULL },
	{ "sdes-off", TANDEM_NG_SDES_OFF, NULL },
	{ "sdes-on", TANDEM_NG_ACCEPTED, NULL },
	{ "sdes-pad", TANDEM_NG_ACCEPTED, NULL },
	{ "sdes-static", TANDEM_NG_ACCEPTED, NULL },
	{ "sdes-unauthenticated-srtp", TANDEM_NG_UNSUPPORTED, NO_OPEN },
	{ "sdes-unencrypted-srtcp", TANDEM_NG_UNSUPPORTED, NO_OPEN },
	{ "sdes-unencrypted-srtp", TANDEM_NG_UNSUPPORTED, NO_OPEN },
	{ "single-codec", TANDEM_NG_SINGLE_CODEC, NULL },
	{ "sip-source-address", TANDEM_NG_ACCEPTED, NULL },
	{ "skip-recording-db", TANDEM_NG_ACCEPTED, NULL },
	{ "strict-source", TANDEM_NG_ACCEPTED, NULL },
	{ "strip-extmap", TANDEM_NG_UNSUPPORTED, NULL },
	{ "supports-load-limit", TANDEM_NG_ACCEPTED, NULL },
	{ "symmetric", TANDEM_NG_ACCEPTED, NULL },
	{ "symmetric-codecs", TANDEM_NG_ACCEPTED, NULL },
	{ "t.38-no-t.30", TANDEM_NG_ACCEPTED, NULL },
	{ "trickle-ice", TANDEM_NG_ACCEPTED, NULL },
	{ "trust-address", TANDEM_NG_ACCEPTED, NULL },
	{ "unidirectional", TANDEM_NG_ACCEPTED, NULL },
	{ "webrtc", TANDEM_NG_WEBRTC, NULL },
};

/*
 * What stands in front of a value; the longest that fits counts, so it does not matter in which
 * order they are.
 */
static const struct entry keys[] = {
	{ "address", TANDEM_NG_ADDRESS, NULL },
	{ "address-family", TANDEM_NG_FAMILY, NULL },
	{ "all", TANDEM_NG_ALL, NULL },
	{ "codec-accept", TANDEM_NG_ACCEPTED, NULL },
	{ "codec-consume", TANDEM_NG_CODEC_STRIP, NULL },
	{ "codec-except", TANDEM_NG_CODEC_EXCEPT, NULL },
	{ "codec-ignore", TANDEM_NG_UNSUPPORTED, NO_CODECS },
	{ "codec-mask", TANDEM_NG_CODEC_STRIP, NULL },
	{ "codec-offer", TANDEM_NG_CODEC_OFFER, NULL },
	{ "codec-set", TANDEM_NG_UNSUPPORTED, NO_CODECS },
	{ "codec-strip", TANDEM_NG_CODEC_STRIP, NULL },
	{ "codec-transcode", TANDEM_NG_UNSUPPORTED, NO_CODECS },
	{ "command", TANDEM_NG_ACCEPTED, NULL },
	{ "delete-delay", TANDEM_NG_DELETE_DELAY, NULL },
	{ "drop-traffic", TANDEM_NG_DROP_TRAFFIC, NULL },
	{ "dtls-fingerprint", TANDEM_NG_FINGERPRINT, NULL },
	{ "dtmf-delay", TANDEM_NG_UNSUPPORTED, NO_TONES },
	{ "dtmf-security", TANDEM_NG_UNSUPPORTED, NO_TONES },
	{ "end-trigger", TANDEM_NG_UNSUPPORTED, NO_TONES },
	{ "from-label", TANDEM_NG_LABEL, NULL },
	{ "ice-lite", TANDEM_NG_UNSUPPORTED, NULL },
	{ "interface", TANDEM_NG_UNSUPPORTED, NULL },
	{ "label", TANDEM_NG_LABEL, NULL },
	{ "media-address", TANDEM_NG_MEDIA_ADDRESS, NULL },
	{ "media-echo", TANDEM_NG_UNSUPPORTED, NULL },
	{ "metadata", TANDEM_NG_UNSUPPORTED, NULL },
	{ "output-destination", TANDEM_NG_UNSUPPORTED, NULL },
	{ "ptime", TANDEM_NG_PTIME, NULL },
	{ "ptime-reverse", TANDEM_NG_PTIME_REVERSE, NULL },
	{ "recording-dir", TANDEM_NG_UNSUPPORTED, NULL },
	{ "recording-file", TANDEM_NG_UNSUPPORTED, NULL },
	{ "recording-pattern", TANDEM_NG_UNSUPPORTED, NULL },
	{ "sdes", TANDEM_NG_UNSUPPORTED, NULL },
	{ "sdes-no", TANDEM_NG_SDES_NO, NULL },
	{ "sdes-offerer-pref", TANDEM_NG_SDES_PREFERRED, NULL },
	{ "sdes-only", TANDEM_NG_SDES_ONLY, NULL },
	{ "sdes-order", TANDEM_NG_SDES_ORDER, NULL },
	{ "sdp-attr", TANDEM_NG_UNSUPPORTED, NULL },
	{ "set-label", TANDEM_NG_SET_LABEL, NULL },
	{ "supports", TANDEM_NG_ACCEPTED, NULL },
	{ "t.38", TANDEM_NG_UNSUPPORTED, NO_CODECS },
	{ "template", TANDEM_NG_UNSUPPORTED, NULL },
	{ "to-label", TANDEM_NG_TO_LABEL, NULL },
	{ "tos", TANDEM_NG_TOS, NULL },
	{ "transport-protocol", TANDEM_NG_TRANSPORT, NULL },
	{ "trigger", TANDEM_NG_UNSUPPORTED, NO_TONES },
	{ "trigger-end", TANDEM_NG_UNSUPPORTED, NO_TONES },
	{ "trigger-end-digits", TANDEM_NG_UNSUPPORTED, NO_TONES },
	{ "trigger-end-time", TANDEM_NG_UNSUPPORTED, NO_TONES },
	{ "xmlrpc-callback", TANDEM_NG_UNSUPPORTED, NULL },
};

static int by_name(const void *key, const void *entry)
{
	return strcmp(key, ((const struct entry *)entry)->name);
}

static const struct entry *find(const char *word, size_t *value)
{
	const struct entry *e = bsearch(word, words, sizeof(words) / sizeof(words[0]),
					sizeof(words[0]), by_name);
	const struct entry *best = NULL;
	size_t i, len, best_len = 0;

	if (e)
		return e;
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		len = strlen(keys[i].name);
		if (len < best_len || strncmp(word, keys[i].name, len) ||
		    (word[len] && word[len] != '-'))
			continue;
		best = &keys[i];
		best_len = len;
	}
	if (best)
		*value = best_len + (word[best_len] == '-');
	return best;
}

enum tandem_ng_word tandem_ng_word_find(const char *word, size_t *value)
{
	const struct entry *e = find(word, value);

	return e ? e->word : TANDEM_NG_UNKNOWN;
}

const char *tandem_ng_word_why(const char *word)
{
	size_t value;
	const struct entry *e = find(word, &value);

	return e ? e->why : NULL;
}
