"""`pictory-gateway contract --live` against the sandbox: what it says holds, what it says of one that answers otherwise,
what it pays for, and what it keeps to itself."""

import json
import pathlib
import subprocess
import tempfile
import unittest
import urllib.request

import find_live  # noqa: F401
from live.process import DEADLINE_SECONDS, environment, wait_until
from live.programs import BIN
from live.rig import Rig

KEY = "pictai_canary7secret0123456789"
PAID = {"POST /v2/video/storyboard", "PUT /v2/video/render/{id}", "POST /v2/transcription",
        "POST /v2/transcription/{id}/highlights", "POST /v1/aistudio/images", "POST /v1/aistudio/videos"}
WITH_KEY = {"PICTORY_API_KEY": KEY}
WITH_PAIR = {"PICTORY_CLIENT_SECRET": "canary7secret0123456789", "PICTORY_CLIENT_ID": "canary7client0123456789"}
EVERYTHING = 13


class Run:
    """One run of the command, to its end."""

    def __init__(self, url, state, *flags, env=None):
        self.done = subprocess.run(command(url, state, *flags), env=environment(WITH_KEY if env is None else env),
                                   text=True, capture_output=True, timeout=DEADLINE_SECONDS)
        self.code, self.out, self.err = self.done.returncode, self.done.stdout, self.done.stderr
        self.report = json.loads(self.out) if self.out.startswith("{") else None

    def names(self, verdict):
        return {fact["name"] for fact in self.report["facts"] if fact["verdict"] == verdict}

    def told(self):
        """What does not hold, for whoever reads a failure."""
        return [(fact["name"], fact["seen"]) for fact in self.report["facts"] if fact["verdict"] == "fails"]

    def seen(self, name):
        [seen] = [fact["seen"] for fact in self.report["facts"] if fact["name"] == name]
        return seen


def command(url, state, *flags):
    return [BIN / "pictory-gateway", "contract", "--live", "--json", "--base-url", url, "--state-dir", state,
            "--requests-per-second", "100000", "--burst", "100000", "--poll-seconds", "0.02", *flags]


def posted(sandbox, path, body, kind="application/json"):
    request = urllib.request.Request(sandbox.url + path, method="POST", data=json.dumps(body).encode(), headers={
        "Authorization": KEY, "User-Agent": "test", "Content-Type": kind})
    with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as answer:
        return json.loads(answer.read())


def job(sandbox, path, body):
    """A finished job of the account's."""
    made = posted(sandbox, path, body)["data"]["jobId"]
    request = urllib.request.Request(f"{sandbox.url}/v1/jobs/{made}", headers={
        "Authorization": KEY, "User-Agent": "test"})

    def ended():
        with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as answer:
            return json.loads(answer.read())["data"]["status"] == "completed"
    wait_until(ended, made)
    return made


def preview(sandbox, name="p", **more):
    return job(sandbox, "/v2/video/storyboard", {"videoName": name, "scenes": [{"story": "Hello."}], **more})


def image(sandbox):
    return job(sandbox, "/v1/aistudio/images", {"prompt": "a calm sea", "model": "flux-schnell"})


