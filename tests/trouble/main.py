"""The gateway under trouble: outages, crowds, readers that do not read, peers that vanish, a slow disk.

    tests/trouble/run                 every case, some minutes
    tests/trouble/run --quick         shorter, and without what cannot be short; 80 seconds
    tests/trouble/run --only NAME...  these cases
    tests/trouble/run --list          the cases

Builds what it needs (preset `bench`) and starts everything on loopback. Prints one line a case: what was
measured, what is allowed, and whether that is met. With --keep, state directories and logs stay; those
of a case that is not met stay anyway. Exit 0 only if every number is met.
"""

import argparse
import os
import pathlib
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(HERE.parent / "bench"), str(HERE.parent / "e2e")]

import house  # noqa: E402
from cases import CASES, PROGRAMS  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(
        prog="tests/trouble/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="shorter; the bounds are the same")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[case.name for case in CASES])
    parser.add_argument("--keep", action="store_true", help="leave state directories and logs")
    parser.add_argument("--no-build", action="store_true", help="use what was built before")
    parser.add_argument("--list", action="store_true", help="print the cases and leave")
    return parser.parse_args()


def chosen(options):
    if options.only:
        return [case for case in CASES if case.name in options.only]
    return [case for case in CASES if case.short or not options.quick]


def run(case, options):
    began = time.monotonic()
    bench = house.Bench(options.quick, None)
    trouble = ""
    try:
        numbers = list(case.measure(bench))
    except Exception:  # a case that cannot be finished is not met; the others still run
        numbers, trouble = [], traceback.format_exc()
    met = not trouble and all(number.met for number in numbers)
    keep = options.keep or not met
    bench.end_all() if keep else bench.close()
    print(f"{case.name:22} {case.what:62} {'; '.join(map(str, numbers))}  "
          f"{'met' if met else 'NOT MET'}  {time.monotonic() - began:.1f} s", flush=True)
    for line in bench.notes:
        if line:
            print(f"    {line}", flush=True)
    if not met:
        for line in trouble.splitlines():
            print(f"    {line}")
        print(f"    again: tests/trouble/run --only {case.name}")
    if keep:
        print(f"    logs:  {bench.folder}", flush=True)
    return met


def main():
    options = arguments()
    if options.list:
        for case in CASES:
            print(f"{case.name:22} {case.what}")
        return 0
    if not options.no_build:
        house.build(PROGRAMS)
    house.on_signals()
    cases = chosen(options)
    began = time.monotonic()
    missed = [case.name for case in cases if not run(case, options)]
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{len(cases) - len(missed)} of {len(cases)} met in {time.monotonic() - began:.0f} s on "
          f"{os.cpu_count()} CPUs; load of the last 1, 5 and 15 minutes: {load}")
    for case in CASES:
        if case not in cases and not options.only:
            print(f"left out of --quick: {case.name}, which takes its time whatever is done")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
