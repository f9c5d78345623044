"""What an operator does to a running gateway: signals, new secrets."""

import contextlib
import json
import os
import pathlib
import signal
import tempfile
import threading
import unittest
import urllib.error
import urllib.request

import find_live  # noqa: F401
from live.gateway import Gateway, gateway
from live.process import wait_until
from live.sandbox import Sandbox


class Secrets(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name)
        self.sandbox = Sandbox(self.path, env={"PICTORY_API_KEY": "pictai_right"})
        self.key = self.path / "key"
        self.write("pictai_wrong")
        self.gateway = Gateway(self.path / "gateway", "--base-url", self.sandbox.url, "--api-key-file",
                               self.key, "--log-format", "json", sandbox=False)

    def tearDown(self):
        self.gateway.end()
        self.sandbox.end()
        self.folder.cleanup()

    def write(self, key):
        beside = self.path / "key-new"
        beside.write_text(key + "\n")
        beside.chmod(0o600)
        beside.rename(self.key)

    def events(self, name):
        lines = self.gateway.log.read_text().splitlines()
        return [line for line in map(json.loads, lines) if line["event"] == name]

    def ready(self):
        try:
            return self.gateway.fetch("/readyz")
        except urllib.error.HTTPError as refused:
            return refused.read().decode()

    def submit(self, request_id):
        return self.gateway.run("preview", "--name", "a", "--text", "Hello.", "--request-id", request_id)

    def test_a_refused_key_is_told_and_healed_by_a_new_file(self):
        self.assertIn("refuses the gateway's credentials", self.submit("a").stderr)
        wait_until(lambda: "credentials" in self.ready(), "not ready for want of a good key")
        self.assertIn("refuses the gateway's credentials", self.submit("b").stderr)
        self.assertEqual(len(self.events("upstream_credentials")), 1)
        self.gateway.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.events("reloaded"), "the end of a reload")
        self.assertEqual(self.events("reloaded")[0]["secret"], "as before")
        self.write("")
        wait_until(lambda: self.events("secret_kept"), "the log to say that the file is no good")
        self.write("pictai_right")
        wait_until(lambda: "credentials" not in self.ready(), "ready again")
        self.assertEqual(self.submit("a").returncode, 0)
        self.assertNotIn("pictai_right", self.gateway.log.read_text())

    def test_no_signal_ends_it_but_those_that_should(self):
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGXFSZ, signal.SIGHUP):
            self.gateway.process.send_signal(number)
        wait_until(lambda: self.events("reloaded"), "the end of a reload")
        self.assertIn("ok", self.ready())
        self.gateway.process.send_signal(signal.SIGQUIT)
        self.assertEqual(self.gateway.process.wait(timeout=60), 0)
        names = [event["name"] for event in self.events("signal")]
        self.assertEqual(set(names), {"SIGUSR1", "SIGUSR2", "SIGHUP", "SIGQUIT"})
        self.assertEqual(self.events("signal")[0]["from_pid"], os.getpid())


class Endings(unittest.TestCase):
    """The end of a gateway that waits for an answer of Pictory's which does not come."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.sandbox = Sandbox(pathlib.Path(self.folder.name), "--speed", "0.01")
        self.addCleanup(self.sandbox.end)
        self.gateway = Gateway(pathlib.Path(self.folder.name) / "gateway", "--base-url", self.sandbox.url,
                               "--log-format", "json", sandbox=False, env={"PICTORY_API_KEY": "pictai_right"})
        self.addCleanup(self.gateway.end)

    def submit(self):
        return self.gateway.run("preview", "--name", "held", "--text", "Hello.", "--request-id", "held", "--json")

    def logged(self, event):
        return [line for line in map(json.loads, self.gateway.log.read_text().splitlines()) if line["event"] == event]

    @contextlib.contextmanager
    def held(self):
        """With a submit that was sent, and that Pictory does not answer."""
        self.sandbox.fault("never_answer", times=1)
        caller = threading.Thread(target=self.submit)
        caller.start()
        wait_until(lambda: "held" in self.sandbox.journal(), "the POST")
        yield
        caller.join()

    def test_a_second_signal_ends_at_once_and_loses_nothing(self):
        with self.held():
            self.gateway.process.send_signal(signal.SIGTERM)
            wait_until(lambda: self.logged("draining"), "the drain")
            wait_until(lambda: self.gateway.process.send_signal(signal.SIGINT) or self.gateway.process.poll() is not None,
                       "the second signal to be one", every=0.1)
            self.assertEqual(self.gateway.process.returncode, 72)
        ended, = self.logged("ended_at_once")
        self.assertEqual((ended["signal"], ended["from_pid"], ended["open_calls"]), ("SIGINT", os.getpid(), 1))
        self.gateway.start()
        found = json.loads(self.submit().stdout.splitlines()[0])
        self.assertEqual(found["state"], "JOB_STATE_UNCONFIRMED")
        self.assertEqual(len(self.sandbox.journal()["held"]), 1)

    def test_signals_that_come_together_are_one(self):
        for each in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
            self.gateway.process.send_signal(each)
        self.assertEqual(self.gateway.process.wait(timeout=60), 0)
        self.assertEqual(self.logged("ended_at_once"), [])


class RefusedCalls(unittest.TestCase):
    def test_each_has_a_line_without_what_the_caller_wrote(self):
        with gateway("--max-submits-per-day", "1", "--log-format", "json") as g:
            def refused(**fields):
                lines = [json.loads(line) for line in g.log.read_text().splitlines()]
                return [line for line in lines if line["event"] == "call_refused"
                        and all(line.get(name) == value for name, value in fields.items())]

            story = json.dumps({"videoName": "a", "scenes": [{"story": "A secret film."}],
                                "aspectRatoi": "1:1"})
            self.assertNotEqual(g.run("preview", "-", "--request-id", "wrong", input=story).returncode, 0)
            job = g.json("preview", "--name", "a", "--text", "A secret film.", "--request-id", "a")["jobId"]
            self.assertEqual(g.run("preview", "--name", "b", "--text", "b", "--request-id", "b").returncode, 5)
            self.assertEqual(g.run("get", "nobody-knows-this").returncode, 3)
            wait_until(lambda: refused(reason="SPENDING_LIMIT"), "the line of the last refusal")
            [wrong] = refused(reason="INVALID_REQUEST")
            self.assertEqual((wrong["method"], wrong["code"], wrong["request_id"], wrong["level"]),
                             ("CreatePreview", "INVALID_ARGUMENT", "wrong", "info"))
            self.assertIn("aspectRatoi", wrong["fields"])
            self.assertTrue(wrong["peer"].startswith("ipv4:127.0.0.1:"), wrong)
            [limit] = refused(reason="SPENDING_LIMIT")
            self.assertEqual((limit["code"], limit["request_id"]), ("RESOURCE_EXHAUSTED", "b"))
            self.assertIn("allows 1 submits a day", limit["message"])
            self.assertEqual(len(refused()), 2, "an unknown job has none")
            self.assertNotIn("secret", g.log.read_text())
            self.assertEqual(g.metric("grpc_server_call_duration_seconds_count", grpc_status="NOT_FOUND",
                                      grpc_method="pictory.jobs.v1.PictoryJobs/GetJob"), 1)
            self.assertTrue(job)


if __name__ == "__main__":
    unittest.main()
