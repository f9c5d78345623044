"""Kills, floods and starves the real gateway, and counts what was paid for twice and what was lost.

    tests/chaos/run                 every row, some minutes
    tests/chaos/run --quick         fewer cycles of each, well under a minute
    tests/chaos/run --only NAME...  these rows
    tests/chaos/run --list          the rows

The sandbox, a process of its own, writes down every paid request before it acts on it: what was sent is
counted there. PICTORY_BIN is the folder of the programs (build/dev/bin). With --keep, state directories
and logs stay; those of a row that failed stay anyway. Exit 0 only if every number is met.
"""

import argparse
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
os.environ.setdefault("PICTORY_BIN", str(HERE.parents[1] / "build" / "dev" / "bin"))
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
from rig import Rig  # noqa: E402
from rows import ROWS  # noqa: E402
from tally import Tally  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(prog="tests/chaos/run", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer cycles of each row")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[row.name for row in ROWS])
    parser.add_argument("--cycles", type=int, help="instead of the row's own number")
    parser.add_argument("--keep", action="store_true", help="leave state directories and logs")
    parser.add_argument("--list", action="store_true", help="print the rows and leave")
    return parser.parse_args()


def run(row, cycles, folder, keep):
    began = time.monotonic()
    folder.mkdir()
    try:
        with Rig(folder) as rig:
            tally = row.function(rig, cycles)
    except Exception:  # a row that cannot be finished is not met; the others still run
        tally = Tally(problems=[traceback.format_exc()])
    met = tally.met()
    print(f"{row.name:22} {row.what:58} {tally.cycles:6} {row.unit:8} {tally.duplicates} twice {tally.losses} lost"
          f"  {'met' if met else 'NOT MET'}  {time.monotonic() - began:.1f} s"
          f"{'  ' + tally.measured if tally.measured else ''}", flush=True)
    if not met:
        for problem in tally.problems[:10]:
            print(f"    {problem}")
        if len(tally.problems) > 10:
            print(f"    and {len(tally.problems) - 10} more")
        print(f"    again: tests/chaos/run --only {row.name}\n    logs:  {folder}", flush=True)
    elif not keep:
        shutil.rmtree(folder)
    return met


def main():
    options = arguments()
    rows = [row for row in ROWS if not options.only or row.name in options.only]
    if options.list:
        for row in rows:
            print(f"{row.name:22} {row.what}")
        return 0
    # Ends the processes of the row under way, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="chaos-"))
    began = time.monotonic()
    try:
        missed = [row.name for row in rows
                  if not run(row, options.cycles or (row.quick if options.quick else row.cycles),
                             folder / row.name, options.keep)]
    except (KeyboardInterrupt, SystemExit):
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if not options.keep and not missed:
        shutil.rmtree(folder)
    print(f"{len(rows) - len(missed)} of {len(rows)} met, {time.monotonic() - began:.0f} s")
    if options.keep:
        print(f"kept: {folder}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
