"""A Pictory that quotes our secrets, names URLs that are none, and refuses streams: what of that gets through. The
real programs against scripts of that."""

import contextlib
import http.server
import json
import os
import pathlib
import pty
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import unittest

import find_live  # noqa: F401
from live.gateway import gateway
from live.programs import BIN
from strangers_test import METHODS, ask

CANARY = "canary-0123456789-abcdef"
KEY = "pictai_" + CANARY
C1 = "\u009b31m"  # what turns a terminal red, in one character and two letters

RESULTS = {  # by the last segment of the project that is rendered
    "javascript": {"videoURL": "javascript:alert(1)"},
    "file": {"videoURL": "file:///etc/passwd"},
    "loopback": {"videoURL": "http://127.0.0.1:1/a.mp4"},
    "controls": {"videoURL": f"https://v.example.com/{C1}"},
    "long": {"videoURL": "https://v.example.com/" + "a" * 3000},
    "endless": {"videoURL": "https://v.example.com/" + "a" * 9000},
}


class Hostile(http.server.BaseHTTPRequestHandler):
    """What a job is to be stands in its name, which is its id at Pictory too."""
    protocol_version = "HTTP/1.1"
    posted = []  # paths

    def log_message(self, *args):
        pass

    def answer(self, status, body):
        data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Echo", self.headers["Authorization"])
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
        self.posted.append(self.path)
        key = self.headers["Authorization"]
        if body.get("videoName") == "refused":
            return self.answer(400, {"success": False, "data": {"error_code": "BAD_KEY", "error_message": f"no {key}"},
                                     "fields": [{"name": "key", "errors": f"{key} it is"}]})
        name = body.get("videoName") or self.path.split("/")[-2]
        return self.answer(200, {"success": True, "data": {"jobId": f"p-{name}"}})

    def do_GET(self):
        key = self.headers["Authorization"]
        job = self.path.rsplit("/", 1)[-1].removeprefix("p-")
        if job == "failed":
            return self.answer(200, {"success": True, "data": {"status": "failed", "error_code": "E",
                                                               "error_message": "x" * 495 + " " + key}})
        if job == "page":
            return self.answer(200, f"<html><title>Bad {key}</title></html>".encode())
        if job == "words":
            return self.answer(200, {"success": True, "data": {
                "status": "completed", "previewUrl": "https://v.example.com/p",
                "storyboard": {"scenes": [{"text": f"red{C1} or {chr(0x202e)}turned"}]}}})
        if job in RESULTS:
            return self.answer(200, {"success": True, "data": {"status": "completed", **RESULTS[job]}})
        return self.answer(404, {"message": f"JOB_NOT_FOUND for {key}"})


@contextlib.contextmanager
def hostile(*flags):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with gateway("--base-url", f"http://127.0.0.1:{server.server_address[1]}/api", "--log-level", "debug", *flags,
                 sandbox=False, env={"PICTORY_API_KEY": KEY}) as g:
        yield g
    server.shutdown()


def preview(g, name, *flags):
    return g.run("preview", "--name", name, "--text", "Hi.", *flags, "--json")


