# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Browsers, and plain phones that they talk to: each plays a tone of its own, and the one that the
# other hears says who is heard. Sourced behind calls.sh.

SIPJS=$NETNS/browser/sipjs.py
SIPJS_LIB=$WORK/sipjs

# sipjs_fetch: SIP.js, for browser.
sipjs_fetch()
{
	"$PYTHON" "$SIPJS" fetch "$SIPJS_LIB" 2>"$WORK/fetch.log" ||
		tap_skip_all "SIP.js cannot be fetched: $(tail -n 1 "$WORK/fetch.log")"
}

# browser NAME OPTIONS...: a browser phone at SIPJS_SERVER, its lines in NAME.json.
browser()
{
	local name=$1
	shift
	ns_start caller "$WORK/$name.json" "$PYTHON" "$SIPJS" run --lib "$SIPJS_LIB" \
		--server "$SIPJS_SERVER" --user web --tone 700 "$@"
	WEB_PID=$LAST_PID
}

# heard_by_browser NAME HZ
heard_by_browser()
{
	"$PYTHON" - "$WORK/$1.json" "$2" <<-'EOF'
		import json, sys
		report = json.loads(open(sys.argv[1]).read().splitlines()[-1])
		print(report)
		hz = int(sys.argv[2])
		sys.exit(not (report["received"] > 100 and report["level_db"] > -50 and
		              abs(report["peak_hz"] - hz) <= hz / 50 + 5))
	EOF
}

# media_passes: of the live session, nearly all of it by the fast path where that does SRTP.
media_passes()
{
	check "media passes both ways" wait_for 15 session_has 'verdict~two.way' 'flows.+.packets>'"200"
	[ "$(datapath_expected)" = uring ] && return
	if [ "$(datapath_expected)" = xdp ] ||
		session_has "flows.*.offload=$(datapath_expected)" >/dev/null 2>&1; then
		check "more than 99 % of the packets take the fast path" wait_for 5 fast_share 990
	else
		tap_note "$(datapath_expected) leaves SRTP to io_uring"
		check "the session says why" session_has 'flows.*.reason~SRTP'
	fi
}

# plain_phone NS USER HZ: baresip that sends a tone and nothing else.
plain_phone()
{
	local ns=$1 user=$2 hz=$3
	"$PYTHON" "$NETNS/tone.py" make "$WORK/$user.wav" "$hz" 30
	check "$user's phone starts" phone_start "$ns" "$user"
	PLAIN_PID=$PHONE_PID
	check "$user is registered" phone_registered "$user" 5
}

# plain_heard USER HZ: that phone is stopped, and has heard that tone.
plain_heard()
{
	stop_pid "$PLAIN_PID"
	check "$1 hears the browser" test "$("$PYTHON" "$NETNS/tone.py" peak "$(heard "$1")")" = "$2"
	rm -rf "${WORK:?}/$1" "$WORK/$1.events"
}
