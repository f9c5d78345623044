"""What is on disk before anything is sent, by the system calls themselves; and disks that fail."""

import concurrent.futures
import dataclasses
import errno
import os
import re
import signal
import subprocess
import threading

from live.process import DEADLINE_SECONDS, wait_until
from live.programs import BIN
from live.rig import UNLIMITED, restart
from tally import UNKNOWN, Tally, count_duplicates, count_losses, crowd, store_rows, submit

TRACED = "fdatasync,fsync,pwrite64,sendto,sendmsg,write,writev"


class NotPermitted(Exception):
    """This machine lets nobody look at system calls."""


class TracedGateway:
    """A gateway under strace. To end it, the gateway itself is ended, which ends strace."""

    def __init__(self, rig, url):
        self.trace = rig.folder / "trace"
        probe = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, text=True)
        if probe.returncode != 0:
            raise NotPermitted(probe.stderr.strip())
        # A leak sanitizer, if there is one, cannot work beside another tracer.
        sanitizer = f"ASAN_OPTIONS={os.environ.get('ASAN_OPTIONS', '')}:detect_leaks=0"
        self.g = rig.gateway(url, *UNLIMITED, wrapper=("strace", "-f", "-yy", "-s", "5000", "-o", self.trace,
                                                       "-e", f"trace={TRACED}", "-E", sanitizer))
        self.pid = int((self.g.state / "jobs" / "pictory" / "jobs.lock").read_text().split()[0])
        rig.exits.callback(self.kill)

    def kill(self):
        if self.g.process.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
        self.g.process.wait()


@dataclasses.dataclass
class Call:
    name: str
    text: str
    begin: int  # the lines of the trace where it began and ended
    end: int
    ok: bool


def calls_of(trace):
    """The system calls of a trace, in the order they began; those of several threads overlap."""
    calls, open_calls = [], {}
    for number, line in enumerate(trace.read_text(errors="replace").splitlines()):
        pid, _, text = line.partition(" ")
        text = text.strip()
        if resumed := re.match(r"<\.\.\. \w+ resumed>(.*)", text):
            call = open_calls.pop(pid, None)
            if call:
                call.end, call.ok = number, not resumed[1].rsplit("= ", 1)[-1].startswith("-1")
            continue
        named = re.match(r"(\w+)\(", text)
        if not named:
            continue
        whole = not text.endswith("<unfinished ...>")
        call = Call(named[1], text, number, number if whole else -1,
                    whole and not text.rsplit("= ", 1)[-1].startswith("-1"))
        calls.append(call)
        if not whole:
            open_calls[pid] = call
    return calls


def sync_precedes_send(calls, request_id, port):
    """Whether the log's pages that hold the submission were flushed before the first byte of its POST. Says
    what is wrong, or nothing."""
    word = re.compile(rf"{re.escape(request_id)}(?![0-9])")
    to_log = [c for c in calls if "jobs.db-wal>" in c.text.split(",")[0]]
    wrote = next((c for c in to_log if c.name == "pwrite64" and word.search(c.text)), None)
    sent = next((c for c in calls if c.name in ("sendto", "sendmsg", "write", "writev")
                 and f"->127.0.0.1:{port}]" in c.text and word.search(c.text)), None)
    if sent is None:
        return "was not sent"
    if "POST /" not in sent.text:
        return "its first bytes were not found"
    if wrote is None or wrote.end > sent.begin:
        return "was sent before it was written"
    synced = [c for c in to_log if c.name == "fdatasync" and c.ok and wrote.end < c.begin]
    if not synced or synced[0].end > sent.begin:
        return "was sent before it was flushed"
    return None


def sync_before_send(rig, cycles):
    tally = Tally(cycles=cycles)
    sandbox = rig.sandbox("--speed", "0.01")
    traced = TracedGateway(rig, sandbox.url)
    # Some at once, so that commits are shared.
    told = crowd(traced.g, cycles, 4, "traced-")
    tally.expect(all(line["code"] == "OK" for line in told), "a submit failed")
    os.kill(traced.pid, signal.SIGTERM)
    traced.g.process.wait(timeout=DEADLINE_SECONDS)
    calls = calls_of(traced.trace)
    good = 0
    for number in range(cycles):
        wrong = sync_precedes_send(calls, f"traced-{number}", sandbox.url.split(":")[2].split("/")[0])
        good += tally.expect(wrong is None, f"traced-{number} {wrong}")
    tally.measured = f"{good} of {cycles} flushed before the first byte"
    count_duplicates(tally, sandbox)
    return tally


@dataclasses.dataclass
class Fault:
    call: str
    error: int
    count: int  # 1: a hiccup; many: for good

    def __str__(self):
        return f"{self.call} {errno.errorcode[self.error]} {'once' if self.count == 1 else 'for good'}"


WORKERS = 4
FOR_GOOD = 1_000_000
FAULTS = [Fault("fdatasync", errno.EIO, 1), Fault("fdatasync", errno.EIO, FOR_GOOD),
          Fault("pwrite", errno.EIO, 1), Fault("pwrite", errno.ENOSPC, FOR_GOOD)]


def bad_disk(rig, fault, nth, **more):
    # The address sanitizer would rather be the first library.
    sanitizer = f"{os.environ.get('ASAN_OPTIONS', '')}:verify_asan_link_order=0"
    return {"LD_PRELOAD": str(BIN / "libbad_disk.so"), "ASAN_OPTIONS": sanitizer,
            "BAD_DISK_DIR": str(rig.folder),
            "BAD_DISK": f"{fault.call}:{fault.error}:{nth}:{fault.count}",
            **{name: str(value) for name, value in more.items()}}


