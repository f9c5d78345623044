"""The packages for Python and Node where they must decide what an error means, in the environments of their examples.

    interop_test.py LANGUAGE     (tests/interop/run sets them up first)
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support" / "python"))
from live.gateway import gateway  # noqa: E402
from live.process import DEADLINE_SECONDS  # noqa: E402

EXAMPLES = ROOT / "build" / "interop" / "client" / "examples"


def journal(g):
    return g.pages.accepted()


class Package:
    """What holds in both languages. Subclasses say which."""

    language = None

    def test_a_refusal_that_says_when_to_come_back(self):
        with gateway() as g:
            g.pages.fault("status", times=1, status=429, retry_after="1")
            self.assertEqual(self.snippet(g, self.submit).split(), ["JOB_KIND_TRANSCRIPTION"])
            self.assertEqual(len(journal(g)), 1)

    def test_a_watch_does_not_believe_in_a_silent_stream(self):
        with gateway() as g:
            job = g.json("preview", "--name", "sandbox-stuck", "--text", "Hi.")
            out = self.snippet(g, self.silent_watch.replace("JOB", job["jobId"]))
            # Twice nothing came for 0.3 s, and each time the watch went on.
            self.assertEqual(out.split().count("reconnect"), 2, out)

    def test_a_broken_connection_is_no_answer_whatever_a_proxy_calls_it(self):
        script = (ROOT / "tests" / "interop" / f"broken.{self.suffix}").read_text()
        done = subprocess.run([*self.evaluate, script], text=True,
                              cwd=EXAMPLES / self.language, capture_output=True, timeout=DEADLINE_SECONDS,
                              env=dict(os.environ, GRPC_VERBOSITY="NONE"))  # or it tells of each GOAWAY
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
                "get": code, "gets": 5 if code in ("UNAVAILABLE", "INTERNAL") else 1,  # the service config's attempts
            }
            self.assertEqual(case, expected)
        self.assertIn("paid for twice", refused["refused"])
        self.assertEqual(refused["submits"], 0)
        self.assertEqual(unending, {"end": "INTERNAL", "again": True})

    def test_a_disk_that_takes_a_part_of_the_last_piece_leaves_no_file_that_looks_whole(self):
        with gateway() as g, tempfile.TemporaryDirectory() as folder:
            job = g.json("transcribe", "https://media.example.com/a.mp4", "--wait")["jobId"]
            path = pathlib.Path(folder) / "talk.json"
            code = self.read_part.replace("JOB", job).replace("PATH", str(path))
            self.assertEqual(self.snippet(g, code).split(), ["whole"])
            size = path.stat().st_size
            path.unlink()
            # The system call that writes takes all bytes but one, and says so.
            out = self.snippet(g, code, "prlimit", f"--fsize={size - 1}")
            self.assertEqual((out.split(), path.exists()), (["refused"], False))

    def snippet(self, g, code, *wrapper):
        """What a piece of code beside the example prints."""
        done = subprocess.run([*wrapper, *self.evaluate, code], text=True,
                              cwd=EXAMPLES / self.language, env=dict(g.env, PICTORY_GATEWAY=g.grpc),
                              capture_output=True, timeout=DEADLINE_SECONDS)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_nobody_listens(self):
        with gateway() as g:
            g.kill()
            out = self.snippet(g, self.nobody)
            self.assertRegex(out, "^(UNAVAILABLE|DEADLINE_EXCEEDED)")
            self.assertIn("check PICTORY_GATEWAY", out)


class Python(Package, unittest.TestCase):
    language = "python"
    suffix = "py"
    evaluate = [".venv/bin/python", "-c"]
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
    submit = """
import pictory_jobs
from pictory.jobs.v1 import job_pb2
from pictory.jobs.v1 import pictory_jobs_pb2 as api
channel, stub = pictory_jobs.connect()
request = api.TranscribeRequest(request_id="r", file_url="https://media.example.com/a.mp4")
print(job_pb2.JobKind.Name(pictory_jobs.call(stub.Transcribe, request).job.kind))
"""
    read_part = """
import pictory_jobs
from pictory.jobs.v1 import job_pb2
channel, stub = pictory_jobs.connect()
try:
    pictory_jobs.read_part(stub, "JOB", job_pb2.RESULT_PART_TRANSCRIPT_JSON, "PATH")
    print("whole")
except OSError:
    print("refused")
"""
    nobody = """
import grpc
import pictory_jobs
from pictory.jobs.v1 import pictory_jobs_pb2 as api
channel, stub = pictory_jobs.connect()
try:
    pictory_jobs.call(stub.GetJob, api.GetJobRequest(job_id="j"), seconds=0.5)
except grpc.RpcError as error:
    print(pictory_jobs.explain(error))
"""


class Node(Package, unittest.TestCase):
    language = "node"
    suffix = "js"
    evaluate = ["node", "--input-type=module", "--eval"]
    silent_watch = """
        import {connect, watch} from 'pictory-jobs';
        let lost = 0;
        const onReconnect = () => {
          console.log('reconnect');
          if (++lost === 2) process.exit();
        };
        for await (const job of watch(connect(), 'JOB', {silenceMs: 300, onReconnect})) {
          console.log(job.revision);
        }"""
    submit = """
        import {call, connect} from 'pictory-jobs';
        const client = connect();
        const request = {requestId: 'r', fileUrl: 'https://media.example.com/a.mp4'};
        console.log((await call(client, 'transcribe', request)).job.kind);
        client.close();"""
    read_part = """
        import {connect, readPart} from 'pictory-jobs';
        const client = connect();
        await readPart(client, 'JOB', 'RESULT_PART_TRANSCRIPT_JSON', 'PATH')
          .then(() => console.log('whole'), () => console.log('refused'));
        client.close();"""
    nobody = """
        import {call, connect, explain} from 'pictory-jobs';
        const client = connect();
        await call(client, 'getJob', {jobId: 'j'}, {ms: 500}).catch((error) => console.log(explain(error)));
        client.close();"""

    def test_a_misspelt_typed_field_is_dropped_by_the_loader_as_the_readme_warns(self):
        script = """
            import {call, connect} from 'pictory-jobs';
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
    suite = unittest.TestSuite()
    for package in (Python, Node):
        if package.language in sys.argv[1:]:
            suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(package))
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    sys.exit(not (result.testsRun and result.wasSuccessful()))
