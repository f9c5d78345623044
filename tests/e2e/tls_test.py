"""Listeners with TLS, with certificates of callers, and on unix sockets, called by what callers have."""

import contextlib
import http.client
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest

import find_live  # noqa: F401
from half_open import DATA, END_HEADERS, END_STREAM, HEADERS, METHODS, SETTINGS, frame, headers
from live.certificates import Authority
from live.gateway import Gateway
from live.process import DEADLINE_SECONDS, wait_until
from live.programs import BIN

SERVICE = "pictory.jobs.v1.PictoryJobs"
HANDSHAKE_SECONDS = 20  # limits::kHandshakeMax
STALLED = 500
GRPCURL = shutil.which("grpcurl")
VERSIONS = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


class Tls(unittest.TestCase):
    def setUp(self):
        self.exits = contextlib.ExitStack()
        self.addCleanup(self.exits.close)
        self.folder = pathlib.Path(self.exits.enter_context(tempfile.TemporaryDirectory()))
        self.authority = Authority(self.folder / "ca", "servers")
        self.clients = Authority(self.folder / "clients", "clients")
        self.files = self.folder / "files"  # as Kubernetes mounts a secret
        self.files.mkdir()
        self.put("1", self.authority.issue("first"))
        for name in ("tls.crt", "tls.key"):
            (self.files / name).symlink_to(f"..data/{name}")

    def put(self, version, issued, crt=None):
        """All files at once, by a link that is put elsewhere."""
        to = self.files / f"..{version}"
        to.mkdir()
        shutil.copy(crt or issued.cert, to / "tls.crt")
        shutil.copy(issued.key, to / "tls.key")
        (self.files / "..data_tmp").symlink_to(to.name)
        (self.files / "..data_tmp").rename(self.files / "..data")

    def gateway(self, *listen, more=(), **kwargs):
        flags = ["--tls-cert-file", self.files / "tls.crt", "--tls-key-file", self.files / "tls.key",
                 "--log-format", "json"]
        if any(each.startswith("mtls:") for each in listen) and "--tls-client-ca-file" not in more:
            flags += ["--tls-client-ca-file", self.clients.cert]
        for each in listen[1:]:
            flags += ["--listen", each]
        g = Gateway(self.folder / "gateway", *flags, *more, start=False, **kwargs)
        g.listen = listen[0]
        self.exits.callback(lambda: hasattr(g, "process") and g.end())
        g.start()
        return g

    def events(self, g, name):
        lines = g.log.read_text().splitlines()
        return [line for line in map(json.loads, lines) if line["event"] == name]

    def pictory(self, server, *args, tls=(), timeout=DEADLINE_SECONDS):
        return subprocess.run([BIN / "pictory", "--server", server, *map(str, tls), *map(str, args)], text=True,
                              capture_output=True, timeout=timeout)

    def trusting(self, authority=None):
        return ["--tls-ca", (authority or self.authority).cert]

    def showing(self, issued):
        return [*self.trusting(), "--tls-cert", issued.cert, "--tls-key", issued.key]

    def shown(self, target, authority, protocol="h2", client=None):
        """The serial number of the certificate that a new connection is shown."""
        host, port = target.removeprefix("https://").rsplit(":", 1)
        context = ssl.create_default_context(cafile=authority.cert)
        context.set_alpn_protocols([protocol])
        if client:
            context.load_cert_chain(client.cert, client.key)
        with socket.create_connection((host, int(port)), timeout=30) as raw:
            with context.wrap_socket(raw, server_hostname="localhost") as tls:
                if protocol == "h2":
                    self.assertEqual(tls.selected_alpn_protocol(), "h2")
                return tls.getpeercert()["serialNumber"]

    def http(self, target, path, authority, client=None):
        """The answer to a GET, of which nothing is read yet, on a connection of its own."""
        context = ssl.create_default_context(cafile=authority.cert)
        if client:
            context.load_cert_chain(client.cert, client.key)
        asked = http.client.HTTPSConnection(target.removeprefix("https://"), timeout=DEADLINE_SECONDS, context=context)
        self.exits.callback(asked.close)
        asked.request("GET", path, headers={"Accept": "text/event-stream" if path.endswith(":watch") else "*/*"})
        return asked.getresponse()

    def assert_serves(self, server, tls=()):
        done = self.pictory(server, "list", tls=tls)
        self.assertEqual(done.returncode, 0, done.stderr)

    def assert_refused(self, server, *words, tls=()):
        done = self.pictory(server, "list", tls=tls)
        self.assertEqual(done.returncode, 5, done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)


