"""The main job: submit, watch, play; all four kinds; and what survives a kill."""

import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import threading
import unittest
import urllib.request

import find_live  # noqa: F401
from live.gateway import Gateway, gateway
from live.process import DEADLINE_SECONDS, wait_until
from live.programs import BIN

STORY = "One line for the scene. Another line for the next one."


class Story(unittest.TestCase):
    def test_from_text_to_a_playable_file(self):
        with gateway() as g, tempfile.TemporaryDirectory() as out:
            preview = g.json("preview", "--name", "story", "--text", STORY, "--wait")
            self.assertEqual(preview["state"], "JOB_STATE_SUCCEEDED")
            self.assertTrue(preview["preview"]["previewUrl"].startswith("http://127.0.0.1:"))
            render = g.json("render", preview["jobId"], "--wait")
            self.assertEqual(render["state"], "JOB_STATE_SUCCEEDED")
            file = pathlib.Path(out) / "video.mp4"
            done = g.run("result", render["jobId"], "--download", "-o", file)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(file.read_bytes()[4:8], b"ftyp")

    def test_a_preview_is_changed_and_rendered(self):
        with gateway() as g:
            preview = g.json("preview", "--name", "story", "--text", STORY, "--wait")
            params = json.loads(g.run("result", preview["jobId"], "--part", "render-params").stdout)
            [text] = [e for e in params["elements"] if e["id"] == "SceneText_0001"]
            changes = json.dumps([text | {"text": "These are other and many more words than there were before."}])
            changed = g.json("update-preview", preview["jobId"], "-", input=changes)
            self.assertEqual((changed["jobId"], changed["revision"]), (preview["jobId"], preview["revision"]))
            sent = g.pages.accepted()[-1]
            self.assertEqual(sent["path"], f"/v2/video/storyboard/{preview['pictoryJobId']}/elements")
            self.assertEqual(sent["body"], changes)
            render = g.json("render", preview["jobId"], "--wait")
            self.assertEqual(render["state"], "JOB_STATE_SUCCEEDED")
            # What is kept here was told when the preview ended.
            kept = json.loads(g.run("result", preview["jobId"], "--part", "render-params").stdout)
            self.assertEqual(kept, params)
            again = g.run("update-preview", render["jobId"], "-", "--json", input=changes)
            self.assertEqual(again.returncode, 5)
            self.assertIn("JOB_NOT_USABLE", again.stderr)

    def test_transcription_and_summary(self):
        with gateway() as g:
            job = g.json("transcribe", "https://media.example.com/talk.mp4", "--wait")
            self.assertEqual(job["state"], "JOB_STATE_SUCCEEDED")
            txt = g.run("result", job["jobId"], "--part", "txt").stdout
            self.assertGreater(len(txt.split()), 20)
            summary = g.json("summarize", job["jobId"], "--seconds", "20", "--wait")
            self.assertEqual(summary["state"], "JOB_STATE_SUCCEEDED")
            self.assertTrue(summary["summary"]["segments"])

    def test_a_storyboard_is_sent_byte_for_byte(self):
        body = ('{ "videoName":"bytes",\n "scenes":[{"story":"Hi.","minimumDuration":1.50}],'
                '"later":[18446744073709551616, 0.10000000000000001]}')
        with gateway() as g:
            job = g.json("preview", "-", "--wait", "--allow-unknown-fields", input=body)
            self.assertEqual(job["state"], "JOB_STATE_SUCCEEDED")
            entries = g.pages.accepted()
            self.assertEqual([entry["body"] for entry in entries], [body])

    def test_the_same_request_id_is_one_job_and_one_post(self):
        with gateway() as g:
            args = ("preview", "--name", "once", "--text", STORY, "--request-id", "r-1")
            first, second = g.json(*args), g.json(*args)
            self.assertEqual(first["jobId"], second["jobId"])
            other = g.run("preview", "--name", "other", "--text", STORY, "--request-id", "r-1")
            self.assertEqual(other.returncode, 5)
            self.assertIn(first["jobId"], other.stderr)
            self.assertEqual(len(g.pages.accepted()), 1)

    def test_a_failed_job_is_data(self):
        with gateway() as g:
            done = g.run("preview", "--name", "sandbox-fail", "--text", STORY, "--wait", "--json")
            self.assertEqual(done.returncode, 1, done.stderr)
            job = json.loads(done.stdout.strip().splitlines()[-1])
            self.assertEqual(job["state"], "JOB_STATE_FAILED")
            self.assertTrue(job["error"]["code"])


