#!/usr/bin/env python3
"""Runs a command in a pseudo-terminal and draws what it left on the screen as an SVG.

    docs/images/picture.py OUT.svg 'annotc build specs/quickstart/quickstart.annot'

The command runs as it is, colours and progress lines included; `pyte` plays the terminal and `rich` draws it.
Both come from the usual package index: `pip install pyte rich`.
"""
import os
import pty
import sys

import pyte
from rich.console import Console
from rich.text import Text

WIDTH, HEIGHT = 110, 200


def main() -> None:
    out, command = sys.argv[1], sys.argv[2]
    screen = pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.ByteStream(screen)
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS=str(WIDTH), LINES=str(HEIGHT))
        os.execvp("sh", ["sh", "-c", command])
    import fcntl, struct, termios
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    while True:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            break
        if not chunk:
            break
        stream.feed(chunk)
    os.waitpid(pid, 0)
    console = Console(record=True, width=WIDTH, force_terminal=True, file=open(os.devnull, "w"))
    console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
    last = max((y for y in range(HEIGHT) if screen.display[y].strip()), default=-1)
    for y in range(last + 1):
        line = Text()
        for x in range(len(screen.display[y].rstrip())):
            cell = screen.buffer[y][x]
            colour = {"default": "", "brown": "yellow"}.get(cell.fg, cell.fg)
            line.append(cell.data, style=" ".join(filter(None, ["bold" if cell.bold else "", colour])))
        console.print(line)
    console.save_svg(out, title="annotc")


main()
