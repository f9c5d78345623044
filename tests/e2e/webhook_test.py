"""Webhook calls: the real gateway, with the sandbox in Pictory's place."""

import http.client
import json
import os
import subprocess
import tempfile
import time
import unittest

import find_live  # noqa: F401
from live.gateway import Gateway, gateway
from live.process import wait_until
from live.programs import BIN

STORY = "One line for the scene."
HOOK = ("--webhook-listen", "127.0.0.1:0")
# FLOOD=10000x10: so many a second, for so many seconds; only then is the CPU time judged, because
# only a release build on an idle machine can be.
FLOOD = os.environ.get("FLOOD", "1000x2")


def preview(g, name, *flags):
    return g.json("preview", "--name", name, "--text", STORY, *flags)


def ended(g, job, state="JOB_STATE_SUCCEEDED"):
    """The job once it is in that state, by whatever way; asks without watching."""
    return wait_until(lambda: (now := g.json("get", job["jobId"]))["state"] == state and now,
                      f"{job['jobId']} to be {state}")


def journal(g):
    return g.pages.accepted()


def hook_path(entry):
    return "/" + entry["webhook"].split("/", 3)[3]


def calls(g):
    return g.pages.stats()["webhooks"]


def counted(g, result):
    return g.metric("callbacks_total", result=result)


def post(g, path, body=b"{}"):
    connection = http.client.HTTPConnection(g.webhook, timeout=10)
    connection.request("POST", path, body)
    answer = connection.getresponse()
    connection.close()
    return answer.status


class Unconfirmed(unittest.TestCase):
    def lose_the_answer(self, g):
        g.pages.add_fault({"match": {"method": "POST"}, "times": 1, "fault": {"type": "reset"}})
        job = preview(g, "lost")
        self.assertEqual(job["state"], "JOB_STATE_UNCONFIRMED")
        return job

    def test_a_submit_without_an_answer_is_resolved_by_a_webhook_call(self):
        with gateway(*HOOK) as g:
            job = ended(g, self.lose_the_answer(g))
            self.assertEqual([entry["job_id"] for entry in journal(g)], [job["pictoryJobId"]])
            self.assertTrue(job["preview"]["previewUrl"])
            self.assertEqual(counted(g, "in_doubt"), 1)
            self.assertIn('"resolved"', g.log.read_text())

    def test_a_hundred_lost_answers_are_a_hundred_posts_and_resolve_each_to_its_own_job(self):
        with gateway(*HOOK, speed=2) as g:
            g.pages.add_fault({"match": {"method": "POST"}, "fault": {"type": "close_after_read"}})
            names = [f"lost {at}" for at in range(100)]
            jobs = {name: preview(g, name) for name in names}
            self.assertEqual({job["state"] for job in jobs.values()}, {"JOB_STATE_UNCONFIRMED"})
            resolved = {name: ended(g, job)["pictoryJobId"] for name, job in jobs.items()}
            made = {json.loads(entry["body"])["videoName"]: entry["job_id"] for entry in journal(g)}
            self.assertEqual(len(journal(g)), 100)
            self.assertEqual(resolved, made)

    def test_a_call_before_the_answer_resolves_it_too(self):
        with gateway(*HOOK) as g:
            g.pages.add_fault({"times": 1, "fault": {"type": "webhook_early"}})
            job = ended(g, self.lose_the_answer(g))
            self.assertEqual([entry["job_id"] for entry in journal(g)], [job["pictoryJobId"]])
            self.assertEqual(calls(g)["called"], 1)

    def test_a_job_that_pictory_does_not_know_resolves_nothing_and_one_that_was_adopted_is_taken_over(self):
        with gateway(*HOOK) as g:
            g.pages.add_fault({"times": 1, "fault": {"type": "webhook_lost"}})
            job = self.lose_the_answer(g)
            self.assertEqual(post(g, hook_path(journal(g)[0]), b'{"job_id":"no-such-job"}'), 204)
            wait_until(lambda: counted(g, "in_doubt"), "the callback to be looked at")
            wait_until(lambda: g.pages.stats()["statuses"].get("404"), "the question")
            self.assertEqual(g.json("get", job["jobId"])["state"], "JOB_STATE_UNCONFIRMED")
            entry = journal(g)[0]
            adopted = g.json("get", entry["job_id"])
            self.assertNotEqual(adopted["jobId"], job["jobId"])
            self.assertEqual(post(g, hook_path(entry), json.dumps(entry).encode()), 204)
            self.assertEqual(ended(g, job)["pictoryJobId"], entry["job_id"])
            for name in (entry["job_id"], adopted["jobId"]):
                self.assertEqual(g.json("get", name)["jobId"], job["jobId"])
            self.assertEqual(g.run("list", "-o", "id").stdout.split(), [job["jobId"]])

    def test_a_call_that_was_answered_outlives_the_process(self):
        with tempfile.TemporaryDirectory() as state:
            g = Gateway(state, *HOOK)
            try:
                g.pages.add_fault({"fault": {"type": "webhook_lost"}})
                job = self.lose_the_answer(g)
                # Until it is killed the gateway can ask Pictory for nothing.
                g.pages.add_fault({"match": {"method": "GET"}, "fault": {"type": "status"}})
                entry = journal(g)[0]
                self.assertEqual(post(g, hook_path(entry), json.dumps(entry).encode()), 204)
                g.kill()
                g.start()
                self.assertEqual(ended(g, job)["pictoryJobId"], entry["job_id"])
            finally:
                g.end()

    def test_the_url_is_good_after_a_restart(self):
        with tempfile.TemporaryDirectory() as state:
            g = Gateway(state, *HOOK)
            try:
                g.pages.add_fault({"fault": {"type": "webhook_lost"}})
                job = self.lose_the_answer(g)
                g.kill()
                g.start()
                entry = journal(g)[0]
                body = json.dumps({"data": {"jobId": entry["job_id"]}}).encode()
                self.assertEqual(post(g, hook_path(entry), body), 204)
                self.assertEqual(ended(g, job)["pictoryJobId"], entry["job_id"])
                key = g.state / "jobs" / "sandbox" / "webhook.key"
                self.assertEqual((key.stat().st_mode & 0o777, key.stat().st_size), (0o600, 32))
            finally:
                g.end()


