"""Callers who pay with Pictory keys of their own: each with its own account, and jobs that wait for the key."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import find_live  # noqa: F401
from canary_test import files_in, forms, hits
from live.gateway import Gateway
from live.process import environment, wait_until
from live.programs import BIN
from live.sandbox import Sandbox
from live.tenants import keygen

ALICE, BOB = "pictai_canaryALICE_5f1e7c0d", "pictai_canaryBOB_93ab4de1"
WRONG = "pictai_bad_canaryCAROL_77c1"
DEBUG = ("--log-level", "debug", "--log-format", "json")
SERVICE = "pictory.jobs.v1.PictoryJobs"


class CallersPay(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.said = {}  # what the command line has printed

    def start(self, *flags, speed="50"):
        """Takes every key that does not look bad."""
        self.pictory = Sandbox(self.folder, "--speed", speed)
        self.addCleanup(self.pictory.end)
        g = Gateway(self.folder / "gateway", "--base-url", self.pictory.url, *DEBUG, *flags, sandbox=False)
        self.addCleanup(g.end)
        return g

    def run_as(self, g, key, *args, **more):
        env = {**g.env, "PICTORY_GATEWAY": g.grpc, **more}
        if key:
            env["PICTORY_CALLER_KEY"] = key
        done = subprocess.run([BIN / "pictory", *args, "--json"], env=env, capture_output=True, text=True, timeout=60)
        self.said[f"{len(self.said)} {args}"] = (done.stdout + done.stderr).encode()
        return done

    def preview(self, g, key, name, *args, **more):
        return self.run_as(g, key, "preview", "--name", name, "--text", "One sentence.", *args, **more)

    def answer(self, done):
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout.strip().splitlines()[-1])

    def error(self, done):
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return json.loads(done.stderr.strip().splitlines()[-1])["error"]

    def assert_nowhere(self, g, secrets):
        """While it runs, and in what it leaves: no file, line, page or answer has a key."""
        seen = {**self.said, "metrics": g.fetch("/metrics").encode(), **files_in(g.state)}
        for name in ("cmdline", "environ"):
            seen[f"/proc/{name}"] = pathlib.Path(f"/proc/{g.pid}/{name}").read_bytes()
        g.terminate()
        seen |= {f"{name}, at the end": text for name, text in files_in(g.state).items()}
        self.assertTrue([place for place in seen if "jobs.db" in place], "the store was looked through")
        self.assertEqual(hits(secrets, seen), [])
        planted = {name: b"..." + next(iter(forms(secret))) + b"..." for name, secret in secrets.items()}
        self.assertEqual(len(hits(secrets, planted)), len(secrets), "a key would be found")

    def test_a_job_waits_for_its_key_after_a_kill(self):
        g = self.start("--callers-pay", speed="2")
        job = self.answer(self.preview(g, ALICE, "of-alice"))["jobId"]
        account = self.answer(self.run_as(g, ALICE, "usage"))["account"]
        self.assertRegex(account, "^key-[0-9a-f]{32}$")
        g.kill()
        g.start()
        self.assertIn("jobs_wait_for_keys", g.log.read_text())
        # Another caller's job begins and ends meanwhile; nobody asks about this one.
        self.assertEqual(self.answer(self.preview(g, BOB, "of-bob", "--wait"))["state"], "JOB_STATE_SUCCEEDED")
        shown = self.answer(self.run_as(g, BOB, "get", job))
        self.assertIn(shown["state"], ("JOB_STATE_QUEUED", "JOB_STATE_RUNNING"))
        self.assertTrue(shown["upstreamDegraded"])
        self.assertNotIn(job, [each["jobId"] for each in self.jobs(g, "succeeded")])
        # Any call that shows the key lets it go on.
        self.answer(self.run_as(g, ALICE, "get", job))
        self.assertEqual(self.answer(self.run_as(g, None, "wait", job))["state"], "JOB_STATE_SUCCEEDED")
        self.assertEqual(sorted(self.pictory.journal()), ["of-alice", "of-bob"])
        self.assert_nowhere(g, {"alice": ALICE, "bob": BOB})

    def test_a_render_that_waits_for_its_preview_waits_for_its_key_as_well(self):
        g = self.start("--callers-pay")
        self.pictory.fault("status", match={"path_prefix": "/v1/jobs/"})  # so that the preview is not seen to end
        preview = self.answer(self.preview(g, ALICE, "of-alice"))["jobId"]
        job = self.answer(self.run_as(g, ALICE, "render", preview, "--wait-for-preview"))
        self.assertEqual(job["state"], "JOB_STATE_WAITING")
        g.kill()
        self.pictory.forget_faults()
        g.start()
        self.assertEqual(self.answer(self.run_as(g, BOB, "get", job["jobId"]))["state"], "JOB_STATE_WAITING")
        refused = self.error(self.run_as(g, BOB, "delete", job["jobId"]))
        self.assertEqual(refused["reason"], "PICTORY_KEY_NEEDED", "only who pays cancels")
        self.answer(self.run_as(g, ALICE, "get", preview))
        self.assertEqual(self.answer(self.run_as(g, None, "wait", job["jobId"]))["state"], "JOB_STATE_SUCCEEDED")
        self.assertEqual(sum("/render/" in entry["path"] for entry in self.pictory.accepted()), 1)
        self.assert_nowhere(g, {"alice": ALICE, "bob": BOB})

    def jobs(self, g, state):
        done = self.run_as(g, None, "list", "--state", state)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_what_needs_the_key_says_so(self):
        g = self.start("--callers-pay")
        refused = self.error(self.preview(g, None, "nobodys"))
        self.assertEqual((refused["code"], refused["reason"]), ("FAILED_PRECONDITION", "PICTORY_KEY_NEEDED"))
        self.assertIn("PICTORY_CALLER_KEY", refused["hint"])
        job = self.answer(self.preview(g, ALICE, "of-alice", "--wait"))["jobId"]
        g.kill()
        g.start()
        refused = self.error(self.run_as(g, None, "delete", job))
        self.assertEqual(refused["reason"], "PICTORY_KEY_NEEDED")
        self.assertIn("with another Pictory key than this call shows", refused["message"])
        refused = self.error(self.run_as(g, BOB, "render", job))
        self.assertEqual(refused["reason"], "JOB_NOT_USABLE", "another account does not know it")
        self.assertEqual(self.run_as(g, ALICE, "delete", job).returncode, 0)

    def test_a_repetition_is_the_same_job_only_with_the_same_key(self):
        g = self.start("--callers-pay")
        first = self.answer(self.preview(g, ALICE, "a", "--request-id", "r1"))
        self.assertEqual(self.answer(self.preview(g, ALICE, "a", "--request-id", "r1"))["jobId"], first["jobId"])
        self.assertEqual(self.error(self.preview(g, BOB, "a", "--request-id", "r1"))["reason"], "REQUEST_ID_REUSED")
        self.assertEqual(len(self.pictory.accepted()), 1)

    def test_a_wrong_key_troubles_nobody_else(self):
        g = self.start("--callers-pay")
        refused = self.error(self.preview(g, WRONG, "c"))
        self.assertEqual(refused["reason"], "UPSTREAM_CREDENTIALS")
        wait_until(lambda: "caller_key_refused" in g.log.read_text(), "its account rests")
        self.assertEqual(self.answer(self.preview(g, ALICE, "a", "--wait"))["state"], "JOB_STATE_SUCCEEDED")
        self.assertTrue(g.is_ready())
        self.assert_nowhere(g, {"wrong": WRONG, "alice": ALICE})

    def test_a_tenant_whose_callers_pay_beside_one_whose_do_not(self):
        keys, lines = zip(*(keygen(tenant) for tenant in ("acme", "beta")))
        tenants = self.folder / "tenants.toml"
        tenants.write_text("[tenants.acme]\ncallers_pay = true\n" + "\n".join(lines))
        secret = self.folder / "key"
        secret.touch(0o600)
        secret.write_text("pictai_of_the_gateway\n")
        g = self.start("--tenants", tenants, "--api-key-file", secret)
        acme, beta = ({"PICTORY_GATEWAY_KEY": key} for key in keys)
        self.assertEqual(self.error(self.preview(g, None, "a", **acme))["reason"], "PICTORY_KEY_NEEDED")
        self.answer(self.preview(g, ALICE, "a", "--wait", **acme))
        self.answer(self.preview(g, None, "b", "--wait", **beta))
        self.assertEqual(self.answer(self.run_as(g, None, "usage", **beta))["account"], "default")
        refused = self.error(self.preview(g, ALICE, "b", **beta))
        self.assertEqual(refused["reason"], "PICTORY_KEY_NOT_TAKEN")
        self.assertNotIn(ALICE, refused["message"])

    def test_grpcurl_shows_a_key_that_is_in_no_argument(self):
        if shutil.which("grpcurl") is None:
            self.skipTest("there is no grpcurl here")
        g = self.start("--callers-pay")

        def call(key, method, request):
            done = subprocess.run(
                ["grpcurl", "-plaintext", "-expand-headers", "-H", "pictory-api-key: ${KEY}", "-d",
                 json.dumps(request), g.grpc, f"{SERVICE}/{method}"],
                env={**os.environ, "KEY": key}, capture_output=True, text=True, timeout=60)
            self.said[f"{len(self.said)} {method}"] = (done.stdout + done.stderr).encode()
            return done

        story = {"storyboard": {"videoName": "demo", "scenes": [{"story": "Hello there."}]}}
        made = call(ALICE, "CreatePreview", story)
        self.assertEqual(made.returncode, 0, made.stderr)
        job = json.loads(made.stdout)["job"]["jobId"]
        g.kill()
        g.start()
        watched = call(ALICE, "WatchJob", {"jobId": job})
        self.assertIn("JOB_STATE_SUCCEEDED", watched.stdout, "a watch that shows the key is enough")
        refused = call("too many words", "GetJob", {"jobId": job})
        self.assertIn("PICTORY_KEY_NOT_TAKEN", refused.stderr)
        self.assert_nowhere(g, {"alice": ALICE})

    def test_the_embedded_sandbox_never_sees_a_real_key(self):
        g = Gateway(self.folder / "gateway", "--callers-pay", *DEBUG)
        self.addCleanup(g.end)
        job = self.answer(self.preview(g, ALICE, "of-alice", "--wait"))
        self.assertEqual(self.error(self.run_as(g, BOB, "get", job["pictoryJobId"] + "x"))["reason"], "JOB_NOT_FOUND")
        self.answer(self.preview(g, BOB, "of-bob", "--wait"))
        self.assert_nowhere(g, {"alice": ALICE, "bob": BOB})

    def test_a_start_that_is_meant_otherwise_is_refused(self):
        done = subprocess.run([BIN / "pictory-gateway", "--callers-pay", "--tenants", "/nowhere"],
                              env=environment(None), capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("--callers-pay: is for a gateway without --tenants", done.stderr)


if __name__ == "__main__":
    unittest.main()
