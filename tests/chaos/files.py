"""The files of the store under a running gateway: removed, replaced, overwritten. And a gateway that is
killed between any two things that it writes at its start and its end: the next one must go on."""

import concurrent.futures
import contextlib
import dataclasses
import json
import shutil
import signal
import sqlite3
import time
import typing

import disks
from live.process import DEADLINE_SECONDS, wait_until
from live.rig import UNLIMITED, restart
from tally import Tally, submit

WORKERS = 3
# A second between two looks, and what a busy machine adds to it.
NOTICED_SECONDS = 5


def store_of(g):
    return g.state / "jobs" / "pictory"


def replace(path, other):
    shutil.copy(other, path.with_suffix(".other"))
    path.with_suffix(".other").rename(path)


def overwrite(path, other):
    with open(path, "wb") as file:  # in place
        file.write(other.read_bytes() if other else b"")


@dataclasses.dataclass
class Fault:
    """What happens to the store in `d`, where `old` is a copy that an orderly end of it left."""

    name: str
    happen: typing.Callable
    named: str                                   # in the log
    mend: typing.Callable | None = None          # puts back what was moved away
    start_refused: bool = False                  # until somebody has mended it or decided
    forgotten: bool = False                      # nothing is left that could know
    stored: bool = False                         # no commit stands on it: what is stored is found again


def away(path):
    return path.with_name(path.name + ".away")


