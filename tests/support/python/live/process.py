"""A child process: what it takes, and how to wait for what it does."""

import contextlib
import os
import pathlib
import re
import signal
import time

DEADLINE_SECONDS = 60
KIB, MIB = 1024, 1024 * 1024
# Set by tests/sanitizers/run, with the exit code a sanitizer gives after a report.
SANITIZED = "PICTORY_SANITIZED" in os.environ
SANITIZER_EXIT = 99


def wait_until(condition, what, every=0.02, patience=DEADLINE_SECONDS):
    """Polls a condition that another process makes true; fails loudly if it never does."""
    give_up = time.monotonic() + patience
    while time.monotonic() < give_up:
        value = condition()
        if value:
            return value
        time.sleep(every)
    raise AssertionError(f"waited {patience} s in vain for {what}")


def environment(more=None):
    """This one's without settings of the programs, and `more`."""
    return {**{k: v for k, v in os.environ.items() if not k.startswith("PICTORY_")}, **(more or {})}


class Process:
    """Has a `process` (subprocess.Popen) and a `log`, a path."""

    @property
    def pid(self):
        return self.process.pid

    def said(self):
        """The end of its log."""
        return self.log.read_text(errors="replace")[-4000:]

    def await_ready_file(self, ready, every=0.02):
        """The NAME=VALUE lines that it writes once it serves."""
        wait_until(lambda: ready.exists() or self.process.poll() is not None, f"{ready} of pid {self.pid}", every)
        if self.process.returncode is not None:
            raise AssertionError(f"it did not start, but ended with {self.process.returncode}: {self.said()}")
        return dict(line.split("=", 1) for line in ready.read_text().splitlines())

    def cpu(self):
        """Seconds of user and system time, of all its threads."""
        return time.clock_gettime_ns((~self.pid << 3) | 2) / 1e9  # clock_getcpuclockid(3)

    def memory(self, name="VmRSS"):
        """Bytes: VmRSS is resident, VmHWM its peak, RssAnon without files."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)[1]) * KIB

    def forget_peak(self):
        """VmHWM begins anew."""
        pathlib.Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def is_stopped(self):
        """By SIGSTOP, whoever sent it."""
        return pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"

    @contextlib.contextmanager
    def stopped(self):
        """Takes no CPU meanwhile, for what works without being asked to."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def terminate(self):
        """SIGTERM; the exit code and the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=DEADLINE_SECONDS)
        return code, time.monotonic() - began

    def end(self):
        """At once; but in order for a sanitizer, which looks for leaks at the end of the program. Who ended by
        itself meanwhile, and nobody has asked for its exit code, must have ended well."""
        noticed = self.process.returncode is not None
        code = self.process.poll()
        if code is None and SANITIZED:
            code, _ = self.terminate()
        self.kill()
        if not noticed and code not in (None, 0, -signal.SIGKILL) or SANITIZED and code == SANITIZER_EXIT:
            raise AssertionError(f"it ended with {code}: {self.said()}")
