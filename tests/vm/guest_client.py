#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""guest_client.py HOST PORT REQUESTS DONE - ask without pause, and report.

One connection per request, and one more that stays open and is asked after every tenth.
Writes to the file DONE in the end: 'requests R failures F shares NAME=N... moved M', where
M says how often the open connection was answered by another backend than at first.
"""
import collections
import http.client
import os
import sys

TIMEOUT = 5     # of a request; a lost packet costs a second or more, not the request


def ask(connection):
    connection.request("GET", "/")
    return connection.getresponse().read().decode()


def main():
    host, port, requests, done = sys.argv[1:]
    shares, failures = collections.Counter(), []
    lasting = http.client.HTTPConnection(host, int(port), timeout=TIMEOUT)
    lasting.auto_open = True
    first, moved = ask(lasting), 0
    lasting.auto_open = False   # if it breaks, it is to stay broken
    for number in range(int(requests)):
        connection = http.client.HTTPConnection(host, int(port), timeout=TIMEOUT)
        try:
            shares[ask(connection)] += 1
            if number % 10 == 0:
                moved += ask(lasting) != first
        except (OSError, http.client.HTTPException) as problem:
            failures.append(repr(problem))
        connection.close()
    told = " ".join(f"{name}={n}" for name, n in sorted(shares.items()))
    with open(done + ".new", "w", encoding="ascii") as file:
        print(f"requests {requests} failures {len(failures)} shares {told} moved {moved}",
              *failures[:10], sep="\n", file=file)
    os.rename(done + ".new", done)


main()