def on_terminal(g, *args):
    """What a command writes to a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([BIN / "pictory", *args], env=dict(g.env, PICTORY_GATEWAY=g.grpc, TERM="xterm"),
                          stdin=theirs, stdout=theirs, stderr=theirs):
        os.close(theirs)
        written = b""
        with contextlib.suppress(OSError):  # the end
            while data := os.read(ours, 65536):
                written += data
    os.close(ours)
    return written.decode()


class Secrets(unittest.TestCase):
    def test_what_pictory_quotes_of_our_key_stays_inside(self):
        with hostile() as g:
            said = []
            for name in ("refused", "failed"):
                done = preview(g, name, "--wait")
                said.append(done.stdout + done.stderr)
            self.assertIn("BAD_KEY", said[0])
            self.assertIn("secret removed", said[0])
            self.assertIn("JOB_STATE_FAILED", said[1])
            job = json.loads(preview(g, "page").stdout)["jobId"]
            g.run("wait", job, "--timeout", "12s")  # for polls, which never learn anything
            for command in (("get", job, "--json"), ("get", "unknown-here-and-there"), ("resolve", job), ("list", "--json"),
                            ("delete", job)):
                done = g.run(*command)
                said.append(done.stdout + done.stderr)
            self.assertIn("secret removed", said[2])
            said.append(g.fetch("/metrics"))
            said.append(g.log.read_text())
            g.end()
            for each in said:
                self.assertNotIn(CANARY[:10], each)
            for file in pathlib.Path(g.state).rglob("*"):
                if file.is_file():
                    self.assertNotIn(CANARY[:10].encode(), file.read_bytes(), file)


class Urls(unittest.TestCase):
    def test_only_links_are_given_as_links(self):
        with hostile() as g:
            jobs = {name: g.json("render", "--project", name)["jobId"] for name in RESULTS}
            for name, job in jobs.items():
                url = RESULTS[name]["videoURL"]
                done = g.json("wait", job)
                self.assertEqual(done["state"], "JOB_STATE_SUCCEEDED")
                link = name in ("long", "loopback")  # this Pictory is on loopback itself
                for job_json in (done, g.json("get", job), g.json("get", job, "--full")):
                    self.assertEqual(job_json["render"]["videoURL"], url if link else "", name)
                self.assertEqual(json.loads(g.run("result", job, "--part", "result-json").stdout)["videoURL"], url)
                if not link:
                    fetched = g.run("result", job, "--download")
                    self.assertNotEqual(fetched.returncode, 0)
                    self.assertIn("result-json", fetched.stderr)

    def test_an_id_never_leads_out_of_its_place(self):
        with hostile() as g:
            before = len(Hostile.posted)
            for project in ("../x", "..", "a/../b", "..%2fx", "%252e%252e/x", "..\\x"):
                done = g.run("render", "--project", project)
                self.assertEqual(done.returncode, 5, project)
                self.assertIn("project_id", done.stderr)
            for job in ("../quota", "..%2fquota", "x/../../quota"):
                self.assertEqual(g.run("get", job).returncode, 5, job)
            self.assertEqual(len(Hostile.posted), before)


class Terminals(unittest.TestCase):
    def test_nothing_that_a_server_says_steers_a_terminal(self):
        with hostile() as g:
            job = json.loads(preview(g, "words", "--wait").stdout.splitlines()[-1])["jobId"]
            for command in (("get", job, "--full"), ("get", job, "--full", "--json"),
                            ("result", job, "--part", "result-json")):
                shown = on_terminal(g, *command)
                self.assertIn("turned", shown)
                for steering in ("\u009b", "\u202e", "\x1b"):
                    self.assertNotIn(steering, shown, command)
            self.assertIn(C1, g.run("result", job, "--part", "result-json").stdout)  # byte for byte elsewhere
            self.assertEqual(json.loads(on_terminal(g, "get", job, "--full", "--json"))["preview"],
                             g.json("get", job, "--full")["preview"])


class RefusingStreams(threading.Thread):
    """An HTTP/2 server that refuses each stream, as one does that is about to end, and counts them."""
    PREFACE = 24
    HEADERS, RST_STREAM, SETTINGS = 1, 3, 4
    REFUSED_STREAM = 7

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.streams = 0
        self.cert, key = pathlib.Path(folder) / "cert.pem", pathlib.Path(folder) / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", self.cert], check=True,
                       capture_output=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.cert, key)
        self.context.set_alpn_protocols(["h2"])
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://localhost:{self.listener.getsockname()[1]}"
        self.start()

    def run(self):
        while True:
            peer, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        with contextlib.suppress(OSError, ValueError), self.context.wrap_socket(peer, server_side=True) as tls:
            reader = tls.makefile("rb")
            reader.read(self.PREFACE)
            tls.sendall(b"\0\0\0" + bytes([self.SETTINGS]) + b"\0" + b"\0\0\0\0")
            while head := reader.read(9):
                length, kind = int.from_bytes(head[:3], "big"), head[3]
                reader.read(length)
                if kind == self.SETTINGS and not head[4] & 1:
                    tls.sendall(b"\0\0\0" + bytes([self.SETTINGS]) + b"\1" + b"\0\0\0\0")
                if kind == self.HEADERS:
                    self.streams += 1
                    tls.sendall(struct.pack(">I", 4)[1:] + bytes([self.RST_STREAM]) + b"\0" + head[5:9] +
                                struct.pack(">I", self.REFUSED_STREAM))


class Streams(unittest.TestCase):
    def test_a_refused_stream_is_asked_for_once_more_and_counted(self):
        with tempfile.TemporaryDirectory() as folder:
            pictory = RefusingStreams(folder)
            with gateway("--base-url", pictory.url, "--ca-file", pictory.cert, sandbox=False,
                         env={"PICTORY_API_KEY": KEY}) as g:
                for call in range(1, 4):  # each asked once, which the command line would repeat
                    self.assertIn(b"cannot be reached", ask(g, METHODS + "GetJob", b"\x0a\x0cunknown-here"))
                    self.assertEqual(pictory.streams, 2 * call)


if __name__ == "__main__":
    unittest.main()
