"""One gateway's wall clock is an hour off: libfaketime tells it so, and only of that clock."""

import datetime
import glob
import itertools
import json
import threading
import time

from live.rows import Outcome
from several import LEASE, Several, at_once, eventually, state, submit
from watches import DONE

HOUR = 3600
# Of all gateways together, a second.
RATE, BURST = 4, 4
REQUESTS = 12  # that are sent to all at once, with each clock
IN_ORDER = 9   # that are sent one after the other
DAY = 2 * (REQUESTS + IN_ORDER) + 6
WINDOW = 5     # seconds in which requests are counted
USED = 0.8     # of the budget, in the busiest of them: else there was too little to do to say anything
NEAR = 2       # seconds that a time may be off


def library():
    """The one for programs with threads."""
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not found:
        raise AssertionError("there is no libfaketime; `cmake/install-deps --tests` installs it")
    return found[0]


def says(hours):
    """What makes a gateway believe that it is so much later."""
    return ("env", f"LD_PRELOAD={library()}", f"FAKETIME={hours:+d}h", "FAKETIME_DONT_FAKE_MONOTONIC=1",
            "NO_FAKE_STAT=1")


def time_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def logged_off(gateway):
    """How many seconds its log is ahead of the clock."""
    last = json.loads(gateway.log.read_text(errors="replace").splitlines()[-1])["time"]
    return time_of(last) - time.time()


class Rate:
    """Counts what the sandbox is asked, while the `with` lasts."""

    def __init__(self, sandbox):
        self.sandbox, self.seen = sandbox, []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.stop.wait(0.2):
            before = time.monotonic()
            self.seen.append((before, time.monotonic(), sum(self.sandbox.stats()["requests"].values())))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.stop.set()
        self.thread.join()

    def beyond(self):
        """The most requests above what the time between two looks allowed."""
        return max(asked - RATE * most for asked, _, most in self.windows())

    def used(self):
        """The part of the budget that was used in the busiest window."""
        return max(asked / (RATE * least) for asked, least, _ in self.windows() if least >= WINDOW / 2)

    def windows(self):
        """Between two looks: how many requests came, and in how many seconds at least and at most."""
        for before, after in itertools.combinations(self.seen, 2):
            if after[0] - before[0] <= WINDOW:
                yield after[2] - before[2], after[0] - before[1], after[1] - before[0]


def clock_off(folder, options):
    """Ahead, and then behind: nothing is paid twice, budget and limits hold, and every time is of one clock."""
    flags = ("--requests-per-second", RATE, "--burst", BURST, "--max-submits-per-day", DAY)
    with Several(folder, gateways=2, speed=5, flags=flags) as several:
        one, two = several.gateways
        off = several.add(wrapper=says(+1))
        gateways = [one, off, two]
        seen, wrong = [], []
        with Rate(several.pictory) as rate:
            for word, hours in (("ahead", +1), ("behind", -1)):
                if hours < 0:
                    off.terminate()
                    off.wrapper = says(hours)
                    off.start()
                eventually("shards are shared", lambda: max(several.shards(gateways)) < 400, 2 * LEASE)
                believed = logged_off(off)
                if abs(believed - hours * HOUR) > 60:
                    wrong.append(f"its clock is {believed:.0f} s off, not {hours} h: this row shows nothing")
                jobs = at_once([(lambda g=g, n=n: submit(g, f"{word}-once-{n}", f"{word}-once-{n}")["jobId"])
                                for n in range(REQUESTS) for g in gateways], places=9)
                made = []
                for n in range(IN_ORDER):
                    before = time.time()
                    job = submit(gateways[n % 3], f"{word}-order-{n}", f"{word}-order-{n}")
                    made.append(job["jobId"])
                    if not before - NEAR <= time_of(job["createTime"]) <= time.time() + NEAR:
                        wrong.append(f"{job['createTime']} is no time between {before:.0f} and {time.time():.0f}")
                if made != sorted(made):
                    wrong.append(f"job_ids are not in order: {made}")
                everything = [*set(jobs), *made]
                eventually("every job ends", lambda: all(state(one, job) == DONE for job in everything), 150, every=2)
                for job in everything:
                    told = one.json("get", job)
                    if not time_of(told["createTime"]) <= time_of(told["finishTime"]) <= time.time() + NEAR:
                        wrong.append(f"{job}: {told['createTime']} to {told['finishTime']}")
                if max(several.shards(gateways)) >= 400:
                    wrong.append(f"shards are {several.shards(gateways)}")
        # The rest of the day's submits, from those with the right clock, of which one counts anew.
        one.terminate()
        one.start()
        refused = 0
        for n in range(DAY):
            done = gateways[n % 3].run("preview", "--name", f"rest-{n}", "--text", "One.", "--request-id", f"rest-{n}")
            refused += done.returncode != 0
        paid = several.pictory.journal()
        twice = [name for name, entries in paid.items() if len(entries) > 1]
        beyond = rate.beyond()
        if len(paid) != DAY:
            wrong.append(f"{len(paid)} submits in a day that has {DAY}")
        if rate.used() < USED:
            wrong.append(f"only {rate.used():.2f} of the budget was used")
        if beyond > 2 * BURST:
            wrong.append(f"{beyond:.0f} requests more than the budget has")
        return Outcome(not twice and not wrong, (
            f"an hour ahead, an hour behind: {len(paid)} submits of {DAY} a day and {refused} refused, {len(twice)} "
            f"paid twice, at most {beyond:.0f} requests beyond {RATE} a second (burst {BURST}), {rate.used():.2f} of them "
            f"used, {len(wrong)} things wrong"),
            [*twice, *wrong][:10])
