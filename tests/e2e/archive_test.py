"""Results outlive Pictory: the files of a finished job are kept by the gateway, whatever Pictory, the process or the disk
does meanwhile."""

import contextlib
import hashlib
import json
import os
import pathlib
import sqlite3
import subprocess
import unittest
import urllib.error
import urllib.request

import find_live  # noqa: F401
from live.process import MIB, wait_until
from live.rig import KEY, UNLIMITED, RigTest, restart
from full_disk_test import own_mounts

STORY = {"videoName": "tale", "scenes": [{"story": "One sentence."}]}
FILES = ["video.mp4", "thumbnail.jpg", "audio.mp3", "video.srt", "video.vtt", "video.txt"]
MEDIA = {"path_prefix": "/media/"}
OLD_MICROSECONDS = 31 * 24 * 3600 * 10**6  # a day more than finished jobs are kept


def fetch(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


class Archive(RigTest):
    def start(self, *flags, archive=None):
        self.archive = pathlib.Path(archive or self.folder.name) / "archive"
        self.archive.mkdir(exist_ok=True)
        self.flags = ["--archive-dir", self.archive, "--archive-min-free-mib", "0", *flags]
        self.g = self.rig.gateway(self.sandbox.url, *UNLIMITED, *self.flags)

    def adopted(self):
        """A finished render. It was submitted elsewhere, so that no test waits until it is polled."""
        theirs = self.sandbox.submit("/v2/video/storyboard/render", STORY, KEY["PICTORY_API_KEY"])
        job = wait_until(lambda: self.ended(theirs) and self.g.json("get", theirs), "the end of a render")
        self.assertEqual(job["state"], "JOB_STATE_SUCCEEDED")
        return job

    def render(self):
        """The id of a finished one, archived or not."""
        job = self.adopted()
        self.assertEqual([f["name"] for f in job["archive"]["files"]], FILES)
        return job["jobId"]

    def restart(self):
        """What is still to be fetched is tried at once then, and not when its time has come."""
        self.g.kill()
        self.g.start()

    def ended(self, theirs):
        request = urllib.request.Request(f"{self.sandbox.url}/v1/jobs/{theirs}",
                                         headers={"Authorization": KEY["PICTORY_API_KEY"], "User-Agent": "somebody/1"})
        return json.loads(fetch(request))["data"]["status"] == "completed"

    def files(self, job):
        return {f["name"]: f for f in self.g.json("get", job)["archive"]["files"]}

    def video(self, job):
        return self.files(job)["video.mp4"]

    def wait_archived(self, job):
        def archived():
            files = self.files(job)
            return all(f["state"] == "ARCHIVE_STATE_ARCHIVED" for f in files.values()) and files
        return wait_until(archived, f"the files of {job}")

    def wait_problem(self, job):
        return wait_until(lambda: self.video(job)["problem"], "a word of what is wrong")

    def download(self, job, *args):
        """The exit code, and the bytes."""
        to = pathlib.Path(self.folder.name) / "downloaded"
        done = self.g.run("result", job, "--download", "-o", to, *args)
        return done, to.read_bytes() if to.exists() else None

    def on_disk(self):
        return sorted(p.name for p in self.archive.rglob("*") if p.is_file() and p.name != "archive.lock")

    def clean(self, job):
        self.sandbox.ask("POST", "/sandbox/clean", {"job": self.g.json("get", job)["pictoryJobId"]})


class Outlive(Archive):
    def test_what_pictory_has_cleaned_is_fetched_from_the_gateway(self):
        self.start()
        job = self.render()
        files = self.wait_archived(job)
        result = self.g.json("get", job)["render"]
        videos, words = fetch(result["videoURL"]), fetch(result["srtFile"])
        for name, there in {"video.mp4": videos, "video.srt": words}.items():
            self.assertEqual(int(files[name]["bytes"]), len(there))
            self.assertEqual(files[name]["sha256"], hashlib.sha256(there).hexdigest())
        self.assertIn("archived    6 of 6 files", self.g.run("get", job).stdout)

        self.clean(job)
        with self.assertRaises(urllib.error.HTTPError):
            fetch(result["videoURL"])
        done, got = self.download(job)
        self.assertEqual((done.returncode, got), (0, videos), done.stderr)
        done, got = self.download(job, "--file", "video.srt")
        self.assertEqual((done.returncode, got), (0, words), done.stderr)
        done = self.g.run("result", job, "--download", "--file", "../etc/passwd")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("there are: video.mp4, thumbnail.jpg", done.stderr)

        self.assertEqual(self.g.metric("archive_files_total", result="archived"), 6)
        self.assertEqual(self.g.metric("archive_bytes"), sum(int(f["bytes"]) for f in files.values()))
        self.assertEqual(self.g.metric("archive_tenant_bytes", tenant="default"), self.g.metric("archive_bytes"))
        self.assertEqual(self.g.log.read_text().count('"event":"job_archived"'), 1)

    def test_a_deleted_job_leaves_no_file(self):
        self.start()
        job, other = self.render(), self.render()
        self.wait_archived(job), self.wait_archived(other)
        self.assertEqual(self.on_disk(), sorted(FILES * 2))
        self.assertEqual(self.g.run("delete", job).returncode, 0)
        self.assertEqual(self.on_disk(), sorted(FILES))
        self.assertEqual(self.g.run("result", job, "--download").returncode, 3)
        self.assertEqual(self.download(other)[0].returncode, 0)

    def test_what_is_deleted_without_the_flag_goes_at_the_next_start_with_it(self):
        self.start()
        job, other = self.render(), self.render()
        self.wait_archived(job), self.wait_archived(other)
        self.g.kill()
        archiving = self.g.flags
        restart(self.g, *archiving[:-len(self.flags)])
        self.assertEqual(self.g.run("delete", job).returncode, 0)
        self.assertEqual(self.on_disk(), sorted(FILES * 2))
        self.g.kill()
        restart(self.g, *archiving)
        wait_until(lambda: self.on_disk() == sorted(FILES), "the end of its files")
        self.assertEqual(self.download(other)[0].returncode, 0)

    def test_a_tenant_that_has_had_its_share_waits(self):
        """The tenant `default` has room for no file."""
        tenants = pathlib.Path(self.folder.name) / "tenants.toml"
        tenants.write_text("[tenants.default]\n[tenants.default.limits]\narchive_bytes = 10\n")
        self.start("--tenants", tenants)
        job = self.render()
        self.assertIn("share of the archive is full: it may have 10 bytes (archive_bytes)", self.wait_problem(job))
        self.assertEqual(self.g.json("get", job)["state"], "JOB_STATE_SUCCEEDED")
        self.assertEqual(self.g.metric("archive_bytes"), 0)

    def test_without_the_flag_nothing_is_kept(self):
        self.g = self.rig.gateway(self.sandbox.url, *UNLIMITED)
        self.assertNotIn("archive", {k: v for k, v in self.adopted().items() if v})


class TakenOver(Archive):
    """A submit without an answer turns out to be a job that was adopted and archived, and Pictory's files are gone."""

    def resolve(self, before=lambda job: None):
        preview = self.g.json("preview", "--name", "tale", "--text", "One sentence.", "--wait")
        self.sandbox.fault("reset", times=1, match={"path_prefix": "/v2/video/render"})
        job = self.g.json("render", preview["jobId"])
        self.assertEqual(job["state"], "JOB_STATE_UNCONFIRMED", job)
        [candidate] = self.g.json("resolve", job["jobId"])["candidates"]
        theirs = candidate["pictoryJobId"]
        adopted = wait_until(lambda: self.g.json("get", theirs)["state"] == "JOB_STATE_SUCCEEDED"
                             and self.g.json("get", theirs), "the end of the render")
        self.assertNotEqual(adopted["jobId"], job["jobId"])
        files = self.wait_archived(adopted["jobId"])
        self.clean(adopted["jobId"])
        before(job["jobId"])
        self.assertEqual(self.g.run("resolve", job["jobId"], "--adopt", theirs).returncode, 0)
        return adopted["jobId"], job["jobId"], files

    def check(self, adopted, job, files):
        for name in (adopted, job):
            self.assertEqual(self.files(name), files)
            self.assertEqual(hashlib.sha256(self.download(name)[1]).hexdigest(), files["video.mp4"]["sha256"])
        wait_until(lambda: not self.g.json("get", job)["archive"].get("takenOver"), "the files under the job's own name")
        self.assertEqual([f.name for f in (self.archive / "default").iterdir()], [job])
        self.assertEqual(self.on_disk(), sorted(FILES))
        self.assertEqual(self.download(job)[0].returncode, 0)
        self.assertEqual(self.g.run("delete", job).returncode, 0)
        self.assertEqual(self.on_disk(), [])

    def test_its_files_stay_with_it(self):
        self.start()
        self.check(*self.resolve())

    def kept_apart(self):
        """The same, and one file at least stays under the other's name until what stands in the way is removed."""
        found = self.resolve(lambda job: (self.archive / "default" / job / "video.txt").mkdir(parents=True))
        adopted, job, _ = found
        wait_until(lambda: '"event":"not_renamed"' in self.g.log.read_text(), "the attempt to rename")
        self.assertEqual(self.g.json("get", job)["archive"]["takenOver"], [adopted])
        return found

    def test_the_files_under_its_other_name_go_when_it_is_old_enough_to_be_forgotten(self):
        self.start()
        adopted, job, _ = self.kept_apart()
        kept = self.render()
        self.wait_archived(kept)
        self.g.terminate()
        self.assertTrue((self.archive / "default" / adopted / "video.txt").exists())
        # Only its end is long ago. The names say when jobs were made, so no start takes these for what nobody knows.
        with contextlib.closing(sqlite3.connect(self.g.state / "jobs" / "pictory" / "jobs.db")) as db, db:
            old = db.execute("UPDATE jobs SET finish_time = finish_time - ? WHERE job_id = ?", (OLD_MICROSECONDS, job))
            self.assertEqual(old.rowcount, 1)
        self.g.start()
        folder = self.archive / "default"
        wait_until(lambda: [f.name for f in folder.iterdir()] == [kept], "the end of the files under both names")
        for name in job, adopted:
            self.assertEqual(self.g.run("get", name).returncode, 3)
        self.assertEqual(self.on_disk(), sorted(FILES))
        self.assertEqual(self.download(kept)[0].returncode, 0)

    def test_a_kill_in_between_loses_none(self):
        self.start()
        adopted, job, files = self.kept_apart()
        self.assertEqual(self.download(job)[0].returncode, 0)
        self.g.kill()
        self.assertTrue((self.archive / "default" / adopted / "video.txt").exists())
        (self.archive / "default" / job / "video.txt").rmdir()
        self.g.start()
        self.check(adopted, job, files)


class Broken(Archive):
    def test_a_kill_in_the_middle_goes_on_where_it_was(self):
        self.start()
        self.sandbox.fault("trickle", times=1, match=MEDIA, bytes=200, interval_ms=100)
        job = self.render()

        def part():
            parts = list(self.archive.rglob(".video.mp4.part"))
            return parts and parts[0].stat().st_size > 500 and parts[0].stat().st_size
        had = wait_until(part, "the first bytes")
        self.g.kill()
        self.assertEqual(self.sandbox.stats()["media"], {"whole": 1, "part": 0})
        self.g.start()
        files = self.wait_archived(job)
        whole = fetch(self.g.json("get", job)["render"]["videoURL"])
        self.assertLess(had, len(whole))
        self.assertEqual(files["video.mp4"]["sha256"], hashlib.sha256(whole).hexdigest())
        self.assertEqual(self.download(job)[1], whole)
        self.assertEqual(self.sandbox.stats()["media"], {"whole": len(FILES) + 1, "part": 1})
        self.assertEqual(self.on_disk(), sorted(FILES))

    def test_a_server_that_breaks_off_costs_the_job_nothing(self):
        self.start()
        self.sandbox.fault("reset", times=1, match=MEDIA, after_bytes=3000)
        job = self.render()
        self.assertIn("The fetch broke off", self.wait_problem(job))
        self.assertIn("video.mp4: to be fetched; The fetch broke off", self.g.run("get", job).stdout)
        self.wait_archived(job)
        self.assertEqual(self.sandbox.stats()["media"]["part"], 1)

    def test_a_link_whose_time_is_over_is_asked_for_anew_once(self):
        self.start()
        self.sandbox.fault("status", match=MEDIA, status=403)
        job = self.render()
        self.assertIn("HTTP 403", self.wait_problem(job))
        self.assertEqual(self.video(job)["refusals"], 1)
        looks = self.polls()
        self.restart()
        wait_until(lambda: self.video(job)["refusals"] == 2, "the next attempt")
        self.assertEqual(self.polls(), looks)
        self.sandbox.forget_faults()
        self.restart()
        self.wait_archived(job)

    def polls(self):
        return sum(count for asked, count in self.sandbox.stats()["requests"].items() if asked.startswith("GET /v1/jobs/"))

    def test_a_file_that_is_too_long_is_given_up(self):
        self.start("--archive-max-file-mib", "1")
        self.sandbox.fault("huge_body", match=MEDIA, bytes=MIB + 1)
        job = self.render()
        wait_until(lambda: self.video(job)["state"] == "ARCHIVE_STATE_FAILED", "the end of it")
        self.assertIn("--archive-max-file-mib", self.video(job)["problem"])
        self.assertEqual(self.on_disk(), [])

    def test_a_full_archive_leaves_the_job_succeeded_and_says_why(self):
        self.start("--archive-max-mib", "1")
        self.sandbox.fault("huge_body", match=MEDIA, bytes=MIB + 1)
        job = self.render()
        self.assertIn("The archive is full: it may have 1 MiB", self.wait_problem(job))
        self.assertEqual(self.g.json("get", job)["state"], "JOB_STATE_SUCCEEDED")
        self.sandbox.forget_faults()
        self.restart()
        self.wait_archived(job)


    def test_a_disk_that_does_not_answer_does_not_hold_up_the_end(self):
        self.start()
        self.sandbox.fault("status", match=MEDIA, status=503)
        job = self.render()
        self.wait_problem(job)
        # Who opens it waits for a writer that never comes.
        os.mkfifo(self.archive / "default" / job / "video.mp4")
        self.restart()
        wait_until(lambda: any("wait_for_partner" in (task / "wchan").read_text()
                               for task in pathlib.Path(f"/proc/{self.g.process.pid}/task").iterdir()),
                   "a thread that waits for the disk")
        self.g.terminate()
        self.assertEqual(self.g.process.returncode, 0)
        self.assertIn('"event":"archive_held_up"', self.g.log.read_text())
        self.assertIn('"event":"stopped"', self.g.log.read_text())

    def test_callers_learn_nothing_of_our_paths(self):
        self.start()
        self.sandbox.fault("status", match=MEDIA, status=503)
        job = self.render()
        self.wait_problem(job)
        (self.archive / "default" / job / "video.mp4").mkdir()
        self.restart()
        wait_until(lambda: "its log says why" in self.video(job)["problem"], "the disk's trouble")
        self.assertNotIn(str(self.archive), self.g.run("get", job, "--json").stdout)
        self.assertIn(f'Cannot read {self.archive}/default/{job}/video.mp4', self.g.log.read_text())


class SmallDisk(Archive):
    def test_a_full_disk_leaves_the_job_succeeded_and_says_why(self):
        disk = pathlib.Path(self.folder.name) / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "archive-test", disk], check=True)
        self.addCleanup(lambda: (self.rig.exits.close(), subprocess.run(["umount", disk], check=True)))
        self.start(archive=disk)
        filler = disk / "filler"
        with open(filler, "wb", buffering=0) as out:
            try:
                while out.write(bytes(4096)):
                    pass
            except OSError:
                pass
        job = self.render()
        self.assertRegex(self.wait_problem(job), "room|full|No space")
        self.assertEqual(self.g.json("get", job)["state"], "JOB_STATE_SUCCEEDED")
        self.assertTrue(self.g.is_ready())
        filler.unlink()
        self.restart()
        self.wait_archived(job)