class Callers(Tls):
    def test_the_command_line_reaches_every_kind_of_listener(self):
        client = self.clients.issue("client", "URI:spiffe://test/client")
        path = self.folder / "socket"
        g = self.gateway("tls:127.0.0.1:0", "mtls:127.0.0.1:0", f"unix:{path}")
        self.assertTrue(g.grpc.startswith("https://127.0.0.1:"), g.grpc)
        self.assertEqual(g.grpc3, f"unix:{path}")
        self.assertEqual([each["grpc"] for each in self.events(g, "serving")], [g.grpc, g.grpc2, g.grpc3])
        self.assertEqual(path.stat().st_mode & 0o7777, 0o660)
        self.assert_serves(g.grpc, self.trusting())
        self.assert_serves(g.grpc2, self.showing(client))
        self.assert_serves(g.grpc3)
        submitted = self.pictory(g.grpc2, "preview", "--name", "a", "--text", "Hello.", "--wait",
                                 tls=self.showing(client))
        self.assertEqual(submitted.returncode, 0, submitted.stderr)
        wait_until(g.is_ready, "its calls to itself through all of them")
        self.assertEqual(g.terminate()[0], 0)
        self.assertFalse(path.exists())

    def test_the_authority_of_the_environment_is_believed(self):
        g = self.gateway("tls:127.0.0.1:0")

        def listed(cert, *tls):
            return subprocess.run([BIN / "pictory", "--server", g.grpc, *map(str, tls), "list"], capture_output=True,
                                  text=True, timeout=DEADLINE_SECONDS, env={**os.environ, "SSL_CERT_FILE": str(cert)})
        self.assertEqual(listed(self.authority.cert).returncode, 0)
        self.assertEqual(listed(self.clients.cert, *self.trusting()).returncode, 0)
        self.assertEqual(listed(self.authority.cert, *self.trusting(self.clients)).returncode, 5)
        missing = listed(self.folder / "none.pem")
        self.assertEqual((missing.returncode, "none.pem" in missing.stderr), (2, True), missing.stderr)

    def test_nobody_is_believed_who_should_not_be(self):
        g = self.gateway("tls:127.0.0.1:0", "mtls:127.0.0.1:0")
        self.assert_refused(g.grpc, "is not believed", tls=self.trusting(self.clients))  # an unknown authority
        self.assert_refused(g.grpc2, "--tls-cert", tls=self.trusting())
        self.assert_refused(g.grpc2, tls=self.showing(self.authority.issue("stranger")))
        self.assert_refused(g.grpc2, tls=self.showing(self.clients.issue("late", days=-1)))
        self.assert_refused(g.grpc, "are they PEM", tls=["--tls-ca", self.authority.key])
        for wrong in (["--tls-ca", self.authority.key],
                      [*self.trusting(), "--tls-cert", self.authority.cert, "--tls-key", self.authority.cert]):
            done = self.pictory(g.grpc, "list", tls=wrong)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (5, 1), done.stderr)
        self.assert_serves(g.grpc, self.trusting())
        self.put("elsewhere", self.authority.issue("elsewhere", "DNS:elsewhere.example"))
        g.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.events(g, "tls_replaced"), "a certificate for another host")
        self.assert_refused(g.grpc, "is not believed", tls=self.trusting())

    def test_a_certificate_that_has_ended_is_told_at_the_start_and_no_reason_to_end(self):
        self.put("late", self.authority.issue("late", days=-1))
        g = self.gateway("tls:127.0.0.1:0")
        self.assertIn("has ended", self.events(g, "tls_certificate")[0]["reason"])
        self.assert_refused(g.grpc, "is not believed", tls=self.trusting())
        self.assertTrue(g.is_ready())

    def test_a_plain_caller_at_a_tls_port_harms_nobody(self):
        g = self.gateway("tls:127.0.0.1:0", speed=1)
        job = json.loads(self.pictory(g.grpc, "preview", "--name", "a", "--text", "Hello.", "--json",
                                      tls=self.trusting()).stdout.splitlines()[-1])["jobId"]
        with subprocess.Popen([BIN / "pictory", "--server", g.grpc, *self.trusting(), "watch", job, "--json"],
                              text=True, stdout=subprocess.PIPE) as watch:
            self.assertIn(job, watch.stdout.readline())
            self.assert_refused(g.grpc.removeprefix("https://"), "https://")
            self.assertIn("SUCCEEDED", watch.communicate(timeout=DEADLINE_SECONDS)[0])
            self.assertEqual(watch.returncode, 0)

    @unittest.skipIf(GRPCURL is None, "no grpcurl here")
    def test_grpcurl(self):
        client = self.clients.issue("client")
        path = self.folder / "socket"
        g = self.gateway("tls:127.0.0.1:0", "mtls:127.0.0.1:0", f"unix:{path}")
        tls, mutual = (each.removeprefix("https://") for each in (g.grpc, g.grpc2))

        def grpcurl(*args):
            return subprocess.run([GRPCURL, *map(str, args), f"{SERVICE}/ListJobs"], text=True, capture_output=True,
                                  timeout=DEADLINE_SECONDS)

        trust = ("-cacert", self.authority.cert)
        show = (*trust, "-cert", client.cert, "-key", client.key)
        for args in ((*trust, tls), (*show, mutual), ("-plaintext", "-unix", path)):
            done = grpcurl(*args)
            self.assertEqual(done.returncode, 0, f"{args}: {done.stderr}")
        for args in ((tls,), (*trust, "-authority", "elsewhere.example", tls), ("-plaintext", tls), (*trust, mutual)):
            self.assertNotEqual(grpcurl(*args).returncode, 0, args)


