#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""datagrams.py ADDRESS PORT [COUNT [SIZE]] - ask over UDP, one datagram after another.

From one connected socket; each datagram waits for its answer and is sent once. Prints who
answered, a line each. Exit status as curl's: 7 refused by ICMP, 28 no answer in time.
"""
import socket
import sys

TIMEOUT = 10        # s; only a failure waits so long

address, port = sys.argv[1], int(sys.argv[2])
count = int(sys.argv[3]) if len(sys.argv) > 3 else 1
size = int(sys.argv[4]) if len(sys.argv) > 4 else 8

with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET,
                   socket.SOCK_DGRAM) as s:
    s.settimeout(TIMEOUT)
    s.connect((address, port))
    for n in range(count):
        sent = b"%d" % n + b"." * (size - len(b"%d" % n))
        try:
            s.send(sent)
            name, _, back = s.recv(65536).partition(b" ")
        except ConnectionRefusedError:
            sys.exit(7)
        except TimeoutError:
            print(f"no answer to datagram {n}", file=sys.stderr)
            sys.exit(28)
        if back != sent:
            sys.exit(f"not an answer: {back!r}")
        print(name.decode())
