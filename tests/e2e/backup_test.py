"""Backup, restore, upgrade and going back, as server/docs/operations.md says: with the real program, a
Pictory's stand-in that outlives it and counts what was paid for, and stores of several ages."""

import contextlib
import pathlib
import re
import shutil
import socket
import sqlite3
import subprocess
import threading
import unittest

import find_live  # noqa: F401
from live.process import wait_until
from live.programs import BIN, ROOT
from live.rig import KEY, UNLIMITED, RigTest

STORY = "One sentence is enough."
DOCS = ROOT / "server" / "docs" / "operations.md"
SCHEMA = ROOT / "server" / "store" / "schema.cc"


def preview(name):
    return ("preview", "--name", name, "--text", STORY, "--request-id", name)


def store_of(g):
    return g.state / "jobs" / "pictory"


def value(path, query):
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute(query).fetchone()[0]


class Stores(RigTest):
    def gateway(self, **kwargs):
        return self.rig.gateway(self.sandbox.url, *UNLIMITED, **kwargs)

    def elsewhere(self):
        """A gateway with an empty state directory, not started."""
        g = self.gateway(start=False)
        store_of(g).mkdir(parents=True)
        return g

    def succeeded(self, g, job_id):
        self.assertEqual(g.json("wait", job_id)["state"], "JOB_STATE_SUCCEEDED")

    def backup(self, g):
        """By the command of the page; by the same means of SQLite where there is no shell of it."""
        copy = pathlib.Path(self.folder.name) / "copy.db"
        [command] = re.findall(r"^    (sqlite3 -readonly STATE_DIR/.*)$", DOCS.read_text(), re.M)
        command = command.replace("STATE_DIR", str(g.state / "jobs")).replace("copy.db", str(copy))
        if shutil.which("sqlite3"):
            subprocess.run(command, shell=True, check=True)
        else:
            print("there is no sqlite3 command here; the backup is made by its library")
            with contextlib.closing(sqlite3.connect(f"file:{store_of(g)}/jobs.db?mode=ro", uri=True)) as db, \
                    contextlib.closing(sqlite3.connect(copy)) as to:
                db.backup(to)
        return copy

    def start_refused(self, g):
        """What its log says of a start in vain, which changes nothing of the store."""
        said = len(g.log.read_text()) if g.log.exists() else 0
        files = {path.name: path.read_bytes() for path in store_of(g).iterdir()
                 if path.name not in ("jobs.lock", "jobs.db-shm")}
        with self.assertRaisesRegex(AssertionError, "did not start"):
            g.start()
        self.assertEqual(g.process.returncode, 1)
        for name, before in files.items():
            self.assertEqual((store_of(g) / name).read_bytes(), before, name)
        return g.log.read_text()[said:]

    def expect_once(self, g, request_id, job_id, *flags):
        """The same request_id is the same job, which is paid for once."""
        self.assertEqual(g.json(*preview(request_id), *flags)["jobId"], job_id)
        self.assertEqual(len(self.sandbox.journal()[request_id]), 1)


