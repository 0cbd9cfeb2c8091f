# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Shell functions: a Python program that is both phones and NG client, step by step.

. "$(dirname "${BASH_SOURCE[0]}")/calls.sh"

# steps_until WORD...: the lines of the program as TAP, up to one of these or the last. $STEP is it.
steps_until()
{
	local how what
	while read -r how what; do
		case " $* " in
		*" $how "*) STEP=$how && return 0 ;;
		esac
		case $how in
		ok) tap_ok "$what ($DATAPATH)" ;;
		*) tap_fail "$how $what ($DATAPATH)" ;;
		esac
	done <&3
	return 1
}

# ng_steps PROGRAM [OPTION...]: runs it beside a relay with this $DATAPATH. At "look" the flows have to
# be there, at "restart" the relay is restarted. $PYTHON_IN: the namespace that it is in, if that matters.
ng_steps()
{
	local client
	check "tandem starts ($DATAPATH)" start_tandem "$DATAPATH" || return
	mkfifo "$WORK/in.$DATAPATH" "$WORK/out.$DATAPATH"
	${PYTHON_IN:+nsenter --net="/run/netns/$(ns_name "$PYTHON_IN")"} "$PYTHON" "$NETNS/$1" --caller "$(ns_name caller)" --callee "$(ns_name callee)" \
		--relay "$(ns_name relay)" "${@:2}" <"$WORK/in.$DATAPATH" >"$WORK/out.$DATAPATH" 2>&1 &
	client=$!
	exec 4>"$WORK/in.$DATAPATH" 3<"$WORK/out.$DATAPATH"
	while steps_until look restart; do
		check "the flows are in $DATAPATH" session_has "flows.*.offload=$DATAPATH"
		if [ "$STEP" = restart ]; then
			check "tandem stops" relay_stops
			check "tandem starts again" tandem_launch
		fi
		echo >&4
	done
	exec 4>&- 3<&-
	check "all of it went as it should ($DATAPATH)" wait "$client"
	check "no session is left" wait_for 5 session_count_is 0
	check "tandem stops when told to" relay_stops
}
