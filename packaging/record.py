#!/usr/bin/env python3
"""Runs a command in a terminal of its own and draws what it printed as an SVG: how docs/demo.svg is made.

    packaging/record.py docs/demo.svg examples/demo.sh

Colours and bold are kept; progress that was overwritten is not. Needs nothing but Python.
"""
import html
import os
import pty
import re
import struct
import sys
import fcntl
import termios

COLUMNS = 120
COLOURS = {"31": "#e06c75", "32": "#98c379", "33": "#e5c07b", "34": "#61afef", "36": "#56b6c2", "2": "#7f848e"}


def run(command):
    """What the command prints on a terminal of COLUMNS columns."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    output = b""
    while True:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            break
        if not chunk:
            break
        output += chunk
    _, status = os.waitpid(pid, 0)
    if status:
        sys.exit(f"{command[0]} ended with status {status}:\n{output.decode(errors='replace')}")
    return output.decode(errors="replace")


def lines(text):
    """Lines as lists of (text, colour, bold); of a line that was drawn anew, what stood there last."""
    for line in text.replace("\r\n", "\n").split("\n"):
        line = re.sub(r"\x1b\[[0-9;?]*[A-HJ-ln-zA-HJKhl]", "", line.rsplit("\r", 1)[-1])
        parts, colour, bold = [], None, False
        for piece in re.split(r"(\x1b\[[0-9;]*m)", line):
            code = re.fullmatch(r"\x1b\[([0-9;]*)m", piece)
            if not code:
                if piece:
                    parts.append((piece, colour, bold))
                continue
            for number in code[1].split(";"):
                if number in ("", "0"):
                    colour, bold = None, False
                elif number == "1":
                    bold = True
                elif number in COLOURS:
                    colour = COLOURS[number]
        yield parts


def svg(rows):
    """The picture: one text element per line."""
    height, width = 18, 7.8
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{COLUMNS * width + 32:.0f}" height="{len(rows) * height + 32}"'
        ' font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13" fill="#dcdfe4">',
        '<rect width="100%" height="100%" rx="8" fill="#1e2127"/>',
    ]
    for number, parts in enumerate(rows, 1):
        spans = "".join(
            "<tspan"
            + (f' fill="{colour}"' if colour else "")
            + (' font-weight="bold" fill="#ffffff"' if bold else "")
            + f">{html.escape(text)}</tspan>"
            for text, colour, bold in parts
        )
        out.append(f'<text x="16" y="{number * height + 12}" xml:space="preserve">{spans}</text>')
    return "\n".join(out + ["</svg>", ""])


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    text = run(sys.argv[2:])
    # Where this was recorded is nobody's business.
    text = text.replace(os.getcwd() + "/", "").replace(os.path.expanduser("~"), "~")
    text = re.sub(r"/tmp/[A-Za-z0-9._-]+", "/tmp/demo", text)
    rows = list(lines(text))
    while rows and not rows[-1]:
        rows.pop()
    while rows and not rows[0]:
        rows.pop(0)
    cut = [[(t[:COLUMNS], c, b) for t, c, b in parts] for parts in rows]
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write(svg(cut))


if __name__ == "__main__":
    main()
