"""An SSH server on loopback that never stops talking. Prints its port once it listens; writes a line to LOG for
each password that it is sent.

    peer.py LOG MODE    MODE is STEP-WHAT.
      version-lines, version-line     lines, or one line without end, before the version line
      kex-lists                       hostile name-lists of 24 kB
      kex-ignore, kex-length          packets to be ignored instead of a key exchange; a packet of 4 GiB
      kbd-again, kbd-endless          asks for the password three times; without end
      kbd-many, kbd-code              ninety questions at once; a code behind the password
      auth-X, open-X, exec-X, shell-X, sftp-X
                                      at that step, instead of an answer, packets of kind X: ignore, unknown, tiny
                                      (unknown ones, of one byte), banner, channels (x11), requests (global ones)
      shell-rekey                     a new key exchange every 20 ms
      shell-drip, exec-output, sftp-names
                                      one byte of output among packets of no known kind; output without end; names
                                      of a directory without end
      exec-signal, exec-close, exec-short, exec-status
                                      an empty directory, and commands that seem to work until one moves files: that one is
                                      killed, closes without a word, ends with success and no output, with status 7
    LOG also gets the paths of the files that were made and removed by SFTP.
"""
import asyncio, os, re, struct, sys, warnings

warnings.filterwarnings("ignore")
import asyncssh

log, mode = open(sys.argv[1], "a", buffering=1), sys.argv[2]
step, what = mode.split("-", 1)
PROMPT = "CCAP001#"


def text(value):
    return struct.pack(">I", len(value)) + value


PACKETS = {
    "ignore": (2, text(os.urandom(30000))),
    "unknown": (100, os.urandom(30000)),
    "tiny": (101, b"x"),
    "banner": (53, text(b"B" * 30000) + text(b"")),
    "channels": (90, text(b"x11") + struct.pack(">III", 1, 1 << 20, 32768) + text(b"127.0.0.1") + struct.pack(">I", 1)),
    "requests": (80, text(b"keepalive@openssh.com") + b"\1"),
}


async def flood(connection):
    code, body = PACKETS["unknown" if what == "drip" else what]
    while connection._transport:
        for _ in range(50):
            connection.send_packet(code, body)
        while connection._transport and connection._transport.get_write_buffer_size() > 1 << 20:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0)


def start_flood(connection):
    if what in PACKETS or what == "drip":
        asyncio.ensure_future(flood(connection))


class Server(asyncssh.SSHServer):
    def connection_made(self, connection):
        self.connection, self.asked = connection, 0

    def begin_auth(self, user):
        if step == "auth":
            start_flood(self.connection)
        return step not in ("exec", "sftp")

    def password_auth_supported(self):
        return step != "kbd"

    async def validate_password(self, user, password):
        print("password", file=log)
        if step == "auth":
            await asyncio.sleep(600)
        return True

    def kbdint_auth_supported(self):
        return step == "kbd"

    def get_kbdint_challenge(self, user, language, submethods):
        return "", "", "en", [("Password: ", False)] * (90 if what == "many" else 1)

    def validate_kbdint_response(self, user, answers):
        self.asked += 1
        for answer in answers:
            print("password" if answer else "nothing", file=log)
        if what == "again" and self.asked >= 3:
            return False
        return "", "", "en", [("Verification code: " if what == "code" else "Password: ", False)]

    def session_requested(self):
        if step == "open":
            start_flood(self.connection)
            return self.never()
        return Session(self.connection)

    async def never(self):
        await asyncio.sleep(600)


