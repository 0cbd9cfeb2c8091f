#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Two phones that secure their media between themselves, by keys in SDP (RFC 4568) and
# by a DTLS handshake (RFC 5764). The relay has no keys and is not to get in the way.
#
#   alice (baresip, SRTP) ---- relay (tandem) ---- bob (baresip, SRTP)

. "$(dirname "$0")/calls.sh"
relay_begin 90
need_tool g711cmp
command -v baresip >/dev/null || tap_skip_all "needs baresip"

PHONE_MEDIAENC=srtp-mand phones_talk SDES media.0.srtp=true
PHONE_MEDIAENC=dtls_srtp phones_talk DTLS media.0.srtp=true
check "the handshakes passed" eval 'tandem stats | field - has fast.forwarded_dtls\>3'
relay_ends
tap_done
