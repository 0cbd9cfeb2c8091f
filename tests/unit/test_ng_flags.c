/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What flags of an offer do to the description that is passed on: one row for each. The first
 * character of what is expected says how: "+" the description has a line that begins so, "~" one with it, "-" it has
 * none, "!" the warning has these words, "=" there is no warning, "?" so many are unknown.
 */
#include "tests/unit/ng_fixture.h"
#include "userspace/ng/words.h"

#define PLAIN "", ""
#define CODECS                                                                                     \
	"", "m=audio 4000 RTP/AVP 0 8 9 96 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 "             \
	    "PCMA/8000\r\n"                                                                        \
	    "a=rtpmap:9 G722/8000\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\n"     \
	    "a=rtpmap:101 telephone-event/8000\r\n"
#define RTCP  "", "m=audio 4000 RTP/AVP 0\r\na=rtcp:4009\r\n"
#define TWO   "", "m=audio 4000 RTP/AVP 0\r\na=mid:1\r\nm=video 4002 RTP/AVP 31\r\n"
#define NAMED "named", ""
#define MUX   "", "m=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n"
#define PTIME "", "m=audio 4000 RTP/AVP 0\r\na=ptime:20\r\n"
#define ZERO  "", "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n"
#define KEY   "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n"
#define OSRTP "", "m=audio 4000 RTP/AVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 " KEY
#define CRYPTO                                                                                     \
	"", "m=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 "                       \
	    "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n"
#define WEBRTC                                                                                     \
	"", "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:"                      \
	    "abcdefghijklmnopqrstuv\r\na=fingerprint:sha-256 "                                     \
	    "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:" \
	    "1C:1D:1E:1F\r\na=setup:actpass\r\na=rtcp-mux\r\n"                                     \
	    "a=candidate:1 1 udp 2130706431 192.0.2.1 4000 typ host\r\n"

struct row {
	const char *flags;
	const char *session; /* of what is offered: "": without names */
	const char *media;   /* "": plain */
	const char *expected[5];
};

