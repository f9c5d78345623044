"""Every method of every service, called by the real grpcurl and the real buf with the lines of server/docs/methods.md.

The lines are run in order, each tool's at a gateway of its own. A method that has no line there, or no row here, fails.
Exit 77: neither tool is here.
"""

import base64
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import find_live  # noqa: F401
from live.gateway import gateway
from live.process import DEADLINE_SECONDS, wait_until
from live.receiver import Receiver

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "readme"))
TOOLS = ROOT / "build" / "tools"  # where cmake/tools.sh puts them
os.environ["PATH"] = f"{TOOLS}/bin:{TOOLS}/node_modules/.bin:{os.environ['PATH']}"

from blocks import blocks  # noqa: E402

LETTER = '{"name":"Letter","scenes":[{"sceneId":"s1","sentence":"Dear {{name}},"}]}'
API = "pictory.jobs.v1.PictoryJobs"
# What the answer has, or the last message of the answer.
ANSWERS = {
    **{f"{API}/{method}": member for method, member in {
        "CreatePreview": "job", "Render": "job", "Transcribe": "job", "Summarize": "job", "GenerateImage": "job",
        "GenerateVideo": "job", "GetJob": "job", "BatchGetJobs": "jobs", "ListJobs": "jobs", "WatchJob": "job",
        "WatchJobs": "listStarted", "ReadJobResult": "data", "ReadArchivedFile": "data", "ResolveJob": "job", "DeleteJob": "job", "CreateUpload": "signedUrl",
        "GetUsage": "submitsToday", "GetServerInfo": "version", "ListNotifications": None,
        "ReplayNotification": "notification", "UpdatePreview": "job", "ListProjects": "items",
        "GetProject": "projectJson", "GetAccount": "aiCreditsLeft", "ListTemplates": "items",
        "GetTemplate": "templateJson", "CreateTemplate": "info", "UpdateTemplate": None,
        "DeleteTemplate": None}.items()},
    "grpc.health.v1.Health/Check": "status",
    "grpc.health.v1.Health/Watch": "status",
    "grpc.reflection.v1.ServerReflection/ServerReflectionInfo": "listServicesResponse",
    "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": "listServicesResponse"}
# The answers that later lines name.
NAMED = {"CreatePreview": ("PREVIEW", lambda answer: answer["job"]["jobId"]),
         "Transcribe": ("TRANSCRIPTION", lambda answer: answer["job"]["jobId"]),
         "Render": ("RENDER", lambda answer: answer["job"]["jobId"]),
         "GenerateImage": ("IMAGE", lambda answer: answer["job"]["jobId"]),
         "ListProjects": ("PROJECT", lambda answer: answer["items"][0]["id"]),
         "CreateTemplate": ("TEMPLATE", lambda answer: answer["info"]["templateId"])}
LINE = re.compile(r"grpcurl -plaintext -d (.*) (127\.0\.0\.1:50051) (\S+)")
PAGE = [block for block in blocks((ROOT / "server" / "docs" / "methods.md").read_text()) if not block.reason]
LINES = [line for block in PAGE for line in block.commands()]


def objects(text):
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(text.rstrip()):
        value, at = decoder.raw_decode(text, re.compile(r"\s*").match(text, at).end())
        found.append(value)
    return found


