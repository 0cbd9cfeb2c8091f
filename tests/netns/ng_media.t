#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Media and DTMF blocked, media silenced, by commands of the NG protocol during a call, in each
# datapath: what is blocked does not arrive, what is silenced arrives as silence, all else goes on.
#
#   caller 10.77.1.2 ---- relay: tandem, SIP off ---- callee 10.77.2.2
#        \_____________ ng_media.py, in all three _____________/

. "$(dirname "$0")/calls.sh"

# steps_until WORD: the lines of ng_media.py as TAP, up to this one or the last.
steps_until()
{
	local how what
	while read -r how what; do
		case $how in
		"$1") return 0 ;;
		ok) tap_ok "$what ($DATAPATH)" ;;
		*) tap_fail "$how $what ($DATAPATH)" ;;
		esac
	done <&3
	return 1
}

commanded()
{
	local client
	check "tandem starts ($DATAPATH)" start_tandem "$DATAPATH" || return
	mkfifo "$WORK/in.$DATAPATH" "$WORK/out.$DATAPATH"
	"$PYTHON" "$NETNS/ng_media.py" --caller "$(ns_name caller)" --callee "$(ns_name callee)" \
		--relay "$(ns_name relay)" --tandem "$TANDEM" --socket "$SOCK" \
		<"$WORK/in.$DATAPATH" >"$WORK/out.$DATAPATH" 2>&1 &
	client=$!
	exec 4>"$WORK/in.$DATAPATH" 3<"$WORK/out.$DATAPATH"
	if steps_until restart; then
		check "the flows are in $DATAPATH" session_has "flows.*.offload=$DATAPATH"
		check "tandem stops" relay_stops
		check "tandem starts again" tandem_launch
		echo >&4
		steps_until end
	fi
	exec 4>&- 3<&-
	check "all of it went as it should ($DATAPATH)" wait "$client"
	check "no session is left" wait_for 5 session_count_is 0
	check "tandem stops when told to" relay_stops
}

test_begin 120 clang-16
need_tandem
topology_up || tap_bail topology
SIP_EXTRA="mode: off"
YAML_EXTRA="ng: {listen: [\"udp:127.0.0.1:2223\"]}"
DATAPATH=xdp
commanded
DATAPATH=uring
commanded
tap_done