static const struct row rows[] = {
	/* what the relay does anyway */
	{ "", PLAIN, { "+c=IN IP4 10.0.0.1\r", "+m=audio 1", "=", "?0" } },
	{ "'replace': ['origin', 'session-connection']",
	  PLAIN,
	  { "+o=- 1 1 IN IP4 10.0.0.1\r", "=", "?0" } },
	{ "'replace': ['session connection']", PLAIN, { "=", "?0" } },
	{ "'flags': ['trust-address']", PLAIN, { "=", "?0" } },
	{ "'flags': ['trust address', 'symmetric', 'strict source']", PLAIN, { "=", "?0" } },
	{ "'flags': ['SIP source address']", PLAIN, { "=", "?0" } },
	{ "'flags': ['loop-protect', 'port-latching', 'generate-mid']", PLAIN, { "=", "?0" } },
	{ "'ICE': 'remove'", PLAIN, { "-a=candidate", "=", "?0" } },
	{ "'ICE': 'default'", PLAIN, { "=", "?0" } },
	{ "'flags': ['ICE=remove']", PLAIN, { "=", "?0" } },
	{ "'flags': ['ICE-remove']", PLAIN, { "=", "?0" } },
	{ "'rtcp-mux': ['accept']", PLAIN, { "-a=rtcp-mux", "=", "?0" } },
	{ "'DTLS': 'passive'", PLAIN, { "=", "?0" } },
	{ "'DTLS': 'off'", PLAIN, { "=", "?0" } },
	{ "'supports': ['load limit']", PLAIN, { "=", "?0" } },
	{ "'label': 'x', 'from-label': 'y'", PLAIN, { "=", "?0" } },
	{ "'record call': 'no'", PLAIN, { "=", "?0" } },

	/* what it cannot do, and what nobody knows */
	{ "'flags': ['asymmetric']", PLAIN, { "!asymmetric", "?0" } },
	{ "'flags': ['media handover']", PLAIN, { "!media-handover", "?0" } },
	{ "'record call': 'on'", PLAIN, { "!record.dir", "?0" } },
	{ "'T.38': ['decode']", PLAIN, { "!t.38", "?0" } },
	{ "'codec': {'transcode': ['opus']}", PLAIN, { "!codec-transcode", "?0" } },
	{ "'flags': ['always transcode']", PLAIN, { "!always-transcode", "?0" } },
	{ "'SDES': ['unencrypted_srtcp']", PLAIN, { "!sdes-unencrypted-srtcp", "?0" } },
	{ "'SDES': ['lifetime']", PLAIN, { "!sdes-lifetime", "?0" } },
	{ "'SDES': ['static', 'pad']", PLAIN, { "=", "?0" } },
	{ "'flags': ['asymmetric']", PLAIN, { "!asymmetric (media is taken", "?0" } },
	{ "'flags': ['DTLS=active']", PLAIN, { "!dtls-active (who", "?0" } },
	{ "'T.38': ['decode'], 'codec': {'set': ['PCMA']}",
	  PLAIN,
	  { "!t.38-decode (nothing is transcoded)", "!codec-set-pcma (nothing", "?0" } },
	{ "'codec': {'set': ['PCMA']}", PLAIN, { "!codec-set", "?0" } },
	{ "'flags': ['detect DTMF']", PLAIN, { "!detect-dtmf", "?0" } },
	{ "'flags': ['mirror RTCP']", PLAIN, { "!mirror-rtcp", "?0" } },
	{ "'sdp-attr': {'global': {'add': ['x']}}", PLAIN, { "!sdp-attr-global", "?0" } },
	{ "'xmlrpc-callback': '192.0.2.9'", PLAIN, { "!xmlrpc-callback", "?0" } },
	{ "'ICE': 'force-relay'", PLAIN, { "!ice-force-relay", "?0" } },
	{ "'flags': ['reset', 'recrypt']", PLAIN, { "!reset", "!recrypt", "?0" } },
	{ "'flags': ['from the future']", PLAIN, { "=", "?1" } },
	{ "'flags': ['trust-address', 'from the future', 7]", PLAIN, { "=", "?2" } },
	{ "'brand-new': 'x', 'newer': ['y', 'z'], 'newest': {'a': {'b': 1}}",
	  PLAIN,
	  { "=", "?4" } },
	{ "'flags': 7", PLAIN, { "=", "?1" } },
	{ "'direction': ['inside']", PLAIN, { "=", "?1" } },
	{ "'received-from': ['IP4', 'nowhere']", PLAIN, { "=", "?1" } },
	{ "'address-family': 'IP7'", PLAIN, { "=", "?1" } },
	{ "'transport-protocol': 'RTP/XAVP'", PLAIN, { "+m=audio 16", "?1" } },
	{ "'rtpp-flags': 'trust-address ICE=remove  nonsense'", PLAIN, { "=", "?1" } },
	{ "'flags': 'trust-address replace-origin'", PLAIN, { "=", "?0" } },

	/* rtcp-mux, as the callee is offered it */
	{ "'rtcp-mux': ['offer']", PLAIN, { "+a=rtcp-mux\r", "-a=rtcp:", "=", "?0" } },
	{ "'flags': ['rtcp-mux-offer']", RTCP, { "+a=rtcp-mux\r", "+a=rtcp:16", "=", "?0" } },
	{ "'rtcp-mux': ['require']", PLAIN, { "+a=rtcp-mux\r", "+a=rtcp:16", "=", "?0" } },
	{ "'rtcp-mux': ['demux']", MUX, { "-a=rtcp-mux", "=", "?0" } },
	{ "'flags': ['rtcp mux demux']", MUX, { "-a=rtcp-mux", "=", "?0" } },
	{ "'rtcp-mux': ['demux']", PLAIN, { "-a=rtcp-mux", "=", "?0" } },
	{ "'rtcp-mux': ['accept']", MUX, { "+a=rtcp-mux\r", "=", "?0" } },
	{ "'rtcp-mux': ['reject']", MUX, { "+a=rtcp-mux\r", "=", "?0" } },
	{ "'rtcp-mux': ['demux'], 'transport-protocol': 'RTP/SAVP'",
	  MUX,
	  { "-a=rtcp-mux", "+a=crypto:", "=", "?0" } },
	{ "'rtcp-mux': ['demux'], 'transport-protocol': 'RTP/AVP', 'ICE': 'remove'",
	  WEBRTC,
	  { "-a=rtcp-mux", "-a=fingerprint", "=", "?0" } },
	{ "'rtcp-mux': ['demux'], 'flags': ['webrtc']",
	  MUX,
	  { "+a=rtcp-mux\r", "+a=fingerprint", "=", "?0" } },
	{ "'rtcp-mux': ['sometimes']", PLAIN, { "-a=rtcp-mux", "=", "?1" } },

	/* suites */
	{ "'transport-protocol': 'RTP/SAVP'",
	  PLAIN,
	  { "+a=crypto:1 AES_CM_128_HMAC_SHA1_80 ", "+a=crypto:5 AES_CM_128_HMAC_SHA1_32 ",
	    "-a=crypto:6 ", "=" } },
	{ "'transport-protocol': 'RTP/SAVP', 'SDES': ['no-AES_CM_128_HMAC_SHA1_80']",
	  PLAIN,
	  { "+a=crypto:1 AES_256_CM_HMAC_SHA1_80 ", "-a=crypto:5 ", "=", "?0" } },
	{ "'transport-protocol': 'RTP/SAVP', 'flags': ['SDES-no-AEAD_AES_128_GCM']",
	  PLAIN,
	  { "+a=crypto:1 AES_CM_128_HMAC_SHA1_80 ", "+a=crypto:3 AEAD_AES_256_GCM ", "=", "?0" } },
	{ "'transport-protocol': 'RTP/SAVP', 'SDES': ['no-NULL_HMAC_SHA1_32']",
	  PLAIN,
	  { "+a=crypto:5 ", "=", "?0" } },
	{ "'transport-protocol': 'RTP/SAVP', 'SDES': ['only-AES_256_CM_HMAC_SHA1_32']",
	  PLAIN,
	  { "+a=crypto:1 AES_256_CM_HMAC_SHA1_32 ", "-a=crypto:2 ", "=", "?0" } },
	{ "'transport-protocol': 'RTP/SAVP', 'SDES': ['only-AEAD_AES_256_GCM', "
	  "'no-AEAD_AES_256_GCM']",
	  PLAIN,
	  { "+a=crypto:1 AEAD_AES_256_GCM ", "-a=crypto:2 ", "=", "?0" } },
	{ "'transport-protocol': 'RTP/SAVP', 'SDES': ['only-NULL_HMAC_SHA1_32']",
	  PLAIN,
	  { "+a=crypto:1 AES_CM_128_HMAC_SHA1_80 ", "?1" } },
	{ "'transport-protocol': 'RTP/SAVP', 'SDES': ['no-AES_CM_128_HMAC_SHA1_80', "
	  "'no-AES_256_CM_HMAC_SHA1_80;AEAD_AES_128_GCM;AEAD_AES_256_GCM', "
	  "'no-AES_CM_128_HMAC_SHA1_32']",
	  PLAIN,
	  { "!no suite would be left", "+a=crypto:1 ", "?0" } },
	{ "'transport-protocol': 'RTP/SAVP', 'SDES': "
	  "['order:AEAD_AES_256_GCM;AES_256_CM_HMAC_SHA1_80']",
	  PLAIN,
	  { "+a=crypto:1 AEAD_AES_256_GCM ", "+a=crypto:2 AES_256_CM_HMAC_SHA1_80 ",
	    "+a=crypto:3 AES_CM_128_HMAC_SHA1_80 ", "=", "?0" } },
	{ "'transport-protocol': 'RTP/SAVP', 'flags': "
	  "['SDES-order:AEAD_AES_256_GCM', 'SDES-no-AEAD_AES_256_GCM']",
	  PLAIN,
	  { "+a=crypto:1 AES_CM_128_HMAC_SHA1_80 ", "-a=crypto:5 ", "=", "?0" } },
	{ "'transport-protocol': 'RTP/SAVP', 'SDES': ['nonew']",
	  CRYPTO,
	  { "+a=crypto:1 AES_CM_128_HMAC_SHA1_80 ", "-a=crypto:2 ", "=", "?0" } },
	{ "'transport-protocol': 'RTP/SAVP', 'SDES': ['nonew']",
	  PLAIN,
	  { "+a=crypto:5 ", "=", "?0" } },
	{ "'transport-protocol': 'RTP/SAVP', 'SDES': ['encrypted_srtp', 'pad']",
	  PLAIN,
	  { "+a=crypto:1 ", "=", "?0" } },
	{ "'transport-protocol': 'RTP/SAVP', 'SDES': ['unauthenticated_srtp']",
	  PLAIN,
	  { "!nothing leaves unencrypted", "+a=crypto:1 ", "?0" } },

	/* SRTP that need not be */
	{ "'OSRTP': ['reject']", OSRTP, { "-a=crypto", "+m=audio 16", "=", "?0" } },
	{ "'OSRTP': ['accept']",
	  OSRTP,
	  { "+a=crypto:5 ",
	    "-a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
	    "inline:WVN",
	    "=", "?0" } },
	{ "'flags': ['OSRTP-accept']", PLAIN, { "-a=crypto", "=", "?0" } },
	{ "'flags': ['OSRTP-accept', 'OSRTP-reject']", CRYPTO, { "+a=crypto:1 ", "=", "?0" } },
	{ "", OSRTP, { "+a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVN", "=", "?0" } },

	/* ICE and DTLS */
	{ "'flags': ['webrtc'], 'ICE-lite': 'off'",
	  PLAIN,
	  { "+a=candidate:", "-a=ice-lite", "=", "?0" } },
	{ "'flags': ['webrtc', 'ICE-lite-both']", PLAIN, { "+a=ice-lite\r", "=", "?0" } },
	{ "'flags': ['webrtc'], 'ICE lite': 'forward'", PLAIN, { "+a=ice-lite\r", "=", "?0" } },
	{ "'flags': ['webrtc'], 'ICE-lite': 'backward'", PLAIN, { "+a=ice-lite\r", "=", "?0" } },
	{ "'ICE-lite': 'sometimes'", PLAIN, { "!ice-lite", "?0" } },
	{ "'DTLS-reverse': 'passive'", PLAIN, { "=", "?0" } },
	{ "'DTLS-reverse': 'active'", PLAIN, { "=", "?0" } },
	{ "'DTLS-fingerprint': 'sha-256'", PLAIN, { "=", "?0" } },
	{ "'DTLS-fingerprint': 'SHA-1'", PLAIN, { "!it is by SHA-256", "?0" } },

	/* packets, and how long they are */
	{ "'ptime': 20", PLAIN, { "+a=ptime:20\r", "=", "?0" } },
	{ "'ptime': '40', 'ptime-reverse': 30", PLAIN, { "+a=ptime:40\r", "=", "?0" } },
	{ "'ptime': 30", PTIME, { "+a=ptime:30\r", "-a=ptime:20", "=", "?0" } },
	{ "'ptime': 0", PLAIN, { "-a=ptime", "=", "?1" } },
	{ "'ptime': 'long'", PTIME, { "+a=ptime:20\r", "=", "?1" } },
	{ "'ptime': 20", TWO, { "+a=ptime:20\r\nm=video", "=", "?0" } },
	{ "'ptime-reverse': 20", PLAIN, { "-a=ptime", "=", "?0" } },
	{ "'TOS': 184", PLAIN, { "=", "?0" } },
	{ "'TOS': '-1'", PLAIN, { "=", "?0" } },
	{ "'TOS': 'high'", PLAIN, { "=", "?1" } },
	{ "'delete delay': 5", PLAIN, { "=", "?0" } },
	{ "'delete-delay': -5", PLAIN, { "=", "?1" } },
	{ "'drop-traffic': 'start'", PLAIN, { "=", "?0" } },
	{ "'drop-traffic': 'perhaps'", PLAIN, { "=", "?1" } },

	/* o=, and an address that is none */
	{ "'replace': ['SDP version']", PLAIN, { "+o=- 1 1 IN IP4 10.0.0.1\r", "=", "?0" } },
	{ "'replace': ['SDP-version', 'force-increment-sdp-ver']",
	  PLAIN,
	  { "+o=- 1 2 IN IP4 10.0.0.1\r", "=", "?0" } },
	{ "'replace': ['origin-full']", NAMED, { "+o=alice 1 1 IN IP4 10.0.0.1\r", "=", "?0" } },
	{ "'replace': ['zero address']",
	  ZERO,
	  { "+c=IN IP4 10.0.0.1\r\na=sendonly\r", "-c=IN IP4 0.0.0.0", "=", "?0" } },
	{ "'replace': ['zero-address']", PLAIN, { "-a=sendonly", "=", "?0" } },
	{ "", ZERO, { "+c=IN IP4 0.0.0.0\r", "-a=sendonly", "=", "?0" } },
	{ "'flags': ['loop-protect']", PLAIN, { "+a=tandem:0123456789abcdef\r", "=", "?0" } },
	{ "", PLAIN, { "-a=tandem:", "=", "?0" } },

	/* what of the description is shown */
	{ "'replace': ['username']", PLAIN, { "+o=- 1 1 IN IP4 10.0.0.1\r", "=", "?0" } },
	{ "'replace': ['username']", NAMED, { "+o=- 1 1 IN IP4 10.0.0.1\r", "-o=al", "=", "?0" } },
	{ "", NAMED, { "+o=alice 1 1 IN IP4 10.0.0.1\r", "+s=Talk of the day\r", "?0" } },
	{ "'replace': ['session name']", NAMED, { "+s=-\r", "-s=Talk", "=", "?0" } },
	{ "'replace': ['session-name', 'username']",
	  NAMED,
	  { "+s=-\r", "+o=- 1 1 IN ", "=", "?0" } },
	{ "'replace': ['force-increment-sdp-ver']", PLAIN, { "+o=- 1 2 IN IP4 ", "=", "?0" } },
	{ "'replace': ['force increment SDP version']", PLAIN, { "+o=- 1 2 IN ", "=", "?0" } },
	{ "'flags': ['replace-username', 'replace-force-increment-sdp-ver']",
	  NAMED,
	  { "+o=- 1 2 IN IP4 ", "=", "?0" } },
	{ "'media-address': '192.0.2.99'",
	  PLAIN,
	  { "+c=IN IP4 192.0.2.99\r", "-c=IN IP4 10.0.0.1", "+o=- 1 1 IN IP4 192.0.2.99\r", "=",
	    "?0" } },
	{ "'media address': '2001:db8::99', 'address-family': 'IP6'",
	  PLAIN,
	  { "+c=IN IP6 2001:db8::99\r", "-c=IN IP6 2001:db8:1", "=", "?0" } },
	{ "'media-address': 'nowhere'", PLAIN, { "+c=IN IP4 10.0.0.1\r", "=", "?1" } },
	{ "'media-address': '192.0.2.99'", RTCP, { "+a=rtcp:", "-c=IN IP4 10.0.0.1", "?0" } },
	{ "'media-address': '192.0.2.99', 'flags': ['webrtc']",
	  PLAIN,
	  { "-c=IN IP4 192.0.2.99", "+a=candidate:", "?0" } },
	{ "'flags': ['no-rtcp-attribute']", RTCP, { "-a=rtcp:", "=", "?0" } },
	{ "'flags': ['no rtcp attribute']", PLAIN, { "-a=rtcp:", "=", "?0" } },
	{ "", RTCP, { "+a=rtcp:16", "=", "?0" } },
	{ "'flags': ['full-rtcp-attribute']", PLAIN, { "+a=rtcp:16", "=", "?0" } },
	{ "'flags': ['full rtcp attribute']", RTCP, { "+a=rtcp:16", "=", "?0" } },
	{ "'flags': ['full-rtcp-attribute'], 'media-address': '192.0.2.99'",
	  PLAIN,
	  { "+a=rtcp:16", "+c=IN IP4 192.0.2.99\r", "=", "?0" } },
	{ "'flags': ['generate-mid']", PLAIN, { "+a=mid:1\r", "=", "?0" } },
	{ "'flags': ['generate mid']", TWO, { "+a=mid:1\r", "+a=mid:2\r", "=", "?0" } },
	{ "", TWO, { "+a=mid:1\r", "-a=mid:2", "-a=mid:0", "?0" } },
	{ "'flags': ['block DTMF']", PLAIN, { "+m=audio 16", "=", "?0" } },
	{ "'flags': ['block media', 'block-DTMF']", PLAIN, { "+m=audio 16", "=", "?0" } },

	/* which address of the relay */
	{ "'received-from': ['IP4', '192.0.2.1']", PLAIN, { "+c=IN IP4 10.0.0.1\r", "?0" } },
	{ "'received-from': '192.0.2.1'", PLAIN, { "+c=IN IP4 10.0.0.1\r", "?0" } },
	{ "'direction': ['inside', 'outside']", PLAIN, { "+c=IN IP4 10.0.0.2\r", "?0" } },
	{ "'direction': ['outside', 'inside']", PLAIN, { "+c=IN IP4 10.0.0.1\r", "?0" } },
	{ "'address-family': 'IP6'",
	  PLAIN,
	  { "+c=IN IP6 2001:db8:1::1\r", "+o=- 1 1 IN IP6 ", "?0" } },
	{ "'address family': 'IP4'", PLAIN, { "+c=IN IP4 10.0.0.1\r", "?0" } },
	{ "'direction': ['inside', 'outside'], 'address-family': 'IP6'",
	  PLAIN,
	  { "+c=IN IP6 2001:db8:1::1\r", "?0" } },
	{ "'direction': ['outside', 'inside'], 'address-family': 'IP6'",
	  PLAIN,
	  { "+c=IN IP6 2001:db8:1::1\r", "?0" } },
	{ "'flags': ['address-family=IP6']", PLAIN, { "+c=IN IP6 2001:db8:1::1\r", "?0" } },

	/* how media is secured */
	{ "'transport-protocol': 'RTP/AVP'", PLAIN, { "-a=crypto", "-a=fingerprint", "=" } },
	{ "'transport protocol': 'RTP/SAVP'",
	  PLAIN,
	  { "+a=crypto:", "-a=fingerprint", "=", "?0" } },
	{ "'transport-protocol': 'rtp/savp'", PLAIN, { "+a=crypto:", "?0" } },
	{ "'transport-protocol': 'RTP/SAVPF'", PLAIN, { "+a=crypto:", "?0" } },
	{ "'transport-protocol': 'RTP/SAVP', 'SDES': ['off']",
	  PLAIN,
	  { "-a=crypto", "+a=fingerprint:", "?0" } },
	{ "'transport-protocol': 'UDP/TLS/RTP/SAVPF'",
	  PLAIN,
	  { "+a=fingerprint:", "+a=ice-ufrag:", "+a=candidate:", "-a=crypto", "=" } },
	{ "'transport-protocol': 'UDP/TLS/RTP/SAVP', 'ICE': 'force'",
	  PLAIN,
	  { "+a=setup:", "+a=ice-pwd:", "=", "?0" } },
	{ "'ICE': 'force'", PLAIN, { "!ICE without DTLS", "-a=candidate", "?0" } },
	{ "'transport-protocol': 'RTP/SAVP', 'ICE': 'force'",
	  PLAIN,
	  { "!ICE without DTLS", "+a=crypto:", "-a=fingerprint", "?0" } },
	{ "'transport-protocol': 'RTP/SAVPF', 'ICE': 'force'",
	  PLAIN,
	  { "+a=fingerprint:", "+a=ice-ufrag:", "-a=crypto", "=", "?0" } },
	{ "'flags': ['webrtc']", PLAIN, { "+a=fingerprint:", "+a=candidate:", "=" } },
	{ "'OSRTP': ['offer']", PLAIN, { "+a=crypto:", "+m=audio 16", "=", "?0" } },
	{ "'flags': ['OSRTP-offer'], 'transport-protocol': 'RTP/AVP'",
	  PLAIN,
	  { "+a=crypto:", "=", "?0" } },
	{ "'transport-protocol': 'RTP/AVP'", CRYPTO, { "-a=crypto", "=" } },
	{ "'transport-protocol': 'RTP/SAVP'", CRYPTO, { "+a=crypto:", "=" } },
	{ "", CRYPTO, { "+a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19z", "=" } },
	{ "'transport-protocol': 'UDP/TLS/RTP/SAVPF'",
	  CRYPTO,
	  { "-a=crypto", "+a=fingerprint:", "=" } },
	{ "'transport-protocol': 'RTP/AVP', 'ICE': 'remove'",
	  WEBRTC,
	  { "-a=fingerprint", "-a=ice-ufrag", "-a=candidate", "=" } },
	{ "'transport-protocol': 'RTP/SAVP'", WEBRTC, { "-a=fingerprint", "+a=crypto:", "=" } },
	{ "'transport-protocol': 'UDP/TLS/RTP/SAVPF'",
	  WEBRTC,
	  { "+a=fingerprint:", "-a=fingerprint:sha-256 00:01", "+a=candidate:", "=" } },
	{ "'flags': ['webrtc', 'generate-mid', 'SDES-off']",
	  CRYPTO,
	  { "+a=fingerprint:", "-a=crypto", "=", "?0" } },

	/* which codecs */
	{ "'codec': {'strip': ['PCMA']}",
	  CODECS,
	  { "-a=rtpmap:8 ", "+a=rtpmap:0 ", "+a=rtpmap:96 ", "?0" } },
	{ "'codec': {'strip': ['pcma', 'G722']}",
	  CODECS,
	  { "-a=rtpmap:8 ", "-a=rtpmap:9 ", "+a=rtpmap:0 ", "?0" } },
	{ "'codec': {'mask': ['PCMA']}", CODECS, { "-a=rtpmap:8 ", "+a=rtpmap:0 ", "=", "?0" } },
	{ "'codec': {'strip': 'opus'}", CODECS, { "-a=rtpmap:96 ", "-a=fmtp:96 ", "?0" } },
	{ "'codec': {'strip': ['opus/48000']}", CODECS, { "-a=rtpmap:96 ", "?0" } },
	{ "'codec': {'strip': ['opus/48000/2']}", CODECS, { "-a=rtpmap:96 ", "?0" } },
	{ "'codec': {'strip': ['opus/48000/1']}", CODECS, { "+a=rtpmap:96 ", "?0" } },
	{ "'codec': {'strip': ['opus/16000']}", CODECS, { "+a=rtpmap:96 ", "?0" } },
	{ "'flags': ['codec-strip-PCMA', 'codec-strip-PCMU']",
	  CODECS,
	  { "-a=rtpmap:8 ", "-a=rtpmap:0 ", "+a=rtpmap:9 ", "?0" } },
	{ "'codec': {'strip': ['all'], 'except': ['PCMU']}",
	  CODECS,
	  { "+a=rtpmap:0 ", "-a=rtpmap:8 ", "-a=rtpmap:101 ", "-a=fmtp:96", "?0" } },
	{ "'codec': {'strip': ['full'], 'except': ['PCMA', 'telephone-event']}",
	  CODECS,
	  { "+a=rtpmap:8 ", "+a=rtpmap:101 ", "-a=rtpmap:0 ", "?0" } },
	{ "'codec': {'offer': ['G722', 'PCMA']}",
	  CODECS,
	  { "~ RTP/AVP 9 8 0 96 101\r", "+a=rtpmap:96 ", "=", "?0" } },
	{ "'codec': {'strip': ['all'], 'offer': ['opus', 'PCMA', 'G729']}",
	  CODECS,
	  { "~ RTP/AVP 96 8\r", "-a=rtpmap:0 ", "-a=rtpmap:9 ", "=", "?0" } },
	{ "'codec': {'strip': ['all'], 'except': ['PCMA'], 'offer': ['telephone-event', 'PCMU']}",
	  CODECS,
	  { "~ RTP/AVP 101 0 8\r", "=", "?0" } },
	{ "'codec': {'offer': ['PCMU', 'none']}",
	  CODECS,
	  { "~ RTP/AVP 0 8 9 96 101\r", "=", "?0" } },
	{ "'codec': {'consume': ['PCMA']}", CODECS, { "-a=rtpmap:8 ", "=", "?0" } },
	{ "'codec': {'ignore': ['PCMA']}",
	  CODECS,
	  { "+a=rtpmap:8 ", "!codec-ignore-pcma (nothing is transcoded)", "?0" } },
	{ "'flags': ['single-codec']", CODECS, { "+a=rtpmap:8 ", "=", "?0" } },
	{ "'codec': {'strip': ['PCMA'], 'transcode': ['G729']}",
	  CODECS,
	  { "-a=rtpmap:8 ", "!codec-transcode", "?0" } },
	{ "'codec': {'strip': ['all']}", CODECS, { "+m=audio 16", "?0" } },
	{ "'codec': {'strip': ['no such one']}", CODECS, { "+a=rtpmap:0 ", "=", "?0" } },
	{ "'codec': {'accept': ['PCMA']}", CODECS, { "+a=rtpmap:8 ", "=", "?0" } },
	{ "'rtpp-flags': 'codec-strip-PCMA'", CODECS, { "+a=rtpmap:8 ", "!codecs within", "?0" } },
};

