"""A mail server on loopback (aiosmtpd): smtp-server.py PORT FILE smtps|starttls CERT KEY PLAIN|LOGIN.

It takes mail from user "me" with password "hush" only, by the one mechanism that is named, and only inside TLS. Every mail is a line of
JSON in FILE: from, to, subject and text as a mail reader shows them, and the mechanism. With starttls nothing is taken before it."""
import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

port, path, mode, cert, key, mechanism = sys.argv[1:7]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)


class Handler:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        with open(path, 'a') as f:
            f.write(json.dumps({'from': envelope.mail_from, 'to': envelope.rcpt_tos, 'header_to': str(mail['to']), 'subject': str(mail['subject']),
                                'text': mail.get_content(), 'date': str(mail['date'].datetime.tzinfo), 'auth': session.authenticated,
                                'tls': session.ssl is not None or mode == 'smtps'}, ensure_ascii=False) + '\n')
        return '250 taken'


def authenticate(server, session, envelope, name, data):
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b'me', b'hush')
    return AuthResult(success=good and name == mechanism, handled=good)


def make():
    other = {'PLAIN': 'LOGIN', 'LOGIN': 'PLAIN'}[mechanism]
    return SMTP(Handler(), tls_context=context if mode == 'starttls' else None, require_starttls=mode == 'starttls', auth_required=True,
                auth_require_tls=mode == 'starttls', authenticator=authenticate, auth_exclude_mechanism=[other], hostname='mx.test')


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(make, '127.0.0.1', int(port), ssl=context if mode == 'smtps' else None)
    await server.serve_forever()

asyncio.run(main())
