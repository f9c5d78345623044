"""A gateway whose port is deaf while the process is well ends with exit code 71, and says why."""

import ctypes
import os
import re
import socket
import time
import unittest

import find_live  # noqa: F401
from live.gateway import gateway
from live.process import DEADLINE_SECONDS

PIDFD_GETFD = 438  # the number of the system call, on every architecture


def listeners(pid, port):
    """The process's descriptors that listen on that port."""
    with open(f"/proc/{pid}/net/tcp") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    inodes = {row[9] for row in rows if row[3] == "0A" and int(row[1].split(":")[1], 16) == port}
    folder = f"/proc/{pid}/fd"
    names = {fd: os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)}
    return [int(fd) for fd, name in names.items() if re.fullmatch(r"socket:\[(\d+)\]", name) and name[8:-1] in inodes]


def borrow(pid, fd):
    """A descriptor of another process as a socket of this one."""
    pidfd = os.pidfd_open(pid)
    try:
        got = ctypes.CDLL(None, use_errno=True).syscall(PIDFD_GETFD, pidfd, fd, 0)
    finally:
        os.close(pidfd)
    if got < 0:
        raise unittest.SkipTest(f"pidfd_getfd: {os.strerror(ctypes.get_errno())}")
    return socket.socket(fileno=got)


class Deaf(unittest.TestCase):
    def test_a_port_that_nobody_can_reach_ends_the_process_with_71(self):
        with gateway() as g:
            self.assertEqual(g.fetch("/livez"), "ok\n")
            found = listeners(g.process.pid, int(g.grpc.rsplit(":", 1)[1]))
            self.assertTrue(found)
            for fd in found:
                with borrow(g.process.pid, fd) as listener:
                    listener.shutdown(socket.SHUT_RDWR)  # of the socket itself, so for the gateway too
            began = time.monotonic()
            self.assertEqual(g.process.wait(timeout=DEADLINE_SECONDS), 71, g.log.read_text())
            # Two calls, ten seconds apart: a single one is not enough.
            self.assertGreater(time.monotonic() - began, 8)
            log = g.log.read_text()
            self.assertRegex(log, r"unreachable.*")
            self.assertIn("stopped", log.splitlines()[-1])


if __name__ == "__main__":
    unittest.main()