class Session(asyncssh.SSHServerSession):
    def __init__(self, connection):
        self.connection, self.kind, self.input = connection, None, b""

    def connection_made(self, channel):
        self.channel = channel

    def pty_requested(self, *rest):
        return True

    def shell_requested(self):
        self.kind = "shell"
        return True

    def exec_requested(self, command):
        self.kind, self.command = "exec", command.encode()
        return True

    def subsystem_requested(self, name):
        self.kind = "sftp"
        return True

    def session_started(self):
        if self.kind == "shell":
            self.channel.write(PROMPT.encode())
        if self.kind == "exec":
            asyncio.ensure_future(self.execute())

    async def execute(self):
        if b"mv -fT" in self.command:
            if what == "signal":
                return self.channel.exit_with_signal("KILL")
            if what == "status":
                return self.channel.exit(7)
            if what == "short":
                return self.channel.exit(0)
            return self.channel.close()
        if step == "exec" and what not in ("signal", "close", "short", "status"):
            start_flood(self.connection)
            while what == "output" and self.connection._transport:
                self.channel.write(b"x\n" * 8192)
                await asyncio.sleep(0.001)
            return
        # Nothing is run here: the last word of a command is its answer.
        word = re.search(rb"echo ([\w-]+)", self.command)
        self.channel.write(word.group(1) + b"\n" if word else b"")
        self.channel.exit(0)

    async def endless(self):
        while self.connection._transport:
            if what == "rekey":
                self.connection._send_kexinit()
            else:
                self.channel.write(b"x")
            await asyncio.sleep(0.02)

    def data_received(self, data, datatype):
        if self.kind == "sftp":
            self.input += data
            while len(self.input) >= 4 and len(self.input) >= 4 + struct.unpack(">I", self.input[:4])[0]:
                length = struct.unpack(">I", self.input[:4])[0]
                packet, self.input = self.input[4:4 + length], self.input[4 + length:]
                self.sftp(packet[0], packet[1:5], packet[5:])
        elif self.kind == "shell":
            for line in data.split(b"\n")[:-1]:
                if line.startswith(b"show") and step == "shell":
                    start_flood(self.connection)
                    if what in ("rekey", "drip"):
                        asyncio.ensure_future(self.endless())
                    return
                self.channel.write(line + b"\r\n" + PROMPT.encode())

    def sftp(self, kind, number, rest):
        if kind in (3, 13):
            length = struct.unpack(">I", rest[:4])[0]
            print("made" if kind == 3 else "removed", rest[4:4 + length].decode(), file=log)
        directory = struct.pack(">II", 4, 0o40755)
        answer = {
            1: b"\2" + struct.pack(">I", 3) + text(b"posix-rename@openssh.com") + text(b"1"),
            17: b"\x69" + number + directory,
            3: b"\x66" + number + text(b"handle"),
            11: b"\x66" + number + text(b"handle"),
            12: b"\x65" + number + struct.pack(">I", 1) + text(b"") * 2 if step == "exec" else b"\x68" + number + struct.pack(">I", 100) + (text(b"name") + text(b"long name" * 9) + struct.pack(">I", 0)) * 100,
        }.get(kind, b"\x65" + number + struct.pack(">I", 0) + text(b"") * 2)
        if step == "sftp" and what != "names" and kind == 17:
            start_flood(self.connection)
        else:
            self.channel.write(text(answer))

    def eof_received(self):
        return True


async def raw(reader, writer):
    try:
        if mode == "version-lines":
            begin, rest = b"", b"welcome to the device\r\n" * 3000
        elif mode == "version-line":
            begin, rest = b"", b"x" * 60000
        elif mode == "kex-length":
            begin, rest = b"SSH-2.0-x\r\n\xff\xff\xff\xff\x06\x14", b"A" * 60000
        elif mode == "kex-ignore":
            begin, rest = b"SSH-2.0-x\r\n", (struct.pack(">IBB", 1012, 6, 2) + text(b"y" * 1000) + b"\0" * 6) * 50
        else:
            evil = b"\x1b]0;title\x07,\xff\xfe,x" + b"a," * 12000
            lists = [evil] * 2 + [b"aes128-ctr"] * 2 + [b"hmac-sha2-256"] * 2 + [b"none"] * 2 + [b""] * 2
            body = b"\x14" + b"\7" * 16 + b"".join(map(text, lists)) + b"\0" * 5
            pad = 16 - (len(body) + 5) % 8
            begin, rest = b"SSH-2.0-x\r\n" + struct.pack(">IB", len(body) + pad + 1, pad) + body + b"\0" * pad, b""
        writer.write(begin)
        while rest:
            writer.write(rest)
            await writer.drain()
        await writer.drain()
        await reader.read(1 << 16)
        await asyncio.sleep(1)
    except ConnectionError:
        pass
    writer.close()


async def main():
    if step in ("version", "kex"):
        server = await asyncio.start_server(raw, "127.0.0.1", 0)
    else:
        server = await asyncssh.listen(
            "127.0.0.1", 0, server_factory=Server, server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            encoding=None, line_editor=False, login_timeout=600)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
