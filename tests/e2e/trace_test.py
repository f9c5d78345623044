"""Traces, from the caller's headers to the log, the store, the collector and, by flag only, Pictory. Exit 77: no
grpcurl here, which sends the headers."""

import json
import shutil
import subprocess
import sys
import tempfile
import unittest

import find_live  # noqa: F401
from live.collector import Collector
from live.gateway import Gateway, gateway
from live.process import DEADLINE_SECONDS, wait_until
from upstream import upstream

SERVICE = "pictory.jobs.v1.PictoryJobs"
STORY = "Nobody but Pictory has to read this sentence."
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = f"traceparent: 00-{TRACE}-{SPAN}-01"


def call(g, method, request, *headers):
    """The first answer, or None if the call is refused."""
    flags = [flag for header in headers for flag in ("-H", header)]
    done = subprocess.run(["grpcurl", "-plaintext", *flags, "-d", json.dumps(request), g.grpc, f"{SERVICE}/{method}"],
                          capture_output=True, text=True, timeout=DEADLINE_SECONDS)
    return json.loads(done.stdout) if done.returncode == 0 else None


def preview(g, name, *headers):
    return call(g, "CreatePreview", {"storyboard": {"videoName": name, "scenes": [{"story": STORY}]}}, *headers)["job"]


def lines(g, event):
    found = []
    for line in g.log.read_text().splitlines():
        if f'"event":"{event}"' in line:
            found.append(json.loads(line))
    return found


class Log(unittest.TestCase):
    def test_every_line_of_a_call_and_its_job_has_the_trace(self):
        with gateway("--log-level", "debug") as g:
            for name, header in (("w3c", SAMPLED), ("b3", f"b3: {TRACE}-{SPAN}-0"),
                                 ("several", f"x-b3-traceid: {TRACE}")):
                more = [f"x-b3-spanid: {SPAN}"] if name == "several" else []
                job = preview(g, name, header, *more)["jobId"]
                wait_until(lambda job=job: [each for each in lines(g, "job_ended") if each["job_id"] == job], "its end")
                for event in ("submitted", "polled", "job_ended"):
                    of_job = [each for each in lines(g, event) if each["job_id"] == job]
                    self.assertTrue(of_job, event)
                    self.assertEqual({each.get("trace_id") for each in of_job}, {TRACE}, (name, event))
            self.assertIsNone(call(g, "GetJob", {"jobId": "not a name"}, SAMPLED))
            call(g, "DeleteJob", {"jobId": job}, SAMPLED)
            for event in ("call_refused", "audit"):
                wait_until(lambda event=event: lines(g, event), event)
                self.assertEqual([each.get("trace_id") for each in lines(g, event)], [TRACE], event)

    def test_what_is_no_trace_is_nowhere(self):
        with gateway() as g:
            job = preview(g, "a", f"traceparent: 00-{TRACE}-{SPAN}-01-evil", "tracestate: x=evil")["jobId"]
            wait_until(lambda: [each for each in lines(g, "job_ended") if each["job_id"] == job], "its end")
            self.assertNotIn("trace_id", g.log.read_text())
            self.assertNotIn("evil", g.log.read_text())

    def test_it_is_stored_with_the_job(self):
        with tempfile.TemporaryDirectory() as state:
            g = Gateway(state, speed=3)
            try:
                job = preview(g, "a", SAMPLED)["jobId"]
                g.kill()
                self.assertEqual(lines(g, "job_ended"), [], "it ended too early to show anything")
                g.start()
                wait_until(lambda: lines(g, "job_ended"), "its end")
                self.assertEqual([(each["job_id"], each["trace_id"]) for each in lines(g, "job_ended")], [(job, TRACE)])
            finally:
                g.end()