class OlderGeneration(unittest.TestCase):
    """The same story with an OAuth account and Pictory's v1 paths, which have bodies of their own."""

    BODY = {"videoName": "older", "videoDescription": "d", "language": "en",
            "audio": {"autoBackgroundMusic": "true"},
            "scenes": [{"text": STORY, "voiceOver": True, "splitTextOnPeriod": True}]}

    def test_from_text_to_a_playable_file(self):
        with gateway("--auth", "oauth", "--api-version", "v1") as g, \
                tempfile.TemporaryDirectory() as out:
            preview = g.json("preview", "-", "--wait", input=json.dumps(self.BODY))
            self.assertEqual(preview["state"], "JOB_STATE_SUCCEEDED")
            render = g.json("render", preview["jobId"], "--wait")
            self.assertEqual(render["state"], "JOB_STATE_SUCCEEDED")
            file = pathlib.Path(out) / "video.mp4"
            done = g.run("result", render["jobId"], "--download", "-o", file)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(file.read_bytes()[4:8], b"ftyp")
            paths = [entry["path"] for entry in g.pages.accepted()]
            self.assertEqual(paths, ["/v1/video/storyboard",
                                     f"/v1/video/render/{preview['pictoryJobId']}"])

    def test_transcription_and_summary(self):
        with gateway("--auth", "oauth", "--api-version", "v1") as g:
            job = g.json("transcribe", "https://media.example.com/talk.mp4", "--wait")
            self.assertEqual(job["state"], "JOB_STATE_SUCCEEDED")
            summary = g.json("summarize", job["jobId"], "--seconds", "20", "--wait")
            self.assertEqual(summary["state"], "JOB_STATE_SUCCEEDED")
            self.assertTrue(summary["summary"]["segments"])

    def test_both_mixed(self):
        with gateway("--api-version.summarize", "v1") as g:
            job = g.json("transcribe", "https://media.example.com/talk.mp4", "--wait")
            summary = g.json("summarize", job["jobId"], "--seconds", "20", "--wait")
            self.assertEqual(summary["state"], "JOB_STATE_SUCCEEDED")
            paths = [entry["path"] for entry in g.pages.accepted()]
            self.assertEqual(paths, ["/v2/transcription", "/v1/transcription/highlights"])


class Deleting(unittest.TestCase):
    def test_a_finished_job_goes_here_and_at_pictory_and_its_request_id_stays(self):
        with gateway() as g:
            args = ("preview", "--name", "gone", "--text", STORY, "--request-id", "r-9", "--wait")
            job = g.json(*args)
            deleted = g.run("delete", job["jobId"])
            self.assertEqual(deleted.returncode, 0, deleted.stderr)
            self.assertEqual(g.run("get", job["jobId"]).returncode, 3)
            methods = [e["method"] for e in g.pages.accepted()]
            self.assertEqual(methods, ["POST", "DELETE"])
            again = g.json(*args[:-1])
            self.assertEqual((again["jobId"], again["state"]), (job["jobId"], "JOB_STATE_CLEANED"))
            self.assertEqual(len(g.pages.accepted()), 2)


class Unconfirmed(unittest.TestCase):
    def test_a_lost_answer_is_resolved_by_a_person_and_never_paid_twice(self):
        with gateway() as g:
            g.pages.add_fault({"match": {"method": "POST"}, "times": 2, "fault": {"type": "reset"}})
            job = g.json("preview", "--name", "lost", "--text", STORY)
            self.assertEqual(job["state"], "JOB_STATE_UNCONFIRMED")
            listed = g.json("resolve", job["jobId"])
            [candidate] = listed["candidates"]
            waiting = subprocess.Popen([BIN / "pictory", "wait", job["jobId"]], text=True, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, env=dict(g.env, PICTORY_GATEWAY=g.grpc))
            self.assertIn("UNCONFIRMED", waiting.stderr.readline())
            adopted = g.run("resolve", job["jobId"], "--adopt", candidate["pictoryJobId"])
            self.assertEqual(adopted.returncode, 0, adopted.stderr)
            told, _ = waiting.communicate(timeout=DEADLINE_SECONDS)
            self.assertEqual(waiting.returncode, 0)
            self.assertIn("SUCCEEDED", told)
            other = g.json("preview", "--name", "lost-too", "--text", STORY)
            given_up = g.run("resolve", other["jobId"], "--abandon")
            self.assertEqual(given_up.returncode, 0, given_up.stderr)
            self.assertEqual(g.json("get", other["jobId"])["state"], "JOB_STATE_OUTCOME_UNKNOWN")
            self.assertEqual(len(g.pages.accepted()), 2)


