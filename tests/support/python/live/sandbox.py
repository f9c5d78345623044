"""The sandbox as a process of its own, which outlives the gateways, and is the oracle of what was paid for."""

import collections
import json
import subprocess
import urllib.request

from live.process import DEADLINE_SECONDS, Process, environment
from live.programs import BIN


class Sandbox(Process):
    """`url` is what a gateway takes for Pictory, `origin` where its own pages are."""

    def __init__(self, folder, *flags, env=None):
        ready, self.log = folder / "ready", folder / "log"
        ready.unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [BIN / "pictory-gateway", "sandbox", "--listen", "127.0.0.1:0", "--state-dir", folder / "state",
                 "--ready-file", ready, "--no-ffmpeg", "--requests-per-second", "100000", *map(str, flags)],
                stderr=log, env=environment(env))
        [self.url] = self.await_ready_file(ready).values()
        self.origin = self.url.removesuffix("/pictoryapis")

    def ask(self, method, path, body=None):
        request = urllib.request.Request(self.origin + path, method=method,
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as answer:
            return json.loads(answer.read())

    def fault(self, kind, times=None, probability=None, skip=None, act=None, match=None, **settings):
        rule = {"match": match or {"method": "POST"}, "times": times, "probability": probability,
                "skip": skip, "act": act, "fault": {"type": kind, **settings}}
        return self.ask("POST", "/sandbox/faults", {k: v for k, v in rule.items() if v is not None})

    def faults(self):
        return self.ask("GET", "/sandbox/faults")

    def forget_faults(self):
        self.ask("DELETE", "/sandbox/faults")

    def stats(self):
        return self.ask("GET", "/sandbox/stats")

    def journal(self):
        """The accepted submits: request_id -> its entries. The request_id is the video's name."""
        sent = collections.defaultdict(list)
        for entry in self.ask("GET", "/sandbox/journal")["entries"]:
            sent[json.loads(entry["body"])["videoName"]].append(entry)
        return sent
