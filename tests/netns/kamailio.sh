# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Kamailio on the relay's host, with its stock rtpengine module. Sourced behind calls.sh by tests that
# need it.

command -v kamailio >/dev/null || tap_skip_all "needs kamailio"

# kamailio_start [DEFINE...]: NAME or NAME=TEXT for tests/sip/kamailio/rtpengine.cfg.
kamailio_start()
{
	local define args=(-A 'NG_SOCKET="udp:127.0.0.1:2223"')
	[[ " $*" == *" FLAGS_A="* ]] || set -- FLAGS_A= "$@"
	[[ " $*" == *" FLAGS_B="* ]] || set -- FLAGS_B= "$@"
	[[ " $*" == *" FLAGS_END="* ]] || set -- FLAGS_END= "$@"
	for define; do
		case $define in
		*=*) args+=(-A "${define%%=*}=\"${define#*=}\"") ;;
		*) args+=(-A "$define") ;;
		esac
	done
	rm -f "$WORK/kamailio.pid"
	ns_start relay "$WORK/kamailio.log" kamailio -DD -E -m 32 -M 8 -f "$SIP/kamailio/rtpengine.cfg" \
		-P "$WORK/kamailio.pid" -Y "$WORK" "${args[@]}"
	KAMAILIO_PID=$LAST_PID
	wait_for 10 udp_bound relay 5060 || { tail -n 5 "$WORK/kamailio.log" | sed "s/^/# /"; return 1; }
}

ng_counter()
{
	[ "$(tandem stats | field - get "ng.$1")" -ge "$2" ]
}
