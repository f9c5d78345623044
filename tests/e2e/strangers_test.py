"""What strangers do at the gRPC port stops nobody else."""

import contextlib
import gzip
import json
import os
import resource
import socket
import struct
import time
import unittest
import urllib.error
import zlib

import find_live  # noqa: F401
from live.gateway import gateway
from live.process import SANITIZED, wait_until
from live.programs import grpc_version
from half_open import (ACK, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, METHODS, MIB, PING, SETTINGS, Body,
                       Connection, frame, headers)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0)
REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
FILES = 1100
# Of a strict check every few seconds, with a little less because timers are never exact.
PING_SECONDS = 4.7
# gRPC 1.83 answers an encoding that it does not know by itself, and later than our 0.2 s.
ODD_ENCODINGS_ARE_LATE = grpc_version() >= (1, 60)


def connect(g, source="127.0.0.1"):
    """From `source`, as from another machine: all of 127.0.0.0/8 is this one."""
    host, port = g.grpc.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=30, source_address=(source, 0))


def status(g, path):
    try:
        g.fetch(path)
        return 200
    except urllib.error.HTTPError as error:
        return error.code


def frames(sock):
    """What comes until the other side closes, or nothing comes for so long as the socket waits."""
    unread = b""
    while True:
        try:
            more = sock.recv(1 << 16)
        except OSError:
            return
        if not more:
            return
        unread += more
        while len(unread) >= 9 and len(unread) >= 9 + int.from_bytes(unread[:3], "big"):
            length = int.from_bytes(unread[:3], "big")
            yield unread[3], unread[4], int.from_bytes(unread[5:9], "big"), unread[9:9 + length]
            unread = unread[9 + length:]


def ask(g, path, message, compressed=0, first=b"", **metadata):
    """One call on a connection of its own; all header bytes of its answer, or b"" if it was reset."""
    with connect(g) as sock, contextlib.suppress(OSError):  # the gateway may have closed it
        answer = b""
        sock.sendall(PREFACE + frame(HEADERS, END_HEADERS, 1, headers(path, **metadata)))
        body = first + struct.pack(">BI", compressed, len(message)) + message
        for i in range(0, len(body), 16384):
            sock.sendall(frame(DATA, END_STREAM if i + 16384 >= len(body) else 0, 1, body[i:i + 16384]))
        for kind, flags, stream, payload in frames(sock):
            if kind == SETTINGS and not flags & ACK:
                sock.sendall(frame(SETTINGS, ACK, 0))
            if stream == 1 and kind == HEADERS:
                answer += payload
            if stream == 1 and (kind == 3 or flags & END_STREAM):
                return answer
    return answer


def log_lines(g):
    return [json.loads(line) for line in g.log.read_text(errors="strict").splitlines()]