class Reload(Tls):
    def test_a_new_certificate_needs_no_restart_and_costs_no_watch(self):
        client = self.clients.issue("client")
        g = self.gateway("tls:127.0.0.1:0", speed=1,
                         more=["--http-listen", "tls:127.0.0.1:0", "--http-listen", "mtls:127.0.0.1:0",
                               "--tls-client-ca-file", self.clients.cert])
        before = self.shown(g.grpc, self.authority)
        self.assertEqual(self.shown(g.http, self.authority, "http/1.1"), before)
        job = json.loads(self.pictory(g.grpc, "preview", "--name", "a", "--text", "Hello.", "--json",
                                      tls=self.trusting()).stdout.splitlines()[-1])["jobId"]
        with subprocess.Popen([BIN / "pictory", "--server", g.grpc, *self.trusting(), "watch", job, "--json"],
                              text=True, stdout=subprocess.PIPE) as watch:
            self.assertIn(job, watch.stdout.readline())
            events = self.http(g.http, f"/v1/jobs/{job}:watch", self.authority)
            self.assertEqual(events.status, 200)
            first = next(line for line in iter(events.readline, b"") if line.startswith(b"data:"))
            self.assertIn(job.encode(), first)
            accepted = g.metric("connections_accepted_total")
            newer = Authority(self.folder / "newer", "newer servers")
            self.put("2", newer.issue("second"))
            g.process.send_signal(signal.SIGHUP)
            wait_until(lambda: self.events(g, "tls_replaced"), "the new certificate")
            self.assertNotEqual(self.shown(g.grpc, newer), before)
            self.assert_refused(g.grpc, tls=self.trusting())
            for target in (g.http, g.http2):
                self.assertNotEqual(self.shown(target, newer, "http/1.1", client), before)
                with self.assertRaises(ssl.SSLCertVerificationError):
                    self.http(target, "/v1/jobs", self.authority, client)
            self.assertEqual(self.http(g.http2, "/v1/jobs", newer, client).status, 200)
            self.assertIn(b"SUCCEEDED", events.read(), "the events go on on the connection that was there")
            # The watch trusts the old authority alone. It could not have come back.
            self.assertIn("SUCCEEDED", watch.communicate(timeout=DEADLINE_SECONDS)[0])
            self.assertEqual(watch.returncode, 0)
            self.assertGreater(g.metric("connections_accepted_total"), accepted)
        self.assertEqual(self.events(g, "reloaded")[0]["tls"], "replaced")

    def test_files_that_do_not_belong_together_change_nothing(self):
        g = self.gateway("tls:127.0.0.1:0")
        before = self.shown(g.grpc, self.authority)
        second = self.authority.issue("second")
        self.put("mixed", self.authority.issue("other"), crt=second.cert)
        kept = wait_until(lambda: self.events(g, "tls_kept"), "the log to say so")[0]  # without a signal
        self.assertIn(f"--tls-key-file: {self.files}/tls.key does not fit", kept["reason"])
        self.assertEqual(self.shown(g.grpc, self.authority), before)
        self.put("2", second)
        wait_until(lambda: self.events(g, "tls_replaced"), "the new certificate")
        self.assertNotEqual(self.shown(g.grpc, self.authority), before)
        self.assert_serves(g.grpc, self.trusting())
        self.assertEqual(len(self.events(g, "tls_kept")), 1)

    def test_a_key_that_others_can_read_is_refused_at_the_start(self):
        (self.files / "tls.key").resolve().chmod(0o644)
        with self.assertRaisesRegex(AssertionError, "ended with 2: .*--tls-key-file: .*can be read by others"):
            self.gateway("tls:127.0.0.1:0")


