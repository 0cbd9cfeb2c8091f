#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# linphone, which shares no code with baresip: it registers with its password, calls and is
# called, holds and resumes; each phone hears the tone of the other. Once without SRTP, once with
# its own SRTP, which the relay ends, as bob has none. Needs linphonec (Debian: linphone-cli).
#
#   alice (linphonec plays alice.wav) ---- relay (tandem) ---- bob (baresip plays bob.wav)

. "$(dirname "$0")/calls.sh"
for tool in linphonec baresip; do
	command -v $tool >/dev/null || tap_skip_all "needs $tool"
done
MEDIA_EXTRA="security: [{peer: 10.77.1.2, policy: sdes_prefer}, {peer: 10.77.2.2, policy: plain}]"
SIP_EXTRA="auth_algorithms: [md5]" # baresip 1.0 knows no other

# linphone_start none|srtp: alice's phone, without a sound card. It does what is written to its
# commands.
linphone_start()
{
	local dir=$WORK/linphone
	rm -rf "$dir"
	mkdir -p "$dir/.local/share/linphone"
	mkfifo "$dir/commands"
	cat >"$dir/rc" <<-EOF
		[sip]
		sip_port=5060
		sip_tcp_port=0
		sip_tls_port=0
		default_proxy=0
		media_encryption=$1
		[proxy_0]
		reg_proxy=<sip:10.77.1.1;transport=udp>
		reg_route=<sip:10.77.1.1;transport=udp;lr>
		reg_identity=<sip:alice@example.test>
		reg_expires=60
		reg_sendregister=1
		publish=0
		[auth_info_0]
		username=alice
		passwd=secret
		domain=example.test
		realm=example.test
	EOF
	# for writing, too: it would end with the first command otherwise
	ns_start caller "$WORK/linphone.log" env HOME="$dir" bash -c \
		'exec linphonec -S -c "$0/rc" <>"$0/commands"' "$dir"
	LINPHONE_PID=$LAST_PID
	linphone soundcard use files
	wait_for 10 said 'using wav files'
}

linphone()
{
	echo "$*" >"$WORK/linphone/commands"
}

said()
{
	grep -qi "$1" "$WORK/linphone.log"
}

# heard_tone FILE HZ: a pure tone, and it is that one.
heard_tone()
{
	local hz
	hz=$("$PYTHON" "$NETNS/tone.py" peak "$1") || return 1
	echo "$hz"
	[ "$hz" = "$2" ]
}

auth_is()
{
	tandem stats | field - has "auth.mode=$1"
}

is_registered()
{
	tandem registrations | grep -q "\"sip:$1@example.test\""
}

# more_packets COUNT: since it was asked for with this count for the first time.
more_packets()
{
	local now
	session_save "$WORK/live.json" && now=$(field "$WORK/live.json" get flows.+.packets) || return 1
	[ "${PACKETS_WANTED:=$((now + $1))}" -le "$now" ] && unset PACKETS_WANTED
}

relay_begin 60
for user in alice bob; do
	check "$user becomes a user" eval "timeout 5 '$TANDEM' user add $user -c '$WORK/tandem.yaml' <<<secret"
done
check "the relay asks from now on" wait_for 5 auth_is required
"$PYTHON" "$NETNS/tone.py" make "$WORK/bob.wav" 1000 60
"$PYTHON" "$NETNS/tone.py" make "$WORK/alice.wav" 600 60
check "bob's phone starts" eval "PHONE_ANSWER=auto phone_start callee bob"
check "bob is registered" wait_for 10 is_registered bob

# alice_calls SECURITY: what the relay has to have with her.
alice_calls()
{
	check "linphone is registered, with its password" wait_for 10 is_registered alice
	: >"$WORK/bob.events"
	linphone record "$WORK/heard-$1.wav"
	linphone call sip:bob@example.test
	check "bob's phone answers" phone_event bob 10 CALL_ESTABLISHED
	linphone play "$WORK/alice.wav" # until then it is silent
	check "packets pass both ways, $1" wait_for 10 session_has 'verdict~two.way' \
		"media.0.a.security.kind=$1" media.0.b.security.kind=none 'flows.+.packets>260'
}

alice_ends()
{
	linphone terminate
	check "bob hears that it is over" phone_event bob 10 CALL_CLOSED
	check "no session is left by alice's BYE" wait_for 5 session_count_is 0
	check "bob has heard alice" heard_tone "$(heard bob)" 600
}

linphone_ends()
{
	linphone quit
	check "linphone takes its registration back" wait_for 10 not is_registered alice
	check "and goes" wait_for 10 not alive "$LINPHONE_PID"
}

# ---- without SRTP
check "linphone starts" linphone_start none || tap_done
alice_calls none
check "every flow is offloaded" field "$WORK/live.json" has "flows.*.offload=$(datapath_expected)"
alice_ends
linphone_ends
check "alice has heard bob" heard_tone "$WORK/heard-none.wav" 1000

# ---- with SRTP
check "linphone starts, with SRTP" linphone_start srtp || tap_done
alice_calls sdes
linphone pause
check "linphone holds the call" wait_for 5 session_has media.0.a.hold=true
linphone resume
check "and takes it up again" wait_for 5 session_has media.0.a.hold=false
linphone play "$WORK/alice.wav"
check "with packets again" wait_for 15 more_packets 240
alice_ends
phone bob dial sip:alice@example.test
check "linphone rings" wait_for 10 said 'new incoming call from sip:bob@example.test'
linphone answer
# RTP with keys beside it (RFC 8643) is RTP to it
check "packets pass both ways, when it is called" wait_for 10 session_has 'verdict~two.way' \
	media.0.b.security.kind=none 'flows.+.packets>100'
phone bob hangup
check "linphone hears that it is over" wait_for 5 said 'Call 2 with .* ended'
check "no session is left by bob's BYE" wait_for 5 session_count_is 0
linphone_ends
check "alice has heard bob, by SRTP" heard_tone "$WORK/heard-sdes.wav" 1000
relay_ends
tap_done
