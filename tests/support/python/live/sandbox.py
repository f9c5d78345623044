"""The sandbox: what it tells of what was paid for, and what it is told to do wrong."""

import collections
import json
import ssl
import subprocess
import urllib.request

from live.process import DEADLINE_SECONDS, Process, environment
from live.programs import BIN


class Pages:
    """The pages for tests of a sandbox, be it a process of its own or part of a gateway."""

    ca = None

    def __init__(self, url):
        """`url` is what a gateway takes for Pictory; `origin` is where the pages are."""
        self.url = url
        self.origin = url.removesuffix("/pictoryapis")

    def ask(self, method, path, body=None):
        request = urllib.request.Request(self.origin + path, method=method,
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS, context=self.trust()) as answer:
            return json.loads(answer.read())

    def trust(self):
        return ssl.create_default_context(cafile=self.ca) if self.ca else None

    def answer(self, method, path, key, body=None):
        """What Pictory answers somebody who does not go through the gateway."""
        request = urllib.request.Request(
            self.url + path, data=None if body is None else json.dumps(body).encode(), method=method,
            headers={"Authorization": key, "Content-Type": "application/json", "User-Agent": "somebody/1"})
        with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS, context=self.trust()) as answer:
            return json.loads(answer.read())

    def submit(self, path, body, key):
        """What somebody asks of Pictory without the gateway; the job's id there."""
        return self.answer("POST", path, key, body)["data"]["jobId"]

    def add_fault(self, rule):
        return self.ask("POST", "/sandbox/faults", rule)

    def fault(self, kind, times=None, probability=None, skip=None, act=None, match=None, **settings):
        """By default of POSTs."""
        rule = {"match": match or {"method": "POST"}, "times": times, "probability": probability,
                "skip": skip, "act": act, "fault": {"type": kind, **settings}}
        return self.add_fault({k: v for k, v in rule.items() if v is not None})

    def faults(self):
        return self.ask("GET", "/sandbox/faults")

    def forget_faults(self):
        self.ask("DELETE", "/sandbox/faults")

    def stats(self):
        return self.ask("GET", "/sandbox/stats")

    def accepted(self):
        """The accepted submits, in order."""
        return self.ask("GET", "/sandbox/journal")["entries"]

    def journal(self):
        """The same by their request_id, which is the video's name."""
        sent = collections.defaultdict(list)
        for entry in self.accepted():
            sent[json.loads(entry["body"]).get("videoName", "")].append(entry)
        return sent


class Sandbox(Process, Pages):
    """A process of its own, which outlives the gateways, and is the oracle of what was paid for."""

    def __init__(self, folder, *flags, env=None):
        ready, self.log = folder / "ready", folder / "log"
        ready.unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [BIN / "pictory-gateway", "sandbox", "--listen", "127.0.0.1:0", "--state-dir", folder / "state",
                 "--ready-file", ready, "--no-ffmpeg", "--requests-per-second", "100000", *map(str, flags)],
                stderr=log, env=environment(env))
        told = self.await_ready_file(ready)
        self.ca = told.get("ca")  # with --tls: whom to trust
        Pages.__init__(self, told["sandbox"])