class Resumed(Tls):
    """A session that is resumed is one whose certificates nobody looks at again."""

    def setUp(self):
        super().setUp()
        self.client = self.clients.issue("client", "URI:spiffe://test/client")
        self.tenants = self.folder / "tenants.toml"
        self.tenants.write_text('[tenants.resumer]\nidentities = ["san:spiffe://test/client"]\n')
        self.ca = self.folder / "client-ca.crt"
        shutil.copy(self.clients.cert, self.ca)
        self.g = self.gateway("tls:127.0.0.1:0", "mtls:127.0.0.1:0",
                              more=["--tenants", self.tenants, "--tls-client-ca-file", self.ca])

    def context(self, version, client=None):
        context = ssl.create_default_context(cafile=self.authority.cert)
        context.minimum_version = context.maximum_version = version
        context.set_alpn_protocols(["h2"])
        if client:
            context.load_cert_chain(client.cert, client.key)
        return context

    def call(self, target, context, session=None):
        """GetUsage on a connection of its own: whether it was resumed, what came, and the session for the next."""
        host, port = target.removeprefix("https://").rsplit(":", 1)
        came = b""
        with socket.create_connection((host, int(port)), timeout=30) as raw:
            with context.wrap_socket(raw, server_hostname="localhost", session=session) as tls:
                tls.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0)
                            + frame(HEADERS, END_HEADERS, 1, headers(METHODS + "GetUsage"))
                            + frame(DATA, END_STREAM, 1, bytes(5)))
                while b"grpc-status" not in came:
                    more = tls.recv(1 << 16)
                    if not more:
                        break
                    came += more
                return tls.session_reused, came, tls.session

    def refused(self, target, context, session):
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            _, came, _ = self.call(target, context, session)
            return b"grpc-status" not in came
        return True

    def change_authority(self):
        beside = self.folder / "beside"
        shutil.copy(Authority(self.folder / "newer", "newer clients").cert, beside)
        beside.rename(self.ca)
        self.g.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.events(self.g, "tls_replaced"), "the new authority")

    def test_a_session_ends_with_the_authority(self):
        contexts = [self.context(version, self.client) for version in VERSIONS]
        sessions = []
        for context in contexts:
            _, came, session = self.call(self.g.grpc2, context)
            resumed, again, session = self.call(self.g.grpc2, context, session)
            self.assertTrue(resumed, "else this shows nothing")
            self.assertIn(b"resumer", came)
            self.assertIn(b"resumer", again, "the name of its certificate is known again")
            sessions.append(session)
        self.change_authority()
        for context, session in zip(contexts, sessions):
            self.assertTrue(self.refused(self.g.grpc2, context, session), context.maximum_version)

    def test_a_session_of_a_listener_that_asks_nobody_is_none_of_one_that_asks(self):
        for version in VERSIONS:
            context = self.context(version)
            _, came, session = self.call(self.g.grpc, context)
            self.assertIn(b"grpc-status", came)
            self.assertTrue(self.refused(self.g.grpc2, context, session), version)


class Stalled(Tls):
    def test_handshakes_that_do_not_end_hold_no_places(self):
        """Half of them say nothing, half begin and stop."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4 * STALLED)), hard))
        self.exits.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        g = self.gateway("tls:127.0.0.1:0")
        port = int(g.grpc.rsplit(":", 1)[1])
        files = pathlib.Path(f"/proc/{g.pid}/fd")
        idle = len(list(files.iterdir()))
        stalled = [self.exits.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
                   for _ in range(STALLED)]
        began = time.monotonic()
        for each in stalled[::2]:
            each.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")

        def held():
            return len(list(files.iterdir())) - idle

        wait_until(lambda: held() > STALLED - 5, "all to be accepted")
        self.assert_serves(g.grpc, self.trusting())
        self.assertGreater(held(), STALLED - 5, "they are there meanwhile")
        for each in stalled:
            with contextlib.suppress(ConnectionResetError):
                self.assertEqual(each.recv(1), b"")
        self.assertLess(time.monotonic() - began, 2 * HANDSHAKE_SECONDS)
        wait_until(lambda: held() < 5, "their places to be free")
        self.assert_serves(g.grpc, self.trusting())


if __name__ == "__main__":
    unittest.main()