class Calls(unittest.TestCase):
    def test_twice_late_out_of_order_early_and_lost_ones(self):
        with gateway(*HOOK) as g:
            faults = ["webhook_twice", "webhook_late", "webhook_after_next", "webhook_early",
                      "webhook_lost"]
            for fault in faults:  # one each, in this order
                g.pages.add_fault({"times": 1, "fault": {"type": fault}})
            jobs = [preview(g, fault) for fault in faults] + [preview(g, "plain")]
            for job in jobs:
                self.assertEqual(ended(g, job)["state"], "JOB_STATE_SUCCEEDED")
            made = {entry["job_id"] for entry in journal(g)}
            self.assertEqual(len(journal(g)), len(jobs))
            self.assertEqual({g.json("get", j["jobId"])["pictoryJobId"] for j in jobs}, made)
            told = wait_until(lambda: (now := calls(g))["called"] == len(jobs) and now, "all calls")
            self.assertEqual((told["lost"], told["failed"], told["dropped"]), (1, 0, 0))
            wait_until(lambda: sum(counted(g, r) for r in ("known", "unknown", "in_doubt",
                                                           "repeated")) == len(jobs), "the counts")
            self.assertEqual(counted(g, "forged"), 0)

    def test_off_nothing_is_sent_with_the_body(self):
        with gateway() as g:
            ended(g, preview(g, "plain"))
            [entry] = journal(g)
            self.assertNotIn("webhook", entry)
            self.assertNotIn("webhook", entry["body"])
            self.assertNotIn("webhook=", g.ready.read_text())
            self.assertFalse((g.state / "jobs" / "sandbox" / "webhook.key").exists())

    def test_every_kind_of_job_of_both_generations_carries_it(self):
        for version in ("v2", "v1"):
            with gateway(*HOOK, "--api-version", version) as g:
                board = {"videoName": "a", "videoDescription": "d", "language": "en",
                         "scenes": [{"text": STORY, "voiceOver": True, "splitTextOnPeriod": True}]}
                first = preview(g, "a") if version == "v2" else g.json(
                    "preview", "-", input=json.dumps(board))
                render = g.json("render", ended(g, first)["jobId"])
                talk = g.json("transcribe", "https://media.example.com/talk.mp4")
                short = g.json("summarize", ended(g, talk)["jobId"], "--seconds", "20")
                for job in (render, short):
                    ended(g, job)
                hooks = [entry.get("webhook") for entry in journal(g)]
                self.assertEqual(len(set(hooks)), 4, hooks)
                self.assertTrue(all(hook.startswith(f"http://{g.webhook}/") for hook in hooks))
                wait_until(lambda: calls(g)["called"] == 4, "all calls")

    def test_sigterm_ends_in_order_while_calls_come(self):
        with gateway(*HOOK) as g:
            for at in range(5):
                preview(g, f"n{at}")
            code, seconds = g.terminate()
            self.assertEqual(code, 0, g.log.read_text())
            self.assertLess(seconds, 25)


