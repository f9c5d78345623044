"""Requests that are cheap to send and made to be dear, against the real gateway: what they cost it, compared
with ordinary requests of as many bytes, and what others notice.

    tests/hostile/run                 every row, two minutes
    tests/hostile/run --quick         the shorter ones, less than half a minute
    tests/hostile/run --only NAME...  these rows
    tests/hostile/run --list          the rows

Each row has two gateways of its own, one after the other, with a sandbox that is a process of its own. Of
CPU time (utime and stime) and of memory (the peak, VmHWM) beyond what the idle gateway had, the hostile
requests may take three times what the ordinary ones do; of so little that it cannot be compared, nothing
is said. Meanwhile others ask for health and for a job, and must be answered in time; then the same
requests come once more together with SIGTERM, and the gateway must end. PICTORY_BIN is the folder of the
programs (build/bench/bin, which is optimised). Exit 0 only if every number is met.
"""

import contextlib
import functools
import os
import pathlib
import queue
import re
import subprocess
import sys
import tempfile
import threading
import time
import uuid

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.dont_write_bytecode = True
os.environ.setdefault("PICTORY_BIN", str(ROOT / "build" / "bench" / "bin"))
sys.path[:0] = [str(HERE), str(HERE.parent / "support" / "python")]


def with_grpc():
    """Goes on in an environment of its own that has the library, which it sets up once."""
    venv = ROOT / "build" / "hostile"
    python = venv / "bin" / "python"
    if not python.exists():
        wanted = (ROOT / "tests/mesh/requirements.txt").read_text()
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet",
                        re.search(r"^grpcio==\S+", wanted, re.MULTILINE).group()], check=True)
    os.execv(python, [str(python), *sys.argv])


try:
    import grpc
except ModuleNotFoundError:
    with_grpc()

from live import rows  # noqa: E402
from live.process import KIB, MIB  # noqa: E402
from live.rig import Rig  # noqa: E402

COMMAND = "tests/hostile/run"
# Below them two figures are not compared: the clock ticks in 10 ms, and memory comes in pieces.
CPU_FLOOR_SECONDS = 0.1
MEMORY_FLOOR = 8 * MIB
OTHERS_WAIT_SECONDS = 1.0
END_SECONDS = 10.0
CALL_SECONDS = 60
LATE_SECONDS = 3  # of calls to a gateway that ends
OPTIONS = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
HEALTH = ("/grpc.health.v1.Health/Check", b"")
JOB = ("/pictory.jobs.v1.PictoryJobs/GetJob", b"\x0a\x0bno-such-job")


def ask(channel, path, request, seconds=CALL_SECONDS):
    """The name of the code."""
    try:
        channel.unary_unary(path)(request, timeout=seconds)
        return "OK"
    except grpc.RpcError as error:
        return error.code().name


def request_id():
    """As the first field of a submit."""
    text = uuid.uuid4().hex.encode()
    return b"\x0a" + bytes([len(text)]) + text


def many(target, path, request, calls, rounds, keyed=False, seconds=CALL_SECONDS):
    """Each of `calls` connections one call after the other; the codes that came."""
    codes = set()

    def one():
        with grpc.insecure_channel(target, options=OPTIONS) as channel:
            for _ in range(rounds):
                codes.add(ask(channel, path, request_id() + request if keyed else request, seconds))

    threads = [threading.Thread(target=one) for _ in range(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return codes


class Others:
    """Small calls, one after the other, in a process of their own: this one is busy sending."""

    def __init__(self, rig):
        self.process = rig.spawn(sys.executable, __file__, "--others", stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True)

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def call(self, target):
        """From now on these calls go there."""
        self.tell(target)

    def slowest(self):
        """Since it was asked last; in seconds."""
        return float(self.tell("slowest"))


def be_others():
    targets, slowest = queue.Queue(), [0.0]

    def call(target):
        with grpc.insecure_channel(target, options=OPTIONS) as channel:
            ask(channel, *HEALTH)
            print("ready", flush=True)
            while targets.empty():
                for path, request in (HEALTH, JOB):
                    began = time.monotonic()
                    ask(channel, path, request)
                    slowest[0] = max(slowest[0], time.monotonic() - began)
                time.sleep(0.005)

    def run():
        while True:
            call(targets.get())

    threading.Thread(target=run, daemon=True).start()
    for line in sys.stdin:
        if line.strip() != "slowest":
            targets.put(line.strip())
            continue
        print(slowest[0], flush=True)
        slowest[0] = 0.0


class Half:
    """What the hostile or the ordinary requests of a row cost."""

    def __init__(self, row, path, request, folder, sandbox, others):
        with Rig(folder) as rig:
            g = rig.gateway(sandbox.url)
            others.call(g.grpc)
            others.slowest()
            time.sleep(0.1)
            self.quiet = others.slowest()
            g.forget_peak()
            cpu, resident = g.cpu(), g.memory()
            self.codes = many(g.grpc, path, request, row.calls, row.rounds, row.keyed)
            self.cpu = g.cpu() - cpu
            self.memory = g.memory("VmHWM") - resident
            self.slowest = others.slowest()
            late = threading.Thread(target=many,
                                    args=(g.grpc, path, request, row.calls, 1, row.keyed, LATE_SECONDS))
            late.start()
            code, self.end = g.terminate()
            late.join()
            if code != 0:
                self.codes.add(f"exit {code}")


def ratio(hostile, plain, floor):
    return max(hostile, floor) / max(plain, floor)


def measure(row, folder, sandbox, others):
    plain = Half(row, row.plain_path, row.plain, folder, sandbox, others)
    hostile = Half(row, row.path, row.hostile, folder, sandbox, others)
    cpu = ratio(hostile.cpu, plain.cpu, CPU_FLOOR_SECONDS)
    peak = ratio(hostile.memory, plain.memory, MEMORY_FLOOR)
    met = (cpu <= row.bound and peak <= row.bound and hostile.slowest <= OTHERS_WAIT_SECONDS
           and hostile.end <= END_SECONDS and hostile.codes <= row.answers)
    seen = (f"CPU {hostile.cpu:6.2f} s {cpu:5.1f}  memory {hostile.memory / MIB:6.1f} MiB {peak:5.1f}  "
            f"others {hostile.slowest * 1000:5.0f} ms {hostile.slowest / max(plain.quiet, 0.001):5.1f}  "
            f"end {hostile.end:4.1f} s  {' '.join(sorted(hostile.codes))}")
    ordinary = (f"ordinary: CPU {plain.cpu:.2f} s, memory {plain.memory / MIB:.1f} MiB, others "
                f"{plain.slowest * 1000:.0f} ms, {' '.join(sorted(plain.codes))}")
    return rows.Outcome(met, seen, [] if met else [ordinary])


def main():
    if sys.argv[1:2] == ["--others"]:
        return be_others()
    from inputs import ROWS

    with contextlib.ExitStack() as exits:
        @functools.cache
        def shared():
            """One sandbox, and the others, for all rows."""
            rig = exits.enter_context(Rig(exits.enter_context(tempfile.TemporaryDirectory())))
            return rig.sandbox(), Others(rig)

        table = [rows.Row(row.name, f"{row.method:14} {row.calls * row.rounds:5} x {len(row.hostile) / KIB:8.0f} KiB",
                          lambda folder, options, row=row: measure(row, folder, *shared()), row.quick)
                 for row in ROWS]
        return rows.main(COMMAND, table, rows.arguments(COMMAND, __doc__, table))


if __name__ == "__main__":
    sys.exit(main())
