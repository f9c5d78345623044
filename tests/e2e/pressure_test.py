"""Strangers who hold half of their requests back cost others neither money nor a word of explanation."""

import json
import subprocess
import threading
import time
import unittest

import find_live  # noqa: F401
from live.gateway import gateway
from live.process import SANITIZED, wait_until
from live.programs import BIN, grpc_version
from half_open import METHODS, MIB, Body, Connection

INSIST = BIN / "insist"
CALLERS = 40
# While a submit waits for its answer, the strangers do what they do.
ANSWER_MS = 2000
START_AT_MIB = 150
LIMIT_MIB = 512
# Where memory is scarce gRPC 1.83 resets streams by itself, before we hear of them and so without details. What it
# resets has sent nothing to Pictory: the POSTs are counted all the same.
LIBRARY_RESETS = grpc_version() >= (1, 60)
RESOURCE_EXHAUSTED = "8 "  # how the words of insist begin


class Peak:
    """The most memory that a process was seen to use."""

    def __init__(self, g):
        self.g = g
        self.mib = 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.stop.wait(0.01):
            self.mib = max(self.mib, self.g.memory() / MIB)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.stop.set()
        self.thread.join()


class Pressure(unittest.TestCase):
    def hold(self, bodies, connections=1, every=0.0):
        """Ordinary callers, while so many connections send the bodies that bodies(gateway) makes."""
        with gateway("--memory-limit-mib", str(LIMIT_MIB), speed=0.05) as g:
            g.pages.add_fault({"match": {"method": "POST"}, "fault": {"type": "delay", "ms": ANSWER_MS}})
            with Peak(g) as peak:
                strangers = [Connection(g.grpc, bodies(g), every) for _ in range(connections)]
                begun = time.monotonic()
                # The callers come shortly before there is too much.
                wait_until(lambda: sum(one.sent for one in strangers) > START_AT_MIB * MIB
                           or time.monotonic() - begun > 3, "the strangers")
                before = len(g.pages.accepted())
                insist = subprocess.Popen([INSIST, g.grpc, str(CALLERS), "20"], stdout=subprocess.PIPE, text=True)
                seen = json.loads(insist.communicate(timeout=120)[0])
                for one in strangers:
                    one.close()
            posts = len(g.pages.accepted()) - before
            told = sum(one.answered for one in strangers)
            print(f"\n    {self._testMethodName}: {posts} POSTs for {CALLERS} intents, {seen['calls']} calls, "
                  f"unexplained {seen['unexplained']}, explained {seen['explained']}; peak {peak.mib:.0f} MiB, "
                  f"{sum(one.sent for one in strangers) / MIB:.0f} MiB sent, {told} refused, "
                  f"{sum(one.details for one in strangers)} with details", flush=True)
            self.assertEqual(seen["done"], CALLERS)
            unexplained = {what: count for what, count in seen["unexplained"].items()
                           if not (LIBRARY_RESETS and what.startswith(RESOURCE_EXHAUSTED))}
            self.assertEqual(unexplained, {})
            self.assertEqual(posts, CALLERS)
            if not SANITIZED:
                self.assertLess(peak.mib, LIMIT_MIB)
            self.assertEqual(g.run("list").returncode, 0)  # still serving
            return strangers

    def test_thirty_bodies_of_16_mib_on_one_connection(self):
        self.hold(lambda g: [Body() for _ in range(30)])

    def test_bodies_that_announce_200_mib(self):
        self.hold(lambda g: [Body(announced=200 * MIB) for _ in range(8)])

    def test_bodies_that_announce_4_gib(self):
        self.hold(lambda g: [Body(announced=(1 << 32) - 1)])

    def test_many_connections_with_few_bodies_each(self):
        self.hold(lambda g: [Body(), Body()], connections=40)

    def test_a_trickle_on_many_streams(self):
        self.hold(lambda g: [Body(piece=64) for _ in range(900)], connections=2, every=0.05)

    def test_bodies_in_tiny_frames(self):
        self.hold(lambda g: [Body(piece=24) for _ in range(30)], connections=2)

    def test_requests_of_every_kind(self):
        methods = ["WatchJob", "ReadJobResult", "GetJob", "Transcribe", "/grpc.health.v1.Health/Check",
                   "/grpc.health.v1.Health/Watch",
                   "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                   "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                   METHODS + "NoSuchMethod"]
        self.hold(lambda g: [Body(method) for method in methods * 5])

    def test_callers_with_a_deadline_of_hours(self):
        self.hold(lambda g: [Body(grpc_timeout="10H") for _ in range(30)])

    def test_whole_bodies_of_16_mib_that_never_end(self):
        """All of the message, without the end of the stream."""
        self.hold(lambda g: [Body(sent=16 * MIB) for _ in range(30)])

    def test_more_than_a_request_on_watches(self):
        def watches(g):
            job = g.json("preview", "--name", "watched", "--text", "Hi.")["jobId"].encode()
            return [Body("WatchJob", message=b"\x0a" + bytes([len(job)]) + job) for _ in range(500)]

        strangers = self.hold(watches, connections=2)
        self.assertEqual(sum(one.answered for one in strangers), 0, "they watch on")


if __name__ == "__main__":
    unittest.main()
