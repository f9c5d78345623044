"""What /metrics says: names that Prometheus' own check likes, all of them in the docs, and none elsewhere that is not
there: in the dashboard, in the rules, in the docs."""

import json
import pathlib
import re
import subprocess
import unittest

import find_live  # noqa: F401
from live.gateway import gateway
from live.process import DEADLINE_SECONDS

ROOT = pathlib.Path(__file__).resolve().parents[2]
MONITORING = ROOT / "server/deploy/monitoring"
STORY = "One sentence is enough."
NAME = re.compile(r"\b(?:pictory_gateway|grpc_server|process)_\w+")
OF_HISTOGRAMS = re.compile(r"_(bucket|count|sum)$")


def promtool(*args, text=None):
    done = subprocess.run(["promtool", *map(str, args)], input=text, text=True, capture_output=True,
                          timeout=DEADLINE_SECONDS)
    return done.returncode, done.stdout + done.stderr


def names_of_sources():
    """Each metric that the program can have, by the places that make them."""
    written = "".join((ROOT / "server" / file).read_text()
                      for file in ("obs/metrics.cc", "obs/process_stats.cc", "app/archive.cc", "app/notifications.cc"))
    names = set(re.findall(r'"((?:pictory_gateway|grpc_server|process)_\w+)"', written))
    gauges = (ROOT / "server/app/gauges.cc").read_text()
    names |= {"pictory_gateway_" + name for name in re.findall(r'add\.\w+\(\s*"(\w+)"', gauges)}
    return names | {"pictory_gateway_" + name for name in re.findall(r'kPrefix\) \+ "(\w+)"', gauges)}


def names_of_docs():
    text = (ROOT / "server/docs/operations.md").read_text()
    rows = [line.split("|")[1] for line in text.split("## Metrics\n")[1].split("\n## ")[0].splitlines()
            if line.startswith("| `")]
    return {name if NAME.fullmatch(name) else "pictory_gateway_" + name
            for row in rows for name in re.findall(r"`(\w+)`", row)}


def used(expression):
    """The metrics in an expression, without what a histogram adds to its name."""
    without_labels = re.sub(r"\{[^}]*\}", "", expression)
    return {OF_HISTOGRAMS.sub("", name) for name in NAME.findall(without_labels)}


def expressions(node):
    """Of a dashboard, and its queries for variables."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("expr", "query") and isinstance(value, str):
                yield value
            else:
                yield from expressions(value)
    elif isinstance(node, list):
        for value in node:
            yield from expressions(value)


class Names(unittest.TestCase):
    def test_the_docs_have_every_metric(self):
        self.assertEqual(names_of_docs(), names_of_sources())

    def test_the_dashboard_asks_for_what_there_is(self):
        asked = list(expressions(json.loads((MONITORING / "dashboard.json").read_text())))
        self.assertGreater(len(asked), 30)
        for expression in asked:
            self.assertLessEqual(used(expression), names_of_sources(), expression)

    def test_the_rules_ask_for_what_there_is(self):
        rules = (MONITORING / "alerts.yml").read_text()
        self.assertLessEqual(used(re.sub(r"#.*|annotations:(\n {10}.*)+", "", rules)), names_of_sources())
        code, said = promtool("check", "rules", MONITORING / "alerts.yml")
        self.assertEqual(code, 0, said)

    def test_the_rules_hold_after_their_real_times(self):
        code, said = promtool("test", "rules", ROOT / "tests/alerts/rules_test.yml")
        self.assertEqual(code, 0, said)


class Metrics(unittest.TestCase):
    def test_of_a_gateway_that_works(self):
        with gateway("--max-submits-per-day", "100") as g:
            twice = ("preview", "--name", "a", "--text", STORY, "--request-id", "a")
            g.json(*twice, "--wait")
            g.json(*twice)
            g.run("get", "no-such-job")
            text = g.fetch("/metrics")

            code, said = promtool("check", "metrics", text=text)
            self.assertEqual((code, said), (0, ""))
            exported = set(re.findall(r"^# TYPE (\w+)", text, re.M))
            self.assertLessEqual(exported, names_of_sources())

            method = "pictory.jobs.v1.PictoryJobs/"
            for metric, labels, value in (
                    ("grpc_server_call_started_total", f'grpc_method="{method}CreatePreview"', 2),
                    ("grpc_server_call_duration_seconds_count",
                     f'grpc_method="{method}CreatePreview",grpc_status="OK"', 2),
                    ("grpc_server_call_duration_seconds_count",
                     f'grpc_method="{method}GetJob",grpc_status="NOT_FOUND"', 1),
                    ("pictory_gateway_repeated_submits_total", 'rule="request_id"', 1),
                    ("pictory_gateway_upstream_call_seconds_count", 'outcome="2xx",purpose="submit"', 1),
                    ("pictory_gateway_job_seconds_count", 'kind="PREVIEW",state="SUCCEEDED"', 1)):
                self.assertIn(f"\n{metric}{{{labels}}} {value}\n", text)
            self.assertRegex(text, r'\ngrpc_server_call_sent_total_compressed_message_size_bytes_sum'
                                   rf'{{grpc_method="{method}WatchJob",grpc_status="OK"}} [1-9]\d\d')
            self.assertRegex(text, r'\npictory_gateway_build_info{grpc="[\d.]+",protobuf="[\d.]+",version="[\d.]+"} 1\n')
            self.assertIn("\npictory_gateway_submits_left_today 99\n", text)
            for gauge in ('store_bytes{file="database"}', "store_disk_free_bytes", "watches_max",
                          'budget_submits_left{account="default"}'):
                self.assertRegex(text, rf"\npictory_gateway_{re.escape(gauge)} [1-9]")
            self.assertEqual([line for line in text.splitlines() if g.pages.url.split("/")[2] in line], [])


if __name__ == "__main__":
    unittest.main()
