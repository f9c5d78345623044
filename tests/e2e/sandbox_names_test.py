"""The words in names that make the sandbox's jobs go wrong: each that is documented does through the gateway what
server/docs/sandbox.md says of it."""

import json
import pathlib
import re
import subprocess
import unittest

import find_live  # noqa: F401
from live.gateway import gateway
from live.process import wait_until
from live.programs import BIN

PAGE = pathlib.Path(__file__).resolve().parents[2] / "server" / "docs" / "sandbox.md"
WORD = r"sandbox-(?:fail-(?:render|summary|object|list|text|silent)|fail|no-credits|stuck|slow|no-video|minutes-\d+)"


def documented():
    """The first cells of the table."""
    return re.findall(r"^\| `(sandbox-[a-z0-9-]+)` \|", PAGE.read_text(), re.MULTILINE)


class SandboxNames(unittest.TestCase):
    def preview(self, g, name, *more):
        return g.json("preview", "--name", name, "--text", "Hi.", *more)

    def state(self, g, job):
        return g.json("get", job["jobId"])["state"]

    def test_help_and_readme_name_the_same(self):
        said = subprocess.run([BIN / "pictory-gateway", "sandbox", "--help"], text=True, capture_output=True).stdout
        self.assertEqual(set(re.findall(WORD, said)), set(documented()))
        self.assertEqual({f"test_{word.replace('-', '_')}" for word in documented()} - set(dir(self)), set())

    def test_sandbox_fail(self):
        with gateway() as g:
            for job in (self.preview(g, "a sandbox-fail", "--wait"),
                        g.json("transcribe", "https://media.example.com/sandbox-fail.mp4", "--wait")):
                self.assertEqual((job["state"], job["error"]["code"]), ("JOB_STATE_FAILED", "TEXT_TO_VIDEO_FAILED"))

    def tells_its_reason(self, word):
        with gateway() as g:
            job = self.preview(g, word, "--wait")
            self.assertEqual(job["error"], {"code": "5001", "message":
                "scene 1: Could not download the file from https://media.example.com/missing.mp4 (error_type: MEDIA)"})
            told = json.loads(g.run("result", job["jobId"], "--part", "result-json").stdout)
            self.assertEqual(told["error_code"], "5001")
            self.assertIn("--part result-json", g.run("get", job["jobId"]).stdout)

    def test_sandbox_fail_object(self):
        self.tells_its_reason("sandbox-fail-object")

    def test_sandbox_fail_list(self):
        self.tells_its_reason("sandbox-fail-list")

    def test_sandbox_fail_text(self):
        self.tells_its_reason("sandbox-fail-text")

    def test_sandbox_fail_silent(self):
        with gateway() as g:
            job = self.preview(g, "sandbox-fail-silent", "--wait")
            self.assertEqual((job["state"], job["error"]["message"]), ("JOB_STATE_FAILED", "Pictory gave no reason"))
            told = g.run("result", job["jobId"], "--part", "result-json").stdout
            self.assertEqual(json.loads(told), {"status": "failed"})

    def test_sandbox_fail_render(self):
        with gateway() as g:
            job = self.preview(g, "sandbox-fail-render", "--wait")
            self.assertEqual(job["state"], "JOB_STATE_SUCCEEDED")
            self.assertEqual(g.json("render", job["jobId"], "--wait")["state"], "JOB_STATE_FAILED")

    def test_sandbox_fail_summary(self):
        with gateway() as g:
            job = g.json("transcribe", "https://media.example.com/sandbox-fail-summary.mp4", "--wait")
            self.assertEqual(job["state"], "JOB_STATE_SUCCEEDED")
            self.assertEqual(g.json("summarize", job["jobId"], "--wait")["state"], "JOB_STATE_FAILED")

    def test_sandbox_no_credits(self):
        with gateway() as g:
            job = self.preview(g, "sandbox-no-credits", "--wait")
            self.assertEqual((job["state"], job["error"]["code"]), ("JOB_STATE_FAILED", "INSUFFICIENT_CREDITS"))

    def test_sandbox_stuck(self):
        """It goes on when one that was submitted later, and takes ten times the time, has ended."""
        with gateway() as g:
            stuck = self.preview(g, "sandbox-stuck")
            self.preview(g, "sandbox-slow", "--wait")
            self.assertEqual(self.state(g, stuck), "JOB_STATE_RUNNING")

    def test_sandbox_slow(self):
        """One that was submitted later ends earlier; then it ends too."""
        with gateway(speed=5) as g:
            slow = self.preview(g, "sandbox-slow")
            self.preview(g, "quick", "--wait")
            self.assertIn(self.state(g, slow), ("JOB_STATE_QUEUED", "JOB_STATE_RUNNING"))
            self.assertEqual(g.json("wait", slow["jobId"])["state"], "JOB_STATE_SUCCEEDED")

    def test_sandbox_no_video(self):
        with gateway() as g:
            preview = self.preview(g, "sandbox-no-video", "--wait")
            render = g.json("render", preview["jobId"])
            wait_until(lambda: "gives no videoURL" in g.json("get", render["jobId"]).get("message", ""),
                       "a word on what is missing")
            self.assertEqual(self.state(g, render), "JOB_STATE_RUNNING")

    def test_sandbox_minutes_600(self):
        with gateway() as g:
            job = g.json("transcribe", "https://media.example.com/sandbox-minutes-600.mp4", "--wait")
            self.assertEqual(job["state"], "JOB_STATE_SUCCEEDED")
            long = g.run("result", job["jobId"], "--part", "srt").stdout
            self.assertGreater(re.findall(r"^(\d\d):", long, re.MULTILINE)[-1], "08")


if __name__ == "__main__":
    unittest.main()
