#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Peer for `tandem bench --relays rtpengine=bench/peers/rtpengine.py`.

Runs rtpengine in userspace mode in the namespace of its lane and sets each flow up as a call
over its NG protocol (bencoded dictionaries over UDP): an offer with the flow's source as the
caller's address, an answer with its sink as the callee's. The port that the answer shows to
the caller is where the flow is to be sent. bench/relay_script.c says what is asked of a peer.

With SRTP in the name, that is as a link rtpengine_protect, _unprotect or _reprotect, or with
TANDEM_BENCH_SRTP=protect, unprotect or reprotect, SRTP is spoken (SDES, RFC 4568): by the callee, so that
rtpengine encrypts what it gets; by the caller, so that it decrypts what has been encrypted with KEY, which
the benchmark is told; or by both. The callee takes another suite then, as rtpengine would pass packets on
as they are.
"""
import base64
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

NG = ("127.0.0.1", 22222)
REPLY_S = 2
TRIES = 3
START_S = 15
FIRST_PORT, LAST_PORT = 2048, 65500
PORTS_OF_A_CALL = 4  # an RTP and an RTCP port on either side
SUITE = "AES_CM_128_HMAC_SHA1_80"
OTHER_SUITE = "AES_CM_128_HMAC_SHA1_32"
# Master key and salt of the side that speaks SRTP; both ends of the benchmark know them.
SECRET = bytes(range(30))
KEY = base64.b64encode(SECRET).decode()


def say(*words):
    print(*words, flush=True)


def give_up(text):
    say("error", text)
    sys.exit(1)


def bencode(v):
    if isinstance(v, dict):
        return b"d" + b"".join(bencode(k) + bencode(v[k]) for k in sorted(v)) + b"e"
    if isinstance(v, list):
        return b"l" + b"".join(map(bencode, v)) + b"e"
    if isinstance(v, int):
        return b"i%de" % v
    raw = v.encode()
    return b"%d:%s" % (len(raw), raw)


def bdecode(data, at=0):
    kind = data[at:at + 1]
    if kind == b"d":
        at, out = at + 1, {}
        while data[at:at + 1] != b"e":
            key, at = bdecode(data, at)
            out[key], at = bdecode(data, at)
        return out, at + 1
    if kind == b"l":
        at, out = at + 1, []
        while data[at:at + 1] != b"e":
            item, at = bdecode(data, at)
            out.append(item)
        return out, at + 1
    if kind == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1:end]), end + 1
    colon = data.index(b":", at)
    start = colon + 1
    end = start + int(data[at:colon])
    return data[start:end].decode(), end


class Client:
    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.settimeout(REPLY_S)
        self.sock.connect(NG)
        self.cookie = 0

    def call(self, request):
        self.cookie += 1
        cookie = b"%d" % self.cookie
        for _ in range(TRIES):
            try:
                self.sock.send(cookie + b" " + bencode(request))
                while True:
                    got, _, body = self.sock.recv(65536).partition(b" ")
                    if got == cookie:
                        return bdecode(body)[0]
            except (TimeoutError, ConnectionRefusedError):
                pass
        return None


def sdp(address, port, tag=None, suite=SUITE):
    """tag is that of the suite, where the address speaks SRTP."""
    text = ("v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"
            "m=audio %s RTP/%s 0\r\na=rtpmap:0 PCMU/8000\r\n"
            % (address, address, port, "SAVP" if tag else "AVP"))
    return text + "a=crypto:%s %s inline:%s\r\n" % (tag, suite, KEY) if tag else text


def suite_tag(text, suite=SUITE):
    """The tag under which an SDP has the suite (RFC 4568 section 4.1)."""
    for line in text.splitlines():
        words = line.split()
        if line.startswith("a=crypto:") and words[1] == suite:
            return words[0].partition(":")[2]
    give_up("rtpengine does not offer %s" % suite)
    return None


def srtp_mode():
    """"protect", "unprotect", "reprotect" or ""."""
    name = os.path.splitext(os.path.basename(sys.argv[0]))[0].partition("_")[2]
    mode = name or os.environ.get("TANDEM_BENCH_SRTP", "")
    if mode not in ("", "protect", "unprotect", "reprotect"):
        give_up("TANDEM_BENCH_SRTP is none of protect, unprotect, reprotect")
    return mode


def media(answer):
    """Address and port of the first media in an SDP."""
    address = port = None
    for line in answer.splitlines():
        if line.startswith("c=IN IP4 "):
            address = line.split()[2]
        if line.startswith("m=") and port is None:
            port = int(line.split()[1])
    return address, port


def checked(reply, want, what):
    if reply is None:
        give_up("rtpengine did not answer %s" % what)
    if reply.get("result") != want:
        give_up("rtpengine: %s: %s" % (what, reply.get("error-reason", reply)))
    return reply


def set_up(client, flow, srtp):
    number, src, src_port, _, _, _, _, sink, sink_port = flow
    common = {"call-id": "bench-%s" % number, "from-tag": "a", "replace": ["origin"]}
    arrives, leaves = srtp in ("unprotect", "reprotect"), srtp in ("protect", "reprotect")
    out_suite = OTHER_SUITE if arrives else SUITE
    offer = {"transport-protocol": "RTP/SAVP" if leaves else "RTP/AVP", "DTLS": "off"} if srtp else {}
    offered = checked(client.call({**common, **offer, "command": "offer",
                                   "direction": ["in", "out"],
                                   "sdp": sdp(src, src_port, arrives and 1)}), "ok",
                      "offer %s" % number)
    tag = suite_tag(offered["sdp"], out_suite) if leaves else None
    reply = checked(client.call({**common, "command": "answer", "to-tag": "b",
                                 "sdp": sdp(sink, sink_port, tag, out_suite)}), "ok",
                    "answer %s" % number)
    if arrives:
        suite_tag(reply["sdp"])
    address, port = media(reply["sdp"])
    return "flow %s %s %d" % (number, address, port)


def read_flows():
    flows = []
    for line in sys.stdin:
        words = line.split()
        if words == ["go"]:
            return flows
        flows.append(words[1:])
    sys.exit(1)


def start(flows, folder):
    """In the foreground, without kernel module and without its control ports but NG. Should this
    script be killed, the daemon is too."""
    inside, outside = flows[0][3], flows[0][5]
    return subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL",
         "rtpengine", "--foreground", "--config-file=none", "--table=-1", "--no-fallback",
         "--interface=in/%s" % inside, "--interface=out/%s" % outside,
         "--listen-ng=%s:%d" % NG, "--port-min=%d" % FIRST_PORT, "--port-max=%d" % LAST_PORT,
         "--log-level=4", "--log-stderr", "--delete-delay=0", "--timeout=3600",
         "--silent-timeout=3600", "--num-threads=%d" % len(os.sched_getaffinity(0))],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=open(os.path.join(folder, "log"), "w"))


def wait_up(daemon, client, folder):
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if daemon.poll() is not None:
            with open(os.path.join(folder, "log")) as log:
                give_up("rtpengine ended: %s" % " ".join(log.read().split())[-150:])
        reply = client.call({"command": "ping"})
        if reply and reply.get("result") == "pong":
            return
        time.sleep(0.05)
    give_up("rtpengine does not answer")


def main():
    srtp = srtp_mode()
    flows = read_flows()
    if not shutil.which("rtpengine"):
        give_up("rtpengine is not installed (bench/peers/install.sh)")
    if len(flows) * PORTS_OF_A_CALL > LAST_PORT - FIRST_PORT:
        give_up("rtpengine has ports for %d flows on an address, not for %d"
                % ((LAST_PORT - FIRST_PORT) // PORTS_OF_A_CALL, len(flows)))
    folder = tempfile.mkdtemp(prefix="tandem-bench-")
    daemon = None
    # what is raised goes through the finally clause below
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        daemon = start(flows, folder)
        client = Client()
        wait_up(daemon, client, folder)
        say("pid", daemon.pid)
        began = time.monotonic()
        lines = [set_up(client, flow, srtp) for flow in flows]
        if srtp in ("unprotect", "reprotect"):
            say("srtp", SUITE, SECRET.hex())
        say("install", "%.6f" % (time.monotonic() - began))
        say("\n".join(lines))
        say("ready")
        sys.stdin.read()
    finally:
        if daemon:
            daemon.terminate()
            try:
                daemon.wait(3)
            except subprocess.TimeoutExpired:
                daemon.kill()
        shutil.rmtree(folder)


main()
