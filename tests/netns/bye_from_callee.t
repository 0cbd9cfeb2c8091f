#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The callee hangs up.
#
#   caller (sipp) ---- relay (tandem) ---- callee (sipp) -- BYE

. "$(dirname "$0")/calls.sh"
AUDIO_PORT=7000
relay_begin 45
UAS_OPTIONS="-d 2500" call_start uac_wait_bye uas_bye
call_answered
media_both 50
media_exact 50
call_ended
relay_ends
tap_done
