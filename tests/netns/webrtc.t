#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A browser (headless Chromium) and a plain phone call each other, and two WebRTC peers
# (Chromium, aiortc): ICE and DTLS-SRTP end at the relay. Everyone plays a tone of its own;
# the tone that the other hears says who is heard. WebRTC peers send pictures besides, in one
# bundle with the sound, or apart where one of them knows no bundles; baresip is one besides that has
# RTCP as a component of its own. Where the fast path does SRTP, nearly every packet takes it once ICE
# is done.
#
#   caller: Chromium 700 Hz, or baresip ---- relay (tandem) ---- callee: baresip 1200 Hz,
#                                                                Chromium, or aiortc 1500 Hz

. "$(dirname "$0")/calls.sh"
. "$(dirname "$0")/browsers.sh"
test_begin 230 chromium baresip
need_tandem
topology_up || tap_bail "topology"
"$PYTHON" -c 'import aiortc' 2>/dev/null || tap_skip_all "needs python3-aiortc"

WEB_SECONDS=7

# web_start NS NAME SIDE OPTIONS...: a WebRTC phone; its report in NAME.json.
web_start()
{
	local ns=$1 name=$2 side=$3
	shift 3
	rm -f "$WORK/$name.json"
	ns_start "$ns" "$WORK/$name.json" "$PYTHON" "$NETNS/webphone.py" --local "10.77.$side.2:5070" \
		--proxy "10.77.$side.1:5060" --user "$name" --seconds "$WEB_SECONDS" "$@"
	WEB_PID=$LAST_PID
}

# near FILE HZ: the WebRTC phone's report has heard that tone, to 2 %.
near()
{
	"$PYTHON" - "$1" "$2" <<-'EOF'
		import json, sys
		report = json.loads(open(sys.argv[1]).read().splitlines()[-1])
		print(report)
		hz = int(sys.argv[2])
		sys.exit(not (report["connected"] and report["received"] > 150 and
		              report["level_db"] > -50 and abs(report["peak_hz"] - hz) <= hz / 50 + 5))
	EOF
}

# sees FILE: pictures came, and were decoded.
sees()
{
	"$PYTHON" - "$1" <<-'EOF'
		import json, sys
		report = json.loads(open(sys.argv[1]).read().splitlines()[-1])
		print(report)
		sys.exit(not (report["frames"] >= 15 and report["frames_sent"] >= 15))
	EOF
}

# alone FILE: pictures were refused, and so the sound is all there is.
alone()
{
	"$PYTHON" - "$1" <<-'EOF'
		import json, sys
		report = json.loads(open(sys.argv[1]).read().splitlines()[-1])
		print(report)
		sys.exit(not (report["frames"] == report["frames_sent"] == 0 and
		              report["transceivers"] == ["sendrecv"]))
	EOF
}

# ice ROLE: what the relay is in ICE with some party of the live session, which is connected.
ice()
{
	session_save "$WORK/ice.json" && "$PYTHON" - "$WORK/ice.json" "$1" <<-'EOF'
		import json, sys
		wires = [m[p]["security"]["wire"] for m in json.load(open(sys.argv[1]))["media"] for p in "ab"]
		print(wires)
		sys.exit(not any(w and (w["ice_role"], w["ice"]) == (sys.argv[2], "connected") for w in wires))
	EOF
}

MEDIA_EXTRA='security: [{peer: 10.77.2.0/24, policy: plain}, {peer: 10.77.1.0/24, policy: auto, ice: full}]'
check "tandem starts, with plain phones on one side" start_tandem || tap_done
PHONE_ANSWER=auto plain_phone callee bob 1200
web_start caller web 1 --call sip:bob@example.test --tone 700 --video --data
media_passes
check "the relay checks, and is controlled by the browser" ice controlled
check "the browser's call ends well" pid_wait "$WEB_PID"
check "the browser hears bob" near "$WORK/web.json" 1200
check "bob's phone has no pictures, and the browser knows" alone "$WORK/web.json"
plain_heard bob 700
check "no session is left" wait_for 5 session_count_is 0
check "tandem stops" relay_stops

