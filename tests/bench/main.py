"""Measures the gateway against bare programs that do the least the same work needs.

Builds what it needs (preset `bench`), starts everything on loopback, prints one line a figure

    FIGURE name ours reference ratio goal met|short unit=… runs=… ratios=least–most

and then tables for server/docs/performance.md. Figures live in tests/bench/figures, one file each. What cannot be
measured here, because a tool is missing, is named at the end; with --guard and CI=true that is a
failure.
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
import verdict  # noqa: E402


def find_figures():
    """Name → module, for every file in figures/."""
    stems = sorted(path.stem for path in (HERE / "figures").glob("*.py") if path.stem != "__init__")
    return {stem.replace("_", "-"): importlib.import_module(f"figures.{stem}") for stem in stems}


def arguments(modules):
    parser = argparse.ArgumentParser(
        prog="tests/bench/run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="figures:\n" + "\n".join(f"  {n:14} {m.ABOUT}" for n, m in modules.items()))
    parser.add_argument("--quick", action="store_true", help="all of it in under 2 minutes, coarser")
    parser.add_argument("--only", action="append", choices=modules, metavar="NAME",
                        help="this figure; may be repeated")
    parser.add_argument("--runs", type=int, metavar="N",
                        help="how often each side is measured (5; with --quick 3)")
    parser.add_argument("--guard", action="store_true",
                        help="exit 1 if a figure is beyond its generous bound")
    parser.add_argument("--no-build", action="store_true", help="use what was built before")
    return parser.parse_args()


def prepare(modules):
    """What figures need beyond build targets."""
    for module in modules:
        if hasattr(module, "prepare"):
            module.prepare()


def measure(module, options):
    """The module's figures; their lines are printed as they come."""
    bench = house.Bench(options.quick, options.runs)
    figures = []
    try:
        for figure in module.measure(bench):
            print(figure.line(), flush=True)
            figures.append(figure)
    finally:
        bench.close()
    return figures, bench.notes, bench.left_out


def main():
    modules = find_figures()
    options = arguments(modules)
    chosen = {name: modules[name] for name in options.only or modules}
    if not options.no_build:
        house.build({target for module in chosen.values() for target in module.PROGRAMS})
        prepare(chosen.values())
    house.on_signals()
    began = time.monotonic()
    figures, notes, left_out = [], [], []
    for module in chosen.values():
        for all_of_it, more in zip((figures, notes, left_out), measure(module, options)):
            all_of_it += more
    print()
    print(*verdict.readme(figures), "", *notes, sep="\n")
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{len(figures)} figures in {time.monotonic() - began:.0f} s on {os.cpu_count()} CPUs; "
          f"load of the last 1, 5 and 15 minutes: {load}")
    for what in left_out:
        print(f"left out: {what}")
    beyond = [figure.name for figure in figures if not figure.guarded]
    if options.guard and beyond:
        sys.exit(f"bench: beyond the guard: {', '.join(beyond)}")
    if options.guard and left_out and os.environ.get("CI") == "true":
        sys.exit("bench: nothing may be left out here")


if __name__ == "__main__":
    main()
