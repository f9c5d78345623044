"""The example clients, run as their users run them, against the real gateway and its sandbox.

    interop_test.py LANGUAGE     (tests/interop/run sets them up first)
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support" / "python"))
from live.gateway import Gateway, gateway  # noqa: E402
from live.process import DEADLINE_SECONDS  # noqa: E402

EXAMPLES = ROOT / "build" / "interop" / "client" / "examples"
# How each README says the story is run.
COMMANDS = {
    "python": ["env", "PYTHONPATH=build", ".venv/bin/python", "story.py"],
    "node": ["node", "story.js"],
}


def journal(g):
    return g.pages.accepted()


class Example:
    """What holds in every language. Subclasses say which."""

    language = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = pathlib.Path(folder.name) / "out"

    def start(self, g, *args):
        env = dict(g.env, PICTORY_GATEWAY=g.grpc)
        process = subprocess.Popen([*COMMANDS[self.language], *map(str, args)], env=env, text=True,
                                   cwd=EXAMPLES / self.language, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def story(self, g, *args):
        """Exit code, stdout, stderr."""
        process = self.start(g, *args, "--out", self.out)
        out, err = process.communicate(timeout=DEADLINE_SECONDS)
        return process.returncode, out, err

    def assert_whole(self, out):
        self.assertEqual(len(re.findall(r"^\S+  SUCCEEDED", out, re.M)), 4, out)
        video = (self.out / "video.mp4").read_bytes()
        self.assertEqual(video[4:8], b"ftyp")
        self.assertIn(b"moov", video)
        self.assertRegex((self.out / "talk.srt").read_text(), r"^1\n\d\d:\d\d:\d\d,\d{3} --> \d\d:")
        self.assertRegex(out, r"(?m)^summary of \d+ s: \w+")
        self.assertEqual([f for f in os.listdir(self.out) if f.endswith(".part")], [])

    def test_the_whole_story_is_paid_once(self):
        with gateway() as g:
            for _ in range(2):
                code, out, err = self.story(g, "--order", "o-1")
                self.assertEqual((code, err), (0, ""), out)
                self.assert_whole(out)
                self.assertEqual(len(journal(g)), 4)

    def test_a_picture_and_a_clip_that_begins_with_it(self):
        with gateway() as g:
            for _ in range(2):
                code, out, err = self.story(g, "--order", "o-2", "--prompt", "A calm sea")
                self.assertEqual((code, err), (0, ""), out)
                self.assertEqual((self.out / "picture.jpg").read_bytes()[:3], b"\xff\xd8\xff")
                self.assertEqual((self.out / "clip.mp4").read_bytes()[4:8], b"ftyp")
                self.assertEqual(len(journal(g)), 6)
            picture, clip = [json.loads(entry["body"]) for entry in journal(g)[4:]]
            self.assertIn("/image.jpg", clip["firstFrameImageUrl"])
            self.assertEqual(picture["prompt"], clip["prompt"])

    def test_an_unknown_job(self):
        with gateway() as g:
            code, _, err = self.story(g, "--watch", "no-such-job")
            self.assertEqual(code, 3, err)
            for words in ("NOT_FOUND: No job no-such-job", "reason: JOB_NOT_FOUND", "what to do: check"):
                self.assertIn(words, err)

    def test_a_wrong_request_names_its_fields(self):
        with gateway() as g:
            code, _, err = self.story(g, "--name", "a/b")
            self.assertEqual(code, 5, err)
            self.assertRegex(err, r"field storyboard\.video_?[nN]ame: ")
            self.assertIn("what to do: correct the request", err)
            self.assertEqual(journal(g), [])

    def test_a_documented_body_and_a_misspelt_key_in_it(self):
        body = {"videoName": "pasted", "aspectRatio": "1:1", "scenes": [{"story": "Hello there."}]}
        file = self.out.parent / "body.json"
        with gateway() as g:
            file.write_text(json.dumps(body))
            code, out, err = self.story(g, "--storyboard", file)
            self.assertEqual(code, 0, err)
            self.assertEqual(journal(g)[0]["body"], json.dumps(body))
            file.write_text(json.dumps(body).replace("Ratio", "Ratoi"))
            code, _, err = self.story(g, "--storyboard", file)
            self.assertEqual(code, 5, err)
            self.assertRegex(err, r'aspectRatoi.*did you mean.*aspectRatio')
            self.assertEqual(len(journal(g)), 4)
            code, _, err = self.story(g, "--storyboard", "/no/such/file")
            self.assertEqual(code, 2, err)
            self.assertIn("/no/such/file", err)

    def test_a_failed_job_is_data(self):
        with gateway() as g:
            code, out, err = self.story(g, "--name", "sandbox-fail")
            self.assertEqual(code, 1, err)
            self.assertIn("  FAILED", out)
            self.assertIn("TEXT_TO_VIDEO_FAILED", err)

    def test_an_unconfirmed_job_is_never_resubmitted(self):
        with gateway() as g:
            g.pages.fault("status", status=503)
            for _ in range(2):
                code, out, err = self.story(g, "--order", "o-2")
                self.assertEqual(code, 6, err)
                self.assertIn("UNCONFIRMED", out)
                self.assertIn("Do not submit it again", err)
                self.assertEqual([rule["hit"] for rule in g.pages.faults()], [1])

    def test_a_refusal_that_says_when_to_come_back(self):
        with gateway() as g:
            g.pages.fault("status", times=1, status=429, retry_after="1")
            code, out, err = self.story(g)
            self.assertEqual(code, 0, err)
            self.assertEqual(len(journal(g)), 4)

    def test_a_watch_does_not_believe_in_a_silent_stream(self):
        with gateway() as g:
            job = g.json("preview", "--name", "sandbox-stuck", "--text", "Hi.")
            out = self.snippet(g, self.silent_watch.replace("JOB", job["jobId"]))
            # Twice nothing came for 0.3 s, and each time the watch went on.
            self.assertEqual(out.split().count("reconnect"), 2, out)

    def test_a_broken_connection_is_no_answer_whatever_a_proxy_calls_it(self):
        script = (ROOT / "tests" / "interop" / f"broken.{self.suffix}").read_text()
        done = subprocess.run([*COMMANDS[self.language][:-1], *self.evaluate, script], text=True,
                              cwd=EXAMPLES / self.language, capture_output=True, timeout=DEADLINE_SECONDS,
                              env=dict(os.environ, GRPC_VERBOSITY="ERROR"))  # or it tells of each GOAWAY
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        *cases, refused, unending = map(json.loads, done.stdout.splitlines())
        self.assertEqual(len(cases), 11)
        for case in cases:
            code = case["code"]
            broken = case["domain"] != "pictory-gateway" and code in (
                "UNAVAILABLE", "INTERNAL", "UNKNOWN", "CANCELLED", "DEADLINE_EXCEEDED")
            expected = {
                "code": code, "domain": case["domain"], "ids": ["r"],
                # The stream broke twice in the middle and twice before its first word.
                "watch": [1, 2, 3] if broken else code,
                "submit": "j" if broken else code, "submits": 3 if broken else 1,
                "part": "0123456789" if broken else code, "offsets": [0, 4, 8] if broken else [0],
                "get": code, "gets": 5 if broken else 1,  # for ever: five attempts
            }
            self.assertEqual(case, expected)
        self.assertIn("paid for twice", refused["refused"])
        self.assertEqual(refused["submits"], 0)
        self.assertEqual(unending, {"end": "INTERNAL", "again": True})

    def test_interrupted(self):
        with gateway() as g:
            process = self.start(g, "--name", "sandbox-stuck", "--out", self.out)
            line = next(line for line in process.stdout if "  RUNNING" in line or "  QUEUED" in line)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=DEADLINE_SECONDS)
            self.assertEqual(process.returncode, 130, err)
            self.assertIn("the jobs go on", err)
            self.assertNotIn(g.json("get", line.split()[0])["state"], ("JOB_STATE_FAILED", "JOB_STATE_CLEANED"))

    def snippet(self, g, code):
        """What a piece of code beside the example prints."""
        done = subprocess.run([*COMMANDS[self.language][:-1], *self.evaluate, code], text=True,
                              cwd=EXAMPLES / self.language, env=dict(g.env, PICTORY_GATEWAY=g.grpc),
                              capture_output=True, timeout=DEADLINE_SECONDS)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_nobody_listens(self):
        with gateway() as g:
            g.kill()
            code, _, err = self.story(g)
            self.assertEqual(code, 5, err)
            self.assertIn("UNAVAILABLE", err)
            self.assertIn("check PICTORY_GATEWAY", err)

    def test_a_watch_survives_a_killed_gateway(self):
        self.restart_in_the_middle(Gateway.kill)

    def test_a_watch_survives_a_gateway_that_shuts_down(self):
        self.restart_in_the_middle(Gateway.terminate)

    def restart_in_the_middle(self, stop):
        with gateway(speed=4) as g:
            process = self.start(g, "--out", self.out)
            errors = []
            reader = threading.Thread(target=lambda: errors.append(process.stderr.read()))
            reader.start()
            watchdog = threading.Timer(DEADLINE_SECONDS, process.kill)
            watchdog.start()
            try:
                lines = []
                for line in process.stdout:
                    lines.append(line)
                    # The render is under way: the second job that runs.
                    running = {li.split()[0] for li in lines if "  RUNNING" in li}
                    if stop and len(running) == 2:
                        stop(g)
                        g.listen = g.grpc  # the same port
                        g.start()
                        stop = None
                code = process.wait()
                reader.join()
            finally:
                watchdog.cancel()
            out = "".join(lines)
            self.assertIsNone(stop, out)
            self.assertEqual((code, errors), (0, [""]), out)
            self.assertIn("connection lost", out)
            self.assert_whole(out)
            self.assertEqual(len(journal(g)), 4)


class Python(Example, unittest.TestCase):
    language = "python"
    suffix = "py"
    evaluate = ["-c"]
    silent_watch = """
