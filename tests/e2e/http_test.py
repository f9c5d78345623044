"""The API over HTTP/JSON: the real gateway, curl, Python's own HTTP client, and strangers on a socket."""

import contextlib
import http.client
import json
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest
import urllib.parse

import find_live  # noqa: F401
from live.certificates import Authority
from live.gateway import gateway
from live.process import DEADLINE_SECONDS, wait_until
from live.tenants import keygen

PREVIEW = {"storyboard": {"videoName": "demo", "scenes": [{"story": "Hello there."}]}}
JSON = {"Content-Type": "application/json"}


class Answer:
    def __init__(self, got):
        self.status, self.headers, self.body = got.status, got.headers, got.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def reason(self):
        return next((d["reason"] for d in self.json["details"] if "reason" in d), "")


class Api:
    def __init__(self, address, context=None):
        url = urllib.parse.urlsplit(address)
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        self.address = (url.hostname, url.port)
        self.connect = lambda: kind(*self.address, timeout=DEADLINE_SECONDS,
                                    **({"context": context} if context else {}))

    def __call__(self, method, path, body=None, headers=()):
        with contextlib.closing(self.connect()) as connection:
            data = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
            connection.request(method, path, data, {**(JSON if data is not None else {}), **dict(headers)})
            return Answer(connection.getresponse())

    def events(self, path, headers=()):
        """(id, data) of each event until the stream ends."""
        text = self("GET", path, headers=headers).body.decode()
        found = []
        for block in filter(None, text.split("\n\n")):
            lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            if "data" in lines:
                found.append((lines.get("id"), json.loads(lines["data"])))
        return found

    def raw(self, bytes_sent, and_no_more=True):
        with socket.create_connection(self.address, timeout=DEADLINE_SECONDS) as s:
            s.sendall(bytes_sent)
            if and_no_more:
                s.shutdown(socket.SHUT_WR)
            got = b""
            while piece := s.recv(65536):
                got += piece
            return got


@contextlib.contextmanager
def house(*flags, **kwargs):
    with gateway("--http-listen", "127.0.0.1:0", *flags, **kwargs) as g:
        yield g, Api(g.http)


