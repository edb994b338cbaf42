#!/usr/bin/env python3
"""An S3 server in memory that misbehaves on request. Only for tests; standard library only.

fault_s3.py PORT_FILE [FAULT ...]   listens on 127.0.0.1, writes its port into PORT_FILE

It checks every signature and payload hash with its own code (so the signer is tested by a second implementation), checks
and echoes x-amz-checksum-sha256 and then wants it in Complete, as AWS does. Access key AK, secret SK, region us-east-1.

Faults (TIMES 0 is always; parts count from 1; a whole PUT is part 0):
  status:CODE:PART:TIMES   that status         s3code:STATUS:CODE:PART:TIMES   with an error document
  middle:PART:TIMES        reset in the middle of the body       last:PART:TIMES   stored, then reset without an answer
  drip:PART:TIMES          one byte of the answer a second       complete200:CODE:TIMES   an error inside a 200
  lost-complete:TIMES      completed, then reset                 lost-create:TIMES   upload opened, then reset
  liar-complete            says 200, stores nothing              liar-size          stores one byte less
  bad-signature            SignatureDoesNotMatch always          max-parts:N        higher part numbers are refused
  equal-parts              as R2                                 no-list-v2         501   ignore-list-v2   answers as version 1
  random-etag              ETag of the object is made up         clock:SECONDS      the server's clock differs
  region:NAME              301 to that region, then only that    no-checksum        400 for x-amz-checksum-*
  full                     507 for parts from the third          stubborn:TIMES     aborted uploads stay
  cut-get:TIMES            GET is cut in the middle              lock               wants a hash when locked
  token:VALUE              wants this session token, else ExpiredToken
  proxy                    takes requests for any host, as a proxy does
  slow:SECONDS             every part takes that long (so that several are in flight)
  retry-after:SECONDS:PART:TIMES   503 with Retry-After; who comes earlier is counted as too_early
  silent                   instance metadata never gives a token
  stuck:PART:TIMES         the body is never read          redirect:NAME   307 to that region, told by the Endpoint only
  keys: AK may do everything; WR (same secret) may not delete objects, as people give it to a backup host
  deny:OPERATION           403 AccessDenied: create part complete abort parts uploads list put delete get head
  rotate:N                 the session token changes after N requests; the sources of keys give the one of now
  expires:SECONDS          keys from the sources end that soon      sources-fail:N   those fail after N answers
  page:N                   keys in a page of a list (3)             forget   stores lengths instead of bytes
  tls:CERT:KEY             https                                    customer-key   objects want the key they were written with
GET /_state tells objects, open uploads and counters as JSON, /_seen?op=OPERATION the headers of the last such request,
/_seed?prefix=P&count=N makes empty objects. Sources of keys: /latest/... is instance metadata, /sts the token service (web
identity, and AssumeRole by AK with external id "ext"), /container the container's endpoint (token "container/+=")."""
import base64, datetime, hashlib, hmac, json, os, re, socket, ssl, struct, sys, threading, time, urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape, unescape

FAULTS = [f.split(':') for f in sys.argv[2:]]
LOCK = threading.Lock()
OBJECTS, UPLOADS, COUNT, USED = {}, {}, {}, {}
STATE = {'in_flight': 0, 'most_in_flight': 0, 'too_early': 0, 'jwts': []}
SEEN, EARLIEST = {}, {}


def fault(name, part=None, at=None):
    """The fault's arguments when it is on (and counts down its TIMES), else None."""
    for i, f in enumerate(FAULTS):
        if f[0] != name:
            continue
        if at is not None and str(part) != f[at]:
            continue
        if name in TIMED:
            times = int(f[-1])
            with LOCK:
                if times and USED.get(i, 0) >= times:
                    continue
                USED[i] = USED.get(i, 0) + 1
        return f[1:] or [True]
    return None


TIMED = {'retry-after', 'stuck', 'status', 's3code', 'middle', 'last', 'drip', 'complete200', 'lost-complete', 'lost-create', 'stubborn', 'cut-get'}


def now():
    f = [f for f in FAULTS if f[0] == 'clock']
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=int(f[0][1]) if f else 0)


def quote(text, safe='-._~'):
    return urllib.parse.quote(text, safe=safe)


