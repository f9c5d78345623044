"""What is set is understood or refused, and the log tells it."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import find_live  # noqa: F401
from live.gateway import gateway
from live.programs import BIN

CANARY = "canary7"
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith("PICTORY_")}


def start(*args, env=None):
    """A start that ends by itself, because something is wrong."""
    with tempfile.TemporaryDirectory() as state:
        return subprocess.run(
            [BIN / "pictory-gateway", "--state-dir", state, "--listen", "127.0.0.1:0",
             "--admin-listen", "off", *args],
            env=dict(CLEAN, **(env or {})), text=True, capture_output=True, timeout=30)


class Refused(unittest.TestCase):
    def refused(self, done, *words):
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertNotIn(CANARY, done.stderr)
        for line in done.stderr.splitlines():
            self.assertTrue(line.startswith("pictory-gateway: "), line)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_misspelt_variables_all_at_once(self):
        done = start(env={"PICTORY_MAX_SUBMITS_PER_DYA": CANARY, "PICTORY_APIKEY": CANARY,
                          "PICTORY_CLIENT_SECRET": ""})
        self.refused(done, "PICTORY_MAX_SUBMITS_PER_DAY?", "PICTORY_API_KEY?",
                     "PICTORY_CLIENT_SECRET: is set, but empty")
        self.assertEqual(len(done.stderr.splitlines()), 3)

    def test_an_empty_key_is_not_the_sandbox(self):
        self.refused(start(env={"PICTORY_API_KEY": ""}), "PICTORY_API_KEY")

    def test_a_wrong_file(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "gateway.conf"
            file.write_text(f"max-submits-per-day=1\napi-key={CANARY}\nmax-submits-per-day=100\n{CANARY}\n")
            self.refused(start("--config", file), f"{file}:2: ", f"{file}:3: ", f"{file}:4: ")
            self.refused(start(env={"PICTORY_CONFIG": str(file)}), f"{file}:2: ")
            self.refused(start("--config", folder), "directory")

    def test_what_the_settings_name_is_wrong(self):
        """It is found when the files are looked at, and is no less an error of the settings."""
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for key, mode in (("one", 0o600), ("same", 0o600), ("open", 0o644)):
                (folder / key).touch(mode)
                (folder / key).write_text("pictai_one\n")
            tenants = folder / "tenants.toml"
            account = f'[accounts.%s]\napi_key_file = "{folder}/%s"\n'
            one = account % ("one", "one")
            for words, document, flags in (
                    (("account one", f"cannot read {folder}/none"), account % ("one", "none"), ()),
                    (("account one", "can be read by others"), account % ("one", "open"), ()),
                    (("account two", "same credentials as one"), one + account % ("two", "same"), ()),
                    ((f"{folder}/none.pem",), one, ("--ca-file", folder / "none.pem"))):
                with self.subTest(words):
                    tenants.write_text(document + '[tenants.acme]\naccount = "one"\n')
                    done = start("--tenants", tenants, *flags)
                    self.assertEqual(done.returncode, 2, done.stderr)
                    for word in ("cannot_start", *words):
                        self.assertIn(word, done.stderr)

    def test_the_sandbox_too(self):
        done = subprocess.run([BIN / "pictory-gateway", "sandbox", "--listen", "127.0.0.1:0"],
                              env=dict(CLEAN, PICTORY_CLIENT_ID=""), text=True, capture_output=True,
                              timeout=30)
        self.refused(done, "PICTORY_CLIENT_ID")


class Checked(unittest.TestCase):
    """--check-settings: what a start would refuse, without a start."""

    def check(self, folder, *args):
        return subprocess.run(
            [BIN / "pictory-gateway", "--check-settings", "--state-dir", folder / "state", *args],
            env=dict(CLEAN, PICTORY_API_KEY="pictai_two"), text=True, capture_output=True, timeout=30)

    def test_what_is_right_and_what_is_not(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            key = folder / "key"
            key.touch(0o600)
            key.write_text("pictai_one\n")
            tenants = folder / "tenants.toml"
            tenants.write_text(f'[accounts.one]\napi_key_file = "{key}"\n[tenants.acme]\naccount = "one"\n')
            conf = folder / "gateway.conf"
            conf.write_text(f"tenants = {tenants}\nlisten = 127.0.0.1:0\n")
            done = self.check(folder, "--config", conf)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("The settings are right", done.stdout)

            def refused(*words):
                done = self.check(folder, "--config", conf)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                [line] = done.stderr.splitlines()
                for word in ("pictory-gateway: ", *words):
                    self.assertIn(word, line)
            key.chmod(0o644)
            refused("account one", "can be read by others")
            key.chmod(0o600)
            tenants.write_text("[tenants.acme\n")
            refused(f"{conf}:1: tenants: ", str(tenants))
            tenants.unlink()
            refused(f"{conf}:1: tenants: ")
            conf.write_text(f"ca-file = {folder}/none.pem\n")
            refused("none.pem")
            conf.write_text("otlp-endpoint = nowhere\n")
            refused("--otlp-endpoint")
            conf.write_text("max-watches = many\n")
            refused(f"{conf}:1: max-watches")
            conf.write_text("check-settings = true\n")
            refused("no such setting")
            self.assertEqual(sorted(path.name for path in folder.iterdir()), ["gateway.conf", "key"], "it writes nothing")

    def test_it_is_the_gateways(self):
        done = subprocess.run([BIN / "pictory-gateway", "--check-settings", "sandbox"], env=CLEAN, text=True,
                              capture_output=True, timeout=30)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--check-settings: stands before the command sandbox", done.stderr)


class Told(unittest.TestCase):
    def settings(self, g):
        lines = [line for line in g.log.read_text().splitlines()
                 if ' info settings ' in line or '"event":"settings"' in line]
        self.assertEqual(len(lines), 1)
        return lines[0]

    def test_the_log_line(self):
        links = {"PICTORY_GATEWAY_SERVICE_HOST": "10.96.7.1", "PICTORY_GATEWAY_SERVICE_PORT_GRPC": "50051",
                 "PICTORY_GATEWAY_PORT": "tcp://10.96.7.1:50051",
                 "PICTORY_GATEWAY_PORT_50051_TCP_ADDR": "10.96.7.1",
                 "PICTORY_SANDBOX_PORT": "tcp://10.96.7.2:8090"}
        env = {"PICTORY_API_KEY": f"pictai_{CANARY}", "PICTORY_USER_ID": CANARY,
               "PICTORY_PROXY": f"http://{CANARY}:{CANARY}@127.0.0.1:1",
               "PICTORY_MAX_SUBMITS_PER_DAY": "7", "PICTORY_LOG_FORMAT": "json", **links}
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "gateway.conf"
            file.write_text("# guards\nmax-submits-per-day=6\nmax-watches=50\n")
            with gateway("--config", file, env=env) as g:
                told = json.loads(self.settings(g))
                self.assertEqual(told.pop("event"), "settings")
                self.assertEqual(told["max-submits-per-day"], "7 (PICTORY_MAX_SUBMITS_PER_DAY)")
                self.assertEqual(told["max-watches"], f"50 ({file}:3)")
                self.assertEqual(told["api-key"], "set (PICTORY_API_KEY)")
                self.assertEqual(told["user-id"], "set (PICTORY_USER_ID)")
                self.assertEqual(told["sandbox"], "true (flag)")
                self.assertEqual(told["ignored"], "PICTORY_SANDBOX_PORT")
                names = [name for name in told if name not in ("time", "level", "ignored")]
                self.assertEqual(names, sorted(names))
                self.assertNotIn(CANARY, g.log.read_text())

    def test_as_text(self):
        with gateway("--log-format=text", env={"PICTORY_API_KEY": f"pictai_{CANARY}"}) as g:
            line = self.settings(g)
            self.assertIn(' info settings admin-listen="127.0.0.1:0 (flag)" '
                          'api-key="set (PICTORY_API_KEY)" listen="127.0.0.1:0 (flag)" ', line)
            self.assertNotIn(CANARY, g.log.read_text())


if __name__ == "__main__":
    unittest.main()