# rtcp FROM KIND...: RTCP has come from that party by flows of those kinds, and there are no others.
rtcp()
{
	session_save "$WORK/rtcp.json" && "$PYTHON" - "$WORK/rtcp.json" "$@" <<-'EOF'
		import json, sys
		flows = [f for f in json.load(open(sys.argv[1]))["flows"] if f["from"] == sys.argv[2]]
		kinds = sorted(f["kind"] for f in flows)
		print(flows)
		sys.exit(not (kinds == sorted(sys.argv[3:]) and
		              all(f["rtcp_packets"] for f in flows if f["kind"] != "rtp")))
	EOF
}

# The callee takes no rtcp-mux: what comes in one flow leaves as two components, each with keys of its
# own, and two flows become one. Its phone says what RTCP it could read.
MEDIA_EXTRA='security: [{peer: 10.77.2.0/24, policy: dtls}]'
check "tandem starts, with phones that do not multiplex on one side" start_tandem || tap_done
PHONE_ANSWER=auto PHONE_MEDIAENC=dtls_srtp PHONE_MEDIANAT=ice PHONE_MUX=no plain_phone callee bob 1200
web_start caller web 1 --peer aiortc --call sip:bob@example.test --tone 700
media_passes
check "RTCP comes from the caller with its media" wait_for 10 rtcp a mux
check "RTCP comes from bob by a component of its own" wait_for 10 rtcp b rtp rtcp
check "bob's phone reads the caller's RTCP" phone_event bob 10 CALL_RTCP
check "the caller's call ends well" pid_wait "$WEB_PID"
check "the caller hears bob" near "$WORK/web.json" 1200
check "bob had a handshake for RTCP" grep -q 'DTLS-SRTP complete (audio/RTCP)' "$WORK/bob.log"
plain_heard bob 700
check "no session is left" wait_for 5 session_count_is 0
check "tandem stops" relay_stops

MEDIA_EXTRA='security: [{peer: 10.77.2.0/24, policy: dtls, ice: full}]'
check "tandem starts, with browsers on one side" start_tandem || tap_done
web_start callee web 2 --answer --tone 700
WEB_CALLEE=$WEB_PID
check "the browser is registered" wait_for 20 eval 'tandem registrations | grep -q web@'
plain_phone caller alice 1200
phone alice dial sip:web@example.test
media_passes
check "the browser's call ends well" pid_wait "$WEB_CALLEE"
check "the browser hears alice" near "$WORK/web.json" 1200
plain_heard alice 700

# web_call CALLEE OPTIONS...: from Chromium to another WebRTC peer; CALLER has further options.
web_call()
{
	local peer=$1
	shift
	web_start callee other 2 --answer --peer "$peer" --tone 1500 --video "$@"
	WEB_CALLEE=$WEB_PID
	check "$peer is registered" wait_for 20 eval 'tandem registrations | grep -q other@'
	# shellcheck disable=SC2086
	web_start caller web 1 --call sip:other@example.test --tone 700 --video $CALLER
	media_passes
	check "the relay is lite for the caller" ice lite
	check "and checks the callee, and controls" ice controlling
	check "the caller's call ends well" pid_wait "$WEB_PID"
	check "$peer's call ends well" pid_wait "$WEB_CALLEE"
	check "the caller hears $peer" near "$WORK/web.json" 1500
	check "the caller sees $peer" sees "$WORK/web.json"
	check "$peer hears the caller" near "$WORK/other.json" 700
	check "$peer sees the caller" sees "$WORK/other.json"
}

CALLER='' web_call aiortc
CALLER='--mdns --data' web_call chromium
# The caller's bundle parts ways at the relay, which finds out which SSRC is of what.
CALLER=--hide-ssrcs web_call aiortc --apart
relay_ends
tap_done
