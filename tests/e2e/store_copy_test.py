"""`pictory-gateway store copy`: jobs go on in PostgreSQL and come back, whenever the copy is killed."""

import contextlib
import pathlib
import sqlite3
import subprocess
import unittest

import find_live  # noqa: F401
from live.postgres import Postgres, psql
from live.process import DEADLINE_SECONDS, environment, wait_until
from live.programs import BIN
from live.rig import RigTest

STORY = "One line for the scene. Another line for the next one."
server = None


def setUpModule():
    global server
    server = Postgres()


def tearDownModule():
    server.end()


def command(*arguments):
    return [str(each) for each in (BIN / "pictory-gateway", "store", "copy", *arguments)]


def copy(*arguments):
    return subprocess.run(command(*arguments), env=environment(), text=True, capture_output=True, timeout=300)


class Copy(RigTest):
    def setUp(self):
        super().setUp()
        self.database = server.database(self.id().split(".")[-1].lower())
        self.g = self.rig.gateway(self.sandbox.url, "--drain-timeout", 1)
        self.file = self.g.state / "jobs" / "pictory" / "jobs.db"

    def copied(self, *arguments):
        done = copy(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def there(self, *more):
        return self.copied("--from", self.g.state / "jobs", "--to", self.database, *more)

    def back(self):
        return self.copied("--from", self.database, "--to", self.g.state / "jobs")

    def restart(self, database):
        self.g.database = database
        self.g.start()

    def refused(self, database):
        """What the gateway says that does not start there."""
        with self.assertRaises(AssertionError) as failed:
            self.restart(database)
        with contextlib.suppress(AttributeError):
            self.g.process.wait()
        return str(failed.exception)

    def many(self, jobs):
        """Makes more of a job that the gateway has, which does not run."""
        with contextlib.closing(sqlite3.connect(self.file)) as db:
            columns = [row[1] for row in db.execute("PRAGMA table_info(jobs)") if row[1] != "id"]
            changed = {"job_id": "job_id || '-' || n", "request_id": "request_id || '-' || n",
                       "pictory_job_id": "pictory_job_id || '-' || n", "correlation_token": "''", "change": "0"}
            values = ", ".join(changed.get(column, column) for column in columns)
            db.execute(f"WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < {jobs - 1})"
                       f" INSERT INTO jobs ({', '.join(columns)}) SELECT {values} FROM jobs, many")
            db.commit()
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class Moves(Copy):
    def test_jobs_go_on_in_postgres_and_come_back(self):
        g = self.g
        done = g.json("transcribe", "https://media.example.com/talk.mp4", "--wait", "--label", "team=a")
        words = g.run("result", done["jobId"], "--part", "txt").stdout
        self.assertGreater(len(words.split()), 20)
        running = g.json("preview", "--name", "sandbox-slow", "--text", STORY, "--request-id", "r-slow")
        # One submit is under way when the gateway is killed.
        self.sandbox.fault("delay", times=1, ms=60_000)
        caller = self.rig.spawn(BIN / "pictory", "preview", "--name", "under-way", "--text", STORY, "--request-id",
                                "r-under-way", env=dict(g.env, PICTORY_GATEWAY=g.grpc), stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
        wait_until(lambda: any("under-way" in each["body"] for each in self.sandbox.accepted()), "the POST")
        g.kill()
        caller.wait(timeout=DEADLINE_SECONDS)
        self.sandbox.forget_faults()

        told = self.there()
        self.assertIn("under way when the gateway ended: 1.", told)
        self.assertIn("alike", told)
        self.assertIn("were moved to PostgreSQL", self.refused(None))
        self.restart(self.database)
        self.assertEqual(g.run("result", done["jobId"], "--part", "txt").stdout, words)
        self.assertIn(done["jobId"], g.run("list", "--label", "team=a", "--json").stdout)
        self.assertEqual(g.json("preview", "--name", "sandbox-slow", "--text", STORY, "--request-id",
                                "r-slow")["jobId"], running["jobId"])
        unconfirmed = g.json("preview", "--name", "under-way", "--text", STORY, "--request-id", "r-under-way")
        self.assertEqual(unconfirmed["state"], "JOB_STATE_UNCONFIRMED")
        later = g.json("preview", "--name", "later", "--text", STORY, "--wait")
        g.terminate()

        self.assertIn("it is the newer one", copy("--from", g.state / "jobs", "--to", self.database).stderr)
        self.back()
        self.assertIn("were moved to", self.refused(self.database))
        self.restart(None)
        self.assertEqual(g.json("get", later["jobId"])["state"], "JOB_STATE_SUCCEEDED")
        self.assertEqual(g.json("get", unconfirmed["jobId"])["state"], "JOB_STATE_UNCONFIRMED")
        self.assertEqual(g.run("result", done["jobId"], "--part", "txt").stdout, words)
        self.assertEqual(g.json("watch", running["jobId"])["state"], "JOB_STATE_SUCCEEDED")
        for name, posts in self.sandbox.journal().items():
            self.assertEqual(len(posts), 1, name)

    def test_a_copy_that_is_killed_goes_on_when_it_is_repeated(self):
        g = self.g
        kept = g.json("preview", "--name", "kept", "--text", STORY, "--wait")
        g.terminate()
        jobs = 40_000
        self.many(jobs)
        arguments = ("--from", g.state / "jobs", "--to", self.database)

        def held():
            try:
                return int(psql(self.database, "SELECT count(*) FROM pictory.jobs")[0])
            except subprocess.CalledProcessError:
                return 0  # there is no table yet

        killed, most = 0, 0
        for _ in range(3):
            process = subprocess.Popen(command(*arguments), env=environment(), stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE, text=True)
            wait_until(lambda: held() > most or process.poll() is not None, "the next jobs to be there")
            process.kill()
            killed += process.wait() == -9
            process.stderr.close()
            self.assertGreaterEqual(held(), most, "what was there stays")
            most = held()
        self.assertEqual(killed, 3)
        self.assertLess(most, jobs)
        self.assertIn("are being moved to PostgreSQL", self.refused(None))
        self.assertIn("not all of it is here yet", self.refused(self.database))
        told = self.copied(*arguments)
        self.assertIn("on from where an earlier copy ended", told)
        self.assertIn(f"{jobs:,}", told)
        self.assertIn("Was moved already", self.copied(*arguments))
        self.restart(self.database)
        self.assertEqual(g.json("get", kept["jobId"])["state"], "JOB_STATE_SUCCEEDED")

    def test_it_is_undone(self):
        self.g.terminate()
        self.there()
        self.assertIn("Given up", self.there("--undo"))
        self.assertEqual(psql(self.database, "SELECT count(*) FROM pictory.jobs"), ["0"])
        self.restart(None)
        self.assertTrue(self.g.is_ready())


class Refusals(Copy):
    def test_while_a_gateway_runs(self):
        arguments = ("--from", self.g.state / "jobs", "--to", self.database)
        self.assertIn(f"process {self.g.pid}", copy(*arguments).stderr)
        self.g.terminate()
        self.there()
        self.restart(self.database)
        other = pathlib.Path(self.folder.name) / "other"
        other.mkdir(mode=0o700)
        said = copy("--from", self.database, "--to", other).stderr
        self.assertIn("in use by the gateway", said)
        self.assertIn(f"process {self.g.pid}", said)

    def test_what_it_is_told_wrong(self):
        state = self.g.state / "jobs"
        nowhere = pathlib.Path(self.folder.name) / "nowhere"
        for arguments, said, code in (
                ((), "--from", 2),
                (("--from", state), "--to", 2),
                (("--from", nowhere, "--to", self.database), "there is no", 1),
                (("--from", "host=/nowhere", "--to", state), "host=/nowhere", 1),
                (("--from", state, "--to", "postgres://me:hunter2@h/d"), "--to-file", 2),
                (("--from", state, "--to", self.database, "--target-is-lost"), "--undo", 2)):
            with self.subTest(arguments):
                done = copy(*arguments)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(said, done.stderr)
                self.assertNotIn("hunter2", done.stderr)
        self.assertFalse(nowhere.exists())


if __name__ == "__main__":
    unittest.main()