class Spans(unittest.TestCase):
    def setUp(self):
        self.collector = Collector()
        self.addCleanup(self.collector.close)

    def await_spans(self, count, **wanted):
        wait_until(lambda: len(self.collector.spans(**wanted)) >= count, f"{count} spans with {wanted}")
        found = self.collector.spans(**wanted)
        self.assertEqual(len(found), count, found)
        return found

    def test_a_job_from_call_to_end(self):
        with gateway("--otlp-endpoint", self.collector.url) as g:
            job = preview(g, "a", SAMPLED, "tracestate: vendor=kept")["jobId"]
            created = self.await_spans(1, name=f"{SERVICE}/CreatePreview")[0]
            self.assertEqual((created["traceId"], created["parentSpanId"], created["traceState"], created["kind"]),
                             (TRACE, SPAN, "vendor=kept", 2))
            self.assertEqual(created["attributes"]["rpc.grpc.status_code"], "0")
            submitted = self.await_spans(1, name="submit PREVIEW")[0]
            self.assertEqual((submitted["traceId"], submitted["parentSpanId"]), (TRACE, created["spanId"]))
            self.assertEqual(submitted["attributes"], {"pictory.job_id": job, "pictory.kind": "PREVIEW",
                                                       "pictory.outcome": "accepted"})
            self.assertLessEqual(int(created["startTimeUnixNano"]), int(submitted["startTimeUnixNano"]))
            wait_until(lambda: [span for span in self.collector.spans()
                                if span["attributes"].get("pictory.next_state") == "SUCCEEDED"], "the last phase")
            phases = sorted((span for span in self.collector.spans() if span["name"].startswith("job ")),
                            key=lambda span: int(span["startTimeUnixNano"]))
            self.assertEqual(phases[0]["name"], "job QUEUED")
            self.assertEqual([span["endTimeUnixNano"] for span in phases[:-1]],
                             [span["startTimeUnixNano"] for span in phases[1:]])
            for phase in phases:
                self.assertNotEqual(phase["traceId"], TRACE)
                self.assertNotIn("parentSpanId", phase)
                self.assertEqual([(link["traceId"], link["spanId"]) for link in phase["links"]],
                                 [(TRACE, created["spanId"])])
                self.assertGreater(int(phase["endTimeUnixNano"]), int(phase["startTimeUnixNano"]))
            self.assertEqual({span["service"] for span in self.collector.spans()}, {"pictory-gateway"})
            for body in self.collector.bodies:
                self.assertNotIn(STORY, body)
                self.assertNotRegex(body, r"pictai_|Authorization|https?:")
            self.assertEqual(g.metric("spans_total", outcome="failed"), 0)

    def test_what_is_not_sampled_has_none(self):
        with gateway("--otlp-endpoint", self.collector.url) as g:
            job = preview(g, "a", f"traceparent: 00-{TRACE}-{SPAN}-00")["jobId"]
            wait_until(lambda: lines(g, "job_ended"), "its end")
            call(g, "GetJob", {"jobId": job}, SAMPLED)
            self.await_spans(1, name=f"{SERVICE}/GetJob")
            self.assertEqual(len(self.collector.spans()), 1)

    def test_an_end_in_order_brings_what_is_left(self):
        with gateway("--otlp-endpoint", self.collector.url) as g:
            call(g, "GetJob", {"jobId": "a"}, SAMPLED)
            code, _ = g.terminate()
            self.assertEqual((code, len(self.collector.spans())), (0, 1))

    def test_a_collector_that_takes_nothing_is_in_nobodys_way(self):
        self.collector.status = 503
        with gateway("--otlp-endpoint", self.collector.url) as g:
            job = preview(g, "a", SAMPLED)
            self.assertEqual(g.json("wait", job["jobId"])["state"], "JOB_STATE_SUCCEEDED")
            wait_until(lambda: g.metric("spans_total", outcome="failed") > 2, "the count")
            self.assertEqual(g.metric("spans_total", outcome="exported"), 0)

    def test_an_endpoint_that_cannot_be_one_is_told_at_the_start(self):
        with tempfile.TemporaryDirectory() as state:
            g = Gateway(state, "--otlp-endpoint", "http://collector.example.com:4318", start=False)
            with self.assertRaisesRegex(AssertionError, "--otlp-endpoint: .*not loopback; use https"):
                g.start()


class Pictory(unittest.TestCase):
    def told(self, *flags, awaited="POST"):
        """The header of each request that Pictory gets until one of the method awaited, by method and path."""
        oauth = ("--auth", "oauth", "--client-id", "the-id", "--user-id", "the-user")
        with upstream() as pictory, gateway("--base-url", pictory.url, *oauth, *flags, sandbox=False,
                                            env={"PICTORY_CLIENT_SECRET": "s3cret"}) as g:
            preview(g, "a", SAMPLED)
            wait_until(lambda: [each for each in pictory.calls if each[0] == awaited], f"a {awaited}")
            return {(method, path.split("/")[2]): headers.get("traceparent")
                    for method, path, headers, _ in pictory.calls}

    def test_is_told_by_flag_only_and_with_submits_only(self):
        nobody = {("POST", "oauth2"): None, ("POST", "video"): None}
        self.assertEqual(self.told(), nobody)
        self.assertEqual(self.told("--send-traceparent", awaited="GET"),
                         nobody | {("POST", "video"): SAMPLED.split(": ")[1], ("GET", "jobs"): None})


if __name__ == "__main__":
    if not shutil.which("grpcurl"):
        sys.exit(77)
    unittest.main()
