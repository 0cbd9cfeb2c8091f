#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# `tandem bench`, briefly: packets cross every built-in relay, what it writes can be read,
# its figures agree with each other, and nothing is left behind. No speed is asserted.
#
#   source --- relay (xdp, bare, uring, mmsg) --- sink      and source --- sink
#
# The namespaces are the benchmark's own; this script's holds the loopback for --target.

. "$(dirname "$0")/lib.sh"
test_begin 300
need_tandem
ns_add solo || tap_bail "no namespace"
JSON=$WORK/bench.json

bench()
{
	timeout 120 "$TANDEM" bench --quick --search 2 "$@"
}

# figures CONDITION: a Python expression over the results (r: by relay) holds.
figures()
{
	"$PYTHON" - "$JSON" "$1" <<-'PY'
		import json, sys
		doc = json.load(open(sys.argv[1]))
		r = {x["relay"]: x for x in doc["results"]}
		sys.exit(0 if eval(sys.argv[2]) else "does not hold: %s\n%s" % (sys.argv[2], r))
	PY
}

check "it runs through all of its relays" eval \
	'bench --relays xdp,bare,uring,mmsg,direct --flows 20 --json "$JSON" --svg "$WORK/bench.svg" >"$WORK/table"'
check "each has its results" figures 'set(r) == {"xdp", "bare", "uring", "mmsg", "direct"}'
check "of the flows and the size asked for" figures \
	'all(x["flows"] == 20 and x["payload_octets"] == 172 and len(x["rounds"]) == 1 for x in r.values())'
check "packets came through every one" figures \
	'all(x["median"]["peak_packets_per_s"] > 0 for x in r.values())'
check "XDP loses nothing on a wire of veth" figures \
	'all(r[n]["median"]["zero_loss_packets_per_s"] > 0 for n in ("xdp", "bare", "direct"))'
check "what is lost is a share of what was sent" figures \
	'all(l["sent"] > 0 and abs(l["lost"] / l["sent"] - l["loss"]) < 1e-6 for x in r.values() for l in x["median"]["latency"])'
check "the device at the relay took what was sent, as it says itself" figures \
	'all(0 < l["taken_by_device"] <= l["sent"] for n in ("xdp", "bare", "direct") for l in r[n]["median"]["latency"])'
check "no packet came twice or out of turn through XDP" figures \
	'all(l["duplicates"] == l["reordered"] == 0 for n in ("xdp", "bare", "direct") for l in r[n]["median"]["latency"])'
check "latencies are in order" figures \
	'all(0 < l["p50_us"] <= l["p99_us"] <= l["p999_us"] <= l["max_us"] for x in r.values() for l in x["median"]["latency"])'
check "no rate is higher than its peak" figures \
	'all((x["median"]["zero_loss_packets_per_s"] or 0) <= 1.01 * x["median"]["peak_packets_per_s"] for x in r.values())'
check "the flows' installation was timed" figures \
	'all(r[n]["installed_flows_per_s"] > 0 for n in ("xdp", "bare", "uring", "mmsg"))'
check "the table has a line for each" eval '[ "$(grep -c "^xdp  *20  *172" "$WORK/table")" -ge 2 ]'
check "and the picture is a picture" eval \
	'"$PYTHON" -c "import sys, xml.dom.minidom as m; m.parse(sys.argv[1])" "$WORK/bench.svg"'

check "a relay set up by someone else is measured by its address" eval \
	'ns_run solo timeout 60 "$TANDEM" bench --quick --trial 0.05 --search 1 --json "$JSON" --source 127.0.0.1:20000 --sink 127.0.0.1:30000 --target 127.0.0.1:30000 127.0.0.1:30001'
check "and its packets arrive" figures \
	'r["target"]["flows"] == 2 and r["target"]["median"]["peak_packets_per_s"] > 0'
check "flows from a file" eval \
	'printf "# two\n127.0.0.1:20000 127.0.0.1:30000 127.0.0.1:30000\n127.0.0.1:20001 127.0.0.1:30001 127.0.0.1:30001\n" >"$WORK/flows" && ns_run solo timeout 60 "$TANDEM" bench --quick --trial 0.05 --search 1 --measure rate --json "$JSON" --sessions "$WORK/flows" && figures "r[\"target\"][\"flows\"] == 2"'
echo "127.0.0.1:20000 127.0.0.1:30000" >"$WORK/flows"
check "a file with a wrong line is refused, naming the line" eval \
	'! timeout 10 "$TANDEM" bench --sessions "$WORK/flows" 2>"$WORK/said" && grep -q ":1: not SOURCE" "$WORK/said"'
# The XDP generator, on devices that were there before.
#
#   solo  near 10.9.1.2 --- in 10.9.1.1  other  out 10.9.2.1 --- far 10.9.2.2  solo
check "a relay in another namespace" eval 'ns_add other && link_add solo near other in &&
	link_add solo far other out && addr_add solo near 10.9.1.2/24 && addr_add solo far 10.9.2.2/24 &&
	addr_add other in 10.9.1.1/24 && addr_add other out 10.9.2.1/24 && xdp_pass_on other in'