class Http(unittest.TestCase):
    def test_a_story_from_text_to_video(self):
        with house() as (g, api):
            first = api("POST", "/v1/previews", PREVIEW, {"Idempotency-Key": "demo-1"})
            self.assertEqual(first.status, 200, first.body)
            preview = first.json["job"]["jobId"]
            again = api("POST", "/v1/previews", PREVIEW, {"Idempotency-Key": "demo-1"})
            self.assertEqual(again.json["job"]["jobId"], preview)
            self.assertEqual(api("GET", "/v1/usage").json["repeatedToday"], "1")
            other = api("POST", "/v1/previews", {"storyboard": {**PREVIEW["storyboard"], "videoName": "x"}},
                        {"Idempotency-Key": "demo-1"})
            self.assertEqual((other.status, other.reason), (400, "REQUEST_ID_REUSED"))
            render = api("POST", f"/v1/previews/{preview}:render", {"waitForPreview": True}).json["job"]["jobId"]
            seen = api.events(f"/v1/jobs/{render}:watch")
            self.assertEqual(seen[-1][1]["job"]["state"], "JOB_STATE_SUCCEEDED")
            ids = [int(i) for i, _ in seen]
            self.assertEqual(ids, sorted(ids))
            self.assertEqual(ids[-1], seen[-1][1]["job"]["revision"])
            self.assertEqual(api("GET", f"/v1/jobs/{render}:watch", headers={"Last-Event-ID": str(ids[-1])}).status, 204)
            lines = api("GET", f"/v1/jobs/{render}:watch", headers={"Accept": "application/x-ndjson"})
            self.assertEqual(json.loads(lines.body.splitlines()[-1])["job"]["jobId"], render)
            # The same job by gRPC, and what was paid.
            self.assertEqual(g.json("get", render)["revision"], ids[-1])
            self.assertEqual(len(g.pages.accepted()), 2)
            whole = api("GET", f"/v1/jobs/{render}:read")
            self.assertEqual(whole.headers["Content-Type"], "application/json")
            self.assertIn("videoURL", whole.json)
            part = api("GET", f"/v1/jobs/{render}:read", headers={"Range": "bytes=1-5"})
            self.assertEqual((part.status, part.body), (206, whole.body[1:6]))
            self.assertEqual(api("GET", f"/v1/jobs/{render}:read", headers={"If-None-Match": whole.headers["ETag"]}).status,
                             304)
            listed = api("GET", "/v1/jobs?kinds=JOB_KIND_RENDER&pageSize=5").json["jobs"]
            self.assertEqual([j["jobId"] for j in listed], [render])
            self.assertEqual(api("DELETE", f"/v1/jobs/{render}").json["job"]["state"], "JOB_STATE_CLEANED")
            self.assertEqual(api("GET", "/v1/serverInfo").json["sandbox"], True)

    @unittest.skipUnless(shutil.which("grpcurl"), "no grpcurl here")
    def test_refusals_are_those_of_grpc(self):
        """The same request gets the same reason by both ways."""
        cases = [
            ("CreatePreview", "/v1/previews", {}),
            ("CreatePreview", "/v1/previews", {"storyboardJson": "{"}),
            ("CreatePreview", "/v1/previews", {"storyboardJson": '{"videoNane":"x","scenes":[{"story":"a"}]}'}),
            ("CreatePreview", "/v1/previews", {**PREVIEW, "requestId": "no spaces"}),
            ("CreatePreview", "/v1/previews", {**PREVIEW, "labels": {"k" * 64: "v"}}),
            ("CreatePreview", "/v1/previews", {"storyboard": {"videoName": "x" * 1000}}),
            ("Render", "/v1/renders", {"previewJobId": "none-such"}),
            ("Transcribe", "/v1/transcriptions", {"fileUrl": "ftp://x/y.mp4"}),
            ("Transcribe", "/v1/transcriptions", {}),
            ("Summarize", "/v1/summaries", {"transcriptionJobId": "none-such", "highlight_duration": 5}),
            ("ListJobs", "/v1/jobs:search", {"pageToken": "forged"}),
            ("ResolveJob", "/v1/jobs/none-such:resolve", {}),
            ("BatchGetJobs", "/v1/jobs:batchGet", {"jobIds": []}),
            ("CreateUpload", "/v1/uploads", {"fileName": ""}),
        ]
        with house() as (g, api):
            for method, path, body in cases:
                with self.subTest(path=path, body=str(body)[:60]):
                    over_http = api("POST", path, body)
                    self.assertGreaterEqual(over_http.status, 400, over_http.body)
                    if method == "ResolveJob":
                        body = {"jobId": "none-such"}
                    said = subprocess.run(
                        ["grpcurl", "-plaintext", "-d", json.dumps(body), g.grpc, f"pictory.jobs.v1.PictoryJobs/{method}"],
                        capture_output=True, text=True, timeout=DEADLINE_SECONDS)
                    by_grpc = re.search(r'"reason":\s*"(\w+)"', said.stderr)
                    self.assertEqual(over_http.reason, by_grpc[1] if by_grpc else said.stderr)

    def test_a_misspelt_field_costs_nothing(self):
        with house() as (g, api):
            got = api("POST", "/v1/previews", {"storyboard": {"videoName": "x", "aspectRatoi": "1:1", "scenes": []}})
            self.assertEqual((got.status, got.reason), (400, "INVALID_REQUEST"))
            self.assertIn("storyboard.aspectRatoi", got.body.decode())
            self.assertIn("did you mean aspectRatio?", got.body.decode())
            self.assertEqual(api("GET", "/v1/jobs").json["jobs"], [])
            self.assertIn('"method":"CreatePreview"', g.log.read_text())  # told as gRPC's refusals are

    def test_curl(self):
        with house() as (g, _), tempfile.TemporaryDirectory() as folder:
            curl = ["curl", "-sS", "--fail-with-body", "--max-time", str(DEADLINE_SECONDS)]
            body = json.dumps(PREVIEW)
            done = subprocess.run([*curl, f"{g.http}/v1/previews", "--json", body], capture_output=True, text=True)
            job = json.loads(done.stdout)["job"]["jobId"]
            subprocess.run([*curl, "-N", f"{g.http}/v1/jobs/{job}:watch"], capture_output=True, check=True)
            out = f"{folder}/result.json"
            subprocess.run([*curl, "-o", out, f"{g.http}/v1/jobs/{job}:read"], check=True)
            with open(out, "rb") as file:
                whole = file.read()
            with open(out, "wb") as file:
                file.write(whole[:7])
            subprocess.run([*curl, "-C", "-", "-o", out, f"{g.http}/v1/jobs/{job}:read"], check=True)
            with open(out, "rb") as file:
                self.assertEqual(file.read(), whole)
            refused = subprocess.run([*curl, f"{g.http}/v1/jobs/none"], capture_output=True, text=True)
            self.assertEqual(refused.returncode, 22)
            # A large body asks first (Expect: 100-continue).
            large = json.dumps({"storyboard": {"videoName": "x", "scenes": [{"story": "word " * 400}] * 900}})
            sent = subprocess.run([*curl, f"{g.http}/v1/previews", "-H", "Content-Type: application/json", "-d", "@-"],
                                  input=large, capture_output=True, text=True)
            self.assertIn('"jobId"', sent.stdout, sent.stderr)

    def test_tls_and_certificates_of_callers(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            servers, clients = Authority(folder / "ca", "servers"), Authority(folder / "clients", "clients")
            shown, caller = servers.issue("gateway"), clients.issue("caller", "URI:spiffe://test/caller")
            tenants = folder / "tenants.toml"
            tenants.write_text("[tenants.acme]\nroles = ['read']\nidentities = ['san:spiffe://test/caller']\n")
            with gateway("--tls-cert-file", shown.cert, "--tls-key-file", shown.key, "--tls-client-ca-file", clients.cert,
                         "--tenants", tenants, "--http-listen", "tls:127.0.0.1:0", "--http-listen",
                         "mtls:127.0.0.1:0") as g:
                trusting = ssl.create_default_context(cafile=servers.cert)
                self.assertEqual(Api(g.http, trusting)("GET", "/v1/usage").status, 401)
                with self.assertRaises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
                    Api(g.http2, trusting)("GET", "/v1/usage")
                showing = ssl.create_default_context(cafile=servers.cert)
                showing.load_cert_chain(caller.cert, caller.key)
                self.assertEqual(Api(g.http2, showing)("GET", "/v1/usage").json["tenant"], "acme")

    def test_a_unix_socket(self):
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/http.sock"
            with gateway("--http-listen", f"unix:{path}") as g:
                self.assertEqual(g.http, f"unix:{path}")
                done = subprocess.run(["curl", "-sS", "--unix-socket", path, "http://localhost/v1/usage"],
                                      capture_output=True, text=True, check=True)
                self.assertEqual(json.loads(done.stdout)["tenant"], "default")

    def test_keys_tenants_and_roles(self):
        with tempfile.TemporaryDirectory() as folder:
            key, lines = keygen("acme")
            file = pathlib.Path(folder, "tenants.toml")
            file.write_text(f"[tenants.acme]\nroles = ['read']\n{lines}")
            with house("--tenants", file) as (g, api):
                self.assertEqual(api("GET", "/v1/usage").status, 401)
                unknown = api("POST", "/v1/previews", "{", {})
                self.assertEqual((unknown.status, unknown.reason), (401, "CALLER_UNKNOWN"))  # before the body is read
                bearer = {"Authorization": f"Bearer {key}"}
                self.assertEqual(api("GET", "/v1/usage", headers=bearer).json["tenant"], "acme")
                self.assertEqual(api("POST", "/v1/previews", PREVIEW, bearer).reason, "ROLE_REQUIRED")
                # What a proxy may say counts from trusted proxies only.
                self.assertEqual(api("GET", "/v1/usage", headers={"X-Tenant": "acme"}).status, 401)

    def test_strangers_on_the_socket(self):
        with house() as (g, api):
            head = b"POST /v1/previews HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            body = json.dumps(PREVIEW).encode()
            for name, sent, status in [
                ("both lengths", head + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
                ("two lengths", head + b"Content-Length: 2\r\nContent-Length: 4\r\n\r\n{}", 400),
                ("odd coding", head + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
                ("blank before the colon", head + b"Content-Length : 2\r\n\r\n{}", 400),
                ("no host", b"GET /v1/jobs HTTP/1.1\r\n\r\n", 400),
                ("foreign host", b"GET /v1/jobs HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
                ("bad encoding", b"GET /v1/jobs/%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
                ("dots", b"GET /v1/jobs/../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
                ("NUL", b"GET /v1/jobs/a%00b HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
                ("huge header", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 70000 + b"\r\n\r\n", 431),
                ("form", head.replace(b"application/json", b"text/plain") +
                 b"Content-Length: %d\r\n\r\n" % len(body) + body, 415),
                ("other page", head + b"Origin: https://evil.example\r\nContent-Length: %d\r\n\r\n" % len(body) + body, 403),
            ]:
                with self.subTest(name):
                    self.assertEqual(api.raw(sent)[:12], b"HTTP/1.1 %d" % status)
            self.assertEqual(api("GET", "/v1/jobs").json["jobs"], [])
            # Two requests in one go are two answers, and no third.
            pair = (b"GET /v1/usage HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    b"GET /v1/usage HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            self.assertEqual(api.raw(pair, and_no_more=False).count(b"HTTP/1.1 200"), 2)

    def test_who_ends_its_half_is_answered(self):
        with house() as (g, api):
            body = b'{"storyboard":{"videoName":"demo","scenes":[{"story":"Hello there."}]}}'
            got = api.raw(b"POST /v1/previews HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                          b"Content-Length: %d\r\n\r\n" % len(body) + body)
            self.assertTrue(got.startswith(b"HTTP/1.1 200"), got)
            self.assertIn(b"\r\nConnection: close\r\n", got)
            job_id = json.loads(got.partition(b"\r\n\r\n")[2])["job"]["jobId"]
            watched = api.raw(b"GET /v1/jobs/%s:watch HTTP/1.1\r\nHost: localhost\r\n\r\n" % job_id.encode())
            self.assertIn(b"JOB_STATE_SUCCEEDED", watched)

    def test_what_is_no_request_is_told_in_json(self):
        with house() as (g, api):
            for sent, status in [(b"nonsense\r\n\r\n", 400),
                                 (b"GET /v1/jobs HTTP/1.1\r\nX: %s\r\n\r\n" % (b"x" * 40_000), 431),
                                 (b"POST /v1/previews HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
                                  501)]:
                with self.subTest(status):
                    head, _, body = api.raw(sent, and_no_more=False).partition(b"\r\n\r\n")
                    self.assertTrue(head.startswith(b"HTTP/1.1 %d" % status), head)
                    self.assertIn("google.rpc.ErrorInfo", json.loads(body)["details"][0]["@type"])

    def test_the_slow_keep_nobody_out(self):
        with house() as (g, api):
            with contextlib.ExitStack() as slow:
                for _ in range(200):
                    s = slow.enter_context(socket.create_connection(api.address, timeout=DEADLINE_SECONDS))
                    s.sendall(b"POST /v1/previews HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                              b"Content-Length: 1000\r\n\r\n{")
                self.assertEqual(api("GET", "/v1/usage").status, 200)
            self.assertEqual(api("GET", "/v1/jobs").json["jobs"], [])

    def test_a_drain_says_so(self):
        with house("--drain-timeout", "5", speed=0.2) as (g, api):
            job = api("POST", "/v1/previews", PREVIEW).json["job"]["jobId"]
            seen = []
            watcher = threading.Thread(target=lambda: seen.append(api("GET", f"/v1/jobs/{job}:watch").body))
            watcher.start()
            wait_until(lambda: g.metric("watches") == 1, "a watch")
            self.assertEqual(g.terminate()[0], 0)
            watcher.join(DEADLINE_SECONDS)
            self.assertIn(b"event: status\n", seen[0])
            self.assertIn(b'"reason":"DRAINING"', seen[0])


if __name__ == "__main__":
    unittest.main()
