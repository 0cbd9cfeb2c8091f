#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Peer for `tandem bench --relays nft=bench/peers/nft.sh`: the kernel forwards, and nftables
# rewrites destination and source of each flow by one map lookup. bench/relay_script.c
# says what is asked of a peer.
set -eu
command -v nft >/dev/null || {
	echo "error nft is not installed"
	exit 1
}
rules=$(mktemp)
trap 'rm -f "$rules"' EXIT

# sed -u: the input stays open, and awk would wait for more of it
sed -u '/^go$/q' | awk -v rules="$rules" '
	$1 == "flow" {
		# flow I SOURCE PORT IN PORT OUT PORT SINK PORT
		dnat = dnat (n ? ",\n" : "") $5 " . " $6 " : " $9 " . " $10
		snat = snat (n ? ",\n" : "") $3 " . " $4 " . " $9 " . " $10 " : " $7 " . " $8
		n++
	}
	END {
		to = "ipv4_addr . inet_service"
		print "table ip tandem_bench {" > rules
		print "map to_sink { type " to " : " to "\nelements = {" dnat "} }" > rules
		print "map from_relay { type " to " . " to " : " to "\nelements = {" snat "} }" > rules
		print "chain pre { type nat hook prerouting priority dstnat;" > rules
		print "dnat ip to ip daddr . udp dport map @to_sink; }" > rules
		print "chain post { type nat hook postrouting priority srcnat;" > rules
		print "snat ip to ip saddr . udp sport . ip daddr . udp dport map @from_relay; }" > rules
		print "}" > rules
	}'
sysctl -qw net.ipv4.ip_forward=1
began=$(date +%s.%N)
nft -f "$rules" || {
	echo "error nft refused the rules"
	exit 1
}
ended=$(date +%s.%N)
echo "install $(echo "$ended $began" | awk '{print $1 - $2}')"
echo ready
# until the benchmark closes our input or stops us
cat >/dev/null