import sys
import pictory_jobs
lost = []
def on_reconnect(error):
    print("reconnect", flush=True)
    lost.append(error)
    if len(lost) == 2:
        sys.exit()
channel, stub = pictory_jobs.connect()
for job in pictory_jobs.watch(stub, "JOB", silence=0.3, on_reconnect=on_reconnect):
    print(job.revision)
"""


class Node(Example, unittest.TestCase):
    language = "node"
    suffix = "js"
    evaluate = ["--input-type=module", "--eval"]
    silent_watch = """
        import {connect, watch} from './pictory_jobs.js';
        let lost = 0;
        const onReconnect = () => {
          console.log('reconnect');
          if (++lost === 2) process.exit();
        };
        for await (const job of watch(connect(), 'JOB', {silenceMs: 300, onReconnect})) {
          console.log(job.revision);
        }"""

    def test_a_misspelt_typed_field_is_dropped_by_the_loader_as_the_readme_warns(self):
        script = """
            import {call, connect} from './pictory_jobs.js';
            const client = connect();
            const storyboard = {videoName: 'a', scenes: [{story: 'Hi.'}], aspectRatoi: '1:1'};
            await call(client, 'createPreview', {requestId: 'typed', storyboard});
            try {
              await call(client, 'createPreview', {requestId: 'text', storyboardJson: JSON.stringify(storyboard)});
            } catch (error) {
              console.log(error.details);
            }
            client.close();"""
        with gateway() as g:
            out = self.snippet(g, script)
            self.assertEqual([json.loads(entry["body"]) for entry in journal(g)],
                             [{"videoName": "a", "scenes": [{"story": "Hi."}]}])
            self.assertRegex(out, "aspectRatoi.*did you mean.*aspectRatio")


if __name__ == "__main__":
    # A shell lets its background jobs ignore it, and they would hand that down to the examples.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    suite = unittest.TestSuite()
    for example in (Python, Node):
        if example.language in sys.argv[1:]:
            suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(example))
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    sys.exit(not (result.testsRun and result.wasSuccessful()))
