"""Cases that other commands and unit tests have: where they are, and how they are run."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECONDS = 1800  # with the first build of what they run

# name -> what it is, whether it is short, and the commands: a script of tests/ with arguments, or a program of unit
# tests with a filter.
CASES = {
    "outage-watched": ("T6: 10,000 watches through an outage of Pictory", False,
                       [["trouble/run", "--only", "upstream-outage-watched"]]),
    "crowd-leaves": ("T7: 10,000 watches come, and are gone at once", False,
                     [["trouble/run", "--only", "crowd-leaves"]]),
    "deaf-readers": ("T8: 1,000 watches that never read", False, [["trouble/run", "--only", "deaf-readers"]]),
    "black-holed": ("T9: watches whose network swallows everything", False,
                    [["trouble/run", "--only", "black-holed"]]),
    "rate-limited": ("T14: a 429 with Retry-After rests its account", True,
                     [["jobs/jobs_test", "RestingTest.*:PollerTest.A429*:UpstreamsTest.ARateLimitOfOneAccountStopsNoOther"]]),
    "hostile-bodies": ("T18: answers of 100 MB, bombs of gzip, odd JSON", True,
                       [["http/http_test", "Flood.*"], ["contract/contract_test", "Hostile.*"]]),
    "secrets": ("T21: known secrets, looked for everywhere", True, [["e2e/canary_test.py"]]),
    "stalled-store": ("T22: the disk keeps the store's threads for 3 s", False,
                      [["trouble/run", "--only", "stalled-store"]]),
    "not-pictory": ("T23: names that hang, black holes, certificates of others", True,
                    [["http/http_test", "Trust.*:Resolver.*:Redirects.*:Environment.*"]]),
    "clock-set": ("T24: the clock is set by an hour and a year", True,
                  [["jobs/jobs_test", "PollerTest.AJumpOfTheWallClock*:PollerTest.AClockThatIsSet*:Advance.AClockThatIsSet*:"
                                      "RetentionTest.AClock*:StartTimeTest.*:SpendingTest.*"]]),
    "pictory-down": ("T27: Pictory answers nothing for five minutes", False,
                     [["trouble/run", "--only", "upstream-down"]]),
    "strangers": ("Compressed, forged and silent requests, and pings", True, [["e2e/strangers_test.py"]]),
}
LISTED = [(name, what, short) for name, (what, short, _) in CASES.items()]


def command(script, *arguments):
    if script.endswith(".py"):
        return [sys.executable, ROOT / "tests" / script, *arguments]
    if script.endswith("/run"):
        return [ROOT / "tests" / script, *arguments]
    programs = pathlib.Path(os.environ["PICTORY_BIN"]).parent / "tests"
    [only] = arguments
    return [programs / script, f"--gtest_filter={only}"]


def run(folder, quick, case):
    below, met = [], True
    for each in CASES[case][2]:
        with open(folder / "log", "ab") as log:
            done = subprocess.run(list(map(str, command(*each))), stdout=subprocess.PIPE, stderr=log, text=True,
                                  timeout=SECONDS)
        lines = done.stdout.strip().splitlines()
        good = done.returncode == 0 and not any(" 0 tests" in line for line in lines)  # a filter that finds nothing
        met = met and good
        if not good:
            below += [f"{' '.join(each)}: exit {done.returncode}", *lines[-20:]]
    return met, f"{len(CASES[case][2])} of others", below
