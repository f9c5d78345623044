"""The commands of the README, run as they stand there. Exit 77: no grpcurl here."""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.request

from gateway import BIN, gateway

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
KINDS = {"CreatePreview": "preview", "Render": "render", "Transcribe": "transcription",
         "preview": "preview", "render": "render", "transcribe": "transcription"}
# The job that a command's JOB stands for.
NEEDS = {"WatchJob": "preview", "Render": "preview", "Summarize": "transcription",
         "render": "preview", "result": "render", "summarize": "transcription", "get": "render"}


def commands(program):
    """Lines of the README's code blocks that run `program`, with continued lines joined."""
    text = README.read_text().replace("\\\n", " ")
    found = [line.strip() for line in text.splitlines() if line.startswith(f"    {program} ")]
    assert found, f"the README shows no {program}"
    return [shlex.split(line, comments=True) for line in found]


class Readme(unittest.TestCase):
    def test_grpcurl(self):
        with gateway() as g:
            jobs, place = {}, {}
            for words in commands("grpcurl"):
                method = words[-1].rsplit("/")[-1]
                words = [w.replace("127.0.0.1:50051", g.grpc) for w in words]
                words = [w.replace('"JOB"', f'"{jobs.get(NEEDS.get(method))}"') for w in words]
                done = subprocess.run(words, text=True, capture_output=True, timeout=60)
                self.assertEqual(done.returncode, 0, f"{words}: {done.stderr}")
                if method == "CreateUpload":
                    place = json.loads(done.stdout)
                if method in KINDS:
                    jobs[KINDS[method]] = json.loads(done.stdout)["job"]["jobId"]
                    self.assertEqual(g.run("wait", jobs[KINDS[method]]).returncode, 0)
            self.assertEqual(set(jobs), {"preview", "render", "transcription"})
            with tempfile.TemporaryDirectory() as folder:
                (pathlib.Path(folder) / "talk.mp4").write_bytes(b"the talk")
                for words in commands("curl"):
                    words = [w.replace("SIGNED_URL", place["signedUrl"]) for w in words]
                    subprocess.run(words, cwd=folder, check=True, capture_output=True, timeout=60)
            with urllib.request.urlopen(place["fileUrl"], timeout=10) as answer:
                self.assertEqual(answer.read(), b"the talk")

    def test_the_command_line(self):
        with gateway() as g, tempfile.TemporaryDirectory() as folder:
            for name in ("talk.mp4", "slides.pptx"):
                (pathlib.Path(folder) / name).write_bytes(b"bytes")
            jobs = {}
            env = dict(g.env, PICTORY_GATEWAY=g.grpc, PATH=f"{BIN}:{os.environ['PATH']}")
            for words in commands("pictory"):
                command = words[1]
                words = [jobs.get(NEEDS.get(command), w) if w == "JOB" else w for w in words]
                done = subprocess.run(words, text=True, capture_output=True, timeout=60, cwd=folder,
                                      env=env)
                self.assertEqual(done.returncode, 0, f"{words}: {done.stderr}")
                if command in KINDS:
                    jobs[KINDS[command]] = re.search(r"^job\s+(\S+)", done.stdout, re.M).group(1)
            self.assertEqual((pathlib.Path(folder) / "demo.mp4").read_bytes()[4:8], b"ftyp")


if __name__ == "__main__":
    if shutil.which("grpcurl") is None:
        sys.exit(77)
    unittest.main()
