"""The gateway under trouble: outages, crowds, readers that do not read, peers that vanish, a slow disk.

    tests/trouble/run                 every case, some minutes
    tests/trouble/run --quick         shorter, and without what cannot be short; 80 seconds
    tests/trouble/run --only NAME...  these cases
    tests/trouble/run --identities    the same, with a gateway that asks who calls, and callers with API keys
    tests/trouble/run --list          the cases

Builds what it needs (preset `bench`) and starts everything on loopback. Prints one line a case: what was
measured, what is allowed, and whether that is met. With --keep, state directories and logs stay; those
of a case that is not met stay anyway. Exit 0 only if every number is met.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(HERE.parent / "bench"), str(HERE.parent / "support" / "python")]

import house  # noqa: E402
from cases import CASES, PROGRAMS  # noqa: E402
from live import rows  # noqa: E402

COMMAND = "tests/trouble/run"


def main():
    options = rows.arguments(COMMAND, __doc__, CASES,
                             [("--no-build", {"action": "store_true", "help": "use what was built before"}),
                              ("--identities", {"action": "store_true", "help": "callers show API keys"})])
    if not options.list and not options.no_build:
        house.build(PROGRAMS)
    return rows.main(COMMAND, CASES, options, place=house.place())


if __name__ == "__main__":
    sys.exit(main())