@contextlib.contextmanager
def files_here(count):
    """So many may be open in this program meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Strangers(unittest.TestCase):
    def test_one_address_leaves_connections_for_others(self):
        with files_here(4096), gateway(wrapper=["prlimit", f"--nofile={FILES}:{FILES}"]) as g, \
                contextlib.ExitStack() as held:
            job = g.json("preview", "--name", "n", "--text", "Hi.")["jobId"]
            for _ in range(FILES):
                held.enter_context(connect(g, "127.0.0.2"))
            wait_until(lambda: g.metric("connections_refused_of_address_total") > 0, "a refusal")
            line = wait_until(lambda: [one for one in g.log.read_text().splitlines()
                                       if "connections_refused" in one], "the log")[0]
            self.assertIn("ipv4:127.0.0.2", line)
            # Each by new connections, from 127.0.0.1.
            for _ in range(5):
                self.assertEqual(g.run("get", job).returncode, 0)
            for _ in range(20):
                held.enter_context(connect(g, "127.0.0.3"))
            self.assertTrue(g.json("preview", "--name", "m", "--text", "Ho.")["jobId"])
            self.assertEqual(status(g, "/readyz"), 200)
            held.close()

            def served():
                with connect(g, "127.0.0.2") as sock:
                    sock.sendall(PREFACE)
                    return any(kind == SETTINGS for kind, *_ in frames(sock))
            wait_until(served, "the address to be let in again")

    def test_who_takes_all_connections_is_refused_and_forgotten(self):
        with files_here(4096), gateway(wrapper=["prlimit", f"--nofile={FILES}:{FILES}"]) as g, contextlib.ExitStack() as held:
            job = g.json("preview", "--name", "n", "--text", "Hi.")["jobId"]
            for _ in range(FILES):
                held.enter_context(connect(g))
            wait_until(lambda: "connections_refused" in g.log.read_text(), "the log")
            self.assertEqual(status(g, "/livez"), 200)
            self.assertGreater(g.metric("connections_refused_total"), 0)
            held.close()
            wait_until(lambda: g.run("get", job).returncode == 0, "somebody to be served again")
            self.assertEqual(status(g, "/livez"), 200)

    def test_silent_streams_of_each_kind(self):
        with gateway() as g:
            job = g.json("preview", "--name", "n", "--text", "Hi.")["jobId"]
            strangers = []
            # More of one kind than there are places for calls.
            for path in [REFLECTION] * 5 + ["/grpc.health.v1.Health/Watch"] * 5:
                message = b"" if path == REFLECTION else b"\x0a\x01x"  # a watch of something unknown stays
                strangers.append(Connection(g.grpc, [Body(path, announced=16, sent=0, message=message)
                                                     for _ in range(990)]))
            wait_until(lambda: sum(one.answered for one in strangers) > 0, "strangers that are refused")
            for _ in range(5):
                self.assertEqual(g.run("get", job).returncode, 0)
                self.assertTrue(g.json("preview", "--name", "m", "--text", "Ho.")["jobId"])
            self.assertEqual(status(g, "/readyz"), 200)
            for one in strangers:
                one.close()

    def test_nobody_writes_into_the_log(self):
        forged = '{"level":"error","event":"forged"}'
        with gateway("--log-format", "json", "--log-level", "debug") as g:
            for text in (b"GET / HTTP/1.1\r\nHost: x\r\nX: \n" + forged.encode() + b"\n\r\n\r\n",
                         b"\n" + forged.encode() + b"\n", os.urandom(4096),
                         b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\n" + forged.encode() + b"\n",
                         PREFACE + b"\n" + forged.encode() + b"\n" * 9):
                with connect(g) as sock:
                    sock.settimeout(1)
                    with contextlib.suppress(OSError):
                        sock.sendall(text)
                    list(frames(sock))
            line = "\n" + forged + "\n"
            for name in ("te", "grpc_timeout", "grpc_encoding", "grpc_accept_encoding", "content_type", "user_agent",
                         "x_forged", "grpc_previous_rpc_attempts", "x_bin", "grpc_tags_bin", "content_length"):
                for value in (line, "0" + line, "*" * 100):
                    for _ in range(5):
                        ask(g, METHODS + "GetJob", b"", **{name: value})
            for path in (line, "/" + line + "/x", METHODS + line):
                ask(g, path, b"")
            ask(g, METHODS + "Render", b"\x0a\x04\xff\n{}")  # a string that is none
            self.assertEqual(g.run("list").returncode, 0)
            self.assertEqual(g.terminate()[0], 0)
            lines = log_lines(g)  # each parses
            self.assertNotIn("forged", {one.get("event") for one in lines})
            self.assertFalse([one for one in lines if one["level"] == "error"])
            self.assertTrue([one for one in lines if one["event"] == "library"], "the libraries said something")
            self.assertLess(len(lines), 300)

    def test_what_a_page_in_a_browser_can_send_is_no_call(self):
        """gRPC's library takes any content type and tells us none, but takes no call without `te`, which no page may
        send."""
        with gateway() as g:
            for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/grpc"):
                answer = ask(g, METHODS + "ListJobs", b"", kind=kind, with_te=False)
                self.assertTrue(not answer or b"te header" in answer, (kind, answer))
            self.assertIn(b"grpc-status", ask(g, METHODS + "ListJobs", b""))

    def test_compressed_requests_are_answered_and_never_inflated(self):
        # What fits into the window of a stream from its beginning.
        bomb = gzip.compress(bytes(13 * MIB), 9)
        deflated = zlib.compress(bytes(13 * MIB), 9)
        self.assertLess(len(bomb), 16 * 1024)
        with gateway() as g:
            for path in (METHODS + "Render", METHODS + "Transcribe", METHODS + "GetJob", METHODS + "WatchJob",
                         METHODS + "ReadJobResult", "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch",
                         REFLECTION, REFLECTION.replace("v1.", "v1alpha.")):
                plain_began = time.monotonic()
                ask(g, path, os.urandom(len(bomb)))
                plain = time.monotonic() - plain_began
                before = g.memory()
                for encoding, message in (("gzip", bomb), ("deflate", deflated), ("snappy", bomb), ("identity", bomb),
                                          ("none-such", bomb)):
                    began = time.monotonic()
                    answer = ask(g, path, message, compressed=1, grpc_encoding=encoding)
                    took = time.monotonic() - began
                    self.assertTrue(answer, f"{path} {encoding}: there is an answer")
                    if encoding in ("gzip", "deflate"):
                        self.assertIn(b"no compressed requests", answer, f"{path} {encoding}")
                    if not SANITIZED and not (ODD_ENCODINGS_ARE_LATE and encoding in ("snappy", "none-such")):
                        self.assertLess(took, 3 * plain + 0.2, f"{path} {encoding}")
                self.assertLess(g.memory() - before, 8 * MIB, path)
            question = struct.pack(">BI", 0, 3) + b"\x3a\x01*"  # which services there are
            answer = ask(g, REFLECTION, bomb, compressed=1, first=question, grpc_encoding="gzip")
            self.assertIn(b"no compressed requests", answer, "a second message of a stream")

    def test_pings_every_five_seconds_do_not_end_a_watch(self):
        with gateway(speed=0.02) as g:
            job = g.json("preview", "--name", "n", "--text", "Hi.")["jobId"].encode()
            with connect(g) as sock:
                request = struct.pack(">BI", 0, len(job) + 2) + b"\x0a" + bytes([len(job)]) + job
                sock.sendall(PREFACE + frame(HEADERS, END_HEADERS, 1, headers(METHODS + "WatchJob"))
                             + frame(DATA, END_STREAM, 1, request))
                sock.settimeout(PING_SECONDS)
                acknowledged = 0
                for i in range(5):
                    for kind, flags, _, payload in frames(sock):  # until nothing has come for so long
                        self.assertNotEqual(kind, GOAWAY, payload)
                        acknowledged += kind == PING and bool(flags & ACK)
                    sock.sendall(frame(PING, 0, 0, struct.pack(">Q", i)))
                list_of = [kind for kind, *_ in frames(sock)]
                self.assertNotIn(GOAWAY, list_of)
                self.assertEqual(acknowledged + list_of.count(PING), 5)


if __name__ == "__main__":
    unittest.main()
