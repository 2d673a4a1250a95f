#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""guest_server.py NAME PORT - answer every HTTP request with NAME, over IPv4 and IPv6."""
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME = sys.argv[1].encode()


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"   # connections stay open

    def do_GET(self):
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(NAME)))
        self.end_headers()
        self.wfile.write(NAME)


class Server(ThreadingHTTPServer):
    address_family = socket.AF_INET6    # IPv4 too: not IPV6_V6ONLY
    request_queue_size = 64


Server(("::", int(sys.argv[2])), Answer).serve_forever()