class Start(Archive):
    def refused(self, directory, code=2):
        g = self.rig.gateway(self.sandbox.url, "--archive-dir", directory, start=False)
        with self.assertRaisesRegex(AssertionError, "did not start"):
            g.start()
        self.assertEqual(g.process.returncode, code)
        self.assertNotEqual("store_open" in g.log.read_text(), code == 2)
        return g.log.read_text()

    def test_a_directory_that_cannot_serve_is_told_at_once(self):
        folder = pathlib.Path(self.folder.name)
        self.assertIn("does not exist; make the directory", self.refused(folder / "none"))
        (folder / "file").write_text("")
        self.assertIn("is no directory", self.refused(folder / "file"))
        open_to_all = folder / "open"
        open_to_all.mkdir()
        open_to_all.chmod(0o777)
        self.assertIn("can be written by everybody", self.refused(open_to_all))
        self.start()
        self.assertIn("another gateway uses", self.refused(self.archive, code=1))

    def test_no_room_keeps_nobody_from_serving(self):
        self.start("--archive-max-mib", "1")
        (self.archive / "default" / "j1").mkdir(parents=True)
        (self.archive / "default" / "j1" / "video.mp4").write_bytes(bytes(MIB + 1))
        self.restart()
        wait_until(lambda: '"event":"archive_full"' in self.g.log.read_text(), "what it has counted")
        self.assertTrue(self.g.is_ready())


if __name__ == "__main__":
    why_not = own_mounts()
    if why_not:
        SmallDisk = unittest.skip(why_not)(SmallDisk)
    unittest.main()
