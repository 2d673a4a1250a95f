#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""holder.py ADDRESS PORT - connections to a service of lines, opened and asked on word.

Reads a command a line from standard input, and prints a line that answers it:

    open NAME [SOURCE]          connect, ask once: the backend's name
    ask NAME                    the backend's name
    close NAME                  "closed"
    spread N [SOURCE...]        N connections, one after another, from these addresses in
                                turn, each asked once and closed: BACKEND=N... lost=N
    fill N [SOURCE...]          the same, but they stay open
    fails                       how the lost ones of `spread` and `fill` failed
    leave BACKEND N             close N of those that it has: "closed"
    round                       ask on each that is open: open=N moved=N lost=N
    empty                       close all

What fails is "refused", "reset" or "silent" instead of a backend's name. Servers are
tests/net/backend.py.
"""
import collections
import itertools
import socket
import sys

TIMEOUT = 4     # s; longer than the second that a lost SYN costs


class Connection:
    def __init__(self, address, port, source=None):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self.socket.settimeout(TIMEOUT)
            if source:
                self.socket.bind((source, 0))
            self.socket.connect((address, port))
        except OSError:
            self.socket.close()
            raise
        self.file = self.socket.makefile("rb")
        self.asked = 0
        self.backend = None

    def ask(self):
        self.asked += 1
        self.socket.sendall(b"%d\n" % self.asked)
        name, _, back = self.file.readline().partition(b" ")
        if back != b"%d\n" % self.asked:
            raise ConnectionResetError("closed, or not an answer")
        if self.asked == 1:
            self.backend = name.decode()
        return name.decode()

    def close(self):
        self.file.close()
        self.socket.close()


def failure(problem):
    if isinstance(problem, ConnectionRefusedError):
        return "refused"
    return "silent" if isinstance(problem, TimeoutError) else "reset"


class Holder:
    def __init__(self, address, port):
        self.address, self.port = address, int(port)
        self.held = {}
        self.numbers = itertools.count()
        self.failures = collections.Counter()

    def connect(self, name, source=None):
        """Connect and ask; who answered, or how it failed."""
        try:
            connection = Connection(self.address, self.port, source)
            self.held[name] = connection
            return connection.ask()
        except OSError as problem:
            if name in self.held:
                self.held.pop(name).close()
            return failure(problem)

    open = connect

    def ask(self, name):
        try:
            return self.held[name].ask()
        except OSError as problem:
            self.held.pop(name).close()
            return failure(problem)

    def close(self, name):
        self.held.pop(name).close()
        return "closed"

    def fill(self, n, *sources, keep=True):
        shares, lost = collections.Counter(), 0
        self.failures.clear()
        for source in itertools.islice(itertools.cycle(sources or [None]), int(n)):
            name = f"-{next(self.numbers)}"
            said = self.connect(name, source)
            if name not in self.held:
                lost += 1
                self.failures[said] += 1
                continue
            shares[said] += 1
            if not keep:
                self.close(name)
        told = "".join(f"{name}={n} " for name, n in sorted(shares.items()))
        return f"{told}lost={lost}"

    def spread(self, n, *sources):
        return self.fill(n, *sources, keep=False)

    def fails(self):
        return " ".join(f"{how}={n}" for how, n in sorted(self.failures.items())) or "-"

    def round(self):
        moved = lost = 0
        for name in list(self.held):
            first = self.held[name].backend
            said = self.ask(name)
            lost += name not in self.held
            moved += name in self.held and said != first
        return f"open={len(self.held)} moved={moved} lost={lost}"

    def leave(self, backend, n):
        its = [name for name, held in self.held.items() if held.backend == backend]
        for name in its[:int(n)]:
            self.close(name)
        return "closed" if len(its) >= int(n) else f"has {len(its)}"

    def empty(self):
        for name in list(self.held):
            self.close(name)
        return "closed"


def main():
    holder = Holder(*sys.argv[1:])
    for line in sys.stdin:
        verb, *words = line.split()
        print(getattr(holder, verb)(*words), flush=True)


main()
