"""What the gateway tells a service manager, and `pictory-gateway probe`, which asks it."""

import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import unittest

import find_live  # noqa: F401
from live.gateway import gateway
from live.process import DEADLINE_SECONDS, environment
from live.programs import BIN

WATCHDOG_SECONDS = 0.6
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207


class ServiceManager:
    """The socket that NOTIFY_SOCKET names."""

    def __init__(self, folder):
        self.path = str(pathlib.Path(folder) / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)

    def next(self, seconds=DEADLINE_SECONDS):
        """The next notice as a dict; None if none comes."""
        self.socket.settimeout(seconds)
        try:
            return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())
        except TimeoutError:
            return None

    def await_(self, name):
        """The next one with that name, and how many beats came before it."""
        beats = 0
        while True:
            notice = self.next()
            if notice is None:
                raise AssertionError(f"no {name}")
            if name in notice:
                return notice, beats
            beats += "WATCHDOG" in notice

    def drain(self):
        self.socket.setblocking(False)
        try:
            while True:
                self.socket.recv(4096)
        except BlockingIOError:
            pass


def thread(pid, name):
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            return int(task.name)
    raise AssertionError(f"no thread {name}")


def ptrace(request, tid):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    if libc.ptrace(request, tid, None, None) != 0:
        raise unittest.SkipTest(f"ptrace: {os.strerror(ctypes.get_errno())}")


class Service(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.manager = ServiceManager(folder.name)
        self.addCleanup(self.manager.socket.close)
        self.env = {"NOTIFY_SOCKET": self.manager.path}

    def test_from_the_start_to_the_end(self):
        with gateway("--drain-timeout", "5", env=self.env) as g:
            self.assertEqual(self.manager.next(), {"READY": "1", "STATUS": f"Serves at {g.grpc}"})
            g.process.send_signal(signal.SIGHUP)
            self.assertEqual(self.manager.next()["RELOADING"], "1")
            self.assertEqual(self.manager.next()["READY"], "1")
            g.process.send_signal(signal.SIGTERM)
            self.assertEqual(self.manager.next(), {"STOPPING": "1", "STATUS": "Ends in order",
                                                   "EXTEND_TIMEOUT_USEC": str((5 + 30 + 10) * 1_000_000)})
            self.assertEqual(g.process.wait(timeout=DEADLINE_SECONDS), 0)

    def test_the_watchdog_is_fed_only_while_the_loops_move(self):
        self.env["WATCHDOG_USEC"] = str(int(WATCHDOG_SECONDS * 1_000_000))
        with gateway(env=self.env) as g:
            self.manager.await_("READY")
            for _ in range(5):
                self.assertEqual(self.manager.next(WATCHDOG_SECONDS * 10), {"WATCHDOG": "1"})
            for name in ("timers", "watchers"):
                with self.subTest(name):
                    tid = thread(g.process.pid, name)
                    ptrace(PTRACE_SEIZE, tid)
                    try:
                        ptrace(PTRACE_INTERRUPT, tid)
                        os.waitpid(tid, 0x40000000)  # __WALL: until it has stopped
                        self.manager.drain()
                        self.assertIsNone(self.manager.next(WATCHDOG_SECONDS * 2), f"fed while {name} stood still")
                    finally:
                        ptrace(PTRACE_DETACH, tid)
                    self.assertEqual(self.manager.next(), {"WATCHDOG": "1"})
            g.process.send_signal(signal.SIGTERM)
            stopping, _ = self.manager.await_("STOPPING")
            self.assertEqual(stopping["WATCHDOG_USEC"], stopping["EXTEND_TIMEOUT_USEC"])

    def test_a_wrong_socket_keeps_it_from_starting(self):
        done = subprocess.run([BIN / "pictory-gateway", "--sandbox", "--listen", "127.0.0.1:0", "--admin-listen", "off",
                               "--state-dir", tempfile.mkdtemp(dir=pathlib.Path(self.manager.path).parent)],
                              env=environment({"NOTIFY_SOCKET": "nowhere"}), capture_output=True, text=True,
                              timeout=DEADLINE_SECONDS)
        self.assertEqual(done.returncode, 2)
        self.assertIn("NOTIFY_SOCKET", done.stderr)


class Probe(unittest.TestCase):
    def probe(self, *arguments):
        return subprocess.run([BIN / "pictory-gateway", "probe", *arguments], capture_output=True, text=True,
                              timeout=DEADLINE_SECONDS)

    def test_says_whether_a_gateway_serves(self):
        with gateway() as g:
            done = self.probe("--address", g.grpc)
            self.assertEqual((done.returncode, done.stdout), (0, f"{g.grpc} serves\n"), done.stderr)
            other = self.probe("--address", g.admin)  # plain HTTP: no gRPC server's answer
            self.assertEqual((other.returncode, other.stdout), (1, ""))
            address = g.grpc
        done = self.probe("--address", address, "--timeout", "5")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn(address, done.stderr)

    def test_wrong_usage_is_2(self):
        for arguments in (["--adress", "x"], ["--timeout", "0"]):
            self.assertEqual(self.probe(*arguments).returncode, 2, arguments)


if __name__ == "__main__":
    unittest.main()