static void offer(struct ng_fixture *ng, const struct row *row)
{
	char request[1024], sdp[2048];

	snprintf(request, sizeof(request),
		 "'command': 'offer', 'call-id': 'c', 'from-tag': 'a'%s%s", *row->flags ? ", " : "",
		 row->flags);
	snprintf(sdp, sizeof(sdp),
		 "v=0\r\no=%s 1 1 IN IP4 192.0.2.1\r\ns=%s\r\nc=IN IP4 192.0.2.1\r\n"
		 "t=0 0\r\n%s",
		 *row->session ? "alice" : "-", *row->session ? "Talk of the day" : "-",
		 *row->media ? row->media : "m=audio 4000 RTP/AVP 0\r\n");
	ng_ask(ng, request, sdp);
}

static bool is_so(const struct ng_fixture *ng, const char *expected)
{
	switch (*expected) {
	case '+':
	case '~':
	case '-':
		return ng_is_so(ng, expected);
	case '!':
		return strstr(ng_text(ng, "warning"), expected + 1) != NULL;
	case '=':
		return !*ng_text(ng, "warning");
	default:
		return ng->unknown == (unsigned int)atoi(expected + 1);
	}
}

static void every_row(void **state)
{
	unsigned int failed = 0;
	struct ng_fixture ng;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ng_open(&ng);
		offer(&ng, &rows[i]);
		if (strcmp(ng_text(&ng, "result"), "ok")) {
			print_error("%s: %s\n", rows[i].flags, ng_text(&ng, "error-reason"));
			failed++;
		}
		for (k = 0; k < 5 && rows[i].expected[k]; k++) {
			if (is_so(&ng, rows[i].expected[k]))
				continue;
			print_error("%s: not %s (%u unknown, warning \"%s\")\n%s\n", rows[i].flags,
				    rows[i].expected[k], ng.unknown, ng_text(&ng, "warning"),
				    ng_text(&ng, "sdp"));
			failed++;
		}
		ng_close(&ng);
	}
	assert_int_equal(failed, 0);
}

