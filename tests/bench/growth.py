"""Measures how the gateway's CPU, memory and latency grow: with watches, with active and with finished
jobs, with the budget of the account.

Builds what it needs (preset `bench`), starts everything on loopback, prints one line a step

    GROWTH scale step value=… value=… load=…

(the load is that of the last minute, with whatever else was running), then tables in Markdown, and
draws them into a picture. Scales live in tests/bench/scales, one file each.
"""

import argparse
import importlib
import os
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import house  # noqa: E402
import plot  # noqa: E402

ORDER = ["watches", "active", "finished", "budget", "gateways"]
PICTURE = house.ROOT / "server" / "docs" / "growth.svg"


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/growth", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="in about a minute, with small numbers")
    parser.add_argument("--only", action="append", choices=ORDER, metavar="SCALE",
                        help=f"this one of {', '.join(ORDER)}; may be repeated")
    parser.add_argument("--svg", type=pathlib.Path, metavar="FILE",
                        help="where the picture goes; without --quick and --only server/docs/growth.svg")
    parser.add_argument("--no-build", action="store_true", help="use what was built before")
    return parser.parse_args()


def measure(module, quick):
    bench = house.Bench(quick, None)
    try:
        for step, values in module.measure(bench):
            module.SCALE.add(step, values)
            print(module.SCALE.line(step), f"load={os.getloadavg()[0]:.1f}", flush=True)
    finally:
        bench.close()


def main():
    options = arguments()
    modules = [importlib.import_module(f"scales.{name}") for name in options.only or ORDER]
    if not options.no_build:
        house.build({program for module in modules for program in module.PROGRAMS})
    house.on_signals()
    began = time.monotonic()
    for module in modules:
        measure(module, options.quick)
    scales = [module.SCALE for module in modules]
    for scale in scales:
        print("", *scale.markdown(), sep="\n")
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"\n{time.monotonic() - began:.0f} s on {os.cpu_count()} CPUs; "
          f"load of the last 1, 5 and 15 minutes: {load}")
    picture = options.svg or (None if options.quick or options.only else PICTURE)
    if picture is not None:
        picture.write_text(plot.svg([scale.row() for scale in scales], "How the gateway grows"))
        print(f"drawn into {picture}")


if __name__ == "__main__":
    main()
