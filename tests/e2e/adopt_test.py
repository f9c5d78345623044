"""Jobs that were not submitted here: named by Pictory's id, they become jobs like any other."""

import json
import unittest

import find_live  # noqa: F401
from live.process import wait_until
from live.rig import KEY, RigTest, restart


class Adopt(RigTest):
    def setUp(self):
        super().setUp()
        self.g = self.rig.gateway(self.sandbox.url)

    def submit_elsewhere(self, name):
        """A preview that somebody has asked of Pictory without the gateway; its id there."""
        body = {"videoName": name, "scenes": [{"story": "Hello there."}]}
        return self.sandbox.submit("/v2/video/storyboard", body, KEY["PICTORY_API_KEY"])

    def made_elsewhere(self, path, body):
        """The id of a job that Pictory has made for somebody, and that the gateway has never heard of."""
        key = KEY["PICTORY_API_KEY"]
        theirs = self.sandbox.submit(path, body, key)
        wait_until(lambda: self.sandbox.answer("GET", f"/v1/jobs/{theirs}", key)["data"]["status"] == "completed",
                   "Pictory to have made it")
        return theirs

    def questions(self):
        return sum(count for asked, count in self.sandbox.stats()["requests"].items()
                   if asked.startswith("GET /v1/jobs/"))

    def test_it_is_read_watched_and_rendered(self):
        g = self.g
        theirs = self.submit_elsewhere("elsewhere")
        job = g.json("get", theirs)
        self.assertEqual(job["pictoryJobId"], theirs)
        self.assertNotEqual(job["jobId"], theirs)
        done = g.json("wait", theirs)
        self.assertEqual((done["jobId"], done["state"], done["kind"]),
                         (job["jobId"], "JOB_STATE_SUCCEEDED", "JOB_KIND_PREVIEW"))
        self.assertIn("preview", done)
        rendered = g.json("render", theirs, "--wait")
        self.assertEqual(rendered["state"], "JOB_STATE_SUCCEEDED")
        self.assertIn(job["jobId"], g.run("list").stdout)

    def test_any_call_may_be_the_first_to_name_it(self):
        g = self.g
        theirs = self.submit_elsewhere("named at once")
        wait_until(lambda: g.json("get", theirs)["state"] == "JOB_STATE_SUCCEEDED", "it has ended")
        another = self.submit_elsewhere("sandbox-stuck")
        refused = g.run("render", another)
        self.assertIn("wait until it has SUCCEEDED", refused.stderr)
        self.assertEqual(g.json("render", theirs, "--wait")["state"], "JOB_STATE_SUCCEEDED")
        watched = g.json("watch", self.submit_elsewhere("watched first"))
        self.assertEqual((watched["state"], watched["kind"]), ("JOB_STATE_SUCCEEDED", "JOB_KIND_PREVIEW"))
        theirs = self.made_elsewhere("/v2/video/storyboard", {"videoName": "read first", "scenes": [{"story": "Hi."}]})
        read = json.loads(g.run("result", theirs, "--part", "result-json").stdout)
        self.assertEqual(read["previewUrl"], g.json("get", theirs)["preview"]["previewUrl"])
        theirs = self.made_elsewhere("/v2/transcription", {"fileUrl": "https://media.example.com/talk.mp4", "language": "en-US"})
        summary = g.json("summarize", theirs, "--wait")
        self.assertEqual((summary["state"], summary["kind"]), ("JOB_STATE_SUCCEEDED", "JOB_KIND_SUMMARY"))
        self.assertEqual(g.json("get", theirs)["kind"], "JOB_KIND_TRANSCRIPTION")

    def test_what_pictory_does_not_know_is_unknown_and_asked_once(self):
        for _ in range(3):
            done = self.g.run("get", "8f2c0000-0000-4000-8000-000000000000")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("No job", done.stderr)
        self.assertEqual(self.questions(), 1)

    def test_it_survives_a_kill(self):
        g = self.g
        theirs = self.submit_elsewhere("sandbox-slow")
        job = g.json("get", theirs)
        g.process.kill()
        g.process.wait()
        restart(g)
        self.assertEqual(g.json("get", theirs)["jobId"], job["jobId"])
        self.assertEqual(g.json("wait", job["jobId"])["state"], "JOB_STATE_SUCCEEDED")

    def test_a_job_that_is_resolved_takes_it_over(self):
        g = self.g
        self.sandbox.fault("reset", times=1)
        job = g.json("preview", "--name", "in question", "--text", "Hi.")
        self.assertEqual(job["state"], "JOB_STATE_UNCONFIRMED", job)
        [candidate] = g.json("resolve", job["jobId"])["candidates"]
        theirs = candidate["pictoryJobId"]
        adopted = g.json("get", theirs)
        self.assertNotEqual(adopted["jobId"], job["jobId"])
        [candidate] = g.json("resolve", job["jobId"])["candidates"]
        self.assertEqual(candidate["pictoryJobId"], theirs, "it may still be the one")
        g.run("resolve", job["jobId"], "--adopt", theirs)
        for name in (theirs, adopted["jobId"], job["jobId"]):
            self.assertEqual(g.json("wait", name)["jobId"], job["jobId"])
        self.assertNotIn(adopted["jobId"], g.run("list").stdout)


if __name__ == "__main__":
    unittest.main()