static void unknown_interface(void **state)
{
	struct ng_fixture ng;

	(void)state;
	ng_open(&ng);
	ng_ask(&ng,
	       "'command': 'offer', 'call-id': 'c', 'from-tag': 'a', 'direction': ['inside', 'x']",
	       audio("192.0.2.1", 4000, ""));
	ng_assert_result(&ng, "error");
	assert_string_equal(ng_text(&ng, "error-reason"), "Unknown interface in direction");
	ng_close(&ng);
}

/* The leg that faces the offerer is seen when the answer goes back. */
static void both_interfaces(void **state)
{
	struct ng_fixture ng;

	(void)state;
	ng_open(&ng);
	ng_ask(&ng,
	       "'command': 'offer', 'call-id': 'c', 'from-tag': 'a', 'direction': ['outside', "
	       "'inside']",
	       audio("192.0.2.1", 4000, ""));
	ng_ask(&ng, "'command': 'answer', 'call-id': 'c', 'from-tag': 'a', 'to-tag': 'b'",
	       audio("192.0.2.2", 5000, ""));
	assert_true(ng_has_line(&ng, "c=IN IP4 10.0.0.2\r"));
	ng_close(&ng);
}

/* They are searched by halves, so one out of order would not be found. */
static void words_are_in_order(void **state)
{
	static const char *const words[] = { "allow-asymmetric-codecs",
					     "asymmetric",
					     "bundle-strict",
					     "dtls-off",
					     "endpoint-learning-delayed",
					     "ice-remove",
					     "loop-protect",
					     "moh",
					     "no-redis-update",
					     "osrtp-offer",
					     "pad-crypto",
					     "record-call-no",
					     "replace-origin",
					     "rtcp-mux-demux",
					     "sdes-lifetime",
					     "sdes-off",
					     "sdes-on",
					     "sip-source-address",
					     "strict-source",
					     "symmetric",
					     "t.38-no-t.30",
					     "trust-address",
					     "webrtc" };
	size_t i, value;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		value = SIZE_MAX;
		assert_int_not_equal(tandem_ng_word_find(words[i], &value), TANDEM_NG_UNKNOWN);
		assert_true(value == SIZE_MAX); /* as a whole word */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row),
		cmocka_unit_test(unknown_interface),
		cmocka_unit_test(both_interfaces),
		cmocka_unit_test(words_are_in_order),
	};

	return cmocka_run_group_tests_name("ng_flags", tests, NULL, NULL);
}