class Methods(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        (pathlib.Path(self.folder) / "letter.pictai").write_text(LETTER)
        archive = pathlib.Path(self.folder) / "archive"
        archive.mkdir()
        secret = pathlib.Path(self.folder) / "secret"
        secret.touch(0o600)
        secret.write_text("whsec_" + base64.b64encode(os.urandom(32)).decode())
        receiver = Receiver()
        self.addCleanup(receiver.end)
        self.g = self.enterContext(gateway("--archive-dir", archive, "--archive-min-free-mib", "0",
                                           "--notify-url", receiver.url(), "--notify-secret-files", secret))
        self.names = {}

    def run_line(self, command):
        return subprocess.run(["bash", "-c", command], cwd=self.folder, text=True, capture_output=True,
                              timeout=DEADLINE_SECONDS)

    def put_in(self, line):
        for name, value in self.names.items():
            line = re.sub(rf'"{name}"', f'"{value}"', line)
        return line.replace("127.0.0.1:50051", self.g.grpc)

    def first_of(self, command):
        """The first message of a stream that does not end."""
        with subprocess.Popen(["bash", "-c", f"exec {command}"], cwd=self.folder, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
            said, first = "", []
            while not first:
                line = running.stdout.readline()
                self.assertTrue(line, f"{command} ended: {said}")
                said += line
                with contextlib.suppress(json.JSONDecodeError):  # it goes on on the next line
                    first = objects(said)
            running.terminate()
        return first

    def call(self, command, method):
        if method.endswith(("Health/Watch", "/WatchJobs")):
            return self.first_of(command)
        done = self.run_line(command)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
        return objects(done.stdout)

    def unconfirmed(self):
        self.g.pages.fault("reset", times=1)
        job = self.g.json("image", "--prompt", "A lake in winter")
        self.assertEqual(job["state"], "JOB_STATE_UNCONFIRMED", job)
        return job["jobId"]

    def is_archived(self):
        files = self.g.json("get", self.names["RENDER"])["archive"]["files"]
        return all(file["state"] == "ARCHIVE_STATE_ARCHIVED" for file in files)

    def run_all(self, write):
        """`write` makes the tool's command of a body and a method."""
        self.names["UNCONFIRMED"] = self.unconfirmed()
        for line in LINES:
            if not line.startswith("grpcurl"):
                continue
            body, _, method = LINE.fullmatch(line).groups()
            with self.subTest(method):
                answer = self.call(self.put_in(write(body, method)), method)[-1]
                member = ANSWERS[method]
                if member is not None:
                    self.assertIn(member, answer)
                name, pick = NAMED.get(method.rpartition("/")[2], (None, None))
                if name:
                    self.names[name] = pick(answer)
                if name in ("PREVIEW", "TRANSCRIPTION", "RENDER", "IMAGE"):
                    self.assertEqual(self.g.run("wait", self.names[name]).returncode, 0)
                if name == "RENDER":
                    wait_until(self.is_archived, "the archived video")

    @unittest.skipUnless(shutil.which("grpcurl"), "no grpcurl")
    def test_the_page_and_this_test_have_every_method(self):
        listed = [method for service in self.grpcurl_list() for method in self.grpcurl_list(service)]
        methods = [name[::-1].replace(".", "/", 1)[::-1] for name in listed]
        self.assertGreater(len(methods), 25)
        written = [LINE.fullmatch(line)[3] for line in LINES if line.startswith("grpcurl")]
        self.assertEqual(sorted(written), sorted(methods))
        self.assertEqual(sorted(ANSWERS), sorted(methods))

    def grpcurl_list(self, *of):
        return self.run_line(" ".join(["grpcurl", "-plaintext", self.g.grpc, "list", *of])).stdout.split()

    @unittest.skipUnless(shutil.which("grpcurl"), "no grpcurl")
    def test_by_grpcurl(self):
        self.run_all(lambda body, method: f"grpcurl -plaintext -d {body} 127.0.0.1:50051 {method}")

    @unittest.skipUnless(shutil.which("buf"), "no buf")
    def test_by_buf(self):
        [line] = [line for line in LINES if line.startswith("buf curl")]
        self.call(self.put_in(line), "")
        before, after = re.fullmatch(r"(.* -d )'.*' (http://127\.0\.0\.1:50051/)\S+", line).groups()
        self.run_all(lambda body, method: f"{before}{body} {after}{method}")


if __name__ == "__main__":
    if not shutil.which("grpcurl") and not shutil.which("buf"):
        sys.exit(77)
    unittest.main()