ns_start other "$WORK/other.log" "$PYTHON" -c '
import selectors, socket
ready = selectors.DefaultSelector()
for n in (0, 1):
    side = [socket.socket(type=socket.SOCK_DGRAM) for _ in "ab"]
    side[0].bind(("10.9.1.1", 20000 + n))
    side[1].bind(("10.9.2.1", 20000 + n))
    side[1].connect(("10.9.2.2", 30000 + n))
    ready.register(side[0], selectors.EVENT_READ, side[1])
while True:
    for key, _ in ready.select():
        key.data.send(key.fileobj.recv(2048))'
by_xdp()
{
	ns_run solo timeout 60 "$TANDEM" bench --quick --trial 0.05 --search 1 --generator "${2:-xdp}" --json "$JSON" \
		--source 10.9.1.2:20000 --sink "$1:30000" --target 10.9.1.1:20000 10.9.1.1:20001
}
arrived='r["target"]["flows"] == 2 and all(l["sent"] > l["lost"] and l["p50_us"] > 0 for l in r["target"]["median"]["latency"])'
check "it listens" wait_for 10 eval 'ns_run other ss -Hnlu | grep -q 10.9.1.1:20001'
check "is sent to and received from by XDP" by_xdp 10.9.2.2
check "its packets arrive" figures "$arrived"
check "is sent to by an AF_XDP socket" by_xdp 10.9.2.2 af_xdp
check "and its packets arrive" figures "$arrived"
check "no program stays on the devices" eval '! ns_run solo ip link | grep -q xdp'
check "a sink that is nowhere here is refused" eval \
	'! by_xdp 10.9.3.2 2>"$WORK/said" && grep -q "10.9.3.2: no device" "$WORK/said"'
check "a device that has a program is left alone" eval 'xdp_pass_on solo far && ! by_xdp 10.9.2.2 && ns_run solo ip link show far | grep -q xdp'

for wrong in "--flows 0" "--flows 100001" "--sizes 59" "--relays none" "--trial x" "--measure all" "--generator tcp" "--target 127.0.0.1:1"; do
	# shellcheck disable=SC2086
	check_not "refused: $wrong" timeout 10 "$TANDEM" bench --quick $wrong
done

# The datapaths by themselves: steps add up, and every datapath that can be had is there.
rows()
{
	"$PYTHON" - "$JSON" "$1" <<-'PY'
		import json, sys
		rows = json.load(open(sys.argv[1]))["results"]
		def of(datapath, copies=1):
		    return {x["what"]: x for x in rows if x["datapath"] == datapath and x["copies"] == copies}
		sys.exit(0 if eval(sys.argv[2]) else "does not hold: %s\n%s" % (sys.argv[2], rows))
	PY
}

check "what a packet costs inside XDP and io_uring" eval \
	'timeout 120 "$TANDEM" bench core --datapaths xdp,uring --flows 500 --copies 3 --rounds 2 --packets 5000 --json "$JSON" >"$WORK/table"'
check "XDP has all of its steps" rows \
	'set(of("xdp")) == {"mill", "bare", "parse", "classify, look up", "plan", "next hop", "account", "translate", "rewrite", "count", "emit", "whole", "whole/bare"}'
check "which add up to the whole" rows \
	'abs(sum(x["median"] for n, x in of("xdp").items() if n not in ("mill", "bare", "whole", "whole/bare")) - of("xdp")["whole"]["median"]) < 1'
check "io_uring has those of a datagram, and what sockets cost" rows \
	'set(of("uring")) == {"mill", "classify, look up", "plan", "account", "translate", "count", "rest", "whole", "recvmmsg, sendmmsg"}'
check "each copy was measured" rows 'of("uring", 3)["whole"]["median"] > 0'
check "in the table too" grep -q "^xdp, 500 flows" "$WORK/table"
for wrong in "--flows 0" "--flows 1,x" "--datapaths tcp" "--rounds 0" "--copies 65" "--packets 1" "xdp"; do
	# shellcheck disable=SC2086
	check_not "refused: core $wrong" timeout 10 "$TANDEM" bench core $wrong
done
if [ -x "$(dirname "$TANDEM")/bench/dpdk-mill" ]; then
	check "what a packet costs the DPDK worker" eval \
		'timeout 120 "$TANDEM" bench core --datapaths dpdk --flows 1000 --copies 1 --rounds 1 --json "$JSON" >"$WORK/table"'
	check "beside a loop that swaps addresses" rows \
		'0 < of("dpdk")["macswap"]["median"] and 0 < of("dpdk")["whole"]["median"] and "account" in of("dpdk")'
else
	tap_ok "inside the DPDK worker # SKIP needs bench/dpdk-mill"
	echo "SKIPPED bench.t, inside the DPDK worker: needs make dpdk-bench" >&2
fi

