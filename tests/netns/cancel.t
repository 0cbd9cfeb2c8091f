#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Calls that never come about: cancelled while ringing, and rejected.
#
#   caller (sipp) ---- relay (tandem) ---- callee (sipp)

. "$(dirname "$0")/calls.sh"
relay_begin 45
call_start uac_cancel uas_cancel -d 1500
check "a ringing call is a session" wait_for 3 session_count_is 1
call_ended
check "a cancelled call is none" wait_for 3 session_count_is 0
call_start uac_reject uas_reject
call_ended
check "a rejected call is none" wait_for 3 session_count_is 0
relay_ends
tap_done
