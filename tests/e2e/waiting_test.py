"""From a story to its video without a caller in between: renders that wait for their previews, whoever dies when."""

import pathlib
import tempfile
import unittest

import find_live  # noqa: F401
from live.gateway import Gateway
from live.process import wait_until
from live.sandbox import Sandbox

POLLS = {"path_prefix": "/v1/jobs/"}
RENDERS = {"method": "PUT"}


class Waiting(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.pictory = Sandbox(pathlib.Path(folder.name), "--speed", "50")
        self.addCleanup(self.pictory.end)
        self.g = Gateway(pathlib.Path(folder.name) / "gateway", "--base-url", self.pictory.url, sandbox=False,
                         env={"PICTORY_API_KEY": "pictai_waiting"})
        self.addCleanup(self.g.end)

    def preview(self, name="tale"):
        """One that the gateway cannot see the end of, until the faults are forgotten."""
        self.pictory.fault("status", match=POLLS)
        return self.g.json("preview", "--name", name, "--text", "One sentence.")["jobId"]

    def render(self, preview, *args):
        job = self.g.json("render", preview, "--wait-for-preview", "--request-id", "render", *args)
        self.assertEqual(job["state"], "JOB_STATE_WAITING")
        return job["jobId"]

    def state(self, job):
        return self.g.json("get", job)["state"]

    def renders(self):
        return [entry for entry in self.pictory.accepted() if "/render/" in entry["path"]]

    def test_a_video_comes_of_a_story_through_kills(self):
        job = self.render(self.preview())
        self.g.kill()
        self.g.start()
        self.assertEqual(self.state(job), "JOB_STATE_WAITING")
        self.assertEqual(self.g.metric("jobs_waiting"), 1)
        self.assertEqual(self.renders(), [])
        self.assertIn(job, self.g.run("list", "--state", "waiting").stdout)
        self.g.kill()
        self.pictory.forget_faults()
        self.g.start()
        done = self.g.json("wait", job)
        self.assertEqual(done["state"], "JOB_STATE_SUCCEEDED")
        self.assertTrue(done["render"]["videoURL"])
        self.assertEqual(len(self.renders()), 1)
        # A repetition needs no flag, and gets the video.
        again = self.g.json("render", self.preview_of(), "--request-id", "render")
        self.assertEqual(again["jobId"], job)
        self.assertEqual(len(self.renders()), 1)
        self.assertEqual(self.g.metric("jobs_waiting"), 0)

    def preview_of(self):
        return self.g.json("list", "--kind", "preview")["jobId"]

    def test_killed_while_it_is_sent_it_is_unconfirmed_and_not_sent_again(self):
        job = self.render(self.preview())
        self.pictory.forget_faults()
        self.pictory.fault("never_answer", match=RENDERS)
        wait_until(lambda: self.renders() or None, "the render is at Pictory")
        self.assertEqual(self.state(job), "JOB_STATE_WAITING")
        refused = self.g.run("delete", job)
        self.assertIn("is being sent", refused.stderr)
        self.g.kill()
        self.pictory.forget_faults()
        self.g.start()
        self.assertEqual(self.state(job), "JOB_STATE_UNCONFIRMED")
        found = self.renders()[0]["job_id"]
        self.g.run("resolve", job, "--adopt", found)
        self.assertEqual(self.g.json("wait", job)["state"], "JOB_STATE_SUCCEEDED")
        self.assertEqual(len(self.renders()), 1)

    def test_cancelled_it_is_never_sent(self):
        job = self.render(self.preview())
        cancelled = self.g.run("delete", job)
        self.assertIn("cancelled before it was sent", cancelled.stdout)
        self.assertEqual(self.state(job), "JOB_STATE_CANCELLED")
        self.assertEqual(self.g.run("wait", job).returncode, 1)
        self.pictory.forget_faults()
        self.assertEqual(self.g.json("wait", self.preview_of())["state"], "JOB_STATE_SUCCEEDED")
        self.g.kill()
        self.g.start()
        self.assertEqual(self.state(job), "JOB_STATE_CANCELLED")
        self.assertEqual(self.renders(), [])
        self.assertIn("deleted", self.g.run("delete", job).stdout)

    def test_it_fails_with_its_preview(self):
        job = self.render(self.preview("sandbox-fail"))
        self.pictory.forget_faults()
        done = self.g.run("wait", job, "--json")
        self.assertEqual(done.returncode, 1, done.stderr)
        failed = self.g.json("get", job)
        self.assertEqual((failed["state"], failed["error"]["code"]), ("JOB_STATE_FAILED", "REFERENCED_JOB_FAILED"))
        self.assertIn("TEXT_TO_VIDEO_FAILED", failed["error"]["message"])
        self.assertEqual(self.renders(), [])

    def test_without_the_flag_it_is_refused(self):
        refused = self.g.run("render", self.preview())
        self.assertIn("wait until it has SUCCEEDED", refused.stderr)
        self.assertIn("--wait-for-preview", refused.stderr)
        wrong = self.g.run("render", "--project", "1", "--wait-for-preview")
        self.assertEqual(wrong.returncode, 2)

    def test_a_summary_waits_for_its_transcription(self):
        self.pictory.fault("status", match=POLLS)
        heard = self.g.json("transcribe", "https://media.example.com/talk.mp4")["jobId"]
        job = self.g.json("summarize", heard, "--seconds", "60", "--wait-for-transcription")
        self.assertEqual(job["state"], "JOB_STATE_WAITING")
        self.pictory.forget_faults()
        self.assertEqual(self.g.json("wait", job["jobId"])["state"], "JOB_STATE_SUCCEEDED")


if __name__ == "__main__":
    unittest.main()
