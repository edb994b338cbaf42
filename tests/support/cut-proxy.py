#!/usr/bin/env python3
"""A TCP proxy on 127.0.0.1 that breaks connections: cut-proxy.py PORT_FILE TARGET_PORT [FATE ...]

The first connection meets the first fate, the second the second; those after the last are left alone, or meet the last one
too when it ends with '*'. Fates:
  up:BYTES    reset after so many bytes from the client     down:BYTES   reset after so many from the server
  refuse      reset at once                                 ok           left alone
  CODE        a number: the first HTTP request is answered with that status, and the connection closed
PORT_FILE.log gets a line per connection."""
import os
import socket
import socketserver
import struct
import sys
import threading

fates, lock, count = sys.argv[3:], threading.Lock(), [0]


def reset(*ends):
    for end in ends:
        try:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            end.close()
        except OSError:
            pass


def carry(source, target, limit):
    passed = 0
    try:
        while data := source.recv(16384):
            if limit is not None and passed + len(data) > limit:
                target.sendall(data[:limit - passed])
                raise ConnectionResetError
            passed += len(data)
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except ConnectionResetError:
        # shutdown wakes the thread that reads from the other side; the reset follows
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RD)
            except OSError:
                pass
        reset(source, target)
    except OSError:
        pass


def answer(client, status):
    head = b''
    while b'\r\n\r\n' not in head:
        data = client.recv(16384)
        if not data:
            return
        head += data
    client.sendall(b'HTTP/1.1 %d as told\r\nRetry-After: 0\r\nConnection: close\r\nContent-Length: 0\r\n\r\n' % status)
    client.shutdown(socket.SHUT_WR)
    client.settimeout(5)
    try:
        while client.recv(65536):
            pass
    except OSError:
        pass


class Cut(socketserver.BaseRequestHandler):
    def handle(self):
        with lock:
            i, count[0] = count[0], count[0] + 1
            last = fates[-1] if fates and fates[-1].endswith('*') else 'ok'
            fate = (fates[i] if i < len(fates) else last).rstrip('*')
            with open(sys.argv[1] + '.log', 'a') as log:
                log.write(fate + '\n')
        kind, _, size = fate.partition(':')
        if kind == 'refuse':
            return reset(self.request)
        if kind.isdigit():
            return answer(self.request, int(kind))
        server = socket.create_connection(('127.0.0.1', int(sys.argv[2])))
        limit = int(size or 0)
        other = threading.Thread(target=carry, args=(server, self.request, limit if kind == 'down' else None), daemon=True)
        other.start()
        carry(self.request, server, limit if kind == 'up' else None)
        other.join()
        return None


class Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


proxy = Proxy(('127.0.0.1', 0), Cut)
with open(sys.argv[1] + '.tmp', 'w') as f:
    f.write(str(proxy.server_address[1]))
os.rename(sys.argv[1] + '.tmp', sys.argv[1])
proxy.serve_forever()
