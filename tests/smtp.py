"""An SMTP server on loopback that keeps what it is given, as its recipient would see it, and refuses
what it is told to refuse. Prints its port once it listens.

    smtp.py DIR OPTIONS    OPTIONS is a JSON object:
      cert, key     files: STARTTLS, or with "wrapper": true TLS from the first byte;
                    "ciphers" limits it to TLS 1.2 and these
      user, password; login_only: only the LOGIN mechanism
      size          the largest mail
      rcpt, data    {ADDRESS: [ANSWER...]}: what is answered to RCPT or at the end of DATA, one after another;
                    "" and a list that is used up mean yes, an answer of 421 also closes the connection
      greeting      what is said instead of 220, and then closed; "" says nothing at all
"""
import asyncio, base64, email, email.policy, json, pathlib, ssl, sys

from aiosmtpd.smtp import SMTP, AuthResult

directory, options = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2])


def seen(part):
    content = part.get_payload(decode=True)
    return {
        "type": part.get_content_type(),
        "charset": part.get_content_charset(),
        "disposition": part.get_content_disposition(),
        "filename": part.get_filename(),
        "base64": base64.b64encode(content).decode(),
    }


class Handler:
    count = 0

    async def scripted(self, server, of, address):
        answers = options.get(of, {}).get(address, [])
        answer = answers.pop(0) if answers else ""
        if answer.startswith("421"):
            await server.push(answer)
            server.transport.close()
        return answer

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        answer = await self.scripted(server, "rcpt", address)
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        answer = await self.scripted(server, "data", envelope.rcpt_tos[0])
        if answer:
            return answer
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl is not None or bool(options.get("wrapper")),
            "user": session.auth_data.decode() if session.auth_data else None,
            "headers": {name.lower(): str(value) for name, value in message.items()},
            "names": [name.lower() for name in message.keys()],
            "defects": [str(d) for part in message.walk() for d in part.defects],
            "parts": [seen(part) for part in message.walk() if not part.is_multipart()],
            "longest": max(len(line) for line in envelope.content.split(b"\r\n")),
        }
        Handler.count += 1
        whole = directory / "new"
        whole.write_text(json.dumps(mail))
        whole.rename(directory / f"{Handler.count:04}.json")
        return f"250 2.0.0 kept as {Handler.count}"


def authenticate(server, session, envelope, mechanism, data):
    good = (data.login, data.password) == (options["user"].encode(), options["password"].encode())
    # A careless server: it repeats the password that it refuses.
    message = None if good else "535 5.7.8 not " + data.password.decode()
    return AuthResult(success=good, handled=good, message=message, auth_data=data.login)


async def refuse(reader, writer):
    if options["greeting"]:
        writer.write(options["greeting"].encode() + b"\r\n")
        writer.close()
    else:
        await reader.read()


async def main():
    context = None
    if "cert" in options:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options["cert"], options["key"])
        if "ciphers" in options:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers(options["ciphers"])
    wrapper = options.get("wrapper")
    loop = asyncio.get_running_loop()
    common = {
        "hostname": "mx.example.net",
        "data_size_limit": options.get("size", 64 << 20),
        "enable_SMTPUTF8": True,
        "tls_context": None if wrapper else context,
        "loop": loop,
    }
    if "user" in options:
        common |= {"authenticator": authenticate, "auth_require_tls": False}
        common |= {"auth_exclude_mechanism": ["PLAIN"] if options.get("login_only") else None}
    else:
        common |= {"auth_exclude_mechanism": ["PLAIN", "LOGIN"]}
    if "greeting" in options:
        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    else:
        server = await loop.create_server(
            lambda: SMTP(Handler(), **common), "127.0.0.1", 0, ssl=context if wrapper else None
        )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