class Strangers(unittest.TestCase):
    def test_forged_calls_change_nothing_and_learn_nothing(self):
        with gateway(*HOOK, speed=0.1) as g:
            job = preview(g, "target")
            [entry] = journal(g)
            path = hook_path(entry)
            token, mac = path[1:].split(".")
            other = ("0" if mac[0] != "0" else "1") + mac[1:]
            body = json.dumps({"job_id": entry["job_id"], "success": False,
                               "data": {"status": "failed"}}).encode()
            forged = [f"/{token}.{other}", f"/{token}", f"/{'0' * 32}.{mac}", "/", f"{path}0",
                      f"/{token}.{mac.upper()}", f"/{token}."]
            for bad in forged:
                self.assertEqual(post(g, bad, body), 204)
            self.assertEqual(post(g, forged[0], b"\xff" * 200_000), 204)
            wait_until(lambda: counted(g, "forged") == len(forged) + 1, "the counts")
            self.assertEqual((counted(g, "known"), counted(g, "in_doubt")), (0, 0))
            now = g.json("get", job["jobId"])
            self.assertIn(now["state"], ("JOB_STATE_QUEUED", "JOB_STATE_RUNNING"))
            self.assertNotIn(token, g.log.read_text())

    def test_the_admin_pages_are_not_there(self):
        with gateway(*HOOK) as g:
            for path in ("/metrics", "/livez", "/"):
                connection = http.client.HTTPConnection(g.webhook, timeout=10)
                connection.request("GET", path)
                answer = connection.getresponse()
                self.assertEqual((answer.status, answer.read()), (405, b""))
                connection.close()

    def flood(self, g, path, connections, body):
        per_second, seconds = FLOOD.split("x")
        before, began = g.cpu(), time.monotonic()
        port = g.webhook.rsplit(":", 1)[1]
        done = subprocess.run([BIN / "flood", port, path, per_second, seconds, str(connections), body],
                              text=True, capture_output=True, timeout=120, check=True)
        took = time.monotonic() - began
        seen = json.loads(done.stdout)
        seen["cpu"] = (g.cpu() - before) / took
        print(f"\n{path[:8]}… {connections or 'new'} connections: {seen}")
        self.assertEqual(seen["204"], seen["sent"])
        if int(per_second) >= 10_000:
            self.assertLessEqual(seen["cpu"], 0.5)
        return seen

    def test_a_flood_of_them(self):
        for connections in (8, 0):
            with gateway(*HOOK, speed=0.02) as g:
                job = preview(g, "target")
                [entry] = journal(g)
                token = hook_path(entry)[1:].split(".")[0]
                body = json.dumps({"job_id": entry["job_id"], "data": {"status": "failed"}})
                seen = self.flood(g, f"/{token}.", connections, body)
                self.assertEqual(counted(g, "forged"), seen["sent"])
                self.assertEqual((counted(g, "known"), counted(g, "unknown")), (0, 0))
                self.assertIn(g.json("get", job["jobId"])["state"],
                              ("JOB_STATE_QUEUED", "JOB_STATE_RUNNING"))

    def test_a_url_that_leaked(self):
        """Who knows a URL can ask for polls of its one job: one in two seconds."""
        with gateway(*HOOK, speed=0.02) as g:
            quiet, target = preview(g, "quiet"), preview(g, "target")
            entries = {entry["job_id"]: entry for entry in journal(g)}
            polls = lambda job: g.pages.stats()["polls"].get(job["pictoryJobId"], 0)
            seen = self.flood(g, hook_path(entries[target["pictoryJobId"]]), 8,
                              json.dumps({"job_id": target["pictoryJobId"], "success": False,
                                          "data": {"status": "failed"}}))
            self.assertLessEqual(counted(g, "known"), 4 * (seen["seconds"] + 1))
            self.assertLessEqual(polls(target), polls(quiet) + seen["seconds"] / 2 + 4)
            self.assertIn(g.json("get", target["jobId"])["state"],
                          ("JOB_STATE_QUEUED", "JOB_STATE_RUNNING"))

    def test_a_url_that_a_result_repeats_is_good_for_nothing(self):
        """Pictory says it back in the result of a preview, so readers of the job and of the store know it. By then the
        job has ended."""
        with gateway(*HOOK) as g:
            read, other = (ended(g, preview(g, name)) for name in ("read", "other"))
            entries = {entry["job_id"]: entry for entry in journal(g)}
            path = hook_path(entries[read["pictoryJobId"]])
            stored = b"".join(file.read_bytes() for file in g.state.rglob("jobs.db*"))
            self.assertIn(path[1:].encode(), stored, "else this shows nothing")
            asked = lambda: [g.pages.stats()["polls"].get(job["pictoryJobId"], 0) for job in (read, other)]
            before, counts = asked(), g.metric("callbacks_total")
            for job in (read, other):
                for status in ("failed", "completed"):
                    self.assertEqual(post(g, path, json.dumps({"job_id": job["pictoryJobId"], "success": False,
                                                               "data": {"status": status}}).encode()), 204)
            wait_until(lambda: g.metric("callbacks_total") > counts, "the calls to be looked at")
            ended(g, preview(g, "afterwards"))
            self.assertEqual(asked(), before)
            for job in (read, other):
                self.assertEqual(g.json("get", job["jobId"]), job)


if __name__ == "__main__":
    unittest.main()