class Reset(Exception):
    pass


class Refuse(Exception):
    def __init__(self, status, code, message='', extra=''):
        self.status, self.code, self.message, self.extra = status, code, message, extra


class Length:
    """Stands for so many bytes."""
    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        pass

    def date_time_string(self, timestamp=None):
        return now().strftime('%a, %d %b %Y %H:%M:%S GMT')

    def answer(self, status, body=b'', **headers):
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace('_', '-'), value)
        if status != 204:
            self.send_header('Content-Length', len(body))
        self.end_headers()
        if self.command != 'HEAD' and not isinstance(body, Length):
            self.wfile.write(body)

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.close_connection = True
        raise Reset

    def handle_one(self):
        if fault('proxy') and self.path.startswith('http://'):
            self.path = '/' + self.path.split('/', 3)[3]
        split = urllib.parse.urlsplit(self.path)
        self.raw_path = self.path.split('?')[0]
        self.query = dict(urllib.parse.parse_qsl(split.query, keep_blank_values=True))
        COUNT[self.command] = COUNT.get(self.command, 0) + 1
        if self.raw_path == '/_state':
            return self.answer(200, json.dumps({
                'objects': {k: len(v['data']) for k, v in OBJECTS.items()},
                'uploads': [u['key'] for u in UPLOADS.values()], 'count': COUNT, **STATE}))
        if self.raw_path == '/_seen':
            return self.answer(200, json.dumps(SEEN.get(self.query['op'], {})))
        if self.raw_path == '/_seed':
            for i in range(int(self.query['count'])):
                OBJECTS[f"{self.query['prefix']}{i:05}"] = {'data': b'', 'etag': '"0"', 'meta': {}}
            return self.answer(200)
        if self.raw_path.startswith('/latest/') or self.raw_path in ('/sts/', '/container'):
            return self.metadata()
        bucket, _, key = urllib.parse.unquote(self.raw_path[1:]).partition('/')
        if self.headers.get('Host', '').startswith('bkt.'):  # the bucket is in the host name
            bucket, key = 'bkt', urllib.parse.unquote(self.raw_path[1:])
            COUNT['virtual'] = COUNT.get('virtual', 0) + 1
        part = int(self.query.get('partNumber', 0)) if self.command == 'PUT' else -1
        length = int(self.headers.get('Content-Length', 0))
        SEEN[self.operation(key)] = {n.lower(): v for n, v in self.headers.items()}
        if fault('stuck', part, 0):
            time.sleep(30)
            self.reset()
        if fault('middle', part, 1):
            self.rfile.read(length // 2)
            self.reset()
        with LOCK:
            STATE['in_flight'] += 1
            STATE['most_in_flight'] = max(STATE['most_in_flight'], STATE['in_flight'])
        try:
            self.body = self.rfile.read(length)
            slow = fault('slow')
            if slow and part > 0:
                time.sleep(float(slow[0]))
            self.check(bucket)
            if 'Credential=WR/' in self.headers.get('Authorization', '') and self.operation(key) == 'delete':
                raise Refuse(403, 'AccessDenied', 'this key may not delete')
            if fault('deny') and fault('deny')[0] == self.operation(key):
                raise Refuse(403, 'AccessDenied', 'Access Denied')
            self.before(part)
            self.serve(key, part)
        except Refuse as r:
            text = f'<?xml version="1.0"?><Error><Code>{r.code}</Code><Message>{escape(r.message)}</Message>{r.extra}</Error>'
            headers = {'x_amz_bucket_region': r.message} if r.status == 301 else {}
            self.answer(r.status, text, Content_Type='application/xml', **headers)
        finally:
            with LOCK:
                STATE['in_flight'] -= 1

    def do_GET(self):
        try:
            self.handle_one()
        except (Reset, BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET

    def operation(self, key):
        q = self.query
        if not key:
            return 'uploads' if 'uploads' in q else 'list'
        if 'uploads' in q:
            return 'create'
        if 'uploadId' in q:
            return {'PUT': 'part', 'POST': 'complete', 'DELETE': 'abort', 'GET': 'parts'}[self.command]
        return self.command.lower()

    def token(self):
        rotate = fault('rotate')
        return 'T2' if rotate and COUNT.get('signed', 0) >= int(rotate[0]) else 'T1'

    def metadata(self):
        self.body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        COUNT['sources'] = COUNT.get('sources', 0) + 1
        if fault('sources-fail') and COUNT['sources'] > int(fault('sources-fail')[0]):
            return self.answer(500, 'no keys today')
        ends = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=int((fault('expires') or ['99999'])[0]))
        ends = ends.strftime('%Y-%m-%dT%H:%M:%SZ')
        keys = {'AccessKeyId': 'AK', 'SecretAccessKey': 'SK', 'Token': self.token(), 'Expiration': ends}
        if self.raw_path == '/sts/':
            form = dict(urllib.parse.parse_qsl(self.body.decode()))
            STATE['jwts'].append(form.get('WebIdentityToken', ''))
            action = form.get('Action', '')
            if action == 'AssumeRole':
                try:
                    self.check_signature('sts', 'us-east-1')
                except Refuse as r:
                    return self.answer(r.status, f'<ErrorResponse><Error><Code>{r.code}</Code><Message>{escape(r.message)}</Message></Error></ErrorResponse>')
                good = form.get('ExternalId') == 'ext' and form.get('RoleSessionName') == 'nightly'
            else:
                good = form.get('WebIdentityToken', '').startswith('jwt/+=')
            if not good or form.get('RoleArn') != 'arn:aws:iam::1:role/x':
                return self.answer(403, '<ErrorResponse><Error><Code>AccessDenied</Code><Message>not this role</Message></Error></ErrorResponse>')
            return self.answer(200, f'<{action}Response xmlns="x"><{action}Result><Credentials>'
                               f'<AccessKeyId>AK</AccessKeyId><SecretAccessKey>SK</SecretAccessKey><SessionToken>{self.token()}</SessionToken>'
                               f'<Expiration>{ends}</Expiration></Credentials></{action}Result></{action}Response>')
        if self.raw_path == '/container':
            wanted = self.headers.get('Authorization') == 'container/+='
            return self.answer(200, json.dumps(keys)) if wanted else self.answer(401, '{"code": "Unauthorized"}')
        if self.raw_path == '/latest/api/token' and self.command == 'PUT':
            if fault('silent'):
                time.sleep(30)
            return self.answer(200, 'imds2')
        if self.headers.get('X-aws-ec2-metadata-token') != 'imds2':
            return self.answer(401)
        if self.raw_path.endswith('/security-credentials/'):
            return self.answer(200, 'the-role\n')
        return self.answer(200, json.dumps(keys)) if self.raw_path.endswith('/the-role') else self.answer(404)

    # --- signature, written from the AWS documentation -------------------------------------------------
    def check_signature(self, service, wanted):
        match = re.fullmatch(r'AWS4-HMAC-SHA256 Credential=(.*)/(\d{8})/([^/]*)/' + service + r'/aws4_request, SignedHeaders=([a-z0-9;-]*), Signature=([0-9a-f]{64})',
                             self.headers.get('Authorization', ''))
        if not match or match[1] not in ('AK', 'WR'):
            raise Refuse(403, 'InvalidAccessKeyId', 'unknown key')
        day, region, signed, signature = match[2], match[3], match[4].split(';'), match[5]
        if region != wanted:
            raise Refuse(400, 'AuthorizationHeaderMalformed', 'wrong region', f'<Region>{wanted}</Region>')
        stamp = datetime.datetime.strptime(self.headers['x-amz-date'], '%Y%m%dT%H%M%SZ').replace(tzinfo=datetime.timezone.utc)
        if abs((stamp - now()).total_seconds()) > 900:
            raise Refuse(403, 'RequestTimeTooSkewed', 'the difference is too large')
        for name in self.headers:
            if name.lower() == 'host' or name.lower().startswith('x-amz-'):
                if name.lower() not in signed:
                    raise Refuse(403, 'AccessDenied', f'{name} is not signed')
        query = '&'.join(f'{a}={b}' for a, b in sorted((quote(k), quote(v)) for k, v in self.query.items()))
        canonical = '\n'.join([self.command, self.raw_path, query,
                               ''.join(f"{n}:{' '.join(self.headers[n].split())}\n" for n in signed), ';'.join(signed),
                               self.headers['x-amz-content-sha256']])
        scope = f'{day}/{region}/{service}/aws4_request'
        text = f"AWS4-HMAC-SHA256\n{self.headers['x-amz-date']}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = b'AWS4SK'
        for word in (day, region, service, 'aws4_request', text):
            key = hmac.new(key, word.encode(), hashlib.sha256).digest()
        if key.hex() != signature or fault('bad-signature'):
            raise Refuse(403, 'SignatureDoesNotMatch', 'the signature does not match',
                         f'<StringToSign>{escape(text)}</StringToSign><CanonicalRequest>{escape(canonical)}</CanonicalRequest>')
        if hashlib.sha256(self.body).hexdigest() != self.headers['x-amz-content-sha256']:
            raise Refuse(400, 'XAmzContentSHA256Mismatch', 'body and hash differ')

    def check(self, bucket):
        elsewhere = fault('region') or fault('redirect')
        if elsewhere and f'/{elsewhere[0]}/s3/' not in self.headers.get('Authorization', ''):
            if fault('region'):
                raise Refuse(301, 'PermanentRedirect', elsewhere[0])
            raise Refuse(307, 'TemporaryRedirect', 'go there', f'<Endpoint>bkt.s3.{elsewhere[0]}.amazonaws.com</Endpoint>')
        self.check_signature('s3', elsewhere[0] if elsewhere else 'us-east-1')
        COUNT['signed'] = COUNT.get('signed', 0) + 1
        token = [self.token()] if fault('rotate') else fault('token')
        if token and self.headers.get('x-amz-security-token') != token[0]:
            raise Refuse(400, 'ExpiredToken', 'the token has expired')
        if fault('no-checksum') and any(h.lower().startswith('x-amz-checksum') for h in self.headers):
            raise Refuse(400, 'InvalidArgument', "Unsupported header 'x-amz-checksum-sha256'")
        checksum = self.headers.get('x-amz-checksum-sha256')
        if checksum and base64.b64encode(hashlib.sha256(self.body).digest()).decode() != checksum:
            raise Refuse(400, 'BadDigest', 'checksum differs')
        if self.headers.get('x-amz-object-lock-mode') and self.command == 'PUT' and not checksum:
            md5 = self.headers.get('content-md5')
            if md5 != base64.b64encode(hashlib.md5(self.body).digest()).decode():
                raise Refuse(400, 'InvalidRequest', 'Content-MD5 or a checksum is required for locked objects')
        if bucket != 'bkt':
            raise Refuse(404, 'NoSuchBucket', 'no such bucket')

    def before(self, part):
        f = fault('status', part, 2)
        if f:
            self.answer(int(f[0]), b'')
            raise Reset
        with LOCK:
            STATE['too_early'] += time.monotonic() < EARLIEST.get(part, 0)
        f = fault('retry-after', part, 1)
        if f:
            EARLIEST[part] = time.monotonic() + float(f[0])
            self.answer(503, b'', Retry_After=f[0])
            raise Reset
        f = fault('s3code', part, 3)
        if f:
            raise Refuse(int(f[0]), f[1], 'as told')
        if part >= 3 and fault('full'):
            raise Refuse(507, 'InsufficientStorage', 'no space left')

    def after_store(self, part):
        if fault('last', part, 1):
            self.reset()
        if fault('drip', part, 1):
            self.wfile.write(b'HTTP/1.1 200 OK\r\n')
            for c in b'X-Slow: ' + b'x' * 600 + b'\r\n':
                self.wfile.write(bytes([c]))
                self.wfile.flush()
                time.sleep(1)

    # --- operations ------------------------------------------------------------------------------------
    def serve(self, key, part):
        q = self.query
        if not key:
            return self.list_uploads() if 'uploads' in q else self.list_objects()
        if self.command == 'POST' and 'uploads' in q:
            return self.create(key)
        if 'uploadId' in q:
            upload = UPLOADS.get(q['uploadId'])
            if upload is None or upload['key'] != key:
                raise Refuse(404, 'NoSuchUpload', 'no such upload')
            return {'PUT': self.put_part, 'POST': self.complete, 'DELETE': self.abort, 'GET': self.list_parts}[self.command](key, upload)
        if self.command == 'PUT':
            OBJECTS[key] = {'data': self.body, 'etag': '"%s"' % hashlib.md5(self.body).hexdigest(), 'meta': self.meta(), 'key': self.customer_key()}
            self.want_customer_key(OBJECTS[key]['key'])
            self.after_store(0)
            return self.answer(200, ETag=OBJECTS[key]['etag'])
        if self.command == 'DELETE':
            OBJECTS.pop(key, None)
            return self.answer(204)
        return self.read(key)

    def meta(self):
        return {n.lower(): v for n, v in self.headers.items() if n.lower().startswith('x-amz-meta-')}

    def customer_key(self):
        """The key's own MD5, checked; None without a key."""
        key = self.headers.get('x-amz-server-side-encryption-customer-key')
        md5 = self.headers.get('x-amz-server-side-encryption-customer-key-md5')
        if key is None:
            return None
        if base64.b64encode(hashlib.md5(base64.b64decode(key)).digest()).decode() != md5:
            raise Refuse(400, 'InvalidArgument', 'the key and its MD5 differ')
        return md5

    def want_customer_key(self, of):
        if fault('customer-key') and (of is None or self.customer_key() != of):
            raise Refuse(400, 'InvalidRequest', 'the object was stored with a customer key')

    def create(self, key):
        upload = os.urandom(8).hex() + '/+=&'
        UPLOADS[upload] = {'key': key, 'parts': {}, 'meta': self.meta(), 'checksum': 'x-amz-checksum-algorithm' in self.headers,
                           'started': now().strftime('%Y-%m-%dT%H:%M:%S.000Z'), 'sse': self.customer_key()}
        self.want_customer_key(UPLOADS[upload]['sse'])
        if fault('lost-create'):
            self.reset()
        self.answer(200, f'<InitiateMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Bucket>bkt</Bucket>'
                    f'<Key>{escape(key)}</Key><UploadId>{escape(upload)}</UploadId></InitiateMultipartUploadResult>')

    def put_part(self, key, upload):
        number = int(self.query['partNumber'])
        most = fault('max-parts')
        if number < 1 or number > int(most[0] if most else 10000):
            raise Refuse(400, 'InvalidArgument', 'Part number must be an integer between 1 and the maximum')
        self.want_customer_key(upload['sse'])
        etag = '"%s"' % hashlib.md5(self.body).hexdigest()
        upload['parts'][number] = (etag, Length(len(self.body)) if fault('forget') else self.body)
        self.after_store(number)
        headers = {'ETag': etag}
        if 'x-amz-checksum-sha256' in self.headers:
            headers['x_amz_checksum_sha256'] = self.headers['x-amz-checksum-sha256']
        self.answer(200, **headers)

    def complete(self, key, upload):
        f = fault('complete200')
        if f:
            return self.answer(200, f'<?xml version="1.0"?>\n   \n<Error><Code>{f[0]}</Code><Message>inside</Message></Error>')
        text = self.body.decode()
        listed = [(int(n), unescape(e, {'&quot;': '"'})) for n, e in
                  re.findall(r'<PartNumber>(\d+)</PartNumber><ETag>(.*?)</ETag>', text)]
        if [n for n, _ in listed] != sorted(upload['parts']) or any(upload['parts'][n][0] != e for n, e in listed):
            raise Refuse(400, 'InvalidPart', 'parts differ')
        if upload['checksum'] and text.count('<ChecksumSHA256>') != len(listed):
            raise Refuse(400, 'InvalidRequest', 'The complete request must include the checksum for each part')
        sizes = [len(upload['parts'][n][1]) for n, _ in listed]
        if any(s < 65536 for s in sizes[:-1]):
            raise Refuse(400, 'EntityTooSmall', 'too small')
        if fault('equal-parts') and (len(set(sizes[:-1])) > 1 or sizes[-1] > sizes[0]):
            raise Refuse(400, 'InvalidPart', 'All non-trailing parts must have the same length.')
        bodies = [upload['parts'][n][1] for n, _ in listed]
        data = Length(sum(sizes)) if fault('forget') else b''.join(bodies)
        if fault('liar-size'):
            data = data[:-1]
        etag = '"%s"' % (os.urandom(16).hex() if fault('random-etag') else hashlib.md5(b'' if fault('forget') else data).hexdigest() + f'-{len(sizes)}')
        if not fault('liar-complete'):
            OBJECTS[key] = {'data': data, 'etag': etag, 'meta': upload['meta'], 'key': upload['sse']}
        del UPLOADS[self.query['uploadId']]
        if fault('lost-complete'):
            self.reset()
        self.answer(200, f'<?xml version="1.0"?><CompleteMultipartUploadResult><Key>{escape(key)}</Key><ETag>{escape(etag)}</ETag></CompleteMultipartUploadResult>')

    def abort(self, key, upload):
        if not fault('stubborn'):
            del UPLOADS[self.query['uploadId']]
        self.answer(204)

    def list_parts(self, key, upload):
        parts = ''.join(f'<Part><PartNumber>{n}</PartNumber></Part>' for n in sorted(upload['parts']))
        self.answer(200, f'<ListPartsResult>{parts}</ListPartsResult>')

    def list_uploads(self):
        text = ''.join(f"<Upload><Key>{escape(u['key'])}</Key><UploadId>{escape(i)}</UploadId><Initiated>{u['started']}</Initiated></Upload>"
                       for i, u in UPLOADS.items() if u['key'].startswith(self.query.get('prefix', '')))
        self.answer(200, f'<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>{text}</ListMultipartUploadsResult>')

    def list_objects(self):
        q, page = self.query, int((fault('page') or ['3'])[0])
        v2 = q.get('list-type') == '2' and not fault('ignore-list-v2')
        if q.get('list-type') == '2' and fault('no-list-v2'):
            raise Refuse(501, 'NotImplemented', 'list-type')
        after = q.get('continuation-token' if v2 else 'marker', '')
        after = after.replace('token/+=', '', 1) if v2 else after
        keys = [k for k in sorted(OBJECTS) if k.startswith(q.get('prefix', '')) and k > after]
        shown = keys[:page]
        more = len(keys) > page
        text = ''.join(f"<Contents><Key>{escape(k)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>{len(OBJECTS[k]['data'])}</Size></Contents>" for k in shown)
        token = f'<NextContinuationToken>{escape("token/+=" + shown[-1])}</NextContinuationToken>' if more and v2 else ''
        self.answer(200, f'<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{text}</ListBucketResult>')

    def read(self, key):
        if key not in OBJECTS:
            raise Refuse(404, 'NoSuchKey', 'no such key')
        o = OBJECTS[key]
        self.want_customer_key(o.get('key'))
        data, status, extra = o['data'], 200, {}
        if self.headers.get('if-match', o['etag']) != o['etag']:
            raise Refuse(412, 'PreconditionFailed', '')
        match = re.fullmatch(r'bytes=(\d+)-(\d*)', self.headers.get('range', ''))
        if match:
            first, last = int(match[1]), min(int(match[2] or len(data) - 1), len(data) - 1)
            if first >= len(data):
                return self.answer(416, b'', Content_Range=f'bytes */{len(data)}')
            status, extra = 206, {'Content_Range': f'bytes {first}-{last}/{len(data)}'}
            data = data[first:last + 1]
        headers = {n.replace('-', '_'): v for n, v in o['meta'].items()}
        if self.command == 'GET' and len(data) > 1 and fault('cut-get'):
            self.send_response(status)
            self.send_header('Content-Length', len(data))
            for n, v in extra.items():
                self.send_header(n.replace('_', '-'), v)
            self.send_header('ETag', o['etag'])
            self.end_headers()
            self.wfile.write(data[:len(data) // 2])
            self.wfile.flush()
            self.close_connection = True
            return
        self.answer(status, data, ETag=o['etag'], **extra, **headers)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (Reset, OSError)):
            super().handle_error(request, client_address)


server = Server(('127.0.0.1', 0), Handler)
if fault('tls'):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*fault('tls'))
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(sys.argv[1] + '.tmp', 'w') as f:
    f.write(str(server.server_address[1]))
os.rename(sys.argv[1] + '.tmp', sys.argv[1])
server.serve_forever()
