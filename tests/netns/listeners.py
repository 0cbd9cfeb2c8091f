#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What else is on a host: listeners.py PORT... has a UDP socket on each, of all addresses and some
groups, and prints a line for each datagram that comes.
"""
import select
import socket
import struct
import sys

socks = []
for port in map(int, sys.argv[1:]):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("::", port))
    for group in ("224.0.0.251", "239.1.1.1"):
        for index, _ in socket.if_nameindex():
            try:
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                                struct.pack("4s4si", socket.inet_aton(group), bytes(4), index))
            except OSError:  # the device has no IPv4
                pass
    socks.append(sock)
print("ready", flush=True)
while True:
    for sock in select.select(socks, [], [])[0]:
        data, source = sock.recvfrom(4096)
        print("heard", sock.getsockname()[1], source[0], source[1], len(data), flush=True)
