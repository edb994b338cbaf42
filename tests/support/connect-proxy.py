#!/usr/bin/env python3
"""An HTTP proxy on 127.0.0.1 that only tunnels (CONNECT), for tests: connect-proxy.py PORT_FILE LOG_FILE.

Whatever host is asked for, it connects to 127.0.0.1 and the port asked for, and notes "HOST:PORT" in the log."""
import os
import socket
import socketserver
import sys
import threading


def carry(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Tunnel(socketserver.StreamRequestHandler):
    def handle(self):
        words = self.rfile.readline().decode().split()
        while self.rfile.readline().strip():
            pass
        if len(words) < 2 or words[0] != 'CONNECT':
            self.wfile.write(b'HTTP/1.1 405 only CONNECT\r\nContent-Length: 0\r\n\r\n')
            return
        with open(sys.argv[2], 'a') as log:
            log.write(words[1] + '\n')
        far = socket.create_connection(('127.0.0.1', int(words[1].rpartition(':')[2])))
        self.wfile.write(b'HTTP/1.1 200 here you are\r\n\r\n')
        threading.Thread(target=carry, args=(far, self.connection), daemon=True).start()
        carry(self.connection, far)


class Proxy(socketserver.ThreadingTCPServer):
    daemon_threads = True


proxy = Proxy(('127.0.0.1', 0), Tunnel)
with open(sys.argv[1] + '.tmp', 'w') as f:
    f.write(str(proxy.server_address[1]))
os.rename(sys.argv[1] + '.tmp', sys.argv[1])
proxy.serve_forever()
