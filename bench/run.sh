#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What `make bench` runs: the datapaths by themselves, the relays on the wire, calls by SIP, and
# at the end what was aimed at beside what was measured. Bounded, about eight minutes; fails
# on errors, never on a speed. JSON and pictures go to $BUILD/bench/results. ROUNDS=5 TRIAL=1 LONGER=4
# for a quiet machine and more time.
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=$(realpath -m "${BUILD:-build}")
OUT=$BUILD/bench/results
ROUNDS=${ROUNDS:-2}
TRIAL=${TRIAL:-0.3}
LONGER=${LONGER:-1} # times what a step may take
status=0
mkdir -p "$OUT"
rm -f "$OUT"/*.json # of an earlier run: the summary is of this one

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
	local name=$1 seconds=$(($2 * LONGER))
	shift 2
	"$BUILD/tandem" bench --trial "$TRIAL" --rounds "$ROUNDS" --time "$seconds" --json "$OUT/$name.json" --svg "$OUT/$name.svg" "$@"
}

peers=nft=bench/peers/nft.sh
srtp_peers=
unsrtp_peers=
resrtp_peers=
if command -v rtpengine >/dev/null; then
	peers=rtpengine=bench/peers/rtpengine.py,$peers
	srtp_peers=,rtpengine=bench/peers/rtpengine.py,rtpeng-srtp=bench/peers/rtpengine_protect.py
	unsrtp_peers=,rtpeng-unsrtp=bench/peers/rtpengine_unprotect.py
	resrtp_peers=,rtpeng-resrtp=bench/peers/rtpengine_reprotect.py
else
	echo "bench: skipped: rtpengine is not installed (bench/peers/install.sh)" >&2
fi

step "The datapaths by themselves" "$BUILD/tandem" bench core --rounds 3 --packets 200000 --copies 50 \
	--json "$OUT/core.json"
step "1,000 calls" wire calls 120 --search 4 --relays "xdp,bare,uring,mmsg,$peers"
step "By the number of flows" wire flows 30 --search 2 --relays xdp,bare --measure rate,cpu --flows 100,10000,100000
step "By the size of packets" wire sizes 20 --search 2 --relays xdp,bare --measure rate --sizes 60,200,1200
step "RTP to SRTP" wire srtp 40 --search 3 --measure rate,cpu --relays "xdp-srtp,uring-srtp$srtp_peers"
step "SRTP to RTP" wire unsrtp 40 --search 3 --measure rate,cpu --relays "xdp-unsrtp,uring-unsrtp$unsrtp_peers"
step "SRTP to SRTP" wire resrtp 40 --search 3 --measure rate,cpu --relays "xdp-resrtp,uring-resrtp$resrtp_peers"
step "RTP to SRTP, by the number of flows" wire srtp_flows 40 --search 2 --measure rate,cpu \
	--relays xdp-srtp,uring-srtp --flows 1,10000
step "Each packet 16 times" wire copies 20 --search 3 --relays xdp,mmsg --measure rate --flows 50 --copies 16
if [ -x "$BUILD/tandem-dpdk" ] && command -v dpdk-testpmd >/dev/null; then
	step "DPDK by AF_XDP" wire dpdk 60 --search 3 \
		--relays dpdk,dpdk-srtp,dpdk-unsrtp,dpdk-resrtp,testpmd=bench/peers/testpmd.sh --measure rate,cpu
else
	echo "bench: skipped: DPDK on the wire needs tandem-dpdk and dpdk-testpmd" >&2
fi
TANDEM=$BUILD/tandem TOOLS=$BUILD/tests/tools step "From the answer to the first packet" \
	bench/answer.sh --json "$OUT/answer.json"
step "Summary" bench/summary.py "$OUT"
exit $status
