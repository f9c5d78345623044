"""Jobs in a real PostgreSQL: the main job, restarts, who uses the store, and a server that goes away."""

import json
import pathlib
import shutil
import subprocess
import tempfile
import threading
import unittest
import urllib.request

import find_live  # noqa: F401
from live.gateway import Gateway
from live.postgres import Postgres, psql
from live.process import DEADLINE_SECONDS, environment, wait_until
from live.programs import BIN

STORY = "One line for the scene. Another line for the next one."
server = None


def setUpModule():
    global server
    server = Postgres()


def tearDownModule():
    server.end()


class Kept(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.database = server.database(self.id().split(".")[-1].lower())

    def gateway(self, *flags, name="one", **kwargs):
        made = Gateway(pathlib.Path(self.folder.name) / name, *flags, start=False, **kwargs)
        made.database = self.database
        self.addCleanup(lambda: hasattr(made, "process") and made.end())
        return made

    def started(self, *flags, **kwargs):
        made = self.gateway(*flags, **kwargs)
        made.start()
        return made

    def refused(self, *flags):
        """What a gateway says that does not start."""
        state = tempfile.TemporaryDirectory()
        self.addCleanup(state.cleanup)
        done = subprocess.run([BIN / "pictory-gateway", "--sandbox", "--listen", "127.0.0.1:0", "--admin-listen", "off",
                               "--state-dir", state.name, *flags], env=environment(), text=True, capture_output=True,
                              timeout=DEADLINE_SECONDS)
        self.assertNotEqual(done.returncode, 0)
        return done.stderr


class Story(Kept):
    def test_from_text_to_a_playable_file_and_past_a_restart(self):
        g = self.started()
        preview = g.json("preview", "--name", "story", "--text", STORY, "--label", "team=a", "--wait")
        self.assertEqual(preview["state"], "JOB_STATE_SUCCEEDED")
        render = g.json("render", preview["jobId"], "--wait")
        file = pathlib.Path(self.folder.name) / "video.mp4"
        done = g.run("result", render["jobId"], "--download", "-o", file)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(file.read_bytes()[4:8], b"ftyp")
        job = g.json("transcribe", "https://media.example.com/talk.mp4", "--wait")
        words = g.run("result", job["jobId"], "--part", "txt").stdout
        self.assertGreater(len(words.split()), 20)
        self.assertFalse((g.state / "jobs" / "sandbox" / "jobs.db").exists())
        for end in (g.kill, g.terminate):
            end()
            g.start()
            self.assertEqual(g.json("get", render["jobId"])["state"], "JOB_STATE_SUCCEEDED")
            self.assertEqual(g.run("result", job["jobId"], "--part", "txt").stdout, words)
            self.assertIn(preview["jobId"], g.run("list", "--label", "team=a", "--json").stdout)

    def test_the_same_request_id_is_one_job_and_one_post(self):
        g = self.started()
        args = ("preview", "--name", "once", "--text", STORY, "--request-id", "r-1")
        first = g.json(*args)
        g.kill()
        g.start()
        self.assertEqual(first["jobId"], g.json(*args)["jobId"])
        self.assertEqual(len(g.pages.accepted()), 1)


class Starting(Kept):
    def test_a_second_gateway_has_the_same_jobs(self):
        g = self.started()
        args = ("preview", "--name", "story", "--text", STORY, "--request-id", "r-1", "--wait")
        job = g.json(*args)
        other = self.started(name="two")
        self.assertEqual(other.json("get", job["jobId"])["state"], "JOB_STATE_SUCCEEDED")
        self.assertEqual(other.json(*args)["jobId"], job["jobId"], "and is not paid for again")
        self.assertEqual(other.pages.accepted(), [])

    def test_another_gateway_takes_over_when_the_first_has_ended(self):
        g = self.started()
        job = g.json("preview", "--name", "story", "--text", STORY, "--wait")
        g.terminate()
        other = self.started(name="two")
        self.assertEqual(other.json("get", job["jobId"])["state"], "JOB_STATE_SUCCEEDED")

    def test_of_two_with_one_name_the_first_ends(self):
        g = self.started()
        other = self.gateway(name="two")
        (other.state / "jobs").mkdir(mode=0o700)
        (kept,) = (g.state / "jobs").rglob("gateway.id")
        copy = other.state / kept.relative_to(g.state)
        copy.parent.mkdir(mode=0o700, exist_ok=True)
        shutil.copy(kept, copy)
        other.start()
        self.assertNotEqual(g.process.wait(timeout=DEADLINE_SECONDS), 0)
        self.assertIn("another gateway with the same name", g.said())
        self.assertTrue(other.is_ready())

    def test_a_password_is_for_a_file(self):
        said = self.refused("--store", "postgres://me:hunter2@127.0.0.1/jobs")
        self.assertIn("--store-file", said)
        self.assertNotIn("hunter2", said)
        path = pathlib.Path(self.folder.name) / "store"
        name = self.database.split("dbname=")[1]
        path.write_text(f"postgres:///{name}?host={server.folder}&user=gateway&password=hunter2\n")
        self.assertIn("chmod 600", self.refused("--store-file", str(path)))
        path.chmod(0o600)
        g = self.gateway("--store-file", str(path))
        g.database = None
        g.start()
        self.assertEqual(g.json("preview", "--name", "a", "--text", "Hi.", "--wait")["state"], "JOB_STATE_SUCCEEDED")
        self.assertNotIn("hunter2", g.said())

    def test_nobody_there(self):
        self.assertIn("host=/nowhere", self.refused("--store", "host=/nowhere"))


class Away(unittest.TestCase):
    """A server of its own, which is killed and comes back."""

    def setUp(self):
        self.server = Postgres()
        self.addCleanup(self.server.end)
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.g = Gateway(self.folder.name, "--http-listen", "127.0.0.1:0", speed=1, start=False)
        self.g.database = self.server.database("jobs")
        self.addCleanup(lambda: self.g.end())
        self.g.start()

    def heartbeat(self, job):
        """With which a watch begins that has seen the present revision."""
        revision = self.g.json("get", job["jobId"])["revision"]
        request = urllib.request.Request(f"{self.g.http}/v1/jobs/{job['jobId']}:watch?after_revision={revision}",
                                         headers={"Accept": "application/x-ndjson"})
        with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as lines:
            return next(event["heartbeat"] for event in map(json.loads, lines) if "heartbeat" in event)

    def test_a_watch_and_a_job_go_on_and_submits_say_when_to_come_again(self):
        g = self.g
        job = g.json("preview", "--name", "sandbox-slow", "--text", STORY)
        lines = []
        watch = subprocess.Popen([BIN / "pictory", "watch", job["jobId"], "--json"], text=True,
                                 stdout=subprocess.PIPE, env=dict(g.env, PICTORY_GATEWAY=g.grpc))
        self.addCleanup(lambda: (watch.kill(), watch.wait(), watch.stdout.close()))
        reader = threading.Thread(target=lambda: lines.extend(watch.stdout))
        reader.start()
        self.addCleanup(reader.join)
        wait_until(lambda: lines, "the watch to begin")
        self.server.kill()
        self.assertEqual(g.metric("store_away"), 0)
        wait_until(lambda: "store_away" in g.said(), "the gateway to notice")
        self.assertEqual(g.metric("store_away"), 1)
        self.assertTrue(self.heartbeat(job)["storeAway"])

        refused = g.run("preview", "--name", "late", "--text", STORY, "--timeout", "5")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("store cannot be reached", refused.stderr)
        self.assertEqual(g.json("get", job["jobId"])["jobId"], job["jobId"])
        self.assertTrue(g.is_ready())
        self.assertIsNone(watch.poll(), "the watch is open")
        self.assertIsNone(g.process.poll(), "the gateway runs")

        self.server.start()
        self.assertEqual(watch.wait(timeout=DEADLINE_SECONDS), 0)
        reader.join()
        self.assertEqual(json.loads(lines[-1])["state"], "JOB_STATE_SUCCEEDED")
        self.assertIn("store_back", g.said())
        self.assertEqual(g.metric("store_away"), 0)
        self.assertEqual(g.json("get", job["jobId"])["state"], "JOB_STATE_SUCCEEDED")
        self.assertEqual(g.json("preview", "--name", "after", "--text", STORY, "--wait")["state"],
                         "JOB_STATE_SUCCEEDED")
        self.assertEqual([json.loads(entry["body"])["videoName"] for entry in g.pages.accepted()],
                         ["sandbox-slow", "after"], "what was refused was not sent")

    def test_an_answer_of_pictory_that_cannot_be_stored_is_stored_later(self):
        g = self.g
        g.pages.fault("delay", times=1, ms=2000)
        told = []
        caller = threading.Thread(target=lambda: told.append(
            g.run("preview", "--name", "kept", "--text", STORY, "--request-id", "r-1", "--json", "--timeout", "60")))
        caller.start()
        wait_until(lambda: g.pages.accepted(), "the POST")
        self.server.kill()
        wait_until(lambda: g.metric("upstream_call_seconds_count", purpose="submit", outcome="2xx"), "the answer")
        wait_until(lambda: "store_away" in g.said(), "the gateway to notice")
        self.server.start()
        caller.join()
        self.assertEqual(told[0].returncode, 0, told[0].stderr)
        job = json.loads(told[0].stdout.splitlines()[-1])
        self.assertTrue(job["pictoryJobId"])
        self.assertEqual(g.json("get", job["jobId"])["pictoryJobId"], job["pictoryJobId"])
        self.assertEqual(len(g.pages.accepted()), 1)


if __name__ == "__main__":
    unittest.main()
