#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Users and passwords: phones that know theirs register and call, others do not, and who
# guesses, replays or floods is held off without harm to the others.
#
#   caller (sipp, baresip: alice; a script) ---- relay (tandem) ---- callee (sipp, baresip: bob)

. "$(dirname "$0")/calls.sh"

# user COMMAND NAME [PASSWORD]: tandem user, as an operator has it in a script.
user()
{
	timeout 5 "$TANDEM" user "$1" "$2" -c "$WORK/tandem.yaml" <<<"${3:-}"
}

# attack NS STEP...: the script with the odd phone, from the address of NS.
attack()
{
	local ns=$1 side=1
	shift
	[ "$ns" = callee ] && side=2
	ns_run "$ns" "$PYTHON" "$NETNS/sip_auth.py" ${ATTACK_OPTIONS:-} "10.77.$side.2" \
		"10.77.$side.1:5060" "$@" | tee "$WORK/attack.out"
	return "${PIPESTATUS[0]}"
}

# auth_has CONDITION...: of the counters of tandem stats.
auth_has()
{
	tandem stats >"$WORK/stats.json" && field "$WORK/stats.json" has "$@"
}

registrations_are()
{
	[ "$(tandem registrations | grep -o '"aor"' | wc -l)" = "$1" ]
}

logged()
{
	grep -q "$1" "$WORK/tandem.log"
}

# ---- open until there is a user -------------------------------------------
SIP_EXTRA=$'auth_failures: 6\n  auth_block_s: 3\n  source_rate: 20'
relay_begin 150
check "it says that it is open" logged 'anybody who reaches the SIP ports can register and call'
check "anybody registers" attack callee ask 200
check "stats say so" auth_has auth.mode=open
check "alice becomes a user" user add alice secret
check "bob becomes a user" user add bob secret
check_not "twice is once too often" user add bob secret
check "the relay asks from then on" wait_for 5 auth_has auth.mode=required
check "and forgets who was not asked" registrations_are 0

# ---- registering ----------------------------------------------------------
check "without a password nobody registers" attack callee ask 401
check "with SHA-256" attack callee ask 401 answer 200 answer 200
ATTACK_OPTIONS="--hash md5" check "with MD5" attack callee ask 401 answer 200
check "a replay does not pass" attack callee ask 401 answer 200 same 401 answer 200 same 401
check "nor another's name" attack callee ask 401 as alice 403 as mallory 403
check "counts may overtake each other" attack callee ask 401 count 5 200 count 3 200
check "it is all counted" auth_has 'auth.replayed>0' 'auth.forbidden=2' 'auth.accepted>5'

# ---- guessing and flooding ------------------------------------------------
check "who guesses is not answered any more" attack caller ask 401 guess 20
check "soon enough" test "$(awk '$1 == "guess" { print $2 }' "$WORK/attack.out")" -le 6
check "it is counted" auth_has auth.blocked_sources=1 'auth.blocked>0'
check "and logged" logged '10.77.1.2 blocked for 3 s'
check "others are not concerned" attack callee ask 401 answer 200
check "and it ends" wait_for 8 attack caller ask 401
check "a flood is not answered in full" attack caller flood 800
check "only as far as allowed" test "$(awk '{ print $2 }' "$WORK/attack.out")" -lt 500
check "the rest is counted" auth_has 'auth.limited>0'
check "others are served meanwhile" attack callee ask 401 answer 200

# ---- users go -------------------------------------------------------------
check "bob's password changes" user passwd bob other
check "the old one is of no use" attack callee ask 401 answer 401
ATTACK_OPTIONS="--password other" check "the new one is" attack callee ask 401 answer 200
check "bob is removed" user remove bob
check "and his contacts with him" wait_for 5 registrations_are 0
relay_ends

# ---- phones that know MD5 only --------------------------------------------
# RFC 8760 has them pass over what they do not know; sipp 3.6 and baresip 1.0 give up
SIP_EXTRA=$'auth_algorithms: [md5]'
check "tandem starts with MD5 alone" start_tandem || tap_done
check "bob is a user again" user add bob secret
check "sipp registers" register callee bob 5060 "$B_SIP"
SIPP_PASSWORD=wrong check_not "not with a wrong password" register callee bob 5060 "$B_SIP"
AUDIO_PORT=7000
call_start uac_auth uas_answer -d 2500 -au alice
call_answered
media_both 50
media_exact 50 "(with passwords)"
call_ended
check "bob's phone saw no credentials" not grep -q '^Proxy-Authorization' "$WORK/uas_messages.log"
check "but alice's sent them" grep -q '^Proxy-Authorization' "$WORK/uac_messages.log"
rm -f "$WORK"/ua?_*.log
SIPP_TIMEOUT=5
check_not "no call without" sipp_run caller uac uac_quiet "$A_SIP" -p 5060 -s bob -m 1 -d 500
check "it was asked for" grep -q '^SIP/2.0 407' "$WORK/uac_messages.log"
rm -f "$WORK"/ua?_*.log
SIPP_PASSWORD=wrong check_not "no call with a wrong one" sipp_run caller uac uac_auth "$A_SIP" \
	-p 5060 -s bob -m 1 -d 500 -au alice
unset SIPP_TIMEOUT
phones_talk "with passwords"
check "credentials were asked for and given" auth_has auth.mode=required 'auth.accepted>2'
failed=$(tandem stats | field - get auth.failed)
PHONE_PASSWORD=wrong check "bob's phone starts with another password" \
	phone_start callee bob
check "and is not registered" wait_for 10 auth_has "auth.failed>$failed"
stop_pid "$PHONE_PID"
check_not "nor ever was" grep -Eq 'bob@.*200 OK' "$WORK/bob.log"
check "tandem stops" relay_stops

# ---- a trusted trunk ------------------------------------------------------
SIP_EXTRA=$'auth: required\n  trusted: [10.77.2.0/24]\n  source_rate: 1'
check "tandem starts with a trunk" start_tandem || tap_done
check "the trunk needs no password, and has no limit" attack callee ask 200 flood 100
check "none is left out" test "$(awk '$1 == "flood" { print $2 }' "$WORK/attack.out")" -eq 100
check "others do" attack caller ask 401
relay_ends
tap_done
