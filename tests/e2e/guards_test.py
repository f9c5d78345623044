"""What keeps an operator's money: limits that survive restarts, and the switch that stops submits."""

import contextlib
import json
import sqlite3
import tempfile
import time
import unittest

import find_live  # noqa: F401
from live.gateway import Gateway, gateway
from live.process import DEADLINE_SECONDS, wait_until

STORY = "One sentence is enough."


def preview(name):
    return ("preview", "--name", name, "--text", STORY, "--request-id", name)


def submits(g):
    return len(g.pages.accepted())


class SpendingLimits(unittest.TestCase):
    def test_a_day_has_two_submits_whatever_is_restarted(self):
        with tempfile.TemporaryDirectory() as state:
            g = Gateway(state, "--max-submits-per-day", "2")
            try:
                first = g.json(*preview("a"))
                # An unconfirmed job may have cost money, so it counts.
                g.pages.add_fault({"match": {"method": "POST"}, "fault": {"type": "reset"}})
                unconfirmed = g.json(*preview("b"))
                self.assertEqual(unconfirmed["state"], "JOB_STATE_UNCONFIRMED")
                for _ in range(2):
                    refused = g.run(*preview("c"))
                    self.assertEqual(refused.returncode, 5, refused.stderr)
                    self.assertIn("allows 2 submits a day", refused.stderr)
                    g.kill()
                    g.start()
                self.assertEqual(g.json(*preview("a"))["jobId"], first["jobId"])
                self.assertEqual(submits(g), 2)
            finally:
                g.end()

    def test_what_pictory_refused_is_not_counted(self):
        with gateway("--max-submits-per-day", "1") as g:
            g.pages.add_fault({"match": {"method": "POST"}, "times": 1,
                             "fault": {"type": "status", "status": 400}})
            self.assertEqual(g.run(*preview("a")).returncode, 5)
            g.json(*preview("b"))
            self.assertEqual(g.run(*preview("c")).returncode, 5)


class StopSubmits(unittest.TestCase):
    def test_the_file_stops_new_submits_and_nothing_else(self):
        with tempfile.TemporaryDirectory() as state:
            g = Gateway(state)
            stop = g.state / "jobs" / "stop-submits"

            def stopped(value):
                line = f"pictory_gateway_submits_stopped {value}\n"
                wait_until(lambda: line in g.fetch("/metrics"), line)

            try:
                job = g.json(*preview("a"))
                stop.touch()
                stopped(1)
                refused = g.run(*preview("b"))
                self.assertEqual(refused.returncode, 5, refused.stderr)
                self.assertIn("stopped new submits", refused.stderr)
                self.assertEqual(g.json(*preview("a"))["jobId"], job["jobId"])
                self.assertEqual(g.json("wait", job["jobId"])["state"], "JOB_STATE_SUCCEEDED")
                g.kill()
                g.start()
                self.assertEqual(g.run(*preview("b")).returncode, 5, "in force from the first call on")
                self.assertEqual(submits(g), 1)
                stop.unlink()
                stopped(0)
                g.json(*preview("b"))
                self.assertEqual(submits(g), 2)
            finally:
                g.end()


class StateDirectory(unittest.TestCase):
    def test_a_gateway_that_lost_its_store_ends_and_its_successor_asks(self):
        with tempfile.TemporaryDirectory() as state:
            g = Gateway(state, "--drain-delay", "50")
            store = g.state / "jobs" / "sandbox"
            try:
                job = g.json(*preview("a"))
                (store / "jobs.db").rename(store / "elsewhere")
                began = time.monotonic()
                self.assertEqual(g.process.wait(timeout=DEADLINE_SECONDS), 1)
                self.assertLess(time.monotonic() - began, 20, "it waits for no delay")
                [failed] = [json.loads(line) for line in g.log.read_text().splitlines()
                            if "store_failed" in line]
                self.assertIn("jobs.db was removed or renamed", failed["reason"])
                self.assertEqual(failed["directory"], str(store))
                with self.assertRaisesRegex(AssertionError, "jobs.db is gone or empty.*remove jobs.open"):
                    g.start()
                (store / "elsewhere").rename(store / "jobs.db")
                g.start()
                self.assertEqual(g.json(*preview("a"))["jobId"], job["jobId"])
            finally:
                g.kill()

    def test_a_killed_gateway_is_looked_at_without_harm(self):
        with tempfile.TemporaryDirectory() as state:
            g = Gateway(state)
            try:
                job = g.json(*preview("a"))
                path = g.state / "jobs" / "sandbox" / "jobs.db"
                for killed in (False, True):
                    if killed:
                        g.kill()
                    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
                        self.assertEqual(db.execute("SELECT job_id FROM jobs").fetchall(), [(job["jobId"],)])
                g.start()
                self.assertEqual(g.json(*preview("a"))["jobId"], job["jobId"])
                # A backup by SQLite's own means, while it runs.
                with contextlib.closing(sqlite3.connect(path)) as db, \
                        contextlib.closing(sqlite3.connect(g.state / "copy.db")) as copy:
                    db.backup(copy)
                self.assertEqual(g.json(*preview("a"))["jobId"], job["jobId"])
                self.assertEqual(g.terminate()[0], 0)
                self.assertFalse((path.parent / "jobs.open").exists())
            finally:
                g.kill()


if __name__ == "__main__":
    unittest.main()
