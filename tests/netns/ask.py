#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""One SIP request over UDP. Prints the final status, or a header of it, or "none"."""

import argparse
import os
import socket
import sys
import time


def request(args, local):
    host, port = local
    uid = os.urandom(6).hex()
    contact = f"Contact: <sip:probe@{host}:{port}>\r\n"
    return (
        f"{args.method} {args.uri} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{uid};rport\r\n"
        "Max-Forwards: 70\r\n"
        f"From: <sip:probe@example.test>;tag={uid}\r\n"
        f"To: <{args.to_uri or args.uri}>\r\n"
        f"Call-ID: {uid}\r\n"
        f"CSeq: 1 {args.method}\r\n"
        f"{contact}"
        f"User-Agent: {args.agent}\r\n"
        "Expires: 60\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bind", required=True)
    parser.add_argument("--to", required=True, help="ADDRESS:PORT")
    parser.add_argument("--method", default="OPTIONS")
    parser.add_argument("--uri", default="sip:10.77.1.1")
    parser.add_argument("--to-uri", help="default: the URI, of a REGISTER that of the probe")
    parser.add_argument("--agent", default="probe")
    parser.add_argument("--show", help="a header of the response in place of its status")
    parser.add_argument("--wait", type=float, default=1.0)
    args = parser.parse_args()
    if args.method == "REGISTER" and not args.to_uri:
        args.to_uri = "sip:probe@example.test"

    host, port = args.to.rsplit(":", 1)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((args.bind, 0))
    sock.sendto(request(args, sock.getsockname()), (host, int(port)))
    end = time.monotonic() + args.wait
    while (left := end - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            lines = sock.recv(65535).decode(errors="replace").split("\r\n")
        except socket.timeout:
            break
        status = lines[0].split()[1]
        if status[0] == "1":
            continue
        if args.show:
            print(next((x for x in lines if x.startswith(args.show)), "none"))
        else:
            print(status)
        return 0
    print("none")
    return 0


if __name__ == "__main__":
    sys.exit(main())
