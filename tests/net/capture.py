#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""capture.py - a file of packets, as tcpdump would have written it.

    capture.py FILE LINK [WHAT...]

LINK is ethernet, raw or any.  WHAT, each in turn:

    CLIENT:PORT-PORT/SERVICE:PORT       of each port of the client, a TCP connection as the
                                        service's side of the balancer sees it: SYN, ACK, data
    large                               what follows is as large as GRO makes it
    short                               of what follows, 60 bytes are kept
    from=MAC                            what follows was sent by it
    arp                                 a packet that is not IP
"""
import socket
import struct
import sys

LINKS = {"ethernet": 1, "raw": 101, "any": 113}
SYN, ACK, PSH = 2, 16, 8


def ipv4(client, port, service, dport, flags, data):
    source, destination = socket.inet_aton(client), socket.inet_aton(service)
    tcp = struct.pack("!HHIIBBHHH", port, dport, 1, 1 if flags & ACK else 0, 0x50,
                      flags, 65535, 0, 0)
    total = 20 + len(tcp) + len(data)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, total, 1, 0x4000, 64, 6, 0)
    return ip + source + destination + tcp + data


class File:
    def __init__(self, path, link):
        self.f = open(path, "wb")
        self.link = link
        self.mac = "02:00:00:00:00:77"
        self.kept = 262144
        self.f.write(struct.pack("=IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, LINKS[link]))

    def write(self, packet, ethertype=0x0800):
        mac = bytes.fromhex(self.mac.replace(":", ""))
        if self.link == "ethernet":
            packet = bytes(6) + mac + struct.pack("!H", ethertype) + packet
        elif self.link == "any":
            packet = struct.pack("!HHH", 0, 1, 6) + mac + b"\0\0" + struct.pack(
                "!H", ethertype) + packet
        self.f.write(struct.pack("=IIII", 1, 0, min(len(packet), self.kept), len(packet)))
        self.f.write(packet[:self.kept])


def connections(out, what, size):
    client, service = what.split("/")
    (client, ports), (service, dport) = client.split(":"), service.split(":")
    first, last = map(int, ports.split("-"))
    for flags, data in (SYN, b""), (ACK, b""), (ACK | PSH, b"x" * size):
        for port in range(first, last + 1):
            out.write(ipv4(client, port, service, int(dport), flags, data))


def main():
    out = File(sys.argv[1], sys.argv[2])
    size = 100
    for what in sys.argv[3:]:
        if what == "large":
            size = 20000
        elif what == "short":
            out.kept = 60
        elif what == "arp":
            out.write(bytes(28), 0x0806)
        elif what.startswith("from="):
            out.mac = what[5:]
        else:
            connections(out, what, size)


main()
