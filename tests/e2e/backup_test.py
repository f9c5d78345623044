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
    def newest(self):
        return len(re.findall(r"^constexpr char kVersion\d+\[\]", SCHEMA.read_text(), re.M))

    def make_oldest(self, path, newer):
        """A store as the first version of the program made it, with the jobs of `newer`."""
        [sql] = re.findall(r'kVersion1\[\] = R"sql\((.*?)\)sql"', SCHEMA.read_text(), re.S)
        with contextlib.closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(sql)
            db.execute("ATTACH ? AS newer", (str(newer),))
            for table in ("store", "jobs", "labels"):
                columns = ", ".join(row[1] for row in db.execute(f"PRAGMA main.table_info({table})"))
                db.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newer.{table}")
            slices = db.execute("SELECT tenant, job_id, part, bytes FROM newer.parts ORDER BY slice").fetchall()
            whole = {}
            for *key, piece in slices:
                whole[tuple(key)] = whole.get(tuple(key), b"") + piece
            db.executemany("INSERT INTO main.parts (tenant, job_id, part, bytes) VALUES (?, ?, ?, ?)",
                           [(*key, content) for key, content in whole.items()])
            db.execute(f"PRAGMA application_id = {value(newer, 'PRAGMA application_id')}")
            db.execute("PRAGMA user_version = 1")
            db.commit()

    def test_the_store_of_the_first_version_is_brought_forward_with_its_jobs(self):
        g = self.gateway()
        done = g.json(*preview("done"), "--label", "team=a")["jobId"]
        self.succeeded(g, done)
        result = g.run("result", done).stdout
        self.assertTrue(result)
        running = g.json(*preview("sandbox-slow-one"))["jobId"]
        self.assertEqual(g.terminate()[0], 0)

        upgraded = self.elsewhere()
        self.make_oldest(store_of(upgraded) / "jobs.db", store_of(g) / "jobs.db")
        upgraded.start()
        self.assertEqual(upgraded.run("result", done).stdout, result)
        self.assertEqual(upgraded.json("list", "--label", "team=a")["jobId"], done)
        self.expect_once(upgraded, "done", done, "--label", "team=a")
        self.succeeded(upgraded, running)
        self.expect_once(upgraded, "sandbox-slow-one", running)
        self.assertEqual(upgraded.terminate()[0], 0)
        self.assertEqual(value(store_of(upgraded) / "jobs.db", "PRAGMA user_version"), self.newest())

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
