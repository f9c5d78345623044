"""`pictory doctor`: each thing that can be in the way, put there, is found."""

import json
import subprocess
import tempfile
import unittest

import find_live  # noqa: F401
from live.gateway import gateway
from live.process import wait_until
from live.programs import BIN
from live.tenants import keygen

CHECKS = ["gateway", "clock", "versions", "identity", "store", "load", "Pictory", "budget", "streams"]


def findings(done):
    return {each["check"]: each for each in map(json.loads, done.stdout.splitlines())}


def health(done):
    return {check: finding["health"] for check, finding in findings(done).items()}


class Doctor(unittest.TestCase):
    def test_all_is_well(self):
        with gateway() as g:
            done = g.run("doctor", "--stream", "1s", "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(list(findings(done)), CHECKS)
            self.assertEqual(set(health(done).values()), {"OK"})
            self.assertIn("sandbox answered in", findings(done)["Pictory"]["message"])
            text = g.run("doctor", "--stream", "0")
            self.assertEqual([each.split()[1] for each in text.stdout.splitlines()], CHECKS[:-1])
            for server, why in ((f"https://{g.grpc}", "leave https:// out"), (g.admin, "this is an HTTP port")):
                done = subprocess.run([BIN / "pictory", "doctor", "--server", server, "--json"], capture_output=True,
                                      text=True, timeout=60)
                self.assertEqual(done.returncode, 5)
                self.assertIn(why, findings(done)["gateway"]["message"])
                self.assertNotIn("is it running?", done.stdout)
                self.assertEqual(done.stderr, "")

    def test_nobody_is_there(self):
        done = subprocess.run([BIN / "pictory", "doctor", "--server", "127.0.0.1:1", "--json"], capture_output=True,
                              text=True, timeout=60)
        self.assertEqual((done.returncode, health(done)), (5, {"gateway": "FAIL"}))
        self.assertIn("is it running?", findings(done)["gateway"]["message"])

    def test_submits_are_stopped(self):
        with gateway() as g:
            (g.state / "jobs" / "stop-submits").touch()
            wait_until(lambda: g.json("usage")["submitsStopped"], "the stop")
            done = g.run("doctor", "--stream", "0", "--json")
            self.assertEqual((done.returncode, health(done)["budget"]), (5, "FAIL"))

    def test_pictory_refuses_the_key(self):
        with gateway() as g:
            g.pages.fault("status", match={"path_prefix": "/"}, status=401)
            done = g.run("doctor", "--stream", "0", "--json")
            self.assertEqual((done.returncode, health(done)["Pictory"]), (5, "FAIL"), done.stdout)
            self.assertIn("UPSTREAM_CREDENTIALS", findings(done)["Pictory"]["message"])

    def test_a_stream_is_cut(self):
        with gateway() as g:
            command = [BIN / "pictory", "doctor", "--stream", "10m", "--json", "--server", g.grpc]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
                self.assertIn("Holding a stream open for 10m00s", running.stderr.readline())
                g.process.kill()
                out, _ = running.communicate(timeout=60)
            found = {each["check"]: each for each in map(json.loads, out.splitlines())}
            self.assertEqual((running.returncode, found["streams"]["health"]), (0, "WARN"))
            self.assertIn("cut after", found["streams"]["message"])

    def test_who_calls_and_who_may_not(self):
        with tempfile.TemporaryDirectory() as folder:
            key, lines = keygen("acme", "ci")
            tenants = f"{folder}/tenants.toml"
            with open(tenants, "w", encoding="utf-8") as file:
                file.write(lines + "roles=['read']\n")
            with gateway("--tenants", tenants) as g:
                done = g.run("doctor", "--stream", "0", "--json", key=key)
                self.assertEqual(done.returncode, 0, done.stdout)
                self.assertEqual(health(done)["identity"], "WARN")
                self.assertIn("key:ci, tenant acme, may read", findings(done)["identity"]["message"])
                self.assertNotIn(key, done.stdout + done.stderr)
                nobody = g.run("doctor", "--stream", "0", "--json")
                self.assertEqual((nobody.returncode, health(nobody)), (5, {"gateway": "FAIL"}))
                self.assertIn("PICTORY_GATEWAY_KEY", findings(nobody)["gateway"]["fix"])


if __name__ == "__main__":
    unittest.main()
