"""The dashboard, asked of a real Prometheus that looks at a gateway to which all has happened that it shows."""

import contextlib
import json
import urllib.error

from live.collector import Collector
from live.process import wait_until
from live.rows import Outcome, Row
from live.tenants import keygen
from prometheus import RULES
from troubles import Scene

# What Grafana puts in; the names are Prometheus' and Grafana's.
FILLED_IN = {"$__rate_interval": "60s", "$job": ".+"}


def expressions():
    dashboard = json.loads((RULES.parent / "dashboard.json").read_text())
    return [(panel["title"], target["expr"]) for panel in dashboard["panels"] for target in panel.get("targets", [])]


def asked(prometheus, expression):
    """Whether it gives anything; or what Prometheus has against it."""
    for name, value in FILLED_IN.items():
        expression = expression.replace(name, value)
    try:
        return bool(prometheus.ask("query", query=expression)["result"])
    except urllib.error.HTTPError as error:
        return json.loads(error.read())["error"]


def everything(scene, collector):
    """A gateway, and a little of all that is counted."""
    key, lines = keygen("acme")
    tenants = scene.folder / "tenants.toml"
    url, secret = scene.receiver(204)
    tenants.write_text(f'[tenants.acme]\nlimits = {{ credits_per_day = 100 }}\n'
                       f'notify = {{ url = "{url}", secret_files = ["{secret}"] }}\n{lines}')
    archive = scene.folder / "archive"
    archive.mkdir(mode=0o700)
    g = scene.gateway("--tenants", tenants, "--max-submits-per-day", "100", "--otlp-endpoint", collector.url,
                      "--archive-dir", archive)

    def preview(name, *args):
        g.run("preview", "--name", name, "--text", "One line.", "--request-id", name, *args, key=key)

    preview("a", "--wait")
    preview("a")
    preview("sandbox-fail", "--wait")
    g.pages.fault("status", times=1, status=429, retry_after=1)
    preview("b")


def measure(folder, _options):
    with contextlib.ExitStack() as exits:
        scene = Scene(folder, exits, "", "60s")
        collector = Collector()
        exits.callback(collector.close)
        everything(scene, collector)
        targets = expressions()

        def silent():
            return {f"{title}: {expression}": answer for title, expression in targets
                    if (answer := asked(scene.prometheus, expression)) is not True}

        try:
            wait_until(lambda: not silent(), "an answer to each", every=0.5, patience=30)
        except AssertionError:
            return Outcome(False, f"{len(targets)} asked", [f"{what} -> {answer}" for what, answer in silent().items()])
        return Outcome(True, f"{len(targets)} asked")


DASHBOARD = Row("dashboard", "each of its expressions gives something", measure)
