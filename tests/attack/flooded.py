"""What a flood does to a gateway, straight at its port and through Envoy."""

import contextlib
import os
import subprocess
import tempfile
import threading
import time
import pathlib

import frames
from envoy import Envoy
from live.process import MIB, wait_until
from live.programs import BIN
from live.rig import UNLIMITED, Rig
from shapes import edge

ATTACK_SECONDS, QUICK_SECONDS = 6, 3
CONNECTIONS = 2
MEMORY_MOST = 512 * MIB  # a gateway that has more is killed, as by its container's limit
SERVES_WITHIN = 60
LEAST_SENT = MIB  # else it was no flood
# Each call is a process of its own that is started meanwhile, on as many cores as the flood has. On a machine that
# others keep busy a call waits without a flood, too.
OTHERS_WAIT_SECONDS, TIMES_QUIET = 3.0, 10
QUIET_SECONDS = 1.0
EDGE_MEMORY = 48 * MIB


class Others:
    """Small calls of another caller, one after the other, by the command line."""

    def __init__(self, target, job):
        self.command = [BIN / "pictory", "get", job]
        self.env = {**os.environ, "PICTORY_GATEWAY": target}
        self.slowest, self.failed, self.calls = 0.0, 0, 0
        give_up = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < give_up:
            self.time_one()
        self.bound, self.slowest = max(OTHERS_WAIT_SECONDS, TIMES_QUIET * self.slowest), 0.0
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def once(self):
        with contextlib.suppress(subprocess.TimeoutExpired):
            return subprocess.run(self.command, env=self.env, capture_output=True, timeout=20).returncode == 0
        return False

    def run(self):
        while not self.ending.is_set():
            self.failed += not self.time_one()
            self.calls += 1

    def time_one(self):
        began = time.monotonic()
        good = self.once()
        self.slowest = max(self.slowest, time.monotonic() - began)
        return good

    @property
    def in_time(self):
        return not self.failed and self.calls > 0 and self.slowest <= self.bound

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.ending.set()
        self.thread.join()


class Attack:
    """A flood on some connections at once, and the bytes it got rid of."""

    def __init__(self, target, flood, seconds, go_on):
        self.sent, self.cut = 0, 0
        self.threads = [threading.Thread(target=self.run, args=(target, flood, seconds, go_on))
                        for _ in range(CONNECTIONS)]
        for thread in self.threads:
            thread.start()

    def run(self, target, flood, seconds, go_on):
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up and go_on():
            try:
                with frames.connect(target) as sock:
                    sent, cut = frames.send_for(sock, getattr(frames, flood)(), give_up - time.monotonic(), go_on)
            except OSError:
                return  # nobody takes connections any more
            self.sent += sent
            self.cut += cut

    def wait(self):
        for thread in self.threads:
            thread.join()

    @property
    def took_place(self):
        return self.sent >= LEAST_SENT or self.cut > 0


class House(Rig):
    """A gateway with a job and its sandbox."""

    def __init__(self, folder, *flags):
        super().__init__(folder)
        self.pictory = self.sandbox("--speed", "20")
        self.g = self.gateway(self.pictory.url, *UNLIMITED, *flags)
        self.g.listen = self.g.grpc
        self.jobs = [self.g.json("preview", "--name", f"r{i}", "--text", "Hi.", "--request-id", f"r{i}")["jobId"]
                     for i in range(3)]

    def is_whole(self):
        """Every job is there, and a repeated submit gets it; each was paid for once."""
        again = [self.g.json("preview", "--name", f"r{i}", "--text", "Hi.", "--request-id", f"r{i}")["jobId"]
                 for i in range(3)]
        return again == self.jobs and len(self.pictory.accepted()) == 3


class Watched:
    """Kills a process that grows too large, and knows how large it was."""

    def __init__(self, process):
        self.process, self.before, self.peak, self.killed = process, process.memory(), 0, False
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.ending.wait(0.02):
            try:
                self.peak = max(self.peak, self.process.memory())
            except (OSError, TypeError):
                return  # it has ended
            if self.peak > MEMORY_MOST:
                self.killed = True
                return self.process.process.kill()

    def alive(self):
        return self.process.process.poll() is None

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.ending.set()
        self.thread.join()

    @property
    def grew(self):
        return max(0, self.peak - self.before)


def straight(folder, quick, flood):
    seconds = QUICK_SECONDS if quick else ATTACK_SECONDS
    with House(folder) as house:
        g = house.g
        with Watched(g) as watched, Others(g.grpc, house.jobs[0]) as others:
            attack = Attack(g.grpc, flood, seconds, watched.alive)
            attack.wait()
        began = time.monotonic()
        died = not watched.alive()
        if died:
            g.process.wait()
            g.start()
        wait_until(others.once, "somebody to be served again", every=0.2, patience=SERVES_WITHIN)
        recovered = time.monotonic() - began
        whole = house.is_whole()
        holds = not died and others.in_time
        fate = ("killed at its limit and started again" if watched.killed else "ended and started again") if died \
            else f"others waited {others.slowest:.1f} s at most, {others.failed} of {others.calls} failed"
        seen = (f"{'holds' if holds else 'does not hold'}: {attack.sent / MIB:.0f} MiB sent, +{watched.grew / MIB:.0f} MiB, "
                f"{fate}; serves after {recovered:.1f} s; store {'whole' if whole else 'NOT WHOLE'}")
        return attack.took_place and whole and recovered <= SERVES_WITHIN, seen, []


def through_envoy(folder, quick, flood):
    seconds = QUICK_SECONDS if quick else ATTACK_SECONDS
    with House(folder) as house:
        g = house.g
        front = Envoy(pathlib.Path(tempfile.mkdtemp(prefix="envoy-", dir=folder)) / "run", edge(g.grpc))
        house.exits.callback(front.kill)
        with Watched(g) as watched, Others(front.target, house.jobs[0]) as others:
            attack = Attack(front.target, flood, seconds, watched.alive)
            attack.wait()
        alive = watched.alive() and front.process.poll() is None
        whole = alive and house.is_whole()
        met = attack.took_place and whole and others.in_time and watched.grew <= EDGE_MEMORY
        seen = (f"{attack.sent / MIB:.0f} MiB sent, {attack.cut} connections cut by Envoy, gateway "
                f"+{watched.grew / MIB:.0f} MiB, others waited {others.slowest:.1f} s at most, "
                f"{others.failed} of {others.calls} failed")
        return met, seen, [] if alive else ["Envoy or the gateway ended"]
