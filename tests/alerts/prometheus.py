"""Debian's Prometheus with the rules of server/deploy/monitoring, whose times are made short. Expressions stay as they
are, but for the ranges in them."""

import json
import pathlib
import re
import subprocess
import urllib.parse
import urllib.request

from live.process import DEADLINE_SECONDS, Process, wait_until

RULES = pathlib.Path(__file__).resolve().parents[2] / "server/deploy/monitoring/alerts.yml"
CONFIG = """
global: {scrape_interval: 250ms, scrape_timeout: 250ms, evaluation_interval: 250ms}
rule_files: [alerts.yml]
scrape_configs:
  - job_name: pictory-gateway
    file_sd_configs: [{files: [targets.json], refresh_interval: 1s}]
"""
INSTANCE = "the-gateway"  # whatever port a restart takes


def names():
    return re.findall(r"- alert: (\w+)", RULES.read_text())


def shortened(rules, window, overdue):
    """The same rules, that look back for `window`, wait for a second, and take a poll for late after `overdue`
    seconds."""
    rules, changed = re.subn(r"(poll_overdue_seconds > )\d+", rf"\g<1>{overdue}", rules)
    if changed != 1:
        raise AssertionError("no alert looks at overdue polls any more")
    return re.sub(r"\[\d+[smh]\]", f"[{window}]", re.sub(r"for: \d+[smh]", "for: 1s", rules))


class Prometheus(Process):
    def __init__(self, folder, window="4s", overdue=5):
        self.folder = folder
        folder.mkdir()
        (folder / "alerts.yml").write_text(shortened(RULES.read_text(), window, overdue))
        (folder / "prometheus.yml").write_text(CONFIG)
        self.watch(None)
        self.log = folder / "log"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                 "--web.listen-address=127.0.0.1:0"], stderr=log, stdout=log)
        self.port = wait_until(self.port_taken, "Prometheus' port", every=0.1)
        wait_until(lambda: "Server is ready" in self.log.read_text(), "Prometheus", every=0.1)

    def port_taken(self):
        """It is told port 0 and does not say which it took, so the system is asked."""
        sockets = {link.readlink().name for link in pathlib.Path(f"/proc/{self.pid}/fd").iterdir()
                   if link.is_symlink()}
        for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == "0A" and f"socket:[{rest[5]}]" in sockets:
                return int(local.split(":")[1], 16)
        return None

    def watch(self, address):
        """Scrapes this address from now on; None: nothing."""
        targets = [{"targets": [address], "labels": {"instance": INSTANCE}}] if address else []
        beside = self.folder / "targets.new"
        beside.write_text(json.dumps(targets))
        beside.rename(self.folder / "targets.json")

    def ask(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=DEADLINE_SECONDS) as answer:
            return json.loads(answer.read())["data"]

    def value(self, expression):
        """The sum of what it gives now; None if that is nothing."""
        found = self.ask("query", query=expression)["result"]
        return sum(float(each["value"][1]) for each in found) if found else None

    def states(self):
        """What is pending or firing, by the alert's name."""
        return {alert["labels"]["alertname"]: alert for alert in self.ask("alerts")["alerts"]}

    def fires(self, name):
        alert = self.states().get(name)
        return alert if alert and alert["state"] == "firing" else None
