"""Gateways that share a PostgreSQL, which is started for them, and what they take of it."""

import contextlib
import dataclasses
import json
import os
import pathlib
import subprocess
import time

from house import SERVICE, STORYBOARD, field
from live.postgres import USER, Postgres, program
from live.process import wait_until

SHARDS = 1024
JOIN_SECONDS = 40   # until all have their shares; two leases and some
STATS_SECONDS = 1.2  # sessions tell what they have done once a second
TICK = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass
class Taken:
    """What PostgreSQL has done until now, or between two looks."""

    seconds: float   # of CPU, by all its processes
    writes: float    # transactions that changed something
    commits: float   # all of them, which are mostly reads and leases while nothing happens
    wal: float       # bytes
    at: float

    def since(self, before, idle=None):
        """Less what it does in that time if it is `idle`."""
        took = self.at - before.at
        values = {name: getattr(self, name) - getattr(before, name) for name in ("seconds", "writes", "commits", "wal")}
        if idle:
            values = {name: value - getattr(idle, name) / idle.at * took for name, value in values.items()}
        return Taken(**values, at=took)


class Store:
    """The server. It is flushed as in earnest, and stands in the folder of temporary files."""

    def __init__(self, bench):
        self.server = Postgres()
        bench.programs.append(self)
        with open(self.server.data / "postgresql.conf", "a") as settings:
            settings.write("max_wal_size = '8GB'\ncheckpoint_timeout = '1h'\nshared_buffers = '1GB'\n"
                           "max_connections = 200\n")
        self.server.kill()
        self.server.start()
        self.names = 0

    def end(self):
        self.server.end()

    def database(self):
        self.names += 1
        self.name = f"jobs{self.names}"
        return self.server.database(self.name)

    def sql(self, script):
        return self.server.sql(script, self.name)

    def cpu(self):
        """Seconds, of the server and of all its processes, those that have ended too."""
        postmaster = self.server.process.pid
        pids = pathlib.Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        ticks = sum(ticks_of(postmaster)[:4])
        for pid in pids:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                ticks += sum(ticks_of(pid)[:2])
        return ticks / TICK

    def taken(self):
        time.sleep(STATS_SECONDS)
        [row] = self.sql("SELECT pg_snapshot_xmax(pg_current_snapshot()), pg_current_wal_insert_lsn() - '0/0'::pg_lsn,"
                         f" (SELECT xact_commit FROM pg_stat_database WHERE datname = '{self.name}')")
        writes, wal, commits = map(float, row.split("\t"))
        return Taken(self.cpu(), writes, commits, wal, time.monotonic())

    def idle(self, seconds):
        """What it does in so many seconds while nobody asks for anything."""
        before = self.taken()
        time.sleep(seconds)
        return self.taken().since(before)

    def bare(self, script, transactions, clients):
        """pgbench, which sends the script so often: (seconds of the server's CPU, seconds it took) for each."""
        path = self.server.folder / "bare.sql"
        path.write_text(script)
        each = max(1, transactions // clients)
        before, began, made = self.cpu(), time.monotonic(), each * clients
        subprocess.run([program("pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-t", str(each), "-f", path,
                        "-h", self.server.folder, "-U", USER, self.name],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return (self.cpu() - before) / made, (time.monotonic() - began) / made


def ticks_of(pid):
    """User and system time of a process, and of its children that have ended."""
    return list(map(int, pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:15]))


def share(gateways):
    """Waits until the gateways have their shares of the shards."""
    def shared():
        held = [each.metric("shards_held") for each in gateways]
        return sum(held) == SHARDS and max(held) <= 1.2 * SHARDS / len(held)
    wait_until(shared, f"{len(gateways)} gateways to share", every=0.2, patience=JOIN_SECONDS)


def gateways(bench, upstream, database, count, **options):
    """So many, with one account that has budget for everything unless said, and their shares of the jobs."""
    started = [bench.gateway_to(upstream, "--log-level", "warn", database=database, **options) for _ in range(count)]
    share(started)
    return started


class Requests:
    """Submits that are all different, as several gateways ask for. The load programs give a CreatePreview a request_id
    themselves."""

    def __init__(self, bench, text=STORYBOARD, message="CreatePreviewRequest", method="CreatePreview"):
        self.bench, self.method = bench, method
        self.bare = bench.request(text, message).read_bytes()
        self.made = 0

    def some(self, count):
        """A file with so many that were not sent yet, and the length of each; 0: it is one, to be sent again."""
        if self.method == "CreatePreview":
            return self.bench.saved(self.bare), 0
        each = [field(1, b"r%09d" % (self.made + n)) + self.bare for n in range(count)]
        self.made += count
        return self.bench.saved(b"".join(each)), len(each[0])

    def load(self, gateways, callers, seconds, most):
        """Sends them to all gateways at once for so long, less than `most` to each: what each load program printed."""
        loads = []
        for gateway in gateways:
            path, size = self.some(most)
            loads.append(self.bench.start(
                "unary_load", "--target", gateway.target, "--method", SERVICE + self.method, "--request", path,
                "--request-bytes", size, "--callers", max(1, callers // len(gateways)), "--warm", 0.3,
                "--seconds", seconds, "--server-pid", gateway.pid))
        seen = [json.loads(each.line()) for each in loads]
        for load, said in zip(loads, seen):
            if said["failed"] or said["total"] > most:
                load.fail(f"{said['failed']} of {said['total']} calls failed, {most} requests")
        self.bench.end(*loads)
        return seen

    def send(self, gateway, count, callers):
        """So many of them, and a few more: how many were sent."""
        sent = 0
        while sent < count:
            [said] = self.load([gateway], callers, 0.3, 20_000)
            sent += said["total"]
        return sent


def cpu_of(gateways):
    return sum(each.cpu() for each in gateways)

