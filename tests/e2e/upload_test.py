"""Local files: from the disk to Pictory's media store, and into jobs."""

import json
import pathlib
import random
import signal
import subprocess
import tempfile
import unittest
import urllib.request

import find_live  # noqa: F401
from live.gateway import gateway
from live.process import wait_until
from live.programs import BIN


def fault(g, **rule):
    g.pages.add_fault({"match": {"method": "PUT", "path_prefix": "/public"}, **rule})


def uploads(g):
    return g.pages.stats()["uploads"]


def fetch(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


class Upload(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.talk = pathlib.Path(folder.name) / "my talk.mp4"
        self.bytes = random.Random(1).randbytes(12_000_000)
        self.talk.write_bytes(self.bytes)

    def test_a_local_file_is_transcribed(self):
        with gateway() as g:
            fault(g, fault={"type": "strict_content_type"})
            done = g.run("transcribe", self.talk, "--wait", "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            job = json.loads(done.stdout)
            self.assertEqual(job["state"], "JOB_STATE_SUCCEEDED")
            entry, = g.pages.accepted()
            self.assertEqual(fetch(json.loads(entry["body"])["fileUrl"]), self.bytes)

    def test_a_broken_upload_goes_on_and_sends_nothing_twice(self):
        with gateway() as g:
            fault(g, times=1, fault={"type": "cut_upload", "after_bytes": 5_000_000})
            done = g.run("upload", self.talk)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("trying again", done.stderr)
            self.assertEqual(fetch(done.stdout.strip()), self.bytes)
            self.assertEqual(uploads(g)["bytes_received"], len(self.bytes))
            self.assertEqual(uploads(g)["with_credentials"], 0)

    def test_a_store_that_cannot_go_on_gets_it_all_again(self):
        with gateway() as g:
            fault(g, times=1, fault={"type": "cut_upload", "after_bytes": 5_000_000})
            fault(g, fault={"type": "no_resume"})
            done = g.run("upload", self.talk)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(fetch(done.stdout.strip()), self.bytes)
            self.assertEqual(uploads(g)["bytes_received"], 5_000_000 + len(self.bytes))

    def test_a_refusal_is_told_and_submits_nothing(self):
        with gateway() as g:
            fault(g, fault={"type": "status", "status": 403, "content_type": "application/xml",
                            "body": "<Error><Code>AccessDenied</Code><Message>Request has expired"
                                    "</Message><SignatureProvided>s3cret</SignatureProvided></Error>"})
            done = g.run("transcribe", self.talk)
            self.assertEqual(done.returncode, 5)
            self.assertIn("Request has expired", done.stderr)
            self.assertIn("nothing was submitted", done.stderr)
            self.assertNotIn("s3cret", done.stderr)
            self.assertEqual(g.pages.accepted(), [])

    def test_ctrl_c_detaches_before_anything_is_submitted(self):
        with gateway() as g:
            fault(g, fault={"type": "never_answer"})
            process = subprocess.Popen(
                [BIN / "pictory", "transcribe", self.talk, "--server", g.grpc], text=True,
                stderr=subprocess.PIPE)
            wait_until(lambda: uploads(g)["stored"] == 1, "the upload")
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=20)
            self.assertEqual(process.returncode, 130, stderr)
            self.assertIn("nothing was submitted", stderr)

    def test_the_signed_url_is_in_no_log(self):
        with gateway("--log-level", "debug") as g:
            self.assertEqual(g.run("upload", self.talk).returncode, 0)
            self.assertEqual(g.run("transcribe", self.talk, "--wait").returncode, 0)
            g.terminate()
            self.assertNotIn("X-Amz", g.log.read_text())

    def test_a_file_that_was_never_uploaded_fails_as_a_job(self):
        with gateway() as g:
            there = g.run("upload", self.talk).stdout.strip()
            token = there.split("/")[-2]
            job = g.json("transcribe", there.replace(token, "0" * len(token)), "--wait")
            self.assertEqual(job["state"], "JOB_STATE_FAILED")
            self.assertEqual(job["error"]["code"], "MEDIA_NOT_FOUND")

    def test_an_upload_survives_a_restart(self):
        with gateway() as g:
            url = g.run("upload", self.talk).stdout.strip()
            g.kill()
            g.start()
            self.assertEqual(fetch(url), self.bytes)


if __name__ == "__main__":
    unittest.main()
