"""Started with a hundred thousand unfinished jobs: soon ready, small, and within the budget."""

import subprocess
import time

from live.process import SANITIZED
from live.programs import BIN
from tally import Tally

READY_SECONDS = 5
BYTES_PER_JOB = 1024 * 1.024  # 100 MiB for 100,000
WINDOW_SECONDS = 15
PER_SECOND, BURST = 5, 10  # the gateway's defaults


def restart_with_many(rig, cycles):
    """`cycles` is the number of jobs."""
    tally = Tally(cycles=cycles)
    sandbox = rig.sandbox()
    empty = rig.gateway(sandbox.url)
    empty.run("list")
    nothing = empty.memory("VmHWM")
    empty.kill()

    g = rig.gateway(sandbox.url, start=False)
    texts = int(subprocess.run([BIN / "fill", g.state / "jobs" / "pictory", str(cycles)], check=True,
                               stdout=subprocess.PIPE, text=True).stdout)
    began = time.monotonic()
    g.start()
    ready = time.monotonic() - began
    tally.expect(ready <= READY_SECONDS, f"ready after {ready:.1f} s")
    listed = g.run("list")
    tally.expect(listed.returncode == 0, f"list: {listed.stderr}")
    polls_before, counted_from = polls(sandbox), time.monotonic()
    time.sleep(WINDOW_SECONDS)  # the window that is measured
    asked, took = polls(sandbox) - polls_before, time.monotonic() - counted_from
    tally.expect(asked <= PER_SECOND * took + BURST, f"{asked} polls in {took:.1f} s")
    tally.expect(asked > 0, "nothing was polled")
    # At its peak, so that what the start itself takes counts too.
    more = g.memory("VmHWM") - nothing
    if not SANITIZED:  # a sanitizer takes memory of its own
        tally.expect(more <= BYTES_PER_JOB * cycles, f"{more / 2**20:.0f} MiB more than empty")
    tally.measured = (f"ready in {ready:.1f} s, +{more / 2**20:.0f} MiB at its peak ({more // cycles} bytes a job, "
                      f"{texts // cycles} of them its texts), {asked / took:.1f} polls/s")
    return tally


def polls(sandbox):
    return sandbox.stats()["requests"].get("GET /v1/jobs/{id}", 0)