def fails_while_submitting(rig, sandbox, fault, nth, tally):
    """One submit with the nth such call of the store failing. False: it did not come to that."""
    request_id = f"{fault.call}-{errno.errorcode[fault.error]}-{fault.count == 1:d}-{nth}"
    folder = rig.folder / request_id
    folder.mkdir()
    armed, hit = folder / "armed", folder / "hit"
    g = rig.gateway(sandbox.url, *UNLIMITED,
                    env=bad_disk(rig, fault, nth, BAD_DISK_ARMED=armed, BAD_DISK_HIT=hit))
    armed.touch()
    told = submit(g, request_id)
    if not hit.exists():
        g.kill()
        return False
    where = f"{request_id} ({fault}, call {nth})"
    code = g.process.wait(timeout=DEADLINE_SECONDS)
    tally.expect(code == 1, f"{where}: exit {code}")
    posts = len(sandbox.journal()[request_id])
    # The first write and the first flush are those of SENDING.
    if nth == 1:
        tally.expect(posts == 0, f"{where}: {posts} POSTs without a durable SENDING")
    tally.expect(told["code"] == "INTERNAL", f"{where}: its caller was told {told}")
    restart(g)
    row = store_rows(g).get(request_id)
    tally.expect(posts == 0 or row is not None, f"{where}: sent and not recorded")
    again = submit(g, request_id, "retry")
    tally.expect(again["code"] == "OK", f"{where}: the retry was told {again}")
    if row is not None and row.submission == UNKNOWN:
        tally.expect(again.get("state") == "JOB_STATE_UNCONFIRMED", f"{where}: the retry is {again}")
    count_losses(tally, g, sandbox, [again], only=request_id)
    g.kill()
    tally.cycles += 1
    return True


def fails_at_start(rig, sandbox, fault, nth, tally, jobs, told):
    """The nth such call fails while the gateway opens and recovers a copy of the store `jobs`."""
    where = f"start ({fault}, call {nth})"
    hit = rig.folder / f"start-{fault.call}-{errno.errorcode[fault.error]}-{fault.count == 1:d}-{nth}"
    g = rig.gateway(sandbox.url, *UNLIMITED, jobs=jobs, start=False)
    refused = False
    try:
        restart(g, env=bad_disk(rig, fault, nth, BAD_DISK_HIT=hit))
    except AssertionError:
        refused = True
        tally.expect(g.process.returncode == 1, f"{where}: exit {g.process.returncode}")
    if not hit.exists():
        g.kill()
        return False
    if not refused:  # what failed was not needed to start
        g.terminate()
    restart(g)
    count_losses(tally, g, sandbox, [told], only=told["id"])
    g.kill()
    tally.cycles += 1
    return True


def failing_disk(rig, cycles):
    """`cycles` bounds the calls that are tried for each fault."""
    sandbox = rig.sandbox("--speed", "0.01")
    g = rig.gateway(sandbox.url, *UNLIMITED)
    told = submit(g, "before")
    g.kill()

    def work(fault, at_start):
        tally, nth = Tally(), 1
        while nth <= cycles and (
                fails_at_start(rig, sandbox, fault, nth, tally, g.state / "jobs", told) if at_start
                else fails_while_submitting(rig, sandbox, fault, nth, tally)):
            nth += 1
        tally.expect(nth > 1, f"{fault}: never came to it")
        return tally

    total = Tally()
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for done in [pool.submit(work, fault, at_start) for fault in FAULTS for at_start in (False, True)]:
            total.add(done.result())
    count_duplicates(total, sandbox)
    return total


SLOW_MS, SLOW_CALLS = 100, 12
SLOW = Fault("any", errno.EIO, FOR_GOOD)  # it takes its time, and fails nothing


def killed_on_slow_disk(rig, cycles):
    """Each write and flush of the store takes long, and the gateway is killed in the middle of many submits: what is
    between two writes is as wide as it gets."""
    workers = min(WORKERS, cycles)

    def work(first):
        tally, told = Tally(), []
        sandbox = rig.sandbox("--speed", "0.01")
        g = rig.gateway(sandbox.url, start=False)
        for number in range(first, cycles, workers):
            told += slow_cycle(rig, sandbox, g, number, tally)
        restart(g)
        count_losses(tally, g, sandbox, told)
        count_duplicates(tally, sandbox)
        return tally

    total = Tally()
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for each in pool.map(work, range(workers)):
            total.add(each)
    return total


def slow_cycle(rig, sandbox, g, number, tally):
    prefix, told = f"slow-{number}-", []
    armed, hit = rig.folder / f"{prefix}armed", rig.folder / f"{prefix}hit"
    restart(g, "--base-url", sandbox.url, *UNLIMITED,
            env=bad_disk(rig, SLOW, 1, BAD_DISK_STALL_MS=SLOW_MS, BAD_DISK_ARMED=armed, BAD_DISK_HIT=hit))
    armed.touch()
    callers = threading.Thread(target=lambda: told.extend(crowd(g, SLOW_CALLS, SLOW_CALLS // 2, prefix)))
    callers.start()
    wanted = 1 + number % (SLOW_CALLS // 2)
    wait_until(lambda: sum(name.startswith(prefix) for name in sandbox.journal()) >= wanted, f"{wanted} POSTs")
    g.kill()
    callers.join()
    tally.expect(hit.exists(), f"{prefix}: the disk was not slow")
    restart(g)
    again = crowd(g, SLOW_CALLS, SLOW_CALLS // 2, prefix, "retry")
    tally.expect(all(line["code"] == "OK" for line in again), f"{prefix}: a retry was told {again}")
    jobs = {line["id"]: line["job"] for line in again if line["code"] == "OK"}
    for line in told:
        tally.expect(line["code"] != "OK" or jobs.get(line["id"]) == line["job"], f"{line['id']}: another job than told")
    g.kill()
    tally.cycles += 1
    return told + again
