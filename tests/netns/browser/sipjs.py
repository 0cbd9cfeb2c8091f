#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A browser phone: SIP.js in a headless Chromium, over WebSocket.

  sipjs.py fetch DIR            SIP.js from the npm registry, of a version whose hash is known
  sipjs.py run --lib DIR --server wss://A:P --user NAME --password P [--domain D] [--tone HZ]
               [--call URI] [--hang-up] [--seconds N]

run registers, and then makes a call or takes one. With --hang-up it ends the call after
--seconds, else it waits for the other side to. Prints lines of JSON: "registered", and a report at
the end; exit status 0 when there was a call.
"""
import argparse
import asyncio
import base64
import functools
import hashlib
import http.server
import importlib
import io
import json
import os
import sys
import tarfile
import threading
import urllib.request

VERSION = "0.21.2"
URL = f"https://registry.npmjs.org/sip.js/-/sip.js-{VERSION}.tgz"
SHA512 = "tSqTcIgrOd2IhP/rd70JablvAp+fSfLSxO4hGNY6LkWRY1SKygTO7OtJEV/BQb8oIxtMRx0LE7nUF2MaqGbFzA=="
HERE = os.path.dirname(os.path.abspath(__file__))


def fetch(directory):
    with urllib.request.urlopen(URL, timeout=30) as reply:
        data = reply.read()
    if base64.b64encode(hashlib.sha512(data).digest()).decode() != SHA512:
        sys.exit("SIP.js is not what it was")
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for member in tar:
            if not member.isfile() or not member.name.startswith("package/lib/"):
                continue
            path = os.path.normpath(os.path.join(directory, member.name[len("package/"):]))
            if not path.startswith(os.path.abspath(directory) + os.sep):
                sys.exit("SIP.js has a strange file")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as out:
                out.write(tar.extractfile(member).read())


class Pages(http.server.SimpleHTTPRequestHandler):
    """/lib is SIP.js, and the rest is here."""

    lib = None

    def translate_path(self, path):
        base = self.lib if path.startswith("/lib/") else HERE
        return os.path.join(base, os.path.normpath(path.split("?")[0]).lstrip("/"))

    def log_message(self, *args):
        pass


def serve(lib):
    Pages.lib = os.path.abspath(lib)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


async def until(peer, expression, seconds, what):
    for _ in range(int(seconds * 10)):
        if await peer.run(expression):
            return
        await asyncio.sleep(0.1)
    raise TimeoutError(what)


async def talk(peer, args):
    arguments = ", ".join(json.dumps(x) for x in
                          (args.server, args.user, args.domain, args.password, args.tone))
    await until(peer, "!!window.phone", 20, "the page")
    await peer.run(f"phone.start({arguments})")
    print(json.dumps({"registered": True}), flush=True)
    if args.call:
        await peer.run(f"phone.call({json.dumps(args.call)})")
    else:
        await until(peer, "phone.called()", args.setup, "a call")
        await peer.run("phone.accept()")
    await until(peer, "phone.state() === 'Established'", args.setup, "an answer")
    try:
        await until(peer, "phone.state() === 'Terminated'", args.seconds, "the end")
    except TimeoutError:
        if not args.hang_up:
            raise
    report = await peer.run("phone.report()")
    if args.hang_up:
        await peer.run("phone.bye()")
    await until(peer, "phone.state() === 'Terminated'", 5, "the end of the call")
    return report


async def run(args):
    sys.path.insert(0, os.path.dirname(HERE))
    args.page = f"http://127.0.0.1:{serve(args.lib)}/phone.html"
    args.options = ["--ignore-certificate-errors"]
    args.mdns = False
    peer = importlib.import_module("web_chromium").Peer(args)
    report = {}
    try:
        await peer.start()
        report = await talk(peer, args)
    except (RuntimeError, TimeoutError, asyncio.TimeoutError) as error:
        report["error"] = str(error) or type(error).__name__
        try:
            report["log"] = await peer.run("phone.log()")
        except (RuntimeError, OSError, asyncio.TimeoutError):
            pass
    finally:
        await peer.stop()
    print(json.dumps(report), flush=True)
    return 1 if "error" in report else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("fetch").add_argument("directory")
    phone = commands.add_parser("run")
    for name in ("lib", "server", "user"):
        phone.add_argument(f"--{name}", required=True)
    phone.add_argument("--password", default="secret")
    phone.add_argument("--domain", default="example.test")
    phone.add_argument("--call")
    phone.add_argument("--tone", type=int, default=1000)
    phone.add_argument("--seconds", type=float, default=6)
    phone.add_argument("--setup", type=float, default=30)
    phone.add_argument("--hang-up", action="store_true")
    args = parser.parse_args()
    if args.command == "fetch":
        fetch(args.directory)
    else:
        sys.exit(asyncio.run(run(args)))


if __name__ == "__main__":
    main()
