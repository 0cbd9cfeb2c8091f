#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# An operator ends a call: `tandem session end ID`. The media stops at once.
#
#   caller ---- relay (tandem session end) ---- callee

. "$(dirname "$0")/calls.sh"
AUDIO_PORT=7000
relay_begin 45
call_start uac_quiet uas_answer -d 20000
call_answered
media_both 30
media_exact 30
check "the session ends" tandem session end "$(session_ids)"
check "it is gone" wait_for 2 session_count_is 0
check_not "an unknown session cannot be shown" tandem session show nosuchsession
media_both 20
check "nothing passes any more" field "$WORK/b.json" has streams=[]
stop_pid "$UAC_PID" KILL
stop_pid "$UAS_PID" KILL
relay_ends
tap_done