# DPDK: the worker polls, so does its peer, and neither may take the other's turn.
if [ -x "$(dirname "$TANDEM")/tandem-dpdk" ] && command -v dpdk-testpmd >/dev/null; then
	polling="dpdk,testpmd=$ROOT/bench/peers/testpmd.sh"
	check "the DPDK worker and testpmd take turns" eval \
		'bench --relays "$polling,uring" --flows 20 --json "$JSON" >"$WORK/table"'
	check "packets came through each" figures \
		'set(r) == {"dpdk", "testpmd", "uring"} and all(x["median"]["peak_packets_per_s"] > 0 for x in r.values())'
	check "it is said who polls" figures \
		'r["dpdk"]["polls"] and r["testpmd"]["polls"] and not r["uring"]["polls"]'
	check "and in the table" grep -q "^dpdk  *polls" "$WORK/table"
	check "their CPU time was counted" figures \
		'all(r[n]["median"]["cpu_saturated"]["cpu_s_per_million"] > 0 for n in ("dpdk", "testpmd"))'
	check "the two are compared" grep -q "^dpdk  */ testpmd .*packets/s at most" "$WORK/table"
else
	tap_ok "DPDK under test # SKIP needs tandem-dpdk and dpdk-testpmd"
	echo "SKIPPED bench.t, DPDK: needs tandem-dpdk and dpdk-testpmd" >&2
fi

check "from RTP to SRTP" eval \
	'bench --relays uring-srtp --flows 20 --suite AEAD_AES_128_GCM --measure latency --json "$JSON" >"$WORK/table"'
check "packets come through" figures 'r["uring-srtp"]["median"]["peak_packets_per_s"] > 0'
check "and cannot be read on the way" figures \
	'all(l["p50_us"] == 0 for l in r["uring-srtp"]["median"]["latency"])'
check "from SRTP to RTP, and to SRTP" eval \
	'bench --relays xdp-unsrtp,uring-resrtp --flows 20 --search 1 --measure rate,cpu --json "$JSON" >"$WORK/table"'
check "relays open what the generator has sealed, trial after trial" figures \
	'set(r) == {"xdp-unsrtp", "uring-resrtp"} and all(x["median"]["peak_packets_per_s"] > 0 for x in r.values())'
check "their CPU time was counted" figures \
	'all(r[n]["median"]["cpu_saturated"]["cpu_s_per_million"] > 0 for n in ("xdp-unsrtp", "uring-resrtp"))'
check_not "packets that are too large for that are refused" \
	bench --relays uring-unsrtp --flows 2 --sizes 1200 --measure rate
check_not "a suite that there is none of is refused" bench --relays uring-srtp --suite NONE
if command -v rtpengine >/dev/null; then
	check "packets that a relay has encrypted are counted by their RTP header" eval \
		'bench --relays "srtp=$ROOT/bench/peers/rtpengine_protect.py" --flows 20 --measure rate --json "$JSON" >"$WORK/table"'
	check "and come through" figures 'r["srtp"]["median"]["peak_packets_per_s"] > 0'
	check "others open what comes encrypted with the key that they have told" eval \
		'bench --relays "open=$ROOT/bench/peers/rtpengine_unprotect.py,again=$ROOT/bench/peers/rtpengine_reprotect.py" --flows 20 --search 1 --measure rate --json "$JSON" >"$WORK/table"'
	check "and it comes through" figures \
		'set(r) == {"open", "again"} and all(x["median"]["peak_packets_per_s"] > 0 for x in r.values())'
	sed 's/SECRET.hex()/SECRET[::-1].hex()/' "$ROOT/bench/peers/rtpengine.py" >"$WORK/other_unprotect.py"
	chmod +x "$WORK/other_unprotect.py"
	check_not "with another key it does not" eval \
		'bench --relays "other=$WORK/other_unprotect.py" --flows 5 --measure rate 2>"$WORK/said"'
	check "though the relay was set up" grep -q "not one packet of" "$WORK/said"
else
	tap_ok "SRTP by rtpengine # SKIP needs rtpengine"
	echo "SKIPPED bench.t, SRTP: needs rtpengine" >&2
fi

cat >"$WORK/broken" <<-'END'
	#!/bin/sh
	echo "error there is no such relay here"
END
chmod +x "$WORK/broken"
check "a peer that cannot be had is skipped" eval \
	'bench --relays "broken=$WORK/broken,direct" --flows 2 --measure rate 2>"$WORK/said" && grep -q "there is no such relay here" "$WORK/said"'

# group_is_gone LEADERS: the relays lead process groups of their own; none of them is left.
group_is_gone()
{
	local p
	for p in $1; do
		! alive "$p" || return 1
	done
}

two_relays()
{
	relays=$(ps -o pid= --ppid "$1")
	[ "$(wc -w <<<"$relays")" -eq 2 ]
}

for signal in INT KILL; do
	"$TANDEM" bench --relays xdp,uring --flows 50 >/dev/null 2>"$WORK/said" &
	pid=$!
	check "a run begins" wait_for 10 grep -q '^round 1' "$WORK/said"
	check "with its two relays" wait_for 10 two_relays "$pid"
	check "SIG$signal ends it" eval 'kill -$signal $pid && wait_for 10 not alive $pid'
	check "and them" wait_for 5 group_is_gone "$relays"
done
tap_done
