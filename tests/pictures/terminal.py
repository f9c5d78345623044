"""A recording of the command line at a real gateway with its sandbox, as an SVG that plays: a render, and the same
again under its request_id, which bills nothing. Where motion is not wanted it shows its end."""

import html
import os
import pty
import select
import subprocess
import sys
import tempfile
import time

from svg import PICTURES, ROOT

sys.path += [str(ROOT / "tests" / "support" / "python"), str(ROOT / "tests" / "e2e")]

from live.gateway import gateway  # noqa: E402
from live.programs import BIN  # noqa: E402
from screen import Screen  # noqa: E402

COLUMNS, ROWS = 100, 24
LETTER, LINE, EDGE = 8.0, 19, 16
STEP_SECONDS = 0.25  # frames are not closer than that
READ_SECONDS, LAST_SECONDS = 1.6, 6  # how long the end of a command stays, and that of all

STYLE = """
svg { font: 13.3px ui-monospace, 'SF Mono', Menlo, 'DejaVu Sans Mono', monospace; }
text { fill: #d7dbe6; white-space: pre; } .say { fill: #8cb4ff; font-weight: bold; } .note { fill: #6ee7a0; }
"""


class Recording:
    """What is on the screen, and when."""

    def __init__(self):
        self.screen = Screen(COLUMNS, reflow=False)
        self.frames, self.now = [], 0.0

    def print(self, text):
        self.screen.feed(text)

    def keep(self):
        lines = ["".join(row).rstrip() for row in self.screen.rows][-ROWS:]
        if self.frames and self.now - self.frames[-1][0] < STEP_SECONDS:
            self.frames[-1] = (self.frames[-1][0], lines)
        elif not self.frames or self.frames[-1][1] != lines:
            self.frames.append((self.now, lines))

    def pause(self, seconds):
        self.now += seconds

    def note(self, text):
        self.print(f"# {text}\r\n")
        self.keep()
        self.pause(READ_SECONDS / 2)

    def run(self, env, *words):
        """Runs a command on a terminal of its own; what it prints, and when, is what is recorded."""
        self.print(f"$ {' '.join(words)}\r\n")
        self.keep()
        self.pause(READ_SECONDS / 2)
        ours, its = pty.openpty()
        os.set_blocking(ours, False)
        subprocess.run(["stty", "cols", str(COLUMNS), "rows", str(ROWS)], stdin=its, check=True)
        began, base, said = time.monotonic(), self.now, ""
        process = subprocess.Popen([BIN / words[0], *words[1:]], stdin=its, stdout=its, stderr=its, env=env)
        os.close(its)
        while True:
            if select.select([ours], [], [], 0.05)[0]:
                try:
                    piece = os.read(ours, 65536).decode()
                except OSError:
                    break  # it has ended
                if not piece:
                    break
                said += piece
                self.now = base + time.monotonic() - began
                self.print(piece)
                self.keep()
        os.close(ours)
        if process.wait() != 0:
            sys.exit(f"pictures: {' '.join(words)} failed:\n{said}")
        self.keep()
        self.pause(READ_SECONDS)
        return said


def lines_of(lines):
    for number, line in enumerate(lines):
        if not line:
            continue
        kind = ' class="say"' if line.startswith("$ ") else ' class="note"' if line.startswith("# ") else ""
        yield f'<text{kind} x="{EDGE}" y="{EDGE + 30 + LINE * number}">{html.escape(line)}</text>'


def write(recording, name):
    total = recording.now + LAST_SECONDS
    width, height = EDGE * 2 + COLUMNS * LETTER, EDGE * 2 + 24 + LINE * ROWS
    rules, groups = [], []
    for number, (at, lines) in enumerate(recording.frames):
        last = number == len(recording.frames) - 1
        until = total if last else recording.frames[number + 1][0]
        begin, end = 100 * at / total, 100 * until / total
        rules.append(f"@keyframes f{number} {{ 0%{{opacity:0}} {begin:.3f}%{{opacity:1}} {end:.3f}%{{opacity:{int(last)}}} "
                     f"100%{{opacity:{int(last)}}} }} #f{number} {{ opacity: {int(last)}; animation: f{number} {total:.1f}s step-end infinite }}")
        groups.append(f'<g id="f{number}">' + "".join(lines_of(lines)) + "</g>")
    still = "@media (prefers-reduced-motion: reduce) { g { animation: none !important } }"
    (PICTURES / name).write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img">\n'
        f"<title>A render, and the same again under its request_id: one job, billed once</title>\n"
        f"<style>{STYLE}{' '.join(rules)}{still}</style>\n"
        f'<rect width="{width:.0f}" height="{height}" rx="12" fill="#12151d"/>'
        f'<circle cx="20" cy="18" r="5" fill="#ff9d9d"/><circle cx="36" cy="18" r="5" fill="#fbbf24"/>'
        f'<circle cx="52" cy="18" r="5" fill="#6ee7a0"/>\n' + "\n".join(groups) + "\n</svg>\n")


def main():
    PICTURES.mkdir(exist_ok=True)
    with gateway(speed=4) as g, tempfile.TemporaryDirectory() as home:
        env = {"PATH": os.environ["PATH"], "HOME": home, "PICTORY_GATEWAY": g.grpc, "NO_COLOR": "1", "TERM": "xterm",
               "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        preview = g.json("preview", "--name", "demo", "--text", "A gateway takes a story. It is paid once.", "--wait")["jobId"]
        before = len(g.pages.accepted())
        r = Recording()
        command = ("pictory", "render", preview, "--request-id", "film-7", "--watch")
        r.run(env, *command)
        r.note("The answer was lost? Run it again: the same request_id is the same job.")
        r.run(env, *command)
        r.run(env, "pictory", "usage")
        billed = len(g.pages.accepted()) - before
        if billed != 1:
            sys.exit(f"pictures: {billed} renders were billed, and not 1")
        r.note(f"Renders billed by Pictory (here: the sandbox's journal): {billed}")
        r.keep()
    write(r, "terminal.svg")


if __name__ == "__main__":
    main()
