"""Runs the rows of a table, one after the other, and says of each whether it is met."""

import argparse
import dataclasses
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time
import traceback
import typing


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    what: str
    measure: typing.Callable  # (folder, options) -> Outcome; what it yields or prints meanwhile is its own
    short: bool = True  # part of a --quick run


@dataclasses.dataclass
class Outcome:
    met: bool
    seen: str = ""  # on the row's line
    below: list = dataclasses.field(default_factory=list)  # lines


def arguments(command, about, rows, more=()):
    """`more`: flags of the command's own, with what argparse is to know of them."""
    parser = argparse.ArgumentParser(prog=command, description=about,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer cases, or smaller ones; the bounds are the same")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[row.name for row in rows])
    parser.add_argument("--keep", action="store_true", help="leave state directories and logs")
    parser.add_argument("--list", action="store_true", help="print the rows and leave")
    for flag, settings in more:
        parser.add_argument(flag, **settings)
    return parser.parse_args()


def run(command, row, folder, options):
    folder.mkdir()
    began = time.monotonic()
    print(f"{row.name:26} {row.what:62} ", end="", flush=True)
    try:
        outcome = row.measure(folder, options)
    except Exception:  # a row that cannot be finished is not met; the others still run
        outcome = Outcome(False, "not finished", traceback.format_exc().splitlines())
    print(f"{outcome.seen}  {'met' if outcome.met else 'NOT MET'}  {time.monotonic() - began:.1f} s")
    for line in outcome.below:
        print(f"    {line}")
    if not outcome.met:
        print(f"    again: {command} --only {row.name}\n    logs:  {folder}")
    elif not options.keep:
        shutil.rmtree(folder)
    sys.stdout.flush()
    return outcome.met


def main(command, rows, options, place=None):
    """The exit code. State directories are made in `place`, or where temporary files are."""
    if options.list:
        for row in rows:
            print(f"{row.name:26} {row.what}")
        return 0
    chosen = [row for row in rows if (row.name in options.only if options.only else row.short or not options.quick)]
    # Ends the processes of the row under way, as Ctrl-C does.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{pathlib.Path(command).parent.name}-", dir=place))
    began = time.monotonic()
    try:
        missed = [row.name for row in chosen if not run(command, row, folder / row.name, options)]
    except (KeyboardInterrupt, SystemExit):
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if options.keep:
        print(f"kept: {folder}")
    elif not missed:
        shutil.rmtree(folder)
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{len(chosen) - len(missed)} of {len(chosen)} met in {time.monotonic() - began:.0f} s on {os.cpu_count()} "
          f"CPUs; load of the last 1, 5 and 15 minutes: {load}")
    if missed:
        print(f"not met: {', '.join(missed)}")
    for row in rows:
        if row not in chosen and not options.only:
            print(f"left out of --quick: {row.name}")
    return 1 if missed else 0
