#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Requests that are no calls: they pass unchanged, their dialogs stay with the relay.
#
#   alice 10.77.1.2 (events.py) ---- tandem ---- bob 10.77.2.2, his desk phone .9 (events.py)

. "$(dirname "$0")/calls.sh"
relay_begin 60
check "the phones come to the end of their story" \
	"$PYTHON" "$NETNS/events.py" "$(ns_name caller)" "$(ns_name callee)"
cp "$WORK/check.out" "$WORK/story"
for what in "a subscription" "a subscription with two phones" "NOTIFY without one" PUBLISH refusals \
	"an unknown method" "gr of a contact"; do
	check "$what" grep -x "ok $what" "$WORK/story"
done
relay_ends
tap_done
