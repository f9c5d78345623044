"""`pictory delete`, `resolve` and `resubmit` of many jobs: told first, done once, and safe to repeat."""

import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import tempfile
import unittest

import find_live  # noqa: F401
from live.gateway import gateway
from live.programs import BIN


def objects(text):
    return [json.loads(each) for each in text.splitlines()]


def ids(g, *filters):
    return set(g.run("list", "--all", "-o", "id", *filters).stdout.split())


def paid(g):
    return len([each for each in g.pages.accepted() if "aistudio" in each["path"]])


class Chosen(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = pathlib.Path(folder.name) / "films.jsonl"

    def submit(self, g, *prompts):
        lines = [json.dumps({"kind": "image", "body": {"prompt": each}}) + "\n" for each in prompts]
        self.file.write_text("".join(lines))
        return g.run("submit", self.file, "--watch", "--json")

    def test_jobs_are_deleted_once_it_is_said(self):
        with gateway() as g:
            self.submit(g, "A lake", "A hill", "sandbox-fail", "sandbox-fail two", "A sea")
            stuck = g.json("image", "--prompt", "sandbox-stuck")["jobId"]
            all_jobs = ids(g)
            dry = g.run("delete", "--state", "failed")
            self.assertEqual(dry.returncode, 0, dry.stderr)
            self.assertIn("Would delete 2 jobs (2 FAILED)", dry.stdout)
            self.assertIn("--yes", dry.stderr)
            self.assertEqual(ids(g), all_jobs, "nothing was done")

            done = g.run("delete", "--state", "failed", "--yes", "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(objects(done.stdout)[-1]["summary"],
                             {"jobs": 2, "deleted": 2, "gone": 0, "failed": [], "left": 0})
            self.assertEqual(len(ids(g)), len(all_jobs) - 2)
            again = g.run("delete", "--state", "failed", "--yes")
            self.assertEqual((again.returncode, again.stdout), (0, ""))

            self.assertEqual(g.run("delete", "--all", "--before", "1d").stdout, "", "none is so old")
            rest = g.run("delete", "--all", "--yes")
            self.assertEqual(rest.returncode, 0, rest.stderr)
            self.assertEqual(ids(g), {stuck}, "what has not ended stays")

    def asked(self, g, count):
        """`pictory delete --all` on a terminal, where it asks whether to delete so many; and the other end of that."""
        master, slave = pty.openpty()
        process = subprocess.Popen([BIN / "pictory", "delete", "--all"], stdin=slave, stdout=slave, stderr=slave,
                                   env=dict(g.env, PICTORY_GATEWAY=g.grpc), start_new_session=True)
        os.close(slave)
        said = b""
        while f"Type {count} to do it: ".encode() not in said:
            self.assertTrue(select.select([master], [], [], 60)[0], said)
            said += os.read(master, 4096)
        return process, master

    def test_a_person_types_the_number(self):
        with gateway() as g:
            self.submit(g, "A lake", "A hill")
            for typed, left in (("y", 2), ("1", 2), ("2", 0)):
                process, master = self.asked(g, 2)
                os.write(master, typed.encode() + b"\n")
                self.assertEqual(process.wait(timeout=60), 0)
                os.close(master)
                self.assertEqual(len(ids(g)), left, typed)

    def test_ctrl_c_at_the_question_does_nothing(self):
        with gateway() as g:
            self.submit(g, "A lake")
            process, master = self.asked(g, 1)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(timeout=60), 130)
            os.close(master)
            self.assertEqual(len(ids(g)), 1)

    def test_unconfirmed_jobs_are_given_up_together(self):
        with gateway() as g:
            g.pages.fault("reset", times=2)
            for n in range(2):
                g.run("image", "--prompt", f"A lake {n}", "--label", "batch=monday")
            g.pages.forget_faults()
            self.assertEqual(len(ids(g, "--state", "unconfirmed")), 2)
            look = g.run("resolve", "--label", "batch=monday")
            self.assertEqual(look.returncode, 0, look.stderr)
            self.assertEqual(len(re.findall("^job ", look.stdout, re.M)), 2, look.stdout)
            self.assertEqual(len(ids(g, "--state", "unconfirmed")), 2)
            dry = g.run("resolve", "--label", "batch=monday", "--abandon")
            self.assertIn("Would abandon 2 jobs", dry.stdout)
            done = g.run("resolve", "--label", "batch=monday", "--abandon", "--yes")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(len(ids(g, "--state", "outcome-unknown")), 2)
            self.assertEqual(g.run("resolve", "--all", "--abandon", "--yes").returncode, 0)

    def test_failed_lines_are_paid_for_once_more_and_no_more(self):
        with gateway(speed=4) as g:
            self.submit(g, "A lake", "sandbox-fail", "A hill", "sandbox-no-credits")
            self.assertEqual(paid(g), 4)
            dry = g.run("resubmit", self.file, "--json")
            self.assertEqual(dry.returncode, 0, dry.stderr)
            told = objects(dry.stdout)
            self.assertEqual([each["line"] for each in told[:-1]], [2, 4])
            self.assertEqual(told[-1]["summary"]["lines"], 2)
            self.assertEqual(paid(g), 4, "nothing was done")

            first = g.run("resubmit", self.file, "--yes", "--json")
            jobs = objects(first.stdout)
            self.assertEqual(jobs[-1]["summary"]["submitted"], 2, first.stdout + first.stderr)
            self.assertEqual([each["requestId"] for each in told[:-1]], sorted(
                (each["requestId"] for each in jobs[:-1]), key=[each["requestId"] for each in told[:-1]].index))
            self.assertEqual(paid(g), 6)
            # The new jobs are at work: there is nothing to submit, whoever asks.
            at_work = g.run("resubmit", self.file, "--yes", "--json")
            self.assertEqual(objects(at_work.stdout)[-1]["summary"]["lines"], 0, at_work.stdout)
            self.assertEqual(paid(g), 6)

            for each in jobs[:-1]:
                g.run("wait", each["job"]["jobId"])
            third = g.run("resubmit", self.file, "--yes", "--json")
            self.assertEqual(objects(third.stdout)[-1]["summary"]["submitted"], 2, third.stdout)
            self.assertEqual(paid(g), 8)
            # The file itself is as it was: nothing is new in it, and nothing gone.
            same = g.run("submit", self.file, "--json")
            self.assertEqual(objects(same.stdout)[-1]["summary"]["existing"], 4, same.stderr)
            self.file.write_text(self.file.read_text() + json.dumps({"kind": "image", "body": {"prompt": "A town"}}) + "\n")
            more = g.run("submit", self.file, "--json")
            self.assertEqual(objects(more.stdout)[-1]["summary"]["submitted"], 1, more.stderr)
            self.assertEqual(paid(g), 9)

    def test_two_at_once_pay_once(self):
        with gateway(speed=4) as g:
            self.submit(g, "sandbox-fail", "sandbox-fail two")
            both = [subprocess.Popen([BIN / "pictory", "resubmit", self.file, "--yes", "--json"], text=True,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                     env=dict(g.env, PICTORY_GATEWAY=g.grpc)) for _ in range(2)]
            for each in both:
                out, err = each.communicate(timeout=60)
                self.assertEqual(each.returncode, 0, out + err)
            self.assertEqual(paid(g), 4)

    def test_a_changed_line_cannot_be_submitted_again_by_the_file(self):
        with gateway() as g:
            self.submit(g, "sandbox-fail")
            failed = next(iter(ids(g)))
            self.file.write_text(json.dumps({"kind": "image", "body": {"prompt": "A lake"}}) + "\n")
            told = g.run("resubmit", self.file, "--yes")
            self.assertEqual(told.returncode, 0, told.stderr)
            self.assertIn(failed, told.stderr)
            self.assertIn("cannot be submitted again", told.stderr)
            self.assertEqual(paid(g), 1)


if __name__ == "__main__":
    unittest.main()
