#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""frames.py - frames as they are on the wire, VLAN tags included.

    frames.py hear DEV SECONDS TEXT       says "ready"; then, of the first frame to DEV's
                                          address that holds TEXT: its tag, 0 if it has none, and its
                                          bytes from the IP header on
    frames.py say DEV MAC TAG FROM TO PORT TEXT
                                          sends TEXT in a UDP datagram, IPv4, in a tagged frame

The kernel takes the tag out of a frame before it shows it, and says it beside.
"""
import ipaddress
import socket
import struct
import sys
import time

SOL_PACKET, PACKET_AUXDATA, PACKET_HOST = 263, 8, 0
STATUS_VLAN_VALID = 1 << 4
ETH_P_ALL, ETH_P_8021Q, ETH_P_IP = 3, 0x8100, 0x0800


def tag_of(ancillary):
    for level, kind, data in ancillary:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, tci = struct.unpack_from("=I", data)[0], struct.unpack_from(
                "=H", data, 16)[0]
            return tci & 0xfff if status & STATUS_VLAN_VALID else 0
    return 0


def hear(device, seconds, text):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    s.bind((device, ETH_P_ALL))
    print("ready", flush=True)
    end = time.monotonic() + float(seconds)
    while (left := end - time.monotonic()) > 0:
        s.settimeout(left)
        try:
            frame, ancillary, _, sender = s.recvmsg(2048, 256)
        except TimeoutError:
            break
        if text.encode() in frame and sender[2] == PACKET_HOST:
            print(tag_of(ancillary), frame[14:].hex(), flush=True)
            return 0
    return 1


def checksum(header):
    total = sum(struct.unpack("!10H", header))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def say(device, mac, tag, source, to, port, text):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((device, 0))
    udp = struct.pack("!4H", 31337, int(port), 8 + len(text), 0) + text.encode()
    ends = ipaddress.IPv4Address(source).packed + ipaddress.IPv4Address(to).packed
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0) + ends
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    s.send(bytes.fromhex(mac.replace(":", "")) + s.getsockname()[4] +
           struct.pack("!3H", ETH_P_8021Q, int(tag), ETH_P_IP) + ip + udp)
    return 0


if __name__ == "__main__":
    sys.exit({"hear": hear, "say": say}[sys.argv[1]](*sys.argv[2:]))
