"""The command line as people and scripts meet it: on terminals of every width, and in pipes."""

import concurrent.futures
import fcntl
import json
import os
import pathlib
import random
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
import unittest

import find_live  # noqa: F401
from live.gateway import gateway
from live.process import DEADLINE_SECONDS
from live.programs import BIN
from screen import Screen, width

STORY = "One line for the scene. Another line for the next one."
DRAWN = "\x1b[?7h"  # in each drawing of live lines, once


def resize(terminal, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


class Session:
    """A command whose stderr is a terminal, shown on several models of one."""

    def __init__(self, g, columns, *args):
        self.terminal, theirs = os.openpty()
        resize(self.terminal, columns)
        env = dict(g.env, PICTORY_GATEWAY=g.grpc, TERM="xterm-256color")
        self.process = subprocess.Popen([BIN / "pictory", *args], env=env, stdin=theirs, stderr=theirs,
                                        stdout=subprocess.PIPE)
        os.close(theirs)
        self.screens = [Screen(columns, reflow) for reflow in (False, True)]
        self.drawn = 0

    def _read(self):
        """False at the end."""
        ready, _, _ = select.select([self.terminal], [], [], DEADLINE_SECONDS)
        if not ready:
            raise AssertionError("nothing was drawn")
        try:
            data = os.read(self.terminal, 65536)
        except OSError:  # how Linux tells that nobody has the other end
            return False
        text = data.decode()
        self.drawn += text.count(DRAWN)
        for screen in self.screens:
            screen.feed(text)
        return bool(data)

    def wait_drawn(self, times):
        goal = self.drawn + times
        while self.drawn < goal:
            if not self._read():
                raise AssertionError(f"it ended: {self.process.wait()}, {self.screens[0].text()}")

    def resize(self, columns):
        resize(self.terminal, columns)
        for screen in self.screens:
            screen.resize(columns)
        # One drawing may have been under way with the old width.
        self.wait_drawn(2)

    def end(self):
        self.process.send_signal(signal.SIGINT)
        while self._read():
            pass
        os.close(self.terminal)
        self.process.stdout.close()
        return self.process.wait()


class Terminal(unittest.TestCase):
    def check(self, session, columns, jobs):
        for screen in session.screens:
            shown = screen.text()
            self.assertEqual(len(shown), jobs, f"{columns} columns: {shown}")
            self.assertEqual(screen.broken, 0)
            for line in shown:
                self.assertLess(sum(map(width, line)), columns, line)
                self.assertTrue(line.replace("…", ""), "something is told in every width")

    def walk(self, g, ids, widths):
        session = Session(g, widths[0], "watch", *ids)
        try:
            while len(session.screens[0].text()) < len(ids):
                session.wait_drawn(1)
            self.check(session, widths[0], len(ids))
            for columns in widths[1:]:
                session.resize(columns)
                self.check(session, columns, len(ids))
            session.resize(100)
        finally:
            code = session.end()
        self.assertEqual(code, 130)
        for screen in session.screens:
            shown = screen.text()
            self.assertIn("detached", "".join(shown))
            self.assertTrue(any("#" in line or "QUEUED" in line or "RUNNING" in line
                                for line in shown), f"the lines stay: {shown}")

    def test_live_lines_keep_to_their_rows_in_every_width(self):
        with gateway(speed=1) as g:
            ids = [g.json("preview", "--name", f"{name} sandbox-stuck", "--text", STORY)["jobId"]
                   for name in ("one", "two", "three")]
            widths = list(range(10, 201))
            random.Random(7).shuffle(widths)
            sessions = 12
            with concurrent.futures.ThreadPoolExecutor(sessions) as pool:
                walks = [pool.submit(self.walk, g, ids if i % 3 == 0 else ids[:1], widths[i::sessions])
                         for i in range(sessions)]
                for walk in walks:
                    walk.result()

    def test_elsewhere_lines_are_plain_and_few(self):
        with gateway(speed=5) as g:
            done = g.run("preview", "--name", "plain", "--text", STORY, "--watch")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn("\x1b", done.stderr + done.stdout)
            self.assertLessEqual(len(done.stderr.splitlines()), 4, done.stderr)


class Colours(unittest.TestCase):
    def shown(self, g, *args, **env):
        """What a list of all jobs writes to a terminal."""
        terminal, theirs = os.openpty()
        env = {name: value for name, value in g.env.items() if name != "NO_COLOR"} | {
            "PICTORY_GATEWAY": g.grpc, "TERM": "xterm", **env}
        process = subprocess.Popen([BIN / "pictory", "list", *args], env=env, stdin=subprocess.DEVNULL, stdout=theirs)
        os.close(theirs)
        text = b""
        try:
            while piece := os.read(terminal, 65536):
                text += piece
        except OSError:  # how Linux tells that nobody has the other end
            pass
        os.close(terminal)
        self.assertEqual(process.wait(timeout=DEADLINE_SECONDS), 0)
        return text.decode()

    def test_they_are_for_who_has_not_said_no(self):
        green = "\x1b[32mSUCCEEDED"
        with gateway() as g:
            g.json("image", "--prompt", "A lake at night", "--wait")
            self.assertIn(green, self.shown(g))
            self.assertIn(green, self.shown(g, NO_COLOR=""))
            self.assertIn(green, self.shown(g, "--color", "always", NO_COLOR="1"))
            for plain in (self.shown(g, NO_COLOR="1"), self.shown(g, TERM="dumb"), self.shown(g, "--color", "never")):
                self.assertIn("SUCCEEDED", plain)
                self.assertNotIn("\x1b", plain)


class Scripts(unittest.TestCase):
    def test_every_kind_says_which_command_fetches_what(self):
        parts = {"txt", "srt", "vtt", "result-json", "render-params", "transcript"}
        with gateway() as g, tempfile.TemporaryDirectory() as out:
            preview = g.json("preview", "--name", "parts", "--text", STORY, "--wait")["jobId"]
            render = g.json("render", preview, "--wait")["jobId"]
            talk = g.json("transcribe", "https://media.example.com/talk.mp4", "--wait")["jobId"]
            summary = g.json("summarize", talk, "--seconds", "20", "--wait")["jobId"]
            image = g.json("image", "--prompt", "A lake at sunset", "--wait")["jobId"]
            video = g.json("video", "--prompt", "A drone over a forest", "--wait")["jobId"]
            files = {render: "video.mp4", image: "image.png", video: "clip.mp4"}
            for job in (preview, render, talk, summary, image, video):
                shown = g.run("get", job).stdout
                said = set(re.findall(rf"pictory result {job} --part (\S+)", shown))
                self.assertIn("result-json", said, shown)
                for part in parts:
                    done = g.run("result", job, "--part", part)
                    self.assertEqual(done.returncode, 0 if part in said else 3, (part, shown))
                    self.assertEqual(bool(done.stdout), part in said, part)
                self.assertEqual(f"pictory result {job} --download" in shown, job in files, shown)
                fetched = pathlib.Path(out) / files.get(job, "nothing")
                done = g.run("result", job, "--download", "-o", fetched)
                self.assertEqual(done.returncode, 0 if job in files else 3, done.stderr)
                self.assertEqual(fetched.exists() and fetched.stat().st_size > 0, job in files)
            piped = subprocess.run([BIN / "pictory", "result", render, "--download", "-o", "-"],
                                   env=dict(g.env, PICTORY_GATEWAY=g.grpc), capture_output=True)
            self.assertEqual(piped.stdout, (pathlib.Path(out) / "video.mp4").read_bytes())
            self.assertEqual(piped.stderr, b"")

    def test_errors_are_one_object_and_name_commands(self):
        with gateway() as g:
            gone = g.run("get", "nope", "--json")
            self.assertEqual((gone.returncode, gone.stdout), (3, ""))
            error = json.loads(gone.stderr)["error"]
            self.assertEqual((error["code"], error["reason"], error["jobId"]),
                             ("NOT_FOUND", "JOB_NOT_FOUND", "nope"))
            self.assertIn("`pictory list`", error["message"])
            wrong = g.run("preview", "--name", "w", "--text", STORY, "--aspect-ratio", "7:1", "--json",
                          "--request-id", "r-1")
            error = json.loads(wrong.stderr)["error"]
            self.assertEqual((error["reason"], error["requestId"]), ("UPSTREAM_INVALID", "r-1"))
            self.assertTrue(error["fieldViolations"][0]["field"], error)

    def test_a_reader_that_has_seen_enough_hears_nothing(self):
        with gateway() as g:
            for i in range(40):
                g.run("preview", "--name", f"n{i}", "--text", STORY, "--label", "l=" + "x" * 250)
            shell = f"'{BIN}/pictory' list --all --json | head -1; '{BIN}/pictory' --help | head -1"
            done = subprocess.run(["sh", "-c", shell], env=dict(g.env, PICTORY_GATEWAY=g.grpc),
                                  capture_output=True, text=True)
            self.assertEqual((done.stderr, len(done.stdout.splitlines())), ("", 2))


if __name__ == "__main__":
    unittest.main()
