#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""summary.py FOLDER: what `make bench` has measured beside what is aimed at.

Reads the JSON files that bench/run.sh leaves in FOLDER, prints a line for each goal, and
writes summary.json there. Ratios between relays are medians over the rounds of ratios within a
round. A figure that was not taken (a peer that is not installed) is said to be missing. The
exit status tells nothing about goals.
"""
import json
import os
import statistics
import sys


class Missing(Exception):
    pass


class Results:
    def __init__(self, folder):
        self.folder = folder
        self.files = {}

    def load(self, name):
        if name not in self.files:
            try:
                with open(os.path.join(self.folder, name + ".json"), encoding="utf-8") as f:
                    self.files[name] = json.load(f)["results"]
            except (OSError, ValueError, KeyError) as error:
                raise Missing from error
        return self.files[name]

    def core(self, datapath, what, flows, copies=1, which="median"):
        for row in self.load("core"):
            if (row["datapath"], row["what"], row["flows"], row["copies"]) == (
                    datapath, what, flows, copies):
                return row[which]
        raise Missing

    def relay(self, name, relay):
        for row in self.load(name):
            if row["relay"] == relay:
                return row
        raise Missing

    def ratio(self, name, ours, other, figure):
        """figure takes a round; zero or None is one that was not taken."""
        pairs = zip(self.relay(name, ours)["rounds"], self.relay(name, other)["rounds"])
        ratios = [figure(a) / figure(b) for a, b in pairs if figure(a) and figure(b)]
        if not ratios:
            raise Missing
        return statistics.median(ratios)

    def by_flows(self, name, relay, many, few):
        """CPU time of a packet, saturated, with many flows: how many times that with few."""
        cost = {}
        for row in self.load(name):
            if row["relay"] == relay:
                cost[row["flows"]] = [
                    r["cpu_saturated"] and r["cpu_saturated"]["cpu_s_per_million"]
                    for r in row["rounds"]]
        ratios = [a / b for a, b in zip(cost.get(many, []), cost.get(few, [])) if a and b]
        return statistics.median(present(ratios))


def per_cpu(load):
    return lambda r: r[load] and r[load]["packets_per_cpu_s"]


def end_to_end(r):
    cpu = r["cpu_saturated"]
    return cpu and 1 / (cpu["cpu_s_per_million"] + cpu["cpu_s_per_million_wire"])


def peak(r):
    return r["peak_packets_per_s"]


def p99(row):
    for latency in row["median"]["latency"]:
        if latency["load"] == 0.5:
            return latency["p99_us"]
    raise Missing


def present(value):
    if not value:
        raise Missing
    return value


# Name, unit, "at least" or "at most", goal, figure.
GOALS = [
    ("XDP program / bare program, 1,000 flows", "", "at most", 2.0,
     lambda r: r.core("xdp", "whole/bare", 1000)),
    ("XDP program / bare program, 100,000 flows", "", "at most", 1.0,
     lambda r: r.core("xdp", "whole/bare", 100000)),
    ("XDP program, 100,000 flows / 100 flows", "", "at most", 3.0,
     lambda r: r.core("xdp", "whole", 100000) / r.core("xdp", "whole", 100)),
    ("xdp / bare, packets per CPU second, wire and relay", "", "at least", 0.85,
     lambda r: r.ratio("calls", "xdp", "bare", end_to_end)),
    ("xdp / rtpengine, packets per CPU second, saturated", "", "at least", 10,
     lambda r: r.ratio("calls", "xdp", "rtpengine", per_cpu("cpu_saturated"))),
    ("xdp / rtpengine, packets per CPU second, pace of calls", "", "at least", 20,
     lambda r: r.ratio("calls", "xdp", "rtpengine", per_cpu("cpu_calls"))),
    ("uring / rtpengine, packets per CPU second, saturated", "", "at least", 1.3,
     lambda r: r.ratio("calls", "uring", "rtpengine", per_cpu("cpu_saturated"))),
    ("uring / rtpengine, packets per CPU second, pace of calls", "", "at least", 2,
     lambda r: r.ratio("calls", "uring", "rtpengine", per_cpu("cpu_calls"))),
    ("uring / mmsg, packets per CPU second, saturated", "", "at least", 1.0,
     lambda r: r.ratio("calls", "uring", "mmsg", per_cpu("cpu_saturated"))),
    ("xdp / rtpengine, RTP to SRTP, packets per CPU second, saturated", "", "at least", 1.8,
     lambda r: r.ratio("srtp", "xdp-srtp", "rtpeng-srtp", per_cpu("cpu_saturated"))),
    ("xdp / rtpengine, RTP to SRTP, the same at the pace of calls", "", "at least", 4,
     lambda r: r.ratio("srtp", "xdp-srtp", "rtpeng-srtp", per_cpu("cpu_calls"))),
    ("xdp / rtpengine, SRTP to RTP, packets per CPU second, saturated", "", "at least", 1.8,
     lambda r: r.ratio("unsrtp", "xdp-unsrtp", "rtpeng-unsrtp", per_cpu("cpu_saturated"))),
    ("xdp / rtpengine, SRTP to RTP, the same at the pace of calls", "", "at least", 4,
     lambda r: r.ratio("unsrtp", "xdp-unsrtp", "rtpeng-unsrtp", per_cpu("cpu_calls"))),
    ("xdp / rtpengine, SRTP to SRTP, packets per CPU second, saturated", "", "at least", 1.8,
     lambda r: r.ratio("resrtp", "xdp-resrtp", "rtpeng-resrtp", per_cpu("cpu_saturated"))),
    ("uring / rtpengine, SRTP to RTP, packets per CPU second, saturated", "", "at least", 1.3,
     lambda r: r.ratio("unsrtp", "uring-unsrtp", "rtpeng-unsrtp", per_cpu("cpu_saturated"))),
    ("uring / rtpengine, SRTP to SRTP, packets per CPU second, saturated", "", "at least", 1.3,
     lambda r: r.ratio("resrtp", "uring-resrtp", "rtpeng-resrtp", per_cpu("cpu_saturated"))),
    ("uring / rtpengine, RTP to SRTP, packets per CPU second, saturated", "", "at least", 1.3,
     lambda r: r.ratio("srtp", "uring-srtp", "rtpeng-srtp", per_cpu("cpu_saturated"))),
    ("xdp, RTP to SRTP, CPU s/packet, 10,000 flows / 1 flow", "", "at most", 1.5,
     lambda r: r.by_flows("srtp_flows", "xdp-srtp", 10000, 1)),
    ("uring, RTP to SRTP, CPU s/packet, 10,000 flows / 1 flow", "", "at most", 1.5,
     lambda r: r.by_flows("srtp_flows", "uring-srtp", 10000, 1)),
    ("dpdk in memory, 10,000 flows, best windows", "Mpackets/s", "at least", 12,
     lambda r: 1e3 / r.core("dpdk", "whole", 10000, which="min")),
    ("dpdk in memory, SRTP protected or opened, 10,000 flows, best windows", "M/s", "at least", 3,
     lambda r: 1e3 / r.core("dpdk", "whole, with SRTP", 10000, which="min")),
    ("dpdk / testpmd macswap by AF_XDP, packets/s", "", "at least", 0.9,
     lambda r: r.ratio("dpdk", "dpdk", "testpmd", peak)),
    ("XDP copies, on the wire, on the generator's CPU", "M/s", "at least", 1.5,
     lambda r: present(r.relay("copies", "xdp")["median"]["peak_packets_per_s"]) / 1e6),
    ("dpdk copies in memory, best windows", "M/s", "at least", 8,
     lambda r: 1e3 / r.core("dpdk", "whole", 1000, 50, which="min")),
    ("xdp, latency, 99th percentile at half of its rate", "us", "at most", 50,
     lambda r: present(p99(r.relay("calls", "xdp")))),
    ("xdp, installation", "flows/s", "at least", 50000,
     lambda r: present(r.relay("calls", "xdp")["installed_flows_per_s"])),
]


def judged(results):
    for name, unit, sense, goal, figure in GOALS:
        try:
            value = figure(results)
            met = value >= goal if sense == "at least" else value <= goal
        except Missing:
            value = met = None
        yield {"name": name, "unit": unit, "sense": sense, "goal": goal, "measured": value,
               "met": met}


def main():
    if len(sys.argv) != 2 or not os.path.isdir(sys.argv[1]):
        sys.exit("usage: summary.py FOLDER")
    lines = list(judged(Results(sys.argv[1])))
    print("%-74s %12s  %-20s" % ("", "measured", "goal"))
    for line in lines:
        value = line["measured"]
        said = {None: "not measured", True: "met", False: "not met"}[line["met"]]
        shown = "-" if value is None else "%.2f" % value if value < 1000 else "%.0f" % value
        print("%-74s %12s  %-20s %s" % (
            line["name"] + (", " + line["unit"] if line["unit"] else ""), shown,
            "%s %g" % (line["sense"], line["goal"]), said))
    with open(os.path.join(sys.argv[1], "summary.json"), "w", encoding="utf-8") as f:
        json.dump(lines, f, indent=1)


main()