class Restore(Stores):
    def test_a_backup_of_a_busy_gateway_is_restored_in_a_new_directory(self):
        g = self.gateway()
        done = g.json(*preview("done"))["jobId"]
        self.succeeded(g, done)
        result = g.run("result", done).stdout
        # Under way when the backup is made, and at Pictory until after the restore.
        slow = g.json(*preview("sandbox-slow-one"))["jobId"]
        told, stop = {}, threading.Event()

        def submit_on():
            for number in range(200):
                name = f"busy-{number}"
                told[name] = g.json(*preview(name))["jobId"]
                if stop.is_set():
                    return

        busy = threading.Thread(target=submit_on)
        busy.start()
        wait_until(lambda: len(told) >= 3, "submits")
        known = dict(told)
        copy = self.backup(g)
        wait_until(lambda: len(told) >= len(known) + 3, "submits after the backup")
        stop.set()
        busy.join()
        g.terminate()

        restored = self.elsewhere()
        shutil.copy(copy, store_of(restored) / "jobs.db")
        (restored.state / "jobs" / "stop-submits").touch()
        restored.start()
        self.assertEqual(restored.run("result", done).stdout, result)
        self.expect_once(restored, "done", done)
        for name, job in known.items():
            self.expect_once(restored, name, job)
            self.succeeded(restored, job)
        # What came after the backup is not known, and is not paid for again as long as submits are stopped.
        last = list(told)[-1]
        refused = restored.run(*preview(last))
        self.assertEqual(refused.returncode, 5)
        self.assertIn("has stopped new submits", refused.stderr)
        self.assertEqual(len(self.sandbox.journal()[last]), 1)
        (restored.state / "jobs" / "stop-submits").unlink()
        wait_until(lambda: restored.run(*preview("new")).returncode == 0, "submits again")
        self.succeeded(restored, slow)
        self.expect_once(restored, "sandbox-slow-one", slow)

    def test_a_backup_beside_the_log_of_another_time_is_refused_until_that_is_removed(self):
        g = self.gateway()
        first = g.json(*preview("first"))["jobId"]
        copy = self.backup(g)
        g.json(*preview("second"))
        g.kill()
        store = store_of(g)
        for left in ("jobs.db-wal", "jobs.db-shm", "jobs.open"):
            self.assertTrue((store / left).exists(), left)
        shutil.copy(copy, store / "jobs.db")
        said = self.start_refused(g)
        self.assertIn(f"{store}/jobs.db", said)
        self.assertIn("remove jobs.db-wal, jobs.db-shm and jobs.open", said)
        # Half of what it says is not enough.
        (store / "jobs.open").unlink()
        said = self.start_refused(g)
        self.assertIn(f"{store}/jobs.db-wal is there, but no jobs.open", said)
        self.assertIn("If jobs.db is a backup, or is to be used as it is, remove jobs.db-wal and jobs.db-shm", said)
        (store / "jobs.db-wal").unlink()
        (store / "jobs.db-shm").unlink()
        g.start()
        self.expect_once(g, "first", first)


