#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The ICE agent with another implementation, aioice, over a link:
#
#   caller (aioice) phone0 10.77.1.2 ---- 10.77.1.1 to_caller relay (icepeer)

. "$(dirname "$0")/lib.sh"
test_begin 240 "$PYTHON"
need_tool icepeer
"$PYTHON" -c 'import aioice' 2>/dev/null || tap_skip_all "needs python3-aioice"
ns_add caller && ns_add relay && link_add caller phone0 relay to_caller || tap_bail "topology"
addr_add caller phone0 10.77.1.2/24 fd77:1::2/64
addr_add relay to_caller 10.77.1.1/24 fd77:1::1/64

# ice CASE ADDRESS
ice()
{
	ns_run caller "$PYTHON" "$NETNS/icepeer.py" "$1" "/run/netns/$(ns_name relay)" \
		"$TOOLS/icepeer" "$2"
}

# Silence takes half a minute: the two go on beside all the others.
ice consent 10.77.1.1 >"$WORK/consent" 2>&1 &
consent=$!
ice consent-lite 10.77.1.1 >"$WORK/consent-lite" 2>&1 &
consent_lite=$!

check "lite, controlled by aioice" ice lite 10.77.1.1
check "lite over IPv6" ice lite fd77:1::1
check "full, controlled by aioice" ice full 10.77.1.1
check "full, controlling aioice" ice controlling 10.77.1.1
check "full over IPv6" ice controlling fd77:1::1
check "both want to control" ice conflict 10.77.1.1
check "two components" ice components 10.77.1.1
check "a restart, full" ice restart 10.77.1.1
check "a restart, lite" ice restart-lite 10.77.1.1
wait "$consent"
check "consent is lost when aioice has gone" test $? -eq 0
wait "$consent_lite"
check "lite: consent is lost when aioice has gone" test $? -eq 0
tap_note "$(tail -n 3 "$WORK/consent" "$WORK/consent-lite")"
tap_done
