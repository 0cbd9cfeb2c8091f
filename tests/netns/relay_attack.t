#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A party names addresses that it could not reach by itself, so that the relay would send there
# (CVE-2020-26262 and its kin): loopback, the host's other services, the metadata service of a cloud,
# groups, broadcast; when it calls, in the middle of a call, and when it is called. Each is refused with
# its reason, and nobody there hears anything; but where it is allowed media does go there.
#
#   mallory 10.77.1.2 ---- relay (tandem): listeners on ---- bob 10.77.2.2
#                          :5004, :5005, :5353               169.254.169.254:80

. "$(dirname "$0")/calls.sh"
. "$(dirname "$0")/parties.sh"

# listen NS PORT...: what else is on that host
listen()
{
	ns_start "$1" "$WORK/$1.heard" "$PYTHON" "$NETNS/listeners.py" "${@:2}"
	wait_for 5 grep -q ready "$WORK/$1.heard"
}

nobody_hears()
{
	not grep heard "$WORK/$1.heard"
}

mallory()
{
	ns_run "$1" "$PYTHON" "$NETNS/relay_attack.py" "${@:2}" >"$WORK/mallory.json"
}

# refused NAME [PART]: whatever was named there, the answer is 403 and says why.
refused()
{
	"$PYTHON" - "$WORK/$1.json" "${@:2}" <<-'EOF'
		import json, sys
		told = json.load(open(sys.argv[1]))
		for part in sys.argv[2:]:
		    told = told[part]
		wrong = {name: was for name, was in told.items()
		         if was[0] != 403 or "denied network" not in was[1]}
		print(len(told), wrong)
		sys.exit(bool(wrong) or len(told) < 20)
	EOF
}

bob_begins()
{
	party_start callee bob --answer --local 10.77.2.2:5060 --proxy "$B_SIP" \
		--media 10.77.2.2:7000 --ssrc 0xb0b00001
	check "bob is ready" wait_for 5 party_is bob ready
}

test_begin 60
need_tandem
topology_up || tap_bail "topology"
addr_add callee phone0 169.254.169.254/32
ip -n "$(ns_name relay)" route add 169.254.169.254 dev to_callee
listen relay 5004 5005 5353 || tap_bail "the listeners of the relay's host"
listen callee 80 5004 5353 || tap_bail "the listeners beyond"

check "tandem starts" start_tandem || tap_done
bob_begins
check "mallory calls" mallory caller offers --local 10.77.1.2:5060 --proxy "$A_SIP" \
	--call sip:bob@example.test
check "every address that she offers is refused" refused mallory offers
check "candidates are no addresses" field "$WORK/mallory.json" has candidates.0=200
check "a call that is up cannot be led there" refused mallory redirects
check "bob's call ends well" party_ended bob
check "bob has been heard all the while" field "$WORK/bob.json" has 'sent>40'

ns_start callee "$WORK/answers.json" "$PYTHON" "$NETNS/relay_attack.py" answers \
	--local 10.77.2.2:5060 --proxy "$B_SIP"
ANSWERS=$LAST_PID
check "mallory is there to be called" wait_for 5 grep -q ready "$WORK/answers.json"
check "she is called" mallory caller calls --local 10.77.1.2:5060 --proxy "$A_SIP" \
	--call sip:mallory@example.test
check "every address that she answers is refused" refused mallory
check "she has a BYE for each of her answers" pid_wait "$ANSWERS"
check "nobody on the relay's host has heard anything" nobody_hears relay
check "nor has anybody beyond" nobody_hears callee
relay_ends

# So that silence means something.
rm -f "$WORK"/tandem.db*
MEDIA_EXTRA='allow: [169.254.169.254, 10.77.2.1]'
check "tandem starts, and is told to allow some" start_tandem || tap_done
bob_begins
party_start caller alice --call sip:bob@example.test --local 10.77.1.2:5060 --proxy "$A_SIP" \
	--media 10.77.1.2:7000 --says 10.77.2.1:5004
check "alice names a service of the host" wait_for 5 party_is alice answered
check "it hears bob" wait_for 5 grep -q 'heard 5004' "$WORK/relay.heard"
kill -USR2 "${PARTY[alice]}"
check "alice ends well" party_ended alice
check "bob ends well" party_ended bob
bob_begins
party_start caller alice --call sip:bob@example.test --local 10.77.1.2:5060 --proxy "$A_SIP" \
	--media 10.77.1.2:7000 --says 169.254.169.254:80
check "alice names what is link-local" wait_for 5 party_is alice answered
check "it hears bob, too" wait_for 5 grep -q 'heard 80' "$WORK/callee.heard"
kill -USR2 "${PARTY[alice]}"
check "alice ends well again" party_ended alice
check "bob ends well again" party_ended bob
relay_ends
tap_done
