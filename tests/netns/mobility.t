#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Calls that move in their middle: to another address, to another phone, to another party. All
# media are counted, and by the end they have gone by the datapath that was expected.
#
#   alice 10.77.1.2, .9 (mobility.py) ---- tandem ---- bob, carol 10.77.2.2, .9 (mobility.py)

. "$(dirname "$0")/calls.sh"
YAML_EXTRA="cdr: {log: none}"
relay_begin 60
check "the phones come to the end of their story" \
	"$PYTHON" "$NETNS/mobility.py" "$(ns_name caller)" "$(ns_name callee)"
cp "$WORK/check.out" "$WORK/story"
while read -r line; do
	tap_note "$line"
done < <(sed -n 's/^# //p' "$WORK/story")
for what in "a re-INVITE moves media" "an UPDATE moves media" "a phone goes elsewhere" \
	"INFO, MESSAGE and OPTIONS pass" "a blind transfer" "an attended transfer" \
	"a call goes to another device"; do
	check "$what" grep -x "ok $what" "$WORK/story"
done

# Eleven calls, and next to no packet of theirs by the slow path.
all_offloaded()
{
	timeout 5 "$TANDEM" cdr list -c "$WORK/tandem.yaml" --json | "$PYTHON" -c '
import json, sys
media = [r["media"] for r in json.load(sys.stdin)["records"]]
print(media)
sys.exit(len(media) != 11 or any(m["datapath"] != sys.argv[1] or m["offload_percent"] < 90
                                 for m in media if m["from_caller"]["packets"]))' "$1"
}
check "the media went by the fast path" wait_for 5 all_offloaded "$(datapath_expected)"
relay_ends
tap_done
