"""Starts the real Envoy on ports the system chooses, and ends it."""

import json
import re
import signal
import subprocess
import urllib.request

import tools
from live.process import wait_until


class Envoy:
    """One process. It can be killed and started again, and is then found at the same address."""

    def __init__(self, folder, config):
        self.folder, self.config = folder, config
        folder.mkdir()
        self.start()
        address = self.listener["local_address"]["socket_address"]
        self.target = f"{address['address']}:{address['port_value']}".replace("0.0.0.0", "127.0.0.1")
        self.config["static_resources"]["listeners"][0]["address"] = {"socket_address": address}

    def start(self):
        told = self.folder / "admin"
        told.unlink(missing_ok=True)
        file = self.folder / "envoy.json"
        file.write_text(json.dumps(self.config, indent=1))
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [tools.envoy(), "--config-path", file, "--admin-address-path", told, "--concurrency", "1",
                 "--disable-hot-restart", "--log-level", "warning"], stdout=log, stderr=log)
        wait_until(lambda: self.process.poll() is not None or self.serves(told), "Envoy")
        if self.process.poll() is not None:
            raise AssertionError(f"Envoy did not start: {(self.folder / 'log').read_text()}")

    def serves(self, told):
        if not told.exists() or not told.read_text():
            return False
        self.admin = told.read_text().strip()
        try:
            found = json.loads(self.ask("/listeners?format=json")).get("listener_statuses")
            self.listener = found and found[0]
            return self.listener and self.ask("/ready") == "LIVE\n"
        except OSError:  # nobody listens yet, or it says itself that it is not ready
            return False

    def ask(self, path, **kwargs):
        with urllib.request.urlopen(f"http://{self.admin}{path}", timeout=10, **kwargs) as answer:
            return answer.read().decode()

    def stat(self, name):
        """A counter or gauge whose name ends so."""
        found = re.findall(rf"^\S*{re.escape(name)}: (\d+)$", self.ask("/stats"), re.M)
        return sum(map(int, found))

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def check(config_file):
    """What Envoy finds wrong with a file; "" if nothing."""
    done = subprocess.run([tools.envoy(), "--mode", "validate", "--config-path", config_file],
                          capture_output=True, text=True, timeout=60)
    return "" if done.returncode == 0 else done.stderr
