#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Feedback between WebRTC (SAVPF) and a plain phone (AVP) that knows NACK and PLI, in a call with pictures whose
# bundle parts ways at the relay. The browser does not say its SSRCs: the relay finds out whose they
# are, and no packet is lost over that. The phone says back what it hears, but not all at once: the
# browser has to ask for a picture to begin with and for packets, and so does the phone.
#
#   caller: Chromium, one transport ---- relay (tandem) ---- callee: web_echo.py, a pair of ports each

. "$(dirname "$0")/calls.sh"
test_begin 90 chromium
need_tandem
topology_up || tap_bail "topology"

# web_start NS NAME SIDE OPTIONS...: a phone; its report in NAME.json.
web_start()
{
	local ns=$1 name=$2 side=$3
	shift 3
	ns_start "$ns" "$WORK/$name.json" "$PYTHON" "$NETNS/webphone.py" --local "10.77.$side.2:5070" \
		--proxy "10.77.$side.1:5060" --user "$name" "$@"
	WEB_PID=$LAST_PID
}

# both EXPRESSION: holds of the two reports, as web and echo.
both()
{
	"$PYTHON" - "$WORK/web.json" "$WORK/echo.json" "$1" <<-'EOF'
		import json, sys
		web, echo = (json.loads(open(name).read().splitlines()[-1]) for name in sys.argv[1:3])
		print(web, echo)
		sys.exit(not eval(sys.argv[3]))
	EOF
}

MEDIA_EXTRA='security: [{peer: 10.77.2.0/24, policy: plain}, {peer: 10.77.1.0/24, policy: auto}]'
check "tandem starts" start_tandem || tap_done
web_start callee echo 2 --answer --peer echo --seconds 60
ECHO_PID=$WEB_PID
check "the phone is registered" wait_for 10 eval 'tandem registrations | grep -q echo@'
web_start caller web 1 --call sip:echo@example.test --video --hide-ssrcs --hush --seconds 8
check "the browser's call ends well" pid_wait "$WEB_PID"
check "the phone's call ends well" pid_wait "$ECHO_PID"
check "the phone is offered AVP, and feedback that it may use" both \
	'echo["profiles"] == ["RTP/AVP", "RTP/AVP"] and set(echo["video"]["feedback"]) == {"nack", "nack pli"}'
check "no picture's packet is lost, also not the first" both \
	'echo["video"]["received"] == web["video_sent"] - web["video_resent"] > 50'
check "nor one of sound" both 'echo["audio"]["received"] == web["sent"] > 150'
check "the browser's PLI reaches the phone" both 'echo["video"]["rtcp"]["pli"] >= 1 and web["pli"] >= 1'
check "the phone's PLI reaches the browser, which sends a picture to begin with" both \
	'web["plied"] >= 1 and web["frames"] >= 15'
check "the browser's NACK reaches the phone, and the packet the browser" both \
	'echo["video"]["rtcp"]["nack"] >= 1 and echo["video"]["resent"] >= 1 and web["nack"] >= 1'
check "the phone's NACK reaches the browser, and the packet the phone" both \
	'web["nacked"] >= 1 and web["video_resent"] >= 1 and echo["video"]["repeated"] >= 1'
check "reports of each media reach its ports" both \
	'all(echo[kind]["rtcp"]["sr"] >= 1 and echo[kind]["rtcp"]["rr"] >= 1 for kind in ("audio", "video"))'
relay_ends
tap_done
