"""A small server on loopback that notes what it is told: sink.py http|smtp|hang PORT FILE.

http: a line "METHOD PATH SIGNATURE BODY" per request; the path /broken answers 500.
hang: takes connections and says nothing, ever.
smtp: everything the client says, line by line; "250" to all, credentials of every kind are taken.
"""
import http.server
import socket
import sys

kind, port, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]


def note(data):
    with open(path, 'ab') as f:
        f.write(data)


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get('content-length', 0)))
        note(b'%s %s %s %s\n' % (self.command.encode(), self.path.encode(),
                                 str(self.headers.get('x-pgc-signature')).encode(), body))
        self.send_response(500 if self.path.startswith('/broken') else 200)
        self.end_headers()

    do_PUT = do_POST

    def log_message(self, *args):
        pass


def converse(peer):
    stream = peer.makefile('rwb', buffering=0)

    def say(text):
        stream.write(text + b'\r\n')
    say(b'220 sink')
    in_data = False
    for line in stream:
        note(line)
        line = line.rstrip(b'\r\n')
        if in_data:
            in_data = line != b'.'
            if not in_data:
                say(b'250 taken')
        elif line.upper().startswith(b'EHLO'):
            stream.write(b'250-sink\r\n250 AUTH PLAIN LOGIN\r\n')
        elif line.upper() == b'AUTH PLAIN':
            say(b'334 ')
            note(stream.readline())
            say(b'235 welcome')
        elif line.upper() == b'DATA':
            in_data = True
            say(b'354 go on')
        elif line.upper() == b'QUIT':
            say(b'221 bye')
            break
        else:
            say(b'250 fine')
    peer.close()


if kind == 'http':
    http.server.HTTPServer(('127.0.0.1', port), Hook).serve_forever()
elif kind == 'hang':
    server, held = socket.create_server(('127.0.0.1', port)), []
    while True:
        held.append(server.accept())
else:
    server = socket.create_server(('127.0.0.1', port))
    while True:
        try:
            converse(server.accept()[0])
        except ConnectionError:
            pass  # somebody who only looked whether we are there