class Versions(Stores):
    def steps(self):
        """The SQL of each version of the schema, in order."""
        text = SCHEMA.read_text()
        steps = re.findall(r'^constexpr char kVersion(\d+)\[\] = R"sql\((.*?)\)sql"', text, re.M | re.S)
        self.assertEqual([int(number) for number, _ in steps], list(range(1, len(steps) + 1)))
        return [sql for _, sql in steps]

    def newest(self):
        return len(self.steps())

    def make(self, version, path, newest):
        """A store as the program of that version made it, with the rows of `newest` in all tables it had. Gives how
        many rows each has."""
        with contextlib.closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA journal_mode = WAL")
            for sql in self.steps()[:version]:
                db.executescript(sql)
            db.execute("ATTACH ? AS newest", (str(newest),))
            tables = [name for name, in db.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'")]
            for table in tables:
                if table == "parts" and version == 1:  # not yet in slices
                    pieces = "SELECT * FROM newest.parts WHERE slice = 0 AND total_bytes = length(bytes)"
                    db.execute(f"INSERT INTO parts (tenant, job_id, part, bytes) "
                               f"SELECT tenant, job_id, part, bytes FROM ({pieces})")
                    continue
                renamed = {"result_too_large": "notice"}
                here = [row[1] for row in db.execute(f"PRAGMA main.table_info({table})")]
                there = {row[1] for row in db.execute(f"PRAGMA newest.table_info({table})")}
                both = {name: renamed.get(name, name) for name in here if renamed.get(name, name) in there}
                db.execute(f"INSERT INTO main.{table} ({', '.join(both)}) "
                           f"SELECT {', '.join(both.values())} FROM newest.{table}")
            counts = {table: db.execute(f"SELECT count(*) FROM main.{table}").fetchone()[0] for table in tables}
            db.execute(f"PRAGMA application_id = {value(newest, 'PRAGMA application_id')}")
            db.execute(f"PRAGMA user_version = {version}")
            db.commit()
        return counts

    def test_the_store_of_each_version_is_brought_forward_with_all_it_has(self):
        g = self.gateway()
        done = g.json(*preview("done"), "--label", "team=a")["jobId"]
        self.succeeded(g, done)
        result = g.run("result", done).stdout
        self.assertTrue(result)
        running = g.json(*preview("sandbox-slow-one"))["jobId"]
        self.sandbox.fault("close_after_read", times=1)
        open_one = g.json(*preview("open"))
        self.assertEqual(open_one["state"], "JOB_STATE_UNCONFIRMED")
        self.assertEqual(g.terminate()[0], 0)
        newest = store_of(g) / "jobs.db"
        with contextlib.closing(sqlite3.connect(newest)) as db:
            db.execute("INSERT INTO aliases SELECT tenant, 'its-other-name', job_id FROM jobs WHERE job_id = ?", (done,))
            db.execute("INSERT INTO tombstones SELECT max(change) + 1, tenant, 'gone', 0 FROM jobs")
            db.execute("INSERT OR IGNORE INTO accounts VALUES ('another', 1, 1)")
            db.execute("INSERT INTO hints (tenant, job_id, pictory_job_id) SELECT tenant, job_id, 'maybe' FROM jobs "
                       "WHERE job_id = ?", (open_one["jobId"],))
            db.commit()
            for table, in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
                self.assertGreater(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0], 0, f"{table} is empty")

        for version in range(1, self.newest() + 1):
            with self.subTest(version=version):
                upgraded = self.elsewhere()
                database = store_of(upgraded) / "jobs.db"
                counts = self.make(version, database, newest)
                upgraded.start()
                self.assertEqual(upgraded.run("result", done).stdout, result)
                self.assertEqual(upgraded.json("list", "--label", "team=a")["jobId"], done)
                self.expect_once(upgraded, "done", done, "--label", "team=a")
                self.succeeded(upgraded, running)
                self.expect_once(upgraded, "sandbox-slow-one", running)
                self.assertEqual(upgraded.json("get", open_one["jobId"])["state"], "JOB_STATE_UNCONFIRMED")
                if "aliases" in counts:
                    self.assertEqual(upgraded.json("get", "its-other-name")["jobId"], done)
                self.assertEqual(upgraded.terminate()[0], 0)
                self.assertEqual(value(database, "PRAGMA user_version"), self.newest())
                self.assertEqual(value(database, "PRAGMA integrity_check"), "ok")
                for table, rows in counts.items():
                    self.assertGreaterEqual(value(database, f"SELECT count(*) FROM {table}"), rows, table)

    def test_the_store_of_a_newer_version_is_refused_by_name(self):
        g = self.gateway()
        job = g.json(*preview("a"))["jobId"]
        self.assertEqual(g.terminate()[0], 0)
        newer = self.newest() + 1
        database = store_of(g) / "jobs.db"
        with contextlib.closing(sqlite3.connect(database)) as db:
            db.execute(f"PRAGMA user_version = {newer}")
        for left in ("jobs.db-wal", "jobs.db-shm"):
            (store_of(g) / left).unlink(missing_ok=True)
        said = self.start_refused(g)
        self.assertIn(f"{database} has schema version {newer}, this program knows versions up to {newer - 1}", said)
        self.assertIn("run the newer program, or restore a backup made before it", said)
        with contextlib.closing(sqlite3.connect(database)) as db:
            db.execute(f"PRAGMA user_version = {newer - 1}")
        g.start()
        self.expect_once(g, "a", job)


class SecondGateway(Stores):
    def test_whoever_has_the_directory_is_named(self):
        g = self.gateway()
        second = subprocess.run(
            [BIN / "pictory-gateway", "--base-url", self.sandbox.url, "--listen", "127.0.0.1:0",
             "--admin-listen", "off", "--state-dir", g.state / "jobs"],
            env={**g.env, **KEY}, text=True, capture_output=True, timeout=60)
        self.assertEqual(second.returncode, 1)
        self.assertRegex(second.stderr, re.escape(str(store_of(g))) +
                         rf" is in use by process {g.process.pid} since \d{{4}}-\d\d-\d\dT\S+Z on host "
                         + re.escape(socket.gethostname()))
        self.assertEqual(g.run(*preview("a")).returncode, 0)


if __name__ == "__main__":
    unittest.main()
