"""What goes wrong says so in one clear line, and nothing crashes."""

import json
import os
import pathlib
import socket
import subprocess
import tempfile
import unittest

import find_live  # noqa: F401
from live.gateway import gateway
from live.programs import BIN

CLEAN = {k: v for k, v in os.environ.items() if not k.startswith("PICTORY_")}


def start(*args, env=None):
    with tempfile.TemporaryDirectory() as state:
        return subprocess.run([BIN / "pictory-gateway", "--state-dir", state, *args],
                              env=dict(CLEAN, **(env or {})), text=True, capture_output=True,
                              timeout=30)


class Starting(unittest.TestCase):
    def test_wrong_flags(self):
        for args, word in ((["--no-such-flag"], "no-such-flag"), (["--listen", "here"], "port"),
                           (["--max-watches", "0"], "max-watches"),
                           (["--api-key-file", "/no/such/file"], "/no/such/file")):
            done = start(*args)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(word, done.stderr)

    def test_without_credentials_only_a_loopback_sandbox(self):
        done = start("--listen", "0.0.0.0:0")
        self.assertEqual(done.returncode, 2)
        self.assertIn("PICTORY_API_KEY", done.stderr)

    def test_a_listener_others_can_reach_must_be_wanted(self):
        done = start("--listen", "0.0.0.0:0", env={"PICTORY_API_KEY": "pictai_x"})
        self.assertEqual(done.returncode, 2)
        self.assertIn("--trust-network", done.stderr)
        self.assertNotIn("pictai_x", done.stderr)

    def test_a_busy_port(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            for flag in ("--listen", "--admin-listen"):
                other = "--admin-listen" if flag == "--listen" else "--listen"
                done = start("--sandbox", flag, address, other, "127.0.0.1:0")
                self.assertEqual(done.returncode, 1)
                self.assertIn(address, done.stderr)

    def test_a_store_in_use(self):
        with gateway() as g:
            done = subprocess.run(
                [BIN / "pictory-gateway", "--sandbox", "--listen", "127.0.0.1:0", "--admin-listen",
                 "off", "--state-dir", g.state / "jobs"],
                env=CLEAN, text=True, capture_output=True, timeout=30)
            self.assertEqual(done.returncode, 1)
            self.assertIn(str(g.process.pid), done.stderr)


class Upstream(unittest.TestCase):
    def test_unreachable(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
            url = f"http://127.0.0.1:{closed.getsockname()[1]}/pictoryapis"
            with gateway("--base-url", url, sandbox=False, env={"PICTORY_API_KEY": "pictai_k"}) as g:
                done = g.run("preview", "--name", "a", "--text", "Hi.", "--timeout", "10")
                self.assertEqual(done.returncode, 5, done.stderr)
                self.assertIn("cannot be reached", done.stderr)

    def test_a_bad_key(self):
        with gateway() as sandboxed:
            with gateway("--base-url", sandboxed.sandbox, sandbox=False,
                         env={"PICTORY_API_KEY": "pictai_bad"}) as g:
                done = g.run("preview", "--name", "a", "--text", "Hi.")
                self.assertEqual(done.returncode, 5, done.stderr)
                self.assertIn("credentials", done.stderr)
                self.assertNotIn("pictai_bad", done.stderr + g.log.read_text())


class Requests(unittest.TestCase):
    def test_unknown_job(self):
        with gateway() as g:
            for command in ("get", "watch", "wait"):
                done = g.run(command, "no-such-job")
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertIn("no-such-job", done.stderr)

    def test_a_misspelt_field_of_raw_json(self):
        body = json.dumps({"videoName": "a", "scenes": [{"story": "Hi."}], "aspectRatoi": "1:1"})
        with gateway() as g:
            done = g.run("preview", "-", input=body)
            self.assertEqual(done.returncode, 5, done.stderr)
            self.assertIn("aspectRatoi", done.stderr)
            self.assertIn("aspectRatio", done.stderr)
            self.assertEqual(g.run("preview", "-", "--allow-unknown-fields", input=body).returncode, 0)

    def test_a_missing_file_and_broken_json(self):
        with gateway() as g:
            missing = g.run("preview", "/no/such/file.json")
            self.assertEqual(missing.returncode, 2)
            self.assertIn("/no/such/file.json", missing.stderr)
            broken = g.run("preview", "-", input='{"videoName": }')
            self.assertEqual(broken.returncode, 2)
            self.assertIn("stdin:1:15", broken.stderr)

    def test_invalid_utf8(self):
        broken = b'{"videoName":"a\xff","scenes":[{"story":"Hi."}]}'
        with gateway() as g, tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "broken.json"
            file.write_bytes(broken)
            for args in (["preview", file], ["preview", "--name", "a", "--text", "Hi \udcff."]):
                done = g.run(*args)
                self.assertIn(done.returncode, (2, 5), done.stderr)
                self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
                self.assertIn("UTF-8", done.stderr)
            self.assertEqual(g.run("list").returncode, 0)  # still serving

    def test_a_request_of_20_mb(self):
        body = json.dumps({"videoName": "a", "scenes": [{"story": "x" * 20_000_000}]})
        with gateway() as g:
            done = g.run("preview", "-", input=body)
            self.assertIn(done.returncode, (2, 5))
            self.assertTrue(done.stderr.strip())
            self.assertEqual(g.run("list").returncode, 0)  # still serving

    def test_nobody_listens(self):
        with gateway() as g:
            g.kill()
            done = g.run("list", "--timeout", "5")
            self.assertEqual(done.returncode, 5)
            self.assertIn(g.grpc, done.stderr)


if __name__ == "__main__":
    unittest.main()
