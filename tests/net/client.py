#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""client.py [OPTIONS] ADDRESS... - ask a service without pause, and tell what came back.

Three kinds of askers, at once: `fresh` open a TCP connection per request, `datagrams` a
UDP socket per datagram (sent once: what is lost is a failure; and not more than 100 a
second, because a flow of UDP has no end that could be seen), `lasting` hold TCP
connections open, `streams` UDP sockets, and ask on each in turn; the same backend must
answer for ever. Of several addresses each asker, connection and socket has one, in turn.

Time is cut in phases. Each line of standard input begins one and is its name; then a line
about the one before is printed:

    NAME requests=N failures=N slowest_ms=N BACKEND=N...

A request counts in the phase it began in. An empty line, or the end of standard input,
ends the client, but not before it made --requests. The last line is about all of it:

    total requests=N failures=N slowest_ms=N BACKEND=N... lasting=N asked=N moved=N

What failed, and how, is told on standard error, the first few times.
"""
import argparse
import collections
import functools
import itertools
import os
import socket
import sys
import threading
import time

TIMEOUT = 5         # s, of a request; a lost SYN costs one second, a datagram all five
TELL = 10           # failures that are told in full
REST = 0.01         # s after a datagram, and a round over the lasting connections


class Tally:
    """What came back of the requests that began in one phase."""

    def __init__(self, name):
        self.name = name
        self.requests = self.failures = self.open = 0
        self.slowest = 0.0
        self.shares = collections.Counter()

    def add(self, other):
        self.requests += other.requests
        self.failures += other.failures
        self.slowest = max(self.slowest, other.slowest)
        self.shares.update(other.shares)

    def __str__(self):
        shares = "".join(f" {name}={n}" for name, n in sorted(self.shares.items()))
        return (f"{self.name} requests={self.requests} failures={self.failures} "
                f"slowest_ms={self.slowest * 1000:.0f}{shares}")


class Client:
    def __init__(self, options):
        self.options = options
        self.change = threading.Condition()     # guards all below
        self.tally = Tally("start")
        self.total = Tally("total")
        self.told = 0
        self.stop = False
        self.asked = self.moved = 0

    def addresses(self, n):
        """One for each of n."""
        return itertools.islice(itertools.cycle(self.options.address), n)

    def connect(self, kind, address):
        s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
        s.settimeout(TIMEOUT)
        s.connect((address, self.options.port))
        return s

    # ---- one request of each kind; each returns the backend's name -----------

    def ask_fresh(self, address):
        with self.connect(socket.SOCK_STREAM, address) as s:
            s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = b""
            while part := s.recv(4096):
                answer += part
        head, _, body = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.0 200 ") or not body.endswith(b"\n"):
            raise ValueError(f"not an answer: {answer!r}")
        return body.decode().strip()

    def ask_datagram(self, address):
        with self.connect(socket.SOCK_DGRAM, address) as s:
            return self.ask_socket(s)

    # ---- and again, on what is open ------------------------------------------

    def ask_socket(self, s):
        sent = b"%x" % time.monotonic_ns()
        s.send(sent)
        name, _, back = s.recv(4096).partition(b" ")
        if back != sent:
            raise ValueError(f"not an answer: {back!r}")
        return name.decode()

    def ask_connection(self, connection, file):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        head = file.readline()
        if not head.startswith(b"HTTP/1.1 200 "):
            raise ValueError(f"closed, or not an answer: {head!r}")
        while file.readline().strip():
            pass
        return file.readline().decode().strip()

    # ---- askers: threads -----------------------------------------------------

    def fail(self, what):
        if self.told < TELL:
            print(f"failure: {what}", file=sys.stderr, flush=True)
        self.told += 1

    def count(self, tally, begin, name, problem):
        with self.change:
            tally.open -= 1
            tally.requests += 1
            tally.slowest = max(tally.slowest, time.monotonic() - begin)
            if problem is None:
                tally.shares[name] += 1
            else:
                tally.failures += 1
                self.fail(f"{tally.name}: {problem!r}")
            self.change.notify_all()

    def ask_on(self, ask, address, rest):
        while True:
            with self.change:
                if self.stop:
                    return
                tally = self.tally
                tally.open += 1
            begin, name, problem = time.monotonic(), None, None
            try:
                name = ask(address)
            except (OSError, ValueError) as e:
                problem = e
            self.count(tally, begin, name, problem)
            time.sleep(rest)

    def open_lasting(self):
        """How to ask on each, and who answered first."""
        asks = []
        for address in self.addresses(self.options.lasting):
            s = self.connect(socket.SOCK_STREAM, address)
            asks.append(functools.partial(self.ask_connection, s, s.makefile("rb")))
        for address in self.addresses(self.options.streams):
            s = self.connect(socket.SOCK_DGRAM, address)
            asks.append(functools.partial(self.ask_socket, s))
        return [(ask, ask()) for ask in asks]

    def round_lasting(self, lasting):
        """Ask on each once; return those that live."""
        alive = []
        for ask, first in lasting:
            problem, moved = None, False
            try:
                moved = ask() != first
                alive.append((ask, first))
            except (OSError, ValueError) as e:
                problem = e
            with self.change:
                self.asked += 1
                self.moved += moved
                if problem:
                    self.tally.failures += 1
                    self.fail(f"{self.tally.name}: open connection to {first}: "
                              f"{problem!r}")
        return alive

    def keep_asking(self, lasting):
        while not self.stop and lasting:
            lasting = self.round_lasting(lasting)
            time.sleep(REST)

    # ---- phases --------------------------------------------------------------

    def begin(self, name):
        """End the phase, wait for its last answers, print it."""
        with self.change:
            ended, self.tally = self.tally, Tally(name)
            self.change.wait_for(lambda: not ended.open)
            self.total.add(ended)
            print(ended, flush=True)

    def run(self):
        options = self.options
        kept = self.open_lasting()
        askers = [threading.Thread(target=self.keep_asking, args=(kept,))]
        for n, ask, rest in ((options.fresh, self.ask_fresh, options.rest),
                             (options.datagrams, self.ask_datagram, REST)):
            askers += [threading.Thread(target=self.ask_on, args=(ask, address, rest))
                       for address in self.addresses(n)]
        for asker in askers:
            asker.start()
        while name := sys.stdin.readline().strip():
            self.begin(name)
        with self.change:
            self.change.wait_for(lambda: options.requests <=
                                 self.total.requests + self.tally.requests)
            self.stop = True
        for asker in askers:
            asker.join()
        self.begin("end")
        print(f"{self.total} lasting={len(kept)} asked={self.asked} moved={self.moved}",
              flush=True)
        return 1 if self.total.failures or self.moved else 0


def stay_on_one_cpu():
    """Send all packets of a connection from one CPU: what is not reordered is not lost."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def main():
    stay_on_one_cpu()
    parser = argparse.ArgumentParser()
    parser.add_argument("--fresh", type=int, default=0)
    parser.add_argument("--datagrams", type=int, default=0)
    parser.add_argument("--lasting", type=int, default=0)
    parser.add_argument("--streams", type=int, default=0)
    parser.add_argument("--requests", type=int, default=0)
    parser.add_argument("--rest", type=float, default=0, help="seconds, of fresh")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("address", nargs="+")
    sys.exit(Client(parser.parse_args()).run())


main()
