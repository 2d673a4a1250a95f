#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""guest_client.py HOST PORT REQUESTS - ask without pause, and report.

One connection per request, and one more that stays open and is asked after every tenth.
Prints in the end 'requests R failures F moved M shares NAME=N...', where M says how often
the open connection was answered by another backend than at first, and the first failures.
"""
import collections
import http.client
import sys

TIMEOUT = 5     # of a request; a lost packet costs a second or more, not the request
ENOUGH = 10     # failures: no need to wait for all the rest


def ask(connection):
    connection.request("GET", "/")
    return connection.getresponse().read().decode()


def main():
    host, port, requests = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    shares, failures = collections.Counter(), []
    lasting = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
    first, moved, number = None, 0, 0
    while number < requests and len(failures) < ENOUGH:
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
        try:
            shares[ask(connection)] += 1
            if number % 10 == 0:
                answer = ask(lasting)
                first = first or answer
                moved += answer != first
        except (OSError, http.client.HTTPException) as problem:
            failures.append(f"request {number}: {problem!r}")
        lasting.auto_open = 0   # if it breaks, it is to stay broken
        connection.close()
        number += 1
    told = " ".join(f"{name}={n}" for name, n in sorted(shares.items()))
    print(f"requests {number} failures {len(failures)} moved {moved} shares {told}",
          *failures, sep="\n")


main()
