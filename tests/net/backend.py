#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""backend.py NAME HTTP LINES - a backend that says its name, over IPv4 and IPv6.

HTTP/tcp    GET is answered with NAME, GET /N with N bytes, PUT with the SHA-256 of what
            was sent. HTTP/1.1 keeps the connection, with HTTP/1.0 the backend closes it.
HTTP/udp    a datagram is answered with "NAME datagram", from the address it was sent to.
LINES/tcp   a line is answered with "NAME line", for as long as the client likes.
"""
import asyncio
import hashlib
import re
import socket
import sys

NAME = sys.argv[1].encode()
HTTP, LINES = int(sys.argv[2]), int(sys.argv[3])
BACKLOG = 1024
LIMIT = 16 << 20    # bytes of a request's body

# Not random, but no byte of it is where it would be after a mistake of 1 to 250 bytes.
PATTERN = bytes(i % 251 for i in range(251 * 256))


def bulk(n):
    return (PATTERN * (n // len(PATTERN) + 1))[:n]


async def answer_request(reader, writer):
    """Answer one request; say whether the connection is kept."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    method, path, version = head.split("\r\n", 1)[0].split(" ")
    length = re.search(r"(?im)^content-length: *(\d+)", head)
    if re.search(r"(?im)^expect: *100-continue", head):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    sent = await reader.readexactly(min(int(length[1]), LIMIT)) if length else b""
    if method == "PUT":
        body = hashlib.sha256(sent).hexdigest().encode() + b"\n"
    elif path[1:].isdigit():
        body = bulk(int(path[1:]))
    else:
        body = NAME + b"\n"
    writer.write(f"{version} 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode())
    writer.write(body)
    await writer.drain()
    return version == "HTTP/1.1"


async def serve_http(reader, writer):
    try:
        while await answer_request(reader, writer):
            pass
    except (ConnectionError, asyncio.IncompleteReadError, ValueError):
        pass    # the client went away, or is none of HTTP
    writer.close()


async def serve_lines(reader, writer):
    try:
        while line := await reader.readline():
            writer.write(NAME + b" " + line)
            await writer.drain()
    except (ConnectionError, ValueError):
        pass
    writer.close()


def serve_datagram(s):
    try:
        data, control, _, client = s.recvmsg(65536, socket.CMSG_SPACE(20))
        # Its address is kept, of a host that has several; its interface is not.
        to = [(level, kind, value[:16] + bytes(4)) for level, kind, value in control
              if kind == socket.IPV6_PKTINFO]
        s.sendmsg([NAME + b" " + data], to, 0, client)
    except OSError:
        pass    # what ICMP told of a client before, or no way to this one


def listener(kind, port):
    s = socket.socket(socket.AF_INET6, kind)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("::", port))
    return s


async def main():
    loop = asyncio.get_running_loop()
    datagrams = listener(socket.SOCK_DGRAM, HTTP)
    datagrams.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    datagrams.setblocking(False)
    loop.add_reader(datagrams, serve_datagram, datagrams)
    for port, serve in ((LINES, serve_lines), (HTTP, serve_http)):
        await asyncio.start_server(serve, sock=listener(socket.SOCK_STREAM, port),
                                   backlog=BACKLOG)
    await asyncio.Event().wait()


asyncio.run(main())
