"""`pictory submit`: many jobs of one file, run again after whatever happened, and paid for once."""

import json
import pathlib
import signal
import subprocess
import tempfile
import unittest

import find_live  # noqa: F401
from live.gateway import gateway
from live.process import wait_until
from live.programs import BIN


def line(prompt, **more):
    return json.dumps({"kind": "image", "body": {"prompt": prompt}} | more)


def objects(text):
    return [json.loads(each) for each in text.splitlines()]


def summary(done):
    return objects(done.stdout)[-1]["summary"]


def paid(g):
    return len([each for each in g.pages.accepted() if "aistudio" in each["path"]])


class Batch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = pathlib.Path(folder.name) / "films.jsonl"

    def write(self, *lines):
        self.file.write_text("".join(each + "\n" for each in lines))
        return self.file

    def test_again_is_free_and_more_lines_go_on(self):
        with gateway() as g:
            lines = [line(f"Lake number {n}") for n in range(12)]
            first = g.run("submit", self.write(*lines), "--label", "run=7", "--json")
            self.assertEqual(first.returncode, 0, first.stderr)
            self.assertEqual((summary(first)["submitted"], summary(first)["existing"], paid(g)), (12, 0, 12))
            jobs = {each["line"]: each["job"] for each in objects(first.stdout)[:-1]}
            self.assertEqual(set(jobs), set(range(1, 13)))
            self.assertEqual(jobs[3]["labels"]["run"], "7")
            listed = g.run("list", "--label", "pictory-batch=" + jobs[3]["labels"]["pictory-batch"], "-o", "id")
            self.assertEqual(set(listed.stdout.split()), {job["jobId"] for job in jobs.values()})

            elsewhere = self.file.parent / "copy" / self.file.name
            elsewhere.parent.mkdir()
            elsewhere.write_text(self.file.read_text() + line("One more") + "\n")
            again = g.run("submit", elsewhere, "--label", "run=7", "--json")
            self.assertEqual((summary(again)["submitted"], summary(again)["existing"], paid(g)), (1, 12, 13))
            found = {each["line"]: each["job"]["jobId"] for each in objects(again.stdout)[:-1]}
            self.assertEqual(found | {number: job["jobId"] for number, job in jobs.items()}, found)

            text = g.run("submit", elsewhere, "--label", "run=7")
            self.assertIn("13 lines: 0 submitted, 13 there before", text.stdout)
            other = g.run("submit", elsewhere, "--label", "run=7", "--batch", "another", "--json")
            self.assertEqual((summary(other)["submitted"], paid(g)), (13, 26))

    def test_a_line_that_moved_is_the_same_job(self):
        with gateway() as g:
            lake, hill, town = line("A lake"), line("A hill"), line("A town")
            g.run("submit", self.write(lake, hill, lake))
            self.assertEqual(paid(g), 3)
            moved = g.run("submit", self.write(town, hill, "", lake, lake), "--json")
            self.assertEqual((summary(moved)["submitted"], summary(moved)["existing"], paid(g)), (1, 3, 4), moved.stderr)
            spelled = json.dumps(json.loads(lake), indent=None, separators=(" ,", " : "))
            again = g.run("submit", self.write(spelled, spelled, town, hill), "--json")
            self.assertEqual((summary(again)["existing"], paid(g)), (4, 4), again.stderr)
            fewer = g.run("submit", self.write(lake), "--json")
            self.assertEqual((fewer.returncode, summary(fewer)["existing"], paid(g)), (0, 1, 4), fewer.stderr)

    def test_a_changed_line_is_told_and_neither_sent_nor_skipped(self):
        with gateway() as g:
            g.run("submit", self.write(line("A lake"), line("A hill"), line("A town")))
            done = g.run("submit", self.write(line("A lake"), line("A mountain"), line("A town"), line("A sea")), "--json")
            self.assertEqual((done.returncode, done.stdout, paid(g)), (2, "", 3), done.stderr)
            error = json.loads(done.stderr.splitlines()[0])["error"]
            self.assertEqual(error["reason"], "LINES_CHANGED")
            self.assertIn("1 line that was submitted before is not in it as it was, and lines 2, 4 are new",
                          error["message"])
            self.assertIn("--changed", error["hint"])
            for other in (line("A hill", requestId="hill"), line("A hill", labels={"team": "news"})):
                own = g.run("submit", self.write(line("A lake"), other, line("A town")))
                self.assertEqual((own.returncode, paid(g)), (2, 3), own.stderr)
            changed = g.run("submit", self.write(line("A lake"), line("A valley")), "--changed", "--json")
            self.assertEqual((summary(changed)["submitted"], paid(g)), (1, 4), changed.stderr)

    def test_a_line_whose_job_failed_may_be_changed(self):
        with gateway() as g:
            done = g.run("submit", self.write(line("A lake"), line("sandbox-fail")), "--watch", "--json")
            self.assertEqual(done.returncode, 1, done.stderr)
            mended = g.run("submit", self.write(line("A lake"), line("A hill")), "--json")
            self.assertEqual((mended.returncode, summary(mended)["submitted"], paid(g)), (0, 1, 3), mended.stderr)

    def test_other_labels_are_refused(self):
        with gateway() as g:
            g.run("submit", self.write(line("A lake"), line("A hill")))
            done = g.run("submit", self.file, "--label", "team=news", "--json")
            self.assertEqual((done.returncode, summary(done)["failed"], paid(g)), (5, [1, 2], 2), done.stderr)
            error = json.loads(done.stderr.splitlines()[0])["error"]
            self.assertEqual(error["reason"], "REQUEST_ID_REUSED")
            self.assertIn("labels of the command", error["hint"])

    def test_nothing_is_sent_while_a_line_is_bad(self):
        with gateway() as g:
            self.write(line("A lake"), "{", line("A hill"), '{"kind":"film","body":{}}')
            done = g.run("submit", self.file)
            self.assertEqual((done.returncode, done.stdout, paid(g)), (2, "", 0))
            self.assertIn(f"{self.file}:2: column", done.stderr)
            self.assertIn(f"{self.file}:4: kind: one of preview, render", done.stderr)
            self.assertIn("Nothing was submitted, because of 2 bad lines", done.stderr)
            self.assertEqual(g.run("submit", self.file, "--check").returncode, 2)
            some = g.run("submit", self.file, "--keep-going", "--json")
            self.assertEqual((some.returncode, paid(g)), (2, 2))
            self.assertEqual((summary(some)["submitted"], summary(some)["malformed"]), (2, [2, 4]))
            good = g.run("submit", self.write(line("A lake")), "--check")
            self.assertEqual((good.returncode, good.stderr, paid(g)), (0, "1 line could be submitted.\n", 2))
            storyboard = self.file.parent / "storyboard.json"
            storyboard.write_text('{"videoName":"demo","scenes":[{"story":"Hello.","backgrond":{"type":"image"}}]}')
            self.write(line("A lake"), json.dumps({"kind": "preview", "body": json.loads(storyboard.read_text())}))
            for command in (("submit", self.file), ("submit", self.file, "--check"), ("preview", storyboard),
                            ("render", "--storyboard", storyboard)):
                misspelt = g.run(*command)
                self.assertEqual((misspelt.returncode, paid(g)), (5 if storyboard in command else 2, 2), misspelt.stderr)
                self.assertRegex(misspelt.stderr, r"scenes\[0\].backgrond: .*did you mean background\?")
            empty = g.run("submit", self.write(""))
            self.assertEqual((empty.returncode, empty.stdout), (2, ""))
            unnamed = g.run("submit", "-", input=line("A lake"))
            self.assertEqual(unnamed.returncode, 2)
            self.assertIn("--batch NAME", unnamed.stderr)

    def test_what_pictory_refuses_keeps_no_other_line_from_being_sent(self):
        with gateway() as g:
            self.write(line("A lake"), '{"kind":"render","request":{"previewJobId":"01hx2v00000000000000000000"}}',
                       line("A hill"))
            done = g.run("submit", self.file, "--watch", "--json")
            self.assertEqual(done.returncode, 3, done.stderr)
            self.assertEqual((summary(done)["submitted"], summary(done)["failed"]), (2, [2]))

    def test_killed_at_any_time_the_same_command_goes_on(self):
        with gateway("--requests-per-second", "60", "--burst", "1") as g:
            lines = [line(f"Lake number {n}") for n in range(40)]
            command = [BIN / "pictory", "submit", self.write(*lines), "--server", g.grpc, "--json", "--parallel", "4"]
            for end, signals in ((8, signal.SIGKILL), (20, signal.SIGINT), (30, signal.SIGKILL)):
                with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
                    wait_until(lambda: paid(g) >= end, "some lines to be paid for")
                    running.send_signal(signals)
                    out, err = running.communicate(timeout=60)
                if signals == signal.SIGINT:
                    told = objects(out)[-1]["summary"]
                    self.assertEqual(running.returncode, 6 if told["unknown"] else 130, err)
                    self.assertTrue(told["notSubmitted"], told)
                    self.assertIn("The same command goes on", err)
            done = g.run("submit", self.file, "--json", "--watch")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(summary(done)["submitted"] + summary(done)["existing"], 40)
            self.assertGreaterEqual(summary(done)["existing"], 30)
            self.assertEqual(paid(g), 40)
            ends = {each["jobId"]: each["state"] for each in objects(done.stdout) if "jobId" in each}
            known = [each["job"] for each in objects(done.stdout) if "line" in each]
            self.assertEqual(len(known), 40)
            for job in known:
                self.assertEqual(ends.get(job["jobId"], job["state"]), "JOB_STATE_SUCCEEDED")

    def test_limits_are_waited_for_and_a_stop_is_not(self):
        with gateway("--requests-per-second", "8", "--burst", "1") as g:
            done = g.run("submit", self.write(*[line(f"Lake number {n}") for n in range(16)]), "--json", "--parallel",
                         "16")
            self.assertEqual((done.returncode, summary(done)["submitted"]), (0, 16), done.stderr)
            (g.state / "jobs" / "stop-submits").touch()
            wait_until(lambda: g.json("usage")["submitsStopped"], "the stop")
            more = self.write(*[line(f"Hill number {n}") for n in range(20)])
            stopped = g.run("submit", more, "--batch", "hills", "--json", "--timeout", "2s", "--parallel", "2")
            self.assertEqual(stopped.returncode, 5, stopped.stderr)
            told = summary(stopped)
            self.assertLessEqual(len(told["failed"]), 2)
            self.assertEqual(len(told["failed"]) + len(told["notSubmitted"]), 20)
            self.assertEqual(paid(g), 16)

    def test_a_gateway_that_is_not_there_ends_it_at_once(self):
        done = subprocess.run([BIN / "pictory", "submit", self.write(line("A lake")), "--server", "127.0.0.1:1"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (5, ""))
        self.assertIn("cannot be reached", done.stderr)


if __name__ == "__main__":
    unittest.main()
