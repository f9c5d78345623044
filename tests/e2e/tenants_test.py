"""Who may call: keys made by the program, tenants that do not see each other, and a file that changes under it."""

import http.client
import json
import pathlib
import select
import signal
import subprocess
import tempfile
import unittest

import find_live  # noqa: F401
from live.gateway import Gateway
from live.process import DEADLINE_SECONDS, environment, wait_until
from live.programs import BIN
from live.tenants import keygen


class Tenants(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.file = self.folder / "tenants.toml"
        self.acme, self.acme_lines = keygen("acme")
        self.beta, self.beta_lines = keygen("beta", "web")
        # They share an account, so none decides over jobs unless its roles say it.
        self.operators = "".join(f"[tenants.{tenant}]\nroles = ['read', 'submit', 'operate']\n"
                                 for tenant in ("acme", "beta"))
        self.write(self.operators, self.acme_lines, self.beta_lines)

    def write(self, *parts):
        """As an editor does that is careful: nobody sees half of it."""
        beside = self.folder / "beside"
        beside.write_text("\n".join(parts))
        beside.rename(self.file)

    def gateway(self, *flags, **kwargs):
        g = Gateway(self.folder / "state", "--tenants", self.file, *flags, **kwargs)
        self.addCleanup(g.end)
        return g

    def run_as(self, g, key, *args):
        env = {**g.env, "PICTORY_GATEWAY": g.grpc}
        if key:
            env["PICTORY_GATEWAY_KEY"] = key
        return subprocess.run([BIN / "pictory", *args, "--json"], env=env, capture_output=True, text=True, timeout=60)

    def error(self, done):
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return json.loads(done.stderr.strip().splitlines()[-1])["error"]

    def submit(self, g, key, name):
        done = self.run_as(g, key, "preview", "--name", name, "--text", "One sentence.", "--wait")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout.strip().splitlines()[-1])

    def events(self, g, event):
        lines = [json.loads(line) for line in g.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("event") == event]

    def test_tenants_do_not_see_each_other(self):
        g = self.gateway()
        job = self.submit(g, self.acme, "a")
        ids = [job["jobId"]] + [value for key, value in job.items() if key == "pictoryJobId"]
        self.assertEqual(len(ids), 2, job)
        for name in ids:
            self.assertEqual(self.run_as(g, self.acme, "get", name).returncode, 0)
            for command in (["get"], ["watch"], ["wait"], ["delete"], ["resolve", "--abandon"], ["result"]):
                with self.subTest(command=command, name=name):
                    self.assertEqual(self.error(self.run_as(g, self.beta, *command, name))["reason"], "JOB_NOT_FOUND")
        talk = self.run_as(g, self.acme, "transcribe", "https://media.example.com/talk.mp4", "--wait")
        talk = json.loads(talk.stdout.strip().splitlines()[-1])
        paid = len(g.pages.accepted())
        for args in (["render", job["jobId"]], *(["summarize", name, "--seconds", "30"]
                                                 for name in (talk["jobId"], talk["pictoryJobId"]))):
            self.assertEqual(self.error(self.run_as(g, self.beta, *args))["reason"], "JOB_NOT_FOUND", args)
        self.assertEqual(len(g.pages.accepted()), paid)
        self.assertEqual(self.run_as(g, self.beta, "list").stdout, "")
        self.assertIn(job["jobId"], self.run_as(g, self.acme, "list").stdout)
        for key in (None, self.acme + "x"):
            refused = self.error(self.run_as(g, key, "get", job["jobId"]))
            self.assertEqual((refused["code"], refused["reason"]), ("UNAUTHENTICATED", "CALLER_UNKNOWN"))
            self.assertIn("PICTORY_GATEWAY_KEY", refused["hint"])
        # The foreign delete has left its word, and the own one too.
        self.assertEqual(self.run_as(g, self.acme, "delete", job["jobId"]).returncode, 0)
        told = [(line["tenant"], line["caller"], line["method"], line["state_before"], line["outcome"])
                for line in self.events(g, "audit")]
        self.assertIn(("beta", "key:web", "DeleteJob", "", "NOT_FOUND"), told)
        self.assertIn(("acme", "key:ci", "DeleteJob", "SUCCEEDED", "OK"), told)
        self.assertNotIn(self.acme, g.log.read_text())

    def test_who_shares_an_account_decides_nothing_by_default(self):
        self.write(self.acme_lines, self.beta_lines)
        g = self.gateway()
        refused = self.error(self.run_as(g, self.acme, "resolve", "x"))
        self.assertEqual((refused["code"], refused["reason"]), ("PERMISSION_DENIED", "ROLE_REQUIRED"))
        told = self.events(g, "account_shared")
        self.assertEqual([(line["account"], line["tenants"]) for line in told], [("default", "acme, beta")])

    def test_a_key_has_its_own_roles(self):
        self.write(self.acme_lines + 'roles = ["read"]\n')
        g = self.gateway()
        self.assertEqual(self.run_as(g, self.acme, "list").returncode, 0)
        for args, role in ((("preview", "--name", "a", "--text", "One."), "submit"), (("delete", "x"), "operate"),
                           (("resolve", "x"), "operate")):
            refused = self.error(self.run_as(g, self.acme, *args))
            self.assertEqual((refused["code"], refused["reason"]), ("PERMISSION_DENIED", "ROLE_REQUIRED"))
            self.assertIn(f"needs the role {role}, which key:ci of tenant acme does not have", refused["message"])
        self.assertEqual(g.pages.accepted(), [])

    def test_the_file_changes_under_a_running_gateway(self):
        g = self.gateway(speed=0.05)
        job = json.loads(self.run_as(g, self.beta, "preview", "--name", "b", "--text", "One.").stdout)["jobId"]
        env = {**g.env, "PICTORY_GATEWAY": g.grpc, "PICTORY_GATEWAY_KEY": self.beta}
        watch = subprocess.Popen([BIN / "pictory", "watch", job, "--json"], env=env, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
        self.addCleanup(watch.kill)
        self.assertIn(job, watch.stdout.readline())
        # A file that cannot be used changes nothing, and is told of once.
        self.write("[tenants.acme]\nroles = ['red']")
        wait_until(lambda: self.events(g, "tenants_kept"), "the bad file is seen")
        self.assertIn("did you mean read?", self.events(g, "tenants_kept")[0]["reason"])
        self.assertEqual(self.run_as(g, self.acme, "list").returncode, 0)
        self.write("# nobody is in it yet")
        g.process.send_signal(signal.SIGHUP)
        wait_until(lambda: len(self.events(g, "tenants_kept")) == 2, "the empty file is seen")
        self.assertIsNone(watch.poll())
        # beta's key goes, and its watch with it.
        self.write(self.acme_lines)
        g.process.send_signal(signal.SIGHUP)
        out, err = watch.communicate(timeout=30)
        self.assertEqual(watch.returncode, 5, err)
        self.assertIn("UNAUTHENTICATED", err)
        self.assertEqual(self.error(self.run_as(g, self.beta, "get", job))["reason"], "CALLER_UNKNOWN")
        self.assertEqual(self.run_as(g, self.acme, "list").returncode, 0)
        # What would let everybody in waits for a restart.
        self.write("[tenants.default]")
        g.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "would let everybody in" in g.log.read_text(), "the open file is refused")
        self.assertEqual(self.error(self.run_as(g, None, "list"))["reason"], "CALLER_UNKNOWN")

    def test_a_file_of_many_jobs_keeps_within_a_tenants_rate(self):
        self.write(self.acme_lines, "[tenants.acme.limits]\nrequests_per_second = 30\n")
        g = self.gateway(speed=20)
        films = self.folder / "films.jsonl"
        films.write_text("".join(json.dumps({"kind": "image", "body": {"prompt": f"Lake {number}"}}) + "\n"
                                 for number in range(60)))
        done = self.run_as(g, self.acme, "submit", films, "--watch")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout.splitlines()[-1])["summary"]["submitted"], 60)

    def test_limits_are_each_tenants_own(self):
        self.write(self.acme_lines, "[tenants.acme.limits]\nwatches = 1\n", self.beta_lines)
        g = self.gateway(speed=0.05)
        jobs = {key: json.loads(self.run_as(g, key, "preview", "--name", "a", "--text", "One.").stdout)["jobId"]
                for key in (self.acme, self.beta)}

        def watch(key):
            env = {**g.env, "PICTORY_GATEWAY": g.grpc, "PICTORY_GATEWAY_KEY": key}
            process = subprocess.Popen([BIN / "pictory", "watch", jobs[key], "--json"], env=env,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.addCleanup(process.communicate)
            self.addCleanup(process.kill)
            self.assertIn(jobs[key], process.stdout.readline())

        watch(self.acme)
        refused = self.error(self.run_as(g, self.acme, "watch", jobs[self.acme]))
        self.assertEqual(refused["reason"], "TENANT_LIMIT")
        self.assertIn("Tenant acme has too many watches at once; its limit watches is 1", refused["message"])
        self.assertGreater(refused["retryAfterSeconds"], 0)
        watch(self.beta)
        watch(self.beta)

    def request(self, g, key, method, path, body=None):
        """Sent by the face for HTTP, and not waited for."""
        connection = http.client.HTTPConnection(*g.http.removeprefix("http://").split(":"), timeout=DEADLINE_SECONDS)
        self.addCleanup(connection.close)
        connection.request(method, path, body and json.dumps(body),
                           {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
        return connection

    def get(self, g, key, job):
        return json.loads(self.request(g, key, "GET", f"/v1/jobs/{job}").getresponse().read())["job"]

    def watched(self, g, key, job):
        """The job in the first message of a watch that stays open."""
        answer = self.request(g, key, "GET", f"/v1/jobs/{job}:watch").getresponse()
        self.assertEqual(answer.status, 200)
        line = next(line for line in iter(answer.readline, b"") if line.startswith(b"data: "))
        return json.loads(line.removeprefix(b"data: "))["job"]

    def refusal(self, connection):
        answer = connection.getresponse()
        self.assertEqual(answer.status, 429)
        return json.loads(answer.read())

    def test_a_tenant_that_takes_all_it_can_leaves_room_for_others(self):
        for account, tenant in (("east", "acme"), ("west", "beta")):
            (self.folder / account).write_text(f"pictai_{account}_0123456789")
            (self.folder / account).chmod(0o600)
        self.write(*(f"[accounts.{account}]\napi_key_file = '{self.folder / account}'\n[tenants.{tenant}]\n"
                     f"account = '{account}'\n" for account, tenant in (("east", "acme"), ("west", "beta"))),
                   self.acme_lines, self.beta_lines, "[tenants.beta.limits]\ncredits_per_day = 4\n")
        g = self.gateway("--http-listen", "127.0.0.1:0", "--max-watches", 3, "--requests-per-second", 1000, "--burst",
                         1000, speed=0.05)
        slow = json.loads(self.run_as(g, self.acme, "preview", "--name", "a", "--text", "One.").stdout)
        # Pictory takes long to answer one account, which sends more than may be under way.
        g.pages.fault("delay", ms=60_000, match={"method": "POST", "path_prefix": "/v2/transcription"})
        noisy = [self.request(g, self.acme, "POST", "/v1/transcriptions", {"fileUrl": f"https://a.example.com/{i}.mp4"})
                 for i in range(70)]
        refused = wait_until(lambda: (ready := select.select([c.sock for c in noisy], [], [], 0)[0])
                             and len(ready) >= 6 and ready, "those beyond are refused")
        self.assertEqual(len(refused), 6)
        quiet = self.run_as(g, self.beta, "preview", "--name", "b", "--text", "One.")
        self.assertEqual(quiet.returncode, 0, quiet.stderr)
        for connection in (c for c in noisy if c.sock in refused):
            told = self.refusal(connection)
            self.assertIn("TOO_MANY", [detail.get("reason") for detail in told["details"]])
            self.assertIn("nothing was submitted", told["message"])
        self.assertEqual(self.run_as(g, self.acme, "list").returncode, 0)
        # Of three watches a tenant has two. Those of the other account do not lag.
        job = json.loads(quiet.stdout)["jobId"]
        g.pages.fault("status", match={"job": slow["pictoryJobId"]})
        wait_until(lambda: self.get(g, self.acme, slow["jobId"])["upstreamDegraded"], "its polls fail")
        for _ in range(2):
            self.assertFalse(self.watched(g, self.beta, job)["upstreamDegraded"])
        self.assertIn("of your tenant", self.refusal(self.request(g, self.beta, "GET", "/v1/jobs:watch"))["message"])
        self.assertTrue(self.watched(g, self.acme, slow["jobId"])["upstreamDegraded"])
        # What is refused for its credits names whose limit it is, and which.
        first, second = (("POST", "/v1/images", {"prompt": prompt, "model": "nanobanana"})
                         for prompt in ("A lake", "A hill"))
        self.assertEqual(self.request(g, self.beta, *first).getresponse().status, 200)
        told = self.refusal(self.request(g, self.beta, *second))
        quotas = [detail for detail in told["details"] if detail["@type"].endswith("QuotaFailure")]
        self.assertEqual([quota["violations"] for quota in quotas],
                         [[{"subject": "tenant beta", "description": "at most 4 AI credits a day"}]])

    def test_a_wrong_start_names_what_to_do(self):
        for flags, words in (
                (["--tenants", self.folder / "none"], "--tenants: .*/none: No such file"),
                (["--trust-xfcc"], "--trust-xfcc: needs --tenants"),
                (["--tenants", self.file, "--trust-xfcc"], "--trust-xfcc: needs --trusted-proxies"),
                (["--tenants", self.file, "--tenant-header", "x-tenant", "--trusted-proxies", "x"],
                 "--trusted-proxies: 'x' must be an address"),
                (["--tenants", self.file, "--tenant-header", "authorization", "--trusted-proxies", "unix"],
                 "--tenant-header: 'authorization' cannot name a tenant"),
                (["--tenants", self.file, "--trusted-proxies", "unix"], "--trusted-proxies: has no use without")):
            done = subprocess.run([BIN / "pictory-gateway", "--sandbox", *map(str, flags)], env=environment(None),
                                  capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertRegex(done.stderr, words)


if __name__ == "__main__":
    unittest.main()