class Contract(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.state = self.folder / "state"
        self.rig = Rig(self.folder)
        self.addCleanup(self.rig.exits.close)

    def run_at(self, sandbox, *flags, env=None):
        return Run(sandbox.url, self.state, *flags, env=env)

    def paid(self, sandbox):
        """The paid requests that the sandbox has had, accepted or not."""
        return {what: count for what, count in sandbox.stats()["requests"].items()
                if not what.startswith("GET ") and what not in ("POST /v1/oauth2/token",
                                                                "POST /v1/media/generateurl",
                                                                "POST /v1/media/generateUrl")}

    def jobs(self, sandbox):
        """Those that the sandbox has made, in order."""
        return [entry["job_id"] for entry in sandbox.accepted() if not entry["path"].endswith("/elements")]

    def fill(self, sandbox):
        """Makes an account that has something of everything, so that every fact can be tried. Its newest job."""
        for number in range(22):
            preview(sandbox, f"p{number}", saveProject=number == 0)
        newest = image(sandbox)
        posted(sandbox, "/v1/templates", {"name": "t", "scenes": [{"subtitles": [{"text": "Dear {{name}},"}]}]},
               "application/octet-stream")
        return newest


class Holds(Contract):
    def test_nothing_is_spent_unasked(self):
        sandbox = self.rig.sandbox("--speed", "100")
        run = self.run_at(sandbox)
        self.assertEqual(run.code, 0, run.err)
        self.assertEqual(run.names("fails"), set())
        self.assertEqual(self.paid(sandbox), {})
        self.assertEqual(sandbox.accepted(), [])
        self.assertEqual(run.report["spent"], [])
        self.assertIn("needs --spend", run.seen("preview"))

    def test_one_of_each_is_paid_for_and_every_fact_is_tried(self):
        sandbox = self.rig.sandbox("--speed", "20")
        run = self.run_at(sandbox, "--spend", str(EVERYTHING))
        self.assertEqual(run.code, 0, run.err)
        self.assertEqual(run.names("fails"), set())
        self.assertEqual(self.paid(sandbox),
                         {**{what: 1 for what in PAID}, "PUT /v2/video/storyboard/{id}/elements": 1})
        ids = self.jobs(sandbox)
        self.assertEqual([spent["pictory_job_id"] for spent in run.report["spent"]], ids)
        for made in ids:
            self.assertRegex(run.err, f"PAID: [a-z]+ is Pictory's job {made}")
        self.assertLess(run.err.index("spends at most"), run.err.index("PAID"))
        tried = run.names("holds")

        self.fill(sandbox)
        for flags, env in (((), WITH_KEY), (("--auth", "oauth"), WITH_PAIR)):
            run = self.run_at(sandbox, *flags, env=env)
            self.assertEqual(run.code, 0, run.err)
            tried |= run.names("holds")
        everything = {fact["name"] for fact in run.report["facts"]}
        self.assertEqual(everything - tried, set())

    def test_no_more_is_spent_than_is_said(self):
        sandbox = self.rig.sandbox("--speed", "100")
        run = self.run_at(sandbox, "--spend", "3")
        self.assertEqual(run.code, 0, run.err)
        self.assertEqual([spent["kind"] for spent in run.report["spent"]], ["preview", "render", "transcription"])
        self.assertIn("--spend 3 leaves 0", run.seen("summary"))
        self.assertEqual(len(self.jobs(sandbox)), 3)

    def test_it_reads_for_people_too(self):
        sandbox = self.rig.sandbox("--speed", "100")
        flags = [flag for flag in command(sandbox.url, self.state) if flag != "--json"]
        done = subprocess.run(flags, env=environment(WITH_KEY), text=True, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        for words in ("HOLD: ", "COULD NOT BE TRIED: ", "SPENT: nothing", "unknown-job (open): GET of an unknown job"):
            self.assertIn(words, done.stdout)
        self.assertNotIn("DO NOT HOLD", done.stdout)


class DoesNotHold(Contract):
    """Each row is what the sandbox is told to do wrong, and the facts that then do not hold: these and no others."""

    def check(self, sandbox, kind, path, expected, method=None, flags=(), env=None, times=1, skip=0, **settings):
        with self.subTest(path=path, kind=kind, expected=expected):
            sandbox.forget_faults()
            match = {"path_prefix": path, **({"method": method} if method else {})}
            sandbox.fault(kind, match=match, times=times, skip=skip, **settings)
            run = self.run_at(sandbox, *flags, env=env)
            self.assertEqual(run.names("fails"), set(expected), run.told())
            self.assertEqual(run.code, 1, run.err)
            self.assertEqual(sandbox.faults()[0]["hit"], times, "the fault was not met")

    def test_free_facts(self):
        sandbox = self.rig.sandbox("--speed", "100")
        known = self.fill(sandbox)

        def body(path, text, *expected, status=200, **more):
            self.check(sandbox, "body", path, expected, body=text, status=status, **more)

        body("/v1/quota", '{"data":{"videoMinutes":{"used":1,"limit":2}}}', "quota")
        body("/v1/quota", '{"message":"Forbidden"}', "wrong-key", status=403, skip=1)
        body("/v1/quota", '{}', "filter", skip=2)
        body("/v1/quota", '{}', "bearer-key", skip=3)
        body("/v1/aicredits/usage", '{"items":[]}', "charges")
        body("/v1/aicredits/usage", json.dumps([
            {"transactionId": "t", "type": "debit", "amount": 1, "transactionDate": date}
            for date in ("2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z")]), "charges-order")
        self.check(sandbox, "restatus", "/v1/aicredits/usage", ["charges-year-alone"], skip=1, status=422)
        body("/v1/jobs", '{"jobs":[]}', "jobs")
        body("/v1/jobs", json.dumps({"items": [{"success": True, "data": {"jobId": known, "status": "archived"}}]}),
             "jobs-status")
        self.check(sandbox, "restatus", "/v1/jobs", ["jobs-next"], skip=1, status=400)
        body(f"/v1/jobs/{known}", json.dumps({"job_id": known, "status": "in-progress"}), "job")
        body(f"/v1/jobs/{known}", '{"success":true,"data":{"status":"in-progress"}}', "job-id")
        self.check(sandbox, "restatus", "/v1/jobs/", ["unknown-job"], skip=1, status=200)
        body("/v1/jobs/", '{"message":"Not Found"}', "unknown-job-code", skip=1, status=404)
        body("/v2/projects", '{"items":[]}', "projects")
        body("/v2/projects/", '{"data":{"project_id":"x"}}', "project")
        self.check(sandbox, "restatus", "/v2/projects/", ["unknown-project"], skip=1, status=400)
        body("/v1/templates", '{"templates":[]}', "templates")
        body("/v1/templates", '{"items":[],"nextPageKey":"k"}', "templates-all")
        body("/v1/templates/", '{}', "template")
        self.check(sandbox, "restatus", "/v1/templates/", ["unknown-template"], skip=1, status=400)
        body("/v1/media/generateurl", '{"data":{"url":"https://a.example/b"}}', "upload")
        body("/v1/media/generateUrl", '{"message":"Not Found"}', "upload-spelling", status=404)
        body("/v1/media/generateurl", json.dumps({"data": {
            "signedUrl": "https://a.example/b?X-Amz-Expires=3600&c", "url": "https://a.example/b", "key": "b"}}),
            "upload-day")
        self.check(sandbox, "restatus", "/v1/media/generateurl", ["refusal"], skip=1, status=422)
        body("/v1/voiceovers/tracks", '{"items":[]}', "voices")
        body("/v1/media/search", '{"data":[]}', "media-search")
        body("/v1/music/moods", '{"items":[]}', "music-words")
        body("/v1/avatars", '[]', "avatars")
        body("/v1/brands/video", '{"items":[]}', "brands")
        body("/v1/styles", '{"items":[]}', "styles")
        body("/v1/smartlayouts", '[]', "smart-layouts")
        body("/v1/aistudio/images", '[]', "studio-images")
        body("/v1/aistudio/videos", '{"items":[{"id":"x","url":"u","prompt":"p"}]}', "studio-videos")

    def test_tokens(self):
        sandbox = self.rig.sandbox("--speed", "100", "--token-seconds", "600")
        oauth = {"flags": ("--auth", "oauth"), "env": WITH_PAIR}
        self.check(sandbox, "body", "/v1/oauth2/token", {"token-hour", "wrong-pair"}, skip=1, status=418, body="{}",
                   **oauth)
        self.check(sandbox, "body", "/v1/quota", {"token-hour", "bearer-token"}, skip=3, status=401, body="{}", **oauth)

    def test_paid_facts(self):
        sandbox = self.rig.sandbox("--speed", "100")
        first, second, picture = preview(sandbox), preview(sandbox), image(sandbox)
        words = job(sandbox, "/v2/transcription", {"fileUrl": "https://media.example.com/talk.mp4"})

        def named(path, made, *expected, key="jobId", method="POST", **more):
            """Accepts with the name of another job, whose result then is not what it should be."""
            self.check(sandbox, "body", path, expected, method=method, flags=("--spend", str(EVERYTHING)),
                       body=json.dumps({"success": True, "data": {key: made}}), **more)

        named("/v2/video/storyboard", first, "preview-accepted", key="job_id")
        named("/v2/video/storyboard", words, "preview", "preview-url", "render-accepted")
        named("/v2/video/render/", second, "render", "render-share", "render-duration", method="PUT")
        named("/v2/transcription", second, "transcription", "transcription-summaries", "summary-accepted")
        named("/v2/transcription/", words, "summary")
        named("/v1/aistudio/images", second, "image", "image-price")
        named("/v1/aistudio/images", picture, "image-accepted", key="job_id")
        named("/v1/aistudio/videos", picture, "video", "video-price")
        spend = ("--spend", "1")
        elements = "/v2/video/storyboard/"
        self.check(sandbox, "restatus", elements, ["elements-204"], method="PUT", flags=spend, status=200)
        self.check(sandbox, "body", elements, ["elements", "elements-204"], method="PUT", flags=spend,
                   body='{"success":true}')
        self.check(sandbox, "body", "/v1/jobs/", ["running"], skip=2, flags=spend,
                   body='{"success":true,"data":{"status":"queued"}}')
        self.check(sandbox, "body", "/v2/video/storyboard", ["preview-accepted"], method="POST", flags=spend,
                   status=400, body='{"code":"INVALID_REQUEST_BODY","message":"m","fields":[]}')

    def test_trouble_is_no_verdict(self):
        sandbox = self.rig.sandbox("--speed", "100")
        for settings in ({"status": 503}, {"status": 429, "retry_after": "1"}):
            sandbox.forget_faults()
            sandbox.fault("status", match={"path_prefix": "/v1/templates"}, times=1, **settings)
            run = self.run_at(sandbox)
            self.assertEqual(run.code, 0, run.out)
            self.assertIn("templates", run.names("unchecked"))
            self.assertIn(str(settings["status"]), run.seen("templates"))


class KeepsToItself(Contract):
    def test_no_secret_is_in_the_report(self):
        sandbox = self.rig.sandbox("--speed", "100")
        quoted = [KEY, *WITH_PAIR.values(), "someone@example.com", "X-Amz-Signature=0a1b2c3d", "acct-4711-0815",
                  KEY[7:20]]
        odd = json.dumps({**{secret: secret for secret in quoted}, "success": False, "code": quoted[3],
                          "message": " ".join(quoted), "error_message": " ".join(quoted),
                          "data": {secret: secret for secret in quoted}, "signedUrl": "https://a/b?" + quoted[4],
                          "items": [{"data": {"jobId": "acct-4711-0815", "status": quoted[3]}}]})
        sandbox.fault("body", match={"path_prefix": "/v1/aistudio/images"}, status=400, body=odd)
        for flags, env in ((("--spend", str(EVERYTHING)), WITH_KEY), (("--auth", "oauth"), WITH_PAIR)):
            for path in ("/v1/jobs", "/v1/aicredits", "/v2/projects", "/v1/templates", "/v1/media", "/v1/voiceovers"):
                for status in (200, 400):
                    sandbox.fault("body", match={"path_prefix": path}, times=1, status=status, body=odd)
            run = self.run_at(sandbox, *flags, env=env)
            self.assertEqual(run.code, 1, run.err)
            for secret in [*quoted, "eyJ", "?X-Amz", "Signature"]:
                self.assertNotIn(secret, run.out + run.err)

    def test_nobody_is_told_the_key_when_nothing_is_reached(self):
        sandbox = self.rig.sandbox("--speed", "100")
        sandbox.fault("body", match={"path_prefix": "/v1/quota"}, status=401, body=json.dumps({"message": KEY}))
        for url, words in ((sandbox.url, "turns the credentials away"), ("http://127.0.0.1:1/x", "nothing was tried")):
            run = Run(url, self.state)
            self.assertEqual((run.code, run.out), (2, ""), run.err)
            self.assertIn(words, run.err)
            self.assertNotIn(KEY, run.err)


class Killed(Contract):
    def start(self, sandbox):
        with open(self.folder / "err", "wb") as err:
            return subprocess.Popen(command(sandbox.url, self.state, "--spend", str(EVERYTHING)),
                                    env=environment(WITH_KEY), stdout=subprocess.DEVNULL, stderr=err)

    def kill_at(self, process, words):
        wait_until(lambda: words in (self.folder / "err").read_text(), words)
        process.kill()
        process.wait()

    def test_what_was_named_is_gone_on_with(self):
        sandbox = self.rig.sandbox("--speed", "100")
        # The first poll of the preview is never answered; the two before are those of the free part.
        sandbox.fault("never_answer", match={"path_prefix": "/v1/jobs/"}, skip=1)
        self.kill_at(self.start(sandbox), "waits for the end of the preview")
        [entry] = sandbox.accepted()
        self.assertIn(f"PAID: preview is Pictory's job {entry['job_id']}", (self.folder / "err").read_text())
        sandbox.forget_faults()
        run = self.run_at(sandbox, "--spend", str(EVERYTHING))
        self.assertEqual(run.code, 0, run.err)
        self.assertIn(f"an earlier run has paid for a preview, Pictory's job {entry['job_id']}", run.err)
        self.assertEqual(self.paid(sandbox)["POST /v2/video/storyboard"], 1)
        self.assertEqual(len(self.jobs(sandbox)), len(PAID))
        self.assertEqual(run.report["spent"][0],
                         {"kind": "preview", "pictory_job_id": entry["job_id"], "earlier_run": True})
        self.assertIn("preview", run.names("holds"))
        # That run has ended, so another one pays anew.
        self.assertFalse((self.state / "contract-spent").exists())

    def test_what_was_not_named_is_not_sent_again(self):
        sandbox = self.rig.sandbox("--speed", "100")
        sandbox.fault("never_answer", match={"path_prefix": "/v2/video/storyboard", "method": "POST"}, times=1)
        process = self.start(sandbox)
        wait_until(lambda: self.paid(sandbox), "the preview")
        process.kill()
        process.wait()
        run = self.run_at(sandbox, "--spend", str(EVERYTHING))
        self.assertEqual(run.code, 0, run.err)
        self.assertIn("an earlier run has paid for a preview, and no answer named its job", run.err)
        self.assertIn("look at the account, then remove the file", run.seen("preview"))
        self.assertEqual(self.paid(sandbox)["POST /v2/video/storyboard"], 1)
        self.assertTrue((self.state / "contract-spent").exists())


class Refused(Contract):
    def test_usage(self):
        for flags, env, words in (((), WITH_KEY, "--live"), (("--live",), {}, "PICTORY_API_KEY"),
                                  (("--live", "--spend", "0"), WITH_KEY, "--spend"),
                                  (("--live", "--max-watches", "1"), WITH_KEY, "another command")):
            done = subprocess.run([BIN / "pictory-gateway", "contract", "--state-dir", self.state, *flags],
                                  env=environment(env), text=True, capture_output=True, timeout=60)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    unittest.main()
