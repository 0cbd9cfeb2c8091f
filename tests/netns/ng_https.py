# SPDX-License-Identifier: GPL-2.0-only
"""A client of the NG protocol by HTTPS and WSS.

ng_https.py ADDRESS:PORT CA [--cert PEM --key KEY] [--old] post PATH DICTIONARY | get PATH | socket DICTIONARY
prints what is answered, or why there is no answer; 1 without one.
"""

import argparse
import base64
import http.client
import os
import socket
import ssl
import struct
import sys

TIMEOUT_S = 5


def context(args):
    ctx = ssl.create_default_context(cafile=args.ca)
    if args.cert:
        ctx.load_cert_chain(args.cert, args.key)
    if args.old:
        ctx.minimum_version = ssl.TLSVersion.TLSv1
        ctx.maximum_version = ssl.TLSVersion.TLSv1_1
        ctx.set_ciphers("ALL:@SECLEVEL=0")
    return ctx


def by_http(args):
    conn = http.client.HTTPSConnection(*args.at, timeout=TIMEOUT_S, context=context(args))
    if args.how == "get":
        conn.request("GET", args.what[0])
    else:
        conn.request("POST", args.what[0], args.what[1], {"Content-Type": "application/json"})
    answer = conn.getresponse()
    print(answer.status, answer.read().decode())
    return answer.status == 200


def exactly(stream, count):
    data = stream.read(count)
    if len(data) != count:
        raise EOFError("the connection has ended")
    return data


def by_socket(args):
    """One message and its answer, in frames of less than 64 KiB (RFC 6455 section 5.2)."""
    host, port = args.at
    with socket.create_connection((host, port), TIMEOUT_S) as plain:
        conn = context(args).wrap_socket(plain, server_hostname=host)
        key = base64.b64encode(os.urandom(16)).decode()
        conn.sendall(
            f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Protocol: ng-plain.rtpengine.com\r\n\r\n".encode()
        )
        stream = conn.makefile("rb")
        status = stream.readline()
        while stream.readline() not in (b"\r\n", b""):
            pass
        if b" 101 " not in status:
            print(status.decode().strip())
            return False
        text = args.what[0].encode()
        mask = os.urandom(4)
        body = bytes(c ^ mask[i % 4] for i, c in enumerate(text))
        conn.sendall(struct.pack(">BBH", 0x81, 0x80 | 126, len(text)) + mask + body)
        length = exactly(stream, 2)[1]
        if length == 126:
            length = struct.unpack(">H", exactly(stream, 2))[0]
        print(exactly(stream, length).decode())
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("at", type=lambda text: (text.split(":")[0], int(text.split(":")[1])))
    parser.add_argument("ca")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--old", action="store_true", help="no more than TLS 1.1")
    parser.add_argument("how", choices=["post", "get", "socket"])
    parser.add_argument("what", nargs="+")
    args = parser.parse_args()
    try:
        sys.exit(0 if (by_socket if args.how == "socket" else by_http)(args) else 1)
    except (OSError, EOFError, http.client.HTTPException) as failure:
        print(failure)
        sys.exit(1)


main()
