"""The real grpc-health-probe at a gateway that serves, ends, shows a certificate and asks for one.

Exit 77: it is not here (cmake/health-probe).
"""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import find_live  # noqa: F401
from live.certificates import Authority
from live.gateway import Gateway
from live.process import DEADLINE_SECONDS, wait_until

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "build" / "tools" / "bin"
PROBE = shutil.which("grpc-health-probe", path=f"{TOOLS}:{os.environ['PATH']}")
API = "pictory.jobs.v1.PictoryJobs"
# Its exit codes.
SERVING, UNREACHABLE, CALL_FAILED, NOT_SERVING = 0, 2, 3, 4


class HealthProbe(unittest.TestCase):
    def setUp(self):
        self.exits = contextlib.ExitStack()
        self.addCleanup(self.exits.close)
        self.folder = pathlib.Path(self.exits.enter_context(tempfile.TemporaryDirectory()))

    def gateway(self, *flags, listen="127.0.0.1:0"):
        g = Gateway(self.folder / "gateway", *flags, start=False)
        g.listen = listen
        self.exits.callback(lambda: hasattr(g, "process") and g.kill())
        g.start()
        return g

    def probe(self, address, *flags):
        done = subprocess.run([PROBE, f"-addr={address.removeprefix('https://')}", "-connect-timeout=10s",
                               "-rpc-timeout=10s", *flags], text=True, capture_output=True, timeout=DEADLINE_SECONDS)
        return done.returncode, done.stdout + done.stderr

    def assert_serves(self, address, *flags):
        code, said = self.probe(address, *flags)
        self.assertEqual((code, "status: SERVING" in said), (SERVING, True), said)

    def test_serving_and_draining(self):
        path = self.folder / "socket"
        g = self.gateway("--listen", f"unix:{path}", "--drain-delay", "3600")
        for address in g.grpc, f"unix:{path}":
            self.assert_serves(address)
            self.assert_serves(address, f"-service={API}")
        self.assertEqual(self.probe(g.grpc, "-service=nobody")[0], CALL_FAILED)
        g.process.send_signal(signal.SIGTERM)
        wait_until(lambda: self.probe(g.grpc, f"-service={API}")[0] == NOT_SERVING, "the end to be told")
        self.assertEqual(self.probe(g.grpc)[0], NOT_SERVING)
        g.kill()
        self.assertEqual(self.probe(g.grpc, "-connect-timeout=1s")[0], UNREACHABLE)

    def test_with_certificates(self):
        servers, clients = Authority(self.folder / "ca", "servers"), Authority(self.folder / "clients", "clients")
        own, caller = servers.issue("gateway"), clients.issue("caller")
        g = self.gateway("--listen", "mtls:127.0.0.1:0", "--tls-cert-file", own.cert, "--tls-key-file", own.key,
                         "--tls-client-ca-file", clients.cert, listen="tls:127.0.0.1:0")
        trust = ("-tls", f"-tls-ca-cert={servers.cert}", "-tls-server-name=localhost")
        showing = (f"-tls-client-cert={caller.cert}", f"-tls-client-key={caller.key}")
        self.assert_serves(g.grpc, *trust, f"-service={API}")
        self.assert_serves(g.grpc2, *trust, *showing, f"-service={API}")
        soon = "-connect-timeout=1s"  # it tries again for as long
        for wrong in (("-tls", f"-tls-ca-cert={clients.cert}", "-tls-server-name=localhost"), ()):
            self.assertNotEqual(self.probe(g.grpc, *wrong, soon)[0], SERVING, wrong)
        self.assertNotEqual(self.probe(g.grpc2, *trust, soon)[0], SERVING)


if __name__ == "__main__":
    if PROBE is None:
        sys.exit(77)
    unittest.main()
