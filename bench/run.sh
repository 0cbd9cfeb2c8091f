#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What `make bench` runs: the XDP program by itself, the relays on the wire, calls by SIP.
# Six to ten minutes; fails on errors, never on a speed. JSON and pictures go to
# $BUILD/bench/results. ROUNDS=5 TRIAL=1 for a quiet machine and more time.
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=$(realpath -m "${BUILD:-build}")
OUT=$BUILD/bench/results
ROUNDS=${ROUNDS:-2}
TRIAL=${TRIAL:-0.3}
status=0
mkdir -p "$OUT"

step()
{
	printf '\n== %s\n' "$1"
	shift
	"$@" || {
		echo "bench: failed: $*" >&2
		status=1
	}
}

wire()
{
	local name=$1
	shift
	"$BUILD/tandem" bench --trial "$TRIAL" --rounds "$ROUNDS" --json "$OUT/$name.json" --svg "$OUT/$name.svg" "$@"
}

peers=nft=bench/peers/nft.sh
if command -v rtpengine >/dev/null; then
	peers=rtpengine=bench/peers/rtpengine.py,$peers
else
	echo "bench: skipped: rtpengine is not installed (bench/peers/install.sh)" >&2
fi

step "The XDP program by itself" "$BUILD/bench/core"
step "1,000 calls" wire calls --search 6 --relays "xdp,bare,uring,mmsg,$peers"
step "By the number of flows" wire flows --search 3 --relays xdp,bare --measure rate,cpu --flows 1,100,1000,10000,100000
step "By the size of packets" wire sizes --search 3 --relays xdp,bare --measure rate --sizes 60,200,1200
step "Each packet 16 times" wire copies --search 3 --relays xdp,mmsg --measure rate --flows 50 --copies 16
TANDEM=$BUILD/tandem TOOLS=$BUILD/tests/tools step "From the answer to the first packet" \
	bench/answer.sh --json "$OUT/answer.json"
exit $status
