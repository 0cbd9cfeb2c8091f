#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Signalling over TCP on both sides, then TCP to UDP: the media does not care.
#
#   caller (sipp, tcp) ---- relay (tandem) ---- callee (sipp, tcp, then udp)

. "$(dirname "$0")/calls.sh"
AUDIO_PORT=7000
relay_begin 60
for called in "-t t1" ""; do
	name=${called:+tcp}
	REG_OPTIONS=$called UAS_OPTIONS=$called call_start uac_quiet uas_answer -t t1 -d 5000
	call_answered
	media_both 50
	media_exact 50 "(tcp to ${name:-udp})"
	call_ended
	rm -f "$WORK"/ua?_actions.log
done
relay_ends
tap_done