def fold(d):
    """As an operator does who knows that the log is that of jobs.db."""
    with contextlib.closing(sqlite3.connect(d / "jobs.db")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


FAULTS = [
    Fault("rm-database", lambda d, old: (d / "jobs.db").unlink(), "jobs.db", start_refused=True),
    Fault("mv-database", lambda d, old: (d / "jobs.db").rename(away(d / "jobs.db")), "jobs.db",
          mend=lambda d: away(d / "jobs.db").rename(d / "jobs.db"), start_refused=True),
    Fault("backup-renamed-over-database", lambda d, old: replace(d / "jobs.db", old / "jobs.db"), "jobs.db",
          start_refused=True),
    Fault("backup-copied-into-database", lambda d, old: overwrite(d / "jobs.db", old / "jobs.db"), "jobs.db",
          start_refused=True),
    Fault("emptied-database", lambda d, old: overwrite(d / "jobs.db", None), "jobs.db", start_refused=True),
    Fault("rm-log", lambda d, old: (d / "jobs.db-wal").unlink(), "jobs.db-wal", start_refused=True),
    Fault("mv-log", lambda d, old: (d / "jobs.db-wal").rename(away(d / "jobs.db-wal")), "jobs.db-wal",
          mend=lambda d: away(d / "jobs.db-wal").rename(d / "jobs.db-wal"), start_refused=True),
    Fault("emptied-log", lambda d, old: overwrite(d / "jobs.db-wal", None), "jobs.db-wal", start_refused=True),
    Fault("rm-index", lambda d, old: (d / "jobs.db-shm").unlink(), "jobs.db-shm", stored=True),
    Fault("rm-lock", lambda d, old: (d / "jobs.lock").unlink(), "jobs.lock"),
    Fault("rm-mark", lambda d, old: (d / "jobs.open").unlink(), "jobs.open", mend=fold, start_refused=True,
          stored=True),
    Fault("rm-directory", lambda d, old: shutil.rmtree(d), "directory", forgotten=True),
    Fault("rm-state-directory", lambda d, old: shutil.rmtree(d.parent), "directory", forgotten=True),
    Fault("mv-state-directory", lambda d, old: d.parent.rename(away(d.parent)), "directory",
          mend=lambda d: (shutil.rmtree(d.parent, ignore_errors=True), away(d.parent).rename(d.parent)),
          forgotten=True),
    Fault("new-directory", lambda d, old: (d.rename(away(d)), d.mkdir()), "directory",
          mend=lambda d: (shutil.rmtree(d), away(d).rename(d)), forgotten=True),
    Fault("restored-directory", lambda d, old: (d.rename(away(d)), shutil.copytree(old, d)), "directory",
          mend=lambda d: (shutil.rmtree(d), away(d).rename(d)), forgotten=True),
]


def starts(g):
    try:
        restart(g)
        return True
    except AssertionError:
        return False


def posts(sandbox, request_id):
    return len(sandbox.journal()[request_id])


def vanish(rig, sandbox, fault, submitting, tally):
    """One fault, under a submit or while nothing happens."""
    where = f"{fault.name}{'-submitting' if submitting else '-idle'}"
    before, during = f"{where}-before", f"{where}-during"
    g = rig.gateway(sandbox.url, *UNLIMITED)
    g.terminate()
    old = g.state / "old"
    shutil.copytree(store_of(g), old)
    g.start()
    first = submit(g, before)
    tally.expect(first["code"] == "OK", f"{where}: {first}")

    told = {}
    fault.happen(store_of(g), old)
    began = time.monotonic()
    if submitting:
        told = submit(g, during)
        if not (fault.stored and told["code"] == "OK"):
            tally.expect(told["code"] in ("INTERNAL", "UNAVAILABLE"), f"{where}: the caller was told {told}")
            tally.expect(posts(sandbox, during) == 0, f"{where}: sent and not recorded")
    wait_until(lambda: not g.is_ready(), f"{where}: not ready")
    noticed = time.monotonic() - began
    tally.expect(noticed <= NOTICED_SECONDS, f"{where}: noticed after {noticed:.1f} s")
    code = g.process.wait(timeout=DEADLINE_SECONDS)
    tally.expect(code == 1, f"{where}: exit {code}")
    failed = [json.loads(line) for line in g.log.read_text().splitlines() if "store_failed" in line]
    tally.expect(failed and fault.named in failed[0]["reason"], f"{where}: its log says {failed}")

    started = starts(g)
    tally.expect(started != fault.start_refused, f"{where}: {'started' if started else 'was refused'}")
    if not started:
        tally.expect("jobs.open" in g.log.read_text(), f"{where}: the log names no way out")
    if started:
        again(g, sandbox, during, where, tally, told.get("job"))
    if started and not fault.forgotten:
        again(g, sandbox, before, where, tally, first["job"])
    if fault.mend:
        if started:
            g.kill()
        fault.mend(store_of(g))
        restart(g)
        again(g, sandbox, before, where, tally, first["job"])
    if g.process.poll() is None:
        g.kill()
    tally.cycles += 1
    return noticed


def again(g, sandbox, request_id, where, tally, job=None):
    """The same request_id once more: paid for once, and the same job."""
    told = submit(g, request_id, "retry")
    tally.expect(told["code"] == "OK" and job in (None, told.get("job")), f"{where}: {request_id} was told {told}")
    tally.expect(posts(sandbox, request_id) == 1, f"{where}: {posts(sandbox, request_id)} POSTs of {request_id}")


def store_files_vanish(rig, cycles):
    """`cycles` faults, each once under a submit and once while idle."""
    tally, sandbox = Tally(), rig.sandbox("--speed", "0.01")

    def work(fault):
        mine = Tally()
        slowest = max(vanish(rig, sandbox, fault, submitting, mine) for submitting in (True, False))
        return mine, slowest

    chosen = FAULTS[::max(1, len(FAULTS) // cycles)]
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        done = list(pool.map(work, chosen))
    for mine, _ in done:
        tally.add(mine)
    tally.measured = f"not ready after {max(slowest for _, slowest in done):.1f} s at most"
    count_paid_twice(tally, sandbox)
    return tally


def second_gateway(rig, cycles):
    """The state directory goes, and a second gateway starts there while the first one still runs. The
    same request_id goes to both, as fast as they take it."""
    tally, sandbox = Tally(), rig.sandbox("--speed", "0.01")
    for number in range(cycles):
        lock_only = number % 2 == 1  # or the whole directory
        request_id = f"second-{number}"
        first = rig.gateway(sandbox.url, *UNLIMITED)
        second = rig.gateway(sandbox.url, *UNLIMITED, start=False)
        second.state = first.state  # its log and its ready file stay its own
        if lock_only:
            (store_of(first) / "jobs.lock").unlink()
        else:
            shutil.rmtree(first.state / "jobs")
        second.start()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            told = list(pool.map(lambda g: submit(g, request_id), (first, second)))
        tally.expect(told[0]["code"] in ("INTERNAL", "UNAVAILABLE"), f"{request_id}: the first one told {told[0]}")
        tally.expect(told[1]["code"] == "OK", f"{request_id}: the second one told {told[1]}")
        code = first.process.wait(timeout=DEADLINE_SECONDS)
        tally.expect(code == 1, f"{request_id}: the first one ended with {code}")
        again(second, sandbox, request_id, request_id, tally, told[1].get("job"))
        second.kill()
        restart(second)
        again(second, sandbox, request_id, f"{request_id}, restarted", tally, told[1].get("job"))
        second.kill()
        tally.cycles += 1
    count_paid_twice(tally, sandbox)
    return tally


def count_paid_twice(tally, sandbox):
    tally.duplicates += sum(len(entries) - 1 for entries in sandbox.journal().values())


STEP = "step"  # bad_disk.cc: everything that changes a file or a name
KILL = 0


@dataclasses.dataclass
class Phase:
    """What the gateway does while it is killed."""

    name: str
    jobs: str = ""          # the state directory it begins with: "", "ended" or "killed"
    ending: bool = False    # killed in its orderly end; else in its start


PHASES = [Phase("first-start"), Phase("start", "ended"), Phase("start-after-a-kill", "killed"),
          Phase("end", "ended", ending=True)]


class Steps:
    """A gateway that is killed before the n-th step of a phase."""

    def __init__(self, rig, sandbox, phase, jobs):
        self.rig, self.sandbox, self.phase, self.jobs = rig, sandbox, phase, jobs

    def go(self, nth, count=1, **more):
        """Runs the phase; the gateway, and the file with the names of its steps that were hit."""
        g = self.rig.gateway(self.sandbox.url, *UNLIMITED, jobs=self.jobs, start=False)
        hit, armed = g.state / "hit", g.state / "armed"
        kill = disks.Fault(STEP, KILL, count)
        if not self.phase.ending:
            armed.touch()
        try:
            restart(g, env=disks.bad_disk(self.rig, kill, nth, BAD_DISK_DIR=g.state / "jobs" / "pictory",
                                    BAD_DISK_ARMED=armed, BAD_DISK_HIT=hit, **more))
        except AssertionError:
            pass  # killed
        if self.phase.ending:
            armed.touch()
            g.process.send_signal(signal.SIGTERM)
            g.process.wait(timeout=DEADLINE_SECONDS)
        else:
            g.kill()  # if it has become ready
        g.env = {name: value for name, value in g.env.items() if not name.startswith("BAD_DISK")}
        return g, hit

    def count(self):
        _, hit = self.go(1, count=1_000_000, BAD_DISK_STALL_MS=0)
        return len(hit.read_text().splitlines())


def killed_at_each_write(rig, cycles):
    """`cycles` bounds the steps that are tried of each phase."""
    sandbox = rig.sandbox("--speed", "0.01")
    told, jobs = {}, {"": None}
    for state in ("ended", "killed"):
        g = rig.gateway(sandbox.url, *UNLIMITED)
        told[state] = submit(g, state)
        g.terminate() if state == "ended" else g.kill()
        jobs[state] = g.state / "jobs"

    def attempt(steps, nth, of):
        phase = steps.phase
        where = f"{phase.name}, step {nth} of {of}"
        g, hit = steps.go(nth)
        tally = Tally(cycles=hit.exists())  # the last ones are sometimes not come to
        tally.expect(hit.exists() or nth > of / 2, f"{where}: never came to it")
        tally.expect(starts(g), f"{where}: the next start was refused: {g.log.read_text()[-500:]}")
        if g.process.poll() is None and phase.jobs:
            again(g, sandbox, phase.jobs, where, tally, told[phase.jobs]["job"])
        if g.process.poll() is None:
            code, _ = g.terminate()
            tally.expect(code == 0, f"{where}: then ended with {code}")
        return tally

    total, counts = Tally(), []
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        attempts = []
        for phase in PHASES:
            steps = Steps(rig, sandbox, phase, jobs[phase.jobs])
            of = steps.count()
            counts.append(f"{phase.name} {of}")
            total.expect(of > 3, f"{phase.name}: only {of} steps were seen")
            tried = range(1, of + 1) if cycles >= of else {1 + at * (of - 1) // max(1, cycles - 1)
                                                           for at in range(cycles)}
            attempts += [pool.submit(attempt, steps, nth, of) for nth in sorted(tried)]
        for each in attempts:
            total.add(each.result())
    total.measured = "steps: " + ", ".join(counts)
    count_paid_twice(total, sandbox)
    return total
