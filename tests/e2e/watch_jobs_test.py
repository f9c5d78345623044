"""Watches of many jobs, as they are used: by grpcurl, and by the command line, through kills and restarts of the
gateway; and of two gateways on one PostgreSQL (SharedStore, which takes longer). Exit 77: no grpcurl here."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

import find_live  # noqa: F401
from live.gateway import gateway
from live.process import wait_until
from live.programs import BIN
from live.rig import UNLIMITED, Rig

METHOD = "pictory.jobs.v1.PictoryJobs/WatchJobs"
JOBS = 12
FINAL = {"JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED"}


class Reader:
    """What a process writes to its stdout, as JSON objects, in order, as they come."""

    def __init__(self, command, env=None):
        self.read = []
        self.process = subprocess.Popen([str(each) for each in command], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, env=env)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        text, decoder = "", json.JSONDecoder()
        for line in self.process.stdout:
            text += line
            try:
                value, _ = decoder.raw_decode(text.lstrip())
            except json.JSONDecodeError:
                continue
            self.read.append(value)
            text = ""

    def until(self, holds, what):
        return wait_until(lambda: holds(list(self.read)), what)

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=60)
        self.thread.join(timeout=60)
        self.process.stdout.close()


def jobs_of(messages):
    return [message[kind] for message in messages for kind in ("job", "left") if kind in message]


def newest(jobs):
    """By id; no revision may go back."""
    known = {}
    for job in jobs:
        before = known.get(job["jobId"], {"revision": 0})
        assert job["revision"] >= before["revision"], f"{job} after {before}"
        known[job["jobId"]] = job
    return known


def submit(g, label, count, begin=0):
    for i in range(begin, begin + count):
        g.json("preview", "--text", f"Story {i}.", "--name", f"s{i}", "--label", f"batch={label}")


def all_done(count):
    return lambda messages: sum(
        job["state"] in FINAL for job in newest(jobs_of(messages)).values()) >= count


class Watching(unittest.TestCase):
    def watch(self, g, **request):
        reader = Reader(["grpcurl", "-plaintext", "-d", json.dumps(request), g.grpc, METHOD])
        self.addCleanup(reader.end)
        return reader

    def token_of_the_whole_list(self, g):
        reader = self.watch(g)
        return reader.until(lambda read: any("listCompleted" in each for each in read) and read,
                            "the whole list")[-1]["resumeToken"]

    def assert_told_all(self, g, messages):
        """The last of each job is what the gateway lists."""
        listed = [json.loads(line) for line in g.run("list", "--all", "--json").stdout.splitlines()]
        self.assertEqual({job["jobId"]: job["revision"] for job in listed},
                         {job_id: job["revision"] for job_id, job in newest(jobs_of(messages)).items()})


class WatchJobs(Watching):
    def gateway(self, *flags, **kwargs):
        return self.enterContext(gateway(*flags, **kwargs))

    def test_a_list_and_then_each_change(self):
        g = self.gateway()
        submit(g, "one", 2)
        reader = self.watch(g, labels={"batch": "one"})
        reader.until(lambda read: any("listCompleted" in each for each in read), "the whole list")
        self.assertIn("listStarted", reader.read[0])
        submit(g, "other", 1)
        submit(g, "one", 1, begin=2)
        messages = reader.until(lambda read: all_done(3)(read) and read, "all three")
        told = newest(jobs_of(messages))
        self.assertEqual(len(told), 3, "and none of the other batch")
        self.assertTrue(all(message["resumeToken"] for message in messages))
        job_id = next(iter(told))
        self.assertEqual(g.run("delete", job_id).returncode, 0)
        reader.until(lambda read: any(each.get("goneJobId") == job_id for each in read), "what is gone")

    def test_a_job_leaves_the_filter(self):
        g = self.gateway()
        reader = self.watch(g, states=["JOB_STATE_QUEUED", "JOB_STATE_RUNNING"])
        reader.until(lambda read: any("listCompleted" in each for each in read), "the whole list")
        submit(g, "one", 1)
        reader.until(lambda read: any(each.get("left", {}).get("state") in FINAL for each in read), "its end")

    def test_nothing_is_lost_by_a_kill_and_by_another_one(self):
        g = self.gateway(speed=4)
        seen, resume = [], {}
        for begin in range(0, JOBS, 3):
            submit(g, "one", 3, begin)  # nobody watches at this moment
            reader = self.watch(g, labels={"batch": "one"}, **resume)
            reader.until(lambda read: len(newest(jobs_of(seen + read))) == begin + 3, "the new jobs")
            g.kill()  # kill -9
            reader.process.wait(timeout=60)
            reader.thread.join(timeout=60)
            self.assertEqual(any("listStarted" in each for each in reader.read), not resume)
            seen += reader.read
            resume = {"resumeToken": reader.read[-1]["resumeToken"]}
            g.start()
        reader = self.watch(g, labels={"batch": "one"}, **resume)
        reader.until(lambda read: all_done(JOBS)(seen + read), "the end of all")
        self.assert_told_all(g, seen + reader.read)

    def test_a_token_of_another_store_begins_with_the_list(self):
        g = self.gateway()
        submit(g, "one", 1)
        token = self.token_of_the_whole_list(g)
        g.terminate()
        shutil.rmtree(g.state / "jobs")
        g.start()
        again = self.watch(g, resumeToken=token)
        first = again.until(lambda read: read, "a message")[0]
        self.assertTrue(first["listStarted"].get("restarted"), first)

    def test_the_command_goes_on_by_itself(self):
        g = self.gateway(speed=4)
        submit(g, "one", JOBS // 2)
        env = dict(g.env, PICTORY_GATEWAY=g.grpc)
        reader = Reader([BIN / "pictory", "watch", "--label", "batch=one", "--state", "queued", "--state", "running",
                         "--state", "succeeded", "--json"], env=env)
        self.addCleanup(reader.end)
        reader.until(lambda read: len(read) >= JOBS // 2, "the jobs that there are")
        g.listen = g.grpc
        g.kill()
        g.start()
        submit(g, "one", JOBS // 2, begin=JOBS // 2)
        reader.until(lambda read: sum(job["state"] in FINAL for job in newest(read).values()) == JOBS, "the end of all")

    def test_what_it_says_on_a_pipe(self):
        g = self.gateway()
        done = subprocess.Popen([BIN / "pictory", "watch"], env=dict(g.env, PICTORY_GATEWAY=g.grpc), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        submit(g, "one", 1)
        line = done.stdout.readline()
        while "SUCCEEDED" not in line:
            self.assertTrue(line, "it ended")
            line = done.stdout.readline()
        done.send_signal(signal.SIGINT)
        done.communicate(timeout=60)
        self.assertEqual(done.returncode, 130)


class SharedStore(Watching):
    def setUp(self):
        self.rig = self.enterContext(Rig(self.enterContext(tempfile.TemporaryDirectory())))
        self.sandbox, self.server = self.rig.sandbox("--speed", "4"), self.rig.postgres()

    def on(self, database):
        made = self.rig.gateway(self.sandbox.url, *UNLIMITED, start=False)
        made.database = database
        made.start()
        return made

    def test_nothing_is_lost_by_a_kill_if_the_watch_goes_on_at_another(self):
        database = self.server.database("jobs")
        watched, other = self.on(database), self.on(database)
        seen, resume = [], {}
        for begin in range(0, JOBS, 3):
            submit(other, "one", 3, begin)
            reader = self.watch(watched, labels={"batch": "one"}, **resume)
            reader.until(lambda read: len(newest(jobs_of(seen + read))) == begin + 3, "the new jobs")
            watched.kill()  # kill -9
            reader.process.wait(timeout=60)
            reader.thread.join(timeout=60)
            self.assertEqual(any("listStarted" in each for each in reader.read), not resume, reader.read[0])
            seen += reader.read
            resume = {"resumeToken": reader.read[-1]["resumeToken"]}
            watched.start()
            watched, other = other, watched
        reader = self.watch(watched, labels={"batch": "one"}, **resume)
        reader.until(lambda read: all_done(JOBS)(seen + read), "the end of all")
        self.assertFalse(any("listStarted" in each for each in reader.read))
        self.assert_told_all(other, seen + reader.read)

    def test_a_token_of_another_store_begins_with_the_list(self):
        g, stranger = self.on(self.server.database("jobs")), self.on(self.server.database("others"))
        with gateway() as in_a_file:
            for foreign in (stranger, in_a_file):
                submit(foreign, "other", 1)
                again = self.watch(g, resumeToken=self.token_of_the_whole_list(foreign))
                messages = again.until(lambda read: any("listCompleted" in each for each in read) and read, "the list")
                self.assertTrue(messages[0]["listStarted"].get("restarted"), messages)
                self.assertEqual(jobs_of(messages), [], "and no job of the other store")


if __name__ == "__main__":
    if shutil.which("grpcurl") is None:
        sys.exit(77)
    unittest.main()