class Unheard(unittest.TestCase):
    """Nobody pays for a job whose id nobody learns."""

    def preview(self, g, stdout, **kwargs):
        env = dict(g.env, PICTORY_GATEWAY=g.grpc)
        return subprocess.run([BIN / "pictory", "preview", "--name", "unheard", "--text", STORY], env=env,
                              stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=DEADLINE_SECONDS, **kwargs)

    def test_nothing_is_paid_where_standard_output_is_closed_or_full(self):
        read, write = os.pipe()
        os.close(read)
        with gateway() as g, open("/dev/full", "w") as full, open(write, "w") as left:
            for stdout, kwargs in ((full, {}), (left, {}), (None, {"preexec_fn": lambda: os.close(1)})):
                done = self.preview(g, stdout, **kwargs)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("nothing was submitted", done.stderr)
            self.assertEqual(g.pages.accepted(), [])

    def test_the_id_is_on_standard_error_where_the_reader_goes_in_the_middle(self):
        with gateway() as g:
            g.pages.add_fault({"match": {"method": "POST"}, "times": 1, "fault": {"type": "delay", "ms": 3000}})
            read, write = os.pipe()
            reader = threading.Thread(target=self.leave_once_asked, args=(g, read))
            reader.start()
            with open(write, "w") as stdout:
                done = self.preview(g, stdout)
            reader.join()
            self.assertEqual(done.returncode, 7, done.stderr)
            job = re.search(r"(?m)^job (\S+)$", done.stderr).group(1)
            self.assertEqual(g.json("wait", job)["state"], "JOB_STATE_SUCCEEDED")
            self.assertEqual(len(g.pages.accepted()), 1)

    @staticmethod
    def leave_once_asked(g, read):
        wait_until(lambda: g.pages.faults()[0]["hit"], "the submit")
        os.close(read)


class Restart(unittest.TestCase):
    def test_after_a_kill_unfinished_jobs_go_on_and_finished_ones_are_there(self):
        with tempfile.TemporaryDirectory() as state:
            g = Gateway(state)
            try:
                finished = g.json("preview", "--name", "a", "--text", STORY, "--wait")
                g.flags[g.flags.index("--sandbox-speed") + 1] = "2"
                running = g.json("render", finished["jobId"])
                self.assertNotEqual(running["state"], "JOB_STATE_SUCCEEDED")
                g.kill()
                g.start()
                self.assertEqual(g.json("get", finished["jobId"])["state"], "JOB_STATE_SUCCEEDED")
                watched = g.run("watch", finished["jobId"], "--json")
                self.assertEqual(watched.returncode, 0, watched.stderr)
                ended = g.json("wait", running["jobId"])
                self.assertEqual(ended["state"], "JOB_STATE_SUCCEEDED")
                jobs = g.run("list", "--json").stdout.strip().splitlines()
                self.assertEqual([json.loads(job)["name"] for job in jobs], ["a", "a"], "the video's, and that of its preview")
                self.assertRegex(g.run("list").stdout, r"(?m)^JOB .* NAME .*\n.* a$")
            finally:
                g.kill()

    def test_links_of_results_are_good_after_a_restart(self):
        with tempfile.TemporaryDirectory() as state:
            g = Gateway(state)
            try:
                link = g.json("preview", "--name", "a", "--text", STORY, "--wait")["preview"]["previewUrl"]
                code, _ = g.terminate()
                self.assertEqual(code, 0)
                g.start()
                with urllib.request.urlopen(link, timeout=DEADLINE_SECONDS) as answer:
                    self.assertEqual(answer.status, 200)
                # Somebody else has the port by the next start.
                port = int(link.split("/")[2].rsplit(":", 1)[1])
                g.kill()
                with socket.create_server(("127.0.0.1", port)):
                    g.start()
                    self.assertNotIn(f":{port}/", g.sandbox)
                    wait_until(lambda: re.search(f"sandbox_port_taken.*{port}", g.log.read_text()), "the log's line")
            finally:
                g.end()

    def test_sigterm_ends_in_order(self):
        with gateway() as g:
            g.json("preview", "--name", "a", "--text", STORY)
            code, seconds = g.terminate()
            self.assertEqual(code, 0, g.log.read_text())
            self.assertLess(seconds, 25)


class Admin(unittest.TestCase):
    def test_probes_and_metrics(self):
        with gateway() as g:
            self.assertEqual(g.fetch("/livez"), "ok\n")
            self.assertEqual(g.fetch("/readyz"), "ok\n")
            g.json("preview", "--name", "a", "--text", STORY, "--wait")
            text = g.fetch("/metrics")
            self.assertIn('pictory_gateway_submits_total{kind="PREVIEW",outcome="accepted"} 1', text)
            self.assertNotIn("pictai_", text)


if __name__ == "__main__":
    unittest.main()
